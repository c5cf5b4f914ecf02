//! What people and policy ask for: open an incident, plan, execute, relight what is proven clear.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::thread;

use relight_edge::{Capabilities, Target};
use relight_match::Question;
use relight_model::{Digest, GateKey, Light, Site, SitePart, Timestamp, Verdict};

use crate::brake::brake;
use crate::engine::{ACTOR, Engine, State};
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Case, Entry, EvidenceKind, Gate, Incident, Ledger, PartName, Phase};
use crate::plan::{Action, PLAN_SITES_MAX, Plan, PlanAsk, PlanSite, Skipped};
use crate::refusals::EDGE_LINT;
use crate::waves::Herds;

impl Engine {
    /// Opens an incident about an alias group of advisories; its id is the id of the group, with a
    /// number behind it where one of that id is closed. An incident about it that is open already
    /// is returned as it is, also under an older id.
    ///
    /// # Errors
    /// No advisory has that id, or the journal cannot be written.
    pub fn open_incident(
        &self,
        actor: &str,
        id: &str,
        policy: &str,
    ) -> Result<String, EngineError> {
        self.open_incident_called(actor, id, policy, "")
    }

    /// The same under a title of one's own; an empty one is that of the advisory.
    ///
    /// # Errors
    /// As [`Engine::open_incident`].
    pub fn open_incident_called(
        &self,
        actor: &str,
        id: &str,
        policy: &str,
        title: &str,
    ) -> Result<String, EngineError> {
        let (id, opened) = {
            let state = self.read();
            let group = state.inventory.advisories().group(id).ok_or_else(|| {
                EngineError::new(EngineErrorKind::NotFound, format!("no advisory has the id {id}"))
            })?;
            if let Some(open) = state.ledger.open_about(state.inventory.advisories(), &group.id) {
                return Ok(open.to_owned());
            }
            let opened = Entry::Opened {
                question: group.id.clone(),
                title: if title.is_empty() { group.summary() } else { title }.to_owned(),
                revision: group.revision(),
                statements: group.statements_digest(),
                policy: policy.to_owned(),
            };
            (state.ledger.next_id(&group.id), opened)
        };
        self.record(actor, &id, opened)?;
        Ok(id)
    }

    /// The plan for these sites, from the world as it is now. Nothing changes.
    ///
    /// # Errors
    /// There is no such incident, or more than [`PLAN_SITES_MAX`] sites were asked for.
    pub fn plan(&self, ask: PlanAsk, sites: &[GateKey]) -> Result<Plan, EngineError> {
        let state = self.read();
        let incident = find(&state, &ask.incident)?;
        let question = Question::Advisory(incident.question.clone());
        if sites.len() > PLAN_SITES_MAX {
            let context = format!("a plan holds at most {PLAN_SITES_MAX} sites");
            return Err(EngineError::new(EngineErrorKind::Other, context));
        }
        let known: Vec<&Site> = sites.iter().filter_map(|key| site_of(&state, key)).collect();
        let answers = self.ask_of(&state, &question).sites(known.iter().map(|site| site.id));
        let unknown = sites.iter().filter(|key| !state.by_key.contains_key(*key));
        let mut skipped: Vec<Skipped> = unknown
            .map(|key| Skipped { site: key.clone(), reason: "not-registered".to_owned() })
            .collect();
        let mut chosen = Vec::new();
        let judge =
            Judge { state: &state, incident, ask: &ask, now: self.now(), able: self.able(&ask)? };
        for (site, answer) in known.into_iter().zip(answers.sites) {
            match judge.skip_reason(site) {
                Some(reason) => {
                    skipped.push(Skipped { site: site.slug.clone(), reason: reason.to_owned() })
                }
                None => chosen.push(PlanSite {
                    site: site.slug.clone(),
                    edge: site.edge.clone(),
                    verdict: answer.answer.verdict().as_str().to_owned(),
                    criticality: site.criticality.number(),
                    org: state.orgs.get(&site.org).cloned().unwrap_or_default(),
                    names: names_of(site),
                }),
            }
        }
        let ask = PlanAsk { advisory_revision: incident.revision, ..ask };
        Ok(Plan::new(ask, chosen, skipped))
    }

