//! The only place that starts a process: a proxy as a child, in a folder of its own, a program
//! that ends by itself (`run`), or one that works until it is killed (`hand`).

mod hand;
mod run;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, Signal};

use crate::config::{ApacheFiles, CADDY_ADMIN, CANARY_HOST, Files, SOCKET};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::http::{self, Client};
use crate::runtime_api::RuntimeApi;

pub use hand::{Hand, start_hand};
pub(crate) use run::{RUN_WAIT_MAX, run, ss};

/// Name of the setting with the program that reloads an edge: a drill tries what that does.
pub const RELOAD: &str = "reload";
/// Longest wait for a proxy that was asked to stop, before it is killed.
const STOP_WAIT_MAX: Duration = Duration::from_secs(2);
/// Longest wait for a new process that takes over.
const RELOAD_WAIT_MAX: Duration = Duration::from_secs(30);
/// Longest wait for workers whose master is dead.
const ORPHANS_WAIT_MAX: Duration = Duration::from_secs(1);
/// Socket of the master process of HAProxy, in the folder of the edge.
pub const MASTER_SOCKET: &str = "master.sock";
/// HAProxy with a master process.
const MASTER: &str = "haproxy with its master";
/// Most bytes of a program's own words that go into an error.
const LOG_BYTES_MAX: usize = 2000;

/// Where a program of a Debian package is: in `PATH`, or in the folders of system programs.
///
/// # Errors
/// `Lint`, naming the program and its package.
pub fn find(program: &str, package: &str) -> Result<PathBuf, EdgeError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = env::split_paths(&path).chain(system).map(|folder| folder.join(program));
    found.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        let doing = format!("find the program `{program}`: install the package {package}");
        EdgeError::new(EdgeErrorKind::Lint, doing)
    })
}

/// The words of a program, as a setting holds them.
pub(crate) fn argv(name: &str, text: &str) -> Result<Vec<String>, EdgeError> {
    let words: Result<Vec<String>, _> = serde_json::from_str(text);
    match words {
        Ok(words) if words.first().is_some_and(|program| program.starts_with('/')) => Ok(words),
        _ => {
            let doing =
                format!("use the setting `{name}`: a JSON array, its program by whole path");
            Err(EdgeError::new(EdgeErrorKind::Lint, doing))
        }
    }
}

/// Reloads an edge by the program that it is registered with, as other hands do.
///
/// # Errors
/// `Lint` when the setting holds no program, `Refused` with its own words when it failed.
pub fn reload(setting: &str) -> Result<(), EdgeError> {
    let argv = argv(RELOAD, setting)?;
    let ended = run(&argv, Vec::new(), RUN_WAIT_MAX)?;
    if ended.status == 0 {
        return Ok(());
    }
    let doing = format!("reload by {}", argv.join(" "));
    let cause = format!("status {}: {}", ended.status, ended.words);
    Err(EdgeError::new(EdgeErrorKind::Refused, doing).because(cause))
}

/// The user that nginx workers must be given so that they can read private folders: root drops to
/// an ordinary user by itself, everybody else keeps their own.
pub fn worker_user() -> Option<String> {
    rustix::process::geteuid().is_root().then(|| "root".to_owned())
}

/// Ports tried before there is none.
const PORT_TRIES_MAX: u32 = 2_000;

/// Sockets that keep ports for whoever will listen there, until this process ends.
static KEPT: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// A loopback address that is kept for a program which this process starts, and starts again.
///
/// A port that the system gives for 0 comes from the range of outgoing connections, and another
/// process may be given it again before the proxy listens: then that process answers in its place.
/// So ports are taken below that range (32768 on Linux), from a block for each process, and nobody
/// who asks here gets one that is kept.
///
/// # Errors
/// `Io` when there is none.
pub fn free_address() -> Result<SocketAddr, EdgeError> {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    const BLOCK: u32 = 37;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let mut refused = io::Error::other("no port was tried");
    for _ in 0..PORT_TRIES_MAX {
        let number = TAKEN.fetch_add(1, Ordering::Relaxed);
        let block = std::process::id().wrapping_mul(BLOCK);
        let port = FIRST + block.wrapping_add(number) % COUNT;
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap_or_default()));
        match keep(address) {
            Ok(()) => return Ok(address),
            Err(error) => refused = error.into(),
        }
    }
    Err(EdgeError::io("find a free port on loopback")(refused))
}

