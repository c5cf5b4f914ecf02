//! Keeps a board in step with the ledger: after each append, the states of the sites it names.

use std::collections::BTreeMap;
use std::slice::from_ref;
use std::sync::{Arc, Mutex, PoisonError};

use relight_model::{Digest, GateKey, Light, Timestamp, Verdict};
use relight_store::Store;

use crate::engine::{Appended, Engine, replay_each};
use crate::error::EngineError;
use crate::incident::{Action, Entry, Ledger, PROOF_EXPIRED, PartSeen, Phase};
use crate::live::{Board, BoardSite, Headline, Words};

/// Most entries of one append that are told one by one; of more only the sums are told.
const TOLD_MAX: usize = 20;

impl Engine {
    /// A board of every site of the register, kept in step from now on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn board(&self) -> Result<Arc<Board>, EngineError> {
        let board = board_of(self.store())?;
        let wall = Wall::new(Arc::clone(&board));
        self.watch_sites(&board);
        self.listen(Box::new(move |engine, appended| wall.tell(engine, appended)));
        // After the first entry that is told: what was proven while the journal was read is shown,
        // and the incident for which it was has begun in public.
        self.with_ledger(|ledger| begin_all(ledger, &board, self.now()));
        self.show_all(&Wall::new(Arc::clone(&board)));
        Ok(board)
    }

    /// Tells every board which sites there are now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn tell_sites(&self) -> Result<(), EngineError> {
        for board in self.boards() {
            board.set_sites(sites_of(self.store())?);
            self.show_all(&Wall::new(board));
        }
        Ok(())
    }

    fn show_all(&self, wall: &Wall) {
        let keys: Vec<GateKey> = self.sites().into_iter().map(|site| site.slug).collect();
        self.with_ledger(|ledger| wall.show(ledger, self.now(), &keys));
    }
}

/// Begins every open incident under which a site is dark that is not shown so yet.
fn begin_all(ledger: &Ledger, board: &Board, at: Timestamp) {
    for (id, incident) in ledger.open() {
        let dark = incident.cases().iter().filter(|(_, case)| case.seen_dark);
        board.begin(id, at, dark.map(|(site, _)| site.as_str()));
    }
}

/// A board of every site as the journal left it, with every outage since it began. Takes no lease
/// and is not kept in step.
///
/// # Errors
/// The store cannot be read, or the journal does not replay.
pub fn board_of(store: &Store) -> Result<Arc<Board>, EngineError> {
    let wall = Wall::new(Arc::new(Board::new(Headline::default(), sites_of(store)?)));
    replay_each(store, |ledger, record| wall.follow(ledger, record))?;
    Ok(wall.board)
}

/// Every site of the register.
fn sites_of(store: &Store) -> Result<Vec<BoardSite>, EngineError> {
    let organisations = store.organisations()?;
    let by_id: BTreeMap<_, _> = organisations.iter().map(|org| (org.id, org)).collect();
    let sites = store.sites()?.into_iter().map(|site| {
        let org = by_id.get(&site.org);
        BoardSite {
            sector: org.map(|org| org.sector.clone()).unwrap_or_default(),
            organisation: org.map(|org| org.name.clone()).unwrap_or_default(),
            slug: site.slug.to_string(),
            name_fr: site.name_fr,
            name_en: site.name_en,
            public: site.public,
            channel: site.channel,
        }
    });
    Ok(sites.collect())
}

struct Wall {
    board: Arc<Board>,
    ordered_ms: Mutex<i64>,
}

impl Wall {
    fn new(board: Arc<Board>) -> Self {
        Self { board, ordered_ms: Mutex::new(0) }
    }

    fn show(&self, ledger: &Ledger, at: Timestamp, sites: &[GateKey]) {
        let shown = sites.iter().map(|site| (site.as_str(), ledger.display(site)));
        self.board.show_at(at, shown.map(|(slug, (state, dark))| (slug, state, dark)));
    }

