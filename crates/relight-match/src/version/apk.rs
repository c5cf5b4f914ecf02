//! Alpine: `number{.number}…{letter}{_suffix{number}}…{~hash}{-rN}`, as apk-tools 3 compares.

use std::cmp::Ordering;

use super::{Number, split_digits};
use crate::key::Writer;

/// The end of a version stands between the suffixes before a release and everything else; the
/// revision comes after it.
const END: u8 = 5;
const NO_REVISION: u8 = 0;
const WITH_REVISION: u8 = 1;

const PRE_SUFFIXES: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST_SUFFIXES: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// Refuses what is not of the form above. A version without `-rN` leaves open which one is meant.
pub(super) fn write(text: &str, out: &mut Writer) -> Option<()> {
    let mut walk = Walk::new(text);
    let mut revision = None;
    loop {
        let token = walk.next_without_hash();
        match token.kind {
            Kind::Invalid | Kind::NoNumber => return None,
            Kind::End => break,
            Kind::Revision if token.text.is_empty() => return None,
            Kind::Revision => revision = Some(token.text),
            _ => token.write(out)?,
        }
    }
    out.tag(END);
    out.release_ends();
    match revision {
        None => {
            out.open();
            out.tag(NO_REVISION);
        }
        Some(number) => {
            out.tag(WITH_REVISION);
            out.number(number);
        }
    }
    Some(())
}

/// What `apk version -t` says of any two texts, valid or not: the first token that differs
/// decides. Two texts that stop being versions at the same place are equal, except where a number
/// is missing: then they are compared as text.
pub(super) fn compare(text_a: &str, text_b: &str) -> Ordering {
    let (mut walk_a, mut walk_b) = (Walk::new(text_a), Walk::new(text_b));
    loop {
        let (a, b) = (walk_a.next_without_hash(), walk_b.next_without_hash());
        match a.kind == b.kind {
            true if a.kind == Kind::NoNumber => return text_a.cmp(text_b),
            true if a.kind >= Kind::End => return Ordering::Equal,
            true => match a.compare(&b) {
                Ordering::Equal => {}
                order => return order,
            },
            // A suffix of a pre-release is below everything; otherwise the token that may stand
            // further to the left is the greater one.
            false if a.is_pre_release() => return Ordering::Less,
            false if b.is_pre_release() => return Ordering::Greater,
            false => return b.kind.cmp(&a.kind),
        }
    }
}

/// What a token is, in the order in which they may follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    First,
    Digits,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
    End,
    NoNumber,
    Invalid,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

struct Walk<'a> {
    last: Option<Kind>,
    rest: &'a str,
}

impl<'a> Walk<'a> {
    const fn new(rest: &'a str) -> Self {
        Self { last: None, rest }
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.read();
        self.last = Some(token.kind);
        token
    }

    /// A commit cannot be compared with another one, so it is left out.
    fn next_without_hash(&mut self) -> Token<'a> {
        match self.next() {
            token if token.kind == Kind::Hash => self.next(),
            token => token,
        }
    }

    fn read(&mut self) -> Token<'a> {
        let rest = self.rest;
        let Some(last) = self.last else { return self.digits(Kind::First, rest) };
        match rest.bytes().next() {
            None => Token { kind: Kind::End, text: "" },
            Some(b'a'..=b'z') if last <= Kind::Digits => self.take(Kind::Letter, rest, 1),
            Some(b'.') if last <= Kind::Digits => self.digits(Kind::Digits, &rest[1..]),
            Some(b'0'..=b'9') if last <= Kind::Digits => self.digits(Kind::Digits, rest),
            Some(b'0'..=b'9') if last == Kind::Letter => self.digits(Kind::Digits, rest),
            Some(b'0'..=b'9') if last == Kind::Suffix => self.digits(Kind::SuffixNumber, rest),
            Some(b'_') if last <= Kind::SuffixNumber => {
                let word = &rest[1..];
                let end = word.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(word.len());
                let is_known = suffix_rank(&word[..end]).is_some();
                let token = self.take(Kind::Suffix, word, end);
                if is_known { token } else { Token { kind: Kind::Invalid, ..token } }
            }
            Some(b'~') if last < Kind::Hash => {
                let hash = &rest[1..];
                let end = hash.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hash.len());
                self.take(Kind::Hash, hash, end)
            }
            Some(b'-') if last < Kind::Revision && rest.starts_with("-r") => {
                self.revision(&rest[2..])
            }
            Some(_) => Token { kind: Kind::Invalid, text: "" },
        }
    }

    fn digits(&mut self, kind: Kind, text: &'a str) -> Token<'a> {
        let (digits, _) = split_digits(text);
        let kind = if digits.is_empty() { Kind::NoNumber } else { kind };
        self.rest = &text[digits.len()..];
        Token { kind, text: digits }
    }

    /// `-r` alone is `-r0` to the walk.
    fn revision(&mut self, text: &'a str) -> Token<'a> {
        let (digits, rest) = split_digits(text);
        let is_alone = rest.is_empty() || rest.starts_with('-');
        self.rest = rest;
        let kind = if digits.is_empty() && !is_alone { Kind::Invalid } else { Kind::Revision };
        Token { kind, text: digits }
    }

    /// A token of `length` bytes at the start of `text`; an empty one is invalid.
    fn take(&mut self, kind: Kind, text: &'a str, length: usize) -> Token<'a> {
        let (text, rest) = text.split_at(length);
        self.rest = rest;
        Token { kind: if text.is_empty() { Kind::Invalid } else { kind }, text }
    }
}

impl Token<'_> {
    fn is_pre_release(&self) -> bool {
        self.kind == Kind::Suffix && suffix_rank(self.text).is_some_and(|rank| rank < END)
    }

    /// Of two tokens of one kind.
    fn compare(&self, other: &Self) -> Ordering {
        let is_text = self.text.starts_with('0') || other.text.starts_with('0');
        match self.kind {
            Kind::Digits if is_text => self.text.cmp(other.text),
            Kind::First | Kind::Digits | Kind::SuffixNumber | Kind::Revision => {
                Number::new(self.text).cmp(&Number::new(other.text))
            }
            Kind::Suffix => suffix_rank(self.text).cmp(&suffix_rank(other.text)),
            _ => self.text.cmp(other.text),
        }
    }

    fn write(&self, out: &mut Writer) -> Option<()> {
        match self.kind {
            Kind::SuffixNumber => out.tag(7),
            Kind::Suffix => out.tag(suffix_rank(self.text)?),
            Kind::Letter => out.tag(13),
            // `1.06 < 1.1`: with a leading zero a later part is compared as text.
            Kind::Digits if self.text.starts_with('0') => out.tag(14),
            _ => out.tag(15),
        }
        match self.kind {
            Kind::Suffix => {}
            Kind::Letter => out.text(self.text),
            Kind::Digits if self.text.starts_with('0') => out.text(self.text),
            _ => out.number(self.text),
        }
        Some(())
    }
}

/// The tag of a suffix: 1 to 4 before a release, 8 to 12 after it.
fn suffix_rank(word: &str) -> Option<u8> {
    let place = |known: &[&str], first| {
        known.iter().zip(first..).find(|(it, _)| **it == word).map(|(_, rank): (_, u8)| rank)
    };
    place(&PRE_SUFFIXES, 1).or_else(|| place(&POST_SUFFIXES, 8))
}
