//! One line of the journal: what was decided, reported or seen, in canonical JSON.

use std::collections::BTreeMap;

use relight_model::{Digest, Epoch, GateKey, Light, Timestamp};
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::grant::{Acceptance, Ground, Mitigation};
use super::parts::{PartName, PartSeen};
use super::proof::{Proof, Witness};
use super::standing::Authority;
use super::terms::{Baseline, Compromise, Seat};
use super::update::Particulars;
use super::wire;
use crate::plan::Plan;

/// What happened. Sites are named by their gate key, so that an exported journal reads alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Entry {
    /// An incident was opened about a question.
    Opened {
        /// The question (`CVE-2021-44228`).
        question: String,
        /// One line for people.
        title: String,
        /// Revision of the advisory group when it was opened.
        #[serde(with = "wire::digest")]
        revision: Digest,
        /// Digest of the statements of suppliers in force; left out when there are none.
        #[serde(default, with = "wire::digest", skip_serializing_if = "wire::is_no_digest")]
        statements: Digest,
        /// The policy in force: who may switch.
        policy: String,
    },
    /// Sites were ordered dark under a plan.
    DarkOrdered {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// The sites of the plan.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
        /// Why, as the person wrote it.
        reason: String,
    },
    /// Parts of sites were ordered closed under a plan; their sites stay as they are.
    PartsClosed {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// The parts.
        parts: Vec<PartName>,
        /// Why, as the person wrote it.
        reason: String,
    },
    /// Parts of sites are being opened again, under current evidence or an acceptance.
    PartsOpened {
        /// The parts.
        parts: Vec<PartName>,
    },
    /// What an edge shows of parts.
    PartsSeen {
        /// The parts.
        parts: Vec<PartName>,
        /// The edge.
        edge: String,
        /// What was seen.
        seen: PartSeen,
        /// Code of what was wrong; empty where nothing was.
        why: String,
    },
    /// An edge was read back and every listener probed: the sites show this light.
    Proved {
        /// The sites.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
        /// What was proven.
        #[serde(with = "wire::light")]
        light: Light,
        /// The edge.
        edge: String,
        /// The epoch that the edge held.
        #[serde(with = "wire::epoch")]
        epoch: Epoch,
    },
    /// Dark is wanted and could not be proven: the sites count as exposed.
    EdgeFailed {
        /// The sites.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
        /// The edge.
        edge: String,
        /// Code of what was wrong (`unreachable`, `probe-disagrees`, `visitors-let-in`).
        why: String,
    },
    /// Somebody is looking at the sites.
    AnalysisStarted {
        /// The sites.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
    },
    /// What is known about a site, for one artifact set and one advisory revision.
    EvidenceAttached {
        /// The evidence, whole.
        evidence: Evidence,
    },
    /// Somebody began to repair a site.
    FixStarted {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// What is being done.
        note: String,
    },
    /// Another artifact set is in service.
    Deployed {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// Its new digest.
        #[serde(with = "wire::digest")]
        digest: Digest,
    },
    /// The deployed fix is being verified.
    VerificationStarted {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
    },
    /// What stands in the way of a verification, by code; nothing where nothing does any more.
    VerificationFound {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// Code of the reason.
        why: String,
        /// What was asked and what came.
        detail: String,
    },
    /// The checks of a site were asked behind its gate, in their order and up to the first that did
    /// not pass.
    ChecksRun {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// Id of the evidence about the files that answered.
        #[serde(with = "wire::digest_option")]
        evidence: Option<Digest>,
        /// Digest of the list; one without checks says that they were taken away.
        #[serde(with = "wire::digest")]
        list: Digest,
        /// How many checks the list has.
        of: u32,
        /// How many of them passed.
        passed: u32,
        /// The one that did not pass (`GET /booking -> 200`); empty where all did.
        failed: String,
    },
    /// The three independent parts of a verification (INCIDENT 3.3).
    Verified {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// The functional test behind the gate passed.
        functional: bool,
        /// What the check for signs of compromise gave.
        compromise: Compromise,
        /// The site is vital: an unknown compromise check is not enough.
        vital: bool,
        /// Id of the evidence about the files that were tried; other files were not.
        #[serde(default, with = "wire::digest_option", skip_serializing_if = "Option::is_none")]
        evidence: Option<Digest>,
        /// Digest of the list of checks that the site had: all of it has to have passed.
        #[serde(default, with = "wire::digest_option", skip_serializing_if = "Option::is_none")]
        checks: Option<Digest>,
    },
    /// A site is being opened under this evidence.
    RelightStarted {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// Id of the evidence.
        #[serde(with = "wire::digest")]
        evidence: Digest,
    },
    /// Opening was not proven in time, or its evidence lapsed meanwhile: dark again.
    RelightStopped {
        /// The sites.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
        /// Code of the reason.
        why: String,
        /// Nobody looked at their edge to the end meanwhile: that is no opening in vain, a few
        /// times. Left out where it was looked at, and in journals of before that was told.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unseen: bool,
    },
    /// The advisory group changed in a way that can change a match.
    Revised {
        /// The new revision.
        #[serde(with = "wire::digest")]
        revision: Digest,
        /// Digest of the statements of suppliers in force; left out when there are none.
        #[serde(default, with = "wire::digest", skip_serializing_if = "wire::is_no_digest")]
        statements: Digest,
    },
    /// Lit sites whose evidence is no longer current, after the deadline for a new match.
    Lapsed {
        /// The sites.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
    },
    /// News that would darken more lit sites than may go dark without an order, or sites that an
    /// order left lit although the flaw is theirs: they stay as they are, and count as exposed
    /// until a person decides.
    HeldBack {
        /// The sites.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
        /// What was known of them, or signed, permits nothing any more; left out in journals of
        /// before that was so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        voids: bool,
        /// An order named them and could not reach them (protected, without an edge): they keep no
        /// news of others back. Left out where news did it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        left: bool,
    },
    /// What an edge shows no longer agrees with what is wanted.
    Drifted {
        /// The sites.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
        /// The edge.
        edge: String,
        /// Code of what was seen.
        what: String,
        /// Since when nobody had looked, where that is what was wrong and it is known: the proof of
        /// before lasted 15 s longer. Left out otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// Answers that sites gave before an order: what counts as lit afterwards.
    BaselineTaken {
        /// One row a site that answered.
        statuses: Vec<Baseline>,
    },
    /// A control stands in front of an affected site.
    Mitigated {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// The control, and what a replay of payloads showed.
        mitigation: Mitigation,
    },
    /// Somebody asks a second person to answer for a site that no evidence calls clear.
    AcceptanceProposed {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// Who asks.
        proposer: String,
        /// Why.
        reason: String,
        /// From when on it would be worth nothing.
        expires: Timestamp,
        /// What a passkey signed for it; none where the person has no passkey, and in journals
        /// from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        witness: Option<Box<Witness>>,
    },
    /// Two people answer for a site that no evidence calls clear.
    AcceptanceSigned {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// What they signed.
        acceptance: Acceptance,
        /// What a passkey of the second person signed for it; none where there is no passkey, and
        /// in journals from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        witness: Option<Box<Witness>>,
        /// It is refused where the newest evidence says affected and there is no control; left out
        /// in journals from before that was so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        weighed: bool,
    },
    /// A site may stay online.
    Exempted {
        /// The site.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// Why.
        ground: Ground,
        /// What a passkey of the second person signed for an acceptance; none where there is no
        /// passkey, and in journals from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        witness: Option<Box<Witness>>,
    },
    /// A person ordered sites dark without the approvals that the policy asks for.
    BreakGlass {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// Why it could not wait.
        reason: String,
        /// Who; empty in journals from before people signed in.
        #[serde(default)]
        by: String,
        /// What the key signed for it; none from the command line of the data folder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Box<Proof>>,
    },
    /// Somebody else looked at why glass was broken.
    GlassReviewed {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// Who.
        by: String,
        /// What was found.
        note: String,
    },
    /// Somebody asks for a plan to be carried out. The whole plan is kept, so that the journal
    /// alone says what was approved.
    PlanProposed {
        /// The plan.
        plan: Box<Plan>,
        /// Who has to agree.
        seats: Vec<Seat>,
        /// The seat that whoever proposes it takes; none for a program.
        seat: Option<Seat>,
        /// What a passkey signed for it; none where the person has no passkey, and in journals
        /// from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Box<Proof>>,
    },
    /// Everybody who has to agree did: the plan is carried out.
    PlanStarted {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// Its sites that are not switched, because the set-up of their edge would leave them lit
        /// since it was proposed. Left out where there are none.
        #[serde(default, with = "wire::keys", skip_serializing_if = "Vec::is_empty")]
        left: Vec<GateKey>,
    },
    /// A plan that relights was carried out as far as it went: its waves are over.
    PlanEnded {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// Sites that were opened and did not come back.
        #[serde(with = "wire::keys")]
        failed: Vec<GateKey>,
        /// Sites that nobody opened: too many before them failed, or nothing went on with the
        /// plan while it was young enough.
        #[serde(with = "wire::keys")]
        left: Vec<GateKey>,
        /// Sites that something else kept dark since the plan was made; left out where there are
        /// none.
        #[serde(with = "wire::keys", default, skip_serializing_if = "Vec::is_empty")]
        held: Vec<GateKey>,
    },
    /// Words for the public page; belongs to no site.
    UpdatePublished {
        /// In French.
        fr: String,
        /// In English; empty where that language is not published.
        en: String,
        /// Who.
        by: String,
        /// What goes with them; left out where nothing does.
        #[serde(default, skip_serializing_if = "Particulars::is_empty")]
        particulars: Particulars,
    },
    /// Somebody approved a plan, by its hash.
    PlanApproved {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// The seat that the person fills (`operator`, `second`, `command`).
        seat: Seat,
        /// Who.
        by: String,
        /// What a passkey signed for it; none where the person has no passkey, and in journals
        /// from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Box<Proof>>,
    },
    /// Somebody refused a plan: it can no longer be executed.
    PlanRefused {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// A dark order was taken back: what current evidence calls clear may return at once.
    PlanUndone {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
    },
    /// An approval given beforehand, for a rule; belongs to no incident.
    AuthorityGranted {
        /// The rule, its legal basis and its end.
        authority: Authority,
    },
    /// A plan was executed under such an approval.
    AuthorityUsed {
        /// Hash of the plan.
        #[serde(with = "wire::digest")]
        plan: Digest,
        /// Name of the authority.
        name: String,
    },
    /// What a rehearsal on one edge showed; belongs to no incident.
    Drilled {
        /// Always true: nothing in it is about a site that visitors need.
        drill: bool,
        /// The edge.
        edge: String,
        /// Every step did what it must.
        passed: bool,
        /// The first step that did not, if one.
        failed: Option<String>,
        /// What the edge was when it was rehearsed on (`edges::identity`); none in journals of
        /// before, whose drills show nothing about an edge that may have been replaced.
        #[serde(default, with = "wire::digest_option", skip_serializing_if = "Option::is_none")]
        target: Option<Digest>,
        /// What of the record of the edge it could not try; nothing in journals of before, whose
        /// drills were believed for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        untried: Vec<String>,
    },
    /// A rehearsal begins on one edge, and nothing of it is closed yet; belongs to no incident.
    DrillBegun {
        /// Always true.
        drill: bool,
        /// The edge.
        edge: String,
        /// What it may close: the canary and sites that are marked.
        #[serde(with = "wire::keys")]
        keys: Vec<GateKey>,
    },
    /// It is over; belongs to no incident.
    DrillEnded {
        /// Always true.
        drill: bool,
        /// The edge.
        edge: String,
        /// Whoever rehearsed was gone before its end.
        interrupted: bool,
        /// What may be dark because of it.
        #[serde(with = "wire::keys", default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<GateKey>,
    },
    /// Something of that was seen lit again; belongs to no incident.
    DrillUndone {
        /// Always true.
        drill: bool,
        /// The edge.
        edge: String,
        /// What was.
        #[serde(with = "wire::keys")]
        keys: Vec<GateKey>,
    },
    /// Somebody came in, was refused, or may do more or less than before; belongs to no incident.
    Access {
        /// What happened (`signed-in`, `sign-in-refused`, `granted`).
        act: String,
        /// The account that it is about; empty when nobody knows.
        account: String,
        /// What else is known, by name (`role`, `scope`, `address`, `factor`).
        facts: BTreeMap<String, String>,
    },
    /// The second barrier of an edge was told to close exactly these sites; belongs to no incident.
    Barred {
        /// What it was told to close. In records of before, that of which `still-closed` and
        /// `not-seen-open` speak.
        #[serde(with = "wire::keys")]
        sites: Vec<GateKey>,
        /// What it was told to open, and holds or seems to hold.
        #[serde(with = "wire::keys", default, skip_serializing_if = "Vec::is_empty")]
        held: Vec<GateKey>,
        /// The edge that could not prove them dark.
        edge: String,
        /// The edge that is its barrier.
        barrier: String,
        /// Code of why it failed; empty when it did not.
        why: String,
    },
    /// The canary of an edge no longer goes dark and comes back as it is told, or does again;
    /// belongs to no incident.
    CanaryTried {
        /// The edge.
        edge: String,
        /// It was seen dark, and lit afterwards.
        passed: bool,
        /// Code of what was wrong (`dark-not-seen`, `unreachable`); empty when it passed.
        what: String,
    },
    /// A spelling of its name led past the closed gate of a site, or of the canary of an edge;
    /// belongs to no incident.
    LedPast {
        /// The edge.
        edge: String,
        /// The site, or the canary.
        #[serde(with = "wire::key")]
        site: GateKey,
        /// At which listener, which spelling, and what was answered
        /// (`127.0.0.1:80: upper case: 200`).
        spelling: String,
    },
    /// From here on entries were judged by this matcher: evidence of another one is not current.
    /// Stands before the first entry of a program whose matcher is not that of before; belongs to
    /// no incident.
    MatcherRuns {
        /// Its revision.
        revision: u32,
    },
    /// Somebody set what counts of advisories beside this program (published or retired one of
    /// ours, trusted an issuer, switched a source off); belongs to no incident.
    AdvisoriesSet {
        /// Its number in the register, which has all of it.
        number: u64,
        /// What was done, as the command says it.
        what: String,
        /// The beginning of what was said of it.
        said: String,
        /// When it was done, which may be long before a server took it into the journal; 0 in
        /// journals of before this was kept.
        #[serde(default)]
        at: Timestamp,
    },
    /// An edge was told more than this journal holds: the register came back from an older copy, or
    /// another one gives orders there. What was known before opens nothing. Belongs to no incident.
    Restored {
        /// The newest order that an edge tells.
        #[serde(with = "wire::epoch")]
        epoch: Epoch,
    },
    /// The clock shows an earlier time than the record before: what was over by then stays so.
    /// Belongs to no incident.
    ClockSetBack {
        /// The time of that record.
        from: Timestamp,
    },
    /// The incident is over.
    Closed {
        /// It is refused while a lit site is without current evidence; left out in journals from
        /// before that was so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        current: bool,
    },
    /// An attempt that the fold refused; kept for the audit, changes nothing.
    Refused {
        /// Kind of the entry that was refused.
        entry: String,
        /// Why.
        why: String,
    },
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
