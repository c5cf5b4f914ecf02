//! `--only grid` and `--only scale`: the actor grid and the pool at full size, by programs of
//! `relight-watch` that are built for it. What they print is kept as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::super::json::Json;
use super::super::{results, target, write};
use crate::process;

/// Fixed before anything was tuned on the first; nothing was ever tuned on the second.
const TUNED: [&str; 2] = ["1", "2"];
const NEVER_TUNED: [&str; 2] = ["101", "102"];

/// Days within which an actor of the goal must be found, and the share of them that must be.
const DAYS_MAX: f64 = 30.0;
const FOUND_MIN: f64 = 0.99;

/// Precision and recall of grouping, over actors whose addresses share a client and do not mix.
const PRECISION_MIN: f64 = 0.98;
const RECALL_MIN: f64 = 0.95;

/// Memory of the pool, in KiB, its growth after day 30, and a restart in seconds.
const RESIDENT_KIB_MAX: f64 = 512.0 * 1024.0;
const GROWTH_MAX: f64 = 1.05;
const RESTART_S_MAX: f64 = 5.0;

/// Runs the grid for both sets of seeds; a tenth of the traffic with `quick`.
pub(super) fn run(root: &Path, quick: bool) -> Result<(), String> {
    let program = example(root, "actor_grid")?;
    let folder = results(root)?;
    let mut missed = Vec::new();
    for (name, seeds) in [("tuned", TUNED), ("never-tuned", NEVER_TUNED)] {
        let mut words = seeds.to_vec();
        words.extend(quick.then_some("--quick"));
        let lines = process::output(root, &program, &words)?;
        let size = if quick { "tenth" } else { "whole" };
        write(&folder.join(format!("watch-grid-{name}-{size}.jsonl")), &lines)?;
        let (table, met) = told(&lines);
        write(&folder.join(format!("watch-grid-{name}-{size}.txt")), &table)?;
        println!("{name} seeds {}, {size} traffic\n{table}", seeds.join(", "));
        missed.extend((!met).then_some(name));
    }
    if missed.is_empty() { Ok(()) } else { Err(format!("goals are missed: {missed:?}")) }
}

/// The table of raw lines that were kept, and whether their goals are met.
pub(super) fn read(file: &str) -> Result<(), String> {
    let lines = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let (table, met) = told(&lines);
    print!("{table}");
    if met { Ok(()) } else { Err("a goal is missed".to_owned()) }
}

/// Fills a pool as a billion events would.
pub(super) fn scale(root: &Path) -> Result<(), String> {
    let program = example(root, "pool_scale")?;
    let text = process::output(root, &program, &[])?;
    write(&results(root)?.join("watch-scale.json"), &text)?;
    print!("{text}");
    let document = Json::parse(text.trim()).ok_or("pool_scale: no JSON")?;
    if scale_meets(&document) { Ok(()) } else { Err("a goal of the pool is missed".to_owned()) }
}

fn scale_meets(document: &Json) -> bool {
    let days = document.get("days").items();
    let resident: Vec<f64> = days.iter().map(|day| number(day, "resident_kib")).collect();
    let (Some(first), Some(last)) = (resident.first(), resident.last()) else { return false };
    *last <= RESIDENT_KIB_MAX
        && last / first <= GROWTH_MAX
        && number(document, "restart_seconds") <= RESTART_S_MAX
        && *document.get("same_after_restart") == Json::Bool(true)
        && *document.get("shards_same") == Json::Bool(true)
}

pub(super) fn example(root: &Path, name: &str) -> Result<String, String> {
    let words = ["build", "-p", "relight-watch", "--example", name, "--profile", "profiling"];
    let build = process::show(root, "cargo", &words, &[])?;
    if !build.success {
        return Err(format!("build: {}", build.status()));
    }
    Ok(target(root).join("profiling/examples").join(name).display().to_string())
}

fn number(document: &Json, key: &str) -> f64 {
    if let Json::Number(number) = document.get(key) { *number } else { f64::INFINITY }
}

/// The table of the lines of a run, and whether the goals are met.
fn told(lines: &str) -> (String, bool) {
    let documents: Vec<Json> = lines.lines().filter_map(Json::parse).collect();
    let is_cell = |it: &&Json| *it.get("mimicry") != Json::Null;
    let (cells, runs): (Vec<&Json>, Vec<&Json>) = documents.iter().partition(is_cell);
    let mut table = cells_told(&cells);
    let goal: Vec<_> = cells.iter().filter(|it| *it.get("goal") == Json::Bool(true)).collect();
    let found = goal.iter().filter(|it| number(it, "days") <= DAYS_MAX).count();
    let falsely: usize = runs.iter().map(|run| run.get("false_campaigns").items().len()).sum();
    let (precision, recall) = grouping(&cells);
    let _ = writeln!(table, "actors of the goal found within 30 days: {found} of {}", goal.len());
    let _ = writeln!(table, "false campaigns: {falsely} in {} quarters", runs.len());
    let _ = writeln!(table, "grouping: precision {precision:.4}, recall {recall:.4}");
    for rule in ["crowdsec", "fail2ban", "psad", "zeek", "trw-organisation"] {
        let seen = cells.iter().filter(|it| number(it, rule) <= DAYS_MAX).count();
        let wrong: f64 = runs.iter().map(|run| number(run.get("peers_false"), rule)).sum();
        let all = cells.len();
        let _ = writeln!(table, "{rule}: {seen} of {all} actors, {wrong} ordinary addresses");
    }
    table.push_str(&calibration(&runs));
    let share = ratio(found, goal.len());
    let met = share >= FOUND_MIN
        && falsely <= runs.len()
        && precision >= PRECISION_MIN
        && recall >= RECALL_MIN
        && !runs.is_empty();
    (table, met)
}

