//! What can be scanned, and how a person names it.

mod host;
mod local_image;
mod mounts;
mod process;

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub(crate) use self::host::Host;
pub(crate) use self::local_image::{Folder, STORES, find as find_image};

/// A target of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A folder or a file, whichever is there.
    Path(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// A file.
    File(PathBuf),
    /// An image in the layout of OCI, unpacked or as a tar archive.
    Oci(PathBuf),
    /// An image as `docker save` writes it.
    DockerArchive(PathBuf),
    /// An image of the local store of Docker or Podman, by name or id; it is never pulled.
    Image(String),
    /// This machine: its local file systems, and what its processes use.
    Host,
}

impl Target {
    /// Reads `KIND:REST`, or a path. A file whose name looks like a kind is named `./oci:x`.
    pub fn parse(text: &OsStr) -> Self {
        let bytes = text.as_bytes();
        if bytes == b"host:" {
            return Self::Host;
        }
        let colon = bytes.iter().position(|byte| *byte == b':').unwrap_or_default();
        let (kind, rest) = bytes.split_at(colon);
        let rest = PathBuf::from(OsStr::from_bytes(rest.get(1..).unwrap_or_default()));
        match kind {
            b"dir" => Self::Folder(rest),
            b"file" => Self::File(rest),
            b"oci" => Self::Oci(rest),
            b"docker-archive" => Self::DockerArchive(rest),
            b"image" => Self::Image(rest.to_string_lossy().into_owned()),
            _ => Self::Path(PathBuf::from(text)),
        }
    }

    /// The file or folder of this machine that is read first.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Path(path)
            | Self::Folder(path)
            | Self::File(path)
            | Self::Oci(path)
            | Self::DockerArchive(path) => path,
            Self::Image(_) | Self::Host => Path::new("/"),
        }
    }
}

impl fmt::Display for Target {
    /// As a person names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Folder(path) => write!(f, "dir:{}", path.display()),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Oci(path) => write!(f, "oci:{}", path.display()),
            Self::DockerArchive(path) => write!(f, "docker-archive:{}", path.display()),
            Self::Image(reference) => write!(f, "image:{reference}"),
            Self::Host => f.write_str("host:"),
        }
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
            ("oci:dir", Target::Oci("dir".into())),
            ("docker-archive:a.tar", Target::DockerArchive("a.tar".into())),
            ("image:app:1", Target::Image("app:1".into())),
            ("a:b", Target::Path("a:b".into())),
            ("host:", Target::Host),
            ("host:x", Target::Path("host:x".into())),
        ] {
            let target = Target::parse(OsStr::new(text));
            assert_eq!(target, expected);
            assert_eq!(target.to_string(), text);
        }
    }
}
