//! What configurations of CPE names say of names that somebody stated: on request only, beside the
//! answer by package and never in its place.

use std::cmp::Ordering;

use relight_model::{Bound, CpeConfiguration, CpeMatch, CpeNode, CpeOperator};

use crate::cpe::{Cpe, CpeFit};
use crate::group::Group;
use crate::opinion::{Stand, Why};
use crate::version::{Version, VersionScheme};

/// Most names that one question may state.
pub const CPE_STATED_MAX: usize = 64;

/// What the configurations of one record say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpeOpinion {
    /// The source of the record.
    pub source: String,
    /// Its id.
    pub record: String,
    /// What it says.
    pub stand: Stand,
}

impl Group {
    /// What each record in force with configurations says of the names; the first
    /// [`CPE_STATED_MAX`] of them count.
    pub fn by_cpe(&self, stated: &[Cpe]) -> Vec<CpeOpinion> {
        let stated = &stated[..stated.len().min(CPE_STATED_MAX)];
        let records = self.records().filter(|it| it.is_in_force() && !it.configurations.is_empty());
        let told = records.map(|record| CpeOpinion {
            source: record.source.clone(),
            record: record.id.clone(),
            stand: any(record.configurations.iter().map(|it| configuration(it, stated))),
        });
        told.collect()
    }
}

impl CpeOpinion {
    /// The answer over several records: one that says affected is enough. No record at all is no
    /// answer.
    pub fn stand_of(opinions: &[Self]) -> Stand {
        if opinions.is_empty() {
            return Stand::Unknown(Why::NoRange);
        }
        any(opinions.iter().map(|it| it.stand))
    }
}

/// One of them is enough; what is not known is not ruled out.
fn any(stands: impl Iterator<Item = Stand>) -> Stand {
    stands.min_by_key(|stand| place(*stand)).unwrap_or(Stand::NotAffected)
}

/// Every one is needed; nothing at all is nothing to be affected by.
fn every(stands: impl Iterator<Item = Stand>) -> Stand {
    stands.max_by_key(|stand| place(*stand)).unwrap_or(Stand::NotAffected)
}

const fn place(stand: Stand) -> u8 {
    match stand {
        Stand::Affected => 0,
        Stand::Unknown(_) => 1,
        Stand::NotAffected => 2,
    }
}

fn joined(operator: CpeOperator, negate: bool, stands: impl Iterator<Item = Stand>) -> Stand {
    let stand = match operator {
        CpeOperator::Or => any(stands),
        CpeOperator::And => every(stands),
    };
    match (negate, stand) {
        (true, Stand::Affected) => Stand::NotAffected,
        (true, Stand::NotAffected) => Stand::Affected,
        _ => stand,
    }
}

fn configuration(it: &CpeConfiguration, stated: &[Cpe]) -> Stand {
    joined(it.operator, it.negate, it.nodes.iter().map(|node| of_node(node, stated)))
}

fn of_node(it: &CpeNode, stated: &[Cpe]) -> Stand {
    joined(it.operator, it.negate, it.matches.iter().map(|one| of_match(one, stated)))
}

/// A platform that nobody stated may be there: it is not seen.
fn of_match(it: &CpeMatch, stated: &[Cpe]) -> Stand {
    let Ok(name) = Cpe::parse(&it.cpe) else { return Stand::Unknown(Why::FreeText) };
    let named: Vec<&Cpe> = stated.iter().filter(|one| meets(&name, one)).collect();
    if named.is_empty() && !it.vulnerable {
        return Stand::Unknown(Why::PlatformUnseen);
    }
    any(named.into_iter().map(|one| of_name(it, &name, one)))
}

/// Whether the names may be of one product, whatever its version.
fn meets(name: &Cpe, stated: &Cpe) -> bool {
    name.fit_but_version(stated) != CpeFit::Disjoint
}

fn of_name(it: &CpeMatch, name: &Cpe, stated: &Cpe) -> Stand {
    let stand = of_version(it, name, stated);
    let is_whole = name.fit_but_version(stated) == CpeFit::Covered;
    if stand == Stand::Affected && !is_whole { Stand::Unknown(Why::NameOnly) } else { stand }
}

