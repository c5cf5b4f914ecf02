//! What an organisation shares with others: its contacts, with keyed pseudonyms in the place of
//! addresses, and nothing that names anybody.
//!
//! A pseudonym is 63 bits of HMAC-SHA-256 of the address under the key of a quarter; one of
//! version 6 is that of its /64. Without the key nobody gets back from it to an address: a plain
//! digest of an IPv4 address is found in a table of 2^32. Doors that are none of the catalogue are
//! keyed as well, because a path can be guessed. The key stays with the members and is in
//! no export. Whoever has it can still try every address; so it is a pseudonym, not anonymous.
//!
//! At a change of quarter a member shares everything it keeps again, under the new key, and who
//! collects takes the newest of each member: so nobody who is slow is cut in two.

use std::net::{IpAddr, Ipv6Addr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use relight_model::{OrgId, SiteId, Timestamp};
use sha2::Sha256;

use crate::civil;
use crate::contact::{ContactKey, Facts, Kind, Visit, subject};
use crate::pool::Print;
use crate::window::{Counters, Home, Window};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// The key of one quarter, and the secret of one member.
pub struct Sharing<'a> {
    key: &'a [u8; KEY_BYTES],
    /// Name of the member: numbers of its organisations and sites mean something else elsewhere.
    member: &'a str,
}

impl<'a> Sharing<'a> {
    /// Shares under the key of a quarter, as this member.
    pub const fn new(key: &'a [u8; KEY_BYTES], member: &'a str) -> Self {
        Self { key, member }
    }

    /// The pseudonym of an address, in the form of an address of version 6, because that is what
    /// windows hold: no such address is meant.
    pub fn pseudonym(&self, address: IpAddr) -> Ipv6Addr {
        let digest = match subject(address) {
            IpAddr::V4(address) => self.digest(&[b"4", &address.octets()[..]]),
            IpAddr::V6(address) => self.digest(&[b"6", &address.octets()[..8]]),
        };
        // A pool keeps the first half of an address of version 6; the first bit tells it from one
        // of version 4.
        let mut half = [0; 16];
        half[..8].copy_from_slice(&digest[..8]);
        half[0] |= 0x80;
        Ipv6Addr::from(half)
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        // A key of any length is one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key) else { return [0; 32] };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// A number of ours that means the same for everybody.
    fn number(&self, kind: &str, number: u32) -> u32 {
        let digest = self.digest(&[kind.as_bytes(), self.member.as_bytes(), &number.to_le_bytes()]);
        // The largest one stands for "no site".
        u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3] & 0x7f])
    }

    /// What a door is called when it is none of the catalogue: whoever has no key cannot try
    /// whether a path that they guess is among them.
    fn door(&self, door: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest(&[b"door", &door.to_le_bytes()]);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Adds to what is shared a window of one organisation, with who is at home there: contacts of
    /// strangers only, without the text of paths. What is known about ordinary visitors stays at
    /// home, and so do the exact times of a day. All windows of a large member in one have no
    /// room, and what goes then is a part of everybody.
    pub fn add(&self, shared: &mut Window, window: &Window, home: &Home) {
        for (key, facts) in &window.contacts {
            if !home.class(key, facts).counts() {
                continue;
            }
            let source = IpAddr::V6(self.pseudonym(key.visit.source));
            let org = OrgId(self.number("org", key.visit.org.0));
            let site = key.visit.site.map(|site| SiteId(self.number("site", site.0)));
            let visit = Visit::new(source, org, site);
            let (first, status, _, print) = facts.first;
            // What a client says about itself is copied by whoever likes, and may name somebody.
            let print = Print { agent: 0, ..print };
            let (door, text) = match key.kind {
                Kind::Probe => {
                    let id = crate::catalogue::id_of(key.door).unwrap_or_default();
                    (key.door, id.to_owned())
                }
                _ => (self.door(key.door), String::new()),
            };
            let facts = Facts {
                first: (day_of(first), status, text, print),
                last: day_of(facts.last),
                in_site: false,
                served: facts.served,
            };
            shared.add(ContactKey { visit, kind: key.kind, door }, facts);
        }
        for ((_, org), counters) in &window.counters {
            let key = (0, OrgId(self.number("org", org.0)));
            let mut counters = *counters;
            if counters.events > 0 {
                (counters.first, counters.last) = (day_of(counters.first), day_of(counters.last));
            }
            shared.counters.entry(key).or_insert(Counters::EMPTY).add(&counters);
        }
    }
}

