//! Publishes each proof of the board, and nothing at any other change: the time of a page would
//! tell that something happened: in memory for our own listener, and in a folder.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use relight_engine::live::Board;
use relight_model::Timestamp;
use relight_web::views::Stage;

use super::certificate::{Certificates, Signer};
use super::folder::PublicFolder;
use super::{Files, Identity, Seen, files};
use crate::{ServerError, clock};

/// After a proof, this much time is left to others that come with it. A transition is published
/// within a second.
const GATHER: Duration = Duration::from_millis(200);

/// Without one a new generation shows that somebody is still looking, this often.
const BEAT: Duration = Duration::from_secs(60);

/// How soon the thread notices that it has to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Makes generations of one board.
#[derive(Debug)]
pub(crate) struct Publisher {
    board: Arc<Board>,
    identity: Identity,
    certificates: Certificates,
    folder: Option<PublicFolder>,
}

impl Publisher {
    pub(crate) fn new(
        board: Arc<Board>,
        identity: Identity,
        signer: Signer,
        folder: Option<PublicFolder>,
    ) -> Self {
        let certificates = Certificates::new(signer, identity.url.clone());
        Self { board, identity, certificates, folder }
    }

    /// The page now, and the version of the board that it shows.
    fn generate(&mut self, now: Timestamp) -> Result<(u64, Files), relight_web::RenderError> {
        let proofs = self.board.proofs();
        let seen = Seen::of(&proofs.sites, &proofs, now);
        if self.identity.stage != Stage::Drill {
            self.certificates.issue(&seen.past)?;
        }
        Ok((proofs.version, files(&seen, &self.identity, &self.certificates, now)?))
    }

    /// Makes one generation and writes it.
    ///
    /// # Errors
    /// A template cannot be rendered, or the folder cannot be written; it keeps the old page.
    pub(crate) fn publish(&mut self, now: Timestamp) -> Result<(u64, Files), ServerError> {
        let failed =
            |cause: relight_web::RenderError| ServerError::caused("render the public page", cause);
        let (version, files) = self.generate(now).map_err(failed)?;
        if let Some(folder) = &mut self.folder {
            folder.write(&files).map_err(|cause: io::Error| {
                let place = folder.current().display().to_string();
                ServerError::caused(format!("write the public page {place}"), cause)
            })?;
        }
        Ok((version, files))
    }
}

/// A publisher on a thread of its own; dropping it stops the thread.
#[derive(Debug)]
pub(crate) struct Publication {
    shown: Arc<RwLock<Arc<Files>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    trouble: Arc<Mutex<Option<ServerError>>>,
}

impl Publication {
    /// Publishes once, and from then on after each change.
    ///
    /// # Errors
    /// The first generation cannot be made or written.
    pub(crate) fn start(mut publisher: Publisher) -> Result<Self, ServerError> {
        let (mut version, files) = publisher.publish(clock::now())?;
        let shown = Arc::new(RwLock::new(Arc::new(files)));
        let stop = Arc::new(AtomicBool::new(false));
        let trouble = Arc::new(Mutex::new(None));
        let (to, ended, told) = (Arc::clone(&shown), Arc::clone(&stop), Arc::clone(&trouble));
        let publish = move || {
            while wait(&publisher.board, version, &ended) {
                let published = publisher.publish(clock::now());
                let problem = match published {
                    Ok((reached, files)) => {
                        version = reached;
                        *to.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(files);
                        None
                    }
                    Err(error) => Some(error),
                };
                *told.lock().unwrap_or_else(PoisonError::into_inner) = problem;
            }
        };
        let thread = thread::Builder::new().name("relight-public".into()).spawn(publish);
        let thread = thread.map_err(|cause| ServerError::caused("start a thread", cause))?;
        Ok(Self { shown, stop, thread: Some(thread), trouble })
    }

    /// The newest generation.
    pub(crate) fn shown(&self) -> Arc<RwLock<Arc<Files>>> {
        Arc::clone(&self.shown)
    }

    /// What kept the last attempt from being written; asked for once.
    pub(crate) fn trouble(&self) -> Option<ServerError> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A publisher that panicked has nothing to finish.
            drop(thread.join());
        }
    }
}

/// Waits for a change and those that come with it, or for the beat; false when it has to stop.
fn wait(board: &Board, version: u64, stop: &AtomicBool) -> bool {
    let mut waited = Duration::ZERO;
    while waited < BEAT {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        if board.wait_proof(version, LOOK) > version {
            // Changes come in bursts: one generation for all of them.
            thread::sleep(GATHER);
            return !stop.load(Ordering::Relaxed);
        }
        waited += LOOK;
    }
    true
}
