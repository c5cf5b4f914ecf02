//! `relight watch share` and `relight watch pool`: what members give each other, and what they see
//! together. Addresses stay with whoever collected them.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use clap::Args;
use relight_engine::store::{Store, WINDOW_BYTES_MAX};
use relight_engine::watch::{Home, KEY_BYTES, Sharing, Window, campaigns, judge, quarter};
use relight_model::Campaign;
use relight_server::web::number::rfc3339;
use relight_server::web::{texts, words};
use serde::Serialize;

use super::notes;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

/// How the first line of a shared file begins; member and quarter follow.
const HEAD: &str = "relight-share/1";

/// Largest file of keys, in bytes.
const KEYS_BYTES_MAX: u64 = 64 << 10;

/// Organisations without which nobody is told that a source was seen elsewhere.
const ORGANISATIONS_MIN: usize = 3;

#[derive(Debug, Args)]
pub(super) struct Share {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[arg(long, value_name = "NAME")]
    member: String,
}

#[derive(Debug, Args)]
pub(super) struct Pool {
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

#[derive(Serialize)]
struct ShareDocument<'a> {
    member: &'a str,
    quarter: &'a str,
    contacts: usize,
    /// There were more than one file holds.
    partial: bool,
    file: String,
}

#[derive(Serialize)]
struct PoolDocument {
    quarter: String,
    members: usize,
    campaigns: Vec<PoolRow>,
}

#[derive(Serialize)]
struct PoolRow {
    id: String,
    severity: &'static str,
    confidence: f64,
    first: String,
    last: String,
    sources: Vec<String>,
    /// None when they are fewer than three: who reads it may know of whom it tells.
    organisations: Option<usize>,
    sites: Option<usize>,
    mine: Vec<IpAddr>,
}

/// The key of a quarter among lines `2026-Q4 HEX`.
fn key_of(path: &Path, name: &str, context: &Context) -> Result<[u8; KEY_BYTES], Failure> {
    let bytes = context.read_file(path, KEYS_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter_map(|line| line.trim().split_once(' '));
    let mut found = lines.filter(|(quarter, _)| *quarter == name);
    let key = found.next().and_then(|(_, hex)| bytes_of(hex.trim()));
    key.ok_or_else(|| {
        let place = path.display().to_string();
        Failure::new(texts::share_no_key(context.lang, &place, name))
            .hint(texts::share_no_key_remedy(context.lang, name))
    })
}

fn bytes_of(hex: &str) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    if hex.len() != 2 * KEY_BYTES || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

/// The windows of one organisation after the other.
fn each_organisation(
    store: &Store,
    context: &Context,
    mut see: impl FnMut(&[Window]),
) -> Result<(), Failure> {
    let failed = |error| context.store_failure(&error);
    for org in store.organisations().map_err(failed)? {
        let mut windows = Vec::new();
        for bytes in store.windows_of(org.id).map_err(failed)? {
            windows.push(Window::from_bytes(&bytes).map_err(|error| {
                let place = texts::window_of(context.lang, &org.name);
                Failure::new(texts::cannot_read(context.lang, &place)).because(context.lang, &error)
            })?);
        }
        see(&windows);
    }
    Ok(())
}

/// Everything that is kept here, as it is shared.
fn shared_of(store: &Store, sharing: &Sharing<'_>, context: &Context) -> Result<Window, Failure> {
    let mut shared = Window::new(0);
    each_organisation(store, context, |windows| {
        let mut home = Home::default();
        windows.iter().for_each(|window| home.add(window));
        windows.iter().for_each(|window| sharing.add(&mut shared, window, &home));
    })?;
    Ok(shared)
}

impl Share {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        let quarter = quarter(context.now());
        let key = key_of(&self.key, &quarter, context)?;
        let member = self.member.replace(char::is_whitespace, "-");
        let shared = shared_of(&store, &Sharing::new(&key, &member), context)?;
        notes::note(&store, "share", &format!("{member} {quarter}"), context)?;
        let mut bytes = format!("{HEAD} {member} {quarter}\n").into_bytes();
        bytes.extend(shared.to_bytes());
        let file = self.file.display().to_string();
        fs::write(&self.file, bytes).map_err(|error| {
            let failure = Failure::new(texts::catalogue_cannot_write(lang, &file));
            failure.because(lang, &error).hint(texts::cannot_write_remedy(lang))
        })?;
        let (contacts, partial) = (shared.stats().contacts, shared.has_no_room());
        if partial {
            report.raise(Exit::Incomplete);
        }
        if context.json {
            let (member, quarter) = (member.as_str(), quarter.as_str());
            let document = ShareDocument { member, quarter, contacts, partial, file };
            report.document("relight.share/1", &document);
        } else {
            report.line(&texts::shared(lang, contacts, &file, &quarter));
            if partial {
                report.line(texts::shared_partial(lang));
            }
        }
        Ok(())
    }
}

