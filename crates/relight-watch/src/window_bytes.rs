//! A window as bytes: versioned, little-endian, sorted; the same window is the same bytes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use relight_model::{OrgId, SiteId, Timestamp};

use crate::WatchError;
use crate::contact::{ContactKey, Facts, Kind, TEXT_BYTES_MAX, Visit};
use crate::marks::{MARKS_MAX, Marks};
use crate::pool::{Print, USERS_MAX, Users};
use crate::window::{CONTACTS_MAX, Counters, PRINT_BYTES_MAX, PRINTS_MAX, SEGMENTS_MAX, Window};

/// What every stored window begins with; the last two bytes are the version of the layout.
const MAGIC: [u8; 10] = *b"rlwindow\x03\0";

/// How windows began that counted no hosts of nobody and no dropped connections.
const MAGIC_OF_PAGES: [u8; 10] = *b"rlwindow\x02\0";

/// How windows began that knew nothing of clients.
const MAGIC_BEFORE: [u8; 10] = *b"rlwindow\x01\0";

/// The kinds that such windows know: the first ones.
const KINDS_OF_PAGES: usize = 5;

/// Bytes of `agent:`, the longest kind of a client's name.
const PRINT_KIND_BYTES_MAX: usize = 6;

/// Stands for "no site" in a stored contact.
const NO_SITE: u32 = u32::MAX;

impl Window {
    /// The window as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes_of(self.segment, &self.counters)
    }

    /// The same under another name: see [`Window::name`].
    pub fn to_bytes_named(&self, name: u64) -> Vec<u8> {
        self.bytes_of(name, &self.counters_of(name))
    }

    fn bytes_of(&self, segment: u64, counters: &BTreeMap<(u64, OrgId), Counters>) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(segment.to_le_bytes());
        out.push(u8::from(self.truncated));
        length(&mut out, counters.len());
        for ((segment, org), counters) in counters {
            let Counters { first, last, events, kinds, overflow, refused, unplaced } = counters;
            out.extend(segment.to_le_bytes());
            out.extend(org.0.to_le_bytes());
            out.extend(first.to_le_bytes());
            out.extend(last.to_le_bytes());
            for number in [events, overflow, refused, unplaced].into_iter().chain(kinds) {
                out.extend(number.to_le_bytes());
            }
        }
        length(&mut out, self.contacts.len());
        for (key, facts) in &self.contacts {
            write_contact(&mut out, key, facts);
        }
        for marks in [&self.ordinary, &self.served, &self.users.0] {
            let (hashes, full) = marks.sorted();
            out.push(u8::from(full));
            length(&mut out, hashes.len());
            out.reserve(size_of_val(&*hashes));
            hashes.iter().for_each(|hash| out.extend_from_slice(&hash.to_le_bytes()));
        }
        length(&mut out, self.prints.len());
        for (hash, name) in &self.prints {
            out.extend(hash.to_le_bytes());
            length(&mut out, name.len());
            out.extend(name.as_bytes());
        }
        out
    }

    /// Reads what [`Window::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a window: another version, cut short, over a limit, out of
    /// order or with something behind the end.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WatchError> {
        let mut reader = Reader { bytes, at: 0, clients: true, kinds: Kind::ALL.len() };
        match reader.array::<10>()? {
            MAGIC => {}
            MAGIC_OF_PAGES => reader.kinds = KINDS_OF_PAGES,
            MAGIC_BEFORE => (reader.clients, reader.kinds) = (false, KINDS_OF_PAGES),
            _ => return Err(WatchError { code: "window-version", offset: 0 }),
        }
        let mut window = Self::new(reader.u64()?);
        window.truncated = reader.flag()?;
        for _ in 0..reader.length(SEGMENTS_MAX)? {
            let key = (reader.u64()?, OrgId(reader.u32()?));
            let counters = reader.counters()?;
            reader.ascending(window.counters.last_key_value().map(|(key, _)| key), &key)?;
            window.counters.insert(key, counters);
        }
        let mut contacts: Vec<(ContactKey, Facts)> = Vec::new();
        for _ in 0..reader.length(CONTACTS_MAX)? {
            let (key, facts) = reader.contact()?;
            reader.ascending(contacts.last().map(|(key, _)| key), &key)?;
            contacts.push((key, facts));
        }
        window.contacts = contacts.into_iter().collect();
        window.ordinary = reader.marks(MARKS_MAX)?;
        window.served = reader.marks(MARKS_MAX)?;
        if reader.clients {
            window.users = Users(reader.marks(USERS_MAX)?);
            reader.prints(&mut window)?;
        }
        if reader.at < bytes.len() {
            return Err(reader.error("window-trailing"));
        }
        Ok(window)
    }
}

