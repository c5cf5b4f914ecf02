//! `--only peers`: the rules of other programs, as the actor grid has them, beside the programs
//! themselves on the same lines.
//!
//! fail2ban is asked through the class that counts in it, because its server drops lines of
//! yesterday. psad's own functions are called as its main loop calls them, with the time of the
//! log, because in its mode for files it forgets nothing. The scan policy of Zeek was removed in
//! 6.1, and no registry of packages carries a Zeek that has it: the thresholds that it documents
//! are tests of `relight-watch`. CrowdSec reads the log with its own parsers and scenario, and its
//! own local API on a port of this machine.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::super::cost::{Line, line};
use super::super::{results, write};
use super::grid::example;
use crate::process;

/// Lines of the log: CrowdSec reads some hundred a second.
const LINES: &str = "100000";
const QUICK_LINES: &str = "10000";

const SEED: &str = "7";

/// What Debian's packages install.
const PYTHON: &str = "/usr/bin/python3";
const HUB: &str = "/usr/share/crowdsec/hub";
const PATTERNS: &str = "/etc/crowdsec/patterns";

/// The counting of fail2ban, with the limits as shipped, over the lines of a combined log.
const FAIL2BAN: &str = "
import sys
from datetime import datetime
sys.path.insert(0, '/usr/lib/python3/dist-packages')
from fail2ban.server.failmanager import FailManager, FailManagerEmpty
from fail2ban.server.ticket import FailTicket
manager = FailManager()
manager.setMaxRetry(5)
manager.setMaxTime(600)
banned = set()
for line in open(sys.argv[1]):
    address, rest = line.split(' ', 1)
    time = rest[rest.index('[') + 1:rest.index(']')]
    at = int(datetime.strptime(time, '%d/%b/%Y:%H:%M:%S %z').timestamp())
    manager.addFailure(FailTicket(address, at))
    try:
        while True:
            banned.add(str(manager.toBan(address).getID()))
    except FailManagerEmpty:
        pass
print('\\n'.join(sorted(banned)))
";

/// The counting of psad over a log of packets.
const PSAD: &str = include_str!("psad.pl");

/// Compares both; a program that is not there is said.
pub(super) fn run(root: &Path, folder: &Path, quick: bool) -> Result<(), String> {
    let program = example(root, "peer_rules")?;
    let log = folder.join("peers.log").display().to_string();
    let packets = folder.join("packets.log").display().to_string();
    let lines = if quick { QUICK_LINES } else { LINES };
    let flagged = process::output(root, &program, &[SEED, lines, &log, &packets])?;
    let ours = |rule: &str| -> BTreeSet<String> {
        let lines = flagged.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(name, _)| *name == rule).map(|(_, it)| it.to_owned()).collect()
    };
    let mut told = format!("seed {SEED}, {lines} lines or a few more\n");
    let mut differ = 0;
    if Path::new("/usr/lib/python3/dist-packages/fail2ban").is_dir() {
        let text = process::output(folder, PYTHON, &["-c", FAIL2BAN, &log])?;
        differ += compare(
            &versioned(folder, "fail2ban"),
            &ours("fail2ban"),
            &addresses(&text),
            &mut told,
        );
    } else {
        println!("fail2ban is not here: apt-get install fail2ban");
    }
    if process::is_there("crowdsec") && Path::new(HUB).is_dir() {
        let text = crowdsec(folder, &log)?;
        differ += compare(
            &versioned(folder, "crowdsec"),
            &ours("crowdsec"),
            &performed(&text),
            &mut told,
        );
    } else {
        println!("crowdsec is not here: apt-get install crowdsec");
    }
    if process::is_there("psad") {
        let text = process::output(folder, "perl", &["-e", PSAD, &packets, &made(folder)?])?;
        differ +=
            compare(&versioned(folder, "psad"), &ours("psad"), &flagged_by_psad(&text), &mut told);
    } else {
        println!("psad is not here: apt-get install psad");
    }
    write(&results(root)?.join("watch-peers.txt"), &told)?;
    print!("{told}");
    if differ == 0 { Ok(()) } else { Err(format!("{differ} addresses are judged differently")) }
}

