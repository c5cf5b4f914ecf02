//! `/edges`: whether each edge shows what is wanted of it, as the journal knows. Nothing is asked
//! of an edge for this page: many may look at it, and none of them keeps an edge from its work.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::barriers::{BarrierFault, barrier_of};
use relight_engine::edge::Target;
use relight_engine::incident::{Barred, Gate, Ledger};
use relight_engine::live::Proofs;
use relight_engine::reconcile::BARRIER;
use relight_engine::store::EdgeRow as Row;
use relight_engine::{Engine, EngineError, edges};
use relight_model::{GateKey, Light, Timestamp};
use relight_web::edge_views::{EdgeRow, EdgesPage};
use relight_web::register_views::Link;
use relight_web::{Lang, Number, texts};

use super::act::moment;
use super::sites::ROWS_MAX;
use super::{Asked, Console, act, blocking};
use crate::page::{self, encode};
use crate::sse::topic::Topic;

/// Sites that are named of those that are not as they are wanted.
const DIFFERS_MAX: usize = 6;

pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        match view(&console, engine, &asked) {
            Ok(page) => page::html(StatusCode::OK, relight_web::render(&page)),
            Err(error) => act::refused(&console, &asked, &error, "/"),
        }
    })
    .await
}

fn view(console: &Console, engine: &Engine, asked: &Asked) -> Result<EdgesPage, EngineError> {
    let (lang, rows) = (console.lang(asked), engine.store().edges()?);
    let mut behind: BTreeMap<String, Vec<GateKey>> = BTreeMap::new();
    for site in engine.sites() {
        behind.entry(site.edge).or_default().push(site.slug);
    }
    let proofs = console.board.proofs();
    let turns = turns(&proofs);
    let known = rows.iter().filter_map(|row| edges::named(&row.name, &rows).ok().flatten());
    let targets: Vec<Target> = known.collect();
    let with_sites: BTreeSet<String> = behind.keys().cloned().collect();
    let has_sites = |name: &str| with_sites.contains(name);
    // One look at the journal for all: a row shows one moment.
    let mut known: Vec<Known> = engine.with_ledger(|ledger| {
        let of = |row: &Row| {
            let sites = behind.remove(&row.name).unwrap_or_default();
            let barrier = Barrier::of(ledger, &row.name, &targets, has_sites);
            let target = targets.iter().find(|target| target.name == row.name);
            Known::of(ledger, (row, target), sites, barrier)
        };
        rows.iter().map(of).collect()
    });
    for edge in &mut known {
        edge.turned = edge.sites.iter().filter_map(|site| turns.get(site.as_str())).max().copied();
    }
    // A stable sort: those that are alike stay in the order of their names.
    known.sort_by_key(|edge| edge.standing.rank());
    let without: usize = behind.values().map(Vec::len).sum();
    let left = known.len().saturating_sub(ROWS_MAX);
    let switch = format!("/edges?lang={}", lang.other().tag());
    let mut page = EdgesPage {
        frame: console.frame(asked, texts::edges_title(lang), "edges", switch),
        count: texts::edges_count(lang, rows.len()),
        without: told(without, |count| texts::edges_without(lang, count)),
        rows: known.iter().take(ROWS_MAX).map(|edge| edge.row(lang)).collect(),
        more: told(left, |count| texts::edges_more(lang, count)),
    };
    page.frame.fresh = Topic::Edges.mark(&text_of(&page));
    Ok(page)
}

/// What the page shows, as one text.
pub(crate) fn shown(
    console: &Console,
    engine: &Engine,
    asked: &Asked,
) -> Result<String, EngineError> {
    view(console, engine, asked).map(|page| text_of(&page))
}

fn text_of(page: &EdgesPage) -> String {
    format!("{:?} {} {} {}", page.rows, page.count, page.without, page.more)
}

/// A sentence about a number, and none about nothing.
pub(super) fn told(count: usize, sentence: impl FnOnce(usize) -> String) -> String {
    if count == 0 { String::new() } else { sentence(count) }
}

/// When each site was last seen to go dark or to come back.
fn turns(proofs: &Proofs) -> HashMap<&str, Timestamp> {
    let mut turns = HashMap::new();
    let over = proofs.past.iter().map(|outage| (outage.site, outage.to));
    let dark = proofs.dark_since.iter().enumerate().filter_map(|(at, since)| Some((at, (*since)?)));
    for (at, turned) in over.chain(dark) {
        let Some(site) = proofs.sites.get(at) else { continue };
        let last = turns.entry(site.slug.as_str()).or_insert(turned);
        *last = turned.max(*last);
    }
    turns
}

