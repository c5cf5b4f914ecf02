//! Each rule against its fixture, and our own configurations against all of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use relight_model::{GateKey, SitePart};
use testkit::Case;

use super::*;
use crate::config::{self, EdgeConfig, MutualTls, SiteRoute};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/lint");

const MAIN: [&str; 5] = ["nginx.conf", "haproxy.cfg", "apache.conf", "Caddyfile", "caddy.json"];

fn run(dialect: Dialect, case: &Case) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &case.files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let main = MAIN.iter().find(|name| folder.path().join(name).exists()).unwrap();
    let examined = examine(dialect, &folder.path().join(main)).unwrap();
    let mut text = String::new();
    for Served { line, names, key, listen, upstream, .. } in &examined.sites {
        let key = key.as_deref().unwrap_or("-");
        let upstream = upstream.as_deref().unwrap_or("-");
        let (names, listen) = (names.join(" "), listen.join(" "));
        writeln!(text, "site {line}: {names} | {key} | {listen} | {upstream}").unwrap();
    }
    for gate in &examined.gates {
        writeln!(text, "gate {}", gate.display()).unwrap();
    }
    for Found { file, line, code, severity, what } in &examined.found {
        let file = file.strip_prefix(folder.path()).unwrap_or(file).display();
        let what = what.replace(&format!("{}/", folder.path().display()), "");
        writeln!(text, "{severity:?} {code} {file}:{line} {what}").unwrap();
    }
    text
}

fn check(dialect: Dialect, codes: &[(&str, LintSeverity)]) {
    let name = dialect.as_str();
    testkit::check_fixtures(ROOT, name, |case| run(dialect, case));
    let folder = std::path::Path::new(ROOT).join(name);
    for (code, severity) in codes {
        let expected = fs::read_to_string(folder.join(code).join("expected.txt"));
        let line = format!("{severity:?} {code} ");
        let seen = expected.is_ok_and(|text| text.lines().any(|it| it.starts_with(&line)));
        assert!(seen, "{name}: no fixture {code} that shows its rule");
    }
    let clean = fs::read_to_string(folder.join("clean/expected.txt")).unwrap();
    assert!(!clean.contains("Error") && !clean.contains("Warning"), "{clean}");
    let known: BTreeSet<&str> = codes.iter().map(|(code, _)| *code).collect();
    assert_eq!(known.len(), codes.len(), "a code twice");
}

fn codes<T>(rules: &[Rule<T>]) -> Vec<(&'static str, LintSeverity)> {
    rules.iter().map(|rule| (rule.code, rule.severity)).collect()
}

#[test]
fn nginx() {
    check(Dialect::Nginx, &codes(super::nginx::RULES));
}

#[test]
fn haproxy() {
    check(Dialect::Haproxy, &codes(super::haproxy::RULES));
}

#[test]
fn apache() {
    check(Dialect::Apache, &codes(super::apache::RULES));
}

#[test]
fn caddy() {
    check(Dialect::Caddy, &codes(super::caddy::RULES));
}

#[test]
fn what_is_no_configuration_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for dialect in Dialect::ALL {
        assert!(examine(dialect, &folder.path().join("gone")).is_err());
        for bytes in
            [&b""[..], b"\0\xff\x80 { ; }", b"hello", b"{{{{{{{{", b"\"", b"<", b"</a>\n\\"]
        {
            let path = folder.path().join("x");
            fs::write(&path, bytes).unwrap();
            let examined = examine(dialect, &path).unwrap();
            assert!(examined.refuses(), "{dialect:?} {bytes:?}: {examined:?}");
        }
    }
}

#[test]
fn a_large_configuration_is_slow_to_reload() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("haproxy.cfg");
    let of = |count: usize| {
        let backends = (0..count).map(|n| format!("backend b{n}\n  server s 127.0.0.1:1\n"));
        fs::write(&path, backends.collect::<String>()).unwrap();
        let examined = examine(Dialect::Haproxy, &path).unwrap();
        examined.found.iter().any(|found| found.code == "reload-slow")
    };
    assert!(!of(SITES_QUICK_MAX));
    assert!(of(SITES_QUICK_MAX + 1));
}

