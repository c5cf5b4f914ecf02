//! Lock files of Bundler: `Gemfile.lock`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The gems below `specs:` of each source.
pub(super) const PLUGIN: Reader = Reader {
    name: "gemfile_lock",
    selects: &[Select::Name("Gemfile.lock"), Select::Name("gems.locked")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let mut section = "";
    for line in text.lines() {
        if !line.starts_with(' ') {
            section = line.trim();
        } else if line.starts_with("    ") && !line.starts_with("     ") && section != "PATH" {
            // Four spaces: a gem. Six: what it needs. `PATH` is the project itself.
            if let Some((name, version)) = line.trim().split_once(" (") {
                let version = version.trim_end_matches(')');
                let (version, platform) = version.split_once('-').unwrap_or((version, ""));
                let purl = Purl::new("gem", "", name, reader::plain_version(version))
                    .with_qualifier("platform", platform);
                reader::declared(file, purl, out);
            }
        }
    }
    if !text.lines().any(|line| line.trim() == "specs:") {
        reader::bad(file, reader::LOCK, "no specs", out);
    }
}
