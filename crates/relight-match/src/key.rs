//! Sort keys: byte strings whose order is the order of the versions they were made of.

use std::cmp::Ordering;

/// The place of a version among the versions of its package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// `memcmp` of two such keys of one scheme is the order of their versions.
    Ordered(SortKey),
    /// Comparable with [`crate::compare`], pair by pair: no key can stand for Maven's order where
    /// it is not an order.
    Pairwise,
    /// Not comparable with anything.
    Unordered(NoOrder),
}

/// NoOrder a text has no place among versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoOrder {
    /// Nothing is there.
    Empty,
    /// More than [`crate::VERSION_BYTES_MAX`] bytes.
    TooLong,
    /// `unspecified`, `latest`, `n/a`, `*`, `-` or an unresolved `${…}`.
    Placeholder,
    /// A commit.
    Commit,
    /// A branch: `dev-main`.
    Branch,
    /// A control character.
    Control,
    /// The ecosystem's own tool does not take it for a version.
    Refused,
}

impl NoOrder {
    /// A stable code for documents and texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::Placeholder => "placeholder",
            Self::Commit => "commit",
            Self::Branch => "branch",
            Self::Control => "control-character",
            Self::Refused => "refused",
        }
    }
}

/// The bytes of an ordered version. Order, equality and hash are those of the bytes alone.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// The first bytes once more, zeros behind a shorter key: most comparisons end here, and the
    /// bytes lie elsewhere in memory.
    head: u128,
    bytes: Box<[u8]>,
    release_len: u16,
    open: Open,
    exact: bool,
}

/// Bytes that stand in the head of a key.
const HEAD_BYTES: usize = 16;

/// What a version leaves open when it names a release and none of its builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// Nothing: it names a build, or the scheme has none.
    Nothing,
    /// As an inclusive bound it means all builds; as a version it is one of its own.
    AsBound,
    /// It may be any of the builds, as a bound and as a version.
    Anywhere,
}

impl SortKey {
    /// What sorts.
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The part that names the release, without revision, build or local version.
    pub fn release(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.release_len)).unwrap_or(&self.bytes)
    }

    /// The part that every version starts with which an inclusive bound of this key covers: the
    /// release, when the key leaves open which of its builds is meant, and else the whole key.
    pub fn covered(&self) -> &[u8] {
        if self.open == Open::Nothing { &self.bytes } else { self.release() }
    }

    /// Its first bytes, where they say for certain which [`Span`]s it may be in.
    pub(crate) fn start(&self) -> Option<Start> {
        (self.exact && self.open != Open::Anywhere).then(|| start_of(&self.bytes, 0))
    }

    /// The part that this version may stand for: the release, when it may be any of its builds.
    pub fn possible(&self) -> &[u8] {
        if self.open == Open::Anywhere { self.release() } else { &self.bytes }
    }

    /// Whether the place is certain. Where it is not, a version outside of a range is unknown
    /// rather than clear.
    pub const fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether a version and an inclusive bound may mean the same release: any revision of `1.2`
    /// is of the bound `1.2`, and `1.2` without revision may be the `1.2-3` of the bound.
    pub fn is_of_release(&self, bound: &Self) -> bool {
        self.starts_alike(bound, bound.covered().len())
            || self.starts_alike(bound, self.possible().len())
    }

    /// Whether the first `length` bytes of both are there and the same.
    fn starts_alike(&self, other: &Self, length: usize) -> bool {
        if self.bytes.len().min(other.bytes.len()) < length {
            return false;
        }
        let behind = HEAD_BYTES.saturating_sub(length) * 8;
        let differ = u32::try_from(behind).ok().and_then(|bits| {
            // Nothing is left of an empty start.
            (self.head ^ other.head).checked_shr(bits)
        });
        differ.unwrap_or_default() == 0
            && (length <= HEAD_BYTES || self.bytes.get(..length) == other.bytes.get(..length))
    }
}

/// The first 32 bytes of a key: twice those of a head, because versions of a kernel differ late.
pub(crate) type Start = [u128; 2];

/// The least and the greatest start of the versions between two bounds, and perhaps of a few more:
/// whatever is not in it is not between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    from: Start,
    to: Start,
}

impl Span {
    /// Every version.
    pub(crate) const ALL: Self = Self { from: [0; 2], to: [u128::MAX; 2] };

    /// What starts with these bytes.
    pub(crate) fn of_start(start: &[u8]) -> Self {
        Self::ALL.from(start).to(start)
    }

