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
    assert_eq!(json["schema"], "relight.order/1");
    assert_eq!((&json["lines"], &json["malformed"]), (&3.into(), &5.into()));
    assert_eq!(json["malformed_lines"][3]["code"], "order-line-utf8");
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
