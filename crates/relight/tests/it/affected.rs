//! `relight affected`: three values, with reasons.

use expect_test::expect;

use crate::place::{Place, log4j};

/// One site affected, one clear, one that could not be read.
fn answered() -> Place {
    let place = Place::with_sites();
    place.write("bad/log4j.jar", log4j("2.14.1"));
    place.write("good/log4j.jar", log4j("2.17.1"));
    place.write("torn/log4j.jar", &log4j("2.14.1")[..60]);
    place.expect(0, &["scan", "bad", "--site", "san-001"]);
    place.expect(0, &["scan", "good", "--site", "san-002"]);
    place.expect(3, &["scan", "torn", "--site", "mun-001"]);
    place
}

#[test]
fn the_answer_has_three_values_with_reasons() {
    let place = answered();
    expect![[r#"
        CVE-2021-44228  Log4Shell: text that is logged can make log4j-core load and run code from a remote server
        CVSS 10.0 · KEV · affects >=2.0-beta9 <2.3.1, >=2.13.0 <2.15.0, >=2.4 <2.12.2 · fixed in 2.12.2, 2.15.0, 2.3.1
        1 of 3 sites affected, 1 unknown, 1 clear
         Sector            Affected  Unknown  Sites  Share
         Health network           1        0      2  ██████████ 50.0%
         Municipal boards         0        1      1  0.0%
         ? a part is corrupt: 1
        Next: relight incident open CVE-2021-44228
        --- stderr
        hint: 1 unknown site: relight sites gaps shows what is missing
        --- status 3
    "#]].assert_eq(&place.run(&["affected", "CVE-2021-44228"]).text());
    expect![[r#"
        CVE-2021-44228  Log4Shell: text that is logged can make log4j-core load and run code from a remote server
        CVSS 10,0 · KEV · touche >=2.0-beta9 <2.3.1, >=2.13.0 <2.15.0, >=2.4 <2.12.2 · corrigé dans 2.12.2, 2.15.0, 2.3.1
        1 site touché sur 3, 1 inconnu, 1 hors de cause
         Secteur             Touchés  Inconnus  Sites  Part
         Réseau de santé           1         0      2  ██████████ 50,0 %
         Régies municipales        0         1      1  0,0 %
         ? une partie est corrompue : 1
        Ensuite : relight incident open CVE-2021-44228
        --- stderr
        conseil : 1 site inconnu : relight sites gaps montre ce qui manque
        --- status 3
    "#]].assert_eq(&place.run(&["affected", "cve-2021-44228", "--lang", "fr"]).text());
    for by in ["org", "edge", "component", "site", "none"] {
        let outcome = place.expect(3, &["affected", "log4j-core<2.17.1", "--by", by]);
        assert!(outcome.stdout.starts_with("1 of 3 sites affected, 1 unknown, 1 clear\n"));
    }
    let paths = place.expect(3, &["affected", "CVE-2021-44228", "--by", "site", "--paths"]).stdout;
    assert!(paths.contains(" ◆ san-001  log4j.jar\n"), "{paths}");
    assert!(!paths.contains("san-002"), "{paths}");
}

#[test]
fn the_document_counts_every_site_once() {
    let place = answered();
    let document = place.expect(3, &["affected", "CVE-2021-44228", "--json"]).json();
    assert_eq!(document["schema"], "relight.answer/1");
    assert_eq!(document["query"], "CVE-2021-44228");
    assert_eq!(document["advisories_at"], serde_json::Value::Null);
    assert_eq!(document["total"], serde_json::json!({ "affected": 1, "clear": 1, "unknown": 1 }));
    assert_eq!(document["reasons"], serde_json::json!({ "partial-corrupt": 1 }));
    let items = document["items"].as_array().unwrap();
    let verdicts: Vec<_> = items.iter().map(|item| (&item["site"], &item["verdict"])).collect();
    let expected = [("mun-001", "unknown"), ("san-001", "affected"), ("san-002", "clear")]
        .map(|(a, b)| (a, b));
    assert_eq!(verdicts.len(), expected.len());
    for ((site, verdict), (slug, word)) in verdicts.into_iter().zip(expected) {
        assert_eq!((site, verdict), (&slug.into(), &word.into()));
    }
    assert_eq!(items[1]["evidence"][0], "log4j.jar");
}

#[test]
fn exit_statuses_follow_their_precedence() {
    let place = answered();
    place.expect(10, &["affected", "CVE-2021-44228", "--fail"]);
    place.expect(3, &["affected", "CVE-2021-44228"]);
    place.expect(0, &["affected", "CVE-2021-44228", "--sites", "site:san-001"]);
    place.expect(10, &["affected", "CVE-2021-44228", "--sites", "site:san-001", "--fail"]);
    place.expect(0, &["affected", "CVE-2021-44228", "--sites", "clear", "--fail"]);
    place.expect(3, &["affected", "CVE-2021-44228", "--sites", "unknown", "--fail"]);
    place.expect(0, &["affected", "pkg:npm/left-pad", "--sites", "not unknown"]);
}

#[test]
fn what_cannot_be_asked_is_told_with_its_place() {
    let place = answered();
    let query = ["affected", "CVE-2021-44228", "--sites", "org:SAN crt<=2"];
    expect![[r#"
        --- stderr
        error: unknown key “crt”
         1 │ org:SAN crt<=2
           ·         ─┬─ here
        hint: known keys: site, org, sector, crit, edge, verdict, state, affected, clear, unknown; nearest: crit
        --- status 2
    "#]].assert_eq(&place.run(&query).text());
    let query = ["--lang", "fr", "affected", "CVE-2021-44228", "--sites", "(afected"];
    expect![[r#"
        --- stderr
        erreur : mot inconnu « afected »
         1 │ (afected
           ·  ───┬─── ici
        conseil : clés connues : site, org, sector, crit, edge, verdict, state, affected, clear, unknown; la plus proche : affected
        --- status 2
    "#]].assert_eq(&place.run(&query).text());
    expect![[r#"
        --- stderr
        error: this version cannot be read
         1 │ log4j-core<
           ·            ┬ here
        hint: ask for an advisory (CVE-2021-44228), a package URL (pkg:maven/…) or a name with versions (log4j-core<2.17.1)
        --- status 2
    "#]].assert_eq(&place.run(&["affected", "log4j-core<"]).text());
    expect![[r#"
        --- stderr
        erreur : aucun avis ne porte l’identifiant CVE-1999-0001
        conseil : mettez les avis à jour : relight advisories update --offline DIR
        --- status 1
    "#]]
    .assert_eq(&place.run(&["affected", "CVE-1999-0001", "--lang", "fr"]).text());
    expect![[r#"
        --- stderr
        error: “affected”, “clear” and “unknown” alone need a question
        hint: name it: affected:CVE-2021-44228
        --- status 2
    "#]]
    .assert_eq(&place.run(&["sites", "list", "affected"]).text());
    place.expect(0, &["sites", "list", "affected:CVE-2021-44228"]);
}
