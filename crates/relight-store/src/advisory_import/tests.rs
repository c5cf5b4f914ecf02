//! Revisions, doubles, what vanished, guards, and sources.

use super::*;
use crate::testing::{behind, open};
use crate::{ADVISORY_BYTES_MAX, ContentDigest, LATE_S, SourceState, StoredAdvisory};

/// A record as `id`, `id:text` or `id:text@modified`; the text alone decides the matching.
fn import(store: &Store, now: Timestamp, source: &str, words: &str) -> (Vec<Stored>, SourceCounts) {
    import_with(store, now, source, words, &[])
}

fn import_with(
    store: &Store,
    now: Timestamp,
    source: &str,
    words: &str,
    accept: &[&str],
) -> (Vec<Stored>, SourceCounts) {
    let accept: Vec<String> = accept.iter().map(|it| (*it).to_owned()).collect();
    let records = words.split_whitespace().filter(|word| !word.starts_with(['=', '!']));
    let records: Vec<_> =
        records.filter(|it| *it != "whole").map(|it| record(source, it)).collect();
    let mut kept = store
        .keep_documents(&records.iter().map(document).collect::<Vec<_>>())
        .unwrap()
        .into_iter();
    let mut kept = records.into_iter().map(|it| {
        let content = Content::Kept(kept.next().unwrap());
        ImportRecord { content, ..it }
    });
    let (stored, mut counts) = store
        .import_advisories(now, Accepted { sources: &accept, actor: "anna" }, |importer| {
            let mut stored = Vec::new();
            for word in words.split_whitespace() {
                match word {
                    "whole" => importer.whole(source)?,
                    word if word.starts_with('=') => {
                        importer.dated(source, word[1..].parse().unwrap())?;
                    }
                    word if word.starts_with('!') => importer.refused(&word[1..])?,
                    _ => stored.push(importer.put(&kept.next().unwrap())?),
                }
            }
            Ok(stored)
        })
        .unwrap();
    (stored, counts.remove(source).unwrap_or_default())
}

fn record<'a>(source: &'a str, word: &'a str) -> ImportRecord<'a> {
    let (rest, withdrawn) = match word.strip_suffix('-') {
        Some(rest) => (rest, Some(7)),
        None => (word, None),
    };
    let (rest, modified) = match rest.split_once('@') {
        Some((rest, at)) => (rest, at.parse().ok()),
        None => (rest, None),
    };
    let (rest, ordinal) = match rest.split_once('#') {
        Some((rest, ordinal)) => (rest, ordinal.parse().unwrap()),
        None => (rest, 0),
    };
    let (id, text) = rest.split_once(':').unwrap_or((rest, rest));
    ImportRecord {
        source,
        id,
        document: id.split_once('/').map_or("", |(document, _)| document),
        revision: crate::blob::digest_of(word.as_bytes()),
        matching: crate::blob::digest_of(text.as_bytes()),
        ordinal,
        modified,
        withdrawn,
        content: Content::Bytes(word.as_bytes()),
    }
}

/// What is kept of a record before the import that tells it.
fn document<'a>(record: &ImportRecord<'a>) -> NewDocument<'a> {
    let ImportRecord { source, id, revision, content, .. } = *record;
    let Content::Bytes(bytes) = content else { panic!("it is kept already") };
    NewDocument { source, id, revision, bytes, content: ContentDigest::of(bytes) }
}

fn blobs(store: &Store) -> i64 {
    behind(store).query_row("SELECT count(*) FROM blob", [], |row| row.get(0)).unwrap()
}

fn numbered(count: usize, text: &str) -> String {
    (0..count).map(|n| format!("A-{n}:{text} ")).collect()
}

fn newest(store: &Store) -> Vec<String> {
    let show = |StoredAdvisory { id, bytes, ended, .. }: StoredAdvisory| {
        let ended = if ended.is_some() { " ended" } else { "" };
        format!("{id} {}{ended}", String::from_utf8(bytes).unwrap())
    };
    store.advisories().unwrap().into_iter().map(show).collect()
}

