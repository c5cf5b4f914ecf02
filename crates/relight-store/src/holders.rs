//! Who holds which value: the profiles of the present inventories the other way round, in a file
//! beside the database.
//!
//! The database is the truth. The file says which containers it is about; what is missing in it or
//! gone from the database is put right when the next question is asked, by one merge. So nothing
//! has to be kept in step by those who write, and a file that is lost or damaged costs time only.

mod file;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use relight_model::{Digest, ProfileGap, ValueKind, Values};
use rusqlite::Connection;

use self::file::{Builder, Bytes, Damaged, Pairs};
use crate::StoreErrorKind;
use crate::profiles::{self, ContainerId};
use crate::store::Failure;

/// Values that are taken from the database into memory at one time, 16 bytes each.
pub const VALUES_AT_A_TIME_MAX: usize = 4_000_000;

/// A distinct container of the present inventories.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its number in the store.
    pub id: ContainerId,
    /// What it is made of.
    pub(crate) digest: Digest,
    /// What is missing of it.
    pub gap: ProfileGap,
    /// The sum, over its values in their order, of 1 / the number of containers that hold each.
    pub weight: f64,
}

/// Every distinct container of the present inventories, and who holds which value of one kind.
#[derive(Debug)]
pub struct Holders {
    pairs: Pairs,
}

impl Holders {
    /// The containers, by their numbers here: a stable order.
    pub fn containers(&self) -> &[Held] {
        &self.pairs.rows
    }

    /// How many values all containers hold together.
    pub const fn values(&self) -> u64 {
        self.pairs.len
    }

    /// Calls `each` with the holders of every value, in the order of the values, which are sorted.
    pub(crate) fn each(&self, values: &[u64], each: impl FnMut(&[u32])) -> Result<(), BadFile> {
        self.pairs.each(values, each).map_err(|Damaged| BadFile)
    }

    fn is_about(&self, present: &[(i64, Digest)]) -> bool {
        let own = self.pairs.rows.iter().map(|row| (row.id.0, row.digest));
        own.eq(present.iter().copied())
    }
}

/// The file does not read back as it was written: it is to be made again.
#[derive(Debug)]
pub(crate) struct BadFile;

/// The file of one kind of values, and the containers that it must be about.
pub(crate) struct Place<'a> {
    pub(crate) database: &'a Connection,
    pub(crate) folder: &'a Path,
    pub(crate) kind: ValueKind,
    /// Values that are taken in at one time.
    pub(crate) at_a_time: usize,
}

impl Place<'_> {
    /// The holders as the database has them now; from nothing but the database if `is_anew`.
    pub(crate) fn holders(&self, is_anew: bool) -> Result<Holders, Failure> {
        let present = self.present()?;
        let mut known = if is_anew { None } else { self.open() };
        loop {
            match known {
                Some(holders) if holders.is_about(&present) => return Ok(holders),
                old => known = Some(self.step(old, &present)?),
            }
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("holders-{}", self.kind.as_str()))
    }

    fn open(&self) -> Option<Holders> {
        let file = File::open(self.path()).ok()?;
        Pairs::open(Bytes::File(file)).ok().map(|pairs| Holders { pairs })
    }

    /// The containers that are there, by their ids.
    fn present(&self) -> Result<Vec<(i64, Digest)>, Failure> {
        // Without an order: then the index on the digests is read, and not the values as well.
        let mut query = self.database.prepare_cached("SELECT id, digest FROM container")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, Digest(row.get(1)?))))?;
        let mut present: Vec<(i64, Digest)> = rows.collect::<Result<_, _>>()?;
        present.sort_unstable();
        Ok(present)
    }

    /// What is known without what is gone and with what is new, up to the limit of values.
    fn step(&self, old: Option<Holders>, present: &[(i64, Digest)]) -> Result<Holders, Failure> {
        let stays: BTreeSet<(i64, Digest)> =
            old.iter().flat_map(Holders::containers).map(|row| (row.id.0, row.digest)).collect();
        let mut merge = Merge { old: old.as_ref(), rows: Vec::new(), fresh: Vec::new() };
        for (id, digest) in present {
            let is_known = stays.contains(&(*id, *digest));
            if !is_known && merge.fresh.len() < self.at_a_time {
                let values = profiles::values_of(self.database, ContainerId(*id))?;
                merge.add(ContainerId(*id), *digest, &values, self.kind);
            } else if is_known {
                merge.keep(ContainerId(*id), *digest);
            }
        }
        merge.fresh.sort_unstable();
        match self.write(&merge) {
            Ok(holders) => Ok(holders),
            Err(Damaged) if old.is_some() => self.step(None, present),
            Err(Damaged) => {
                let what = "what was just written about profiles does not read back";
                Err(Failure::rule(StoreErrorKind::Other, what))
            }
        }
    }

    /// In a file where that is possible, else in memory: a full disk is no reason not to answer.
    fn write(&self, merge: &Merge<'_>) -> Result<Holders, Damaged> {
        if let Some(holders) = self.write_file(merge)? {
            return Ok(holders);
        }
        let bytes = merge.write(Vec::new())?.map_err(|_| Damaged)?;
        Ok(Holders { pairs: Pairs::open(Bytes::Memory(bytes))? })
    }

    fn write_file(&self, merge: &Merge<'_>) -> Result<Option<Holders>, Damaged> {
        let aside = self.path().with_extension("new");
        let Some(file) = take(&aside) else { return Ok(None) };
        let Ok(out) = merge.write(BufWriter::with_capacity(1 << 18, file))? else {
            // What a full disk left must not take its last bytes from others.
            fs::remove_file(&aside).ok();
            return Ok(None);
        };
        let Ok(file) = out.into_inner() else { return Ok(None) };
        // No sync: what a crash leaves does not read back, and is made again.
        if fs::rename(&aside, self.path()).is_err() {
            return Ok(None);
        }
        Ok(Pairs::open(Bytes::File(file)).ok().map(|pairs| Holders { pairs }))
    }
}

