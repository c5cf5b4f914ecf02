//! What is over stays so: a clock that is set back makes no evidence, no signature, no plan and no
//! approval good again whose end the last record of the journal had passed.
//!
//! Not by the newest time of all records: after a clock that was ahead for a while, nobody could
//! sign anything until that hour. What counts is the record before the next one, and what stood
//! when it was written. The journal is told once, and only where that ends something; so journals
//! of before are read as they were written.

use relight_model::Timestamp;

use super::entry::Entry;
use super::evidence::Evidence;
use super::fold::{Case, Incident};
use super::ledger::Ledger;

/// Most that are told apart. Of more, the oldest two are taken for one that went further.
const SET_BACK_MAX: usize = 16;

/// The clock was set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetBack {
    /// What it showed then.
    pub(super) at: Timestamp,
    /// What it had shown.
    pub(super) from: Timestamp,
}

impl SetBack {
    /// What was made after it is not over: a clock that was far ahead for a while makes nothing
    /// worthless that is scanned once it is right.
    const fn spends(&self, evidence: &Evidence) -> bool {
        evidence.made_at <= self.at && evidence.expires_at <= self.from
    }

    const fn covers(&self, other: &Self) -> bool {
        other.at <= self.at && other.from <= self.from
    }
}

impl Ledger {
    /// What has to stand in the journal before the next entry: the clock shows an earlier time than
    /// the record before it, and something that was over then would not be so now.
    pub fn owed_clock(&self, now: Timestamp) -> Option<Entry> {
        let from = self.last_at?;
        let is_back = |end: Timestamp| now < end && end <= from;
        let is_owed = now < from && self.ends().any(is_back);
        is_owed.then_some(Entry::ClockSetBack { from })
    }

    /// The ends of all that is not over for good.
    fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let incidents = self.open().flat_map(|(_, incident)| incident.ends());
        incidents.chain(self.authority_ends()).chain(self.actions().ends())
    }

    /// The clock was set back: what was over stays so, evidence also where the same inventory makes
    /// it anew, and in an incident that is opened later.
    pub(super) fn set_back_by(&mut self, new: SetBack) {
        self.end_all_by(new.from);
        self.set_back.retain(|it| !new.covers(it));
        self.set_back.push(new);
        if self.set_back.len() > SET_BACK_MAX {
            let oldest = self.set_back.remove(0);
            let next = &mut self.set_back[0];
            (next.at, next.from) = (next.at.max(oldest.at), next.from.max(oldest.from));
        }
        for incident in self.incidents.values_mut().filter(|incident| !incident.closed) {
            incident.end_by(new.from);
            incident.set_back.clone_from(&self.set_back);
        }
    }
}

impl Incident {
    fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let asked = self.proposals.values().map(|request| request.asked.expires);
        let known = self.cases.values().filter_map(|case| {
            let evidence = case.evidence.as_ref().filter(|it| !self.is_spent(case, it))?;
            Some(evidence.expires_at)
        });
        self.cases.values().flat_map(Case::ends).chain(asked).chain(known)
    }

    /// True for evidence that was over before the clock was set back.
    pub(super) fn is_spent(&self, case: &Case, evidence: &Evidence) -> bool {
        case.spent == Some(evidence.made_at)
            || self.set_back.iter().any(|back| back.spends(evidence))
    }

    fn end_by(&mut self, then: Timestamp) {
        for case in self.cases.values_mut() {
            if let Some(grant) = case.grant.as_mut().filter(|grant| grant.expires <= then) {
                grant.is_over = true;
            }
            case.is_control_over |= case.mitigation.as_ref().is_some_and(|it| it.expires <= then);
            // By name: the clock may show a time before it was made.
            if let Some(it) = case.evidence.as_ref().filter(|it| it.expires_at <= then) {
                case.spent = Some(it.made_at);
            }
        }
        self.proposals.retain(|_, request| request.asked.expires > then);
    }
}

impl Case {
    fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let signed = self.grant.as_ref().filter(|grant| !grant.is_over);
        let control = self.mitigation.as_ref().filter(|_| !self.is_control_over);
        signed.map(|grant| grant.expires).into_iter().chain(control.map(|it| it.expires))
    }
}

#[cfg(test)]
mod tests {
    use relight_model::{Digest, GateKey};

    use super::super::fold::Rejected;
    use super::super::grant::{Acceptance, Ground, Mitigation};
    use super::super::phase::Phase;
    use super::super::standing::Authority;
    use super::super::terms::Seat;
    use super::*;
    use crate::plan::{Action, Plan, PlanAsk, PlanSite};

    const ID: &str = "CVE-2021-44228";
    const END: i64 = 1_000 + 900;

    fn site(name: &str) -> GateKey {
        GateKey::new(name).unwrap()
    }

