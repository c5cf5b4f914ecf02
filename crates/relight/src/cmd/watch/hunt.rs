//! `relight watch hunt` and `relight watch erase`: what is kept about a door, an address or a host,
//! and taking an address out of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use clap::Args;
use relight_engine::watch::{Hit, Prey};
use relight_engine::{Erasure, ErasureLeft, HITS_MAX, Hunted, erase_source, hunt_all};
use relight_model::{OrgId, SiteId};
use relight_server::web::number::{date, rfc3339};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use super::{class_words, notes};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

/// Days that are looked at when nobody says since when.
const DAYS: u32 = 400;

/// Contacts that are shown as text; `--json` has up to [`HITS_MAX`].
const SHOWN_MAX: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Hunt {
    #[arg(value_name = "WHAT")]
    what: String,
    #[arg(long, value_name = "N", default_value_t = DAYS)]
    days: u32,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    purpose: String,
}

#[derive(Debug, Args)]
pub(super) struct Erase {
    #[arg(value_name = "ADDRESS")]
    address: IpAddr,
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Serialize)]
struct HuntDocument<'a> {
    what: &'a str,
    total: usize,
    contacts: Vec<ContactRow<'a>>,
    answered: Vec<AnsweredRow<'a>>,
    covered: Vec<CoveredRow<'a>>,
    full_windows: usize,
    unread_lines: u64,
    /// Everything of that time was looked through.
    whole: bool,
}

#[derive(Serialize)]
struct ContactRow<'a> {
    first: String,
    last: String,
    organisation: &'a str,
    site: Option<&'a str>,
    source: String,
    class: &'static str,
    status: u16,
    text: &'a str,
}

#[derive(Serialize)]
struct AnsweredRow<'a> {
    organisation: &'a str,
    site: Option<&'a str>,
    first: Option<String>,
    last: Option<String>,
    unknown: bool,
}

#[derive(Serialize)]
struct CoveredRow<'a> {
    organisation: &'a str,
    days: Vec<[String; 2]>,
    /// Sites of it that sent logs of other days, or none.
    sites_fewer: usize,
}

#[derive(Serialize)]
struct EraseDocument {
    contacts: usize,
}

/// What numbers are called.
struct Names {
    organisations: BTreeMap<OrgId, String>,
    sites: BTreeMap<SiteId, String>,
    /// The sites of each organisation.
    own: BTreeMap<OrgId, Vec<SiteId>>,
}

impl Hunt {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let prey = Prey::parse(&self.what).ok_or_else(|| {
            Failure::usage(texts::hunt_nothing(lang, &self.what))
                .hint(texts::hunt_nothing_remedy(lang))
        })?;
        let store = context.existing_store()?;
        let since = context.now() - i64::from(self.days) * 86_400;
        // Notes are only ever added to: an address in one could not be erased.
        let told = if matches!(prey, Prey::Source(_)) { "address" } else { self.what.as_str() };
        let what = format!("{told} {}", self.purpose);
        notes::note(&store, "hunt", what.trim_end(), context)?;
        let hunted = hunt_all(&store, &prey, since);
        let hunted = hunted.map_err(|error| Failure::engine(lang, &error))?;
        let failed = |error| context.store_failure(&error);
        let organisations = store.organisations().map_err(failed)?.into_iter();
        let sites = store.sites().map_err(failed)?;
        let mut own: BTreeMap<OrgId, Vec<SiteId>> = BTreeMap::new();
        sites.iter().for_each(|site| own.entry(site.org).or_default().push(site.id));
        let sites = sites.into_iter().map(|site| (site.id, site.slug.to_string())).collect();
        let organisations = organisations.map(|org| (org.id, org.name)).collect();
        let names = Names { organisations, sites, own };
        // On a day without logs a site was perhaps tried too: that is unknown, not "none".
        let span = (since.div_euclid(86_400), context.now().div_euclid(86_400));
        let mut orgs = names.organisations.keys();
        let is_covered = orgs.all(|org| hunted.is_covered(*org, names.own(*org), span));
        let is_whole = is_covered && !hunted.is_unsure();
        if !is_whole {
            report.raise(Exit::Incomplete);
        }
        if context.json {
            report.document("relight.hunt/1", &names.document(&self.what, &hunted, is_whole));
        } else {
            names.tell(&hunted, context, report);
        }
        Ok(())
    }
}

