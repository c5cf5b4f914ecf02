//! What to look at first, in words and in documents.

use relight_engine::matching::{Group, Priority, SiteFacts};
use relight_engine::signals::{Attempts, Scores};
use relight_engine::store::Store;
use relight_model::{Criticality, Signal, Site, SiteExposure, Timestamp};
use relight_server::web::number::percent;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;

/// The place of a flaw, in a document.
#[derive(Serialize)]
pub(crate) struct PriorityRow {
    /// Malicious, or in a catalogue of exploited flaws.
    exploited: bool,
    /// What CISA's tree says.
    ssvc: &'static str,
    /// Chance of exploitation within 30 days.
    epss: Option<f64>,
    /// Why, in the order in which priorities are compared.
    reasons: Vec<ReasonRow>,
}

#[derive(Serialize)]
struct ReasonRow {
    code: &'static str,
    value: Option<u64>,
}

/// What priorities rest on.
pub(crate) struct Ranking {
    scores: Scores,
    now: Timestamp,
}

/// A flaw in the order of work.
pub(crate) struct Ranked {
    pub(crate) priority: Priority,
    epss: Option<u32>,
}

/// A site where a flaw matters most, without traffic that nobody saw.
const WORST: SiteFacts = SiteFacts {
    criticality: Criticality::Vital,
    exposure: SiteExposure::Unknown,
    site_probed: false,
    organisation_probed: false,
};

impl Ranking {
    /// Reads the scores of the data folder, if there is one.
    pub(crate) fn read(store: Option<&Store>, context: &Context) -> Result<Self, Failure> {
        let scores = match store {
            Some(store) => Scores::read(store).map_err(|error| context.store_failure(&error))?,
            None => Scores::default(),
        };
        Ok(Self { scores, now: context.now() })
    }

    /// Everything that is known about the exploitation of a flaw.
    pub(crate) fn signals(&self, group: &Group) -> Vec<Signal> {
        self.scores.signals(group)
    }

    /// The priority of a flaw at a site.
    pub(crate) fn at(&self, group: &Group, site: &Site, attempts: &Attempts) -> Ranked {
        let (site_probed, organisation_probed) = attempts.against(site);
        let (criticality, exposure) = (site.criticality, site.exposure);
        self.rank(group, &SiteFacts { criticality, exposure, site_probed, organisation_probed })
    }

    fn rank(&self, group: &Group, site: &SiteFacts) -> Ranked {
        let signals = self.scores.signals(group);
        let newest = signals.iter().filter_map(|signal| match signal {
            Signal::Epss { score, date, .. } => Some((*date, *score)),
            _ => None,
        });
        let epss = newest.max().map(|(_, score)| score);
        Ranked { priority: Priority::of(group, &signals, site, self.now), epss }
    }

    /// The priority of a flaw where most depends on it: for lists of flaws without sites.
    pub(crate) fn worst(&self, group: &Group) -> Ranked {
        self.rank(group, &WORST)
    }
}

impl Ranked {
    /// For a document.
    pub(crate) fn row(&self) -> PriorityRow {
        let reasons = self.priority.reasons.iter();
        PriorityRow {
            exploited: self.priority.is_exploited(),
            ssvc: self.priority.ssvc().as_str(),
            epss: self.epss.map(|score| f64::from(score) / 1e6),
            reasons: reasons.map(|it| ReasonRow { code: it.code, value: it.value }).collect(),
        }
    }

    /// The short facts beside a flaw: `KEV`, `SSVC act`, `EPSS 94.4%`.
    pub(crate) fn facts(&self, lang: Lang) -> Vec<String> {
        let mut facts = Vec::new();
        // What is malicious comes first too, and is in no catalogue for that.
        let is_listed = self.priority.reasons.iter().any(|it| it.code == "priority-exploited");
        facts.extend(is_listed.then(|| "KEV".to_owned()));
        facts.push(format!("SSVC {}", self.priority.ssvc().as_str()));
        let share = |score: u32| percent(lang, u64::from(score), 1_000_000);
        facts.extend(self.epss.map(|score| format!("EPSS {}", share(score))));
        facts
    }

    /// Each reason as a sentence.
    pub(crate) fn sentences(&self, lang: Lang) -> impl Iterator<Item = &'static str> {
        let codes = self.priority.reasons.iter().map(|reason| reason.code);
        codes.map(move |code| texts::by_code(lang, code).unwrap_or(code))
    }
}
