//! The goals of each part, judged by its figures; a figure that is not there misses its goal.
use super::LARGE;
use crate::bench::json::Json;
use crate::bench::scan::Goal;

/// Looks at the public page that show something.
const LOOKS_LEAST: f64 = 100.0;
/// Seconds that an Ansible loop takes for one site (measured for the design).
const ANSIBLE_S: f64 = 1.5;

/// Follows names into a document.
fn number(figures: &Json, path: &[&str]) -> f64 {
    let found = path.iter().fold(figures, |inner, name| inner.get(name));
    match found {
        Json::Number(number) => *number,
        Json::Bool(value) => f64::from(u8::from(*value)),
        _ => f64::NAN,
    }
}

pub(super) fn most(name: String, got: f64, limit: f64, unit: &str) -> Goal {
    Goal::new(
        format!("{name} <= {limit} {unit}").trim_end(),
        format!("{got:.3} {unit}"),
        got <= limit,
    )
}

fn least(name: String, got: f64, limit: f64, unit: &str) -> Goal {
    Goal::new(
        format!("{name} >= {limit} {unit}").trim_end(),
        format!("{got:.3} {unit}"),
        got >= limit,
    )
}

pub(super) fn zero(name: String, figures: &[f64]) -> Goal {
    let got: Vec<String> = figures.iter().map(ToString::to_string).collect();
    let met = figures.iter().all(|figure| *figure == 0.0);
    Goal::new(format!("{name} = 0"), got.join(", "), met)
}

pub(super) fn order(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let proven = number(of, &["proven", "p95_ms"]) / 1e3;
    let mut goals = vec![
        most(format!("M1 {edge} order to all proven dark, p95"), proven, 1.0, "s"),
        most(format!("M1 {edge} order / bare sweep, p95"), number(of, &["ratio_p95"]), 1.5, ""),
    ];
    if edge == "nginx" {
        let sooner =
            number(of, &["map_reload_effective_s"]) / (number(of, &["effective", "p50_ms"]) / 1e3);
        goals.push(least(
            format!("M1 {edge} effective sooner than map and reload"),
            sooner,
            10.0,
            "x",
        ));
    }
    goals
}

/// Forty edges of five kinds with a hundred sites each. A sweep asks all of them at the same time.
pub(super) fn edges(of: &Json) -> Vec<Goal> {
    let (proven, whole) = (number(of, &["proven", "p95_ms"]) / 1e3, ["edges", "sites"]);
    let missing =
        whole.into_iter().zip([40.0, 4_000.0]).map(|(name, all)| all - number(of, &[name]));
    vec![
        zero("M1 edges and sites that were not there".into(), &missing.collect::<Vec<f64>>()),
        most("M1 edges order to all proven dark, p95".into(), proven, 3.0, "s"),
        most("M1 edges order / bare sweep, p95".into(), number(of, &["ratio_p95"]), 1.5, ""),
    ]
}

pub(super) fn relight(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let p99 = number(of, &["clearance_to_lit", "p99_ms"]);
    let p50 = number(of, &["clearance_to_lit", "p50_ms"]);
    let all = number(of, &["singles_s_of_4000"]);
    vec![
        most(format!("M4 {edge} clearance to lit, p99"), p99, 50.0, "ms"),
        most(format!("M4 {edge} clearance to lit, p50"), p50, 50.0, "ms"),
        most(format!("M4 {edge} 4,000 one by one, synced"), all, 5.0, "s"),
        least(format!("M4 {edge} beside an Ansible loop"), ANSIBLE_S * 4_000.0 / all, 1_000.0, "x"),
    ]
}

pub(super) fn untouched(of: &Json, edge: &str, quick: bool) -> Vec<Goal> {
    let names = ["lost", "not_200", "connections_closed", "downloads_cut", "tunnels_cut"];
    let zeros = names.map(|name| number(of, &[name]));
    let wanted = if quick { 20_000.0 } else { 1e6 };
    vec![
        zero(format!("M2 {edge} lost, not 200, closed, downloads cut, tunnels cut"), &zeros),
        least(
            format!("M2 {edge} requests beside the cycles"),
            number(of, &["requests"]),
            wanted,
            "",
        ),
    ]
}

