//! ISO 9660 images, with the long names of Joliet and Rock Ridge.
//!
//! An image may describe its files twice, once in each naming. Both trees are walked, the one with
//! the better names first; an extent that was seen is not read again.

use std::collections::{HashMap, HashSet};
use std::io;

use relight_model::FlawCode;

use super::{Body, Container, Damage, Entry, Node, u32_at};
use crate::window::Window;

/// Bytes of a sector.
const SECTOR: u64 = 2_048;

/// Volume descriptors that are looked at.
const DESCRIPTORS_MAX: u64 = 64;

/// Bytes of one folder.
const FOLDER_BYTES_MAX: u64 = 16 << 20;

/// Folders in one image; each is remembered so that a loop ends.
const FOLDERS_MAX: usize = 262_144;

/// Continuations of the fields of one record.
const CONTINUATIONS_MAX: u32 = 32;

/// An ISO image.
pub(crate) struct Iso {
    window: Window,
    /// Folders that wait: path, extent, size, and whether names are those of Joliet.
    folders: Vec<Place>,
    /// Records of the open folder that wait, in reverse.
    records: Vec<Record>,
    seen_folders: HashSet<(u64, bool)>,
    seen_files: HashMap<(u64, u64), bool>,
    damage: Vec<Damage>,
}

#[derive(Clone)]
struct Place {
    path: Vec<u8>,
    at: u64,
    size: u64,
    is_joliet: bool,
}

struct Record {
    place: Place,
    node: Node,
    /// Parts of the file that follow the first, where it has several.
    more: Vec<(u64, u64)>,
    is_packed: bool,
}

