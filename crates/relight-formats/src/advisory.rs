//! Advisory documents: one plug-in a format, and the records that relight ships itself.

use std::ops::Range;

use relight_model::{Advisory, Warning, registry};

registry! {
    /// Every advisory format, in alphabetical order.
    pub static ADVISORY_FORMATS: dyn AdvisoryFormat, check = crate::advisory::check;
    osv
}

/// How much of a document a format may look at to recognise it, in bytes.
pub const HEAD_BYTES: usize = 4096;

/// One form in which advisories are published.
pub trait AdvisoryFormat: Sync {
    /// The name of the format, which is the name of its file.
    fn name(&self) -> &'static str;

    /// Whether a document that starts with `head` (at most [`HEAD_BYTES`]) is of this form.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Reads every record; one that cannot be used is a warning and costs no other record.
    ///
    /// `source` becomes [`Advisory::source`]; `place` names the document in warnings.
    fn read(&self, source: &str, place: &str, bytes: &[u8]) -> (Vec<Record>, Vec<Warning>);
}

/// One advisory and where its raw text stands in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was read.
    pub advisory: Advisory,
    /// The bytes of the document that hold it, for those who keep the raw text.
    pub range: Range<usize>,
}

/// Reads the advisories of a document in any known format.
///
/// Warnings name `place` with the line or the number of the record, say what is wrong with it and
/// what to do. A document that no format recognises gives one warning.
pub fn read_advisories(source: &str, place: &str, bytes: &[u8]) -> (Vec<Advisory>, Vec<Warning>) {
    let (records, warnings) = read_records(source, place, bytes);
    (records.into_iter().map(|record| record.advisory).collect(), warnings)
}

/// As [`read_advisories`], with the place of each record in `bytes`.
pub fn read_records(source: &str, place: &str, bytes: &[u8]) -> (Vec<Record>, Vec<Warning>) {
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    match ADVISORY_FORMATS.iter().find(|format| format.recognises(head)) {
        Some(format) => format.read(source, place, bytes),
        None => {
            let message = "holds no advisory in a known format; expected OSV JSON";
            (Vec::new(), vec![Warning::new("advisory-format-unknown", place, message)])
        }
    }
}

/// The raw text of the records that relight ships: the four Log4j flaws of 2021, with the
/// intervals that Apache, the assigner of the four numbers, published.
pub const BUILTIN: [(&str, &str); 4] = [
    ("CVE-2021-44228.json", include_str!("../advisories/CVE-2021-44228.json")),
    ("CVE-2021-44832.json", include_str!("../advisories/CVE-2021-44832.json")),
    ("CVE-2021-45046.json", include_str!("../advisories/CVE-2021-45046.json")),
    ("CVE-2021-45105.json", include_str!("../advisories/CVE-2021-45105.json")),
];

/// The source name of the records that relight ships.
pub const BUILTIN_SOURCE: &str = "relight";

/// The advisories that relight ships, see [`BUILTIN`].
pub fn builtin_advisories() -> Vec<Advisory> {
    BUILTIN
        .iter()
        .flat_map(|(name, text)| read_advisories(BUILTIN_SOURCE, name, text.as_bytes()).0)
        .collect()
}

/// Runs one format over its fixtures.
#[cfg(test)]
pub(crate) fn check(name: &str, format: &dyn AdvisoryFormat) {
    assert_eq!(format.name(), name);
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let mut lines = Vec::new();
        for (file, bytes) in &case.files {
            assert!(format.recognises(bytes.get(..HEAD_BYTES).unwrap_or(bytes)), "{file}");
            let (records, warnings) = format.read("test", file, bytes);
            lines.extend(records.iter().flat_map(show));
            lines.extend(warnings.iter().map(ToString::to_string));
        }
        lines.join("\n") + "\n"
    });
}

/// A record as lines of text; every field is named, so that a new one is not forgotten.
#[cfg(test)]
fn show(record: &Record) -> Vec<String> {
    let Record { advisory, range } = record;
    let Advisory { source, id, revision, published, modified, withdrawn, .. } = advisory;
    let mut lines = vec![
        format!("{id} from {source} at {range:?} sha256 {:.8}", revision.to_string()),
        format!("  published {published:?} modified {modified:?} withdrawn {withdrawn:?}"),
    ];
    lines.extend(show_rest(advisory));
    lines.extend(advisory.affected.iter().flat_map(show_affected));
    lines
}

