//! The mandatory tests of CSAF that could change a match, and statuses of streams.

use serde_json::json;

use super::*;
use crate::advisory::Record;

/// A document with this tree and these flaws.
fn document(tree: Value, flaws: Value) -> Value {
    json!({
        "document": {
            "csaf_version": "2.0", "title": "t",
            "publisher": {"namespace": "https://example.org", "name": "Example"},
            "tracking": {"id": "EX-1", "version": "2", "status": "final"},
        },
        "product_tree": tree, "vulnerabilities": flaws,
    })
}

fn read(document: &Value) -> Result<Record, String> {
    let text = document.to_string();
    let reading = PLUGIN.read(&Input::whole("", "f", text.as_bytes()));
    match (reading.records.into_iter().next(), reading.refused.into_iter().next()) {
        (Some(record), None) => Ok(record),
        (_, Some(refused)) => Err(refused.warning.message),
        (None, None) => Err("nothing".to_owned()),
    }
}

fn names(ids: &[&str]) -> Value {
    let product = |id: &&str| json!({"name": id, "product_id": id});
    json!({"full_product_names": ids.iter().map(product).collect::<Vec<_>>()})
}

fn relation(id: &str, product: &str, within: &str) -> Value {
    json!({
        "category": "default_component_of", "product_reference": product,
        "relates_to_product_reference": within,
        "full_product_name": {"name": id, "product_id": id},
    })
}

#[test]
fn each_test_that_could_change_a_match_refuses() {
    let flaw = |status: Value| json!([{"cve": "CVE-1", "product_status": status}]);
    let related = |relations: Vec<Value>| {
        let mut tree = names(&["A", "B"]);
        tree["relationships"] = relations.into();
        tree
    };
    let grouped = |groups: Value| {
        let mut tree = names(&["A"]);
        tree["product_groups"] = groups;
        tree
    };
    let flagged = json!([{"cve": "CVE-1", "product_status": {"fixed": ["A"]},
        "flags": [{"label": "component_not_present", "group_ids": ["G"]}]}]);
    let scored = json!([{"cve": "CVE-1", "product_status": {"fixed": ["A"]},
        "scores": [{"products": ["X"]}]}]);
    let group = json!({"group_id": "G", "product_ids": ["A"]});
    for (tree, flaws, wanted) in [
        (names(&["A"]), flaw(json!({"fixed": ["X"]})), "(6.1.1)"),
        (names(&["A"]), scored, "(6.1.1)"),
        (grouped(json!([{"group_id": "G", "product_ids": ["X"]}])), json!([]), "(6.1.1)"),
        (related(vec![relation("C", "A", "X")]), json!([]), "(6.1.1)"),
        (
            json!({"full_product_names": [
                {"name": "a", "product_id": "A"}, {"name": "b", "product_id": "A"}]}),
            json!([]),
            "(6.1.2)",
        ),
        (related(vec![relation("A", "A", "B")]), json!([]), "(6.1.2)"),
        (related(vec![relation("C", "A", "C")]), json!([]), "(6.1.3)"),
        (related(vec![relation("C", "A", "D"), relation("D", "C", "B")]), json!([]), "(6.1.3)"),
        (names(&["A"]), flagged, "(6.1.4)"),
        (grouped(json!([group, group])), json!([]), "(6.1.5)"),
        (names(&["A"]), flaw(json!({"fixed": ["A"], "known_affected": ["A"]})), "(6.1.6)"),
    ] {
        let fault = read(&document(tree, flaws)).unwrap_err();
        assert!(fault.contains(wanted), "{wanted}: {fault}");
    }
}

#[test]
fn a_product_that_is_repeated_word_for_word_is_one() {
    assert!(read(&document(names(&["A", "A"]), json!([]))).is_ok());
}

#[test]
fn branches_and_chains_have_a_depth() {
    let nested = |depth: usize| {
        let mut node = json!({"branches": []});
        for _ in 0..depth {
            node = json!({"branches": [node]});
        }
        read(&document(node, json!([])))
    };
    assert!(nested(tree::DEPTH_MAX).is_ok());
    assert!(nested(tree::DEPTH_MAX + 1).unwrap_err().contains("deeper than 32"));
}

#[test]
fn a_component_of_a_stream_keeps_its_stream() {
    let helper = json!({"purl": "pkg:rpm/redhat/vim@9?arch=src", "hashes": [
        {"filename": "v", "file_hashes": [{"algorithm": "SHA256", "value": "AB"}]}]});
    let tree = json!({
        "branches": [
            {"category": "product_version", "name": "9", "product":
                {"name": "vim", "product_id": "vim", "product_identification_helper": helper}},
            {"category": "product_version_range", "name": "vers:rpm/<9", "product":
                {"name": "old", "product_id": "old"}},
        ],
        "full_product_names": [{"name": "EL 9", "product_id": "EL9",
            "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:9"}}],
        "relationships": [relation("EL9:vim", "vim", "EL9")],
    });
    let flaws = json!([{"cve": "CVE-1", "ids": [{"system_name": "x", "text": "X-1"}],
        "product_status": {"known_not_affected": ["EL9:vim"], "known_affected": ["old"],
            "recommended": ["vim"]},
        "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["EL9:vim"]}],
        "threats": [{"category": "impact", "details": "why", "product_ids": ["EL9:vim"]}]}]);
    let advisory = read(&document(tree, flaws)).unwrap().advisory;
    assert_eq!(advisory.upstream, ["CVE-1", "X-1"]);
    let [affected, clear] = &advisory.statements[..] else { panic!("{advisory:?}") };
    assert_eq!(
        (affected.status, &affected.products[0].versions[..]),
        (VexStatus::Affected, &["vers:rpm/<9".to_owned()][..])
    );
    assert_eq!(clear.status, VexStatus::NotAffected);
    assert_eq!(clear.justification.as_deref(), Some("vulnerable_code_not_present"));
    assert_eq!(clear.text, "why");
    let [product] = &clear.products[..] else { panic!("{clear:?}") };
    assert_eq!((product.id.as_str(), product.purls.len()), ("EL9:vim", 1));
    assert_eq!(product.hashes, [("sha256".to_owned(), "ab".to_owned())]);
    assert_eq!(product.within[0].cpes, ["cpe:/o:redhat:enterprise_linux:9"]);
}

#[test]
fn a_mitigation_is_not_a_clearance_and_a_draft_has_no_effect() {
    let flaws = json!([{"cve": "CVE-1", "product_status": {"known_not_affected": ["A"]},
        "flags": [{"label": "inline_mitigations_already_exist", "product_ids": ["A"]}]}]);
    let mut document = document(names(&["A"]), flaws);
    let advisory = read(&document).unwrap().advisory;
    assert_eq!(advisory.statements[0].status, VexStatus::Mitigated);
    assert_eq!(advisory.effect, Effect::Opinion);
    document["document"]["tracking"]["status"] = json!("draft");
    assert_eq!(read(&document).unwrap().advisory.effect, Effect::Draft);
}

#[test]
fn versions_of_documents_are_in_order() {
    let ordinal = |version: &str| {
        let mut document = document(names(&[]), json!([]));
        document["document"]["tracking"]["version"] = json!(version);
        read(&document).unwrap().ordinal
    };
    let all = ["1", "2", "10", "10.0.1", "10.2", "11.0.0-rc1"].map(ordinal);
    assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
}
