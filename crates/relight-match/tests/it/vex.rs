//! Statements of suppliers: when they apply, what they change, and what they never may.

use relight_match::{Advisories, Change, Effect, Enclosure, Flag, Matcher, Policy, Stand};
use relight_model::{
    Advisory, Basis, Component, Digest, FindingState, Purl, VexProduct, VexStatement, VexStatus,
};

use super::{advisory, affected, component};

pub(super) const CORE: &str = "pkg:maven/org.apache.logging.log4j/log4j-core";

pub(super) fn purl(text: &str) -> Purl {
    Purl::parse(text).unwrap()
}

pub(super) fn product(text: &str) -> VexProduct {
    VexProduct { id: text.to_owned(), purls: vec![purl(text)], ..VexProduct::default() }
}

/// A justified statement of the trusted issuer about one product.
pub(super) fn statement(flaw: &str, status: VexStatus, product: VexProduct) -> VexStatement {
    VexStatement {
        issuer: "trusted".into(),
        document: "doc 1".into(),
        vulnerabilities: vec![flaw.to_owned()],
        products: vec![product],
        status,
        justification: Some("vulnerable_code_not_present".into()),
        text: String::new(),
        at: Some(1),
    }
}

/// Advisories with statements, each in a document of its own.
pub(super) fn with(mut records: Vec<Advisory>, statements: Vec<VexStatement>) -> Advisories {
    for (at, said) in statements.into_iter().enumerate() {
        let document = Advisory { source: "vex".into(), ..advisory(&format!("VEX-{at}"), vec![]) };
        records.push(Advisory { statements: vec![said], ..document });
    }
    let trusted = ["trusted".to_owned(), "other".to_owned()].into();
    Advisories::with_policy(records, Policy { trusted, ..Policy::default() })
}

/// One record that affects every version below 3 of log4j-core, with a GHSA and a GO name.
pub(super) fn record() -> Advisory {
    let entry = affected("Maven", "org.apache.logging.log4j:log4j-core", &["i1 f3"]);
    Advisory { aliases: vec!["CVE-2021-1".into()], ..advisory("GHSA-a", vec![entry]) }
}

pub(super) fn state(all: &Advisories, it: &Component) -> &'static str {
    let found = all.match_component(it);
    found.first().map_or("clear", |finding| finding.state.as_str())
}

/// What one issuer says at one moment in two ways is not decided by a toss: the worse word counts,
/// and both are told.
#[test]
fn one_moment_and_two_words() {
    let core = |version: &str| product(&format!("{CORE}{version}"));
    for number in 1..=6 {
        let flaw = format!("CVE-2021-{number}");
        let entry = affected("Maven", "org.apache.logging.log4j:log4j-core", &["i1 f3"]);
        let record = advisory(&flaw, vec![entry]);
        let clear = statement(&flaw, VexStatus::NotAffected, core(""));
        let open = |status| statement(&flaw, status, core("@2"));
        for (other, wanted) in [
            (open(VexStatus::Affected), "affected"),
            (open(VexStatus::Mitigated), "mitigated"),
            (open(VexStatus::UnderInvestigation), "affected"),
        ] {
            let is_contrary = other.status != VexStatus::UnderInvestigation;
            for said in [vec![clear.clone(), other.clone()], vec![other.clone(), clear.clone()]] {
                let all = with(vec![record.clone()], said);
                let it = component(&format!("{CORE}@2"));
                assert_eq!(state(&all, &it), wanted, "{flaw}");
                let judgement = all.group(&flaw).unwrap().judgement(&it);
                assert_eq!(judgement.has(Flag::StatementsContradict), is_contrary, "{flaw}");
            }
        }
        let later = VexStatement { at: Some(2), ..clear.clone() };
        let all = with(vec![record], vec![open(VexStatus::Affected), later]);
        assert_eq!(state(&all, &component(&format!("{CORE}@2"))), "clear", "{flaw}");
    }
}

