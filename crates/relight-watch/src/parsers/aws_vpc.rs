//! AWS VPC flow logs: columns, the usual ones or those that a header line names.

use relight_model::{Escape, Event};

use super::draft::{Need::May, Need::Must, Row, Slot};
use super::shapes::ColumnFormat;
use super::{Feed, LogParser};

pub(super) const PLUGIN: AwsVpc = AwsVpc;

/// See the head of the file. `NODATA` and `SKIPDATA` say that nothing was seen or recorded; they
/// are no events.
pub(super) struct AwsVpc;

const COLUMNS: ColumnFormat = ColumnFormat {
    name: "aws_vpc",
    escape: Escape::None,
    head: "version ",
    head_separator: ' ',
    separator: ' ',
    usual: USUAL,
    rows: ROWS,
};

const USUAL: &str = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
                     bytes start end action log-status";

const ROWS: &[Row] = &[
    ("srcaddr", Slot::Source, Must),
    ("dstaddr", Slot::Destination, Must),
    ("srcport", Slot::SourcePort, May),
    ("dstport", Slot::Port, May),
    ("protocol", Slot::Protocol, May),
    ("bytes", Slot::BytesIn, May),
    ("start", Slot::Time, Must),
    ("end", Slot::Known, May),
    ("action", Slot::Action, Must),
    ("packets", Slot::Known, May),
    ("account-id", Slot::Known, May),
    ("interface-id", Slot::Known, May),
    ("log-status", Slot::Known, May),
];

impl LogParser for AwsVpc {
    fn name(&self) -> &'static str {
        "aws_vpc"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        if self.is_header(line) {
            return Err("header-line");
        }
        let (version, rest) = line.split_once(' ').ok_or("line-short")?;
        if !matches!(version, "2" | "3" | "4" | "5" | "6" | "7" | "8") {
            return Err("format-other");
        }
        if rest.ends_with(" NODATA") || rest.ends_with(" SKIPDATA") {
            return Err("no-data");
        }
        COLUMNS.event(feed, rest)
    }

    fn is_header(&self, line: &str) -> bool {
        line.starts_with("version ") && line.contains(" srcaddr ")
    }
}
