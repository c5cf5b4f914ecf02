//! Runs the script of a fixture against a driver and writes down what it answered.
//!
//! One command per line of `script.txt`; other files of the case are put beside the gate first.
//! `k*20` stands for the keys k0 to k19. Every `apply` is done twice and must be as good as once.

mod fake_gateway;
mod fake_haproxy;
mod fake_http;
mod fake_traefik;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use std::{fs, io, thread};

use relight_model::{Epoch, GateKey, Seen};
use testkit::Case;

use crate::agent_line::tests::NextDoor;
use crate::agent_line::{Carried, carry};
use crate::driver::{DriverKind, EdgeDriver, GateSet, Stage, Target};
use crate::drivers::{AGENT, GROUP, MEMBERS};
use crate::durable::quick_folder;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::parse_epoch;
use crate::script::fake_gateway::FakeGateway;
use crate::script::fake_haproxy::FakeHaproxy;
use crate::script::fake_traefik::FakeTraefik;

/// Checks every case of one driver.
pub(crate) fn check(name: &str, plugin: &dyn DriverKind) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    testkit::check_fixtures(root, name, |case| run(plugin, case));
}

struct Script<'a> {
    plugin: &'a dyn DriverKind,
    driver: Box<dyn EdgeDriver>,
    target: Target,
    folder: PathBuf,
    haproxy: FakeHaproxy,
    traefik: Arc<Mutex<FakeTraefik>>,
    gateway: Arc<Mutex<FakeGateway>>,
    /// The way to the machine of an edge of kind `agent`, whose gate is in `remote`.
    _line: Option<Carried>,
}

fn run(plugin: &dyn DriverKind, case: &Case) -> String {
    let folder = quick_folder();
    let mut script = Script::start(plugin, &case.files, folder.path());
    let (_, text) = case.files.iter().find(|(name, _)| name == "script.txt").expect("a script");
    let mut out = String::new();
    for line in String::from_utf8_lossy(text).lines() {
        let _ = writeln!(out, "{line}");
        if !line.is_empty() && !line.starts_with('#') {
            for answer in script.step(line) {
                let _ = writeln!(out, "    {answer}");
            }
        }
    }
    let whole = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/");
    out.replace(&script.folder.display().to_string(), "").replace(whole, "/")
}

/// Where the fake of a kind with an interface answers.
fn api(kind: &str, traefik: &Arc<Mutex<FakeTraefik>>, gateway: &Arc<Mutex<FakeGateway>>) -> String {
    let (traefik, gateway) = (Arc::clone(traefik), Arc::clone(gateway));
    let address = match kind {
        "traefik" => fake_http::serve(move |_, uri, _| traefik.lock().unwrap().answer(uri)),
        "gateway_api" => fake_http::serve(move |method, uri, body| {
            let (status, text) = gateway.lock().unwrap().answer(method, uri, body);
            (status, Vec::new(), text)
        }),
        _ => return String::new(),
    };
    address.to_string()
}

/// The program of an edge of kind `command`: the case's own, or a whole one.
fn program(root: &Path) -> String {
    let own = root.join("edge.sh");
    let whole = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/edge.sh");
    if own.exists() { own.display().to_string() } else { whole.to_owned() }
}

/// A group of two gates: that of the target, and another one beside it.
fn pair(target: Target, root: &Path) -> Target {
    let member = |name: &str, gate: &str| Target {
        name: name.to_owned(),
        kind: "builtin".to_owned(),
        gate: root.join(gate),
        ..target.clone()
    };
    let members = vec![member("one", "gate"), member("two", "second")];
    let settings = [(MEMBERS.to_owned(), "one two".to_owned())].into();
    Target { settings, members, ..target }
}

