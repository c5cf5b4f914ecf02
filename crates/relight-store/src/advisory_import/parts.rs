//! Documents of several records: what a new version of one no longer holds ends with it.

use std::collections::BTreeSet;

use super::{DOING, Importer, Known, head};
use crate::StoreError;

impl Importer<'_> {
    /// Says that the records of these ids are all of a document, which were put before. Whatever
    /// else is known of it ends, if no newer version of it is known: its id, or its id and more
    /// behind a slash.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn all_parts(
        &mut self,
        source: &str,
        document: &str,
        ordinal: i64,
        ids: &BTreeSet<&str>,
    ) -> Result<(), StoreError> {
        self.load(source)?;
        let Some(known) = self.sources.get(source) else { return Ok(()) };
        if known.heads.get(document).is_some_and(|it| it.ordinal > ordinal) {
            return Ok(());
        }
        let (from, to) = (format!("{document}/"), format!("{document}0"));
        let parts = known.heads.range(from..to).filter(|(_, it)| it.ordinal <= ordinal);
        let gone = parts.filter(|(id, it)| !it.is_vanished && !ids.contains(id.as_str()));
        let gone: Vec<_> = gone.map(|(id, it)| (id.clone(), it.revision)).collect();
        for (id, revision) in gone {
            let of_document = head::has_revision(self.transaction, (source, document), revision);
            // Another document may have an id that begins like that of a part.
            if of_document.map_err(|error| self.failed(error))? {
                self.end(source, &id, ordinal)?;
            }
        }
        Ok(())
    }

    /// Says that these sources are all that speak in the document of an id, which were put before:
    /// what is known under it of `base`, and of sources that begin with `base-adp/`, ends, if no
    /// newer version of the document is known.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn all_containers(
        &mut self,
        base: &str,
        id: &str,
        ordinal: i64,
        sources: &BTreeSet<&str>,
    ) -> Result<(), StoreError> {
        let others = format!("{base}-adp/");
        let is_other = |name: &&String| *name == base || name.starts_with(&others);
        let before = self.names()?.iter().filter(is_other).cloned();
        let mut all: BTreeSet<String> = before.collect();
        all.extend(self.sources.keys().filter(is_other).cloned());
        for source in &all {
            self.load(source)?;
        }
        let mut heads = all.iter().filter_map(|it| self.sources.get(it)?.heads.get(id));
        if heads.any(|head| head.ordinal > ordinal) {
            return Ok(());
        }
        for source in all.iter().filter(|it| !sources.contains(it.as_str())) {
            self.end(source, id, ordinal)?;
        }
        Ok(())
    }

    /// The sources that were known before this import.
    pub(super) fn names(&mut self) -> Result<&BTreeSet<String>, StoreError> {
        if self.names.is_none() {
            let names = head::sources(self.transaction).map_err(|error| self.failed(error))?;
            self.names = Some(names);
        }
        Ok(self.names.get_or_insert_default())
    }

    /// Ends a record that is in force.
    fn end(&mut self, source: &str, id: &str, ordinal: i64) -> Result<(), StoreError> {
        let (transaction, path, now) = (self.transaction, self.path, self.now);
        let Some(known) = self.sources.get_mut(source) else { return Ok(()) };
        known
            .end(id, ordinal, |head| head::end(transaction, now, (source, id), head, ordinal))
            .map_err(|error| StoreError::sql(DOING, path, error))
    }
}

impl Known {
    /// Notes the end of a record and has `write` write it.
    fn end(
        &mut self,
        id: &str,
        ordinal: i64,
        write: impl FnOnce(&head::Head) -> Result<(), rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let Some(head) = self.heads.get_mut(id).filter(|it| !it.is_vanished) else { return Ok(()) };
        write(head)?;
        (head.is_vanished, head.ordinal) = (true, ordinal);
        self.counts.vanished += 1;
        self.counts.matching += usize::from(head.withdrawn.is_none());
        self.marks.insert(id.to_owned(), true);
        self.seen.remove(id);
        Ok(())
    }
}
