//! What people agreed to is switched under the names that they were shown, or not at all.

use relight_engine::EngineErrorKind;
use relight_engine::access::{Role, Scope};
use relight_engine::plan::{Action, Plan, PlanStale};
use relight_engine::store::SiteRow;

use crate::acts::{chief, person, plan, table, town};
use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, name, row};

fn import(town: &Town, row: SiteRow) {
    let store = town.engine.store();
    let import = store.plan_import(&[row]).unwrap();
    store.apply_import(&import, town.engine.now(), "test").unwrap();
    town.engine.reload().unwrap();
}

/// What a site of this plan is reached under.
fn names(plan: &Plan, site: usize) -> &[String] {
    &plan.sites[site].names
}

/// Goal: a plan that waits is not carried out once a site of it has another name or host, and who
/// asks hears which. Method: an alias comes to one site and another host to the next, between the
/// proposal and the approval; the plan made again is carried out.
#[test]
fn a_plan_is_stale_once_a_site_of_it_is_reached_under_another_name() {
    let town = town(6);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let all = [0, 1, 2, 3, 4, 5];
    let dark = plan(&town, &anna, Action::Dark, &all);
    assert_eq!(names(&dark, 1), ["site-0001.example"]);
    let number = town.engine.propose(&table(), &anna, &dark).unwrap().number;
    let aliases = Some(vec!["www.b.example".to_owned(), "b.example".to_owned()]);
    import(&town, SiteRow { aliases, ..row(1, &name(1)) });
    let origin = "https://moved.example".to_owned();
    import(&town, SiteRow { origin, ..row(2, &name(2)) });
    let approve = |number: u32, plan: &Plan| {
        town.engine.approve(&table(), &zoe, number, plan.hash().unwrap(), None)
    };
    let before = town.journal();
    let refused = approve(number, &dark).unwrap_err().kind;
    let renamed = PlanStale::Renamed(vec![key(&name(1)), key(&name(2))]);
    assert_eq!(refused, EngineErrorKind::Stale(renamed));
    assert_eq!((town.journal(), town.phase(LOG4SHELL, 0)), (before, None), "nothing changed");

    let again = plan(&town, &anna, Action::Dark, &all);
    assert_eq!(names(&again, 1), ["site-0001.example", "b.example", "www.b.example"]);
    assert_eq!(names(&again, 2), ["moved.example"]);
    let number = town.engine.propose(&table(), &anna, &again).unwrap().number;
    assert!(approve(number, &again).unwrap().started);
}
