//! Arch Linux packages: `var/lib/pacman/local/NAME-VERSION/desc`, and their `files`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The local database of pacman: `%FIELD%`, then its values, one a line.
pub(super) const PLUGIN: Reader = Reader {
    name: "pacman",
    selects: &[Select::Within(FOLDER, "desc"), Select::Within(FOLDER, "files")],
    read,
};

/// Where the database stands below the root of the system.
const FOLDER: &str = "var/lib/pacman/local/";

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some((_, place)) = file.path.split_once(FOLDER) else { return };
    let text = reader::text(file);
    if file.path.ends_with("/files") {
        // The folder is `NAME-VERSION-RELEASE`.
        let mut parts = place.trim_end_matches("/files").rsplitn(3, '-');
        let (release, version) = (parts.next(), parts.next());
        let (Some(name), Some(version), Some(release)) = (parts.next(), version, release) else {
            return;
        };
        let owner = Purl::new("alpm", "", name, &format!("{version}-{release}"));
        let paths = values(&text, "%FILES%").filter(|path| !path.ends_with('/'));
        out.own(owner, paths.map(str::to_owned));
        return;
    }
    let field = |name| values(&text, name).next().unwrap_or_default();
    let (name, version) = (field("%NAME%"), field("%VERSION%"));
    if name.is_empty() || version.is_empty() {
        return reader::bad(file, reader::DATABASE, "a package without name or version", out);
    }
    let base = field("%BASE%");
    let purl = Purl::new("alpm", "", name, version)
        .with_qualifier("arch", field("%ARCH%"))
        .with_qualifier("upstream", reader::other_than(name, base));
    reader::installed(file, purl, Basis::PackageDatabase, out);
}

fn values<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let behind = text.lines().skip_while(move |line| *line != name).skip(1);
    behind.take_while(|line| !line.is_empty())
}
