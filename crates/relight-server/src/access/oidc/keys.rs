//! The public keys of a provider (JSON Web Key, RFC 7517), and signatures made with them.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use super::Fault;
use crate::access::secret;

/// Most keys of a provider.
pub(super) const KEYS_MAX: usize = 64;

/// An algorithm that counts. There is none without a key, and none in which a public key could
/// stand for a secret one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// By its name in the header of a token.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            // RFC 9864 names the curve as well.
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parts {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A key with which a provider signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    id: Option<String>,
    parts: Parts,
}

/// The keys of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeySet(Vec<Key>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// What is read of a key; what else stands in it does not matter.
#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a document of keys. A key of another kind, or for another use, is passed over: a
    /// provider may have those for others.
    pub(super) fn parse(document: &[u8]) -> Result<Self, Fault> {
        let Document { keys } = serde_json::from_slice(document).map_err(|_| Fault::Unusable)?;
        if keys.len() > KEYS_MAX {
            return Err(Fault::Unusable);
        }
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value::<Written>(key).ok());
        Ok(Self(keys.filter_map(|key| key.read()).collect()))
    }

    /// The keys with which a token may be signed: those of its id; without one, the only one of
    /// that algorithm.
    pub(super) fn fitting(&self, algorithm: Algorithm, id: Option<&str>) -> Vec<&Key> {
        let fits = |key: &&Key| {
            key.algorithm() == algorithm && id.is_none_or(|id| key.id.as_deref() == Some(id))
        };
        let found: Vec<&Key> = self.0.iter().filter(fits).collect();
        if id.is_none() && found.len() > 1 { Vec::new() } else { found }
    }
}

impl Written {
    fn read(self) -> Option<Key> {
        let is_for_us = self.r#use.as_deref().is_none_or(|it| it == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let part = |text: &Option<String>| secret::decode(text.as_deref()?);
        let parts = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (part(&self.n)?, part(&self.e)?);
                let n = n.iter().copied().skip_while(|byte| *byte == 0).collect();
                Parts::Rsa { n, e }
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                let is_point = x.len() == 32 && y.len() == 32;
                Parts::P256(is_point.then(|| [&[4], &x[..], &y[..]].concat())?)
            }
            ("OKP", Some("Ed25519")) => Parts::Ed25519(part(&self.x)?),
            _ => return None,
        };
        let key = Key { id: self.kid, parts };
        let named = self.alg.as_deref().map(Algorithm::parse);
        (is_for_us && named.is_none_or(|it| it == Some(key.algorithm()))).then_some(key)
    }
}

impl Key {
    const fn algorithm(&self) -> Algorithm {
        match self.parts {
            Parts::Rsa { .. } => Algorithm::Rs256,
            Parts::P256(_) => Algorithm::Es256,
            Parts::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// How many bits the modulus of an RSA key has.
    pub(super) fn rsa_bits(&self) -> Option<u32> {
        let Parts::Rsa { n, .. } = &self.parts else { return None };
        // The first byte is no 0, and its highest bits may be.
        let zeros = n.first().map_or(0, |first| first.leading_zeros());
        let bits = u32::try_from(n.len()).unwrap_or(u32::MAX).saturating_mul(8);
        Some(bits - zeros)
    }

    /// Whether it made this signature (RFC 7518, 3.3 and 3.4; RFC 8037).
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.parts {
            Parts::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Parts::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Parts::Ed25519(x) => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(keys: Value) -> Result<KeySet, Fault> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    /// RFC 7515, A.3: a token signed with ES256, and its key.
    #[test]
    fn the_signature_of_the_standard() {
        let key = json!({"kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let keys = set(json!([key])).unwrap();
        let signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
                      dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJ\
                         qPP3-Kg6NU1Q";
        let signature = secret::decode(signature).unwrap();
        let [key] = keys.fitting(Algorithm::Es256, None)[..] else { panic!("one key") };
        assert!(key.signed(signed.as_bytes(), &signature));
        assert!(!key.signed(&signed.as_bytes()[1..], &signature));
        assert!(!key.signed(signed.as_bytes(), &signature[1..]));
    }

    #[test]
    fn keys_of_other_kinds_and_uses_are_passed_over() {
        let x = secret::encode(&[7; 32]);
        let good = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "a"});
        let with = |name: &str, value: Value| {
            let mut key = good.clone();
            key[name] = value;
            key
        };
        let kept = [
            good.clone(),
            with("use", json!("sig")),
            with("key_ops", json!(["sign", "verify"])),
            with("alg", json!("EdDSA")),
            with("x5c", json!(["what else stands in it"])),
        ];
        for key in kept {
            assert_eq!(set(json!([key])).unwrap().0.len(), 1, "{key}");
        }
        for key in [
            with("use", json!("enc")),
            with("key_ops", json!(["encrypt"])),
            with("alg", json!("HS256")),
            with("alg", json!("RS256")),
            with("crv", json!("X25519")),
            with("kty", json!("oct")),
            with("x", json!("not base64url!")),
            json!({"kty": "oct", "k": x}),
            json!({"kty": "EC", "crv": "P-256", "x": x, "y": "AA"}),
            json!({"kty": "EC", "crv": "P-384", "x": x, "y": x}),
            json!({"kty": "RSA", "n": x}),
            json!("a key"),
            json!({}),
        ] {
            let read = set(json!([key, good])).unwrap();
            assert_eq!(read.0.len(), 1, "{key}");
        }
        for bad in [json!({}), json!("x"), json!(null)] {
            assert_eq!(set(bad.clone()), Err(Fault::Unusable), "{bad}");
        }
        assert_eq!(KeySet::parse(b"<html>"), Err(Fault::Unusable));
        assert!(set(Value::from(vec![good.clone(); KEYS_MAX])).is_ok());
        assert_eq!(set(Value::from(vec![good; KEYS_MAX + 1])), Err(Fault::Unusable));
    }

    #[test]
    fn the_bits_of_an_rsa_key_are_those_of_its_modulus() {
        let bits = |n: &[u8]| {
            let keys = set(json!([{"kty": "RSA", "n": secret::encode(n), "e": "AQAB"}])).unwrap();
            let [key] = &keys.0[..] else { panic!("one key") };
            key.rsa_bits()
        };
        let long = |first: &[u8]| [first, &[1; 255]].concat();
        assert_eq!(bits(&long(&[0x80])), Some(2_048));
        assert_eq!(bits(&long(&[0, 0x80])), Some(2_048), "a zero before it counts for nothing");
        assert_eq!(bits(&long(&[0x01])), Some(2_041));
        assert_eq!(bits(&[]), Some(0));
        let okp = set(json!([{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}])).unwrap();
        assert_eq!(okp.0[0].rsa_bits(), None);
    }

    #[test]
    fn a_token_without_the_id_of_a_key_fits_one_key_or_none() {
        let key = |id: &str| json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": id});
        let keys = set(json!([key("a"), key("b"), key("b")])).unwrap();
        let count = |id| keys.fitting(Algorithm::EdDsa, id).len();
        assert_eq!(
            [count(Some("a")), count(Some("b")), count(Some("c")), count(None)],
            [1, 2, 0, 0]
        );
        assert_eq!(keys.fitting(Algorithm::Rs256, Some("a")).len(), 0, "another algorithm");
        let one = set(json!([key("a")])).unwrap();
        assert_eq!(one.fitting(Algorithm::EdDsa, None).len(), 1);
    }
}
