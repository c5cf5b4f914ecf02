//! What is said of a site, by what is known of it.

use relight_model::{Coverage, InventoryState, SiteId};

use super::*;

const OLD: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
const NEW: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1";

fn clear() -> Answer {
    let state = InventoryState { confirmed: Some(1), ..InventoryState::default() };
    Answer::Clear(Coverage::of(&[state], 1, 1).unwrap())
}

/// What is said: the status, the justification, how many components and how many reasons.
fn said(
    answer: Answer,
    reasons: &[UnknownReason],
    found: &[(FindingState, &str)],
    known: (&[&str], bool),
) -> Vec<(&'static str, Option<&'static str>, Vec<String>, usize)> {
    let (reasons, places) = (reasons.to_vec(), Vec::new());
    let answer = SiteAnswer { site: SiteId(1), answer, reasons, found: Vec::new(), places };
    said_of(answer, found, known)
}

/// As [`said`], of an answer that may name files.
fn said_of(
    answer: SiteAnswer,
    found: &[(FindingState, &str)],
    (held, is_fixed): (&[&str], bool),
) -> Vec<(&'static str, Option<&'static str>, Vec<String>, usize)> {
    let found = found.iter().map(|(state, purl)| (*state, (*purl).to_owned())).collect();
    let held = held.iter().map(|purl| (*purl).to_owned()).collect();
    let all = statements(Known { answer, found, held, is_fixed });
    all.into_iter()
        .map(|it| (it.status.as_str(), it.justification, it.components, it.reasons.len()))
        .collect()
}

#[test]
fn what_is_affected_says_which_components_are() {
    let both = [(FindingState::Affected, OLD), (FindingState::Mitigated, NEW)];
    let only = |purl: &str| vec![purl.to_owned()];
    assert_eq!(
        said(Answer::Affected, &[], &both, (&[OLD, NEW], false)),
        [("affected", None, only(OLD), 0), ("mitigated", None, only(NEW), 0)]
    );
    // A mitigation alone is said as such, and a fix that was verified before changes nothing.
    assert_eq!(
        said(Answer::Affected, &[], &both[1..], (&[NEW], true)),
        [("mitigated", None, only(NEW), 0)]
    );
    // Files of the flaw that no component names: all of the site is.
    assert_eq!(said(Answer::Affected, &[], &[], (&[], false)), [("affected", None, Vec::new(), 0)]);
    let doubtful = [(FindingState::Affected, OLD), (FindingState::PossibleMatch, NEW)];
    assert_eq!(
        said(Answer::Affected, &[UnknownReason::PossibleMatch], &doubtful, (&[], false)),
        [("affected", None, only(OLD), 0), ("under-investigation", None, only(NEW), 1)]
    );
}

/// Whatever was found besides: a file of the flaw that no component names is no less affected.
#[test]
fn files_without_a_name_are_limited_to_no_component() {
    let (affected, mitigated) = ((FindingState::Affected, OLD), (FindingState::Mitigated, NEW));
    for (found, more) in [
        (&[][..], false),
        (&[affected][..], false),
        (&[mitigated], true),
        (&[affected, mitigated], true),
    ] {
        let places = vec!["srv/x.jar".to_owned()];
        let (reasons, nothing) = (Vec::new(), Vec::new());
        let answer = Answer::Affected;
        let answer = SiteAnswer { site: SiteId(1), answer, reasons, found: nothing, places };
        let mut wanted = vec![("affected", None, Vec::new(), 0)];
        if more {
            wanted.push(("mitigated", None, vec![NEW.to_owned()], 0));
        }
        assert_eq!(said_of(answer, found, (&[OLD, NEW], false)), wanted, "{found:?}");
    }
}

/// Whatever else is known: no reason to doubt, and no site that is unknown, is ever said to be
/// clear.
#[test]
fn what_is_unknown_is_being_looked_into() {
    for reason in UnknownReason::ALL {
        for (held, is_fixed) in [(&[][..], false), (&[NEW][..], false), (&[NEW][..], true)] {
            assert_eq!(
                said(Answer::Unknown(reason), &[reason], &[], (held, is_fixed)),
                [("under-investigation", None, Vec::new(), 1)],
                "{reason:?}"
            );
        }
    }
}

#[test]
fn what_is_clear_says_why() {
    let held = [NEW];
    for (held, is_fixed, wanted) in [
        (&[][..], false, ("not-affected", Some("component_not_present"), vec![], 0)),
        (
            &held[..],
            false,
            ("not-affected", Some("vulnerable_code_not_present"), vec![NEW.to_owned()], 0),
        ),
        (&held[..], true, ("fixed", None, vec![NEW.to_owned()], 0)),
    ] {
        assert_eq!(said(clear(), &[], &[], (held, is_fixed)), [wanted]);
    }
}
