//! The newest revision of each record, and the rows that make it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use relight_model::{Digest, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use super::{AHEAD_S_MAX, Content, Guard, ImportRecord, SHRINK_MAX, ScoreTable};
use crate::blob;

/// Missing from the newest complete list.
pub(super) const VANISHED: &str = "vanished";

/// Its successor could not be read.
pub(super) const STALE: &str = "stale-record";

/// What is known of the newest revision of a record.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) revision: Digest,
    matching: Option<Digest>,
    pub(super) ordinal: i64,
    pub(super) modified: Option<Timestamp>,
    pub(super) withdrawn: Option<Timestamp>,
    /// The row says that the record is missing from a list that is made anew.
    pub(super) is_vanished: bool,
    pub(super) parts: Vec<u8>,
    pub(super) went_back: bool,
}

impl Head {
    /// Whether it is this revision, or was united from it and others.
    pub(super) fn holds(&self, revision: Digest) -> bool {
        self.revision == revision || self.parts.chunks_exact(32).any(|part| part == revision.0)
    }

    /// How many records it was united from.
    pub(super) const fn parts_count(&self) -> usize {
        self.parts.len() / 32
    }

    /// Whether the record matches otherwise; what was stored before this was kept is not counted.
    pub(super) fn differs(&self, record: &ImportRecord<'_>) -> bool {
        self.matching.is_some_and(|before| before != record.matching)
            || self.withdrawn.is_some() != record.withdrawn.is_some()
    }
}

/// The names of all sources.
pub(super) fn sources(transaction: &Transaction<'_>) -> Result<BTreeSet<String>, rusqlite::Error> {
    let mut query = transaction.prepare_cached("SELECT DISTINCT source FROM advisory")?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// Whether a record ever had this revision.
pub(super) fn has_revision(
    transaction: &Transaction<'_>,
    (source, id): (&str, &str),
    revision: Digest,
) -> Result<bool, rusqlite::Error> {
    let query = "SELECT 1 FROM advisory WHERE source = ?1 AND id = ?2 AND revision = ?3";
    transaction.prepare_cached(query)?.exists(params![source, id, revision.0])
}

/// The newest revision of every record of a source.
pub(super) fn heads(
    transaction: &Transaction<'_>,
    source: &str,
) -> Result<BTreeMap<String, Head>, rusqlite::Error> {
    let mut query = transaction.prepare_cached(
        "SELECT id, seq, revision, matching, ordinal, modified, withdrawn, flags, parts
         FROM advisory WHERE source = ?1
         AND seq IN (SELECT max(seq) FROM advisory WHERE source = ?1 GROUP BY id)",
    )?;
    let rows = query.query_map([source], |row| {
        let matching: Option<[u8; 32]> = row.get(3)?;
        let flags: String = row.get(7)?;
        let head = Head {
            seq: row.get(1)?,
            revision: Digest(row.get(2)?),
            matching: matching.map(Digest),
            ordinal: row.get(4)?,
            modified: row.get(5)?,
            withdrawn: row.get(6)?,
            is_vanished: flags.split(' ').any(|flag| flag == VANISHED),
            parts: row.get(8)?,
            went_back: false,
        };
        Ok((row.get(0)?, head))
    })?;
    rows.collect()
}

/// The records of a source that are marked, and whether as vanished.
pub(super) fn marks(
    transaction: &Transaction<'_>,
    source: &str,
) -> Result<HashMap<String, bool>, rusqlite::Error> {
    let mut query =
        transaction.prepare_cached("SELECT id, kind FROM advisory_mark WHERE source = ?1")?;
    let rows = query.query_map([source], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let mut marks = HashMap::new();
    for row in rows {
        let (id, kind): (String, String) = row?;
        *marks.entry(id).or_insert(false) |= kind == VANISHED;
    }
    Ok(marks)
}

/// Appends a revision.
pub(super) fn write(
    transaction: &Transaction<'_>,
    now: Timestamp,
    before: Option<&Head>,
    record: &ImportRecord<'_>,
) -> Result<Head, rusqlite::Error> {
    let claimed = record.modified;
    let is_ahead = claimed.is_some_and(|at| at > now.saturating_add(AHEAD_S_MAX));
    let modified = if is_ahead { Some(now) } else { claimed };
    let went_back =
        before.and_then(|it| it.modified).zip(modified).is_some_and(|(before, now)| now < before);
    let mut flags = Vec::new();
    flags.extend(is_ahead.then_some("modified-clamped"));
    flags.extend(went_back.then_some("modified-went-back"));
    let flags = flags.join(" ");
    let row = Row { record, modified, flags: &flags, parts: &[] };
    let seq = insert(transaction, now, &row)?;
    Ok(Head { modified, went_back, ..head(seq, record) })
}

/// The revision of an id that came before in this import with another content: the row of this
/// import, if there is one, gives way to one that holds both.
pub(super) fn unite(
    transaction: &Transaction<'_>,
    start: i64,
    before: &Head,
    record: &ImportRecord<'_>,
) -> Result<Head, rusqlite::Error> {
    let (bytes, recorded_at): (Vec<u8>, Timestamp) = transaction
        .prepare_cached(
            "SELECT blob.bytes, recorded_at FROM advisory
             JOIN blob ON blob.digest = advisory.digest WHERE seq = ?1",
        )?
        .query_row([before.seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut parts = match &before.parts[..] {
        [] => before.revision.0.to_vec(),
        parts => parts.to_vec(),
    };
    parts.extend(record.revision.0);
    let mut sorted: Vec<&[u8]> = parts.chunks_exact(32).collect();
    sorted.sort_unstable();
    let parts = sorted.concat();
    let inner = match &bytes[..] {
        [b'[', inner @ .., b']'] => inner,
        whole => whole,
    };
    let next = record.content.bytes(transaction)?;
    let bytes = [b"[", inner, b",", &next, b"]"].concat();
    let matching = [before.matching.unwrap_or_default().0, record.matching.0].concat();
    let united = ImportRecord {
        revision: blob::digest_of(&parts),
        matching: blob::digest_of(&matching),
        // What is left of it is in force.
        withdrawn: before.withdrawn.and(record.withdrawn),
        content: Content::Bytes(&bytes),
        ..*record
    };
    if before.seq > start {
        transaction.prepare_cached("DELETE FROM advisory WHERE seq = ?1")?.execute([before.seq])?;
    }
    let row = Row { record: &united, modified: before.modified, flags: "", parts: &parts };
    let seq = insert(transaction, recorded_at, &row)?;
    Ok(Head { modified: before.modified, parts, ..head(seq, &united) })
}

/// Appends that a record is missing from a list that is made anew, or from version `ordinal` of its
/// document: its opinion ends.
pub(super) fn end(
    transaction: &Transaction<'_>,
    now: Timestamp,
    (source, id): (&str, &str),
    head: &Head,
    ordinal: i64,
) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "INSERT INTO advisory (source, id, revision, recorded_at, digest, matching, ordinal,
                                   modified, withdrawn, flags, parts)
             SELECT source, id, revision, ?2, digest, matching, ?4, modified, ?2, ?3, parts
             FROM advisory WHERE seq = ?1",
        )?
        .execute(params![head.seq, now, VANISHED, ordinal])?;
    mark(transaction, source, id, VANISHED, now)
}

fn head(seq: i64, record: &ImportRecord<'_>) -> Head {
    Head {
        seq,
        revision: record.revision,
        matching: Some(record.matching),
        ordinal: record.ordinal,
        modified: record.modified,
        withdrawn: record.withdrawn,
        is_vanished: false,
        parts: Vec::new(),
        went_back: false,
    }
}

struct Row<'a> {
    record: &'a ImportRecord<'a>,
    modified: Option<Timestamp>,
    flags: &'a str,
    parts: &'a [u8],
}