#[test]
fn what_each_status_does() {
    let core = || product(&format!("{CORE}@2"));
    let said = |status| statement("CVE-2021-1", status, core());
    let unjustified = VexStatement { justification: None, ..said(VexStatus::NotAffected) };
    let explained = VexStatement { text: "not built in".into(), ..unjustified.clone() };
    let mitigated = |why: &str| VexStatement {
        justification: Some(why.into()),
        ..said(VexStatus::NotAffected)
    };
    let untrusted = VexStatement { issuer: "anybody".into(), ..said(VexStatus::NotAffected) };
    for (statement, effect, wanted) in [
        (said(VexStatus::NotAffected), Effect::Clears, "clear"),
        (said(VexStatus::Fixed), Effect::Fixes, "clear"),
        (said(VexStatus::Affected), Effect::Affects, "affected"),
        (said(VexStatus::Mitigated), Effect::Mitigates, "mitigated"),
        (said(VexStatus::UnderInvestigation), Effect::Nothing, "affected"),
        (unjustified, Effect::Unjustified, "affected"),
        (explained, Effect::Clears, "clear"),
        (mitigated("inline_mitigations_already_exist"), Effect::Mitigates, "mitigated"),
        (mitigated("protected_by_mitigating_control"), Effect::Mitigates, "mitigated"),
        (mitigated("protected_at_perimeter"), Effect::Mitigates, "mitigated"),
        (untrusted, Effect::Clears, "affected"),
    ] {
        let text = format!("{statement:?}");
        let all = with(vec![record()], vec![statement]);
        let group = all.group("CVE-2021-1").unwrap();
        assert_eq!(group.statements().next().unwrap().effect, effect, "{text}");
        let it = component(&format!("{CORE}@2"));
        assert_eq!(state(&all, &it), wanted, "{text}");
        let judgement = group.judgement(&it);
        assert_eq!(judgement.has(Flag::ByStatement), wanted == "clear" || wanted == "mitigated");
        assert_eq!(state(&all, &component(&format!("{CORE}@1.5"))), "affected", "{text}");
    }
}

/// Goal: evidence that rests on a statement dies with its effect. Method: the same document, issued
/// again without the only words that justified it; other words are the same statement.
#[test]
fn a_statement_that_loses_its_justification_is_another_one() {
    let unjustified = VexStatement {
        justification: None,
        ..statement("CVE-2021-1", VexStatus::NotAffected, product(&format!("{CORE}@2")))
    };
    let of = |text: &str| {
        let all =
            with(vec![record()], vec![VexStatement { text: text.into(), ..unjustified.clone() }]);
        let group = all.group("CVE-2021-1").unwrap();
        (group.revision(), group.statements_digest(), state(&all, &component(&format!("{CORE}@2"))))
    };
    let explained = of("not built in");
    assert_eq!(of("it is not built in"), explained);
    assert_eq!(explained.2, "clear");
    for text in ["", " \n"] {
        let silent = of(text);
        assert_eq!(silent.2, "affected");
        assert_ne!((silent.0, silent.1), (explained.0, explained.1));
    }
}

/// Goal: who writes a document of CSAF and calls himself its vendor clears nobody beside a reviewed
/// record, nor alone, before the operator trusts him.
#[test]
fn a_document_of_somebody_unknown_adds_versions_and_clears_none() {
    let bounds = |events: &[&str]| {
        let source = "csaf/https://example.org".to_owned();
        let entry = affected("Maven", "org.apache.logging.log4j:log4j-core", events);
        let named =
            Advisory { aliases: vec!["CVE-2021-1".into()], ..advisory("EX-1", vec![entry]) };
        Advisory { source, assigner: "E".into(), ..named }
    };
    let by = |records: Vec<Advisory>, issuer: &str, version: &str| {
        let trusted = [issuer.to_owned()].into();
        let all = Advisories::with_policy(records, Policy { trusted, ..Policy::default() });
        state(&all, &component(&format!("{CORE}@{version}")))
    };
    let beside = || vec![record(), bounds(&["i0 f2"])];
    assert_eq!(by(beside(), "E", "2.5"), "clear");
    assert_eq!(by(beside(), "anybody", "2.5"), "affected");
    assert_eq!(by(vec![record(), bounds(&["i4 f5"])], "anybody", "4.5"), "affected");
    let alone = || vec![bounds(&["i0 f2"])];
    let told = ["1", "2.5"].map(|version| by(alone(), "anybody", version));
    assert_eq!(told, ["affected", "range-unresolved"]);
    assert_eq!(by(alone(), "E", "2.5"), "clear");
    // Nor does a binding, for whoever writes the name of the assigner.
    let api = affected("Maven", "org.apache.logging.log4j:log4j-api", &["i0 f9"]);
    let beside = || {
        let forged = Advisory { assigner: "apache".into(), ..bounds(&["i0 f2"]) };
        vec![Advisory { affected: vec![api.clone()], ..record() }, forged]
    };
    let it = component("pkg:maven/org.apache.logging.log4j/log4j-api@1");
    assert_eq!(state(&Advisories::new(beside()), &it), "affected");
    let trusted = ["apache".to_owned()].into();
    let all = Advisories::with_policy(beside(), Policy { trusted, ..Policy::default() });
    assert_eq!(state(&all, &it), "clear");
}

