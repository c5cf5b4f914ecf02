//! WordPress: `wp-includes/version.php`, plug-ins and themes.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The version of the core, and the headers by which WordPress itself finds plug-ins and themes.
pub(super) const PLUGIN: Reader = Reader {
    name: "wordpress",
    selects: &[
        Select::Suffix("wp-includes/version.php"),
        Select::Inside("wp-content/plugins/", ".php"),
        Select::Inside("wp-content/themes/", ".css"),
        Select::Inside("app/plugins/", ".php"),
        Select::Inside("app/themes/", ".css"),
        Select::Inside("mu-plugins/", ".php"),
    ],
    read,
};

/// Folders of plug-ins: those of Bedrock are called `app`, and some are loaded before all others.
const PLUGINS: [&str; 4] =
    ["wp-content/plugins/", "app/plugins/", "wp-content/mu-plugins/", "app/mu-plugins/"];

/// Folders of themes.
const THEMES: [&str; 2] = ["wp-content/themes/", "app/themes/"];

/// How far WordPress looks for a header, in bytes (`get_file_data`).
const HEADER_BYTES_MAX: usize = 8192;

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if file.path.ends_with("wp-includes/version.php") {
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix("$wp_version"));
        return match line.and_then(reader::quoted) {
            Some(version) => {
                let purl = Purl::new("generic", "", "wordpress", version);
                reader::installed(file, purl, Basis::InstalledMetadata, out);
            }
            None => reader::bad(file, reader::METADATA, "no $wp_version", out),
        };
    }
    let header = &text[..text.floor_char_boundary(HEADER_BYTES_MAX)];
    let found = if file.path.ends_with(".php") {
        place(file.path, &PLUGINS).map(|slug| ("Plugin Name", "wordpress-plugin", slug))
    } else if !file.path.ends_with("/style.css") {
        None
    } else {
        place(file.path, &THEMES).map(|slug| ("Theme Name", "wordpress-theme", slug))
    };
    let Some((marker, namespace, slug)) = found else { return };
    // Only the file with the header is the plug-in; the others are its parts.
    if value(header, marker).is_empty() {
        return;
    }
    let purl = Purl::new("generic", namespace, slug, value(header, "Version"));
    reader::installed(file, purl, Basis::InstalledMetadata, out);
}

/// The folder of a plug-in or theme, or the name of a plug-in of one file.
fn place<'a>(path: &'a str, folders: &[&str]) -> Option<&'a str> {
    // A folder for content may be called `my-wp-content`; `webapp` is no `app`.
    let is_folder = |at: usize, folder: &str| {
        !folder.starts_with("app/") || at == 0 || path[..at].ends_with('/')
    };
    let rest = folders.iter().find_map(|folder| {
        let (at, found) = path.rmatch_indices(folder).find(|(at, _)| is_folder(*at, folder))?;
        Some(&path[at + found.len()..])
    })?;
    match rest.split('/').collect::<Vec<_>>()[..] {
        [file] => file.strip_suffix(".php"),
        [slug, _] => Some(slug),
        _ => None,
    }
}

/// ` * Plugin Name: Akismet`.
fn value<'a>(header: &'a str, key: &str) -> &'a str {
    let found = header.lines().find_map(|line| {
        let line = line.trim_start_matches([' ', '\t', '/', '*', '#', '@']);
        line.strip_prefix(key)?.strip_prefix(':')
    });
    found.map_or("", |value| value.trim_end_matches("*/").trim())
}
