//! What an authenticator answered, checked step by step (Web Authentication Level 3, 7.1 and 7.2).
//!
//! No attestation is asked for: it would tell which make a key is, and nobody here keeps a list of
//! makes. So the public key is believed as it comes, and what counts is the signature that it has
//! to make at each sign-in. Authenticators write keys in one form only (CTAP2 canonical CBOR), so
//! they are compared with that form, byte by byte; there is no reader of CBOR to mislead.

use relight_engine::store::{AccountRow, Store};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;

use super::{Address, digest_of, secret};
use crate::ServerError;

/// Longest id of a credential, in bytes (the standard, 4: "at most 1023 bytes long").
const CREDENTIAL_BYTES_MAX: usize = 1_023;

/// The algorithms that are asked for, best first, by their numbers of COSE: ES256, EdDSA, and
/// RS256, without which Windows Hello on older machines has no key to offer.
const ALGORITHMS: [i32; 3] = [-7, -8, -257];

/// Bits of the only RSA keys that authenticators make: worth 112 bits of security, where all else
/// here has 128.
const RSA_BITS: u32 = 2_048;

/// The algorithms that are asked for where RSA keys need this many bits.
pub(crate) const fn algorithms(rsa_bits_min: u32) -> &'static [i32] {
    match rsa_bits_min <= RSA_BITS {
        true => &ALGORITHMS,
        false => ALGORITHMS.split_at(2).0,
    }
}

/// Refuses a key that is weaker than that.
pub(crate) fn check_strength(key: &[u8], rsa_bits_min: u32) -> Result<(), Fault> {
    let is_rsa = matches!(key_of(key), Some((Key::Rs256 { .. }, _)));
    if is_rsa && rsa_bits_min > RSA_BITS { Err(Fault::WeakKey) } else { Ok(()) }
}

/// The names of those whose passkeys are all weaker than that: none of them lets them in.
///
/// # Errors
/// The accounts cannot be read.
pub fn with_weak_keys_only(store: &Store, rsa_bits_min: u32) -> Result<Vec<String>, ServerError> {
    let tables = store.account_tables();
    let tables = tables.map_err(|error| ServerError::caused("read the accounts", error))?;
    let is_weak_only = |row: &AccountRow| {
        let mut own = tables.passkeys.iter().filter(|key| key.account == row.id).peekable();
        own.peek().is_some() && own.all(|key| check_strength(&key.key, rsa_bits_min).is_err())
    };
    let there = tables.accounts.iter().filter(|row| row.ended.is_none());
    Ok(there.filter(|row| is_weak_only(row)).map(|row| row.name.clone()).collect())
}

/// What is wrong with an answer; [`Fault::code`] is the key of its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not what authenticators send.
    Malformed,
    /// It answers another challenge, or one that was made for something else.
    WrongChallenge,
    /// It was made on another page.
    ForeignOrigin,
    /// It was made for another site.
    ForeignSite,
    /// The authenticator did not verify who holds it.
    NotVerified,
    /// A kind of key that was not asked for.
    UnknownKey,
    /// An RSA key of fewer bits than count here.
    WeakKey,
    /// The signature is not that of the key.
    BadSignature,
    /// The key has counted further elsewhere: there may be a copy of it.
    Copied,
    /// Nobody registered the key.
    Unregistered,
    /// The challenge is too old, was answered already, or is of another life of the server.
    Expired,
}

impl Fault {
    /// The stable name: in the journal, and in the key of the sentence for people.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongChallenge => "wrong-challenge",
            Self::ForeignOrigin => "foreign-origin",
            Self::ForeignSite => "foreign-site",
            Self::NotVerified => "not-verified",
            Self::UnknownKey => "unknown-key",
            Self::WeakKey => "weak-key",
            Self::BadSignature => "bad-signature",
            Self::Copied => "copied",
            Self::Unregistered => "unregistered",
            Self::Expired => "expired",
        }
    }
}

