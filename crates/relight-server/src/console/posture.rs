//! `/posture`: three measures of each site and ten actions of each body, each with its date and
//! its evidence; and the form in which people attest what no machine can measure.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::access::{Role, Scope};
use relight_engine::measures::{
    ACTIONS, ATTESTED_DAYS, ATTESTED_DAYS_MAX, Attested, Attesting, BodyMeasures, KEV_DAYS_MAX,
    Measure, Measures, Patched, SiteMeasures, Subject, attest, fault_of,
};
use relight_engine::store::EVIDENCE_BYTES_MAX;
use relight_engine::{Engine, EngineError, LogState};
use relight_model::{OrgId, Organisation, Site, Timestamp};
use relight_web::posture_views::{
    ActionRow, AttestForm, BodyPage, BodyRow, MeasureCell, MeasureTotal, PosturePage,
    SiteMeasuresRow,
};
use relight_web::views::Choice;
use relight_web::{Lang, number, texts, words};
use serde::Deserialize;

use super::rows::Pager;
use super::{Asked, Console, act, blocking};
use crate::access::SignedIn;
use crate::access::form::SignedForm;
use crate::access::signed_in::Reader;
use crate::page::{self, encode};

/// What somebody attests.
#[derive(Debug, Deserialize)]
pub(super) struct Form {
    org: String,
    /// Empty for the whole body.
    #[serde(default)]
    site: String,
    measure: String,
    value: String,
    evidence: String,
    days: i64,
}

/// All bodies, or one: `?org=NAME`.
pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        let view = match View::open(&console, &asked) {
            Ok(Some(view)) => view,
            Ok(None) => return console.nothing(&asked),
            Err(error) => return act::refused(&console, &asked, &error, "/"),
        };
        if asked.org.is_empty() {
            return page::html(StatusCode::OK, relight_web::render(&view.all()));
        }
        match view.body(&asked.org) {
            Some(body) => page::html(StatusCode::OK, relight_web::render(&view.one(body, None))),
            None => console.nothing(&asked),
        }
    })
    .await
}

/// Takes an attestation, or shows why not.
pub(super) async fn take(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Form>,
) -> Response {
    blocking(move || {
        let view = match View::open(&console, &asked) {
            Ok(Some(view)) => view,
            Ok(None) => return console.nothing(&asked),
            Err(error) => return act::refused(&console, &asked, &error, "/posture"),
        };
        let Some(body) = view.body(&form.org) else { return console.nothing(&asked) };
        let (status, fault) = match view.attest(&signed, body, &form) {
            Ok(()) => {
                let (lang, org) = (view.lang.tag(), encode(&body.name));
                let to = format!("/posture?lang={lang}&org={org}&state=done");
                return Redirect::to(&to).into_response();
            }
            Err(refused) => refused,
        };
        page::html(status, relight_web::render(&view.one(body, Some(fault))))
    })
    .await
}

/// Why something was not attested: the status and the code of its text.
type Refused = (StatusCode, &'static str);

/// The register as far as the reader may see it, measured.
struct View<'a> {
    console: &'a Console,
    asked: &'a Asked,
    engine: &'a Engine,
    lang: Lang,
    bodies: Vec<Organisation>,
    sites: Vec<Site>,
    measures: Measures,
}

impl<'a> View<'a> {
    /// `None` without a register.
    fn open(console: &'a Console, asked: &'a Asked) -> Result<Option<Self>, EngineError> {
        let Some(engine) = console.engine.as_deref() else { return Ok(None) };
        let mut bodies = engine.organisations()?;
        bodies.retain(|body| asked.reader.reads(&Scope::of_body(&body.sector, &body.name)));
        bodies.sort_by_cached_key(|body| body.name.to_lowercase());
        let mut sites = engine.sites();
        sites.retain(|site| bodies.iter().any(|body| body.id == site.org));
        sites.sort_by(|a, b| a.slug.cmp(&b.slug));
        let (lang, measures) = (console.lang(asked), engine.measures(&sites)?);
        Ok(Some(Self { console, asked, engine, lang, bodies, sites, measures }))
    }

