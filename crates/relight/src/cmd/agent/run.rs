//! The agent's side: enrolment, and the line to the server. Without the server it changes nothing.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use relight_server::agents::client::{self, AgentClient, AgentFault, STOPPED, Turned};
use relight_server::agents::contact::{CONTACT_EVERY_S, CONTACT_FILE, Contact};
use relight_server::agents::identity::Identity;
use relight_server::agents::is_host;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use rustix::system::uname;
use serde::Serialize;

use super::edges::Hands;
use super::file::{self, Kept};
use super::look::{Look, Sent, tell_sent};
use super::{NOT_LET_IN, faulty, identity, identity_path};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::stop::stop_on_interrupt;

/// The longest pause of an agent, in seconds.
const EVERY_S_MAX: u64 = 3_600;

/// How soon it ends when it is asked to.
const STOP_EVERY: Duration = Duration::from_millis(100);

/// Whose lock says that an agent runs here, in its data folder.
const LOCK_FILE: &str = "agent.lock";

/// Longest line with a code, in bytes.
const CODE_BYTES_MAX: u64 = 1 << 10;

/// What stands for standard input instead of a code.
const STDIN: &str = "-";

#[derive(Debug, Args)]
pub(super) struct Enrol {
    #[arg(long, value_name = "URL")]
    server: String,
    #[arg(long, value_name = "CODE", default_value = STDIN)]
    code: String,
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[arg(long)]
    once: bool,
    #[arg(long, value_name = "SECONDS", default_value = "10",
        value_parser = clap::value_parser!(u64).range(1..=EVERY_S_MAX))]
    every: u64,
}

#[derive(Serialize)]
struct Enrolled<'a> {
    agent: u32,
    host: &'a str,
    organisation: &'a str,
    server: &'a str,
    expires: String,
}

#[derive(Serialize)]
struct LineDocument<'a> {
    at: String,
    host: &'a str,
    server: &'a str,
    fault: Option<&'a str>,
    expires: String,
}

impl Enrol {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (lang, path) = (context.lang, identity_path(context));
        // What this machine is already is not thrown away; what has ended is worth nothing.
        let known = Identity::read(&path);
        let is_damaged =
            matches!(&known, Err(error) if error.kind() != std::io::ErrorKind::NotFound);
        if is_damaged || known.is_ok_and(|known| context.now() < known.expires()) {
            let place = path.display().to_string();
            let failure = Failure::usage(texts::agent_known(lang, &place));
            return Err(failure.hint(texts::agent_known_remedy(lang, &place)));
        }
        let named = || uname().nodename().to_string_lossy().to_ascii_lowercase();
        let host = self.host.unwrap_or_else(named);
        if !is_host(&host) {
            let failure = Failure::usage(texts::agent_bad_host(lang, &host));
            return Err(failure.hint(texts::agent_bad_host_remedy(lang)));
        }
        let code = if self.code == STDIN { typed(context, report)? } else { self.code };
        let identity = client::enrol(&self.server, &code, &host, &path);
        let identity = identity.map_err(|fault| faulty(&fault, context))?;
        // The server has just answered, and what an agent of before was told is over.
        note(&Contact { at: context.now(), ..Contact::default() }, context, report);
        let expires = rfc3339(identity.expires());
        if context.json {
            let document = Enrolled {
                agent: identity.agent(),
                host: identity.host(),
                organisation: identity.organisation(),
                server: identity.server(),
                expires,
            };
            report.document("relight.agent-enrolled/1", &document);
            return Ok(());
        }
        let (host, organisation) = (identity.host(), identity.organisation());
        report.line(&texts::agent_enrolled(lang, &expires, host, organisation));
        report.next("relight agent run");
        Ok(())
    }
}

