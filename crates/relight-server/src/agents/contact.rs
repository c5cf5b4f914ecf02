//! When an agent last reached its server, and what stands between them since, for who asks the
//! agent on its own machine.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use relight_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::identity::write_own;

/// The file, in the data folder of an agent.
pub const CONTACT_FILE: &str = "agent.contact";

/// Longest file, in bytes.
pub const CONTACT_BYTES_MAX: u64 = 4 << 10;

/// That the server answered is written down at most this often, in seconds.
pub const CONTACT_EVERY_S: i64 = 60;

/// What an agent knows of its line to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Contact {
    /// When the server last answered; 0 for never.
    pub at: Timestamp,
    /// Why it did not since, by the code of an [`super::client::AgentFault`]; empty when it did.
    pub fault: String,
    /// Since when.
    pub since: Timestamp,
    /// The pause after which the agent asks again, in seconds.
    pub every: i64,
    /// What it looks at.
    #[serde(default)]
    pub looks: Option<Looks>,
}

/// A look that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Looks {
    /// At which site.
    pub site: String,
    /// Since when.
    pub since: Timestamp,
}

impl Contact {
    /// Whether the server answered lately: two pauses are none of them missed.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        let most = 2 * self.every.max(CONTACT_EVERY_S);
        (-most..=most).contains(&(now - self.at))
    }

    /// What is written there; nothing is known where there is no file.
    ///
    /// # Errors
    /// The file cannot be read or made out.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(CONTACT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > CONTACT_BYTES_MAX {
            return Err(io::Error::other(format!("it is longer than {CONTACT_BYTES_MAX} bytes")));
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Writes it in place of what was there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_own(path, &serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_contact_is_recent_for_two_pauses_and_two_minutes() {
        let is_recent =
            |every, now| Contact { at: 1_000, every, ..Contact::default() }.is_recent(now);
        assert_eq!([1_000, 1_120, 1_121].map(|now| is_recent(10, now)), [true, true, false]);
        assert_eq!([1_121, 8_200, 8_201].map(|now| is_recent(3_600, now)), [true, true, false]);
        assert!(!is_recent(10, 879), "of a clock that was set back");
        assert!(!Contact::default().is_recent(1_000_000), "never");
    }

    #[test]
    fn a_contact_is_read_back_and_what_is_damaged_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CONTACT_FILE);
        assert_eq!(Contact::read(&path).unwrap(), Contact::default());
        let looks = Some(Looks { site: "mun-001".into(), since: 6 });
        let fault = "unreachable".into();
        let contact = Contact { at: 5, fault, since: 7, every: 10, looks };
        contact.write(&path).unwrap();
        assert_eq!(Contact::read(&path).unwrap(), contact);
        for bad in [Vec::new(), b"{}".to_vec(), vec![b' '; CONTACT_BYTES_MAX as usize + 1]] {
            fs::write(&path, &bad).unwrap();
            assert!(Contact::read(&path).is_err(), "{}", bad.len());
        }
    }
}