    fn body(&self, name: &str) -> Option<&Organisation> {
        self.bodies.iter().find(|body| body.name == name)
    }

    fn of(&self, org: OrgId) -> Option<&BodyMeasures> {
        self.measures.bodies.iter().find(|it| it.org == org)
    }

    /// Which page was asked for, of how many, and the addresses around it.
    fn pages(&self, rows: usize, org: &str) -> (Pager, [String; 3]) {
        let pager = Pager::of(self.asked, rows);
        let href = |to: usize| format!("{}&page={to}", self.href(self.lang, org));
        (pager, pager.around(self.lang, href))
    }

    fn href(&self, lang: Lang, org: &str) -> String {
        let part = |name: &str, value: &str| match value.is_empty() {
            true => String::new(),
            false => format!("&{name}={}", encode(value)),
        };
        let words = self.asked.q.trim();
        format!("/posture?lang={}{}{}", lang.tag(), part("org", org), part("q", words))
    }

    fn all(&self) -> PosturePage {
        let (lang, words) = (self.lang, self.asked.q.trim());
        let fits = |body: &&Organisation| body.name.to_lowercase().contains(&words.to_lowercase());
        let shown: Vec<&Organisation> = self.bodies.iter().filter(fits).collect();
        let (pager, [page, previous, next]) = self.pages(shown.len(), "");
        let title = texts::posture_title(lang);
        PosturePage {
            frame: self.console.frame(self.asked, title, "posture", self.href(lang.other(), "")),
            count: texts::posture_bodies(lang, shown.len()),
            totals: totals(lang, self.measures.sites.iter()),
            words: words.to_owned(),
            bodies: pager.shown(shown).filter_map(|body| self.row(body)).collect(),
            page,
            previous,
            next,
        }
    }

    fn row(&self, body: &Organisation) -> Option<BodyRow> {
        let (lang, measures) = (self.lang, self.of(body.id)?);
        let of = |[yes, _, _]: [usize; 3]| texts::posture_of(lang, measures.sites, yes);
        let done = measures.actions.iter().filter(|it| it.value() == Some(true)).count();
        Some(BodyRow {
            name: body.name.clone(),
            href: format!("/posture?lang={}&org={}", lang.tag(), encode(&body.name)),
            measures: measures.measures.map(of),
            actions: texts::posture_of(lang, ACTIONS, done),
        })
    }

    fn one(&self, body: &Organisation, fault: Option<&'static str>) -> BodyPage {
        let lang = self.lang;
        let own = self.sites.iter().zip(&self.measures.sites);
        let own: Vec<_> = own.filter(|(site, _)| site.org == body.id).collect();
        let (pager, [page, previous, next]) = self.pages(own.len(), &body.name);
        let text = |code: &str| texts::by_code(lang, code).unwrap_or_default();
        let switch = self.href(lang.other(), &body.name);
        let actions = self.of(body.id).map(|it| actions(lang, &it.actions)).unwrap_or_default();
        BodyPage {
            frame: self.console.frame(self.asked, &body.name, "posture", switch),
            name: body.name.clone(),
            problem: fault.map(text).unwrap_or_default().to_owned(),
            remedy: fault.map(|code| text(&format!("{code}-remedy"))).unwrap_or_default(),
            done: fault.is_none() && self.asked.state == "done",
            totals: totals(lang, own.iter().map(|(_, it)| *it)),
            actions,
            form: self.form(body, own.iter().map(|(site, _)| *site)),
            sites: pager
                .shown(&own)
                .map(|(site, measures)| site_row(lang, site, measures))
                .collect(),
            page,
            previous,
            next,
        }
    }

