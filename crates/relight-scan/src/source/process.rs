//! Which files the running processes have open, mapped or are made of.
//!
//! Of a process only `exe`, `maps`, `fd` and `cgroup` are read, never its environment or its
//! arguments: those hold secrets.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::evidence::escape;
use crate::folder::Id;

/// Processes that are looked at.
const PROCESSES_MAX: usize = 65_536;

/// Bytes of the map of one process.
const MAPS_BYTES_MAX: u64 = 16 << 20;

/// Bytes of the table of accounts.
const ACCOUNTS_BYTES_MAX: u64 = 1 << 20;

/// From here on user ids belong to people (login.defs(5), `UID_MIN`): their names are not kept.
const PERSON_UID_MIN: u32 = 1_000;

/// What the kernel puts behind the path of a file that has no name any more.
const DELETED: &str = " (deleted)";

/// What running processes use.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    /// `UNIT USER` of each process that has a file open.
    pub(crate) by_file: HashMap<Id, BTreeSet<String>>,
    /// Files without a name that a process still reads: how to open each, by evidence path and
    /// file. A path had one file after the other where a package was renewed twice, and each
    /// container has its own. The device is 0 where only a map tells of the file.
    pub(crate) deleted: BTreeMap<(String, Id), PathBuf>,
    /// Some process did not let us look.
    pub(crate) is_partial: bool,
}

impl InUse {
    /// Looks at every process below `proc`; names of accounts come from the host at `root`.
    pub(crate) fn read(proc: &Path, root: &Path) -> Self {
        let accounts = accounts(&root.join("etc/passwd"));
        let mut in_use = Self::default();
        let Ok(entries) = fs::read_dir(proc) else {
            in_use.is_partial = true;
            return in_use;
        };
        let is_number = |name: &[u8]| name.iter().all(u8::is_ascii_digit);
        let mut processes: Vec<_> = entries
            .filter_map(Result::ok)
            .filter(|entry| is_number(entry.file_name().as_bytes()))
            .map(|entry| entry.path())
            .collect();
        processes.sort();
        // Every system and every container has a first process; where those of others are hidden
        // (`hidepid`), it is the first to be missed.
        let sees_first = processes.iter().any(|process| process.ends_with("1"));
        in_use.is_partial = processes.len() > PROCESSES_MAX || !sees_first;
        for process in processes.iter().take(PROCESSES_MAX) {
            // A process that ends meanwhile uses nothing any more.
            let _ = in_use.process(process, &accounts);
        }
        in_use
    }

    fn process(&mut self, process: &Path, accounts: &HashMap<u32, String>) -> io::Result<()> {
        let user = fs::metadata(process)?.uid();
        let cgroup = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
        let label = label(&cgroup, user, accounts);
        self.file(&process.join("exe"), &label);
        match fs::read_dir(process.join("fd")) {
            Ok(entries) => {
                for entry in entries.filter_map(Result::ok) {
                    self.file(&entry.path(), &label);
                }
            }
            Err(error) => self.refused(&error),
        }
        let mut maps = Vec::new();
        match fs::File::open(process.join("maps"))
            .and_then(|file| file.take(MAPS_BYTES_MAX).read_to_end(&mut maps))
        {
            Ok(_) => self.maps(process, &String::from_utf8_lossy(&maps), &label),
            Err(error) => self.refused(&error),
        }
        self.is_partial |= maps.len() as u64 == MAPS_BYTES_MAX;
        Ok(())
    }

    fn refused(&mut self, error: &io::Error) {
        self.is_partial |= error.kind() == io::ErrorKind::PermissionDenied;
    }

    /// A link to a file that a process has open.
    fn file(&mut self, link: &Path, label: &str) {
        let file = match fs::metadata(link) {
            Ok(file) if file.is_file() => file,
            Ok(_) => return,
            Err(error) => return self.refused(&error),
        };
        self.uses(&file, label);
        let name = fs::read_link(link).unwrap_or_default();
        if file.nlink() == 0 {
            let name = name.to_string_lossy();
            self.deleted.remove(&(place(&name), (0, file.ino())));
            self.deleted_file(&name, (file.dev(), file.ino()), link);
        }
    }

