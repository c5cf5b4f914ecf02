//! Outage certificates: that a service was offline as a precaution, from when to when, signed.
//!
//! A certificate is a JWS in flattened JSON (RFC 7515, 7.2.2) with an Ed25519 signature
//! (RFC 8037), which libraries of every language verify; the key is published beside it. It is
//! issued from proven times only, after the service is back, and never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ed25519_compact::{KeyPair, Seed};
use relight_engine::live::{BoardSite, Outage};
use relight_web::public_views::{CertificateBlock, CertificatePage};
use relight_web::{Lang, number};
use serde_json::json;

use super::{Files, Identity, pages};
use crate::access::secret;
use crate::{ServerError, secret_file};

/// Signs certificates.
pub struct Signer {
    pair: KeyPair,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.key())
    }
}

impl Signer {
    /// The key in a file of this machine's owner; a new one when there is no such file.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not a key.
    pub fn load_or_create(path: &Path) -> Result<Self, ServerError> {
        Ok(Self { pair: secret_file::key_pair(path)? })
    }

    /// A key for one life of the process, for a demo that keeps nothing.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn temporary() -> Result<Self, ServerError> {
        Ok(Self { pair: KeyPair::from_seed(Seed::new(secret::random()?)) })
    }

    /// The public key in base64url: also its name (`kid`).
    fn key(&self) -> String {
        base64url(&*self.pair.pk)
    }

    /// A JWS of `payload` in flattened JSON.
    fn sign(&self, payload: &str) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.key()}).to_string();
        let (protected, payload) = (base64url(header.as_bytes()), base64url(payload.as_bytes()));
        let signature = self.pair.sk.sign(format!("{protected}.{payload}"), None);
        let signature = base64url(&*signature);
        let document = json!({
            "schema": "relight.outage-jws/1",
            "payload": payload,
            "protected": protected,
            "signature": signature,
        });
        format!("{document}\n")
    }

    /// The public key as a JWK set (RFC 7517, 5).
    fn key_set(&self) -> String {
        let key = self.key();
        let key = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": key, "x": key});
        format!("{}\n", json!({"keys": [key]}))
    }
}

/// RFC 4648, 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let [one, two, three] = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or(0)));
        let bits = one << 16 | two << 8 | three;
        for place in 0..=chunk.len() {
            out.push(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

/// The name of an outage's certificate.
pub(super) fn id(site: &BoardSite, outage: &Outage) -> String {
    let from = number::rfc3339(outage.from).replace(['-', ':'], "");
    format!("{}-{from}", site.slug)
}

/// Every certificate that was issued since the process started or that its page shows.
#[derive(Debug)]
pub(super) struct Certificates {
    signer: Signer,
    issuer: String,
    langs: Vec<Lang>,
    issued: BTreeMap<Outage, [(String, Bytes); 2]>,
    /// The files of all of them, and the key; none after a change.
    files: Option<Arc<Files>>,
}

/// What one turn issued.
#[derive(Debug, Default)]
pub(super) struct Issued {
    /// The files that are new.
    pub(super) new: Vec<(String, Bytes)>,
    /// Outages that have none yet.
    pub(super) left: usize,
}

impl Certificates {
    pub(super) fn new(signer: Signer, identity: &Identity) -> Self {
        let (issuer, langs) = (identity.url.clone(), identity.langs.clone());
        Self { signer, issuer, langs, issued: BTreeMap::new(), files: None }
    }

    /// Issues what is missing for these outages, so many at most, and forgets the others.
    pub(super) fn issue(
        &mut self,
        outages: &[(&BoardSite, Outage)],
        most: usize,
    ) -> Result<Issued, relight_web::RenderError> {
        let missing: Vec<_> = outages.iter().filter(|(_, outage)| !self.has(outage)).collect();
        if self.issued.len() + missing.len() > outages.len() {
            let shown: BTreeSet<&Outage> = outages.iter().map(|(_, outage)| outage).collect();
            self.issued.retain(|outage, _| shown.contains(outage));
            self.files = None;
        }
        let mut new = Vec::new();
        for (site, outage) in missing.iter().take(most) {
            let files = self.certify(site, outage)?;
            new.extend(files.iter().cloned());
            self.issued.insert(*outage, files);
            self.files = None;
        }
        Ok(Issued { new, left: missing.len().saturating_sub(most) })
    }

    /// Whether an outage has its certificate.
    pub(super) fn has(&self, outage: &Outage) -> bool {
        self.issued.contains_key(outage)
    }

    /// The files of all of them, and the key.
    pub(super) fn files(&mut self) -> Arc<Files> {
        let Self { signer, issued, files, .. } = self;
        let all = files.get_or_insert_with(|| {
            let key = Self::key_of(signer);
            Arc::new(issued.values().flatten().cloned().chain([key]).collect())
        });
        Arc::clone(all)
    }

    /// The file of the key.
    pub(super) fn key(&self) -> (String, Bytes) {
        Self::key_of(&self.signer)
    }

    fn key_of(signer: &Signer) -> (String, Bytes) {
        ("certificates/key.json".to_owned(), Bytes::from(signer.key_set()))
    }

    fn certify(
        &self,
        site: &BoardSite,
        outage: &Outage,
    ) -> Result<[(String, Bytes); 2], relight_web::RenderError> {
        let id = id(site, outage);
        let payload = json!({
            "schema": "relight.outage/1",
            "id": id,
            "issuer": self.issuer,
            "service": {"id": site.slug, "name_fr": site.name_fr, "name_en": site.name_en},
            "from": number::rfc3339(outage.from),
            "to": number::rfc3339(outage.to),
            "reason": "precaution",
        });
        let signed = self.signer.sign(&payload.to_string());
        let block = |lang: Lang| CertificateBlock {
            lang,
            service: crate::console::name(site, lang).to_owned(),
            from: pages::utc(lang, outage.from),
            to: pages::utc(lang, outage.to),
            duration: pages::duration(lang, outage.to - outage.from),
        };
        let page = CertificatePage {
            lang: self.langs.first().copied().unwrap_or(Lang::Fr),
            blocks: self.langs.iter().copied().map(block).collect(),
            from_at: number::rfc3339(outage.from),
            to_at: number::rfc3339(outage.to),
            issuer: self.issuer.clone(),
            key: self.signer.key(),
            json: format!("/certificates/{id}.json"),
        };
        let html = relight_web::render(&page)?;
        Ok([
            (format!("certificates/{id}.html"), html.into()),
            (format!("certificates/{id}.json"), signed.into()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn letters_of_base64url() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (&[0xfb, 0xff, 0xfe], "-__-"),
        ] {
            assert_eq!(base64url(bytes), text);
        }
    }

    /// RFC 8037, A.4: key, signing input and signature of a JWS with Ed25519.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
            0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03,
            0x1c, 0xae, 0x7f, 0x60,
        ];
        let signer = Signer { pair: KeyPair::from_seed(Seed::new(seed)) };
        assert_eq!(signer.key(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let input = format!(
            "{}.{}",
            base64url(br#"{"alg":"EdDSA"}"#),
            base64url(b"Example of Ed25519 signing")
        );
        let signature = base64url(&*signer.pair.sk.sign(input, None));
        assert_eq!(
            signature,
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn a_key_is_made_once_and_is_nobody_elses() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let first = Signer::load_or_create(&path).unwrap().key();
        assert_eq!(Signer::load_or_create(&path).unwrap().key(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "short").unwrap();
        assert!(Signer::load_or_create(&path).is_err());
        assert_ne!(Signer::temporary().unwrap().key(), Signer::temporary().unwrap().key());
    }
}
