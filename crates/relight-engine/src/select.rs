//! The sites that a query means, as the register stands now.

use std::collections::{BTreeMap, BTreeSet};

use relight_match::Question;
use relight_model::{Criticality, DisplayState, GateKey, Organisation, Site, SiteId, Verdict};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::incident::Ledger;
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

/// The answers of all sites, by advisory; without one, to the question that is being asked.
type Answers = BTreeMap<Option<String>, BTreeMap<SiteId, Verdict>>;

impl Engine {
    /// The sites that a query means. `asked` is the advisory to which bare verdicts refer.
    ///
    /// # Errors
    /// The text is no query, asks about an advisory that is not there, or the register cannot be
    /// read: none of them means no sites, or all.
    pub fn select(&self, text: &str, asked: Option<&str>) -> Result<BTreeSet<GateKey>, Unselected> {
        let query = Query::parse(text)?;
        let mut answers = Answers::new();
        for id in query.questions() {
            answers.insert(Some(id.to_owned()), self.verdicts_about(id)?);
        }
        if query.needs_question() {
            let id = asked.ok_or(Unselected::NeedsQuestion)?;
            answers.insert(None, self.verdicts_about(id)?);
        }
        let (bodies, sites) = (self.organisations()?, self.sites());
        let bodies: BTreeMap<_, _> = bodies.iter().map(|body| (body.id, body)).collect();
        let meant: Vec<&Site> = self.with_ledger(|ledger| {
            let is_meant = |site: &&Site| {
                let body = bodies.get(&site.org).copied();
                query.holds(&Known { site, body, ledger, answers: &answers }) == Truth::Yes
            };
            sites.iter().filter(is_meant).collect()
        });
        Ok(meant.into_iter().map(|site| site.slug.clone()).collect())
    }

    fn verdicts_about(&self, id: &str) -> Result<BTreeMap<SiteId, Verdict>, Unselected> {
        if self.with_incidents(|_, advisories| advisories.group(id).is_none()) {
            return Err(Unselected::NoAdvisory(id.to_owned()));
        }
        let answers = self.ask(&Question::Advisory(id.to_owned())).sites.into_iter();
        Ok(answers.map(|answer| (answer.site, answer.answer.verdict())).collect())
    }
}

/// What a query sees of a site.
struct Known<'a> {
    site: &'a Site,
    body: Option<&'a Organisation>,
    ledger: &'a Ledger,
    answers: &'a Answers,
}

impl Facts for Known<'_> {
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
        self.ledger.display(&self.site.slug).0
    }

    fn verdict(&self, question: Option<&str>) -> Option<Verdict> {
        self.answers.get(&question.map(str::to_owned))?.get(&self.site.id).copied()
    }
}
