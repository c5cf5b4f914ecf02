//! What must be true, said from the journal alone and in other words than the engine: no phases,
//! no gates, only what was reported last and in which order.

#[path = "oracle/signed.rs"]
mod signed;

use std::collections::{BTreeMap, BTreeSet};

use relight_engine::incident::{Compromise, Entry, Evidence};
use relight_model::{Digest, GateKey, Light, Timestamp, Verdict};

use signed::{Control, Signature};

/// The matcher that the simulated journal is folded with at first.
pub(crate) const MATCHER: u32 = 1;

/// What evidence has to be about, to count.
#[derive(Clone, Copy)]
struct Rule {
    revision: Digest,
    matcher: u32,
}

/// The list of checks of those sites that have one, as the register says.
pub(crate) const LIST: Digest = Digest([0x20; 32]);

/// Whether the register has checks for a site.
pub(crate) fn has_checks(site: &GateKey) -> bool {
    ["a", "c", "west"].contains(&site.as_str())
}

/// What the accepted lines of a journal say, incident by incident.
#[derive(Debug)]
pub(crate) struct Oracle {
    lines: usize,
    /// The matcher that runs.
    matcher: u32,
    /// When an older copy of the journal was last found to be one, by the clock and by the line.
    restored_at: Option<Timestamp>,
    restored_line: usize,
    files: BTreeMap<String, File>,
    /// What the clock showed each time that it was set back, and before.
    fell: Vec<(Timestamp, Timestamp)>,
    /// When each order was given, by incident and plan; none any more once it was taken back.
    given: BTreeMap<(String, Digest), Option<Timestamp>>,
}

#[derive(Debug, Default)]
struct File {
    is_closed: bool,
    revision: Digest,
    stories: BTreeMap<GateKey, Story>,
}

/// One site in one incident.
#[derive(Debug, Default)]
struct Story {
    evidence: Option<Evidence>,
    /// When the files were read of which a line came after the end of what is known: as with a
    /// signature.
    gone: Option<Timestamp>,
    /// Ids of every evidence that called it clear.
    clearances: BTreeSet<Digest>,
    deployed: Option<Digest>,
    reported_at: Option<Timestamp>,
    /// The newest word about what runs came from whoever deployed it, not from a scan.
    is_told: bool,
    /// Line of the last reason to be dark; none for a site that was lit all along.
    darkened: Option<usize>,
    /// Line of the last permission to open it, and whether it named a clearance.
    opened: Option<(usize, bool)>,
    /// The revisions of the affected verdicts that nothing has answered yet.
    affected: Vec<Digest>,
    /// Affected since the last verification that passed, withdrawn or not.
    was_affected: bool,
    /// Bad news about it waits for a person, since it was lit.
    is_held: bool,
    /// The last verification did not pass.
    has_failed: bool,
    /// Somebody saw signs of a compromise, and nobody said since that there are none.
    has_signs: bool,
    /// What two people signed about it, and the control that it is behind.
    signature: Option<Signature>,
    control: Option<Control>,
    /// It was let stay lit, by evidence or by a signature.
    is_exempt: bool,
    /// Its checks, as they were asked last: which list, of which files, and whether all passed.
    asked: Option<(Digest, Option<Digest>, bool)>,
}

impl Story {
    /// The newest evidence is clear, about what runs now, and neither revised nor expired.
    fn is_clear(&self, rule: Rule, at: Timestamp) -> bool {
        self.evidence.as_ref().is_some_and(|evidence| {
            evidence.artifact_set.is_some()
                && evidence.artifact_set == self.deployed
                && is_good(evidence, rule, at)
                && self.gone != Some(evidence.made_at)
        })
    }

    /// All that the register asks of it was asked of the files that are known, and came.
    fn answers(&self) -> bool {
        let known = self.evidence.as_ref().and_then(|evidence| evidence.id().ok());
        self.asked == Some((LIST, known, true))
    }

    fn is_dark(&self) -> bool {
        self.darkened.is_some() && self.darkened > self.opened.map(|(line, _)| line)
    }

