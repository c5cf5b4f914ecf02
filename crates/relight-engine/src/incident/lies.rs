//! Edges that were caught: the gate read back closed, and visitors got in. Who was caught several
//! times is told before the next plan relies on it, until it passes a drill.

use std::collections::{BTreeMap, VecDeque};

use relight_model::Timestamp;

use super::entry::Entry;

/// How often an edge has to be caught.
pub const CAUGHT_MIN: usize = 3;

/// Within which time, in seconds: 30 days.
pub const CAUGHT_WINDOW_S: i64 = 30 * 86_400;

/// What is told sooner after the time before is part of that, in seconds: many sites fail within
/// one order.
pub const CAUGHT_APART_S: i64 = 60;

/// Code of what visitors saw against what the edge said: its gate read back closed, and they got
/// in.
pub(crate) const LET_IN: &str = "visitors-let-in";

/// When each edge was caught, the last few times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caught(BTreeMap<String, VecDeque<Timestamp>>);

impl Caught {
    pub(super) fn note(&mut self, entry: &Entry, now: Timestamp) {
        match entry {
            Entry::EdgeFailed { edge, why, .. } if why == LET_IN => {
                let times = self.0.entry(edge.clone()).or_default();
                // A clock that was set back makes it another time.
                let is_same =
                    times.back().is_some_and(|at| (0..CAUGHT_APART_S).contains(&(now - at)));
                if !is_same {
                    times.push_back(now);
                }
                if times.len() > CAUGHT_MIN {
                    times.pop_front();
                }
            }
            Entry::Drilled { edge, passed: true, .. } => drop(self.0.remove(edge)),
            _ => {}
        }
    }

    /// Since when an edge is caught again and again.
    pub(super) fn since(&self, edge: &str, now: Timestamp) -> Option<Timestamp> {
        let times = self.0.get(edge).filter(|times| times.len() == CAUGHT_MIN)?;
        let is_near = |at: &Timestamp| now - at < CAUGHT_WINDOW_S;
        times.iter().all(is_near).then(|| times.front().copied()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use relight_model::{Digest, GateKey};

    use super::*;

    fn failed(edge: &str, why: &str) -> Entry {
        let sites = vec![GateKey::new("a").unwrap()];
        Entry::EdgeFailed { sites, edge: edge.into(), why: why.into() }
    }

    fn drilled(passed: bool) -> Entry {
        let target = Some(Digest::default());
        let (edge, untried) = ("east".into(), Vec::new());
        Entry::Drilled { drill: true, edge, passed, failed: None, target, untried }
    }

    /// Goal: an edge that is caught three times within a month is told until it passes a drill.
    /// Method: what is a catch, what is none, and what is too near, too far or elsewhere.
    #[test]
    fn who_is_caught_again_and_again_is_told_until_a_drill_passes() {
        let mut caught = Caught::default();
        let canary = |what: &str| {
            let what = what.to_owned();
            Entry::CanaryTried { edge: "east".into(), passed: what.is_empty(), what }
        };
        for (entry, at) in [
            (failed("east", LET_IN), 1_000),
            (failed("east", LET_IN), 1_000 + CAUGHT_APART_S - 1),
            (failed("west", LET_IN), 5_000),
            (failed("east", "unreachable"), 5_000),
            (failed("east", LET_IN), 6_000),
            // A slow edge, a broken origin and a canary that nobody reached accuse nobody.
            (failed("east", "probe-disagrees"), 6_500),
            (failed("east", "host-spelling"), 6_600),
            (canary("dark-not-seen"), 6_700),
            (canary(""), 7_000),
            (drilled(false), 7_500),
        ] {
            caught.note(&entry, at);
            assert_eq!(caught.since("east", at), None, "{entry:?}");
        }
        caught.note(&failed("east", LET_IN), 8_000);
        assert_eq!(caught.since("east", 8_000), Some(1_000));
        assert_eq!(caught.since("west", 8_000), None);
        assert_eq!(caught.since("east", 1_000 + CAUGHT_WINDOW_S), None, "that is long ago");
        caught.note(&failed("east", LET_IN), 9_000);
        assert_eq!(caught.since("east", 9_000), Some(6_000));
        caught.note(&drilled(true), 9_500);
        assert_eq!(caught.since("east", 9_500), None);
    }
}
