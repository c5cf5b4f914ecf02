//! Runs the detectors over their fixtures.

use std::fmt::Write as _;

use super::*;

/// Every detector fixture is a folder of logs named `org-site.log`, and where sectors matter a list
/// of them, `sites.csv`: organisation, site and sector. Each log is one window; merged in both
/// orders they must be the same bytes and give the expected detections.
pub(crate) fn check(name: &str, detector: &dyn Detector) {
    assert_eq!(name, detector.name());
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let mut out = String::new();
        let (logs, lists): (Vec<_>, Vec<_>) =
            case.files.iter().partition(|(file, _)| file.ends_with(".log"));
        let windows: Vec<Window> =
            logs.iter().map(|(file, bytes)| window(file, bytes, &mut out)).collect();
        let forth = merged(windows.iter());
        assert_eq!(forth.to_bytes(), merged(windows.iter().rev()).to_bytes(), "{}", case.name);
        let dossier = whole(&forth);
        for summary in dossier.summaries() {
            if let Some(found) = detector.judge(&summary) {
                on_the_ladder(&found);
                let _ = writeln!(out, "{found:#?}");
            }
        }
        let mut pool = Pool::new(ROWS_MAX);
        let mut home = Home::default();
        home.add(&forth);
        pool.add(&forth, &home);
        let places = match lists.first() {
            Some((_, list)) => listed(list),
            None => Places::of_window(&forth),
        };
        let found = Found::of(&mut pool, &places, Claims::default());
        for alarm in detector.alarms(&mut pool, &places) {
            let made = alarm.detection(&dossier, &places, &found);
            made.iter().for_each(on_the_ladder);
            let _ = writeln!(out, "{made:#?}");
        }
        out
    });
}

/// Reconnaissance alone is never more: an attempt has a payload that would have worked, and no
/// detector says more than attempt.
fn on_the_ladder(found: &Detection) {
    assert!(found.severity <= Severity::ExploitAttempt, "{found:#?}");
    assert_eq!(found.severity == Severity::ExploitAttempt, !found.attempts.is_empty());
    assert!(found.likelihood >= found.threshold, "{found:#?}");
    assert!(found.marks.is_sorted() && found.marks.len() <= DETECTION_MARKS_MAX);
}

fn listed(list: &[u8]) -> Places {
    let text = str::from_utf8(list).unwrap();
    let sites = text.lines().map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        (SiteId(fields[1].parse().unwrap()), OrgId(fields[0].parse().unwrap()), fields[2])
    });
    let sites: Vec<_> = sites.collect();
    Places::new(sites)
}

fn merged<'a>(windows: impl Iterator<Item = &'a Window>) -> Window {
    let mut pool = Window::new(0);
    windows.for_each(|window| pool.merge(window));
    pool
}

/// Everything that a window holds, whoever it is about.
fn whole(window: &Window) -> Dossier {
    let sources = window.contacts.keys().map(|key| SourceKey::of(key.visit.source));
    let mut dossier = Dossier::default();
    let mut home = Home::default();
    home.add(window);
    dossier.add(window, &home, &sources.collect());
    dossier
}

fn window(file: &str, bytes: &[u8], out: &mut String) -> Window {
    let (org, site) = file.strip_suffix(".log").unwrap().split_once('-').unwrap();
    let feed = crate::Feed {
        org: OrgId(org.parse().unwrap()),
        site: Some(SiteId(site.parse().unwrap())),
        host: format!("site{site}.example.test"),
        ..crate::Feed::default()
    };
    let mut window = Window::new(path_class::hash(file));
    let parser = crate::parsers::named("combined").unwrap();
    for (number, line) in crate::line::Lines::new(bytes).enumerate() {
        match parser.parse(&feed, &line) {
            Ok(event) => window.observe(&event),
            Err(code) => {
                let _ = writeln!(out, "{file}:{} refused: {code}", number + 1);
            }
        }
    }
    window
}

