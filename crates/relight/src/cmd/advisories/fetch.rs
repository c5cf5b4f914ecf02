//! `relight advisories update`: fetches the feeds of this register, now.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget};
use relight_engine::fetch::{Fault, Feed, FetchOptions, Fetched, Fetcher, feeds};
use relight_engine::import::ImportReport;
use relight_engine::store::Store;
use relight_model::Warning;
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use super::changes;
use super::feeds::fault_words;
use super::import::{WarningRow, tell_warnings, warning_row};
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::inventory;
use crate::report::{Exit, Report, plain};
use crate::stop::stop_on_interrupt;

/// The variable with the file of certificates of authorities, as other programs read it.
const AUTHORITIES_VARIABLE: &str = "SSL_CERT_FILE";

/// The form of what is told.
const SCHEMA: &str = "relight.advisories-fetch/1";

/// Which feeds, and whose certificates are believed.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    pub(super) names: Vec<String>,
    pub(super) authorities: Option<PathBuf>,
    pub(super) accept: Vec<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    feeds: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    feed: &'a str,
    /// `changed`, `same`, `failed` or `held`.
    outcome: &'static str,
    requests: usize,
    records: usize,
    scores: usize,
    new: usize,
    changed: usize,
    same: usize,
    rejects: usize,
    trouble: Option<TroubleRow<'a>>,
    held_until: Option<String>,
    refused: Vec<WarningRow<'a>>,
}

#[derive(Serialize)]
struct TroubleRow<'a> {
    code: &'static str,
    detail: &'a str,
}

impl Fetch {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.store()?;
        let wanted = self.wanted(&store, context)?;
        let fetcher = fetcher(context, authorities(self.authorities).as_deref())?;
        let fetcher = fetcher.ok_or_else(|| {
            let (what, remedy) = coded(lang, "fetch-elsewhere");
            Failure::new(what).hint(remedy)
        })?;
        let bar = ProgressBar::new_spinner();
        if !context.progress {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_message(plain(&texts::fetch_progress(lang, wanted.len())));
        let actor = changes::accepter(&self.accept, context, &store, report)?;
        let (now, chance) = (context.now(), chance());
        let options = FetchOptions { accept: self.accept, actor, now, chance };
        let mut all = Vec::new();
        let told = &mut |fetched| {
            bar.tick();
            all.push(fetched);
        };
        let done = fetcher.fetch_all(&store, &wanted, &options, &stop_on_interrupt(), told);
        bar.finish_and_clear();
        all.sort_by(|a, b| a.feed.cmp(&b.feed));
        tell(&all, context, report);
        done.map_err(|error| context.store_failure(&error))
    }

    /// The feeds of these names, or all.
    fn wanted(&self, store: &Store, context: &Context) -> Result<Vec<Feed>, Failure> {
        let lang = context.lang;
        let mut all = feeds(store).map_err(|error| context.store_failure(&error))?;
        if all.is_empty() {
            let (what, remedy) = coded(lang, "fetch-no-feeds");
            return Err(Failure::usage(what).hint(remedy));
        }
        if let Some(name) = self.names.iter().find(|name| all.iter().all(|it| it.name != **name)) {
            let (what, remedy) = coded(lang, "feed-none");
            return Err(Failure::usage(texts::labelled(lang, what, name)).hint(remedy));
        }
        all.retain(|feed| self.names.is_empty() || self.names.contains(&feed.name));
        Ok(all)
    }
}

/// The right to fetch into the data folder; `None` when another process has it.
pub(crate) fn fetcher(
    context: &Context,
    authorities: Option<&Path>,
) -> Result<Option<Fetcher>, Failure> {
    let lang = context.lang;
    Fetcher::open(&context.data, authorities).map_err(|Fault { code, detail, .. }| {
        let what = fault_words(lang, code);
        let failure = Failure::new(texts::labelled(lang, &what, &detail));
        match code {
            "authorities" => failure.hint(texts::fetch_authorities_remedy(lang)),
            _ => failure,
        }
    })
}

