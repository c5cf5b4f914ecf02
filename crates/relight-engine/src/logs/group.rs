//! Segments that were read and are not yet stored: their windows are joined first, because to
//! store each of them, read it again and join it then costs more than to read the log.
//!
//! Windows and the position behind the last segment are one transaction. After a crash the log is
//! read again from the position before; what the store refuses stays here and is put again.

use std::collections::BTreeMap;

use relight_model::{Digest, OrgId};
use relight_store::{DayRow, LogPosition, ProbeRow, SegmentsDraft};
use relight_watch::{Daybook, Window};

use super::compact;
use crate::engine::Engine;
use crate::error::EngineError;

/// Most segments that are joined before they are stored: 256 MiB of a log, which are read again
/// after a crash.
const GROUP_SEGMENTS_MAX: usize = 32;

/// Memory of their windows above which segments are stored, in bytes. One more segment adds a
/// multiple of its own bytes at most, so what is joined stays below the limit of the store.
const GROUP_BYTES_MAX: usize = 24 << 20;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Group {
    read: Vec<ReadSegment>,
    bytes: usize,
    /// How far the file was read.
    position: Option<LogPosition>,
}

#[derive(Debug)]
struct ReadSegment {
    org: OrgId,
    digest: Digest,
    window: Window,
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

    /// The file was read up to there.
    pub(super) fn reached(&mut self, position: LogPosition) {
        self.position = Some(position);
    }

    fn is_empty(&self) -> bool {
        self.read.is_empty() && self.position.is_none()
    }
}

impl Engine {
    /// Adds what a segment of an organisation gave.
    pub(super) fn group(
        &self,
        group: &mut Group,
        (org, digest): (OrgId, Digest),
        window: Window,
        daybook: &Daybook,
    ) {
        let (days, probes) = compact::rows_of(daybook, self.now());
        group.bytes += window.weight();
        group.read.push(ReadSegment { org, digest, window, days, probes });
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
            let mut seen = seen.into_iter();
            group.read.retain(|_| seen.next() != Some(true));
            if self.put_group(group)? {
                *group = Group::default();
            }
        }
        Ok(())
    }

    /// False when some segment was stored meanwhile.
    fn put_group(&self, group: &Group) -> Result<bool, EngineError> {
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
            windows: &self.joined(&group.read),
            read_day: compact::day_of(self.now()),
            days: &group.read.iter().flat_map(|it| it.days.iter().cloned()).collect::<Vec<_>>(),
            probes: &group.read.iter().flat_map(|it| it.probes.iter().cloned()).collect::<Vec<_>>(),
            position,
        };
        Ok(self.store.put_segments(&draft)?)
    }

    /// The windows of each day, joined into as few as hold them.
    fn joined(&self, read: &[ReadSegment]) -> Vec<(i64, Vec<u8>)> {
        if let [segment] = read {
            return vec![(self.day_of(&segment.window), segment.window.to_bytes())];
        }
        let mut days: BTreeMap<i64, Vec<&ReadSegment>> = BTreeMap::new();
        for segment in read {
            days.entry(self.day_of(&segment.window)).or_default().push(segment);
        }
        let mut joined = Vec::new();
        for (day, read) in days {
            let segments: Vec<Digest> = read.iter().map(|segment| segment.digest).collect();
            let windows = read.iter().map(|segment| &segment.window);
            let folded = Window::fold(windows, |at| compact::name_of(&segments, at));
            joined.extend(folded.iter().map(|window| (day, window.to_bytes())));
        }
        joined
    }

    /// The day of the last event.
    fn day_of(&self, window: &Window) -> i64 {
        compact::day_of(window.stats().last.unwrap_or_else(|| self.now()))
    }
}

#[cfg(test)]
mod tests {
    use relight_watch::{Feed, Memory, Reader};

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
        engine.group(group, (OrgId(1), digest(number)), window, &daybook);
    }

    /// Events in all windows, and how many windows there are.
    fn kept(engine: &Engine) -> (u64, usize) {
        let windows = engine.store().windows().unwrap();
        let events = |bytes: &[u8]| Window::from_bytes(bytes).unwrap().stats().events;
        (windows.iter().map(|(_, bytes)| events(bytes)).sum(), windows.len())
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
        let (window, daybook) = read(1, 10, 60_000);
        let mut segments = 0;
        while !group.is_full() {
            add(&engine, &mut group, segments, (window.clone(), Daybook::new()));
            segments += 1;
        }
        assert!((2..GROUP_SEGMENTS_MAX).contains(&segments), "{segments}");
        let bytes: usize = segments * window.to_bytes().len();
        assert!(bytes <= group.bytes, "more is expected than there is");
        assert!(!daybook.rows().is_empty());
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
