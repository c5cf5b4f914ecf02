//! The lanes of campaigns: one line a campaign over time, as thick as it has sources, with a dot
//! where it first touched an organisation.

use std::collections::BTreeMap;

use relight_model::{Campaign, OrgId, Timestamp};
use relight_web::register_views::{Lane, Lanes};
use relight_web::{Lang, Number, texts, words};

use super::evidence::day;

/// Lanes of one drawing; the campaigns below it are more.
const LANES_MAX: usize = 20;

/// Left and right edge of the time, as those of the heat map.
const EDGES: [f64; 2] = [220.0, 894.0];

/// Height of a lane, and what stands below the last.
const HEIGHT: usize = 24;
const BELOW: usize = 18;

/// Thinnest and thickest line, and smallest and largest dot.
const THICK: [f64; 2] = [2.0, 14.0];
const DOT: [f64; 2] = [3.0, 8.0];

/// Days below the drawing.
const COLUMNS: i64 = 5;

const DAY_S: i64 = 86_400;

/// The lanes of these campaigns, in their order, over the days from `from` to `to`.
pub(super) fn lanes(lang: Lang, campaigns: &[&Campaign], (from, to): (i64, i64)) -> Lanes {
    let plot = Plot { from, to };
    let shown = &campaigns[..campaigns.len().min(LANES_MAX)];
    let Some(most) = shown.iter().max_by_key(|it| it.organisations.len()) else {
        return Lanes::default();
    };
    let count = |of: usize| Number::from(of).text(lang);
    let lane = |(campaign, at): (&&Campaign, usize)| Lane {
        id: campaign.id.clone(),
        name: format!("{} · {}", campaign.id, words::severity(lang, campaign.severity)),
        y: at * HEIGHT + HEIGHT / 2,
        from: plot.x(campaign.first),
        // A campaign of one moment is a short line, not none.
        to: plot.x(campaign.last).max((plot.x(campaign.first) + 3.0).min(EDGES[1])),
        width: thickness(campaign.sources.len()),
        dots: dots(campaign, plot),
        organisations: count(campaign.organisations.len()),
        sources: count(campaign.sources.len()),
        first: day(campaign.first),
        last: day(campaign.last),
    };
    let organisations = most.organisations.len();
    Lanes {
        sentence: texts::lanes_sentence(
            lang,
            campaigns.len(),
            &most.id,
            organisations,
            shown.len(),
        ),
        height: shown.len() * HEIGHT + BELOW,
        rows: shown.iter().zip(0..).map(lane).collect(),
        columns: plot.columns(),
    }
}

/// Twice the sources are one step more, so that one address and ten thousand fit on one page.
fn thickness(sources: usize) -> f64 {
    let steps = f64::from(sources.max(1).ilog2());
    (THICK[0] + steps).min(THICK[1])
}

/// When each organisation was first touched, as far as the evidence says; else with the first
/// detection that names it.
fn touched(campaign: &Campaign) -> BTreeMap<OrgId, Timestamp> {
    let mut first: BTreeMap<OrgId, Timestamp> = BTreeMap::new();
    let mut note = |org: OrgId, at: Timestamp| {
        first.entry(org).and_modify(|known| *known = at.min(*known)).or_insert(at);
    };
    for detection in &campaign.detections {
        for line in &detection.evidence {
            // `organisation, site, day, status, class, path`
            let mut parts = line.split(", ");
            let org = parts.next().and_then(|text| text.parse().ok()).map(OrgId);
            let at = parts.nth(1).and_then(|text| text.parse::<i64>().ok());
            if let (Some(org), Some(day)) = (org, at) {
                note(org, (day * DAY_S).clamp(campaign.first, campaign.last));
            }
        }
    }
    for detection in &campaign.detections {
        for org in &detection.organisations {
            first.entry(*org).or_insert(detection.first);
        }
    }
    for org in &campaign.organisations {
        first.entry(*org).or_insert(campaign.first);
    }
    first
}

/// Place and size of each dot: organisations that would stand on one another are one.
fn dots(campaign: &Campaign, plot: Plot) -> Vec<(f64, f64)> {
    let mut at: BTreeMap<i64, u32> = BTreeMap::new();
    for time in touched(campaign).into_values().filter(|time| plot.has(*time)) {
        // A tenth of a week is narrower than the smallest dot.
        *at.entry((time - plot.from * DAY_S).div_euclid(plot.span() / 160)).or_default() += 1;
    }
    let dot = |(step, count): (i64, u32)| {
        let time = plot.from * DAY_S + step * (plot.span() / 160) + plot.span() / 320;
        let size = DOT[0] + f64::from(count).sqrt() - 1.0;
        (plot.x(time), tenth(size.min(DOT[1])))
    };
    at.into_iter().map(dot).collect()
}

/// Which days are drawn, both included.
#[derive(Clone, Copy)]
struct Plot {
    from: i64,
    to: i64,
}

