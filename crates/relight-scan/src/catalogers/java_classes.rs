//! Java code unpacked into folders: `pom.properties` and the classes that betray Log4j.

use relight_model::{Basis, Catalog, Component, Purl};

use super::java_archive::{LOG4J_GROUP, Lookup, installed_at, read_pom};
use crate::cataloger::{Cataloger, File, Select};

pub(super) const PLUGIN: JavaClasses = JavaClasses {
    selects: &[
        Select::Name("pom.properties"),
        Select::Name("JndiLookup.class"),
        Select::Name("JndiLookup.classdata"),
        Select::Name("JndiLookup.esclazz"),
    ],
};

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
        if let Some(lookup) = Lookup::of(file.path) {
            let purl = Purl::new("maven", LOG4J_GROUP, "log4j-core", "");
            out.components.push(installed_at(purl, &place(lookup.root()), Basis::ClassName));
        } else if let Some((root, _)) = file.path.split_once("META-INF/maven/") {
            match read_pom(file.path, file.bytes) {
                Ok(purl) => {
                    let found: Component = installed_at(purl, &place(root), Basis::PomProperties);
                    out.components.push(found);
                }
                Err(warning) => out.warnings.push(warning),
            }
        }
    }
}

/// A folder as a place; the root of the scan is `./`.
fn place(folder: &str) -> String {
    if folder.is_empty() { "./".to_owned() } else { folder.to_owned() }
}
