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

/// A tree of one package in these versions, each a product that is named after its version; a name
/// with a sign or a space is a range.
fn versions(purl: &str, versions: &[&str]) -> Value {
    let branch = |version: &&str| {
        let is_range = version.starts_with(['<', '>', '=']) || version.contains([':', ' ']);
        let category = if is_range { "product_version_range" } else { "product_version" };
        json!({"category": category, "name": version, "product": {
            "name": version, "product_id": version,
            "product_identification_helper": {"purl": purl}}})
    };
    json!({"branches": [{"category": "product_name", "name": "lib",
        "branches": versions.iter().map(branch).collect::<Vec<_>>()}]})
}

fn shown(advisory: &Advisory) -> String {
    let [entry] = &advisory.affected[..] else { return format!("{:?}", advisory.affected) };
    let mut parts = Vec::new();
    if let relight_model::Stance::Unresolved(why) = entry.stance {
        parts.push(why.as_str().to_owned());
    }
    let events = entry.ranges.iter().flat_map(|range| &range.events);
    parts.extend(events.map(|event| match event {
        relight_model::RangeEvent::Introduced(at) => format!("i{at}"),
        relight_model::RangeEvent::Fixed(at) => format!("f{at}"),
        relight_model::RangeEvent::LastAffected(at) => format!("l{at}"),
        relight_model::RangeEvent::Limit(at) => format!("m{at}"),
    }));
    parts.extend(entry.native.iter().map(|range| range.text.clone()));
    let bound = |it: &relight_model::Bound| it.version().unwrap_or("*").to_owned();
    let intervals = entry.intervals.iter();
    parts.extend(
        intervals.map(|it| format!("{}..{} {:?}", bound(&it.lo), bound(&it.hi), it.status)),
    );
    parts.extend(entry.versions.iter().map(|version| format!("={version}")));
    format!("{}: {}", entry.package.name, parts.join(" "))
}

/// Bounds and versions of the product tree are ranges of the package, whatever list they stand in;
/// what cannot be read leaves the package unresolved, and never clear.
#[test]
fn bounds_of_products_are_ranges() {
    for (names, status, wanted) in [
        (&["1", "2"][..], json!({"first_affected": ["1"], "first_fixed": ["2"]}), "i1 f2"),
        (&["1", "2"], json!({"first_affected": ["1"], "last_affected": ["2"]}), "i1 l2"),
        (&["2"], json!({"first_fixed": ["2"]}), "i0 f2"),
        (&["2"], json!({"last_affected": ["2"]}), "i0 l2"),
        (&["1"], json!({"first_affected": ["1"]}), "i1"),
        (
            &["1.5", "2", "2.3"],
            json!({"first_affected": ["2"], "first_fixed": ["2.3", "1.5"]}),
            "i0 i2 f1.5 f2.3",
        ),
        (
            &["1", "2", "3", "3.1"],
            json!({"first_affected": ["3", "1"], "last_affected": ["2"], "first_fixed": ["3.1"]}),
            "i1 i3 f3.1 l2",
        ),
        // The end of a line whose start is not told.
        (
            &["1.5", "2", "2.3", "3"],
            json!({"first_affected": ["2", "3"], "first_fixed": ["1.5", "2.3"]}),
            "i0 i2 i3 f1.5 f2.3",
        ),
        (
            &["1.5", "2", "3"],
            json!({"first_affected": ["2"], "last_affected": ["3"], "first_fixed": ["1.5"]}),
            "i0 i2 f1.5 l3",
        ),
        (
            &["1", "2", "2.1"],
            json!({"first_affected": ["1"], "last_affected": ["2"], "first_fixed": ["2.1"]}),
            "i1 f2.1",
        ),
        (&["1.5", "2.3"], json!({"first_fixed": ["1.5", "2.3"]}), "no-range i0 f1.5 f2.3"),
        (
            &["1", "1.5", "2.3"],
            json!({"first_affected": ["1"], "first_fixed": ["1.5", "2.3"]}),
            "no-range i1 f1.5 f2.3",
        ),
        (
            &["1.9", "1.10"],
            json!({"first_affected": ["1.9"], "first_fixed": ["1.10"]}),
            "i1.9 f1.10",
        ),
        (&["vers:maven/<3"], json!({"known_affected": ["vers:maven/<3"]}), "vers:maven/<3"),
        (&[">=1, <3"], json!({"known_affected": [">=1, <3"]}), "1..3 Affected"),
        (&["prior to 3"], json!({"known_affected": ["prior to 3"]}), "free-text"),
        (&["< 3 and 5"], json!({"known_affected": ["< 3 and 5"]}), "free-text"),
        (&["4.x"], json!({"known_affected": ["4.x"]}), "free-text"),
        (&["2.*"], json!({"known_affected": ["2.*"]}), "free-text"),
        (&["3.0|3.1"], json!({"known_affected": ["3.0|3.1"]}), "free-text"),
        (&["1.0-1.5"], json!({"known_affected": ["1.0-1.5"]}), "free-text"),
        (&["4.x"], json!({"first_fixed": ["4.x"]}), "free-text"),
        (&["1.0-rc1"], json!({"known_affected": ["1.0-rc1"]}), "no-range =1.0-rc1"),
        (&["Version 4.2"], json!({"known_affected": ["Version 4.2"]}), "free-text"),
        (&["1", "v2"], json!({"known_affected": ["1", "v2"]}), "no-range =1 =v2"),
        (&["lib"], json!({"known_affected": ["lib"]}), "*..* Affected"),
        (&["<3"], json!({"first_fixed": ["<3"]}), "no-range"),
        (&["1"], json!({"under_investigation": ["1"]}), "no-range 1..1 Unknown"),
        (&["lib"], json!({"unknown": ["lib"]}), "undetermined"),
        (&["1"], json!({"recommended": ["1"], "fixed": ["1"]}), ""),
    ] {
        let flaws = json!([{"cve": "CVE-1", "product_status": status}]);
        let mut document = document(versions("pkg:maven/g/lib", names), flaws);
        document["document"]["publisher"]["category"] = json!("vendor");
        let advisory = read(&document).unwrap().advisory;
        let wanted = if wanted.is_empty() { "[]".into() } else { format!("g:lib: {wanted}") };
        assert_eq!(shown(&advisory), wanted, "{status}");
    }
}

