//! `relight serve`: console and public page, the edges under control, and a folder of feeds whose
//! advisories change answers while it runs.

mod fetching;
mod forward;
mod heads;
mod held;
mod running;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use clap::Args;
use relight_engine::edge::Carried;
use relight_engine::feeds::FeedFolder;
use relight_engine::live::Board;
use relight_engine::{Engine, FixWatch};
use relight_server::agents::AgentDesk;
use relight_server::agents::edges::Mailbox;
use relight_server::agents::serve::{AgentLimits, AgentListener};
use relight_server::web::views::{Stage, Theme};
use relight_server::web::{Lang, texts};
use relight_server::{OidcSettings, RSA_BITS_MIN, WebConfig, WebHandle, WebServer};

use self::fetching::{Fetching, Told};
use self::forward::ForwardTo;
use self::heads::Heads;
use self::held::Held;
use self::running::{Owed, Part, Server};
use crate::cmd::advisories::fetch::authorities;
use crate::cmd::agent::desk::desk;
use crate::cmd::edge::barrier::tell_troubles;
use crate::cmd::man;
use crate::cmd::policy;
use crate::cmd::public::{CERTIFICATE_KEY, Languages, PUBLIC_FOLDER, theme_names, with_slash};
use crate::cmd::watch::catalogue;
use crate::cmd::watch::ingest::feed;
use crate::cmd::watch::judging::Judging;
use crate::cmd::watch::parse::FeedOptions;
use crate::cmd::watch::receive::{Intake, Listeners};
use crate::context::Context;
use crate::failure::Failure;
use crate::operator;
use crate::report::Report;
use crate::stage;
use crate::stop::stop_on_interrupt;

/// The folder of feeds inside the data folder, unless another one is named.
const FEEDS_FOLDER: &str = "feeds";

/// Where to listen and what to watch.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8421")]
    public_listen: SocketAddr,
    #[arg(long, value_name = "DIR")]
    feeds: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    public_folder: Option<PathBuf>,
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[arg(long, value_name = "URL")]
    console_url: Option<String>,
    #[arg(long, value_name = "THEME", default_value = "neutral", value_parser = theme_names())]
    theme: String,
    #[command(flatten)]
    languages: Languages,
    #[arg(long, value_name = "ADDRESS")]
    agent_listen: Option<SocketAddr>,
    #[arg(long)]
    fetch: bool,
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    #[arg(long)]
    drill: bool,
    #[arg(long, value_name = "DIR")]
    heads: Option<PathBuf>,
    #[command(flatten)]
    forward: ForwardTo,
    #[command(flatten)]
    listeners: Listeners,
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    #[command(flatten)]
    options: FeedOptions,
}

/// The provider with its secret from the vault, where that has one of the name.
fn unsealed(oidc: OidcSettings, context: &Context) -> OidcSettings {
    let place = |path: PathBuf| match path.strip_prefix(&context.data).ok().and_then(Path::to_str) {
        Some(name) => context.secret(name),
        None => path,
    };
    OidcSettings { client_secret_file: oidc.client_secret_file.map(place), ..oidc }
}

