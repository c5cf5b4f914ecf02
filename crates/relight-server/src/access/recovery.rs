//! Codes for somebody who lost every key. They do not sign in: an admin's link and a code together
//! register a new passkey, for an account that decides about plans.
//!
//! So neither an admin alone nor whoever finds the codes can take the place of a commander or an
//! approver. Of these codes only digests are kept; for those of an authenticator app, whose secret
//! lies readable in the database, see `authenticator`.

use std::fmt;

use relight_engine::store::{AccountChange, RecoveryCodeRow};
use relight_model::Digest;

use super::authenticator::{self, AppState};
use super::ceremony::Refusal;
use super::signed_in::SignedIn;
use super::{Door, Noted, digest_of, secret};

/// Codes that are made at one time.
pub(crate) const CODES: usize = 8;

/// Signs of a code: five random bits each, 150 in all, so that nobody guesses one (ASVS 5.0,
/// 11.5.1: from 128 bits on), a plain digest keeps them (6.5.2), and no limit of trials has to
/// protect them.
const SIGNS: usize = 30;

/// Signs that nobody mistakes for another (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new code, in groups of five.
fn text_of(random: [u8; SIGNS]) -> String {
    let signs = random.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let groups: Vec<String> = signs.chunks(5).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// The digest under which a code is known, however somebody types it; `None` when it is none.
fn known_as(text: &str) -> Option<Digest> {
    let typed = text.chars().filter(|sign| !sign.is_whitespace() && *sign != '-');
    let signs: Option<Vec<u8>> = typed.map(|sign| plain(sign.to_ascii_uppercase())).collect();
    let signs = signs.filter(|signs| signs.len() == SIGNS)?;
    Some(digest_of(&[&b"relight recovery "[..], &signs].concat()))
}

fn plain(sign: char) -> Option<u8> {
    let sign = match sign {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    u8::try_from(sign).ok().filter(|sign| ALPHABET.contains(sign))
}

impl Door {
    /// Makes new codes in place of the old ones; their texts are shown once.
    ///
    /// # Errors
    /// The passkey was not shown lately, or something failed.
    pub(crate) fn new_codes(&self, signed: &SignedIn) -> Result<Vec<String>, Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        let mut texts = Vec::with_capacity(CODES);
        for _ in 0..CODES {
            texts.push(text_of(secret::random()?));
        }
        let digests = texts.iter().filter_map(|text| known_as(text)).collect();
        let (account, at) = (signed.account.id, self.now());
        let change = AccountChange::PutRecoveryCodes { account, digests, at };
        let name = &signed.account.name;
        let facts: [(&str, &dyn fmt::Display); 1] = [("codes", &CODES)];
        let noted = Noted { act: "recovery-codes-made", account: name, facts: &facts };
        self.record(name, noted, &[change])?;
        Ok(texts)
    }

    /// How many codes of an account were not used yet.
    pub(crate) fn codes_left(&self, account: u32) -> usize {
        let known = self.known();
        known.tables.recovery_codes.iter().filter(|row| row.account == account).count()
    }

    /// Whether the link of an account lets in only with a code: an admin made the link. Who set up
    /// an authenticator app wants that too, also once it counts no more.
    pub(crate) fn needs_code(&self, account: u32) -> bool {
        self.decides(account) || self.app_state(account) != AppState::None
    }

    /// Whether there is a code with which a link of an account lets in.
    pub(crate) fn has_code(&self, account: u32) -> bool {
        self.codes_left(account) > 0 || self.app_state(account) == AppState::Counts
    }

    /// Whether an account has a role that decides about plans.
    pub(crate) fn decides(&self, account: u32) -> bool {
        let grants = self.known().account(account).map(|account| account.grants);
        grants.is_some_and(|all| all.iter().any(|grant| grant.role.needs_two_to_grant()))
    }

    /// The code of an account that somebody typed, to be used up by the caller.
    ///
    /// # Errors
    /// It is none of this account, or was used, or something failed.
    pub(crate) fn code_of(&self, account: u32, text: &str) -> Result<AccountChange, Refusal> {
        if let Some(code) = authenticator::typed(text) {
            return self.app_code(account, &code);
        }
        let digest = known_as(text).ok_or(Refusal::Rule("wrong-code"))?;
        let own = |row: &RecoveryCodeRow| row.account == account && row.digest == digest;
        match self.known().tables.recovery_codes.iter().any(own) {
            true => Ok(AccountChange::UseRecoveryCode(digest)),
            false => Err(Refusal::Rule("wrong-code")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_bits_enough() {
        assert_eq!(1 << 5, ALPHABET.len(), "five bits a sign");
        let bits = SIGNS * 5;
        assert!(bits >= 128, "{bits}");
    }

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let text = text_of(std::array::from_fn(|at| at as u8));
        assert_eq!(text, "01234-56789-ABCDE-FGHJK-MNPQR-STVWX");
        let digest = known_as(&text).unwrap();
        for typed in [
            "0123456789abcdefghjkmnpqrstvwx",
            " ol234 56789 abcde fghjk mnpqr stvwx ",
            "OI23-456789-abcdefghjkmnpqrstvwx",
        ] {
            assert_eq!(known_as(typed), Some(digest), "{typed}");
        }
        for bad in [
            "",
            "01234-56789-ABCDE-FGHJK-MNPQR",
            "01234-56789-ABCDE-FGHJK-MNPQR-STVW",
            "01234-56789-ABCDE-FGHJK-MNPQR-STVWXY",
            "01234-56789-ABCDE-FGHJK-MNPQR-STVWU",
            "01234-56789-ABCDE-FGHJK-MNPQR-STVW\u{e9}",
        ] {
            assert_eq!(known_as(bad), None, "{bad}");
        }
        assert_ne!(known_as("11234-56789-ABCDE-FGHJK-MNPQR-STVWX"), Some(digest));
        // No sign is more likely than another: 256 is a multiple of 32.
        let all: String = (0..=255).map(|byte| text_of([byte; SIGNS]).remove(0)).collect();
        assert!(ALPHABET.iter().all(|sign| all.matches(char::from(*sign)).count() == 8));
    }
}
