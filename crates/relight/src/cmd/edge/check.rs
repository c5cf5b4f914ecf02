//! `relight edge check`: what each edge shows against what the journal wants, and what is wrong
//! with its set-up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use clap::Args;
use relight_engine::drill::DRILL_AGE_MAX_S;
use relight_engine::edge::config::CANARY_HOST;
use relight_engine::edge::spelling::{Spelled, open_to_nobody, spell_site, without_http2};
use relight_engine::edge::{
    self, Capabilities, EdgeError, EdgeErrorKind, Lint, LintSeverity, Listener, ProbeTarget,
    Target, Untried,
};
use relight_engine::edges;
use relight_engine::incident::{HOST_SPELLING, first_named};
use relight_engine::reconcile::{BARRIER, SPELL_MAX, SPELLED_NAMES_MAX, Want, wants};
use relight_engine::refusals::configuration_lints;
use relight_model::{GateKey, Light, Seen, Site};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use super::{repair, targets, unasked};
use crate::context::Context;
use crate::failure::{Failure, chain, coded};
use crate::register::Register;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};

/// Code of a canary that no longer does as it is told.
const CANARY_FAILED: &str = "canary-failed";

/// Code of an edge of a kind that is believed after a drill only, before there was one.
const DRILL_MISSING: &str = "drill-missing";

/// Code of one whose drill could not try what is only declared of it.
const DRILL_UNTRIED: &str = "drill-untried";

/// Code of an edge on which nobody knows how many tunnels are open.
const TUNNELS_UNCOUNTED: &str = "tunnels-uncounted";

/// Code of a second barrier that does not do what it was told.
const BARRIER_FAILS: &str = "barrier-fails";

/// Code of an edge that said again and again that it is dark while visitors got in.
const EDGE_UNTRUSTED: &str = "edge-untrusted";

/// Code of an edge on which a drill was killed, and what it closed was not seen lit since.
const DRILL_INTERRUPTED: &str = "drill-interrupted";

/// Sites that are named of those which a finding is about.
const NAMED_MAX: usize = 6;

/// Code of one of which nobody can tell here whether a spelling still does.
const SPELLING_UNTOLD: &str = "spelling-untold";

/// Sites of one edge that are asked for in every spelling; the others are named.
const SPELLED_MAX: usize = 6;

/// Why nothing is known here of an edge that an agent writes.
const ELSEWHERE: &str = "an agent writes it on its own machine, and only the server asks that";

/// Whether what differs is mended.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[arg(long)]
    repair: bool,
}

#[derive(Serialize)]
struct CheckDocument {
    edges: Vec<CheckRow>,
}

#[derive(Serialize)]
pub(super) struct CheckRow {
    name: String,
    kind: String,
    sites: usize,
    equal: usize,
    pub(super) differ: Vec<String>,
    findings: Vec<LintRow>,
    error: Option<String>,
    /// Only the server can ask it: nothing is known here.
    #[serde(skip)]
    is_elsewhere: bool,
}

#[derive(Serialize)]
struct LintRow {
    code: &'static str,
    place: String,
    refuses: bool,
}

impl Check {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open(context)?;
        let targets = targets(&register, context)?;
        let mut rows: Vec<CheckRow> =
            targets.iter().map(|it| look(it, &targets, &register)).collect();
        if self.repair && rows.iter().any(|row| !row.differ.is_empty()) {
            repair::run(context, report)?;
            rows = targets.iter().map(|it| look(it, &targets, &register)).collect();
        }
        if rows.iter().any(|row| row.is_elsewhere) {
            report.raise(Exit::Incomplete);
        }
        let bad = |row: &CheckRow| {
            let is_failed = row.error.is_some() && !row.is_elsewhere;
            is_failed || !row.differ.is_empty() || row.findings.iter().any(|l| l.refuses)
        };
        if rows.iter().any(bad) {
            report.raise(Exit::Failed);
        }
        if context.json {
            report.document("relight.edge-check/1", &CheckDocument { edges: rows });
        } else {
            tell_check(&rows, context, report);
        }
        Ok(())
    }
}

