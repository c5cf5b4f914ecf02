//! Images: layers read from the bottom, each once, and what is visible in the end.

mod folders;
mod layering;
mod manifest;
mod meant;
mod store;
mod trace;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::{Held, decoder_of, window_of};
use relight_model::{Digest, FlawCode};

pub(crate) use self::layering::{KnownLayer, LayerBytes, Layering, Merged, ReadFile, ReadLayer};
use self::manifest::{Image, Images, Layer};
pub(crate) use self::store::{InFolder, InTar, Store};
#[cfg(test)]
pub(crate) use self::trace::Hides;
pub(crate) use self::trace::Trace;
use crate::archive::{Again, Container, Feed, Guard, Linked, Node, Pipe, Tar};
use crate::archive::{cost_of, may_stand_beside};
use crate::cataloger::Kind;
use crate::digest;
use crate::evidence::{escape, place_of};
use crate::limits::Options;
use crate::sniff::{HEAD_BYTES, Head, head};
use crate::source::Folder;
use crate::window::{Pace, Window};

/// The form of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The image layout of OCI: `index.json`.
    Oci,
    /// The archive of `docker save`: `manifest.json`.
    Docker,
}

impl Form {
    /// The document that everything begins with.
    pub(crate) const fn index(self) -> &'static str {
        match self {
            Self::Oci => "index.json",
            Self::Docker => "manifest.json",
        }
    }

    /// The form of an image in a tar archive, if it is one. An archive in both forms, as newer
    /// engines write it, is read as a layout.
    pub(crate) fn of_tar(tar: &InTar) -> Option<Self> {
        if tar.has("oci-layout") && tar.has("index.json") {
            return Some(Self::Oci);
        }
        // Web applications and extensions of browsers have a document of this name as well.
        let mut layers = layers_of(tar, Self::Docker).into_iter();
        layers.any(|part| tar.open(&part).is_some()).then_some(Self::Docker)
    }
}

/// The parts of a store that are layers of an image, of any platform.
pub(crate) fn layers_of(store: &dyn Store, form: Form) -> Vec<String> {
    let images = match form {
        Form::Oci => manifest::all_of_oci(store),
        Form::Docker => manifest::read_docker(store).images,
    };
    images.into_iter().flat_map(|image| image.layers).map(|layer| layer.part).collect()
}

/// Reads every image of a layout that is chosen, at evidence paths behind `prefix`; several images
/// stand behind their own names.
pub(crate) fn read(
    store: &dyn Store,
    form: Form,
    prefix: &str,
    options: &Options,
    reader: &dyn ReadFile,
) -> Vec<Merged> {
    let Images { images, flaws } = match form {
        Form::Oci => manifest::read_oci(store, options.platform.as_deref()),
        Form::Docker => manifest::read_docker(store),
    };
    let is_one = images.len() <= 1;
    let mut itself = Layering::new(prefix);
    for (code, place) in flaws {
        itself.totals().flaw(code, &format!("{prefix}{place}"), 0);
    }
    let mut merged = vec![itself.finish()];
    let mut records = Vec::new();
    for image in images {
        let name = escape(image.name.as_bytes());
        let place = if is_one { prefix.to_owned() } else { format!("{prefix}{name}!/") };
        let mut layering = Layering::new(&place);
        layering.records = records;
        let (mut read, is_proven) = read_image(store, &image, layering, options, reader);
        // The next image has a layer of this one, perhaps.
        records = std::mem::take(&mut read.records);
        // What stands in a file of something else is not all that is reported.
        let is_all = is_one && is_proven && prefix.is_empty();
        let images = if is_all { image.purls() } else { Vec::new() };
        merged.push(Merged { images, ..read });
    }
    let mut itself = Layering::new(prefix);
    for part in store.changed() {
        let place = itself.place(part.as_bytes());
        itself.totals().flaw(FlawCode::ChangedDuringScan, &place, 0);
        merged.iter_mut().for_each(|it| it.images.clear());
        records.clear();
    }
    itself.records = records;
    merged.push(itself.finish());
    merged
}

