//! `[[standing]]` of `policy.toml`: approvals that are given beforehand, for a rule.

use relight_engine::incident::Authority;
use relight_engine::plan::PLAN_SITES_MAX;
use relight_web::number::moment;
use serde::Deserialize;

/// Most of them in one file.
const STANDING_MAX: usize = 16;

/// The least score that may be enough by itself, in tenths: what CVSS calls critical.
const SCORE_MIN: u16 = 90;

/// One of them, as people write it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    name: String,
    order: String,
    legal_basis: String,
    asked_by: String,
    given_by: String,
    score_min: f64,
    #[serde(default)]
    known_exploited: bool,
    sites_max: usize,
    #[serde(default)]
    vital: bool,
    expires: String,
}

impl Written {
    /// What it gives, or what is wrong with it. That it ends within a year is for the journal, at
    /// the moment at which it takes it.
    fn authority(&self) -> Result<Authority, &'static str> {
        let trimmed = |text: &String| text.trim().to_owned();
        let expires = moment(self.expires.trim()).ok_or("standing.expires is no date")?;
        let score_min = tenths(self.score_min).ok_or("standing.score_min is from 9.0 to 10.0")?;
        if !(1..=PLAN_SITES_MAX).contains(&self.sites_max) {
            return Err("standing.sites_max is from 1 to 100000");
        }
        let given = Authority {
            name: trimmed(&self.name),
            score_min,
            known_exploited: self.known_exploited,
            sites_max: self.sites_max,
            vital: self.vital,
            order: trimmed(&self.order),
            legal_basis: trimmed(&self.legal_basis),
            proposer: trimmed(&self.asked_by),
            approver: trimmed(&self.given_by),
            expires,
        };
        // At the last moment of its life only what it says can be wrong.
        match given.check(expires.saturating_sub(1)) {
            Ok(()) => Ok(given),
            Err(_) => Err("standing names its order, its legal basis and two people"),
        }
    }
}

/// A score from 9.0 to 10.0 in tenths.
fn tenths(score: f64) -> Option<u16> {
    (SCORE_MIN..=100).find(|tenths| (f64::from(*tenths) / 10.0 - score).abs() < 1e-6)
}

/// All of a file, or what is wrong with one of them.
pub(crate) fn authorities(written: &[Written]) -> Result<Vec<Authority>, &'static str> {
    if written.len() > STANDING_MAX {
        return Err("there are more than 16 of standing");
    }
    let given: Vec<Authority> = written.iter().map(Written::authority).collect::<Result<_, _>>()?;
    let mut names: Vec<&str> = given.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("two of standing have the same name");
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cvss_calls_critical_is_enough_by_itself() {
        for (score, wanted) in [
            (9.0, Some(90)),
            (9.8, Some(98)),
            (10.0, Some(100)),
            (8.9, None),
            (10.1, None),
            (9.85, None),
            (f64::NAN, None),
            (-10.0, None),
        ] {
            assert_eq!(tenths(score), wanted, "{score}");
        }
    }
}
