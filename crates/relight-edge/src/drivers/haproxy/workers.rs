//! Processes of before a reload, where no master tells of them: as the system lists them, or gone
//! because the configuration ends them.

use std::fs;
use std::path::Path;

use crate::driver::{Lint, Target};
use crate::lint::CONFIG_BYTES_MAX;

/// The setting that names the proxy's own configuration.
const CONFIG: &str = "config";
/// Seconds that a process may take to end after it has to.
const ENDING_S: u64 = 5;
/// Most processes in one line of those that follow each other.
const LINE_MAX: usize = 64;

/// What is known of old workers without asking a master.
#[derive(Debug)]
pub(super) struct Workers {
    /// Seconds after which an old process ends whatever it serves, by the configuration.
    hard_stop_s: Option<u64>,
    /// The process beside which none is left, and its seconds of service then: no elder of it can
    /// come any more.
    alone: Option<(u64, u64)>,
}

impl Workers {
    pub(super) fn of(target: &Target) -> Self {
        let text = target.settings.get(CONFIG).and_then(|path| read(path.as_ref()));
        Self { hard_stop_s: text.as_deref().and_then(hard_stop), alone: None }
    }

    /// How many processes of before still serve beside this one, which has served for so long;
    /// none where nobody can tell.
    pub(super) fn left(&mut self, (pid, uptime_s): (u64, u64)) -> Option<u64> {
        if self.alone.is_some_and(|(alone, since_s)| alone == pid && since_s <= uptime_s) {
            return Some(0);
        }
        let over = self.hard_stop_s.is_some_and(|limit| uptime_s > limit + ENDING_S);
        let left = older(Path::new("/proc"), pid).or_else(|| over.then_some(0));
        self.alone = (left == Some(0)).then_some((pid, uptime_s));
        left
    }

    /// Nothing on this edge is ever proven dark where the processes cannot be listed and nothing
    /// ends them.
    pub(super) fn lint(&self, process: Option<(u64, u64)>, place: &str) -> Option<Lint> {
        let is_listed = process.is_none_or(|(pid, _)| older(Path::new("/proc"), pid).is_some());
        let is_blind = !is_listed && self.hard_stop_s.is_none();
        is_blind.then(|| Lint::warning("no-master", place))
    }
}

fn read(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|found| found.len() <= CONFIG_BYTES_MAX);
    is_small.then(|| fs::read_to_string(path).ok()).flatten()
}

/// Seconds of `hard-stop-after`; a number alone is one of milliseconds.
fn hard_stop(config: &str) -> Option<u64> {
    let mut words = config
        .lines()
        .map(str::split_whitespace)
        .find_map(|mut words| (words.next() == Some("hard-stop-after")).then_some(words))?;
    let text = words.next()?;
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().ok()?;
    let (times, parts) = match unit {
        "us" => (1, 1_000_000),
        "" | "ms" => (1, 1_000),
        "s" => (1, 1),
        "m" => (60, 1),
        "h" => (3_600, 1),
        "d" => (86_400, 1),
        _ => return None,
    };
    Some(number.checked_mul(times)?.div_ceil(parts))
}

/// One process as the system lists it.
struct Process {
    pid: u64,
    parent: u64,
    started: u64,
    words: Vec<String>,
}

impl Process {
    /// None for one that is gone, that is another program, or that has ended and was not buried.
    fn read(system: &Path, pid: u64) -> Option<Self> {
        let folder = system.join(pid.to_string());
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse().ok());
        if !name.contains("haproxy") || matches!(fields.first(), None | Some(&("Z" | "X"))) {
            return None;
        }
        let words = fs::read(folder.join("cmdline")).ok()?;
        let words = words.split(|byte| *byte == 0);
        let words = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        Some(Self { pid, parent: number(1)?, started: number(19)?, words })
    }

    fn configurations(&self) -> Vec<&str> {
        let behind = self.words.windows(2).filter(|pair| pair[0] == "-f");
        behind.map(|pair| pair[1].as_str()).collect()
    }

    /// Processes that this one was told to replace.
    fn replaced(&self) -> Vec<u64> {
        let words = self.words.iter().skip_while(|word| *word != "-sf" && *word != "-st").skip(1);
        words.map_while(|word| word.parse().ok()).collect()
    }
}

