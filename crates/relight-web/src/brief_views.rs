//! One incident on one page.

use askama::Template;

use crate::act_views::PublishMore;
use crate::texts;
use crate::views::{Counts, Frame, QueueRow, TodoRow};

/// A line that leads to another page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BriefRow {
    /// Its address.
    pub href: String,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub text: String,
    /// Where it stands.
    pub standing: String,
}

/// `/incident/ID`.
#[derive(Template)]
#[template(path = "brief.html", whitespace = "minimize")]
pub struct BriefPage {
    /// Around it.
    pub frame: Frame,
    /// Its id; empty where there is none.
    pub id: String,
    /// One line about it.
    pub headline: String,
    /// The language of that line, where it is not the page's.
    pub headline_lang: Option<&'static str>,
    /// Since when it is open, or that it is closed.
    pub standing: String,
    /// When the page was made.
    pub as_of: String,
    /// How bad the flaw is; empty where that is not known, or not for this reader.
    pub facts: String,
    /// Its sites by what they are.
    pub counts: Counts,
    /// Its reader reads a part of the register, and it shows that part.
    pub is_part: bool,
    /// What is next.
    pub queue: Vec<QueueRow>,
    /// What needs somebody first.
    pub todo: Vec<TodoRow>,
    /// What was published: when, language, text.
    pub words: Vec<(String, &'static str, String)>,
    /// Its plans.
    pub plans: Vec<BriefRow>,
    /// Every other incident.
    pub others: Vec<BriefRow>,
    /// The reader may publish its report.
    pub reports: bool,
    /// The public page is in English as well.
    pub english: bool,
    /// What goes with a report.
    pub more: PublishMore,
}
