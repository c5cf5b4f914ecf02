//! The steps of a drill, on one edge.

mod hosts;
mod reload;
mod tunnels;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use relight_edge::exec::start_hand;
use relight_edge::{
    EdgeDriver, EdgeError, EdgeErrorKind, GateSet, LintSeverity, Listener, ProbeTarget, Prober,
    Stage, Testers, Untried,
};
use relight_model::{Digest, Epoch, GateKey, Seen, Site, Verdict};

use super::bed::Bed;
use super::{DrillEdge, DrillReport, Step, chain};
use crate::drive::for_incidents;
use crate::incident::{Entry, Evidence, EvidenceKind, Ledger, Phase};
use crate::reconcile::{CANARY_HOST, EdgeLoop, Want, grace_ms};
use tunnels::Tunnel;

/// Longest time that connections of before are left alone in a rehearsal, in milliseconds.
const GRACE_MS_MAX: i64 = 2_000;

/// Wait between two looks at an edge.
pub const DRILL_PAUSE: Duration = Duration::from_millis(20);

/// Longest wait for one proof, in rounds.
const ROUNDS_MAX: usize = 400;

/// When the second controller is killed, after its first effect: each time at another one.
const KILLED_AFTER: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(7), Duration::from_millis(31)];

/// Longest wait for the first effect of the second controller.
const HAND_WAIT_MAX: Duration = Duration::from_secs(20);

/// A second controller ends by itself after so long, in milliseconds, whatever became of the first.
const HOLD_MAX_MS: i64 = 10_000;

/// The id of the incident that a drill plays, in a journal of its own that nobody keeps.
const ID: &str = "drill";

/// The steps, in order.
pub const STEPS: [StepName; 13] = [
    StepName::Reach,
    StepName::Lint,
    StepName::Dark,
    StepName::Tunnels,
    StepName::Hosts,
    StepName::Behind,
    StepName::Reload,
    StepName::Fence,
    StepName::Restart,
    StepName::Relight,
    StepName::Redeployed,
    StepName::Revised,
    StepName::Return,
];

/// One step of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepName {
    /// The edge answers, and nothing else on it is dark.
    Reach,
    /// Its set-up has no error.
    Lint,
    /// Everything of the drill goes dark and is proven so.
    Dark,
    /// Connections that were upgraded before are gone.
    Tunnels,
    /// No spelling of the name reaches the canary.
    Hosts,
    /// Testers reach it behind the gate.
    Behind,
    /// Somebody else reloads the edge, and nobody meets a light.
    Reload,
    /// An older controller is refused.
    Fence,
    /// A controller that was killed and started again finds it dark and keeps it so.
    Restart,
    /// Clear evidence brings it back, proven twice.
    Relight,
    /// Artifacts that nobody looked at make it dark again, and evidence about them brings it back.
    Redeployed,
    /// A revised advisory makes it dark again.
    Revised,
    /// The end: everything lit, as it was found.
    Return,
}

impl StepName {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Lint => "lint",
            Self::Dark => "dark",
            Self::Tunnels => "tunnels",
            Self::Hosts => "hosts",
            Self::Behind => "behind",
            Self::Reload => "reload",
            Self::Fence => "fence",
            Self::Restart => "restart",
            Self::Relight => "relight",
            Self::Redeployed => "redeployed",
            Self::Revised => "revised",
            Self::Return => "return",
        }
    }
}

