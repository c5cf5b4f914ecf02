//! Which sites have it: what `relight affected --json` answers, of the sites that the caller reads.

use std::collections::{BTreeMap, BTreeSet};

use relight_engine::Engine;
use relight_engine::Unselected;
use relight_engine::access::Scope;
use relight_engine::answer::{AnswerSet, SiteAnswer};
use relight_engine::import::UPDATED_KEY;
use relight_engine::matching::{Group, Question, QuestionError};
use relight_engine::ranking::{Ranked, Ranking};
use relight_engine::signals::Attempts;
use relight_engine::silenced::disabled_sources;
use relight_engine::store::{Index, StoreError};
use relight_model::{Answer, GateKey, Site, SiteId, Timestamp, Verdict};
use relight_web::number::{moment_until, rfc3339};
use relight_web::{Lang, texts};
use tokio::runtime::Handle;

use super::Call;
use super::document::documents;
use super::problem::Problem;
use super::sites::unselected;
use crate::console::affected::unread;
use crate::console::evidence::Held;

documents! {
    /// Which sites are asked, and about what.
    AffectedQuery {
        /// Id of an advisory, a package URL, or a name with a range (`log4j-core<2.17.1`).
        q: String,
        /// Which sites, as `--sites` takes them; every one that the caller reads without it.
        sites: Option<String>,
        /// A day (`2021-12-10`, its end) or a moment (RFC 3339) that has passed: by the
        /// inventories of then, and by what is known today.
        at: Option<String>,
    }

    /// Which sites have it: `relight.answer/1`, as `relight affected --json` prints it.
    AnswerView {
        /// The question.
        query: String,
        /// When it was asked (RFC 3339).
        at: String,
        /// Number of the newest change of the register.
        seq: u64,
        /// When advisories were last updated; nothing when only those that ship with relight are
        /// known.
        advisories_at: Option<String>,
        /// Of the flaw, at the affected site that comes first; nothing for a question without one.
        priority: Option<PriorityView>,
        /// Sources that are switched off and that speak about the flaw.
        sources_disabled: Vec<String>,
        /// There are sites that the caller may not read: nothing is said of them.
        part: bool,
        /// How many sites gave each verdict.
        total: TotalView,
        /// How many sites are unknown, by their first reason.
        reasons: BTreeMap<String, u64>,
        /// By short name.
        items: Vec<ItemView>,
    }

    /// How many sites gave each verdict.
    TotalView {
        /// It is there.
        affected: u64,
        /// It certainly is not.
        clear: u64,
        /// Nobody can tell.
        unknown: u64,
    }

    /// The answer of one site.
    ItemView {
        /// Its short name.
        site: String,
        /// `affected`, `clear` or `unknown`.
        verdict: String,
        /// Codes of what would make it unknown.
        reasons: Vec<String>,
        /// Where it was found.
        evidence: Vec<String>,
        /// Who can reach the site.
        exposure: String,
        /// Where it stands in the order of work; nothing where it is clear or no flaw is asked
        /// about.
        priority: Option<PriorityView>,
    }

    /// The place of a flaw in the order of work.
    PriorityView {
        /// Malicious, or in a catalogue of exploited flaws.
        exploited: bool,
        /// What CISA's tree says.
        ssvc: String,
        /// Chance of exploitation within 30 days.
        epss: Option<f64>,
        /// Why, in the order in which priorities are compared.
        reasons: Vec<PriorityReason>,
    }

    /// Why a flaw stands where it does.
    PriorityReason {
        /// Stable name.
        code: String,
        /// A number that goes with it.
        value: Option<u64>,
    }
}

/// The flaw that is asked about, and what decides which site comes first.
struct Order {
    group: Group,
    ranking: Ranking,
    attempts: Attempts,
}

/// The answer of one site that the caller may know of.
type Row<'a> = (&'a Site, &'a SiteAnswer);