/// Binds a socket that never listens. Without `SO_REUSEADDR` that is refused as long as anybody has
/// the port, even one who only keeps it; with it, a program that sets it as well (every server
/// does) may listen beside this socket.
fn keep(address: SocketAddr) -> rustix::io::Result<()> {
    let (family, flags) = (AddressFamily::INET, SocketFlags::CLOEXEC);
    let socket = net::socket_with(family, SocketType::STREAM, flags, None)?;
    net::bind(&socket, &address)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
    Ok(())
}

/// A proxy that this process started; dropped, it stops with all its workers.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    child: Child,
    /// A predecessor that serves its last connections.
    retiring: Vec<Child>,
    program: PathBuf,
    folder: PathBuf,
}

/// Starts nginx in `folder` with this configuration (as [`crate::config::nginx`] writes it) and
/// waits until every one of `listeners` accepts.
///
/// # Errors
/// `Lint` when nginx is not installed, `Refused` with its own words when it ends, `Unreachable`
/// when it does not listen within `wait`.
pub fn start_nginx(
    folder: &Path,
    config: &str,
    listeners: &[SocketAddr],
    wait: Duration,
) -> Result<Running, EdgeError> {
    let write = || {
        durable::create_folder(folder)?;
        durable::write(&folder.join("nginx.conf"), config.as_bytes())
    };
    write().map_err(EdgeError::io(format!("write nginx.conf in {}", folder.display())))?;
    let sockets = unix_sockets(config);
    sockets.iter().for_each(|socket| remove_stale(socket));
    let running = start("nginx", folder, listeners, wait)?;
    sockets.iter().try_for_each(|socket| keep_private(socket))?;
    Ok(running)
}

/// nginx and Caddy open their sockets to everybody; these lead behind the gate.
fn keep_private(socket: &Path) -> Result<(), EdgeError> {
    fs::set_permissions(socket, fs::Permissions::from_mode(0o660))
        .map_err(EdgeError::io(format!("keep others out of {}", socket.display())))
}

/// Starts Apache in `folder` with these files and waits until every one of `listeners` accepts.
///
/// # Errors
/// As [`start_nginx`].
pub fn start_apache(
    folder: &Path,
    files: &ApacheFiles,
    listeners: &[SocketAddr],
    wait: Duration,
) -> Result<Running, EdgeError> {
    files.write_into(folder)?;
    start("apache2", folder, listeners, wait)
}

/// Starts Caddy in `folder` with this configuration (as [`crate::config::caddy`] writes it, with
/// its verification path at `verify`) and waits until every one of `listeners` accepts.
///
/// # Errors
/// As [`start_nginx`].
pub fn start_caddy(
    folder: &Path,
    (config, verify): (&str, &Path),
    listeners: &[SocketAddr],
    wait: Duration,
) -> Result<Running, EdgeError> {
    let write = || {
        durable::create_folder(folder)?;
        durable::write(&folder.join("caddy.json"), config.as_bytes())
    };
    write().map_err(EdgeError::io(format!("write caddy.json in {}", folder.display())))?;
    let admin = folder.join(CADDY_ADMIN);
    // An address is no file.
    let verify = Some(verify).filter(|path| http::loopback(path).is_none());
    let sockets: Vec<&Path> = verify.into_iter().chain([admin.as_path()]).collect();
    sockets.iter().copied().for_each(remove_stale);
    let mut running = start("caddy", folder, listeners, wait)?;
    // It opens its listeners in any order.
    running.wait_until("listen", wait, || sockets.iter().all(|socket| socket.exists()))?;
    sockets.into_iter().try_for_each(keep_private)?;
    Ok(running)
}

