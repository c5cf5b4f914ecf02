//! `/sites`: the table of sites, filtered on the server, a hundred rows a page, and `/sites/rows`
//! for a page that is shown already; `/site`: one line.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use relight_engine::live::{BoardSite, Snapshot};
use relight_engine::{Engine, Unselected, query};
use relight_model::{DisplayState, GateKey};
use relight_web::views::{Choice, SiteRow, SitesFound, SitesPage};
use relight_web::{Lang, texts, words};
use serde_json::json;
use tokio::time::Instant;

use super::meanings::{self, Wants};
use super::part::Part;
use super::rows::Pager;
use super::tally::Tally;
use super::work::Queued;
use super::{Asked, Console, act, blocking, name, names};
use crate::access::signed_in::Reader;
use crate::page::{self, encode};
use crate::sse::topic::{self, Topic};

/// Rows of one page: thousands of rows would make a browser slow.
pub(super) const ROWS_MAX: usize = 100;

/// Longest list of sites for a plan, in bytes: proxies refuse addresses of more than 8 KiB.
const BATCH_BYTES_MAX: usize = 6_000;

/// A filter that has been read.
#[derive(Clone, Debug, Default)]
struct Filter {
    sector: String,
    /// As in the address: the letter of a state, or the name of a counter.
    state: String,
    /// The states that it means; `None` is all.
    states: Option<Vec<DisplayState>>,
    /// As it was typed: words, or a query.
    typed: String,
    /// Looked for in names, without case; empty is all.
    words: String,
    /// The sites that a query means; none with a reason.
    meant: Option<Arc<Meant>>,
    /// The row of what is next whose sites are looked for; `None` is all.
    queued: Option<Queued>,
    /// The incident that bare verdicts are about.
    id: String,
}

/// The sites that a query means, or why it is none.
pub(super) type Meant = Result<BTreeSet<String>, String>;

