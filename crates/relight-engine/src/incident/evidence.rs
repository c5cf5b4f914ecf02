//! Evidence: what is known about a site, for one artifact set and one advisory revision.

use relight_model::{Digest, GateKey, Timestamp, UnknownReason, Verdict};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::wire;

/// Paths kept in one piece of evidence; the inventory has them all.
pub const FOUND_MAX: usize = 8;

/// Inventories named in one piece of evidence; the artifact set is over all of them.
pub const INVENTORIES_MAX: usize = 32;

/// Longest names of the tools that read the artifacts, in characters.
pub const SCANNER_CHARS_MAX: usize = 200;

/// How the evidence was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// A scan of what is deployed, matched against the advisories.
    Scan,
    /// The scan made while a fix was verified, without any cache.
    Verification,
}

impl EvidenceKind {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Verification => "verification",
        }
    }
}

/// The record of INCIDENT 3.1. Its id is the SHA-256 of its canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The site.
    #[serde(with = "wire::key")]
    pub site: GateKey,
    /// Digest over the deployed digests of **all** assets of the site; `None` when an asset has
    /// never been read, and then the verdict is unknown.
    #[serde(with = "wire::digest_option")]
    pub artifact_set: Option<Digest>,
    /// The alias group that was asked about.
    pub advisory: String,
    /// Its revision: SHA-256 of the matching form.
    #[serde(with = "wire::digest")]
    pub advisory_revision: Digest,
    /// Digest of the statements and decisions that were applied; all zero when there are none.
    #[serde(with = "wire::digest")]
    pub statements_digest: Digest,
    /// Revision of the matcher.
    pub matcher_revision: u32,
    /// Name and version of each tool that read the artifacts, as their inventories say it, at most
    /// [`SCANNER_CHARS_MAX`] together; that of the program that judged them where none does, and in
    /// journals of before.
    pub scanner: String,
    /// What it says.
    #[serde(with = "wire::verdict")]
    pub verdict: Verdict,
    /// Why it is unknown, or what is missing besides; empty when clear.
    #[serde(with = "wire::reasons")]
    pub reasons: Vec<UnknownReason>,
    /// Where the component was found, at most [`FOUND_MAX`] places.
    pub found: Vec<String>,
    /// Package URLs of what was affected, at most [`FOUND_MAX`]; left out where nothing was, and in
    /// journals of before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Ids of the inventories that were judged, sorted, at most [`INVENTORIES_MAX`]; left out where
    /// there is none, and in journals of before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inventories: Vec<String>,
    /// How it was obtained.
    pub kind: EvidenceKind,
    /// When the artifacts were read.
    pub made_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// What a piece of evidence must agree with to be current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// The artifact set in service, as last reported.
    pub artifact_set: Option<Digest>,
    /// The latest revision of the advisory group.
    pub revision: Digest,
    /// Digest of the statements in force.
    pub statements_digest: Digest,
    /// Revision of the matcher that runs now.
    pub matcher_revision: u32,
}

impl Evidence {
    /// The id: SHA-256 of the canonical JSON.
    ///
    /// # Errors
    /// Never for this type; the serializer's type says it could.
    pub fn id(&self) -> Result<Digest, serde_json::Error> {
        let text = wire::canonical(self)?;
        Ok(Digest(Sha256::digest(text.as_bytes()).into()))
    }

    /// Whether everything of the site was read, as a code: `complete`, or `partial` where a reason
    /// is left why something may be there that nobody saw.
    pub fn coverage(&self) -> &'static str {
        let is_whole = self.reasons.is_empty() && self.artifact_set.is_some();
        if is_whole { "complete" } else { "partial" }
    }

    /// True when a site may be opened on it: about what is deployed now, under the latest
    /// revision, the same statements and the same matcher, not expired, and clear.
    pub fn permits(&self, current: &Current, now: Timestamp) -> bool {
        self.verdict == Verdict::Clear && self.reasons.is_empty() && self.is_current(current, now)
    }

    /// True when it speaks about the world as it is now, whatever it says.
    pub fn is_current(&self, current: &Current, now: Timestamp) -> bool {
        self.artifact_set.is_some()
            && self.artifact_set == current.artifact_set
            && self.advisory_revision == current.revision
            && self.statements_digest == current.statements_digest
            && self.matcher_revision == current.matcher_revision
            && self.made_at <= now
            && now < self.expires_at
    }
}

