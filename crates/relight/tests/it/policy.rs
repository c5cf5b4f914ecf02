//! `relight policy`: the rules that hold, and the signature without which the strictest do.

use crate::incident::POLICY;
use crate::place::Place;

#[test]
fn the_strictest_rules_hold_until_a_policy_is_signed() {
    let place = Place::with_sites();
    let show = |flags: &[&str]| place.run(&[&["policy", "show"][..], flags].concat());
    show(&[]).matches("policy-missing");
    place.write("apart/note", "");
    place.write("data/policy.toml", POLICY);
    show(&["--lang", "fr"]).matches("policy-unsigned-fr");
    place.expect(1, &["policy", "check"]);
    let signed = place.expect(0, &["policy", "sign", "--key", "apart/policy.key"]);
    assert!(signed.stdout.contains("from now on only this key signs: "), "{}", signed.text());
    place.expect(0, &["policy", "check"]);
    let document = show(&["--json"]).json();
    assert_eq!(document["standing"], "signed");
    assert_eq!(
        (document["one_person_sites"].as_u64(), document["single"].as_str()),
        (Some(5), Some("A. Tremblay"))
    );
    // A changed file is loosened by nobody.
    place.write("data/policy.toml", format!("{POLICY}[switching]\none_person_sites = 4\n"));
    let document = show(&["--json"]).json();
    assert_eq!(
        (document["standing"].as_str(), document["one_person_sites"].as_u64()),
        (Some("wrong-signature"), Some(0))
    );
    place.expect(1, &["policy", "sign", "--key", "apart/other.key"]).matches("policy-other-key");
    place.expect(0, &["policy", "sign", "--key", "apart/other.key", "--new-key"]);
    place.expect(0, &["policy", "check"]);
    place.write("data/policy.toml", "[switching]\none_person_sites = 50\n");
    place.expect(2, &["policy", "show"]);
    place.expect(1, &["policy", "sign", "--key", "apart/other.key"]);
    place.expect(2, &["policy", "sign"]);
}
