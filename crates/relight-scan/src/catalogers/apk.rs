//! Alpine packages: `lib/apk/db/installed`, with the files that each of them owns.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The database of apk-tools (apk-package(5)): paragraphs of one-letter fields.
pub(super) const PLUGIN: Reader =
    Reader { name: "apk", selects: &[Select::Suffix("lib/apk/db/installed")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if !text.is_empty() && !text.ends_with('\n') {
        reader::bad(file, reader::DATABASE, "ends inside a line", out);
    }
    for stanza in reader::stanzas(&text) {
        // Letters differ in case (`p` and `P`), so the fields are compared exactly.
        let field =
            |key: &str| stanza.iter().find_map(|line| line.strip_prefix(key)).map_or("", str::trim);
        let (name, version, origin) = (field("P:"), field("V:"), field("o:"));
        if name.is_empty() || version.is_empty() {
            reader::bad(file, reader::DATABASE, "a package without name or version", out);
            continue;
        }
        let purl = Purl::new("apk", "", name, version)
            .with_qualifier("arch", field("A:"))
            .with_qualifier("upstream", reader::other_than(name, origin));
        out.own(purl.clone(), paths(&stanza));
        reader::installed(file, purl, Basis::PackageDatabase, out);
    }
}

/// `F:` is a folder, each `R:` behind it a file in it.
fn paths<'a>(stanza: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
    let mut folder = "";
    stanza.iter().filter_map(move |line| {
        if let Some(name) = line.strip_prefix("F:") {
            folder = name;
            return None;
        }
        let name = line.strip_prefix("R:")?;
        Some(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
    })
}