/// A package with its version, as the system knows it.
pub(super) fn versioned(folder: &Path, package: &str) -> String {
    let words = ["-W", "-f", "${Package} ${Version}", package];
    let known = process::output(folder, "dpkg-query", &words).ok();
    known.filter(|text| text.starts_with(package)).unwrap_or_else(|| package.to_owned())
}

/// A folder for what psad writes.
fn made(folder: &Path) -> Result<String, String> {
    let place = folder.join("psad");
    make(&place)?;
    Ok(place.display().to_string())
}

fn flagged_by_psad(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix("flagged ")).map(str::to_owned).collect()
}

fn addresses(text: &str) -> BTreeSet<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// `Ip 192.0.2.1 performed 'crowdsecurity/http-probing' …`.
fn performed(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| line.contains("' (") && line.contains(" performed '"));
    let address = |line: &str| {
        let rest = line.split_once("Ip ")?.1;
        Some(rest.split_once(' ')?.0.to_owned())
    };
    lines.filter_map(address).collect()
}

/// How many addresses only one of both flags.
fn compare(
    name: &str,
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
    told: &mut String,
) -> usize {
    let only_ours: Vec<&String> = ours.difference(theirs).collect();
    let only_theirs: Vec<&String> = theirs.difference(ours).collect();
    let _ = writeln!(
        told,
        "{name}: {} addresses flagged by the rule, {} by the program; {} only by the rule, {} only \
         by the program",
        ours.len(),
        theirs.len(),
        only_ours.len(),
        only_theirs.len()
    );
    for address in only_ours.iter().chain(&only_theirs).take(10) {
        let _ = writeln!(told, "  {address}");
    }
    only_ours.len() + only_theirs.len()
}

/// Prepares CrowdSec in the folder, and gives the command that reads the log.
pub(super) fn crowdsec_line(folder: &Path, log: &str) -> Result<Line, String> {
    let home = configured(folder)?;
    let config = home.join("config.yaml").display().to_string();
    let (address, file) = (url(&home)?, home.join("api.yaml").display().to_string());
    let words = [
        "-c",
        &config,
        "machines",
        "add",
        "bench",
        "--password",
        "not-a-secret",
        "--force",
        "-u",
        &address,
        "-f",
        &file,
    ];
    process::output(folder, "cscli", &words)?;
    let source = format!("file://{log}");
    Ok(line(&["crowdsec", "-c", &config, "-dsn", &source, "-type", "apache2"]))
}

/// Runs CrowdSec over the log and gives what it says.
fn crowdsec(folder: &Path, log: &str) -> Result<String, String> {
    let command = crowdsec_line(folder, log)?;
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    // It speaks on one stream or the other, by its version.
    let run = process::quiet(folder, words[0], &words[1..])?;
    if run.success {
        return Ok(format!("{}{}", run.stdout, run.stderr));
    }
    Err(format!("crowdsec: {}\n{}", run.status(), run.stderr))
}

/// The address that the configuration names.
fn url(home: &Path) -> Result<String, String> {
    let text = read(&home.join("address"))?;
    Ok(format!("http://{text}"))
}