    /// Files that a process has mapped (proc_pid_maps(5)).
    fn maps(&mut self, process: &Path, maps: &str, label: &str) {
        let mut seen = BTreeSet::new();
        for line in maps.lines() {
            let mut fields = line.splitn(6, ' ');
            let range = fields.next().unwrap_or_default();
            let inode = fields.nth(3).and_then(|inode| inode.parse().ok()).unwrap_or_default();
            let path = fields.next().map(str::trim_start).unwrap_or_default();
            if !path.starts_with('/') || !seen.insert((path, inode)) {
                continue;
            }
            if path.ends_with(DELETED) {
                let link = process.join("map_files").join(range);
                if !self.is_known(path, inode) {
                    self.deleted_file(path, (0, inode), &link);
                }
            } else if let Ok(file) =
                fs::metadata(process.join("root").join(path.trim_start_matches('/')))
            {
                self.uses(&file, label);
            }
        }
    }

    /// Whether a file without a name is known already. File systems in layers tell a map another
    /// device than everybody else.
    fn is_known(&self, path: &str, inode: u64) -> bool {
        let path = place(path);
        let same_path = self.deleted.range((path.clone(), (0, 0))..);
        let mut same_path = same_path.take_while(|((other, _), _)| *other == path);
        same_path.any(|((_, (_, other)), _)| *other == inode)
    }

    fn uses(&mut self, file: &Metadata, label: &str) {
        if file.is_file() {
            let users = self.by_file.entry((file.dev(), file.ino())).or_default();
            users.insert(label.to_owned());
        }
    }

    fn deleted_file(&mut self, path: &str, id: Id, link: &Path) {
        if !is_memory(path) {
            self.deleted.entry((place(path), id)).or_insert_with(|| link.to_owned());
        }
    }
}

/// The evidence path of a file that had this path.
fn place(path: &str) -> String {
    let path = path.strip_suffix(DELETED).unwrap_or(path);
    escape(path.trim_start_matches('/').as_bytes())
}

/// Shared memory looks like a file without a name.
fn is_memory(path: &str) -> bool {
    ["/memfd:", "/dev/", "/SYSV", "/i915", "/drm", "/anon_hugepage"]
        .iter()
        .any(|start| path.starts_with(start))
}

/// `UNIT USER`: the service by its control group, and its account. Of people neither is told.
fn label(cgroup: &str, user: u32, accounts: &HashMap<u32, String>) -> String {
    let path = cgroup.lines().find_map(|line| line.splitn(3, ':').nth(2)).unwrap_or_default();
    let in_session = path.contains("/user.slice/");
    if in_session || user >= PERSON_UID_MIN && !path.contains(".service") {
        return "session -".to_owned();
    }
    let unit = path.rsplit('/').find(|part| part.ends_with(".service") || part.ends_with(".scope"));
    let account = accounts.get(&user).cloned().unwrap_or_else(|| user.to_string());
    format!("{} {account}", unit.unwrap_or("-"))
}

