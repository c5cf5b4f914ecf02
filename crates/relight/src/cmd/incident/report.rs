//! `relight incident report`: what an authority asks for (the table of CISA's ED 22-02): vendor,
//! product, version, what was done and when, and for how long each site was dark and exposed.

mod evidence;
mod page;

use clap::Args;
use relight_engine::INVENTORY_TTL_S;
use relight_engine::exposure::{Exposure, exposures};
use relight_engine::incident::{Counters, PartCase, flaw_of};
use relight_engine::matching::Question;
use relight_model::{GateKey, Purl, Site, Timestamp};
use relight_server::web::number::rfc3339;
use relight_server::web::words::part_state;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use self::evidence::EvidenceRow;
use super::choose;
use crate::attribution::Credit;
use crate::context::Context;
use crate::failure::Failure;
use crate::localise::one_of;
use crate::register::Register;
use crate::report::Report as Output;
use crate::rows;
use crate::table::{Align, Table};
use crate::unseen::{self, UnseenRow};

#[derive(Debug, Args)]
pub(super) struct Report {
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[arg(short, long, default_value = "text",
        value_parser = one_of(&["text", "html", "markdown", "csv", "json"]))]
    format: String,
}

#[derive(Serialize)]
struct Document<'a> {
    incident: &'a str,
    title: &'a str,
    opened: String,
    closed: bool,
    made_at: String,
    sites: usize,
    phases: std::collections::BTreeMap<&'static str, usize>,
    exposed: usize,
    /// Sites that were proven dark, and count as exposed because nobody looks; null where all are
    /// looked at.
    unseen: Option<UnseenRow>,
    /// Whose advisories it rests on, under which licence.
    sources: Vec<Credit<'a>>,
    rows: Vec<Row>,
}

/// One site. Data are never translated.
#[derive(Serialize)]
struct Row {
    organisation: String,
    sector: String,
    site: String,
    host: String,
    /// Its other names: it is dark under all of them, or not at all.
    aliases: Vec<String>,
    criticality: u8,
    vendor: String,
    product: String,
    version: String,
    found: Vec<String>,
    /// Up to eight packages that were affected there, as package URLs: the columns name the first.
    components: Vec<String>,
    phase: &'static str,
    action: &'static str,
    /// Until when two people answer for it.
    accepted_until: Option<String>,
    /// What is known of it last; null where nothing is.
    evidence: Option<EvidenceRow>,
    /// Parts that are closed, or should be: they make no site dark.
    closed_parts: Vec<String>,
    /// The same in words.
    #[serde(skip)]
    closed_words: String,
    ordered_at: Option<String>,
    relit_at: Option<String>,
    dark_minutes: i64,
    exposed_minutes: i64,
}

const COLUMNS: [&str; 23] = [
    "organisation",
    "sector",
    "site",
    "host",
    "criticality",
    "vendor",
    "product",
    "version",
    "found",
    "phase",
    "action",
    "ordered_at",
    "relit_at",
    "dark_minutes",
    "exposed_minutes",
    "aliases",
    "closed_parts",
    "components",
    "accepted_until",
    "verdict",
    "read_at",
    "scanner",
    "coverage",
];

impl Report {
    pub(super) fn run(self, context: &Context, report: &mut Output) -> Result<(), Failure> {
        let lang = context.lang;
        let register = Register::open(context)?;
        let id = choose(&register.ledger, &register.advisories, self.id.as_deref(), context)?;
        let seen = exposures(&register.store, &id, register.now)
            .map_err(|error| Failure::engine(lang, &error))?;
        let rows = rows(&register, &id, &seen, context)?;
        match self.format.as_str() {
            "csv" if !context.json => csv(&rows, report),
            "text" if !context.json => {
                text(&id, &rows, context, report);
                unseen::tell(&register, context, report)?;
                Credit::of(&register.advisories, flaw_of(&id))
                    .iter()
                    .for_each(|it| it.tell(report));
            }
            "html" | "markdown" if !context.json => {
                let told = page::Told::of(&register, &id, &rows, context);
                report.raw(&if self.format == "html" { told.html() } else { told.markdown() });
            }
            _ => document(&id, rows, &register, report),
        }
        Ok(())
    }
}

