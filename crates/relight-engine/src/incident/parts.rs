//! Parts of sites in an incident: a section, an audience or a class of methods that is closed while
//! the rest of its site stays open. A closed part never makes its site dark, and what stays open
//! needs evidence of its own (INCIDENT 8.1).

use std::collections::BTreeMap;

use relight_model::{GateKey, Light, SitePart, Timestamp};
use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::fold::{Case, Incident, Rejected};
use super::phase::Gate;
use super::wire;

/// A part of a site as the journal names it: with its path, so that it stays known whatever the
/// register says later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartName {
    /// The whole site.
    #[serde(with = "wire::key")]
    pub site: GateKey,
    /// Its part.
    #[serde(with = "wire::part")]
    pub part: SitePart,
}

impl PartName {
    /// Its key in the gate; none where it would be too long for one.
    pub fn key(&self) -> Option<GateKey> {
        self.part.key(&self.site).ok()
    }
}

/// What was seen of the gates of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartSeen {
    /// Read back closed; a section and a class of methods were asked for as well.
    Closed,
    /// Opened, and seen open.
    Open,
    /// No longer as it was left.
    Lost,
    /// To be closed, and not so.
    Failed,
    /// Opening was not proven in time, or was not permitted any more: closed again.
    Stopped,
}

/// One part in one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartCase {
    /// What it is a part of, and which.
    pub name: PartName,
    /// What its visitors must see.
    pub light: Light,
    /// What was last seen of its gate.
    pub gate: Gate,
    /// Code of why it is not closed, where it is not.
    pub why: String,
    /// Evidence said clear since it was closed: it may open without a person.
    pub is_cleared: bool,
    /// How often it was opened in vain.
    pub stopped: u32,
    /// When it was last ordered closed or open.
    pub since: Timestamp,
}

impl PartCase {
    fn closed(name: PartName, now: Timestamp) -> Self {
        Self {
            name,
            light: Light::Dark,
            gate: Gate::Requested,
            why: String::new(),
            is_cleared: false,
            stopped: 0,
            since: now,
        }
    }

    /// How it stands, as a stable code.
    pub const fn state(&self) -> &'static str {
        match (self.light, self.gate) {
            (Light::Lit, Gate::Open) => "open",
            (Light::Lit, _) => "opening",
            (Light::Dark, Gate::Proven) if self.name.part.is_read_back() => "read-back",
            (Light::Dark, Gate::Proven) => "closed",
            (Light::Dark, Gate::Failed) => "not-closed",
            (Light::Dark, _) => "closing",
        }
    }

    /// True when it was seen closed, and nothing said otherwise since.
    pub(crate) const fn is_proven(&self) -> bool {
        matches!((self.light, self.gate), (Light::Dark, Gate::Proven))
    }

    /// True when its edge still has something to do for it.
    pub fn is_at_work(&self) -> bool {
        self.light == Light::Dark || self.gate != Gate::Open
    }

    fn see(&mut self, seen: PartSeen, why: &str, is_permitted: bool) -> Result<(), Rejected> {
        match (seen, self.light) {
            (PartSeen::Closed, Light::Dark) => self.gate = Gate::Proven,
            (PartSeen::Open, Light::Lit) => self.gate = Gate::Open,
            (PartSeen::Lost, _) => self.gate = Gate::Requested,
            (PartSeen::Failed, Light::Dark) => self.gate = Gate::Failed,
            (PartSeen::Stopped, Light::Lit) => {
                (self.light, self.gate) = (Light::Dark, Gate::Requested);
                self.stopped = self.stopped.saturating_add(u32::from(is_permitted));
            }
            _ => return Err(Rejected("the part is wanted otherwise")),
        }
        self.why = if self.gate == Gate::Failed { why.to_owned() } else { String::new() };
        Ok(())
    }
}

impl Incident {
    /// Every part that was ever closed, by gate key.
    pub const fn parts(&self) -> &BTreeMap<GateKey, PartCase> {
        &self.parts
    }

    /// A part, by its gate key.
    pub fn part(&self, key: &GateKey) -> Option<&PartCase> {
        self.parts.get(key)
    }

