//! `relight edge`: the proxies in front of the sites.

mod agent;
mod asked;
pub(crate) mod barrier;
pub(crate) mod check;
mod config;
mod discover;
mod group;
pub(crate) mod holding;
mod lint;
mod rehearsal;
mod remove;
mod repair;
mod routing;
pub(crate) mod run;
pub(crate) mod trial;
mod unasked;

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use relight_engine::edge::{
    self, EdgeDriver, EdgeError, EdgeErrorKind, GateSet, Lint, Stage, Target,
};
use relight_engine::edges;
use relight_engine::reconcile::{GRACE, GRACE_S_MAX, grace_ms};
use relight_engine::refusals::{CONFIG_SETTING, configuration};
use relight_model::Epoch;
use relight_server::agents::edges::notes_of;
use relight_server::web::texts;
use serde::Serialize;

pub(crate) use self::check::troubles;
use crate::context::Context;
use crate::failure::{Failure, chain, coded};
use crate::register::Register;
use crate::report::Report;
use crate::table::{Align, Table};

/// Who changes the register from the command line.
const ACTOR: &str = "relight edge add";

/// What to do with edges.
#[derive(Debug, Args)]
pub(crate) struct Edge {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    List,
    Remove(remove::Remove),
    Check(check::Check),
    Test(trial::Test),
    Config(config::Config),
    Holding(holding::Holding),
    Run(run::Run),
    Lint(lint::Lint),
    Discover(discover::Discover),
}

#[derive(Debug, Args)]
struct Add {
    #[arg(value_name = "KIND", value_parser = kinds())]
    kind: String,
    #[arg(long, value_name = "NAME")]
    name: String,
    #[arg(long, value_name = "DIR")]
    gate: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    listen: Vec<SocketAddr>,
    #[arg(long, value_name = "SOCKET")]
    verify: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "EDGE", num_args = 1..,
        conflicts_with_all = ["gate", "listen", "verify", "config"])]
    member: Vec<String>,
    #[arg(long, value_name = "AGENT",
        conflicts_with_all = ["gate", "verify", "config", "member"])]
    agent: Option<String>,
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    settings: Vec<(String, String)>,
}

#[derive(Serialize)]
struct ListDocument {
    edges: Vec<EdgeRow>,
}

#[derive(Serialize)]
struct EdgeRow {
    name: String,
    kind: String,
    gate: PathBuf,
    listeners: Vec<SocketAddr>,
    verify: Option<PathBuf>,
    settings: BTreeMap<String, String>,
    sites: usize,
    /// What this kind can do, and how that is known.
    capabilities: BTreeMap<&'static str, &'static str>,
}

/// What a kind of edge can do; nothing for a kind that nobody drives any more.
fn capabilities(kind: &str) -> BTreeMap<&'static str, &'static str> {
    let driver = edge::DRIVERS.iter().find(|driver| driver.name() == kind);
    driver.map(|driver| driver.capabilities().record().into()).unwrap_or_default()
}

/// The kinds of edges that this program drives.
fn kinds() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(edge::DRIVERS.iter().map(|driver| driver.name()))
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("no equals sign")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Edge {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Add(add) => add.run(context, report),
            Action::List => list(context, report),
            Action::Remove(remove) => remove.run(context, report),
            Action::Check(check) => check.run(context, report),
            Action::Test(test) => test.run(context, report),
            Action::Config(config) => config.run(context, report),
            Action::Holding(holding) => holding.run(context, report),
            Action::Run(run) => run.run(context, report),
            Action::Lint(lint) => lint.run(context, report),
            Action::Discover(discover) => discover.run(context, report),
        }
    }
}

