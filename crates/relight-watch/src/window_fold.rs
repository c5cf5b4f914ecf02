//! Windows of one day of one organisation, made into few: what they tell stays, their number
//! does not grow with how often somebody looked.

use std::collections::BTreeMap;

use relight_model::OrgId;

use crate::contact::{ContactKey, Facts};
use crate::marks::Marks;
use crate::pool::Users;
use crate::window::{
    CONTACTS_MAX, Counters, PRINT_BYTES_MAX, SEGMENTS_MAX, VISIT_CONTACTS_MAX, Window,
};

/// Bytes of the counters of one segment, and of a contact or of the name of a client without its
/// text.
const COUNTERS_BYTES: usize = 128;
const CONTACT_BYTES: usize = 144;

impl Window {
    /// Joins windows of different segments, in order, into as few as hold them without a loss:
    /// the names of the segments are given up, their counters are added. `name` names each of the
    /// windows that come out.
    ///
    /// Give no segment twice: the events of both would be counted.
    pub fn fold(windows: Vec<Self>, name: impl Fn(usize) -> u64) -> Vec<Self> {
        let mut folded = Self::join(windows);
        for (at, window) in folded.iter_mut().enumerate() {
            window.name(name(at));
        }
        folded
    }

    /// The same, and the counters of each segment stay apart: those of one can still be taken away.
    pub fn join(mut windows: Vec<Self>) -> Vec<Self> {
        match Self::whole(&mut windows) {
            Some(whole) => vec![whole],
            None => Self::one_after_the_other(windows),
        }
    }

    /// Takes away what was counted of a segment: somebody else stored it. Its marks and contacts
    /// are there already, and stay.
    pub fn forget_segment(&mut self, segment: u64) {
        self.counters.retain(|(of, _), _| *of != segment);
    }

    fn one_after_the_other(windows: Vec<Self>) -> Vec<Self> {
        let mut folded: Vec<Self> = Vec::new();
        for window in windows {
            match folded.last_mut() {
                // What has lost something already may lose more.
                Some(last) if last.truncated || window.truncated || last.has_room_for(&window) => {
                    last.merge(&window);
                }
                _ => folded.push(window),
            }
        }
        folded
    }

    /// All of them in one, when none of them lost anything and nothing has to go: the same as one
    /// after the other, in a small part of the time. Else they are as they were.
    fn whole(windows: &mut [Self]) -> Option<Self> {
        if windows.is_empty() || windows.iter().any(|window| window.truncated) {
            return None;
        }
        let mut whole = Self::new(0);
        for window in &*windows {
            for (key, counters) in &window.counters {
                whole.counters.entry(*key).or_insert(Counters::EMPTY).merge(counters);
            }
            for (print, name) in &window.prints {
                whole.put_name(*print, name);
            }
        }
        whole.ordinary = Marks::union(windows.iter().map(|window| &window.ordinary));
        whole.served = Marks::union(windows.iter().map(|window| &window.served));
        whole.users = Users(Marks::union(windows.iter().map(|window| &window.users.0)));
        let is_whole = whole.counters.len() <= SEGMENTS_MAX
            && !whole.ordinary.is_full()
            && !whole.served.is_full();
        if is_whole {
            whole.contacts = contacts_of(windows)?;
        }
        is_whole.then_some(whole)
    }

    /// About how many bytes the window takes, here and where it is stored: rather more than fewer.
    pub fn weight(&self) -> usize {
        let marks = self.ordinary.len() + self.served.len() + self.users.0.len();
        let texts: usize = self.contacts.values().map(|facts| facts.first.2.len()).sum();
        self.counters.len() * COUNTERS_BYTES
            + self.contacts.len() * CONTACT_BYTES
            + texts
            + marks * size_of::<u64>()
            + self.prints.len() * (CONTACT_BYTES + PRINT_BYTES_MAX)
    }

    /// All of another window can be added and nothing has to go.
    fn has_room_for(&self, other: &Self) -> bool {
        let new = other.counters.keys().filter(|key| !self.counters.contains_key(key)).count();
        self.counters.len() + new <= SEGMENTS_MAX
            && self.ordinary.has_room_for(&other.ordinary)
            && self.served.has_room_for(&other.served)
            && self.has_room_for_contacts(other)
    }

    fn has_room_for_contacts(&self, other: &Self) -> bool {
        let (mut visit, mut of_visit, mut new) = (None, 0, 0);
        for key in other.contacts.keys() {
            if visit != Some(key.visit) {
                visit = Some(key.visit);
                of_visit = self.contacts.range(key.visit.contacts()).count();
            }
            if !self.contacts.contains_key(key) {
                (of_visit, new) = (of_visit + 1, new + 1);
            }
            if of_visit > VISIT_CONTACTS_MAX {
                return false;
            }
        }
        self.contacts.len() + new <= CONTACTS_MAX
    }

    /// Gives it a name: all counters of an organisation become those of one segment.
    pub fn name(&mut self, name: u64) {
        (self.segment, self.counters) = (name, self.counters_of(name));
    }

