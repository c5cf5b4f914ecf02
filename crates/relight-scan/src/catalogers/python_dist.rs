//! Installed Python distributions: `*.dist-info/METADATA`, `*.egg-info/PKG-INFO`, the single file
//! `*.egg-info` of distutils, and source distributions (`NAME-VERSION/PKG-INFO`).

use relight_model::{Basis, Catalog, Purl, Warning};

use super::installed;
use crate::cataloger::{Cataloger, File, Select};
use crate::evidence::{file_name, folder_of};

pub(super) const PLUGIN: PythonDist = PythonDist {
    selects: &[
        Select::Suffix(".dist-info/METADATA"),
        Select::Name("PKG-INFO"),
        Select::Named("", ".egg-info"),
    ],
};

/// Core metadata of Python packages (PEP 566, PEP 376).
pub(super) struct PythonDist {
    selects: &'static [Select],
}

impl Cataloger for PythonDist {
    fn name(&self) -> &'static str {
        "python_dist"
    }

    fn selects(&self) -> &'static [Select] {
        self.selects
    }

    fn catalog(&self, file: &File<'_>, out: &mut Catalog) {
        let text = String::from_utf8_lossy(file.bytes);
        // The description follows the first empty line and may hold anything.
        let headers = || text.lines().take_while(|line| !line.trim().is_empty());
        let field = |key: &str| {
            headers().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(key).then_some(value.trim())
            })
        };
        let (name, version) = (field("Name"), field("Version"));
        if file_name(file.path) == "PKG-INFO" && !is_in_egg(file.path) {
            // The folder of a source distribution is called by what is in it.
            let folder = file_name(folder_of(file.path).trim_end_matches('/'));
            let both = format!("{}-{}", name.unwrap_or_default(), version.unwrap_or_default());
            if normalise(&both) != normalise(folder) {
                return;
            }
        }
        match (name, version) {
            (Some(name), Some(version)) if !normalise(name).is_empty() && !version.is_empty() => {
                let purl = Purl::new("pypi", "", &normalise(name), version);
                out.push(installed(purl, file, Basis::InstalledMetadata));
            }
            _ => {
                let message = "no Name and Version in the header";
                out.warn(Warning::new("python-bad-metadata", file.path, message));
            }
        }
    }
}

/// Whether a file is in the metadata of an installed package.
fn is_in_egg(path: &str) -> bool {
    let folder = folder_of(path).trim_end_matches('/');
    folder.ends_with(".egg-info") || file_name(folder) == "EGG-INFO"
}

/// The name as indexes compare it (PEP 503): lower case, runs of `-`, `_` and `.` are one `-`.
pub(super) fn normalise(name: &str) -> String {
    let lower = name.to_lowercase();
    let parts = lower.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}
