//! What the public page's templates show. There is no field that could carry a verdict.

use askama::Template;

use crate::views::{Stage, Theme};
use crate::{Lang, texts};

/// What every page has around its content.
#[derive(Clone, Debug)]
pub struct PublicFrame {
    /// Language of the page.
    pub lang: Lang,
    /// Whether it is the real thing.
    pub stage: Stage,
    /// In whose colours.
    pub theme: Theme,
    /// Title and heading.
    pub title: String,
    /// Shows the way back to the first page.
    pub back: bool,
    /// The same page in the other language.
    pub switch_href: String,
    /// The state of all services in one or two sentences.
    pub sentence: String,
    /// When this was computed, RFC 3339.
    pub updated_at: String,
    /// The same for people.
    pub updated: String,
}

/// The first page: one sentence, a bar, the sectors, the history.
#[derive(Template)]
#[template(path = "public_home.html", whitespace = "minimize")]
pub struct PublicHome {
    /// Words that people published: time for machines and people, language, text.
    pub words: Vec<(String, String, &'static str, String)>,
    /// When the next ones are promised, in words; empty for no promise.
    pub next: String,
    /// Around it.
    pub frame: PublicFrame,
    /// What the bar says.
    pub progress: String,
    /// Share of services online, in thousandths.
    pub lit_permille: usize,
    /// What precaution means, or that nothing is offline.
    pub precaution: &'static str,
    /// Every sector.
    pub sectors: Vec<PublicEntry>,
    /// What happened, newest first.
    pub episodes: Vec<PublicEpisode>,
    /// That there is more of it; empty where this is all.
    pub more: String,
    /// Where all of it stands.
    pub more_href: String,
}

/// All that happened in the time that the page goes back.
#[derive(Template)]
#[template(path = "public_history.html", whitespace = "minimize")]
pub struct PublicHistoryPage {
    /// Around it.
    pub frame: PublicFrame,
    /// What happened, newest first.
    pub episodes: Vec<PublicEpisode>,
}

/// One line that leads to another page.
#[derive(Clone, Debug)]
pub struct PublicEntry {
    /// Its name.
    pub name: String,
    /// Address of its page.
    pub href: String,
    /// Its counts.
    pub text: String,
}

/// One episode of the history.
#[derive(Clone, Debug)]
pub struct PublicEpisode {
    /// When it began, RFC 3339.
    pub at: String,
    /// What happened.
    pub sentence: String,
}

/// A list of links: the letters of the alphabet.
#[derive(Template)]
#[template(path = "public_index.html", whitespace = "minimize")]
pub struct PublicIndexPage {
    /// Around it.
    pub frame: PublicFrame,
    /// Where they lead.
    pub entries: Vec<PublicEntry>,
}

/// The services of one sector or letter, a page at a time.
#[derive(Template)]
#[template(path = "public_list.html", whitespace = "minimize")]
pub struct PublicListPage {
    /// Around it.
    pub frame: PublicFrame,
    /// This page's services.
    pub services: Vec<PublicService>,
    /// Which page this is; empty when it is the only one.
    pub page: String,
    /// Address of the page before; empty on the first.
    pub previous: String,
    /// Address of the page after; empty on the last.
    pub next: String,
}

/// One service: its name and what the last proof saw.
#[derive(Clone, Debug)]
pub struct PublicService {
    /// Its name.
    pub name: String,
    /// Not proven dark.
    pub lit: bool,
    /// Since when it is offline; empty while it is online.
    pub since: String,
    /// Address of the certificate of its last outage; empty without one.
    pub certificate: String,
    /// How else it is reached while it is offline, and the language of that where it is another one
    /// than the page's.
    pub channel: Option<(Option<&'static str>, String)>,
}

/// A certificate on paper, in both languages.
#[derive(Template)]
#[template(path = "certificate.html", whitespace = "minimize")]
pub struct CertificatePage {
    /// Language of the title.
    pub lang: Lang,
    /// The same in each language.
    pub blocks: Vec<CertificateBlock>,
    /// Beginning of the outage, RFC 3339.
    pub from_at: String,
    /// Its end, RFC 3339.
    pub to_at: String,
    /// Who says so.
    pub issuer: String,
    /// The public key.
    pub key: String,
    /// Address of the signed form.
    pub json: String,
}

/// A certificate in one language.
#[derive(Clone, Debug)]
pub struct CertificateBlock {
    /// The language.
    pub lang: Lang,
    /// Name of the service.
    pub service: String,
    /// Beginning, for people.
    pub from: String,
    /// End, for people.
    pub to: String,
    /// How long it was.
    pub duration: String,
}
