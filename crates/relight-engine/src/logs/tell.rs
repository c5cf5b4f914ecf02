//! Which campaigns people are told of by themselves: attempts and more, each once, and once more
//! when it rises on the ladder. Reconnaissance is there for who looks, and wakes nobody.
//!
//! Who is about to tell says so first, and says afterwards that it was told. When nothing was said
//! afterwards, because the process ended between, somebody else tells it: rather twice than never.
//! Who was busy for longer than the others wait asks again before it tells.

use std::collections::BTreeMap;

use relight_model::{Campaign, Severity, Timestamp};
use relight_store::{Settings, Store, StoreError};

use crate::engine::Engine;
use crate::error::EngineError;

/// The setting that keeps of which campaigns people were told, and at which step.
const TOLD_KEY: &str = "told-campaigns";

/// The setting that keeps which campaigns somebody is about to tell, at which step and since when.
const TELLING_KEY: &str = "telling-campaigns";

/// How long others wait for somebody who is about to tell, in seconds.
pub const TELLING_S: Timestamp = 300;

/// Most campaigns of which that is kept, those that were told last: the others are over.
const TOLD_MAX: usize = 10_000;

/// The lowest step of which people are told.
const TOLD_FROM: Severity = Severity::ExploitAttempt;

/// Makes sure that a register which has no windows yet tells of its first campaign, and one of
/// before does not begin with a flood: of what is there already nobody is told.
///
/// # Errors
/// The store cannot be read or written.
pub fn begin_telling(engine: &Engine) -> Result<(), EngineError> {
    let store = engine.store();
    if store.meta_get(TOLD_KEY)?.is_some() {
        return Ok(());
    }
    let is_new = store.window_days()?.is_empty();
    let before = if is_new { None } else { Some(engine.campaigns()?) };
    let begun = store.settings(|settings| {
        // Whoever began meanwhile may have told something.
        if settings.get(TOLD_KEY)?.is_some() {
            return Ok(());
        }
        let mut told = Told::default();
        told.news(before.iter().flat_map(|judged| &judged.campaigns));
        told.write(settings)
    });
    Ok(begun?)
}

/// What is to be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToTell {
    /// Campaigns that stand higher than people know: the caller tells them, and says so with
    /// [`campaigns_told`].
    pub news: Vec<Campaign>,
    /// Somebody is about to tell others and has not said yet that it was done: the same is asked
    /// again.
    pub is_open: bool,
}

/// Those of the campaigns that stand higher than people know, and that nobody is about to tell.
///
/// # Errors
/// The store cannot be read or written; then the next call gives them.
pub fn tell_campaigns(
    store: &Store,
    campaigns: &[Campaign],
    now: Timestamp,
) -> Result<ToTell, EngineError> {
    let told = store.settings(|settings| {
        let mut told = Told::read(settings)?;
        let mut telling = Telling::read(settings, now)?;
        let untold = told.news(campaigns);
        let mine = |it: &Campaign| !telling.holds(it);
        let (news, others): (Vec<_>, Vec<_>) = untold.into_iter().partition(mine);
        if !news.is_empty() {
            telling.add(&news, now);
            telling.write(settings)?;
        }
        let is_open = !news.is_empty() || !others.is_empty();
        Ok(ToTell { news, is_open })
    });
    Ok(told?)
}

/// Those of the campaigns of which nobody was told yet, at the moment at which they are told: they
/// may have waited for longer than others do. From now on others wait for [`TELLING_S`] once more.
///
/// # Errors
/// The store cannot be read or written.
pub fn still_to_tell(
    store: &Store,
    campaigns: &[Campaign],
    now: Timestamp,
) -> Result<Vec<Campaign>, EngineError> {
    let untold = store.settings(|settings| {
        let untold = Told::read(settings)?.news(campaigns);
        if !untold.is_empty() {
            let mut telling = Telling::read(settings, now)?;
            telling.remove(&untold);
            telling.add(&untold, now);
            telling.write(settings)?;
        }
        Ok(untold)
    });
    Ok(untold?)
}

/// People were told of these.
///
/// # Errors
/// The store cannot be read or written; then they are told again.
pub fn campaigns_told(
    store: &Store,
    campaigns: &[Campaign],
    now: Timestamp,
) -> Result<(), EngineError> {
    if campaigns.is_empty() {
        return Ok(());
    }
    let noted = store.settings(|settings| {
        let mut told = Told::read(settings)?;
        told.news(campaigns);
        told.write(settings)?;
        let mut telling = Telling::read(settings, now)?;
        telling.remove(campaigns);
        telling.write(settings)
    });
    Ok(noted?)
}

/// What somebody is about to tell: campaign, step and since when.
#[derive(Debug, Default)]
struct Telling(Vec<(String, String, Timestamp)>);

