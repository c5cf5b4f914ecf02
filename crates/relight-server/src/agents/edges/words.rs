//! What is said about edges, as it goes over the wire. A question names keys, epochs and stages:
//! there is no word for a file, a folder, a program or a kind of edge.

use std::collections::BTreeMap;

use relight_engine::edge::lint::code_of;
use relight_engine::edge::{
    Ask, EdgeError, EdgeErrorKind, GATE_KEYS_MAX, GateSet, GateView, Lint, LintSeverity, Reply,
    Stage, Trouble, TunnelCount,
};
use relight_model::{Epoch, GateKey, Seen};
use serde::{Deserialize, Serialize};

/// Longest text about one trouble or one finding, in bytes; what is longer is cut.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// Findings of one lint, at most; more are not told.
const LINTS_MAX: usize = 1_000;

/// An agent has time for a question about one of its edges, and perhaps the answer to the one
/// before.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EdgeRequest {
    /// The name of the edge, as both sides have it.
    pub(super) edge: String,
    /// What it can do, by code.
    pub(super) able: BTreeMap<String, String>,
    /// See `EdgeDriver::generation`; none where it does not answer.
    pub(super) generation: Option<u64>,
    /// What it was asked before.
    pub(super) answer: Option<AnswerWords>,
}

/// What the agent is asked, if it is.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EdgeAnswer {
    pub(super) question: Option<QuestionWords>,
    /// How long the server held the request, in milliseconds: what is left of the time that the
    /// agent waited was spent on the way.
    pub(super) held_ms: u64,
}

/// One question.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionWords {
    /// What the answer has to bear.
    pub(super) ticket: String,
    /// Within this time it has to be begun, in milliseconds.
    pub(super) left_ms: u64,
    pub(super) ask: AskWords,
}

/// Its answer.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerWords {
    pub(super) ticket: String,
    pub(super) reply: ReplyWords,
}

type EpochWords = (u64, u64);

/// What is asked.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum AskWords {
    Lint {},
    Observe { keys: Vec<String> },
    Owned {},
    Apply { epoch: EpochWords, stage: StageWord, dark: Vec<String>, changed: Option<Vec<String>> },
    Close { epoch: EpochWords, dark: Vec<String> },
    GetReady { keys: Vec<String> },
    Tunnels { keys: Vec<String> },
    Cut { epoch: EpochWords, keys: Vec<String> },
}

/// Which copy of the gate.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StageWord {
    Durable,
    Runtime,
}

/// What is answered.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum ReplyWords {
    Lints(Vec<LintWords>),
    Views(Vec<ViewWords>),
    Keys(Vec<String>),
    Done {},
    Ready(bool),
    Tunnels(Vec<TunnelWords>),
    Failed(TroubleWords),
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LintWords {
    refuses: bool,
    code: String,
    place: String,
}

/// Durable, runtime, in part, foreign, epoch: there is one for each of thousands of keys.
type ViewWords = (char, char, Option<char>, bool, Option<EpochWords>);

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TunnelWords {
    Open(u64),
    DataPlane,
    Unknown,
    Shared,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TroubleWords {
    kind: String,
    doing: String,
    cause: String,
    retry: bool,
}

const fn epoch_words(epoch: Epoch) -> EpochWords {
    (epoch.term, epoch.seq)
}

const fn epoch_of((term, seq): EpochWords) -> Epoch {
    Epoch { term, seq }
}

fn key_words<'a>(keys: impl IntoIterator<Item = &'a GateKey>) -> Vec<String> {
    keys.into_iter().map(|key| key.as_str().to_owned()).collect()
}

/// The keys of these words; none where one of them is no key, or there are too many.
fn keys_of(words: &[String]) -> Option<Vec<GateKey>> {
    // The canary of an edge is one more than its sites.
    let is_few = words.len() <= GATE_KEYS_MAX + 1;
    is_few.then(|| words.iter().map(|word| GateKey::new(word).ok()).collect())?
}

fn set_of(words: &[String]) -> Option<GateSet> {
    Some(keys_of(words)?.into_iter().collect())
}

