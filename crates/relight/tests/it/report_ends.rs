//! `relight incident report`: how each site of an incident ended, and what had been there.

use relight_engine::incident::{
    Acceptance, Baseline, Compromise, Entry, Evidence, EvidenceKind, Ground, Mitigation,
};
use relight_engine::matching::MATCHER_REVISION;
use relight_model::{Digest, Epoch, GateKey, Light, Timestamp, UnknownReason, Verdict};

use crate::journals::{LOG4SHELL, opened, write};
use crate::place::Place;

/// 10 December 2021 at 18:00 UTC.
const START: Timestamp = 1_639_159_200;

const PURL: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";

/// Site, code of what was done, that in English and in French, and whether log4j is named.
const ENDS: [(&str, &str, &str, &str, bool); 11] = [
    ("updated", "updated", "updated", "mis à jour", true),
    ("withdrawn", "not-affected-any-more", "not affected any more", "n’est plus touché", true),
    ("clear", "none-needed", "none needed", "aucune nécessaire", false),
    ("accepted", "risk-accepted", "risk accepted", "risque accepté", false),
    (
        "behind",
        "mitigated-risk-accepted",
        "mitigated, risk accepted",
        "protégé, risque accepté",
        true,
    ),
    ("control", "mitigated", "mitigated", "protégé", true),
    ("spared", "risk-accepted", "risk accepted", "risque accepté", false),
    ("exempt", "exempt", "exempt", "exempté", false),
    ("left", "left-online", "left online", "laissé en ligne", false),
    ("asked", "not-examined", "not examined", "non examiné", false),
    ("lost", "removal-not-proven", "removal not proven", "retrait non prouvé", true),
];

fn key(site: &str) -> GateKey {
    GateKey::new(site).unwrap()
}

