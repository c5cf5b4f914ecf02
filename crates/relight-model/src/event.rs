//! An event: one line of a log, with its fields still in the log's own escaping.

use std::net::IpAddr;

use crate::{OrgId, SiteId, Timestamp};

/// How the product that wrote the line escapes bytes inside fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Not at all.
    None,
    /// Apache httpd: `\"`, `\\`, `\xhh`.
    Apache,
    /// nginx: `\xHH` for quote, backslash, control and 8-bit bytes.
    Nginx,
    /// Inside a JSON string (RFC 8259); `\xHH` too, which some products write there.
    Json,
    /// Percent-encoded once more than the request was.
    Percent,
    /// HAProxy: `#HH`.
    Hash,
}

/// What became of a request or a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The line does not tell.
    #[default]
    Unknown,
    /// Answered.
    Served,
    /// Nothing there.
    NotFound,
    /// Refused by the service or by a rule.
    Refused,
    /// The service failed.
    Failed,
    /// Dropped, or never answered.
    Dropped,
}

impl Outcome {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Served => "served",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// What a status of HTTP says.
    pub const fn of_status(status: u16) -> Self {
        match status {
            100..=399 => Self::Served,
            404 | 410 => Self::NotFound,
            400..=499 => Self::Refused,
            500..=599 => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// One request or connection as a log tells it. Absent fields are empty or 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// When the request was made.
    pub at: Timestamp,
    /// Whose log it is.
    pub org: OrgId,
    /// The site that was asked, where host or feed tell.
    pub site: Option<SiteId>,
    /// Who asked.
    pub source: IpAddr,
    /// Host that was asked, when the format carries it.
    pub host: &'a str,
    /// The host that was asked is an address, or none of the sites whose log this is.
    pub stray: bool,
    /// Request method.
    pub method: &'a str,
    /// Path without query.
    pub path: &'a str,
    /// Query without `?`.
    pub query: &'a str,
    /// Status code; 0 when the line has none.
    pub status: u16,
    /// Bytes of the answer.
    pub bytes_out: u64,
    /// `Referer`.
    pub referer: &'a str,
    /// `User-Agent`.
    pub user_agent: &'a str,
    /// Authenticated user.
    pub user: &'a str,
    /// Captured headers and whatever else of the request the line carries, as one text.
    pub headers: &'a str,
    /// Who connected, when `source` was taken from a header of a trusted proxy.
    pub peer: Option<IpAddr>,
    /// Address that was asked, where the format carries it.
    pub destination: Option<IpAddr>,
    /// Port of the source.
    pub source_port: u16,
    /// Port that was asked.
    pub port: u16,
    /// Protocol number of IP.
    pub protocol: u8,
    /// Bytes of the request.
    pub bytes_in: u64,
    /// Name in the TLS handshake.
    pub sni: &'a str,
    /// JA3 digest of the TLS client.
    pub ja3: &'a str,
    /// JA4 fingerprint of the TLS client.
    pub ja4: &'a str,
    /// What became of it.
    pub outcome: Outcome,
    /// Fields of the line that have no place here.
    pub unknown: u32,
    /// How the fields above are escaped.
    pub escape: Escape,
}

impl Event<'_> {
    /// An event of which nothing else is known.
    pub const fn bare(org: OrgId, at: Timestamp, source: IpAddr) -> Self {
        Self {
            at,
            org,
            site: None,
            source,
            host: "",
            stray: false,
            method: "",
            path: "",
            query: "",
            status: 0,
            bytes_out: 0,
            referer: "",
            user_agent: "",
            user: "",
            headers: "",
            peer: None,
            destination: None,
            source_port: 0,
            port: 0,
            protocol: 0,
            bytes_in: 0,
            sni: "",
            ja3: "",
            ja4: "",
            outcome: Outcome::Unknown,
            unknown: 0,
            escape: Escape::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_what_they_say() {
        for (status, outcome) in [
            (0, Outcome::Unknown),
            (101, Outcome::Served),
            (304, Outcome::Served),
            (403, Outcome::Refused),
            (404, Outcome::NotFound),
            (410, Outcome::NotFound),
            (429, Outcome::Refused),
            (503, Outcome::Failed),
            (999, Outcome::Unknown),
        ] {
            assert_eq!(Outcome::of_status(status), outcome, "{status}");
        }
    }
}
