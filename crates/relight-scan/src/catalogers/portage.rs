//! Gentoo packages: `var/db/pkg/CATEGORY/NAME-VERSION/CONTENTS`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The installed-package database of Portage (PMS 13): a folder for each package.
pub(super) const PLUGIN: Reader =
    Reader { name: "portage", selects: &[Select::Within("var/db/pkg/", "CONTENTS")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some((_, place)) = file.path.split_once("var/db/pkg/") else { return };
    let mut segments = place.split('/');
    let (Some(category), Some(package)) = (segments.next(), segments.next()) else { return };
    let Some((name, version)) = split(package) else {
        return reader::bad(file, reader::DATABASE, "a package without version", out);
    };
    let purl = Purl::new("ebuild", category, name, version);
    let text = reader::text(file);
    // `obj PATH DIGEST MTIME`, `sym PATH -> TARGET MTIME`, `dir PATH`; a path may hold spaces.
    let owned = text.lines().filter_map(|line| {
        let (path, _) = line.strip_prefix("obj ")?.rsplit_once(' ')?;
        Some(path.rsplit_once(' ')?.0.to_owned())
    });
    out.own(purl.clone(), owned);
    reader::installed(file, purl, Basis::PackageDatabase, out);
}

/// The version starts at the last dash in front of a digit, but for a revision (`-r1`).
fn split(package: &str) -> Option<(&str, &str)> {
    let digit = |at: &usize| package.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    let at = package.match_indices('-').map(|(at, _)| at).rfind(digit)?;
    Some((&package[..at], &package[at + 1..]))
}
