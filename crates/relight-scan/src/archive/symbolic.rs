//! Symbolic links of an archive or a layer, whose own name may say what that of their file does
//! not: where files are called by their digests (git-annex, stores of build tools), it is all.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::FlawCode;

use crate::evidence::{escape, names_of, unescape};

/// Links that are followed on the way to one file, as in a system (path_resolution(7)).
const FOLLOWED_MAX: usize = 40;

/// Bytes of what a link says: no system makes one that says more (`PATH_MAX` with its end).
pub(crate) const TARGET_BYTES_MAX: usize = 4_095;

/// What the way of one link may cost: the bytes of each path on it, and so many more each.
const WAY_BYTES_MAX: usize = 1 << 20;

/// What the ways of all links of one archive or layer may cost.
const WAYS_BYTES_MAX: usize = 512 << 20;

/// What a step of a way costs beside its path.
const STEP_BYTES: usize = 64;

/// Bytes of the names of links and of the files that they mean, of one archive or layer.
const TELLING_BYTES_MAX: usize = 16 << 20;

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
    /// What it cost to walk it.
    cost: usize,
}

/// The links whose names say something.
#[derive(Default)]
pub(crate) struct Telling {
    /// Those that mean files whose own names say nothing, by the places of these: under those they
    /// are not what they are under these. A file with a name of its own is found by that alone.
    pub(crate) names: Names,
    /// Those of which nobody knows what they mean: their ways are too long.
    pub(crate) too_long: Vec<Vec<u8>>,
}

/// Gets a link whose name says something, and the places that decide what is found under it.
pub(crate) type OnWay<'a> = &'a mut dyn FnMut(&str, Vec<String>);

impl Symbolic {
    /// Keeps a link; or says why not.
    pub(super) fn insert(&mut self, place: String, target: &[u8]) -> Option<FlawCode> {
        if target.len() > TARGET_BYTES_MAX {
            self.targets.remove(&place);
            return Some(FlawCode::CorruptEntry);
        }
        let bytes = LINK_BYTES + place.len() + target.len();
        self.is_cut |= self.bytes + bytes > BYTES_MAX;
        if self.is_cut {
            return Some(FlawCode::LimitMemory);
        }
        self.bytes += bytes;
        self.targets.insert(place, target.to_vec());
        None
    }

    /// Something else has this name.
    pub(super) fn remove(&mut self, place: &str) {
        self.targets.remove(place);
    }

