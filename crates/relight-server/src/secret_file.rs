//! Keys and secrets in files that nobody else reads: those of the operator, and those that a vault
//! (systemd credentials, an agent, a mounted volume) puts there for this process.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ed25519_compact::{KeyPair, Seed};

use crate::ServerError;
use crate::access::secret::random;

/// Bits of a mode by which somebody else reads or changes a file: everybody, and the group's right
/// to write. A group may read, as that of `/etc/ssl/private` does.
const OPEN: u32 = 0o027;

/// Bytes of the seed of a key.
const SEED_BYTES: usize = 32;

/// The bytes of a secret, at most so many.
///
/// # Errors
/// It cannot be read, is longer, or is open to others.
pub(crate) fn read(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & OPEN != 0 {
        let what = format!("others may read or change it (chmod 600 {})", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(io::Error::other(format!("it is longer than {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// The key in a file of its owner; a new one when there is no such file.
///
/// # Errors
/// The file cannot be read or made, is open to others, or is no key.
pub(crate) fn key_pair(path: &Path) -> Result<KeyPair, ServerError> {
    let failed = |error| ServerError::caused(format!("read the key {}", path.display()), error);
    let seed = seed(path).map_err(failed)?;
    let seed = Seed::from_slice(&seed);
    Ok(KeyPair::from_seed(seed.map_err(|error| failed(io::Error::other(error.to_string())))?))
}

/// The seed of a key; a new one when there is no such file.
fn seed(path: &Path) -> io::Result<Vec<u8>> {
    match read(path, SEED_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
        read => read,
    }
}

/// Writes a new seed so that nobody else can read it, not even for a moment.
fn create(path: &Path) -> io::Result<Vec<u8>> {
    let seed: [u8; SEED_BYTES] = random().map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&seed)?;
    file.sync_all()?;
    Ok(seed.to_vec())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A key that somebody copied with its usual mode was taken without a word.
    #[test]
    fn what_others_may_read_or_change_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = seed(&path).unwrap();
        for (mode, is_secret) in [
            (0o600, true),
            (0o400, true),
            (0o440, true),
            (0o640, true),
            (0o644, false),
            (0o604, false),
            (0o660, false),
            (0o602, false),
            (0o601, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(seed(&path).ok() == Some(made.clone()), is_secret, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [7; SEED_BYTES + 1]).unwrap();
        assert!(seed(&path).is_err(), "longer than a seed");
    }
}
