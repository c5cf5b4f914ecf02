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
                    Ok(event) => writeln!(out, "{file}:{} {event:?}", number + 1),
                    Err(code) => writeln!(out, "{file}:{} refused: {code}", number + 1),
                };
            }
            let _ = writeln!(out, "{file}: {} cut", lines.cut());
        }
        out
    });
}
