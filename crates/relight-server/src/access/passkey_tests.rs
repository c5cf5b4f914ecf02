//! Answers of an authenticator of our own: good ones, and each thing that can be wrong with one.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::access::RSA_BITS_MIN;

const CHALLENGE: &[u8] = &[9; 32];

fn site() -> Address {
    Address::parse("https://relight.example").unwrap()
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// An authenticator with one key.
struct Device {
    key: Vec<u8>,
    sign: Sign,
}

fn es256() -> Device {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref().to_vec();
    let key = [ES256[0], &point[1..33], ES256[1], &point[33..]].concat();
    let sign = Box::new(move |message: &[u8]| {
        pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    });
    Device { key, sign }
}

fn eddsa() -> Device {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let key = [EDDSA, pair.public_key().as_ref()].concat();
    Device { key, sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()) }
}

/// What can be said wrongly.
struct Said {
    kind: &'static str,
    challenge: Vec<u8>,
    origin: &'static str,
    more: &'static str,
    host: &'static str,
    flags: u8,
    count: u32,
}

fn said(kind: &'static str) -> Said {
    let flags = PRESENT | VERIFIED | if kind == "webauthn.create" { HAS_KEY } else { 0 };
    let origin = "https://relight.example";
    let (challenge, host) = (CHALLENGE.to_vec(), "relight.example");
    Said { kind, challenge, origin, more: "", host, flags, count: 7 }
}