/// How an edge stands to what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// Its row is none that anybody could open.
    Unreadable,
    /// Another controller acts there, or this register is older than its gate.
    Fenced(Timestamp),
    /// Its canary does not do what it is told.
    Failing(Timestamp, String, Option<String>),
    /// A drill left something dark, of which this is the first.
    Rehearsed(Timestamp, GateKey),
    /// Sites are not, or not yet, as they are wanted.
    Differs,
    /// Every site is.
    Agrees,
    /// No incident wants anything of it.
    Resting,
}

impl Standing {
    /// What needs somebody stands above.
    const fn rank(&self) -> u8 {
        match self {
            Self::Unreadable => 0,
            Self::Fenced(_) => 1,
            Self::Failing(..) => 2,
            Self::Rehearsed(..) => 3,
            Self::Differs => 4,
            Self::Agrees => 5,
            Self::Resting => 6,
        }
    }

    /// Its sign, a word, and why.
    fn words(&self, lang: Lang) -> (&'static str, &'static str, String) {
        let because = |why: &str, at: Timestamp| texts::edges_why(lang, &moment(lang, at), why);
        match self {
            Self::Unreadable => ("no", texts::edges_unreadable(lang), String::new()),
            Self::Fenced(at) => {
                ("no", texts::edges_fenced(lang), because(texts::reason_fenced(lang), *at))
            }
            Self::Failing(at, what, spelling) => {
                let why = texts::by_code(lang, &format!("reason-{what}")).unwrap_or(what);
                let why = match spelling {
                    Some(how) => texts::labelled(lang, why, how),
                    None => why.to_owned(),
                };
                ("no", texts::edges_failing(lang), because(&why, *at))
            }
            Self::Rehearsed(at, key) => {
                ("no", texts::edges_rehearsed(lang), because(key.as_str(), *at))
            }
            Self::Differs => ("no", texts::edges_differing(lang), String::new()),
            Self::Agrees => ("yes", texts::edges_agrees(lang), String::new()),
            Self::Resting => ("", texts::edges_resting(lang), String::new()),
        }
    }
}

/// What closes what an edge does not.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Barrier {
    /// Nothing: what this edge fails to darken stays open.
    None,
    /// It is that of another edge.
    Of(String),
    /// The edge that was named cannot be one.
    Unfit(String, BarrierFault),
    /// It has nothing to close.
    Waits(String),
    /// It closes so many sites.
    Closes(String, usize),
    /// It does not close so many sites, or does not open them, since when and why.
    Fails(String, Barred),
}

impl Barrier {
    fn of(
        ledger: &Ledger,
        edge: &str,
        targets: &[Target],
        has_sites: impl Fn(&str) -> bool,
    ) -> Self {
        let front = |it: &&Target| it.settings.get(BARRIER).is_some_and(|name| name == edge);
        if let Some(front) = targets.iter().find(front) {
            return Self::Of(front.name.clone());
        }
        let Some((number, target)) = targets.iter().enumerate().find(|(_, it)| it.name == edge)
        else {
            return Self::None;
        };
        let name = target.settings.get(BARRIER).cloned().unwrap_or_default();
        // As the server takes them when it starts: whoever comes first has it.
        match barrier_of(target, targets, &targets[..number], has_sites) {
            Ok(None) => Self::None,
            Err(fault) => Self::Unfit(name, fault),
            Ok(Some(_)) => match ledger.barred(edge).filter(|it| it.barrier == name) {
                Some(it) if !it.why.is_empty() => Self::Fails(name, it.clone()),
                Some(it) if !it.sites.is_empty() => Self::Closes(name, it.sites.len()),
                _ => Self::Waits(name),
            },
        }
    }