#[test]
fn revisions_are_added_and_the_same_is_counted_as_such() {
    let (_folder, store) = open();
    let (stored, _) = import(&store, 1, "s", "A:a@10 B:b");
    assert_eq!(stored, [Stored::New, Stored::New]);
    let (stored, counts) = import(&store, 2, "s", "A:a@10 B:c");
    assert_eq!(stored, [Stored::Same, Stored::Changed]);
    assert_eq!((counts.same, counts.changed, counts.matching), (1, 1, 1));
    // The feed is the truth, also where it goes back.
    let (stored, counts) = import(&store, 3, "s", "A:z@9");
    assert_eq!((stored, counts.went_back), (vec![Stored::Changed], 1));
    let history = store.advisory_history("s", "A").unwrap();
    let flags: Vec<_> = history.iter().map(|it| (it.recorded_at, it.flags.as_str())).collect();
    assert_eq!(flags, [(1, ""), (3, "modified-went-back")]);
    assert_eq!(newest(&store), ["A A:z@9", "B B:c"]);
}

#[test]
fn a_record_from_the_future_is_clamped() {
    let (_folder, store) = open();
    let (at, ahead) = (1_000, 1_000 + AHEAD_S_MAX);
    import(&store, at, "s", &format!("A:a@{ahead} B:b@{}", ahead + 1));
    let of = |id: &str| store.advisory_history("s", id).unwrap().remove(0);
    assert_eq!((of("A").modified, of("A").flags.as_str()), (Some(ahead), ""));
    assert_eq!((of("B").modified, of("B").flags.as_str()), (Some(at), "modified-clamped"));
}

#[test]
fn an_older_document_does_not_replace_a_newer_one() {
    let (_folder, store) = open();
    import(&store, 1, "s", "D:x#2");
    assert_eq!(import(&store, 2, "s", "D:y#1").0, [Stored::Older]);
    assert_eq!(import(&store, 3, "s", "D:y#3").0, [Stored::Changed]);
    assert_eq!(newest(&store), ["D D:y#3"]);
}

/// The parts of a document have its revision.
fn of_version(number: &str) -> Digest {
    crate::blob::digest_of(number.as_bytes())
}

/// Imports versions of the document `D`, each with the parts that it holds.
fn versions(store: &Store, now: Timestamp, all: &[(i64, &str, &[&str])]) -> SourceCounts {
    let work = |importer: &mut Importer<'_>| {
        for (ordinal, revision, parts) in all {
            let mut ids = std::collections::BTreeSet::from(["D"]);
            for id in ["D"].iter().chain(*parts) {
                let of = if *id == "D" { "" } else { "D" };
                let plain = record("s", id);
                let revision = of_version(revision);
                let it = ImportRecord { ordinal: *ordinal, revision, document: of, ..plain };
                importer.put(&it)?;
                ids.insert(id);
            }
            importer.all_parts("s", "D", *ordinal, &ids)?;
        }
        Ok(())
    };
    store.import_advisories(now, Accepted::default(), work).unwrap().1.remove("s").unwrap()
}

/// Goal: what a new version of a bulletin no longer holds ends, comes back with a newer one, and
/// neither an older version nor the order of files brings it back. Method: versions one by one, in
/// one import, and backwards.
#[test]
fn a_part_that_a_new_version_drops_ends_with_it() {
    let (one, two) = ((1, "1", &["D/A", "D/B"][..]), (2, "2", &["D/A"][..]));
    let only_a = ["D D", "D/A D/A", "D/B D/B ended"];
    let (_folder, store) = open();
    versions(&store, 1, &[one]);
    assert_eq!(newest(&store), ["D D", "D/A D/A", "D/B D/B"]);
    let counts = versions(&store, 2, &[two]);
    assert_eq!((counts.vanished, counts.matching, counts.changed), (1, 1, 2));
    assert_eq!(newest(&store), only_a);
    assert_eq!(store.advisory_marks().unwrap()[0].id, "D/B");
    // Once more, the older one, and both at once in any order.
    for (now, all) in [(3, &[two][..]), (4, &[one]), (5, &[one, two]), (6, &[two, one])] {
        assert_eq!(versions(&store, now, all).vanished, 0, "{all:?}");
        assert_eq!(newest(&store), only_a, "{all:?}");
        assert_eq!(store.advisory_marks().unwrap().len(), 1, "{all:?}");
    }
    versions(&store, 7, &[(3, "3", &["D/A", "D/B"])]);
    assert_eq!(newest(&store), ["D D", "D/A D/A", "D/B D/B"]);
    assert_eq!(store.advisory_marks().unwrap(), []);
    let history = store.advisory_history("s", "D/B").unwrap();
    assert_eq!(history.iter().map(|it| it.withdrawn).collect::<Vec<_>>(), [None, Some(2), None]);
    for all in [[one, two], [two, one]] {
        let (_folder, store) = open();
        versions(&store, 1, &all);
        let told: Vec<_> = newest(&store).into_iter().filter(|it| !it.ends_with("ended")).collect();
        assert_eq!(told, ["D D", "D/A D/A"], "{all:?}");
    }
}

