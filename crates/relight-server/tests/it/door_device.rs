//! An authenticator in software: makes keys and signs, as a phone would, and lies on request.

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::door_support::{World, token};

/// A device with one key for one console.
pub(crate) struct Device {
    pair: EcdsaKeyPair,
    credential: Vec<u8>,
    pub(crate) count: u32,
    /// What it says when it signs: somebody is there and was verified; the key may be copied.
    pub(crate) flags: u8,
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let group = u32::from_be_bytes(group);
        for at in 0..=chunk.len() {
            text.push(char::from(signs[(group >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

/// Form fields, percent-encoded.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let sign = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(sign).collect()
    };
    let field = |(name, text): &(&str, &str)| format!("{name}={}", encode(text));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

/// Ticket and options of the ceremony of a page.
pub(crate) fn ceremony(page: &str, action: &str) -> (String, Value) {
    let form = page.split(&format!("action=\"{action}")).nth(1).unwrap();
    let after = |start: &str| form.split(start).nth(1).unwrap().split('"').next().unwrap();
    let options = after("data-options=\"").replace("&#34;", "\"").replace("&quot;", "\"");
    let ticket = after("name=\"ticket\" value=\"").to_owned();
    (ticket, serde_json::from_str(&options).unwrap())
}

/// The fields that come back from a page.
pub(crate) struct Shown {
    pub(crate) ticket: String,
    pub(crate) answer: String,
}

impl Device {
    pub(crate) fn new(number: u8) -> Self {
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &SystemRandom::new()).unwrap();
        Self { pair, credential: vec![number; 16], count: 0, flags: 0b0000_0101 }
    }

    /// Id of its key.
    pub(crate) fn credential(&self) -> Vec<u8> {
        self.credential.clone()
    }

    /// Its public key (COSE_Key).
    pub(crate) fn cose(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        [&head[..], &point[1..33], &[0x22, 0x58, 0x20], &point[33..]].concat()
    }

    fn data(&self, host: &str, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, host.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.count.to_be_bytes());
        data
    }

    fn client(kind: &str, options: &Value, origin: &str) -> Vec<u8> {
        let challenge = &options["challenge"];
        json!({ "type": kind, "challenge": challenge, "origin": origin }).to_string().into_bytes()
    }

    /// Makes a key for what a page asks.
    pub(crate) fn create(&self, page: &str, action: &str, origin: &str) -> Shown {
        let (ticket, options) = ceremony(page, action);
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), 0b0100_0101);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(&self.credential);
        data.extend(self.cose());
        let client = Self::client("webauthn.create", &options, origin);
        let answer = json!({
            "id": encode(&self.credential),
            "client": encode(&client),
            "authenticator": encode(&data),
        });
        Shown { ticket, answer: answer.to_string() }
    }

    /// Signs what a page asks.
    pub(crate) fn get(&mut self, page: &str, action: &str, origin: &str) -> Shown {
        self.count += 1;
        let (ticket, options) = ceremony(page, action);
        assert_eq!(options["userVerification"], "required");
        let data = self.data(options["rpId"].as_str().unwrap(), self.flags);
        let client = Self::client("webauthn.get", &options, origin);
        let message = [&data[..], digest(&SHA256, &client).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &message).unwrap();
        let answer = json!({
            "id": encode(&self.credential),
            "client": encode(&client),
            "authenticator": encode(&data),
            "signature": encode(signature.as_ref()),
        });
        Shown { ticket, answer: answer.to_string() }
    }
}

/// The cookie that an answer sets.
pub(crate) fn cookie_set(head: &str, status: u16) -> String {
    assert_eq!(status, 303, "{head}");
    // Heads are in small letters, cookies are not: they were kept apart by the reader.
    let line = head.split("set-cookie: ").nth(1).unwrap();
    line.split(';').next().unwrap().to_owned()
}

impl World {
    /// The first account, made through the link that the server prints; gives its cookie.
    pub(crate) fn first(&self, name: &str, device: &Device) -> String {
        let link = self.web.first_link().unwrap().unwrap();
        let path = link.strip_prefix(&self.origin()).unwrap().to_owned();
        self.enter(&path, name, device)
    }

    /// Registers the first key through a link.
    pub(crate) fn enter(&self, path: &str, name: &str, device: &Device) -> String {
        let (status, _, page) = self.get(path, "");
        assert_eq!(status, 200, "{page}");
        let shown = device.create(&page, "/start", &self.origin());
        let code = path.split("code=").nth(1).unwrap();
        let fields = form(&[
            ("code", code),
            ("name", name),
            ("label", "test key"),
            ("ticket", &shown.ticket),
            ("answer", &shown.answer),
        ]);
        let (status, head, _) = self.post_raw("/start", "", &fields);
        cookie_set(&head, status)
    }

    /// Signs in; gives status and head.
    pub(crate) fn sign_in(&self, device: &mut Device) -> (u16, String) {
        let (_, _, page) = self.get("/sign-in", "");
        let shown = device.get(&page, "/sign-in", &self.origin());
        self.sign_in_with(&shown)
    }

    pub(crate) fn sign_in_with(&self, shown: &Shown) -> (u16, String) {
        let fields =
            form(&[("ticket", &shown.ticket), ("answer", &shown.answer), ("next", "/sites")]);
        let (status, head, _) = self.post_raw("/sign-in", "", &fields);
        (status, head)
    }

    /// Sends a form of a page, with the token of that page.
    pub(crate) fn act(
        &self,
        cookie: &str,
        (page, path): (&str, &str),
        fields: &[(&str, &str)],
    ) -> (u16, String, String) {
        let token = token(&self.get(page, cookie).2);
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        self.post(path, cookie, &form(&all))
    }

    /// Shows a key again.
    pub(crate) fn confirm(&self, cookie: &str, device: &mut Device) -> u16 {
        let (_, _, page) = self.get("/confirm?next=/me", cookie);
        let shown = device.get(&page, "/confirm", &self.origin());
        let fields = [("ticket", &*shown.ticket), ("answer", &*shown.answer), ("next", "/me")];
        self.act(cookie, ("/confirm", "/confirm"), &fields).0
    }
}
