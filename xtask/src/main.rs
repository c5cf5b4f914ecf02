//! Checks and chores of the repository: `cargo xtask` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to people")]

mod bench;
mod corpus;
mod e2e;
mod fingerprints;
mod fuzz_targets;
mod metrics;
mod mutants;
mod oracle;
mod package;
mod picture;
mod process;
mod soak;
mod source;
mod test;
mod test_files;
mod tidy;
mod tree;
mod updates;
mod vectors;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use bench::matching::Part;
use metrics::Metrics;
use tree::Tree;

const HELP: &str = "\
cargo xtask test             everything that must hold; installs proxies and browser if it may
cargo xtask e2e [DIR]        the pages in Chromium: accessibility, keyboard, size; pictures in DIR
cargo xtask picture          the wall of the README, from a demo that runs
cargo xtask tidy             the rules of the house
cargo xtask package deb [--program FILE] [DIR]
                             the Debian package in target/package or DIR, after its trial
cargo xtask updates          asks the registry how far libraries are behind, for the record of that
cargo xtask metrics [DIR]    length, documentation, panics, tests; of any Rust tree with DIR
cargo xtask soak [--seed N] [--TRIAL N]...    kills, seeds (simulator), states (model), proxies
                             (nginx, HAProxy, Apache, Caddy, built-in edge, second barriers),
                             archives, sequences: all, or those named
cargo xtask mutants [match] [watch]    known faults, one at a time; the tests must catch each
cargo xtask corpus [DIR]     makes the labelled samples in target/corpus or DIR
cargo xtask corpus --check   fetches a published package with a vulnerable Log4j and scans it
cargo xtask fingerprints [--program FILE] [--only PACKAGE -o FILE]
                             learns the seed of the fingerprint database again (Debian)
cargo xtask vectors [DIR] [--all]
                             published test vectors of versions, scores and names, where they are;
                             with --all, or CI in the environment, none may be absent
cargo xtask vectors watch    published payloads, logs and flows against the watch, where they are
cargo xtask oracle SCHEME|all [--seed N] [--pairs N]
                             random versions, against the tool of the scheme
cargo xtask oracle cvss [--seed N] [--count N]
                             random vectors, against the package of Python
cargo xtask oracle log4j [--seed N] [--count N] [--jars DIR] [--write-corpus]
                             random messages, against log4j-core 2.14.1 itself (JDK)
cargo xtask fuzz [SEED] [N]  N random comparisons of versions (10 million), and what one costs
cargo xtask fuzz-targets     whether what is below fuzz/ compiles, as the test command does
cargo xtask bench demo       the demo on each edge: seconds by phase, peak memory
cargo xtask bench build      the cold release build: CPU seconds, crates, wall time
cargo xtask bench incident [--quick] [PART...]
                             nginx and HAProxy with 4,000 sites: dark, lit, faults, memory, journal
cargo xtask bench like       which of 4,000 sites have archives like an example
cargo xtask bench match [--quick] [--only import]
                             a new advisory against five million component rows; imports alone
cargo xtask bench start [--program FILE]
                             a start, an answer, the wall of the demo and a first scan: seconds
cargo xtask bench wall       a wall that changes 1,000 times a second: frames, main thread, filters
cargo xtask bench watch [--quick] [--program FILE]    reading logs, beside wc and other programs
cargo xtask bench watch --only grid|scale|peers|probed     actors of every pace; the pool at full
                             size; rules of others on the same events; who was tried
cargo xtask bench scan [--quick] [--matrix] [--only PART] [--program FILE] [--corpus DIR]
                             what the scanner finds and costs, beside other scanners";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), String> {
    match arguments {
        ["test"] => test::run(),
        ["e2e"] => e2e::run(None),
        // An option is no folder: a run would put four hundred pictures into it.
        ["e2e", pictures] if !pictures.starts_with('-') => {
            e2e::run(Some(std::path::Path::new(pictures)))
        }
        ["package", "deb", words @ ..] => package::run(words),
        ["picture"] => picture::run(),
        ["tidy"] => test::run_tidy(),
        ["updates"] => updates::run(),
        ["metrics"] => show_metrics(None),
        ["metrics", folder] => show_metrics(Some(PathBuf::from(folder))),
        ["soak", options @ ..] => soak::run(options),
        ["corpus"] => corpus::make(&corpus::folder()),
        ["corpus", "--check"] => corpus::check(),
        ["corpus", folder] => corpus::make(std::path::Path::new(folder)),
        ["fingerprints", words @ ..] => fingerprints::run(words),
        ["mutants", words @ ..] => mutants::run(words),
        ["fuzz-targets"] => fuzz_targets::check(&tree::root()),
        ["fuzz", words @ ..] => vectors::fuzz(words),
        ["oracle", words @ ..] => oracle::run(words),
        ["vectors", words @ ..] => vectors::run(words),
        ["bench", "demo"] => bench::demo(),
        ["bench", "build"] => bench::build(),
        ["bench", "incident", words @ ..] => {
            bench::incident::run(&bench::incident::Options::parse(words)?)
        }
        ["bench", "like"] => bench::alike::run(),
        ["bench", "match"] => bench::matching::run(Part::All),
        ["bench", "match", "--quick"] => bench::matching::run(Part::Quick),
        ["bench", "match", "--only", "import"] => bench::matching::run(Part::Import),
        ["bench", "start", words @ ..] => bench::start::run(words),
        ["bench", "wall"] => bench::wall::run(),
        ["bench", "watch", words @ ..] => bench::watch::run(words),
        ["bench", "scan", words @ ..] => bench::scan::run(&bench::scan::Options::parse(words)?),
        [] | ["help" | "--help"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no such command: {}\n{HELP}", arguments.join(" "))),
    }
}

fn show_metrics(folder: Option<PathBuf>) -> Result<(), String> {
    let root = folder.clone().unwrap_or_else(tree::root);
    let tree = Tree::read(&root).map_err(|error| format!("read {}: {error}", root.display()))?;
    let metrics = if folder.is_some() { Metrics::of(tree.rust()) } else { Metrics::product(&tree) };
    match writeln!(io::stdout(), "{metrics}") {
        // A reader that has seen enough, like `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("write the figures: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_is_an_error_with_the_list() {
        let reason = run(&["tset"]).unwrap_err();
        assert!(reason.starts_with("no such command: tset\n"), "{reason}");
        assert!(reason.contains("cargo xtask test"));
    }
}