/// A folder of its own with one scenario and its parsers.
fn configured(folder: &Path) -> Result<PathBuf, String> {
    let home = folder.join("crowdsec");
    let hub = Path::new(HUB);
    for (from, to) in [
        ("parsers/s00-raw/crowdsecurity/syslog-logs.yaml", "parsers/s00-raw"),
        ("parsers/s01-parse/crowdsecurity/apache2-logs.yaml", "parsers/s01-parse"),
        ("parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml", "parsers/s02-enrich"),
        ("parsers/s02-enrich/crowdsecurity/http-logs.yaml", "parsers/s02-enrich"),
        ("scenarios/crowdsecurity/http-probing.yaml", "scenarios"),
    ] {
        copy(&hub.join(from), &home.join(to))?;
    }
    let patterns = fs::read_dir(PATTERNS).map_err(|error| format!("{PATTERNS}: {error}"))?;
    for entry in patterns.filter_map(Result::ok) {
        copy(&entry.path(), &home.join("patterns"))?;
    }
    for folder in ["postoverflows", "collections", "data", "hub", "plugins", "notifications"] {
        make(&home.join(folder))?;
    }
    let address = free_address()?;
    let home_text = home.display().to_string();
    let config = CONFIG.replace("HOME", &home_text).replace("ADDRESS", &address);
    let index = r#"{"parsers":{},"scenarios":{},"postoverflows":{},"collections":{}}"#;
    let profiles = "name: none\nfilters:\n - \"false\"\non_success: break\n";
    for (name, text) in [
        ("config.yaml", config.as_str()),
        ("simulation.yaml", "simulation: false\n"),
        ("acquis.yaml", ""),
        ("profiles.yaml", profiles),
        ("hub/.index.json", index),
        ("address", &address),
    ] {
        write(&home.join(name), text)?;
    }
    Ok(home)
}

const CONFIG: &str = "\
common: {daemonize: false, log_media: stdout, log_level: info, working_dir: .}
config_paths: {config_dir: HOME, data_dir: HOME/data, simulation_path: HOME/simulation.yaml,
  hub_dir: HOME/hub, index_path: HOME/hub/.index.json, notification_dir: HOME/notifications,
  plugin_dir: HOME/plugins}
crowdsec_service: {acquisition_path: HOME/acquis.yaml, parser_routines: 1}
cscli: {output: human}
db_config: {log_level: info, type: sqlite, db_path: HOME/data/crowdsec.db}
api:
  client: {credentials_path: HOME/api.yaml}
  server: {enable: true, listen_uri: \"ADDRESS\", profiles_path: HOME/profiles.yaml,
    log_level: info}
prometheus: {enabled: false}
";

/// A port of this machine that nobody listens on just now.
fn free_address() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("a port: {error}"))?;
    listener.local_addr().map(|it| it.to_string()).map_err(|error| format!("a port: {error}"))
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn copy(file: &Path, folder: &Path) -> Result<(), String> {
    make(folder)?;
    let name = file.file_name().unwrap_or_default();
    let copied = fs::copy(file, folder.join(name));
    copied.map(drop).map_err(|error| format!("{}: {error}", file.display()))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_says_is_understood() {
        let log = "time=\"x\" msg=\"Ip 192.0.2.3 performed 'crowdsecurity/http-probing' \
                   (24 events over 2m18s) at 2021-12-10\"\n\
                   time=\"x\" msg=\"(bench) alert : crowdsecurity/http-probing by ip 192.0.2.3\"\n";
        assert_eq!(performed(log).into_iter().collect::<Vec<_>>(), ["192.0.2.3"]);
        let log = "[+] Found 5 iptables log messages\nflagged 192.0.2.3\n";
        assert_eq!(flagged_by_psad(log).into_iter().collect::<Vec<_>>(), ["192.0.2.3"]);
        assert_eq!(addresses("b\n\na\n").into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_package_has_its_version_where_the_system_knows_it() {
        let here = std::env::temp_dir();
        assert_eq!(versioned(&here, "no-such-package"), "no-such-package");
        let known = versioned(&here, "dpkg");
        assert!(known == "dpkg" || known.strip_prefix("dpkg ").is_some_and(|it| it.contains('.')));
    }

    #[test]
    fn each_difference_counts_on_both_sides() {
        let set = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
        let mut told = String::new();
        assert_eq!(compare("x", &set(&["a", "b"]), &set(&["b", "c", "d"]), &mut told), 3);
        assert!(told.contains("1 only by the rule, 2 only by the program"), "{told}");
        assert_eq!(compare("x", &set(&["a"]), &set(&["a"]), &mut told), 0);
    }
}
