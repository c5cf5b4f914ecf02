//! The substitution of Log4j's variables, on a stack of its own instead of the machine's.

use super::{EVAL_DEPTH_MAX, EVAL_WORK_MAX, date};

/// Which rules hold; everything but [`Rules::EXACT`] is one relaxation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// A dollar sign before `${` escapes it.
    pub(super) escape: bool,
    /// Blanks in a prefix count.
    pub(super) blanks: bool,
    /// `base64:` is a lookup.
    pub(super) base64: bool,
    /// Missing braces are added at the end (done by the caller).
    pub(super) close: bool,
}

impl Rules {
    /// The library's own.
    pub(super) const EXACT: Self = Self { escape: true, blanks: true, base64: false, close: false };
}

/// Why an evaluation ended early. Keys recorded before stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The library throws: a variable is part of its own value.
    Raised,
    /// One of our limits.
    OverLimit,
}

/// Evaluates texts and records what JNDI would have been asked.
#[derive(Debug)]
pub(super) struct Machine {
    rules: Rules,
    stack: Vec<Text>,
    depth: usize,
    /// Keys of JNDI lookups, in order.
    pub(super) keys: Vec<String>,
    /// Character steps so far; above the limit nothing goes on.
    pub(super) work: u64,
}

/// One text under substitution: the message, or the name of a variable being worked out.
#[derive(Debug)]
struct Text {
    chars: Vec<char>,
    /// The names of the chain of variables being resolved; the first entry is the text itself.
    priors: Vec<Vec<char>>,
    /// Nested regions of this text, innermost last.
    calls: Vec<Call>,
}

/// The substitution of one region.
#[derive(Debug)]
struct Call {
    offset: usize,
    end: usize,
    position: usize,
    /// The variable that is being resolved: from its `${` to behind its `}`.
    variable: (usize, usize),
    /// Characters of the region behind that variable.
    tail: usize,
}

impl Machine {
    /// With these rules, nothing recorded yet, after `work` steps.
    pub(super) const fn new(rules: Rules, work: u64) -> Self {
        Self { rules, stack: Vec::new(), depth: 0, keys: Vec::new(), work }
    }

    /// One pass of substitution over a whole text.
    ///
    /// # Errors
    /// When the library would throw, or a limit is met.
    pub(super) fn replace(&mut self, chars: Vec<char>) -> Result<Vec<char>, Stop> {
        self.depth = 0;
        self.stack.clear();
        self.enter_text(chars)?;
        loop {
            let Some(text) = self.stack.last_mut() else { return Ok(Vec::new()) };
            if let Some(name) = text.advance(self.rules, &mut self.work) {
                self.enter_text(name)?;
                continue;
            }
            if self.work > EVAL_WORK_MAX {
                return Err(Stop::OverLimit);
            }
            self.depth -= 1;
            if text.leave_region() {
                continue;
            }
            let Some(done) = self.stack.pop() else { return Ok(Vec::new()) };
            if self.stack.is_empty() {
                return Ok(done.chars);
            }
            self.resolve(done.chars)?;
        }
    }

    fn enter_text(&mut self, chars: Vec<char>) -> Result<(), Stop> {
        let call = Call { offset: 0, end: chars.len(), position: 0, variable: (0, 0), tail: 0 };
        self.stack.push(Text { chars, priors: Vec::new(), calls: vec![call] });
        self.count_depth()
    }

    fn count_depth(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > EVAL_DEPTH_MAX || self.work > EVAL_WORK_MAX {
            return Err(Stop::OverLimit);
        }
        Ok(())
    }

    /// The name of the innermost variable is worked out: look it up and go on behind it or in
    /// its value.
    fn resolve(&mut self, expression: Vec<char>) -> Result<(), Stop> {
        let (name, default) = split_default(&expression);
        let value = {
            let Some(text) = self.stack.last_mut() else { return Ok(()) };
            text.enter_variable(&name)?;
            self.look_up(&name).or(default)
        };
        let Some(text) = self.stack.last_mut() else { return Ok(()) };
        match value {
            None => text.skip_variable(),
            Some(value) => {
                self.work += text.enter_value(&value);
                self.count_depth()?;
            }
        }
        Ok(())
    }

