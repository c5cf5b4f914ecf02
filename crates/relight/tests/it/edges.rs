//! `relight edge`: registering, checking, configurations.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use expect_test::expect;

use crate::place::Place;

fn add<'a>(kind: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["edge", "add", kind, "--name", "north", "--gate", "gate"];
    arguments.extend(["--listen", "127.0.0.1:9"]);
    arguments.extend(more);
    arguments
}

#[test]
fn an_edge_is_registered_listed_and_compared() {
    let place = Place::with_sites();
    expect![[r#"
        edge north registered
        Next: relight edge test north
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&add("builtin", &[])).text());
    expect![[r#"
         Edge   Kind     Sites  Gate
         north  builtin      3  DIR/gate
        1 edge
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["edge", "list"]).text());
    let list = place.expect(0, &["edge", "list", "--json"]).json();
    assert_eq!(list["edges"][0]["sites"], 3);
    let checked = place.expect(1, &["edge", "check", "--lang", "fr"]);
    assert!(checked.stdout.contains("pas de réponse"), "{}", checked.text());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut here = add("builtin", &[]);
    here[8] = &address;
    place.expect(0, &here);
    expect![[r#"
         Frontal  Genre    Sites  Conformes  État
         north    builtin      3          3  conforme
        1 frontal
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["edge", "check", "--lang", "fr"]).text());
    fs::write(place.path("gate/current/san-001"), "").unwrap();
    let checked = place.expect(1, &["edge", "check", "--json"]).json();
    assert_eq!(checked["edges"][0]["differ"], serde_json::json!(["san-001"]));
    let told = place.expect(1, &["edge", "check"]);
    assert!(told.stdout.contains("1 site differs, among them san-001"), "{}", told.text());
}

/// What was only tried on imitations says so wherever it is shown.
#[test]
fn an_experimental_kind_is_called_so() {
    let place = Place::with_sites();
    fs::write(place.path("hosts"), "www.example.qc san-001\n").unwrap();
    let hosts = format!("hosts={}", place.path("hosts").display());
    let file = format!("file={}", place.path("dark.yml").display());
    let mut settings = vec!["--set", &file, "--set", "api=127.0.0.1:9", "--set", &hosts];
    settings.extend(["--set", "holding=http://127.0.0.1:9"]);
    let added = place.expect(0, &add("traefik", &settings));
    assert!(added.stderr.contains("run a drill before you rely on it"), "{}", added.text());
    let list = place.expect(0, &["edge", "list", "--json"]).json();
    let capabilities = &list["edges"][0]["capabilities"];
    assert_eq!(capabilities["maturity"], "experimental");
    assert_eq!(capabilities["basis"], "documented");
    assert_eq!(capabilities["reload_free"], "no");
    let told = place.expect(0, &["edge", "list", "--lang", "fr"]);
    assert!(told.stdout.contains("traefik (expérimental)"), "{}", told.text());
}