impl Add {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        group::check_options(&self.kind, &self.member, context)?;
        agent::check_options(&self.kind, self.agent.as_deref(), context)?;
        let missing = self.missing();
        if !missing.is_empty() {
            return Err(Failure::usage(texts::usage_missing(lang, &missing.join(", "))));
        }
        let store = context.store()?;
        let mut settings: BTreeMap<String, String> = self.settings.into_iter().collect();
        if !self.member.is_empty() {
            settings.insert(edge::MEMBERS.to_owned(), self.member.join(" "));
        }
        if let Some(file) = self.config {
            let file = absolute(&file, context)?.display().to_string();
            settings.insert(CONFIG_SETTING.to_owned(), file);
        }
        for name in [edge::TESTER, edge::TESTERS_CA, edge::TESTERS_SHOWN] {
            if let Some(file) = settings.get_mut(name) {
                *file = absolute(Path::new(file), context)?.display().to_string();
            }
        }
        // What is noted of an edge elsewhere is in the data folder.
        let gate = match self.agent {
            Some(agent) => {
                settings.insert(edge::AGENT_SETTING.to_owned(), agent);
                Some(notes_of(&context.data, &self.name))
            }
            None => self.gate,
        };
        let mut target = Target {
            name: self.name,
            kind: self.kind,
            gate: gate.map_or(Ok(PathBuf::new()), |gate| absolute(&gate, context))?,
            listeners: self.listen,
            verify: self.verify.map(|path| socket(path, context)).transpose()?,
            settings,
            members: Vec::new(),
        };
        barrier::refuse(&target, &store, context)?;
        let row = edges::to_row(&target).map_err(|error| Failure::engine(lang, &error))?;
        group::settle(&mut target, &store, context)?;
        refuse_grace(&target, context)?;
        edge::Testers::of(&target).map_err(|error| edge_failure(&error, context))?;
        let is_elsewhere = edge::is_elsewhere(&target);
        if !is_elsewhere {
            try_out(&target, context, report)?;
        }
        let put = store.put_edge(&row, context.now(), ACTOR);
        put.map_err(|error| context.store_failure(&error))?;
        if target.kind == edge::AGENT {
            agent::tell_added(&target, &store, context, report)?;
        }
        if context.json {
            let edges = vec![row_of(target, 0)];
            report.document("relight.edges/1", &ListDocument { edges });
            return Ok(());
        }
        report.line(&texts::edge_added(lang, &target.name));
        if !is_elsewhere {
            report.next(&format!("relight edge test {}", target.name));
        }
        Ok(())
    }

    /// What this kind needs and was not given.
    fn missing(&self) -> Vec<&'static str> {
        let listen = ("--listen", self.listen.is_empty());
        let needed = match self.kind.as_str() {
            edge::GROUP => vec![("--member", self.member.is_empty())],
            edge::AGENT => vec![("--agent", self.agent.is_none()), listen],
            _ => vec![("--gate", self.gate.is_none()), listen],
        };
        needed.into_iter().filter(|(_, is_missing)| *is_missing).map(|(option, _)| option).collect()
    }
}

/// Opens an edge, says what is wrong with its set-up, and gives a new gate its first generation.
fn try_out(target: &Target, context: &Context, report: &mut Report) -> Result<(), Failure> {
    let mut driver = edge::open(target).map_err(|error| edge_failure(&error, context))?;
    match driver.lint() {
        Ok(findings) => findings.iter().for_each(|it| tell_lint(&target.name, it, report)),
        Err(error) => not_running(&error, target, context, report)?,
    }
    for found in configuration(target) {
        lint::tell(&found, report);
    }
    if let Ok(open) = edge::spelling::open_to_nobody(target) {
        open.iter().for_each(|it| tell_lint(&target.name, it, report));
    }
    if let Ok(lacking) = edge::spelling::without_http2(target) {
        lacking.iter().for_each(|it| tell_lint(&target.name, it, report));
    }
    match prepare(target, driver.as_mut()) {
        Err(error) => not_running(&error, target, context, report),
        Ok(()) => Ok(()),
    }
}

/// Refuses a grace that would be taken for the usual one.
fn refuse_grace(target: &Target, context: &Context) -> Result<(), Failure> {
    if grace_ms(target).is_some() {
        return Ok(());
    }
    let value = target.settings.get(GRACE).map_or("", String::as_str);
    let refused = texts::edge_grace_refused(context.lang, value);
    let most = GRACE_S_MAX.to_string();
    Err(Failure::usage(refused).hint(texts::edge_grace_remedy(context.lang, &most)))
}

/// Gives a new gate its first generation, in which nothing of ours is dark: without one the edge
/// shows every site dark. A gate that an order has reached already is newer, and stays as it is.
fn prepare(target: &Target, driver: &mut dyn EdgeDriver) -> Result<(), EdgeError> {
    if !edge::needs_first_generation(target) {
        return Ok(());
    }
    match driver.apply(Epoch::default(), Stage::Durable, &GateSet::new()) {
        Err(error) if error.kind == EdgeErrorKind::Fenced => Ok(()),
        applied => applied,
    }
}