fn rows(
    register: &Register,
    id: &str,
    seen: &[Exposure],
    context: &Context,
) -> Result<Vec<Row>, Failure> {
    let question = Question::Advisory(flaw_of(id).to_owned());
    let mut rows = Vec::with_capacity(seen.len());
    for exposure in seen {
        let Some(site) = register.sites.iter().find(|site| site.slug == exposure.site) else {
            continue;
        };
        let mut found = exposure.found.clone();
        // As it was then: what is there now may be what it was repaired with.
        let was = exposure.components.iter().filter_map(|it| Purl::parse(it).ok());
        let mut purls: Vec<Purl> = was.collect();
        if purls.is_empty() {
            purls.extend(component(register, &question, site, &mut found, context)?);
        }
        let mut row = row(register, site, exposure, &purls, found);
        let told = |part: &PartCase, state: &str| format!("{} ({state})", part.name.part);
        let parts = closed_parts(register, id, site);
        row.closed_parts = parts.iter().map(|part| told(part, part.state())).collect();
        let words = parts.iter().map(|part| told(part, part_state(context.lang, part.state())));
        row.closed_words = words.collect::<Vec<_>>().join(", ");
        rows.push(row);
    }
    Ok(rows)
}

/// Its parts that are closed, or should be.
fn closed_parts<'a>(register: &'a Register, id: &str, site: &'a Site) -> Vec<&'a PartCase> {
    let Some(incident) = register.ledger.incident(id) else { return Vec::new() };
    incident.parts_of(&site.slug).filter(|part| part.is_at_work()).collect()
}

/// What is in service there now that the question means, and where: of a site that no evidence
/// called affected.
fn component(
    register: &Register,
    question: &Question,
    site: &Site,
    places: &mut Vec<String>,
    context: &Context,
) -> Result<Option<Purl>, Failure> {
    let answers = register.ask(question, [site.id], INVENTORY_TTL_S);
    let found = answers.sites.iter().flat_map(|answer| &answer.found);
    let Some(hit) = found.clone().find(|hit| hit.state.is_affected()) else { return Ok(None) };
    if places.is_empty() {
        let read = register.index.evidence(&register.store, hit.identity, hit.asset);
        *places = read.map_err(|error| context.store_failure(&error))?;
    }
    Ok(register.index.identity(hit.identity).map(|component| component.purl.clone()))
}

fn row(
    register: &Register,
    site: &Site,
    exposure: &Exposure,
    purls: &[Purl],
    found: Vec<String>,
) -> Row {
    let purl = purls.first();
    let part = |pick: fn(&Purl) -> &String| purl.map(pick).cloned().unwrap_or_default();
    let time = |at: Option<Timestamp>| at.map(rfc3339);
    Row {
        organisation: register.organisation(site).to_owned(),
        sector: register.sector(site).to_owned(),
        site: site.slug.to_string(),
        host: site.host().to_owned(),
        aliases: site.aliases.clone(),
        criticality: site.criticality.number(),
        vendor: part(|purl| &purl.namespace),
        product: part(|purl| &purl.name),
        version: part(|purl| &purl.version),
        found,
        components: purls.iter().map(Purl::to_string).collect(),
        phase: exposure.phase.as_str(),
        action: exposure.action(),
        accepted_until: time(exposure.accepted_until),
        evidence: exposure.evidence.as_ref().map(EvidenceRow::of),
        closed_parts: Vec::new(),
        closed_words: String::new(),
        ordered_at: time(exposure.ordered_at),
        relit_at: time(exposure.relit_at),
        dark_minutes: exposure.dark_s / 60,
        exposed_minutes: exposure.exposed_s / 60,
    }
}

