//! Times and packages as people write them.

use super::*;

#[test]
fn an_expiry_is_a_time_from_now() {
    for (text, wanted) in [
        ("14d", Some(14 * 86_400)),
        (" 36h ", Some(36 * 3_600)),
        ("0d", None),
        ("-1d", None),
        ("14", None),
        ("d", None),
        ("soon", None),
        ("9223372036854775807d", None),
    ] {
        assert_eq!(moment_after(0, text), wanted, "{text}");
    }
}

#[test]
fn packages_by_both_names_of_their_ecosystem() {
    for (text, wanted) in [
        ("maven:org.example:lib", Some(("Maven", "org.example:lib"))),
        ("cargo:serde", Some(("crates.io", "serde"))),
        ("PyPI:requests", Some(("PyPI", "requests"))),
        ("npm:@scope/lib", Some(("npm", "@scope/lib"))),
        ("packagist:symfony/yaml", Some(("Packagist", "symfony/yaml"))),
        ("Debian:openssl", Some(("Debian", "openssl"))),
        ("Debian:12:openssl", Some(("Debian:12", "openssl"))),
        ("Ubuntu:22.04:LTS:openssl", Some(("Ubuntu:22.04:LTS", "openssl"))),
        ("AlmaLinux:8:nodejs", Some(("AlmaLinux:8", "nodejs"))),
        ("Debian:12:", None),
        ("Debian::openssl", None),
        ("npm:foo:bar", None),
        ("npm:foo bar", None),
        ("maven:a:b:c", None),
        ("log4j-core", None),
        ("maven:log4j-core", None),
        ("maven::log4j-core", None),
        ("maven:org.apache.logging.log4j:", None),
        ("packagist:yaml", None),
        ("odd:lib", None),
        ("npm:", None),
    ] {
        let wanted =
            wanted.map(|(ecosystem, name)| json!({ "ecosystem": ecosystem, "name": name }));
        assert_eq!(package(text), wanted, "{text}");
    }
}
