//! Which Debian package installed a file: `var/lib/dpkg/info/NAME.list`.

use relight_model::{Catalog, Owned, Purl};

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// The file lists of dpkg; `status.d` of images without a package manager has `.md5sums` instead.
pub(super) const PLUGIN: Reader = Reader {
    name: "dpkg_files",
    selects: &[
        Select::Inside("var/lib/dpkg/info/", ".list"),
        Select::Inside("var/lib/dpkg/status.d/", ".md5sums"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let name = file_name(file.path);
    let text = reader::text(file);
    let (package, paths): (&str, Vec<String>) = if let Some(package) = name.strip_suffix(".list") {
        (package, text.lines().filter(|path| path.len() > 2).map(str::to_owned).collect())
    } else {
        let paths = text.lines().filter_map(|line| Some(line.split_once("  ")?.1.to_owned()));
        (name.strip_suffix(".md5sums").unwrap_or(name), paths.collect())
    };
    let (name, arch) = package.split_once(':').unwrap_or((package, ""));
    if name.is_empty() || file.bytes.contains(&0) {
        return reader::bad(file, reader::DATABASE, "no list of files", out);
    }
    let owner = Purl::new("deb", "", name, "").with_qualifier("arch", arch);
    out.owned.push(Owned { owner, paths });
}
