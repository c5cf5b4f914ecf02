//! The agent's side: enrolment, and the line to the server. Without the server it changes nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use relight_server::agents::client::{self, AgentClient, AgentFault, Turned};
use relight_server::agents::contact::{CONTACT_FILE, Contact};
use relight_server::agents::identity::Identity;
use relight_server::agents::is_host;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use rustix::system::uname;
use serde::Serialize;

use super::file::AgentFile;
use super::{faulty, identity, identity_path, look};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::stop::stop_on_interrupt;

/// The longest pause of an agent, in seconds.
const EVERY_S_MAX: u64 = 3_600;

/// How soon it ends when it is asked to.
const STOP_EVERY: Duration = Duration::from_millis(100);

/// That the server answered is written down at most this often, in seconds.
const CONTACT_EVERY_S: i64 = 60;

#[derive(Debug, Args)]
pub(super) struct Enrol {
    #[arg(long, value_name = "URL")]
    server: String,
    #[arg(long, value_name = "CODE")]
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
        let identity = client::enrol(&self.server, &self.code, &host, &path);
        let identity = identity.map_err(|fault| faulty(&fault, context))?;
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

impl Run {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (identity, file) = (identity(context)?, AgentFile::read(context)?);
        let path = identity_path(context);
        let client = AgentClient::new(identity, &path);
        let client = client.map_err(|fault| faulty(&fault, context))?;
        let contact = Contact::read(&context.data.join(CONTACT_FILE)).unwrap_or_default();
        let (told, told_of_sites) = (None, BTreeMap::new());
        let mut agent = Agent { context, client, file, contact, told, told_of_sites };
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
    /// What was told last: the code of a fault, or empty; once is enough.
    told: Option<String>,
    file: AgentFile,
    /// What stood in the way of a look at a site, where that was told.
    told_of_sites: BTreeMap<String, String>,
}

impl Agent<'_> {
    /// Says that it is there, and gets its next certificate when it is time for that.
    fn turn(&mut self, report: &mut Report) -> Result<Turned, AgentFault> {
        let now = self.context.now();
        let turned = self.client.turn(&self.file.names()).and_then(|turned| {
            self.client.renew_when_due(now)?;
            Ok(turned)
        });
        let fault = turned.as_ref().err().map(|fault| fault.code.clone()).unwrap_or_default();
        let contact = match fault.is_empty() {
            true => Contact { at: now, fault, since: 0 },
            false if fault == self.contact.fault => self.contact.clone(),
            false => Contact { at: self.contact.at, fault, since: now },
        };
        let is_news = contact.fault != self.contact.fault
            || !(self.contact.at..self.contact.at + CONTACT_EVERY_S).contains(&contact.at);
        if is_news {
            let path = self.context.data.join(CONTACT_FILE);
            if let Err(error) = contact.write(&path) {
                let (lang, place) = (self.context.lang, path.display().to_string());
                let what = texts::cannot_write(lang, &place);
                let remedy = texts::cannot_write_remedy(lang);
                report.warn_in_detail(&place, &what, &error.to_string(), remedy);
            }
            self.contact = contact;
        }
        turned
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
        let Err(failure) = self.look(&turned, stop, report) else { return };
        let site = turned.wish.map(|wish| wish.site).unwrap_or_default();
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
