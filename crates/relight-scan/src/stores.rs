//! Stores of packages whose paths say what they are: those of Nix and Guix.

use std::collections::HashSet;

use relight_model::{Basis, Component, Purl};

/// The types of their purls.
pub(crate) const NIX: &str = "nix";
const GUIX: &str = "guix";

/// Where they are, in a root.
const STORES: [(&str, &str); 2] = [("nix/store/", NIX), ("gnu/store/", GUIX)];

/// Where the database of Nix is, beside its store.
const DATABASE: &str = "nix/var/nix/db/";

/// A package of a store.
pub(crate) struct Stored<'a> {
    /// What the store is in.
    root: &'a str,
    /// Its folder.
    pub(crate) place: &'a str,
    /// The type of its purl.
    pub(crate) kind: &'static str,
}

/// The package whose folder something is in.
pub(crate) fn place_of(path: &str) -> Option<Stored<'_>> {
    let found = STORES.into_iter().find_map(|(store, kind)| {
        let at = path.rfind(store)?;
        let root = &path[..at];
        let inside = &path[at + store.len()..];
        // What is in an archive of a store is of nobody's package.
        let len = inside.find('/').filter(|len| *len > 0 && !inside.contains("!/"))?;
        let place = &path[..at + store.len() + len];
        Some(Stored { root, place, kind })
    });
    found.filter(|it| it.root.is_empty() || it.root.ends_with('/'))
}

/// Tells each package that programs in its folder named once, at that folder; not at all where the
/// database of its store has it.
pub(crate) fn join(mut components: Vec<Component>) -> Vec<Component> {
    let is_stored = |it: &Component| [NIX, GUIX].contains(&it.purl.kind.as_str());
    let listed: HashSet<(String, Purl)> = components
        .iter()
        .filter(|it| is_stored(it) && it.basis == Basis::PackageDatabase)
        .filter_map(|it| {
            let root = &it.evidence[..it.evidence.rfind(DATABASE)?];
            Some((root.to_owned(), it.purl.clone()))
        })
        .collect();
    let mut told = HashSet::new();
    components.retain_mut(|it| {
        if !is_stored(it) || it.basis != Basis::PathString {
            return true;
        }
        let Some(stored) = place_of(&it.evidence) else { return true };
        let key = (stored.root.to_owned(), it.purl.clone());
        let place = stored.place.to_owned();
        if listed.contains(&key) {
            return false;
        }
        it.evidence.clone_from(&place);
        told.insert((place, it.purl.clone()))
    });
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_stores_are_told_by_their_folders() {
        let of = |path| place_of(path).map(|it| (it.root, it.place, it.kind));
        let inside = "i.tar!/nix/store/HASH-a-1/lib/x.so";
        assert_eq!(of(inside), Some(("i.tar!/", "i.tar!/nix/store/HASH-a-1", NIX)));
        let guix = "gnu/store/HASH-a-1/bin/a";
        assert_eq!(of(guix), Some(("", "gnu/store/HASH-a-1", GUIX)));
        for path in [
            "unix/store/a/b",
            "nix/store/a",
            "nix/store//a",
            "nix/stores/a/b",
            "nix/store/a/b.zip!/c",
            "",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
