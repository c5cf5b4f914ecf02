//! The modules of a Java runtime in one file (`lib/modules`), as `jlink` writes them: those of the
//! runtime, and those of an application that was linked with it.
//!
//! ```text
//! header     magic, version, flags, resources, length of the table, bytes of locations and strings
//! table      redirects (4 bytes each) of the hash, and the place of each location
//! locations  attributes: kind and length in one byte, then the value; kind 0 ends
//! strings    ended by zeros
//! content    resources, each as it stands or behind headers of 29 bytes that say how it is packed
//! ```

use std::collections::BTreeMap;
use std::vec;

use relight_formats::limited::coding::{Coding, decoder};
use relight_model::FlawCode;

use super::{Body, Container, Damage, Entry, Feed};
use crate::program::number;

/// Bytes of the header.
const HEADER_BYTES: u64 = 28;

/// Bytes of tables, locations and strings together; a whole runtime has three million.
const INDEX_BYTES_MAX: u64 = 8 << 20;

/// Bytes of one name, of which a path has four; names in a file may overlap, so that each of many
/// could be as long as all together.
const NAME_BYTES_MAX: usize = 1_024;

/// Modules of the runtime that are told apart; a whole one has seventy.
const MODULES_MAX: usize = 1_024;

/// Modules of the standard, behind `java.`: libraries are called so as well (`java.xml.bind`).
const STANDARD_MODULES: [&str; 22] = [
    "base",
    "compiler",
    "datatransfer",
    "desktop",
    "instrument",
    "logging",
    "management",
    "management.rmi",
    "naming",
    "net.http",
    "prefs",
    "rmi",
    "scripting",
    "se",
    "security.jgss",
    "security.sasl",
    "smartcardio",
    "sql",
    "sql.rowset",
    "transaction.xa",
    "xml",
    "xml.crypto",
];

/// Bytes that say in which modules a package is: eight for each.
const INDEX_ENTRY_BYTES_MAX: u64 = 8 << 10;

/// Bytes in front of a packed resource.
const PACKED_HEADER_BYTES: u64 = 29;

/// Bytes behind the last resource that belong to no other: where its two folders are (`/modules`
/// and `/packages`), as every `jlink` writes it.
const ROOT_BYTES: usize = 8;

/// Zeros behind them, in bytes: no archive stands in them.
const PADDING_BYTES_MAX: usize = 64 << 10;

/// Attributes of a location.
const ATTRIBUTES: usize = 8;
const MODULE: usize = 1;
const PARENT: usize = 2;
const BASE: usize = 3;
const ENDING: usize = 4;
const OFFSET: usize = 5;
const PACKED: usize = 6;
const SIZE: usize = 7;

/// The modules of a Java runtime.
pub(crate) struct Jimage {
    feed: Feed,
    /// `None` until it was read.
    index: Option<Index>,
}

#[derive(Default)]
struct Index {
    little: bool,
    locations: Vec<u8>,
    strings: Vec<u8>,
    /// Where resources start.
    content: u64,
    /// Where the last one ends, from there.
    end: u64,
    /// Something of it was told, or its end was looked at.
    is_told: bool,
    /// Modules of the runtime itself, and their bytes.
    own: vec::IntoIter<(Vec<u8>, u64)>,
    /// Resources of other modules: where they start, and where their locations are.
    others: vec::IntoIter<(u64, u32)>,
}

impl Jimage {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { feed, index: None }
    }

    fn load(&mut self) -> Result<Index, Damage> {
        let damage = |error| Damage::of(&error);
        let header = self.feed.take(HEADER_BYTES as usize).map_err(damage)?;
        let little = header.starts_with(&[0xda]);
        let field = |at: usize| number(header.get(at..at + 4).unwrap_or_default(), little);
        if header.len() < HEADER_BYTES as usize {
            return Err(Damage::new(FlawCode::Truncated, 0));
        }
        if field(4) >> 16 != 1 {
            return Err(Damage::new(FlawCode::ContainerUnsupported, 0));
        }
        let (table, locations, strings) = (field(16), field(20), field(24));
        let bytes = table * 8 + locations + strings;
        if bytes > INDEX_BYTES_MAX {
            return Err(Damage::new(FlawCode::LimitMemory, 0));
        }
        let mut take = |len: u64| {
            let bytes = self.feed.take(len as usize).map_err(damage)?;
            let is_whole = bytes.len() as u64 == len;
            is_whole.then_some(bytes).ok_or(Damage::new(FlawCode::Truncated, 0))
        };
        take(table * 4)?;
        let (places, locations) = (take(table * 4)?, take(locations)?);
        let (strings, content) = (take(strings)?, HEADER_BYTES + bytes);
        let mut index = Index { little, locations, strings, content, ..Index::default() };
        index.sort(&places);
        Ok(index)
    }
}

