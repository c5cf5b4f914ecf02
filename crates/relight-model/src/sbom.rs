//! An inventory of one asset: components, and what could not be read.

use crate::scopes::{Installed, may_stand_back};
use crate::{Component, Digest, Purl, Scope, UnknownReason};

/// Why some bytes of a target were not read. Any flaw makes the inventory incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlawCode {
    /// The operating system refused to open it.
    PermissionDenied,
    /// Reading failed.
    IoError,
    /// Encrypted; passwords are not tried.
    Encrypted,
    /// Nested deeper than the limit.
    LimitDepth,
    /// More entries than the limit.
    LimitEntries,
    /// Unpacks to more bytes than the limit.
    LimitExpanded,
    /// One member is larger than the limit.
    LimitEntrySize,
    /// A class file is larger than the limit.
    LimitClassSize,
    /// Took more time of the processor than the limit.
    LimitTime,
    /// Needs more working memory than the limit.
    LimitMemory,
    /// Its decoder wants a larger window than the limit.
    LimitWindow,
    /// Ends too early.
    Truncated,
    /// A member that cannot be unpacked or parsed.
    CorruptEntry,
    /// The check sum of a member is wrong; its bytes were looked at all the same.
    CrcMismatch,
    /// Members of an archive that share packed bytes.
    ZipOverlap,
    /// The two headers of a member disagree.
    ZipHeaderMismatch,
    /// Where a member of unknown size ends cannot be told.
    ZipBoundaryAmbiguous,
    /// A class file that does not parse.
    ClassMalformed,
    /// Its bytes are not those that its digest promises.
    DigestMismatch,
    /// An archive that contains itself.
    ArchiveLoop,
    /// A block of a fingerprint database cannot be read.
    DatabaseDamaged,
    /// Packed, written or linked in a way that we do not read.
    MethodUnsupported,
    /// A container that we recognise and do not open.
    ContainerUnsupported,
    /// An image of containers in a packed stream or in another archive: its layers cannot be read
    /// one above the other there.
    ImagePacked,
    /// A symbolic link to somewhere outside the target.
    LinkOutside,
    /// Left out by an option.
    ExcludedByOption,
    /// A file system that is left out unless it is named (network, user space).
    FileSystemExcluded,
    /// An image for another platform than the one that was chosen.
    PlatformNotChosen,
    /// Changed again while it was read a second time.
    ChangedDuringScan,
    /// Classes were not read, because the scan was a fast one: it finds, and it never clears.
    ClassesNotRead,
    /// Code that is recognised and cannot be looked into (classes of Android, a native image that
    /// does not say what is in it).
    CodeUnreadable,
    /// A Go program that does not say which modules it was built from.
    GoUnlisted,
    /// A Rust program that does not say which crates it was built from.
    RustUnlisted,
    /// Code of .NET whose packages nothing lists.
    DotnetUnlisted,
    /// A program of Node.js, Deno or Bun with its scripts in it, which are not read.
    NodeUnlisted,
    /// The root of a system whose packages nothing that we read lists.
    SystemUnlisted,
    /// The document we read says itself that it is not complete, or does not say.
    Undeclared,
}

