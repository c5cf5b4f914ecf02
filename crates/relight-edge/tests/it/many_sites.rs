//! A province on one edge: 4,000 sites in one nginx and in one HAProxy.

use std::time::Instant;

use relight_model::Seen;

use crate::support::{Kind, Rig, set};

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
