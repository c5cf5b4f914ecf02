//! Actors: whom the detections of campaigns are about. What several detectors say of the same
//! addresses is one actor, and who is a member of a group is shown with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use relight_model::{Campaign, Detection, OrgId, SiteId, Timestamp};

/// One address, or addresses that behave alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor<'a> {
    /// The campaign that it is a part of: what it is called, and how bad it is.
    pub campaign: &'a Campaign,
    /// Its addresses, sorted.
    pub sources: &'a [IpAddr],
    /// What they have in common; empty for one address.
    pub shared: &'a str,
    /// Organisations that it contacted.
    pub organisations: BTreeSet<OrgId>,
    /// Sites that it contacted.
    pub sites: BTreeSet<SiteId>,
    /// Distinct contacts, of the detection that counts most of them: others may count the same.
    pub contacts: u32,
    /// First contact.
    pub first: Timestamp,
    /// Last contact.
    pub last: Timestamp,
}

impl<'a> Actor<'a> {
    fn new(campaign: &'a Campaign, detection: &'a Detection) -> Self {
        let Detection { sources, shared, first, last, contacts, .. } = detection;
        Self {
            campaign,
            sources,
            shared,
            organisations: detection.organisations.iter().copied().collect(),
            sites: detection.sites.iter().copied().collect(),
            contacts: *contacts,
            first: *first,
            last: *last,
        }
    }

    /// The sectors in which it knocked, by code, given the sector of each organisation.
    pub fn sectors<'s>(&self, of: &'s BTreeMap<OrgId, String>) -> BTreeSet<&'s str> {
        self.organisations.iter().filter_map(|org| of.get(org)).map(String::as_str).collect()
    }

    /// Whether words, in lower case, stand in what it shares, in its campaign or in an address.
    pub fn mentions(&self, words: &str) -> bool {
        let has = |text: &str| text.to_lowercase().contains(words);
        words.is_empty()
            || has(self.shared)
            || has(&self.campaign.id)
            || self.campaign.known.iter().any(|it| has(it))
            || self.sources.iter().any(|it| has(&it.to_string()))
    }

    /// Whether a detection is about addresses of this one only.
    fn has(&self, detection: &Detection) -> bool {
        detection.sources.iter().all(|source| self.sources.binary_search(source).is_ok())
    }

    fn add(&mut self, detection: &'a Detection) {
        if self.shared.is_empty() {
            self.shared = &detection.shared;
        }
        self.organisations.extend(&detection.organisations);
        self.sites.extend(&detection.sites);
        self.contacts = self.contacts.max(detection.contacts);
        self.first = self.first.min(detection.first);
        self.last = self.last.max(detection.last);
    }
}

/// The actors of campaigns: the worst first, then the newest, then by address.
pub fn actors(campaigns: &[Campaign]) -> Vec<Actor<'_>> {
    let mut all: Vec<Actor<'_>> = campaigns.iter().flat_map(of_campaign).collect();
    all.sort_by_key(|it| {
        let worst = std::cmp::Reverse((it.campaign.severity, it.last));
        (worst, it.sources, &it.campaign.id)
    });
    all
}

fn of_campaign(campaign: &Campaign) -> Vec<Actor<'_>> {
    let mut detections: Vec<&Detection> = campaign.detections.iter().collect();
    // Groups first, so that their members find them.
    detections.sort_by_key(|it| (std::cmp::Reverse(it.sources.len()), it.first, it.detector));
    let mut actors: Vec<Actor<'_>> = Vec::new();
    // Who has an address: a campaign of single addresses has thousands of them.
    let mut having: HashMap<IpAddr, Vec<usize>> = HashMap::new();
    for detection in detections {
        let some = detection.sources.first().and_then(|source| having.get(source));
        let known = some.into_iter().flatten().find(|at| actors[**at].has(detection));
        match known {
            Some(at) => actors[*at].add(detection),
            None => {
                for source in &detection.sources {
                    having.entry(*source).or_default().push(actors.len());
                }
                actors.push(Actor::new(campaign, detection));
            }
        }
    }
    actors
}

#[cfg(test)]
mod tests {
    use relight_model::Severity;

    use super::*;

    fn detection(
        (detector, shared): (&'static str, &str),
        sources: &[u8],
        (first, last): (Timestamp, Timestamp),
        (org, contacts): (u32, u32),
    ) -> Detection {
        Detection {
            detector,
            sources: sources.iter().map(|last| [192, 0, 2, *last].into()).collect(),
            shared: shared.to_owned(),
            severity: Severity::Reconnaissance,
            first,
            last,
            decided: last,
            organisations: vec![OrgId(org)],
            sites: vec![SiteId(org * 10)],
            contacts,
            likelihood: 1.0,
            threshold: 1.0,
            ..Detection::default()
        }
    }

    fn campaign(id: &str, severity: Severity, detections: Vec<Detection>) -> Campaign {
        Campaign { id: id.to_owned(), severity, confidence: 0.9, detections, ..Campaign::default() }
    }

    /// `campaign who shared organisations sites contacts first-last`, a line each.
    fn told(campaigns: &[Campaign]) -> Vec<String> {
        let line = |it: &Actor<'_>| {
            let who: Vec<_> = it.sources.iter().map(ToString::to_string).collect();
            let (who, id, shared) =
                (who.join("+").replace("192.0.2.", ""), &it.campaign.id, it.shared);
            let (orgs, sites) = (it.organisations.len(), it.sites.len());
            let Actor { contacts, first, last, .. } = it;
            format!("{id} {who} [{shared}] {orgs} {sites} {contacts} {first}-{last}")
        };
        actors(campaigns).iter().map(line).collect()
    }

