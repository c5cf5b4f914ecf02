//! What agents and their server say to each other: JSON, bytes in it as base64url. There is no
//! message by which the server names a file, a folder, a program or a kind of edge.

use relight_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::authority::KEY_BYTES;
use crate::access::secret;

/// Where an agent enrols.
pub(crate) const ENROL: &str = "/agent/v1/enrol";

/// Where an agent gets its next certificate.
pub(crate) const RENEW: &str = "/agent/v1/renew";

/// Where an agent says that it is there.
pub(crate) const TURN: &str = "/agent/v1/turn";

/// Where an agent sends the inventory that it was asked for.
pub(crate) const INVENTORY: &str = "/agent/v1/inventory";

/// Where an agent asks for a question about one of its edges.
pub(crate) const EDGE: &str = "/agent/v1/edge";

/// Longest request and longest answer about an edge, in bytes: an order of 50,000 keys of 128 bytes
/// that names each of them twice.
pub(crate) const EDGE_BYTES_MAX: usize = 16 << 20;

/// Longest inventory, in bytes.
pub(crate) const INVENTORY_BYTES_MAX: usize = 64 << 20;

/// Longest request of an agent that is no inventory, in bytes.
pub(crate) const REQUEST_BYTES_MAX: usize = 64 << 10;

/// Longest answer to an agent, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 1 << 20;

/// An agent enrols.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolRequest {
    /// The text of the code.
    pub(crate) code: String,
    /// The name of its machine.
    pub(crate) host: String,
    /// Its public key.
    pub(crate) key: String,
    /// That it holds the private one.
    pub(crate) proof: String,
}

/// An agent wants its next certificate.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenewRequest {
    /// Its next public key.
    pub(crate) key: String,
    /// That it holds the private one.
    pub(crate) proof: String,
}

/// An agent says that it is there.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TurnRequest {
    /// Of which version it is.
    pub(crate) version: String,
    /// The sites of its own file, by their short names.
    pub(crate) sites: Vec<String>,
    /// The site that it looks at just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) looks: Option<String>,
}

/// The inventory of a site, which the server asked for.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InventoryRequest {
    /// The site.
    pub(crate) site: String,
    /// The ticket of the question.
    pub(crate) ticket: String,
    /// The inventory (CycloneDX).
    pub(crate) inventory: String,
}

/// That something was taken in.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Taken {}

/// A site is to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Wish {
    /// The site, one that the agent named.
    pub site: String,
    /// What the answer has to bear; another one each time.
    pub ticket: String,
}

/// A certificate, and for whom it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Issued {
    /// The number of the agent.
    pub(crate) agent: u32,
    /// The machine.
    pub(crate) host: String,
    /// The name of the organisation.
    pub(crate) organisation: String,
    /// The certificate (DER).
    pub(crate) certificate: String,
    /// The certificate of the server's authority (DER).
    pub(crate) authority: String,
    /// When it ends.
    pub(crate) expires: Timestamp,
}

/// What an agent is told when it says that it is there.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct TurnAnswer {
    /// It is time to ask for the next certificate, by the clock of the server.
    pub(crate) renew: bool,
    /// What is to be looked at again, one site at a time.
    pub(crate) wish: Option<Wish>,
    /// Sites that it named and that are not its own: of another organisation, or another agent's.
    pub(crate) foreign: Vec<String>,
}

/// Why the server did not do it: one of the codes of [`super::Refused`].
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Refusal {
    /// The code.
    pub(crate) refused: String,
}

/// The key in a text.
pub(crate) fn key_of(text: &str) -> Option<[u8; KEY_BYTES]> {
    secret::decode(text)?.try_into().ok()
}
