//! Layers, one above the other: what an upper one replaces, whites out or makes opaque is hidden.
//!
//! Only files in which something was found are remembered, so memory grows with findings and not
//! with files. The rules are those of the OCI image specification, "layer.md": a whiteout counts
//! for lower layers only, wherever it stands in its own.

use std::collections::BTreeMap;

use relight_model::{Component, Digest, FlawCode, Purl};

use crate::archive::{Entry, Links, Node};
use crate::evidence::{escape, names_of, place_of};
use crate::java;
use crate::unpack::Found;

/// A file of this name hides the one behind the prefix.
const WHITEOUT: &[u8] = b".wh.";

/// A file of this name hides everything that lower layers have in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Other names with this start are notes of a file system driver.
const NOTE: &[u8] = b".wh..wh.";

/// Findings of one image that stand in it once more because their files have other names.
const COPIES_MAX: usize = 262_144;

/// Reads one file of a layer, at its evidence path.
pub(crate) trait ReadFile {
    /// What is in the file.
    fn read_file(&self, entry: Entry, path: &str) -> Found;

    /// Whether one name of a file says something of it that another one does not.
    fn says_more(&self, name: &str, than: &str) -> bool;
}

/// What was found in a file that is visible, and in which layer.
struct Visible {
    found: Found,
    layer: Option<Digest>,
}

/// The layers of one image so far, from the bottom.
#[derive(Default)]
pub(crate) struct Layering {
    /// What stands in front of each evidence path: nothing, or the image with `!/`.
    prefix: String,
    below: BTreeMap<String, Visible>,
    /// Of the layer that is being read.
    own: BTreeMap<String, Found>,
    /// Other names of files, and what they are names of.
    links: Links,
    hidden: Vec<Component>,
    /// Findings that were copied because a file has several names.
    copied: usize,
    /// What does not belong to a single file.
    totals: Found,
    /// Regular files.
    pub(crate) files: u64,
    /// Path, size and digest of each layer, where it was computed.
    pub(crate) parts: Vec<(String, u64, Digest)>,
    /// Bytes read from the disk.
    pub(crate) bytes_read: u64,
    /// The bytes of a layer were not proven to be those that the image promises.
    pub(crate) is_unproven: bool,
}

/// The whole image.
pub(crate) struct Merged {
    pub(crate) found: Found,
    /// What no longer is in the image.
    pub(crate) hidden: Vec<Component>,
    /// Which layer each piece of evidence is from.
    pub(crate) layers: Vec<(String, Digest)>,
    /// Path, size and digest of each layer, where it was computed.
    pub(crate) parts: Vec<(String, u64, Digest)>,
    pub(crate) files: u64,
    pub(crate) bytes_read: u64,
    /// What the image is known by, where all of its bytes were proven to be theirs and all that is
    /// reported is of it.
    pub(crate) images: Vec<Purl>,
}

