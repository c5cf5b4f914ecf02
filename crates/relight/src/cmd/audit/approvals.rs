//! Approvals in a journal: whether what a passkey signed for each of them is over its plan. The
//! entries are enough; neither server nor database is asked.

use std::collections::BTreeSet;

use relight_engine::incident::{Acceptance, Entry, Ground, Proof, Witness};
use relight_engine::store::JournalRecord;
use relight_model::{Digest, GateKey};
use relight_server::proof::{self, Signing};
use serde::Serialize;

/// Entries that hold a signature, or the key for one.
const LOOKED_AT: [&str; 7] = [
    "plan-proposed",
    "plan-approved",
    "break-glass",
    "acceptance-proposed",
    "acceptance-signed",
    "exempted",
    "access",
];

/// Acts that register the key that they name.
const REGISTERS: [&str; 3] = ["account-added", "key-added", "link-used"];

/// Acts after which the keys of an account are those of nobody.
const FORGETS: [&str; 2] = ["account-ended", "account-renewed"];

/// What was found so far, entry by entry.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    counts: Counts,
    /// The first approval whose signature is not what it says.
    fault: Option<u64>,
    /// Accounts with the public keys that the journal names.
    keys: BTreeSet<(String, String)>,
}

/// How many approvals there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// With a signature of a passkey over their plan.
    pub(super) signed: u64,
    /// Of these: by a key that an entry before registers for who approved.
    pub(super) registered: u64,
    /// Without a signature.
    pub(super) unsigned: u64,
}

impl Approvals {
    /// Looks at the next entry. One that cannot be read is a fault of the journal, not of an
    /// approval.
    pub(super) fn look(&mut self, record: &JournalRecord) {
        if !LOOKED_AT.contains(&record.kind.as_str()) {
            return;
        }
        match Entry::from_body(&record.body) {
            Ok(Entry::PlanApproved { plan, by, proof: Some(signed), .. }) => {
                self.judge(record.seq, Signing::Approval, &plan, (by, &signed));
            }
            Ok(Entry::PlanProposed { plan, proof: Some(signed), .. }) => {
                let hash = plan.hash().unwrap_or_default();
                self.judge(record.seq, Signing::Proposal, &hash, (plan.proposer, &signed));
            }
            Ok(Entry::BreakGlass { plan, by, proof: Some(signed), .. }) => {
                self.judge(record.seq, Signing::BrokenGlass, &plan, (by, &signed));
            }
            Ok(Entry::AcceptanceProposed {
                site,
                proposer,
                reason,
                expires,
                witness: Some(witness),
            }) => {
                let approver = String::new();
                let asked = Acceptance { proposer, approver, reason, expires };
                let by = asked.proposer.clone();
                self.witness((record, Signing::AcceptanceAsked), (&site, &asked), (by, &witness));
            }
            Ok(
                Entry::AcceptanceSigned { site, acceptance, witness: Some(witness), .. }
                | Entry::Exempted {
                    site,
                    ground: Ground::Acceptance(acceptance),
                    witness: Some(witness),
                },
            ) => {
                let (by, signing) = (acceptance.approver.clone(), Signing::AcceptanceAgreed);
                self.witness((record, signing), (&site, &acceptance), (by, &witness));
            }
            Ok(
                Entry::PlanApproved { proof: None, .. }
                | Entry::AcceptanceSigned { witness: None, .. }
                | Entry::Exempted { ground: Ground::Acceptance(_), witness: None, .. },
            ) => self.counts.unsigned += 1,
            Ok(Entry::Access { act, account, facts }) => {
                if FORGETS.contains(&act.as_str()) {
                    self.keys.retain(|(held, _)| *held != account);
                }
                if let (true, Some(key)) =
                    (REGISTERS.contains(&act.as_str()), facts.get("public-key"))
                {
                    self.keys.insert((account, key.clone()));
                }
            }
            _ => {}
        }
    }

