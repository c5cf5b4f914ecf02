//! Windows: what is kept of a stretch of log, small, and mergeable in any order.
//!
//! Every part is a set, a minimum, a maximum or an or; at a limit the smallest keys stay, a rule
//! on the keys alone. So merging is associative, commutative and idempotent, bit for bit, and a
//! window of one hour of one site, of a month of an organisation and of all of them together
//! (the pool) are the same type.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

use relight_model::{Event, OrgId, SiteId, Timestamp};

use crate::catalogue;
use crate::contact::{
    Class, ContactKey, Facts, Kind, Knock, Observed, Visit, is_in_site, observe, wire,
};
use crate::decode::attempt_in_line;
use crate::hunt::LOOKUP_DOOR;
use crate::lookup::Verdict;
use crate::marks::{MARKS_MAX, Marks};
use crate::pool::{Print, SourceKey, Users};
use crate::traversal::is_climb;

/// Most contacts in a window. A flood is not slow: what exceeds this is counted, not kept.
pub const CONTACTS_MAX: usize = 200_000;

/// Most contacts of one source at one site, strongest first: more do not decide more.
pub const VISIT_CONTACTS_MAX: usize = 16;

/// Most pairs of segment and organisation whose counters are kept apart.
pub const SEGMENTS_MAX: usize = 100_000;

/// Most names of clients in a window, and bytes of each.
pub const PRINTS_MAX: usize = 16_384;

/// See [`PRINTS_MAX`].
pub(crate) const PRINT_BYTES_MAX: usize = 160;

/// What is kept of a stretch of log.
#[derive(Clone, Debug)]
pub struct Window {
    pub(crate) segment: u64,
    pub(crate) counters: BTreeMap<(u64, OrgId), Counters>,
    pub(crate) contacts: BTreeMap<ContactKey, Facts>,
    /// Visits in ordinary use.
    pub(crate) ordinary: Marks,
    /// Path classes that a site served.
    pub(crate) served: Marks,
    /// Who uses which client in an ordinary way.
    pub(crate) users: Users,
    /// Names of the clients that made contacts, by their hash.
    pub(crate) prints: BTreeMap<u32, String>,
    /// Something had to go at a limit.
    pub(crate) truncated: bool,
}

/// Counters of one segment and organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) events: u64,
    /// Events that were contacts, in the order of [`Kind::ALL`].
    pub(crate) kinds: [u64; Kind::ALL.len()],
    /// Events that were contacts beyond a limit of the window.
    pub(crate) overflow: u64,
    /// Lines that no parser took, and of these the ones with a payload that would have worked.
    pub(crate) refused: u64,
    pub(crate) unplaced: u64,
}

impl Counters {
    pub(crate) const EMPTY: Self = Self {
        first: Timestamp::MAX,
        last: Timestamp::MIN,
        events: 0,
        kinds: [0; Kind::ALL.len()],
        overflow: 0,
        refused: 0,
        unplaced: 0,
    };

    /// Two windows of the same segment tell the same story, or one of them less of it.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.events = self.events.max(other.events);
        self.overflow = self.overflow.max(other.overflow);
        self.refused = self.refused.max(other.refused);
        self.unplaced = self.unplaced.max(other.unplaced);
        for (mine, others) in self.kinds.iter_mut().zip(other.kinds) {
            *mine = others.max(*mine);
        }
    }
}

/// Figures about a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowStats {
    /// Events observed.
    pub events: u64,
    /// Time of the first event; `None` without events.
    pub first: Option<Timestamp>,
    /// Time of the last event.
    pub last: Option<Timestamp>,
    /// Organisations with events and the time of the last one, sorted.
    pub organisations: Vec<(OrgId, Timestamp)>,
    /// Distinct contacts kept.
    pub contacts: usize,
    /// Events that were exploit attempts that would have worked.
    pub exploits: u64,
    /// Events that asked for a door of the catalogue.
    pub probes: u64,
    /// Lines that no parser took.
    pub refused: u64,
    /// Lines among those with a payload that would have worked: nobody knows from whom.
    pub unplaced_exploits: u64,
    /// Contacts that went as their events were read: beyond [`CONTACTS_MAX`] or
    /// [`VISIT_CONTACTS_MAX`].
    pub contact_overflow: u64,
    /// Something had to go at a limit (code `contact-overflow`).
    pub truncated: bool,
}

