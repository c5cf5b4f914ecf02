//! Content management systems that are unpacked and not installed by a package manager: Joomla,
//! Drupal 7 and Moodle, under the names of Packagist by which advisories know them.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// Where each keeps its own version. Drupal from 8 on is installed by Composer.
pub(super) const PLUGIN: Reader = Reader {
    name: "cms",
    selects: &[
        Select::Suffix("administrator/manifests/files/joomla.xml"),
        Select::Suffix("includes/bootstrap.inc"),
        Select::Name("version.php"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    match file_name(file.path) {
        "joomla.xml" => joomla(&text, file, out),
        "bootstrap.inc" => drupal(&text, file, out),
        _ => moodle(&text, file, out),
    }
}

fn joomla(text: &str, file: &File<'_>, out: &mut Catalog) {
    match reader::element(text, "version") {
        "" => reader::bad(file, reader::METADATA, "no version of Joomla", out),
        version => found(("joomla", "joomla-cms"), version, file, out),
    }
}

/// `define('VERSION', '7.98');`. Others that were made from Drupal have constants of their own.
fn drupal(text: &str, file: &File<'_>, out: &mut Catalog) {
    let is_drupal = text.contains("'DRUPAL_CORE_COMPATIBILITY'");
    let version = text.lines().find_map(|line| line.trim_start().strip_prefix("define('VERSION',"));
    if let Some(version) = version.and_then(reader::quoted).filter(|_| is_drupal) {
        found(("drupal", "core"), version, file, out);
    }
}

/// `$release = '4.1.2+ (Build: 20230401)';`, where the sign says that fixes came after the release.
/// Plug-ins have a `version.php` of their own, which says other things.
fn moodle(text: &str, file: &File<'_>, out: &mut Catalog) {
    let is_core = text.contains("MOODLE_INTERNAL") && text.contains("$branch");
    let release = text.lines().find_map(|line| line.trim_start().strip_prefix("$release"));
    let Some(release) = release.and_then(reader::quoted).filter(|_| is_core) else { return };
    let version = release.split(['+', ' ']).next().unwrap_or_default();
    found(("moodle", "moodle"), version, file, out);
}

fn found((vendor, name): (&str, &str), version: &str, file: &File<'_>, out: &mut Catalog) {
    let purl = Purl::new("composer", vendor, name, version);
    reader::installed(file, purl, Basis::InstalledMetadata, out);
}
