//! What new evidence makes of a case, where time or silence came between.

use relight_model::{Digest, GateKey, UnknownReason, Verdict};

use super::entry::Entry;
use super::evidence::Evidence;
use super::evidence::tests::clear;
use super::fold::Incident;
use super::grant::{Acceptance, Ground, Mitigation};
use super::phase::Phase;
use super::terms::Compromise;

const NOW: i64 = 1_000;

fn key() -> GateKey {
    GateKey::new("a").unwrap()
}

fn incident() -> Incident {
    let opened = Entry::Opened {
        question: "CVE-2021-44228".into(),
        title: "Log4Shell".into(),
        revision: Digest([2; 32]),
        statements: Digest::default(),
        policy: "demo".into(),
    };
    Incident::open(&opened, NOW, 1).unwrap()
}

/// A scan of these files under this revision.
fn attach(files: u8, revision: u8, verdict: Verdict, made_at: i64) -> Entry {
    let reasons = match verdict {
        Verdict::Unknown => vec![UnknownReason::PartialCorrupt],
        _ => Vec::new(),
    };
    let evidence = Evidence { verdict, reasons, made_at, ..clear("a", files, revision) };
    Entry::EvidenceAttached { evidence }
}

fn after(entries: &[Entry]) -> Incident {
    let mut incident = incident();
    for entry in entries {
        incident.apply(entry, NOW).unwrap_or_else(|why| panic!("{entry:?}: {why:?}"));
    }
    incident
}

fn order() -> Entry {
    Entry::DarkOrdered { plan: Digest::default(), sites: vec![key()], reason: String::new() }
}

fn phase(incident: &Incident) -> Phase {
    incident.case(&key()).unwrap().phase
}

/// Goal: a clock that was ahead refuses no bad news until it gets there. Method: a site that two
/// people answer for is scanned with other files tomorrow, by that clock, and affected now.
#[test]
fn a_clock_that_was_ahead_keeps_no_bad_news_away() {
    const DAY_S: i64 = 86_400;
    let (proposer, approver) = ("A. Tremblay".into(), "B. Roy".into());
    let (reason, expires) = ("booking".into(), NOW + 20 * DAY_S);
    let ground = Ground::Acceptance(Acceptance { proposer, approver, reason, expires });
    let mut incident = after(&[Entry::Exempted { site: key(), ground, witness: None }]);
    let ahead = attach(1, 2, Verdict::Unknown, NOW + DAY_S);
    incident.apply(&ahead, NOW + DAY_S).unwrap();
    assert_eq!(phase(&incident), Phase::Exempt, "what was signed unread is bound to these files");
    // Clear files may be those of before: what was reported since stands.
    let good = attach(3, 2, Verdict::Clear, NOW + 10);
    incident.apply(&good, NOW + 10).unwrap_err();
    let bad = attach(3, 2, Verdict::Affected, NOW + 10);
    incident.apply(&bad, NOW + 10).unwrap();
    assert_eq!(phase(&incident), Phase::Affected);
    // As ever where the clock was right.
    let mut incident = after(&[attach(1, 2, Verdict::Clear, NOW - 5)]);
    incident.apply(&attach(3, 2, Verdict::Affected, NOW - 10), NOW).unwrap_err();
}

fn mitigated() -> Vec<Entry> {
    let mitigation = Mitigation {
        control: "rule 1234".into(),
        place: "edge east".into(),
        owner: "C. Gagnon".into(),
        replayed: 20,
        blocked: 20,
        expires: NOW + 3_600,
    };
    let affected = attach(1, 2, Verdict::Affected, NOW - 50);
    vec![order(), affected, Entry::Mitigated { site: key(), mitigation }]
}

/// Safety: a flaw is not withdrawn by a revision that called the very files affected before, though
/// another one came in between. Method: the first revision comes back, and now calls them clear;
/// then one that is new does.
#[test]
fn a_revision_that_comes_back_withdraws_nothing() {
    let revised =
        |to: u8| Entry::Revised { revision: Digest([to; 32]), statements: Digest::default() };
    let mut entries = mitigated();
    entries.extend([revised(4), attach(1, 4, Verdict::Affected, NOW - 40), revised(2)]);
    entries.push(attach(1, 2, Verdict::Clear, NOW - 30));
    let mut incident = after(&entries);
    assert!(!incident.may_return(&key(), NOW), "nobody verified it");
    incident.apply(&revised(5), NOW).unwrap();
    incident.apply(&attach(1, 5, Verdict::Clear, NOW - 20), NOW).unwrap();
    assert!(incident.may_return(&key(), NOW), "the finding was withdrawn");
}