    /// Shows what one entry changed.
    fn follow(&self, ledger: &Ledger, (id, entry, at): (&str, &Entry, Timestamp)) {
        if let Entry::UpdatePublished { fr, en, particulars, .. } = entry {
            let (fr, en, particulars) = (fr.clone(), en.clone(), *particulars);
            self.board.say(Words { at, fr, en, particulars });
        }
        match entry {
            Entry::Proved { sites, light: Light::Dark, .. } => {
                self.board.begin(id, at, sites.iter().map(GateKey::as_str));
            }
            Entry::Closed { .. } => self.board.end(id),
            _ => {}
        }
        let about = match entry {
            Entry::Opened { .. } | Entry::Closed { .. } => {
                self.board.set_headline(headline(ledger));
                let incident = ledger.incident(id);
                incident.map(|it| it.cases().keys().cloned().collect()).unwrap_or_default()
            }
            entry => entry.sites(),
        };
        self.show(ledger, at, &about);
    }

    fn tell(&self, engine: &Engine, appended: &Appended<'_>) {
        let now = engine.now();
        for (id, entry) in appended.accepted() {
            engine.with_ledger(|ledger| self.follow(ledger, (id, entry, now)));
            if appended.entries.len() <= TOLD_MAX || is_sum(entry) {
                self.log(engine, now, id, entry);
            }
        }
    }

    fn log(&self, engine: &Engine, now: Timestamp, id: &str, entry: &Entry) {
        let line = |code: &'static str, args: &[&str]| {
            self.board.log(now, code, args.iter().map(|arg| (*arg).to_owned()).collect());
        };
        let told = |code, args: &[&str], last: &str, keys: &[GateKey]| {
            let args = args.iter().copied().chain([last]).map(str::to_owned).collect();
            self.board.log_of(now, code, args, &whole_of(engine, id, keys));
        };
        let about = |code, args: &[&str], it: &GateKey| told(code, args, it.as_str(), from_ref(it));
        let each = |code, args: &[&str], of: &[GateKey]| {
            of.iter().take(TOLD_MAX).for_each(|it| about(code, args, it));
        };
        let count =
            |code, args: &[&str], of: &[GateKey]| told(code, args, &of.len().to_string(), of);
        match entry {
            Entry::Opened { title, .. } => line("log-incident-opened", &[id, title]),
            Entry::Closed { .. } => line("log-incident-closed", &[id]),
            Entry::Revised { .. } => {
                let cases = engine
                    .with_ledger(|ledger| ledger.incident(id).map(|found| found.cases().len()));
                line("log-advisory-revised", &[id, &cases.unwrap_or(0).to_string()]);
            }
            Entry::DarkOrdered { sites, .. } => {
                *self.ordered_ms.lock().unwrap_or_else(PoisonError::into_inner) = engine.now_ms();
                count("log-dark-ordered", &[], sites);
            }
            Entry::Proved { sites, light: Light::Dark, .. } => {
                let took = self.took_ms(engine);
                count("log-dark-proven", &[&took.to_string()], sites);
            }
            Entry::Proved { sites, light: Light::Lit, .. } => match sites.as_slice() {
                [site] => about("log-relit", &[], site),
                sites => count("log-relit-many", &[], sites),
            },
            Entry::EdgeFailed { sites, why, .. } => each("log-dark-failed", &[why], sites),
            Entry::Drifted { sites, edge, what, .. } if what == PROOF_EXPIRED => {
                count("log-proof-expired", &[edge], sites);
            }
            Entry::Drifted { sites, edge, .. } => each("log-drifted", &[edge], sites),
            Entry::HeldBack { sites, .. } => count("log-held-back", &[], sites),
            Entry::EvidenceAttached { evidence } => {
                let site = &evidence.site;
                match evidence.verdict {
                    Verdict::Clear => about("log-clear", &[], site),
                    Verdict::Affected => {
                        let found = evidence.found.first().map_or("", String::as_str);
                        about("log-affected", &[found], site);
                    }
                    Verdict::Unknown => {
                        let reason = evidence.reasons.first().map_or("", |reason| reason.as_str());
                        about("log-unknown", &[reason], site);
                    }
                }
            }
            Entry::FixStarted { site, .. } => about("log-fixing", &[], site),
            Entry::Deployed { site, .. } => about("log-fix-deployed", &[], site),
            Entry::Verified { site, .. } => {
                if engine.phase(id, site) == Some(Phase::Affected) {
                    about("log-verification-failed", &["functional-or-rescan"], site);
                } else {
                    about("log-fix-verified", &[], site);
                }
            }
            _ => self.log_of_people(engine, now, id, entry),
        }
    }

    /// How long ago sites were ordered dark.
    fn took_ms(&self, engine: &Engine) -> i64 {
        let ordered = *self.ordered_ms.lock().unwrap_or_else(PoisonError::into_inner);
        engine.now_ms().saturating_sub(ordered).max(0)
    }

    /// What people asked for, agreed to, refused or wrote.
    fn log_of_people(&self, engine: &Engine, now: Timestamp, id: &str, entry: &Entry) {
        let line = |code: &'static str, args: &[&str]| {
            self.board.log(now, code, args.iter().map(|arg| (*arg).to_owned()).collect());
        };
        match entry {
            Entry::PlanProposed { plan, .. } => {
                let sites = plan.sites.len().to_string();
                let action = plan.hash().ok().and_then(|hash| called(engine, &hash));
                line("log-plan-proposed", &[&action.unwrap_or_default(), &plan.proposer, &sites]);
            }
            Entry::PlanApproved { plan, by, .. } => {
                line("log-plan-approved", &[&called(engine, plan).unwrap_or_default(), by]);
            }
            Entry::PlanRefused { plan, by, why } => {
                line("log-plan-refused", &[&called(engine, plan).unwrap_or_default(), by, why]);
            }
            Entry::PlanEnded { plan, failed, left, held } => {
                let id = called(engine, plan).unwrap_or_default();
                let is_stopped = failed.len() + left.len() > 0;
                let [left, failed, held] =
                    [left, failed, held].map(|sites| sites.len().to_string());
                if is_stopped {
                    line("log-waves-stopped", &[&id, &left, &failed]);
                }
                if held != "0" {
                    line("log-waves-held", &[&id, &held]);
                }
            }
            Entry::PartsClosed { .. } | Entry::PartsOpened { .. } | Entry::PartsSeen { .. } => {
                for part in entry.parts().iter().take(TOLD_MAX) {
                    let (args, sites) =
                        (vec![part.to_string()], whole_of(engine, id, from_ref(part)));
                    self.board.log_of(now, part_line(entry), args, &sites);
                }
            }
            Entry::BreakGlass { reason, by, .. } => line("log-break-glass", &[by, reason]),
            Entry::GlassReviewed { by, .. } => line("log-glass-reviewed", &[by]),
            Entry::UpdatePublished { by, .. } => line("log-update-published", &[by]),
            Entry::Restored { .. } => line("log-restored", &[]),
            Entry::ClockSetBack { .. } => line("log-clock-set-back", &[]),
            _ => {}
        }
    }
}

