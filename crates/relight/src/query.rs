//! The query language of `--sites`: `sector:health crit<=2 not edge:none or affected:CVE-…`.
//!
//! Terms beside each other are joined by *and*; `or`, `not` and parentheses as usual. Logic is
//! three-valued (Kleene): `not affected` never takes in a site that nobody can tell about.

use relight_model::{Criticality, DisplayState, SiteExposure, Verdict};
use relight_server::web::words::state_name;

/// Longest query, in bytes.
pub(crate) const QUERY_BYTES_MAX: usize = 4096;
/// Most terms of a query.
pub(crate) const QUERY_TERMS_MAX: usize = 64;
/// Deepest nesting of parentheses and `not`.
pub(crate) const QUERY_DEPTH_MAX: usize = 16;

/// Every key, as errors list them.
pub(crate) const KEYS: [&str; 11] = [
    "site", "org", "sector", "crit", "exposure", "edge", "verdict", "state", "affected", "clear",
    "unknown",
];

/// A query that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Not(Box<Query>),
    Text {
        key: TextKey,
        equal: bool,
        pattern: String,
    },
    Criticality {
        comparison: Comparison,
        number: u8,
    },
    Verdict {
        equal: bool,
        verdict: Verdict,
    },
    State {
        equal: bool,
        state: DisplayState,
    },
    /// What a site answers to an advisory; without one, to the question that is being asked.
    Answers {
        verdict: Verdict,
        question: Option<String>,
    },
}

/// A key whose value is text, with `*` and `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextKey {
    Site,
    Org,
    Sector,
    Exposure,
    Edge,
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Yes, no, or nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    Unknown,
}

/// What a query asks about one site.
pub(crate) trait Facts {
    /// The value of a key; `none` never is one, it stands for an empty value in queries.
    fn text(&self, key: TextKey) -> &str;
    /// 1 to 4.
    fn criticality(&self) -> Criticality;
    /// The state in which it is drawn.
    fn state(&self) -> DisplayState;
    /// Its answer to an advisory, or to the question being asked; `None` when nothing is asked.
    fn verdict(&self, question: Option<&str>) -> Option<Verdict>;
}

/// Why a text is no query, and where: byte offsets into the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// A key of the catalogue.
    pub(crate) code: &'static str,
    /// The word that is wrong.
    pub(crate) word: String,
    /// The key that is closest to it.
    pub(crate) near: Option<&'static str>,
}

impl Query {
    /// Reads a query; an empty one takes in every site.
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(fault("query-too-long", QUERY_BYTES_MAX, text.len(), ""));
        }
        let mut parser = Parser { text, tokens: tokens(text)?, at: 0, terms: 0 };
        if parser.tokens.is_empty() {
            return Ok(Self::All(Vec::new()));
        }
        let query = parser.any(0)?;
        match parser.tokens.get(parser.at) {
            None => Ok(query),
            Some(token) => Err(token.fault("query-parenthesis")),
        }
    }

    /// The advisories that the query asks about.
    pub(crate) fn questions(&self) -> Vec<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(|part| part.questions()).collect()
            }
            Self::Not(part) => part.questions(),
            Self::Answers { question: Some(question), .. } => vec![question],
            _ => Vec::new(),
        }
    }

    /// Whether the query needs a question that is being asked.
    pub(crate) fn needs_question(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::needs_question),
            Self::Not(part) => part.needs_question(),
            Self::Verdict { .. } | Self::Answers { question: None, .. } => true,
            _ => false,
        }
    }

    /// Whether a site is meant.
    pub(crate) fn holds(&self, site: &impl Facts) -> Truth {
        match self {
            Self::All(parts) => {
                parts.iter().map(|part| part.holds(site)).fold(Truth::Yes, Truth::and)
            }
            Self::Any(parts) => {
                parts.iter().map(|part| part.holds(site)).fold(Truth::No, Truth::or)
            }
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

impl Truth {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
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
    let fold = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    let (pattern, text) = (fold(pattern), fold(text));
    // The last star and the text it was tried at: only that one is ever moved.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, tried)) = star {
            star = Some((at, tried + 1));
            (p, t) = (at + 1, tried + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|char| *char == '*')
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Word,
}

/// A word without its quotes, or a parenthesis. `bare` says that nothing in it was quoted.
struct Token {
    kind: Kind,
    word: String,
    bare: bool,
    start: usize,
    end: usize,
}

impl Token {
    fn fault(&self, code: &'static str) -> QueryError {
        fault(code, self.start, self.end, &self.word)
    }

    fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.bare && self.word.eq_ignore_ascii_case(word)
    }
}

fn fault(code: &'static str, start: usize, end: usize, word: &str) -> QueryError {
    QueryError { start, end, code, word: word.to_owned(), near: None }
}

fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let end = start + first.len_utf8();
        let kind = match first {
            '(' => Kind::Open,
            ')' => Kind::Close,
            first if first.is_whitespace() => continue,
            _ => Kind::Word,
        };
        let mut token = Token { kind, word: first.to_string(), bare: true, start, end };
        if token.kind == Kind::Word {
            let mut quoted = first == '"';
            if quoted {
                (token.bare, token.word) = (false, String::new());
            }
            while let Some(&(at, next)) = chars.peek() {
                if !quoted && (next.is_whitespace() || matches!(next, '(' | ')')) {
                    break;
                }
                chars.next();
                token.end = at + next.len_utf8();
                if next == '"' {
                    (quoted, token.bare) = (!quoted, false);
                } else {
                    token.word.push(next);
                }
            }
            if quoted {
                return Err(token.fault("query-quote"));
            }
        }
        tokens.push(token);
    }
    Ok(tokens)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    terms: usize,
}