    /// What this reader may attest about a body; nothing when he may not.
    fn form<'s>(
        &self,
        body: &Organisation,
        sites: impl Iterator<Item = &'s Site>,
    ) -> Option<AttestForm> {
        let Reader::Signed(signed) = &self.asked.reader else { return None };
        if !attests(signed, body) {
            return None;
        }
        let lang = self.lang;
        let choice = |value: String, text: String| Choice { value, text, chosen: false };
        let whole = choice(String::new(), texts::posture_attest_body(lang).to_owned());
        let each = sites.map(|site| choice(site.slug.to_string(), site.slug.to_string()));
        let measure = |measure: Measure| choice(measure.code(), measure_name(lang, measure));
        Some(AttestForm {
            subjects: std::iter::once(whole).chain(each).collect(),
            measures: Measure::all().map(measure).collect(),
            days: ATTESTED_DAYS,
            days_max: ATTESTED_DAYS_MAX,
            evidence_max: EVIDENCE_BYTES_MAX,
        })
    }

    fn attest(&self, signed: &SignedIn, body: &Organisation, form: &Form) -> Result<(), Refused> {
        let unusable = |code| (StatusCode::UNPROCESSABLE_ENTITY, code);
        if !attests(signed, body) {
            return Err((StatusCode::FORBIDDEN, "attest-not-yours"));
        }
        let is_it = |site: &&Site| site.org == body.id && site.slug.as_str() == form.site;
        let subject = match form.site.as_str() {
            "" => Subject::Body(body),
            _ => Subject::Site(self.sites.iter().find(is_it).ok_or(unusable("attest-no-subject"))?),
        };
        let measure = Measure::parse(&form.measure).ok_or(unusable("attest-no-measure"))?;
        let in_place = match form.value.as_str() {
            "yes" => true,
            "no" => false,
            _ => return Err(unusable("attest-no-measure")),
        };
        let measures = [(measure, in_place)];
        let (evidence, days) = (form.evidence.as_str(), form.days);
        let what = Attesting { measures: &measures, evidence, actor: &signed.account.name, days };
        if let Some(fault) = fault_of(subject, what) {
            return Err(unusable(fault));
        }
        attest(self.engine.store(), subject, what, self.engine.now())
            .map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "engine-other"))
    }
}

/// Whether somebody attests for a body: a person with a passkey who answers for it.
fn attests(signed: &SignedIn, body: &Organisation) -> bool {
    let scope = Scope::of_body(&body.sector, &body.name);
    signed.is_person() && [Role::SiteOwner, Role::Admin].iter().any(|it| signed.may(*it, &scope))
}

fn measure_name(lang: Lang, measure: Measure) -> String {
    let code = measure.code();
    match measure {
        Measure::Mfa => texts::measure_mfa(lang).to_owned(),
        Measure::Action(number) => {
            format!("{number}. {}", texts::by_code(lang, &code).unwrap_or_default())
        }
    }
}

/// The day of a moment, in UTC.
fn day(at: Timestamp) -> String {
    number::rfc3339(at).get(..10).unwrap_or_default().to_owned()
}

fn totals<'m>(lang: Lang, sites: impl Iterator<Item = &'m SiteMeasures>) -> Vec<MeasureTotal> {
    let mut counts = [[0_usize; 3]; 3];
    for values in sites.map(SiteMeasures::values) {
        for (count, value) in counts.iter_mut().zip(values) {
            count[value.map_or(2, |yes| usize::from(!yes))] += 1;
        }
    }
    let names = [texts::measure_patched(lang), texts::measure_logs(lang), texts::measure_mfa(lang)];
    let total = |(name, [yes, no, unknown]): (&'static str, [usize; 3])| {
        let all = (yes + no + unknown).max(1);
        MeasureTotal {
            name,
            text: texts::posture_share(lang, no, unknown, yes),
            yes_permille: yes * 1000 / all,
            no_permille: no * 1000 / all,
        }
    };
    names.into_iter().zip(counts).map(total).collect()
}

