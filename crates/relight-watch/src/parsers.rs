//! Log parsers: one line of one product's log to an event.

use std::collections::BTreeMap;
use std::net::IpAddr;

use relight_model::{Event, OrgId, SiteId, Timestamp, registry};

use crate::known::canonical_network;
use crate::zone::Zone;

mod draft;
mod json;
mod pairs;
mod shapes;
mod syslog;
mod time;

/// Longest header of a feed that is kept, in bytes.
pub const HEADER_BYTES_MAX: usize = 16 << 10;

/// Where lines come from: what the lines themselves do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Whose log it is.
    pub org: OrgId,
    /// The site it belongs to, when the log belongs to one site.
    pub site: Option<SiteId>,
    /// Host name of that site; empty when it is not known. It tells referers inside the site.
    pub host: String,
    /// Sites of a log that names the host, by host name in lower case.
    pub sites: BTreeMap<String, SiteId>,
    /// Proxies whose forwarded header is believed: networks with their length in bits.
    pub trusted_proxies: Vec<(IpAddr, u8)>,
    /// When the lines were received; 0 when that is not known. Syslog leaves the year out.
    pub received: Timestamp,
    /// The last header lines, which name the columns.
    pub header: String,
    /// Of the clock that wrote times without a zone.
    pub zone: Zone,
}

impl Feed {
    /// Takes a header line: one that starts a header anew replaces the one before.
    pub fn take_header(&mut self, line: &str) {
        let starts = ["#separator", "#Software", "#Version", "version "];
        if starts.iter().any(|start| line.starts_with(start)) {
            self.header.clear();
        }
        let name = line.split([' ', '\t']).next().unwrap_or_default();
        if self.header.lines().any(|old| old.split([' ', '\t']).next() == Some(name)) {
            let others = self.header.lines().filter(|old| !old.starts_with(name));
            self.header = others.map(|old| format!("{old}\n")).collect();
        }
        if self.header.len() + line.len() < HEADER_BYTES_MAX {
            self.header.push_str(line);
            self.header.push('\n');
        }
    }

    /// The site of an event that names a host.
    pub(crate) fn site_of(&self, host: &str, sni: &str) -> Option<SiteId> {
        let named = |name: &str| {
            let plain = self.sites.get(name).copied();
            plain.or_else(|| self.sites.get(&name.to_ascii_lowercase()).copied())
        };
        self.site.or_else(|| {
            if self.sites.is_empty() { None } else { named(host).or_else(|| named(sni)) }
        })
    }

    /// The host or name that was asked is none of this log's sites: an address, where a name is
    /// known, or a name that nobody registered.
    pub(crate) fn is_stray(&self, host: &str, sni: &str) -> bool {
        let name = if host.is_empty() { sni } else { host };
        if matches!(name, "" | "-") {
            return false;
        }
        if self.site.is_some() {
            let is_named = !self.host.is_empty() && !is_address(&self.host);
            return is_named && is_address(name);
        }
        let host = draft::without_port(host);
        !self.sites.is_empty() && self.site_of(host, sni).is_none()
    }

    /// Who stands behind a trusted proxy: the right-most address of the forwarded header that is
    /// no proxy of ours. Never the left-most: whoever sends the header could frame another.
    fn client_behind(&self, peer: IpAddr, forwarded: &str) -> Option<IpAddr> {
        if forwarded.is_empty() || !self.is_trusted(peer) {
            return None;
        }
        // IIS writes the blank as a plus sign; CloudFront encodes blank and comma.
        let parts = forwarded.rsplit(',').flat_map(|part| part.rsplit("%2C"));
        let plain = |text: &str| text.trim_matches([' ', '+']).trim_start_matches("%20").to_owned();
        let mut addresses = parts.map(|text| draft::endpoint(&plain(text)));
        addresses.find_map(|found| match found {
            Some((address, _)) if self.is_trusted(address) => None,
            found => Some(found.map(|(address, _)| address)),
        })?
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|(network, bits)| holds(*network, *bits, address))
    }
}

/// A host that is written as an address, with a port or without.
pub(crate) fn is_address(host: &str) -> bool {
    draft::endpoint(host).is_some()
}

/// The address is in the network. A network of version 4 may be written as one of version 6: its
/// bits count from the start of the longer address then.
fn holds(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let plain = canonical_network(network, Some(bits));
    let (network, bits) = plain.unwrap_or((network, bits));
    match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differ = u32::from(network) ^ u32::from(address);
            differ.checked_shr(32 - u32::from(bits.min(32))).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differ = u128::from(network) ^ u128::from(address);
            differ.checked_shr(128 - u32::from(bits.min(128))).unwrap_or(0) == 0
        }
        _ => false,
    }
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

    /// The line names columns for the lines that follow; see [`Feed::take_header`].
    fn is_header(&self, _line: &str) -> bool {
        false
    }
}

registry! {
    /// Every parser, in alphabetical order.
    pub static PARSERS: dyn LogParser, check = crate::parsers::check;
    asa, aws_alb, aws_vpc, azure_vnet, caddy_json, cef, cloudflare_json, cloudfront, combined,
    common, ecs_json, envoy, envoy_json, filterlog, fortigate, gcp_vpc, haproxy, iis_w3c,
    ipfix_json, iptables, leef, nginx_json, ocsf_http, ocsf_network, panos_csv, suricata_eve,
    traefik, traefik_json, vhost_combined, zeek_conn, zeek_http, zeek_ssl
}

/// The parser of that name.
pub fn named(name: &str) -> Option<&'static dyn LogParser> {
    PARSERS.iter().copied().find(|parser| parser.name() == name)
}

pub(crate) use draft::dash_is_empty;
pub(crate) use time::{CLF_BYTES, clf, zone_offset};

/// The moment that a text in the form of RFC 3339 names.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    time::rfc3339(text, &Zone::default())
}

#[cfg(test)]
mod tests;

/// Runs a parser over its fixtures: every line of `access.log` as an event or as a code.
#[cfg(test)]
fn check(name: &str, parser: &dyn LogParser) {
    use std::fmt::Write as _;
    assert_eq!(name, parser.name());
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let mut out = String::new();
        for (file, bytes) in &case.files {
            let mut feed = fixture_feed();
            let mut lines = crate::line::Lines::new(bytes);
            for (number, line) in lines.by_ref().enumerate() {
                if parser.is_header(&line) {
                    feed.take_header(&line);
                    continue;
                }
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

/// One site, one proxy, received an hour into 2022.
#[cfg(test)]
pub(crate) fn fixture_feed() -> Feed {
    Feed {
        org: OrgId(1),
        site: Some(SiteId(2)),
        host: "www.example.test".to_owned(),
        trusted_proxies: vec![(IpAddr::from([203, 0, 113, 0]), 24)],
        received: 1_640_998_800,
        ..Feed::default()
    }
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
    let address =
        |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
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
