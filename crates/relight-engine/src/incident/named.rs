//! The sites that an entry of the journal names.

use relight_model::GateKey;

use super::entry::Entry;

/// The first of these sites, so many at most, and whether there are more, for a sentence.
pub fn first_named<'a>(sites: impl IntoIterator<Item = &'a GateKey>, max: usize) -> String {
    let mut sites = sites.into_iter().map(GateKey::as_str);
    let first: Vec<&str> = sites.by_ref().take(max).collect();
    let more = if sites.next().is_some() { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}

impl Entry {
    /// The sites that it names; none for entries about the whole incident.
    pub fn sites(&self) -> Vec<GateKey> {
        match self {
            Self::DarkOrdered { sites, .. }
            | Self::Proved { sites, .. }
            | Self::EdgeFailed { sites, .. }
            | Self::AnalysisStarted { sites }
            | Self::RelightStopped { sites, .. }
            | Self::Lapsed { sites }
            | Self::HeldBack { sites, .. }
            | Self::Drifted { sites, .. } => sites.clone(),
            Self::EvidenceAttached { evidence } => vec![evidence.site.clone()],
            Self::FixStarted { site, .. }
            | Self::Deployed { site, .. }
            | Self::VerificationStarted { site }
            | Self::VerificationFound { site, .. }
            | Self::ChecksRun { site, .. }
            | Self::Verified { site, .. }
            | Self::Mitigated { site, .. }
            | Self::AcceptanceProposed { site, .. }
            | Self::AcceptanceSigned { site, .. }
            | Self::Exempted { site, .. }
            | Self::RelightStarted { site, .. } => vec![site.clone()],
            Self::PartsClosed { parts, .. }
            | Self::PartsOpened { parts }
            | Self::PartsSeen { parts, .. } => parts.iter().map(|part| part.site.clone()).collect(),
            Self::BaselineTaken { statuses } => statuses.iter().map(|it| it.site.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// The same entry about other sites; `None` when there are none, or when the entry is not
    /// about a list of sites.
    pub(crate) fn with_sites(&self, to: Vec<GateKey>) -> Option<Self> {
        if to.is_empty() {
            return None;
        }
        let mut entry = self.clone();
        match &mut entry {
            Self::DarkOrdered { sites, .. }
            | Self::Proved { sites, .. }
            | Self::EdgeFailed { sites, .. }
            | Self::AnalysisStarted { sites }
            | Self::RelightStopped { sites, .. }
            | Self::Lapsed { sites }
            | Self::Drifted { sites, .. } => *sites = to,
            _ => return None,
        }
        Some(entry)
    }
}