/// What a line says of parts.
const fn part_line(entry: &Entry) -> &'static str {
    match entry {
        Entry::PartsClosed { .. } => "log-part-closing",
        Entry::PartsSeen { seen, .. } => match seen {
            PartSeen::Closed => "log-part-closed",
            PartSeen::Open => "log-part-open",
            PartSeen::Lost => "log-part-lost",
            PartSeen::Failed => "log-part-failed",
            PartSeen::Stopped => "log-part-stopped",
        },
        _ => "log-part-opening",
    }
}

/// The sites that gate keys are of: whoever reads a site reads of its parts.
fn whole_of(engine: &Engine, id: &str, keys: &[GateKey]) -> Vec<String> {
    engine.with_ledger(|ledger| {
        let incident = ledger.incident(id);
        let whole = |key| incident.and_then(|it| it.part(key)).map(|part| &part.name.site);
        keys.iter().map(|key| whole(key).unwrap_or(key).to_string()).collect()
    })
}

/// How people call the plan with this hash.
fn called(engine: &Engine, plan: &Digest) -> Option<String> {
    engine.with_ledger(|ledger| ledger.actions().of(plan).map(Action::id))
}

/// What the board is about: the incident that was opened last among those that are open.
fn headline(ledger: &Ledger) -> Headline {
    let newest = ledger.open().max_by_key(|(_, incident)| incident.opened);
    newest.map_or_else(Headline::default, |(id, incident)| Headline {
        id: id.to_owned(),
        title: incident.title.clone(),
        opened: incident.opened,
    })
}

/// Entries about many sites at once are told however many come together.
const fn is_sum(entry: &Entry) -> bool {
    matches!(
        entry,
        Entry::Opened { .. }
            | Entry::Closed { .. }
            | Entry::Revised { .. }
            | Entry::DarkOrdered { .. }
            | Entry::Proved { .. }
            | Entry::EdgeFailed { .. }
            | Entry::Drifted { .. }
    )
}
