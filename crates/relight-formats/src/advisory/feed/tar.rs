//! tar (POSIX ustar, GNU long names, pax paths): entry by entry, in the order of the stream.

use std::io::Read;

use super::{DOCUMENT_BYTES_MAX, ENTRIES_MAX, Parts, Taker, entry, unreadable};

const BLOCK: usize = 512;

/// Longest header of a long name or of pax, in bytes.
const NAME_BYTES_MAX: u64 = 1 << 20;

/// Whether a stream that starts so is a tar archive.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") && head.get(..BLOCK).is_some_and(sum_is_right)
}

/// Gives every regular file to `take`.
pub(super) fn walk<R: Read>(mut parts: Parts<R>, place: &str, take: Taker<'_>) {
    let mut long_name = None;
    for _ in 0..ENTRIES_MAX {
        let step = next(&mut parts, place, &mut long_name);
        let go_on = match step {
            Ok(Step::Entry(name, bytes)) => entry(name, bytes, take),
            Ok(Step::Skipped) => true,
            Ok(Step::End) => return,
            Err(why) => {
                take(Err(unreadable(place, &why)));
                return;
            }
        };
        if !go_on {
            return;
        }
    }
    take(Err(unreadable(place, &format!("holds more than {ENTRIES_MAX} entries"))));
}

enum Step {
    Entry(String, Vec<u8>),
    Skipped,
    End,
}

fn next<R: Read>(
    parts: &mut Parts<R>,
    place: &str,
    long_name: &mut Option<String>,
) -> Result<Step, String> {
    parts.fill(BLOCK)?;
    if parts.buffer.is_empty() {
        return Err("the archive ends without its end mark".to_owned());
    }
    let header = taken(parts, BLOCK)?;
    if header.iter().all(|&byte| byte == 0) {
        return Ok(Step::End);
    }
    if !sum_is_right(&header) {
        return Err("a header of the archive is damaged".to_owned());
    }
    let size = number(&header[124..136]).ok_or("a size in the archive is no number")?;
    let is_name = matches!(header[156], b'L' | b'x');
    let limit = if is_name { NAME_BYTES_MAX } else { DOCUMENT_BYTES_MAX };
    if size > limit {
        return Err(format!("an entry is longer than {limit} bytes"));
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut bytes = taken(parts, size.next_multiple_of(BLOCK))?;
    bytes.truncate(size);
    match header[156] {
        b'L' => *long_name = Some(text(&bytes)),
        b'x' => *long_name = pax_path(&bytes).or_else(|| long_name.take()),
        0 | b'0' => {
            let name = long_name.take().unwrap_or_else(|| header_name(&header));
            return Ok(Step::Entry(format!("{place}!/{name}"), bytes));
        }
        _ => *long_name = None,
    }
    Ok(Step::Skipped)
}

fn taken<R: Read>(parts: &mut Parts<R>, count: usize) -> Result<Vec<u8>, String> {
    parts.fill(count.max(super::PART_BYTES))?;
    if parts.buffer.len() < count {
        return Err("the archive is cut short".to_owned());
    }
    let rest = parts.buffer.split_off(count);
    Ok(std::mem::replace(&mut parts.buffer, rest))
}

fn sum_is_right(header: &[u8]) -> bool {
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    let field: u64 = header[148..156].iter().map(|&byte| u64::from(byte)).sum();
    number(&header[148..156]) == Some(sum - field + 8 * u64::from(b' '))
}

/// Octal digits, or GNU's binary form.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] == 0x80 {
        let tail: [u8; 8] = field[field.len() - 8..].try_into().ok()?;
        return Some(u64::from_be_bytes(tail));
    }
    let digits = text(field);
    let digits = digits.trim();
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn header_name(header: &[u8]) -> String {
    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// The member `path` of a pax header.
fn pax_path(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find_map(|(_, member)| member.strip_prefix("path=").map(str::to_owned))
}
