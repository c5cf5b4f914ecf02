//! Entries of the journal: what they read as.

use super::*;

#[test]
fn bodies_are_canonical_and_read_back() {
    let entry = Entry::Proved {
        sites: vec![GateKey::new("b").unwrap(), GateKey::new("a").unwrap()],
        light: Light::Dark,
        edge: "nginx-01".into(),
        epoch: Epoch { term: 3, seq: 7 },
    };
    let body = entry.to_body().unwrap();
    assert_eq!(
        body,
        r#"{"edge":"nginx-01","epoch":"3-7","kind":"proved","light":"dark","sites":["b","a"]}"#
    );
    assert_eq!(Entry::from_body(&body).unwrap(), entry);
    assert_eq!(entry.kind(), "proved");
}

#[test]
fn a_bad_body_is_an_error() {
    for body in
        ["", "{}", r#"{"kind":"proved"}"#, r#"{"kind":"fix-started","note":"","site":"../x"}"#]
    {
        assert!(Entry::from_body(body).is_err(), "{body}");
    }
}
