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

/// A file is written again once one part in so many of it has changed.
const CHANGED_PART: u64 = 16;

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
    containers: Vec<Held>,
    values: u64,
    /// What the file does not know yet.
    changes: Option<Changes>,
}

/// What came and went since the file was written, where that is little: then the file is read
/// through it, and is not written again.
#[derive(Debug)]
struct Changes {
    /// The present number of each container of the file that is still there.
    numbers: Vec<Option<u32>>,
    /// Values of the others, sorted, with their present numbers.
    fresh: Vec<(u64, u32)>,
}

impl Holders {
    fn of(mut pairs: Pairs) -> Self {
        let containers = std::mem::take(&mut pairs.rows);
        Self { values: pairs.len, pairs, containers, changes: None }
    }

    /// The containers, by their numbers here: a stable order.
    pub fn containers(&self) -> &[Held] {
        &self.containers
    }

    /// How many values all containers hold together.
    pub const fn values(&self) -> u64 {
        self.values
    }

    /// Calls `each` with the holders of every value, in the order of the values, which are sorted.
    pub(crate) fn each(&self, values: &[u64], mut each: impl FnMut(&[u32])) -> Result<(), BadFile> {
        let Some(Changes { numbers, fresh }) = &self.changes else {
            return self.pairs.each(values, |_, holders| each(holders)).map_err(|Damaged| BadFile);
        };
        let mut present = Vec::new();
        let read = self.pairs.each(values, |value, holders| {
            present.clear();
            present.extend(holders.iter().filter_map(|it| numbers[*it as usize]));
            let from = fresh.partition_point(|(it, _)| *it < value);
            let same = fresh[from..].iter().take_while(|(it, _)| *it == value);
            present.extend(same.map(|(_, number)| *number));
            present.sort_unstable();
            each(&present);
        });
        read.map_err(|Damaged| BadFile)
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

/// The file of a kind of value, beside the database.
pub(crate) fn path(folder: &Path, kind: ValueKind) -> PathBuf {
    folder.join(format!("holders-{}", kind.as_str()))
}

impl Place<'_> {
    /// The holders as the database has them now; from nothing but the database if `is_anew`.
    pub(crate) fn holders(&self, is_anew: bool) -> Result<Holders, Failure> {
        let present = self.present()?;
        let mut known = if is_anew { None } else { self.open() };
        loop {
            let is_about = |pairs: &Pairs| {
                pairs.rows.iter().map(|row| (row.id.0, row.digest)).eq(present.iter().copied())
            };
            match known {
                Some(pairs) if is_about(&pairs) => return Ok(Holders::of(pairs)),
                old => match self.step(old, &present)? {
                    Step::Written(pairs) => known = Some(pairs),
                    Step::Whole(holders) => return Ok(holders),
                },
            }
        }
    }

    fn path(&self) -> PathBuf {
        path(self.folder, self.kind)
    }

    fn open(&self) -> Option<Pairs> {
        Pairs::open(Bytes::File(File::open(self.path()).ok()?)).ok()
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
    fn step(&self, old: Option<Pairs>, present: &[(i64, Digest)]) -> Result<Step, Failure> {
        let known: BTreeSet<(i64, Digest)> =
            old.iter().flat_map(|it| &it.rows).map(|row| (row.id.0, row.digest)).collect();
        let mut merge = Merge::default();
        for (id, digest) in present {
            let is_known = known.contains(&(*id, *digest));
            if !is_known && merge.fresh.len() < self.at_a_time {
                let values = profiles::values_of(self.database, ContainerId(*id))?;
                merge.add(ContainerId(*id), *digest, &values, self.kind);
            } else if is_known {
                merge.keep(ContainerId(*id), *digest);
            }
        }
        merge.order(old.as_ref());
        let is_whole = merge.rows.len() == present.len();
        let step = match old {
            Some(old) if is_whole && merge.is_small(&old) => merge.read_through(old),
            old => self.write(old.as_ref(), &merge).map(Step::Written).map_err(|_| old.is_some()),
        };
        match step {
            Ok(step) => Ok(step),
            // The old one is damaged: from the database alone.
            Err(true) => self.step(None, present),
            Err(false) => {
                let what = "what was just written about profiles does not read back";
                Err(Failure::rule(StoreErrorKind::Other, what))
            }
        }
    }

    /// In a file where that is possible, else in memory: a full disk is no reason not to answer.
    fn write(&self, old: Option<&Pairs>, merge: &Merge) -> Result<Pairs, Damaged> {
        if let Some(pairs) = self.write_file(old, merge)? {
            return Ok(pairs);
        }
        let bytes = merge.write(old, Vec::new())?.map_err(|_| Damaged)?;
        Pairs::open(Bytes::Memory(bytes))
    }

    fn write_file(&self, old: Option<&Pairs>, merge: &Merge) -> Result<Option<Pairs>, Damaged> {
        let aside = self.path().with_extension("new");
        let Some(file) = take(&aside) else { return Ok(None) };
        let Ok(out) = merge.write(old, BufWriter::with_capacity(1 << 18, file))? else {
            // What a full disk left must not take its last bytes from others.
            fs::remove_file(&aside).ok();
            return Ok(None);
        };
        let Ok(file) = out.into_inner() else { return Ok(None) };
        // No sync: what a crash leaves does not read back, and is made again.
        if fs::rename(&aside, self.path()).is_err() {
            return Ok(None);
        }
        Ok(Pairs::open(Bytes::File(file)).ok())
    }
}

/// What one step led to.
enum Step {
    /// A file, which may not be about everything yet.
    Written(Pairs),
    /// Everything.
    Whole(Holders),
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

/// What is there now, beside what a file is about.
#[derive(Default)]
struct Merge {
    rows: Vec<Held>,
    /// The number of each container of the file, where it stays.
    numbers: Vec<Option<u32>>,
    /// Values of containers that the file does not know, with their numbers.
    fresh: Vec<(u64, u32)>,
}

impl Merge {
    fn add(&mut self, id: ContainerId, digest: Digest, values: &Values, kind: ValueKind) {
        let number = self.rows.len() as u32;
        self.rows.push(Held { id, digest, gap: values.gap, weight: 0.0 });
        self.fresh.extend(values.of(kind).iter().map(|value| (*value, number)));
    }

    fn keep(&mut self, id: ContainerId, digest: Digest) {
        // The gap is that of the old row: see `order`.
        self.rows.push(Held { id, digest, gap: ProfileGap::None, weight: 0.0 });
    }

    /// Sorts what is fresh, and numbers what stays. Both lists of rows are sorted by id.
    fn order(&mut self, old: Option<&Pairs>) {
        self.fresh.sort_unstable();
        let rows = &mut self.rows;
        let number = |old: &Held| {
            let at = rows.binary_search_by_key(&old.id, |row| row.id).ok()?;
            let row = &mut rows[at];
            (row.digest == old.digest).then(|| {
                row.gap = old.gap;
                at as u32
            })
        };
        self.numbers = old.into_iter().flat_map(|it| &it.rows).map(number).collect();
    }

    /// Whether reading the file through the changes costs less than writing it again.
    fn is_small(&self, old: &Pairs) -> bool {
        let gone = self.numbers.iter().filter(|number| number.is_none()).count();
        self.fresh.len() as u64 * CHANGED_PART < old.len
            && gone as u64 * CHANGED_PART < old.rows.len() as u64
    }

    /// The file as it is, the changes, and what everything weighs now; `true` when it is damaged.
    fn read_through(self, old: Pairs) -> Result<Step, bool> {
        let Self { rows: mut containers, numbers, fresh } = self;
        let (mut values, mut current, mut holders) = (0, 0, Vec::new());
        let mut weigh = |holders: &mut Vec<u32>| {
            let weight = 1.0 / holders.len() as f64;
            holders.drain(..).for_each(|it| containers[it as usize].weight += weight);
        };
        let read = merged(Some(&old), &numbers, &fresh, &mut |value, number| {
            if value != current {
                weigh(&mut holders);
                current = value;
            }
            values += 1;
            holders.push(number);
            Ok(())
        });
        weigh(&mut holders);
        let Ok(Ok(())) = read else { return Err(true) };
        let changes = Some(Changes { numbers, fresh });
        Ok(Step::Whole(Holders { pairs: old, containers, values, changes }))
    }

    fn write<W: Write>(&self, old: Option<&Pairs>, out: W) -> Result<io::Result<W>, Damaged> {
        let mut builder = Builder::new(out, self.rows.clone());
        let written = merged(old, &self.numbers, &self.fresh, &mut |value, number| {
            builder.push(value, number)
        })?;
        Ok(written.and_then(|()| builder.finish()))
    }
}

/// Calls `each` with the pairs of a file that stay and with fresh ones, in their order.
fn merged(
    old: Option<&Pairs>,
    numbers: &[Option<u32>],
    fresh: &[(u64, u32)],
    each: &mut impl FnMut(u64, u32) -> io::Result<()>,
) -> Result<io::Result<()>, Damaged> {
    let mut fresh = fresh.iter().copied().peekable();
    if let Some(old) = old {
        let read = old.all(|value, number| {
            let Some(number) = numbers.get(number as usize).copied().flatten() else {
                return Ok(());
            };
            while let Some((value, number)) = fresh.next_if(|it| *it < (value, number)) {
                each(value, number)?;
            }
            each(value, number)
        })?;
        if let Err(error) = read {
            return Ok(Err(error));
        }
    }
    Ok(fresh.try_for_each(|(value, number)| each(value, number)))
}

#[cfg(test)]
mod tests;
