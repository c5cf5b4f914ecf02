//! An error as people read it: what happened, to what, and the next command.

use std::error::Error;

use relight_engine::incident::first_named;
use relight_engine::plan::{PlanStale, RENAMED_TOLD_MAX};
use relight_engine::policy::Refusal;
use relight_engine::store::{StoreError, StoreErrorKind};
use relight_engine::{EngineError, EngineErrorKind};
use relight_server::web::{Lang, texts};

use crate::report::Exit;

/// A command that could not do what it was asked. Every text is in the reader's language already.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit status.
    pub(crate) exit: Exit,
    /// What happened, to what.
    pub(crate) message: String,
    /// Lines below it: the place in a text, the technical causes.
    pub(crate) below: Vec<String>,
    /// The technical causes in one line, where there are any.
    pub(crate) cause: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Something could not be read, reached or written.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let (message, below, cause) = (message.into(), Vec::new(), String::new());
        Self { exit: Exit::Failed, message, below, cause, hint: None }
    }

    /// The arguments cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message) }
    }

    /// Nobody gave leave.
    pub(crate) fn approval(message: impl Into<String>) -> Self {
        Self { exit: Exit::Approval, ..Self::new(message) }
    }

    /// The same, with what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with the technical causes, which are in English as in every log.
    pub(crate) fn because(mut self, lang: Lang, error: &(dyn Error + 'static)) -> Self {
        self.cause = chain(error);
        let line = texts::labelled(lang, texts::detail_label(lang), &self.cause);
        self.below.push(format!("  {line}"));
        self
    }

    /// Why, in one line: the causes, or what happened where there are none.
    pub(crate) fn why(&self) -> &str {
        if self.cause.is_empty() { &self.message } else { &self.cause }
    }

    /// A failed operation on the data folder.
    pub(crate) fn store(lang: Lang, folder: &str, error: &StoreError) -> Self {
        let (what, remedy) = coded(lang, key_of_store(error.kind()));
        let failure = Self::new(texts::labelled(lang, folder, what)).because(lang, error);
        failure.hint(remedy)
    }

    /// A failed operation of the engine.
    pub(crate) fn engine(lang: Lang, error: &EngineError) -> Self {
        if let EngineErrorKind::Refused(refusal) = &error.kind {
            return refused(lang, *refusal);
        }
        if let EngineErrorKind::EdgeRefused(edges) = &error.kind {
            let remedy = texts::plan_edge_refused_remedy(lang);
            return Self::new(texts::plan_edge_refused(lang, edges)).hint(remedy);
        }
        if let EngineErrorKind::Stale(PlanStale::Renamed(sites)) = &error.kind {
            let remedy = texts::plan_renamed_remedy(lang);
            let sites = first_named(sites, RENAMED_TOLD_MAX);
            return Self::new(texts::plan_renamed(lang, &sites)).hint(remedy);
        }
        let (what, remedy) = told(lang, &error.kind);
        Self::new(what).because(lang, error).hint(remedy)
    }
}

/// The key of the sentence about a failed operation on the data folder.
const fn key_of_store(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Corrupt => "store-corrupt",
        StoreErrorKind::NewerSchema => "store-newer",
        StoreErrorKind::Fenced => "store-fenced",
        StoreErrorKind::PlanStale => "store-plan-stale",
        StoreErrorKind::Full => "store-disk-full",
        StoreErrorKind::Busy => "store-busy",
        StoreErrorKind::NotFound => "store-not-found",
        StoreErrorKind::Limit => "store-limit",
        StoreErrorKind::Other => "store-other",
    }
}