/// The fields of a record that are not empty.
#[cfg(test)]
fn show_rest(advisory: &Advisory) -> Vec<String> {
    let Advisory { effect, reviewed, status, assigner, aliases, related, upstream, .. } = advisory;
    let Advisory { summary, products, configurations, statements, .. } = advisory;
    let Advisory { severities, signals, references, .. } = advisory;
    let mut lines = Vec::new();
    let mut line = |name: &str, is_empty: bool, text: String| {
        if !is_empty {
            lines.push(format!("  {name} {text}"));
        }
    };
    line("effect", *effect == relight_model::Effect::Opinion, format!("{effect:?}"));
    line("reviewed", reviewed.is_none(), format!("{reviewed:?}"));
    for (name, text) in [("status", status), ("assigner", assigner), ("summary", summary)] {
        line(name, text.is_empty(), format!("{text:?}"));
    }
    for (name, list) in [("aliases", aliases), ("related", related), ("upstream", upstream)] {
        line(name, list.is_empty(), format!("{list:?}"));
    }
    line("references", references.is_empty(), format!("{references:?}"));
    products.iter().for_each(|it| line("product", false, format!("{it:?}")));
    configurations.iter().for_each(|it| line("configuration", false, format!("{it:?}")));
    statements.iter().for_each(|it| line("statement", false, format!("{it:?}")));
    severities.iter().for_each(|it| line("severity", false, format!("{it:?}")));
    signals.iter().for_each(|it| line("signal", false, format!("{it:?}")));
    lines
}

/// An entry as lines; every field is named, so that a new one is not forgotten.
#[cfg(test)]
fn show_affected(affected: &relight_model::Affected) -> Vec<String> {
    let relight_model::Affected { package, stance, ranges, intervals, native, .. } = affected;
    let relight_model::Affected { versions, rest, arch, module, classes, .. } = affected;
    let ecosystem = package.ecosystem.as_str();
    let release = package.release.as_ref().map(|it| format!(":{it}")).unwrap_or_default();
    let mut lines = vec![format!("  {ecosystem}{release} {} {stance:?}", package.name)];
    lines.extend(ranges.iter().map(|it| format!("    {:?} {:?}", it.kind, it.events)));
    lines.extend(intervals.iter().map(|it| format!("    {it:?}")));
    lines.extend(native.iter().map(|it| format!("    {it:?}")));
    if *rest != relight_model::RangeStatus::NotAffected {
        lines.push(format!("    rest {rest:?}"));
    }
    for (name, list) in [("versions", versions), ("arch", arch), ("classes", classes)] {
        if !list.is_empty() {
            lines.push(format!("    {name} {list:?}"));
        }
    }
    lines.extend(module.iter().map(|it| format!("    module {it:?}")));
    lines
}

#[cfg(test)]
mod tests {
    use relight_model::{Ecosystem, RangeEvent};

    use super::*;

    #[test]
    fn builtin_records_are_whole() {
        for (name, text) in BUILTIN {
            let (advisories, warnings) = read_advisories(BUILTIN_SOURCE, name, text.as_bytes());
            assert_eq!(warnings, []);
            let [advisory] = &advisories[..] else { panic!("{name} is not one record") };
            assert_eq!(format!("{}.json", advisory.id), name);
            assert!(advisory.aliases.iter().any(|alias| alias.starts_with("GHSA-")));
            let [affected] = &advisory.affected[..] else { panic!("{name}: one package") };
            assert_eq!(affected.package.ecosystem, Ecosystem::Maven);
            assert_eq!(affected.package.name, "org.apache.logging.log4j:log4j-core");
            assert!(!advisory.summary.is_empty() && advisory.published.is_some());
            assert!(advisory.severities.iter().all(|it| it.vector.starts_with("CVSS:3.1/")));
        }
    }

    /// The intervals that Apache published: one for each branch it maintained.
    #[test]
    fn builtin_intervals_are_those_of_apache() {
        let mut rows = Vec::new();
        for advisory in builtin_advisories() {
            let mut row = advisory.id;
            for range in advisory.affected.iter().flat_map(|affected| &affected.ranges) {
                match &range.events[..] {
                    [RangeEvent::Introduced(from), RangeEvent::Fixed(to)] => {
                        row.push_str(&format!(" [{from}, {to})"));
                    }
                    events => panic!("{row}: {events:?}"),
                }
            }
            rows.push(row);
        }
        assert_eq!(
            rows,
            [
                "CVE-2021-44228 [2.0-beta9, 2.3.1) [2.4, 2.12.2) [2.13.0, 2.15.0)",
                "CVE-2021-44832 [2.0-beta7, 2.3.2) [2.4, 2.12.4) [2.13.0, 2.17.1)",
                "CVE-2021-45046 [2.0-beta9, 2.3.1) [2.4, 2.12.2) [2.13.0, 2.16.0)",
                "CVE-2021-45105 [2.0-alpha1, 2.3.1) [2.4, 2.12.3) [2.13.0, 2.17.0)",
            ]
        );
    }

    #[test]
    fn known_exploited_are_the_two_of_the_catalogue() {
        let ids: Vec<_> = builtin_advisories()
            .into_iter()
            .filter(Advisory::known_exploited)
            .map(|advisory| advisory.id)
            .collect();
        assert_eq!(ids, ["CVE-2021-44228", "CVE-2021-45046"]);
    }

    #[test]
    fn an_unknown_document_is_one_warning() {
        for bytes in [&b""[..], b"PK\x03\x04", b"id,name\n1,2\n"] {
            let (advisories, warnings) = read_advisories("test", "feed.bin", bytes);
            assert_eq!(advisories, []);
            assert_eq!(warnings[0].code, "advisory-format-unknown");
            assert_eq!(warnings.len(), 1);
        }
    }
}
