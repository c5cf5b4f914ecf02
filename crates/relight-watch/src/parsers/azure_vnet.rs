//! Flow logs of Azure virtual networks: one flow tuple a line, as it stands in `flowTuples` of the
//! documents that Azure writes. The guide has the line of `jq` that takes them out.

use relight_model::{Escape, Event};

use super::draft::{Need::May, Need::Must, Row, Slot, action};
use super::shapes::ColumnFormat;
use super::{Feed, LogParser};

pub(super) const PLUGIN: AzureVnet = AzureVnet;

/// See the head of the file.
pub(super) struct AzureVnet;

const COLUMNS: ColumnFormat = ColumnFormat {
    name: "azure_vnet",
    escape: Escape::None,
    head: "#",
    head_separator: ' ',
    separator: ',',
    usual: USUAL,
    rows: ROWS,
};

/// Packets and bytes are counted from the source to the destination first.
const USUAL: &str = "time source destination source-port port protocol direction state encryption \
                     packets bytes packets-back bytes-back";

const ROWS: &[Row] = &[
    ("time", Slot::Time, Must),
    ("source", Slot::Source, Must),
    ("destination", Slot::Destination, Must),
    ("source-port", Slot::SourcePort, May),
    ("port", Slot::Port, May),
    ("protocol", Slot::Protocol, May),
    ("direction", Slot::Known, Must),
    ("state", Slot::Known, Must),
    ("encryption", Slot::Known, May),
    ("packets", Slot::Known, May),
    ("bytes", Slot::BytesIn, May),
    ("packets-back", Slot::Known, May),
    ("bytes-back", Slot::BytesOut, May),
];

impl LogParser for AzureVnet {
    fn name(&self) -> &'static str {
        "azure_vnet"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        // A tuple may be cut out of its document with its quotes.
        let line = line.strip_suffix(',').filter(|it| it.ends_with('"')).unwrap_or(line);
        let line = line.trim_matches('"');
        let mut fields = line.split(',').skip(6);
        let (direction, state) = (fields.next(), fields.next());
        let encryption = fields.next().unwrap_or_default();
        let is_tuple = matches!(direction, Some("I" | "O"))
            && (encryption == "X" || encryption.starts_with("NX"));
        if !is_tuple {
            return Err("format-other");
        }
        // Begun, continuing and ended flows were let through.
        let outcome = match state {
            Some("B" | "C" | "E") => action("allow"),
            Some("D") => action("deny"),
            _ => return Err("format-other"),
        };
        Ok(Event { outcome, ..COLUMNS.event(feed, line)? })
    }
}