impl Iso {
    /// Reads the volume descriptors.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn open(window: Window) -> io::Result<Self> {
        let window = window.cached();
        let mut roots = Vec::new();
        let mut damage = Vec::new();
        for number in 16..16 + DESCRIPTORS_MAX {
            let sector = window.read_small(number * SECTOR, SECTOR as usize)?;
            let mark = sector.get(1..6).unwrap_or_default();
            match (mark, sector.first()) {
                (b"CD001", Some(1)) => roots.push(root(&sector, false)),
                (b"CD001", Some(2)) if sector[88..91].starts_with(b"%/") => {
                    roots.push(root(&sector, true));
                }
                (b"CD001" | b"BEA01" | b"TEA01", _) => {}
                // UDF holds files that the other trees need not have.
                (b"NSR02" | b"NSR03", _) => {
                    damage.push(Damage::new(FlawCode::ContainerUnsupported, window.len()));
                }
                _ => break,
            }
        }
        if roots.is_empty() {
            damage.push(Damage::new(FlawCode::CorruptEntry, window.len()));
        }
        // Rock Ridge has whole names in the first tree; without it Joliet's are better.
        if !has_rock_ridge(&window, roots.first())? {
            roots.sort_by_key(|root| !root.is_joliet);
        }
        roots.reverse();
        Ok(Self {
            window,
            folders: roots,
            records: Vec::new(),
            seen_folders: HashSet::new(),
            seen_files: HashMap::new(),
            damage,
        })
    }

    /// Whether what ends at `end` is in one of the first `entries_max` files of the image, which is
    /// read as that.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn holds(window: Window, end: u64, entries_max: u64) -> io::Result<bool> {
        let mut image = Self::open(window)?;
        let is_in = |image: &mut Self| {
            image.seen_files.drain().any(|((at, size), _)| at < end && end <= at + size)
        };
        for _ in 0..entries_max {
            if image.next().is_none() {
                break;
            }
            if is_in(&mut image) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn step(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        loop {
            if let Some(record) = self.records.pop() {
                if let Some(entry) = self.entry(record) {
                    return Ok(Some(Ok(entry)));
                }
                continue;
            }
            let Some(folder) = self.folders.pop() else { return Ok(None) };
            if let Some(damage) = self.list(&folder)? {
                return Ok(Some(Err(damage)));
            }
        }
    }

    /// Lists a folder that was not listed before.
    fn list(&mut self, folder: &Place) -> io::Result<Option<Damage>> {
        if !self.seen_folders.insert((folder.at, folder.is_joliet)) {
            return Ok(None);
        }
        if folder.size > FOLDER_BYTES_MAX || self.seen_folders.len() > FOLDERS_MAX {
            return Ok(Some(Damage::new(FlawCode::LimitEntries, folder.size)));
        }
        let bytes = self.window.read(folder.at, folder.size as usize)?;
        let mut records = Vec::new();
        let mut at = 0;
        while let Some(len) = bytes.get(at).map(|len| usize::from(*len)) {
            if len == 0 {
                // Records do not cross sectors.
                at = (at / SECTOR as usize + 1) * SECTOR as usize;
                continue;
            }
            match bytes.get(at..at + len).filter(|record| record.len() >= 34) {
                Some(record) => self.record(record, folder, &mut records)?,
                None => return Ok(Some(Damage::new(FlawCode::CorruptEntry, folder.size))),
            }
            at += len;
        }
        records.reverse();
        self.records = records;
        let whole = bytes.len() as u64 == folder.size;
        Ok((!whole).then_some(Damage::new(FlawCode::Truncated, folder.size)))
    }

    fn record(&self, record: &[u8], folder: &Place, out: &mut Vec<Record>) -> io::Result<()> {
        let name = record.get(33..33 + usize::from(record[32])).unwrap_or_default();
        // The folder itself and the one around it.
        if matches!(name, [0] | [1]) {
            return Ok(());
        }
        let (at, size) = (u64::from(u32_at(record, 2)) * SECTOR, u64::from(u32_at(record, 10)));
        let at = at + u64::from(record[1]) * SECTOR;
        let flags = record[25];
        let fields = self.fields(record, 33 + name.len() + usize::from(name.len() % 2 == 0))?;
        let name = match (fields.name, folder.is_joliet) {
            (Some(name), false) => name,
            (_, true) => without_version(&utf16(name)),
            (None, false) => without_version(name),
        };
        if let Some(last) = out.last_mut().filter(|last| {
            last.place.path.ends_with(&name) && flags & 2 == 0 && !last.more.is_empty()
        }) && last.more.last() == Some(&(0, 0))
        {
            // The next part of a file in several extents.
            last.more.pop();
            last.more.push((at, size));
            last.more.extend((flags & 0x80 != 0).then_some((0, 0)));
            return Ok(());
        }
        let path =
            if folder.path.is_empty() { name } else { [&folder.path[..], &name].join(&b'/') };
        let node = match fields.link {
            Some(target) => Node::Link(target),
            None if flags & 2 != 0 => Node::Folder,
            None => Node::File,
        };
        let more = if flags & 0x80 != 0 { vec![(0, 0)] } else { Vec::new() };
        let place = Place { path, at, size, is_joliet: folder.is_joliet };
        out.push(Record { place, node, more, is_packed: fields.is_packed });
        Ok(())
    }

    /// The fields of Rock Ridge (IEEE P1282), through their continuations.
    fn fields(&self, record: &[u8], at: usize) -> io::Result<Fields> {
        let mut fields = Fields::default();
        let mut area = record.get(at..).unwrap_or_default().to_vec();
        for _ in 0..CONTINUATIONS_MAX {
            let mut next = None;
            let mut rest = &area[..];
            while let [_, _, len @ 4..=255, _, ..] = rest {
                let Some((field, tail)) = rest.split_at_checked(usize::from(*len)) else { break };
                rest = tail;
                if field.starts_with(b"CE") {
                    let place = u64::from(u32_at(field, 4)) * SECTOR;
                    next = Some((place + u64::from(u32_at(field, 12)), u32_at(field, 20)));
                }
                fields.take(field);
            }
            let Some((place, len)) = next else { break };
            area = self.window.read_small(place, (len as usize).min(SECTOR as usize))?;
        }
        Ok(fields)
    }

    fn entry(&mut self, record: Record) -> Option<Entry> {
        let Record { place, node, more, is_packed } = record;
        if node == Node::Folder {
            self.folders.push(place.clone());
        }
        if node != Node::File {
            return Some(Entry::bare(place.path, node));
        }
        // Both trees name the same bytes, and one of them is enough; names of the same tree are
        // those of links, and each may say what the other does not.
        let first = self.seen_files.entry((place.at, place.size)).or_insert(place.is_joliet);
        if place.size > 0 && *first != place.is_joliet {
            return None;
        }
        let size = place.size + more.iter().map(|(_, size)| size).sum::<u64>();
        let adjoins = |(at, len): (u64, u64), next: &(u64, u64)| {
            (next.0 == at + len || *next == (0, 0)).then_some((at, len + next.1))
        };
        let run = more.iter().try_fold((place.at, place.size), adjoins);
        let body = run.map(|(at, len)| self.window.part(at, len).uncached());
        let mut entry = Entry::file(place.path, Some(size), Body::Nothing);
        match body {
            _ if is_packed => entry.flaws.push(FlawCode::MethodUnsupported),
            None => entry.flaws.push(FlawCode::CorruptEntry),
            Some(body) => {
                if body.len() < size {
                    entry.flaws.push(FlawCode::Truncated);
                }
                entry.body = Body::Plain(body);
            }
        }
        Some(entry)
    }
}

