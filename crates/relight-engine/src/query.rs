//! The query language of `--sites` and of filters:
//! `sector:health crit<=2 not edge:none or affected:CVE-…`.
//!
//! Terms beside each other are joined by *and*; `or`, `not` and parentheses as usual. Logic is
//! three-valued (Kleene): `not affected` never takes in a site that nobody can tell about.

mod parse;

use std::collections::BTreeSet;

use relight_model::{Built, Criticality, DisplayState, STACKS, Verdict};

pub use self::parse::distance;

/// Longest query, in bytes.
pub const QUERY_BYTES_MAX: usize = 4096;
/// Most terms of a query.
pub const QUERY_TERMS_MAX: usize = 64;
/// Deepest nesting of parentheses and `not`.
pub const QUERY_DEPTH_MAX: usize = 16;

/// Every key, as errors list them.
pub const KEYS: [&str; 12] = [
    "site", "org", "sector", "crit", "exposure", "edge", "stack", "verdict", "state", "affected",
    "clear", "unknown",
];

/// A query that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Every part holds.
    All(Vec<Query>),
    /// One part holds.
    Any(Vec<Query>),
    /// The part does not hold.
    Not(Box<Query>),
    /// A text of the site fits a pattern, or does not.
    Text {
        /// Which text.
        key: TextKey,
        /// Whether it has to fit.
        equal: bool,
        /// With `*` and `?`.
        pattern: String,
    },
    /// How much depends on the site.
    Criticality {
        /// How it is compared.
        comparison: Comparison,
        /// 1 to 4, against which.
        number: u8,
    },
    /// What the site answers to the question that is being asked.
    Verdict {
        /// Whether it has to be that.
        equal: bool,
        /// The answer.
        verdict: Verdict,
    },
    /// The state in which the site is drawn.
    State {
        /// Whether it has to be that.
        equal: bool,
        /// The state.
        state: DisplayState,
    },
    /// What the site is built with, or is not.
    Stack {
        /// Whether it has to be that.
        equal: bool,
        /// A language or a platform.
        built: &'static Built,
    },
    /// What a site answers to an advisory; without one, to the question that is being asked.
    Answers {
        /// The answer that is wanted.
        verdict: Verdict,
        /// The advisory.
        question: Option<String>,
    },
}

/// A key whose value is text, with `*` and `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKey {
    /// Its short name.
    Site,
    /// Who answers for it.
    Org,
    /// The sector of that body.
    Sector,
    /// Who can reach it.
    Exposure,
    /// The edge that serves it.
    Edge,
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `:` or `=`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// Yes, no, or nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// Nobody can tell.
    Unknown,
}

/// What a query asks about one site.
pub trait Facts {
    /// The value of a key; `none` never is one, it stands for an empty value in queries.
    fn text(&self, key: TextKey) -> &str;
    /// 1 to 4.
    fn criticality(&self) -> Criticality;
    /// The state in which it is drawn.
    fn state(&self) -> DisplayState;
    /// Whether it is built with something, as far as its inventory tells.
    fn stack(&self, built: &'static Built) -> Truth;
    /// Its answer to an advisory, or to the question being asked; `None` when nothing is asked.
    fn verdict(&self, question: Option<&str>) -> Option<Verdict>;
}

/// Whether a text that somebody typed is meant as a query, and not as words to look for: before the
/// sign of one of its words stands a key, or nearly one. An address or a colon makes no query.
pub fn is_meant(text: &str) -> bool {
    let words = text.split(|sign: char| sign.is_whitespace() || matches!(sign, '(' | ')'));
    let mut keys = words.filter_map(|word| Some(word.split_at(word.find(SIGNS)?).0));
    keys.any(|key| parse::is_nearly_key(key.trim_start_matches('"')))
}

/// The signs behind a key, or the first of them.
const SIGNS: [char; 5] = [':', '=', '!', '<', '>'];

/// Why a text is no query, and where: byte offsets into the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// Where the fault begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// A key of the catalogue.
    pub code: &'static str,
    /// The word that is wrong.
    pub word: String,
    /// The key, or the value, that is closest to it.
    pub near: Option<&'static str>,
}

