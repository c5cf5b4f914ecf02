//! Java code unpacked into folders: what `pom.properties` and the manifest say.

use relight_model::{Basis, Catalog, Component};

use super::java_archive::{Manifest, installed_at, read_pom};
use crate::cataloger::{Cataloger, File, Select};

pub(super) const PLUGIN: JavaClasses = JavaClasses {
    selects: &[Select::Name("pom.properties"), Select::Suffix("META-INF/MANIFEST.MF")],
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
        if file.is_listed {
            return; // In an archive of Java; its listing says more.
        }
        if let Some(root) = file.path.strip_suffix("META-INF/MANIFEST.MF") {
            let claim = Manifest::read(file.bytes).claim();
            let claim = claim.map(|purl| installed_at(purl, &place(root), Basis::Manifest));
            claim.into_iter().for_each(|claim| out.push(claim));
        } else if let Some((root, _)) = file.path.rsplit_once("META-INF/maven/") {
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

/// A folder as a place; the root of the scan is `./`, and that of an archive the archive.
fn place(folder: &str) -> String {
    match folder.strip_suffix("!/") {
        Some(archive) => archive.to_owned(),
        None if folder.is_empty() => "./".to_owned(),
        None => folder.to_owned(),
    }
}
