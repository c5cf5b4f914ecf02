//! Sites, as the wall shows them and the register has them: those that the caller reads.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use relight_engine::Unselected;
use relight_engine::access::Scope;
use relight_engine::incident::{Evidence, Incident};
use relight_engine::live::{BoardSite, Snapshot};
use relight_engine::query::QueryError;
use relight_model::{DisplayState, GateKey, Site};
use relight_web::number::rfc3339;
use relight_web::{Lang, texts};

use super::document::documents;
use super::problem::Problem;
use super::{Call, Nothing};
use crate::console::sites::why_not;

/// Sites in one answer.
const SITES_MAX: usize = 1_000;

documents! {
    /// Which sites are listed.
    SiteQuery {
        /// Code of a sector.
        sector: Option<String>,
        /// Stable name of a display state (`affected`).
        state: Option<String>,
        /// Which sites, as `--sites` takes them (`org:SAN crit<=2 not edge:none`). Bare verdicts
        /// are those of the incident on the screen.
        query: Option<String>,
        /// Skip so many.
        offset: Option<u64>,
    }

    /// Sites, a thousand at most.
    Sites {
        /// How many fit in all.
        total: u64,
        /// In the order of the wall.
        sites: Vec<SiteView>,
    }

    /// One site.
    SiteView {
        /// Short name.
        slug: String,
        /// Name in French.
        name_fr: String,
        /// Name in English.
        name_en: String,
        /// The body that answers for it.
        organisation: String,
        /// Code of its sector.
        sector: String,
        /// Its address: scheme and host.
        origin: String,
        /// Other names under which visitors reach it.
        aliases: Vec<String>,
        /// Parts that can be closed while the rest stays open.
        parts: Vec<String>,
        /// 1 (vital) to 4.
        criticality: u64,
        /// Who can reach it.
        exposure: String,
        /// Name of the edge that serves it; empty when it is not known.
        edge: String,
        /// The public page shows it.
        public: bool,
        /// Stable name of its display state.
        state: String,
        /// What a second person is asked to accept.
        requests: Vec<RequestView>,
        /// Where it stands in each open incident that knows of it.
        cases: Vec<CaseView>,
    }

    /// Where a site stands in an open incident.
    CaseView {
        /// Id of the incident.
        incident: String,
        /// Stable name of the phase.
        phase: String,
        /// What the newest evidence says; nothing without any.
        verdict: Option<String>,
        /// On what that rests; nothing without any.
        evidence: Option<EvidenceView>,
        /// Name of what is known: whoever asks a second person sends it as `about`.
        about: String,
        /// Why a fix is not verified: code of what stands in the way (`undeclared`, `no-path`,
        /// `no-answer`, `other-status`, `other-text`, `signs`, `signs-unknown`), empty where
        /// nothing is known to; nothing where no fix waits.
        unverified: Option<String>,
    }

    /// The newest evidence about a site, in one incident.
    EvidenceView {
        /// How it was obtained: `scan` or `verification`.
        kind: String,
        /// `complete`, or `partial` where something may be there that nobody saw.
        coverage: String,
        /// When the artifacts were read (RFC 3339).
        read_at: String,
        /// From when on it is worth nothing (RFC 3339).
        expires_at: String,
        /// What read the artifacts.
        scanner: String,
        /// Ids of the inventories that were judged.
        inventories: Vec<String>,
        /// Revision of the advisory under which they were.
        advisory_revision: String,
    }

    /// That somebody asks a second person to accept a site as it is.
    RequestView {
        /// Its id: whoever agrees sends it as `seen`.
        id: String,
        /// Id of the incident.
        incident: String,
        /// Who asks.
        by: String,
        /// Why.
        reason: String,
        /// Until when (RFC 3339).
        expires: String,
    }
}

/// What a second person is asked to accept, in each open incident.
fn requests(call: &Call, site: &BoardSite) -> Vec<RequestView> {
    let Ok(site) = GateKey::new(&site.slug) else { return Vec::new() };
    let view = |id: &str, incident: &Incident| {
        let asked = incident.proposed(&site)?;
        Some(RequestView {
            id: incident.request(&site)?.to_string(),
            incident: id.to_owned(),
            by: asked.proposer.clone(),
            reason: asked.reason.clone(),
            expires: rfc3339(asked.expires),
        })
    };
    call.engine.with_ledger(|ledger| {
        ledger.open().filter_map(|(id, incident)| view(id, incident)).collect()
    })
}

fn evidence_view(evidence: &Evidence) -> EvidenceView {
    EvidenceView {
        kind: evidence.kind.as_str().to_owned(),
        coverage: evidence.coverage().to_owned(),
        read_at: rfc3339(evidence.made_at),
        expires_at: rfc3339(evidence.expires_at),
        scanner: evidence.scanner.clone(),
        inventories: evidence.inventories.clone(),
        advisory_revision: evidence.advisory_revision.to_string(),
    }
}

