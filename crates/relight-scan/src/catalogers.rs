//! The catalogers: one file, one name here and one folder of fixtures each.

use relight_model::{Basis, Component, Purl, Scope};

use crate::cataloger::{Cataloger, File};

relight_model::registry! {
    /// Every cataloger, in alphabetical order.
    pub static CATALOGERS: dyn Cataloger, check = crate::cataloger::check;
    apk,
    binary_version,
    bun_lock,
    cargo_lock,
    chisel,
    closed_package,
    cms,
    composer,
    conan,
    conda_meta,
    deno_lock,
    deps_json,
    dotnet_program,
    dpkg,
    dpkg_files,
    eclipse_feature,
    erlang_app,
    flatpak,
    found_sbom,
    gemfile_lock,
    gemspec,
    github_actions,
    go_mod,
    go_program,
    haskell,
    hex_lock,
    homebrew,
    java_archive,
    java_classes,
    jdk_release,
    jenkins_plugin,
    js_banner,
    jvm_lock,
    kernel,
    lua_rockspec,
    native_image,
    nix_store,
    node_modules,
    npm_lock,
    nuget_lock,
    nuspec,
    opkg,
    pacman,
    pear,
    perl,
    pipfile_lock,
    pnpm_lock,
    podfile_lock,
    portage,
    pubspec_lock,
    python_dist,
    python_lock,
    r_description,
    requirements,
    rpm,
    rpm_manifest,
    rust_program,
    script_program,
    snap,
    swift_resolved,
    vcpkg,
    wordpress,
    yarn_lock,
    yarn_pnp,
}

pub(crate) use binary_version::goes_by;
pub(crate) use java_archive::{only_version, read_pom, split_version};
pub(crate) use node_modules::may_be_application;

/// A component that was seen installed in the place of `file`.
fn installed(purl: Purl, file: &File<'_>, basis: Basis) -> Component {
    Component::new(purl, file.path, basis, Scope::Installed)
}