/// A name without version and without bounds means no version for certain: it was written before
/// anybody knew, or forgotten.
fn of_version(it: &CpeMatch, name: &Cpe, stated: &Cpe) -> Stand {
    let has_bounds = (&it.lo, &it.hi) != (&Bound::Unbounded, &Bound::Unbounded);
    if name.is_unversioned() && !has_bounds {
        return Stand::Unknown(Why::AllVersions);
    }
    let version = stated.version();
    if version.is_empty() {
        return Stand::Unknown(Why::VersionMissing);
    }
    if !name.is_unversioned() {
        return match name.version_fit(stated) {
            CpeFit::Covered => Stand::Affected,
            CpeFit::Possible => Stand::Unknown(Why::VersionMissing),
            CpeFit::Disjoint => holds(&version, &name.version(), Ordering::is_eq),
        };
    }
    let lower = match &it.lo {
        Bound::Unbounded => Stand::Affected,
        Bound::Inclusive(lo) => holds(&version, lo, Ordering::is_ge),
        Bound::Exclusive(lo) => holds(&version, lo, Ordering::is_gt),
    };
    let upper = match &it.hi {
        Bound::Unbounded => Stand::Affected,
        Bound::Inclusive(hi) => holds(&version, hi, Ordering::is_le),
        Bound::Exclusive(hi) => holds(&version, hi, Ordering::is_lt),
    };
    every([lower, upper].into_iter())
}

/// Whether a version stands so to a bound. Plain numbers have an order; of anything else a place
/// outside is a guess.
fn holds(version: &str, bound: &str, wanted: fn(Ordering) -> bool) -> Stand {
    let of = |scheme, text: &str| Version::parse(scheme, text);
    let numbers = |text: &str| of(VersionScheme::IntDot, without_zeros(text));
    if let (Some(a), Some(b)) = (numbers(version), numbers(bound)) {
        let is_so = a.compare(&b).is_some_and(wanted);
        return if is_so { Stand::Affected } else { Stand::NotAffected };
    }
    let generic = |text: &str| of(VersionScheme::Generic, text);
    let order = generic(version).zip(generic(bound)).and_then(|(a, b)| a.compare(&b));
    match order {
        Some(order) if wanted(order) => Stand::Affected,
        Some(_) => Stand::Unknown(Why::OrderInexact),
        None => Stand::Unknown(Why::VersionUnordered),
    }
}

/// `1.0` and `1.0.0` are one release.
fn without_zeros(text: &str) -> &str {
    let mut text = text;
    while let Some(shorter) = text.strip_suffix(".0") {
        text = shorter;
    }
    text
}

#[cfg(test)]
mod tests {
    use relight_model::Advisory;

    use super::*;
    use crate::Advisories;

    const LOG4J: &str = "cpe:2.3:a:apache:log4j";

    fn name(start: &str, version: &str) -> String {
        format!("{start}:{version}:*:*:*:*:*:*:*")
    }

    fn one(cpe: &str, lo: Bound, hi: Bound) -> CpeMatch {
        CpeMatch { cpe: cpe.to_owned(), vulnerable: true, lo, hi }
    }

    fn node(operator: CpeOperator, matches: Vec<CpeMatch>) -> CpeNode {
        CpeNode { operator, negate: false, matches }
    }

    fn says(operator: CpeOperator, nodes: Vec<CpeNode>, stated: &[&str]) -> Stand {
        let configuration = CpeConfiguration { operator, negate: false, nodes };
        let record = Advisory {
            source: "nvd".into(),
            id: "CVE-2021-44228".into(),
            configurations: vec![configuration],
            ..Advisory::default()
        };
        let all = Advisories::new(vec![record]);
        let stated: Vec<Cpe> = stated.iter().map(|text| Cpe::parse(text).unwrap()).collect();
        let told = all.group("CVE-2021-44228").unwrap().by_cpe(&stated);
        assert_eq!(told.len(), 1);
        assert_eq!(CpeOpinion::stand_of(&told), told[0].stand);
        assert_eq!(CpeOpinion::stand_of(&[]), Stand::Unknown(Why::NoRange));
        told[0].stand
    }

    fn of_one(it: &CpeMatch, stated: &str) -> Stand {
        says(CpeOperator::Or, vec![node(CpeOperator::Or, vec![it.clone()])], &[stated])
    }

