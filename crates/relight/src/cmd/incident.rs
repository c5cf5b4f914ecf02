//! `relight incident`: from the alarm to the last light.

mod analyse;
mod approve;
mod grants;
mod list;
mod log;
mod pace;
pub(crate) mod remote;
mod report;
mod status;
mod switch;
mod verify;

use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use relight_engine::incident::{Entry, Impact, Ledger, NEXT_S_MAX, Particulars, flaw_of};
use relight_engine::matching::{Advisories, Question};
use relight_engine::policy::{Person, Policy};
use relight_engine::{Engine, EngineError};
use relight_model::GateKey;
use relight_server::told_words::{self, Wrong};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::cmd::public;
use crate::cmd::sites::csv_rows::is_format;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::operator;
use crate::register::{self, unknown_advisory};
use crate::report::Report;

/// What to do about an incident.
#[derive(Debug, Args)]
pub(crate) struct Incident {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Open(Open),
    List(list::List),
    Status(status::Status),
    Log(log::Log),
    Off(switch::Off),
    On(switch::On),
    Approve(approve::Approve),
    Undo(analyse::Undo),
    Analyse(analyse::Analyse),
    Fix(Fix),
    Verify(verify::Verify),
    Mitigate(grants::Mitigate),
    Accept(grants::Accept),
    Exempt(grants::Exempt),
    Update(Update),
    Report(report::Report),
    Close(Close),
}

#[derive(Debug, Args)]
struct Open {
    #[arg(value_name = "WHAT")]
    what: String,
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

/// Longest title that somebody gives to an incident, in bytes.
const TITLE_BYTES_MAX: usize = 200;

/// A title: one line that says something.
fn title(text: &str, lang: Lang) -> Result<String, Failure> {
    let title = text.trim();
    let fits = (1..=TITLE_BYTES_MAX).contains(&title.len());
    let is_line = !title.contains(|sign: char| sign.is_control() || is_format(sign));
    if fits && is_line {
        return Ok(title.to_owned());
    }
    let failure = Failure::usage(texts::incident_bad_title(lang));
    Err(failure.hint(texts::incident_bad_title_remedy(lang, TITLE_BYTES_MAX)))
}

#[derive(Debug, Args)]
struct Fix {
    #[arg(value_name = "SITE")]
    site: String,
    #[arg(long, value_name = "TEXT")]
    note: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Update {
    #[arg(long, value_name = "TEXT")]
    fr: String,
    #[arg(long, value_name = "TEXT", default_value = "")]
    en: String,
    #[arg(long, value_name = "MINUTES", value_parser = minutes())]
    next: Option<u32>,
    #[arg(long, value_name = "IMPACT", value_parser = impacts())]
    impact: Option<String>,
    #[arg(long)]
    about_data: bool,
    #[command(flatten)]
    which: Which,
}

/// In how many minutes the next update is promised.
fn minutes() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=NEXT_S_MAX / 60)
}

/// The names of impacts, as Statuspage has them.
fn impacts() -> PossibleValuesParser {
    PossibleValuesParser::new(Impact::ALL.map(Impact::as_str))
}

#[derive(Debug, Args)]
struct Close {
    #[arg(value_name = "ID")]
    id: String,
}

/// Which incident, where several are open.
#[derive(Debug, Args)]
struct Which {
    #[arg(long, value_name = "ID")]
    incident: Option<String>,
}

#[derive(Serialize)]
struct DoneDocument<'a> {
    incident: &'a str,
    done: &'a str,
    site: Option<&'a str>,
}

impl Incident {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Open(open) => open.run(context, report),
            Action::List(list) => list.run(context, report),
            Action::Status(status) => status.run(context, report),
            Action::Log(log) => log.run(context, report),
            Action::Off(off) => off.run(context, report),
            Action::On(on) => on.run(context, report),
            Action::Approve(approve) => approve.run(context, report),
            Action::Undo(undo) => undo.run(context, report),
            Action::Analyse(analyse) => analyse.run(context, report),
            Action::Fix(fix) => fix.run(context, report),
            Action::Verify(verify) => verify.run(context, report),
            Action::Mitigate(mitigate) => mitigate.run(context, report),
            Action::Accept(accept) => accept.run(context, report),
            Action::Exempt(exempt) => exempt.run(context, report),
            Action::Update(update) => update.run(context, report),
            Action::Report(written) => written.run(context, report),
            Action::Close(close) => close.run(context, report),
        }
    }
}

impl Open {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let title = self.title.map(|text| title(&text, lang)).transpose()?.unwrap_or_default();
        let Question::Advisory(asked) = register::question(&self.what, lang)? else {
            return Err(Failure::usage(texts::incident_needs_advisory(lang))
                .hint(texts::incident_needs_advisory_remedy(lang)));
        };
        let control = Control::of_command(context)?;
        let Control { engine, actor, .. } = &control;
        if engine.with_inventory(|_, advisories| advisories.group(&asked).is_none()) {
            return Err(unknown_advisory(&asked, lang));
        }
        let opened = engine.open_incident_called(actor, &asked, &policy(actor), &title);
        let id = opened.map_err(|error| Failure::engine(lang, &error))?;
        done(context, report, &id, "opened", None, &texts::incident_opened(lang, &id));
        if !context.json {
            let reason = texts::example_reason(lang);
            let flaw = flaw_of(&id);
            let query = format!("'affected:{flaw} or unknown:{flaw}'");
            report.next(&format!(
                "relight incident off --sites {query} --reason \"{reason}\" --dry-run"
            ));
        }
        Ok(())
    }
}

