//! HAProxy's runtime API over its unix socket (management guide, section 9.3): one command per
//! connection, half-closed after sending.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use relight_model::{GATE_KEY_BYTES_MAX, GateKey};

use crate::driver::GateSet;
use crate::error::{EdgeError, EdgeErrorKind};

/// Longest command with its payload, in bytes. A payload above `tune.bufsize` (16 kB by default,
/// 15,680 bytes were accepted) adds nothing and says nothing.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 12_288;
/// Longest reply, in bytes: `show stat` of 50,000 backends.
const REPLY_BYTES_MAX: u64 = 64 << 20;
/// Longest wait for one read or write.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A process that answers: its number and when it was started, which together no other has, and
/// its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Serving {
    pub(crate) pid: u64,
    pub(crate) started: u64,
    pub(crate) release: [u64; 3],
}

/// The runtime API of one process.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    pub(crate) socket: PathBuf,
}

impl RuntimeApi {
    /// The process that listens on this socket.
    pub(crate) const fn of(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Sends one command and reads the whole reply. Every reply ends with an empty line: what
    /// does not was cut short, or is how an `add map` answers that was too long. Taken for an
    /// empty map it would say that every site is lit.
    pub(crate) fn run(&self, command: &str) -> Result<String, EdgeError> {
        let exchange = || -> io::Result<String> {
            let mut stream = UnixStream::connect(&self.socket)?;
            stream.set_read_timeout(Some(WAIT_MAX))?;
            stream.set_write_timeout(Some(WAIT_MAX))?;
            stream.write_all(command.as_bytes())?;
            stream.write_all(b"\n")?;
            stream.shutdown(Shutdown::Write)?;
            let mut reply = Vec::new();
            stream.take(REPLY_BYTES_MAX + 1).read_to_end(&mut reply)?;
            if reply.len() as u64 > REPLY_BYTES_MAX {
                return Err(io::Error::other(format!("more than {REPLY_BYTES_MAX} bytes")));
            }
            let reply = String::from_utf8_lossy(&reply).into_owned();
            if reply != "\n" && !reply.ends_with("\n\n") {
                return Err(io::Error::other("the reply was cut short"));
            }
            Ok(reply)
        };
        let doing = format!("run `{}` on {}", first_line(command), self.socket.display());
        exchange().map_err(EdgeError::unreachable(doing))
    }

    /// A command whose success is one empty line.
    pub(crate) fn change(&self, command: &str) -> Result<(), EdgeError> {
        match self.run(command)?.as_str() {
            "\n" => Ok(()),
            reply => Err(refused(command, reply)),
        }
    }

    /// What `read` makes of every entry of a map: key and value, in HAProxy's order, doubles
    /// included.
    pub(crate) fn show_map<T>(
        &self,
        version: Option<u64>,
        map: &str,
        read: impl FnOnce(&[(&str, &str)]) -> T,
    ) -> Result<T, EdgeError> {
        let command = match version {
            Some(version) => format!("show map @{version} {map}"),
            None => format!("show map {map}"),
        };
        let reply = self.run(&command)?;
        let lines = reply.lines().filter(|line| !line.is_empty());
        let entries = lines.map(shown_entry).collect::<Option<Vec<_>>>();
        entries.map(|entries| read(&entries)).ok_or_else(|| refused(&command, &reply))
    }

    /// Whether a map holds a key.
    pub(crate) fn has(&self, map: &str, key: &str) -> Result<bool, EdgeError> {
        let command = format!("get map {map} {key}");
        let reply = self.run(&command)?;
        if reply.contains("found=yes") {
            Ok(true)
        } else if reply.contains("found=no") {
            Ok(false)
        } else {
            Err(refused(&command, &reply))
        }
    }

    /// The value of a key in a map; none where it is not there.
    pub(crate) fn value(&self, map: &str, key: &str) -> Result<Option<String>, EdgeError> {
        let command = format!("get map {map} {key}");
        let reply = self.run(&command)?;
        if reply.contains("found=no") {
            return Ok(None);
        }
        let value = reply.split_once(", value=\"").and_then(|(_, rest)| rest.split_once('"'));
        value.map(|(value, _)| Some(value.to_owned())).ok_or_else(|| refused(&command, &reply))
    }

    /// Those of `keys` that a map holds, asked in as few exchanges as fit.
    pub(crate) fn held<'a>(
        &self,
        map: &str,
        keys: &'a GateSet,
    ) -> Result<Vec<&'a GateKey>, EdgeError> {
        let mut held = Vec::new();
        for chunk in keys.iter().collect::<Vec<_>>().chunks(self.chunk(map)) {
            let commands: Vec<String> =
                chunk.iter().map(|key| format!("get map {map} {key}")).collect();
            let command = commands.join(";");
            let reply = self.run(&command)?;
            let found: Vec<bool> = reply
                .lines()
                .filter(|line| !line.is_empty())
                .filter_map(|line| match (line.contains("found=yes"), line.contains("found=no")) {
                    (false, false) => None,
                    (yes, _) => Some(yes),
                })
                .collect();
            if found.len() != chunk.len() {
                return Err(refused(&commands[0], &reply));
            }
            held.extend(chunk.iter().zip(found).filter(|(_, found)| *found).map(|(key, _)| *key));
        }
        Ok(held)
    }

    /// Deletes keys in as few exchanges as fit; one that is not there is as good as gone.
    pub(crate) fn delete(&self, map: &str, keys: &GateSet) -> Result<(), EdgeError> {
        for chunk in keys.iter().collect::<Vec<_>>().chunks(self.chunk(map)) {
            let commands: Vec<String> =
                chunk.iter().map(|key| format!("del map {map} {key}")).collect();
            let reply = self.run(&commands.join(";"))?;
            let known = |line: &str| line.is_empty() || line.starts_with("Key not found");
            if !reply.lines().all(known) {
                return Err(refused(&commands[0], &reply));
            }
        }
        Ok(())
    }

    /// Single commands that fit into one exchange.
    const fn chunk(&self, map: &str) -> usize {
        PAYLOAD_BYTES_MAX / ("get map  ;".len() + map.len() + GATE_KEY_BYTES_MAX)
    }

    /// Connections in use to the server of this name in each backend, by backend.
    pub(crate) fn connections(&self, server: &str) -> Result<BTreeMap<String, u64>, EdgeError> {
        let command = "show servers conn";
        let reply = self.run(command)?;
        let mut connections = BTreeMap::new();
        for line in reply.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            // Backend and server, their numbers, address, port, `-`, delay of the purge, and then
            // how many connections are in use.
            let mut words = line.split(' ');
            let name = words.next().and_then(|name| name.rsplit_once('/'));
            let count = words.nth(5).and_then(|count| count.parse().ok());
            let (Some((backend, name)), Some(count)) = (name, count) else {
                return Err(refused(command, line));
            };
            if name == server {
                connections.insert(backend.to_owned(), count);
            }
        }
        Ok(connections)
    }

    /// The process that answers; none where it does not say since when it runs.
    pub(crate) fn serving(&self) -> Result<Option<Serving>, EdgeError> {
        let reply = self.run("show info")?;
        let field = |name: &str| reply.lines().find_map(|line| line.strip_prefix(name));
        let number = |name: &str| field(name)?.trim().parse().ok();
        let release = field("Version:").and_then(|text| release(text.trim()));
        let told = number("Pid:").zip(number("Start_time_sec:")).zip(release);
        Ok(told.map(|((pid, started), release)| Serving { pid, started, release }))
    }

    /// The version of a map that is in force, and the newest that was begun.
    pub(crate) fn versions(&self, map: &str) -> Result<(u64, u64), EdgeError> {
        let command = "show map";
        let reply = self.run(command)?;
        let name = format!(" ({map}) ");
        let line = reply.lines().find(|line| line.contains(&name)).unwrap_or_default();
        let number = |field: &str| {
            let mut words = line.split(' ').rev();
            words.find_map(|word| word.strip_prefix(field)?.parse().ok())
        };
        let both = number("curr_ver=").zip(number("next_ver="));
        both.ok_or_else(|| refused(command, line))
    }

    /// Process id and seconds of service of the process that answers.
    pub(crate) fn process(&self) -> Result<(u64, u64), EdgeError> {
        let reply = self.run("show info")?;
        let field = |name: &str| {
            let line = reply.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|text| text.trim().parse().ok())
        };
        let both = field("Pid:").zip(field("Uptime_sec:"));
        both.ok_or_else(|| refused("show info", &reply))
    }

    /// How many workers of before the last reload still serve, by a master's own list.
    pub(crate) fn old_workers(&self) -> Result<u64, EdgeError> {
        let reply = self.run("show proc")?;
        if !reply.contains("\n# workers\n") {
            return Err(refused("show proc", &reply));
        }
        let lines = reply.lines().skip_while(|line| !line.starts_with("# old workers")).skip(1);
        let lines = lines.take_while(|line| !line.starts_with('#'));
        Ok(lines.filter(|line| !line.is_empty()).count() as u64)
    }

    /// Starts a new version of a map.
    pub(crate) fn prepare(&self, map: &str) -> Result<u64, EdgeError> {
        let command = format!("prepare map {map}");
        let reply = self.run(&command)?;
        let version = reply.trim().strip_prefix("New version created: ");
        version.and_then(|text| text.parse().ok()).ok_or_else(|| refused(&command, &reply))
    }

    /// Adds `key value` lines to a version that is being prepared, in payloads of a safe size.
    pub(crate) fn add(
        &self,
        version: u64,
        map: &str,
        lines: impl Iterator<Item = String>,
    ) -> Result<(), EdgeError> {
        let head = format!("add map @{version} {map} <<\n");
        let mut command = head.clone();
        for line in lines {
            // One byte for the line end and one for the blank line that ends a payload.
            if command.len() + line.len() + 2 > PAYLOAD_BYTES_MAX {
                self.change(&command)?;
                command.clone_from(&head);
            }
            command.push_str(&line);
            command.push('\n');
        }
        if command.len() > head.len() { self.change(&command) } else { Ok(()) }
    }
}

