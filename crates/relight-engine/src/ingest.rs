//! Inventories and deployments come in, evidence goes out; fixes are verified.

use std::error::Error;

use relight_edge::{Target, Testers};
use relight_model::{AssetId, Digest, GateKey, Light, Profile, Sbom, Timestamp};
use relight_store::{DeploymentDraft, LeftInventory, SnapshotDraft, StoreErrorKind};

use crate::brake::is_out_of_reach;
use crate::checks::Ran;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::follow::not_registered;
use crate::incident::{Compromise, Entry, EvidenceKind, OTHER_FILES, Phase, Rejected, Tried};
use crate::judged::artifact_set_of;

/// An inventory of the application of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// The site.
    pub site: GateKey,
    /// What was seen.
    pub sbom: Sbom,
    /// When it was true.
    pub observed_at: Timestamp,
    /// What its containers are made of, each place once; `None` when nobody looked, as in a
    /// document that was imported.
    pub profiles: Option<Vec<Profile>>,
}

/// One request behind the gate and what it must give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionalTest {
    /// Path and query.
    pub uri: String,
    /// Status that the site must answer.
    pub status: u16,
    /// Text that the body must hold.
    pub text: String,
}

impl FunctionalTest {
    /// What is asked where nobody says anything else: whoever has checks of their own leaves it to
    /// them.
    fn is_usual(&self) -> bool {
        self.uri == "/" && self.status == 200 && self.text.is_empty()
    }

    /// Asks the site through the verification path of its edge: why it did not pass, if it did
    /// not. A site that does not answer has not passed.
    pub fn failure(&self, target: &Target, host: &str) -> Option<Tried> {
        let (status, body) = match behind_the_gate(target, host, "GET", &self.uri) {
            Ok(answer) => answer,
            Err(tried) => return Some(tried),
        };
        let is_wanted = status == self.status;
        let why = misses(is_wanted, &body, &self.text)?;
        let what = match is_wanted {
            true => format!("{status} without {:?}", self.text),
            false => format!("{status}, not {}", self.status),
        };
        Some(Tried { why: why.to_owned(), detail: format!("GET {}: {what}", self.uri) })
    }
}

/// Why an answer is not the one that was wanted: the code.
pub(crate) fn misses(is_wanted: bool, body: &[u8], text: &str) -> Option<&'static str> {
    if !is_wanted {
        Some("other-status")
    } else if !String::from_utf8_lossy(body).contains(text) {
        Some("other-text")
    } else {
        None
    }
}

/// Status and body of a page of a site, asked for behind the gate of its edge; or why there is
/// none.
pub(crate) fn behind_the_gate(
    target: &Target,
    host: &str,
    method: &str,
    uri: &str,
) -> Result<(u16, Vec<u8>), Tried> {
    let ask = || match Testers::of(target)? {
        Some(testers) => testers.ask(method, host, uri).map(Some),
        None => Ok(None),
    };
    let answer = ask().map_err(|error| {
        // The last cause alone: those before it name the socket, which is nobody's business.
        let mut cause = error.source();
        while let Some(deeper) = cause.and_then(Error::source) {
            cause = Some(deeper);
        }
        let cause = cause.map_or_else(|| error.kind.code().to_owned(), ToString::to_string);
        Tried { why: "no-answer".to_owned(), detail: format!("{method} {uri}: {cause}") }
    })?;
    let answer = answer.ok_or_else(|| Tried::because("no-path"))?;
    Ok((answer.status, answer.body))
}

impl Engine {
    /// Stores inventories and gives every open incident that has a case of the site, or none yet,
    /// its evidence.
    ///
    /// # Errors
    /// A site is not in the register, the store cannot be written, or the journal cannot.
    pub fn ingest(
        &self,
        actor: &str,
        inventories: &[Inventory],
        kind: EvidenceKind,
    ) -> Result<(), EngineError> {
        let recorded_at = self.now();
        let mut drafts = Vec::with_capacity(inventories.len());
        for Inventory { site, sbom, observed_at, profiles } in inventories {
            let (asset, observed_at) = (self.asset_of(site)?, *observed_at);
            let profiles = profiles.as_deref();
            drafts.push(SnapshotDraft { asset, sbom, observed_at, recorded_at, profiles });
        }
        // Until the journal knows of them they are owed: whoever opens the register next, after a
        // crash or because somebody else took it meanwhile, gives them to the incidents.
        self.store.leave_snapshots(&drafts)?;
        let assets: Vec<AssetId> = drafts.iter().map(|draft| draft.asset).collect();
        let owed = self.owed(&assets)?;
        {
            let mut state = self.write();
            state.inventory.refresh(&self.store, &assets)?;
        }
        let sites: Vec<GateKey> = inventories.iter().map(|i| i.site.clone()).collect();
        self.tell_open(actor, &sites, kind)?;
        Ok(self.store.take_left(&owed)?)
    }

