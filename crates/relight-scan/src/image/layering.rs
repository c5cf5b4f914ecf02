//! Layers, one above the other: what an upper one replaces, whites out or makes opaque is hidden.
//!
//! Only files in which something was found are remembered, so memory grows with findings and not
//! with files. The rules are those of the OCI image specification, "layer.md": a whiteout counts
//! for lower layers only, wherever it stands in its own.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Component, Digest, FlawCode, Purl};

use super::meant::{self, Meant};
use super::trace::{Hides, Trace};
use crate::archive::{Entry, Links, Names, Node, Telling, join_names};
use crate::evidence::{escape, names_of, place_of};
use crate::java;
use crate::unpack::Found;

/// A file of this name hides the one behind the prefix.
const WHITEOUT: &[u8] = b".wh.";

/// A file of this name hides everything that lower layers have in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Other names with this start are notes of a file system driver.
const NOTE: &[u8] = b".wh..wh.";

/// Bytes of records that are held until it is known that nothing changed meanwhile.
const RECORDS_BYTES_MAX: usize = 8 << 20;

/// Bytes of symbolic links of one image whose meaning hangs on other places, and of these.
const MEANT_BYTES_MAX: usize = 16 << 20;

/// Findings of one image that stand in it once more because their files have other names.
const COPIES_MAX: usize = 262_144;

/// Reads one file of a layer, at its evidence path.
pub(crate) trait ReadFile {
    /// What is in the file.
    fn read_file(&self, entry: Entry, path: &str) -> Found;

    /// Whether the name of a file says something of it beyond its bytes.
    fn says(&self, name: &str) -> bool;

    /// Whether one name of a file says something of it that another one does not.
    fn says_more(&self, name: &str, than: &str) -> bool;

    /// Whether what is found in layers is kept for other images.
    fn keeps_layers(&self) -> bool {
        false
    }

    /// What is known of the layer with these bytes, as of one behind `prefix`; `records` are those
    /// of other layers that are not kept yet.
    fn known_layer(
        &self,
        _layer: &LayerBytes,
        _prefix: &str,
        _records: &[(Digest, Vec<u8>)],
    ) -> Option<KnownLayer> {
        None
    }

    /// What is to be kept of the layer with these bytes, under which key.
    fn record_of(&self, _layer: &LayerBytes, _read: &ReadLayer<'_>) -> Option<(Digest, Vec<u8>)> {
        None
    }
}

/// What the result of a layer hangs on: its bytes, and where they start in a file, which says how
/// much of them was read already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerBytes {
    pub(crate) digest: Digest,
    pub(crate) place: u64,
}

/// A layer that was read: all that it hangs on is in it.
pub(crate) struct ReadLayer<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) own: &'a BTreeMap<String, Found>,
    pub(crate) links: &'a Links,
    pub(crate) meant: &'a [(String, Vec<String>)],
    pub(crate) rest: &'a Found,
    pub(crate) trace: &'a [u8],
    pub(crate) files: u64,
    pub(crate) bytes_read: u64,
}

