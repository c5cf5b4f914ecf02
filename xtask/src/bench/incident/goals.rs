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
    let closed = number(of, &["effective", "p95_ms"]);
    let mut goals = vec![
        most(format!("M1 {edge} order to gates closed, p95"), closed, 100.0, "ms"),
        most(format!("M1 {edge} order to all proven dark, p95"), proven, 1.0, "s"),
        most(
            format!("M1 {edge} order / bare sweep, p95 of each"),
            number(of, &["ratio_p95"]),
            1.5,
            "",
        ),
    ];
    if edge == "nginx" {
        let sooner = number(of, &["map_reload_effective", "p95_ms"]) / closed;
        let name = format!("M1 {edge} effective sooner than map and reload, p95");
        goals.push(least(name, sooner, 10.0, "x"));
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
        most(
            "M1 edges order / bare sweep, p95 of each".into(),
            number(of, &["ratio_p95"]),
            1.5,
            "",
        ),
        zero(
            "M3 built-in spellings that reached".into(),
            &[number(of.get("spellings"), &["reached"])],
        ),
        served("built-in", of.get("spellings")),
    ]
}

pub(super) fn relight(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let p99 = number(of, &["clearance_to_lit", "p99_ms"]);
    let slowest = number(of, &["clearance_to_lit", "max_ms"]) / 1e3;
    let all = number(of, &["singles_s_of_4000"]);
    vec![
        most(format!("M4 {edge} clearance to lit, p99"), p99, 50.0, "ms"),
        most(format!("M4 {edge} clearance to lit, slowest"), slowest, 1.0, "s"),
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
    let (leaked, spelled) = (number(of, &["leaked"]), of.get("spellings"));
    let reached = number(spelled, &["reached"]);
    let alive = number(of, &["tunnels_alive"]);
    vec![
        zero(
            format!("M3 {edge} started after the proof, spellings that reached"),
            &[leaked, reached],
        ),
        served(edge, spelled),
        visited(format!("M3 {edge} requests of visitors"), of),
        zero(format!("M3 {edge} tunnels left"), &[alive]),
        most(
            format!("M3 {edge} tunnels cut, from the order on"),
            number(of, &["tunnels_cut_s"]),
            2.0,
            "s",
        ),
    ]
}

pub(super) fn reload(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let zeros = ["exposed_requests", "lit_after_crash"].map(|name| number(of, &[name]));
    let mut goals = vec![
        zero(format!("M6 {edge} exposed by reloads and a crash"), &zeros),
        visited(format!("M6 {edge} requests beside reloads"), of),
    ];
    if ["caddy", "haproxy"].contains(&edge) {
        let of_lost = |name| number(of, &["gate_lost", name]);
        let [seen, dark, lit] = ["seen_s", "dark_again_s", "not_dark"].map(of_lost);
        goals.push(most(format!("M6 {edge} a lost gate is seen"), seen, 1.0, "s"));
        goals.push(most(format!("M6 {edge} dark again after a lost gate"), dark, 1.25, "s"));
        goals.push(zero(format!("M6 {edge} not dark after that"), &[lit]));
    }
    goals
}

/// Where nobody reaches a lit site either, or a listener was not asked, no spelling shows anything.
fn served(edge: &str, spelled: &Json) -> Goal {
    let listeners = spelled.get("listeners").items().len();
    let missed = [number(spelled, &["controls_missed"]), 2.0 - listeners as f64];
    zero(
        format!("M3 {edge} spellings of a lit site that did not reach, listeners missing"),
        &missed,
    )
}

/// Of nobody who asked, nothing leaks.
fn visited(name: String, of: &Json) -> Goal {
    least(name, number(of, &["requests"]), 1.0, "")
}

pub(super) fn restart(of: &Json, edge: &str, _: bool) -> Vec<Goal> {
    let runs = of.get("runs").items();
    let whole = |run: &&Json| {
        ["entries_kept", "verified"].iter().all(|name| number(run, &[name]) == 1.0)
            && number(run, &["orders"]) == 1.0
    };
    // No run at all shows nothing, and neither does one in which all was done before the kill.
    let broken = runs.len().max(1) - runs.iter().filter(whole).count();
    let halved = runs.iter().filter(|run| number(run, &["proven_before"]) == 0.0).count();
    let lit = runs.iter().map(|run| number(run, &["not_dark"])).reduce(|a, b| a + b);
    vec![
        most(
            format!("M7 {edge} converged after kill -9"),
            number(of, &["converged_max_s"]),
            2.0,
            "s",
        ),
        most(
            format!("M7 {edge} restart / (replay + sweep), longest"),
            number(of, &["ratio"]),
            1.5,
            "",
        ),
        zero(format!("M7 {edge} runs with entries lost or doubled"), &[broken as f64]),
        zero(format!("M7 {edge} sites not dark after it"), &[lit.unwrap_or(f64::NAN)]),
        least(format!("M7 {edge} kills in the middle of a wave"), halved as f64, 1.0, ""),
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
    let [weight, closed] = ["peak_mb", "dark"].map(|name| number(of, &[name]));
    vec![
        most("M8 controller of 10,000 sites".into(), weight, 64.0, "MB"),
        least("M8 sites that it closed".into(), closed, 10_000.0, ""),
    ]
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

/// How the page stands beside nginx with the same files is said, and judged by no number: the
/// design gives none.
pub(super) fn public(of: &Json) -> Vec<Goal> {
    let published = number(of, &["published", "max_ms"]) / 1e3;
    let files = of.get("files").items();
    let beside: Vec<f64> = files.iter().map(|file| number(file, &["ratio"])).collect();
    let is_there = !beside.is_empty() && beside.iter().all(|ratio| ratio.is_finite());
    let beside: Vec<String> = beside.iter().map(|ratio| format!("{ratio:.3}")).collect();
    let rates = files.iter().map(|file| number(file, &["rps"]));
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
        Goal::new("M9 page beside nginx, each file, measured", beside.join(", "), is_there),
    ]
}
