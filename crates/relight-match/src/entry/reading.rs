//! What the fields of an `affected` entry come to.

use std::collections::HashSet;

use relight_model::{Affected, RangeEvent, RangeKind, RangeStatus, Stance};

use crate::key::Span;
use crate::opinion::Why;
use crate::range::Range;
use crate::version::{Version, VersionScheme};

/// Why an entry cannot be evaluated, as far as its own text goes.
pub(super) fn unresolved(affected: &Affected, has_usable: bool) -> Option<Why> {
    let has = |kind: RangeKind| affected.ranges.iter().any(|range| range.kind == kind);
    if let Stance::Unresolved(why) = &affected.stance {
        return Some(Why::of(*why));
    }
    if has(RangeKind::Unknown) {
        return Some(Why::UnknownRange);
    }
    let Affected { intervals, native, versions, rest, .. } = affected;
    let is_silent = !has_usable
        && intervals.is_empty()
        && native.is_empty()
        && versions.is_empty()
        && *rest == RangeStatus::NotAffected;
    match (is_silent, has(RangeKind::Git)) {
        (false, _) => None,
        (true, true) => Some(Why::GitOnly),
        (true, false) => Some(Why::NoRange),
    }
}

/// Whether it can name no version at all: the publisher says "not affected".
pub(super) fn is_tombstone(affected: &Affected, ranges: &[Range], unresolved: Option<Why>) -> bool {
    if affected.stance == Stance::NotAffected {
        return true;
    }
    unresolved.is_none()
        && affected.versions.is_empty()
        && affected.rest == RangeStatus::NotAffected
        && !ranges.is_empty()
        && ranges.iter().all(Range::is_empty)
}

/// The listed versions in all their forms, and where they are.
pub(super) fn members(scheme: VersionScheme, versions: &[String]) -> (HashSet<String>, Vec<Span>) {
    let mut members: HashSet<String> = versions.iter().cloned().collect();
    let mut spans = Vec::new();
    for version in versions.iter().filter_map(|text| Version::parse(scheme, text)) {
        members.insert(version.canonical());
        // A listed release lists its builds; what has no key is listed to its equals only.
        spans.extend(version.sort_key().map(|key| Span::of_start(key.release())));
    }
    members.shrink_to_fit();
    (members, spans)
}

/// The commits at which a flaw is certainly there, and those at which it is not.
pub(super) fn commits(affected: &Affected) -> (Vec<String>, Vec<String>) {
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for range in affected.ranges.iter().filter(|range| range.kind == RangeKind::Git) {
        for event in &range.events {
            match event {
                RangeEvent::Introduced(commit) if commit == "0" => {}
                RangeEvent::Introduced(commit) | RangeEvent::LastAffected(commit) => {
                    there.push(commit.clone());
                }
                RangeEvent::Fixed(commit) => gone.push(commit.clone()),
                RangeEvent::Limit(_) => {}
            }
        }
    }
    (there, gone)
}

/// Go's name for a commit: `v0.0.0-20211210123456-0123456789ab`.
pub(super) fn is_pseudo_version(text: &str) -> bool {
    let mut parts = text.trim_end_matches("+incompatible").rsplit('-');
    let (commit, time) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let time = time.rsplit('.').next().unwrap_or_default();
    let is_commit = commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit && time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit())
}