impl Window {
    /// An empty window for the events of one segment of a log.
    ///
    /// `segment` names the bytes that are read (the head of their digest), so that a segment met
    /// twice counts once. Give a pool that is only merged into any number.
    pub fn new(segment: u64) -> Self {
        Self {
            segment,
            counters: BTreeMap::new(),
            contacts: BTreeMap::new(),
            ordinary: Marks::new(MARKS_MAX),
            served: Marks::new(MARKS_MAX),
            users: Users::default(),
            prints: BTreeMap::new(),
            truncated: false,
        }
    }

    /// Takes one event. Ordinary ones leave two marks and a count and allocate nothing of their
    /// own.
    pub fn observe(&mut self, event: &Event<'_>) {
        self.observe_doors(event);
    }

    /// The same; gives the doors that were tried, by the ids of the catalogue: a payload may come
    /// through one.
    pub fn observe_doors(&mut self, event: &Event<'_>) -> [Option<&'static str>; 2] {
        let mut doors = [None; 2];
        let visit = Visit::of(event);
        let mut counters =
            self.counters.get(&(self.segment, event.org)).copied().unwrap_or(Counters::EMPTY);
        counters.first = counters.first.min(event.at);
        counters.last = counters.last.max(event.at);
        counters.events += 1;
        match observe(event) {
            Observed::Neither => {}
            Observed::Ordinary(path) => {
                self.ordinary.insert(visit.hash);
                self.served.insert(visit.served(path));
                self.users.insert(SourceKey::of(event.source), print_of(event));
                if event.stray {
                    self.served.insert(visit.served(wire::host_door(event)));
                }
            }
            Observed::Open(door) => self.served.insert(visit.served(door)),
            Observed::Contact(knock, more) => {
                for (knock, door) in [Some(knock), more].into_iter().flatten().zip(&mut doors) {
                    *door = door_of(&knock);
                    self.knock(event, visit, knock, &mut counters);
                }
            }
        }
        self.counters.insert((self.segment, event.org), counters);
        doors
    }

    /// Adds one contact of an event.
    fn knock(&mut self, event: &Event<'_>, visit: Visit, knock: Knock, counters: &mut Counters) {
        let Knock { kind, door, text } = knock;
        counters.kinds[kind as usize] += 1;
        let print = print_of(event);
        self.name_client(print, event);
        let facts = Facts {
            first: (event.at, event.status, text, print),
            last: event.at,
            in_site: is_in_site(event.host, event.referer),
            served: matches!(event.status, 200..=399),
        };
        counters.overflow += self.add_one(ContactKey { visit, kind, door }, facts);
    }

    /// Adds a contact of an event; 1 when it is new and it or another had to go.
    fn add_one(&mut self, key: ContactKey, facts: Facts) -> u64 {
        let (kept, is_new) = (self.contacts.len(), !self.contacts.contains_key(&key));
        self.add(key, facts);
        u64::from(is_new && self.contacts.len() == kept)
    }

    /// Adds contacts of events, in the order of the events, as if one by one; gives how many were
    /// new and had to go, or others for them.
    pub(crate) fn add_all(&mut self, contacts: Vec<(ContactKey, Facts)>) -> u64 {
        let mut order: Vec<usize> = (0..contacts.len()).collect();
        order.sort_unstable_by(|one, other| contacts[*one].0.cmp(&contacts[*other].0));
        let is_room = self.contacts.len() + contacts.len() <= CONTACTS_MAX;
        let visits =
            order.chunk_by(|one, other| contacts[*one].0.visit == contacts[*other].0.visit);
        let fits = |of_visit: &&[usize]| is_room && self.has_room_at(&contacts, of_visit);
        let at_once: Vec<usize> = visits.filter(fits).flatten().copied().collect();
        let mut contacts: Vec<_> = contacts.into_iter().map(Some).collect();
        let mut sorted: Vec<(ContactKey, Facts)> = Vec::with_capacity(at_once.len());
        for (key, facts) in at_once.into_iter().filter_map(|at| contacts[at].take()) {
            match sorted.last_mut() {
                Some((last, kept)) if *last == key => kept.merge(&facts),
                _ => sorted.push((key, facts)),
            }
        }
        self.add_sorted(sorted);
        contacts.into_iter().flatten().map(|(key, facts)| self.add_one(key, facts)).sum()
    }

