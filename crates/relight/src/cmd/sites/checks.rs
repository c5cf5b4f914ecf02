//! `relight sites checks`: what sites must answer behind their gates before a fix of them counts as
//! verified.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use relight_engine::store::{BadCheck, SiteCheck, SiteChecks};
use relight_model::GateKey;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::Report;

/// Who changes the register from the command line.
const ACTOR: &str = "relight sites checks";

/// Largest file of checks, in bytes: the longest lists of 1,000 sites, or short ones of all.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Most bad lines of a file that are told.
const TOLD_MAX: usize = 20;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").args(["set", "none", "file"])))]
pub(super) struct Checks {
    #[arg(value_name = "SITE", conflicts_with = "file")]
    site: Option<String>,
    #[arg(long, value_name = "CHECK", requires = "site")]
    set: Vec<String>,
    #[arg(long, requires = "site")]
    none: bool,
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document {
    sites: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    site: String,
    list: String,
    checks: Vec<String>,
}

/// The checks of one site, as documents and lines show them.
pub(super) fn texts_of(checks: &SiteChecks) -> Vec<String> {
    checks.all().iter().map(SiteCheck::to_string).collect()
}

impl Checks {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let site = self.site.as_deref().map(|site| inventory::site(context, site)).transpose()?;
        let store = context.existing_store()?;
        let changed = match (&self.file, &site) {
            (Some(file), _) => Some(lists_of(file, context)?),
            (None, Some(site)) if self.none || !self.set.is_empty() => {
                let told = |BadCheck(code)| bad(lang, code, &self.set.join(" | "));
                let checks = self.set.iter().map(|text| SiteCheck::parse(text));
                let checks = checks.collect::<Result<_, _>>().and_then(SiteChecks::new);
                Some(BTreeMap::from([(site.clone(), checks.map_err(told)?)]))
            }
            _ => None,
        };
        if let Some(lists) = &changed {
            let known = store.sites().map_err(|error| context.store_failure(&error))?;
            let known: BTreeSet<&GateKey> = known.iter().map(|site| &site.slug).collect();
            if let Some(nobody) = lists.keys().find(|site| !known.contains(site)) {
                return Err(inventory::unknown_site(lang, nobody.as_str()));
            }
            let set = store.set_checks(lists, context.now(), ACTOR);
            set.map_err(|error| context.store_failure(&error))?;
        }
        let mut all = store.checks().map_err(|error| context.store_failure(&error))?;
        if let Some(site) = &site {
            let list = all.remove(site).unwrap_or_default();
            all = BTreeMap::from([(site.clone(), list)]);
        } else if let Some(lists) = &changed {
            all.retain(|site, _| lists.contains_key(site));
        }
        tell(&all, context, report);
        Ok(())
    }
}

fn tell(all: &BTreeMap<GateKey, SiteChecks>, context: &Context, report: &mut Report) {
    let lang = context.lang;
    if context.json {
        let row = |(site, list): (&GateKey, &SiteChecks)| Row {
            site: site.to_string(),
            list: list.digest().to_string(),
            checks: texts_of(list),
        };
        report.document("relight.checks/1", &Document { sites: all.iter().map(row).collect() });
        return;
    }
    for (site, list) in all {
        for check in texts_of(list) {
            report.line(&format!("{site}  {check}"));
        }
    }
    let with_some = all.values().filter(|list| !list.all().is_empty()).count();
    let checks: usize = all.values().map(|list| list.all().len()).sum();
    report.line(&texts::checks_told(lang, checks, with_some));
}

/// The lists of a file: a line names a site and one of its checks. A bad line costs the whole file:
/// a list of which a part is missing asks too little.
fn lists_of(file: &Path, context: &Context) -> Result<BTreeMap<GateKey, SiteChecks>, Failure> {
    let lang = context.lang;
    let bytes = context.read_file(file, FILE_BYTES_MAX)?;
    let (mut lists, mut wrong) = (BTreeMap::<GateKey, Vec<SiteCheck>>::new(), Vec::new());
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        match line_of(line) {
            Ok(Some((site, check))) => lists.entry(site).or_default().push(check),
            Ok(None) => {}
            Err(code) => wrong.push((number, code)),
        }
    }
    let mut all = BTreeMap::new();
    for (site, checks) in lists {
        let told = |BadCheck(code)| bad(lang, code, site.as_str());
        let list = SiteChecks::new(checks).map_err(told)?;
        all.insert(site, list);
    }
    let Some(&(_, first)) = wrong.first() else { return Ok(all) };
    let mut failure = bad(lang, first, &file.display().to_string());
    let below = wrong.iter().take(TOLD_MAX).map(|(number, code): &(usize, _)| {
        let why = texts::by_code(lang, code).unwrap_or(code);
        format!("  {}", texts::labelled(lang, &number.to_string(), why))
    });
    failure.below = below.collect();
    Err(failure)
}

/// What one line says; nothing where it is empty or a remark.
fn line_of(line: &[u8]) -> Result<Option<(GateKey, SiteCheck)>, &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "check-utf8")?.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let (site, check) = text.split_once(char::is_whitespace).ok_or("check-arrow")?;
    let site = GateKey::new(site).map_err(|_| "check-site")?;
    let check = SiteCheck::parse(check).map_err(|BadCheck(code)| code)?;
    Ok(Some((site, check)))
}

fn bad(lang: Lang, code: &str, what: &str) -> Failure {
    let why = texts::by_code(lang, code).unwrap_or(code);
    Failure::usage(texts::labelled(lang, what, why)).hint(texts::check_remedy(lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_site_and_one_of_its_checks() {
        for (line, understood) in [
            (&b""[..], Ok(None)),
            (b"  # HEAD / -> 200", Ok(None)),
            (b"san-001 / -> 200\r", Ok(Some(("san-001", "GET / -> 200")))),
            (b"san-001\tHEAD /a -> 204", Ok(Some(("san-001", "HEAD /a -> 204")))),
            (b"san-001", Err("check-arrow")),
            (b"SAN / -> 200", Err("check-site")),
            (b"san-001 POST / -> 200", Err("check-request")),
            (b"san-001 / -> \xff", Err("check-utf8")),
        ] {
            let read = line_of(line).map(|read| read.map(|(a, b)| (a.to_string(), b.to_string())));
            let wanted =
                understood.map(|it| it.map(|(a, b): (&str, &str)| (a.to_owned(), b.to_owned())));
            assert_eq!(read, wanted, "{line:?}");
        }
    }
}
