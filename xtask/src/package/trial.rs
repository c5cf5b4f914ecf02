//! The trial of a package: installed in a folder of its own, looked at, and removed again.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::deb::{self, COMPLETIONS, FILES};
use crate::{process, test};

/// The services, and the folders that the package makes for them, with their modes.
const UNITS: [&str; 2] = ["relight.service", "relight-agent.service"];
const FOLDERS: [(&str, u32); 4] = [
    ("var/lib/relight", 0o700),
    ("var/lib/relight-gate", 0o755),
    ("var/lib/relight-agent", 0o700),
    ("var/lib/relight-agent-gate", 0o755),
];

/// What `systemd-analyze security` may find exposed at most, of 100.
const EXPOSURE_MAX: &str = "25";

/// Manual pages of one language at least.
const PAGES_MIN: usize = 100;

/// Installs the package below a folder, looks at everything that it brought, and removes it.
///
/// # Errors
/// With the first thing that is not as it has to be.
pub(super) fn install(root: &Path, package: &Path, place: &Path) -> Result<(), String> {
    // What dpkg and the scripts of the package expect of a machine.
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        let folder = place.join(folder);
        fs::create_dir_all(&folder).map_err(|e| format!("create {}: {e}", folder.display()))?;
    }
    let status = place.join("var/lib/dpkg/status");
    fs::write(&status, "").map_err(|error| format!("write {}: {error}", status.display()))?;
    let file = package.to_string_lossy();
    if !test::is_root() {
        println!("installing was not tried: only root can give files away");
        return Ok(());
    }
    dpkg(place, &["--install", &file])?;
    look(root, place)?;
    dpkg(place, &["--remove", "relight"])?;
    gone(place)?;
    let told = dpkg(place, &["--purge", "relight"])?;
    if !told.contains("/var/lib/relight") {
        return Err(format!("package: purging does not say what stays\n{told}"));
    }
    gone(place)
}

fn dpkg(place: &Path, words: &[&str]) -> Result<String, String> {
    let root = format!("--root={}", place.display());
    // Not that of this machine, on which nothing is installed.
    let log = format!("--log={}", place.join("var/lib/dpkg/log").display());
    // The scripts run as they are and are told of the folder: there is no shell in it. What the
    // package depends on is not there either.
    let mut arguments = vec![&*root, &*log, "--force-script-chrootless", "--force-depends"];
    arguments.extend(words);
    process::output(place, "dpkg", &arguments)
}

fn look(root: &Path, place: &Path) -> Result<(), String> {
    let refuse = |what: String| Err(format!("package: {what}"));
    let program = place.join("usr/bin/relight").to_string_lossy().into_owned();
    let version = process::output(place, &program, &["--version"])?;
    if !version.contains(env!("CARGO_PKG_VERSION")) {
        return refuse(format!("the program is of another version: {version}"));
    }
    for (from, to) in FILES {
        let same = fs::read(root.join(from)).ok() == fs::read(place.join(to)).ok();
        if !same {
            return refuse(format!("{to} is not {from}"));
        }
    }
    let changed = process::output(place, "dpkg", &[&format!("--root={}", place.display()), "-V"])?;
    if !changed.is_empty() {
        return refuse(format!("files are not those of the package:\n{changed}"));
    }
    completions(place)?;
    pages(place)?;
    example(place, &program)?;
    services(place)
}

fn completions(place: &Path) -> Result<(), String> {
    for (shell, path) in COMPLETIONS {
        let script = fs::read_to_string(place.join(path)).unwrap_or_default();
        if !script.contains("incident") {
            return Err(format!("package: {path} completes nothing"));
        }
        // Where the shell is there, it has to understand its script.
        if ["bash", "zsh"].contains(&shell) && process::is_there(shell) {
            process::output(place, shell, &["-n", path])?;
        }
    }
    Ok(())
}