    /// The counters of each organisation, of one segment.
    pub(crate) fn counters_of(&self, name: u64) -> BTreeMap<(u64, OrgId), Counters> {
        let mut all = BTreeMap::new();
        for ((_, org), counters) in &self.counters {
            all.entry((name, *org)).or_insert(Counters::EMPTY).add(counters);
        }
        all
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

/// The contacts of all windows, when none has to go; else they stay where they are. They are moved
/// once, each window in its own order: of a copy of each text, and of memory for a second list,
/// most of the time would be that of the memory.
fn contacts_of(windows: &mut [Window]) -> Option<BTreeMap<ContactKey, Facts>> {
    let (turns, length) = turns(windows)?;
    let mut contacts: Vec<_> =
        windows.iter_mut().map(|it| std::mem::take(&mut it.contacts).into_iter()).collect();
    let mut sorted: Vec<(ContactKey, Facts)> = Vec::with_capacity(length);
    for (key, facts) in turns.into_iter().filter_map(|window| contacts[window].next()) {
        match sorted.last_mut() {
            Some((last, kept)) if *last == key => kept.merge(&facts),
            _ => sorted.push((key, facts)),
        }
    }
    Some(sorted.into_iter().collect())
}

/// The window whose next contact comes next in the order of all keys, for each contact, and how
/// many different ones there are; nothing where one of them has to go.
fn turns(windows: &[Window]) -> Option<(Vec<usize>, usize)> {
    let mut keys: Vec<(&ContactKey, usize)> =
        Vec::with_capacity(windows.iter().map(|it| it.contacts.len()).sum());
    for (window, it) in windows.iter().enumerate() {
        keys.extend(it.contacts.keys().map(|key| (key, window)));
    }
    // By the hash of the visit, which is beside the place, and where that is the same by the rest:
    // what is looked at most lies together.
    let mut order: Vec<(u64, usize)> =
        keys.iter().enumerate().map(|(at, (key, _))| (key.visit.hash, at)).collect();
    // Those of each window are in order already.
    order.sort();
    for visit in order.chunk_by_mut(|(one, _), (other, _)| one == other) {
        if visit.len() > 1 {
            visit.sort_by_key(|(_, at)| keys[*at].0);
        }
    }
    let sorted = order.chunk_by(|one, other| keys[one.1].0.visit == keys[other.1].0.visit);
    let is_same = |one: &(u64, usize), other: &(u64, usize)| keys[one.1].0 == keys[other.1].0;
    let mut different = 0;
    for visit in sorted {
        let of_visit = visit.chunk_by(is_same).count();
        different += of_visit;
        if of_visit > VISIT_CONTACTS_MAX || different > CONTACTS_MAX {
            return None;
        }
    }
    Some((order.into_iter().map(|(_, at)| keys[at].1).collect(), different))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use relight_model::{Event, OrgId, SiteId};

    use super::*;

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
        let folded = Window::fold(parts.clone(), |_| 7);
        assert_eq!(folded.len(), 1);
        assert_eq!(folded[0].stats(), pool.stats());
        assert_eq!(folded[0].contacts, pool.contacts);
        assert_eq!(folded[0].counters.len(), 1, "the names of the segments are given up");
        assert!(folded[0].to_bytes().len() < pool.to_bytes().len());
        let again = Window::fold(folded.clone(), |_| 7);
        assert_eq!(again[0].to_bytes(), folded[0].to_bytes());
        assert!(Window::fold(Vec::new(), |_| 7).is_empty());
    }

    /// A window of one source that asked for these doors.
    fn visit(doors: std::ops::Range<usize>) -> Window {
        let mut window = Window::new(1);
        for door in doors {
            let letters = (b'a' + door as u8) as char;
            window.observe(&Event {
                path: &format!("/{letters}"),
                status: 404,
                ..Event::bare(OrgId(1), 0, IpAddr::from([192, 0, 2, 1]))
            });
        }
        window
    }

    #[test]
    fn there_is_room_exactly_when_nothing_has_to_go() {
        let max = VISIT_CONTACTS_MAX;
        for (one, other) in
            [(0..max, 0..max), (0..max, max..max + 1), (0..10, 10..max), (0..9, 3..max + 1)]
        {
            let (one, other) = (visit(one), visit(other));
            let mut joined = one.clone();
            joined.merge(&other);
            assert_eq!(one.has_room_for(&other), !joined.stats().truncated);
            assert_eq!(other.has_room_for(&one), !joined.stats().truncated);
        }
    }

    #[test]
    fn nothing_is_given_up_for_a_smaller_number() {
        let half = CONTACTS_MAX / 2 + 1;
        let parts = [window(1, 0..half), window(2, half..2 * half), window(3, 0..half)];
        let contacts: usize = parts[..2].iter().map(|part| part.contacts.len()).sum();
        let folded = Window::fold(parts.to_vec(), |at| at as u64);
        assert!(folded.iter().all(|window| !window.stats().truncated));
        assert_eq!(folded.len(), 3);
        assert_eq!(folded[0].contacts.len() + folded[1].contacts.len(), contacts);
    }
}
