//! The events of one range to intervals, and whether a version is in one of them.

use std::cmp::Ordering;

use relight_model::{AffectedRange, RangeEvent};

use crate::version::{Version, VersionScheme};

/// One range of an advisory, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    pub(crate) intervals: Vec<Interval>,
    /// A version is inside only below at least one of these; empty means no limit.
    limits: Vec<Bound>,
    /// A bound that cannot be ordered, and what therefore stays open.
    unordered: Unordered,
}

#[derive(Clone, Copy, Debug, Default)]
struct Unordered {
    introduced: bool,
    end: bool,
    limit: bool,
}

/// From `lo` (inclusive, `None` for the very first version) to `hi`.
#[derive(Clone, Debug)]
pub(crate) struct Interval {
    lo: Option<Bound>,
    hi: High,
}

#[derive(Clone, Debug)]
enum High {
    Open,
    Exclusive(Option<Bound>),
    Inclusive(Bound),
}

/// A version of the record, with the text that the record has for it.
#[derive(Clone, Debug)]
struct Bound {
    version: Version,
    text: String,
}

/// Where a version stands to a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the interval that this text describes.
    Inside(String),
    /// In none, for certain.
    Outside,
    /// A bound that cannot be ordered would decide.
    Unsure,
}

impl Range {
    /// The intervals of a range. Events are a set: their order in the document means nothing.
    pub(crate) fn new(scheme: VersionScheme, range: &AffectedRange) -> Self {
        let mut events: Vec<_> = range.events.iter().collect();
        // Maven's order is not transitive, so the result of sorting may depend on the order of
        // the input; sorting by text first makes every permutation the same input.
        events.sort();
        events.dedup();
        let (mut points, mut limits) = (Points::default(), Vec::new());
        let mut unordered = Unordered::default();
        for event in events {
            let bound = |text: &String| {
                Version::parse(scheme, text).map(|version| Bound { version, text: text.clone() })
            };
            match event {
                RangeEvent::Introduced(text) if text == "0" => points.at(None).introduced = true,
                RangeEvent::Fixed(text) if text == "0" => points.at(None).fixed = true,
                RangeEvent::Introduced(text) => match bound(text) {
                    Some(bound) => points.at(Some(bound)).introduced = true,
                    None => unordered.introduced = true,
                },
                RangeEvent::Fixed(text) => match bound(text) {
                    Some(bound) => points.at(Some(bound)).fixed = true,
                    None => unordered.end = true,
                },
                RangeEvent::LastAffected(text) => match bound(text) {
                    Some(bound) => points.at(Some(bound)).last_affected = true,
                    None => unordered.end = true,
                },
                RangeEvent::Limit(text) => match bound(text) {
                    Some(bound) => limits.push(bound),
                    None => unordered.limit = true,
                },
            }
        }
        Self { intervals: points.intervals(), limits, unordered }
    }

    /// Where a version of the same scheme stands.
    pub(crate) fn place(&self, version: &Version) -> Place {
        match self.intervals.iter().find(|interval| interval.contains(version)) {
            Some(_) if self.unordered.end => Place::Unsure,
            Some(interval) => self.within_limits(version, interval),
            None if self.unordered.introduced => Place::Unsure,
            None => Place::Outside,
        }
    }

    /// Whether it can contain no version at all: the publisher says "not affected".
    pub(crate) fn is_empty(&self) -> bool {
        self.intervals.is_empty() && !self.unordered.introduced
    }

    /// The epochs above 0 that bounds of Debian versions carry.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = &str> {
        let ends = self.intervals.iter().flat_map(|Interval { lo, hi }| {
            let hi = match hi {
                High::Open => None,
                High::Exclusive(bound) => bound.as_ref(),
                High::Inclusive(bound) => Some(bound),
            };
            [lo.as_ref(), hi]
        });
        ends.flatten().filter_map(|bound| bound.text.split_once(':')).map(|(epoch, _)| epoch)
    }

    fn within_limits(&self, version: &Version, interval: &Interval) -> Place {
        let below = |limit: &Bound| version.compare(&limit.version) == Some(Ordering::Less);
        match (&self.limits[..], self.unordered.limit) {
            ([], false) => Place::Inside(interval.to_string()),
            (limits, _) if limits.iter().any(below) => Place::Inside(interval.to_string()),
            (_, true) => Place::Unsure,
            (_, false) => Place::Outside,
        }
    }
}

