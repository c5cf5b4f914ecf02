//! Merging laws, limits, bytes, and that the pool finds what a window of everything finds.

use testkit::Rng;

use super::*;

/// What is known about a contact between two moments.
fn facts(first: Timestamp, last: Timestamp, print: Print) -> Facts {
    let first = (first, 404, String::new(), print);
    Facts { first, last, in_site: false, served: false }
}

/// Rows of few sources, places and doors, so that many are the same contact seen again.
fn row(rng: &mut Rng, sources: usize) -> Row {
    let source = SourceKey::of(IpAddr::from([10, 0, 0, rng.below(sources) as u8]));
    let class = Class::ALL[rng.below(5)];
    let site = Some(SiteId(rng.below(3) as u32)).filter(|site| site.0 > 0);
    let first = 1_600_000_000 + rng.below(100_000) as i64;
    let last = first + rng.below(9) as i64;
    let print = Print { tls: rng.below(3) as u32, agent: rng.below(3) as u32 };
    let door = (rng.below(12) as u64) << 60;
    let facts = Facts { served: rng.chance(300), ..facts(first, last, print) };
    Row::new(source, class, door, (OrgId(7), site), &facts)
}

fn pool_of(rows: &[Row], rows_max: usize, source_rows_max: usize) -> Pool {
    let table = |rows_max| Table::new(rows_max, source_rows_max);
    let (strong, weak) = (table(rows_max), table(weak_rows(rows_max)));
    let mut pool = Pool { strong, weak, users: Users::default() };
    for row in rows {
        pool.insert(*row);
        pool.users.insert(row.source, row.print);
    }
    pool
}

/// Goal: shards merged in any order, in any tree, and more than once give the bytes of one run,
/// below the limits and at them. Method: 60 seeds, four kinds of limits, four shards.
#[test]
fn shards_merge_in_any_order_to_the_bytes_of_one_run() {
    for seed in 0..60 {
        for (rows_max, source_rows_max) in [(10_000, 64), (90, 64), (10_000, 5), (70, 4)] {
            let mut rng = Rng::new(seed);
            let rows: Vec<Row> = (0..600).map(|_| row(&mut rng, 40)).collect();
            let of = |rows: &[Row]| pool_of(rows, rows_max, source_rows_max);
            let whole = of(&rows).to_bytes();
            let shards: Vec<Pool> = rows.chunks(170).map(of).collect();
            for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
                let mut merged = of(&[]);
                for index in order {
                    merged.merge(&shards[index]);
                }
                assert!(merged.to_bytes() == whole, "seed {seed}, {rows_max}, {order:?}");
                merged.merge(&shards[order[0]]);
                assert_eq!(merged.to_bytes(), whole, "seed {seed}: twice is once");
            }
            let (mut left, mut right) = (shards[0].clone(), shards[2].clone());
            left.merge(&shards[1]);
            right.merge(&shards[3]);
            right.merge(&left);
            assert_eq!(right.to_bytes(), whole, "seed {seed}: a tree");
            let mut backwards = rows.clone();
            backwards.reverse();
            assert_eq!(of(&backwards).to_bytes(), whole, "seed {seed}: order of rows");
        }
    }
}

#[test]
fn what_has_to_go_is_a_share_of_the_sources_and_is_counted() {
    let mut rng = Rng::new(3);
    let rows: Vec<Row> = (0..2_000).map(|_| row(&mut rng, 200)).collect();
    let mut pool = pool_of(&rows, 300, 64);
    let _ = pool.to_bytes();
    let stats = pool.stats();
    assert!(stats.evicted > 0 && stats.strong_share < 1.0 && stats.weak_share < 1.0, "{stats:?}");
    let kept: Vec<SourceKey> = pool.strong.sorted().map(|row| row.source).collect();
    assert!(kept.len() <= 300);
    // Every source that is left has every row it had.
    let mut whole = pool_of(&rows, 10_000, 64);
    let last = *kept.last().unwrap();
    assert_eq!(kept.len(), whole.strong.sorted().filter(|row| row.source <= last).count());
    assert_eq!(whole.stats().evicted, 0);
    assert_eq!(whole.stats().strong_share.to_string(), "1");
}

#[test]
fn a_source_keeps_its_strongest_rows() {
    let source = SourceKey::of(IpAddr::from([192, 0, 2, 1]));
    let make = |class, door: u64| {
        Row::new(source, class, door << 36, (OrgId(1), None), &facts(1, 1, Print::default()))
    };
    let mut rows: Vec<Row> = (0..1_000).map(|door| make(Class::Probe, door)).collect();
    rows.push(make(Class::Exploit, 5_000));
    let mut pool = pool_of(&rows, 10_000, SOURCE_ROWS_MAX);
    assert_eq!(pool.strong.sorted().count(), SOURCE_ROWS_MAX);
    assert_eq!(pool.stats().rows, SOURCE_ROWS_MAX);
    assert_eq!(pool.strong.sorted().next().map(Row::class), Some(Class::Exploit));
    assert_eq!(pool.stats().evicted, 1_001 - SOURCE_ROWS_MAX as u64);
}

/// A flood of misses from ever new addresses costs no attempt its place.
#[test]
fn weak_contacts_never_drive_out_strong_ones() {
    let of = |number: u32, class| {
        let source = SourceKey::of(IpAddr::from(number.to_be_bytes()));
        Row::new(source, class, 0, (OrgId(1), None), &facts(1, 1, Print::default()))
    };
    let mut rows: Vec<Row> = (0..200).map(|number| of(number, Class::Exploit)).collect();
    rows.extend((1_000..5_000).map(|number| of(number, Class::NotFoundCold)));
    let mut pool = pool_of(&rows, 256, 64);
    assert_eq!((pool.strong.len(), pool.strong.evicted()), (200, 0));
    assert!(pool.weak.sorted().count() <= 96 && pool.stats().evicted >= 3_750);
}

