//! What a record of the journal says, in a sentence: only what stands in the record itself, because
//! what a record meant in its time is decided by those before it.

use relight_engine::incident::{Compromise, Entry, first_named};
use relight_model::{GateKey, Light, Verdict};
use relight_web::number::stamp_to_the_second;
use relight_web::{Lang, texts, words};

/// Sites that a sentence names; of more it says how many.
const NAMED_MAX: usize = 3;

/// The sentence of an entry; empty where there is none, and its own words stand for it.
pub(super) fn sentence(lang: Lang, incident: &str, entry: &Entry) -> String {
    let line = |code: &str, args: &[&str]| {
        let args: Vec<String> = args.iter().map(|it| (*it).to_owned()).collect();
        texts::log_line(lang, code, &args)
    };
    let count = |code: &str, sites: &[GateKey]| line(code, &[&sites.len().to_string()]);
    match entry {
        Entry::Opened { title, .. } => line("log-incident-opened", &[incident, title]),
        Entry::Closed { .. } => line("log-incident-closed", &[incident]),
        Entry::DarkOrdered { sites, .. } => count("log-dark-ordered", sites),
        Entry::Proved { sites, light: Light::Dark, .. } => {
            texts::audit_dark(lang, sites.len(), &named(sites))
        }
        Entry::Proved { sites, light: Light::Lit, .. } => match sites.as_slice() {
            [site] => line("log-relit", &[site.as_str()]),
            sites => count("log-relit-many", sites),
        },
        Entry::EdgeFailed { sites, why, edge } => {
            texts::audit_failed(lang, sites.len(), edge, &named(sites), words::trouble(lang, why))
        }
        Entry::LedPast { edge, site, spelling } => {
            texts::audit_led_past(lang, edge, site.as_str(), spelling)
        }
        Entry::Drifted { sites, edge, since: Some(since), .. } => {
            let since = stamp_to_the_second(lang, *since);
            texts::audit_unseen(lang, sites.len(), edge, &since, &named(sites))
        }
        Entry::EvidenceAttached { evidence } => {
            let site = evidence.site.as_str();
            match evidence.verdict {
                Verdict::Clear => line("log-clear", &[site]),
                Verdict::Affected => {
                    let found = evidence.found.first().map_or("", String::as_str);
                    line("log-affected", &[found, site])
                }
                Verdict::Unknown => {
                    let reason = evidence.reasons.first();
                    let why = reason.map_or("", |reason| words::reason(lang, *reason));
                    texts::audit_unknown(lang, site, why)
                }
            }
        }
        Entry::FixStarted { site, .. } => line("log-fixing", &[site.as_str()]),
        Entry::Deployed { site, .. } => texts::audit_deployed(lang, site.as_str()),
        Entry::VerificationStarted { site } => texts::audit_verifying(lang, site.as_str()),
        Entry::Verified { site, functional, compromise, .. } => {
            let signs = match compromise {
                Compromise::NoSigns => texts::act_signs_none(lang),
                Compromise::Signs => texts::act_signs_seen(lang),
                Compromise::Unknown => texts::act_signs_unknown(lang),
            };
            let said = if *functional { texts::audit_verified } else { texts::audit_verified_not };
            said(lang, signs, site.as_str())
        }
        Entry::RelightStarted { site, .. } => texts::audit_relight(lang, site.as_str()),
        Entry::HeldBack { sites, .. } => count("log-held-back", sites),
        Entry::BreakGlass { reason, by, .. } => line("log-break-glass", &[by, reason]),
        Entry::GlassReviewed { by, .. } => line("log-glass-reviewed", &[by]),
        Entry::UpdatePublished { by, .. } => line("log-update-published", &[by]),
        Entry::Restored { .. } => line("log-restored", &[]),
        Entry::ClockSetBack { .. } => line("log-clock-set-back", &[]),
        _ => String::new(),
    }
}

