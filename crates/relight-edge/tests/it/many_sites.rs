//! A province on one edge: 4,000 sites in one nginx and in one HAProxy.

use std::time::Instant;

use relight_edge::{EdgeErrorKind, Stage};
use relight_model::Seen;

use crate::support::{Kind, Rig, epoch, key, set};

fn darken_and_relight(kind: Kind) {
    const SITES: usize = 4_000;
    let begin = Instant::now();
    let mut rig = Rig::start_in(tempfile::tempdir().unwrap(), kind, SITES);
    let started = begin.elapsed();
    let sites: Vec<usize> = (0..SITES).collect();
    let counted = |rig: &mut Rig| {
        let results = rig.probe(&sites);
        [Seen::Dark, Seen::Lit].map(|seen| results.iter().filter(|r| r.seen == seen).count())
    };
    assert_eq!(counted(&mut rig), [0, SITES]);
    let start = Instant::now();
    rig.close(1, &set(0..SITES));
    let closed = start.elapsed();
    assert_eq!(counted(&mut rig), [SITES, 0]);
    println!(
        "{kind:?}: {SITES} gates closed in {closed:?}, proven in {:?}, started in {started:?}",
        start.elapsed()
    );
    rig.open(2, &set(0..SITES / 2));
    assert_eq!(counted(&mut rig), [SITES / 2, SITES / 2]);
}

#[test]
fn nginx_darkens_four_thousand_sites() {
    darken_and_relight(Kind::Nginx);
}

#[test]
fn haproxy_darkens_four_thousand_sites() {
    darken_and_relight(Kind::Haproxy);
}

#[test]
fn apache_darkens_four_thousand_sites() {
    darken_and_relight(Kind::Apache);
}

#[test]
fn caddy_darkens_four_thousand_sites() {
    darken_and_relight(Kind::Caddy);
}

/// Single openings that came together, twenty at a time: two short writes of the gate for each
/// twenty, the rest of the gate as it was, and nothing that the next look takes for foreign.
#[test]
fn openings_that_came_together_are_one_change() {
    const SITES: usize = 200;
    for kind in [Kind::Nginx, Kind::Haproxy, Kind::Apache, Kind::Caddy] {
        let mut rig = Rig::start_in(tempfile::tempdir().unwrap(), kind, SITES);
        rig.close(1, &set(0..SITES));
        let (mut seq, start) = (2, Instant::now());
        for first in (0..SITES / 2).step_by(20) {
            let (changed, wanted) = (set(first..first + 20), set(first + 20..SITES));
            for stage in [Stage::Runtime, Stage::Durable] {
                rig.driver.apply_changes(epoch(seq), stage, &wanted, &changed).unwrap();
                // Twice is once, and an older one is refused.
                rig.driver.apply_changes(epoch(seq), stage, &wanted, &changed).unwrap();
                let older = rig.driver.apply_changes(epoch(seq - 1), stage, &wanted, &changed);
                assert_eq!(older.unwrap_err().kind, EdgeErrorKind::Fenced, "{kind:?}");
            }
            seq += 1;
        }
        println!("{kind:?}: {} openings in {:?}", SITES / 2, start.elapsed());
        let keys: Vec<_> = (0..SITES).map(key).collect();
        let views = rig.driver.observe(&keys).unwrap();
        let lights = |view: &relight_edge::GateView| (view.durable, view.runtime, view.foreign);
        assert!(
            views[..100].iter().all(|v| lights(v) == (Seen::Lit, Seen::Lit, false)),
            "{kind:?}"
        );
        assert!(
            views[100..].iter().all(|v| lights(v) == (Seen::Dark, Seen::Dark, false)),
            "{kind:?}"
        );
        assert_eq!(views[0].epoch, Some(epoch(seq - 1)), "{kind:?}");
        // Closing again, one that is open and one that never was.
        let wanted = set([3, 150]);
        for stage in [Stage::Durable, Stage::Runtime] {
            rig.driver
                .apply_changes(epoch(seq), stage, &(&set(101..SITES) | &wanted), &wanted)
                .unwrap();
        }
        assert_eq!((rig.seen(3), rig.seen(99)), (Seen::Dark, Seen::Lit), "{kind:?}");
        rig.open(seq, &set([]));
        let sites: Vec<usize> = (0..SITES).collect();
        assert!(rig.probe(&sites).iter().all(|result| result.seen == Seen::Lit), "{kind:?}");
    }
}
