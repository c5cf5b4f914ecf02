//! Fixes that a server verifies by itself (INCIDENT 3.3): somebody said that a site is being fixed,
//! a fresh and complete reading of its files says clear, and the site answers behind its closed
//! gate as it did before. Nothing returns on a guess.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use relight_model::{Digest, GateKey, Timestamp};
use relight_store::SiteChecks;

use crate::checks::Ran;
use crate::drill::chain;
use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::{Case, Compromise, Entry, Incident, Phase, Tried};
use crate::ingest::behind_the_gate;
use crate::logs::SignsOf;

/// Wait after the first trial that did not pass, in seconds; twice as long after each further one.
pub const TRY_AGAIN_S: i64 = 5;

/// Longest wait between two trials of a site, in seconds.
pub const TRY_AGAIN_S_MAX: i64 = 300;

/// Sites that are asked at the same time.
pub const TRIALS_AT_ONCE_MAX: usize = 8;

/// How often is looked whether there is something to verify.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A thread that verifies fixes. It ends when this is dropped.
#[derive(Debug)]
pub struct FixWatch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FixWatch {
    /// Begins to verify what was fixed and read again since.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(engine: &Arc<Engine>) -> Result<Self, EngineError> {
        let (stop, stopped) = mpsc::channel::<()>();
        let engine = Arc::clone(engine);
        let run = move || {
            let (mut tries, mut told) = (Tries::default(), None);
            let goes_on = || stopped.try_recv() == Err(mpsc::TryRecvError::Empty);
            while stopped.recv_timeout(LOOK_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                // What cannot be journalled now is tried again the next time.
                let failed = engine.verify_while(&mut tries, &goes_on).err();
                engine.tell_once(failed.map(|error| chain(&error)), &mut told);
            }
        };
        let thread = thread::Builder::new().name("fixes".to_owned()).spawn(run);
        let thread = thread.map_err(|error| EngineError::because("starting a thread", error))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for FixWatch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked was told by the panic hook.
            drop(thread.join());
        }
    }
}

/// A site that may be verified, in one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fixed {
    id: String,
    site: GateKey,
    /// The evidence that calls it clear.
    evidence: Digest,
    /// First digit of what it answered before it went dark; of a success where nobody knows, or it
    /// was broken then.
    class: u16,
}

/// How often sites were asked, and when they may be asked again.
#[derive(Debug, Default)]
pub struct Tries(BTreeMap<(String, GateKey), (Digest, u32, Timestamp)>);

impl Tries {
    fn is_due(&self, one: &Fixed, now: Timestamp) -> bool {
        let last = self.0.get(&(one.id.clone(), one.site.clone()));
        // Other evidence is another fix. A clock that was set back asks at once.
        last.is_none_or(|(evidence, _, next)| {
            *evidence != one.evidence || now >= *next || *next - now > TRY_AGAIN_S_MAX
        })
    }

    fn note(&mut self, one: &Fixed, now: Timestamp) {
        let key = (one.id.clone(), one.site.clone());
        let count = match self.0.get(&key) {
            Some((evidence, count, _)) if *evidence == one.evidence => count.saturating_add(1),
            _ => 0,
        };
        let wait = TRY_AGAIN_S.saturating_mul(1 << count.min(16)).min(TRY_AGAIN_S_MAX);
        self.0.insert(key, (one.evidence, count, now + wait));
    }
}

/// What was found about one site.
struct Found {
    tried: Option<Tried>,
    compromise: Compromise,
    vital: bool,
    /// What its own checks gave, and the list.
    checks: Option<(Option<Ran>, SiteChecks)>,
}

impl Found {
    fn failed(tried: Tried) -> Self {
        let (tried, compromise) = (Some(tried), Compromise::Unknown);
        Self { tried, compromise, vital: true, checks: None }
    }
}