    /// Its sign, its name or that there is none, and what it does.
    fn words(&self, lang: Lang) -> (&'static str, String, String) {
        let of_code = |key: String, code: &str| {
            texts::by_code(lang, &key).map_or_else(|| code.to_owned(), str::to_owned)
        };
        match self {
            Self::None => {
                let why = texts::edges_barrier_none_why(lang).to_owned();
                ("", texts::edges_barrier_none(lang).to_owned(), why)
            }
            Self::Of(front) => ("", texts::edges_barrier_of(lang, front), String::new()),
            Self::Unfit(name, fault) => {
                ("no", name.clone(), of_code(fault.code().to_owned(), fault.code()))
            }
            Self::Waits(name) => ("yes", name.clone(), texts::edges_barrier_waits(lang).to_owned()),
            Self::Closes(name, count) => {
                ("yes", name.clone(), texts::edges_barrier_closes(lang, *count))
            }
            Self::Fails(name, told) => {
                let (code, count) = (&told.why, told.about().len());
                let why = of_code(format!("reason-{code}"), code);
                let why = texts::edges_why(lang, &moment(lang, told.at), &why);
                let words = match told.held.is_empty() {
                    true => texts::edges_barrier_fails(lang, count, &why),
                    false => texts::edges_barrier_keeps(lang, count, &why),
                };
                let closed = told.sites.len();
                let words = match told.held.is_empty() || closed == 0 {
                    true => words,
                    false => texts::edges_barrier_and(
                        lang,
                        &texts::edges_barrier_closes(lang, closed),
                        &words,
                    ),
                };
                ("no", name.clone(), words)
            }
        }
    }
}

/// One edge, as the journal knows it.
struct Known {
    name: String,
    kind: String,
    listeners: Vec<String>,
    sites: Vec<GateKey>,
    wanted: usize,
    differs: Vec<GateKey>,
    turned: Option<Timestamp>,
    drilled: Option<Timestamp>,
    standing: Standing,
    barrier: Barrier,
}

impl Known {
    fn of(
        ledger: &Ledger,
        (row, target): (&Row, Option<&Target>),
        sites: Vec<GateKey>,
        barrier: Barrier,
    ) -> Self {
        let wanted = sites.iter().filter(|site| ledger.wants(site) == Light::Dark).count();
        let differs: Vec<_> = sites.iter().filter(|site| differs(ledger, site)).cloned().collect();
        let is_needed = wanted > 0 || sites.iter().any(|site| ledger.is_at_work(site));
        let spelling = ledger.canary_spelling(&row.name).map(str::to_owned);
        let left = ledger.rehearsed_on(&row.name);
        let left = left.and_then(|it| Some((it.since, it.left.first()?.clone())));
        let mut known = Self {
            name: row.name.clone(),
            kind: row.kind.clone(),
            listeners: Vec::new(),
            wanted,
            turned: None,
            drilled: None,
            standing: match (ledger.canary_failure(&row.name), left) {
                (Some((at, what)), _) if what == "fenced" => Standing::Fenced(*at),
                (Some((at, what)), _) => Standing::Failing(*at, what.clone(), spelling),
                (None, Some((at, key))) => Standing::Rehearsed(at, key),
                _ if !differs.is_empty() => Standing::Differs,
                _ if is_needed => Standing::Agrees,
                _ => Standing::Resting,
            },
            differs,
            sites,
            barrier,
        };
        match target {
            Some(target) => {
                if !target.members.is_empty() {
                    let names = target.members.iter().map(|member| member.name.as_str());
                    let names = names.collect::<Vec<_>>().join(" + ");
                    known.kind = format!("{} ({names})", known.kind);
                }
                let identity = edges::identity(target).ok();
                known.drilled = identity
                    .and_then(|identity| ledger.drilled(&row.name, &identity))
                    .map(|it| it.at);
                known.listeners = target.listeners.iter().map(ToString::to_string).collect();
            }
            None => known.standing = Standing::Unreadable,
        }
        known
    }

    fn row(&self, lang: Lang) -> EdgeRow {
        let (sign, state, why) = self.standing.words(lang);
        let unnamed = self.differs.len().saturating_sub(DIFFERS_MAX);
        let number = |count: usize| Number::from(count).text(lang);
        let href = |site: &GateKey| format!("/site/{}?lang={}", encode(site.as_str()), lang.tag());
        let link = |site: &GateKey| Link { text: site.to_string(), href: href(site) };
        let undrilled = || texts::edges_undrilled(lang).to_owned();
        EdgeRow {
            name: self.name.clone(),
            kind: self.kind.clone(),
            listeners: self.listeners.join(" "),
            sites: number(self.sites.len()),
            wanted: number(self.wanted),
            sign,
            state,
            why,
            differs: self.differs.iter().take(DIFFERS_MAX).map(link).collect(),
            more: told(unnamed, |count| texts::edges_more(lang, count)),
            barrier: self.barrier.words(lang),
            turned: self.turned.map(|at| moment(lang, at)).unwrap_or_default(),
            drilled: self.drilled.map_or_else(undrilled, |at| moment(lang, at)),
        }
    }
}

