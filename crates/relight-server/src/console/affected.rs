//! `/affected`: which sites have it, today or as of a day, through which archives, and on what
//! evidence.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::Scope;
use relight_engine::answer::{AnswerSet, SiteAnswer};
use relight_engine::matching::{Advisories, Group, OWN_PREFIX, Question};
use relight_engine::store::{IdentityId, Index, StoreError};
use relight_engine::{Engine, EngineError};
use relight_model::{Answer, Component, Digest, Organisation, Site, Timestamp, Verdict};
use relight_web::register_views::{
    AffectedPage, AnswerRow, AnswerSite, EvidencePanel, Link, PastDay, ReachGraph,
};
use relight_web::views::Choice;
use relight_web::{Lang, Number, number, texts, words};

use super::evidence::{self, Held, Shown};
use super::part;
use super::ratings::ratings;
use super::reach::{self, Ways};
use super::register::severity;
use super::rows::Pager;
use super::{Asked, Console, act, blocking};
use crate::page::{self, encode};

/// Places of one site in an answer; its page has all.
const PATHS_MAX: usize = 3;

/// What a site may answer, what has to be looked at first.
const VERDICTS: [Verdict; 3] = [Verdict::Affected, Verdict::Unknown, Verdict::Clear];

/// Advisories that are offered before anybody asks.
const KNOWN_MAX: usize = 40;

/// Inventories that are read for one graph, on each view; it says how many sites it does not know.
const READS_MAX: usize = 300;

pub(super) fn ask_href(lang: Lang, question: &str, verdict: &str, page: usize) -> String {
    let question = encode(question);
    format!("/affected?lang={}&q={question}&state={verdict}&page={page}", lang.tag())
}

pub(super) async fn affected(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let lang = console.lang(&asked);
    if let Some(away) = part::led_away(&console, &asked) {
        return away;
    }
    // A day of the past costs a second index, and as many inventories as changed since.
    let is_past = asks_past(&console, &asked);
    let turn = if is_past { console.past.take().await } else { None };
    let is_busy = is_past && turn.is_none();
    blocking(move || {
        // It ends with the page, even when nobody waits for it any more.
        let _turn = turn;
        match &console.engine {
            Some(_) if is_busy => busy(&console, &asked, lang),
            Some(engine) => {
                let view = AnswerView { console: &console, engine, lang, asked: &asked };
                match view.page() {
                    Ok(page) => page::html(StatusCode::OK, relight_web::render(&page)),
                    Err(error) => act::refused(&console, &asked, &error, "/affected"),
                }
            }
            None => console.nothing(&asked),
        }
    })
    .await
}

/// The form always has a day: that of today is the present.
fn asks_past(console: &Console, asked: &Asked) -> bool {
    let at = asked.at.trim();
    let is_other = |engine: &Arc<Engine>| at != evidence::day(engine.now());
    !at.is_empty() && console.engine.as_ref().is_some_and(is_other)
}

fn busy(console: &Console, asked: &Asked, lang: Lang) -> Response {
    let told = (texts::past_day_busy(lang), texts::past_day_busy_remedy(lang));
    let told = (told.0.to_owned(), told.1.to_owned());
    act::told_page(console, asked, StatusCode::SERVICE_UNAVAILABLE, told, "/affected")
}

struct AnswerView<'a> {
    console: &'a Console,
    engine: &'a Engine,
    lang: Lang,
    asked: &'a Asked,
}

/// The inventory of today, or of a day that has passed.
struct Source<'a> {
    engine: &'a Engine,
    past: Option<Index>,
    at: Timestamp,
}

impl Source<'_> {
    fn ask(&self, question: &Question) -> AnswerSet {
        match &self.past {
            Some(past) => self.engine.ask_as_of(question, past, self.at),
            None => self.engine.ask(question),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        match &self.past {
            Some(past) => look(past),
            None => self.engine.with_inventory(|index, _| look(index)),
        }
    }
}

