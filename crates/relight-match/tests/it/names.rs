//! Packages that a record and a component call by different names: found by each way there is.

use relight_match::{Advisories, Change, Matcher, Question};
use relight_model::{Advisory, Component, Purl};

use super::{advisory, affected, component, matches};

/// `id state` of each finding, the same by a look-up, by an identity that is new to a matcher, by
/// records that are new to it, and by a full match.
fn everywhere(records: &[Advisory], it: &Component) -> Vec<String> {
    let advisories = Advisories::new(records.to_vec());
    let found = matches(&advisories, it);
    let listed = |matcher: &Matcher| -> Vec<String> {
        let lists = matcher.lists().flat_map(|(id, list)| list.iter().map(move |it| (id, it)));
        let states = lists.filter_map(|(id, it)| it.state().map(|state| (id, state)));
        states.map(|(id, state)| format!("{id} {}", state.as_str())).collect()
    };
    let mut late_identity = Matcher::new(advisories);
    late_identity.add([(7, it.clone())]);
    assert_eq!(listed(&late_identity), found, "{}: a new identity", it.purl);
    assert!(late_identity.rematch(), "{}: pushed and full differ", it.purl);
    let mut late_records = Matcher::new(Advisories::new(Vec::new()));
    late_records.add([(7, it.clone())]);
    for record in records {
        late_records.apply(vec![Change::put(record.clone())]);
    }
    assert_eq!(listed(&late_records), found, "{}: new records", it.purl);
    assert!(late_records.rematch(), "{}: pushed and full differ", it.purl);
    // What is said again of one package leaves what is said of the others.
    for record in records {
        late_records.apply(vec![Change::remove(&record.source, &record.id)]);
        late_records.apply(vec![Change::put(record.clone())]);
    }
    assert_eq!(listed(&late_records), found, "{}: records once more", it.purl);
    late_records.remove([7]);
    assert_eq!(late_records.lists().count(), 0, "{}: forgotten", it.purl);
    found
}

/// A document without package URL gives a name as its tool writes it; records give it as the
/// ecosystem does. It may be that package, and is never silently another.
#[test]
fn a_name_alone_is_found_in_whatever_form_a_document_writes_it() {
    const POSSIBLE: &[&str] = &["CVE-1 possible-match"];
    for (ecosystem, package, group, name, wanted) in [
        ("PyPI", "pillow", "", "Pillow", POSSIBLE),
        ("PyPI", "pyyaml", "", "PyYAML", POSSIBLE),
        ("PyPI", "zope-interface", "", "zope.interface", POSSIBLE),
        ("PyPI", "typing-extensions", "", "typing_extensions", POSSIBLE),
        ("NuGet", "Newtonsoft.Json", "", "Newtonsoft.Json", POSSIBLE),
        ("NuGet", "Newtonsoft.Json", "", "newtonsoft.json", POSSIBLE),
        ("crates.io", "serde_json", "", "serde_json", POSSIBLE),
        ("npm", "@angular/core", "@angular", "core", POSSIBLE),
        ("npm", "@angular/core", "", "@angular/core", POSSIBLE),
        ("npm", "@angular/core", "", "core", POSSIBLE),
        ("npm", "@angular/core", "@babel", "core", &[]),
        ("npm", "@angular/core", "com.example.shop", "core", &[]),
        ("npm", "lodash", "com.example.shop", "lodash", POSSIBLE),
        ("Packagist", "symfony/http-kernel", "symfony", "http-kernel", POSSIBLE),
        ("Packagist", "symfony/http-kernel", "", "symfony/http-kernel", POSSIBLE),
        ("Go", "github.com/BurntSushi/toml", "github.com/BurntSushi", "toml", POSSIBLE),
        ("Go", "github.com/a/b/v2", "github.com/a", "b", POSSIBLE),
        ("Go", "gopkg.in/yaml.v2", "gopkg.in", "yaml.v2", POSSIBLE),
        ("Go", "github.com/a/b", "github.com/a/b", "v2", POSSIBLE),
        ("Maven", "org.example:lib", "org.example", "lib", POSSIBLE),
        ("Maven", "org.example:lib", "com.copies", "lib", POSSIBLE),
        ("Maven", "org.example:lib", "", "org.example:lib", POSSIBLE),
        ("Maven", "org.example:lib", "apache", "Lib", POSSIBLE),
        ("Maven", "org.example:lib", "org.example", "lib-api", &[]),
        ("npm", "left-pad", "", "leftpad", &[]),
    ] {
        let record = advisory("CVE-1", vec![affected(ecosystem, package, &["i0 f9.1"])]);
        let mut it = component("pkg:generic/x");
        it.purl = Purl::new("generic", group, name, "9.0");
        assert_eq!(everywhere(&[record], &it), wanted, "{package} as {group} {name}");
    }
    // Beyond the fix it is clear, whatever it is called.
    let record = advisory("CVE-1", vec![affected("PyPI", "pillow", &["i0 f9.1"])]);
    assert_eq!(everywhere(&[record], &component("pkg:generic/Pillow@9.1")), [""; 0]);
}

