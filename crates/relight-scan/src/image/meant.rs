//! What symbolic links of lower layers mean: where an upper layer replaces or hides their file, or
//! anything on the way to it, they no longer mean what was read under their names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Links whose names say something, and the places that decide what is found under these.
#[derive(Debug, Default)]
pub(super) struct Meant {
    places: BTreeMap<String, Vec<String>>,
    links: BTreeMap<String, BTreeSet<String>>,
}

impl Meant {
    /// What a link means hangs on these places.
    pub(super) fn insert(&mut self, link: String, places: Vec<String>) {
        self.remove(&link);
        for place in &places {
            self.links.entry(place.clone()).or_default().insert(link.clone());
        }
        self.places.insert(link, places);
    }

    /// A link is hidden.
    pub(super) fn remove(&mut self, link: &str) {
        for place in self.places.remove(link).unwrap_or_default() {
            if let Some(links) = self.links.get_mut(&place) {
                links.remove(link);
                if links.is_empty() {
                    self.links.remove(&place);
                }
            }
        }
    }

    /// Something at this place is hidden: the links whose meaning hung on it.
    pub(super) fn take(&mut self, place: &str) -> BTreeSet<String> {
        let links = self.links.get(place).cloned().unwrap_or_default();
        links.iter().for_each(|link| self.remove(link));
        links
    }

    /// The links and the places that start like this.
    pub(super) fn starting<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a String> {
        let from = (Bound::Included(start), Bound::Unbounded);
        let links = self.places.range::<str, _>(from).map(|(link, _)| link);
        let places = self.links.range::<str, _>(from).map(|(place, _)| place);
        let is_meant = move |name: &&String| name.starts_with(start);
        links.take_while(is_meant).chain(places.take_while(is_meant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn links_go_with_each_of_their_places_and_alone() {
        let mut meant = Meant::default();
        for (link, places) in [
            ("a", &["x"][..]),
            ("b", &["w", "x"]),
            ("c", &["y"]),
            ("d/e", &["d/x", "y"]),
            ("b", &["w", "y"]),
        ] {
            meant.insert(link.to_owned(), names(places));
        }
        let starting: Vec<_> = meant.starting("d/").cloned().collect();
        assert_eq!(starting, ["d/e", "d/x"]);
        meant.remove("c");
        meant.remove("nothing");
        assert_eq!(meant.take("x"), BTreeSet::from(["a".to_owned()]));
        assert_eq!(meant.take("w"), BTreeSet::from(["b".to_owned()]));
        assert_eq!(meant.take("y"), BTreeSet::from(["d/e".to_owned()]));
        assert!(meant.take("y").is_empty() && meant.places.is_empty() && meant.links.is_empty());
    }
}