#[test]
fn a_document_whose_id_begins_like_a_part_is_none() {
    let (_folder, store) = open();
    import(&store, 1, "s", "D/A:other");
    versions(&store, 2, &[(1, "1", &["D/B"])]);
    versions(&store, 3, &[(2, "2", &[])]);
    assert_eq!(newest(&store), ["D D", "D/A D/A:other", "D/B D/B ended"]);
}

/// Imports version `ordinal` of document C, in which these sources speak.
fn version_of_containers(store: &Store, now: i64, ordinal: i64, sources: &[&str]) {
    let work = |importer: &mut Importer<'_>| {
        for source in sources {
            importer.put(&ImportRecord { ordinal, ..record(source, "C") })?;
        }
        importer.all_containers("cve", "C", ordinal, &sources.iter().copied().collect())
    };
    store.import_advisories(now, Accepted::default(), work).unwrap();
}

/// A delta that was carried in first, and then the older archive of the night before.
#[test]
fn an_older_document_ends_no_container_of_a_newer_one() {
    let (_folder, store) = open();
    let in_force = || {
        let all = store.advisories().unwrap().into_iter().filter(|it| it.ended.is_none());
        all.map(|it| it.source).collect::<Vec<_>>().join(" ")
    };
    version_of_containers(&store, 1, 20, &["cve", "cve-adp/kev"]);
    version_of_containers(&store, 2, 10, &["cve"]);
    assert_eq!(in_force(), "cve cve-adp/kev");
    version_of_containers(&store, 3, 30, &["cve"]);
    assert_eq!(in_force(), "cve");
    version_of_containers(&store, 4, 20, &["cve", "cve-adp/kev"]);
    assert_eq!(in_force(), "cve", "what the newer one no longer holds is not brought back");
}

#[test]
fn a_container_that_leaves_its_document_ends_and_others_stay() {
    let (_folder, store) = open();
    let containers = |now, sources: &[&str]| {
        version_of_containers(&store, now, 0, sources);
        let told = store.advisories().unwrap().into_iter();
        let told =
            told.filter(|it| it.ended.is_none()).map(|it| format!("{}/{}", it.source, it.id));
        told.collect::<Vec<_>>().join(" ")
    };
    import(&store, 1, "cve-adp/a", "OTHER");
    import(&store, 1, "nvd", "C");
    assert_eq!(containers(2, &["cve", "cve-adp/a"]), "cve/C cve-adp/a/C cve-adp/a/OTHER nvd/C");
    assert_eq!(containers(3, &["cve", "cve-adp/b"]), "cve/C cve-adp/a/OTHER cve-adp/b/C nvd/C");
    assert_eq!(containers(4, &["cve"]), "cve/C cve-adp/a/OTHER nvd/C");
    assert_eq!(containers(5, &["cve", "cve-adp/a"]), "cve/C cve-adp/a/C cve-adp/a/OTHER nvd/C");
}

