//! A site that the server wishes to be looked at again: its folder is read as `relight scan` does,
//! and what was found is sent. What could not be looked at is told, and nothing is sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use relight_formats::write_sbom;
use relight_scan::Target;
use relight_server::agents::client::AgentClient;
use relight_server::agents::contact::Looks;
use relight_server::agents::wire::Wish;
use relight_server::agents::wishes::INVENTORY_WAIT_S;
use relight_server::web::texts;
use serde::Serialize;

use super::faulty;
use super::file::AgentFile;
use crate::cmd::fingerprints::installed;
use crate::cmd::scan;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// What was sent of a site.
#[derive(Debug, Serialize)]
pub(super) struct Sent {
    components: usize,
    unread: usize,
    complete: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    site: &'a str,
    #[serde(flatten)]
    sent: &'a Sent,
}

/// A look that is under way, on a thread of its own: the agent has its turns meanwhile. Of one that
/// is dropped nothing is sent.
pub(super) struct Look {
    pub(super) looks: Looks,
    began: Instant,
    folder: PathBuf,
    end: Receiver<Result<Sent, Failure>>,
    is_dropped: Arc<AtomicBool>,
}

impl Drop for Look {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::Relaxed);
    }
}

impl Look {
    /// Begins to look at the site of a wish; `None` where the file says nothing of it.
    pub(super) fn begin(
        wish: &Wish,
        file: &AgentFile,
        client: &AgentClient,
        context: &Context,
    ) -> Result<Option<Self>, Failure> {
        // The server names sites, and the file says where they are.
        let Some(folder) = file.sites.get(&wish.site).cloned() else { return Ok(None) };
        let client = client.another().map_err(|fault| faulty(&fault, context))?;
        let (told, end) = mpsc::channel();
        let (asked, place, own) = (wish.clone(), folder.clone(), context.clone());
        let is_dropped = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&is_dropped);
        thread::spawn(move || {
            let answered = answer(&asked, &place, (&client, &is_over), &own);
            if let Some(answered) = answered.transpose() {
                // Who is to end waits for nothing any more.
                let _ = told.send(answered);
            }
        });
        let looks = Looks { site: wish.site.clone(), since: context.now() };
        Ok(Some(Self { looks, began: Instant::now(), folder, end, is_dropped }))
    }

    /// The site.
    pub(super) fn site(&self) -> &str {
        &self.looks.site
    }

    /// Whether the site is still said to be in the folder that it looks at.
    pub(super) fn is_of(&self, file: &AgentFile) -> bool {
        file.sites.get(self.site()) == Some(&self.folder)
    }

    /// Whether its answer is still in time.
    pub(super) fn counts(&self) -> bool {
        self.began.elapsed() < Duration::from_secs(INVENTORY_WAIT_S.unsigned_abs())
    }

    /// How it ended, if it does within this time.
    pub(super) fn ended(
        &self,
        wait_max: Duration,
        context: &Context,
    ) -> Option<Result<Sent, Failure>> {
        match self.end.recv_timeout(wait_max) {
            Ok(ended) => Some(ended),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let (lang, place) = (context.lang, self.folder.display().to_string());
                let failure = Failure::new(texts::cannot_read(lang, &place));
                Some(Err(failure.hint(texts::scan_ended_remedy(lang))))
            }
        }
    }
}

/// Looks at the site of a wish and sends what was found; `None` where nobody wants it any more.
fn answer(
    wish: &Wish,
    folder: &Path,
    (client, is_over): (&AgentClient, &AtomicBool),
    context: &Context,
) -> Result<Option<Sent>, Failure> {
    installed::refuse(context)?;
    let mut look = scan::Look::fresh(context)?;
    // The machine is there for its sites.
    look.options.threads = Some(1);
    let scanned = look.at(&Target::Path(folder.to_owned()), context)?;
    if scanned.files == 0 {
        return Err(nothing_there(folder, context));
    }
    let sbom = &scanned.sbom;
    let text = write_sbom("cyclonedx", sbom, &wish.site, None).unwrap_or_default();
    if is_over.load(Ordering::Relaxed) {
        return Ok(None);
    }
    client.send(wish, text).map_err(|fault| faulty(&fault, context))?;
    let (components, unread) = (sbom.components.len(), sbom.flaws.len());
    Ok(Some(Sent { components, unread, complete: sbom.is_complete() }))
}

/// Tells what was sent of a site.
pub(super) fn tell_sent(site: &str, sent: &Sent, context: &Context, report: &mut Report) {
    if context.json {
        report.document_line("relight.agent-inventory/1", &Document { site, sent });
    } else {
        let Sent { components, unread, .. } = *sent;
        report.line(&texts::agent_sent(context.lang, components, site, unread));
    }
}

/// A disk that is not mounted is an empty folder, and would be clear of everything.
fn nothing_there(folder: &Path, context: &Context) -> Failure {
    let (lang, place) = (context.lang, folder.display().to_string());
    let failure = Failure::new(texts::agent_empty_folder(lang, &place));
    failure.hint(texts::agent_empty_folder_remedy(lang))
}
