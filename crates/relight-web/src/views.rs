//! What the console's templates show: strings and numbers only, filled in by the server.

use askama::Template;

use crate::act_views::PublishMore;
use crate::burn_views::BurnDown;
use crate::look::Look;
use crate::{Lang, texts};

/// Whether what a page shows is the real thing. Whatever it is not stands around every page, in
/// words and stripes, so that nobody takes a rehearsal for an incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// It is.
    #[default]
    Real,
    /// A drill.
    Drill,
    /// A fictional province.
    Demo,
}

impl Stage {
    /// Its word, in capitals on every page; empty for the real thing.
    pub const fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Real => "",
            Self::Drill => texts::stage_drill(lang),
            Self::Demo => texts::stage_demo(lang),
        }
    }

    /// What that means; empty for the real thing.
    pub const fn note(self, lang: Lang) -> &'static str {
        match self {
            Self::Real => "",
            Self::Drill => texts::stage_drill_note(lang),
            Self::Demo => texts::stage_demo_note(lang),
        }
    }

    /// A title for where no stripes are seen: what is not the real thing says so in it.
    pub fn marked(self, lang: Lang, title: &str) -> String {
        match self.word(lang) {
            "" => title.to_owned(),
            word => format!("[{word}] {title}"),
        }
    }

    /// The stable name used in documents.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Drill => "drill",
            Self::Demo => "demo",
        }
    }

    /// The public page tells programs that follow it.
    pub const fn has_feeds(self) -> bool {
        !matches!(self, Self::Drill)
    }

    /// It is not the real thing.
    pub const fn is_played(self) -> bool {
        !matches!(self, Self::Real)
    }
}

/// In whose colours pages are; each is there in light and in dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Ours.
    #[default]
    Neutral,
    /// The blues of Québec.
    Qc,
    /// The blue of Canada.
    Gc,
}

impl Theme {
    /// Every theme.
    pub const ALL: [Self; 3] = [Self::Neutral, Self::Qc, Self::Gc];

    /// Its name, in options and in style sheets.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Qc => "qc",
            Self::Gc => "gc",
        }
    }

    /// The theme of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }
}

/// What every page of the console has around its content.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Language of the page.
    pub lang: Lang,
    /// Title of the page.
    pub title: String,
    /// Which entry of the navigation this is: `incident`, `sites`, `affected`, `watch`, `posture`,
    /// `audit` or empty.
    pub here: &'static str,
    /// The pages about the register are there.
    pub register: bool,
    /// The reader may see the journal.
    pub audits: bool,
    /// On a wall nobody clicks: no navigation, no controls.
    pub display: bool,
    /// Whether it is the real thing.
    pub stage: Stage,
    /// In whose colours.
    pub theme: Theme,
    /// As its reader wants it to look.
    pub look: Look,
    /// The same page in the other language; empty where there is none.
    pub switch_href: String,
    /// Address of the public page, ending in `/`.
    pub public_url: String,
    /// Who is signed in; empty when nobody is.
    pub account: String,
    /// What its forms carry to show where they come from.
    pub token: String,
    /// Its reader reads all of the register: who reads a part has no pages about the whole.
    pub whole: bool,
    /// How many notices about the own account wait, as words; empty when none does.
    pub notices: String,
    /// After how many seconds without a request the sign-in ends.
    pub idle_s: i64,
    /// Its reader reads and does nothing else.
    pub watches: bool,
    /// The roles of its reader, in words; empty for who has none.
    pub roles: String,
    /// Glass was broken, and nobody looked at it yet.
    pub glass: bool,
    /// The stream that says whether the page is still so, and a fingerprint of what it shows; both
    /// empty where the page has none.
    pub fresh: (String, String),
}

