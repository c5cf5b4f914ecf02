//! Installed Perl distributions: `.meta/NAME-VERSION/install.json`, and `.packlist` of older ones.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// Records of the installers of CPAN. A `.packlist` names files and no version.
pub(super) const PLUGIN: Reader = Reader {
    name: "perl",
    selects: &[Select::Within(".meta/", "install.json"), Select::Within("auto/", ".packlist")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    if file_name(file.path) == "install.json" {
        if !file.path.contains(".meta/") {
            return;
        }
        let Some(record) = reader::json(file, reader::METADATA, out) else { return };
        // `dist` is `NAME-VERSION`; `name` is the module that was asked for.
        let (dist, version) = (reader::string(&record, "dist"), reader::string(&record, "version"));
        let name = dist.strip_suffix(version).map_or(dist, |name| name.trim_end_matches('-'));
        if name.is_empty() {
            return reader::bad(file, reader::METADATA, "a distribution without name", out);
        }
        let purl = Purl::new("cpan", "", name, version);
        return reader::installed(file, purl, Basis::InstalledMetadata, out);
    }
    // `auto/Net/SSLeay/.packlist` belongs to the distribution Net-SSLeay.
    let Some((_, place)) = file.path.rsplit_once("auto/") else { return };
    let module = place.trim_end_matches(".packlist").trim_end_matches('/').replace('/', "-");
    if !module.is_empty() {
        let purl = Purl::new("cpan", "", &module, "");
        reader::installed(file, purl, Basis::InstalledMetadata, out);
    }
}
