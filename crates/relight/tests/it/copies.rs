//! M4 of ADVISORIES.md through the real scan: copies of one library, wherever they lie and whatever
//! their group is called.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use crate::place::{Place, archive, log4j};
use crate::scan_options::tar;

/// A jar that says of itself that it is this.
fn pom(group: &str, artifact: &str, version: &str) -> Vec<u8> {
    let properties = format!("groupId={group}\nartifactId={artifact}\nversion={version}\n");
    let path = format!("META-INF/maven/{group}/{artifact}/pom.properties");
    archive(&[(&path, properties.as_bytes())])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Goal: every copy is found, nested, in a distribution archive, or under the group of somebody who
/// published it again; one that is fixed is not. Method: a file for each, scanned into the register
/// of a site and asked.
#[test]
fn m04_nested_and_cloned_copies_are_found_by_the_scan() {
    let place = Place::with_sites();
    let nested = archive(&[("WEB-INF/lib/a.jar", &archive(&[("lib/b.jar", &log4j("2.14.1"))]))]);
    let elastic = gzip(&tar(&[("elasticsearch/lib/log4j-core-2.11.1.jar", &log4j("2.11.1"))]));
    let logstash = gzip(&tar(&[(
        "logstash/logstash-core/lib/jars/logstash-core.jar",
        &archive(&[("jars/log4j-core-2.14.0.jar", &log4j("2.14.0"))]),
    )]));
    let clone = |group: &str, artifact: &str| pom(group, artifact, "2.14.1");
    let files: [(&str, Vec<u8>, &str); 8] = [
        ("plain.jar", log4j("2.14.1"), "affected"),
        ("app.war", nested, "affected"),
        ("elasticsearch.tar.gz", elastic, "affected"),
        ("logstash.tar.gz", logstash, "affected"),
        ("guicedee.jar", clone("com.guicedee.services", "log4j-core"), "unknown"),
        ("xbib.jar", clone("org.xbib.elasticsearch", "log4j"), "unknown"),
        ("niche.jar", clone("uk.co.nichesolutions.logging.log4j", "log4j-core"), "unknown"),
        ("fixed.jar", log4j("2.17.1"), "clear"),
    ];
    for (name, bytes, wanted) in files {
        let folder = format!("of-{name}");
        place.write(&format!("{folder}/{name}"), bytes);
        let status = if wanted == "unknown" { 3 } else { 0 };
        place.expect(status, &["scan", &folder, "--site", "san-001"]);
        let answer = place.run(&["affected", "CVE-2021-44228", "--json"]).json();
        let items = answer["items"].as_array().unwrap();
        let of_site = items.iter().find(|item| item["site"] == "san-001").unwrap();
        assert_eq!(of_site["verdict"], wanted, "{name}: {of_site}");
    }
}
