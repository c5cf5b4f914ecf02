//! What a line of HAProxy asks before it acts.

use std::collections::BTreeMap;

use super::{Config, Line, Section};

/// One term of a condition, its named ACL written out.
pub(super) struct Term {
    pub(super) negated: bool,
    pub(super) text: String,
}

/// All that a line asks.
pub(super) struct Condition {
    pub(super) is_unless: bool,
    /// Terms stand beside each other in more than one way.
    pub(super) is_either: bool,
    pub(super) terms: Vec<Term>,
}

/// The named ACLs of a section and of its defaults.
pub(super) type Acls = BTreeMap<String, String>;

pub(super) fn acls(config: &Config, section: &Section) -> Acls {
    let mut found = Acls::new();
    for line in config.effective(section).into_iter().filter(|line| line.starts(&["acl"])) {
        if let [_, name, rest @ ..] = line.words.as_slice() {
            let text = found.entry(name.clone()).or_default();
            text.push_str(&rest.join(" "));
            text.push(' ');
        }
    }
    found
}

impl Condition {
    pub(super) fn of(line: &Line, acls: &Acls) -> Option<Self> {
        let at = line.words.iter().position(|word| word == "if" || word == "unless")?;
        let is_unless = line.words[at] == "unless";
        let mut condition = Self { is_unless, is_either: false, terms: Vec::new() };
        let mut words = line.words[at + 1..].iter().map(String::as_str);
        let mut negated = false;
        while let Some(word) = words.next() {
            let rest = word.strip_prefix('!');
            negated ^= rest.is_some();
            let text = match rest.unwrap_or(word) {
                "" => continue,
                "or" | "||" => {
                    condition.is_either = true;
                    continue;
                }
                "{" => words.by_ref().take_while(|word| *word != "}").collect::<Vec<_>>().join(" "),
                name => acls.get(name).cloned().unwrap_or_else(|| name.to_owned()),
            };
            condition.terms.push(Term { negated, text });
            negated = false;
        }
        Some(condition)
    }

    /// Whether it asks nothing.
    pub(super) fn is_always(&self) -> bool {
        let always =
            |term: &Term| !term.negated && ["TRUE", "always_true"].contains(&term.text.trim());
        !self.is_unless && self.terms.iter().all(always)
    }

    /// Whether what it says of a challenge is that it is one.
    pub(super) fn is_for(&self, what: &str) -> bool {
        let mut about = self.terms.iter().filter(|term| term.text.contains(what));
        about.any(|term| term.negated == self.is_unless)
    }

    pub(super) fn mentions(&self, what: &str) -> bool {
        self.terms.iter().any(|term| term.text.contains(what))
    }
}

/// The first term that keeps a gate from closing for everybody: all but the map itself, whoever
/// comes by the listener of testers, and challenges, which are looked at elsewhere.
pub(super) fn narrows(condition: &Condition) -> Option<String> {
    let may = |term: &Term| match term.negated {
        false => term.text.contains(",map"),
        true => ["so_name", "so_id", "acme-challenge"].iter().any(|it| term.text.contains(it)),
    };
    if condition.is_unless || condition.is_either {
        return condition.terms.first().map(|term| term.text.clone());
    }
    condition.terms.iter().find(|term| !may(term)).map(|term| term.text.trim().to_owned())
}
