//! Tokens that do not count: each differs in one thing from one that does.

use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};

use super::super::keys::KeySet;
use super::*;

const NOW: i64 = 1_800_000_000;

const EXPECTED: Expected<'_> = Expected {
    issuer: "https://id.example",
    client: "relight",
    nonce: "n-1",
    now: NOW,
    max_age: 3_600,
};

/// A provider with one key of each kind that can be made here.
struct Signer {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
}

impl Signer {
    fn new(seed: u8) -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let p256 =
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &SystemRandom::new()).unwrap();
        Self { ed25519: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(), p256 }
    }

    fn keys(&self) -> KeySet {
        let point = self.p256.public_key().as_ref();
        let (x, y) = (secret::encode(&point[1..33]), secret::encode(&point[33..]));
        let okp = secret::encode(self.ed25519.public_key().as_ref());
        let keys = json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": okp},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "x": x, "y": y},
        ]});
        KeySet::parse(keys.to_string().as_bytes()).unwrap()
    }

    fn token(&self, header: &Value, claims: &str) -> String {
        let part = |text: &str| secret::encode(text.as_bytes());
        let message = format!("{}.{}", part(&header.to_string()), part(claims));
        let signature = match header["alg"].as_str().unwrap_or_default() {
            "ES256" => {
                let signed = self.p256.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
                signed.as_ref().to_vec()
            }
            "HS256" => {
                // The public key as the secret of another algorithm.
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.ed25519.public_key().as_ref());
                hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
            "none" => Vec::new(),
            _ => self.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", secret::encode(&signature))
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "relight", "sub": "s-1", "nonce": "n-1",
        "exp": NOW + 300, "iat": NOW, "auth_time": NOW - 10, "amr": ["pwd", "mfa"], "acr": "2",
    })
}

fn judged(token: &str, keys: &KeySet) -> Result<Claims, Fault> {
    let unverified = Unverified::parse(token)?;
    let fitting = keys.fitting(unverified.algorithm, unverified.key.as_deref());
    unverified.verified(&fitting, EXPECTED)
}

fn with(name: &str, value: Value) -> String {
    let mut all = claims();
    match value {
        Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
        value => all[name] = value,
    }
    all.to_string()
}

#[test]
fn a_token_of_each_algorithm_says_who_it_is() {
    let signer = Signer::new(1);
    let keys = signer.keys();
    for (alg, kid) in [("EdDSA", "ed"), ("Ed25519", "ed"), ("ES256", "ec")] {
        for header in [json!({"alg": alg, "kid": kid}), json!({"alg": alg, "typ": "JWT"})] {
            let token = signer.token(&header, &claims().to_string());
            let got = judged(&token, &keys).unwrap();
            let amr = vec!["pwd".to_owned(), "mfa".to_owned()];
            let others = got.others.clone();
            let (subject, acr, at) = ("s-1".into(), Some("2".into()), NOW - 10);
            assert_eq!(got, Claims { subject, acr, amr, at, others }, "{header}");
        }
    }
}

#[test]
fn a_signature_counts_only_with_an_algorithm_and_a_key_of_the_provider() {
    let (signer, stranger) = (Signer::new(1), Signer::new(2));
    let (keys, body) = (signer.keys(), claims().to_string());
    let own = |header: Value| signer.token(&header, &body);
    for (what, token, wanted) in [
        ("no signature", own(json!({"alg": "none"})), Fault::TokenAlgorithm),
        ("none, spelled otherwise", own(json!({"alg": "nOnE"})), Fault::TokenAlgorithm),
        (
            "the public key as a secret",
            own(json!({"alg": "HS256", "kid": "ed"})),
            Fault::TokenAlgorithm,
        ),
        ("another algorithm", own(json!({"alg": "PS256", "kid": "ed"})), Fault::TokenAlgorithm),
        ("no algorithm", own(json!({"kid": "ed"})), Fault::TokenMalformed),
        (
            "the key of another algorithm",
            own(json!({"alg": "ES256", "kid": "ed"})),
            Fault::TokenKey,
        ),
        ("an unknown key", own(json!({"alg": "EdDSA", "kid": "other"})), Fault::TokenKey),
        ("RS256 without such a key", own(json!({"alg": "RS256"})), Fault::TokenKey),
        (
            "what has to be understood",
            own(json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false})),
            Fault::TokenMalformed,
        ),
        (
            "a key that comes along",
            stranger.token(
                &json!({"alg": "EdDSA", "kid": "ed", "jwk": {"kty": "OKP", "crv": "Ed25519",
                    "x": secret::encode(stranger.ed25519.public_key().as_ref())}}),
                &body,
            ),
            Fault::TokenSignature,
        ),
        (
            "a stranger's",
            stranger.token(&json!({"alg": "ES256", "kid": "ec"}), &body),
            Fault::TokenSignature,
        ),
    ] {
        assert_eq!(judged(&token, &keys), Err(wanted), "{what}");
    }
    let token = own(json!({"alg": "EdDSA", "kid": "ed"}));
    let parts: Vec<&str> = token.split('.').collect();
    let other = secret::encode(with("sub", json!("s-2")).as_bytes());
    let forged = format!("{}.{other}.{}", parts[0], parts[2]);
    assert_eq!(judged(&forged, &keys), Err(Fault::TokenSignature), "other claims");
    let bare = format!("{}.{}.", parts[0], parts[1]);
    assert_eq!(judged(&bare, &keys), Err(Fault::TokenSignature), "the signature cut off");
    assert_eq!(judged(&token, &KeySet::default()), Err(Fault::TokenKey));
}