/// The text of a counter and the states that it counts.
type Group = (fn(Lang) -> &'static str, fn(&Tally) -> usize);

/// The counters of the incident screen, by their names in addresses.
const GROUPS: [(&str, Group); 4] = [
    ("lit", (texts::counter_lit, Tally::lit)),
    ("dark", (texts::counter_dark, Tally::dark)),
    ("todo", (texts::counter_todo, Tally::todo)),
    ("alarm", (texts::counter_alarm, Tally::alarm)),
];

/// The states behind a letter or the name of a counter, so that a counter and the list behind it
/// can never disagree.
fn states_of(text: &str) -> Option<Vec<DisplayState>> {
    let one = |state: &DisplayState| text == state.letter().to_string();
    let group = GROUPS.iter().find(|(name, _)| *name == text);
    let counted = |state: &DisplayState| {
        group.is_some_and(|(_, (_, count))| count(&Tally::of(&[*state])) == 1)
    };
    let states: Vec<_> = DisplayState::ALL.into_iter().filter(|s| one(s) || counted(s)).collect();
    (!states.is_empty()).then_some(states)
}

impl Filter {
    fn of(console: &Console, asked: &Asked, meant: Option<Arc<Meant>>) -> Self {
        let states = states_of(&asked.state);
        let state = if states.is_some() { asked.state.clone() } else { String::new() };
        let (lang, engine) = (console.lang(asked), console.engine.as_ref());
        let id = Self::id(console, asked);
        let of = || Queued::of(engine.map(|it| &**it), lang, &id, &asked.queue);
        let queued = (!asked.queue.is_empty()).then(of);
        let words = if meant.is_none() { names::words(&asked.q) } else { String::new() };
        let (sector, typed) = (asked.sector.clone(), asked.q.trim().to_owned());
        Self { sector, state, states, typed, words, meant, queued, id }
    }

    /// The incident that bare verdicts of a query are about.
    fn id(console: &Console, asked: &Asked) -> String {
        let shown = || console.board.headline().id;
        if asked.incident.is_empty() { shown() } else { asked.incident.clone() }
    }

    fn href(&self, lang: Lang, page: usize) -> String {
        let (sector, state) = (encode(&self.sector), &self.state);
        let words = match self.typed.as_str() {
            "" => String::new(),
            typed => format!("&q={}", encode(typed)),
        };
        let row =
            |it: &Queued| format!("&queue={}&incident={}", encode(&it.code), encode(&it.incident));
        let queue = self.queued.as_ref().map(row);
        let more = words + &queue.unwrap_or_default();
        format!("/sites?lang={}&sector={sector}&state={state}&page={page}{more}", lang.tag())
    }

    /// The incident that a plan about what was found is of: that of the query. Empty where it is
    /// not open, because then there is nothing to plan.
    fn incident(&self, console: &Console) -> String {
        let id = self.queued.as_ref().map_or(&self.id, |row| &row.incident);
        let is_open = |engine: &Arc<Engine>| {
            engine.with_ledger(|it| it.incident(id).is_some_and(|it| !it.closed))
        };
        if console.engine.as_ref().is_none_or(is_open) { id.clone() } else { String::new() }
    }

    /// Whether it leaves anything out.
    fn is_narrow(&self) -> bool {
        let is_wide = self.sector.is_empty() && self.states.is_none() && self.words.is_empty();
        !is_wide || self.meant.is_some() || self.queued.is_some()
    }

    /// A text that is no query means no site, and the page says why.
    fn is_meant(&self, slug: &str) -> bool {
        match self.meant.as_deref() {
            None => true,
            Some(Ok(sites)) => sites.contains(slug),
            Some(Err(_)) => false,
        }
    }

    /// What is told where no site fits.
    fn none(&self, lang: Lang) -> String {
        match self.meant.as_deref() {
            Some(Err(why)) => why.clone(),
            _ => texts::sites_none(lang).to_owned(),
        }
    }

    /// Whether a site is one of those that are looked for, given its names in lower case.
    fn fits(&self, site: &BoardSite, state: DisplayState, names: &str) -> bool {
        (self.sector.is_empty() || site.sector == self.sector)
            && self.states.as_ref().is_none_or(|wanted| wanted.contains(&state))
            && (self.words.is_empty() || names.contains(&self.words))
            && self.is_meant(&site.slug)
            && self.queued.as_ref().is_none_or(|queued| queued.has(&site.slug))
    }
}

/// What a query means among the sites of a reader; `None` where none is asked.
fn meant(console: &Console, asked: &Asked, part: &Part, wants: Wants) -> Option<Arc<Meant>> {
    let engine = console.engine.as_ref().filter(|_| query::is_meant(&asked.q))?;
    let (lang, id) = (console.lang(asked), Filter::id(console, asked));
    let key = [&asked.q, &id, lang.tag(), &part.life].map(str::to_owned);
    // Before it is asked: what changes meanwhile is asked for again.
    let now = (Instant::now(), topic::versions(console));
    Some(console.meanings.of(key, now, wants, || meant_by(engine, lang, (&asked.q, &id), part)))
}

/// The same for a page that is asked for.
fn meant_now(console: &Console, asked: &Asked) -> Option<Arc<Meant>> {
    let part = Part::of(console, &asked.reader, &console.board.sites());
    meant(console, asked, &part, meanings::NOW)
}

/// For a page that is followed, [`fitting`] of what its query means.
pub(crate) fn followed(console: &Console, asked: &Asked, part: &Part) -> String {
    fitting(meant(console, asked, part, meanings::SOON).as_deref())
}

/// What decides which sites fit a query and is not seen in their rows, as a text; empty where no
/// query is asked.
fn fitting(meant: Option<&Meant>) -> String {
    match meant {
        None => String::new(),
        Some(Err(why)) => why.clone(),
        Some(Ok(sites)) => sites.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
    }
}

fn meant_by(engine: &Engine, lang: Lang, (text, id): (&str, &str), part: &Part) -> Meant {
    let asked = (!id.is_empty()).then_some(id);
    let of = |site: &GateKey| part.is_whole() || part.is_of(site.as_str());
    let meant = engine.select_among(text, asked, of);
    let meant = meant.map(|sites| sites.iter().map(ToString::to_string).collect());
    meant.map_err(|fault| match why_not(lang, &fault) {
        (what, remedy) if remedy.is_empty() => what,
        (what, remedy) => format!("{what}. {remedy}"),
    })
}

/// Why a query chose nothing, and what would.
pub(super) fn why_not(lang: Lang, fault: &Unselected) -> (String, String) {
    match fault {
        Unselected::Query(error) => {
            let what = texts::by_code(lang, error.code).unwrap_or(error.code);
            let what = match error.word.as_str() {
                "" => what.to_owned(),
                word => texts::quoted(lang, what, word),
            };
            (what, words::query_choices(lang, error.choices(), error.near))
        }
        Unselected::NeedsQuestion => (
            texts::query_needs_question(lang).to_owned(),
            texts::query_needs_question_remedy(lang).to_owned(),
        ),
        Unselected::NoAdvisory(id) => (texts::no_such_advisory(lang, id), String::new()),
        Unselected::Engine(error) => act::told(lang, error),
    }
}

pub(super) async fn table(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        if let Ok(ordinal) = asked.site.parse() {
            return place_of(&console, &asked, ordinal);
        }
        let meant = meant_now(&console, &asked);
        let shown = Some(topic::of_sites(&console, &asked, &fitting(meant.as_deref())));
        let (lang, filter) = (console.lang(&asked), Filter::of(&console, &asked, meant));
        let (found, switch) = found(&console, &asked, &filter);
        let all = Filter { queued: None, ..filter.clone() };
        let queue = filter.queued.as_ref();
        let frame = console.frame(&asked, texts::sites_title(lang), "sites", switch);
        let page = SitesPage {
            queue: queue.map(|it| (it.code.clone(), it.incident.clone(), it.evidence)),
            all: all.href(lang, 1),
            frame: Console::fresh(frame, &Topic::Sites, shown),
            sectors: sector_choices(&console.sectors(&console.board.sites()), lang, &filter),
            states: state_choices(lang, &filter),
            none: filter.none(lang),
            picks: if proposes(&asked) { filter.incident(&console) } else { String::new() },
            words: filter.typed,
            found,
        };
        page::html(StatusCode::OK, relight_web::render(&page))
    })
    .await
}