/// Every count has a limit far below 32 bits.
fn length(out: &mut Vec<u8>, length: usize) {
    out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn write_contact(out: &mut Vec<u8>, key: &ContactKey, facts: &Facts) {
    let ContactKey { visit: Visit { hash: _, source, org, site }, kind, door } = key;
    let Facts { first: (first, status, text, print), last, in_site, served } = facts;
    match source {
        IpAddr::V4(address) => {
            out.push(4);
            out.extend(address.octets());
        }
        IpAddr::V6(address) => {
            out.push(6);
            out.extend(address.octets());
        }
    }
    out.extend(org.0.to_le_bytes());
    out.extend(site.map_or(NO_SITE, |site| site.0).to_le_bytes());
    out.push(*kind as u8);
    out.extend(door.to_le_bytes());
    out.extend(first.to_le_bytes());
    out.extend(status.to_le_bytes());
    out.extend(last.to_le_bytes());
    out.push(u8::from(*in_site) | u8::from(*served) << 1);
    length(out, text.len());
    out.extend(text.as_bytes());
    out.extend(print.tls.to_le_bytes());
    out.extend(print.agent.to_le_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The layout holds clients.
    clients: bool,
    /// How many kinds of contacts it knows.
    kinds: usize,
}

impl<'a> Reader<'a> {
    const fn error(&self, code: &'static str) -> WatchError {
        WatchError { code, offset: self.at }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WatchError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or(self.error("window-truncated"))?;
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WatchError> {
        let taken = self.take(N)?;
        <[u8; N]>::try_from(taken).map_err(|_| self.error("window-truncated"))
    }

    fn u32(&mut self) -> Result<u32, WatchError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, WatchError> {
        self.array().map(u64::from_le_bytes)
    }

    fn time(&mut self) -> Result<Timestamp, WatchError> {
        self.array().map(Timestamp::from_le_bytes)
    }

    fn flag(&mut self) -> Result<bool, WatchError> {
        match self.array::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(self.error("window-flag")),
        }
    }

    fn length(&mut self, max: usize) -> Result<usize, WatchError> {
        let length = self.u32()? as usize;
        if length > max { Err(self.error("window-length")) } else { Ok(length) }
    }

    fn ascending<K: Ord>(&self, previous: Option<&K>, next: &K) -> Result<(), WatchError> {
        if previous.is_some_and(|previous| previous >= next) {
            return Err(self.error("window-order"));
        }
        Ok(())
    }

    fn counters(&mut self) -> Result<Counters, WatchError> {
        let (first, last) = (self.time()?, self.time()?);
        let (events, overflow) = (self.u64()?, self.u64()?);
        let (refused, unplaced) = (self.u64()?, self.u64()?);
        let mut kinds = [0; Kind::ALL.len()];
        for kind in kinds.iter_mut().take(self.kinds) {
            *kind = self.u64()?;
        }
        Ok(Counters { first, last, events, kinds, overflow, refused, unplaced })
    }

    fn contact(&mut self) -> Result<(ContactKey, Facts), WatchError> {
        let source = match self.array::<1>()? {
            [4] => IpAddr::from(self.array::<4>()?),
            [6] => IpAddr::from(self.array::<16>()?),
            _ => return Err(self.error("window-address")),
        };
        let org = OrgId(self.u32()?);
        let site = Some(self.u32()?).filter(|site| *site != NO_SITE).map(SiteId);
        let [kind] = self.array::<1>()?;
        let kinds = &Kind::ALL[..self.kinds];
        let kind = *kinds.get(usize::from(kind)).ok_or(self.error("window-kind"))?;
        let door = self.u64()?;
        let first = self.time()?;
        let status = u16::from_le_bytes(self.array()?);
        let last = self.time()?;
        let [flags] = self.array::<1>()?;
        if flags > 3 {
            return Err(self.error("window-flag"));
        }
        let (in_site, served) = (flags & 1 != 0, flags & 2 != 0);
        let length = self.length(TEXT_BYTES_MAX)?;
        let text = str::from_utf8(self.take(length)?).map_err(|_| self.error("window-text"))?;
        let mut print = Print::default();
        if self.clients {
            print = Print { tls: self.u32()?, agent: self.u32()? };
        }
        let key = ContactKey { visit: Visit::new(source, org, site), kind, door };
        Ok((key, Facts { first: (first, status, text.to_owned(), print), last, in_site, served }))
    }

    fn prints(&mut self, window: &mut Window) -> Result<(), WatchError> {
        for _ in 0..self.length(PRINTS_MAX)? {
            let hash = self.u32()?;
            let length = self.length(PRINT_BYTES_MAX + PRINT_KIND_BYTES_MAX)?;
            let name = str::from_utf8(self.take(length)?).map_err(|_| self.error("window-text"))?;
            self.ascending(window.prints.last_key_value().map(|(hash, _)| hash), &hash)?;
            window.prints.insert(hash, name.to_owned());
        }
        Ok(())
    }

    fn marks(&mut self, max: usize) -> Result<Marks, WatchError> {
        let full = self.flag()?;
        let count = self.length(max)?;
        let bytes = self.take(count * 8)?;
        let hashes: Vec<u64> =
            bytes.as_chunks::<8>().0.iter().map(|hash| u64::from_le_bytes(*hash)).collect();
        if hashes.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(self.error("window-order"));
        }
        Ok(Marks::from_sorted(hashes, full, max))
    }
}
