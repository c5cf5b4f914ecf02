//! What builds of Gradle, sbt and Maven resolved: `gradle.lockfile` and its like.

use relight_model::{Catalog, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// Lock files of the builds of Java programs (Gradle "dependency locking", sbt-dependency-lock,
/// maven-lockfile).
pub(super) const PLUGIN: Reader = Reader {
    name: "jvm_lock",
    selects: &[
        Select::Named("", "gradle.lockfile"),
        Select::Name("build.sbt.lock"),
        Select::Name("lockfile.json"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    if file_name(file.path).ends_with("gradle.lockfile") {
        return gradle(file, out);
    }
    let Some(lock) = reader::json(file, reader::LOCK, out) else { return };
    let Some(first) = lock.get("dependencies").and_then(Value::as_array) else {
        // Other programs have a `lockfile.json` too.
        return;
    };
    let mut pending: Vec<&Value> = first.iter().collect();
    while let Some(item) = pending.pop() {
        let group = [reader::string(item, "groupId"), reader::string(item, "org")].concat();
        let name = [reader::string(item, "artifactId"), reader::string(item, "name")].concat();
        if !group.is_empty() && !name.is_empty() {
            let version = reader::plain_version(reader::string(item, "version"));
            reader::declared(file, Purl::new("maven", &group, &name, version), out);
        }
        let children = item.get("children").and_then(Value::as_array);
        pending.extend(children.into_iter().flatten());
    }
}

/// `group:artifact:version=configuration,configuration`.
fn gradle(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for line in lines.filter(|line| !line.starts_with("empty=")) {
        let coordinate = line.split('=').next().unwrap_or_default();
        let parts: Vec<&str> = coordinate.splitn(4, ':').collect();
        match parts[..] {
            [group, name, version] if !group.is_empty() && !name.is_empty() => {
                let version = reader::plain_version(version);
                reader::declared(file, Purl::new("maven", group, name, version), out);
            }
            _ => reader::bad(file, reader::LOCK, "a line without group, name and version", out),
        }
    }
}