/// One shared file.
struct Shared {
    member: String,
    quarter: String,
    window: Window,
}

fn read_shared(path: &Path, context: &Context) -> Result<Shared, Failure> {
    let lang = context.lang;
    let bytes = context.read_file(path, WINDOW_BYTES_MAX as u64 + 1_024)?;
    let place = path.display().to_string();
    let bad = || {
        let remedy = texts::share_bad_remedy(lang);
        Failure::new(texts::share_bad(lang, &place)).hint(remedy)
    };
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(bad)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let [HEAD, member, quarter] = head.split(' ').collect::<Vec<_>>()[..] else {
        return Err(bad());
    };
    let window =
        Window::from_bytes(&bytes[end + 1..]).map_err(|error| bad().because(lang, &error))?;
    Ok(Shared { member: member.to_owned(), quarter: quarter.to_owned(), window })
}

impl Pool {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let mut members: BTreeMap<String, Window> = BTreeMap::new();
        let mut quarter = String::new();
        for path in &self.files {
            let shared = read_shared(path, context)?;
            // Pseudonyms of two quarters have nothing in common.
            if !quarter.is_empty() && shared.quarter != quarter {
                let place = path.display().to_string();
                let failure = Failure::new(texts::share_other_quarter(lang, &place, &quarter));
                return Err(failure.hint(texts::share_bad_remedy(lang)));
            }
            quarter = shared.quarter;
            // The last one of a member is its newest.
            members.insert(shared.member, shared.window);
        }
        let mut pool = Window::new(0);
        members.values().for_each(|window| pool.merge(window));
        let found = campaigns(&judge(&pool));
        let mine = self.mine(&quarter, context)?;
        let rows: Vec<PoolRow> = found.iter().map(|campaign| row(campaign, &mine)).collect();
        if context.json {
            let document = PoolDocument { quarter, members: members.len(), campaigns: rows };
            report.document("relight.pool/1", &document);
            return Ok(());
        }
        for (row, campaign) in rows.iter().zip(&found) {
            let severity = words::severity(lang, campaign.severity);
            let (sources, own) = (row.sources.len(), row.mine.len());
            let reach = match (row.organisations, row.sites) {
                (Some(organisations), Some(sites)) => {
                    texts::pool_reach(lang, organisations, own, sites, row.sources.len())
                }
                _ => texts::pool_reach_few(lang, ORGANISATIONS_MIN, sources),
            };
            report.line(&format!("{}  {severity}  {reach}", row.id));
            for address in &row.mine {
                report.line(&format!("  {address}"));
            }
        }
        report.line(&texts::campaigns_found(lang, found.len()));
        Ok(())
    }

    /// Addresses of our own by their pseudonyms; only who has the key can tell.
    fn mine(
        &self,
        quarter: &str,
        context: &Context,
    ) -> Result<BTreeMap<Ipv6Addr, IpAddr>, Failure> {
        let Some(path) = &self.key else { return Ok(BTreeMap::new()) };
        let key = key_of(path, quarter, context)?;
        let store = context.existing_store()?;
        notes::note(&store, "pool", quarter, context)?;
        let sharing = Sharing::new(&key, "");
        let mut mine = BTreeMap::new();
        each_organisation(&store, context, |windows| {
            let sources = windows.iter().flat_map(Window::sources);
            mine.extend(sources.map(|source| (sharing.pseudonym(source), source)));
        })?;
        Ok(mine)
    }
}

fn row(campaign: &Campaign, mine: &BTreeMap<Ipv6Addr, IpAddr>) -> PoolRow {
    let pseudonyms: Vec<Ipv6Addr> = campaign
        .sources
        .iter()
        .filter_map(|source| if let IpAddr::V6(it) = source { Some(*it) } else { None })
        .collect();
    let enough = campaign.organisations.len() >= ORGANISATIONS_MIN;
    let own = pseudonyms.iter().filter_map(|it| mine.get(it)).filter(|_| enough);
    PoolRow {
        id: campaign.id.clone(),
        severity: campaign.severity.as_str(),
        confidence: campaign.confidence,
        first: rfc3339(campaign.first),
        last: rfc3339(campaign.last),
        sources: pseudonyms.iter().map(|it| format!("{:032x}", u128::from(*it))).collect(),
        organisations: Some(campaign.organisations.len()).filter(|_| enough),
        sites: Some(campaign.sites.len()).filter(|_| enough),
        mine: own.copied().collect(),
    }
}