/// Somebody else than the vendor adds versions and clears none; a version of the purl counts before
/// that of the branch; a component of a product says nothing of the component elsewhere, and one of
/// a stream is about that release.
#[test]
fn whose_package_it_is() {
    let flaw = |id: &str| json!([{"cve": "CVE-1", "product_status": {"first_fixed": [id]}}]);
    let of = |tree: Value, flaws: Value| read(&document(tree, flaws)).unwrap().advisory;
    let coordinator = of(versions("pkg:npm/lib", &["2"]), flaw("2"));
    assert_eq!(shown(&coordinator), "lib: issuer-untrusted i0 f2");
    let exact = of(versions("pkg:npm/lib@2.5", &["2"]), flaw("2"));
    assert_eq!(shown(&exact), "lib: issuer-untrusted i0 f2.5");
    for (purl, cpe, wanted) in [
        (
            "pkg:rpm/redhat/vim@9?epoch=2",
            "cpe:/o:redhat:enterprise_linux:9::baseos",
            "Some(\"9\") 2:9",
        ),
        (
            "pkg:rpm/redhat/vim@9",
            "cpe:/o:redhat:enterprise_linux:9.2::baseos",
            "Some(\"enterprise_linux:9.2::baseos\") 9",
        ),
        ("pkg:rpm/redhat/vim@9", "cpe:/o:redhat:enterprise_linux:10.0", "Some(\"10\") 9"),
        (
            "pkg:rpm/redhat/vim@9",
            "cpe:2.3:o:redhat:enterprise_linux:10.1:*:*:*:*:*:*:*",
            "Some(\"10\") 9",
        ),
        ("pkg:rpm/redhat/vim@9", "cpe:/o:redhat:rhel_eus:10.0", "Some(\"rhel_eus:10.0\") 9"),
        (
            "pkg:rpm/redhat/vim@9",
            "cpe:/a:redhat:rhel_eus:8.4::appstream",
            "Some(\"rhel_eus:8.4::appstream\") 9",
        ),
        (
            "pkg:rpm/redhat/vim@9",
            "cpe:2.3:o:redhat:rhel_e4s:8.6:*:baseos:*:*:*:*:*",
            "Some(\"rhel_e4s:8.6::baseos\") 9",
        ),
        // A product on top of the distribution, and one of somebody else.
        ("pkg:rpm/redhat/vim@9", "cpe:/a:redhat:openshift:4.12::el8", ""),
        ("pkg:rpm/suse/vim@9", "cpe:/a:redhat:rhel_eus:8.4::appstream", ""),
        ("pkg:rpm/redhat/vim@9", "cpe:/o:almalinux:almalinux:9", ""),
        ("pkg:rpm/suse/vim@9", "cpe:/o:suse:sles:15:sp4", "Some(\"15.4\") 9"),
        ("pkg:rpm/suse/vim@9", "cpe:/o:suse:sle-module-basesystem:15:sp4", "Some(\"15.4\") 9"),
        ("pkg:rpm/suse/vim@9", "cpe:2.3:o:suse:sles:12:*:*:*:*:*:*:*", "Some(\"12\") 9"),
        ("pkg:rpm/suse/vim@9", "cpe:/o:suse:suse-manager-server:4.3", ""),
        ("pkg:rpm/opensuse/vim@9", "cpe:/o:opensuse:leap:15.4", "Some(\"15.4\") 9"),
        ("pkg:rpm/opensuse/vim@9", "cpe:/o:suse:sles:15:sp4", ""),
        ("pkg:maven/g/vim@9", "cpe:/a:redhat:jboss_enterprise_application_platform:7.4", ""),
        ("pkg:deb/debian/vim@9", "cpe:/o:debian:debian_linux:12", ""),
    ] {
        let mut tree = versions(purl, &["9"]);
        tree["full_product_names"] = json!([{"name": "S", "product_id": "S",
            "product_identification_helper": {"cpe": cpe}}]);
        tree["relationships"] = json!([relation("S:9", "9", "S")]);
        let advisory = of(tree, flaw("S:9"));
        let told = advisory.affected.iter().map(|entry| {
            let fixed =
                entry.ranges.iter().flat_map(|range| &range.events).find_map(|it| match it {
                    relight_model::RangeEvent::Fixed(at) => Some(at.as_str()),
                    _ => None,
                });
            format!("{:?} {}", entry.package.release, fixed.unwrap_or_default())
        });
        assert_eq!(told.collect::<Vec<_>>().join(";"), wanted, "{purl} {cpe}");
    }
}