/// Every counter of the incident, ready to show; taken at one version of the board.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// How long the incident has been open, as a sentence; empty without an incident.
    pub since: String,
    /// Sites seen lit.
    pub lit: String,
    /// Sites proven dark.
    pub dark: String,
    /// Sites affected and not yet fixed.
    pub todo: String,
    /// Share of sites seen lit.
    pub share: String,
    /// Sites exposed, or with a dark order that is not proven.
    pub alarm: String,
    /// There is at least one of those.
    pub alarmed: bool,
    /// One entry per display state.
    pub legend: Vec<LegendEntry>,
    /// One row per sector, biggest first.
    pub sectors: Vec<SectorRow>,
    /// One sentence with the first two numbers.
    pub summary: String,
    /// One sentence with the alarm.
    pub alarm_sentence: String,
}

/// One display state in the legend.
#[derive(Clone, Debug)]
pub struct LegendEntry {
    /// Letter of the state.
    pub letter: char,
    /// Its word.
    pub word: &'static str,
    /// How many sites are in it.
    pub count: String,
}

/// One sector in the list beside the wall.
#[derive(Clone, Debug)]
pub struct SectorRow {
    /// Code of the sector.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Ordinal of its first site on the wall.
    pub from: usize,
    /// How many sites it has.
    pub count: usize,
    /// `327 / 520`.
    pub text: String,
    /// The same and more as a sentence.
    pub sentence: String,
    /// Share of lit sites, in thousandths.
    pub lit_permille: usize,
    /// Share of sites to fix, in thousandths.
    pub todo_permille: usize,
}

/// One line of the live log.
#[derive(Clone, Debug)]
pub struct LogRow {
    /// RFC 3339.
    pub at: String,
    /// Time of day in UTC; the page's module shows it in the reader's zone.
    pub clock: String,
    /// What happened.
    pub text: String,
}

/// How many dark sites return on one kind of evidence, or why they do not.
#[derive(Clone, Debug, Default)]
pub struct QueueRow {
    /// How many.
    pub count: String,
    /// The evidence.
    pub evidence: &'static str,
    /// What happens.
    pub then: String,
    /// They come back without anybody.
    pub returns: bool,
    /// The list of these sites.
    pub href: String,
}

/// One site that needs a person first.
#[derive(Clone, Debug, Default)]
pub struct TodoRow {
    /// Short name.
    pub slug: String,
    /// Its page.
    pub href: String,
    /// Who answers for it.
    pub organisation: String,
    /// Letter of its state.
    pub letter: char,
    /// Word of its state.
    pub state: &'static str,
    /// How much depends on it.
    pub criticality: &'static str,
    /// Lives or rights do.
    pub is_vital: bool,
    /// Where the flaw was found.
    pub path: String,
    /// What it is built with, as far as that is known.
    pub stack: String,
    /// The edge that serves it.
    pub edge: String,
    /// How long it has been dark; empty while it is not.
    pub dark_for: String,
    /// The next step.
    pub next: &'static str,
}

impl TodoRow {
    /// One that is filled later, with a light that there is.
    pub(crate) fn blank() -> Self {
        Self { letter: 'o', ..Self::default() }
    }
}

/// What somebody may do on the incident screen.
#[derive(Clone, Debug, Default)]
pub struct Acts {
    /// Plans may be made.
    pub plans: bool,
    /// An incident may be opened and closed.
    pub command: bool,
    /// Words may be published.
    pub publish: bool,
    /// They are published in English as well.
    pub english: bool,
    /// What goes with them.
    pub more: PublishMore,
    /// How many plans wait; empty when none does.
    pub waiting: String,
    /// That some of them wait for the reader; empty when none does.
    pub asked: String,
    /// The token of the forms.
    pub token: String,
    /// The open incidents, for forms that are about one of them.
    pub incidents: Vec<Choice>,
}

/// An open incident that the screen is not about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherIncident {
    /// Its id.
    pub id: String,
    /// One line about it.
    pub title: String,
    /// The language of that line, where it is not the page's.
    pub title_lang: Option<&'static str>,
    /// Since when, and how many of its sites are dark and affected.
    pub sentence: String,
}