    /// Not before what starts with these bytes.
    pub(crate) fn from(self, start: &[u8]) -> Self {
        Self { from: start_of(start, 0), ..self }
    }

    /// Not after what starts with these bytes.
    pub(crate) fn to(self, start: &[u8]) -> Self {
        Self { to: start_of(start, u8::MAX), ..self }
    }

    /// Certainly behind this key: the builds of a release are at its bound, and so are those whose
    /// starts are the same.
    pub(crate) fn behind(self, key: &SortKey) -> Option<Self> {
        let [first, second] = start_of(&key.bytes, 0);
        let from = match second.checked_add(1) {
            Some(second) => [first, second],
            None => [first.checked_add(1)?, 0],
        };
        Some(Self { from, ..self })
    }

    /// Certainly before this key.
    pub(crate) fn before(self, key: &SortKey) -> Option<Self> {
        let [first, second] = start_of(&key.bytes, 0);
        let to = match second.checked_sub(1) {
            Some(second) => [first, second],
            None => [first.checked_sub(1)?, u128::MAX],
        };
        Some(Self { to, ..self })
    }

    /// Sorts spans and unites those that touch; many become one, which holds more.
    pub(crate) fn at_most(spans: Vec<Self>) -> Box<[Self]> {
        let spans = Self::united(spans);
        match &spans[..] {
            [first, .., last] if spans.len() > SPANS_MAX => {
                Box::new([Self { from: first.from, to: last.to }])
            }
            _ => spans.into_boxed_slice(),
        }
    }

    /// As [`Self::at_most`]; of many, the last are left out.
    pub(crate) fn at_least(spans: Vec<Self>) -> Box<[Self]> {
        let mut spans = Self::united(spans);
        spans.truncate(SPANS_MAX);
        spans.into_boxed_slice()
    }

    fn united(mut spans: Vec<Self>) -> Vec<Self> {
        spans.retain(|span| span.from <= span.to);
        spans.sort_unstable();
        spans.dedup_by(|next, kept| {
            let is_inside = next.from <= kept.to;
            if is_inside {
                kept.to = kept.to.max(next.to);
            }
            is_inside
        });
        spans
    }

    /// Whether a version that starts so may be in one of the spans.
    pub(crate) fn any_holds(spans: &[Self], start: &Start) -> bool {
        spans.iter().any(|span| span.from <= *start && *start <= span.to)
    }
}

/// Spans that are kept apart.
const SPANS_MAX: usize = 16;

/// The first bytes of a text, and so many of one byte that they are a start.
fn start_of(start: &[u8], byte: u8) -> Start {
    let (first, rest) = start.split_at(start.len().min(HEAD_BYTES));
    [filled(first, byte), filled(rest, byte)]
}

/// The first bytes of a text, and so many of one byte that they are a head.
fn filled(start: &[u8], byte: u8) -> u128 {
    let mut head = [byte; HEAD_BYTES];
    head.iter_mut().zip(start).for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(head)
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head && self.bytes == other.bytes
    }
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Zeros behind a key never put it after a longer one, so where heads differ they decide.
        self.head.cmp(&other.head).then_with(|| self.bytes.cmp(&other.bytes))
    }
}

impl std::hash::Hash for SortKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// Writes a key. Nothing that a writer appends can be mistaken for something longer or shorter, so
/// comparing two keys compares item by item.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    release_len: Option<usize>,
    open: Open,
    exact: bool,
}

/// Numbers below this count of digits fit into 64 bits.
const SHORT_DIGITS: usize = 19;

/// First byte of a number that does not fit.
const LONG: u8 = 9;

impl Writer {
    /// For a text of `length` bytes.
    pub(crate) fn new(length: usize) -> Self {
        let bytes = Vec::with_capacity(length + 16);
        Self { bytes, release_len: None, open: Open::Nothing, exact: true }
    }

    /// One byte that tells items apart.
    pub(crate) fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    /// A number of any length, from its decimal digits; leading zeros mean nothing.
    ///
    /// The count of its bytes, then the bytes, the highest first; from 20 digits on the count of
    /// digits and the digits themselves. So no length overflows and small numbers are small.
    pub(crate) fn number(&mut self, digits: &str) {
        let digits = digits.trim_start_matches('0');
        match digits.parse::<u64>() {
            Ok(value) if digits.len() <= SHORT_DIGITS => self.integer(value),
            // Nothing is left: zero.
            _ if digits.is_empty() => self.bytes.push(0),
            _ => {
                self.bytes.push(LONG);
                let length = u16::try_from(digits.len()).unwrap_or(u16::MAX);
                self.bytes.extend(length.to_be_bytes());
                self.bytes.extend(digits.as_bytes());
            }
        }
    }

