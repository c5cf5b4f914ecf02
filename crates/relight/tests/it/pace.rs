//! At what pace sites come back, as `relight incident status` tells it.

use relight_engine::incident::{Entry, Evidence, EvidenceKind};
use relight_engine::matching::MATCHER_REVISION;
use relight_model::{Digest, Epoch, GateKey, Light, Timestamp, Verdict};
use serde_json::json;

use crate::journals::{LOG4SHELL, opened, write};
use crate::place::Place;

/// 10 December 2021 at 18:00 UTC.
const START: Timestamp = 1_639_159_200;

const HOUR: Timestamp = 3_600;

fn key(site: usize) -> GateKey {
    GateKey::new(&format!("pace-{site:02}")).unwrap()
}

fn proved(sites: Vec<GateKey>, light: Light) -> Entry {
    let epoch = Epoch { term: 1, seq: 1 };
    Entry::Proved { sites, light, edge: "north".into(), epoch }
}

/// What opens a site: that it is clear, the order, and the proof.
fn back(site: usize, at: Timestamp) -> [Entry; 3] {
    let evidence = Evidence {
        site: key(site),
        artifact_set: Some(Digest([7; 32])),
        advisory: LOG4SHELL.into(),
        advisory_revision: Digest::default(),
        statements_digest: Digest::default(),
        matcher_revision: MATCHER_REVISION,
        scanner: String::new(),
        verdict: Verdict::Clear,
        reasons: Vec::new(),
        found: Vec::new(),
        components: Vec::new(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: at,
        expires_at: at + HOUR,
    };
    let id = evidence.id().unwrap();
    [
        Entry::EvidenceAttached { evidence },
        Entry::RelightStarted { site: key(site), evidence: id },
        proved(vec![key(site)], Light::Lit),
    ]
}

/// Goal: the same journal gives the same numbers at any time, and who reads them long after hears
/// since when nothing came back. Method: a journal of 40 sites that went dark at once, of which two
/// come back an hour from the third hour on; entry by entry, with the times of 2021.
#[test]
fn the_pace_is_told_from_the_journal_alone() {
    let place = Place::with_sites();
    let mut csv = String::from("slug,origin,organisation\n");
    for site in 0..40 {
        csv.push_str(&format!("{},https://{}.example,Province\n", key(site), key(site)));
    }
    place.write("more.csv", csv);
    place.expect(0, &["sites", "import", "more.csv"]);
    let all: Vec<GateKey> = (0..40).map(key).collect();
    let opened = opened(Digest::default());
    let (plan, reason) = (Digest::default(), "as a precaution".into());
    let order = Entry::DarkOrdered { plan, sites: all.clone(), reason };
    let mut entries = vec![(START, opened), (START, order), (START, proved(all, Light::Dark))];
    for site in 0..24 {
        let at = START + 3 * HOUR + Timestamp::try_from(site).unwrap() * HOUR / 2;
        entries.extend(back(site, at).map(|entry| (at, entry)));
    }
    write(&place, LOG4SHELL, entries);

    let told = place.expect(0, &["incident", "status", "--json"]).json();
    let wanted = json!({
        "dark": 16,
        "peak": 40,
        "peaked": "2021-12-10T18:00:00Z",
        "last_return": "2021-12-11T08:30:00Z",
        "pace": {
            "sites_per_hour_tenths": 20,
            "none_dark": "2021-12-11T16:14:00Z",
            "soonest": "2021-12-11T13:14:14Z",
            "latest": "2021-12-12T05:32:14Z",
        },
        "december_2021": {
            "sites_per_hour_tenths": 111,
            "none_dark": "2021-12-11T09:56:26Z",
        },
    });
    assert_eq!(told["incidents"][0]["burn_down"], wanted, "{told:#}");
    for (lang, wanted) in [
        (
            "en",
            "  ↗ No site has come back since 2021-12-11 8:30 UTC; until then 2.0 an hour did. Dark \
             by their last proof: 16\n",
        ),
        (
            "fr",
            "  ↗ Aucun site n’est revenu depuis le 2021-12-11 8\u{a0}h\u{a0}30 UTC; le rythme \
             était de 2,0 par heure. Éteints selon leur dernière preuve\u{a0}: 16\n",
        ),
    ] {
        let told = place.expect(0, &["incident", "status", "--lang", lang]).stdout;
        assert!(told.contains(wanted), "{told}");
    }
}
