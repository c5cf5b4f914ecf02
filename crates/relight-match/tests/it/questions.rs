//! Questions about packages and advisories, from text to a finding.

use relight_match::{Advisories, QUESTION_BYTES_MAX, Question};
use relight_model::{Advisory, UnknownReason};

use super::{advisory, affected, component};

fn ask(question: &str, purl: &str) -> Option<&'static str> {
    let core = affected("Maven", "org.apache.logging.log4j:log4j-core", &["i2.13.0 f2.15.0"]);
    let aliases = vec!["CVE-2021-44228".into()];
    let record = Advisory { aliases, ..advisory("GHSA-jfh8-c2jp-5v3q", vec![core]) };
    let advisories = Advisories::new(vec![record]);
    let question = Question::parse(question).unwrap();
    question.judge_component(&advisories, &component(purl)).map(|finding| finding.state.as_str())
}

const CORE: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";

#[test]
fn answers() {
    for (question, purl, state) in [
        ("CVE-2021-44228", CORE, Some("affected")),
        ("ghsa-jfh8-c2jp-5v3q", CORE, Some("affected")),
        ("CVE-2021-0000", CORE, None),
        ("log4j-core", CORE, Some("affected")),
        ("org.apache.logging.log4j:log4j-core", CORE, Some("affected")),
        ("org.example:log4j-core", CORE, None),
        ("log4j", CORE, None),
        ("log4j-core<2.17.1", CORE, Some("affected")),
        ("log4j-core>=2.0-beta9,<2.15.0", CORE, Some("affected")),
        ("log4j-core >= 2.0-beta9 , < 2.14.1", CORE, None),
        ("log4j-core@2.14.1", CORE, Some("affected")),
        ("log4j-core=2.14.1.0", CORE, Some("affected")),
        ("log4j-core>2.14.1", CORE, None),
        ("log4j-core<=2.14.1", CORE, Some("affected")),
        ("log4j-core<${x}", CORE, Some("possible-match")),
        ("log4j-core<2.17.1", "pkg:maven/log4j-core", Some("possible-match")),
        ("log4j-core", "pkg:maven/log4j-core@2", Some("affected")),
        ("org.example:log4j-core", "pkg:maven/log4j-core@2", Some("possible-match")),
        (CORE, CORE, Some("affected")),
        ("pkg:maven/org.apache.logging.log4j/log4j-core", CORE, Some("affected")),
        ("pkg:maven/org.apache.logging.log4j/log4j-core@2.15.0", CORE, None),
        (CORE, "pkg:maven/log4j-core@2.14.1", Some("possible-match")),
        (CORE, "pkg:npm/log4j-core@2.14.1", None),
        ("pkg:pypi/Zope_Interface", "pkg:pypi/zope.interface@5", Some("affected")),
        ("Zope_Interface", "pkg:pypi/zope-interface@5", Some("affected")),
        ("@babel/core<8", "pkg:npm/%40babel/core@7.0.0", Some("affected")),
        ("@babel/core@7.0.0", "pkg:npm/%40babel/core@7.0.0", Some("affected")),
        ("lib<2", "pkg:cargo/lib@1", Some("affected")),
        ("lib<2", "pkg:conan/lib@1", Some("affected")),
        ("lib<2", "pkg:conan/lib@3", Some("possible-match")),
        ("lib<2", "pkg:composer/lib@dev-main", Some("possible-match")),
        ("lib=1", "pkg:cargo/lib@1", Some("affected")),
        ("pkg:deb/debian/libc6", "pkg:deb/debian/libc6@2?upstream=glibc", Some("affected")),
        ("glibc<3", "pkg:deb/debian/libc6@2?upstream=glibc", Some("affected")),
        ("pkg:deb/debian/vim?distro=debian-12", "pkg:deb/debian/vim@9?distro=debian-11", None),
        ("pkg:deb/debian/vim?distro=debian-12", "pkg:deb/debian/vim@9", Some("possible-match")),
        ("pkg:maven/g/a?classifier=x", "pkg:maven/g/a@1", None),
    ] {
        assert_eq!(ask(question, purl), state, "{question} of {purl}");
    }
}

