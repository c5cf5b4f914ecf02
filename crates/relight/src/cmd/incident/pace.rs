//! How an incident goes, in `relight incident status`: at what pace sites come back, when those
//! that are dark would be back, and when at the pace of December 2021; or since when
//! none came back.

use relight_engine::incident::{Course, Foretold, THEN_PER_HOUR_TENTHS};
use relight_model::Timestamp;
use relight_server::web::number::{moment, rfc3339};
use relight_server::web::{Lang, Number, number, texts};
use serde::{Deserialize, Serialize};

use crate::report::Report;

/// How it goes, by the journal alone.
#[derive(Serialize, Deserialize)]
pub(super) struct BurnDownRow {
    /// Sites whose last proof says dark, also where it has expired.
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
    /// When none of them would be dark, as the journal has it: that may have passed.
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
    /// When none of them would be dark.
    none_dark: String,
}

impl BurnDownRow {
    /// `None` where no site was ever proven dark.
    pub(super) fn of(course: &Course) -> Option<Self> {
        let told = course.forecast()?;
        let pace = |pace: Foretold| PaceRow {
            sites_per_hour_tenths: pace.per_hour_tenths,
            none_dark: rfc3339(pace.none_dark),
            soonest: rfc3339(pace.soonest),
            latest: rfc3339(pace.latest),
        };
        let then =
            |at| ThenRow { sites_per_hour_tenths: THEN_PER_HOUR_TENTHS, none_dark: rfc3339(at) };
        Some(Self {
            dark: told.dark,
            peak: told.peak,
            peaked: rfc3339(told.peaked),
            last_return: told.last_return.map(rfc3339),
            pace: told.pace.map(pace),
            december_2021: told.then.map(then),
        })
    }

    /// The pace and what it leads to, by what is known at a time; nothing where there is none to
    /// tell.
    pub(super) fn tell(&self, now: Timestamp, lang: Lang, report: &mut Report) {
        self.told(now, lang).iter().for_each(|line| report.line(line));
    }

    fn told(&self, now: Timestamp, lang: Lang) -> Vec<String> {
        let (Some(pace), Some(then)) = (&self.pace, &self.december_2021) else { return Vec::new() };
        // A year of five digits stands as it is.
        let at = |time: &str| {
            moment(time).map_or_else(|| time.to_owned(), |time| number::stamp(lang, time))
        };
        let last = self.last_return.as_deref().map(at).unwrap_or_default();
        let (dark, rate) = (Number::from(self.dark).text(lang), |it| number::tenths(lang, it));
        let own = rate(pace.sites_per_hour_tenths);
        if self.has_stalled(pace, now) {
            let told = texts::status_pace_stalled(lang, &dark, &last, &own);
            return vec![format!("  ↗ {told}")];
        }
        let [zero, soon, late] = [&pace.none_dark, &pace.soonest, &pace.latest].map(|it| at(it));
        let own = texts::status_pace(lang, &dark, &last, &late, &own, &soon, &zero);
        let rate = rate(then.sites_per_hour_tenths);
        let then = texts::status_pace_then(lang, &rate, &at(&then.none_dark));
        vec![format!("  ↗ {own}"), format!("    {then}")]
    }

    /// Whether the pace foretells nothing any more: none came back in the last third of the time
    /// since the peak until now, or by it all would be back.
    fn has_stalled(&self, pace: &PaceRow, now: Timestamp) -> bool {
        let last = self.last_return.as_deref().and_then(moment);
        let (Some(last), Some(peaked)) = (last, moment(&self.peaked)) else { return false };
        now - last > (now - peaked) / 3 || moment(&pace.none_dark).is_some_and(|zero| zero <= now)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(time: &str, lang: Lang, latest: &str) -> String {
        let row = json!({
            "dark": 16,
            "peak": 40,
            "peaked": "2021-12-10T18:00:00Z",
            "last_return": "2021-12-11T08:30:00Z",
            "pace": {
                "sites_per_hour_tenths": 20,
                "none_dark": "2021-12-11T16:14:00Z",
                "soonest": "2021-12-11T13:14:14Z",
                "latest": latest,
            },
            "december_2021": {
                "sites_per_hour_tenths": 111,
                "none_dark": "2021-12-11T09:56:26Z",
            },
        });
        let row: BurnDownRow = serde_json::from_value(row).unwrap();
        row.told(moment(time).unwrap(), lang).join("\n").replace('\u{a0}', " ")
    }

    /// Goal: a forecast is told for as long as it foretells something, and whose it is. Method: one
    /// row at several times, with a return at 8:30, where most were dark at 18:00 the day before.
    #[test]
    fn a_forecast_is_told_until_it_has_passed_or_nothing_comes_back() {
        let latest = "2021-12-12T05:32:14Z";
        let [en, fr] = [Lang::En, Lang::Fr].map(|lang| told("2021-12-11T15:45:00Z", lang, latest));
        let wanted = "  ↗ 2.0 sites an hour, the last return on 2021-12-11 8:30 UTC; those last \
                      seen dark (16) back around 2021-12-11 16:14 UTC (between 2021-12-11 13:14 \
                      UTC and 2021-12-12 5:32 UTC)\n    At the pace of December 2021, 11.1 sites \
                      an hour, around 2021-12-11 9:56 UTC";
        assert_eq!(en, wanted);
        let wanted = "  ↗ 2,0 sites par heure, dernier retour le 2021-12-11 8 h 30 UTC; ceux que \
                      leur dernière preuve dit éteints (16) rallumés vers 2021-12-11 16 h 14 UTC \
                      (entre 2021-12-11 13 h 14 UTC et 2021-12-12 5 h 32 UTC)\n    Au rythme de \
                      décembre 2021, 11,1 sites par heure, vers 2021-12-11 9 h 56 UTC";
        assert_eq!(fr, wanted);
        let stalled = "  ↗ No site has come back since 2021-12-11 8:30 UTC; until then 2.0 an hour \
                       did. Dark by their last proof: 16";
        for time in ["2021-12-11T15:46:00Z", "2021-12-11T16:14:00Z", "2021-12-15T00:00:00Z"] {
            assert_eq!(told(time, Lang::En, latest), stalled, "{time}");
        }
        let far = told("2021-12-11T09:00:00Z", Lang::En, "10021-01-01T00:00:00Z");
        assert!(far.contains("and 10021-01-01T00:00:00Z)"), "{far}");
    }
}
