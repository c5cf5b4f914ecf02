//! `relight watch`: logs in, campaigns out, and no word too many.

use std::fmt::Write as _;

use expect_test::expect;

use crate::place::Place;

/// Ordinary visitors, one who tries many doors of many products over weeks, and lines that are
/// none.
fn log() -> Vec<u8> {
    let mut log = String::new();
    let line = |log: &mut String, source: &str, day: usize, path: &str, status: u16| {
        let _ = writeln!(
            log,
            "{source} - - [{day:02}/Nov/2021:10:00:00 +0000] \"GET {path} HTTP/1.1\" {status} 12 \
             \"-\" \"Mozilla/5.0\""
        );
    };
    for day in 1..=28 {
        line(&mut log, "192.0.2.10", day, "/", 200);
    }
    let doors = [
        "/.env",
        "/.git/config",
        "/wp-login.php",
        "/phpmyadmin/",
        "/owa/",
        "/autodiscover/autodiscover.xml",
        "/remote/login",
        "/solr/",
        "/manager/html",
        "/jenkins/",
        "/actuator/env",
        "/_cat/indices",
        "/vpn/index.html",
        "/server-status",
    ];
    for (at, door) in doors.into_iter().enumerate() {
        line(&mut log, "198.51.100.7", 1 + 2 * at, door, 404);
    }
    let mut bytes = log.into_bytes();
    bytes.extend(b"\x00\x01\x02\xff\xfe binary\n");
    bytes
        .extend(b"198.51.100.8 - - [01/Nov/2021:10:00:00 +0000] \"GET /\x1b[2J HTTP/1.1\" 200 1\n");
    bytes
}

fn watched() -> (Place, String) {
    let place = Place::with_sites();
    place.write("access.log", log());
    let arguments = ["watch", "ingest", "access.log", "--org", "Santé Nord", "--site", "san-001"];
    let text = place.run(&arguments).text();
    (place, text)
}

#[test]
fn lines_that_are_none_are_told_and_cost_no_other() {
    let (place, text) = watched();
    expect![[r#"
        access.log: 44 lines, 43 events, 1 refused
        Next: relight watch campaigns
        --- stderr
        warning: access.log:43: 1 line: does not start with an address
        hint: the other lines were read; the expected format is “combined”
        --- status 0
    "#]]
    .assert_eq(&text);
    let again = ["watch", "ingest", "access.log", "--org", "Santé Nord", "--site", "san-001"];
    let again = place.expect(0, &[&again[..], &["--lang", "fr"]].concat());
    assert!(again.stdout.contains("déjà lu, rien n’a changé"), "{}", again.text());
    place.expect(1, &["watch", "ingest", "nowhere.log", "--org", "Santé Nord"]);
    expect![[r#"
        --- stderr
        error: there is no organisation “Nobody” in the register
        hint: known organisations: Santé Nord, Ville de X
        --- status 1
    "#]]
    .assert_eq(&place.run(&["watch", "ingest", "access.log", "--org", "Nobody"]).text());
}

/// Below signs of success the fixed denial is the only sentence that may use the word.
#[test]
fn a_sweep_is_named_and_nobody_is_called_compromised() {
    let (place, _) = watched();
    expect![[r#"
        C-0001  reconnaissance  27 days, 1 organisation, 1 site, 1 address  confidence 0.91
          198.51.100.7  2021-11-01T10:00:00Z
          Reconnaissance is not an indication of compromise.
        1 campaign
        Next: relight watch explain C-0001
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["watch", "campaigns"]).text());
    expect![[r#"
        C-0001  reconnaissance  27 jours, 1 organisme, 1 site, 1 adresse  confiance 0,91
          198.51.100.7  2021-11-01T10:00:00Z
          Une reconnaissance n’est pas un signe de compromission.
        1 campagne
        Ensuite : relight watch explain C-0001
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["watch", "campaigns", "--lang", "fr"]).text());
    let document = place.expect(0, &["watch", "campaigns", "--json"]).json();
    assert_eq!(document["campaigns"][0]["sources"], serde_json::json!(["198.51.100.7"]));
    assert_eq!(document["campaigns"][0]["severity"], "S1");
    for (lang, denial) in [
        ("en", "Reconnaissance is not an indication of compromise."),
        ("fr", "Une reconnaissance n’est pas un signe de compromission."),
    ] {
        let told = place.expect(0, &["watch", "explain", "c-0001", "--lang", lang]).stdout;
        assert_eq!(told.to_lowercase().matches("comprom").count(), 1, "{told}");
        assert!(told.contains(denial), "{told}");
        assert!(told.contains("198.51.100.7"), "{told}");
    }
    let why = place.expect(0, &["watch", "explain", "C-0001", "--json"]).json();
    assert!(why["likelihood"].as_f64() > why["threshold"].as_f64());
    place.expect(1, &["watch", "explain", "C-9999"]);
}
