//! `relight watch parse`: each line of a log as an event, or why it is none.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use relight_engine::watch::line::{LINE_BYTES_MAX, text};
use relight_engine::watch::{
    Attempt, Feed, PARSERS, Reader, Taken, Tally, Zone, attempt, attempt_in_line,
    canonical_network, parsers, plain,
};
use relight_engine::{Engine, note_proxies};
use relight_model::Event;
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use super::lines::LineSource;
use super::receive::Readers;
use super::zone::zone;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::report::{Exit, Report};

/// The word for "tell each line's format by itself".
const AUTO: &str = "auto";

#[derive(Debug, Args)]
pub(super) struct Parse {
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    options: FeedOptions,
}

/// What somebody knows about lines that the lines do not say.
#[derive(Debug, Args)]
pub(crate) struct FeedOptions {
    #[arg(long, value_name = "NAME", default_value = AUTO)]
    format: String,
    #[arg(long = "trust", value_name = "NETWORK")]
    trusted: Vec<String>,
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    zone: Option<String>,
}

impl FeedOptions {
    /// The reader of a feed.
    pub(super) fn reader(&self, feed: Feed, context: &Context) -> Result<Reader, Failure> {
        let Readers { feed, parser } = self.readers(feed, context)?;
        Ok(match parser {
            None => Reader::new(feed),
            Some(parser) => Reader::of(feed, parser),
        })
    }

    /// Keeps who the operator's own proxies are, so that nobody blocks them.
    pub(crate) fn note_proxies(&self, engine: &Engine, context: &Context) -> Result<(), Failure> {
        let noted = note_proxies(engine.store(), &self.proxies(context.lang)?);
        noted.map_err(|error| Failure::engine(context.lang, &error))
    }

    fn proxies(&self, lang: Lang) -> Result<Vec<(IpAddr, u8)>, Failure> {
        let network = |text: &String| {
            network(text).ok_or_else(|| {
                Failure::usage(texts::no_network(lang, text)).hint(texts::no_network_remedy(lang))
            })
        };
        self.trusted.iter().map(network).collect()
    }

    /// The zone of the clock that wrote the lines.
    fn zone(&self, lang: Lang) -> Result<Zone, Failure> {
        let Some(text) = &self.zone else { return Ok(Zone::default()) };
        zone(text).ok_or_else(|| {
            Failure::usage(texts::no_zone(lang, text)).hint(texts::no_zone_remedy(lang))
        })
    }

    /// What makes readers of the feed.
    pub(crate) fn readers(&self, feed: Feed, context: &Context) -> Result<Readers, Failure> {
        let lang = context.lang;
        let mut feed = feed;
        feed.received = context.now();
        feed.trusted_proxies = self.proxies(lang)?;
        feed.zone = self.zone(lang)?;
        if self.format == AUTO {
            return Ok(Readers { feed, parser: None });
        }
        let parser = parsers::named(&self.format).ok_or_else(|| {
            let names: Vec<_> = PARSERS.iter().map(|parser| parser.name()).collect();
            Failure::usage(texts::no_such_log_format(lang, &self.format))
                .hint(texts::no_such_log_format_remedy(lang, &names.join(", ")))
        })?;
        Ok(Readers { feed, parser: Some(parser) })
    }
}

/// `203.0.113.0/24`, or one address.
pub(super) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let bits = match bits {
        Some(bits) => Some(bits.parse().ok()?),
        None => None,
    };
    canonical_network(address.parse().ok()?, bits)
}

#[derive(Serialize)]
struct EventRow<'a> {
    line: u64,
    format: &'static str,
    at: String,
    source: IpAddr,
    source_port: Option<u16>,
    peer: Option<IpAddr>,
    destination: Option<IpAddr>,
    port: Option<u16>,
    protocol: Option<u8>,
    outcome: &'static str,
    status: Option<u16>,
    bytes_in: u64,
    bytes_out: u64,
    #[serde(flatten)]
    texts: TextsRow<'a>,
    unknown_fields: u32,
    attempt: Option<AttemptRow>,
    cut: bool,
}

/// Texts without the log's own escaping; `null` where the line has none.
#[derive(Serialize)]
struct TextsRow<'a> {
    host: Option<Cow<'a, str>>,
    sni: Option<Cow<'a, str>>,
    method: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    query: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    referer: Option<Cow<'a, str>>,
    user: Option<Cow<'a, str>>,
    headers: Option<Cow<'a, str>>,
    ja3: Option<Cow<'a, str>>,
    ja4: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct AttemptRow {
    verdict: &'static str,
    field: &'static str,
    key: String,
}

