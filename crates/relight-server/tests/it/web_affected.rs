//! The answer to "which of our sites?": today and as of a day, with its graph and its evidence.

use relight_engine::store::{RawAdvisory, SnapshotDraft, Store};
use relight_model::{AssetId, Basis, Component, Digest, Purl, Sbom, Scope, SiteId};
use serde_json::json;

use crate::door_support::{START, World, clock, person};

const DAY_S: i64 = 86_400;

/// The question of every test.
const ASKED: &str = "/affected?lang=en&q=log4j-core%3C2.15";

/// Where the library lies in an ear, and beside it.
const NESTED: &str = "opt/a.ear!/portal.war!/WEB-INF/lib/log4j-core-2.14.1.jar";
const PLAIN: &str = "opt/lib/<b>.jar";

fn log4j(version: &str, place: &str) -> Component {
    let purl = format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}");
    let purl = Purl::parse(&purl).unwrap();
    let mut component = Component::new(purl, place, Basis::PomProperties, Scope::Installed);
    component.hashes = vec![Digest([0xab; 32])];
    component
}

/// Stores what the only asset of a site held at a time.
fn put(store: &Store, slug: &str, components: Vec<Component>, at: i64) {
    let site = store.sites().unwrap().into_iter().find(|site| site.slug.as_str() == slug);
    let site: SiteId = site.unwrap().id;
    let placed = store.placements().unwrap();
    let asset: AssetId = placed.into_iter().find(|(of, _)| *of == site).unwrap().1;
    let mut sbom = Sbom { components, tool: "test 1".into(), ..Sbom::default() };
    sbom.normalise();
    let draft =
        SnapshotDraft { asset, sbom: &sbom, observed_at: at, recorded_at: at, profiles: None };
    store.put_snapshots(&[draft]).unwrap();
}

/// `care` was affected in two places ten days ago and is mended now; `beds` is affected now.
fn start(now: fn() -> i64) -> (World, String) {
    start_with(now, |_| ())
}

fn start_with(now: fn() -> i64, people: impl FnOnce(&Store)) -> (World, String) {
    let mut viewer = String::new();
    let world = World::start(now, |store| {
        people(store);
        viewer = person(store, "viewer", 1, &[("viewer", "/")]);
        let both = vec![log4j("2.14.1", NESTED), log4j("2.8.2", PLAIN)];
        put(store, "care", both, START - 10 * DAY_S);
        put(store, "care", vec![log4j("2.17.1", NESTED)], START - 60);
        put(store, "beds", vec![log4j("2.14.1", NESTED)], START - 60);
    });
    (world, viewer)
}

