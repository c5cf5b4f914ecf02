//! One program, once: argv without a shell, a clean environment, bounded time and output.

use std::io::{self, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{find, pid};
use crate::error::{EdgeError, EdgeErrorKind};

/// Most bytes that a program may write to its standard output.
pub(crate) const OUTPUT_BYTES_MAX: usize = 8 << 20;
/// Longest run of a program.
pub(crate) const RUN_WAIT_MAX: Duration = Duration::from_secs(30);
/// Most bytes of standard error that go into an error.
const WORDS_BYTES_MAX: usize = 2000;
/// The whole environment of a program.
const ENVIRONMENT: [(&str, &str); 2] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("LC_ALL", "C.UTF-8"),
];

/// What a program that ended by itself left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit status; above 128 the signal that killed it.
    pub(crate) status: i32,
    pub(crate) output: Vec<u8>,
    /// The end of what it wrote to standard error.
    pub(crate) words: String,
}

/// Runs `argv` with `input` and waits at most `wait`.
pub(crate) fn run(argv: &[String], input: Vec<u8>, wait: Duration) -> Result<Ended, EdgeError> {
    let [program, arguments @ ..] = argv else {
        return Err(EdgeError::new(EdgeErrorKind::Lint, "run a program without a name"));
    };
    let doing = format!("run {program}");
    let deadline = Instant::now() + wait;
    let mut child = spawn(program, arguments).map_err(EdgeError::io(doing.clone()))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let piped = feed(stdin, input)
        .and_then(|()| Ok((read(stdout, OUTPUT_BYTES_MAX + 1)?, read(stderr, WORDS_BYTES_MAX)?)));
    let (output, words) = match piped {
        Ok(piped) => piped,
        // The system gives no more threads: a program that is not heard is not left running.
        Err(error) => {
            kill(&mut child);
            return Err(EdgeError::io(doing)(error));
        }
    };
    let left = || deadline.saturating_duration_since(Instant::now());
    let ended = output.recv_timeout(left()).ok().and_then(|output| {
        let status =
            if output.len() > OUTPUT_BYTES_MAX { Some(0) } else { end(&mut child, deadline) };
        status.map(|status| (status, output))
    });
    // Whatever it started and left running ends with it.
    kill(&mut child);
    let Some((status, output)) = ended else {
        let cause = format!("it did not end within {} s", wait.as_secs_f32());
        return Err(EdgeError::new(EdgeErrorKind::Unreachable, doing).because(cause));
    };
    if output.len() > OUTPUT_BYTES_MAX {
        let cause = format!("it wrote more than {OUTPUT_BYTES_MAX} bytes");
        return Err(EdgeError::new(EdgeErrorKind::Refused, doing).because(cause));
    }
    let words = words.recv_timeout(left()).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    Ok(Ended { status, output, words })
}

/// Asks the kernel about sockets.
///
/// # Errors
/// `Lint` when `ss` is not installed or may not do it; its own words are the cause.
pub(crate) fn ss(words: &[String]) -> Result<String, EdgeError> {
    let program = find("ss", "iproute2")?.display().to_string();
    let argv: Vec<String> = std::iter::once(program).chain(words.iter().cloned()).collect();
    let ended = run(&argv, Vec::new(), RUN_WAIT_MAX)?;
    if ended.status == 0 && ended.words.is_empty() {
        return Ok(String::from_utf8_lossy(&ended.output).into_owned());
    }
    let doing = format!("run `ss {}`", words.first().map_or("", String::as_str));
    Err(EdgeError::new(EdgeErrorKind::Lint, doing).because(ended.words))
}

fn spawn(program: &str, arguments: &[String]) -> std::io::Result<Child> {
    if !Path::new(program).is_absolute() {
        return Err(std::io::Error::other("its path is not absolute"));
    }
    #[expect(clippy::disallowed_methods, reason = "this module is where processes start")]
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(ENVIRONMENT).current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// A program need not read all that it is told.
fn feed(stdin: Option<ChildStdin>, input: Vec<u8>) -> io::Result<()> {
    let feed = move || stdin.map(|mut stdin| stdin.write_all(&input));
    thread::Builder::new().spawn(feed).map(drop)
}

/// Reads in a thread of its own: a pipe that somebody else keeps open must not hold us up. What
/// is over `bytes_max` is not read, so the program stops at a full pipe until it is killed.
fn read(
    from: Option<impl Read + Send + 'static>,
    bytes_max: usize,
) -> io::Result<Receiver<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            // What could be read before an error counts; its status tells the rest.
            let _ = from.take(bytes_max as u64).read_to_end(&mut bytes);
        }
        send.send(bytes)
    })?;
    Ok(receive)
}

fn end(child: &mut Child, deadline: Instant) -> Option<i32> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return status.code().or_else(|| status.signal().map(|signal| 128 + signal));
            }
            Ok(None) if Instant::now() < deadline => {
                // The end of a child can be asked for, or waited for without any limit.
                thread::sleep(Duration::from_millis(1));
            }
            _ => return None,
        }
    }
}

fn kill(child: &mut Child) {
    if let Some(group) = pid(child) {
        // The group may be gone already, which is what is wanted.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn shell(script: &str, wait: Duration) -> Result<Ended, EdgeError> {
        run(&["/bin/sh", "-c", script].map(str::to_owned), b"in".to_vec(), wait)
    }

    #[test]
    fn input_output_words_and_status_come_through() {
        let ended = shell("cat; echo why >&2; exit 75", RUN_WAIT_MAX).unwrap();
        assert_eq!((ended.status, ended.output, ended.words), (75, b"in".to_vec(), "why".into()));
        assert_eq!(shell("kill -9 $$", RUN_WAIT_MAX).unwrap().status, 137);
    }

    #[test]
    fn nothing_of_our_environment_gets_through() {
        let argv = ["/usr/bin/env".to_owned()];
        let output = run(&argv, Vec::new(), RUN_WAIT_MAX).unwrap().output;
        let mut lines: Vec<_> = std::str::from_utf8(&output).unwrap().lines().collect();
        lines.sort_unstable();
        let all = ENVIRONMENT.map(|(name, value)| format!("{name}={value}"));
        assert_eq!(lines, [all[1].as_str(), all[0].as_str()]);
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_with_its_children() {
        for script in ["sleep 60", "sleep 60 & wait", "exec 2>&-; while :; do :; done"] {
            let error = shell(script, Duration::from_millis(200)).unwrap_err();
            assert_eq!(error.kind, EdgeErrorKind::Unreachable, "{script}");
            assert!(error.source().unwrap().to_string().contains("did not end"), "{script}");
        }
    }

    #[test]
    fn too_much_output_is_refused() {
        let fits = format!("head -c {OUTPUT_BYTES_MAX} /dev/zero");
        assert_eq!(shell(&fits, RUN_WAIT_MAX).unwrap().output.len(), OUTPUT_BYTES_MAX);
        let error = shell("cat /dev/zero", RUN_WAIT_MAX).unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Refused);
    }

    #[test]
    fn a_program_is_named_by_its_whole_path() {
        for argv in [vec!["sh".to_owned()], vec!["/no/such/program".to_owned()]] {
            assert_eq!(run(&argv, Vec::new(), RUN_WAIT_MAX).unwrap_err().kind, EdgeErrorKind::Io);
        }
        assert_eq!(run(&[], Vec::new(), RUN_WAIT_MAX).unwrap_err().kind, EdgeErrorKind::Lint);
    }
}
