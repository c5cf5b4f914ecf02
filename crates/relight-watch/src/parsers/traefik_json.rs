//! Traefik's access log as JSON.

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::JsonFormat;

pub(super) const PLUGIN: JsonFormat = JsonFormat { name: "traefik_json", rows: ROWS };

const ROWS: &[Row] = &[
    ("ClientHost", Slot::Source, Must),
    ("ClientPort", Slot::SourcePort, May),
    ("ClientAddr", Slot::Peer, May),
    ("ClientUsername", Slot::User, May),
    ("StartUTC", Slot::Time, May),
    ("time", Slot::Time, May),
    ("StartLocal", Slot::Known, May),
    ("RequestHost", Slot::Host, May),
    ("RequestAddr", Slot::Host, May),
    ("RequestPort", Slot::Port, May),
    ("RequestMethod", Slot::Method, Must),
    ("RequestPath", Slot::Target, Must),
    ("RequestContentSize", Slot::BytesIn, May),
    ("DownstreamStatus", Slot::Status, Must),
    ("DownstreamContentSize", Slot::BytesOut, May),
    ("OriginStatus", Slot::Known, May),
    ("request_User-Agent", Slot::Agent, May),
    ("request_Referer", Slot::Referer, May),
    ("request_X-Forwarded-For", Slot::Forwarded, May),
    ("Duration", Slot::Known, May),
    ("level", Slot::Known, May),
    ("msg", Slot::Known, May),
];
