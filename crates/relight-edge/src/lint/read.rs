//! The files of a configuration: the first one, and what it includes, within limits.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{ERROR, Found};

/// Largest file of a configuration, in bytes.
pub const CONFIG_BYTES_MAX: u64 = 16 << 20;
/// Most files that one configuration may include.
pub const INCLUDE_FILES_MAX: usize = 20_000;
/// Deepest inclusion of files in files.
pub const INCLUDE_DEPTH_MAX: usize = 16;

/// Reads files for a parser, and notes what could not be read.
pub(super) struct Files {
    root: PathBuf,
    read: usize,
    pub(super) found: Vec<Found>,
}

impl Files {
    pub(super) fn new(first: &Path) -> Self {
        Self { root: first.to_owned(), read: 0, found: Vec::new() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn first(&self) -> io::Result<String> {
        read(&self.root)
    }

    /// What an `include` means: every file that its pattern fits, in order.
    pub(super) fn include(
        &mut self,
        pattern: &str,
        place: (&Path, usize),
        depth: usize,
    ) -> Vec<(PathBuf, String)> {
        let folder = self.root.parent().unwrap_or(Path::new("/"));
        let pattern = folder.join(pattern);
        let paths = if is_glob(&pattern.to_string_lossy()) {
            fits(&pattern)
        } else {
            vec![pattern.clone()]
        };
        if depth >= INCLUDE_DEPTH_MAX || self.read + paths.len() > INCLUDE_FILES_MAX {
            self.note("include-limit", place, &pattern);
            return Vec::new();
        }
        self.read += paths.len();
        let mut texts = Vec::with_capacity(paths.len());
        for path in paths {
            match read(&path) {
                Ok(text) => texts.push((path, text)),
                Err(_) => self.note("include-unreadable", place, &path),
            }
        }
        texts
    }

    fn note(&mut self, code: &'static str, place: (&Path, usize), path: &Path) {
        let (file, line, what) = (place.0.to_owned(), place.1, path.display().to_string());
        self.found.push(Found { file, line, code, severity: ERROR, what });
    }
}

/// What `statfs` says about a file system in memory (`TMPFS_MAGIC` of linux/magic.h).
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// Whether a path lies on a file system that a reboot empties.
pub(super) fn is_in_memory(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|found| found.f_type as u64 == TMPFS_MAGIC)
}

pub(super) fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(io::Error::other("longer than 16 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The files that a pattern fits; `*` and `?` in any part of the path.
fn fits(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str().to_string_lossy().into_owned();
        if !is_glob(&part) {
            for path in &mut found {
                path.push(&part);
            }
            continue;
        }
        found = found.iter().flat_map(|folder| entries(folder, &part)).collect();
        found.sort();
    }
    found.retain(|path| path.is_file());
    found
}

fn entries(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(listed) = fs::read_dir(folder) else { return Vec::new() };
    let names = listed.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| !name.starts_with('.') || pattern.starts_with('.'))
        .filter(|name| matches(pattern.as_bytes(), name.as_bytes()))
        .map(|name| folder.join(name))
        .collect()
}

/// Whether a name fits a pattern of `*` and `?`. Goes back to the last star only, so that no
/// pattern is slow.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut back) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                p = star + 1;
                n = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fit) in [
            ("*", "", true),
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a?c*", "abcd", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_goes_too_deep_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("main.conf");
        fs::write(&main, "").unwrap();
        fs::write(folder.path().join("b.part"), "b").unwrap();
        fs::write(folder.path().join("a.part"), "a").unwrap();
        let mut files = Files::new(&main);
        let texts: Vec<String> =
            files.include("*.part", (&main, 1), 0).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["a", "b"]);
        assert!(files.include("gone.conf", (&main, 3), 0).is_empty());
        assert!(files.include("a.part", (&main, 4), INCLUDE_DEPTH_MAX).is_empty());
        files.read = INCLUDE_FILES_MAX;
        assert!(files.include("a.part", (&main, 5), 0).is_empty());
        let told: Vec<_> = files.found.iter().map(|found| (found.code, found.line)).collect();
        assert_eq!(told, [("include-unreadable", 3), ("include-limit", 4), ("include-limit", 5)]);
        let large = folder.path().join("large");
        fs::File::create(&large).unwrap().set_len(CONFIG_BYTES_MAX + 1).unwrap();
        assert!(read(&large).is_err());
        fs::File::create(&large).unwrap().set_len(CONFIG_BYTES_MAX).unwrap();
        assert!(read(&large).is_ok());
    }
}
