//! What a stream sends, in which order, and when it starts again.

use relight_engine::live::{Board, BoardSite, CHANGES_MAX, Headline};

use super::*;
use crate::access::{Address, Door, Factor, SignedIn};

pub(super) fn console(sites: usize) -> Console {
    let site = |at: usize| BoardSite {
        sector: "health".into(),
        organisation: "o".into(),
        slug: format!("{at:05}"),
        name_fr: String::new(),
        name_en: String::new(),
        public: true,
        channel: Default::default(),
    };
    let board = Arc::new(Board::new(Headline::default(), (0..sites).map(site).collect()));
    Console {
        known_sectors: tally::Known::default(),
        names: crate::console::names::Names::default(),
        engine: None,
        board,
        lang: Lang::Fr,
        public_url: String::new(),
        languages: Lang::ALL.to_vec(),
        life: "a1".into(),
        streams: Streams::default(),
        loopback: true,
        stage: relight_web::views::Stage::Real,
        theme: relight_web::views::Theme::Neutral,
        meter: crate::console::meter::Meter::default(),
        past: crate::console::turns::Turns::default(),
        answers: crate::console::turns::Turns::default(),
        facts: Default::default(),
        meanings: Default::default(),
        agents: None,
        resumed: Default::default(),
        commands: Default::default(),
        door: Door::open(None, Address::parse("http://localhost").unwrap(), || 0).unwrap(),
    }
}

fn cursor(text: &str) -> Option<Cursor> {
    Cursor::parse(text)
}

#[test]
fn cursors_read_back() {
    assert_eq!(cursor("a1.5.7").map(|c| c.to_string()).as_deref(), Some("a1.5.7"));
    for bad in ["", "a1", "a1.5", "a1.x.7", "a1.5.7.9", "a1.-1.0"] {
        assert_eq!(cursor(bad), None, "{bad}");
    }
}

