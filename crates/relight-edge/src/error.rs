//! The one error of this crate: what was being done to which edge, and how it may go on.

use std::error::Error;
use std::fmt;

/// What a caller can do about an error. After any of them nothing is known: observe again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeErrorKind {
    /// The edge, its socket or its listener did not answer in time.
    Unreachable,
    /// The edge, or our own check before the effect, said no.
    Refused,
    /// The gate has seen a newer epoch: another controller acts, this one stops writing.
    Fenced,
    /// The gate holds what this product did not write and cannot work with.
    ForeignEdit,
    /// The set-up of the edge does not allow what was asked.
    Lint,
    /// The certificate of a listener is not good for the name that was asked for.
    Certificate,
    /// An agent writes the edge on its own machine, and nobody in this process can ask it.
    Elsewhere,
    /// A file operation failed.
    Io,
}

impl EdgeErrorKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Unreachable,
        Self::Refused,
        Self::Fenced,
        Self::ForeignEdit,
        Self::Lint,
        Self::Certificate,
        Self::Elsewhere,
        Self::Io,
    ];

    /// Its code in journals and documents.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Fenced => "fenced",
            Self::ForeignEdit => "foreign-edit",
            Self::Lint => "lint",
            Self::Certificate => "certificate",
            Self::Elsewhere => "elsewhere",
            Self::Io => "io",
        }
    }

    /// The kind of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A failed operation on one edge.
#[derive(Debug)]
pub struct EdgeError {
    /// Name of the edge; empty where the operation concerns no registered edge.
    pub edge: String,
    /// What was being done, to what: reads after "cannot".
    pub doing: String,
    /// What a caller can do about it.
    pub kind: EdgeErrorKind,
    /// Whether the same call may succeed later without anybody's help.
    pub retry: bool,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl EdgeError {
    /// An error of this kind: `doing` reads after "cannot".
    pub fn new(kind: EdgeErrorKind, doing: impl Into<String>) -> Self {
        use EdgeErrorKind::{Elsewhere, Io, Unreachable};
        let retry = matches!(kind, Unreachable | Elsewhere | Io);
        Self { edge: String::new(), doing: doing.into(), kind, retry, cause: None }
    }

    pub(crate) fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same error, with the name of the edge.
    pub(crate) fn at(mut self, edge: &str) -> Self {
        edge.clone_into(&mut self.edge);
        self
    }

    /// The same error, where a race that is over by then may have caused it.
    pub(crate) fn worth_a_retry(mut self) -> Self {
        self.retry = true;
        self
    }

    /// For `map_err`: a file operation that failed.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |cause| Self::new(EdgeErrorKind::Io, doing).because(cause)
    }

    /// For `map_err`: a peer that did not answer.
    pub(crate) fn unreachable(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |cause| Self::new(EdgeErrorKind::Unreachable, doing).because(cause)
    }
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.edge.is_empty() {
            write!(f, "edge {}: ", self.edge)?;
        }
        write!(f, "cannot {}", self.doing)
    }
}

impl Error for EdgeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn says_what_to_what_and_keeps_the_cause_as_source() {
        let error = EdgeError::io("write the epoch of /gate")(io::Error::other("disk full"));
        let error = error.at("north");
        assert_eq!(error.to_string(), "edge north: cannot write the epoch of /gate");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("disk full"));
        assert!(error.retry);
        assert!(!EdgeError::new(EdgeErrorKind::Fenced, "apply 1-1").retry);
    }
}
