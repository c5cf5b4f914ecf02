//! `relight affected ID --cpe`: what records say of the CPE names that people gave to sites, laid
//! over the answers by package. A name adds sites and doubts; it never clears any.

use std::collections::BTreeMap;

use relight_engine::answer::AnswerSet;
use relight_engine::matching::{Cpe, CpeOpinion, Group, Stand};
use relight_model::{Answer, Site, SiteId, UnknownReason};

use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;

/// The names that say "affected", by site.
pub(super) type Named = BTreeMap<SiteId, Vec<String>>;

/// Changes the answers of sites whose names are affected, or may be.
pub(super) fn lay(
    group: &Group,
    register: &Register,
    (sites, answers): (&[&Site], &mut AnswerSet),
    context: &Context,
) -> Result<Named, Failure> {
    let given = register.store.cpes_of_sites().map_err(|error| context.store_failure(&error))?;
    let mut named = Named::new();
    for (site, answer) in sites.iter().zip(&mut answers.sites) {
        let Some(names) = given.get(&site.slug) else { continue };
        let stated: Vec<Cpe> = names.iter().filter_map(|name| Cpe::parse(name).ok()).collect();
        let opinions = group.by_cpe(&stated);
        match CpeOpinion::stand_of(&opinions) {
            Stand::Affected => {
                answer.answer = Answer::Affected;
                named.insert(site.id, saying(group, &stated));
            }
            Stand::Unknown(_) if !opinions.is_empty() => {
                let reason = UnknownReason::PossibleMatch;
                answer.reasons.push(reason);
                answer.reasons.sort();
                answer.reasons.dedup();
                if matches!(answer.answer, Answer::Clear(_)) {
                    answer.answer = Answer::Unknown(reason);
                }
            }
            _ => {}
        }
    }
    Ok(named)
}

/// The names that say "affected" by themselves; all, where only some of them together do.
fn saying(group: &Group, stated: &[Cpe]) -> Vec<String> {
    let is_affected = |name: &&Cpe| {
        let opinions = group.by_cpe(std::slice::from_ref(*name));
        CpeOpinion::stand_of(&opinions) == Stand::Affected
    };
    let alone: Vec<String> = stated.iter().filter(is_affected).map(Cpe::to_string).collect();
    let all = || stated.iter().map(Cpe::to_string).collect();
    if alone.is_empty() { all() } else { alone }
}
