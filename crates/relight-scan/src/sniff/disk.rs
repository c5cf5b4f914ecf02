//! Images of disks and of file systems that we recognise and do not read, and installers of
//! Windows: what says so stands behind the first bytes.

use std::io;

use super::HEAD_BYTES;
use crate::archive::{u16_at, u32_at};
use crate::cataloger::ReadAt;
use crate::window::Window;

/// Smallest image of a disk that is taken for one, in bytes: boot code for one is smaller.
const DISK_BYTES_MIN: u64 = 1 << 20;

/// Bytes in which the marks of file systems stand, that of btrfs last.
const MARKS_BYTES: usize = 0x1_0048;

/// How a compound file starts.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// The last two bytes of a boot record.
const BOOT: u16 = 0xaa55;

/// The class of an installation database, in its root (MSI; the two others are patches and
/// transforms).
const INSTALLERS: [[u8; 2]; 3] = [[0x84, 0x10], [0x86, 0x10], [0x82, 0x10]];

/// What follows the first two bytes of these classes: `000C1084-0000-0000-C000-000000000046`.
const INSTALLER_REST: &[u8] = b"\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";

/// Whether the first bytes may be those of an image or of an installer.
pub(crate) fn may_be(head: &[u8]) -> bool {
    head.starts_with(COMPOUND)
        || head.len() == HEAD_BYTES
            && (u16_at(head, 510) == BOOT || head.iter().all(|byte| *byte == 0))
}

/// Whether these bytes are an image of a disk or of a file system.
///
/// # Errors
/// Those of the file.
pub(crate) fn is_file_system(window: &Window) -> io::Result<bool> {
    if window.len() < DISK_BYTES_MIN {
        return Ok(false);
    }
    let head = window.read(0, HEAD_BYTES)?;
    if head.len() < HEAD_BYTES {
        return Ok(false);
    }
    if u16_at(&head, 510) == BOOT {
        let is_fat = [&head[54..57], &head[82..85]].contains(&&b"FAT"[..]);
        let is_windows = &head[3..8] == b"NTFS " || &head[3..11] == b"EXFAT   ";
        return Ok(is_fat || is_windows || has_partitions(&head));
    }
    // The others leave room for boot code in front of them, and it is empty.
    if head.iter().any(|byte| *byte != 0) {
        return Ok(false);
    }
    let bytes = window.read(0, MARKS_BYTES)?;
    let is_ext = u16_at(&bytes, 1_024 + 56) == 0xef53;
    let is_erofs = u32_at(&bytes, 1_024) == 0xe0f5_e1e2;
    let is_f2fs = u32_at(&bytes, 1_024) == 0xf2f5_2010;
    let is_at = |at: usize, mark: &[u8]| bytes.get(at..).is_some_and(|it| it.starts_with(mark));
    let is_hfs = is_at(1_024, b"H+\0\x04") || is_at(1_024, b"HX\0\x05");
    let is_lvm = is_at(512, b"LABELONE");
    let is_linux = is_ext || is_erofs || is_f2fs || is_lvm;
    Ok(is_linux || is_hfs || is_at(0x1_0040, b"_BHRfS_M"))
}

/// Whether these bytes end like an image of macOS (UDIF): its blocks may start like anything.
///
/// # Errors
/// Those of the file.
pub(crate) fn is_udif(window: &Window) -> io::Result<bool> {
    // The last record: its version, and its length.
    const MARK: &[u8] = b"koly\0\0\0\x04\0\0\x02\0";
    let Some(at) = window.len().checked_sub(HEAD_BYTES as u64) else { return Ok(false) };
    Ok(window.peek(at, MARK.len())? == MARK)
}

/// Whether a boot record has a table of partitions: one that is there, and all with a state that is
/// one.
fn has_partitions(head: &[u8]) -> bool {
    let mut entries = head[446..510].chunks_exact(16);
    let is_there = |entry: &[u8]| entry[4] != 0 && u32_at(entry, 12) != 0;
    entries.clone().any(is_there) && entries.all(|entry| matches!(entry[0], 0 | 0x80))
}

