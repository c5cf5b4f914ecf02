//! Zip archives as the generator needs them: members copied with their packed bytes, and every
//! liberty that the format allows or that programs take.

/// One member with its packed bytes and what the headers say about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    /// The name in the central directory, as bytes.
    pub name: Vec<u8>,
    /// The name in the local header, when it differs.
    pub local_name: Option<Vec<u8>>,
    /// General purpose flags.
    pub flags: u16,
    /// Compression method.
    pub method: u16,
    /// CRC-32 of the unpacked bytes, as both headers say.
    pub crc: u32,
    /// Unpacked size, as both headers say.
    pub size: u32,
    /// The packed bytes.
    pub packed: Vec<u8>,
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
/// Flag: sizes and CRC stand behind the data.
const STREAMED: u16 = 8;
/// The fixed date of every member: 10 December 2021.
const DATE: u16 = (41 << 9) | (12 << 5) | 10;

impl Member {
    /// A member without compression.
    pub(crate) fn stored(name: &str, bytes: &[u8]) -> Self {
        Self::packed(name, 0, bytes, bytes.to_vec())
    }

    /// A member of any method; `packed` is what that method makes of `bytes`.
    pub(crate) fn packed(name: &str, method: u16, bytes: &[u8], packed: Vec<u8>) -> Self {
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let name = name.as_bytes().to_vec();
        Self { name, local_name: None, flags: 0, method, crc: crc32(bytes), size, packed }
    }

    /// The name as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// The same member under another name.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        Self { name: name.as_bytes().to_vec(), ..self.clone() }
    }

    /// The same member with sizes and CRC behind the data.
    pub(crate) fn streamed(&self) -> Self {
        Self { flags: self.flags | STREAMED, ..self.clone() }
    }
}

/// How the members are put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Bytes before the first member.
    pub prefix: Vec<u8>,
    /// Whether offsets count from the start of the file; otherwise from the first member.
    pub from_file_start: bool,
    /// The archive's comment.
    pub comment: Vec<u8>,
    /// With zip64 end records.
    pub zip64: bool,
    /// Bytes behind the end record.
    pub suffix: Vec<u8>,
}

/// An archive of these members, without liberties.
pub(crate) fn archive(members: &[Member]) -> Vec<u8> {
    write(members, &Layout::default())
}

/// An archive of these members.
pub(crate) fn write(members: &[Member], layout: &Layout) -> Vec<u8> {
    let base = if layout.from_file_start { 0 } else { layout.prefix.len() };
    let mut out = layout.prefix.clone();
    let mut central = Vec::new();
    for member in members {
        let offset = wide(out.len() - base);
        local(member, &mut out);
        directory_entry(member, offset, &mut central);
    }
    let start = wide(out.len() - base);
    let size = wide(central.len());
    out.extend(central);
    end(members.len(), start, size, layout, &mut out);
    out
}

/// An archive in whose directory one member stands many times, always at the same bytes.
pub(crate) fn overlapping(member: &Member, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    local(member, &mut out);
    let start = wide(out.len());
    let mut central = Vec::new();
    for number in 0..count {
        let name = format!("{number}-{}", member.text());
        directory_entry(&member.renamed(&name), 0, &mut central);
    }
    let size = wide(central.len());
    out.extend(central);
    end(count, start, size, &Layout::default(), &mut out);
    out
}

fn local(member: &Member, out: &mut Vec<u8>) {
    let name = member.local_name.as_ref().unwrap_or(&member.name);
    let streamed = member.flags & STREAMED != 0;
    let packed = wide(member.packed.len());
    let (crc, packed_size, size) =
        if streamed { (0, 0, 0) } else { (member.crc, packed, member.size) };
    put32(out, &[LOCAL]);
    put16(out, &[20, member.flags, member.method, 0, DATE]);
    put32(out, &[crc, packed_size, size]);
    put16(out, &[short(name.len()), 0]);
    out.extend(name);
    out.extend(&member.packed);
    if streamed {
        put32(out, &[DESCRIPTOR, member.crc, packed, member.size]);
    }
}

fn directory_entry(member: &Member, offset: u32, out: &mut Vec<u8>) {
    put32(out, &[CENTRAL]);
    put16(out, &[20, 20, member.flags, member.method, 0, DATE]);
    put32(out, &[member.crc, wide(member.packed.len()), member.size]);
    put16(out, &[short(member.name.len()), 0, 0, 0, 0]);
    put32(out, &[0, offset]);
    out.extend(&member.name);
}

