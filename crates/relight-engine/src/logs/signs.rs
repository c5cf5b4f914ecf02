//! Whether a site showed signs of success since it had a flaw (INCIDENT 3.3). "No signs" is an
//! assertion: it holds only where what came in and what went out was looked at on every day.

use std::collections::BTreeMap;

use relight_model::{GateKey, Sign, SiteId, Timestamp};
use relight_store::{SiteSet, Store};
use relight_watch::{Outbound, read_outbound};

use super::compact::{HEARD, day_of};
use super::{Faults, list, signs_seen};
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::then::{INVENTORY_AGE_MAX_S, Since, Then};

/// Name of the list of days on which somebody looked at what sites sent out, in the data folder.
pub const OUTBOUND: &str = "outbound.csv";

/// What is known about signs of success at a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignsOf {
    /// Everything was looked at, and there was none.
    None,
    /// These were seen.
    Seen(Vec<Sign>),
    /// Nobody can tell.
    Unknown(SignsGap),
}

/// Why nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignsGap {
    /// No inventory says since when the site had the flaw: none had it, or no earlier one of the
    /// same asset was read completely and had it not.
    Since,
    /// No log of what came in on that day, in days since 1970.
    Inbound(i64),
    /// Nobody looked at what went out on that day.
    Outbound(i64),
    /// That line of the list of signs could not be read: it may be one of this site.
    Unread(usize),
}

/// What is known about signs at a site from the time on at which it had the flaw.
///
/// # Errors
/// The store or a list in the data folder cannot be read.
pub fn signs_of(
    store: &Store,
    site: SiteId,
    since: Option<Since>,
    until: Timestamp,
) -> Result<SignsOf, EngineError> {
    let is_since = |at: Timestamp| since.is_none_or(|since| since.or_earlier || at >= since.at);
    let own = |sign: &Sign| sign.site == site && is_since(sign.at);
    let (signs, faults) = signs_seen(store)?;
    let seen: Vec<Sign> = signs.into_iter().filter(own).collect();
    if !seen.is_empty() {
        return Ok(SignsOf::Seen(seen));
    }
    if let Some((line, _)) = faults.first() {
        return Ok(SignsOf::Unknown(SignsGap::Unread(*line)));
    }
    let Some(since) = since else { return Ok(SignsOf::Unknown(SignsGap::Since)) };
    let days = day_of(since.at)..=day_of(until);
    let heard: BTreeMap<i64, SiteSet> =
        store.watch_probes(HEARD, *days.start(), *days.end())?.into_iter().collect();
    let is_heard = |day: &i64| heard.get(day).is_some_and(|sites| sites.contains(site.0));
    if let Some(day) = days.clone().find(|day| !is_heard(day)) {
        return Ok(SignsOf::Unknown(SignsGap::Inbound(day)));
    }
    let looked: Vec<Outbound> =
        outbound(store)?.0.into_iter().filter(|it| it.site == site).collect();
    let is_looked_at = |day: &i64| looked.iter().any(|it| (it.first..=it.last).contains(day));
    let missing = days.clone().find(|day| !is_looked_at(day)).map(SignsGap::Outbound);
    let gap = missing.or_else(|| since.or_earlier.then_some(SignsGap::Since));
    Ok(gap.map_or(SignsOf::None, SignsOf::Unknown))
}

impl Engine {
    /// What is known about signs at a site since it had the flaw of an incident: asked before
    /// anybody's word that there were none is taken.
    ///
    /// # Errors
    /// The site is not known, or the store or a list in the data folder cannot be read.
    pub fn signs_at(&self, id: &str, site: &GateKey) -> Result<SignsOf, EngineError> {
        let known = self.sites().iter().find(|it| it.slug == *site).map(|it| it.id);
        let place = known.ok_or_else(|| {
            EngineError::new(EngineErrorKind::NotFound, format!("no site is called {site}"))
        })?;
        let question = self.with_ledger(|ledger| Some(ledger.incident(id)?.question.clone()));
        let flaw = question.unwrap_or_default();
        let then = Then::new(&self.store, std::slice::from_ref(&flaw), INVENTORY_AGE_MAX_S)?;
        let now = self.now();
        signs_of(&self.store, place, then.since(place, now, &flaw)?, now)
    }
}

/// The days on which somebody looked at what sites sent out, from [`OUTBOUND`] in the data folder,
/// and the lines of it that are none, by number and code. Without the file there are none.
///
/// # Errors
/// The file is there and cannot be read, or the register cannot.
pub fn outbound(store: &Store) -> Result<(Vec<Outbound>, Faults), EngineError> {
    let sites = store.sites()?;
    let by_name = list::sites_by_name(&sites);
    let text = list::text(store, OUTBOUND, "reading the list of outbound days")?;
    Ok(read_outbound(&text, &|name| by_name.get(name).copied()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;

    use super::super::judge::tests::one_site;
    use super::*;

    const DAY: Timestamp = 86_400;
    /// One in the morning of the first day of 1970: the clock of these tests stands there.
    const SINCE: Since = Since { at: 3_600, or_earlier: false };

    /// Trap: no signs from an absence of logs.
    #[test]
    fn no_signs_is_said_only_where_every_day_was_looked_at_both_ways() {
        let (_folder, engine, feed) = one_site();
        let (store, site) = (engine.store(), feed.site.unwrap());
        let put = |name: &str, text: &str| {
            fs::write(store.path().with_file_name(name), text).unwrap();
        };
        let heard = |day: u32| {
            let line = format!(
                "192.0.2.1 - - [{day:02}/Jan/1970:12:00:00 +0000] \"GET / HTTP/1.1\" 200 9 \
                 \"-\" \"-\"\n"
            );
            engine.ingest_log(&feed, Cursor::new(line.into_bytes())).unwrap();
        };
        let from = |since| signs_of(store, site, since, SINCE.at + DAY).unwrap();
        let asked = || from(Some(SINCE));
        let asked_of_before = || from(Some(Since { or_earlier: true, ..SINCE }));
        assert_eq!(from(None), SignsOf::Unknown(SignsGap::Since));
        heard(1);
        assert_eq!(asked(), SignsOf::Unknown(SignsGap::Inbound(1)));
        heard(2);
        assert_eq!(asked(), SignsOf::Unknown(SignsGap::Outbound(0)));
        put(OUTBOUND, "1970-01-01,1970-01-01,a,R. Roy\n1970-01-02,1970-01-20,other,R. Roy\n");
        assert_eq!(asked(), SignsOf::Unknown(SignsGap::Outbound(1)));
        assert_eq!(outbound(store).unwrap().1, [(2, "outbound-site")]);
        put(OUTBOUND, "1970-01-01,1970-01-01,a,R. Roy\n1970-01-02,1970-01-20,a,R. Roy\n");
        assert_eq!(asked(), SignsOf::None);
        assert_eq!(asked_of_before(), SignsOf::Unknown(SignsGap::Since), "or earlier");
        put(super::super::SIGNS, "1970-01-01T00:00:09Z,a,connection,203.0.113.9\n");
        assert_eq!(asked(), SignsOf::None, "before it had the flaw");
        assert!(matches!(asked_of_before(), SignsOf::Seen(signs) if signs.len() == 1));
        put(super::super::SIGNS, "1970-01-02T00:00:00Z,a,connection,203.0.113.9\n");
        assert!(matches!(asked(), SignsOf::Seen(signs) if signs.len() == 1));
        put(super::super::SIGNS, "# nothing\n2 January,a,connection,203.0.113.9\n");
        assert_eq!(asked(), SignsOf::Unknown(SignsGap::Unread(2)), "it may have been one");
    }
}
