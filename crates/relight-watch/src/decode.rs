//! The attempt scan: fields, decoding round by round to a fixpoint, and the lookup evaluator.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::LazyLock;

use relight_model::{Escape, Event};

use crate::lookup::{Verdict, evaluate_within};
use crate::parsers::{Feed, PARSERS};
use crate::prefilter::may_hold_lookup;

mod escapes;

pub(crate) use escapes::base64;
use escapes::{decode, undo, undo_log_escape};

/// Most decoding rounds for one field; what still changes then is not decoded further.
pub const DECODE_ROUNDS_MAX: usize = 6;

/// Longest text of a step that is kept, in bytes.
pub const STEP_BYTES_MAX: usize = 1_024;

/// A lookup that somebody tried, or would have been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How bad; never [`Verdict::Benign`].
    pub verdict: Verdict,
    /// In which field: `method`, `path`, `query`, `value`, `target`, `user-agent`, `referer`,
    /// `user`, `host`, `headers`, `sni`, `line`.
    pub field: &'static str,
    /// What JNDI would have been asked for, decoded; empty when nothing was recorded.
    pub key: String,
    /// The text of the field after each round, as written first, evaluated text last; each cut
    /// at [`STEP_BYTES_MAX`].
    pub steps: Vec<String>,
}

/// Where a payload would have called back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callback {
    /// `ldap`, `rmi`, `dns`, …, lower case.
    pub scheme: String,
    /// Host as written, lower case, without port.
    pub host: String,
    /// Port, when one is written.
    pub port: Option<u16>,
    /// What follows the host, without the slash.
    pub path: String,
}

impl Attempt {
    /// The parts of the key; `None` when it names no remote host.
    pub fn callback(&self) -> Option<Callback> {
        Callback::parse(&self.key)
    }
}

impl Callback {
    /// Splits `ldap://host:port/path`; the library accepts a single slash as well.
    pub fn parse(key: &str) -> Option<Self> {
        let (scheme, rest) = key.split_once(':')?;
        let rest = rest.trim_start_matches('/');
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => match port.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => (authority, None),
            },
            _ => (authority, None),
        };
        (!host.is_empty() && scheme != "java").then(|| Self {
            scheme: scheme.to_lowercase(),
            host: host.to_lowercase(),
            port,
            path: path.to_owned(),
        })
    }
}

/// The worst that any field of the event holds; `None` when all are benign. Ordinary events
/// cost a few passes of `memchr` and no allocation.
pub fn attempt(event: &Event<'_>) -> Option<Attempt> {
    let mut worst: Option<Attempt> = None;
    // Everything that looks into the query shares one limit of work: its values come first, so that
    // no long one keeps a payload beside it from being seen.
    let mut query_spent = 0;
    let values = attempt_in_values(event, &mut query_spent);
    for (name, text) in fields(event) {
        if worth_a_look(text, event.escape) {
            let spent = if name == "query" { &mut query_spent } else { &mut 0 };
            worse(&mut worst, field_attempt(name, text, event.escape, spent));
        }
    }
    worse(&mut worst, values);
    // As of a query, an opening in one captured header must not hide another: each is a text of its
    // own for who logs it.
    if worth_a_look(event.headers, event.escape) {
        let mut headers_spent = 0;
        for part in header_parts(event.headers, event.escape) {
            if worth_a_look(part, event.escape) {
                worse(&mut worst, field_attempt("headers", part, event.escape, &mut headers_spent));
            }
        }
    }
    if !event.query.is_empty()
        && (worth_a_look(event.path, event.escape) || worth_a_look(event.query, event.escape))
    {
        let target = format!("{}?{}", event.path, event.query);
        worse(&mut worst, field_attempt("target", &target, event.escape, &mut query_spent));
    }
    worst
}