#[test]
fn doubles_of_one_list_are_united_and_stay_so() {
    let (_folder, store) = open();
    let (stored, _) = import(&store, 1, "s", "A:a A:b A:a B:x");
    assert_eq!(stored, [Stored::New, Stored::United, Stored::Same, Stored::New]);
    assert_eq!(newest(&store), ["A [A:a,A:b]", "B B:x"]);
    assert_eq!(store.advisory_history("s", "A").unwrap().len(), 1);
    for words in ["A:a A:b B:x", "A:b A:a B:x"] {
        let (stored, counts) = import(&store, 2, "s", words);
        assert_eq!(stored, [Stored::Same, Stored::Same, Stored::Same]);
        assert_eq!((counts.changed, counts.united), (0, 0));
    }
    let (stored, counts) = import(&store, 3, "s", "A:a A:b A:c");
    assert_eq!(stored, [Stored::Same, Stored::Same, Stored::United]);
    // The first of them takes the place of what was there, and the others join it.
    assert_eq!((counts.changed, counts.united, counts.same), (1, 2, 0));
    assert_eq!(newest(&store), ["A [A:a,A:b,A:c]", "B B:x"]);
    let many: String = (0..=PARTS_MAX).map(|n| format!("Z:{n} ")).collect();
    let (stored, _) = import(&store, 4, "s", &many);
    assert_eq!(stored.iter().filter(|it| **it == Stored::TooLarge).count(), 1);
    // Two of three, the first of which is older than what they were together.
    import(&store, 5, "s", "Y:a@9 Y:b@8");
    import(&store, 6, "s", "Y:c@9 Y:b@8 Y:d@8");
    let (stored, counts) = import(&store, 7, "s", "Y:b@8 Y:d@8");
    assert_eq!(stored, [Stored::Same, Stored::Same]);
    assert_eq!((counts.changed, counts.united, counts.same, counts.went_back), (1, 1, 0, 1));
    assert_eq!(newest(&store)[2], "Y [Y:b@8,Y:d@8]");
}

#[test]
fn what_is_missing_from_a_whole_list_is_marked_and_comes_back() {
    let (_folder, store) = open();
    let all = numbered(40, "a");
    import(&store, 1, "s", &format!("whole {all}"));
    let (_, counts) = import(&store, 2, "s", &format!("whole {}", numbered(39, "a")));
    assert_eq!((counts.vanished, counts.refused), (1, None));
    let marks = store.advisory_marks().unwrap();
    assert_eq!((marks[0].id.as_str(), marks[0].kind.as_str()), ("A-39", "vanished"));
    // It keeps its opinion, is told once, and does not count towards the next list.
    assert!(newest(&store).contains(&"A-39 A-39:a".to_owned()));
    let (_, counts) = import(&store, 3, "s", &format!("whole {}", numbered(38, "a")));
    assert_eq!((counts.vanished, counts.refused), (1, None));
    import(&store, 4, "s", &format!("whole {all}"));
    assert_eq!(store.advisory_marks().unwrap(), []);
}

#[test]
fn what_is_missing_from_a_list_that_is_made_anew_ends_and_returns() {
    let (_folder, store) = open();
    import(&store, 1, "debian", &format!("whole {}", numbered(40, "a")));
    import(&store, 2, "debian", &format!("whole {}", numbered(39, "a")));
    assert!(newest(&store).contains(&"A-39 A-39:a ended".to_owned()));
    let (_, counts) = import(&store, 3, "debian", &format!("whole {}", numbered(39, "a")));
    assert_eq!(counts.vanished, 0);
    let (_, counts) = import(&store, 4, "debian", &format!("whole {}", numbered(40, "a")));
    assert_eq!(counts.changed, 1);
    assert!(newest(&store).contains(&"A-39 A-39:a".to_owned()));
    assert_eq!(store.advisory_marks().unwrap(), []);
    assert_eq!(store.advisory_history("debian", "A-39").unwrap().len(), 3);
}

