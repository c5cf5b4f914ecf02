//! `cargo xtask bench match`: what an answer, a new advisory and a full match cost on a register of
//! five million rows, beside a scanner that has to read every inventory again.
use std::path::{Path, PathBuf};

use super::cost::{Line, TIME_MAX_S, Turns, measure};
use super::json::Json;
use super::peers::{self, Installed};
use super::scan::Goal;
use crate::corpus::builder::{empty, make_folder};
use crate::{corpus, process, tree};

/// The real set for developers, beside the repository; the generator writes one where it is not.
const REAL_SET: &str = "../shared/data/advisories/relight-osv.tar.zst";
/// Component rows of the small version.
const ROWS_QUICK: &str = "250000";
/// Sites whose inventories a scanner would have to read again.
const SITES: f64 = 4_000.0;
/// Starts whose median counts.
const STARTS: usize = 5;
/// Longest start.
const START_S_MAX: f64 = 3.0;
/// Most memory a component row.
const ROW_BYTES_MAX: f64 = 200.0;
/// By how much an answer must be quicker than judging each identity.
const WALK_MIN: f64 = 10.0;
/// Most of a full match that one new advisory may cost.
const PUSH_MAX: f64 = 0.5;
/// Fewest records that are imported in a second.
const RECORDS_PER_S_MIN: f64 = 25_000.0;
/// Rounds of the peer over the inventories.
const ROUNDS: usize = 3;

/// Which parts are measured, and at what size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything, at full size.
    All,
    /// Everything, on a small register.
    Quick,
    /// Imports alone.
    Import,
}

/// Builds and runs the benchmark of the engine, and the peer on some of its inventories.
///
/// # Errors
/// When something cannot be built or run, or when a goal is missed.
pub(crate) fn run(part: Part) -> Result<(), String> {
    let root = tree::root();
    let work = super::target(&root).join("bench-match");
    empty(&work)?;
    let register = work.join("register");
    make_folder(&register)?;
    let advisories = advisories(&root, &work)?;
    let document = engine(&root, &register, &advisories, part)?;
    let (goals, starts) = match part {
        Part::Import => (vec![import_goal(&parsed(&document)?)], Vec::new()),
        _ => all_goals(&root, &register, &parsed(&document)?)?,
    };
    for Goal { name, got, met } in &goals {
        println!("{} {name}: {got}", if *met { "met   " } else { "MISSED" });
    }
    let name = match part {
        Part::All => "match.json",
        Part::Quick => "match-quick.json",
        Part::Import => "match-import.json",
    };
    let results = super::results(&root)?.join(name);
    let rows: Vec<String> = goals.iter().map(Goal::json).collect();
    let document = document.trim();
    let (rows, starts) = (rows.join(","), starts.join(","));
    let text = format!("{{\"engine\":{document},\"starts\":[{starts}],\"goals\":[{rows}]}}\n");
    super::write(&results, &text)?;
    println!("raw results: {}", results.display());
    let missed = goals.iter().filter(|goal| !goal.met).count();
    if missed == 0 { Ok(()) } else { Err(format!("{missed} of {} goals are missed", goals.len())) }
}

/// Every goal, and the starts that some of them rest on.
fn all_goals(
    root: &Path,
    register: &Path,
    document: &Json,
) -> Result<(Vec<Goal>, Vec<String>), String> {
    let figures = document.get("figures");
    let mut goals = judge(figures);
    let (starts, of_start) = starts(root, register)?;
    goals.extend(of_start);
    goals.push(match peer(&register.join("sboms"), figures) {
        Ok(goal) => goal,
        Err(reason) => Goal::unmeasured("CPU of a scanner per new advisory", &reason),
    });
    Ok((goals, starts))
}

/// The folder with the real set, or an empty one.
fn advisories(root: &Path, work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("advisories");
    make_folder(&folder)?;
    let archive = root.join(REAL_SET);
    if archive.is_file() {
        let archive = archive.to_string_lossy();
        process::output(&folder, "tar", &["--zstd", "-xf", &archive])?;
    } else {
        println!("{REAL_SET} is not there: the advisories are generated");
    }
    Ok(folder)
}