/// Reads an image whose layers are folders, from the bottom.
pub(crate) fn read_folders(
    layers: &[Folder],
    pace: Option<&Arc<dyn Pace>>,
    reader: &dyn ReadFile,
) -> Merged {
    let mut layering = Layering::new("");
    for (at, Folder { path, digest }) in layers.iter().enumerate() {
        let label = digest.map_or_else(String::new, |digest| format!("sha256:{digest}"));
        folders::read(path, &label, pace, &mut layering, reader);
        let below: Vec<&Path> = layers[..at].iter().map(|it| it.path.as_path()).collect();
        folders::read_links(path, &below, pace, &mut layering, reader);
        // What the store says of it: the bytes of a folder have no digest of their own.
        layering.parts.extend(digest.map(|digest| (label.clone(), 0, digest)));
        layering.end_layer(*digest);
    }
    layering.finish()
}

/// Reads an image, and says whether the bytes of each layer are those that it promises.
fn read_image(
    store: &dyn Store,
    image: &Image,
    mut layering: Layering,
    options: &Options,
    reader: &dyn ReadFile,
) -> (Merged, bool) {
    for (at, layer) in image.layers.iter().enumerate() {
        let stack = Stack { store, below: &image.layers[..at], options };
        // A bug of ours must not hide the other layers; this one counts as unread.
        let read =
            catch_unwind(AssertUnwindSafe(|| read_layer(&stack, layer, &mut layering, reader)));
        if read.is_err() {
            let place = layering.place(layer.part.as_bytes());
            layering.totals().flaw(FlawCode::CorruptEntry, &place, 0);
        }
        layering.end_layer(layer.digest.or(layer.unpacked));
    }
    let is_proven = !layering.is_unproven;
    (layering.finish(), is_proven)
}

/// What a layer is read with.
struct Stack<'a> {
    store: &'a dyn Store,
    /// The layers below it.
    below: &'a [Layer],
    options: &'a Options,
}

fn read_layer(stack: &Stack<'_>, layer: &Layer, layering: &mut Layering, reader: &dyn ReadFile) {
    let Stack { store, options, .. } = *stack;
    let place = layering.place(layer.part.as_bytes());
    let Some(window) = store.open(&layer.part) else {
        return layering.totals().flaw(FlawCode::IoError, &place, 0);
    };
    if layer.is_encrypted {
        return layering.totals().flaw(FlawCode::Encrypted, &place, window.len());
    }
    let before = window.bytes_read();
    let checked = check(&window, layer, layering, options);
    layering.is_unproven |= !matches!(checked, Ok(Checked { flaw: None, is_promised: true, .. }));
    let checked = checked.unwrap_or(Checked { flaw: Some(FlawCode::IoError), ..UNCHECKED });
    if let Some(code) = checked.flaw {
        layering.totals().flaw(code, &place, window.len());
    }
    layering.bytes_read += window.bytes_read() - before;
    // What is known of these very bytes, as they are now.
    let digest = checked.digest.filter(|_| checked.flaw.is_none() && reader.keeps_layers());
    let bytes = digest.map(|digest| LayerBytes { digest, place: window.place() });
    if let Some(bytes) = &bytes {
        if layering.take_known(bytes, reader) {
            return;
        }
        layering.begin_trace();
    }
    let before = window.bytes_read();
    let mut tar = match open(&window, options) {
        Ok(tar) => tar,
        Err(code) => return layering.totals().flaw(code, &place, window.len()),
    };
    while let Some(entry) = tar.next() {
        match entry {
            Ok(entry) => layering.take(entry, reader),
            Err(damage) => layering.totals().flaw(damage.code, &place, damage.bytes),
        }
    }
    read_links(stack, &window, &place, layering, reader);
    let bytes_read = window.bytes_read() - before;
    layering.bytes_read += bytes_read;
    if let Some(bytes) = bytes {
        layering.keep_layer(&bytes, bytes_read, reader);
    }
}

/// Reads the files of a layer once more that have another name which says more than their first.
fn read_links(
    stack: &Stack<'_>,
    window: &Window,
    place: &str,
    layering: &mut Layering,
    reader: &dyn ReadFile,
) {
    let options = stack.options;
    for name in layering.links_too_deep(reader) {
        let place = layering.place(&name);
        layering.totals().flaw(FlawCode::LimitDepth, &place, 0);
    }
    let links = layering.telling_links(reader);
    if links.is_empty() {
        return;
    }
    let tar = match open(window, options) {
        Ok(tar) => tar,
        Err(code) => return layering.totals().flaw(code, place, window.len()),
    };
    let mut linked = Linked::new(Box::new(tar), links, options.held_for_names_max());
    while let Some(entry) = linked.next() {
        match entry {
            Ok(entry) => layering.add_link(entry, reader),
            Err(damage) => layering.totals().flaw(damage.code, place, damage.bytes),
        }
    }
    let missed: Vec<_> = linked.dangling().collect();
    layering.miss(&missed, &|places| stack.are_below(places));
}

