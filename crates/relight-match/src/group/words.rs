//! What a group tells besides its verdict: ratings, files, and why.

use relight_model::{Example, Exhibit, FindingState, Glob, Rating};
use sha2::{Digest as _, Sha256};

use super::Member;
use crate::authority::enriches;
use crate::cvss::{CvssVersion, cvss_scores};
use crate::opinion::{Opinion, Rule, Stand};

/// What tells one exhibit from another; what the example was called does not.
pub(super) fn exhibit_form(exhibit: &Exhibit, hash: &mut Sha256) {
    match exhibit {
        Exhibit::File(digest) => {
            hash.update("file");
            hash.update(digest.0);
        }
        Exhibit::Like(Example { name: _, values, least }) => {
            hash.update("like");
            hash.update(least.to_le_bytes());
            for values in [&values.classes, &values.members] {
                hash.update((values.len() as u64).to_le_bytes());
                values.iter().for_each(|value| hash.update(value.to_le_bytes()));
            }
        }
        Exhibit::Path(glob) => pattern_form("path", glob, hash),
        Exhibit::Class(glob) => pattern_form("class", glob, hash),
    }
}

fn pattern_form(kind: &str, glob: &Glob, hash: &mut Sha256) {
    hash.update(kind);
    hash.update((glob.as_str().len() as u64).to_le_bytes());
    hash.update(glob.as_str());
}

/// The rating that counts, and by what it came first.
pub(super) fn chosen(records: &[Member]) -> Option<((CvssVersion, bool, u16), &Rating)> {
    let in_force = records.iter().map(|it| it.record.as_ref()).filter(|it| it.is_in_force());
    let ratings = in_force.flat_map(|record| record.severities.iter().map(move |it| (record, it)));
    let scored = ratings.filter_map(|(record, rating)| {
        let scores = cvss_scores(&rating.vector).ok()?;
        Some(((scores.version, !enriches(record, rating), scores.base), rating))
    });
    scored.max()
}

pub(super) const fn mitigated(state: FindingState) -> FindingState {
    match state {
        FindingState::Affected => FindingState::Mitigated,
        state => state,
    }
}

/// Who decided and why, in one line for logs.
pub(super) fn rule_text(opinion: &Opinion, stand: Stand) -> String {
    let Opinion { source, record, interval, .. } = opinion;
    let said = match (opinion.rule, opinion.stand) {
        (Rule::Listed, _) => format!("version {} is listed", interval.trim_start_matches('=')),
        (_, Stand::Unknown(why)) => why.as_str().to_owned(),
        (rule, _) if interval.is_empty() => rule.as_str().to_owned(),
        _ => interval.clone(),
    };
    match (opinion.stand, stand) {
        (Stand::Affected, Stand::Unknown(why)) => {
            format!("{source} {record}: {said}, {}", why.as_str())
        }
        _ => format!("{source} {record}: {said}"),
    }
}
