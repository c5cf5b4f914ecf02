//! Packages that are not installed but lie there as the file that would be: a `.deb`, an Alpine or
//! Arch package, an RPM, a gem, a crate, an npm tarball, one of conda. Each names itself in a
//! member of its own.

use relight_model::{Basis, Catalog, Component, Purl, Scope};

use super::dpkg::upstream;
use crate::archive::HEADER_MEMBER;
use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};
use crate::rpm_header::Header;

/// Only what stands in a container can name it.
const INSIDE: &str = "!/";

/// The members that name their package; all of them stand at a fixed place of it.
pub(super) const PLUGIN: Reader = Reader {
    name: "closed_package",
    selects: &[
        Select::Within(INSIDE, "control"),
        Select::Within(INSIDE, ".PKGINFO"),
        Select::Suffix("metadata.gz!/metadata"),
        Select::Within(INSIDE, HEADER_MEMBER),
        Select::Within(INSIDE, "Cargo.toml"),
        Select::Within(INSIDE, "package.json"),
        Select::Within("!/info/", "index.json"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    // Only what stands in a container can name it.
    let Some((package, member)) = file.path.rsplit_once("!/") else { return };
    let text = reader::text(file);
    let (package, named) = match member.strip_prefix("./").unwrap_or(member) {
        "control" => (package, debian(package, &text)),
        ".PKGINFO" => (package, pkginfo(&text)),
        "metadata" => {
            (package.strip_suffix("!/metadata.gz").unwrap_or(package), gem(package, &text))
        }
        "package/package.json" => match reader::json(file, reader::METADATA, out) {
            Some(value) => (package, npm(package, &value)),
            None => return,
        },
        "info/index.json" => match reader::json(file, reader::METADATA, out) {
            // The newer form has it in a stream of its own.
            Some(value) => (whole_of_conda(package), conda(&value)),
            None => return,
        },
        HEADER_MEMBER => (package, rpm(file.bytes)),
        member if file_name(member) == "Cargo.toml" => {
            (package, package_of_crate(package, &text, member))
        }
        _ => return,
    };
    let is_whole = |it: &Purl| !it.name.is_empty() && !it.version.is_empty();
    match named {
        Named::Package(purl) if is_whole(&purl) => {
            let basis = Basis::InstalledMetadata;
            out.push(Component::new(purl, package, basis, Scope::Installed));
        }
        Named::Package(_) | Named::Damaged => {
            let message = "the package does not say its name and version";
            reader::bad(file, reader::METADATA, message, out);
        }
        Named::Other => {}
    }
}

/// What a member with the name of a manifest is.
enum Named {
    /// It names this package, whose name or version may be missing.
    Package(Purl),
    /// The manifest of a package that cannot be read.
    Damaged,
    /// A file that only has the same name.
    Other,
}

impl Named {
    fn found(purl: Option<Purl>) -> Self {
        purl.map_or(Self::Damaged, Self::Package)
    }
}

fn ends_with_any(path: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| path.ends_with(ending))
}

/// The index of a package of conda; many other things have one in such a place.
fn conda(index: &serde_json::Value) -> Named {
    let field = |key| reader::string(index, key);
    if index.get("depends").is_none() || index.get("build").is_none() {
        return Named::Other;
    }
    let purl = Purl::new("conda", "", field("name"), field("version"))
        .with_qualifier("build", field("build"))
        .with_qualifier("subdir", field("subdir"));
    Named::Package(purl)
}

/// The package around `info-NAME.tar.zst`.
fn whole_of_conda(package: &str) -> &str {
    match package.rsplit_once("!/") {
        Some((whole, part)) if part.starts_with("info-") => whole,
        _ => package,
    }
}

/// The control file of a Debian package (deb-control(5)). Other files of this name, the one of a
/// source package among them, do not stand in a package.
fn debian(package: &str, text: &str) -> Named {
    let stanza = reader::stanzas(text).next().unwrap_or_default();
    let field = |key| reader::field(&stanza, key);
    let is_package = !field("Package").is_empty() && !field("Architecture").is_empty();
    if !is_package && !ends_with_any(package, &[".deb", ".udeb", ".ipk"]) {
        return Named::Other;
    }
    let is_ubuntu = field("Maintainer").contains("ubuntu") || field("Version").contains("ubuntu");
    let namespace = if is_ubuntu { "ubuntu" } else { "debian" };
    let (name, version) = (field("Package"), field("Version"));
    let purl = Purl::new("deb", namespace, name, version)
        .with_qualifier("arch", field("Architecture"))
        .with_qualifier("upstream", &upstream(field("Source"), name, version));
    Named::Package(purl)
}

/// `.PKGINFO` of Alpine (apk-package(5)), and of Arch, which also names the base.
fn pkginfo(text: &str) -> Named {
    let field = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='));
        line.map_or("", str::trim)
    };
    let (name, base) = (field("pkgname"), field("pkgbase"));
    let is_arch = !base.is_empty();
    let (kind, namespace) = if is_arch { ("alpm", "arch") } else { ("apk", "alpine") };
    // Advisories name what it was built from.
    let source = if is_arch { base } else { field("origin") };
    let purl = Purl::new(kind, namespace, name, field("pkgver"))
        .with_qualifier("arch", field("arch"))
        .with_qualifier("upstream", reader::other_than(name, source));
    Named::Package(purl)
}

/// The header of an RPM package.
fn rpm(bytes: &[u8]) -> Named {
    Named::found(Header::parse(bytes).and_then(|header| header.purl()))
}

/// The specification inside a gem: YAML as RubyGems writes it, with the version in a block.
fn gem(package: &str, text: &str) -> Named {
    let is_gem = text.starts_with("--- !ruby/object:Gem::Specification");
    match is_gem || ends_with_any(package, &[".gem!/metadata.gz"]) {
        true => Named::found(specification(text)),
        false => Named::Other,
    }
}

fn specification(text: &str) -> Option<Purl> {
    let plain = |line: &str| line.trim().trim_matches(['"', '\'']).to_owned();
    let name = text.lines().find_map(|line| line.strip_prefix("name:"))?;
    let mut behind = text.lines().skip_while(|line| !line.starts_with("version:")).skip(1);
    let version = behind.next()?.strip_prefix("  version:")?;
    Some(Purl::new("gem", "", &plain(name), &plain(version)))
}

/// An npm tarball: the folder `package` at its root, whatever the package is called.
fn npm(package: &str, value: &serde_json::Value) -> Named {
    let (scope, name) = reader::split_scope(reader::string(value, "name"));
    let version = reader::string(value, "version");
    // A project may have a folder of this name, and need neither.
    if (name.is_empty() || version.is_empty()) && !package.ends_with(".tgz") {
        return Named::Other;
    }
    Named::Package(Purl::new("npm", scope, name, version))
}

/// A crate: one folder `NAME-VERSION`. Any other manifest is a project.
fn package_of_crate(package: &str, text: &str, member: &str) -> Named {
    let Some(folder) = member.strip_suffix("/Cargo.toml").filter(|it| !it.contains('/')) else {
        return Named::Other;
    };
    let manifest: Option<toml::Table> = text.parse().ok();
    let field = |key| {
        let table = manifest.as_ref()?.get("package")?.as_table()?;
        Some(reader::toml_string(table, key))
    };
    let (name, version) = (field("name").unwrap_or(""), field("version").unwrap_or(""));
    if folder == format!("{name}-{version}") {
        return Named::Package(Purl::new("cargo", "", name, version));
    }
    if package.ends_with(".crate") { Named::Damaged } else { Named::Other }
}
