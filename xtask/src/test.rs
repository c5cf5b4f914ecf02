//! `cargo xtask test`: everything that must hold, in one command, cheap steps first.
use std::path::Path;
use std::time::Instant;

use crate::e2e;
use crate::fuzz_targets;
use crate::package;
use crate::process::{self, Run};
use crate::tidy;
use crate::tree::{self, Tree};

/// Debian packages that some tests need. Such a test carries the name in its own, or belongs to the
/// integration tests of `relight-edge`, which run every case on each of them.
const PROGRAMS: [&str; 5] = ["nginx", "haproxy", "apache2", "caddy", BROWSER];

/// No test of cargo needs it: it is for the step `e2e`.
const BROWSER: &str = "chromium";

/// Runs every step, even after one failed, so that one run shows everything.
///
/// # Errors
/// With one line that names the steps that failed.
pub(crate) fn run() -> Result<(), String> {
    let root = tree::root();
    let missing = step("programs", || Ok(install(&root))).unwrap_or_default();
    let mut failed = Vec::new();
    let mut note = |name: &'static str, result: Result<(), String>| {
        if let Err(reason) = result {
            eprintln!("{reason}");
            failed.push(name);
        }
    };
    note("rustfmt", step("rustfmt", || rustfmt(&root)));
    note("clippy", step("clippy", || cargo(&root, &CLIPPY)));
    note("tidy", step("tidy", run_tidy));
    note("fuzz", step("fuzz", || fuzz_targets::check(&root)));
    if process::output(&root, "cargo", &["deny", "--version"]).is_ok() {
        note("deny", step("deny", || cargo(&root, &DENY)));
    } else {
        println!("== deny: left out, cargo-deny is not installed");
    }
    let mut count = Count::default();
    let tests = step("tests", || {
        let edges: Vec<&str> = missing.iter().copied().filter(|name| *name != BROWSER).collect();
        let run = tests(&root, &edges)?;
        count = Count::of(&(run.stdout + &run.stderr));
        if run.success { Ok(()) } else { Err("tests failed".to_owned()) }
    });
    note("tests", tests);
    match package::missing() {
        Some(program) => println!("== package: left out, {program} is not installed"),
        None => note("package", step("package", || package::check(&root, &e2e::build(&root)?))),
    }
    note("e2e", step("e2e", || e2e::run(None)));
    if !missing.is_empty() {
        report_left_out(&root, &missing);
        failed.push("programs");
    }
    if count.flaky > 0 {
        println!("{} passed only when tried again, named FLAKY above", count.flaky);
    }
    println!("{} passed, {} failed", count.passed, count.failed);
    if failed.is_empty() { Ok(()) } else { Err(format!("not in order: {}", failed.join(", "))) }
}

const CLIPPY: [&str; 5] = ["clippy", "--all-targets", "--", "-D", "warnings"];
const DENY: [&str; 5] = ["deny", "check", "bans", "licenses", "sources"];
const NEXTEST: [&str; 5] = ["nextest", "run", "--profile", "ci", "--no-tests=pass"];