impl<'a> Script<'a> {
    /// An edge of this kind beside these files, with the fake of its program.
    fn start(plugin: &'a dyn DriverKind, files: &[(String, Vec<u8>)], root: &Path) -> Self {
        let path = |name: &str| root.join(name).display().to_string();
        for (name, bytes) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let map = root.join("dark.map");
        if !map.exists() {
            fs::write(&map, "").unwrap();
        }
        let program =
            |verb| format!(r#"["/bin/sh","{}","{verb}","{}"]"#, program(root), path("remote"));
        let traefik = FakeTraefik::new(root.join("relight-dark.yml"));
        let (traefik, gateway) =
            (Arc::new(Mutex::new(traefik)), Arc::new(Mutex::new(FakeGateway::new())));
        let settings = [
            ("api", api(plugin.name(), &traefik, &gateway)),
            ("file", path("relight-dark.yml")),
            ("hosts", path("hosts")),
            ("routes", path("routes")),
            ("holding", "hold:8080".into()),
            ("map", path("dark.map")),
            ("socket", path("socket")),
            ("worker_user", "self".into()),
            ("agent", "web-1".into()),
            ("observe", program("observe")),
            ("apply", program("apply")),
            ("capabilities", "durable survives_reload".into()),
        ];
        let target = Target {
            name: "edge".into(),
            kind: plugin.name().into(),
            gate: root.join("gate"),
            listeners: Vec::new(),
            verify: None,
            settings: BTreeMap::from(settings.map(|(name, value)| (name.to_owned(), value))),
            members: Vec::new(),
        };
        let target = if plugin.name() == GROUP { pair(target, root) } else { target };
        let haproxy = FakeHaproxy::start(&root.join("socket"), &map);
        let is_agent = plugin.name() == AGENT;
        let line = is_agent.then(|| carry(root, NextDoor::at(&root.join("remote"))));
        let (driver, folder) = (plugin.open(&target).unwrap(), root.to_owned());
        Self { plugin, driver, target, folder, haproxy, traefik, gateway, _line: line }
    }

    fn step(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["apply", stage, epoch, keys @ ..] => vec![self.apply(stage, epoch, keys)],
            ["close", rest @ ..] => self.both(["durable", "runtime"], rest),
            ["open", rest @ ..] => self.both(["runtime", "durable"], rest),
            ["observe", keys @ ..] => self.observe(keys),
            ["cut", epoch, keys @ ..] => {
                let keys: Vec<GateKey> = set(keys).into_iter().collect();
                vec![said(self.driver.cut(parse_epoch(epoch).unwrap(), &keys))]
            }
            ["lint"] => match self.driver.lint() {
                Ok(lints) => lints
                    .iter()
                    .map(|lint| format!("{:?} {} {}", lint.severity, lint.code, lint.place))
                    .collect(),
                Err(error) => vec![format!("{:?}: {error}", error.kind)],
            },
            ["tree"] => self.tree(),
            ["reopen"] => {
                self.driver = self.plugin.open(&self.target).unwrap();
                Vec::new()
            }
            ["write", path, text @ ..] => {
                self.done(|folder| fs::write(folder.join(path), text.join(" ") + "\n"))
            }
            ["remove", path] => self.done(|folder| fs::remove_file(folder.join(path))),
            ["mkdir", path] => self.done(|folder| fs::create_dir_all(folder.join(path))),
            ["chmod", mode, path] => self.done(|folder| {
                let mode = u32::from_str_radix(mode, 8).unwrap();
                fs::set_permissions(folder.join(path), fs::Permissions::from_mode(mode))
            }),
            // As a copy that keeps its time, and as a clock that ran ahead.
            ["years", count, path] => self.done(|folder| {
                let file = fs::File::options().append(true).open(folder.join(path))?;
                let seconds = count.parse::<u64>().unwrap() * 365 * 86_400;
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            }),
            ["change", stage, epoch, changed, keys @ ..] => {
                let stage = if *stage == "durable" { Stage::Durable } else { Stage::Runtime };
                let (epoch, changed) = (parse_epoch(epoch).unwrap(), set(&[changed]));
                vec![said(self.driver.apply_changes(epoch, stage, &set(keys), &changed))]
            }
            ["traefik", order @ ..] => self.traefik.lock().unwrap().order(order),
            ["gateway", order @ ..] => self.gateway.lock().unwrap().order(order),
            ["haproxy", command @ ..] => self.haproxy.order(&command.join(" ")),
            _ => panic!("no such command: {line}"),
        }
    }

    fn done(&self, act: impl FnOnce(&Path) -> io::Result<()>) -> Vec<String> {
        act(&self.folder).unwrap();
        Vec::new()
    }

    fn both(&mut self, stages: [&str; 2], rest: &[&str]) -> Vec<String> {
        stages.iter().map(|stage| self.apply(stage, rest[0], &rest[1..])).collect()
    }

    fn apply(&mut self, stage: &str, epoch: &str, keys: &[&str]) -> String {
        let stage = if stage == "durable" { Stage::Durable } else { Stage::Runtime };
        let (epoch, dark) = (parse_epoch(epoch).unwrap(), set(keys));
        let first = said(self.driver.apply(epoch, stage, &dark));
        let state = |script: &Self| (script.tree(), script.haproxy.order("show"));
        let once = state(self);
        let second = said(self.driver.apply(epoch, stage, &dark));
        assert_eq!((first == "ok", once), (second == "ok", state(self)), "twice is not once");
        first
    }