fn engine(root: &Path, register: &Path, advisories: &Path, part: Part) -> Result<String, String> {
    let (register, advisories) = (register.to_string_lossy(), advisories.to_string_lossy());
    let mut words = vec!["bench", "-q", "-p", "relight-engine", "--bench", "matching", "--"];
    words.extend((part == Part::Import).then_some("--only-import"));
    words.extend([&*register, &*advisories]);
    words.extend((part == Part::Quick).then_some(ROWS_QUICK));
    let run = process::quiet(root, "cargo", &words)?;
    if run.success { Ok(run.stdout) } else { Err(format!("{}\n{}", run.status(), run.stderr)) }
}

fn parsed(document: &str) -> Result<Json, String> {
    Json::parse(document).ok_or_else(|| format!("no document: {document}"))
}

/// Starts on the register that is there now, each in a process of its own.
fn starts(root: &Path, register: &Path) -> Result<(Vec<String>, Vec<Goal>), String> {
    let register = register.to_string_lossy();
    let words = ["bench", "-q", "-p", "relight-engine", "--bench", "matching", "--", &*register];
    let mut documents = Vec::new();
    for _ in 0..STARTS {
        let run = process::quiet(root, "cargo", &words)?;
        if !run.success {
            return Err(format!("{}\n{}", run.status(), run.stderr));
        }
        documents.push(run.stdout.trim().to_owned());
    }
    let figures: Vec<Json> = documents.iter().map(|it| parsed(it)).collect::<Result<_, _>>()?;
    let goals = judge_starts(&figures);
    Ok((documents, goals))
}

/// The median start, and the most that any of them held a row.
fn judge_starts(figures: &[Json]) -> Vec<Goal> {
    let number = |figures: &Json, key: &str| match figures.get(key) {
        Json::Number(number) => *number,
        _ => f64::NAN,
    };
    let mut seconds: Vec<f64> = figures.iter().map(|it| number(it, "seconds")).collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN);
    let rows = figures.first().map_or(f64::NAN, |it| number(it, "rows"));
    let held = |it: &Json| number(it, "resident_bytes") / number(it, "rows");
    let held = figures.iter().map(held).fold(f64::NAN, f64::max);
    vec![
        Goal::new(
            format!("start, {rows} rows <= {START_S_MAX} s"),
            format!("{median:.3} s"),
            median <= START_S_MAX,
        ),
        Goal::new(
            format!("memory of the process after a start <= {ROW_BYTES_MAX} bytes a row"),
            format!("{held:.0} bytes"),
            held <= ROW_BYTES_MAX,
        ),
    ]
}

fn judge(figures: &Json) -> Vec<Goal> {
    let number = |group: &str, key: &str| match figures.get(group).get(key) {
        Json::Number(number) => *number,
        _ => f64::NAN,
    };
    let push = |kind: &str| match figures.get("push").get(kind).get("p99_ms") {
        Json::Number(number) => *number,
        _ => f64::NAN,
    };
    let most = |name: &str, got: f64, limit: f64, unit: &str| {
        Goal::new(format!("{name} <= {limit} {unit}"), format!("{got:.3} {unit}"), got <= limit)
    };
    let rows = number("portfolio", "rows");
    let first = number("which_sites", "p999_us");
    let again = number("which_sites", "again_p99_us_of_999_ids");
    let walk = number("which_sites", "linear_p99_us") / number("which_sites", "p99_us");
    let share = push("new") / 1e3 / number("full_match", "median_seconds");
    vec![
        most(&format!("full match, {rows} rows"), number("full_match", "median_seconds"), 1.0, "s"),
        most("new advisory to flagged sites, durable, p99", push("new"), 50.0, "ms"),
        most("withdrawn advisory, durable, p99", push("withdrawn"), 50.0, "ms"),
        import_goal(figures.get("import")),
        most("which sites, asked once, 99.9 % of ids", first / 1e3, 1.0, "ms"),
        most("which sites, p99 of a hundred, 99.9 % of ids", again / 1e3, 0.1, "ms"),
        Goal::new(
            format!("which sites beside judging one by one, p99 >= {WALK_MIN} x"),
            format!("{walk:.1} x"),
            walk >= WALK_MIN,
        ),
        Goal::new(
            format!("a new advisory beside a full match <= {PUSH_MAX} x"),
            format!("{share:.4} x"),
            share <= PUSH_MAX,
        ),
    ]
}

