//! What is said where nobody looks at the edges any more: what was proven is so no more.

use relight_server::web::number::{rfc3339, stamp_to_the_second};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::Report;

/// Sites that were proven dark, and count as exposed because nobody looks.
#[derive(Serialize)]
pub(crate) struct UnseenRow {
    sites: usize,
    /// Nobody has looked at any of them since then; null where nobody is known to have.
    since: Option<String>,
}

/// The same for a document; none where all is looked at.
pub(crate) fn row(register: &Register) -> Option<UnseenRow> {
    let unseen = register.unseen?;
    Some(UnseenRow { sites: unseen.sites, since: unseen.since.map(rfc3339) })
}

/// The same in a sentence.
pub(crate) fn sentence(register: &Register, lang: Lang) -> Option<String> {
    let unseen = register.unseen?;
    Some(match unseen.since {
        Some(since) => texts::unseen(lang, &stamp_to_the_second(lang, since), unseen.sites),
        None => texts::unseen_ever(lang, unseen.sites),
    })
}

/// What to do about it.
pub(crate) fn remedy(register: &Register, context: &Context) -> Result<&'static str, Failure> {
    let control = register.store.take_control().map_err(|error| context.store_failure(&error))?;
    Ok(match control {
        Some(_) => texts::unseen_remedy(context.lang),
        None => texts::unseen_served_remedy(context.lang),
    })
}

/// Warns of it.
pub(crate) fn tell(
    register: &Register,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    if let Some(what) = sentence(register, context.lang) {
        report.warn("relight", &what, remedy(register, context)?);
    }
    Ok(())
}
