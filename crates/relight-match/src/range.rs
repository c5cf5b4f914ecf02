//! The events of one range to intervals, and whether a version is in one of them.

use std::cmp::Ordering;

use relight_model::{
    AffectedRange, Bound, BoundBasis, Interval as Published, RangeEvent, RangeStatus,
};

use crate::key::Span;
use crate::version::{Version, VersionScheme};

use points::Points;

/// One range of an advisory, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Range {
    pub(crate) intervals: Vec<Interval>,
    /// A version is inside only below at least one of these; empty means no limit.
    limits: Vec<Mark>,
    /// One of the limits cannot be ordered.
    is_limit_unsure: bool,
    /// What is said of the versions inside.
    pub(crate) status: RangeStatus,
    /// Events that open and close at one version, so that nothing is between them.
    pub(crate) has_empty: bool,
    /// It ends before every version: the publisher says that none is inside.
    is_nothing: bool,
    /// Events that changed nothing: an end without a start, a start inside.
    pub(crate) has_ignored: bool,
}

/// From one bound to the other.
#[derive(Clone, Debug)]
pub(crate) struct Interval {
    lo: Low,
    hi: High,
    /// What the upper bound rests on.
    pub(crate) basis: BoundBasis,
    /// A bound could not be ordered: what is inside of it may be inside or not.
    is_unsure: bool,
}

#[derive(Clone, Debug)]
enum Low {
    Open,
    Inclusive(Mark),
    Exclusive(Mark),
}

#[derive(Clone, Debug)]
enum High {
    Open,
    /// Before every version: the interval is empty.
    Nothing,
    Exclusive(Mark),
    Inclusive(Mark),
}

/// A version of the record, with the text that the record has for it.
#[derive(Clone, Debug)]
struct Mark {
    version: Version,
    text: String,
}

/// Where a version stands to a range.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// In this interval.
    Inside(&'a Interval),
    /// In none, for certain.
    Outside,
    /// A bound that cannot be ordered would decide.
    Unsure,
    /// Above the last version that is known to be affected.
    AboveLastKnown,
}

impl Range {
    /// The intervals of a range. Events are a set: their order in the document means nothing.
    pub(crate) fn new(scheme: VersionScheme, range: &AffectedRange) -> Self {
        let mut events: Vec<_> = range.events.iter().collect();
        // Maven's order is not transitive, so the result of sorting may depend on the order of
        // the input; sorting by text first makes every permutation the same input.
        events.sort();
        events.dedup();
        let mut told = Self { status: RangeStatus::Affected, ..Self::default() };
        let (mut points, mut bad_start, mut bad_end) = (Points::default(), false, false);
        for event in events {
            match event {
                RangeEvent::Introduced(text) if text == "0" => points.at(None).introduced = true,
                RangeEvent::Fixed(text) if text == "0" => points.at(None).fixed = true,
                RangeEvent::Introduced(text) => match Mark::parse(scheme, text) {
                    Some(mark) => points.at(Some(mark)).introduced = true,
                    None => bad_start = true,
                },
                RangeEvent::Fixed(text) => match Mark::parse(scheme, text) {
                    Some(mark) => points.at(Some(mark)).fixed = true,
                    None => bad_end = true,
                },
                RangeEvent::LastAffected(text) => match Mark::parse(scheme, text) {
                    Some(mark) => points.at(Some(mark)).last_affected = true,
                    None => bad_end = true,
                },
                RangeEvent::Limit(text) => match Mark::parse(scheme, text) {
                    Some(mark) => told.limits.push(mark),
                    None => told.is_limit_unsure = true,
                },
            }
        }
        points.walk(&mut told);
        // An end that has no place may lie before any version of an interval.
        told.intervals.iter_mut().for_each(|interval| interval.is_unsure |= bad_end);
        if bad_start {
            told.intervals.push(Interval::anywhere());
        }
        // Most have one, and there are many.
        told.intervals.shrink_to_fit();
        told
    }

