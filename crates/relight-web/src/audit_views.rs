//! What the page about the journal shows: its newest records, and whether its chain holds.

use askama::Template;

use crate::texts;
use crate::views::Frame;

/// One record.
#[derive(Clone, Debug)]
pub struct RecordRow {
    /// Its number.
    pub seq: u64,
    /// When, RFC 3339.
    pub at: String,
    /// The same as its reader writes it.
    pub when: String,
    /// Who.
    pub actor: String,
    /// What kind of record it is.
    pub kind: String,
    /// The incident it belongs to; empty for none.
    pub incident: String,
    /// What it says, in words; empty where there are none.
    pub sentence: String,
    /// What it says, as it was written; cut where it is long.
    pub body: String,
}

/// The journal, newest first.
#[derive(Template)]
#[template(path = "audit.html", whitespace = "minimize")]
pub struct AuditPage {
    /// Around it.
    pub frame: Frame,
    /// How many records there are.
    pub count: String,
    /// Address that verifies the chain.
    pub verify: String,
    /// The chain holds; empty when nobody asked, or when it does not.
    pub intact: String,
    /// Where it does not; empty when it does.
    pub problem: String,
    /// What to do about that.
    pub remedy: &'static str,
    /// This page's records.
    pub rows: Vec<RecordRow>,
    /// Address of the records before these; empty when there are none.
    pub older: String,
    /// Address of the records after these; empty when there are none.
    pub newer: String,
}
