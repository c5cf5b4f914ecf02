//! What the operator sets about sources: whose word counts before whose, which packages the
//! products of an assigner are, and when an incident is proposed. One document, kept in the
//! register as it was given.

use std::collections::{BTreeMap, BTreeSet};

use relight_match::{OwnBinding, Policy, Rank};
use relight_model::{Ecosystem, PackageName};
use relight_store::{By, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::notify::{ExploitedAt, ProposalRule};

/// The setting that holds the document.
const KEY: &str = "sources-policy";

/// Most lines of each kind.
pub const LINES_MAX: usize = 1_000;

/// The document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourcesPolicy {
    /// Rank of a source, by its name: `vendor`, `reviewed`, `community`, `nvd`.
    pub ranks: BTreeMap<String, String>,
    /// Sources whose last known affected version is the last affected one.
    pub last_known_is_last: BTreeSet<String>,
    /// Sources whose `related` ids are the flaws that a record is about.
    pub related_attaches: BTreeSet<String>,
    /// Which packages products are.
    pub bindings: Vec<BindingLine>,
    /// When an incident is proposed.
    pub proposals: ProposalLine,
}

/// When an incident is proposed; what is left out is as [`ProposalRule::default`] says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProposalLine {
    /// Lowest CVSS base score that proposes by itself, above 0 and at most 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Where what a catalogue calls exploited is proposed: `internet`, `anywhere`, `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exploited: Option<String>,
}

/// One line that somebody reviewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingLine {
    /// Who assigns the numbers, as records name them.
    pub assigner: String,
    /// The products, as published.
    pub products: Vec<String>,
    /// The packages that they are: `Maven:group:artifact`.
    pub affects: Vec<String>,
    /// Packages that look like them and are not.
    #[serde(default)]
    pub not_affects: Vec<String>,
    /// Where the publisher says so.
    pub reference: String,
    /// Who looked.
    pub reviewer: String,
}

/// What of a document cannot be used: a stable code, and the text that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// `policy-rank`, `policy-package`, `policy-binding`, `policy-proposals`, `policy-too-long`.
    pub code: &'static str,
    /// The word that is wrong.
    pub word: String,
}

impl SourcesPolicy {
    /// Checks every word; nothing of a document with a fault is used.
    ///
    /// # Errors
    /// Says what the first fault is.
    pub fn check(&self) -> Result<(), PolicyFault> {
        self.proposals.rule()?;
        self.lay(&mut Policy::default())
    }

    /// Puts it into a policy.
    fn lay(&self, policy: &mut Policy) -> Result<(), PolicyFault> {
        let fault = |code, word: &str| PolicyFault { code, word: word.to_owned() };
        let lines = [self.ranks.len(), self.last_known_is_last.len(), self.related_attaches.len()];
        if lines.into_iter().chain([self.bindings.len()]).any(|count| count > LINES_MAX) {
            return Err(fault("policy-too-long", &LINES_MAX.to_string()));
        }
        for (source, text) in &self.ranks {
            // Only distributions speak for their packages, and only our own records are our own.
            let rank = Rank::parse(text).filter(|it| !matches!(it, Rank::Distribution | Rank::Own));
            let rank = rank.ok_or_else(|| fault("policy-rank", text))?;
            policy.ranks.insert(source.clone(), rank);
        }
        policy.last_known_is_last.clone_from(&self.last_known_is_last);
        policy.related_attaches.clone_from(&self.related_attaches);
        for line in &self.bindings {
            policy.bindings.push(line.read()?);
        }
        Ok(())
    }
}

impl ProposalLine {
    fn rule(&self) -> Result<ProposalRule, PolicyFault> {
        let fault = |word: String| PolicyFault { code: "policy-proposals", word };
        let mut rule = ProposalRule::default();
        if let Some(score) = self.score {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates"
            )]
            let tenths = (score * 10.0).round() as u16;
            // Less than a tenth would be no score at all: everything has it.
            if score > 10.0 || !(1..=100).contains(&tenths) {
                return Err(fault(score.to_string()));
            }
            rule.score_min = tenths;
        }
        if let Some(word) = &self.exploited {
            rule.exploited = ExploitedAt::parse(word).ok_or_else(|| fault(word.clone()))?;
        }
        Ok(rule)
    }
}

