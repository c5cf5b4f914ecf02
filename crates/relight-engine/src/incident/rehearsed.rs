//! Drills that began and are not over, edge by edge: of one that was killed nobody opens what it
//! closed, unless the journal says so. It may always be undone: what a drill closes is the canary,
//! or a site that is marked for that, and nothing that an incident wants dark.

use std::collections::BTreeSet;

use relight_edge::Untried;
use relight_edge::config::CANARY_KEY;
use relight_model::{Digest, GateKey, Timestamp};

use super::entry::Entry;
use super::fold::Case;
use super::ledger::Ledger;
use super::phase::Phase;

/// What the journal knows of drills on one edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsed {
    /// When the newest began, or ended without opening everything.
    pub since: Timestamp,
    /// What one that has not ended may close.
    pub running: BTreeSet<GateKey>,
    /// What those that ended may have left dark, and nobody has seen lit since.
    pub left: BTreeSet<GateKey>,
}

/// The last drill of an edge, which passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// When.
    pub at: Timestamp,
    /// What the edge was by then (`edges::identity`).
    target: Digest,
    /// What it could not try.
    pub untried: Untried,
}

impl Ledger {
    /// The drill that an edge last passed as what it is now (`edges::identity`): one of the same
    /// name that was replaced since, by another kind or at another address, passed none.
    pub fn drilled(&self, edge: &str, target: &Digest) -> Option<Passed> {
        self.drills.get(edge).filter(|passed| passed.target == *target).copied()
    }

    /// The drills that began and have not ended, or left something dark, by edge.
    pub fn rehearsed(&self) -> impl Iterator<Item = (&str, &Rehearsed)> {
        self.rehearsed.iter().map(|(edge, rehearsed)| (edge.as_str(), rehearsed))
    }

    /// What is known of drills on one edge, while there is anything.
    pub fn rehearsed_on(&self, edge: &str) -> Option<&Rehearsed> {
        self.rehearsed.get(edge)
    }

    /// What drills left dark on an edge that nobody has seen lit since, and that no drill closes
    /// now: canaries of that edge, and sites, wherever they stand today.
    pub(crate) fn left_by_drills(&self, edge: &str) -> BTreeSet<&GateKey> {
        let all =
            self.rehearsed.iter().flat_map(|(of, it)| it.left.iter().map(move |key| (of, key)));
        let meant = all.filter(|(of, key)| is_meant(of, edge, key)).map(|(_, key)| key);
        meant.filter(|key| !self.is_drilled_now(edge, key)).collect()
    }

    fn is_drilled_now(&self, edge: &str, key: &GateKey) -> bool {
        self.rehearsed.iter().any(|(of, it)| is_meant(of, edge, key) && it.running.contains(key))
    }

    /// A drill closes this site, or left it dark.
    pub(super) fn is_in_drill(&self, site: &GateKey) -> bool {
        self.rehearsed.values().any(|it| it.running.contains(site) || it.left.contains(site))
    }

    /// True for what a drill left dark and no incident has anything to do with: whatever is known
    /// of the site, it was lit before.
    pub(super) fn is_left_by_drill(&self, site: &GateKey) -> bool {
        let is_left = self.rehearsed.values().any(|it| it.left.contains(site));
        let mut cases = self.open().filter_map(|(_, incident)| incident.case(site));
        is_left && !cases.any(Case::is_touched)
    }

    /// Folds in what is about drills.
    pub(super) fn rehearse(&mut self, entry: &Entry, now: Timestamp) {
        match entry {
            Entry::Drilled { edge, passed, target, untried, .. } => {
                // What was believed of it was believed because of the drill before.
                self.drills.remove(edge);
                if let (true, Some(target)) = (passed, target) {
                    let untried = Untried::parse(untried);
                    let passed = Passed { at: now, target: *target, untried };
                    self.drills.insert(edge.clone(), passed);
                }
            }
            Entry::DrillBegun { edge, keys, .. } => {
                let rehearsed = self.rehearsed.entry(edge.clone()).or_default();
                rehearsed.since = now;
                // One that was never ended may have left all that it could close.
                let before = std::mem::take(&mut rehearsed.running);
                rehearsed.left.extend(before);
                rehearsed.running = keys.iter().cloned().collect();
            }
            Entry::DrillEnded { edge, left, .. } => {
                let rehearsed = self.rehearsed.entry(edge.clone()).or_default();
                rehearsed.since = now;
                rehearsed.running.clear();
                rehearsed.left.extend(left.iter().cloned());
            }
            Entry::DrillUndone { edge, keys, .. } => {
                for (of, rehearsed) in &mut self.rehearsed {
                    rehearsed.left.retain(|key| !(is_meant(of, edge, key) && keys.contains(key)));
                }
            }
            _ => {}
        }
        self.rehearsed.retain(|_, it| !it.running.is_empty() || !it.left.is_empty());
    }
}

/// Whether what a drill of one edge says of a key is also about another edge: each has a canary of
/// its own, and a site is one wherever it stands.
fn is_meant(of: &str, edge: &str, key: &GateKey) -> bool {
    of == edge || key.as_str() != CANARY_KEY
}

impl Case {
    /// An incident has something to do with the site: its gate is what the incident says.
    pub(crate) fn is_touched(&self) -> bool {
        self.ordered || !matches!(self.phase, Phase::Online | Phase::Exempt)
    }
}