    #[test]
    fn bounds_hold_by_number_and_never_clear_by_a_guess() {
        let from = Bound::Inclusive("2.0.1".into());
        let range = one(&name(LOG4J, "*"), from, Bound::Exclusive("2.15.0".into()));
        for (version, wanted) in [
            ("2.0.1", Stand::Affected),
            ("2.14.1", Stand::Affected),
            ("2.15", Stand::NotAffected),
            ("2.15.0.0", Stand::NotAffected),
            ("2.0", Stand::NotAffected),
            ("2.9", Stand::Affected),
            ("2.14.1-beta", Stand::Affected),
            ("3.0-beta", Stand::Unknown(Why::OrderInexact)),
            ("*", Stand::Unknown(Why::VersionMissing)),
            ("-", Stand::Unknown(Why::VersionMissing)),
        ] {
            assert_eq!(of_one(&range, &name(LOG4J, version)), wanted, "{version}");
        }
        let other = name("cpe:2.3:a:apache:log4net", "2.14.1");
        assert_eq!(of_one(&range, &other), Stand::NotAffected);
        // The vendor is left open: it may be this one.
        let open = name("cpe:2.3:a:*:log4j", "2.14.1");
        assert_eq!(of_one(&range, &open), Stand::Unknown(Why::NameOnly));
    }

    /// `m02`: a name without version and without bounds is never "every version".
    #[test]
    fn a_name_without_version_and_bounds_is_unknown() {
        for version in ["*", "-"] {
            let all = one(&name(LOG4J, version), Bound::Unbounded, Bound::Unbounded);
            for stated in ["2.14.1", "2.17.1", "*"] {
                let said = of_one(&all, &name(LOG4J, stated));
                assert_eq!(said, Stand::Unknown(Why::AllVersions), "{version} {stated}");
            }
        }
        let single = one(&name(LOG4J, "2.14.1"), Bound::Unbounded, Bound::Unbounded);
        assert_eq!(of_one(&single, &name(LOG4J, "2.14.1")), Stand::Affected);
        assert_eq!(of_one(&single, &name(LOG4J, "2.14.1.0")), Stand::Affected);
        assert_eq!(of_one(&single, &name(LOG4J, "2.14.2")), Stand::NotAffected);
        let bad = one("cpe:2.3:a", Bound::Unbounded, Bound::Unbounded);
        assert_eq!(of_one(&bad, &name(LOG4J, "1")), Stand::Unknown(Why::FreeText));
    }

    #[test]
    fn all_nodes_are_needed_and_an_unseen_platform_is_unknown() {
        let windows = "cpe:2.3:o:microsoft:windows";
        let range = one(&name(LOG4J, "*"), Bound::Unbounded, Bound::Exclusive("2.15".into()));
        let platform = CpeMatch {
            vulnerable: false,
            ..one(&name(windows, "-"), Bound::Unbounded, Bound::Unbounded)
        };
        let on = |version: &str| CpeMatch { cpe: name(windows, version), ..platform.clone() };
        let both = |platform: CpeMatch, stated: &[&str]| {
            let nodes = vec![
                node(CpeOperator::Or, vec![range.clone()]),
                node(CpeOperator::Or, vec![platform]),
            ];
            says(CpeOperator::And, nodes, stated)
        };
        let (old, new) = (name(LOG4J, "2.14"), name(LOG4J, "2.16"));
        assert_eq!(both(on("10"), &[&old]), Stand::Unknown(Why::PlatformUnseen));
        assert_eq!(both(on("10"), &[&new]), Stand::NotAffected);
        assert_eq!(both(on("10"), &[&old, &name(windows, "10")]), Stand::Affected);
        assert_eq!(both(on("10"), &[&old, &name(windows, "11")]), Stand::NotAffected);
        assert_eq!(says(CpeOperator::And, Vec::new(), &[&old]), Stand::NotAffected);
    }

    #[test]
    fn what_is_turned_round_stays_unknown_where_it_was() {
        for (stand, turned) in [
            (Stand::Affected, Stand::NotAffected),
            (Stand::NotAffected, Stand::Affected),
            (Stand::Unknown(Why::AllVersions), Stand::Unknown(Why::AllVersions)),
        ] {
            assert_eq!(joined(CpeOperator::Or, true, [stand].into_iter()), turned);
        }
    }
}
