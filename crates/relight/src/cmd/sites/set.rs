//! `relight sites set SITE MARK=yes|no...`: what only people say about a site.

use clap::Args;
use relight_engine::store::{SiteMark, StoreErrorKind};
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::Report;

/// Who changes the register from the command line.
const ACTOR: &str = "relight sites set";

#[derive(Debug, Args)]
pub(super) struct Set {
    #[arg(value_name = "SITE")]
    site: String,
    #[arg(value_name = "MARK=yes|no", required = true, value_parser = mark)]
    marks: Vec<(SiteMark, bool)>,
}

#[derive(Serialize)]
struct Document<'a> {
    site: &'a str,
    marks: Vec<&'static str>,
}

fn mark(text: &str) -> Result<(SiteMark, bool), &'static str> {
    let (name, value) = text.split_once('=').ok_or("no equals sign")?;
    let mark = SiteMark::ALL.into_iter().find(|mark| mark.as_str() == name);
    let is_set = match value {
        "yes" | "oui" => true,
        "no" | "non" => false,
        _ => return Err("yes or no"),
    };
    Ok((mark.ok_or("drill_ok or protected")?, is_set))
}

impl Set {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = inventory::site(context, &self.site)?;
        let store = context.existing_store()?;
        for (mark, is_set) in &self.marks {
            store.set_mark(&site, *mark, *is_set, context.now(), ACTOR).map_err(
                |error| match error.kind() {
                    StoreErrorKind::Limit => Failure::new(texts::mark_both(lang, site.as_str()))
                        .hint(texts::mark_both_remedy(lang)),
                    _ => context.store_failure(&error),
                },
            )?;
        }
        let mut marks = Vec::new();
        for mark in SiteMark::ALL {
            let marked = store.marked(mark).map_err(|error| context.store_failure(&error))?;
            if marked.contains(&site) {
                marks.push(mark.as_str());
            }
        }
        if context.json {
            report.document("relight.marks/1", &Document { site: site.as_str(), marks });
        } else {
            report.line(&texts::labelled(lang, site.as_str(), &marks.join(" ")));
        }
        Ok(())
    }
}
