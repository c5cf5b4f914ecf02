//! The catalogue: every entry with its example, spellings, faults of files, templates.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use relight_model::OrgId;

use super::*;

fn ask(request: &str) -> Option<&'static str> {
    let Request { method, path, query, .. } = Request::parse(request);
    let event =
        Event { method, path, query, ..Event::bare(OrgId(1), 0, IpAddr::from([192, 0, 2, 1])) };
    matched(&event, &path_class::normalised(path)).map(|entry| entry.id.as_str())
}

#[test]
fn every_file_is_listed_and_has_no_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
    let on_disk: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed: BTreeSet<String> =
        embedded::FILES.iter().map(|(name, _)| format!("{name}.toml")).collect();
    assert_eq!(listed, on_disk);
    for (name, text) in embedded::FILES {
        let (entries, faults) = read_entries(name, text, false);
        assert_eq!(faults, []);
        assert!(!entries.is_empty(), "{name}");
    }
}

#[test]
fn ids_are_doors_of_their_own() {
    let all = embedded::FILES.iter().flat_map(|(name, text)| read_entries(name, text, false).0);
    let (kept, doubled) = unique(all);
    let ids: Vec<&str> = doubled.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, Vec::<&str>::new());
    for entry in &kept {
        assert_eq!(id_of(path_class::hash(&entry.id)), Some(entry.id.as_str()));
        assert_eq!(super::entry(&entry.id), Some(entry));
    }
    assert!(kept.len() >= 200, "{}", kept.len());
    assert_eq!(id_of(7), None);
    assert_eq!(super::entry("nothing"), None);
}

/// Each example is found by the automaton of all entries together, as that entry or as a stronger
/// one of the same request, and in another spelling too.
#[test]
fn examples_are_found_among_all_entries() {
    for (name, text) in embedded::FILES {
        let file: toml::Table = text.parse().unwrap();
        for entry in file["entry"].as_array().unwrap() {
            let of = |key: &str| entry[key].as_str().unwrap();
            let id = of("id");
            let found = ask(of("hit"));
            let strength = |id: &str| super::entry(id).map(|entry| entry.kind);
            assert!(
                found == Some(id) || found.and_then(strength) > strength(id),
                "{id}: {found:?}"
            );
            assert_ne!(ask(of("miss")), Some(id), "{name}: {id}");
            let products = super::entry(id).unwrap().products.len();
            assert!(products > 0 || *name == "generic", "{id} names no product");
        }
    }
}

#[test]
fn spellings_conditions_and_the_strongest_entry() {
    for (request, id) in [
        ("/.git/config", Some("git-config")),
        ("/a/%2egit/HEAD", Some("git-config")),
        ("//.//.GIT/config", Some("git-config")),
        ("/remote/fgt_lang?lang=en", None),
        ("/remote/fgt_lang?lang=%2F..%2F..%2Fdev", Some("fortios-language")),
        ("/owa/auth/logon.aspx", Some("outlook-web")),
        ("/ecp/y.js", Some("exchange-proxylogon")),
        ("/ecp/default.aspx", Some("exchange-control-panel")),
        ("POST /uploads/user", Some("gitlab-exif")),
        ("GET /uploads/user", None),
        ("/x?a=1&CLASS.module.classLoader.resources=1", Some("spring-classloader")),
        ("/x?redirect=/restaurant", None),
        ("/x?redirect:%24%7B%23a%7D", Some("struts-redirect")),
        ("/cgi-bin/%2e%2e/%2e%2e/etc/passwd", Some("httpd-traversal-cgi")),
        ("/public/plugins/a/..%2f..%2f..%2fetc/passwd", Some("grafana-traversal")),
        ("/", None),
        ("/news/2021/12", None),
    ] {
        assert_eq!(ask(request), id, "{request}");
    }
    // A path of which the query is gone is not called more than it is.
    assert_eq!(probe("/remote/fgt_lang"), None);
    assert_eq!(probe("/public/plugins/a/../../x"), Some("grafana-traversal"));
    assert_eq!(probe("/wp-login.php"), Some("wordpress-login"));
}

/// One good entry, into which one mistake at a time is put.
const GOOD: &str = r#"product = "X"
products = ["pkg:npm/x"]
[[entry]]
id = "good"
kind = "presence"
fr = "a"
en = "b"
match = { exact = "/good" }
cves = ["CVE-2099-0001"]
reference = "https://example.org/"
since = "2026-01-01"
hit = "/good"
miss = "/bad"
"#;

