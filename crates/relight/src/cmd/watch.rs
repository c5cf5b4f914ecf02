//! `relight watch`: who was looking for open doors in the logs, and how sure that is.
//!
//! Below signs of success no text may assert compromise: the fixed denial is told instead.

mod actors;
mod attest;
pub(crate) mod catalogue;
mod contacts;
mod decode;
mod export;
mod hunt;
pub(crate) mod ingest;
pub(crate) mod judging;
mod keep;
mod lines;
mod map;
mod notes;
pub(crate) mod parse;
pub(crate) mod posture;
mod probed;
pub(crate) mod receive;
mod share;
mod simulate;
pub(crate) mod since;
mod zone;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use relight_engine::store::Store;
use relight_engine::watch;
use relight_engine::{
    Judged, KNOWN_SCANNERS, OUTBOUND, SIGNS, judged, known_scanners, outbound, signs_seen,
};
use relight_model::{Attempt, Campaign, Matched, Severity, Sign, SiteId};
use relight_server::web::campaign::{Called, not_judged, sentences};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts, words};
use serde::Serialize;

use self::contacts::Contacts;
use self::since::Since;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Report, Style};

/// Sources of a campaign shown in one line; `--json` has all.
const SOURCES_SHOWN_MAX: usize = 3;

/// What to do with logs.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Actors(actors::Actors),
    Attest(attest::Attest),
    Catalogue(catalogue::Catalogue),
    Decode(decode::Decode),
    Erase(hunt::Erase),
    Export(export::Export),
    Hunt(hunt::Hunt),
    Keep(keep::Keep),
    Map(map::Map),
    Notes,
    Pool(share::Pool),
    Posture(posture::Posture),
    Probed(probed::Asked),
    Share(share::Share),
    Ingest(ingest::Ingest),
    Campaigns(Campaigns),
    Explain(Explain),
    Parse(parse::Parse),
    Simulate(simulate::Simulate),
}

#[derive(Debug, Args)]
struct Campaigns {
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
}

#[derive(Debug, Args)]
struct Explain {
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Serialize)]
struct CampaignsDocument {
    campaigns: Vec<CampaignRow>,
}

#[derive(Serialize)]
struct CampaignRow {
    id: String,
    severity: &'static str,
    confidence: f64,
    first: String,
    last: String,
    sources: Vec<String>,
    organisations: Vec<u32>,
    sites: Vec<u32>,
    aimed_at: Vec<String>,
    shared: Vec<String>,
    known: Vec<String>,
    spoofed: Vec<String>,
    formerly: Vec<String>,
    gathered: usize,
    crowded: Vec<String>,
    silent: usize,
    matched: Vec<MatchedRow>,
    signs: Vec<SignRow>,
    attempts: Vec<AttemptRow>,
    compromise: Option<&'static str>,
}

#[derive(Serialize)]
struct MatchedRow {
    product: String,
    running: usize,
    tried: usize,
    unknown: usize,
    aimed: bool,
}

#[derive(Serialize)]
struct SignRow {
    at: String,
    site: u32,
    kind: &'static str,
    host: String,
}

#[derive(Serialize)]
struct AttemptRow {
    at: String,
    site: Option<u32>,
    flaw: &'static str,
    exposure: &'static str,
}

#[derive(Serialize)]
struct ExplainDocument {
    campaign: CampaignRow,
    threshold: f64,
    likelihood: f64,
    contributions: Vec<ContributionRow>,
    changes: Vec<ChangeRow>,
    evidence: Vec<String>,
}

#[derive(Serialize)]
struct ContributionRow {
    class: &'static str,
    contacts: u32,
    likelihood: f64,
}

#[derive(Serialize)]
struct ChangeRow {
    without: &'static str,
    contacts: u32,
    likelihood: f64,
    confidence: f64,
    still_decided: bool,
}

impl Watch {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        catalogue::load(context, report);
        match self.action {
            Action::Actors(actors) => actors.run(context, report),
            Action::Attest(attest) => attest.run(context, report),
            Action::Catalogue(catalogue) => catalogue.run(context, report),
            Action::Erase(erase) => erase.run(context, report),
            Action::Export(export) => export.run(context, report),
            Action::Hunt(hunt) => hunt.run(context, report),
            Action::Keep(keep) => keep.run(context, report),
            Action::Map(map) => map.run(context, report),
            Action::Notes => notes::list(context, report),
            Action::Pool(pool) => pool.run(context, report),
            Action::Posture(posture) => posture.run(context, report),
            Action::Probed(probed) => probed.run(context, report),
            Action::Share(share) => share.run(context, report),
            Action::Decode(decode) => decode.run(context, report),
            Action::Ingest(ingest) => ingest.run(context, report),
            Action::Campaigns(campaigns) => campaigns.run(context, report),
            Action::Explain(explain) => explain.run(context, report),
            Action::Parse(parse) => parse.run(context, report),
            Action::Simulate(simulate) => simulate.run(context, report),
        }
    }
}