/// Starts HAProxy in `folder` with these files and waits until every one of `listeners` accepts.
///
/// # Errors
/// As [`start_nginx`].
pub fn start_haproxy(
    folder: &Path,
    files: &Files,
    listeners: &[SocketAddr],
    wait: Duration,
) -> Result<Running, EdgeError> {
    files.write_into(folder)?;
    start("haproxy", folder, listeners, wait)
}

/// The same with a master process that knows the workers of before a reload, at [`MASTER_SOCKET`]
/// in `folder`.
///
/// # Errors
/// As [`start_nginx`].
pub fn start_haproxy_master(
    folder: &Path,
    files: &Files,
    listeners: &[SocketAddr],
    wait: Duration,
) -> Result<Running, EdgeError> {
    files.write_into(folder)?;
    let mut running = start(MASTER, folder, listeners, wait)?;
    // The master starts itself once more after its worker serves; a signal before that is lost.
    let master = RuntimeApi::of(folder.join(MASTER_SOCKET));
    running.wait_until("answer", wait, || master.old_workers().is_ok())?;
    Ok(running)
}

fn start(
    name: &'static str,
    folder: &Path,
    listeners: &[SocketAddr],
    wait: Duration,
) -> Result<Running, EdgeError> {
    let package = if name == MASTER { "haproxy" } else { name };
    let program = find(package, package)?;
    let child = spawn(&program, folder, &arguments(name, folder))?;
    let (retiring, folder) = (Vec::new(), folder.to_owned());
    let mut running = Running { name, child, retiring, program, folder };
    running.wait_until("answer", wait, || listeners.iter().all(|listener| answers(*listener)))?;
    Ok(running)
}

fn arguments(name: &str, folder: &Path) -> Vec<String> {
    let folder = folder.display();
    let words = match name {
        "nginx" => format!("-p {folder} -e {folder}/error.log -c {folder}/nginx.conf"),
        "apache2" => format!("-d {folder} -f {folder}/apache.conf -D FOREGROUND"),
        MASTER => format!("-W -S {folder}/{MASTER_SOCKET} -f {folder}/haproxy.cfg"),
        "caddy" => format!("run --config {folder}/caddy.json"),
        _ => format!("-db -f {folder}/haproxy.cfg"),
    };
    words.split(' ').map(str::to_owned).collect()
}

/// A process group of its own, so that workers of a killed master are killed with it.
fn spawn(program: &Path, folder: &Path, arguments: &[String]) -> Result<Child, EdgeError> {
    let spawn = || {
        let output = File::create(folder.join("output.log"))?;
        #[expect(clippy::disallowed_methods, reason = "this file is where processes start")]
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).process_group(0);
        command.env("XDG_CONFIG_HOME", folder).env("XDG_DATA_HOME", folder);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()
    };
    spawn().map_err(EdgeError::io(format!("start {}", program.display())))
}

