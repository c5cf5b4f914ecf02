//! What pages ask of passkeys: the options of each ceremony, and what its refusals say.

use axum::http::StatusCode;
use relight_engine::store::PasskeyRow;
use relight_web::door_views::KeyForm;
use relight_web::{Lang, texts};
use serde_json::{Value, json};

use super::Console;
use crate::access::ceremony::Refusal;
use crate::access::oidc;
use crate::access::passkey::algorithms;
use crate::access::ticket::{Purpose, TICKET_S_MAX};
use crate::access::{digest_of, encode_bytes};

impl Console {
    /// A form in which a key is shown: any of this console, or one of these.
    pub(super) fn shows_key(&self, purpose: Purpose<'_>, keys: &[PasskeyRow]) -> KeyForm {
        let options = json!({
            "rpId": self.door.address.host,
            "timeout": TICKET_S_MAX * 1_000,
            "userVerification": "required",
            "allowCredentials": listed(keys),
        });
        self.key_form(purpose, options)
    }

    /// A form in which a key is made, other than these. The account may still have no name: the
    /// page's module then takes the one that is typed.
    pub(super) fn makes_key(
        &self,
        purpose: Purpose<'_>,
        account: &str,
        keys: &[PasskeyRow],
    ) -> KeyForm {
        // An authenticator holds one key for each of these; it must tell nothing about the person.
        let user = digest_of(format!("{} {account}", self.door.address.origin).as_bytes());
        let kind = |number: &i32| json!({ "type": "public-key", "alg": number });
        let kinds = algorithms(self.door.rsa_bits_min).iter().map(kind);
        let options = json!({
            "rp": { "id": self.door.address.host, "name": "relight" },
            "user": { "id": encode_bytes(&user.0), "name": account },
            "pubKeyCredParams": kinds.collect::<Vec<_>>(),
            "timeout": TICKET_S_MAX * 1_000,
            "attestation": "none",
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "excludeCredentials": listed(keys),
        });
        self.key_form(purpose, options)
    }

    /// Without random numbers there is no challenge, and the form is one that nobody can send.
    fn key_form(&self, purpose: Purpose<'_>, mut options: Value) -> KeyForm {
        let Ok(ticket) = self.door.ticket(purpose) else { return KeyForm::default() };
        options["challenge"] = ticket.challenge.into();
        KeyForm { ticket: ticket.text, options: options.to_string() }
    }
}

fn listed(keys: &[PasskeyRow]) -> Vec<Value> {
    let key =
        |row: &PasskeyRow| json!({ "type": "public-key", "id": encode_bytes(&row.credential) });
    keys.iter().map(key).collect()
}

/// What a refusal says to a person.
pub(super) fn words(lang: Lang, refusal: &Refusal) -> String {
    let key = format!("door-refused-{}", refusal.code());
    let words = texts::by_code(lang, &key).unwrap_or(refusal.code());
    match refusal {
        Refusal::Failed(error) => format!("{words} ({error})"),
        _ => words.to_owned(),
    }
}

/// The status of a refusal.
pub(super) const fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Refusal::Provider(oidc::Fault::Unreachable | oidc::Fault::Unusable) => {
            StatusCode::BAD_GATEWAY
        }
        Refusal::Key(_) | Refusal::Provider(_) | Refusal::Rule(_) => StatusCode::FORBIDDEN,
    }
}

/// Where to go after a ceremony: an address of this console, and nothing else.
pub(super) fn local(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::passkey::Fault;

    #[test]
    fn nobody_is_led_away_after_signing_in() {
        for good in ["/", "/sites?lang=fr&page=2", "/site/a%20b"] {
            assert_eq!(local(good), good);
        }
        for bad in
            ["", "sites", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb"]
        {
            assert_eq!(local(bad), "/", "{bad}");
        }
    }

    #[test]
    fn every_fault_of_a_key_has_a_sentence() {
        for fault in [
            Fault::Malformed,
            Fault::WrongChallenge,
            Fault::ForeignOrigin,
            Fault::ForeignSite,
            Fault::NotVerified,
            Fault::UnknownKey,
            Fault::BadSignature,
            Fault::Copied,
            Fault::Unregistered,
            Fault::Expired,
        ] {
            for lang in Lang::ALL {
                assert_ne!(words(lang, &Refusal::Key(fault)), fault.code(), "{fault:?}");
            }
        }
        for fault in oidc::Fault::ALL {
            for lang in Lang::ALL {
                assert_ne!(words(lang, &Refusal::Provider(fault)), fault.code(), "{fault:?}");
            }
        }
        assert_ne!(words(Lang::En, &Refusal::TooMany), "too-many");
    }
}