    /// The parts of one site. Their keys begin with its own.
    pub fn parts_of<'a>(&'a self, site: &'a GateKey) -> impl Iterator<Item = &'a PartCase> {
        let from = self.parts.range(site.clone()..);
        let near = from.take_while(move |(key, _)| key.as_str().starts_with(site.as_str()));
        near.map(|(_, part)| part).filter(move |part| part.name.site == *site)
    }

    /// Parts that may be opened without a person: evidence called their site clear since they were
    /// closed, and does so now.
    pub fn parts_cleared(&self, now: Timestamp) -> Vec<PartName> {
        let is_clear =
            |site: &GateKey| self.case(site).is_some_and(|it| self.opens_by_evidence(it, now));
        let ready = self.parts.values().filter(|part| {
            part.light == Light::Dark
                && part.is_cleared
                && part.stopped == 0
                && is_clear(&part.name.site)
        });
        ready.map(|part| part.name.clone()).collect()
    }

    /// Folds in an entry about parts.
    pub(super) fn apply_to_parts(&mut self, entry: &Entry, now: Timestamp) -> Result<(), Rejected> {
        match entry {
            Entry::PartsClosed { parts, .. } => self.close_parts(parts, now),
            Entry::PartsOpened { parts, .. } => self.open_parts(parts, now),
            Entry::PartsSeen { parts, seen, why, .. } => self.see_parts(parts, *seen, why, now),
            _ => Err(Rejected("the entry is of another kind")),
        }
    }

    /// The site is in scope from then on: evidence about it is taken in.
    fn close_parts(&mut self, parts: &[PartName], now: Timestamp) -> Result<(), Rejected> {
        let mut closed = Err(Rejected("every part is closed already"));
        for name in parts {
            let Some(key) = name.key() else { continue };
            if self.parts.get(&key).is_some_and(|part| part.light == Light::Dark) {
                continue;
            }
            self.parts.insert(key, PartCase::closed(name.clone(), now));
            self.cases.entry(name.site.clone()).or_insert_with(|| Case::new(now));
            closed = Ok(());
        }
        closed
    }

    fn open_parts(&mut self, parts: &[PartName], now: Timestamp) -> Result<(), Rejected> {
        let mut opened = Err(Rejected("no current evidence says clear"));
        for name in parts {
            let is_permitted = self.may_open(&name.site, now);
            let Some(part) = name.key().and_then(|key| self.parts.get_mut(&key)) else { continue };
            if is_permitted && part.light == Light::Dark {
                (part.light, part.since) = (Light::Lit, now);
                opened = Ok(());
            }
        }
        opened
    }

    fn see_parts(
        &mut self,
        parts: &[PartName],
        seen: PartSeen,
        why: &str,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        let mut result = Err(Rejected("none of the parts was ever closed"));
        for name in parts {
            let is_permitted = self.may_open(&name.site, now);
            let Some(part) = name.key().and_then(|key| self.parts.get_mut(&key)) else { continue };
            match (part.see(seen, why, is_permitted), &result) {
                (Ok(()), _) => result = Ok(()),
                (Err(why), Err(_)) => result = Err(why),
                (Err(_), Ok(())) => {}
            }
        }
        result
    }

    /// New evidence about a site says whether its closed parts may open.
    pub(super) fn hear_of_parts(&mut self, site: &GateKey, is_clear: bool) {
        if self.parts.is_empty() {
            return;
        }
        let from = self.parts.range_mut(site.clone()..);
        for (_, part) in from.take_while(|(key, _)| key.as_str().starts_with(site.as_str())) {
            if part.name.site == *site {
                part.is_cleared = is_clear;
            }
        }
    }

    /// A part of the site is to be closed: what stays open needs evidence, and the part a proof.
    pub(crate) fn exposing_parts(&self, site: &GateKey) -> (bool, bool) {
        if self.parts.is_empty() {
            return (false, false);
        }
        let closed = || self.parts_of(site).filter(|part| part.light == Light::Dark);
        (closed().next().is_some(), closed().any(|part| part.gate != Gate::Proven))
    }
}

impl Entry {
    /// The keys of the parts that it names; none for entries about whole sites.
    pub fn parts(&self) -> Vec<GateKey> {
        match self {
            Self::PartsClosed { parts, .. }
            | Self::PartsOpened { parts }
            | Self::PartsSeen { parts, .. } => parts.iter().filter_map(PartName::key).collect(),
            _ => Vec::new(),
        }
    }
}