    /// The marks of these assets, read before their inventories are: one that comes later stays.
    fn owed(&self, assets: &[AssetId]) -> Result<Vec<LeftInventory>, EngineError> {
        let mut left = self.store.left_inventories()?;
        left.retain(|it| assets.contains(&it.asset));
        Ok(left)
    }

    /// Notes that another artifact is in service: what was known about the old one is void.
    ///
    /// # Errors
    /// The site is not in the register, the store cannot be written, or the journal cannot.
    pub fn report_deployed(
        &self,
        actor: &str,
        site: &GateKey,
        digest: Digest,
    ) -> Result<(), EngineError> {
        let asset = self.asset_of(site)?;
        let now = self.now();
        let draft = DeploymentDraft { asset, digest: Some(digest), at: now, recorded_at: now };
        self.store.report_deployed(&[draft])?;
        let owed = self.owed(&[asset])?;
        let (set, ids) = {
            let mut state = self.write();
            state.inventory.refresh(&self.store, &[asset])?;
            let set = crate::incident::artifact_set(&[(asset.0, "application", Some(digest))]);
            let cases = state.ledger.open().filter(|(_, incident)| incident.case(site).is_some());
            let ids: Vec<String> = cases.map(|(id, _)| id.to_owned()).collect();
            (set, ids)
        };
        let Some(digest) = set else { return Ok(()) };
        let is_kept = {
            let state = self.read();
            is_out_of_reach(&state, site) && state.ledger.wants(site) == Light::Lit
        };
        let entry = |id: String| match is_kept {
            // It would go dark. What the register knows of the new files is not clear either, and
            // says so at the next match.
            true => self.hold_back(&id, std::iter::once(site.clone())),
            false => Some((id, Entry::Deployed { site: site.clone(), digest })),
        };
        self.append(actor, ids.into_iter().filter_map(entry).collect())?;
        match self.store.take_left(&owed) {
            // Looked at once more when there is room: the incidents have it.
            Err(error) if error.kind() == StoreErrorKind::Full => Ok(()),
            taken => Ok(taken?),
        }
    }

    /// Verifies the fix of a site (INCIDENT 3.3): fresh inventory, functional test behind the
    /// gate, check for signs of compromise. True when the site may return.
    ///
    /// # Errors
    /// The site or its edge is not in the register, or the journal cannot be written.
    pub fn verify(
        &self,
        actor: &str,
        id: &str,
        inventory: &Inventory,
        test: &FunctionalTest,
        compromise: Compromise,
    ) -> Result<bool, EngineError> {
        let key = &inventory.site;
        if self.phase(id, key) == Some(Phase::FixDeployed) {
            self.record(actor, id, Entry::VerificationStarted { site: key.clone() })?;
        }
        self.ingest(actor, std::slice::from_ref(inventory), EvidenceKind::Verification)?;
        self.try_fixed(actor, id, key, test, compromise)
    }

    /// The same for a site whose new artifacts were scanned and reported already: what the register
    /// knows of them is the fresh inventory.
    ///
    /// # Errors
    /// As [`Engine::verify`], and when no fix of the site waits for it.
    pub fn verify_scanned(
        &self,
        actor: &str,
        id: &str,
        site: &GateKey,
        test: &FunctionalTest,
        compromise: Compromise,
    ) -> Result<bool, EngineError> {
        if self.under_trial(id, site, compromise).is_none() {
            self.record(actor, id, Entry::VerificationStarted { site: site.clone() })?;
        }
        let one = std::slice::from_ref(site);
        self.attach_evidence(actor, id, one, EvidenceKind::Verification)?;
        self.try_fixed(actor, id, site, test, compromise)
    }

