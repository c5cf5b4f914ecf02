//! The register as commands that only read see it: sites, inventory, advisories, incidents.

use std::collections::BTreeMap;
use std::sync::Arc;

use relight_engine::answer::{AnswerSet, Ask, Grounds};
use relight_engine::exhibits::Exhibited;
use relight_engine::incident::Ledger;
use relight_engine::matching::{Advisories, Question, QuestionError};
use relight_engine::query::{Query, QueryError, Truth};
use relight_engine::store::{Index, Store, StoreError};
use relight_engine::{
    Answers, SiteFacts, Unseen, advisories_about, advisories_of, built_with, forget_unseen, replay,
    verdicts,
};
use relight_model::{OrgId, Organisation, Site, SiteId, Timestamp, Verdict};
use relight_server::web::number::moment_until;
use relight_server::web::{Lang, texts, words};

use crate::context::Context;
use crate::failure::{Failure, coded};

pub(crate) use relight_engine::INVENTORY_AGE_MAX_S;

/// Everything that answers rest on, read once. It takes no lease: whoever controls this register
/// goes on undisturbed.
pub(crate) struct Register {
    pub(crate) store: Arc<Store>,
    pub(crate) sites: Vec<Site>,
    pub(crate) organisations: BTreeMap<OrgId, Organisation>,
    pub(crate) index: Index,
    pub(crate) advisories: Advisories,
    /// Where every site stands: what nobody looks at any more is proven no more.
    pub(crate) ledger: Ledger,
    /// What that is.
    pub(crate) unseen: Option<Unseen>,
    /// The last entry of the journal that is in it.
    pub(crate) entries: u64,
    pub(crate) now: Timestamp,
    /// The index is one of the past.
    is_past: bool,
}

impl Register {
    /// Reads the register of the data folder, with all advisories.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        Self::open_with(context, advisories_of)
    }

    /// As [`Register::open`], with the advisories that these questions are about and no others.
    pub(crate) fn open_for(context: &Context, ids: &[String]) -> Result<Self, Failure> {
        Self::open_with(context, |store| advisories_about(store, ids))
    }

    /// As [`Register::open`], and every site stands where the journal says, whether or not anybody
    /// looks at it.
    pub(crate) fn as_journalled(context: &Context) -> Result<Self, Failure> {
        let mut register = Self::open(context)?;
        register.ledger = ledger(&register.store, context)?;
        register.unseen = None;
        Ok(register)
    }

    fn open_with(
        context: &Context,
        advisories: impl FnOnce(&Store) -> Result<Advisories, StoreError>,
    ) -> Result<Self, Failure> {
        let store = context.existing_store()?;
        let failed = |error| context.store_failure(&error);
        let organisations = store.organisations().map_err(failed)?;
        let (mut ledger, entries) = replayed(&store, context)?;
        let (sites, now) = (store.sites().map_err(failed)?, context.now());
        let unseen = forget_unseen(&store, &mut ledger, &sites, now).map_err(failed)?;
        Ok(Self {
            sites,
            organisations: organisations.into_iter().map(|org| (org.id, org)).collect(),
            index: Index::build(&store).map_err(failed)?,
            advisories: advisories(&store).map_err(failed)?,
            ledger,
            unseen,
            entries,
            now,
            is_past: false,
            store,
        })
    }

    /// Goes back to a moment, by what is known today: the inventories of then, and their age then.
    pub(crate) fn go_back(&mut self, text: &str, context: &Context) -> Result<(), Failure> {
        self.now = past_moment(text, self.now, context.lang)?;
        self.is_past = true;
        let present = std::mem::take(&mut self.index);
        let past = present.as_of(&self.store, self.now);
        self.index = past.map_err(|error| context.store_failure(&error))?;
        Ok(())
    }

    /// The answers of these sites.
    pub(crate) fn ask(
        &self,
        question: &Question,
        sites: impl IntoIterator<Item = SiteId>,
        age_max: i64,
    ) -> AnswerSet {
        let (advisories, index, now) = (&self.advisories, &self.index, self.now);
        let look = if self.is_past { Exhibited::of_past } else { Exhibited::of };
        let exhibited = look(&self.store, index, advisories, question).map(Arc::new);
        let grounds = Grounds::All;
        Ask { question, advisories, index, exhibited, now, age_max, grounds }.sites(sites)
    }

    /// The body that answers for a site.
    pub(crate) fn organisation(&self, site: &Site) -> &str {
        self.organisations.get(&site.org).map_or("", |org| &org.name)
    }

    /// The sector of that body.
    pub(crate) fn sector(&self, site: &Site) -> &str {
        self.organisations.get(&site.org).map_or("", |org| &org.sector)
    }

    /// The sites that a query means, in the order of their slugs. `asked` is the question to
    /// which its bare verdicts refer.
    pub(crate) fn select(
        &self,
        text: &str,
        asked: Option<&Question>,
        age_max: i64,
        lang: Lang,
    ) -> Result<Vec<&Site>, Failure> {
        let query = Query::parse(text).map_err(|error| query_failure(text, &error, lang))?;
        if asked.is_none() && query.needs_question() {
            return Err(Failure::usage(texts::query_needs_question(lang))
                .hint(texts::query_needs_question_remedy(lang)));
        }
        let mut answers = Answers::default();
        for id in query.questions() {
            let question = Question::Advisory(id.to_owned());
            if self.advisories.group(id).is_none() {
                return Err(unknown_advisory(id, lang));
            }
            answers.named.insert(id.to_owned(), self.verdicts(&question, age_max));
        }
        if let Some(question) = asked.filter(|_| query.needs_question()) {
            answers.asked = Some(self.verdicts(question, age_max));
        }
        for built in query.stacks() {
            let sites = self.sites.iter().map(|site| site.id);
            let found = built_with(&self.index, built, sites, (self.now, age_max));
            answers.stacks.insert(built.code, found);
        }
        let is_meant = |site: &Site| {
            let body = self.organisations.get(&site.org);
            let state = self.ledger.display(&site.slug).0;
            query.holds(&SiteFacts { site, body, state, answers: &answers }) == Truth::Yes
        };
        let mut chosen: Vec<&Site> = self.sites.iter().filter(|site| is_meant(site)).collect();
        chosen.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(chosen)
    }

    fn verdicts(&self, question: &Question, age_max: i64) -> BTreeMap<SiteId, Verdict> {
        verdicts(self.ask(question, self.sites.iter().map(|site| site.id), age_max))
    }
}

