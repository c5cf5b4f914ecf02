//! `/site/SLUG` and `/affected`: what the register knows of one site, and which sites have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::{Role, Scope};
use relight_engine::answer::{AnswerSet, SiteAnswer};
use relight_engine::matching::{Advisories, Group, Question};
use relight_engine::store::{Index, Store};
use relight_engine::{Engine, EngineError};
use relight_model::{
    Answer, Coverage, Finding, FlawCode, GateKey, Organisation, Sbom, Site, Timestamp, Verdict,
};
use relight_web::register_views::{
    AffectedPage, AnswerRow, AnswerSite, AssetRow, CaseRow, ComponentRow, FindingRow, Link,
    SitePage,
};
use relight_web::views::Choice;
use relight_web::{Lang, Number, number, texts, words};

use super::sites::ROWS_MAX;
use super::{Asked, Console, act, blocking};
use crate::access::signed_in::Reader;
use crate::page::{self, encode};

/// Components of one site on its page; the export has all.
const COMPONENTS_MAX: usize = 200;

/// Places of one site in an answer; its page has all.
const PATHS_MAX: usize = 3;

/// What a site may answer, what has to be looked at first.
const VERDICTS: [Verdict; 3] = [Verdict::Affected, Verdict::Unknown, Verdict::Clear];

/// Advisories that are offered before anybody asks.
const KNOWN_MAX: usize = 40;

pub(super) async fn site(
    State(console): State<Arc<Console>>,
    Path(slug): Path<String>,
    asked: Asked,
) -> Response {
    let lang = console.lang(&asked);
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let site = engine.sites().into_iter().find(|site| site.slug.as_str() == slug);
        let Some(site) = site else { return console.nothing(&asked) };
        match scope_of(engine, &site) {
            Ok(Some(scope)) if asked.reader.reads(&scope) => {
                let view = SiteView { console: &console, engine, asked: &asked, lang, scope };
                page::html(StatusCode::OK, relight_web::render(&view.page(&site)))
            }
            // Whoever may not read about a site is not told that it is there.
            Ok(_) => console.nothing(&asked),
            Err(error) => act::refused(&console, &asked, &error, "/"),
        }
    })
    .await
}

/// Where a site stands in the tree of organisations.
fn scope_of(engine: &Engine, site: &Site) -> Result<Option<Scope>, EngineError> {
    let organisations = engine.organisations()?;
    let body = organisations.iter().find(|body| body.id == site.org);
    Ok(body.map(|body| Scope::of_body(&body.sector, &body.name)))
}

struct SiteView<'a> {
    console: &'a Console,
    engine: &'a Engine,
    asked: &'a Asked,
    lang: Lang,
    scope: Scope,
}

