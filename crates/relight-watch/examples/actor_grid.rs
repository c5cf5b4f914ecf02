//! The actor grid at full size, as one JSON line for each actor and one for each run, for
//! `cargo xtask bench watch --only grid`: `actor_grid [--quick] SEED...`.

use std::io::{self, Write as _};
use std::time::Instant;

use relight_watch::sim::grid::{Actor, Grid, Mimicry, Outcome, PACES, RULES, SIZES};

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let quick = words.iter().any(|word| word == "--quick");
    for seed in words.iter().filter_map(|word| word.parse().ok()) {
        let started = Instant::now();
        let outcome = grid(seed, quick).run();
        write(seed, &outcome, started.elapsed().as_secs_f64())?;
    }
    Ok(())
}

/// 4,000 sites of 40 organisations for a quarter; a tenth of everything when in a hurry.
fn grid(seed: u64, quick: bool) -> Grid {
    let mut actors = Vec::new();
    for mimicry in Mimicry::ALL {
        for size in SIZES {
            actors.extend(PACES.map(|pace| Actor { pace, size, mimicry }));
        }
    }
    let share = if quick { 10 } else { 1 };
    Grid {
        seed,
        organisations: 40,
        sites: 4_000,
        days: 91,
        actor_days: 30,
        visitors: 50_000 / share,
        bots: 20_000 / share,
        actors,
    }
}

fn write(seed: u64, outcome: &Outcome, seconds: f64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let days = |days: Option<f64>| days.map_or("null".to_owned(), |days| format!("{days:.2}"));
    for cell in &outcome.cells {
        let peers: Vec<String> = RULES
            .iter()
            .zip(cell.peers)
            .map(|(rule, found)| format!("\"{rule}\":{}", days(found)))
            .collect();
        let grouping = cell.grouping.map_or("null".to_owned(), |(precision, recall)| {
            format!("[{precision:.4},{recall:.4}]")
        });
        writeln!(
            out,
            "{{\"seed\":{seed},\"mimicry\":\"{}\",\"sources\":{},\"pace\":{},\"goal\":{},\
             \"days\":{},\"grouping\":{grouping},{}}}",
            cell.mimicry.as_str(),
            cell.size,
            cell.pace,
            cell.is_goal(),
            days(cell.found),
            peers.join(",")
        )?;
    }
    let sure: Vec<String> =
        outcome.confidences.iter().map(|(it, right)| format!("[{it:.3},{right}]")).collect();
    let false_by: Vec<String> = RULES
        .iter()
        .zip(outcome.peers_false)
        .map(|(rule, count)| format!("\"{rule}\":{count}"))
        .collect();
    let false_ones: Vec<String> =
        outcome.false_campaigns.iter().map(|text| format!("{text:?}")).collect();
    writeln!(
        out,
        "{{\"seed\":{seed},\"events\":{},\"false_campaigns\":[{}],\"campaigns\":{},\
         \"gathered\":{},\"strangers\":{},\"noise_campaigns\":{},\"highest\":\"{}\",\
         \"pool_rows\":{},\"pool_bytes\":{},\"evicted\":{},\"peers_false\":{{{}}},\
         \"wall_seconds\":{seconds:.1},\"confidences\":[{}]}}",
        outcome.events,
        false_ones.join(","),
        outcome.campaigns,
        outcome.gathered,
        outcome.strangers,
        outcome.noise_campaigns,
        outcome.highest.as_str(),
        outcome.pool.rows,
        outcome.pool.bytes,
        outcome.pool.evicted,
        false_by.join(","),
        sure.join(",")
    )
}
