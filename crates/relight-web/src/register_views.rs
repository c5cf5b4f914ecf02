//! What the pages about the register show: one site, the answer to a question, campaigns.

use askama::Template;

use crate::texts;
use crate::views::Frame;

/// A word with a link or without: `href` may be empty.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// What is read.
    pub text: String,
    /// Where it leads; empty for nowhere.
    pub href: String,
}

/// One site: what it is, where it stands, what it holds, what was found.
#[derive(Template)]
#[template(path = "site.html", whitespace = "minimize")]
pub struct SitePage {
    /// Around it.
    pub frame: Frame,
    /// Short name.
    pub slug: String,
    /// Name in the page's language.
    pub name: String,
    /// Letter of its state.
    pub letter: char,
    /// Word of its state.
    pub state: &'static str,
    /// Label and value of each fact.
    pub facts: Vec<(&'static str, String)>,
    /// Open incidents in which this reader may do something about it.
    pub acts: Vec<SiteActs>,
    /// Whether the public page shows it, for who may change that; `None` for others.
    pub shows: Option<bool>,
    /// What open incidents know about it.
    pub cases: Vec<CaseRow>,
    /// What it runs on.
    pub assets: Vec<AssetRow>,
    /// Why no question about it, or none about some packages, can be answered with clear; empty
    /// when its inventory is whole.
    pub reasons: Vec<String>,
    /// Flaws in what it holds, the worst of them.
    pub findings: Vec<FindingRow>,
    /// How many more there are; empty for none.
    pub more: String,
    /// How many components it has, and how many are shown.
    pub count: String,
    /// The first of them.
    pub components: Vec<ComponentRow>,
}

/// What somebody may do about a site in one incident.
#[derive(Clone, Debug)]
pub struct SiteActs {
    /// Id of the incident.
    pub incident: String,
    /// Id of what a second person is asked for; empty where nobody is.
    pub request: String,
    /// Name of what is known of the site there.
    pub about: String,
}

/// One incident's case of a site.
#[derive(Clone, Debug)]
pub struct CaseRow {
    /// Id of the incident.
    pub incident: String,
    /// What the newest evidence says, in words; empty without evidence.
    pub verdict: String,
    /// Reasons, in words.
    pub reasons: Vec<&'static str>,
    /// Where it was found.
    pub paths: Vec<String>,
    /// Since when it stands where it stands, in words.
    pub since: String,
}

/// One asset of a site.
#[derive(Clone, Debug)]
pub struct AssetRow {
    /// Its inventory in one line.
    pub summary: String,
    /// Place and reason of each part that was not read, the first of them.
    pub flaws: Vec<(String, String)>,
    /// How many more there are; empty for none.
    pub more: String,
}

/// One flaw of a component of a site.
#[derive(Clone, Debug)]
pub struct FindingRow {
    /// Id of the advisory, and the question about all sites.
    pub advisory: Link,
    /// Score, exploitation: in words.
    pub facts: String,
    /// What has it.
    pub component: String,
    /// Certainly, or perhaps.
    pub certain: bool,
    /// In words.
    pub state: &'static str,
    /// Where.
    pub path: String,
}

/// One component of a site.
#[derive(Clone, Debug)]
pub struct ComponentRow {
    /// Name.
    pub name: String,
    /// Version; empty when it is not known.
    pub version: String,
    /// Package URL.
    pub purl: String,
    /// Where.
    pub path: String,
}

/// The answer to a question: which of our sites?
#[derive(Template)]
#[template(path = "affected.html", whitespace = "minimize")]
pub struct AffectedPage {
    /// Around it.
    pub frame: Frame,
    /// What was asked; empty before the first question.
    pub question: String,
    /// Why there is no answer; empty when there is one, or no question.
    pub problem: String,
    /// What to do about that.
    pub remedy: String,
    /// Facts of the advisory.
    pub facts: String,
    /// Everybody's rating of it.
    pub ratings: Vec<RatingRow>,
    /// The answer in one sentence; empty without one.
    pub sentence: String,
    /// The day that the answer is about.
    pub day: PastDay,
    /// How the component reaches the sites; without nodes where there is nothing to draw.
    pub graph: ReachGraph,
    /// The evidence of one site.
    pub evidence: Option<EvidencePanel>,
    /// Sectors with an affected or unknown site, the worst first.
    pub sectors: Vec<AnswerRow>,
    /// The three verdicts to choose from.
    pub verdicts: Vec<crate::views::Choice>,
    /// This page's sites.
    pub sites: Vec<AnswerSite>,
    /// Which page this is.
    pub page: String,
    /// Address of the page before; empty on the first.
    pub previous: String,
    /// Address of the page after; empty on the last.
    pub next: String,
    /// Advisories that are known, to ask about.
    pub known: Vec<Link>,
}

/// One rating of a flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatingRow {
    /// Scale and score (`CVSS 3.1 10.0`); empty for words of the source's own.
    pub name: String,
    /// As written.
    pub vector: String,
    /// Who gave it.
    pub by: String,
    /// That its record was withdrawn; empty where it was not.
    pub withdrawn: String,
}

