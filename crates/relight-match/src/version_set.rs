//! Sets of versions of one scheme: intervals with union, intersection and complement.

use std::cmp::Ordering;
use std::fmt;

use relight_model::{Bound, BoundBasis, Interval, RangeStatus};

use crate::version::{Version, VersionScheme};

/// Disjoint intervals in ascending order, never touching: two equal sets have the same ones.
#[derive(Clone, Debug)]
pub struct VersionSet {
    scheme: VersionScheme,
    spans: Vec<Span>,
}

/// From one cut to a later one.
#[derive(Clone, Debug)]
struct Span {
    lo: Cut,
    hi: Cut,
}

/// A place between versions. All builds of the release that a version names are on one side of it,
/// as inclusive bounds ask for.
#[derive(Clone, Debug)]
enum Cut {
    Start,
    Before(Mark),
    After(Mark),
    End,
}

#[derive(Clone, Debug)]
struct Mark {
    version: Version,
    text: String,
}

/// How a version stands to the versions that are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    UpTo,
    /// `=`
    Exactly,
    /// `!=`
    Except,
    /// `>=`
    From,
    /// `>`
    Above,
}

impl VersionSet {
    /// No version.
    pub const fn none(scheme: VersionScheme) -> Self {
        Self { scheme, spans: Vec::new() }
    }

    /// Every version.
    pub fn all(scheme: VersionScheme) -> Self {
        Self { scheme, spans: vec![Span { lo: Cut::Start, hi: Cut::End }] }
    }

    /// The versions that stand so to this one; `None` when it has no place in the order.
    pub fn of(scheme: VersionScheme, relation: Relation, text: &str) -> Option<Self> {
        let text = text.trim();
        let mark = Mark { version: Version::stated(scheme, text)?, text: text.to_owned() };
        let (before, after) = (Cut::Before(mark.clone()), Cut::After(mark));
        let span = |lo, hi| vec![Span { lo, hi }];
        let spans = match relation {
            Relation::Below => span(Cut::Start, before),
            Relation::UpTo => span(Cut::Start, after),
            Relation::Exactly => span(before, after),
            Relation::From => span(before, Cut::End),
            Relation::Above => span(after, Cut::End),
            Relation::Except => {
                vec![Span { lo: Cut::Start, hi: before }, Span { lo: after, hi: Cut::End }]
            }
        };
        Some(Self { scheme, spans })
    }

    /// The scheme of its versions.
    pub const fn scheme(&self) -> VersionScheme {
        self.scheme
    }

    /// Whether no version is in it.
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether every version is in it.
    pub fn is_all(&self) -> bool {
        matches!(&self.spans[..], [Span { lo: Cut::Start, hi: Cut::End }])
    }

    /// Whether a version of the same scheme is in it.
    pub fn contains(&self, version: &Version) -> bool {
        self.spans.iter().any(|span| span.lo.is_below(version) && !span.hi.is_below(version))
    }

    /// What is in one of the two.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        for span in other.spans {
            self.add(span);
        }
        self
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::none(self.scheme);
        for a in &self.spans {
            for b in &other.spans {
                let lo = if a.lo.compare(&b.lo).is_ge() { &a.lo } else { &b.lo };
                let hi = if a.hi.compare(&b.hi).is_le() { &a.hi } else { &b.hi };
                if lo.compare(hi).is_lt() {
                    both.add(Span { lo: lo.clone(), hi: hi.clone() });
                }
            }
        }
        both
    }

    /// What is not in it.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut spans = Vec::new();
        let mut lo = Cut::Start;
        for span in &self.spans {
            if lo.compare(&span.lo).is_lt() {
                spans.push(Span { lo, hi: span.lo.clone() });
            }
            lo = span.hi.clone();
        }
        if lo.compare(&Cut::End).is_lt() {
            spans.push(Span { lo, hi: Cut::End });
        }
        Self { scheme: self.scheme, spans }
    }

    /// Its intervals as advisories have them.
    pub fn intervals(&self, status: RangeStatus) -> Vec<Interval> {
        self.spans.iter().map(|span| span.interval(status)).collect()
    }

    /// Lower and upper bound of each interval, in ascending order.
    pub fn bounds(&self) -> impl Iterator<Item = (Bound, Bound)> {
        self.spans.iter().map(|span| (span.lo.lower(), span.hi.upper()))
    }

    /// Puts one more span in its place. Not by sorting: Maven's order is not an order, and a sort
    /// may refuse one that is not.
    fn add(&mut self, span: Span) {
        let Span { mut lo, mut hi } = span;
        let from = self.spans.partition_point(|it| it.hi.compare(&lo).is_lt());
        let mut to = from;
        while let Some(next) = self.spans.get(to).filter(|it| it.lo.compare(&hi).is_le()) {
            if next.lo.compare(&lo).is_lt() {
                lo = next.lo.clone();
            }
            if next.hi.compare(&hi).is_gt() {
                hi = next.hi.clone();
            }
            to += 1;
        }
        self.spans.splice(from..to, [Span { lo, hi }]);
    }
}

impl PartialEq for VersionSet {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |(a, b): (&Span, &Span)| a.lo.compare(&b.lo).is_eq() && a.hi.compare(&b.hi).is_eq();
        self.scheme == other.scheme
            && self.spans.len() == other.spans.len()
            && self.spans.iter().zip(&other.spans).all(same)
    }
}