#[test]
fn addresses_come_back_from_their_keys() {
    let mut rng = Rng::new(9);
    for _ in 0..1_000 {
        let v4 = IpAddr::from((rng.next() as u32).to_be_bytes());
        assert_eq!(SourceKey::of(v4).address(), v4);
        let v6 = Ipv6Addr::from(u128::from(rng.next() | 1 << 61) << 64);
        assert_eq!(SourceKey::of(v6.into()).address(), IpAddr::V6(v6));
    }
    let [one, other] = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"].map(|it| it.parse().unwrap());
    assert_eq!(SourceKey::of(one), SourceKey::of(other), "an IPv6 scanner is one source");
}

#[test]
fn bytes_and_back_and_damaged_bytes_are_refused() {
    let mut rng = Rng::new(11);
    let rows: Vec<Row> = (0..300).map(|_| row(&mut rng, 90)).collect();
    for rows_max in [10_000, 60] {
        let bytes = pool_of(&rows, rows_max, 64).to_bytes();
        let mut back = Pool::from_bytes(&bytes, rows_max).unwrap();
        assert_eq!(back.to_bytes(), bytes);
        // What was let go before stays away afterwards.
        rows.iter().for_each(|row| back.insert(*row));
        assert_eq!(back.to_bytes(), bytes);
        for length in 0..bytes.len() {
            assert!(Pool::from_bytes(&bytes[..length], rows_max).is_err(), "{length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Pool::from_bytes(&longer, rows_max).unwrap_err().code, "pool-trailing");
        assert_eq!(Pool::from_bytes(&bytes, 3).unwrap_err().code, "pool-length");
        for _ in 0..500 {
            let mut damaged = bytes.clone();
            let at = rng.below(damaged.len());
            damaged[at] ^= 1 << rng.below(8);
            // Refused, or a pool that writes itself back as it was read.
            if let Ok(mut pool) = Pool::from_bytes(&damaged, rows_max) {
                assert_eq!(pool.to_bytes(), damaged);
            }
        }
    }
}

/// Goal: what is made again on another day is no exploration, but for doors that never opened.
#[test]
fn what_is_made_again_says_nothing() {
    let source = SourceKey::of(IpAddr::from([192, 0, 2, 1]));
    let counts = |class, hours: i64, served| {
        let facts = Facts { served, ..facts(6_000, 6_000 + hours * 3_600, Print::default()) };
        Row::new(source, class, 0, (OrgId(1), None), &facts).counts()
    };
    for class in [Class::NotFoundCold, Class::RefusedCold] {
        assert!(counts(class, 19, false) && !counts(class, 20, false), "{class:?}");
    }
    assert!(counts(Class::Probe, 900, false), "a door that never opened is tried, not used");
    assert!(counts(Class::Probe, 1, true) && !counts(Class::Probe, 24, true));
    assert!(counts(Class::Exploit, 900, true) && counts(Class::Attempt, 900, true));
}

#[test]
fn reserved_memory_is_taken_once_and_holds_the_limit() {
    let mut pool = Pool::new(20_000);
    pool.reserve();
    let before = pool.stats().bytes;
    assert!(before >= 27_500 * size_of::<Row>());
    let mut rng = Rng::new(4);
    for _ in 0..19_000 {
        let source = SourceKey(rng.next());
        let facts = facts(1, 1, Print::default());
        pool.insert(Row::new(source, Class::Probe, 0, (OrgId(1), None), &facts));
    }
    assert_eq!(pool.stats().bytes, before, "it does not grow below its limit");
    assert_eq!(size_of::<Row>(), 32);
}

#[test]
fn users_are_exact_while_few_and_a_fair_sample_beyond() {
    let mut users = Users::default();
    let mut rng = Rng::new(5);
    let browser = Print { tls: 7, agent: 9 };
    let sources: Vec<SourceKey> = (0..1_000).map(|_| SourceKey(rng.next())).collect();
    sources.iter().for_each(|source| users.insert(*source, browser));
    users.insert(sources[0], Print { tls: 0, agent: 9 });
    let nobody = std::collections::HashSet::new();
    assert_eq!(users.counts(&nobody)[&7], Count { sampled: 1_000, users: 1_000.0, explorers: 0 });
    assert_eq!(users.counts(&nobody)[&9].sampled, 1_000, "no TLS fingerprint is no group");
    // Whoever explores with a client is none of its ordinary users.
    let explorers = sources[..10].iter().map(|source| pair(*source, 7)).collect();
    let told = users.counts(&explorers)[&7];
    assert_eq!((told.sampled, told.explorers), (990, 10));
    assert_eq!(users.counts(&explorers)[&9].sampled, 1_000);
    // The set finds its places by the lower bits: of one client they must differ.
    let low: std::collections::BTreeSet<u16> =
        sources.iter().map(|source| pair(*source, 7) as u16).collect();
    assert!(low.len() > 900, "{}", low.len());
    let more = 4 * USERS_MAX;
    for _ in 0..more {
        users.insert(SourceKey(rng.next()), Print { tls: 7, agent: 0 });
    }
    assert_eq!(users.0.sorted().0.len(), USERS_MAX);
    let told = users.counts(&nobody)[&7].users / more as f64;
    assert!((0.95..1.05).contains(&told), "{told}");
}
