//! `cargo xtask e2e`: the console and the public page in Chromium, over a demo that really ran.
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::process::{self, Run};
use crate::tree;

/// Sites of the demo: enough for several pages of a table, few enough for seconds.
const SITES: &str = "400";

/// How long the demo may take until its last light, in all.
const DEMO_MAX: Duration = Duration::from_secs(120);

/// The suites by their names, the order in which `node` runs them; the last one kills the console.
const SUITES: [&str; 10] = [
    "acts.mjs",
    "agents.mjs",
    "colours.mjs",
    "door.mjs",
    "keyboard.mjs",
    "keys.mjs",
    "load.mjs",
    "oidc.mjs",
    "pages.mjs",
    "public.mjs",
];

/// Builds relight, plays the demo, and runs every suite against it. `pictures` takes screenshots.
///
/// # Errors
/// With one line that says what is missing or failed.
pub(crate) fn run(pictures: Option<&Path>) -> Result<(), String> {
    let root = tree::root();
    packages(&root)?;
    let program = build(&root)?;
    let place = Place::new()?;
    let mut demo = Demo::start(&root, &program, &place.path, SITES)?;
    let addresses = demo.wait(DEMO_MAX)?;
    let began = Instant::now();
    let run = suites(&root, &program, &place.path, &demo, &addresses, pictures)?;
    println!("browser: {:.1} s", began.elapsed().as_secs_f64());
    if run.success { Ok(()) } else { Err(format!("e2e: {}", run.status())) }
}

/// Installs the packages of the lock file, when they are not those that are there.
pub(crate) fn packages(root: &Path) -> Result<(), String> {
    for program in ["chromium", "node", "npm"] {
        if !process::is_there(program) {
            return Err(format!(
                "{program} cannot be found: e2e needs Debian's chromium, and node 20 with npm"
            ));
        }
    }
    let folder = root.join("e2e");
    let lock = fs::read(folder.join("package-lock.json"))
        .map_err(|error| format!("read e2e/package-lock.json: {error}"))?;
    let copy = folder.join("node_modules/.relight-lock");
    if fs::read(&copy).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
    let run = process::show(&folder, "npm", &arguments, &[])?;
    if !run.success {
        return Err(format!("npm ci: {}", run.status()));
    }
    fs::write(&copy, lock).map_err(|error| format!("write {}: {error}", copy.display()))
}

/// Builds relight as the tests do; its path.
pub(crate) fn build(root: &Path) -> Result<PathBuf, String> {
    let run = process::show(root, "cargo", &["build", "-p", "relight"], &[])?;
    if !run.success {
        return Err(format!("cargo build: {}", run.status()));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    Ok(target.unwrap_or_else(|| root.join("target")).join("debug/relight"))
}

fn suites(
    root: &Path,
    program: &Path,
    place: &Path,
    demo: &Demo,
    (console, public): &(String, String),
    pictures: Option<&Path>,
) -> Result<Run, String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let data = text(&place.join("data"));
    let shots = pictures.map(text).unwrap_or_default();
    let (pid, program) = (demo.child.id().to_string(), text(program));
    let environment = [
        ("CONSOLE", console.as_str()),
        ("PUBLIC", public),
        ("CONSOLE_PID", &pid),
        ("RELIGHT", &program),
        ("DATA", &data),
        ("SHOTS", &shots),
    ];
    let mut arguments = vec!["--test", "--test-concurrency=1", "--test-reporter=spec"];
    arguments.extend(SUITES);
    process::show(&root.join("e2e"), "node", &arguments, &environment)
}

/// A folder for one run, removed at its end.
pub(crate) struct Place {
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("relight-e2e-{}", std::process::id()));
        // A run that was killed may have left one, and numbers of processes come again.
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).map_err(|error| format!("create {}: {error}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It is in the folder for temporary files, where what cannot be removed may stay.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// A demo that serves its pages; killed when it is dropped.
pub(crate) struct Demo {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Demo {
    pub(crate) fn start(
        root: &Path,
        program: &Path,
        place: &Path,
        sites: &str,
    ) -> Result<Self, String> {
        let folder = place.to_string_lossy();
        let arguments = ["demo", "--serve", "--lang", "en", "--sites", sites, "--folder", &folder];
        let mut child = process::command(root, &program.to_string_lossy(), &arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("start the demo: {error}"))?;
        let (told, lines) = mpsc::channel();
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let told = told.clone();
            thread::spawn(move || {
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                // Nobody listening is the end of the run.
                lines.map(|line| told.send(line)).find(Result::is_err)
            });
        }
        Ok(Self { child, lines })
    }

    /// Waits until the incident has run to its end; the addresses of console and public page.
    pub(crate) fn wait(&mut self, most: Duration) -> Result<(String, String), String> {
        self.wait_for(most, |line, found| line.contains("Ctrl-C") && found >= 2)
    }

    /// Waits until both pages answer, while the incident runs; their addresses.
    pub(crate) fn wait_for_pages(&mut self, most: Duration) -> Result<(String, String), String> {
        self.wait_for(most, |line, found| found + usize::from(address(line).is_some()) >= 2)
    }

    /// Reads what the demo says until a line is enough, given how many addresses came before it.
    fn wait_for(
        &mut self,
        most: Duration,
        is_enough: impl Fn(&str, usize) -> bool,
    ) -> Result<(String, String), String> {
        let deadline = Instant::now() + most;
        let (mut said, mut found) = (Vec::new(), Vec::new());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if is_enough(&line, found.len()) => {
                    found.extend(address(&line));
                    break;
                }
                Ok(line) => {
                    found.extend(address(&line));
                    said.push(line);
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("the demo took too long:\n{}", said.join("\n")));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the demo ended:\n{}", said.join("\n")));
                }
            }
        }
        let mut found = found.into_iter();
        found.next().zip(found.next()).ok_or_else(|| "the demo named no address".to_owned())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have been killed by a suite, which is what that suite is for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address in a line, without the slash at its end.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let host = rest.split(['/', ' ']).next()?;
    // The name, not the number: browsers treat it as a place of its own.
    Some(format!("http://{}", host.replace("127.0.0.1", "localhost")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_lines() {
        let line = "The wall of lights: http://127.0.0.1:8420/";
        assert_eq!(address(line).as_deref(), Some("http://localhost:8420"));
        assert_eq!(address("nothing here"), None);
    }

    #[test]
    fn every_suite_is_there_and_nothing_else_is_a_suite() {
        let folder = tree::root().join("e2e");
        assert!(SUITES.is_sorted(), "the last one must be run last");
        for name in SUITES {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            assert!(text.starts_with("// ") && text.contains("test("), "{name}");
        }
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_test = name.ends_with(".mjs")
                && fs::read_to_string(&path).unwrap().contains("from 'node:test'");
            assert_eq!(is_test, SUITES.contains(&name.as_str()), "{name}");
        }
    }
}
