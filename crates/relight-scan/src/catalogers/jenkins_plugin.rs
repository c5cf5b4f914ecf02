//! Jenkins plug-ins: the manifest of each `.hpi` and `.jpi`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Kind, Select};
use crate::reader::{self, Reader};

/// The attributes that the build of a Jenkins plug-in writes into its manifest.
pub(super) const PLUGIN: Reader = Reader {
    name: "jenkins_plugin",
    selects: &[Select::Kind(Kind::Zip), Select::Member("MANIFEST.MF")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(listing) = file.listing else { return };
    let manifest = listing.members.iter().find(|(name, _)| name == "META-INF/MANIFEST.MF");
    let Some((_, bytes)) = manifest else { return };
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    let field = |key| reader::field(&lines, key);
    let (name, version) = (field("Short-Name"), field("Plugin-Version"));
    if name.is_empty() || version.is_empty() {
        return;
    }
    // `1.2 (private-…)` is a build of somebody's own.
    let version = version.split(' ').next().unwrap_or(version);
    let purl = Purl::new("maven", field("Group-Id"), name, version);
    reader::installed(file, purl, Basis::Manifest, out);
}
