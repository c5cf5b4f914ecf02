//! Whether what a passkey signed for an approval is what the journal says: by the entry alone,
//! without a server and without its database.

use relight_engine::incident::Proof;
use relight_model::Digest;

use crate::access::passkey::{Answer, MAY_BE_COPIED};
use crate::access::{Address, digest_of, secret};

/// What is signed for a plan, or for an acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// That somebody asks for it.
    Proposal,
    /// That somebody agrees to it.
    Approval,
    /// That somebody carries it out without the others.
    BrokenGlass,
    /// That somebody asks a second person to accept a site as it is.
    AcceptanceAsked,
    /// That somebody agrees to that.
    AcceptanceAgreed,
}

impl Signing {
    /// Stands before what is signed, so that a signature means nothing else.
    const fn purpose(self) -> &'static [u8] {
        match self {
            Self::Proposal => b"relight.proposal/1\0",
            Self::Approval => b"relight.approval/1\0",
            Self::BrokenGlass => b"relight.break-glass/1\0",
            Self::AcceptanceAsked => b"relight.acceptance-asked/1\0",
            Self::AcceptanceAgreed => b"relight.acceptance-agreed/1\0",
        }
    }
}

/// Bytes of a ticket: 16 random ones, when it ends, and the seal of the server.
pub(crate) const TICKET_BYTES: usize = 40;

/// What an authenticator is asked to sign for a plan: the digest of its hash and of a ticket,
/// whose random bytes make it another text each time.
pub(crate) fn challenge(signing: Signing, plan: &Digest, ticket: &[u8]) -> Vec<u8> {
    digest_of(&[signing.purpose(), &plan.0, ticket].concat()).0.to_vec()
}

/// What is wrong with a signature for a plan or for the terms of an acceptance, as a stable name;
/// nothing when the key in it signed this plan, with its holder verified, on the page of one
/// console.
///
/// Whose key it is is not said here: the entry that registered it names its account.
///
/// # Errors
/// The name of what is wrong.
pub fn check(proof: &Proof, signing: Signing, plan: &Digest) -> Result<(), &'static str> {
    let malformed = "malformed";
    let ticket = secret::decode(&proof.ticket).filter(|ticket| ticket.len() == TICKET_BYTES);
    let ticket = ticket.ok_or(malformed)?;
    let key = secret::decode(&proof.key).ok_or(malformed)?;
    let client = secret::decode(&proof.client).ok_or(malformed)?;
    let Proof { credential, client: text, authenticator, signature, .. } = proof.clone();
    let answer = Answer { id: credential, client: text, authenticator, signature };
    let site = origin_of(&client).and_then(|origin| Address::parse(&origin)).ok_or(malformed)?;
    let signed = answer.signed((&key, 0), &site, &challenge(signing, plan, &ticket));
    signed.map(drop).map_err(|fault| fault.code())
}

/// Whether the key says that it cannot leave its device: that it may not be copied to others
/// (Web Authentication, 6.1, "backup eligibility"). No attestation is asked for, so this is the
/// word of the authenticator.
pub(crate) fn is_of_hardware(proof: &Proof) -> bool {
    let data = secret::decode(&proof.authenticator);
    data.and_then(|data| data.get(32).copied()).is_some_and(|flags| flags & MAY_BE_COPIED == 0)
}

/// Where it was answered, as the browser says.
fn origin_of(client: &[u8]) -> Option<String> {
    let client: serde_json::Value = serde_json::from_slice(client).ok()?;
    Some(client.get("origin")?.as_str()?.to_owned())
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