    /// None of the contacts of a visit, which stand at these places in order, has to go.
    fn has_room_at(&self, contacts: &[(ContactKey, Facts)], of_visit: &[usize]) -> bool {
        let keys = of_visit.chunk_by(|one, other| contacts[*one].0 == contacts[*other].0);
        let visit = of_visit.first().map(|at| contacts[*at].0.visit);
        let held = visit.filter(|_| !self.contacts.is_empty());
        let held = held.map_or(0, |visit| self.contacts.range(visit.contacts()).count());
        held + keys.count() <= VISIT_CONTACTS_MAX
    }

    /// Adds contacts in order, each once, for which there is room.
    fn add_sorted(&mut self, contacts: Vec<(ContactKey, Facts)>) {
        if self.contacts.is_empty() {
            self.contacts = contacts.into_iter().collect();
            return;
        }
        for (key, facts) in contacts {
            match self.contacts.entry(key) {
                Entry::Occupied(mut entry) => entry.get_mut().merge(&facts),
                Entry::Vacant(entry) => drop(entry.insert(facts)),
            }
        }
    }

    /// Takes what was counted of events beside it.
    pub(crate) fn count(&mut self, org: OrgId, counters: &Counters) {
        if counters.events > 0 {
            self.counters.entry((self.segment, org)).or_insert(Counters::EMPTY).add(counters);
        }
    }

    /// Takes a line that no parser took: it has no source and no time, but a payload in it is
    /// still counted.
    pub fn observe_refused(&mut self, org: OrgId, line: &str) {
        let counters = self.counters.entry((self.segment, org)).or_insert(Counters::EMPTY);
        counters.refused += 1;
        let found = attempt_in_line(line).map(|found| found.verdict);
        counters.unplaced += u64::from(found == Some(Verdict::EffectiveRemote));
    }

    /// Adds everything that another window knows.
    pub fn merge(&mut self, other: &Self) {
        for (key, counters) in &other.counters {
            self.counters.entry(*key).or_insert(Counters::EMPTY).merge(counters);
        }
        while self.counters.len() > SEGMENTS_MAX {
            self.counters.pop_last();
            self.truncated = true;
        }
        for (key, facts) in &other.contacts {
            self.add(*key, facts.clone());
        }
        self.ordinary.merge(&other.ordinary);
        self.served.merge(&other.served);
        self.users.merge(&other.users);
        for (print, name) in &other.prints {
            self.put_name(*print, name);
        }
        self.truncated |= other.truncated;
    }

    /// Figures about what is in it.
    pub fn stats(&self) -> WindowStats {
        let mut stats = WindowStats {
            contacts: self.contacts.len(),
            truncated: self.truncated || self.ordinary.is_full() || self.served.is_full(),
            ..WindowStats::default()
        };
        let mut organisations = BTreeMap::new();
        for ((_, org), counters) in &self.counters {
            stats.events += counters.events;
            stats.exploits += counters.kinds[Kind::Exploit as usize];
            stats.probes += counters.kinds[Kind::Probe as usize];
            stats.contact_overflow += counters.overflow;
            stats.refused += counters.refused;
            stats.unplaced_exploits += counters.unplaced;
            if counters.events == 0 {
                continue;
            }
            stats.first = Some(stats.first.map_or(counters.first, |at| at.min(counters.first)));
            stats.last = stats.last.max(Some(counters.last));
            let last = organisations.entry(*org).or_insert(counters.last);
            *last = counters.last.max(*last);
        }
        stats.organisations = organisations.into_iter().collect();
        stats
    }

