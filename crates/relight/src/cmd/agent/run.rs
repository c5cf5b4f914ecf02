//! The agent's side: enrolment, and the line to the server. Without the server it changes nothing.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use relight_server::agents::client::{self, AgentClient, AgentFault, Turned};
use relight_server::agents::contact::{CONTACT_EVERY_S, CONTACT_FILE, Contact};
use relight_server::agents::identity::Identity;
use relight_server::agents::is_host;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use rustix::system::uname;
use serde::Serialize;

use super::file::AgentFile;
use super::{NOT_LET_IN, faulty, identity, identity_path, look};
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
        let file = AgentFile::read(context)?;
        let _lock = locked(context)?;
        // Whoever had the lock may have changed it.
        let identity = identity(context)?;
        let client = AgentClient::new(identity, &identity_path(context));
        let client = client.map_err(|fault| faulty(&fault, context))?;
        let contact = Contact::read(&context.data.join(CONTACT_FILE)).unwrap_or_default();
        // Who runs it once has something else run it again, within an hour at the latest.
        let every = if self.once { EVERY_S_MAX } else { self.every }.cast_signed();
        let (told, told_of_sites) = (None, BTreeMap::new());
        let mut agent = Agent { context, client, contact, every, told, file, told_of_sites };
        let stop = stop_on_interrupt();
        if self.once {
            let turned = agent.turn(report);
            if context.json {
                agent.tell(turned.as_ref().err(), report);
            }
            let turned = turned.map_err(|fault| faulty(&fault, context))?;
            return agent.look(&turned, &stop, report);
        }
        while !stop.load(Ordering::Relaxed) {
            let turned = agent.turn(report);
            agent.tell(turned.as_ref().err(), report);
            if let Ok(turned) = &turned {
                agent.look_again(turned, &stop, report);
            }
            wait(Duration::from_secs(self.every), &stop);
        }
        Ok(())
    }
}

/// The server is asked again after this; nobody tells when it is back.
fn wait(every: Duration, stop: &AtomicBool) {
    let began = Instant::now();
    while began.elapsed() < every && !stop.load(Ordering::Relaxed) {
        thread::sleep(STOP_EVERY);
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
    file: AgentFile,
    /// What stood in the way of a look at a site, where that was told.
    told_of_sites: BTreeMap<String, String>,
}

impl Agent<'_> {
    /// Says that it is there, and gets its next certificate when it is time for that.
    fn turn(&mut self, report: &mut Report) -> Result<Turned, AgentFault> {
        let (now, every) = (self.context.now(), self.every);
        self.follow();
        let turned = self.client.turn(&self.file.names()).and_then(|turned| {
            self.client.renew_when_due()?;
            Ok(turned)
        });
        let fault = turned.as_ref().err().map(|fault| fault.code.clone()).unwrap_or_default();
        let contact = match fault.is_empty() {
            true => Contact { at: now, fault, since: 0, every },
            false if fault == self.contact.fault => Contact { every, ..self.contact.clone() },
            false => Contact { at: self.contact.at, fault, since: now, every },
        };
        let is_news = contact.fault != self.contact.fault
            || contact.every != self.contact.every
            || !(self.contact.at..self.contact.at + CONTACT_EVERY_S).contains(&contact.at);
        if is_news {
            note(&contact, self.context, report);
            self.contact = contact;
        }
        turned
    }

    /// Whoever is let in no more may have enrolled again meanwhile.
    fn follow(&mut self) {
        if self.contact.fault != NOT_LET_IN {
            return;
        }
        let path = identity_path(self.context);
        let written = Identity::read(&path).ok().filter(|it| !it.is_same(self.client.identity()));
        let next = written.and_then(|identity| AgentClient::new(identity, &path).ok());
        if let Some(client) = next {
            self.client = client;
        }
    }

    /// Looks at the site that the server wishes to be looked at again, if it does.
    fn look(&self, turned: &Turned, stop: &AtomicBool, report: &mut Report) -> Result<(), Failure> {
        for site in &turned.foreign {
            let lang = self.context.lang;
            report.warn(site, texts::agent_foreign(lang), texts::agent_foreign_remedy(lang));
        }
        let Some(wish) = &turned.wish else { return Ok(()) };
        look::answer(wish, &self.file, &self.client, stop, self.context, report).map(drop)
    }

    /// The same again and again: what stands in the way is told once.
    fn look_again(&mut self, turned: &Turned, stop: &AtomicBool, report: &mut Report) {
        let news = |site: &&String| !self.told_of_sites.contains_key(*site);
        let foreign: Vec<String> = turned.foreign.iter().filter(news).cloned().collect();
        self.told_of_sites.extend(foreign.iter().map(|site| (site.clone(), String::new())));
        let turned = Turned { wish: turned.wish.clone(), foreign };
        let looked = self.look(&turned, stop, report);
        let site = turned.wish.map(|wish| wish.site).unwrap_or_default();
        let Err(failure) = looked else {
            // What stands in the way another time is news then.
            self.told_of_sites.remove(&site);
            return;
        };
        let why = failure.why().to_owned();
        if self.told_of_sites.insert(site, why.clone()).as_ref() != Some(&why) {
            report.warn_of(&failure);
        }
        report.flush();
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
