//! The server's own authority: one key in the data folder, which signs what agents show and what
//! the server shows them. Nothing else believes it, and it believes nobody else.
//!
//! A request is a public key with a signature made by it, in JSON. PKCS #10 says no more here (who
//! enrols is known by the code, what a certificate says is decided by the server), and reading it
//! would cost 17 more crates.

use std::path::Path;

use ed25519_compact::KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ED25519, PublicKeyData, SanType, SerialNumber,
    SignatureAlgorithm, SigningKey, date_time_ymd,
};
use relight_model::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::code::PIN_BYTES;
use crate::access::digest_of;
use crate::access::secret::random;
use crate::{ServerError, secret_file};

/// Bytes of a public key.
pub(crate) const KEY_BYTES: usize = 32;

/// The name that every server of agents shows; which one it is, its key says.
pub(crate) const SERVER_NAME: &str = "relight-agents.invalid";

/// What stands before an Ed25519 key in a certificate (RFC 8410).
const KEY_HEAD: [u8; 10] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Whom a certificate is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder<'a> {
    pub(crate) host: &'a str,
    pub(crate) organisation: &'a str,
}

/// The authority.
pub(crate) struct Authority {
    key: Key,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// That of the key in a file, which is made when there is none. The certificate follows from
    /// the key: nothing else has to be kept.
    ///
    /// # Errors
    /// The file cannot be read or made, is open to others, or is no key.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self, ServerError> {
        Self::of(secret_file::key_pair(path)?)
    }

    fn of(key: KeyPair) -> Result<Self, ServerError> {
        let key = Key(key);
        let signed = params(key.der_bytes())?.self_signed(&key).map_err(failed)?;
        Ok(Self { key, certificate: signed.der().clone() })
    }

    /// What it shows.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// By what an agent knows it that has seen nothing but a code.
    pub(crate) fn pin(&self) -> [u8; PIN_BYTES] {
        pin_of_key(self.key.0.pk.as_ref())
    }

    /// A certificate for the server, and its key (PKCS #8), for this life of the process.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn for_server(&self) -> Result<(CertificateDer<'static>, Vec<u8>), ServerError> {
        let pair = AgentKey::new()?;
        let mut params = params(&pair.public())?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let name = SERVER_NAME.try_into().map_err(failed)?;
        params.subject_alt_names = vec![SanType::DnsName(name)];
        params.serial_number = Some(serial()?);
        Ok((self.sign(params, &pair.public())?, pair.pkcs8))
    }

    /// A certificate for an agent with this public key. From when on it is good, the register
    /// says: whoever corrects a clock that was ahead locks nobody out.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn for_agent(
        &self,
        key: &[u8; KEY_BYTES],
        holder: Holder<'_>,
        expires: Timestamp,
    ) -> Result<CertificateDer<'static>, ServerError> {
        let mut params = params(key)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, holder.host);
        params.distinguished_name.push(DnType::OrganizationName, holder.organisation);
        // `params` made it good from long ago.
        let since = std::time::Duration::from_secs(expires.max(0).unsigned_abs());
        params.not_after = date_time_ymd(1970, 1, 1) + since;
        params.serial_number = Some(serial()?);
        self.sign(params, key)
    }

    fn sign(
        &self,
        params: CertificateParams,
        key: &[u8; KEY_BYTES],
    ) -> Result<CertificateDer<'static>, ServerError> {
        let issuer = Issuer::new(self::params(self.key.der_bytes())?, &self.key);
        let signed = params.signed_by(&Public(*key), &issuer).map_err(failed)?;
        Ok(signed.der().clone())
    }
}

/// The authority's own certificate, the same one each time.
fn params(key: &[u8]) -> Result<CertificateParams, ServerError> {
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(failed)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "relight agents");
    params.key_identifier_method = KeyIdMethod::PreSpecified(digest_of(key).0[..20].to_vec());
    params.serial_number = Some(SerialNumber::from(1));
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1));
    Ok(params)
}