#[test]
fn the_dialect_is_known_by_name_or_by_content() {
    for (path, text, dialect) in [
        ("/etc/nginx/nginx.conf", "", Some(Dialect::Nginx)),
        ("/etc/apache2/sites-enabled/a.conf", "<VirtualHost *:80>", Some(Dialect::Apache)),
        ("/etc/httpd.conf", "", Some(Dialect::Apache)),
        ("/srv/a.cfg", "frontend x\n", Some(Dialect::Haproxy)),
        ("/srv/Caddyfile", "", Some(Dialect::Caddy)),
        ("/srv/a.conf", "  server_name a;", Some(Dialect::Nginx)),
        ("/srv/a.txt", "hello", None),
    ] {
        assert_eq!(Dialect::guess(Path::new(path), text), dialect, "{path}");
    }
    assert_eq!(Dialect::parse("nginx_file"), Some(Dialect::Nginx));
    assert_eq!(Dialect::parse("builtin"), None);
}

/// An edge of two sites with parts, in a folder.
fn edge_in(folder: &Path, gate: &Path) -> EdgeConfig {
    let site = |key: &str| SiteRoute {
        key: GateKey::new(key).unwrap(),
        host: format!("{key}.example"),
        upstream: "127.0.0.1:9000".parse().unwrap(),
        aliases: Vec::new(),
        partial: ["booking=/booking", "@internet", "@write"]
            .map(|part| SitePart::parse(part).unwrap())
            .into(),
    };
    let config = config::example(vec![site("a"), site("b")]);
    let listen = vec!["127.0.0.1:8080".parse().unwrap()];
    EdgeConfig { folder: folder.to_owned(), gate: gate.to_owned(), listen, ..config }
}

/// The configurations of an edge in all four dialects.
const ALL: [(Dialect, &str); 4] = [
    (Dialect::Nginx, "nginx.conf"),
    (Dialect::Haproxy, "haproxy.cfg"),
    (Dialect::Apache, "apache.conf"),
    (Dialect::Caddy, "caddy.json"),
];

/// Writes them all, with a unix socket as the verification path where that can be.
fn write_all(config: &EdgeConfig) {
    let folder = &config.folder;
    config::haproxy(config).unwrap().write_into(folder).unwrap();
    fs::write(folder.join("nginx.conf"), config::nginx(config).unwrap()).unwrap();
    fs::write(folder.join("caddy.json"), config::caddy(config).unwrap()).unwrap();
    let by_loopback = EdgeConfig { verify: "127.0.0.1:8081".into(), ..config.clone() };
    config::apache(&by_loopback).unwrap().write_into(folder).unwrap();
}

