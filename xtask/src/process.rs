//! The one place of xtask that starts programs.
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A program with its arguments and extra environment, to be run in one folder.
#[expect(clippy::disallowed_methods, reason = "xtask starts cargo, rustfmt and test tools")]
pub(crate) fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    // What cargo says about xtask is not about what xtask starts: `ring` looks at these names, and
    // would be built again, with all that stands on it, each time another cargo calls.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name.as_ref());
        }
    }
    command
}

/// Runs a program quietly and gives what it wrote to stdout.
///
/// # Errors
/// When it cannot be started or does not end in success; the text holds its stderr.
pub(crate) fn output(folder: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let run = quiet(folder, program, arguments)?;
    if run.success { Ok(run.stdout) } else { Err(run.failure(program, arguments)) }
}

/// Runs a command of relight quietly that may tell what it could not read (status 3), shows what it
/// told, and gives what it wrote to stdout.
///
/// # Errors
/// As [`output`].
pub(crate) fn told(folder: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let run = quiet(folder, program, arguments)?;
    if !run.is_read() {
        return Err(run.failure(program, arguments));
    }
    eprint!("{}", run.stderr);
    Ok(run.stdout)
}

/// The status with which relight says that something was not read.
const INCOMPLETE: i32 = 3;

/// Runs a program quietly, whatever its status.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn quiet(folder: &Path, program: &str, arguments: &[&str]) -> Result<Run, String> {
    let result = command(folder, program, arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("start {program}: {error}"))?;
    Ok(Run {
        success: result.status.success(),
        code: result.status.code(),
        stdout: String::from_utf8_lossy(&result.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&result.stderr).into_owned(),
    })
}

/// Hands bytes to a program and gives the bytes it wrote.
///
/// # Errors
/// When it cannot be started or does not end in success.
pub(crate) fn filter(program: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let output = piped(program, arguments, input)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Hands bytes to a program and gives what it wrote, whatever its status.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn feed(program: &Path, arguments: &[&str], input: &[u8]) -> Result<Run, String> {
    let output = piped(&program.to_string_lossy(), arguments, input)?;
    Ok(Run {
        success: output.status.success(),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Result<Output, String> {
    let failed = |error: io::Error| format!("run {program}: {error}");
    let mut child = command(Path::new("."), program, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        // A program that has seen enough closes its end; what it wrote says whether it failed.
        scope.spawn(|| stdin.map(|mut pipe| pipe.write_all(input)));
        child.wait_with_output()
    })
    .map_err(failed)
}

/// What a program that ended left behind.
#[derive(Debug)]
pub(crate) struct Run {
    /// Whether it ended with status 0.
    pub success: bool,
    /// Its exit status, if it was not ended by a signal.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Run {
    /// Whether a command of relight read what it was given, or told what it could not.
    pub(crate) fn is_read(&self) -> bool {
        self.success || self.code == Some(INCOMPLETE)
    }

    /// What failed, with what it wrote to stderr.
    fn failure(&self, program: &str, arguments: &[&str]) -> String {
        format!("{program} {}: {}\n{}", arguments.join(" "), self.status(), self.stderr)
    }

    /// The status in words.
    pub(crate) fn status(&self) -> String {
        self.code.map_or_else(|| "ended by a signal".into(), |code| format!("status {code}"))
    }
}

/// Runs a program, shows what it writes as it comes, and keeps a copy.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn show(
    folder: &Path,
    program: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Run, String> {
    let start = |error: io::Error| format!("start {program}: {error}");
    let mut child = command(folder, program, arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = std::thread::scope(|scope| {
        let out = scope.spawn(|| out.map(|from| copy(from, io::stdout())).unwrap_or_default());
        let err = err.map(|from| copy(from, io::stderr())).unwrap_or_default();
        (out.join().unwrap_or_default(), err)
    });
    let status = child.wait().map_err(start)?;
    Ok(Run { success: status.success(), code: status.code(), stdout, stderr })
}

/// Passes lines on and keeps them; bytes that are not UTF-8 are replaced.
fn copy(from: impl io::Read, mut to: impl Write) -> String {
    let mut reader = BufReader::new(from);
    let mut kept = String::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // Nobody reading the copy is no reason to stop the program.
        let _ = to.write_all(&line);
        kept.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    kept
}

/// Whether a program of this name is in one of the folders of `PATH` or in `/usr/sbin`.
pub(crate) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_gives_stdout_or_the_reason() {
        let here = Path::new(".");
        assert_eq!(output(here, "printf", &["a"]), Ok("a".into()));
        let failed = output(here, "ls", &["/no/such/folder"]).unwrap_err();
        assert!(failed.contains("/no/such/folder"), "{failed}");
        assert!(output(here, "no-such-program", &[]).unwrap_err().contains("no-such-program"));
    }

    #[test]
    fn show_keeps_both_streams_and_the_status() {
        let script = "echo out; echo err >&2; echo $WORD; exit 3";
        let run = show(Path::new("."), "sh", &["-c", script], &[("WORD", "word")]).unwrap();
        assert_eq!((run.success, run.code), (false, Some(3)));
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("out\nword\n", "err\n"));
        assert_eq!(run.status(), "status 3");
    }

    #[test]
    fn a_filter_gets_bytes_and_gives_bytes() {
        let input = vec![0xff_u8; 300_000];
        assert_eq!(filter("cat", &[], &input), Ok(input.clone()));
        assert_eq!(filter("head", &["-c1"], &input), Ok(vec![0xff]));
        assert!(filter("gzip", &["-d"], &input).unwrap_err().starts_with("gzip: "));
    }

    #[test]
    fn programs_are_looked_up() {
        assert!(is_there("sh"));
        assert!(!is_there("no-such-program"));
    }
}