/// The same of a question about a package.
#[test]
fn a_question_finds_a_name_alone_in_whatever_form() {
    let advisories = Advisories::new(Vec::new());
    for (question, purl, wanted) in [
        ("pkg:pypi/pillow", "pkg:generic/Pillow@9.0", Some("possible-match")),
        ("pillow", "pkg:generic/Pillow@9.0", Some("possible-match")),
        ("Pillow", "pkg:generic/Pillow@9.0", Some("affected")),
        ("@angular/core", "pkg:generic/%40angular/core@9.0", Some("possible-match")),
        ("pkg:npm/%40angular/core", "pkg:generic/%40angular/core@9.0", Some("possible-match")),
        ("pkg:npm/%40angular/core", "pkg:generic/%40babel/core@9.0", None),
        ("pillow-simd", "pkg:generic/Pillow@9.0", None),
        ("Gaea", "pkg:golang/github.com/XiaoMi/Gaea@1", Some("affected")),
        ("gaea", "pkg:golang/github.com/XiaoMi/Gaea@1", Some("affected")),
        ("github.com/XiaoMi/Gaea", "pkg:golang/github.com/XiaoMi/Gaea@1", Some("affected")),
    ] {
        let question = Question::parse(question).unwrap();
        let found = question.judge_component(&advisories, &component(purl));
        let state = found.map(|finding| finding.state.as_str());
        assert_eq!(state, wanted, "{question} of {purl}");
    }
}

