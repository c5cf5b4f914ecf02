//! The ids of campaigns, kept over time.
//!
//! A campaign has the id of its first contact until it is remembered. From then on the remembered
//! campaign passes its id to the one that holds the most of its contacts, if that is half of them
//! or more: so an id lasts while contacts come and, after 400 days, go. When several are found in
//! one, the oldest id stays and the others are noted; when one falls apart, the larger part keeps
//! it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Campaign, Detection, Timestamp};

use crate::campaign::new_id;

/// Campaigns that are remembered; those that ended first are forgotten first.
pub const REMEMBERED_MAX: usize = 20_000;

/// What is remembered of a campaign. No address is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its id.
    pub id: String,
    /// First contact.
    pub first: Timestamp,
    /// Last contact.
    pub last: Timestamp,
    /// The id of the campaign of which it is a part now; empty while it stands for itself.
    pub part_of: String,
    /// See [`Campaign::marks`].
    pub marks: Vec<u64>,
}

/// Gives campaigns the ids by which they are known. What comes back is to be remembered, in order
/// of ids; over the same campaigns it is the same again.
pub fn recognise(campaigns: &mut [Campaign], remembered: &[Remembered]) -> Vec<Remembered> {
    let claims = claims(campaigns, remembered);
    let mut names: BTreeSet<&str> = remembered.iter().map(|it| it.id.as_str()).collect();
    let mut given: BTreeSet<String> = BTreeSet::new();
    for (at, campaign) in campaigns.iter_mut().enumerate() {
        let mut of: Vec<&Remembered> = claims.get(&at).into_iter().flatten().copied().collect();
        of.sort_by_key(|it| (it.first, &it.id));
        let Some(oldest) = of.first() else { continue };
        campaign.id.clone_from(&oldest.id);
        campaign.formerly = of[1..].iter().map(|it| it.id.clone()).collect();
        campaign.formerly.sort();
        given.insert(campaign.id.clone());
    }
    for (at, campaign) in campaigns.iter_mut().enumerate() {
        if !claims.contains_key(&at) {
            let detections: Vec<&Detection> = campaign.detections.iter().collect();
            let id = new_id(&detections, |id| names.contains(id) || given.contains(id));
            campaign.id = id;
            given.insert(campaign.id.clone());
        }
    }
    names.clear();
    kept(campaigns, remembered)
}

/// Which remembered ones each campaign goes on.
fn claims<'a>(
    campaigns: &[Campaign],
    remembered: &'a [Remembered],
) -> BTreeMap<usize, Vec<&'a Remembered>> {
    let mut holders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, campaign) in campaigns.iter().enumerate() {
        campaign.marks.iter().for_each(|mark| holders.entry(*mark).or_default().push(at));
    }
    let mut claims: BTreeMap<usize, Vec<&Remembered>> = BTreeMap::new();
    for old in remembered {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for at in old.marks.iter().filter_map(|mark| holders.get(mark)).flatten() {
            *shared.entry(*at).or_default() += 1;
        }
        let is_half = |at: &usize, count: &usize| {
            let until = campaigns[*at].marks_until;
            let comparable = old.marks.iter().take_while(|mark| **mark <= until).count();
            2 * count >= comparable
        };
        let best = shared
            .into_iter()
            .filter(|(at, count)| is_half(at, count))
            .max_by_key(|(at, count)| (*count, is_named(&campaigns[*at], old), Reverse(*at)));
        if let Some((at, _)) = best {
            claims.entry(at).or_default().push(old);
        }
    }
    claims
}

/// Its own first contact gives the same id: of two equal halves this one keeps it.
fn is_named(campaign: &Campaign, old: &Remembered) -> bool {
    campaign.id == old.id
}