/// The day that an answer is about, `2021-12-10` in UTC.
#[derive(Clone, Debug, Default)]
pub struct PastDay {
    /// That it is not today, as a sentence; empty when it is.
    pub note: String,
    /// The same question about today.
    pub now: String,
    /// The day.
    pub value: String,
    /// The day of the oldest inventory.
    pub first: String,
    /// Today.
    pub last: String,
}

/// From which component to which organisations, drawn in a box of 900 by [`ReachGraph::height`].
#[derive(Clone, Debug, Default)]
pub struct ReachGraph {
    /// What it shows, in one sentence.
    pub sentence: String,
    /// How many sites it does not know; empty when it knows all.
    pub note: String,
    /// That inventories do not read back; empty when all did.
    pub problem: String,
    /// Height of the drawing.
    pub height: usize,
    /// Place and heading of each column.
    pub heads: Vec<(usize, &'static str)>,
    /// Boxes, column by column.
    pub nodes: Vec<ReachNode>,
    /// Lines between them.
    pub links: Vec<ReachLink>,
    /// Component, version, containers and organisation, with the number of sites.
    pub rows: Vec<([String; 4], String)>,
}

/// One box of the graph.
#[derive(Clone, Debug)]
pub struct ReachNode {
    /// Its left edge.
    pub x: usize,
    /// Its upper edge.
    pub y: usize,
    /// Its width.
    pub width: usize,
    /// What it says.
    pub text: String,
    /// How many sites.
    pub sites: String,
}

/// One line of the graph.
#[derive(Clone, Debug)]
pub struct ReachLink {
    /// Its path.
    pub path: String,
    /// How thick it is: the number of sites.
    pub width: f64,
}

/// Why one site answers as it does.
#[derive(Clone, Debug)]
pub struct EvidencePanel {
    /// Its name, and its page.
    pub site: Link,
    /// Its short name.
    pub slug: String,
    /// `affected`, `clear` or `unknown`.
    pub code: &'static str,
    /// In words.
    pub verdict: &'static str,
    /// That inventories do not read back; empty when all did.
    pub problem: String,
    /// Why nobody can tell, in words.
    pub reasons: Vec<&'static str>,
    /// What was found, what is affected first.
    pub rows: Vec<EvidenceRow>,
    /// Days on which its inventory became another one, the newest first.
    pub days: Vec<Link>,
}

/// One place in which something was found.
#[derive(Clone, Debug)]
pub struct EvidenceRow {
    /// Name and version.
    pub component: String,
    /// How sure it is that it is affected, in words.
    pub state: String,
    /// Package URL.
    pub purl: String,
    /// From the outermost file to the innermost.
    pub steps: Vec<String>,
    /// How it was recognised, and how much that proves.
    pub basis: String,
    /// Digests of its bytes.
    pub hashes: Vec<String>,
    /// Since which day it is there; empty when that is not known.
    pub since: String,
}

/// The answer of one sector.
#[derive(Clone, Debug)]
pub struct AnswerRow {
    /// Its name.
    pub name: String,
    /// Affected sites.
    pub affected: String,
    /// Unknown sites.
    pub unknown: String,
    /// All sites.
    pub total: String,
    /// Share of affected sites, in thousandths.
    pub permille: usize,
}

/// The answer of one site.
#[derive(Clone, Debug)]
pub struct AnswerSite {
    /// Its page.
    pub site: Link,
    /// The evidence on this page.
    pub evidence: String,
    /// Body that answers for it.
    pub organisation: String,
    /// `affected`, `clear` or `unknown`.
    pub code: &'static str,
    /// In words.
    pub verdict: &'static str,
    /// Where it was found, or why nobody can tell.
    pub why: Vec<String>,
}

/// Who was trying the doors.
#[derive(Template)]
#[template(path = "watch.html", whitespace = "minimize")]
pub struct WatchPage {
    /// Around it.
    pub frame: Frame,
    /// How many campaigns there are.
    pub count: String,
    /// Why they cannot be read; empty otherwise.
    pub problem: String,
    /// Where doors were tried, week by week; without rows when none was.
    pub heat: HeatMap,
    /// The campaigns over time; without rows when there is none.
    pub lanes: Lanes,
    /// The reader may take campaigns along.
    pub exports: bool,
    /// Address of the actors of these days.
    pub actors: String,
    /// First and last day of the campaigns that are shown; empty for all.
    pub days: (String, String),
    /// The campaigns.
    pub campaigns: Vec<CampaignCard>,
}

/// Before the people of organisations are told of a campaign, and after it.
#[derive(Template)]
#[template(path = "tell.html", whitespace = "minimize")]
pub struct TellPage {
    /// Around it.
    pub frame: Frame,
    /// Which campaign.
    pub id: String,
    /// How many organisations and people will be told, or were.
    pub reach: String,
    /// It is done.
    pub done: bool,
    /// Who told how many people of it before, and when.
    pub before: Vec<String>,
    /// Organisations where nobody reads notices.
    pub without: Vec<String>,
    /// Where the reader shows first who it is; empty for who just did.
    pub step_up: String,
    /// There is somebody to tell.
    pub can: bool,
    /// All of them were told of this step already.
    pub again: bool,
    /// Where to go on.
    pub back: String,
}

/// In which sector and week doors were tried, drawn in a box of 900 by [`HeatMap::height`].
#[derive(Clone, Debug, Default)]
pub struct HeatMap {
    /// What the map shows, in one sentence.
    pub sentence: String,
    /// Height of the drawing.
    pub height: usize,
    /// First day of the oldest week.
    pub first: String,
    /// Sectors, the most tried first.
    pub rows: Vec<HeatRow>,
    /// Place and first day of some weeks.
    pub columns: Vec<(usize, String)>,
    /// Step, place and text of the key.
    pub key: Vec<(usize, usize, String)>,
}

/// One sector of the map.
#[derive(Clone, Debug)]
pub struct HeatRow {
    /// Its name.
    pub name: String,
    /// Its place from above.
    pub y: usize,
    /// Place and step of each week, 0 for none to 5.
    pub cells: Vec<(usize, usize)>,
    /// Sites that were tried, for those who want numbers.
    pub sites: String,
    /// First day of the week with the most sites, and how many.
    pub most: String,
}

/// Campaigns over time, drawn in a box of 900 by [`Lanes::height`].
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    /// What they show, in one sentence.
    pub sentence: String,
    /// Height of the drawing.
    pub height: usize,
    /// One a campaign, the newest first.
    pub rows: Vec<Lane>,
    /// Place and text of some days.
    pub columns: Vec<(f64, String)>,
}

