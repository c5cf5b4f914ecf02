//! What an authenticator signed when somebody approved a plan: kept with the approval, so that it
//! can be checked by whoever has the journal, without the server and without its database.

use serde::{Deserialize, Serialize};

/// A signature over the hash of a plan (Web Authentication). All of it is base64url without
/// padding. Here it is carried only; who checks it stands above.
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
    /// What the challenge was made of, besides the hash of the plan.
    pub ticket: String,
}