    /// The value of `prefix:key`; JNDI is recorded and has none.
    fn look_up(&mut self, name: &[char]) -> Option<Vec<char>> {
        self.work += name.len() as u64;
        let colon = name.iter().position(|&char| char == ':')?;
        let mut prefix = name[..colon].iter().collect::<String>().to_lowercase();
        if !self.rules.blanks {
            prefix.retain(|char| !char.is_whitespace());
        }
        let key: String = name[colon + 1..].iter().collect();
        match prefix.as_str() {
            "jndi" => {
                self.keys.push(key);
                None
            }
            "lower" => Some(key.to_lowercase().chars().collect()),
            "upper" => Some(key.to_uppercase().chars().collect()),
            "date" => Some(date::format(&key).chars().collect()),
            "base64" if self.rules.base64 => {
                let bytes = crate::decode::base64(key.as_bytes())?;
                Some(String::from_utf8_lossy(&bytes).chars().collect())
            }
            // Variables of the environment count as unset: the verdict must not depend on the
            // machine, and unset (the default applies) is the worse case for the defender.
            _ => None,
        }
    }
}

impl Text {
    /// Goes on to the end of the innermost region, or to a variable, whose name is returned.
    fn advance(&mut self, rules: Rules, work: &mut u64) -> Option<Vec<char>> {
        let Self { chars, calls, .. } = self;
        let call = calls.last_mut()?;
        while call.position < call.end && *work <= EVAL_WORK_MAX {
            *work += 1;
            let at = call.position;
            if !opens(chars, at, call.end) {
                call.position += 1;
            } else if rules.escape && at > call.offset && chars[at - 1] == '$' {
                // The library goes on at the same index, which now holds the brace.
                *work += moved(chars.len() - at);
                chars.remove(at - 1);
                call.end -= 1;
            } else {
                let Some(brace) = closing(&chars[..call.end], at + 2, work) else {
                    call.position = call.end;
                    break;
                };
                call.variable = (at, brace + 1);
                return Some(chars[at + 2..brace].to_vec());
            }
        }
        None
    }

    /// Ends the innermost region; false when it was the whole text.
    fn leave_region(&mut self) -> bool {
        let Some(inner) = self.calls.pop() else { return false };
        let Some(outer) = self.calls.last_mut() else { return false };
        outer.position = inner.end;
        outer.end = inner.end + outer.tail;
        self.priors.pop();
        true
    }

    fn enter_variable(&mut self, name: &[char]) -> Result<(), Stop> {
        if self.priors.is_empty() {
            let Some(call) = self.calls.last() else { return Ok(()) };
            self.priors.push(self.chars[call.offset..call.end].to_vec());
        }
        if self.priors.iter().any(|prior| prior == name) {
            return Err(Stop::Raised);
        }
        self.priors.push(name.to_vec());
        Ok(())
    }

    fn skip_variable(&mut self) {
        self.priors.pop();
        if let Some(call) = self.calls.last_mut() {
            call.position = call.variable.1;
        }
    }

    /// Puts the value in the variable's place and starts on it; gives the work that took.
    fn enter_value(&mut self, value: &[char]) -> u64 {
        let Some(outer) = self.calls.last_mut() else { return 0 };
        let (start, end) = outer.variable;
        outer.tail = outer.end - end;
        let work = moved(self.chars.len() - end) + value.len() as u64;
        self.chars.splice(start..end, value.iter().copied());
        let end = start + value.len();
        self.calls.push(Call {
            offset: start,
            end,
            position: start,
            variable: (start, start),
            tail: 0,
        });
        work
    }
}

/// Moving characters costs far less than looking at them.
const fn moved(chars: usize) -> u64 {
    chars as u64 / 64
}

/// `${` at this index, all of it before `end`.
fn opens(chars: &[char], at: usize, end: usize) -> bool {
    at + 1 < end && chars[at] == '$' && chars[at + 1] == '{'
}

/// The brace that closes what was opened before `at`.
fn closing(chars: &[char], mut at: usize, work: &mut u64) -> Option<usize> {
    let mut nested = 0_usize;
    while at < chars.len() {
        *work += 1;
        if opens(chars, at, chars.len()) {
            nested += 1;
            at += 2;
            continue;
        }
        if chars[at] == '}' {
            if nested == 0 {
                return Some(at);
            }
            nested -= 1;
        }
        at += 1;
    }
    None
}

/// Splits `name:-default`. The delimiter `:\-` keeps the colon for the name and looks for the
/// next `:-`; without one, the dash stays in the name and there is no default.
fn split_default(expression: &[char]) -> (Vec<char>, Option<Vec<char>>) {
    for at in 0..expression.len() {
        match &expression[at..] {
            [':', '\\', '-', rest @ ..] => {
                let mut name = expression[..=at].to_vec();
                return match rest.windows(2).position(|pair| pair == [':', '-']) {
                    Some(found) => {
                        name.extend(&rest[..found]);
                        (name, Some(rest[found + 2..].to_vec()))
                    }
                    None => {
                        name.push('-');
                        name.extend(rest);
                        (name, None)
                    }
                };
            }
            [':', '-', default @ ..] => {
                return (expression[..at].to_vec(), Some(default.to_vec()));
            }
            _ => {}
        }
    }
    (expression.to_vec(), None)
}