impl<'a> AnswerView<'a> {
    fn page(&self) -> Result<AffectedPage, EngineError> {
        let lang = self.lang;
        let empty = self.empty()?;
        let question = self.asked.q.trim();
        let unread = unread(self.engine, &|scope| self.asked.reader.reads(scope))?;
        if question.is_empty() {
            let known = self.engine.with_inventory(|_, advisories| self.known(advisories, &unread));
            return Ok(AffectedPage { known, ..empty });
        }
        let parsed = match Question::parse(question) {
            Ok(parsed) => parsed,
            Err(error) => {
                let problem = texts::by_code(lang, error.code).unwrap_or(error.code).to_owned();
                let remedy = texts::question_remedy(lang).to_owned();
                return Ok(AffectedPage { problem, remedy, ..empty });
            }
        };
        let facts = self.engine.with_inventory(|_, advisories| match &parsed {
            Question::Advisory(id) => advisories.group(id).map(|group| {
                let is_unread = unread.contains(&group.id);
                let told = || (facts(lang, group), ratings(lang, group));
                if is_unread { Default::default() } else { told() }
            }),
            Question::Package(_) => Some((String::new(), Vec::new())),
        });
        let Some((facts, ratings)) = facts else {
            let command = "relight advisories update --offline DIR";
            let problem = texts::no_such_advisory(lang, question);
            let remedy = texts::no_such_advisory_remedy(lang, command);
            return Ok(AffectedPage { problem, remedy, ..empty });
        };
        let Some(at) = self.moment() else {
            let problem = texts::affected_bad_time(lang, self.asked.at.trim());
            let remedy = texts::past_day_remedy(lang).to_owned();
            return Ok(AffectedPage { problem, remedy, ..empty });
        };
        let past = at.map(|at| self.engine.index_as_of(at)).transpose()?;
        let at = at.unwrap_or_else(|| self.engine.now());
        let empty = AffectedPage { facts, ratings, ..empty };
        Ok(self.answered(&parsed, &Source { engine: self.engine, past, at }, empty)?)
    }

    /// The end of the day that was asked for, if it has passed; `None` when it is no such day.
    fn moment(&self) -> Option<Option<Timestamp>> {
        let text = self.asked.at.trim();
        let now = self.engine.now();
        if text.is_empty() || text == evidence::day(now) {
            return Some(None);
        }
        let at = number::day(text)? * 86_400 + 86_399;
        (at < now).then_some(Some(at))
    }