/// SUSE, openSUSE and Rocky name source packages, and Red Hat does where it has no fix; errata of
/// others name what was built. A package hears of both, and of its own version where it is named.
#[test]
fn m15_rpm_packages_hear_of_their_sources() {
    let suse = |package: &str, events: &str| {
        affected("SUSE:Linux Enterprise Module for Basesystem 15 SP4", package, &[events])
    };
    let alma = |package: &str, events: &str| affected("AlmaLinux:8", package, &[events]);
    let ssl = "suse/libopenssl1_1@1.1.1l-150400.5?distro=sles-15.4";
    let ssl = &format!("{ssl}&upstream=openssl-1_1-1.1.1l-150400.5.src.rpm");
    let carp = "almalinux/perl-Errno@1.28-420.el8?distro=almalinux-8.5";
    let carp = &format!("{carp}&upstream=perl-5.26.3-420.el8.src.rpm");
    let bind = "almalinux/bind-libs@9.11-3.el8?distro=almalinux-8.5&epoch=32";
    let bind = &format!("{bind}&upstream=bind-9.11-3.el8.src.rpm");
    const AFFECTED: &[&str] = &["CVE-1 affected"];
    const POSSIBLE: &[&str] = &["CVE-1 possible-match"];
    for (entries, purl, wanted) in [
        (vec![suse("openssl-1_1", "i0 f1.1.1l-150400.7")], ssl, AFFECTED),
        (vec![suse("openssl-1_1", "i0")], ssl, AFFECTED),
        (vec![suse("openssl-1_1", "i0 f1.1.1l-150400.5")], ssl, &[]),
        (vec![suse("openssl", "i0 f1.1.1l-150400.7")], ssl, &[]),
        (vec![suse("libopenssl1_1", "i0 f1.1.1l-150400.7")], ssl, AFFECTED),
        // The record names what was built: its own line counts.
        (
            vec![alma("perl", "i0 f4:5.26.3-421.el8"), alma("perl-Errno", "i0 f1.28-420.el8")],
            carp,
            &[],
        ),
        (
            vec![alma("perl", "i0 f4:5.26.3-420.el8"), alma("perl-Errno", "i0 f1.28-421.el8")],
            carp,
            AFFECTED,
        ),
        // The epoch of another version is in no file name.
        (vec![alma("perl", "i0 f4:5.26.3-420.el8")], carp, POSSIBLE),
        (vec![alma("perl", "i0 f5.26.3-420.el8")], carp, &[]),
        (vec![alma("perl", "i0 f4:5.26.3-421.el8")], carp, AFFECTED),
        (vec![alma("bind", "i0 f32:9.11-3.el8")], bind, &[]),
        (vec![alma("bind", "i0 f32:9.11-4.el8")], bind, AFFECTED),
        (vec![affected("AlmaLinux:9", "bind", &["i0 f32:9.11-4.el8"])], bind, &[]),
    ] {
        let record = advisory("CVE-1", entries);
        assert_eq!(everywhere(&[record], &component(&format!("pkg:rpm/{purl}"))), wanted, "{purl}");
    }
    // What a record says of the package in another release is silent about this one.
    let old = "pkg:rpm/redhat/openssl-libs@1.0.2k-19.el7?distro=rhel-7";
    let old = component(&format!("{old}&upstream=openssl-1.0.2k-19.el7.src.rpm"));
    let fixed = affected("Red Hat:9", "openssl-libs", &["i0 f3.0.7-2"]);
    let open = affected("Red Hat:7", "openssl", &["i0"]);
    assert_eq!(everywhere(&[advisory("CVE-1", vec![fixed, open])], &old), AFFECTED);
    // Two records, each about one of the names: affected wins.
    let records = |own: &str, source: &str| {
        let erratum = advisory("A-1", vec![suse("libopenssl1_1", own)]);
        let open = advisory("A-2", vec![suse("openssl-1_1", source)]);
        let about = |it: Advisory| Advisory { upstream: vec!["CVE-1".into()], ..it };
        [about(erratum), about(open)]
    };
    let it = component(&format!("pkg:rpm/{ssl}"));
    let (old, new) = ("i0 f1.1.1l-150400.7", "i0 f1.1.1l-150400.5");
    assert_eq!(everywhere(&records(new, old), &it), AFFECTED);
    assert_eq!(everywhere(&records(old, new), &it), AFFECTED);
    assert_eq!(everywhere(&records(new, new), &it), [""; 0]);
    let unlisted = component("pkg:rpm/suse/libopenssl1_1@1.1.1l-150400.5?distro=sles-15.4");
    assert_eq!(everywhere(&records(new, old), &unlisted), [""; 0]);
}

/// A question names the source or what was built, and asks each by its own version.
#[test]
fn m15_an_rpm_is_asked_by_either_name() {
    let ssl = "suse/libopenssl1_1@1.1.1l-150400.5?distro=sles-15.4";
    let it = component(&format!("pkg:rpm/{ssl}&upstream=openssl-1_1-1.1.1l-150400.5.src.rpm"));
    for question in ["openssl-1_1", "pkg:rpm/suse/openssl-1_1", "libopenssl1_1<1.1.1m"] {
        let asked = Question::parse(question).unwrap();
        assert!(asked.judge_component(&Advisories::new(vec![]), &it).is_some(), "{question}");
    }
    let carp = "almalinux/perl-Errno@1.28-420.el8?distro=almalinux-8.5";
    let carp = component(&format!("pkg:rpm/{carp}&upstream=perl-5.26.3-420.el8.src.rpm"));
    for (question, wanted) in [("perl>=5.26", true), ("perl<5", false), ("perl-Errno<1.29", true)] {
        let asked = Question::parse(question).unwrap();
        let found = asked.judge_component(&Advisories::new(vec![]), &carp);
        assert_eq!(found.is_some(), wanted, "{question}");
    }
}