fn end(count: usize, start: u32, size: u32, layout: &Layout, out: &mut Vec<u8>) {
    let mut short_count = short(count);
    let (mut short_start, mut short_size) = (start, size);
    if layout.zip64 {
        let base = if layout.from_file_start { 0 } else { layout.prefix.len() };
        let record = (out.len() - base) as u64;
        put32(out, &[0x0606_4b50]);
        put64(out, &[44]);
        put16(out, &[45, 45]);
        put32(out, &[0, 0]);
        put64(out, &[count as u64, count as u64, u64::from(size), u64::from(start)]);
        put32(out, &[0x0706_4b50, 0]);
        put64(out, &[record]);
        put32(out, &[1]);
        (short_count, short_start, short_size) = (u16::MAX, u32::MAX, u32::MAX);
    }
    put32(out, &[END]);
    put16(out, &[0, 0, short_count, short_count]);
    put32(out, &[short_size, short_start]);
    put16(out, &[short(layout.comment.len())]);
    out.extend(&layout.comment);
    out.extend(&layout.suffix);
}

/// The members of an ordinary archive, with their packed bytes.
///
/// # Errors
/// When the archive has no directory or it points outside.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Member>, String> {
    let lacking = || "not an ordinary zip archive".to_owned();
    let end = bytes.windows(4).rposition(|four| four == END.to_le_bytes()).ok_or_else(lacking)?;
    let count = get16(bytes, end + 10).ok_or_else(lacking)?;
    let mut at = get32(bytes, end + 16).ok_or_else(lacking)? as usize;
    let mut members = Vec::new();
    for _ in 0..count {
        let (member, next) = member(bytes, at).ok_or_else(lacking)?;
        members.push(member);
        at = next;
    }
    Ok(members)
}

/// The member whose directory entry stands here, and where the next entry stands.
fn member(bytes: &[u8], at: usize) -> Option<(Member, usize)> {
    (get32(bytes, at)? == CENTRAL).then_some(())?;
    let packed_size = get32(bytes, at + 20)? as usize;
    let name_size = usize::from(get16(bytes, at + 28)?);
    let skipped = usize::from(get16(bytes, at + 30)?) + usize::from(get16(bytes, at + 32)?);
    let offset = get32(bytes, at + 42)? as usize;
    let name = bytes.get(at + 46..at + 46 + name_size)?.to_vec();
    let data = offset
        + 30
        + usize::from(get16(bytes, offset + 26)?)
        + usize::from(get16(bytes, offset + 28)?);
    let member = Member {
        name,
        local_name: None,
        flags: get16(bytes, at + 8)? & !STREAMED,
        method: get16(bytes, at + 10)?,
        crc: get32(bytes, at + 16)?,
        size: get32(bytes, at + 24)?,
        packed: bytes.get(data..data + packed_size)?.to_vec(),
    };
    Some((member, at + 46 + name_size + skipped))
}

/// CRC-32 as zip uses it.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    static TABLE: [u32; 256] = table();
    let mut crc = u32::MAX;
    for byte in bytes {
        let index = (crc ^ u32::from(*byte)) & 0xff;
        crc = TABLE[index as usize] ^ (crc >> 8);
    }
    !crc
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index: u32 = 0;
    while index < 256 {
        let mut value = index;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[index as usize] = value;
        index += 1;
    }
    table
}

fn put16(out: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn put32(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn put64(out: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn get16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn get32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The generator makes no archive whose fields would not hold its sizes.
fn wide(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn short(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_whatever_stands_around_it() {
        let members = [Member::stored("a/B.class", b"one"), Member::stored("c", b"")];
        assert_eq!(read(&archive(&members)), Ok(members.to_vec()));
        let streamed: Vec<_> = members.iter().map(Member::streamed).collect();
        assert_eq!(read(&archive(&streamed)), Ok(members.to_vec()));
        let comment = vec![b'x'; 65_535];
        let bytes = write(&members, &Layout { comment, ..Layout::default() });
        assert_eq!(read(&bytes), Ok(members.to_vec()));
        let prefix = b"#!/bin/sh\n".to_vec();
        let layout = Layout { prefix, from_file_start: true, ..Layout::default() };
        assert_eq!(read(&write(&members, &layout)), Ok(members.to_vec()));
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(read(b"").is_err());
        assert!(read(&[0; 100]).is_err());
        let mut bytes = archive(&[Member::stored("a", b"one")]);
        let at = bytes.len() - 6;
        bytes[at] = 0xff;
        assert!(read(&bytes).is_err(), "a directory that is elsewhere");
    }

    #[test]
    fn the_checksum_is_that_of_the_format() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn zip64_hides_the_counts_from_the_old_record() {
        let layout = Layout { zip64: true, ..Layout::default() };
        let bytes = write(&[Member::stored("a", b"one")], &layout);
        assert_eq!(bytes[bytes.len() - 14..bytes.len() - 10], [0xff; 4]);
        assert!(bytes.windows(4).any(|four| four == 0x0706_4b50_u32.to_le_bytes()));
    }
}