    /// Executes a plan that was shown: rebuilds it, compares, and journals the order.
    ///
    /// # Errors
    /// The world differs from the one in which the plan was made ([`EngineErrorKind::Stale`]), or
    /// the journal cannot be written.
    pub fn execute(&self, plan: &Plan, actor: &str) -> Result<(), EngineError> {
        // Thousands of sites wait for both: the plan made again, and the digest of the one shown.
        let (checked, order) = thread::scope(|scope| {
            let order = scope.spawn(|| self.order_of(plan));
            let checked = self.check(plan);
            // A thread that panicked found a bug of ours: it goes on in this one.
            (checked, order.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        checked?;
        if plan.sites.is_empty() {
            return Ok(());
        }
        match order? {
            Some(order) => self.append_order(actor, plan, vec![order]),
            None => self.relight(actor, &plan.incident, &plan.keys()).map(drop),
        }
    }

    /// The entry by which a plan is carried out; none for a relight, which goes site by site.
    pub(crate) fn order_of(&self, plan: &Plan) -> Result<Option<Entry>, EngineError> {
        self.order_under(plan, plan.hash()?)
    }

    /// The same under the hash of the plan that was agreed to: this one may be less.
    pub(crate) fn order_under(
        &self,
        plan: &Plan,
        hash: Digest,
    ) -> Result<Option<Entry>, EngineError> {
        let reason = plan.reason.clone();
        Ok(match plan.action {
            Action::Dark => Some(Entry::DarkOrdered { plan: hash, sites: plan.keys(), reason }),
            Action::Relight => None,
            Action::Close => {
                Some(Entry::PartsClosed { plan: hash, parts: self.parts_of(plan)?, reason })
            }
            Action::Open => Some(Entry::PartsOpened { parts: self.parts_of(plan)? }),
        })
    }

    /// The parts that a plan is about: as they were closed, else as the register has them.
    fn parts_of(&self, plan: &Plan) -> Result<Vec<PartName>, EngineError> {
        let state = self.read();
        let incident = find(&state, &plan.incident)?;
        let name = plan.part.as_deref().unwrap_or_default();
        let of = |key: &GateKey| {
            let closed = incident.parts_of(key).find(|it| it.name.part.name() == name);
            let known = || part_of(site_of(&state, key)?, name);
            let open_again = plan.action == Action::Open;
            let part = match closed.filter(|_| open_again) {
                Some(closed) => closed.name.part.clone(),
                None => known()?.clone(),
            };
            Some(PartName { site: key.clone(), part })
        };
        Ok(plan.sites.iter().filter_map(|site| of(&site.site)).collect())
    }

    /// What the edges can do, by name, where a plan has to know it.
    fn able(&self, ask: &PlanAsk) -> Result<BTreeMap<String, Capabilities>, EngineError> {
        if ask.action != Action::Close {
            return Ok(BTreeMap::new());
        }
        let targets = crate::edges::from_rows(&self.store.edges()?)?.into_iter();
        let able = |target: Target| (target.name.clone(), relight_edge::capabilities_of(&target));
        Ok(targets.map(able).collect())
    }

    /// What the register says now about a site, for the question of an incident.
    pub(crate) fn verdict_of(
        &self,
        id: &str,
        site: &GateKey,
    ) -> Result<Option<Verdict>, EngineError> {
        let state = self.read();
        let question = Question::Advisory(find(&state, id)?.question.clone());
        let known = site_of(&state, site).map(|site| site.id);
        let answers = self.ask_of(&state, &question).sites(known);
        Ok(answers.sites.first().map(|answer| answer.answer.verdict()))
    }

    /// The plan as it would be made now, for the same sites.
    pub(crate) fn rebuild(&self, plan: &Plan) -> Result<Plan, EngineError> {
        let asked: Vec<GateKey> = plan.asked().cloned().collect();
        // What stands in the set-up of an edge is looked at once, before the plan is shown.
        let left = plan.skipped.iter().filter(|it| it.reason == EDGE_LINT).map(|it| &it.site);
        let left: BTreeSet<&GateKey> = left.collect();
        Ok(self.plan(plan.ask(), &asked)?.leaving(EDGE_LINT, |site| left.contains(&site.site)))
    }

    /// Matches these sites again and journals what is known about them. What would darken more
    /// lit sites than news may ([`crate::REDARK_AUTO_MAX`]), or a protected one, is held back; the
    /// number of those held is returned.
    ///
    /// # Errors
    /// There is no such incident, the store cannot be read, or the journal cannot be written.
    pub fn attach_evidence(
        &self,
        actor: &str,
        id: &str,
        sites: &[GateKey],
        kind: EvidenceKind,
    ) -> Result<usize, EngineError> {
        let (mut entries, mut darkening) = (Vec::new(), Vec::new());
        let mut released = BTreeSet::new();
        {
            let state = self.read();
            let (incident, now) = (find(&state, id)?, self.now());
            let question = Question::Advisory(incident.question.clone());
            let known: Vec<&Site> = sites.iter().filter_map(|key| site_of(&state, key)).collect();
            let answers = self.ask_of(&state, &question).sites(known.iter().map(|site| site.id));
            let is_short = self.store.is_short_of_space();
            for (site, answer) in known.into_iter().zip(answers.sites) {
                let evidence = self.evidence(&state, incident, site, &answer, kind)?;
                // What another incident holds dark is not darkened by this news, but kept so.
                let lit = state.ledger.wants(&site.slug) == Light::Lit;
                let weighed = incident.weighed(&evidence, now).ok();
                let next = weighed.as_ref().map(|case| case.phase.wants());
                // Whoever cannot journal good news asks again and again.
                let is_kept = !is_short || incident.is_news(&evidence, weighed.as_ref());
                let entry = (id.to_owned(), Entry::EvidenceAttached { evidence });
                if lit && next == Some(Light::Dark) {
                    darkening.push((site.slug.clone(), entry));
                } else {
                    released.extend(next.filter(|_| is_kept).map(|_| site.slug.clone()));
                    entries.extend(is_kept.then_some(entry));
                    let owes = |case: &Case| {
                        case.phase == Phase::RelightEligible
                            && incident.owes_verification(case, now)
                    };
                    if is_kept && weighed.as_ref().is_some_and(owes) {
                        let site = site.slug.clone();
                        entries.push((id.to_owned(), Entry::VerificationStarted { site }));
                    }
                }
            }
        }
        let one = (!darkening.is_empty()).then(|| self.one_news());
        let held = {
            let (state, sites) = (self.read(), darkening.iter().map(|(site, _)| site));
            brake(&state, find(&state, id)?, sites, &released, self.now())
        };
        let passing = darkening.into_iter().filter(|(site, _)| !held.contains(site));
        entries.extend(passing.map(|(_, entry)| entry));
        let count = held.len();
        entries.extend(self.hold_back(id, held.into_iter()));
        self.append_apart(actor, entries)?;
        drop(one);
        Ok(count)
    }

    /// Opens, of these sites, those that current evidence calls clear, or that two people answer
    /// for, and that no other incident holds; how many were started. What would be refused is not
    /// tried: it would be journalled.
    ///
    /// # Errors
    /// There is no such incident, or the journal cannot be written.
    pub fn relight(&self, actor: &str, id: &str, sites: &[GateKey]) -> Result<usize, EngineError> {
        Ok(self.start_relight(actor, id, sites)?.len())
    }

    /// The same; which were started.
    pub(crate) fn start_relight(
        &self,
        actor: &str,
        id: &str,
        sites: &[GateKey],
    ) -> Result<BTreeSet<GateKey>, EngineError> {
        let (keys, entries): (Vec<GateKey>, Vec<(String, Entry)>) = {
            let state = self.read();
            let incident = find(&state, id)?;
            let now = self.now();
            sites
                .iter()
                .filter(|key| !state.ledger.is_held_elsewhere(id, key, now))
                .filter_map(|key| incident.case(key).map(|case| (key, case)))
                .filter(|(_, case)| case.phase == Phase::RelightEligible)
                .filter(|(key, _)| incident.may_return(key, now))
                .filter_map(|(key, _)| {
                    let evidence = incident.ground(key, now)?;
                    let entry = Entry::RelightStarted { site: key.clone(), evidence };
                    Some((key.clone(), (id.to_owned(), entry)))
                })
                .unzip()
        };
        let results = self.append(actor, entries)?;
        let started = keys.into_iter().zip(results).filter(|(_, result)| result.is_ok());
        Ok(started.map(|(key, _)| key).collect())
    }

    /// Opens, in every open incident, what current evidence calls clear and what was never opened
    /// in vain before: relight with evidence needs no person. What a plan is about to open, or has
    /// left dark, is none of its business, and what another incident holds takes nobody's place.
    /// Behind each edge the most critical come first, a few and then more as they come back; many
    /// that do not stop the rest there ([`Herds`]). How many were started.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn relight_ready(&self) -> Result<usize, EngineError> {
        let ready: Vec<(String, Vec<GateKey>)> = {
            let (state, now) = (self.read(), self.now());
            let open = state.ledger.open();
            open.map(|(id, incident)| (id.to_owned(), ready(&state, id, incident, now))).collect()
        };
        let mut started = 0;
        for (id, sites) in ready.iter().filter(|(_, sites)| !sites.is_empty()) {
            started += self.relight(ACTOR, id, sites)?;
        }
        self.open_cleared_parts()?;
        Ok(started)
    }

    /// Opens the parts that evidence called clear since they were closed, as many together as whole
    /// sites.
    fn open_cleared_parts(&self) -> Result<(), EngineError> {
        let now = self.now();
        let entries: Vec<(String, Entry)> = {
            let state = self.read();
            let some =
                state.ledger.open().map(|(id, incident)| (id, cleared(&state, incident, now)));
            let some = some.filter(|(_, parts)| !parts.is_empty());
            some.map(|(id, parts)| (id.to_owned(), Entry::PartsOpened { parts })).collect()
        };
        self.append(ACTOR, entries).map(drop)
    }
}

/// The sites of an incident that come back without a person now.
fn ready(state: &State, id: &str, incident: &Incident, now: Timestamp) -> Vec<GateKey> {
    // Of an edge that did not come to the end of its turn nothing is asked again before it did.
    let is_seen = |case: &Case| case.unseen == 0 || case.gate == Gate::Proven;
    let is_ready = |case: &Case| {
        let is_free = case.stopped == 0 && !case.is_left && is_seen(case);
        case.phase == Phase::RelightEligible && is_free
    };
    let planned = planned(&state.ledger, id);
    let cases = incident.cases().iter();
    let mut ready: Vec<&GateKey> = cases
        .filter(|(key, case)| is_ready(case) && !planned.contains(key))
        .map(|(key, _)| key)
        .filter(|key| incident.may_return(key, now))
        .filter(|key| !state.ledger.is_held_elsewhere(id, key, now))
        .collect();
    if ready.is_empty() {
        return Vec::new();
    }
    let is_shut = |key: &GateKey| state.ledger.wants(key) == Light::Dark;
    let mut herds = Herds::of_sites_but(incident, |key| edge_of(state, key), is_shut);
    ready.sort_by_key(|key| site_of(state, key).map(|site| site.criticality));
    ready.retain(|key| herds.admit(edge_of(state, key)));
    ready.into_iter().cloned().collect()
}

/// The same of its parts.
fn cleared(state: &State, incident: &Incident, now: Timestamp) -> Vec<PartName> {
    let mut cleared = incident.parts_cleared(now);
    if cleared.is_empty() {
        return cleared;
    }
    let is_shut = |key: &GateKey| {
        let lights = incident.part(key).map(|part| state.ledger.parts_of(&part.name.site));
        lights.is_some_and(|lights| lights.get(key) == Some(&Light::Dark))
    };
    let mut herds = Herds::of_parts_but(incident, now, |key| edge_of(state, key), is_shut);
    cleared.sort_by_key(|it| site_of(state, &it.site).map(|site| site.criticality));
    cleared.retain(|it| herds.admit(edge_of(state, &it.site)));
    cleared
}

fn edge_of<'a>(state: &'a State, key: &GateKey) -> &'a str {
    site_of(state, key).map_or("", |site| site.edge.as_str())
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Incident, EngineError> {
    state.ledger.incident(id).ok_or_else(|| {
        EngineError::new(EngineErrorKind::NotFound, format!("no incident has the id {id}"))
    })
}

pub(crate) fn site_of<'a>(state: &'a State, key: &GateKey) -> Option<&'a Site> {
    state.by_key.get(key).map(|index| &state.sites[*index])
}

