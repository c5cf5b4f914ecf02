//! `relight watch actors`: whom the campaigns are made of; which addresses, what they share, and
//! where they knocked.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use relight_engine::actors::{Actor, actors};
use relight_engine::store::Store;
use relight_model::{OrgId, Severity};
use relight_server::web::number::{Number, date, rfc3339};
use relight_server::web::{Lang, texts, words};
use serde::Serialize;

use super::since::Since;
use super::{SOURCES_SHOWN_MAX, denial};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::table::{Align, Table};

#[derive(Debug, Args)]
pub(super) struct Actors {
    #[arg(value_name = "TEXT", default_value = "", hide_default_value = true)]
    words: String,
    #[arg(long, value_name = "NAME")]
    sector: Option<String>,
    #[arg(long, value_name = "LEVEL", value_parser = severity_of)]
    severity: Option<Severity>,
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

#[derive(Serialize)]
struct Document {
    actors: Vec<Row>,
    sources_kept: f64,
}

#[derive(Serialize)]
struct Row {
    sources: Vec<String>,
    shared: String,
    known: Vec<String>,
    campaign: String,
    severity: &'static str,
    sectors: Vec<String>,
    organisations: Vec<u32>,
    sites: Vec<u32>,
    contacts: u32,
    first: String,
    last: String,
}

fn severity_of(text: &str) -> Result<Severity, &'static str> {
    Severity::ALL.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(text)).ok_or("S0 … S5")
}

impl Actors {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        super::tell_faults(&store, context, report)?;
        let sectors = sectors(&store, context)?;
        self.check_sector(&sectors, context)?;
        let judged = super::judged_of(&store, context, report)?;
        let mut found = actors(&judged.campaigns);
        found.retain(|actor| self.fits(actor, &sectors, context));
        if context.json {
            let actors = found.iter().map(|actor| row(actor, &sectors)).collect();
            let document = Document { actors, sources_kept: judged.sources_kept };
            report.document("relight.actors/1", &document);
        } else {
            self.tell(&found, &sectors, context.lang, report);
        }
        Ok(())
    }

    /// A sector that nobody is in would answer that nobody knocked there.
    fn check_sector(
        &self,
        sectors: &BTreeMap<OrgId, String>,
        context: &Context,
    ) -> Result<(), Failure> {
        let Some(asked) = &self.sector else { return Ok(()) };
        if sectors.values().any(|known| known == asked) {
            return Ok(());
        }
        let known: BTreeSet<&str> = sectors.values().map(String::as_str).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        let lang = context.lang;
        Err(Failure::usage(texts::actors_no_sector(lang, asked))
            .hint(texts::actors_no_sector_remedy(lang, &known)))
    }

    fn fits(
        &self,
        actor: &Actor<'_>,
        sectors: &BTreeMap<OrgId, String>,
        context: &Context,
    ) -> bool {
        let from = self.since.map(|since| since.from(context.now()));
        self.severity.is_none_or(|it| it == actor.campaign.severity)
            && from.is_none_or(|from| actor.last >= from)
            && self.sector.as_deref().is_none_or(|it| actor.sectors(sectors).contains(it))
            && actor.mentions(&self.words.trim().to_lowercase())
    }

    fn tell(
        &self,
        found: &[Actor<'_>],
        sectors: &BTreeMap<OrgId, String>,
        lang: Lang,
        report: &mut Report,
    ) {
        let mut table = Table::new(&[
            (texts::actors_who(lang), Align::Left),
            (texts::lanes_campaign(lang), Align::Left),
            (texts::sites_column_sector(lang), Align::Left),
            (texts::lanes_organisations(lang), Align::Right),
            (texts::column_sites(lang), Align::Right),
            (texts::actors_contacts(lang), Align::Right),
            (texts::lanes_first(lang), Align::Left),
            (texts::lanes_last(lang), Align::Left),
        ]);
        let shown = &found[..found.len().min(self.limit)];
        shown.iter().for_each(|actor| table.row(cells(lang, actor, sectors)));
        table.print(report);
        if shown.len() < found.len() {
            let hidden = found.len() - shown.len();
            report.line(&texts::actors_more(lang, hidden));
        }
        report.line(&texts::actors_count(lang, found.len()));
        let mildest = found.iter().map(|actor| actor.campaign.severity).min();
        if let Some(denial) = mildest.and_then(|severity| denial(lang, severity)) {
            report.line(denial);
        }
        if let Some(first) = found.first() {
            report.next(&format!("relight watch explain {}", first.campaign.id));
        }
    }
}

/// The sector of each organisation.
fn sectors(store: &Store, context: &Context) -> Result<BTreeMap<OrgId, String>, Failure> {
    let all = store.organisations().map_err(|error| context.store_failure(&error))?;
    Ok(all.into_iter().map(|org| (org.id, org.sector)).collect())
}

fn cells(lang: Lang, actor: &Actor<'_>, sectors: &BTreeMap<OrgId, String>) -> Vec<String> {
    let Actor { campaign, sources, shared, .. } = actor;
    let mut who: Vec<String> =
        sources.iter().take(SOURCES_SHOWN_MAX).map(ToString::to_string).collect();
    if sources.len() > who.len() {
        who.push(texts::actors_more(lang, sources.len() - who.len()));
    }
    who.extend((!shared.is_empty()).then(|| format!("({shared})")));
    let names = actor.sectors(sectors).into_iter().map(|code| words::sector(lang, code));
    let count = |of: usize| Number::from(of).text(lang);
    vec![
        who.join(" "),
        format!("{} {}", campaign.id, words::severity(lang, campaign.severity)),
        names.collect::<Vec<_>>().join(", "),
        count(actor.organisations.len()),
        count(actor.sites.len()),
        count(usize::try_from(actor.contacts).unwrap_or(usize::MAX)),
        date(actor.first.div_euclid(86_400)),
        date(actor.last.div_euclid(86_400)),
    ]
}

fn row(actor: &Actor<'_>, sectors: &BTreeMap<OrgId, String>) -> Row {
    let Actor { campaign, sources, shared, contacts, first, last, .. } = actor;
    Row {
        sources: sources.iter().map(ToString::to_string).collect(),
        shared: (*shared).to_owned(),
        known: campaign.known.clone(),
        campaign: campaign.id.clone(),
        severity: campaign.severity.as_str(),
        sectors: actor.sectors(sectors).into_iter().map(str::to_owned).collect(),
        organisations: actor.organisations.iter().map(|org| org.0).collect(),
        sites: actor.sites.iter().map(|site| site.0).collect(),
        contacts: *contacts,
        first: rfc3339(*first),
        last: rfc3339(*last),
    }
}
