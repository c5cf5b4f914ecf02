//! How often somebody may try: five times a minute for one account from one address, or of IPv6 one
//! network of 64 bits, which one host has for itself. The trials of another address, or of another
//! account, are counted apart: nobody can lock out anybody else.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use relight_model::Timestamp;

use super::form::network;

/// Trials of one account from one address in one window.
pub(crate) const TRIALS_MAX: u32 = 5;

/// Length of a window, in seconds.
pub(crate) const WINDOW_S: i64 = 60;

/// Pairs of account and address that are counted at one time. Beyond it the oldest pair is
/// forgotten, which lets it try again: the other way round, strangers could lock people out.
pub(crate) const PAIRS_MAX: usize = 10_000;

/// Refusals that are written into the journal in one window; of the others the next entry tells
/// how many there were. A flood must not fill the disk.
pub(crate) const TOLD_MAX: u32 = 60;

/// Whether somebody may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    /// Within the limit.
    Allowed,
    /// The first one beyond it.
    First,
    /// Beyond it, like the one before.
    Beyond,
}

#[derive(Debug, Default)]
struct State {
    /// Begin of the window and trials in it, by account and address.
    pairs: BTreeMap<(u32, String), (Timestamp, u32)>,
    /// Pairs in the order in which their windows began.
    order: VecDeque<(u32, String)>,
    told_from: Timestamp,
    told: u32,
    untold: u64,
}

/// Who tried how often.
#[derive(Debug)]
pub(crate) struct Limits {
    state: Mutex<State>,
    trials_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(TRIALS_MAX)
    }
}

impl Limits {
    /// So many trials in one window, in place of [`TRIALS_MAX`].
    pub(crate) fn of(trials_max: u32) -> Self {
        Self { state: Mutex::default(), trials_max }
    }

    /// Counts one trial; account 0 is that of keys that nobody registered.
    pub(crate) fn count(&self, account: u32, address: &str, now: Timestamp) -> Trial {
        let mut state = self.state();
        let pair = (account, network(address));
        let is_over = |from: Timestamp| !(from..from + WINDOW_S).contains(&now);
        if state.pairs.get(&pair).is_none_or(|(from, _)| is_over(*from)) {
            if state.pairs.contains_key(&pair) {
                state.order.retain(|other| *other != pair);
            }
            state.order.push_back(pair.clone());
            state.pairs.insert(pair.clone(), (now, 0));
            while state.pairs.len() > PAIRS_MAX {
                let Some(oldest) = state.order.pop_front() else { break };
                state.pairs.remove(&oldest);
            }
        }
        let Some((_, trials)) = state.pairs.get_mut(&pair) else { return Trial::Beyond };
        *trials = trials.saturating_add(1);
        match (*trials).cmp(&(self.trials_max + 1)) {
            std::cmp::Ordering::Less => Trial::Allowed,
            std::cmp::Ordering::Equal => Trial::First,
            std::cmp::Ordering::Greater => Trial::Beyond,
        }
    }

    /// Takes back one trial that went well.
    pub(crate) fn forgive(&self, account: u32, address: &str) {
        let mut state = self.state();
        if let Some((_, trials)) = state.pairs.get_mut(&(account, network(address))) {
            *trials = trials.saturating_sub(1);
        }
    }

    /// Whether a refusal is to be journalled, and how many before it were not.
    pub(crate) fn tells(&self, trial: Trial, now: Timestamp) -> Option<u64> {
        let mut state = self.state();
        if !(state.told_from..state.told_from + WINDOW_S).contains(&now) {
            (state.told_from, state.told) = (now, 0);
        }
        if trial == Trial::Beyond || state.told >= TOLD_MAX {
            state.untold += 1;
            return None;
        }
        state.told += 1;
        Some(std::mem::take(&mut state.untold))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_trials_in_a_minute_are_five_and_cost_nobody_else_any() {
        let limits = Limits::default();
        let mut allowed = 0;
        let mut entries = 0;
        for trial in 0..10_000 {
            let now = 600 + trial * WINDOW_S / 10_000;
            let got = limits.count(1, "192.0.2.1", now);
            allowed += u32::from(got == Trial::Allowed);
            entries += u32::from(limits.tells(got, now).is_some());
        }
        assert_eq!((allowed, entries), (TRIALS_MAX, TRIALS_MAX + 1));
        let now = 600 + WINDOW_S - 1;
        assert_eq!(limits.count(2, "192.0.2.1", now), Trial::Allowed, "another account");
        assert_eq!(limits.count(1, "192.0.2.2", now), Trial::Allowed, "another address");
        assert_eq!(limits.count(1, "192.0.2.1", now + 1), Trial::Allowed, "another minute");
        assert_eq!(limits.tells(Trial::Allowed, now), Some(9_994), "nothing is lost");
    }

    /// Trap: one host has as many addresses of its network as it likes.
    #[test]
    fn one_network_has_the_trials_of_one_address() {
        let limits = Limits::default();
        let of = |host: u32| limits.count(0, &format!("2001:db8:1:2::{host:x}"), 5);
        let got: Vec<Trial> = (1..=7).map(of).collect();
        let beyond = [Trial::First, Trial::Beyond];
        assert_eq!(got, [[Trial::Allowed; TRIALS_MAX as usize].as_slice(), &beyond].concat());
        limits.forgive(0, "2001:db8:1:2::99");
        limits.forgive(0, "2001:db8:1:2::98");
        limits.forgive(0, "2001:db8:1:2::97");
        assert_eq!(limits.count(0, "2001:db8:1:2::96", 5), Trial::Allowed, "what went well");
        assert_eq!(limits.count(0, "2001:db8:1:3::1", 5), Trial::Allowed, "another network");
        assert_eq!(limits.count(0, "::ffff:192.0.2.1", 5), Trial::Allowed);
        let mapped = (0..TRIALS_MAX).map(|_| limits.count(0, "192.0.2.1", 5)).last();
        assert_eq!(mapped, Some(Trial::First), "one address in two forms");
    }

    #[test]
    fn many_addresses_fill_neither_memory_nor_journal() {
        let limits = Limits::default();
        let mut entries = 0;
        for number in 0..PAIRS_MAX + 10 {
            let got = limits.count(0, &number.to_string(), 5);
            assert_eq!(got, Trial::Allowed);
            entries += u32::from(limits.tells(got, 5).is_some());
        }
        let state = limits.state.lock().unwrap();
        assert_eq!((state.pairs.len(), state.order.len()), (PAIRS_MAX, PAIRS_MAX));
        assert_eq!(entries, TOLD_MAX);
        assert!(!state.pairs.contains_key(&(0, "9".to_owned())), "the oldest are forgotten");
    }

    #[test]
    fn what_went_well_costs_no_trial() {
        let limits = Limits::default();
        for _ in 0..100 {
            assert_eq!(limits.count(0, "office", 5), Trial::Allowed);
            limits.forgive(0, "office");
            limits.forgive(0, "nobody");
        }
        for _ in 0..TRIALS_MAX {
            assert_eq!(limits.count(0, "office", 5), Trial::Allowed);
        }
        assert_eq!(limits.count(0, "office", 5), Trial::First);
    }

    #[test]
    fn a_clock_that_goes_back_begins_a_new_window() {
        let limits = Limits::default();
        for _ in 0..=TRIALS_MAX {
            limits.count(1, "a", 1_000);
        }
        assert_eq!(limits.count(1, "a", 999), Trial::Allowed);
    }
}