    /// An incident had a reason to darken it, or let it be.
    fn is_concerned(&self) -> bool {
        self.darkened.is_some() || self.is_exempt
    }

    fn is_known(&self) -> bool {
        self.evidence.is_some() || self.darkened.is_some()
    }

    /// It may be lit: by evidence, or by what people signed.
    fn is_let_be(&self, rule: Rule, at: Timestamp) -> bool {
        self.is_clear(rule, at) || self.is_signed(rule, at)
    }

    fn hear(&mut self, number: usize, at: Timestamp, rule: Rule, entry: &Entry) {
        let before = (self.evidence.clone(), self.deployed);
        if let Entry::EvidenceAttached { evidence } = entry {
            self.weigh(at, rule.revision, evidence);
        }
        // What was let be until now, and whether this entry takes the light away.
        let is_let_be = self.is_let_be(rule, at);
        self.sign((number, at), rule, entry, &before);
        match entry {
            Entry::HeldBack { .. } if !self.is_dark() => {
                (self.is_held, self.evidence) = (true, None);
            }
            Entry::DarkOrdered { .. } | Entry::RelightStopped { .. } => {
                self.darkened = Some(number);
            }
            // Two people decided about it as it is known now.
            Entry::AcceptanceSigned { .. } => self.is_held = false,
            Entry::Lapsed { .. } | Entry::EvidenceAttached { .. } if !is_let_be => {
                self.darkened = Some(number);
            }
            Entry::Deployed { digest, .. } => {
                (self.deployed, self.reported_at) = (Some(*digest), Some(at));
                self.is_told = true;
                self.darkened = Some(number);
            }
            Entry::ChecksRun { list, evidence, of, passed, .. } => {
                self.asked = Some((*list, *evidence, of == passed));
            }
            Entry::Verified { site, functional, compromise, vital, .. } => {
                match compromise {
                    Compromise::NoSigns => self.has_signs = false,
                    Compromise::Signs => self.has_signs = true,
                    Compromise::Unknown => {}
                }
                let is_said = *compromise == Compromise::NoSigns;
                let unseen = !self.has_signs && (is_said || !vital);
                let works = *functional && (!has_checks(site) || self.answers());
                self.has_failed = !(works && unseen && self.is_clear(rule, at));
                if !self.has_failed {
                    self.affected.clear();
                    self.was_affected = false;
                }
            }
            Entry::RelightStarted { evidence, .. } => {
                let is_named = self.clearances.contains(evidence) || self.is_signature(*evidence);
                self.opened = Some((number, is_named));
            }
            _ => {}
        }
    }

    fn weigh(&mut self, at: Timestamp, revision: Digest, evidence: &Evidence) {
        // What was scanned in the second of a report may have been read before it.
        let is_doubtful = self.is_told && Some(evidence.made_at) == self.reported_at;
        let is_other = evidence.artifact_set.is_some() && evidence.artifact_set != self.deployed;
        if is_other && !is_doubtful {
            self.is_told = false;
            let is_first = self.deployed.is_none();
            let reported_at = Some(evidence.made_at.min(at));
            (self.deployed, self.reported_at) = (evidence.artifact_set, reported_at);
            if is_first {
                self.bind();
            }
        }
        match evidence.verdict {
            Verdict::Affected => {
                self.affected.push(evidence.advisory_revision);
                self.was_affected = true;
            }
            Verdict::Clear => {
                self.clearances.insert(evidence.id().unwrap());
                // Clear under a revision that never called it affected: the finding is withdrawn.
                if evidence.advisory_revision == revision && !self.affected.contains(&revision) {
                    self.affected.clear();
                }
            }
            Verdict::Unknown => {}
        }
        (self.is_held, self.evidence) = (false, Some(evidence.clone()));
    }
}