#[test]
fn affected_is_added_and_contradictions_stay_affected() {
    let clears = statement("CVE-2021-1", VexStatus::NotAffected, product(&format!("{CORE}@2")));
    let affects = statement("CVE-2021-1", VexStatus::Affected, product(&format!("{CORE}@4")));
    let all = with(vec![record()], vec![affects]);
    assert_eq!(state(&all, &component(&format!("{CORE}@4"))), "affected");
    let other =
        VexStatement { issuer: "other".into(), status: VexStatus::Affected, ..clears.clone() };
    let all = with(vec![record()], vec![clears.clone(), other]);
    let it = component(&format!("{CORE}@2"));
    let judgement = all.group("CVE-2021-1").unwrap().judgement(&it);
    assert_eq!(judgement.stand(), Stand::Affected);
    assert!(judgement.has(Flag::StatementsContradict));
    // The newest statement of one issuer wins, in any order.
    let later = VexStatement { at: Some(2), status: VexStatus::Affected, ..clears.clone() };
    for statements in [vec![clears.clone(), later.clone()], vec![later, clears.clone()]] {
        assert_eq!(state(&with(vec![record()], statements), &it), "affected");
    }
    // Withdrawn, it vanishes and the match shows again.
    let mut document = Advisory { statements: vec![clears], ..advisory("VEX-0", vec![]) };
    let trusted = || Policy { trusted: ["trusted".to_owned()].into(), ..Policy::default() };
    let before = Advisories::with_policy(vec![record(), document.clone()], trusted());
    document.withdrawn = Some(1);
    let after = Advisories::with_policy(vec![record(), document], trusted());
    assert_eq!([state(&before, &it), state(&after, &it)], ["clear", "affected"]);
    let digest = |all: &Advisories| all.group("CVE-2021-1").unwrap().statements_digest();
    assert_ne!(digest(&before), Digest::default());
    assert_eq!(digest(&after), Digest::default());
}

/// VEX on the CVE, record under GHSA; VEX on another id, the GHSA still fires; a bulletin's other
/// flaws stay.
#[test]
fn m06_alias_of_suppressed() {
    let it = component(&format!("{CORE}@2"));
    let other = Advisory { aliases: vec!["GHSA-a".into()], ..advisory("GO-1", record().affected) };
    for flaw in ["CVE-2021-1", "cve-2021-1", "GHSA-a", "GO-1"] {
        let said = statement(flaw, VexStatus::NotAffected, product(&format!("{CORE}@2")));
        let all = with(vec![record(), other.clone()], vec![said]);
        assert_eq!(state(&all, &it), "clear", "{flaw}");
    }
    let bulletin = Advisory {
        aliases: vec!["CVE-2021-1".into(), "CVE-2021-2".into()],
        ..advisory("RS-1", record().affected)
    };
    for (flaws, wanted) in [
        (vec!["RS-1", "CVE-2021-1"], vec!["CVE-2021-2"]),
        (vec!["RS-1"], vec!["CVE-2021-1", "CVE-2021-2"]),
    ] {
        let vulnerabilities = flaws.iter().map(|it| (*it).to_owned()).collect();
        let said = statement("", VexStatus::NotAffected, product(&format!("{CORE}@2")));
        let said = VexStatement { vulnerabilities, ..said };
        let all = with(vec![bulletin.clone()], vec![said]);
        let ids: Vec<_> = all.match_component(&it).into_iter().map(|it| it.id).collect();
        assert_eq!(ids, wanted, "{flaws:?}");
    }
}

