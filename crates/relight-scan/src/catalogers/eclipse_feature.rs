//! Eclipse features: `features/NAME_VERSION/feature.xml`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What an Eclipse installation is made of. Its plug-ins are bundles, whose manifests are read
/// with every other archive.
pub(super) const PLUGIN: Reader =
    Reader { name: "eclipse_feature", selects: &[Select::Name("feature.xml")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    if !file.path.contains("features/") {
        return;
    }
    let text = reader::text(file);
    let Some((_, rest)) = text.split_once("<feature") else { return };
    let tag = rest.split('>').next().unwrap_or_default();
    let (id, version) = (reader::attribute(tag, "id"), reader::attribute(tag, "version"));
    if id.is_empty() {
        return reader::bad(file, reader::METADATA, "a feature without id", out);
    }
    // A source tree has `1.0.0.qualifier`; an installation has the moment of its build.
    if !version.ends_with("qualifier") {
        let purl = Purl::new("p2", "", id, version).with_qualifier("classifier", "feature");
        reader::installed(file, purl, Basis::InstalledMetadata, out);
    }
}