/// What is known of a site; other files have another number.
fn evidence(site: &str, (files, revision): (u8, u8), verdict: Verdict) -> Evidence {
    let is_affected = verdict == Verdict::Affected;
    let is_unknown = verdict == Verdict::Unknown;
    Evidence {
        site: key(site),
        artifact_set: Some(Digest([files; 32])),
        advisory: LOG4SHELL.into(),
        advisory_revision: Digest([revision; 32]),
        statements_digest: Digest::default(),
        matcher_revision: MATCHER_REVISION,
        scanner: "syft 1.2.3".into(),
        verdict,
        reasons: is_unknown.then_some(UnknownReason::PartialCorrupt).into_iter().collect(),
        found: Vec::new(),
        components: is_affected.then(|| PURL.to_owned()).into_iter().collect(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: START,
        expires_at: START + 86_400,
    }
}

fn attached(evidence: &Evidence) -> Entry {
    Entry::EvidenceAttached { evidence: evidence.clone() }
}

fn proved(site: &str, light: Light) -> Entry {
    let epoch = Epoch { term: 1, seq: 1 };
    Entry::Proved { sites: vec![key(site)], light, edge: "north".into(), epoch }
}

fn acceptance() -> Acceptance {
    let (proposer, approver) = ("A. Tremblay".into(), "B. Roy".into());
    Acceptance { proposer, approver, reason: "elections".into(), expires: START + 86_400 }
}

fn signed(site: &str) -> Entry {
    let acceptance = acceptance();
    Entry::AcceptanceSigned { site: key(site), acceptance, witness: None, weighed: true }
}

fn opened_by(site: &str, evidence: Digest) -> [Entry; 2] {
    [Entry::RelightStarted { site: key(site), evidence }, proved(site, Light::Lit)]
}

/// An incident in which every kind of end occurs.
fn journal() -> Vec<Entry> {
    let statements = Digest::default();
    let dark = ["updated", "withdrawn", "clear", "accepted", "behind", "control", "lost"];
    let (plan, reason) = (Digest::default(), "as a precaution".into());
    let mut all = vec![
        opened(Digest([1; 32])),
        Entry::DarkOrdered { plan, sites: dark.map(key).into(), reason },
        attached(&evidence("withdrawn", (1, 1), Verdict::Affected)),
        Entry::Revised { revision: Digest([2; 32]), statements },
    ];
    all.extend(dark.iter().filter(|site| **site != "lost").map(|it| proved(it, Light::Dark)));
    for site in ["updated", "behind", "control", "lost"] {
        all.push(attached(&evidence(site, (1, 2), Verdict::Affected)));
    }
    for site in ["withdrawn", "clear"] {
        let clear = evidence(site, (1, 2), Verdict::Clear);
        all.push(attached(&clear));
        all.extend(opened_by(site, clear.id().unwrap()));
    }
    let fixed = evidence("updated", (2, 2), Verdict::Clear);
    let (site, functional, vital) = (key("updated"), true, false);
    let compromise = Compromise::NoSigns;
    all.extend([
        Entry::FixStarted { site: site.clone(), note: "2.17.1".into() },
        attached(&fixed),
        Entry::Verified { site, functional, compromise, vital, evidence: None, checks: None },
    ]);
    all.extend(opened_by("updated", fixed.id().unwrap()));
    for site in ["behind", "control"] {
        let (control, place, owner) = ("rule 1".into(), "north".into(), "C".into());
        let expires = START + 86_400;
        let mitigation = Mitigation { control, place, owner, replayed: 3, blocked: 3, expires };
        all.push(Entry::Mitigated { site: key(site), mitigation });
    }
    all.push(attached(&evidence("accepted", (1, 2), Verdict::Unknown)));
    for site in ["accepted", "behind"] {
        all.push(signed(site));
        all.extend(opened_by(site, acceptance().id().unwrap()));
    }
    let clear = evidence("exempt", (1, 2), Verdict::Clear);
    let by_clear = Ground::Evidence(clear.id().unwrap());
    let by_two = Ground::Acceptance(acceptance());
    let (lost, edge, why) = (vec![key("lost")], "north".into(), "unreachable".into());
    all.extend([
        attached(&clear),
        Entry::Exempted { site: key("exempt"), ground: by_clear, witness: None },
        Entry::Exempted { site: key("spared"), ground: by_two, witness: None },
        Entry::HeldBack { sites: vec![key("left")], voids: true, left: true },
        Entry::BaselineTaken { statuses: vec![Baseline { site: key("asked"), class: 2 }] },
        Entry::EdgeFailed { sites: lost, edge, why },
    ]);
    all
}

/// A register of these sites, of which nobody scanned any.
fn place() -> Place {
    let place = Place::with_sites();
    let mut csv = String::from("slug,origin,organisation\n");
    for (site, ..) in ENDS {
        csv.push_str(&format!("{site},https://{site}.example,Province\n"));
    }
    place.write("more.csv", csv);
    place.expect(0, &["sites", "import", "more.csv"]);
    write(&place, LOG4SHELL, journal().into_iter().map(|entry| (START, entry)));
    place
}

/// Goal: the report says of each site what was there, also once it is repaired, and what was done
/// about it; what two people answer for is called so. Method: a journal in which each kind of end
/// occurs, about sites whose inventory is gone, in every form and both languages.
#[test]
fn the_report_names_every_kind_of_end_and_what_had_been_there() {
    let place = place();
    let report = |form: &str, lang: &str| {
        place.expect(0, &["incident", "report", "-f", form, "--lang", lang]).stdout
    };
    let told = place.expect(0, &["incident", "report", "--json"]).json();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), ENDS.len());
    for (site, action, ..) in ENDS {
        let row = rows.iter().find(|row| row["site"] == site).unwrap();
        assert_eq!(row["action"], action, "{site}: {row}");
        let until = action.ends_with("risk-accepted").then_some("2021-12-11T18:00:00Z");
        assert_eq!(row["accepted_until"].as_str(), until, "{site}");
        let is_known = !["spared", "left", "asked"].contains(&site);
        let read = is_known.then_some("syft 1.2.3");
        assert_eq!(row["evidence"]["scanner"].as_str(), read, "{site}: {row}");
    }
    let line = |text: &str, site: &str| {
        let host = format!("{site}.example");
        text.lines().find(|line| line.contains(&host)).unwrap().to_owned()
    };
    for (lang, is_english) in [("en", true), ("fr", false)] {
        let (csv, page) = (report("csv", lang), report("html", lang).replace("<tr>", "\n<tr>"));
        let (text, markdown) = (report("text", lang), report("markdown", lang));
        for (site, action, english, french, is_named) in ENDS {
            let row = line(&csv, site);
            let part = ",org.apache.logging.log4j,log4j-core,2.14.1,,";
            assert_eq!([row.contains(part), row.contains(PURL)], [is_named; 2], "{row}");
            assert!(row.contains(&format!(",{action},")), "{row}");
            let of_evidence = match site {
                "spared" | "left" | "asked" => ",,,,",
                "accepted" => ",unknown,2021-12-10T18:00:00Z,syft 1.2.3,partial",
                "behind" | "control" | "lost" => {
                    ",affected,2021-12-10T18:00:00Z,syft 1.2.3,complete"
                }
                _ => ",clear,2021-12-10T18:00:00Z,syft 1.2.3,complete",
            };
            assert!(row.ends_with(of_evidence), "{row}");
            let words = if is_english { english } else { french };
            for form in [&text, &markdown, &page] {
                let row = line(form, site);
                assert!(row.contains(words), "{words}: {row}");
                assert_eq!(row.contains("log4j-core 2.14.1"), is_named, "{row}");
            }
        }
    }
}
