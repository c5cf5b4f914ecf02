//! INCIDENT 8.1: spellings of a name, tried every day on the canary and on some dark sites.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::{Look, ProbeTarget};
use relight_engine::edges::open_loop;
use relight_engine::incident::{Entry, Gate, Ledger};
use relight_engine::reconcile::{
    CANARY_AGAIN_MS, CANARY_EVERY_MS, CANARY_HOST, SPELL_AFTER_MS, SPELL_AGAIN_MS, SPELL_EVERY_MS,
    SPELLED_NAMES_MAX, SPELLED_SITES_MAX, Want,
};
use relight_model::{Digest, Epoch, Light, SitePart};

use crate::edge::{Call, key};
use crate::loops::{Bench, dark, told};
use crate::rig::{self, Kind, Rig};

use Gate::{Failed, Proven, Requested};
use Light::Dark;

fn want(name: &str, gate: Gate) -> Want {
    let target = ProbeTarget::site(key(name), format!("{name}.example"), Some(2));
    Want { target, aliases: Vec::new(), light: Dark, gate, seen_dark: false }
}

/// Tries after some time; whether that changed anything.
fn tried(bench: &mut Bench, ms: i64, wants: &[Want]) -> bool {
    bench.now_ms += ms;
    bench.edge_loop.try_spellings(wants, bench.now_ms)
}

/// The names that were spelled since it was last asked.
fn spelled(bench: &Bench) -> Vec<String> {
    let name = |call| match call {
        Call::Spell(host) => Some(host),
        _ => None,
    };
    bench.calls().into_iter().filter_map(name).collect()
}