/// The same rows for a page that is there already, as arrays of texts.
pub(super) async fn rows(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        let meant = meant_now(&console, &asked);
        let shown = topic::of_sites(&console, &asked, &fitting(meant.as_deref()));
        let filter = Filter::of(&console, &asked, meant);
        let (found, switch) = found(&console, &asked, &filter);
        let SitesFound { count, rows, page, previous, next, dark, relight, beyond } = &found;
        let row = |it: &SiteRow| {
            let SiteRow { ordinal, slug, letter, state, name, organisation, sector, href } = it;
            json!([ordinal, href, slug, letter, state, name, organisation, sector])
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        let data = json!({
            "v": 1, "count": count, "page": page, "previous": previous, "next": next,
            "switch": switch, "rows": rows, "none": filter.none(console.lang(&asked)),
            "dark": dark, "relight": relight, "beyond": beyond,
            "shown": shown,
        });
        ([(header::CONTENT_TYPE, "application/json")], data.to_string()).into_response()
    })
    .await
}

/// Sends the reader to the page of one site of the wall; where nothing more is known of it, to its
/// row among those of its sector that the reader sees.
fn place_of(console: &Console, asked: &Asked, ordinal: usize) -> Response {
    let sites = console.board.sites();
    let sectors = console.sectors(&sites);
    let place = Part::of(console, &asked.reader, &sites).place(ordinal);
    let Some((ordinal, site)) = place.and_then(|at| Some((at, sites.get(at)?))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if console.engine.is_some() {
        let lang = console.lang(asked).tag();
        return Redirect::to(&format!("/site/{}?lang={lang}", encode(&site.slug))).into_response();
    }
    let inside = |s: &&super::Sector| (s.from..s.from + s.count).contains(&ordinal);
    match sectors.iter().find(inside) {
        Some(sector) => {
            let filter = Filter { sector: sector.code.clone(), ..Filter::default() };
            let before = sites.get(sector.from..ordinal).unwrap_or_default();
            let page = before.iter().filter(|site| asked.reads(site)).count() / ROWS_MAX + 1;
            let href = filter.href(console.lang(asked), page);
            Redirect::to(&format!("{href}#site-{ordinal}")).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The page that was asked for of the sites that fit, and its address in the other language.
fn found(console: &Console, asked: &Asked, filter: &Filter) -> (SitesFound, String) {
    let lang = console.lang(asked);
    let Snapshot { sites, states, .. } = console.board.snapshot();
    let names = console.names.of(&sites);
    let fits = |(at, (site, state)): &(usize, (&BoardSite, &DisplayState))| {
        let names = names.get(*at).map_or("", String::as_str);
        filter.fits(site, **state, names) && asked.reads(site)
    };
    let found: Vec<_> = sites.iter().zip(&states).enumerate().filter(fits).collect();
    let pager = Pager::of(asked, found.len());
    let [page, previous, next] = pager.around(lang, |to| filter.href(lang, to));
    let rows = pager
        .shown(&found)
        .map(|(ordinal, (site, state))| row(console, lang, *ordinal, (site, **state)));
    let slugs = found.iter().map(|(_, (site, _))| site.slug.as_str());
    let batch = batch(console, asked, filter, slugs);
    let plan = |action: &str| match &batch {
        Batch::None | Batch::Beyond => String::new(),
        Batch::Named(sites) => {
            let incident = encode(&filter.incident(console));
            let what = format!("action={action}&which=named&incident={incident}");
            format!("/plan?lang={}&{what}&sites={sites}", lang.tag())
        }
    };
    let beyond = match batch {
        Batch::Beyond => texts::sites_beyond(lang, found.len()),
        Batch::None | Batch::Named(_) => String::new(),
    };
    let found = SitesFound {
        count: texts::sites_count(lang, found.len()),
        rows: rows.collect(),
        page,
        previous,
        next,
        dark: plan("dark"),
        relight: plan("relight"),
        beyond,
    };
    (found, filter.href(lang.other(), pager.page))
}

/// Whether the reader may ask for a plan.
fn proposes(asked: &Asked) -> bool {
    match &asked.reader {
        Reader::Signed(signed) => act::may_propose(signed),
        Reader::Anyone => false,
    }
}

/// The sites of a page as a plan would name them.
enum Batch {
    /// There is no filter, no incident or no site, or the reader proposes no plans.
    None,
    /// Their names, as an address has them.
    Named(String),
    /// More than an address holds.
    Beyond,
}

/// The sites that fit a filter, for a plan about exactly these: what was read is what is asked for,
/// whatever the filter means a minute later.
fn batch<'a>(
    console: &Console,
    asked: &Asked,
    filter: &Filter,
    slugs: impl Iterator<Item = &'a str>,
) -> Batch {
    if !proposes(asked) || !filter.is_narrow() || filter.incident(console).is_empty() {
        return Batch::None;
    }
    let mut sites = String::new();
    for slug in slugs {
        if !sites.is_empty() {
            sites.push('+');
        }
        sites.push_str(&encode(slug));
        if sites.len() > BATCH_BYTES_MAX {
            return Batch::Beyond;
        }
    }
    if sites.is_empty() { Batch::None } else { Batch::Named(sites) }
}

fn row(
    console: &Console,
    lang: Lang,
    ordinal: usize,
    (site, state): (&BoardSite, DisplayState),
) -> SiteRow {
    let href = format!("/site/{}?lang={}", encode(&site.slug), lang.tag());
    SiteRow {
        href: if console.engine.is_some() { href } else { String::new() },
        ordinal,
        slug: site.slug.clone(),
        letter: state.letter(),
        state: words::state(lang, state),
        name: name(site, lang).to_owned(),
        organisation: site.organisation.clone(),
        sector: words::sector(lang, &site.sector).to_owned(),
    }
}

fn sector_choices(sectors: &[super::Sector], lang: Lang, filter: &Filter) -> Vec<Choice> {
    let choice = |sector: &super::Sector| Choice {
        value: sector.code.clone(),
        text: words::sector(lang, &sector.code).to_owned(),
        chosen: sector.code == filter.sector,
    };
    sectors.iter().map(choice).collect()
}

fn state_choices(lang: Lang, filter: &Filter) -> Vec<Choice> {
    let choice = |value: String, text: &str| Choice {
        chosen: filter.state == value,
        text: text.to_owned(),
        value,
    };
    let groups = GROUPS.iter().map(|(name, (text, _))| choice((*name).to_owned(), text(lang)));
    let states = DisplayState::ALL
        .into_iter()
        .map(|state| choice(state.letter().to_string(), words::state(lang, state)));
    groups.chain(states).collect()
}

/// One site in one line of plain text, for the pointer on the wall.
pub(super) async fn one(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let lang = console.lang(&asked);
    let ordinal: usize = asked.site.parse().unwrap_or(usize::MAX);
    let snapshot = console.board.snapshot();
    let part = Part::of(&console, &asked.reader, &snapshot.sites);
    let states = part.states(snapshot);
    match part.sites.get(ordinal).zip(states.get(ordinal)) {
        Some((site, state)) => {
            let state = words::state(lang, *state);
            let name = name(site, lang);
            let text = format!("{} · {state} · {name} · {}", site.slug, site.organisation);
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
