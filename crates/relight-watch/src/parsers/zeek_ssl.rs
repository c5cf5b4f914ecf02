//! Zeek's `ssl.log`, in columns or JSON: handshakes and their fingerprints.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::ZeekFormat;

pub(super) const PLUGIN: ZeekFormat = ZeekFormat::new("zeek_ssl", "#path\tssl", ROWS);

const ROWS: &[Row] = &[
    ("ts", Slot::Time, Must),
    ("uid", Slot::Known, May),
    ("id.orig_h", Slot::Source, Must),
    ("id.orig_p", Slot::SourcePort, May),
    ("id.resp_h", Slot::Destination, Must),
    ("id.resp_p", Slot::Port, May),
    ("server_name", Slot::Sni, May),
    ("version", Slot::Known, May),
    ("cipher", Slot::Known, May),
    ("resumed", Slot::Known, Must),
    ("established", Slot::Known, May),
    ("ja3", Slot::Ja3, May),
    ("ja4", Slot::Ja4, May),
];
