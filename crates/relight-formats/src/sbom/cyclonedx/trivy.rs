//! Properties in which Trivy tells the source package of a package of a distribution: its package
//! URLs leave it out, and trackers of distributions name sources.

use relight_model::Purl;
use serde_json::Value;

/// The package URL with the source package of the item's properties, where it names none.
pub(super) fn with_source(purl: Purl, item: &Value) -> Purl {
    let of_distribution = ["deb", "rpm", "apk"].contains(&purl.kind.as_str());
    if !of_distribution || purl.qualifier("upstream").is_some() {
        return purl;
    }
    let told = |name: &str| property(item, name).filter(|value| !value.is_empty());
    let Some(source) = told("aquasecurity:trivy:SrcName") else { return purl };
    let version = told("aquasecurity:trivy:SrcVersion").map(|version| {
        let release = told("aquasecurity:trivy:SrcRelease").map(|it| format!("-{it}"));
        format!("{version}{}", release.unwrap_or_default())
    });
    let upstream = match (version, told("aquasecurity:trivy:SrcEpoch")) {
        (None, _) => source.to_owned(),
        // Names of source files tell no epoch; that of the package is in its own version.
        (Some(version), _) if purl.kind == "rpm" => format!("{source}-{version}.src.rpm"),
        (Some(version), None | Some("0")) => format!("{source}@{version}"),
        (Some(version), Some(epoch)) => format!("{source}@{epoch}:{version}"),
    };
    if source == purl.name { purl } else { purl.with_qualifier("upstream", &upstream) }
}

/// As [`with_source`], of what Trivy writes in SPDX: `built package from: openssl 3.0.11-1`.
pub(in crate::sbom) fn with_source_info(purl: Purl, told: &str) -> Purl {
    let of_distribution = ["deb", "apk"].contains(&purl.kind.as_str());
    let source = told.trim().strip_prefix("built package from: ").filter(|_| of_distribution);
    let Some((name, version)) = source.and_then(|it| it.trim().split_once(' ')) else {
        return purl;
    };
    let is_told = purl.qualifier("upstream").is_some() || name == purl.name || name.is_empty();
    if is_told { purl } else { purl.with_qualifier("upstream", &format!("{name}@{version}")) }
}

fn property<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    let all = item.get("properties").and_then(Value::as_array).into_iter().flatten();
    let mut named = all.filter(|it| it.get("name").and_then(Value::as_str) == Some(name));
    named.next()?.get("value")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_package_is_taken_from_words() {
        for (purl, told, wanted) in [
            (
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u1",
                "built package from: openssl 3.0.11-1~deb12u1",
                Some("openssl@3.0.11-1~deb12u1"),
            ),
            ("pkg:deb/debian/bash@5.2-1", "built package from: bash 5.2-1", None),
            ("pkg:deb/debian/libssl3@3?upstream=o", "built package from: openssl 3", Some("o")),
            ("pkg:npm/a@1", "built package from: openssl 3", None),
            ("pkg:deb/debian/a@1", "package found in: lib/a", None),
        ] {
            let found = with_source_info(Purl::parse(purl).unwrap(), told);
            assert_eq!(found.qualifier("upstream"), wanted, "{purl}");
        }
    }

    #[test]
    fn a_source_package_is_taken_from_the_properties() {
        for (purl, told, wanted) in [
            (
                "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12.2",
                &[("SrcName", "openssl"), ("SrcVersion", "3.0.11"), ("SrcRelease", "1")][..],
                Some("openssl@3.0.11-1"),
            ),
            (
                "pkg:deb/debian/vim-tiny@2:9.0-1",
                &[("SrcName", "vim"), ("SrcVersion", "9.0-1"), ("SrcEpoch", "2")],
                Some("vim@2:9.0-1"),
            ),
            ("pkg:apk/alpine/libssl3@3.1-r0", &[("SrcName", "openssl")], Some("openssl")),
            (
                "pkg:rpm/suse/libopenssl1_1@1.1.1l-4",
                &[("SrcName", "openssl-1_1"), ("SrcVersion", "1.1.1l"), ("SrcRelease", "4")],
                Some("openssl-1_1-1.1.1l-4.src.rpm"),
            ),
            ("pkg:rpm/suse/bash@5-1", &[("SrcName", "bash")], None),
            ("pkg:deb/debian/bash@5-1", &[("SrcName", "bash"), ("SrcVersion", "5")], None),
            ("pkg:deb/debian/a@1?upstream=b", &[("SrcName", "c")], Some("b")),
            ("pkg:deb/debian/a@1", &[("SrcVersion", "1")], None),
            ("pkg:npm/a@1", &[("SrcName", "c")], None),
        ] {
            let all = told.iter().map(|(name, value)| {
                json!({"name": format!("aquasecurity:trivy:{name}"), "value": value})
            });
            let item = json!({"properties": all.collect::<Vec<_>>()});
            let found = with_source(Purl::parse(purl).unwrap(), &item);
            assert_eq!(found.qualifier("upstream"), wanted, "{purl}");
        }
        assert_eq!(with_source(Purl::parse("pkg:deb/debian/a@1").unwrap(), &json!({})).name, "a");
    }
}
