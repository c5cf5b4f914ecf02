//! Flow records as collectors write them to JSON, with the names of IANA or of goflow2.

use super::draft::{Need::May, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "ipfix_json", rows: ROWS };

const ROWS: &[Row] = &[
    ("sourceIPv4Address", Slot::Source, May),
    ("sourceIPv6Address", Slot::Source, May),
    ("src_addr", Slot::Source, May),
    ("destinationIPv4Address", Slot::Destination, May),
    ("destinationIPv6Address", Slot::Destination, May),
    ("dst_addr", Slot::Destination, May),
    ("sourceTransportPort", Slot::SourcePort, May),
    ("src_port", Slot::SourcePort, May),
    ("destinationTransportPort", Slot::Port, May),
    ("dst_port", Slot::Port, May),
    ("protocolIdentifier", Slot::Protocol, May),
    ("proto", Slot::Protocol, May),
    ("octetDeltaCount", Slot::BytesIn, May),
    ("bytes", Slot::BytesIn, May),
    ("flowStartMilliseconds", Slot::Time, May),
    ("flowStartSeconds", Slot::Time, May),
    ("time_flow_start_ns", Slot::Time, May),
    ("time_received_ns", Slot::Time, May),
    ("type", Slot::OneOf(&["IPFIX", "NETFLOW_V9", "NETFLOW_V5", "SFLOW_5"]), May),
    ("packetDeltaCount", Slot::Known, May),
    ("packets", Slot::Known, May),
    ("sampling_rate", Slot::Known, May),
    ("action", Slot::Action, May),
];