/// Goal: a configuration that looks where the driver of its edge does not write is told, and so is
/// a gate that is not there or does not outlive a reboot. Method: what we print in each dialect,
/// for an edge whose gate is that one, another one (one with a point in its name too), none, and
/// one in memory.
#[test]
fn a_gate_that_is_not_the_one_of_the_edge_is_told() {
    let told = |folder: &Path, printed: &str, registered: &str| {
        let [printed, registered] = [printed, registered].map(|name| folder.join(name));
        let config = EdgeConfig { folder: printed.clone(), ..edge_in(folder, &printed) };
        write_all(&config);
        ALL.map(|(dialect, file)| {
            let map = registered.join(config::MAP_FILE).display().to_string();
            let target = Target {
                name: "north".into(),
                kind: dialect.as_str().to_owned(),
                gate: registered.clone(),
                listeners: Vec::new(),
                verify: None,
                settings: [("map".to_owned(), map)].into(),
                members: Vec::new(),
            };
            let found = with_gate(examine(dialect, &printed.join(file)).unwrap(), &target);
            found.into_iter().map(|it| it.code).collect::<Vec<_>>().join(" ")
        })
    };
    let folder = tempfile::tempdir().unwrap();
    // The folder for temporary files may be in memory as well.
    let on_disk = |printed, registered| {
        told(folder.path(), printed, registered)
            .map(|codes| codes.replace("gate-on-tmpfs", "").trim().to_owned())
    };
    for name in ["gate", "old", "gate.d"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("dark.txt"), "").unwrap();
    }
    std::os::unix::fs::symlink("gate", folder.path().join("link")).unwrap();
    assert_eq!(on_disk("gate", "gate"), [""; 4]);
    assert_eq!(on_disk("link", "gate"), [""; 4], "the same by another way");
    for printed in ["old", "gate.d"] {
        assert_eq!(on_disk(printed, "gate"), ["gate-other-path"; 4]);
    }
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    fs::write(memory.path().join("dark.txt"), "").unwrap();
    assert_eq!(told(memory.path(), "", ""), ["gate-on-tmpfs"; 4]);
    // Gone: the folder of nginx and Caddy, the maps of the others.
    let gone = |(dialect, file): (Dialect, &str)| {
        let text = fs::read_to_string(folder.path().join("gate").join(file)).unwrap();
        let text = text.replace("dark.map", "gone.map").replace("dark.txt", "gone.txt");
        let text = text.replace("/current", "/gone/current");
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        let target = Target {
            name: "north".into(),
            kind: dialect.as_str().to_owned(),
            gate: folder.path().join("gate"),
            listeners: Vec::new(),
            verify: None,
            settings: [("map".to_owned(), "/elsewhere".to_owned())].into(),
            members: Vec::new(),
        };
        with_gate(examine(dialect, &path).unwrap(), &target)
    };
    for found in ALL.map(gone) {
        let codes: Vec<_> = found.iter().map(|it| it.code).collect();
        assert_eq!(codes, ["gate-other-path", "gate-path-missing"]);
    }
}

/// What we tell people to paste must pass our own lint.
#[test]
fn our_own_configurations_pass() {
    let folder = tempfile::tempdir().unwrap();
    let config = edge_in(folder.path(), Path::new("/srv/gate"));
    write_all(&config);
    // The same where testers show a certificate.
    let testers = MutualTls { certificate: "/srv/edge.pem".into(), authorities: "/srv/ca".into() };
    let other = folder.path().join("mutual");
    let verify = "127.0.0.1:8081".into();
    let mutual = EdgeConfig { testers: Some(testers), verify, folder: other.clone(), ..config };
    fs::create_dir(&other).unwrap();
    write_all(&mutual);
    let folders = [folder.path(), other.as_path()];
    for (folder, (dialect, file)) in folders.iter().flat_map(|it| ALL.map(|one| (*it, one))) {
        let examined = examine(dialect, &folder.join(file)).unwrap();
        assert_eq!(examined.found, [], "{dialect:?}");
        let keys: Vec<_> = examined.sites.iter().filter_map(|site| site.key.as_deref()).collect();
        assert!(["a", "b"].iter().all(|key| keys.contains(key)), "{keys:?}");
        assert!(examined.sites.iter().any(|site| site.names == ["a.example"]), "{dialect:?}");
        assert_eq!(examined.gates.len(), 1);
    }
}

/// Caddy's gates raise an error; without the routes that answer it nobody could tell our page.
#[test]
fn a_gate_whose_error_is_answered_without_marker_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("caddy.json");
    let gate = r#"{"match":[{"file":{"root":"/g/current","try_files":["/a"]}}],
        "handle":[{"handler":"error","status_code":503}]}"#;
    for (marker, expected) in [("X-Relight-Gate", false), ("X-Other", true)] {
        let text = format!(
            r#"{{"apps":{{"http":{{"servers":{{"edge":{{"listen":[":80"],"routes":[
            {{"match":[{{"host":["a.example"]}}],
              "handle":[{{"handler":"subroute","routes":[{gate}]}}]}}],
            "errors":{{"routes":[{{"handle":[{{"handler":"headers",
              "response":{{"set":{{"{marker}":["dark=1"]}}}}}}]}}]}}}}}}}}}}}}"#
        );
        fs::write(&file, text).unwrap();
        let found = examine(Dialect::Caddy, &file).unwrap().found;
        let told = found.iter().any(|it| it.code == "gate-marker-missing");
        assert_eq!(told, expected, "{marker}: {found:?}");
    }
}