/// The file that will be the next one, empty and ours alone; `None` while somebody else writes it.
fn take(path: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).ok()?;
    file.try_lock().ok()?;
    // Whoever held the lock may have renamed it meanwhile: then it is in use.
    let is_there = fs::metadata(path).is_ok_and(|there| {
        file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
    });
    (is_there && file.set_len(0).is_ok()).then_some(file)
}

/// What a new file is made of.
struct Merge<'a> {
    old: Option<&'a Holders>,
    rows: Vec<Held>,
    /// Values of containers that the old one does not know, with their new numbers.
    fresh: Vec<(u64, u32)>,
}

impl Merge<'_> {
    fn add(&mut self, id: ContainerId, digest: Digest, values: &Values, kind: ValueKind) {
        let number = self.rows.len() as u32;
        self.rows.push(Held { id, digest, gap: values.gap, weight: 0.0 });
        self.fresh.extend(values.of(kind).iter().map(|value| (*value, number)));
    }

    fn keep(&mut self, id: ContainerId, digest: Digest) {
        // The gap is that of the old row: see `numbers`.
        self.rows.push(Held { id, digest, gap: ProfileGap::None, weight: 0.0 });
    }

    /// The new number of each old container that stays. Both lists are sorted by id.
    fn numbers(&self, rows: &mut [Held]) -> Vec<Option<u32>> {
        let old = self.old.into_iter().flat_map(Holders::containers);
        old.map(|old| {
            let at = rows.binary_search_by_key(&old.id, |row| row.id).ok()?;
            let row = &mut rows[at];
            (row.digest == old.digest).then(|| {
                row.gap = old.gap;
                at as u32
            })
        })
        .collect()
    }

    /// Writes old and new pairs in their order.
    fn write<W: Write>(&self, out: W) -> Result<io::Result<W>, Damaged> {
        let mut rows = self.rows.clone();
        let numbers = self.numbers(&mut rows);
        let mut builder = Builder::new(out, rows);
        let mut fresh = self.fresh.iter().copied().peekable();
        if let Some(old) = self.old {
            let merged = old.pairs.all(|value, number| {
                let Some(number) = numbers.get(number as usize).copied().flatten() else {
                    return Ok(());
                };
                while let Some((value, number)) = fresh.next_if(|it| *it < (value, number)) {
                    builder.push(value, number)?;
                }
                builder.push(value, number)
            })?;
            if let Err(error) = merged {
                return Ok(Err(error));
            }
        }
        let rest = fresh.try_for_each(|(value, number)| builder.push(value, number));
        Ok(rest.and_then(|()| builder.finish()))
    }
}

#[cfg(test)]
mod tests;
