//! `relight affected WHAT`: which sites have it, which certainly do not, which nobody can tell
//! about. The shortest path through the inventory: question, register, answer.

pub(crate) mod alike;
mod document;
mod named;
mod remote;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use relight_engine::answer::{AnswerSet, SiteAnswer};
use relight_engine::matching::{Group, Question};
use relight_engine::signals::Attempts;
use relight_model::{Answer, Site, SiteExposure, UnknownReason, Verdict};
use relight_server::web::number::{percent, rfc3339, tenths};
use relight_server::web::{Lang, texts, words};

use self::document::{Document, Item, Total};
use crate::cmd::advisories;
use crate::cmd::incident::remote::Remote;
use crate::context::Context;
use crate::failure::Failure;
use crate::localise::one_of;
use crate::priority::{self, PriorityRow, Ranked, Ranking, Told as _};
use crate::register::{self, INVENTORY_AGE_MAX_S, Register};
use crate::report::{Exit, Report, Style};
use crate::table::{Align, Table};

/// Groups shown when nobody asked for a grouping.
const GROUPS_SHOWN_MAX: usize = 10;

/// Widest bar of a share, in columns: 100 %.
const BAR_WIDTH: usize = 20;

/// What is asked, of which sites, and how the answer is shown.
#[derive(Debug, Args)]
pub(crate) struct Affected {
    #[arg(value_name = "WHAT", required_unless_present = "like", conflicts_with = "like")]
    what: Option<String>,
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "server")]
    like: Vec<PathBuf>,
    #[arg(long, value_name = "PREFIX", conflicts_with = "what")]
    part: Option<String>,
    #[arg(long, value_name = "SHARE", conflicts_with = "what", default_value = "0.5",
        value_parser = alike::share)]
    min_similarity: f64,
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    sites: String,
    #[arg(long, value_name = "KEY", conflicts_with = "like",
        value_parser = one_of(&["sector", "org", "site", "edge", "component", "none"]))]
    by: Option<String>,
    #[arg(long, conflicts_with_all = ["like", "server"])]
    cpe: bool,
    #[arg(long, value_name = "TIME", conflicts_with = "like")]
    at: Option<String>,
    #[arg(long)]
    fail: bool,
    #[arg(long)]
    paths: bool,
    #[command(flatten)]
    remote: Remote,
}

/// The answer with what is needed to tell it.
struct Told<'a> {
    register: &'a Register,
    sites: Vec<&'a Site>,
    answers: AnswerSet,
    /// The CPE names by which sites are affected.
    named: named::Named,
    /// In which order the sites come, for the flaw that was asked about.
    order: Option<Order<'a>>,
    lang: Lang,
}

/// What decides which site comes first.
struct Order<'a> {
    group: &'a Group,
    ranking: Ranking,
    attempts: Attempts,
}