impl Running {
    /// Process id of the proxy.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reloads the configuration as somebody else's tool would: nginx by SIGHUP and Apache by
    /// SIGUSR1, which return before the new workers serve; Caddy by its admin interface; HAProxy by
    /// a new process that reads its map files again, and this returns when it has taken over. The
    /// old one serves its last connections.
    ///
    /// # Errors
    /// `Io` when the process cannot be signalled or started, `Refused` or `Unreachable` when the
    /// new one does not take over.
    pub fn reload(&mut self) -> Result<(), EdgeError> {
        match self.name {
            "nginx" => return self.signal(Signal::HUP).map_err(EdgeError::io("reload nginx")),
            "apache2" => return self.signal(Signal::USR1).map_err(EdgeError::io("reload apache2")),
            "caddy" => {
                let config = self.folder.join("caddy.json");
                let read = fs::read(&config);
                let config = read.map_err(EdgeError::io(format!("read {}", config.display())))?;
                return self.load(&config);
            }
            MASTER => return self.reload_master(),
            _ => {}
        }
        let api = RuntimeApi::of(self.folder.join(SOCKET));
        let mut arguments = arguments(self.name, &self.folder);
        arguments.extend(["-x".to_owned(), api.socket.display().to_string()]);
        arguments.extend(["-sf".to_owned(), self.child.id().to_string()]);
        let child = spawn(&self.program, &self.folder, &arguments)?;
        self.retiring.push(std::mem::replace(&mut self.child, child));
        let pid = format!("\nPid: {}\n", self.child.id());
        let taken_over = || api.run("show info").is_ok_and(|info| info.contains(&pid));
        self.wait_until("take over", RELOAD_WAIT_MAX, taken_over)
    }

    fn reload_master(&mut self) -> Result<(), EdgeError> {
        let api = RuntimeApi::of(self.folder.join(SOCKET));
        let (before, _) = api.process()?;
        self.signal(Signal::USR2).map_err(EdgeError::io("reload haproxy"))?;
        let taken_over = || api.process().is_ok_and(|(pid, _)| pid != before);
        self.wait_until("take over", RELOAD_WAIT_MAX, taken_over)
    }

