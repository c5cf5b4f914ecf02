//! What a cataloger hands back, in a bounded amount of memory.

use crate::{Component, FlawCode, Purl, Warning};

/// Bytes that the findings of one file may take, and what is held to find them, unless the scan
/// grants more ([`Catalog::with_room`]). Files of 32 KiB can name millions of components.
pub const CATALOG_BYTES_MAX: usize = 24 << 20;

/// Warnings of one file that are kept; of the others their number is told.
pub const CATALOG_WARNINGS_MAX: usize = 1_000;

/// Bytes that a value in memory of its own costs besides its bytes.
const VALUE_BYTES: usize = 16;

/// What a cataloger found in one file. Everything that it keeps takes room; when there is none
/// left, the rest is let go and [`Self::is_cut`] says so. So no cataloger needs a limit of its own
/// for what it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    components: Vec<Component>,
    warnings: Vec<Warning>,
    owned: Vec<Owned>,
    /// It is code that does not say what is in it.
    pub unlisted: Option<FlawCode>,
    /// What it is among the files of a program of .NET.
    pub dotnet: Option<Dotnet>,
    /// Bytes that are left.
    room: usize,
    /// Warnings that were not kept.
    more_warnings: u64,
    is_cut: bool,
}

/// What a file is among those of a program of .NET.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dotnet {
    /// An assembly: which package it is of, it does not say.
    Assembly,
    /// It names all packages of the assemblies beside and below it.
    Packages,
}

/// The files that one package of the operating system installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The package, as its database names it: without distribution, and without version where the
    /// list of files has none.
    pub owner: Purl,
    /// Paths in the root file system, with or without a leading `/`.
    pub paths: Vec<String>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self::with_room(CATALOG_BYTES_MAX)
    }
}

impl Catalog {
    /// Nothing was found so far, and this many bytes may be kept.
    pub fn with_room(room: usize) -> Self {
        let (components, warnings, owned) = (Vec::new(), Vec::new(), Vec::new());
        let (more_warnings, is_cut) = (0, false);
        let (unlisted, dotnet) = (None, None);
        Self { components, warnings, owned, unlisted, dotnet, room, more_warnings, is_cut }
    }

    /// Keeps a component.
    pub fn push(&mut self, component: Component) {
        if self.takes(bytes_of(&component)) {
            self.components.push(component);
        }
    }

    /// Keeps what could not be used; more than [`CATALOG_WARNINGS_MAX`] are counted.
    pub fn warn(&mut self, warning: Warning) {
        let texts = warning.evidence.len() + warning.message.len();
        if self.warnings.len() == CATALOG_WARNINGS_MAX {
            self.more_warnings += 1;
        } else if self.takes(size_of::<Warning>() + 2 * VALUE_BYTES + texts) {
            self.warnings.push(warning);
        }
    }

    /// Keeps which files a package installed.
    pub fn own(&mut self, owner: Purl, paths: impl IntoIterator<Item = String>) {
        let mut owned = Owned { owner, paths: Vec::new() };
        if !self.takes(size_of::<Owned>() + purl_bytes(&owned.owner)) {
            return;
        }
        for path in paths {
            if !self.takes(size_of::<String>() + VALUE_BYTES + path.len()) {
                break;
            }
            owned.paths.push(path);
        }
        self.owned.push(owned);
    }

    /// Bytes that are left.
    pub const fn room(&self) -> usize {
        self.room
    }

    /// Whether a cataloger may hold so many bytes while it reads; if not, it is to let the file go,
    /// and [`Self::is_cut`] is true.
    pub fn may_hold(&mut self, bytes: usize) -> bool {
        self.is_cut |= bytes > self.room;
        bytes <= self.room
    }

    fn takes(&mut self, bytes: usize) -> bool {
        let may = self.may_hold(bytes);
        if may {
            self.room -= bytes;
        }
        may
    }

