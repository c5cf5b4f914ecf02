//! Advisory documents: one plug-in a format, and the records that relight ships itself.

use std::ops::Range;

use relight_model::{Advisory, Warning, registry};

pub use crate::advisory::epss::{SCORES_MAX, Score, Scores};
pub use crate::advisory::json::{
    ALIASES_MAX, DEPTH_MAX, EVENTS_MAX, PACKAGES_MAX, RECORD_BYTES_MAX, VERSIONS_MAX,
};
use crate::advisory::json::{Fault, Object};
pub use crate::advisory::matching::matching_digest;
pub use crate::advisory::outline::{HEAD_BYTES, MEMBERS_MAX, Outline};
use crate::advisory::pieces::Piece;
pub use crate::advisory::sources::{SOURCES, SourceInfo, source_info};

mod canonical;
mod dialect;
pub mod feed;
mod json;
pub mod listing;
mod matching;
mod names;
mod outline;
mod pieces;
mod sources;

registry! {
    /// Every advisory format, in alphabetical order.
    pub static ADVISORY_FORMATS: dyn AdvisoryFormat, check = crate::advisory::check;
    alpine_secdb, csaf, cve, cyclonedx_vex, debian_tracker, epss, kev, nvd, openvex, osv
}

/// The format that takes any JSON, asked last.
const LAST: &str = "osv";

/// One form in which advisories are published.
pub trait AdvisoryFormat: Sync {
    /// The name of the format, which is the name of its file.
    fn name(&self) -> &'static str;

    /// Whether a document that looks so from outside is of this form.
    fn recognises(&self, outline: &Outline<'_>) -> bool;

    /// Whether the documents of this form list everything that their source says.
    fn is_whole(&self) -> bool {
        false
    }

    /// Reads every record; one that cannot be used is refused and costs no other record.
    fn read(&self, input: &Input<'_>) -> Reading;
}

/// A document to read.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Becomes [`Advisory::source`]; empty to name the source by what the record says.
    pub source: &'a str,
    /// The name of the document, for warnings.
    pub place: &'a str,
    /// The number of its first line, 1 unless it is a part of a longer one.
    pub line: usize,
    /// The document, in UTF-8.
    pub bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// A whole document.
    pub const fn whole(source: &'a str, place: &'a str, bytes: &'a [u8]) -> Self {
        Self { source, place, line: 1, bytes }
    }
}

/// What a document holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The name of the format; empty when none takes the document.
    pub format: &'static str,
    /// The records that can be used.
    pub records: Vec<Record>,
    /// The records that cannot.
    pub refused: Vec<Refusal>,
    /// What was wrong with records that can be used all the same.
    pub notes: Vec<Warning>,
    /// Scores of exploitation, if it is a table of them.
    pub scores: Option<Scores>,
    /// Sources of which the document is a complete list.
    pub whole: Vec<String>,
    /// Documents of several records: what is known of one and not among them has gone.
    pub extents: Vec<Extent>,
}

/// One document of several records, each of which changes and ends for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How its records are told from others.
    pub kind: ExtentKind,
    /// The id of the document.
    pub id: String,
    /// Its records, by their places in [`Reading::records`].
    pub records: Range<usize>,
}

/// How the records of one document are told from those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtentKind {
    /// By their ids: that of the document, or that and more behind a slash; in one source.
    Ids,
    /// By their sources: its records share the id, and their sources are one of two kinds, `NAME`
    /// or `NAME-adp/…`.
    Containers,
}

/// One advisory and where its raw text stands in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was read.
    pub advisory: Advisory,
    /// The bytes of the document that hold it.
    pub range: Range<usize>,
    /// The version of the document, so that an older one never replaces a newer one; 0 where
    /// documents have none.
    pub ordinal: i64,
    /// A document of its own with this record, where its bytes alone would not tell what it is.
    pub raw: Option<Vec<u8>>,
}

impl Record {
    /// The bytes to keep: a document that reads back as this record.
    pub fn kept<'a>(&'a self, document: &'a [u8]) -> &'a [u8] {
        let inside = document.get(self.range.clone()).unwrap_or_default();
        self.raw.as_deref().unwrap_or(inside)
    }
}

/// A record that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its id, when that much can be told: what is known of it stays in force and is out of date.
    pub id: Option<String>,
    /// Where it stands, what is wrong and what to do.
    pub warning: Warning,
}

impl Reading {
    /// The record that is kept under this source and id, if the document holds it. Several under
    /// one id are united: some databases repeat an id, each time with other packages.
    pub fn pick(self, source: &str, id: &str) -> Option<Advisory> {
        let all = self.records.into_iter().map(|it| it.advisory).filter(|it| it.id == id);
        let (ours, others): (Vec<_>, Vec<_>) = all.partition(|it| it.source == source);
        let mut all = if ours.is_empty() { others } else { ours };
        // What was withdrawn says nothing beside what is in force.
        if all.iter().any(Advisory::is_in_force) {
            all.retain(Advisory::is_in_force);
        }
        let mut united = all.into_iter().reduce(|mut united, next| {
            united.affected.extend(next.affected);
            for (list, more) in [
                (&mut united.aliases, next.aliases),
                (&mut united.related, next.related),
                (&mut united.upstream, next.upstream),
                (&mut united.references, next.references),
            ] {
                list.extend(more);
                list.sort();
                list.dedup();
            }
            united
        })?;
        source.clone_into(&mut united.source);
        Some(united)
    }

