//! What a provider is believed to be, and how often it is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;
use crate::access::RSA_BITS_MIN;

const NOW: i64 = 1_800_000_000;

/// A loopback provider that answers each request by its path, and counts those for its keys.
struct Fake {
    issuer: String,
    keys_asked: Arc<AtomicU32>,
}

/// Seed of the key with which a fake provider signs.
const SEED: [u8; 32] = [5; 32];

impl Fake {
    /// `change` turns the document about itself into another one.
    fn start(change: impl Fn(&mut serde_json::Value) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let keys_asked = Arc::new(AtomicU32::new(0));
        let (own, counted) = (issuer.clone(), Arc::clone(&keys_asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut lines, mut line) = (BufReader::new(&stream), String::new());
                // To the end of the head: what is left unread at the close may cost the answer.
                while lines.read_line(&mut line).unwrap() > 2 {}
                let body = if line.contains("/.well-known/openid-configuration") {
                    let mut document = document(&own);
                    change(&mut document);
                    document
                } else {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
                    let x = encode_bytes(pair.public_key().as_ref());
                    let n = encode_bytes(&[0x80; 256]);
                    json!({"keys": [
                        {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x},
                        {"kty": "RSA", "kid": "r1", "n": n, "e": "AQAB"},
                    ]})
                };
                let _ = write!(stream, "HTTP/1.1 200 OK\r\n\r\n{body}");
            }
        });
        Self { issuer, keys_asked }
    }
}

fn document(issuer: &str) -> serde_json::Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth?kept=1"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    })
}

fn settings(issuer: &str) -> OidcSettings {
    OidcSettings {
        name: "Provider".into(),
        issuer: issuer.into(),
        client_id: "relight & co".into(),
        client_secret_file: None,
        ca_file: None,
        second_factor_acr: vec!["gold".into()],
        second_factor_amr: vec!["mfa".into()],
        groups_claim: "groups".into(),
        group: Vec::new(),
    }
}

fn provider(issuer: &str) -> Provider {
    let console = Address::parse("http://localhost:8420").unwrap();
    Provider::open(settings(issuer), &console, RSA_BITS_MIN, SignInTimes::default()).unwrap()
}

