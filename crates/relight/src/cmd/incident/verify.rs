//! `relight incident verify SITE --target DIR`: a fix is believed when what is deployed was read
//! again, is clear, and works behind the closed gate.

use std::ffi::OsString;

use clap::Args;
use relight_engine::incident::{Compromise, Phase};
use relight_engine::{Engine, FunctionalTest, Inventory};
use relight_model::GateKey;
use relight_scan::Target;
use relight_server::signs::Unsaid;
use relight_server::web::{texts, words};
use serde::Serialize;

use super::{Control, Which};
use crate::cmd::fingerprints::installed;
use crate::cmd::scan::Look;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::localise::one_of;
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[arg(value_name = "SITE")]
    site: String,
    #[arg(long, value_name = "TARGET")]
    target: OsString,
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
    #[arg(long, value_name = "STATUS", default_value_t = 200)]
    status: u16,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    text: String,
    #[arg(long, default_value = "unknown", value_parser = one_of(&["none", "seen", "unknown"]))]
    signs: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct Document<'a> {
    incident: &'a str,
    site: &'a str,
    verified: bool,
    phase: Option<&'static str>,
    complete: bool,
}

impl Verify {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = inventory::site(context, &self.site)?;
        let Control { engine, actor, .. } = Control::new(context)?;
        let id = self.which.find(&engine, context)?;
        let signs = Compromise::of_word(&self.signs);
        if signs == Compromise::NoSigns {
            looked_for_signs(&engine, &id, &site, context)?;
        }
        // What is deployed while the scan runs may be seen by a later one only.
        let observed_at = engine.now();
        installed::refuse(context)?;
        let scanned = Look::fresh(context)?.at(&Target::parse(&self.target), context)?;
        let (sbom, profiles) = (scanned.sbom, Some(scanned.profiles));
        let complete = sbom.is_complete();
        let failed = |error| Failure::engine(lang, &error);
        let before = engine.phase(&id, &site);
        let inventory = Inventory { site: site.clone(), sbom, observed_at, profiles };
        let test = FunctionalTest { uri: self.path, status: self.status, text: self.text };
        let verified = engine.verify(&actor, &id, &inventory, &test, signs).map_err(failed)?;
        let phase = engine.phase(&id, &site);
        if context.json {
            let phase = phase.map(Phase::as_str);
            let (incident, site) = (id.as_str(), site.as_str());
            let document = Document { incident, site, verified, phase, complete };
            report.document("relight.verification/1", &document);
        } else if verified {
            report.line(&texts::verified(lang, site.as_str()));
            report.next(&format!("relight incident on --sites site:{site}"));
        } else {
            report.line(&texts::not_verified(lang, site.as_str()));
            if let Some(tried) = engine.tried(&id, &site) {
                report.line(&format!("  {}", words::tried(lang, &tried.why, &tried.detail)));
            }
            let why = match (complete, before == phase) {
                (false, _) => texts::not_verified_incomplete(lang),
                (true, true) => texts::not_verified_same(lang),
                (true, false) => texts::not_verified_remedy(lang),
            };
            report.hint(why);
        }
        if !verified {
            report.raise(if complete { Exit::Failed } else { Exit::Incomplete });
        }
        Ok(())
    }
}

/// "No signs" is believed where logs of every day since the site had the flaw were looked at, what
/// went out too.
fn looked_for_signs(
    engine: &Engine,
    id: &str,
    site: &GateKey,
    context: &Context,
) -> Result<(), Failure> {
    let lang = context.lang;
    match Unsaid::of(engine, id, site).map_err(|error| Failure::engine(lang, &error))? {
        None => Ok(()),
        Some(unsaid) => {
            Err(Failure::new(unsaid.text(lang)).hint(texts::signs_refused_remedy(lang)))
        }
    }
}
