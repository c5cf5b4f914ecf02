//! nginx with a `log_format` of JSON: the names that its documentation and common set-ups use.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "nginx_json", rows: ROWS };

const ROWS: &[Row] = &[
    ("time_iso8601", Slot::Time, May),
    ("time_local", Slot::Time, May),
    ("time", Slot::Time, May),
    ("msec", Slot::Time, May),
    ("remote_addr", Slot::Peer, May),
    ("remote_ip", Slot::Peer, May),
    ("remote_port", Slot::SourcePort, May),
    ("http_x_forwarded_for", Slot::Forwarded, May),
    ("host", Slot::Host, May),
    ("http_host", Slot::Host, May),
    ("server_name", Slot::Known, May),
    ("server_port", Slot::Port, May),
    ("remote_user", Slot::User, May),
    ("request", Slot::Request, Must),
    ("request_method", Slot::Method, May),
    ("request_uri", Slot::Target, May),
    ("uri", Slot::Path, May),
    ("args", Slot::Query, May),
    ("status", Slot::Status, May),
    ("response", Slot::Status, May),
    ("body_bytes_sent", Slot::BytesOut, May),
    ("bytes_sent", Slot::BytesOut, May),
    ("bytes", Slot::BytesOut, May),
    ("request_length", Slot::BytesIn, May),
    ("http_referrer", Slot::Referer, May),
    ("http_referer", Slot::Referer, May),
    ("referrer", Slot::Referer, May),
    ("http_user_agent", Slot::Agent, May),
    ("agent", Slot::Agent, May),
    ("request_time", Slot::Known, May),
    ("ssl_server_name", Slot::Sni, May),
];