pub(super) fn affected(call: &Call, asked: AffectedQuery) -> Result<AnswerView, Problem> {
    let (lang, engine) = (call.lang, &call.engine);
    let failed = |error: StoreError| Problem::engine(lang, &error.into());
    let query = asked.q.trim().to_owned();
    let question = Question::parse(&query).map_err(|error| no_question(lang, error))?;
    // Inventories are read for it: that is done for one after the other, and only a few wait.
    let turn = Handle::current().block_on(call.console.answers.take());
    let _turn = turn.ok_or_else(|| busy(lang))?;
    let order = Order::of(call, &question)?;
    let source = Source::of(call, asked.at.as_deref())?;
    let reader = |scope: &Scope| call.signed.account.reads(scope);
    let (sites, part) = chosen(call, &question, (asked.sites.as_deref(), &source), &reader)?;
    let answers = source.ask(&question);
    let answers = among(answers, &sites);
    let by_id: BTreeMap<SiteId, &SiteAnswer> =
        answers.sites.iter().map(|it| (it.site, it)).collect();
    // A site that left the register since it was chosen has no answer, and is none any more.
    let rows: Vec<Row<'_>> =
        sites.iter().filter_map(|site| Some((site, *by_id.get(&site.id)?))).collect();
    // What nobody published and finds nothing in the part that is read says nothing of itself.
    let hidden = unread(engine, &reader).map_err(failed)?;
    let order = order.filter(|order| !hidden.contains(&order.group.id));
    let order = order.as_ref();
    let updated = engine.store().meta_get(UPDATED_KEY).map_err(failed)?;
    let count = |verdict| answers.count(verdict) as u64;
    let reasons = answers.first_reasons().into_iter();
    let silent = order.map(|order| silent(engine, &order.group)).transpose();
    Ok(AnswerView {
        query,
        at: rfc3339(answers.at),
        seq: engine.store().plan_import(&[]).map_err(failed)?.base,
        advisories_at: updated.and_then(|text| text.parse().ok()).map(rfc3339),
        priority: order.map(|order| view(&order.first(&rows))),
        sources_disabled: silent.map_err(failed)?.unwrap_or_default(),
        part,
        total: TotalView {
            affected: count(Verdict::Affected),
            clear: count(Verdict::Clear),
            unknown: count(Verdict::Unknown),
        },
        reasons: reasons.map(|(why, count)| (why.as_str().to_owned(), count as u64)).collect(),
        items: items(&source, &rows, order).map_err(failed)?,
    })
}