    fn exempted(expires: i64) -> Entry {
        let [proposer, approver, reason] = ["Anne", "Zoe", "needed"].map(str::to_owned);
        let ground = Ground::Acceptance(Acceptance { proposer, approver, reason, expires });
        Entry::Exempted { site: site("a"), ground, witness: None }
    }

    fn plan() -> Plan {
        let ask = PlanAsk {
            incident: ID.into(),
            action: Action::Dark,
            part: None,
            reason: "test".into(),
            advisory_revision: Digest::default(),
            policy: Digest::default(),
            proposer: "Anne".into(),
            created: 1_000,
        };
        let one = PlanSite {
            site: site("b"),
            edge: "east".into(),
            verdict: "affected".into(),
            criticality: 2,
            org: "town".into(),
            names: Vec::new(),
        };
        Plan::new(ask, vec![one], Vec::new())
    }

    fn approved() -> Entry {
        let plan = plan().hash().unwrap();
        Entry::PlanApproved { plan, seat: Seat::Second, by: "Zoe".into(), proof: None }
    }

    fn agreed(proposed: &str) -> Entry {
        let proposer = proposed.to_owned();
        let reason = "needed".to_owned();
        let (site, witness) = (site("c"), None);
        Entry::AcceptanceProposed { site, proposer, reason, expires: END, witness }
    }

    /// Everything that has an end, given at 1000 and over at [`END`].
    fn signed() -> Ledger {
        let mut ledger = Ledger::new(1);
        let texts = ["rule", "order", "law", "Anne", "Zoe"].map(str::to_owned);
        let [name, order, legal_basis, proposer, approver] = texts;
        let authority = Authority {
            name,
            score_min: 90,
            known_exploited: false,
            sites_max: 10,
            vital: false,
            order,
            legal_basis,
            proposer,
            approver,
            expires: END,
        };
        let opened = Entry::Opened {
            question: ID.into(),
            title: String::new(),
            revision: Digest([2; 32]),
            statements: Digest::default(),
            policy: "test".into(),
        };
        let plan = Box::new(plan());
        let seats = vec![Seat::Operator, Seat::Second];
        for (id, entry) in [
            (ID, opened),
            (ID, exempted(END)),
            (ID, agreed("Anne")),
            (ID, Entry::PlanProposed { plan, seats, seat: Some(Seat::Operator), proof: None }),
            ("", Entry::AuthorityGranted { authority }),
        ] {
            ledger.apply(id, &entry, 1_000).unwrap();
        }
        ledger
    }

    fn passed(ledger: &mut Ledger, at: i64) {
        let entry = Entry::CanaryTried { edge: "east".into(), passed: true, what: String::new() };
        ledger.apply("", &entry, at).unwrap();
    }

    /// What of it is good: the exemption, what was asked, the plan, the authority.
    fn good(ledger: &Ledger, now: i64) -> [bool; 4] {
        let incident = ledger.incident(ID).unwrap();
        let is_in_force = |it: &&Authority| now < it.expires && !ledger.is_authority_over(it);
        let authority = ledger.authority("rule").filter(is_in_force);
        let action = ledger.actions().newest().next().unwrap();
        let is_signed = incident.permits(&site("a"), now);
        [
            is_signed,
            incident.proposed(&site("c")).is_some(),
            action.is_open(now),
            authority.is_some(),
        ]
    }

    /// Goal: nothing that was over is good again when the clock is set back, and what is signed
    /// from then on is good. Method: a record after the end, and a clock that shows a time before.
    #[test]
    fn what_was_over_stays_so_and_people_may_sign_again() {
        let mut ledger = signed();
        assert_eq!(good(&ledger, 1_500), [true; 4]);
        passed(&mut ledger, END);
        assert_eq!(ledger.owed_clock(END + 1), None);
        let owed = ledger.owed_clock(1_500).unwrap();
        assert_eq!(owed, Entry::ClockSetBack { from: END });
        assert!(!ledger.permits(&site("nobody"), 1_500), "nothing opens before it is written");
        let body = owed.to_body().unwrap();
        assert_eq!(Entry::from_body(&body).unwrap(), owed);
        ledger.apply("", &owed, 1_500).unwrap();
        assert_eq!(ledger.owed_clock(1_400), None, "once is enough");
        assert_eq!(good(&ledger, 1_500), [false; 4]);
        ledger.apply(ID, &approved(), 1_500).unwrap_err();
        assert_eq!(ledger.incident(ID).unwrap().ended(1_500), [site("a")], "it goes dark");
        ledger.apply(ID, &Entry::Lapsed { sites: vec![site("a")] }, 1_501).unwrap();
        assert_eq!(
            ledger.incident(ID).unwrap().case(&site("a")).unwrap().phase,
            Phase::DarkRequested
        );
        // The time of before does not stand in the way of what is signed now.
        ledger.apply(ID, &agreed("Anne"), 1_502).unwrap();
        assert_eq!(ledger.owed_clock(1_503), None);
        assert_eq!(good(&ledger, 1_503), [false, true, false, false]);
    }

