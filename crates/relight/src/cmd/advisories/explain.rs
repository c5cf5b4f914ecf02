//! `relight advisories explain`: which source, range and rule decided, and who disagrees.

mod by_cpe;

use std::collections::BTreeSet;

use clap::Args;
use relight_engine::matching::{
    Advisories as Known, Attachment, Group, Judgement, Opinion, Rule, Stand,
};
use relight_model::{Basis, Component, Finding, FindingState, Purl, Scope};
use relight_server::web::Lang;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use super::{find, sources_disabled, tell_disabled, withdrawn_at};
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::{Exit, Report, Style};

#[derive(Debug, Args)]
pub(super) struct Explain {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(value_name = "PURL", required_unless_present = "cpe")]
    purl: Option<String>,
    #[arg(long, value_name = "NAME", conflicts_with = "purl")]
    cpe: Vec<String>,
}

#[derive(Serialize)]
struct ExplainDocument<'a> {
    id: &'a str,
    purl: String,
    /// `affected`, `not-affected` or `unknown`.
    verdict: &'a str,
    /// Why it is unknown.
    why: Option<&'a str>,
    state: &'a str,
    rule: &'a str,
    /// Index of the opinion that decided.
    decided_by: Option<usize>,
    flags: Vec<&'a str>,
    opinions: Vec<OpinionRow<'a>>,
    /// Records whose opinion ended.
    withdrawn: Vec<WithdrawnRow<'a>>,
    /// Sources that are switched off and that speak about the flaw; left out where there are none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    sources_disabled: BTreeSet<&'a str>,
    group_revision: String,
}

/// Why a package is unknown for a flaw that also means files.
const HIDDEN: &str = "exhibit";

/// Why a package is unknown for a flaw of which no record names any.
const UNNAMED: &str = "no-package";

/// Why a package is unknown for a flaw of which a record cannot be read any more.
const UNREADABLE: &str = "unread";

/// Why a package is unknown of whose release nobody speaks.
const NO_SOURCE: &str = "no-source";

/// Why a package that no record affects is unknown all the same: it may be one of the files that
/// are meant, of which its name does not tell; a record cannot be read; nobody names any
/// package, or nobody speaks of its release. Silence is no opinion.
fn gap(
    (known, group): (&Known, &Group),
    component: &Component,
    judgement: &Judgement,
) -> Option<&'static str> {
    let is_open = judgement.stand() == Stand::NotAffected;
    let is_silent = judgement.decided_by.is_none() && group.packages().is_empty();
    match () {
        () if is_open && !group.exhibits().is_empty() => Some(HIDDEN),
        () if is_open && group.is_unread() => Some(UNREADABLE),
        () if is_open && is_silent => Some(UNNAMED),
        () if is_open && known.is_unheard(group, component) => Some(NO_SOURCE),
        () => None,
    }
}

#[derive(Serialize)]
struct WithdrawnRow<'a> {
    source: &'a str,
    record: &'a str,
    at: String,
    revision: String,
}

/// The records of a flaw that gave an opinion once and give none any more.
fn withdrawn<'a>(group: &'a Group, known: &Known) -> impl Iterator<Item = WithdrawnRow<'a>> {
    group.records().filter_map(|record| {
        let at = rfc3339(withdrawn_at(record, known)?);
        let (source, revision) = (record.source.as_str(), record.revision.to_string());
        Some(WithdrawnRow { source, record: &record.id, at, revision })
    })
}

#[derive(Serialize)]
struct OpinionRow<'a> {
    source: &'a str,
    record: &'a str,
    attachment: &'a str,
    rank: u8,
    authority: &'a str,
    verdict: &'a str,
    why: Option<&'a str>,
    rule: &'a str,
    interval: &'a str,
    basis: &'a str,
    revision: String,
    flags: Vec<&'a str>,
}

impl Explain {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let Some(purl) = &self.purl else {
            return by_cpe::run(&self.id, &self.cpe, context, report);
        };
        let purl = Purl::parse(purl).map_err(|why| {
            Failure::usage(texts::not_a_purl(lang, purl, why)).hint(texts::not_a_purl_remedy(lang))
        })?;
        let known = inventory::advisories_about(context, &self.id)?;
        let group = find(&known, &self.id, context)?;
        let component = Component::new(purl, "", Basis::Document, Scope::Installed);
        let judgement = group.judgement(&component);
        let finding = group.judge(&component);
        let gap = gap((&known, group), &component, &judgement);
        if matches!(judgement.stand(), Stand::Unknown(_)) || gap.is_some() {
            report.raise(Exit::Incomplete);
        }
        if context.json {
            let said = (&judgement, finding.as_ref(), gap);
            let body = document((&known, group), &component, said);
            report.document("relight.explanation/1", &body);
        } else {
            tell(group, &component, (&judgement, gap), report);
            for WithdrawnRow { source, record, at, .. } in withdrawn(group, &known) {
                report
                    .line(&format!("    {}", texts::explain_withdrawn(lang, &at, record, source)));
            }
            tell_disabled(&known, group, lang, report);
        }
        Ok(())
    }
}

fn document<'a>(
    (known, group): (&'a Known, &'a Group),
    component: &Component,
    (judgement, finding, gap): (&'a Judgement, Option<&'a Finding>, Option<&'static str>),
) -> ExplainDocument<'a> {
    let without = match gap {
        None => "clear",
        Some(HIDDEN | NO_SOURCE) => FindingState::PossibleMatch.as_str(),
        Some(_) => FindingState::RangeUnresolved.as_str(),
    };
    ExplainDocument {
        id: &group.id,
        purl: component.purl.to_string(),
        verdict: if gap.is_some() { "unknown" } else { judgement.stand().as_str() },
        why: gap.or_else(|| why(judgement.stand())),
        state: finding.map_or(without, |finding| finding.state.as_str()),
        rule: finding.map_or("", |finding| finding.rule.as_str()),
        decided_by: judgement.decided_by,
        flags: judgement.flags.iter().map(|flag| flag.as_str()).collect(),
        opinions: judgement.opinions.iter().map(|it| row(group, it)).collect(),
        withdrawn: withdrawn(group, known).collect(),
        sources_disabled: sources_disabled(known, group),
        group_revision: group.revision().to_string(),
    }
}

