//! Contacts below the pages of a site: a port at which nothing answers, and a host of nobody.
//!
//! Firewalls, flows and sensors tell of connections. One that was dropped or refused is a contact
//! whose door is the port; a port that answers others says nothing about who was dropped there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relight_model::{Event, Outcome};

use super::{Answer, Kind, Knock, Observed, answer};
use crate::parsers::is_address;
use crate::path_class::exact_hash;

/// Ports that browsers try at every site, over TCP and over UDP: that one of them is closed says
/// nothing about who asked.
const CONVENTIONAL: [u16; 2] = [80, 443];

/// Below it are the ports of services, from it on those that systems give to the calling side.
const SERVICES_END: u16 = 1_024;
const CALLERS_BEGIN: u16 = 32_768;

/// The line tells of a connection and of no request in it.
pub(super) const fn is_connection(event: &Event<'_>) -> bool {
    let Event { status, path, method, sni, port, .. } = event;
    *status == 0 && path.is_empty() && method.is_empty() && sni.is_empty() && *port != 0
}

/// What a connection is.
pub(super) fn connection(event: &Event<'_>) -> Observed {
    if !is_outside(event.source) || is_late_answer(event) || CONVENTIONAL.contains(&event.port) {
        return Observed::Neither;
    }
    let text = port_text(event);
    let door = exact_hash(&text);
    match event.outcome {
        Outcome::Dropped | Outcome::Refused => {
            Observed::Contact(Knock::new(Kind::Dropped, door, &text), None)
        }
        Outcome::Served => Observed::Open(door),
        Outcome::Unknown | Outcome::NotFound | Outcome::Failed => Observed::Neither,
    }
}

/// The answer of a service for which the firewall no longer waited: nobody asked for that port.
const fn is_late_answer(event: &Event<'_>) -> bool {
    let from = event.source_port;
    from != 0 && from < SERVICES_END && event.port >= CALLERS_BEGIN
}

fn port_text(event: &Event<'_>) -> String {
    let protocol = match event.protocol {
        17 => "udp",
        _ => "tcp",
    };
    format!("{protocol}/{}", event.port)
}

/// A request for a host of nobody: an address, whatever answered, or a name that was turned away.
/// A name that answers is a site that is not registered yet.
pub(super) fn stray(event: &Event<'_>) -> Option<Knock> {
    if !event.stray || !is_outside(event.source) {
        return None;
    }
    let name = host_of(event);
    let is_stray = is_address(name) || is_turned_away(event);
    is_stray.then(|| Knock::new(Kind::Stray, host_door(event), &name.to_ascii_lowercase()))
}

/// Misdirected, or closed without an answer, as servers do that know no such host.
const MISDIRECTED: [u16; 2] = [421, 444];

fn is_turned_away(event: &Event<'_>) -> bool {
    let by_status = answer(event.status) == Answer::Denied(Kind::Refused)
        || MISDIRECTED.contains(&event.status);
    let is_cut = matches!(event.outcome, Outcome::Refused | Outcome::Dropped | Outcome::Failed);
    by_status || event.status == 0 && is_cut
}

/// The door of the host that was asked.
pub(crate) fn host_door(event: &Event<'_>) -> u64 {
    exact_hash(&host_of(event).to_ascii_lowercase())
}

const fn host_of<'a>(event: &Event<'a>) -> &'a str {
    if event.host.is_empty() { event.sni } else { event.host }
}

/// The address is one that packets from elsewhere come from: one's own hosts that are kept from
/// calling out, and health checks, try no doors.
fn is_outside(source: IpAddr) -> bool {
    match source.to_canonical() {
        IpAddr::V4(address) => !is_own_v4(address),
        IpAddr::V6(address) => !is_own_v6(address),
    }
}

const fn is_own_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || first == 0
        || first >= 240
        || first == 100 && second & 0xc0 == 64
}

const fn is_own_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
}

#[cfg(test)]
mod tests {
    use relight_model::{OrgId, SiteId};

    use super::*;
    use crate::contact::{Class, observe};
    use crate::detectors::{Dossier, judge};
    use crate::window::{Home, Window};