/// A number that nobody guesses, 127 bits.
fn serial() -> Result<SerialNumber, ServerError> {
    let mut bytes: [u8; 16] = random()?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn failed(error: rcgen::Error) -> ServerError {
    ServerError::caused("make a certificate", error)
}

/// The key of the authority, which signs.
struct Key(KeyPair);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.0.pk.as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.0.sk.sign(message, None).to_vec())
    }
}

/// The key that a certificate is about.
struct Public([u8; KEY_BYTES]);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// A key pair of an agent.
pub(crate) struct AgentKey {
    /// The private key (PKCS #8).
    pub(crate) pkcs8: Vec<u8>,
    pair: Ed25519KeyPair,
}

impl AgentKey {
    /// A new one.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn new() -> Result<Self, ServerError> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        let made = made.map_err(|error| ServerError::caused("make a key", error.to_string()))?;
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref());
        let pair = pair.map_err(|error| ServerError::caused("read a key", error.to_string()))?;
        Ok(Self { pkcs8: made.as_ref().to_vec(), pair })
    }

    /// Its public half.
    pub(crate) fn public(&self) -> [u8; KEY_BYTES] {
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(self.pair.public_key().as_ref());
        key
    }

    /// What shows that who asks holds the private half.
    pub(crate) fn proof(&self, purpose: &str, about: &[u8]) -> Vec<u8> {
        self.pair.sign(&proven(purpose, about, &self.public())).as_ref().to_vec()
    }
}

/// Whether a signature shows that who asks holds the private half of a key.
pub(crate) fn is_proof(purpose: &str, about: &[u8], key: &[u8; KEY_BYTES], proof: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, key).verify(&proven(purpose, about, key), proof).is_ok()
}

fn proven(purpose: &str, about: &[u8], key: &[u8; KEY_BYTES]) -> Vec<u8> {
    [b"relight agent ", purpose.as_bytes(), &[0], &digest_of(about).0, key].concat()
}

fn pin_of_key(key: &[u8]) -> [u8; PIN_BYTES] {
    let mut pin = [0; PIN_BYTES];
    pin.copy_from_slice(&digest_of(&[b"relight agents\0", key].concat()).0[..PIN_BYTES]);
    pin
}

/// What believes one authority only.
///
/// # Errors
/// It is no certificate.
pub(crate) fn believing(authority: &CertificateDer<'_>) -> Result<RootCertStore, ServerError> {
    let mut roots = RootCertStore::empty();
    let added = roots.add(authority.clone().into_owned());
    added.map_err(|error| ServerError::caused("read the certificate of the server", error))?;
    Ok(roots)
}

/// By what an authority is known; `None` when its key is none of ours.
pub(crate) fn pin_of(authority: &CertificateDer<'_>) -> Option<[u8; PIN_BYTES]> {
    let roots = believing(authority).ok()?;
    let key = roots.roots.first()?.subject_public_key_info.as_ref().strip_prefix(&KEY_HEAD[..])?;
    (key.len() == KEY_BYTES).then(|| pin_of_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_of_an_authority_follows_from_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let [first, again] = [(); 2].map(|()| Authority::load_or_create(&path).unwrap());
        assert_eq!(first.certificate(), again.certificate());
        assert_eq!(pin_of(first.certificate()), Some(first.pin()));
        let other = Authority::load_or_create(&other).unwrap();
        assert_ne!(first.pin(), other.pin());
        assert_eq!(pin_of(&CertificateDer::from(vec![0x30, 0])), None);
    }

    #[test]
    fn a_proof_is_for_one_key_one_purpose_and_one_occasion() {
        let [key, other] = [(); 2].map(|()| AgentKey::new().unwrap());
        let proof = key.proof("enrol", b"code");
        let public = key.public();
        assert!(is_proof("enrol", b"code", &public, &proof));
        assert!(!is_proof("renew", b"code", &public, &proof));
        assert!(!is_proof("enrol", b"edoc", &public, &proof));
        assert!(!is_proof("enrol", b"code", &other.public(), &proof));
        assert!(!is_proof("enrol", b"code", &public, &other.proof("enrol", b"code")));
        assert!(!is_proof("enrol", b"code", &public, &[]));
    }
}
