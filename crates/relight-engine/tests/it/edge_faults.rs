//! Edges whose set-up would leave their sites lit: what plans do about them.

use std::sync::Arc;

use relight_engine::access::{Role, Scope};
use relight_engine::edge::Target;
use relight_engine::incident::Entry;
use relight_engine::plan::Action;
use relight_engine::store::SiteRow;
use relight_engine::{EngineErrorKind, HeldLooks, edges};
use relight_model::{DisplayState, GateKey, Light, SitePart};

use crate::acts::{agree, chief, person, plan, plan_of, table};
use crate::edge::{builtin, key};
use crate::engine::{LOG4SHELL, Town, name, open, row};
use crate::held_plans::{look, open_plans};

/// One site that can be closed to who writes, behind an nginx that does not look into the gate.
fn beside_the_gate() -> Town {
    let Town { engine, folder } = Town::new(1);
    let store = Arc::clone(engine.store());
    let row = SiteRow { parts: Some(vec![SitePart::Write]), ..row(0, &name(0)) };
    let import = store.plan_import(&[row]).unwrap();
    store.apply_import(&import, engine.now(), "test").unwrap();
    let config = folder.path().join("nginx.conf");
    let server = format!("http {{ server {{ listen 80; server_name {}.example; }} }}\n", name(0));
    std::fs::write(&config, server).unwrap();
    let gate = folder.path().join("gate");
    std::fs::create_dir_all(&gate).unwrap();
    let config = config.display().to_string();
    let settings = [("config", config.as_str()), ("worker_user", "self"), ("upgrades", "refused")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (name, kind, listeners) = ("east".into(), "nginx_file".into(), Vec::new());
    let target =
        Target { name, kind, gate, listeners, verify: None, settings, members: Vec::new() };
    store.put_edge(&edges::to_row(&target).unwrap(), 0, "test").unwrap();
    drop(engine);
    Town { engine: open(&store, "second").unwrap(), folder }
}

/// Bad input: where the gate is not asked, a part stays as open as a site.
#[test]
fn a_plan_is_refused_where_the_gate_is_not_asked() {
    let town = beside_the_gate();
    town.incident(LOG4SHELL);
    let anna = chief("anna");
    let before = town.journal();
    for wanted in [(Action::Dark, None), (Action::Close, Some("@write"))] {
        let plan = plan_of(&town, &anna, wanted, &[0]);
        assert_eq!(plan.edges, ["east"], "{wanted:?}");
        let refused = town.engine.propose(&table(), &anna, &plan).unwrap_err().kind;
        assert_eq!(refused, EngineErrorKind::EdgeRefused("east".into()), "{wanted:?}");
        let blast = town.engine.blast(&plan).unwrap();
        let mut faults = blast.edges[0].faults.iter();
        assert!(faults.any(|(_, code)| *code == "gate-missing"), "{wanted:?} {blast:?}");
    }
    assert_eq!(town.journal(), before);
}

/// The same town with an edge `west`, behind which the gate closes six more.
fn with_west() -> Town {
    let town = beside_the_gate();
    let store = town.engine.store();
    let west = edges::to_row(&builtin(town.folder.path(), "west")).unwrap();
    store.put_edge(&west, 0, "test").unwrap();
    let rows = (1..7).map(|site| SiteRow { edge: "west".into(), ..row(site, &name(site)) });
    let import = store.plan_import(&rows.collect::<Vec<_>>()).unwrap();
    store.apply_import(&import, 0, "test").unwrap();
    town.engine.reload().unwrap();
    town
}

/// Goal: an edge that would leave its sites lit keeps no others lit. Method: a plan over it and
/// another edge is made without its sites, agreed to and carried out; one of its sites alone is
/// refused as before.
#[test]
fn an_edge_that_leaves_its_sites_lit_keeps_no_others_lit() {
    let town = with_west();
    town.incident(LOG4SHELL);
    let anna = chief("anna");
    let whole = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5, 6]);
    let refused = town.engine.propose(&table(), &anna, &whole).unwrap_err().kind;
    assert_eq!(refused, EngineErrorKind::EdgeRefused("east".into()));
    let fitted = town.engine.fitted(whole).unwrap();
    let reached: Vec<GateKey> = (1..7).map(|site| key(&name(site))).collect();
    assert_eq!((fitted.keys(), &*fitted.waves), (reached.clone(), &[6][..]));
    assert_eq!(fitted.edges, ["west"]);
    let left = &fitted.skipped[0];
    assert_eq!((&left.site, left.reason.as_str()), (&key(&name(0)), "edge-lint"));
    let blast = town.engine.blast(&fitted).unwrap();
    let east = blast.edges.iter().find(|it| it.edge == "east").unwrap();
    assert_eq!((east.sites, east.left, &east.error), (0, 1, &None));
    assert!(east.faults.iter().any(|(_, code)| *code == "gate-missing"), "{east:?}");
    agree(&town, &fitted);
    let (ledger, unreached) = (town.ledger(), key(&name(0)));
    assert_eq!(ledger.wants(&unreached), Light::Lit);
    assert!(reached.iter().all(|site| ledger.wants(site) == Light::Dark));
    assert_eq!(ledger.display(&unreached).0, DisplayState::Exposed, "nobody reached it");
    let alone = plan(&town, &anna, Action::Dark, &[0]);
    assert_eq!(
        town.engine.fitted(alone.clone()).unwrap(),
        alone,
        "it is refused when it is asked for"
    );
}

