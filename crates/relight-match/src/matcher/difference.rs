//! What a full match gives otherwise than the lists that followed each change.

use std::collections::{BTreeMap, BTreeSet};

use super::Match;

/// The matches of one flaw that stand in one of the two lists alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The id under which the flaw is shown.
    pub flaw: String,
    /// What followed each change had them.
    pub pushed: Vec<Match>,
    /// The full match gives them.
    pub full: Vec<Match>,
}

pub(super) fn between(
    pushed: &BTreeMap<String, Vec<Match>>,
    full: &BTreeMap<String, Vec<Match>>,
) -> Vec<Difference> {
    let flaws: BTreeSet<&String> = pushed.keys().chain(full.keys()).collect();
    let difference = |flaw: &String| {
        let [old, new] = [pushed, full].map(|lists| lists.get(flaw).map_or(&[][..], Vec::as_slice));
        let only = |these: &[Match], those: &[Match]| -> Vec<Match> {
            let those: BTreeSet<&Match> = those.iter().collect();
            these.iter().filter(|it| !those.contains(it)).copied().collect()
        };
        // Equal matches in another order, or twice, are a difference as well.
        let is_same = old == new;
        (!is_same).then(|| Difference {
            flaw: flaw.clone(),
            pushed: only(old, new),
            full: only(new, old),
        })
    };
    flaws.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opinion::Stand;

    fn list(numbers: &[u32]) -> Vec<Match> {
        let one = |number: &u32| Match {
            identity: *number,
            stand: Stand::Affected,
            is_mitigated: false,
            is_disputed: false,
            by_statement: false,
        };
        numbers.iter().map(one).collect()
    }

    #[test]
    fn what_one_list_alone_has_is_told() {
        let lists = |lists: &[(&str, &[u32])]| -> BTreeMap<String, Vec<Match>> {
            lists.iter().map(|(flaw, numbers)| ((*flaw).to_owned(), list(numbers))).collect()
        };
        let pushed = lists(&[("A", &[1, 2]), ("B", &[1]), ("C", &[1])]);
        let full = lists(&[("A", &[1, 3]), ("B", &[1]), ("D", &[4])]);
        let told = |flaw: &str, pushed: &[u32], full: &[u32]| Difference {
            flaw: flaw.to_owned(),
            pushed: list(pushed),
            full: list(full),
        };
        let wanted = [told("A", &[2], &[3]), told("C", &[1], &[]), told("D", &[], &[4])];
        assert_eq!(between(&pushed, &full), wanted);
        assert_eq!(between(&full, &full), []);
    }
}