    /// The same page about another verdict, page, site or day.
    fn href(&self, lang: Lang, page: usize, site: &str, day: &str) -> String {
        let start = ask_href(lang, self.asked.q.trim(), &self.asked.state, page);
        let part = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("&{name}={}", encode(value)),
        };
        format!("{start}{}{}", part("at", day), part("site", site))
    }

    /// Whether the reader may know about a site; of one whose body is not known, who reads all.
    fn reads(&self, row: &Row<'_>) -> bool {
        let body = row.org.map(|org| Scope::of_body(&org.sector, &org.name));
        self.asked.reader.reads(&body.unwrap_or_default())
    }

    fn number(&self) -> usize {
        self.asked.page.parse().unwrap_or(1)
    }

    fn empty(&self) -> Result<AffectedPage, StoreError> {
        let (lang, asked) = (self.lang, self.asked);
        let switch = self.href(lang.other(), self.number(), &asked.site, asked.at.trim());
        let today = evidence::day(self.engine.now());
        let oldest = Index::oldest(self.engine.store())?.map(evidence::day);
        let at = asked.at.trim();
        let is_past = !at.is_empty() && at != today && self.moment().is_some();
        Ok(AffectedPage {
            frame: self.console.frame(asked, texts::affected_title(lang), "affected", switch),
            question: asked.q.trim().to_owned(),
            problem: String::new(),
            remedy: String::new(),
            facts: String::new(),
            ratings: Vec::new(),
            sentence: String::new(),
            day: PastDay {
                note: if is_past { texts::past_day_note(lang, at) } else { String::new() },
                now: self.href(lang, 1, &asked.site, ""),
                value: if at.is_empty() { today.clone() } else { at.to_owned() },
                first: oldest.unwrap_or_else(|| today.clone()),
                last: today,
            },
            graph: ReachGraph::default(),
            evidence: None,
            sectors: Vec::new(),
            verdicts: Vec::new(),
            sites: Vec::new(),
            page: String::new(),
            previous: String::new(),
            next: String::new(),
            known: Vec::new(),
        })
    }

    /// What anybody would ask about first: exploited, then by score.
    fn known(&self, advisories: &Advisories, unread: &BTreeSet<String>) -> Vec<Link> {
        let mut groups: Vec<&Group> = advisories.groups().collect();
        groups.sort_by_key(|group| {
            (std::cmp::Reverse((group.known_exploited(), group.score())), &group.id)
        });
        let link = |group: &&Group| Link {
            text: format!("{} {}", group.id, group.summary()),
            href: ask_href(self.lang, &group.id, "", 1),
        };
        let is_read = |group: &&&Group| !unread.contains(&group.id);
        groups.iter().filter(is_read).take(KNOWN_MAX).map(link).collect()
    }

    fn answered(
        &self,
        question: &Question,
        source: &Source<'a>,
        empty: AffectedPage,
    ) -> Result<AffectedPage, StoreError> {
        let lang = self.lang;
        let answers = source.ask(question);
        let sites = self.engine.sites();
        let bodies = self.engine.store().organisations()?;
        let bodies: BTreeMap<_, _> = bodies.iter().map(|it| (it.id, it)).collect();
        let wanted = VERDICTS.into_iter().find(|it| it.as_str() == self.asked.state);
        let rows: Vec<Row<'_>> = sites
            .iter()
            .zip(&answers.sites)
            .map(|(site, answer)| Row { site, answer, org: bodies.get(&site.org).copied() })
            .filter(|row| self.reads(row))
            .collect();
        let shown = sorted(&rows, wanted);
        let pager = Pager::of(self.asked, shown.len());
        let [page, previous, next] =
            pager.around(lang, |to| self.href(lang, to, "", self.asked.at.trim()));
        let part: Vec<&Row<'_>> = pager.shown(shown).collect();
        Ok(AffectedPage {
            sentence: sentence(lang, &rows),
            graph: if pager.page == 1 { self.graph(source, &rows) } else { ReachGraph::default() },
            evidence: self.evidence(source, &rows, &part)?,
            sectors: by_sector(lang, &rows),
            verdicts: verdict_choices(lang, wanted),
            sites: part.iter().map(|row| self.site(source, row, pager.page)).collect(),
            page,
            previous,
            next,
            ..empty
        })
    }

    /// Which component reaches which sites, through which archives.
    fn graph(&self, source: &Source<'_>, rows: &[Row<'_>]) -> ReachGraph {
        let affected = rows.iter().filter(|row| row.verdict() == Verdict::Affected);
        let reading = source.with(|index| Reading::of(index, affected.clone()));
        let (places, damaged) = reading.read(self.engine);
        let mut ways = Ways::new();
        for (row, digest, identity) in &reading.wanted {
            let Some(component) = reading.components.get(identity) else { continue };
            for place in places.get(&(*digest, *identity)).into_iter().flatten() {
                let way = [
                    component.purl.name.clone(),
                    component.purl.version.clone(),
                    reach::containers(self.lang, place),
                    row.org.map(|org| org.name.clone()).unwrap_or_default(),
                ];
                ways.entry(way).or_default().insert(row.site.id.0);
            }
        }
        let problem = match damaged {
            0 => String::new(),
            count => texts::reach_damaged(self.lang, count),
        };
        ReachGraph { problem, ..reach::graph(self.lang, &ways, affected.count()) }
    }

    /// The evidence of the site that was chosen, else of the first affected one on the page.
    fn evidence(
        &self,
        source: &Source<'_>,
        rows: &[Row<'_>],
        part: &[&Row<'_>],
    ) -> Result<Option<EvidencePanel>, StoreError> {
        let chosen = rows.iter().find(|row| row.site.slug.as_str() == self.asked.site);
        let first = || part.iter().find(|row| row.verdict() == Verdict::Affected).copied();
        let Some(row) = chosen.or_else(first) else { return Ok(None) };
        let slug = row.site.slug.as_str();
        let on_day = |day: &str| self.href(self.lang, 1, slug, day);
        let (engine, lang, at) = (self.engine, self.lang, source.at);
        let (site, answer) = (row.site, row.answer);
        let held = source.with(|index| Held::of(index, site.id, answer));
        Shown { engine, lang, held, at, site, answer, on_day: &on_day }.panel().map(Some)
    }

    fn site(&self, source: &Source<'_>, row: &Row<'_>, page: usize) -> AnswerSite {
        let (lang, slug) = (self.lang, row.site.slug.as_str());
        let why = match row.answer.answer {
            Answer::Affected => {
                let held = source.with(|index| Held::of(index, row.site.id, row.answer));
                self.paths(&held)
            }
            Answer::Unknown(_) => {
                let reasons = row.answer.reasons.iter();
                reasons.map(|reason| words::reason(lang, *reason).to_owned()).collect()
            }
            Answer::Clear(_) => Vec::new(),
        };
        AnswerSite {
            site: Link {
                text: slug.to_owned(),
                href: format!("/site/{}?lang={}", encode(slug), lang.tag()),
            },
            evidence: format!("{}#evidence", self.href(lang, page, slug, self.asked.at.trim())),
            organisation: row.org.map(|org| org.name.clone()).unwrap_or_default(),
            code: row.verdict().as_str(),
            verdict: words::verdict(lang, row.verdict()),
            why,
        }
    }

    fn paths(&self, held: &Held) -> Vec<String> {
        let store = self.engine.store();
        let certain = held.finds().filter(|find| find.state.is_affected());
        let read = certain.flat_map(|find| find.places(store).unwrap_or_default());
        let mut paths: Vec<String> = read.map(|place| place.evidence).collect();
        paths.sort();
        paths.dedup();
        paths.truncate(PATHS_MAX);
        paths
    }
}

/// What is read for a graph: gathered under the lock of the inventory, read without it, because
/// the edges wait for that lock.
struct Reading<'a> {
    wanted: Vec<(&'a Row<'a>, Digest, IdentityId)>,
    components: HashMap<IdentityId, Component>,
}