/// Time, chance and patience of a drill.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The clock, in milliseconds.
    pub clock: fn() -> i64,
    /// Differs between processes.
    pub nonce: u64,
    /// Wait between two rounds of one step.
    pub pause: Duration,
    /// A program and its words that become a second controller ([`DrillEdge::hold`]) when the name
    /// of an edge follows, and `--term` and `--seq` of the epoch; without it nothing is killed.
    pub second: Option<Vec<String>>,
    /// Whoever rehearses ends: the next step fails, and everything is opened.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Pace {
    fn is_over(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

pub(super) fn run(
    (edge, bed): (&DrillEdge, &dyn Bed),
    ledger: &Ledger,
    pace: &Pace,
    begin: &mut dyn FnMut() -> Result<(), String>,
) -> DrillReport {
    let mut steps: Vec<Step> = Vec::new();
    let mut drill = None;
    for name in STEPS {
        let began = (pace.clock)();
        let result = match name {
            // What was dark before is none of it: that it begins is journalled after the look.
            StepName::Reach => Drill::open((edge, bed), ledger, pace.clone()).and_then(|opened| {
                begin()?;
                drill = Some(opened);
                Ok(Tried::Yes)
            }),
            _ => step(name, drill.as_mut()),
        };
        let took_ms = ((pace.clock)() - began).max(0);
        let (passed, tried) = (result.is_ok(), !matches!(result, Ok(Tried::No(_))));
        let detail = match result {
            Ok(Tried::Yes) => String::new(),
            Ok(Tried::Partly(detail) | Tried::No(detail)) | Err(detail) => detail,
        };
        steps.push(Step { name, passed, tried, took_ms, detail });
        if !passed {
            break;
        }
    }
    let keys: Vec<GateKey> = edge.keys.iter().map(|key| key.key.clone()).collect();
    let mut left = Vec::new();
    if let Some(drill) = &mut drill
        && steps.iter().any(|step| !step.passed)
    {
        // Whatever failed, nothing of the drill stays closed; what it says changes no verdict.
        if drill.open_all().is_err() {
            left.clone_from(&keys);
        }
    }
    DrillReport { edge: edge.target.name.clone(), identity: edge.identity, keys, steps, left }
}

fn step(name: StepName, drill: Option<&mut Drill<'_>>) -> Result<Tried, String> {
    let drill = drill.ok_or_else(|| "the edge was never reached".to_owned())?;
    let done = match name {
        StepName::Behind => return drill.behind(),
        StepName::Tunnels => return drill.tunnels(),
        StepName::Reload => return drill.reload(),
        StepName::Hosts => return drill.hosts(),
        StepName::Reach => Ok(()),
        StepName::Lint => drill.lint(),
        StepName::Dark => drill.order(),
        StepName::Fence => drill.fence(),
        StepName::Restart => drill.restart(),
        StepName::Relight => drill.relight(1, 1),
        StepName::Redeployed => drill.redeploy(),
        StepName::Revised => drill.revise(),
        StepName::Return => drill.relight(9, 2).and_then(|()| drill.open_all()),
    };
    done.map(|()| Tried::Yes)
}

/// Whether there was anything to try.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tried {
    Yes,
    /// All but what this names, by its code.
    Partly(String),
    /// The edge has nothing of the kind; what that leaves unshown, by its code, if anything.
    No(String),
}

impl Tried {
    /// What was tried or not, where that leaves something unshown of these edges.
    fn but_for(is_tried: bool, code: &str, edges: &[&str]) -> Self {
        let detail = match edges {
            [] => String::new(),
            _ => format!("{code}: {}", edges.join(" ")),
        };
        match (is_tried, edges) {
            (true, []) => Self::Yes,
            (true, _) => Self::Partly(detail),
            (false, _) => Self::No(detail),
        }
    }
}

/// One running drill: the loop of the edge and an incident that exists nowhere else.
struct Drill<'a> {
    edge: DrillEdge,
    bed: &'a dyn Bed,
    pace: Pace,
    edge_loop: EdgeLoop,
    ledger: Ledger,
    epoch: Epoch,
    /// The last round had nothing left to do.
    is_settled: bool,
    /// Connections to sites of the drill that were upgraded before the order.
    tunnels: Vec<Tunnel>,
}