/// What one edge shows against what the journal wants, and what is wrong with its set-up. One
/// edge that does not answer hides no other. `all` are those of the register.
pub(super) fn look(target: &Target, all: &[Target], register: &Register) -> CheckRow {
    let here = register.sites.iter().filter(|site| site.edge == target.name);
    let mut wanted: Vec<(GateKey, Light)> =
        here.map(|site| (site.slug.clone(), register.ledger.wants(&site.slug))).collect();
    let sites = wanted.len();
    let parts: Vec<_> = wanted.iter().flat_map(|(key, _)| register.ledger.parts_of(key)).collect();
    wanted.extend(parts);
    let keys: Vec<GateKey> = wanted.iter().map(|(key, _)| key.clone()).collect();
    let mut row = CheckRow {
        name: target.name.clone(),
        kind: target.kind.clone(),
        sites,
        equal: 0,
        differ: Vec::new(),
        findings: Vec::new(),
        error: None,
        is_elsewhere: edge::is_elsewhere(target),
    };
    let identity = edges::identity(target).ok();
    let drilled = identity.and_then(|it| register.ledger.drilled(&target.name, &it));
    let drilled = drilled.filter(|it| register.now - it.at <= DRILL_AGE_MAX_S);
    let untried = drilled.map(|it| it.untried);
    if row.is_elsewhere {
        row.error = Some(ELSEWHERE.to_owned());
        row.findings = without_an_answer(target, register);
        return row;
    }
    let seen = edge::open(target).and_then(|mut driver| {
        let mut findings = driver.lint()?;
        let views = driver.observe(&keys)?;
        findings.extend(unasked::find((&target.name, all), &mut *driver, register)?);
        let unshown = unshown(&target.name, &driver.capabilities(), untried);
        let mut reached = reach(target, register)?;
        findings.extend(open_to_nobody(target)?);
        findings.extend(without_http2(target)?);
        reached.extend(past(target, register)?);
        Ok((findings, views, reached, unshown))
    });
    let (findings, views, reached, unshown) = match seen {
        Ok(seen) => seen,
        Err(error) => {
            row.error = Some(chain(&error));
            row.findings = without_an_answer(target, register);
            return row;
        }
    };
    row.findings = rows_of(findings, target);
    row.findings.extend(reached);
    row.findings.extend(unshown);
    row.findings.extend(of_journal(target, register));
    let mut differ = BTreeSet::new();
    for (index, ((key, light), view)) in wanted.iter().zip(&views).enumerate() {
        let wanted = Seen::from(*light);
        if view.durable != wanted || view.runtime != wanted {
            differ.insert(key.to_string());
        } else if index < sites {
            row.equal += 1;
        }
    }
    row.differ = differ.into_iter().collect();
    row
}

/// What a drill would have to show of an edge before anything there counts as proven dark.
fn unshown(edge: &str, able: &Capabilities, untried: Option<Untried>) -> Option<LintRow> {
    if able.missing_for_dark(untried).contains(&"drill") {
        let place = format!("relight drill --edges {edge}");
        return Some(LintRow { code: DRILL_MISSING, place, refuses: false });
    }
    let mut left = able.missing_for_dark(untried);
    let by_itself = able.missing_for_dark(Some(Untried::default()));
    left.retain(|it| !by_itself.contains(it));
    let place = left.join(" ");
    (!left.is_empty()).then_some(LintRow { code: DRILL_UNTRIED, place, refuses: false })
}

/// What the journal alone says of an edge that nobody can ask now.
fn without_an_answer(target: &Target, register: &Register) -> Vec<LintRow> {
    let led = led_past(target, register);
    let led = led.iter().map(|want| unasked_for(want, target, register));
    of_journal(target, register).into_iter().chain(led).collect()
}

/// What the journal says of an edge: of its canary, of its second barrier, and of itself.
fn of_journal(target: &Target, register: &Register) -> Vec<LintRow> {
    let found = |code, place| LintRow { code, place, refuses: false };
    let canary = register.ledger.canary_failure(&target.name);
    let spelling = register.ledger.canary_spelling(&target.name).map(|how| format!(" ({how})"));
    let spelling = spelling.unwrap_or_default();
    let canary = canary
        .map(|(at, what)| found(CANARY_FAILED, format!("{what}{spelling}, {}", rfc3339(*at))));
    let caught = register.ledger.caught(&target.name, register.now);
    let caught = caught.map(|at| found(EDGE_UNTRUSTED, rfc3339(at)));
    let drill = interrupted(&target.name, register);
    let drill = drill.map(|it| found(DRILL_INTERRUPTED, it));
    [canary, barred(target, register), caught, drill].into_iter().flatten().collect()
}

/// What a drill that was interrupted may have left dark on an edge, and since when: also of one
/// that the journal does not call so yet, and that nobody plays any more.
pub(crate) fn interrupted(edge: &str, register: &Register) -> Option<String> {
    let rehearsed = register.ledger.rehearsed_on(edge)?;
    let is_held = || register.store.take_drill(edge).is_ok_and(|held| held.is_none());
    let is_gone = !rehearsed.running.is_empty() && !is_held();
    let running = rehearsed.running.iter().filter(|_| is_gone);
    let keys: BTreeSet<&GateKey> = rehearsed.left.iter().chain(running).collect();
    let place =
        format!("{}: {}", rfc3339(rehearsed.since), first_named(keys.iter().copied(), NAMED_MAX));
    (!keys.is_empty()).then_some(place)
}

