//! A zip that comes by once, front to back: an inner archive too large to be held in memory.
//!
//! Deflated members end by themselves; a stored one whose size stands behind it ends where a data
//! descriptor agrees with what has come by. When the central directory comes, it is compared with
//! what was seen; another archive may stand behind it, and the last one is what loaders open.

use std::collections::HashMap;
use std::io::{self, Read};

use memchr::memmem;
use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::{Coding, Crc32, Held, Stepper, decoder_of};
use relight_model::FlawCode;

use super::directory::hash;
use super::header::{DESCRIPTOR, Header, parse_local};
use super::{CENTRAL, IN_ZIP64, LOCAL, LOCAL_BYTES, apply_zip64};
use crate::archive::{Body, Container, Damage, Entry, Listable, Node, Pipe, u16_at, u32_at};
use crate::sniff::HEAD_BYTES;

/// Signature of a data descriptor.
const DESCRIPTOR_MARK: [u8; 4] = *b"PK\x07\x08";

/// Longest data descriptor: signature, check sum and two sizes of zip64.
const DESCRIPTOR_BYTES_MAX: usize = 24;

/// Bytes that are looked through for the end of a member that is only listed: most have fewer.
const LISTED_BYTES: usize = 8 << 10;

/// As many at most; a longer member is read to its end.
const LISTED_BYTES_MAX: usize = 2 << 20;

/// A zip over a [`Pipe`].
pub(crate) struct Forward {
    pipe: Pipe,
    /// Where the member before must end, when its header says so.
    end: Option<u64>,
    /// Nothing was recognised yet: what comes may be a program with an archive behind it.
    is_prefix: bool,
    /// What came by and is not yet in the directory, by how often: hashes of all that headers said,
    /// or of the name alone where the end stood behind the member and was found by reading it.
    seen: HashMap<u64, i64>,
    damage: Vec<Damage>,
    /// A directory has come by.
    is_listed: bool,
    done: bool,
}

impl Forward {
    /// `is_prefix`: something else may stand in front of the archive, or there may be none.
    pub(crate) fn new(pipe: Pipe, is_prefix: bool) -> Self {
        let (end, seen) = (None, HashMap::new());
        Self { pipe, end, is_prefix, seen, damage: Vec::new(), is_listed: false, done: false }
    }

    fn step(&mut self) -> io::Result<Option<Entry>> {
        if let Some(end) = self.end.take() {
            self.pipe.seek(end)?;
        }
        loop {
            let mark = self.pipe.peek(4)?;
            if mark == LOCAL {
                if let Some(entry) = self.member()? {
                    return Ok(Some(entry));
                }
            } else if mark == CENTRAL && !self.is_prefix {
                self.directory()?;
                continue;
            } else if mark == DESCRIPTOR_MARK && !self.is_prefix {
                self.descriptor()?;
                continue;
            } else if mark.len() < 4 {
                return self.ended();
            }
            if !self.search()? {
                return self.ended();
            }
        }
    }

    /// Reads a local header; `None`, and nothing taken, when it is not plausible.
    fn member(&mut self) -> io::Result<Option<Entry>> {
        let fixed = self.pipe.peek(LOCAL_BYTES as usize)?;
        let lens = usize::from(u16_at(&fixed, 26)) + usize::from(u16_at(&fixed, 28));
        let all = self.pipe.peek(LOCAL_BYTES as usize + lens)?;
        let rest = all.get(LOCAL_BYTES as usize..).unwrap_or_default();
        let Some(header) = parse_local(&fixed, rest, 0) else { return Ok(None) };
        if self.is_prefix && !is_likely(&header) {
            return Ok(None);
        }
        self.pipe.get(all.len())?;
        // A header that says where its member ends must agree with the directory, by which loaders
        // go: what it left out would be passed over.
        let is_known = header.flags & DESCRIPTOR == 0;
        let seen = if is_known { said_by(&header) } else { hash(&header.name) };
        *self.seen.entry(seen).or_default() += 1;
        let is_guess = self.is_prefix;
        let mut entry = self.with_body(header)?;
        entry.is_guess = is_guess;
        Ok(Some(entry))
    }

