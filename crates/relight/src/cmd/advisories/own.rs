//! An advisory of our own, before any CVE: declare, amend, bind, retire (ADVISORIES.md 9).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use relight_engine::matching::{
    Change, CvssVersion, OWN_PREFIX, Question, cvss_scores, package_of,
};
use relight_engine::store::{OWN_SOURCE, RawAdvisory, Store};
use relight_formats::advisory::{self, VERSIONS_MAX};
use relight_model::{Advisory, Ecosystem, Timestamp, Verdict};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;
use serde_json::{Value, json};

use self::asked::Asked;
use self::range::{Range, range};
use super::changes::Hand;
use super::cvss;
use crate::cmd::affected::alike::{self, Example, thousandths};
use crate::context::Context;
use crate::failure::Failure;
use crate::register::{INVENTORY_AGE_MAX_S, Register, unknown_advisory};
use crate::report::{Report, Style};

mod asked;
mod range;
#[cfg(test)]
mod tests;

/// The setting that names this node in ids.
const NODE_KEY: &str = "node-name";

/// Slugs shown of those that joined or left.
const SLUGS_SHOWN_MAX: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Declare {
    #[arg(long, value_name = "NAME", requires = "range",
        required_unless_present_any = ["amend", "hash", "query", "class"])]
    package: Option<String>,
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    #[arg(long, value_name = "SHA256", num_args = 1..)]
    hash: Vec<String>,
    #[arg(long, value_name = "FILE|QUESTION", num_args = 1..)]
    query: Vec<PathBuf>,
    #[arg(long, value_name = "SHARE", requires = "query", default_value = "0.5",
        value_parser = alike::share)]
    min_similarity: f64,
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[arg(long, value_name = "VECTOR")]
    cvss: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    source: Option<String>,
    #[arg(long, value_name = "NAME")]
    class: Vec<String>,
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    #[arg(long, value_name = "ID")]
    amend: Option<String>,
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Bind {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(value_name = "ID")]
    flaw: String,
}

#[derive(Debug, Args)]
pub(super) struct Retire {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Serialize)]
struct Declaration<'a> {
    id: &'a str,
    /// False for a dry run.
    published: bool,
    affected: usize,
    clear: usize,
    unknown: usize,
    /// Sites that are affected now and were not under the revision before.
    joined: Vec<&'a str>,
    left: Vec<&'a str>,
    record: &'a Value,
}

#[derive(Serialize)]
struct Changed<'a> {
    id: &'a str,
    group: &'a str,
    aliases: &'a [String],
    withdrawn: bool,
}