/// What the second barrier of an edge does not do, as the journal says.
fn barred(target: &Target, register: &Register) -> Option<LintRow> {
    let barrier = target.settings.get(BARRIER)?;
    let told = register.ledger.barred(&target.name).filter(|it| it.barrier == *barrier)?;
    let place = format!("{barrier}: {}: {}", told.why, first_named(told.about(), NAMED_MAX));
    let finding = LintRow { code: BARRIER_FAILS, place, refuses: false };
    (!told.why.is_empty()).then_some(finding)
}

/// What the driver found, and what is wrong with the configuration that the register names.
fn rows_of(findings: Vec<Lint>, target: &Target) -> Vec<LintRow> {
    let lints = findings.into_iter().chain(configuration_lints(target));
    let row = |lint: Lint| LintRow {
        code: lint.code,
        place: lint.place,
        refuses: lint.severity == LintSeverity::Error,
    };
    lints.map(row).collect()
}

/// Whether a finding keeps sites from being proven dark: an edge whose canary fails, or that only
/// a drill makes believable, is no readier than one whose set-up leaves sites lit.
fn stands_in_the_way(finding: &LintRow) -> bool {
    let others = [
        CANARY_FAILED,
        DRILL_MISSING,
        DRILL_UNTRIED,
        TUNNELS_UNCOUNTED,
        BARRIER_FAILS,
        EDGE_UNTRUSTED,
        DRILL_INTERRUPTED,
    ];
    finding.refuses || others.contains(&finding.code)
}

/// What stands between each edge and a proof, in words: nothing for one that is ready.
pub(crate) fn troubles(
    register: &Register,
    context: &Context,
) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let lang = context.lang;
    let trouble = |row: CheckRow| {
        // What the server finds when it asks stands in the journal.
        let mut what: Vec<String> = row.error.into_iter().filter(|_| !row.is_elsewhere).collect();
        if let [first, rest @ ..] = &row.differ[..] {
            what.push(texts::edge_differs(lang, rest.len() + 1, first));
        }
        let said = |it: LintRow| match it.code {
            DRILL_UNTRIED => format!("relight drill --edges {} ({})", row.name, it.place),
            _ => it.place,
        };
        what.extend(row.findings.into_iter().filter(stands_in_the_way).map(said));
        (row.name, what)
    };
    let targets = targets(register, context)?;
    Ok(targets.iter().map(|it| trouble(look(it, &targets, register))).collect())
}

/// An edge that nobody reaches shows nothing dark, whatever its gate says, and neither does one
/// under TLS whose certificate is not good for a site.
fn reach(target: &Target, register: &Register) -> Result<Vec<LintRow>, EdgeError> {
    let mut misnamed = Vec::new();
    for listener in Listener::all(target)? {
        listener.connect(CANARY_HOST)?;
        let sites = register.sites.iter().filter(|site| site.edge == target.name);
        for site in sites.filter(|_| listener.is_secured()) {
            for host in site.hosts() {
                match listener.connect(host) {
                    Err(error) if error.kind == EdgeErrorKind::Certificate => {
                        let place = format!("{} at {listener}: {}", site.slug, chain(&error));
                        misnamed.push(LintRow { code: "certificate-wrong", place, refuses: true });
                    }
                    connected => drop(connected?),
                }
            }
        }
    }
    Ok(misnamed)
}

/// How visitors get past the gates of dark sites of which the journal says that they do: the first
/// of them are asked for in every spelling here.
fn past(target: &Target, register: &Register) -> Result<Vec<LintRow>, EdgeError> {
    let found = |code, place| LintRow { code, place, refuses: true };
    let led = led_past(target, register);
    if led.is_empty() {
        return Ok(Vec::new());
    }
    let (listeners, mut rows) = (Listener::all(target)?, Vec::new());
    for want in led.iter().take(SPELLED_MAX) {
        let mut untold = None;
        let before = rows.len();
        for host in want.names().take(SPELLED_NAMES_MAX) {
            let baseline = want.target.baseline.filter(|_| host == want.target.host);
            let host = host.to_owned();
            let asked = ProbeTarget { host, baseline, ..want.target.clone() };
            for listener in &listeners {
                let until = Instant::now() + SPELL_MAX;
                let of = |what: String| format!("{} at {what}", asked.host);
                match spell_site(listener, &asked, until) {
                    Spelled::Shut => {}
                    Spelled::Past(what) => rows.push(found(HOST_SPELLING, of(what))),
                    Spelled::Untold(what) => untold = untold.or(Some(of(what))),
                }
            }
        }
        if let Some(what) = untold.filter(|_| rows.len() == before) {
            rows.push(found(SPELLING_UNTOLD, as_journalled(what, want, target, register)));
        }
    }
    let unasked = led.iter().skip(SPELLED_MAX);
    rows.extend(unasked.map(|want| unasked_for(want, target, register)));
    Ok(rows)
}