fn contact(class: Class, org: u32, text: &'static str) -> Contact<'static> {
    let (org, site) = (OrgId(org), Some(SiteId(org)));
    Contact {
        first: i64::from(org.0),
        org,
        site,
        class,
        text,
        status: 404,
        last: 9,
        print: Print::default(),
        door: 1,
    }
}

#[test]
fn ordinary_visits_never_lower_the_likelihood() {
    let doors = ["/.env", "/owa", "/vpn/", "/solr"];
    let event = |path: &'static str, org: u32, status: u16| relight_model::Event {
        site: Some(SiteId(org)),
        host: "www.example.test",
        method: "GET",
        path,
        status,
        escape: relight_model::Escape::Apache,
        ..relight_model::Event::bare(OrgId(org), 1, IpAddr::from([192, 0, 2, 1]))
    };
    let likelihood = |visits: u32| {
        let mut window = Window::new(1);
        for (org, path) in (0..).zip(doors) {
            window.observe(&event(path, org, 404));
            (0..visits).for_each(|_| window.observe(&event("/", org, 200)));
        }
        judge(&window)[0].likelihood
    };
    assert!(likelihood(500) >= likelihood(0));
}

#[test]
fn classes_follow_from_everything_that_is_known() {
    let line = |lines: &[&str]| {
        let bytes = lines.join("\n");
        let window = window("1-1.log", bytes.as_bytes(), &mut String::new());
        let classes = |summary: &Summary<'_>| -> Vec<Class> {
            summary.contacts.iter().map(|contact| contact.class).collect()
        };
        whole(&window).summaries().flat_map(|it| classes(&it)).collect::<Vec<_>>()
    };
    let log = |source: &str, path: &str, status: u16, referer: &str| {
        format!(
            "{source} - - [10/Dec/2021:02:05:58 +0000] \"GET {path} HTTP/1.1\" {status} 9 \
             \"{referer}\" \"-\""
        )
    };
    let miss = log("192.0.2.1", "/gone", 404, "-");
    assert_eq!(line(&[&miss]), [Class::NotFoundCold]);
    // A page of the same site led there.
    let led = log("192.0.2.1", "/gone", 404, "http://site1.example.test/");
    assert_eq!(line(&[&led]), [Class::NotFoundWarm]);
    // The source uses the site, before or after.
    let visit = log("192.0.2.1", "/", 200, "-");
    assert_eq!(line(&[&miss, &visit]), [Class::NotFoundWarm]);
    // Somebody else was served the path.
    let served = log("192.0.2.9", "/gone", 200, "-");
    assert_eq!(line(&[&served, &miss]), [Class::NotFoundWarm]);
    // A stranger on another path changes nothing, and probes are never warm.
    let other = log("192.0.2.9", "/", 200, "-");
    assert_eq!(line(&[&other, &miss]), [Class::NotFoundCold]);
    let probe = log("192.0.2.1", "/.env", 404, "http://site1.example.test/");
    assert_eq!(line(&[&visit, &probe]), [Class::Probe]);
    let refused = log("192.0.2.1", "/", 403, "-");
    assert_eq!(line(&[&refused]), [Class::RefusedCold]);
    assert_eq!(line(&[&other, &refused]), [Class::RefusedWarm]);
}

#[test]
fn evidence_shows_every_organisation_first() {
    let mut contacts: Vec<Contact<'_>> =
        (0..70).map(|_| contact(Class::NotFoundCold, 0, "/same")).collect();
    contacts.extend((0..40).map(|org| contact(Class::Probe, org, "/.env")));
    contacts.sort_unstable();
    let lines = evidence(&contacts);
    assert_eq!(lines.len(), EVIDENCE_MAX);
    for org in 0..40 {
        assert!(lines.iter().any(|line| line.starts_with(&format!("{org}, "))), "{org}");
    }
    assert!(lines.iter().any(|line| line == "3, 3, 1970-01-01, 404, probe:dotenv, /.env"));
}

