//! What the public page's templates show. There is no field that could carry a verdict.

use askama::Template;

use crate::{Lang, texts};

/// The first page: one sentence, a bar, the sectors.
#[derive(Template)]
#[template(path = "public_home.html", whitespace = "minimize")]
pub struct PublicHome {
    /// Language of the page.
    pub lang: Lang,
    /// Title and heading.
    pub title: String,
    /// Shows the way back to all sectors.
    pub back: bool,
    /// The same page in the other language.
    pub switch_href: String,
    /// The state in one or two sentences.
    pub sentence: String,
    /// What the bar says.
    pub progress: String,
    /// Share of services online, in thousandths.
    pub lit_permille: usize,
    /// What precaution means, or that nothing is offline.
    pub precaution: &'static str,
    /// Every sector.
    pub sectors: Vec<PublicSector>,
    /// When this was computed, RFC 3339.
    pub updated_at: String,
    /// The same for people.
    pub updated: String,
}

/// One sector on the first page.
#[derive(Clone, Debug)]
pub struct PublicSector {
    /// Its name.
    pub name: String,
    /// Address of its page.
    pub href: String,
    /// Its counts.
    pub text: String,
}

/// The services of one sector.
#[derive(Template)]
#[template(path = "public_sector.html", whitespace = "minimize")]
pub struct PublicSectorPage {
    /// Language of the page.
    pub lang: Lang,
    /// Title and heading: the sector.
    pub title: String,
    /// Shows the way back to all sectors.
    pub back: bool,
    /// The same page in the other language.
    pub switch_href: String,
    /// The state in one or two sentences.
    pub sentence: String,
    /// What the bar says.
    pub progress: String,
    /// Share of services online, in thousandths.
    pub lit_permille: usize,
    /// Every public service of the sector.
    pub services: Vec<PublicService>,
    /// When this was computed, RFC 3339.
    pub updated_at: String,
    /// The same for people.
    pub updated: String,
}

/// One service: its name and what the last proof saw.
#[derive(Clone, Debug)]
pub struct PublicService {
    /// Its name.
    pub name: String,
    /// Not proven dark.
    pub lit: bool,
}
