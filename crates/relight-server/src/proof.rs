//! Whether what a passkey signed for an approval is what the journal says: by the entry alone,
//! without a server and without its database.

use relight_engine::incident::Proof;
use relight_model::Digest;

use crate::access::passkey::Answer;
use crate::access::{Address, digest_of, secret};

/// Stands before what is signed, so that a signature means nothing else.
const PURPOSE: &[u8] = b"relight.approval/1\0";

/// Bytes of a ticket: 16 random ones, when it ends, and the seal of the server.
pub(crate) const TICKET_BYTES: usize = 40;

/// What an authenticator is asked to sign for a plan: the digest of its hash and of a ticket,
/// whose random bytes make it another text each time.
pub(crate) fn challenge(plan: &Digest, ticket: &[u8]) -> Vec<u8> {
    digest_of(&[PURPOSE, &plan.0, ticket].concat()).0.to_vec()
}

/// What is wrong with a signature for a plan, as a stable name; nothing when the key in it signed
/// this plan, with its holder verified, on the page of one console.
///
/// Whose key it is is not said here: the entry that registered it names its account.
///
/// # Errors
/// The name of what is wrong.
pub fn check(proof: &Proof, plan: &Digest) -> Result<(), &'static str> {
    let malformed = "malformed";
    let ticket = secret::decode(&proof.ticket).filter(|ticket| ticket.len() == TICKET_BYTES);
    let ticket = ticket.ok_or(malformed)?;
    let key = secret::decode(&proof.key).ok_or(malformed)?;
    let client = secret::decode(&proof.client).ok_or(malformed)?;
    let Proof { credential, client: text, authenticator, signature, .. } = proof.clone();
    let answer = Answer { id: credential, client: text, authenticator, signature };
    let site = origin_of(&client).and_then(|origin| Address::parse(&origin)).ok_or(malformed)?;
    let signed = answer.signed((&key, 0), &site, &challenge(plan, &ticket));
    signed.map(drop).map_err(|fault| fault.code())
}

/// Where it was answered, as the browser says.
fn origin_of(client: &[u8]) -> Option<String> {
    let client: serde_json::Value = serde_json::from_slice(client).ok()?;
    Some(client.get("origin")?.as_str()?.to_owned())
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
