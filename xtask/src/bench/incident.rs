//! `cargo xtask bench incident`: the goals M1 to M10 of an incident against nginx and HAProxy with
//! 4,000 virtual hosts each, beside what people did before.
use super::json::Json;
use super::scan::Goal;
use crate::corpus::builder::{empty, make_folder};
use crate::{process, tree};

const ENTRIES: &str = "1000000";
const ENTRIES_QUICK: &str = "200000";
const EDGES: [&str; 2] = ["nginx", "haproxy"];
/// Seconds that an Ansible loop takes for one site (measured for the design).
const ANSIBLE_S: f64 = 1.5;

/// What to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    quick: bool,
    parts: Vec<&'a str>,
}

impl<'a> Options<'a> {
    /// Reads `--quick` and names of parts.
    ///
    /// # Errors
    /// On any other option.
    pub(crate) fn parse(words: &[&'a str]) -> Result<Self, String> {
        let mut options = Self::default();
        for word in words {
            match *word {
                "--quick" => options.quick = true,
                option if option.starts_with("--") => return Err(format!("{option}: no option")),
                part => options.parts.push(part),
            }
        }
        Ok(options)
    }
}

/// Builds and runs the benchmarks, judges them, and keeps the raw results.
///
/// # Errors
/// When something cannot be built or run, or when a goal is missed.
pub(crate) fn run(options: &Options<'_>) -> Result<(), String> {
    let root = tree::root();
    let work = super::target(&root).join("bench-incident");
    empty(&work)?;
    let size = if options.quick { "quick" } else { "full" };
    let edges = bench("relight-engine", "incident", &[&[size], &options.parts[..]].concat())?;
    let wants_journal = options.parts.is_empty() || options.parts.contains(&"journal");
    let entries = if options.quick { ENTRIES_QUICK } else { ENTRIES };
    let journal =
        if wants_journal { bench("relight-store", "journal", &[entries])? } else { "null".into() };
    let read = |text: &str| Json::parse(text.trim()).ok_or_else(|| format!("no document: {text}"));
    let goals = judge(read(&edges)?.get("figures"), &read(&journal)?, options.quick);
    for Goal { name, got, met } in &goals {
        println!("{} {name}: {got}", if *met { "met   " } else { "MISSED" });
    }
    let name = if options.quick { "incident-quick.json" } else { "incident.json" };
    if options.parts.is_empty() {
        let rows: Vec<String> = goals.iter().map(Goal::json).collect();
        let text = format!(
            "{{\"edges\":{},\"journal\":{},\"goals\":[{}]}}\n",
            edges.trim(),
            journal.trim(),
            rows.join(",")
        );
        let results = super::results(&root)?.join(name);
        super::write(&results, &text)?;
        println!("raw results: {}", results.display());
    }
    let _ = std::fs::remove_dir_all(&work);
    let missed: Vec<&str> =
        goals.iter().filter(|goal| !goal.met).map(|goal| goal.name.as_str()).collect();
    println!("{}", line(&goals));
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join("; "))) }
}

/// Runs one benchmark in a folder of its own; what it prints.
fn bench(package: &str, name: &str, words: &[&str]) -> Result<String, String> {
    let root = tree::root();
    let folder = super::target(&root).join("bench-incident").join(name);
    make_folder(&folder)?;
    let folder = folder.to_string_lossy();
    let mut all = vec!["bench", "-q", "--profile", "profiling", "-p", package, "--bench", name];
    all.extend(["--", &*folder]);
    all.extend(words);
    let run = process::quiet(&root, "cargo", &all)?;
    if run.success { Ok(run.stdout) } else { Err(format!("{}\n{}", run.status(), run.stderr)) }
}

/// Every figure in one line.
fn line(goals: &[Goal]) -> String {
    let figures: Vec<String> =
        goals.iter().map(|Goal { name, got, .. }| format!("{} {got}", key(name))).collect();
    let met = goals.iter().filter(|goal| goal.met).count();
    format!("incident: {met} of {} met; {}", goals.len(), figures.join("; "))
}

