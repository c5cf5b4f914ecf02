//! Segments that were read and are not yet stored: their windows are joined first, because to
//! store each of them, read it again and join it then costs more than to read the log.
//!
//! Windows and the position behind the last segment are one transaction. After a crash the log is
//! read again from the position before; what the store refuses stays here and is put again.

use std::collections::BTreeMap;

use relight_model::{Digest, OrgId};
use relight_store::{DayRow, LogPosition, ProbeRow, SegmentsDraft, Store};
use relight_watch::{Daybook, Together, Window};

use super::{compact, head_of, hunts};
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};

/// Most segments that are joined before they are stored: 2 GiB of a log, which is read again after
/// a crash, in some seconds. A day of a busy site that is stored in two parts is read again, and
/// written a second time, joined.
const GROUP_SEGMENTS_MAX: usize = 256;

/// Windows of segments that wait to be joined with the others in memory.
const WAITING_MAX: usize = 64;

/// Memory of the windows above which segments are stored, in bytes. One more segment adds a
/// multiple of its own bytes at most, so what is joined stays below the limit of the store.
const GROUP_BYTES_MAX: usize = 40 << 20;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Group {
    read: Vec<ReadSegment>,
    /// Windows by the day of their last event: of all segments, joined into few or not yet.
    windows: BTreeMap<i64, Vec<Window>>,
    /// How many of them came after the last joining.
    waiting: usize,
    bytes: usize,
    /// How far the file was read.
    position: Option<LogPosition>,
    /// Number of the last erasure before the first of it was read.
    erasures: u64,
    /// With what the next of them is read.
    pub(super) together: Together,
}

#[derive(Debug)]
struct ReadSegment {
    org: OrgId,
    day: i64,
    digest: Digest,
    days: Vec<DayRow>,
    probes: Vec<ProbeRow>,
}

impl Group {
    /// It holds as much as it may.
    pub(super) const fn is_full(&self) -> bool {
        self.read.len() >= GROUP_SEGMENTS_MAX || self.bytes > GROUP_BYTES_MAX
    }

    pub(super) fn holds(&self, digest: Digest) -> bool {
        self.read.iter().any(|segment| segment.digest == digest)
    }

    /// Another segment will be read: what is erased from now on must not be stored with it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn begin(&mut self, store: &Store) -> Result<(), EngineError> {
        if self.read.is_empty() {
            self.erasures = store.erasures()?.last();
        }
        Ok(())
    }

    /// Takes out what was erased since its first segment was read: who read the same lines and
    /// stored them may have erased a source, and it must not come back.
    fn erase(&mut self, store: &Store) -> Result<(), EngineError> {
        let erasures = store.erasures()?;
        if erasures.last() == self.erasures {
            return Ok(());
        }
        let forgotten = || {
            let what = "a source was erased more than a day after these lines were read";
            EngineError::new(EngineErrorKind::Other, what)
        };
        let places = hunts::every_place(store)?;
        for source in erasures.since(self.erasures).ok_or_else(forgotten)? {
            for window in self.windows.values_mut().flatten() {
                window.erase(source, &places);
            }
        }
        self.erasures = erasures.last();
        // Marks that are gone are set again by lines that are read from now on.
        self.together = Together::default();
        Ok(())
    }

    /// The file was read up to there.
    pub(super) fn reached(&mut self, position: LogPosition) {
        self.position = Some(position);
    }

    fn is_empty(&self) -> bool {
        self.read.is_empty() && self.position.is_none()
    }

    fn push(&mut self, day: i64, window: Window) {
        self.bytes += window.weight();
        self.waiting += 1;
        self.windows.entry(day).or_default().push(window);
        if self.waiting == WAITING_MAX || self.bytes > GROUP_BYTES_MAX {
            self.join();
        }
    }

    /// Joins the windows of each day into as few as hold them.
    fn join(&mut self) {
        for windows in self.windows.values_mut() {
            *windows = Window::join(std::mem::take(windows));
        }
        self.bytes = self.windows.values().flatten().map(Window::weight).sum();
        self.waiting = 0;
    }

    /// Leaves out the segments that somebody else stored.
    fn leave_out(&mut self, seen: &[bool]) {
        for (segment, _) in self.read.iter().zip(seen).filter(|(_, seen)| **seen) {
            let name = head_of(segment.digest);
            self.windows.values_mut().flatten().for_each(|window| window.forget_segment(name));
        }
        let mut seen = seen.iter();
        self.read.retain(|_| seen.next() != Some(&true));
        let read = &self.read;
        self.windows.retain(|day, _| read.iter().any(|segment| segment.day == *day));
    }

    /// What is stored: the day of each window and its bytes. A segment alone has its own name.
    fn stored(&mut self) -> Vec<(i64, Vec<u8>)> {
        let is_alone = self.read.len() == 1;
        if self.waiting > 0 && !is_alone {
            self.join();
        }
        let mut all = Vec::new();
        for (day, windows) in &self.windows {
            let of_day = self.read.iter().filter(|segment| segment.day == *day);
            let segments: Vec<Digest> = of_day.map(|segment| segment.digest).collect();
            for (at, window) in windows.iter().enumerate() {
                let bytes = match segments[..] {
                    [_] if is_alone => window.to_bytes(),
                    _ => window.to_bytes_named(compact::name_of(&segments, at)),
                };
                all.push((*day, bytes));
            }
        }
        all
    }
}