/// Nobody publishes records about CentOS or Raspbian: what is said of the packages that theirs are
/// built from may be true of them, and is never certainly so. Silence was clear.
#[test]
fn m15_distributions_without_records_hear_those_of_their_kin() {
    const POSSIBLE: &[&str] = &["CVE-1 possible-match"];
    for (of_record, purl, wanted) in [
        ("Red Hat:7", "pkg:rpm/centos/log@1.0-1.el7?distro=centos-7", POSSIBLE),
        ("Red Hat:7", "pkg:rpm/centos/log@1.0-1.el7", POSSIBLE),
        ("Red Hat:7", "pkg:rpm/centos/log@2.0-1?distro=centos-7", &[]),
        ("Red Hat:7", "pkg:rpm/centos/log@1.0-1.el8?distro=centos-8", &[]),
        ("AlmaLinux:8", "pkg:rpm/centos/log@1.0-1.el8?distro=centos-8", POSSIBLE),
        ("SUSE:Linux Enterprise Server 15 SP4", "pkg:rpm/centos/log@1.0-1", &[]),
        ("Red Hat:9", "pkg:rpm/fedora/log@1.0-1.fc40?distro=fedora-40", POSSIBLE),
        ("Fedora", "pkg:rpm/fedora/log@1.0-1.fc40?distro=fedora-40", POSSIBLE),
        ("Red Hat:9", "pkg:rpm/fedora/log@2.0-1.fc40?distro=fedora-40", &[]),
        ("Debian:12", "pkg:rpm/fedora/log@1.0-1.fc40", &[]),
        ("SUSE:Linux Enterprise Server 15 SP4", "pkg:rpm/unheard/log@1.0-1", POSSIBLE),
        ("Rocky Linux:8", "pkg:rpm/centos/log-libs@1.0-1?upstream=log-1.0-1.src.rpm", POSSIBLE),
        ("Debian:12", "pkg:deb/raspbian/log@1.0-1?distro=raspbian-12", POSSIBLE),
        ("Debian:12", "pkg:deb/raspbian/log@1.0-1?distro=raspbian-11", &[]),
        ("Debian:12", "pkg:deb/devuan/log@1.0-1?distro=devuan-5", POSSIBLE),
        ("Debian:12", "pkg:deb/devuan/liblog1@1.0-1?upstream=log", POSSIBLE),
        ("Ubuntu:22.04:LTS", "pkg:deb/linuxmint/log@1.0-1?distro=linuxmint-21.2", POSSIBLE),
        ("Ubuntu:22.04:LTS", "pkg:deb/kali/log@1.0-1", &[]),
        ("Alpine:v3.20", "pkg:apk/unheard/log@1.0-r1", POSSIBLE),
        ("Maven", "pkg:rpm/centos/log@1.0-1", &[]),
        ("Debian:12", "pkg:deb/log@1.0-1?distro=debian-12", &["CVE-1 affected"]),
    ] {
        let fixed = if purl.contains(":apk/") { "i0 f2.0-r1" } else { "i0 f2.0-1" };
        let record = advisory("CVE-1", vec![affected(of_record, "log", &[fixed])]);
        assert_eq!(everywhere(&[record], &component(purl)), wanted, "{purl} by {of_record}");
    }
}

/// A Maven package that got another name is the same code under both; what is said of one by name
/// is heard of the other, and clears nothing there.
#[test]
fn a_relocated_maven_package_is_heard_under_both_names() {
    let (old, new) = ("mysql:mysql-connector-java", "com.mysql:mysql-connector-j");
    let java = "pkg:maven/mysql/mysql-connector-java";
    let j = "pkg:maven/com.mysql/mysql-connector-j";
    const AFFECTED: &[&str] = &["CVE-1 affected"];
    let of = |name: &str, events: &str| affected("Maven", name, &[events]);
    for (entries, purl, version, wanted) in [
        (vec![of(old, "i0 f8.0.34")], j, "8.0.33", AFFECTED),
        (vec![of(old, "i0 f8.0.34")], j, "8.0.34", &[]),
        (vec![of(old, "i0 f8.0.34")], java, "8.0.33", AFFECTED),
        (vec![of(new, "i0 l8.1.0")], java, "8.0.28", AFFECTED),
        (vec![of(old, "i0")], j, "9.0.0", &["CVE-1 range-unresolved"]),
        (vec![of(old, "i0"), of(new, "i0 f8.2.0")], j, "9.0.0", &[]),
        (vec![of(old, "i0"), of(new, "i0 f8.2.0")], j, "8.1.0", AFFECTED),
        (vec![of("mysql:other", "i0 f9")], j, "8.0.33", &[]),
    ] {
        let record = advisory("CVE-1", entries);
        let it = component(&format!("{purl}@{version}"));
        assert_eq!(everywhere(&[record], &it), wanted, "{it:?}");
    }
    // Outside of what a heavier source says of the other name, a lighter one still counts.
    let heavy =
        Advisory { source: "ghsa".into(), ..advisory("CVE-1", vec![of(old, "i0 f8.0.20")]) };
    let light = advisory("CVE-1", vec![of(new, "i0 f8.2.0")]);
    let it = component(&format!("{j}@8.1.0"));
    assert_eq!(everywhere(&[heavy, light], &it), AFFECTED);
}
