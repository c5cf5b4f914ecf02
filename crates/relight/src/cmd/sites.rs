//! `relight sites`: the register of sites.

mod checks;
pub(crate) mod csv_rows;
mod export;
mod import;
mod list;
mod set;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use relight_model::{Coverage, FlawCode, Site, SiteId, SitePart, UnknownReason};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts, words};
use serde::{Deserialize, Serialize};

use crate::cmd::watch::posture;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::register::{INVENTORY_AGE_MAX_S, Register};
use crate::report::Report;

/// What to do with the register.
#[derive(Debug, Args)]
pub(crate) struct Sites {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(import::Import),
    Show(Show),
    List(list::List),
    Export(export::Export),
    Gaps,
    Set(set::Set),
    Checks(checks::Checks),
}

#[derive(Debug, Args)]
struct Show {
    #[arg(value_name = "SITE")]
    site: String,
}

#[derive(Serialize, Deserialize)]
struct SiteRow<'a> {
    slug: Cow<'a, str>,
    name_fr: Cow<'a, str>,
    name_en: Cow<'a, str>,
    origin: Cow<'a, str>,
    aliases: Cow<'a, [String]>,
    parts: Vec<String>,
    organisation: Cow<'a, str>,
    sector: Cow<'a, str>,
    criticality: u8,
    exposure: Cow<'a, str>,
    edge: Cow<'a, str>,
    public: bool,
    state: Cow<'a, str>,
}

#[derive(Serialize)]
struct ShowDocument<'a> {
    site: SiteRow<'a>,
    assets: Vec<AssetRow>,
    reasons: Vec<&'static str>,
    /// The kinds of packages, by the types of their purls, that some program does not list.
    hidden: BTreeSet<&'static str>,
    /// What it must answer behind its gate before a fix counts as verified.
    checks: Vec<String>,
}

#[derive(Serialize)]
struct AssetRow {
    inventory: Option<String>,
    confirmed: Option<String>,
    artifact: Option<String>,
    components: usize,
    flaws: Vec<FlawRow>,
}

#[derive(Serialize)]
struct FlawRow {
    reason: &'static str,
    path: String,
    bytes: u64,
}

#[derive(Serialize)]
struct GapRow<'a> {
    site: &'a str,
    criticality: u8,
    gap: &'static str,
    next: String,
}

#[derive(Serialize)]
struct GapsDocument<'a> {
    gaps: Vec<GapRow<'a>>,
}

impl Sites {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Import(import) => import.run(context, report),
            Action::Set(set) => set.run(context, report),
            Action::Checks(checks) => checks.run(context, report),
            Action::Show(show) => show.run(context, report),
            Action::List(list) => list.run(context, report),
            Action::Export(export) => export.run(context, report),
            Action::Gaps => gaps(context, report),
        }
    }
}

impl Show {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open(context)?;
        let lang = context.lang;
        let site = register.sites.iter().find(|site| site.slug.as_str() == self.site);
        let site = site.ok_or_else(|| inventory::unknown_site(lang, &self.site))?;
        let assets = assets(&register, site, context)?;
        let reasons = reasons(&register, site);
        let checks = register.store.checks_of(&site.slug);
        let checks = checks::texts_of(&checks.map_err(|error| context.store_failure(&error))?);
        let row = row(&register, site);
        if context.json {
            let reasons = reasons.iter().map(|reason| reason.as_str()).collect();
            let hidden = assets.iter().flat_map(|it| &it.flaws).filter_map(FlawRow::hides);
            let hidden = hidden.flatten().copied().collect();
            let document = ShowDocument { site: row, assets, reasons, hidden, checks };
            report.document("relight.site/1", &document);
            return Ok(());
        }
        let name = if lang.tag() == "fr" { &row.name_fr } else { &row.name_en };
        report.line(&format!("{}  {name}  {}", row.slug, row.origin));
        let facts = [
            (texts::column_organisation(lang), row.organisation.to_string()),
            (texts::column_sector(lang), words::sector(lang, &row.sector).to_owned()),
            (texts::column_criticality(lang), row.criticality.to_string()),
            (texts::column_exposure(lang), words::exposure(lang, site.exposure).to_owned()),
            (texts::column_edge(lang), row.edge.to_string()),
            (
                texts::column_state(lang),
                words::state(lang, register.ledger.display(&site.slug).0).to_owned(),
            ),
        ];
        let aliases = (texts::column_aliases(lang), site.aliases.join(", "));
        let parts = (texts::column_parts(lang), parts_of(site).join(", "));
        let channel = words::channel(&site.channel, lang).map(|(_, text)| text.to_owned());
        let channel = (texts::site_channel(lang), channel.unwrap_or_default());
        let more = [aliases, parts, channel].into_iter().filter(|(_, value)| !value.is_empty());
        for (label, value) in more.chain(facts) {
            report.line(&format!("  {}", texts::labelled(lang, label, &value)));
        }
        for check in &checks {
            let label = texts::column_check(lang);
            report.line(&format!("  {}", texts::labelled(lang, label, check)));
        }
        for asset in &assets {
            if let Some(at) = asset.confirmed.as_deref() {
                report.line(&format!("  {}", texts::asset_summary(lang, at, asset.components)));
            }
            asset.flaws.iter().for_each(|flaw| flaw.tell(lang, report));
        }
        for reason in &reasons {
            let why = words::reason(lang, *reason);
            report.line(&format!("  ? {why}"));
        }
        let mut flaws = assets.iter().flat_map(|it| &it.flaws);
        if reasons.is_empty() && flaws.all(|it| it.hides().is_none()) {
            report.line(&format!("  {}", texts::inventory_complete(lang)));
        } else if !reasons.is_empty() {
            report.next(&format!("relight scan DIR --site {}", row.slug));
        }
        Ok(())
    }
}