/// Safety: an affected site whose new files nobody read is no unknown one that people may answer
/// for without a control. Method: something is deployed on one that two people signed for.
#[test]
fn what_was_deployed_unread_takes_the_control_of_an_affected_site_away() {
    let mut entries = mitigated();
    entries.push(accepted());
    let mut incident = after(&entries);
    let deployed = Entry::Deployed { site: key(), digest: Digest([9; 32]) };
    incident.apply(&deployed, NOW).unwrap();
    let refused = incident.apply(&accepted(), NOW).unwrap_err();
    assert_eq!(refused.0, "an affected site needs a control in front of it");
    // A journal from before that was so is read as it was written.
    let Entry::AcceptanceSigned { site, acceptance, witness, .. } = accepted() else {
        panic!("no signature")
    };
    let older = Entry::AcceptanceSigned { site, acceptance, witness, weighed: false };
    assert!(!older.to_body().unwrap().contains("weighed"));
    incident.clone().apply(&older, NOW).unwrap();
    // As soon as they were read, and something could not be, it is an unknown one.
    incident.apply(&attach(9, 2, Verdict::Unknown, NOW), NOW).unwrap();
    incident.apply(&accepted(), NOW).unwrap();
}

/// Goal: that a site was affected is not forgotten because nothing was known of it for a while.
/// Method: one behind a control is read badly, and then other files are clear.
#[test]
fn an_affected_site_is_verified_also_where_nothing_was_known_in_between() {
    let mut entries = mitigated();
    entries.push(attach(1, 2, Verdict::Unknown, NOW - 40));
    entries.push(attach(3, 2, Verdict::Clear, NOW - 30));
    let mut incident = after(&entries);
    assert!(!incident.may_return(&key(), NOW), "whatever the journal calls it");
    // Its edge opens nothing for it: an order to relight it was not in vain.
    let ground = incident.ground(&key(), NOW).unwrap();
    incident.apply(&Entry::RelightStarted { site: key(), evidence: ground }, NOW).unwrap();
    incident
        .apply(
            &Entry::RelightStopped { sites: vec![key()], why: "unreachable".into(), unseen: false },
            NOW,
        )
        .unwrap();
    assert_eq!(incident.case(&key()).unwrap().stopped, 0);
    incident.apply(&Entry::VerificationStarted { site: key() }, NOW).unwrap();
    assert_eq!(phase(&incident), Phase::Verifying);
    let (functional, vital) = (true, false);
    let compromise = super::terms::Compromise::NoSigns;
    let (site, evidence, checks) = (key(), None, None);
    let verified = Entry::Verified { site, functional, compromise, vital, evidence, checks };
    incident.apply(&verified, NOW).unwrap();
    assert!(incident.may_return(&key(), NOW));
    // Nothing is owed twice.
    incident.apply(&Entry::VerificationStarted { site: key() }, NOW).unwrap_err();
}

/// One that was affected, whose other files two people answer for unread.
fn signed_unread() -> Incident {
    let mut entries = mitigated();
    entries.push(attach(3, 2, Verdict::Unknown, NOW - 40));
    entries.push(accepted());
    after(&entries)
}

fn accepted() -> Entry {
    let (proposer, approver) = ("A. Tremblay".into(), "B. Roy".into());
    let (reason, expires) = ("booking".into(), NOW + 3_600);
    let acceptance = Acceptance { proposer, approver, reason, expires };
    Entry::AcceptanceSigned { site: key(), acceptance, witness: None, weighed: true }
}

/// Safety: a fix that nobody verified is not opened because of what was signed before the register
/// came back from a copy. Method: those very files are read whole, and are clear.
#[test]
fn what_was_signed_before_a_copy_stands_for_no_verification() {
    let mut incident = signed_unread();
    assert!(incident.may_return(&key(), NOW), "by what was signed");
    incident.trust_after(NOW - 35);
    assert!(!incident.may_return(&key(), NOW));
    incident.apply(&attach(3, 2, Verdict::Clear, NOW - 30), NOW).unwrap();
    assert!(!incident.may_return(&key(), NOW), "nobody verified it");
    incident.apply(&Entry::VerificationStarted { site: key() }, NOW).unwrap();
    // Two people may sign again instead.
    let mut incident = signed_unread();
    incident.trust_after(NOW - 25);
    incident.apply(&attach(3, 2, Verdict::Clear, NOW - 30), NOW).unwrap();
    incident.apply(&accepted(), NOW).unwrap();
    assert!(incident.may_return(&key(), NOW));
}