#[test]
fn nothing_is_lost_and_nothing_repeated() {
    let console = console(3);
    let now = Instant::now();
    console.board.set(&[(0, DisplayState::Dark, true)]);
    let mut writer = Writer::new(&console, Lang::En, (&Reader::Anyone, cursor("a1.0.0")));
    let first = writer.round(now);
    assert!(first.starts_with("event: light\nid: a1.1.0\ndata: {\"v\":1,\"c\":[[0,\"d\"]]}\n"));
    assert!(first.contains(": beat\n\nevent: counts\nid: a1.1.0\n"), "{first}");
    assert_eq!(writer.round(now + COALESCE), "");
    console.board.log(0, "log-relit", vec!["00001".into()]);
    let line = writer.round(now + COALESCE * 2);
    assert!(line.contains(r#""text":"00001 is lit again""#), "{line}");
    assert!(line.starts_with("event: log\nid: a1.1.1\n"), "{line}");
}

#[test]
fn counts_come_at_most_once_a_second_and_at_least_every_five() {
    let console = console(1);
    let start = Instant::now();
    let mut writer = Writer::new(&console, Lang::En, (&Reader::Anyone, None));
    let counted = |text: &str| text.contains("event: counts");
    assert!(counted(&writer.round(start)));
    console.board.set(&[(0, DisplayState::Dark, true)]);
    assert!(!counted(&writer.round(start + Duration::from_millis(999))));
    assert!(counted(&writer.round(start + Duration::from_millis(1000))));
    assert!(!counted(&writer.round(start + Duration::from_millis(5999))));
    assert!(counted(&writer.round(start + Duration::from_millis(6000))));
}

#[test]
fn a_reader_of_another_life_or_too_far_behind_starts_again() {
    let console = console(2);
    for since in ["b2.0.0", "a1.99.0"] {
        let mut writer = Writer::new(&console, Lang::En, (&Reader::Anyone, cursor(since)));
        let text = writer.round(Instant::now());
        assert_eq!(text, "event: reset\nid: a1.0.0\ndata: {\"v\":1}\n\n", "{since}");
        assert!(writer.ended);
    }
    let mut writer = Writer::new(&console, Lang::En, (&Reader::Anyone, cursor("a1.0.0")));
    for round in 0..=CHANGES_MAX / 2 {
        let state = if round % 2 == 0 { DisplayState::Dark } else { DisplayState::Online };
        console.board.set(&[(0, state, false), (1, state, false)]);
    }
    assert!(writer.round(Instant::now()).starts_with("event: reset\n"));
}

#[test]
fn a_flood_of_lines_is_spread_over_rounds() {
    let console = console(1);
    let mut writer = Writer::new(&console, Lang::En, (&Reader::Anyone, cursor("a1.0.0")));
    for _ in 0..LOG_LINES_MAX + 1 {
        console.board.log(0, "log-relit", vec!["x".into()]);
    }
    let now = Instant::now();
    let lines = |text: &str| text.matches("event: log\n").count();
    assert_eq!(lines(&writer.round(now)), LOG_LINES_MAX);
    assert_eq!(lines(&writer.round(now)), 1);
}

#[test]
fn lists_are_sent_when_they_changed() {
    let console = console(1);
    let mut writer = Writer::new(&console, Lang::En, (&Reader::Anyone, cursor("a1.0.0")));
    let row = |count: &str| QueueRow {
        count: count.into(),
        evidence: "a <fix>",
        then: "by itself".into(),
        returns: true,
        href: "/sites".into(),
    };
    let start = Instant::now();
    assert!(writer.queue_is_due(start));
    let sent = writer.queue(next(&[row("3")], &[]));
    let data = r#"{"queue":[["a <fix>","3","by itself",true,"/sites"]],"todo":[],"v":1}"#;
    assert_eq!(sent, format!("event: queue\nid: a1.0.0\ndata: {data}\n\n"));
    assert!(!writer.queue_is_due(Instant::now()));
    assert!(writer.queue_is_due(Instant::now() + QUEUE_EVERY));
    assert_eq!(writer.queue(next(&[row("3")], &[])), "");
    assert!(writer.queue(next(&[row("2")], &[])).contains(r#""2""#));
}

/// A role that is granted or taken back is another part: the page has other sites, and what was
/// sent so far means nothing in it.
#[test]
fn a_reader_whose_part_changes_starts_again() {
    use relight_engine::access::{Account, Grant, Role, Scope};
    let console = console(3);
    let reads = |scopes: &[&str]| {
        let grant =
            |scope: &&str| Grant { role: Role::Viewer, scope: Scope::parse(scope).unwrap() };
        let grants = scopes.iter().map(grant).collect();
        let account = Account { id: 1, name: "anna".into(), grants };
        let (factor, shown) = (Factor::Passkey, 0);
        Reader::Signed(SignedIn { account, factor, shown, sign_in: Default::default() })
    };
    let before = reads(&["health/o"]);
    for (after, goes_on) in [
        (reads(&["health/o"]), true),
        (reads(&["health/o", "energy"]), false),
        (reads(&[]), false),
        (reads(&["/"]), false),
    ] {
        let mut writer = Writer::new(&console, Lang::En, (&before, None));
        assert!(!writer.round(Instant::now()).contains("event: reset"));
        writer.read_by(&after);
        let told = writer.round(Instant::now());
        assert_eq!((told.contains("event: reset"), writer.ended), (!goes_on, !goes_on));
    }
}

#[test]
fn whoever_needs_no_sign_in_goes_on_and_a_stranger_does_not() {
    let console = console(1);
    assert!(as_now(&console, &Reader::Anyone).is_some());
    let account = relight_engine::access::Account { id: 1, name: "anna".into(), grants: vec![] };
    let signed = |factor| {
        let (shown, account) = (0, account.clone());
        Reader::Signed(SignedIn { account, factor, shown, sign_in: Default::default() })
    };
    for factor in [Factor::Passkey, Factor::Token] {
        assert!(as_now(&console, &signed(factor)).is_none(), "{factor:?}");
    }
}
