//! cpio archives: the payload of rpm and the initial file system of Linux, which is several of
//! them one after the other, some of them compressed.

use std::collections::HashMap;
use std::io;

use relight_model::FlawCode;

use super::{Body, Container, Damage, Entry, Feed, Node, TARGET_BYTES_MAX};
use crate::sniff::{self, Head};
use crate::window::Window;

/// Bytes of one name. Longer ones do not occur, and a header can ask for gigabytes.
const NAME_BYTES_MAX: u64 = 65_535;

/// Zeros between two archives are skipped in pieces of this size.
const ZEROS_BYTES: usize = 4_096;

/// Bytes of names of files that have several: their bytes may come with any of them.
const LINKED_BYTES_MAX: usize = 4 << 20;

/// Bytes that such a name takes beside itself.
const LINKED_NAME_BYTES: usize = 64;

/// A cpio archive, or several.
pub(crate) struct Cpio {
    feed: Feed,
    /// Where the next header stands.
    next: u64,
    done: bool,
    linked: Files,
    /// What comes before the next header, last first.
    ahead: Vec<Entry>,
}

/// What tells a file of several names: its devices and its number.
type Inode = (u64, u64, u64);

/// The files of several names: writers put the bytes behind the last one, and nothing behind the
/// others.
#[derive(Default)]
struct Files {
    files: HashMap<Inode, Names>,
    bytes: usize,
}

/// Under which name the bytes of a file came, or the names that wait for them.
enum Names {
    Read(Vec<u8>),
    Waiting(Vec<Vec<u8>>),
}

impl Files {
    /// Another name of a file without bytes: an entry, unless it waits for them.
    fn empty(&mut self, inode: Inode, name: Vec<u8>) -> Option<Entry> {
        let bytes = name.len() + LINKED_NAME_BYTES;
        if self.bytes + bytes > LINKED_BYTES_MAX {
            let flaws = vec![FlawCode::LimitMemory];
            return Some(Entry { flaws, ..Entry::file(name, Some(0), Body::Nothing) });
        }
        match self.files.entry(inode).or_insert_with(|| Names::Waiting(Vec::new())) {
            Names::Read(file) => return Some(Entry::bare(name, Node::HardLink(file.clone()))),
            Names::Waiting(names) => names.push(name),
        }
        self.bytes += bytes;
        None
    }

    /// The bytes of a file: the names that waited for them, last first.
    fn full(&mut self, inode: Inode, name: &[u8]) -> Vec<Entry> {
        let bytes = name.len() + LINKED_NAME_BYTES;
        let before = if self.bytes + bytes > LINKED_BYTES_MAX {
            self.files.remove(&inode)
        } else {
            self.bytes += bytes;
            self.files.insert(inode, Names::Read(name.to_vec()))
        };
        let link = |waited| Entry::bare(waited, Node::HardLink(name.to_vec()));
        match before {
            Some(Names::Waiting(names)) => names.into_iter().rev().map(link).collect(),
            Some(Names::Read(_)) | None => Vec::new(),
        }
    }

