//! Who controls the register for longer than one command: a lock on a file, which the system lifts
//! when its holder ends, however it ends. The lease says who may write; this says that somebody is
//! there.

use std::fs::{File, OpenOptions, TryLockError};

use crate::{Store, StoreError};

/// Name of the file inside the data directory.
const LOCK_FILE: &str = "relight.lock";

/// Held as long as this lives.
#[derive(Debug)]
pub struct Control(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

impl Store {
    /// Takes control of the register, unless somebody who runs has it.
    ///
    /// # Errors
    /// The file of the lock cannot be made or locked.
    pub fn take_control(&self) -> Result<Option<Control>, StoreError> {
        self.lock_file(LOCK_FILE)
    }

    /// Takes an edge for a drill, unless somebody rehearses there who runs: whether one that began
    /// and did not end is over.
    ///
    /// # Errors
    /// As [`Store::take_control`].
    pub fn take_drill(&self, edge: &str) -> Result<Option<Control>, StoreError> {
        let name: String = edge.bytes().map(in_file_name).collect();
        self.lock_file(&format!("drill-{name}.lock"))
    }

    fn lock_file(&self, name: &str) -> Result<Option<Control>, StoreError> {
        let path = self.path().with_file_name(name);
        let failed = |error| StoreError::io(format!("locking {}", path.display()), error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Control(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// A byte of the name of an edge in the name of a file: different names stay different.
fn in_file_name(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        _ => format!("_{byte:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Store, testing::open};

    #[test]
    fn one_has_control_until_it_lets_go() {
        let (folder, store) = open();
        let other = Store::open(folder.path()).unwrap();
        let control = store.take_control().unwrap();
        assert!(control.is_some());
        assert!(other.take_control().unwrap().is_none());
        assert!(store.take_control().unwrap().is_none(), "not twice in one process either");
        drop(control);
        assert!(other.take_control().unwrap().is_some());
    }

    #[test]
    fn a_folder_that_cannot_take_the_lock_is_an_error() {
        let (folder, store) = open();
        std::fs::create_dir(folder.path().join(super::LOCK_FILE)).unwrap();
        assert!(store.take_control().unwrap_err().to_string().contains(super::LOCK_FILE));
    }

    /// Goal: whoever rehearses on an edge keeps others from that edge alone, and no longer than it
    /// lives. Method: names that differ in what no file name holds.
    #[test]
    fn an_edge_is_taken_for_one_drill_at_a_time() {
        let (folder, store) = open();
        let other = Store::open(folder.path()).unwrap();
        let north = store.take_drill("north/1").unwrap();
        assert!(north.is_some());
        assert!(other.take_drill("north/1").unwrap().is_none());
        assert!(other.take_drill("north 1").unwrap().is_some());
        assert!(other.take_control().unwrap().is_some());
        drop(north);
        assert!(other.take_drill("north/1").unwrap().is_some());
    }
}
