//! One site's log while it is written: lines in any order, sorted in time at the end.

use std::net::IpAddr;

use relight_model::{OrgId, SiteId, Timestamp};

use super::SiteLog;
use super::formats::Product;

/// One request and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) at: Timestamp,
    pub(super) source: IpAddr,
    pub(super) method: &'static str,
    /// Path and query, as they stand in the log.
    pub(super) target: &'a str,
    pub(super) status: u16,
    pub(super) bytes: u32,
    /// `-` for none.
    pub(super) referer: &'a str,
    pub(super) agent: &'a str,
}

/// See the head of the file. All lines are in one buffer: no allocation for each.
#[derive(Debug)]
pub(super) struct SiteWriter {
    pub(super) org: OrgId,
    pub(super) site: SiteId,
    pub(super) host: String,
    product: Product,
    buffer: Vec<u8>,
    lines: Vec<(Timestamp, usize, usize)>,
}

impl SiteWriter {
    pub(super) const fn new(org: OrgId, site: SiteId, host: String, product: Product) -> Self {
        Self { org, site, host, product, buffer: Vec::new(), lines: Vec::new() }
    }

    /// Adds one line.
    pub(super) fn write(&mut self, request: &Request<'_>) {
        let start = self.buffer.len();
        // Half of the servers log in local time, as in Québec in winter.
        let east = !self.org.0.is_multiple_of(2);
        let line = self.product.line(&self.host, east, request);
        self.buffer.extend_from_slice(line.as_bytes());
        self.lines.push((request.at, start, self.buffer.len()));
    }

    /// The log, sorted in time.
    pub(super) fn finish(mut self) -> SiteLog {
        self.lines.sort_unstable();
        let mut bytes = self.product.header().as_bytes().to_vec();
        bytes.reserve(self.buffer.len());
        for (_, start, end) in self.lines {
            bytes.extend_from_slice(&self.buffer[start..end]);
        }
        let format = self.product.parser();
        SiteLog { org: self.org, site: self.site, host: self.host, format, bytes }
    }
}