    /// Goal: what is not over ends at its own time. Method: a clock that is set back by less.
    #[test]
    fn a_clock_that_is_set_back_before_the_end_ends_nothing() {
        let mut ledger = signed();
        passed(&mut ledger, END - 1);
        assert_eq!(ledger.owed_clock(1_500), None);
        passed(&mut ledger, 1_500);
        assert_eq!(good(&ledger, 1_500), [true; 4]);
        assert_eq!(good(&ledger, END), [false, true, false, false], "whoever agrees is refused");
    }

    /// Goal: journals of before are read as they were written. Method: the clock went back in one,
    /// and nobody wrote so; what was signed is good, as it was then.
    #[test]
    fn a_journal_of_before_is_read_as_it_was_written() {
        let mut ledger = signed();
        passed(&mut ledger, END + 100);
        passed(&mut ledger, 1_500);
        assert_eq!(ledger.owed_clock(1_501), None);
        assert_eq!(good(&ledger, 1_501), [true; 4]);
        ledger.apply(ID, &approved(), 1_501).unwrap();
    }

    /// Goal: an approval that was given beforehand and ended is not given again by the unchanged
    /// policy, and one with another end is. Method: the same entry after the clock was set back.
    #[test]
    fn what_was_given_beforehand_is_given_anew_only_with_another_end() {
        let mut ledger = signed();
        let given = ledger.authority("rule").cloned().unwrap();
        passed(&mut ledger, END);
        let owed = ledger.owed_clock(1_500).unwrap();
        ledger.apply("", &owed, 1_500).unwrap();
        assert_eq!(ledger.authority("rule"), Some(&given), "it is known, and over");
        let plan = plan().hash().unwrap();
        let used = || Entry::AuthorityUsed { plan, name: "rule".into() };
        let none = Rejected("no such authority is in force");
        assert_eq!(ledger.apply(ID, &used(), 1_501), Err(none.clone()));
        let entry = Entry::AuthorityGranted { authority: given.clone() };
        ledger.apply("", &entry, 1_501).unwrap_err();
        let authority = Authority { expires: END + 1, ..given };
        ledger.apply("", &Entry::AuthorityGranted { authority }, 1_501).unwrap();
        assert_ne!(ledger.apply(ID, &used(), 1_501), Err(none));
    }

    fn read(made_at: i64, revision: u8) -> Entry {
        let evidence = super::super::evidence::tests::clear("a", 1, revision);
        let evidence = Evidence { made_at, expires_at: made_at + 900, ..evidence };
        Entry::EvidenceAttached { evidence }
    }

    fn may_open(ledger: &Ledger, now: i64) -> bool {
        ledger.incident(ID).unwrap().may_open(&site("a"), now)
    }

    /// Goal: evidence that was over opens nothing when the clock is set back: not as it is known,
    /// not as the same inventory makes it anew, and not in an incident that is opened later; what
    /// is scanned from then on opens. Method: a dark site that is clear, a record after the end of
    /// that, and a clock that shows a time before; at last one from before the scan.
    #[test]
    fn evidence_that_was_over_stays_so_and_a_new_scan_opens() {
        let opened = |question: &str| Entry::Opened {
            question: question.into(),
            title: String::new(),
            revision: Digest([2; 32]),
            statements: Digest::default(),
            policy: "test".into(),
        };
        let mut ledger = Ledger::new(1);
        ledger.apply(ID, &opened(ID), 1_000).unwrap();
        ledger.apply(ID, &read(1_000, 2), 1_000).unwrap();
        assert!(may_open(&ledger, 1_500));
        passed(&mut ledger, END);
        let owed = ledger.owed_clock(1_500).unwrap();
        ledger.apply("", &owed, 1_500).unwrap();
        assert!(!may_open(&ledger, 1_500));
        assert_eq!(ledger.owed_clock(1_400), None, "once is enough");
        ledger.apply(ID, &read(1_000, 2), 1_501).unwrap();
        assert!(!may_open(&ledger, 1_501), "the same inventory");
        ledger.apply("later", &opened(ID), 1_502).unwrap();
        ledger.apply("later", &read(1_000, 2), 1_502).unwrap();
        assert!(!ledger.incident("later").unwrap().may_open(&site("a"), 1_502));
        ledger.apply(ID, &read(1_503, 2), 1_503).unwrap();
        assert!(may_open(&ledger, 1_503));
        passed(&mut ledger, 1_503 + 900);
        let owed = ledger.owed_clock(1_400).unwrap();
        ledger.apply("", &owed, 1_400).unwrap();
        assert!(!may_open(&ledger, 1_503), "when its hour comes again");
        ledger.apply(ID, &read(1_504, 2), 1_504).unwrap();
        assert!(may_open(&ledger, 1_504));
    }