/// Names of accounts by their number (passwd(5)).
fn accounts(path: &Path) -> HashMap<u32, String> {
    let mut text = String::new();
    let read = fs::File::open(path)
        .and_then(|file| file.take(ACCOUNTS_BYTES_MAX).read_to_string(&mut text));
    if read.is_err() {
        return HashMap::new();
    }
    let account = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.parse().ok()?, name))
    };
    text.lines().filter_map(account).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::symlink;

    use super::*;

    fn id(path: &Path) -> Id {
        let file = fs::metadata(path).unwrap();
        (file.dev(), file.ino())
    }

    #[test]
    fn services_are_named_and_people_are_not() {
        let accounts = HashMap::from([(33, "www-data".to_owned()), (1_000, "alice".to_owned())]);
        for (cgroup, user, expected) in [
            ("0::/system.slice/tomcat9.service\n", 33, "tomcat9.service www-data"),
            ("0::/system.slice/app.service/inner\n", 1_000, "app.service alice"),
            ("0::/user.slice/user-1000.slice/session-2.scope\n", 1_000, "session -"),
            ("0::/user.slice/user-0.slice/session-1.scope\n", 0, "session -"),
            ("0::/docker.scope\n", 7, "docker.scope 7"),
            ("0::/\n", 1_000, "session -"),
            ("", 33, "- www-data"),
        ] {
            assert_eq!(label(cgroup, user, &accounts), expected, "{cgroup}");
        }
    }

    /// Goal: open, mapped and executed files are found; memory and pipes are not. Method: a folder
    /// like `/proc` in which links stand for those of the kernel.
    #[test]
    fn what_a_process_uses() {
        let place = tempfile::tempdir().unwrap();
        let (root, proc) = (place.path().join("root"), place.path().join("proc"));
        let process = proc.join("42");
        fs::create_dir_all(process.join("fd")).unwrap();
        fs::create_dir(proc.join("1")).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::create_dir_all(proc.join("sys")).unwrap();
        for name in ["java", "open.jar", "mapped.so", "other.jar"] {
            fs::write(root.join(name), name).unwrap();
        }
        symlink(root.join("java"), process.join("exe")).unwrap();
        symlink(root.join("open.jar"), process.join("fd/3")).unwrap();
        symlink(root.join("etc"), process.join("fd/4")).unwrap();
        symlink("pipe:[7]", process.join("fd/5")).unwrap();
        symlink(&root, process.join("root")).unwrap();
        fs::write(process.join("cgroup"), "0::/system.slice/app.service\n").unwrap();
        for secret in ["environ", "cmdline"] {
            symlink("/nonexistent/would-fail", process.join(secret)).unwrap();
        }
        fs::write(
            process.join("maps"),
            b"1-2 r--p 0 08:01 5   /mapped.so\n2-3 rw-p 0 00:00 0 [heap]\n\
             2-3 r--p 0 08:01 7 /no \xff text\n\
             3-4 rw-s 0 00:01 9 /memfd:x (deleted)\n4-5 r--p 0 08:01 6 /old name.so (deleted)\n",
        )
        .unwrap();
        let in_use = InUse::read(&proc, &root);
        let uid = fs::metadata(&process).unwrap().uid();
        let label = BTreeSet::from([format!("app.service {uid}")]);
        let mut used: Vec<Id> = in_use.by_file.keys().copied().collect();
        used.sort_unstable();
        let mut expected = ["java", "open.jar", "mapped.so"].map(|name| id(&root.join(name)));
        expected.sort_unstable();
        assert_eq!(used, expected);
        assert!(in_use.by_file.values().all(|users| *users == label));
        let link = process.join("map_files/4-5");
        let deleted = ("old name.so".to_owned(), (0, 6));
        assert_eq!(in_use.deleted, BTreeMap::from([(deleted, link)]));
        assert!(!in_use.is_partial);
        fs::remove_dir(proc.join("1")).unwrap();
        assert!(InUse::read(&proc, &root).is_partial, "processes of others are hidden");
    }

    /// Real files without a name, held open by this very process: two that had the same one.
    #[test]
    fn files_that_were_deleted_and_are_open() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("old.jar");
        let held = ["first", "second"].map(|bytes| {
            fs::write(&path, bytes).unwrap();
            let held = File::open(&path).unwrap();
            fs::remove_file(&path).unwrap();
            held
        });
        fs::create_dir(place.path().join("proc")).unwrap();
        symlink("/proc/self", place.path().join("proc/1")).unwrap();
        let in_use = InUse::read(&place.path().join("proc"), place.path());
        let evidence = path.display().to_string().trim_start_matches('/').to_owned();
        let of_it = in_use.deleted.iter().filter(|((path, _), _)| *path == evidence);
        let mut found: Vec<String> =
            of_it.map(|(_, link)| fs::read_to_string(link).unwrap()).collect();
        found.sort();
        assert_eq!(found, ["first", "second"]);
        drop(held);
    }

    #[test]
    fn without_processes_to_look_at_the_answer_is_partial() {
        assert!(InUse::read(Path::new("/nonexistent"), Path::new("/nonexistent")).is_partial);
    }
}