impl FlawRow {
    /// The only packages that it hides.
    fn hides(&self) -> Option<&'static [&'static str]> {
        FlawCode::parse(self.reason)?.hides()
    }

    fn tell(&self, lang: Lang, report: &mut Report) {
        let code = FlawCode::parse(self.reason);
        let why = code.map_or(self.reason, |code| words::flaw(lang, code));
        report.line(&format!("    ? {}", texts::labelled(lang, &self.path, why)));
        if let Some(kinds) = self.hides() {
            let what = texts::site_hidden(lang, &kinds.join(", "));
            report.line(&format!("    ? {}", texts::labelled(lang, &what, &self.path)));
        }
    }
}

/// Why no question about this site can be answered with clear, whatever the question. What hides
/// packages of one kind alone is no such reason, and no new look at the site would end it.
fn reasons(register: &Register, site: &Site) -> Vec<UnknownReason> {
    let states = register.index.inventory_states(site.id).into_iter();
    let states: Vec<_> = states.map(|state| state.about(|_| false)).collect();
    Coverage::reasons(&states, register.now, INVENTORY_AGE_MAX_S)
}

fn assets(register: &Register, site: &Site, context: &Context) -> Result<Vec<AssetRow>, Failure> {
    let mut rows = Vec::new();
    for id in register.index.assets_of(site.id) {
        let Some(asset) = register.index.asset(id) else { continue };
        let sbom = match asset.snapshot {
            Some(digest) => {
                register.store.snapshot(digest).map_err(|error| context.store_failure(&error))?
            }
            None => relight_model::Sbom::default(),
        };
        let flaws = sbom.flaws.into_iter().map(|flaw| FlawRow {
            reason: flaw.code.as_str(),
            path: flaw.evidence,
            bytes: flaw.bytes,
        });
        rows.push(AssetRow {
            inventory: asset.snapshot.map(|digest| digest.to_string()),
            confirmed: asset.confirmed.map(rfc3339),
            artifact: asset.artifact.map(|digest| digest.to_string()),
            components: sbom.components.len(),
            flaws: flaws.collect(),
        });
    }
    Ok(rows)
}

/// The parts that can be closed alone, as a file of sites writes them.
fn parts_of(site: &Site) -> Vec<String> {
    site.parts.iter().map(SitePart::to_string).collect()
}

fn row<'a>(register: &'a Register, site: &'a Site) -> SiteRow<'a> {
    SiteRow {
        slug: site.slug.as_str().into(),
        name_fr: site.name_fr.as_str().into(),
        name_en: site.name_en.as_str().into(),
        origin: site.origin.as_str().into(),
        aliases: site.aliases.as_slice().into(),
        parts: parts_of(site),
        organisation: register.organisation(site).into(),
        sector: register.sector(site).into(),
        criticality: site.criticality.number(),
        exposure: site.exposure.as_str().into(),
        edge: site.edge.as_str().into(),
        public: site.public,
        state: register.ledger.display(&site.slug).0.as_str().into(),
    }
}

/// How many sites something is missing of that an incident needs; logs are no such thing.
pub(crate) fn sites_with_gaps(register: &Register, context: &Context) -> Result<usize, Failure> {
    let rows = gap_rows(register, context)?;
    let needed = rows.iter().filter(|row| !row.gap.starts_with("logs-"));
    Ok(needed.map(|row| row.site).collect::<BTreeSet<_>>().len())
}

/// What is missing before every question can be answered and every site switched, the most
/// critical sites first, each with the command that closes the gap.
fn gap_rows<'a>(register: &'a Register, context: &Context) -> Result<Vec<GapRow<'a>>, Failure> {
    let edges = register.store.edges().map_err(|error| context.store_failure(&error))?;
    let mut gaps = Vec::new();
    let postures = posture::of(register, context)?;
    let logs: BTreeMap<SiteId, _> = postures.iter().map(|it| (it.site, it)).collect();
    for site in &register.sites {
        let slug = site.slug.as_str();
        let mut gap = |gap, next| {
            gaps.push(GapRow { site: slug, criticality: site.criticality.number(), gap, next });
        };
        for reason in reasons(register, site) {
            gap(reason.as_str(), format!("relight scan DIR --site {slug}"));
        }
        if site.edge.is_empty() {
            gap("no-edge", "relight sites import FILE.csv".to_owned());
        } else if !edges.iter().any(|edge| edge.name == site.edge) {
            gap("edge-unregistered", format!("relight edge add KIND --name {}", site.edge));
        }
        let edge = edges.iter().find(|edge| edge.name == site.edge);
        let kind = edge.map_or("", |edge| edge.kind.as_str());
        let organisation = register.organisation(site);
        let found = logs.get(&site.id).and_then(|it| posture::gap(it, kind, organisation));
        if let Some((code, next)) = found {
            gap(code, next);
        }
    }
    gaps.sort_by(|a, b| (a.criticality, a.site, a.gap).cmp(&(b.criticality, b.site, b.gap)));
    Ok(gaps)
}

fn gaps(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let register = Register::open(context)?;
    let gaps = gap_rows(&register, context)?;
    if context.json {
        report.document("relight.gaps/1", &GapsDocument { gaps });
        return Ok(());
    }
    let lang = context.lang;
    for GapRow { site, criticality, gap, next } in &gaps {
        let why = UnknownReason::parse(gap).map(|reason| words::reason(lang, reason));
        let why = why.or_else(|| texts::by_code(lang, &format!("gap-{gap}"))).unwrap_or(gap);
        report.line(&format!(" {criticality}  {site}  {why}  → {next}"));
    }
    report.line(&texts::gaps_found(lang, gaps.len(), register.sites.len()));
    Ok(())
}