    /// Loads a configuration into Caddy through its admin interface, as somebody else's tool would.
    ///
    /// # Errors
    /// `Refused` when Caddy does not take it, `Unreachable` when it does not answer.
    pub fn load(&self, config: &[u8]) -> Result<(), EdgeError> {
        let mut client = Client::connect_unix(&self.folder.join(CADDY_ADMIN))?;
        client.answer_wait_max = RELOAD_WAIT_MAX;
        let length = config.len();
        let head = format!(
            "POST /load HTTP/1.1\r\nHost: \r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        let answer = client.exchange(&[head.as_bytes(), config].concat(), false)?;
        if answer.status == 200 {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&answer.body).into_owned();
        Err(EdgeError::new(EdgeErrorKind::Refused, "load a configuration into caddy")
            .because(words))
    }

    /// Kills the proxy at once with all its workers, as a crash would.
    pub fn kill(&mut self) {
        for child in self.retiring.iter_mut().chain([&mut self.child]) {
            let Some(group) = pid(child) else { continue };
            // The group may be gone already, which is what is wanted.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
            let _ = child.wait();
            wait_for_orphans(group);
        }
    }

    /// Waits until `done`; a program that ends before is an error with its own words.
    fn wait_until(
        &mut self,
        what: &str,
        wait: Duration,
        done: impl Fn() -> bool,
    ) -> Result<(), EdgeError> {
        let deadline = Instant::now() + wait;
        while !done() {
            if let Ok(Some(status)) = self.child.try_wait() {
                let doing = format!("keep {} running: it ended with {status}", self.name);
                return Err(EdgeError::new(EdgeErrorKind::Refused, doing).because(self.words()));
            }
            if Instant::now() >= deadline {
                let doing = format!("have {} {what}", self.name);
                return Err(EdgeError::unreachable(doing)(io::ErrorKind::TimedOut.into()));
            }
            // A process that starts gives no sign but its sockets.
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The last thing that the program said.
    fn words(&self) -> String {
        let logs = ["output.log", "error.log"]
            .map(|name| fs::read(self.folder.join(name)).unwrap_or_default());
        let logs = logs.concat();
        let start = logs.len().saturating_sub(LOG_BYTES_MAX);
        String::from_utf8_lossy(&logs[start..]).into_owned()
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = pid(&self.child).ok_or(io::ErrorKind::InvalidInput)?;
        rustix::process::kill_process(pid, signal).map_err(io::Error::from)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.signal(Signal::TERM);
        let deadline = Instant::now() + STOP_WAIT_MAX;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            // The end of a child can be asked for, or waited for without any limit.
            thread::sleep(Duration::from_millis(2));
        }
        self.kill();
    }
}

/// Workers end a little after their dead master, and hold what it listened on until then.
fn wait_for_orphans(group: Pid) {
    let deadline = Instant::now() + ORPHANS_WAIT_MAX;
    let left = || rustix::process::test_kill_process_group(group).is_ok();
    while left() && Instant::now() < deadline {
        // They are nobody's children: nothing tells when the last one is gone.
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether the edge serves: a listener that only accepts may belong to a program that is still
/// binding its other sockets, and gives up when it cannot.
fn answers(listener: SocketAddr) -> bool {
    Client::connect(listener).and_then(|mut client| client.get(CANARY_HOST, "/")).is_ok()
}

/// Every unix socket that a configuration of nginx listens on.
fn unix_sockets(config: &str) -> BTreeSet<&Path> {
    let sockets = config.lines().filter_map(|line| line.trim().strip_prefix("listen unix:"));
    sockets.map(|rest| Path::new(rest.split([' ', ';']).next().unwrap_or_default())).collect()
}

/// nginx that was killed leaves its unix sockets behind and does not start over them. Its workers
/// end a little after it; a socket that still answers then is somebody's, and nginx says so.
fn remove_stale(socket: &Path) {
    let deadline = Instant::now() + ORPHANS_WAIT_MAX;
    while UnixStream::connect(socket).is_ok() && Instant::now() < deadline {
        // Nothing tells when the last worker of a dead master is gone.
        thread::sleep(Duration::from_millis(2));
    }
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if UnixStream::connect(socket).is_err_and(refused) {
        // If it cannot be removed, nginx says so in its own words.
        let _ = fs::remove_file(socket);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn free_addresses_differ_and_stay_below_the_range_of_outgoing_connections() {
        let first = free_address().unwrap();
        let second = free_address().unwrap();
        assert_ne!(first, second);
        assert!((10_000..32_000).contains(&first.port()), "{first}");
    }

    /// A proxy that is stopped and started again finds its port free, whoever asks meanwhile.
    #[test]
    fn a_port_is_kept_for_whoever_listens_there() {
        let address = free_address().unwrap();
        for _ in 0..2 {
            assert!(keep(address).is_err(), "nobody else gets it");
            assert!(std::net::TcpStream::connect(address).is_err(), "nobody answers there");
            let listener = std::net::TcpListener::bind(address).unwrap();
            assert!(std::net::TcpStream::connect(address).is_ok());
            drop(listener);
        }
    }

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let error = find("relight-no-such-program", "some-package").unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Lint);
        assert!(error.to_string().contains("install the package some-package"));
    }

    #[test]
    fn a_program_that_ends_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let listen = [free_address().unwrap()];
        let started =
            start_nginx(folder.path(), "daemon off;\nnonsense;\n", &listen, Duration::from_secs(9));
        let error = started.unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Refused);
        let words = error.source().unwrap().to_string();
        assert!(words.contains("nonsense"), "{words}");
    }

    #[test]
    fn a_socket_that_nobody_holds_is_removed_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        remove_stale(&path);
        assert!(path.exists());
        drop(listener);
        remove_stale(&path);
        assert!(!path.exists());
    }

    #[test]
    fn a_program_that_does_not_listen_is_given_up_and_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let listen = [free_address().unwrap()];
        let config = format!(
            "daemon off;\npid {0}/nginx.pid;\nerror_log {0}/error.log;\nevents {{}}\n",
            folder.path().display()
        );
        let wait = Duration::from_millis(300);
        let error = start_nginx(folder.path(), &config, &listen, wait).unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Unreachable);
        let left = fs::read_to_string(folder.path().join("nginx.pid")).ok();
        let left = left.filter(|pid| Path::new("/proc").join(pid.trim()).exists());
        assert!(left.is_none(), "nginx is still running as {left:?}");
    }
}
