//! Debian packages: `var/lib/dpkg/status`, and `status.d/*` of images without a package manager.

use relight_model::{Basis, Catalog, Purl, Warning};

use super::installed;
use crate::cataloger::{Cataloger, File, Select};
use crate::reader;

pub(super) const PLUGIN: Dpkg = Dpkg {
    selects: &[Select::Suffix("var/lib/dpkg/status"), Select::Folder("var/lib/dpkg/status.d")],
};

/// The database of dpkg (dpkg-query(1), deb822(5)).
pub(super) struct Dpkg {
    selects: &'static [Select],
}

impl Cataloger for Dpkg {
    fn name(&self) -> &'static str {
        "dpkg"
    }

    fn selects(&self) -> &'static [Select] {
        self.selects
    }

    fn catalog(&self, file: &File<'_>, out: &mut Catalog) {
        let text = String::from_utf8_lossy(file.bytes);
        if file.path.ends_with(".md5sums") || text.trim().is_empty() {
            return;
        }
        if !text.ends_with('\n') {
            out.warn(warning(file, "ends inside a line"));
        }
        for stanza in reader::stanzas(&text) {
            read_stanza(&stanza, file, out);
        }
    }
}

fn warning(file: &File<'_>, message: &str) -> Warning {
    Warning::new("dpkg-bad-status", file.path, message)
}

fn read_stanza(lines: &[&str], file: &File<'_>, out: &mut Catalog) {
    let field = |key| reader::field(lines, key);
    let (name, version) = (field("Package"), field("Version"));
    // The third word is the state. Held, unpacked and half-configured packages have their files on
    // the disk; only these two states have none. `status.d` has no such field.
    let state = field("Status").split_whitespace().nth(2);
    if matches!(state, Some("not-installed" | "config-files")) {
        return;
    }
    if name.is_empty() || version.is_empty() || state.is_none() && file.path.ends_with("/status") {
        let shown: String = name.chars().take(64).collect();
        let message = format!("stanza `{shown}` lacks Package, Version or Status");
        out.warn(warning(file, &message));
        return;
    }
    let purl = Purl::new("deb", "", name, version)
        .with_qualifier("arch", field("Architecture"))
        .with_qualifier("upstream", &upstream(field("Source"), name, version));
    out.push(installed(purl, file, Basis::PackageDatabase));
}

/// The source package, `name` or `name@version`, where it differs from the binary one: advisories
/// of Debian name sources.
pub(super) fn upstream(source: &str, name: &str, version: &str) -> String {
    let (source, rest) = source.split_once(' ').unwrap_or((source, ""));
    let source_version = rest.trim().trim_start_matches('(').trim_end_matches(')');
    if source_version.is_empty() || source_version == version {
        reader::other_than(name, source).to_owned()
    } else {
        format!("{source}@{source_version}")
    }
}