    /// The rest of a verification, once the evidence is there.
    fn try_fixed(
        &self,
        actor: &str,
        id: &str,
        key: &GateKey,
        test: &FunctionalTest,
        compromise: Compromise,
    ) -> Result<bool, EngineError> {
        let Some(trial) = self.under_trial(id, key, compromise) else { return Ok(false) };
        let (target, host, vital) = self.edge_of(key)?;
        let list = self.checks_of(key)?;
        let checks = list.required();
        let failure = match test.is_usual() && checks.is_some() {
            true => None,
            false => test.failure(&target, &host),
        };
        let ran = match failure {
            None => self.run_checks(id, key, (&target, &host), &list),
            Some(_) => None,
        };
        let failure = failure.or_else(|| ran.as_ref().and_then(Ran::tried));
        let functional = failure.is_none();
        let _one = self.one_act();
        // What was tried is what is verified: nothing else, however clear.
        let is_same = self.under_trial(id, key, compromise).as_ref() == Some(&trial);
        if !is_same || self.checks_of(key)? != list {
            return Err(Rejected(OTHER_FILES).into());
        }
        let (evidence, known) = trial;
        let told = failure.or_else(|| Tried::by_signs(known, vital));
        let site = key.clone();
        let verified = Entry::Verified { site, functional, compromise, vital, evidence, checks };
        let ran = ran.map(|ran| ran.entry(key, evidence));
        let news = ran.into_iter().chain(self.news_of(id, key, told));
        let entries = news.chain([verified]).map(|entry| (id.to_owned(), entry)).collect();
        for result in self.append(actor, entries)? {
            result?;
        }
        Ok(self.phase(id, key) == Some(Phase::RelightEligible))
    }

    /// The evidence that a trial of a site is about, and what is known of a compromise after what
    /// somebody says; none where nothing waits for a trial. Signs are heard of a verified site too.
    fn under_trial(
        &self,
        id: &str,
        site: &GateKey,
        said: Compromise,
    ) -> Option<(Option<Digest>, Compromise)> {
        self.with_ledger(|ledger| {
            let case = ledger.incident(id)?.case(site)?;
            let is_tried = match case.phase {
                Phase::Verifying => true,
                Phase::RelightEligible => said == Compromise::Signs,
                _ => false,
            };
            is_tried.then(|| (case.evidence_id(), case.compromise(said)))
        })
    }

    /// What stands in the way of a verification, or does no more, if that is news.
    pub(crate) fn news_of(&self, id: &str, site: &GateKey, told: Option<Tried>) -> Option<Entry> {
        let known = self.tried(id, site);
        let is_known = told.as_ref().map(|it| &it.why) == known.as_ref().map(|it| &it.why);
        let Tried { why, detail } = told.unwrap_or_default();
        (!is_known).then(|| Entry::VerificationFound { site: site.clone(), why, detail })
    }

    /// Why the last trial of a site behind its gate did not pass, if it did not.
    pub fn tried(&self, id: &str, site: &GateKey) -> Option<Tried> {
        self.with_ledger(|ledger| ledger.incident(id)?.case(site)?.tried.as_deref().cloned())
    }

    /// The phase of a site in an incident, once it has a case.
    pub fn phase(&self, id: &str, site: &GateKey) -> Option<Phase> {
        self.with_ledger(|ledger| Some(ledger.incident(id)?.case(site)?.phase))
    }

    /// The digest of what was last read of all assets of a site.
    pub fn artifact_set(&self, site: &GateKey) -> Option<Digest> {
        let state = self.read();
        let site = state.by_key.get(site).map(|index| &state.sites[*index])?;
        artifact_set_of(&state, site)
    }

    pub(crate) fn edge_of(&self, key: &GateKey) -> Result<(Target, String, bool), EngineError> {
        let not_found = |what: &str| {
            EngineError::new(EngineErrorKind::NotFound, format!("{what} of {key} is not known"))
        };
        let (edge, host, vital) = {
            let state = self.read();
            let site = state.by_key.get(key).map(|index| &state.sites[*index]);
            let site = site.ok_or_else(|| not_found("the site"))?;
            let vital = site.criticality == relight_model::Criticality::Vital;
            (site.edge.clone(), site.host().to_owned(), vital)
        };
        let rows = self.store.edges()?;
        let target = crate::edges::named(&edge, &rows)?.ok_or_else(|| not_found("the edge"))?;
        Ok((target, host, vital))
    }

    fn asset_of(&self, site: &GateKey) -> Result<AssetId, EngineError> {
        self.store.asset_by_key(site.as_str())?.ok_or_else(|| not_registered(site))
    }
}