    /// Something was let go for lack of room: what is here is not all that the file holds.
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Sorts the components and drops doubles.
    pub fn sort(&mut self) {
        self.components.sort();
        self.components.dedup();
    }

    /// The components found.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The components found, to be changed.
    pub fn components_mut(&mut self) -> &mut [Component] {
        &mut self.components
    }

    /// What could not be used, as far as it is kept.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Which files packages of the operating system installed.
    pub fn owned(&self) -> &[Owned] {
        &self.owned
    }

    /// Components, warnings and owned files; the last warning tells of those that were not kept.
    pub fn into_parts(self) -> (Vec<Component>, Vec<Warning>, Vec<Owned>) {
        let Self { components, mut warnings, owned, more_warnings, .. } = self;
        if let Some(last) = warnings.last().filter(|_| more_warnings > 0) {
            let message = format!("and {more_warnings} more");
            warnings.push(Warning::new(last.code, last.evidence.clone(), message));
        }
        (components, warnings, owned)
    }
}

/// Bytes that a component takes, about.
fn bytes_of(component: &Component) -> usize {
    let Component { purl, evidence, also, candidates, removed, hashes, in_use, .. } = component;
    let lists = also.len() + candidates.len() + removed.len() + hashes.len() + in_use.len();
    size_of::<Component>() + VALUE_BYTES + evidence.len() + purl_bytes(purl) + 64 * lists
}

/// Bytes that a purl takes beside itself, about.
fn purl_bytes(purl: &Purl) -> usize {
    let Purl { kind, namespace, name, version, qualifiers } = purl;
    let parts = kind.len() + namespace.len() + name.len() + version.len() + 4 * VALUE_BYTES;
    let pair = |(key, value): &(String, String)| {
        size_of::<(String, String)>() + 2 * VALUE_BYTES + key.len() + value.len()
    };
    parts + qualifiers.iter().map(pair).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Basis, Scope};

    fn component(evidence: &str) -> Component {
        Component::new(Purl::new("npm", "", "a", "1"), evidence, Basis::LockFile, Scope::Declared)
    }

    #[test]
    fn what_does_not_fit_is_let_go_and_told() {
        let one = bytes_of(&component("p"));
        let mut catalog = Catalog::with_room(2 * one);
        catalog.push(component("p"));
        catalog.push(component("p"));
        assert!(!catalog.is_cut());
        catalog.push(component("p"));
        assert!(catalog.is_cut());
        assert_eq!(catalog.components().len(), 2);
        // Long texts take more room than short ones.
        let mut catalog = Catalog::with_room(2 * one);
        catalog.push(component(&"p".repeat(2 * one)));
        assert!(catalog.is_cut() && catalog.components().is_empty());
        catalog.push(component("p"));
        assert_eq!(catalog.components().len(), 1, "what fits is found all the same");
    }

    #[test]
    fn warnings_are_kept_up_to_a_number_and_counted_beyond() {
        let mut catalog = Catalog::default();
        for number in 0..CATALOG_WARNINGS_MAX + 7 {
            catalog.warn(Warning::new("bad", "p", format!("{number}")));
        }
        assert!(!catalog.is_cut(), "the first of them make the file flawed");
        let (_, warnings, _) = catalog.into_parts();
        assert_eq!(warnings.len(), CATALOG_WARNINGS_MAX + 1);
        assert_eq!(warnings.last().unwrap().message, "and 7 more");
        let mut catalog = Catalog::with_room(100);
        catalog.warn(Warning::new("bad", "p".repeat(100), ""));
        assert!(catalog.is_cut() && catalog.warnings().is_empty());
    }

    #[test]
    fn paths_of_a_package_take_room_one_by_one() {
        let mut catalog = Catalog::with_room(10_000);
        catalog.own(Purl::new("rpm", "", "a", "1"), (0..).map(|at| format!("/usr/{at}")));
        assert!(catalog.is_cut());
        assert!((50..250).contains(&catalog.owned()[0].paths.len()));
        assert!(!catalog.may_hold(10_000));
    }
}
