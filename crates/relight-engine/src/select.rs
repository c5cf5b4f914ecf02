//! The sites that a query means, as the register stands now.

use std::collections::{BTreeMap, BTreeSet};

use relight_match::Question;
use relight_model::{
    Built, Coverage, Criticality, DisplayState, GateKey, Organisation, Site, SiteId, Stack,
    Timestamp, UnknownReason, Verdict,
};
use relight_store::Index;

use crate::answer::{AnswerSet, SiteAnswer};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::incident::flaw_of;
use crate::query::{Facts, Query, QueryError, TextKey, Truth};

/// Why a text chose no sites.
#[derive(Debug)]
pub enum Unselected {
    /// It is no query.
    Query(QueryError),
    /// `affected` alone, where nothing is asked.
    NeedsQuestion,
    /// No advisory has that id.
    NoAdvisory(String),
    /// The register cannot be read.
    Engine(EngineError),
}

impl From<QueryError> for Unselected {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<EngineError> for Unselected {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// The answers of all sites to the questions of a query.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// To the question that is being asked: what bare verdicts are about.
    pub asked: Option<BTreeMap<SiteId, Verdict>>,
    /// By the advisories that the query names.
    pub named: BTreeMap<String, BTreeMap<SiteId, Verdict>>,
    /// By the languages and platforms that it names.
    pub stacks: BTreeMap<&'static str, BTreeMap<SiteId, Truth>>,
}

/// Which sites are built with something, by the inventories of a moment. What one does not show is
/// absent only where it hides nothing and is not older than `age_max`, in seconds: else nobody can
/// tell.
pub fn built_with(
    index: &Index,
    built: &Built,
    sites: impl IntoIterator<Item = SiteId>,
    (now, age_max): (Timestamp, i64),
) -> BTreeMap<SiteId, Truth> {
    let of = |site: SiteId| {
        if index.stack(site).has(built) {
            return (site, Truth::Yes);
        }
        let states = index.inventory_states(site).into_iter();
        let states: Vec<_> = states.map(|it| it.about(|kind| kind == built.purl_kind())).collect();
        let is_known = Coverage::of(&states, now, age_max).is_ok();
        (site, if is_known { Truth::No } else { Truth::Unknown })
    };
    sites.into_iter().map(of).collect()
}

/// The verdict of each site, of the answers to one question.
pub fn verdicts(answers: AnswerSet) -> BTreeMap<SiteId, Verdict> {
    let of = |it: SiteAnswer| (it.site, it.answer.verdict());
    answers.sites.into_iter().map(of).collect()
}

impl Engine {
    /// The sites that a query means. `asked` is the advisory to which bare verdicts refer.
    ///
    /// # Errors
    /// The text is no query, asks about an advisory that is not there, or the register cannot be
    /// read: none of them means no sites, or all.
    pub fn select(&self, text: &str, asked: Option<&str>) -> Result<BTreeSet<GateKey>, Unselected> {
        self.select_among(text, asked, |_| true)
    }

    /// Those of them that are among some sites; no other site is looked at.
    ///
    /// # Errors
    /// As [`Engine::select`].
    pub fn select_among(
        &self,
        text: &str,
        asked: Option<&str>,
        among: impl Fn(&GateKey) -> bool,
    ) -> Result<BTreeSet<GateKey>, Unselected> {
        self.select_of(text, asked, among, None)
    }

    /// The same by the inventories of a moment that has passed ([`Engine::index_as_of`]).
    ///
    /// # Errors
    /// As [`Engine::select`].
    pub fn select_as_of(
        &self,
        text: &str,
        asked: Option<&str>,
        among: impl Fn(&GateKey) -> bool,
        past: (&Index, Timestamp),
    ) -> Result<BTreeSet<GateKey>, Unselected> {
        self.select_of(text, asked, among, Some(past))
    }

