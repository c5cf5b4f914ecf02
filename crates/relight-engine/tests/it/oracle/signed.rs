//! What people signed about a site, and how long that stands: in other words than the engine.

use relight_engine::incident::{Acceptance, Compromise, Entry, Evidence, Ground};
use relight_model::{Digest, Timestamp, Verdict};

use super::{Rule, Story};

/// The worst news of all.
const AFFECTED: u8 = 2;

/// What was known of a site before an entry: its evidence, and what ran.
pub(super) type Before = (Option<Evidence>, Option<Digest>);

/// Two people answered for a site as it was then.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    line: usize,
    id: Digest,
    until: Timestamp,
    revision: Digest,
    files: Option<Digest>,
    /// How bad the news was that they knew of.
    knew: u8,
    /// A line came after its end: no clock brings it back.
    is_gone: bool,
}

/// A control in front of an affected site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Control {
    until: Timestamp,
    /// It is all that the site has.
    is_alone: bool,
    /// As with a signature.
    is_gone: bool,
}

/// Two people, one of whom did not ask.
fn is_by_two(acceptance: &Acceptance) -> bool {
    let [one, other] = [&acceptance.proposer, &acceptance.approver].map(|it| it.to_lowercase());
    !one.is_empty() && !other.is_empty() && one != other
}

impl Story {
    /// What was signed stands: it has no end yet, is about what runs and about the advisory as it
    /// is, and nothing worse was heard since.
    pub(super) fn is_signed(&self, rule: Rule, at: Timestamp) -> bool {
        self.signature.as_ref().is_some_and(|it| {
            let is_no_worse = self.badness() <= it.knew;
            at < it.until
                && !it.is_gone
                && it.revision == rule.revision
                && it.files == self.deployed
                && is_no_worse
        })
    }

    /// The same of what was signed after a line of the journal: before it, nobody knew what was
    /// lost with a newer copy of it.
    pub(super) fn is_signed_since(&self, line: usize, rule: Rule, at: Timestamp) -> bool {
        let is_since = self.signature.as_ref().is_some_and(|it| it.line > line);
        is_since && self.is_signed(rule, at)
    }

    fn badness(&self) -> u8 {
        match self.evidence.as_ref().map(|it| it.verdict) {
            Some(Verdict::Clear) => 0,
            Some(Verdict::Unknown) | None => 1,
            Some(Verdict::Affected) => AFFECTED,
        }
    }

    /// The acceptance that a relight names.
    pub(super) fn is_signature(&self, id: Digest) -> bool {
        self.signature.as_ref().is_some_and(|it| it.id == id)
    }

    /// What an entry makes of what was signed, by what was known of the site
    /// before.
    pub(super) fn sign(
        &mut self,
        (number, at): (usize, Timestamp),
        rule: Rule,
        entry: &Entry,
        (known, ran): &Before,
    ) {
        match entry {
            Entry::Mitigated { mitigation, .. } => {
                let until = mitigation.expires;
                let is_proven =
                    mitigation.replayed > 0 && mitigation.blocked == mitigation.replayed;
                self.control =
                    is_proven.then_some(Control { until, is_alone: true, is_gone: false });
            }
            Entry::AcceptanceSigned { acceptance, .. }
            | Entry::Exempted { ground: Ground::Acceptance(acceptance), .. } => {
                self.accept(number, at, rule, acceptance);
            }
            // What takes effect here takes back what was signed before.
            Entry::DarkOrdered { .. } if !self.is_dark() => self.signature = None,
            Entry::HeldBack { .. } if !self.is_dark() => self.forget_signed(),
            Entry::Deployed { .. } | Entry::Lapsed { .. } => self.forget_signed(),
            Entry::Verified { compromise: Compromise::Signs, .. } => self.forget_signed(),
            Entry::EvidenceAttached { evidence } => {
                let is_old_news = evidence.verdict == Verdict::Affected
                    && *ran == self.deployed
                    && known.as_ref().is_some_and(|it| it.advisory_revision == rule.revision);
                if self.is_clear(rule, at) || self.is_signed(rule, at) {
                    self.control = self.control.map(|it| Control { is_alone: false, ..it });
                } else if !(is_old_news && self.control.is_some_and(|it| it.is_alone)) {
                    self.forget_signed();
                }
            }
            _ => {}
        }
        self.is_exempt |= matches!(entry, Entry::Exempted { .. });
    }

    /// An affected site is accepted only behind a control, and no longer than that.
    fn accept(&mut self, number: usize, at: Timestamp, rule: Rule, acceptance: &Acceptance) {
        let control = self.control.filter(|it| at < it.until && !it.is_gone);
        let is_sound = is_by_two(acceptance) && (self.badness() < AFFECTED || control.is_some());
        let until = self.control.map_or(i64::MAX, |it| it.until).min(acceptance.expires);
        self.control = self.control.map(|it| Control { is_alone: false, ..it });
        self.signature = Some(Signature {
            line: number,
            id: acceptance.id().unwrap(),
            until: if is_sound { until } else { i64::MIN },
            revision: rule.revision,
            files: self.deployed,
            knew: self.badness(),
            is_gone: false,
        });
    }

    /// A line was written at this time.
    pub(super) fn pass(&mut self, at: Timestamp) {
        if let Some(evidence) = self.evidence.as_ref().filter(|it| at >= it.expires_at) {
            self.gone = Some(evidence.made_at);
        }
        if let Some(signature) = &mut self.signature {
            signature.is_gone |= at >= signature.until;
        }
        if let Some(control) = &mut self.control {
            control.is_gone |= at >= control.until;
        }
    }

    /// What was signed before anybody had read the site is about what is read first.
    pub(super) fn bind(&mut self) {
        let files = self.deployed;
        if let Some(signature) = self.signature.as_mut().filter(|it| it.files.is_none()) {
            signature.files = files;
        }
    }

    fn forget_signed(&mut self) {
        (self.signature, self.control) = (None, None);
    }
}
