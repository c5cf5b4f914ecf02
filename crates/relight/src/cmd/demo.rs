//! `relight demo`: a fictional province, December 2021, on real files and a real proxy.

mod logs;
mod owners;
mod report;
mod script;
mod stage;
mod witness;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::Context as _;
use relight_engine::Engine;
use relight_engine::demo::{Province, SITES_DEFAULT, SITES_MAX};
use relight_engine::live::Board;
use relight_server::traffic::{Visitors, VisitorsConfig, VisitorsHandle};
use relight_server::web::texts;
use relight_server::web::views;
use relight_server::{Entrance, WebConfig, WebServer};
use tempfile::TempDir;

use owners::{Owners, Pace};
use report::{Story, Tell};
use stage::{EdgeKind, Layout, Stage};
use witness::Witness;

use crate::cmd::man;
use crate::cmd::public::{CERTIFICATE_KEY, PUBLIC_FOLDER};
use crate::context::Context;
use crate::failure::Failure;
use crate::localise::one_of;
use crate::report::{Exit, Report};
use crate::stop::stop_on_interrupt;

/// Visits a second while the incident runs.
const VISITS_PER_SECOND: u32 = 2_000;

/// Connections of the visitors.
const CONNECTIONS: usize = 32;

/// With `--serve`, how long each step of a site lasts, so that a person can watch.
const SERVE_PAUSE: Duration = Duration::from_millis(60);

/// Options of `relight demo`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Demo {
    #[arg(long, value_name = "N", default_value_t = SITES_DEFAULT as u64,
        value_parser = clap::value_parser!(u64).range(1..=SITES_MAX as u64))]
    sites: u64,
    #[arg(long, value_name = "N", default_value_t = 20_211_210)]
    seed: u64,
    #[arg(long, value_name = "KIND", default_value = "builtin",
        value_parser = one_of(EdgeKind::NAMES))]
    edge: String,
    #[arg(long)]
    serve: bool,
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, hide = true, requires = "folder")]
    prepare: bool,
    #[arg(long, hide = true, requires = "folder", conflicts_with = "prepare")]
    resume: bool,
}

impl Demo {
    /// Runs the demo; exit status 1 when a check against the truth fails.
    pub(crate) fn run(self, context: &Context, out: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let given = self.folder.as_deref().filter(|_| !self.prepare && !self.resume);
        if let Some(played) = given.filter(|folder| Layout::new(folder).data().exists()) {
            let message = texts::demo_folder_used(lang, &played.display().to_string());
            return Err(Failure::usage(message).hint(texts::demo_folder_used_remedy(lang)));
        }
        self.perform(context, out).map_err(|error| {
            let failure = Failure::new(texts::demo_failed(lang)).because(lang, error.as_ref());
            failure.hint(texts::demo_failed_remedy(lang))
        })
    }

    fn perform(&self, context: &Context, out: &mut Report) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.clone())?;
        let layout = Layout::new(&folder.path);
        let province = Province::generate(usize::try_from(self.sites)?, self.seed);
        if self.prepare {
            return prepare(&layout, &province);
        }
        if self.resume {
            return resume(&layout, &province);
        }
        let story = self.play(context, &layout, &province)?;
        story.print(context, out);
        if !story.holds() {
            out.raise(Exit::Failed);
        }
        Ok(())
    }

    fn play(
        &self,
        context: &Context,
        layout: &Layout,
        province: &Province,
    ) -> anyhow::Result<Story> {
        let tell = Tell::new(context);
        let pace = self.pace();
        let edge = EdgeKind::named(&self.edge);
        let mut story = Story::new(self.seed, edge, province);
        let mut clock = Stopwatch::new();
        let engine = script::open(layout)?;
        fs::write(layout.truth(), report::truth(province)?)
            .with_context(|| format!("writing {}", layout.truth().display()))?;
        script::register(&engine, province)?;
        let early = Owners { engine: &engine, layout, province, origin: None };
        tell.act(report::Act::Settle, province);
        early.settle()?;
        story.seconds.push(("settle", clock.lap()));
        tell.act(report::Act::Inventory, province);
        script::inventory(&early)?;
        story.seconds.push(("inventory", clock.lap()));
        tell.act(report::Act::Watch, province);
        let watched = logs::watch(&engine, layout, province)?;
        tell.watched(&watched);
        story.seconds.push(("watch", clock.lap()));
        tell.act(report::Act::Stage, province);
        let stage = Stage::start(layout, province, edge)?;
        script::enrol(&engine, &stage.target)?;
        let board = engine.board()?;
        let witness = Witness::follow(&engine, layout, province);
        let visitors = visit(&stage, province)?;
        let web = if self.serve { Some(serve(&tell, &engine, &board, layout)?) } else { None };
        story.seconds.push(("stage", clock.lap()));
        let owners = Owners { engine: &engine, layout, province, origin: Some(&stage.origin) };
        let drive = script::drive(&engine)?;
        let incident = self.incident(&tell, &owners, &mut story, &mut clock, &pace)?;
        let told = witness.testify(&engine, &incident, province, &stage.origin, &visitors)?;
        story.close(&engine, &watched, told, visitors.stop())?;
        story.seconds.push(("check", clock.lap()));
        story.wall_seconds = clock.total();
        if let Some(web) = web {
            tell.stay(web.console_addr(), web.public_addr());
            while !pace.is_stopped() {
                // Nothing to do but to be there until Ctrl-C.
                thread::sleep(SERVE_PAUSE);
            }
        }
        drop(drive);
        Ok(story)
    }

    /// From the question to the last light, with what it took.
    fn incident(
        &self,
        tell: &Tell,
        owners: &Owners<'_>,
        story: &mut Story,
        clock: &mut Stopwatch,
        pace: &Pace,
    ) -> anyhow::Result<String> {
        let engine = owners.engine;
        let (answered, keys) = script::ask(engine);
        story.answered = answered;
        tell.answered(&answered, owners.province.sites.len());
        let incident = script::order(engine, &keys)?;
        script::wait_dark(engine, &incident)?;
        story.seconds.push(("dark", clock.lap()));
        tell.dark(keys.len(), story.seconds_of("dark"));
        script::attach(engine, &incident)?;
        tell.act(report::Act::Work, owners.province);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| tell.follow(engine, &incident, &done));
            let result = owners.work(&incident, pace);
            let result = result.and_then(|()| script::wait_lit(engine, &incident));
            done.store(true, Ordering::Relaxed);
            engine.wake();
            result
        })?;
        anyhow::ensure!(!pace.is_stopped(), "interrupted");
        script::wait_dark(engine, &incident)?;
        story.seconds.push(("work", clock.lap()));
        Ok(incident)
    }

    fn pace(&self) -> Pace {
        let rest = if self.serve { SERVE_PAUSE } else { Duration::ZERO };
        Pace { rest, stop: stop_on_interrupt() }
    }
}