/// An advisory of one's own is often written before anybody else knows more: every owner of any
/// body read it, with what it is about.
#[test]
fn an_advisory_of_our_own_is_told_to_a_part_that_it_touches() {
    clock!(now, now_set);
    now_set(START);
    let mut readers = <[String; 2]>::default();
    let record = |id: &str, name: &str, summary: &str| {
        json!({
            "id": id, "summary": summary, "modified": "2026-01-01T00:00:00Z",
            "affected": [{"package": {"ecosystem": "Maven", "name": name},
                          "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}],
        })
        .to_string()
    };
    let logs = record("RLT-x-2026-0001", "org.apache.logging.log4j:log4j-core", "Our logs leak");
    let grids = record("RLT-x-2026-0002", "org.grid:core", "Our grid opens");
    let public = record("CVE-2026-0003", "org.grid:core", "Told by all");
    let (world, viewer) = start_with(now, |store| {
        for (number, id, text, source) in [
            (1, "RLT-x-2026-0001", &logs, "own"),
            (2, "RLT-x-2026-0002", &grids, "own"),
            (3, "CVE-2026-0003", &public, "osv"),
        ] {
            let (revision, bytes) = (Digest([number; 32]), text.as_bytes());
            let raw = RawAdvisory { id, revision, bytes, recorded_at: 1 };
            store.put_advisories(source, &[raw]).unwrap();
        }
        readers = [
            person(store, "owner", 8, &[("site-owner", "health/Hospital")]),
            person(store, "grid", 9, &[("analyst", "energy")]),
        ];
    });
    let told = |cookie: &str, query: &str| {
        let page = world.get(&format!("/affected?lang=en{query}"), cookie).2;
        ["Our logs leak", "Our grid opens", "Told by all"].map(|words| page.contains(words))
    };
    let [owner, grid] = &readers;
    assert_eq!(told(&viewer, ""), [true, true, true]);
    assert_eq!(told(owner, ""), [true, false, true]);
    assert_eq!(told(grid, ""), [false, false, true]);
    for (reader, own) in [(&viewer, [true, true]), (owner, [true, false]), (grid, [false; 2])] {
        let [logs, _, _] = told(reader, "&q=RLT-x-2026-0001");
        let [_, grids, _] = told(reader, "&q=RLT-x-2026-0002");
        assert_eq!([logs, grids], own);
    }
    world.web.stop();
}

/// Who answers for a body had no answer at all: the page was of the whole register.
#[test]
fn who_reads_a_part_asks_about_that_part() {
    clock!(now, now_set);
    now_set(START);
    let mut readers = <[String; 2]>::default();
    let (world, _) = start_with(now, |store| {
        readers = [
            person(store, "owner", 8, &[("site-owner", "health/Hospital")]),
            person(store, "grid", 9, &[("analyst", "energy")]),
        ];
    });
    let [owner, grid] = &readers;
    for at in [String::new(), format!("&at={}", day(10))] {
        let page = world.get(&format!("{ASKED}{at}&site=power"), owner).2;
        assert!(page.contains("of 2 sites affected") && page.contains("care"), "{page}");
        assert!(!page.contains("/site/power") && !page.contains("Utility"), "{page}");
        let page = world.get(&format!("{ASKED}{at}&site=beds"), grid).2;
        assert!(page.contains("0 of 1 sites affected") || page.contains("0 of 1 site "), "{page}");
        for hidden in ["/site/care", "/site/beds", "Hospital", "a.ear", "2.14.1"] {
            assert!(!page.contains(hidden), "{hidden}: {page}");
        }
    }
    world.web.stop();
}

/// The UTC day so many days before the tests begin.
fn day(before: i64) -> String {
    relight_server::web::number::rfc3339(START - before * DAY_S)[..10].to_owned()
}

/// The part of a page from a mark to the end of its section.
fn section<'a>(page: &'a str, mark: &str) -> &'a str {
    let start = page.find(mark).unwrap_or_else(|| panic!("no {mark} in {page}"));
    page[start..].split("</section>").next().unwrap()
}

#[test]
fn today_and_a_day_of_the_past_have_their_own_answers() {
    clock!(now, now_set);
    now_set(START);
    let (world, viewer) = start(now);
    let (status, _, page) = world.get(ASKED, &viewer);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("1 of 3 sites affected, 1 unknown, 1 clear"), "{page}");
    assert!(!page.contains("class=\"banner past\""), "{page}");
    let (status, _, page) = world.get(&format!("{ASKED}&at={}", day(10)), &viewer);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("1 of 3 sites affected, 2 unknown, 0 clear"), "{page}");
    assert!(page.contains(&format!("As of the end of {}", day(10))), "{page}");
    assert!(page.contains(&format!("value=\"{}\" min=\"{}\"", day(10), day(10))), "{page}");
    // A day before there was any inventory, and today in words.
    let (_, _, page) = world.get(&format!("{ASKED}&at={}", day(400)), &viewer);
    assert!(page.contains("0 of 3 sites affected, 3 unknown, 0 clear"), "{page}");
    let (_, _, page) = world.get(&format!("{ASKED}&at={}", day(0)), &viewer);
    assert!(page.contains("1 of 3 sites affected, 1 unknown, 1 clear"), "{page}");
    world.web.stop();
}

/// Nothing new every day for six weeks is news of each of these days, and one day of change.
#[test]
fn what_is_scanned_daily_was_known_on_each_of_these_days() {
    clock!(now, now_set);
    now_set(START);
    let mut viewer = String::new();
    let world = World::start(now, |store| {
        viewer = person(store, "viewer", 1, &[("viewer", "/")]);
        put(store, "care", vec![log4j("2.14.1", NESTED)], START - 50 * DAY_S);
        for before in (0..42).rev() {
            put(store, "care", vec![log4j("2.17.1", NESTED)], START - before * DAY_S);
        }
        // Looked at twice, with weeks in between.
        for before in [40, 2] {
            put(store, "beds", vec![log4j("2.17.1", NESTED)], START - before * DAY_S);
        }
    });
    for (before, answer) in [
        (45, "1 of 3 sites affected, 2 unknown, 0 clear"),
        (40, "0 of 3 sites affected, 1 unknown, 2 clear"),
        (39, "0 of 3 sites affected, 2 unknown, 1 clear"),
        (20, "0 of 3 sites affected, 2 unknown, 1 clear"),
        (9, "0 of 3 sites affected, 2 unknown, 1 clear"),
        (2, "0 of 3 sites affected, 1 unknown, 2 clear"),
    ] {
        let (_, _, page) = world.get(&format!("{ASKED}&at={}&site=care", day(before)), &viewer);
        assert!(page.contains(answer), "{before} days ago: {page}");
        let days = page.split("<ul class=\"days\">").nth(1).unwrap().split("</ul>").next();
        let shown = days.unwrap().split("</a>").filter_map(|it| it.rsplit_once('>')).map(|it| it.1);
        let shown: Vec<_> = shown.filter(|it| !it.is_empty()).collect();
        assert_eq!(shown, [day(41), day(50)], "{before} days ago");
    }
    world.web.stop();
}

