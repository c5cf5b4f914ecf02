//! Who an agent is: its key, its certificate and its server, in one file that only its user reads,
//! so that no crash leaves one without the others.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use relight_model::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::wire::Issued;
use crate::access::secret;
use crate::secret_file;

/// The file, in the data folder of an agent.
pub const IDENTITY_FILE: &str = "agent.identity";

/// Longest file, in bytes.
pub const IDENTITY_BYTES_MAX: usize = 64 << 10;

/// The form of the file.
const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
struct Written {
    version: u32,
    server: String,
    key: String,
    #[serde(flatten)]
    issued: Issued,
}

/// Who an agent is.
#[derive(Clone)]
pub struct Identity {
    /// Where its server listens: name or address, and port.
    pub(crate) server: String,
    pub(crate) key: Vec<u8>,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) authority: CertificateDer<'static>,
    issued: Issued,
}

impl std::fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Identity {
    /// What the server answered about this key; `None` when it holds no certificates.
    pub(crate) fn of(server: &str, key: Vec<u8>, issued: Issued) -> Option<Self> {
        let certificate = CertificateDer::from(secret::decode(&issued.certificate)?);
        let authority = CertificateDer::from(secret::decode(&issued.authority)?);
        Some(Self { server: server.to_owned(), key, certificate, authority, issued })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, is open to others, or says nothing that can be made out.
    pub fn read(path: &Path) -> io::Result<Self> {
        let bytes = secret_file::read(path, IDENTITY_BYTES_MAX)?;
        // What stands there is a secret: a cause that quotes it is left out.
        let written: Option<Written> = serde_json::from_slice(&bytes).ok();
        let written = written.filter(|written| written.version == VERSION);
        let identity = written.and_then(|Written { server, key, issued, .. }| {
            Self::of(&server, secret::decode(&key)?, issued)
        });
        identity.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is damaged"))
    }

    /// Writes the file in place of the one before, so that nobody else can read it, not even for a
    /// moment.
    ///
    /// # Errors
    /// It cannot be written; the one before is still there.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let Issued { agent, expires, .. } = self.issued;
        let issued = Issued {
            agent,
            host: self.issued.host.clone(),
            organisation: self.issued.organisation.clone(),
            certificate: secret::encode(&self.certificate),
            authority: secret::encode(&self.authority),
            expires,
        };
        let (server, key) = (self.server.clone(), secret::encode(&self.key));
        let written = Written { version: VERSION, server, key, issued };
        let text = serde_json::to_vec(&written).map_err(io::Error::other)?;
        write_own(path, &text)
    }

    /// Where its server listens.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Its number at the server.
    pub fn agent(&self) -> u32 {
        self.issued.agent
    }

    /// The machine.
    pub fn host(&self) -> &str {
        &self.issued.host
    }

    /// The name of its organisation.
    pub fn organisation(&self) -> &str {
        &self.issued.organisation
    }

    /// When its certificate ends.
    pub fn expires(&self) -> Timestamp {
        self.issued.expires
    }

    /// Whether another one has the same certificate.
    pub fn is_same(&self, other: &Self) -> bool {
        self.certificate == other.certificate
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }
}

/// Writes a file of its owner alone, in place of the one before.
///
/// # Errors
/// It cannot be written; the one before is still there.
pub(crate) fn write_own(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn identity(expires: Timestamp) -> Identity {
        let issued = Issued {
            agent: 7,
            host: "web-12".into(),
            organisation: "Santé".into(),
            certificate: secret::encode(b"certificate"),
            authority: secret::encode(b"authority"),
            expires,
        };
        Identity::of("relight.example:8422", b"private".to_vec(), issued).unwrap()
    }

    #[test]
    fn an_identity_is_read_back_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join(IDENTITY_FILE);
        for expires in [5, 9] {
            identity(expires).write(&path).unwrap();
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let read = Identity::read(&path).unwrap();
        assert_eq!((read.agent(), read.host(), read.organisation()), (7, "web-12", "Santé"));
        assert_eq!((read.server(), read.expires()), ("relight.example:8422", 9));
        assert_eq!(
            (read.key.as_slice(), read.certificate.as_ref()),
            (&b"private"[..], &b"certificate"[..])
        );
        assert!(!format!("{read:?}").contains("private"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Identity::read(&path).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for bad in [text.replace("\"version\":1", "\"version\":2"), text[1..].to_owned()] {
            fs::write(&path, bad).unwrap();
            let told = Identity::read(&path).unwrap_err().to_string();
            assert_eq!(told, "it is damaged");
        }
        fs::write(&path, vec![b' '; IDENTITY_BYTES_MAX + 1]).unwrap();
        assert!(Identity::read(&path).unwrap_err().to_string().contains("longer"));
    }
}