impl Affected {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let Some(what) = &self.what else { return alike::run(&self, context, report) };
        let question = register::question(what, lang)?;
        if let Some(server) = &self.remote.server {
            return self.ask(server, what, context, report);
        }
        let asked = register::ids_asked(&question, &self.sites);
        let mut register = Register::open_for(context, &asked)?;
        if let Some(at) = &self.at {
            register.go_back(at, context)?;
        }
        let group = match &question {
            Question::Advisory(id) => Some(
                register
                    .advisories
                    .group(id)
                    .ok_or_else(|| register::unknown_advisory(id, lang))?,
            ),
            Question::Package(_) => None,
        };
        let sites = register.select(&self.sites, Some(&question), INVENTORY_AGE_MAX_S, lang)?;
        let ids = sites.iter().map(|site| site.id);
        let mut answers = register.ask(&question, ids, INVENTORY_AGE_MAX_S);
        let named = match group.filter(|_| self.cpe) {
            Some(group) => named::lay(group, &register, (&sites, &mut answers), context)?,
            None => named::Named::new(),
        };
        let order = group.map(|group| Order::read(group, &register, context)).transpose()?;
        let told = Told { register: &register, sites, answers, named, order, lang };
        if context.json {
            report.document("relight.answer/1", &told.document(what, context)?);
        } else {
            self.text(&told, context, report)?;
        }
        self.raise(|verdict| told.answers.count(verdict), report);
        Ok(())
    }

    /// What the status says.
    fn raise(&self, count: impl Fn(Verdict) -> usize, report: &mut Report) {
        if count(Verdict::Unknown) > 0 {
            report.raise(Exit::Incomplete);
        }
        if self.fail && count(Verdict::Affected) > 0 {
            report.raise(Exit::Threshold);
        }
    }

    fn text(&self, told: &Told<'_>, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = told.lang;
        let group = told.order.as_ref().map(|order| order.group);
        if let Some(group) = group {
            let title = report.paint(Style::Strong, &group.id);
            report.line(&format!("{title}  {}", group.summary()));
            report.line(&facts(group, told.first().as_ref(), lang));
            advisories::tell_expired(group, lang, report);
            advisories::tell_disabled(&told.register.advisories, group, lang, report);
        }
        let count = |verdict| told.answers.count(verdict);
        let (affected, clear) = (count(Verdict::Affected), count(Verdict::Clear));
        let unknown = count(Verdict::Unknown);
        let total = told.sites.len();
        report.line(&texts::affected_summary(lang, affected, clear, total, unknown));
        told.breakdown(self.by.as_deref(), report);
        for (reason, count) in told.answers.first_reasons() {
            let why = words::reason(lang, reason);
            report.line(&format!(" ? {}", texts::labelled(lang, why, &number(lang, count))));
        }
        if self.paths {
            told.paths(context, report)?;
        }
        if affected > 0
            && let Some(group) = group
        {
            report.next(&format!("relight incident open {}", group.id));
        }
        if unknown > 0 {
            report.hint(&texts::exit_unknown_remedy(lang, unknown));
        }
        Ok(())
    }
}

impl<'a> Order<'a> {
    fn read(group: &'a Group, register: &Register, context: &Context) -> Result<Self, Failure> {
        let ranking = priority::ranking(Some(&register.store), context)?;
        let attempts = Attempts::read(&register.store, group, &register.sites, context.now());
        let attempts = attempts.map_err(|error| context.store_failure(&error))?;
        Ok(Self { group, ranking, attempts })
    }

    fn at(&self, site: &Site) -> Ranked {
        self.ranking.at(self.group, site, &self.attempts)
    }
}

/// `CVSS 10.0 · KEV · SSVC act · affects … · fixed in …`, as far as it is known.
fn facts(group: &Group, ranked: Option<&Ranked>, lang: Lang) -> String {
    let mut facts = Vec::new();
    match group.score() {
        Some(score) => facts.push(format!("CVSS {}", tenths(lang, u64::from(score)))),
        None => facts.push(texts::not_scored(lang).to_owned()),
    }
    facts.extend(ranked.into_iter().flat_map(|it| it.facts(lang)));
    let (affects, fixed) = advisories::ranges(group);
    if !affects.is_empty() {
        facts.push(texts::affects_versions(lang, &affects.join(", ")));
    }
    if !fixed.is_empty() {
        facts.push(texts::fixed_in(lang, &fixed.join(", ")));
    }
    facts.join(" · ")
}

