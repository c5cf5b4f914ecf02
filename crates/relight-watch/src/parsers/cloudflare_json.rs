//! Cloudflare's HTTP request logs; times as text, seconds or nanoseconds.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "cloudflare_json", rows: ROWS };

const ROWS: &[Row] = &[
    ("EdgeStartTimestamp", Slot::Time, Must),
    ("EdgeEndTimestamp", Slot::Known, May),
    ("ClientIP", Slot::Source, Must),
    ("ClientSrcPort", Slot::SourcePort, May),
    ("ClientRequestHost", Slot::Host, Must),
    ("ClientRequestMethod", Slot::Method, Must),
    ("ClientRequestURI", Slot::Target, Must),
    ("ClientRequestPath", Slot::Known, May),
    ("ClientRequestUserAgent", Slot::Agent, May),
    ("ClientRequestReferer", Slot::Referer, May),
    ("ClientRequestBytes", Slot::BytesIn, May),
    ("EdgeResponseStatus", Slot::Status, Must),
    ("EdgeResponseBytes", Slot::BytesOut, May),
    ("JA3Hash", Slot::Ja3, May),
    ("JA4", Slot::Ja4, May),
    ("RayID", Slot::Known, May),
];
