//! `relight serve`: console and public page, the edges under control, and a folder of feeds whose
//! advisories change answers while it runs.

mod fetching;
mod forward;
mod heads;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use clap::Args;
use relight_engine::feeds::FeedFolder;
use relight_engine::fetch::Fetched;
use relight_engine::live::Board;
use relight_engine::notify::Proposal;
use relight_engine::sources_policy::proposal_rule;
use relight_engine::store::{Control, Notice, NoticeKind, SiteSet};
use relight_engine::{Engine, FixWatch};
use relight_model::{Site, Warning};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use relight_server::web::views::{Stage, Theme};
use relight_server::{OidcSettings, RSA_BITS_MIN, ServerError, WebConfig, WebHandle, WebServer};
use serde::Serialize;

use self::fetching::{Fetching, Told};
use self::forward::{Forward, ForwardTo};
use self::heads::Heads;
use crate::cmd::advisories::fetch::{authorities, tell_one, warning_of};
use crate::cmd::advisories::take_files;
use crate::cmd::edge::barrier::tell_troubles;
use crate::cmd::policy;
use crate::cmd::public::{CERTIFICATE_KEY, Languages, PUBLIC_FOLDER, theme_names, with_slash};
use crate::cmd::token::unread;
use crate::cmd::watch::catalogue;
use crate::cmd::watch::ingest::{feed, tell_look};
use crate::cmd::watch::judging::{Judging, LOG_CODE, log_args};
use crate::cmd::watch::parse::FeedOptions;
use crate::cmd::watch::receive::{Intake, Listeners, Look};
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::operator;
use crate::report::{Report, Style};
use crate::stage;
use crate::stop::stop_on_interrupt;

/// The folder of feeds inside the data folder, unless another one is named.
const FEEDS_FOLDER: &str = "feeds";

/// How often the folder of feeds and the data folder are looked at: soon enough that nobody
/// waits, and seldom enough that an idle server costs nothing.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How often it is looked whether the day of an advisory of one's own has come.
const EXPIRY_LOOK_EVERY: Duration = Duration::from_secs(60);

/// How often everything is matched again from nothing, as a check of what followed each change.
const FULL_MATCH_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Sites that one notice names on the terminal; the console has all.
const NAMED_MAX: usize = 10;

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
    #[arg(long)]
    fetch: bool,
    #[arg(long, value_name = "FILE", requires = "fetch")]
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

#[derive(Serialize)]
struct StartDocument {
    console: String,
    public: String,
    feeds: String,
    sites: usize,
}

#[derive(Serialize)]
struct NoticeDocument<'a> {
    seq: u64,
    at: String,
    kind: &'static str,
    advisory: &'a str,
    revision: String,
    affected: u64,
    possible: u64,
    joined: Vec<&'a str>,
    gone: Vec<&'a str>,
    proposed: bool,
}

impl<'a> NoticeDocument<'a> {
    fn new(notice: &'a Notice, sites: &'a [Site], proposed: bool) -> Self {
        let slugs = |set: &SiteSet| {
            let held = sites.iter().filter(|site| set.contains(site.id.0));
            held.map(|site| site.slug.as_str()).collect()
        };
        Self {
            seq: notice.seq,
            at: rfc3339(notice.at),
            kind: notice.kind.as_str(),
            advisory: &notice.advisory,
            revision: notice.revision.to_string(),
            affected: notice.affected,
            possible: notice.possible,
            joined: slugs(&notice.joined),
            gone: slugs(&notice.gone),
            proposed,
        }
    }
}

