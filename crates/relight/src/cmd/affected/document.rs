//! The document of an answer, and what one that a server gave has to be.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use relight_model::Verdict;
use serde::{Deserialize, Serialize};

use crate::priority::PriorityRow;

/// `relight.answer/1`; items are sorted by site.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) query: String,
    /// When it was asked.
    pub(super) at: String,
    /// Number of the newest change of the register.
    pub(super) seq: u64,
    /// When advisories were last updated; null when only those that ship with relight are known.
    pub(super) advisories_at: Option<String>,
    /// Of the flaw, at the affected site that comes first; null for a question without one.
    pub(super) priority: Option<PriorityRow>,
    /// Sources that are switched off and that speak about the flaw; left out where there are none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) sources_disabled: BTreeSet<String>,
    /// There are sites that the caller of a server may not read, and nothing is said of them; left
    /// out where it is about all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) part: bool,
    pub(super) total: Total,
    /// Unknown sites by their first reason.
    pub(super) reasons: BTreeMap<Cow<'static, str>, usize>,
    pub(super) items: Vec<Item>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) affected: usize,
    pub(super) clear: usize,
    pub(super) unknown: usize,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) site: String,
    pub(super) verdict: Cow<'static, str>,
    pub(super) reasons: Vec<Cow<'static, str>>,
    pub(super) evidence: Vec<String>,
    /// Who can reach the site.
    pub(super) exposure: Cow<'static, str>,
    /// Where it stands in the order of work, unless it is clear or no flaw was asked about.
    pub(super) priority: Option<PriorityRow>,
}

impl Document {
    /// How many sites gave this verdict.
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        self.items.iter().filter(|item| item.verdict() == Some(verdict)).count()
    }

    /// Whether it is an answer to this question that can be relied on: each site has one of the
    /// three verdicts, an unknown one says why, and the counts are those of the sites.
    pub(super) fn answers(&self, query: &str) -> bool {
        let [affected, clear, unknown] =
            [Verdict::Affected, Verdict::Clear, Verdict::Unknown].map(|it| self.count(it));
        let is_whole = |item: &Item| match item.verdict() {
            Some(Verdict::Unknown) => !item.reasons.is_empty(),
            verdict => verdict.is_some(),
        };
        self.query == query
            && self.items.iter().all(is_whole)
            && self.total == Total { affected, clear, unknown }
            && self.reasons.values().sum::<usize>() == unknown
    }
}

impl Item {
    /// What it says; nothing where that is no verdict.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let all = [Verdict::Affected, Verdict::Clear, Verdict::Unknown];
        all.into_iter().find(|it| it.as_str() == self.verdict)
    }
}