impl Index {
    /// Divides the resources into those of the runtime and all others.
    fn sort(&mut self, places: &[u8]) {
        let (mut own, mut others) = (BTreeMap::<&[u8], u64>::new(), Vec::new());
        let mut end = 0;
        for place in places.chunks_exact(4) {
            let place = number(place, self.little) as u32;
            let attributes = self.attributes(place);
            let module = self.string(attributes[MODULE]);
            if attributes[BASE] == 0 {
                continue;
            }
            end = end.max(attributes[OFFSET].saturating_add(stored_bytes(&attributes)));
            let is_of_runtime = is_of_runtime(module) || self.is_index(&attributes);
            let may_be_told = own.len() < MODULES_MAX || own.contains_key(module);
            if is_of_runtime && may_be_told && module.len() <= NAME_BYTES_MAX {
                let bytes = own.entry(module).or_default();
                *bytes = bytes.saturating_add(attributes[SIZE]);
            } else {
                others.push((attributes[OFFSET], place));
            }
        }
        let own: Vec<_> = own.into_iter().map(|(module, size)| (module.to_vec(), size)).collect();
        others.sort_unstable();
        (self.own, self.others, self.end) = (own.into_iter(), others.into_iter(), end);
    }

    /// What is wrong behind the last resource: told once, and not where something was told before.
    fn tail(&mut self, feed: &mut Feed) -> Option<Damage> {
        if std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        match behind(feed, self.content.saturating_add(self.end)) {
            Ok(code) => code.map(|code| Damage::new(code, 0)),
            Err(error) => Some(Damage::of(&error)),
        }
    }

    fn attributes(&self, place: u32) -> [u64; ATTRIBUTES] {
        let mut attributes = [0; ATTRIBUTES];
        let mut rest = self.locations.get(place as usize..).unwrap_or_default();
        while let Some((first, behind)) = rest.split_first() {
            let (kind, len) = (usize::from(first >> 3), usize::from(first & 7) + 1);
            let Some((value, behind)) = behind.split_at_checked(len).filter(|_| kind != 0) else {
                break;
            };
            if let Some(attribute) = attributes.get_mut(kind) {
                *attribute = number(value, false);
            }
            rest = behind;
        }
        attributes
    }

    /// Whether it says in which modules a package is (`/packages/java.util.jar`), which is no
    /// archive whatever it is called.
    fn is_index(&self, attributes: &[u64; ATTRIBUTES]) -> bool {
        self.string(attributes[MODULE]) == b"packages"
            && self.string(attributes[PARENT]).is_empty()
            && attributes[SIZE] <= INDEX_ENTRY_BYTES_MAX
            && attributes[SIZE].is_multiple_of(8)
    }

    /// The text at a place, or more of it than [`NAME_BYTES_MAX`].
    fn string(&self, at: u64) -> &[u8] {
        let rest = usize::try_from(at).ok().and_then(|at| self.strings.get(at..));
        let rest = rest.unwrap_or_default();
        let rest = &rest[..rest.len().min(NAME_BYTES_MAX + 1)];
        let end = memchr::memchr(0, rest).unwrap_or(rest.len());
        &rest[..end]
    }

    /// `module/org/example/Main.class`.
    fn name(&self, attributes: &[u64; ATTRIBUTES]) -> Vec<u8> {
        let mut name = self.string(attributes[MODULE]).to_vec();
        for (mark, kind) in [(b'/', PARENT), (b'/', BASE), (b'.', ENDING)] {
            let part = self.string(attributes[kind]);
            if !part.is_empty() {
                name.push(mark);
                name.extend_from_slice(part);
            }
        }
        name
    }
}

/// Names that belong to the runtime. What is called `jdk.` is trusted to: other distributions add
/// modules of their own there, and libraries do not use it.
fn is_of_runtime(module: &[u8]) -> bool {
    let standard = module.strip_prefix(b"java.").and_then(|name| str::from_utf8(name).ok());
    module.starts_with(b"jdk.") || standard.is_some_and(|name| STANDARD_MODULES.contains(&name))
}

