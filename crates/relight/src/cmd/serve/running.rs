//! The turns of a running server. What fails in one is told once and tried again: the edges are
//! driven and orders are taken meanwhile. Only another controller ends it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::feeds::FeedFolder;
use relight_engine::fetch::Fetched;
use relight_engine::live::Board;
use relight_engine::notify::Proposal;
use relight_engine::replay::{DIFFERENCES_FILE, keep};
use relight_engine::sources_policy::proposal_rule;
use relight_engine::store::{Control, Notice, NoticeKind, SiteSet};
use relight_engine::{Engine, EngineErrorKind};
use relight_model::{Site, Warning};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use relight_server::{ServerError, WebHandle};
use serde::Serialize;

use super::fetching::Told;
use super::forward::Forward;
use super::heads::Heads;
use super::held::Held;
use crate::cmd::advisories::fetch::{tell_one, warning_of};
use crate::cmd::advisories::take_files;
use crate::cmd::policy;
use crate::cmd::public::PUBLIC_FOLDER;
use crate::cmd::token::unread;
use crate::cmd::watch::ingest::tell_look;
use crate::cmd::watch::judging::{Judging, LOG_CODE, log_args};
use crate::cmd::watch::receive::Look;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::{Report, Style};

/// How often the folder of feeds and the data folder are looked at: soon enough that nobody
/// waits, and seldom enough that an idle server costs nothing.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How often it is looked whether the day of an advisory of one's own has come.
const EXPIRY_LOOK_EVERY: Duration = Duration::from_secs(60);

/// How often everything is matched again from nothing, as a check of what followed each change.
const FULL_MATCH_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// How soon what could not be taken in is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Sites that one notice names on the terminal; the console has all.
const NAMED_MAX: usize = 10;

/// A part of the work of a turn: each fails alone, and its trouble is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Control,
    Look,
    Feeds,
    Fetched,
    Follow,
    Policy,
    Tell,
    Held,
}

/// What was found and is not taken in yet.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Advisories that this server stored.
    feeds: bool,
    /// What other processes wrote.
    store: bool,
    /// Not before, after a trial that failed.
    until: Option<Instant>,
}

#[derive(Serialize)]
struct StartDocument {
    console: String,
    public: String,
    agents: Option<String>,
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

/// A running server, as its main thread sees it.
pub(super) struct Server<'a> {
    pub(super) context: &'a Context,
    pub(super) engine: Arc<Engine>,
    pub(super) board: Arc<Board>,
    pub(super) feeds: FeedFolder,
    /// What could not be looked at and was told: once is enough.
    pub(super) told_errors: BTreeSet<PathBuf>,
    /// What the listeners for logs gave.
    pub(super) looks: Option<mpsc::Receiver<Look>>,
    /// What looks at feeds over the network came to.
    pub(super) fetched: Option<mpsc::Receiver<Told>>,
    /// The feeds that fail, with the reason that was told: once is enough.
    pub(super) failing: BTreeMap<String, &'static str>,
    /// What is judged of logs meanwhile.
    pub(super) judging: Judging,
    /// What tells of the signed heads of the journal, where they are wanted.
    pub(super) heads: Option<Heads>,
    /// What tells of the journal that is sent elsewhere, where that is wanted.
    pub(super) forward: Option<Forward>,
    /// None as long as a server that was here before has not ended.
    pub(super) control: Option<Control>,
    /// Why a part of the work is not done, where that was told: once is enough.
    pub(super) faults: BTreeMap<Part, String>,
    pub(super) owed: Owed,
    /// Of what news holds back people are asked.
    pub(super) held: Held,
    /// When it was last looked for plans that came to no end.
    pub(super) went_on: Option<Instant>,
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

    /// Goes on with plans that came to no end: at the start, and when what carried them failed
    /// meanwhile. Nobody else does any more, and what is opened has evidence that follows the
    /// inventory.
    fn go_on(&mut self, web: &WebHandle) {
        let is_due = self.went_on.is_none_or(|at| at.elapsed() >= EXPIRY_LOOK_EVERY);
        if is_due && self.control.is_some() && self.engine.is_settled() {
            self.went_on = Some(Instant::now());
            web.go_on();
        }
    }

    /// Says where everything is; what changed while nothing ran is told first.
    pub(super) fn start(
        &mut self,
        web: &WebHandle,
        agents: Option<SocketAddr>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let control = self.take_control();
        self.attempt(Part::Control, control, report)?;
        let (lang, feeds) = (self.context.lang, self.feeds.root().display().to_string());
        let [console, public] =
            [web.console_addr(), web.public_addr()].map(|address| format!("http://{address}/"));
        let agents = agents.map(|address| format!("https://{address}"));
        if self.context.json {
            let sites = self.engine.sites().len();
            let document = StartDocument { console, public, agents, feeds, sites };
            report.document_line("relight.serve/1", &document);
        } else {
            report.line(&texts::serve_console(lang, &console));
            report.line(&texts::serve_public(lang, &public));
            if let Some(agents) = agents {
                report.line(&texts::serve_agents(lang, &agents));
            }
            report.line(&texts::serve_feeds(lang, &feeds));
        }
        self.offer_first_link(web, report)?;
        self.tell(report)
    }