impl SiteView<'_> {
    /// The open incidents in which this reader may do something about a site.
    fn acts(&self) -> Vec<String> {
        let Reader::Signed(signed) = &self.asked.reader else { return Vec::new() };
        let person = act::person_of(self.console, signed, self.engine.now());
        let mut roles = [Role::SiteOwner, Role::Commander].into_iter();
        if !roles.any(|role| person.may(role, &self.scope)) {
            return Vec::new();
        }
        self.engine.with_ledger(|ledger| ledger.open().map(|(id, _)| id.to_owned()).collect())
    }

    fn page(&self, site: &Site) -> SitePage {
        let (lang, slug) = (self.lang, site.slug.as_str());
        let state = self.engine.with_ledger(|ledger| ledger.display(&site.slug).0);
        let switch = format!("/site/{}?lang={}", encode(slug), lang.other().tag());
        let inventories = self.inventories(site);
        let components = inventories.iter().flat_map(|(_, sbom)| &sbom.components);
        let total = components.clone().count();
        let (findings, reasons) = self.engine.with_inventory(|index, advisories| {
            let states = index.inventory_states(site.id);
            let reasons = Coverage::reasons(&states, self.engine.now(), INCIDENT_AGE_MAX_S);
            (self.findings(&inventories, advisories), reasons)
        });
        SitePage {
            frame: self.console.frame(self.asked, slug, "sites", switch),
            slug: slug.to_owned(),
            name: site_name(site, lang).to_owned(),
            letter: state.letter(),
            state: words::state(lang, state),
            facts: self.facts(site),
            acts: self.acts(),
            cases: self.cases(&site.slug),
            assets: inventories.iter().map(|(asset, sbom)| asset_row(lang, *asset, sbom)).collect(),
            reasons: reasons.iter().map(|reason| words::reason(lang, *reason)).collect(),
            findings,
            count: texts::site_components_shown(lang, total.min(COMPONENTS_MAX), total),
            components: components
                .take(COMPONENTS_MAX)
                .map(|component| ComponentRow {
                    name: component.purl.name.clone(),
                    version: component.purl.version.clone(),
                    purl: component.purl.to_string(),
                    path: component.evidence.clone(),
                })
                .collect(),
        }
    }

    fn facts(&self, site: &Site) -> Vec<(&'static str, String)> {
        let lang = self.lang;
        let organisations = self.engine.organisations().unwrap_or_default();
        let org = organisations.iter().find(|org| org.id == site.org);
        let name = org.map(|org| org.name.clone()).unwrap_or_default();
        let sector = org.map_or("", |org| words::sector(lang, &org.sector));
        let criticality = format!("criticality-{}", site.criticality.number());
        let criticality = texts::by_code(lang, &criticality).unwrap_or_default();
        vec![
            (texts::site_origin(lang), site.origin.clone()),
            (texts::sites_column_organisation(lang), name),
            (texts::sites_column_sector(lang), sector.to_owned()),
            (texts::column_criticality(lang), criticality.to_owned()),
            (texts::column_exposure(lang), words::exposure(lang, site.exposure).to_owned()),
            (texts::column_edge(lang), site.edge.clone()),
        ]
    }

    /// When each inventory was confirmed, and what it holds. One that cannot be read shows as
    /// empty here and as a reason above.
    fn inventories(&self, site: &Site) -> Vec<(Option<Timestamp>, Sbom)> {
        let found: Vec<_> = self.engine.with_inventory(|index, _| {
            let assets = index.assets_of(site.id).filter_map(|id| index.asset(id));
            assets.map(|asset| (asset.confirmed, asset.snapshot)).collect()
        });
        let store: &Store = self.engine.store();
        let read = |digest| store.snapshot(digest).ok();
        found.into_iter().map(|(at, d)| (at, d.and_then(read).unwrap_or_default())).collect()
    }

    fn findings(
        &self,
        inventories: &[(Option<Timestamp>, Sbom)],
        advisories: &Advisories,
    ) -> Vec<FindingRow> {
        let components = inventories.iter().flat_map(|(_, sbom)| &sbom.components);
        let mut found: Vec<(Finding, String, String)> = Vec::new();
        for component in components {
            let name = format!("{} {}", component.purl.name, component.purl.version);
            for finding in advisories.match_component(component) {
                found.push((finding, name.trim().to_owned(), component.evidence.clone()));
            }
        }
        // The worst first: certain, exploited, by score.
        found.sort_by_key(|(finding, name, path)| {
            let worst = (finding.state.is_affected(), finding.known_exploited, finding.score);
            (std::cmp::Reverse(worst), finding.id.clone(), name.clone(), path.clone())
        });
        found.into_iter().map(|(finding, name, path)| self.finding(&finding, name, path)).collect()
    }

    fn finding(&self, finding: &Finding, component: String, path: String) -> FindingRow {
        let lang = self.lang;
        let certain = finding.state.is_affected();
        FindingRow {
            advisory: Link { text: finding.id.clone(), href: ask_href(lang, &finding.id, "", 1) },
            facts: severity(lang, finding.score, finding.known_exploited),
            component,
            certain,
            state: words::verdict(lang, if certain { Verdict::Affected } else { Verdict::Unknown }),
            path,
        }
    }

    fn cases(&self, site: &GateKey) -> Vec<CaseRow> {
        let lang = self.lang;
        self.engine.with_ledger(|ledger| {
            let cases = ledger.open().filter_map(|(_, it)| Some((it, it.case(site)?)));
            cases
                .map(|(incident, case)| {
                    let evidence = case.evidence.as_ref();
                    let reasons = evidence.map(|it| it.reasons.clone()).unwrap_or_default();
                    CaseRow {
                        incident: incident.question.clone(),
                        verdict: case
                            .verdict()
                            .map(|verdict| words::verdict(lang, verdict).to_owned())
                            .unwrap_or_default(),
                        reasons: reasons.iter().map(|it| words::reason(lang, *it)).collect(),
                        paths: evidence.map(|it| it.found.clone()).unwrap_or_default(),
                        since: number::rfc3339(case.since),
                    }
                })
                .collect()
        })
    }
}

/// As the engine asks for an incident, in seconds.
const INCIDENT_AGE_MAX_S: i64 = relight_engine::INVENTORY_TTL_S;

pub(super) fn site_name(site: &Site, lang: Lang) -> &str {
    let (own, other) = match lang {
        Lang::Fr => (&site.name_fr, &site.name_en),
        Lang::En => (&site.name_en, &site.name_fr),
    };
    if own.is_empty() { other } else { own }
}

