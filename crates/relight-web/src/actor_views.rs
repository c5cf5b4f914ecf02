//! What the page of the actors shows: strings and numbers only, filled in by the server.

use askama::Template;

use crate::register_views::Link;
use crate::texts;
use crate::views::{Choice, Frame};

/// Whom the campaigns are made of, a page at a time.
#[derive(Template)]
#[template(path = "actors.html", whitespace = "minimize")]
pub struct ActorsPage {
    /// Around it.
    pub frame: Frame,
    /// How many fit.
    pub count: String,
    /// What was left out of the judgement; empty otherwise.
    pub problem: String,
    /// What is looked for in addresses, fingerprints and campaigns.
    pub words: String,
    /// Sectors to choose from.
    pub sectors: Vec<Choice>,
    /// How bad, to choose from.
    pub severities: Vec<Choice>,
    /// First and last day; empty for all.
    pub days: (String, String),
    /// This page's rows.
    pub rows: Vec<ActorRow>,
    /// Which page this is.
    pub page: String,
    /// Address of the page before; empty on the first.
    pub previous: String,
    /// Address of the page after; empty on the last.
    pub next: String,
}

/// One address, or addresses that behave alike.
#[derive(Clone, Debug)]
pub struct ActorRow {
    /// The first of them.
    pub sources: Vec<String>,
    /// How many more there are; empty for none.
    pub more: String,
    /// What they share; empty for one.
    pub shared: String,
    /// Who it is, when the operator's list knows.
    pub known: String,
    /// Its campaign.
    pub campaign: Link,
    /// How bad that is.
    pub severity: &'static str,
    /// Where it knocked.
    pub sectors: String,
    /// At how many organisations.
    pub organisations: String,
    /// At how many sites.
    pub sites: String,
    /// How often.
    pub contacts: String,
    /// Day of the first contact.
    pub first: String,
    /// Day of the last contact.
    pub last: String,
}
