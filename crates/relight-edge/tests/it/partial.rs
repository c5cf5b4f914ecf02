//! Gates of a section, an audience and a class of methods: what they close, and that a site with a
//! closed part is never taken for dark.

use relight_edge::{GateSet, Look, ProbeTarget};
use relight_model::{GateKey, Seen, SitePart};

use crate::support::{Kind, Rig, host, key};

fn start(kind: Kind) -> Rig {
    let mut rig = Rig::start(kind, 2);
    rig.restart_with(|config| {
        let parts = ["booking=/rendez.vous/booking", "@internet", "@write"];
        config.sites[0].partial = parts.map(part).into();
    });
    rig
}

fn part(text: &str) -> SitePart {
    SitePart::parse(text).unwrap()
}

/// Looks at a part as the product does.
fn look(rig: &mut Rig, text: &str) -> Seen {
    let (site, part) = (key(0), part(text));
    let part_key = part.key(&site).unwrap();
    let look = Look::Part { site, part };
    let target = ProbeTarget { key: part_key, host: host(0), baseline: None, look };
    rig.prober.probe(&[target], 7)[0].seen
}

fn keys(names: &[&str]) -> GateSet {
    names.iter().map(|name| GateKey::new(name).unwrap()).collect()
}

/// Status of a request, and whether it reached the origin.
fn ask(rig: &Rig, method: &str, uri: &str) -> (u16, bool) {
    let before = rig.origins[0].visitors();
    let headers: &[(&str, &str)] = if method == "GET" { &[] } else { &[("Content-Length", "0")] };
    let answer = rig.visitor().request(method, &host(0), uri, headers);
    (answer.map_or(0, |answer| answer.status), rig.origins[0].visitors() > before)
}

#[test]
fn a_section_is_closed_and_the_rest_is_not() {
    for kind in Kind::ALL {
        let mut rig = start(kind);
        let inside = "/rendez.vous/booking";
        assert_eq!(ask(&rig, "GET", inside), (200, true), "{kind:?}");
        assert_eq!(look(&mut rig, "booking=/rendez.vous/booking"), Seen::Lit, "{kind:?}");
        rig.close(1, &keys(&["site-0.booking"]));
        for uri in [inside, "/rendez.vous/booking/", "/rendez.vous/booking/a?b"] {
            assert_eq!(ask(&rig, "GET", uri), (503, false), "{kind:?} {uri}");
        }
        // Other spellings of the same path: refused or closed, but never at the origin.
        for uri in [
            "//rendez.vous//booking",
            "/x/../rendez.vous/booking",
            "/rendez.vous/./booking",
            "/rendez.vous/%62ooking",
            "/rendez.vous%2Fbooking",
            "/rendez.vous/booking;session=1",
            "/rendez.vous;a=b/booking/x",
            "/Rendez.vous/BOOKING",
            "/x/..;/rendez.vous/booking",
            "/x/.;/..;a=b/rendez.vous/booking",
            "/;x/rendez.vous/booking",
            "/rendez.vous/;/;x=y//booking/a",
        ] {
            assert!(!ask(&rig, "GET", uri).1, "{kind:?} {uri}");
        }
        for uri in ["/", "/rendez.vous/bookings", "/rendez.vous", "/rendezxvous/booking"] {
            assert_eq!(ask(&rig, "GET", uri), (200, true), "{kind:?} {uri}");
        }
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}: a part is not the site");
        assert_eq!(look(&mut rig, "booking=/rendez.vous/booking"), Seen::Dark, "{kind:?}");
        assert_eq!(look(&mut rig, "@write"), Seen::Lit, "{kind:?}: another part");
        let answer = rig.visitor().get(&host(0), inside).unwrap();
        let marker = answer.header("x-relight-gate");
        assert_eq!(marker, Some("dark=1; site=site-0.booking"), "{kind:?}");
        rig.open(2, &GateSet::new());
        assert_eq!(ask(&rig, "GET", inside), (200, true), "{kind:?}");
    }
}

#[test]
fn writing_is_refused_and_reading_is_not() {
    for kind in Kind::ALL {
        let mut rig = start(kind);
        rig.close(1, &keys(&["site-0@write"]));
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            assert_eq!(ask(&rig, method, "/"), (503, false), "{kind:?} {method}");
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(ask(&rig, method, "/"), (200, true), "{kind:?} {method}");
        }
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
        assert_eq!(look(&mut rig, "@write"), Seen::Dark, "{kind:?}");
    }
}

/// These tests come from loopback, which is internal.
#[test]
fn internal_visitors_pass_the_gate_of_the_internet() {
    for kind in Kind::ALL {
        let mut rig = start(kind);
        rig.close(1, &keys(&["site-0@internet"]));
        assert_eq!(ask(&rig, "GET", "/"), (200, true), "{kind:?}");
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
    }
}

/// The whole site closes over its parts, under its own key.
#[test]
fn the_gate_of_the_site_wins() {
    for kind in Kind::ALL {
        let mut rig = start(kind);
        rig.close(1, &keys(&["site-0", "site-0.booking", "site-0@internet", "site-0@write"]));
        assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
        for part in ["booking=/rendez.vous/booking", "@write"] {
            assert_eq!(look(&mut rig, part), Seen::Dark, "{kind:?}: {part}, with its site");
        }
        let target = ProbeTarget::site(key(1), host(1), Some(2));
        assert_eq!(rig.prober.probe(&[target], 9)[0].seen, Seen::Lit, "{kind:?}");
    }
}
