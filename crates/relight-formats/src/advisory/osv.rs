//! OSV (schema 1.x): JSON, one object, an array of objects, or one object a line.
//!
//! Unknown fields are ignored. A record that cannot be used is refused whole, with a warning: half
//! a record could lose the range that matters.

use relight_model::{
    Advisory, Affected, AffectedRange, Digest, Ecosystem, PackageName, RangeEvent, RangeKind,
    Rating, Signal, Stance, Timestamp, Warning,
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{AdvisoryFormat, Record};
use crate::advisory::osv::split::{Piece, split};
use crate::time;

mod split;

pub(super) const PLUGIN: Osv = Osv;

/// Longest record, in bytes.
pub(super) const RECORD_BYTES_MAX: usize = 16 << 20;

/// Most events in one range.
pub(super) const EVENTS_MAX: usize = 4_096;

/// Most entries in one list of `versions`.
pub(super) const VERSIONS_MAX: usize = 100_000;

/// Most packages (entries of `affected`) in one record.
pub(super) const PACKAGES_MAX: usize = 20_000;

/// Most aliases of one record.
pub(super) const ALIASES_MAX: usize = 1_024;

/// The format. It has no settings.
pub(super) struct Osv;

impl AdvisoryFormat for Osv {
    fn name(&self) -> &'static str {
        "osv"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(split::BYTE_ORDER_MARK).unwrap_or(head);
        let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_start);
        lines.any(|line| matches!(line.first(), Some(b'{' | b'[')))
    }

    fn read(&self, source: &str, place: &str, bytes: &[u8]) -> (Vec<Record>, Vec<Warning>) {
        let (mut records, mut warnings) = (Vec::new(), Vec::new());
        for piece in split(place, bytes) {
            let Piece { place, range, fault } = piece;
            let mut notes = Vec::new();
            let raw = bytes.get(range.clone()).unwrap_or_default();
            let read = fault.map_or_else(|| record(source, raw, &mut notes), |it| Err(it.into()));
            match read {
                Ok(advisory) => records.push(Record { advisory, range }),
                Err(fault) => {
                    let message = format!("{fault}; left out, correct it and import it again");
                    warnings.push(Warning::new("osv-bad-record", &place, message));
                }
            }
            warnings.extend(notes.into_iter().map(|it| Warning::new("osv-note", &place, it)));
        }
        (records, warnings)
    }
}

/// Why a record is refused: what is wrong, with the field's name.
type Fault = String;

type Object = Map<String, Value>;

fn record(source: &str, raw: &[u8], notes: &mut Vec<String>) -> Result<Advisory, Fault> {
    if raw.len() > RECORD_BYTES_MAX {
        return Err(format!("the record is longer than {RECORD_BYTES_MAX} bytes"));
    }
    let value: Value = serde_json::from_slice(raw).map_err(|error| format!("not JSON: {error}"))?;
    let object = value.as_object().ok_or("the record is not a JSON object")?;
    let id = text(object, "id")?.filter(|id| !id.is_empty()).ok_or("field `id` is missing")?;
    let mut severities = severities(object)?;
    let mut affected = Vec::new();
    for (index, entry) in list(object, "affected", PACKAGES_MAX)?.iter().enumerate() {
        let within = |fault: Fault| format!("`{id}` affected[{index}]: {fault}");
        let entry = entry.as_object().ok_or_else(|| within("not an object".into()))?;
        severities.extend(self::severities(entry).map_err(within)?);
        affected.extend(self::affected(entry, notes).map_err(within)?);
    }
    Ok(Advisory {
        source: source.to_owned(),
        id: id.to_owned(),
        revision: Digest(Sha256::digest(raw).into()),
        published: moment(object, "published", notes),
        modified: moment(object, "modified", notes),
        withdrawn: moment(object, "withdrawn", notes),
        aliases: texts(object, "aliases", ALIASES_MAX)?,
        summary: text(object, "summary")?.unwrap_or_default().to_owned(),
        affected,
        severities: distinct(severities),
        signals: stated_kev(object).into_iter().collect(),
        references: references(object),
        ..Advisory::default()
    })
}