#[test]
fn a_list_that_shrank_is_refused_whole_until_somebody_accepts_it() {
    let (_folder, store) = open();
    import(&store, 1, "s", &format!("whole {}", numbered(100, "a")));
    let before = newest(&store);
    let short = format!("whole {} NEW:x", numbered(93, "a"));
    let (_, counts) = import(&store, 2, "s", &short);
    assert_eq!(counts.refused, Some(Guard::Shrunk { before: 100, now: 94 }));
    assert_eq!(newest(&store), before);
    let state = |now| store.advisory_sources().unwrap()[0].state(now, LATE_S);
    assert_eq!(state(2), SourceState::Refused);
    let enough = format!("whole {} NEW:x", numbered(94, "a"));
    assert_eq!(import(&store, 3, "s", &enough).1.refused, None);
    assert_eq!(state(3), SourceState::Fresh);
    let (_, counts) = import_with(&store, 4, "s", "whole A-1:a", &["s"]);
    assert_eq!((counts.refused, counts.vanished), (None, 94));
}

#[test]
fn many_changes_are_refused_and_a_few_never_are() {
    let (_folder, store) = open();
    import(&store, 1, "small", &numbered(10, "a"));
    assert_eq!(import(&store, 2, "small", &numbered(10, "b")).1.refused, None);
    import(&store, 1, "s", &numbered(500, "a"));
    assert_eq!(import(&store, 2, "s", &numbered(25, "b")).1.refused, None);
    let (_, counts) = import(&store, 3, "s", &numbered(26, "c"));
    assert_eq!(counts.refused, Some(Guard::Changed { before: 500, changed: 26 }));
    assert!(newest(&store).contains(&"A-25 A-25:a".to_owned()));
    assert_eq!(import_with(&store, 4, "s", &numbered(26, "c"), &["s"]).1.refused, None);
    const { assert!(CHANGE_FREE < 26 && 26 * 100 > 500 * CHANGE_MAX) };
}

/// Goal: how new a list is never comes from one that is not in force as a whole.
#[test]
fn a_list_is_as_new_as_the_newest_date_in_it_and_only_as_a_whole() {
    let (_folder, store) = open();
    let many = numbered(100, "a");
    for (now, words, dated) in [
        (1_000, format!("{many} =900"), None),
        (1_100, format!("whole {many} =700 =800 =1101"), Some(800)),
        (1_200, "A-1:a =1150".to_owned(), Some(800)),
        (1_300, "whole A-1:a =1250".to_owned(), Some(800)),
        (1_400, format!("whole {many} =600"), Some(600)),
        (1_500, format!("whole {many}"), Some(600)),
        (1_600, format!("whole {many} =1600"), Some(1_600)),
    ] {
        import(&store, now, "kev/a", &words);
        assert_eq!(store.advisories_dated("kev/").unwrap(), dated, "{now}");
    }
    import(&store, 1_700, "other", "whole A:a =1650");
    import(&store, 1_700, "kev/b", "whole A:a =1620");
    assert_eq!(store.advisories_dated("kev/").unwrap(), Some(1_620), "the newest of them");
    assert_eq!(store.advisories_dated("kev/a").unwrap(), Some(1_600));
    assert_eq!(store.advisories_dated("nothing").unwrap(), None);
}

#[test]
fn one_refused_source_does_not_stop_another() {
    let (_folder, store) = open();
    import(&store, 1, "a", &format!("whole {}", numbered(100, "a")));
    let (_, counts) = store
        .import_advisories(2, Accepted::default(), |importer| {
            importer.put(&record("b", "X:x"))?;
            importer.whole("a")?;
            importer.put(&record("a", "A-1:z"))
        })
        .unwrap();
    assert!(counts["a"].refused.is_some() && counts["b"].refused.is_none());
    assert!(newest(&store).contains(&"X X:x".to_owned()));
    assert!(newest(&store).contains(&"A-1 A-1:a".to_owned()));
}

