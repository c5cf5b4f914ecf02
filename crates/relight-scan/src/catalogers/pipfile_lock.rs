//! Lock files of Pipenv: `Pipfile.lock`.

use relight_model::{Catalog, Purl};
use serde_json::Value;

use super::python_dist::normalise;
use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Groups of packages by name, each with `version: "==1.0"`.
pub(super) const PLUGIN: Reader =
    Reader { name: "pipfile_lock", selects: &[Select::Name("Pipfile.lock")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(lock) = reader::json(file, reader::LOCK, out) else { return };
    let Some(groups) = lock.as_object().filter(|groups| groups.contains_key("_meta")) else {
        return reader::bad(file, reader::LOCK, "no _meta", out);
    };
    for (_, group) in groups.iter().filter(|(name, _)| *name != "_meta") {
        for (name, package) in group.as_object().into_iter().flatten() {
            let version = package.get("version").and_then(Value::as_str).unwrap_or_default();
            let version = reader::plain_version(version.trim_start_matches('='));
            reader::declared(file, Purl::new("pypi", "", &normalise(name), version), out);
        }
    }
}
