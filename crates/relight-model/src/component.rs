//! A component: one package in one place, and how we know.

use crate::{Purl, Warning};

/// How a component was recognised, strongest first (a design rule of the scanner: the bytes on the
/// machine outrank what a file says about itself, which outranks what a file is called).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A package manager's own record of what is installed (`/var/lib/dpkg/status`).
    PackageDatabase,
    /// `META-INF/maven/*/*/pom.properties` inside an archive.
    PomProperties,
    /// Metadata written at installation (`*.dist-info/METADATA`, `node_modules/*/package.json`).
    InstalledMetadata,
    /// `META-INF/MANIFEST.MF`.
    Manifest,
    /// A class whose name is known to belong to the package; says nothing about the version.
    ClassName,
    /// A lock file: declared, not seen installed.
    LockFile,
    /// Only the name of the file.
    FileName,
    /// A document somebody else wrote (an uploaded SBOM) that does not say how it knows.
    Document,
}

impl Basis {
    /// Every basis, strongest first.
    pub const ALL: [Self; 8] = [
        Self::PackageDatabase,
        Self::PomProperties,
        Self::InstalledMetadata,
        Self::Manifest,
        Self::ClassName,
        Self::LockFile,
        Self::FileName,
        Self::Document,
    ];

    /// The stable name used in documents (`pom-properties`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PackageDatabase => "package-database",
            Self::PomProperties => "pom-properties",
            Self::InstalledMetadata => "installed-metadata",
            Self::Manifest => "manifest",
            Self::ClassName => "class-name",
            Self::LockFile => "lock-file",
            Self::FileName => "file-name",
            Self::Document => "document",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.as_str() == text)
    }
}

/// Whether the component was seen on the machine or only promised by a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Its own bytes or its installation record were seen.
    Installed,
    /// A lock file or a build document names it.
    Declared,
}

/// One package in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Component {
    /// What it is. The version is empty when it is not known; the namespace of a Maven component
    /// is empty when no file names its group (no coordinate is invented).
    pub purl: Purl,
    /// Where, relative to the root of the scan; `!/` enters an archive:
    /// `app.war!/WEB-INF/lib/log4j-core-2.14.1.jar`.
    pub evidence: String,
    /// How it was recognised.
    pub basis: Basis,
    /// Installed or only declared.
    pub scope: Scope,
    /// Classes that an advisory names and that this copy lacks (`…/JndiLookup`): a mitigation,
    /// never a clearance. Sorted.
    pub removed: Vec<String>,
}

/// What a cataloger found in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The components found.
    pub components: Vec<Component>,
    /// What could not be used.
    pub warnings: Vec<Warning>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_names_are_unique_and_read_back() {
        for basis in Basis::ALL {
            assert_eq!(Basis::parse(basis.as_str()), Some(basis));
        }
        assert_eq!(Basis::parse("guess"), None);
    }
}
