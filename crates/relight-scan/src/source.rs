//! What can be scanned, and how a person names it.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A target of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A folder or a file, whichever is there.
    Path(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// A file.
    File(PathBuf),
}

impl Target {
    /// Reads `KIND:REST`, or a path. A file whose name looks like a kind is named `./oci:x`.
    pub fn parse(text: &OsStr) -> Self {
        let bytes = text.as_bytes();
        let of = |rest: &[u8]| PathBuf::from(OsStr::from_bytes(rest));
        if let Some(rest) = bytes.strip_prefix(b"dir:") {
            return Self::Folder(of(rest));
        }
        match bytes.strip_prefix(b"file:") {
            Some(rest) => Self::File(of(rest)),
            None => Self::Path(of(bytes)),
        }
    }

    /// The file or folder of this machine that is read first.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Path(path) | Self::Folder(path) | Self::File(path) => path,
        }
    }
}

impl fmt::Display for Target {
    /// As a person names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Path(_) => "",
            Self::Folder(_) => "dir:",
            Self::File(_) => "file:",
        };
        write!(f, "{kind}{}", self.path().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written() {
        for (text, expected) in [
            ("srv/app", Target::Path("srv/app".into())),
            ("./dir:x", Target::Path("./dir:x".into())),
            ("dir:/srv", Target::Folder("/srv".into())),
            ("file:a.jar", Target::File("a.jar".into())),
        ] {
            let target = Target::parse(OsStr::new(text));
            assert_eq!(target, expected);
            assert_eq!(target.to_string(), text);
        }
    }
}