impl Stack<'_> {
    /// Which of these places are, or may be behind a link, in one of the layers below.
    fn are_below(&self, places: &BTreeSet<String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let windows = self.below.iter().filter_map(|layer| self.store.open(&layer.part));
        // What cannot be read was told.
        for mut tar in windows.filter_map(|window| open(&window, self.options).ok()) {
            let members = std::iter::from_fn(|| tar.next()).flatten();
            for member in members.filter(|member| member.node != Node::Folder) {
                let place = place_of(&member.name);
                let inside = format!("{place}/");
                let behind = places.range(inside.clone()..);
                let behind = behind.take_while(|it| it.starts_with(&inside));
                found.extend(places.get(&place).into_iter().chain(behind).cloned());
            }
        }
        found
    }
}

/// What the bytes of a layer are.
struct Checked {
    flaw: Option<FlawCode>,
    /// The image promises something that they can be compared with.
    is_promised: bool,
    digest: Option<Digest>,
}

const UNCHECKED: Checked = Checked { flaw: None, is_promised: false, digest: None };

/// Compares the bytes of a layer with what the image promises, packed or as they are.
fn check(
    window: &Window,
    layer: &Layer,
    layering: &mut Layering,
    options: &Options,
) -> io::Result<Checked> {
    let bytes = window.read(0, HEAD_BYTES)?;
    // A layer without a file is zeros, or nothing.
    let is_plain = matches!(head(&bytes), Head::Container(Kind::Tar)) || is_empty(&bytes);
    let expected: Vec<Digest> =
        layer.digest.into_iter().chain(layer.unpacked.filter(|_| is_plain)).collect();
    if expected.is_empty() && !options.artifact_digest {
        return Ok(UNCHECKED);
    }
    let found = digest::of_window(window)?;
    layering.parts.push((layering.place(layer.part.as_bytes()), window.len(), found));
    let differs = expected.iter().any(|expected| *expected != found);
    // What an archive calls its parts is no promise: its configuration has one of each, unpacked.
    let is_promised =
        layer.unpacked.map_or(layer.digest.is_some(), |unpacked| expected.contains(&unpacked));
    let flaw = differs.then_some(FlawCode::DigestMismatch);
    Ok(Checked { flaw, is_promised, digest: Some(found) })
}

/// The members of a layer, packed or not.
fn open(window: &Window, options: &Options) -> Result<Tar, FlawCode> {
    let bytes = window.read(0, HEAD_BYTES).map_err(|_| FlawCode::IoError)?;
    match head(&bytes) {
        Head::Container(Kind::Tar) => Ok(Tar::new(Feed::of_window(window))),
        _ if is_empty(&bytes) => Ok(Tar::new(Feed::of_window(window))),
        Head::Stream(coding) => {
            let left = options.expanded_bytes_max(window.len());
            let guard: Rc<dyn Guard> = Rc::new(LayerGuard(Rc::new(Cell::new(left))));
            let costs = (cost_of(coding), Held::all(window_of(coding, &bytes)));
            let source = window.clone();
            let open =
                move || decoder_of(coding, &bytes, source.reader()).map_err(io::Error::other);
            let opened = Again::guarded(&guard, costs, open);
            let (inner, again) = opened.map_err(|_| FlawCode::CorruptEntry)?;
            let again = Some(again).filter(|again| may_stand_beside(again.wide_window()));
            Ok(Tar::new(Feed::Pipe(Pipe::of(Bounded { inner, left }, again))))
        }
        _ => Err(FlawCode::MethodUnsupported),
    }
}

fn is_empty(first: &[u8]) -> bool {
    first.iter().all(|byte| *byte == 0)
}

/// How much of a layer may be unpacked again. Each of its files has a time of its own, and what
/// that unpacks again for it is paid before.
struct LayerGuard(Rc<Cell<u64>>);

impl Guard for LayerGuard {
    fn left(&self) -> &Rc<Cell<u64>> {
        &self.0
    }

    fn look(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn windowed(&self, stream: Box<dyn Read>, _: Held) -> Box<dyn Read> {
        stream
    }

    fn make_room(&self, _: u64) {}
}

/// A stream that may give so many bytes.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(LimitedError::Limit(self.left))),
        }
        Ok(read)
    }
}
