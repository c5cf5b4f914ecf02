//! HAProxy's map commands as measured on 2.6.12, with the faults that the real one shows rarely.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

type Entries = Vec<(String, String)>;

/// A thread that answers on a socket until the test process ends.
pub(super) struct FakeHaproxy {
    state: Arc<Mutex<State>>,
}

struct State {
    file: PathBuf,
    entries: Entries,
    versions: BTreeMap<u64, Entries>,
    current: u64,
    next: u64,
    bufsize: usize,
    /// Says yes to a commit and does nothing.
    lies: bool,
    dead: bool,
}

impl FakeHaproxy {
    pub(super) fn start(socket: &Path, file: &Path) -> Self {
        let mut state = State {
            file: file.to_owned(),
            entries: Vec::new(),
            versions: BTreeMap::new(),
            current: 0,
            next: 0,
            bufsize: 16_384,
            lies: false,
            dead: false,
        };
        state.restart();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let listener = UnixListener::bind(socket).unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut command = String::new();
                if stream.read_to_string(&mut command).is_ok() {
                    let reply = shared.lock().unwrap().answer(&command);
                    let _ = stream.write_all(reply.as_bytes());
                }
            }
        });
        Self { state }
    }

    /// What a script orders: `show`, `restart`, `die`, `revive`, `lie`, `bufsize <n>`, or a
    /// command of somebody else on the runtime API.
    pub(super) fn order(&self, order: &str) -> Vec<String> {
        let mut state = self.state.lock().unwrap();
        match order.split(' ').collect::<Vec<_>>().as_slice() {
            ["show"] => return state.entries.iter().map(|(k, v)| format!("{k} {v}")).collect(),
            ["restart"] => state.restart(),
            ["die"] => state.dead = true,
            ["revive"] => state.dead = false,
            ["lie"] => state.lies = true,
            ["bufsize", size] => state.bufsize = size.parse().unwrap(),
            [verb, rest @ ..] => {
                let command = format!("{verb} map {} {}\n", state.file.display(), rest.join(" "));
                let reply = state.answer(&command);
                assert_eq!(reply, "\n", "{order}");
            }
            [] => {}
        }
        Vec::new()
    }
}

impl State {
    fn restart(&mut self) {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        self.entries = text.lines().map(entry).collect();
        (self.current, self.next) = (0, 0);
        self.versions.clear();
    }

    fn answer(&mut self, command: &str) -> String {
        if self.dead || command.len() > self.bufsize {
            return String::new();
        }
        let (line, payload) = command.split_once('\n').unwrap_or((command, ""));
        if line.contains(';') {
            return line.split(';').map(|one| self.answer(one)).collect();
        }
        if line == "show info" {
            return "Name: HAProxy\nPid: 7\nUptime_sec: 1\n\n".to_owned();
        }
        let words: Vec<&str> = line.split(' ').collect();
        if words == ["show", "cli", "level"] {
            return "admin\n\n".to_owned();
        }
        let Some((version, words)) = self.addressed(&words) else {
            return "Unknown map identifier. Please use #<id> or <file>.\n\n".to_owned();
        };
        match (version, words.as_slice()) {
            (None, ["prepare"]) => {
                self.next += 1;
                self.versions.insert(self.next, Vec::new());
                format!("New version created: {}\n\n", self.next)
            }
            (Some(version), ["add", "<<"]) if payload.ends_with("\n\n") => {
                let lines = payload.lines().filter(|line| !line.is_empty()).map(entry);
                self.versions.entry(version).or_default().extend(lines);
                "\n".to_owned()
            }
            (Some(version), ["clear"]) => {
                self.versions.remove(&version);
                "\n".to_owned()
            }
            (Some(version), ["commit"]) => self.commit(version),
            (Some(version), ["show"]) => show(self.versions.get(&version)),
            (None, ["show"]) => show(Some(&self.entries)),
            (None, rest) => self.single(rest),
            _ => String::new(),
        }
    }

    /// The version that a command names, and its words without map and version.
    fn addressed<'a>(&self, words: &[&'a str]) -> Option<(Option<u64>, Vec<&'a str>)> {
        let ([verb, "map", rest @ ..] | [verb, rest @ ..]) = words else { return None };
        let (version, rest) = match rest {
            [version, rest @ ..] if version.starts_with('@') => {
                (version.trim_start_matches('@').parse().ok(), rest)
            }
            _ => (None, rest),
        };
        let [map, rest @ ..] = rest else { return None };
        (Path::new(map) == self.file).then(|| (version, [&[*verb], rest].concat()))
    }

    fn commit(&mut self, version: u64) -> String {
        if version <= self.current || version > self.next {
            return "Version number out of range.\n\n".to_owned();
        }
        if !self.lies {
            self.current = version;
            self.entries = self.versions.remove(&version).unwrap_or_default();
        }
        "\n".to_owned()
    }

    fn single(&mut self, words: &[&str]) -> String {
        let at = |entries: &Entries, key: &str| entries.iter().position(|(k, _)| k == key);
        match words {
            ["get", key] => match at(&self.entries, key) {
                Some(index) => format!(
                    "type=str, case=sensitive, found=yes, idx=tree, key=\"{key}\", value=\"{}\", \
                     type=\"str\"\n\n",
                    self.entries[index].1
                ),
                None => "type=str, case=sensitive, found=no\n\n".to_owned(),
            },
            ["add", key, value] => {
                self.entries.push(((*key).to_owned(), (*value).to_owned()));
                "\n".to_owned()
            }
            ["del", key] if at(&self.entries, key).is_some() => {
                self.entries.retain(|(k, _)| k != key);
                "\n".to_owned()
            }
            ["set", key, value] => match at(&self.entries, key) {
                Some(index) => {
                    self.entries[index].1 = (*value).to_owned();
                    "\n".to_owned()
                }
                None => "entry not found.\n\n".to_owned(),
            },
            _ => "Key not found.\n\n".to_owned(),
        }
    }
}

fn entry(line: &str) -> (String, String) {
    let (key, value) = line.split_once(' ').unwrap_or((line, ""));
    (key.to_owned(), value.to_owned())
}

fn show(entries: Option<&Entries>) -> String {
    let lines: String = entries
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("0x55d0c8a0 {key} {value}\n"))
        .collect();
    lines + "\n"
}
