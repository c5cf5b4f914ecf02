//! Challenges: made for one use, good for five minutes, answered once. That of a plan is good for
//! as long as a plan may be: it is made when the page is opened, and plans are there to be read.
//!
//! A challenge is the digest of its purpose and of a ticket that we sealed. So nothing has to be
//! kept for those who only look at the page, and nobody can push out the challenge of another by
//! asking for many. What was answered is kept until it is too old.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use relight_engine::plan::PLAN_AGE_MAX_S;
use relight_model::{Digest, Timestamp};

use super::passkey::Fault;
use super::secret::{self, Secret};
use super::{Door, digest_of};
use crate::proof::Signing;
use crate::{ServerError, proof};

/// How long a challenge may be answered that is not for a plan, in seconds.
pub(crate) const TICKET_S_MAX: i64 = 5 * 60;

/// What a challenge is for: its answer counts for nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    /// To sign in.
    SignIn,
    /// To register a key: by whoever holds this link or sign-in.
    Register(&'a Digest),
    /// To show a key again in this sign-in.
    Confirm(&'a Digest),
    /// To sign the plan of this hash, or the terms of an acceptance, in this sign-in.
    Sign { signing: Signing, sign_in: &'a Digest, plan: &'a Digest },
    /// To let a terminal in on these terms, in this sign-in.
    LetIn { sign_in: &'a Digest, terms: &'a Digest },
    /// To come back from a provider of identities: with the cookie of this digest.
    Provider(&'a Digest),
}

impl Purpose<'_> {
    /// How long its challenge may be answered, in seconds.
    const fn life_s(self) -> i64 {
        match self {
            Self::Sign { .. } => PLAN_AGE_MAX_S,
            _ => TICKET_S_MAX,
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::SignIn => b"relight sign-in".to_vec(),
            Self::Register(holder) => [&b"relight register"[..], &holder.0].concat(),
            Self::Confirm(sign_in) => [&b"relight confirm"[..], &sign_in.0].concat(),
            Self::Sign { signing: Signing::Proposal, sign_in, plan } => {
                [&b"relight propose"[..], &sign_in.0, &plan.0].concat()
            }
            Self::Sign { signing: Signing::Approval, sign_in, plan } => {
                [&b"relight approve"[..], &sign_in.0, &plan.0].concat()
            }
            Self::Sign { signing: Signing::BrokenGlass, sign_in, plan } => {
                [&b"relight break-glass"[..], &sign_in.0, &plan.0].concat()
            }
            Self::Sign { signing: Signing::AcceptanceAsked, sign_in, plan } => {
                [&b"relight accept"[..], &sign_in.0, &plan.0].concat()
            }
            Self::Sign { signing: Signing::AcceptanceAgreed, sign_in, plan } => {
                [&b"relight agree"[..], &sign_in.0, &plan.0].concat()
            }
            Self::LetIn { sign_in, terms } => {
                [&b"relight let in"[..], &sign_in.0, &terms.0].concat()
            }
            Self::Provider(cookie) => [&b"relight provider"[..], &cookie.0].concat(),
        }
    }
}

/// A challenge and what proves that we made it.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    /// Comes back with the answer.
    pub(crate) text: String,
    /// What the authenticator signs, base64url.
    pub(crate) challenge: String,
}

/// Tickets that were answered, until they are too old.
#[derive(Debug, Default)]
pub(crate) struct Answered(Mutex<BTreeMap<[u8; 16], Timestamp>>);

impl Answered {
    /// Notes that a ticket was answered; false when it had been before.
    fn note(&self, nonce: [u8; 16], expires: Timestamp, now: Timestamp) -> bool {
        let mut answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answered.retain(|_, expires| *expires > now);
        answered.insert(nonce, expires).is_none()
    }

    fn has(&self, nonce: &[u8; 16]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(nonce)
    }
}

/// A ticket that came back: sealed by us for this purpose, and young enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    /// What must have been signed.
    pub(crate) challenge: Vec<u8>,
    nonce: [u8; 16],
    expires: Timestamp,
}

fn make(secret: &Secret, purpose: Purpose<'_>, now: Timestamp) -> Result<Ticket, ServerError> {
    let nonce: [u8; 16] = secret::random()?;
    let body = [&nonce[..], &(now + purpose.life_s()).to_be_bytes()].concat();
    let seal = secret.seal("ticket", &[purpose.bytes(), body.clone()].concat());
    let ticket = [&body[..], &seal].concat();
    let challenge = secret::encode(&challenge(purpose, &ticket));
    Ok(Ticket { text: secret::encode(&ticket), challenge })
}

/// What is signed. For a plan it is made of what the journal holds, so that it can be checked
/// later: the sign-in is in the seal of the ticket only.
fn challenge(purpose: Purpose<'_>, ticket: &[u8]) -> Vec<u8> {
    if let Purpose::Sign { signing, plan, .. } = purpose {
        return proof::challenge(signing, plan, ticket);
    }
    digest_of(&[&purpose.bytes()[..], ticket].concat()).0.to_vec()
}

