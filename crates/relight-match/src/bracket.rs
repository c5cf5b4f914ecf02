//! A component whose bytes leave several versions open: what is said of each, made into one.

use relight_model::{Basis, Component, Finding, FindingState};

use crate::opinion::{Judgement, Stand, Why};

/// Whether only the candidates say which version it is.
pub(crate) fn is_open(component: &Component) -> bool {
    component.purl.version.is_empty() && !component.candidates.is_empty()
}

/// How many of the candidates must be affected before the component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Every one.
    All,
    /// One: the code that the advisory is about is there, and is also that of this candidate.
    One,
}

impl Needed {
    /// For a component of which an advisory names classes, or names none.
    pub(crate) fn of(component: &Component, names_classes: bool) -> Self {
        if names_classes && component.basis == Basis::NamedClass { Self::One } else { Self::All }
    }

    const fn is_met(self, affected: usize, all: usize) -> bool {
        match self {
            Self::All => affected == all,
            Self::One => affected > 0,
        }
    }
}

/// Affected if enough candidates are, nothing if none is, else a possible match: "nearest" is never
/// taken for "is". A mitigation counts only if it mitigates all of them.
pub(crate) fn judge(
    component: &Component,
    needed: Needed,
    judge_one: impl Fn(&Component) -> Option<Finding>,
) -> Option<Finding> {
    let mut single = Component { candidates: Vec::new(), ..component.clone() };
    let mut verdicts = Vec::new();
    for version in &component.candidates {
        single.purl.version.clone_from(version);
        verdicts.push(judge_one(&single));
    }
    let affected = verdicts.iter().flatten().filter(|it| it.state.is_affected()).count();
    let all_mitigated = verdicts.iter().flatten().all(|it| it.state == FindingState::Mitigated);
    let state = match (needed.is_met(affected, verdicts.len()), all_mitigated) {
        (true, true) => FindingState::Mitigated,
        (true, false) => FindingState::Affected,
        (false, _) => FindingState::PossibleMatch,
    };
    // The plain one before the mitigated one: its rule is the reason.
    let finding = verdicts.into_iter().flatten().min_by_key(|it| it.state)?;
    let rule = match state {
        FindingState::PossibleMatch => {
            let versions = component.candidates.join(", ");
            format!("{}, if it is that one of {versions}", finding.rule)
        }
        _ => finding.rule,
    };
    Some(Finding { state, rule, ..finding })
}

/// As [`judge`], with every opinion about every candidate.
pub(crate) fn judgement(
    component: &Component,
    needed: Needed,
    judge_one: impl Fn(&Component) -> Judgement,
) -> Judgement {
    let mut single = Component { candidates: Vec::new(), ..component.clone() };
    let mut all = Vec::new();
    for version in &component.candidates {
        single.purl.version.clone_from(version);
        all.push(judge_one(&single));
    }
    let count = |stand: Stand| all.iter().filter(|it| it.stand() == stand).count();
    let is_clear = count(Stand::NotAffected) == all.len();
    let is_affected = needed.is_met(count(Stand::Affected), all.len());
    let mut merged = Judgement::merged(all);
    if !is_clear && !is_affected {
        merged.overrule(Stand::Unknown(Why::SeveralVersions), None);
    }
    merged
}