/// Goal: a site that a spelling of its name reaches is exposed with the reason, and stays so until
/// none does any more. Method: its plain name shows dark all the time.
#[test]
fn a_site_that_a_spelling_reaches_is_not_dark_until_none_does() {
    let mut bench = Bench::new(dark(&["a", "b"]));
    bench.round(&[("a", Dark, Requested), ("b", Dark, Requested)]);
    bench.set(|edge| edge.spelled.insert("a.example".into()));
    let proven = [want("a", Proven), want("b", Proven)];
    assert!(!tried(&mut bench, 0, &proven) && spelled(&bench).is_empty(), "an order goes before");
    let mut both = || tried(&mut bench, SPELL_AFTER_MS, &proven);
    assert!(both() || both(), "either of them is the first");
    let (edge, site, spelling) = ("east".to_owned(), key("a"), "upper case: 200".to_owned());
    let how = Entry::LedPast { edge, site, spelling };
    assert_eq!(bench.edge_loop.take_spelled(), [how]);
    assert_eq!(bench.edge_loop.take_spelled(), []);
    let wants = [("a", Dark, Proven), ("b", Dark, Proven)];
    let round = bench.later(1_000, &wants);
    assert_eq!(told(&round), ["drifted a", "edge-failed a"]);
    assert!(format!("{:?}", round.entries).contains(r#"why: "host-spelling""#));
    let failed = [want("a", Failed), want("b", Proven)];
    let wants = [("a", Dark, Failed), ("b", Dark, Proven)];
    for ms in [1_000, CANARY_AGAIN_MS, 1_000] {
        tried(&mut bench, ms, &failed);
        let round = bench.later(1, &wants);
        assert_eq!((told(&round), round.settled), (vec![], false), "it shows dark, and is not");
    }
    bench.set(|edge| edge.spelled.clear());
    assert!(!tried(&mut bench, 1_000, &failed), "it is tried once a minute");
    assert!(tried(&mut bench, CANARY_AGAIN_MS, &failed));
    let round = bench.later(1, &wants);
    assert_eq!((told(&round), round.settled), (vec!["proved-dark a".to_owned()], true));
}

/// Goal: a known leak is over only once the edge is seen to refuse every spelling. Method: what
/// comes tells nothing for a while, and the site is lit and ordered dark again meanwhile.
#[test]
fn what_nobody_can_tell_ends_no_leak() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.edge_loop.remember_past([key("a")]);
    bench.set(|edge| edge.untold.insert("a.example".into()));
    let failed = [want("a", Failed)];
    for _ in 0..3 {
        assert!(!tried(&mut bench, CANARY_AGAIN_MS, &failed));
        assert_eq!(told(&bench.round(&[("a", Dark, Failed)])), [""; 0]);
    }
    assert_eq!(spelled(&bench), ["a.example"; 3]);
    let lit = Want { light: Light::Lit, ..want("a", Gate::Open) };
    assert!(!tried(&mut bench, CANARY_AGAIN_MS, &[lit]) && spelled(&bench).is_empty());
    let round = bench.later(1, &[("a", Dark, Requested)]);
    assert_eq!(told(&round), ["edge-failed a"], "nobody has seen since that it is shut");
    bench.set(|edge| edge.untold.clear());
    assert!(tried(&mut bench, CANARY_AGAIN_MS, &failed));
    assert_eq!(told(&bench.round(&[("a", Dark, Failed)])), ["proved-dark a"]);
}

/// Goal: an order and a relight have the edge for themselves, and a minute of quiet after. Method:
/// a second order while the first one is proven, and a site on its way back.
#[test]
fn nothing_is_spelled_in_the_middle_of_an_order_or_a_relight() {
    let mut bench = Bench::new(|_| ());
    bench.edge_loop.remember_past([key("p")]);
    let quiet = [want("a", Proven), want("b", Proven)];
    let ordered = [want("a", Proven), want("b", Requested), want("p", Failed)];
    let back = Want { light: Light::Lit, ..want("b", Proven) };
    let back = [want("a", Proven), back, want("p", Failed)];
    for busy in [&ordered, &back] {
        tried(&mut bench, 0, &quiet);
        for _ in 0..3 {
            assert!(!tried(&mut bench, SPELL_AFTER_MS, busy));
        }
        tried(&mut bench, 1, &quiet);
        tried(&mut bench, SPELL_AFTER_MS - 1, &quiet);
        assert_eq!(spelled(&bench), [""; 0]);
    }
    tried(&mut bench, 1, &quiet);
    assert_eq!(spelled(&bench).len(), 1);
}

/// Goal: however many sites a spelling reached, each has its turn, and the others too. Method:
/// more than a minute has room for, none of which can be told.
#[test]
fn sites_that_are_tried_again_do_not_starve_each_other() {
    let mut bench = Bench::new(|_| ());
    let count = usize::try_from(2 * CANARY_AGAIN_MS / SPELL_AGAIN_MS).unwrap();
    let names: Vec<String> = (0..count).map(|number| format!("s{number:03}")).collect();
    bench.edge_loop.remember_past(names.iter().map(|name| key(name)));
    bench.set(|edge| edge.untold.extend(names.iter().map(|name| format!("{name}.example"))));
    let mut wants: Vec<Want> = names.iter().map(|name| want(name, Failed)).collect();
    wants.push(want("z", Proven));
    let mut all = Vec::new();
    for _ in 0..3 * count {
        assert!(!tried(&mut bench, SPELL_AGAIN_MS / 2, &wants));
        all.extend(spelled(&bench));
    }
    let of = |name: &str| all.iter().filter(|it| *it == name).count();
    assert!(names.iter().all(|name| of(&format!("{name}.example")) >= 1), "{all:?}");
    assert_eq!(of("z.example"), 1, "the sample goes on");
    assert!(all.len() <= 3 * count / 2 + 2, "one of them every five seconds: {}", all.len());
}

/// Goal: a new process does not take such a site for dark. Method: the journal says that it was
/// reached; nobody has tried it again.
#[test]
fn what_the_journal_says_is_tried_before_it_is_proven() {
    let mut ledger = Ledger::new(1);
    let mut say = |entry: &Entry| {
        ledger.apply("CVE-1", entry, 1_000).unwrap();
        ledger.led_past().clone()
    };
    say(&Entry::Opened {
        question: "CVE-1".into(),
        title: "flaw".into(),
        revision: Digest([2; 32]),
        statements: Digest::default(),
        policy: "test".into(),
    });
    let sites = || vec![key("a")];
    say(&Entry::DarkOrdered { plan: Digest::default(), sites: sites(), reason: "test".into() });
    let failed =
        |why: &str| Entry::EdgeFailed { sites: sites(), edge: "east".into(), why: why.into() };
    assert_eq!(say(&failed("probe-disagrees")), BTreeSet::new());
    let past = say(&failed("host-spelling"));
    assert_eq!(past, [key("a")].into());
    let epoch = Epoch::default();
    let proved = Entry::Proved { sites: sites(), light: Dark, edge: "east".into(), epoch };
    assert_eq!(say(&proved), BTreeSet::new(), "seen dark since");
    let canary = |what: &str| Entry::CanaryTried {
        edge: "east".into(),
        passed: what.is_empty(),
        what: what.into(),
    };
    let mut hear = |what: &str| {
        ledger.apply("", &canary(what), 1_000).unwrap();
        ledger.is_canary_past("east")
    };
    let heard = ["host-spelling", "unreachable", ""].map(&mut hear);
    assert_eq!(heard, [true, true, false], "another trouble does not end it");
    let how = |site: &str| {
        let (edge, spelling) = ("east".to_owned(), "port: 200".to_owned());
        Entry::LedPast { edge, site: key(site), spelling }
    };
    let mut named = |entry: Entry| {
        let id = if entry.sites().is_empty() { "" } else { "CVE-1" };
        let entry = Entry::from_body(&entry.to_body().unwrap()).unwrap();
        ledger.apply(id, &entry, 1_000).unwrap();
        let site = ledger.spelling("east", &key("a")).is_some();
        (site, ledger.canary_spelling("east").is_some())
    };
    assert_eq!(named(failed("host-spelling")), (false, false), "as in journals of before");
    assert_eq!(named(how("a")), (true, false));
    assert_eq!(named(how("relight-canary")), (true, false), "it does not fail");
    assert_eq!(named(canary("host-spelling")), (true, true));
    assert_eq!(named(canary("unreachable")), (true, false), "it fails for another reason");
    assert_eq!(named(canary("")), (true, false));
    assert_eq!(named(canary("host-spelling")), (true, false), "passed meanwhile");
    assert_eq!(named(proved), (false, false));

    let mut bench = Bench::new(dark(&["a"]));
    bench.edge_loop.remember_past(past);
    assert_eq!(told(&bench.round(&[("a", Dark, Failed)])), [""; 0]);
    // Whoever cannot look does not know.
    bench.set(|edge| edge.is_unreachable = true);
    assert!(!tried(&mut bench, 1, &[want("a", Failed)]));
    bench.set(|edge| edge.is_unreachable = false);
    assert_eq!(told(&bench.round(&[("a", Dark, Failed)])), [""; 0]);
    assert!(tried(&mut bench, CANARY_AGAIN_MS, &[want("a", Failed)]));
    assert_eq!(told(&bench.round(&[("a", Dark, Failed)])), ["proved-dark a"]);
}

/// Goal: a day's sample has its limit, and each dark site comes to its turn. Method: more sites
/// than one day has room for, over two days.
#[test]
fn each_dark_site_has_its_day() {
    let mut bench = Bench::new(|_| ());
    let count = SPELLED_SITES_MAX + SPELLED_SITES_MAX / 2;
    let name = |number| format!("s{number:03}");
    let wants: Vec<Want> = (0..count).map(|number| want(&name(number), Proven)).collect();
    let mut all = BTreeSet::new();
    tried(&mut bench, 0, &wants);
    for day in 0..2 {
        let mut today = Vec::new();
        for turn in 0..2 * count {
            let ms = if turn == 0 { SPELL_EVERY_MS } else { 1 };
            assert!(!tried(&mut bench, ms, &wants));
            today.extend(spelled(&bench));
        }
        assert_eq!(today.len(), SPELLED_SITES_MAX, "day {day}");
        assert_eq!(today.iter().collect::<BTreeSet<_>>().len(), today.len(), "each once");
        all.extend(today);
    }
    assert_eq!(all.len(), count);
    // A clock that was set back puts nothing off.
    assert!(!tried(&mut bench, -3 * SPELL_EVERY_MS, &wants) && !spelled(&bench).is_empty());
}

/// What is lit, what is not proven and what is a part of a site is left alone, and so are names
/// beyond the limit: each spelling costs a connection.
#[test]
fn only_whole_sites_that_are_proven_dark_are_spelled() {
    let mut bench = Bench::new(|_| ());
    let mut part = want("part", Proven);
    let (site, of) = (key("part"), SitePart::parse("booking=/booking").unwrap());
    part.target.look = Look::Part { site, part: of };
    let mut behind = want("behind", Proven);
    behind.target.look = Look::Behind(key("behind.internet"));
    let lit = Want { light: Light::Lit, ..want("lit", Gate::Open) };
    let mut dark = want("a", Proven);
    dark.aliases = (0..SPELLED_NAMES_MAX).map(|number| format!("n{number}.example")).collect();
    let wants = [part, behind, lit, want("failed", Failed), dark];
    for _ in 0..4 {
        assert!(!tried(&mut bench, SPELL_AFTER_MS, &wants));
    }
    let names = spelled(&bench);
    assert_eq!(names, ["a.example", "n0.example", "n1.example", "n2.example"]);
    assert_eq!(names.len(), SPELLED_NAMES_MAX);
    // The first name that is not shut says all.
    bench.set(|edge| edge.spelled.insert("n0.example".into()));
    assert!(tried(&mut bench, SPELL_EVERY_MS, &wants));
    assert_eq!(spelled(&bench), ["a.example", "n0.example"]);
}

/// Goal: an edge that lets spellings past is told before an order needs it. Method: the canary,
/// once a day, and each time while it fails.
#[test]
fn a_canary_that_a_spelling_reaches_fails_once_a_day_at_the_latest() {
    let mut bench = Bench::new(|_| ());
    let flip = |bench: &mut Bench, ms| {
        bench.now_ms += ms;
        let tried = bench.edge_loop.try_canary(&[], bench.epoch, bench.now_ms);
        let what = tried.map(|entry| match entry {
            Entry::CanaryTried { what, .. } => what,
            other => other.kind().to_owned(),
        });
        let names = spelled(bench);
        assert!(names.iter().all(|name| name == CANARY_HOST));
        (what, names.len())
    };
    let passed = || Some(String::new());
    assert_eq!(flip(&mut bench, 0), (None, 0));
    assert_eq!(flip(&mut bench, CANARY_EVERY_MS), (passed(), 1));
    bench.set(|edge| edge.spelled.insert(CANARY_HOST.into()));
    let mut later = 0;
    while later < SPELL_EVERY_MS - CANARY_EVERY_MS {
        assert_eq!(flip(&mut bench, CANARY_EVERY_MS), (passed(), 0));
        later += CANARY_EVERY_MS;
    }
    let past = || Some("host-spelling".to_owned());
    assert_eq!(flip(&mut bench, CANARY_EVERY_MS), (past(), 1));
    assert_eq!(flip(&mut bench, CANARY_AGAIN_MS), (past(), 1));
    bench.set(|edge| edge.spelled.clear());
    assert_eq!(flip(&mut bench, CANARY_AGAIN_MS), (passed(), 1));
    assert_eq!(flip(&mut bench, CANARY_EVERY_MS), (passed(), 0));
}

/// Goal: only an edge that is seen to refuse every spelling ends what is known of its canary.
/// Method: a new process, which cannot tell at first; one that knows nothing says so.
#[test]
fn a_canary_of_which_nobody_can_tell_stays_as_it_was() {
    let mut bench = Bench::new(dark(&["a"]));
    let flip = |bench: &mut Bench, wants: &[Want]| {
        bench.now_ms += CANARY_EVERY_MS;
        match bench.edge_loop.try_canary(wants, bench.epoch, bench.now_ms) {
            Some(Entry::CanaryTried { what, .. }) => what,
            other => format!("{other:?}"),
        }
    };
    flip(&mut bench, &[]);
    bench.set(|edge| edge.untold.insert(CANARY_HOST.into()));
    assert_eq!(flip(&mut bench, &[]), "spelling-untold");
    bench.edge_loop.remember_canary_past();
    assert_eq!(flip(&mut bench, &[]), "host-spelling");
    bench.set(|edge| edge.untold.clear());
    spelled(&bench);
    assert_eq!(flip(&mut bench, &[want("a", Proven)]), "host-spelling", "a site is dark");
    assert_eq!(spelled(&bench), [""; 0], "and the loop waits for nothing then");
    assert_eq!(flip(&mut bench, &[]), "");
}

/// Goal: what real proxies do is seen as it is. Method: the configuration that we write, and one
/// whose gate looks at what the visitor sent.
#[test]
fn proxies_are_seen_to_let_a_spelling_past_where_their_gate_looks_at_what_is_sent() {
    let plain = "^[a-z0-9.-]+[a-z]$";
    for kind in [Kind::Nginx, Kind::Haproxy] {
        for is_ours in [true, false] {
            let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
            let mut rig = Rig::start(&folder.path().join("rig"), kind, 2);
            rig.start_edge(|text| match kind {
                _ if is_ours => text,
                Kind::Haproxy => {
                    let sent = format!("!{{ so_name verify }} {{ req.hdr(host) -m reg {plain} }}");
                    text.replace("!{ so_name verify }", &sent)
                }
                _ => {
                    let sent =
                        format!("if ($http_host !~ \"{plain}\") {{ set $relight_gate \"\"; }}\n");
                    let unix = "if ($remote_addr = \"unix:\")";
                    text.replace(unix, &format!("{sent}  {unix}"))
                }
            });
            let mut edge_loop = open_loop(&rig.target, 7).unwrap();
            if is_ours {
                // What was reached before is shut now.
                edge_loop.remember_past([key("site-0")]);
            }
            let mut want = want("site-0", Requested);
            want.target.host = rig::host(0);
            let epoch = Epoch { term: 1, seq: 1 };
            let mut round = |want: &Want, now_ms| {
                told(&edge_loop.round(std::slice::from_ref(want), epoch, now_ms, &|_| false))
            };
            let first = round(&want, 1_000);
            let expected = if is_ours { "edge-failed site-0" } else { "proved-dark site-0" };
            assert_eq!(first, [expected], "{kind:?}: its plain name is dark");
            want.gate = if is_ours { Failed } else { Proven };
            assert_eq!(round(&want, 1_000), [""; 0]);
            // They are asked for beside the loop; one that is late has its turn another day.
            let (wants, mut now_ms) = (std::slice::from_ref(&want), 2_000);
            let deadline = Instant::now() + Duration::from_secs(60);
            while !edge_loop.try_spellings(wants, now_ms) {
                assert!(Instant::now() < deadline, "{kind:?}, ours: {is_ours}");
                thread::yield_now();
                now_ms += SPELL_EVERY_MS;
            }
            let then = told(&edge_loop.round(wants, epoch, now_ms + 1_000, &|_| false));
            let seen =
                if is_ours { "proved-dark site-0" } else { "drifted site-0, edge-failed site-0" };
            assert_eq!(then.join(", "), seen, "{kind:?}");
        }
    }
}
