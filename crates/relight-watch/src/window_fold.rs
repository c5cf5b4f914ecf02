//! Windows of one day of one organisation, made into few: what they tell stays, their number
//! does not grow with how often somebody looked.

use crate::window::{Counters, Window};

impl Window {
    /// Joins windows of different segments, in order, into as few as hold them without a loss:
    /// the names of the segments are given up, their counters are added. `name` names each of the
    /// windows that come out.
    ///
    /// Give no segment twice: the events of both would be counted.
    pub fn fold(windows: impl IntoIterator<Item = Self>, name: impl Fn(usize) -> u64) -> Vec<Self> {
        let mut folded: Vec<Self> = Vec::new();
        for window in windows {
            let joined = folded.last().map(|last| {
                let mut joined = last.clone();
                joined.merge(&window);
                joined
            });
            let was_whole = !window.truncated && folded.last().is_some_and(|last| !last.truncated);
            match (joined, folded.last_mut()) {
                (Some(joined), Some(last)) if !(was_whole && joined.stats().truncated) => {
                    *last = joined;
                }
                _ => folded.push(window),
            }
        }
        for (at, window) in folded.iter_mut().enumerate() {
            window.rename(name(at));
        }
        folded
    }

    /// All counters of an organisation become those of one segment.
    fn rename(&mut self, name: u64) {
        self.segment = name;
        for ((_, org), counters) in std::mem::take(&mut self.counters) {
            self.counters.entry((name, org)).or_insert(Counters::EMPTY).add(&counters);
        }
    }
}

impl Counters {
    /// Adds what another segment counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.events += other.events;
        self.overflow += other.overflow;
        self.refused += other.refused;
        self.unplaced += other.unplaced;
        for (mine, others) in self.kinds.iter_mut().zip(other.kinds) {
            *mine += others;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use relight_model::{Event, OrgId, SiteId};

    use super::*;
    use crate::window::CONTACTS_MAX;

    fn window(segment: u64, doors: std::ops::Range<usize>) -> Window {
        let mut window = Window::new(segment);
        for door in doors {
            let source = IpAddr::V6(((door as u128) << 64).into());
            let path = format!("/wp-login.php?{door}");
            window.observe(&Event {
                site: Some(SiteId(1)),
                path: &path,
                status: 404,
                ..Event::bare(OrgId(1), door as i64, source)
            });
        }
        window
    }

    #[test]
    fn many_windows_become_one_that_tells_the_same() {
        let parts: Vec<Window> =
            (0..300).map(|at| window(at, at as usize * 10..at as usize * 10 + 15)).collect();
        let mut pool = Window::new(0);
        parts.iter().for_each(|part| pool.merge(part));
        let folded = Window::fold(parts, |_| 7);
        assert_eq!(folded.len(), 1);
        assert_eq!(folded[0].stats(), pool.stats());
        assert_eq!(folded[0].contacts, pool.contacts);
        assert_eq!(folded[0].counters.len(), 1, "the names of the segments are given up");
        assert!(folded[0].to_bytes().len() < pool.to_bytes().len());
        let again = Window::fold(folded.clone(), |_| 7);
        assert_eq!(again[0].to_bytes(), folded[0].to_bytes());
        assert!(Window::fold([], |_| 7).is_empty());
    }

    #[test]
    fn nothing_is_given_up_for_a_smaller_number() {
        let half = CONTACTS_MAX / 2 + 1;
        let parts = [window(1, 0..half), window(2, half..2 * half), window(3, 0..half)];
        let contacts: usize = parts[..2].iter().map(|part| part.contacts.len()).sum();
        let folded = Window::fold(parts, |at| at as u64);
        assert!(folded.iter().all(|window| !window.stats().truncated));
        assert_eq!(folded.len(), 3);
        assert_eq!(folded[0].contacts.len() + folded[1].contacts.len(), contacts);
    }
}