impl FlawCode {
    /// Every code.
    pub const ALL: [Self; 37] = [
        Self::PermissionDenied,
        Self::IoError,
        Self::Encrypted,
        Self::LimitDepth,
        Self::LimitEntries,
        Self::LimitExpanded,
        Self::LimitEntrySize,
        Self::LimitClassSize,
        Self::LimitTime,
        Self::LimitMemory,
        Self::LimitWindow,
        Self::Truncated,
        Self::CorruptEntry,
        Self::CrcMismatch,
        Self::ZipOverlap,
        Self::ZipHeaderMismatch,
        Self::ZipBoundaryAmbiguous,
        Self::ClassMalformed,
        Self::DigestMismatch,
        Self::ArchiveLoop,
        Self::DatabaseDamaged,
        Self::MethodUnsupported,
        Self::ContainerUnsupported,
        Self::ImagePacked,
        Self::LinkOutside,
        Self::ExcludedByOption,
        Self::FileSystemExcluded,
        Self::PlatformNotChosen,
        Self::ChangedDuringScan,
        Self::ClassesNotRead,
        Self::CodeUnreadable,
        Self::GoUnlisted,
        Self::RustUnlisted,
        Self::DotnetUnlisted,
        Self::NodeUnlisted,
        Self::SystemUnlisted,
        Self::Undeclared,
    ];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PermissionDenied => "permission-denied",
            Self::IoError => "io-error",
            Self::Encrypted => "encrypted",
            Self::LimitDepth => "limit-depth",
            Self::LimitEntries => "limit-entries",
            Self::LimitExpanded => "limit-expanded",
            Self::LimitEntrySize => "limit-entry-size",
            Self::LimitClassSize => "limit-class-size",
            Self::LimitTime => "limit-time",
            Self::LimitMemory => "limit-memory",
            Self::LimitWindow => "limit-window",
            Self::Truncated => "truncated",
            Self::CorruptEntry => "corrupt-entry",
            Self::CrcMismatch => "crc-mismatch",
            Self::ZipOverlap => "zip-overlap",
            Self::ZipHeaderMismatch => "zip-header-mismatch",
            Self::ZipBoundaryAmbiguous => "zip-boundary-ambiguous",
            Self::ClassMalformed => "class-malformed",
            Self::DigestMismatch => "digest-mismatch",
            Self::ArchiveLoop => "archive-loop",
            Self::DatabaseDamaged => "database-damaged",
            Self::MethodUnsupported => "method-unsupported",
            Self::ContainerUnsupported => "container-unsupported",
            Self::ImagePacked => "image-packed",
            Self::LinkOutside => "link-outside",
            Self::ExcludedByOption => "excluded-by-option",
            Self::FileSystemExcluded => "file-system-excluded",
            Self::PlatformNotChosen => "platform-not-chosen",
            Self::ChangedDuringScan => "changed-during-scan",
            Self::ClassesNotRead => "classes-not-read",
            Self::CodeUnreadable => "code-unreadable",
            Self::GoUnlisted => "go-unlisted",
            Self::RustUnlisted => "rust-unlisted",
            Self::DotnetUnlisted => "dotnet-unlisted",
            Self::NodeUnlisted => "node-unlisted",
            Self::SystemUnlisted => "system-unlisted",
            Self::Undeclared => "undeclared",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The only packages that it can hide, by the types of their package URLs; `None` when it can
    /// hide anything.
    pub const fn hides(self) -> Option<&'static [&'static str]> {
        match self {
            Self::GoUnlisted => Some(&["golang"]),
            Self::RustUnlisted => Some(&["cargo"]),
            Self::DotnetUnlisted => Some(&["nuget"]),
            Self::NodeUnlisted => Some(&["npm"]),
            // What applications of Android and native images are made of, whatever the language: an
            // engine for scripts may be in both. What else is in them is read.
            Self::CodeUnreadable => Some(&["gem", "maven", "npm", "nuget", "pub", "pypi"]),
            Self::SystemUnlisted => Some(&["alpm", "apk", "deb", "ebuild", "opkg", "rpm"]),
            _ => None,
        }
    }

    /// What the flaw makes of a question that the unread bytes could have answered.
    pub const fn reason(self) -> UnknownReason {
        match self {
            Self::PermissionDenied | Self::IoError => UnknownReason::PartialPermission,
            Self::Encrypted => UnknownReason::PartialEncrypted,
            Self::LimitDepth
            | Self::LimitEntries
            | Self::LimitExpanded
            | Self::LimitEntrySize
            | Self::LimitClassSize
            | Self::LimitTime
            | Self::LimitMemory
            | Self::LimitWindow => UnknownReason::PartialLimit,
            Self::Truncated
            | Self::CorruptEntry
            | Self::CrcMismatch
            | Self::ZipOverlap
            | Self::ZipHeaderMismatch
            | Self::ZipBoundaryAmbiguous
            | Self::ClassMalformed
            | Self::DigestMismatch
            | Self::ArchiveLoop
            | Self::DatabaseDamaged => UnknownReason::PartialCorrupt,
            Self::MethodUnsupported
            | Self::ContainerUnsupported
            | Self::ImagePacked
            | Self::LinkOutside
            | Self::ExcludedByOption
            | Self::FileSystemExcluded
            | Self::PlatformNotChosen => UnknownReason::PartialExcluded,
            Self::ChangedDuringScan => UnknownReason::ChangedSince,
            Self::ClassesNotRead
            | Self::CodeUnreadable
            | Self::GoUnlisted
            | Self::RustUnlisted
            | Self::DotnetUnlisted
            | Self::NodeUnlisted
            | Self::SystemUnlisted => UnknownReason::NotObservable,
            Self::Undeclared => UnknownReason::DeclaredOnly,
        }
    }
}

/// One place that was not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flaw {
    /// Why.
    pub code: FlawCode,
    /// Where, in the form of [`Component::evidence`].
    pub evidence: String,
    /// How many bytes stayed unread, as far as that is known; 0 when it is not.
    pub bytes: u64,
}

/// The inventory of one asset at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sbom {
    /// Sorted by (purl, evidence); no doubles.
    pub components: Vec<Component>,
    /// Sorted; empty exactly when the inventory is complete.
    pub flaws: Vec<Flaw>,
    /// Digest of the artifact set that was read; `None` when the source does not say.
    pub artifact: Option<Digest>,
    /// What the one image of containers is known by that all of it was found in: the digests of its
    /// manifest and of the indexes that lead to it, or that of its configuration; or the image that
    /// a document of CycloneDX says that it is about. Sorted; empty where it is of no image, of
    /// several, or where a scan did not prove its bytes to be those of the digest.
    pub images: Vec<Purl>,
    /// Name and version of the tool that looked (`relight 0.1.0`).
    pub tool: String,
}