impl Layering {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::default() }
    }

    /// Where things of the image itself are told (a layer that cannot be read).
    pub(crate) fn totals(&mut self) -> &mut Found {
        &mut self.totals
    }

    /// The evidence path of a part of the image.
    pub(crate) fn place(&self, part: &[u8]) -> String {
        format!("{}{}", self.prefix, escape(part))
    }

    /// Takes the next member of a layer that is an archive: some names say what is hidden.
    pub(crate) fn take(&mut self, entry: Entry, reader: &dyn ReadFile) {
        let names = names_of(&entry.name);
        let Some((last, folders)) = names.split_last() else { return };
        let folder = folders.join(&b'/');
        match last.strip_prefix(WHITEOUT) {
            _ if *last == OPAQUE => self.opaque(&folder),
            _ if last.starts_with(NOTE) => {}
            Some(name) => self.white_out(&[&folder, name].join(&b'/')),
            None => self.add(entry, reader),
        }
    }

    /// Hides what lower layers have at this path.
    pub(crate) fn white_out(&mut self, path: &[u8]) {
        self.hide(&place_of(path));
    }

    /// Hides what lower layers have in this folder.
    pub(crate) fn opaque(&mut self, folder: &[u8]) {
        self.hide_below(&place_of(folder));
    }

    /// Adds a member of the layer, whatever it is called.
    pub(crate) fn add(&mut self, entry: Entry, reader: &dyn ReadFile) {
        let names = names_of(&entry.name);
        let Some(last) = names.last() else { return };
        let path = place_of(&entry.name);
        match &entry.node {
            Node::Folder => self.hide_file(&path),
            Node::HardLink(target) => {
                let target = place_of(target);
                self.replace(&path);
                self.links.insert(path, target);
            }
            Node::Link(_) | Node::Device(..) => {
                if matches!(entry.node, Node::Link(_)) && java::may_lead_to_classes(last) {
                    let place = self.at(&path);
                    self.totals.link(place);
                }
                self.replace(&path);
            }
            Node::File => {
                self.replace(&path);
                self.files += 1;
                let entry = Entry { name: last.to_vec(), ..entry };
                let found = reader.read_file(entry, &self.at(&path));
                self.keep(path, found);
            }
        }
    }

    /// Links of this layer whose names say something and whose files stand behind too many others.
    pub(crate) fn links_too_deep(&self, reader: &dyn ReadFile) -> Vec<Vec<u8>> {
        self.links.too_deep(&|name, file| reader.says_more(&self.at(name), &self.at(file)))
    }

    /// The links of this layer whose names say more than those of their files do, by the paths of
    /// the files: found under their first name, these are not what they are under the second.
    pub(crate) fn telling_links(&self, reader: &dyn ReadFile) -> BTreeMap<String, Vec<Vec<u8>>> {
        self.links.telling(&|name, file| reader.says_more(&self.at(name), &self.at(file)))
    }

    /// Reads a file once more, under another one of its names.
    pub(crate) fn add_link(&mut self, entry: Entry, reader: &dyn ReadFile) {
        let path = place_of(&entry.name);
        let last = names_of(&entry.name).last().copied().unwrap_or_default().to_vec();
        let mut found = reader.read_file(Entry { name: last, ..entry }, &self.at(&path));
        // Its bytes are counted under its first name.
        (found.files, found.members) = Default::default();
        self.keep(path, found);
    }

    /// The layer was read to its end.
    pub(crate) fn end_layer(&mut self, layer: Option<Digest>) {
        let links = std::mem::take(&mut self.links);
        for (path, target) in links.files() {
            if self.own.contains_key(path) {
                continue;
            }
            let below = self.below.get(target).map(|visible| &visible.found);
            let Some(found) = self.own.get(target).or(below) else { continue };
            self.copied += found.count();
            let copy = if self.copied > COPIES_MAX {
                let mut copy = Found::default();
                copy.flaw(FlawCode::LimitEntries, &self.at(path), 0);
                copy
            } else {
                found.copy_at(&self.at(target), &self.at(path))
            };
            self.own.insert(path.to_owned(), copy);
        }
        for (path, found) in std::mem::take(&mut self.own) {
            self.below.insert(path, Visible { found, layer });
        }
    }

    /// What is visible in the end.
    pub(crate) fn finish(self) -> Merged {
        let Self { below, hidden, totals: mut found, files, parts, bytes_read, .. } = self;
        let mut layers = Vec::new();
        for Visible { found: visible, layer } in below.into_values() {
            for component in &visible.components {
                layers.extend(layer.map(|layer| (component.evidence.clone(), layer)));
            }
            found.merge(visible);
        }
        layers.sort();
        layers.dedup();
        Merged { found, hidden, layers, parts, files, bytes_read, images: Vec::new() }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Keeps what belongs to a file, and adds up the rest.
    fn keep(&mut self, path: String, found: Found) {
        let (own, rest) = found.split();
        self.totals.merge(rest);
        if let Some(own) = own {
            self.own.insert(path, own);
        }
    }

    /// Something other than a folder is at this path from now on, in this layer and above.
    fn replace(&mut self, path: &str) {
        self.own.remove(path);
        self.links.remove(path);
        self.hide(path);
    }

    /// Hides a file, or a folder with everything in it, of the layers below.
    fn hide(&mut self, path: &str) {
        self.hide_file(path);
        self.hide_below(path);
    }

    /// Hides a file of the layers below; a folder of the same name stays.
    fn hide_file(&mut self, path: &str) {
        let visible = self.below.remove(path);
        self.hidden.extend(visible.into_iter().flat_map(|visible| visible.found.components));
    }

    /// Hides everything in a folder of the layers below. The empty path is the root.
    fn hide_below(&mut self, folder: &str) {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        // Escaped names are text, so what starts like the folder is one range. Most files of a
        // layer hide nothing: that must not cost what is found in all the layers below.
        let behind = self.below.range(start.clone()..).map(|(path, _)| path);
        let inside: Vec<_> = behind.take_while(|path| path.starts_with(&start)).cloned().collect();
        for path in inside {
            self.hide_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use relight_model::{Basis, Purl, Scope};

    use super::*;
    use crate::archive::Body;

    /// Finds one component in each file, called like the file, unless its name starts with `x`.
    struct Names;

    impl ReadFile for Names {
        fn read_file(&self, entry: Entry, path: &str) -> Found {
            let mut found = Found::default();
            if !entry.name.starts_with(b"x") {
                let purl = Purl::new("generic", "", "it", &entry.size.unwrap_or(0).to_string());
                let component = Component::new(purl, path, Basis::FileName, Scope::Installed);
                found.components.push(component);
            }
            found
        }

        fn says_more(&self, name: &str, _: &str) -> bool {
            name.ends_with("known")
        }
    }

    fn entry(text: &str, layer: u64) -> Entry {
        let name = |text: &str| text.as_bytes().to_vec();
        match text.split_once(' ') {
            Some((path, "dir")) => Entry::bare(name(path), Node::Folder),
            Some((path, "link")) => Entry::bare(name(path), Node::Link(name("anything"))),
            Some((path, target)) => Entry::bare(name(path), Node::HardLink(name(target))),
            None => Entry::file(name(text), Some(layer), Body::Nothing),
        }
    }

    /// Layers from the bottom; what is visible, with the number of its layer, and what is hidden.
    fn check(layers: &[&[&str]], visible: &[&str], hidden: &[&str]) {
        let mut layering = Layering::new("");
        for (number, layer) in layers.iter().enumerate() {
            for text in *layer {
                layering.take(entry(text, number as u64), &Names);
            }
            layering.end_layer(None);
        }
        let merged = layering.finish();
        let show = |components: &[Component]| {
            let mut lines: Vec<_> =
                components.iter().map(|c| format!("{} {}", c.evidence, c.purl.version)).collect();
            lines.sort();
            lines
        };
        assert_eq!(show(&merged.found.components), visible, "{layers:?}");
        assert_eq!(show(&merged.hidden), hidden, "{layers:?}");
    }

    #[test]
    fn whiteouts_hide_what_is_below_and_nothing_of_their_own_layer() {
        check(&[&["a/b"], &["a/.wh.b"]], &[], &["a/b 0"]);
        check(&[&["a/b"], &["a/.wh.b", "a/b"]], &["a/b 1"], &["a/b 0"]);
        check(&[&["a/b"], &["a/b", "a/.wh.b"]], &["a/b 1"], &["a/b 0"]);
        check(&[&["a/b/c", "a/bc"], &["a/.wh.b"]], &["a/bc 0"], &["a/b/c 0"]);
        check(&[&["a"], &[".wh.a"], &["a"]], &["a 2"], &["a 0"]);
        check(&[&["a"], &[".wh.b"]], &["a 0"], &[]);
    }

    #[test]
    fn opaque_folders_hide_what_is_below() {
        check(
            &[&["a/b", "a/c/d", "ab", "a.x"], &["a/.wh..wh..opq", "a/e"]],
            &["a.x 0", "a/e 1", "ab 0"],
            &["a/b 0", "a/c/d 0"],
        );
        check(&[&["a/b", "c"], &[".wh..wh..opq"]], &[], &["a/b 0", "c 0"]);
        check(&[&["a/b"], &["a/.wh..wh.plnk"]], &["a/b 0"], &[]);
    }

    #[test]
    fn what_is_replaced_is_hidden() {
        check(&[&["a"], &["a"]], &["a 1"], &["a 0"]);
        check(&[&["a"], &["a link"]], &[], &["a 0"]);
        check(&[&["a/b"], &["a"]], &["a 1"], &["a/b 0"]);
        check(&[&["a"], &["a dir", "a/b"]], &["a/b 1"], &["a 0"]);
        check(&[&["a/b"], &["a dir"]], &["a/b 0"], &[]);
        check(&[&["a"], &["xa", "./a"]], &["a 1"], &["a 0"]);
        // A file without findings replaces as well.
        check(&[&["d/xa", "d/b"], &["d link"]], &[], &["d/b 0"]);
        // Twice in one layer: the second one is what an unpacked layer holds.
        check(&[&["a", "a link"]], &[], &[]);
    }

    /// Goal: names of files multiply what is found in them up to a number, and no further.
    /// Method: a file with 20,000 findings and 20 other names.
    #[test]
    fn findings_are_copied_up_to_a_number() {
        let mut layering = Layering::new("");
        let mut found = Found::default();
        let purl = Purl::new("generic", "", "it", "1");
        let component = Component::new(purl, "a", Basis::FileName, Scope::Installed);
        found.components = vec![component; 20_000];
        layering.keep("a".to_owned(), found);
        for name in 0..20 {
            layering.take(entry(&format!("b{name:02} a"), 0), &Names);
        }
        layering.end_layer(None);
        let merged = layering.finish().found;
        let fitting = COPIES_MAX / 20_000;
        assert_eq!(merged.components.len(), 20_000 * (1 + fitting));
        assert_eq!(merged.flaws.len(), 20 - fitting);
        assert!(merged.flaws.iter().all(|flaw| flaw.code == FlawCode::LimitEntries));
        assert_eq!(merged.flaws[0].evidence, format!("b{fitting:02}"));
    }

    /// Files of an upper layer that hide nothing do not cost what was found below. Moved about for
    /// each of them, 20,000 findings took hours.
    #[test]
    fn many_files_above_many_findings() {
        let mut layering = Layering::new("");
        for number in 0..20_000 {
            layering.take(entry(&format!("below/{number:05}"), 0), &Names);
        }
        layering.end_layer(None);
        for number in 0..50_000 {
            layering.take(entry(&format!("above/x{number:05}"), 1), &Names);
        }
        layering.take(entry("below/00007", 1), &Names);
        layering.end_layer(None);
        let merged = layering.finish();
        assert_eq!((merged.found.components.len(), merged.hidden.len()), (20_000, 1));
    }

    #[test]
    fn another_name_of_a_file_lives_on_its_own() {
        check(&[&["a", "b a"]], &["a 0", "b 0"], &[]);
        check(&[&["a", "b a"], &[".wh.a"]], &["b 0"], &["a 0"]);
        check(&[&["b a", "a"]], &["a 0", "b 0"], &[]);
        check(&[&["a"], &["b a"]], &["a 0", "b 0"], &[]);
        check(&[&["a", "b ./a", "c b"]], &["a 0", "b 0", "c 0"], &[]);
        check(&[&["a", "b nowhere"]], &["a 0"], &[]);
    }

    #[test]
    fn links_whose_names_say_more_are_told_by_their_files() {
        let mut layering = Layering::new("");
        for text in ["xa", "b ./xa", "c/known b", "d/known xa", "known e", "known xa"] {
            layering.take(entry(text, 3), &Names);
        }
        let telling = layering.telling_links(&Names);
        let names = [b"c/known".to_vec(), b"d/known".to_vec(), b"known".to_vec()];
        assert_eq!(telling, BTreeMap::from([("xa".to_owned(), names.to_vec())]));
        layering.add_link(entry("c/known", 3), &Names);
        layering.end_layer(None);
        let merged = layering.finish();
        let places: Vec<_> =
            merged.found.components.iter().map(|it| it.evidence.as_str()).collect();
        assert_eq!((places, merged.files), (vec!["c/known"], 1));
    }

    #[test]
    fn names_of_strangers_stay_inside() {
        check(&[&["/../../a", "./b/../c"]], &["a 0", "c 0"], &[]);
        check(&[&["a"], &["x/../.wh.a"]], &[], &["a 0"]);
        let mut layering = Layering::new("i.tar!/");
        layering.take(entry("", 0), &Names);
        layering.take(entry("a!/b", 0), &Names);
        layering.end_layer(Some(Digest([1; 32])));
        let merged = layering.finish();
        let layers = [("i.tar!/a%21/b".to_owned(), Digest([1; 32]))];
        assert_eq!((merged.layers.as_slice(), merged.files), (&layers[..], 1));
    }
}