/// The code from standard input: other users of the machine see what stands in a command.
fn typed(context: &Context, report: &mut Report) -> Result<String, Failure> {
    let (stdin, mut line) = (io::stdin(), String::new());
    if stdin.is_terminal() {
        report.tell(texts::agent_ask(context.lang));
    }
    let read = stdin.lock().take(CODE_BYTES_MAX).read_line(&mut line);
    let unread = |error: io::Error| {
        let failure = Failure::new(texts::cannot_read(context.lang, "stdin"));
        failure.because(context.lang, &error).hint(texts::cannot_read_remedy(context.lang))
    };
    read.map_err(unread)?;
    Ok(line)
}

/// Writes down how the line stands.
fn note(contact: &Contact, context: &Context, report: &mut Report) {
    let path = context.data.join(CONTACT_FILE);
    if let Err(error) = contact.write(&path) {
        let (lang, place) = (context.lang, path.display().to_string());
        let what = texts::cannot_write(lang, &place);
        let remedy = texts::cannot_write_remedy(lang);
        report.warn_in_detail(&place, &what, &error.to_string(), remedy);
    }
}

/// One agent of a folder runs at a time: two of them would renew each other's certificate away.
fn locked(context: &Context) -> Result<File, Failure> {
    let (lang, path) = (context.lang, context.data.join(LOCK_FILE));
    let mut options = OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let place = path.display().to_string();
    let failed = |error: io::Error| {
        let failure = Failure::new(texts::cannot_write(lang, &place));
        failure.because(lang, &error).hint(texts::cannot_write_remedy(lang))
    };
    let file = opened.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => {
            let failure = Failure::new(texts::agent_runs(lang, &place));
            Err(failure.hint(texts::agent_runs_remedy(lang)))
        }
    }
}

impl Run {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        identity(context)?;
        let file = Kept::read(context)?;
        let _lock = locked(context)?;
        // Whoever had the lock may have changed it.
        let (identity, stop) = (identity(context)?, stop_on_interrupt());
        let client = AgentClient::until(identity, &identity_path(context), Arc::clone(&stop));
        let client = client.map_err(|fault| faulty(&fault, context))?;
        let contact = Contact::read(&context.data.join(CONTACT_FILE)).unwrap_or_default();
        // Who runs it once has something else run it again, within an hour at the latest.
        let every = if self.once { EVERY_S_MAX } else { self.every }.cast_signed();
        let (told, told_of_sites, look) = (None, BTreeMap::new(), None);
        let agent =
            Agent { context, client, contact, every, told, file, told_of_sites, look, stop };
        if self.once { agent.once(report) } else { agent.run(report) }
    }
}

/// A running agent.
struct Agent<'a> {
    context: &'a Context,
    client: AgentClient,
    contact: Contact,
    /// The pause after each turn, in seconds.
    every: i64,
    /// What was told last: the code of a fault, or empty; once is enough.
    told: Option<String>,
    file: Kept,
    /// What stood in the way of a look at a site, where that was told.
    told_of_sites: BTreeMap<String, String>,
    /// What it looks at, beside its turns.
    look: Option<Look>,
    /// Set when it is to end.
    stop: Arc<AtomicBool>,
}

