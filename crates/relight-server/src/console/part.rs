//! The part of the board that somebody reads: the wall, its counters, its chart, its log and its
//! stream are of these sites alone, as if there were no others.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::access::{Grant, Scope};
use relight_engine::live::{BoardSite, LogLine, Outage, Proofs, Snapshot};
use relight_model::DisplayState;

use super::tally::{self, Sector};
use super::{Asked, Console};
use crate::access::digest_of;
use crate::access::signed_in::Reader;

/// Lines that are about no site and that everybody reads: each incident has its page for them.
const OF_ALL: [&str; 2] = ["log-incident-opened", "log-incident-closed"];

/// Lines about any number of sites, which their last argument says.
const COUNTING: [&str; 4] =
    ["log-dark-ordered", "log-dark-proven", "log-held-back", "log-relit-many"];

/// Which sites of the board somebody reads, and where each stands among them.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The sites that are read, in their fixed order.
    pub(crate) sites: Arc<[BoardSite]>,
    /// Their sectors.
    pub(crate) sectors: Arc<[Sector]>,
    /// Where each stands on the board; `None` where all are read.
    places: Option<Vec<usize>>,
    /// Their names, for the log and the lists; made when somebody asks.
    own: OnceLock<HashSet<String>>,
    /// The life of the server, and for a part whose it is: places of one part mean nothing in
    /// another.
    pub(crate) life: String,
}

impl Part {
    /// What a reader sees of these sites.
    pub(crate) fn of(console: &Console, reader: &Reader, sites: &Arc<[BoardSite]>) -> Self {
        let (own, life) = (OnceLock::new(), Self::life_of(console, reader));
        if reader.reads(&Scope::root()) {
            let sectors = console.sectors(sites);
            return Self { sites: Arc::clone(sites), sectors, places: None, own, life };
        }
        let reads =
            |site: &BoardSite| reader.reads(&Scope::of_body(&site.sector, &site.organisation));
        let (places, read): (Vec<usize>, Vec<BoardSite>) =
            sites.iter().cloned().enumerate().filter(|(_, site)| reads(site)).unzip();
        let sectors = tally::sectors(&read).into();
        Self { sites: read.into(), sectors, places: Some(places), own, life }
    }

    /// The life of a reader: another one when a role was granted or taken back.
    pub(crate) fn life_of(console: &Console, reader: &Reader) -> String {
        match reader {
            Reader::Signed(signed) if !reader.reads(&Scope::root()) => {
                format!("{}-{}", console.life, tag(&signed.account.grants))
            }
            _ => console.life.clone(),
        }
    }

    /// Whether all of the register is read.
    pub(crate) fn is_whole(&self) -> bool {
        self.places.is_none()
    }

    /// Where one of these sites stands on the board.
    pub(crate) fn place(&self, ordinal: usize) -> Option<usize> {
        match &self.places {
            None => (ordinal < self.sites.len()).then_some(ordinal),
            Some(places) => places.get(ordinal).copied(),
        }
    }

    /// Where a site of the board stands here.
    fn ordinal(&self, place: usize) -> Option<usize> {
        match &self.places {
            None => Some(place),
            Some(places) => places.binary_search(&place).ok(),
        }
    }

    /// The states of these sites.
    pub(crate) fn states(&self, snapshot: Snapshot) -> Vec<DisplayState> {
        match &self.places {
            None => snapshot.states,
            Some(places) => {
                places.iter().filter_map(|place| snapshot.states.get(*place).copied()).collect()
            }
        }
    }

    /// What changed of these sites.
    pub(crate) fn changed(
        &self,
        changed: Vec<(usize, DisplayState)>,
    ) -> Vec<(usize, DisplayState)> {
        let own = |(place, state)| Some((self.ordinal(place)?, state));
        changed.into_iter().filter_map(own).collect()
    }

    /// What probes saw of these sites.
    pub(crate) fn proofs(&self, proofs: Proofs) -> Proofs {
        let Some(places) = &self.places else { return proofs };
        let own = |outage: Outage| Some(Outage { site: self.ordinal(outage.site)?, ..outage });
        let since = |place: &usize| proofs.dark_since.get(*place).copied().flatten();
        Proofs {
            sites: Arc::clone(&self.sites),
            dark_since: places.iter().map(since).collect(),
            past: proofs.past.into_iter().filter_map(own).collect(),
            ..proofs
        }
    }

    /// Whether this is one of these sites.
    pub(crate) fn is_of(&self, slug: &str) -> bool {
        let own = || self.sites.iter().map(|site| site.slug.clone()).collect();
        self.own.get_or_init(own).contains(slug)
    }

    /// A line of the log as the reader may read it: one about sites of his own, or about an
    /// incident as a whole. How many sites went dark elsewhere is told to nobody: of a line about
    /// several his own are counted.
    pub(crate) fn told(&self, mut line: LogLine) -> Option<LogLine> {
        if self.is_whole() || OF_ALL.contains(&line.code) {
            return Some(line);
        }
        let count = line.sites.iter().filter(|site| self.is_of(site)).count();
        if COUNTING.contains(&line.code) {
            *line.args.last_mut()? = count.to_string();
        } else if count < line.sites.len() {
            return None;
        }
        (count > 0).then_some(line)
    }
}

/// Where somebody is led to whom nothing was granted yet: the list of sites says so.
pub(super) fn led_away(console: &Console, asked: &Asked) -> Option<Response> {
    let to_list = || Redirect::to(&format!("/sites?lang={}", console.lang(asked).tag()));
    asked.reader.reads_nothing().then(|| to_list().into_response())
}

/// Names what somebody reads with these roles.
fn tag(grants: &[Grant]) -> String {
    let scopes: BTreeSet<String> = grants.iter().map(|grant| grant.scope.to_string()).collect();
    let digest = digest_of(scopes.into_iter().collect::<Vec<_>>().join("\n").as_bytes());
    digest.to_string().chars().take(16).collect()
}
