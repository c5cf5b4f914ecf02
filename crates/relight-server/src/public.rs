//! The public page: what the last proof saw of public sites, and nothing else.
//!
//! Verdicts, intent, components, plans and people cannot get here: every file is computed from
//! [`Seen`], which holds names, proofs and their times only, and a test compares boards that
//! differ in everything else byte by byte. The page is a set of files: written to a folder that
//! any web server can serve, and served from memory by the listener of the console's process.

mod certificate;
mod data;
mod episodes;
mod feeds;
mod folder;
#[cfg(test)]
mod lived_tests;
mod pages;
mod publish;
mod serve;
mod statuspage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use relight_engine::live::{BoardSite, Outage, Proofs, Words};
use relight_model::Timestamp;
use relight_web::views::{Stage, Theme};
use relight_web::{Lang, words};

use crate::told_words::plain;

pub use self::certificate::Signer;
pub use self::folder::PublicFolder;
pub(crate) use self::publish::{Publication, Publisher};
pub(crate) use self::serve::{Source, router};

use self::certificate::Certificates;

/// How long an outage that is over is shown, in seconds: 90 days.
const HISTORY_S: i64 = 90 * 86_400;

/// One public site, and since when it is proven dark.
#[derive(Clone, Copy, Debug)]
struct Service<'a> {
    site: &'a BoardSite,
    dark_since: Option<Timestamp>,
    /// The newest outage that is over.
    past: Option<Outage>,
    /// Its certificate can be read.
    is_certified: bool,
}

impl Service<'_> {
    /// Lit: not proven dark.
    const fn is_lit(&self) -> bool {
        self.dark_since.is_none()
    }
}

/// What anybody may know of the board.
#[derive(Clone, Debug)]
struct Seen<'a> {
    /// Public sites in the board's order.
    services: Vec<Service<'a>>,
    /// Outages of public sites that are over and not older than [`HISTORY_S`].
    past: Vec<(&'a BoardSite, Outage)>,
    /// When each incident that is not closed first took a service offline.
    begun: Vec<Timestamp>,
    /// Words that people published, newest first.
    words: Vec<Words>,
}

impl<'a> Seen<'a> {
    /// The public part of a board.
    fn of(sites: &'a [BoardSite], proofs: &Proofs, now: Timestamp) -> Self {
        let recent = proofs.past.iter().filter(|outage| outage.to >= now - HISTORY_S);
        let shown = recent.filter_map(|outage| Some((sites.get(outage.site)?, *outage)));
        let past: Vec<_> = shown.filter(|(site, _)| site.public).collect();
        let newest: BTreeMap<usize, Outage> = past.iter().map(|(_, o)| (o.site, *o)).collect();
        let pairs = sites.iter().zip(&proofs.dark_since).enumerate();
        let services = pairs.filter(|(_, (site, _))| site.public).map(|(at, (site, dark))| {
            let past = newest.get(&at).copied();
            Service { site, dark_since: *dark, past, is_certified: true }
        });
        let (begun, words) = (proofs.begun.clone(), proofs.words.clone());
        Self { services: services.collect(), past, begun, words }
    }

    /// Certificates follow the page: what has none yet leads to none.
    fn link(&mut self, certificates: &Certificates) {
        for service in &mut self.services {
            service.is_certified = service.past.is_some_and(|past| certificates.has(&past));
        }
    }

    /// Those of one sector.
    fn sector(&self, code: &str) -> Self {
        let inside = self.services.iter().filter(|service| service.site.sector == code);
        let (past, words) = (Vec::new(), Vec::new());
        Self { services: inside.copied().collect(), past, begun: Vec::new(), words }
    }

    fn lit(&self) -> usize {
        self.services.iter().filter(|service| service.is_lit()).count()
    }

    fn total(&self) -> usize {
        self.services.len()
    }

    /// Codes of the sectors that have a public site, sorted by their names.
    fn sectors(&self, lang: Lang) -> Vec<&'a str> {
        let mut codes: Vec<&str> =
            self.services.iter().map(|service| service.site.sector.as_str()).collect();
        codes.dedup();
        codes.sort_by_cached_key(|code| alphabetical(words::sector(lang, code)));
        codes
    }
}

/// A key that sorts names as people look for them: accents and case do not count at first.
fn alphabetical(name: &str) -> (String, String) {
    (plain(name), name.to_owned())
}

/// How the page presents itself.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Its languages; the first is that of `/` and of names in data.
    pub(crate) langs: Vec<Lang>,
    /// Address under which visitors reach the page, ending in `/`; it is the issuer of
    /// certificates.
    pub(crate) url: String,
    /// Whether it is the real thing. A drill has no feeds and no certificates: nobody's program
    /// shall tell people of it, and nothing that is signed shall speak of it.
    pub(crate) stage: Stage,
    /// In whose colours.
    pub(crate) theme: Theme,
}

impl Identity {
    /// The first language.
    pub(crate) fn lang(&self) -> Lang {
        self.langs.first().copied().unwrap_or(Lang::Fr)
    }

    /// The other language, where the page is there in both.
    pub(crate) fn other(&self, lang: Lang) -> Option<Lang> {
        Some(lang.other()).filter(|other| self.langs.contains(other))
    }
}

/// Files by their paths.
pub(crate) type Files = BTreeMap<String, Bytes>;

/// The files of one generation, and the certificates that stand beside it.
#[derive(Debug, Default)]
pub(crate) struct Generation {
    pub(crate) pages: Files,
    /// Generations share them: of many outages there are many times as many as pages.
    pub(crate) certificates: Arc<Files>,
}

impl Generation {
    pub(crate) fn get(&self, path: &str) -> Option<&Bytes> {
        self.pages.get(path).or_else(|| self.certificates.get(path))
    }

    /// How many files it has.
    pub(crate) fn len(&self) -> usize {
        self.pages.len() + self.certificates.len()
    }
}

/// Every file of the page at one time, without certificates.
fn files(
    seen: &Seen<'_>,
    identity: &Identity,
    now: Timestamp,
) -> Result<Files, relight_web::RenderError> {
    let mut files = Files::new();
    let episodes = episodes::of(seen);
    pages::add(&mut files, seen, &episodes, identity, now)?;
    if identity.stage != Stage::Drill {
        feeds::add(&mut files, seen, &episodes, identity, now);
    }
    statuspage::add(&mut files, seen, &episodes, identity, now);
    files.insert("sites.csv".to_owned(), data::csv(seen, identity.stage, now).into());
    files.insert("services.json".to_owned(), data::services(seen, identity.stage, now).into());
    files.insert("dcat.jsonld".to_owned(), data::catalogue(identity, now).into());
    let is_public = |file| ["public.css", "rl-find.js"].contains(&file);
    for asset in relight_web::assets::ASSETS.iter().filter(|asset| is_public(asset.file)) {
        files.insert(format!("assets/{}", asset.name), Bytes::from_static(asset.text.as_bytes()));
    }
    Ok(files)
}
