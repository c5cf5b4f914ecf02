//! `cargo xtask bench watch`: what reading logs costs, beside `wc -l`, GoAccess, fail2ban and
//! CrowdSec, in turns on the same bytes.

mod crowd;
mod grid;
mod peers;
mod probed;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::cost::{Turns, line, measure};
use crate::process;

/// Bytes of the large log, and of the one for slow programs.
const LOG_BYTES: usize = 1 << 30;
const QUICK_BYTES: usize = 128 << 20;
const SMALL_BYTES: usize = 1 << 20;

/// Longest run of another program, in seconds.
const PEER_MAX_S: u32 = 900;

/// Rounds of the comparison.
const ROUNDS: usize = 3;

const USAGE: &str = "bench watch [--quick] [--program FILE] | --only grid [--quick | --raw FILE] | \
                     --only scale | --only peers [--quick] | --only probed";

/// Runs one part, or every comparison of programs; programs that are not there are said, not left
/// out silently.
///
/// # Errors
/// When the log cannot be written or relight cannot be measured, or a goal is missed.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let (mut bytes, mut program, mut only, mut raw) = (LOG_BYTES, None, None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--quick" => bytes = QUICK_BYTES,
            "--program" => program = Some(PathBuf::from(words.next().ok_or(USAGE)?)),
            "--raw" => raw = Some(*words.next().ok_or(USAGE)?),
            "--only" => only = Some(*words.next().ok_or(USAGE)?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let root = crate::tree::root();
    let is_quick = bytes < LOG_BYTES;
    match only {
        Some("grid") if raw.is_some() => return grid::read(raw.unwrap_or_default()),
        _ if raw.is_some() => return Err(USAGE.to_owned()),
        Some(_) if program.is_some() => return Err(USAGE.to_owned()),
        Some("scale") if is_quick => return Err(USAGE.to_owned()),
        Some("grid") => return grid::run(&root, is_quick),
        Some("scale") => return grid::scale(&root),
        Some("peers") => {
            return in_folder(|folder| peers::run(&root, folder, bytes < LOG_BYTES));
        }
        Some("probed") => return in_folder(|folder| probed::run(&root, folder)),
        Some(_) => return Err(USAGE.to_owned()),
        None => {}
    }
    let program = match program {
        Some(program) => program,
        None => super::program(&root, "dist")?,
    };
    let name = if is_quick { "watch-quick.txt" } else { "watch.txt" };
    let results = super::results(&root)?.join(name);
    in_folder(|folder| compare(folder, &program, bytes, &results))
}