/// How many of the campaigns that were shown with each tenth of confidence are right.
fn calibration(runs: &[&Json]) -> String {
    let mut tenths: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for pair in runs.iter().flat_map(|run| run.get("confidences").items()) {
        let [Json::Number(shown), right] = pair.items() else { continue };
        let (all, good) = tenths.entry((shown * 10.0) as u64).or_default();
        *all += 1;
        *good += usize::from(*right == Json::Bool(true));
    }
    let line = |(tenth, (all, good)): (u64, (usize, usize))| {
        format!("confidence from 0.{tenth}: {good} of {all} are right\n")
    };
    tenths.into_iter().map(line).collect()
}

/// Median days to the decision by disguise and addresses (rows) and doors a day (columns).
fn cells_told(cells: &[&Json]) -> String {
    type Kind = (String, u64);
    let mut rows: BTreeMap<Kind, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for cell in cells {
        let Json::Text(mimicry) = cell.get("mimicry") else { continue };
        let whole = |key| number(cell, key) as u64;
        let row = rows.entry((mimicry.clone(), whole("sources"))).or_default();
        row.entry(whole("pace")).or_default().push(number(cell, "days"));
    }
    let mut table = format!(
        "{:<20} {:>9}  days to the decision at 1, 3, 10, 30, 100, 300 doors a day\n",
        "disguise", "addresses"
    );
    for ((mimicry, sources), paces) in rows {
        let days: Vec<String> = paces
            .into_values()
            .map(|days| {
                let median = super::super::cost::median(days);
                if median.is_finite() { format!("{median:>6.1}") } else { format!("{:>6}", "-") }
            })
            .collect();
        let _ = writeln!(table, "{mimicry:<20} {sources:>9}  {}", days.join(" "));
    }
    table
}

/// Means over actors whose addresses share a client, three doors a day or more.
fn grouping(cells: &[&Json]) -> (f64, f64) {
    let shares =
        ["same-client", "copied-agent", "one-an-organisation"].map(|it| Json::Text(it.to_owned()));
    let counted = cells.iter().filter(|it| shares.contains(it.get("mimicry")));
    let pairs: Vec<&[Json]> = counted
        .filter(|it| number(it, "pace") >= 3.0)
        .map(|it| it.get("grouping").items())
        .collect();
    let mean = |at: usize| {
        let value = |pair: &&[Json]| match pair.get(at) {
            Some(Json::Number(value)) => *value,
            _ => 0.0,
        };
        pairs.iter().map(value).sum::<f64>() / ratio(pairs.len(), 1).max(1.0)
    };
    (mean(0), mean(1))
}

#[expect(clippy::cast_precision_loss, reason = "a count of actors")]
fn ratio(some: usize, all: usize) -> f64 {
    some as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = concat!(
        r#"{"seed":1,"mimicry":"same-client","sources":10,"pace":3,"goal":true,"days":5.5,"#,
        r#""grouping":[1.0,0.96],"crowdsec":null,"psad":2.5}"#
    );
    const RUN: &str = concat!(
        r#"{"seed":1,"false_campaigns":[],"peers_false":{"psad":7},"#,
        r#""confidences":[[0.812,true],[0.899,false],[0.99,true]]}"#
    );

    #[test]
    fn goals_are_met_or_not() {
        let (table, met) = told(&format!("{CELL}\n{RUN}\n"));
        assert!(met, "{table}");
        assert!(table.contains("psad: 1 of 1 actors, 7 ordinary addresses"), "{table}");
        assert!(table.contains("   5.5"), "{table}");
        let sure = "confidence from 0.8: 1 of 2 are right\nconfidence from 0.9: 1 of 1 are right\n";
        assert!(table.ends_with(sure), "{table}");
        let met = |from: &str, to: &str| told(&format!("{}\n{RUN}\n", CELL.replace(from, to))).1;
        assert!(!met("5.5", "30.5"), "too late");
        assert!(!met("5.5", "null"), "never");
        assert!(!met("0.96", "0.9"), "half of it is elsewhere");
        assert!(!met("[1.0,0.96]", "null"), "in no campaign");
        assert!(!told(CELL).1, "no run ended");
        let two = RUN.replacen("[]", r#"["a","b"]"#, 1);
        assert!(!told(&format!("{CELL}\n{two}\n")).1, "two false campaigns in a quarter");
    }

    #[test]
    fn a_pool_that_grows_or_forgets_misses_its_goal() {
        let with = |resident: u32, same: bool, shards: bool| {
            Json::parse(&format!(
                r#"{{"days":[{{"resident_kib":400000}},{{"resident_kib":{resident}}}],
                "restart_seconds":1.5,"same_after_restart":{same},"shards_same":{shards}}}"#
            ))
            .unwrap()
        };
        let document = |resident, same| with(resident, same, true);
        assert!(!scale_meets(&with(400_100, true, false)), "shards that differ");
        assert!(scale_meets(&document(400_100, true)));
        assert!(!scale_meets(&document(430_000, true)) && !scale_meets(&document(400_000, false)));
        assert!(!scale_meets(&Json::Null));
    }
}
