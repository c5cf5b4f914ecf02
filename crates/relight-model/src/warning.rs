//! What was wrong with an input, as a value: never an error that stops the rest.

use std::fmt;

/// One thing that could not be used as it stood, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// A stable code in kebab case (`osv-bad-record`); texts for people hang on it.
    pub code: &'static str,
    /// Where: a path, a path inside an archive, a line (`sites.csv:17`) or a record id.
    pub evidence: String,
    /// Short English detail for logs; starts in lower case, no full stop.
    pub message: String,
}

impl Warning {
    /// A warning with this code, place and detail.
    pub fn new(
        code: &'static str,
        evidence: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { code, evidence: evidence.into(), message: message.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.evidence, self.message, self.code)
    }
}
