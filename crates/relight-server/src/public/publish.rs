//! Publishes each proof of the board, and nothing at any other change: the time of a page would
//! tell that something happened: in memory for our own listener, and in a folder.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use relight_engine::live::Board;
use relight_model::Timestamp;
use relight_web::views::Stage;

use super::certificate::{Certificates, Signer};
use super::folder::PublicFolder;
use super::{Files, Generation, Identity, Seen, files};
use crate::{ServerError, clock};

/// After a proof, this much time is left to others that come with it. A transition is published
/// within a second.
const GATHER: Duration = Duration::from_millis(200);

/// Without one a new generation shows that somebody is still looking, this often.
const BEAT: Duration = Duration::from_secs(60);

/// How soon the thread notices that it has to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Certificates that are issued together with a page. Those of a province take a second: the page
/// is published first, and what has changed meanwhile before the next of them.
const CERTIFICATES_MAX: usize = 100;

/// Makes generations of one board.
#[derive(Debug)]
pub(crate) struct Publisher {
    board: Arc<Board>,
    identity: Identity,
    certificates: Certificates,
    folder: Option<PublicFolder>,
    /// Certificates that are not in the folder yet.
    unwritten: Vec<(String, Bytes)>,
}

/// One generation, and what it shows.
pub(crate) struct Published {
    /// The version of the board.
    version: u64,
    pub(crate) generation: Generation,
    /// Outages that are over and have no certificate yet.
    owed: usize,
    /// What kept the folder from being written: it has the old page, and our own listener the new
    /// one.
    unwritten: Option<ServerError>,
}

impl Published {
    /// The generation, if it is in the folder as well.
    ///
    /// # Errors
    /// The folder could not be written.
    pub(crate) fn whole(self) -> Result<Generation, ServerError> {
        self.unwritten.map_or(Ok(self.generation), Err)
    }
}

impl Publisher {
    pub(crate) fn new(
        board: Arc<Board>,
        identity: Identity,
        signer: Signer,
        folder: Option<PublicFolder>,
    ) -> Self {
        let certificates = Certificates::new(signer, &identity);
        let unwritten = vec![certificates.key()];
        Self { board, identity, certificates, folder, unwritten }
    }

    /// Makes one generation and writes it, with every certificate.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub(crate) fn publish_all(&mut self, now: Timestamp) -> Result<Published, ServerError> {
        self.publish(now, usize::MAX)
    }

    /// Makes one generation and writes it, with so many new certificates at most.
    ///
    /// # Errors
    /// A template cannot be rendered.
    fn publish(&mut self, now: Timestamp, most: usize) -> Result<Published, ServerError> {
        let proofs = self.board.proofs();
        let mut seen = Seen::of(&proofs.sites, &proofs, now);
        let owed = self.issue(&seen, most)?;
        seen.link(&self.certificates);
        let pages = files(&seen, &self.identity, now).map_err(unrendered)?;
        let unwritten = self.keep().and_then(|()| self.write(&pages)).err();
        let certificates = self.certificates.files();
        let generation = Generation { pages, certificates };
        Ok(Published { version: proofs.version, generation, owed, unwritten })
    }

    /// Issues a few certificates beside the page that is there; how many are still owed.
    fn certify(&mut self, now: Timestamp) -> Result<usize, ServerError> {
        let proofs = self.board.proofs();
        let owed = self.issue(&Seen::of(&proofs.sites, &proofs, now), CERTIFICATES_MAX)?;
        self.keep()?;
        Ok(owed)
    }

    fn issue(&mut self, seen: &Seen<'_>, most: usize) -> Result<usize, ServerError> {
        let mut owed = 0;
        if self.identity.stage != Stage::Drill {
            let issued = self.certificates.issue(&seen.past, most).map_err(unrendered)?;
            self.unwritten.extend(issued.new);
            owed = issued.left;
        }
        Ok(owed)
    }

    /// Certificates come before the page that names them.
    fn keep(&mut self) -> Result<(), ServerError> {
        if let Some(folder) = &self.folder {
            folder.keep(&self.unwritten).map_err(unwritten(folder))?;
        }
        self.unwritten.clear();
        Ok(())
    }

    fn write(&mut self, pages: &Files) -> Result<(), ServerError> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        folder.write(pages).map_err(unwritten(folder))
    }
}

fn unrendered(cause: relight_web::RenderError) -> ServerError {
    ServerError::caused("render the public page", cause)
}

fn unwritten(folder: &PublicFolder) -> impl FnOnce(io::Error) -> ServerError {
    let place = folder.current().display().to_string();
    move |cause| ServerError::caused(format!("write the public page {place}"), cause)
}

/// A publisher on a thread of its own; dropping it stops the thread.
#[derive(Debug)]
pub(crate) struct Publication {
    shown: Arc<RwLock<Arc<Generation>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    trouble: Arc<Mutex<Option<ServerError>>>,
}

impl Publication {
    /// Publishes once, and from then on after each change. A folder that cannot be written keeps
    /// no controller from its edges: it is told, and tried again with each page.
    ///
    /// # Errors
    /// The first generation cannot be made.
    pub(crate) fn start(mut publisher: Publisher) -> Result<Self, ServerError> {
        let first = publisher.publish_all(clock::now())?;
        let Published { version, generation, unwritten, .. } = first;
        let shown = Arc::new(RwLock::new(Arc::new(generation)));
        let stop = Arc::new(AtomicBool::new(false));
        let trouble = Arc::new(Mutex::new(unwritten));
        let (to, ended, told) = (Arc::clone(&shown), Arc::clone(&stop), Arc::clone(&trouble));
        let publish = move || {
            let mut state = State { version, owed: 0 };
            while let Some(turn) = state.next(&publisher.board, &ended) {
                let generation = state.take(turn, &mut publisher);
                let problem = match generation {
                    Ok(None) => continue,
                    Ok(Some((generation, unwritten))) => {
                        *to.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(generation);
                        unwritten
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
    pub(crate) fn shown(&self) -> Arc<RwLock<Arc<Generation>>> {
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

/// What the thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Page,
    Certificates,
}

/// What was published so far.
struct State {
    version: u64,
    owed: usize,
}

impl State {
    /// Waits for a change and those that come with it, or for the beat, unless certificates are
    /// owed and nothing changed; none when it has to stop.
    fn next(&self, board: &Board, stop: &AtomicBool) -> Option<Turn> {
        let mut waited = Duration::ZERO;
        while waited < BEAT {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let look = if self.owed > 0 { Duration::ZERO } else { LOOK };
            if board.wait_proof(self.version, look) > self.version {
                // Changes come in bursts: one generation for all of them.
                thread::sleep(GATHER);
                return (!stop.load(Ordering::Relaxed)).then_some(Turn::Page);
            }
            if self.owed > 0 {
                return Some(Turn::Certificates);
            }
            waited += LOOK;
        }
        Some(Turn::Page)
    }

    /// Takes a turn; the generation that it made, if any. What failed is tried again with the next
    /// page.
    fn take(
        &mut self,
        turn: Turn,
        publisher: &mut Publisher,
    ) -> Result<Option<(Generation, Option<ServerError>)>, ServerError> {
        self.owed = 0;
        let now = clock::now();
        if turn == Turn::Certificates {
            self.owed = publisher.certify(now)?;
            if self.owed > 0 {
                return Ok(None);
            }
        }
        let published = publisher.publish(now, CERTIFICATES_MAX)?;
        let Published { version, generation, owed, unwritten } = published;
        (self.version, self.owed) = (version, owed);
        Ok(Some((generation, unwritten)))
    }
}
