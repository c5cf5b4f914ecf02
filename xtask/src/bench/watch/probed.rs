//! `--only probed`: what "who was tried for this, and was it vulnerable that day" costs over 4,000
//! sites and 180 days.

use std::path::Path;

use super::super::json::Json;
use super::super::{results, write};
use crate::process;

/// Milliseconds within which all but one in a hundred questions are answered.
const P99_MS_MAX: f64 = 50.0;

/// Builds and runs the benchmark, and keeps its figures.
pub(super) fn run(root: &Path, folder: &Path) -> Result<(), String> {
    let place = folder.join("register");
    let name = place.display().to_string();
    std::fs::create_dir_all(&place).map_err(|error| format!("{name}: {error}"))?;
    let words = ["bench", "-q", "-p", "relight-engine", "--bench", "probed", "--", &name];
    let text = process::output(root, "cargo", &words)?;
    write(&results(root)?.join("watch-probed.json"), &text)?;
    print!("{text}");
    let document = Json::parse(text.trim()).ok_or("probed: no document")?;
    if meets(&document) { Ok(()) } else { Err("p99 is missed, or answers are missing".to_owned()) }
}

/// Fast enough, and every kind of answer was given but the one of sites without logs.
fn meets(document: &Json) -> bool {
    let figures = document.get("figures");
    let number = |of: &Json, key| {
        if let Json::Number(number) = of.get(key) { *number } else { f64::NAN }
    };
    let answers = figures.get("answers");
    let kinds = ["probed-affected", "probed-unknown", "probed-clear", "not-probed"];
    number(figures, "p99_ms") <= P99_MS_MAX && kinds.iter().all(|kind| number(answers, kind) > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_or_hollow_answers_miss_the_goal() {
        let document = |p99: f64, clear: u32| {
            let text = format!(
                r#"{{"figures":{{"p99_ms":{p99},"answers":{{"probed-affected":3,"probed-unknown":2,
                "probed-clear":{clear},"not-probed":9}}}}}}"#
            );
            Json::parse(&text).unwrap_or(Json::Null)
        };
        assert!(meets(&document(49.0, 1)));
        assert!(!meets(&document(51.0, 1)) && !meets(&document(10.0, 0)) && !meets(&Json::Null));
    }
}