/// The incident screen: counters, wall, sectors, live log.
#[derive(Template)]
#[template(path = "incident.html", whitespace = "minimize")]
pub struct IncidentPage {
    /// Around it.
    pub frame: Frame,
    /// Id of the incident (`CVE-2021-44228`); empty when none is open.
    pub id: String,
    /// One line about it.
    pub headline: String,
    /// The language of that line, where it is not the page's.
    pub headline_lang: Option<&'static str>,
    /// How bad it is, and whether it is used; empty where nothing is known.
    pub facts: String,
    /// The lights stand by their states, and not each at its place.
    pub sorted: bool,
    /// The same page with the lights the other way.
    pub order_href: String,
    /// Other incidents that are open; the wall shows the lights of all of them.
    pub others: Vec<OtherIncident>,
    /// Where the event stream continues after this page.
    pub cursor: String,
    /// The counters.
    pub counts: Counts,
    /// How many lights there are.
    pub wall_title: String,
    /// One letter per site, in the board's order.
    pub letters: String,
    /// Newest first.
    pub log: Vec<LogRow>,
    /// Dark sites over time; empty while none was dark.
    pub burn: BurnDown,
    /// What returns next.
    pub queue: Vec<QueueRow>,
    /// What needs a person first.
    pub todo: Vec<TodoRow>,
    /// What this reader may do.
    pub acts: Acts,
}

/// One choice of a filter.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Value in the address.
    pub value: String,
    /// Word for people.
    pub text: String,
    /// It is the current one.
    pub chosen: bool,
}

/// One row of the table of sites.
#[derive(Clone, Debug)]
pub struct SiteRow {
    /// Ordinal on the wall.
    pub ordinal: usize,
    /// Short name.
    pub slug: String,
    /// Letter of its state.
    pub letter: char,
    /// Word of its state.
    pub state: &'static str,
    /// Name in the page's language.
    pub name: String,
    /// Organisation.
    pub organisation: String,
    /// Name of its sector.
    pub sector: String,
    /// Address of its page; empty when there is none.
    pub href: String,
}

/// The table of sites, a page at a time.
#[derive(Template)]
#[template(path = "sites.html", whitespace = "minimize")]
pub struct SitesPage {
    /// Around it.
    pub frame: Frame,
    /// The row of what is next that led here: its name, its incident and its words.
    pub queue: Option<(String, String, &'static str)>,
    /// The list of all sites.
    pub all: String,
    /// Words that are looked for in names, or a query.
    pub words: String,
    /// What is told while no site fits.
    pub none: String,
    /// Sectors to choose from.
    pub sectors: Vec<Choice>,
    /// States to choose from.
    pub states: Vec<Choice>,
    /// The incident of the plan about the sites whose boxes are checked; empty without boxes.
    pub picks: String,
    /// What was found.
    pub found: SitesFound,
}

/// One page of the sites that fit a filter.
#[derive(Clone, Debug)]
pub struct SitesFound {
    /// How many sites fit.
    pub count: String,
    /// This page's rows.
    pub rows: Vec<SiteRow>,
    /// Which page this is.
    pub page: String,
    /// Address of the page before; empty on the first.
    pub previous: String,
    /// Address of the page after; empty on the last.
    pub next: String,
    /// A plan that takes these sites dark; empty where none can be proposed.
    pub dark: String,
    /// The same that brings them back.
    pub relight: String,
    /// Why neither can be, though the reader proposes plans; empty else.
    pub beyond: String,
}

/// How pages look, to choose.
#[derive(Template)]
#[template(path = "look.html", whitespace = "minimize")]
pub struct LookPage {
    /// Around it.
    pub frame: Frame,
    /// Where its reader came from.
    pub next: String,
    /// Light or dark.
    pub lights: Vec<Choice>,
}

/// The answer to an address that does not exist.
#[derive(Template)]
#[template(path = "not_found.html", whitespace = "minimize")]
pub struct NotFoundPage {
    /// Around it.
    pub frame: Frame,
}
