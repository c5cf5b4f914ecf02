//! What to look at first: an ordered tuple with its reasons, not a made-up number.
//!
//! Signals order work; they never change a verdict.

use relight_model::{Criticality, Signal, SiteExposure, Timestamp};

use crate::group::Group;
use crate::ssvc::{Decision, Points, decide};

/// How long a flaw without a score counts as if it had the worst one, in seconds.
pub const UNSCORED_WORST_S: i64 = 30 * 86_400;

/// Every code that a [`Reason`] may have.
pub const REASON_CODES: &[&str] = &[
    "priority-malicious",
    "priority-exploited",
    "priority-ssvc-track",
    "priority-ssvc-track-star",
    "priority-ssvc-attend",
    "priority-ssvc-act",
    "priority-ssvc-assumed",
    "priority-epss",
    "priority-epss-new",
    "priority-epss-none",
    "priority-exposed",
    "priority-controlled",
    "priority-internal",
    "priority-exposure-unknown",
    "priority-probed-site",
    "priority-probed-organisation",
    "priority-score",
    "priority-score-site",
    "priority-score-none",
];

/// What is known about the site where a flaw was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteFacts {
    /// How much depends on it.
    pub criticality: Criticality,
    /// Who can reach it; not known counts as the internet.
    pub exposure: SiteExposure,
    /// Attempts at this flaw were seen against it in the last 90 days.
    pub site_probed: bool,
    /// Attempts were seen against its organisation.
    pub organisation_probed: bool,
}

/// The place of one flaw at one site; the greatest comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priority {
    key: Key,
    /// Why, in the order of the tuple.
    pub reasons: Vec<Reason>,
}

/// Compared field by field, from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    exploited: bool,
    ssvc: Decision,
    epss: u64,
    exposed: u8,
    probed: u8,
    score: u16,
    published: Timestamp,
}

/// One element of the tuple, for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Key of the sentence (`priority-…`).
    pub code: &'static str,
    /// The value, where there is one: a score in tenths or millionths.
    pub value: Option<u64>,
}

impl Ord for Priority {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl PartialOrd for Priority {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Priority {
    /// The priority of a flaw at a site; `signals` are all that are known about its exploitation,
    /// those of its records and those of tables beside them.
    pub fn of(group: &Group, signals: &[Signal], site: &SiteFacts, now: Timestamp) -> Self {
        let mut reasons = Vec::new();
        let key = Key {
            exploited: exploited(group, &mut reasons),
            ssvc: ssvc(group, signals, site, &mut reasons),
            epss: epss((group, signals), site, now, &mut reasons),
            exposed: exposed(site.exposure, &mut reasons),
            probed: probed(site, &mut reasons),
            score: score(group, site, now, &mut reasons),
            published: group.published().unwrap_or(now),
        };
        Self { key, reasons }
    }

    /// Malicious, or known to be exploited.
    pub const fn is_exploited(&self) -> bool {
        self.key.exploited
    }

