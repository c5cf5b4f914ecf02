//! Advisories change and evidence expires: sites are matched again, and what is lit without
//! current evidence goes dark (INCIDENT 3.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};

use relight_match::{MATCHER_REVISION, Spoken};
use relight_model::{Digest, GateKey, Light};

use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::{Case, Entry, EvidenceKind, Incident, Phase};

/// How long a lit site may be without current evidence before it goes dark, in milliseconds: the
/// time in which it is matched again, so that sites which are still clear do not flap.
pub const REMATCH_DEADLINE_MS: i64 = 60_000;

/// What is remembered of a lit site without current evidence.
#[derive(Clone, Copy, Debug)]
pub struct Bare {
    /// When it was first seen so, in milliseconds.
    first: i64,
    /// The revision and the statements under which it was matched again since then.
    matched: Option<(Digest, Digest)>,
}

/// Where the releases are kept of which advisories spoke when open incidents were last matched.
const RELEASES: &str = "matched-releases";

impl Engine {
    /// Journals, for every open incident, that its advisories changed, and matches its sites
    /// again. Called when a register is opened and when its advisories are read again.
    ///
    /// # Errors
    /// The store cannot be read, or the journal cannot be written.
    pub(crate) fn follow_advisories(&self) -> Result<(), EngineError> {
        let releases = self.owe_releases()?;
        let owed = self.unmatched().clone();
        // Nothing is owed to an incident that was closed meanwhile.
        let open = self.open_ids();
        self.unmatched().retain(|id| open.contains(id) || !owed.contains(id));
        let moved: Vec<(String, Option<Entry>, Vec<GateKey>)> = {
            let state = self.read();
            // A group that is gone gives no opinion any more; that is a revision too.
            let known = |incident: &Incident| {
                let group = state.inventory.advisories().group(&incident.question);
                group.map(|it| (it.revision(), it.statements_digest())).unwrap_or_default()
            };
            let revised = |incident: &Incident| {
                let (revision, statements) = known(incident);
                let is_new = (incident.revision, incident.statements) != (revision, statements);
                is_new.then_some(Entry::Revised { revision, statements })
            };
            let open = state.ledger.open().map(|(id, incident)| (id, incident, revised(incident)));
            open.filter(|(id, _, revised)| revised.is_some() || owed.contains(*id))
                .map(|(id, incident, revised)| {
                    (id.to_owned(), revised, incident.cases().keys().cloned().collect())
                })
                .collect()
        };
        let mut done = Ok(());
        for (id, revised, sites) in moved {
            let told = revised.map_or(Ok(()), |entry| self.record(ACTOR, &id, entry));
            let matched = told.and_then(|()| {
                self.unmatched().insert(id.clone());
                self.attach_evidence(ACTOR, &id, &sites, EvidenceKind::Scan).map(drop)
            });
            if matched.is_ok() {
                self.unmatched().remove(&id);
            }
            // What cannot be journalled about one incident says nothing about the next.
            done = done.and(matched);
        }
        if let (Ok(()), Some(releases)) = (&done, releases) {
            // Whoever may not write matches again at the next start.
            let _ = self.store.meta_put(RELEASES, &releases);
        }
        done
    }

    /// Owes each open incident a new look when other releases of distributions are spoken of than
    /// at the last one, whoever held the register then: silence is an answer there now, or is none
    /// any more, and no group tells that. The releases, where they are others.
    fn owe_releases(&self) -> Result<Option<String>, EngineError> {
        let spoken = self.read().inventory.advisories().spoken();
        let line = |(ecosystem, release): &Spoken| {
            format!("{}:{}\n", ecosystem.as_str(), release.as_deref().unwrap_or_default())
        };
        let now: String = spoken.iter().map(line).collect();
        let mut known = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match known.take() {
            None => self.store.meta_get(RELEASES)?,
            known => known,
        };
        *known = Some(now.clone());
        if before.as_ref() == Some(&now) {
            return Ok(None);
        }
        self.unmatched().extend(self.open_ids());
        Ok(Some(now))
    }

    /// On a full disk bad news does not wait for the good news that came with it.
    pub(crate) fn append_apart(
        &self,
        actor: &str,
        all: Vec<(String, Entry)>,
    ) -> Result<(), EngineError> {
        let is_short = self.store.is_short_of_space();
        let is_urgent = |(_, entry): &(String, Entry)| !is_short || entry.is_for_a_full_disk();
        let (urgent, others) = all.into_iter().partition(is_urgent);
        self.append(actor, urgent)?;
        self.append(actor, others).map(drop)
    }