fn is_good(evidence: &Evidence, rule: Rule, at: Timestamp) -> bool {
    evidence.verdict == Verdict::Clear
        && evidence.reasons.is_empty()
        && evidence.artifact_set.is_some()
        && evidence.advisory_revision == rule.revision
        && evidence.statements_digest == Digest::default()
        && evidence.matcher_revision == rule.matcher
        && evidence.made_at <= at
        && at < evidence.expires_at
}

impl Default for Oracle {
    fn default() -> Self {
        Self {
            lines: 0,
            matcher: MATCHER,
            restored_at: None,
            restored_line: 0,
            files: BTreeMap::new(),
            fell: Vec::new(),
            given: BTreeMap::new(),
        }
    }
}

impl Oracle {
    /// The matcher that the journal says runs.
    pub(crate) const fn matcher(&self) -> u32 {
        self.matcher
    }

    const fn rule(&self, file: &File) -> Rule {
        Rule { revision: file.revision, matcher: self.matcher }
    }

    /// Reads one more accepted line.
    pub(crate) fn read(&mut self, at: Timestamp, incident: &str, entry: &Entry) {
        self.lines += 1;
        for story in self.files.values_mut().flat_map(|file| file.stories.values_mut()) {
            story.pass(at);
        }
        if let Entry::MatcherRuns { revision } = entry {
            self.matcher = *revision;
        }
        if let Entry::ClockSetBack { from, .. } = entry {
            self.fell.push((at, *from));
        }
        if let Entry::Restored { .. } = entry {
            // A clock that was ahead then makes nothing trusted that was read before.
            self.restored_at = self.restored_at.max(Some(at));
            self.restored_line = self.lines;
        }
        let given = match entry {
            Entry::DarkOrdered { plan, .. } => Some((plan, Some(at))),
            Entry::PlanUndone { plan } => Some((plan, None)),
            _ => None,
        };
        if let Some((plan, given)) = given {
            self.given.insert((incident.to_owned(), *plan), given);
        }
        let file = self.files.entry(incident.to_owned()).or_default();
        match entry {
            Entry::Opened { revision, .. } | Entry::Revised { revision, .. } => {
                file.revision = *revision;
            }
            Entry::Closed { .. } => file.is_closed = true,
            _ => {}
        }
        for site in entry.sites() {
            let story = file.stories.entry(site).or_default();
            let rule = Rule { revision: file.revision, matcher: self.matcher };
            if let Entry::EvidenceAttached { evidence: Evidence { made_at, expires_at, .. } } =
                entry
            {
                let is_before = |fell: &(_, _)| *made_at <= fell.0 && *expires_at <= fell.1;
                if at >= *expires_at || self.fell.iter().any(is_before) {
                    story.gone = Some(*made_at);
                }
            }
            story.hear(self.lines, at, rule, entry);
        }
    }

    fn stories(&self, site: &GateKey) -> impl Iterator<Item = (&str, &File, &Story)> {
        let open = self.files.iter().filter(|(_, file)| !file.is_closed);
        open.filter_map(|(id, file)| Some((id.as_str(), file, file.stories.get(site)?)))
    }

    /// Whether an entry takes back an order that was given no more than ten minutes ago, in an
    /// incident that goes on.
    pub(crate) fn may_undo(&self, id: &str, entry: &Entry, now: Timestamp) -> bool {
        let Entry::PlanUndone { plan } = entry else { return false };
        let is_open = self.files.get(id).is_some_and(|file| !file.is_closed);
        let given = self.given.get(&(id.to_owned(), *plan)).copied().flatten();
        is_open && given.is_some_and(|at| at <= now && now <= at + 600)
    }

    /// What visitors of a site must see.
    pub(crate) fn wanted(&self, site: &GateKey) -> Light {
        let dark = self.stories(site).any(|(_, _, story)| story.is_dark());
        if dark { Light::Dark } else { Light::Lit }
    }

    /// Whether an incident ever had a reason to darken a site.
    pub(crate) fn is_concerned(&self, site: &GateKey) -> bool {
        let mut stories = self.files.values().filter_map(|file| file.stories.get(site));
        stories.any(|story| story.darkened.is_some())
    }

