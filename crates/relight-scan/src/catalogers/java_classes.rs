//! Java code unpacked into folders: what `pom.properties` says.

use relight_model::{Basis, Catalog, Component};

use super::java_archive::{installed_at, read_pom};
use crate::cataloger::{Cataloger, File, Select};

pub(super) const PLUGIN: JavaClasses = JavaClasses { selects: &[Select::Name("pom.properties")] };

/// The folder form of what [`super::java_archive`] reads in archives.
pub(super) struct JavaClasses {
    selects: &'static [Select],
}

impl Cataloger for JavaClasses {
    fn name(&self) -> &'static str {
        "java_classes"
    }

    fn selects(&self) -> &'static [Select] {
        self.selects
    }

    fn catalog(&self, file: &File<'_>, out: &mut Catalog) {
        if file.path.contains("!/") {
            return; // Inside an archive; its listing says more.
        }
        if let Some((root, _)) = file.path.split_once("META-INF/maven/") {
            match read_pom(file.path, file.bytes) {
                Ok(purl) => {
                    let found: Component = installed_at(purl, &place(root), Basis::PomProperties);
                    out.push(found);
                }
                Err(warning) => out.warn(warning),
            }
        }
    }
}

/// A folder as a place; the root of the scan is `./`.
fn place(folder: &str) -> String {
    if folder.is_empty() { "./".to_owned() } else { folder.to_owned() }
}