#[test]
fn an_advisory_that_names_no_package_cannot_be_answered() {
    let named = affected("npm", "lib", &["i1 f2"]);
    let advisories = Advisories::new(vec![
        advisory("CVE-1", vec![named.clone()]),
        advisory("CVE-2", Vec::new()),
        Advisory { withdrawn: Some(1), ..advisory("CVE-3", vec![named]) },
    ]);
    let unknown = Some(UnknownReason::RangeUnresolved);
    for (question, gap) in
        [("cve-1", None), ("CVE-2", unknown), ("CVE-3", unknown), ("CVE-4", unknown), ("lib", None)]
    {
        assert_eq!(Question::parse(question).unwrap().gap(&advisories), gap, "{question}");
    }
}

/// What hides crates only hides nothing of a question about Maven; what is not known may be about
/// anything.
#[test]
fn a_question_says_which_kinds_of_packages_it_may_be_about() {
    let advisories = Advisories::new(vec![
        advisory("CVE-1", vec![affected("npm", "lib", &["i1 f2"])]),
        advisory("CVE-2", vec![affected("Go", "lib", &["i1"]), affected("Debian", "x", &["i1"])]),
        advisory("CVE-3", vec![affected("Nobody knows", "lib", &["i1"])]),
        advisory("CVE-4", Vec::new()),
    ]);
    for (question, kinds) in [
        ("CVE-1", [false, true, false]),
        ("CVE-2", [false, false, true]),
        ("CVE-3", [true; 3]),
        ("CVE-4", [true; 3]),
        ("CVE-5", [true; 3]),
        ("lib<2", [true; 3]),
        ("pkg:npm/lib@1", [false, true, false]),
        ("pkg:generic/lib", [true; 3]),
    ] {
        let asked = Question::parse(question).unwrap();
        let may_mean = ["maven", "npm", "golang"].map(|kind| asked.may_mean(&advisories, kind));
        assert_eq!(may_mean, kinds, "{question}");
    }
}

#[test]
fn ids_are_told_from_names() {
    for id in [
        "CVE-2021-44228",
        "cve-2021-44228",
        "GHSA-jfh8-c2jp-5v3q",
        "RLT-2026-0001",
        "PYSEC-2022-236",
        "GO-2020-0005",
        "ALSA-2023:1234",
        "BIT-java-2020-14781",
        "DSA-5020-1",
    ] {
        assert!(matches!(Question::parse(id), Ok(Question::Advisory(_))), "{id}");
    }
    for name in ["log4j-core", "SQLAlchemy-utils", "PyYAML", "GHSA-tool", "x-2", "JSON-java"] {
        assert!(matches!(Question::parse(name), Ok(Question::Package(_))), "{name}");
    }
}

#[test]
fn a_question_prints_as_one_that_reads_the_same() {
    for text in ["CVE-2021-44228", "lib", "lib>=1,<2", "g:a<=3", "pkg:maven/g/a@1", "pkg:npm/a"] {
        let question = Question::parse(text).unwrap();
        assert_eq!(question.to_string(), text);
        assert_eq!(Question::parse(&format!("  {text} ")), Ok(question));
    }
    assert_eq!(Question::parse("lib @ 1 ").map(|it| it.to_string()).ok().as_deref(), None);
    assert_eq!(Question::parse("lib == 1").unwrap().to_string(), "lib=1");
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    for (text, offset, code) in [
        ("", 0, "question-empty"),
        ("   ", 0, "question-empty"),
        ("<2", 0, "question-name"),
        ("two words", 3, "question-name"),
        ("lib<", 4, "question-version"),
        ("lib<1,", 5, "question-version"),
        ("lib<1,2", 6, "question-operator"),
        ("lib<1 2", 4, "question-version"),
        ("lib<<1", 4, "question-version"),
        ("lib@", 3, "question-version"),
        ("lib@1<2", 3, "question-version"),
        (" pkg:maven", 1, "question-purl"),
    ] {
        let error = Question::parse(text).unwrap_err();
        assert_eq!((error.offset, error.code), (offset, code), "{text}");
    }
    let long = "a".repeat(QUESTION_BYTES_MAX);
    assert!(Question::parse(&long).is_ok());
    assert_eq!(Question::parse(&format!("{long}a")).unwrap_err().code, "question-too-long");
}
