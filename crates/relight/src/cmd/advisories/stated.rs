//! `relight advisories vex ID --site SITE`: what the register knows of a flaw at a site, as a
//! statement for others. It is a copy that is handed out: nothing here is read again, and no site
//! is clear or lit because of it.

use relight_engine::{SiteStated, Stated};
use relight_formats::export::{ExportedStatement, ExportedVex, cyclonedx_vex, openvex};
use relight_model::{Site, Timestamp, UnknownReason, Verdict, VexStatus};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts, words};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::register::unknown_advisory;
use crate::report::{Exit, Report, Style};
use crate::stage;

/// The forms that other programs read.
pub(super) const FORMATS: &[&str] = &["openvex", "cyclonedx"];

/// What is asked for.
pub(super) struct Request<'a> {
    pub(super) id: &'a str,
    pub(super) site: &'a str,
    /// One of [`FORMATS`]; `None` is for people, or our own document.
    pub(super) format: Option<&'a str>,
    /// Who says it; `None` is the organisation of the site.
    pub(super) author: Option<&'a str>,
}

/// `relight.vex/1`.
#[derive(Serialize)]
struct VexDocument<'a> {
    id: &'a str,
    aliases: &'a [String],
    site: &'a str,
    author: &'a str,
    at: String,
    /// When the oldest inventory of the site was last confirmed; null when it has none.
    inventory_at: Option<String>,
    statements: Vec<StatedRow<'a>>,
}

#[derive(Serialize)]
struct StatedRow<'a> {
    status: &'static str,
    justification: Option<&'static str>,
    components: &'a [String],
    reasons: Vec<&'static str>,
}

impl Request<'_> {
    pub(super) fn run(&self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let key = inventory::site(context, self.site)?;
        let engine = context.engine_beside()?;
        let missing = || unknown_advisory(self.id, lang);
        let stated = engine.stated(self.id, &key).ok_or_else(missing)?;
        let site = engine.sites().into_iter().find(|it| it.slug == key);
        let site = site.ok_or_else(|| inventory::unknown_site(lang, self.site))?;
        let bodies = engine.organisations().map_err(|error| Failure::engine(lang, &error))?;
        let body = bodies.iter().find(|it| it.id == site.org).map_or("", |it| it.name.as_str());
        let author = self.author.unwrap_or(body);
        let at = context.now();
        match self.format {
            Some(format) => {
                // Those who get it would take for real what was only played here.
                if stage::of(context, engine.store())?.is_played() {
                    return Err(Failure::new(texts::stated_played(lang))
                        .hint(texts::share_played_remedy(lang)));
                }
                let vex = exported(&stated, &site, (author, at), lang);
                let write = if format == "openvex" { openvex } else { cyclonedx_vex };
                report.raw(&write(&vex));
            }
            None if context.json => {
                let document = document(&stated, site.slug.as_str(), (author, at));
                report.document("relight.vex/1", &document);
            }
            None => tell(&stated, self.site, report),
        }
        if stated.verdict == Verdict::Unknown {
            report.raise(Exit::Incomplete);
        }
        Ok(())
    }
}

fn document<'a>(
    stated: &'a SiteStated,
    site: &'a str,
    (author, at): (&'a str, Timestamp),
) -> VexDocument<'a> {
    let row = |it: &'a Stated| StatedRow {
        status: it.status.as_str(),
        justification: it.justification,
        components: &it.components,
        reasons: it.reasons.iter().map(|reason| reason.as_str()).collect(),
    };
    VexDocument {
        id: &stated.id,
        aliases: &stated.aliases,
        site,
        author,
        at: rfc3339(at),
        inventory_at: stated.inventory_at.map(rfc3339),
        statements: stated.statements.iter().map(row).collect(),
    }
}

fn exported<'a>(
    stated: &'a SiteStated,
    site: &'a Site,
    (author, at): (&'a str, Timestamp),
    lang: Lang,
) -> ExportedVex<'a> {
    let one = |it: &Stated| ExportedStatement {
        status: it.status,
        justification: it.justification,
        components: it.components.clone(),
        notes: format!("{} {}", why(it, lang), seen(stated, lang)),
        action: action(it.status, lang),
    };
    ExportedVex {
        author,
        product: &site.origin,
        name: site.slug.as_str(),
        flaw: &stated.id,
        aliases: &stated.aliases,
        at,
        statements: stated.statements.iter().map(one).collect(),
    }
}

fn tell(stated: &SiteStated, site: &str, report: &mut Report) {
    let lang = report.lang();
    for it in &stated.statements {
        let id = report.paint(Style::Strong, &stated.id);
        report.line(&format!("{id}  {site}  {}", status(it.status, lang)));
        report.line(&format!("  {}", why(it, lang)));
        for component in &it.components {
            report.line(&format!("  {component}"));
        }
    }
    report.line(&seen(stated, lang));
    report.next(&format!("relight advisories vex {} --site {site} --format openvex", stated.id));
}

fn status(status: VexStatus, lang: Lang) -> &'static str {
    match status {
        VexStatus::Affected => texts::stated_affected(lang),
        VexStatus::Mitigated => texts::stated_mitigated(lang),
        VexStatus::NotAffected => texts::stated_not_affected(lang),
        VexStatus::Fixed => texts::stated_fixed(lang),
        VexStatus::UnderInvestigation => texts::stated_under_investigation(lang),
    }
}

/// What a statement rests on, in a sentence.
fn why(stated: &Stated, lang: Lang) -> String {
    let text = match stated.status {
        VexStatus::Affected => texts::stated_why_affected(lang),
        VexStatus::Mitigated => texts::stated_why_mitigated(lang),
        VexStatus::Fixed => texts::stated_why_fixed(lang),
        VexStatus::NotAffected if stated.components.is_empty() => texts::stated_why_absent(lang),
        VexStatus::NotAffected => texts::stated_why_other(lang),
        VexStatus::UnderInvestigation => {
            let reason = |it: &UnknownReason| words::reason(lang, *it);
            let reasons: Vec<_> = stated.reasons.iter().map(reason).collect();
            return texts::stated_why_unknown(lang, &reasons.join(", "));
        }
    };
    text.to_owned()
}

fn seen(stated: &SiteStated, lang: Lang) -> String {
    match stated.inventory_at {
        Some(at) => texts::stated_seen(lang, &rfc3339(at)),
        None => texts::stated_never_seen(lang).to_owned(),
    }
}

fn action(status: VexStatus, lang: Lang) -> String {
    match status {
        VexStatus::Affected | VexStatus::Mitigated => texts::stated_action(lang).to_owned(),
        VexStatus::NotAffected | VexStatus::Fixed | VexStatus::UnderInvestigation => String::new(),
    }
}
