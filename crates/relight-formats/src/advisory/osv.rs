//! OSV (schema 1.x): JSON, one object, an array of objects, or one object a line.
//!
//! Unknown fields are ignored. A record that cannot be used is refused whole, with a warning: half
//! a record could lose the range that matters.

use relight_model::{
    Advisory, Affected, AffectedRange, Effect, Grammar, NativeRange, RangeEvent, RangeKind,
    RangeStatus, Rating, RatingKind, Signal, Stance, Why, begins_as_cve,
};
use serde_json::Value;

use super::dialect::{Dialect, Quirk};
use super::json::{
    ALIASES_MAX, EVENTS_MAX, Fault, Object, PACKAGES_MAX, VERSIONS_MAX, inner, list, members,
    moment, needed, objects, prose, text, texts,
};
use super::names::package_name;
use super::outline::Outline;
use super::pieces::split;
use super::{AdvisoryFormat, Input, Reading, canonical};
use crate::advisory::osv::bounds::{exclusive_bounds, last_known};

mod bounds;
mod exhibits;

pub(super) const PLUGIN: Osv = Osv;

/// The format. It has no settings.
pub(super) struct Osv;

impl AdvisoryFormat for Osv {
    fn name(&self) -> &'static str {
        "osv"
    }

    /// JSON whose first record looks like one, or is too broken to tell: what is wrong with it is
    /// said record by record.
    fn recognises(&self, outline: &Outline<'_>) -> bool {
        const OURS: [&str; 4] = ["id", "affected", "aliases", "schema_version"];
        let looks_so = OURS.iter().any(|name| outline.has(&[name]));
        (looks_so || outline.members.is_empty()) && outline.is_json()
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let pieces = split(input.place, input.line, input.bytes);
        reading.take(input, "osv", pieces, |object, notes| Ok(vec![record(object, notes)?]));
        reading
    }
}

fn record(object: &Object, notes: &mut Vec<String>) -> Result<Advisory, Fault> {
    let id = needed(object, "id")?;
    let dialect = Dialect::of(id);
    let specific = inner(object, "database_specific");
    let related = texts(object, "related", ALIASES_MAX)?;
    let mut upstream = texts(object, "upstream", ALIASES_MAX)?;
    if dialect.has(Quirk::RelatedAttaches) {
        upstream.extend(related.iter().filter(|it| begins_as_cve(it)).cloned());
        upstream.sort();
        upstream.dedup();
    }
    let mut advisory = Advisory {
        source: dialect.source.to_owned(),
        id: id.to_owned(),
        revision: canonical::digest(object),
        published: moment(object, "published", notes),
        modified: moment(object, "modified", notes),
        // A moment that cannot be read is none: the record stays in force.
        withdrawn: moment(object, "withdrawn", notes),
        expires: specific
            .filter(|_| dialect.has(Quirk::Own))
            .and_then(|it| moment(it, "expires", notes)),
        reviewed: specific.and_then(reviewed),
        status: specific.map(|it| prose(it, "review_status")).unwrap_or_default(),
        aliases: texts(object, "aliases", ALIASES_MAX)?,
        related,
        upstream,
        summary: prose(object, "summary"),
        severities: severities(object)?,
        signals: stated_kev(object).into_iter().collect(),
        references: members(object, "references", "url"),
        ..Advisory::default()
    };
    if let Some(specific) = specific.filter(|_| dialect.has(Quirk::Own)) {
        let within = |fault: Fault| format!("`{}`: {fault}", advisory.id);
        advisory.exhibits = exhibits::exhibits(specific).map_err(within)?;
    }
    entries(object, &dialect, &mut advisory, notes)?;
    advisory.severities.sort();
    advisory.severities.dedup();
    Ok(advisory)
}

/// The entries of `affected`, with what they say about the whole record.
fn entries(
    object: &Object,
    dialect: &Dialect,
    advisory: &mut Advisory,
    notes: &mut Vec<String>,
) -> Result<(), Fault> {
    let mut notices = Vec::new();
    for (index, entry) in objects(object, "affected", PACKAGES_MAX)?.into_iter().enumerate() {
        let within = |fault: Fault| format!("`{}` affected[{index}]: {fault}", advisory.id);
        advisory.severities.extend(severities(entry).map_err(within)?);
        if dialect.has(Quirk::Informational) {
            notices.push(notice(entry));
        }
        let read = affected(entry, dialect, notes).map_err(within)?;
        advisory.affected.extend(read);
    }
    // Only a record all of whose entries are notices is one.
    if let Some(kinds) = notices.into_iter().collect::<Option<Vec<_>>>()
        && let Some(kind) = kinds.into_iter().next()
    {
        advisory.effect = Effect::Notice(kind);
    }
    Ok(())
}

