//! The words of coded values: states, verdicts, reasons, flaws, severities, sectors, warnings.

use relight_model::{
    Channel, DisplayState, FlawCode, Severity, SiteExposure, UnknownReason, Verdict,
};

use crate::{Lang, texts};

/// The 24 sectors, in the order of the catalogue.
pub const SECTORS: [&str; 24] = [
    "school-service-centres",
    "health",
    "municipal",
    "colleges-universities",
    "finance-revenue",
    "justice",
    "tourism",
    "energy",
    "labour-solidarity",
    "family",
    "economy",
    "immigration",
    "forests-parks",
    "environment",
    "transport",
    "public-safety",
    "housing",
    "culture",
    "agriculture",
    "research",
    "registers",
    "archives",
    "statistics",
    "digital-services",
];

/// What could stand in the place of a word that is wrong in a query: keys, or values of its key.
pub fn query_choices(
    lang: Lang,
    (choices, are_values): (Vec<&str>, bool),
    near: Option<&str>,
) -> String {
    let choices = choices.join(", ");
    match (are_values, near) {
        (true, Some(near)) => texts::query_values_near(lang, near, &choices),
        (true, None) => texts::query_values(lang, &choices),
        (false, Some(near)) => texts::query_keys_near(lang, &choices, near),
        (false, None) => texts::query_keys(lang, &choices),
    }
}

/// What a display state is called.
pub fn state(lang: Lang, state: DisplayState) -> &'static str {
    coded(lang, "state-", state.as_str())
}

/// What a verdict is called.
pub fn verdict(lang: Lang, verdict: Verdict) -> &'static str {
    coded(lang, "verdict-", verdict.as_str())
}

/// Who can reach a site.
pub fn exposure(lang: Lang, exposure: SiteExposure) -> &'static str {
    coded(lang, "exposure-", exposure.as_str())
}

/// Why a site is unknown.
pub fn reason(lang: Lang, reason: UnknownReason) -> &'static str {
    coded(lang, "reason-", reason.as_str())
}

/// Why something was not read.
pub fn flaw(lang: Lang, flaw: FlawCode) -> &'static str {
    coded(lang, "flaw-", flaw.as_str())
}

/// The word of a step of the ladder of severities.
pub fn severity(lang: Lang, severity: Severity) -> &'static str {
    coded(lang, "severity-", severity.as_str())
}

/// How else a service is reached, and in which language that is said: in the one that was asked
/// for, else in the other. Nothing where nobody says.
pub fn channel(channel: &Channel, lang: Lang) -> Option<(Lang, &str)> {
    let of = |lang| match lang {
        Lang::Fr => (lang, channel.fr.as_str()),
        Lang::En => (lang, channel.en.as_str()),
    };
    [of(lang), of(lang.other())].into_iter().find(|(_, text)| !text.is_empty())
}

/// The name of a sector, or its code when the catalogue has no name for it.
pub fn sector(lang: Lang, code: &str) -> &str {
    texts::by_code(lang, &format!("sector-{code}")).unwrap_or(code)
}

/// The text of a warning code, or the code itself.
pub fn warning(lang: Lang, code: &str) -> &str {
    texts::by_code(lang, &format!("warning-{code}")).unwrap_or(code)
}

/// How a part of a site stands, or its code when there is no text for it.
pub fn part_state(lang: Lang, code: &str) -> &str {
    texts::by_code(lang, &format!("part-{code}")).unwrap_or(code)
}

/// What an edge or a probe met with, or its code when there is no text for it.
pub fn trouble(lang: Lang, code: &str) -> &str {
    texts::by_code(lang, &format!("reason-{code}")).unwrap_or(code)
}

/// Why a fix is not verified, with what was asked and what came.
pub fn tried(lang: Lang, code: &str, detail: &str) -> String {
    let code = if code.is_empty() { "asked" } else { code };
    let why = texts::by_code(lang, &format!("tried-{code}")).unwrap_or(code);
    if detail.is_empty() { why.to_owned() } else { texts::labelled(lang, why, detail) }
}

/// Why a payload cannot be sent, with its line in a text; line 0 names none.
pub fn unsendable(lang: Lang, line: usize, code: &str) -> String {
    let why = texts::by_code(lang, &format!("payload-{code}")).unwrap_or(code);
    if line == 0 { why.to_owned() } else { texts::payload_at(lang, line, why) }
}

fn coded(lang: Lang, prefix: &str, code: &'static str) -> &'static str {
    texts::by_code(lang, &format!("{prefix}{code}")).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_text_in_both_languages() {
        let mut keys: Vec<String> = Vec::new();
        keys.extend(DisplayState::ALL.map(|s| format!("state-{}", s.as_str())));
        keys.extend(UnknownReason::ALL.map(|r| format!("reason-{}", r.as_str())));
        keys.extend(FlawCode::ALL.map(|f| format!("flaw-{}", f.as_str())));
        keys.extend(Severity::ALL.map(|s| format!("severity-{}", s.as_str())));
        keys.extend(SECTORS.map(|code| format!("sector-{code}")));
        for verdict in [Verdict::Affected, Verdict::Clear, Verdict::Unknown] {
            keys.push(format!("verdict-{}", verdict.as_str()));
        }
        for key in keys {
            for lang in Lang::ALL {
                assert!(texts::by_code(lang, &key).is_some(), "{lang:?} {key}");
            }
        }
    }

    #[test]
    fn a_code_without_text_stays_visible() {
        assert_eq!(sector(Lang::Fr, "space"), "space");
        assert_eq!(warning(Lang::En, "never-heard-of"), "never-heard-of");
        assert_eq!(sector(Lang::Fr, "health"), "Réseau de santé");
    }

    #[test]
    fn only_signs_of_success_may_say_compromise() {
        for lang in Lang::ALL {
            for step in Severity::ALL {
                let word = severity(lang, step).to_lowercase();
                let says = word.contains("comprom");
                assert_eq!(says, step == Severity::SignsOfSuccess, "{word}");
            }
        }
    }
}
