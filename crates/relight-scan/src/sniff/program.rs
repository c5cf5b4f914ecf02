//! Where a program ends, and what may stand behind it.

use std::io;

use memchr::memmem;

use super::{HEAD_BYTES, Head, head, is_text};
use crate::archive::{u16_at, u32_at, u64_at};
use crate::cataloger::{Kind, ReadAt};
use crate::program::{Program, ends_of_mach};
use crate::window::Window;

/// Sections of a Windows program that are looked at.
const SECTIONS_MAX: usize = 96;

/// How the settings of a program start that unpacks a 7z.
const SETTINGS: &[u8] = b";!@Install@!";

/// Bytes of settings behind which a 7z is looked for.
const SETTINGS_BYTES_MAX: usize = 64 << 10;

/// Bytes of a tail in which the last record of a packed program of Python is looked for.
const PYTHON_TAIL_BYTES: usize = 16 << 10;

/// How the files start that Nuitka packed into one: its mark, and that of zstd.
const NUITKA_PACKED: &[u8] = b"KAY\x28\xb5\x2f\xfd";

/// Bytes of a script in which its payload is looked for.
pub(crate) const SCRIPT_BYTES_MAX: usize = 256 << 10;

/// Where the bytes behind the last section start, if there are any.
///
/// # Errors
/// Those of the file.
pub(crate) fn overlay_at(kind: Kind, source: &dyn ReadAt) -> io::Result<Option<u64>> {
    let end = match kind {
        Kind::Elf => end_of_elf(source)?,
        Kind::Pe => end_of_pe(source)?,
        Kind::MachO => ends_of_mach(source)?.0.into_iter().max(),
        _ => None,
    };
    Ok(end.filter(|end| *end < source.size()))
}

/// Sections and segments of a program of Linux that are looked at.
const PARTS_MAX: usize = 4_096;

/// Behind the table of sections, which is the last thing in every linked program (and in the
/// runtime of an AppImage), or behind the last section or segment, where tools moved one or cut
/// the table off. A table may lie about where its sections end, so what stands behind it itself is
/// looked at first.
fn end_of_elf(source: &dyn ReadAt) -> io::Result<Option<u64>> {
    let head = source.read_at(0, 64)?;
    let wide = match head.get(4..6) {
        Some([2, 1]) => true,
        Some([1, 1]) => false,
        _ => return Ok(None),
    };
    let word = |bytes: &[u8], at: [usize; 2]| match wide {
        true => u64_at(bytes, at[0]),
        false => u32_at(bytes, at[1]).into(),
    };
    let half = |at: [usize; 2]| u16_at(&head, at[usize::from(!wide)]);
    let sections = (word(&head, [40, 32]), half([58, 46]), half([60, 48]));
    let segments = (word(&head, [32, 28]), half([54, 42]), half([56, 44]));
    let table_end = sections.0.saturating_add(u64::from(sections.1) * u64::from(sections.2));
    let table_end = Some(table_end).filter(|_| sections.0 > 0);
    if let Some(end) = table_end
        && is_known(&source.read_at(end, HEAD_BYTES)?)
    {
        return Ok(Some(end));
    }
    let mut last = table_end;
    // Where each part says that it starts, and how long it is.
    let tables = [(sections, [24, 16], [32, 20]), (segments, [8, 4], [32, 16])];
    for (number, ((at, size, count), start, len)) in tables.into_iter().enumerate() {
        let (size, count) = (usize::from(size), usize::from(count).min(PARTS_MAX));
        if at == 0 || !(32..=256).contains(&size) {
            continue;
        }
        for part in source.read_at(at, size * count)?.chunks_exact(size) {
            // Sections without bytes (`.bss`) have a size all the same.
            if part.len() < 40 && wide || number == 0 && u32_at(part, 4) == 8 {
                continue;
            }
            let end = word(part, start).saturating_add(word(part, len));
            last = last.max(Some(end).filter(|end| *end <= source.size()));
        }
    }
    Ok(last)
}

/// Whether these bytes start something that has a name of its own.
fn is_known(bytes: &[u8]) -> bool {
    !matches!(head(bytes), Head::Other | Head::Unclear | Head::Text)
}

