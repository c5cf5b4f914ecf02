//! Outages of many services as one story: when it began, how many were concerned, when all were
//! back.

use std::collections::BTreeSet;

use relight_model::Timestamp;
use relight_web::number;

use super::Seen;

/// Outages with less than this between them are one episode, in seconds.
const GAP_S: i64 = 24 * 3_600;

/// How far an episode is, in Statuspage's words. `identified` is never set by itself: it would
/// say that something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// A service is offline.
    Investigating,
    /// All are back; the incident that took them offline is not closed.
    Monitoring,
    /// All are back, and what took them offline is closed.
    Resolved,
    /// The same, and the report of it is published.
    Postmortem,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
            Self::Postmortem => "postmortem",
        }
    }
}

/// One episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Episode {
    /// When the first service went offline.
    pub(super) from: Timestamp,
    /// When the last one came back.
    pub(super) to: Option<Timestamp>,
    /// Services that were offline at least once.
    pub(super) services: usize,
    /// How far it is.
    pub(super) status: Status,
}

impl Episode {
    /// Its name in data: the time of its beginning.
    pub(super) fn id(&self) -> String {
        number::rfc3339(self.from).replace(['-', ':'], "")
    }

    /// What happened and when, oldest first.
    pub(super) fn steps(&self) -> Vec<(Status, Timestamp)> {
        let mut steps = vec![(Status::Investigating, self.from)];
        if let Some(to) = self.to {
            steps.push((self.status, to));
        }
        steps
    }
}

/// The episodes of what is seen, newest first.
pub(super) fn of(seen: &Seen<'_>) -> Vec<Episode> {
    let now_dark = seen
        .services
        .iter()
        .filter_map(|service| Some((service.dark_since?, None, service.site.slug.as_str())));
    let over =
        seen.past.iter().map(|(site, outage)| (outage.from, Some(outage.to), site.slug.as_str()));
    let mut outages: Vec<_> = now_dark.chain(over).collect();
    outages.sort_unstable();
    let mut groups: Vec<(Timestamp, Option<Timestamp>, BTreeSet<&str>)> = Vec::new();
    for (from, to, slug) in outages {
        match groups.last_mut() {
            Some((_, end, slugs)) if end.is_none_or(|end| from - end < GAP_S) => {
                *end = end.zip(to).map(|(end, to)| end.max(to));
                slugs.insert(slug);
            }
            _ => groups.push((from, to, BTreeSet::from([slug]))),
        }
    }
    // An incident of which nobody could see anything leaves what is over as it is: else whoever
    // reads the page would know that something is coming.
    let is_open = |from, to| seen.begun.iter().any(|at| (from..=to).contains(at));
    let episode = |(from, to, slugs): (Timestamp, Option<_>, BTreeSet<_>)| Episode {
        from,
        to,
        services: slugs.len(),
        status: match to {
            None => Status::Investigating,
            Some(to) if is_open(from, to) => Status::Monitoring,
            Some(_) => Status::Resolved,
        },
    };
    groups.into_iter().map(episode).rev().collect()
}

#[cfg(test)]
mod tests {
    use relight_engine::live::{BoardSite, Outage, Proofs};

    use super::*;

    const HOUR: i64 = 3_600;

    fn site(slug: &str) -> BoardSite {
        BoardSite {
            sector: "health".into(),
            organisation: "o".into(),
            slug: slug.into(),
            name_fr: slug.into(),
            name_en: slug.into(),
            public: true,
            channel: Default::default(),
        }
    }

    /// (from, to, services, status) of each episode, newest first, times in hours.
    fn told(
        dark_since: [Option<i64>; 3],
        past: &[(i64, i64, usize)],
        begun: &[i64],
    ) -> Vec<(i64, Option<i64>, usize, &'static str)> {
        let sites = [site("a"), site("b"), site("c")];
        let past =
            past.iter().map(|&(from, to, site)| Outage { from: from * HOUR, to: to * HOUR, site });
        let dark_since = dark_since.map(|at| at.map(|hours| hours * HOUR)).to_vec();
        let proofs = Proofs {
            version: 1,
            dark_since,
            past: past.collect(),
            begun: begun.iter().map(|hours| hours * HOUR).collect(),
            words: Vec::new(),
            ..Proofs::default()
        };
        let seen = Seen::of(&sites, &proofs, 200 * HOUR);
        let row =
            |e: Episode| (e.from / HOUR, e.to.map(|to| to / HOUR), e.services, e.status.as_str());
        of(&seen).into_iter().map(row).collect()
    }

    #[test]
    fn outages_close_together_are_one_episode() {
        assert_eq!(told([None; 3], &[], &[]), []);
        assert_eq!(
            told([None; 3], &[(1, 5, 0), (2, 3, 1), (6, 7, 0)], &[]),
            [(1, Some(7), 2, "resolved")]
        );
        assert_eq!(
            told([None; 3], &[(1, 5, 0), (29, 30, 1)], &[29]),
            [(29, Some(30), 1, "monitoring"), (1, Some(5), 1, "resolved")]
        );
        assert_eq!(
            told([None; 3], &[(1, 5, 0), (29, 30, 1)], &[1]),
            [(29, Some(30), 1, "resolved"), (1, Some(5), 1, "monitoring")]
        );
        let over = [(1, Some(5), 1, "resolved")];
        assert_eq!(told([None; 3], &[(1, 5, 0)], &[6]), over, "what began later is another one");
    }

    #[test]
    fn one_service_that_is_dark_keeps_the_episode_open() {
        let past = [(1, 5, 0), (90, 91, 2)];
        assert_eq!(told([None, Some(2), None], &past, &[1]), [(1, None, 3, "investigating")]);
    }

    #[test]
    fn steps_are_what_was_seen() {
        let mut episode = Episode { from: 0, to: None, services: 1, status: Status::Investigating };
        assert_eq!(episode.steps(), [(Status::Investigating, 0)]);
        assert_eq!(episode.id(), "19700101T000000Z");
        (episode.to, episode.status) = (Some(60), Status::Monitoring);
        assert_eq!(episode.steps()[1], (Status::Monitoring, 60));
    }
}
