//! Words that several entries use.

use relight_model::GateKey;
use serde::{Deserialize, Serialize};

use super::wire;

/// What a site answered before it was ordered dark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The site.
    #[serde(with = "wire::key")]
    pub site: GateKey,
    /// First digit of its status (2 for 200).
    pub class: u16,
}

/// Who has to agree to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seat {
    /// The person who executes it.
    Operator,
    /// Somebody else.
    Second,
    /// Somebody else, of the command of the incident.
    Command,
}

impl Seat {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Second => "second",
            Self::Command => "command",
        }
    }
}

/// What the check for signs of compromise gave (INCIDENT 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compromise {
    /// Logs cover the whole interval, or a named person attested it: nothing was seen.
    NoSigns,
    /// Something was seen: no automatic return.
    Signs,
    /// Not enough is known to say.
    Unknown,
}

impl Compromise {
    /// As a person attests it: `none` or `seen`; any other word says nothing.
    pub fn of_word(word: &str) -> Self {
        match word {
            "none" => Self::NoSigns,
            "seen" => Self::Signs,
            _ => Self::Unknown,
        }
    }
}