fn end_of_pe(source: &dyn ReadAt) -> io::Result<Option<u64>> {
    let Some((at, head)) = pe_header(source)? else { return Ok(None) };
    let count = usize::from(u16_at(&head, 6)).min(SECTIONS_MAX);
    let table_at = at + 24 + u64::from(u16_at(&head, 20));
    let table = source.read_at(table_at, count * 40)?;
    let end_of = |section: &[u8]| u64::from(u32_at(section, 20)) + u64::from(u32_at(section, 16));
    Ok(table.chunks_exact(40).map(end_of).max())
}

/// Where the certificates of a signed Windows program start: an archive that was appended before
/// it was signed ends there.
///
/// # Errors
/// Those of the file.
pub(crate) fn certificates_at(source: &dyn ReadAt) -> io::Result<Option<u64>> {
    let Some((_, head)) = pe_header(source)? else { return Ok(None) };
    // The fifth of the data directories; they start behind 96 or 112 bytes.
    let directories = match u16_at(&head, 24) {
        0x10b => 24 + 96,
        0x20b => 24 + 112,
        _ => return Ok(None),
    };
    let at = u64::from(u32_at(&head, directories + 4 * 8));
    Ok((at > 0 && at < source.size()).then_some(at))
}

fn pe_header(source: &dyn ReadAt) -> io::Result<Option<(u64, Vec<u8>)>> {
    let at = u64::from(u32_at(&source.read_at(0, 64)?, 60));
    let head = source.read_at(at, 256)?;
    Ok(head.starts_with(b"PE\0\0").then_some((at, head)))
}

/// Where something that is no text starts behind a script: a container or a stream of its own.
///
/// # Errors
/// Those of the file.
pub(crate) fn payload_at(window: &Window) -> io::Result<Option<u64>> {
    Ok(payload_in(&window.read(0, SCRIPT_BYTES_MAX)?).map(|at| at as u64))
}

/// The same for the first bytes of a script.
pub(crate) fn payload_in(bytes: &[u8]) -> Option<usize> {
    let bytes = &bytes[..bytes.len().min(SCRIPT_BYTES_MAX)];
    let mut starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let is_payload = |at: usize| {
        let rest = bytes.get(at..at + HEAD_BYTES.min(bytes.len() - at)).unwrap_or_default();
        !is_text(&rest[..rest.len().min(64)])
            && matches!(head(rest), Head::Zip | Head::Stream(_) | Head::Container(_))
    };
    starts.find(|(at, _)| is_payload(at + 1)).map(|(at, _)| at + 1)
}

/// The end of the code that starts an archive of PHP (Phar); the list of its files follows, which
/// is no text.
const PHAR_MARK: &[u8] = b"__HALT_COMPILER();";

/// Where the list of files starts behind the code of an archive of PHP, as far as the first bytes
/// of a file tell. The code may end with a closing tag, and that with a line break of its own.
pub(crate) fn phar_at(bytes: &[u8]) -> Option<usize> {
    let bytes = &bytes[..bytes.len().min(SCRIPT_BYTES_MAX)];
    let code = memmem::find(bytes, PHAR_MARK)? + PHAR_MARK.len();
    let rest = &bytes[code..];
    let list = match rest.strip_prefix(b" ?>").or_else(|| rest.strip_prefix(b"\n?>")) {
        Some(rest) => {
            rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest)
        }
        None => rest,
    };
    let is_list = !is_text(&list[..list.len().min(HEAD_BYTES)]);
    is_list.then(|| bytes.len() - list.len())
}

/// Where a container or a stream of its own starts behind the text that a file starts with, as far
/// as its first bytes tell; nothing where what stands in front is no text.
pub(crate) fn behind_text(bytes: &[u8]) -> Option<usize> {
    let bytes = &bytes[..bytes.len().min(SCRIPT_BYTES_MAX)];
    payload_in(bytes).filter(|at| is_text(&bytes[..*at]))
}

/// Where a 7z starts behind the settings of the program that unpacks it; `None` where there are no
/// settings, or no 7z.
///
/// # Errors
/// Those of the file.
pub(crate) fn behind_settings(window: &Window) -> io::Result<Option<u64>> {
    if !window.peek(0, SETTINGS.len())?.starts_with(SETTINGS) {
        return Ok(None);
    }
    let bytes = window.read(0, SETTINGS_BYTES_MAX)?;
    Ok(memmem::find(&bytes, b"7z\xbc\xaf\x27\x1c").map(|at| at as u64))
}