/// The first two words of a goal: its number and its edge.
fn key(name: &str) -> String {
    name.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Follows names into a document.
fn number(figures: &Json, path: &[&str]) -> f64 {
    let found = path.iter().fold(figures, |inner, name| inner.get(name));
    match found {
        Json::Number(number) => *number,
        Json::Bool(value) => f64::from(u8::from(*value)),
        _ => f64::NAN,
    }
}

fn most(name: String, got: f64, limit: f64, unit: &str) -> Goal {
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

fn zero(name: String, figures: &[f64]) -> Goal {
    let got: Vec<String> = figures.iter().map(ToString::to_string).collect();
    let met = figures.iter().all(|figure| *figure == 0.0);
    Goal::new(format!("{name} = 0"), got.join(", "), met)
}

fn judge(figures: &Json, journal: &Json, quick: bool) -> Vec<Goal> {
    let mut goals = Vec::new();
    for edge in EDGES.into_iter().filter(|edge| *figures.get(edge) != Json::Null) {
        let of = figures.get(edge);
        let has = |part: &str| *of.get(part) != Json::Null;
        if has("order") {
            goals.extend(order(of.get("order"), edge));
        }
        if has("relight") {
            goals.extend(relight(of.get("relight"), edge));
        }
        if has("untouched") {
            goals.extend(untouched(of.get("untouched"), edge, quick));
        }
        if has("leaks") {
            goals.extend(leaks(of.get("leaks"), edge));
        }
        if has("reload") {
            let of = of.get("reload");
            let zeros = ["exposed_requests", "lit_after_crash"].map(|name| number(of, &[name]));
            goals.push(zero(format!("M6 {edge} exposed by reloads and a crash"), &zeros));
        }
        if has("restart") {
            goals.extend(restart(of.get("restart"), edge));
        }
    }
    goals.extend(whole(figures));
    goals.extend(chain(journal));
    goals
}

fn order(of: &Json, edge: &str) -> Vec<Goal> {
    let proven = number(of, &["proven", "p95_ms"]) / 1e3;
    let mut goals = vec![
        most(format!("M1 {edge} order to all proven dark, p95"), proven, 1.0, "s"),
        most(format!("M1 {edge} order / bare sweep, p95"), number(of, &["ratio_p95"]), 1.5, ""),
    ];
    if *of.get("map_reload_effective_s") != Json::Null {
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

fn relight(of: &Json, edge: &str) -> Vec<Goal> {
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

fn untouched(of: &Json, edge: &str, quick: bool) -> Vec<Goal> {
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

fn leaks(of: &Json, edge: &str) -> Vec<Goal> {
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

fn restart(of: &Json, edge: &str) -> Vec<Goal> {
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

fn whole(figures: &Json) -> Vec<Goal> {
    let mut goals = Vec::new();
    let cost = figures.get("gate_cost");
    for (edge, limit) in EDGES.into_iter().zip([0.75, 0.97]).filter(|_| *cost != Json::Null) {
        let ratio = number(cost, &[edge, "ratio"]);
        goals.push(least(format!("M8 {edge} requests a second with the gate"), ratio, limit, ""));
    }
    if *figures.get("memory") != Json::Null {
        let peak = number(figures, &["memory", "peak_mb"]);
        goals.push(most("M8 controller of 10,000 sites".into(), peak, 64.0, "MB"));
    }
    if *figures.get("plan") != Json::Null {
        let plan = figures.get("plan");
        let differs = 1.0 - number(plan, &["identical"]);
        goals.push(most(
            "M10 dry of 4,000 sites".into(),
            number(plan, &["dry_run", "p95_ms"]),
            200.0,
            "ms",
        ));
        goals.push(most("M10 dry / execution".into(), number(plan, &["ratio"]), 1.0, ""));
        goals.push(zero("M10 dry plans that differ from what is executed".into(), &[differs]));
    }
    goals
}

fn chain(journal: &Json) -> Vec<Goal> {
    if *journal == Json::Null {
        return Vec::new();
    }
    let seconds = number(journal, &["verify_s_of_a_million"]);
    let damage = journal.get("damage").items();
    let missed = damage.iter().filter(|one| number(one, &["right"]) != 1.0).count();
    let missed = missed + 3_usize.saturating_sub(damage.len());
    vec![
        most("M7 journal verified, a million entries".into(), seconds, 2.0, "s"),
        zero("M7 journal damages not found or not named".into(), &[missed as f64]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goals(edges: &str, journal: &str) -> Vec<Goal> {
        judge(&Json::parse(edges).unwrap(), &Json::parse(journal).unwrap(), true)
    }

    #[test]
    fn figures_are_judged_one_by_one() {
        let edges = r#"{"nginx":{"order":{"proven":{"p95_ms":900},"ratio_p95":1.6,
            "effective":{"p50_ms":100},"map_reload_effective_s":2},
            "reload":{"exposed_requests":1,"lit_after_crash":0}},
            "plan":{"dry_run":{"p95_ms":12},"ratio":0.9,"identical":true}}"#;
        let journal = r#"{"verify_s_of_a_million":1.5,
            "damage":[{"right":true},{"right":false},{"right":true}]}"#;
        let met: Vec<bool> = goals(edges, journal).iter().map(|goal| goal.met).collect();
        assert_eq!(met, [true, false, true, false, true, true, true, true, false]);
    }

    #[test]
    fn a_figure_that_is_missing_is_missed() {
        let edges = r#"{"haproxy":{"order":{},"relight":{},"untouched":{},"leaks":{},"reload":{},
            "restart":{}},"gate_cost":{},"memory":{},"plan":{}}"#;
        let judged = goals(edges, "{}");
        assert!(judged.iter().all(|goal| !goal.met), "{}", line(&judged));
        assert!(line(&judged).starts_with("incident: 0 of "));
    }

    #[test]
    fn parts_and_size_are_chosen_and_other_options_refused() {
        let options = Options::parse(&["--quick", "order"]).unwrap();
        assert_eq!(options, Options { quick: true, parts: vec!["order"] });
        assert!(Options::parse(&["--fast"]).is_err());
    }
}
