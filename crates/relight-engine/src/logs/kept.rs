//! The campaigns of one state of the register, kept until it changes: a page that several people
//! read must not judge every window of 400 days for each of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use relight_store::{Generation, Store};

use super::{Judged, KNOWN_SCANNERS, SIGNS, judged};
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
pub struct KeptCampaigns(Mutex<Option<(State, Arc<Judged>)>>);

impl KeptCampaigns {
    /// The campaigns of the register as it is. Whoever asks while they are judged waits for it.
    ///
    /// # Errors
    /// As [`judged`]; what was kept is then kept no more.
    pub fn of(&self, store: &Store) -> Result<Arc<Judged>, EngineError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = State::of(store)?;
        if let Some((known, campaigns)) = &*kept
            && *known == state
        {
            return Ok(Arc::clone(campaigns));
        }
        *kept = None;
        // The state of before: what changes meanwhile is judged with the next question.
        let campaigns = Arc::new(judged(store)?);
        *kept = Some((state, Arc::clone(&campaigns)));
        Ok(campaigns)
    }
}