    /// What a part of the work gave. One that failed is told, and is no reason to leave the edges
    /// and the orders of people alone, on a full disk say.
    ///
    /// # Errors
    /// Another process controls the register: from then on only that one acts.
    pub(super) fn attempt<T>(
        &mut self,
        part: Part,
        done: Result<T, Failure>,
        report: &mut Report,
    ) -> Result<Option<T>, Failure> {
        let failure = match done {
            Ok(done) => {
                self.faults.remove(&part);
                return Ok(Some(done));
            }
            Err(failure) => failure,
        };
        self.end_if_fenced()?;
        let why = failure.why().to_owned();
        if self.faults.insert(part, why.clone()).as_ref() != Some(&why) {
            report.warn_of(&failure);
            self.board.log(self.engine.now(), "log-serve-failed", vec![why]);
        }
        Ok(None)
    }

    /// A register that cannot be read was taken by nobody: that is told where it is in the way.
    fn end_if_fenced(&self) -> Result<(), Failure> {
        match self.engine.check_lease() {
            Err(error) if error.kind == EngineErrorKind::Fenced => {
                Err(Failure::engine(self.context.lang, &error))
            }
            _ => Ok(()),
        }
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

    pub(super) fn serve(
        &mut self,
        web: &WebHandle,
        stop: &AtomicBool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (mut matched, mut told) = (Instant::now(), Instant::now());
        self.forget_old_logs(report);
        while !stop.load(Ordering::Relaxed) {
            let control = self.take_control();
            self.attempt(Part::Control, control, report)?;
            self.go_on(web);
            self.ask_about_held(report)?;
            if matched.elapsed() >= FULL_MATCH_EVERY {
                matched = Instant::now();
                self.match_again(report)?;
                self.forget_old_logs(report);
            }
            if told.elapsed() >= EXPIRY_LOOK_EVERY {
                told = Instant::now();
                self.note_policy(report)?;
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
            self.take_in(report)?;
        }
        Ok(())
    }

    /// Takes in what came: by the network, into the folder of feeds, and by other processes.
    fn take_in(&mut self, report: &mut Report) -> Result<(), Failure> {
        self.owed.feeds |= self.take_fetched(report)?;
        let elsewhere = self.engine.store().changed_elsewhere();
        let elsewhere = elsewhere.map_err(|error| self.context.store_failure(&error));
        if self.attempt(Part::Look, elsewhere, report)? == Some(true) {
            self.end_if_fenced()?;
            self.owed.store = true;
        }
        if self.owed.until.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        self.owed.until = None;
        let read = self.read_feeds(report);
        match self.attempt(Part::Feeds, read, report)? {
            Some(has_read) => self.owed.feeds |= has_read,
            None => self.owed.until = Some(Instant::now() + TRY_AGAIN),
        }
        let followed = match &self.owed {
            Owed { store: true, .. } => self.engine.follow_store(),
            Owed { feeds: true, .. } => self.engine.follow_feeds(),
            Owed { .. } => return Ok(()),
        };
        let followed = followed.map_err(|error| Failure::engine(self.context.lang, &error));
        if self.attempt(Part::Follow, followed, report)?.is_none() {
            self.owed.until = Some(Instant::now() + TRY_AGAIN);
            return Ok(());
        }
        if self.owed.store {
            self.note_policy(report)?;
        }
        (self.owed.feeds, self.owed.store) = (false, false);
        self.tell(report)
    }

    /// Journals that another policy came to hold.
    fn note_policy(&mut self, report: &mut Report) -> Result<(), Failure> {
        let noted = policy::note(self.context, &self.engine);
        self.attempt(Part::Policy, noted, report).map(drop)
    }

    /// Campaigns of attempts and more of which nobody was told, on the terminal and the console.
    fn tell_campaigns(&self, report: &mut Report) {
        self.judging.tell(self.context, report, |campaign| {
            self.board.log(self.engine.now(), LOG_CODE, log_args(campaign));
        });
    }

    /// What the listeners took last: they end when they have nothing more to tell.
    pub(super) fn tell_last(&self, report: &mut Report) {
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
            report.warn_of(&Failure::engine(self.context.lang, &error));
        }
    }

    /// A list that differs from the full one is a bug of ours; from now on the full one answers.
    fn match_again(&mut self, report: &mut Report) -> Result<(), Failure> {
        let differences = self.engine.rematch();
        if !differences.is_empty() {
            let lang = self.context.lang;
            let place = self.context.data.join(DIFFERENCES_FILE).display().to_string();
            let (what, remedy) =
                (texts::match_list_differs(lang), texts::match_list_differs_remedy(lang));
            match keep(&self.context.data, &differences) {
                Ok(()) => report.warn(&place, what, remedy),
                Err(error) => report.warn_in_detail(&place, what, &error.to_string(), remedy),
            }
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
        let taken = take_files(&look.ready, self.context, self.engine.store());
        if taken.is_err() {
            self.feeds.give_again(&look.ready);
        }
        for warning in taken? {
            self.refused(&warning, report);
        }
        Ok(true)
    }

    /// Takes in what feeds over the network brought; says whether there was anything.
    fn take_fetched(&mut self, report: &mut Report) -> Result<bool, Failure> {
        let all: Vec<Told> = self.fetched.iter().flat_map(mpsc::Receiver::try_iter).collect();
        let mut has_read = false;
        for told in all {
            let told = told.map_err(|error| self.context.store_failure(&error));
            if let Some(fetched) = self.attempt(Part::Fetched, told, report)? {
                has_read |= !fetched.reports.is_empty();
                self.tell_fetched(&fetched, report);
            }
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

    /// Tells what changed: on the terminal, in the log of the console, and in the register. What
    /// could not be told is told the next time.
    fn tell(&mut self, report: &mut Report) -> Result<(), Failure> {
        let told = self.tell_changes(report);
        self.attempt(Part::Tell, told, report).map(drop)
    }

    fn tell_changes(&self, report: &mut Report) -> Result<(), Failure> {
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
