//! What the page of the edges shows: strings and numbers only, filled in by the server.

use askama::Template;

use crate::register_views::Link;
use crate::texts;
use crate::views::Frame;

/// The edges of the register, those in trouble first.
#[derive(Template)]
#[template(path = "edges.html", whitespace = "minimize")]
pub struct EdgesPage {
    /// Around it.
    pub frame: Frame,
    /// How many there are.
    pub count: String,
    /// Sites that no edge of the register can close; empty for none.
    pub without: String,
    /// The edges.
    pub rows: Vec<EdgeRow>,
    /// How many more there are; empty for none.
    pub more: String,
}

/// One edge: what it was told, what it shows, and whether it can be relied on.
#[derive(Clone, Debug)]
pub struct EdgeRow {
    /// Its name.
    pub name: String,
    /// What drives it (`nginx`).
    pub kind: String,
    /// Where visitors reach it.
    pub listeners: String,
    /// How many sites it serves.
    pub sites: String,
    /// How many of them are wanted dark.
    pub wanted: String,
    /// `yes` where it agrees, `no` where it needs somebody, empty where nothing is wanted.
    pub sign: &'static str,
    /// The same in a word.
    pub state: &'static str,
    /// Why, and since when; empty while nothing is wrong.
    pub why: String,
    /// Sites that are not as they are wanted, the first of them.
    pub differs: Vec<Link>,
    /// How many more of these there are; empty for none.
    pub more: String,
    /// What closes what this edge does not: as `sign`, `state` and `why`.
    pub barrier: (&'static str, String, String),
    /// When one of its sites was last seen to go dark or to come back.
    pub turned: String,
    /// When it last passed a drill as what it is now.
    pub drilled: String,
}
