//! What many sources make out together, none of which need be worth a look alone.

use std::collections::{BTreeSet, HashMap};

use relight_model::{Contribution, Detection, OrgId, Severity, Timestamp};

use super::dossier::Dossier;
use super::group_sweep::Value;
use super::places::{Places, Sector};
use super::{Contact, Found, MEMBERS_MAX, SourceKey, detection, marks_of_strangers};
use crate::catalogue;
use crate::contact::Class;
use crate::pool::{Pool, Row, place_of};

/// Most alarms of one detector about doors, those with the strongest evidence.
pub const ALARMS_MAX: usize = 64;

/// Organisations and sites of an alarm that are counted: more decide nothing.
const REACH_MAX: usize = 64;

/// See the head of the file.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub(crate) detector: &'static str,
    /// What its evidence is called among contributions.
    pub(crate) class: &'static str,
    pub(crate) severity: Severity,
    pub(crate) what: What,
    /// Second at which the evidence was enough.
    pub(crate) decided: u32,
    pub(crate) likelihood: f64,
    pub(crate) threshold: f64,
    /// Sources, sorted: the first [`MEMBERS_MAX`].
    pub(crate) members: Vec<SourceKey>,
}

/// What the contacts of an alarm have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    /// A client, since then.
    Client { value: Value, since: u32 },
    /// A door, or a class of attempts.
    Door(Knocks),
}

/// Contacts with a door, or of a class, in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Knocks {
    /// A strong class means itself; a weak one stands for all pages that strangers did not get.
    pub(crate) class: Class,
    /// 28 bits of the door; `None` for any.
    pub(crate) door: Option<u32>,
    /// First second.
    pub(crate) from: u32,
    /// The second after the last.
    pub(crate) until: u32,
    pub(crate) sector: Option<Sector>,
}

impl Knocks {
    fn holds(&self, class: Class, door: u32, at: Timestamp, sector: Option<Sector>) -> bool {
        let is_class = if self.class.is_strong() { class == self.class } else { class.is_page() };
        let time = Timestamp::from(self.from)..Timestamp::from(self.until);
        is_class
            && self.door.is_none_or(|own| own == door)
            && time.contains(&at)
            && (self.sector.is_none() || self.sector == sector)
    }

    fn has(&self, row: &Row, places: &Places) -> bool {
        let sector = places.sector(row.place());
        row.counts() && self.holds(row.class(), row.door(), Timestamp::from(row.first), sector)
    }

    fn counts(&self, contact: &Contact<'_>, places: &Places) -> bool {
        let sector = places.sector(place_of(contact.org, contact.site));
        let door = (contact.door >> 36) as u32;
        contact.class.counts() && self.holds(contact.class, door, contact.first, sector)
    }

    /// What a person calls it; `first` is the earliest of its contacts.
    fn name(&self, first: &Contact<'_>) -> String {
        match (self.door, catalogue::id_of(first.door)) {
            (None, _) => format!("class:{}", self.class.as_str()),
            (Some(_), Some(entry)) if first.class.is_door() => format!("door:{entry}"),
            (Some(_), _) => format!("door:{}", first.text),
        }
    }
}

/// How far the contacts of an alarm reach.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    pub(crate) organisations: BTreeSet<OrgId>,
    pub(crate) sites: BTreeSet<u32>,
}

impl Reach {
    fn add(&mut self, row: &Row, places: &Places) {
        let org = places.org(row.place());
        if let Some(org) = org.filter(|_| self.organisations.len() < REACH_MAX) {
            self.organisations.insert(org);
        }
        if self.sites.len() < REACH_MAX {
            self.sites.insert(row.place());
        }
    }
}

/// Finds who is behind alarms about doors, and how far each reaches.
pub(crate) fn name_members(pool: &mut Pool, places: &Places, alarms: &mut [Alarm]) -> Vec<Reach> {
    let mut reaches = vec![Reach::default(); alarms.len()];
    let mut by_door: HashMap<Option<u32>, Vec<(usize, Knocks)>> = HashMap::new();
    for (at, alarm) in alarms.iter().enumerate() {
        if let What::Door(knocks) = alarm.what {
            by_door.entry(knocks.door).or_default().push((at, knocks));
        }
    }
    if by_door.is_empty() {
        return reaches;
    }
    pool.each_source(|source, rows| {
        for row in rows.iter().filter(|row| row.counts()) {
            let of_door = by_door.get(&Some(row.door())).into_iter().flatten();
            let of_class = by_door.get(&None).into_iter().flatten();
            for (at, _) in of_door.chain(of_class).filter(|(_, it)| it.has(row, places)) {
                let (alarm, reach) = (&mut alarms[*at], &mut reaches[*at]);
                reach.add(row, places);
                if alarm.members.last() != Some(&source) && alarm.members.len() < MEMBERS_MAX {
                    alarm.members.push(source);
                }
            }
        }
    });
    reaches
}

/// The strongest of them, within the limit.
pub(crate) fn strongest(alarms: &mut Vec<Alarm>) {
    alarms.sort_by(|one, other| other.likelihood.total_cmp(&one.likelihood));
    alarms.truncate(ALARMS_MAX);
}

impl Alarm {
    fn counts(&self, contact: &Contact<'_>, places: &Places) -> bool {
        match self.what {
            What::Client { value, since } => super::group_sweep::counts(value, since, contact),
            What::Door(knocks) => knocks.counts(contact, places),
        }
    }

    /// The decision with everything that is known about the members.
    pub(crate) fn detection(
        &self,
        dossier: &Dossier,
        places: &Places,
        found: &Found,
    ) -> Option<Detection> {
        let mut sources = Vec::new();
        let mut contacts = Vec::new();
        for summary in dossier.summaries_of(&self.members) {
            let before = contacts.len();
            contacts.extend(summary.contacts.iter().filter(|it| self.counts(it, places)).copied());
            if contacts.len() > before {
                sources.push(summary.source);
            }
        }
        contacts.sort_unstable();
        sources.sort_unstable();
        let mut made = detection(self.detector, self.severity, sources, &contacts)?;
        let (class, likelihood) = (self.class, self.likelihood);
        made.contributions = vec![Contribution { class, contacts: made.contacts, likelihood }];
        made.likelihood = likelihood;
        made.threshold = self.threshold;
        made.decided = Timestamp::from(self.decided);
        match self.what {
            What::Client { value, .. } => {
                made.shared = dossier.name(value.1);
                made.fingerprints = found.rare_prints(dossier, &contacts);
            }
            // Strangers who try the same door: nothing ties them to each other.
            What::Door(knocks) => {
                made.shared = knocks.name(contacts.first()?);
                made.marks = marks_of_strangers(self.detector, &contacts);
            }
        }
        Some(made)
    }
}
