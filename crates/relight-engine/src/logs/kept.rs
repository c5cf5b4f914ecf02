//! The campaigns of one state of the register, kept until it changes: a page that several people
//! read must not judge every window of 400 days for each of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use relight_model::Digest;
use relight_store::{Generation, Store};
use relight_watch::ROWS_MAX;

use super::judge::{Decided, Register, decide, join};
use super::{Judged, KNOWN_SCANNERS, SIGNS};
use crate::engine::Engine;
use crate::error::EngineError;

/// What campaigns are made of: the register, and two lists beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    register: Generation,
    lists: [Option<(SystemTime, u64)>; 2],
}

impl State {
    fn of(store: &Store) -> Result<Self, EngineError> {
        let list = |name: &str| {
            let found = store.path().with_file_name(name).metadata().ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        Ok(Self { register: store.generation()?, lists: [KNOWN_SCANNERS, SIGNS].map(list) })
    }
}

/// Campaigns that were judged once, for everybody who asks before anything changes.
#[derive(Debug, Default)]
pub(crate) struct KeptCampaigns(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// What the windows decide, and what that rests on.
    decided: Option<(Digest, Arc<Decided>)>,
    judged: Option<(State, Arc<Judged>)>,
}

impl KeptCampaigns {
    /// The campaigns of the register as it is. Whoever asks while they are judged waits for it.
    fn of(&self, store: &Store) -> Result<Arc<Judged>, EngineError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The state of before: what changes meanwhile is judged with the next question.
        let state = State::of(store)?;
        if let Some((_, judged)) = kept.judged.as_ref().filter(|(known, _)| *known == state) {
            return Ok(Arc::clone(judged));
        }
        kept.judged = None;
        let register = Register::read(store)?;
        let judged = Arc::new(join(store, &register, &*kept.decided(store, &register)?)?);
        kept.judged = Some((state, Arc::clone(&judged)));
        Ok(judged)
    }
}

impl Kept {
    /// Decides again where a window came or went, or a site did.
    fn decided(&mut self, store: &Store, register: &Register) -> Result<Arc<Decided>, EngineError> {
        let ground = register.ground(store)?;
        if let Some((_, decided)) = self.decided.as_ref().filter(|(known, _)| *known == ground) {
            return Ok(Arc::clone(decided));
        }
        self.decided = None;
        let decided = Arc::new(decide(store, register, ROWS_MAX)?);
        // A window may have come meanwhile: then the next one who asks decides again.
        if register.ground(store)? == ground {
            self.decided = Some((ground, Arc::clone(&decided)));
        }
        Ok(decided)
    }
}

impl Engine {
    /// The campaigns of the register as it is, as [`super::judged`] gives them: the same object
    /// until anything changes that they rest on.
    ///
    /// # Errors
    /// As [`super::judged`]; what was kept is then kept no more.
    pub fn campaigns(&self) -> Result<Arc<Judged>, EngineError> {
        self.campaigns.of(&self.store)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;

    use super::super::judge::tests::{one_site, payload};
    use super::*;

    /// What is kept now, after it was asked for: judging itself may have written a name.
    fn kept(engine: &Engine) -> (Arc<Decided>, Arc<Judged>) {
        engine.campaigns().unwrap();
        let judged = engine.campaigns().unwrap();
        let kept = engine.campaigns.0.lock().unwrap();
        (Arc::clone(&kept.decided.as_ref().unwrap().1), judged)
    }

    /// Goal: nothing is computed twice over the same ground, and nothing old is given over a new
    /// one. Method: it is the same object, or another one.
    #[test]
    fn what_was_judged_stays_until_that_changes_on_which_it_rests() {
        let (_folder, engine, feed) = one_site();
        let store = engine.store();
        let read = |last| {
            engine.ingest_log(&feed, Cursor::new(payload(last).into_bytes())).unwrap();
        };
        read(1);
        let first = kept(&engine);
        assert_eq!((first.0.detections.len(), first.1.campaigns.len()), (1, 1));
        let again = kept(&engine);
        assert!(Arc::ptr_eq(&first.0, &again.0) && Arc::ptr_eq(&first.1, &again.1), "the same");
        store.settings(|settings| settings.put("what", "else")).unwrap();
        let written = kept(&engine);
        assert!(Arc::ptr_eq(&first.0, &written.0), "no window changed");
        assert!(!Arc::ptr_eq(&first.1, &written.1), "the register did");
        let sign = "2021-12-10T12:00:05Z,a,name-query,x1.test\n";
        fs::write(store.path().with_file_name(SIGNS), sign).unwrap();
        let seen = kept(&engine);
        assert!(Arc::ptr_eq(&first.0, &seen.0), "no window changed");
        let steps = |judged: &Judged| judged.campaigns[0].severity.as_str();
        assert_eq!((steps(&written.1), steps(&seen.1)), ("S3", "S5"));
        read(2);
        let more = kept(&engine);
        assert!(!Arc::ptr_eq(&first.0, &more.0) && !Arc::ptr_eq(&seen.1, &more.1), "a window");
        assert_eq!(more.0.detections.len(), 2);
    }

    #[test]
    fn all_who_ask_at_one_moment_get_what_one_of_them_judged() {
        let (_folder, engine, feed) = one_site();
        engine.ingest_log(&feed, Cursor::new(payload(1).into_bytes())).unwrap();
        let first = kept(&engine).1;
        let all: Vec<Arc<Judged>> = std::thread::scope(|scope| {
            let each: Vec<_> =
                (0..4).map(|_| scope.spawn(|| engine.campaigns().unwrap())).collect();
            each.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(all.iter().all(|it| Arc::ptr_eq(it, &first)), "judged again");
    }

    /// Goal: nobody is shown campaigns of before. Method: another process writes, and the list of
    /// scanners comes, changes and goes; in between nothing does.
    #[test]
    fn another_process_and_the_list_of_scanners_count() {
        let (_folder, engine, feed) = one_site();
        let store = engine.store();
        engine.ingest_log(&feed, Cursor::new(payload(1).into_bytes())).unwrap();
        let mut before = kept(&engine).1;
        let mut changed = |what: &str| {
            let now = kept(&engine).1;
            assert!(!Arc::ptr_eq(&now, &before), "{what}: campaigns of before");
            before = now;
            before.campaigns[0].known.clone()
        };
        let other = Store::open(store.path().parent().unwrap()).unwrap();
        other.add_account("anna", 0, &[]).unwrap();
        assert_eq!(changed("another process"), [""; 0]);
        let list = store.path().with_file_name(KNOWN_SCANNERS);
        fs::write(&list, "# nobody\n").unwrap();
        assert_eq!(changed("a list that is new"), [""; 0]);
        fs::write(&list, "# nobody yet\n").unwrap();
        assert_eq!(changed("a list that is longer"), [""; 0]);
        fs::remove_file(&list).unwrap();
        assert_eq!(changed("a list that is gone"), [""; 0]);
        assert!(Arc::ptr_eq(&engine.campaigns().unwrap(), &before), "and then it rests");
    }
}