/// Where a site stands in each open incident.
fn cases(call: &Call, site: &BoardSite) -> Vec<CaseView> {
    let Ok(site) = GateKey::new(&site.slug) else { return Vec::new() };
    let view = |id: &str, incident: &Incident| {
        let case = incident.case(&site)?;
        Some(CaseView {
            incident: id.to_owned(),
            phase: case.phase.as_str().to_owned(),
            verdict: case.verdict().map(|verdict| verdict.as_str().to_owned()),
            evidence: case.evidence.as_ref().map(evidence_view),
            about: incident.about(&site).to_string(),
            unverified: case.unverified().map(|(why, _)| why.to_owned()),
        })
    };
    call.engine.with_ledger(|ledger| {
        ledger.open().filter_map(|(id, incident)| view(id, incident)).collect()
    })
}

/// What the register has of each site.
fn registered(call: &Call) -> BTreeMap<String, Site> {
    call.engine.sites().into_iter().map(|site| (site.slug.to_string(), site)).collect()
}

/// Nothing for one that left the register since it was on the wall.
fn site_view(
    call: &Call,
    known: &BTreeMap<String, Site>,
    (site, state): (&BoardSite, DisplayState),
) -> Option<SiteView> {
    let row = known.get(&site.slug)?;
    Some(SiteView {
        slug: site.slug.clone(),
        name_fr: site.name_fr.clone(),
        name_en: site.name_en.clone(),
        organisation: site.organisation.clone(),
        sector: site.sector.clone(),
        origin: row.origin.clone(),
        aliases: row.aliases.clone(),
        parts: row.parts.iter().map(ToString::to_string).collect(),
        criticality: u64::from(row.criticality.number()),
        exposure: row.exposure.as_str().to_owned(),
        edge: row.edge.clone(),
        public: row.public,
        state: state.as_str().to_owned(),
        requests: requests(call, site),
        cases: cases(call, site),
    })
}

/// The sites that the caller may know of, with their states.
fn seen<'a>(call: &Call, snapshot: &'a Snapshot) -> Vec<(&'a BoardSite, DisplayState)> {
    let sites = snapshot.sites.iter().zip(snapshot.states.iter().copied());
    let reads = |site: &BoardSite| {
        call.signed.account.reads(&Scope::of_body(&site.sector, &site.organisation))
    };
    sites.filter(|(site, _)| reads(site)).collect()
}

/// The sites that a query means, whose bare verdicts are about this incident; one that is none is
/// refused, and means neither none nor all.
pub(super) fn meant(call: &Call, text: &str, id: &str) -> Result<BTreeSet<String>, Problem> {
    let found = call.engine.select(text, (!id.is_empty()).then_some(id));
    let found = found.map_err(|fault| unselected(call.lang, &fault))?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// Why a query means no sites.
pub(super) fn unselected(lang: Lang, fault: &Unselected) -> Problem {
    let (what, remedy) = why_not(lang, fault);
    let what = match fault {
        Unselected::Engine(error) => return Problem::engine(lang, error),
        Unselected::Query(QueryError { code, start, .. }) => {
            texts::query_fault_at(lang, &start.to_string(), code, &what)
        }
        Unselected::NeedsQuestion | Unselected::NoAdvisory(_) => what,
    };
    Problem::unreadable(&what).remedy(&remedy)
}

pub(super) fn sites(call: &Call, query: SiteQuery) -> Result<Sites, Problem> {
    let id = call.console.board.headline().id;
    let meant = query.query.as_ref().map(|text| meant(call, text, &id)).transpose()?;
    let known = registered(call);
    // What left the register since it was on the wall is not listed, nor counted.
    let fits = |(site, state): &(&BoardSite, DisplayState)| {
        known.contains_key(&site.slug)
            && meant.as_ref().is_none_or(|sites| sites.contains(&site.slug))
            && query.sector.as_ref().is_none_or(|sector| *sector == site.sector)
            && query.state.as_ref().is_none_or(|name| name == state.as_str())
    };
    let snapshot = call.console.board.snapshot();
    let found: Vec<_> = seen(call, &snapshot).into_iter().filter(fits).collect();
    let offset = usize::try_from(query.offset.unwrap_or(0)).unwrap_or(usize::MAX);
    let page = found.iter().skip(offset).take(SITES_MAX);
    Ok(Sites {
        total: found.len() as u64,
        sites: page.filter_map(|it| site_view(call, &known, *it)).collect(),
    })
}

pub(super) fn site(call: &Call, _: Nothing) -> Result<SiteView, Problem> {
    let slug = call.part("slug");
    let snapshot = call.console.board.snapshot();
    let found = seen(call, &snapshot).into_iter().find(|(site, _)| site.slug == slug);
    let found = found.and_then(|it| site_view(call, &registered(call), it));
    found.ok_or_else(|| Problem::of(StatusCode::NOT_FOUND))
}