/// Goal: a plan that waits goes on without the sites of an edge that got a fault meanwhile, as a
/// new order would, and everybody is told which they are. Method: the edge is in order when the
/// plan is proposed and not when it is agreed to; then its fault is mended, and the journal is
/// read again.
#[test]
fn a_plan_that_waits_goes_on_without_an_edge_that_got_a_fault() {
    let town = with_west();
    town.incident(LOG4SHELL);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let store = town.engine.store();
    let row = store.edges().unwrap().into_iter().find(|row| row.name == "east").unwrap();
    let bad = edges::from_row(&row).unwrap();
    let mut sound = bad.clone();
    sound.settings.remove("config");
    let set = |target: &Target| {
        store.put_edge(&edges::to_row(target).unwrap(), 0, "test").unwrap();
        town.engine.reload().unwrap();
    };
    set(&sound);
    let whole = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5, 6]);
    let hash = whole.hash().unwrap();
    let acted = town.engine.propose(&table(), &anna, &whole).unwrap();
    assert!(!acted.started, "it takes two people");
    set(&bad);
    // Who is asked reads it.
    let blast = town.engine.blast(&whole).unwrap();
    assert!(blast.edges.iter().any(|it| it.edge == "east" && !it.faults.is_empty()), "{blast:?}");
    let before = town.journal().len();
    assert!(town.engine.approve(&table(), &zoe, acted.number, hash, None).unwrap().started);
    let told = ["plan-approved", "plan-started", "dark-ordered", "held-back"];
    assert_eq!(town.journal()[before..][..4], told);
    let (unreached, reached) = (key(&name(0)), (1..7).map(|site| key(&name(site))));
    let ledger = town.ledger();
    assert_eq!(ledger.wants(&unreached), Light::Lit);
    assert!(reached.clone().all(|site| ledger.wants(&site) == Light::Dark));
    assert_eq!(ledger.display(&unreached).0, DisplayState::Exposed, "nobody reached it");
    let action = ledger.actions().get(acted.number).unwrap();
    assert_eq!((action.hash, action.plan.keys().len()), (hash, 7), "it is what was agreed to");
    let carried = action.carried();
    assert_eq!(carried.keys(), reached.collect::<Vec<_>>());
    let left: Vec<_> = carried.skipped.iter().map(|it| (&it.site, it.reason.as_str())).collect();
    assert_eq!(left, [(&unreached, "edge-lint")]);
    // Nobody adds it to what was let go once its edge is mended: it needs another order.
    set(&sound);
    let (sites, reason) = (vec![unreached.clone()], String::new());
    let order = Entry::DarkOrdered { plan: hash, sites, reason };
    let refused = town.engine.append("x", vec![(LOG4SHELL.to_owned(), order)]).unwrap();
    assert_eq!(refused[0].as_ref().unwrap_err().0, "the plan was started without these sites");
    let again = open(store, "again").unwrap();
    let kept = again.with_ledger(|it| it.actions().get(acted.number).map(|it| it.carried()));
    assert_eq!(kept, Some(carried));
}

/// Goal: of a plan that waits for one edge alone nothing is left when that gets a fault: it is
/// refused, and waits on. Method: six sites, for which it takes two people.
#[test]
fn a_plan_of_which_nothing_would_be_left_is_refused_and_waits() {
    let town = with_west();
    town.incident(LOG4SHELL);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let whole = plan(&town, &anna, Action::Dark, &[1, 2, 3, 4, 5, 6]);
    let hash = whole.hash().unwrap();
    let acted = town.engine.propose(&table(), &anna, &whole).unwrap();
    let store = town.engine.store();
    let row = |name: &str| store.edges().unwrap().into_iter().find(|row| row.name == name).unwrap();
    let (east, west) = (edges::from_row(&row("east")).unwrap(), row("west"));
    let faulty = Target { name: "west".into(), ..east };
    store.put_edge(&edges::to_row(&faulty).unwrap(), 0, "test").unwrap();
    let before = town.journal();
    let approve = || town.engine.approve(&table(), &zoe, acted.number, hash, None);
    assert_eq!(approve().unwrap_err().kind, EngineErrorKind::EdgeRefused("west".into()));
    assert_eq!(town.journal(), before);
    store.put_edge(&west, 0, "test").unwrap();
    assert!(approve().unwrap().started);
}

/// Goal: what the fault of an edge kept out of a plan that news asks for is asked for once it is
/// mended. Method: looks before and after the edge is another one.
#[test]
fn what_news_holds_back_behind_a_mended_edge_is_asked_for() {
    let town = with_west();
    town.incident(LOG4SHELL);
    let sites: Vec<GateKey> = (0..7).map(|site| key(&name(site))).collect();
    let held = Entry::HeldBack { sites: sites.clone(), voids: true, left: false };
    town.engine.record("relight", LOG4SHELL, held).unwrap();
    let asked = || open_plans(&town).iter().map(|it| it.plan.keys()).collect::<Vec<_>>();
    assert_eq!(look(&town, &mut HeldLooks::default()), 1);
    assert_eq!(asked(), [sites[1..].to_vec()]);
    assert_eq!(look(&town, &mut HeldLooks::default()), 0, "the fault is there still");
    let east = edges::to_row(&builtin(town.folder.path(), "east")).unwrap();
    town.engine.store().put_edge(&east, 0, "test").unwrap();
    town.engine.reload().unwrap();
    assert_eq!(look(&town, &mut HeldLooks::default()), 1);
    assert_eq!(asked(), [sites]);
}