impl Declare {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let mut register = Register::open(context)?;
        let (id, record) = self.record(context, &register.store)?;
        self.check_source(&register, context)?;
        let raw = record.to_string();
        let read = parse(&id, &raw, context)?;
        let before = self.affected(&register);
        register.advisories.apply(vec![Change::put(read.clone())]);
        let question = Question::Advisory(id.clone());
        let sites = register.sites.iter().map(|site| site.id);
        let answers = register.ask(&question, sites, INVENTORY_AGE_MAX_S);
        let after = slugs(&register, &question);
        if self.yes {
            let verb = if self.amend.is_some() { "amend" } else { "declare" };
            store(&register.store, &read, &raw, (verb, &self.reason), context, report)?;
        }
        let told = Declaration {
            id: &id,
            published: self.yes,
            affected: answers.count(Verdict::Affected),
            clear: answers.count(Verdict::Clear),
            unknown: answers.count(Verdict::Unknown),
            joined: after.difference(&before).map(String::as_str).collect(),
            left: before.difference(&after).map(String::as_str).collect(),
            record: &record,
        };
        if context.json {
            report.document("relight.declaration/1", &told);
        } else {
            tell(&told, self.amend.is_some(), report);
        }
        Ok(())
    }

    /// Distributions number their source packages, and so do we: what is asked for by the name of
    /// a package that was built from another one would be found nowhere.
    fn check_source(&self, register: &Register, context: &Context) -> Result<(), Failure> {
        let Some(named) = &self.package else { return Ok(()) };
        let Some(package) = package(named) else { return Ok(()) };
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let (name, kind) = (text("name"), named.trim_end_matches(text("name")));
        let (ecosystem, _) = Ecosystem::with_release(text("ecosystem"));
        let held = register.index.identities_named(name).map(|(_, it)| &it.purl);
        let built: BTreeSet<String> = held
            .filter(|purl| purl.name == name && matches!(purl.kind.as_str(), "deb" | "apk"))
            .map(package_of)
            .filter(|it| it.ecosystem == ecosystem)
            .map(|it| it.name)
            .collect();
        let Some(source) = built.first().filter(|_| !built.contains(name)) else { return Ok(()) };
        let failure = Failure::usage(texts::own_binary(context.lang, name, source));
        Err(failure.hint(format!("--package {kind}{source}")))
    }

    /// Who was affected by the revision before.
    fn affected(&self, register: &Register) -> BTreeSet<String> {
        let question = self.amend.clone().map(Question::Advisory);
        question.map(|question| slugs(register, &question)).unwrap_or_default()
    }

    /// The id and the OSV record.
    fn record(&self, context: &Context, store: &Store) -> Result<(String, Value), Failure> {
        let (lang, now) = (context.lang, context.now());
        let old = match &self.amend {
            Some(id) => Some(own(store, id, context)?),
            None => None,
        };
        let id = match &old {
            Some(old) => old["id"].as_str().unwrap_or_default().to_owned(),
            None => next_id(store, context)?,
        };
        let expires = match &self.expires {
            Some(text) => Some(moment_after(now, text).ok_or_else(|| {
                Failure::usage(texts::own_expires(lang, text)).hint(texts::own_expires_remedy(lang))
            })?),
            None => None,
        };
        let entry = self.entry(old.as_ref(), lang)?;
        let mut record = old.unwrap_or_else(
            || json!({ "schema_version": "1.7.0", "id": id, "published": rfc3339(now) }),
        );
        record["modified"] = rfc3339(now).into();
        if let Some(entry) = entry {
            record["affected"] = json!([entry]);
        }
        self.exhibits(&mut record, context)?;
        if let Some(expires) = expires {
            record["database_specific"]["expires"] = rfc3339(expires).into();
        }
        self.describe(&mut record, lang)?;
        Ok((id, record))
    }

    /// What is said of the package from now on; `None` when it stays, or there is none.
    fn entry(&self, old: Option<&Value>, lang: Lang) -> Result<Option<Value>, Failure> {
        let Some(text) = &self.range else { return Ok(None) };
        let range = range(text).ok_or_else(|| {
            Failure::usage(texts::own_range(lang, text)).hint(texts::own_range_remedy(lang))
        })?;
        let known = old.map(|old| &old["affected"][0]["package"]).filter(|it| it.is_object());
        let named = self.package.as_deref().unwrap_or_default();
        let package = match known.filter(|_| self.package.is_none()) {
            Some(known) => Some(known.clone()),
            None => package(named),
        };
        let package = package.ok_or_else(|| {
            Failure::usage(texts::own_package(lang, named)).hint(texts::own_package_remedy(lang))
        })?;
        Ok(Some(self.affects(&package, &range)))
    }

    /// The files that are meant from now on; those of before stay where none are named.
    fn exhibits(&self, record: &mut Value, context: &Context) -> Result<(), Failure> {
        let lang = context.lang;
        let (mut asked, mut examples) = (Asked::default(), Vec::new());
        for text in &self.hash {
            asked.hashes.push(asked::hash(text).ok_or_else(|| {
                Failure::usage(texts::own_hash(lang, text)).hint(texts::own_hash_remedy(lang))
            })?);
        }
        let unread = |text: &str| {
            Failure::usage(texts::own_query(lang, text)).hint(texts::own_query_remedy(lang))
        };
        for value in &self.query {
            match value.to_str().filter(|text| Asked::is_one(text)) {
                Some(text) => asked.query(text).ok_or_else(|| unread(text))?,
                None => examples.push(self.example(value, context)?),
            }
        }
        for text in self.class.iter().filter(|text| !self.is_of_package(text)) {
            asked.class(text).ok_or_else(|| unread(text))?;
        }
        asked.write(record);
        if !examples.is_empty() {
            record["database_specific"]["examples"] = json!(examples);
        }
        Ok(())
    }

    /// Whether a class is one of the package that is named, without which it is mitigated; any
    /// other, and a pattern, is asked for by itself.
    fn is_of_package(&self, class: &str) -> bool {
        self.range.is_some() && !class.contains(['*', '?'])
    }

    /// What an example is made of. One that cannot be read whole would find less than was meant.
    fn example(&self, file: &Path, context: &Context) -> Result<Value, Failure> {
        let Example { file, values, complete, .. } = Example::read(file, None, context)?;
        let kind = values.compared();
        if !complete || values.of(kind).len() > VERSIONS_MAX {
            let failure = Failure::new(texts::own_example(context.lang, &file));
            return Err(failure.hint(texts::own_example_remedy(context.lang)));
        }
        let digits = |values: &[u64]| -> Vec<String> {
            values.iter().map(|value| format!("{value:016x}")).collect()
        };
        let least = thousandths(self.min_similarity).max(1);
        let name = Path::new(&file).file_name().map(|it| it.to_string_lossy());
        let mut example = json!({ "name": name.unwrap_or_default(), "least": least });
        example[kind.as_str()] = json!(digits(values.of(kind)));
        Ok(example)
    }

    /// What is said of the package.
    fn affects(&self, package: &Value, range: &Range) -> Value {
        let ranges = range.events.iter();
        let ranges: Vec<Value> =
            ranges.map(|events| json!({ "type": "ECOSYSTEM", "events": events })).collect();
        let mut entry = json!({ "package": package, "ranges": ranges, "versions": range.versions });
        if !range.exclusive.is_empty() {
            // For readers that know nothing of it the range is a little wider.
            entry["database_specific"]["exclusive_introduced"] = true.into();
            entry["database_specific"]["affected_range"] = range.exclusive.join(" || ").into();
        }
        let classes: Vec<&String> =
            self.class.iter().filter(|class| self.is_of_package(class)).collect();
        if !classes.is_empty() {
            entry["database_specific"]["classes"] = json!(classes);
        }
        entry
    }

    /// What people read, and how bad it is said to be.
    fn describe(&self, record: &mut Value, lang: Lang) -> Result<(), Failure> {
        record["summary"] = self.reason.as_str().into();
        if let Some(vector) = &self.cvss {
            let scores = cvss_scores(vector).map_err(|error| {
                Failure::usage(cvss::refusal(&error, lang)).hint(texts::cvss_remedy(lang))
            })?;
            let kind = match scores.version {
                CvssVersion::V2 => "CVSS_V2",
                CvssVersion::V30 | CvssVersion::V31 => "CVSS_V3",
                CvssVersion::V4 => "CVSS_V4",
            };
            record["severity"] = json!([{ "type": kind, "score": vector }]);
        }
        if let Some(url) = &self.source {
            record["references"] = json!([{ "type": "REPORT", "url": url }]);
        }
        Ok(())
    }
}

