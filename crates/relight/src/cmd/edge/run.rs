//! `relight edge run`: the built-in edge, as a process of its own.
//!
//! It reads the register once, when it starts, and the gate folder on each request: a console that
//! is stopped, or killed, leaves every site as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use clap::Args;
use relight_engine::edge::Target;
use relight_model::Site;
use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyConfig, Route, host_of};
use relight_server::web::texts;
use serde::Serialize;

use super::config::testers;
use super::{address_of, group, holding, targets, the_target};
use crate::cmd::public::language_names;
use crate::context::Context;
use crate::failure::Failure;
use crate::plain::{Plain, is_open};
use crate::register::Register;
use crate::report::Report;
use crate::stop::stop_on_interrupt;

/// The kind of edge that this command is.
const KIND: &str = "builtin";

/// Folder of the edges inside the data folder: holding page and ACME tokens of each.
const FOLDER: &str = "edges";

/// Longest file of routes, in bytes: 4,000 sites of 250 bytes.
const ROUTES_BYTES_MAX: u64 = 1_000_000;

/// How often it looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(super) struct Run {
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[arg(long, value_name = "HOST:PORT")]
    upstream: Option<String>,
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, value_name = "LANGUAGES", value_parser = language_names())]
    languages: Option<String>,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Serialize)]
struct RunDocument<'a> {
    edge: &'a str,
    listeners: &'a [SocketAddr],
    sites: usize,
}

/// The built-in edges that other machines reach, and where: they speak no TLS, and start with
/// `--unencrypted` only.
pub(crate) fn open_to_others(
    register: &Register,
    context: &Context,
) -> Result<Vec<(String, SocketAddr)>, Failure> {
    let built_in = targets(register, context)?.into_iter().filter(|target| target.kind == KIND);
    let open = |target: Target| {
        let address = target.listeners.into_iter().find(is_open);
        address.map(|address| (target.name, address))
    };
    Ok(built_in.filter_map(open).collect())
}

/// Where one site goes, and which other names lead to it.
struct Way {
    upstream: SocketAddr,
    aliases: Vec<String>,
}

impl Run {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open(context)?;
        let target = the_target(KIND, self.name.as_deref(), &register, context)?;
        self.plain.check(target.listeners.iter().copied(), context.lang)?;
        let name = group::serves_as(&target.name, &register, context)?;
        let sites = register.sites.iter().filter(|site| site.edge == name);
        let routes = self.ways(context)?.routes(sites, context)?;
        let folder = self.folder.unwrap_or_else(|| context.data.join(FOLDER).join(&target.name));
        let stop = stop_on_interrupt();
        let count = routes.len();
        let config = config(&target, &folder, routes, context)?;
        holding::prepare(&config.hold, self.languages.as_deref(), context, report)?;
        tell_outdated(&config.hold, &name, &register, context, report);
        let edge = EdgeProxy::start(config).map_err(|error| {
            let addresses: Vec<_> = target.listeners.iter().map(SocketAddr::to_string).collect();
            Failure::new(texts::serve_cannot_listen(context.lang, &addresses.join(", ")))
                .because(context.lang, &error)
                .hint(texts::edge_run_remedy(context.lang))
        })?;
        if context.json {
            let (edge, listeners) = (target.name.as_str(), edge.addresses());
            let document = RunDocument { edge, listeners, sites: count };
            report.document_line("relight.edge-run/1", &document);
        } else {
            let addresses: Vec<_> = edge.addresses().iter().map(SocketAddr::to_string).collect();
            let where_to = addresses.join(", ");
            report.line(&texts::edge_running(context.lang, &where_to, count, &target.name));
        }
        report.flush();
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(LOOK_EVERY);
        }
        edge.stop();
        Ok(())
    }

    fn ways(&self, context: &Context) -> Result<Ways, Failure> {
        let address = |text: &String| address_of("--upstream", text, context);
        let others = self.upstream.as_ref().map(address).transpose()?;
        let listed = match &self.routes {
            Some(path) => read_routes(path, context)?,
            None => BTreeMap::new(),
        };
        Ok(Ways { listed, others })
    }
}

/// Where the sites go.
struct Ways {
    /// Those with a line of their own, by short name.
    listed: BTreeMap<String, Way>,
    /// Where all others go.
    others: Option<SocketAddr>,
}

