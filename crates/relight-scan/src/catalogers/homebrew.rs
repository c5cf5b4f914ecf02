//! Homebrew: `Cellar/NAME/VERSION/INSTALL_RECEIPT.json`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The receipt that Homebrew writes for each formula; name and version are its folders.
pub(super) const PLUGIN: Reader = Reader {
    name: "homebrew",
    selects: &[Select::Within("Cellar/", "INSTALL_RECEIPT.json")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some((_, place)) = file.path.rsplit_once("Cellar/") else { return };
    let segments: Vec<&str> = place.split('/').collect();
    let [name, version, "INSTALL_RECEIPT.json"] = segments[..] else { return };
    let Some(receipt) = reader::json(file, reader::METADATA, out) else { return };
    let tap = receipt.get("source").map_or("", |source| reader::string(source, "tap"));
    let purl = Purl::new("brew", "", name, version)
        .with_qualifier("tap", if tap == "homebrew/core" { "" } else { tap });
    reader::installed(file, purl, Basis::PackageDatabase, out);
}
