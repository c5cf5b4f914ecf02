//! Statements of a supplier about a flaw in its products (VEX).

use crate::{Purl, Timestamp};

/// One statement: these products have this status for these flaws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexStatement {
    /// Who says it, by the document's own name for them.
    pub issuer: String,
    /// The document (`id` of it) and its version.
    pub document: String,
    /// The flaw: its id and other ids, as written.
    pub vulnerabilities: Vec<String>,
    /// What it is said of; never empty.
    pub products: Vec<VexProduct>,
    /// What is said.
    pub status: VexStatus,
    /// Why a product is not affected, in the terms of the format (`component_not_present`).
    pub justification: Option<String>,
    /// Impact or action, for people.
    pub text: String,
    /// When it was said.
    pub at: Option<Timestamp>,
}

/// What a statement says, as written; relight-match decides what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VexStatus {
    /// Affected.
    Affected,
    /// Affected, and something in front of it keeps attackers away: never a clearance.
    Mitigated,
    /// Not affected.
    NotAffected,
    /// Fixed in exactly these products.
    Fixed,
    /// The supplier is still looking, or says that it does not know.
    UnderInvestigation,
}

impl VexStatus {
    /// The stable name used in documents (`not-affected`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Mitigated => "mitigated",
            Self::NotAffected => "not-affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under-investigation",
        }
    }
}

/// One product of a statement. It is known by everything that is given, together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VexProduct {
    /// The product's own id or name in the document.
    pub id: String,
    /// Package URLs; any of them.
    pub purls: Vec<Purl>,
    /// CPE names; any of them.
    pub cpes: Vec<String>,
    /// Digests of its files: algorithm in lower case (`sha-256`) and value in hexadecimal.
    pub hashes: Vec<(String, String)>,
    /// Versions it is said of, as `vers:` ranges or single versions; empty means what the purl
    /// says.
    pub versions: Vec<String>,
    /// The product stream (a distribution, an appliance) it is a component of, outermost last.
    /// The statement is about it there and nowhere else.
    pub within: Vec<VexProduct>,
    /// Components of the product that the statement is limited to; empty means all of it.
    pub subcomponents: Vec<VexProduct>,
}
