//! What the pages about the posture show: three measures of each site, ten actions of each body.

use askama::Template;

use crate::texts;
use crate::views::{Choice, Frame};

/// One measure as a cell: a word with a shape, since when, and why.
#[derive(Clone, Debug, Default)]
pub struct MeasureCell {
    /// `yes`, `no` or `unknown`: its shape and colour.
    pub code: &'static str,
    /// Its word.
    pub word: &'static str,
    /// As of when; empty when nobody looked.
    pub at: String,
    /// Evidence or reasons, in words.
    pub why: Vec<String>,
}

/// One measure over many sites.
#[derive(Clone, Debug)]
pub struct MeasureTotal {
    /// Its name.
    pub name: &'static str,
    /// `12 yes, 3 no, 1 unknown`.
    pub text: String,
    /// Share of yes, in thousandths.
    pub yes_permille: usize,
    /// Share of no, in thousandths.
    pub no_permille: usize,
}

/// One body in the table of all.
#[derive(Clone, Debug)]
pub struct BodyRow {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// Patches, logs, factors: `3 of 5`.
    pub measures: [String; 3],
    /// Actions in place: `4 of 10`.
    pub actions: String,
}

/// Every body that the reader may see.
#[derive(Template)]
#[template(path = "posture.html", whitespace = "minimize")]
pub struct PosturePage {
    /// Around it.
    pub frame: Frame,
    /// How many bodies fit.
    pub count: String,
    /// The three measures over all sites that the reader may see.
    pub totals: Vec<MeasureTotal>,
    /// Words that are looked for in names.
    pub words: String,
    /// This page's bodies.
    pub bodies: Vec<BodyRow>,
    /// Which page this is.
    pub page: String,
    /// Address of the page before; empty on the first.
    pub previous: String,
    /// Address of the page after; empty on the last.
    pub next: String,
}

/// One site in the table of its body.
#[derive(Clone, Debug)]
pub struct SiteMeasuresRow {
    /// Short name.
    pub slug: String,
    /// Its page.
    pub href: String,
    /// Patches, logs, factors.
    pub measures: [MeasureCell; 3],
}

/// One of the ten actions.
#[derive(Clone, Debug)]
pub struct ActionRow {
    /// What it asks for.
    pub name: &'static str,
    /// What was attested.
    pub cell: MeasureCell,
}

/// A form in which somebody attests something.
#[derive(Clone, Debug)]
pub struct AttestForm {
    /// The body, or one of its sites.
    pub subjects: Vec<Choice>,
    /// What can be attested.
    pub measures: Vec<Choice>,
    /// For how many days it holds when nobody says otherwise.
    pub days: i64,
    /// The most.
    pub days_max: i64,
    /// Longest evidence, in bytes.
    pub evidence_max: usize,
}

/// One body: its sites and its ten actions.
#[derive(Template)]
#[template(path = "posture_body.html", whitespace = "minimize")]
pub struct BodyPage {
    /// Around it.
    pub frame: Frame,
    /// Its name.
    pub name: String,
    /// Why the form was refused; empty when it was not.
    pub problem: String,
    /// What to do about that.
    pub remedy: &'static str,
    /// A form was just taken.
    pub done: bool,
    /// The three measures over its sites.
    pub totals: Vec<MeasureTotal>,
    /// The ten actions, in their order.
    pub actions: Vec<ActionRow>,
    /// This page's sites.
    pub sites: Vec<SiteMeasuresRow>,
    /// What this reader may attest; nothing when he may not.
    pub form: Option<AttestForm>,
    /// Which page this is.
    pub page: String,
    /// Address of the page before; empty on the first.
    pub previous: String,
    /// Address of the page after; empty on the last.
    pub next: String,
}