#[cfg(test)]
mod tests {
    use relight_model::Digest;

    use super::*;

    const ID: &str = "CVE-2021-44228";

    fn keys(names: &[&str]) -> Vec<GateKey> {
        names.iter().map(|name| GateKey::new(name).unwrap()).collect()
    }

    fn begun(edge: &str, names: &[&str]) -> Entry {
        Entry::DrillBegun { drill: true, edge: edge.to_owned(), keys: keys(names) }
    }

    fn ended(edge: &str, interrupted: bool, left: &[&str]) -> Entry {
        let (drill, edge, left) = (true, edge.to_owned(), keys(left));
        Entry::DrillEnded { drill, edge, interrupted, left }
    }

    fn undone(edge: &str, names: &[&str]) -> Entry {
        Entry::DrillUndone { drill: true, edge: edge.to_owned(), keys: keys(names) }
    }

    fn left(ledger: &Ledger, edge: &str) -> Vec<String> {
        ledger.left_by_drills(edge).into_iter().map(ToString::to_string).collect()
    }

    /// Goal: what an interrupted drill left is wanted lit until each of it was seen so, and nothing
    /// of a drill that is under way is. Method: two edges, one of which is drilled again.
    #[test]
    fn what_a_drill_left_is_wanted_lit_until_it_was_seen_so() {
        let mut ledger = Ledger::new(1);
        let mut say = |entry: Entry, at: i64| {
            let read = Entry::from_body(&entry.to_body().unwrap()).unwrap();
            assert_eq!(read, entry);
            ledger.apply("", &entry, at).unwrap();
            ledger.clone()
        };
        let both = [CANARY_KEY, "beds"];
        let after = say(begun("east", &both), 1);
        assert_eq!(left(&after, "east"), [""; 0], "it is under way");
        assert!(after.is_at_work(&keys(&["beds"])[0]), "and the site stays where it is");
        let after = say(ended("east", true, &both), 2);
        assert_eq!(left(&after, "east"), ["beds", CANARY_KEY]);
        assert_eq!(left(&after, "west"), ["beds"], "the site may stand elsewhere by now");
        let after = say(undone("west", &both), 3);
        assert_eq!(left(&after, "east"), [CANARY_KEY], "the canary is that of its edge");
        say(begun("east", &both), 4);
        let after = say(begun("east", &[CANARY_KEY]), 5);
        assert_eq!(left(&after, "east"), ["beds"], "nobody ended the one before");
        let after = say(ended("east", false, &[]), 6);
        assert_eq!(left(&after, "east"), ["beds", CANARY_KEY], "what it never closed stays left");
        let after = say(undone("east", &both), 7);
        assert_eq!(after.rehearsed().count(), 0);
        assert!(!after.is_at_work(&keys(&["beds"])[0]));
        let after = say(ended("east", false, &[]), 8);
        assert_eq!(after.rehearsed().count(), 0, "the end of none is none");
    }

    /// Goal: a drill shows what it tried; drills of before are believed for all, and say nothing
    /// else. Method: entries that name what was not tried, and one as it was written before.
    #[test]
    fn a_drill_that_passed_says_what_it_could_not_try() {
        let mut ledger = Ledger::new(1);
        let mut untried = |codes: &[&str]| {
            let entry = Entry::Drilled {
                drill: true,
                edge: "east".to_owned(),
                passed: true,
                failed: None,
                target: Some(Digest([3; 32])),
                untried: codes.iter().map(|code| (*code).to_owned()).collect(),
            };
            let body = entry.to_body().unwrap();
            assert_eq!(Entry::from_body(&body).unwrap(), entry);
            assert_eq!(body.contains("untried"), !codes.is_empty(), "as before: {body}");
            ledger.apply("", &entry, 5).unwrap();
            let passed = ledger.drilled("east", &Digest([3; 32])).unwrap();
            assert_eq!(passed.at, 5);
            (passed.untried.reload, passed.untried.tunnels)
        };
        assert_eq!(untried(&["survives_reload"]), (true, false));
        assert_eq!(untried(&["cuts_tunnels", "of another release"]), (false, true));
        assert_eq!(untried(&[]), (false, false), "the newest one counts");
    }

    /// Goal: a drill is undone whatever else is known of a site, and no site that an incident
    /// closed is opened by that. Method: an incident is open, and then orders the site dark.
    #[test]
    fn a_drill_may_always_be_undone_and_no_order_is() {
        let mut ledger = Ledger::new(1);
        let beds = keys(&["beds"]).remove(0);
        let opened = Entry::Opened {
            question: ID.into(),
            title: String::new(),
            revision: Digest([2; 32]),
            statements: Digest::default(),
            policy: "test".into(),
        };
        ledger.apply(ID, &opened, 1).unwrap();
        ledger.apply("", &begun("east", &["beds"]), 2).unwrap();
        ledger.apply("", &ended("east", true, &["beds"]), 3).unwrap();
        assert!(ledger.permits(&beds, 4));
        let (sites, reason) = (vec![beds.clone()], "test".to_owned());
        let order = Entry::DarkOrdered { plan: Digest::default(), sites, reason };
        ledger.apply(ID, &order, 5).unwrap();
        assert!(!ledger.permits(&beds, 6), "that is what the incident says");
    }
}
