//! `relight advisories feeds`: what is fetched over the network, from where, and how that goes.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use relight_engine::fetch::{
    Feed, FeedFault, FeedKind, FeedState, READY_NAMES, Trouble, add_feed, feeds, held_until,
    remove_feed,
};
use relight_engine::store::Store;
use relight_model::Timestamp;
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::report::{Report, Style};

/// What to do with feeds; nothing shows them.
#[derive(Debug, Args)]
pub(super) struct Feeds {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Add {
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[arg(long, value_name = "KIND", requires = "url", value_parser = kinds())]
    kind: Option<String>,
    #[arg(long, value_name = "TIME")]
    every: Option<String>,
}

#[derive(Debug, Args)]
struct Remove {
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

fn kinds() -> Vec<&'static str> {
    FeedKind::ALL.into_iter().map(FeedKind::as_str).collect()
}

#[derive(Serialize)]
struct Document {
    feeds: Vec<FeedRow>,
    ready: [&'static str; READY_NAMES.len()],
}

/// One feed and how it is doing.
#[derive(Serialize)]
pub(super) struct FeedRow {
    name: String,
    kind: &'static str,
    url: String,
    every_s: i64,
    state: &'static str,
    last_good: Option<String>,
    last_tried: Option<String>,
    next: Option<String>,
    held_until: Option<String>,
    errors: u32,
    trouble: Option<TroubleRow>,
    /// Changes that were not followed yet.
    waiting: usize,
    /// What the last whole list brought that no list of changes had told.
    missed: usize,
    /// The sources whose records it brought.
    sources: BTreeSet<String>,
}

#[derive(Serialize)]
struct TroubleRow {
    code: String,
    detail: String,
}

impl FeedRow {
    /// Every feed of a register.
    pub(super) fn all(store: &Store, context: &Context) -> Result<Vec<Self>, Failure> {
        let failed = |error| context.store_failure(&error);
        let mut rows = Vec::new();
        for feed in feeds(store).map_err(failed)? {
            let state = FeedState::read(store, &feed.name).map_err(failed)?;
            let held = held_until(store, &feed, context.now()).map_err(failed)?;
            rows.push(Self::of(feed, state, held, context.now()));
        }
        Ok(rows)
    }

    fn of(feed: Feed, state: FeedState, held: Option<Timestamp>, now: Timestamp) -> Self {
        let trouble = state.trouble.clone();
        Self {
            kind: feed.kind.as_str(),
            every_s: feed.period_s,
            state: state.word(&feed, now),
            last_good: state.good_at.map(rfc3339),
            last_tried: state.tried_at.map(rfc3339),
            next: state.due_at.map(rfc3339),
            held_until: held.map(rfc3339),
            errors: state.errors,
            trouble: trouble.map(|Trouble { code, detail }| TroubleRow { code, detail }),
            waiting: state.waiting,
            missed: state.missed,
            sources: state.sources,
            name: feed.name,
            url: feed.url,
        }
    }

    /// Whether it brought records of this source.
    pub(super) fn brings(&self, source: &str) -> bool {
        self.sources.contains(source)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Says how it is doing.
    pub(super) fn tell(&self, lang: Lang, report: &mut Report) {
        let state = texts::by_code(lang, &format!("feed-state-{}", self.state));
        report.line(&format!("{}: {}", self.name, state.unwrap_or(self.state)));
        report.line(&format!(
            "  {} · {}",
            self.url,
            texts::feed_every(lang, self.every_s.unsigned_abs() / 60)
        ));
        let shown = |at: &Option<String>| at.clone().unwrap_or_else(|| "-".to_owned());
        report.line(&format!(
            "  {}",
            texts::feed_times(lang, &shown(&self.last_good), &shown(&self.last_tried))
        ));
        if let Some(TroubleRow { code, detail }) = &self.trouble {
            let line = format!("  {}: {detail}", fault_words(lang, code));
            report.line(&report.paint(Style::Bad, &line));
        }
        if let Some(until) = &self.held_until {
            report.line(&format!("  {}", texts::feed_held(lang, until)));
        }
        for (count, line) in [
            (self.waiting, texts::feed_waiting(lang, self.waiting)),
            (self.missed, texts::feed_missed(lang, self.missed)),
        ] {
            if count > 0 {
                report.line(&format!("  {line}"));
            }
        }
    }
}

/// Why a feed did not come, in words.
pub(crate) fn fault_words(lang: Lang, code: &str) -> String {
    let words = texts::by_code(lang, &format!("feed-fault-{code}"));
    words.map_or_else(|| code.to_owned(), str::to_owned)
}

impl Feeds {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            None => {}
            Some(Action::Add(add)) => add.run(context)?,
            Some(Action::Remove(remove)) => remove.run(context)?,
        }
        let store = context.store_if_any()?;
        let rows = store.map(|store| FeedRow::all(&store, context)).transpose()?;
        let document = Document { feeds: rows.unwrap_or_default(), ready: READY_NAMES };
        if context.json {
            report.document("relight.feeds/1", &document);
            return Ok(());
        }
        document.feeds.iter().for_each(|row| row.tell(context.lang, report));
        report.line(&texts::feeds_ready(context.lang, &READY_NAMES.join(", ")));
        if document.feeds.is_empty() {
            report.next("relight advisories feeds add kev epss osv/Maven");
        } else {
            report.next("relight advisories update");
        }
        Ok(())
    }
}

impl Add {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let lang = context.lang;
        if self.url.is_some() && self.names.len() > 1 {
            return Err(refused(lang, "feed-one-url", &self.names.join(", ")));
        }
        let mut wanted = Vec::new();
        for name in &self.names {
            let feed = self.feed(name, context)?;
            feed.check().map_err(|fault| of_fault(lang, &fault))?;
            wanted.push(feed);
        }
        let store = context.store()?;
        for feed in wanted {
            let added = add_feed(&store, feed).map_err(|error| context.store_failure(&error))?;
            added.map_err(|fault| of_fault(lang, &fault))?;
        }
        Ok(())
    }

