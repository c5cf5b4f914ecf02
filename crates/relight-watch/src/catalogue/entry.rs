//! One entry of the catalogue, and how files of them are read: a bad entry is told with its place
//! and costs no other.

use std::collections::BTreeSet;

use relight_model::is_cve;
use serde::Deserialize;

use super::rule::{Place, Request, Rule};
use crate::path_class;

/// Largest file of entries, in bytes.
pub const CATALOGUE_BYTES_MAX: usize = 4 << 20;

/// Entries of all files together.
pub const ENTRIES_MAX: usize = 20_000;

/// Longest id, in bytes.
const ID_BYTES_MAX: usize = 64;

/// What somebody learns, or does, who asks for the door; the later ones say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// That a product is there.
    Presence,
    /// Which version of it.
    Version,
    /// That something is open that should not be.
    Exposure,
    /// A flaw is used.
    Exploit,
}

impl EntryKind {
    /// Every kind, weakest first.
    pub const ALL: [Self; 4] = [Self::Presence, Self::Version, Self::Exposure, Self::Exploit];

    /// The stable name used in files and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Version => "version",
            Self::Exposure => "exposure",
            Self::Exploit => "exploit",
        }
    }
}

/// A door that somebody tries who looks for a product or a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Stable name in kebab case.
    pub id: String,
    /// Product, as people call it.
    pub product: String,
    /// Beginnings of package URLs or CPE names; empty for a door of no product.
    pub products: Vec<String>,
    /// What asking for it means.
    pub kind: EntryKind,
    /// What it is, in French.
    pub title_fr: String,
    /// What it is, in English.
    pub title_en: String,
    /// Flaws that it belongs to.
    pub cves: Vec<String>,
    /// Techniques of ATT&CK.
    pub attack: Vec<String>,
    /// The vendor's advisory, or the record of the flaw.
    pub reference: String,
    /// Day on which the entry was written.
    pub since: String,
    /// The operator added it.
    pub is_local: bool,
    pub(crate) rule: Rule,
}

/// What is wrong with a file or an entry of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFault {
    /// Name of the file.
    pub file: String,
    /// The entry, where one is meant.
    pub entry: String,
    /// Stable code in kebab case.
    pub code: &'static str,
    /// What exactly, in English.
    pub detail: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    product: String,
    products: Vec<String>,
    #[serde(default)]
    entry: Vec<EntryText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    id: String,
    kind: String,
    fr: String,
    en: String,
    #[serde(rename = "match")]
    rule: RuleText,
    #[serde(default)]
    cves: Vec<String>,
    #[serde(default)]
    attack: Vec<String>,
    reference: String,
    since: String,
    hit: String,
    miss: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RuleText {
    exact: Option<String>,
    prefix: Option<String>,
    start: Option<String>,
    suffix: Option<String>,
    segment: Option<String>,
    holds: Option<String>,
    query: Option<String>,
    method: Option<String>,
    header: Option<String>,
}

/// The entries of one file, and what is wrong with the others.
pub fn read_entries(file: &str, text: &str, is_local: bool) -> (Vec<Entry>, Vec<CatalogueFault>) {
    let fault = |entry: &str, code, detail: String| CatalogueFault {
        file: file.to_owned(),
        entry: entry.to_owned(),
        code,
        detail,
    };
    if text.len() > CATALOGUE_BYTES_MAX {
        return (Vec::new(), vec![fault("", "catalogue-large", text.len().to_string())]);
    }
    let parsed: FileText = match toml::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => return (Vec::new(), vec![fault("", "catalogue-toml", error.to_string())]),
    };
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    if let Some(product) = parsed.products.iter().find(|product| !is_product(product)) {
        faults.push(fault("", "catalogue-product", product.clone()));
    }
    for text in parsed.entry {
        let id = text.id.clone();
        match entry(text, &parsed.product, &parsed.products, is_local) {
            Ok(entry) => entries.push(entry),
            Err((code, detail)) => faults.push(fault(&id, code, detail)),
        }
    }
    (entries, faults)
}

fn entry(
    text: EntryText,
    product: &str,
    products: &[String],
    is_local: bool,
) -> Result<Entry, (&'static str, String)> {
    let EntryText { id, kind, fr, en, rule, cves, attack, reference, since, hit, miss } = text;
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if id.is_empty() || id.len() > ID_BYTES_MAX || !id.bytes().all(named) {
        return Err(("catalogue-id", id));
    }
    let known = EntryKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let kind = known.ok_or(("catalogue-kind", kind))?;
    if let Some(cve) = cves.iter().find(|cve| !is_cve(cve)) {
        return Err(("catalogue-cve", cve.clone()));
    }
    if !reference.starts_with("https://") {
        return Err(("catalogue-reference", reference));
    }
    let rule = rule_of(rule)?;
    if !rule.matches_request(&Request::parse(&hit)) {
        return Err(("catalogue-hit", hit));
    }
    if rule.matches_request(&Request::parse(&miss)) {
        return Err(("catalogue-miss", miss));
    }
    Ok(Entry {
        id,
        product: product.to_owned(),
        products: products.to_vec(),
        kind,
        title_fr: fr,
        title_en: en,
        cves,
        attack,
        reference,
        since,
        is_local,
        rule,
    })
}

fn rule_of(text: RuleText) -> Result<Rule, (&'static str, String)> {
    let RuleText { exact, prefix, start, suffix, segment, holds, query, method, header } = text;
    let places = [
        (Place::Exact, exact),
        (Place::Prefix, prefix),
        (Place::Start, start),
        (Place::Suffix, suffix),
        (Place::Segment, segment),
    ];
    let mut given = places.into_iter().filter_map(|(place, text)| Some((place, text?)));
    let path = given.next();
    if let Some((_, more)) = given.next() {
        return Err(("catalogue-places", more));
    }
    let rule = Rule { path, holds, query, method, header };
    rule.check().map_err(|(code, detail)| (code, detail.to_owned()))?;
    Ok(rule)
}

/// The beginning of a package URL or of a CPE name of version 2.3.
fn is_product(text: &str) -> bool {
    let after = text.strip_prefix("pkg:").or_else(|| text.strip_prefix("cpe:2.3:"));
    after.is_some_and(|rest| rest.len() >= 4)
}

/// Entries of several files as one list: an id, or one that differs in numbers only, counts once,
/// because contacts keep a hash of it in which numbers are alike.
pub(super) fn unique(entries: impl IntoIterator<Item = Entry>) -> (Vec<Entry>, Vec<Entry>) {
    let mut seen = BTreeSet::new();
    entries
        .into_iter()
        .partition(|entry| seen.len() < ENTRIES_MAX && seen.insert(path_class::hash(&entry.id)))
}
