//! The names of the classes of one container, kept small: each one as far as it differs from the
//! one before it.

/// Longest name that is kept, in bytes; no name of a class file is longer.
const NAME_BYTES_MAX: usize = u16::MAX as usize;

/// Names of classes, with `/` between segments and without an ending.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassNames {
    /// Whether a name is missing.
    is_cut: bool,
    /// For each name: how many bytes it shares with the one before it, how many follow, these.
    coded: Vec<u8>,
}

impl ClassNames {
    /// Sorts names and drops doubles; `is_whole` says that none is missing.
    pub fn of(names: impl IntoIterator<Item = String>, is_whole: bool) -> Self {
        let mut names: Vec<String> = names.into_iter().collect();
        let count = names.len();
        names.retain(|name| name.len() <= NAME_BYTES_MAX);
        let is_cut = !is_whole || names.len() < count;
        names.sort_unstable();
        names.dedup();
        let (mut coded, mut before) = (Vec::new(), "");
        for name in &names {
            let shared = name.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
            // A name ends and begins between characters.
            let shared = (0..=shared).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
            for number in [shared, name.len() - shared] {
                coded.extend(u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes());
            }
            coded.extend(&name.as_bytes()[shared..]);
            before = name;
        }
        Self { is_cut, coded }
    }

    /// Reads back what [`ClassNames::bytes`] wrote; `None` for anything else.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (flag, coded) = bytes.split_first()?;
        let names = Self { is_cut: *flag == 1, coded: coded.to_vec() };
        let mut last = None::<String>;
        let is_sorted = names.decode(&mut |name| {
            let is_next = last.as_deref().is_none_or(|last| last < name);
            last = Some(name.to_owned());
            is_next
        });
        (*flag <= 1 && is_sorted).then_some(names)
    }

    /// As it is kept.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.is_cut)];
        bytes.extend(&self.coded);
        bytes
    }

    /// No name is missing.
    pub const fn is_whole(&self) -> bool {
        !self.is_cut
    }

    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        self.coded.len()
    }

    /// Calls `each` with every name, sorted.
    pub fn each(&self, each: &mut dyn FnMut(&str)) {
        let _ = self.decode(&mut |name| {
            each(name);
            true
        });
    }

    /// Every name, sorted.
    pub fn list(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.each(&mut |name| names.push(name.to_owned()));
        names
    }

    /// The same, of which some name is missing.
    #[must_use]
    pub fn cut(self) -> Self {
        Self { is_cut: true, ..self }
    }

    /// With those of another.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let is_whole = self.is_whole() && other.is_whole();
        Self::of(self.list().into_iter().chain(other.list()), is_whole)
    }

    /// False as soon as the bytes are none that were written, or `each` says so.
    fn decode(&self, each: &mut dyn FnMut(&str) -> bool) -> bool {
        let (mut rest, mut name) = (self.coded.as_slice(), Vec::new());
        while let Some((head, behind)) = rest.split_first_chunk::<4>() {
            let [shared, more] = [[head[0], head[1]], [head[2], head[3]]]
                .map(|number| usize::from(u16::from_le_bytes(number)));
            let Some((own, behind)) = behind.split_at_checked(more) else { return false };
            if shared > name.len() {
                return false;
            }
            name.truncate(shared);
            name.extend(own);
            rest = behind;
            if !std::str::from_utf8(&name).is_ok_and(&mut *each) {
                return false;
            }
        }
        rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str], is_whole: bool) -> ClassNames {
        ClassNames::of(names.iter().map(|name| (*name).to_owned()), is_whole)
    }

    #[test]
    fn names_come_back_sorted_and_once() {
        let kept = names(&["org/x/B", "org/x/A", "org/x/A", "", "org/é/C", "org/è/C"], true);
        let wanted = ["", "org/x/A", "org/x/B", "org/è/C", "org/é/C"];
        assert_eq!(kept.list(), wanted);
        assert_eq!(ClassNames::of_bytes(&kept.bytes()), Some(kept.clone()));
        let cut = kept.clone().cut();
        assert!(kept.is_whole() && !cut.is_whole());
        assert_eq!(ClassNames::of_bytes(&cut.bytes()), Some(cut.clone()));
        let both = names(&["a/B"], true).with(&cut);
        assert!(!both.is_whole());
        assert_eq!(both.list(), [&["", "a/B"], &wanted[1..]].concat());
        // Packages are written once.
        let many = (0..100).map(|n| format!("org/example/a/long/package/Class{n}"));
        assert!(ClassNames::of(many, true).size() < 100 * 8);
    }

    #[test]
    fn what_cannot_be_kept_is_missing() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        let kept = names(&[&long, "a"], true);
        assert_eq!((kept.list(), kept.is_whole()), (vec!["a".to_owned()], false));
        let fits = names(&[&long[1..]], true);
        assert!(fits.is_whole() && fits.list()[0].len() == NAME_BYTES_MAX);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let bytes = names(&["org/x/A", "org/x/B"], true).bytes();
        for end in 0..bytes.len() {
            let read = ClassNames::of_bytes(&bytes[..end]);
            assert!(read.is_none_or(|it| it.list().len() < 2), "{end}");
        }
        assert_eq!(ClassNames::of_bytes(&[]), None);
        assert_eq!(ClassNames::of_bytes(&[2]), None);
        for bad in [&[0, 1, 0, 0, 0][..], &[0, 0, 0, 1, 0, 0xff], &[0, 0, 0, 9, 0, b'a']] {
            assert_eq!(ClassNames::of_bytes(bad), None, "{bad:?}");
        }
        // Out of order: nobody wrote that.
        assert_eq!(ClassNames::of_bytes(&[0, 0, 0, 1, 0, b'b', 0, 0, 1, 0, b'a']), None);
    }
}
