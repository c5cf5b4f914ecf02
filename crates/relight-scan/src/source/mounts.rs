//! The mount table of a host: which file systems are scanned, left out, or none of ours.

use std::collections::HashMap;

use crate::evidence::escape;
use crate::mount::Mount;

/// Largest mount table that is read, in bytes.
pub(super) const TABLE_BYTES_MAX: u64 = 16 << 20;

/// File systems of the kernel by the names it gives them: they hold no files of the machine.
const PSEUDO: [&str; 21] = [
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

/// File systems that are reached over a network, or made up by a program; `autofs` would mount
/// one as soon as it is looked at.
const REMOTE: [&str; 16] = [
    "9p",
    "afs",
    "autofs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "virtiofs",
];

/// What kind of file system one of this name is.
fn by_name(name: &str) -> Mount {
    if PSEUDO.contains(&name) {
        Mount::Pseudo
    } else if REMOTE.contains(&name) || name.starts_with("fuse.") {
        Mount::Remote
    } else {
        // `fuseblk` is a local disk (NTFS), and an unknown name is rather read than lost.
        Mount::Local
    }
}

/// Reads `/proc/self/mountinfo` (proc_pid_mountinfo(5)): the evidence path of each mount point
/// below the root that is not simply local, with its kind. The last mount on a point counts.
pub(super) fn read_table(text: &str) -> HashMap<String, Mount> {
    let mut mounts = HashMap::new();
    for line in text.lines() {
        let mut halves = line.splitn(2, " - ");
        let point = halves.next().and_then(|left| left.split(' ').nth(4));
        let name = halves.next().and_then(|right| right.split(' ').next());
        let (Some(point), Some(name)) = (point, name) else { continue };
        let path = escape(unescape(point).trim_ascii()).trim_start_matches('/').to_owned();
        match by_name(name) {
            Mount::Local => mounts.remove(&path),
            kind => mounts.insert(path, kind),
        };
    }
    // The root is what was asked for.
    mounts.remove("");
    mounts
}

/// The kernel writes space, tab, line feed and backslash as three octal digits.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let digits = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_local_is_listed() {
        let table = "\
22 27 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid shared:2 - proc proc rw
24 22 0:22 / /mnt/a\\040b rw - nfs4 server:/x rw
25 22 0:23 / /media/remote rw - fuse.sshfs host:/ rw
26 22 0:24 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw
27 22 0:25 / /net rw - autofs /etc/auto.net rw
28 22 0:26 / /srv rw - cifs //server/share rw
29 28 8:17 / /srv rw - xfs /dev/sdc1 rw
30 22 0:27 / /dev rw - devtmpfs udev rw
31 22 0:28 / /snap/core/1 ro - squashfs /dev/loop0 ro
broken line
32 22 0:29 / /x
";
        let mut mounts: Vec<_> = read_table(table).into_iter().collect();
        mounts.sort_by(|a, b| a.0.cmp(&b.0));
        let expected = [
            ("dev", Mount::Pseudo),
            ("media/remote", Mount::Remote),
            ("mnt/a b", Mount::Remote),
            ("net", Mount::Remote),
            ("proc", Mount::Pseudo),
        ];
        assert_eq!(mounts, expected.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn a_network_root_is_read_because_it_was_asked_for() {
        assert!(read_table("1 0 0:1 / / rw - nfs server:/ rw\n").is_empty());
    }

    #[test]
    fn escapes_of_the_kernel() {
        assert_eq!(unescape("a\\040b\\134\\011"), b"a b\\\t");
        assert_eq!(unescape("a\\04"), b"a\\04");
    }
}