impl AskWords {
    pub(super) fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Lint => Self::Lint {},
            Ask::Observe(keys) => Self::Observe { keys: key_words(keys) },
            Ask::Owned => Self::Owned {},
            Ask::Apply { epoch, stage, dark, changed } => Self::Apply {
                epoch: epoch_words(*epoch),
                stage: match stage {
                    Stage::Durable => StageWord::Durable,
                    Stage::Runtime => StageWord::Runtime,
                },
                dark: key_words(dark),
                changed: changed.as_ref().map(key_words),
            },
            Ask::Close { epoch, dark } => {
                Self::Close { epoch: epoch_words(*epoch), dark: key_words(dark) }
            }
            Ask::GetReady(keys) => Self::GetReady { keys: key_words(keys) },
            Ask::Tunnels(keys) => Self::Tunnels { keys: key_words(keys) },
            Ask::Cut { epoch, keys } => {
                Self::Cut { epoch: epoch_words(*epoch), keys: key_words(keys) }
            }
        }
    }

    /// The question; none where these words say none.
    pub(super) fn ask(&self) -> Option<Ask> {
        Some(match self {
            Self::Lint {} => Ask::Lint,
            Self::Observe { keys } => Ask::Observe(keys_of(keys)?),
            Self::Owned {} => Ask::Owned,
            Self::Apply { epoch, stage, dark, changed } => Ask::Apply {
                epoch: epoch_of(*epoch),
                stage: match stage {
                    StageWord::Durable => Stage::Durable,
                    StageWord::Runtime => Stage::Runtime,
                },
                dark: set_of(dark)?,
                changed: match changed {
                    Some(changed) => Some(set_of(changed)?),
                    None => None,
                },
            },
            Self::Close { epoch, dark } => {
                Ask::Close { epoch: epoch_of(*epoch), dark: set_of(dark)? }
            }
            Self::GetReady { keys } => Ask::GetReady(set_of(keys)?),
            Self::Tunnels { keys } => Ask::Tunnels(keys_of(keys)?),
            Self::Cut { epoch, keys } => Ask::Cut { epoch: epoch_of(*epoch), keys: keys_of(keys)? },
        })
    }
}

const fn seen_word(seen: Seen) -> char {
    match seen {
        Seen::Lit => 'l',
        Seen::Dark => 'd',
        Seen::Unknown => 'u',
    }
}

const fn seen_of(word: char) -> Option<Seen> {
    Some(match word {
        'l' => Seen::Lit,
        'd' => Seen::Dark,
        'u' => Seen::Unknown,
        _ => return None,
    })
}

fn view_words(view: &GateView) -> ViewWords {
    let GateView { durable, runtime, epoch, foreign, in_part } = *view;
    let in_part = in_part.map(seen_word);
    (seen_word(durable), seen_word(runtime), in_part, foreign, epoch.map(epoch_words))
}

fn view_of((durable, runtime, in_part, foreign, epoch): &ViewWords) -> Option<GateView> {
    let in_part = match in_part {
        Some(word) => Some(seen_of(*word)?),
        None => None,
    };
    Some(GateView {
        durable: seen_of(*durable)?,
        runtime: seen_of(*runtime)?,
        epoch: epoch.map(epoch_of),
        foreign: *foreign,
        in_part,
    })
}

/// A text that is no longer than it may be.
fn cut(text: &str) -> String {
    let end = (0..=text.len().min(TEXT_BYTES_MAX)).rev().find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or(0)].to_owned()
}

impl ReplyWords {
    pub(super) fn of(answer: &Result<Reply, EdgeError>) -> Self {
        match answer {
            Ok(Reply::Lints(lints)) => {
                let words = |lint: &Lint| LintWords {
                    refuses: lint.severity == LintSeverity::Error,
                    code: lint.code.to_owned(),
                    place: cut(&lint.place),
                };
                // What refuses a plan is told first.
                let mut lints: Vec<&Lint> = lints.iter().collect();
                lints.sort_by_key(|lint| lint.severity);
                Self::Lints(lints.into_iter().take(LINTS_MAX).map(words).collect())
            }
            Ok(Reply::Views(views)) => Self::Views(views.iter().map(view_words).collect()),
            Ok(Reply::Keys(keys)) => Self::Keys(key_words(keys)),
            Ok(Reply::Done) => Self::Done {},
            Ok(Reply::Ready(is_ready)) => Self::Ready(*is_ready),
            Ok(Reply::Tunnels(counts)) => {
                let words = |count: &TunnelCount| match count {
                    TunnelCount::Open(open) => TunnelWords::Open(*open),
                    TunnelCount::ClosedByDataPlane => TunnelWords::DataPlane,
                    TunnelCount::Unknown => TunnelWords::Unknown,
                    TunnelCount::Shared => TunnelWords::Shared,
                };
                Self::Tunnels(counts.iter().map(words).collect())
            }
            Err(error) => {
                let Trouble { kind, doing, cause, retry } = Trouble::of(error);
                let kind = kind.code().to_owned();
                let (doing, cause) = (cut(&doing), cut(&cause));
                Self::Failed(TroubleWords { kind, doing, cause, retry })
            }
        }
    }