impl<'a> Drill<'a> {
    fn open(
        (edge, bed): (&DrillEdge, &'a dyn Bed),
        ledger: &Ledger,
        pace: Pace,
    ) -> Result<Self, String> {
        let mut driver = bed.driver().map_err(|error| chain(&error))?;
        let keys: Vec<GateKey> = edge.keys.iter().map(|key| key.key.clone()).collect();
        let epoch = edge.epoch_unused(ledger, driver.as_mut(), &keys)?;
        for listener in bed.listeners().map_err(|error| chain(&error))? {
            listener.connect(CANARY_HOST).map_err(|error| chain(&error))?;
        }
        let edge_loop = opened(edge, bed, pace.nonce)?;
        let mut ledger = Ledger::new(1);
        let opened = Entry::Opened {
            question: ID.to_owned(),
            title: ID.to_owned(),
            revision: Digest([1; 32]),
            statements: Digest::default(),
            policy: ID.to_owned(),
        };
        ledger.apply(ID, &opened, 0).map_err(|why| why.0.to_owned())?;
        let (edge, tunnels) = (edge.clone(), Vec::new());
        Ok(Self { edge, bed, pace, edge_loop, ledger, epoch, is_settled: false, tunnels })
    }

    fn keys(&self) -> Vec<GateKey> {
        self.edge.keys.iter().map(|key| key.key.clone()).collect()
    }

    fn now(&self) -> i64 {
        (self.pace.clock)() / 1_000
    }

    fn tell(&mut self, entry: &Entry) -> Result<(), String> {
        let now = self.now();
        self.ledger.apply(ID, entry, now).map_err(|why| why.0.to_owned())
    }

    fn lint(&self) -> Result<(), String> {
        let mut driver = self.bed.driver().map_err(|error| chain(&error))?;
        let found = driver.lint().map_err(|error| chain(&error))?;
        let bad = found.iter().find(|lint| lint.severity == LintSeverity::Error);
        bad.map_or(Ok(()), |lint| Err(format!("{}: {}", lint.code, lint.place)))
    }

    fn order(&mut self) -> Result<(), String> {
        self.tunnels = tunnels::open(&self.edge, self.bed)?;
        let sites = self.keys();
        let plan = Digest::default();
        self.tell(&Entry::DarkOrdered { plan, sites, reason: ID.to_owned() })?;
        self.until(|phase| phase == Phase::DarkProven)?;
        // Some faults of a set-up show only while something is dark.
        self.lint()
    }

    /// Rounds until every key of the drill is in the phase that is wanted.
    fn until(&mut self, done: impl Fn(Phase) -> bool) -> Result<(), String> {
        let mut trouble = String::from("not proven in time");
        for _ in 0..ROUNDS_MAX {
            if let Some(error) = self.round()? {
                trouble = error;
            }
            let incident = self.ledger.incident(ID);
            let phase = |key: &GateKey| Some(incident?.case(key)?.phase);
            let missing = self.keys().into_iter().find(|key| !phase(key).is_some_and(&done));
            let Some(key) = missing else { return Ok(()) };
            if phase(&key) == Some(Phase::Failed) {
                return Err(format!("{key}: {trouble}"));
            }
            // An edge acts when it likes; it is asked again until the proof is there.
            thread::sleep(self.pace.pause);
        }
        Err(trouble)
    }

    fn round(&mut self) -> Result<Option<String>, String> {
        if self.pace.is_over() {
            return Err("whoever rehearsed ended".to_owned());
        }
        let wants: Vec<Want> = self.wants();
        let (ledger, now) = (&self.ledger, self.now());
        let permits = |key: &GateKey| ledger.permits(key, now);
        let round = self.edge_loop.round(&wants, self.epoch, (self.pace.clock)(), &permits);
        if let Some(error) = &round.error
            && error.kind == EdgeErrorKind::Fenced
        {
            return Err(chain(error));
        }
        for (_, entry) in for_incidents(&self.ledger, &round) {
            self.tell(&entry)?;
        }
        self.is_settled = round.settled;
        Ok(round.error.map(|error| chain(&error)))
    }

    /// What the drill wants, and nothing about any other site.
    fn wants(&self) -> Vec<Want> {
        let sites: BTreeMap<&GateKey, Site> =
            self.edge.keys.iter().map(|key| (&key.key, site(&self.edge, key))).collect();
        crate::reconcile::wants(&self.ledger, self.edge.name(), |key| sites.get(key))
    }

    /// Artifacts that no evidence is about run now: dark, until somebody looked at them.
    fn redeploy(&mut self) -> Result<(), String> {
        for site in self.keys() {
            self.tell(&Entry::Deployed { site, digest: Digest([9; 32]) })?;
        }
        self.until(|phase| phase == Phase::DarkProven)?;
        for key in self.keys() {
            let stale = self.evidence(&key, 1, 1, Verdict::Clear).id();
            let stale = stale.map_err(|error| error.to_string())?;
            let opened = self.tell(&Entry::RelightStarted { site: key.clone(), evidence: stale });
            if opened.is_ok() {
                return Err(format!("{key} was opened on evidence about other artifacts"));
            }
        }
        self.relight(9, 1)
    }

    fn behind(&self) -> Result<Tried, String> {
        let testers = Testers::of(&self.edge.target).map_err(|error| chain(&error))?;
        let Some(testers) = testers else { return Ok(Tried::No(String::new())) };
        match testers.ask("GET", CANARY_HOST, "/") {
            Ok(answer) if answer.status < 400 => Ok(Tried::Yes),
            Ok(answer) => Err(format!("{CANARY_HOST} behind the gate: {}", answer.status)),
            Err(error) => Err(chain(&error)),
        }
    }

    /// A controller of before must not be able to write. It would write what stands there.
    fn fence(&self) -> Result<(), String> {
        // A term that has just begun has no older number; then it is the term before.
        let older = match self.epoch.seq.checked_sub(1) {
            Some(seq) => Epoch { seq, ..self.epoch },
            None => Epoch { term: self.epoch.term.saturating_sub(1), seq: u64::MAX },
        };
        let mut driver = self.bed.driver().map_err(|error| chain(&error))?;
        let dark: GateSet = self.keys().into_iter().collect();
        match driver.apply(older, Stage::Durable, &dark) {
            Err(error) if error.kind == EdgeErrorKind::Fenced => Ok(()),
            Err(error) => Err(chain(&error)),
            Ok(()) => Err("an older controller was not refused".to_owned()),
        }
    }

    /// A controller that is killed in the middle of its effects, and one that comes after it.
    fn restart(&mut self) -> Result<(), String> {
        if let Some(mut argv) = self.pace.second.clone() {
            let Epoch { term, seq } = self.epoch;
            let numbers = ["--term".to_owned(), term.to_string(), "--seq".to_owned()];
            argv.push(self.edge.name().to_owned());
            argv.extend(numbers);
            argv.push(seq.to_string());
            for (moment, nonce) in KILLED_AFTER.into_iter().zip(1..) {
                let mut hand = start_hand(&argv, HAND_WAIT_MAX).map_err(|error| chain(&error))?;
                // Nothing tells how far it is: that is what is tried.
                thread::sleep(moment);
                hand.kill();
                self.take_over(self.pace.nonce.rotate_left(nonce))?;
            }
        }
        self.resume()
    }

    /// Whatever was left is ours, and another loop makes it whole.
    fn take_over(&mut self, nonce: u64) -> Result<(), String> {
        let mut driver = self.bed.driver().map_err(|error| chain(&error))?;
        let keys = self.keys();
        let views = driver.observe(&keys).map_err(|error| chain(&error))?;
        if let Some((key, _)) = keys.iter().zip(&views).find(|(_, view)| view.foreign) {
            return Err(format!("{key} was left as if somebody else had closed it"));
        }
        self.edge_loop = opened(&self.edge, self.bed, nonce)?;
        let mut trouble = None;
        for _ in 0..ROUNDS_MAX {
            trouble = self.round()?.or(trouble);
            if self.is_settled {
                return Ok(());
            }
            // As above: an edge acts when it likes.
            thread::sleep(self.pace.pause);
        }
        Err(trouble.unwrap_or_else(|| "not proven in time after a kill".to_owned()))
    }

    /// Another loop that knows nothing, and looks before it does anything.
    fn resume(&mut self) -> Result<(), String> {
        let mut driver = self.bed.driver().map_err(|error| chain(&error))?;
        let keys = self.keys();
        let views = driver.observe(&keys).map_err(|error| chain(&error))?;
        if let Some((key, _)) = keys.iter().zip(&views).find(|(_, it)| it.durable != Seen::Dark) {
            return Err(format!("{key} would be lit after a restart"));
        }
        let nonce = self.pace.nonce.rotate_left(7);
        self.edge_loop = opened(&self.edge, self.bed, nonce)?;
        for _ in 0..3 {
            self.round()?;
        }
        self.until(|phase| phase == Phase::DarkProven)
    }

    fn evidence(&self, key: &GateKey, artifact: u8, revision: u8, verdict: Verdict) -> Evidence {
        let now = self.now();
        Evidence {
            site: key.clone(),
            artifact_set: Some(Digest([artifact; 32])),
            advisory: ID.to_owned(),
            advisory_revision: Digest([revision; 32]),
            statements_digest: Digest::default(),
            matcher_revision: 1,
            scanner: ID.to_owned(),
            verdict,
            reasons: Vec::new(),
            found: Vec::new(),
            components: Vec::new(),
            inventories: Vec::new(),
            kind: EvidenceKind::Scan,
            made_at: now,
            expires_at: now + 3_600,
        }
    }

    fn relight(&mut self, artifact: u8, revision: u8) -> Result<(), String> {
        for key in self.keys() {
            let evidence = self.evidence(&key, artifact, revision, Verdict::Clear);
            let id = evidence.id().map_err(|error| error.to_string())?;
            self.tell(&Entry::EvidenceAttached { evidence })?;
            self.tell(&Entry::RelightStarted { site: key, evidence: id })?;
        }
        self.until(|phase| phase == Phase::RelitProven)
    }

    /// The advisory is revised, and what was clear is unknown: dark again.
    fn revise(&mut self) -> Result<(), String> {
        self.tell(&Entry::Revised { revision: Digest([2; 32]), statements: Digest::default() })?;
        let sites = self.keys();
        self.tell(&Entry::Lapsed { sites })?;
        self.until(|phase| phase == Phase::DarkProven)
    }

    /// Takes everything of the drill out of the gate, and looks.
    fn open_all(&mut self) -> Result<(), String> {
        let mut driver = self.bed.driver().map_err(|error| chain(&error))?;
        for stage in [Stage::Runtime, Stage::Durable] {
            driver.apply(self.epoch, stage, &GateSet::new()).map_err(|error| chain(&error))?;
        }
        let targets: Vec<_> = self.edge.keys.iter().map(super::DrillKey::target).collect();
        let mut eyes = self.bed.eyes().map_err(|error| chain(&error))?;
        let nonce = self.pace.nonce.rotate_left(13);
        let seen = eyes.probe(&targets, nonce);
        let other = targets.iter().zip(seen).find(|(_, result)| result.seen != Seen::Lit);
        let Some((target, _)) = other else { return Ok(()) };
        let listeners = self.bed.listeners().unwrap_or_default();
        Err(not_lit(target, &listeners, !nonce))
    }
}

/// That something of a drill is not seen lit, and at which listener, unless each of them shows it
/// lit by now.
pub(super) fn not_lit(target: &ProbeTarget, listeners: &[Listener], nonce: u64) -> String {
    let is_lit = |listener: &&Listener| {
        let seen = Prober::new((*listener).clone()).probe(std::slice::from_ref(target), nonce);
        seen.first().is_some_and(|result| result.seen == Seen::Lit)
    };
    match listeners.iter().find(|listener| !is_lit(listener)) {
        Some(listener) => format!("{} is not seen lit at {listener}", target.key),
        None => format!("{} is not seen lit", target.key),
    }
}

/// Closes and opens everything of the drill again and again, so that a kill meets one effect or
/// another; says once that it has begun.
pub(super) fn hold(
    edge: &DrillEdge,
    driver: &mut dyn EdgeDriver,
    epoch: Epoch,
    pace: &Pace,
    began: &mut dyn FnMut(),
) -> Result<(), EdgeError> {
    let dark: GateSet = edge.keys.iter().map(|key| key.key.clone()).collect();
    let none = GateSet::new();
    let until = (pace.clock)() + HOLD_MAX_MS;
    let mut is_first = true;
    while (pace.clock)() < until {
        for (stage, wanted) in [
            (Stage::Durable, &dark),
            (Stage::Runtime, &dark),
            (Stage::Runtime, &none),
            (Stage::Durable, &none),
        ] {
            driver.apply(epoch, stage, wanted)?;
            if std::mem::take(&mut is_first) {
                began();
            }
        }
    }
    Ok(())
}

/// What is only said of the edge is believed here: the drill is there to show it.
fn opened(edge: &DrillEdge, bed: &dyn Bed, nonce: u64) -> Result<EdgeLoop, String> {
    let failed = |error: EdgeError| chain(&error);
    let (driver, eyes) = (bed.driver().map_err(failed)?, bed.eyes().map_err(failed)?);
    let mut edge_loop = EdgeLoop::new(edge.name(), driver, eyes, nonce);
    edge_loop.set_drilled(Some(Untried::default()));
    edge_loop.set_grace(grace_ms(&edge.target).unwrap_or(GRACE_MS_MAX).min(GRACE_MS_MAX));
    Ok(edge_loop)
}

fn site(edge: &DrillEdge, key: &super::DrillKey) -> Site {
    Site {
        id: relight_model::SiteId(0),
        slug: key.key.clone(),
        name_fr: String::new(),
        name_en: String::new(),
        origin: format!("http://{}", key.host),
        aliases: key.aliases.clone(),
        parts: Vec::new(),
        org: relight_model::OrgId(0),
        criticality: relight_model::Criticality::Normal,
        exposure: relight_model::SiteExposure::Unknown,
        edge: edge.name().to_owned(),
        public: false,
        channel: relight_model::Channel::default(),
    }
}
