//! The campaigns of the watch that were found: their ids, and by what each is known again.

use relight_model::Timestamp;
use rusqlite::{Connection, params};

use crate::store::Failure;
use crate::{Store, StoreError, StoreErrorKind};

/// What is kept of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignRow {
    /// Its id.
    pub id: String,
    /// First contact.
    pub first: Timestamp,
    /// Last contact.
    pub last: Timestamp,
    /// The id of the campaign of which it is a part now, or nothing.
    pub part_of: String,
    /// Marks of its contacts, sorted.
    pub marks: Vec<u64>,
}

impl Store {
    /// Every campaign that was found, in order of ids.
    ///
    /// # Errors
    /// The database cannot be read, or marks in it are torn (`Corrupt`).
    pub fn watch_campaigns(&self) -> Result<Vec<CampaignRow>, StoreError> {
        self.read("reading the campaigns", rows)
    }

    /// Keeps these campaigns and no others. Without a difference nothing is written.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_watch_campaigns(&self, campaigns: &[CampaignRow]) -> Result<(), StoreError> {
        self.write("keeping the campaigns", |transaction| {
            let known = rows(transaction)?;
            for old in &known {
                if campaigns.binary_search_by(|it| it.id.cmp(&old.id)).is_err() {
                    let gone = "DELETE FROM watch_campaign WHERE id = ?1";
                    transaction.prepare_cached(gone)?.execute([&old.id])?;
                }
            }
            let put = "INSERT OR REPLACE INTO watch_campaign (id, first, last, part_of, marks)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut put = transaction.prepare_cached(put)?;
            for row in campaigns {
                if known.binary_search_by(|it| it.id.cmp(&row.id)).map(|at| &known[at]) == Ok(row) {
                    continue;
                }
                let marks: Vec<u8> = row.marks.iter().flat_map(|it| it.to_le_bytes()).collect();
                put.execute(params![row.id, row.first, row.last, row.part_of, marks])?;
            }
            Ok(())
        })
    }
}

fn rows(database: &Connection) -> Result<Vec<CampaignRow>, Failure> {
    let mut query = database
        .prepare_cached("SELECT id, first, last, part_of, marks FROM watch_campaign ORDER BY id")?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(4)?;
        let (marks, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Failure::rule(StoreErrorKind::Corrupt, "marks of a campaign are torn"));
        }
        let marks = marks.iter().map(|mark| u64::from_le_bytes(*mark)).collect();
        let (id, part_of) = (row.get(0)?, row.get(3)?);
        found.push(CampaignRow { id, first: row.get(1)?, last: row.get(2)?, part_of, marks });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::testing::{behind, open};

    fn row(id: &str, marks: &[u64]) -> CampaignRow {
        let (id, part_of) = (id.to_owned(), String::new());
        CampaignRow { id, first: -7, last: 1_639_101_958, part_of, marks: marks.to_vec() }
    }

    #[test]
    fn campaigns_are_kept_replaced_and_forgotten() {
        let (_folder, store) = open();
        assert_eq!(store.watch_campaigns().unwrap(), []);
        let [a, b] = [row("C-0A", &[1, 2, u64::MAX]), row("C-0B", &[])];
        store.put_watch_campaigns(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(store.watch_campaigns().unwrap(), [a.clone(), b.clone()]);
        let later = CampaignRow { last: 1_639_200_000, part_of: "C-0B".to_owned(), ..a };
        store.put_watch_campaigns(&[later.clone(), b]).unwrap();
        assert_eq!(store.watch_campaigns().unwrap()[0], later);
        store.put_watch_campaigns(slice::from_ref(&later)).unwrap();
        assert_eq!(store.watch_campaigns().unwrap(), [later]);
    }

    #[test]
    fn torn_marks_are_told() {
        let (_folder, store) = open();
        store.put_watch_campaigns(&[row("C-0A", &[1])]).unwrap();
        behind(&store).execute("UPDATE watch_campaign SET marks = x'0102'", []).unwrap();
        assert_eq!(store.watch_campaigns().unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
}
