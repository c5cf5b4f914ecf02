//! What people, the scanner and the advisory feed say: sometimes what follows, sometimes not.

use relight_engine::incident::{Compromise, Entry, Evidence, EvidenceKind, Phase};
use relight_model::{Digest, GateKey, UnknownReason, Verdict};

use crate::oracle::{LIST, has_checks};
use crate::sim::{INCIDENTS, Sim};

impl Sim {
    /// Opens an incident.
    pub(crate) fn open(&mut self, id: &str) {
        let opened = Entry::Opened {
            question: id.to_owned(),
            title: "Log4Shell".to_owned(),
            revision: Digest([1; 32]),
            statements: Digest::default(),
            policy: "simulation".to_owned(),
        };
        self.tell(id, &opened);
    }

    fn incident(&mut self) -> &'static str {
        INCIDENTS[usize::from(self.rng.chance(35))]
    }

    fn anybody(&mut self) -> (GateKey, u8) {
        self.rng.pick(&self.running).clone()
    }

    /// Works on one site for a while.
    pub(crate) fn operate(&mut self) {
        let (id, site) = (self.incident(), self.anybody().0);
        for _ in 0..=self.rng.below(4) {
            self.sensible(id, site.clone());
        }
    }

    /// Does with a site what a careful operator would do next.
    fn sensible(&mut self, id: &str, site: GateKey) {
        let runs = self.running.iter().find(|(key, _)| *key == site).map_or(1, |(_, runs)| *runs);
        let Some(incident) = self.ledger.incident(id).filter(|incident| !incident.closed) else {
            return self.open(id);
        };
        let case = incident.case(&site).cloned();
        let evidence = case.as_ref().and_then(|case| case.evidence.clone());
        match case.map_or(Phase::Online, |case| case.phase) {
            Phase::Online => self.order(id, vec![site]),
            Phase::Affected | Phase::Fixing => self.deploy(&site, (runs | 1) + 2),
            Phase::FixDeployed => drop(self.tell(id, &Entry::VerificationStarted { site })),
            Phase::Verifying if self.rng.chance(60) => {
                let functional = self.rng.chance(70);
                let compromise = Compromise::NoSigns;
                let (vital, evidence) = (true, self.known(id, &site));
                let checks = has_checks(&site).then_some(LIST);
                // Whoever is careful asks first; somebody forgets, or asks by an older list, or the
                // files are read again before anything is said.
                if checks.is_some() && self.rng.chance(70) {
                    let asked = self.asked(&site, evidence, 80);
                    self.tell(id, &asked);
                    if self.rng.chance(30) {
                        self.scan(id, &site, runs);
                    }
                }
                let evidence = self.known(id, &site);
                let verified =
                    Entry::Verified { site, functional, compromise, vital, evidence, checks };
                self.tell(id, &verified);
            }
            Phase::RelightEligible => {
                let evidence = evidence.and_then(|evidence| evidence.id().ok());
                let evidence = evidence.unwrap_or_default();
                if !self.tell(id, &Entry::RelightStarted { site: site.clone(), evidence }) {
                    self.scan(id, &site, runs);
                }
            }
            Phase::RelitProven | Phase::Relighting if self.rng.chance(50) => {}
            _ => self.scan(id, &site, runs),
        }
    }

    /// What the checks of a site gave: by the list of the register, and passed, as often as said.
    fn asked(&mut self, site: &GateKey, evidence: Option<Digest>, usual: usize) -> Entry {
        let list = if self.rng.chance(usual) { LIST } else { Digest([0x21; 32]) };
        let passed = if self.rng.chance(usual) { 2 } else { self.rng.below(2) as u32 };
        let failed = if passed < 2 { "GET / -> 200" } else { "" }.to_owned();
        Entry::ChecksRun { site: site.clone(), evidence, list, of: 2, passed, failed }
    }

    fn order(&mut self, id: &str, sites: Vec<GateKey>) {
        let reason = "as a precaution".to_owned();
        self.tell(id, &Entry::DarkOrdered { plan: Digest::default(), sites, reason });
    }

    /// Another artifact is put in service: every incident hears of it.
    fn deploy(&mut self, site: &GateKey, artifact: u8) {
        self.now_ms += 1_000;
        for (_, runs) in self.running.iter_mut().filter(|(running, _)| running == site) {
            *runs = artifact;
        }
        for id in INCIDENTS {
            let digest = Digest([artifact; 32]);
            self.tell(id, &Entry::Deployed { site: site.clone(), digest });
        }
    }

    /// What an honest scan of what runs would find: even artifacts are affected.
    fn scan(&mut self, id: &str, site: &GateKey, runs: u8) {
        let verdict = if runs.is_multiple_of(2) { Verdict::Affected } else { Verdict::Clear };
        let evidence = self.evidence(id, site, runs, verdict);
        self.tell(id, &Entry::EvidenceAttached { evidence });
    }

    pub(crate) fn evidence(
        &mut self,
        id: &str,
        site: &GateKey,
        runs: u8,
        verdict: Verdict,
    ) -> Evidence {
        let revision = self.ledger.incident(id).map(|incident| incident.revision);
        Evidence {
            site: site.clone(),
            artifact_set: Some(Digest([runs; 32])),
            advisory: id.to_owned(),
            advisory_revision: revision.unwrap_or_default(),
            statements_digest: Digest::default(),
            matcher_revision: self.matcher,
            scanner: "simulation".to_owned(),
            verdict,
            reasons: match verdict {
                Verdict::Unknown => vec![UnknownReason::PartialCorrupt],
                _ => Vec::new(),
            },
            found: Vec::new(),
            components: Vec::new(),
            inventories: Vec::new(),
            kind: EvidenceKind::Scan,
            made_at: self.now(),
            expires_at: self.now() + 30 + self.rng.below(900).cast_signed() as i64,
        }
    }

    /// Says something that may or may not follow.
    pub(crate) fn foolish(&mut self) {
        let id = self.incident();
        let (site, runs) = self.anybody();
        let sites = vec![site.clone(), self.anybody().0];
        let entry = match self.rng.below(14) {
            0 => return self.open(id),
            1 => return self.order(id, sites),
            2 => {
                let artifact = self.rng.below(6) as u8 + 1;
                return self.deploy(&site, artifact);
            }
            3..6 => Entry::EvidenceAttached { evidence: self.doubtful(id, &site, runs) },
            6 => Entry::Revised {
                revision: Digest([self.rng.below(4) as u8 + 1; 32]),
                statements: Digest::default(),
            },
            7 => Entry::FixStarted { site, note: "2.17.1".to_owned() },
            8 => Entry::Lapsed { sites: vec![site] },
            9 => Entry::AnalysisStarted { sites },
            10 => Entry::Closed { current: true },
            12 if has_checks(&site) => {
                let evidence = self.known(id, &site).filter(|_| self.rng.chance(70));
                self.asked(&site, evidence, 50)
            }
            11 => Entry::Verified {
                checks: has_checks(&site).then_some(LIST),
                site,
                functional: self.rng.chance(50),
                compromise: *self.rng.pick(&[
                    Compromise::NoSigns,
                    Compromise::Signs,
                    Compromise::Unknown,
                ]),
                vital: self.rng.chance(50),
                evidence: None,
            },
            _ => {
                let known = self.known(id, &site);
                let evidence = known.filter(|_| self.rng.chance(70)).unwrap_or_default();
                Entry::RelightStarted { site, evidence }
            }
        };
        self.tell(id, &entry);
    }

    /// The id of the newest evidence about a site.
    pub(crate) fn known(&self, id: &str, site: &GateKey) -> Option<Digest> {
        let case = self.ledger.incident(id)?.case(site)?;
        case.evidence.as_ref()?.id().ok()
    }

    /// Evidence with anything wrong with it, or nothing.
    fn doubtful(&mut self, id: &str, site: &GateKey, runs: u8) -> Evidence {
        let verdicts = [Verdict::Affected, Verdict::Unknown, Verdict::Clear];
        let verdict = *self.rng.pick(&verdicts);
        let mut evidence = self.evidence(id, site, runs, verdict);
        match self.rng.below(9) {
            0 => evidence.artifact_set = Some(Digest([self.rng.below(6) as u8 + 1; 32])),
            1 => evidence.artifact_set = None,
            2 => evidence.advisory_revision = Digest([self.rng.below(4) as u8 + 1; 32]),
            3 => evidence.made_at -= self.rng.below(60).cast_signed() as i64,
            4 => evidence.made_at += self.rng.below(60).cast_signed() as i64,
            5 => evidence.expires_at = evidence.made_at,
            6 => evidence.matcher_revision += 1,
            7 => evidence.statements_digest = Digest([9; 32]),
            _ => {}
        }
        evidence
    }
}