    /// The archive ends: who still waits is empty. Last first.
    fn end(&mut self) -> Vec<Entry> {
        let files = std::mem::take(self).files.into_values();
        let waiting = files.flat_map(|names| match names {
            Names::Waiting(names) => names,
            Names::Read(_) => Vec::new(),
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        let empty = |name| Entry::file(name, Some(0), Body::Plain(Window::default()));
        waiting.into_iter().map(empty).collect()
    }
}

/// One header.
struct Header {
    mode: u64,
    size: u64,
    name_len: u64,
    header_len: u64,
    /// How many names the file has, and what tells it.
    links: u64,
    inode: Inode,
    device: (u64, u64),
    /// Names and data start at multiples of this.
    align: u64,
}

impl Cpio {
    pub(crate) fn new(feed: Feed) -> Self {
        let (linked, ahead) = Default::default();
        Self { feed, next: 0, done: false, linked, ahead }
    }

    fn step(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        loop {
            if let Some(entry) = self.ahead.pop() {
                return Ok(Some(Ok(entry)));
            }
            if !self.feed.seek(self.next)? {
                return Ok(Some(Err(Damage::new(FlawCode::Truncated, 0))));
            }
            let start = self.feed.position();
            let head = self.feed.peek(110)?;
            if head.first() == Some(&0) {
                self.skip_zeros()?;
                self.next = self.feed.position();
                continue;
            }
            let Some(header) = parse(&head) else { return self.behind(&head) };
            if header.name_len > NAME_BYTES_MAX || header.name_len == 0 {
                return Ok(Some(Err(Damage::new(FlawCode::CorruptEntry, 0))));
            }
            let name_at = start + header.header_len;
            self.feed.seek(name_at)?;
            let mut name = self.feed.take(header.name_len as usize)?;
            if name.len() as u64 != header.name_len {
                return Ok(Some(Err(Damage::new(FlawCode::Truncated, 0))));
            }
            let end = name.iter().position(|byte| *byte == 0);
            name.truncate(end.unwrap_or(name.len()));
            let data_at = padded(start, name_at + header.name_len, header.align);
            self.feed.seek(data_at)?;
            self.next = padded(start, data_at.saturating_add(header.size), header.align);
            if name == b"TRAILER!!!" {
                self.ahead = self.linked.end();
            } else if let Some(mut entry) = self.entry(name, &header)? {
                entry.flaws.extend(end.is_none().then_some(FlawCode::CorruptEntry));
                return Ok(Some(Ok(entry)));
            }
        }
    }

    /// A member; `None` for a name whose file comes later.
    fn entry(&mut self, name: Vec<u8>, header: &Header) -> io::Result<Option<Entry>> {
        let name = name.strip_prefix(b"./").map_or_else(|| name.clone(), <[u8]>::to_vec);
        // What is no file has no bytes: where it has, it was one.
        let mut is_sound = header.size == 0;
        let node = match header.mode & 0o170_000 {
            0o040_000 => Node::Folder,
            0o120_000 => {
                let mut target = self.feed.peek(header.size.min(NAME_BYTES_MAX) as usize)?;
                // Some writers end it as they end names.
                let end = target.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                target.truncate(end);
                // Text of several lines, or more than a link may say, was a file.
                let is_name = !target.iter().any(|byte| matches!(byte, 0 | b'\n' | b'\r'));
                is_sound = header.size <= TARGET_BYTES_MAX as u64 + 1 && is_name;
                Node::Link(target)
            }
            0o100_000 | 0 if header.links > 1 && header.size == 0 => {
                return Ok(self.linked.empty(header.inode, name));
            }
            0o100_000 | 0 => {
                if header.links > 1 {
                    self.ahead = self.linked.full(header.inode, &name);
                }
                let mut entry = Entry::file(name, Some(header.size), self.feed.body(header.size));
                if !self.feed.has(header.size) {
                    entry.flaws.push(FlawCode::Truncated);
                }
                return Ok(Some(entry));
            }
            _ => Node::Device(header.device.0 as u32, header.device.1 as u32),
        };
        let flaws = if is_sound { Vec::new() } else { vec![FlawCode::CorruptEntry] };
        Ok(Some(Entry { flaws, ..Entry::bare(name, node) }))
    }

    /// What stands where no header is: something compressed, or the end.
    fn behind(&mut self, head: &[u8]) -> io::Result<Option<Result<Entry, Damage>>> {
        self.done = true;
        self.ahead = self.linked.end();
        if head.is_empty() {
            return Ok(self.ahead.pop().map(Ok));
        }
        let head = self.feed.peek(sniff::HEAD_BYTES)?;
        if matches!(sniff::head(&head), Head::Stream(_)) {
            let mut entry = Entry::file(b"next".to_vec(), None, self.feed.rest());
            entry.is_step = false;
            return Ok(Some(Ok(entry)));
        }
        Ok(Some(Err(Damage::new(FlawCode::CorruptEntry, 0))))
    }

    fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let piece = self.feed.peek(ZEROS_BYTES)?;
            let zeros = piece.iter().take_while(|byte| **byte == 0).count();
            self.feed.take(zeros)?;
            if zeros < piece.len() || piece.is_empty() {
                return Ok(());
            }
        }
    }
}

impl Container for Cpio {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if self.done {
            return self.ahead.pop().map(Ok);
        }
        let step = self.step().unwrap_or_else(|error| Some(Err(Damage::of(&error))));
        // Behind something that is no header there is no telling where the next one would be.
        if !matches!(step, Some(Ok(_))) {
            self.done = true;
            self.ahead.extend(self.linked.end());
        }
        step
    }
}