impl Engine {
    /// Verifies what was fixed and read again since, as far as it is due. What does not pass stays
    /// dark, is told, and is asked again ever more seldom. How many passed.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn verify_ready(&self, tries: &mut Tries) -> Result<usize, EngineError> {
        self.verify_while(tries, &|| true)
    }

    /// The same for as long as `goes_on`: hundreds of sites that do not answer keep nobody waiting
    /// who wants to end, for longer than the few that are being asked.
    ///
    /// # Errors
    /// As [`Engine::verify_ready`].
    pub fn verify_while(
        &self,
        tries: &mut Tries,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<usize, EngineError> {
        let (fixed, now) = (self.fixed(), self.now());
        tries.0.retain(|(id, site), _| fixed.iter().any(|it| it.id == *id && it.site == *site));
        let due: Vec<&Fixed> = fixed.iter().filter(|one| tries.is_due(one, now)).collect();
        let mut passed = 0;
        for some in due.chunks(TRIALS_AT_ONCE_MAX).take_while(|_| goes_on()) {
            for (one, found) in some.iter().zip(self.look_at(some)) {
                tries.note(one, now);
                // There was no thread for it: it is looked at the next time.
                let Some(found) = found else { continue };
                passed += usize::from(self.settle(one, found)?);
            }
        }
        Ok(passed)
    }

    /// Asks several sites at once: one that does not answer holds up no other.
    fn look_at(&self, some: &[&Fixed]) -> Vec<Option<Found>> {
        thread::scope(|scope| {
            let ask = |one: &&Fixed| {
                let one = (*one).clone();
                thread::Builder::new().spawn_scoped(scope, move || self.look(&one))
            };
            let threads: Vec<_> = some.iter().map(ask).collect();
            threads.into_iter().map(|it| it.ok().and_then(|it| it.join().ok())).collect()
        })
    }

    fn look(&self, one: &Fixed) -> Found {
        let (target, host, vital) = match self.edge_of(&one.site) {
            Ok(edge) => edge,
            Err(error) => return Found::failed(Tried::at("no-edge", &error)),
        };
        let failed = match behind_the_gate(&target, &host, "GET", "/") {
            Ok((status, _)) if status / 100 == one.class => None,
            Ok((status, _)) => {
                let detail = format!("GET /: {status}, not {}xx", one.class);
                Some(Tried { why: "other-status".to_owned(), detail })
            }
            Err(tried) => Some(tried),
        };
        if let Some(tried) = failed {
            return Found::failed(tried);
        }
        let list = match self.checks_of(&one.site) {
            Ok(list) => list,
            Err(error) => return Found::failed(Tried::at("checks-unread", &error)),
        };
        let ran = self.run_checks(&one.id, &one.site, (&target, &host), &list);
        let failed = ran.as_ref().and_then(Ran::tried);
        let checks = Some((ran, list));
        if failed.is_some() {
            return Found { tried: failed, compromise: Compromise::Unknown, vital, checks };
        }
        let compromise = match self.signs_at(&one.id, &one.site) {
            Ok(SignsOf::None) => Compromise::NoSigns,
            Ok(SignsOf::Seen(_)) => Compromise::Signs,
            Ok(SignsOf::Unknown(_)) => Compromise::Unknown,
            Err(error) => return Found::failed(Tried::at("signs-unread", &error)),
        };
        Found { tried: Tried::by_signs(compromise, vital), compromise, vital, checks }
    }

    /// What keeps every fix from being verified is on the board of whoever looks, once.
    fn tell_once(&self, failed: Option<String>, told: &mut Option<String>) {
        if let Some(why) = failed.as_ref().filter(|_| failed != *told) {
            for board in self.boards() {
                board.log(self.now(), "log-fixes-failed", vec![why.clone()]);
            }
        }
        *told = failed;
    }

    /// Journals what was found, if the site still stands where it stood.
    fn settle(&self, one: &Fixed, found: Found) -> Result<bool, EngineError> {
        let Found { tried, compromise, vital, checks } = found;
        let passed = tried.is_none();
        let (ran, list) = checks.unwrap_or_default();
        let _one = self.one_act();
        let is_there = |case: &Incident| fixed_in(&one.id, case, self.now()).any(|it| it == *one);
        if self.with_ledger(|it| it.incident(&one.id).map(is_there)) != Some(true) {
            return Ok(false);
        }
        // Another list is another trial, at the next look.
        if passed && self.checks_of(&one.site)? != list {
            return Ok(false);
        }
        let site = one.site.clone();
        let (evidence, checks, functional) = (Some(one.evidence), list.required(), true);
        let verified = Entry::Verified { site, functional, compromise, vital, evidence, checks };
        let ran = ran.and_then(|ran| self.news_of_checks(&one.id, &one.site, evidence, &ran));
        let news = ran.into_iter().chain(self.news_of(&one.id, &one.site, tried));
        let entries = news.chain(passed.then_some(verified));
        let entries: Vec<_> = entries.map(|entry| (one.id.clone(), entry)).collect();
        if entries.is_empty() {
            return Ok(false);
        }
        // What is known may have changed since: then what was tried says nothing.
        if self.append(ACTOR, entries)?.iter().any(Result::is_err) {
            return Ok(false);
        }
        Ok(self.phase(&one.id, &one.site) == Some(Phase::RelightEligible))
    }

    /// The sites whose fix was declared, is in service, and is called clear by current evidence.
    fn fixed(&self) -> Vec<Fixed> {
        let now = self.now();
        self.with_ledger(|ledger| {
            ledger.open().flat_map(|(id, incident)| fixed_in(id, incident, now)).collect()
        })
    }
}

fn fixed_in(id: &str, incident: &Incident, now: Timestamp) -> impl Iterator<Item = Fixed> {
    // Signs that somebody saw are for people: only who says that there are none lets it go on.
    let is_fixed = |case: &Case| case.phase == Phase::Verifying && case.declared && !case.signs;
    let cases = incident.cases().iter().filter(move |(_, case)| is_fixed(case));
    cases.filter_map(move |(site, case)| {
        let evidence = incident.ground(site, now)?;
        let class = case.baseline.filter(|class| *class < 5).unwrap_or(2);
        Some(Fixed { id: id.to_owned(), site: site.clone(), evidence, class })
    })
}