    /// The answer; none where these words say none.
    pub(super) fn answer(&self, edge: &str) -> Option<Result<Reply, EdgeError>> {
        Some(Ok(match self {
            Self::Lints(lints) if lints.len() <= LINTS_MAX => {
                let lint = |words: &LintWords| Lint {
                    severity: match words.refuses {
                        true => LintSeverity::Error,
                        false => LintSeverity::Warning,
                    },
                    code: code_of(&words.code),
                    place: match code_of(&words.code) == words.code {
                        true => cut(&words.place),
                        false => cut(&format!("{}: {}", words.code, words.place)),
                    },
                };
                Reply::Lints(lints.iter().map(lint).collect())
            }
            Self::Lints(_) => return None,
            Self::Views(views) if views.len() <= GATE_KEYS_MAX + 1 => {
                Reply::Views(views.iter().map(view_of).collect::<Option<_>>()?)
            }
            Self::Views(_) => return None,
            Self::Keys(keys) => Reply::Keys(set_of(keys)?),
            Self::Done {} => Reply::Done,
            Self::Ready(is_ready) => Reply::Ready(*is_ready),
            Self::Tunnels(counts) => {
                let count = |words: &TunnelWords| match words {
                    TunnelWords::Open(open) => TunnelCount::Open(*open),
                    TunnelWords::DataPlane => TunnelCount::ClosedByDataPlane,
                    TunnelWords::Unknown => TunnelCount::Unknown,
                    TunnelWords::Shared => TunnelCount::Shared,
                };
                Reply::Tunnels(counts.iter().map(count).collect())
            }
            Self::Failed(TroubleWords { kind, doing, cause, retry }) => {
                // A newer agent may know more of them: it failed, whatever it is.
                let kind = EdgeErrorKind::parse(kind).unwrap_or(EdgeErrorKind::Refused);
                let (doing, cause) = (cut(doing), cut(cause));
                return Some(Err(Trouble { kind, doing, cause, retry: *retry }.error(edge)));
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::agents::wire::EDGE_BYTES_MAX;

    fn set(names: &[&str]) -> GateSet {
        names.iter().map(|name| GateKey::new(name).unwrap()).collect()
    }

    fn asks() -> Vec<Ask> {
        let (epoch, dark) = (Epoch { term: 3, seq: 9 }, set(&["a", "b@internet"]));
        let keys: Vec<GateKey> = dark.iter().cloned().collect();
        let apply = |stage, changed| Ask::Apply { epoch, stage, dark: dark.clone(), changed };
        vec![
            Ask::Lint,
            Ask::Observe(keys.clone()),
            Ask::Owned,
            apply(Stage::Durable, None),
            apply(Stage::Runtime, Some(set(&["b@internet"]))),
            Ask::Close { epoch, dark: dark.clone() },
            Ask::GetReady(dark.clone()),
            Ask::Tunnels(keys.clone()),
            Ask::Cut { epoch, keys },
        ]
    }

    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    found.push(name.clone());
                    names(value, found);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| names(value, found)),
            _ => {}
        }
    }

    /// Safety: the server names sites, and never a file, a folder, a program or a kind of edge.
    #[test]
    fn a_question_names_keys_epochs_and_stages_and_nothing_else() {
        let mut found = Vec::new();
        for ask in asks() {
            let words = serde_json::to_value(AskWords::of(&ask)).unwrap();
            names(&words, &mut found);
            let read: AskWords = serde_json::from_value(words).unwrap();
            assert_eq!(read.ask(), Some(ask));
        }
        found.sort();
        found.dedup();
        let known = ["apply", "changed", "close", "cut", "dark", "epoch", "get-ready", "keys"];
        assert_eq!(found, [&known[..], &["lint", "observe", "owned", "stage", "tunnels"]].concat());
        for hostile in ["../etc", "/etc/passwd", "A", "a b", ""] {
            let words = AskWords::Close { epoch: (1, 1), dark: vec![hostile.to_owned()] };
            assert_eq!(words.ask(), None, "{hostile}");
        }
        for other in [r#"{"run":{"path":"/bin/sh"}}"#, r#"{"lint":{"file":"/x"}}"#, r#""lint""#] {
            assert!(serde_json::from_str::<AskWords>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn an_answer_is_what_it_was_on_the_other_side() {
        let view = GateView {
            durable: Seen::Dark,
            runtime: Seen::Unknown,
            epoch: Some(Epoch { term: 1, seq: 2 }),
            foreign: true,
            in_part: Some(Seen::Lit),
        };
        let (severity, place) = (LintSeverity::Error, "/gate".to_owned());
        let tunnels = vec![
            TunnelCount::Open(3),
            TunnelCount::ClosedByDataPlane,
            TunnelCount::Unknown,
            TunnelCount::Shared,
        ];
        for reply in [
            Reply::Lints(vec![Lint { severity, code: "gate-not-writable", place }]),
            Reply::Views(vec![view, GateView::default()]),
            Reply::Keys(set(&["a"])),
            Reply::Done,
            Reply::Ready(false),
            Reply::Tunnels(tunnels),
        ] {
            let text = serde_json::to_string(&ReplyWords::of(&Ok(reply.clone()))).unwrap();
            let read: ReplyWords = serde_json::from_str(&text).unwrap();
            assert_eq!(read.answer("north").unwrap().unwrap(), reply);
        }
        for kind in EdgeErrorKind::ALL {
            let text = ReplyWords::of(&Err(EdgeError::new(kind, "write /gate/epoch")));
            let error = text.answer("north").unwrap().unwrap_err();
            assert_eq!(error.kind, kind);
            assert_eq!(error.to_string(), "edge north: cannot write /gate/epoch");
        }
    }

    #[test]
    fn what_says_nothing_is_no_answer() {
        for words in [
            ReplyWords::Keys(vec!["/etc".into()]),
            ReplyWords::Views(vec![('x', 'd', None, false, None)]),
            ReplyWords::Views(vec![('d', 'd', Some('?'), false, None)]),
            ReplyWords::Views(vec![('d', 'd', None, false, None); GATE_KEYS_MAX + 2]),
        ] {
            assert!(words.answer("north").is_none());
        }
        let (doing, cause) = ("write".to_owned(), String::new());
        let failed = TroubleWords { kind: "new-kind".into(), doing, cause, retry: true };
        let newer = ReplyWords::Failed(failed).answer("north").unwrap().unwrap_err();
        assert_eq!((newer.kind, newer.retry), (EdgeErrorKind::Refused, true));
        let lint = || LintWords { refuses: true, code: "new-thing".into(), place: "x".into() };
        let newer = ReplyWords::Lints(vec![lint()]).answer("north").unwrap().unwrap();
        let Reply::Lints(found) = newer else { panic!("{newer:?}") };
        assert_eq!((found[0].code, found[0].place.as_str()), ("agent-finding", "new-thing: x"));
        let many = ReplyWords::Lints((0..=LINTS_MAX).map(|_| lint()).collect());
        assert!(many.answer("north").is_none());
        assert_eq!(cut(&"é".repeat(TEXT_BYTES_MAX)).len(), TEXT_BYTES_MAX);
    }

    /// The largest gate that there may be fits into one message, with everything changed.
    #[test]
    fn the_largest_order_and_the_largest_answer_fit() {
        let key = |n: usize| GateKey::new(&format!("{n:0>128}")).unwrap();
        let dark: GateSet = (0..=GATE_KEYS_MAX).map(key).collect();
        let epoch = Epoch { term: u64::MAX, seq: u64::MAX };
        let changed = Some(dark.clone());
        let ask = Ask::Apply { epoch, stage: Stage::Durable, dark, changed };
        let order = serde_json::to_vec(&AskWords::of(&ask)).unwrap();
        let view =
            GateView { epoch: Some(epoch), in_part: Some(Seen::Dark), ..GateView::default() };
        let views = Ok(Reply::Views(vec![view; GATE_KEYS_MAX + 1]));
        let views = serde_json::to_vec(&ReplyWords::of(&views)).unwrap();
        for bytes in [order.len(), views.len()] {
            assert!(bytes + (64 << 10) < EDGE_BYTES_MAX, "{bytes}");
        }
    }
}