impl<'a> Reading<'a> {
    fn of(index: &Index, rows: impl Iterator<Item = &'a Row<'a>>) -> Self {
        let (mut wanted, mut components) = (Vec::new(), HashMap::new());
        for row in rows {
            for found in row.answer.found.iter().filter(|found| found.state.is_affected()) {
                let digest = index.asset(found.asset).and_then(|asset| asset.snapshot);
                let Some((digest, it)) = digest.zip(index.identity(found.identity)) else {
                    continue;
                };
                wanted.push((row, digest, found.identity));
                components.entry(found.identity).or_insert_with(|| it.clone());
            }
        }
        Self { wanted, components }
    }

    /// Where each wanted component is in each inventory, and how many inventories do not read
    /// back; each is read once.
    fn read(&self, engine: &Engine) -> (HashMap<(Digest, IdentityId), Vec<String>>, usize) {
        let wanted = self.wanted.iter().map(|(_, digest, identity)| (*digest, *identity));
        let (mut places, mut damaged) = (HashMap::<_, Vec<String>>::new(), 0);
        for (digest, identities) in inventories(wanted) {
            let Ok(sbom) = engine.store().snapshot(digest) else {
                damaged += 1;
                continue;
            };
            for mut component in sbom.components {
                let place = std::mem::take(&mut component.evidence);
                let component = component.identity();
                let is_it = |id: &&IdentityId| self.components.get(id) == Some(&component);
                if let Some(id) = identities.iter().find(is_it) {
                    places.entry((digest, *id)).or_default().push(place);
                }
            }
        }
        (places, damaged)
    }
}

/// The inventories to read, of which most is wanted first, and what in each: at most
/// [`READS_MAX`].
fn inventories(
    wanted: impl Iterator<Item = (Digest, IdentityId)>,
) -> Vec<(Digest, BTreeSet<IdentityId>)> {
    let mut all: BTreeMap<Digest, (usize, BTreeSet<IdentityId>)> = BTreeMap::new();
    for (digest, identity) in wanted {
        let (times, identities) = all.entry(digest).or_default();
        *times += 1;
        identities.insert(identity);
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, (times, _))| std::cmp::Reverse(*times));
    all.truncate(READS_MAX);
    all.into_iter().map(|(digest, (_, identities))| (digest, identities)).collect()
}

/// One site with its answer.
struct Row<'a> {
    site: &'a Site,
    answer: &'a SiteAnswer,
    org: Option<&'a Organisation>,
}

impl Row<'_> {
    fn verdict(&self) -> Verdict {
        self.answer.answer.verdict()
    }
}

/// The rows of a verdict, those first that have to be looked at first.
fn sorted<'a, 'b>(rows: &'b [Row<'a>], wanted: Option<Verdict>) -> Vec<&'b Row<'a>> {
    let fits = |row: &&Row<'_>| wanted.is_none_or(|it| row.verdict() == it);
    let mut shown: Vec<_> = rows.iter().filter(fits).collect();
    shown.sort_by_key(|row| {
        let exposure = std::cmp::Reverse(row.site.exposure.rank());
        (rank(row.verdict()), row.site.criticality, exposure, &row.site.slug)
    });
    shown
}

