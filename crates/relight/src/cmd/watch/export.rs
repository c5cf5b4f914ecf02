//! `relight watch export`: a campaign in the words of other programs. What is written is applied
//! by nobody here.

use std::path::PathBuf;

use clap::Args;
use relight_engine::never_blocked;
use relight_engine::store::Store;
use relight_formats::export::{
    BLOCK_DAYS_MAX, BlockForm, ExportHead, ExportedCampaign, Network, Tlp, block_list,
    campaign_csv, campaign_jsonl, misp_csv, misp_json, ocsf_jsonl, stix_bundle,
};
use relight_model::Campaign;
use relight_server::exports::exported;
use relight_server::web::texts;

use super::parse::network;
use super::{campaigns, named};
use crate::context::Context;
use crate::failure::Failure;
use crate::localise::one_of;
use crate::report::Report;
use crate::stage;

/// Largest list of ranges that are never blocked, in bytes.
const NEVER_BYTES_MAX: u64 = 16 << 20;

/// The formats, in the order of the help.
const FORMATS: &[&str] = &[
    "stix",
    "misp",
    "misp-csv",
    "ocsf",
    "csv",
    "jsonl",
    "blocklist",
    "blocklist-nftables",
    "blocklist-nginx",
    "blocklist-haproxy",
    "blocklist-csv",
];

/// Stands for every campaign.
const ALL: &str = "all";

/// Formats of which a file holds one campaign: several of them in one no program would read.
const ALONE: [&str; 4] = ["stix", "misp", "misp-csv", "csv"];

#[derive(Debug, Args)]
pub(super) struct Export {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long, short, value_name = "FORMAT", value_parser = one_of(FORMATS))]
    format: String,
    #[arg(long, value_name = "LEVEL", value_parser = one_of(&["clear", "green", "amber", "red"]),
        default_value = "amber")]
    tlp: String,
    #[arg(long, value_name = "N", default_value_t = BLOCK_DAYS_MAX)]
    days: u32,
    #[arg(long, value_name = "FILE")]
    never: Option<PathBuf>,
    #[arg(long, value_name = "NAME", default_value = "relight")]
    installation: String,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    purpose: String,
}

impl Export {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        if self.id == ALL && ALONE.contains(&self.format.as_str()) {
            let others: Vec<&str> =
                FORMATS.iter().filter(|it| !ALONE.contains(*it)).copied().collect();
            return Err(Failure::usage(texts::export_alone(context.lang, &self.format))
                .hint(texts::export_alone_remedy(context.lang, &others.join(", "))));
        }
        let store = context.existing_store()?;
        // Those who get it would take for real what was only played here.
        if stage::of(context, &store)?.is_played() {
            return Err(Failure::new(texts::share_played(context.lang))
                .hint(texts::share_played_remedy(context.lang)));
        }
        let found = self.found(&store, context, report)?;
        let now = context.now();
        let tlp = Tlp::ALL.into_iter().find(|tlp| tlp.as_str() == self.tlp).unwrap_or_default();
        let head = ExportHead { installation: &self.installation, now, tlp };
        let text = match block_form(&self.format) {
            Some(form) => self.block((&found, form), &store, context, report)?,
            None => found.iter().map(|campaign| self.written(campaign, &head)).collect(),
        };
        // Before anything leaves: a look that cannot be noted is not taken.
        let what = format!("{} {} {}", self.id, self.format, self.purpose);
        super::notes::note(&store, "export", what.trim_end(), context)?;
        report.raw(&text);
        Ok(())
    }

    fn found(
        &self,
        store: &Store,
        context: &Context,
        report: &mut Report,
    ) -> Result<Vec<ExportedCampaign>, Failure> {
        let lang = context.lang;
        let all = campaigns(store, context, report)?;
        let found: Vec<&Campaign> = match self.id.as_str() {
            ALL => all.iter().collect(),
            id => named(&all, id).into_iter().collect(),
        };
        if found.is_empty() && self.id != ALL {
            return Err(Failure::new(texts::no_such_campaign(lang, &self.id))
                .hint(texts::no_such_campaign_remedy(lang)));
        }
        let organisations = store.organisations().map_err(|error| context.store_failure(&error))?;
        let name = |id| organisations.iter().find(|org| org.id == id).map(|org| org.name.clone());
        let names = |it: &Campaign| it.organisations.iter().filter_map(|id| name(*id)).collect();
        Ok(found.into_iter().map(|campaign| exported(campaign, names(campaign), lang)).collect())
    }

    fn written(&self, campaign: &ExportedCampaign, head: &ExportHead<'_>) -> String {
        match self.format.as_str() {
            "stix" => stix_bundle(campaign, head),
            "misp" => misp_json(campaign, head),
            "misp-csv" => misp_csv(campaign, head),
            "ocsf" => ocsf_jsonl(campaign, head),
            "csv" => campaign_csv(campaign),
            _ => campaign_jsonl(campaign, head),
        }
    }

    fn block(
        &self,
        (found, form): (&[ExportedCampaign], BlockForm),
        store: &Store,
        context: &Context,
        report: &mut Report,
    ) -> Result<String, Failure> {
        let mut never = self.never(context)?;
        // A line that names nobody leaves somebody in.
        super::tell_faults(store, context, report)?;
        let own = never_blocked(store, context.now());
        never.extend(own.map_err(|error| Failure::engine(context.lang, &error))?);
        let list = block_list(found, form, self.days, &never, context.now());
        let left_out = list.reconnaissance + list.never + list.crowded + list.expired;
        report.note(&texts::block_list(context.lang, list.blocked, left_out));
        for (key, count) in [
            ("block-reconnaissance", list.reconnaissance),
            ("block-never", list.never),
            ("block-crowded", list.crowded),
            ("block-expired", list.expired),
        ] {
            let what = texts::by_code(context.lang, key).unwrap_or_default();
            if count > 0 {
                let line = texts::labelled(context.lang, what, &count.to_string());
                report.note(&format!("  {line}"));
            }
        }
        Ok(list.text)
    }

    /// Ranges that are never blocked, one a line. A line that is none would leave one out, so it
    /// stops the export.
    fn never(&self, context: &Context) -> Result<Vec<Network>, Failure> {
        let Some(path) = &self.never else { return Ok(Vec::new()) };
        let bytes = context.read_file(path, NEVER_BYTES_MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let lines = lines.enumerate().filter(|(_, line)| !line.is_empty());
        let range = |(number, line): (usize, &str)| {
            network(line).ok_or_else(|| {
                let place = format!("{}:{}", path.display(), number + 1);
                let what = texts::no_network(context.lang, line);
                Failure::new(texts::labelled(context.lang, &place, &what))
                    .hint(texts::no_network_remedy(context.lang))
            })
        };
        lines.map(range).collect()
    }
}

fn block_form(format: &str) -> Option<BlockForm> {
    Some(match format.strip_prefix("blocklist")? {
        "-nftables" => BlockForm::Nftables,
        "-nginx" => BlockForm::Nginx,
        "-haproxy" => BlockForm::Haproxy,
        "-csv" => BlockForm::Csv,
        _ => BlockForm::Plain,
    })
}