    /// Reads pieces of JSON with `read`, which may make several records of one.
    fn take(
        &mut self,
        input: &Input<'_>,
        format: &'static str,
        pieces: Vec<Piece>,
        read: impl Fn(&Object, &mut Vec<String>) -> Result<Vec<Advisory>, Fault>,
    ) {
        let codes = codes(format);
        for Piece { place, range, fault } in pieces {
            let raw = input.bytes.get(range.clone()).unwrap_or_default();
            let mut notes = Vec::new();
            let object = match fault {
                None => json::object(raw, &mut notes),
                Some(fault) => Err(fault.to_owned()),
            };
            match object.and_then(|object| read(&object, &mut notes)) {
                Ok(records) => records.into_iter().for_each(|advisory| {
                    self.push(input.source, advisory, range.clone());
                }),
                Err(fault) => {
                    let message = format!("{fault}; left out, correct it and import it again");
                    let warning = Warning::new(codes.0, &place, message);
                    self.refused.push(Refusal { id: pieces::id_of(raw), warning });
                }
            }
            self.notes.extend(notes.into_iter().map(|it| Warning::new(codes.1, &place, it)));
        }
    }

    /// Says of the records of each document that they are all of it.
    fn extend(&mut self, kind: ExtentKind) {
        let mut at = 0;
        for records in self.records.chunk_by(|one, next| one.range == next.range) {
            let (id, from) = (records[0].advisory.id.clone(), at);
            at += records.len();
            self.extents.push(Extent { kind, id, records: from..at });
        }
    }

    fn push(&mut self, source: &str, mut advisory: Advisory, range: Range<usize>) {
        if !source.is_empty() {
            source.clone_into(&mut advisory.source);
        }
        self.records.push(Record { advisory, range, ordinal: 0, raw: None });
    }
}

/// The codes of a refusal and of a note.
fn codes(format: &str) -> (&'static str, &'static str) {
    match format {
        "osv" => ("osv-bad-record", "osv-note"),
        _ => ("advisory-bad-record", "advisory-note"),
    }
}

/// The last word of a status as a number that orders versions: `final 1.2.3`, `7`.
fn ordinal(status: &str) -> i64 {
    const PART_MAX: i64 = 999_999;
    let version = status.rsplit(' ').next().unwrap_or_default();
    let parts = version.split(['-', '+']).next().unwrap_or_default().split('.');
    let mut numbers = parts.map(|part| part.parse::<i64>().map_or(0, |it| it.clamp(0, PART_MAX)));
    let mut next = || numbers.next().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    (major * (PART_MAX + 1) + minor) * (PART_MAX + 1) + patch
}

/// Reads a document in any known format.
///
/// A document that no format recognises is one refusal.
pub fn read(input: &Input<'_>) -> Reading {
    let outline = Outline::of(input.bytes);
    let fits = |format: &&&dyn AdvisoryFormat| format.recognises(&outline);
    let first = ADVISORY_FORMATS.iter().filter(|format| format.name() != LAST).find(fits);
    let format = first.or_else(|| ADVISORY_FORMATS.iter().find(fits));
    let Some(format) = format else {
        let message = "holds no advisory in a known format; expected OSV, CVE, NVD, CSAF, VEX, \
                       KEV, EPSS, or the trackers of Debian and Alpine";
        let warning = Warning::new("advisory-format-unknown", input.place, message);
        let refused = vec![Refusal { id: None, warning }];
        return Reading { refused, ..Reading::default() };
    };
    let mut reading = format.read(input);
    reading.format = format.name();
    if format.is_whole() && reading.refused.is_empty() {
        reading.whole = reading.records.iter().map(|it| it.advisory.source.clone()).collect();
        reading.whole.sort();
        reading.whole.dedup();
    }
    reading
}

/// Reads a record that was kept, see [`Record::kept`]; `None` when it is none any more.
pub fn read_kept(source: &str, id: &str, bytes: &[u8]) -> Option<Advisory> {
    let mut advisory = read(&Input::whole("", id, bytes)).pick(source, id)?;
    advisory.shrink_to_fit();
    Some(advisory)
}