    #[test]
    fn what_several_detectors_say_of_the_same_addresses_is_one_actor() {
        let detections = vec![
            detection(("slow", ""), &[7], (10, 20), (1, 5)),
            detection(("burst", ""), &[7], (15, 40), (2, 9)),
            detection(("group", "ja4:x"), &[1, 2, 3], (5, 50), (3, 30)),
            // A member of the group, found by itself too.
            detection(("slow", ""), &[2], (1, 9), (4, 8)),
            // One that is in no group.
            detection(("slow", ""), &[9], (60, 61), (5, 1)),
        ];
        let one = campaign("C-1", Severity::Reconnaissance, detections);
        assert_eq!(
            told(&[one]),
            ["C-1 9 [] 1 1 1 60-61", "C-1 1+2+3 [ja4:x] 2 2 30 1-50", "C-1 7 [] 2 2 9 10-40"]
        );
    }

    #[test]
    fn the_worst_come_first_and_the_same_address_in_two_campaigns_is_two() {
        let at = |last| vec![detection(("slow", ""), &[7], (0, last), (1, 1))];
        let campaigns = [
            campaign("C-1", Severity::Reconnaissance, at(90)),
            campaign("C-2", Severity::ExploitAttempt, at(10)),
            campaign("C-3", Severity::Reconnaissance, at(95)),
            campaign("C-4", Severity::Reconnaissance, at(95)),
            campaign("C-5", Severity::Noise, Vec::new()),
        ];
        let ids: Vec<_> = told(&campaigns).iter().map(|it| it[..3].to_owned()).collect();
        assert_eq!(ids, ["C-2", "C-3", "C-4", "C-1"]);
        assert!(told(&[]).is_empty());
    }

    #[test]
    fn an_actor_is_found_by_what_people_know_of_it() {
        let one = detection(("group", "ja4:T13d"), &[1, 22], (0, 9), (4, 1));
        let mut campaign = campaign("C-1a2b", Severity::Reconnaissance, vec![one]);
        campaign.known = vec!["Census".to_owned()];
        let campaigns = [campaign];
        let actors = actors(&campaigns);
        for (words, is_found) in [
            ("", true),
            ("192.0.2.22", true),
            ("ja4:t13d", true),
            ("c-1a2b", true),
            ("census", true),
            ("192.0.2.3", false),
            ("c-1a2c", false),
        ] {
            assert_eq!(actors[0].mentions(words), is_found, "{words}");
        }
        let sectors = [(OrgId(4), "health".to_owned()), (OrgId(5), "energy".to_owned())].into();
        assert_eq!(actors[0].sectors(&sectors), ["health"].into());
        assert!(actors[0].sectors(&BTreeMap::new()).is_empty());
    }

    /// Goal: nobody is lost and nobody is in two actors' place. Method: seeded detections; each of
    /// their addresses, organisations and contacts is in an actor that holds all of its addresses.
    #[test]
    fn every_detection_is_in_an_actor() {
        for seed in 0..50 {
            let mut rng = testkit::Rng::new(seed);
            let one = |at: u32, rng: &mut testkit::Rng| {
                let mut sources: Vec<u8> = (0..=rng.below(4)).map(|_| rng.below(9) as u8).collect();
                sources.sort_unstable();
                sources.dedup();
                let first = rng.below(50) as i64;
                detection(("slow", "x"), &sources, (first, first + 5), (at, 1 + at))
            };
            let detections: Vec<_> = (0..12).map(|at| one(at, &mut rng)).collect();
            let campaigns = [campaign("C-1", Severity::Noise, detections)];
            let actors = actors(&campaigns);
            for detection in &campaigns[0].detections {
                let holds = |it: &&Actor<'_>| {
                    it.has(detection)
                        && it.organisations.contains(&detection.organisations[0])
                        && it.contacts >= detection.contacts
                        && it.first <= detection.first
                        && it.last >= detection.last
                };
                assert_eq!(actors.iter().filter(holds).count(), 1, "seed {seed}");
            }
            for (at, actor) in actors.iter().enumerate() {
                let inside =
                    |other: &Actor<'_>| actor.sources.iter().all(|it| other.sources.contains(it));
                let others = actors.iter().enumerate().filter(|(other, _)| *other != at);
                assert!(!others.map(|it| it.1).any(inside), "seed {seed}");
            }
        }
    }
}
