//! `relight login`: a terminal shows a code and waits until a person let it in.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::{Value, json};

use crate::heads::signed_in;
use crate::place::{Outcome, Place};
use crate::serve::Server;

const SECRET: &str = "rlt_0123456789";

/// A server that gives these answers, one a request; its address, and what it was sent. Null is a
/// connection that is cut, and `http` a head that stands for all.
fn server(answers: Vec<Value>) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, sent) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            told.send(request(&mut stream)).unwrap();
            if answer.is_null() {
                continue;
            }
            if let Some(head) = answer["http"].as_str() {
                stream.write_all(head.as_bytes()).unwrap();
                continue;
            }
            let text = answer.to_string();
            let kind = "Content-Type: application/json\r\nConnection: close\r\n";
            let head = format!("HTTP/1.1 200 OK\r\n{kind}Content-Length: {}\r\n\r\n", text.len());
            stream.write_all(format!("{head}{text}").as_bytes()).unwrap();
        }
    });
    (url, sent)
}

/// The head of a request in small letters, and its body.
fn request(stream: &mut TcpStream) -> (String, String) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

fn codes(life: u64) -> Value {
    json!({
        "device_code": "device",
        "user_code": "BCDF-GHJK",
        "verification_uri": "http://localhost:8420/terminal",
        "expires_in": life,
        "interval": 1,
    })
}

fn login(place: &Place, url: &str, more: &[&str]) -> Outcome {
    let home = place.path("home").display().to_string();
    let variables = [("XDG_CONFIG_HOME", &*home), ("USER", "zoe"), ("RELIGHT_SERVER", url)];
    place.run_with(&[&["login"][..], more].concat(), &variables)
}

/// What is kept for any server.
fn kept(place: &Place) -> Vec<std::path::PathBuf> {
    let folder = fs::read_dir(place.path("home/relight/tokens"));
    folder.map(|all| all.map(|it| it.unwrap().path()).collect()).unwrap_or_default()
}

#[test]
fn a_terminal_waits_as_it_is_told_and_keeps_what_it_is_given() {
    let token = json!({
        "access_token": SECRET,
        "token_type": "Bearer",
        "account": "anna",
        "role": "commander",
        "scope": "health",
        "expires": "2027-01-22T08:00:20Z",
    });
    let pending = json!({"error": "authorization_pending"});
    let slower = json!({"error": "slow_down", "interval": 2});
    let answers = vec![codes(600), pending.clone(), slower, pending, token, json!({})];
    let (url, sent) = server(answers);
    let place = Place::new();
    let wish = ["--role", "commander", "--scope", "health", "--days", "7"];
    let told = login(&place, &url, &wish);
    assert_eq!(told.status, 0, "{}", told.text());
    for line in [
        "Open http://localhost:8420/terminal in your browser",
        "\n    BCDF-GHJK\n",
        "good for 10 minutes",
        "let in by anna: Commander, in health, until 2027-01-22T08:00:20Z",
    ] {
        assert!(told.stderr.contains(line), "{line}: {}", told.text());
    }
    assert!(!told.text().contains(SECRET), "{}", told.text());
    let file = kept(&place).remove(0);
    crate::settings::assert_own(&file);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{SECRET}\n"));

    let (head, asked) = sent.recv().unwrap();
    assert!(head.starts_with("post /api/v1/terminals?"), "{head}");
    assert!(!head.contains("authorization") && !head.contains("origin:"), "{head}");
    let asked: Value = serde_json::from_str(&asked).unwrap();
    assert_eq!((&asked["role"], &asked["days"]), (&json!("commander"), &json!(7)), "{asked}");
    assert!(asked["name"].as_str().unwrap().starts_with("zoe@"), "{asked}");
    for _ in 0..4 {
        let (head, polled) = sent.recv().unwrap();
        assert!(head.starts_with("post /api/v1/terminals/token?"), "{head}");
        assert_eq!(polled, "{\"device_code\":\"device\"}");
    }
    let (head, _) = sent.recv().unwrap();
    assert!(head.contains(&format!("bearer {SECRET}")), "the token is tried before it is kept");
}