/// A version that stands on a branch only is the version of the statement too: without it, one word
/// about one version would clear all of them.
#[test]
fn a_statement_is_about_the_version_of_its_branch() {
    let flaws = json!([{"cve": "CVE-1", "product_status": {"known_not_affected": ["4.2", "lib"]}}]);
    let advisory =
        read(&document(versions("pkg:npm/lib", &["4.2", "lib"]), flaws)).unwrap().advisory;
    let products = &advisory.statements[0].products;
    let versions: Vec<_> = products.iter().map(|it| it.versions.join(",")).collect();
    assert_eq!(versions, ["4.2", ""]);
}

/// A range that is written like a version is words, and so is a name that is not the package's.
#[test]
fn what_is_no_version_is_never_all_of_them() {
    let read = |category: &str, name: &str, helper: Value| {
        let tree = json!({"branches": [{"category": category, "name": name, "product": {
            "name": "p", "product_id": "P", "product_identification_helper": helper}}]});
        let flaws = json!([
            {"cve": "CVE-1", "product_status": {"known_affected": ["P"]}},
            {"cve": "CVE-2", "product_status": {"known_not_affected": ["P"]}},
        ]);
        let text = document(tree, flaws).to_string();
        let reading = PLUGIN.read(&Input::whole("", "f", text.as_bytes()));
        reading.records.into_iter().map(|it| it.advisory).collect::<Vec<_>>()
    };
    let lib = || json!({"purl": "pkg:npm/lib"});
    let range = read("product_version_range", "4.2", lib());
    assert_eq!(shown(&range[1]), "lib: free-text");
    for (name, helper, wanted) in [
        ("Version 4.2", lib(), &["Version 4.2"][..]),
        ("R2 4.2", lib(), &["R2 4.2"]),
        ("4.2 SP1", lib(), &["4.2 SP1"]),
        ("lib", lib(), &[]),
        ("scope/Lib", lib(), &[]),
        ("4.2", json!({"purl": "pkg:npm/lib@4.2"}), &[]),
        ("4.2", json!({"purls": ["pkg:npm/lib@4.2", "pkg:npm/other"]}), &["4.2"]),
        ("4.2", json!({"cpe": "cpe:/a:v:lib"}), &["4.2"]),
    ] {
        let told = read("product_version", name, helper);
        let cleared = told[0].statements.iter().find(|it| it.status == VexStatus::NotAffected);
        assert_eq!(cleared.unwrap().products[0].versions, wanted, "{name}");
    }
}