/// Where the class of a compound file of Microsoft (MS-CFB) ends, which stands in its root: at any
/// place of it. `None` for what is no such file.
pub(crate) fn class_end(head: &[u8]) -> Option<u64> {
    let shift = u32::from(u16_at(head, 30)).min(16);
    let root_at = (u64::from(u32_at(head, 48)) + 1) << shift;
    head.starts_with(COMPOUND).then_some(root_at + 96)
}

/// Whether a compound file is an installer, with archives in it.
///
/// # Errors
/// Those of the file.
pub(crate) fn is_installer(source: &dyn ReadAt, at: u64) -> io::Result<bool> {
    let Some(end) = class_end(&source.read_at(at, HEAD_BYTES)?) else { return Ok(false) };
    let class = source.read_at(at.saturating_add(end - 16), 16)?;
    let is_one = |start: &[u8; 2]| class.starts_with(start) && class[2..] == *INSTALLER_REST;
    Ok(class.len() == 16 && INSTALLERS.iter().any(is_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(marks: &[(usize, &[u8])], len: u64) -> Window {
        let mut bytes = vec![0; usize::try_from(len).unwrap()];
        for (at, mark) in marks {
            bytes[*at..at + mark.len()].copy_from_slice(mark);
        }
        Window::of_memory(bytes)
    }

    #[test]
    fn images_of_disks_and_file_systems() {
        let boot: (usize, &[u8]) = (510, b"\x55\xaa");
        let partition: (usize, &[u8]) = (446, b"\x80\0\x01\0\x83\0\0\0\0\x08\0\0\0\x10\0\0");
        for (marks, expected) in [
            (&[(1_080, &b"\x53\xef"[..])][..], true),
            (&[(1_024, b"\xe2\xe1\xf5\xe0")], true),
            (&[(1_024, b"\x10\x20\xf5\xf2")], true),
            (&[(0x1_0040, b"_BHRfS_M")], true),
            (&[(1_024, b"H+\0\x04")], true),
            (&[(1_024, b"HX\0\x05")], true),
            (&[(512, b"LABELONE")], true),
            (&[boot, (82, b"FAT32")], true),
            (&[boot, (3, b"NTFS    ")], true),
            (&[boot, (3, b"EXFAT   ")], true),
            (&[boot, partition], true),
            (&[boot, partition, (462, b"\x07")], false),
            (&[boot], false),
            (&[(0, b"x"), (1_080, b"\x53\xef")], false),
            (&[], false),
        ] {
            let image = disk(marks, DISK_BYTES_MIN);
            assert_eq!(is_file_system(&image).unwrap(), expected, "{marks:?}");
            assert!(!expected || may_be(&image.read(0, HEAD_BYTES).unwrap()), "{marks:?}");
            let small = disk(marks, DISK_BYTES_MIN - 1);
            assert!(!is_file_system(&small).unwrap(), "{marks:?}");
        }
    }

    #[test]
    fn an_installer_and_another_compound_file() {
        let mark: (usize, &[u8]) = (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        let shift: (usize, &[u8]) = (30, b"\x09\0");
        let root: (usize, &[u8]) = (48, b"\x01\0");
        let class = [&[0x84, 0x10][..], INSTALLER_REST].concat();
        let at = 2 * 512 + 80;
        let is = |marks: &[(usize, &[u8])]| is_installer(&disk(marks, 4_096), 0).unwrap();
        assert!(is(&[mark, shift, root, (at, &class)]) && may_be(mark.1));
        assert!(!is(&[mark, shift, root]), "a document");
        assert!(!is(&[shift, root, (at, &class)]));
        // The root is said to be outside of the file.
        assert!(!is(&[mark, shift, (48, b"\xfe\xff\xff\xff"), (at, &class)]));
    }
}