impl BindingLine {
    fn read(&self) -> Result<OwnBinding, PolicyFault> {
        let is_empty = |text: &String| text.trim().is_empty();
        let needed = [&self.assigner, &self.reference, &self.reviewer];
        if needed.into_iter().any(is_empty) || self.products.is_empty() || self.affects.is_empty() {
            let code = "policy-binding";
            return Err(PolicyFault { code, word: self.products.join(", ") });
        }
        let packages = |texts: &[String]| -> Result<Vec<PackageName>, PolicyFault> {
            texts.iter().map(|text| package(text)).collect()
        };
        Ok(OwnBinding {
            assigner: self.assigner.clone(),
            products: self.products.clone(),
            affects: packages(&self.affects)?,
            not_affects: packages(&self.not_affects)?,
        })
    }
}

/// `Maven:group:artifact`, by the OSV name of the ecosystem or the type of a purl.
fn package(text: &str) -> Result<PackageName, PolicyFault> {
    let known =
        text.split_once(':').filter(|(_, name)| !name.is_empty()).and_then(|(kind, name)| {
            let ecosystem = match Ecosystem::from_osv(kind) {
                Ecosystem::Other(_) => Ecosystem::from_purl(kind, ""),
                known => known,
            };
            let is_known = !matches!(ecosystem, Ecosystem::Other(_));
            is_known.then(|| PackageName { ecosystem, release: None, name: name.to_owned() })
        });
    known.ok_or_else(|| PolicyFault { code: "policy-package", word: text.to_owned() })
}

/// The document in force; the default one where nobody set any.
///
/// # Errors
/// The store cannot be read, or the document is not understood: without its bindings a site could
/// look clear.
pub fn sources_policy(store: &Store) -> Result<SourcesPolicy, StoreError> {
    let Some(text) = store.meta_get(KEY)? else { return Ok(SourcesPolicy::default()) };
    serde_json::from_str(&text).map_err(|error| {
        StoreError::not_understood(format!(
            "reading the policy of sources: {error}; hint: put it in force again with \
             `relight advisories policy FILE`"
        ))
    })
}

/// When an incident is proposed, as the operator set it.
///
/// # Errors
/// As [`sources_policy`].
pub fn proposal_rule(store: &Store) -> Result<ProposalRule, StoreError> {
    let rule = sources_policy(store)?.proposals.rule();
    rule.map_err(|PolicyFault { code, word }| {
        StoreError::not_understood(format!("reading the policy of sources: {code} {word}"))
    })
}

/// Puts a document in force, and keeps who did.
///
/// # Errors
/// It has a fault, which is returned inside; or the store cannot be written.
pub fn set_sources_policy(
    store: &Store,
    document: &SourcesPolicy,
    by: By<'_>,
) -> Result<Result<(), PolicyFault>, StoreError> {
    if let Err(fault) = document.check() {
        return Ok(Err(fault));
    }
    let text = serde_json::json!(document).to_string();
    store.settings(|settings| {
        let before = settings.get(KEY)?.unwrap_or_default();
        settings.put(KEY, &text)?;
        settings.note(by, "advisories policy", (&before, &text))
    })?;
    Ok(Ok(()))
}

