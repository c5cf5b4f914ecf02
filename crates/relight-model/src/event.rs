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
}

/// One request as a log tells it. Absent fields are empty.
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
    /// How the fields above are escaped.
    pub escape: Escape,
}