/// One entry of `affected`; `None` when it names no package, for then it says nothing that a
/// component could be compared with.
fn affected(entry: &Object, notes: &mut Vec<String>) -> Result<Option<Affected>, Fault> {
    let Some(package) = entry.get("package").filter(|it| !it.is_null()) else { return Ok(None) };
    let package = package.as_object().ok_or("field `package` is not an object")?;
    let part = |key: &str| -> Result<&str, Fault> {
        let part = text(package, key)?.filter(|part| !part.is_empty());
        part.ok_or_else(|| format!("field `package.{key}` is missing"))
    };
    let mut ranges = Vec::new();
    for range in list(entry, "ranges", PACKAGES_MAX)? {
        let range = range.as_object().ok_or("an entry of `ranges` is not an object")?;
        ranges.push(self::range(range, notes)?);
    }
    let specific = entry.get("database_specific").and_then(Value::as_object);
    let classes = match specific {
        Some(specific) => texts(specific, "classes", VERSIONS_MAX)?,
        None => Vec::new(),
    };
    let is_tombstone = specific.and_then(|it| it.get("tombstone")) == Some(&Value::Bool(true));
    // GitLab's way to say "not this package", which is an opinion too.
    let stance =
        if is_tombstone && ranges.is_empty() { Stance::NotAffected } else { Stance::Lists };
    Ok(Some(Affected {
        stance,
        ranges,
        versions: texts(entry, "versions", VERSIONS_MAX)?,
        classes,
        ..Affected::of(package_name(part("ecosystem")?, part("name")?))
    }))
}

fn package_name(ecosystem: &str, name: &str) -> PackageName {
    let (ecosystem, release) = Ecosystem::with_release(ecosystem);
    PackageName { ecosystem, release, name: name.to_owned() }
}

fn range(range: &Object, notes: &mut Vec<String>) -> Result<AffectedRange, Fault> {
    let kind = match text(range, "type")?.unwrap_or_default() {
        "ECOSYSTEM" | "SEMVER" => RangeKind::Ecosystem,
        "GIT" => RangeKind::Git,
        other => {
            notes.push(format!("range type `{other}` is not known: its answers are unknown"));
            RangeKind::Unknown
        }
    };
    let mut events = Vec::new();
    for event in list(range, "events", EVENTS_MAX)? {
        let event = event.as_object().ok_or("an entry of `events` is not an object")?;
        for key in ["introduced", "fixed", "last_affected", "limit"] {
            let Some(version) = text(event, key)? else { continue };
            let version = version.to_owned();
            events.push(match key {
                "introduced" => RangeEvent::Introduced(version),
                "fixed" => RangeEvent::Fixed(version),
                "last_affected" => RangeEvent::LastAffected(version),
                // `*` is the default of the schema: no limit.
                _ if version == "*" => continue,
                _ => RangeEvent::Limit(version),
            });
        }
    }
    Ok(AffectedRange { kind, events })
}

fn severities(object: &Object) -> Result<Vec<Rating>, Fault> {
    let entries = list(object, "severity", EVENTS_MAX)?.iter();
    Ok(entries.filter_map(|it| it.get("score")?.as_str().map(Rating::of_vector)).collect())
}

fn distinct(mut ratings: Vec<Rating>) -> Vec<Rating> {
    ratings.sort();
    ratings.dedup();
    ratings
}

/// A record of ours that says itself that the flaw is in CISA's catalogue.
fn stated_kev(object: &Object) -> Option<Signal> {
    let specific = object.get("database_specific")?;
    specific.get("known_exploited")?.as_bool()?.then_some(())?;
    let catalogue = "cisa".to_owned();
    Some(Signal::Kev { catalogue, added: None, due: None, ransomware: false, removed: None })
}

fn references(object: &Object) -> Vec<String> {
    let entries = object.get("references").and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|it| it.get("url")?.as_str().map(str::to_owned)).collect()
}

/// A moment that cannot be read is absent, with a note; for `withdrawn` that keeps the record in
/// force, which is the safe side.
fn moment(object: &Object, key: &str, notes: &mut Vec<String>) -> Option<Timestamp> {
    let value = object.get(key).filter(|it| !it.is_null())?;
    let at = value.as_str().and_then(time::parse);
    if at.is_none() {
        notes.push(format!("field `{key}` is not an RFC 3339 time and was not used"));
    }
    at
}