impl Span {
    fn interval(&self, status: RangeStatus) -> Interval {
        let basis = match self.hi {
            Cut::After(_) => BoundBasis::LastAffected,
            _ => BoundBasis::Fixed,
        };
        Interval { lo: self.lo.lower(), hi: self.hi.upper(), basis, status }
    }
}

impl Cut {
    /// Whether a version stands after the cut.
    fn is_below(&self, version: &Version) -> bool {
        let order = |mark: &Mark| version.compare(&mark.version).unwrap_or(Ordering::Equal);
        match self {
            Self::Start => true,
            Self::End => false,
            Self::Before(mark) => order(mark).is_ge() || version.is_of_release(&mark.version),
            Self::After(mark) => order(mark).is_gt() && !version.is_of_release(&mark.version),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Start, Self::Start) | (Self::End, Self::End) => Ordering::Equal,
            (Self::Start, _) | (_, Self::End) => Ordering::Less,
            (_, Self::Start) | (Self::End, _) => Ordering::Greater,
            (Self::Before(a), Self::Before(b)) => a.compare(b, Ordering::Less),
            (Self::After(a), Self::After(b)) => a.compare(b, Ordering::Greater),
            // In front of a build, or of its release, is in front of what is behind the other.
            (Self::Before(a), Self::After(b)) => match a.compare(b, Ordering::Equal) {
                Ordering::Equal => Ordering::Less,
                order => order,
            },
            (Self::After(_), Self::Before(_)) => other.compare(self).reverse(),
        }
    }

    fn lower(&self) -> Bound {
        match self {
            Self::Start | Self::End => Bound::Unbounded,
            Self::Before(mark) => Bound::Inclusive(mark.text.clone()),
            Self::After(mark) => Bound::Exclusive(mark.text.clone()),
        }
    }

    fn upper(&self) -> Bound {
        match self {
            Self::Start | Self::End => Bound::Unbounded,
            Self::Before(mark) => Bound::Exclusive(mark.text.clone()),
            Self::After(mark) => Bound::Inclusive(mark.text.clone()),
        }
    }
}

impl Mark {
    /// The order of two cuts of the same side; `outer` is the place of the one that stands around
    /// all builds of a release to one that stands around a single build of it.
    fn compare(&self, other: &Self, outer: Ordering) -> Ordering {
        let (Some(a), Some(b)) = (self.version.sort_key(), other.version.sort_key()) else {
            return self.version.compare(&other.version).unwrap_or(Ordering::Equal);
        };
        let (a, b) = (a.covered(), b.covered());
        match (b.starts_with(a), a.starts_with(b)) {
            (true, true) => Ordering::Equal,
            (true, false) => outer,
            (false, true) => outer.reverse(),
            (false, false) => a.cmp(b),
        }
    }
}

/// The canonical form of the version range specifier: `vers:npm/>=1.0.0|<2.0.0`.
impl fmt::Display for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("vers:none/*");
        }
        write!(f, "vers:{}/", crate::native::vers::kind_of(self.scheme))?;
        if self.is_all() {
            return f.write_str("*");
        }
        let parts: Vec<_> = self.relations(true).into_iter().flatten().collect();
        for (index, (relation, text)) in parts.into_iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "|" })?;
            f.write_str(if relation == Relation::Exactly { "" } else { relation.as_str() })?;
            crate::native::vers::encode(f, text)?;
        }
        Ok(())
    }
}

impl VersionSet {
    /// The intervals as conditions, those of one interval together; where two of them leave out one
    /// version, `!=` joins them into one, unless the grammar has no such sign.
    pub(crate) fn relations(&self, has_except: bool) -> Vec<Vec<(Relation, &str)>> {
        let mut all: Vec<Vec<(Relation, &str)>> = Vec::new();
        let mut left_out: Option<&Mark> = None;
        for span in &self.spans {
            let mut parts = Vec::new();
            match (&span.lo, &span.hi) {
                (Cut::After(lo), _) if left_out.is_some_and(|out| out.is_same(lo)) => {
                    // `<1` and `>1`: the end of the one before becomes `!=1`.
                    parts = all.pop().unwrap_or_default();
                    parts.pop();
                    parts.push((Relation::Except, lo.text.as_str()));
                    parts.extend(span.hi.end());
                }
                (Cut::Before(lo), Cut::After(hi)) if lo.is_same(hi) => {
                    parts.push((Relation::Exactly, lo.text.as_str()));
                }
                (lo, hi) => {
                    parts.extend(lo.start());
                    parts.extend(hi.end());
                }
            }
            left_out = match &span.hi {
                Cut::Before(mark) if has_except => Some(mark),
                _ => None,
            };
            all.push(parts);
        }
        all
    }
}

impl Cut {
    fn start(&self) -> Option<(Relation, &str)> {
        match self {
            Self::Start | Self::End => None,
            Self::Before(mark) => Some((Relation::From, &mark.text)),
            Self::After(mark) => Some((Relation::Above, &mark.text)),
        }
    }

    fn end(&self) -> Option<(Relation, &str)> {
        match self {
            Self::Start | Self::End => None,
            Self::Before(mark) => Some((Relation::Below, &mark.text)),
            Self::After(mark) => Some((Relation::UpTo, &mark.text)),
        }
    }
}

impl Mark {
    fn is_same(&self, other: &Self) -> bool {
        self.compare(other, Ordering::Less).is_eq()
    }
}

impl Relation {
    /// The sign.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::UpTo => "<=",
            Self::Exactly => "=",
            Self::Except => "!=",
            Self::From => ">=",
            Self::Above => ">",
        }
    }
}

#[cfg(test)]
mod tests;
