//! Log parsers: one line of one product's log to an event.

use relight_model::{Event, OrgId, SiteId, registry};

/// Where lines come from: what the lines themselves do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Whose log it is.
    pub org: OrgId,
    /// The site it belongs to, when the log belongs to one site.
    pub site: Option<SiteId>,
    /// Host name of that site; empty when it is not known. It tells referers inside the site.
    pub host: String,
}

/// Reads one format.
pub trait LogParser: Sync {
    /// The stable name of the format.
    fn name(&self) -> &'static str;

    /// Reads one line without allocating; the fields of the event keep the log's own escaping.
    ///
    /// # Errors
    /// A stable code in kebab case: what is wrong with the line.
    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str>;
}

registry! {
    /// Every parser, in alphabetical order.
    pub static PARSERS: dyn LogParser, check = crate::parsers::check;
    combined
}

/// The parser of that name.
pub fn named(name: &str) -> Option<&'static dyn LogParser> {
    PARSERS.iter().copied().find(|parser| parser.name() == name)
}

/// Runs a parser over its fixtures: every line of `access.log` as an event or as a code.
#[cfg(test)]
fn check(name: &str, parser: &dyn LogParser) {
    use std::fmt::Write as _;
    assert_eq!(name, parser.name());
    let feed = Feed { org: OrgId(1), site: Some(SiteId(2)), host: "www.example.test".to_owned() };
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let mut out = String::new();
        for (file, bytes) in &case.files {
            let mut lines = crate::line::Lines::new(bytes);
            for (number, line) in lines.by_ref().enumerate() {
                let _ = match parser.parse(&feed, &line) {
                    Ok(event) => writeln!(out, "{file}:{} {}", number + 1, render(&event)),
                    Err(code) => writeln!(out, "{file}:{} refused: {code}", number + 1),
                };
            }
            let _ = writeln!(out, "{file}: {} cut", lines.cut());
        }
        out
    });
}

/// Everything of an event that is not empty.
#[cfg(test)]
fn render(event: &Event<'_>) -> String {
    let mut out = format!("{} {}", event.at, event.source);
    let mut add = |name: &str, value: &dyn std::fmt::Display, absent: &str| {
        let value = value.to_string();
        if value != absent {
            let shown: String = value.chars().take(200).collect();
            let more = if shown.len() < value.len() { "..." } else { "" };
            let shown = shown.escape_debug().to_string().replace("\\\\", "\\");
            out.push_str(&format!(
                " {name}={}{more}",
                shown.replace("\\\"", "\"").replace("\\'", "'")
            ));
        }
    };
    let address = |address: Option<std::net::IpAddr>| {
        address.map(|address| address.to_string()).unwrap_or_default()
    };
    add("sport", &event.source_port, "0");
    add("peer", &address(event.peer), "");
    add("dst", &address(event.destination), "");
    add("port", &event.port, "0");
    add("proto", &event.protocol, "0");
    add("host", &event.host, "www.example.test");
    add("sni", &event.sni, "");
    add("method", &event.method, "");
    add("path", &event.path, "");
    add("query", &event.query, "");
    add("status", &event.status, "0");
    add("in", &event.bytes_in, "0");
    add("out", &event.bytes_out, "0");
    add("referer", &event.referer, "");
    add("agent", &event.user_agent, "");
    add("user", &event.user, "");
    add("headers", &event.headers, "");
    add("ja3", &event.ja3, "");
    add("ja4", &event.ja4, "");
    add("outcome", &event.outcome.as_str(), "unknown");
    add("unknown", &event.unknown, "0");
    if let Some(found) = crate::attempt(event) {
        add("attempt", &format!("{} {}", found.verdict.as_str(), found.key), "");
    }
    format!("{out} escape={:?}", event.escape)
}
