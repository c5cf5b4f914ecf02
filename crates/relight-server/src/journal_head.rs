//! Signed heads of the journal: how many entries it had at an instant, and the hash of the last.
//!
//! The chain makes one entry speak for all before it. Whoever holds a head that was signed
//! yesterday, on another machine, finds out about a journal that was written anew since, or cut.
//! A chain followed from its first entry needs no tree of hashes beside it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ed25519_compact::{PublicKey, Signature};
use relight_engine::store::JournalRecord;
use relight_model::{Digest, Timestamp};
use relight_web::number::rfc3339;
use serde::{Deserialize, Serialize};

use crate::ServerError;
use crate::policy_file::{hex, unhex};
use crate::secret_file::key_pair;

/// Largest file of a head, in bytes.
pub const HEAD_BYTES_MAX: u64 = 4 << 10;

/// Stands before what is signed, so that a signature means nothing else.
const SCHEMA: &str = "relight.journal-head/1";

/// How far a journal had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// How many entries it had.
    pub entries: u64,
    /// The hash of the last one; zeros when there was none.
    pub head: Digest,
    /// When that was looked up.
    pub at: Timestamp,
}

/// A head with the key that signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// How far the journal had come.
    pub head: JournalHead,
    /// The public key, in hexadecimal.
    pub key: String,
}

/// What is wrong with a head, or with the journal beside it. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// The file is no head.
    Unreadable,
    /// The signature is of something else.
    Signature,
    /// Another key signed it than the one that was asked for.
    OtherKey,
    /// The journal is shorter than it was.
    Missing,
    /// The entry at the head is another one: the journal was written anew.
    Differs,
}

impl HeadFault {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "head-unreadable",
            Self::Signature => "head-signature",
            Self::OtherKey => "head-other-key",
            Self::Missing => "head-missing",
            Self::Differs => "head-differs",
        }
    }
}

/// The file of a head.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFile {
    schema: String,
    entries: u64,
    head: String,
    at: Timestamp,
    key: String,
    signature: String,
}

impl SignedHead {
    /// Reads a head and verifies its signature by the key that it names.
    ///
    /// # Errors
    /// It is no head, or the signature is not over what it says.
    pub fn read(bytes: &[u8]) -> Result<Self, HeadFault> {
        let file: HeadFile = serde_json::from_slice(bytes).map_err(|_| HeadFault::Unreadable)?;
        let key = unhex(&file.key).and_then(|key| PublicKey::from_slice(&key).ok());
        let signature = unhex(&file.signature).and_then(|it| Signature::from_slice(&it).ok());
        let digest = Digest::parse(&file.head);
        let (Some(key), Some(signature), Some(digest)) = (key, signature, digest) else {
            return Err(HeadFault::Unreadable);
        };
        if file.schema != SCHEMA {
            return Err(HeadFault::Unreadable);
        }
        let head = JournalHead { entries: file.entries, head: digest, at: file.at };
        key.verify(message(head), &signature).map_err(|_| HeadFault::Signature)?;
        Ok(Self { head, key: hex(&*key) })
    }

    /// Compares it with the entry of its number in a journal whose chain was followed.
    ///
    /// # Errors
    /// The journal does not have that entry, or has another one in its place.
    pub fn check(&self, entry: Option<&JournalRecord>) -> Result<(), HeadFault> {
        match entry {
            _ if self.head.entries == 0 => Ok(()),
            None => Err(HeadFault::Missing),
            Some(entry) if entry.seq == self.head.entries && entry.hash == self.head.head => Ok(()),
            Some(_) => Err(HeadFault::Differs),
        }
    }
}

fn message(head: JournalHead) -> String {
    let JournalHead { entries, head, at } = head;
    format!("{SCHEMA}\0{entries}\0{head}\0{at}")
}