#[test]
fn what_is_no_token_is_none() {
    let signer = Signer::new(1);
    let (keys, header) = (signer.keys(), json!({"alg": "EdDSA", "kid": "ed"}));
    let token = signer.token(&header, &claims().to_string());
    let long = "x".repeat(TOKEN_BYTES_MAX + 1);
    for bad in ["", ".", "..", "a.b", "a.b.c.d.e", &token[1..], &format!("{token}="), &long] {
        assert_eq!(judged(bad, &keys), Err(Fault::TokenMalformed), "{}", bad.len());
    }
    let twice = claims().to_string().replacen('{', "{\"sub\":\"s-2\",", 1);
    for body in ["", "[]", "{}", "null", "\"x\"", &twice] {
        let token = signer.token(&header, body);
        assert_eq!(judged(&token, &keys), Err(Fault::TokenMalformed), "{body}");
    }
}

/// Goal: nothing but a token for us, from here and now, says who somebody is. Method: one claim
/// differs at a time; times stand on both sides of each limit.
#[test]
fn each_claim_that_is_wrong_refuses_the_token() {
    let signer = Signer::new(1);
    let (keys, header) = (signer.keys(), json!({"alg": "EdDSA", "kid": "ed"}));
    let long = "s".repeat(SUBJECT_BYTES_MAX + 1);
    let fits = "s".repeat(SUBJECT_BYTES_MAX);
    let (skew, age) = (SKEW_S_MAX, AGE_S_MAX);
    let ok = |name: &'static str, value: Value| (name, value, None);
    let no = |name: &'static str, value: Value, fault: Fault| (name, value, Some(fault));
    for (name, value, wanted) in [
        no("iss", json!("https://id.example/"), Fault::TokenIssuer),
        no("iss", json!("https://evil.example"), Fault::TokenIssuer),
        no("iss", Value::Null, Fault::TokenMalformed),
        ok("aud", json!(["relight"])),
        no("aud", json!("other"), Fault::TokenAudience),
        no("aud", json!([]), Fault::TokenAudience),
        no("aud", json!(["relight", "other"]), Fault::TokenAudience),
        no("aud", json!({"relight": true}), Fault::TokenAudience),
        no("aud", Value::Null, Fault::TokenMalformed),
        ok("azp", json!("relight")),
        no("azp", json!("other"), Fault::TokenAudience),
        ok("exp", json!(NOW - skew + 1)),
        no("exp", json!(NOW - skew), Fault::TokenTime),
        no("exp", json!(0), Fault::TokenTime),
        no("exp", json!("2030-01-01"), Fault::TokenMalformed),
        no("exp", json!(-1), Fault::TokenMalformed),
        no("exp", json!(1e300), Fault::TokenMalformed),
        no("exp", Value::Null, Fault::TokenMalformed),
        ok("exp", json!(NOW as f64 + 0.5)),
        ok("iat", json!(NOW + skew)),
        no("iat", json!(NOW + skew + 1), Fault::TokenTime),
        ok("iat", json!(NOW - age - skew)),
        no("iat", json!(NOW - age - skew - 1), Fault::TokenTime),
        no("iat", Value::Null, Fault::TokenMalformed),
        ok("nbf", json!(NOW + skew)),
        no("nbf", json!(NOW + skew + 1), Fault::TokenTime),
        no("nonce", json!("n-2"), Fault::TokenNonce),
        no("nonce", json!(""), Fault::TokenNonce),
        no("nonce", Value::Null, Fault::TokenMalformed),
        ok("auth_time", json!(NOW - 3_600 - skew)),
        no("auth_time", json!(NOW - 3_600 - skew - 1), Fault::TokenAuthentication),
        ok("auth_time", json!(NOW + skew)),
        no("auth_time", json!(NOW + skew + 1), Fault::TokenAuthentication),
        no("auth_time", Value::Null, Fault::TokenAuthentication),
        no("auth_time", json!("now"), Fault::TokenAuthentication),
        ok("sub", json!(fits)),
        no("sub", json!(long), Fault::TokenMalformed),
        no("sub", json!(""), Fault::TokenMalformed),
        no("sub", json!("anna\nroot"), Fault::TokenMalformed),
        no("sub", json!(7), Fault::TokenMalformed),
        // What is said of the factors is taken only in its own form.
        ok("acr", json!(["2"])),
        ok("amr", json!("mfa")),
    ] {
        let token = signer.token(&header, &with(name, value.clone()));
        assert_eq!(judged(&token, &keys).err(), wanted, "{name} {value}");
    }
    let token = signer.token(&header, &with("amr", json!("mfa")));
    assert_eq!(judged(&token, &keys).unwrap().amr, Vec::<String>::new());
}
