//! Symbolic links of an archive or a layer, whose own name may say what that of their file does
//! not: where files are called by their digests (git-annex, stores of build tools), it is all.

use std::collections::BTreeMap;

use crate::evidence::{escape, names_of, unescape};

/// Links that are followed on the way to one file, as in a system (path_resolution(7)).
const FOLLOWED_MAX: usize = 40;

/// Bytes of links that are kept of one archive or layer.
const BYTES_MAX: usize = 8 << 20;

/// Bytes that a link takes beside its names.
const LINK_BYTES: usize = 96;

/// Each with what it says, which counts from its own folder.
#[derive(Default)]
pub(crate) struct Symbolic {
    targets: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    is_cut: bool,
}

/// The names of files, by the places of these.
pub(crate) type Names = BTreeMap<String, Vec<Vec<u8>>>;

/// What a link leads over.
struct Way {
    /// Other links and, as `x/..`, folders that are left again: whatever takes their place, the
    /// link means something else.
    places: Vec<String>,
    /// The file. None in a circle.
    file: Option<String>,
}

impl Symbolic {
    /// Keeps a link; false where there is no room for it.
    pub(super) fn insert(&mut self, place: String, target: &[u8]) -> bool {
        let bytes = LINK_BYTES + place.len() + target.len();
        self.is_cut |= self.bytes + bytes > BYTES_MAX;
        if !self.is_cut {
            self.bytes += bytes;
            self.targets.insert(place, target.to_vec());
        }
        !self.is_cut
    }

    /// Something else has this name.
    pub(super) fn remove(&mut self, place: &str) {
        self.targets.remove(place);
    }