/// What has to be looked at first.
fn rank(verdict: Verdict) -> usize {
    VERDICTS.into_iter().position(|it| it == verdict).unwrap_or(VERDICTS.len())
}

fn sentence(lang: Lang, rows: &[Row<'_>]) -> String {
    let count = |verdict| rows.iter().filter(|row| row.verdict() == verdict).count();
    let (affected, unknown) = (count(Verdict::Affected), count(Verdict::Unknown));
    texts::affected_summary(lang, affected, count(Verdict::Clear), rows.len(), unknown)
}

fn by_sector(lang: Lang, rows: &[Row<'_>]) -> Vec<AnswerRow> {
    let mut sectors: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for row in rows {
        let [affected, unknown, total] =
            sectors.entry(row.org.map_or("", |org| org.sector.as_str())).or_default();
        *affected += usize::from(row.verdict() == Verdict::Affected);
        *unknown += usize::from(row.verdict() == Verdict::Unknown);
        *total += 1;
    }
    let mut sectors: Vec<_> =
        sectors.into_iter().filter(|(_, [affected, unknown, _])| affected + unknown > 0).collect();
    sectors.sort_by_key(|(code, [affected, unknown, _])| {
        (std::cmp::Reverse((*affected, *unknown)), *code)
    });
    let text = |count: usize| Number::from(count).text(lang);
    let row = |(code, [affected, unknown, total]): (&str, [usize; 3])| AnswerRow {
        name: words::sector(lang, code).to_owned(),
        affected: text(affected),
        unknown: text(unknown),
        total: text(total),
        permille: affected * 1000 / total.max(1),
    };
    sectors.into_iter().map(row).collect()
}

fn verdict_choices(lang: Lang, wanted: Option<Verdict>) -> Vec<Choice> {
    let choice = |verdict: Verdict| Choice {
        value: verdict.as_str().to_owned(),
        text: words::verdict(lang, verdict).to_owned(),
        chosen: wanted == Some(verdict),
    };
    VERDICTS.map(choice).into()
}

/// What nobody published and finds nothing in the part that is read: words of one's own about other
/// people's sites, often from before anybody knew more.
pub(super) fn unread(
    engine: &Engine,
    reads: &dyn Fn(&Scope) -> bool,
) -> Result<BTreeSet<String>, StoreError> {
    if reads(&Scope::root()) {
        return Ok(BTreeSet::new());
    }
    let own: Vec<String> = engine.with_inventory(|_, advisories| {
        let groups = advisories.groups().filter(|group| is_own(group));
        groups.map(|group| group.id.clone()).collect()
    });
    let bodies = engine.store().organisations()?;
    let read = bodies.iter().filter(|body| reads(&Scope::of_body(&body.sector, &body.name)));
    let read: BTreeSet<_> = read.map(|body| body.id).collect();
    let sites = engine.sites();
    let sites: Vec<&Site> = sites.iter().filter(|site| read.contains(&site.org)).collect();
    let touches = |id: &String| {
        let found = engine.found(id);
        let is_found = |id| found.affected.contains(id) || found.possible.contains(id);
        sites.iter().any(|site| is_found(site.id.0))
    };
    Ok(own.into_iter().filter(|id| !touches(id)).collect())
}

/// Whether the words of an advisory are of nobody but this register.
fn is_own(group: &Group) -> bool {
    let mut published = group.records().filter(|record| !record.id.starts_with(OWN_PREFIX));
    published.all(|record| record.summary != group.summary())
}

fn facts(lang: Lang, group: &Group) -> String {
    let known = severity(lang, group.score(), group.known_exploited());
    let parts = [known, group.summary().to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inventories_of_most_sites_are_read_and_each_once() {
        let digest = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            Digest(bytes)
        };
        let many = READS_MAX + 5;
        // One inventory each, and the last one is that of a thousand sites more.
        let one = (0..many).map(|number| (digest(number), IdentityId(1)));
        let shared = (0..1_000).map(|at| (digest(many - 1), IdentityId(at % 2)));
        let read = inventories(one.chain(shared));
        assert_eq!(read.len(), READS_MAX);
        assert_eq!(read[0], (digest(many - 1), [IdentityId(0), IdentityId(1)].into()));
        assert_eq!(read[1], (digest(0), [IdentityId(1)].into()));
        assert!(inventories([].into_iter()).is_empty());
    }
}