/// A statement for one stream has no effect on another, on a Maven component, or on an image.
#[test]
fn m15_product_streams() {
    let stream = |cpe: &str| VexProduct { cpes: vec![cpe.to_owned()], ..VexProduct::default() };
    let within = |text: &str, cpe: &str| VexProduct { within: vec![stream(cpe)], ..product(text) };
    let records = vec![
        Advisory { id: "RHSA-1".into(), ..distribution("Red Hat:enterprise_linux:8::baseos") },
        Advisory { id: "RHSA-2".into(), ..distribution("Red Hat:enterprise_linux:9::appstream") },
        record(),
    ];
    let rpm = |release: &str| component(&format!("pkg:rpm/redhat/log@1-1?distro=rhel-{release}"));
    let said = |product| statement("CVE-2021-1", VexStatus::NotAffected, product);
    let of_8 = within("pkg:rpm/redhat/log", "cpe:/o:redhat:enterprise_linux:8::baseos");
    let all = with(records.clone(), vec![said(of_8)]);
    assert_eq!(state(&all, &rpm("8.6")), "clear");
    assert_eq!(state(&all, &rpm("9.1")), "affected");
    let minor = within("pkg:rpm/redhat/log", "cpe:/o:redhat:enterprise_linux:8.4::baseos");
    assert_eq!(state(&with(records.clone(), vec![said(minor)]), &rpm("8.6")), "affected");
    // An image as a component of a stream: not the image by itself, nor what is in it.
    let eap = "cpe:/a:redhat:jboss_enterprise_application_platform:7.4";
    let image = format!("pkg:oci/app@sha256%3A{}", "a".repeat(64));
    let all = with(records.clone(), vec![said(within(&image, eap))]);
    let group = all.group("CVE-2021-1").unwrap();
    let enclosure = Enclosure { purls: vec![purl(&image)], ..Enclosure::default() };
    for it in [component(&image), component(&format!("{CORE}@2"))] {
        assert!(group.overlay(&it, &enclosure).applied.is_empty(), "{it:?}");
        assert!(group.overlay(&it, &Enclosure::default()).applied.is_empty(), "{it:?}");
    }
    // The same library as a component of a product: not the bare library.
    let all = with(records, vec![said(within(CORE, eap))]);
    let jar = component(&format!("{CORE}@2"));
    assert_eq!(state(&all, &jar), "affected");
    let group = all.group("CVE-2021-1").unwrap();
    let on = |cpe: &str| {
        let enclosure = Enclosure { cpes: vec![cpe.to_owned()], ..Enclosure::default() };
        group.overlay(&jar, &enclosure).applied.len()
    };
    assert_eq!(on("cpe:2.3:a:redhat:jboss_enterprise_application_platform:7.4:*:*:*:*:*:*:*"), 1);
    assert_eq!(on("cpe:/a:redhat:jboss_enterprise_application_platform:7.3"), 0);
    assert_eq!(on("cpe:/o:redhat:enterprise_linux:8"), 0);
}

fn distribution(ecosystem: &str) -> Advisory {
    let entry = affected(ecosystem, "log", &["i0 f2-1"]);
    Advisory { upstream: vec!["CVE-2021-1".into()], ..advisory("", vec![entry]) }
}