impl Telling {
    /// Without those for which nobody waits any more: whoever was about to tell them ended.
    fn read(settings: &Settings<'_>, now: Timestamp) -> Result<Self, StoreError> {
        let text = settings.get(TELLING_KEY)?.unwrap_or_default();
        let line = |line: &str| {
            let mut parts = line.split(' ').map(str::to_owned);
            let (id, step) = (parts.next()?, parts.next()?);
            let since: Timestamp = parts.next()?.parse().ok()?;
            // A clock that was set back holds nothing up.
            (since <= now && now < since + TELLING_S).then_some((id, step, since))
        };
        Ok(Self(text.lines().filter_map(line).collect()))
    }

    fn write(&self, settings: &Settings<'_>) -> Result<(), StoreError> {
        let lines = self.0.iter().map(|(id, step, since)| format!("{id} {step} {since}\n"));
        settings.put(TELLING_KEY, &lines.collect::<String>())
    }

    /// Somebody is about to tell it, at its step or a higher one.
    fn holds(&self, campaign: &Campaign) -> bool {
        let step = campaign.severity.as_str();
        let is_it = |id: &String| campaign.id == *id || campaign.formerly.contains(id);
        self.0.iter().any(|(id, of, _)| is_it(id) && of.as_str() >= step)
    }

    fn add(&mut self, campaigns: &[Campaign], now: Timestamp) {
        let step = |it: &Campaign| it.severity.as_str().to_owned();
        self.0.extend(campaigns.iter().map(|it| (it.id.clone(), step(it), now)));
    }

    fn remove(&mut self, told: &[Campaign]) {
        let is_told = |(id, step, _): &(String, String, Timestamp)| {
            told.iter().any(|it| it.id == *id && it.severity.as_str() >= step.as_str())
        };
        self.0.retain(|it| !is_told(it));
    }
}

/// What people know: the step of each campaign, in the order in which they were told.
#[derive(Debug, Default)]
struct Told(Vec<(String, String)>);

impl Told {
    fn read(settings: &Settings<'_>) -> Result<Self, StoreError> {
        let text = settings.get(TOLD_KEY)?.unwrap_or_default();
        let line =
            |line: &str| line.split_once(' ').map(|(id, step)| (id.to_owned(), step.to_owned()));
        Ok(Self(text.lines().filter_map(line).collect()))
    }

    fn write(&self, settings: &Settings<'_>) -> Result<(), StoreError> {
        let lines = self.0.iter().map(|(id, step)| format!("{id} {step}\n"));
        settings.put(TOLD_KEY, &lines.collect::<String>())
    }

