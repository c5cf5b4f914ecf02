//! The pool: the distinct contacts of every source over all organisations, in bounded memory.
//!
//! One form for everything: a row of 32 bytes for a contact, sorted. Two rules keep the bound, and
//! both look at keys only, so that every order of merging, every cut into shards and every
//! repetition gives the same bytes, at the limits too:
//!
//! - a source keeps its [`SOURCE_ROWS_MAX`] smallest rows (strongest class first);
//! - a table keeps the sources with the smallest keys, and a key is the address, mixed. What
//!   has to go is a fair share of the sources, and [`Pool::stats`] has its size. To let the least
//!   recent go would let go of exactly those who are slow.
//!
//! Strong contacts (attempts, catalogue) and weak ones (missing, refused) have tables of their
//! own, so that no flood of misses costs an attempt.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relight_model::{OrgId, SiteId, Timestamp};

use crate::contact::{AGAIN_S, Class, Facts, subject};
use crate::path_class;
use crate::window::{Home, Window};

mod bytes;
mod table;
mod users;

pub(crate) use table::Table;
pub(crate) use users::{Count, USERS_MAX, Users, client, first_pair, is_pair_of, pair};

/// Most rows of strong contacts: 256 MB and a tenth more.
pub const ROWS_MAX: usize = 8_000_000;

/// Weak contacts have room for three eighths as many.
const WEAK_SHARE: (usize, usize) = (3, 8);

/// Most rows of one source in one table: more do not decide more.
pub const SOURCE_ROWS_MAX: usize = 64;

/// An address as the pool keeps it: mixed, so that the order favours nobody, and reversible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey(pub(crate) u64);

impl SourceKey {
    /// Of an address: IPv4 whole, of IPv6 the /64.
    pub fn of(source: IpAddr) -> Self {
        let plain = match subject(source) {
            IpAddr::V4(address) => u64::from(u32::from(address)),
            // No /64 that anybody routes begins with 32 zero bits.
            IpAddr::V6(address) => (u128::from(address) >> 64) as u64,
        };
        Self(mixed(plain))
    }

    /// The address; of IPv6 the first one of the /64.
    pub fn address(self) -> IpAddr {
        let plain = unmixed(self.0);
        u32::try_from(plain).map_or_else(
            |_| IpAddr::V6(Ipv6Addr::from(u128::from(plain) << 64)),
            |v4| IpAddr::V4(Ipv4Addr::from(v4)),
        )
    }
}

/// The finaliser of SplitMix64, a bijection.
const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const fn unmixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 31) ^ (z >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    z = (z ^ (z >> 27) ^ (z >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    z ^ (z >> 30) ^ (z >> 60)
}

/// Which client software made a contact: hashes, 0 when the log does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Print {
    /// Of JA4, else of JA3.
    pub tls: u32,
    /// Of the user agent.
    pub agent: u32,
}

impl Print {
    /// From the fields of an event.
    pub(crate) fn of(ja4: &str, ja3: &str, agent: &str) -> Self {
        let hash = |text: &str| match text {
            "" | "-" => 0,
            text => (path_class::text_hash(text) >> 32) as u32 | 1,
        };
        Self { tls: hash(if ja4.is_empty() { ja3 } else { ja4 }), agent: hash(agent) }
    }
}

/// One distinct contact. The first three fields tell it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) source: SourceKey,
    /// Class in the upper four bits, 28 bits of the door below.
    class_and_door: u32,
    /// The site; with the top bit set, an organisation whose site the log did not tell.
    place: u32,
    pub(crate) first: u32,
    /// Minutes since 1970, and in the last bit whether it was ever answered.
    last_and_served: u32,
    pub(crate) print: Print,
}

/// Marks a place that is an organisation.
const ORG_ONLY: u32 = 1 << 31;

/// A place as one number: a site, or an organisation whose site the log did not tell.
pub(crate) fn place_of(org: OrgId, site: Option<SiteId>) -> u32 {
    site.map_or(org.0 | ORG_ONLY, |site| site.0 & !ORG_ONLY)
}

/// The organisation of a place without a site.
pub(crate) fn org_only(place: u32) -> Option<OrgId> {
    (place & ORG_ONLY != 0).then_some(OrgId(place & !ORG_ONLY))
}

impl Row {
    /// Fills memory that is reserved.
    const FILLER: Self = Self {
        source: SourceKey(u64::MAX),
        class_and_door: u32::MAX,
        place: u32::MAX,
        first: 1,
        last_and_served: 1,
        print: Print { tls: 1, agent: 1 },
    };

    pub(crate) fn new(
        source: SourceKey,
        class: Class,
        door: u64,
        place: (OrgId, Option<SiteId>),
        facts: &Facts,
    ) -> Self {
        let door = (door >> 36) as u32;
        let place = place_of(place.0, place.1);
        let class_and_door = (class as u32) << 28 | door;
        let last_and_served = (second(facts.last) / 60 * 2) | u32::from(facts.served);
        let (first, print) = (second(facts.first.0), facts.first.3);
        Self { source, class_and_door, place, first, last_and_served, print }
    }