/// The campaigns as they are now, and those of before that are a part of one, or are gone.
fn kept(campaigns: &[Campaign], remembered: &[Remembered]) -> Vec<Remembered> {
    let now = campaigns.iter().map(|campaign| Remembered {
        id: campaign.id.clone(),
        first: campaign.first,
        last: campaign.last,
        part_of: String::new(),
        marks: campaign.marks.clone(),
    });
    let mut all: BTreeMap<String, Remembered> = now.map(|it| (it.id.clone(), it)).collect();
    let mut parts: BTreeMap<&str, &str> = BTreeMap::new();
    for campaign in campaigns {
        parts.extend(campaign.formerly.iter().map(|old| (old.as_str(), campaign.id.as_str())));
    }
    for old in remembered {
        // How old an id is does not change when old contacts are forgotten.
        if let Some(it) = all.get_mut(&old.id) {
            it.first = it.first.min(old.first);
        }
        let part_of = parts.get(old.id.as_str()).copied().unwrap_or_default().to_owned();
        all.entry(old.id.clone()).or_insert_with(|| Remembered { part_of, ..old.clone() });
    }
    let mut kept: Vec<Remembered> = all.into_values().collect();
    if kept.len() > REMEMBERED_MAX {
        kept.sort_by(|a, b| (b.last, &a.id).cmp(&(a.last, &b.id)));
        kept.truncate(REMEMBERED_MAX);
        kept.sort_by(|a, b| a.id.cmp(&b.id));
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use relight_model::Severity;

    use super::*;
    use crate::campaigns;

    /// A source with contacts at these seconds, each a mark of its own.
    fn detection(source: u8, seconds: std::ops::Range<i64>) -> Detection {
        let marks = seconds.clone().map(|second| second.cast_unsigned() * 7_919 + 1);
        Detection {
            detector: "slow_sweep",
            sources: vec![IpAddr::from([192, 0, 2, source])],
            severity: Severity::Reconnaissance,
            first: seconds.start,
            last: seconds.end - 1,
            decided: seconds.end - 1,
            contacts: 20,
            likelihood: 30.0,
            threshold: 20.7,
            origin: seconds.start.cast_unsigned(),
            marks: marks.collect(),
            ..Detection::default()
        }
    }

    fn tied(mut detection: Detection) -> Detection {
        detection.fingerprints = vec!["ja4:t".to_owned()];
        detection
    }

    fn run(
        detections: &[Detection],
        remembered: &[Remembered],
    ) -> (Vec<Campaign>, Vec<Remembered>) {
        let mut found = campaigns(detections);
        let kept = recognise(&mut found, remembered);
        (found, kept)
    }

    #[test]
    fn the_same_data_give_the_same_ids_again_and_elsewhere() {
        let all = [detection(1, 0..20), detection(2, 100..120), detection(3, 50..60)];
        let (first, kept) = run(&all, &[]);
        let ids: BTreeSet<&str> = first.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids.len(), 3);
        assert!(ids.iter().all(|id| id.starts_with("C-") && id.len() == 8), "{ids:?}");
        assert_eq!(run(&all, &kept), (first.clone(), kept));
        // Another installation that sees one of them alone calls it the same.
        assert_eq!(run(&all[1..2], &[]).0[0].id, first[2].id);
    }

    #[test]
    fn an_id_lasts_while_contacts_come_and_go() {
        let (mut found, mut kept) = run(&[detection(1, 0..20)], &[]);
        let id = found[0].id.clone();
        for step in 1..10 {
            (found, kept) = run(&[detection(1, step * 8..step * 8 + 20)], &kept);
            assert_eq!(found[0].id, id, "step {step}");
        }
        // Lines that come late make the first contact an earlier one.
        (found, _) = run(&[detection(1, 60..92)], &kept);
        assert_eq!(found[0].id, id);
        let (strange, kept) = run(&[detection(1, 500..520)], &kept);
        assert_ne!(strange[0].id, id, "none of its contacts");
        assert!(kept.iter().any(|it| it.id == id), "it may come back");
    }

    #[test]
    fn a_merge_keeps_the_older_id_and_notes_the_other() {
        let apart = [detection(1, 0..20), detection(2, 100..140)];
        let (found, kept) = run(&apart, &[]);
        let [old, young] = [found[0].id.clone(), found[1].id.clone()];
        let joined = apart.map(tied);
        let (found, kept) = run(&joined, &kept);
        assert_eq!(
            (found[0].id.clone(), found[0].formerly.clone()),
            (old.clone(), vec![young.clone()])
        );
        let part = kept.iter().find(|it| it.id == young).map(|it| it.part_of.clone());
        assert_eq!(part, Some(old.clone()));
        assert_eq!(run(&joined, &kept), (found, kept.clone()), "and again");
        // They fall apart: the larger part keeps the id, and the other is what it was.
        let (found, _) = run(&[detection(1, 0..20), detection(2, 100..140)], &kept);
        assert_eq!(found.iter().map(|it| it.id.clone()).collect::<BTreeSet<_>>().len(), 2);
        assert_eq!(found[1].id, old, "forty of sixty contacts");
    }

    #[test]
    fn a_split_keeps_the_id_for_the_larger_part() {
        let (found, kept) = run(&[tied(detection(1, 0..20)), tied(detection(2, 20..60))], &[]);
        let id = found[0].id.clone();
        let (found, kept) = run(&[detection(1, 0..20), detection(2, 20..60)], &kept);
        assert_eq!(found[1].id, id, "the larger part, though it began later");
        assert_ne!(found[0].id, id);
        assert_eq!(run(&[detection(1, 0..20), detection(2, 20..60)], &kept).0, found);
    }

    /// Goal: the two rules above at random. Method: 300 histories of merges and splits, one seed:
    /// never two campaigns of one id, and the same again over the same data.
    #[test]
    fn ids_are_never_given_twice() {
        let mut rng = testkit::Rng::new(20_211_210);
        for _ in 0..300 {
            let mut kept = Vec::new();
            for _ in 0..6 {
                let detections: Vec<Detection> = (0..8_u8)
                    .filter(|_| rng.chance(70))
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|source| {
                        let from = i64::from(source) * 30 + rng.below(10) as i64;
                        let one = detection(source, from..from + 5 + rng.below(20) as i64);
                        if rng.chance(40) { tied(one) } else { one }
                    })
                    .collect();
                let (found, next) = run(&detections, &kept);
                let ids: BTreeSet<&str> = found.iter().map(|it| it.id.as_str()).collect();
                assert_eq!(ids.len(), found.len());
                assert_eq!(run(&detections, &next), (found, next.clone()));
                kept = next;
            }
        }
    }

    #[test]
    fn the_limit_forgets_what_ended_first() {
        let old = |number: usize| Remembered {
            id: format!("C-{number:06}"),
            first: 0,
            last: number as i64,
            part_of: String::new(),
            marks: vec![number as u64],
        };
        let many: Vec<Remembered> = (0..REMEMBERED_MAX + 5).map(old).collect();
        let kept = recognise(&mut [], &many);
        assert_eq!(kept.len(), REMEMBERED_MAX);
        assert_eq!(kept.first().map(|it| it.last), Some(5));
    }
}