/// A surge over the contacts of somebody who is known alone does not take that id, not even when
/// contacts that came late gave the campaign another first one.
#[test]
fn the_id_of_a_payload_does_not_pass_to_a_surge_over_the_same_contacts() {
    let asked = ["ldap://x.example/a", "ldap://y.example/a", "ldap://z.example/a"];
    let contacts: Vec<Contact<'_>> =
        (1..).zip(asked).map(|(org, text)| contact(Class::Exploit, org, text)).collect();
    let alone = |at: usize| {
        let source = IpAddr::from([192, 0, 2, at as u8]);
        detection("jndi", Severity::ExploitAttempt, vec![source], &contacts[at..=at]).unwrap()
    };
    let each: Vec<Detection> = (0..3).map(alone).collect();
    let sources = each.iter().flat_map(|it| it.sources.clone()).collect();
    let mut surge = detection("spike", Severity::ExploitAttempt, sources, &contacts).unwrap();
    surge.shared = "class:exploit".to_owned();
    surge.marks = marks_of_strangers("spike", &contacts);
    assert!(surge.marks.is_sorted() && surge.marks.len() == contacts.len());
    assert_ne!(surge.marks, marks_of_strangers("emerging", &contacts));
    let mut before = crate::campaigns(&each);
    let mut remembered = crate::recognise(&mut before, &[]);
    remembered.iter_mut().for_each(|it| it.id = format!("C-OLD{}", it.first));
    let mut now = crate::campaigns(&[&each[..], std::slice::from_ref(&surge)].concat());
    crate::recognise(&mut now, &remembered);
    let id_of = |detector: &str| -> Vec<&str> {
        let of = now.iter().filter(|it| it.detections[0].detector == detector);
        of.map(|it| it.id.as_str()).collect()
    };
    assert_eq!(id_of("jndi"), ["C-OLD1", "C-OLD2", "C-OLD3"]);
    assert!(!id_of("spike")[0].starts_with("C-OLD"), "{:?}", id_of("spike"));
}

/// Who used a known flaw is told at once, as an attempt and never more; a door of presence alone
/// is not. Its flaws are those of the entry, and a door that opens day after day is its owner's.
#[test]
fn one_use_of_a_known_flaw_is_an_attempt() {
    let log = |path: &str, day: u8, status: u16| {
        format!(
            "192.0.2.1 - - [{day:02}/Dec/2021:02:05:58 +0000] \"GET {path} HTTP/1.1\" {status} 9"
        )
    };
    let found = |lines: &[String]| {
        let lines: Vec<String> = lines.iter().map(|line| format!("{line} \"-\" \"-\"")).collect();
        judge(&window("1-1.log", lines.join("\n").as_bytes(), &mut String::new()))
    };
    let flaw = "/tmui/login.jsp/..;/tmui/system/user/authproperties.jsp";
    let one = found(&[log(flaw, 10, 404)]);
    assert_eq!(one.len(), 1, "{one:#?}");
    assert_eq!((one[0].detector, one[0].severity), ("flaw", Severity::ExploitAttempt));
    assert_eq!(one[0].attempts.iter().map(|it| it.flaw).collect::<Vec<_>>(), ["CVE-2020-5902"]);
    assert_eq!(one[0].tried.len(), 1);
    assert_eq!(found(&[log("/tmui/login.jsp", 10, 404)]), [], "that it is there is no attempt");
    assert_eq!(found(&[log(flaw, 10, 200), log(flaw, 11, 200)]), [], "its owner");
    let sweep = found(&[log(flaw, 10, 404), log("/.env", 10, 404), log("/.git/config", 10, 404)]);
    assert!(sweep.len() == 2 && sweep.iter().all(|it| it.severity == Severity::ExploitAttempt));
}

/// Beyond the limit a fair share of the sources is looked up, and its size is known.
#[test]
fn the_limit_of_sources_with_a_flaw_is_reached_and_told() {
    let mut pool = Pool::new(ROWS_MAX);
    let facts = |at| crate::contact::Facts {
        first: (at, 404, String::new(), Print::default()),
        last: at,
        in_site: false,
        served: false,
    };
    for number in 0..200_u32 {
        let source = SourceKey::of(IpAddr::from(number.to_be_bytes()));
        let place = (OrgId(1), Some(SiteId(1)));
        pool.insert(crate::pool::Row::new(source, Class::Flaw, 1 << 40, place, &facts(9)));
    }
    let (all, ceiling) = deciding(&mut pool, 200, &Claims::default());
    assert_eq!((all.len(), ceiling), (200, u64::MAX));
    let (some, ceiling) = deciding(&mut pool, 50, &Claims::default());
    assert_eq!(some.len(), 50);
    assert!(some.iter().all(|source| source.0 <= ceiling) && ceiling < u64::MAX / 2);
    assert!(all.iter().filter(|source| source.0 <= ceiling).eq(&some));
}
