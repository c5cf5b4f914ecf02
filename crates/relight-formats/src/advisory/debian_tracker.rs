//! The security tracker of Debian: source packages, their CVEs, and what holds in each release.

use relight_model::{
    Advisory, Affected, Bound, BoundBasis, Interval, RangeStatus, Stance, Warning, Why,
};
use serde_json::Value;

use super::json::{Fault, Object, needed, prose, text};
use super::names::package_name;
use super::outline::Outline;
use super::pieces::members;
use super::{AdvisoryFormat, Input, Reading, Record, Refusal, canonical, json};

pub(super) const PLUGIN: DebianTracker = DebianTracker;

/// Most releases of one entry.
const RELEASES_MAX: usize = 256;

/// The format. It has no settings.
pub(super) struct DebianTracker;

impl AdvisoryFormat for DebianTracker {
    fn name(&self) -> &'static str {
        "debian_tracker"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        let is_plain = !outline.has(&["id"]) && !outline.has(&["cveMetadata"]);
        is_plain && outline.says("\"releases\"") && outline.says("\"repositories\"")
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let start = input.bytes.iter().position(|&byte| byte == b'{').unwrap_or_default();
        let (packages, is_whole) = members(input.bytes, start);
        for (name, value) in packages {
            let (flaws, _) = members(input.bytes, value.start);
            for (id, value) in flaws {
                let [package, id] = [name.clone(), id]
                    .map(|it| String::from_utf8_lossy(&input.bytes[it]).into_owned());
                let raw = &input.bytes[value.clone()];
                match entry(&package, &id, raw, &mut reading.notes) {
                    Ok(advisory) => {
                        let kept = format!("{{\"{package}\":{{\"{id}\":");
                        let kept = [kept.as_bytes(), raw, b"}}"].concat();
                        let record = Record { advisory, range: value, ordinal: 0, raw: Some(kept) };
                        reading.records.push(record);
                    }
                    Err(fault) => reading.refused.push(refusal(input, &package, &id, &fault)),
                }
            }
        }
        if !is_whole {
            let fault = "the document is cut short";
            reading.refused.push(refusal(input, "", "", fault));
        }
        reading
    }
}

fn refusal(input: &Input<'_>, package: &str, id: &str, fault: &str) -> Refusal {
    let place = match package {
        "" => input.place.to_owned(),
        package => format!("{}:{package} {id}", input.place),
    };
    let message = format!("{fault}; left out, get the document again");
    let id = (!id.is_empty()).then(|| record_id(package, id));
    Refusal { id, warning: Warning::new("advisory-bad-record", place, message) }
}

/// One flaw of one source package is a record of its own.
fn record_id(package: &str, id: &str) -> String {
    format!("debian/{package}/{id}")
}

fn entry(
    package: &str,
    id: &str,
    raw: &[u8],
    warnings: &mut Vec<Warning>,
) -> Result<Advisory, Fault> {
    let mut notes = Vec::new();
    let object = json::object(raw, &mut notes)?;
    warnings.extend(notes.into_iter().map(|it| Warning::new("advisory-note", id, it)));
    let releases = object.get("releases").and_then(Value::as_object);
    let releases = releases.ok_or("field `releases` is missing")?;
    if releases.len() > RELEASES_MAX {
        return Err(format!("field `releases` has more than {RELEASES_MAX} entries"));
    }
    let mut affected = Vec::new();
    for (release, state) in releases {
        let state = state.as_object().ok_or("an entry of `releases` is not an object")?;
        affected.push(release_of(package, release, state)?);
    }
    Ok(Advisory {
        source: "debian".to_owned(),
        id: record_id(package, id),
        revision: canonical::digest(&object),
        upstream: vec![id.to_owned()],
        summary: prose(&object, "description").lines().next().unwrap_or_default().to_owned(),
        affected,
        ..Advisory::default()
    })
}

fn release_of(package: &str, release: &str, state: &Object) -> Result<Affected, Fault> {
    let ecosystem = format!("Debian:{}", number_of(release));
    let mut affected = Affected::of(package_name(&ecosystem, package));
    let until = |hi: Bound, basis| Interval {
        lo: Bound::Unbounded,
        hi,
        basis,
        status: RangeStatus::Affected,
    };
    match (needed(state, "status")?, text(state, "fixed_version")?) {
        ("resolved", Some("0")) => affected.stance = Stance::NotAffected,
        ("resolved", Some(fixed)) => {
            affected.intervals.push(until(Bound::Exclusive(fixed.to_owned()), BoundBasis::Fixed));
        }
        ("resolved", None) => return Err("field `fixed_version` is missing".to_owned()),
        ("open", _) => affected.intervals.push(until(Bound::Unbounded, BoundBasis::Limit)),
        ("undetermined", _) => affected.stance = Stance::Unresolved(Why::Undetermined),
        (other, _) => return Err(format!("status `{other}` is not known")),
    }
    Ok(affected)
}

/// The number of a release, which is what packages carry; `sid` has none.
fn number_of(release: &str) -> &str {
    match release {
        "wheezy" => "7",
        "jessie" => "8",
        "stretch" => "9",
        "buster" => "10",
        "bullseye" => "11",
        "bookworm" => "12",
        "trixie" => "13",
        "forky" => "14",
        "duke" => "15",
        other => other,
    }
}
