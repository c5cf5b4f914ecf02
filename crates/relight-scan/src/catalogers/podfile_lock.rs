//! Lock files of CocoaPods: `Podfile.lock`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The list `PODS`: `- Name/Subspec (1.0):`.
pub(super) const PLUGIN: Reader = Reader {
    name: "podfile_lock",
    selects: &[Select::Name("Podfile.lock"), Select::Suffix("Pods/Manifest.lock")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if !text.lines().any(|line| line.starts_with("PODS:")) {
        return reader::bad(file, reader::LOCK, "no PODS", out);
    }
    let mut in_pods = false;
    for line in reader::yaml(&text) {
        if line.indent == 0 {
            in_pods = line.key == "PODS";
        } else if in_pods && line.indent == 2 && line.item {
            let Some((name, version)) = line.key.split_once(" (") else { continue };
            let name = name.split('/').next().unwrap_or(name);
            let version = reader::plain_version(version.trim_end_matches(')'));
            reader::declared(file, Purl::new("cocoapods", "", name, version), out);
        }
    }
    out.sort();
}
