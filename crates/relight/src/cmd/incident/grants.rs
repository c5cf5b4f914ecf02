//! `relight incident accept`, `exempt`, `mitigate`: what people answer for where no evidence says
//! clear, each with an end.

use std::path::PathBuf;

use clap::Args;
use relight_engine::EngineErrorKind;
use relight_engine::grants::{PAYLOAD_BYTES_MAX, PAYLOADS_MAX, Payloads};
use relight_engine::incident::{GRANT_AGE_MAX_S, Mitigation, Phase};
use relight_server::web::{texts, words};
use serde::Serialize;

use super::{Control, Which, done};
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::{Exit, Report};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Largest file of payloads, in bytes: the ends of lines count.
const PAYLOAD_FILE_BYTES_MAX: u64 = (PAYLOADS_MAX * (PAYLOAD_BYTES_MAX + 2)) as u64;

#[derive(Debug, Args)]
pub(super) struct Accept {
    #[arg(value_name = "SITE")]
    site: String,
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = days())]
    days: i64,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(super) struct Exempt {
    #[arg(value_name = "SITE")]
    site: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(super) struct Mitigate {
    #[arg(value_name = "SITE")]
    site: String,
    #[arg(long, value_name = "TEXT")]
    control: String,
    #[arg(long, value_name = "FILE")]
    payloads: PathBuf,
    #[arg(long, value_name = "NAME")]
    owner: String,
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = days())]
    days: i64,
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct ReplayDocument<'a> {
    incident: &'a str,
    site: &'a str,
    sent: u32,
    blocked: u32,
    mitigated: bool,
    phase: Option<&'static str>,
}

fn days() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(1..=GRANT_AGE_MAX_S / DAY_S)
}

impl Accept {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = inventory::site(context, &self.site)?;
        let Control { engine, actor, is_demo, .. } = Control::of_command(context)?;
        // One machine is one person, whatever name stands in its policy: two sign on the console.
        if !is_demo {
            return Err(Failure::approval(texts::acceptance_takes_two(lang))
                .hint(texts::acceptance_takes_two_remedy(lang, site.as_str())));
        }
        let id = self.which.find(&engine, context)?;
        let expires = engine.now() + self.days * DAY_S;
        engine
            .propose_acceptance(&actor, &id, &site, &self.reason, expires)
            .map_err(|error| Failure::engine(lang, &error))?;
        let text = texts::acceptance_waits(lang, site.as_str());
        done(context, report, &id, "acceptance-proposed", Some(&site), &text);
        // Nothing may change until a second person agreed.
        report.raise(Exit::Approval);
        if !context.json {
            report.hint(&texts::acceptance_takes_two_remedy(lang, site.as_str()));
        }
        Ok(())
    }
}

impl Exempt {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = inventory::site(context, &self.site)?;
        let Control { engine, actor, .. } = Control::of_command(context)?;
        let id = self.which.find(&engine, context)?;
        engine.exempt(&actor, &id, &site).map_err(|error| {
            let failure = Failure::engine(lang, &error);
            if error.kind != EngineErrorKind::NotClear {
                return failure;
            }
            failure.hint(texts::exempt_not_clear_remedy(lang, site.as_str()))
        })?;
        let text = texts::site_exempt(lang, site.as_str());
        done(context, report, &id, "exempted", Some(&site), &text);
        Ok(())
    }
}

impl Mitigate {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = inventory::site(context, &self.site)?;
        let payloads = self.payloads(context)?;
        let Control { engine, actor, .. } = Control::new(context)?;
        let id = self.which.find(&engine, context)?;
        let mitigation = Mitigation {
            control: self.control,
            place: "edge".to_owned(),
            owner: self.owner,
            replayed: 0,
            blocked: 0,
            expires: engine.now() + self.days * DAY_S,
        };
        let replay = engine
            .mitigate(&actor, &id, &site, mitigation, &payloads)
            .map_err(|error| Failure::engine(lang, &error))?;
        let phase = engine.phase(&id, &site);
        let mitigated = phase == Some(Phase::Mitigated);
        if !mitigated {
            report.raise(Exit::Failed);
        }
        if context.json {
            let (incident, site, phase) = (id.as_str(), site.as_str(), phase.map(Phase::as_str));
            let (sent, blocked) = (replay.sent, replay.blocked);
            let document = ReplayDocument { incident, site, sent, blocked, mitigated, phase };
            report.document("relight.mitigation/1", &document);
            return Ok(());
        }
        report.line(&texts::payloads_blocked(lang, replay.blocked, replay.sent));
        if mitigated {
            report.line(&texts::site_mitigated(lang, site.as_str()));
            report.hint(&texts::acceptance_takes_two_remedy(lang, site.as_str()));
        } else {
            report.hint(texts::payloads_blocked_remedy(lang));
        }
        Ok(())
    }

    /// One payload a line.
    fn payloads(&self, context: &Context) -> Result<Payloads, Failure> {
        let bytes = context.read_file(&self.payloads, PAYLOAD_FILE_BYTES_MAX)?;
        Payloads::of_lines(&bytes).map_err(|unsendable| {
            let lang = context.lang;
            let what = texts::payloads_unusable(lang, &self.payloads.display().to_string());
            let why = words::unsendable(lang, unsendable.line, unsendable.why.as_str());
            Failure::usage(texts::labelled(lang, &what, &why))
                .hint(texts::payloads_unusable_remedy(lang))
        })
    }
}