impl Sbom {
    /// Nothing stayed unread.
    pub fn is_complete(&self) -> bool {
        self.flaws.is_empty()
    }

    /// Sorts components and flaws and drops doubles, so that equal inventories are equal values.
    /// What says that it stands back, and nothing installed is in its place, is declared again.
    pub fn normalise(&mut self) {
        self.rank(|scope| scope == Scope::Superseded);
        self.sort();
    }

    /// Sorts and drops doubles as [`normalise`](Self::normalise) does, and believes every scope.
    pub fn sort(&mut self) {
        self.components.sort();
        self.components.dedup();
        self.flaws.sort();
        self.flaws.dedup();
        self.images.sort();
        self.images.dedup();
    }

    /// Declared or superseded, by what is installed below the lock file, and sorted: for whoever
    /// saw the places themselves, under their own names.
    pub fn rank_scopes(&mut self) {
        self.rank(|_| true);
        self.sort();
    }

    /// The same for those of these scopes.
    fn rank(&mut self, is_meant: impl Fn(Scope) -> bool) {
        let is_open = |it: &Component| may_stand_back(it) && is_meant(it.scope);
        if !self.components.iter().any(is_open) {
            return;
        }
        let installed = Installed::of(&self.components);
        let scope = |it: &Component| match () {
            () if !is_open(it) => it.scope,
            () if installed.has(it) => Scope::Superseded,
            () => Scope::Declared,
        };
        let scopes: Vec<_> = self.components.iter().map(scope).collect();
        for (component, scope) in self.components.iter_mut().zip(scopes) {
            component.scope = scope;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Basis;

    #[test]
    fn flaw_names_are_unique_and_read_back() {
        for code in FlawCode::ALL {
            assert_eq!(FlawCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(FlawCode::parse("fine"), None);
    }

    #[test]
    fn what_is_installed_decides_over_what_is_declared_by_its_name() {
        let of = |purl: &str, basis, scope| {
            let is_seen = scope == Scope::Installed;
            let place = if is_seen { "node_modules/a/package.json" } else { "package-lock.json" };
            Component::new(Purl::parse(purl).unwrap(), place, basis, scope)
        };
        let lock = |purl: &str| of(purl, Basis::LockFile, Scope::Declared);
        let seen = |purl: &str| of(purl, Basis::InstalledMetadata, Scope::Installed);
        let scopes = |components: Vec<Component>| {
            let mut sbom = Sbom { components, ..Sbom::default() };
            sbom.rank_scopes();
            sbom.normalise();
            let scopes = sbom.components.iter().map(|it| format!("{} {:?}", it.purl, it.scope));
            scopes.collect::<Vec<_>>()
        };
        let both = scopes(vec![lock("pkg:npm/a@1"), lock("pkg:npm/b@1"), seen("pkg:npm/a@2")]);
        let kept = "pkg:npm/b@1 Declared";
        assert_eq!(both, ["pkg:npm/a@1 Superseded", "pkg:npm/a@2 Installed", kept]);
        // Another type or namespace is another package, and what built a program is not there.
        for other in [
            seen("pkg:pypi/a@2"),
            seen("pkg:npm/%40x/a@2"),
            of("pkg:npm/a@2", Basis::PathString, Scope::Build),
            of("pkg:npm/a@2", Basis::Document, Scope::Declared),
        ] {
            let found = scopes(vec![lock("pkg:npm/a@1"), other.clone()]);
            assert!(found.contains(&"pkg:npm/a@1 Declared".to_owned()), "{other:?}: {found:?}");
        }
        // Somebody else's document does not say how it knows, and is taken at its word.
        let told = of("pkg:npm/a@1", Basis::Document, Scope::Declared);
        assert!(!told.is_only_declared());
        assert_eq!(scopes(vec![told, seen("pkg:npm/a@2")])[0], "pkg:npm/a@1 Declared");
        // Whoever says so without what is installed is not believed.
        let alone = of("pkg:npm/a@1", Basis::LockFile, Scope::Superseded);
        assert_eq!(scopes(vec![alone]), ["pkg:npm/a@1 Declared"]);
    }

    #[test]
    fn one_flaw_is_enough() {
        let flaw = Flaw { code: FlawCode::Truncated, evidence: "a.jar".into(), bytes: 7 };
        let mut sbom = Sbom { flaws: vec![flaw.clone(), flaw], ..Sbom::default() };
        sbom.normalise();
        assert_eq!(sbom.flaws.len(), 1);
        assert!(!sbom.is_complete());
    }
}