impl Container for Iso {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if let Some(damage) = self.damage.pop() {
            return Some(Err(damage));
        }
        self.step().unwrap_or_else(|error| {
            self.folders.clear();
            Some(Err(Damage::of(&error)))
        })
    }
}

/// What the fields behind a record say.
#[derive(Default)]
struct Fields {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    /// The last name in it is not all there yet.
    goes_on: bool,
    /// Compressed by `mkzftree`.
    is_packed: bool,
}

impl Fields {
    fn take(&mut self, field: &[u8]) {
        match field {
            [b'N', b'M', _, _, _, name @ ..] => {
                self.name.get_or_insert_default().extend_from_slice(name);
            }
            [b'S', b'L', _, _, _, parts @ ..] => self.take_link(parts),
            [b'Z', b'F', ..] => self.is_packed = true,
            _ => {}
        }
    }

    /// Names of what a link says, each with what it is and how long.
    fn take_link(&mut self, mut parts: &[u8]) {
        while let [flags, len, rest @ ..] = parts {
            let Some((name, rest)) = rest.split_at_checked(usize::from(*len)) else { return };
            if let Some(link) = self.link.as_mut().filter(|_| !self.goes_on) {
                link.push(b'/');
            }
            let name: &[u8] = match flags & 0x0e {
                2 => b".",
                4 => b"..",
                // The root, in front of the slash.
                8 => b"",
                _ => name,
            };
            self.link.get_or_insert_default().extend_from_slice(name);
            self.goes_on = flags & 1 == 1;
            parts = rest;
        }
    }
}

fn root(sector: &[u8], is_joliet: bool) -> Place {
    let (at, size) = (u32_at(sector, 158), u32_at(sector, 166));
    Place { path: Vec::new(), at: u64::from(at) * SECTOR, size: size.into(), is_joliet }
}

/// Whether the first record of the root has a field of SUSP.
fn has_rock_ridge(window: &Window, root: Option<&Place>) -> io::Result<bool> {
    let Some(root) = root else { return Ok(false) };
    let record = window.read_small(root.at, 64)?;
    Ok(record.get(34..36) == Some(b"SP"))
}

/// Names of Joliet are UTF-16, big-endian.
fn utf16(name: &[u8]) -> Vec<u8> {
    let (words, _) = name.as_chunks::<2>();
    let words: Vec<u16> = words.iter().map(|word| u16::from_be_bytes(*word)).collect();
    String::from_utf16_lossy(&words).into_bytes()
}

/// `X.JAR;1` is `X.JAR`, and `X.;1` is `X`.
fn without_version(name: &[u8]) -> Vec<u8> {
    let name = name.split(|byte| *byte == b';').next().unwrap_or_default();
    name.strip_suffix(b".").unwrap_or(name).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what a link of Rock Ridge says is one path. Method: names of each kind, one of which
    /// goes on in the next field.
    #[test]
    fn the_parts_of_a_link_are_one_path() {
        let of = |fields: &[&[u8]]| {
            let mut all = Fields::default();
            for parts in fields {
                all.take(&[&[b'S', b'L', parts.len() as u8 + 5, 1, 0], *parts].concat());
            }
            all.link.map(|link| String::from_utf8(link).unwrap())
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(of(&[b"\x04\0\0\x05store\0\x02ab"]), is("../store/ab"));
        assert_eq!(of(&[b"\x08\0\0\x01a\x02\0"]), is("/a/."));
        assert_eq!(of(&[b"\x01\x02st", b"\0\x03ore\0\x01a"]), is("store/a"));
        assert_eq!(of(&[b"\0\x09cut"]), None);
        assert_eq!(of(&[]), None);
    }
}
