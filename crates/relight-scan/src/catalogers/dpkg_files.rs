//! Which Debian package installed a file: `var/lib/dpkg/info/NAME.list`.

use relight_model::{Catalog, Purl};

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
    let sums = name.strip_suffix(".md5sums");
    let package = sums.or(name.strip_suffix(".list")).unwrap_or(name);
    let (name, arch) = package.split_once(':').unwrap_or((package, ""));
    if name.is_empty() || file.bytes.contains(&0) {
        return reader::bad(file, reader::DATABASE, "no list of files", out);
    }
    let owner = Purl::new("deb", "", name, "").with_qualifier("arch", arch);
    let path = |line: &str| match sums {
        Some(_) => Some(line.split_once("  ")?.1.to_owned()),
        None => Some(line.to_owned()).filter(|path| path.len() > 2),
    };
    out.own(owner, text.lines().filter_map(path));
}