#[derive(Serialize)]
struct RefusedRow<'a> {
    line: u64,
    refused: &'static str,
    reason: &'a str,
    attempt: Option<AttemptRow>,
    cut: bool,
}

impl Parse {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let mut source = LineSource::open(self.file.as_deref(), LINE_BYTES_MAX, context)?;
        let mut reader = self.options.reader(Feed::default(), context)?;
        while let Some(line) = source.next(context)? {
            if reader.is_in_field(line.bytes, line.dropped) {
                continue;
            }
            let (text, _) = text(line.bytes);
            match reader.take(&text) {
                Taken::Event(format, event) => {
                    let row = event_row(line.number, format, &event, line.cut);
                    report.document_line("relight.event/1", &row);
                }
                Taken::Refused(code) => {
                    let row = refused_row(line.number, code, &text, line.cut, context.lang);
                    report.document_line("relight.event/1", &row);
                }
                Taken::Nothing => {}
            }
        }
        let tally = reader.tally();
        if tally.events == 0 && !tally.refused.is_empty() {
            report.raise(Exit::Failed);
        }
        report.note(&summary(tally, context.lang));
        Ok(())
    }
}

fn event_row<'a>(line: u64, format: &'static str, event: &Event<'a>, cut: bool) -> EventRow<'a> {
    let some = |number: u16| Some(number).filter(|number| *number > 0);
    EventRow {
        line,
        format,
        at: rfc3339(event.at),
        source: event.source,
        source_port: some(event.source_port),
        peer: event.peer,
        destination: event.destination,
        port: some(event.port),
        protocol: Some(event.protocol).filter(|number| *number > 0),
        outcome: event.outcome.as_str(),
        status: some(event.status),
        bytes_in: event.bytes_in,
        bytes_out: event.bytes_out,
        texts: texts_row(event),
        unknown_fields: event.unknown,
        attempt: attempt(event).map(attempt_row),
        cut,
    }
}

fn texts_row<'a>(event: &Event<'a>) -> TextsRow<'a> {
    let some = |text: &'a str| (!text.is_empty()).then(|| plain(text, event.escape));
    TextsRow {
        host: some(event.host),
        sni: some(event.sni),
        method: some(event.method),
        path: some(event.path),
        query: some(event.query),
        user_agent: some(event.user_agent),
        referer: some(event.referer),
        user: some(event.user),
        headers: some(event.headers),
        ja3: some(event.ja3),
        ja4: some(event.ja4),
    }
}

fn attempt_row(found: Attempt) -> AttemptRow {
    AttemptRow { verdict: found.verdict.as_str(), field: found.field, key: found.key }
}

/// A payload in a line that cannot be read is an attempt all the same.
fn refused_row(
    line: u64,
    refused: &'static str,
    text: &str,
    cut: bool,
    lang: Lang,
) -> RefusedRow<'static> {
    let attempt = attempt_in_line(text).map(attempt_row);
    RefusedRow { line, refused, reason: refusal(lang, refused), attempt, cut }
}

/// Why a line was refused, in words.
pub(super) fn refusal(lang: Lang, code: &str) -> &'static str {
    let (what, _) = coded(lang, &format!("log-{code}"));
    if what.is_empty() { texts::log_refused(lang) } else { what }
}

/// What the lines were, and what was odd about them, in one sentence.
pub(super) fn summary(tally: &Tally, lang: Lang) -> String {
    let refused: u64 = tally.refused.values().map(|(lines, _)| lines).sum();
    let mut text = texts::log_summary(lang, tally.events, tally.lines, refused);
    let odd = [
        ("log-odd-order", tally.out_of_order),
        ("log-odd-late", tally.late),
        ("log-odd-skewed", tally.skewed),
        ("log-odd-duplicate", tally.duplicates),
        ("log-odd-decode-limit", tally.decode_limit),
    ];
    for (key, count) in odd.into_iter().filter(|(_, count)| *count > 0) {
        let words = texts::by_code(lang, key).unwrap_or_default();
        text.push_str(&format!("; {count} {words}"));
    }
    let formats: Vec<&str> = tally.formats.keys().copied().collect();
    if !formats.is_empty() {
        text.push_str(&format!(" ({})", formats.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_network_is_no_longer_than_its_addresses() {
        for (text, bits) in
            [("10.0.0.0/8", 8), ("10.0.0.1", 32), ("::1", 128), ("2001:db8::/32", 32)]
        {
            assert_eq!(network(text).map(|(_, bits)| bits), Some(bits), "{text}");
        }
        for text in ["10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "::/129", "example.org", ""] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
