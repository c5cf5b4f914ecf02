//! Everything that windows hold about the sources that are worth a look.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{OrgId, SiteId};

use super::{Contact, SourceKey, Summary};
use crate::contact::{AGAIN_S, Class, Facts};
use crate::pool::{client, first_pair, is_pair_of};
use crate::window::{Home, Window};

/// One contact with its final class and its text.
#[derive(Clone, Debug)]
struct Kept {
    class: Class,
    facts: Facts,
}

impl Kept {
    /// Its class, now that all is known that was ever seen of it.
    fn class(&self, of_many: bool) -> Class {
        let again = self.facts.last - self.facts.first.0 >= AGAIN_S;
        let class = if again { self.class.again(self.facts.served) } else { self.class };
        if of_many { class.of_many() } else { class }
    }
}

/// An address that is at home at this many sites stands for many people: misses and refusals from
/// it say nothing, and a few doors of the catalogue are explained. Visits buy an actor little: 250
/// sites at which an address must be at home for one door.
pub const SHARED_SITES_MIN: usize = 100;

/// An address that uses sites with more programs than this (user agents and TLS clients) stands
/// for many people, at however few sites it is at home.
pub const CROWD_CLIENTS_MAX: usize = 50;

/// A door at a site of an organisation.
type Door = (OrgId, Option<SiteId>, u64);

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Dossier {
    contacts: BTreeMap<IpAddr, BTreeMap<Door, Kept>>,
    names: BTreeMap<u32, String>,
    /// At how many sites a source is at home.
    homes: BTreeMap<IpAddr, usize>,
    /// The programs with which a source used sites in an ordinary way, as many as decide.
    clients: BTreeMap<SourceKey, BTreeSet<u32>>,
}

impl Dossier {
    /// Takes what a window of an organisation holds about these sources. A door counts once for
    /// each site, in its strongest class.
    pub fn add(&mut self, window: &Window, home: &Home, sources: &BTreeSet<SourceKey>) {
        for (key, facts) in &window.contacts {
            let visit = &key.visit;
            if !sources.contains(&SourceKey::of(visit.source)) {
                continue;
            }
            let class = home.class(key, facts);
            let doors = self.contacts.entry(visit.source).or_default();
            match doors.entry((visit.org, visit.site, key.door)) {
                Entry::Vacant(entry) => drop(entry.insert(Kept { class, facts: facts.clone() })),
                Entry::Occupied(mut entry) => {
                    let kept = entry.get_mut();
                    kept.class = kept.class.min(class);
                    kept.facts.merge(facts);
                }
            }
        }
        self.add_clients(window, sources);
        for (hash, name) in &window.prints {
            self.names.entry(*hash).or_insert_with(|| name.clone());
        }
    }

    /// Notes the programs that people behind these sources use.
    fn add_clients(&mut self, window: &Window, sources: &BTreeSet<SourceKey>) {
        let (pairs, _) = window.users.0.sorted();
        for source in sources {
            let from = pairs.partition_point(|pair| *pair < first_pair(*source));
            let own = pairs[from..].iter().take_while(|pair| is_pair_of(**pair, *source));
            let mut own = own.copied().peekable();
            if own.peek().is_none() {
                continue;
            }
            let known = self.clients.entry(*source).or_default();
            for pair in own {
                if known.len() <= CROWD_CLIENTS_MAX {
                    known.insert(client(pair));
                }
            }
        }
    }

    /// Many people use it: a carrier's address, an office's, a proxy's. To block it is to block
    /// them.
    pub fn is_crowd(&self, source: IpAddr) -> bool {
        let programs = self.clients.get(&SourceKey::of(source));
        programs.is_some_and(|programs| programs.len() > CROWD_CLIENTS_MAX)
            || self.homes.get(&source).is_some_and(|sites| *sites >= SHARED_SITES_MIN)
    }

    /// Counts at how many of the sites of one organisation these sources are at home.
    pub fn add_home(
        &mut self,
        home: &Home,
        places: &BTreeSet<(OrgId, Option<SiteId>)>,
        sources: &BTreeSet<SourceKey>,
    ) {
        for source in sources.iter().map(|source| source.address()) {
            let is_home = |(org, site): &&(OrgId, Option<SiteId>)| home.knows(source, *org, *site);
            let count = places.iter().filter(is_home).count();
            if count > 0 {
                *self.homes.entry(source).or_default() += count;
            }
        }
    }

    /// Every source in order, with its contacts in order of time.
    pub(crate) fn summaries(&self) -> impl Iterator<Item = Summary<'_>> {
        self.contacts.keys().filter_map(|source| self.summary(*source))
    }

    /// The sources among these that are known.
    pub(crate) fn summaries_of(&self, sources: &[SourceKey]) -> impl Iterator<Item = Summary<'_>> {
        sources.iter().filter_map(|source| self.summary(source.address()))
    }

    /// The name of a client, or its hash when windows no longer hold it.
    pub(crate) fn name(&self, hash: u32) -> String {
        self.names.get(&hash).cloned().unwrap_or_else(|| format!("client:{hash:08x}"))
    }

    fn summary(&self, source: IpAddr) -> Option<Summary<'_>> {
        let doors = self.contacts.get(&source)?;
        let mut contacts: Vec<Contact<'_>> = Vec::with_capacity(doors.len());
        let homes = self.homes.get(&source).copied().filter(|sites| *sites >= SHARED_SITES_MIN);
        let of_many = homes.is_some();
        for ((org, site, door), kept) in doors {
            let (first, status, text, print) = &kept.facts.first;
            contacts.push(Contact {
                first: *first,
                org: *org,
                site: *site,
                class: kept.class(of_many),
                text,
                status: *status,
                last: kept.facts.last,
                print: *print,
                door: *door,
            });
        }
        contacts.sort_unstable();
        Some(Summary { source, contacts, homes: homes.unwrap_or(0), claims: false })
    }
}

#[cfg(test)]
mod tests {
    use relight_model::Event;

    use super::*;

    /// Trap: carrier NAT. Some of the many people behind an address are no reason to block all.
    #[test]
    fn an_address_with_very_many_programs_is_a_crowd_at_one_site_too() {
        let (org, site) = (OrgId(1), Some(SiteId(1)));
        let of = |last: u8, programs: usize| {
            let source = IpAddr::from([192, 0, 2, last]);
            let mut windows = [Window::new(1), Window::new(2)];
            for number in 0..programs {
                let agent = format!("Browser/{number}");
                let event = Event {
                    site,
                    path: "/",
                    method: "GET",
                    status: 200,
                    user_agent: &agent,
                    ..Event::bare(org, 0, source)
                };
                windows[number % 2].observe(&event);
            }
            let sources = BTreeSet::from([SourceKey::of(source)]);
            let (mut dossier, home) = (Dossier::default(), Home::default());
            windows.iter().for_each(|window| dossier.add(window, &home, &sources));
            dossier.is_crowd(source)
        };
        assert!(!of(1, 1) && !of(2, CROWD_CLIENTS_MAX));
        assert!(of(3, CROWD_CLIENTS_MAX + 1) && of(4, 5_000));
    }
}