/// Whoever is not let in keeps nothing, and is told what to do.
#[test]
fn a_terminal_that_is_not_let_in_is_told_why_and_keeps_nothing() {
    let denied = json!({"error": "access_denied"});
    let over = json!({"error": "expired_token"});
    let torn = json!({"access_token": "a b", "account": "anna", "role": "viewer", "scope": "/",
        "expires": "2027-01-22T08:00:20Z"});
    for (answers, lang, status, told) in [
        (vec![codes(600), denied], "en", 4, "somebody refused"),
        (vec![codes(1), over.clone()], "en", 4, "nobody let this terminal in in time"),
        (vec![codes(1), over.clone()], "fr", 4, "personne n’a laissé entrer ce terminal"),
        // Somebody may have let it in, and its token was lost on the way.
        (vec![codes(600), json!(null), over.clone()], "en", 4, "the server does not know this"),
        (vec![codes(600), over], "fr", 4, "le serveur ne connaît plus ce terminal"),
        (vec![codes(1), json!({"error": "authorization_pending"})], "en", 4, "in time"),
        (vec![json!({})], "en", 1, "no answer that can be read"),
        (vec![codes(600), json!({})], "en", 1, "no answer that can be read"),
        (vec![codes(600), torn], "en", 1, "no answer that can be read"),
        // Then nothing answers any more, until the code is too old.
        (vec![codes(2)], "en", 1, "no answer that can be read"),
    ] {
        let (url, _sent) = server(answers);
        let place = Place::new();
        let outcome = login(&place, &url, &["--lang", lang]);
        assert_eq!(outcome.status, status, "{told}: {}", outcome.text());
        let hint = if lang == "fr" { "conseil\u{a0}: " } else { "hint: " };
        let is_told = outcome.stderr.contains(told)
            && outcome.stderr.contains(hint)
            && !outcome.stderr.contains("/plans");
        assert!(is_told, "{told}: {}", outcome.text());
        assert!(kept(&place).is_empty());
    }
    let place = Place::new();
    for wrong in [
        &["--role", "viewer", "--token-file", "x"][..],
        &["--scope", "health"],
        &["--days", "many"],
    ] {
        assert_eq!(login(&place, "http://localhost:1", wrong).status, 2, "{wrong:?}");
    }
    assert_eq!(login(&place, "http://relight.example", &[]).status, 2, "in the clear");
}