fn text<'a>(object: &'a Object, key: &str) -> Result<Option<&'a str>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        // A number such as 2.10 has already lost its last digit when it is read.
        Some(_) => Err(format!("field `{key}` is not text")),
    }
}

fn list<'a>(object: &'a Object, key: &str, max: usize) -> Result<&'a [Value], Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.len() > max => {
            Err(format!("field `{key}` has more than {max} entries"))
        }
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("field `{key}` is not a list")),
    }
}

fn texts(object: &Object, key: &str, max: usize) -> Result<Vec<String>, Fault> {
    let items = list(object, key, max)?.iter();
    let texts: Option<Vec<_>> = items.map(|it| it.as_str().map(str::to_owned)).collect();
    texts.ok_or_else(|| format!("field `{key}` holds something that is not text"))
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_n;

    use super::*;

    fn read(text: &str) -> (Vec<Record>, Vec<Warning>) {
        PLUGIN.read("test", "feed", text.as_bytes())
    }

    /// A list of `count` copies of `item`.
    fn many(count: usize, item: &str) -> String {
        format!("[{}]", repeat_n(item, count).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn each_limit_refuses_its_record_and_only_that() {
        let package = r#"{"package":{"ecosystem":"npm","name":"a"}}"#;
        let events = |count| many(count, r#"{"fixed":"1"}"#);
        let record = |fields: String| format!(r#"{{"id":"X-1",{fields}}}"#);
        let affected = |fields: String| {
            let package = r#""package":{"ecosystem":"npm","name":"a"}"#;
            record(format!(r#""affected":[{{{package},{fields}}}]"#))
        };
        let with_aliases = |count| record(format!(r#""aliases":{}"#, many(count, r#""A""#)));
        let with_packages = |count| record(format!(r#""affected":{}"#, many(count, package)));
        let with_versions = |count| affected(format!(r#""versions":{}"#, many(count, r#""1""#)));
        let with_events = |count| {
            affected(format!(r#""ranges":[{{"type":"SEMVER","events":{}}}]"#, events(count)))
        };
        let with_bytes = |count: usize| {
            let empty = record(r#""details":"""#.into()).len();
            record(format!(r#""details":"{}""#, "x".repeat(count - empty)))
        };
        let with_depth = |count: usize| {
            record(format!(r#""x":{}{}"#, "[".repeat(count - 1), "]".repeat(count - 1)))
        };
        type Maker<'a> = &'a dyn Fn(usize) -> String;
        let cases: [(Maker<'_>, usize); 6] = [
            (&with_aliases, ALIASES_MAX),
            (&with_packages, PACKAGES_MAX),
            (&with_versions, VERSIONS_MAX),
            (&with_events, EVENTS_MAX),
            (&with_bytes, RECORD_BYTES_MAX),
            (&with_depth, 127),
        ];
        for (make, max) in cases {
            let (records, warnings) = read(&format!("{}\n{}", make(max), make(max + 1)));
            assert_eq!(records.len(), 1, "{max}: {warnings:?}");
            assert_eq!(warnings.len(), 1, "{max}");
            assert_eq!(warnings[0].evidence, "feed:2", "{max}");
        }
    }

    #[test]
    fn a_feed_cut_anywhere_never_invents() {
        let whole = r#"[{"id":"A-1","affected":[]},{"id":"A-2","summary":"two"}]"#;
        let (all, warnings) = read(whole);
        assert_eq!((all.len(), warnings.len()), (2, 0));
        for cut in 1..whole.len() {
            let (records, warnings) = read(&whole[..cut]);
            assert!(records.iter().all(|record| all.contains(record)), "{cut}");
            assert!(!warnings.is_empty(), "{cut}");
        }
    }

    #[test]
    fn revision_is_the_digest_of_the_bytes() {
        let (one, _) = read(r#"{"id":"A-1"}"#);
        let (two, _) = read(r#"[{"id":"A-1"}]"#);
        let (other, _) = read(r#"{"id":"A-1","summary":"x"}"#);
        assert_eq!(one[0].advisory.revision, two[0].advisory.revision);
        assert_ne!(one[0].advisory.revision, other[0].advisory.revision);
    }
}
