//! Authenticator apps, for somebody who lost every key: a code that a clock makes (TOTP, RFC 6238)
//! may stand in the place of a recovery code. It is worth something only with a link of an admin,
//! and never signs in, approves or confirms anything.
//!
//! It is the weaker way back: the secret has to lie readable in the database, and six digits can be
//! guessed. So it counts for who decides about plans only where a signed policy says so, wrong
//! codes are counted over the whole life of a secret and from everywhere, and a code is good once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use relight_engine::store::{AccountChange, AuthenticatorRow};
use relight_model::Timestamp;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::ceremony::Refusal;
use super::signed_in::SignedIn;
use super::{Door, Noted, secret};
use crate::ServerError;

/// Bytes of a secret: the 160 bits of RFC 4226, section 4.
const SECRET_BYTES: usize = 20;

/// Digits of a code; apps know no other number.
const DIGITS: u8 = 6;

/// How long a code is the present one, in seconds.
const STEP_S: u64 = 30;

/// Steps before and after the present one that count as well: clocks differ.
const SKEW_STEPS: u16 = 1;

/// Wrong codes after which a secret counts no more, from whatever address they came. With three
/// codes that count at one time, whoever has the link of an admin guesses one in 30,000 secrets.
pub(crate) const WRONG_MAX: u32 = 10;

/// How long a secret that was shown waits for its first code, in seconds.
pub(crate) const WAITS_S_MAX: i64 = 10 * 60;

/// Secrets that were shown and not confirmed yet, by account: nothing of them is stored.
#[derive(Default)]
pub(crate) struct Unconfirmed(Mutex<BTreeMap<u32, ([u8; SECRET_BYTES], Timestamp)>>);

impl Unconfirmed {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u32, ([u8; SECRET_BYTES], Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, account: u32, now: Timestamp) -> Option<[u8; SECRET_BYTES]> {
        let all = self.all();
        let (secret, at) = all.get(&account)?;
        (*at..*at + WAITS_S_MAX).contains(&now).then_some(*secret)
    }
}

/// What an app is told once.
pub(crate) struct ShownOnce {
    /// The secret as a person types it (base 32).
    pub(crate) secret: String,
    /// The same as an address that opens the app.
    pub(crate) address: String,
}

/// What there is of an app on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppState {
    /// None.
    None,
    /// One, and its codes count with a link.
    Counts,
    /// One, whose codes do not count for who decides about plans.
    NotForRole,
    /// One that was guessed at too often.
    TooManyWrong,
}

/// The codes of a secret.
fn codes_of(secret: [u8; SECRET_BYTES]) -> Result<Totp, ServerError> {
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(DIGITS);
    let builder = builder.with_step_duration(STEP_S).with_skew(SKEW_STEPS);
    let built = builder.with_secret(Secret::new_stack(secret)).build();
    built.map_err(|error| ServerError::caused("make codes of a clock", error))
}

/// The step of a code at a time, when it is one of this secret and younger than `used`.
fn step_of(
    secret: [u8; SECRET_BYTES],
    code: &str,
    (now, used): (Timestamp, u64),
) -> Result<Option<u64>, ServerError> {
    let now = u64::try_from(now).unwrap_or_default();
    Ok(codes_of(secret)?.check(code, now).filter(|step| *step > used))
}

/// A code of an app as somebody typed it, with or without blanks; `None` when it is none.
pub(super) fn typed(text: &str) -> Option<String> {
    let signs = text.chars().filter(|sign| !sign.is_whitespace() && *sign != '-');
    let code: String = signs.take(usize::from(DIGITS) + 1).collect();
    let is_code = code.len() == usize::from(DIGITS) && code.bytes().all(|it| it.is_ascii_digit());
    is_code.then_some(code)
}

