//! IIS in the W3C extended format: columns named by `#Fields:`, a blank written as `+`.

use relight_model::Escape;

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::ColumnFormat;

pub(super) const PLUGIN: ColumnFormat = ColumnFormat {
    name: "iis_w3c",
    escape: Escape::None,
    head: "#Fields: ",
    head_separator: ' ',
    separator: ' ',
    usual: "",
    rows: ROWS,
};

const ROWS: &[Row] = &[
    ("date", Slot::Date, Must),
    ("time", Slot::Clock, Must),
    ("c-ip", Slot::Peer, Must),
    ("c-port", Slot::SourcePort, May),
    ("s-ip", Slot::Destination, May),
    ("s-port", Slot::Port, May),
    ("cs-method", Slot::Method, Must),
    ("cs-uri-stem", Slot::Path, Must),
    ("cs-uri-query", Slot::Query, May),
    ("cs-host", Slot::Host, May),
    ("cs-username", Slot::User, May),
    ("cs(User-Agent)", Slot::Agent, May),
    ("cs(Referer)", Slot::Referer, May),
    ("cs(Cookie)", Slot::Headers, May),
    ("sc-status", Slot::Status, Must),
    ("sc-substatus", Slot::Known, May),
    ("sc-win32-status", Slot::Known, May),
    ("sc-bytes", Slot::BytesOut, May),
    ("cs-bytes", Slot::BytesIn, May),
    ("time-taken", Slot::Known, May),
    ("cs-version", Slot::Known, May),
    ("s-computername", Slot::Known, May),
    ("s-sitename", Slot::Known, May),
    ("X-Forwarded-For", Slot::Forwarded, May),
];
