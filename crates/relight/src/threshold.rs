//! The level at which findings fail a pipeline: `--fail-on`.

use relight_model::Finding;

/// What must be found for the threshold to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    /// A CVSS base score of at least this many tenths. A flaw that nobody has scored counts as
    /// critical: silence is no reason to pass.
    Score(u16),
    /// In a catalogue of known exploited vulnerabilities.
    KnownExploited,
}

impl Threshold {
    /// The values of the option.
    pub(crate) const NAMES: &'static [&'static str] = &["low", "medium", "high", "critical", "kev"];

    /// Bounds of the CVSS qualitative scale (specification 3.1, section 5), in tenths; `low`
    /// takes in everything.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "low" => Some(Self::Score(0)),
            "medium" => Some(Self::Score(40)),
            "high" => Some(Self::Score(70)),
            "critical" => Some(Self::Score(90)),
            "kev" => Some(Self::KnownExploited),
            _ => None,
        }
    }

    /// Whether a finding that is certain meets it; an uncertain one makes the answer incomplete
    /// instead.
    pub(crate) fn is_met(self, finding: &Finding) -> bool {
        finding.state.is_affected()
            && match self {
                Self::Score(least) => finding.score.unwrap_or(u16::MAX) >= least,
                Self::KnownExploited => finding.known_exploited,
            }
    }
}

#[cfg(test)]
mod tests {
    use relight_model::FindingState;

    use super::*;

    fn finding(score: Option<u16>, known_exploited: bool, state: FindingState) -> Finding {
        let (id, rule) = ("CVE-2021-1".into(), String::new());
        Finding { id, aliases: Vec::new(), state, rule, score, known_exploited }
    }

    #[test]
    fn levels_follow_the_scale_and_silence_is_critical() {
        for (name, score, met) in [
            ("low", Some(1), true),
            ("medium", Some(39), false),
            ("medium", Some(40), true),
            ("high", Some(69), false),
            ("high", Some(70), true),
            ("critical", Some(89), false),
            ("critical", Some(90), true),
            ("critical", None, true),
            ("kev", Some(100), false),
        ] {
            let level = Threshold::parse(name).unwrap();
            assert_eq!(level.is_met(&finding(score, false, FindingState::Affected)), met, "{name}");
        }
        assert!(Threshold::KnownExploited.is_met(&finding(None, true, FindingState::Mitigated)));
        for state in
            [FindingState::DeclaredOnly, FindingState::PossibleMatch, FindingState::RangeUnresolved]
        {
            assert!(!Threshold::Score(0).is_met(&finding(None, true, state)));
        }
        assert!(Threshold::NAMES.iter().all(|name| Threshold::parse(name).is_some()));
        assert_eq!(Threshold::parse("none"), None);
    }
}