    fn feed(&self, name: &str, context: &Context) -> Result<Feed, Failure> {
        let ready = Feed::ready(name);
        let mut feed = match (&self.url, ready) {
            (None, ready) => ready.ok_or_else(|| refused(context.lang, "feed-unknown", name))?,
            // A mirror of what is known.
            (Some(url), Some(ready)) if self.kind.is_none() => {
                Feed { url: url.clone(), whole: None, ..ready }
            }
            (Some(url), _) => Feed {
                name: name.to_owned(),
                kind: self.kind.as_deref().and_then(FeedKind::parse).unwrap_or(FeedKind::File),
                url: url.clone(),
                whole: None,
                period_s: 3_600,
            },
        };
        if let Some(text) = &self.every {
            let every = seconds(text).ok_or_else(|| refused(context.lang, "feed-period", text))?;
            feed.period_s = every;
        }
        Ok(feed)
    }
}

impl Remove {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let store = context.existing_store()?;
        for name in &self.names {
            let removed = remove_feed(&store, name);
            if !removed.map_err(|error| context.store_failure(&error))? {
                return Err(refused(context.lang, "feed-none", name));
            }
        }
        Ok(())
    }
}

fn of_fault(lang: Lang, fault: &FeedFault) -> Failure {
    refused(lang, fault.code, &fault.word)
}

fn refused(lang: Lang, code: &str, word: &str) -> Failure {
    let (what, remedy) = coded(lang, code);
    Failure::usage(texts::labelled(lang, what, word)).hint(remedy)
}

/// `15m`, `2h` or `1d` in seconds.
fn seconds(text: &str) -> Option<i64> {
    let unit_s = match text.bytes().last()? {
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let count: i64 = text.get(..text.len() - 1)?.parse().ok()?;
    count.checked_mul(unit_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_two_looks() {
        for (text, wanted) in [
            ("15m", Some(900)),
            ("2h", Some(7_200)),
            ("1d", Some(86_400)),
            ("", None),
            ("15", None),
            ("m", None),
            ("1.5h", None),
            ("é", None),
            ("9223372036854775807d", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }

    #[test]
    fn every_fault_has_words_in_both_languages() {
        let faults = [
            "unreachable",
            "certificate",
            "timed-out",
            "cut",
            "redirect",
            "status",
            "busy",
            "too-long",
            "answer",
            "disk",
            "stopped",
            "gone",
            "authorities",
            "list",
            "nothing-usable",
            "refused",
            "damaged",
            "incomplete",
        ];
        let feeds = [
            "feed-unknown",
            "feed-name",
            "feed-address",
            "feed-period",
            "feed-twice",
            "feed-too-many",
            "feed-one-url",
            "feed-none",
        ];
        for lang in Lang::ALL {
            for code in faults {
                assert_ne!(fault_words(lang, code), code);
            }
            for code in feeds {
                let (what, remedy) = coded(lang, code);
                assert!(!what.is_empty() && !remedy.is_empty(), "{code}");
            }
        }
    }
}
