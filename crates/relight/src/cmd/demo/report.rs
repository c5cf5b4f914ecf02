//! What the demo tells: lines for people on standard error, one document on standard output.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use relight_engine::Engine;
use relight_engine::demo::Province;
use relight_engine::incident::Counters;
use relight_model::{DisplayState, GateKey};
use relight_server::traffic::VisitReport;
use relight_server::web::number::tenths;
use relight_server::web::{Lang, texts};
use serde_json::{Value, json};

use super::logs::Watched;
use super::script::{Answered, QUESTION};
use super::stage::EdgeKind;
use super::witness::Testimony;

use crate::context::Context;
use crate::report::Report;

/// How often the progress of the incident is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// The acts that are told before they begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Settle,
    Inventory,
    Watch,
    Stage,
    Work,
}

/// Tells people what happens, on standard error.
pub(super) struct Tell {
    lang: Lang,
    quiet: bool,
    bar: ProgressBar,
}

impl Tell {
    pub(super) fn new(context: &Context) -> Self {
        let hidden = !context.progress;
        let target =
            if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        // A template without a placeholder that does not exist cannot be refused.
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        Self { lang: context.lang, quiet: context.quiet, bar }
    }

    pub(super) fn act(&self, act: Act, province: &Province) {
        let lang = self.lang;
        let text = match act {
            Act::Settle => {
                texts::demo_act_settle(lang, province.bodies.len(), province.sites.len())
            }
            Act::Inventory => texts::demo_act_inventory(lang).to_owned(),
            Act::Watch => texts::demo_act_watch(lang).to_owned(),
            Act::Stage => texts::demo_act_stage(lang).to_owned(),
            Act::Work => texts::demo_act_work(lang).to_owned(),
        };
        self.bar.set_message(text);
        self.bar.enable_steady_tick(TELL_EVERY);
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            // A closed standard error loses the progress, not the demo.
            self.bar.suspend(|| drop(writeln!(io::stderr(), "{text}")));
        }
    }

    pub(super) fn watched(&self, watched: &Watched) {
        let lang = self.lang;
        self.line(&texts::demo_watched(lang, watched.campaigns.len(), watched.lines));
        let source = watched.slow_actor.to_string();
        self.line(&if watched.slow_actor_found {
            texts::demo_slow_found(lang, &source)
        } else {
            texts::demo_slow_missed(lang, &source)
        });
    }

    pub(super) fn answered(&self, answered: &Answered, total: usize) {
        let Answered { affected, clear, unknown, micros } = *answered;
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        let (lang, question) = (self.lang, QUESTION);
        self.line(&texts::demo_answered(lang, affected, clear, micros, question, total, unknown));
    }

    pub(super) fn dark(&self, sites: usize, seconds: f64) {
        let milliseconds = (seconds * 1e3).round() as u64;
        self.line(&texts::demo_dark(self.lang, milliseconds, sites));
    }

    /// Tells the counters of an incident until it is over.
    pub(super) fn follow(&self, engine: &Engine, incident: &str, done: &AtomicBool) {
        let sites: Vec<GateKey> = engine.sites().into_iter().map(|site| site.slug).collect();
        while !done.load(Ordering::Relaxed) {
            let version = engine.version();
            let counters = engine.with_ledger(|ledger| {
                ledger.incident(incident).map(|i| Counters::of(i, &sites, engine.now()))
            });
            if let Some(counters) = counters {
                self.bar.set_message(progress(self.lang, &counters));
            }
            // Changes come by the hundred a second; people read ten times a second.
            std::thread::sleep(TELL_EVERY);
            engine.wait_changed(version, TELL_EVERY);
        }
        self.bar.set_message(String::new());
    }

    pub(super) fn serving(&self, console: SocketAddr, public: SocketAddr) {
        self.line(&texts::demo_serving_console(self.lang, &console.to_string()));
        self.line(&texts::demo_serving_public(self.lang, &public.to_string()));
    }

    pub(super) fn stay(&self, console: SocketAddr, public: SocketAddr) {
        self.bar.finish_and_clear();
        self.serving(console, public);
        self.line(texts::demo_serving_stay(self.lang));
    }
}

impl Drop for Tell {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn progress(lang: Lang, counters: &Counters) -> String {
    let count = |states: &[DisplayState]| -> usize {
        states.iter().map(|state| counters.states.get(state).copied().unwrap_or(0)).sum()
    };
    texts::demo_progress(
        lang,
        count(&[DisplayState::Affected]),
        count(&[DisplayState::Dark, DisplayState::Analysing, DisplayState::DarkRequested]),
        count(&[DisplayState::Fixing]),
        count(&[DisplayState::Online, DisplayState::RelitFixed, DisplayState::Exposed]),
        count(&[DisplayState::Verifying]),
    )
}

/// The document `relight.demo/1` in the making.
pub(super) struct Story {
    seed: u64,
    edge: EdgeKind,
    sites: usize,
    bodies: usize,
    pub(super) answered: Answered,
    pub(super) seconds: Vec<(&'static str, f64)>,
    pub(super) wall_seconds: f64,
    told: Testimony,
    watched: Option<Watched>,
    visits: VisitReport,
    journal_entries: u64,
    journal_verifies: bool,
}

impl Story {
    pub(super) fn new(seed: u64, edge: EdgeKind, province: &Province) -> Self {
        Self {
            seed,
            edge,
            sites: province.sites.len(),
            bodies: province.bodies.len(),
            answered: Answered::default(),
            seconds: Vec::new(),
            wall_seconds: 0.0,
            told: Testimony::default(),
            watched: None,
            visits: VisitReport::default(),
            journal_entries: 0,
            journal_verifies: false,
        }
    }

