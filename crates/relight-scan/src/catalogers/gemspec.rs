//! Ruby gems: `specifications/NAME-VERSION.gemspec`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// What RubyGems writes for each installed gem, the default ones included. A gemspec elsewhere is
/// a program that builds one.
pub(super) const PLUGIN: Reader =
    Reader { name: "gemspec", selects: &[Select::Inside("specifications/", ".gemspec")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some((folder, _)) = file.path.rsplit_once('/') else { return };
    if !["specifications", "specifications/default"].iter().any(|end| folder.ends_with(end)) {
        return;
    }
    let text = reader::text(file);
    let value = |key: &str| {
        let line = text.lines().find_map(|line| {
            let line = line.trim_start();
            line.split_once('.').and_then(|(_, rest)| rest.strip_prefix(key))
        });
        line.filter(|line| line.trim_start().starts_with('=')).and_then(reader::quoted)
    };
    let stem = file_name(file.path).trim_end_matches(".gemspec");
    let (Some(name), Some(version)) = (value("name "), value("version ")) else {
        return reader::bad(file, reader::METADATA, "a gem without name or version", out);
    };
    // The platform stands in the file name only: `nokogiri-1.15.0-x86_64-linux`.
    let platform = stem.strip_prefix(&format!("{name}-{version}-")).unwrap_or_default();
    let purl = Purl::new("gem", "", name, version).with_qualifier("platform", platform);
    reader::installed(file, purl, Basis::InstalledMetadata, out);
}