/// Reads the advisories of a document in any known format.
///
/// Warnings name `place` with the line or the number of the record, say what is wrong with it and
/// what to do. A document that no format recognises gives one warning.
pub fn read_advisories(source: &str, place: &str, bytes: &[u8]) -> (Vec<Advisory>, Vec<Warning>) {
    let Reading { records, refused, notes, .. } = read(&Input::whole(source, place, bytes));
    let warnings = refused.into_iter().map(|it| it.warning).chain(notes).collect();
    (records.into_iter().map(|record| record.advisory).collect(), warnings)
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
            let input = Input::whole("", file, bytes);
            let reading = read(&input);
            assert_eq!(reading.format, name, "{file}");
            let Reading { format: _, records, refused, notes, scores, whole, extents } = reading;
            lines.extend(records.iter().flat_map(show));
            lines.extend(refused.iter().map(|it| format!("{} {:?}", it.warning, it.id)));
            lines.extend(notes.iter().map(ToString::to_string));
            lines.extend(scores.iter().map(|it| format!("{it:?}")));
            lines.extend((!whole.is_empty()).then(|| format!("whole {whole:?}")));
            let parts = extents.iter().filter(|it| it.records.len() > 1);
            lines.extend(parts.map(|it| format!("{} is records {:?}", it.id, it.records)));
        }
        lines.join("\n") + "\n"
    });
}

/// A record as lines of text; every field is named, so that a new one is not forgotten.
#[cfg(test)]
fn show(record: &Record) -> Vec<String> {
    let Record { advisory, range, ordinal, raw } = record;
    let Advisory { source, id, revision, published, modified, withdrawn, .. } = advisory;
    let mut lines = vec![
        format!("{id} from {source} at {range:?} sha256 {:.8}", revision.to_string()),
        format!("  published {published:?} modified {modified:?} withdrawn {withdrawn:?}"),
    ];
    lines.extend((*ordinal != 0).then(|| format!("  ordinal {ordinal}")));
    lines.extend(raw.as_ref().map(|raw| format!("  raw {}", String::from_utf8_lossy(raw))));
    lines.extend(show_rest(advisory));
    lines.extend(advisory.affected.iter().flat_map(show_affected));
    lines
}

/// The fields of a record that are not empty.
#[cfg(test)]
fn show_rest(advisory: &Advisory) -> Vec<String> {
    let Advisory { effect, reviewed, status, assigner, aliases, related, upstream, .. } = advisory;
    let Advisory { expires, .. } = advisory;
    let Advisory { summary, products, configurations, statements, .. } = advisory;
    let Advisory { severities, signals, references, exhibits, .. } = advisory;
    let mut lines = Vec::new();
    let mut line = |name: &str, is_empty: bool, text: String| {
        if !is_empty {
            lines.push(format!("  {name} {text}"));
        }
    };
    line("effect", *effect == relight_model::Effect::Opinion, format!("{effect:?}"));
    line("expires", expires.is_none(), format!("{expires:?}"));
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
    exhibits.iter().for_each(|it| line("exhibit", false, format!("{it:?}")));
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
    fn what_is_kept_is_found_again_and_doubles_are_united() {
        let entry =
            |name: &str| format!(r#"[{{"package":{{"ecosystem":"npm","name":"{name}"}}}}]"#);
        let record = |name: &str, related: &str| {
            let affected = entry(name);
            format!(r#"{{"id":"ALSA-1","related":["{related}"],"affected":{affected}}}"#)
        };
        let both = format!("[{},{}]", record("a", "CVE-1"), record("b", "CVE-2"));
        let read = || read(&Input::whole("", "kept", both.as_bytes()));
        let united = read().pick("almalinux", "ALSA-1").unwrap();
        assert_eq!(
            (united.affected.len(), &united.upstream[..]),
            (2, &["CVE-1".to_owned(), "CVE-2".to_owned()][..])
        );
        assert_eq!(united.source, "almalinux");
        assert_eq!(read().pick("almalinux", "ALSA-2"), None);
        // A source that was named otherwise when the record was stored keeps its name.
        assert_eq!(read().pick("mirror", "ALSA-1").unwrap().source, "mirror");
    }

    /// Goal: what is stored of a record reads back as that record. Each fixture of each format.
    #[test]
    fn what_is_kept_of_each_fixture_reads_back() {
        let fixtures: [&[u8]; 9] = [
            include_bytes!("../fixtures/alpine_secdb/main/main.json"),
            include_bytes!("../fixtures/csaf/vex/vex.json"),
            include_bytes!("../fixtures/cve/containers/CVE-2024-0001.json"),
            include_bytes!("../fixtures/debian_tracker/tracker/tracker.json"),
            include_bytes!("../fixtures/kev/cisa/kev.json"),
            include_bytes!("../fixtures/kev/enisa/kev.csv"),
            include_bytes!("../fixtures/kev/vulncheck/kev.json"),
            include_bytes!("../fixtures/nvd/page/page.json"),
            include_bytes!("../fixtures/openvex/version_0_2/a.vex.json"),
        ];
        for bytes in fixtures {
            let all = read(&Input::whole("", "f", bytes)).records;
            assert!(!all.is_empty());
            for record in all {
                let again =
                    read_kept(&record.advisory.source, &record.advisory.id, record.kept(bytes));
                assert_eq!(again.as_ref(), Some(&record.advisory));
            }
        }
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
