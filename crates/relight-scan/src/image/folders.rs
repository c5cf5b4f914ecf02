//! A layer as a folder of an overlay file system: what hides is a device of the numbers 0:0, or a
//! folder with an attribute (kernel documentation, "Overlay Filesystem").

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use relight_model::FlawCode;
use rustix::fs::{AtFlags, CWD, Dir, FileType, fgetxattr, fstat, major, minor, readlinkat, statat};
use rustix::io::Errno;

use super::layering::{Layering, ReadFile};
use super::store::{InFolder, Store};
use crate::archive::{Body, Entry, Node};
use crate::evidence::{escape, unescape};
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

/// Reads the files of a layer that is a folder once more that links call by names which say what
/// their own do not.
pub(crate) fn read_links(
    root: &Path,
    below: &[&Path],
    pace: Option<&Arc<dyn Pace>>,
    layering: &mut Layering,
    reader: &dyn ReadFile,
) {
    let telling = layering.telling_links(reader);
    if telling.is_empty() {
        return;
    }
    // What cannot be opened was told.
    let Ok(folder) = crate::walk::open_root(root) else { return };
    let store = InFolder::new(Arc::new(folder), pace.cloned());
    let mut missed = Vec::new();
    for (file, names) in telling {
        let path = String::from_utf8(unescape(&file)).ok();
        if path.as_deref().is_some_and(|path| store.is_folder(path)) {
            continue;
        }
        let window = path.as_deref().and_then(|path| store.open(path));
        for name in names {
            let Some(window) = window.clone() else {
                missed.push(name);
                continue;
            };
            let (size, body) = (Some(window.len()), Body::Plain(window.clone()));
            layering.add_link(Entry::file(name, size, body), reader);
            layering.bytes_read += window.bytes_read();
        }
    }
    layering.miss(&missed, &|places| {
        let is_below = |place: &&String| below.iter().any(|root| may_hold(root, place));
        places.iter().filter(is_below).cloned().collect()
    });
    for path in store.changed() {
        layering.totals().flaw(FlawCode::ChangedDuringScan, &escape(path.as_bytes()), 0);
    }
}

/// Whether a place is in a layer that is a folder, or may be behind a link.
fn may_hold(root: &Path, place: &str) -> bool {
    let mut path = root.to_owned();
    for name in unescape(place).split(|byte| *byte == b'/') {
        path.push(OsStr::from_bytes(name));
        match path.symlink_metadata() {
            Ok(kind) if kind.is_dir() => {}
            Ok(kind) => return kind.is_file() || kind.is_symlink(),
            Err(_) => return false,
        }
    }
    false
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

        fn says(&self, name: &str) -> bool {
            name.ends_with("known")
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
    /// Goal: links of such layers are read by their names, or told. Method: links to a file from
    /// their own folder and from the root, to a folder, into a layer below, and to nothing.
    #[test]
    fn links_of_a_folder_are_read_by_their_names() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("0/store/folder")).unwrap();
        fs::write(place.path().join("0/store/a"), "a").unwrap();
        for (link, target) in [
            ("0/b/known", "../store/a"),
            ("0/c/known", "/store/a"),
            ("0/d/known", "../store/folder"),
            ("0/e/plain", "../store/a"),
            ("1/f/known", "/store/a"),
            ("1/g/known", "/store/folder"),
            ("1/h/known", "/store/nothing"),
        ] {
            let link = place.path().join(link);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, link).unwrap();
        }
        let mut layering = Layering::new("");
        let roots = ["0", "1"].map(|layer| place.path().join(layer));
        for (at, root) in roots.iter().enumerate() {
            let below: Vec<&Path> = roots[..at].iter().map(AsRef::as_ref).collect();
            read(root, "", None, &mut layering, &Names);
            read_links(root, &below, None, &mut layering, &Names);
            layering.end_layer(None);
        }
        let found = layering.finish().found;
        let places: Vec<_> = found.components.iter().map(|it| it.evidence.as_str()).collect();
        assert_eq!(places, ["b/known", "c/known", "store/a"]);
        let told: Vec<_> = found.flaws.iter().map(|it| it.evidence.as_str()).collect();
        assert_eq!(told, ["f/known"]);
    }
}
