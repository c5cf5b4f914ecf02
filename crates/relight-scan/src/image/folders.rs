//! A layer as a folder of an overlay file system: what hides is a device of the numbers 0:0, or a
//! folder with an attribute (kernel documentation, "Overlay Filesystem").

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use relight_model::FlawCode;
use rustix::fs::{AtFlags, CWD, Dir, FileType, fgetxattr, fstat, major, minor, readlinkat, statat};
use rustix::io::Errno;

use super::layering::{Layering, ReadFile};
use crate::archive::{Body, Entry, Node};
use crate::evidence::escape;
use crate::folder::{self, Links};
use crate::steady::Stamp;
use crate::walk::{code_of, open_file};
use crate::window::{Pace, Window};

/// Levels of folders in one layer, each of which is held open.
const LEVELS_MAX: usize = 256;

/// Attributes of a folder that hides what lower layers have in it.
const OPAQUE: [&CStr; 2] = [c"trusted.overlay.opaque", c"user.overlay.opaque"];

/// Reads a layer that is a folder, in the order of its names; `label` names it where it cannot be
/// opened.
pub(crate) fn read(
    root: &Path,
    label: &str,
    pace: Option<&Arc<dyn Pace>>,
    layering: &mut Layering,
    reader: &dyn ReadFile,
) {
    let opened = CString::new(root.as_os_str().as_bytes())
        .map_err(|_| Errno::INVAL)
        .and_then(|root| folder::open(CWD, &root, Links::Refuse));
    match opened {
        Ok(folder) => Walk { pace, layering, reader }.folder(&folder, b"", 0),
        Err(error) => layering.totals().flaw(code_of(&error.into()), label, 0),
    }
}

struct Walk<'a> {
    pace: Option<&'a Arc<dyn Pace>>,
    layering: &'a mut Layering,
    reader: &'a dyn ReadFile,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &OwnedFd, path: &[u8], level: usize) {
        if is_opaque(folder) {
            self.layering.opaque(path);
        }
        let names = match names(folder) {
            Ok(names) if level < LEVELS_MAX => names,
            Ok(_) => return self.flaw(FlawCode::LimitDepth, path),
            Err(error) => return self.flaw(code_of(&error.into()), path),
        };
        for name in names {
            let inside = [path, b"/", name.to_bytes()].concat();
            if let Err(error) = self.entry(folder, &name, &inside, level) {
                self.flaw(code_of(&error.into()), &inside);
            }
        }
    }

    fn entry(
        &mut self,
        folder: &OwnedFd,
        name: &CStr,
        path: &[u8],
        level: usize,
    ) -> Result<(), Errno> {
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let node = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                self.layering.add(Entry::bare(path.to_vec(), Node::Folder), self.reader);
                let inner = folder::open(folder, name, Links::Refuse)?;
                self.folder(&inner, path, level + 1);
                return Ok(());
            }
            FileType::RegularFile => return self.file(folder, name, path),
            FileType::Symlink => Node::Link(readlinkat(folder, name, Vec::new())?.into_bytes()),
            FileType::CharacterDevice if (major(stat.st_rdev), minor(stat.st_rdev)) == (0, 0) => {
                self.layering.white_out(path);
                return Ok(());
            }
            _ => Node::Device(0, 0),
        };
        self.layering.add(Entry::bare(path.to_vec(), node), self.reader);
        Ok(())
    }

    fn file(&mut self, folder: &OwnedFd, name: &CStr, path: &[u8]) -> Result<(), Errno> {
        let file = open_file(folder, name, Links::Refuse)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        let Some(stamp) = Stamp::of_file(&fstat(&file)?) else { return Ok(()) };
        let file = Arc::new(File::from(file));
        let window = Window::of_paced_file(Arc::clone(&file), stamp.size, self.pace.cloned());
        let body = Body::Plain(window.clone());
        self.layering.add(Entry::file(path.to_vec(), Some(stamp.size), body), self.reader);
        self.layering.bytes_read += window.bytes_read();
        if Stamp::of_file(&fstat(&*file)?) != Some(stamp) {
            self.flaw(FlawCode::ChangedDuringScan, path);
        }
        Ok(())
    }

    fn flaw(&mut self, code: FlawCode, path: &[u8]) {
        let path = escape(path.strip_prefix(b"/").unwrap_or(path));
        self.layering.totals().flaw(code, &path, 0);
    }
}

fn names(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn is_opaque(folder: &OwnedFd) -> bool {
    OPAQUE.iter().any(|attribute| {
        let mut value = [0; 1];
        fgetxattr(folder, *attribute, &mut value).is_ok_and(|len| len == 1 && value[0] == b'y')
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use relight_model::{Basis, Component, Purl, Scope};
    use rustix::fs::{Mode, XattrFlags, fsetxattr, mknodat};

    use super::*;
    use crate::unpack::Found;

    /// Finds one component in each file.
    struct Names;

    impl ReadFile for Names {
        fn read_file(&self, _: Entry, path: &str) -> Found {
            let purl = Purl::new("generic", "", "it", "");
            let component = Component::new(purl, path, Basis::FileName, Scope::Installed);
            Found { components: vec![component], ..Found::default() }
        }

        fn says_more(&self, _: &str, _: &str) -> bool {
            false
        }
    }

    /// Goal: what upper folders hide is hidden; a file that is only called like a whiteout of an
    /// archive hides nothing. Devices and attributes need root, and a file system that has them:
    /// without, that part is void.
    #[test]
    fn folders_of_an_overlay() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        for name in ["0/a", "0/gone", "0/dir/old", "0/stays/x", "1/dir/new", "1/a", "1/.wh.stays"] {
            write(name);
        }
        let device = FileType::CharacterDevice;
        let gone = place.path().join("1/gone");
        let has_device = mknodat(CWD, &gone, device, Mode::RWXU, 0).is_ok();
        let folder = File::open(place.path().join("1/dir")).unwrap();
        let has_attribute =
            OPAQUE.iter().any(|name| fsetxattr(&folder, *name, b"y", XattrFlags::empty()).is_ok());
        let mut layering = Layering::new("");
        for layer in ["0", "1", "missing"] {
            read(&place.path().join(layer), layer, None, &mut layering, &Names);
            layering.end_layer(None);
        }
        let merged = layering.finish();
        let evidence = |components: &[Component]| {
            let mut all: Vec<_> = components.iter().map(|c| c.evidence.clone()).collect();
            all.sort();
            all
        };
        let mut expected = vec![".wh.stays", "a", "dir/new", "dir/old", "gone", "stays/x"];
        expected.retain(|path| !(has_device && *path == "gone"));
        expected.retain(|path| !(has_attribute && *path == "dir/old"));
        assert_eq!(evidence(&merged.found.components), expected);
        assert_eq!(merged.hidden.len(), 7 - expected.len(), "hidden, or replaced as `a` is");
        let flaws: Vec<_> = merged.found.flaws.iter().map(|flaw| flaw.evidence.as_str()).collect();
        assert_eq!(flaws, ["missing"]);
    }
}
