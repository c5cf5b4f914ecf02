//! npm's own versions and ranges, by the letter of its tool (semver 7): what dependency resolution
//! says. Advisories use the pure order instead, see [`NpmRange::to_set`].

use std::cmp::Ordering;
use std::fmt;

use crate::version::VersionScheme;
use crate::version_set::{Relation, VersionSet};

mod expand;
mod version;

pub use version::NpmVersion;

/// How a text is read and a range is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NpmOptions {
    /// Leading zeros, a missing hyphen before the pre-release, spaces after `v`.
    pub loose: bool,
    /// A pre-release is inside wherever its place is inside, and not only beside a bound of the
    /// same three numbers.
    pub include_prerelease: bool,
}

/// Alternatives of conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpmRange {
    alternatives: Vec<Vec<Comparator>>,
    options: NpmOptions,
}

/// `>=1.2.3`; without version it is true of every version.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    version: Option<NpmVersion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// Longest range and version, in bytes.
pub(crate) const NPM_BYTES_MAX: usize = 16 * 1024;

impl NpmRange {
    /// Reads a range; `None` for what npm refuses.
    pub fn parse(text: &str, options: NpmOptions) -> Option<Self> {
        Self::read(text, options, options.loose)
    }

    /// As [`Self::parse`]; `None` also where loose reading leaves a condition out.
    pub(crate) fn parse_whole(text: &str, options: NpmOptions) -> Option<Self> {
        Self::read(text, options, false)
    }

    fn read(text: &str, options: NpmOptions, may_lose: bool) -> Option<Self> {
        if text.len() > NPM_BYTES_MAX {
            return None;
        }
        let words: Vec<_> = text.split_whitespace().collect();
        let mut alternatives = Vec::new();
        for alternative in words.join(" ").split("||") {
            let comparators = expand::alternative(alternative.trim(), options, may_lose)?;
            if !comparators.is_empty() {
                alternatives.push(comparators);
            }
        }
        let first = alternatives.first()?.clone();
        alternatives.retain(|it| !it.first().is_some_and(Comparator::is_null));
        if alternatives.is_empty() {
            alternatives.push(first);
        }
        if let Some(any) = alternatives.iter().find(|it| it.len() == 1 && it[0].version.is_none()) {
            alternatives = vec![any.clone()];
        }
        Some(Self { alternatives, options })
    }

    /// Whether npm would install this version for the range.
    pub fn is_satisfied_by(&self, version: &NpmVersion) -> bool {
        self.alternatives.iter().any(|all| {
            let fits = all.iter().all(|it| it.fits(version));
            let is_open = !version.is_prerelease() || self.options.include_prerelease;
            fits && (is_open || all.iter().any(|it| it.allows_prerelease_of(version)))
        })
    }

    /// Whether the version is greater than everything in the range, as npm says it (`gtr`).
    pub fn is_below(&self, version: &NpmVersion) -> bool {
        self.is_outside(version, Side::Above)
    }

    /// Whether the version is less than everything in the range, as npm says it (`ltr`).
    pub fn is_above(&self, version: &NpmVersion) -> bool {
        self.is_outside(version, Side::Below)
    }

    /// Whether some version is in both ranges. Pre-releases of 0.0.0 count only where they are
    /// included.
    pub fn intersects(&self, other: &Self) -> bool {
        let pre = self.options.include_prerelease || other.options.include_prerelease;
        let lowest = if pre { "0.0.0-0" } else { "0.0.0" };
        let scheme = VersionScheme::Npm;
        let Some(everything) = VersionSet::of(scheme, Relation::From, lowest) else { return false };
        let both = self.to_set(scheme).zip(other.to_set(scheme));
        both.is_some_and(|(a, b)| !a.intersection(&b).intersection(&everything).is_empty())
    }

