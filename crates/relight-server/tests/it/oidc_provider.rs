//! A provider of identities on loopback that says whatever a test wants it to say.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use relight_server::{OidcSettings, WebConfig};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::door_device::encode;
use crate::door_support::World;
use crate::web_console::ask_raw;

/// What the provider calls the console.
pub(crate) const CLIENT: &str = "relight";

/// What it answers next at its token endpoint, and what it was sent there.
#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, String)>,
    forms: Vec<String>,
}

/// The provider.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    script: Arc<Mutex<Script>>,
}

/// A browser that a console sent away: its cookies, and the address where it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Away {
    pub(crate) cookie: String,
    pub(crate) location: String,
}

impl Away {
    /// A parameter of the address.
    pub(crate) fn parameter(&self, name: &str) -> String {
        let (_, query) = self.location.split_once('?').unwrap();
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        pair.unwrap_or_default().to_owned()
    }

    /// The address to which a provider sends it back.
    pub(crate) fn back(&self) -> String {
        format!("/sign-in/oidc/back?code=c-1&state={}", self.parameter("state"))
    }
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

/// A token signed with the key of a seed; the provider has that of 9.
pub(crate) fn signed(seed: u8, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    format!("{message}.{}", encode(pair(seed).sign(message.as_bytes()).as_ref()))
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let (own, shared) = (issuer.clone(), Arc::clone(&script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &own, &shared);
            }
        });
        Self { issuer, script }
    }

    pub(crate) fn settings(&self) -> OidcSettings {
        OidcSettings {
            name: "Provider <1>".into(),
            issuer: self.issuer.clone(),
            client_id: CLIENT.into(),
            client_secret_file: None,
            ca_file: None,
            second_factor_acr: Vec::new(),
            second_factor_amr: vec!["mfa".into()],
            groups_claim: "groups".into(),
            group: Vec::new(),
        }
    }

    /// A setting of the console with this provider.
    pub(crate) fn configured(&self) -> impl FnOnce(&mut WebConfig) {
        let settings = self.settings();
        move |config| config.oidc = Some(settings)
    }

    /// Claims that count for a browser that is away, at a time.
    pub(crate) fn claims(&self, away: &Away, subject: &str, now: i64) -> Value {
        json!({
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "nonce": away.parameter("nonce"),
            "exp": now + 300, "iat": now, "auth_time": now, "amr": ["pwd", "mfa"],
            "email": "anna@town.example", "preferred_username": "anna",
        })
    }

    /// The next code stands for this token.
    pub(crate) fn gives(&self, token: &str) {
        self.answers(200, &json!({"id_token": token, "token_type": "Bearer"}).to_string());
    }

    pub(crate) fn answers(&self, status: u16, body: &str) {
        self.script.lock().unwrap().answers.push_back((status, body.to_owned()));
    }

    /// The forms that came to the token endpoint.
    pub(crate) fn forms(&self) -> Vec<String> {
        self.script.lock().unwrap().forms.clone()
    }
}

fn answer(mut stream: TcpStream, issuer: &str, script: &Mutex<Script>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    lines.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut form = vec![0; length];
    lines.read_exact(&mut form).unwrap();
    let (status, body) = match first.split(' ').nth(1).unwrap_or_default() {
        "/.well-known/openid-configuration" => (200, discovery(issuer).to_string()),
        "/keys" => {
            let x = encode(pair(9).public_key().as_ref());
            let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x});
            (200, json!({"keys": [key]}).to_string())
        }
        _ => {
            let mut script = script.lock().unwrap();
            script.forms.push(String::from_utf8(form).unwrap());
            script.answers.pop_front().unwrap_or((400, r#"{"error":"invalid_grant"}"#.into()))
        }
    };
    // Whoever asked may have gone.
    let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}

fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    })
}

/// The value of the cookie of this name that an answer sets.
fn set(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut cookies = lines.filter(|(field, _)| field.eq_ignore_ascii_case("set-cookie"));
    let (_, cookie) = cookies.find(|(_, text)| text.starts_with(&format!("{name}=")))?;
    cookie.split(';').next().map(str::to_owned)
}

/// The cookie of a new sign-in that an answer sets.
pub(crate) fn signed_in(head: &str) -> Option<String> {
    set(head, "__Host-rl")
}

/// Base64url of the digest of a text: what a verifier is shown as.
pub(crate) fn challenge(verifier: &str) -> String {
    encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

impl World {
    fn raw(&self, path: &str, cookie: &str) -> (u16, String, String) {
        let address: SocketAddr = self.address();
        ask_raw(address, &format!("GET {path} HTTP/1.1\r\nCookie: {cookie}\r\n"), "")
    }

    /// Follows a way out.
    pub(crate) fn leaves(&self, path: &str, cookie: &str) -> Away {
        let (status, head, body) = self.raw(path, cookie);
        assert_eq!(status, 303, "{path}: {head}{body}");
        let line = head.lines().find(|line| line.to_lowercase().starts_with("location: "));
        let location = line.unwrap().split_once(": ").unwrap().1.to_owned();
        Away { cookie: set(&head, "__Host-rl-away").unwrap(), location }
    }

    /// Follows the way out of somebody with a link: a page of ours leads on.
    pub(crate) fn leaves_with(&self, code: &str) -> Away {
        let (status, head, page) =
            self.post_raw("/sign-in/oidc?lang=en", "", &format!("code={code}"));
        assert_eq!(status, 200, "{head}{page}");
        let location = page.split("content=\"0;url=").nth(1).unwrap().split('"').next().unwrap();
        let location = location.replace("&#38;", "&");
        Away { cookie: set(&head, "__Host-rl-away").unwrap(), location }
    }

    /// Comes back to an address with cookies.
    pub(crate) fn returns(&self, path: &str, cookie: &str) -> (u16, String, String) {
        self.raw(path, cookie)
    }
}