/// An edge that does not run yet is registered all the same: its configuration is written for the
/// register, so it cannot run before. Anything else is a reason not to.
fn not_running(
    error: &EdgeError,
    target: &Target,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    if error.kind != EdgeErrorKind::Unreachable {
        return Err(edge_failure(error, context));
    }
    let lang = context.lang;
    let what = texts::edge_no_answer(lang);
    report.warn_in_detail(&target.name, what, &chain(error), texts::edge_not_running(lang));
    Ok(())
}

/// Gates are written by whoever runs relight later, from wherever that is.
fn absolute(path: &Path, context: &Context) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        let message = texts::cannot_read(context.lang, &path.display().to_string());
        let failure = Failure::new(message).because(context.lang, &error);
        failure.hint(texts::cannot_read_remedy(context.lang))
    })
}

/// The verification path: a unix socket, or an address on loopback, which is no path.
fn socket(path: PathBuf, context: &Context) -> Result<PathBuf, Failure> {
    if edge::http::loopback(&path).is_some() { Ok(path) } else { absolute(&path, context) }
}

/// An edge that cannot be used, in words.
pub(crate) fn edge_failure(error: &EdgeError, context: &Context) -> Failure {
    let lang = context.lang;
    if error.kind == EdgeErrorKind::Elsewhere {
        return Failure::new(texts::edge_elsewhere(lang, &error.edge))
            .hint(texts::edge_elsewhere_remedy(lang));
    }
    Failure::new(texts::edge_failed(lang))
        .because(lang, error)
        .hint(texts::edge_failed_remedy(lang))
}

fn tell_lint(name: &str, lint: &Lint, report: &mut Report) {
    let lang = report.lang();
    let (what, remedy) = coded(lang, &format!("lint-{}", lint.code));
    let what = if what.is_empty() { lint.code } else { what };
    report.warn(&format!("{name}: {}", lint.place), what, remedy);
}

fn row_of(target: Target, sites: usize) -> EdgeRow {
    let capabilities = match target.kind.as_str() {
        // As much as the least of those that it stands for.
        edge::GROUP => edge::capabilities_of(&target).record().into(),
        kind => capabilities(kind),
    };
    let Target { name, kind, gate, listeners, verify, settings, members: _ } = target;
    EdgeRow { name, kind, gate, listeners, verify, settings, sites, capabilities }
}

/// The edge of this kind and name, or the only one of this kind.
fn the_target(
    kind: &str,
    name: Option<&str>,
    register: &Register,
    context: &Context,
) -> Result<Target, Failure> {
    let lang = context.lang;
    let fits = |target: &Target| target.kind == kind && name.is_none_or(|name| name == target.name);
    let mut fitting: Vec<Target> = targets(register, context)?.into_iter().filter(fits).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            Err(Failure::usage(texts::edge_several(lang)).hint(texts::edge_several_remedy(lang)))
        }
        (None, _) => {
            Err(Failure::new(texts::edge_none(lang, kind))
                .hint(texts::edge_none_remedy(lang, kind)))
        }
    }
}

/// The first address of `HOST:PORT`, as an option or a file gives it.
fn address_of(place: &str, text: &str, context: &Context) -> Result<SocketAddr, Failure> {
    let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| Failure::usage(texts::usage_bad_value(context.lang, place, text)))
}

/// The edges of the register, with how many sites each serves.
pub(super) fn targets(register: &Register, context: &Context) -> Result<Vec<Target>, Failure> {
    barrier::registered(&register.store, context)
}

fn list(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let lang = context.lang;
    let register = Register::open(context)?;
    let served = |name: &str| register.sites.iter().filter(|site| site.edge == name).count();
    let targets = targets(&register, context)?;
    let rows: Vec<EdgeRow> = targets
        .into_iter()
        .map(|target| {
            let sites = served(&target.name);
            row_of(target, sites)
        })
        .collect();
    if context.json {
        report.document("relight.edges/1", &ListDocument { edges: rows });
        return Ok(());
    }
    let mut table = Table::new(&[
        (texts::column_edge(lang), Align::Left),
        (texts::column_kind(lang), Align::Left),
        (texts::column_sites(lang), Align::Right),
        (texts::column_gate(lang), Align::Left),
    ]);
    for row in &rows {
        let gate = group::place(row);
        let kind = match row.capabilities.get("maturity") {
            Some(&"experimental") => texts::edge_kind_experimental(lang, &row.kind),
            _ => row.kind.clone(),
        };
        table.row(vec![row.name.clone(), kind, row.sites.to_string(), gate]);
    }
    table.print(report);
    report.line(&texts::edges_known(lang, rows.len()));
    Ok(())
}
