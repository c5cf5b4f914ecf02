//! The pool at full size, as one JSON document, for `cargo xtask bench watch --only scale`:
//! what 10^9 events of 10^7 sources in 180 days leave in it. Ordinary events leave nothing in a
//! pool, so only the contacts are made: 5.2 % of the sources make one or more, and botnets of
//! 20,000 addresses a day one to three probes each. `pool_scale [DIVISOR]` makes a part of it.

use std::io::{self, Write as _};
use std::time::Instant;

use relight_watch::sim::Random;
use relight_watch::{Pool, ROWS_MAX, scale};

const DAYS: u32 = 180;

const SEED: u64 = 20_211_210;

const SHARDS: u32 = 4;

fn main() -> io::Result<()> {
    let divisor = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    let mut pool = Pool::new(ROWS_MAX);
    pool.reserve();
    let mut out = io::stdout().lock();
    writeln!(out, "{{\"reserved_kib\":{},\"days\":[", resident_kib())?;
    let mut random = Random::new(SEED, 0);
    for day in 0..DAYS {
        let mut add = |source, row| scale::add(&mut pool, source, row);
        scale::day(&mut random, day, divisor, &mut add);
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
    // What follows is no part of what is measured.
    drop((pool, back));
    let merged = merged(divisor) == bytes;
    writeln!(
        out,
        "],\"snapshot_bytes\":{},\"restart_seconds\":{restart:.2},\"same_after_restart\":{same},\
         \"shards_same\":{merged},\"divisor\":{divisor}}}",
        bytes.len()
    )
}

/// The same in shards by source, each made and merged alone, last one first.
fn merged(divisor: u32) -> Vec<u8> {
    let mut merged = Pool::new(ROWS_MAX);
    for shard in (0..SHARDS).rev() {
        let mut pool = Pool::new(ROWS_MAX);
        let mut random = Random::new(SEED, 0);
        for day in 0..DAYS {
            scale::day(&mut random, day, divisor, &mut |source, row| {
                if source % SHARDS == shard {
                    scale::add(&mut pool, source, row);
                }
            });
        }
        merged.merge(&pool);
    }
    merged.to_bytes()
}

/// Memory of this process, from the kernel; 0 elsewhere than on Linux.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}