/// Signs a head with the key in a file, which is made when it is not there, and writes it into a
/// folder, from where somebody takes it to another machine.
///
/// # Errors
/// The key cannot be read or made, or the folder cannot be written.
pub fn write(
    head: JournalHead,
    key_file: &Path,
    folder: &Path,
) -> Result<(PathBuf, SignedHead), ServerError> {
    let pair = key_pair(key_file)?;
    let key = hex(&*pair.pk);
    let file = HeadFile {
        schema: SCHEMA.to_owned(),
        entries: head.entries,
        head: head.head.to_string(),
        at: head.at,
        key: key.clone(),
        signature: hex(&*pair.sk.sign(message(head), None)),
    };
    let name =
        format!("head-{:010}-{}.json", head.entries, rfc3339(head.at).replace([':', '-'], ""));
    let path = folder.join(name);
    let put = || {
        fs::create_dir_all(folder)?;
        // Whoever takes it away meanwhile takes a whole one.
        let part = path.with_extension("part");
        let mut out = fs::File::create(&part)?;
        writeln!(out, "{}", serde_json::to_string(&file)?)?;
        out.sync_all()?;
        fs::rename(&part, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    put().map_err(|error| ServerError::caused(format!("write {}", path.display()), error))?;
    Ok((path, SignedHead { head, key }))
}

/// The public key in a key file, in hexadecimal; `None` when there is no such file.
///
/// # Errors
/// The file is there and is no key.
pub fn public_key(key_file: &Path) -> Result<Option<String>, ServerError> {
    if !key_file.try_exists().unwrap_or(true) {
        return Ok(None);
    }
    key_pair(key_file).map(|pair| Some(hex(&*pair.pk)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(entries: u64) -> JournalHead {
        JournalHead { entries, head: Digest([7; 32]), at: 1_639_000_000 }
    }

    fn entry(seq: u64, hash: [u8; 32]) -> JournalRecord {
        JournalRecord {
            seq,
            time: 1,
            actor: String::new(),
            kind: String::new(),
            incident: String::new(),
            body: String::new(),
            prev: Digest::default(),
            hash: Digest(hash),
        }
    }

    #[test]
    fn a_head_reads_back_and_no_byte_of_it_may_change() {
        let place = tempfile::tempdir().unwrap();
        let (key, folder) = (place.path().join("key"), place.path().join("heads/of/here"));
        let (path, written) = write(head(12), &key, &folder).unwrap();
        assert!(path.ends_with("head-0000000012-20211208T214640Z.json"), "{}", path.display());
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() as u64 <= HEAD_BYTES_MAX);
        assert_eq!(SignedHead::read(&bytes), Ok(written.clone()));
        assert_eq!(public_key(&key).unwrap(), Some(written.key.clone()));
        for at in 0..bytes.len() - 1 {
            let mut other = bytes.clone();
            other[at] ^= 1;
            // A digit in capitals would be the same digit; one bit makes none of them.
            assert_ne!(SignedHead::read(&other), Ok(written.clone()), "byte {at}");
        }
        for bad in [&b""[..], b"{}", b"[]", &bytes[..bytes.len() / 2]] {
            assert_eq!(SignedHead::read(bad), Err(HeadFault::Unreadable));
        }
        let text = String::from_utf8(bytes).unwrap();
        let fewer = text.replace("\"entries\":12", "\"entries\":11");
        assert_eq!(SignedHead::read(fewer.as_bytes()), Err(HeadFault::Signature));
        let another = text.replace("relight.journal-head/1", "relight.journal-head/2");
        assert_eq!(SignedHead::read(another.as_bytes()), Err(HeadFault::Unreadable));
    }

    /// Goal: nobody finds half a head. Method: whoever holds the file of before keeps it as it was.
    #[test]
    fn a_head_is_written_beside_and_takes_its_place_as_a_whole() {
        let place = tempfile::tempdir().unwrap();
        let (key, folder) = (place.path().join("key"), place.path().join("heads"));
        let (path, _) = write(head(12), &key, &folder).unwrap();
        let held = place.path().join("held");
        fs::hard_link(&path, &held).unwrap();
        fs::write(&held, "of before").unwrap();
        let (again, written) = write(head(12), &key, &folder).unwrap();
        assert_eq!(again, path);
        assert_eq!(fs::read(&held).unwrap(), b"of before");
        assert_eq!(SignedHead::read(&fs::read(&path).unwrap()), Ok(written));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn a_journal_that_was_cut_or_written_anew_is_not_the_one_of_the_head() {
        let signed = SignedHead { head: head(12), key: String::new() };
        assert_eq!(signed.check(Some(&entry(12, [7; 32]))), Ok(()));
        assert_eq!(signed.check(None), Err(HeadFault::Missing));
        assert_eq!(signed.check(Some(&entry(12, [8; 32]))), Err(HeadFault::Differs));
        assert_eq!(signed.check(Some(&entry(13, [7; 32]))), Err(HeadFault::Differs));
        let empty = SignedHead { head: head(0), key: String::new() };
        assert_eq!(empty.check(None), Ok(()), "nothing was there, so nothing can be missing");
    }

    #[test]
    fn what_is_no_key_is_told_and_what_is_not_there_is_none() {
        let place = tempfile::tempdir().unwrap();
        let key = place.path().join("key");
        assert_eq!(public_key(&key).unwrap(), None);
        fs::write(&key, "short").unwrap();
        assert!(public_key(&key).is_err());
        assert!(write(head(1), &key, place.path()).is_err());
    }
}