fn document(id: &str, rows: Vec<Row>, register: &Register, report: &mut Output) {
    let Some(incident) = register.ledger.incident(id) else { return };
    let keys: Vec<GateKey> = register.sites.iter().map(|site| site.slug.clone()).collect();
    let counters = Counters::of(incident, &keys, register.now);
    let phases = counters.phases.iter().map(|(phase, count)| (phase.as_str(), *count)).collect();
    let document = Document {
        incident: id,
        title: &incident.title,
        opened: rfc3339(incident.opened),
        closed: incident.closed,
        made_at: rfc3339(register.now),
        sites: keys.len(),
        phases,
        exposed: counters.exposed,
        unseen: unseen::row(register),
        sources: Credit::of(&register.advisories, flaw_of(id)),
        rows,
    };
    report.document("relight.incident-report/1", &document);
}

fn of_evidence(row: &Row, part: fn(&EvidenceRow) -> &str) -> String {
    row.evidence.as_ref().map(part).unwrap_or_default().to_owned()
}

fn csv(rows: &[Row], report: &mut Output) {
    report.raw(&format!("{}\r\n", COLUMNS.join(",")));
    for row in rows {
        let none = String::new();
        let cells = [
            row.organisation.clone(),
            row.sector.clone(),
            row.site.clone(),
            row.host.clone(),
            row.criticality.to_string(),
            row.vendor.clone(),
            row.product.clone(),
            row.version.clone(),
            row.found.join(" "),
            row.phase.to_owned(),
            row.action.to_owned(),
            row.ordered_at.as_ref().unwrap_or(&none).clone(),
            row.relit_at.as_ref().unwrap_or(&none).clone(),
            row.dark_minutes.to_string(),
            row.exposed_minutes.to_string(),
            row.aliases.join(" "),
            row.closed_parts.join(", "),
            row.components.join(" "),
            row.accepted_until.as_ref().unwrap_or(&none).clone(),
            of_evidence(row, |it| it.verdict),
            of_evidence(row, |it| &it.read_at),
            of_evidence(row, |it| &it.scanner),
            of_evidence(row, |it| it.coverage),
        ];
        report.raw(&format!("{}\r\n", cells.map(|cell| rows::quoted(&cell)).join(",")));
    }
}

/// What people read of each site at a terminal, in this order.
fn columns(lang: Lang) -> [(&'static str, Align); 7] {
    [
        (texts::column_org(lang), Align::Left),
        (texts::column_site(lang), Align::Left),
        (texts::column_names(lang), Align::Left),
        (texts::column_product(lang), Align::Left),
        (texts::column_action(lang), Align::Left),
        (texts::column_dark_minutes(lang), Align::Right),
        (texts::column_exposed_minutes(lang), Align::Right),
    ]
}

/// The same of all of them, in words.
fn in_words(rows: &[Row], lang: Lang) -> Vec<Vec<String>> {
    let cells = |row: &Row| {
        let action = texts::by_code(lang, &format!("action-{}", row.action)).unwrap_or(row.action);
        let action = match row.closed_words.is_empty() {
            true => action.to_owned(),
            false => texts::with_closed_parts(lang, action, &row.closed_words),
        };
        // A site is dark under all of its names, so all are named.
        let names = std::iter::once(&row.host).chain(&row.aliases);
        let names = names.map(String::as_str).collect::<Vec<_>>().join(" ");
        vec![
            row.organisation.clone(),
            row.site.clone(),
            names,
            format!("{} {}", row.product, row.version).trim().to_owned(),
            action,
            row.dark_minutes.to_string(),
            row.exposed_minutes.to_string(),
        ]
    };
    rows.iter().map(cells).collect()
}

fn text(id: &str, rows: &[Row], context: &Context, report: &mut Output) {
    let lang = context.lang;
    let mut table = Table::new(&columns(lang));
    in_words(rows, lang).into_iter().for_each(|cells| table.row(cells));
    table.print(report);
    report.line(&texts::report_summary(lang, id, rows.len()));
}