/// Whether a site, or a part of it, does not show what is wanted, or is not proven to. What is
/// wanted of it is what all incidents together want: one that is done with a site or a part has
/// nothing to see of it while another keeps it closed.
fn differs(ledger: &Ledger, site: &GateKey) -> bool {
    let is_dark = ledger.wants(site) == Light::Dark;
    let mut cases = ledger.open().filter_map(|(_, incident)| incident.case(site));
    let is_other = match is_dark {
        true => !ledger.is_proven_dark(site),
        false => cases.any(|case| case.ordered && case.gate != Gate::Open),
    };
    is_other
        || ledger.parts_of(site).iter().any(|(part, light)| {
            let mut cases = ledger.open().filter_map(|(_, incident)| incident.part(part));
            match light {
                Light::Dark => cases.any(|it| it.light == Light::Dark && it.gate != Gate::Proven),
                // Nobody sees a part open while all of its site is dark.
                Light::Lit => !is_dark && cases.any(|it| it.gate != Gate::Open),
            }
        })
}

#[cfg(test)]
mod tests {
    use relight_engine::incident::{Acceptance, Entry, Ground, PartName, PartSeen};
    use relight_model::{Digest, SitePart};

    use super::*;

    /// Whoever reads that a pair agrees has to know which proxies those are.
    #[test]
    fn a_group_is_shown_with_the_names_of_its_members() {
        let edge = |name: &str, kind: &str, members: &[Target]| Target {
            name: name.into(),
            kind: kind.into(),
            gate: "/srv/gate".into(),
            listeners: Vec::new(),
            verify: None,
            settings: [].into(),
            members: members.to_vec(),
        };
        let members = [edge("hall-1", "nginx_file", &[]), edge("hall-2", "haproxy", &[])];
        let ledger = Ledger::new(1);
        for (target, shown) in [
            (edge("hall", "group", &members), "group (hall-1 + hall-2)"),
            (edge("alone", "haproxy", &[]), "haproxy"),
        ] {
            let row = edges::to_row(&target).unwrap();
            let known = Known::of(&ledger, (&row, Some(&target)), Vec::new(), Barrier::None);
            assert_eq!(known.row(Lang::En).kind, shown);
        }
    }

    /// Goal: an edge that does what all incidents together want is not called wrong. Method: two
    /// incidents close one part; one is done with it, then the other too.
    #[test]
    fn a_part_that_another_incident_keeps_closed_agrees() {
        let site = GateKey::new("a").unwrap();
        let part = SitePart::parse("booking=/booking").unwrap();
        let parts = vec![PartName { site: site.clone(), part }];
        let mut ledger = Ledger::new(1);
        let mut say = |id: &str, entry: &Entry| {
            ledger.apply(id, entry, 1_000).unwrap_or_else(|why| panic!("{id} {entry:?}: {why:?}"));
            differs(&ledger, &site)
        };
        let closed = Entry::PartsClosed {
            plan: Digest::default(),
            parts: parts.clone(),
            reason: "test".into(),
        };
        let seen = |seen| Entry::PartsSeen {
            parts: parts.clone(),
            edge: "east".into(),
            seen,
            why: String::new(),
        };
        let accepted = Entry::Exempted {
            site: site.clone(),
            ground: Ground::Acceptance(Acceptance {
                proposer: "anna".into(),
                approver: "zoe".into(),
                reason: "information pages only".into(),
                expires: 1_600,
            }),
            witness: None,
        };
        let opened = Entry::PartsOpened { parts: parts.clone() };
        for id in ["CVE-1", "CVE-2"] {
            let entry = Entry::Opened {
                question: id.into(),
                title: "flaw".into(),
                revision: Digest([2; 32]),
                statements: Digest::default(),
                policy: "test".into(),
            };
            say(id, &entry);
            assert!(say(id, &closed), "not seen closed yet");
            assert!(!say(id, &seen(PartSeen::Closed)), "seen closed");
        }
        say("CVE-2", &accepted);
        assert!(!say("CVE-2", &opened), "the first one keeps it closed, and it is");
        assert!(say("CVE-1", &seen(PartSeen::Lost)), "it is not seen closed any more");
        assert!(!say("CVE-1", &seen(PartSeen::Closed)));
        say("CVE-1", &accepted);
        assert!(say("CVE-1", &opened), "now it is to be open");
        say("CVE-1", &seen(PartSeen::Open));
        assert!(!say("CVE-2", &seen(PartSeen::Open)), "and both saw it open");
    }
}
