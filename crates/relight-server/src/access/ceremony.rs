//! What passkeys are shown for: to sign in, and again before dangerous acts.

use std::fmt;

use relight_engine::incident::Proof;
use relight_engine::store::{AccountChange, PasskeyRow, SignInRow};
use relight_model::Digest;

use super::form::Sender;
use super::limit::Trial;
use super::oidc;
use super::passkey::{self, Answer, Fault};
use super::signed_in::{Factor, SignedIn};
use super::ticket::Purpose;
use super::{Door, Noted, secret};
use crate::ServerError;
use crate::proof::Signing;

/// Why somebody does not come in, or does not get something.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The key or its answer.
    Key(Fault),
    /// The provider of identities, or its answer.
    Provider(oidc::Fault),
    /// Too many trials.
    TooMany,
    /// A rule; the code is the key of its sentence.
    Rule(&'static str),
    /// Something failed here.
    Failed(ServerError),
}

impl Refusal {
    /// The stable name: in the journal, and in the key of the sentence for people.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Key(fault) => fault.code(),
            Self::Provider(fault) => fault.code(),
            Self::TooMany => "too-many",
            Self::Rule(code) => code,
            Self::Failed(_) => "failed",
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Key(fault)
    }
}

impl From<oidc::Fault> for Refusal {
    fn from(fault: oidc::Fault) -> Self {
        Self::Provider(fault)
    }
}

impl From<ServerError> for Refusal {
    fn from(error: ServerError) -> Self {
        Self::Failed(error)
    }
}

/// What came back from a page: the ticket and the answer of the authenticator.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) ticket: &'a str,
    pub(crate) answer: &'a str,
    pub(crate) from: &'a Sender,
}

impl Door {
    /// Signs somebody in with a passkey, and gives the header that sets the cookie.
    ///
    /// # Errors
    /// The answer does not count, there were too many, or something failed.
    pub(crate) fn sign_in(
        &self,
        shown: Shown<'_>,
        before: Option<&SignedIn>,
    ) -> Result<String, Refusal> {
        let _changing = self.changing();
        let (key, count) = self.trial(shown, Purpose::SignIn, None)?;
        let (row, cookie) = self.new_sign_in(key.account, Factor::Passkey, shown.from)?;
        let mut changes = vec![AccountChange::SignIn(row), used(&key, count, self.now())];
        changes.extend(before.map(|before| AccountChange::SignOut(before.sign_in)));
        let name = self.known().name(key.account).to_owned();
        let facts: [(&str, &dyn fmt::Display); 3] =
            [("address", &shown.from.address), ("factor", &"passkey"), ("key", &key.id)];
        self.record(&name, Noted { act: "signed-in", account: &name, facts: &facts }, &changes)?;
        Ok(cookie)
    }

    /// Takes a passkey that somebody who is signed in shows again. That it was shown is journalled
    /// and counts for every act of the next minutes; the answer itself is kept nowhere, and is
    /// bound to no single act.
    ///
    /// # Errors
    /// As [`Self::sign_in`]; the key of somebody else does not count.
    pub(crate) fn confirm(&self, signed: &SignedIn, shown: Shown<'_>) -> Result<(), Refusal> {
        let _changing = self.changing();
        let (key, count) = self.trial(shown, Purpose::Confirm(&signed.sign_in), Some(signed))?;
        let now = self.now();
        let row = {
            let known = self.known();
            let rows = known.tables.sign_ins.iter();
            rows.clone().find(|row| row.digest == signed.sign_in).cloned()
        };
        let row = row.ok_or(Refusal::Rule("not-signed-in"))?;
        let factor = Factor::Passkey.as_str().to_owned();
        let changes = [
            // Whoever came in through a provider has shown a passkey from now on.
            AccountChange::SignIn(SignInRow { factor, shown: now, seen: now, ..row }),
            used(&key, count, now),
        ];
        let name = &signed.account.name;
        let facts: [(&str, &dyn fmt::Display); 2] =
            [("address", &shown.from.address), ("key", &key.id)];
        let noted = Noted { act: "key-shown", account: name, facts: &facts };
        Ok(self.record(name, noted, &changes)?)
    }