    /// What CISA's tree says.
    pub const fn ssvc(&self) -> Decision {
        self.key.ssvc
    }
}

fn tell(reasons: &mut Vec<Reason>, code: &'static str, value: Option<u64>) {
    reasons.push(Reason { code, value });
}

/// Malicious, or known to be exploited by any catalogue.
fn exploited(group: &Group, reasons: &mut Vec<Reason>) -> bool {
    if group.is_malicious() {
        tell(reasons, "priority-malicious", None);
    }
    if group.known_exploited() {
        tell(reasons, "priority-exploited", None);
    }
    !reasons.is_empty()
}

fn ssvc(
    group: &Group,
    signals: &[Signal],
    site: &SiteFacts,
    reasons: &mut Vec<Reason>,
) -> Decision {
    let mut points = Points::default();
    let mut newest = None;
    for signal in signals {
        let Signal::Ssvc { exploitation, automatable, impact, at, .. } = signal else { continue };
        if newest.is_none_or(|seen| *at >= seen) {
            newest = Some(*at);
            points.exploitation = Some(exploitation.as_str());
            points.automatable = Some(automatable.as_str());
            points.impact = Some(impact.as_str());
        }
    }
    if group.known_exploited() {
        points.exploitation = Some("active");
    }
    let (decision, is_assumed) = decide(&points, site.criticality);
    let code = match decision {
        Decision::Track => "priority-ssvc-track",
        Decision::TrackStar => "priority-ssvc-track-star",
        Decision::Attend => "priority-ssvc-attend",
        Decision::Act => "priority-ssvc-act",
    };
    tell(reasons, code, None);
    if is_assumed {
        tell(reasons, "priority-ssvc-assumed", None);
    }
    decision
}

/// The newest score times criticality. None at all is above every score while the flaw is new.
fn epss(
    (group, signals): (&Group, &[Signal]),
    site: &SiteFacts,
    now: Timestamp,
    reasons: &mut Vec<Reason>,
) -> u64 {
    let scores = signals.iter().filter_map(|signal| match signal {
        Signal::Epss { score, date, .. } => Some((*date, *score)),
        _ => None,
    });
    match scores.max() {
        Some((_, score)) => {
            let weight = 5 - u64::from(site.criticality.number());
            tell(reasons, "priority-epss", Some(u64::from(score)));
            1 + u64::from(score) * weight
        }
        None if is_new(group, now) => {
            tell(reasons, "priority-epss-new", None);
            u64::MAX
        }
        None => {
            tell(reasons, "priority-epss-none", None);
            0
        }
    }
}

fn exposed(exposure: SiteExposure, reasons: &mut Vec<Reason>) -> u8 {
    let code = match exposure {
        SiteExposure::Internet => "priority-exposed",
        SiteExposure::Controlled => "priority-controlled",
        SiteExposure::Internal => "priority-internal",
        SiteExposure::Unknown => "priority-exposure-unknown",
    };
    tell(reasons, code, None);
    exposure.rank()
}

fn probed(site: &SiteFacts, reasons: &mut Vec<Reason>) -> u8 {
    let (code, weight) = match (site.site_probed, site.organisation_probed) {
        (true, _) => ("priority-probed-site", 2),
        (false, true) => ("priority-probed-organisation", 1),
        (false, false) => return 0,
    };
    tell(reasons, code, None);
    weight
}

/// The base score decides; that of the site stands beside it.
fn score(group: &Group, site: &SiteFacts, now: Timestamp, reasons: &mut Vec<Reason>) -> u16 {
    match group.score() {
        Some(score) => {
            tell(reasons, "priority-score", Some(u64::from(score)));
            if let Some(here) = group.site_score(site.criticality, site.exposure) {
                tell(reasons, "priority-score-site", Some(u64::from(here)));
            }
            score
        }
        None => {
            tell(reasons, "priority-score-none", None);
            if is_new(group, now) { 100 } else { 0 }
        }
    }
}

/// Published less than 30 days ago; a flaw that does not say when counts as new.
fn is_new(group: &Group, now: Timestamp) -> bool {
    group.published().is_none_or(|at| now.saturating_sub(at) <= UNSCORED_WORST_S)
}

#[cfg(test)]
mod tests {
    use relight_model::{Advisory, Rating};

    use super::*;
    use crate::Advisories;

    const NOW: Timestamp = 1_700_000_000;
    const OLD: Timestamp = NOW - UNSCORED_WORST_S - 1;

    fn epss_signal(score: u32) -> Signal {
        Signal::Epss { score, percentile: 0, date: NOW, model: "v1".into() }
    }

    fn kev(removed: Option<Timestamp>) -> Signal {
        let catalogue = "cisa".into();
        Signal::Kev { catalogue, added: Some(1), due: None, ransomware: false, removed }
    }

    fn ssvc_signal(points: [&str; 3]) -> Signal {
        let [exploitation, automatable, impact] = points.map(str::to_owned);
        Signal::Ssvc { exploitation, automatable, impact, role: "CISA".into(), at: Some(1) }
    }

    fn site(criticality: Criticality) -> SiteFacts {
        let exposure = SiteExposure::Internal;
        SiteFacts { criticality, exposure, site_probed: false, organisation_probed: false }
    }

