//! The end of an import: guards, what vanished, and the state of each source.

use std::collections::BTreeMap;

use relight_model::Timestamp;
use rusqlite::params;

use super::head::{self, VANISHED};
use super::{CHANGE_FREE, CHANGE_MAX, Guard, Importer, Known, SHRINK_MAX, SourceCounts};
use crate::advisory_sources::DATED_KEY;
use crate::settings;

/// Sources whose lists are made anew each time: what is missing is withdrawn, or has left the
/// catalogue.
const MADE_ANEW: [&str; 3] = ["alpine", "debian", "kev"];

impl Importer<'_> {
    /// Checks each source, undoes those that are refused, and notes how they are doing.
    pub(super) fn finish(mut self) -> Result<BTreeMap<String, SourceCounts>, rusqlite::Error> {
        self.part_all()?;
        let mut all = BTreeMap::new();
        for (source, mut known) in std::mem::take(&mut self.sources) {
            let guard = known.guard();
            let is_accepted = self.accepted.has(&source);
            match guard {
                Some(guard) if !is_accepted => {
                    self.undo(&source)?;
                    known.counts = SourceCounts { refused: Some(guard), ..SourceCounts::default() };
                }
                _ => {
                    if guard.is_some() {
                        let what = format!("--accept {source}");
                        self.accepted.note(self.transaction, self.now, &what)?;
                    }
                    self.unmark_seen(&source, &known)?;
                    if known.is_whole {
                        self.find_vanished(&source, &mut known)?;
                    }
                }
            }
            let counts = &known.counts;
            let is_told = !known.seen.is_empty() || counts.stale > 0 || counts.vanished > 0;
            if is_told || known.is_whole {
                self.note(&source, &known)?;
                all.insert(source, known.counts);
            }
        }
        Ok(all)
    }

    /// Nothing of this import stays of a refused source.
    fn undo(&self, source: &str) -> Result<(), rusqlite::Error> {
        let delete = "DELETE FROM advisory WHERE source = ?1 AND seq > ?2";
        self.transaction.execute(delete, params![source, self.start])?;
        Ok(())
    }

    /// What was told again is neither out of date nor gone.
    fn unmark_seen(&self, source: &str, known: &Known) -> Result<(), rusqlite::Error> {
        let has_ended = |id: &String| known.heads.get(id).is_some_and(|it| it.is_vanished);
        let seen = known.marks.keys().filter(|id| known.seen.contains_key(*id));
        for id in seen.filter(|id| !has_ended(id)) {
            head::unmark(self.transaction, source, id)?;
        }
        Ok(())
    }

    fn find_vanished(&self, source: &str, known: &mut Known) -> Result<(), rusqlite::Error> {
        let base = source.split('/').next().unwrap_or(source);
        for (id, head) in &known.heads {
            let was_vanished = known.marks.get(id).is_some_and(|it| *it);
            if was_vanished || known.seen.contains_key(id) {
                continue;
            }
            known.counts.vanished += 1;
            if MADE_ANEW.contains(&base) {
                head::end(self.transaction, self.now, (source, id), head, head.ordinal)?;
            } else {
                head::mark(self.transaction, source, id, VANISHED, self.now)?;
            }
        }
        Ok(())
    }

    /// Three failures in a row are a state of their own, see [`crate::SourceState`].
    fn note(&self, source: &str, known: &Known) -> Result<(), rusqlite::Error> {
        let refused = known.counts.refused.map_or("", Guard::as_str);
        let has_failed = known.seen.is_empty() && known.counts.stale > 0;
        let success = (!has_failed && refused.is_empty()).then_some(self.now);
        self.transaction
            .prepare_cached(
                "INSERT INTO advisory_source
                 (name, first_at, last_attempt, last_success, errors, refused)
                 VALUES (?1, ?2, ?2, ?3, ?4, ?5)
                 ON CONFLICT (name) DO UPDATE SET last_attempt = excluded.last_attempt,
                 last_success = coalesce(excluded.last_success, last_success),
                 errors = CASE WHEN excluded.errors = 0 THEN 0 ELSE errors + 1 END,
                 refused = excluded.refused",
            )?
            .execute(params![source, self.now, success, i64::from(has_failed), refused])?;
        match known.dated.filter(|_| known.is_whole && success.is_some()) {
            Some(at) => self.note_date(source, at),
            None => Ok(()),
        }
    }

    /// Of what date the list in force is, whether it is newer than the one before or not.
    fn note_date(&self, source: &str, at: Timestamp) -> Result<(), rusqlite::Error> {
        let key = format!("{DATED_KEY}{source}");
        settings::put(self.transaction, &key, &at.to_string())
    }
}

impl Known {
    /// Why the source must not change like this, if it must not. The first import of a source is
    /// compared with nothing.
    fn guard(&self) -> Option<Guard> {
        let (before, now) = (self.before, self.seen.len());
        if before == 0 {
            return None;
        }
        if self.is_whole && now * 100 < before * (100 - SHRINK_MAX) {
            return Some(Guard::Shrunk { before, now });
        }
        let changed = self.counts.matching;
        let is_too_much = changed > CHANGE_FREE && changed * 100 > before * CHANGE_MAX;
        is_too_much.then_some(Guard::Changed { before, changed })
    }
}
