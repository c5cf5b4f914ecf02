//! Decisions by themselves, beside a server or a follower: when windows changed, everything is
//! judged again, and a new campaign of attempts is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::store::Store;
use relight_engine::{Engine, EngineError, begin_telling, tell_campaigns};
use relight_model::{Campaign, Digest, Severity};
use relight_server::web::{number, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Report, Style};

/// How often is looked whether windows changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// So many times as long as judging took is waited before the next time: where there are thousands
/// of sites it takes long, and everything else has to go on.
const PAUSE_TIMES: u32 = 20;

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// How soon the thread sees that it is to end.
const STOP_EVERY: Duration = Duration::from_millis(100);

/// What waits to be told.
const NEWS_MAX: usize = 16;

/// What one look gave.
type News = Result<Vec<Campaign>, EngineError>;

/// What the thread that judges has to tell. It ends with its process: what it was about to tell
/// the next start tells.
pub(crate) struct Judging {
    news: mpsc::Receiver<News>,
}

#[derive(Serialize)]
struct Document<'a> {
    campaign: &'a str,
    severity: &'static str,
    confidence: f64,
    first: String,
    last: String,
    organisations: usize,
    sites: usize,
    sources: usize,
}

impl Judging {
    /// Begins to judge, of which nobody was told before.
    pub(crate) fn start(
        engine: &Arc<Engine>,
        stop: &Arc<AtomicBool>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::engine(context.lang, &error);
        begin_telling(engine.store()).map_err(failed)?;
        let (sender, news) = mpsc::sync_channel(NEWS_MAX);
        let (engine, stop) = (Arc::clone(engine), Arc::clone(stop));
        thread::spawn(move || {
            let mut known = None;
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                look(engine.store(), &mut known, &sender);
                let pause = (begun.elapsed() * PAUSE_TIMES).clamp(LOOK_EVERY, PAUSE_MAX);
                let waited = Instant::now();
                // Windows come from other processes too, and none of these tells this one.
                while waited.elapsed() < pause && !stop.load(Ordering::Relaxed) {
                    thread::sleep(STOP_EVERY);
                }
            }
        });
        Ok(Self { news })
    }

    /// Tells what there is since the last call, and gives it.
    pub(crate) fn tell(&self, context: &Context, report: &mut Report) -> Vec<Campaign> {
        let mut told = Vec::new();
        for news in self.news.try_iter() {
            match news {
                Ok(campaigns) => told.extend(campaigns),
                Err(error) => report.fail(&Failure::engine(context.lang, &error)),
            }
        }
        told.iter().for_each(|campaign| tell_one(campaign, context, report));
        told
    }
}

/// Judges if windows changed.
fn look(store: &Store, known: &mut Option<Digest>, sender: &mpsc::SyncSender<News>) {
    let state = match store.windows_state() {
        Ok(state) if *known == Some(state) => return,
        Ok(state) => state,
        Err(error) => return drop(sender.send(Err(error.into()))),
    };
    let news = tell_campaigns(store);
    if news.is_ok() {
        *known = Some(state);
    }
    if !matches!(&news, Ok(campaigns) if campaigns.is_empty()) {
        drop(sender.send(news));
    }
}

fn tell_one(campaign: &Campaign, context: &Context, report: &mut Report) {
    if context.json {
        let document = Document {
            campaign: &campaign.id,
            severity: campaign.severity.as_str(),
            confidence: campaign.confidence,
            first: number::rfc3339(campaign.first),
            last: number::rfc3339(campaign.last),
            organisations: campaign.organisations.len(),
            sites: campaign.sites.len(),
            sources: campaign.sources.len(),
        };
        return report.document_line("relight.campaign-notice/1", &document);
    }
    let sentence = texts::log_line(context.lang, LOG_CODE, &log_args(campaign));
    report.line(&report.paint(Style::Bad, &sentence));
    if campaign.severity < Severity::SignsOfSuccess {
        report.line(&format!("  {}", texts::reconnaissance_note(context.lang)));
    }
    report.next(&format!("relight watch explain {}", campaign.id));
}

/// The key of the line about a campaign that nobody was told of.
pub(crate) const LOG_CODE: &str = "log-campaign";

/// What the line is made of.
pub(crate) fn log_args(campaign: &Campaign) -> Vec<String> {
    let (organisations, sites) = (campaign.organisations.len(), campaign.sites.len());
    let severity = campaign.severity.as_str().to_owned();
    vec![campaign.id.clone(), organisations.to_string(), severity, sites.to_string()]
}
