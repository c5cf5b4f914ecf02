//! Google Cloud VPC flow logs as JSON.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "gcp_vpc", rows: ROWS };

const ROWS: &[Row] = &[
    ("jsonPayload.connection.src_ip", Slot::Source, Must),
    ("jsonPayload.connection.src_port", Slot::SourcePort, May),
    ("jsonPayload.connection.dest_ip", Slot::Destination, Must),
    ("jsonPayload.connection.dest_port", Slot::Port, May),
    ("jsonPayload.connection.protocol", Slot::Protocol, May),
    ("jsonPayload.bytes_sent", Slot::BytesIn, May),
    ("jsonPayload.start_time", Slot::Time, May),
    ("timestamp", Slot::Time, May),
    ("jsonPayload.end_time", Slot::Known, May),
    ("jsonPayload.reporter", Slot::Known, May),
    ("jsonPayload.packets_sent", Slot::Known, May),
];