impl Engine {
    /// Adds what a segment of an organisation gave, and what was noted about its lines.
    pub(super) fn group(
        &self,
        group: &mut Group,
        (org, digest): (OrgId, Digest),
        window: Window,
        (daybook, notes): (&Daybook, Vec<DayRow>),
    ) {
        let (mut days, probes) = compact::rows_of(daybook, self.now());
        days.extend(notes);
        let day = self.day_of(&window);
        group.push(day, window);
        group.read.push(ReadSegment { org, day, digest, days, probes });
    }

    /// Stores what was read. What somebody else read meanwhile is left out: a segment counts once.
    ///
    /// # Errors
    /// The store cannot be read or written. Nothing of the group is lost or half stored.
    pub(super) fn keep(&self, group: &mut Group) -> Result<(), EngineError> {
        while !group.is_empty() {
            let mut seen = Vec::new();
            for segment in &group.read {
                seen.push(self.store.segment_seen(segment.digest)?);
            }
            group.leave_out(&seen);
            group.erase(&self.store)?;
            if self.put_group(group)? {
                *group = Group::default();
            }
        }
        Ok(())
    }

    /// False when some segment was stored, or some source erased, meanwhile.
    fn put_group(&self, group: &mut Group) -> Result<bool, EngineError> {
        let windows = group.stored();
        let position = group.position.as_ref();
        let Some(first) = group.read.first() else {
            return Ok(position
                .map_or(Ok(()), |at| self.store.put_log_position(at))
                .map(|()| true)?);
        };
        let segments: Vec<Digest> = group.read.iter().map(|segment| segment.digest).collect();
        let draft = SegmentsDraft {
            org: first.org,
            segments: &segments,
            windows: &windows,
            read_day: compact::day_of(self.now()),
            days: &group.read.iter().flat_map(|it| it.days.iter().cloned()).collect::<Vec<_>>(),
            probes: &group.read.iter().flat_map(|it| it.probes.iter().cloned()).collect::<Vec<_>>(),
            position,
            erasures: group.erasures,
        };
        Ok(self.store.put_segments(&draft)?)
    }