    fn observe(&mut self, keys: &[&str]) -> Vec<String> {
        let keys: Vec<GateKey> = set(keys).into_iter().collect();
        let views = match self.driver.observe(&keys) {
            Ok(views) => views,
            Err(error) => return vec![format!("{:?}: {error}", error.kind)],
        };
        let line = |(key, view): (&GateKey, &crate::driver::GateView)| {
            let epoch = view.epoch.map_or("none".to_owned(), crate::fence::text);
            let foreign = if view.foreign { " foreign" } else { "" };
            let (durable, runtime) = (view.durable, view.runtime);
            format!("{key}: durable {durable:?}, runtime {runtime:?}, epoch {epoch}{foreign}")
        };
        keys.iter().zip(&views).map(line).collect()
    }

    /// The gate directory and the map file, as one line per file; long folders are counted.
    fn tree(&self) -> Vec<String> {
        let gate = self.folder.join("gate");
        let mut lines = Vec::new();
        for name in names(&gate) {
            let path = gate.join(&name);
            if let Ok(link) = fs::read_link(&path) {
                lines.push(format!("{name} -> {}", link.display()));
            } else if path.is_dir() {
                let keys = names(&path);
                let text =
                    if keys.len() > 8 { format!("{} keys", keys.len()) } else { keys.join(" ") };
                lines.push(format!("{name}/ {text}"));
            } else {
                lines.push(format!("{name}: {}", content(&path)));
            }
        }
        lines.push(format!("dark.map: {}", content(&self.folder.join("dark.map"))));
        let file = self.folder.join("relight-dark.yml");
        if file.exists() {
            let text = fs::read_to_string(file).unwrap();
            lines.extend(text.lines().filter(|line| line.contains("rule")).map(str::to_owned));
        }
        lines
    }
}

fn content(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    match text.lines().count() {
        0..=8 => text.trim_end().replace('\n', " | "),
        count => format!("{count} lines"),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn said(result: Result<(), crate::error::EdgeError>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{:?}: {error}", error.kind),
    }
}

fn set(words: &[&str]) -> GateSet {
    let keys = words.iter().flat_map(|word| match word.split_once('*') {
        Some((stem, count)) => (0..count.parse().unwrap()).map(|n| format!("{stem}{n}")).collect(),
        None => vec![(*word).to_owned()],
    });
    keys.map(|key| GateKey::new(&key).unwrap()).collect()
}

/// The files that say where sites `a` to `d` are, for the drivers that read one.
fn files_of_four() -> [(String, Vec<u8>); 2] {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    [
        file("hosts", "a.example a\nb.example b\nc.example c\nd.example d\n"),
        file("routes", "a web/a\nb web/b\nc web/c\nd web/d\n"),
    ]
}

/// Goal: of two controllers the older never overwrites the newer, on any driver that there is.
/// Method: the older one writes without pause in a thread while the newer takes over; what stays is
/// what the newer wanted, and from then on every effect of the older is refused.
#[test]
fn an_older_controller_never_overwrites_a_newer_one_on_any_driver() {
    let (older, newer) = (Epoch { term: 1, seq: 900 }, Epoch { term: 2, seq: 1 });
    for plugin in crate::drivers::DRIVERS {
        let name = plugin.name();
        let folder = quick_folder();
        let mut script = Script::start(*plugin, &files_of_four(), folder.path());
        let mut before = plugin.open(&script.target).unwrap();
        let (began, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut fenced = 0;
                while !is_over.load(Ordering::Relaxed) {
                    for (stage, dark) in [
                        (Stage::Durable, set(&["a", "b"])),
                        (Stage::Runtime, set(&["a", "b"])),
                        (Stage::Runtime, set(&[])),
                        (Stage::Durable, set(&[])),
                    ] {
                        let applied = before.apply(older, stage, &dark);
                        fenced += usize::from(applied.is_err_and(|it| is_fenced(&it, name)));
                        began.store(true, Ordering::Relaxed);
                    }
                }
                fenced
            });
            while !began.load(Ordering::Relaxed) && !writer.is_finished() {
                thread::yield_now();
            }
            for stage in [Stage::Durable, Stage::Runtime] {
                // A neighbour that writes all the time may have to be waited for.
                while let Err(error) = script.driver.apply(newer, stage, &set(&["b", "c"])) {
                    assert!(error.retry, "{name}: {error}");
                }
            }
            // Long enough for every effect of the older one to be tried once more.
            for _ in 0..5 {
                assert!(holds_what_the_newer_wants(&mut script), "{name}");
                thread::yield_now();
            }
            is_over.store(true, Ordering::Relaxed);
            writer.join().unwrap();
        });
        for (stage, dark) in [(Stage::Durable, set(&[])), (Stage::Runtime, set(&["a"]))] {
            let error = before.apply(older, stage, &dark).expect_err(name);
            assert_eq!(error.kind, EdgeErrorKind::Fenced, "{name}: {error}");
        }
        assert!(holds_what_the_newer_wants(&mut script), "{name}");
        assert_eq!(script.driver.observe(&keys(&["b"])).unwrap()[0].epoch, Some(newer), "{name}");
    }
}

