//! Ruby gems: `specifications/NAME-VERSION.gemspec`, and those that Bundler takes from git.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// What RubyGems writes for each installed gem, the default ones included. A gemspec elsewhere is
/// a program that builds one, but in `bundler/gems/NAME-COMMIT/`: Bundler writes what it gave in
/// its place.
pub(super) const PLUGIN: Reader = Reader {
    name: "gemspec",
    selects: &[Select::Inside("specifications/", ".gemspec"), Select::Inside(FROM_GIT, ".gemspec")],
    read,
};

/// Where Bundler puts gems that it takes from git, each in a folder of its own.
const FROM_GIT: &str = "bundler/gems/";

/// Folders below that in which Bundler looks for gemspecs, the gem's own included.
const FOLDERS_MAX: usize = 3;

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some((folder, _)) = file.path.rsplit_once('/') else { return };
    let is_from_git = file
        .path
        .rsplit_once(FROM_GIT)
        .is_some_and(|(_, inside)| (1..=FOLDERS_MAX).contains(&inside.matches('/').count()));
    let is_own = ["specifications", "specifications/default"].iter().any(|it| folder.ends_with(it));
    if !is_own && !is_from_git {
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
    let (name, version) = match (value("name "), value("version ")) {
        // Where Bundler could not write it, `File.read("VERSION")` is left there.
        (name, version) if is_from_git => {
            let is_version = |text: &&str| text.starts_with(|c: char| c.is_ascii_digit());
            (name.or(Some(stem)), version.filter(is_version).or(Some("")))
        }
        named => named,
    };
    let (Some(name), Some(version)) = (name, version) else {
        return reader::bad(file, reader::METADATA, "a gem without name or version", out);
    };
    // The platform stands in the file name only: `nokogiri-1.15.0-x86_64-linux`.
    let platform = stem.strip_prefix(&format!("{name}-{version}-")).unwrap_or_default();
    let purl = Purl::new("gem", "", name, version).with_qualifier("platform", platform);
    reader::installed(file, purl, Basis::InstalledMetadata, out);
}