    fn unmatched(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.unmatched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What another matcher said, or was said of another revision, permits nothing any more, so
    /// dark sites that wait for their relight would wait until each is scanned again: what is known
    /// of them is matched again. Lit ones are after the deadline.
    pub(crate) fn follow_matcher(&self) -> Result<(), EngineError> {
        let is_old = |incident: &Incident, case: &Case| {
            let waits = [Phase::FixDeployed, Phase::Verifying, Phase::RelightEligible];
            let evidence = case.evidence.as_ref().filter(|_| waits.contains(&case.phase));
            evidence.is_some_and(|it| {
                it.matcher_revision != MATCHER_REVISION
                    || it.advisory_revision != incident.revision
                    || it.statements_digest != incident.statements
            })
        };
        let old = |incident: &Incident| -> Vec<GateKey> {
            let cases = incident.cases().iter();
            cases.filter(|(_, case)| is_old(incident, case)).map(|(site, _)| site.clone()).collect()
        };
        let of_old: Vec<(String, Vec<GateKey>)> = self.with_ledger(|ledger| {
            let all = ledger.open().map(|(id, incident)| (id.to_owned(), old(incident)));
            all.filter(|(_, sites)| !sites.is_empty()).collect()
        });
        let mut done = Ok(());
        for (id, sites) in of_old {
            done = done.and(self.attach_evidence(ACTOR, &id, &sites, EvidenceKind::Scan).map(drop));
        }
        done
    }

    /// Matches again what is lit without current evidence for longer than the deadline; what stays
    /// without goes dark, unless it is more than a person has to decide about. `since` remembers,
    /// between calls, when each site was first seen so, and under which advisories it was matched
    /// again: under the same ones the same would come out. How many sites were matched.
    ///
    /// # Errors
    /// The store cannot be read, or the journal cannot be written.
    pub fn lapse(
        &self,
        since: &mut BTreeMap<(String, GateKey), Bare>,
    ) -> Result<usize, EngineError> {
        self.end_grants()?;
        let mut done = Ok(0);
        if !self.unmatched().is_empty() && !self.store.is_short_of_space() {
            done = self.follow_advisories().map(|()| 0);
        }
        let (now, bare) = (self.now_ms(), self.lit_without_evidence());
        since.retain(|site, _| bare.contains(site));
        let mut overdue: BTreeMap<String, BTreeSet<GateKey>> = BTreeMap::new();
        for (id, site) in bare {
            let known = since.entry((id.clone(), site.clone()));
            let known = known.or_insert(Bare { first: now, matched: None });
            // A clock that was set back begins anew: it must not put the deadline off.
            known.first = known.first.min(now);
            if now - known.first >= REMATCH_DEADLINE_MS {
                overdue.entry(id).or_default().insert(site);
            }
        }
        for (id, sites) in overdue {
            match self.match_once(&id, &sites, since) {
                Ok(count) => done = done.map(|all| all + count),
                Err(error) => {
                    // Bad news is journalled first, and what is clear and cannot be journalled is
                    // no reason to go dark.
                    done = done.and(Err(error));
                    continue;
                }
            }
            let still: Vec<GateKey> = self
                .lit_without_evidence()
                .into_iter()
                .filter(|(other, site)| *other == id && sites.contains(site))
                .map(|(_, site)| site)
                .collect();
            let one = self.one_news();
            for result in self.append(ACTOR, self.braked(&id, still))? {
                result?;
            }
            drop(one);
        }
        done
    }

    /// Matches those of these sites again that were not, under the advisories as they are now.
    fn match_once(
        &self,
        id: &str,
        sites: &BTreeSet<GateKey>,
        since: &mut BTreeMap<(String, GateKey), Bare>,
    ) -> Result<usize, EngineError> {
        let under = self.with_ledger(|ledger| {
            ledger.incident(id).map(|incident| (incident.revision, incident.statements))
        });
        let key = |site: &GateKey| (id.to_owned(), site.clone());
        let is_due = |site: &&GateKey| since.get(&key(site)).is_none_or(|it| it.matched != under);
        let due: Vec<GateKey> = sites.iter().filter(is_due).cloned().collect();
        if due.is_empty() {
            return Ok(0);
        }
        self.attach_evidence(ACTOR, id, &due, EvidenceKind::Scan)?;
        for site in &due {
            since.entry(key(site)).and_modify(|it| it.matched = under);
        }
        Ok(due.len())
    }

    /// What a signature or a control with an end allowed is over at its end, without further order
    /// and however many sites it is: whoever signed chose the time. A site out of reach of
    /// orders that is lit waits for a person all the same.
    fn end_grants(&self) -> Result<(), EngineError> {
        let now = self.now();
        if self.with_ledger(|ledger| ledger.owed_clock(now).is_some()) {
            self.append_owed()?;
        }
        let ended: Vec<(String, Vec<GateKey>)> = self.with_ledger(|ledger| {
            let of = |(id, incident): (&str, &Incident)| (id.to_owned(), incident.ended(now));
            ledger.open().map(of).filter(|(_, sites)| !sites.is_empty()).collect()
        });
        let entries = ended.into_iter().flat_map(|(id, sites)| self.braked_at_its_end(&id, sites));
        self.append(ACTOR, entries.collect()).map(drop)
    }

    /// Sites of open incidents that are wanted lit, had evidence once, and have none now.
    fn lit_without_evidence(&self) -> BTreeSet<(String, GateKey)> {
        let now = self.now();
        self.with_ledger(|ledger| {
            let mut bare = BTreeSet::new();
            for (id, incident) in ledger.open() {
                for (site, case) in incident.cases() {
                    let lit = case.phase.wants() == Light::Lit;
                    let was_known = case.evidence.is_some() || case.held_back.is_some();
                    if lit && was_known && !incident.permits(site, now) {
                        bare.insert((id.to_owned(), site.clone()));
                    }
                }
            }
            bare
        })
    }
}