impl Serve {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        self.refuse_open(lang)?;
        catalogue::load(context, report);
        let stop = stop_on_interrupt();
        if self.drill {
            stage::refuse_drill(context)?;
        }
        // There before the edges are driven: some of them are written by agents.
        let mailbox = self.agent_listen.map(|_| Mailbox::open(&context.data));
        let (engine, drive) = context.driven()?;
        let failed = |error| Failure::engine(lang, &error);
        policy::tell_unless_signed(context, engine.store(), report);
        self.languages.keep(context, engine.store(), report);
        let unnoted = policy::give_beforehand(context, &engine, report);
        let board = engine.board().map_err(failed)?;
        tell_troubles(&drive, report);
        let fixes = FixWatch::start(&engine).map_err(failed)?;
        let stage = self.stage(&engine, context, report)?;
        let (web, agents) = self.open((&engine, mailbox.as_ref()), &board, stage, context)?;
        let feeds = self.feeds_folder(context)?;
        let intake = self.intake(&engine, context)?;
        let fetched = self.fetching(&engine, context, &stop)?;
        let judging = Judging::start(&engine, &stop);
        let write_heads = |folder| Heads::start(folder, &engine, context, &stop);
        let heads = self.heads.clone().map(write_heads).transpose()?;
        let forward = self.forward.clone().start(&engine, context, &stop)?;
        let (looks, control, told_errors) = (None, None, BTreeSet::new());
        let (failing, owed) = (BTreeMap::new(), Owed::default());
        let faults = unnoted.iter().map(|it| (Part::Policy, it.why().to_owned())).collect();
        let mut server = Server {
            context,
            engine,
            board,
            feeds,
            told_errors,
            looks,
            fetched,
            judging,
            heads,
            forward,
            failing,
            control,
            faults,
            owed,
            held: Held::default(),
            went_on: None,
        };
        server.start(&web, agents.as_ref().map(AgentListener::address), report)?;
        let receiving = intake.map(|intake| {
            intake.tell(context, report);
            let (thread, looks) = intake.spawn(Arc::clone(&stop));
            server.looks = Some(looks);
            thread
        });
        let served = server.serve(&web, &stop, report);
        // A server that fails ends its listeners too, and tells what they took last.
        stop.store(true, Ordering::Relaxed);
        if let Some(thread) = receiving {
            server.tell_last(report);
            let _ = thread.join();
        }
        // The gates stay as they are; what was begun ends in order.
        drop(fixes);
        drop(drive);
        web.stop();
        served
    }

    /// Refuses to listen where others could come without protection.
    fn refuse_open(&self, lang: Lang) -> Result<(), Failure> {
        if !self.listen.ip().is_loopback() {
            let address = self.listen.to_string();
            return Err(Failure::usage(texts::serve_console_open(lang, &address))
                .hint(texts::serve_console_open_remedy(lang)));
        }
        self.listeners.plain.check(std::iter::once(self.public_listen), lang)
    }

    fn stage(
        &self,
        engine: &Engine,
        context: &Context,
        report: &mut Report,
    ) -> Result<Stage, Failure> {
        if self.drill {
            return stage::begin_drill(context, engine.store());
        }
        stage::told(context, engine.store(), report)
    }

    /// Console, public page, and the listener of agents where there is one.
    fn open(
        &self,
        (engine, mailbox): (&Arc<Engine>, Option<&(Arc<Mailbox>, Carried)>),
        board: &Arc<Board>,
        stage: Stage,
        context: &Context,
    ) -> Result<(WebHandle, Option<AgentListener>), Failure> {
        let with_edges = |(mailbox, _): &(Arc<Mailbox>, Carried)| -> Result<_, Failure> {
            let desk = desk(Arc::clone(engine), context)?;
            Ok(Arc::new(desk.with_edges(Arc::clone(mailbox))))
        };
        let desk = mailbox.map(with_edges).transpose()?;
        let web = self.web((engine, desk.clone()), board, stage, context)?;
        Ok((web, self.agents(desk, context)?))
    }

    fn web(
        &self,
        (engine, agents): (&Arc<Engine>, Option<Arc<AgentDesk>>),
        board: &Arc<Board>,
        stage: Stage,
        context: &Context,
    ) -> Result<WebHandle, Failure> {
        let lang = context.lang;
        // A policy that cannot be read was told already; then nobody vouches for anybody.
        let policy = operator::policy(context, engine.store()).ok();
        let rsa_bits_min = policy.as_ref().map_or(RSA_BITS_MIN, |policy| policy.rsa_bits_min);
        let totp_for_deciders = policy.as_ref().is_some_and(|policy| policy.totp_for_deciders);
        let sign_ins = policy.as_ref().map(|policy| policy.sign_ins).unwrap_or_default();
        let folder = || context.data.join(PUBLIC_FOLDER);
        let config = WebConfig {
            console: self.listen,
            engine: Some(Arc::clone(engine)),
            agents,
            public: self.public_listen,
            public_url: self.public_url.clone().map(with_slash),
            console_url: self.console_url.clone(),
            oidc: policy.and_then(|policy| policy.oidc).map(|oidc| unsealed(oidc, context)),
            rsa_bits_min,
            totp_for_deciders,
            sign_ins,
            public_folder: Some(self.public_folder.clone().unwrap_or_else(folder)),
            certificate_key: Some(context.secret(CERTIFICATE_KEY)),
            manual: Some(man::sheets),
            stage,
            theme: Theme::parse(&self.theme).unwrap_or_default(),
            languages: self.languages.all(),
            ..WebConfig::loopback(Arc::clone(board))
        };
        WebServer::start(config).map_err(|error| {
            let addresses = format!("{}, {}", self.listen, self.public_listen);
            Failure::new(texts::serve_cannot_listen(lang, &addresses))
                .because(lang, &error)
                .hint(texts::serve_cannot_listen_remedy(lang))
        })
    }

    /// The listener of agents, when there is one.
    fn agents(
        &self,
        desk: Option<Arc<AgentDesk>>,
        context: &Context,
    ) -> Result<Option<AgentListener>, Failure> {
        let Some((desk, address)) = desk.zip(self.agent_listen) else { return Ok(None) };
        let started = AgentListener::start(desk, address, AgentLimits::default());
        started.map(Some).map_err(|error| {
            let lang = context.lang;
            Failure::new(texts::agents_cannot_listen(lang, &address.to_string()))
                .because(lang, &error)
                .hint(texts::agents_cannot_listen_remedy(lang))
        })
    }

    /// The listeners for logs, when there are any.
    fn intake(&self, engine: &Arc<Engine>, context: &Context) -> Result<Option<Intake>, Failure> {
        if !self.listeners.wanted(context)? {
            return Ok(None);
        }
        let lang = context.lang;
        let org = self.org.as_deref().ok_or_else(|| {
            Failure::usage(texts::receive_no_org(lang)).hint(texts::receive_no_org_remedy(lang))
        })?;
        let feed = feed(org, None, context)?;
        let readers = self.options.readers(feed, context)?;
        self.options.note_proxies(engine, context)?;
        Intake::start(engine, readers, Vec::new(), &self.listeners, context).map(Some)
    }

    /// What feeds over the network bring, when they are to be fetched.
    fn fetching(
        &self,
        engine: &Arc<Engine>,
        context: &Context,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<mpsc::Receiver<Told>>, Failure> {
        let start = || Fetching::start(engine, context, authorities(self.ca.clone()), stop);
        self.fetch.then(start).transpose()
    }

    /// The folder of feeds, which is made when it is our own.
    fn feeds_folder(&self, context: &Context) -> Result<FeedFolder, Failure> {
        let folder = self.feeds.clone().unwrap_or_else(|| context.data.join(FEEDS_FOLDER));
        let made = if self.feeds.is_none() { fs::create_dir_all(&folder) } else { Ok(()) };
        made.and_then(|()| fs::read_dir(&folder).map(drop)).map_err(|error| {
            let lang = context.lang;
            Failure::new(texts::cannot_read(lang, &folder.display().to_string()))
                .because(lang, &error)
                .hint(texts::cannot_read_remedy(lang))
        })?;
        Ok(FeedFolder::new(folder))
    }
}