/// The next multiple of `align`, counted from the start of the header: archives inside something
/// else need not be aligned themselves.
fn padded(start: u64, at: u64, align: u64) -> u64 {
    start.saturating_add((at - start).div_ceil(align).saturating_mul(align))
}

fn parse(head: &[u8]) -> Option<Header> {
    match head {
        [b'0', b'7', b'0', b'7', b'0', b'1' | b'2', ..] => new_ascii(head),
        [b'0', b'7', b'0', b'7', b'0', b'7', ..] => old_ascii(head),
        [0xc7, 0x71, ..] => binary(head),
        _ => None,
    }
}

/// `newc` and `crc`: 13 fields of eight hexadecimal digits behind the mark.
fn new_ascii(head: &[u8]) -> Option<Header> {
    let field = |number: usize| {
        let digits = head.get(6 + number * 8..14 + number * 8)?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    Some(Header {
        mode: field(1)?,
        size: field(6)?,
        name_len: field(11)?,
        header_len: 110,
        links: field(4)?,
        inode: (field(7)?, field(8)?, field(0)?),
        device: (field(9)?, field(10)?),
        align: 4,
    })
}

/// `odc`: octal digits.
fn old_ascii(head: &[u8]) -> Option<Header> {
    let field = |at: usize, len: usize| {
        let digits = head.get(at..at + len)?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
    };
    Some(Header {
        mode: field(18, 6)?,
        size: field(65, 11)?,
        name_len: field(59, 6)?,
        header_len: 76,
        links: field(36, 6)?,
        inode: (0, field(6, 6)?, field(12, 6)?),
        device: (0, field(42, 6)?),
        align: 1,
    })
}

/// The oldest: words of 16 bits, as a little-endian machine wrote them.
fn binary(head: &[u8]) -> Option<Header> {
    let word = |at: usize| head.get(at..at + 2).map(|_| u64::from(super::u16_at(head, at)));
    Some(Header {
        mode: word(6)?,
        size: word(22)? << 16 | word(24)?,
        name_len: word(20)?,
        header_len: 26,
        links: word(12)?,
        inode: (0, word(2)?, word(4)?),
        device: (0, word(14)?),
        align: 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(entry: Entry) -> String {
        let target = match &entry.node {
            Node::HardLink(target) => format!(" of {}", String::from_utf8_lossy(target)),
            _ => String::new(),
        };
        let flaws: String = entry.flaws.iter().map(|code| format!(" {}", code.as_str())).collect();
        format!("{}{target}{flaws}", String::from_utf8_lossy(&entry.name))
    }

    fn names(entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
        entries.into_iter().map(name).collect()
    }

    #[test]
    fn names_wait_for_the_bytes_of_their_file() {
        let (mut files, nothing) = (Files::default(), Vec::<String>::new());
        assert_eq!(names(files.empty((0, 0, 1), b"a".to_vec())), nothing);
        assert_eq!(names(files.empty((0, 0, 2), b"other".to_vec())), nothing);
        assert_eq!(names(files.empty((0, 0, 1), b"b".to_vec())), nothing);
        assert_eq!(names(files.full((0, 0, 1), b"c")), ["b of c", "a of c"], "last first");
        assert_eq!(names(files.empty((0, 0, 1), b"d".to_vec())), ["d of c"]);
        // Old writers put the bytes behind each name.
        assert_eq!(names(files.full((0, 0, 1), b"e")), nothing);
        assert_eq!(names(files.end()), ["other"]);
        assert_eq!(names(files.empty((0, 0, 1), b"a".to_vec())), nothing, "another archive");
    }

    #[test]
    fn more_names_than_are_kept_are_said() {
        let mut files = Files::default();
        let name = vec![b'n'; LINKED_BYTES_MAX - LINKED_NAME_BYTES];
        assert!(files.empty((0, 0, 1), name.clone()).is_none());
        assert_eq!(names(files.empty((0, 0, 1), Vec::new())), [" limit-memory"]);
        assert_eq!(files.full((0, 0, 1), b"c").len(), 1, "who waits gets its bytes");
        assert_eq!(names(files.empty((0, 0, 1), Vec::new())), [" limit-memory"]);
    }
}