/// Manual pages in both languages, each of them whole, and those that the services name.
fn pages(place: &Path) -> Result<(), String> {
    let mut names: Vec<Vec<PathBuf>> = Vec::new();
    for folder in ["usr/share/man/man1", "usr/share/man/fr/man1"] {
        let found = deb::files(&place.join(folder))?;
        if found.len() < PAGES_MIN {
            return Err(format!("package: {} manual pages in {folder}", found.len()));
        }
        for page in &found {
            process::output(place, "gzip", &["-t", &page.to_string_lossy()])?;
        }
        names.push(found.iter().filter_map(|it| it.file_name()).map(PathBuf::from).collect());
    }
    if names[0] != names[1] {
        return Err("package: not the same manual pages in both languages".to_owned());
    }
    for unit in UNITS {
        let text = unit_text(place, unit)?;
        let page = text.lines().find_map(|it| it.strip_prefix("Documentation=man:"));
        let page = PathBuf::from(format!("{}.1.gz", page.unwrap_or_default().replace("(1)", "")));
        if !names[0].contains(&page) {
            return Err(format!("package: {unit} names no manual page that is there"));
        }
    }
    Ok(())
}

fn unit_text(place: &Path, unit: &str) -> Result<String, String> {
    let path = place.join("usr/lib/systemd/system").join(unit);
    fs::read_to_string(&path).map_err(|error| format!("read {}: {error}", path.display()))
}

/// The example sets nothing as it is, and every key in it is one when the signs in front are taken
/// away.
fn example(place: &Path, program: &str) -> Result<(), String> {
    let path = place.join("usr/share/doc/relight/examples/relight.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
    let is_key = |line: &str| line.strip_prefix("# ").is_some_and(|it| it.contains(" = "));
    let keys = text.lines().filter(|line| is_key(line)).count();
    let bare = text.lines().map(|line| if is_key(line) { &line[2..] } else { line });
    let bare: String = bare.map(|line| format!("{line}\n")).collect();
    let whole = place.join("relight.toml");
    fs::write(&whole, bare).map_err(|error| format!("write {}: {error}", whole.display()))?;
    for (file, wanted) in [(&path, 0), (&whole, keys)] {
        let file = file.to_string_lossy();
        let words = ["--config", &file, "config", "show", "--origin"];
        let shown = process::output(place, program, &words)?;
        let set = shown.lines().filter(|line| line.contains("relight.toml:")).count();
        if set != wanted || keys == 0 {
            return Err(format!("package: {file} sets {set} keys, not {wanted}:\n{shown}"));
        }
    }
    fs::remove_file(&whole).map_err(|error| format!("remove {}: {error}", whole.display()))
}

/// Users, folders, and what systemd says of the units.
fn services(place: &Path) -> Result<(), String> {
    let users = fs::read_to_string(place.join("etc/passwd")).unwrap_or_default();
    for user in ["relight:", "relight-agent:"] {
        let line = users.lines().find(|line| line.starts_with(user)).unwrap_or_default();
        if !line.ends_with("/nologin") {
            return Err(format!("package: no user {user} that cannot sign in: {line}"));
        }
    }
    for (folder, mode) in FOLDERS {
        let data = fs::metadata(place.join(folder)).map_err(|e| format!("{folder}: {e}"))?;
        let found = data.permissions().mode() & 0o777;
        if found != mode {
            return Err(format!("package: {folder} has mode {found:o}, not {mode:o}"));
        }
    }
    if !process::is_there("systemd-analyze") {
        println!("units were not verified: systemd-analyze is not there");
        return Ok(());
    }
    let root = format!("--root={}", place.display());
    for unit in UNITS {
        let verify = ["verify", &root, "--man=no", "--recursive-errors=no", unit];
        process::output(place, "systemd-analyze", &verify)?;
        let threshold = format!("--threshold={EXPOSURE_MAX}");
        let exposed = ["security", "--offline=yes", &root, &threshold, "--no-pager", unit];
        process::output(place, "systemd-analyze", &exposed)?;
    }
    Ok(())
}

/// Nothing is left but what the services keep and who they were.
fn gone(place: &Path) -> Result<(), String> {
    let kept = |path: &Path| ["etc", "var/lib"].iter().any(|it| path.starts_with(place.join(it)));
    let left: Vec<PathBuf> = deb::files(place)?.into_iter().filter(|path| !kept(path)).collect();
    if !left.is_empty() {
        return Err(format!("package: left behind: {left:?}"));
    }
    match FOLDERS.iter().find(|(folder, _)| !place.join(folder).is_dir()) {
        Some((folder, _)) => Err(format!("package: {folder} was removed, with what is in it")),
        None => Ok(()),
    }
}
