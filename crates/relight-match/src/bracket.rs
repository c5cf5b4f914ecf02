//! A component whose bytes leave several versions open: what is said of each, made into one.

use relight_model::{Basis, Component, Finding, FindingState};

use crate::opinion::{Judgement, Stand, Why};

/// Whether only the candidates say which version it is.
pub(crate) fn is_open(component: &Component) -> bool {
    component.purl.version.is_empty() && !component.candidates.is_empty()
}

/// How the candidates of a component are read for one advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// One affected candidate is enough, not all: the code that the advisory is about is there, and
    /// is also that of this candidate.
    one_is_enough: bool,
    /// It may be a version beside the candidates: fingerprints were compared with the versions that
    /// somebody learnt, and an older one with nearly the same code may be affected.
    may_be_another: bool,
}

impl Reading {
    /// For a component of which an advisory names classes, or names none. Classes are the code
    /// itself, whatever version they came with.
    pub(crate) fn of(component: &Component, names_classes: bool) -> Self {
        let (is_class, is_part) = match component.basis {
            Basis::NamedClass => (true, true),
            Basis::FingerprintPartial => (false, true),
            _ => (false, false),
        };
        Self { one_is_enough: is_class && names_classes, may_be_another: is_part && !names_classes }
    }

    const fn is_affected(self, affected: usize, all: usize) -> bool {
        if self.one_is_enough { affected > 0 } else { affected == all }
    }
}

/// The component with each of its candidates.
fn singles(component: &Component) -> impl Iterator<Item = Component> {
    let single = without_version(component);
    component.candidates.iter().map(move |version| {
        let mut single = single.clone();
        single.purl.version.clone_from(version);
        single
    })
}

fn without_version(component: &Component) -> Component {
    Component { candidates: Vec::new(), ..component.clone() }
}

/// Affected if enough candidates are, nothing if none is and it can be no other version, else a
/// possible match: "nearest" is never taken for "is". A mitigation counts only if it mitigates all
/// of them.
pub(crate) fn judge(
    component: &Component,
    reading: Reading,
    judge_one: impl Fn(&Component) -> Option<Finding>,
) -> Option<Finding> {
    let verdicts: Vec<_> = singles(component).map(|single| judge_one(&single)).collect();
    let affected = verdicts.iter().flatten().filter(|it| it.state.is_affected()).count();
    let all_mitigated = verdicts.iter().flatten().all(|it| it.state == FindingState::Mitigated);
    let state = match (reading.is_affected(affected, verdicts.len()), all_mitigated) {
        (true, true) => FindingState::Mitigated,
        (true, false) => FindingState::Affected,
        (false, _) => FindingState::PossibleMatch,
    };
    // The plain one before the mitigated one: its rule is the reason.
    let said = verdicts.into_iter().flatten().min_by_key(|it| it.state);
    let another = || judge_one(&without_version(component)).filter(|_| reading.may_be_another);
    let (finding, is_of_candidate) = match said {
        Some(finding) => (finding, true),
        None => (another()?, false),
    };
    let versions = component.candidates.join(", ");
    let rule = match (state, is_of_candidate) {
        (FindingState::PossibleMatch, true) => {
            format!("{}, if it is that one of {versions}", finding.rule)
        }
        (FindingState::PossibleMatch, false) => {
            format!("{}, if it is another version than {versions}", finding.rule)
        }
        _ => finding.rule,
    };
    Some(Finding { state, rule, ..finding })
}

/// As [`judge`], with every opinion about every candidate.
pub(crate) fn judgement(
    component: &Component,
    reading: Reading,
    judge_one: impl Fn(&Component) -> Judgement,
) -> Judgement {
    let mut all: Vec<_> = singles(component).map(|single| judge_one(&single)).collect();
    let count = |stand: Stand| all.iter().filter(|it| it.stand() == stand).count();
    let mut is_clear = count(Stand::NotAffected) == all.len();
    let is_affected = reading.is_affected(count(Stand::Affected), all.len());
    if is_clear && reading.may_be_another {
        let another = judge_one(&without_version(component));
        is_clear = another.stand() == Stand::NotAffected;
        if !is_clear {
            all.push(another);
        }
    }
    let mut merged = Judgement::merged(all);
    if !is_clear && !is_affected {
        merged.overrule(Stand::Unknown(Why::SeveralVersions), None);
    }
    merged
}