impl Plot {
    /// Seconds from the left to the right edge.
    fn span(self) -> i64 {
        (self.to - self.from + 1).max(1) * DAY_S
    }

    fn has(self, at: Timestamp) -> bool {
        (0..self.span()).contains(&(at - self.from * DAY_S))
    }

    fn x(self, at: Timestamp) -> f64 {
        let float = |number: i64| Number::from(number.unsigned_abs()).as_f64();
        let passed = (at - self.from * DAY_S).clamp(0, self.span());
        tenth(EDGES[0] + (EDGES[1] - EDGES[0]) * float(passed) / float(self.span()))
    }

    fn columns(self) -> Vec<(f64, String)> {
        let column = |number: i64| {
            let at = self.from * DAY_S + self.span() * number / COLUMNS;
            (self.x(at), day(at))
        };
        (0..COLUMNS).map(column).collect()
    }
}

/// One decimal is enough for a drawing, and keeps pages small.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use relight_model::{Detection, Severity};

    use super::*;

    fn detection(organisations: &[u32], first: Timestamp, evidence: &[&str]) -> Detection {
        Detection {
            detector: "slow",
            severity: Severity::Reconnaissance,
            first,
            last: first,
            decided: first,
            organisations: organisations.iter().copied().map(OrgId).collect(),
            contacts: 1,
            likelihood: 1.0,
            threshold: 1.0,
            evidence: evidence.iter().map(|line| (*line).to_owned()).collect(),
            ..Detection::default()
        }
    }

    fn campaign(id: &str, days: (i64, i64), detections: Vec<Detection>) -> Campaign {
        let mut organisations: Vec<OrgId> =
            detections.iter().flat_map(|it| it.organisations.clone()).collect();
        organisations.sort();
        organisations.dedup();
        Campaign {
            id: id.to_owned(),
            severity: Severity::Reconnaissance,
            confidence: 0.9,
            first: days.0 * DAY_S,
            last: days.1 * DAY_S,
            sources: (1..=8).map(|last| [192, 0, 2, last].into()).collect(),
            organisations,
            detections,
            ..Campaign::default()
        }
    }

    #[test]
    fn a_dot_stands_where_an_organisation_was_first_touched() {
        let lines = ["1, 7, 110, 404, probe:x, /a, b", "1, 7, 105, 404, probe:x, /a", "no line"];
        let detections =
            vec![detection(&[1, 2], 120 * DAY_S, &lines), detection(&[2], 115 * DAY_S, &[])];
        let one = campaign("C-1", (100, 190), detections);
        let first = touched(&one);
        // The second is named first by the first detection in their order.
        assert_eq!(first, BTreeMap::from([(OrgId(1), 105 * DAY_S), (OrgId(2), 120 * DAY_S)]));
        let lanes = lanes(Lang::En, &[&one], (100, 199));
        let lane = &lanes.rows[0];
        assert_eq!((lane.from, lane.width, lane.dots.len()), (220.0, 5.0, 2));
        assert!(lane.dots.iter().all(|(x, size)| *x > 220.0 && *x < 400.0 && *size >= 3.0));
        assert_eq!((lane.organisations.as_str(), lane.sources.as_str()), ("2", "8"));
        assert!(lanes.sentence.contains("C-1") && lanes.sentence.contains('2'), "{lanes:?}");
    }

    #[test]
    fn what_lies_outside_of_the_days_stays_at_the_edge_and_has_no_dot() {
        let detections = vec![detection(&[1], 10 * DAY_S, &[])];
        let lanes = lanes(Lang::Fr, &[&campaign("C-1", (10, 500), detections)], (100, 199));
        let lane = &lanes.rows[0];
        assert_eq!((lane.from, lane.to, lane.dots.len()), (EDGES[0], EDGES[1], 0));
    }

    #[test]
    fn many_campaigns_and_organisations_stay_in_their_box() {
        let crowd: Vec<u32> = (0..400).collect();
        let one = |number: i64| {
            let detections = vec![detection(&crowd, (100 + number) * DAY_S, &[])];
            campaign(&format!("C-{number}"), (100 + number, 100 + number), detections)
        };
        let all: Vec<_> = (0..60).map(one).collect();
        let lanes = lanes(Lang::En, &all.iter().collect::<Vec<_>>(), (100, 159));
        assert_eq!(lanes.rows.len(), LANES_MAX);
        assert!(lanes.sentence.contains("60") && lanes.sentence.contains("20"), "{lanes:?}");
        for lane in &lanes.rows {
            assert!(lane.y < lanes.height && lane.to > lane.from && lane.to <= EDGES[1]);
            assert_eq!(lane.dots.len(), 1);
            assert!(lane.dots[0].1 <= DOT[1]);
        }
        assert_eq!([1, 2, 1_024, 1 << 40].map(thickness), [2.0, 3.0, 12.0, 14.0]);
        assert!(super::lanes(Lang::En, &[], (0, 1)).rows.is_empty());
    }
}