/// The same, read before and kept.
pub(crate) struct KnownLayer {
    pub(crate) own: BTreeMap<String, Found>,
    pub(crate) links: Vec<(String, String)>,
    pub(crate) meant: Vec<(String, Vec<String>)>,
    pub(crate) rest: Found,
    pub(crate) trace: Vec<u8>,
    pub(crate) files: u64,
    pub(crate) bytes_read: u64,
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
    /// Symbolic links of that layer whose names say something, and the places that decide what is
    /// found under them. The file is the last one.
    own_meant: Vec<(String, Vec<String>)>,
    own_meant_bytes: usize,
    /// Those of the layers below.
    meant: Meant,
    /// Those of them that mean something else from the layer on that is being read.
    lost: BTreeSet<String>,
    hidden: Vec<Component>,
    /// Findings that were copied because a file has several names.
    copied: usize,
    /// What does not belong to a single file.
    totals: Found,
    /// The same of the layer that is being read.
    rest: Found,
    /// What that layer hides, where it is to be kept.
    trace: Option<Trace>,
    /// Regular files; those of the layer that is being read; and those that were known.
    files: u64,
    own_files: u64,
    known: u64,
    /// Bytes that were not read because layers were known.
    spared: u64,
    /// What is to be kept of layers, by its key.
    pub(super) records: Vec<(Digest, Vec<u8>)>,
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
    /// Files of layers that were known.
    pub(crate) known: u64,
    pub(crate) bytes_read: u64,
    /// Those of them that were read when the layers were that are known.
    pub(crate) spared: u64,
    /// What is to be kept of layers, by its key, if nothing changed meanwhile.
    pub(crate) records: Vec<(Digest, Vec<u8>)>,
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
        &mut self.rest
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
        self.hide(Hides::All, &place_of(path));
    }

    /// Hides what lower layers have in this folder.
    pub(crate) fn opaque(&mut self, folder: &[u8]) {
        self.hide(Hides::Inside, &place_of(folder));
    }

    /// Adds a member of the layer, whatever it is called.
    pub(crate) fn add(&mut self, entry: Entry, reader: &dyn ReadFile) {
        let names = names_of(&entry.name);
        let Some(last) = names.last() else { return };
        let path = place_of(&entry.name);
        match &entry.node {
            Node::Folder => self.hide(Hides::File, &path),
            Node::HardLink(target) => {
                let target = place_of(target);
                self.replace(&path);
                self.links.insert(path, target);
            }
            Node::Link(target) => {
                let place = self.at(&path);
                if java::may_lead_to_classes(last) {
                    self.rest.link(place.clone());
                }
                self.replace(&path);
                let refused = self.links.insert_symbolic(path.clone(), target);
                if let Some(code) = refused.filter(|_| reader.says(&place)) {
                    self.own.entry(path).or_default().flaw(code, &place, 0);
                }
            }
            Node::Device(..) => self.replace(&path),
            Node::File => {
                self.replace(&path);
                self.own_files += 1;
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
    pub(crate) fn telling_links(&mut self, reader: &dyn ReadFile) -> Names {
        let (links, prefix) = (std::mem::take(&mut self.links), self.prefix.clone());
        let says = |name: &str| reader.says(&format!("{prefix}{name}"));
        let Telling { names: symbolic, too_long } =
            links.telling_symbolic(&says, &mut |link, places| self.mean(link.to_owned(), places));
        self.links = links;
        for name in too_long {
            let place = self.place(&name);
            self.rest.flaw(FlawCode::LimitDepth, &place, 0);
        }
        let says_more = |name: &str, file: &str| reader.says_more(&self.at(name), &self.at(file));
        join_names(self.links.telling(&says_more), symbolic)
    }

    /// What is found under the name of a link of this layer hangs on these places.
    fn mean(&mut self, link: String, places: Vec<String>) {
        if places.is_empty() {
            return;
        }
        let bytes = meant::bytes_of(&link, &places);
        if self.meant.bytes() + self.own_meant_bytes + bytes > MEANT_BYTES_MAX {
            let place = self.at(&link);
            // In another image there may be room for it.
            self.trace = None;
            return self.rest.flaw(FlawCode::LimitMemory, &place, 0);
        }
        self.own_meant_bytes += bytes;
        self.own_meant.push((link, places));
    }

    /// Names whose files are not in this layer, but perhaps in one below, which has gone by. What
    /// a symbolic link means need not be anywhere: `below` says which places are, of these.
    pub(crate) fn miss(
        &mut self,
        names: &[Vec<u8>],
        below: &dyn Fn(&BTreeSet<String>) -> BTreeSet<String>,
    ) {
        if names.is_empty() {
            return;
        }
        // What is found hangs on more than the bytes of this layer.
        self.trace = None;
        let files: BTreeMap<_, _> =
            self.own_meant.iter().filter_map(|(link, on)| Some((link, on.last()?))).collect();
        let missed: Vec<_> = names.iter().map(|name| place_of(name)).collect();
        let wanted = missed.iter().filter_map(|link| files.get(link)).map(|it| (*it).clone());
        let known = below(&wanted.collect());
        let is_told = |link: &String| files.get(link).is_none_or(|file| known.contains(*file));
        for path in missed.iter().filter(|link| is_told(link)) {
            let place = self.at(path);
            let own = self.own.entry(path.clone()).or_default();
            own.flaw(FlawCode::MethodUnsupported, &place, 0);
        }
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
        for path in std::mem::take(&mut self.lost) {
            let place = self.at(&path);
            let told = || {
                let mut told = Found::default();
                told.flaw(FlawCode::MethodUnsupported, &place, 0);
                told
            };
            self.own.entry(path).or_insert_with(told);
        }
        for (path, found) in std::mem::take(&mut self.own) {
            self.below.insert(path, Visible { found, layer });
        }
        for (link, places) in std::mem::take(&mut self.own_meant) {
            self.meant.insert(&link, &places);
        }
        self.own_meant_bytes = 0;
        self.trace = None;
        self.files += std::mem::take(&mut self.own_files);
        let mut rest = std::mem::take(&mut self.rest);
        for place in std::mem::take(&mut rest.linked) {
            self.totals.link(place);
        }
        self.totals.merge(rest);
    }

    /// From here on what the layer hides is noted.
    pub(crate) fn begin_trace(&mut self) {
        self.trace = Some(Trace::default());
    }

    /// Takes what is known of a layer for reading it; false where nothing is.
    pub(crate) fn take_known(&mut self, layer: &LayerBytes, reader: &dyn ReadFile) -> bool {
        let known = reader.known_layer(layer, &self.prefix, &self.records);
        let Some(known) = known else { return false };
        let KnownLayer { own, links, meant, rest, trace, files, bytes_read } = known;
        Trace::each(&trace, |hides, path| self.hide(hides, path));
        self.own = own;
        links.into_iter().for_each(|(place, target)| self.links.insert(place, target));
        meant.into_iter().for_each(|(link, places)| self.mean(link, places));
        self.rest.merge(rest);
        self.own_files += files;
        self.known += files;
        self.bytes_read += bytes_read;
        self.spared += bytes_read;
        true
    }

    /// Keeps what was found in a layer, when it was read to its end.
    pub(crate) fn keep_layer(
        &mut self,
        layer: &LayerBytes,
        bytes_read: u64,
        reader: &dyn ReadFile,
    ) {
        let Some(trace) = self.trace.as_ref().and_then(Trace::bytes) else { return };
        let Self { prefix, own, links, own_meant: meant, rest, own_files: files, .. } = &*self;
        let read = ReadLayer { prefix, own, links, meant, rest, trace, files: *files, bytes_read };
        let Some((key, record)) = reader.record_of(layer, &read) else { return };
        let held: usize = self.records.iter().map(|(_, record)| record.len()).sum();
        if held + record.len() <= RECORDS_BYTES_MAX {
            self.records.push((key, record));
        }
    }

    /// What is visible in the end.
    pub(crate) fn finish(mut self) -> Merged {
        // What was told beside all layers.
        self.end_layer(None);
        let Self {
            below, hidden, totals: mut found, files, parts, bytes_read, known, spared, ..
        } = self;
        let mut layers = Vec::new();
        for Visible { found: visible, layer } in below.into_values() {
            for component in &visible.components {
                layers.extend(layer.map(|layer| (component.evidence.clone(), layer)));
            }
            found.merge(visible);
        }
        layers.sort();
        layers.dedup();
        let (records, images) = (self.records, Vec::new());
        Merged { found, hidden, layers, parts, files, known, bytes_read, spared, records, images }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Keeps what belongs to a file, and adds up the rest.
    fn keep(&mut self, path: String, found: Found) {
        let (own, rest) = found.split();
        self.rest.merge(rest);
        if let Some(own) = own {
            self.own.insert(path, own);
        }
    }

    /// Something other than a folder is at this path from now on, in this layer and above.
    fn replace(&mut self, path: &str) {
        self.own.remove(path);
        self.links.remove(path);
        self.hide(Hides::All, path);
    }

    /// Hides something of the layers below.
    fn hide(&mut self, hides: Hides, path: &str) {
        if let Some(trace) = &mut self.trace {
            trace.note(hides, path);
        }
        if matches!(hides, Hides::All | Hides::File) {
            self.hide_file(path);
        }
        if matches!(hides, Hides::All | Hides::Inside) {
            self.hide_below(path);
        }
    }

    /// Hides a file of the layers below; a folder of the same name stays. What was read under the
    /// name of a link to it, or over it, is hidden as well, and nobody knows what that means now.
    fn hide_file(&mut self, path: &str) {
        self.forget(path);
        self.meant.remove(path);
        self.lost.remove(path);
        for link in self.meant.take(path) {
            self.forget(&link);
            self.lost.insert(link.to_string());
        }
    }

    /// What was found under a name is there no more.
    fn forget(&mut self, path: &str) {
        let visible = self.below.remove(path);
        self.hidden.extend(visible.into_iter().flat_map(|visible| visible.found.components));
    }

    /// Hides everything in a folder of the layers below. The empty path is the root.
    fn hide_below(&mut self, folder: &str) {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        // Escaped names are text, so what starts like the folder is one range. Most files of a
        // layer hide nothing: that must not cost what is found in all the layers below.
        let behind = self.below.range(start.clone()..).map(|(path, _)| path.as_str());
        let is_inside = |path: &&str| path.starts_with(&start);
        let lost = self.lost.range(start.clone()..).map(String::as_str).take_while(is_inside);
        let meant = self.meant.starting(&start);
        let inside = behind.take_while(is_inside).chain(lost).chain(meant);
        let inside: Vec<_> = inside.map(str::to_owned).collect();
        for path in inside {
            self.hide_file(&path);
        }
    }
}

#[cfg(test)]
mod tests;
