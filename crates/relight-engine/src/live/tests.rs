//! What readers of the board get, and when.

use super::*;

fn board(count: usize) -> Board {
    let site = |number: usize| BoardSite {
        sector: "health".into(),
        organisation: "a".into(),
        slug: format!("site-{number:05}"),
        name_fr: String::new(),
        name_en: String::new(),
        public: true,
        channel: Default::default(),
    };
    Board::new(Headline::default(), (0..count).rev().map(site).collect())
}

#[test]
fn order_is_fixed_and_found() {
    let board = board(3);
    assert_eq!(board.sites()[0].slug, "site-00000");
    assert_eq!(board.index_of("site-00002"), Some(2));
    assert_eq!(board.index_of("nowhere"), None);
}

#[test]
fn readers_get_the_newest_state_once() {
    let board = board(3);
    board.set(&[(0, DisplayState::DarkRequested, false), (2, DisplayState::Dark, true)]);
    board.set(&[(0, DisplayState::Dark, true), (9, DisplayState::Dark, true)]);
    let changed = vec![(0, DisplayState::Dark), (2, DisplayState::Dark)];
    assert_eq!(board.changes_since(0), Changes::Since { version: 3, changed });
    let changed = vec![(0, DisplayState::Dark)];
    assert_eq!(board.changes_since(2), Changes::Since { version: 3, changed });
    assert_eq!(board.snapshot().proven_dark, [true, false, true]);
}

/// Goal: sites that come and go leave the others as they are, and no reader goes on with old
/// places. Method: sites that sort before and between the others, and one that leaves.
#[test]
fn sites_come_and_go_and_the_others_keep_what_they_show() {
    let board = board(3);
    board.set_at(10, &[(1, DisplayState::Dark, true), (2, DisplayState::Dark, true)]);
    board.set_at(20, &[(1, DisplayState::RelitFixed, false)]);
    let (version, proof) = (board.snapshot().version, board.proofs().version);
    board.set_sites(board.sites().to_vec());
    assert_eq!((board.snapshot().version, board.proofs().version), (version, proof));
    let old = board.sites();
    let new = |slug: &str| BoardSite { slug: slug.into(), ..old[0].clone() };
    let mut sites = vec![new("aaa"), new("site-00001-b")];
    sites.extend(old[1..].iter().cloned());
    board.set_sites(sites);
    let snapshot = board.snapshot();
    let slugs: Vec<&str> = snapshot.sites.iter().map(|site| site.slug.as_str()).collect();
    assert_eq!(slugs, ["aaa", "site-00001", "site-00001-b", "site-00002"]);
    use DisplayState::{Dark, Online, RelitFixed};
    assert_eq!(snapshot.states, [Online, RelitFixed, Online, Dark]);
    let proofs = board.proofs();
    assert_eq!(proofs.dark_since, [None, None, None, Some(10)]);
    assert_eq!(proofs.past, [Outage { from: 10, to: 20, site: 1 }]);
    assert!(proofs.version > proof);
    let reset = Changes::Reset { version: snapshot.version };
    assert_eq!(board.changes_since(version), reset);
    assert_eq!(board.index_of("site-00000"), None);
    board.show_at(30, [("site-00000", Dark, true), ("aaa", Dark, true)]);
    let changed = vec![(0, Dark)];
    let version = snapshot.version + 1;
    assert_eq!(board.changes_since(version - 1), Changes::Since { version, changed });
    // An outage of a site that left is not one of another site.
    board.set_sites(vec![new("site-00002")]);
    assert_eq!((board.proofs().past, board.snapshot().states), (vec![], vec![Dark]));
    board.set_sites(Vec::new());
    assert!(board.snapshot().states.is_empty());
}

#[test]
fn outages_have_a_beginning_and_an_end() {
    let board = board(2);
    board.set_at(10, &[(0, DisplayState::DarkRequested, false), (1, DisplayState::Dark, true)]);
    board.set_at(12, &[(0, DisplayState::Dark, true)]);
    board.set_at(20, &[(0, DisplayState::Affected, true), (1, DisplayState::Online, false)]);
    let proofs = board.proofs();
    assert_eq!(proofs.dark_since, [Some(12), None]);
    assert_eq!(proofs.past, [Outage { from: 10, to: 20, site: 1 }]);
    // A clock that was set back never makes an outage of negative length.
    board.set_at(5, &[(0, DisplayState::Online, false)]);
    assert_eq!(board.proofs().past[1], Outage { from: 12, to: 12, site: 0 });
}