/// Every incident, folded from the journal.
pub(crate) fn ledger(store: &Store, context: &Context) -> Result<Ledger, Failure> {
    replayed(store, context).map(|(ledger, _)| ledger)
}

/// What the journal says, and the number of its last entry.
fn replayed(store: &Store, context: &Context) -> Result<(Ledger, u64), Failure> {
    replay(store).map_err(|error| {
        let failure = Failure::new(texts::journal_unreadable(context.lang));
        failure.because(context.lang, &error).hint(texts::journal_unreadable_remedy(context.lang))
    })
}

/// The moment of a command, of a day that has begun.
pub(crate) fn past_moment(text: &str, now: Timestamp, lang: Lang) -> Result<Timestamp, Failure> {
    moment_until(text, now).ok_or_else(|| {
        Failure::usage(texts::affected_bad_time(lang, text))
            .hint(texts::affected_bad_time_remedy(lang))
    })
}

/// The question of a command, or where it stops being one.
pub(crate) fn question(text: &str, lang: Lang) -> Result<Question, Failure> {
    Question::parse(text).map_err(|QuestionError { offset, code }| {
        let (what, _) = coded(lang, code);
        let mut failure = Failure::usage(what).hint(texts::question_remedy(lang));
        failure.below = caret(text, offset, offset, lang);
        failure
    })
}

/// No advisory has that id.
pub(crate) fn unknown_advisory(id: &str, lang: Lang) -> Failure {
    let hint = texts::no_such_advisory_remedy(lang, "relight advisories update --offline DIR");
    Failure::new(texts::no_such_advisory(lang, id)).hint(hint)
}

/// The advisories that a question and a query ask about. A query that cannot be read asks nothing:
/// [`Register::select`] says what is wrong with it.
pub(crate) fn ids_asked(question: &Question, sites: &str) -> Vec<String> {
    let query = Query::parse(sites);
    let named = query.iter().flat_map(Query::questions).map(str::to_owned);
    let own = match question {
        Question::Advisory(id) => Some(id.clone()),
        Question::Package(_) => None,
    };
    named.chain(own).collect()
}

fn query_failure(text: &str, error: &QueryError, lang: Lang) -> Failure {
    let (what, _) = coded(lang, error.code);
    let message = match error.word.as_str() {
        "" => what.to_owned(),
        word => texts::quoted(lang, what, word),
    };
    let mut failure = Failure::usage(message);
    failure.below = caret(text, error.start, error.end, lang);
    failure.hint(words::query_choices(lang, error.choices(), error.near))
}

/// The line with a mark under the bytes from `start` to `end`.
fn caret(text: &str, start: usize, end: usize, lang: Lang) -> Vec<String> {
    // Control characters would shift the mark.
    let shown: String =
        text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let column = text.get(..start).unwrap_or(text).chars().count();
    let width = text.get(start..end).map_or(1, |part| part.chars().count()).max(1);
    let left = "─".repeat((width - 1) / 2);
    let right = "─".repeat(width - 1 - (width - 1) / 2);
    let blank = " ".repeat(column);
    let here = texts::here(lang);
    vec![format!(" 1 │ {shown}"), format!("   · {blank}{left}┬{right} {here}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_the_word() {
        assert_eq!(
            caret("org:SAN crt<=2", 8, 11, Lang::En),
            [" 1 │ org:SAN crt<=2", "   ·         ─┬─ here"]
        );
        assert_eq!(caret("é x", 4, 4, Lang::Fr)[1], "   ·    ┬ ici");
    }
}
