//! The one error of the engine: what was being done, to what, and what a caller can do.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use relight_edge::EdgeError;
use relight_store::{StoreError, StoreErrorKind};

use crate::barriers::BarrierFault;
use crate::incident::Rejected;
use crate::plan::PlanStale;
use crate::policy::Refusal;

/// What a caller does differently about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineErrorKind {
    /// Another controller acts: stop.
    Fenced,
    /// The journal is not what was written: nothing is done upon it.
    Broken,
    /// The plan was shown in another world: make it again.
    Stale(PlanStale),
    /// A rule of the policy forbids it.
    Refused(Refusal),
    /// The entry does not follow from the state of the incident.
    Rejected(Rejected),
    /// No current evidence calls a site clear.
    NotClear,
    /// The set-up of these edges would leave sites lit: the plan is refused.
    EdgeRefused(String),
    /// The edge of a site has no path behind its gate.
    NoPath,
    /// Nothing can be said about a control: even what is harmless is stopped.
    Untried,
    /// A site that is not back, or is on its way, stays on the public page.
    NotBack,
    /// Something named in the request is not there.
    NotFound,
    /// An edge cannot have the second barrier that it names, and has none.
    Barrier(BarrierFault),
    /// The store, an edge or a document failed.
    Other,
}

/// A failed operation of the engine.
#[derive(Debug)]
pub struct EngineError {
    /// What a caller does differently.
    pub kind: EngineErrorKind,
    context: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl EngineError {
    pub(crate) fn new(kind: EngineErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    pub(crate) fn because(
        context: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind: EngineErrorKind::Other,
            context: context.into(),
            source: Some(source.into().into()),
        }
    }

    /// The same error for somebody else who waited for the same work.
    pub(crate) fn shared(&self) -> Self {
        let (kind, context) = (self.kind.clone(), self.context.clone());
        Self { kind, context, source: self.source.clone() }
    }
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        Self::new(EngineErrorKind::Refused(refusal), "asking the policy")
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind() {
            StoreErrorKind::Fenced => EngineErrorKind::Fenced,
            StoreErrorKind::NotFound => EngineErrorKind::NotFound,
            _ => EngineErrorKind::Other,
        };
        Self { kind, context: "using the store".to_owned(), source: Some(Arc::new(error)) }
    }
}

impl From<EdgeError> for EngineError {
    fn from(error: EdgeError) -> Self {
        Self::because("using an edge", error)
    }
}

impl From<serde_json::Error> for EngineError {
    fn from(error: serde_json::Error) -> Self {
        Self::because("writing a document", error)
    }
}

impl From<Rejected> for EngineError {
    fn from(rejected: Rejected) -> Self {
        Self::new(EngineErrorKind::Rejected(rejected.clone()), rejected.0)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl Error for EngineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}
