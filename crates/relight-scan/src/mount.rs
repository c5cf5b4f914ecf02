//! What kinds of file systems mean for a scan.

/// What a mount below the root means for a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mount {
    /// Files of this machine.
    Local,
    /// Views of the kernel: nothing in them is a file of the machine.
    Pseudo,
    /// Reached over a network or a user process: slow, shared, and possibly endless.
    Remote,
}

/// Sorts file systems by their magic numbers (`linux/magic.h`, and each file system's source).
pub(crate) fn by_magic(kind: i64) -> Mount {
    match kind & 0xffff_ffff {
        // proc, sysfs, cgroup, cgroup2, devpts, debugfs, tracefs, securityfs, bpf, pstore, mqueue,
        // configfs, binfmt_misc, efivarfs, fusectl, nsfs, selinuxfs.
        0x9fa0 | 0x6265_6572 | 0x0027_e0eb | 0x6367_7270 | 0x1cd1 | 0x6462_6720 | 0x7472_6163
        | 0x7363_6673 | 0xcafe_4a11 | 0x6165_676c | 0x1980_0202 | 0x6265_6570 | 0x4249_4e4d
        | 0xde5e_81e4 | 0x6573_5543 | 0x6e73_6673 | 0xf97c_ff8c => Mount::Pseudo,
        // NFS, SMB, SMB2, CIFS, FUSE, Ceph, AFS, 9p, Coda.
        0x6969 | 0x517b | 0xfe53_4d42 | 0xff53_4d42 | 0x6573_5546 | 0x00c3_6400 | 0x5346_414f
        | 0x0102_1997 | 0x7375_7245 => Mount::Remote,
        _ => Mount::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts() {
        assert_eq!(by_magic(0x9fa0), Mount::Pseudo);
        assert_eq!(by_magic(0xef53), Mount::Local);
        assert_eq!(by_magic(0x0102_1994), Mount::Local, "tmpfs holds files");
        assert_eq!(by_magic(0x6969), Mount::Remote);
    }
}