/// Product purls against component purls, part by part, under any id of the flaw and no other.
#[test]
fn m17_vex_applies() {
    let digest = |fill: char| format!("sha256%3A{}", fill.to_string().repeat(64));
    let (one, two) = (digest('a'), digest('b'));
    for (stated, found, applies) in [
        ("pkg:npm/a@1.0.0", "pkg:npm/a@1.0.0", true),
        ("pkg:npm/a@v1.0.0", "pkg:npm/a@1.0.0", true),
        ("pkg:npm/a@1.0.1", "pkg:npm/a@1.0.0", false),
        ("pkg:npm/a", "pkg:npm/a@1.0.0", true),
        ("pkg:npm/b", "pkg:npm/a@1.0.0", false),
        ("pkg:pypi/a", "pkg:npm/a@1.0.0", false),
        ("pkg:pypi/My_Lib@1.0", "pkg:pypi/my-lib@1.0.0", true),
        ("pkg:maven/log4j-core@2", "pkg:maven/org.x/log4j-core@2", true),
        ("pkg:maven/org.y/log4j-core@2", "pkg:maven/org.x/log4j-core@2", false),
        ("pkg:deb/debian/a@1?arch=amd64", "pkg:deb/debian/a@1?arch=amd64&x=y", true),
        ("pkg:deb/debian/a@1?arch=amd64", "pkg:deb/debian/a@1?arch=arm64", false),
        ("pkg:deb/debian/a@1?arch=amd64", "pkg:deb/debian/a@1", false),
        ("pkg:npm/a@1?repository_url=r.example", "pkg:npm/a@1", true),
        ("pkg:npm/a@1?repository_url=r.example", "pkg:npm/a@1?repository_url=r.example", true),
        ("pkg:npm/a@1?repository_url=r.example", "pkg:npm/a@1?repository_url=s.example", false),
        ("pkg:oci/a", &format!("pkg:oci/a@{one}"), false),
        ("pkg:oci/a@1.2", "pkg:oci/a@1.2", false),
        (&format!("pkg:oci/a@{one}"), &format!("pkg:oci/a@{one}"), true),
        (&format!("pkg:oci/a@{one}"), &format!("pkg:oci/a@{two}"), false),
        (&format!("pkg:oci/a@{one}?repository_url=r.example"), &format!("pkg:oci/a@{one}"), true),
        // An equal digest is enough, whatever the image is called and wherever it lies.
        (
            &format!("pkg:oci/a@{one}?repository_url=r.example&tag=1"),
            &format!("pkg:docker/x/b@{one}?repository_url=s.example"),
            true,
        ),
        (&format!("pkg:oci/a@{two}"), &format!("pkg:docker/x/b@{one}"), false),
        // An index is several images.
        (&format!("pkg:oci/a@{one}?arch=arm64"), &format!("pkg:oci/a@{one}?arch=arm64"), true),
        (&format!("pkg:oci/a@{one}?arch=arm64"), &format!("pkg:oci/a@{one}?arch=amd64"), false),
        (&format!("pkg:oci/a@{one}?arch=arm64"), &format!("pkg:oci/b@{one}"), false),
        ("pkg:oci/a@sha256%3Aab", "pkg:oci/b@sha256%3Aab", false),
    ] {
        let said = statement("CVE-2021-1", VexStatus::NotAffected, product(stated));
        let all = with(vec![record()], vec![said]);
        let group = all.group("CVE-2021-1").unwrap();
        let got = group.overlay(&component(found), &Enclosure::default()).applied.len();
        assert_eq!(got, usize::from(applies), "{stated} for {found}");
    }
    for (flaw, wanted) in [
        ("CVE-2021-1", "clear"),
        ("GHSA-a", "clear"),
        ("ghsa-A", "clear"),
        ("CVE-2021-2", "affected"),
    ] {
        let core = format!("{CORE}@2");
        let said = statement(flaw, VexStatus::NotAffected, product(&core));
        assert_eq!(state(&with(vec![record()], vec![said]), &component(&core)), wanted, "{flaw}");
    }
}