/// Goal: a record of the epoch that is lost, or an old copy of it that somebody puts back, lets no
/// older controller in, on any driver; and whoever takes over next is told of the newer one.
/// Method: a newer controller takes over from an older one, with few changes, so that each driver
/// makes them in place; then the file is what the older one left, and then gone.
#[test]
fn a_record_that_was_lost_or_put_back_lets_no_older_controller_in() {
    let (older, newer) = (Epoch { term: 1, seq: 900 }, Epoch { term: 2, seq: 1 });
    for plugin in crate::drivers::DRIVERS {
        let name = plugin.name();
        let folder = quick_folder();
        let mut script = Script::start(*plugin, &files_of_four(), folder.path());
        let mut before = plugin.open(&script.target).unwrap();
        let gates = ["gate", "remote", "second"].map(|gate| folder.path().join(gate));
        let records: Vec<PathBuf> = gates.iter().map(|gate| gate.join("epoch")).collect();
        let both = |driver: &mut Box<dyn EdgeDriver>, epoch, names: &[&str]| {
            for stage in [Stage::Durable, Stage::Runtime] {
                driver.apply(epoch, stage, &set(names)).unwrap();
            }
        };
        both(&mut before, older, &["a", "b"]);
        let old: Vec<Option<Vec<u8>>> = records.iter().map(|path| fs::read(path).ok()).collect();
        assert!(old.iter().any(Option::is_some), "{name}");
        both(&mut script.driver, newer, &["b", "c"]);
        // What some kinds tell outside of the folder is looked at alone in the end.
        let tells = plugin.epoch_beside(&script.target).is_some();
        let all = [&[][..], &["epoch"], &["epoch", "lock"]];
        for lost in all.into_iter().filter(|lost| lost.len() < 2 || tells) {
            for (path, old) in records.iter().zip(&old) {
                if let Some(bytes) = old {
                    fs::write(path, bytes).unwrap();
                    lost.iter().for_each(|it| fs::remove_file(path.with_file_name(it)).unwrap());
                }
            }
            for (stage, dark) in [(Stage::Durable, set(&[])), (Stage::Runtime, set(&["a"]))] {
                let error = before.apply(older, stage, &dark).expect_err(name);
                assert_eq!(error.kind, EdgeErrorKind::Fenced, "{name}, {lost:?}: {error}");
                let error = before.apply_changes(older, stage, &set(&["b"]), &set(&["c"]));
                let error = error.expect_err(name);
                assert_eq!(error.kind, EdgeErrorKind::Fenced, "{name}, {lost:?}: {error}");
            }
            if lost.len() < 2 {
                // It takes no gate away, and asks the folder alone.
                let error = before.cut(older, &keys(&["c"])).expect_err(name);
                assert_eq!(error.kind, EdgeErrorKind::Fenced, "{name}, {lost:?}: {error}");
            }
            assert!(holds_what_the_newer_wants(&mut script), "{name}, {lost:?}");
            let told = crate::driver::newest_epoch(&script.target).unwrap().unwrap();
            assert_eq!(told.term, newer.term, "{name}, {lost:?}");
        }
    }
}

/// Whether an error says that another controller took over; else it is one that a race may cause.
fn is_fenced(error: &EdgeError, name: &str) -> bool {
    let is_fenced = error.kind == EdgeErrorKind::Fenced;
    assert!(is_fenced || error.retry, "{name}: {error}");
    is_fenced
}

/// The edge holds what the newer controller wants: `b` and `c`, and nothing else.
fn holds_what_the_newer_wants(script: &mut Script<'_>) -> bool {
    script.traefik.lock().unwrap().order(&["tick"]);
    let views = script.driver.observe(&keys(&["a", "b", "c", "d"])).unwrap();
    let seen = views.iter().map(|view| (view.durable, view.runtime));
    let (dark, lit) = ((Seen::Dark, Seen::Dark), (Seen::Lit, Seen::Lit));
    seen.eq([lit, dark, dark, lit])
}

fn keys(names: &[&str]) -> Vec<GateKey> {
    names.iter().map(|name| GateKey::new(name).unwrap()).collect()
}