    /// The day of the last event.
    fn day_of(&self, window: &Window) -> i64 {
        compact::day_of(window.stats().last.unwrap_or_else(|| self.now()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use relight_watch::{Feed, Memory, Prey, Reader};

    use super::super::tests::engine;
    use super::*;

    fn digest(number: usize) -> Digest {
        let mut digest = Digest([7; 32]);
        digest.0[..8].copy_from_slice(&(number as u64).to_be_bytes());
        digest
    }

    /// A window of a line on that day of December, and what the daybook says of it.
    fn read(number: usize, day: usize, paths: usize) -> (Window, Daybook) {
        let line = |path: usize| {
            format!(
                "192.0.{}.{} - - [{day:02}/Dec/2021:12:00:00 +0000] \"GET /{number}/x{path}y \
                 HTTP/1.1\" 404 9 \"-\" \"-\"\n",
                path >> 8 & 0xff,
                path & 0xff
            )
        };
        let log: String = (0..paths).map(line).collect();
        let (mut window, mut daybook) = (Window::new(number as u64), Daybook::new());
        let mut reader = Reader::new(Feed { org: OrgId(1), ..Feed::default() });
        reader.read(log.as_bytes(), &mut Memory::default(), &mut window, &mut daybook);
        (window, daybook)
    }

    fn add(
        engine: &Engine,
        group: &mut Group,
        number: usize,
        (window, daybook): (Window, Daybook),
    ) {
        engine.group(group, (OrgId(1), digest(number)), window, (&daybook, Vec::new()));
    }

    /// Events in all windows, and how many windows there are.
    fn kept(engine: &Engine) -> (u64, usize) {
        let windows = engine.store().windows().unwrap();
        let events = |bytes: &[u8]| Window::from_bytes(bytes).unwrap().stats().events;
        (windows.iter().map(|(_, bytes)| events(bytes)).sum(), windows.len())
    }

    /// Whose contacts are kept.
    fn sources(engine: &Engine) -> Vec<String> {
        let hunted = |last: u8| {
            let source = IpAddr::from([192, 0, 0, last]);
            let found = hunts::hunt_all(engine.store(), &Prey::Source(source), 0).unwrap();
            (found.total > 0).then(|| source.to_string())
        };
        (0..4).filter_map(hunted).collect()
    }

    #[test]
    fn both_limits_are_reached() {
        let (_folder, engine) = engine();
        let mut group = Group::default();
        for number in 0..GROUP_SEGMENTS_MAX {
            assert!(!group.is_full(), "{number}");
            add(&engine, &mut group, number, read(number, 10, 1));
        }
        assert!(group.is_full());
        let mut group = Group::default();
        let (mut segments, mut bytes) = (0, 0);
        while !group.is_full() {
            let (window, daybook) = read(segments, 1 + segments, 60_000);
            assert!(!daybook.rows().is_empty());
            bytes += window.to_bytes().len();
            add(&engine, &mut group, segments, (window, daybook));
            segments += 1;
        }
        assert!((2..28).contains(&segments), "{segments}");
        assert!(bytes <= group.bytes, "more is expected than there is");
    }

    /// As many windows as days, and every segment is known afterwards.
    #[test]
    fn windows_of_a_day_are_joined_before_they_are_stored() {
        let (_folder, engine) = engine();
        let mut group = Group::default();
        for number in 0..9 {
            add(&engine, &mut group, number, read(number, 10 + number / 6, 2));
        }
        assert!(group.holds(digest(8)) && !group.holds(digest(9)));
        engine.keep(&mut group).unwrap();
        assert_eq!(kept(&engine), (18, 2));
        assert!((0..9).all(|number| engine.store().segment_seen(digest(number)).unwrap()));
        engine.keep(&mut group).unwrap();
        assert_eq!(kept(&engine), (18, 2), "nothing is left to be kept");
    }

    /// Two read the same log: what the other stored first is left out, and the rest is kept.
    #[test]
    fn what_was_stored_meanwhile_counts_once() {
        let (_folder, engine) = engine();
        let (mut ours, mut theirs) = (Group::default(), Group::default());
        for number in 0..4 {
            add(&engine, &mut ours, number, read(number, 10, 1));
        }
        for number in 1..3 {
            add(&engine, &mut theirs, number, read(number, 10, 1));
        }
        let mut again = Group::default();
        add(&engine, &mut again, 2, read(2, 10, 1));
        engine.keep(&mut theirs).unwrap();
        engine.keep(&mut ours).unwrap();
        engine.keep(&mut again).unwrap();
        assert_eq!(kept(&engine), (4, 2));
    }

    /// Goal: joining again and again in memory loses nothing and counts nothing twice, and a
    /// segment that somebody else stored can still be left out. Method: more segments than wait.
    #[test]
    fn windows_that_were_joined_are_joined_with_others() {
        let (_folder, engine) = engine();
        let (mut ours, mut theirs) = (Group::default(), Group::default());
        for number in 0..2 * WAITING_MAX + 3 {
            add(&engine, &mut ours, number, read(number, 10 + number % 2, 2));
            assert!(ours.windows.values().flatten().count() <= WAITING_MAX + 2);
        }
        add(&engine, &mut theirs, 5, read(5, 11, 2));
        engine.keep(&mut theirs).unwrap();
        engine.keep(&mut ours).unwrap();
        assert_eq!(kept(&engine), (2 * (2 * WAITING_MAX as u64 + 3), 3));
    }

    /// A source that is erased while lines with it are read and not yet stored, by who stored some
    /// of them already: it stays erased, whatever was joined, and the others stay.
    #[test]
    fn what_is_erased_meanwhile_does_not_come_back() {
        for read_by_others in [0..0, 0..1, 0..WAITING_MAX] {
            let (_folder, engine) = engine();
            let (mut ours, mut theirs) = (Group::default(), Group::default());
            ours.begin(engine.store()).unwrap();
            for number in 0..WAITING_MAX + 1 {
                add(&engine, &mut ours, number, read(number, 10, 3));
            }
            theirs.begin(engine.store()).unwrap();
            for number in read_by_others.clone() {
                add(&engine, &mut theirs, number, read(number, 10, 3));
            }
            engine.keep(&mut theirs).unwrap();
            let found = hunts::erase_source(engine.store(), [192, 0, 0, 1].into(), 0).unwrap();
            assert_eq!(found.contacts, usize::from(!read_by_others.is_empty()), "of one door");
            engine.keep(&mut ours).unwrap();
            assert_eq!(sources(&engine), ["192.0.0.0", "192.0.0.2"]);
            assert_eq!(kept(&engine).0, 3 * (WAITING_MAX as u64 + 1), "its events are counted");
            let mut later = Group::default();
            later.begin(engine.store()).unwrap();
            add(&engine, &mut later, 900, read(900, 10, 3));
            engine.keep(&mut later).unwrap();
            assert_eq!(sources(&engine).len(), 3, "lines that were read afterwards are new");
        }
    }

    #[test]
    fn what_the_store_refuses_is_put_again() {
        let (_folder, engine) = engine();
        let mut group = Group::default();
        add(&engine, &mut group, 1, read(1, 10, 5_000));
        engine.store().limit_pages(Some(0)).unwrap();
        engine.keep(&mut group).unwrap_err();
        assert_eq!(kept(&engine), (0, 0));
        engine.store().limit_pages(None).unwrap();
        engine.keep(&mut group).unwrap();
        assert_eq!(kept(&engine), (5_000, 1));
    }
}
