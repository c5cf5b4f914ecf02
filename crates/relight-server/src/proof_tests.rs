//! Signatures for plans: a good one, and each thing that can be wrong with one.

use std::path::Path;

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;

/// The plan of the fixture, which the tests of `relight audit verify` read as well.
const PLAN: Digest = Digest([7; 32]);

/// What an authenticator with a chosen key says for a plan, in which one thing may be wrong.
struct Said {
    kind: &'static str,
    origin: &'static str,
    host: &'static str,
    flags: u8,
    plan: Digest,
    purpose: &'static [u8],
}

impl Said {
    fn good() -> Self {
        let (origin, host) = ("https://relight.example", "relight.example");
        Self {
            kind: "webauthn.get",
            origin,
            host,
            flags: 0b101,
            plan: PLAN,
            purpose: Signing::Approval.purpose(),
        }
    }

    fn proof(&self) -> Proof {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
        let cose = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
        let ticket = [9; TICKET_BYTES];
        let challenge = digest_of(&[self.purpose, &self.plan.0, &ticket].concat()).0;
        let client = serde_json::json!({"type": self.kind, "challenge": secret::encode(&challenge),
            "origin": self.origin})
        .to_string();
        let mut data = digest_of(self.host.as_bytes()).0.to_vec();
        data.push(self.flags);
        data.extend(5_u32.to_be_bytes());
        let message = [&data[..], &digest_of(client.as_bytes()).0].concat();
        Proof {
            credential: secret::encode(&[1; 16]),
            key: secret::encode(&[&cose[..], pair.public_key().as_ref()].concat()),
            client: secret::encode(client.as_bytes()),
            authenticator: secret::encode(&data),
            signature: secret::encode(pair.sign(&message).as_ref()),
            ticket: secret::encode(&ticket),
        }
    }
}

#[test]
fn the_fixture_is_a_good_signature_for_its_plan_and_for_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/approval.json");
    let text = serde_json::to_string_pretty(&Said::good().proof()).unwrap() + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    let proof: Proof = serde_json::from_str(&text).unwrap();
    let glass = check(&proof, Signing::BrokenGlass, &PLAN);
    assert_eq!(glass, Err("wrong-challenge"), "who agrees breaks no glass");
    assert!(is_of_hardware(&proof));
    let copied = Said { flags: 0b1101, ..Said::good() }.proof();
    assert!(!is_of_hardware(&copied));
    assert!(!is_of_hardware(&Proof { authenticator: String::new(), ..proof.clone() }));
    assert_eq!(check(&proof, Signing::Approval, &PLAN), Ok(()));
    for byte in 0..32 {
        let mut other = PLAN;
        other.0[byte] ^= 1;
        assert_eq!(check(&proof, Signing::Approval, &other), Err("wrong-challenge"), "byte {byte}");
    }
}

#[test]
fn one_wrong_word_and_it_is_none() {
    let with = |change: fn(&mut Said)| {
        let mut said = Said::good();
        change(&mut said);
        said.proof()
    };
    for (what, proof, wanted) in [
        ("made to register", with(|it| it.kind = "webauthn.create"), "malformed"),
        ("made to sign in", with(|it| it.purpose = b"relight sign-in"), "wrong-challenge"),
        ("for another plan", with(|it| it.plan = Digest([8; 32])), "wrong-challenge"),
        ("nobody verified", with(|it| it.flags = 0b001), "not-verified"),
        ("nobody there", with(|it| it.flags = 0b100), "not-verified"),
        ("for another site", with(|it| it.host = "evil.example"), "foreign-site"),
        ("on a page in plain text", with(|it| it.origin = "http://relight.example"), "malformed"),
    ] {
        assert_eq!(check(&proof, Signing::Approval, &PLAN), Err(wanted), "{what}");
    }
}

/// Every bit of every field: none can be changed without notice, but those of the credential's id,
/// which the key stands beside.
#[test]
fn no_bit_of_it_can_be_changed() {
    let good = Said::good().proof();
    let fields: [fn(&mut Proof) -> &mut String; 5] = [
        |it| &mut it.key,
        |it| &mut it.client,
        |it| &mut it.authenticator,
        |it| &mut it.signature,
        |it| &mut it.ticket,
    ];
    for (number, field) in fields.into_iter().enumerate() {
        let bytes = secret::decode(field(&mut good.clone())).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let mut proof = good.clone();
            *field(&mut proof) = secret::encode(&changed);
            assert!(check(&proof, Signing::Approval, &PLAN).is_err(), "field {number}, bit {at}");
        }
        let mut proof = good.clone();
        field(&mut proof).clear();
        assert!(check(&proof, Signing::Approval, &PLAN).is_err(), "field {number}, empty");
    }
}