#[test]
fn a_configuration_is_printed_for_the_sites_of_the_edge() {
    let place = Place::with_sites();
    place.expect(0, &add("nginx_file", &["--verify", "verify.sock", "--set", "worker_user=self"]));
    let config =
        ["edge", "config", "nginx_file", "--upstream", "127.0.0.1:8080", "--folder", "/srv/edge"];
    let text = place.expect(0, &config).stdout;
    for part in ["server_name san1.example", "127.0.0.1:8080", "relight-canary.invalid", "503"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let config = ["edge", "config", "haproxy", "--upstream", "127.0.0.1:1", "--folder", "/srv"];
    expect![[r#"
        --- stderr
        error: no haproxy edge of this name in the register
        hint: relight edge add haproxy --name NAME --gate DIR --listen ADDRESS
        --- status 1
    "#]]
    .assert_eq(&place.run(&config).text());
}

#[test]
fn every_kind_has_its_files() {
    let place = Place::with_sites();
    let more = ["--verify", "verify.sock"];
    place.expect(0, &add("caddy", &more));
    let config = |kind: &'static str| {
        ["edge", "config", kind, "--upstream", "127.0.0.1:8080", "--folder", "/srv/edge"]
    };
    assert!(place.expect(0, &config("caddy")).stdout.contains("relight-canary.invalid"));
    let map = format!("map={}", place.write("dark.map", "").display());
    let socket = format!("socket={}", place.path("admin.sock").display());
    let haproxy = ["--verify", "verify.sock", "--set", &map, "--set", &socket];
    let added = place.expect(0, &add("haproxy", &haproxy));
    assert!(added.stderr.contains("north: no answer"), "{}", added.text());
    let both = place.expect(0, &config("haproxy")).stdout;
    for part in ["### haproxy.cfg\n", "### hosts.map\n", "san1.example san-001\n"] {
        assert!(both.contains(part), "{part} in {both}");
    }
    let map = [&config("haproxy")[..], &["--part", "hosts.map"]].concat();
    let map = place.expect(0, &map).stdout;
    assert!(map.starts_with("relight-canary.invalid relight-canary\n"), "{map}");
    let none = [&config("haproxy")[..], &["--part", "nothing"]].concat();
    assert!(place.expect(2, &none).stderr.contains("haproxy.cfg, hosts.map"));
    let example = place.expect(0, &["edge", "config", "command"]).stdout;
    assert!(example.starts_with("#!/usr/bin/env python3\n"), "{example}");
    place.expect(2, &["edge", "config", "haproxy", "--folder", "/srv"]);
}

/// A program that answers only what it is asked, on a balancer where somebody closed a site.
#[test]
fn what_is_dark_behind_a_program_stays_so_when_it_is_registered() {
    let place = Place::with_sites();
    let example = place.expect(0, &["edge", "config", "command"]).stdout;
    let partial = example.replace("in sorted(told)", "in request[\"keys\"]");
    assert_ne!(partial, example);
    let script = place.write("edge.py", &partial);
    let by_hand = r#"{"epoch": null, "durable": ["by-hand"], "runtime": ["by-hand"]}"#;
    let state = place.write("state.json", by_hand);
    let program = |action: &str| {
        let (script, state) = (script.display(), state.display());
        format!(r#"{action}=["/usr/bin/python3","{script}","{action}","{state}"]"#)
    };
    let (observe, apply) = (program("observe"), program("apply"));
    place.expect(0, &add("command", &["--set", &observe, "--set", &apply]));
    assert_eq!(std::fs::read_to_string(&state).unwrap(), by_hand);
}

/// Listeners that the register knows to speak TLS speak it in what is printed, each program in its
/// own words; the files that a program needs beside its configuration are there as well.
#[test]
fn listeners_under_tls_are_printed_for_every_kind() {
    let place = Place::with_sites();
    place.write("ca.pem", include_str!("../../../relight-edge/fixtures/tls/ca.pem"));
    let ca = format!("ca={}", place.path("ca.pem").display());
    let map = format!("map={}", place.write("dark.map", "").display());
    let socket = format!("socket={}", place.path("admin.sock").display());
    let common = ["--set", "tls=127.0.0.1:9", "--set", &ca, "--set", "upgrades=refused"];
    for (kind, verify, parts) in [
        (
            "nginx_file",
            "verify.sock",
            &["listen 127.0.0.1:9 ssl http2;", "/srv/certs/san1.example.pem"][..],
        ),
        (
            "haproxy",
            "verify.sock",
            &["ssl crt-list /srv/edge/certificates.txt", "### certificates.txt"],
        ),
        ("apache", "127.0.0.1:10", &["SSLEngine On", "### canary.txt\nrelight canary"]),
        ("caddy", "verify.sock", &["tls_connection_policies", "/srv/certs/san1.example.pem"]),
    ] {
        let mut more = vec!["--verify", verify];
        more.extend(common);
        if kind == "haproxy" {
            more.truncate(6);
            more.extend(["--set", map.as_str(), "--set", socket.as_str()]);
        }
        place.expect(0, &add(kind, &more));
        let mut config = vec!["edge", "config", kind, "--upstream", "127.0.0.1:8080"];
        config.extend(["--folder", "/srv/edge", "--certificates", "/srv/certs"]);
        let text = place.expect(0, &config).stdout;
        for part in parts {
            assert!(text.contains(part), "{kind}: {part} in {text}");
        }
        assert!(!text.contains("$http_upgrade") && !text.contains("upgrade=ANY"), "{kind}");
    }
}

/// Neither a folder nor many pages fit into one ConfigMap; those of sites may be none at all.
fn assert_pages_of_sites(list: &serde_json::Value) {
    let pod = &list["items"][2]["spec"]["template"]["spec"];
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let of = mounts.iter().find(|it| it["mountPath"] == "/hold/of").unwrap();
    let volumes = pod["volumes"].as_array().unwrap();
    let map = &volumes.iter().find(|it| it["name"] == of["name"]).unwrap()["configMap"];
    assert_eq!(map, &serde_json::json!({"name": "relight-hold-of", "optional": true}));
}

/// For edges that only route: all that they, their driver and the holding service need.
#[test]
fn routing_edges_get_their_routers_and_a_holding_service() {
    let place = Place::with_sites();
    place.write("hosts", "san1.example san-001\n");
    place.write("watched/kept", "");
    let set = |pair: &str| ["--set".to_owned(), pair.to_owned()];
    let path = |name: &str| place.path(name).display().to_string();
    let pairs = [
        format!("hosts={}", path("hosts")),
        format!("file={}/relight-dark.yml", path("watched")),
        "api=127.0.0.1:11".to_owned(),
        "holding=http://127.0.0.1:12".to_owned(),
        "upgrades=refused".to_owned(),
    ];
    let mut more = vec!["--verify".to_owned(), "127.0.0.1:10".to_owned()];
    more.extend(pairs.iter().flat_map(|pair| set(pair)));
    place.expect(0, &add("traefik", &more.iter().map(String::as_str).collect::<Vec<_>>()));
    let part = |name: &str| {
        let config = ["edge", "config", "traefik", "--upstream", "127.0.0.1:8080"];
        let rest = ["--folder", "/srv/edge", "--part", name];
        place.expect(0, &[&config[..], &rest].concat()).stdout
    };
    let main: serde_json::Value = serde_json::from_str(&part("traefik.yml")).unwrap();
    assert_eq!(main["providers"]["file"]["directory"], "DIR/watched");
    assert_eq!(main["entryPoints"]["interface"]["address"], "127.0.0.1:11");
    let sites: serde_json::Value = serde_json::from_str(&part("sites.yml")).unwrap();
    let http = &sites["http"];
    assert_eq!(http["routers"]["site-san-001"]["rule"], "Host(`san1.example`)");
    assert_eq!(
        http["services"]["site-san-001"]["loadBalancer"]["servers"][0]["url"],
        "http://127.0.0.1:8080"
    );
    let visitor = &http["middlewares"]["visitor"]["headers"];
    assert_eq!(visitor["customResponseHeaders"]["X-Relight-Gate"], "", "no origin passes as dark");
    assert_eq!(visitor["customRequestHeaders"]["Upgrade"], "");
    let hosts = part("hosts");
    assert!(hosts.starts_with("relight-canary.invalid relight-canary\n"), "{hosts}");
    assert!(hosts.contains("san1.example san-001\n"), "{hosts}");
    let holding = part("holding.conf");
    for line in ["listen 127.0.0.1:12 default_server;", "san1.example san-001;", "return 421"] {
        assert!(holding.contains(line), "{line} in {holding}");
    }
    let routes = format!("routes={}", place.write("routes", "san-001 town/san\n").display());
    let more = ["--set", "api=127.0.0.1:11", "--set", &routes, "--set", "holding=hold:80"];
    place.expect(0, &add("gateway_api", &more));
    let config = ["edge", "config", "gateway_api"];
    place.expect(2, &config);
    let printed = place.expect(0, &[&config[..], &["--gateway", "infra/main"]].concat());
    for words in ["kubectl create configmap relight-hold-pages", "relight-hold-of --from-file"] {
        assert!(printed.stderr.contains(words), "{}", printed.stderr);
    }
    let list: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    let kinds: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    let expected = [
        "ServiceAccount",
        "ConfigMap",
        "Deployment",
        "Service",
        "Role",
        "RoleBinding",
        "HTTPRoute",
    ];
    assert_eq!(kinds, expected);
    assert_pages_of_sites(&list);
    let canary = &list["items"][6];
    assert_eq!(canary["spec"]["parentRefs"][0]["name"], "main");
    assert_eq!(canary["spec"]["hostnames"][0], "relight-canary.invalid");
    place.expect(1, &[&config[..], &["--gateway", "infra/Main!"]].concat());
}

#[test]
fn an_edge_that_cannot_be_used_is_refused() {
    let place = Place::with_sites();
    place.write("file", "");
    let mut arguments = add("builtin", &[]);
    arguments[6] = "file/gate";
    let refused = place.expect(1, &arguments);
    assert!(refused.stderr.starts_with("error: the edge cannot be used like this\n"));
    place.expect(2, &["edge", "add", "apache", "--name", "n", "--gate", "g", "--listen", "x"]);
    assert_eq!(place.expect(0, &["edge", "list", "--json"]).json()["edges"], serde_json::json!([]));
}

/// What is told to be missing is what an edge of this kind is given.
#[test]
fn each_kind_of_edge_is_asked_for_its_own_options() {
    let place = Place::new();
    for (words, missing) in [
        ("agent", "--agent, --listen"),
        ("agent --listen 127.0.0.1:9", "--agent"),
        ("agent --listen 127.0.0.1:9 --gate g", "--agent"),
        ("agent --agent web-1", "--listen"),
        ("group --listen 127.0.0.1:9 --gate g", "--member"),
        ("builtin", "--gate, --listen"),
        ("builtin --gate g", "--listen"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let told = place.expect(2, &[&["edge", "add"][..], &words, &["--name", "n"]].concat());
        let wanted = format!("error: missing: {missing}\n");
        assert!(told.stderr.starts_with(&wanted), "{words:?}: {}", told.text());
    }
}

/// A barrier closes and opens as a whole what one edge says, and takes no orders of its own.
#[test]
fn a_second_barrier_belongs_to_one_edge_and_has_no_sites() {
    let place = Place::with_sites();
    let try_it = |name: &str, barrier: &str| {
        let setting = format!("barrier={barrier}");
        let mut words = add("builtin", &[]);
        words[4] = name;
        if !barrier.is_empty() {
            words.extend(["--set", &setting]);
        }
        place.run(&words).text()
    };
    for free in ["wall", "west"] {
        assert!(try_it(free, "").contains("registered"));
    }
    assert!(try_it("north", "nobody").contains("no edge of the register has the name"));
    assert!(try_it("north", "north").contains("not its own second barrier"));
    assert!(try_it("west", "north").contains("no edge of the register"), "not registered yet");
    assert!(try_it("north", "wall").contains("registered"));
    assert!(try_it("north", "wall").contains("registered"), "once more the same");
    assert!(try_it("west", "wall").contains("is the second barrier of another one"));
    assert!(try_it("west", "north").contains("has a second barrier of its own"));
    assert!(try_it("wall", "west").contains("that is a second barrier itself has none"));
    assert!(try_it("north", "").contains("registered"));
    assert!(try_it("west", "north").contains("the edge that was named has sites"));
    assert!(try_it("north", "wall").contains("registered"));
    let sites = crate::place::SITES.replace(";north;", ";wall;").replace("san", "new");
    place.write("more.csv", sites);
    let refused = place.expect(1, &["sites", "import", "more.csv", "--lang", "fr"]);
    assert!(refused.stderr.contains("la seconde barrière d’un autre"), "{}", refused.text());
    let sites = place.expect(0, &["sites", "list", "--json"]).stdout;
    assert!(!sites.contains("wall"), "{sites}");
}

/// A grace that would silently be another one is refused, and one that is meant is kept.
#[test]
fn a_grace_is_seconds_or_hard() {
    let place = Place::with_sites();
    for value in ["soft", "301", "-1", "2.5", ""] {
        let setting = format!("grace={value}");
        let refused = place.expect(2, &add("builtin", &["--set", &setting]));
        let said = format!("error: {value} is no grace for connections that were open before");
        assert!(refused.stderr.starts_with(&said), "{}", refused.text());
        assert!(refused.stderr.contains("from 0 to 300, or hard"), "{}", refused.text());
    }
    for value in ["hard", "0", "30", "300"] {
        let setting = format!("grace={value}");
        place.expect(0, &add("builtin", &["--set", &setting]));
        let listed = place.expect(0, &["edge", "list", "--json"]).json();
        assert_eq!(listed["edges"][0]["settings"]["grace"], value);
    }
}

/// Who reads these files later works in another folder.
#[test]
fn files_of_testers_are_registered_with_their_whole_path() {
    let place = Place::with_sites();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relight-edge/fixtures/mtls");
    let mut words = vec!["--verify", "127.0.0.1:9443"];
    let files =
        [("verify_ca", "ca.pem"), ("verify_as", "tester.pem"), ("verify_shows", "edge.pem")];
    let sets = files.map(|(name, file)| {
        place.write(file, fs::read(folder.join(file)).unwrap());
        format!("{name}={file}")
    });
    sets.iter().for_each(|it| words.extend(["--set", it]));
    place.expect(0, &add("builtin", &words));
    let listed = place.expect(0, &["edge", "list", "--json"]).json();
    for (name, file) in files {
        // So the place writes its own path.
        assert_eq!(listed["edges"][0]["settings"][name], format!("DIR/{file}"));
    }
}

/// Goal: who registers a path for testers with certificates gets the configuration for it, and
/// hears at once of what is missing.
#[test]
fn a_path_for_testers_with_certificates_is_registered_and_printed() {
    let place = Place::with_sites();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relight-edge/fixtures/mtls");
    let file = |name: &str| folder.join(name).canonicalize().unwrap().display().to_string();
    let set = |name: &str, from: &str| format!("{name}={}", file(from));
    let all = [
        set("verify_ca", "ca.pem"),
        set("verify_as", "tester.pem"),
        set("verify_shows", "edge.pem"),
    ];
    let add = |verify: &str, sets: &[String]| {
        let mut words = vec!["edge", "add", "nginx_file", "--name", "north", "--gate", "gate"];
        words.extend(["--listen", "127.0.0.1:1", "--verify", verify]);
        words.extend(["--set", "worker_user=self", "--set", "upgrades=refused"]);
        sets.iter().for_each(|it| words.extend(["--set", it]));
        place.run(&words)
    };
    let half = add("127.0.0.1:9443", &all[..1]);
    assert_eq!(half.status, 1, "{}", half.text());
    assert!(half.stderr.contains("`verify_as` and `verify_ca`"), "{}", half.text());
    assert_eq!(add("verify.sock", &all).status, 1, "a socket asks for no certificate");
    let config = ["edge", "config", "nginx_file", "--upstream", "127.0.0.1:9", "--folder", "edge"];
    let registered = |sets| {
        let told = add("127.0.0.1:9443", sets);
        assert_eq!(told.status, 0, "{}", told.text());
    };
    registered(&all[..2]);
    let told = place.expect(2, &config);
    assert!(told.stderr.contains("verify_shows"), "{}", told.text());
    registered(&all);
    let printed = place.expect(0, &config).stdout;
    let (shown, ca) = (file("edge.pem"), file("ca.pem"));
    let asks = format!(
        "  listen 127.0.0.1:9443 ssl default_server;
  ssl_certificate {shown};
  ssl_certificate_key {shown};
  ssl_client_certificate {ca};
  ssl_verify_client on;\n"
    );
    assert!(printed.contains(&asks), "{printed}");
}