/// The answer of an authenticator, as the module of the page sends it; bytes are base64url.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// Id of the credential.
    pub(crate) id: String,
    /// `clientDataJSON`.
    pub(crate) client: String,
    /// `authenticatorData`.
    pub(crate) authenticator: String,
    /// Empty at a registration.
    #[serde(default)]
    pub(crate) signature: String,
}

/// A key that may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewKey {
    pub(crate) credential: Vec<u8>,
    /// COSE_Key.
    pub(crate) key: Vec<u8>,
    pub(crate) signatures: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

/// The fixed part of authenticator data (6.1), and what follows it.
struct AuthenticatorData<'a> {
    flags: u8,
    signatures: u32,
    rest: &'a [u8],
}

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
pub(crate) const MAY_BE_COPIED: u8 = 1 << 3;
const IS_COPIED: u8 = 1 << 4;
const HAS_KEY: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

impl Answer {
    /// Reads the text that the page's module sends.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|_| Fault::Malformed)
    }

    /// Id of the credential.
    pub(crate) fn credential(&self) -> Result<Vec<u8>, Fault> {
        bytes(&self.id)
    }

    /// The new key of a registration (7.1).
    pub(crate) fn registered(&self, site: &Address, challenge: &[u8]) -> Result<NewKey, Fault> {
        self.client_data("webauthn.create", site, challenge)?;
        let authenticator = bytes(&self.authenticator)?;
        let data = authenticator_data(&authenticator, site)?;
        if data.flags & HAS_KEY == 0 {
            return Err(Fault::Malformed);
        }
        let (credential, key) = attested(data.rest, data.flags & HAS_EXTENSIONS != 0)?;
        if credential != bytes(&self.id)? {
            return Err(Fault::Malformed);
        }
        let (credential, key) = (credential.to_vec(), key.to_vec());
        Ok(NewKey { credential, key, signatures: data.signatures })
    }

    /// The new count of signatures of a key that signed the challenge (7.2).
    pub(crate) fn signed(
        &self,
        (key, signatures): (&[u8], u32),
        site: &Address,
        challenge: &[u8],
    ) -> Result<u32, Fault> {
        let client = self.client_data("webauthn.get", site, challenge)?;
        let authenticator = bytes(&self.authenticator)?;
        let data = authenticator_data(&authenticator, site)?;
        if data.flags & HAS_KEY != 0 || (data.flags & HAS_EXTENSIONS == 0 && !data.rest.is_empty())
        {
            return Err(Fault::Malformed);
        }
        let mut message = authenticator.clone();
        message.extend(digest_of(&client).0);
        verify(key, &message, &bytes(&self.signature)?)?;
        // Two zeros: the authenticator does not count.
        if (signatures, data.signatures) != (0, 0) && data.signatures <= signatures {
            return Err(Fault::Copied);
        }
        Ok(data.signatures)
    }

    /// Checks what the browser says about the ceremony, and gives its bytes.
    fn client_data(&self, kind: &str, site: &Address, challenge: &[u8]) -> Result<Vec<u8>, Fault> {
        let client = bytes(&self.client)?;
        let data: ClientData = serde_json::from_slice(&client).map_err(|_| Fault::Malformed)?;
        let ClientData { r#type, challenge: answered, origin, cross_origin, top_origin } = data;
        if r#type != kind {
            return Err(Fault::Malformed);
        }
        if !secret::is_equal(&bytes(&answered)?, challenge) {
            return Err(Fault::WrongChallenge);
        }
        if origin != site.origin || cross_origin || top_origin.is_some() {
            return Err(Fault::ForeignOrigin);
        }
        Ok(client)
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, Fault> {
    secret::decode(text).ok_or(Fault::Malformed)
}

/// Reads the fixed part and checks the site and the flags.
fn authenticator_data<'a>(data: &'a [u8], site: &Address) -> Result<AuthenticatorData<'a>, Fault> {
    let (hash, rest) = data.split_first_chunk::<32>().ok_or(Fault::Malformed)?;
    let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or(Fault::Malformed)?;
    let (count, rest) = rest.split_first_chunk::<4>().ok_or(Fault::Malformed)?;
    if *hash != digest_of(site.host.as_bytes()).0 {
        return Err(Fault::ForeignSite);
    }
    if flags & PRESENT == 0 || flags & VERIFIED == 0 {
        return Err(Fault::NotVerified);
    }
    if flags & IS_COPIED != 0 && flags & MAY_BE_COPIED == 0 {
        return Err(Fault::Malformed);
    }
    Ok(AuthenticatorData { flags, signatures: u32::from_be_bytes(*count), rest })
}