fn token(kid: &str) -> String {
    let part = |value: serde_json::Value| encode_bytes(value.to_string().as_bytes());
    let claims = json!({"iss": "i", "aud": "c", "sub": "s", "nonce": "n", "exp": NOW + 9,
        "iat": NOW, "auth_time": NOW});
    let message = format!("{}.{}", part(json!({"alg": "EdDSA", "kid": kid})), part(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    format!("{message}.{}", encode_bytes(pair.sign(message.as_bytes()).as_ref()))
}

/// Goal: whoever sends tokens cannot make us send requests. Method: tokens that name keys, known
/// and unknown, at chosen times; the provider counts how often it was asked.
#[test]
fn keys_are_asked_for_again_when_one_is_unknown_but_not_for_every_token() {
    let fake = Fake::start(|_| ());
    let provider = provider(&fake.issuer);
    let runtime = crate::runtime::start("test").unwrap();
    let place = Place::parse(&format!("{}/keys", fake.issuer), true).unwrap();
    let asked = |kid: &str, now: i64| {
        let text = token(kid);
        let expected = Expected { issuer: "i", client: "c", nonce: "n", now, max_age: 43_200 };
        let unverified = Unverified::parse(&text).unwrap();
        let got = runtime.block_on(provider.verified(unverified, expected, &place));
        (got.map(|claims| claims.subject), fake.keys_asked.load(Ordering::SeqCst))
    };
    let good = || Ok("s".to_owned());
    assert_eq!(asked("k1", NOW), (good(), 1));
    assert_eq!(asked("k1", NOW + 1), (good(), 1), "kept");
    for second in 1..KEYS_AGAIN_S {
        assert_eq!(asked("k2", NOW + second), (Err(Fault::TokenKey), 1), "not again so soon");
    }
    assert_eq!(asked("k2", NOW + KEYS_AGAIN_S), (Err(Fault::TokenKey), 2));
    assert_eq!(asked("k2", NOW + KEYS_AGAIN_S + 1), (Err(Fault::TokenKey), 2));
    assert_eq!(asked("k1", NOW + KEYS_AGAIN_S + 2), (good(), 2));
    // A key is believed for an hour: one that leaked must not count for ever. By then the token is
    // too old as well.
    let late = NOW + KEYS_AGAIN_S + KEYS_S_MAX;
    assert_eq!(asked("k1", late), (Err(Fault::TokenTime), 3));
}

/// Many providers sign with RSA of 2,048 bits, which are 112 bits of security.
#[test]
fn a_key_of_too_few_bits_signs_nothing_unless_the_policy_takes_it() {
    let fake = Fake::start(|_| ());
    let runtime = crate::runtime::start("test").unwrap();
    let place = Place::parse(&format!("{}/keys", fake.issuer), true).unwrap();
    let text = token("r1").replacen(
        &encode_bytes(br#"{"alg":"EdDSA","kid":"r1"}"#),
        &encode_bytes(br#"{"alg":"RS256","kid":"r1"}"#),
        1,
    );
    let console = Address::parse("http://localhost:8420").unwrap();
    for (bits, wanted) in [
        (RSA_BITS_MIN, Fault::TokenWeakKey),
        (2_049, Fault::TokenWeakKey),
        (2_048, Fault::TokenSignature),
    ] {
        let provider =
            Provider::open(settings(&fake.issuer), &console, bits, SignInTimes::default()).unwrap();
        let expected = Expected { issuer: "i", client: "c", nonce: "n", now: NOW, max_age: 60 };
        let unverified = Unverified::parse(&text).unwrap();
        let got = runtime.block_on(provider.verified(unverified, expected, &place));
        assert_eq!(got, Err(wanted), "{bits}");
    }
}

#[test]
fn a_provider_that_calls_itself_otherwise_or_leads_elsewhere_is_not_used() {
    let runtime = crate::runtime::start("test").unwrap();
    type Change = fn(&mut serde_json::Value);
    let cases: [(&str, Change); 6] = [
        ("another name", |it| it["issuer"] = json!("https://id.example")),
        ("a slash more", |it| it["issuer"] = json!(format!("{}/", it["issuer"].as_str().unwrap()))),
        ("plain text elsewhere", |it| it["token_endpoint"] = json!("http://id.example/token")),
        ("no address", |it| it["jwks_uri"] = json!("/keys")),
        ("a way in that is none", |it| it["authorization_endpoint"] = json!("javascript:alert(1)")),
        ("nothing", |it| *it = json!([])),
    ];
    for (what, change) in cases {
        let fake = Fake::start(change);
        let got = runtime.block_on(provider(&fake.issuer).metadata(NOW));
        assert_eq!(got.map(drop), Err(Fault::Unusable), "{what}");
    }
}

#[test]
fn a_provider_that_does_not_answer_is_left_alone_for_a_moment() {
    let runtime = crate::runtime::start("test").unwrap();
    // Kept for us: others may be given a port that is only dropped.
    let address = relight_engine::edge::exec::free_address().unwrap();
    let provider = provider(&format!("http://{address}"));
    let metadata = |now| runtime.block_on(provider.metadata(now)).map(drop);
    assert_eq!(metadata(NOW), Err(Fault::Unreachable));
    // Somebody listens there again, and is not asked before the moment is over.
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(metadata(NOW + FAILED_S - 1), Err(Fault::Unreachable));
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn a_browser_is_sent_away_with_all_that_protects_its_way_back() {
    let fake = Fake::start(|_| ());
    let provider = provider(&fake.issuer);
    let runtime = crate::runtime::start("test").unwrap();
    let asking =
        Asking { state: "st", nonce: "no", verifier: "verifier", lang: "fr", is_again: true };
    let location = runtime.block_on(provider.authorization(&asking, NOW)).unwrap();
    let (endpoint, query) = location.split_once('?').unwrap();
    assert_eq!(endpoint, format!("{}/auth", fake.issuer));
    let challenge = encode_bytes(&crate::access::digest_of(b"verifier").0);
    for part in [
        "kept=1",
        "response_type=code",
        "client_id=relight%20%26%20co",
        "redirect_uri=http%3A%2F%2Flocalhost%3A8420%2Fsign-in%2Foidc%2Fback",
        "scope=openid",
        "state=st",
        "nonce=no",
        "code_challenge_method=S256",
        &format!("code_challenge={challenge}"),
        "max_age=43200",
        "acr_values=gold",
        "prompt=login",
        "ui_locales=fr",
    ] {
        assert!(query.split('&').any(|it| it == part), "{part}: {query}");
    }
    assert!(!query.contains("verifier=") && !query.contains("email"), "{query}");
}

#[test]
fn the_secret_is_sent_where_the_provider_takes_it_and_is_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "p:s & é\n").unwrap();
    let mode = |bits| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bits)).unwrap();
    };
    mode(0o644);
    assert!(secret_in(&path).is_err(), "everybody on the machine reads it");
    mode(0o600);
    let console = Address::parse("http://localhost:8420").unwrap();
    let with =
        OidcSettings { client_secret_file: Some(path.clone()), ..settings("http://localhost:1") };
    let secretive = Provider::open(with, &console, RSA_BITS_MIN, SignInTimes::default()).unwrap();
    let public = provider("http://localhost:1");
    let got = Got { code: "c&d", verifier: "v", nonce: "n" };
    let form = |provider: &Provider, methods: Option<&[&str]>| {
        let mut metadata: Metadata =
            serde_json::from_value(document("http://localhost:1")).unwrap();
        let methods = methods.map(|all| all.iter().map(|it| (*it).to_owned()).collect());
        metadata.token_endpoint_auth_methods_supported = methods;
        provider.form(&metadata, &got)
    };
    // base64("relight%20%26%20co:p%3As%20%26%20%C3%A9")
    let basic = "Basic cmVsaWdodCUyMCUyNiUyMGNvOnAlM0FzJTIwJTI2JTIwJUMzJUE5";
    for methods in [None, Some(&["client_secret_basic", "client_secret_post"][..])] {
        let form = form(&secretive, methods);
        assert_eq!(form.authorization.as_deref(), Some(basic));
        assert!(!form.body.contains("secret") && form.body.contains("code=c%26d"), "{}", form.body);
    }
    let posted = form(&secretive, Some(&["client_secret_post"]));
    assert!(posted.body.ends_with("&client_secret=p%3As%20%26%20%C3%A9"), "{}", posted.body);
    assert_eq!(posted.authorization, None);
    let open = form(&public, None);
    assert!(open.body.ends_with("&client_id=relight%20%26%20co") && open.authorization.is_none());
    for bad in ["", "\n", "two\nlines", &"x".repeat(SECRET_BYTES_MAX + 1)] {
        std::fs::write(&path, bad).unwrap();
        assert!(secret_in(&path).is_err(), "{}", bad.len());
    }
}

#[test]
fn only_words_that_the_policy_names_make_a_second_factor() {
    let claims = |acr: &str, amr: &[&str]| Claims {
        subject: "s".into(),
        acr: Some(acr.into()),
        amr: amr.iter().map(|it| (*it).to_owned()).collect(),
        at: NOW,
        others: Default::default(),
    };
    let named = provider("http://localhost:1");
    for (acr, amr, wanted) in [
        ("gold", &[][..], true),
        ("", &["pwd", "mfa"], true),
        ("silver", &["pwd"], false),
        ("mfa", &["gold"], false),
        ("GOLD", &["MFA"], false),
    ] {
        assert_eq!(named.is_strong(&claims(acr, amr)), wanted, "{acr} {amr:?}");
    }
    let console = Address::parse("http://localhost:8420").unwrap();
    let unsigned = settings("http://localhost:1").unsigned();
    let unsigned =
        Provider::open(unsigned, &console, RSA_BITS_MIN, SignInTimes::default()).unwrap();
    assert!(!unsigned.is_strong(&claims("gold", &["mfa"])), "an unsigned policy names none");
}
