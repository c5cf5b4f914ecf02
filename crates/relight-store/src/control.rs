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
        let path = self.path().with_file_name(LOCK_FILE);
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
}
