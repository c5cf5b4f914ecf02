//! Tests of the query language.

use super::*;

struct Example {
    edge: &'static str,
    verdict: Option<Verdict>,
}

impl Facts for Example {
    fn text(&self, key: TextKey) -> &str {
        match key {
            TextKey::Site => "san-005",
            TextKey::Org => "Santé Nord",
            TextKey::Sector => "health",
            TextKey::Exposure => "internal",
            TextKey::Edge => self.edge,
        }
    }

    fn criticality(&self) -> Criticality {
        Criticality::Essential
    }

    fn state(&self) -> DisplayState {
        DisplayState::Online
    }

    fn stack(&self, built: &'static Built) -> Truth {
        match built.code {
            "java" => Truth::Yes,
            "php" => Truth::Unknown,
            _ => Truth::No,
        }
    }

    fn verdict(&self, question: Option<&str>) -> Option<Verdict> {
        if question == Some("CVE-2") { Some(Verdict::Clear) } else { self.verdict }
    }
}

fn holds(text: &str, verdict: Verdict) -> Truth {
    let site = Example { edge: "north", verdict: Some(verdict) };
    Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}")).holds(&site)
}

#[test]
fn terms_and_operators() {
    for yes in [
        "",
        "site:san-005",
        "site:SAN-*",
        "site:san-00?",
        "org:\"santé nord\"",
        "\"org:Santé Nord\"",
        "sector=health",
        "sector!=justice",
        "crit:2",
        "exposure:internal",
        "exposure!=internet",
        "crit<=2 crit>=2 crit<3 crit>1 crit!=4",
        "edge:north",
        "stack:java",
        "stack:JAVA stack!=\"spring boot\" not stack:node",
        "state:online",
        "state!=dark",
        "affected",
        "verdict:affected",
        "affected:CVE-1",
        "clear:CVE-2",
        "not clear",
        "sector:justice or sector:health",
        "sector:health and (crit:1 or crit:2)",
        "not (sector:justice or edge:none)",
        "not not affected",
    ] {
        assert_eq!(holds(yes, Verdict::Affected), Truth::Yes, "{yes}");
    }
    for no in ["site:san", "crit:1", "edge:none", "state:dark", "clear", "unknown", "not affected"]
    {
        assert_eq!(holds(no, Verdict::Affected), Truth::No, "{no}");
    }
    let bare = Example { edge: "", verdict: None };
    assert_eq!(Query::parse("edge:none").unwrap().holds(&bare), Truth::Yes);
    assert_eq!(Query::parse("verdict:clear").unwrap().holds(&bare), Truth::Unknown);
}

/// A site that nobody can tell about is in no negation (REGISTER 19.3).
#[test]
fn not_keeps_what_is_unknown() {
    for text in ["affected", "not affected", "not affected:CVE-1", "affected crit:2"] {
        assert_eq!(holds(text, Verdict::Unknown), Truth::Unknown, "{text}");
    }
    for text in ["stack:php", "stack!=php", "not stack:php"] {
        assert_eq!(holds(text, Verdict::Clear), Truth::Unknown, "{text}");
    }
    assert_eq!(holds("affected crit:1", Verdict::Unknown), Truth::No);
    assert_eq!(holds("affected or unknown", Verdict::Unknown), Truth::Yes);
    assert_eq!(holds("not unknown", Verdict::Unknown), Truth::No);
}

#[test]
fn errors_name_the_place_and_the_nearest_key() {
    for (text, code, start, end, near) in [
        ("org:SAN crt<=2", "query-unknown-key", 8, 11, Some("crit")),
        ("é:x", "query-unknown-key", 0, 2, None),
        ("afected", "query-unknown-word", 0, 7, Some("affected")),
        ("(affected", "query-parenthesis", 0, 1, None),
        ("affected)", "query-parenthesis", 8, 9, None),
        ("affected or", "query-end", 11, 11, None),
        ("or affected", "query-end", 0, 2, None),
        ("not", "query-end", 3, 3, None),
        ("org<2", "query-operator", 0, 5, None),
        ("org!2", "query-operator", 0, 5, None),
        ("org:", "query-value", 0, 4, None),
        ("state:blue", "query-value", 0, 10, None),
        ("stack:cobol", "query-stack", 0, 11, None),
        ("stack:spring", "query-stack", 0, 12, Some("spring-boot")),
        ("stack!=pyton", "query-stack", 0, 12, Some("python")),
        ("verdict:maybe", "query-value", 0, 13, None),
        ("crit:5", "query-criticality", 0, 6, None),
        ("org:\"a b", "query-quote", 0, 8, None),
    ] {
        let error = Query::parse(text).unwrap_err();
        assert_eq!((error.code, error.start, error.end), (code, start, end), "{text}");
        assert_eq!(error.near, near, "{text}");
    }
}

#[test]
fn limits_are_reached() {
    let code = |text: String| Query::parse(&text).map_err(|error| error.code).err();
    assert_eq!(code(vec!["affected"; QUERY_TERMS_MAX].join(" ")), None);
    assert_eq!(code(vec!["affected"; QUERY_TERMS_MAX + 1].join(" ")), Some("query-too-many-terms"));
    let nested = |depth| format!("{}affected{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(code(nested(QUERY_DEPTH_MAX)), None);
    assert_eq!(code(nested(QUERY_DEPTH_MAX + 1)), Some("query-too-deep"));
    assert_eq!(code("not ".repeat(QUERY_DEPTH_MAX + 1) + "affected"), Some("query-too-deep"));
    assert_eq!(code(" ".repeat(QUERY_BYTES_MAX)), None);
    assert_eq!(code(" ".repeat(QUERY_BYTES_MAX + 1)), Some("query-too-long"));
}

#[test]
fn no_text_makes_the_parser_panic() {
    let alphabet = ["(", ")", "not ", "or ", " ", "org", ":", "<=", "\"", "é", "affected", "!"];
    let mut random = testkit::Rng::new(7);
    for _ in 0..2_000 {
        let length = random.below(12);
        let mut text = String::new();
        for _ in 0..length {
            text.push_str(random.pick::<&str>(&alphabet));
        }
        if let Err(error) = Query::parse(&text) {
            assert!(text.is_char_boundary(error.start) && text.is_char_boundary(error.end));
        }
    }
}

#[test]
fn what_a_query_asks_about() {
    let query = Query::parse("affected:CVE-1 or not (clear:CVE-2)").unwrap();
    assert_eq!(query.questions(), ["CVE-1", "CVE-2"].into());
    let twice = Query::parse("stack:java or stack:Java clear:CVE-1 affected:CVE-1").unwrap();
    assert_eq!((twice.stacks().len(), twice.questions().len()), (1, 1), "each is asked once");
    assert!(!query.needs_question());
    assert!(Query::parse("crit:1 or unknown").unwrap().needs_question());
}

#[test]
fn words_are_told_from_queries() {
    let pasted =
        ["https://care.example", "https://care.example/?site=a", "Soins : nuit", "Urgences !"];
    let signs = ["a=b", ":", "<", "on: x", "c'est (ici!)"];
    let plain = ["", "care", "Santé Nord", "affected", "https", "c'est (ici)"];
    for words in plain.into_iter().chain(pasted).chain(signs) {
        assert!(!is_meant(words), "{words}");
    }
    for query in ["org:SAN", "crit>=3", "edge!=none", "not affected:CVE-2021-44228", "beds sit:a"] {
        assert!(is_meant(query), "{query}");
        assert!(is_meant(&format!("not(\"{query}")) && is_meant(&query.to_uppercase()), "{query}");
    }
}
