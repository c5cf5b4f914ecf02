//! Questions about a moment that has passed. The inventories of then are in the store, which is
//! never read under the lock of the register: the edges wait for that.

use std::sync::Arc;

use relight_match::Question;
use relight_model::{Exhibit, SiteId, Timestamp};
use relight_store::Index;

use crate::answer::{AnswerSet, Ask, Grounds};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::exhibits::Exhibited;

impl Engine {
    /// The inventory as it was at a moment, by what is known today.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn index_as_of(&self, at: Timestamp) -> Result<Index, EngineError> {
        let present = self.with_inventory(|index, _| index.clone());
        Ok(present.as_of(&self.store, at)?)
    }

    /// The answer of every site to a question, from [`Engine::index_as_of`] that moment: with the
    /// advisories of today, and with the freshness of then.
    pub fn ask_as_of(&self, question: &Question, past: &Index, at: Timestamp) -> AnswerSet {
        let look = |meant: &[&Exhibit]| Exhibited::past(&self.store, past, meant);
        self.ask_past(question, (past, at), look)
    }

    /// The same, with what looks for the files that the advisories mean. They may mean others by
    /// the time it has looked: then it looks again, since who was not looked at is not clear.
    fn ask_past(
        &self,
        question: &Question,
        (index, now): (&Index, Timestamp),
        look: impl Fn(&[&Exhibit]) -> Option<Exhibited>,
    ) -> AnswerSet {
        let (age_max, grounds) = (self.options.inventory_ttl_s, Grounds::Firm);
        let mut meant: Vec<Exhibit> = Vec::new();
        loop {
            let looked_for: Vec<&Exhibit> = meant.iter().collect();
            let exhibited = look(&looked_for).map(Arc::new);
            let state = self.read();
            let advisories = state.inventory.advisories();
            let means = question.exhibits(advisories);
            if means == looked_for {
                let sites: Vec<SiteId> = state.sites.iter().map(|site| site.id).collect();
                let ask = Ask { question, advisories, index, exhibited, now, age_max, grounds };
                return ask.sites(sites);
            }
            meant = means.into_iter().cloned().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use relight_model::Digest;
    use relight_store::{OWN_SOURCE, RawAdvisory, Store};

    use super::*;
    use crate::EngineOptions;

    const ID: &str = "RLT-test-2026-0001";

    /// An advisory of our own that means a file of this digest.
    fn declare(engine: &Engine, byte: u8) {
        let digest = Digest([byte; 32]);
        let text = format!(
            r#"{{"id":"{ID}","modified":"2026-01-0{byte}T00:00:00Z","affected":[],
            "database_specific":{{"hashes":["{digest}"]}}}}"#
        );
        let (bytes, revision) = (text.as_bytes(), Digest([byte; 32]));
        let raw = RawAdvisory { id: ID, revision, bytes, recorded_at: 1 };
        engine.store.put_advisories(OWN_SOURCE, &[raw]).unwrap();
        engine.follow_feeds().unwrap();
    }

    /// Goal: files are looked for without the lock of the register, and those that are meant when
    /// the answer is made. Method: the advisory changes in the middle of a look, which needs the
    /// lock for itself: a look that held it would not end.
    #[test]
    fn what_is_meant_is_looked_for_without_the_lock_and_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let options =
            EngineOptions { holder: "test".into(), clock: || 1_000_000, inventory_ttl_s: 1 };
        let engine = Engine::open(store, options).unwrap();
        declare(&engine, 1);
        let looks = RefCell::new(Vec::new());
        let look = |meant: &[&Exhibit]| {
            looks.borrow_mut().push(meant.iter().map(|it| (*it).clone()).collect::<Vec<_>>());
            if looks.borrow().len() == 2 {
                declare(&engine, 2);
            }
            None
        };
        let question = Question::Advisory(ID.into());
        engine.ask_past(&question, (&Index::default(), 1), look);
        let file = |byte| vec![Exhibit::File(Digest([byte; 32]))];
        assert_eq!(looks.into_inner(), [vec![], file(1), file(2)]);
    }
}
