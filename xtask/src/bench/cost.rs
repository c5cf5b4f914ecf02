//! What a command costs, measured around the process, and comparisons of two commands in one run.
use std::path::Path;

use super::json::Json;
use crate::process::{self, Run};

const TIME: &str = "/usr/bin/time";
/// What GNU time writes on the last line: wall, user and system seconds, peak memory in KiB.
const FORMAT: &str = "[%e,%U,%S,%M]";
/// A command that takes longer than this is ended, in seconds.
pub(crate) const TIME_MAX_S: u32 = 90;

/// What one run cost, the processes that it started included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    /// User and system seconds.
    pub cpu: f64,
    /// Wall seconds.
    pub wall: f64,
    /// Peak memory of the largest process.
    pub peak_mib: f64,
    /// Whether it had to be ended.
    pub hung: bool,
}

impl Cost {
    fn read(line: &str) -> Option<Self> {
        let numbers: Vec<f64> = Json::parse(line)?
            .items()
            .iter()
            .map(|item| if let Json::Number(number) = item { *number } else { f64::NAN })
            .collect();
        let [wall, user, system, kib] = numbers.try_into().ok()?;
        Some(Self { cpu: user + system, wall, peak_mib: kib / 1024.0, hung: false })
    }
}

/// A command line with words of its environment in front (`NAME=value`).
pub(crate) type Line = Vec<String>;

/// A command line of words.
pub(crate) fn line(words: &[&str]) -> Line {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Runs a command under GNU time and `timeout`.
///
/// # Errors
/// When GNU time is missing or wrote no figures.
pub(crate) fn measure(folder: &Path, command: &Line, seconds: u32) -> Result<(Cost, Run), String> {
    if !Path::new(TIME).is_file() {
        return Err(format!("{TIME} is missing: apt-get install --no-install-recommends time"));
    }
    let limit = seconds.to_string();
    let mut arguments = vec!["-q", "-f", FORMAT, "timeout", "-k", "5", &limit, "env"];
    arguments.extend(command.iter().map(String::as_str));
    let run = process::quiet(folder, TIME, &arguments)?;
    let last = run.stderr.trim_end().lines().last().unwrap_or_default();
    let cost =
        Cost::read(last).ok_or_else(|| format!("no figures for {}: {last}", command.join(" ")))?;
    // `timeout` says 124, or 137 when it had to use force.
    let hung = matches!(run.code, Some(124 | 137));
    Ok((Cost { hung, ..cost }, run))
}

/// The costs of several commands, measured in turns so that the machine's mood meets all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    /// For each command, the cost of each round.
    pub costs: Vec<Vec<Cost>>,
}

impl Turns {
    /// Runs each command once a round; each run repeats its command `repeats` times.
    ///
    /// # Errors
    /// When a command cannot be measured or hangs.
    pub(crate) fn run(
        folder: &Path,
        commands: &[(Line, u32)],
        rounds: usize,
    ) -> Result<Self, String> {
        let mut turns = Self { costs: vec![Vec::new(); commands.len()] };
        for _ in 0..rounds {
            for (index, (command, repeats)) in commands.iter().enumerate() {
                let cost = repeated(folder, command, *repeats)?;
                turns.costs[index].push(cost);
            }
        }
        Ok(turns)
    }

    /// The median CPU seconds of a command.
    pub(crate) fn cpu(&self, index: usize) -> f64 {
        median(self.costs[index].iter().map(|cost| cost.cpu).collect())
    }

    /// The largest peak of a command.
    pub(crate) fn peak_mib(&self, index: usize) -> f64 {
        self.costs[index].iter().map(|cost| cost.peak_mib).fold(0.0, f64::max)
    }
}

/// One measurement of a command that is repeated, as the cost of one time.
fn repeated(folder: &Path, command: &Line, repeats: u32) -> Result<Cost, String> {
    let script = "n=$1; shift; while [ \"$n\" -gt 0 ]; do n=$((n-1)); \
        env \"$@\" >/dev/null 2>&1; done; true";
    let count = repeats.to_string();
    let mut all = line(&["sh", "-c", script, "sh", &count]);
    all.extend(command.iter().cloned());
    let (cost, _) = measure(folder, &all, TIME_MAX_S * 10)?;
    if cost.hung {
        return Err(format!("it did not end: {}", command.join(" ")));
    }
    let times = f64::from(repeats);
    Ok(Cost { cpu: cost.cpu / times, wall: cost.wall / times, ..cost })
}

/// The middle value; zero of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_other_text_is_not() {
        let cost = Cost::read("[1.5,0.25,0.5,2048]").unwrap();
        assert_eq!(cost, Cost { cpu: 0.75, wall: 1.5, peak_mib: 2.0, hung: false });
        assert_eq!(Cost::read("Command terminated by signal 9"), None);
        assert_eq!(Cost::read("[1,2]"), None);
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let here = std::env::temp_dir();
        match measure(&here, &line(&["A=b", "sh", "-c", "test $A = b && read x < /dev/zero"]), 1) {
            Ok((cost, _)) => assert!(cost.hung),
            Err(reason) => assert!(reason.contains("apt-get install"), "{reason}"),
        }
    }

    #[test]
    fn commands_take_turns() {
        let here = std::env::temp_dir();
        let commands = [(line(&["true"]), 3), (line(&["false"]), 1)];
        if let Ok(turns) = Turns::run(&here, &commands, 3) {
            assert_eq!(turns.costs.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
            assert!(turns.cpu(0) < 1.0 && turns.peak_mib(1) > 0.0);
        }
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median(vec![]).to_string(), "0");
    }
}