    /// A range that the source published as an interval.
    pub(crate) fn of_interval(scheme: VersionScheme, published: &Published) -> Self {
        let Published { lo, hi, basis, status } = published;
        let mut interval = Interval { basis: *basis, ..Interval::anywhere() };
        interval.is_unsure = false;
        match lo {
            Bound::Unbounded => {}
            // As in events: the very first version, and every pre-release of it.
            Bound::Inclusive(text) if text == "0" => {}
            Bound::Inclusive(text) => match Mark::parse(scheme, text) {
                Some(mark) => interval.lo = Low::Inclusive(mark),
                None => interval.is_unsure = true,
            },
            Bound::Exclusive(text) => match Mark::parse(scheme, text) {
                Some(mark) => interval.lo = Low::Exclusive(mark),
                None => interval.is_unsure = true,
            },
        }
        match hi {
            // CVE: `*` and whatever holds one is an open end.
            Bound::Unbounded => {}
            Bound::Inclusive(text) | Bound::Exclusive(text) if text.contains('*') => {}
            Bound::Exclusive(text) if text == "0" => interval.hi = High::Nothing,
            Bound::Exclusive(text) => match Mark::parse(scheme, text) {
                Some(mark) => interval.hi = High::Exclusive(mark),
                None => interval.is_unsure = true,
            },
            Bound::Inclusive(text) => match Mark::parse(scheme, text) {
                Some(mark) => interval.hi = High::Inclusive(mark),
                None => interval.is_unsure = true,
            },
        }
        let is_nothing = matches!(interval.hi, High::Nothing);
        let contradicts = interval.contradicts();
        if contradicts {
            // Bounds that were swapped, or one of them a slip: nobody knows what was meant.
            interval = Interval { basis: *basis, ..Interval::anywhere() };
        }
        let has_empty = is_nothing || contradicts;
        let intervals = if is_nothing { Vec::new() } else { vec![interval] };
        Self { intervals, status: *status, has_empty, is_nothing, ..Self::default() }
    }

    /// Where a version of the same scheme stands.
    pub(crate) fn place(&self, version: &Version) -> Place<'_> {
        let mut place = Place::Outside;
        for interval in &self.intervals {
            match (interval.holds(version), interval.is_unsure) {
                (Holds::Yes, false) => return self.within_limits(version, interval),
                (Holds::Yes, true) => place = Place::Unsure,
                (Holds::No, _) if interval.is_fuzzy() => place = Place::Unsure,
                (Holds::AboveLastKnown, _) if matches!(place, Place::Outside) => {
                    place = Place::AboveLastKnown;
                }
                (Holds::AboveLastKnown | Holds::No, _) => {}
            }
        }
        place
    }

    /// Where a version must be for its place to be anything but outside; `None` when that cannot
    /// be told by its first bytes.
    pub(crate) fn spans(&self) -> Option<Vec<Span>> {
        self.intervals.iter().map(Interval::span).collect()
    }

    /// Where a version of this start is inside for certain.
    pub(crate) fn sure(&self) -> impl Iterator<Item = Span> {
        let is_plain =
            self.status == RangeStatus::Affected && self.limits.is_empty() && !self.is_limit_unsure;
        self.intervals.iter().filter(move |_| is_plain).filter_map(Interval::sure)
    }

    /// An interval that holds every version, even one that cannot be ordered.
    pub(crate) fn everything(&self) -> Option<&Interval> {
        let all =
            |it: &&Interval| !it.is_unsure && matches!((&it.lo, &it.hi), (Low::Open, High::Open));
        let limited = !self.limits.is_empty() || self.is_limit_unsure;
        self.intervals.iter().find(all).filter(|_| !limited)
    }

    /// Whether the publisher says that it contains no version at all: "not affected".
    pub(crate) fn is_empty(&self) -> bool {
        self.intervals.is_empty() && self.is_nothing
    }

    /// The epochs above 0 that bounds of Debian and RPM versions carry.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = &str> {
        let marks = self.intervals.iter().flat_map(Interval::marks);
        marks.filter_map(|mark| mark.text.split_once(':')).map(|(epoch, _)| epoch)
    }

    /// Whether a bound holds this text (`.module` of modular packages).
    pub(crate) fn any_bound_holds(&self, part: &str) -> bool {
        self.intervals.iter().flat_map(Interval::marks).any(|mark| mark.text.contains(part))
    }

    fn within_limits<'a>(&self, version: &Version, interval: &'a Interval) -> Place<'a> {
        let below = |limit: &Mark| version.compare(&limit.version) == Some(Ordering::Less);
        match (&self.limits[..], self.is_limit_unsure) {
            ([], false) => Place::Inside(interval),
            (limits, _) if limits.iter().any(below) => Place::Inside(interval),
            (_, true) => Place::Unsure,
            (_, false) => Place::Outside,
        }
    }
}

impl Mark {
    fn parse(scheme: VersionScheme, text: &str) -> Option<Self> {
        Version::stated(scheme, text).map(|version| Self { version, text: text.to_owned() })
    }
}