impl Interval {
    fn contains(&self, version: &Version) -> bool {
        let above = self.lo.as_ref().is_none_or(|lo| {
            let order = version.compare(&lo.version);
            order.is_some_and(Ordering::is_ge) || version.is_of_release(&lo.version)
        });
        above
            && match &self.hi {
                High::Open => true,
                High::Exclusive(None) => false,
                High::Exclusive(Some(hi)) => version.compare(&hi.version) == Some(Ordering::Less),
                High::Inclusive(hi) => {
                    let order = version.compare(&hi.version);
                    order.is_some_and(Ordering::is_le) || version.is_of_release(&hi.version)
                }
            }
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.lo {
            Some(lo) => write!(f, ">={}", lo.text)?,
            None => f.write_str(">=0")?,
        }
        match &self.hi {
            High::Open | High::Exclusive(None) => Ok(()),
            High::Exclusive(Some(hi)) => write!(f, ",<{}", hi.text),
            High::Inclusive(hi) => write!(f, ",<={}", hi.text),
        }
    }
}

/// The distinct versions of the events, in order; versions that are equal are one point.
#[derive(Default)]
struct Points(Vec<Point>);

/// What the events say at one version; `None` stands before every version.
struct Point {
    bound: Option<Bound>,
    introduced: bool,
    fixed: bool,
    last_affected: bool,
}