    fn of(id: &str, signals: Vec<Signal>, published: Timestamp, site: &SiteFacts) -> Priority {
        let published = Some(published);
        let record = Advisory { id: id.into(), signals, published, ..Advisory::default() };
        let all = Advisories::new(vec![record]);
        let group = all.group(id).unwrap();
        let signals: Vec<_> = group.signals().cloned().collect();
        Priority::of(group, &signals, site, NOW)
    }

    fn codes(priority: &Priority) -> Vec<&'static str> {
        priority.reasons.iter().map(|reason| reason.code).collect()
    }

    #[test]
    fn the_tuple_is_compared_from_its_first_element() {
        let none = || ssvc_signal(["none", "no", "partial"]);
        let (normal, vital) = (site(Criticality::Normal), site(Criticality::Vital));
        let probed = SiteFacts { site_probed: true, ..normal };
        let body = SiteFacts { organisation_probed: true, ..normal };
        let exposed = SiteFacts { exposure: SiteExposure::Unknown, ..normal };
        let controlled = SiteFacts { exposure: SiteExposure::Controlled, ..normal };
        let falling = [
            of("CVE-1", vec![none(), kev(None)], OLD, &normal),
            of("CVE-1", vec![ssvc_signal(["active", "yes", "total"])], OLD, &vital),
            of("CVE-1", vec![none()], NOW, &normal),
            of("CVE-1", vec![none(), epss_signal(900_000)], OLD, &vital),
            of("CVE-1", vec![none(), epss_signal(900_000)], OLD, &normal),
            of("CVE-1", vec![none(), epss_signal(1)], OLD, &normal),
            of("CVE-1", vec![none()], OLD, &exposed),
            of("CVE-1", vec![none()], OLD, &controlled),
            of("CVE-1", vec![none()], OLD, &probed),
            of("CVE-1", vec![none()], OLD, &body),
            of("CVE-1", vec![none()], OLD, &normal),
            of("CVE-1", vec![none()], OLD - 1, &normal),
        ];
        let told = falling.iter().flat_map(codes);
        told.for_each(|code| assert!(REASON_CODES.contains(&code), "{code}"));
        for pair in falling.windows(2) {
            assert!(pair[0] > pair[1], "{:?} before {:?}", pair[0], pair[1]);
        }
        let malicious = of("MAL-1", vec![none()], OLD, &normal);
        assert!(malicious > falling[1]);
        assert_eq!(codes(&malicious)[0], "priority-malicious");
        // An entry that has left the catalogue counts no more.
        let removed = of("CVE-1", vec![none(), kev(Some(2))], OLD, &normal);
        assert!(removed == falling[10], "{removed:?}");
    }

    #[test]
    fn each_element_has_its_reason() {
        let unknown = SiteFacts { exposure: SiteExposure::Unknown, ..site(Criticality::Vital) };
        let priority = of("CVE-1", Vec::new(), NOW, &unknown);
        let wanted = [
            "priority-ssvc-act",
            "priority-ssvc-assumed",
            "priority-epss-new",
            "priority-exposure-unknown",
            "priority-score-none",
        ];
        assert_eq!(codes(&priority), wanted);
        assert_eq!(priority.ssvc(), Decision::Act);
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";
        let record = Advisory {
            id: "CVE-1".into(),
            severities: vec![Rating::of_vector(vector)],
            ..Advisory::default()
        };
        let all = Advisories::new(vec![record]);
        let scored = Priority::of(all.group("CVE-1").unwrap(), &[], &unknown, NOW);
        let reason = scored.reasons.iter().find(|it| it.code == "priority-score");
        assert_eq!(reason.and_then(|it| it.value), Some(100));
        assert_eq!(codes(&scored).last(), Some(&"priority-score-site"));
        let inside = SiteFacts { exposure: SiteExposure::Internal, ..unknown };
        let inside = Priority::of(all.group("CVE-1").unwrap(), &[], &inside, NOW);
        let here = inside.reasons.iter().find(|it| it.code == "priority-score-site");
        assert_eq!(here.and_then(|it| it.value), Some(97), "3.1 with MAV:A");
    }
}
