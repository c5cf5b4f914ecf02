//! Who has to agree to a plan. This is an interface: identities live in the server.

use relight_model::{Digest, Timestamp};

use crate::incident::{Incident, Seat};
use crate::plan::Plan;
use crate::policy::{Policy, SITES_ALONE_MAX, SITES_WITHOUT_COMMAND_MAX};

/// Where the approval of a plan stands. It covers a hash, never a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    /// Everybody who has to agree did.
    Granted {
        /// Their names.
        by: Vec<String>,
    },
    /// These seats are empty.
    Needs(Vec<Seat>),
    /// Somebody refused it.
    Denied {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// The plan is too old.
    Expired,
}

/// Knows who approved what.
pub trait Approvals {
    /// Where the approval of a plan stands.
    fn state(&self, plan: &Digest, now: Timestamp) -> Approval;
}

/// The seats that have to be filled for a plan, whatever it does: taking sites dark never needs
/// more people than bringing the same sites back by hand (I11).
pub fn seats(plan: &Plan) -> Vec<Seat> {
    let table = Policy::signed(Digest::default(), SITES_ALONE_MAX, SITES_WITHOUT_COMMAND_MAX);
    table.seats(plan, plan.sites.len() <= SITES_ALONE_MAX)
}

/// The approvals in the journal of an incident, for one plan.
pub struct Journalled<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// The plan that is to be executed.
    pub plan: &'a Plan,
}

impl Approvals for Journalled<'_> {
    fn state(&self, plan: &Digest, now: Timestamp) -> Approval {
        if now >= self.plan.expires {
            return Approval::Expired;
        }
        let votes = self.incident.orders.votes(plan);
        if let Some((by, reason)) = votes.refused {
            return Approval::Denied { by, reason };
        }
        let empty: Vec<Seat> = seats(self.plan)
            .into_iter()
            // The command of the incident may sit where anybody else may.
            .filter(|seat| {
                let by_command =
                    *seat == Seat::Second && votes.granted.contains_key(&Seat::Command);
                !votes.granted.contains_key(seat) && !by_command
            })
            .collect();
        if empty.is_empty() {
            return Approval::Granted { by: votes.granted.into_values().collect() };
        }
        Approval::Needs(empty)
    }
}

/// Whoever plays with a fictional province: every seat.
pub struct Fictional;

impl Approvals for Fictional {
    fn state(&self, _plan: &Digest, _now: Timestamp) -> Approval {
        Approval::Granted { by: Vec::new() }
    }
}