fn asset_row(lang: Lang, confirmed: Option<Timestamp>, sbom: &Sbom) -> AssetRow {
    let flaw = |code: FlawCode| words::flaw(lang, code).to_owned();
    AssetRow {
        summary: match confirmed {
            Some(at) => texts::asset_summary(lang, &number::rfc3339(at), sbom.components.len()),
            None => texts::site_no_inventory(lang).to_owned(),
        },
        flaws: sbom.flaws.iter().map(|it| (it.evidence.clone(), flaw(it.code))).collect(),
    }
}

/// `CVSS 10,0 · KEV`, as far as it is known.
fn severity(lang: Lang, score: Option<u16>, exploited: bool) -> String {
    let score = score.map(|score| format!("CVSS {}", number::tenths(lang, u64::from(score))));
    let exploited = exploited.then(|| "KEV".to_owned());
    score.into_iter().chain(exploited).collect::<Vec<_>>().join(" · ")
}

fn ask_href(lang: Lang, question: &str, verdict: &str, page: usize) -> String {
    let question = encode(question);
    format!("/affected?lang={}&q={question}&state={verdict}&page={page}", lang.tag())
}

pub(super) async fn affected(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let lang = console.lang(&asked);
    blocking(move || match &console.engine {
        Some(engine) => {
            let page = AnswerView { console: &console, engine, lang, asked: &asked }.page();
            page::html(StatusCode::OK, relight_web::render(&page))
        }
        None => console.nothing(&asked),
    })
    .await
}

struct AnswerView<'a> {
    console: &'a Console,
    engine: &'a Engine,
    lang: Lang,
    asked: &'a Asked,
}

impl AnswerView<'_> {
    fn page(&self) -> AffectedPage {
        let lang = self.lang;
        let question = self.asked.q.trim();
        if question.is_empty() {
            let known = self.engine.with_inventory(|_, advisories| self.known(advisories));
            return AffectedPage { known, ..self.empty() };
        }
        let parsed = match Question::parse(question) {
            Ok(parsed) => parsed,
            Err(error) => {
                let problem = texts::by_code(lang, error.code).unwrap_or(error.code).to_owned();
                let remedy = texts::question_remedy(lang).to_owned();
                return AffectedPage { problem, remedy, ..self.empty() };
            }
        };
        let facts = self.engine.with_inventory(|_, advisories| match &parsed {
            Question::Advisory(id) => advisories.group(id).map(|group| facts(lang, group)),
            Question::Package(_) => Some(String::new()),
        });
        let Some(facts) = facts else {
            let command = "relight advisories update --offline DIR";
            return AffectedPage {
                problem: texts::no_such_advisory(lang, question),
                remedy: texts::no_such_advisory_remedy(lang, command),
                ..self.empty()
            };
        };
        AffectedPage { facts, ..self.answered(&parsed) }
    }

    fn empty(&self) -> AffectedPage {
        let (lang, asked) = (self.lang, self.asked);
        let switch = ask_href(lang.other(), asked.q.trim(), &asked.state, 1);
        AffectedPage {
            frame: self.console.frame(asked, texts::affected_title(lang), "affected", switch),
            question: asked.q.trim().to_owned(),
            problem: String::new(),
            remedy: String::new(),
            facts: String::new(),
            sentence: String::new(),
            sectors: Vec::new(),
            verdicts: Vec::new(),
            sites: Vec::new(),
            page: String::new(),
            previous: String::new(),
            next: String::new(),
            known: Vec::new(),
        }
    }

    /// What anybody would ask about first: exploited, then by score.
    fn known(&self, advisories: &Advisories) -> Vec<Link> {
        let mut groups: Vec<&Group> = advisories.groups().collect();
        groups.sort_by_key(|group| {
            (std::cmp::Reverse((group.known_exploited(), group.score())), &group.id)
        });
        let link = |group: &&Group| Link {
            text: format!("{} {}", group.id, group.summary()),
            href: ask_href(self.lang, &group.id, "", 1),
        };
        groups.iter().take(KNOWN_MAX).map(link).collect()
    }

    fn answered(&self, question: &Question) -> AffectedPage {
        let lang = self.lang;
        let answers = self.engine.ask(question);
        let sites = self.engine.sites();
        let organisations = self.engine.organisations().unwrap_or_default();
        let organisations: BTreeMap<_, _> = organisations.iter().map(|it| (it.id, it)).collect();
        let wanted = VERDICTS.into_iter().find(|it| it.as_str() == self.asked.state);
        let rows: Vec<Row<'_>> = sites
            .iter()
            .zip(&answers.sites)
            .map(|(site, answer)| Row { site, answer, org: organisations.get(&site.org).copied() })
            .collect();
        let fits = |row: &&Row<'_>| wanted.is_none_or(|it| row.verdict() == it);
        let mut shown: Vec<&Row<'_>> = rows.iter().filter(fits).collect();
        shown.sort_by_key(|row| {
            let exposure = std::cmp::Reverse(row.site.exposure.rank());
            (rank(row.verdict()), row.site.criticality, exposure, &row.site.slug)
        });
        let pages = shown.len().div_ceil(ROWS_MAX).max(1);
        let page = self.asked.page.parse().unwrap_or(1).clamp(1, pages);
        let link = |to: usize| {
            if (1..=pages).contains(&to) {
                ask_href(lang, &self.asked.q, &self.asked.state, to)
            } else {
                String::new()
            }
        };
        let part: Vec<&Row<'_>> =
            shown.into_iter().skip((page - 1) * ROWS_MAX).take(ROWS_MAX).collect();
        AffectedPage {
            sentence: sentence(lang, &answers),
            sectors: by_sector(lang, &rows),
            verdicts: verdict_choices(lang, wanted),
            sites: part.iter().map(|row| self.site(row)).collect(),
            page: texts::sites_page(lang, page, pages),
            previous: link(page - 1),
            next: link(page + 1),
            ..self.empty()
        }
    }

    fn site(&self, row: &Row<'_>) -> AnswerSite {
        let (lang, slug) = (self.lang, row.site.slug.as_str());
        let why = match row.answer.answer {
            Answer::Affected => {
                self.engine.with_inventory(|index, _| self.paths(index, row.answer))
            }
            Answer::Unknown(_) => {
                let reasons = row.answer.reasons.iter();
                reasons.map(|reason| words::reason(lang, *reason).to_owned()).collect()
            }
            Answer::Clear(_) => Vec::new(),
        };
        AnswerSite {
            site: Link {
                text: slug.to_owned(),
                href: format!("/site/{}?lang={}", encode(slug), lang.tag()),
            },
            organisation: row.org.map(|org| org.name.clone()).unwrap_or_default(),
            code: row.verdict().as_str(),
            verdict: words::verdict(lang, row.verdict()),
            why,
        }
    }

    fn paths(&self, index: &Index, answer: &SiteAnswer) -> Vec<String> {
        let store: &Store = self.engine.store();
        let certain = answer.found.iter().filter(|found| found.state.is_affected());
        let read = |found: &relight_engine::answer::Found| {
            index.evidence(store, found.identity, found.asset).unwrap_or_default()
        };
        let mut paths: Vec<String> = certain.flat_map(read).collect();
        paths.sort();
        paths.dedup();
        paths.truncate(PATHS_MAX);
        paths
    }
}

