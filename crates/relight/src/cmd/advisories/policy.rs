//! `relight advisories policy`: what the operator sets about sources, from a TOML file.

use std::path::PathBuf;

use clap::Args;
use relight_engine::sources_policy::{SourcesPolicy, set_sources_policy, sources_policy};
use relight_server::web::texts;

use super::changes::Hand;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::report::Report;

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file, or nothing to show what is in force.
#[derive(Debug, Args)]
pub(super) struct SetPolicy {
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl SetPolicy {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let failed = |error| context.store_failure(&error);
        if let Some(file) = &self.file {
            let document = read(file, context)?;
            let store = context.store()?;
            let hand = Hand::of(context, &store, report)?;
            set_sources_policy(&store, &document, hand.by()).map_err(failed)?.map_err(|fault| {
                let (what, remedy) = coded(context.lang, fault.code);
                Failure::usage(format!("{what}: {}", fault.word)).hint(remedy)
            })?;
        }
        let document = match context.store_if_any()? {
            Some(store) => sources_policy(&store).map_err(failed)?,
            None => SourcesPolicy::default(),
        };
        if context.json {
            report.document("relight.sources-policy/1", &document);
        } else {
            tell(&document, report);
        }
        Ok(())
    }
}

fn tell(document: &SourcesPolicy, report: &mut Report) {
    let SourcesPolicy { ranks, last_known_is_last, related_attaches, bindings, proposals } =
        document;
    if *document == SourcesPolicy::default() {
        report.line(texts::policy_default(report.lang()));
    }
    for (source, rank) in ranks {
        report.line(&format!("ranks.{source} = {rank}"));
    }
    for (key, sources) in
        [("last_known_is_last", last_known_is_last), ("related_attaches", related_attaches)]
    {
        sources.iter().for_each(|source| report.line(&format!("{key} {source}")));
    }
    for line in bindings {
        let (products, packages) = (line.products.join(", "), line.affects.join(", "));
        report.line(&format!("{} {products} = {packages}", line.assigner));
        if !line.not_affects.is_empty() {
            report.line(&format!("  != {}", line.not_affects.join(", ")));
        }
        report.line(&format!("  {} · {}", line.reviewer, line.reference));
    }
    proposals.score.iter().for_each(|it| report.line(&format!("proposals.score = {it}")));
    proposals.exploited.iter().for_each(|it| report.line(&format!("proposals.exploited = {it}")));
}

fn read(file: &std::path::Path, context: &Context) -> Result<SourcesPolicy, Failure> {
    let bytes = context.read_file(file, FILE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    toml::from_str(&text).map_err(|error| {
        let lang = context.lang;
        let place = file.display().to_string();
        Failure::usage(texts::policy_unreadable(lang, &place))
            .because(lang, &error)
            .hint(texts::policy_unreadable_remedy(lang))
    })
}
