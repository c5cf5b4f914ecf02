//! What an authenticator signed when somebody approved a plan: kept with the approval, so that it
//! can be checked by whoever has the journal, without the server and without its database.

use relight_model::Digest;
use serde::{Deserialize, Serialize};

use super::wire;

/// A signature over the hash of a plan, or of the terms of an acceptance (Web Authentication). All
/// of it is base64url without padding. Here it is carried only; who checks it stands above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Id of the credential.
    pub credential: String,
    /// The public key (COSE_Key).
    pub key: String,
    /// `clientDataJSON`: with the challenge, and where it was answered.
    pub client: String,
    /// `authenticatorData`.
    pub authenticator: String,
    /// The signature over the two.
    pub signature: String,
    /// What the challenge was made of, besides that hash.
    pub ticket: String,
}

/// What a passkey signed for an acceptance, and what was known of the site when it did: with the
/// entry beside it, all that is needed to check the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The name of what was known of the site (`Incident::about`).
    #[serde(with = "wire::digest")]
    pub about: Digest,
    /// The signature, over `Acceptance::terms`.
    pub proof: Proof,
}
