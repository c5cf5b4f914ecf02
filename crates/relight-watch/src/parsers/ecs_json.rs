//! Web events in the Elastic Common Schema, nested or with dots in the names.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "ecs_json", rows: ROWS };

const ROWS: &[Row] = &[
    ("@timestamp", Slot::Time, Must),
    ("client.ip", Slot::Source, May),
    ("client.port", Slot::SourcePort, May),
    ("source.ip", Slot::Peer, Must),
    ("source.port", Slot::SourcePort, May),
    ("destination.ip", Slot::Destination, May),
    ("destination.port", Slot::Port, May),
    ("url.domain", Slot::Host, May),
    ("url.path", Slot::Path, May),
    ("url.query", Slot::Query, May),
    ("url.original", Slot::Url, May),
    ("http.request.method", Slot::Method, May),
    ("http.response.status_code", Slot::Status, May),
    ("http.response.bytes", Slot::BytesOut, May),
    ("http.response.body.bytes", Slot::BytesOut, May),
    ("http.request.bytes", Slot::BytesIn, May),
    ("user_agent.original", Slot::Agent, May),
    ("http.request.referrer", Slot::Referer, May),
    ("user.name", Slot::User, May),
    ("tls.client.server_name", Slot::Sni, May),
    ("tls.client.ja3", Slot::Ja3, May),
    ("network.transport", Slot::Protocol, May),
    ("event.action", Slot::Action, May),
    ("ecs.version", Slot::Known, May),
];
