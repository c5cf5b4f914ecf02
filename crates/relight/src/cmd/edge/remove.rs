//! `relight edge remove`: an edge leaves the register. Nothing is opened by it, so one that still
//! has something to hold dark stays.

use clap::Args;
use relight_engine::edge::{self, Target};
use relight_engine::groups;
use relight_engine::reconcile::BARRIER;
use relight_server::web::texts;

use super::{ListDocument, barrier, edge_failure, row_of};
use crate::context::Context;
use crate::failure::Failure;
use crate::operator;
use crate::report::Report;

/// Which one.
#[derive(Debug, Args)]
pub(super) struct Remove {
    #[arg(value_name = "EDGE")]
    edge: String,
}

impl Remove {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (lang, name) = (context.lang, self.edge);
        let store = context.store()?;
        let targets = barrier::registered(&store, context)?;
        let Some(target) = targets.iter().find(|it| it.name == name) else {
            return Err(Failure::new(texts::edge_unknown(lang, &name))
                .hint(texts::edge_unknown_remedy(lang)));
        };
        refuse(target, &targets, context)?;
        let author = operator::author(context, &store, report)?;
        let removed = store.remove_edge(&name, context.now(), &author);
        let sites = removed.map_err(|error| context.store_failure(&error))?;
        if sites > 0 {
            let why = texts::edge_stays_sites(lang, sites);
            return Err(stays(&name, &why, texts::edge_stays_sites_remedy(lang), context));
        }
        if context.json {
            let edges = vec![row_of(target.clone(), 0)];
            report.document("relight.edges/1", &ListDocument { edges });
        } else {
            report.line(&texts::edge_removed(lang, &name));
        }
        Ok(())
    }
}

/// Another edge stands on it, or its gate holds something that would stay so for ever.
fn refuse(target: &Target, all: &[Target], context: &Context) -> Result<(), Failure> {
    let (lang, name) = (context.lang, &target.name);
    let of_other = |other: &str, remedy| {
        let why = texts::edge_stays_other(lang, other);
        Err(stays(name, &why, remedy, context))
    };
    if let Some(group) = groups::group_of(name, all) {
        return of_other(&group.name, texts::edge_stays_other_remedy(lang));
    }
    if let Some(front) = all.iter().find(|it| it.settings.get(BARRIER) == Some(name)) {
        return of_other(&front.name, texts::edge_stays_other_remedy(lang));
    }
    let dark = edge::held_dark(target).map_err(|error| edge_failure(&error, context))?;
    match dark.first() {
        None => Ok(()),
        Some(first) => {
            let why = texts::edge_stays_dark(lang, dark.len(), first.as_str());
            Err(stays(name, &why, texts::edge_stays_dark_remedy(lang), context))
        }
    }
}

fn stays(name: &str, why: &str, remedy: &str, context: &Context) -> Failure {
    Failure::new(texts::edge_stays(context.lang, name, why)).hint(remedy)
}
