//! A site that the server wishes to be looked at again: its folder is read as `relight scan` does,
//! and what was found is sent. What could not be looked at is told, and nothing is sent.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use relight_formats::write_sbom;
use relight_scan::Target;
use relight_server::agents::client::AgentClient;
use relight_server::agents::wire::Wish;
use relight_server::web::texts;
use serde::Serialize;

use super::faulty;
use super::file::AgentFile;
use crate::cmd::scan::Look;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Serialize)]
struct Document<'a> {
    site: &'a str,
    components: usize,
    unread: usize,
    complete: bool,
}

/// Looks at the site of a wish and sends what was found; says whether it did.
pub(super) fn answer(
    wish: &Wish,
    file: &AgentFile,
    client: &AgentClient,
    stop: &AtomicBool,
    context: &Context,
    report: &mut Report,
) -> Result<bool, Failure> {
    let (lang, site) = (context.lang, wish.site.as_str());
    // The server names sites, and the file says where they are.
    let Some(folder) = file.sites.get(site) else { return Ok(false) };
    let scanned = look(context)?.at(&Target::Path(folder.clone()), context)?;
    if scanned.files == 0 {
        return Err(nothing_there(folder, context));
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(false);
    }
    let sbom = &scanned.sbom;
    let Some(text) = write_sbom("cyclonedx", sbom, site, None) else { return Ok(false) };
    client.send(wish, text).map_err(|fault| faulty(&fault, context))?;
    let (components, unread) = (sbom.components.len(), sbom.flaws.len());
    if context.json {
        let document = Document { site, components, unread, complete: sbom.is_complete() };
        report.document_line("relight.agent-inventory/1", &document);
    } else {
        report.line(&texts::agent_sent(lang, components, site, unread));
    }
    Ok(true)
}

/// On one core only: the machine is there for its sites.
fn look(context: &Context) -> Result<Look, Failure> {
    let mut look = Look::fresh(context)?;
    look.options.threads = Some(1);
    Ok(look)
}

/// A disk that is not mounted is an empty folder, and would be clear of everything.
fn nothing_there(folder: &Path, context: &Context) -> Failure {
    let (lang, place) = (context.lang, folder.display().to_string());
    let failure = Failure::new(texts::agent_empty_folder(lang, &place));
    failure.hint(texts::agent_empty_folder_remedy(lang))
}