/// Subcomponents narrow a statement to parts of an enclosing product; a product that is an asset
/// covers everything in it; a digest that is given must be the component's.
#[test]
fn m17_products_subcomponents_and_digests() {
    let asset = "pkg:oci/app@sha256%3Aaaaa";
    let jar = component(&format!("{CORE}@2"));
    let within = Enclosure { purls: vec![purl(asset)], ..Enclosure::default() };
    let elsewhere = Enclosure { purls: vec![purl("pkg:oci/b@sha256%3Abb")], ..within.clone() };
    let part = VexProduct { subcomponents: vec![product(CORE)], ..product(asset) };
    let of_other = VexProduct { subcomponents: vec![product("pkg:npm/a")], ..product(asset) };
    let hash = |value: &str| VexProduct {
        hashes: vec![("sha-256".into(), value.to_owned())],
        ..product(CORE)
    };
    let mut hashed = jar.clone();
    hashed.hashes = vec![Digest([0xab; 32])];
    let right = "AB".repeat(32);
    for (stated, it, enclosure, applies) in [
        (part.clone(), &jar, &within, true),
        (part.clone(), &jar, &elsewhere, false),
        (part, &jar, &Enclosure::default(), false),
        (of_other, &jar, &within, false),
        (product(asset), &jar, &within, true),
        (product(asset), &jar, &elsewhere, false),
        (hash(&right), &hashed, &Enclosure::default(), true),
        (hash(&"cd".repeat(32)), &hashed, &Enclosure::default(), false),
        (hash(&right), &jar, &Enclosure::default(), false),
        (VexProduct::default(), &jar, &within, false),
    ] {
        let text = format!("{stated:?} for {it:?} in {enclosure:?}");
        let said = statement("CVE-2021-1", VexStatus::NotAffected, stated);
        let all = with(vec![record()], vec![said]);
        let group = all.group("CVE-2021-1").unwrap();
        assert_eq!(group.overlay(it, enclosure).applied.len(), usize::from(applies), "{text}");
    }
}

/// `fixed` counts for exactly the version that it names; without one it says nothing.
#[test]
fn fixed_is_for_exactly_one_version() {
    let fixed = |text: &str| statement("CVE-2021-1", VexStatus::Fixed, product(text));
    let it = component(&format!("{CORE}@2"));
    assert_eq!(state(&with(vec![record()], vec![fixed(&format!("{CORE}@2"))]), &it), "clear");
    assert_eq!(state(&with(vec![record()], vec![fixed(CORE)]), &it), "affected");
    // An owner of the archive that is fixed: what it installed is fixed with it.
    let owner = "pkg:deb/debian/liblog4j2-java@2.15.0-1";
    let owned = Component { owned_by: Some(purl(owner)), ..it.clone() };
    let all = with(vec![record()], vec![fixed(owner)]);
    assert_eq!([state(&all, &owned), state(&all, &it)], ["clear", "affected"]);
    assert_eq!(FindingState::Mitigated.as_str(), "mitigated");
}

