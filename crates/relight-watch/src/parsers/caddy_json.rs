//! Caddy's access log: header values are arrays, the time is a float.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "caddy_json", rows: ROWS };

const ROWS: &[Row] = &[
    ("logger", Slot::Known, May),
    ("level", Slot::Known, May),
    ("msg", Slot::Is("handled request"), Must),
    ("ts", Slot::Time, Must),
    ("request.client_ip", Slot::Source, May),
    ("request.remote_ip", Slot::Peer, Must),
    ("request.remote_port", Slot::SourcePort, May),
    ("request.proto", Slot::Known, May),
    ("request.method", Slot::Method, Must),
    ("request.host", Slot::Host, Must),
    ("request.uri", Slot::Target, Must),
    ("request.headers.User-Agent", Slot::Agent, May),
    ("request.headers.Referer", Slot::Referer, May),
    ("request.headers.X-Forwarded-For", Slot::Forwarded, May),
    ("request.tls.server_name", Slot::Sni, May),
    ("user_id", Slot::User, May),
    ("bytes_read", Slot::BytesIn, May),
    ("size", Slot::BytesOut, May),
    ("status", Slot::Status, Must),
    ("duration", Slot::Known, May),
];