/// Prints the name of a step and the seconds it took.
fn step<T>(name: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    println!("== {name}");
    let start = Instant::now();
    let result = work();
    let verdict = if result.is_ok() { "ok" } else { "FAILED" };
    println!("== {name}: {verdict}, {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// Installs what is missing if this is root on Debian; gives what is still missing.
fn install(root: &Path) -> Vec<&'static str> {
    let absent = || PROGRAMS.into_iter().filter(|name| !process::is_there(name));
    let wanted: Vec<&str> = absent().collect();
    if wanted.is_empty() || !Path::new("/etc/debian_version").exists() || !is_root() {
        return wanted;
    }
    let environment = [("DEBIAN_FRONTEND", "noninteractive")];
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(&wanted);
    for arguments in [vec!["update"], arguments] {
        if let Err(reason) = process::show(root, "apt-get", &arguments, &environment) {
            eprintln!("{reason}");
        }
    }
    // The packages start a service each; the tests run their own, in their own folders.
    for name in &wanted {
        if let Err(reason) = process::output(root, "service", &[name, "stop"]) {
            eprintln!("{reason}");
        }
    }
    absent().collect()
}

pub(crate) fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

/// Formats file by file: `cargo fmt` does not see modules that a macro declares.
fn rustfmt(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root).map_err(|error| format!("read the tree: {error}"))?;
    let mut arguments = vec!["--check"];
    arguments.extend(tree.rust().map(|(path, _)| path));
    succeed("rustfmt", process::show(root, "rustfmt", &arguments, &[])?)
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<(), String> {
    succeed(arguments[0], process::show(root, "cargo", arguments, &[])?)
}

fn succeed(name: &str, run: Run) -> Result<(), String> {
    if run.success { Ok(()) } else { Err(format!("{name}: {}", run.status())) }
}

/// Prints every complaint and the figures.
///
/// # Errors
/// When there is a complaint or the tree cannot be read.
pub(crate) fn run_tidy() -> Result<(), String> {
    let tree = Tree::read(&tree::root()).map_err(|error| format!("read the tree: {error}"))?;
    let complaints = tidy::check(&tree);
    for complaint in &complaints {
        println!("{complaint}");
    }
    match complaints.len() {
        0 => Ok(()),
        count => Err(format!("tidy: {count} complaints")),
    }
}

/// Runs the tests, those of missing programs apart, with nextest or else with `cargo test`.
fn tests(root: &Path, missing: &[&str]) -> Result<Run, String> {
    let nextest = process::output(root, "cargo", &["nextest", "--version"]).is_ok();
    if !nextest {
        println!("cargo-nextest is not installed: using cargo test, which is slower");
    }
    let arguments = if nextest { with_nextest(missing) } else { with_cargo_test(missing) };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Tests ask this machine only, whatever proxies its environment names.
    let environment = [("NO_PROXY", "localhost,127.0.0.1"), ("no_proxy", "localhost,127.0.0.1")];
    process::show(root, "cargo", &arguments, &environment)
}

fn with_nextest(missing: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = NEXTEST.map(str::to_owned).to_vec();
    if !missing.is_empty() {
        let names: String = missing.iter().map(|name| format!(" or test({name})")).collect();
        arguments.extend(["-E".to_owned(), format!("not (binary_id(relight-edge::it){names})")]);
    }
    arguments
}

fn with_cargo_test(missing: &[&str]) -> Vec<String> {
    let mut arguments = ["test", "--no-fail-fast", "--"].map(str::to_owned).to_vec();
    arguments.extend(missing.iter().flat_map(|name| ["--skip".to_owned(), name.to_string()]));
    arguments
}

/// Names the tests that could not run, and the line that would make them run.
fn report_left_out(root: &Path, missing: &[&str]) {
    let list = |arguments: &[&str], words: &[&str]| {
        let listed = process::quiet(root, "cargo", arguments);
        listed.map(|run| names_with(&run.stdout, words)).unwrap_or_default()
    };
    let mut names = list(&["test", "--", "--list"], missing);
    names.extend(list(&["test", "-p", "relight-edge", "--test", "it", "--", "--list"], &[""]));
    names.sort();
    names.dedup();
    println!("left out, because {} cannot be found:", missing.join(" and "));
    for name in names {
        println!("    {name}");
    }
    println!("to run them: apt-get install --no-install-recommends {}", missing.join(" "));
}

/// The tests of a `--list` whose names hold one of the words.
fn names_with(list: &str, words: &[&str]) -> Vec<String> {
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let matching = names.filter(|name| words.iter().any(|word| name.contains(word)));
    matching.map(str::to_owned).collect()
}

/// How many tests ended how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u32,
    /// Of those that passed, the tests that failed first: nextest tries once more.
    flaky: u32,
    failed: u32,
}

