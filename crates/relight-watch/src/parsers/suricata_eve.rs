//! Suricata's EVE: requests, handshakes, flows, names and alerts.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "suricata_eve", rows: ROWS };

const ROWS: &[Row] = &[
    ("timestamp", Slot::Time, Must),
    (
        "event_type",
        Slot::OneOf(&[
            "http", "tls", "flow", "alert", "dns", "fileinfo", "anomaly", "drop", "ssh", "smb",
            "quic",
        ]),
        Must,
    ),
    ("src_ip", Slot::Source, Must),
    ("src_port", Slot::SourcePort, May),
    ("dest_ip", Slot::Destination, Must),
    ("dest_port", Slot::Port, May),
    ("proto", Slot::Protocol, May),
    ("http.hostname", Slot::Host, May),
    ("http.url", Slot::Url, May),
    ("http.http_method", Slot::Method, May),
    ("http.http_user_agent", Slot::Agent, May),
    ("http.http_refer", Slot::Referer, May),
    ("http.status", Slot::Status, May),
    ("http.length", Slot::BytesOut, May),
    ("tls.sni", Slot::Sni, May),
    ("tls.ja3.hash", Slot::Ja3, May),
    ("tls.ja4", Slot::Ja4, May),
    ("flow.bytes_toserver", Slot::BytesIn, May),
    ("flow.bytes_toclient", Slot::BytesOut, May),
    ("alert.action", Slot::Action, May),
    ("flow_id", Slot::Known, May),
];