/// The fields of an event that somebody may log, by their names.
const fn fields<'a>(event: &Event<'a>) -> [(&'static str, &'a str); 9] {
    [
        ("path", event.path),
        ("query", event.query),
        ("user-agent", event.user_agent),
        ("referer", event.referer),
        ("user", event.user),
        ("host", event.host),
        ("method", event.method),
        ("headers", event.headers),
        ("sni", event.sni),
    ]
}

/// The worst in a value of the query, the first of the worst ones. A value alone is what
/// applications log most; an unclosed `${` in one must not hide another. Short ones are looked at
/// first: a payload is short, and what is there to use up the work is long.
fn attempt_in_values(event: &Event<'_>, spent: &mut u64) -> Option<Attempt> {
    if !worth_a_look(event.query, event.escape) {
        return None;
    }
    let value = |pair: &'_ str| pair.split_once('=').map_or(0, |(name, _)| name.len() + 1);
    let pairs = event.query.split('&').map(|pair| &pair[value(pair)..]);
    let worth = |(_, value): &(usize, &str)| worth_a_look(value, event.escape);
    let mut values: Vec<(usize, &str)> = pairs.enumerate().filter(worth).collect();
    values.sort_by_key(|(_, value)| value.len());
    let found = values
        .into_iter()
        .filter_map(|(at, value)| Some((at, field_attempt("value", value, event.escape, spent)?)));
    let worst = found.reduce(|one, other| {
        let is_worse = (other.1.verdict, Reverse(other.0)) > (one.1.verdict, Reverse(one.0));
        if is_worse { other } else { one }
    });
    worst.map(|(_, found)| found)
}

/// Some field still changes after the last decoding round, so that nobody looked at what it says.
pub(crate) fn is_beyond_rounds(event: &Event<'_>) -> bool {
    fields(event).into_iter().any(|(_, text)| {
        worth_a_look(text, event.escape) && {
            let start = plain(text, event.escape).into_owned().into_bytes();
            let mut rounds = Rounds { next: Some(start), left: DECODE_ROUNDS_MAX };
            // After the last round there is a text more than there are rounds, if all changed it.
            rounds.nth(DECODE_ROUNDS_MAX).is_some_and(|last| decode(&last) != last)
        }
    })
}

/// Captured headers one by one, where the log tells them apart: HAProxy puts `{a|b}` around them
/// and writes these characters otherwise inside, web servers put quotation marks around each, and a
/// backslash before one inside.
fn header_parts(text: &str, escape: Escape) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |letter: char| match escape {
        Escape::Hash => matches!(letter, '{' | '|' | '}'),
        Escape::Apache => {
            let was_escaped = std::mem::take(&mut is_escaped);
            is_escaped = letter == '\\' && !was_escaped;
            letter == '"' && !was_escaped
        }
        _ => false,
    })
}

/// As [`attempt`], for a line that no parser took: the whole line is one field. An opening in one
/// part may then hide a payload in another, as it would for an application that logs the line.
///
/// It is read as it stands first, which is what the library would see, and then as a web server
/// would have written it.
pub fn attempt_in_line(line: &str) -> Option<Attempt> {
    if !worth_a_look(line, Escape::Apache) {
        return None;
    }
    let mut worst = None;
    worse(&mut worst, field_attempt("line", line, Escape::None, &mut 0));
    if worst.as_ref().is_none_or(|found| found.verdict != Verdict::EffectiveRemote) {
        worse(&mut worst, field_attempt("line", line, Escape::Apache, &mut 0));
    }
    worst
}

/// What one line holds, whatever product wrote it: field by field when a parser takes it, as one
/// text when none does. The parser's name comes with it.
pub fn decode_line(line: &str) -> (Option<&'static str>, Option<Attempt>) {
    static FEED: LazyLock<Feed> = LazyLock::new(Feed::default);
    let taken = PARSERS.iter().find_map(|parser| {
        let event = parser.parse(&FEED, line).ok()?;
        Some((parser.name(), event))
    });
    match taken {
        Some((name, event)) => (Some(name), attempt(&event)),
        None => (None, attempt_in_line(line)),
    }
}