impl Ways {
    /// The routes of these sites; each must lead somewhere, and each line must have its site.
    fn routes<'a>(
        mut self,
        sites: impl Iterator<Item = &'a Site>,
        context: &Context,
    ) -> Result<Vec<Route>, Failure> {
        let lang = context.lang;
        let route = |site: &Site| {
            let others = || Some(Way { upstream: self.others?, aliases: Vec::new() });
            let way = self.listed.remove(site.slug.as_str()).or_else(others).ok_or_else(|| {
                Failure::usage(texts::edge_no_route(lang, site.slug.as_str()))
                    .hint(texts::edge_no_route_remedy(lang))
            })?;
            let (Way { upstream, aliases }, host) = (way, site.host().to_lowercase());
            // What is there in another spelling is the same name, and the edge takes none twice.
            let mut known = BTreeSet::from([host_of(&host)]);
            let names = aliases.into_iter().chain(site.aliases.iter().cloned());
            let aliases = names.filter(|name| known.insert(host_of(name))).collect();
            let parts = site.parts.clone();
            Ok(Route { key: site.slug.clone(), host, aliases, parts, upstream })
        };
        let routes = sites.map(route).collect::<Result<_, Failure>>()?;
        match self.listed.keys().next() {
            Some(slug) => Err(Failure::usage(texts::edge_route_of_nobody(lang, slug))
                .hint(texts::edge_route_of_nobody_remedy(lang))),
            None => Ok(routes),
        }
    }
}

/// Lines `SITE HOST:PORT [OTHER-HOST ...]`; empty ones and those that begin with `#` say nothing.
fn read_routes(path: &Path, context: &Context) -> Result<BTreeMap<String, Way>, Failure> {
    let bytes = context.read_file(path, ROUTES_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut listed = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{}:{}", path.display(), number + 1);
        let mut words = line.split_whitespace().map(str::to_owned);
        let Some(slug) = words.next().filter(|word| !word.starts_with('#')) else { continue };
        let upstream = address_of(&place, &words.next().unwrap_or_default(), context)?;
        let way = Way { upstream, aliases: words.collect() };
        if listed.insert(slug.clone(), way).is_some() {
            return Err(Failure::usage(texts::edge_route_twice(context.lang, &place, &slug)));
        }
    }
    Ok(listed)
}

/// Says where pages of sites do not say what the register does: what is shown is the operator's.
fn tell_outdated(
    hold: &Path,
    edge: &str,
    register: &Register,
    context: &Context,
    report: &mut Report,
) {
    let outdated = holding::outdated(hold, register.sites.iter().filter(|it| it.edge == edge));
    if outdated > 0 {
        let next = holding::command_for(hold);
        report.note(&texts::edge_holding_outdated(context.lang, &next, outdated));
    }
}

/// The folders of the built-in edges whose pages of sites do not say what the register does, and of
/// how many sites; those whose edges keep their pages elsewhere are not known here.
pub(crate) fn outdated_pages(
    register: &Register,
    context: &Context,
) -> Result<Vec<(PathBuf, usize)>, Failure> {
    let mut found = Vec::new();
    for target in targets(register, context)?.into_iter().filter(|target| target.kind == KIND) {
        let name = group::serves_as(&target.name, register, context)?;
        let hold = context.data.join(FOLDER).join(&target.name).join("hold");
        let sites = register.sites.iter().filter(|site| site.edge == name);
        let count = holding::outdated(&hold, sites);
        if count > 0 {
            found.push((hold, count));
        }
    }
    Ok(found)
}

/// What the edge is started with; its folder for tokens is made.
fn config(
    target: &Target,
    folder: &Path,
    routes: Vec<Route>,
    context: &Context,
) -> Result<EdgeProxyConfig, Failure> {
    let (hold, acme) = (folder.join("hold"), folder.join("acme"));
    fs::create_dir_all(&acme).map_err(|error| {
        Failure::new(texts::cannot_write(context.lang, &acme.display().to_string()))
            .because(context.lang, &error)
            .hint(texts::cannot_write_remedy(context.lang))
    })?;
    Ok(EdgeProxyConfig {
        listen: target.listeners.clone(),
        verify: target.verify.clone(),
        testers: testers(target, context)?,
        gate: target.gate.clone(),
        hold,
        acme,
        routes,
        limits: EdgeLimits::default(),
    })
}