fn cell(lang: Lang, value: Option<bool>) -> MeasureCell {
    let (code, word) = match value {
        Some(true) => ("yes", texts::posture_value_yes(lang)),
        Some(false) => ("no", texts::posture_value_no(lang)),
        None => ("unknown", texts::posture_value_unknown(lang)),
    };
    MeasureCell { code, word, ..MeasureCell::default() }
}

fn actions(lang: Lang, actions: &[Attested; ACTIONS]) -> Vec<ActionRow> {
    let row = |(at, attested): (usize, &Attested)| {
        let name = texts::by_code(lang, &Measure::action(at).code()).unwrap_or_default();
        ActionRow { name, cell: attested_cell(lang, attested) }
    };
    actions.iter().enumerate().map(row).collect()
}

fn attested_cell(lang: Lang, attested: &Attested) -> MeasureCell {
    let why = match attested {
        Attested::Never => vec![texts::posture_never_attested(lang).to_owned()],
        Attested::Holds(it) => {
            let (at, until) = (day(it.at), day(it.expires));
            vec![texts::posture_attested(lang, &it.actor, &at, &until), it.evidence.clone()]
        }
        Attested::Expired(it) => {
            vec![texts::posture_expired(lang, &it.actor, &day(it.expires)), it.evidence.clone()]
        }
    };
    MeasureCell { why, ..cell(lang, attested.value()) }
}

fn patched_cell(lang: Lang, patched: &Patched) -> MeasureCell {
    let as_of = |at: Timestamp| texts::posture_as_of(lang, &day(at));
    match patched {
        Patched::Yes(at) => MeasureCell {
            at: as_of(*at),
            why: vec![texts::posture_patched_yes(lang).to_owned()],
            ..cell(lang, Some(true))
        },
        Patched::No { at, flaws, count } => MeasureCell {
            at: at.map(as_of).unwrap_or_default(),
            why: vec![texts::posture_patched_no(lang, *count), flaws.join(", ")],
            ..cell(lang, Some(false))
        },
        Patched::Unknown(reasons) => {
            let perhaps = reasons.is_empty().then(|| texts::posture_patched_perhaps(lang));
            let why = reasons.iter().map(|reason| words::reason(lang, *reason)).chain(perhaps);
            MeasureCell { why: why.map(str::to_owned).collect(), ..cell(lang, None) }
        }
        Patched::Unlisted => MeasureCell {
            why: vec![texts::posture_patched_unlisted(lang, KEV_DAYS_MAX)],
            ..cell(lang, None)
        },
    }
}

fn logs_cell(lang: Lang, measures: &SiteMeasures) -> MeasureCell {
    let [_, value, _] = measures.values();
    let state = &measures.logs.state;
    let word = texts::by_code(lang, &format!("posture-{}", state.as_str())).unwrap_or_default();
    let why = match state {
        LogState::Partial(missing) => texts::labelled(lang, word, &missing.join(", ")),
        LogState::Silent(since) | LogState::Quiet(since) => format!("{word} {}", day(*since)),
        LogState::Complete | LogState::Never => word.to_owned(),
    };
    let last = measures.logs.feeds.iter().map(|feed| feed.last).max();
    let at = last.map(|at| texts::posture_as_of(lang, &day(at))).unwrap_or_default();
    MeasureCell { at, why: vec![why], ..cell(lang, value) }
}

fn site_row(lang: Lang, site: &Site, measures: &SiteMeasures) -> SiteMeasuresRow {
    let slug = site.slug.as_str();
    SiteMeasuresRow {
        slug: slug.to_owned(),
        href: format!("/site/{}?lang={}", encode(slug), lang.tag()),
        measures: [
            patched_cell(lang, &measures.patched),
            logs_cell(lang, measures),
            attested_cell(lang, &measures.mfa),
        ],
    }
}