    /// What a clock that is set back again and again leaves has a bound, and nothing is forgotten.
    #[test]
    fn many_times_are_told_apart_up_to_a_bound() {
        let mut ledger = signed();
        ledger.apply(ID, &read(1_000, 2), 1_000).unwrap();
        for step in 0..40 {
            let back = SetBack { at: 1_000 + step, from: 9_000 - step };
            ledger.set_back_by(back);
        }
        assert_eq!(ledger.set_back.len(), SET_BACK_MAX);
        assert!(ledger.set_back.iter().any(|it| it.covers(&SetBack { at: 1_000, from: 9_000 })));
        ledger.set_back_by(SetBack { at: 5_000, from: 9_001 });
        assert_eq!(ledger.set_back.len(), 1, "what went further is all of them");
    }

    /// A control that is over holds no site, and another one may stand in front of it.
    #[test]
    fn a_control_that_was_over_is_none_and_another_one_is() {
        let affected = |made_at: i64| {
            let evidence = super::super::evidence::tests::clear("a", 1, 2);
            let verdict = relight_model::Verdict::Affected;
            let expires_at = made_at + 90_000;
            let evidence =
                super::super::evidence::Evidence { verdict, made_at, expires_at, ..evidence };
            Entry::EvidenceAttached { evidence }
        };
        let control = |expires: i64| {
            let [control, place, owner] = ["rule 7", "edge east", "Carole"].map(str::to_owned);
            let (replayed, blocked) = (20, 20);
            let mitigation = Mitigation { control, place, owner, replayed, blocked, expires };
            Entry::Mitigated { site: site("a"), mitigation }
        };
        let accepted = || {
            let Entry::Exempted { ground: Ground::Acceptance(acceptance), .. } = exempted(END + 9)
            else {
                return Entry::Closed { current: true };
            };
            Entry::AcceptanceSigned { site: site("a"), acceptance, witness: None, weighed: true }
        };
        let mut ledger = signed();
        let mut say = |entry: Entry, at: i64| ledger.apply(ID, &entry, at).map_err(|why| why.0);
        say(affected(1_000), 1_000).unwrap();
        say(control(END), 1_000).unwrap();
        say(Entry::ClockSetBack { from: END }, 1_500).unwrap();
        assert_eq!(say(accepted(), 1_500), Err("the control is over"));
        say(Entry::Lapsed { sites: vec![site("a")] }, 1_500).unwrap();
        say(control(END), 1_501).unwrap();
        say(accepted(), 1_502).unwrap();
        assert!(ledger.incident(ID).unwrap().may_open(&site("a"), 1_503));
    }

    /// Goal: a control that is over stands in the way of no site that has none. Method: other
    /// files are in service, nobody can read them, and two people sign.
    #[test]
    fn a_control_that_is_gone_is_not_asked_for() {
        let mut ledger = signed();
        let mut say = |entry: Entry, at: i64| ledger.apply(ID, &entry, at).map_err(|why| why.0);
        let evidence = |verdict, files, made_at| {
            let evidence = super::super::evidence::tests::clear("d", files, 2);
            Entry::EvidenceAttached { evidence: Evidence { verdict, made_at, ..evidence } }
        };
        let [control, place, owner] = ["rule 7", "edge east", "Carole"].map(str::to_owned);
        let (replayed, blocked, expires) = (20, 20, END);
        let mitigation = Mitigation { control, place, owner, replayed, blocked, expires };
        let accepted = || {
            let [proposer, approver, reason] = ["Anne", "Zoe", "needed"].map(str::to_owned);
            let acceptance = Acceptance { proposer, approver, reason, expires: END + 9 };
            Entry::AcceptanceSigned { site: site("d"), acceptance, witness: None, weighed: true }
        };
        say(evidence(relight_model::Verdict::Affected, 1, 1_000), 1_000).unwrap();
        say(Entry::Mitigated { site: site("d"), mitigation }, 1_000).unwrap();
        say(accepted(), 1_001).unwrap();
        say(Entry::ClockSetBack { from: END }, 1_500).unwrap();
        say(Entry::Deployed { site: site("d"), digest: Digest([2; 32]) }, 1_501).unwrap();
        say(evidence(relight_model::Verdict::Unknown, 2, 1_502), 1_502).unwrap();
        say(accepted(), 1_503).unwrap();
    }
}