const fn why(stand: Stand) -> Option<&'static str> {
    match stand {
        Stand::Unknown(why) => Some(why.as_str()),
        Stand::Affected | Stand::NotAffected => None,
    }
}

fn row<'a>(group: &Group, opinion: &'a Opinion) -> OpinionRow<'a> {
    let is_it = |id: &str, source: &str| id == opinion.record && source == opinion.source;
    let mut records = group.attachments();
    let found = records.find(|(record, _)| is_it(&record.id, &record.source));
    OpinionRow {
        source: &opinion.source,
        record: &opinion.record,
        attachment: found.map_or(Attachment::Member, |(_, attachment)| attachment).as_str(),
        rank: opinion.rank.number(),
        authority: opinion.rank.as_str(),
        verdict: opinion.stand.as_str(),
        why: why(opinion.stand),
        rule: opinion.rule.as_str(),
        interval: &opinion.interval,
        basis: opinion.basis,
        revision: opinion.revision.to_string(),
        flags: opinion.flags.iter().map(|flag| flag.as_str()).collect(),
    }
}

fn tell(
    group: &Group,
    component: &Component,
    (judgement, gap): (&Judgement, Option<&'static str>),
    report: &mut Report,
) {
    let lang = report.lang();
    let told =
        if gap.is_some() { texts::verdict_unknown(lang) } else { verdict(lang, judgement.stand()) };
    let verdict = report.paint(Style::Strong, told);
    report.line(&texts::explain_head(lang, &group.id, &component.purl.to_string(), &verdict));
    if let Some(gap) = gap {
        report.line(&format!("  {}", word(lang, "why", gap)));
    }
    let Some(decisive) = judgement.decisive() else {
        if gap == Some(UNNAMED) {
            return;
        }
        report.line(&format!("  {}", texts::explain_silent(lang)));
        return;
    };
    if let Stand::Unknown(why) = judgement.stand()
        && decisive.stand != judgement.stand()
    {
        report.line(&format!("  {}", word(lang, "why", why.as_str())));
    }
    let (rank, said) = (word(lang, "rank", decisive.rank.as_str()), said(lang, decisive));
    let (source, record) = (&decisive.source, &decisive.record);
    report.line(&format!("  {}", texts::explain_decided(lang, rank, record, &said, source)));
    for flag in &judgement.flags {
        report.line(&format!("  {}", word(lang, "flag", flag.as_str())));
    }
    let others = judgement.opinions.iter().enumerate();
    for (_, opinion) in others.filter(|(at, _)| Some(*at) != judgement.decided_by) {
        report.line(&format!("    {}", opinion_line(lang, opinion)));
    }
}

fn opinion_line(lang: Lang, opinion: &Opinion) -> String {
    let rank = word(lang, "rank", opinion.rank.as_str());
    let (said, verdict) = (said(lang, opinion), verdict(lang, opinion.stand));
    texts::explain_opinion(lang, rank, &opinion.record, &said, &opinion.source, verdict)
}

fn verdict(lang: Lang, stand: Stand) -> &'static str {
    match stand {
        Stand::Affected => texts::verdict_affected(lang),
        Stand::NotAffected => texts::explain_not_affected(lang),
        Stand::Unknown(_) => texts::verdict_unknown(lang),
    }
}

/// The rule and the interval, or the reason, in words.
fn said(lang: Lang, opinion: &Opinion) -> String {
    if let Stand::Unknown(why) = opinion.stand {
        return word(lang, "why", why.as_str()).to_owned();
    }
    let rule = word(lang, "rule", opinion.rule.as_str());
    match (opinion.rule, opinion.interval.as_str()) {
        (_, "") => rule.to_owned(),
        (Rule::Outside, interval) => texts::explain_outside(lang, interval, rule),
        (_, interval) => texts::explain_said(lang, interval, rule),
    }
}

/// The word of a code; the code itself is better than nothing.
fn word(lang: Lang, kind: &str, code: &'static str) -> &'static str {
    texts::by_code(lang, &format!("{kind}-{code}")).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use relight_engine::matching::{Effect, Flag, REASON_CODES, Rank, Why};

    use super::*;

    #[test]
    fn every_code_has_its_words() {
        let mut codes: Vec<_> = Why::ALL.iter().map(|it| ("why", it.as_str())).collect();
        codes.extend(Rule::ALL.iter().map(|it| ("rule", it.as_str())));
        codes.extend(Flag::ALL.iter().map(|it| ("flag", it.as_str())));
        codes.extend(Rank::ALL.iter().map(|it| ("rank", it.as_str())));
        let effects = [Effect::Affects, Effect::Mitigates, Effect::Clears];
        let others = [Effect::Fixes, Effect::Nothing, Effect::Unjustified];
        codes.extend(effects.iter().chain(&others).map(|it| ("effect", it.as_str())));
        codes.extend([("why", HIDDEN), ("why", UNNAMED), ("why", UNREADABLE)]);
        codes.extend(REASON_CODES.iter().filter_map(|code| code.split_once('-')));
        for (kind, code) in codes {
            for lang in [Lang::Fr, Lang::En] {
                assert!(texts::by_code(lang, &format!("{kind}-{code}")).is_some(), "{kind}-{code}");
            }
        }
    }
}