/// `review_status` of Go, `github_reviewed` of GitHub.
fn reviewed(specific: &Object) -> Option<bool> {
    match specific.get("review_status").and_then(Value::as_str) {
        Some(status) => Some(status.eq_ignore_ascii_case("REVIEWED")),
        None => specific.get("github_reviewed").and_then(Value::as_bool),
    }
}

/// RustSec's `informational`: `unsound` makes versions affected, the others only tell.
fn notice(entry: &Object) -> Option<String> {
    let specific = inner(entry, "database_specific")?;
    let kind = specific.get("informational")?.as_str()?;
    (!kind.is_empty() && kind != "unsound").then(|| kind.to_owned())
}

/// A record of ours that says itself that the flaw is in CISA's catalogue.
fn stated_kev(object: &Object) -> Option<Signal> {
    let specific = object.get("database_specific")?;
    specific.get("known_exploited")?.as_bool()?.then_some(())?;
    let catalogue = "cisa".to_owned();
    Some(Signal::Kev { catalogue, added: None, due: None, ransomware: false, removed: None })
}

/// One entry of `affected`; `None` when it names no package, for then it says nothing that a
/// component could be compared with.
fn affected(
    entry: &Object,
    dialect: &Dialect,
    notes: &mut Vec<String>,
) -> Result<Option<Affected>, Fault> {
    let Some(package) = entry.get("package").filter(|it| !it.is_null()) else { return Ok(None) };
    let package = package.as_object().ok_or("field `package` is not an object")?;
    let part =
        |key: &str| needed(package, key).map_err(|_| format!("field `package.{key}` is missing"));
    let empty = Object::new();
    let specific = inner(entry, "database_specific").unwrap_or(&empty);
    let mut affected = Affected {
        versions: texts(entry, "versions", VERSIONS_MAX)?,
        classes: texts(specific, "classes", VERSIONS_MAX)?,
        ..Affected::of(package_name(part("ecosystem")?, part("name")?))
    };
    for item in objects(entry, "ranges", PACKAGES_MAX)? {
        affected.ranges.push(range(item, notes)?);
    }
    if dialect.has(Quirk::CustomRanges) {
        custom_ranges(entry, &mut affected, notes)?;
    }
    if dialect.has(Quirk::ExclusiveIntroduced) {
        exclusive_introduced(specific, &mut affected);
    }
    if dialect.has(Quirk::LastKnownBound) {
        last_known_bound(specific, &mut affected, notes)?;
    }
    if dialect.has(Quirk::NativeRange) && is_silent(&affected) {
        native_ranges(specific, &mut affected)?;
    }
    affected.stance = stance(&affected, specific);
    Ok(Some(affected))
}

/// Whether nothing was said yet of any version.
fn is_silent(affected: &Affected) -> bool {
    affected.ranges.is_empty() && affected.versions.is_empty() && affected.intervals.is_empty()
}

fn stance(affected: &Affected, specific: &Object) -> Stance {
    let Affected { ranges, intervals, native, versions, .. } = affected;
    let has_range = |kind| ranges.iter().any(|range| range.kind == kind);
    let has_lists = !versions.is_empty() || !intervals.is_empty() || !native.is_empty();
    if has_range(RangeKind::Unknown) {
        return Stance::Unresolved(Why::UnknownRange);
    }
    let is_empty_text = native.iter().any(|it| matches!(&*it.text, "(,0)" | "<0"));
    if is_empty_text && native.len() == 1 {
        return Stance::NotAffected;
    }
    if has_lists || has_range(RangeKind::Ecosystem) || has_range(RangeKind::Custom) {
        return Stance::Lists;
    }
    if specific.get("tombstone") == Some(&Value::Bool(true)) {
        return Stance::NotAffected;
    }
    if has_range(RangeKind::Git) {
        return Stance::Unresolved(Why::GitOnly);
    }
    Stance::Unresolved(Why::NoRange)
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
    Ok(AffectedRange { kind, events: events(range)? })
}