impl Bind {
    /// One group from now on; what only our record calls affected stays so until it is retired.
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        let mut record = own(&store, &self.id, context)?;
        let flaw = self.flaw.trim().to_uppercase();
        let lang = context.lang;
        if !flaw.starts_with("CVE-") && !flaw.starts_with("GHSA-") {
            return Err(Failure::usage(texts::own_flaw(lang, &self.flaw)));
        }
        let mut aliases: BTreeSet<String> = strings(&record["aliases"]);
        let flaw = if flaw.starts_with("CVE-") { flaw } else { self.flaw.clone() };
        aliases.insert(flaw.clone());
        record["aliases"] = json!(aliases);
        rewrite(&store, record, ("bind", &flaw), context, report)
    }
}

impl Retire {
    /// The record gives no opinion any more; nothing is relit by it.
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        let mut record = own(&store, &self.id, context)?;
        record["withdrawn"] = rfc3339(context.now()).into();
        record["database_specific"]["retired_because"] = self.reason.as_str().into();
        rewrite(&store, record, ("retire", &self.reason), context, report)
    }
}

/// Stores a changed record and tells where it stands now.
fn rewrite(
    kept: &Store,
    mut record: Value,
    act: (&str, &str),
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    record["modified"] = rfc3339(context.now()).into();
    let id = record["id"].as_str().unwrap_or_default().to_owned();
    let raw = record.to_string();
    let read = parse(&id, &raw, context)?;
    store(kept, &read, &raw, act, context, report)?;
    let known = crate::inventory::advisories(context)?;
    let group = super::find(&known, &id, context)?;
    if context.json {
        let withdrawn = read.withdrawn.is_some();
        let body = Changed { id: &id, group: &group.id, aliases: &group.aliases, withdrawn };
        report.document("relight.declaration-changed/1", &body);
    } else {
        let done = if act.0 == "bind" { texts::own_bound } else { texts::own_retired };
        let id = report.paint(Style::Strong, &id);
        report.line(&format!("{id}  {}", done(context.lang)));
        report.next(&format!("relight affected {}", group.id));
    }
    Ok(())
}

fn tell(told: &Declaration<'_>, is_amended: bool, report: &mut Report) {
    let lang = report.lang();
    let title = report.paint(Style::Strong, told.id);
    let counts = texts::own_counts(lang, told.affected, told.clear, told.unknown);
    report.line(&format!("{title}  {counts}"));
    if is_amended {
        report.line(&format!(
            "  {}",
            texts::own_joined(lang, told.joined.len(), &list(&told.joined))
        ));
        report.line(&format!("  {}", texts::own_left(lang, told.left.len(), &list(&told.left))));
    }
    if told.published {
        report.line(&format!("  {}", texts::own_published(lang)));
        report.next(&format!("relight affected {}", told.id));
    } else {
        report.line(&format!("  {}", texts::own_dry_run(lang)));
    }
}

