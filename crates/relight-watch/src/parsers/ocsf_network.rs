//! OCSF Network Activity (class 4001).

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "ocsf_network", rows: ROWS };

const ROWS: &[Row] = &[
    ("class_uid", Slot::Is("4001"), Must),
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
    ("connection_info.protocol_num", Slot::Protocol, May),
    ("connection_info.protocol_name", Slot::Protocol, May),
    ("disposition", Slot::Action, May),
    ("action", Slot::Action, May),
    ("traffic.bytes_out", Slot::BytesOut, May),
    ("traffic.bytes_in", Slot::BytesIn, May),
];