/// What a bulletin says of one flaw is not said of the others.
#[test]
fn each_flaw_of_a_bulletin_has_a_record_of_its_own() {
    let score = json!([{"products": ["1"], "cvss_v3": {"version": "3.1", "baseScore": 9.8,
        "baseSeverity": "CRITICAL",
        "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]);
    let flaws = json!([
        {"cve": "CVE-1", "product_status": {"first_fixed": ["1"]}, "scores": score},
        {"cve": "CVE-2", "product_status": {"first_fixed": ["2"]}},
        {"cve": "CVE-3", "product_status": {"fixed": ["2"]}},
    ]);
    let text = document(versions("pkg:npm/lib", &["1", "2"]), flaws).to_string();
    let reading = PLUGIN.read(&Input::whole("", "f", text.as_bytes()));
    assert_eq!(reading.notes, []);
    let told: Vec<_> = reading.records.iter().map(|it| &it.advisory).collect();
    let ids: Vec<_> = told.iter().map(|it| (it.id.as_str(), it.upstream.join(" "))).collect();
    assert_eq!(
        ids,
        [
            ("EX-1", "CVE-1 CVE-2 CVE-3".to_owned()),
            ("EX-1/CVE-1", "CVE-1".to_owned()),
            ("EX-1/CVE-2", "CVE-2".to_owned()),
        ]
    );
    assert_eq!([told[0].affected.len(), told[0].severities.len()], [0, 0]);
    assert_eq!(shown(told[1]), "lib: issuer-untrusted i0 f1");
    assert_eq!(told[1].severities[0].stated, Some(98));
    assert_eq!((told[2].statements.len(), told[2].severities.len()), (0, 0));
}

/// A flaw that has no name is one of its own, and two parts of one name stay two.
#[test]
fn no_flaw_of_a_bulletin_is_lost() {
    let fixed = |id: &str| json!({"first_fixed": [id]});
    let flaws = json!([
        {"title": "nameless", "product_status": fixed("1")},
        {"cve": "CVE-1", "product_status": fixed("1")},
        {"cve": "CVE-1", "product_status": fixed("2")},
    ]);
    let text = document(versions("pkg:npm/lib", &["1", "2"]), flaws).to_string();
    let reading = PLUGIN.read(&Input::whole("", "f", text.as_bytes()));
    let told: Vec<_> = reading.records.iter().map(|it| &it.advisory).collect();
    let ids: Vec<_> = told.iter().map(|it| (it.id.as_str(), it.upstream.join(" "))).collect();
    let named = |id| (id, "CVE-1".to_owned());
    let nameless = ("EX-1/#1", String::new());
    assert_eq!(ids, [named("EX-1"), nameless, named("EX-1/CVE-1"), named("EX-1/CVE-1/#3")]);
    assert_eq!(shown(told[1]), "lib: issuer-untrusted i0 f1");
    assert_eq!(shown(told[3]), "lib: issuer-untrusted i0 f2");
    assert_eq!(reading.notes[0].message, "vulnerabilities[0] has no id: read as EX-1/#1");
}

/// Wrong scores are noted, and the document stays in use.
#[test]
fn wrong_scores_are_noted() {
    const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let right = json!({"version": "3.1", "vectorString": VECTOR, "baseScore": 9.8,
        "baseSeverity": "CRITICAL", "attackVector": "NETWORK", "scope": "UNCHANGED",
        "exploitCodeMaturity": "PROOF_OF_CONCEPT"});
    let with = |key: &str, value: Value| {
        let mut score = right.clone();
        score[key] = value;
        score
    };
    let mut bare = right.clone();
    bare.as_object_mut().unwrap().remove("baseSeverity");
    for (score, wanted) in [
        (right.clone(), ""),
        (with("version", json!("4.5")), "(6.1.8)"),
        (with("vectorString", json!("")), "(6.1.8)"),
        (with("vectorString", json!("AV:N")), "(6.1.8)"),
        (bare, "(6.1.8)"),
        (with("baseSeverity", json!("HIGH")), "(6.1.9)"),
        (with("attackVector", json!("LOCAL")), "(6.1.10)"),
        (with("scope", json!("CHANGED")), "(6.1.10)"),
    ] {
        for of_21 in [false, true] {
            let mut flaw = json!({"cve": "CVE-1", "product_status": {"fixed": ["A"]}});
            if of_21 {
                flaw["metrics"] = json!([{"products": ["A"], "content": {"cvss_v3": score}}]);
            } else {
                flaw["scores"] = json!([{"products": ["A"], "cvss_v3": score}]);
            }
            let text = document(names(&["A"]), json!([flaw])).to_string();
            let reading = PLUGIN.read(&Input::whole("", "f", text.as_bytes()));
            assert_eq!(reading.records[0].advisory.severities.len(), 1, "{score}");
            let notes: Vec<_> = reading.notes.iter().map(|it| it.message.as_str()).collect();
            match wanted {
                "" => assert!(notes.is_empty(), "{notes:?}"),
                code => assert!(notes.iter().any(|it| it.contains(code)), "{code}: {notes:?}"),
            }
        }
    }
    let twice =
        json!([{"products": ["A"], "cvss_v3": right}, {"products": ["A"], "cvss_v3": right}]);
    let flaws = json!([{"cve": "CVE-1", "product_status": {"fixed": ["A"]}, "scores": twice}]);
    let text = document(names(&["A"]), flaws).to_string();
    let notes = PLUGIN.read(&Input::whole("", "f", text.as_bytes())).notes;
    assert!(notes[0].message.contains("(6.1.7)"), "{notes:?}");
}

/// Goal: what a document says of a module is about that stream of it and of no other, and about the
/// packages of the release (ADVISORIES.md 3.6). Method: the module around the package, beside its
/// release, and in the package URL; without a stream nothing is said of which it is.
#[test]
fn packages_of_a_module_are_those_of_its_stream() {
    let module = |version: &str| {
        json!({"name": "M", "product_id": "M", "product_identification_helper":
            {"purl": format!("pkg:rpmmod/redhat/nodejs@{version}")}})
    };
    let cpe = "cpe:/a:redhat:enterprise_linux:8::appstream";
    let release = json!({"name": "S", "product_id": "S",
        "product_identification_helper": {"cpe": cpe}});
    let nested = vec![relation("S:M", "M", "S"), relation("X", "9", "S:M")];
    let beside = vec![relation("M:9", "9", "M"), relation("X", "M:9", "S")];
    let plain = vec![relation("X", "9", "S")];
    let (npm, rpmmod) = ("pkg:rpm/redhat/npm@9", "?rpmmod=nodejs:18:806:ad");
    for (purl, stream, relations, wanted) in [
        (npm.to_owned(), "18:8060020220523160029:ad008a3a", &nested, Some("nodejs:18")),
        (npm.to_owned(), "18:8060020220523160029:ad008a3a", &beside, Some("nodejs:18")),
        (npm.to_owned(), "18", &nested, Some("nodejs:18")),
        (format!("{npm}{rpmmod}"), "", &plain, Some("nodejs:18")),
        (npm.to_owned(), "", &nested, None),
        (npm.to_owned(), "", &plain, None),
    ] {
        let mut tree = versions(&purl, &["9"]);
        tree["full_product_names"] = json!([module(stream), release]);
        tree["relationships"] = relations.clone().into();
        let flaws = json!([{"cve": "CVE-1", "product_status": {"first_fixed": ["X"]}}]);
        let advisory = read(&document(tree, flaws)).unwrap().advisory;
        let [entry] = &advisory.affected[..] else { panic!("{purl}: {advisory:?}") };
        assert_eq!(entry.module.as_deref(), wanted, "{purl} {relations:?}");
        let package = &entry.package;
        assert_eq!((package.release.as_deref(), &*package.name), (Some("8"), "npm"), "{purl}");
    }
}
