//! The slow actor is found, nobody else is; and what would break that.

use std::collections::BTreeSet;

use relight_model::{Campaign, Severity};

use super::*;
use crate::civil::DAY;
use crate::line::Lines;
use crate::parsers::{Feed, named};
use crate::{Reader, Taken, Window, campaigns, judge};

/// 2021-10-12: sixty days end on 2021-12-10.
const FROM: Timestamp = 1_633_996_800;

pub(crate) fn scenario(seed: u64, days: u32) -> Scenario {
    let site = |number: u32| (SiteId(number), format!("site{number}.example.test"));
    let organisations = (0..12)
        .map(|org| SimOrganisation {
            id: OrgId(org),
            sites: (0..1 + org % 3).map(|number| site(org * 3 + number)).collect(),
        })
        .collect();
    let logs = Products::Combined;
    Scenario { seed, organisations, from: FROM, days, visitors_per_day: 3, logs }
}

/// One window for each site. Every line that the simulator writes must parse.
fn windows(simulation: &Simulation) -> Vec<(OrgId, Window)> {
    let window = |(number, log): (usize, &SiteLog)| {
        let (org, site, host) = (log.org, Some(log.site), log.host.clone());
        let received = FROM + 61 * DAY;
        let feed = Feed { org, site, host, received, ..Feed::default() };
        let mut reader = Reader::of(feed, named(log.format).unwrap());
        let mut window = Window::new(number as u64);
        let mut last = Timestamp::MIN;
        for line in Lines::new(&log.bytes) {
            match reader.take(&line) {
                Taken::Event(_, event) => {
                    assert!(event.at >= last, "sorted in time: {line}");
                    last = event.at;
                    window.observe(&event);
                }
                Taken::Nothing => {}
                Taken::Refused(code) => panic!("{}: {code}: {line}", log.format),
            }
        }
        (log.org, window)
    };
    simulation.logs.iter().enumerate().map(window).collect()
}

fn pool<'a>(windows: impl Iterator<Item = &'a Window>) -> Window {
    let mut pool = Window::new(0);
    windows.for_each(|window| pool.merge(window));
    pool
}

/// Every campaign of a run: an attempt has a payload that would have worked, everything else is
/// reconnaissance, and nothing is more than an attempt.
fn judged(windows: &[(OrgId, Window)]) -> Vec<Campaign> {
    let found = campaigns(&judge(&pool(windows.iter().map(|(_, window)| window))));
    for campaign in &found {
        let has_payload = !campaign.attempts.is_empty();
        let most = if has_payload { Severity::ExploitAttempt } else { Severity::Reconnaissance };
        assert!(campaign.severity <= most, "{campaign:?}");
    }
    found
}

fn with_source(campaigns: &[Campaign], source: IpAddr) -> Option<&Campaign> {
    campaigns.iter().find(|campaign| campaign.sources.contains(&source))
}

/// Goal: over two months, every actor is found and no benign source is. Method: several seeds;
/// the pool of all sites, judged against the truth.
#[test]
fn actors_are_found_and_nobody_else() {
    for seed in [1, 2] {
        let simulation = scenario(seed, 60).generate();
        let truth = &simulation.truth;
        let windows = windows(&simulation);
        let found = judged(&windows);
        for source in found.iter().flat_map(|campaign| &campaign.sources) {
            assert!(truth.is_actor(*source), "seed {seed}: {source} is benign");
        }
        let slow = with_source(&found, truth.slow_actor).unwrap();
        assert_eq!(slow.sources, [truth.slow_actor], "seed {seed}");
        assert_eq!(slow.severity, Severity::Reconnaissance);
        assert_eq!(slow.organisations.len(), 12);
        assert!(slow.confidence > 0.95);
        let attempts = with_source(&found, truth.attempt_sources[0]).unwrap();
        assert_eq!(attempts.severity, Severity::ExploitAttempt);
        assert_eq!(attempts.sources.len(), 2, "joined by their callback host");
        assert_eq!(attempts.first / DAY, FROM / DAY + 59, "on the last day");
        let counted: u32 = attempts.detections.iter().map(|one| one.contacts).sum();
        assert_eq!(counted, truth.attempts);
        assert!(with_source(&found, truth.mass_scanner).is_some());
    }
}