/// The file of certificates of authorities that was given, or that the environment names.
pub(crate) fn authorities(given: Option<PathBuf>) -> Option<PathBuf> {
    let named = || std::env::var_os(AUTHORITIES_VARIABLE).filter(|it| !it.is_empty());
    given.or_else(|| named().map(PathBuf::from))
}

/// Any number, another one each time.
pub(crate) fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn tell(all: &[Fetched], context: &Context, report: &mut Report) {
    for fetched in all {
        tell_trouble(fetched, report);
    }
    if context.json {
        return report.document(SCHEMA, &Document { feeds: all.iter().map(row).collect() });
    }
    for fetched in all {
        report.line(&line(fetched, context.lang));
    }
}

/// Tells what one look of a server came to.
pub(crate) fn tell_one(fetched: &Fetched, context: &Context, report: &mut Report) {
    if context.json {
        report.document_line(SCHEMA, &Document { feeds: vec![row(fetched)] });
    } else {
        report.line(&line(fetched, context.lang));
    }
}

/// What could not be used, and why a feed did not come.
fn tell_trouble(fetched: &Fetched, report: &mut Report) {
    for warning in &fetched.notes {
        inventory::warn(warning, None, report);
    }
    for imported in &fetched.reports {
        tell_warnings(imported, report);
    }
    if let Some(warning) = warning_of(fetched) {
        inventory::warn(&warning, None, report);
        report.raise(Exit::Failed);
    }
}

/// Why a look was not whole.
pub(crate) fn warning_of(fetched: &Fetched) -> Option<Warning> {
    let Fault { code, detail, .. } = fetched.fault.as_ref()?;
    Some(Warning::new("feed-failed", &fetched.feed, format!("{code}: {detail}")))
}

fn outcome(fetched: &Fetched) -> &'static str {
    match fetched {
        Fetched { held_until: Some(_), .. } => "held",
        Fetched { fault: Some(_), .. } => "failed",
        Fetched { reports, .. } if reports.is_empty() => "same",
        _ => "changed",
    }
}

/// What a look came to, in a line.
fn line(fetched: &Fetched, lang: Lang) -> String {
    let (name, total) = (&fetched.feed, |of: fn(&_) -> usize| fetched.total(of));
    let scores: usize = fetched.reports.iter().map(|it| it.scores).sum();
    let what = match (&fetched.fault, fetched.held_until) {
        (_, Some(until)) => texts::feed_held(lang, &rfc3339(until)),
        (Some(fault), _) => texts::fetch_failed(lang, &fault_words(lang, fault.code)),
        (None, None) if fetched.reports.is_empty() => texts::fetch_same(lang).to_owned(),
        (None, None) if scores > 0 => texts::import_scores(lang, scores),
        (None, None) => texts::fetch_changed(
            lang,
            total(|it| it.changed),
            total(|it| it.new),
            total(|it| it.same),
        ),
    };
    texts::labelled(lang, name, &what)
}

fn row(fetched: &Fetched) -> Row<'_> {
    let sum = |of: fn(&ImportReport) -> usize| fetched.reports.iter().map(of).sum();
    let warnings = fetched.reports.iter().flat_map(|it| &it.warnings).chain(&fetched.notes);
    let trouble = fetched.fault.as_ref();
    Row {
        feed: &fetched.feed,
        outcome: outcome(fetched),
        requests: fetched.requests,
        records: sum(|it| it.records),
        scores: sum(|it| it.scores),
        new: fetched.total(|it| it.new),
        changed: fetched.total(|it| it.changed),
        same: fetched.total(|it| it.same),
        rejects: sum(|it| it.rejects),
        trouble: trouble.map(|it| TroubleRow { code: it.code, detail: &it.detail }),
        held_until: fetched.held_until.map(rfc3339),
        refused: warnings.map(warning_row).collect(),
    }
}