/// Whether these bytes behind a program are what only its packer reads: the settings of one that
/// unpacks something, or the files of Nuitka.
pub(crate) fn starts_with_packer(bytes: &[u8]) -> bool {
    bytes.starts_with(SETTINGS) || starts_with_nuitka(bytes)
}

/// Whether something that unpacks itself is in a program at a place of which only its packer knows:
/// `PyInstaller` ends it with a record, in front of a signature or with what that leaves of it;
/// Nuitka puts its files behind the program, or into the resources.
///
/// # Errors
/// Those of the file.
pub(crate) fn is_packed_python(kind: Kind, source: &dyn ReadAt) -> io::Result<bool> {
    let mut ends = vec![source.size()];
    match kind {
        Kind::Pe => ends.extend(certificates_at(source)?),
        Kind::MachO => ends.extend(ends_of_mach(source)?.1),
        _ => {}
    }
    for end in ends {
        if ends_in_python(source, end)? {
            return Ok(true);
        }
    }
    if kind != Kind::Pe {
        return Ok(false);
    }
    let Some(program) = Program::open(source)? else { return Ok(false) };
    let Some(resources) = program.section(&[".rsrc"]) else { return Ok(false) };
    Ok(program.find(resources, NUITKA_PACKED, |_| true)?.is_some())
}

/// Whether the last record of a packed program of Python stands in front of `end`.
///
/// # Errors
/// Those of the file.
pub(crate) fn ends_in_python(source: &dyn ReadAt, end: u64) -> io::Result<bool> {
    let at = end.saturating_sub(PYTHON_TAIL_BYTES as u64);
    let len = usize::try_from(end - at).unwrap_or_default();
    let tail = source.read_at(at, len)?;
    Ok(memmem::find(&tail, b"MEI\x0c\x0b\x0a\x0b\x0e").is_some())
}

/// Whether these bytes behind a program are those of Nuitka, packed or not.
fn starts_with_nuitka(bytes: &[u8]) -> bool {
    bytes.starts_with(NUITKA_PACKED) || bytes.starts_with(b"KAX") && bytes.len() > 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_elf_is_that_of_its_sections() {
        let mut elf = vec![0; 300];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[40] = 100;
        elf[58] = 64;
        elf[60] = 2;
        let at = |elf: &[u8]| overlay_at(Kind::Elf, &Window::of_memory(elf.to_vec())).unwrap();
        assert_eq!(at(&elf), Some(228));
        assert_eq!(at(&elf[..228]), None);
        // A table outside the file.
        elf[47] = 0xff;
        assert_eq!(at(&elf), None);
        assert_eq!(at(b"\x7fELF"), None);
    }

    #[test]
    fn the_end_and_the_certificates_of_a_windows_program() {
        let mut pe = vec![0; 2_000];
        pe[..2].copy_from_slice(b"MZ");
        pe[60] = 128;
        pe[128..132].copy_from_slice(b"PE\0\0");
        pe[134] = 1;
        pe[148] = 240;
        pe[152..154].copy_from_slice(&0x20b_u16.to_le_bytes());
        let certificates = 128 + 24 + 112 + 32;
        pe[certificates..certificates + 4].copy_from_slice(&1_800_u32.to_le_bytes());
        let section = 128 + 24 + 240;
        pe[section + 16..section + 20].copy_from_slice(&512_u32.to_le_bytes());
        pe[section + 20..section + 24].copy_from_slice(&1_000_u32.to_le_bytes());
        let window = Window::of_memory(pe);
        assert_eq!(overlay_at(Kind::Pe, &window).unwrap(), Some(1_512));
        assert_eq!(certificates_at(&window).unwrap(), Some(1_800));
        let short = Window::of_memory(b"MZ".to_vec());
        assert_eq!(
            (overlay_at(Kind::Pe, &short).unwrap(), certificates_at(&short).unwrap()),
            (None, None)
        );
    }

    #[test]
    fn the_payload_of_a_script_starts_behind_a_line() {
        let at = |bytes: &[u8]| payload_at(&Window::of_memory(bytes.to_vec())).unwrap();
        assert_eq!(at(b"#!/bin/sh\nexit\n\x1f\x8b\x08\0\0\0"), Some(15));
        assert_eq!(at(b"#!/bin/sh\nexit\n"), None);
        assert_eq!(at(b"#!/bin/sh\n\x01\x02\x03\n"), None);
    }
}