fn list(slugs: &[&str]) -> String {
    let shown: Vec<_> = slugs.iter().take(SLUGS_SHOWN_MAX).copied().collect();
    let more = if slugs.len() > shown.len() { " …" } else { "" };
    format!("{}{more}", shown.join(" "))
}

/// The sites that are affected, by slug.
fn slugs(register: &Register, question: &Question) -> BTreeSet<String> {
    let sites = register.sites.iter().map(|site| site.id);
    let answers = register.ask(question, sites, INVENTORY_AGE_MAX_S).sites;
    let affected = register.sites.iter().zip(answers);
    let affected = affected.filter(|(_, it)| it.answer.verdict() == Verdict::Affected);
    affected.map(|(site, _)| site.slug.as_str().to_owned()).collect()
}

/// The newest revision of a record of our own, as it was written.
fn own(store: &Store, id: &str, context: &Context) -> Result<Value, Failure> {
    let all = store.advisories().map_err(|error| context.store_failure(&error))?;
    let found =
        all.into_iter().find(|it| it.source == OWN_SOURCE && it.id.eq_ignore_ascii_case(id));
    let read = found.and_then(|it| serde_json::from_slice(&it.bytes).ok());
    read.ok_or_else(|| unknown_advisory(id, context.lang))
}

/// `RLT-<node>-<year>-<number>`, the first that is free.
fn next_id(store: &Store, context: &Context) -> Result<String, Failure> {
    let failed = |error| context.store_failure(&error);
    let node = store.meta_get(NODE_KEY).map_err(failed)?.unwrap_or_else(|| "local".to_owned());
    let year = rfc3339(context.now()).chars().take(4).collect::<String>();
    let start = format!("{OWN_PREFIX}{node}-{year}-");
    let all = store.advisories().map_err(failed)?;
    let numbers = all.iter().filter_map(|it| it.id.strip_prefix(&start)?.parse::<u32>().ok());
    Ok(format!("{start}{:04}", numbers.max().unwrap_or(0) + 1))
}

/// `maven:group:artifact`, by the purl type or the OSV name of the ecosystem, of a distribution
/// with its release or without (`Debian:12:openssl`). Half a name is none, and neither is one with
/// a sign that no name has: no inventory would have it, and everybody would be clear.
fn package(text: &str) -> Option<Value> {
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
    let ecosystem = match Ecosystem::from_osv(kind) {
        Ecosystem::Other(_) => Ecosystem::from_purl(kind, ""),
        known => known,
    };
    let (release, name) = match name.rsplit_once(':') {
        Some((release, name)) if ecosystem.has_releases() => (Some(release), name),
        _ => (None, name),
    };
    let bad = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty() || name.contains(bad) || release.is_some_and(str::is_empty) {
        return None;
    }
    let has_both = |sign: char| {
        name.split_once(sign).is_some_and(|(group, name)| !group.is_empty() && !name.is_empty())
    };
    let is_known = match &ecosystem {
        Ecosystem::Other(_) => false,
        Ecosystem::Maven => has_both(':') && name.matches(':').count() == 1,
        Ecosystem::SwiftUrl => true,
        _ if name.contains(':') => false,
        Ecosystem::Packagist | Ecosystem::GitHubActions => has_both('/'),
        _ => true,
    };
    let release = release.map(|it| format!(":{it}")).unwrap_or_default();
    let ecosystem = format!("{}{release}", ecosystem.as_str());
    is_known.then(|| json!({ "ecosystem": ecosystem, "name": name }))
}

/// `14d` or `36h` from now.
fn moment_after(now: Timestamp, text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let seconds = |unit: char, of: i64| {
        let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
        (count > 0).then(|| count.checked_mul(of)).flatten()
    };
    now.checked_add(seconds('d', 86_400).or_else(|| seconds('h', 3_600))?)
}

fn strings(value: &Value) -> BTreeSet<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The record as every other reader will see it.
fn parse(id: &str, raw: &str, context: &Context) -> Result<Advisory, Failure> {
    let read = advisory::read_kept(OWN_SOURCE, id, raw.as_bytes());
    read.ok_or_else(|| unknown_advisory(id, context.lang))
}

/// Stores what a person did to a record: `verb` with a word on it.
fn store(
    store: &Store,
    read: &Advisory,
    raw: &str,
    (verb, word): (&str, &str),
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let hand = Hand::of(context, store, report)?;
    let recorded_at: Timestamp = context.now();
    let (id, bytes) = (&read.id, raw.as_bytes());
    let row = RawAdvisory { id, revision: read.revision, bytes, recorded_at };
    let what = format!("advisories {verb} {id}");
    let stored = store.publish_advisory(OWN_SOURCE, &row, hand.by(), (&what, word));
    stored.map_err(|error| context.store_failure(&error))
}
