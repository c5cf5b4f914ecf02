//! Maven 3.9.9, `org.apache.maven.artifact.versioning.ComparableVersion`.
//!
//! A version is a list of numbers and words, in which the last entry may be a further list: `-`
//! and every change between digits and letters opens one. So the nested lists are one chain, and
//! are kept as such.

use std::cmp::Ordering;

use super::Number;
use crate::key::Writer;

/// The chain of lists, outermost first; never empty.
#[derive(Clone, Debug)]
pub(super) struct Version(Vec<Vec<Item>>);

#[derive(Clone, Debug)]
enum Item {
    Number(Number),
    Word(Word),
}

/// A qualifier: the known ones by rank, all others after them by text.
#[derive(Clone, Debug)]
struct Word {
    rank: u8,
    text: String,
}

const RELEASE: u8 = 5;
const OTHER: u8 = 7;

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut lists: Vec<Vec<Item>> = vec![Vec::new()];
        let mut start = 0;
        let mut in_digits = false;
        for (at, c) in text.char_indices() {
            let piece = &text[start..at];
            if c == '.' || c == '-' {
                push(
                    &mut lists,
                    if piece.is_empty() { number("0") } else { item(piece, in_digits) },
                );
                start = at + 1;
                if c == '-' {
                    lists.push(Vec::new());
                }
            } else if c.is_ascii_digit() {
                if !in_digits && !piece.is_empty() {
                    // `1.0.0.X1 < 1.0.0-X2`: a word before a digit opens a list even after a dot.
                    open_list(&mut lists);
                    push(&mut lists, Item::Word(Word::before_digit(piece)));
                    start = at;
                    lists.push(Vec::new());
                }
                in_digits = true;
            } else {
                if in_digits && !piece.is_empty() {
                    push(&mut lists, number(piece));
                    start = at;
                    lists.push(Vec::new());
                }
                in_digits = false;
            }
        }
        let piece = &text[start..];
        if !piece.is_empty() {
            if !in_digits {
                open_list(&mut lists);
            }
            push(&mut lists, item(piece, in_digits));
        }
        Self(normalised(lists))
    }

    /// Compares as Maven does.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        for depth in 0.. {
            let (Some(a), Some(b)) = (self.0.get(depth), other.0.get(depth)) else { break };
            let (rest_a, rest_b) = (&self.0[depth + 1..], &other.0[depth + 1..]);
            for place in 0..=a.len().max(b.len()) {
                let order = match (Part::at(a, rest_a, place), Part::at(b, rest_b, place)) {
                    (Part::List(_), Part::List(_)) => break,
                    (a, b) => a.compare(&b),
                };
                if order.is_ne() {
                    return order;
                }
            }
            if rest_a.is_empty() || rest_b.is_empty() || a.len() != b.len() {
                break;
            }
        }
        Ordering::Equal
    }

    /// Writes a key where Maven's order is an order; `None` elsewhere.
    ///
    /// It is one as long as words stand only first in their list and no list does: 12,184 of the
    /// 12,227 distinct versions of the published test lines.
    pub(super) fn write(&self, out: &mut Writer) -> Option<()> {
        for (depth, list) in self.0.iter().enumerate() {
            let is_last = depth + 1 == self.0.len();
            if list.is_empty() && !is_last {
                return None;
            }
            for (place, item) in list.iter().enumerate() {
                match item {
                    Item::Number(number) => {
                        out.tag(Tag::Number as u8);
                        out.number(&number.0);
                    }
                    Item::Word(word) if place == 0 && word.sorts_as_bytes() => word.write(out),
                    Item::Word(_) => return None,
                }
            }
            if !is_last {
                let rest = Part::List(&self.0[depth + 1..]);
                out.tag(match rest.to_nothing() {
                    Ordering::Less => Tag::ListBelow,
                    _ => Tag::ListAbove,
                } as u8);
            }
        }
        // Each list ends, the innermost first.
        self.0.iter().for_each(|_| out.tag(Tag::End as u8));
        Some(())
    }

    /// A text that is the same for exactly the versions that are equal.
    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        for list in &self.0 {
            out.push('(');
            for item in list {
                match item {
                    Item::Number(number) => out.push_str(&format!("{} ", number.0)),
                    Item::Word(word) => out.push_str(&format!("{}:{} ", word.rank, word.text)),
                }
            }
        }
        out
    }
}

/// What may stand at one place of a list, in ascending order.
enum Tag {
    WordBelow = 1,
    ListBelow,
    End,
    NoWord,
    ListAbove,
    WordAbove,
    Number,
}

/// What stands at one place of a list.
enum Part<'a> {
    Item(&'a Item),
    List(&'a [Vec<Item>]),
    Nothing,
}

impl<'a> Part<'a> {
    fn at(list: &'a [Item], rest: &'a [Vec<Item>], place: usize) -> Self {
        match list.get(place) {
            Some(item) => Self::Item(item),
            None if place == list.len() && !rest.is_empty() => Self::List(rest),
            None => Self::Nothing,
        }
    }

    /// Two lists are never compared here: the caller walks into them.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Item(a), Self::Item(b)) => a.compare(b),
            (Self::Item(Item::Number(_)), Self::List(_)) => Ordering::Greater,
            (Self::Item(Item::Word(_)), Self::List(_)) => Ordering::Less,
            (Self::List(_), Self::Item(_)) => other.compare(self).reverse(),
            (part, Self::Nothing) => part.to_nothing(),
            (Self::Nothing, part) => part.to_nothing().reverse(),
            (Self::List(_), Self::List(_)) => Ordering::Equal,
        }
    }

    /// The order of this part and of no part at all: the first item that differs decides.
    fn to_nothing(&self) -> Ordering {
        match self {
            Self::Nothing => Ordering::Equal,
            Self::Item(item) => item.to_nothing(),
            Self::List(lists) => {
                let mut orders = lists.iter().flatten().map(Item::to_nothing);
                orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }
        }
    }
}