fn insert(
    transaction: &Transaction<'_>,
    recorded_at: Timestamp,
    row: &Row<'_>,
) -> Result<i64, rusqlite::Error> {
    let Row { record, modified, flags, parts } = row;
    let ImportRecord { source, id, revision, matching, ordinal, withdrawn, content, .. } = record;
    let digest = content.put(transaction)?;
    transaction
        .prepare_cached(
            "INSERT INTO advisory (source, id, revision, recorded_at, digest, matching, ordinal,
                                   modified, withdrawn, flags, parts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            source,
            id,
            revision.0,
            recorded_at,
            digest.0,
            matching.0,
            ordinal,
            modified,
            withdrawn,
            flags,
            parts
        ])?;
    Ok(transaction.last_insert_rowid())
}

/// Puts a mark on a record; the first one stays.
pub(super) fn mark(
    transaction: &Transaction<'_>,
    source: &str,
    id: &str,
    kind: &str,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "INSERT INTO advisory_mark (source, id, kind, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![source, id, kind, now])?;
    Ok(())
}

/// Takes the marks of a record away.
pub(super) fn unmark(
    transaction: &Transaction<'_>,
    source: &str,
    id: &str,
) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached("DELETE FROM advisory_mark WHERE source = ?1 AND id = ?2")?
        .execute([source, id])?;
    Ok(())
}

/// Replaces a table of scores, unless it shrank.
pub(super) fn put_scores(
    transaction: &Transaction<'_>,
    table: &ScoreTable<'_>,
    now: Timestamp,
) -> Result<Option<Guard>, rusqlite::Error> {
    let before: Option<(i64, [u8; 32])> = transaction
        .prepare_cached("SELECT scores, digest FROM advisory_scores WHERE name = ?1")?
        .query_row([table.name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let stored = i64::try_from(table.scores).unwrap_or(i64::MAX);
    if let Some(before) = before.and_then(|(before, _)| usize::try_from(before).ok())
        && table.scores * 100 < before * (100 - SHRINK_MAX)
    {
        return Ok(Some(Guard::Shrunk { before, now: table.scores }));
    }
    let digest = blob::put(transaction, table.bytes)?;
    transaction
        .prepare_cached(
            "INSERT INTO advisory_scores (name, model, at, scores, recorded_at, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET model = excluded.model, at = excluded.at,
             scores = excluded.scores, recorded_at = excluded.recorded_at,
             digest = excluded.digest",
        )?
        .execute(params![table.name, table.model, table.at, stored, now, digest.0])?;
    if let Some((_, old)) = before.filter(|(_, old)| *old != digest.0) {
        transaction.execute("DELETE FROM blob WHERE digest = ?1", [old])?;
    }
    Ok(None)
}