    /// The same for an acceptance: what is signed is in the entry, beside the signature.
    fn witness(
        &mut self,
        (record, signing): (&JournalRecord, Signing),
        (site, acceptance): (&GateKey, &Acceptance),
        (by, witness): (String, &Witness),
    ) {
        let about = (record.incident.as_str(), site);
        let terms = acceptance.terms(about, &witness.about).unwrap_or_default();
        self.judge(record.seq, signing, &terms, (by, &witness.proof));
    }

    fn judge(&mut self, seq: u64, signing: Signing, plan: &Digest, (by, signed): (String, &Proof)) {
        let is_good = proof::check(signed, signing, plan).is_ok();
        if !is_good || self.is_foreign(&by, &signed.key) {
            self.fault = self.fault.or(Some(seq));
            return;
        }
        self.counts.signed += 1;
        self.counts.registered += u64::from(self.keys.contains(&(by, signed.key.clone())));
    }

    /// Whether a key was registered for somebody else only.
    fn is_foreign(&self, by: &str, key: &str) -> bool {
        let mut holders = self.keys.iter().filter(|(_, held)| held == key).peekable();
        holders.peek().is_some() && holders.all(|(account, _)| account != by)
    }

    /// How many there are, or the number of the first entry that is not what it says.
    pub(super) fn end(self) -> Result<Counts, u64> {
        self.fault.map_or(Ok(self.counts), Err)
    }
}

#[cfg(test)]
mod tests {
    use relight_engine::incident::Seat;
    use relight_engine::plan::{Action, Plan, PlanAsk};
    use serde_json::{Value, json};

    use super::*;

    fn record(seq: u64, entry: &Entry) -> JournalRecord {
        let kind = match entry {
            Entry::PlanProposed { .. } => "plan-proposed",
            Entry::PlanApproved { .. } => "plan-approved",
            Entry::BreakGlass { .. } => "break-glass",
            Entry::Access { .. } => "access",
            Entry::AcceptanceProposed { .. } => "acceptance-proposed",
            Entry::AcceptanceSigned { .. } => "acceptance-signed",
            Entry::Exempted { .. } => "exempted",
            _ => "other",
        };
        JournalRecord {
            seq,
            time: 7,
            actor: "zoe".into(),
            kind: kind.into(),
            incident: String::new(),
            body: entry.to_body().unwrap(),
            prev: Digest::default(),
            hash: Digest::default(),
        }
    }

    fn proof() -> Proof {
        serde_json::from_str(include_str!("../../../../relight-server/fixtures/approval.json"))
            .unwrap()
    }

    /// The plan that the fixture signs.
    const PLAN: Digest = Digest([7; 32]);

    fn approved(by: &str, plan: Digest, proof: Option<Proof>) -> Entry {
        let proof = proof.map(Box::new);
        Entry::PlanApproved { plan, seat: Seat::Second, by: by.into(), proof }
    }

    fn proposed(proof: Option<Proof>) -> Entry {
        let ask = PlanAsk {
            incident: "CVE-2021-44228".into(),
            action: Action::Dark,
            part: None,
            reason: "fire".into(),
            advisory_revision: Digest::default(),
            policy: Digest::default(),
            proposer: "zoe".into(),
            created: 1,
        };
        let plan = Box::new(Plan::new(ask, Vec::new(), Vec::new()));
        let seats = vec![Seat::Operator, Seat::Second];
        let (seat, proof) = (Some(Seat::Operator), proof.map(Box::new));
        Entry::PlanProposed { plan, seats, seat, proof }
    }

    fn glass(by: &str, proof: Option<Proof>) -> Entry {
        let (reason, proof) = ("fire".into(), proof.map(Box::new));
        Entry::BreakGlass { plan: PLAN, reason, by: by.into(), proof }
    }

    fn access(act: &str, account: &str, key: &str) -> Entry {
        let facts = [("public-key".to_owned(), key.to_owned())].into();
        Entry::Access { act: act.into(), account: account.into(), facts }
    }