/// Digest of an artifact set: SHA-256 over the sorted lines `asset NUL kind NUL digest LF`.
/// `None` as soon as one asset has no digest.
pub fn artifact_set(assets: &[(u32, &str, Option<Digest>)]) -> Option<Digest> {
    let mut lines = Vec::with_capacity(assets.len());
    for (asset, kind, digest) in assets {
        lines.push(format!("{asset}\0{kind}\0{}\n", (*digest)?));
    }
    if lines.is_empty() {
        return None;
    }
    lines.sort();
    Some(Digest(Sha256::digest(lines.concat().as_bytes()).into()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn clear(site: &str, artifact: u8, revision: u8) -> Evidence {
        Evidence {
            site: GateKey::new(site).unwrap(),
            artifact_set: Some(Digest([artifact; 32])),
            advisory: "CVE-2021-44228".into(),
            advisory_revision: Digest([revision; 32]),
            statements_digest: Digest::default(),
            matcher_revision: 1,
            scanner: "relight test".into(),
            verdict: Verdict::Clear,
            reasons: Vec::new(),
            found: Vec::new(),
            components: Vec::new(),
            inventories: Vec::new(),
            kind: EvidenceKind::Scan,
            made_at: 100,
            expires_at: 1_000_000,
        }
    }

    #[test]
    fn evidence_dies_with_anything_it_rests_on() {
        let evidence = clear("a", 1, 2);
        let now = Current {
            artifact_set: Some(Digest([1; 32])),
            revision: Digest([2; 32]),
            statements_digest: Digest::default(),
            matcher_revision: 1,
        };
        assert!(evidence.permits(&now, 100));
        assert!(!evidence.permits(&now, 1_000_000), "expired");
        assert!(!evidence.permits(&now, 99), "from the future");
        let other = Digest([9; 32]);
        for current in [
            Current { artifact_set: Some(other), ..now },
            Current { artifact_set: None, ..now },
            Current { revision: other, ..now },
            Current { statements_digest: other, ..now },
            Current { matcher_revision: 2, ..now },
        ] {
            assert!(!evidence.permits(&current, 100), "{current:?}");
        }
        for verdict in [Verdict::Affected, Verdict::Unknown] {
            assert!(!Evidence { verdict, ..evidence.clone() }.permits(&now, 100));
        }
        let reasons = vec![UnknownReason::PartialCorrupt];
        assert!(!Evidence { reasons, ..evidence }.permits(&now, 100));
    }

    /// Goal: an old journal replays, and evidence of before keeps its id. Method: what is new is
    /// left out where nothing is known of it; partly read is no whole coverage.
    #[test]
    fn what_evidence_of_before_did_not_say_is_left_out() {
        let evidence = clear("a", 1, 2);
        let text = wire::canonical(&evidence).unwrap();
        for new in ["components", "inventories"] {
            assert!(!text.contains(&format!("{new:?}")), "{text}");
        }
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
        assert_eq!(evidence.coverage(), "complete");
        let reasons = vec![UnknownReason::PartialCorrupt];
        assert_eq!(Evidence { reasons, ..evidence.clone() }.coverage(), "partial");
        assert_eq!(Evidence { artifact_set: None, ..evidence }.coverage(), "partial");
    }

    #[test]
    fn the_artifact_set_needs_every_asset_and_no_order() {
        let (a, b) = (Digest([1; 32]), Digest([2; 32]));
        let set = artifact_set(&[(1, "application", Some(a)), (2, "host", Some(b))]);
        assert_eq!(set, artifact_set(&[(2, "host", Some(b)), (1, "application", Some(a))]));
        assert_ne!(set, artifact_set(&[(1, "application", Some(b)), (2, "host", Some(a))]));
        assert_eq!(artifact_set(&[(1, "application", Some(a)), (2, "host", None)]), None);
        assert_eq!(artifact_set(&[]), None);
    }

    #[test]
    fn the_id_is_the_digest_of_the_content() {
        let evidence = clear("a", 1, 2);
        let other = Evidence { made_at: 101, ..evidence.clone() };
        assert_eq!(evidence.id().unwrap(), evidence.clone().id().unwrap());
        assert_ne!(evidence.id().unwrap(), other.id().unwrap());
    }
}