/// False proves that a field holds no attempt.
pub(crate) fn worth_a_look(text: &str, escape: Escape) -> bool {
    if text.is_empty() {
        return false;
    }
    // Only here a character other than the starters of the decoders stands for a brace.
    if escape == Escape::Hash && memchr::memchr(b'#', text.as_bytes()).is_some() {
        let plain = undo(text, escape);
        return may_hold_lookup(&String::from_utf8_lossy(&plain));
    }
    may_hold_lookup(text) || basic_credentials(text).is_some()
}

fn worse(worst: &mut Option<Attempt>, found: Option<Attempt>) {
    let rank = |attempt: &Option<Attempt>| attempt.as_ref().map(|attempt| attempt.verdict);
    if rank(&found) > rank(worst) {
        *worst = found;
    }
}

/// The field is such a value: see [`basic_credentials`].
pub(crate) fn are_credentials(text: &[u8]) -> bool {
    text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "))
}

/// The value of `Basic …` (RFC 7617) when the field is one: plain searches do not see into it.
pub(crate) fn basic_credentials(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case("basic ").then_some(rest.trim_start())
}

fn field_attempt(
    name: &'static str,
    text: &str,
    escape: Escape,
    spent: &mut u64,
) -> Option<Attempt> {
    let plain = plain(text, escape);
    let decoded = basic_credentials(&plain).and_then(|value| base64(value.as_bytes()));
    let mut best: Option<Attempt> = None;
    let mut steps = vec![shortened(text)];
    let start = decoded.unwrap_or_else(|| plain.into_owned().into_bytes());
    for bytes in (Rounds { next: Some(start), left: DECODE_ROUNDS_MAX }) {
        let text = String::from_utf8_lossy(&bytes);
        if steps.last().is_some_and(|last| *last != text) {
            steps.push(shortened(&text));
        }
        let evaluation = evaluate_within(&text, spent);
        if evaluation.verdict > best.as_ref().map_or(Verdict::Benign, |best| best.verdict) {
            let remote = evaluation.keys.iter().find(|key| Callback::parse(key).is_some());
            let key = remote.or(evaluation.keys.first()).cloned().unwrap_or_default();
            let verdict = evaluation.verdict;
            best = Some(Attempt { verdict, field: name, key, steps: steps.clone() });
        }
        if evaluation.verdict == Verdict::EffectiveRemote {
            break;
        }
    }
    best
}

/// A field without the log's own escaping, which is undone once; what is no UTF-8 is replaced.
pub fn plain(text: &str, escape: Escape) -> Cow<'_, str> {
    match escape {
        Escape::None => Cow::Borrowed(text),
        _ => Cow::Owned(String::from_utf8_lossy(&undo(text, escape)).into_owned()),
    }
}

/// How bad one text is, without its steps.
pub(crate) fn verdict_of(text: &str, escape: Escape) -> Verdict {
    let found = field_attempt("headers", text, escape, &mut 0);
    found.map_or(Verdict::Benign, |found| found.verdict)
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(STEP_BYTES_MAX)].to_owned()
}

/// The text after every decoding round, invalid UTF-8 replaced.
pub(crate) fn decoded(text: &str) -> String {
    let rounds = Rounds { next: Some(undo_log_escape(text)), left: DECODE_ROUNDS_MAX };
    String::from_utf8_lossy(&rounds.last().unwrap_or_default()).into_owned()
}

/// A text and its decoded forms, round by round, until nothing changes.
#[cfg(test)]
pub(crate) fn rounds(text: &str) -> impl Iterator<Item = Vec<u8>> {
    Rounds { next: Some(undo_log_escape(text)), left: DECODE_ROUNDS_MAX }
}

struct Rounds {
    next: Option<Vec<u8>>,
    left: usize,
}

impl Iterator for Rounds {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let current = self.next.take()?;
        if self.left > 0 {
            self.left -= 1;
            self.next = Some(decode(&current)).filter(|decoded| *decoded != current);
        }
        Some(current)
    }
}

#[cfg(test)]
pub(crate) mod tests;