/// The events of a range; an object may hold several, which the schema forbids and databases do.
fn events(range: &Object) -> Result<Vec<RangeEvent>, Fault> {
    let mut events = Vec::new();
    for event in objects(range, "events", EVENTS_MAX)? {
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
    Ok(events)
}

fn custom_ranges(
    entry: &Object,
    affected: &mut Affected,
    notes: &mut Vec<String>,
) -> Result<(), Fault> {
    let Some(specific) = inner(entry, "ecosystem_specific") else { return Ok(()) };
    for item in objects(specific, "custom_ranges", PACKAGES_MAX)? {
        let AffectedRange { kind, events } = range(item, notes)?;
        let kind = if kind == RangeKind::Ecosystem { RangeKind::Custom } else { kind };
        affected.ranges.push(AffectedRange { kind, events });
    }
    Ok(())
}

/// GitLab's ranges with an exclusive lower bound, which events cannot say: the original text tells
/// which of the ranges they are.
fn exclusive_introduced(specific: &Object, affected: &mut Affected) {
    if specific.get("exclusive_introduced") != Some(&Value::Bool(true)) {
        return;
    }
    let words = prose(specific, "affected_range");
    let (mut ranges, mut intervals) = (Vec::new(), Vec::new());
    for range in affected.ranges.drain(..) {
        match exclusive_bounds(&words, &range) {
            Some(interval) => intervals.push(interval),
            None => ranges.push(range),
        }
    }
    affected.ranges = ranges;
    affected.intervals = intervals;
}

/// GitHub's upper bound beside a range that is open at the end.
fn last_known_bound(
    specific: &Object,
    affected: &mut Affected,
    notes: &mut Vec<String>,
) -> Result<(), Fault> {
    let Some(words) = text(specific, "last_known_affected_version_range")? else { return Ok(()) };
    let open = |range: &AffectedRange| {
        let starts = |event: &RangeEvent| matches!(event, RangeEvent::Introduced(_));
        range.kind == RangeKind::Ecosystem && range.events.iter().all(starts)
    };
    if !affected.ranges.iter().any(open) {
        return Ok(());
    }
    let (mut ranges, mut intervals) = (Vec::new(), Vec::new());
    for range in affected.ranges.drain(..) {
        match last_known(words, &range).filter(|_| open(&range)) {
            Some(interval) => intervals.push(interval),
            None => ranges.push(range),
        }
    }
    if intervals.is_empty() {
        notes.push(format!("bound `{words}` could not be read: the range stays open"));
    }
    affected.ranges = ranges;
    affected.intervals.extend(intervals);
    Ok(())
}

/// Ranges in the words of the ecosystem, where events are missing.
fn native_ranges(specific: &Object, affected: &mut Affected) -> Result<(), Fault> {
    let native = |text: &str, status| {
        let (text, grammar) = (text.to_owned(), Grammar::Ecosystem);
        NativeRange { text, grammar, status }
    };
    let words = text(specific, "affected_range")?.map(str::trim).filter(|it| !it.is_empty());
    if let Some(words) = words {
        affected.native.push(native(words, RangeStatus::Affected));
        return Ok(());
    }
    // RubySec and RustSec name what is good; all the rest is bad.
    for key in ["patched", "unaffected"] {
        for good in texts(specific, key, EVENTS_MAX)? {
            affected.native.push(native(&good, RangeStatus::NotAffected));
        }
    }
    if !affected.native.is_empty() {
        affected.rest = RangeStatus::Affected;
    }
    Ok(())
}

fn severities(object: &Object) -> Result<Vec<Rating>, Fault> {
    let mut ratings = Vec::new();
    for item in list(object, "severity", EVENTS_MAX)? {
        let Some(score) = item.get("score").and_then(Value::as_str) else { continue };
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        let rating = Rating::of_vector(score);
        // Ubuntu and others write words where the others write a vector.
        let is_vector = kind.starts_with("CVSS") && rating.kind != RatingKind::Other;
        let by = if is_vector || kind.starts_with("CVSS") { "" } else { kind };
        ratings.push(Rating { by: by.to_owned(), ..rating });
    }
    Ok(ratings)
}

#[cfg(test)]
mod tests;
