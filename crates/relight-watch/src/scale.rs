//! What a billion events leave in a pool, for the benchmark of its memory.

use std::net::{IpAddr, Ipv4Addr};

use relight_model::{OrgId, SiteId, Timestamp};

use crate::contact::{Class, Facts};
use crate::pool::{Pool, Print, Row, SourceKey};
use crate::sim::Random;

/// Sources a day with a contact: 5.2 % of 10^7 in 180 days.
const VISITORS: u32 = 2_900;

/// Addresses of botnets a day.
const BOTS: u32 = 20_000;

/// Sites, and organisations.
const SITES: u32 = 4_000;
const ORGANISATIONS: u32 = 40;

/// One contact before it is in a pool.
#[derive(Clone, Copy, Debug)]
pub struct Contact {
    class: Class,
    site: u32,
    door: u64,
    at: Timestamp,
    client: u32,
}

/// The contacts of one day, a part of them if `divisor` is above 1.
pub fn day(random: &mut Random, day: u32, divisor: u32, see: &mut dyn FnMut(u32, Contact)) {
    let divisor = divisor.max(1);
    for (count, class) in
        [(VISITORS / divisor, Class::NotFoundCold), (BOTS / divisor, Class::Probe)]
    {
        for _ in 0..count {
            let source = random.next() as u32;
            for _ in 0..1 + random.below(3) {
                let at = 1_600_000_000 + Timestamp::from(day) * 86_400;
                let at = at + Timestamp::from(random.below(86_400));
                let (site, door) = (random.below(SITES), random.next());
                let client = 1 + random.below(50);
                see(source, Contact { class, site, door, at, client });
            }
        }
    }
}

/// Puts a contact into a pool.
pub fn add(pool: &mut Pool, source: u32, contact: Contact) {
    let Contact { class, site, door, at, client } = contact;
    let print = Print { tls: client, agent: client };
    let first = (at, 404, String::new(), print);
    let facts = Facts { first, last: at, in_site: false, served: false };
    let place = (OrgId(site % ORGANISATIONS), Some(SiteId(site)));
    let source = SourceKey::of(IpAddr::V4(Ipv4Addr::from(source)));
    pool.insert(Row::new(source, class, door, place, &facts));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ROWS_MAX;

    /// Goal: flat, nothing let go, shards equal to one run. Method: a hundredth of a billion events
    /// over 180 days, four shards by source merged backwards, and once more over a restart.
    #[test]
    fn a_hundredth_of_a_billion_events() {
        let mut random = Random::new(20_211_210, 0);
        let mut pool = Pool::new(ROWS_MAX);
        let mut shards: Vec<Pool> = (0..4).map(|_| Pool::new(ROWS_MAX)).collect();
        for number in 0..180 {
            day(&mut random, number, 100, &mut |source, contact| {
                add(&mut pool, source, contact);
                add(&mut shards[source as usize % 4], source, contact);
            });
        }
        let stats = pool.stats();
        assert!((70_000..90_000).contains(&stats.rows), "{stats:?}");
        assert_eq!(stats.evicted, 0);
        let bytes = pool.to_bytes();
        let mut merged = Pool::new(ROWS_MAX);
        shards.iter().rev().for_each(|shard| merged.merge(shard));
        assert_eq!(merged.to_bytes(), bytes);
        let back = Pool::from_bytes(&bytes, ROWS_MAX);
        assert_eq!(back.map(|mut pool| pool.to_bytes()), Ok(bytes));
    }
}