impl QueryError {
    /// What could stand in the place of the wrong word, and whether these are values of its key.
    pub fn choices(&self) -> (Vec<&'static str>, bool) {
        match self.code {
            NO_STACK => (STACKS.iter().map(|it| it.code).collect(), true),
            _ => (KEYS.to_vec(), false),
        }
    }
}

/// The code of a value of `stack:` that nothing has.
const NO_STACK: &str = "query-stack";

impl Query {
    /// Reads a query; an empty one takes in every site.
    ///
    /// # Errors
    /// The text is no query; says where.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::read(text)
    }

    /// The advisories that the query asks about, each once.
    pub fn questions(&self) -> BTreeSet<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(|part| part.questions()).collect()
            }
            Self::Not(part) => part.questions(),
            Self::Answers { question: Some(question), .. } => [question.as_str()].into(),
            _ => BTreeSet::new(),
        }
    }

    /// The languages and platforms that the query asks about, each once.
    pub fn stacks(&self) -> Vec<&'static Built> {
        let mut stacks = Vec::new();
        self.add_stacks(&mut stacks);
        stacks
    }

    fn add_stacks(&self, stacks: &mut Vec<&'static Built>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.add_stacks(stacks));
            }
            Self::Not(part) => part.add_stacks(stacks),
            Self::Stack { built, .. } if !stacks.contains(built) => stacks.push(built),
            _ => {}
        }
    }

    /// Whether the query needs a question that is being asked.
    pub fn needs_question(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::needs_question),
            Self::Not(part) => part.needs_question(),
            Self::Verdict { .. } | Self::Answers { question: None, .. } => true,
            _ => false,
        }
    }

    /// Whether a site is meant.
    pub fn holds(&self, site: &impl Facts) -> Truth {
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.holds(site))),
            Self::Any(parts) => all(parts.iter().map(|part| part.holds(site).not())).not(),
            Self::Not(part) => part.holds(site).not(),
            Self::Text { key, equal, pattern } => {
                let text = site.text(*key);
                let matches = (text.is_empty() && pattern == "none") || wild(pattern, text);
                (matches == *equal).into()
            }
            Self::Criticality { comparison, number } => {
                comparison.holds(site.criticality().number(), *number).into()
            }
            Self::State { equal, state } => ((site.state() == *state) == *equal).into(),
            Self::Stack { equal, built } => {
                let is_so = site.stack(built);
                if *equal { is_so } else { is_so.not() }
            }
            Self::Verdict { equal, verdict } => match site.verdict(None) {
                Some(answer) => ((answer == *verdict) == *equal).into(),
                None => Truth::Unknown,
            },
            Self::Answers { verdict, question } => answers(*verdict, question.as_deref(), site),
        }
    }
}

/// `affected` is three-valued: of an unknown site nobody can tell. `clear` and `unknown` are sets.
fn answers(verdict: Verdict, question: Option<&str>, site: &impl Facts) -> Truth {
    match (verdict, site.verdict(question)) {
        (_, None) | (Verdict::Affected, Some(Verdict::Unknown)) => Truth::Unknown,
        (wanted, Some(answer)) => (wanted == answer).into(),
    }
}

/// Whether all hold; what comes after one that does not is not looked at.
fn all(parts: impl Iterator<Item = Truth>) -> Truth {
    let mut found = Truth::Yes;
    for part in parts {
        found = found.and(part);
        if found == Truth::No {
            break;
        }
    }
    found
}

impl Truth {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Comparison {
    fn holds(self, left: u8, right: u8) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

/// `*` stands for any text, `?` for one character; letters match in either case.
fn wild(pattern: &str, text: &str) -> bool {
    // Nearly every name is of this kind, and many are looked at.
    if pattern.is_ascii() && text.is_ascii() {
        return fits(pattern.as_bytes(), text.as_bytes(), (b'*', b'?'), u8::eq_ignore_ascii_case);
    }
    let fold = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    fits(&fold(pattern), &fold(text), ('*', '?'), char::eq)
}

fn fits<T: PartialEq>(
    pattern: &[T],
    text: &[T],
    (any, one): (T, T),
    same: impl Fn(&T, &T) -> bool,
) -> bool {
    // The last star and the text it was tried at: only that one is ever moved.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == any {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == one || same(&pattern[p], &text[t])) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, tried)) = star {
            star = Some((at, tried + 1));
            (p, t) = (at + 1, tried + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|sign| *sign == any)
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