impl Container for Jimage {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if self.index.is_none() {
            match self.load() {
                Ok(index) => self.index = Some(index),
                Err(damage) => {
                    self.index = Some(Index { is_told: true, ..Index::default() });
                    return Some(Err(damage));
                }
            }
        }
        let index = self.index.as_mut()?;
        if let Some((module, size)) = index.own.next() {
            let mut entry = Entry::file(module, Some(size), Body::Nothing);
            entry.is_listed_only = true;
            return Some(Ok(entry));
        }
        let Some((_, place)) = index.others.next() else {
            return index.tail(&mut self.feed).map(Err);
        };
        let attributes = index.attributes(place);
        let mut entry = Entry::file(index.name(&attributes), Some(attributes[SIZE]), Body::Nothing);
        let parts = [MODULE, PARENT, BASE, ENDING];
        if parts.iter().any(|kind| index.string(attributes[*kind]).len() > NAME_BYTES_MAX) {
            entry.flaws.push(FlawCode::LimitMemory);
        }
        match body(&mut self.feed, index, &attributes) {
            Ok(body) => entry.body = body,
            Err(code) => entry.flaws.push(code),
        }
        index.is_told |= !entry.flaws.is_empty();
        Some(Ok(entry))
    }
}

/// Bytes that a resource takes.
const fn stored_bytes(attributes: &[u64; ATTRIBUTES]) -> u64 {
    if attributes[PACKED] == 0 { attributes[SIZE] } else { attributes[PACKED] }
}

/// What is wrong behind the last resource, where a runtime ends: something else, or it is cut.
fn behind(feed: &mut Feed, end: u64) -> std::io::Result<Option<FlawCode>> {
    if !feed.seek(end)? {
        return Ok(Some(FlawCode::Truncated));
    }
    let rest = feed.take(ROOT_BYTES + PADDING_BYTES_MAX + 1)?;
    let padding = rest.get(ROOT_BYTES..).unwrap_or_default();
    let is_padding = padding.len() <= PADDING_BYTES_MAX && padding.iter().all(|byte| *byte == 0);
    Ok((!is_padding).then_some(FlawCode::CorruptEntry))
}

/// The bytes of a resource. Resources stand one behind the other.
fn body(feed: &mut Feed, index: &Index, attributes: &[u64; ATTRIBUTES]) -> Result<Body, FlawCode> {
    let failed = |error: &std::io::Error| super::code_of(error);
    let start = index.content.saturating_add(attributes[OFFSET]);
    if feed.position() > start {
        return Err(FlawCode::ZipOverlap);
    }
    if !feed.seek(start).map_err(|error| failed(&error))? {
        return Err(FlawCode::Truncated);
    }
    let (packed, size, len) = (attributes[PACKED], attributes[SIZE], stored_bytes(attributes));
    if !feed.has(len) {
        return Err(FlawCode::Truncated);
    }
    let body = if packed == 0 { feed.body(size) } else { unpacked(feed, index, packed)? };
    // A window does not move with its bodies.
    if let Feed::Window { at, .. } = feed {
        *at = start.saturating_add(len);
    }
    Ok(body)
}

/// A resource that was packed once, by `zip`, which is zlib.
fn unpacked(feed: &mut Feed, index: &Index, packed: u64) -> Result<Body, FlawCode> {
    let failed = |error: std::io::Error| super::code_of(&error);
    let header = feed.take(PACKED_HEADER_BYTES as usize).map_err(failed)?;
    let field = |at: usize| header.get(at..at + 4).map(|bytes| number(bytes, index.little));
    let name = field(20).map(|at| index.string(at));
    let is_known = field(0) == Some(0xcafe_fafa) && header.last() == Some(&1);
    if !is_known || name != Some(b"zip") {
        return Err(FlawCode::MethodUnsupported);
    }
    let len = packed.checked_sub(PACKED_HEADER_BYTES).ok_or(FlawCode::CorruptEntry)?;
    match feed.body(len) {
        Body::Plain(window) => Ok(Body::Packed(window, Coding::Zlib)),
        Body::Stream(stream, _) => match decoder(Coding::Zlib, stream) {
            Ok(stream) => Ok(Body::Stream(stream, None)),
            Err(_) => Err(FlawCode::CorruptEntry),
        },
        body => Ok(body),
    }
}