impl Item {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Number(_), Self::Word(_)) => Ordering::Greater,
            (Self::Word(_), Self::Number(_)) => Ordering::Less,
            (Self::Word(a), Self::Word(b)) => a.compare(b),
        }
    }

    fn to_nothing(&self) -> Ordering {
        match self {
            Self::Number(number) if number.is_zero() => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
            Self::Word(word) => word.rank.cmp(&RELEASE),
        }
    }
}

impl Word {
    fn new(text: &str) -> Self {
        let rank = match text {
            "alpha" => 0,
            "beta" => 1,
            "milestone" => 2,
            "rc" | "cr" => 3,
            "snapshot" => 4,
            "" | "ga" | "final" | "release" => RELEASE,
            "sp" => 6,
            _ => return Self { rank: OTHER, text: text.to_owned() },
        };
        Self { rank, text: String::new() }
    }

    /// Directly before a digit `a`, `b` and `m` stand for the long words.
    fn before_digit(text: &str) -> Self {
        match text {
            "a" => Self::new("alpha"),
            "b" => Self::new("beta"),
            "m" => Self::new("milestone"),
            _ => Self::new(text),
        }
    }

    /// UTF-16 and UTF-8 order characters alike up to the surrogates.
    fn sorts_as_bytes(&self) -> bool {
        self.text.chars().all(|c| c < '\u{e000}')
    }

    fn write(&self, out: &mut Writer) {
        out.tag(match self.rank.cmp(&RELEASE) {
            Ordering::Less => Tag::WordBelow,
            Ordering::Equal => Tag::NoWord,
            Ordering::Greater => Tag::WordAbove,
        } as u8);
        out.tag(self.rank);
        out.text(&self.text);
    }

    /// Java compares text by UTF-16 code units.
    fn compare(&self, other: &Self) -> Ordering {
        let units = || self.text.encode_utf16().cmp(other.text.encode_utf16());
        self.rank.cmp(&other.rank).then_with(units)
    }
}

fn number(digits: &str) -> Item {
    Item::Number(Number::new(digits))
}

fn item(piece: &str, is_number: bool) -> Item {
    if is_number { number(piece) } else { Item::Word(Word::new(piece)) }
}

fn push(lists: &mut [Vec<Item>], item: Item) {
    if let Some(list) = lists.last_mut() {
        list.push(item);
    }
}

/// Opens a list unless the current one is still empty.
fn open_list(lists: &mut Vec<Vec<Item>>) {
    if lists.last().is_some_and(|list| !list.is_empty()) {
        lists.push(Vec::new());
    }
}

/// Drops what means nothing from the end of each list: zeros, words for a release, empty lists. A
/// list that stays does not protect what stands before it.
fn normalised(mut lists: Vec<Vec<Item>>) -> Vec<Vec<Item>> {
    for list in &mut lists {
        while list.last().is_some_and(|item| item.to_nothing().is_eq()) {
            list.pop();
        }
    }
    while lists.len() > 1 && lists.last().is_some_and(Vec::is_empty) {
        lists.pop();
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_of_mavens_order() {
        for line in [
            "1-ga-1 < 1-1",
            "1.2.48_noneautotype < 1.2.48.sec10",
            "1.0.0-beta10 < 1.0.0-beta.9",
            "1.0-alpha-1 < 1.0-beta-1",
            "1.0-a1 = 1.0-alpha-1",
            "1.0-m2 = 1.0-milestone-2",
            "1.0-cr1 = 1.0-rc1",
            "1.0-rc1 < 1.0-SNAPSHOT",
            "1.0-SNAPSHOT < 1.0",
            "1.0 = 1.0.0-ga",
            "1.0.Final = 1",
            "1.0.RELEASE = 1.0",
            "1.0 < 1.0-sp",
            "1.0-sp < 1.0-other",
            "1.0-other < 1.0-1",
            "1.0-1 < 1.0.1",
            "2.0-beta9 < 2.0-rc1",
            "2.0-rc2 < 2.0",
            "20200101000000123456789 < 20200101000000123456790",
            "1.01 = 1.1",
            "1_1 < 1.1",
        ] {
            let (a, rest) = line.split_once(' ').unwrap();
            let (sign, b) = rest.split_once(' ').unwrap();
            let wanted = if sign == "=" { Ordering::Equal } else { Ordering::Less };
            let (a, b) = (Version::parse(a), Version::parse(b));
            assert_eq!(a.compare(&b), wanted, "{line}");
            assert_eq!(b.compare(&a), wanted.reverse(), "{line}");
            assert_eq!(a.canonical() == b.canonical(), wanted.is_eq(), "{line}");
        }
    }

    #[test]
    fn mavens_order_is_not_an_order() {
        let circle = ["1-rc", "1", "1.foo.2", "1-rc"].map(Version::parse);
        for pair in circle.windows(2) {
            assert_eq!(pair[0].compare(&pair[1]), Ordering::Less);
        }
    }
}
