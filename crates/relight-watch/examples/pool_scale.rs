//! The pool at full size, as one JSON document, for `cargo xtask bench watch --only scale`:
//! what 10^9 events of 10^7 sources in 180 days leave in it. Ordinary events leave nothing in a
//! pool, so only the contacts are made: 5.2 % of the sources make one or more, and botnets of
//! 20,000 addresses a day one to three probes each. `pool_scale [DIVISOR]` makes a part of it.

use std::io::{self, Write as _};
use std::time::Instant;

use relight_watch::sim::Random;
use relight_watch::{Pool, ROWS_MAX, scale};

const DAYS: u32 = 180;

fn main() -> io::Result<()> {
    let divisor = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    let mut pool = Pool::new(ROWS_MAX);
    pool.reserve();
    let mut shards: Vec<Pool> = (0..4).map(|_| Pool::new(ROWS_MAX)).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "{{\"reserved_kib\":{},\"days\":[", resident_kib())?;
    let mut random = Random::new(20_211_210, 0);
    for day in 0..DAYS {
        scale::day(&mut random, day, divisor, &mut |source, row| {
            scale::add(&mut pool, source, row);
            if divisor > 1 {
                scale::add(&mut shards[source as usize % 4], source, row);
            }
        });
        if matches!(day, 29 | 89 | 179) {
            let stats = pool.stats();
            let comma = if day == 29 { "" } else { "," };
            writeln!(
                out,
                "{comma}{{\"day\":{},\"resident_kib\":{},\"rows\":{},\"evicted\":{}}}",
                day + 1,
                resident_kib(),
                stats.rows,
                stats.evicted
            )?;
        }
    }
    let bytes = pool.to_bytes();
    let started = Instant::now();
    let mut back = Pool::from_bytes(&bytes, ROWS_MAX).map_err(io::Error::other)?;
    let restart = started.elapsed().as_secs_f64();
    let same = back.to_bytes() == bytes;
    let merged = divisor > 1 && merge(&shards) == bytes;
    writeln!(
        out,
        "],\"snapshot_bytes\":{},\"restart_seconds\":{restart:.2},\"same_after_restart\":{same},\
         \"shards_same\":{merged},\"divisor\":{divisor}}}",
        bytes.len()
    )
}

/// The shards, last one first.
fn merge(shards: &[Pool]) -> Vec<u8> {
    let mut merged = Pool::new(ROWS_MAX);
    shards.iter().rev().for_each(|shard| merged.merge(shard));
    merged.to_bytes()
}

/// Memory of this process, from the kernel; 0 elsewhere than on Linux.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}