    pub(super) fn seconds_of(&self, act: &str) -> f64 {
        self.seconds.iter().filter(|(name, _)| *name == act).map(|(_, seconds)| seconds).sum()
    }

    /// Takes over what was seen and verifies the journal.
    pub(super) fn close(
        &mut self,
        engine: &Engine,
        watched: &Watched,
        told: Testimony,
        visits: VisitReport,
    ) -> anyhow::Result<()> {
        if let Ok(verified) = engine.store().verify_journal()? {
            self.journal_entries = verified.entries;
            self.journal_verifies = true;
        }
        self.watched = Some(watched.clone());
        self.told = told;
        self.visits = visits;
        Ok(())
    }

    /// True when nothing contradicts the truth.
    pub(super) fn holds(&self) -> bool {
        let Answered { affected, clear, unknown, .. } = self.answered;
        let told = &self.told;
        let zeros = [
            told.unsafe_relights,
            told.false_clear,
            told.missed_affected,
            told.lost_on_untouched as usize,
            told.leaked as usize,
        ];
        let found = self
            .watched
            .as_ref()
            .is_some_and(|watched| watched.slow_actor_found && watched.false_campaigns == 0);
        zeros == [0; 5]
            && found
            && self.journal_verifies
            && affected + clear + unknown == self.sites
            && told.dark_proven == told.relit_clear + told.relit_after_fix + told.still_dark
            && told.dark_proven == affected + unknown
    }

    fn document(&self) -> Value {
        let told = &self.told;
        let round = |seconds: f64| (seconds * 1e3).round() / 1e3;
        let seconds: serde_json::Map<String, Value> = self
            .seconds
            .iter()
            .map(|(name, seconds)| ((*name).to_owned(), json!(round(*seconds))))
            .collect();
        let watched = self.watched.as_ref();
        json!({
            "seed": self.seed,
            "edge": self.edge.as_str(),
            "question": QUESTION,
            "sites": self.sites,
            "bodies": self.bodies,
            "affected": self.answered.affected,
            "clear": self.answered.clear,
            "unknown": self.answered.unknown,
            "answer_micros": u64::try_from(self.answered.micros).unwrap_or(u64::MAX),
            "dark_proven": told.dark_proven,
            "relit_clear": told.relit_clear,
            "relit_after_fix": told.relit_after_fix,
            "still_dark": told.still_dark,
            "unsafe_relights": told.unsafe_relights,
            "false_clear": told.false_clear,
            "missed_affected": told.missed_affected,
            "requests": told.visits,
            "requests_lost": self.visits.lost,
            "requests_lost_on_untouched_sites": told.lost_on_untouched,
            "requests_to_dark_origins_after_proof": told.leaked,
            "log_lines": watched.map_or(0, |watched| watched.lines),
            "campaigns": watched.map_or(0, |watched| watched.campaigns.len()),
            "false_campaigns": watched.map_or(0, |watched| watched.false_campaigns),
            "slow_actor_found": watched.is_some_and(|watched| watched.slow_actor_found),
            "journal_entries": self.journal_entries,
            "journal_verifies": self.journal_verifies,
            "seconds": seconds,
            "wall_seconds": round(self.wall_seconds),
            "peak_memory_mib": peak_memory_mib(),
            "holds": self.holds(),
        })
    }

    /// Prints the document, or the end of the story for people.
    pub(super) fn print(&self, context: &Context, out: &mut Report) {
        if context.json {
            return out.document("relight.demo/1", &self.document());
        }
        let (lang, told) = (context.lang, &self.told);
        out.line(&texts::demo_end_relit(lang, told.relit_clear, told.relit_after_fix));
        out.line(&texts::demo_end_dark(lang, told.still_dark));
        let checks = texts::demo_end_checks(
            lang,
            told.false_clear,
            told.leaked,
            told.lost_on_untouched,
            told.missed_affected,
            told.unsafe_relights,
            told.visits,
        );
        out.line(&checks);
        let seconds = tenths(lang, (self.wall_seconds * 10.0).round() as u64);
        out.line(&texts::demo_end_time(lang, peak_memory_mib(), &seconds));
        out.line(if self.holds() { texts::demo_holds(lang) } else { texts::demo_fails(lang) });
    }
}

/// The ground truth, for whoever wants to check the demo from outside.
pub(super) fn truth(province: &Province) -> anyhow::Result<String> {
    let sites: Vec<Value> = province
        .sites
        .iter()
        .map(|site| {
            json!({
                "site": site.slug.as_str(),
                "stack": site.stack.as_str(),
                "vulnerable": site.stack.is_vulnerable(),
                "obstacle": site.obstacle.as_str(),
            })
        })
        .collect();
    let truth = json!({ "schema": "relight.demo-truth/1", "seed": province.seed, "sites": sites });
    Ok(serde_json::to_string_pretty(&truth)?)
}

/// The most memory this process ever held, as Linux tells it (proc(5), `VmHWM`); 0 elsewhere.
fn peak_memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()).and_then(|kib| kib.parse().ok());
    kib.unwrap_or(0_u64).div_ceil(1024)
}