#[test]
fn what_is_wrong_with_an_entry_is_said() {
    assert_eq!(read_entries("x", GOOD, true).1, []);
    for (from, to, code) in [
        ("id = \"good\"", "id = \"Not Good\"", "catalogue-id"),
        ("\"presence\"", "\"there\"", "catalogue-kind"),
        ("exact = \"/good\"", "exact = \"/Good\"", "catalogue-case"),
        ("exact = \"/good\"", "exact = \"/a\"", "catalogue-short"),
        ("exact = \"/good\"", "exact = \"/good\", prefix = \"/good\"", "catalogue-places"),
        ("exact = \"/good\"", "query = \"short\"", "catalogue-short"),
        ("exact = \"/good\"", "method = \"GET\"", "catalogue-no-match"),
        ("exact = \"/good\"", "anywhere = \"/good\"", "catalogue-toml"),
        ("CVE-2099-0001", "CVE-99-1", "catalogue-cve"),
        ("https://", "http://", "catalogue-reference"),
        ("hit = \"/good\"", "hit = \"/better\"", "catalogue-hit"),
        ("miss = \"/bad\"", "miss = \"/GOOD/\"", "catalogue-miss"),
        ("pkg:npm/x", "npm x", "catalogue-product"),
        ("product =", "product :", "catalogue-toml"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let (_, faults) = read_entries("x", &GOOD.replacen(from, to, 1), true);
        let codes: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, [code], "{to}");
    }
    // A bad entry costs no other.
    let bad = GOOD.split_once("[[entry]]").unwrap().1.replace("\"/good\"", "\"/a\"");
    let both = format!("{GOOD}[[entry]]{}", bad.replace("\"good\"", "\"other\""));
    let (entries, faults) = read_entries("x", &both, true);
    assert_eq!((entries.len(), faults.len()), (1, 1));
    let large = " ".repeat(CATALOGUE_BYTES_MAX + 1);
    assert_eq!(read_entries("x", &large, true).1[0].code, "catalogue-large");
}

#[test]
fn entries_beyond_the_limit_and_doubles_are_left_out() {
    let good = read_entries("x", GOOD, true).0.remove(0);
    // Letters: ids that differ in numbers only are one door.
    let named = |number: usize| {
        let letters = format!("{number:05}").bytes().map(|it| char::from(it + 49)).collect();
        Entry { id: letters, ..good.clone() }
    };
    let (kept, left) = unique((0..ENTRIES_MAX + 3).map(named));
    assert_eq!((kept.len(), left.len()), (ENTRIES_MAX, 3));
    let twins = ["a-1", "a-2"].map(|id| Entry { id: id.to_owned(), ..good.clone() });
    assert_eq!(unique(twins).0.len(), 1);
}

#[test]
fn conventional_paths() {
    for path in ["/robots.txt", "/.well-known/security.txt", "/apple-touch-icon-120x120.png"] {
        assert!(is_conventional(path), "{path}");
        assert_eq!(probe(path), None, "{path}");
    }
    for path in ["/", "/robots.txt.bak", "/a/robots.txt", "/.well-knownx", "/.env"] {
        assert!(!is_conventional(path), "{path}");
    }
}

/// Written in the shape of the templates of that project.
const TEMPLATE: &str = r#"id: CVE-2099-1234

info:
  name: Example "Portal" <= 1.2 - Local File Inclusion
  severity: high
  classification:
    cve-id: CVE-2099-1234
    cpe: cpe:2.3:a:example:portal:*:*:*:*:*:*:*:*
  tags: cve,cve2099,lfi

http:
  - method: GET
    path:
      - "{{BaseURL}}/portal/view?file=../../etc/passwd"
      - '{{BaseURL}}/portal/setup'
      - "{{BaseURL}}/"
      - "{{BaseURL}}/x/{{randstr}}"
  - method: POST
    path:
      - "{{BaseURL}}/portal/upload"

    matchers:
      - type: word
        words:
          - "{{BaseURL}}/never"
"#;

#[test]
fn templates_become_local_entries() {
    let template = read_nuclei(TEMPLATE).unwrap();
    assert_eq!(
        template.requests,
        ["/portal/view?file=../../etc/passwd", "/portal/setup", "POST /portal/upload"]
    );
    assert_eq!(template.cves, ["CVE-2099-1234"]);
    let (text, count) = entries_text(&[template.clone(), template], "2026-11-28");
    assert_eq!(count, 3, "the same request counts once");
    let (entries, faults) = read_entries("local", &text, true);
    assert_eq!(faults, []);
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry.is_local && entry.kind < EntryKind::Exploit));
    assert_eq!(entries[0].title_en, "Example \"Portal\" <= 1.2 - Local File Inclusion");
    for (text, code) in [
        ("info:\n  name: x\n", "nuclei-no-template"),
        ("id: x\nhttp:\n  - path:\n      - \"{{BaseURL}}/\"\n", "nuclei-no-request"),
        ("\0\u{1}binary: - {{BaseURL}}", "nuclei-no-template"),
    ] {
        assert_eq!(read_nuclei(text), Err(code), "{text}");
    }
    assert_eq!(read_nuclei(&"x".repeat((1 << 20) + 1)), Err("nuclei-large"));
}
