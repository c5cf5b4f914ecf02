//! HAProxy's runtime API over its unix socket (management guide, section 9.3): one command per
//! connection, half-closed after sending.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use relight_model::{GATE_KEY_BYTES_MAX, GateKey};
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::driver::GateSet;
use crate::error::{EdgeError, EdgeErrorKind};

/// Longest command with its payload, in bytes. A payload above `tune.bufsize` (16 kB by default,
/// 15,680 bytes were accepted) adds nothing and says nothing.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 12_288;
/// Longest reply, in bytes: `show stat` of 50,000 backends.
const REPLY_BYTES_MAX: u64 = 64 << 20;
/// Longest wait for a connection, and for one read or write.
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
    /// Longest wait for a connection, and for one read or write.
    pub(crate) wait_max: Duration,
}

impl RuntimeApi {
    /// The process that listens on this socket.
    pub(crate) const fn of(socket: PathBuf) -> Self {
        Self { socket, wait_max: WAIT_MAX }
    }

    /// A process that was stopped takes no connection any more. As soon as those that wait are as
    /// many as it lets wait, connecting waits too, and without a limit for ever.
    fn connect(&self) -> io::Result<UnixStream> {
        let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
        let stream = UnixStream::from(net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?);
        stream.set_read_timeout(Some(self.wait_max))?;
        // The system holds connecting to this one as well.
        stream.set_write_timeout(Some(self.wait_max))?;
        net::connect(&stream, &SocketAddrUnix::new(&self.socket)?)?;
        Ok(stream)
    }

    /// Sends one command and reads the whole reply. Every reply ends with an empty line: what
    /// does not was cut short, or is how an `add map` answers that was too long. Taken for an
    /// empty map it would say that every site is lit.
    pub(crate) fn run(&self, command: &str) -> Result<String, EdgeError> {
        let exchange = || -> io::Result<String> {
            let mut stream = self.connect()?;
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

    /// Takes all that a version of a map holds out of it.
    pub(crate) fn clear(&self, version: u64, map: &str) -> Result<(), EdgeError> {
        self.run(&format!("clear map @{version} {map}")).map(drop)
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
mod tests;