    /// Lists the member that comes next, if its header or the descriptor behind it says how long it
    /// is; false when it was not taken, and nothing is taken of it then.
    fn list(&mut self, take: &mut dyn FnMut(&Listable<'_>) -> bool) -> io::Result<bool> {
        if let Some(end) = self.end.filter(|end| *end > self.pipe.position()) {
            self.pipe.seek(end)?;
        }
        if self.pipe.peek(4)? == DESCRIPTOR_MARK {
            self.descriptor()?;
        }
        let mut wanted = LISTED_BYTES;
        while wanted <= LISTED_BYTES_MAX {
            let position = self.pipe.position();
            let listed = self.pipe.step(wanted, |bytes| match Passable::read(bytes) {
                Passable::Not => (0, Some(None)),
                Passable::Further => (0, (bytes.len() < wanted).then_some(None)),
                Passable::Listed { header, taken, left } => {
                    let is_folder = header.packed == 0
                        && header.flags & DESCRIPTOR == 0
                        && header.name.ends_with(b"/");
                    let listable = Listable {
                        name: &header.name,
                        size: header.unpacked.unwrap_or_default(),
                        crc: header.crc.filter(|_| !header.is_ae2 && !is_folder),
                        is_folder,
                    };
                    if !take(&listable) {
                        return (0, Some(None));
                    }
                    let end = position.saturating_add(taken as u64).saturating_add(left);
                    let said = said_by(&header);
                    (taken, Some(Some((said, (left > 0).then_some(end)))))
                }
            })?;
            match listed {
                None => wanted *= 4,
                Some(None) => return Ok(false),
                Some(Some((said, end))) => {
                    *self.seen.entry(said).or_default() += 1;
                    self.end = end;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn with_body(&mut self, header: Header) -> io::Result<Entry> {
        let known = header.flags & DESCRIPTOR == 0;
        let (coding, encrypted) = (header.coding(), header.is_encrypted());
        let packed = header.packed;
        let mut entry = Header {
            crc: header.crc.filter(|_| known),
            unpacked: header.unpacked.filter(|_| known),
            ..header
        }
        .entry();
        if known {
            self.end = Some(self.pipe.position().saturating_add(packed));
        }
        if !known {
            // What is packed may hold something, whatever it is called.
            let is_folder = entry.name.ends_with(b"/") && coding != Some(Coding::Deflate);
            entry.node = if is_folder { Node::Folder } else { Node::File };
        }
        let head = self.pipe.peek(HEAD_BYTES)?;
        let (stream, flaw) = match coding {
            _ if encrypted => (None, Some(FlawCode::Encrypted)),
            None => (None, Some(FlawCode::MethodUnsupported)),
            Some(coding) if known => match decoder_of(coding, &head, self.pipe.part(packed)) {
                Ok(stream) => (Some(stream), None),
                Err(error) => (None, Some(super::super::code_of(&io::Error::other(error)))),
            },
            Some(Coding::Deflate) => (Some(self.deflated()), None),
            Some(Coding::Plain) => (Some(self.stored()), None),
            Some(_) => (None, Some(FlawCode::ZipBoundaryAmbiguous)),
        };
        entry.flaws.extend(flaw);
        if let (Some(stream), Some(coding)) = (stream.filter(|_| entry.node == Node::File), coding)
        {
            entry.window = Held::of(coding, &head);
            // What is stored and says its size later ends where the next member seems to start.
            let again = self.pipe.again().filter(|_| known || coding == Coding::Deflate);
            let again = again.map(|again| if known { again.made(packed, |it| it) } else { again });
            let again = again.and_then(|again| again.unpacked(coding, &head));
            entry.body = Body::Stream(stream, again);
        }
        Ok(entry)
    }

    fn deflated(&self) -> Box<dyn Read> {
        Box::new(Deflated { pipe: self.pipe.clone(), stepper: Stepper::default(), ended: false })
    }

    fn stored(&self) -> Box<dyn Read> {
        Box::new(Stored { pipe: self.pipe.clone(), crc: Crc32::default(), count: 0, ended: false })
    }

    /// Passes over a data descriptor.
    fn descriptor(&self) -> io::Result<()> {
        let bytes = self.pipe.peek(DESCRIPTOR_BYTES_MAX + 4)?;
        let is_next =
            |at: usize| bytes.get(at..at + 4).is_some_and(|next| next == LOCAL || next == CENTRAL);
        let len = if !is_next(16) && is_next(24) { 24 } else { 16 };
        self.pipe.get(len).map(drop)
    }

    /// Looks for the next signature; false at the end.
    fn search(&mut self) -> io::Result<bool> {
        let wanted: &[u8] = if self.is_prefix { &LOCAL } else { b"PK" };
        loop {
            let found = self.pipe.step(64, |bytes| {
                if bytes.len() < 4 {
                    return (bytes.len(), None);
                }
                match memmem::find(&bytes[1..], wanted) {
                    Some(at) => (at + 1, Some(true)),
                    None => (bytes.len() - 3, Some(false)),
                }
            })?;
            match found {
                None => return Ok(false),
                Some(true) => return Ok(true),
                Some(false) => {}
            }
        }
    }

    /// Compares the directory with what was seen: names, and all of a member that was only listed,
    /// where what was taken for its end may have been made up. What comes behind it is looked
    /// through like what stands in front of an archive.
    fn directory(&mut self) -> io::Result<()> {
        while self.pipe.peek(4)? == CENTRAL {
            let fixed = self.pipe.get(46)?;
            let lens = [28, 30, 32].map(|at| usize::from(u16_at(&fixed, at)));
            let name = self.pipe.get(lens[0])?;
            let extra = self.pipe.get(lens[1])?;
            self.pipe.get(lens[2])?;
            let [mut packed, mut unpacked] = [20, 24].map(|at| u64::from(u32_at(&fixed, at)));
            apply_zip64(&extra, [&mut unpacked, &mut packed, &mut 0]);
            let listed = said(&name, u32_at(&fixed, 16), [unpacked, packed]);
            match self.seen.get_mut(&listed) {
                Some(count) if *count > 0 => *count -= 1,
                _ => *self.seen.entry(hash(&name)).or_default() -= 1,
            }
        }
        let differs = self.seen.drain().any(|(_, count)| count != 0);
        if differs {
            self.damage.push(Damage::new(FlawCode::ZipHeaderMismatch, 0));
        }
        (self.is_prefix, self.is_listed) = (true, true);
        Ok(())
    }

    /// The end came before a directory.
    fn ended(&mut self) -> io::Result<Option<Entry>> {
        if !self.is_prefix {
            self.damage.push(Damage::new(FlawCode::Truncated, 0));
        }
        self.done = true;
        Ok(None)
    }
}

impl Container for Forward {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if !self.done {
            match self.step() {
                Ok(Some(entry)) => return Some(Ok(entry)),
                Ok(None) => {}
                Err(error) => {
                    self.done = true;
                    let guess =
                        self.is_prefix && super::super::code_of(&error) == FlawCode::Truncated;
                    self.damage.extend((!guess).then(|| Damage::of(&error)));
                }
            }
        }
        self.damage.pop().map(Err)
    }

    fn pass(&mut self, take: &mut dyn FnMut(&Listable<'_>) -> bool) {
        let is_sound = !self.done && !self.is_prefix && self.damage.is_empty();
        // What fails is met again by whoever reads on.
        while is_sound && self.list(take).unwrap_or_default() {}
    }

    fn judge(&mut self, is_member: bool) {
        if is_member {
            if self.is_prefix && self.is_listed {
                self.damage.push(Damage::new(FlawCode::ZipBoundaryAmbiguous, 0));
            }
            self.is_prefix = false;
        } else {
            // Its size means nothing, nor does its name.
            self.end = None;
            self.seen.clear();
        }
    }
}

/// What is known of a member without unpacking it.
enum Passable {
    /// How long it is must be found out by reading it, or something must be said of it.
    Not,
    /// Its descriptor is not among the bytes at hand.
    Further,
    /// Its header and as much of what follows belongs to it; the rest that follows is `left`.
    Listed { header: Header, taken: usize, left: u64 },
}

impl Passable {
    /// Looks at the member that starts here. A descriptor is believed where it says how far away it
    /// stands and a header follows: when the directory comes, one that was made up does not agree
    /// with it, nor do members that were made up or left out.
    fn read(bytes: &[u8]) -> Self {
        let Some(fixed) = bytes.get(..LOCAL_BYTES as usize) else { return Self::Not };
        let lens = usize::from(u16_at(fixed, 26)) + usize::from(u16_at(fixed, 28));
        let data_at = LOCAL_BYTES as usize + lens;
        let Some(rest) = bytes.get(LOCAL_BYTES as usize..data_at) else { return Self::Further };
        let Some(mut header) = parse_local(fixed, rest, 0) else { return Self::Not };
        if header.is_encrypted() || header.coding().is_none() {
            return Self::Not;
        }
        if header.flags & DESCRIPTOR == 0 {
            let left = header.packed;
            return Self::Listed { header, taken: data_at, left };
        }
        let data = &bytes[data_at..];
        if header.coding() != Some(Coding::Deflate) {
            return Self::Not;
        }
        let found = memmem::find_iter(data, &DESCRIPTOR_MARK).find(|at| {
            let next = data.get(at + 16..at + 20).unwrap_or_default();
            u32_at(data, at + 8) as usize == *at && (next == LOCAL || next == CENTRAL)
        });
        let Some(at) = found else { return Self::Further };
        header.crc = Some(u32_at(data, at + 4));
        header.packed = at as u64;
        header.unpacked = Some(u32_at(data, at + 12).into());
        Self::Listed { header, taken: data_at + at + 16, left: 0 }
    }
}

/// Stands for all that is said of a member.
fn said(name: &[u8], crc: u32, [unpacked, packed]: [u64; 2]) -> u64 {
    let numbers = [u64::from(crc), unpacked, packed, hash(name)];
    hash(numbers.map(u64::to_le_bytes).as_flattened())
}

/// The same by a header that stands in front of its member.
fn said_by(header: &Header) -> u64 {
    let sizes = [header.unpacked.unwrap_or_default(), header.packed];
    said(&header.name, header.crc.unwrap_or_default(), sizes)
}

/// Whether a header that stands somewhere in a program is one of a member.
fn is_likely(header: &Header) -> bool {
    let name = std::str::from_utf8(&header.name);
    let readable = name.is_ok_and(|name| !name.chars().any(char::is_control));
    readable && header.coding().is_some() && header.flags & !0x080e == 0
}

/// A deflated member that ends by itself.
struct Deflated {
    pipe: Pipe,
    stepper: Stepper,
    ended: bool,
}

impl Read for Deflated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let stepper = &mut self.stepper;
            let step = self.pipe.step(1, |bytes| {
                if bytes.is_empty() {
                    return (0, Err(LimitedError::Truncated));
                }
                match stepper.step(bytes, buffer) {
                    Ok(step) => (step.taken, Ok(step)),
                    Err(error) => (0, Err(error)),
                }
            })?;
            let step = step.map_err(io::Error::other)?;
            self.ended = step.ended;
            if step.given > 0 {
                return Ok(step.given);
            }
        }
        Ok(0)
    }
}

/// A stored member of unknown size.
struct Stored {
    pipe: Pipe,
    crc: Crc32,
    count: u64,
    ended: bool,
}

impl Stored {
    /// Whether these bytes are the descriptor of all that came by.
    fn is_end(&self, bytes: &[u8]) -> bool {
        let count = (self.count & IN_ZIP64) as u32;
        bytes.starts_with(&DESCRIPTOR_MARK)
            && u32_at(bytes, 4) == self.crc.sum()
            && u32_at(bytes, 8) == count
            && (u32_at(bytes, 12) == count || u32_at(bytes, 16) == count)
    }

    /// How many of the bytes at hand are certainly data.
    fn certain(bytes: &[u8]) -> usize {
        let from = usize::from(bytes.starts_with(&DESCRIPTOR_MARK));
        let ahead = bytes.get(from..).unwrap_or_default();
        match memmem::find(ahead, &DESCRIPTOR_MARK) {
            Some(at) => from + at,
            None => bytes.len().saturating_sub(3),
        }
    }
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let pipe = self.pipe.clone();
        let read = pipe.step(DESCRIPTOR_BYTES_MAX, |bytes| {
            if self.is_end(bytes) {
                return (0, Some(0));
            }
            let count = Self::certain(bytes).min(buffer.len());
            buffer[..count].copy_from_slice(&bytes[..count]);
            self.crc.update(&bytes[..count]);
            self.count += count as u64;
            (count, (count > 0).then_some(count))
        })?;
        self.ended = read == Some(0);
        // The stream ends and no descriptor agreed with it.
        read.ok_or_else(|| io::Error::other(LimitedError::Truncated))
    }
}