/// Every campaign of the kept windows; says when sources did not fit into memory.
fn campaigns(
    store: &Store,
    context: &Context,
    report: &mut Report,
) -> Result<Vec<Campaign>, Failure> {
    Ok(judged_of(store, context, report)?.campaigns)
}

/// The same, with how many sources did fit.
fn judged_of(store: &Store, context: &Context, report: &mut Report) -> Result<Judged, Failure> {
    let found = judged(store).map_err(|error| Failure::engine(context.lang, &error))?;
    if let Some(text) = not_judged(context.lang, found.sources_kept) {
        report.warn("watch", &text, texts::not_judged_remedy(context.lang));
    }
    Ok(found)
}

/// The campaign of this id, or the one of which a campaign of this id turned out to be a part.
fn named<'a>(campaigns: &'a [Campaign], id: &str) -> Option<&'a Campaign> {
    let is = |known: &String| known.eq_ignore_ascii_case(id);
    let now = campaigns.iter().find(|campaign| is(&campaign.id));
    now.or_else(|| campaigns.iter().find(|campaign| campaign.formerly.iter().any(is)))
}

/// Lines of the operator's own lists that are none.
fn tell_faults(store: &Store, context: &Context, report: &mut Report) -> Result<(), Failure> {
    let lang = context.lang;
    let (_, faults) = known_scanners(store).map_err(|error| Failure::engine(lang, &error))?;
    for (number, code) in faults {
        let place = format!("{KNOWN_SCANNERS}:{number}");
        let what = texts::by_code(lang, code).unwrap_or(texts::known_line(lang));
        report.warn(&place, what, texts::known_line_remedy(lang));
    }
    let (_, faults) = signs_seen(store).map_err(|error| Failure::engine(lang, &error))?;
    for (number, _) in faults {
        let place = format!("{SIGNS}:{number}");
        report.warn(&place, texts::signs_line(lang), texts::signs_line_remedy(lang));
    }
    let (_, faults) = outbound(store).map_err(|error| Failure::engine(lang, &error))?;
    for (number, _) in faults {
        let place = format!("{OUTBOUND}:{number}");
        report.warn(&place, texts::outbound_line(lang), texts::outbound_line_remedy(lang));
    }
    Ok(())
}

impl Campaigns {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        tell_faults(&store, context, report)?;
        let mut campaigns = campaigns(&store, context, report)?;
        if let Some(from) = self.since.map(|since| since.from(context.now())) {
            campaigns.retain(|campaign| campaign.last >= from);
        }
        if context.json {
            let campaigns = campaigns.iter().map(campaign_row).collect();
            report.document("relight.campaigns/1", &CampaignsDocument { campaigns });
            return Ok(());
        }
        for campaign in &campaigns {
            text(campaign, context.lang, report);
            if let Some(denial) = denial(context.lang, campaign.severity) {
                report.line(&format!("  {denial}"));
            }
        }
        report.line(&texts::campaigns_found(context.lang, campaigns.len()));
        if let Some(first) = campaigns.first() {
            report.next(&format!("relight watch explain {}", first.id));
        }
        Ok(())
    }
}

fn text(campaign: &Campaign, lang: Lang, report: &mut Report) {
    let title = report.paint(Style::Strong, &campaign.id);
    let days = (campaign.last - campaign.first).max(0).cast_unsigned() / 86_400 + 1;
    let (organisations, sites) = (campaign.organisations.len(), campaign.sites.len());
    let sources = campaign.sources.len();
    let severity = words::severity(lang, campaign.severity);
    let reach = texts::campaign_reach(lang, days, organisations, sites, sources);
    report.line(&format!("{title}  {severity}  {reach}  {}", share(lang, campaign.confidence)));
    let mut names: Vec<String> =
        campaign.sources.iter().take(SOURCES_SHOWN_MAX).map(ToString::to_string).collect();
    if sources > names.len() {
        names.push("…".to_owned());
    }
    let first = rfc3339(campaign.first);
    report.line(&format!("  {}  {first}", names.join(" ")));
}

/// The sentence that every level below signs of success must carry.
fn denial(lang: Lang, severity: Severity) -> Option<&'static str> {
    (severity < Severity::SignsOfSuccess).then(|| texts::reconnaissance_note(lang))
}

/// A probability with two digits, in the locale's own writing.
fn share(lang: Lang, confidence: f64) -> String {
    let text = format!("{confidence:.2}");
    let text = if lang == Lang::Fr { text.replace('.', ",") } else { text };
    texts::confidence(lang, &text)
}

