//! Why a fix was not verified: what people read beside a case. It changes nothing of where the site
//! stands.

use super::fold::{Case, Rejected};
use super::phase::Phase;
use super::terms::Compromise;
use crate::drill::chain;
use crate::error::EngineError;

/// Code of a fix that nobody declared.
const UNDECLARED: &str = "undeclared";

/// Code of signs of a compromise that somebody saw.
const SIGNS: &str = "signs";

/// Longest detail of what a verification found that is kept, in bytes.
pub const DETAIL_BYTES_MAX: usize = 400;

/// Why the last trial of a site did not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Code of the reason (`no-edge`, `no-path`, `no-answer`, `other-status`, `other-text`,
    /// `signs`, `signs-unknown`, `signs-unread`).
    pub why: String,
    /// What was asked and what came.
    pub detail: String,
}

impl Tried {
    /// A reason without more to say.
    pub fn because(why: &str) -> Self {
        Self { why: why.to_owned(), detail: String::new() }
    }

    /// A reason with its cause.
    pub(crate) fn at(why: &str, error: &EngineError) -> Self {
        Self { why: why.to_owned(), detail: chain(error) }
    }

    /// What is known of signs of a compromise keeps a site from returning, and of a vital one that
    /// nothing is known.
    pub fn by_signs(compromise: Compromise, vital: bool) -> Option<Self> {
        match compromise {
            Compromise::Signs => Some(Self::because(SIGNS)),
            Compromise::Unknown if vital => Some(Self::because("signs-unknown")),
            Compromise::Unknown | Compromise::NoSigns => None,
        }
    }

    /// Keeps it beside a case; no reason is that nothing stands in the way any more.
    pub(super) fn note(case: &mut Case, why: &str, detail: &str) -> Result<(), Rejected> {
        let end = detail.floor_char_boundary(DETAIL_BYTES_MAX);
        let tried = Self { why: why.to_owned(), detail: detail[..end].to_owned() };
        case.tried = (!why.is_empty()).then(|| Box::new(tried));
        Ok(())
    }
}

impl Case {
    /// What is known of a compromise after what somebody says now: signs that were seen are there
    /// until somebody says that there are none.
    pub(crate) fn compromise(&self, said: Compromise) -> Compromise {
        match said {
            Compromise::Unknown if self.signs => Compromise::Signs,
            said => said,
        }
    }

    /// Why a fix is not verified, by code and detail: `undeclared` where nobody said that there is
    /// one, and the empty code where nothing is known to stand in the way. None where none waits.
    pub fn unverified(&self) -> Option<(&str, &str)> {
        let waits = matches!(self.phase, Phase::FixDeployed | Phase::Verifying);
        match &self.tried {
            Some(tried) => Some((&tried.why, &tried.detail)),
            None if waits && self.signs => Some((SIGNS, "")),
            None if waits && !self.declared => Some((UNDECLARED, "")),
            None => waits.then_some(("", "")),
        }
    }
}
