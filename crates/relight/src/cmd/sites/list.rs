//! `relight sites list`: the sites that a query means, of the data folder or of a server.

use std::collections::BTreeMap;

use clap::Args;
use relight_model::DisplayState;
use relight_server::web::{texts, words};
use serde::{Deserialize, Serialize};

use super::{SiteRow, row};
use crate::cmd::incident::remote::{Remote, unreached};
use crate::context::Context;
use crate::failure::Failure;
use crate::register::{INVENTORY_AGE_MAX_S, Register};
use crate::report::Report;
use crate::table::{Align, Table};

/// Most answers that are asked of a server for one list.
const ANSWERS_MAX: usize = 1_000;

#[derive(Debug, Args)]
pub(super) struct List {
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Serialize)]
struct Document<'a> {
    total: usize,
    sites: Vec<SiteRow<'a>>,
}

/// Some of the sites that a server tells of.
#[derive(Deserialize)]
struct Page {
    total: usize,
    sites: Vec<SiteRow<'static>>,
}

impl List {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        if let Some(server) = &self.remote.server {
            let sites = self.asked(server, context)?;
            let total = sites.len();
            self.tell(Document { total, sites }, context, report);
            return Ok(());
        }
        let register = Register::open(context)?;
        let sites = register.select(&self.query, None, INVENTORY_AGE_MAX_S, context.lang)?;
        let shown = sites.iter().take(self.limit).map(|site| row(&register, site));
        let document = Document { total: sites.len(), sites: shown.collect() };
        self.tell(document, context, report);
        Ok(())
    }

    /// Every site that a server tells of, by short name. A list that ends before all that it
    /// counts is none.
    fn asked(&self, server: &str, context: &Context) -> Result<Vec<SiteRow<'static>>, Failure> {
        let (mut all, mut read) = (BTreeMap::new(), 0);
        for _ in 0..ANSWERS_MAX {
            let offset = read.to_string();
            let query = [("query", &*self.query), ("offset", &*offset)];
            let page: Page = self.remote.read(server, ("/api/v1/sites", &query), context)?;
            let count = page.sites.len();
            read += count;
            all.extend(page.sites.into_iter().map(|site| (site.slug.to_string(), site)));
            if read >= page.total {
                return Ok(all.into_values().collect());
            }
            if count == 0 {
                break;
            }
        }
        Err(unreached(texts::remote_short(context.lang), server, context))
    }

    fn tell(&self, mut document: Document<'_>, context: &Context, report: &mut Report) {
        let lang = context.lang;
        document.sites.truncate(self.limit);
        if context.json {
            report.document("relight.sites/1", &document);
            return;
        }
        let mut table = Table::new(&[
            (texts::column_site(lang), Align::Left),
            (texts::column_organisation(lang), Align::Left),
            (texts::column_sector(lang), Align::Left),
            (texts::column_criticality(lang), Align::Right),
            (texts::column_edge(lang), Align::Left),
            (texts::column_state(lang), Align::Left),
        ]);
        for row in &document.sites {
            let state = DisplayState::ALL.into_iter().find(|it| it.as_str() == row.state);
            let state = state.map_or(&*row.state, |state| words::state(lang, state));
            table.row(vec![
                row.slug.to_string(),
                row.organisation.to_string(),
                words::sector(lang, &row.sector).to_owned(),
                row.criticality.to_string(),
                row.edge.to_string(),
                state.to_owned(),
            ]);
        }
        table.print(report);
        report.line(&texts::sites_shown(lang, document.sites.len(), document.total));
    }
}