/// The names under which visitors reach a site, the canonical one first.
fn names_of(site: &Site) -> Vec<String> {
    let mut aliases = site.aliases.clone();
    aliases.sort();
    std::iter::once(site.host().to_owned()).chain(aliases).collect()
}

/// Says of each site whether a plan leaves it alone.
struct Judge<'a> {
    state: &'a State,
    incident: &'a Incident,
    ask: &'a PlanAsk,
    now: i64,
    able: BTreeMap<String, Capabilities>,
}

impl Judge<'_> {
    fn skip_reason(&self, site: &Site) -> Option<&'static str> {
        let is_lit = || self.state.ledger.wants(&site.slug) == Light::Lit;
        let is_permitted = || self.incident.may_return(&site.slug, self.now);
        // Another incident may open what it holds dark, and knows nothing of this one's reason.
        let is_asked_for = self.incident.wants(&site.slug) == Light::Dark;
        match self.ask.action {
            Action::Dark if is_asked_for => Some("already-so"),
            Action::Close | Action::Open if self.is_so(site) => Some("already-so"),
            action if action.is_closing() && self.state.protected.contains(&site.slug) => {
                Some("protected")
            }
            Action::Dark | Action::Close if site.edge.is_empty() => Some("no-edge"),
            Action::Dark if is_exempt(self.incident, &site.slug, self.now) => Some("exempt"),
            Action::Dark => None,
            Action::Close => self.no_gate(site),
            Action::Relight if is_lit() => Some("already-so"),
            Action::Relight | Action::Open if !is_permitted() => Some(self.no_leave(&site.slug)),
            // It would be opened by nothing that this incident says.
            Action::Relight if !is_asked_for || self.is_held(site) => Some("held-elsewhere"),
            Action::Relight | Action::Open => None,
        }
    }

    fn is_held(&self, site: &Site) -> bool {
        self.state.ledger.is_held_elsewhere(&self.ask.incident, &site.slug, self.now)
    }

    /// Why a site may not return.
    fn no_leave(&self, site: &GateKey) -> &'static str {
        if self.incident.may_open(site, self.now) {
            // It was affected, and nobody verified its fix.
            return "not-verified-yet";
        }
        let is_old = self.incident.permits(site, self.now);
        if is_old { "restored" } else { "no-clear-evidence" }
    }

    fn name(&self) -> &str {
        self.ask.part.as_deref().unwrap_or_default()
    }

    /// The part is closed, or not closed, already.
    fn is_so(&self, site: &Site) -> bool {
        let mut parts = self.incident.parts_of(&site.slug);
        let is_closed =
            parts.any(|it| it.name.part.name() == self.name() && it.light == Light::Dark);
        is_closed == (self.ask.action == Action::Close)
    }

    /// Why a part cannot be closed: the register knows none of that name, or its edge has no such
    /// gates.
    fn no_gate(&self, site: &Site) -> Option<&'static str> {
        let Some(part) = part_of(site, self.name()) else { return Some("no-such-part") };
        let able = self.able.get(&site.edge).copied().unwrap_or(Capabilities::NONE);
        let is_able = match part {
            SitePart::Section { .. } => able.section_gate,
            SitePart::Internet => able.audience_gate,
            SitePart::Write => able.method_gate,
        };
        (!is_able).then_some("no-part-gate")
    }
}

/// Sites that a plan under way is about to open, in its own waves.
fn planned<'a>(ledger: &'a Ledger, id: &str) -> BTreeSet<&'a GateKey> {
    let actions = ledger.actions().newest();
    let actions = actions.filter(|it| it.plan.incident == id && it.under_way().is_some());
    actions.flat_map(|action| action.plan.sites.iter().map(|site| &site.site)).collect()
}

/// The part of a site that people call so.
fn part_of<'a>(site: &'a Site, name: &str) -> Option<&'a SitePart> {
    site.parts.iter().find(|part| part.name() == name)
}

fn is_exempt(incident: &Incident, site: &GateKey, now: i64) -> bool {
    let is_exempt = |case: &Case| case.phase == Phase::Exempt && case.held_back.is_none();
    let is_exempt = incident.case(site).is_some_and(is_exempt);
    is_exempt && incident.permits(site, now)
}