    fn integer(&mut self, value: u64) {
        let skipped = value.leading_zeros() / 8;
        let kept = value.to_be_bytes().into_iter().skip(skipped as usize);
        self.bytes.push(8 - u8::try_from(skipped).unwrap_or(8));
        self.bytes.extend(kept);
    }

    /// A text without control characters, in the order of its bytes.
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    /// The release ends here: what follows only tells its builds apart.
    pub(crate) const fn release_ends(&mut self) {
        self.release_len = Some(self.bytes.len());
    }

    /// The version names no build: as a bound it means all of them.
    pub(crate) const fn open_as_bound(&mut self) {
        self.open = Open::AsBound;
    }

    /// The version names no build: it may be any of them.
    pub(crate) const fn open(&mut self) {
        self.open = Open::Anywhere;
    }

    /// The order of this version is a guess.
    pub(crate) const fn inexact(&mut self) {
        self.exact = false;
    }

    /// What was written.
    pub(crate) fn finish(self) -> SortKey {
        let release_len = self.release_len.unwrap_or(self.bytes.len());
        SortKey {
            head: filled(&self.bytes, 0),
            release_len: u16::try_from(release_len).unwrap_or(u16::MAX),
            bytes: self.bytes.into_boxed_slice(),
            open: self.open,
            exact: self.exact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_sort() {
        let key = |digits: &str| {
            let mut writer = Writer::new(digits.len());
            writer.number(digits);
            writer.finish()
        };
        let mut numbers: Vec<String> = ["0", "1", "9", "10", "255", "256", "65535", "65536"]
            .into_iter()
            .map(ToOwned::to_owned)
            .collect();
        let nines = (3..40).map(|length| "9".repeat(length));
        let ones = (5..40).map(|length| format!("1{}", "0".repeat(length)));
        numbers.extend(nines.chain(ones));
        numbers.extend([u64::MAX.to_string(), "1".repeat(500), "9".repeat(512)]);
        numbers.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        for pair in numbers.windows(2) {
            let wanted = (pair[0].len(), &pair[0]).cmp(&(pair[1].len(), &pair[1]));
            assert_eq!(key(&pair[0]).cmp(&key(&pair[1])), wanted, "{pair:?}");
        }
        assert_eq!(key("007"), key("7"));
        assert_eq!(key("000"), key(""));
        assert!(key("7").bytes().len() <= 2);
    }

    /// Goal: the head decides nothing that the bytes would not. Method: every pair of byte strings
    /// of three letters, zero among them, of lengths around the length of a head.
    #[test]
    fn keys_compare_as_their_bytes_do() {
        let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
        for length in [1, 2, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, HEAD_BYTES + 2] {
            for (at, byte) in [(0, 0), (0, 7), (length - 1, 0), (length - 1, 7), (length / 2, 1)] {
                let mut text = vec![3; length];
                text[at] = byte;
                texts.push(text);
            }
            texts.push(vec![0; length]);
        }
        let key = |text: &[u8], release_len| Writer {
            bytes: text.to_vec(),
            release_len,
            open: Open::Anywhere,
            exact: true,
        };
        for (a, b) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
            let (x, y) = (key(a, None).finish(), key(b, None).finish());
            assert_eq!((x.cmp(&y), x == y), (a.cmp(b), a == b), "{a:?} {b:?}");
            for length in [0, 1, HEAD_BYTES, HEAD_BYTES + 1] {
                let (x, y) = (key(a, Some(length)).finish(), key(b, Some(length)).finish());
                let alike = a.starts_with(y.covered()) || b.starts_with(x.possible());
                assert_eq!(x.is_of_release(&y), alike, "{a:?} {b:?} {length}");
            }
        }
    }

    #[test]
    fn a_release_covers_its_builds_both_ways() {
        let key = |build: Option<&str>| {
            let mut writer = Writer::new(8);
            writer.number("1");
            writer.release_ends();
            if build.is_none() {
                writer.open();
            }
            writer.text(build.unwrap_or_default());
            writer.finish()
        };
        let (open, one, two) = (key(None), key(Some("a")), key(Some("b")));
        assert!(one.is_of_release(&open) && open.is_of_release(&one));
        assert!(one.is_of_release(&one) && !one.is_of_release(&two));
        assert_eq!((open.covered(), one.covered()), (open.release(), one.bytes()));
        assert_eq!(open.release(), one.release());
    }
}