    fn select_of(
        &self,
        text: &str,
        asked: Option<&str>,
        among: impl Fn(&GateKey) -> bool,
        past: Option<(&Index, Timestamp)>,
    ) -> Result<BTreeSet<GateKey>, Unselected> {
        let query = Query::parse(text)?;
        let mut answers = Answers::default();
        for id in query.questions() {
            answers.named.insert(id.to_owned(), self.verdicts_about(id, past)?);
        }
        if query.needs_question() {
            let id = asked.ok_or(Unselected::NeedsQuestion)?;
            answers.asked = Some(self.verdicts_about(id, past)?);
        }
        let (bodies, sites) = (self.organisations()?, self.sites());
        let sites: Vec<&Site> = sites.iter().filter(|site| among(&site.slug)).collect();
        let (now, ids) = (self.now(), || sites.iter().map(|site| site.id));
        for built in query.stacks() {
            let age_max = self.options.inventory_ttl_s;
            let found = match past {
                Some((index, at)) => built_with(index, built, ids(), (at, age_max)),
                None => {
                    self.with_inventory(|index, _| built_with(index, built, ids(), (now, age_max)))
                }
            };
            answers.stacks.insert(built.code, found);
        }
        let bodies: BTreeMap<_, _> = bodies.iter().map(|body| (body.id, body)).collect();
        // What the terms cost is nothing that the edges wait for.
        let states: Vec<DisplayState> = self
            .with_ledger(|ledger| sites.iter().map(|site| ledger.display(&site.slug).0).collect());
        let is_meant = |(site, state): &(&Site, DisplayState)| {
            let body = bodies.get(&site.org).copied();
            let facts = SiteFacts { site, body, state: *state, answers: &answers };
            query.holds(&facts) == Truth::Yes
        };
        let meant = sites.into_iter().zip(states).filter(is_meant);
        Ok(meant.map(|(site, _)| site.slug.clone()).collect())
    }

    /// What the inventories of each site show that it is built with, and why there may be more, or
    /// something else by now.
    pub fn stacks(&self, sites: &[SiteId]) -> Vec<(Stack, Vec<UnknownReason>)> {
        let (now, age_max) = (self.now(), self.options.inventory_ttl_s);
        self.with_inventory(|index, _| {
            let reasons = |site| Coverage::reasons(&index.inventory_states(site), now, age_max);
            sites.iter().map(|site| (index.stack(*site), reasons(*site))).collect()
        })
    }

    fn verdicts_about(
        &self,
        id: &str,
        past: Option<(&Index, Timestamp)>,
    ) -> Result<BTreeMap<SiteId, Verdict>, Unselected> {
        // Bare verdicts are about the flaw of an incident.
        let id = flaw_of(id);
        if self.with_incidents(|_, advisories| advisories.group(id).is_none()) {
            return Err(Unselected::NoAdvisory(id.to_owned()));
        }
        let question = Question::Advisory(id.to_owned());
        Ok(verdicts(match past {
            Some((index, at)) => self.ask_as_of(&question, index, at),
            None => self.ask(&question),
        }))
    }
}

/// What a query sees of a site.
#[derive(Clone, Copy, Debug)]
pub struct SiteFacts<'a> {
    /// The site.
    pub site: &'a Site,
    /// The body that answers for it.
    pub body: Option<&'a Organisation>,
    /// The state in which it is drawn.
    pub state: DisplayState,
    /// What was asked of all sites.
    pub answers: &'a Answers,
}

impl Facts for SiteFacts<'_> {
    fn text(&self, key: TextKey) -> &str {
        match key {
            TextKey::Site => self.site.slug.as_str(),
            TextKey::Org => self.body.map_or("", |body| &body.name),
            TextKey::Sector => self.body.map_or("", |body| &body.sector),
            TextKey::Exposure => self.site.exposure.as_str(),
            TextKey::Edge => &self.site.edge,
        }
    }

    fn criticality(&self) -> Criticality {
        self.site.criticality
    }

    fn state(&self) -> DisplayState {
        self.state
    }

    fn stack(&self, built: &'static Built) -> Truth {
        let found = self.answers.stacks.get(built.code).and_then(|it| it.get(&self.site.id));
        found.copied().unwrap_or(Truth::Unknown)
    }

    fn verdict(&self, question: Option<&str>) -> Option<Verdict> {
        let answers = match question {
            Some(id) => self.answers.named.get(id),
            None => self.answers.asked.as_ref(),
        };
        answers?.get(&self.site.id).copied()
    }
}