/// Id and key of a new credential (6.5.1): 16 bytes of the make, the id with its length, the key.
fn attested(rest: &[u8], has_extensions: bool) -> Result<(&[u8], &[u8]), Fault> {
    let (_, rest) = rest.split_at_checked(16).ok_or(Fault::Malformed)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(Fault::Malformed)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > CREDENTIAL_BYTES_MAX {
        return Err(Fault::Malformed);
    }
    let (credential, rest) = rest.split_at_checked(length).ok_or(Fault::Malformed)?;
    let length = key_length(rest).ok_or(Fault::UnknownKey)?;
    let (key, after) = rest.split_at(length);
    if after.is_empty() == has_extensions {
        return Err(Fault::Malformed);
    }
    Ok((credential, key))
}

/// `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`: what stands before and between the coordinates.
const ES256: [&[u8]; 2] =
    [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20], &[0x22, 0x58, 0x20]];
/// `{1: 1, 3: -8, -1: 6, -2: x}`.
const EDDSA: &[u8] = &[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
/// `{1: 3, 3: -257, -1: n of 256 bytes, -2: 65537}`.
const RS256: [&[u8]; 2] = [
    &[0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, 0x01, 0x00],
    &[0x21, 0x43, 0x01, 0x00, 0x01],
];

/// A public key in its parts.
enum Key<'a> {
    Es256 { x: &'a [u8], y: &'a [u8] },
    EdDsa { x: &'a [u8] },
    Rs256 { n: &'a [u8] },
}

/// Reads a key at the start of some bytes, and says how long it is.
fn key_of(bytes: &[u8]) -> Option<(Key<'_>, usize)> {
    if let Some(rest) = bytes.strip_prefix(ES256[0]) {
        let (x, rest) = rest.split_at_checked(32)?;
        let (y, rest) = rest.strip_prefix(ES256[1])?.split_at_checked(32)?;
        return Some((Key::Es256 { x, y }, bytes.len() - rest.len()));
    }
    if let Some(rest) = bytes.strip_prefix(EDDSA) {
        let (x, rest) = rest.split_at_checked(32)?;
        return Some((Key::EdDsa { x }, bytes.len() - rest.len()));
    }
    let (n, rest) = bytes.strip_prefix(RS256[0])?.split_at_checked(256)?;
    let rest = rest.strip_prefix(RS256[1])?;
    // A first byte of 0 would make it shorter than it says.
    (n[0] & 0x80 != 0).then_some((Key::Rs256 { n }, bytes.len() - rest.len()))
}

fn key_length(bytes: &[u8]) -> Option<usize> {
    key_of(bytes).map(|(_, length)| length)
}

/// Checks a signature.
fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    let (parts, length) = key_of(key).ok_or(Fault::UnknownKey)?;
    if length != key.len() {
        return Err(Fault::UnknownKey);
    }
    let verified = match parts {
        Key::Es256 { x, y } => {
            let point = [&[4], x, y].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
        }
        Key::EdDsa { x } => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
        Key::Rs256 { n } => RsaPublicKeyComponents { n, e: [1, 0, 1].as_slice() }.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            message,
            signature,
        ),
    };
    verified.map_err(|_| Fault::BadSignature)
}

#[cfg(test)]
#[path = "passkey_tests.rs"]
mod tests;
