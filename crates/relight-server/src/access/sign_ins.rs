//! Sign-ins and their cookies: how long they last, and when they end.

use axum::http::{HeaderMap, header};
use relight_engine::store::{AccountChange, SignInRow};
use relight_model::{Digest, Timestamp};
use serde::Deserialize;

use super::form::Sender;
use super::signed_in::{Factor, SignedIn};
use super::{Door, digest_of, secret};
use crate::ServerError;

/// A sign-in lasts this long, in seconds (AAL2 of NIST SP 800-63B, revision 3: 12 hours).
const SIGN_IN_S_MAX: i64 = 12 * 3_600;

/// It ends when it is not used for this long, in seconds (the same: 30 minutes).
const IDLE_S_MAX: i64 = 30 * 60;

/// How long sign-ins last: the two above, unless the policy shortens them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInTimes {
    /// From its beginning, in seconds.
    pub lasts_s: i64,
    /// From its last use, in seconds.
    pub idle_s: i64,
}

impl Default for SignInTimes {
    fn default() -> Self {
        Self { lasts_s: SIGN_IN_S_MAX, idle_s: IDLE_S_MAX }
    }
}

/// What the policy says of them: that they last shorter, never longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShorterSignIns {
    hours_max: Option<i64>,
    idle_minutes_max: Option<i64>,
}

impl ShorterSignIns {
    /// What holds.
    pub(crate) fn times(self) -> SignInTimes {
        let SignInTimes { lasts_s, idle_s } = SignInTimes::default();
        SignInTimes {
            lasts_s: self.hours_max.map_or(lasts_s, |hours| hours * 3_600),
            idle_s: self.idle_minutes_max.map_or(idle_s, |minutes| minutes * 60),
        }
    }

    /// Why it is none.
    pub(crate) fn fault(self) -> Option<&'static str> {
        if self.hours_max.is_some_and(|it| !(1..=12).contains(&it)) {
            return Some("sign_in.hours_max is 1 to 12");
        }
        // A sign-in that ends within two minutes could not be warned of.
        let idle = self.idle_minutes_max.filter(|it| !(5..=30).contains(it));
        idle.map(|_| "sign_in.idle_minutes_max is 5 to 30")
    }
}

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhoAsks {
    /// Somebody who looks at a page, or presses something: a sign-in that is used.
    Person,
    /// A page that was left open, by itself: it follows what happens, or looks whether its sign-in
    /// still lasts. That keeps no sign-in at which nobody sits.
    Page,
}

/// That it was used is written down at most this often, in seconds.
const SEEN_EVERY_S: i64 = 60;

/// The cookie. Browsers take one of this name only with `Secure`, `Path=/` and no `Domain`: no
/// neighbour under the same domain can plant it.
const COOKIE: &str = "__Host-rl";

/// Whether a sign-in still lasts: it is neither too old nor idle for too long.
pub(crate) fn is_open(row: &SignInRow, times: SignInTimes, now: Timestamp) -> bool {
    now < row.started + times.lasts_s && now < row.seen + times.idle_s
}

impl Door {
    /// The sign-in behind the cookie of a request, if it still lasts.
    pub(crate) fn by_cookie(&self, headers: &HeaderMap, who_asks: WhoAsks) -> Option<SignedIn> {
        let digest = digest_of(&cookie(headers)?);
        let signed = self.by_digest(&digest)?;
        if who_asks == WhoAsks::Person {
            self.saw(digest, self.now());
        }
        Some(signed)
    }

    /// How long a sign-in lasts from now on when nobody uses it, in seconds.
    pub(crate) fn left_s(&self, digest: &Digest) -> Option<i64> {
        let known = self.known();
        let row = known.tables.sign_ins.iter().find(|row| row.digest == *digest)?;
        let SignInTimes { lasts_s, idle_s } = self.times;
        Some((row.started + lasts_s).min(row.seen + idle_s) - self.now())
    }

    /// A sign-in that lasts, with the roles of its account and those that it has by groups.
    pub(crate) fn by_digest(&self, digest: &Digest) -> Option<SignedIn> {
        let known = self.known();
        let row = known.tables.sign_ins.iter().find(|row| row.digest == *digest)?;
        if !is_open(row, self.times, self.now()) {
            return None;
        }
        let (mut account, factor) = (known.account(row.account)?, Factor::parse(&row.factor)?);
        for grant in self.groups.of(digest).roles {
            if !account.grants.contains(&grant) {
                account.grants.push(grant);
            }
        }
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
        Ok((row, set_cookie(&secret::encode(&value), self.times.lasts_s)))
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
    fn sign_ins_are_shortened_and_never_lengthened() {
        let read = |text: &str| toml::from_str::<ShorterSignIns>(text);
        let usual = SignInTimes::default();
        let times = |text: &str| {
            let shorter = read(text).unwrap();
            assert_eq!(shorter.fault(), None, "{text}");
            shorter.times()
        };
        assert_eq!(times(""), usual);
        assert_eq!(times("hours_max = 12\nidle_minutes_max = 30"), usual);
        assert_eq!(times("hours_max = 4"), SignInTimes { lasts_s: 4 * 3_600, ..usual });
        assert_eq!(times("idle_minutes_max = 10"), SignInTimes { idle_s: 600, ..usual });
        for wrong in ["hours_max = 13", "hours_max = 0", "idle_minutes_max = 31"] {
            assert!(read(wrong).unwrap().fault().is_some(), "{wrong}");
        }
        assert!(read("idle_minutes_max = 4").unwrap().fault().is_some(), "no time to warn");
        assert!(read("hours = 1").is_err());
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
        let times = SignInTimes::default();
        assert_eq!((times.lasts_s, times.idle_s), (12 * 3_600, 30 * 60));
        for times in [times, SignInTimes { lasts_s: 3_600, idle_s: 300 }] {
            let SignInTimes { lasts_s, idle_s } = times;
            assert!(is_open(&row(0, 0), times, idle_s - 1));
            assert!(!is_open(&row(0, 0), times, idle_s));
            assert!(is_open(&row(0, lasts_s - 2), times, lasts_s - 1));
            assert!(!is_open(&row(0, lasts_s - 2), times, lasts_s));
        }
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
