//! `cargo xtask soak`: the kill test, the simulators and damaged archives, many more than the suite
//! has.
use crate::process;
use crate::tree;

/// Kills of the engine in one soak.
const KILLS: u32 = 100;
/// Seeds of the simulator in one soak.
const SEEDS: u32 = 500;

/// Damaged archives in one soak.
const ARCHIVES: u32 = 10_000;

/// Sequences of updates of advisories in one soak.
const SEQUENCES: u32 = 10_000;

/// How much to run.
#[derive(Debug, PartialEq, Eq)]
struct Size {
    kills: u32,
    seeds: u32,
    archives: u32,
    sequences: u32,
}

/// Runs all four; the tests print their seeds.
///
/// # Errors
/// On an unknown option, a failing test, or when no test carries the expected name.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let size = parse(options)?;
    let kills = test("relight", "kill", "RELIGHT_KILLS", size.kills);
    let seeds = test("relight-engine", "sim", "RELIGHT_SEEDS", size.seeds);
    let archives = test("relight-scan", "mutated", "RELIGHT_ARCHIVES", size.archives);
    let sequences = test("relight-match", "incremental", "RELIGHT_SEQUENCES", size.sequences);
    kills.and(seeds).and(archives).and(sequences)
}

fn parse(options: &[&str]) -> Result<Size, String> {
    let mut size = Size { kills: KILLS, seeds: SEEDS, archives: ARCHIVES, sequences: SEQUENCES };
    for pair in options.chunks(2) {
        let [option, value] = pair else { return Err(format!("{}: a number is missing", pair[0])) };
        let number = value.parse().map_err(|_| format!("{option} {value}: not a number"))?;
        match *option {
            "--kills" => size.kills = number,
            "--seeds" => size.seeds = number,
            "--archives" => size.archives = number,
            "--sequences" => size.sequences = number,
            _ => {
                let known = "--kills, --seeds, --archives and --sequences N";
                return Err(format!("{option}: the options are {known}"));
            }
        }
    }
    Ok(size)
}

/// Runs the integration tests of a package whose name holds `name`, `size` times as told.
fn test(package: &str, name: &str, variable: &str, size: u32) -> Result<(), String> {
    println!("== {package}: {variable}={size}");
    let arguments = ["test", "-p", package, "--test", "it", name, "--", "--nocapture"];
    let environment = [(variable, size.to_string())];
    let environment = environment.each_ref().map(|(key, value)| (*key, value.as_str()));
    let run = process::show(&tree::root(), "cargo", &arguments, &environment)?;
    if !run.success {
        return Err(format!("{package}: {}", run.status()));
    }
    if run.stdout.contains(" 0 passed") || !run.stdout.contains("test result: ok") {
        return Err(format!("{package}: no test has `{name}` in its name, so nothing was proven"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_bad_ones_refused() {
        assert_eq!(
            parse(&[]),
            Ok(Size { kills: 100, seeds: 500, archives: 10_000, sequences: 10_000 })
        );
        assert_eq!(
            parse(&["--seeds", "7", "--kills", "3", "--archives", "9", "--sequences", "5"]),
            Ok(Size { kills: 3, seeds: 7, archives: 9, sequences: 5 })
        );
        assert!(parse(&["--kills"]).unwrap_err().contains("a number is missing"));
        assert!(parse(&["--kills", "many"]).unwrap_err().contains("not a number"));
        assert!(parse(&["--days", "1"]).unwrap_err().contains("the options are"));
    }
}