#[test]
fn what_is_no_day_of_the_past_is_told_and_answers_nothing() {
    clock!(now, now_set);
    now_set(START);
    let (world, viewer) = start(now);
    for at in ["9999-01-01", "2021-02-30", "yesterday", "2021-12-10T18:00:00Z", "%3Cb%3E"] {
        let (status, _, page) = world.get(&format!("{ASKED}&at={at}"), &viewer);
        assert_eq!(status, 200, "{at}");
        assert!(page.contains("is no moment of the past"), "{at}: {page}");
        assert!(page.contains("Write a day that has passed"), "{at}: {page}");
        assert!(!page.contains("sites affected") && !page.contains("<b>"), "{at}: {page}");
    }
    world.web.stop();
}

#[test]
fn the_graph_leads_from_the_component_to_the_bodies() {
    clock!(now, now_set);
    now_set(START);
    let (world, viewer) = start(now);
    let (_, _, page) = world.get(&format!("{ASKED}&at={}", day(10)), &viewer);
    let graph = section(&page, "<section class=\"panel reach\">");
    let title =
        "Components: 1. Kinds of containers: 2, most often ear › war › jar. Organisations: 1.";
    assert!(graph.contains(title), "{graph}");
    for text in ["log4j-core", "2.14.1", "2.8.2", "ear › war › jar", "Hospital"] {
        assert!(graph.contains(&format!(">{text}</text>")), "{text}: {graph}");
        assert!(graph.contains(&format!(">{text}</t")), "{text} is in the table too: {graph}");
    }
    assert!(!graph.contains("unsure"), "it knows every site: {graph}");
    // In French too, and without anything affected there is none.
    let (_, _, page) = world.get(&ASKED.replace("=en", "=fr"), &viewer);
    let graph = section(&page, "<section class=\"panel reach\">");
    assert!(graph.contains("Sortes de conteneurs\u{a0}: 1, le plus souvent"), "{graph}");
    let (_, _, page) = world.get(&format!("{ASKED}&at={}", day(400)), &viewer);
    assert!(!page.contains("class=\"panel reach\""), "{page}");
    world.web.stop();
}

#[test]
fn evidence_goes_step_by_step_through_the_archives() {
    clock!(now, now_set);
    now_set(START);
    let (world, viewer) = start(now);
    let (_, _, page) = world.get(ASKED, &viewer);
    // Nobody chose: the first affected site.
    let panel = section(&page, "id=\"evidence\"");
    assert!(panel.contains("<code>beds</code>"), "{panel}");
    let steps = "<li><code>opt/a.ear</code></li><li><code>portal.war</code></li>\
        <li><code>WEB-INF/lib/log4j-core-2.14.1.jar</code></li>";
    assert!(panel.contains(steps), "{panel}");
    assert!(panel.contains("pom.properties in the archive"), "{panel}");
    assert!(panel.contains(&"ab".repeat(32)), "{panel}");
    assert!(panel.contains(&format!("There since</dt><dd>{}</dd>", day(0))), "{panel}");
    // Today the chosen one is clear; the days lead to what it was.
    let (_, _, page) = world.get(&format!("{ASKED}&site=care"), &viewer);
    let panel = section(&page, "id=\"evidence\"");
    assert!(panel.contains("<code>care</code>") && !panel.contains("opt/a.ear"), "{panel}");
    let then = format!("at={}&amp;site=care", day(10)).replace("&amp;", "&#38;");
    assert!(panel.contains(&then), "{panel}");
    let (_, _, page) = world.get(&format!("{ASKED}&site=care&at={}", day(10)), &viewer);
    let panel = section(&page, "id=\"evidence\"");
    assert!(panel.contains("opt/lib/&#60;b&#62;.jar"), "{panel}");
    assert!(panel.contains(&format!("There since</dt><dd>{}</dd>", day(10))), "{panel}");
    let (_, _, page) = world.get(&format!("{ASKED}&site=nowhere"), &viewer);
    assert!(section(&page, "id=\"evidence\"").contains("<code>beds</code>"), "{page}");
    world.web.stop();
}

