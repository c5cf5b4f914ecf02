//! From a text to a query: words, quotes, parentheses, and where a fault is.

use relight_model::{Built, Criticality, DisplayState, SiteExposure, Verdict};

use super::{
    Comparison, KEYS, NO_STACK, QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX, Query,
    QueryError, SIGNS, TextKey,
};

/// Reads a query; an empty one takes in every site.
pub(super) fn read(text: &str) -> Result<Query, QueryError> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(fault("query-too-long", QUERY_BYTES_MAX, text.len(), ""));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, terms: 0 };
    if parser.tokens.is_empty() {
        return Ok(Query::All(Vec::new()));
    }
    let query = parser.any(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(query),
        Some(token) => Err(token.fault("query-parenthesis")),
    }
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
    let Some(at) = word.find(SIGNS) else {
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
    keyed(&lower, equal, value).ok_or_else(|| match lower.as_str() {
        "stack" => nearest(fault(NO_STACK, token.start, token.end, value)),
        _ => token.fault("query-value"),
    })
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
        "stack" => Some(Query::Stack { equal, built: Built::parse(value)? }),
        "verdict" => {
            Some(Query::Verdict { equal, verdict: Verdict::parse(&value.to_lowercase())? })
        }
        "state" => {
            let mut states = DisplayState::ALL.into_iter();
            let state = states.find(|state| state.as_str().eq_ignore_ascii_case(value))?;
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

/// Whether a word is a key, or one that was mistyped in at most half of its letters.
pub(super) fn is_nearly_key(word: &str) -> bool {
    let (word, letters) = (word.to_lowercase(), word.chars().count());
    let off = KEYS.into_iter().map(|key| distance(&word, key)).min();
    off.is_some_and(|off| off <= NEAR_MAX && 2 * off <= letters)
}

/// Adds the key that is at most two letters away, or such a value; a value that begins so is near.
fn nearest(mut error: QueryError) -> QueryError {
    let word = error.word.to_lowercase();
    let (known, is_value) = error.choices();
    let begins = |known: &str| is_value && word.len() > 1 && known.starts_with(&word);
    let off = |known: &str| if begins(known) { 1 } else { distance(&word, known) };
    let near = known.into_iter().map(|known| (off(known), known)).min();
    error.near = near.filter(|(distance, _)| *distance <= NEAR_MAX).map(|(_, key)| key);
    error
}

/// Letters in which a word may differ from a key that was meant.
const NEAR_MAX: usize = 2;

/// How many letters must be added, left out or replaced (Levenshtein).
pub fn distance(a: &str, b: &str) -> usize {
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