    /// Takes the passkey that somebody shows to sign a plan or an acceptance. What comes back is
    /// signed for exactly that and is stored beside the approval: it can be checked without us.
    ///
    /// # Errors
    /// As [`Self::confirm`].
    pub(crate) fn sign_plan(
        &self,
        signed: &SignedIn,
        (signing, plan): (Signing, &Digest),
        shown: Shown<'_>,
    ) -> Result<Proof, Refusal> {
        let _changing = self.changing();
        let purpose = Purpose::Sign { signing, sign_in: &signed.sign_in, plan };
        let (key, count) = self.trial(shown, purpose, Some(signed))?;
        let about = match signing {
            Signing::AcceptanceAsked | Signing::AcceptanceAgreed => "acceptance",
            Signing::Proposal | Signing::Approval | Signing::BrokenGlass => "plan",
        };
        // Many plans may wait for one person: what was signed well costs no trial.
        self.limits.forgive(signed.account.id, &shown.from.address);
        let name = &signed.account.name;
        let facts: [(&str, &dyn fmt::Display); 3] =
            [("address", &shown.from.address), ("key", &key.id), (about, plan)];
        let noted = Noted { act: "key-shown", account: name, facts: &facts };
        self.record(name, noted, &[used(&key, count, self.now())])?;
        let Answer { id, client, authenticator, signature } = Answer::parse(shown.answer)?;
        let (key, ticket) = (secret::encode(&key.key), shown.ticket.to_owned());
        Ok(Proof { credential: id, key, client, authenticator, signature, ticket })
    }

    /// Checks one answer within the limit of trials, and counts it; a refusal is journalled.
    pub(super) fn trial(
        &self,
        shown: Shown<'_>,
        purpose: Purpose<'_>,
        whose: Option<&SignedIn>,
    ) -> Result<(PasskeyRow, u32), Refusal> {
        let answer = Answer::parse(shown.answer);
        let key = answer.as_ref().ok().and_then(|answer| {
            let credential = answer.credential().ok()?;
            self.known().key(&credential).cloned()
        });
        let account = match whose {
            Some(signed) => signed.account.id,
            None => key.as_ref().map_or(0, |key| key.account),
        };
        let trial = self.limits.count(account, &shown.from.address, self.now());
        if trial != Trial::Allowed {
            return Err(self.refuse(Refusal::TooMany, trial, account, shown.from));
        }
        let checked = answer.and_then(|answer| self.check(&answer, key, purpose, shown.ticket));
        let (key, count) =
            checked.map_err(|fault| self.refuse(fault.into(), trial, account, shown.from))?;
        if whose.is_some_and(|signed| signed.account.id != key.account) {
            let refusal = Refusal::Rule("foreign-key");
            return Err(self.refuse(refusal, trial, account, shown.from));
        }
        Ok((key, count))
    }

    fn check(
        &self,
        answer: &Answer,
        key: Option<PasskeyRow>,
        purpose: Purpose<'_>,
        ticket: &str,
    ) -> Result<(PasskeyRow, u32), Fault> {
        let returned = self.returned(purpose, ticket)?;
        let key = key.ok_or(Fault::Unregistered)?;
        passkey::check_strength(&key.key, self.rsa_bits_min)?;
        let known = (key.key.as_slice(), key.signatures);
        let count = answer.signed(known, &self.address, &returned.challenge)?;
        self.answer(&returned)?;
        Ok((key, count))
    }

    /// The keys of an account that are strong enough to count.
    pub(crate) fn strong_keys(&self, account: u32) -> Vec<PasskeyRow> {
        let known = self.known();
        let counts =
            |row: &&PasskeyRow| passkey::check_strength(&row.key, self.rsa_bits_min).is_ok();
        known.keys(account).filter(counts).cloned().collect()
    }

    /// Journals a refusal, unless there are so many that they would fill the journal.
    pub(crate) fn refuse(
        &self,
        refusal: Refusal,
        trial: Trial,
        account: u32,
        from: &Sender,
    ) -> Refusal {
        let limits = if account == 0 { &self.unknown } else { &self.limits };
        let Some(untold) = limits.tells(trial, self.now()) else { return refusal };
        let name = self.known().name(account).to_owned();
        let why = refusal.code();
        let mut facts: Vec<(&str, &dyn fmt::Display)> =
            vec![("address", &from.address), ("why", &why)];
        if untold > 0 {
            facts.push(("untold", &untold));
        }
        let actor = if name.is_empty() { "unknown" } else { &name };
        let noted = Noted { act: "sign-in-refused", account: &name, facts: &facts };
        match self.note(actor, noted) {
            Ok(()) => refusal,
            Err(error) => error.into(),
        }
    }

    /// Counts one trial of somebody with a link.
    pub(crate) fn try_link(&self, from: &Sender) -> Result<(), Refusal> {
        let trial = self.limits.count(0, &from.address, self.now());
        if trial == Trial::Allowed {
            return Ok(());
        }
        Err(self.refuse(Refusal::TooMany, trial, 0, from))
    }
}

/// That a key made a signature.
pub(super) fn used(key: &PasskeyRow, signatures: u32, at: i64) -> AccountChange {
    AccountChange::UseKey { id: key.id, signatures, at }
}
