//! `cargo xtask bench`: figures that we publish, with their raw results in `bench/results`.
pub(crate) mod alike;
mod cost;
pub(crate) mod incident;
mod json;
pub(crate) mod matching;
mod matrix;
mod names;
mod peers;
mod proof;
pub(crate) mod scan;
mod speed;
mod stage;
pub(crate) mod start;
pub(crate) mod wall;
pub(crate) mod watch;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{self, Run};
use crate::tree;

const EDGES: [&str; 3] = ["builtin", "nginx", "haproxy"];
const TIME: &str = "/usr/bin/time";
/// What GNU time writes: wall, user and system seconds, and peak memory of the largest process.
const TIME_FORMAT: &str =
    r#"{"wall_seconds":%e,"user_seconds":%U,"system_seconds":%S,"peak_kib":%M,"status":%x}"#;
/// Crates that are named as the most expensive ones of a build.
const SLOWEST_MAX: usize = 10;

/// Runs the demo once on each edge and prints seconds by phase, wall time and peak memory.
///
/// # Errors
/// When the build or a run fails; the results of the other runs are kept.
pub(crate) fn demo() -> Result<(), String> {
    let root = tree::root();
    let binary = program(&root, "release")?;
    let results = results(&root)?;
    let mut failed = Vec::new();
    println!("{:<8} {:>8} {:>8} {:>9}  seconds by phase", "edge", "wall s", "CPU s", "peak MiB");
    for edge in EDGES {
        let name = format!("demo-{edge}");
        let command = [&*binary.to_string_lossy(), "demo", "--json", "--edge", edge];
        let (run, timing) = timed(&root, &results, &name, &command)?;
        write(&results.join(format!("{name}.json")), &run.stdout)?;
        println!("{edge:<8} {timing}  {}", phases(&run.stdout));
        if !run.success {
            failed.push(format!("{name}: {}\n{}", run.status(), run.stderr));
        }
    }
    println!("raw results: {}", results.display());
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// The program, built now: `release` is what people try first, `dist` what is packaged.
pub(crate) fn program(root: &Path, profile: &str) -> Result<PathBuf, String> {
    let words = ["build", "--profile", profile, "-p", "relight"];
    let build = process::show(root, "cargo", &words, &[])?;
    if !build.success {
        return Err(format!("build: {}", build.status()));
    }
    Ok(target(root).join(profile).join("relight"))
}

/// Builds an example of a package, as what is packaged is built.
pub(crate) fn example(root: &Path, package: &str, name: &str) -> Result<PathBuf, String> {
    let words = ["build", "--profile", "dist", "-p", package, "--example", name];
    let build = process::show(root, "cargo", &words, &[])?;
    if !build.success {
        return Err(format!("build {name}: {}", build.status()));
    }
    Ok(target(root).join("dist/examples").join(name))
}

/// Builds the release binary in an empty target folder and prints what it cost.
///
/// # Errors
/// When the build fails.
pub(crate) fn build() -> Result<(), String> {
    let root = tree::root();
    let fresh = root.join("target/bench-build");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)
            .map_err(|error| format!("empty {}: {error}", fresh.display()))?;
    }
    // Crates come from the local registry cache: the network is not what is measured.
    let fetch = process::show(&root, "cargo", &["fetch", "--locked"], &[])?;
    if !fetch.success {
        return Err(format!("cargo fetch: {}", fetch.status()));
    }
    let results = results(&root)?;
    let folder = fresh.to_string_lossy();
    let command = [
        "cargo",
        "build",
        "--release",
        "--locked",
        "-p",
        "relight",
        "--timings",
        "--target-dir",
        &folder,
    ];
    let (run, timing) = timed(&root, &results, "build", &command)?;
    if !run.success {
        return Err(format!("cargo build: {}\n{}", run.status(), run.stderr));
    }
    let crates = run.stderr.lines().filter(|line| line.trim().starts_with("Compiling ")).count();
    let page = fs::read_to_string(fresh.join("cargo-timings/cargo-timing.html"));
    let units = slowest(&page.unwrap_or_default());
    let mut table = format!("{:>8} {:>8} {:>9}  crates\n", "wall s", "CPU s", "peak MiB");
    let _ = writeln!(table, "{timing}  {crates}");
    for (name, seconds) in &units {
        let _ = writeln!(table, "{seconds:>8.1}  {name}");
    }
    print!("{table}");
    write(&results.join("build.txt"), &table)
}

/// Runs a command under GNU time; keeps its figures as `NAME.time.json`.
fn timed(
    root: &Path,
    results: &Path,
    name: &str,
    command: &[&str],
) -> Result<(Run, Timing), String> {
    if !Path::new(TIME).is_file() {
        return Err(format!("{TIME} is missing: apt-get install --no-install-recommends time"));
    }
    let file = results.join(format!("{name}.time.json"));
    let mut arguments = vec!["-q", "-f", TIME_FORMAT, "-o"];
    let file_name = file.to_string_lossy();
    arguments.push(&file_name);
    arguments.extend(command);
    let run = process::quiet(root, TIME, &arguments)?;
    let text = fs::read_to_string(&file).map_err(|e| format!("read {}: {e}", file.display()))?;
    let timing = Timing::read(&text).ok_or(format!("{}: not readable: {text}", file.display()))?;
    Ok((run, timing))
}