    /// Its class.
    pub(crate) const fn class(&self) -> Class {
        Class::ALL[(self.class_and_door >> 28) as usize % Class::ALL.len()]
    }

    /// 28 bits of its door.
    pub(crate) const fn door(&self) -> u32 {
        self.class_and_door & ((1 << 28) - 1)
    }

    /// Where it was, as one number: a site, or an organisation.
    pub(crate) const fn place(&self) -> u32 {
        self.place
    }

    /// It was answered at some time.
    pub(crate) const fn was_served(&self) -> bool {
        self.last_and_served & 1 != 0
    }

    /// Second of its last event, or a little before.
    const fn last(&self) -> u32 {
        self.last_and_served / 2 * 60
    }

    /// It says something about its source: it was not made again on another day, see
    /// [`Class::again`].
    pub(crate) const fn counts(&self) -> bool {
        let again = self.last() as i64 - self.first as i64 >= AGAIN_S;
        let served = self.was_served();
        if again { self.class().again(served).counts() } else { self.class().counts() }
    }

    const fn key(&self) -> (SourceKey, u32, u32) {
        (self.source, self.class_and_door, self.place)
    }

    /// What both say about the same contact: each part is a minimum or a maximum.
    fn merge(&mut self, other: &Self) {
        if (other.first, other.print) < (self.first, self.print) {
            (self.first, self.print) = (other.first, other.print);
        }
        let served = (self.last_and_served | other.last_and_served) & 1;
        self.last_and_served = self.last_and_served.max(other.last_and_served) | served;
    }
}

/// Seconds since 1970 in 32 bits: until 2106. What lies outside is at the edge.
fn second(at: Timestamp) -> u32 {
    u32::try_from(at.max(0)).unwrap_or(u32::MAX)
}

/// See the head of the file.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(crate) strong: Table,
    pub(crate) weak: Table,
    pub(crate) users: Users,
}

const fn weak_rows(rows_max: usize) -> usize {
    rows_max / WEAK_SHARE.1 * WEAK_SHARE.0
}

/// How full a pool is and what it had to let go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolStats {
    /// Rows of strong contacts and of weak ones.
    pub rows: usize,
    /// Bytes that its tables hold.
    pub bytes: usize,
    /// Share of the sources whose strong contacts are all kept; below 1 after an eviction.
    pub strong_share: f64,
    /// The same for weak contacts.
    pub weak_share: f64,
    /// Rows that this pool itself let go at a limit.
    pub evicted: u64,
}

impl Pool {
    /// Empty, with room for `rows_max` rows of strong contacts.
    pub fn new(rows_max: usize) -> Self {
        let table = |rows_max| Table::new(rows_max, SOURCE_ROWS_MAX);
        let (strong, weak) = (table(rows_max), table(weak_rows(rows_max)));
        Self { strong, weak, users: Users::default() }
    }

    /// Takes every contact of a window. `home` must know all that is known of its organisation,
    /// because only then are classes final; warm contacts are no evidence and are left out.
    pub fn add(&mut self, window: &Window, home: &Home) {
        for (key, facts) in &window.contacts {
            let class = home.class(key, facts);
            if class.counts() {
                let visit = &key.visit;
                let (source, place) = (SourceKey::of(visit.source), (visit.org, visit.site));
                self.insert(Row::new(source, class, key.door, place, facts));
            }
        }
        self.users.merge(&window.users);
    }

    pub(crate) fn insert(&mut self, row: Row) {
        if row.class().is_strong() { self.strong.insert(row) } else { self.weak.insert(row) }
    }

    /// Adds everything that another pool knows.
    pub fn merge(&mut self, other: &Self) {
        self.strong.merge(&other.strong);
        self.weak.merge(&other.weak);
        self.users.merge(&other.users);
    }

    /// Takes the memory of its limits now, so that it neither grows nor fails later.
    pub fn reserve(&mut self) {
        self.strong.reserve();
        self.weak.reserve();
    }

    /// How full it is.
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            rows: self.strong.len() + self.weak.len(),
            bytes: self.strong.bytes() + self.weak.bytes() + self.users.bytes(),
            strong_share: self.strong.share(),
            weak_share: self.weak.share(),
            evicted: self.strong.evicted() + self.weak.evicted(),
        }
    }

    /// Calls `see` for each source with its rows, strong ones first, in order of keys.
    pub(crate) fn each_source(&mut self, mut see: impl FnMut(SourceKey, &[Row])) {
        let (strong, weak) = (self.strong.sorted(), self.weak.sorted());
        let (mut strong, mut weak) = (strong.peekable(), weak.peekable());
        let mut rows = Vec::with_capacity(2 * SOURCE_ROWS_MAX);
        loop {
            let next = [strong.peek(), weak.peek()].into_iter().flatten().map(|row| row.source);
            let Some(source) = next.min() else { return };
            rows.clear();
            while let Some(row) = strong.next_if(|row| row.source == source) {
                rows.push(*row);
            }
            while let Some(row) = weak.next_if(|row| row.source == source) {
                rows.push(*row);
            }
            see(source, &rows);
        }
    }
}

#[cfg(test)]
mod tests;
