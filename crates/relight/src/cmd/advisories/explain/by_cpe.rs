//! `relight advisories explain ID --cpe NAME`: the answer by names that somebody stated. Nothing
//! maps packages to CPE names, so it is about the names alone.

use std::collections::BTreeSet;

use relight_engine::matching::{Advisories as Known, Cpe, CpeOpinion, Group, Stand};
use relight_server::web::texts;
use serde::Serialize;

use super::{find, sources_disabled, tell_disabled, verdict, why, word};
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::{Exit, Report, Style};

/// `relight.cpe-explanation/1`.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    cpe: Vec<String>,
    /// `affected`, `not-affected` or `unknown`.
    verdict: &'a str,
    why: Option<&'a str>,
    opinions: Vec<Row<'a>>,
    /// Sources that are switched off and that speak about the flaw; left out where there are none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    sources_disabled: BTreeSet<&'a str>,
    group_revision: String,
}

#[derive(Serialize)]
struct Row<'a> {
    source: &'a str,
    record: &'a str,
    verdict: &'a str,
    why: Option<&'a str>,
}

pub(super) fn run(
    id: &str,
    names: &[String],
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let mut stated = Vec::with_capacity(names.len());
    for text in names {
        stated.push(Cpe::parse(text).map_err(|why| {
            Failure::usage(texts::not_a_cpe(lang, text, why)).hint(texts::not_a_cpe_remedy(lang))
        })?);
    }
    let known = inventory::advisories_about(context, id)?;
    let group = find(&known, id, context)?;
    let opinions = group.by_cpe(&stated);
    let stand = CpeOpinion::stand_of(&opinions);
    if matches!(stand, Stand::Unknown(_)) {
        report.raise(Exit::Incomplete);
    }
    if context.json {
        report.document(
            "relight.cpe-explanation/1",
            &document((&known, group), &stated, stand, &opinions),
        );
    } else {
        tell(group, &stated, stand, &opinions, report);
        tell_disabled(&known, group, lang, report);
    }
    Ok(())
}

fn document<'a>(
    (known, group): (&Known, &'a Group),
    stated: &[Cpe],
    stand: Stand,
    opinions: &'a [CpeOpinion],
) -> Document<'a> {
    let row = |it: &'a CpeOpinion| Row {
        source: &it.source,
        record: &it.record,
        verdict: it.stand.as_str(),
        why: why(it.stand),
    };
    Document {
        id: &group.id,
        cpe: stated.iter().map(ToString::to_string).collect(),
        verdict: stand.as_str(),
        why: why(stand),
        opinions: opinions.iter().map(row).collect(),
        sources_disabled: sources_disabled(known, group),
        group_revision: group.revision().to_string(),
    }
}

fn tell(group: &Group, stated: &[Cpe], stand: Stand, opinions: &[CpeOpinion], report: &mut Report) {
    let lang = report.lang();
    let names = stated.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let said = report.paint(Style::Strong, verdict(lang, stand));
    report.line(&texts::explain_head(lang, &group.id, &names, &said));
    report.line(&format!("  {}", texts::explain_by_cpe(lang)));
    if opinions.is_empty() {
        report.line(&format!("  {}", texts::explain_no_cpe(lang)));
    }
    for CpeOpinion { source, record, stand } in opinions {
        let why = why(*stand).map(|code| format!(", {}", word(lang, "why", code)));
        let why = why.unwrap_or_default();
        report.line(&format!("    {source} {record}: {}{why}", verdict(lang, *stand)));
    }
}