impl Parser<'_> {
    fn any(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut parts = vec![self.all(depth)?];
        while self.tokens.get(self.at).is_some_and(|token| token.is("or")) {
            self.at += 1;
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Query::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut parts = vec![self.not(depth)?];
        while let Some(token) = self.tokens.get(self.at) {
            if token.kind == Kind::Close || token.is("or") {
                break;
            }
            self.at += usize::from(token.is("and"));
            parts.push(self.not(depth)?);
        }
        Ok(one_or(parts, Query::All))
    }

    fn not(&mut self, depth: usize) -> Result<Query, QueryError> {
        let Some(token) = self.tokens.get(self.at) else {
            return Err(fault("query-end", self.text.len(), self.text.len(), ""));
        };
        if depth > QUERY_DEPTH_MAX {
            return Err(token.fault("query-too-deep"));
        }
        self.at += 1;
        if token.is("not") {
            return Ok(Query::Not(Box::new(self.not(depth + 1)?)));
        }
        match token.kind {
            Kind::Open => {
                let open = token.fault("query-parenthesis");
                let query = self.any(depth + 1)?;
                match self.tokens.get(self.at) {
                    Some(token) if token.kind == Kind::Close => {
                        self.at += 1;
                        Ok(query)
                    }
                    _ => Err(open),
                }
            }
            Kind::Close => Err(token.fault("query-parenthesis")),
            Kind::Word if token.is("or") || token.is("and") => Err(token.fault("query-end")),
            Kind::Word => {
                self.terms += 1;
                if self.terms > QUERY_TERMS_MAX {
                    return Err(token.fault("query-too-many-terms"));
                }
                term(token)
            }
        }
    }
}

fn one_or(mut parts: Vec<Query>, join: fn(Vec<Query>) -> Query) -> Query {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

fn term(token: &Token) -> Result<Query, QueryError> {
    let word = &token.word;
    let Some(at) = word.find([':', '=', '!', '<', '>']) else {
        return match Verdict::parse(&word.to_lowercase()) {
            Some(verdict) => Ok(Query::Answers { verdict, question: None }),
            None => Err(nearest(token.fault("query-unknown-word"))),
        };
    };
    let (key, rest) = word.split_at(at);
    let (operator, value) = operator(rest).ok_or_else(|| token.fault("query-operator"))?;
    let lower = key.to_lowercase();
    let span = token.start + key.len();
    if !KEYS.contains(&lower.as_str()) {
        return Err(nearest(fault("query-unknown-key", token.start, span, key)));
    }
    if value.is_empty() {
        return Err(token.fault("query-value"));
    }
    if lower == "crit" {
        let number = value.parse().ok().filter(|n| Criticality::from_number(*n).is_some());
        let number = number.ok_or_else(|| token.fault("query-criticality"))?;
        return Ok(Query::Criticality { comparison: operator, number });
    }
    let equal = match operator {
        Comparison::Equal => true,
        Comparison::NotEqual => false,
        _ => return Err(token.fault("query-operator")),
    };
    keyed(&lower, equal, value).ok_or_else(|| token.fault("query-value"))
}

fn keyed(key: &str, equal: bool, value: &str) -> Option<Query> {
    let text = |key| Some(Query::Text { key, equal, pattern: value.to_owned() });
    match key {
        "site" => text(TextKey::Site),
        "org" => text(TextKey::Org),
        "sector" => text(TextKey::Sector),
        "edge" => text(TextKey::Edge),
        "exposure" => {
            SiteExposure::parse(&value.to_lowercase())?;
            text(TextKey::Exposure)
        }
        "verdict" => {
            Some(Query::Verdict { equal, verdict: Verdict::parse(&value.to_lowercase())? })
        }
        "state" => {
            let mut states = DisplayState::ALL.into_iter();
            let state = states.find(|state| state_name(*state).eq_ignore_ascii_case(value))?;
            Some(Query::State { equal, state })
        }
        _ => {
            let verdict = Verdict::parse(key)?;
            let query = Query::Answers { verdict, question: Some(value.to_owned()) };
            Some(if equal { query } else { Query::Not(Box::new(query)) })
        }
    }
}

fn operator(rest: &str) -> Option<(Comparison, &str)> {
    const OPERATORS: [(&str, Comparison); 7] = [
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        (":", Comparison::Equal),
        ("=", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    OPERATORS
        .into_iter()
        .find_map(|(sign, comparison)| rest.strip_prefix(sign).map(|value| (comparison, value)))
}

/// Adds the key that is at most two letters away.
fn nearest(mut error: QueryError) -> QueryError {
    let word = error.word.to_lowercase();
    let near = KEYS.into_iter().map(|key| (distance(&word, key), key)).min();
    error.near = near.filter(|(distance, _)| *distance <= 2).map(|(_, key)| key);
    error
}

/// How many letters must be added, left out or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
