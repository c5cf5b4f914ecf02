//! Sign-ins and their cookies: how long they last, and when they end.

use axum::http::{HeaderMap, header};
use relight_engine::store::{AccountChange, SignInRow};
use relight_model::{Digest, Timestamp};

use super::form::Sender;
use super::signed_in::{Factor, SignedIn};
use super::{Door, digest_of, secret};
use crate::ServerError;

/// A sign-in lasts this long, in seconds (AAL2 of NIST SP 800-63B, revision 3: 12 hours).
pub(crate) const SIGN_IN_S_MAX: i64 = 12 * 3_600;

/// It ends when it is not used for this long, in seconds (the same: 30 minutes).
pub(crate) const IDLE_S_MAX: i64 = 30 * 60;

/// That it was used is written down at most this often, in seconds.
const SEEN_EVERY_S: i64 = 60;

/// The cookie. Browsers take one of this name only with `Secure`, `Path=/` and no `Domain`: no
/// neighbour under the same domain can plant it.
const COOKIE: &str = "__Host-rl";

/// Whether a sign-in still lasts: it is neither too old nor idle for too long.
pub(crate) fn is_open(row: &SignInRow, now: Timestamp) -> bool {
    now < row.started + SIGN_IN_S_MAX && now < row.seen + IDLE_S_MAX
}

impl Door {
    /// The sign-in behind the cookie of a request, if it still lasts.
    pub(crate) fn by_cookie(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let digest = digest_of(&cookie(headers)?);
        let signed = self.by_digest(&digest)?;
        self.saw(digest, self.now());
        Some(signed)
    }

    /// A sign-in that lasts, with the roles of its account.
    pub(crate) fn by_digest(&self, digest: &Digest) -> Option<SignedIn> {
        let known = self.known();
        let row = known.tables.sign_ins.iter().find(|row| row.digest == *digest)?;
        if !is_open(row, self.now()) {
            return None;
        }
        let (account, factor) = (known.account(row.account)?, Factor::parse(&row.factor)?);
        Some(SignedIn { account, factor, shown: row.shown, sign_in: *digest })
    }

    /// Who sent a request, as it is known now: while its body was on its way, the sign-in may have
    /// ended and roles may have been taken back.
    pub(crate) fn as_now(&self, signed: &SignedIn) -> Option<SignedIn> {
        match signed.factor {
            Factor::Token => self.acting(signed.sign_in).map(|(_, signed)| signed),
            Factor::Passkey | Factor::Oidc => self.by_digest(&signed.sign_in),
        }
    }

    /// Keeps a sign-in from becoming idle. Written down once a minute only, and without it nothing
    /// but the idle time is lost.
    fn saw(&self, digest: Digest, now: Timestamp) {
        let row = {
            let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            let row = known.tables.sign_ins.iter_mut().find(|row| row.digest == digest);
            match row {
                Some(row) if now >= row.seen + SEEN_EVERY_S => {
                    row.seen = now;
                    row.clone()
                }
                _ => return,
            }
        };
        if let Some(engine) = self.engine() {
            let _ = engine.store().change_accounts(&[AccountChange::SignIn(row)]);
        }
    }

    /// A new sign-in of an account, to be stored by the caller, and the header that sets its
    /// cookie.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn new_sign_in(
        &self,
        account: u32,
        factor: Factor,
        from: &Sender,
    ) -> Result<(SignInRow, String), ServerError> {
        let value: [u8; 32] = secret::random()?;
        let now = self.now();
        let row = SignInRow {
            digest: digest_of(&value),
            account,
            factor: factor.as_str().to_owned(),
            started: now,
            seen: now,
            shown: if factor == Factor::Passkey { now } else { 0 },
            address: from.address.clone(),
            agent: from.agent.clone(),
        };
        Ok((row, set_cookie(&secret::encode(&value), SIGN_IN_S_MAX)))
    }
}

/// The header that sets the cookie, or takes it away when it lasts for 0 seconds.
pub(crate) fn set_cookie(value: &str, seconds: i64) -> String {
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

/// The secret in the cookie of a request.
fn cookie(headers: &HeaderMap) -> Option<Vec<u8>> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == COOKIE)?;
    secret::decode(value.trim()).filter(|value| value.len() == 32)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let value = secret::encode(&[7; 32]);
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(text).unwrap());
            cookie(&headers)
        };
        for text in [format!("__Host-rl={value}"), format!("a=b; __Host-rl={value}; c=d=e")] {
            assert_eq!(read(&text), Some(vec![7; 32]), "{text}");
        }
        for text in [
            String::new(),
            format!("rl={value}"),
            format!("__host-rl={value}"),
            "__Host-rl=".to_owned(),
            format!("__Host-rl={value}A"),
            "__Host-rl=../../etc".to_owned(),
        ] {
            assert_eq!(read(&text), None, "{text}");
        }
    }

    #[test]
    fn a_sign_in_ends_by_age_and_by_silence() {
        let row = |started, seen| SignInRow {
            digest: Digest::default(),
            account: 1,
            factor: "passkey".into(),
            started,
            seen,
            shown: 0,
            address: String::new(),
            agent: String::new(),
        };
        assert!(is_open(&row(0, 0), IDLE_S_MAX - 1));
        assert!(!is_open(&row(0, 0), IDLE_S_MAX));
        assert!(is_open(&row(0, SIGN_IN_S_MAX - 2), SIGN_IN_S_MAX - 1));
        assert!(!is_open(&row(0, SIGN_IN_S_MAX - 2), SIGN_IN_S_MAX));
    }

    #[test]
    fn what_the_cookie_asks_of_browsers() {
        let text = set_cookie("x", 5);
        for part in ["__Host-rl=x;", "Path=/;", "Secure", "HttpOnly", "SameSite=Strict"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
    }
}