/// The sites that are asked: those of the caller that a query means, by short name; and whether
/// there are others that he may not read.
fn chosen(
    call: &Call,
    question: &Question,
    (query, source): (Option<&str>, &Source<'_>),
    reads: &dyn Fn(&Scope) -> bool,
) -> Result<(Vec<Site>, bool), Problem> {
    let bodies = call.engine.organisations().map_err(|it| Problem::engine(call.lang, &it))?;
    let scopes: BTreeMap<_, Scope> =
        bodies.iter().map(|it| (it.id, Scope::of_body(&it.sector, &it.name))).collect();
    let root = Scope::root();
    let mut sites = call.engine.sites();
    let all = sites.len();
    // One whose body is not known is for those who read everything.
    sites.retain(|site| reads(scopes.get(&site.org).unwrap_or(&root)));
    let part = sites.len() < all;
    if let Some(query) = query.map(str::trim).filter(|query| !query.is_empty()) {
        let about = match question {
            Question::Advisory(id) => Some(id.as_str()),
            Question::Package(_) => None,
        };
        let own: BTreeSet<GateKey> = sites.iter().map(|site| site.slug.clone()).collect();
        let meant = source.select(query, about, |key| own.contains(key));
        let meant = meant.map_err(|fault| unselected(call.lang, &fault))?;
        sites.retain(|site| meant.contains(&site.slug));
    }
    sites.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok((sites, part))
}

/// The answers of these sites.
fn among(mut answers: AnswerSet, sites: &[Site]) -> AnswerSet {
    let wanted: BTreeSet<SiteId> = sites.iter().map(|site| site.id).collect();
    answers.sites.retain(|answer| wanted.contains(&answer.site));
    answers
}

impl Order {
    /// Nothing for a question without a flaw.
    fn of(call: &Call, question: &Question) -> Result<Option<Self>, Problem> {
        let (lang, engine) = (call.lang, &call.engine);
        let Question::Advisory(id) = question else { return Ok(None) };
        let group = engine.with_inventory(|_, advisories| advisories.group(id).cloned());
        let group = group.ok_or_else(|| {
            let remedy = texts::no_such_advisory_remedy(lang, "relight advisories update");
            Problem::missing(texts::no_such_advisory(lang, id)).remedy(&remedy)
        })?;
        let failed = |error: StoreError| Problem::engine(lang, &error.into());
        let (store, now) = (engine.store(), engine.now());
        let ranking = Ranking::read(Some(store), now).map_err(failed)?;
        let attempts = Attempts::read(store, &group, &engine.sites(), now).map_err(failed)?;
        Ok(Some(Self { group, ranking, attempts }))
    }

    fn at(&self, site: &Site) -> Ranked {
        self.ranking.at(&self.group, site, &self.attempts)
    }

    fn first(&self, rows: &[Row<'_>]) -> Ranked {
        let affected = rows.iter().filter(|row| verdict(row) == Verdict::Affected);
        self.ranking.first(&self.group, affected.map(|(site, _)| *site), &self.attempts)
    }
}

const fn verdict((_, answer): &Row<'_>) -> Verdict {
    answer.answer.verdict()
}

/// The inventory of now, or of a moment that has passed.
struct Source<'a> {
    engine: &'a Engine,
    past: Option<(Index, Timestamp)>,
}

impl<'a> Source<'a> {
    fn of(call: &'a Call, at: Option<&str>) -> Result<Self, Problem> {
        let (engine, lang): (&Engine, _) = (&call.engine, call.lang);
        let Some(text) = at else { return Ok(Self { engine, past: None }) };
        let at = moment_until(text, engine.now()).ok_or_else(|| {
            let what = texts::affected_bad_time(lang, text);
            Problem::unreadable(&what).remedy(texts::affected_bad_time_remedy(lang))
        })?;
        let index = engine.index_as_of(at).map_err(|error| Problem::engine(lang, &error))?;
        Ok(Self { engine, past: Some((index, at)) })
    }

    fn ask(&self, question: &Question) -> AnswerSet {
        match &self.past {
            Some((index, at)) => self.engine.ask_as_of(question, index, *at),
            None => self.engine.ask(question),
        }
    }

    fn select(
        &self,
        query: &str,
        about: Option<&str>,
        among: impl Fn(&GateKey) -> bool,
    ) -> Result<BTreeSet<GateKey>, Unselected> {
        match &self.past {
            Some((index, at)) => self.engine.select_as_of(query, about, among, (index, *at)),
            None => self.engine.select_among(query, about, among),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        match &self.past {
            Some((index, _)) => look(index),
            None => self.engine.with_inventory(|index, _| look(index)),
        }
    }
}

/// Each with where it was found. What is to be read is gathered under the lock of the inventory,
/// and read without it, because the edges wait for that lock.
fn items(
    source: &Source<'_>,
    rows: &[Row<'_>],
    order: Option<&Order>,
) -> Result<Vec<ItemView>, StoreError> {
    let held: Vec<Held> = source
        .with(|index| rows.iter().map(|(site, answer)| Held::of(index, site.id, answer)).collect());
    let item = |(row, held): (&Row<'_>, Held)| {
        let (site, answer) = row;
        let mut evidence = answer.places.clone();
        for find in held.finds() {
            evidence.extend(find.places(source.engine.store())?.into_iter().map(|it| it.evidence));
        }
        evidence.sort();
        evidence.dedup();
        let is_clear = matches!(answer.answer, Answer::Clear(_));
        let reasons = answer.reasons.iter().filter(|_| !is_clear);
        Ok(ItemView {
            site: site.slug.to_string(),
            verdict: verdict(row).as_str().to_owned(),
            reasons: reasons.map(|reason| reason.as_str().to_owned()).collect(),
            evidence,
            exposure: site.exposure.as_str().to_owned(),
            priority: order.filter(|_| !is_clear).map(|order| view(&order.at(site))),
        })
    };
    rows.iter().zip(held).map(item).collect()
}

fn view(ranked: &Ranked) -> PriorityView {
    let priority = &ranked.priority;
    let reason = |code: &str, value| PriorityReason { code: code.to_owned(), value };
    PriorityView {
        exploited: priority.is_exploited(),
        ssvc: priority.ssvc().as_str().to_owned(),
        epss: ranked.epss.map(|score| f64::from(score) / 1e6),
        reasons: priority.reasons.iter().map(|it| reason(it.code, it.value)).collect(),
    }
}

/// Sources that are switched off and that speak about a flaw.
fn silent(engine: &Engine, group: &Group) -> Result<Vec<String>, StoreError> {
    let disabled = disabled_sources(engine.store())?;
    let sources = group.records().map(|record| record.source.as_str());
    let silent: BTreeSet<&str> = sources.filter(|source| disabled.contains_key(*source)).collect();
    Ok(silent.into_iter().map(ToOwned::to_owned).collect())
}

fn no_question(lang: Lang, error: QuestionError) -> Problem {
    let what = texts::by_code(lang, error.code).unwrap_or(error.code);
    Problem::unreadable(what).remedy(texts::question_remedy(lang))
}

fn busy(lang: Lang) -> Problem {
    Problem::busy(texts::answers_busy(lang)).remedy(texts::answers_busy_remedy(lang))
}
