//! `/site/SLUG`: what the register knows of one site.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::{Role, Scope};
use relight_engine::incident::{Case, Incident};
use relight_engine::matching::{Advisories, Enclosure};
use relight_engine::store::Store;
use relight_engine::{Engine, EngineError};
use relight_model::{
    Coverage, Finding, FlawCode, GateKey, InventoryState, Sbom, Site, Timestamp, Verdict,
};
use relight_web::register_views::{
    AssetRow, CaseRow, ComponentRow, FindingRow, Link, SiteActs, SitePage,
};
use relight_web::{Lang, number, texts, words};

use super::affected::ask_href;
use super::edges::told;
use super::{Asked, Console, act, blocking};
use crate::access::signed_in::Reader;
use crate::page::{self, encode};

/// Findings of a site that are shown: thousands of rows would make a browser slow. The worst come
/// first.
const FINDINGS_MAX: usize = 150;

/// Parts of an asset that were not read and are shown.
const FLAWS_MAX: usize = 50;

/// Components of one site on its page; the export has all.
const COMPONENTS_MAX: usize = 200;

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
    /// The open incidents in which this reader may do something about a site, what a second person
    /// is asked for in each, and what is known there.
    fn acts(&self, site: &GateKey) -> Vec<SiteActs> {
        let Reader::Signed(signed) = &self.asked.reader else { return Vec::new() };
        let person = act::person_of(self.console, signed, self.engine.now());
        let mut roles = [Role::SiteOwner, Role::Commander, Role::Approver].into_iter();
        if !roles.any(|role| person.may(role, &self.scope)) {
            return Vec::new();
        }
        let acts = |(id, incident): (&str, &Incident)| SiteActs {
            incident: id.to_owned(),
            request: incident.request(site).map(|it| it.to_string()).unwrap_or_default(),
            about: incident.about(site).to_string(),
        };
        self.engine.with_ledger(|ledger| ledger.open().map(acts).collect())
    }

    /// Whether this reader decides what the public page shows of this body.
    fn publishes(&self) -> bool {
        let Reader::Signed(signed) = &self.asked.reader else { return false };
        signed.is_person() && signed.may(Role::Publisher, &self.scope)
    }

    fn page(&self, site: &Site) -> SitePage {
        let (lang, slug) = (self.lang, site.slug.as_str());
        let state = self.engine.with_ledger(|ledger| ledger.display(&site.slug).0);
        let switch = format!("/site/{}?lang={}", encode(slug), lang.other().tag());
        let inventories = self.inventories(site);
        let components = inventories.iter().flat_map(|(_, sbom)| &sbom.components);
        let total = components.clone().count();
        let ((findings, left), reasons) = self.engine.with_inventory(|index, advisories| {
            (self.findings(&inventories, advisories), self.reasons(index.inventory_states(site.id)))
        });
        // Before the words of a request: an id that is older than they are agrees to nothing.
        let acts = self.acts(&site.slug);
        SitePage {
            frame: self.console.frame(self.asked, slug, "sites", switch),
            slug: slug.to_owned(),
            name: site_name(site, lang).to_owned(),
            letter: state.letter(),
            state: words::state(lang, state),
            facts: self.facts(site),
            acts,
            shows: self.publishes().then_some(site.public),
            cases: self.cases(&site.slug),
            assets: inventories.iter().map(|(asset, sbom)| asset_row(lang, *asset, sbom)).collect(),
            reasons,
            findings,
            more: told(left, |count| texts::edges_more(lang, count)),
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

    /// Why no question could be clear, and of which packages alone that is true.
    fn reasons(&self, states: Vec<InventoryState>) -> Vec<String> {
        let lang = self.lang;
        let hidden: BTreeSet<_> = states.iter().flat_map(|state| state.hidden.clone()).collect();
        let states: Vec<_> = states.into_iter().map(|state| state.about(|_| false)).collect();
        let broad = Coverage::reasons(&states, self.engine.now(), INCIDENT_AGE_MAX_S);
        let broad = broad.into_iter().map(|reason| words::reason(lang, reason).to_owned());
        broad.chain(hidden.into_iter().map(|kind| texts::site_hidden(lang, kind))).collect()
    }

    fn facts(&self, site: &Site) -> Vec<(&'static str, String)> {
        let lang = self.lang;
        let organisations = self.engine.organisations().unwrap_or_default();
        let org = organisations.iter().find(|org| org.id == site.org);
        let name = org.map(|org| org.name.clone()).unwrap_or_default();
        let sector = org.map_or("", |org| words::sector(lang, &org.sector));
        let criticality = format!("criticality-{}", site.criticality.number());
        let criticality = texts::by_code(lang, &criticality).unwrap_or_default();
        let aliases = (texts::column_aliases(lang), site.aliases.join(", "));
        let mut facts = vec![
            (texts::site_origin(lang), site.origin.clone()),
            (texts::sites_column_organisation(lang), name),
            (texts::sites_column_sector(lang), sector.to_owned()),
            (texts::column_criticality(lang), criticality.to_owned()),
            (texts::column_exposure(lang), words::exposure(lang, site.exposure).to_owned()),
            (texts::column_edge(lang), site.edge.clone()),
        ];
        if !site.aliases.is_empty() {
            facts.insert(1, aliases);
        }
        let shown =
            if site.public { texts::site_public_yes(lang) } else { texts::site_public_no(lang) };
        facts.push((texts::console_nav_public(lang), shown.to_owned()));
        if let Some((_, channel)) = words::channel(&site.channel, lang) {
            facts.push((texts::site_channel(lang), channel.to_owned()));
        }
        facts.extend(self.incident_facts(site));
        facts
    }

    /// Parts that are closed, why a fix is not verified, and who asks a second person to answer for
    /// the site.
    fn incident_facts(&self, site: &Site) -> Vec<(&'static str, String)> {
        let lang = self.lang;
        self.engine.with_ledger(|ledger| {
            let mut facts = Vec::new();
            for (id, incident) in ledger.open() {
                for part in incident.parts_of(&site.slug).filter(|part| part.is_at_work()) {
                    let state = words::part_state(lang, part.state());
                    facts.push((texts::site_part(lang), format!("{} · {state}", part.name.part)));
                }
                let unverified = incident.case(&site.slug).and_then(Case::unverified);
                if let Some((why, detail)) = unverified {
                    let why = words::tried(lang, why, detail);
                    facts.push((texts::site_fix(lang), texts::labelled(lang, id, &why)));
                }
                if let Some(asked) = incident.proposed(&site.slug) {
                    let until = act::moment(lang, asked.expires);
                    let who = texts::site_asked(lang, &asked.proposer, id, &asked.reason, &until);
                    facts.push((texts::site_acceptance(lang), who));
                }
            }
            facts
        })
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
    ) -> (Vec<FindingRow>, usize) {
        let mut found: Vec<(Finding, String, String)> = Vec::new();
        for (_, sbom) in inventories {
            let enclosure = Enclosure::of_image(&sbom.images);
            for component in &sbom.components {
                let name = format!("{} {}", component.purl.name, component.purl.version);
                for finding in advisories.match_in(component, &enclosure) {
                    found.push((finding, name.trim().to_owned(), component.evidence.clone()));
                }
            }
        }
        // The worst first: certain, exploited, by score.
        found.sort_by_key(|(finding, name, path)| {
            let worst = (finding.state.is_affected(), finding.known_exploited, finding.score);
            (std::cmp::Reverse(worst), finding.id.clone(), name.clone(), path.clone())
        });
        let left = found.len().saturating_sub(FINDINGS_MAX);
        let shown = found.into_iter().take(FINDINGS_MAX);
        let rows = shown.map(|(finding, name, path)| self.finding(&finding, name, path));
        (rows.collect(), left)
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
            let cases = ledger.open().filter_map(|(id, it)| Some((id, it.case(site)?)));
            cases
                .map(|(id, case)| {
                    let evidence = case.evidence.as_ref();
                    let reasons = evidence.map(|it| it.reasons.clone()).unwrap_or_default();
                    CaseRow {
                        incident: id.to_owned(),
                        verdict: case
                            .verdict()
                            .map(|verdict| words::verdict(lang, verdict).to_owned())
                            .unwrap_or_default(),
                        reasons: reasons.iter().map(|it| words::reason(lang, *it)).collect(),
                        paths: evidence.map(|it| it.found.clone()).unwrap_or_default(),
                        since: act::moment(lang, case.since),
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
            Some(at) => texts::asset_summary(lang, &number::stamp(lang, at), sbom.components.len()),
            None => texts::site_no_inventory(lang).to_owned(),
        },
        flaws: sbom
            .flaws
            .iter()
            .take(FLAWS_MAX)
            .map(|it| (it.evidence.clone(), flaw(it.code)))
            .collect(),
        more: told(sbom.flaws.len().saturating_sub(FLAWS_MAX), |count| {
            texts::edges_more(lang, count)
        }),
    }
}

/// `CVSS 10,0 · KEV`, as far as it is known.
pub(super) fn severity(lang: Lang, score: Option<u16>, exploited: bool) -> String {
    let score = score.map(|score| format!("CVSS {}", number::tenths(lang, u64::from(score))));
    let exploited = exploited.then(|| "KEV".to_owned());
    score.into_iter().chain(exploited).collect::<Vec<_>>().join(" · ")
}