/// The quarter of a moment, as keys are called: `2026-Q4`.
pub fn quarter(at: Timestamp) -> String {
    let (year, month, _) = civil::date(at);
    format!("{year:04}-Q{}", (month + 2) / 3)
}

const fn day_of(at: Timestamp) -> Timestamp {
    at.div_euclid(86_400) * 86_400
}

#[cfg(test)]
mod tests {
    use relight_model::Event;
    use testkit::Rng;

    use super::*;
    use crate::detectors::judge;

    const KEY: [u8; KEY_BYTES] = [7; KEY_BYTES];
    const LATER: [u8; KEY_BYTES] = [8; KEY_BYTES];

    /// One who tries a few doors of one member, and visitors.
    fn member(number: u8) -> Window {
        let mut window = Window::new(u64::from(number));
        let mut add = |source: [u8; 4], path: &str, status| {
            let source = IpAddr::from(source);
            let site = Some(SiteId(1));
            let at = 1_639_101_958 + i64::from(number) * 86_400;
            window.observe(&Event { site, path, status, ..Event::bare(OrgId(1), at, source) });
        };
        for door in ["/.env", "/.git/config", "/remote/login"] {
            add([198, 51, 100, 7], door, 404);
        }
        add([192, 0, 2, number], "/private/Ada-Lovelace", 200);
        add([192, 0, 2, number], "/private/Ada-Lovelace/missing", 404);
        window
    }

    /// What a member with one window shares.
    fn shared_by(sharing: &Sharing<'_>, window: &Window) -> Window {
        let (mut shared, mut home) = (Window::new(0), Home::default());
        home.add(window);
        sharing.add(&mut shared, window, &home);
        shared
    }

    fn pool(key: &[u8; KEY_BYTES]) -> Window {
        let mut pool = Window::new(0);
        for number in 0..6 {
            let name = format!("member {number}");
            pool.merge(&shared_by(&Sharing::new(key, &name), &member(number)));
        }
        pool
    }

    /// Trap: a member whose windows hold more than fits into one shared a part of its strangers,
    /// and said nothing of it. Here most contacts are those of visitors, who are not shared.
    #[test]
    fn a_large_member_shares_every_stranger() {
        let mut windows = Vec::new();
        let (mut home, mut pool) = (Home::default(), Window::new(0));
        for number in 0..3_u32 {
            let mut window = Window::new(u64::from(number));
            let mut add = |source: [u8; 4], path: &str, status| {
                let (source, site) = (IpAddr::from(source), Some(SiteId(1)));
                let event = Event::bare(OrgId(1), 1_639_101_958, source);
                window.observe(&Event { site, path, status, ..event });
            };
            // Who follows a link to a page that was there is a visitor.
            add([10, 0, 0, 0], "/old/page", 200);
            for visitor in number * 70_000..(number + 1) * 70_000 {
                let [_, a, b, c] = visitor.to_be_bytes();
                add([10, a, b, c], "/old/page", 404);
            }
            (0..100).for_each(|last| add([198, 51, number as u8, last], "/remote/login", 404));
            home.add(&window);
            pool.merge(&window);
            windows.push(window);
        }
        assert!(pool.has_no_room());
        let sharing = Sharing::new(&KEY, "a");
        let mut shared = Window::new(0);
        windows.iter().for_each(|window| sharing.add(&mut shared, window, &home));
        assert_eq!((shared.contacts.len(), shared.has_no_room()), (300, false));
    }

