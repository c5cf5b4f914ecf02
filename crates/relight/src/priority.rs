//! What to look at first, in words and in documents.

use std::borrow::Cow;

use relight_engine::store::Store;
use relight_server::web::number::percent;
use relight_server::web::{Lang, texts};
use serde::{Deserialize, Serialize};

pub(crate) use relight_engine::ranking::{Ranked, Ranking};

use crate::context::Context;
use crate::failure::Failure;

/// The place of a flaw, in a document.
#[derive(Serialize, Deserialize)]
pub(crate) struct PriorityRow {
    /// Malicious, or in a catalogue of exploited flaws.
    exploited: bool,
    /// What CISA's tree says.
    ssvc: Cow<'static, str>,
    /// Chance of exploitation within 30 days.
    epss: Option<f64>,
    /// Why, in the order in which priorities are compared.
    reasons: Vec<ReasonRow>,
}

#[derive(Serialize, Deserialize)]
struct ReasonRow {
    code: Cow<'static, str>,
    value: Option<u64>,
}

/// Reads what priorities rest on, of the data folder, if there is one.
pub(crate) fn ranking(store: Option<&Store>, context: &Context) -> Result<Ranking, Failure> {
    Ranking::read(store, context.now()).map_err(|error| context.store_failure(&error))
}

/// A place in the order of work as it is told.
pub(crate) trait Told {
    /// For a document.
    fn row(&self) -> PriorityRow;

    /// The short facts beside a flaw: `KEV`, `SSVC act`, `EPSS 94.4%`.
    fn facts(&self, lang: Lang) -> Vec<String>;

    /// Each reason as a sentence.
    fn sentences(&self, lang: Lang) -> Vec<&'static str>;
}

impl Told for Ranked {
    fn row(&self) -> PriorityRow {
        let reasons = self.priority.reasons.iter();
        PriorityRow {
            exploited: self.priority.is_exploited(),
            ssvc: self.priority.ssvc().as_str().into(),
            epss: self.epss.map(|score| f64::from(score) / 1e6),
            reasons: reasons
                .map(|it| ReasonRow { code: it.code.into(), value: it.value })
                .collect(),
        }
    }

    fn facts(&self, lang: Lang) -> Vec<String> {
        let mut facts = Vec::new();
        // What is malicious comes first too, and is in no catalogue for that.
        let is_listed = self.priority.reasons.iter().any(|it| it.code == "priority-exploited");
        facts.extend(is_listed.then(|| "KEV".to_owned()));
        facts.push(format!("SSVC {}", self.priority.ssvc().as_str()));
        let share = |score: u32| percent(lang, u64::from(score), 1_000_000);
        facts.extend(self.epss.map(|score| format!("EPSS {}", share(score))));
        facts
    }

    fn sentences(&self, lang: Lang) -> Vec<&'static str> {
        let codes = self.priority.reasons.iter().map(|reason| reason.code);
        codes.map(|code| texts::by_code(lang, code).unwrap_or(code)).collect()
    }
}
