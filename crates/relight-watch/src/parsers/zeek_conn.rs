//! Zeek's `conn.log`, in columns or JSON: connections and how they ended.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::ZeekFormat;

pub(super) const PLUGIN: ZeekFormat = ZeekFormat::new("zeek_conn", "#path\tconn", ROWS);

const ROWS: &[Row] = &[
    ("ts", Slot::Time, Must),
    ("uid", Slot::Known, May),
    ("id.orig_h", Slot::Source, Must),
    ("id.orig_p", Slot::SourcePort, May),
    ("id.resp_h", Slot::Destination, Must),
    ("id.resp_p", Slot::Port, May),
    ("conn_state", Slot::Action, Must),
    ("proto", Slot::Protocol, May),
    ("orig_bytes", Slot::BytesIn, May),
    ("resp_bytes", Slot::BytesOut, May),
    ("service", Slot::Known, May),
    ("duration", Slot::Known, May),
    ("history", Slot::Known, May),
];
