//! One site's log while it is written: lines in any order, sorted in time at the end.

use std::io::Write as _;
use std::net::IpAddr;

use relight_model::{OrgId, SiteId, Timestamp};

use super::SiteLog;
use crate::civil;

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
    buffer: Vec<u8>,
    lines: Vec<(Timestamp, usize, usize)>,
}

impl SiteWriter {
    pub(super) const fn new(org: OrgId, site: SiteId, host: String) -> Self {
        Self { org, site, host, buffer: Vec::new(), lines: Vec::new() }
    }

    /// Adds one line.
    pub(super) fn write(&mut self, request: &Request<'_>) {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let Request { at, source, method, target, status, bytes, referer, agent } = request;
        let start = self.buffer.len();
        // Half of the servers log in local time, as in Québec in winter.
        let (offset, zone) =
            if self.org.0.is_multiple_of(2) { (0, "+0000") } else { (-18_000, "-0500") };
        let local = at + offset;
        let (year, month, day) = civil::date(local);
        let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
        let second = local.rem_euclid(civil::DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        // Writing to a vector cannot fail.
        let _ = writeln!(
            self.buffer,
            "{source} - - [{day:02}/{}/{year:04}:{hour:02}:{minute:02}:{second:02} {zone}] \
             \"{method} {target} HTTP/1.1\" {status} {bytes} \"{referer}\" \"{agent}\"",
            month.unwrap_or(&"Jan")
        );
        self.lines.push((*at, start, self.buffer.len()));
    }

    /// The log, sorted in time.
    pub(super) fn finish(mut self) -> SiteLog {
        self.lines.sort_unstable();
        let mut bytes = Vec::with_capacity(self.buffer.len());
        for (_, start, end) in self.lines {
            bytes.extend_from_slice(&self.buffer[start..end]);
        }
        SiteLog { org: self.org, site: self.site, host: self.host, bytes }
    }
}
