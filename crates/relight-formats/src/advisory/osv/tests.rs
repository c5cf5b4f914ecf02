//! Limits, cuts and encodings of OSV documents.

use std::iter::repeat_n;

use relight_model::Warning;

use super::super::{DEPTH_MAX, RECORD_BYTES_MAX, Record};
use super::*;

fn read(text: &str) -> (Vec<Record>, Vec<Warning>) {
    read_bytes(text.as_bytes())
}

fn read_bytes(bytes: &[u8]) -> (Vec<Record>, Vec<Warning>) {
    let Reading { records, refused, .. } = PLUGIN.read(&Input::whole("", "feed", bytes));
    (records, refused.into_iter().map(|it| it.warning).collect())
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
    let with_events =
        |count| affected(format!(r#""ranges":[{{"type":"SEMVER","events":{}}}]"#, events(count)));
    let with_bytes = |count: usize| {
        let empty = record(r#""details":"""#.into()).len();
        record(format!(r#""details":"{}""#, "x".repeat(count - empty)))
    };
    let with_depth =
        |count: usize| record(format!(r#""x":{}{}"#, "[".repeat(count - 1), "]".repeat(count - 1)));
    type Maker<'a> = &'a dyn Fn(usize) -> String;
    let cases: [(Maker<'_>, usize); 6] = [
        (&with_aliases, ALIASES_MAX),
        (&with_packages, PACKAGES_MAX),
        (&with_versions, VERSIONS_MAX),
        (&with_events, EVENTS_MAX),
        (&with_bytes, RECORD_BYTES_MAX),
        (&with_depth, DEPTH_MAX),
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
fn the_revision_is_that_of_the_content() {
    let (one, _) = read(r#"{"id":"A-1"}"#);
    let (two, _) = read(r#"[{"id":"A-1"}]"#);
    let (blanks, _) = read(r#"{ "id" : "A-\u0031" }"#);
    assert_eq!(one[0].advisory.revision, blanks[0].advisory.revision);
    let (other, _) = read(r#"{"id":"A-1","summary":"x"}"#);
    assert_eq!(one[0].advisory.revision, two[0].advisory.revision);
    assert_ne!(one[0].advisory.revision, other[0].advisory.revision);
}

#[test]
fn a_byte_order_mark_and_latin_1_are_read() {
    let (records, _) = read("\u{feff}{\"id\":\"A-1\"}");
    assert_eq!(records[0].advisory.id, "A-1");
    let (records, refused) = read_bytes(b"{\"id\":\"A-1\",\"summary\":\"caf\xe9\"}");
    assert_eq!((records[0].advisory.summary.as_str(), refused.len()), ("caf\u{e9}", 0));
}

#[test]
fn a_refused_record_keeps_its_id() {
    for (text, id) in [
        (r#"{"id":"A-1","affected":[{"package":{}}]}"#, Some("A-1")),
        (r#"{"x":{"id":"no"},"id":"A-2","aliases":1}"#, Some("A-2")),
        (r#"{"id":"A-3","summary":"cut"#, Some("A-3")),
        (r#"{"summary":"x","id":7}"#, None),
        (r#"{"summary":"cut, "id":"A-4"}"#, None),
    ] {
        let reading = PLUGIN.read(&Input::whole("", "feed", text.as_bytes()));
        assert_eq!(reading.refused[0].id.as_deref(), id, "{text}");
        assert_eq!(reading.records, []);
    }
}
