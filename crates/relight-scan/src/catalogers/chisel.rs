//! Root file systems that Chisel cut out of packages of Ubuntu: `var/lib/chisel/manifest.wall`, one
//! document of JSON a line in a stream of Zstandard.

use std::collections::BTreeMap;

use relight_model::{Basis, Catalog, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Packages, the slices of them that were taken, and the files of these. Of what source a package
/// was built is not said, and advisories name sources: the list answers for what it finds, and no
/// question is answered with clear by it.
pub(super) const PLUGIN: Reader = Reader {
    name: "chisel",
    selects: &[Select::Suffix("var/lib/chisel/manifest.wall!/manifest.wall")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let mut lines = text.lines();
    let header = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok());
    let Some(header) = header.filter(|header| header.get("jsonwall").is_some()) else {
        return reader::bad(file, reader::DATABASE, "no header of jsonwall", out);
    };
    let count = header.get("count").and_then(Value::as_u64);
    if count != Some(text.lines().count() as u64) {
        reader::bad(file, reader::DATABASE, "not as many lines as the first one says", out);
    }
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let Ok(entry) = serde_json::from_str::<Value>(line) else {
            reader::bad(file, reader::DATABASE, "a line that is no JSON", out);
            continue;
        };
        let field = |key| reader::string(&entry, key);
        match field("kind") {
            "package" if field("name").is_empty() || field("version").is_empty() => {
                reader::bad(file, reader::DATABASE, "a package without name or version", out);
            }
            "package" => {
                let purl = Purl::new("deb", "", field("name"), field("version"))
                    .with_qualifier("arch", field("arch"));
                reader::installed(file, purl, Basis::PackageDatabase, out);
            }
            "path" => {
                let slices = entry.get("slices").and_then(Value::as_array).into_iter().flatten();
                // `libc6_libs` is a slice of `libc6`.
                let packages = slices.filter_map(|slice| Some(slice.as_str()?.split_once('_')?.0));
                for package in packages {
                    files.entry(package.to_owned()).or_default().push(field("path").to_owned());
                }
            }
            _ => {}
        }
    }
    for (package, mut paths) in files {
        paths.retain(|path| !path.ends_with('/'));
        paths.dedup();
        if !paths.is_empty() {
            out.own(Purl::new("deb", "", &package, ""), paths);
        }
    }
}