fn campaign_row(campaign: &Campaign) -> CampaignRow {
    CampaignRow {
        id: campaign.id.clone(),
        severity: campaign.severity.as_str(),
        confidence: campaign.confidence,
        first: rfc3339(campaign.first),
        last: rfc3339(campaign.last),
        sources: campaign.sources.iter().map(ToString::to_string).collect(),
        organisations: campaign.organisations.iter().map(|org| org.0).collect(),
        sites: campaign.sites.iter().map(|site| site.0).collect(),
        aimed_at: campaign.aimed_at.clone(),
        shared: campaign.shared.clone(),
        known: campaign.known.clone(),
        spoofed: campaign.spoofed.clone(),
        formerly: campaign.formerly.clone(),
        gathered: campaign.gathered,
        crowded: campaign.crowded.iter().map(ToString::to_string).collect(),
        silent: campaign.silent,
        matched: campaign.matched.iter().map(matched_row).collect(),
        signs: campaign.signs.iter().map(sign_row).collect(),
        attempts: campaign.attempts.iter().map(attempt_row).collect(),
        compromise: (campaign.severity >= Severity::SignsOfSuccess).then_some("signs"),
    }
}

fn matched_row(matched: &Matched) -> MatchedRow {
    let Matched { product, running, tried, unknown, aimed } = matched.clone();
    MatchedRow { product, running, tried, unknown, aimed }
}

impl Explain {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        tell_faults(&store, context, report)?;
        let campaigns = campaigns(&store, context, report)?;
        let campaign = named(&campaigns, &self.id);
        let campaign = campaign.ok_or_else(|| {
            Failure::new(texts::no_such_campaign(lang, &self.id))
                .hint(texts::no_such_campaign_remedy(lang))
        })?;
        let why = watch::explain(campaign);
        if context.json {
            report.document("relight.campaign/1", &explain_document(campaign, why));
            return Ok(());
        }
        text(campaign, lang, report);
        let names = site_names(&store, context)?;
        let called =
            Called { site: &|site| site_name(&names, site), door: &|id| door_title(id, lang) };
        for sentence in sentences(lang, campaign, called) {
            report.line(&format!("  {sentence}"));
        }
        for part in &why.contributions {
            let class = class_words(lang, part.class);
            let points = points(lang, part.likelihood);
            let text = texts::campaign_part(lang, u64::from(part.contacts), &points);
            report.line(&format!("  + {}", texts::labelled(lang, class, &text)));
        }
        let (likelihood, threshold) = (points(lang, why.likelihood), points(lang, why.threshold));
        report.line(&format!("  {}", texts::campaign_decision(lang, &likelihood, &threshold)));
        for change in &why.changes {
            let class = class_words(lang, change.class);
            let confidence = share(lang, change.confidence);
            let text = texts::campaign_change(lang, class, &confidence);
            report.line(&format!("  - {text}"));
        }
        let contacts = Contacts::new(&store, &names, context)?;
        for line in &why.evidence {
            report.line(&format!("    {}", contacts.told(line)));
        }
        Ok(())
    }
}

/// What a door of the catalogue is called.
fn door_title(id: &str, lang: Lang) -> Option<String> {
    let entry = watch::catalogue::entry(id)?;
    Some(if lang == Lang::Fr { entry.title_fr.clone() } else { entry.title_en.clone() })
}

fn site_names(store: &Store, context: &Context) -> Result<BTreeMap<SiteId, String>, Failure> {
    let sites = store.sites().map_err(|error| context.store_failure(&error))?;
    Ok(sites.into_iter().map(|site| (site.id, site.slug.to_string())).collect())
}

fn site_name(names: &BTreeMap<SiteId, String>, site: SiteId) -> String {
    names.get(&site).cloned().unwrap_or_else(|| site.0.to_string())
}

fn sign_row(sign: &Sign) -> SignRow {
    let (at, host) = (rfc3339(sign.at), sign.host.clone());
    SignRow { at, site: sign.site.0, kind: sign.kind, host }
}

fn attempt_row(attempt: &Attempt) -> AttemptRow {
    AttemptRow {
        at: rfc3339(attempt.at),
        site: attempt.site.map(|site| site.0),
        flaw: attempt.flaw,
        exposure: attempt.exposure.as_str(),
    }
}

fn explain_document(campaign: &Campaign, why: watch::Explanation) -> ExplainDocument {
    let parts = why.contributions.into_iter().map(|part| ContributionRow {
        class: part.class,
        contacts: part.contacts,
        likelihood: part.likelihood,
    });
    let changes = why.changes.into_iter().map(|change| ChangeRow {
        without: change.class,
        contacts: change.contacts,
        likelihood: change.likelihood,
        confidence: change.confidence,
        still_decided: change.still_decided,
    });
    ExplainDocument {
        campaign: campaign_row(campaign),
        threshold: why.threshold,
        likelihood: why.likelihood,
        contributions: parts.collect(),
        changes: changes.collect(),
        evidence: why.evidence,
    }
}

fn class_words(lang: Lang, class: &str) -> &str {
    texts::by_code(lang, &format!("contact-{class}")).unwrap_or(class)
}

/// A log-likelihood with one decimal, in the locale's own writing.
fn points(lang: Lang, value: f64) -> String {
    let text = format!("{value:.1}");
    if lang == Lang::Fr { text.replace('.', ",") } else { text }
}
