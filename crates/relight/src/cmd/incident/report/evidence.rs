//! What the report says of the evidence about a site: on what its state rests.

use relight_engine::incident::Evidence;
use relight_server::web::number::rfc3339;
use serde::Serialize;

/// The newest evidence about one site. Data are never translated.
#[derive(Serialize)]
pub(super) struct EvidenceRow {
    pub(super) verdict: &'static str,
    /// How it was obtained: `scan` or `verification`.
    kind: &'static str,
    /// `complete`, or `partial` where something may be there that nobody saw.
    pub(super) coverage: &'static str,
    /// When the artifacts were read.
    pub(super) read_at: String,
    expires_at: String,
    /// What read the artifacts.
    pub(super) scanner: String,
    /// Ids of the inventories that were judged.
    inventories: Vec<String>,
    /// What judged them: revision of the advisory, digest of the statements, revision of the
    /// matcher.
    advisory_revision: String,
    statements: String,
    matcher: u32,
}

impl EvidenceRow {
    pub(super) fn of(evidence: &Evidence) -> Self {
        Self {
            verdict: evidence.verdict.as_str(),
            kind: evidence.kind.as_str(),
            coverage: evidence.coverage(),
            read_at: rfc3339(evidence.made_at),
            expires_at: rfc3339(evidence.expires_at),
            scanner: evidence.scanner.clone(),
            inventories: evidence.inventories.clone(),
            advisory_revision: evidence.advisory_revision.to_string(),
            statements: evidence.statements_digest.to_string(),
            matcher: evidence.matcher_revision,
        }
    }
}