/// Adds the document in force to a policy.
pub(crate) fn lay(store: &Store, policy: &mut Policy) -> Result<(), StoreError> {
    // Only what was checked is ever stored, perhaps by another version.
    sources_policy(store)?.lay(policy).map_err(|PolicyFault { code, word }| {
        StoreError::not_understood(format!("reading the policy of sources: {code} {word}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::policy_of;

    #[test]
    fn a_policy_that_is_not_understood_is_an_error_and_never_the_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(sources_policy(&store).unwrap(), SourcesPolicy::default());
        for text in ["", "{", r#"{"of_a_newer_program": true}"#] {
            store.meta_put(KEY, text).unwrap();
            assert!(policy_of(&store).is_err(), "{text:?}");
        }
    }

    const BY: By<'static> = By { actor: "anna", at: 7 };

    #[test]
    fn when_an_incident_is_proposed_can_be_set() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let set = |score: Option<f64>, exploited: Option<&str>| {
            let exploited = exploited.map(str::to_owned);
            let proposals = ProposalLine { score, exploited };
            let document = SourcesPolicy { proposals, ..SourcesPolicy::default() };
            set_sources_policy(&store, &document, BY).unwrap().map_err(|fault| fault.word)?;
            let rule = proposal_rule(&store).unwrap();
            Ok::<_, String>((rule.score_min, rule.exploited))
        };
        assert_eq!(set(None, None), Ok((100, ExploitedAt::Internet)));
        assert_eq!(set(Some(8.5), Some("anywhere")), Ok((85, ExploitedAt::Anywhere)));
        assert_eq!(set(Some(0.1), None), Ok((1, ExploitedAt::Internet)));
        assert_eq!(set(Some(10.0), Some("never")), Ok((100, ExploitedAt::Never)));
        for (score, word) in [
            (0.0, "0"),
            (0.04, "0.04"),
            (10.01, "10.01"),
            (10.1, "10.1"),
            (-1.0, "-1"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(set(Some(score), None), Err(word.to_owned()));
        }
        assert_eq!(set(None, Some("always")), Err("always".to_owned()));
        assert_eq!(proposal_rule(&store).unwrap().exploited, ExploitedAt::Never);
    }

    fn line() -> BindingLine {
        BindingLine {
            assigner: "example".into(),
            products: vec!["Example Server".into()],
            affects: vec!["Maven:org.example:server".into()],
            not_affects: vec!["npm:server".into()],
            reference: "https://example.org/security".into(),
            reviewer: "A. Tremblay".into(),
        }
    }

    #[test]
    fn a_document_is_kept_and_becomes_the_policy() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(policy_of(&store).unwrap(), Policy::default());
        let document = SourcesPolicy {
            ranks: [("house".to_owned(), "vendor".to_owned())].into(),
            last_known_is_last: ["ghsa".to_owned()].into(),
            related_attaches: ["house".to_owned()].into(),
            bindings: vec![line()],
            proposals: ProposalLine::default(),
        };
        set_sources_policy(&store, &document, BY).unwrap().unwrap();
        crate::trust::trust(&store, "Supplier", BY).unwrap();
        assert_eq!(sources_policy(&store).unwrap(), document);
        let policy = policy_of(&store).unwrap();
        assert_eq!(policy.ranks["house"], Rank::Vendor);
        assert!(policy.trusted.contains("Supplier"));
        assert_eq!(policy.bindings[0].affects[0].name, "org.example:server");
        assert_eq!(policy.bindings[0].not_affects[0].ecosystem, Ecosystem::Npm);
        set_sources_policy(&store, &SourcesPolicy::default(), BY).unwrap().unwrap();
        assert_eq!(policy_of(&store).unwrap().ranks.len(), 0);
        let noted = store.register_changes(0).unwrap();
        let last = noted.last().unwrap();
        assert_eq!((&*last.actor, &*last.what), ("anna", "advisories policy"));
        assert!(last.before.contains("org.example:server") && !last.after.contains("server"));
    }

    #[test]
    fn a_fault_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let rank = |text: &str| SourcesPolicy {
            ranks: [("house".to_owned(), text.to_owned())].into(),
            ..SourcesPolicy::default()
        };
        let bound = |line| SourcesPolicy { bindings: vec![line], ..SourcesPolicy::default() };
        let many = (0..=LINES_MAX).map(|at| at.to_string()).collect();
        for (document, code) in [
            (rank("distribution"), "policy-rank"),
            (rank("own"), "policy-rank"),
            (rank("best"), "policy-rank"),
            (bound(BindingLine { assigner: " ".into(), ..line() }), "policy-binding"),
            (bound(BindingLine { affects: Vec::new(), ..line() }), "policy-binding"),
            (bound(BindingLine { affects: vec!["server".into()], ..line() }), "policy-package"),
            (bound(BindingLine { not_affects: vec!["odd:x".into()], ..line() }), "policy-package"),
            (
                SourcesPolicy { related_attaches: many, ..SourcesPolicy::default() },
                "policy-too-long",
            ),
        ] {
            let fault = set_sources_policy(&store, &document, BY).unwrap().unwrap_err();
            assert_eq!(fault.code, code, "{document:?}");
        }
        assert_eq!(sources_policy(&store).unwrap(), SourcesPolicy::default());
    }
}
