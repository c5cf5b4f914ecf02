//! `relight edge holding DIR`: the page that an edge shows for a dark site, as files; and one of
//! its own for each site of the register that says how else it is reached.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use relight_engine::edge::holding_page::{self, OF_SITES};
use relight_model::{Channel, Site};
use relight_server::web::{
    HoldingPage, Lang, holding_html, holding_json, holding_languages, tells_channel, texts,
};
use serde::Serialize;

use super::{absolute, edge_failure};
use crate::cmd::public::{language_names, languages_of};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// What `Retry-After` says where an edge does not spread it itself, in seconds.
const RETRY_AFTER: u32 = 3_600;

/// In which languages the page is where nobody says: who cannot read one is told in the other.
const LANGUAGES: &str = "fr,en";

#[derive(Debug, Args)]
pub(super) struct Holding {
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[arg(long, value_name = "LANGUAGES", default_value = LANGUAGES,
          value_parser = language_names())]
    languages: String,
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
    status_url: String,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    channel_fr: String,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    channel_en: String,
}

#[derive(Serialize)]
struct HoldingDocument {
    folder: PathBuf,
    /// Size of each file, in bytes.
    html: usize,
    json: usize,
    /// Sites with a page of their own.
    sites: usize,
}

impl Holding {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let folder = absolute(&self.folder, context)?;
        let langs = languages_of(&self.languages);
        if !self.channel_en.is_empty() && !langs.contains(&Lang::En) {
            return Err(Failure::usage(texts::edge_holding_no_english(context.lang))
                .hint(texts::edge_holding_no_english_remedy(context.lang)));
        }
        let page = HoldingPage {
            langs,
            status_url: self.status_url,
            channel_fr: self.channel_fr,
            channel_en: self.channel_en,
            incident: String::new(),
            retry_after: RETRY_AFTER,
        };
        let (html, json) = write(&folder, &page, context)?;
        let sites = write_of_sites(&folder, &page, context)?;
        if context.json {
            let document = HoldingDocument { folder, html, json, sites };
            report.document("relight.holding/1", &document);
        } else {
            report.line(&texts::edge_holding_written(context.lang, &folder.display().to_string()));
            if sites > 0 {
                report.line(&texts::edge_holding_sites(context.lang, sites));
            }
        }
        Ok(())
    }
}

/// Writes the page of each site that says how else it is reached, with those words in place of the
/// words for all, and takes away those of other sites; how many have one.
fn write_of_sites(folder: &Path, all: &HoldingPage, context: &Context) -> Result<usize, Failure> {
    let Some(store) = context.store_if_any()? else { return Ok(0) };
    let sites = store.sites().map_err(|error| context.store_failure(&error))?;
    let page = |site: &Site| {
        let [fr, en] = [(&site.channel.fr, &all.channel_fr), (&site.channel.en, &all.channel_en)]
            .map(|(own, of_all)| if own.is_empty() { of_all } else { own }.clone());
        let page = HoldingPage { channel_fr: fr, channel_en: en, ..all.clone() };
        (site.slug.clone(), (holding_html(&page), holding_json(&page)))
    };
    let pages: BTreeMap<_, _> = sites.iter().filter(|site| has_words(site)).map(page).collect();
    holding_page::write_of(folder, &pages).map_err(|error| edge_failure(&error, context))?;
    Ok(pages.len())
}

/// Whether the register says how else a site is reached.
fn has_words(site: &Site) -> bool {
    !site.channel.fr.is_empty() || !site.channel.en.is_empty()
}

/// How many of these sites have a page in `folder` that says otherwise than the register how else
/// they are reached, or none although it says so. None at all where there is no page for all.
pub(super) fn outdated<'a>(folder: &Path, sites: impl Iterator<Item = &'a Site>) -> usize {
    let all = match fs::read(folder.join("hold.html")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return 0,
        read => read.unwrap_or_default(),
    };
    let all = String::from_utf8_lossy(&all);
    let differs = |site: &&Site| {
        let file = folder.join(OF_SITES).join(format!("{}.html", site.slug));
        let Channel { fr, en } = &site.channel;
        match fs::read_to_string(file) {
            Ok(html) => !has_words(site) || !tells_channel(&html, &all, [fr, en]),
            Err(_) => has_words(site),
        }
    };
    sites.filter(differs).count()
}

/// The command that writes the page of a folder again, in the languages that it is in.
pub(crate) fn command_for(folder: &Path) -> String {
    let html = fs::read(folder.join("hold.html")).unwrap_or_default();
    let list = listed(&holding_languages(&String::from_utf8_lossy(&html)));
    let command = format!("relight edge holding {}", folder.display());
    if list.is_empty() || list == LANGUAGES {
        command
    } else {
        format!("{command} --languages {list}")
    }
}

/// A list of languages as an option takes it.
fn listed(langs: &[Lang]) -> String {
    langs.iter().map(|lang| lang.tag()).collect::<Vec<_>>().join(",")
}

/// Makes the page of an edge ready that serves it itself, in the languages that were asked for. One
/// that is there already stays: its words are the operator's. One that says nothing but what it
/// says by itself is in the languages that are asked for, and is followed by the pages of sites.
pub(super) fn prepare(
    folder: &Path,
    asked: Option<&str>,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let file = folder.join("hold.html");
    let found = file.exists().then(|| fs::read(&file).unwrap_or_default());
    let found = found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let langs = found.as_deref().map(holding_languages).unwrap_or_default();
    let by_itself =
        |langs| HoldingPage { langs, retry_after: RETRY_AFTER, ..HoldingPage::default() };
    let asked = asked.map(languages_of);
    if found.as_ref().is_some_and(|html| *html != holding_html(&by_itself(langs.clone()))) {
        // Of one that was written by hand it is not known.
        if let Some(asked) = asked.filter(|asked| !langs.is_empty() && *asked != langs) {
            let next =
                format!("relight edge holding {} --languages {}", folder.display(), listed(&asked));
            report.note(&texts::edge_holding_other_languages(context.lang, &next));
        }
        return Ok(());
    }
    let page = by_itself(asked.unwrap_or(langs));
    if found.is_none_or(|html| html != holding_html(&page)) {
        write(folder, &page, context)?;
    }
    // What fails is told with the pages that are not as they should be, and keeps nobody from
    // reaching the sites.
    let _ = write_of_sites(folder, &page, context);
    Ok(())
}

/// Writes both forms of a page; gives their sizes, in bytes.
fn write(folder: &Path, page: &HoldingPage, context: &Context) -> Result<(usize, usize), Failure> {
    let (html, json) = (holding_html(page), holding_json(page));
    holding_page::write(folder, html.as_bytes(), json.as_bytes())
        .map_err(|error| edge_failure(&error, context))?;
    Ok((html.len(), json.len()))
}
