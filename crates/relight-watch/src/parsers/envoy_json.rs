//! Envoy's access log as JSON, with the names of its own example and of Istio.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "envoy_json", rows: ROWS };

const ROWS: &[Row] = &[
    ("start_time", Slot::Time, Must),
    ("downstream_remote_address", Slot::Source, May),
    ("downstream_direct_remote_address", Slot::Peer, May),
    ("x_forwarded_for", Slot::Forwarded, May),
    ("downstream_local_address", Slot::Destination, May),
    ("authority", Slot::Host, May),
    ("requested_server_name", Slot::Sni, May),
    ("method", Slot::Method, Must),
    ("path", Slot::Target, Must),
    ("response_code", Slot::Status, Must),
    ("response_flags", Slot::Known, Must),
    ("bytes_received", Slot::BytesIn, May),
    ("bytes_sent", Slot::BytesOut, May),
    ("user_agent", Slot::Agent, May),
    ("protocol", Slot::Known, May),
    ("duration", Slot::Known, May),
    ("request_id", Slot::Known, May),
];
