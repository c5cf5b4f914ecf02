//! Plain releases, releases under foreign extensions, and releases with foreign names.
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::builder::{Builder, Done, Truth, write};
use super::material::DISPUTED;
use super::zip::{self, Member};
use crate::process;

/// Each release as it was published.
pub(super) fn plain(b: &mut Builder) -> Done {
    for version in b.material.versions() {
        let truth = match version.as_str() {
            DISPUTED => Truth::NotScored,
            known if b.material.safe.iter().any(|safe| safe == known) => Truth::Safe,
            _ => Truth::Vulnerable,
        };
        let (jar, file) = (b.jar(&version)?, format!("lib/log4j-core-{version}.jar"));
        b.one(truth, [&version, &file, &version, "as published"], &jar)?;
    }
    Ok(())
}

/// What programs call a zip archive, and three that nothing calls so.
const EXTENSIONS: [&str; 17] = [
    "war", "ear", "aar", "nar", "hpi", "jpi", "kar", "sar", "par", "rar", "lpkg", "apk", "zip",
    "vsix", "bin", "dat", "tmp",
];

/// A release within an archive of each kind, under each kind's name.
pub(super) fn extensions(b: &mut Builder) -> Done {
    for extension in EXTENSIONS {
        let version = b.vulnerable_version();
        let inner = [Member::stored("lib/log4j-core.jar", &b.jar(&version)?)];
        let file = format!("application.{extension}");
        let note = "the release in an archive of this extension";
        b.one(Truth::Vulnerable, [extension, &file, &version, note], &zip::archive(&inner))?;
    }
    let version = b.vulnerable_version();
    let mut module = b"JM\x01\x00".to_vec();
    module.extend(b.jar(&version)?);
    let note = "a jmod head before the release";
    b.one(Truth::Vulnerable, ["jmod", "m.jmod", &version, note], &module)?;
    for extension in ["war", "dat", "zip"] {
        let version = b.safe_version();
        let (name, file) = (format!("safe-{extension}"), format!("application.{extension}"));
        let jar = b.jar(&version)?;
        b.one(Truth::Safe, [&name, &file, &version, "renamed whole"], &jar)?;
    }
    Ok(())
}

/// Names that say nothing or something wrong: sample, file name.
const NAMES: [(&str, &str); 10] = [
    ("other-library", "guava-31.0.1-jre.jar"),
    ("safe-version", "log4j-core-2.17.1.jar"),
    ("no-version", "log4j.jar"),
    ("no-extension", "application"),
    ("hidden", ".cache"),
    ("text", "notes.txt"),
    ("picture", "logo.png"),
    ("upper-case", "LOG4J~1.JAR"),
    ("control", "a\nb\tc\u{1b}[31m.jar"),
    ("marks", "50%!/#2 \"quoted\".jar"),
];

/// Releases under foreign names.
pub(super) fn renames(b: &mut Builder) -> Done {
    for (name, file) in NAMES {
        let version = b.vulnerable_version();
        let jar = b.jar(&version)?;
        b.one(Truth::Vulnerable, [name, file, &version, "renamed"], &jar)?;
    }
    let version = b.vulnerable_version();
    let folder = b.sample(Truth::Vulnerable, "not-utf-8", &version, "a name that is not UTF-8")?;
    let file = OsString::from_vec(b"r\xe9sum\xe9.jar".to_vec());
    write(&folder.join(file), &b.jar(&version)?)?;
    b.attempt("long-path", long_path);
    for (name, file) in [("safe-as-vulnerable", "log4j-core-2.14.1.jar"), ("safe-text", "a.txt")] {
        let version = b.safe_version();
        let jar = b.jar(&version)?;
        b.one(Truth::Safe, [name, file, &version, "a safe release under another name"], &jar)?;
    }
    Ok(())
}

/// A path longer than the system takes in one piece; made by going down step by step.
fn long_path(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let folder = b.sample(Truth::Vulnerable, "long-path", &version, "a path over PATH_MAX")?;
    let jar = b.material.path(&version)?.canonicalize().map_err(|e| e.to_string())?;
    let script = "name=$(printf 'd%.0s' $(seq 200)); for step in $(seq 25); do \
        mkdir \"$name\" && cd -P \"./$name\" || exit 1; done; cat \"$1\" > a.jar";
    process::output(&folder, "bash", &["-c", script, "bash", &jar.to_string_lossy()]).map(drop)
}
