//! Packages that are not installed but lie there as the file that would be: a `.deb`, an Alpine or
//! Arch package, a gem, a crate, an npm tarball. Each names itself in a member of its own.

use relight_model::{Basis, Catalog, Component, Purl, Scope};

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// The members that name their package; all of them stand at a fixed place of it.
pub(super) const PLUGIN: Reader = Reader {
    name: "closed_package",
    selects: &[
        Select::Name("control"),
        Select::Name(".PKGINFO"),
        Select::Suffix("metadata.gz!/metadata"),
        Select::Name("Cargo.toml"),
        Select::Name("package.json"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    // Only what stands in a container can name it.
    let Some((package, member)) = file.path.rsplit_once("!/") else { return };
    let (package, purl) = match member.strip_prefix("./").unwrap_or(member) {
        "control" => (package, debian(&reader::text(file))),
        ".PKGINFO" => (package, pkginfo(&reader::text(file))),
        "metadata" => {
            (package.strip_suffix("!/metadata.gz").unwrap_or(package), gem(&reader::text(file)))
        }
        "package/package.json" => {
            (package, reader::json(file, reader::METADATA, out).and_then(|value| npm(&value)))
        }
        member if file_name(member) == "Cargo.toml" => (package, package_of_crate(file, member)),
        _ => return,
    };
    if let Some(purl) = purl.filter(|it| !it.name.is_empty() && !it.version.is_empty()) {
        let basis = Basis::InstalledMetadata;
        out.components.push(Component::new(purl, package, basis, Scope::Installed));
    }
}

/// The control file of a Debian package (deb-control(5)). Other files of this name lack a field.
fn debian(text: &str) -> Option<Purl> {
    let stanza = reader::stanzas(text).into_iter().next()?;
    let field = |key| reader::field(&stanza, key);
    let is_ubuntu = field("Maintainer").contains("ubuntu") || field("Version").contains("ubuntu");
    let namespace = if is_ubuntu { "ubuntu" } else { "debian" };
    let arch = field("Architecture");
    let purl = Purl::new("deb", namespace, field("Package"), field("Version"));
    (!arch.is_empty()).then(|| purl.with_qualifier("arch", arch))
}

/// `.PKGINFO` of Alpine (apk-package(5)), and of Arch, which also names the base.
fn pkginfo(text: &str) -> Option<Purl> {
    let field = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='));
        line.map_or("", str::trim)
    };
    let is_arch = !field("pkgbase").is_empty();
    let (kind, namespace) = if is_arch { ("alpm", "arch") } else { ("apk", "alpine") };
    let purl = Purl::new(kind, namespace, field("pkgname"), field("pkgver"));
    Some(purl.with_qualifier("arch", field("arch")))
}

/// The specification inside a gem: YAML as RubyGems writes it, with the version in a block.
fn gem(text: &str) -> Option<Purl> {
    if !text.starts_with("--- !ruby/object:Gem::Specification") {
        return None;
    }
    let plain = |line: &str| line.trim().trim_matches(['"', '\'']).to_owned();
    let name = text.lines().find_map(|line| line.strip_prefix("name:"))?;
    let mut behind = text.lines().skip_while(|line| !line.starts_with("version:")).skip(1);
    let version = behind.next()?.strip_prefix("  version:")?;
    Some(Purl::new("gem", "", &plain(name), &plain(version)))
}

/// An npm tarball: the folder `package` at its root, whatever the package is called.
fn npm(value: &serde_json::Value) -> Option<Purl> {
    let (scope, name) = reader::split_scope(reader::string(value, "name"));
    Some(Purl::new("npm", scope, name, reader::string(value, "version")))
}

/// A crate: one folder `NAME-VERSION`. Any other manifest is a project.
fn package_of_crate(file: &File<'_>, member: &str) -> Option<Purl> {
    let folder = member.strip_suffix("/Cargo.toml")?;
    let manifest: toml::Table = reader::text(file).parse().ok()?;
    let package = manifest.get("package")?.as_table()?;
    let field = |key| reader::toml_string(package, key);
    let (name, version) = (field("name"), field("version"));
    (folder == format!("{name}-{version}")).then(|| Purl::new("cargo", "", name, version))
}
