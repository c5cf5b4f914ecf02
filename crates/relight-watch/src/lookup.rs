//! What Log4j 2.14.1 would do with a text: its lookups, evaluated exactly, resolving nothing.
//!
//! The rules are those of the library as measured against it; where they look odd (the message
//! loop that makes `$${…} ${` fire, the `:\-` delimiter), the library is odd in the same way.

mod date;
mod machine;

use machine::{Machine, Rules, Stop};

/// Deepest nesting of calls; the library itself overflows its stack somewhat above.
pub const EVAL_DEPTH_MAX: usize = 2_000;

/// Most character steps for one field, in all its decoding rounds: nesting costs the square of
/// its depth.
pub const EVAL_WORK_MAX: u64 = 4 << 20;

/// What came of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The verdict.
    pub verdict: Verdict,
    /// What a JNDI lookup would have been asked for (the text after `jndi:`), in order.
    pub keys: Vec<String>,
    /// The library would have ended formatting with an exception (a loop of variables).
    pub raised: bool,
    /// Character steps that the evaluation took.
    pub steps: u64,
}

/// How bad a text is for an application that logs it with Log4j 2.14.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No lookup of a name, under any single relaxation.
    Benign,
    /// It would not have worked, but for one thing.
    Attempt(Why),
    /// A name without scheme, or inside `java:`: applications log such names themselves.
    EffectiveLocal,
    /// A lookup of a remote name would have been made.
    EffectiveRemote,
}

/// What keeps an attempt from working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// A closing brace is missing at the end.
    Truncated,
    /// It is escaped by a dollar sign.
    Escaped,
    /// A blank in the prefix.
    Spaced,
    /// `base64:` is no lookup of 2.14.1.
    Base64,
    /// A limit was met, so nothing is known: never benign.
    OverLimit,
}

impl Verdict {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Attempt(Why::Truncated) => "attempt/truncated",
            Self::Attempt(Why::Escaped) => "attempt/escaped",
            Self::Attempt(Why::Spaced) => "attempt/spaced",
            Self::Attempt(Why::Base64) => "attempt/base64",
            Self::Attempt(Why::OverLimit) => "attempt/over-limit",
            Self::EffectiveLocal => "effective/local",
            Self::EffectiveRemote => "effective/remote",
        }
    }
}

/// Evaluates one text as Log4j 2.14.1 would when it is logged as a message.
pub fn evaluate(text: &str) -> Evaluation {
    evaluate_within(text, &mut 0)
}

/// As [`evaluate`], but counts on from `spent` steps, so that several texts share the limit.
pub(crate) fn evaluate_within(text: &str, spent: &mut u64) -> Evaluation {
    if !has_opening(text) {
        return Evaluation { verdict: Verdict::Benign, keys: Vec::new(), raised: false, steps: 0 };
    }
    let chars: Vec<char> = text.chars().collect();
    let mut evaluation = strictly(&chars, Rules::EXACT, spent);
    if evaluation.verdict != Verdict::Benign {
        return evaluation;
    }
    let relaxations = [
        (Why::Truncated, Rules { close: true, ..Rules::EXACT }),
        (Why::Escaped, Rules { escape: false, ..Rules::EXACT }),
        (Why::Spaced, Rules { blanks: false, ..Rules::EXACT }),
        (Why::Base64, Rules { base64: true, ..Rules::EXACT }),
    ];
    for (why, rules) in relaxations {
        let relaxed = strictly(&chars, rules, spent);
        evaluation.steps += relaxed.steps;
        match relaxed.verdict {
            Verdict::EffectiveRemote => {
                evaluation.verdict = Verdict::Attempt(why);
                evaluation.keys = relaxed.keys;
                break;
            }
            Verdict::Attempt(why) => evaluation.verdict = Verdict::Attempt(why),
            Verdict::Benign | Verdict::EffectiveLocal => {}
        }
    }
    evaluation
}

/// Without `${` no lookup can be.
pub(crate) fn has_opening(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"${").is_some()
}

fn strictly(chars: &[char], rules: Rules, spent: &mut u64) -> Evaluation {
    let before = *spent;
    let mut machine = Machine::new(rules, before);
    let mut text = chars.to_vec();
    if rules.close {
        text.extend(std::iter::repeat_n('}', unclosed(chars)));
    }
    let stop = message_loop(&mut machine, text).err();
    let remote = |key: &String| key.contains(':') && !key.starts_with("java:");
    let verdict = if machine.keys.iter().any(remote) {
        Verdict::EffectiveRemote
    } else if stop == Some(Stop::OverLimit) {
        Verdict::Attempt(Why::OverLimit)
    } else if machine.keys.is_empty() {
        Verdict::Benign
    } else {
        Verdict::EffectiveLocal
    };
    let raised = stop == Some(Stop::Raised);
    *spent = machine.work;
    Evaluation { verdict, keys: machine.keys, raised, steps: machine.work - before }
}

/// The message converter looks at every index in turn and, at each `${`, replaces the **whole**
/// text: a first pass that only removed an escape is followed by one that evaluates it.
fn message_loop(machine: &mut Machine, mut text: Vec<char>) -> Result<(), Stop> {
    let mut index = 0;
    while index + 1 < text.len() {
        if text[index] == '$' && text[index + 1] == '{' {
            let replaced = machine.replace(text.clone())?;
            if replaced == text {
                break;
            }
            text = replaced;
        }
        index += 1;
    }
    Ok(())
}

/// How many `${` are still open at the end.
fn unclosed(chars: &[char]) -> usize {
    let mut open = 0_usize;
    let mut previous = '\0';
    for &char in chars {
        match char {
            '{' if previous == '$' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        previous = char;
    }
    open
}

#[cfg(test)]
mod tests;