/// Goal: the decision needs all organisations together. Method: within a week the pool has it,
/// and no organisation has it alone. A detector that never merged organisations fails here.
#[test]
fn only_the_pool_finds_the_slow_actor_in_a_week() {
    for seed in [4, 5, 6, 7] {
        let simulation = scenario(seed, 7).generate();
        let source = simulation.truth.slow_actor;
        let windows = windows(&simulation);
        let is_found = |pool: &Window| judge(pool).iter().any(|one| one.sources == [source]);
        assert!(is_found(&pool(windows.iter().map(|(_, window)| window))), "seed {seed}");
        for org in (0..12).map(OrgId) {
            let own = windows.iter().filter(|(of, _)| *of == org).map(|(_, window)| window);
            assert!(!is_found(&pool(own)), "seed {seed}: organisation {} alone", org.0);
        }
    }
}

/// Who counts events instead of contacts detects the editor, who logs in twice a day on two
/// sites, and the feed readers, who ask four times a day.
#[test]
fn repetition_is_no_evidence() {
    let simulation = scenario(8, 60).generate();
    let truth = &simulation.truth;
    let windows = windows(&simulation);
    let detections = judge(&pool(windows.iter().map(|(_, window)| window)));
    let found: BTreeSet<_> =
        detections.iter().flat_map(|one| one.sources.iter().copied()).collect();
    let busy = [&truth.editors, &truth.feed_readers, &truth.crawlers, &truth.shared];
    assert!(busy.into_iter().flatten().all(|source| !found.contains(source)));
    let log = &simulation.logs[0];
    let editor = truth.editors[0].to_string();
    let lines = Lines::new(&log.bytes).filter(|line| line.starts_with(&editor)).count();
    assert!(lines >= 120, "the editor must be there to prove anything: {lines}");
}

#[test]
fn the_slow_actor_is_slow() {
    let simulation = scenario(9, 60).generate();
    let contacts = &simulation.truth.slow_contacts;
    for day in 0..60 {
        let on_day = contacts.iter().filter(|(at, _, _)| (at - FROM) / DAY == day).count();
        assert!((1..=3).contains(&on_day), "day {day}: {on_day}");
    }
    for (index, (at, org, _)) in contacts.iter().enumerate() {
        let again = contacts[index + 1..].iter().find(|(_, other, _)| other == org);
        assert!(again.is_none_or(|(later, _, _)| later - at >= 2 * DAY), "{org:?}");
    }
}

#[test]
fn the_seed_decides_every_byte() {
    let bytes = |seed| -> Vec<Vec<u8>> {
        scenario(seed, 3).generate().logs.into_iter().map(|log| log.bytes).collect()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn empty_scenarios_are_empty() {
    let none = Scenario { organisations: Vec::new(), ..scenario(1, 5) }.generate();
    assert!(none.logs.is_empty());
    let no_days = Scenario { days: 0, ..scenario(1, 5) }.generate();
    assert!(no_days.truth.slow_contacts.is_empty());
    assert_eq!(no_days.logs.len(), 24);
}

/// Goal: what is found does not hang on the product that wrote the log. Method: the same events in
/// the words of fourteen products, told line by line.
#[test]
fn the_same_actors_are_found_in_the_words_of_any_product() {
    let simulation = Scenario { logs: Products::Many, ..scenario(1, 60) }.generate();
    let formats: BTreeSet<_> = simulation.logs.iter().map(|log| log.format).collect();
    assert_eq!(formats.len(), 14);
    let windows = windows(&simulation);
    let found = judged(&windows);
    let truth = &simulation.truth;
    for source in found.iter().flat_map(|campaign| &campaign.sources) {
        assert!(truth.is_actor(*source), "{source} is benign");
    }
    let slow = with_source(&found, truth.slow_actor).unwrap();
    assert_eq!(slow.organisations.len(), 12);
    let attempts = with_source(&found, truth.attempt_sources[0]).unwrap();
    let counted: u32 = attempts.detections.iter().map(|one| one.contacts).sum();
    assert_eq!(counted, truth.attempts);
    assert!(with_source(&found, truth.mass_scanner).is_some());
    for log in &simulation.logs {
        let mut reader = Reader::new(Feed::default());
        let mut lines = Lines::new(&log.bytes);
        assert!(lines.all(|line| !matches!(reader.take(&line), Taken::Refused(_))));
        let told: Vec<_> = reader.tally().formats.keys().copied().collect();
        assert_eq!(told, [log.format]);
    }
}
