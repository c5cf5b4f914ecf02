//! From the events of a range to its intervals.

use std::cmp::Ordering;

use relight_model::BoundBasis;

use super::{High, Interval, Low, Mark, Range};

/// The distinct versions of the events, in order; versions that are equal are one point.
#[derive(Default)]
pub(super) struct Points(Vec<Point>);

/// What the events say at one version; `None` stands before every version.
pub(super) struct Point {
    mark: Option<Mark>,
    pub(super) introduced: bool,
    pub(super) fixed: bool,
    pub(super) last_affected: bool,
}

impl Points {
    pub(super) fn at(&mut self, mark: Option<Mark>) -> &mut Point {
        let order = |point: &Point| match (&point.mark, &mark) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => a.version.compare(&b.version).unwrap_or(Ordering::Equal),
        };
        let at = self.0.partition_point(|point| order(point).is_lt());
        if !self.0.get(at).is_some_and(|point| order(point).is_eq()) {
            let point = Point { mark, introduced: false, fixed: false, last_affected: false };
            self.0.insert(at, point);
        }
        &mut self.0[at]
    }

    /// One walk with an open or closed state. Where a version is both introduced and fixed, an
    /// open interval goes on and a closed one stays closed: real records hold both kinds.
    pub(super) fn walk(self, told: &mut Range) {
        let mut open: Option<Low> = None;
        for point in self.0 {
            open = match open {
                Some(low) => point.inside(low, told),
                None => point.outside(told),
            };
        }
        if let Some(low) = open {
            told.intervals.push(interval(low, High::Open, BoundBasis::Limit));
        }
    }
}

impl Point {
    /// The walk comes here within an interval; the start of the one that goes on, if one does.
    fn inside(self, low: Low, told: &mut Range) -> Option<Low> {
        if self.introduced {
            told.has_ignored |= !self.fixed;
            return Some(low);
        }
        let (high, basis) = match self.mark {
            None => (High::Nothing, BoundBasis::Fixed),
            // Where a version is said to be the last affected one and the fix, it is affected.
            Some(mark) if self.fixed && !self.last_affected => {
                (High::Exclusive(mark), BoundBasis::Fixed)
            }
            Some(mark) => (High::Inclusive(mark), BoundBasis::LastAffected),
        };
        told.intervals.push(interval(low, high, basis));
        None
    }

    /// The walk comes here between intervals; the start of a new one, if one starts.
    fn outside(self, told: &mut Range) -> Option<Low> {
        let low = |mark: Option<Mark>| mark.map_or(Low::Open, Low::Inclusive);
        if !self.introduced {
            told.has_ignored = true;
            // Whatever is meant by it, this version is called affected.
            if let Some(mark) = self.mark.filter(|_| self.last_affected) {
                told.intervals.push(single(mark));
            }
            return None;
        }
        if self.fixed && !self.last_affected {
            told.has_empty = true;
            told.is_nothing |= self.mark.is_none();
            return None;
        }
        match self.mark {
            Some(mark) if self.last_affected => {
                told.intervals.push(single(mark));
                None
            }
            mark => Some(low(mark)),
        }
    }
}

fn single(mark: Mark) -> Interval {
    interval(Low::Inclusive(mark.clone()), High::Inclusive(mark), BoundBasis::LastAffected)
}

const fn interval(lo: Low, hi: High, basis: BoundBasis) -> Interval {
    Interval { lo, hi, basis, is_unsure: false }
}