    /// Those of which nobody was told, or at a lower step only.
    fn news<'a>(&mut self, campaigns: impl IntoIterator<Item = &'a Campaign>) -> Vec<Campaign> {
        let mut steps: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, step) in &self.0 {
            let known = steps.entry(id).or_insert(step);
            *known = (*known).max(step);
        }
        // Steps are written `S3`, so that texts sort as they do.
        let is_news = |it: &&Campaign| {
            let ids = std::iter::once(&it.id).chain(&it.formerly);
            let known = ids.filter_map(|id| steps.get(id.as_str()).copied()).max();
            it.severity >= TOLD_FROM && known.is_none_or(|step| step < it.severity.as_str())
        };
        let news: Vec<Campaign> = campaigns.into_iter().filter(is_news).cloned().collect();
        for it in &news {
            self.0.retain(|(id, _)| *id != it.id);
            self.0.push((it.id.clone(), it.severity.as_str().to_owned()));
        }
        self.0.drain(..self.0.len().saturating_sub(TOLD_MAX));
        news
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::{one_site, payload};
    use super::super::judged;
    use super::*;

    /// What is to be told when it is judged anew, as by a process of its own.
    fn to_tell(store: &Store, now: Timestamp) -> ToTell {
        tell_campaigns(store, &judged(store).unwrap().campaigns, now).unwrap()
    }

    /// The same, and it is told.
    fn news(store: &Store) -> Vec<Campaign> {
        let news = to_tell(store, 0).news;
        campaigns_told(store, &news, 0).unwrap();
        news
    }

    fn told(store: &Store) -> Vec<&'static str> {
        news(store).iter().map(|it| it.severity.as_str()).collect()
    }

    #[test]
    fn a_campaign_is_told_once_and_reconnaissance_never() {
        let (_folder, engine, feed) = one_site();
        let store = engine.store();
        begin_telling(&engine).unwrap();
        assert_eq!(told(store), [""; 0]);
        let doors: String = [
            "/.env",
            "/.git/config",
            "/solr/admin/cores",
            "/owa/",
            "/vpn/index.html",
        ]
        .map(|path| {
            format!("203.0.113.1 - - [10/Dec/2021:12:00:00 +0000] \"GET {path} HTTP/1.1\" 404 9\n")
        })
        .concat();
        engine.ingest_log(&feed, std::io::Cursor::new(doors.repeat(3).into_bytes())).unwrap();
        assert_eq!(told(store), [""; 0], "who only looks around wakes nobody");
        engine.ingest_log(&feed, std::io::Cursor::new(payload(1).into_bytes())).unwrap();
        assert_eq!(told(store), ["S3"]);
        assert_eq!(told(store), [""; 0], "once");
        engine.ingest_log(&feed, std::io::Cursor::new(payload(2).into_bytes())).unwrap();
        assert_eq!(told(store), ["S3"], "another one");
    }

    #[test]
    fn what_was_there_before_is_no_news() {
        let (_folder, engine, feed) = one_site();
        let store = engine.store();
        engine.ingest_log(&feed, std::io::Cursor::new(payload(1).into_bytes())).unwrap();
        begin_telling(&engine).unwrap();
        assert_eq!(told(store), [""; 0]);
        begin_telling(&engine).unwrap();
        engine.ingest_log(&feed, std::io::Cursor::new(payload(2).into_bytes())).unwrap();
        begin_telling(&engine).unwrap();
        assert_eq!(told(store), ["S3"], "beginning twice takes nothing down");
    }

    /// Goal: two processes that watch one register tell a campaign once. Method: four connections
    /// judge it and tell at one moment.
    #[test]
    fn a_campaign_is_told_by_one_of_those_who_watch() {
        let (_folder, engine, feed) = one_site();
        begin_telling(&engine).unwrap();
        let folder = engine.store().path().parent().unwrap();
        for last in 1..=5 {
            let log = payload(last).into_bytes();
            engine.ingest_log(&feed, std::io::Cursor::new(log)).unwrap();
            let barrier = std::sync::Barrier::new(4);
            let tell = || {
                let store = Store::open(folder).unwrap();
                barrier.wait();
                told(&store).len()
            };
            let all: usize = std::thread::scope(|scope| {
                let each: Vec<_> = (0..4).map(|_| scope.spawn(tell)).collect();
                each.into_iter().map(|it| it.join().unwrap()).sum()
            });
            assert_eq!(all, 1, "campaign {last}");
        }
    }

    /// Goal: who ends between saying that it will tell and telling keeps nobody from knowing.
    #[test]
    fn what_somebody_was_about_to_tell_and_did_not_is_told_by_another() {
        let (_folder, engine, feed) = one_site();
        let store = engine.store();
        begin_telling(&engine).unwrap();
        engine.ingest_log(&feed, std::io::Cursor::new(payload(1).into_bytes())).unwrap();
        let steps = |now: Timestamp| {
            let found = to_tell(store, now);
            let steps: Vec<_> = found.news.iter().map(|it| it.severity.as_str()).collect();
            (steps, found.is_open)
        };
        assert_eq!(steps(1_000), (vec!["S3"], true), "and the process ends");
        assert_eq!(steps(1_000 + TELLING_S - 1), (vec![], true), "somebody may be telling it");
        assert_eq!(steps(1_000 + TELLING_S), (vec!["S3"], true), "nobody told it");
        assert_eq!(steps(1_000), (vec!["S3"], true), "nor does a clock that was set back hold it");
        let all = judged(store).unwrap().campaigns;
        campaigns_told(store, &all, 1_000 + TELLING_S).unwrap();
        assert_eq!(steps(9_000), (vec![], false));
    }

    use Severity::{AttemptOnVulnerable, ExploitAttempt, SignsOfSuccess};

    #[test]
    fn a_campaign_that_rises_or_takes_another_in_is_told_by_its_step() {
        let (_folder, engine, feed) = one_site();
        engine.ingest_log(&feed, std::io::Cursor::new(payload(1).into_bytes())).unwrap();
        let one = judged(engine.store()).unwrap().campaigns.remove(0);
        let with = |id: &str, severity, formerly: &[&str]| Campaign {
            id: id.to_owned(),
            severity,
            formerly: formerly.iter().map(|id| (*id).to_owned()).collect(),
            ..one.clone()
        };
        let mut told = Told::default();
        let mut news = |it: Campaign| told.news([&it]).len();
        assert_eq!(news(with("C-1", ExploitAttempt, &[])), 1);
        assert_eq!(news(with("C-1", AttemptOnVulnerable, &[])), 1);
        assert_eq!(news(with("C-1", ExploitAttempt, &[])), 0, "it fell");
        assert_eq!(
            news(with("C-0", AttemptOnVulnerable, &["C-1"])),
            0,
            "the same under another id"
        );
        assert_eq!(news(with("C-0", SignsOfSuccess, &["C-1"])), 1);
        told.0.extend((0..TOLD_MAX).map(|at| (format!("C-X{at}"), "S3".to_owned())));
        assert_eq!(told.news([&with("C-LAST", ExploitAttempt, &[])]).len(), 1);
        assert_eq!((told.0.len(), told.0.last().unwrap().0.as_str()), (TOLD_MAX, "C-LAST"));
    }
}
