//! `cargo xtask soak`: the kill test, the simulator, the model, incidents on real proxies, damaged
//! archives and sequences of updates, many more than the suite has.
use crate::process;
use crate::tree;

/// How the tests of the engine are built: a million states are not for an unoptimised program.
const PROFILE: &str = "profiling";

/// One kind of trial and how many of it make a soak.
struct Trial {
    option: &'static str,
    package: &'static str,
    /// What the names of its tests begin with.
    name: &'static str,
    variable: &'static str,
    count: u32,
}

const TRIALS: [Trial; 7] = [
    // Processes that are killed, on the built-in edge.
    Trial {
        option: "--kills",
        package: "relight",
        name: "kill",
        variable: "RELIGHT_KILLS",
        count: 100,
    },
    // Whole incidents against a fake edge that does everything wrong.
    Trial {
        option: "--seeds",
        package: "relight-engine",
        name: "sim",
        variable: "RELIGHT_SEEDS",
        count: 10_000,
    },
    // Every state of a small world, breadth first.
    Trial {
        option: "--states",
        package: "relight-engine",
        name: "model",
        variable: "RELIGHT_STATES",
        count: 1_200_000,
    },
    // Whole incidents on each real proxy, on one with a second behind it, and on the built-in edge,
    // so many on each.
    Trial {
        option: "--proxies",
        package: "relight-engine",
        name: "proxies",
        variable: "RELIGHT_PROXY_SEEDS",
        count: 500,
    },
    Trial {
        option: "--proxies",
        package: "relight",
        name: "proxies",
        variable: "RELIGHT_PROXY_SEEDS",
        count: 500,
    },
    Trial {
        option: "--archives",
        package: "relight-scan",
        name: "mutated",
        variable: "RELIGHT_ARCHIVES",
        count: 10_000,
    },
    // Updates of advisories, one after the other, beside a full match.
    Trial {
        option: "--sequences",
        package: "relight-match",
        name: "incremental",
        variable: "RELIGHT_SEQUENCES",
        count: 10_000,
    },
];

/// What to run.
#[derive(Debug, PartialEq, Eq)]
struct Soak<'a> {
    /// One number a trial, in their order.
    counts: [u32; TRIALS.len()],
    /// One seed alone, in the trials that have seeds.
    seed: Option<&'a str>,
}

/// Runs every trial that has a number; the tests print their seeds.
///
/// # Errors
/// On an unknown option, a failing test, or when no test carries the expected name.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let soak = parse(options)?;
    let mut failed = Vec::new();
    for (trial, count) in TRIALS.iter().zip(soak.counts) {
        if count == 0 || (soak.seed.is_some() && !HAVE_SEEDS.contains(&trial.name)) {
            continue;
        }
        failed.extend(test(trial, count, soak.seed).err());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Trials of which `--seed` repeats one case alone.
const HAVE_SEEDS: [&str; 2] = ["sim", "proxies"];

fn parse<'a>(options: &[&'a str]) -> Result<Soak<'a>, String> {
    let mut soak = Soak { counts: TRIALS.each_ref().map(|trial| trial.count), seed: None };
    let mut chosen = false;
    for pair in options.chunks(2) {
        let [option, value] = *pair else {
            return Err(format!("{}: a number is missing", pair[0]));
        };
        let number: u32 = value.parse().map_err(|_| format!("{option} {value}: not a number"))?;
        if option == "--seed" {
            soak.seed = Some(value);
            continue;
        }
        if TRIALS.iter().all(|trial| trial.option != option) {
            return Err(known());
        }
        // Whoever names one trial means no other.
        if !chosen {
            soak.counts = [0; TRIALS.len()];
            chosen = true;
        }
        for (trial, count) in TRIALS.iter().zip(&mut soak.counts) {
            if trial.option == option {
                *count = number;
            }
        }
    }
    Ok(soak)
}

fn known() -> String {
    let mut options = TRIALS.map(|trial| trial.option).to_vec();
    options.dedup();
    format!("the options are --seed N, {} N", options.join(" N, "))
}

/// Runs the integration tests of a package whose name holds the name of a trial.
fn test(trial: &Trial, count: u32, seed: Option<&str>) -> Result<(), String> {
    let Trial { package, name, variable, .. } = trial;
    println!("== {package}: {variable}={count}");
    let profile = if *package == "relight-engine" { PROFILE } else { "dev" };
    let mut arguments = vec!["test", "--profile", profile, "-p", package, "--test", "it"];
    arguments.extend([*name, "--", "--nocapture"]);
    let count = count.to_string();
    let mut environment = vec![(*variable, count.as_str())];
    environment.extend(seed.map(|seed| ("SEED", seed)));
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
        let counts = [100, 10_000, 1_200_000, 500, 500, 10_000, 10_000];
        assert_eq!(parse(&[]), Ok(Soak { counts, seed: None }));
        let seed = Some("7");
        assert_eq!(parse(&["--seed", "7"]), Ok(Soak { counts, seed }));
        let counts = [3, 0, 0, 9, 9, 0, 0];
        assert_eq!(
            parse(&["--proxies", "9", "--kills", "3", "--seed", "7"]),
            Ok(Soak { counts, seed })
        );
        assert!(parse(&["--kills"]).unwrap_err().contains("a number is missing"));
        assert!(parse(&["--kills", "many"]).unwrap_err().contains("not a number"));
        let why = parse(&["--days", "1"]).unwrap_err();
        assert!(why.contains("the options are") && why.matches("--proxies").count() == 1, "{why}");
    }
}