impl Points {
    fn at(&mut self, bound: Option<Bound>) -> &mut Point {
        let order = |point: &Point| match (&point.bound, &bound) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => a.version.compare(&b.version).unwrap_or(Ordering::Equal),
        };
        let at = self.0.partition_point(|point| order(point).is_lt());
        if !self.0.get(at).is_some_and(|point| order(point).is_eq()) {
            let point = Point { bound, introduced: false, fixed: false, last_affected: false };
            self.0.insert(at, point);
        }
        &mut self.0[at]
    }

    /// One walk with an open or closed state. Where a version is both introduced and fixed, an
    /// open interval goes on and a closed one stays closed: real records hold both kinds.
    fn intervals(self) -> Vec<Interval> {
        let mut intervals = Vec::new();
        let mut open: Option<Option<Bound>> = None;
        for Point { bound, introduced, fixed, last_affected } in self.0 {
            match (open.take(), introduced) {
                (Some(lo), true) => open = Some(lo),
                (None, true) if fixed => {}
                (None, true) => match bound {
                    Some(bound) if last_affected => {
                        let lo = Some(bound.clone());
                        intervals.push(Interval { lo, hi: High::Inclusive(bound) });
                    }
                    bound => open = Some(bound),
                },
                (Some(lo), false) => match bound {
                    Some(bound) if !fixed => {
                        intervals.push(Interval { lo, hi: High::Inclusive(bound) });
                    }
                    bound => intervals.push(Interval { lo, hi: High::Exclusive(bound) }),
                },
                (None, false) => {}
            }
        }
        intervals.extend(open.map(|lo| Interval { lo, hi: High::Open }));
        intervals
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use relight_model::RangeKind;

    use super::*;

    /// Events in a short form: `i1 f2 l3 x4` for introduced, fixed, last affected, limit.
    fn range(scheme: VersionScheme, text: &str) -> Range {
        let event = |word: &str| {
            let version = word[1..].to_owned();
            match &word[..1] {
                "i" => RangeEvent::Introduced(version),
                "f" => RangeEvent::Fixed(version),
                "l" => RangeEvent::LastAffected(version),
                _ => RangeEvent::Limit(version),
            }
        };
        let events = text.split_whitespace().map(event).collect();
        Range::new(scheme, &AffectedRange { kind: RangeKind::Ecosystem, events })
    }

    fn shown(range: &Range) -> String {
        range.intervals.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    fn place(scheme: VersionScheme, text: &str, version: &str) -> Place {
        range(scheme, text).place(&Version::parse(scheme, version).unwrap())
    }

    fn is_inside(scheme: VersionScheme, text: &str, version: &str) -> bool {
        matches!(place(scheme, text, version), Place::Inside(_))
    }

    const NPM: VersionScheme = VersionScheme::Npm;

    #[test]
    fn events_to_intervals() {
        for (events, intervals) in [
            ("i0 f1.0.0", ">=0,<1.0.0"),
            ("i1.0.0", ">=1.0.0"),
            ("i1.0.0 l1.5.0", ">=1.0.0,<=1.5.0"),
            ("i1.0.0 f2.0.0 i3.0.0 f4.0.0", ">=1.0.0,<2.0.0 >=3.0.0,<4.0.0"),
            ("f2.0.0 i1.0.0 i1.2.0", ">=1.0.0,<2.0.0"),
            ("i1.0.0 f2.0.0 f3.0.0", ">=1.0.0,<2.0.0"),
            ("i1.0.0 l1.0.0", ">=1.0.0,<=1.0.0"),
            ("i1.0.0 i2.0.0 l2.0.0 f3.0.0", ">=1.0.0,<3.0.0"),
            ("i0 f0", ""),
            ("f1.0.0", ""),
            ("i1.0.0 fv1.0.0", ""),
        ] {
            assert_eq!(shown(&range(NPM, events)), intervals, "{events}");
        }
    }

    /// BIT-apache-2021-42013: two intervals that touch; the version in the middle is affected.
    #[test]
    fn bit_apache_2021_42013() {
        let events = "i2.4.49 f2.4.50 i2.4.50 f2.4.51";
        assert_eq!(shown(&range(NPM, events)), ">=2.4.49,<2.4.51");
        for (version, inside) in
            [("2.4.48", false), ("2.4.49", true), ("2.4.50", true), ("2.4.51", false)]
        {
            assert_eq!(is_inside(NPM, events, version), inside, "{version}");
        }
    }

    /// PYSEC-2022-236: the oldest interval is written last.
    #[test]
    fn pysec_2022_236() {
        let events = "i3.2 f3.2.15 i4.0 f4.0.6 i3.1.1 f3.1.3";
        let scheme = VersionScheme::Pep440;
        assert_eq!(shown(&range(scheme, events)), ">=3.1.1,<3.1.3 >=3.2,<3.2.15 >=4.0,<4.0.6");
        assert!(is_inside(scheme, events, "3.1.2"));
        assert!(!is_inside(scheme, events, "3.1.3"));
    }

    /// BIT-java-2020-14781: introduced and fixed at one version is an empty interval.
    #[test]
    fn bit_java_2020_14781() {
        let events = "i1.8.0 f1.8.0 i11.0.0 f11.0.9";
        assert_eq!(shown(&range(NPM, events)), ">=11.0.0,<11.0.9");
        assert!(!is_inside(NPM, events, "1.8.0"));
    }

    #[test]
    fn limits_bound_from_above() {
        for (version, inside) in [("1.0.0", true), ("4.9.9", true), ("5.0.0", false)] {
            assert_eq!(is_inside(NPM, "i0 x3.0.0 x5.0.0", version), inside, "{version}");
        }
    }

    #[test]
    fn zero_is_before_every_pre_release() {
        assert!(is_inside(NPM, "i0 f1.0.0", "0.0.0-0"));
        assert!(is_inside(VersionScheme::Deb, "i0 f1.0", "0~~"));
    }

    #[test]
    fn inclusive_bounds_cover_the_whole_release() {
        let (python, deb) = (VersionScheme::Pep440, VersionScheme::Deb);
        assert!(is_inside(python, "i2.0 l2.1.0", "2.1.0+cu118"));
        assert!(!is_inside(python, "i2.0 f2.1.0", "2.1.0+cu118"));
        assert!(is_inside(deb, "i1.0 l1.2", "1.2-3"));
        assert!(is_inside(deb, "i1.2-3 l1.3-1", "1.2"));
        assert!(!is_inside(deb, "i1.0 f1.2", "1.2-3"));
        assert!(is_inside(NPM, "i1.0.0 l1.2.3", "1.2.3+build"));
    }

    #[test]
    fn a_bad_bound_makes_unknown_only_what_depends_on_it() {
        for (events, version, wanted) in [
            ("i1.0.0 f${x}", "0.9.0", Place::Outside),
            ("i1.0.0 f${x}", "1.5.0", Place::Unsure),
            ("iunspecified f2.0.0", "1.0.0", Place::Unsure),
            ("iunspecified i1.0.0", "1.5.0", Place::Inside(">=1.0.0".into())),
            ("i0 xlatest", "1.0.0", Place::Unsure),
            ("i0 xlatest x2.0.0", "1.0.0", Place::Inside(">=0".into())),
        ] {
            assert_eq!(place(NPM, events, version), wanted, "{events} {version}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_permutation_gives_the_same_intervals(
            words in prop::collection::vec(("[iflx]", "[0-3](\\.(0|1|rc|foo|beta)){0,2}"), 0..9)
                .prop_map(|pairs| pairs.into_iter().map(|(a, b)| a + &b).collect::<Vec<_>>())
                .prop_flat_map(|words| (Just(words.clone()), Just(words).prop_shuffle())),
        ) {
            let (one, two) = words;
            for scheme in [VersionScheme::Maven, NPM, VersionScheme::Pep440] {
                let (one, two) = (range(scheme, &one.join(" ")), range(scheme, &two.join(" ")));
                prop_assert_eq!(shown(&one), shown(&two));
            }
        }
    }
}