/// The dark sites of an edge that a spelling of their name reached, as the journal says.
fn led_past(target: &Target, register: &Register) -> Vec<Want> {
    let led = register.ledger.led_past();
    let here = register.sites.iter().filter(|it| it.edge == target.name && led.contains(&it.slug));
    let here: BTreeMap<&GateKey, &Site> = here.map(|site| (&site.slug, site)).collect();
    if here.is_empty() {
        return Vec::new();
    }
    let mut wants = wants(&register.ledger, &target.name, |key| here.get(key).copied());
    wants.retain(|want| want.light == Light::Dark && !want.is_part());
    wants
}

/// One of them that nobody asks for here.
fn unasked_for(want: &Want, target: &Target, register: &Register) -> LintRow {
    let place = as_journalled(want.target.host.clone(), want, target, register);
    LintRow { code: SPELLING_UNTOLD, place, refuses: true }
}

/// What is said of one of them here, and the spelling that the journal names.
fn as_journalled(what: String, want: &Want, target: &Target, register: &Register) -> String {
    match register.ledger.spelling(&target.name, &want.target.key) {
        Some(how) => format!("{what} ({how})"),
        None => what,
    }
}

fn tell_check(rows: &[CheckRow], context: &Context, report: &mut Report) {
    let lang = context.lang;
    let mut table = Table::new(&[
        (texts::column_edge(lang), Align::Left),
        (texts::column_kind(lang), Align::Left),
        (texts::column_sites(lang), Align::Right),
        (texts::column_equal(lang), Align::Right),
        (texts::column_state(lang), Align::Left),
    ]);
    for row in rows {
        let state = match (&row.error, &row.differ[..]) {
            _ if row.is_elsewhere => texts::edge_not_asked(lang).to_owned(),
            (Some(_), _) => texts::edge_no_answer(lang).to_owned(),
            (None, []) => texts::edge_ok(lang).to_owned(),
            (None, [first, ..]) => texts::edge_differs(lang, row.differ.len(), first),
        };
        let (sites, equal) = (row.sites.to_string(), row.equal.to_string());
        table.row(vec![row.name.clone(), row.kind.clone(), sites, equal, state]);
    }
    table.print(report);
    report.line(&texts::edges_known(lang, rows.len()));
    for row in rows {
        for lint in &row.findings {
            let (what, remedy) = coded(lang, &format!("lint-{}", lint.code));
            let what = if what.is_empty() { lint.code } else { what };
            report.warn(&format!("{}: {}", row.name, lint.place), what, remedy);
        }
        if row.is_elsewhere {
            let what = texts::edge_unknown_here(lang);
            report.warn(&row.name, what, texts::edge_elsewhere_remedy(lang));
        } else if let Some(error) = &row.error {
            let (what, remedy) = (texts::edge_no_answer(lang), texts::edge_failed_remedy(lang));
            report.warn_in_detail(&row.name, what, error, remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use relight_engine::edge::{Basis, CutsTunnels};

    use super::*;

    /// Goal: whoever looks at an edge learns what its drill could not show, and nothing of it where
    /// the program was measured. Method: no drill, one that tried neither, one that tried all.
    #[test]
    fn what_a_drill_has_yet_to_show_is_named() {
        let cuts_tunnels = CutsTunnels::Driver;
        let able = Capabilities { cuts_tunnels, ..Capabilities::FILE_GATE };
        let told = Capabilities { basis: Basis::Declared, ..able };
        let found = |able: &Capabilities, untried: Option<Untried>| {
            unshown("north", able, untried).map(|row| (row.code, row.place))
        };
        let neither = Some(Untried { reload: true, tunnels: true });
        let drill = (DRILL_MISSING, "relight drill --edges north".to_owned());
        assert_eq!(found(&told, None), Some(drill));
        let place = "survives_reload cuts_tunnels".to_owned();
        assert_eq!(found(&told, neither), Some((DRILL_UNTRIED, place)));
        let forgets = Capabilities { survives_reload: false, ..told };
        let place = "cuts_tunnels".to_owned();
        assert_eq!(found(&forgets, neither), Some((DRILL_UNTRIED, place)), "the other is not said");
        assert_eq!(found(&told, Some(Untried::default())), None);
        assert_eq!((found(&able, None), found(&able, neither)), (None, None));
    }
}