impl Door {
    /// A new secret for the app of whoever asks. It counts for nothing until it is confirmed.
    ///
    /// # Errors
    /// The passkey was not shown lately, or codes of an app do not count for this account.
    pub(crate) fn new_authenticator(&self, signed: &SignedIn) -> Result<ShownOnce, Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        let account = signed.account.id;
        if !self.takes_apps(account) {
            return Err(Refusal::Rule("authenticator-not-for-role"));
        }
        let bytes: [u8; SECRET_BYTES] = secret::random()?;
        self.unconfirmed.all().insert(account, (bytes, self.now()));
        let secret = Secret::new_stack(bytes).to_base32();
        // Names of accounts and hosts hold no sign that an address would have to encode.
        let (name, host) = (&signed.account.name, &self.address.host);
        let issuer = format!("relight%20{host}");
        let address = format!(
            "otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}&algorithm=SHA1\
             &digits={DIGITS}&period={STEP_S}"
        );
        Ok(ShownOnce { secret, address })
    }

    /// Whether a secret of this account was shown and waits for its first code.
    pub(crate) fn waits_for_code(&self, account: u32) -> bool {
        self.unconfirmed.of(account, self.now()).is_some()
    }

    /// Takes the first code of an app, in place of the app of before.
    ///
    /// # Errors
    /// It is none of the secret that was shown, which may be over; as [`Self::new_authenticator`].
    pub(crate) fn confirm_authenticator(
        &self,
        signed: &SignedIn,
        text: &str,
    ) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        let (account, now) = (signed.account.id, self.now());
        if !self.takes_apps(account) {
            return Err(Refusal::Rule("authenticator-not-for-role"));
        }
        let secret = self.unconfirmed.of(account, now).ok_or(Refusal::Rule("no-authenticator"))?;
        let code = typed(text).ok_or(Refusal::Rule("wrong-first-code"))?;
        let step = step_of(secret, &code, (now, 0))?.ok_or(Refusal::Rule("wrong-first-code"))?;
        let row = AuthenticatorRow { account, secret, created: now, step, wrong: 0 };
        let name = &signed.account.name;
        let noted = Noted { act: "authenticator-added", account: name, facts: &[] };
        self.record(name, noted, &[AccountChange::PutAuthenticator(row)])?;
        self.unconfirmed.all().remove(&account);
        Ok(())
    }

    /// Removes one's own app.
    ///
    /// # Errors
    /// There is none, or the passkey was not shown lately.
    pub(crate) fn remove_authenticator(&self, signed: &SignedIn) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        let account = signed.account.id;
        if self.authenticator(account).is_none() {
            return Err(Refusal::Rule("not-there"));
        }
        let name = &signed.account.name;
        let noted = Noted { act: "authenticator-removed", account: name, facts: &[] };
        Ok(self.record(name, noted, &[AccountChange::RemoveAuthenticator(account)])?)
    }

    fn authenticator(&self, account: u32) -> Option<AuthenticatorRow> {
        let known = self.known();
        known.tables.authenticators.iter().find(|row| row.account == account).cloned()
    }

    /// Whether codes of an app count for this account: always where it decides about nothing.
    pub(crate) fn takes_apps(&self, account: u32) -> bool {
        self.apps_for_deciders || !self.decides(account)
    }

    /// What there is of an app on an account.
    pub(crate) fn app_state(&self, account: u32) -> AppState {
        match self.authenticator(account) {
            None => AppState::None,
            Some(_) if !self.takes_apps(account) => AppState::NotForRole,
            Some(row) if row.wrong >= WRONG_MAX => AppState::TooManyWrong,
            Some(_) => AppState::Counts,
        }
    }

    /// Takes a code of an app for a link: with it, the app of before ends as the keys did. A wrong
    /// one is counted.
    ///
    /// # Errors
    /// It is none that counts.
    pub(super) fn app_code(&self, account: u32, code: &str) -> Result<AccountChange, Refusal> {
        let wrong = Refusal::Rule("wrong-code");
        if self.app_state(account) != AppState::Counts {
            return Err(wrong);
        }
        let Some(row) = self.authenticator(account) else { return Err(wrong) };
        if step_of(row.secret, code, (self.now(), row.step))?.is_some() {
            return Ok(AccountChange::RemoveAuthenticator(account));
        }
        let counted = AuthenticatorRow { wrong: row.wrong + 1, ..row };
        if let Some(engine) = self.engine() {
            self.change(engine, &[AccountChange::PutAuthenticator(counted)])?;
        }
        Err(wrong)
    }
}

impl fmt::Debug for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unconfirmed").field(&self.all().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six of the eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = *b"12345678901234567890";
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = step_of(secret, code, (now, 0)).unwrap();
            assert_eq!(step, Some(now as u64 / STEP_S), "{code}");
        }
    }

    #[test]
    fn a_code_counts_one_step_early_or_late_and_never_again_nor_an_older_one() {
        let (secret, at) = (*b"12345678901234567890", 1_234_567_890);
        let step = at as u64 / STEP_S;
        let is_taken = |now, used| step_of(secret, "005924", (now, used)).unwrap().is_some();
        for (late, wanted) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            assert_eq!(is_taken(at + late, 0), wanted, "{late} s");
        }
        assert!(is_taken(at, step - 1));
        assert!(!is_taken(at, step), "it was used");
        assert!(!is_taken(at, step + 1), "a younger one was");
        assert!(step_of(secret, "005925", (at, 0)).unwrap().is_none());
        assert!(step_of(secret, "005924", (-1, 0)).unwrap().is_none(), "a clock before 1970");
    }

    #[test]
    fn a_code_is_six_digits_however_they_are_typed() {
        for text in ["005924", " 005 924 ", "005-924"] {
            assert_eq!(typed(text).as_deref(), Some("005924"), "{text}");
        }
        let long = "0".repeat(100_000);
        for text in ["", "00592", "0059240", "+05924", "00592x", "٠٠٥٩٢٤", &long] {
            assert_eq!(typed(text), None, "{text:.20}");
        }
    }
}
