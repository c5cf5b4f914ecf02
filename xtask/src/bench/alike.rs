//! `cargo xtask bench like`: what a query by example costs over 4,000 sites, and that it finds each
//! one that is known to have the same archive.
use super::json::Json;
use super::scan::Goal;
use crate::corpus::builder::{empty, make_folder};
use crate::{process, tree};

/// Kinds of questions: a library that sites have, one that nobody has, a new version, all
/// libraries of one site in one archive, and the first after a new inventory.
const KINDS: [&str; 5] = ["shared", "none", "half", "large", AFTER];

/// The kind of which no count of sites is known.
const AFTER: &str = "after_a_change";

/// Builds and runs the benchmark, and prints its figures.
///
/// # Errors
/// When it cannot be built or run, or when a goal is missed.
pub(crate) fn run() -> Result<(), String> {
    let root = tree::root();
    let register = super::target(&root).join("bench-like");
    empty(&register)?;
    make_folder(&register)?;
    let folder = register.to_string_lossy();
    let words = ["bench", "-q", "-p", "relight-engine", "--bench", "alike", "--", &*folder];
    let run = process::quiet(&root, "cargo", &words)?;
    if !run.success {
        return Err(format!("{}\n{}", run.status(), run.stderr));
    }
    let document = run.stdout.trim();
    let parsed = Json::parse(document).ok_or_else(|| format!("no document: {document}"))?;
    let goals = judge(parsed.get("figures"));
    for Goal { name, got, met } in &goals {
        println!("{} {name}: {got}", if *met { "met   " } else { "MISSED" });
    }
    let rows: Vec<String> = goals.iter().map(Goal::json).collect();
    let results = super::results(&root)?.join("like.json");
    super::write(&results, &format!("{{\"engine\":{document},\"goals\":[{}]}}\n", rows.join(",")))?;
    println!("raw results: {}", results.display());
    let missed = goals.iter().filter(|goal| !goal.met).count();
    if missed == 0 { Ok(()) } else { Err(format!("{missed} of {} goals are missed", goals.len())) }
}

fn judge(figures: &Json) -> Vec<Goal> {
    let number = |kind: &Json, key: &str| match kind.get(key) {
        Json::Number(number) => *number,
        _ => f64::NAN,
    };
    let (sites, values) = (number(figures, "sites"), number(figures, "values"));
    let mut goals = Vec::new();
    for kind in KINDS {
        let figures = figures.get(kind);
        let (half, most) = (number(figures, "p50_ms"), number(figures, "p99_ms"));
        goals.push(Goal::new(
            format!("like, {kind}, {sites} sites, {values} values, p99 <= 50 ms"),
            format!("{most:.1} ms, median {half:.1}"),
            most <= 50.0,
        ));
        if kind == AFTER {
            continue;
        }
        let missed = number(figures, "missed_sites");
        goals.push(Goal::new(
            format!("like, {kind}, sites missed = 0"),
            format!("{missed}"),
            missed == 0.0,
        ));
    }
    goals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_judged_and_what_is_missing_is_missed() {
        let one = r#"{"p50_ms":8,"p99_ms":50,"missed_sites":0}"#;
        let bad = r#"{"p50_ms":8,"p99_ms":50.1,"missed_sites":1}"#;
        let text = format!(
            r#"{{"sites":4000,"values":9,"shared":{one},"none":{one},"half":{one},"large":{bad},
                "after_a_change":{{"p50_ms":8,"p99_ms":51}}}}"#
        );
        let met = |goals: Vec<Goal>| goals.iter().map(|goal| goal.met).collect::<Vec<_>>();
        let judged = judge(&Json::parse(&text).unwrap());
        assert_eq!(judged[0].name, "like, shared, 4000 sites, 9 values, p99 <= 50 ms");
        assert_eq!(met(judged), [true, true, true, true, true, true, false, false, false]);
        assert_eq!(met(judge(&Json::Null)), [false; 9]);
    }
}
