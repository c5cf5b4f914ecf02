//! OCSF HTTP Activity (class 4002).

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "ocsf_http", rows: ROWS };

const ROWS: &[Row] = &[
    ("class_uid", Slot::Is("4002"), Must),
    ("time", Slot::Time, Must),
    ("src_endpoint.ip", Slot::Source, Must),
    ("src_endpoint.port", Slot::SourcePort, May),
    ("proxy_endpoint.ip", Slot::Peer, May),
    ("dst_endpoint.ip", Slot::Destination, May),
    ("dst_endpoint.port", Slot::Port, May),
    ("dst_endpoint.hostname", Slot::Host, May),
    ("tls.sni", Slot::Sni, May),
    ("tls.ja3_hash.value", Slot::Ja3, May),
    ("actor.user.name", Slot::User, May),
    ("metadata.version", Slot::Known, May),
    ("metadata.product.name", Slot::Known, May),
    ("http_request.url.hostname", Slot::Host, May),
    ("http_request.url.path", Slot::Path, May),
    ("http_request.url.query_string", Slot::Query, May),
    ("http_request.url.url_string", Slot::Url, May),
    ("http_request.http_method", Slot::Method, May),
    ("http_request.user_agent", Slot::Agent, May),
    ("http_request.referrer", Slot::Referer, May),
    ("http_response.code", Slot::Status, May),
    ("http_response.body_length", Slot::BytesOut, May),
    ("traffic.bytes_out", Slot::BytesOut, May),
    ("traffic.bytes_in", Slot::BytesIn, May),
];