    fn judged(entries: &[Entry]) -> Result<(u64, u64, u64), u64> {
        let mut approvals = Approvals::default();
        (1..).zip(entries).for_each(|(seq, entry)| approvals.look(&record(seq, entry)));
        approvals.end().map(|it| (it.signed, it.registered, it.unsigned))
    }

    #[test]
    fn a_signature_counts_over_its_plan_and_for_its_person_only() {
        let (good, key) = (|| approved("zoe", PLAN, Some(proof())), proof().key);
        let registers = |account: &str| access("key-added", account, &key);
        for (entries, wanted) in [
            (vec![], Ok((0, 0, 0))),
            (vec![good()], Ok((1, 0, 0))),
            (vec![registers("zoe"), good(), approved("anna", PLAN, None)], Ok((1, 1, 1))),
            (vec![registers("zoe"), access("account-renewed", "zoe", ""), good()], Ok((1, 0, 0))),
            (vec![access("signed-in", "zoe", &key), good()], Ok((1, 0, 0))),
            (vec![good(), registers("zoe")], Ok((1, 0, 0))),
            (vec![registers("anna"), good()], Err(2)),
            (vec![registers("anna"), registers("zoe"), good()], Ok((1, 1, 0))),
            (vec![good(), approved("zoe", Digest([8; 32]), Some(proof())), good()], Err(2)),
            (vec![glass("zoe", Some(proof()))], Err(1)),
            (vec![glass("zoe", None)], Ok((0, 0, 0))),
            // What is signed to agree proposes nothing.
            (vec![proposed(Some(proof()))], Err(1)),
            (vec![proposed(None)], Ok((0, 0, 0))),
        ] {
            assert_eq!(judged(&entries), wanted, "{entries:?}");
        }
    }

    /// Goal: an acceptance is judged by its entry alone. Method: a request and an agreement that a
    /// console journalled; each of their facts is changed in turn.
    #[test]
    fn what_stands_beside_an_acceptance_is_judged() {
        let text = include_str!("../../../../relight-server/fixtures/acceptance.json");
        let [asked, agreed]: [Value; 2] = serde_json::from_str(text).unwrap();
        let acceptance = agreed["ground"]["acceptance"].clone();
        let witness = agreed["witness"].clone();
        let dark = json!({
            "kind": "acceptance-signed",
            "site": "care",
            "acceptance": acceptance,
            "witness": witness,
        });
        let judged = |body: &Value, incident: &str| {
            let entry = Entry::from_body(&body.to_string()).unwrap();
            let mut approvals = Approvals::default();
            approvals.look(&JournalRecord { incident: incident.into(), ..record(1, &entry) });
            approvals.end().map(|it| (it.signed, it.unsigned))
        };
        let id = "CVE-2021-44228";
        for (entry, facts) in
            [(&asked, ""), (&agreed, "/ground/acceptance"), (&dark, "/acceptance")]
        {
            assert_eq!(judged(entry, id), Ok((1, 0)), "{entry}");
            assert_eq!(judged(entry, "CVE-2021-45046"), Err(1), "{entry}");
            let facts = ["reason", "proposer", "expires"].map(|it| format!("{facts}/{it}"));
            let about = "/witness/about".to_owned();
            for at in facts.into_iter().chain(["/site".to_owned(), about]) {
                let mut changed = entry.clone();
                let value = changed.pointer_mut(&at).unwrap();
                *value = match value {
                    Value::Number(_) => json!(1_800_172_801),
                    _ if at == "/witness/about" => json!("00".repeat(32)),
                    _ => json!("other"),
                };
                assert_eq!(judged(&changed, id), Err(1), "{at} {changed}");
            }
            let mut bare = entry.clone();
            drop(bare.as_object_mut().unwrap().remove("witness"));
            let unsigned = u64::from(entry != &asked);
            assert_eq!(judged(&bare, id), Ok((0, unsigned)), "{bare}");
        }
    }
}
