//! How an incident goes, in `relight incident status`: at what pace sites come back, when none
//! would be dark, and when at the pace of December 2021.

use relight_engine::incident::{Course, THEN_PER_HOUR_TENTHS, then_s};
use relight_model::Timestamp;
use relight_server::web::number::{moment, rfc3339};
use relight_server::web::{Lang, number, texts};
use serde::{Deserialize, Serialize};

use crate::report::Report;

/// How it goes, by the journal alone.
#[derive(Serialize, Deserialize)]
pub(super) struct BurnDownRow {
    /// Sites that are proven dark.
    dark: usize,
    /// Most that were.
    peak: usize,
    /// When so many were, the last time.
    peaked: String,
    /// When a site came back, the last time since then.
    last_return: Option<String>,
    /// Null where no site is dark, or too few came back to say.
    pace: Option<PaceRow>,
    /// For comparison; null where no site is dark.
    december_2021: Option<ThenRow>,
}

/// The pace of the last third of the time since the peak.
#[derive(Serialize, Deserialize)]
struct PaceRow {
    sites_per_hour_tenths: u64,
    /// When no site would be dark.
    none_dark: String,
    /// The same, at the soonest.
    soonest: String,
    /// The same, at the latest.
    latest: String,
}

/// The pace of December 2021.
#[derive(Serialize, Deserialize)]
struct ThenRow {
    sites_per_hour_tenths: u64,
    /// When no site would be dark.
    none_dark: String,
}

impl BurnDownRow {
    /// `None` where no site was ever proven dark.
    pub(super) fn of(course: &Course) -> Option<Self> {
        let after = |seconds: u64| rfc3339(course.until.saturating_add_unsigned(seconds));
        let pace = course.pace().map(|pace| PaceRow {
            sites_per_hour_tenths: pace.per_hour_tenths,
            none_dark: after(pace.expected_s),
            soonest: after(pace.soonest_s),
            latest: after(pace.latest_s),
        });
        let then = ThenRow {
            sites_per_hour_tenths: THEN_PER_HOUR_TENTHS,
            none_dark: after(then_s(course.dark)),
        };
        (course.peak > 0).then(|| Self {
            dark: course.dark,
            peak: course.peak,
            peaked: rfc3339(course.peaked),
            last_return: course.last_return().map(rfc3339),
            pace,
            december_2021: (course.dark > 0).then_some(then),
        })
    }

    /// The pace and what it leads to; nothing where there is none to tell.
    pub(super) fn tell(&self, lang: Lang, report: &mut Report) {
        let (Some(pace), Some(then)) = (&self.pace, &self.december_2021) else { return };
        let at = |time: &str| number::stamp(lang, moment(time).unwrap_or(Timestamp::MIN));
        let last = self.last_return.as_deref().map(at).unwrap_or_default();
        let [zero, soon, late] = [&pace.none_dark, &pace.soonest, &pace.latest].map(|it| at(it));
        let rate = number::tenths(lang, pace.sites_per_hour_tenths);
        let own = texts::status_pace(lang, &last, &late, &rate, &soon, &zero);
        report.line(&format!("  ↗ {own}"));
        let then = texts::status_pace_then(lang, &at(&then.none_dark));
        report.line(&format!("    {then}"));
    }
}