impl Count {
    /// Reads the summary of nextest, or else sums the results of `cargo test`.
    fn of(text: &str) -> Self {
        let lines = || text.lines().map(str::trim_start);
        // Nextest shows what a failed test printed, and with it a result of that test alone.
        let summary = lines().rfind(|line| line.starts_with("Summary ["));
        let mut count = Self::default();
        let results = lines().filter(|line| line.starts_with("test result:"));
        for line in summary.map_or_else(|| results.collect(), |line| vec![line]) {
            count.passed += number_before(line, "passed");
            count.flaky += number_before(line, "flaky");
            count.failed += number_before(line, "failed") + number_before(line, "timed");
        }
        count
    }
}

/// The number that stands before a word: 3 in `3 passed`.
fn number_before(line: &str, word: &str) -> u32 {
    let ends = [' ', ',', ';', ':', '(', ')'];
    let words: Vec<&str> = line.split(ends).filter(|word| !word.is_empty()).collect();
    let pair = words.windows(2).find(|pair| pair[1] == word);
    pair.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_both_runners_are_counted() {
        let nextest = "     Summary [   0.1s] 5 tests run: 2 passed (1 slow, 1 flaky), \
                       2 failed, 1 timed out, 7 skipped\n";
        assert_eq!(Count::of(nextest), Count { passed: 2, flaky: 1, failed: 3 });
        let cargo = "test result: ok. 3 passed; 0 failed; 0 ignored\n\
                     test result: FAILED. 1 passed; 2 failed; 0 ignored\n";
        assert_eq!(Count::of(cargo), Count { passed: 4, flaky: 0, failed: 2 });
        assert_eq!(Count::of("error: could not compile"), Count::default());
    }

    /// What nextest 0.9 printed: each failed test with its own result, and again at the end.
    #[test]
    fn a_failed_test_counts_once_however_often_nextest_shows_it() {
        let text = "\
        PASS [   0.012s] (  1/116) relight::it edges::an_edge_is_removed
        FAIL [   0.368s] (  2/116) relight::it edges::a_second_barrier_has_no_sites
  stdout ───

    running 1 test
    test edges::a_second_barrier_has_no_sites ... FAILED

    failures:
        edges::a_second_barrier_has_no_sites

    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 177 filtered out

  stderr ───

    thread 'edges::a_second_barrier_has_no_sites' panicked at edges.rs:62:5
        FAIL [   2.175s] (  3/116) relight::it book::the_guide_in_english
  stdout ───

    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 177 filtered out

────────────
     Summary [ 170.718s] 116 tests run: 114 passed (1 slow), 2 failed, 0 skipped
        FAIL [   0.368s] (  2/116) relight::it edges::a_second_barrier_has_no_sites
        FAIL [   2.175s] (  3/116) relight::it book::the_guide_in_english
error: test run failed
";
        assert_eq!(Count::of(text), Count { passed: 114, flaky: 0, failed: 2 });
    }

    #[test]
    fn tests_of_missing_programs_are_left_out_and_no_others() {
        assert_eq!(with_nextest(&[]), NEXTEST);
        let filter = "not (binary_id(relight-edge::it) or test(nginx) or test(haproxy))".to_owned();
        assert_eq!(with_nextest(&["nginx", "haproxy"]).last(), Some(&filter));
        assert_eq!(with_cargo_test(&[]), ["test", "--no-fail-fast", "--"]);
        assert_eq!(with_cargo_test(&["nginx"])[3..], ["--skip", "nginx"]);
    }

    #[test]
    fn tests_that_were_left_out_are_named() {
        let list = "config::nginx_is_closed: test\nmap::haproxy: test\ngate::dark: test\n\n\
                    3 tests, 0 benchmarks\n";
        assert_eq!(names_with(list, &["nginx"]), ["config::nginx_is_closed"]);
        assert_eq!(names_with(list, &["nginx", "haproxy"]).len(), 2);
    }

    #[test]
    fn a_step_hands_its_result_on() {
        assert_eq!(step("good", || Ok(1)), Ok(1));
        assert_eq!(step("bad", || Err::<(), _>("reason".into())), Err("reason".into()));
    }
}