pub(super) fn leaks(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let leaked = ["leaked", "host_variants_reached"].map(|name| number(of, &[name]));
    let alive = number(of, &["tunnels_alive"]);
    vec![
        zero(format!("M3 {edge} started after the proof, spellings that reached"), &leaked),
        zero(format!("M3 {edge} tunnels left"), &[alive]),
        most(
            format!("M3 {edge} tunnels cut, from the order on"),
            number(of, &["tunnels_cut_s"]),
            3.0,
            "s",
        ),
    ]
}

pub(super) fn reload(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let zeros = ["exposed_requests", "lit_after_crash"].map(|name| number(of, &[name]));
    let mut goals = vec![zero(format!("M6 {edge} exposed by reloads and a crash"), &zeros)];
    if edge == "caddy" {
        let seen = number(of, &["gate_dropped", "seen_s"]);
        goals.push(most(format!("M6 {edge} a dropped gate is seen"), seen, 1.0, "s"));
    }
    goals
}

pub(super) fn restart(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let runs = of.get("runs").items();
    let whole = |run: &&Json| {
        ["entries_kept", "verified"].iter().all(|name| number(run, &[name]) == 1.0)
            && number(run, &["orders"]) == 1.0
    };
    // No run at all shows nothing.
    let broken = runs.len().max(1) - runs.iter().filter(whole).count();
    vec![
        most(
            format!("M7 {edge} converged after kill -9"),
            number(of, &["converged_max_s"]),
            2.0,
            "s",
        ),
        most(format!("M7 {edge} restart / (replay + sweep)"), number(of, &["ratio_max"]), 1.5, ""),
        zero(format!("M7 {edge} entries lost or doubled"), &[broken as f64]),
    ]
}

pub(super) fn gate_cost(of: &Json) -> Vec<Goal> {
    let goal = |(edge, limit): (&str, f64)| {
        let ratio = number(of, &[edge, "ratio"]);
        least(format!("M8 {edge} requests a second with the gate"), ratio, limit, "")
    };
    LARGE.into_iter().zip([0.75, 0.97]).map(goal).collect()
}

pub(super) fn memory(of: &Json) -> Vec<Goal> {
    vec![most("M8 controller of 10,000 sites".into(), number(of, &["peak_mb"]), 64.0, "MB")]
}

pub(super) fn plan(of: &Json) -> Vec<Goal> {
    let differs = 1.0 - number(of, &["identical"]);
    let dry = number(of, &["dry_run", "p95_ms"]);
    vec![
        most("M10 dry of 4,000 sites".into(), dry, 200.0, "ms"),
        most("M10 dry / execution".into(), number(of, &["ratio"]), 1.0, ""),
        zero("M10 dry plans that differ from what is executed".into(), &[differs]),
    ]
}

pub(super) fn chain(journal: &Json) -> Vec<Goal> {
    let seconds = number(journal, &["verify_s_of_a_million"]);
    let damage = journal.get("damage").items();
    let missed = damage.iter().filter(|one| number(one, &["right"]) != 1.0).count();
    let missed = missed + 3_usize.saturating_sub(damage.len());
    vec![
        most("M7 journal verified, a million entries".into(), seconds, 2.0, "s"),
        zero("M7 journal damages not found or not named".into(), &[missed as f64]),
    ]
}

/// How the page stands beside nginx with the same files is in the raw results; it needs no nginx.
pub(super) fn public(of: &Json) -> Vec<Goal> {
    let published = number(of, &["published", "max_ms"]) / 1e3;
    let rates = of.get("files").items().iter().map(|file| number(file, &["rps"]));
    let slowest = rates.reduce(|a, b| if a <= b || a.is_nan() { a } else { b });
    // Whoever never looked saw no wrong count.
    let unseen = f64::from(u8::from(number(of, &["looks"]).max(0.0) < LOOKS_LEAST));
    vec![
        most("M9 page published after the proof, slowest".into(), published, 1.0, "s"),
        zero(
            "M9 page counts that do not sum, too few looks".into(),
            &[number(of, &["counts_wrong"]), unseen],
        ),
        least("M9 page requests a second".into(), slowest.unwrap_or(f64::NAN), 10_000.0, ""),
    ]
}