    /// There were more than are kept: what stands behind those is not known.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The names that say something and mean files whose own names say nothing: under those they
    /// are not what they are under these. A file with a name of its own is found by that alone.
    pub(super) fn telling<'a>(
        &'a self,
        says: &dyn Fn(&str) -> bool,
        hard: impl Fn(&str) -> Option<&'a str>,
    ) -> Names {
        let mut telling = Names::new();
        for place in self.targets.keys().filter(|place| says(place)) {
            let file = self.way_of(place, &hard).file.filter(|file| !says(file));
            if let Some(file) = file {
                telling.entry(file).or_default().push(unescape(place));
            }
        }
        telling
    }

    /// The links whose names say something, each with the places that decide what is found under
    /// its name: those on its way, and its file, which is last. Where something on the way has a
    /// name of its own, what comes to be there or behind it is found by that.
    pub(super) fn ways<'a>(
        &'a self,
        says: &dyn Fn(&str) -> bool,
        hard: impl Fn(&str) -> Option<&'a str>,
    ) -> impl Iterator<Item = (String, Vec<String>)> {
        let telling = self.targets.keys().filter(move |place| says(place));
        telling.map(move |place| {
            let Way { mut places, file } = self.way_of(place, &hard);
            match file.filter(|file| !says(file)) {
                Some(file) => places.push(file),
                None => {
                    let unnamed = places.iter().take_while(|place| !says(place)).count();
                    places.truncate(unnamed);
                }
            }
            (place.clone(), places)
        })
    }

    /// What a name means, over links to files and folders, as somebody sees it for whom the
    /// archive is all: nothing leads out of it.
    fn way_of<'a>(&'a self, place: &str, hard: &impl Fn(&str) -> Option<&'a str>) -> Way {
        let names = |path: &[u8]| -> Vec<Vec<u8>> {
            path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect()
        };
        let (mut passed, mut ahead) = (Vec::<Vec<u8>>::new(), names(&unescape(place)));
        let (mut followed, mut places) = (0, Vec::new());
        while let Some(name) = ahead.pop() {
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    let left = format!("{}/", escape(&passed.join(&b'/')));
                    // What takes the place of a folder around the link takes that of the link.
                    if passed.pop().is_some() && !place.starts_with(&left) {
                        places.push(left + "..");
                    }
                }
                _ => passed.push(name),
            }
            let here = escape(&passed.join(&b'/'));
            let target = match self.targets.get(&here) {
                Some(target) => {
                    passed.pop();
                    if target.starts_with(b"/") {
                        passed.clear();
                    }
                    names(target)
                }
                None => match hard(&here).filter(|_| ahead.is_empty()) {
                    Some(target) => {
                        passed.clear();
                        names(&unescape(target))
                    }
                    None => continue,
                },
            };
            if here != place && !places.contains(&here) {
                places.push(here);
            }
            followed += 1;
            if followed > FOLLOWED_MAX {
                return Way { places, file: None };
            }
            ahead.extend(target);
        }
        let path = passed.join(&b'/');
        Way { places, file: (!names_of(&path).is_empty()).then(|| escape(&path)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(all: &[(&str, &str)]) -> Symbolic {
        let mut links = Symbolic::default();
        for (place, target) in all {
            assert!(links.insert((*place).to_owned(), target.as_bytes()));
        }
        links
    }

    /// Goal: a name means what a system would find. Method: links to files and folders, from the
    /// root and from their own folder, in circles and out of the archive.
    #[test]
    fn names_mean_files_over_links() {
        let links = links(&[
            ("app/known", "../store/a"),
            ("b/known", "/known-folder/a"),
            ("known-folder", "./c/../store"),
            ("c/known", "../b/known"),
            ("d/known", "../../../../store/a"),
            ("e", "known"),
            ("known", "e"),
            ("f/known", "hard"),
            ("g/known", "."),
            ("h/known", "../j/known-file"),
            ("%25/known", "a%"),
        ]);
        let hard = |place: &str| (place == "f/hard").then_some("c/known");
        let telling = links.telling(&|name| name.contains("known"), hard);
        let all = ["app", "b", "c", "d", "f"].map(|it| format!("{it}/known").into_bytes());
        let expected = Names::from([
            ("store/a".to_owned(), all.to_vec()),
            ("g".to_owned(), vec![b"g/known".to_vec()]),
            ("store".to_owned(), vec![b"known-folder".to_vec()]),
            ("%25/a%25".to_owned(), vec![b"%/known".to_vec()]),
        ]);
        assert_eq!(telling, expected);
    }

    /// Goal: what decides a link's meaning is known, whole where it is read under its name.
    /// Method: links over links and hard links, in a circle, to a name, and through folders.
    #[test]
    fn the_way_of_a_link_is_known() {
        let links = links(&[
            ("app/known", "../links/a"),
            ("b/known", "/hard"),
            ("c/known", "/links/known-too"),
            ("d/known", "/links/folder/../y"),
            ("e/known", "/plain"),
            ("known", "round"),
            ("links", "store"),
            ("plain", "store/known-file"),
            ("round", "known"),
            ("store/a", "b"),
            ("store/known-too", "b"),
        ]);
        let hard = |place: &str| (place == "hard").then_some("store/b");
        let ways: Vec<_> = links.ways(&|name| name.contains("known"), hard).collect();
        let shown = ways.iter().map(|(link, on)| format!("{link}: {}", on.join(" ")));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "app/known: links store/a store/b",
                "b/known: hard store/b",
                "c/known: links store/known-too store/b",
                "d/known: links store/folder/.. store/y",
                "e/known: plain",
                "known: round",
                "store/known-too: store/b",
            ]
        );
    }

    #[test]
    fn as_many_links_are_followed_as_in_a_system() {
        let mut links = Symbolic::default();
        for at in 0..=FOLLOWED_MAX {
            links.insert(format!("known{at:02}"), format!("known{:02}", at + 1).as_bytes());
        }
        links.insert(format!("known{:02}", FOLLOWED_MAX + 1), b"a");
        let telling = links.telling(&|name| name.contains("known"), |_| None);
        let first = telling["a"].first().unwrap();
        assert_eq!(first, b"known02", "behind forty links, and one more is too many");
    }

    #[test]
    fn links_are_kept_up_to_a_number_of_bytes() {
        let mut links = Symbolic::default();
        let target = vec![b'x'; BYTES_MAX / 4];
        let kept = (0..5).filter(|at| links.insert(at.to_string(), &target)).count();
        assert_eq!((kept, links.is_cut()), (3, true));
        assert!(!links.insert("one more".to_owned(), b"x"), "what is missing may be anything");
    }
}
