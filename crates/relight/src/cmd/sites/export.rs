//! `relight sites export [QUERY]`: the register as the CSV file that `sites import` takes.

use clap::Args;
use relight_model::Site;

use super::csv_rows::COLUMNS;
use super::parts_of;
use crate::context::Context;
use crate::failure::Failure;
use crate::register::{INVENTORY_AGE_MAX_S, Register};
use crate::report::Report;

/// Which sites.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
}

impl Export {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open(context)?;
        let sites = register.select(&self.query, None, INVENTORY_AGE_MAX_S, context.lang)?;
        report.line(&COLUMNS.join(","));
        for site in sites {
            report.line(&line(&register, site));
        }
        Ok(())
    }
}

fn line(register: &Register, site: &Site) -> String {
    let criticality = site.criticality.number().to_string();
    let aliases = site.aliases.join(" ");
    let parts = parts_of(site).join(" ");
    let cells: [&str; COLUMNS.len()] = [
        site.slug.as_str(),
        &site.name_fr,
        &site.name_en,
        &site.origin,
        register.organisation(site),
        register.sector(site),
        &criticality,
        &site.edge,
        if site.public { "yes" } else { "no" },
        site.exposure.as_str(),
        &aliases,
        &parts,
        &site.channel.fr,
        &site.channel.en,
    ];
    cells.map(cell).join(",")
}

/// In quotation marks where a separator, a mark or a line end would tear it apart, or where the
/// reader would take spaces away.
fn cell(text: &str) -> String {
    if text.contains([',', ';', '"', '\n', '\r']) || text.trim() != text {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