/// Everything before the incident, for a test that runs edge and origins itself.
fn prepare(layout: &Layout, province: &Province) -> anyhow::Result<()> {
    let engine = script::open(layout)?;
    script::register(&engine, province)?;
    let owners = Owners { engine: &engine, layout, province, origin: None };
    owners.settle()?;
    script::inventory(&owners)
}

/// What a killed engine does when it is started again: finish the incident.
fn resume(layout: &Layout, province: &Province) -> anyhow::Result<()> {
    let engine = script::open(layout)?;
    let drive = script::drive(&engine)?;
    let owners = Owners { engine: &engine, layout, province, origin: None };
    owners.recover()?;
    let incident = script::incident(&owners)?;
    anyhow::ensure!(script::unproven(&engine, &incident) == 0, "a dark site is not proven dark");
    drop(drive);
    Ok(())
}

fn visit(stage: &Stage, province: &Province) -> anyhow::Result<VisitorsHandle> {
    Ok(Visitors::start(VisitorsConfig {
        edge: stage.listener(),
        hosts: province.sites.iter().map(|site| site.host.clone()).collect(),
        rate_per_second: VISITS_PER_SECOND,
        connections: CONNECTIONS,
        seed: province.seed,
    })?)
}

/// Console and public page speak French first, whatever the language of the terminal.
fn serve(
    tell: &Tell,
    engine: &Arc<Engine>,
    board: &Arc<Board>,
    layout: &Layout,
) -> anyhow::Result<relight_server::WebHandle> {
    let web = WebServer::start(WebConfig {
        engine: Some(Arc::clone(engine)),
        // Everything in it is made up, so nobody has to sign in to read it.
        entrance: Entrance::Fictional,
        stage: views::Stage::Demo,
        public_folder: Some(layout.data().join(PUBLIC_FOLDER)),
        certificate_key: Some(layout.data().join(CERTIFICATE_KEY)),
        manual: Some(man::sheets),
        ..WebConfig::loopback(Arc::clone(board))
    })?;
    tell.serving(web.console_addr(), web.public_addr());
    Ok(web)
}

/// The folder of a demo; a temporary one is removed at the end.
struct Folder {
    path: PathBuf,
    /// Its own, removed when the demo ends.
    _own: Option<TempDir>,
}

impl Folder {
    fn new(given: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(path) = given {
            fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
            return Ok(Self { path: absolute(&path)?, _own: None });
        }
        // Never one that an earlier demo left when it was killed.
        let own = tempfile::Builder::new().prefix("relight-demo-").tempdir();
        let own = own.context("creating a folder for temporary files")?;
        Ok(Self { path: absolute(own.path())?, _own: Some(own) })
    }
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("looking up {}", path.display()))
}

/// Seconds since the last lap.
struct Stopwatch {
    began: Instant,
    last: Instant,
}

impl Stopwatch {
    fn new() -> Self {
        let now = Instant::now();
        Self { began: now, last: now }
    }

    fn lap(&mut self) -> f64 {
        let seconds = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        seconds
    }

    fn total(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}