/// The figures of one run.
#[derive(Debug, PartialEq)]
struct Timing {
    wall: f64,
    cpu: f64,
    peak_mib: f64,
}

impl Timing {
    fn read(text: &str) -> Option<Self> {
        let cpu = number(text, "user_seconds")? + number(text, "system_seconds")?;
        let peak_mib = number(text, "peak_kib")? / 1024.0;
        Some(Self { wall: number(text, "wall_seconds")?, cpu, peak_mib })
    }
}

impl std::fmt::Display for Timing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8.1} {:>8.1} {:>9.0}", self.wall, self.cpu, self.peak_mib)
    }
}

/// The number after `"key":`, spaces apart.
fn number(text: &str, key: &str) -> Option<f64> {
    let (_, rest) = text.split_once(&format!("\"{key}\":"))?;
    rest.split([',', '}', '\n']).next()?.trim().parse().ok()
}

/// The members of `"seconds": { … }` as `key value` pairs.
fn phases(document: &str) -> String {
    let object = document.split_once("\"seconds\"").and_then(|(_, rest)| rest.split_once('{'));
    let members = object.and_then(|(_, rest)| rest.split_once('}')).map(|(members, _)| members);
    let members = members.unwrap_or_default().split(',').filter_map(|pair| pair.split_once(':'));
    let pairs = members.map(|(key, value)| {
        let seconds: f64 = value.trim().parse().unwrap_or(f64::NAN);
        format!("{} {seconds:.1}", key.trim().trim_matches('"'))
    });
    pairs.collect::<Vec<_>>().join(", ")
}

/// The units that took longest, from the page that `cargo build --timings` writes.
fn slowest(page: &str) -> Vec<(String, f64)> {
    let data = page.split_once("UNIT_DATA = [").map_or("", |(_, rest)| rest);
    let data = data.split_once("];").map_or("", |(data, _)| data);
    let mut units: Vec<(String, f64)> = data
        .split("\"name\": \"")
        .skip(1)
        .filter_map(|unit| {
            let (name, rest) = unit.split_once('"')?;
            let build_script = rest.contains("build-script") || rest.contains("build script");
            let suffix = if build_script { " (build script)" } else { "" };
            Some((format!("{name}{suffix}"), number(rest, "duration")?))
        })
        .collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    units.truncate(SLOWEST_MAX);
    units
}

/// Where cargo puts what it builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// `bench/results/<date>-<cores>core`, with a description of the machine.
fn results(root: &Path) -> Result<PathBuf, String> {
    let date = process::output(root, "date", &["-u", "+%F"])?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let folder = root.join(format!("bench/results/{}-{cores}core", date.trim()));
    fs::create_dir_all(&folder).map_err(|error| format!("make {}: {error}", folder.display()))?;
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let line = |text: &str, key: &str| {
        let found = text.lines().find(|line| line.starts_with(key)).map(str::to_owned);
        found.unwrap_or_default()
    };
    let machine = format!(
        "{cores} cores\n{}\n{}\nload at the start: {}{}{}",
        line(&read("/proc/cpuinfo"), "model name"),
        line(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/loadavg"),
        process::output(root, "rustc", &["--version"])?,
        process::output(root, "uname", &["-sr"])?,
    );
    write(&folder.join("machine.txt"), &machine)?;
    Ok(folder)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timing_is_read_and_a_broken_one_is_not() {
        let text =
            r#"{"wall_seconds":1.5,"user_seconds":2.0,"system_seconds":0.5,"peak_kib":2048}"#;
        let timing = Timing::read(text).unwrap();
        assert_eq!(timing, Timing { wall: 1.5, cpu: 2.5, peak_mib: 2.0 });
        assert_eq!(timing.to_string(), "     1.5      2.5         2");
        assert_eq!(Timing::read("Command terminated by signal 9"), None);
    }

    #[test]
    fn phases_are_read_from_the_document() {
        let document = "{\"sites\": 40, \"seconds\": {\"scan\": 1.26, \"dark\": 2}, \"x\": {}}";
        assert_eq!(phases(document), "scan 1.3, dark 2.0");
        assert_eq!(phases("{}"), "");
    }

    #[test]
    fn the_slowest_units_come_first() {
        let page = "const UNIT_DATA = [\n  { \"name\": \"a\", \"duration\": 1.5, },\n  \
            { \"name\": \"b\", \"target\": \" build-script\", \"duration\": 3 },\n];\nx";
        let units = slowest(page);
        assert_eq!(units, [("b (build script)".to_owned(), 3.0), ("a".to_owned(), 1.5)]);
        assert_eq!(slowest("no data"), []);
    }

    #[test]
    fn gnu_time_takes_the_format() {
        let folder = std::env::temp_dir().join(format!("relight-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let result = timed(&folder, &folder, "x", &["sh", "-c", "exit 3"]);
        fs::remove_dir_all(&folder).unwrap();
        match result {
            Ok((run, timing)) => assert_eq!((run.code, timing.wall < 60.0), (Some(3), true)),
            Err(reason) => assert!(reason.contains("apt-get install"), "{reason}"),
        }
    }
}
