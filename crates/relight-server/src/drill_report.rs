//! The signed report of a drill (INCIDENT 13): what was shown, when, and who rehearsed, for whoever
//! has to show it without the register.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use ed25519_compact::{PublicKey, Signature};
use relight_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ServerError;
use crate::policy_file::{hex, unhex};
use crate::secret_file::key_pair;

/// Largest signed report, in bytes.
pub const REPORT_BYTES_MAX: u64 = 16 << 20;

/// Stands before what is signed, so that a signature means nothing else.
const SCHEMA: &str = "relight.drill-report/1";

/// The report of one drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrilledReport {
    /// When it ended.
    pub at: Timestamp,
    /// Who rehearsed.
    pub by: String,
    /// What was shown: a document `relight.drill/1`, as it was printed.
    pub report: String,
}

/// Why a report counts for nothing. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFault {
    /// The file is no report.
    Unreadable,
    /// The signature is of something else.
    Signature,
}

impl ReportFault {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "report-unreadable",
            Self::Signature => "report-signature",
        }
    }
}

/// The file of a report.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportFile {
    schema: String,
    at: Timestamp,
    by: String,
    report: String,
    key: String,
    signature: String,
}

impl DrilledReport {
    /// Reads a report and verifies its signature; the key that signed it, in hexadecimal.
    ///
    /// # Errors
    /// It is no report, or the signature is not over what it says.
    pub fn read(bytes: &[u8]) -> Result<(Self, String), ReportFault> {
        let file: ReportFile =
            serde_json::from_slice(bytes).map_err(|_| ReportFault::Unreadable)?;
        let key = unhex(&file.key).and_then(|key| PublicKey::from_slice(&key).ok());
        let signature = unhex(&file.signature).and_then(|it| Signature::from_slice(&it).ok());
        let (Some(key), Some(signature)) = (key, signature) else {
            return Err(ReportFault::Unreadable);
        };
        if file.schema != SCHEMA {
            return Err(ReportFault::Unreadable);
        }
        let report = Self { at: file.at, by: file.by, report: file.report };
        key.verify(report.message(), &signature).map_err(|_| ReportFault::Signature)?;
        Ok((report, hex(&*key)))
    }

    /// Signs it with the key in a file, which is made when it is not there, and writes it whole or
    /// not at all; the public key, in hexadecimal.
    ///
    /// # Errors
    /// The key cannot be read or made, or the file cannot be written.
    pub fn write(&self, key_file: &Path, path: &Path) -> Result<String, ServerError> {
        let pair = key_pair(key_file)?;
        let key = hex(&*pair.pk);
        let file = ReportFile {
            schema: SCHEMA.to_owned(),
            at: self.at,
            by: self.by.clone(),
            report: self.report.clone(),
            key: key.clone(),
            signature: hex(&*pair.sk.sign(self.message(), None)),
        };
        let put = || {
            let part = path.with_extension("part");
            let mut out = fs::File::create(&part)?;
            writeln!(out, "{}", serde_json::to_string(&file)?)?;
            out.sync_all()?;
            fs::rename(&part, path)
        };
        put().map_err(|error| ServerError::caused(format!("write {}", path.display()), error))?;
        Ok(key)
    }

    fn message(&self) -> Vec<u8> {
        let Self { at, by, report } = self;
        format!("{SCHEMA}\0{at}\0{}\0{by}\0{report}", by.len()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_back_and_nothing_of_it_may_change() {
        let place = tempfile::tempdir().unwrap();
        let (key, path) = (place.path().join("key"), place.path().join("drill.json"));
        let report = DrilledReport { at: 7, by: "anna".into(), report: "{\"passed\":true}".into() };
        let signer = report.write(&key, &path).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(DrilledReport::read(&bytes), Ok((report.clone(), signer.clone())));
        for at in 0..bytes.len() - 1 {
            let mut other = bytes.clone();
            other[at] ^= 1;
            let read = DrilledReport::read(&other);
            assert_ne!(read, Ok((report.clone(), signer.clone())), "byte {at}");
        }
        let text = String::from_utf8(bytes).unwrap();
        for (from, to, fault) in [
            ("true", "false", ReportFault::Signature),
            ("anna", "zoe", ReportFault::Signature),
            ("\"at\":7", "\"at\":8", ReportFault::Signature),
            ("drill-report/1", "drill-report/2", ReportFault::Unreadable),
        ] {
            let other = text.replacen(from, to, 1);
            assert_eq!(DrilledReport::read(other.as_bytes()), Err(fault), "{to}");
        }
        assert_eq!(DrilledReport::read(b"{}"), Err(ReportFault::Unreadable));
        let elsewhere = place.path().join("no/such/folder/drill.json");
        assert!(report.write(&key, &elsewhere).is_err());
    }
}
