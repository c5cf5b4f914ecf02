//! Orders and the leave to give them: who approved which plan, what may still be undone, and
//! approvals that were given beforehand for a rule (INCIDENT 4 and Q1).

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Digest, GateKey, Timestamp};
use serde::{Deserialize, Serialize};

use super::actions::same;
use super::fold::Rejected;
use super::terms::Seat;
use crate::plan::{Action, Plan};

/// So many openings in a row that nobody looked at to the end are none in vain.
pub(crate) const UNSEEN_MAX: u32 = 2;

/// How long a dark order may be undone, in seconds.
pub const UNDO_AGE_MAX_S: i64 = 600;

/// Longest life of a standing authority, in seconds: a year.
pub const AUTHORITY_AGE_MAX_S: i64 = 366 * 86_400;

/// What an approval that was given beforehand is asked about: a flaw, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstance {
    /// CVSS base score, in tenths.
    pub score: Option<u16>,
    /// A catalogue calls it exploited.
    pub known_exploited: bool,
    /// The internet reaches every site of the plan, as far as anybody said.
    pub faces_internet: bool,
}

/// An approval given beforehand for every flaw that a rule means. It darkens; it never relights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Its name.
    pub name: String,
    /// Lowest CVSS base score that it covers by itself, in tenths.
    pub score_min: u16,
    /// It also covers what a catalogue calls exploited, on sites that the internet reaches.
    pub known_exploited: bool,
    /// Most sites that it darkens within a day.
    #[serde(default)]
    pub sites_max: usize,
    /// It covers vital sites as well.
    #[serde(default)]
    pub vital: bool,
    /// The order it rests on.
    pub order: String,
    /// Its legal basis.
    pub legal_basis: String,
    /// Who asked for it.
    pub proposer: String,
    /// Who gave it: somebody else.
    pub approver: String,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
}

impl Authority {
    /// Whether it may be given at this instant.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, now: Timestamp) -> Result<(), Rejected> {
        let texts = [&self.name, &self.order, &self.legal_basis, &self.proposer, &self.approver];
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(Rejected("an authority names its order, its legal basis and two people"));
        }
        if same(&self.proposer, &self.approver) {
            return Err(Rejected("the approver is the proposer"));
        }
        if self.expires <= now || self.expires - now > AUTHORITY_AGE_MAX_S {
            return Err(Rejected("an authority ends within a year"));
        }
        Ok(())
    }

    /// True when it covers a flaw at this instant.
    pub fn covers(&self, about: &Circumstance, now: Timestamp) -> bool {
        let by_score = about.score.is_some_and(|score| score >= self.score_min);
        let is_exploited = about.known_exploited && about.faces_internet;
        now < self.expires && (by_score || (self.known_exploited && is_exploited))
    }

    /// True when it reaches as far as a plan, after so many sites of the last day.
    pub(crate) fn reaches(&self, plan: &Plan, before: usize) -> bool {
        let is_vital = plan.sites.iter().any(|site| site.criticality == 1);
        let count = before.saturating_add(plan.sites.len());
        plan.action == Action::Dark && count <= self.sites_max && (self.vital || !is_vital)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    at: Timestamp,
    /// How many orders were given before: several may come in one second.
    number: usize,
    sites: Vec<GateKey>,
    is_undone: bool,
}

/// Who said what about one plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Votes {
    /// The seats that are filled, and by whom.
    granted: BTreeMap<Seat, String>,
    /// Who refused it.
    refused: Option<String>,
}

/// The dark orders of one incident, and the approvals of its plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    orders: BTreeMap<Digest, Order>,
    votes: BTreeMap<Digest, Votes>,
}

impl Orders {
    pub(super) fn note(&mut self, plan: Digest, sites: &[GateKey], at: Timestamp) {
        let (number, sites) = (self.orders.len(), sites.to_vec());
        self.orders.insert(plan, Order { at, number, sites, is_undone: false });
    }

    /// One person fills one seat: nobody is his own second.
    pub(super) fn approve(&mut self, plan: Digest, seat: Seat, by: &str) -> Result<(), Rejected> {
        let votes = self.votes.entry(plan).or_default();
        if votes.refused.is_some() {
            return Err(Rejected("the plan was refused"));
        }
        let names: BTreeSet<String> = votes.granted.values().map(|it| it.to_lowercase()).collect();
        if by.trim().is_empty() || names.contains(&by.to_lowercase()) {
            return Err(Rejected("the approver approved already"));
        }
        if votes.granted.contains_key(&seat) {
            return Err(Rejected("the seat is filled"));
        }
        votes.granted.insert(seat, by.to_owned());
        Ok(())
    }

    pub(super) fn refuse(&mut self, plan: Digest, by: &str) -> Result<(), Rejected> {
        if self.orders.contains_key(&plan) {
            return Err(Rejected("the plan was executed"));
        }
        let votes = self.votes.entry(plan).or_default();
        votes.refused.get_or_insert_with(|| by.to_owned());
        Ok(())
    }

    pub(super) fn undo(&mut self, plan: Digest, now: Timestamp) -> Result<(), Rejected> {
        let order = self.orders.get_mut(&plan).ok_or(Rejected("no such order"))?;
        if order.is_undone {
            return Err(Rejected("the order was undone already"));
        }
        if !(0..=UNDO_AGE_MAX_S).contains(&(now - order.at)) {
            return Err(Rejected("an order may be undone for ten minutes"));
        }
        order.is_undone = true;
        Ok(())
    }

    /// Who refused a plan.
    #[cfg(test)]
    pub(super) fn refused_by(&self, plan: &Digest) -> Option<&str> {
        self.votes.get(plan)?.refused.as_deref()
    }

    /// The sites of a dark order.
    pub fn sites(&self, plan: &Digest) -> Option<&[GateKey]> {
        self.orders.get(plan).map(|order| order.sites.as_slice())
    }

    /// The newest dark order that was not undone.
    pub fn newest(&self) -> Option<Digest> {
        let open = self.orders.iter().filter(|(_, order)| !order.is_undone);
        open.max_by_key(|(_, order)| (order.at, order.number)).map(|(plan, _)| *plan)
    }
}