/// Where there is no browser: a token from a file or from standard input, tried before it is kept.
#[test]
fn a_token_that_was_made_before_is_read_from_stdin() {
    let (url, sent) = server(vec![json!({})]);
    let place = Place::new();
    let home = place.path("home").display().to_string();
    let arguments = ["login", "--server", &url, "--token-file", "-"];
    let mut command = place.command(&arguments, &[("XDG_CONFIG_HOME", &home)]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{SECRET}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(sent.recv().unwrap().0.contains(&format!("bearer {SECRET}")));
    let file = kept(&place).remove(0);
    crate::settings::assert_own(&file);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{SECRET}\n"));
}

/// What no token ever is needs no server, and is said in words.
#[test]
fn what_a_token_cannot_be_is_said_before_anybody_is_asked() {
    let place = Place::new();
    for (wrong, told) in [
        (&["--role", "admin"][..], "le rôle ou le lieu n’en est pas un"),
        (&["--role", "viewer", "--scope", "a//b"], "le rôle ou le lieu n’en est pas un"),
        (&["--days", "91"], "1 à 90 jours"),
    ] {
        let wrong = [wrong, &["--lang", "fr"]].concat();
        let outcome = login(&place, "http://localhost:1", &wrong);
        assert_eq!(outcome.status, 2, "{}", outcome.text());
        let is_good = outcome.stderr.contains(told) && !outcome.stderr.contains("role:");
        assert!(is_good && !outcome.stderr.contains("/plans"), "{}", outcome.text());
        assert!(!outcome.stderr.contains("approver"), "{}", outcome.text());
    }
}

/// A server that has no time is asked again when it says so.
#[test]
fn a_busy_server_is_asked_again() {
    let busy = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\n\
                Content-Length: 0\r\n\r\n";
    let busy = json!({ "http": busy });
    let answers = vec![busy.clone(), codes(600), busy, json!({"error": "access_denied"})];
    let (url, _sent) = server(answers);
    let outcome = login(&Place::new(), &url, &[]);
    assert_eq!(outcome.status, 4, "{}", outcome.text());
    for told in ["asking again in 1 second\n", "BCDF-GHJK", "somebody refused"] {
        assert!(outcome.stderr.contains(told), "{told}: {}", outcome.text());
    }
}

/// Nobody signs for a token that cannot be kept; and where that is seen too late, it ends.
#[test]
fn a_token_that_cannot_be_kept_is_not_asked_for_or_ends() {
    let token = json!({
        "access_token": SECRET,
        "account": "anna",
        "role": "viewer",
        "scope": "/",
        "expires": "2027-01-22T08:00:20Z",
    });
    let (url, sent) = server(vec![codes(600)]);
    let place = Place::new();
    place.write("home/relight", "no folder");
    let outcome = login(&place, &url, &[]);
    assert!(outcome.status == 1 && outcome.stderr.contains("cannot write"), "{}", outcome.text());
    assert!(sent.try_recv().is_err() && !outcome.stderr.contains("BCDF"), "{}", outcome.text());

    for (last, told) in [
        (json!({"ended": true}), "it was ended at the server again"),
        (json!(null), "end “relight login, zoe” on the page /me"),
    ] {
        let (url, sent) = server(vec![codes(600), token.clone(), json!({}), last]);
        let place = Place::new();
        let name = url.replace(':', "%3A").replace('/', "%2F");
        fs::create_dir_all(place.path(&format!("home/relight/tokens/{name}"))).unwrap();
        let outcome = login(&place, &url, &["--name", "zoe"]);
        assert_eq!(outcome.status, 1, "{}", outcome.text());
        assert!(outcome.stderr.contains(told), "{told}: {}", outcome.text());
        let (head, _) = sent.iter().nth(3).unwrap();
        let is_ended = head.starts_with("post /api/v1/token/end ");
        assert!(is_ended && head.contains(&format!("authorization: bearer {SECRET}")), "{head}");
    }
}

/// A token that is forgotten here is worth nothing there, where that can be asked for.
#[test]
fn logout_ends_the_token_at_its_server() {
    let place = Place::new();
    let home = place.path("home").display().to_string();
    let logout = |url: &str| {
        place.run_with(&["logout", "--server", url, "--json"], &[("XDG_CONFIG_HOME", &home)])
    };
    place.write("token", format!("{SECRET}\n"));
    let over = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\
                Connection: close\r\nContent-Length: 2\r\n\r\n{}";
    for (answer, at_server) in [
        (json!({"ended": true}), "ended"),
        (json!({ "http": over }), "over"),
        (json!(null), "unknown"),
    ] {
        let (url, sent) = server(vec![json!({}), answer]);
        assert_eq!(login(&place, &url, &["--token-file", "token"]).status, 0);
        let outcome = logout(&url);
        assert_eq!(outcome.status, 0, "{}", outcome.text());
        let told = outcome.json();
        let is_told = told["done"] == "logout" && told["at_server"] == at_server;
        assert!(is_told && kept(&place).is_empty(), "{told}");
        let (head, _) = sent.iter().nth(1).unwrap();
        assert!(head.starts_with("post /api/v1/token/end "), "{head}");
    }
}

/// Each login left the token of the one before alive, up to ninety days, and nobody held it.
#[test]
fn a_login_ends_the_token_in_whose_place_it_keeps_another_one() {
    let place = Place::new();
    place.write("first", format!("{SECRET}\n"));
    place.write("second", "rlt_9876543210\n");
    for (answer, lang, at_server, told) in [
        (json!({"ended": true}), "en", "ended", ""),
        (json!(null), "en", "unknown", "before could not be ended there"),
        (json!(null), "fr", "unknown", "il n’a pas pu être mis fin au jeton gardé auparavant"),
    ] {
        let (url, sent) = server(vec![json!({}), json!({}), json!({}), answer]);
        let keep = |file| {
            let outcome = login(&place, &url, &["--token-file", file, "--json", "--lang", lang]);
            assert_eq!(outcome.status, 0, "{}", outcome.text());
            outcome
        };
        assert!(keep("first").json()["at_server"].is_null());
        assert!(keep("first").json()["at_server"].is_null(), "it is the same");
        let last = keep("second");
        assert_eq!(last.json()["at_server"], at_server);
        assert!(last.stderr.contains(told), "{}", last.text());
        let (head, _) = sent.iter().nth(3).unwrap();
        assert!(head.starts_with("post /api/v1/token/end "), "{head}");
        assert!(head.contains(&format!("bearer {SECRET}")), "{head}");
    }
}

/// What a person sends from a browser that is signed in.
fn browse(address: SocketAddr, cookie: &str, head: &str, body: &str) -> String {
    let port = address.port();
    let cookie = format!("Cookie: {cookie}\r\n");
    let origin = format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n";
    let length = body.len();
    let text = format!("{head}{origin}{cookie}{kind}Content-Length: {length}\r\n\r\n{body}");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Program and server: the code that one shows is that which a person types at the other.
#[test]
fn a_person_refuses_a_terminal_in_the_browser() {
    let place = Place::with_sites();
    let cookie = signed_in(&place, "viewer");
    let (server, started) = Server::start(&place);
    let url = started["console"].as_str().unwrap().trim_end_matches('/').to_owned();
    let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();

    let home = place.path("home").display().to_string();
    let mut command = place.command(&["login", "--server", &url], &[("XDG_CONFIG_HOME", &home)]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let is_code = |line: &String| line.len() == 13 && line.starts_with("    ");
    let code = lines.find(is_code).expect("no code was shown").trim().to_owned();
    let page = browse(address, &cookie, "GET /terminal?lang=en HTTP/1.1\r\n", "");
    let token = page.split("name=\"token\" value=\"").nth(1).expect("no form").split('"').next();
    let form = format!("token={}&code={code}", token.unwrap());
    let shown = browse(address, &cookie, "POST /terminal?lang=en HTTP/1.1\r\n", &form);
    assert!(shown.contains("uid ") && shown.contains("127.0.0.1, as this browser"), "{shown}");
    let refuse = format!("{form}&decision=refuse");
    let done = browse(address, &cookie, "POST /terminal/decide?lang=en HTTP/1.1\r\n", &refuse);
    assert!(done.contains("Refused: it gets nothing."), "{done}");
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(4), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("somebody refused")), "{rest:?}");
    assert!(kept(&place).is_empty());
    assert_eq!(server.terminate(), Some(0));
}