/// What owes a verification is read and verified: a signature of before that is over by now makes
/// it no site that people may answer for. Method: it is read whole, and its signature ends.
#[test]
fn a_signature_that_is_over_lets_nobody_sign_for_an_unverified_fix() {
    let mut incident = signed_unread();
    incident.apply(&attach(3, 2, Verdict::Clear, NOW - 30), NOW).unwrap();
    incident.trust_after(NOW - 25);
    assert_eq!(phase(&incident), Phase::RelightEligible);
    let later = NOW + 3_600;
    let Entry::AcceptanceSigned { site, acceptance, witness, weighed } = accepted() else {
        panic!("no signature")
    };
    let acceptance = Acceptance { expires: later + 60, ..acceptance };
    let signed = Entry::AcceptanceSigned { site, acceptance, witness, weighed };
    incident.clone().apply(&signed, NOW).unwrap();
    incident.apply(&signed, later).unwrap_err();
    incident.apply(&Entry::VerificationStarted { site: key() }, later).unwrap();
}

/// Safety: a verification that did not pass is not forgotten by way of unknown, also where no
/// evidence ever called the site affected. Method: somebody sees signs in a clear site; it is read
/// in part behind a control, and then whole.
#[test]
fn a_site_in_which_somebody_saw_signs_owes_a_verification_whatever_comes_between() {
    let seen = Entry::Verified {
        site: key(),
        functional: true,
        compromise: Compromise::Signs,
        vital: false,
        evidence: None,
        checks: None,
    };
    let control = mitigated().pop().unwrap();
    let mut incident = after(&[order(), attach(1, 2, Verdict::Clear, NOW - 50), seen, control]);
    assert_eq!(phase(&incident), Phase::Mitigated);
    incident.apply(&attach(1, 2, Verdict::Unknown, NOW - 40), NOW).unwrap();
    incident.apply(&accepted(), NOW).unwrap();
    assert!(incident.may_return(&key(), NOW), "by what was signed");
    incident.apply(&attach(1, 2, Verdict::Clear, NOW - 30), NOW).unwrap();
    let later = NOW + 3_600;
    assert!(!incident.may_return(&key(), later), "nobody verified it");
    incident.apply(&Entry::VerificationStarted { site: key() }, later).unwrap();
}

#[test]
fn a_withdrawn_finding_owes_no_verification() {
    let mut entries = mitigated();
    entries.push(attach(1, 2, Verdict::Unknown, NOW - 40));
    let revision = Digest([7; 32]);
    entries.push(Entry::Revised { revision, statements: Digest::default() });
    entries.push(attach(1, 7, Verdict::Clear, NOW - 30));
    let mut incident = after(&entries);
    assert_eq!(phase(&incident), Phase::RelightEligible);
    assert!(incident.may_return(&key(), NOW));
    incident.apply(&Entry::VerificationStarted { site: key() }, NOW).unwrap_err();
}

/// Goal: on a full disk the same bad news is not journalled for each tool that reads it. Method:
/// the same again later, by another tool, and with another place.
#[test]
fn the_same_read_by_another_tool_is_no_news() {
    let of = |made_at: i64, scanner: &str, found: &str| {
        let (scanner, found) = (scanner.to_owned(), vec![found.to_owned()]);
        let inventories = vec![scanner.clone()];
        let verdict = Verdict::Affected;
        Evidence { verdict, made_at, scanner, found, inventories, ..clear("a", 1, 2) }
    };
    let known = of(NOW, "syft 1", "a.jar");
    let incident = after(&[order(), Entry::EvidenceAttached { evidence: known }]);
    let is_news = |evidence: &Evidence| {
        let weighed = incident.weighed(evidence, NOW + 10).ok();
        assert!(weighed.is_some());
        incident.is_news(evidence, weighed.as_ref())
    };
    assert!(!is_news(&of(NOW, "syft 1", "a.jar")));
    assert!(!is_news(&of(NOW, "syft 2", "a.jar")));
    assert!(is_news(&of(NOW, "syft 2", "b.jar")));
}
