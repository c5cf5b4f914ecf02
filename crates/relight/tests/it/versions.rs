//! `relight advisories order` and `cvss`: what standard input says, judged line by line.

use expect_test::expect;

use crate::place::{Outcome, Place};

fn with_input(arguments: &[&str], input: &[u8]) -> Outcome {
    Place::new().feed(arguments, input)
}

#[test]
fn order_says_what_it_judges_otherwise() {
    let lines = "# remark\n\n// another\n1.0 < 1.1\n2.0-rc1 > 2.0\n1.0 = 1.0.0\n1 = latest\n";
    expect![[r#"
        line 5: 2.0-rc1 > 2.0; relight says 2.0-rc1 < 2.0
        line 7: 1 = latest; relight says 1 ? latest
        4 lines by the order of maven, 2 judged otherwise
        --- stderr
        --- status 1
    "#]]
    .assert_eq(&with_input(&["advisories", "order", "Maven"], lines.as_bytes()).text());
    expect![[r#"
        2 lignes selon l’ordre de npm, 0 jugée autrement
        --- stderr
        avertissement : ligne 2 : aucun signe <, = ou > entre deux versions
        conseil : écrivez une comparaison par ligne, avec des espaces autour du signe : 1.0 < 1.1, 1.0 = 1.0.0 ou 1.1 > 1.0
        --- status 1
    "#]]
    .assert_eq(
        &with_input(&["advisories", "order", "npm", "--lang", "fr"], b"1 < 2\r\n2>1\n2 > 1").text(),
    );
}

#[test]
fn order_finds_the_scheme_by_many_names() {
    for (name, line) in [
        ("PyPI", "1.0rc1 < 1.0"),
        ("redhat-versions.txt", "1.0~rc1 < 1.0"),
        ("Alpine:v3.20", "1.2_alpha < 1.2"),
        ("packagist", "dev-foo < 1.26.0"),
        ("rubygems-versions-generated.txt", "1.a < 1"),
        ("SEMVER", "1.0.0-rc.1 < 1.0.0"),
        ("crates.io", "1.0.0 = 1.0.0+build"),
    ] {
        let outcome = with_input(&["advisories", "order", name], line.as_bytes());
        assert_eq!(outcome.status, 0, "{name}: {}", outcome.text());
    }
    let outcome = with_input(&["advisories", "order", "cobol"], b"");
    assert_eq!(outcome.status, 2);
    assert!(outcome.text().contains("Rocky Linux"), "{}", outcome.text());
}

#[test]
fn a_malformed_line_has_a_place_and_stops_no_other() {
    let mut input = b"1.0 < 1.1\n1.0 <= 1.1\n< 2\n2 >\n\xff < 1\n1.1 > 1.0\n".to_vec();
    input.extend(b"1 < ");
    input.extend([b'1'; 100_000]);
    input.extend(b"\n2 > 1\n");
    expect![[r#"
        3 lines by the order of semver, 0 judged otherwise
        --- stderr
        warning: line 2: no sign <, = or > between two versions
        warning: line 3: no version before the sign
        warning: line 4: no version after the sign
        warning: line 5: not UTF-8 text
        warning: line 7: longer than 4096 bytes
        hint: write one comparison a line, with spaces around the sign: 1.0 < 1.1, 1.0 = 1.0.0 or 1.1 > 1.0
        --- status 1
    "#]]
    .assert_eq(&with_input(&["advisories", "order", "semver"], &input).text());
    let document = with_input(&["advisories", "order", "semver", "--json"], &input);
    let json = document.json();
    assert_eq!(json["schema"], "relight.version-order/1");
    assert_eq!((&json["lines"], &json["malformed"]), (&3.into(), &5.into()));
    assert_eq!(json["malformed_lines"][3]["code"], "order-line-utf8");
}

#[test]
fn every_line_is_counted_and_ten_thousand_are_listed() {
    let input = "2 < 1\n".repeat(10_001);
    let document = with_input(&["advisories", "order", "npm", "--json"], input.as_bytes()).json();
    assert_eq!((&document["lines"], &document["different"]), (&10_001.into(), &10_001.into()));
    assert_eq!(document["different_lines"].as_array().map(Vec::len), Some(10_000));
    assert_eq!(document["different_lines"][9]["judged"], ">");
}

#[test]
fn versions_are_compared_with_each_other() {
    let place = Place::new();
    expect![[r#"
        1.0~rc1 < 1.0
        1.0 = 0:1.0-0
        0:1.0-0 ? latest
        --- stderr
        --- status 3
    "#]]
    .assert_eq(
        &place.run(&["advisories", "order", "deb", "1.0~rc1", "1.0", "0:1.0-0", "latest"]).text(),
    );
    place.expect(2, &["advisories", "order", "deb", "1.0"]);
    place.expect(2, &["advisories", "order"]);
}

const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

#[test]
fn cvss_scores_vectors_of_every_version() {
    let temporal = format!("{CRITICAL}/E:P/RL:O/MAV:L");
    let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U";
    let two = "AV:N/AC:L/Au:N/C:N/I:N/A:C";
    let place = Place::new();
    expect![[r#"
        base 9.8  temporal 9.8  environmental 9.8  CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
        base 9.8  temporal 8.8  environmental 7.6  CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/MAV:L
        base 9.3  threat 8.1  environmental -  CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U
        base 7.8  temporal -  environmental -  AV:N/AC:L/Au:N/C:N/I:N/A:C
        --- stderr
        --- status 0
    "#]]
        .assert_eq(&place.run(&["advisories", "cvss", CRITICAL, &temporal, four, two]).text());
    let document = place.run(&["advisories", "cvss", "--json", &temporal, four, two]).json();
    assert_eq!(document["schema"], "relight.cvss/1");
    let row = &document["vectors"][0];
    assert_eq!((&row["base"], &row["environmental"]), (&9.8.into(), &7.6.into()));
    assert_eq!((&row["severity"], &row["version"]), (&"high".into(), &"3.1".into()));
    assert_eq!(document["vectors"][2]["temporal"], serde_json::Value::Null);
}

#[test]
fn a_bad_vector_has_a_place_and_stops_no_other() {
    let input =
        format!("# remark\n{CRITICAL}\n\nCVSS:3.1/AV:Q\nhigh\r\n{CRITICAL}/AV:N\né\n{CRITICAL}");
    expect![[r#"
        base 9.8  temporal 9.8  environmental 9.8  CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
        base 9.8  temporal 9.8  environmental 9.8  CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
        --- stderr
        warning: line 4: a value that this metric does not have, at character 10: “AV:Q”
        warning: line 5: not a CVSS vector of version 2, 3.0, 3.1 or 4.0, at character 1: “high”
        warning: line 6: a metric that was given already, at character 46: “AV:N”
        warning: line 7: not a CVSS vector of version 2, 3.0, 3.1 or 4.0, at character 1: “é”
        hint: for example CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H; nothing is guessed from a vector that is not whole
        --- status 1
    "#]].assert_eq(&with_input(&["advisories", "cvss"], input.as_bytes()).text());
    expect![[r#"
        --- stderr
        avertissement : ligne 1 : il manque une métrique de base, au caractère 10 : « Au »
        conseil : par exemple CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H; rien n’est deviné d’un vecteur incomplet
        --- status 1
    "#]].assert_eq(
        &with_input(&["advisories", "cvss", "-", "--lang", "fr"], b"AV:N/AC:L\n").text(),
    );
    let long = "A".repeat(100_000);
    let document = with_input(&["advisories", "cvss", "--json"], long.as_bytes());
    assert_eq!(
        (document.status, &document.json()["refused"][0]["code"]),
        (1, &"cvss-too-long".into())
    );
    let place = Place::new();
    place.expect(1, &["advisories", "cvss", CRITICAL, "nothing"]);
    assert_eq!(with_input(&["advisories", "cvss"], b"").status, 0);
}