impl Fix {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = inventory::site(context, &self.site)?;
        let Control { engine, actor, .. } = Control::new(context)?;
        let id = self.which.find(&engine, context)?;
        let entry = Entry::FixStarted { site: site.clone(), note: self.note };
        engine.record(&actor, &id, entry).map_err(|error| Failure::engine(lang, &error))?;
        let text = texts::fix_started(lang, site.as_str());
        done(context, report, &id, "fix-started", Some(&site), &text);
        if !context.json {
            report.next(&format!("relight incident verify {site} --target DIR"));
        }
        Ok(())
    }
}

impl Update {
    /// Publishes words on the public page. It says them as they are typed.
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let Control { engine, actor, .. } = Control::of_command(context)?;
        let id = self.which.find(&engine, context)?;
        let (fr, en) = (self.fr.trim().to_owned(), self.en.trim().to_owned());
        if en.is_empty() && public::is_published_in(Lang::En, context, engine.store())? {
            return Err(Failure::new(texts::act_untranslated(lang))
                .hint(texts::incident_untranslated_remedy(lang)));
        }
        if let Some(wrong) = told_words::wrong(&[&fr, &en], self.about_data) {
            let (what, remedy) = match &wrong {
                Wrong::NamesFlaw(word) => {
                    (texts::act_names_flaw(lang, word), texts::act_names_flaw_remedy(lang))
                }
                Wrong::AboutData(word) => {
                    (texts::act_about_data(lang, word), texts::incident_about_data_remedy(lang))
                }
            };
            return Err(Failure::new(what).hint(remedy));
        }
        let particulars = Particulars {
            next: self.next.map(|minutes| context.now() + i64::from(minutes) * 60),
            impact: self.impact.as_deref().and_then(Impact::parse),
            about_data: self.about_data,
            report: false,
        };
        let entry = Entry::UpdatePublished { fr, en, by: actor.clone(), particulars };
        engine.record(&actor, &id, entry).map_err(|error| Failure::engine(lang, &error))?;
        done(context, report, &id, "updated", None, &texts::incident_updated(lang, &id));
        if !context.json {
            report.next("relight public export");
        }
        Ok(())
    }
}

impl Close {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let Control { engine, actor, .. } = Control::of_command(context)?;
        let which = Which { incident: Some(self.id) };
        let id = which.find(&engine, context)?;
        let recorded = engine.record(&actor, &id, Entry::Closed { current: true });
        recorded.map_err(|error| Failure::engine(context.lang, &error))?;
        done(context, report, &id, "closed", None, &texts::incident_closed(context.lang, &id));
        Ok(())
    }
}

/// Whoever acts from the command line, on what, and by which rules.
struct Control {
    engine: Arc<Engine>,
    actor: String,
    person: Person,
    rules: Policy,
    is_demo: bool,
}

impl Control {
    /// Whether anybody may act at all comes first: the engine takes the lease.
    fn new(context: &Context) -> Result<Self, Failure> {
        let store = context.existing_store()?;
        let actor = operator::actor(context, &store)?;
        context.refuse_beside_server(&store)?;
        let rules = operator::rules(context, &store)?;
        let is_demo = operator::is_demo(context, &store)?;
        drop(store);
        let engine = context.engine()?;
        let person = engine.operator(&actor);
        let person = person.map_err(|error| Failure::engine(context.lang, &error))?;
        Ok(Self { engine, actor, person, rules, is_demo })
    }

    /// The same for what only the command of an incident does.
    fn of_command(context: &Context) -> Result<Self, Failure> {
        let control = Self::new(context)?;
        let allowed = control.engine.check_command(&control.rules, &control.person);
        allowed.map_err(|error| control.refused(context, &error))?;
        Ok(control)
    }

    fn refused(&self, context: &Context, error: &EngineError) -> Failure {
        operator::refused(context, self.engine.store(), error)
    }
}

/// The policy in force, as the journal keeps it.
fn policy(actor: &str) -> String {
    format!("operators.single = {actor:?}")
}

impl Which {
    /// The incident that was named, by any id of its advisory, or the only open one.
    fn find(&self, engine: &Engine, context: &Context) -> Result<String, Failure> {
        let id = self.incident.as_deref();
        engine.with_incidents(|ledger, known| choose(ledger, known, id, context))
    }
}

/// The incident about the advisory with this id, or the only open one.
fn choose(
    ledger: &Ledger,
    known: &Advisories,
    id: Option<&str>,
    context: &Context,
) -> Result<String, Failure> {
    let lang = context.lang;
    let open: Vec<&str> = ledger.open().map(|(id, _)| id).collect();
    let named = id.and_then(|id| ledger.about(known, id));
    match (id, &open[..]) {
        (Some(id), _) => named.map(ToOwned::to_owned).ok_or_else(|| {
            Failure::new(texts::no_such_incident(lang, id))
                .hint(texts::no_such_incident_remedy(lang))
        }),
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => Err(Failure::new(texts::no_open_incident(lang))
            .hint(texts::no_open_incident_remedy(lang, "relight incident open CVE-…"))),
        (None, several) => Err(Failure::usage(texts::several_incidents(lang))
            .hint(texts::several_incidents_remedy(lang, &several.join(", ")))),
    }
}

/// Says that something was done and journalled.
fn done(
    context: &Context,
    report: &mut Report,
    incident: &str,
    what: &str,
    site: Option<&GateKey>,
    text: &str,
) {
    if context.json {
        let site = site.map(GateKey::as_str);
        let document = DoneDocument { incident, done: what, site };
        report.document("relight.incident-done/1", &document);
    } else {
        report.line(text);
    }
}
