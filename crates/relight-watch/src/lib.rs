//! Who has been trying the doors: from a log line to a campaign that a person can read.
//!
//! Pure: no I/O and no clock. Lines become events ([`parsers`]), events become contacts in
//! mergeable windows ([`Window`]), the windows of all organisations together are judged
//! ([`judge`]), and detections that belong together become campaigns ([`campaigns`]).

mod block;
mod campaign;
pub mod catalogue;
mod chance;
mod civil;
mod contact;
mod daybook;
pub mod decode;
pub mod detectors;
mod error;
mod flow_datagram;
mod heat;
mod hunt;
mod journal;
mod known;
pub mod line;
mod list;
pub mod lookup;
mod marks;
pub mod parsers;
mod path_class;
mod pool;
mod prefilter;
mod reader;
mod recognise;
#[doc(hidden)]
pub mod scale;
mod severity;
mod shared;
mod signs;
pub mod sim;
mod simd;
mod traversal;
mod window;
mod window_bytes;
mod window_fold;
mod zone;

pub use block::{harmless_lines, may_hold_attempt};
pub use campaign::{
    CAMPAIGN_MARKS_MAX, Change, Explanation, SINGLE_CONTACTS_MAX, SINGLES_MAX, campaigns, explain,
    gather,
};
pub use contact::Class;
pub use daybook::{DAYBOOK_ROWS_MAX, DayFacts, DayKey, Daybook, FIELDS, fields_of};
pub use decode::{Attempt, Callback, attempt, attempt_in_line, decode_line, plain};
pub use detectors::{Dossier, Found, LogDay, Places, QUIET_EVENTS_A_DAY, Silence, judge, silence};
pub use error::WatchError;
pub use flow_datagram::{EXPORTERS_MAX, FlowDecoder, FlowTally, PENDING_BYTES_MAX, TEMPLATES_MAX};
pub use heat::{Heat, Spot, heat, monday_of, week_of};
pub use hunt::{Answered, Erased, Hit, LOOKUP_DOOR, LOOKUP_FLAWS, Prey, answered, doors_of, hunt};
pub use known::{Claims, KNOWN_MAX, KnownScanners, Meaning, Reason, Scope, canonical_network};
pub use parsers::{Feed, PARSERS};
pub use pool::{Pool, PoolStats, Print, ROWS_MAX, SOURCE_ROWS_MAX, SourceKey};
pub use reader::{
    FormatChange, LATE_S, Memory, RECOGNISED_LINES_MIN, Reader, ReaderMark, Reading, SKEW_MAX_S,
    Taken, Tally, Together,
};
pub use recognise::{REMEMBERED_MAX, Remembered, recognise};
pub use severity::{Known, SIGN_FOLLOWS_S_MAX};
pub use shared::{KEY_BYTES, Sharing, quarter};
pub use signs::{Outbound, SIGNS_MAX, read_outbound, read_signs};
pub use window::{
    CONTACTS_MAX, Home, PRINTS_MAX, SEGMENTS_MAX, VISIT_CONTACTS_MAX, Window, WindowStats,
};
pub use zone::{AHEAD_S_MAX, Zone};
