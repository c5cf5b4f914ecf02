//! Processes of before a reload, where no master tells of them: as the system lists them.
//!
//! `hard-stop-after` is no witness that they ended: an old process goes by the configuration that
//! it was started with, which nobody can read any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::driver::Lint;

/// Most processes in one line of those that follow each other.
const LINE_MAX: usize = 64;

/// What is known of old workers without asking a master.
#[derive(Debug, Default)]
pub(super) struct Workers {
    /// The process beside which none is left, and its seconds of service then: no elder of it can
    /// come any more.
    alone: Option<(u64, u64)>,
    /// Processes that others were seen to replace: who told of them may be gone before them.
    replaced: BTreeSet<u64>,
}

impl Workers {
    /// How many processes of before still serve beside this one, which has served for so long;
    /// none where nobody can tell.
    pub(super) fn left(&mut self, (pid, uptime_s): (u64, u64)) -> Option<u64> {
        if self.alone.is_some_and(|(alone, since_s)| alone == pid && since_s <= uptime_s) {
            return Some(0);
        }
        let left = older(Path::new("/proc"), pid, &mut self.replaced);
        self.alone = (left == Some(0)).then_some((pid, uptime_s));
        left
    }

    /// Nothing on this edge is ever proven dark where the processes cannot be listed.
    pub(super) fn lint(process: Option<(u64, u64)>, place: &str) -> Option<Lint> {
        let is_listed = process.is_none_or(|(pid, _)| is_listed(Path::new("/proc"), pid));
        (!is_listed).then(|| Lint::warning("no-master", place))
    }
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

/// The system shows this process.
fn is_listed(system: &Path, pid: u64) -> bool {
    Process::read(system, pid).is_some()
}

/// How many processes of the same proxy are older than this one: of the same program with the same
/// configuration, or said to be replaced by one of these. Its master, which serves nobody, is none.
/// None where the system does not show this one: then its elders are not shown either.
fn older(system: &Path, pid: u64, replaced: &mut BTreeSet<u64>) -> Option<u64> {
    let serving = Process::read(system, pid)?;
    let entries = fs::read_dir(system).ok()?;
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse().ok());
    let elders: Vec<Process> = pids
        .filter(|other| *other != pid)
        .filter_map(|other| Process::read(system, other))
        .filter(|other| other.started <= serving.started && other.parent != serving.pid)
        .collect();
    // Whoever is gone is no elder of anybody, and its number may be given again.
    replaced.retain(|pid| elders.iter().any(|other| other.pid == *pid));
    let mut line = serving.replaced();
    if let Some(master) = Process::read(system, serving.parent) {
        line.extend(master.replaced());
    }
    line.extend(&*replaced);
    let mut known = 0;
    while known < line.len() && known < LINE_MAX {
        let before = elders.iter().find(|other| other.pid == line[known]);
        line.extend(before.iter().flat_map(|it| it.replaced()));
        known += 1;
    }
    replaced.extend(line);
    let files = serving.configurations();
    let is_same = |other: &Process| {
        let theirs = other.configurations();
        files == theirs || theirs.iter().any(|it| files.contains(it))
    };
    // A master is the parent; it says so, or its worker was started with the same words.
    let is_master = |other: &Process| {
        let says_so = other.words.iter().any(|word| word == "-W" || word == "-Ws");
        other.pid == serving.parent && (says_so || other.words == serving.words)
    };
    let is_ours =
        |other: &&Process| replaced.contains(&other.pid) || !is_master(other) && is_same(other);
    Some(elders.iter().filter(is_ours).count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn older(system: &Path, pid: u64) -> Option<u64> {
        super::older(system, pid, &mut BTreeSet::new())
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
    fn a_parent_that_is_replaced_serves() {
        let system = listed(&[
            (1, "S", 0, 1, "haproxy -f a.cfg"),
            (5, "S", 1, 5, "haproxy -D -f a.cfg -sf 1"),
        ]);
        assert_eq!(older(system.path(), 5), Some(1), "taken in by the first of a container");
        let system = listed(&[
            (1, "S", 0, 1, "haproxy -f a.cfg"),
            (9, "S", 1, 9, "haproxy -D -f a.cfg -sf 5"),
        ]);
        assert_eq!(older(system.path(), 9), Some(1), "and whoever it was to replace is gone");
        let system =
            listed(&[(6, "S", 0, 6, "haproxy -W -f b.cfg"), (7, "S", 6, 7, "haproxy -W -f b.cfg")]);
        assert_eq!(older(system.path(), 7), Some(0), "its master");
        let system = listed(&[
            (6, "S", 0, 6, "haproxy -Ws -f b.cfg -x socket -sf 8"),
            (7, "S", 6, 7, "haproxy -Ws -f b.cfg"),
        ]);
        assert_eq!(older(system.path(), 7), Some(0), "a master after a reload that failed");
    }

    /// Each loads a configuration of its own, and the one between the oldest and the newest ends.
    #[test]
    fn whoever_told_of_the_oldest_may_be_gone_before_it() {
        let system =
            listed(&[(3, "S", 0, 3, "haproxy -f 1.cfg"), (4, "S", 0, 4, "haproxy -f 2.cfg -sf 3")]);
        let mut replaced = BTreeSet::new();
        assert_eq!(super::older(system.path(), 4, &mut replaced), Some(1));
        fs::remove_dir_all(system.path().join("4")).unwrap();
        let folder = system.path().join("5");
        fs::create_dir(&folder).unwrap();
        let zeros = " 0".repeat(17);
        fs::write(folder.join("stat"), format!("5 (haproxy) S 0{zeros} 5 0\n")).unwrap();
        fs::write(folder.join("cmdline"), "haproxy\0-f\x003.cfg\0-sf\x004\0").unwrap();
        assert_eq!(super::older(system.path(), 5, &mut replaced), Some(1));
        fs::remove_dir_all(system.path().join("3")).unwrap();
        assert_eq!(super::older(system.path(), 5, &mut replaced), Some(0));
        assert!(!replaced.contains(&3), "its number may be given again: {replaced:?}");
    }

    #[test]
    fn what_is_not_listed_is_unknown_however_long_it_serves() {
        let gone = u64::MAX;
        let mut workers = Workers::default();
        assert_eq!(workers.left((gone, 1 << 40)), None);
        assert_eq!(Workers::lint(Some((gone, 36)), "north").unwrap().code, "no-master");
        assert!(Workers::lint(None, "north").is_none(), "told by another lint");
    }
}