fn read(
    secret: &Secret,
    purpose: Purpose<'_>,
    text: &str,
    now: Timestamp,
) -> Result<Returned, Fault> {
    let ticket = secret::decode(text)
        .filter(|ticket| ticket.len() == proof::TICKET_BYTES)
        .ok_or(Fault::Expired)?;
    let (body, seal) = ticket.split_at(24);
    if !secret::is_equal(seal, &secret.seal("ticket", &[&purpose.bytes()[..], body].concat())) {
        return Err(Fault::Expired);
    }
    let (nonce, expires) = body.split_first_chunk::<16>().ok_or(Fault::Expired)?;
    let expires = expires.first_chunk::<8>().map(|bytes| i64::from_be_bytes(*bytes));
    let expires = expires.filter(|expires| *expires > now).ok_or(Fault::Expired)?;
    Ok(Returned { challenge: challenge(purpose, &ticket), nonce: *nonce, expires })
}

impl Door {
    /// A new challenge.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn ticket(&self, purpose: Purpose<'_>) -> Result<Ticket, ServerError> {
        make(&self.secret, purpose, self.now())
    }

    /// A ticket that came back.
    ///
    /// # Errors
    /// `Expired`: it is too old, for another purpose, not ours, or was answered before. That is
    /// looked at before the key: one that counts went no further since, and would be called copied.
    pub(crate) fn returned(&self, purpose: Purpose<'_>, text: &str) -> Result<Returned, Fault> {
        let returned = read(&self.secret, purpose, text, self.now())?;
        if self.answered.has(&returned.nonce) { Err(Fault::Expired) } else { Ok(returned) }
    }

    /// Counts a good answer, once.
    ///
    /// # Errors
    /// `Expired`: the ticket was answered before.
    pub(crate) fn answer(&self, returned: &Returned) -> Result<(), Fault> {
        let Returned { nonce, expires, .. } = returned;
        match self.answered.note(*nonce, *expires, self.now()) {
            true => Ok(()),
            false => Err(Fault::Expired),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_its_purpose_and_its_time_only() {
        let secret = Secret::random().unwrap();
        let [a, b] = [Digest([1; 32]), Digest([2; 32])];
        let purposes = [
            Purpose::SignIn,
            Purpose::Register(&a),
            Purpose::Register(&b),
            Purpose::Confirm(&a),
            Purpose::Confirm(&b),
            Purpose::Provider(&a),
            Purpose::Provider(&b),
            Purpose::LetIn { sign_in: &a, terms: &b },
            Purpose::LetIn { sign_in: &b, terms: &b },
            Purpose::LetIn { sign_in: &a, terms: &a },
            Purpose::Sign { signing: Signing::Approval, sign_in: &a, plan: &b },
            Purpose::Sign { signing: Signing::Approval, sign_in: &b, plan: &b },
            Purpose::Sign { signing: Signing::Approval, sign_in: &a, plan: &a },
            Purpose::Sign { signing: Signing::BrokenGlass, sign_in: &a, plan: &b },
            Purpose::Sign { signing: Signing::AcceptanceAsked, sign_in: &a, plan: &b },
            Purpose::Sign { signing: Signing::AcceptanceAgreed, sign_in: &a, plan: &b },
        ];
        for (made_for, purpose) in purposes.iter().enumerate() {
            let ticket = make(&secret, *purpose, 100).unwrap();
            for (at, other) in purposes.iter().enumerate() {
                let got = read(
                    &secret,
                    *other,
                    &ticket.text,
                    100 + other.life_s().min(purpose.life_s()) - 1,
                );
                assert_eq!(got.is_ok(), at == made_for);
                if let Ok(got) = got {
                    assert_eq!(secret::encode(&got.challenge), ticket.challenge);
                }
            }
            let late = read(&secret, *purpose, &ticket.text, 100 + purpose.life_s());
            assert_eq!(late, Err(Fault::Expired));
            let other = Secret::random().unwrap();
            assert_eq!(read(&other, *purpose, &ticket.text, 100), Err(Fault::Expired));
        }
    }

    #[test]
    fn no_bit_of_a_ticket_can_be_changed() {
        let secret = Secret::random().unwrap();
        let ticket = make(&secret, Purpose::SignIn, 100).unwrap();
        let bytes = secret::decode(&ticket.text).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let got = read(&secret, Purpose::SignIn, &secret::encode(&changed), 100);
            assert_eq!(got, Err(Fault::Expired), "bit {at}");
        }
        for bad in ["", "A", &ticket.text[1..]] {
            assert_eq!(read(&secret, Purpose::SignIn, bad, 100), Err(Fault::Expired));
        }
    }

    #[test]
    fn an_answer_counts_once_and_is_forgotten_when_it_is_too_old() {
        let answered = Answered::default();
        assert!(answered.note([1; 16], 10, 5));
        assert!(!answered.note([1; 16], 10, 6));
        assert!(answered.note([2; 16], 20, 6));
        assert!(answered.note([3; 16], 30, 15));
        assert_eq!(answered.0.lock().unwrap().len(), 2, "the first one was too old to come back");
    }
}