/// How many processes of the same proxy are older than this one: of the same program with the same
/// configuration, or said to be replaced by one of these. Its master, which serves nobody, is none.
/// None where the system does not show this one: then its elders are not shown either.
fn older(system: &Path, pid: u64) -> Option<u64> {
    let serving = Process::read(system, pid)?;
    let entries = fs::read_dir(system).ok()?;
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse().ok());
    let elders: Vec<Process> = pids
        .filter(|other| ![pid, serving.parent].contains(other))
        .filter_map(|other| Process::read(system, other))
        .filter(|other| other.started <= serving.started && other.parent != serving.pid)
        .collect();
    let mut replaced = serving.replaced();
    if let Some(master) = Process::read(system, serving.parent) {
        replaced.extend(master.replaced());
    }
    let mut known = 0;
    while known < replaced.len() && known < LINE_MAX {
        let before = elders.iter().find(|other| other.pid == replaced[known]);
        replaced.extend(before.iter().flat_map(|it| it.replaced()));
        known += 1;
    }
    let files = serving.configurations();
    let is_same = |other: &Process| {
        let theirs = other.configurations();
        files == theirs || theirs.iter().any(|it| files.contains(it))
    };
    let is_ours = |other: &&Process| replaced.contains(&other.pid) || is_same(other);
    Some(elders.iter().filter(is_ours).count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_says_when_an_old_process_ends() {
        for (text, seconds) in [
            ("global\n  hard-stop-after 30s\n", Some(30)),
            ("global\n  hard-stop-after 1500 # ms\n", Some(2)),
            ("global\n  hard-stop-after 2m\n", Some(120)),
            ("global\n  # hard-stop-after 2m\n", None),
            ("global\n  hard-stop-after soon\n", None),
            ("global\n  hard-stop-after\n", None),
            ("", None),
        ] {
            assert_eq!(hard_stop(text), seconds, "{text}");
        }
    }

    /// A list of processes: number, state, parent, start, words.
    fn listed(processes: &[(u64, &str, u64, u64, &str)]) -> tempfile::TempDir {
        let system = tempfile::tempdir().unwrap();
        for (pid, state, parent, started, words) in processes {
            let folder = system.path().join(pid.to_string());
            fs::create_dir(&folder).unwrap();
            let zeros = " 0".repeat(17);
            let stat = format!("{pid} (haproxy) {state} {parent}{zeros} {started} 0\n");
            fs::write(folder.join("stat"), stat).unwrap();
            fs::write(folder.join("cmdline"), words.replace(' ', "\0") + "\0").unwrap();
        }
        system
    }

    #[test]
    fn processes_of_before_are_told_from_neighbours_and_from_the_master() {
        let system = listed(&[
            (1, "S", 0, 5, "haproxy -W -f a.cfg -sf 7"),
            (6, "S", 1, 6, "haproxy -W -f a.cfg"),
            (7, "Z", 1, 7, "haproxy -W -f a.cfg"),
            (8, "S", 1, 9, "haproxy -W -f a.cfg -sf 7"),
            (9, "S", 0, 5, "haproxy -f b.cfg"),
            (10, "S", 0, 10, "haproxy -f a.cfg"),
        ]);
        assert_eq!(older(system.path(), 8), Some(1), "the sixth: the tenth is younger");
        assert_eq!(older(system.path(), 9), Some(0));
        assert_eq!(older(system.path(), 11), None, "not shown");
    }

    #[test]
    fn a_process_that_was_replaced_by_one_of_another_configuration_counts() {
        let system = listed(&[
            (3, "S", 0, 3, "haproxy -f c.cfg"),
            (4, "S", 0, 4, "haproxy -f b.cfg -x socket -sf 3"),
            (5, "S", 0, 5, "haproxy -f a.cfg -x socket -sf 4"),
        ]);
        assert_eq!(older(system.path(), 5), Some(2));
    }

    #[test]
    fn what_is_not_listed_is_unknown_until_the_configuration_has_ended_it() {
        let gone = u64::MAX;
        let mut workers = Workers { hard_stop_s: Some(30), alone: None };
        assert_eq!(workers.left((gone, 35)), None);
        assert_eq!(workers.left((gone, 36)), Some(0));
        assert_eq!(workers.left((gone, 3)), None, "another process of the same number");
        assert!(workers.lint(Some((gone, 36)), "north").is_none());
        let mut workers = Workers { hard_stop_s: None, alone: None };
        assert_eq!(workers.left((gone, 1 << 40)), None);
        assert_eq!(workers.lint(Some((gone, 36)), "north").unwrap().code, "no-master");
    }
}
