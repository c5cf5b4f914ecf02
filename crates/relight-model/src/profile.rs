//! What an archive is made of, as numbers: enough to find its like, too little to read it.

use crate::ClassNames;

/// What is missing from a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileGap {
    /// Nothing.
    #[default]
    None,
    /// Members that are no classes and whose container has no check sums (tar): they may hold
    /// anything.
    Members,
    /// A limit was reached: any value may be missing.
    Values,
}

impl ProfileGap {
    /// Every gap, the least first.
    pub const ALL: [Self; 3] = [Self::None, Self::Members, Self::Values];

    /// The stable number used on the disk.
    pub const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Members => 1,
            Self::Values => 2,
        }
    }

    /// Reads a stable number back.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|gap| gap.code() == code)
    }
}

/// Which values of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// Its classes.
    Classes,
    /// Its other members.
    Members,
}

impl ValueKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Classes, Self::Members];

    /// The stable name used on the disk.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classes => "classes",
            Self::Members => "members",
        }
    }
}

/// The values of one container, wherever it is. Equal containers have equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Values {
    /// The *text* fingerprints of its classes, which do not change when a class is moved to
    /// another package. Sorted, without doubles.
    pub classes: Vec<u64>,
    /// CRC-32 and size of its other members. Sorted, without doubles.
    pub members: Vec<u64>,
    /// What is missing.
    pub gap: ProfileGap,
}

impl Values {
    /// Sorts, and drops doubles.
    pub fn normalise(&mut self) {
        for values in [&mut self.classes, &mut self.members] {
            values.sort_unstable();
            values.dedup();
        }
    }

    /// Adds those of another container.
    pub fn merge(&mut self, other: Self) {
        self.classes.extend(other.classes);
        self.members.extend(other.members);
        self.gap = self.gap.max(other.gap);
        self.normalise();
    }

    /// What is compared when this is the example: code wherever there is any.
    pub const fn compared(&self) -> ValueKind {
        if self.classes.is_empty() { ValueKind::Members } else { ValueKind::Classes }
    }

    /// Those of one kind.
    pub fn of(&self, kind: ValueKind) -> &[u64] {
        match kind {
            ValueKind::Classes => &self.classes,
            ValueKind::Members => &self.members,
        }
    }

    /// There is nothing to compare.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty() && self.members.is_empty()
    }
}

/// One container of an asset and its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Profile {
    /// Its evidence path; that of a folder of a class path ends in `/`.
    pub place: String,
    /// What it is made of.
    pub values: Values,
    /// What its classes are called; `None` where nobody kept it.
    pub names: Option<ClassNames>,
}

impl Profile {
    /// Sorts profiles, and makes one of those that have the same place.
    pub fn unite(profiles: &mut Vec<Self>) {
        profiles.sort();
        profiles.dedup_by(|next, kept| {
            let is_same = next.place == kept.place;
            if is_same {
                kept.values.merge(std::mem::take(&mut next.values));
                kept.names = match (kept.names.take(), next.names.take()) {
                    (Some(one), Some(other)) => Some(one.with(&other)),
                    _ => None,
                };
            }
            is_same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_read_back() {
        for gap in ProfileGap::ALL {
            assert_eq!(ProfileGap::of_code(gap.code()), Some(gap));
        }
        assert_eq!(ProfileGap::of_code(3), None);
    }

    #[test]
    fn a_union_has_no_doubles_and_the_larger_gap() {
        let mut one = Values { classes: vec![3, 1], members: vec![9], gap: ProfileGap::Members };
        let gap = ProfileGap::Values;
        one.merge(Values { classes: vec![1, 2], members: Vec::new(), gap });
        assert_eq!(one, Values { classes: vec![1, 2, 3], members: vec![9], gap });
        assert!(!one.is_empty() && Values::default().is_empty());
    }

    #[test]
    fn code_is_compared_wherever_there_is_any() {
        let both = Values { classes: vec![1], members: vec![2, 3], gap: ProfileGap::None };
        assert_eq!((both.compared(), both.of(both.compared())), (ValueKind::Classes, &[1][..]));
        let files = Values { classes: Vec::new(), ..both };
        assert_eq!(
            (files.compared(), files.of(files.compared())),
            (ValueKind::Members, &[2, 3][..])
        );
        assert_eq!(Values::default().compared(), ValueKind::Members);
    }

    #[test]
    fn a_place_is_told_once() {
        let one = |place: &str, value| {
            let values = Values { members: vec![value], ..Values::default() };
            let names = ClassNames::of([format!("C{value}")], true);
            Profile { place: place.into(), values, names: Some(names) }
        };
        let mut profiles = vec![one("b", 2), one("a", 3), one("b", 1), one("b", 2)];
        Profile::unite(&mut profiles);
        let values = Values { members: vec![1, 2], ..Values::default() };
        let names = Some(ClassNames::of(["C1", "C2"].map(str::to_owned), true));
        assert_eq!(profiles, [one("a", 3), Profile { place: "b".into(), values, names }]);
        // What one of them does not tell is not known of both.
        profiles.push(Profile { names: None, ..one("a", 3) });
        profiles.push(Profile { names: None, ..one("a", 4) });
        Profile::unite(&mut profiles);
        assert_eq!(profiles[0].names, None);
    }
}