/// Whether an interval holds a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    AboveLastKnown,
}

impl Interval {
    /// All versions, perhaps.
    const fn anywhere() -> Self {
        Self { lo: Low::Open, hi: High::Open, basis: BoundBasis::Limit, is_unsure: true }
    }

    /// It begins behind its end, so that nothing is inside.
    fn contradicts(&self) -> bool {
        let (Low::Inclusive(lo) | Low::Exclusive(lo)) = &self.lo else { return false };
        let (High::Inclusive(hi) | High::Exclusive(hi)) = &self.hi else { return false };
        let is_closed = matches!((&self.lo, &self.hi), (Low::Inclusive(_), High::Inclusive(_)));
        match lo.version.compare(&hi.version) {
            Some(Ordering::Greater) => !(is_closed && lo.version.is_of_release(&hi.version)),
            Some(Ordering::Equal) => !is_closed,
            Some(Ordering::Less) | None => false,
        }
    }

    /// The place of a bound in the order is a guess: outside is not certain.
    fn is_fuzzy(&self) -> bool {
        self.marks().any(|mark| !mark.version.is_exact())
    }

    fn marks(&self) -> impl Iterator<Item = &Mark> {
        let lo = match &self.lo {
            Low::Open => None,
            Low::Inclusive(mark) | Low::Exclusive(mark) => Some(mark),
        };
        let hi = match &self.hi {
            High::Open | High::Nothing => None,
            High::Exclusive(mark) | High::Inclusive(mark) => Some(mark),
        };
        [lo, hi].into_iter().flatten()
    }

    fn span(&self) -> Option<Span> {
        if self.is_fuzzy() {
            return None;
        }
        let span = match &self.lo {
            Low::Open => Span::ALL,
            Low::Inclusive(lo) => Span::ALL.from(lo.version.sort_key()?.covered()),
            Low::Exclusive(lo) => Span::ALL.from(lo.version.sort_key()?.bytes()),
        };
        Some(match &self.hi {
            // Above the last known one is a place of its own.
            _ if self.basis == BoundBasis::LastKnown => span,
            High::Open | High::Nothing => span,
            High::Exclusive(hi) => span.to(hi.version.sort_key()?.bytes()),
            High::Inclusive(hi) => span.to(hi.version.sort_key()?.covered()),
        })
    }

    fn sure(&self) -> Option<Span> {
        if self.is_unsure || self.is_fuzzy() {
            return None;
        }
        let span = match &self.lo {
            Low::Open => Span::ALL,
            Low::Inclusive(lo) | Low::Exclusive(lo) => Span::ALL.behind(lo.version.sort_key()?)?,
        };
        match &self.hi {
            High::Open => Some(span),
            High::Nothing => None,
            High::Exclusive(hi) | High::Inclusive(hi) => span.before(hi.version.sort_key()?),
        }
    }

    fn holds(&self, version: &Version) -> Holds {
        if !self.is_above(version) {
            return Holds::No;
        }
        let is_below = match &self.hi {
            High::Open => true,
            High::Nothing => false,
            High::Exclusive(hi) => version.compare(&hi.version) == Some(Ordering::Less),
            High::Inclusive(hi) => {
                let order = version.compare(&hi.version);
                order.is_some_and(Ordering::is_le) || version.is_of_release(&hi.version)
            }
        };
        match (is_below, self.basis) {
            (true, _) => Holds::Yes,
            (false, BoundBasis::LastKnown) => Holds::AboveLastKnown,
            (false, _) => Holds::No,
        }
    }

    fn is_above(&self, version: &Version) -> bool {
        match &self.lo {
            Low::Open => true,
            Low::Inclusive(lo) => {
                let order = version.compare(&lo.version);
                order.is_some_and(Ordering::is_ge) || version.is_of_release(&lo.version)
            }
            Low::Exclusive(lo) => version.compare(&lo.version) == Some(Ordering::Greater),
        }
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.lo {
            Low::Inclusive(lo) => write!(f, ">={}", lo.text)?,
            Low::Exclusive(lo) => write!(f, ">{}", lo.text)?,
            Low::Open => f.write_str(">=0")?,
        }
        match &self.hi {
            High::Open | High::Nothing => Ok(()),
            High::Exclusive(hi) => write!(f, ",<{}", hi.text),
            High::Inclusive(hi) => write!(f, ",<={}", hi.text),
        }
    }
}

mod points;
#[cfg(test)]
mod tests;