    /// The versions whose place is inside: what an advisory means by the range.
    pub fn to_set(&self, scheme: VersionScheme) -> Option<VersionSet> {
        let mut set = VersionSet::none(scheme);
        for alternative in &self.alternatives {
            let mut part = VersionSet::all(scheme);
            for comparator in alternative {
                let Some(version) = &comparator.version else { continue };
                let relation = comparator.operator.relation();
                let one = VersionSet::of(scheme, relation, &version.to_string())?;
                part = part.intersection(&one);
            }
            set = set.union(part);
        }
        Some(set)
    }

    fn is_outside(&self, version: &NpmVersion, side: Side) -> bool {
        !self.is_satisfied_by(version)
            && self.alternatives.iter().all(|it| side.is_beyond(it, version))
    }
}

impl fmt::Display for NpmRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternative = |all: &Vec<Comparator>| {
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let text = self.alternatives.iter().map(alternative).collect::<Vec<_>>().join("||");
        f.write_str(if text.is_empty() { "*" } else { &text })
    }
}

/// On which side of a range a version is asked to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

impl Side {
    /// Mirrors an order, so that one rule serves both sides.
    fn of(self, order: Ordering) -> Ordering {
        if self == Self::Above { order } else { order.reverse() }
    }

    /// Whether the version is beyond an alternative, by npm's rule: it looks at the outermost
    /// conditions only.
    fn is_beyond(self, comparators: &[Comparator], version: &NpmVersion) -> bool {
        let zero = Comparator {
            operator: Operator::GreaterOrEqual,
            version: Some(NpmVersion::release(0, 0, 0)),
        };
        let all: Vec<_> =
            comparators.iter().map(|it| if it.version.is_none() { &zero } else { it }).collect();
        let order = |a: &Comparator, b: &Comparator| self.of(a.version.cmp(&b.version));
        let (mut far, mut near) = (all[0], all[0]);
        for &it in &all {
            if order(it, far).is_gt() {
                far = it;
            } else if order(it, near).is_lt() {
                near = it;
            }
        }
        let (strict, wide) = match self {
            Self::Above => (Operator::Greater, Operator::GreaterOrEqual),
            Self::Below => (Operator::Less, Operator::LessOrEqual),
        };
        if far.operator == strict || far.operator == wide {
            return false;
        }
        let at = near.version.as_ref().map_or(Ordering::Equal, |near| self.of(version.cmp(near)));
        let stops_at = near.operator == Operator::Equal || near.operator == strict;
        !(stops_at && at.is_le() || near.operator == wide && at.is_lt())
    }
}

impl Comparator {
    const ANY: Self = Self { operator: Operator::Equal, version: None };

    fn fits(&self, version: &NpmVersion) -> bool {
        let Some(bound) = &self.version else { return true };
        let order = version.cmp(bound);
        match self.operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Greater => order.is_gt(),
        }
    }

    /// Whether it names a pre-release of the same three numbers.
    fn allows_prerelease_of(&self, version: &NpmVersion) -> bool {
        self.version.as_ref().is_some_and(|it| it.is_prerelease() && it.is_same_release(version))
    }

    /// `<0.0.0-0`: nothing at all.
    fn is_null(&self) -> bool {
        self.to_string() == "<0.0.0-0"
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}{version}", self.operator.as_str()),
            None => Ok(()),
        }
    }
}

impl Operator {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    const fn relation(self) -> Relation {
        match self {
            Self::Less => Relation::Below,
            Self::LessOrEqual => Relation::UpTo,
            Self::Equal => Relation::Exactly,
            Self::GreaterOrEqual => Relation::From,
            Self::Greater => Relation::Above,
        }
    }

    /// The operator at the start of a text, and what follows.
    fn split(text: &str) -> (Self, &str) {
        let known = [
            (">=", Self::GreaterOrEqual),
            ("<=", Self::LessOrEqual),
            (">", Self::Greater),
            ("<", Self::Less),
            ("=", Self::Equal),
        ];
        let found = known.iter().find_map(|(sign, it)| Some((*it, text.strip_prefix(sign)?)));
        found.unwrap_or((Self::Equal, text))
    }
}

#[cfg(test)]
mod tests;