/// The first of them.
fn named(sites: &[GateKey]) -> String {
    first_named(sites, NAMED_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CLOSED: Entry = Entry::Closed { current: true };

    fn keys(count: usize) -> Vec<GateKey> {
        (1..=count).map(|at| GateKey::new(&format!("san-{at:03}")).unwrap()).collect()
    }

    fn said(entry: &Entry) -> [String; 2] {
        [Lang::En, Lang::Fr].map(|lang| sentence(lang, "CVE-1", entry))
    }

    #[test]
    fn a_record_says_in_words_what_stands_in_it() {
        // As the journal has it.
        let proved = |count, light| -> Entry {
            let sites = keys(count);
            let sites: Vec<_> = sites.iter().map(GateKey::as_str).collect();
            let body = json!({
                "kind": "proved", "sites": sites, "light": light, "edge": "north", "epoch": "1-2",
            });
            serde_json::from_value(body).unwrap()
        };
        let failed =
            Entry::EdgeFailed { sites: keys(1), edge: "north".into(), why: "unreachable".into() };
        let (sites, edge, what) = (keys(2), "north".into(), "proof-expired".into());
        let unseen = Entry::Drifted { sites, edge, what, since: Some(1_639_240_205) };
        for (entry, english, french) in [
            (
                unseen,
                "Nobody looked at north from 2021-12-11 16:30:05 UTC on: 2 sites were proven dark \
                 no more: san-001, san-002",
                "Personne n’a regardé north à partir du 2021-12-11 16\u{a0}h\u{a0}30\u{a0}min\
                 \u{a0}05\u{a0}s UTC\u{a0}: l’extinction de 2 sites n’était plus prouvée\u{a0}: \
                 san-001, san-002",
            ),
            (
                Entry::VerificationStarted { site: keys(1).remove(0) },
                "san-001: the fix is being verified",
                "san-001\u{a0}: le correctif est en vérification",
            ),
            (
                Entry::Verified {
                    site: keys(1).remove(0),
                    functional: false,
                    compromise: Compromise::Unknown,
                    vital: false,
                    evidence: None,
                    checks: None,
                },
                "san-001: what was asked behind the gate was not answered; signs of compromise: \
                 not known",
                "san-001\u{a0}: la réponse derrière la barrière n’était pas celle attendue; \
                 signes de compromission\u{a0}: pas connus",
            ),
            (CLOSED, "Incident closed: CVE-1", "Incident fermé\u{a0}: CVE-1"),
            (
                serde_json::from_value(json!({"kind": "restored", "epoch": "4-700"})).unwrap(),
                "The register came back from an older copy: what was known opens nothing; scan \
                 all sites",
                "Le registre vient d’une copie plus ancienne\u{a0}: ce qui était su n’ouvre rien; \
                 analysez tous les sites",
            ),
            (
                proved(1, "dark"),
                "Dark proven for 1 site: san-001",
                "Extinction prouvée pour 1 site\u{a0}: san-001",
            ),
            (
                proved(4, "dark"),
                "Dark proven for 4 sites: san-001, san-002, san-003, …",
                "Extinction prouvée pour 4 sites\u{a0}: san-001, san-002, san-003, …",
            ),
            (proved(1, "lit"), "san-001 is lit again", "san-001 est rallumé"),
            (
                failed,
                "1 site not as wanted at north, the edge does not answer: san-001",
                "1 site autrement que voulu à north, le frontal ne répond pas\u{a0}: san-001",
            ),
        ] {
            assert_eq!(said(&entry), [english, french]);
        }
    }

    #[test]
    fn what_led_past_a_gate_is_said_in_words() {
        let (edge, site, spelling) = ("north".into(), keys(1).remove(0), "port: 200".into());
        let [english, french] = said(&Entry::LedPast { edge, site, spelling });
        let name = "A spelling of its name led past the closed gate of san-001 at north: port: 200";
        assert_eq!(english, name);
        let name = "Une graphie de son nom a contourné la barrière fermée de san-001 à \
                    north\u{a0}: port: 200";
        assert_eq!(french, name);
    }

    /// What is decided by more than the record is not guessed at.
    #[test]
    fn what_a_record_alone_does_not_say_is_not_said() {
        let lapsed = Entry::Lapsed { sites: keys(1) };
        assert_eq!(said(&lapsed), ["", ""]);
    }
}
