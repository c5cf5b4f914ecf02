//! What the chart of an incident shows: strings and numbers only, filled in by the server.

/// How many sites were dark over time, drawn in a box of 440 by 150.
#[derive(Clone, Debug, Default)]
pub struct BurnDown {
    /// Pace and projection; empty when too little is known.
    pub pace: String,
    /// What the chart shows, in one sentence.
    pub sentence: String,
    /// Path of the line.
    pub line: String,
    /// Path of the area below it.
    pub area: String,
    /// Path of the projection.
    pub ahead: String,
    /// Path of its band.
    pub band: String,
    /// Path of the pace at which a real town came back, beside the one that is played.
    pub then: String,
    /// Height and text of each horizontal line.
    pub rows: Vec<(f64, String)>,
    /// Place and text of each time below.
    pub columns: Vec<(f64, String)>,
    /// Time (RFC 3339, and as its reader writes it) and count, for those who want numbers.
    pub numbers: Vec<(String, String, String)>,
    /// What happened on the way, by its numbers in the chart.
    pub events: Vec<BurnEvent>,
}

/// One thing that happened while sites were dark.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnEvent {
    /// Where its number stands.
    pub x: f64,
    /// See `x`.
    pub y: f64,
    /// Its number, from 1.
    pub number: usize,
    /// When, RFC 3339.
    pub at: String,
    /// The same as its reader writes it.
    pub when: String,
    /// What it was.
    pub text: String,
}