impl Serve {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        if !self.listen.ip().is_loopback() {
            let address = self.listen.to_string();
            return Err(Failure::usage(texts::serve_console_open(lang, &address))
                .hint(texts::serve_console_open_remedy(lang)));
        }
        self.listeners.plain.check(std::iter::once(self.public_listen), lang)?;
        catalogue::load(context, report);
        let stop = stop_on_interrupt();
        if self.drill {
            stage::refuse_drill(context)?;
        }
        let (engine, drive) = context.driven()?;
        let failed = |error| Failure::engine(lang, &error);
        policy::tell_unless_signed(context, engine.store(), report);
        self.languages.keep(context, engine.store(), report);
        policy::give_beforehand(context, &engine, report);
        let board = engine.board().map_err(failed)?;
        tell_troubles(&drive, report);
        let fixes = FixWatch::start(&engine).map_err(failed)?;
        let stage = if self.drill {
            stage::begin_drill(context, engine.store())?
        } else {
            stage::told(context, engine.store(), report)?
        };
        let web = self.web(&engine, &board, stage, context)?;
        let feeds = self.feeds_folder(context)?;
        let intake = self.intake(&engine, context)?;
        let fetched = self.fetching(&engine, context, &stop)?;
        let judging = Judging::start(&engine, &stop, context)?;
        let write_heads = |folder| Heads::start(folder, &engine, context, &stop);
        let heads = self.heads.clone().map(write_heads).transpose()?;
        let forward = self.forward.clone().start(&engine, context, &stop)?;
        let (looks, told_errors, failing, control) = (None, BTreeSet::new(), BTreeMap::new(), None);
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
        };
        server.take_control()?;
        server.start(&web, report)?;
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

    fn web(
        &self,
        engine: &Arc<Engine>,
        board: &Arc<Board>,
        stage: Stage,
        context: &Context,
    ) -> Result<WebHandle, Failure> {
        let lang = context.lang;
        // A policy that cannot be read was told already; then nobody vouches for anybody.
        let policy = operator::policy(context, engine.store()).ok();
        let rsa_bits_min = policy.as_ref().map_or(RSA_BITS_MIN, |policy| policy.rsa_bits_min);
        let folder = || context.data.join(PUBLIC_FOLDER);
        let config = WebConfig {
            console: self.listen,
            engine: Some(Arc::clone(engine)),
            public: self.public_listen,
            public_url: self.public_url.clone().map(with_slash),
            console_url: self.console_url.clone(),
            oidc: policy.and_then(|policy| policy.oidc).map(|oidc| unsealed(oidc, context)),
            rsa_bits_min,
            public_folder: Some(self.public_folder.clone().unwrap_or_else(folder)),
            certificate_key: Some(context.secret(CERTIFICATE_KEY)),
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

    /// The listeners for logs, when there are any.
    fn intake(&self, engine: &Arc<Engine>, context: &Context) -> Result<Option<Intake>, Failure> {
        if !self.listeners.any() {
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

/// A running server, as its main thread sees it.
struct Server<'a> {
    context: &'a Context,
    engine: Arc<Engine>,
    board: Arc<Board>,
    feeds: FeedFolder,
    /// What could not be looked at and was told: once is enough.
    told_errors: BTreeSet<PathBuf>,
    /// What the listeners for logs gave.
    looks: Option<mpsc::Receiver<Look>>,
    /// What looks at feeds over the network came to.
    fetched: Option<mpsc::Receiver<Told>>,
    /// The feeds that fail, with the reason that was told: once is enough.
    failing: BTreeMap<String, &'static str>,
    /// What is judged of logs meanwhile.
    judging: Judging,
    /// What tells of the signed heads of the journal, where they are wanted.
    heads: Option<Heads>,
    /// What tells of the journal that is sent elsewhere, where that is wanted.
    forward: Option<Forward>,
    /// None as long as a server that was here before has not ended.
    control: Option<Control>,
}

impl Server<'_> {
    /// Commands beside this server are refused from here on: before it says that it is there.
    /// A server that was here before ends as soon as it sees the lease of this one.
    fn take_control(&mut self) -> Result<(), Failure> {
        if self.control.is_none() {
            let taken = self.engine.store().take_control();
            self.control = taken.map_err(|error| self.context.store_failure(&error))?;
        }
        Ok(())
    }

    /// Says where everything is; what changed while nothing ran is told first.
    fn start(&mut self, web: &WebHandle, report: &mut Report) -> Result<(), Failure> {
        let (lang, feeds) = (self.context.lang, self.feeds.root().display().to_string());
        let [console, public] =
            [web.console_addr(), web.public_addr()].map(|address| format!("http://{address}/"));
        if self.context.json {
            let sites = self.engine.sites().len();
            report
                .document_line("relight.serve/1", &StartDocument { console, public, feeds, sites });
        } else {
            report.line(&texts::serve_console(lang, &console));
            report.line(&texts::serve_public(lang, &public));
            report.line(&texts::serve_feeds(lang, &feeds));
        }
        self.offer_first_link(web, report)?;
        self.tell(report)
    }

    /// Prints a link with which the first account is made, as long as there is none. It goes where
    /// everything goes that a person reads: whoever reads the terminal owns the data folder.
    fn offer_first_link(&self, web: &WebHandle, report: &mut Report) -> Result<(), Failure> {
        let lang = self.context.lang;
        let link = web.first_link().map_err(|error| unread(lang, &error))?;
        if let Some(link) = link {
            report.tell(texts::serve_first_link(lang));
            report.tell(&format!("  {link}"));
        }
        Ok(())
    }

    fn serve(
        &mut self,
        web: &WebHandle,
        stop: &AtomicBool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (mut matched, mut told) = (Instant::now(), Instant::now());
        self.forget_old_logs(report);
        while !stop.load(Ordering::Relaxed) {
            self.take_control()?;
            if matched.elapsed() >= FULL_MATCH_EVERY {
                matched = Instant::now();
                self.match_again(report)?;
                self.forget_old_logs(report);
            }
            if told.elapsed() >= EXPIRY_LOOK_EVERY {
                told = Instant::now();
                policy::note(self.context, &self.engine, report);
                self.tell(report)?;
            }
            if let Some(error) = web.public_trouble() {
                self.not_published(&error, report);
            }
            report.flush();
            // Nobody tells when a file is there, on a network disk in particular.
            thread::sleep(LOOK_EVERY);
            for look in self.looks.iter().flat_map(mpsc::Receiver::try_iter) {
                tell_look(look, self.context, report);
            }
            self.tell_campaigns(report);
            if let Some(heads) = &self.heads {
                heads.tell(self.context, report);
            }
            if let Some(forward) = &self.forward {
                forward.tell(self.context, report);
            }
            let has_fetched = self.take_fetched(report)?;
            let has_read = self.read_feeds(report)? || has_fetched;
            let elsewhere = self.engine.store().changed_elsewhere();
            if elsewhere.map_err(|error| self.context.store_failure(&error))? {
                self.engine
                    .check_lease()
                    .map_err(|error| Failure::engine(self.context.lang, &error))?;
                let followed = self.engine.follow_store();
                followed.map_err(|error| Failure::engine(self.context.lang, &error))?;
                policy::note(self.context, &self.engine, report);
                self.tell(report)?;
            } else if has_read {
                self.tell(report)?;
            }
        }
        Ok(())
    }

    /// Campaigns of attempts and more of which nobody was told, on the terminal and the console.
    fn tell_campaigns(&self, report: &mut Report) {
        for campaign in self.judging.tell(self.context, report) {
            self.board.log(self.engine.now(), LOG_CODE, log_args(&campaign));
        }
    }

    /// What the listeners took last: they end when they have nothing more to tell.
    fn tell_last(&self, report: &mut Report) {
        for look in self.looks.iter().flatten() {
            tell_look(look, self.context, report);
        }
    }

    /// The old page stays; its time stamp shows its age.
    fn not_published(&self, error: &ServerError, report: &mut Report) {
        let lang = self.context.lang;
        let place = self.context.data.join(PUBLIC_FOLDER).display().to_string();
        let what = texts::public_cannot_write(lang, &place);
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        report.warn_in_detail(&place, &what, &cause, texts::public_cannot_write_remedy(lang));
    }

    /// Joins what is kept of logs, and forgets what is too old, also when no more logs come.
    fn forget_old_logs(&self, report: &mut Report) {
        if let Err(error) = self.engine.compact_windows() {
            report.fail(&Failure::engine(self.context.lang, &error));
        }
    }

    /// A list that differs from the full one is a bug of ours; from now on the full one answers.
    fn match_again(&self, report: &mut Report) -> Result<(), Failure> {
        if !self.engine.rematch() {
            let lang = self.context.lang;
            let place = self.context.data.display().to_string();
            let remedy = texts::match_list_differs_remedy(lang);
            report.warn(&place, texts::match_list_differs(lang), remedy);
        }
        self.tell(report)
    }

    /// Reads what is new in the folder of feeds; says whether there was anything. A bad record is
    /// told and costs no other.
    fn read_feeds(&mut self, report: &mut Report) -> Result<bool, Failure> {
        let look = self.feeds.look();
        for (path, error) in &look.errors {
            if self.told_errors.insert(path.clone()) {
                self.cannot_look(path, error, report);
            }
        }
        if look.ready.is_empty() {
            return Ok(false);
        }
        for warning in take_files(&look.ready, self.context, self.engine.store())? {
            self.refused(&warning, report);
        }
        self.engine.follow_feeds().map_err(|error| Failure::engine(self.context.lang, &error))?;
        Ok(true)
    }

    /// Takes in what feeds over the network brought; says whether there was anything.
    fn take_fetched(&mut self, report: &mut Report) -> Result<bool, Failure> {
        let all: Vec<Told> = self.fetched.iter().flat_map(mpsc::Receiver::try_iter).collect();
        let mut has_read = false;
        for told in all {
            match told {
                Ok(fetched) => {
                    has_read |= !fetched.reports.is_empty();
                    self.tell_fetched(&fetched, report);
                }
                Err(error) => report.fail(&self.context.store_failure(&error)),
            }
        }
        if has_read {
            self.engine
                .follow_feeds()
                .map_err(|error| Failure::engine(self.context.lang, &error))?;
        }
        Ok(has_read)
    }

    /// Tells what a look brought, and why it was not whole where that is news.
    fn tell_fetched(&mut self, fetched: &Fetched, report: &mut Report) {
        let warnings = fetched.reports.iter().flat_map(|it| &it.warnings).chain(&fetched.notes);
        warnings.for_each(|warning| self.refused(warning, report));
        match &fetched.fault {
            None => drop(self.failing.remove(&fetched.feed)),
            Some(fault) => {
                let before = self.failing.insert(fetched.feed.clone(), fault.code);
                if let Some(warning) = warning_of(fetched).filter(|_| before != Some(fault.code)) {
                    self.refused(&warning, report);
                }
            }
        }
        if !fetched.reports.is_empty() {
            tell_one(fetched, self.context, report);
        }
    }

    fn cannot_look(&self, path: &Path, error: &io::Error, report: &mut Report) {
        let lang = self.context.lang;
        let path = path.display().to_string();
        let what = texts::cannot_read(lang, &path);
        let remedy = texts::cannot_read_remedy(lang);
        report.warn_in_detail(&path, &what, &error.to_string(), remedy);
    }

    fn refused(&self, warning: &Warning, report: &mut Report) {
        inventory::warn(warning, None, report);
        let args = vec![warning.evidence.clone()];
        self.board.log(self.engine.now(), "log-feed-refused", args);
    }

    /// Tells what changed: on the terminal, in the log of the console, and in the register.
    fn tell(&self, report: &mut Report) -> Result<(), Failure> {
        let failed = |error| Failure::engine(self.context.lang, &error);
        let notices = self.engine.tell_changes().map_err(failed)?;
        if notices.is_empty() {
            return Ok(());
        }
        let rule = proposal_rule(self.engine.store());
        let rule = rule.map_err(|error| self.context.store_failure(&error))?;
        let proposals = self.engine.proposals(rule);
        for notice in &notices {
            let proposed = proposals.iter().find(|it| it.advisory == notice.advisory);
            self.tell_one(notice, proposed, report);
        }
        Ok(())
    }

    fn tell_one(&self, notice: &Notice, proposed: Option<&Proposal>, report: &mut Report) {
        let (lang, id) = (self.context.lang, &notice.advisory);
        let args = vec![id.clone(), notice.affected.to_string(), notice.possible.to_string()];
        let sentence = texts::log_line(lang, code_of(notice.kind), &args);
        self.board.log(notice.at, code_of(notice.kind), args);
        if proposed.is_some() {
            self.board.log(notice.at, "log-incident-proposed", vec![id.clone()]);
        }
        let sites = self.engine.sites();
        if self.context.json {
            let row = NoticeDocument::new(notice, &sites, proposed.is_some());
            return report.document_line("relight.notice/1", &row);
        }
        let style = if notice.affected > 0 { Style::Bad } else { Style::Quiet };
        report.line(&report.paint(style, &sentence));
        for (sign, set) in [("+", &notice.joined), ("-", &notice.gone)] {
            let held = sites.iter().filter(|site| set.contains(site.id.0));
            let slugs: Vec<&str> = held.map(|site| site.slug.as_str()).take(NAMED_MAX).collect();
            if !slugs.is_empty() {
                report.line(&format!("  {sign} {}", slugs.join(" ")));
                let more = set.len().saturating_sub(slugs.len() as u64);
                if more > 0 {
                    report.line(&format!("    {}", texts::and_more_sites(lang, more)));
                }
            }
        }
        if proposed.is_some() {
            report.next(&format!("relight incident open {id}"));
        }
    }
}

/// The key of the sentence about a notice.
const fn code_of(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Advisory => "log-notice-advisory",
        NoticeKind::Revised => "log-notice-revised",
        NoticeKind::Withdrawn => "log-notice-withdrawn",
        NoticeKind::Expired => "log-notice-expired",
    }
}