impl Agent<'_> {
    /// One turn, and what is wished for then.
    fn once(mut self, report: &mut Report) -> Result<(), Failure> {
        let turned = self.turn(report);
        if self.context.json {
            self.tell(turned.as_ref().err(), report);
        }
        let turned = turned.map_err(|fault| faulty(&fault, self.context))?;
        for site in &turned.foreign {
            self.warn_of_foreign(site, report);
        }
        self.begin(&turned, report)?;
        let mut ended = None;
        while self.look.is_some() && ended.is_none() && !self.is_to_end() {
            ended = self.ended();
        }
        let left = self.look.take();
        self.note(self.contact.clone(), report);
        if let Some((site, sent)) = ended {
            tell_sent(&site, &sent?, self.context, report);
        }
        // Whoever had it run once would take it for done.
        left.map_or(Ok(()), |look| {
            let (code, detail) = (STOPPED.to_owned(), look.site().to_owned());
            Err(faulty(&AgentFault { code, detail }, self.context))
        })
    }

    /// Turns, until it is to end.
    fn run(mut self, report: &mut Report) -> Result<(), Failure> {
        let mut hands = Hands::new(&identity_path(self.context));
        while !self.is_to_end() {
            self.read_again(report);
            hands.follow(&self.file.file.edges);
            let turned = self.turn(report);
            if self.is_to_end() {
                break;
            }
            self.tell(turned.as_ref().err(), report);
            if let Ok(turned) = &turned {
                self.heed(turned, report);
            }
            self.rest(&mut hands, report);
        }
        drop(hands);
        // A look ends with the process: it only reads, and what it would send counts whole or not.
        self.look = None;
        self.note(self.contact.clone(), report);
        Ok(())
    }

    /// Takes over what its administrator wrote since.
    fn read_again(&mut self, report: &mut Report) {
        let lang = self.context.lang;
        match self.file.again(self.context) {
            None => {}
            Some(Ok(sites)) => {
                // What it says now may be wrong in the same way.
                self.told_of_sites.clear();
                // Nor does what is in another folder say anything of the site.
                self.look.take_if(|look| !look.is_of(&self.file.file));
                let path = file::path(self.context).display().to_string();
                report.note(&texts::agent_file_again(lang, &path, sites));
            }
            Some(Err(mut failure)) => {
                failure.below.push(format!("  {}", texts::agent_file_stays(lang)));
                report.warn_of(&failure);
            }
        }
    }

    fn is_to_end(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Says that it is there, and gets its next certificate when it is time for that.
    fn turn(&mut self, report: &mut Report) -> Result<Turned, AgentFault> {
        self.follow();
        let turned = self.asked();
        let fault = turned.as_ref().err().map(|fault| fault.code.clone()).unwrap_or_default();
        // Who is to end knows nothing new of the server.
        if fault == STOPPED {
            return turned;
        }
        let (now, every) = (self.context.now(), self.every);
        let contact = match fault.is_empty() {
            true => Contact { at: now, every, ..Contact::default() },
            false if fault == self.contact.fault => Contact { every, ..self.contact.clone() },
            false => Contact { at: self.contact.at, fault, since: now, every, looks: None },
        };
        self.note(contact, report);
        turned
    }

    fn asked(&mut self) -> Result<Turned, AgentFault> {
        let names = self.file.file.names();
        let turned = match &self.look {
            Some(look) => self.client.turn_looking(&names, look.site())?,
            None => self.client.turn(&names)?,
        };
        // A look sends with the certificate that there was when it began, as long as it counts.
        if !self.look.as_ref().is_some_and(Look::counts) {
            self.client.renew_when_due()?;
        }
        Ok(turned)
    }

    /// Keeps how the line stands, and writes it down where that is news.
    fn note(&mut self, contact: Contact, report: &mut Report) {
        let looks = self.look.as_ref().map(|look| look.looks.clone());
        let contact = Contact { looks, ..contact };
        let is_news = contact.fault != self.contact.fault
            || contact.every != self.contact.every
            || contact.looks != self.contact.looks
            || !(self.contact.at..self.contact.at + CONTACT_EVERY_S).contains(&contact.at);
        if is_news {
            note(&contact, self.context, report);
            self.contact = contact;
        }
    }

    /// Whoever is let in no more may have enrolled again meanwhile.
    fn follow(&mut self) {
        if self.contact.fault != NOT_LET_IN {
            return;
        }
        let path = identity_path(self.context);
        let written = Identity::read(&path).ok().filter(|it| !it.is_same(self.client.identity()));
        let next = |identity| AgentClient::until(identity, &path, Arc::clone(&self.stop)).ok();
        if let Some(client) = written.and_then(next) {
            self.client = client;
        }
    }

    /// Does what the server wishes. The same again and again: what stands in the way is told once.
    fn heed(&mut self, turned: &Turned, report: &mut Report) {
        for site in &turned.foreign {
            if !self.told_of_sites.contains_key(site) {
                self.told_of_sites.insert(site.clone(), String::new());
                self.warn_of_foreign(site, report);
            }
        }
        if let Err(failure) = self.begin(turned, report) {
            let site = turned.wish.as_ref().map(|wish| wish.site.clone()).unwrap_or_default();
            self.tell_once(site, &failure, report);
        }
        report.flush();
    }

    fn warn_of_foreign(&self, site: &str, report: &mut Report) {
        let lang = self.context.lang;
        report.warn(site, texts::agent_foreign(lang), texts::agent_foreign_remedy(lang));
    }

    /// Begins to look at the site that the server wishes to be looked at again, if it does.
    fn begin(&mut self, turned: &Turned, report: &mut Report) -> Result<(), Failure> {
        let Some(wish) = turned.wish.as_ref().filter(|_| self.look.is_none()) else {
            return Ok(());
        };
        self.look = Look::begin(wish, &self.file.file, &self.client, self.context)?;
        if self.look.is_some() {
            report.note(&texts::agent_looks(self.context.lang, &wish.site));
            self.note(self.contact.clone(), report);
        }
        Ok(())
    }

    /// Waits a moment for the end of the look; says how it ended, if it did.
    fn ended(&mut self) -> Option<(String, Result<Sent, Failure>)> {
        let look = self.look.as_ref()?;
        let ended = look.ended(STOP_EVERY, self.context)?;
        let site = look.site().to_owned();
        self.look = None;
        Some((site, ended))
    }

    /// Tells how a look ended.
    fn look_on(&mut self, report: &mut Report) {
        let Some((site, ended)) = self.ended() else { return };
        self.note(self.contact.clone(), report);
        match ended {
            Ok(sent) => {
                tell_sent(&site, &sent, self.context, report);
                // What stands in the way another time is news then.
                self.told_of_sites.remove(&site);
            }
            Err(failure) => self.tell_once(site, &failure, report),
        }
        report.flush();
    }

    /// The server is asked again after this; nobody tells when it is back.
    fn rest(&mut self, hands: &mut Hands, report: &mut Report) {
        let (began, every) = (Instant::now(), Duration::from_secs(self.every.unsigned_abs()));
        while began.elapsed() < every && !self.is_to_end() {
            // One that is another thing now begins as soon as that of before has ended.
            hands.follow(&self.file.file.edges);
            hands.tell(self.context, report);
            match self.look {
                Some(_) => self.look_on(report),
                None => thread::sleep(STOP_EVERY),
            }
        }
    }

    fn tell_once(&mut self, site: String, failure: &Failure, report: &mut Report) {
        let why = failure.why().to_owned();
        if self.told_of_sites.insert(site, why.clone()).as_ref() != Some(&why) {
            report.warn_of(failure);
        }
    }

    /// Tells how the line stands, when that is news.
    fn tell(&mut self, fault: Option<&AgentFault>, report: &mut Report) {
        let code = fault.map(|fault| fault.code.clone()).unwrap_or_default();
        if self.told.as_ref() == Some(&code) {
            return;
        }
        self.told = Some(code);
        let (context, identity) = (self.context, self.client.identity());
        if context.json {
            let document = LineDocument {
                at: rfc3339(context.now()),
                host: identity.host(),
                server: identity.server(),
                fault: fault.map(|fault| fault.code.as_str()),
                expires: rfc3339(identity.expires()),
            };
            report.document_line("relight.agent-run/1", &document);
        } else if let Some(fault) = fault {
            report.warn_of(&faulty(fault, context));
        } else {
            let (server, organisation) = (identity.server(), identity.organisation());
            report.line(&texts::agent_in_touch(context.lang, organisation, server));
        }
        report.flush();
    }
}
