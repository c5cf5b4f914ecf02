//! Flatpaks: `flatpak/app/ID/ARCH/BRANCH/COMMIT/metadata`, and runtimes likewise.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The metadata of a deployed application or runtime (flatpak-metadata(5)). It has a branch and no
/// version; the version is left empty.
pub(super) const PLUGIN: Reader =
    Reader { name: "flatpak", selects: &[Select::Within("flatpak/", "metadata")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some((_, place)) = file.path.split_once("flatpak/") else { return };
    let segments: Vec<&str> = place.split('/').collect();
    let ["app" | "runtime", id, arch, branch, _, "metadata"] = segments[..] else { return };
    let text = reader::text(file);
    let name = text.lines().find_map(|line| line.strip_prefix("name="));
    if name.is_none_or(|name| name.trim() != id) {
        return reader::bad(file, reader::METADATA, "another name than its folder", out);
    }
    let purl = Purl::new("flatpak", "", id, "")
        .with_qualifier("arch", arch)
        .with_qualifier("branch", branch);
    reader::installed(file, purl, Basis::PackageDatabase, out);
}
