//! CloudFront's standard log: tabs, `#Fields:`, and values percent-encoded once more than the
//! request was.

use relight_model::Escape;

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::ColumnFormat;

pub(super) const PLUGIN: ColumnFormat = ColumnFormat {
    name: "cloudfront",
    escape: Escape::Percent,
    head: "#Fields: ",
    head_separator: ' ',
    separator: '\t',
    usual: "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
            cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type \
            x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for \
            ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status \
            fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type \
            sc-content-type sc-content-len sc-range-start sc-range-end",
    rows: ROWS,
};

const ROWS: &[Row] = &[
    ("date", Slot::Date, Must),
    ("time", Slot::Clock, Must),
    ("c-ip", Slot::Peer, Must),
    ("c-port", Slot::SourcePort, May),
    ("x-host-header", Slot::Host, May),
    ("cs(Host)", Slot::Known, Must),
    ("cs-method", Slot::Method, Must),
    ("cs-uri-stem", Slot::Path, Must),
    ("cs-uri-query", Slot::Query, May),
    ("sc-status", Slot::Status, Must),
    ("cs(Referer)", Slot::Referer, May),
    ("cs(User-Agent)", Slot::Agent, May),
    ("cs(Cookie)", Slot::Headers, May),
    ("sc-bytes", Slot::BytesOut, May),
    ("cs-bytes", Slot::BytesIn, May),
    ("x-forwarded-for", Slot::Forwarded, May),
    ("x-edge-location", Slot::Known, May),
];
