//! Who may switch what: the table of EXPERIENCE 5.3, as pure decisions over the journal.
//!
//! Every way to switch that knows people goes through a [`Desk`]: pages, the API, the command line
//! through a server. It answers with the entry to journal, or with the rule that forbids it.

mod answering;
mod desk;
mod person;
mod refusal;

use std::collections::BTreeSet;

use relight_model::{Digest, GateKey};
use sha2::{Digest as _, Sha256};

use crate::incident::{Authority, Seat};
use crate::plan::{Plan, PlanSite};

pub use answering::Answering;
pub use desk::{BREAK_GLASS_REVIEW_S, Desk, PROPOSER_WAITING_MAX, UNATTENDED_WAITING_MAX};
pub use person::{Means, Person};
pub use refusal::Refusal;

/// Most sites that one person may switch within [`ALONE_WINDOW_S`], none of them vital.
pub const SITES_ALONE_MAX: usize = 5;

/// Most sites that two people may switch without the command of the incident.
pub const SITES_WITHOUT_COMMAND_MAX: usize = 200;

/// How long a site counts that one person switched alone, in seconds: slices add up.
pub const ALONE_WINDOW_S: i64 = 24 * 3_600;

/// The rules in force. A policy file may be stricter than the table, never looser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Digest of the file; of nothing for the built-in rules.
    pub digest: Digest,
    /// Most sites that one person may switch within [`ALONE_WINDOW_S`].
    pub alone_max: usize,
    /// Most sites that two people may switch without the command of the incident.
    pub two_max: usize,
    /// Its signature was checked; otherwise these are the strictest rules.
    pub is_signed: bool,
    /// Approvals that were given beforehand, for rules; none in what nobody signed.
    pub standing: Vec<Authority>,
    /// Sites that a drill may close, however many: whoever signed and confirmed the rules agreed.
    pub drilled: BTreeSet<GateKey>,
}

impl Policy {
    /// Two people for everything: what holds where no signed policy says otherwise.
    pub fn strictest() -> Self {
        let (digest, two_max) = (Digest::default(), SITES_WITHOUT_COMMAND_MAX);
        Self {
            digest,
            alone_max: 0,
            two_max,
            is_signed: false,
            standing: Vec::new(),
            drilled: BTreeSet::new(),
        }
    }

    /// Command, and the number typed, for everything: what holds where a signed policy cannot be
    /// had as it was signed. It may have been stricter than [`Self::strictest`].
    pub fn by_command() -> Self {
        Self { two_max: 0, ..Self::strictest() }
    }

    /// The rules of a signed file; what it would loosen stays as the table has it.
    pub fn signed(digest: Digest, alone_max: usize, two_max: usize) -> Self {
        Self {
            digest,
            alone_max: alone_max.min(SITES_ALONE_MAX),
            two_max: two_max.min(SITES_WITHOUT_COMMAND_MAX),
            is_signed: true,
            standing: Vec::new(),
            drilled: BTreeSet::new(),
        }
    }

    /// The seats of a plan: of one person where the rule for one person holds.
    pub fn seats(&self, plan: &Plan, is_for_one: bool) -> Vec<Seat> {
        if self.needs_number(plan) {
            return vec![Seat::Operator, Seat::Command];
        }
        let is_opening = !plan.action.is_closing();
        let by_signature = is_opening && plan.sites.iter().any(is_not_clear);
        if by_signature || !is_for_one {
            return vec![Seat::Operator, Seat::Second];
        }
        vec![Seat::Operator]
    }

    /// True when the number of sites has to be typed in full: so many, or a vital one.
    pub fn needs_number(&self, plan: &Plan) -> bool {
        plan.sites.len() > self.two_max || plan.sites.iter().any(is_vital)
    }
}

fn is_vital(site: &PlanSite) -> bool {
    site.criticality == 1
}

fn is_not_clear(site: &PlanSite) -> bool {
    site.verdict != "clear"
}

/// The digest under which a policy file is part of a plan.
pub fn digest_of(file: &[u8]) -> Digest {
    Digest(Sha256::digest(file).into())
}