    /// Keeps the names of the client that made a contact.
    fn name_client(&mut self, print: Print, event: &Event<'_>) {
        let tls = if event.ja4.is_empty() { ("ja3", event.ja3) } else { ("ja4", event.ja4) };
        self.name_one(print.tls, tls.0, tls.1);
        self.name_agent(print.agent, event.user_agent);
    }

    /// Keeps the name of the user agent that made a contact.
    pub(crate) fn name_agent(&mut self, hash: u32, agent: &str) {
        self.name_one(hash, "agent", agent);
    }

    fn name_one(&mut self, hash: u32, kind: &str, text: &str) {
        if hash != 0 && !self.prints.contains_key(&hash) {
            let text = &text[..text.floor_char_boundary(PRINT_BYTES_MAX)];
            self.put_name(hash, &format!("{kind}:{text}"));
        }
    }

    pub(crate) fn put_name(&mut self, hash: u32, name: &str) {
        let known = self.prints.entry(hash).or_insert_with(|| name.to_owned());
        if name < known.as_str() {
            name.clone_into(known);
        }
        if self.prints.len() > PRINTS_MAX {
            self.prints.pop_last();
        }
    }

    /// Adds a contact and keeps both limits.
    pub(crate) fn add(&mut self, key: ContactKey, facts: Facts) {
        match self.contacts.entry(key) {
            Entry::Occupied(mut entry) => return entry.get_mut().merge(&facts),
            Entry::Vacant(entry) => drop(entry.insert(facts)),
        }
        let mut of_visit = self.contacts.range(key.visit.contacts());
        if let Some((&weakest, _)) = of_visit.nth(VISIT_CONTACTS_MAX) {
            self.contacts.remove(&weakest);
            self.truncated = true;
        }
        if self.contacts.len() > CONTACTS_MAX {
            self.contacts.pop_last();
            self.truncated = true;
        }
    }
}

/// Who is at home where, in one organisation: what makes a contact warm. A site belongs to one
/// organisation, so nothing of this crosses from one to another.
#[derive(Clone, Debug)]
pub struct Home {
    ordinary: Marks,
    served: Marks,
}

impl Default for Home {
    fn default() -> Self {
        Self { ordinary: Marks::new(MARKS_MAX), served: Marks::new(MARKS_MAX) }
    }
}

impl Home {
    /// Adds what a window of the organisation knows.
    pub fn add(&mut self, window: &Window) {
        self.ordinary.merge(&window.ordinary);
        self.served.merge(&window.served);
    }

    /// Whether a source uses a site in an ordinary way.
    pub(crate) fn knows(&self, source: IpAddr, org: OrgId, site: Option<SiteId>) -> bool {
        self.ordinary.may_contain(Visit::new(source, org, site).hash)
    }

    /// The class of a contact, given everything that is known here.
    pub(crate) fn class(&self, key: &ContactKey, facts: &Facts) -> Class {
        // A page that is used makes no other host of its source a known one.
        let is_at_home = || facts.in_site || self.ordinary.may_contain(key.visit.hash);
        let warm = key.kind != Kind::Stray && is_at_home()
            || self.served.may_contain(key.visit.served(key.door));
        match key.kind {
            Kind::Probe if catalogue::is_of_flaw(key.door) => Class::Flaw,
            kind => Class::of(kind, warm),
        }
    }
}

/// The door of the catalogue, or that of lookups.
fn door_of(knock: &Knock) -> Option<&'static str> {
    match knock.kind {
        Kind::Probe => catalogue::id_of(knock.door),
        Kind::Attempt if is_climb(knock.door, &knock.text) => None,
        Kind::Exploit | Kind::Attempt => Some(LOOKUP_DOOR),
        Kind::Refused | Kind::NotFound | Kind::Stray | Kind::Dropped => None,
    }
}

fn print_of(event: &Event<'_>) -> Print {
    Print::of(event.ja4, event.ja3, event.user_agent)
}

#[cfg(test)]
mod tests;