/// Puts other bytes in the place of the inventories of a site that were true at a time.
fn damage(world: &World, slug: &str, at: i64) {
    let database = rusqlite::Connection::open(world.store.path()).unwrap();
    let sql = "UPDATE blob SET bytes = x'00' WHERE digest IN (
        SELECT snapshot.digest FROM snapshot
        JOIN site_asset ON site_asset.asset = snapshot.asset
        JOIN site ON site.id = site_asset.site WHERE slug = ?1 AND observed_at = ?2)";
    assert_eq!(database.execute(sql, rusqlite::params![slug, at]), Ok(1));
}

#[test]
fn an_inventory_that_does_not_read_back_hides_no_answer() {
    clock!(now, now_set);
    now_set(START);
    let (old, new) = (START - 10 * DAY_S, START - 60);
    let mut viewer = String::new();
    let world = World::start(now, |store| {
        viewer = person(store, "viewer", 1, &[("viewer", "/")]);
        put(store, "beds", vec![log4j("2.14.1", NESTED), log4j("2.17.1", PLAIN)], old);
        put(store, "beds", vec![log4j("2.14.1", NESTED)], new);
        put(store, "care", vec![log4j("2.8.2", PLAIN)], new);
    });
    // A damaged old one: since when is told as far as it is known.
    damage(&world, "beds", old);
    let (status, _, page) = world.get(&format!("{ASKED}&site=beds"), &viewer);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("2 of 3 sites affected, 1 unknown, 0 clear"), "{page}");
    let panel = section(&page, "id=\"evidence\"");
    assert!(panel.contains("An inventory of this site does not read back"), "{panel}");
    assert!(panel.contains(&format!("There since</dt><dd>{} or earlier</dd>", day(0))), "{panel}");
    assert!(panel.contains("opt/a.ear"), "{panel}");
    assert!(!page.contains("Inventories that do not read back"), "{page}");
    // A damaged present one: the graph and the panel say so, and the others are shown.
    damage(&world, "beds", new);
    let (status, _, page) = world.get(&format!("{ASKED}&site=beds"), &viewer);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("2 of 3 sites affected, 1 unknown, 0 clear"), "{page}");
    assert!(page.contains("Inventories that do not read back: 1."), "{page}");
    let graph = section(&page, "<section class=\"panel reach\">");
    assert!(graph.contains(">2.8.2</text>") && !graph.contains(">2.14.1</text>"), "{graph}");
    assert!(graph.contains("1 more affected sites are not in this graph"), "{graph}");
    let panel = section(&page, "id=\"evidence\"");
    assert!(panel.contains("An inventory of this site does not read back"), "{panel}");
    let (_, _, page) = world.get(&format!("{ASKED}&site=beds").replace("=en", "=fr"), &viewer);
    assert!(page.contains("Un inventaire de ce site ne se relit pas"), "{page}");
    world.web.stop();
}

#[test]
fn the_panel_shows_first_what_is_affected_and_says_how_sure_it_is() {
    clock!(now, now_set);
    now_set(START);
    let mut viewer = String::new();
    let world = World::start(now, |store| {
        viewer = person(store, "viewer", 1, &[("viewer", "/")]);
        // In more places than the panel shows, and of a lower number.
        let unsure = |place: char| {
            let mut component = log4j("1", &format!("at/{place}.jar"));
            component.purl.version.clear();
            component
        };
        let mut held: Vec<Component> = ('a'..='h').map(unsure).collect();
        held.push(log4j("2.14.1", NESTED));
        put(store, "beds", held, START - 60);
    });
    let (status, _, page) = world.get(&format!("{ASKED}&site=beds"), &viewer);
    assert_eq!(status, 200, "{page}");
    let panel = section(&page, "id=\"evidence\"");
    let first = panel.split("<h3>").nth(1).unwrap();
    assert!(first.starts_with("log4j-core 2.14.1<"), "{panel}");
    assert!(first.contains("<dd>affected</dd>"), "{panel}");
    world.web.stop();
}