/// The key of the sentence about a failed operation of the engine.
fn key_of(kind: &EngineErrorKind) -> &'static str {
    match kind {
        EngineErrorKind::Fenced => "store-fenced",
        EngineErrorKind::Broken => "engine-broken",
        EngineErrorKind::Stale(_) => "engine-stale",
        EngineErrorKind::Rejected(_) => "engine-rejected",
        EngineErrorKind::NotClear => "engine-not-clear",
        EngineErrorKind::NoPath => "edge-no-verify",
        EngineErrorKind::Untried => "control-untried",
        EngineErrorKind::NotBack => "site-not-back",
        EngineErrorKind::NotFound => "engine-not-found",
        EngineErrorKind::Barrier(fault) => fault.code(),
        // The first two have sentences of their own, with more in them.
        EngineErrorKind::Refused(_) | EngineErrorKind::EdgeRefused(_) | EngineErrorKind::Other => {
            "engine-other"
        }
    }
}

/// What an operation of the engine failed with, and what to do about it.
fn told(lang: Lang, kind: &EngineErrorKind) -> (&'static str, &'static str) {
    let (what, remedy) = coded(lang, key_of(kind));
    match kind {
        EngineErrorKind::Barrier(_) => (what, texts::edge_barrier_remedy(lang)),
        _ => (what, remedy),
    }
}

/// The rule that forbids an act.
fn refused(lang: Lang, refusal: Refusal) -> Failure {
    let (what, remedy) = coded(lang, &format!("refusal-{}", refusal.as_str()));
    Failure::approval(what).hint(remedy)
}

/// The sentence of a code, and what to do about it.
pub(crate) fn coded(lang: Lang, key: &str) -> (&'static str, &'static str) {
    let text = |key: &str| texts::by_code(lang, key).unwrap_or_default();
    (text(key), text(&format!("{key}-remedy")))
}

/// What failed and why, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use relight_engine::barriers::BarrierFault;
    use relight_engine::groups::GroupFault;

    use super::*;

    #[test]
    fn every_refusal_says_what_and_what_next_in_both_languages() {
        for lang in Lang::ALL {
            for refusal in Refusal::ALL {
                let failure = refused(lang, refusal);
                assert!(!failure.message.is_empty(), "{refusal:?}");
                assert!(failure.hint.is_some_and(|hint| !hint.is_empty()), "{refusal:?}");
            }
        }
    }

    /// Goal: every error code says what happened and what to do next, in both languages.
    #[test]
    fn every_code_of_store_and_engine_says_what_and_what_next_in_both_languages() {
        let store = [
            StoreErrorKind::Corrupt,
            StoreErrorKind::NewerSchema,
            StoreErrorKind::Fenced,
            StoreErrorKind::PlanStale,
            StoreErrorKind::Full,
            StoreErrorKind::Busy,
            StoreErrorKind::NotFound,
            StoreErrorKind::Limit,
            StoreErrorKind::Other,
        ];
        let engine = [
            EngineErrorKind::Fenced,
            EngineErrorKind::Broken,
            EngineErrorKind::Stale(PlanStale::Expired),
            EngineErrorKind::NotClear,
            EngineErrorKind::NoPath,
            EngineErrorKind::Untried,
            EngineErrorKind::NotBack,
            EngineErrorKind::NotFound,
            EngineErrorKind::Other,
        ];
        let barriers = BarrierFault::ALL.map(EngineErrorKind::Barrier);
        for lang in Lang::ALL {
            let store = store.map(|kind| coded(lang, key_of_store(kind)));
            let engine = engine.iter().chain(&barriers).map(|kind| told(lang, kind));
            let rejected = coded(lang, "engine-rejected");
            for (what, remedy) in store.into_iter().chain(engine).chain([rejected]) {
                assert!(!what.is_empty() && !remedy.is_empty(), "{what} in {lang:?}");
            }
        }
    }

    #[test]
    fn every_fault_of_a_group_or_a_barrier_has_its_sentence_in_both_languages() {
        let codes = GroupFault::ALL.map(GroupFault::code).into_iter();
        for code in codes.chain(BarrierFault::ALL.map(BarrierFault::code)) {
            for lang in Lang::ALL {
                assert!(!coded(lang, code).0.is_empty(), "{code} in {lang:?}");
            }
        }
    }
}