/// What importing costs, beside parsing the same bytes and keeping nothing.
fn import_goal(figures: &Json) -> Goal {
    let number = |key: &str| match figures.get(key) {
        Json::Number(number) => *number,
        _ => f64::NAN,
    };
    let (import, seconds) = (number("per_second"), number("seconds"));
    let parse = seconds / number("parse_only_seconds");
    let cpu = number("cpu_seconds");
    Goal::new(
        format!("import of OSV records a second >= {RECORDS_PER_S_MIN}"),
        format!("{import:.0}, {parse:.2} x parsing alone, {cpu:.2} s of processors"),
        import >= RECORDS_PER_S_MIN,
    )
}

/// A scanner reads its inventories again for each new advisory. Its own database cannot be had
/// from a package registry, so only reading and analysing is counted here, without any match:
/// less than what it really costs.
fn peer(inventories: &Path, figures: &Json) -> Result<Goal, String> {
    let (installed, absent) = peers::install(&corpus::folder());
    let found = installed.iter().find(|it| it.peer.name == "trivy");
    let scanner: &Installed = found.ok_or_else(|| absent.join("; "))?;
    let files = std::fs::read_dir(inventories).map_err(|error| format!("list: {error}"))?;
    let files: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
    let commands: Vec<(Line, u32)> =
        files.iter().map(|file| (scanner.read_again(file), 1)).collect();
    let (first, _) = commands.first().ok_or("no inventory was written")?;
    let (_, probe) = measure(inventories, first, TIME_MAX_S)?;
    if !probe.success {
        return Err(format!("trivy: {}", probe.stderr));
    }
    let turns = Turns::run(inventories, &commands, ROUNDS)?;
    let one = (0..commands.len()).map(|at| turns.cpu(at)).sum::<f64>() / commands.len() as f64;
    let ours = match figures.get("push").get("new").get("p50_ms") {
        Json::Number(ms) => ms / 1e3,
        _ => f64::NAN,
    };
    let ratio = one * SITES / ours;
    let got = format!("{ratio:.0} x ({one:.3} s an inventory, {ours:.4} s)");
    Ok(Goal::new("CPU of trivy reading 4,000 inventories again >= 1000 x", got, ratio >= 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_judged_by_its_median_and_by_the_most_that_it_held() {
        let start = |seconds: f64, bytes: u64| {
            let text = format!(r#"{{"seconds":{seconds},"rows":1000,"resident_bytes":{bytes}}}"#);
            Json::parse(&text).unwrap()
        };
        let met =
            |starts: &[Json]| judge_starts(starts).iter().map(|it| it.met).collect::<Vec<_>>();
        let good = [start(9.0, 100_000), start(2.0, 200_000), start(1.0, 1)];
        assert_eq!(met(&good), [true, true]);
        let bad = [start(3.1, 1), start(9.0, 200_001), start(1.0, 1)];
        assert_eq!(met(&bad), [false, false]);
        assert_eq!(met(&[]), [false, false]);
        assert_eq!(met(&[Json::parse("{}").unwrap()]), [false, false]);
    }

    #[test]
    fn goals_are_judged_and_what_is_missing_is_missed() {
        let figures = Json::parse(
            r#"{"portfolio":{"rows":5000000},"full_match":{"median_seconds":0.5},
            "push":{"new":{"p50_ms":4,"p99_ms":60},"withdrawn":{"p99_ms":8}},
            "import":{"per_second":30000,"seconds":1,"parse_only_seconds":0.5,"cpu_seconds":1.5},
            "which_sites":{"p99_us":10,"p999_us":900,"again_p99_us_of_999_ids":2,
            "linear_p99_us":300}}"#,
        );
        let met = |goals: Vec<Goal>| goals.iter().map(|goal| goal.met).collect::<Vec<_>>();
        let judged = judge(&figures.unwrap());
        assert_eq!(judged[3].got, "30000, 2.00 x parsing alone, 1.50 s of processors");
        assert_eq!(met(judged), [true, false, true, true, true, true, true, true]);
        assert_eq!(met(judge(&Json::Null)), [false; 8]);
    }
}