    #[test]
    fn the_pool_sees_what_no_member_sees() {
        for number in 0..6 {
            assert_eq!(judge(&member(number)), [], "a member alone cannot decide");
        }
        let found = judge(&pool(&KEY));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].organisations.len(), 6, "the same numbers of members are not the same");
        let again = Window::from_bytes(&pool(&KEY).to_bytes()).unwrap();
        assert_eq!(judge(&again), found);
    }

    /// Neither addresses nor paths leave, nor digests of them that anybody can make.
    #[test]
    fn nothing_that_names_anybody_leaves() {
        use sha2::Digest as _;
        let shared = shared_by(&Sharing::new(&KEY, "member"), &member(3));
        let bytes = shared.to_bytes();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        for address in [[198, 51, 100, 7], [192, 0, 2, 3]] {
            assert!(!holds(&address));
            assert!(!holds(&sha2::Sha256::digest(address)[..8]));
            assert!(!holds(&sha2::Sha256::digest([b"4", &address[..]].concat())[..8]));
        }
        assert!(!holds(b"Lovelace") && !holds(b"/remote/login"));
        let door = crate::path_class::hash("/private/Ada-Lovelace/missing");
        assert!(member(3).contacts.keys().any(|key| key.door == door));
        assert!(!holds(&door.to_le_bytes()), "a guessed path is not confirmed");
        let stats = shared.stats();
        for at in [stats.first.unwrap(), stats.last.unwrap()] {
            assert_eq!(at % 86_400, 0, "days, no hours");
        }
        assert!(!holds(&KEY[..8]), "the key leaves by no export");
        assert!(holds(b"vpn-remote-login"), "doors of the catalogue are nobody's");
    }

    #[test]
    fn pseudonyms_depend_on_key_and_network() {
        let of = |key, text: &str| Sharing::new(key, "m").pseudonym(text.parse().unwrap());
        assert_eq!(of(&KEY, "198.51.100.7"), of(&KEY, "::ffff:198.51.100.7"));
        assert_eq!(of(&KEY, "2001:db8::1"), of(&KEY, "2001:db8::ffff:2"));
        assert_ne!(of(&KEY, "2001:db8::1"), of(&KEY, "2001:db8:0:1::1"));
        assert_ne!(of(&KEY, "198.51.100.7"), of(&LATER, "198.51.100.7"));
        assert_ne!(of(&KEY, "198.51.100.7"), of(&KEY, "198.51.100.8"));
        // Two members mean the same source by the same pseudonym.
        let other = Sharing::new(&KEY, "other").pseudonym("198.51.100.7".parse().unwrap());
        assert_eq!(of(&KEY, "198.51.100.7"), other);
        let mut rng = Rng::new(3);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..10_000 {
            let address = IpAddr::from((rng.next() as u32).to_be_bytes());
            seen.insert((address, Sharing::new(&KEY, "m").pseudonym(address)));
        }
        let pseudonyms: std::collections::BTreeSet<_> = seen.iter().map(|(_, it)| *it).collect();
        assert_eq!(pseudonyms.len(), seen.len());
    }

    /// Everything is shared again under the new key: what was seen before the change counts on.
    #[test]
    fn a_change_of_quarter_cuts_nobody_in_two() {
        let (before, after) = (judge(&pool(&KEY)), judge(&pool(&LATER)));
        assert_eq!(before.len(), after.len());
        assert_eq!(before[0].contacts, after[0].contacts);
        assert_eq!(before[0].likelihood, after[0].likelihood);
        for (at, name) in
            [(1_639_101_958, "2021-Q4"), (1_640_995_199, "2021-Q4"), (1_640_995_200, "2022-Q1")]
        {
            assert_eq!(quarter(at), name);
        }
    }
}