#[test]
fn a_record_whose_successor_cannot_be_read_stays_in_force_and_is_out_of_date() {
    let (_folder, store) = open();
    import(&store, 1, "s", "A:a B:b");
    let (_, counts) = import(&store, 2, "s", "!A B:b !UNKNOWN");
    assert_eq!(counts.stale, 1);
    assert_eq!(store.advisory_marks().unwrap()[0].kind, "stale-record");
    assert_eq!(newest(&store), ["A A:a", "B B:b"]);
    import(&store, 3, "s", "A:c");
    assert_eq!(store.advisory_marks().unwrap(), []);
    // Three imports that gave nothing.
    for now in 4..7 {
        import(&store, now, "s", "!A");
    }
    assert_eq!(store.advisory_sources().unwrap()[0].state(6, LATE_S), SourceState::Failing);
    import(&store, 7, "s", "A:d");
    let row = store.advisory_sources().unwrap().remove(0);
    assert_eq!(
        (row.state(7, LATE_S), row.state(8 + LATE_S, LATE_S)),
        (SourceState::Fresh, SourceState::Late)
    );
    // A clock that is behind the one of then, or was ahead.
    assert_eq!(row.state(6, LATE_S), SourceState::Late);
}

#[test]
fn withdrawn_and_back() {
    let (_folder, store) = open();
    import(&store, 1, "s", "A:a");
    assert_eq!(import(&store, 2, "s", "A:a-").1.matching, 1);
    assert_eq!(store.advisory_sources().unwrap()[0].withdrawn, 1);
    assert_eq!(import(&store, 3, "s", "A:a").1.matching, 1);
    assert_eq!(store.advisory_sources().unwrap()[0].withdrawn, 0);
    let history = store.advisory_history("s", "A").unwrap();
    assert_eq!(history.iter().map(|it| it.withdrawn).collect::<Vec<_>>(), [None, Some(7), None]);
    assert_eq!(store.newest_advisories(2).unwrap().len(), 2);
}

#[test]
fn a_record_over_the_limit_costs_itself() {
    let (_folder, store) = open();
    let large = vec![b'x'; ADVISORY_BYTES_MAX + 1];
    let (stored, _) = store
        .import_advisories(1, Accepted::default(), |importer| {
            let large = ImportRecord { content: Content::Bytes(&large), ..record("s", "A:a") };
            Ok([importer.put(&large)?, importer.put(&record("s", "B:b"))?])
        })
        .unwrap();
    assert_eq!(stored, [Stored::TooLarge, Stored::New]);
}

#[test]
fn scores_are_replaced_as_a_whole_unless_they_shrank() {
    let (_folder, store) = open();
    let put = |at, scores, bytes: &[u8]| {
        let table = ScoreTable { name: "epss", model: "m", at, scores, bytes };
        store
            .import_advisories(at, Accepted::default(), |importer| importer.put_scores(&table))
            .unwrap()
            .0
    };
    assert_eq!(put(1, 100, b"one"), None);
    assert_eq!(put(2, 95, b"two"), None);
    assert_eq!(put(3, 90, b"three"), Some(Guard::Shrunk { before: 95, now: 90 }));
    let stored = store.advisory_scores("epss").unwrap().unwrap();
    assert_eq!((stored.at, &stored.bytes[..]), (2, &b"two"[..]));
    assert_eq!(blobs(&store), 1);
    assert_eq!(store.advisory_scores("other").unwrap(), None);
}

