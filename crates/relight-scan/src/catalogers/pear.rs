//! PHP packages of PEAR: `.registry/NAME.reg`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The registry of PEAR: values as PHP serialises them.
pub(super) const PLUGIN: Reader =
    Reader { name: "pear", selects: &[Select::Inside(".registry/", ".reg")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let (name, channel) = (value(&text, "name"), value(&text, "channel"));
    let version = text.find("s:7:\"version\";").map_or("", |at| {
        // Version 2 of the format has a map `version` with the key `release`.
        match value(&text[at..], "version") {
            "" => value(&text[at..], "release"),
            version => version,
        }
    });
    if name.is_empty() || version.is_empty() {
        return reader::bad(file, reader::METADATA, "a package without name or version", out);
    }
    let channel = if channel.is_empty() { "pear.php.net" } else { channel };
    reader::installed(
        file,
        Purl::new("pear", channel, name, version),
        Basis::InstalledMetadata,
        out,
    );
}

/// `s:4:"name";s:7:"Archive";`: the string behind a key; lengths are in bytes.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let key = format!("s:{}:\"{key}\";s:", key.len());
    let Some(at) = text.find(&key) else { return "" };
    let Some((len, rest)) = text[at + key.len()..].split_once(":\"") else { return "" };
    len.parse::<usize>().ok().and_then(|len| rest.get(..len)).unwrap_or_default()
}