/// One campaign over time.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its id.
    pub id: String,
    /// Its id and severity.
    pub name: String,
    /// Its place from above.
    pub y: usize,
    /// Where its line begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// How thick it is: the number of sources.
    pub width: f64,
    /// Place and size of each dot: where organisations were first touched.
    pub dots: Vec<(f64, f64)>,
    /// Organisations, for those who want numbers.
    pub organisations: String,
    /// Sources.
    pub sources: String,
    /// Day of the first contact.
    pub first: String,
    /// Day of the last contact.
    pub last: String,
}

/// One campaign.
#[derive(Clone, Debug)]
pub struct CampaignCard {
    /// Id.
    pub id: String,
    /// Severity, in words.
    pub severity: &'static str,
    /// Days, organisations, sites, sources.
    pub reach: String,
    /// How sure.
    pub confidence: String,
    /// First and last contact, RFC 3339 and as their reader writes them.
    pub first: (String, String),
    /// See `first`.
    pub last: (String, String),
    /// Addresses, the first of them.
    pub sources: String,
    /// The campaign in sentences.
    pub told: Vec<String>,
    /// Signs of compromise were seen: the denial below it would be wrong.
    pub compromise: bool,
    /// What spoke for it: what, how much.
    pub parts: Vec<(&'static str, String)>,
    /// The sum and the threshold.
    pub decision: String,
    /// Lines of evidence.
    pub evidence: Vec<String>,
}
