//! The security database of Alpine: packages of a branch, versions, and what each version fixes.

use relight_model::{Advisory, Affected, Bound, BoundBasis, Interval, RangeStatus, Stance};
use serde_json::{Value, json};

use super::json::{ALIASES_MAX, Fault, Object, VERSIONS_MAX, needed, needed_object};
use super::names::package_name;
use super::outline::Outline;
use super::pieces::{list_under, members};
use super::{AdvisoryFormat, Input, Reading, canonical};

pub(super) const PLUGIN: AlpineSecdb = AlpineSecdb;

/// The format. It has no settings.
pub(super) struct AlpineSecdb;

impl AdvisoryFormat for AlpineSecdb {
    fn name(&self) -> &'static str {
        "alpine_secdb"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        outline.has(&["distroversion", "packages"]) || outline.has(&["apkurl", "packages"])
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let branch = Branch::of(input.bytes);
        let pieces = list_under(input.place, input.bytes, "packages");
        reading
            .take(input, "alpine_secdb", pieces, |object, notes| records(&branch, object, notes));
        for record in &mut reading.records {
            record.raw = Some(branch.wrapped(&record.advisory));
        }
        reading
    }
}

/// Which repository a document is about.
struct Branch {
    /// `v3.20`, `edge`.
    version: String,
    /// `main`, `community`.
    repository: String,
}

impl Branch {
    fn of(bytes: &[u8]) -> Self {
        let start = bytes.iter().position(|&byte| byte == b'{').unwrap_or_default();
        let (all, _) = members(bytes, start);
        let text = |wanted: &[u8]| {
            let found = all.iter().find(|(name, _)| bytes[name.clone()] == *wanted);
            let value = found.map(|(_, value)| &bytes[value.clone()]).unwrap_or_default();
            serde_json::from_slice::<String>(value).unwrap_or_default()
        };
        Self { version: text(b"distroversion"), repository: text(b"reponame") }
    }

    /// One record as a document of its own: what is kept.
    fn wrapped(&self, advisory: &Advisory) -> Vec<u8> {
        let mut parts = advisory.id.rsplitn(3, '/');
        let (version, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let fixes = [&advisory.aliases[..], &advisory.upstream, &advisory.related].concat();
        let document = json!({
            "distroversion": self.version, "reponame": self.repository,
            "packages": [{"pkg": {"name": name, "secfixes": {version: fixes}}}],
        });
        document.to_string().into_bytes()
    }
}

/// The records of one package: one for each version that fixes something.
fn records(
    branch: &Branch,
    object: &Object,
    notes: &mut Vec<String>,
) -> Result<Vec<Advisory>, Fault> {
    let package = needed_object(object, "pkg")?;
    let name = needed(package, "name")?;
    if branch.version.is_empty() {
        return Err("field `distroversion` is missing".to_owned());
    }
    let fixes = match package.get("secfixes") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(fixes)) if fixes.len() <= VERSIONS_MAX => fixes,
        Some(Value::Object(_)) => {
            return Err(format!("field `secfixes` has more than {VERSIONS_MAX} entries"));
        }
        Some(_) => return Err("field `secfixes` is not an object".to_owned()),
    };
    let mut records = Vec::new();
    for (version, ids) in fixes {
        let ids = ids.as_array().ok_or_else(|| format!("`{version}` is not a list"))?;
        let upstream = flaws(ids)?;
        if upstream.is_empty() {
            notes.push(format!("`{name}` {version} names no flaw"));
            continue;
        }
        records.push(record(branch, name, version, upstream));
    }
    Ok(records)
}

/// Flaws of one version; a text may name several (`CVE-1 CVE-2`), other names follow in brackets.
fn flaws(ids: &[Value]) -> Result<Vec<String>, Fault> {
    let mut all = Vec::new();
    for id in ids {
        let words = id.as_str().ok_or("a list of flaws holds something that is not text")?;
        let words = words.split([' ', ',', '(', ')', '[', ']']).map(str::trim);
        all.extend(words.filter(|word| word.contains('-')).map(str::to_owned));
    }
    all.sort();
    all.dedup();
    if all.len() > ALIASES_MAX {
        return Err(format!("a version fixes more than {ALIASES_MAX} flaws"));
    }
    Ok(all)
}

fn record(branch: &Branch, name: &str, version: &str, upstream: Vec<String>) -> Advisory {
    let Branch { version: release, repository } = branch;
    let mut affected = Affected::of(package_name(&format!("Alpine:{release}"), name));
    if version == "0" {
        affected.stance = Stance::NotAffected;
    } else {
        affected.intervals.push(Interval {
            lo: Bound::Unbounded,
            hi: Bound::Exclusive(version.to_owned()),
            basis: BoundBasis::Fixed,
            status: RangeStatus::Affected,
        });
    }
    let content = json!({"package": name, "version": version, "flaws": upstream});
    let revision = content.as_object().map(canonical::digest).unwrap_or_default();
    Advisory {
        source: format!("alpine/{release}/{repository}"),
        id: format!("alpine-{release}/{name}/{version}"),
        revision,
        upstream,
        affected: vec![affected],
        ..Advisory::default()
    }
}