/// Does something in a folder of its own, which goes afterwards.
fn in_folder(work: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("relight-bench-watch-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let outcome = work(&folder);
    // What is left behind of a failed run does no harm.
    let _ = fs::remove_dir_all(&folder);
    outcome
}

/// One figure and whether it meets its goal, when it has one.
struct Figure {
    text: String,
    met: Option<bool>,
}

/// Measures everything, prints it and keeps it in a file.
fn compare(folder: &Path, program: &Path, bytes: usize, results: &Path) -> Result<(), String> {
    let large = folder.join("large.log");
    let census = write_log(&large, bytes)?;
    let small = folder.join("small.log");
    write_log(&small, SMALL_BYTES)?;
    let program = program.display().to_string();
    register(folder, &program)?;
    let mut figures = vec![Figure { text: census, met: None }];
    figures.extend(scan(folder, &program, &large, bytes)?);
    figures.extend(peers(folder, &program, &large, &small)?);
    let word = |met| match met {
        Some(true) => "met   ",
        Some(false) => "MISSED",
        None => "      ",
    };
    let rows = figures.iter().map(|figure| format!("{} {}\n", word(figure.met), figure.text));
    let table: String = rows.collect();
    print!("{table}");
    super::write(results, &table)?;
    match figures.iter().filter(|figure| figure.met == Some(false)).count() {
        0 => Ok(()),
        missed => Err(format!("{missed} goals are missed")),
    }
}

/// A site for the log, in a data folder that each run starts from.
fn register(folder: &Path, program: &str) -> Result<(), String> {
    let sites = "slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public\n\
                 a,a,a,https://a.example,org,health,3,east,yes\n";
    let path = folder.join("sites.csv");
    fs::write(&path, sites).map_err(|error| format!("{}: {error}", path.display()))?;
    let data = folder.join("start").display().to_string();
    let import = ["--data", &data, "sites", "import", "sites.csv"];
    process::output(folder, program, &import).map(drop)
}

/// The command that reads a log into a data folder of its own.
fn ingest(program: &str, log: &Path) -> Vec<String> {
    let script = "rm -rf data && cp -r start data && \"$1\" --data data -q watch ingest \"$2\" \
                  --org org --site a > /dev/null";
    line(&["sh", "-c", script, "sh", program, &log.display().to_string()])
}

fn scan(folder: &Path, program: &str, log: &Path, bytes: usize) -> Result<Vec<Figure>, String> {
    let name = log.display().to_string();
    let words = line(&["wc", "-l", &name]);
    let scan = line(&[program, "-q", "watch", "decode", "--attempts", &name]);
    let commands = [(words, 1), (scan, 1), (ingest(program, log), 1)];
    let turns = Turns::run(folder, &commands, ROUNDS)?;
    let ratio = turns.cpu(1) / turns.cpu(0);
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = bytes as f64 / turns.cpu(2) / 1e9;
    let attempt = format!(
        "attempt scan: {:.2} CPU s, {ratio:.2} times wc -l ({:.2}); at most 2.0",
        turns.cpu(1),
        turns.cpu(0)
    );
    let ingest = format!(
        "full ingest: {:.2} CPU s, {rate:.2} GB a CPU second, {:.0} MiB; at least 1",
        turns.cpu(2),
        turns.peak_mib(2)
    );
    let attempt = Figure { text: attempt, met: Some(ratio <= 2.0) };
    Ok(vec![attempt, Figure { text: ingest, met: Some(rate >= 1.0) }])
}

fn peers(folder: &Path, program: &str, large: &Path, small: &Path) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    if process::is_there("goaccess") {
        let name = large.display().to_string();
        let peer = line(&["goaccess", &name, "--log-format=COMBINED", "-o", "report.json"]);
        let (ours, _) = measure(folder, &ingest(program, large), PEER_MAX_S)?;
        let (theirs, run) = measure(folder, &peer, PEER_MAX_S)?;
        let ratio = theirs.cpu / ours.cpu;
        let goaccess = peers::versioned(folder, "goaccess");
        let text =
            format!("{goaccess}: {:.1} CPU s, {ratio:.0} times ours; at least 45", theirs.cpu);
        figures.push(if run.success {
            Figure { text, met: Some(ratio >= 45.0) }
        } else {
            Figure { text: format!("{goaccess}: {}", run.status()), met: Some(false) }
        });
    } else {
        figures.push(absent("goaccess"));
    }
    figures.extend(slow_peers(folder, small)?);
    Ok(figures)
}

fn absent(package: &str) -> Figure {
    Figure { text: format!("{package} is not here: apt-get install {package}"), met: None }
}

/// Rates beside ours, without a goal: on a small log, because they are slow.
fn slow_peers(folder: &Path, small: &Path) -> Result<Vec<Figure>, String> {
    let name = small.display().to_string();
    let fail2ban = line(&["fail2ban-regex", &name, "apache-noscript"]);
    let crowdsec = || peers::crowdsec_line(folder, &name);
    let mut figures = Vec::new();
    for (package, program) in [("fail2ban", "fail2ban-regex"), ("crowdsec", "crowdsec")] {
        if !process::is_there(program) {
            figures.push(absent(package));
            continue;
        }
        let peer = if package == "crowdsec" { crowdsec()? } else { fail2ban.clone() };
        let (cost, run) = measure(folder, &peer, PEER_MAX_S)?;
        let lines = fs::read(small).map(|bytes| bytes.iter().filter(|it| **it == b'\n').count());
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = lines.unwrap_or(0) as f64 / cost.cpu;
        let text = if run.success {
            format!("{}: {rate:.0} lines a CPU second", peers::versioned(folder, package))
        } else {
            let said = run.stderr.lines().find(|line| line.contains("fatal")).unwrap_or_default();
            format!("{package}: {} {said}", run.status())
        };
        figures.push(Figure { text, met: None });
    }
    Ok(figures)
}

/// A log of at least that size; says what it is like.
fn write_log(path: &Path, bytes: usize) -> Result<String, String> {
    let write = || -> io::Result<String> {
        let mut out = io::BufWriter::with_capacity(1 << 20, fs::File::create(path)?);
        let census = crowd::write(&mut out, bytes)?;
        out.flush()?;
        Ok(census.text())
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}
