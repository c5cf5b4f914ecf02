//! A component: one package in one place, and how we know.

use crate::{Digest, Purl};

/// How a component was recognised, strongest first (a design rule of the scanner: the bytes on the
/// machine outrank what a file says about itself, which outranks what a file is called).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// SHA-256 of the whole archive, known from where the library is published.
    ArchiveDigest,
    /// The code of its classes is that of one known version, wherever it was moved and whatever it
    /// is called now.
    FingerprintExact,
    /// CRC-32 and size of its members, as an archive's directory states them, are those of one
    /// known version. Check sums can be forged, so it never supports clear.
    CrcSet,
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
    /// Part of its code is that of a library, or all of it is that of no version we know: the
    /// version is one of [`Component::candidates`].
    FingerprintPartial,
    /// A class that advisories name is there, by its code, and too little else to tell the library:
    /// the version is one of [`Component::candidates`], and the flawed code is there if it is that
    /// of one of them.
    NamedClass,
    /// A text inside a program: a path that its compiler left there
    /// (`registry/src/…/NAME-VERSION/`), or the version that a library tells of itself.
    PathString,
    /// A lock file: declared, not seen installed.
    LockFile,
    /// Only the name of the file.
    FileName,
    /// A document somebody else wrote (an uploaded SBOM) that does not say how it knows.
    Document,
}

impl Basis {
    /// Every basis, strongest first.
    pub const ALL: [Self; 14] = [
        Self::ArchiveDigest,
        Self::FingerprintExact,
        Self::CrcSet,
        Self::PackageDatabase,
        Self::PomProperties,
        Self::InstalledMetadata,
        Self::Manifest,
        Self::ClassName,
        Self::FingerprintPartial,
        Self::NamedClass,
        Self::PathString,
        Self::LockFile,
        Self::FileName,
        Self::Document,
    ];

    /// The stable name used in documents (`pom-properties`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ArchiveDigest => "archive-digest",
            Self::FingerprintExact => "fingerprint-exact",
            Self::CrcSet => "crc-set",
            Self::PackageDatabase => "package-database",
            Self::PomProperties => "pom-properties",
            Self::InstalledMetadata => "installed-metadata",
            Self::Manifest => "manifest",
            Self::ClassName => "class-name",
            Self::FingerprintPartial => "fingerprint-partial",
            Self::NamedClass => "named-class",
            Self::PathString => "path-string",
            Self::LockFile => "lock-file",
            Self::FileName => "file-name",
            Self::Document => "document",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.as_str() == text)
    }

    /// How much it proves.
    pub const fn certainty(self) -> Certainty {
        match self {
            Self::ArchiveDigest | Self::FingerprintExact | Self::CrcSet => Certainty::Proven,
            Self::PackageDatabase
            | Self::PomProperties
            | Self::InstalledMetadata
            | Self::Manifest => Certainty::Recorded,
            Self::ClassName | Self::FingerprintPartial | Self::NamedClass | Self::PathString => {
                Certainty::Partial
            }
            Self::LockFile | Self::FileName | Self::Document => Certainty::Named,
        }
    }
}

/// How surely a component was recognised, surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Its own bytes are those of this version.
    Proven,
    /// Who built or installed it wrote so.
    Recorded,
    /// Some of its bytes are of this library; which version is open.
    Partial,
    /// Only called so, by a file name, a declaration or somebody else's document.
    Named,
}

impl Certainty {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Recorded => "recorded",
            Self::Partial => "partial",
            Self::Named => "named",
        }
    }
}

/// Whether the component was seen on the machine or only promised by a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Its own bytes or its installation record were seen.
    Installed,
    /// A lock file or a build document names it.
    Declared,
    /// As declared, and the same package is installed below the folder of the lock file: that one
    /// decides, in whatever version it is.
    Superseded,
    /// It took part in the build of a program and is no part of it (build scripts and macros in the
    /// audit data of a Rust program).
    Build,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Installed, Self::Declared, Self::Superseded, Self::Build];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Declared => "declared",
            Self::Superseded => "superseded",
            Self::Build => "build",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
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
    /// How it was recognised; the strongest way.
    pub basis: Basis,
    /// The weaker ways that say the same. Sorted, without doubles.
    pub also: Vec<Basis>,
    /// The versions that it may be, when the bytes do not tell which; the version of the purl is
    /// empty then. Affected only if all are ([`Basis::NamedClass`]: if one is), clear only if none
    /// is. In the order of versions.
    pub candidates: Vec<String>,
    /// Another claim about the same bytes says something else: renamed, patched without a new
    /// version, or metadata that was left behind.
    pub conflict: bool,
    /// Installed or only declared.
    pub scope: Scope,
    /// Classes that an advisory names and that this copy lacks (`…/JndiLookup`): a mitigation,
    /// never a clearance. Sorted.
    pub removed: Vec<String>,
    /// The package of the operating system that installed the file: its advisories apply as well,
    /// and its updates replace the file.
    pub owned_by: Option<Purl>,
    /// SHA-256 of the file or container at `evidence`, where it was computed. Sorted.
    pub hashes: Vec<Digest>,
    /// Who had the file open or mapped when a running host was scanned, one `UNIT USER` each.
    /// Sorted; empty when nobody had, and when nobody looked.
    pub in_use: Vec<String>,
}

impl Component {
    /// A component in a place, of which nothing else is known.
    pub fn new(purl: Purl, evidence: impl Into<String>, basis: Basis, scope: Scope) -> Self {
        Self {
            purl,
            evidence: evidence.into(),
            basis,
            also: Vec::new(),
            candidates: Vec::new(),
            conflict: false,
            scope,
            removed: Vec::new(),
            owned_by: None,
            hashes: Vec::new(),
            in_use: Vec::new(),
        }
    }

    /// Whether a lock file or a build document is all that names it. What a document of somebody
    /// else says is there is there, as far as anybody knows.
    pub fn is_only_declared(&self) -> bool {
        self.scope == Scope::Declared && self.basis != Basis::Document
    }

    /// What it is, without what is true of one place only.
    #[must_use]
    pub fn identity(self) -> Self {
        Self { evidence: String::new(), hashes: Vec::new(), in_use: Vec::new(), ..self }
    }
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
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::parse("test"), None);
    }

    #[test]
    fn what_the_bytes_say_is_surest() {
        let certainty = |text| Basis::parse(text).map(|basis| basis.certainty().as_str());
        assert_eq!(certainty("fingerprint-exact"), Some("proven"));
        assert_eq!(certainty("pom-properties"), Some("recorded"));
        assert_eq!(certainty("fingerprint-partial"), Some("partial"));
        assert_eq!(certainty("document"), Some("named"));
        let list: Vec<_> = Basis::ALL.iter().map(|basis| basis.certainty()).collect();
        assert_eq!((list[0], list[12]), (Certainty::Proven, Certainty::Named));
    }
}
