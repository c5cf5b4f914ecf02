//! What symbolic links of lower layers mean: where an upper layer replaces or hides their file, or
//! anything on the way to it, they no longer mean what was read under their names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// Bytes that a link, and each place with its links, takes beside its name.
const NAME_BYTES: usize = 256;

/// Links whose names say something, and the places that decide what is found under these. Each
/// name is held once, however many links lead over it and however many places a link hangs on.
#[derive(Debug, Default)]
pub(super) struct Meant {
    places: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    links: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    bytes: usize,
}

/// The bytes that are held of a link, at most.
pub(super) fn bytes_of<T: AsRef<str>>(link: &str, places: &[T]) -> usize {
    let places = places.iter().map(|place| NAME_BYTES + place.as_ref().len());
    NAME_BYTES + link.len() + places.sum::<usize>()
}

impl Meant {
    /// The bytes that are held, at most.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What a link means hangs on these places.
    pub(super) fn insert(&mut self, link: &str, places: &[String]) {
        self.remove(link);
        self.bytes += bytes_of(link, places);
        let link: Arc<str> = Arc::from(link);
        let mut held = Vec::with_capacity(places.len());
        for place in places {
            let known = self.links.get_key_value(place.as_str());
            let place = known.map_or_else(|| Arc::from(place.as_str()), |it| Arc::clone(it.0));
            self.links.entry(Arc::clone(&place)).or_default().insert(Arc::clone(&link));
            held.push(place);
        }
        self.places.insert(link, held);
    }

    /// A link is hidden.
    pub(super) fn remove(&mut self, link: &str) {
        let Some(places) = self.places.remove(link) else { return };
        self.bytes -= bytes_of(link, &places);
        for place in places {
            if let Some(links) = self.links.get_mut(&place) {
                links.remove(link);
                if links.is_empty() {
                    self.links.remove(&place);
                }
            }
        }
    }

    /// Something at this place is hidden: the links whose meaning hung on it.
    pub(super) fn take(&mut self, place: &str) -> BTreeSet<Arc<str>> {
        let links = self.links.get(place).cloned().unwrap_or_default();
        links.iter().for_each(|link| self.remove(link));
        links
    }

    /// The links and the places that start like this.
    pub(super) fn starting<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        let from = (Bound::Included(start), Bound::Unbounded);
        let links = self.places.range::<str, _>(from).map(|(link, _)| link.as_ref());
        let places = self.links.range::<str, _>(from).map(|(place, _)| place.as_ref());
        let is_meant = move |name: &&str| name.starts_with(start);
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
            meant.insert(link, &names(places));
        }
        let starting: Vec<_> = meant.starting("d/").collect();
        assert_eq!(starting, ["d/e", "d/x"]);
        meant.remove("c");
        meant.remove("nothing");
        assert_eq!(meant.take("x"), BTreeSet::from([Arc::from("a")]));
        assert_eq!(meant.take("w"), BTreeSet::from([Arc::from("b")]));
        assert_eq!(meant.take("y"), BTreeSet::from([Arc::from("d/e")]));
        assert!(meant.take("y").is_empty() && meant.places.is_empty() && meant.links.is_empty());
        assert_eq!(meant.bytes(), 0, "what is hidden is held no more");
    }
}