/// One site with its answer.
struct Row<'a> {
    site: &'a Site,
    answer: &'a SiteAnswer,
    org: Option<&'a Organisation>,
}

impl Row<'_> {
    fn verdict(&self) -> Verdict {
        self.answer.answer.verdict()
    }
}

/// What has to be looked at first.
fn rank(verdict: Verdict) -> usize {
    VERDICTS.into_iter().position(|it| it == verdict).unwrap_or(VERDICTS.len())
}

fn sentence(lang: Lang, answers: &AnswerSet) -> String {
    let count = |verdict| answers.count(verdict);
    let (affected, unknown) = (count(Verdict::Affected), count(Verdict::Unknown));
    texts::affected_summary(lang, affected, count(Verdict::Clear), answers.sites.len(), unknown)
}

fn by_sector(lang: Lang, rows: &[Row<'_>]) -> Vec<AnswerRow> {
    let mut sectors: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for row in rows {
        let [affected, unknown, total] =
            sectors.entry(row.org.map_or("", |org| org.sector.as_str())).or_default();
        *affected += usize::from(row.verdict() == Verdict::Affected);
        *unknown += usize::from(row.verdict() == Verdict::Unknown);
        *total += 1;
    }
    let mut sectors: Vec<_> =
        sectors.into_iter().filter(|(_, [affected, unknown, _])| affected + unknown > 0).collect();
    sectors.sort_by_key(|(code, [affected, unknown, _])| {
        (std::cmp::Reverse((*affected, *unknown)), *code)
    });
    let text = |count: usize| Number::from(count).text(lang);
    let row = |(code, [affected, unknown, total]): (&str, [usize; 3])| AnswerRow {
        name: words::sector(lang, code).to_owned(),
        affected: text(affected),
        unknown: text(unknown),
        total: text(total),
        permille: affected * 1000 / total.max(1),
    };
    sectors.into_iter().map(row).collect()
}

fn verdict_choices(lang: Lang, wanted: Option<Verdict>) -> Vec<Choice> {
    let choice = |verdict: Verdict| Choice {
        value: verdict.as_str().to_owned(),
        text: words::verdict(lang, verdict).to_owned(),
        chosen: wanted == Some(verdict),
    };
    VERDICTS.map(choice).into()
}

fn facts(lang: Lang, group: &Group) -> String {
    let known = severity(lang, group.score(), group.known_exploited());
    let parts = [known, group.summary().to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}