    /// Whether an incident that is open ever had.
    pub(crate) fn is_explained(&self, site: &GateKey) -> bool {
        self.stories(site).any(|(_, _, story)| story.darkened.is_some())
    }

    /// Whether a dark site may be opened at this instant.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn cleared(&self, site: &GateKey, now: Timestamp) -> Result<(), String> {
        if let Some((id, ..)) = self.stories(site).find(|(.., story)| story.is_held) {
            return Err(format!("{site} in {id}: news about it waits for a person"));
        }
        for (id, file, story) in self.stories(site).filter(|(.., s)| s.is_concerned()) {
            let why = match story.opened {
                _ if story.is_dark() => "it is wanted dark",
                Some((_, false)) => "no relight names a clearance",
                None if story.darkened.is_some() => "no relight names a clearance",
                _ if self.is_accepted(file, story, now) => continue,
                _ if !story.is_clear(self.rule(file), now) => "no current evidence calls it clear",
                _ if story.evidence.as_ref().map(|it| it.made_at) <= self.restored_at => {
                    "nobody read it since an older copy of the journal came back"
                }
                _ if story.has_failed => "its last verification failed",
                _ if story.has_signs => "somebody saw signs of a compromise",
                _ if !story.affected.is_empty() => "its fix was never verified",
                _ => continue,
            };
            return Err(format!("{site} in {id}: {why}"));
        }
        Ok(())
    }

    /// What two people signed lets it be opened, whatever evidence says.
    fn is_accepted(&self, file: &File, story: &Story, at: Timestamp) -> bool {
        story.is_signed_since(self.restored_line, self.rule(file), at)
    }

    /// The incidents that hold a site dark although it is certainly clear, or would if it were to
    /// be opened, with its evidence; none as soon as any incident has something against it, now or
    /// soon.
    pub(crate) fn held_for_nothing(
        &self,
        site: &GateKey,
        now: Timestamp,
    ) -> Vec<(String, Evidence)> {
        let mut held = Vec::new();
        if self.stories(site).any(|(.., story)| story.is_held) {
            return held;
        }
        for (id, file, story) in self.stories(site).filter(|(.., s)| s.is_concerned()) {
            let is_clear = |at| story.is_clear(self.rule(file), at);
            if !is_clear(now) || !is_clear(now + 60) || story.was_affected || story.has_failed {
                return Vec::new();
            }
            // One that is lit is read again as well, where that opens it no more.
            let is_old = story.evidence.as_ref().map(|it| it.made_at) <= self.restored_at;
            let evidence = story.evidence.clone().filter(|_| story.is_dark() || is_old);
            held.extend(evidence.map(|evidence| (id.to_owned(), evidence)));
        }
        held
    }

    /// Whether an entry brings bad news about a site that is lit: it must never be refused.
    pub(crate) fn is_bad_news(&self, id: &str, entry: &Entry, now: Timestamp) -> bool {
        let Some(file) = self.files.get(id).filter(|file| !file.is_closed) else { return false };
        let unheard = Story::default();
        entry.sites().iter().any(|site| {
            let story = file.stories.get(site).unwrap_or(&unheard);
            match entry {
                _ if story.is_dark() => false,
                Entry::DarkOrdered { .. } => true,
                Entry::Lapsed { .. } => story.is_known() && !story.is_let_be(self.rule(file), now),
                Entry::Deployed { digest, .. } => {
                    story.is_known() && story.deployed != Some(*digest)
                }
                Entry::EvidenceAttached { evidence } => {
                    // A report from the hour of a clock that was ahead is no reason to refuse it.
                    let is_told_ahead = evidence.verdict != Verdict::Clear
                        && story.reported_at.is_some_and(|at| at > now);
                    let is_late = story.reported_at.is_some_and(|at| evidence.made_at < at);
                    (!is_late || is_told_ahead)
                        && evidence.advisory == id
                        && !is_good(evidence, self.rule(file), now)
                }
                _ => false,
            }
        })
    }
}