    /// There were more than are kept: what stands behind those is not known.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The links whose names say something, and what they mean. `on_way` gets each with the places
    /// that decide what is found under its name: those on its way, and its file, which is last.
    /// Where something on the way has a name of its own, what comes to be there or behind it is
    /// found by that.
    pub(super) fn telling<'a>(
        &'a self,
        says: &dyn Fn(&str) -> bool,
        hard: impl Fn(&str) -> Option<&'a str>,
        on_way: OnWay<'_>,
    ) -> Telling {
        let (mut telling, mut cost, mut bytes) = (Telling::default(), 0, 0);
        for place in self.targets.keys().filter(|place| says(place)) {
            let way = (cost < WAYS_BYTES_MAX).then(|| self.way_of(place, &hard));
            cost += way.as_ref().map_or(0, |way| way.cost);
            let file = way.as_ref().and_then(|way| way.file.as_ref());
            bytes += file.map_or(0, |file| LINK_BYTES + place.len() + file.len());
            let is_walked = |way: &Way| way.cost <= WAY_BYTES_MAX && bytes <= TELLING_BYTES_MAX;
            let Some(Way { mut places, file, .. }) = way.filter(is_walked) else {
                telling.too_long.push(unescape(place));
                continue;
            };
            match file.filter(|file| !says(file)) {
                Some(file) => {
                    places.push(file.clone());
                    telling.names.entry(file).or_default().push(unescape(place));
                }
                None => {
                    let unnamed = places.iter().take_while(|place| !says(place)).count();
                    places.truncate(unnamed);
                }
            }
            on_way(place, places);
        }
        telling
    }

    /// What a name means, over links to files and folders, as somebody sees it for whom the
    /// archive is all: nothing leads out of it. The way ends where it costs too much.
    fn way_of<'a>(&'a self, place: &str, hard: &impl Fn(&str) -> Option<&'a str>) -> Way {
        let names = |path: &[u8]| -> Vec<Vec<u8>> {
            path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect()
        };
        let (mut passed, mut ahead) = (Vec::<Vec<u8>>::new(), names(&unescape(place)));
        let (mut followed, mut cost, mut met) = (0, 0, BTreeSet::new());
        let mut places = Vec::new();
        let mut meet = |place: String| {
            if met.insert(place.clone()) {
                places.push(place);
            }
        };
        while let Some(name) = ahead.pop().filter(|_| cost <= WAY_BYTES_MAX) {
            cost += STEP_BYTES;
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    let left = format!("{}/", escape(&passed.join(&b'/')));
                    cost += left.len();
                    // What takes the place of a folder around the link takes that of the link.
                    if passed.pop().is_some() && !place.starts_with(&left) {
                        meet(left + "..");
                    }
                }
                _ => passed.push(name),
            }
            let here = escape(&passed.join(&b'/'));
            cost += here.len();
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
            if here != place {
                meet(here);
            }
            followed += 1;
            if followed > FOLLOWED_MAX {
                return Way { places, file: None, cost };
            }
            ahead.extend(target);
        }
        let path = passed.join(&b'/');
        let file = (!names_of(&path).is_empty()).then(|| escape(&path));
        Way { places, file, cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(all: &[(&str, &str)]) -> Symbolic {
        let mut links = Symbolic::default();
        for (place, target) in all {
            assert_eq!(links.insert((*place).to_owned(), target.as_bytes()), None);
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
        let telling = links.telling(&|name| name.contains("known"), hard, &mut |_, _| {}).names;
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
        let mut shown = Vec::new();
        links.telling(&|name| name.contains("known"), hard, &mut |link, on| {
            shown.push(format!("{link}: {}", on.join(" ")));
        });
        assert_eq!(
            shown,
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
        let telling = links.telling(&|name| name.contains("known"), |_| None, &mut |_, _| {});
        let first = telling.names["a"].first().unwrap();
        assert_eq!(first, b"known02", "behind forty links, and one more is too many");
    }

    /// Goal: what a link says cannot make a way without end, and where nobody walks it to its end,
    /// that is told. Method: as much of `a/..` as a link may say, over and over, in a row of links;
    /// the same said by one that no system makes; and more links than may be walked altogether.
    #[test]
    fn the_steps_of_a_way_are_bounded_and_told() {
        let up_and_down = "a/../".repeat(TARGET_BYTES_MAX / 5);
        let mut links = Symbolic::default();
        for at in 0..FOLLOWED_MAX {
            let target = format!("{up_and_down}{}", at + 1);
            links.insert(at.to_string(), &target.as_bytes()[target.len() - TARGET_BYTES_MAX..]);
        }
        links.insert("known".to_owned(), b"0");
        let once = format!("{up_and_down}file");
        links.insert("one-known".to_owned(), &once.as_bytes()[5..]);
        let longer = up_and_down.repeat(2);
        let refused = links.insert("longer".to_owned(), longer.as_bytes());
        assert_eq!((refused, links.is_cut()), (Some(FlawCode::CorruptEntry), false));
        let mut ways = Vec::new();
        let says = |name: &str| name.ends_with("known");
        let telling = links.telling(&says, |_| None, &mut |link, on| {
            ways.push(format!("{link}: {}", on.join(" ")));
        });
        assert_eq!(telling.too_long, [b"known".to_vec()]);
        assert_eq!(telling.names["file"], [b"one-known".to_vec()]);
        assert_eq!(ways, ["one-known: a/.. file"], "a place counts once");
    }

    /// Goal: the names that links mean are held up to a number of bytes, and told from there on.
    /// Method: one link to a folder of a long name, and many over it.
    #[test]
    fn what_links_mean_is_bounded() {
        let mut links = Symbolic::default();
        links.insert("to".to_owned(), &[b'f'; TARGET_BYTES_MAX]);
        for at in 0..9_999 {
            assert_eq!(links.insert(format!("{at:04}known"), format!("to/{at}").as_bytes()), None);
        }
        let mut walked = 0;
        let says = |name: &str| name.ends_with("known");
        let telling = links.telling(&says, |_| None, &mut |_, _| walked += 1);
        let held: usize = telling.names.keys().map(String::len).sum();
        assert!(held <= TELLING_BYTES_MAX && held > TELLING_BYTES_MAX / 2, "{held}");
        assert_eq!(telling.names.len() + telling.too_long.len(), 9_999);
        assert_eq!(telling.names.len(), walked);
    }

    #[test]
    fn links_are_kept_up_to_a_number_of_bytes() {
        let mut links = Symbolic::default();
        let target = [b'x'; TARGET_BYTES_MAX];
        let one = LINK_BYTES + 4 + TARGET_BYTES_MAX;
        let insert = |at: usize| links.insert(format!("{at:04}"), &target);
        let told: Vec<_> = (0..BYTES_MAX / one + 2).map(insert).collect();
        let kept = told.iter().filter(|it| it.is_none()).count();
        assert_eq!((kept, links.is_cut()), (BYTES_MAX / one, true));
        assert_eq!(told.last(), Some(&Some(FlawCode::LimitMemory)));
        let more = links.insert("one more".to_owned(), b"x");
        assert!(more.is_some(), "what is missing may be anything");
    }
}