impl Names {
    fn own(&self, id: OrgId) -> &[SiteId] {
        self.own.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    fn organisation(&self, id: OrgId) -> &str {
        self.organisations.get(&id).map_or("", String::as_str)
    }

    fn document<'a>(&'a self, what: &'a str, hunted: &'a Hunted, whole: bool) -> HuntDocument<'a> {
        let row = |hit: &'a Hit| ContactRow {
            first: rfc3339(hit.first),
            last: rfc3339(hit.last),
            organisation: self.organisation(hit.org),
            site: hit.site.and_then(|site| self.sites.get(&site)).map(String::as_str),
            source: source(hit.source),
            class: hit.class,
            status: hit.status,
            text: &hit.text,
        };
        let covered = self.organisations.iter().map(|(org, name)| {
            let stretches = hunted.covered.get(org).into_iter().flatten();
            let days = stretches.map(|(from, to)| [date(*from), date(*to)]).collect();
            CoveredRow { organisation: name, days, sites_fewer: self.fewer(hunted, *org) }
        });
        let contacts = hunted.hits.iter().map(row).collect();
        let answered = hunted.answered.iter().map(|((org, site), it)| AnsweredRow {
            organisation: self.organisation(*org),
            site: site.and_then(|site| self.sites.get(&site)).map(String::as_str),
            first: it.days.map(|(first, _)| date(first)),
            last: it.days.map(|(_, last)| date(last)),
            unknown: it.is_unknown,
        });
        let (answered, covered) = (answered.collect(), covered.collect());
        HuntDocument {
            what,
            total: hunted.total,
            contacts,
            answered,
            covered,
            full_windows: hunted.full_windows,
            unread_lines: hunted.unread_lines,
            whole,
        }
    }

    /// How many sites of an organisation sent logs of other days than it did as a whole.
    fn fewer(&self, hunted: &Hunted, org: OrgId) -> usize {
        let of_org = hunted.covered.get(&org).map(Vec::as_slice).unwrap_or_default();
        let of = |site: &SiteId| hunted.covered_sites.get(site).map(Vec::as_slice);
        let fewer = |site: &&SiteId| of(site).unwrap_or_default() != of_org;
        self.own(org).iter().filter(fewer).count()
    }

    /// Where the path opened to ordinary visitors: whoever has it today should look at it.
    fn tell_answered(&self, hunted: &Hunted, context: &Context, report: &mut Report) {
        let mut unknown = 0;
        for ((org, site), it) in &hunted.answered {
            let site = site.and_then(|site| self.sites.get(&site));
            let place = site.map_or_else(|| self.organisation(*org), String::as_str);
            if let Some((first, last)) = it.days {
                let text = texts::hunt_answered(context.lang, &date(first), &date(last), place);
                report.line(&text);
            }
            unknown += usize::from(it.is_unknown);
        }
        if unknown > 0 {
            report.line(&texts::hunt_answered_unknown(context.lang, unknown));
        }
    }

    fn tell(&self, hunted: &Hunted, context: &Context, report: &mut Report) {
        let lang = context.lang;
        for hit in hunted.hits.iter().take(SHOWN_MAX) {
            let site = hit.site.and_then(|site| self.sites.get(&site));
            let place = site.map_or_else(|| self.organisation(hit.org), String::as_str);
            let (first, who) = (rfc3339(hit.first), source(hit.source));
            let class = class_words(lang, hit.class);
            report.line(&format!("{first}  {who}  {place}  {class}  {} {}", hit.status, hit.text));
        }
        let more = hunted.total.saturating_sub(SHOWN_MAX);
        if more > 0 {
            report.line(&texts::hunt_more(lang, HITS_MAX, more));
        }
        report.line(&texts::hunt_found(lang, hunted.total));
        if hunted.full_windows > 0 {
            report.line(&texts::hunt_full(lang, hunted.full_windows));
        }
        if hunted.unread_lines > 0 {
            report.line(&texts::hunt_unread(lang, hunted.unread_lines));
        }
        self.tell_answered(hunted, context, report);
        for (org, name) in &self.organisations {
            let stretches = hunted.covered.get(org).map(Vec::as_slice).unwrap_or_default();
            let text = match (stretches.first(), stretches.last()) {
                (Some((from, _)), Some((_, to))) => {
                    texts::hunt_covered(lang, &date(*from), stretches.len() - 1, &date(*to))
                }
                _ => texts::hunt_not_covered(lang).to_owned(),
            };
            report.line(&format!("  {}", texts::labelled(lang, name, &text)));
            let fewer = self.fewer(hunted, *org);
            if fewer > 0 {
                report.line(&format!("    {}", texts::hunt_fewer(lang, fewer)));
            }
        }
    }
}

/// One of version 6 is kept as its /64.
fn source(address: IpAddr) -> String {
    if address.is_ipv4() { address.to_string() } else { format!("{address}/64") }
}

impl Erase {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        // Notes say that and why, not whom: a note with the address would keep it. The first one
        // is there also when the erasure stops half way.
        notes::note(&store, "erase", &format!("begun: {}", self.reason), context)?;
        let erased = erase_source(&store, self.address, context.now());
        let Erasure { contacts, left } = erased.map_err(|error| Failure::engine(lang, &error))?;
        let files = if left.is_some() { ", free pages not yet overwritten" } else { "" };
        let note = format!("{contacts} contacts{files}: {}", self.reason);
        notes::note(&store, "erase", &note, context)?;
        if context.json {
            report.document("relight.erase/1", &EraseDocument { contacts });
        } else {
            report.line(&texts::erased(lang, contacts));
        }
        left.map_or(Ok(()), |left| Err(not_yet(lang, left)))
    }
}

/// Free pages of the register may still hold what was erased.
fn not_yet(lang: Lang, left: ErasureLeft) -> Failure {
    let remedy = match left {
        ErasureLeft::Controlled => texts::erase_left_controlled(lang).to_owned(),
        ErasureLeft::Incident => texts::erase_left_incident(lang).to_owned(),
        ErasureLeft::NoRoom(bytes) => texts::erase_left_no_room(lang, bytes.div_ceil(1 << 20)),
    };
    Failure::new(texts::erase_left(lang)).hint(remedy)
}
