//! The releases of log4j-core that the samples are made of.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::real;
use crate::process;

/// Releases with CVE-2021-44228, by the CVE record.
const VULNERABLE: [&str; 17] = [
    "2.0-beta9",
    "2.1",
    "2.2",
    "2.3",
    "2.4",
    "2.4.1",
    "2.9.1",
    "2.10.0",
    "2.11.0",
    "2.11.2",
    "2.12.0",
    "2.12.1",
    "2.13.0",
    "2.13.2",
    "2.13.3",
    "2.14.0",
    "2.14.1",
];
/// Releases without it.
const SAFE: [&str; 9] =
    ["2.0-beta2", "2.3.1", "2.3.2", "2.12.2", "2.12.3", "2.12.4", "2.16.0", "2.17.0", "2.17.1"];
/// The release about which sources disagree.
pub(crate) const DISPUTED: &str = "2.15.0";

/// The releases at hand.
#[derive(Debug, Default)]
pub(crate) struct Material {
    jars: BTreeMap<String, PathBuf>,
    /// Those with the flaw, oldest first.
    pub vulnerable: Vec<String>,
    /// Those without, oldest first.
    pub safe: Vec<String>,
}

impl Material {
    /// Takes the releases from the folder of official jars when it is there, otherwise from
    /// published packages.
    ///
    /// # Errors
    /// When neither gives a vulnerable and a safe one.
    pub(crate) fn gather(repository: &Path, work: &Path) -> Result<Self, String> {
        let official = repository.join("../shared/data/jars");
        let mut material = Self::of(&official);
        if material.vulnerable.is_empty() || material.safe.is_empty() {
            material = Self::of(&published(work)?);
        }
        if material.vulnerable.is_empty() || material.safe.is_empty() {
            return Err("no release of log4j-core to make samples of".into());
        }
        Ok(material)
    }

    /// The releases in a folder of `log4j-core-VERSION.jar`.
    fn of(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut material = Self::default();
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let version = name.strip_prefix("log4j-core-").and_then(|n| n.strip_suffix(".jar"));
            if let Some(version) = version {
                material.jars.insert(version.to_owned(), path);
            }
        }
        let at_hand = |versions: &[&str]| {
            let known = versions.iter().filter(|version| material.jars.contains_key(**version));
            known.map(|version| (*version).to_owned()).collect()
        };
        let (vulnerable, safe) = (at_hand(&VULNERABLE), at_hand(&SAFE));
        Self { vulnerable, safe, ..material }
    }

    /// Every release at hand.
    pub(crate) fn versions(&self) -> Vec<String> {
        self.jars.keys().cloned().collect()
    }

    /// Where a release is.
    pub(crate) fn path(&self, version: &str) -> Result<&Path, String> {
        let path = self.jars.get(version).map(PathBuf::as_path);
        path.ok_or_else(|| format!("log4j-core {version} is not at hand"))
    }

    /// The bytes of a release.
    pub(crate) fn jar(&self, version: &str) -> Result<Vec<u8>, String> {
        super::builder::read(self.path(version)?)
    }

    /// The newest vulnerable release at hand.
    pub(crate) fn newest_vulnerable(&self) -> String {
        self.vulnerable.last().cloned().unwrap_or_default()
    }

    /// The newest safe release at hand.
    pub(crate) fn newest_safe(&self) -> String {
        self.safe.last().cloned().unwrap_or_default()
    }
}

/// Copies the releases that published packages carry into one folder.
fn published(work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("published");
    super::builder::empty(&folder)?;
    for package in real::PACKAGES.iter().filter(|package| !package.carries.is_empty()) {
        let unpacked = real::unpacked(package, work)?;
        let script = "find \"$1\" -name 'log4j-core-*.jar' -exec cp {} . \\;";
        let unpacked = unpacked.to_string_lossy();
        process::output(&folder, "sh", &["-c", script, "sh", &unpacked])?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_taken_by_name_and_nothing_else_is() {
        let folder = std::env::temp_dir().join(format!("corpus-material-{}", std::process::id()));
        for name in ["log4j-core-2.14.1.jar", "log4j-core-2.17.1.jar", "log4j-api-2.14.1.jar"] {
            super::super::builder::write(&folder.join(name), name.as_bytes()).unwrap();
        }
        let material = Material::of(&folder);
        let read = material.jar("2.14.1");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(material.versions(), ["2.14.1", "2.17.1"]);
        assert_eq!(
            (material.newest_vulnerable(), material.newest_safe()),
            ("2.14.1".into(), "2.17.1".into())
        );
        assert_eq!(read, Ok(b"log4j-core-2.14.1.jar".to_vec()));
        assert!(material.jar("2.15.0").unwrap_err().contains("2.15.0 is not at hand"));
    }

    #[test]
    fn no_release_is_both() {
        assert!(VULNERABLE.iter().all(|version| !SAFE.contains(version) && *version != DISPUTED));
    }
}