fn refused(command: &str, reply: &str) -> EdgeError {
    let command = first_line(command);
    let doing = format!("have `{command}` accepted: {}", first_line(reply.trim()));
    EdgeError::new(EdgeErrorKind::Refused, doing)
}

/// One line of `show map`: an address, the key and its value.
fn shown_entry(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("0x")?.split_once(' ')?.1;
    let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((key, value.trim()))
}

/// The numbers of a release: `2.6.12-1+deb12u1`.
fn release(text: &str) -> Option<[u64; 3]> {
    let text = text.split_once(|c: char| c != '.' && !c.is_ascii_digit()).map_or(text, |it| it.0);
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?])
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// What the API makes of a reply of these bytes to any command.
    fn after(reply: Vec<u8>) -> (RuntimeApi, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut command = String::new();
                let _ = stream.read_to_string(&mut command);
                let _ = stream.write_all(&reply);
            }
        });
        (RuntimeApi::of(socket), folder)
    }

    #[test]
    fn a_reply_that_does_not_end_is_no_reply() {
        for reply in [&b""[..], b"0x1 a 1\n", b"0x1 a 1\n0x2 b"] {
            let (api, _folder) = after(reply.to_vec());
            let shown = api.show_map(None, "m", |shown| shown.len());
            assert_eq!(shown.unwrap_err().kind, EdgeErrorKind::Unreachable);
            assert_eq!(api.change("add").unwrap_err().kind, EdgeErrorKind::Unreachable);
        }
        let (api, _folder) = after(b"0x1 a 1\n0x2 b \n0x3 c\n\n".to_vec());
        let entries = [("a", "1"), ("b", ""), ("c", "")];
        api.show_map(None, "m", |shown| assert_eq!(shown, entries)).unwrap();
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_program() {
        let (api, _folder) = after(b"Unknown map identifier.\n\n".to_vec());
        for error in [
            api.change("commit map @1 m").unwrap_err(),
            api.show_map(None, "m", |shown| shown.len()).unwrap_err(),
            api.prepare("m").unwrap_err(),
            api.has("m", "a").unwrap_err(),
        ] {
            assert_eq!(error.kind, EdgeErrorKind::Refused);
            assert!(error.to_string().ends_with("accepted: Unknown map identifier."), "{error}");
        }
    }

    #[test]
    fn a_reply_without_end_is_given_up() {
        let size = usize::try_from(REPLY_BYTES_MAX).unwrap();
        let (api, _folder) = after(vec![b'\n'; size]);
        assert_eq!(api.run("show stat").unwrap().len(), size);
        let (api, _folder) = after(vec![b'\n'; size + 1]);
        assert_eq!(api.run("show stat").unwrap_err().kind, EdgeErrorKind::Unreachable);
    }

    #[test]
    fn a_value_is_read_where_the_key_is_there_and_a_strange_reply_is_none() {
        let head = "type=str, case=sensitive, found=";
        let found = format!("{head}yes, idx=tree, key=\"k\", value=\"1-2\", type=\"str\"\n\n");
        let (api, _folder) = after(found.into_bytes());
        assert_eq!(api.value("m", "k").unwrap().as_deref(), Some("1-2"));
        let (api, _folder) = after(format!("{head}no\n\n").into_bytes());
        assert_eq!(api.value("m", "k").unwrap(), None);
        for bad in ["\n", "Unknown map identifier.\n\n", "found=yes\n\n"] {
            let (api, _folder) = after(bad.into());
            assert_eq!(api.value("m", "k").unwrap_err().kind, EdgeErrorKind::Refused, "{bad}");
        }
    }

    /// Goal: what is not told is not guessed. Method: replies of 2.6.12, and some that lack a part.
    #[test]
    fn a_process_and_the_versions_of_a_map_are_read_by_their_names() {
        let info = "Name: HAProxy\nVersion: 2.6.12-1+deb12u1\nPid: 7\nUptime_sec: 3\n\
                    Start_time_sec: 1700000000\n\n";
        let (api, _folder) = after(info.into());
        let release = [2, 6, 12];
        let serving = Serving { pid: 7, started: 1_700_000_000, release };
        assert_eq!(api.serving().unwrap(), Some(serving));
        for part in ["Version", "Pid", "Start_time_sec"] {
            let (api, _folder) = after(info.replace(part, "Other").into());
            assert_eq!(api.serving().unwrap(), None, "{part}");
        }
        let release = ["2.8", "2.9-dev3", "3.0.12-4f0a", "new", ""].map(super::release);
        let numbers = [Some([2, 8, 0]), Some([2, 9, 0]), Some([3, 0, 12]), None, None];
        assert_eq!(release, numbers);
        let head =
            "# id (file) description\n-1 (/o.map) by map. curr_ver=9 next_ver=9 entry_cnt=0\n";
        let line = "-1 (/m) pattern by map at (/o.map) file. curr_ver=1 next_ver=3 entry_cnt=2\n\n";
        let (api, _folder) = after(format!("{head}{line}").into());
        assert_eq!(api.versions("/m").unwrap(), (1, 3));
        assert_eq!(api.versions("/other").unwrap_err().kind, EdgeErrorKind::Refused);
    }

    #[test]
    fn connections_are_read_by_their_place_and_a_strange_line_is_none() {
        let head = "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max\n";
        let rest = "5000 3 7 0 0 0 -1 0 0 0";
        let text = format!("{head}a/origin 4/1 127.0.0.1 9 - {rest}\na/other 4/2 - 0 - {rest}\n\n");
        let (api, _folder) = after(text.into_bytes());
        assert_eq!(api.connections("origin").unwrap(), [("a".to_owned(), 3)].into());
        for bad in [
            "a/origin 4/1 127.0.0.1 9 - 5000\n\n",
            "origin 1 2 3 4 5 6 7\n\n",
            "a/b 1 2 3 4 5 x\n\n",
        ] {
            let (api, _folder) = after(bad.into());
            assert_eq!(
                api.connections("origin").unwrap_err().kind,
                EdgeErrorKind::Refused,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_line_more_than_a_payload_takes_goes_into_the_next() {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let shared = std::sync::Arc::clone(&seen);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut command = String::new();
                let _ = stream.read_to_string(&mut command);
                shared.lock().unwrap().push(command);
                let _ = stream.write_all(b"\n");
            }
        });
        let api = RuntimeApi::of(socket);
        // Head, line, its end and the blank line fill a payload to the last byte.
        let head = "add map @1 m <<\n".len();
        let line = "k".repeat(PAYLOAD_BYTES_MAX - head - 2);
        api.add(1, "m", [line.clone(), "l 1".to_owned()].into_iter()).unwrap();
        let commands = seen.lock().unwrap().clone();
        assert_eq!(commands[0].len(), PAYLOAD_BYTES_MAX);
        assert_eq!(commands[1], "add map @1 m <<\nl 1\n\n");
        assert_eq!(commands.len(), 2);
    }
}
