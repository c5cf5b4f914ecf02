//! Snaps: `meta/snap.yaml` at the root of each.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What a snap says of itself (snapcraft.io, "snap.yaml").
pub(super) const PLUGIN: Reader =
    Reader { name: "snap", selects: &[Select::Suffix("meta/snap.yaml")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let field = |key: &str| {
        let mut lines = reader::yaml(&text).filter(|line| line.indent == 0 && !line.item);
        lines.find(|line| line.key == key).map_or("", |line| line.value)
    };
    if field("name").is_empty() {
        return reader::bad(file, reader::METADATA, "a snap without name", out);
    }
    let purl = Purl::new("snap", "", field("name"), field("version"));
    reader::installed(file, purl, Basis::PackageDatabase, out);
}