/// Goal: an archive inside of a package that has the fix is clear, whatever its own version says,
/// and nothing else is (ADVISORIES.md 3.6). Method: the same archive, owned and not, under records
/// of the tracker that fix the owner, fix it later, never had it, or are about another release.
#[test]
fn an_archive_inside_of_a_package_that_has_the_fix_is_clear() {
    let deb = |events: &str, release: &str| {
        let entry = affected(&format!("Debian:{release}"), "apache-log4j2", &[events]);
        Advisory { upstream: vec!["CVE-2021-1".into()], ..advisory("D-1", vec![entry]) }
    };
    let never = |release: &str| {
        let mut record = deb("i0 f9", release);
        record.affected[0].ranges.clear();
        record.affected[0].stance = relight_model::Stance::NotAffected;
        record
    };
    let owner =
        "pkg:deb/debian/liblog4j2-java@2.13.3-1%2Bdeb11u1?distro=debian-11&upstream=apache-log4j2";
    let bare = component(&format!("{CORE}@2.13.3"));
    let owned = Component { owned_by: Some(purl(owner)), ..bare.clone() };
    let own = Advisory {
        aliases: vec!["CVE-2021-1".into()],
        ..advisory("RLT-1", vec![affected("Maven", "org.apache.logging.log4j:log4j-core", &["i0"])])
    };
    for (records, wanted) in [
        (vec![record()], "affected"),
        (vec![record(), deb("i0 f2.13.3-1+deb11u1", "11")], "clear"),
        (vec![record(), deb("i0 f2.13.3-1+deb11u2", "11")], "affected"),
        (vec![record(), deb("i0 f2.13.3-1+deb11u1", "12")], "affected"),
        (vec![record(), deb("i2.18 f2.19", "11")], "affected"),
        (vec![record(), never("11")], "affected"),
        (vec![record(), own, deb("i0 f2.13.3-1+deb11u1", "11")], "affected"),
    ] {
        let all = Advisories::new(records.clone());
        assert_eq!([state(&all, &owned), state(&all, &bare)], [wanted, "affected"], "{records:?}");
        // Maven's word for a release is no other version.
        let released = Component { purl: purl(&format!("{CORE}@2.13.3.Final")), ..owned.clone() };
        assert_eq!(state(&all, &released), wanted, "{records:?}");
        // Other bytes at that path, whatever the package says of itself, and what is bundled.
        let named = |basis| Component {
            basis,
            candidates: vec!["2.13.3".into()],
            ..Component { purl: purl(CORE), ..owned.clone() }
        };
        for other in [
            Component { purl: purl(&format!("{CORE}@2.14.1")), ..owned.clone() },
            Component { purl: purl(&format!("{CORE}@2.13")), ..owned.clone() },
            Component { basis: Basis::FingerprintExact, ..owned.clone() },
            Component { basis: Basis::ArchiveDigest, ..owned.clone() },
            named(Basis::NamedClass),
            named(Basis::FingerprintPartial),
        ] {
            assert_ne!(state(&all, &other), "clear", "{other:?} {records:?}");
        }
        let judgement = all.group("CVE-2021-1").unwrap().judgement(&owned);
        assert_eq!(judgement.has(Flag::ByOwner), wanted == "clear");
        if wanted == "clear" {
            assert_eq!(judgement.decisive().unwrap().record, "D-1");
            let group = all.group("CVE-2021-1").unwrap();
            assert!(!group.is_weakly_clear(&owned, &Enclosure::default()));
        }
        // Step by step the list is the same: the tracker comes last, and goes again.
        let (last, before) = records.split_last().unwrap();
        let mut matcher = Matcher::new(Advisories::new(before.to_vec()));
        matcher.add([(0, owned.clone()), (1, bare.clone())]);
        matcher.apply(vec![Change::put(last.clone())]);
        let states: Vec<_> = matcher.matches("CVE-2021-1").iter().map(|it| it.state()).collect();
        let first = (wanted == "affected").then_some(FindingState::Affected);
        assert_eq!(states, [first, Some(FindingState::Affected)], "{records:?}");
        assert!(matcher.rematch());
        matcher.apply(vec![Change::remove("test", &last.id)]);
        assert!(matcher.rematch());
    }
}

/// An erratum names what was built, another record of the distribution its source: one of them that
/// leaves it open is enough.
#[test]
fn a_source_that_is_open_stops_the_fix_of_what_was_built_from_it() {
    let says = |id: &str, package: &str, events: &str| {
        let entry = affected("AlmaLinux:8", package, &[events]);
        Advisory { upstream: vec!["CVE-2021-1".into()], ..advisory(id, vec![entry]) }
    };
    let owner = "pkg:rpm/almalinux/log4j-jars@2.13.3-2.el8?distro=almalinux-8.5";
    let owner = purl(&format!("{owner}&upstream=log4j-2.13.3-2.el8.src.rpm"));
    let owned = Component { owned_by: Some(owner), ..component(&format!("{CORE}@2.13.3")) };
    let fixed = says("A-1", "log4j-jars", "i0 f2.13.3-2.el8");
    for (source, wanted) in [("i0 f2.13.3-2.el8", "clear"), ("i0 f2.13.3-3.el8", "affected")] {
        let records = vec![record(), fixed.clone(), says("A-2", "log4j", source)];
        assert_eq!(state(&Advisories::new(records), &owned), wanted, "{source}");
    }
}