/// Goal: documents are kept once, and say nothing until an import tells of them. Method: a record
/// that is kept and told, written with other blanks, kept in vain, and told at last.
#[test]
fn documents_are_kept_once_and_say_nothing_by_themselves() {
    let (_folder, store) = open();
    let keep = |of: &ImportRecord<'_>| store.keep_documents(&[document(of)]).unwrap()[0];
    let first = record("s", "A:a");
    let kept = keep(&first);
    assert_eq!((newest(&store).len(), blobs(&store)), (0, 1));
    let told = ImportRecord { content: Content::Kept(kept), ..first };
    store.import_advisories(1, Accepted::default(), |importer| importer.put(&told)).unwrap();
    assert_eq!(newest(&store), ["A A:a"]);
    // The same revision in other bytes is what is there already.
    let other = ImportRecord { content: Content::Bytes(b"A : a"), ..record("s", "A:a") };
    assert_eq!((keep(&other), blobs(&store)), (kept, 1));
    assert_ne!(keep(&ImportRecord { source: "t", ..other }), kept);
    let next = record("s", "A:b");
    let in_vain = keep(&next);
    assert_eq!((newest(&store), blobs(&store)), (vec!["A A:a".to_owned()], 3));
    assert_eq!((keep(&next), blobs(&store)), (in_vain, 3));
    let told = ImportRecord { content: Content::Kept(in_vain), ..next };
    store.import_advisories(2, Accepted::default(), |importer| importer.put(&told)).unwrap();
    assert_eq!(newest(&store), ["A A:b"]);
    let large = vec![b'x'; ADVISORY_BYTES_MAX + 1];
    let large = ImportRecord { content: Content::Bytes(&large), ..record("s", "C:c") };
    let told = ImportRecord { content: Content::Kept(keep(&large)), ..large };
    let (stored, _) =
        store.import_advisories(3, Accepted::default(), |importer| importer.put(&told)).unwrap();
    assert_eq!((stored, blobs(&store)), (Stored::TooLarge, 3));
}

#[test]
fn an_error_of_the_work_stores_nothing() {
    let (_folder, store) = open();
    let failed = store.import_advisories(1, Accepted::default(), |importer| {
        importer.put(&record("s", "A:a"))?;
        Err::<(), _>(store_error())
    });
    assert!(failed.is_err());
    assert_eq!(newest(&store), Vec::<String>::new());
}

fn store_error() -> StoreError {
    StoreError::new(crate::StoreErrorKind::Busy, "test")
}

fn notes(store: &Store) -> Vec<(String, String)> {
    let changes = store.register_changes(0).unwrap().into_iter();
    changes.map(|it| (it.actor, it.what)).collect()
}

#[test]
fn only_a_person_changes_an_advisory_of_our_own() {
    let (_folder, store) = open();
    // What another node tells comes in, also in two parts.
    assert_eq!(
        import(&store, 1, "own", "RLT-1:a RLT-2:a RLT-2:b").0,
        [Stored::New, Stored::New, Stored::United]
    );
    let before = store.advisories().unwrap();
    assert_eq!(import(&store, 2, "own", "RLT-1:a RLT-2:b").0, [Stored::Same, Stored::Same]);
    for words in ["RLT-1:a-", "RLT-1:c", "RLT-1:a RLT-1:c", "RLT-1:c RLT-1:d", "RLT-2:a RLT-2:c"] {
        let last = import(&store, 3, "own", words).0.pop();
        assert_eq!(last, Some(Stored::Guarded), "{words}");
        assert_eq!(store.advisories().unwrap(), before, "{words}");
    }
    // Of any other source the newest revision counts, whatever its id.
    import(&store, 3, "ghsa", "RLT-1:a");
    assert_eq!(import(&store, 4, "ghsa", "RLT-1:a-").0, [Stored::Changed]);
    assert_eq!(import_with(&store, 5, "own", "RLT-1:a-", &["ghsa"]).0, [Stored::Guarded]);
    assert_eq!(notes(&store), []);
    assert_eq!(
        import_with(&store, 6, "own", "RLT-1:a- RLT-3:a", &["own"]).0,
        [Stored::Changed, Stored::New]
    );
    assert_eq!(notes(&store), [("anna".to_owned(), "advisories import RLT-1".to_owned())]);
}

#[test]
fn that_a_list_was_accepted_is_kept_where_a_guard_would_have_refused_it() {
    let (_folder, store) = open();
    let words = |text: &str| (0..50).map(|n| format!("G-{n}:{text} ")).collect::<String>();
    import_with(&store, 1, "s", &words("a"), &["s"]);
    import_with(&store, 2, "s", &words("a"), &["s", "typo"]);
    import_with(&store, 3, "s", &words("b"), &["S", "typo"]);
    assert_eq!(notes(&store), []);
    let (_, counts) = import_with(&store, 4, "s", &words("b"), &["s"]);
    assert_eq!((counts.refused, counts.changed), (None, 50));
    assert_eq!(notes(&store), [("anna".to_owned(), "advisories --accept s".to_owned())]);
}
