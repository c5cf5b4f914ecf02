//! `relight sites set SITE MARK=yes|no...`: what only people say about a site; `cpe=NAME` names the
//! product that it is.

use std::collections::BTreeSet;

use clap::Args;
use relight_engine::matching::Cpe;
use relight_engine::store::{SiteMark, Store, StoreErrorKind};
use relight_model::GateKey;
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
    #[arg(value_name = "MARK=yes|no", required = true, value_parser = said)]
    said: Vec<Said>,
}

/// One thing that a person says.
#[derive(Clone, Debug)]
enum Said {
    Mark(SiteMark, bool),
    /// A CPE name in the form of version 2.3.
    Cpe(String),
    /// It has none.
    NoCpe,
}

#[derive(Serialize)]
struct Document<'a> {
    site: &'a str,
    marks: Vec<&'static str>,
    cpe: Vec<String>,
}

fn said(text: &str) -> Result<Said, &'static str> {
    let (name, value) = text.split_once('=').ok_or("no equals sign")?;
    match (name, value) {
        ("cpe", "none" | "") => return Ok(Said::NoCpe),
        ("cpe", name) => return Ok(Said::Cpe(Cpe::parse(name)?.to_string())),
        _ => {}
    }
    let mark = SiteMark::ALL.into_iter().find(|mark| mark.as_str() == name);
    let is_set = match value {
        "yes" | "oui" => true,
        "no" | "non" => false,
        _ => return Err("yes or no"),
    };
    Ok(Said::Mark(mark.ok_or("drill_ok, protected or cpe")?, is_set))
}

impl Set {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = inventory::site(context, &self.site)?;
        let store = context.existing_store()?;
        for said in &self.said {
            let Said::Mark(mark, is_set) = said else { continue };
            store.set_mark(&site, *mark, *is_set, context.now(), ACTOR).map_err(
                |error| match error.kind() {
                    StoreErrorKind::Limit => Failure::new(texts::mark_both(lang, site.as_str()))
                        .hint(texts::mark_both_remedy(lang)),
                    _ => context.store_failure(&error),
                },
            )?;
        }
        let cpe = self.name(&site, &store, context)?;
        let mut marks = Vec::new();
        for mark in SiteMark::ALL {
            let marked = store.marked(mark).map_err(|error| context.store_failure(&error))?;
            if marked.contains(&site) {
                marks.push(mark.as_str());
            }
        }
        if context.json {
            report.document("relight.marks/1", &Document { site: site.as_str(), marks, cpe });
        } else {
            let all = marks.into_iter().chain(cpe.iter().map(String::as_str));
            let all: Vec<&str> = all.collect();
            report.line(&texts::labelled(lang, site.as_str(), &all.join(" ")));
        }
        Ok(())
    }

    /// Adds the CPE names, from none where it is said that there are none; gives all.
    fn name(
        &self,
        site: &GateKey,
        store: &Store,
        context: &Context,
    ) -> Result<Vec<String>, Failure> {
        let change = |names: &mut BTreeSet<String>| {
            for said in &self.said {
                match said {
                    Said::Mark(..) => {}
                    Said::Cpe(name) => drop(names.insert(name.clone())),
                    Said::NoCpe => names.clear(),
                }
            }
        };
        let changed = store.change_cpes(site, change, context.now(), ACTOR);
        let names = changed.map_err(|error| context.store_failure(&error))?;
        Ok(names.into_iter().collect())
    }
}