impl Said {
    fn client(&self) -> Vec<u8> {
        let (kind, origin, more) = (self.kind, self.origin, self.more);
        let challenge = secret::encode(&self.challenge);
        let said = format!(r#""type":"{kind}","challenge":"{challenge}","origin":"{origin}""#);
        let text = format!(r#"{{{said},"crossOrigin":false{more}}}"#);
        text.into_bytes()
    }

    fn head(&self) -> Vec<u8> {
        let mut data = digest_of(self.host.as_bytes()).0.to_vec();
        data.push(self.flags);
        data.extend(self.count.to_be_bytes());
        data
    }

    fn registration(&self, rest: &[u8]) -> Answer {
        Answer {
            id: secret::encode(b"credential"),
            client: secret::encode(&self.client()),
            authenticator: secret::encode(&[&self.head()[..], rest].concat()),
            signature: String::new(),
        }
    }

    fn assertion(&self, device: &Device) -> Answer {
        let (client, head) = (self.client(), self.head());
        let signature = (device.sign)(&[&head[..], &digest_of(&client).0].concat());
        Answer {
            id: secret::encode(b"credential"),
            client: secret::encode(&client),
            authenticator: secret::encode(&head),
            signature: secret::encode(&signature),
        }
    }
}

/// Make, length and id, key.
fn credential(key: &[u8]) -> Vec<u8> {
    [&[0; 16][..], &[0, 10], b"credential", key].concat()
}

#[test]
fn a_key_is_registered_and_signs() {
    for device in [es256(), eddsa()] {
        let answer = said("webauthn.create").registration(&credential(&device.key));
        let new = answer.registered(&site(), CHALLENGE).unwrap();
        assert_eq!((new.credential.as_slice(), new.signatures), (b"credential".as_slice(), 7));
        assert_eq!(new.key, device.key);
        let answer = said("webauthn.get").assertion(&device);
        assert_eq!(answer.signed((&new.key, 6), &site(), CHALLENGE), Ok(7));
        // Another key of the same kind did not sign it.
        for other in [es256(), eddsa()] {
            let got = answer.signed((&other.key, 6), &site(), CHALLENGE);
            assert_eq!(got, Err(Fault::BadSignature));
        }
    }
}

/// Goal: each check of the standard is made. Method: one thing at a time is said wrongly, and
/// signed by the right key all the same.
#[test]
fn one_wrong_word_refuses_a_sign_in() {
    let device = es256();
    let get = || said("webauthn.get");
    for (wrong, fault) in [
        (Said { kind: "webauthn.create", ..get() }, Fault::Malformed),
        (Said { challenge: vec![8; 32], ..get() }, Fault::WrongChallenge),
        (Said { challenge: vec![9; 31], ..get() }, Fault::WrongChallenge),
        (Said { origin: "https://relight.example.evil", ..get() }, Fault::ForeignOrigin),
        (Said { origin: "http://relight.example", ..get() }, Fault::ForeignOrigin),
        (Said { more: r#","topOrigin":"https://a.example""#, ..get() }, Fault::ForeignOrigin),
        (Said { more: r#","crossOrigin":true"#, ..get() }, Fault::Malformed),
        (Said { host: "evil.example", ..get() }, Fault::ForeignSite),
        (Said { flags: PRESENT, ..get() }, Fault::NotVerified),
        (Said { flags: VERIFIED, ..get() }, Fault::NotVerified),
        (Said { flags: PRESENT | VERIFIED | IS_COPIED, ..get() }, Fault::Malformed),
        (Said { flags: PRESENT | VERIFIED | HAS_KEY, ..get() }, Fault::Malformed),
        (Said { count: 6, ..get() }, Fault::Copied),
        (Said { count: 0, ..get() }, Fault::Copied),
    ] {
        let answer = wrong.assertion(&device);
        assert_eq!(answer.signed((&device.key, 6), &site(), CHALLENGE), Err(fault));
    }
    let silent = Said { count: 0, ..get() }.assertion(&device);
    assert_eq!(silent.signed((&device.key, 0), &site(), CHALLENGE), Ok(0));
    let copied = PRESENT | VERIFIED | MAY_BE_COPIED | IS_COPIED;
    let synced = Said { flags: copied, ..get() }.assertion(&device);
    assert!(synced.signed((&device.key, 0), &site(), CHALLENGE).is_ok(), "a synced key is one");
}

#[test]
fn what_was_signed_is_what_counts() {
    let device = es256();
    let good = said("webauthn.get").assertion(&device);
    let signed = |answer: &Answer| answer.signed((&device.key, 0), &site(), CHALLENGE);
    assert!(signed(&good).is_ok());
    let more = secret::encode(&Said { more: r#","a":1"#, ..said("webauthn.get") }.client());
    let counted = secret::encode(&Said { count: 9, ..said("webauthn.get") }.head());
    for changed in [
        Answer { client: more, ..good.clone() },
        Answer { authenticator: counted, ..good.clone() },
        Answer { signature: secret::encode(&[0; 70]), ..good.clone() },
        Answer { signature: String::new(), ..good.clone() },
    ] {
        assert_eq!(signed(&changed), Err(Fault::BadSignature));
    }
    let mut data = secret::decode(&good.authenticator).unwrap();
    data.push(0);
    let longer = Answer { authenticator: secret::encode(&data), ..good.clone() };
    assert_eq!(signed(&longer), Err(Fault::Malformed));
    for length in 0..37 {
        let cut = Answer { authenticator: secret::encode(&data[..length]), ..good.clone() };
        assert_eq!(signed(&cut), Err(Fault::Malformed), "{length}");
    }
}

#[test]
fn keys_that_were_not_asked_for_are_not_taken() {
    let key = es256().key;
    let register = |rest: &[u8], flags: u8| {
        let said = Said { flags: PRESENT | VERIFIED | flags, ..said("webauthn.create") };
        said.registration(rest).registered(&site(), CHALLENGE)
    };
    assert!(register(&credential(&key), HAS_KEY).is_ok());
    assert_eq!(register(&credential(&key), 0), Err(Fault::Malformed));
    let extended = [credential(&key), vec![0xa0]].concat();
    assert!(register(&extended, HAS_KEY | HAS_EXTENSIONS).is_ok());
    assert_eq!(register(&extended, HAS_KEY), Err(Fault::Malformed));
    let mut other = key.clone();
    for (at, byte) in [(1, 3), (4, 0x27), (6, 2), (0, 0xa4), (9, 0x21)] {
        let before = std::mem::replace(&mut other[at], byte);
        assert_eq!(register(&credential(&other), HAS_KEY), Err(Fault::UnknownKey), "{at}");
        other[at] = before;
    }
    for length in 0..credential(&key).len() {
        assert!(register(&credential(&key)[..length], HAS_KEY).is_err(), "{length}");
    }
    let nameless = [&[0; 16][..], &[0, 0], &key].concat();
    assert_eq!(register(&nameless, HAS_KEY), Err(Fault::Malformed));
    let id = vec![7; CREDENTIAL_BYTES_MAX + 1];
    let long = [&[0; 16][..], &[4, 0], &id, &key].concat();
    assert_eq!(register(&long, HAS_KEY), Err(Fault::Malformed), "an id of 1,024 bytes");
    let mut named = said("webauthn.create").registration(&credential(&key));
    named.id = secret::encode(b"credentiaL");
    assert_eq!(named.registered(&site(), CHALLENGE), Err(Fault::Malformed));
}

#[test]
fn keys_of_rsa_have_2048_bits_and_the_usual_exponent() {
    let key = |first: u8, end: &[u8]| [RS256[0], &[first], &[1; 255], end].concat();
    assert_eq!(key_length(&key(0x80, RS256[1])), Some(272));
    assert_eq!(key_length(&key(0x7f, RS256[1])), None, "fewer bits");
    assert_eq!(key_length(&key(0x80, &[0x21, 0x41, 0x01])), None, "an exponent of 1");
    assert_eq!(verify(&key(0x80, RS256[1]), b"a", &[0; 256]), Err(Fault::BadSignature));
    assert_eq!(verify(&[key(0x80, RS256[1]), vec![0]].concat(), b"a", b""), Err(Fault::UnknownKey));
}

#[test]
fn rsa_is_asked_for_and_counts_only_where_the_policy_allows_its_bits() {
    let rsa = [RS256[0], &[0x80], &[1; 255], RS256[1]].concat();
    for (bits, asked, counts) in [
        (RSA_BITS_MIN, &[-7, -8][..], Err(Fault::WeakKey)),
        (RSA_BITS + 1, &[-7, -8], Err(Fault::WeakKey)),
        (RSA_BITS, &[-7, -8, -257], Ok(())),
    ] {
        assert_eq!((algorithms(bits), check_strength(&rsa, bits)), (asked, counts), "{bits}");
        for key in [es256().key, eddsa().key] {
            assert_eq!(check_strength(&key, bits), Ok(()), "256 bits of a curve are 128");
        }
    }
}

#[test]
fn the_text_of_an_answer_is_read_strictly() {
    let good = r#"{"id":"AA","client":"AA","authenticator":"AA","signature":"AA"}"#;
    assert!(Answer::parse(good).is_ok());
    for bad in ["", "{}", "[]", "null", &good.replace("\"id\"", "\"ID\""), &good.repeat(2)] {
        assert_eq!(Answer::parse(bad).unwrap_err(), Fault::Malformed, "{bad}");
    }
    let answer = Answer::parse(&good.replace("\"AA\"", "\"A=\"")).unwrap();
    assert_eq!(answer.registered(&site(), CHALLENGE), Err(Fault::Malformed));
    assert_eq!(answer.signed((&[], 0), &site(), CHALLENGE), Err(Fault::Malformed));
}
