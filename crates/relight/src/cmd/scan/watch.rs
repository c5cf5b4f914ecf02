//! What is said while a scan runs: counters, the current path, and files that take long.

use std::collections::BTreeMap;
use std::time::Duration;

use relight_scan::Progress;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::redact::Redaction;

/// A file that takes longer is named.
const SLOW_AFTER: Duration = Duration::from_secs(10);

/// How often a line of `--progress jsonl` is written.
pub(super) const LINE_EVERY: Duration = Duration::from_secs(5);

/// One line of `--progress jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    schema: &'static str,
    files: u64,
    /// Known once every folder was listed.
    files_in_all: Option<u64>,
    archives: u64,
    deepest: u32,
    bytes_read: u64,
    flaws: u64,
    /// Files that the cache knew.
    known: u64,
    path: Option<String>,
    done: bool,
}

/// Watches one scan. Time is told to it, counted from the start of the scan.
pub(super) struct Watch<'a> {
    progress: &'a Progress,
    redaction: &'a Redaction,
    /// When each file that is being read was first seen, and whether it was named.
    seen: BTreeMap<u64, (Duration, bool)>,
    /// When the next line is due.
    next_line: Duration,
}

impl<'a> Watch<'a> {
    pub(super) fn new(progress: &'a Progress, redaction: &'a Redaction) -> Self {
        Self { progress, redaction, seen: BTreeMap::new(), next_line: Duration::ZERO }
    }

    /// Files that take long by now, each told once.
    pub(super) fn slow(&mut self, now: Duration) -> Vec<String> {
        let current = self.progress.current();
        self.seen.retain(|number, _| current.iter().any(|(other, _)| other == number));
        let mut slow = Vec::new();
        for (number, path) in current {
            let (since, named) = self.seen.entry(number).or_insert((now, false));
            if !*named && now.saturating_sub(*since) >= SLOW_AFTER {
                *named = true;
                slow.push(self.redaction.path(&path).into_owned());
            }
        }
        slow
    }

    /// The line that is due, if one is.
    pub(super) fn line_if_due(&mut self, now: Duration) -> Option<Line> {
        if now < self.next_line {
            return None;
        }
        self.next_line = now + LINE_EVERY;
        Some(self.line(Done::NotYet))
    }

    /// How things stand.
    pub(super) fn line(&self, done: Done) -> Line {
        let progress = self.progress;
        Line {
            schema: "relight.progress/1",
            files: progress.files(),
            files_in_all: progress.files_in_all(),
            archives: progress.archives(),
            deepest: progress.deepest(),
            bytes_read: progress.bytes_read(),
            flaws: progress.flaws(),
            known: progress.known(),
            path: self.path(),
            done: done == Done::Whole,
        }
    }

    /// The same in words, for a terminal.
    pub(super) fn message(&self, lang: Lang) -> String {
        let progress = self.progress;
        let (files, archives) = (progress.files(), progress.archives());
        let (deepest, flaws) = (u64::from(progress.deepest()), progress.flaws());
        let megabytes = progress.bytes_read() / 1_000_000;
        let text = texts::scan_progress(lang, archives, deepest, files, flaws, megabytes);
        let text = match self.path() {
            Some(path) => texts::labelled(lang, &text, &path),
            None => text,
        };
        match progress.files_in_all() {
            Some(all) if all > 0 => texts::scan_percent(lang, (files * 100 / all).min(100), &text),
            _ => text,
        }
    }

    fn path(&self) -> Option<String> {
        let (_, path) = self.progress.current().into_iter().next()?;
        Some(self.redaction.path(&path).into_owned())
    }
}

/// Whether a scan has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    NotYet,
    Whole,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        Redaction::parse(&["home/[a-z]+=home/X".to_owned()]).unwrap()
    }

    #[test]
    fn a_file_that_takes_long_is_named_once() {
        let (progress, redaction) = (Progress::default(), redaction());
        let mut watch = Watch::new(&progress, &redaction);
        let at = Duration::from_secs;
        let first = progress.begin("home/alice/big.iso");
        assert!(watch.slow(at(0)).is_empty());
        let second = progress.begin("b");
        assert!(watch.slow(at(9)).is_empty());
        assert_eq!(watch.slow(at(10)), ["home/X/big.iso"]);
        assert!(watch.slow(at(18)).is_empty(), "told once");
        drop(first);
        assert_eq!(watch.slow(at(19)), ["b"]);
        drop(second);
        let _third = progress.begin("home/alice/big.iso");
        assert!(watch.slow(at(40)).is_empty(), "a new file begins anew");
    }

    #[test]
    fn a_line_is_due_at_once_and_then_every_five_seconds() {
        let (progress, redaction) = (Progress::default(), redaction());
        let mut watch = Watch::new(&progress, &redaction);
        let mut due = |ms| watch.line_if_due(Duration::from_millis(ms)).is_some();
        assert_eq!(
            [0, 100, 4_999, 5_000, 5_001, 9_999, 10_000].map(&mut due),
            [true, false, false, true, false, false, true]
        );
    }

    #[test]
    fn the_message_holds_what_a_person_waits_for() {
        let (progress, redaction) = (Progress::default(), redaction());
        let watch = Watch::new(&progress, &redaction);
        let start = "0 files, 0 archives (deepest 0), 0 MB, 0 unread";
        assert_eq!(watch.message(Lang::En), start);
        let _current = progress.begin("home/alice/a.jar");
        assert_eq!(watch.message(Lang::En), format!("{start}: home/X/a.jar"));
        let french = watch.message(Lang::Fr);
        assert!(french.starts_with("0 fichier, 0 archive (profondeur 0), 0\u{a0}Mo, 0 non lu"));
    }
}