impl Told<'_> {
    /// The priority of the flaw at the affected site that comes first; without one, where it would
    /// be worst.
    fn first(&self) -> Option<Ranked> {
        let order = self.order.as_ref()?;
        let affected =
            self.pairs().filter(|(_, answer)| answer.answer.verdict() == Verdict::Affected);
        let sites = affected.map(|(site, _)| site);
        Some(order.ranking.first(order.group, sites, &order.attempts))
    }

    /// Attempts at the flaw were seen against the site, and against its body.
    fn tried(&self, site: &Site) -> (bool, bool) {
        self.order.as_ref().map_or((false, false), |order| order.attempts.against(site))
    }

    fn pairs(&self) -> impl Iterator<Item = (&Site, &SiteAnswer)> {
        self.sites.iter().copied().zip(&self.answers.sites)
    }

    fn document(&self, query: &str, context: &Context) -> Result<Document, Failure> {
        let failed = |error| context.store_failure(&error);
        let store = &self.register.store;
        let updated = store.meta_get(advisories::UPDATED_KEY).map_err(failed)?;
        let mut items = Vec::with_capacity(self.sites.len());
        for (site, answer) in self.pairs() {
            items.push(Item {
                site: site.slug.to_string(),
                verdict: answer.answer.verdict().as_str().into(),
                reasons: reasons_of(answer).map(|reason| reason.as_str().into()).collect(),
                evidence: self.evidence(answer, context)?,
                exposure: site.exposure.as_str().into(),
                priority: self.priority(site, answer.answer.verdict()),
            });
        }
        let count = |verdict| self.answers.count(verdict);
        let reasons = self.answers.first_reasons().into_iter();
        Ok(Document {
            query: query.to_owned(),
            at: rfc3339(self.answers.at),
            seq: store.plan_import(&[]).map_err(failed)?.base,
            advisories_at: updated.and_then(|text| text.parse().ok()).map(rfc3339),
            priority: self.first().as_ref().map(Ranked::row),
            sources_disabled: self.sources_disabled(),
            part: false,
            total: Total {
                affected: count(Verdict::Affected),
                clear: count(Verdict::Clear),
                unknown: count(Verdict::Unknown),
            },
            reasons: reasons.map(|(reason, count)| (reason.as_str().into(), count)).collect(),
            items,
        })
    }

    fn sources_disabled(&self) -> BTreeSet<String> {
        let group = self.order.as_ref().map(|order| order.group);
        let of = |group| advisories::sources_disabled(&self.register.advisories, group);
        group.into_iter().flat_map(of).map(str::to_owned).collect()
    }

    fn priority(&self, site: &Site, verdict: Verdict) -> Option<PriorityRow> {
        let order = self.order.as_ref().filter(|_| verdict != Verdict::Clear)?;
        Some(order.at(site).row())
    }

    /// Where it was found on a site.
    fn evidence(&self, answer: &SiteAnswer, context: &Context) -> Result<Vec<String>, Failure> {
        let mut paths = answer.places.clone();
        for found in &answer.found {
            let index = &self.register.index;
            let found = index.evidence(&self.register.store, found.identity, found.asset);
            paths.extend(found.map_err(|error| context.store_failure(&error))?);
        }
        paths.extend(self.named.get(&answer.site).into_iter().flatten().cloned());
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn breakdown(&self, by: Option<&str>, report: &mut Report) {
        match by {
            Some("site") => self.by_site(|verdict| verdict != Verdict::Clear, report),
            Some("none") => self.by_site(|_| true, report),
            by => self.by_group(by, report),
        }
    }

    /// One line a site.
    fn by_site(&self, shown: impl Fn(Verdict) -> bool, report: &mut Report) {
        let lang = self.lang;
        // Where most depends on it first, then who can be reached, then who was tried; two runs
        // compare equal.
        let mut rows: Vec<_> = self.pairs().filter(|(_, a)| shown(a.answer.verdict())).collect();
        rows.sort_by_key(|(site, answer)| {
            let exposure = Reverse((site.exposure.rank(), self.tried(site)));
            (place(answer.answer.verdict()), site.criticality.number(), exposure, &site.slug)
        });
        // Where nobody said who can reach what, a column of that says nothing.
        let is_said =
            |(site, _): &(&Site, _)| site.exposure != SiteExposure::Unknown || self.tried(site).0;
        let is_told = rows.iter().any(is_said);
        let mut heads = vec![texts::column_site(lang), texts::column_verdict(lang)];
        heads.extend(is_told.then(|| texts::column_exposure(lang)));
        heads.push(texts::column_reason(lang));
        let columns: Vec<_> = heads.into_iter().map(|head| (head, Align::Left)).collect();
        let mut table = Table::new(&columns);
        for (site, answer) in rows {
            let why: Vec<&str> = match answer.answer {
                Answer::Affected => self.components(answer),
                _ => answer.reasons.iter().map(|reason| words::reason(lang, *reason)).collect(),
            };
            let verdict = words::verdict(lang, answer.answer.verdict()).to_owned();
            let mut cells = vec![site.slug.to_string(), verdict];
            cells.extend(is_told.then(|| self.exposure(site)));
            cells.push(why.join(", "));
            table.row(cells);
        }
        table.print(report);
    }

    /// Who can reach a site, and whether somebody tried.
    fn exposure(&self, site: &Site) -> String {
        let exposure = words::exposure(self.lang, site.exposure);
        match self.tried(site) {
            (true, _) => texts::exposure_probed(self.lang, exposure),
            _ => exposure.to_owned(),
        }
    }

    /// `name version` of what certainly is affected on a site.
    fn components<'b>(&'b self, answer: &'b SiteAnswer) -> Vec<&'b str> {
        let certain = answer.found.iter().filter(|found| found.state.is_affected());
        let mut names: Vec<&str> = certain
            .filter_map(|found| self.register.index.identity(found.identity))
            .map(|component| component.purl.name.as_str())
            .collect();
        names.extend(self.named.get(&answer.site).into_iter().flatten().map(String::as_str));
        names.extend(answer.places.iter().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The groups that a site belongs to; a site is in several only by component.
    fn groups(&self, by: &str, site: &Site, answer: &SiteAnswer) -> Vec<String> {
        match by {
            "org" => vec![self.register.organisation(site).to_owned()],
            "edge" => vec![site.edge.clone()],
            "component" => {
                let index = &self.register.index;
                let found = answer.found.iter().filter_map(|found| index.identity(found.identity));
                let mut names: Vec<String> = found
                    .map(|c| format!("{} {}", c.purl.name, c.purl.version).trim().to_owned())
                    .collect();
                names.sort();
                names.dedup();
                names
            }
            _ => vec![words::sector(self.lang, self.register.sector(site)).to_owned()],
        }
    }

    fn by_group(&self, by: Option<&str>, report: &mut Report) {
        let lang = self.lang;
        let key = by.unwrap_or("sector");
        let mut groups: BTreeMap<String, [usize; 3]> = BTreeMap::new();
        for (site, answer) in self.pairs() {
            let verdict = answer.answer.verdict();
            for name in self.groups(key, site, answer) {
                let [affected, unknown, sites] = groups.entry(name).or_default();
                *affected += usize::from(verdict == Verdict::Affected);
                *unknown += usize::from(verdict == Verdict::Unknown);
                *sites += 1;
            }
        }
        let mut rows: Vec<(String, [usize; 3])> = groups
            .into_iter()
            .filter(|(_, [affected, unknown, _])| affected + unknown > 0)
            .collect();
        // Most affected first, then most unknown, then by name: two runs compare equal.
        rows.sort_by(|(a, [x, u, _]), (b, [y, v, _])| (y, v, a).cmp(&(x, u, b)));
        let shown = if by.is_some() { rows.len() } else { GROUPS_SHOWN_MAX };
        let name = texts::by_code(lang, &format!("column-{key}")).unwrap_or(key);
        let mut table = Table::new(&[
            (name, Align::Left),
            (texts::column_affected(lang), Align::Right),
            (texts::column_unknown(lang), Align::Right),
            (texts::column_sites(lang), Align::Right),
            (texts::column_share(lang), Align::Left),
        ]);
        for (name, [affected, unknown, sites]) in rows.iter().take(shown) {
            let bar = "█".repeat(affected * BAR_WIDTH / sites.max(&1));
            let share = percent(lang, *affected as u64, *sites as u64);
            table.row(vec![
                if name.is_empty() { "-".to_owned() } else { name.clone() },
                number(lang, *affected),
                number(lang, *unknown),
                number(lang, *sites),
                format!("{bar} {share}").trim().to_owned(),
            ]);
        }
        table.print(report);
        if rows.len() > shown {
            report.line(&texts::and_more_sectors(lang, rows.len() - shown));
        }
    }

    fn paths(&self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        for (site, answer) in self.pairs() {
            for path in self.evidence(answer, context)? {
                report.line(&format!(" ◆ {}  {path}", site.slug));
            }
        }
        Ok(())
    }
}

/// What needs somebody comes first.
const fn place(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Affected => 0,
        Verdict::Unknown => 1,
        Verdict::Clear => 2,
    }
}

fn reasons_of(answer: &SiteAnswer) -> impl Iterator<Item = &UnknownReason> {
    let told = !matches!(answer.answer, Answer::Clear(_));
    answer.reasons.iter().filter(move |_| told)
}

fn number(lang: Lang, count: usize) -> String {
    relight_server::web::Number::from(count).text(lang)
}