    fn packet(port: u16, outcome: Outcome) -> Event<'static> {
        let source = IpAddr::from([198, 51, 100, 7]);
        let (source_port, protocol) = (40_123, 6);
        Event { port, outcome, source_port, protocol, ..Event::bare(OrgId(1), 0, source) }
    }

    /// What is seen of an event: the kind and text of its contact, `open` or `-`.
    fn seen(event: &Event<'_>) -> String {
        match observe(event) {
            Observed::Contact(knock, None) => format!("{:?} {}", knock.kind, knock.text),
            Observed::Open(_) => "open".to_owned(),
            Observed::Neither => "-".to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_connection_that_was_dropped_or_refused_is_a_contact_with_a_port() {
        use Outcome::{Dropped, Failed, Refused, Served, Unknown};
        for (port, outcome, expected) in [
            (22, Dropped, "Dropped tcp/22"),
            (3_389, Refused, "Dropped tcp/3389"),
            (65_535, Dropped, "Dropped tcp/65535"),
            (1, Dropped, "Dropped tcp/1"),
            (0, Dropped, "-"),
            (443, Dropped, "-"),
            (22, Served, "open"),
            (22, Unknown, "-"),
            (22, Failed, "-"),
        ] {
            assert_eq!(seen(&packet(port, outcome)), expected, "{port} {outcome:?}");
        }
        let udp = Event { protocol: 17, ..packet(161, Dropped) };
        assert_eq!(seen(&udp), "Dropped udp/161");
        let answer = Event { source_port: 53, ..packet(40_000, Dropped) };
        assert_eq!(seen(&answer), "-", "nobody asked for that port");
        let page = Event { path: "/a", status: 404, ..packet(8_080, Refused) };
        assert!(seen(&page).starts_with("NotFound"), "{}", seen(&page));
    }

    #[test]
    fn hosts_of_our_own_try_no_doors() {
        for own in ["10.1.2.3", "192.168.0.9", "127.0.0.1", "100.64.0.1", "fd00::1", "fe80::1"] {
            let source = own.parse().unwrap();
            assert_eq!(seen(&Event { source, ..packet(22, Outcome::Dropped) }), "-", "{own}");
            let stray = Event { stray: true, host: "192.0.2.1", source, ..page(200) };
            assert!(seen(&stray).starts_with("Ordinary"), "{own}");
        }
        for strange in ["100.63.0.1", "100.128.0.1", "2001:db8::1", "::ffff:192.0.2.9"] {
            let source = strange.parse().unwrap();
            let seen = seen(&Event { source, ..packet(22, Outcome::Dropped) });
            assert_eq!(seen, "Dropped tcp/22", "{strange}");
        }
    }

    fn page(status: u16) -> Event<'static> {
        let source = IpAddr::from([198, 51, 100, 7]);
        Event { path: "/", method: "GET", status, ..Event::bare(OrgId(1), 0, source) }
    }

    #[test]
    fn a_host_of_nobody_is_a_contact_unless_it_answers() {
        for (host, status, expected) in [
            ("192.0.2.1", 200, "Stray 192.0.2.1"),
            ("[2001:db8::1]:443", 404, "Stray [2001:db8::1]:443"),
            ("Old.example.test", 421, "Stray old.example.test"),
            ("old.example.test", 403, "Stray old.example.test"),
        ] {
            let event = Event { stray: true, host, ..page(status) };
            assert_eq!(seen(&event), expected, "{host} {status}");
            let known = Event { stray: false, ..event };
            assert!(!seen(&known).starts_with("Stray"), "{host} {status}");
        }
        let answers = Event { stray: true, host: "new.example.test", ..page(200) };
        assert!(seen(&answers).starts_with("Ordinary"));
        let missing = Event { path: "/gone", status: 404, ..answers };
        assert!(seen(&missing).starts_with("NotFound"), "of a site that nobody registered yet");
        let sni = Event { host: "", sni: "old.example.test", method: "", path: "", ..page(0) };
        let cut = Event { stray: true, outcome: Outcome::Refused, ..sni };
        assert_eq!(seen(&cut), "Stray old.example.test");
    }

    /// The classes of what one address did, given everything in the window.
    fn classes(events: &[Event<'_>]) -> Vec<Class> {
        let mut window = Window::new(1);
        events.iter().for_each(|event| window.observe(event));
        let (mut home, mut dossier) = (Home::default(), Dossier::default());
        home.add(&window);
        let sources = [crate::pool::SourceKey::of(events[0].source)].into();
        dossier.add(&window, &home, &sources);
        let summary = dossier.summaries().next();
        summary.map(|it| it.contacts.iter().map(|it| it.class).collect()).unwrap_or_default()
    }

    #[test]
    fn what_answers_others_says_nothing_about_who_is_turned_away() {
        let other = IpAddr::from([203, 0, 113, 5]);
        let dropped = packet(22, Outcome::Dropped);
        assert_eq!(classes(std::slice::from_ref(&dropped)), [Class::DroppedCold]);
        let open = Event { source: other, ..packet(22, Outcome::Served) };
        assert_eq!(classes(&[dropped.clone(), open]), [Class::DroppedWarm]);
        let elsewhere = Event { source: other, ..packet(23, Outcome::Served) };
        assert_eq!(classes(&[dropped.clone(), elsewhere]), [Class::DroppedCold]);
        let again = Event { at: 86_400, ..dropped.clone() };
        assert_eq!(classes(&[dropped, again]), [Class::DroppedWarm], "no exploration");

        let stray = Event { stray: true, host: "old.example.test", ..page(421) };
        assert_eq!(classes(std::slice::from_ref(&stray)), [Class::Stray]);
        let answered = Event { source: other, status: 200, ..stray.clone() };
        assert_eq!(classes(&[stray.clone(), answered]), [Class::StrayKnown]);
        let visit = Event { stray: false, host: "www.example.test", status: 200, ..stray.clone() };
        assert_eq!(classes(&[stray, visit]), [Class::Stray], "a visit buys nothing");
    }

    /// A scan of one port, one organisation a day: the firewalls of a few say nothing, those of
    /// forty do.
    #[test]
    fn a_scan_of_many_organisations_is_found_and_one_of_a_few_is_not() {
        let found = |organisations: u32| {
            let mut window = Window::new(1);
            for org in 0..organisations {
                for port in [22, 23, 445, 3_389] {
                    let (at, site) = (i64::from(org) * 86_400, Some(SiteId(org)));
                    let event = packet(port, Outcome::Dropped);
                    window.observe(&Event { org: OrgId(org), at, site, ..event });
                }
            }
            judge(&window)
        };
        assert_eq!(found(10), []);
        let found = found(40);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, relight_model::Severity::Reconnaissance);
        assert_eq!(found[0].contributions[0].class, "dropped-cold");
        assert_eq!(found[0].organisations.len(), 40);
    }
}
