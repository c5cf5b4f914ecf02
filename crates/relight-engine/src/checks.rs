//! The checks of a site, asked behind the gate of its own edge (INCIDENT 3.3): requests that change
//! nothing, one after the other, until one does not give what it must.

use std::time::{Duration, Instant};

use relight_edge::Target;
use relight_model::{Digest, GateKey};
use relight_store::{SiteCheck, SiteChecks};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::incident::{Entry, Tried};
use crate::ingest::{behind_the_gate, misses};

/// Longest time that all checks of one site may take; one answer may take two seconds
/// (`relight_edge::http::ANSWER_WAIT_MAX`), and its first mebibyte is looked at.
pub const CHECKS_WAIT_MAX: Duration = Duration::from_secs(30);

/// What the checks of a site gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    list: Digest,
    of: usize,
    passed: usize,
    failed: Option<(SiteCheck, Tried)>,
}

/// Asks for each in turn; what comes after the first that did not pass is not asked.
pub(crate) fn run(target: &Target, host: &str, checks: &SiteChecks, wait: Duration) -> Ran {
    let (began, all) = (Instant::now(), checks.all());
    let mut ran = Ran { list: checks.digest(), of: all.len(), passed: 0, failed: None };
    for check in all {
        let why = match began.elapsed() < wait {
            true => fault(target, host, check),
            false => Some(Tried::because("checks-late")),
        };
        if let Some(tried) = why {
            ran.failed = Some((check.clone(), tried));
            break;
        }
        ran.passed += 1;
    }
    ran
}

/// Why a check does not pass.
fn fault(target: &Target, host: &str, check: &SiteCheck) -> Option<Tried> {
    let (status, body) = match behind_the_gate(target, host, check.method(), &check.path) {
        Ok(answer) => answer,
        Err(tried) => return Some(tried),
    };
    let is_wanted = match check.status {
        Some(wanted) => status == wanted,
        None => (200..300).contains(&status),
    };
    let why = misses(is_wanted, &body, &check.text)?;
    Some(Tried { why: why.to_owned(), detail: format!("{check}: {status}") })
}

impl Ran {
    /// Why they did not all pass, if they did not.
    pub(crate) fn tried(&self) -> Option<Tried> {
        self.failed.as_ref().map(|(_, tried)| tried.clone())
    }

    /// What the journal says of it.
    pub(crate) fn entry(&self, site: &GateKey, evidence: Option<Digest>) -> Entry {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let failed = self.failed.as_ref().map(|(check, _)| check.to_string());
        Entry::ChecksRun {
            site: site.clone(),
            evidence,
            list: self.list,
            of: count(self.of),
            passed: count(self.passed),
            failed: failed.unwrap_or_default(),
        }
    }
}

impl Engine {
    /// What a site must answer behind its gate, as the register says at this instant.
    ///
    /// # Errors
    /// The store cannot be read, or the list in it is damaged.
    pub(crate) fn checks_of(&self, site: &GateKey) -> Result<SiteChecks, EngineError> {
        Ok(self.store().checks_of(site)?)
    }

    /// Asks the checks of a site. One without a list asks nothing, and says so only where checks
    /// were asked before.
    pub(crate) fn run_checks(
        &self,
        id: &str,
        site: &GateKey,
        (target, host): (&Target, &str),
        checks: &SiteChecks,
    ) -> Option<Ran> {
        let is_asked = checks.required().is_some();
        let was_asked =
            || self.with_ledger(|ledger| Some(ledger.incident(id)?.case(site)?.checked.is_some()));
        let runs = is_asked || was_asked() == Some(true);
        runs.then(|| run(target, host, checks, CHECKS_WAIT_MAX))
    }

    /// What checks gave, if that is news: the same again of the same files is none.
    pub(crate) fn news_of_checks(
        &self,
        id: &str,
        site: &GateKey,
        evidence: Option<Digest>,
        ran: &Ran,
    ) -> Option<Entry> {
        let is_known = self.with_ledger(|ledger| {
            let known = ledger.incident(id)?.case(site)?.checked.as_deref()?;
            let counts = (known.of as usize, known.passed as usize);
            Some((known.list, known.evidence, counts) == (ran.list, evidence, (ran.of, ran.passed)))
        });
        (is_known != Some(true)).then(|| ran.entry(site, evidence))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, LazyLock};

    use testkit::behind_the_gate;

    use super::*;

    static ONE: LazyLock<SiteCheck> = LazyLock::new(|| SiteCheck::parse("/ -> 200").unwrap());

    /// A list that takes too long does not pass, and whoever is slow is not asked for ever.
    #[test]
    fn a_list_has_an_end() {
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        let address = behind_the_gate(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            200
        });
        let target = Target {
            name: "east".into(),
            kind: "nginx_file".into(),
            gate: "/srv/gate".into(),
            listeners: Vec::new(),
            verify: Some(address.to_string().into()),
            settings: Default::default(),
            members: Vec::new(),
        };
        let list = SiteChecks::new(vec![ONE.clone(); 3]).unwrap();
        let ran = run(&target, "a.example", &list, CHECKS_WAIT_MAX);
        assert_eq!((ran.passed, ran.of, ran.tried()), (3, 3, None));
        let ran = run(&target, "a.example", &list, Duration::ZERO);
        assert_eq!((ran.passed, ran.tried().unwrap().why.as_str()), (0, "checks-late"));
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }
}
