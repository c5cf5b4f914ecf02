//! Zeek's `http.log`, in columns or JSON.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::ZeekFormat;

pub(super) const PLUGIN: ZeekFormat = ZeekFormat::new("zeek_http", "#path\thttp", ROWS);

const ROWS: &[Row] = &[
    ("ts", Slot::Time, Must),
    ("uid", Slot::Known, May),
    ("id.orig_h", Slot::Source, Must),
    ("id.orig_p", Slot::SourcePort, May),
    ("id.resp_h", Slot::Destination, Must),
    ("id.resp_p", Slot::Port, May),
    ("method", Slot::Method, May),
    ("host", Slot::Host, May),
    ("uri", Slot::Target, May),
    ("trans_depth", Slot::Known, Must),
    ("referrer", Slot::Referer, May),
    ("user_agent", Slot::Agent, May),
    ("username", Slot::User, May),
    ("status_code", Slot::Status, May),
    ("request_body_len", Slot::BytesIn, May),
    ("response_body_len", Slot::BytesOut, May),
    ("proxied", Slot::Headers, May),
];