#[test]
fn verdicts_and_steps_are_no_proof() {
    let board = board(2);
    board.set_at(10, &[(0, DisplayState::Dark, true)]);
    let before = board.proofs();
    for state in [DisplayState::Affected, DisplayState::Fixing, DisplayState::Verifying] {
        board.set_at(20, &[(0, state, true), (1, DisplayState::Exposed, false)]);
    }
    assert_eq!(board.proofs(), before);
    assert_eq!(board.wait_proof(before.version, Duration::from_millis(1)), before.version);
    board.set_at(30, &[(0, DisplayState::RelitFixed, false)]);
    assert!(board.wait_proof(before.version, Duration::from_secs(10)) > before.version);
}

#[test]
fn the_oldest_outages_are_forgotten() {
    let board = board(1);
    for round in 0..OUTAGES_MAX + 1 {
        let at = i64::try_from(round).unwrap();
        board.set_at(at, &[(0, DisplayState::Dark, true), (0, DisplayState::Online, false)]);
    }
    let past = board.proofs().past;
    assert_eq!((past.len(), past[0].from), (OUTAGES_MAX, 1));
}

#[test]
fn a_new_headline_is_a_change_without_sites() {
    let board = board(1);
    let headline = Headline { id: "CVE-2021-44228".into(), ..Headline::default() };
    let before = board.proofs();
    board.set_headline(headline);
    assert_eq!(board.proofs(), before, "what is open is told by no proof");
    assert_eq!(board.changes_since(0), Changes::Since { version: 1, changed: Vec::new() });
    board.set(&[(0, DisplayState::Dark, true)]);
    let changed = vec![(0, DisplayState::Dark)];
    assert_eq!(board.changes_since(0), Changes::Since { version: 2, changed });
    let before = board.proofs();
    board.set_headline(Headline::default());
    assert_eq!(board.proofs(), before);
}

#[test]
fn setting_the_same_state_is_no_change() {
    let board = board(1);
    board.set(&[(0, DisplayState::Online, false)]);
    assert_eq!(board.snapshot().version, 0);
}

#[test]
fn a_reader_that_is_too_old_or_from_another_life_is_told_to_reload() {
    let board = board(2);
    for round in 0..=CHANGES_MAX / 2 {
        let state = if round % 2 == 0 { DisplayState::Dark } else { DisplayState::Online };
        board.set(&[(0, state, round % 2 == 0), (1, state, round % 2 == 0)]);
    }
    assert!(matches!(board.changes_since(0), Changes::Reset { .. }));
    assert!(matches!(board.changes_since(u64::MAX), Changes::Reset { .. }));
}

#[test]
fn the_log_is_bounded() {
    let board = board(0);
    for _ in 0..LOG_LINES_MAX + 5 {
        board.log(0, "log-relit", Vec::new());
    }
    let lines = board.log_since(0);
    assert_eq!(lines.len(), LOG_LINES_MAX);
    assert_eq!(lines[0].seq, 6);
}

/// Goal: names that stand in the log take no room without end, and a line never keeps a part of its
/// names: whoever reads some sites would miss it for the others. Method: one name too many.
#[test]
fn the_names_of_sites_in_the_log_are_bounded() {
    let board = board(0);
    board.log_of(0, "log-relit", Vec::new(), &["oldest".to_owned()]);
    let most: Vec<String> = (0..LOG_SITES_MAX).map(|number| format!("s{number}")).collect();
    let kept =
        || -> Vec<usize> { board.log_since(0).iter().map(|line| line.sites.len()).collect() };
    board.log_of(0, "log-relit", Vec::new(), &most[1..]);
    assert_eq!(kept(), [1, LOG_SITES_MAX - 1]);
    board.log_of(0, "log-relit", Vec::new(), &most[..1]);
    assert_eq!(kept(), [0, LOG_SITES_MAX - 1, 1], "the oldest line loses its names");
    board.log_of(0, "log-relit", Vec::new(), &most);
    assert_eq!(kept(), [0, 0, 0, LOG_SITES_MAX]);
}

#[test]
fn waiting_ends_with_a_change_or_with_time() {
    let board = board(1);
    assert_eq!(board.wait_newer(0, Duration::from_millis(1)), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| board.set(&[(0, DisplayState::Dark, true)]));
        assert_eq!(board.wait_newer(0, Duration::from_secs(10)), 1);
    });
}
