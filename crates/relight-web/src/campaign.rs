//! A campaign told to somebody who is no specialist, in sentences.
//!
//! Below signs of success the fixed denial is the only sentence that speaks of compromise; every
//! figure in a sentence is one of the campaign.

use std::collections::BTreeSet;

use relight_model::{Attempt, Campaign, Exposure, Severity, SiteId, Timestamp};

use crate::{Lang, number, texts, words};

/// Most sites, hosts or fingerprints that a sentence names; it says how many more there are.
const NAMED_MAX: usize = 8;

/// The flaw of lookups, whose payloads say what they would have fetched.
const LOOKUP_FLAW: &str = "CVE-2021-44228";

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// What sites and doors are called.
#[derive(Clone, Copy)]
pub struct Called<'a> {
    /// The name of a site.
    pub site: &'a dyn Fn(SiteId) -> String,
    /// The title of a door of the catalogue.
    pub door: &'a dyn Fn(&str) -> Option<String>,
}

/// The campaign in sentences, the most important first.
pub fn sentences(lang: Lang, campaign: &Campaign, called: Called<'_>) -> Vec<String> {
    let site = called.site;
    let mut told = vec![who(lang, campaign)];
    told.extend(known(lang, campaign));
    told.extend(spoofed(lang, campaign));
    told.extend(reasons(lang, campaign, called));
    told.extend(alike(lang, campaign));
    told.extend(looked_for(lang, campaign, called));
    told.extend(matched(lang, campaign));
    told.push(aim(lang, campaign));
    told.extend(attempts(lang, campaign, site));
    told.push(verdict(lang, campaign, site));
    told.push(texts::campaign_to_do(lang).to_owned());
    told.extend(silent(lang, campaign));
    told
}

/// That some sources were not judged, by the share of them that was.
pub fn not_judged(lang: Lang, kept: f64) -> Option<String> {
    // At least one, however few they are.
    let percent = ((1.0 - kept) * 100.0).ceil().clamp(0.0, 100.0) as u64;
    (kept < 1.0).then(|| texts::not_judged(lang, percent.max(1)))
}

fn who(lang: Lang, campaign: &Campaign) -> String {
    let days = (campaign.last - campaign.first).max(0) / DAY_S + 1;
    let contacts: u64 = campaign.detections.iter().map(|one| u64::from(one.contacts)).sum();
    let days = days.cast_unsigned();
    let (sources, organisations) = (campaign.sources.len(), campaign.organisations.len());
    let who = if campaign.gathered > 0 || strangers(campaign).next().is_some() {
        texts::campaign_strangers(lang, days, contacts, organisations, sources)
    } else {
        texts::campaign_who(lang, days, contacts, organisations, sources)
    };
    let rate = contacts.div_ceil(days);
    let rate = if contacts < days {
        texts::campaign_rate_low(lang).to_owned()
    } else {
        texts::campaign_rate(lang, rate)
    };
    format!("{who} {rate}")
}

/// Who it is, when the operator's own list says so.
fn known(lang: Lang, campaign: &Campaign) -> Option<String> {
    let names = campaign.known.iter().map(|name| {
        let (reason, name) = name.split_once(": ").unwrap_or(("", name));
        let reason = texts::by_code(lang, &format!("known-{reason}")).unwrap_or(reason);
        texts::labelled(lang, reason, name)
    });
    (!campaign.known.is_empty()).then(|| texts::campaign_known(lang, &list(lang, names)))
}

/// Whose name it takes, when the operator's own list says where that one comes from.
fn spoofed(lang: Lang, campaign: &Campaign) -> Option<String> {
    let names = campaign.spoofed.iter().cloned();
    (!campaign.spoofed.is_empty()).then(|| texts::campaign_spoofed(lang, &list(lang, names)))
}

fn alike(lang: Lang, campaign: &Campaign) -> Option<String> {
    if strangers(campaign).next().is_some() {
        return None;
    }
    let hosts: BTreeSet<&String> =
        campaign.detections.iter().flat_map(|one| &one.callbacks).collect();
    let words = |thing: &String| {
        // Whoever attacks chooses its name: it may look like anything.
        let is_host = hosts.contains(thing);
        if is_host { texts::campaign_tie_callback(lang, thing) } else { client(lang, thing) }
    };
    let shared = campaign.shared.iter().map(words);
    (!campaign.shared.is_empty()).then(|| texts::campaign_alike(lang, &list(lang, shared)))
}

/// A client that several addresses use, in words.
fn client(lang: Lang, thing: &str) -> String {
    match thing.split_once(':') {
        Some(("agent", name)) => texts::campaign_tie_agent(lang, name),
        Some(("ja3" | "ja4", _)) => texts::campaign_tie_tls(lang, thing),
        _ => texts::campaign_tie_client(lang, thing),
    }
}

/// The detections about a door, or a class of attempts, that strangers tried, and what it is.
fn strangers(campaign: &Campaign) -> impl Iterator<Item = (&'static str, &str)> {
    campaign.detections.iter().filter_map(|one| {
        let what = one.shared.split_once(':')?;
        matches!(what.0, "door" | "class").then_some((one.detector, one.shared.as_str()))
    })
}

/// What else made it one, where that is not said by the numbers.
fn reasons(lang: Lang, campaign: &Campaign, called: Called<'_>) -> Vec<String> {
    let mut told = Vec::new();
    if campaign.gathered > 0 {
        told.push(texts::campaign_gathered(lang).to_owned());
    }
    if campaign.detections.iter().any(|one| one.detector == "traversal") {
        told.push(texts::campaign_traversal(lang).to_owned());
    }
    for (detector, shared) in strangers(campaign) {
        let door = match shared.split_once(':') {
            Some(("door", door)) => (called.door)(door).unwrap_or_else(|| door.to_owned()),
            _ => texts::campaign_payloads(lang).to_owned(),
        };
        told.push(match detector {
            "emerging" => texts::campaign_emerging(lang, &door),
            "sector" => texts::campaign_sector(lang, &door),
            _ => texts::campaign_spike(lang, &door),
        });
    }
    told
}

/// The doors of the catalogue that the evidence names, by their titles.
fn looked_for(lang: Lang, campaign: &Campaign, called: Called<'_>) -> Option<String> {
    let lines = campaign.detections.iter().flat_map(|one| &one.evidence);
    let entries = lines.filter_map(|line| line.split(", ").nth(4)?.strip_prefix("probe:"));
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    entries.for_each(|entry| *counts.entry(entry).or_default() += 1);
    let mut doors: Vec<(&str, usize)> = counts.into_iter().collect();
    doors.sort_by_key(|(entry, count)| (std::cmp::Reverse(*count), *entry));
    let titles = doors.iter().filter_map(|(entry, _)| (called.door)(entry));
    let titles: Vec<String> = titles.collect();
    (!titles.is_empty()).then(|| texts::campaign_looked_for(lang, &list(lang, titles)))
}

fn aim(lang: Lang, campaign: &Campaign) -> String {
    if campaign.aimed_at.is_empty() {
        return texts::campaign_aimless(lang).to_owned();
    }
    let sectors = campaign.aimed_at.iter().map(|code| words::sector(lang, code).to_owned());
    texts::campaign_aim(lang, &list(lang, sectors))
}

/// What it looked for where that runs.
fn matched(lang: Lang, campaign: &Campaign) -> Vec<String> {
    let mut told = Vec::new();
    for it in &campaign.matched {
        let mut text = texts::campaign_matched(lang, &it.product, it.running, it.tried);
        if it.unknown > 0 {
            text = format!("{text} {}", texts::campaign_matched_unknown(lang, it.unknown));
        }
        if it.aimed {
            text = format!("{text} {}", texts::campaign_matched_aimed(lang));
        }
        told.push(text);
    }
    told
}

/// How much of the register nobody heard: an absence of logs is no absence of tries.
fn silent(lang: Lang, campaign: &Campaign) -> Option<String> {
    (campaign.silent > 0).then(|| texts::campaign_silent(lang, campaign.silent))
}

/// What payloads would have done, and what is known about the sites that they met.
fn attempts(lang: Lang, campaign: &Campaign, site: &dyn Fn(SiteId) -> String) -> Vec<String> {
    if campaign.attempts.is_empty() {
        return Vec::new();
    }
    let callbacks = campaign.detections.iter().flat_map(|one| one.callbacks.iter().cloned());
    let hosts = list(lang, distinct(callbacks));
    let (lookups, uses): (Vec<&Attempt>, Vec<&Attempt>) =
        campaign.attempts.iter().partition(|attempt| attempt.flaw == LOOKUP_FLAW);
    let flaws = |of: &[&Attempt]| list(lang, distinct(of.iter().map(|it| it.flaw.to_owned())));
    let mut told = Vec::new();
    if !lookups.is_empty() {
        told.push(texts::campaign_attempts(lang, lookups.len(), &flaws(&lookups), &hosts));
    }
    if !uses.is_empty() {
        // One request may use several flaws of one product.
        let requests: std::collections::BTreeSet<_> =
            uses.iter().map(|it| (it.at, it.site)).collect();
        told.push(texts::campaign_flaws(lang, requests.len(), &flaws(&uses)));
    }
    let of = |exposure: Exposure| -> Vec<String> {
        let met = campaign.attempts.iter().filter(|attempt| attempt.exposure == exposure);
        let hours: BTreeSet<_> = met.map(|attempt| place(lang, attempt, site)).collect();
        let told = |(name, hour)| format!("{name} ({})", number::stamp(lang, hour));
        hours.into_iter().map(told).collect()
    };
    let affected = of(Exposure::Affected);
    if !affected.is_empty() {
        told.push(texts::campaign_affected(lang, affected.len(), &list(lang, affected)));
    }
    let unknown = of(Exposure::Unknown);
    if !unknown.is_empty() {
        told.push(texts::campaign_unknown(lang, unknown.len(), &list(lang, unknown)));
    }
    let clear = of(Exposure::Clear);
    if !clear.is_empty() {
        told.push(texts::campaign_clear(lang, clear.len()));
    }
    told
}

/// A site and the hour of an attempt.
fn place(lang: Lang, attempt: &Attempt, site: &dyn Fn(SiteId) -> String) -> (String, Timestamp) {
    let name = attempt.site.map_or_else(|| texts::campaign_no_site(lang).to_owned(), site);
    (name, attempt.at - attempt.at.rem_euclid(3_600))
}

fn verdict(lang: Lang, campaign: &Campaign, site: &dyn Fn(SiteId) -> String) -> String {
    if campaign.severity < Severity::SignsOfSuccess {
        return texts::reconnaissance_note(lang).to_owned();
    }
    let sign = |sign: &relight_model::Sign| {
        let what = texts::by_code(lang, &format!("sign-{}", sign.kind)).unwrap_or(sign.kind);
        let at = number::stamp_to_the_second(lang, sign.at);
        format!("{} ({at}, {what} {})", site(sign.site), sign.host)
    };
    texts::campaign_signs(lang, &list(lang, campaign.signs.iter().map(sign)))
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// The first of them, and how many more there are.
fn list(lang: Lang, items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    let more = items.len().saturating_sub(NAMED_MAX);
    items.truncate(NAMED_MAX);
    let named = items.join(", ");
    if more == 0 { named } else { texts::campaign_and_more(lang, more, &named) }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use relight_model::{Detection, Matched, OrgId, Sign};

    use super::*;

    const AT: i64 = 1_639_130_000;

    fn detection(attempts: &[Attempt]) -> Detection {
        Detection {
            detector: "jndi",
            sources: vec![IpAddr::from([192, 0, 2, 7]), IpAddr::from([192, 0, 2, 9])],
            severity: Severity::ExploitAttempt,
            first: AT,
            last: AT + 59 * DAY_S,
            decided: AT,
            organisations: (0..12).map(OrgId).collect(),
            sites: (0..24).map(SiteId).collect(),
            contacts: 84,
            likelihood: 40.0,
            threshold: 20.7,
            callbacks: if attempts.is_empty() { vec![] } else { vec!["c.example".to_owned()] },
            attempts: attempts.to_vec(),
            ..Detection::default()
        }
    }

    fn campaign(severity: Severity) -> Campaign {
        let exposures = [Exposure::Affected, Exposure::Unknown, Exposure::Clear];
        let attempts = (0..3_u32).zip(exposures).map(|(site, exposure)| Attempt {
            at: AT,
            site: Some(SiteId(site)),
            flaw: "CVE-2021-44228",
            exposure,
        });
        let attempts: Vec<Attempt> = match severity {
            Severity::ExploitAttempt => attempts.skip(1).collect(),
            Severity::AttemptOnVulnerable | Severity::SignsOfSuccess => attempts.collect(),
            _ => Vec::new(),
        };
        let sign =
            Sign { at: AT + 60, site: SiteId(0), kind: "connection", host: "c.example".into() };
        let detection = detection(&attempts);
        let targeted = severity == Severity::TargetedReconnaissance;
        Campaign {
            id: "C-0001".to_owned(),
            severity,
            confidence: 0.97,
            first: detection.first,
            last: detection.last,
            sources: detection.sources.clone(),
            organisations: detection.organisations.clone(),
            sites: detection.sites.clone(),
            aimed_at: if targeted { vec!["health".to_owned()] } else { Vec::new() },
            shared: vec!["ja4:t13d1516h2_8daaf6152771_02713d6af862".to_owned()],
            attempts,
            signs: if severity == Severity::SignsOfSuccess { vec![sign] } else { Vec::new() },
            marks_until: u64::MAX,
            detections: vec![detection],
            ..Campaign::default()
        }
    }

    fn told_of(lang: Lang, campaign: &Campaign) -> Vec<String> {
        let called = Called {
            site: &|site| format!("site{}.example", site.0),
            door: &|door| (door == "owa").then(|| "Outlook".to_owned()),
        };
        sentences(lang, campaign, called)
    }

    fn told(lang: Lang, severity: Severity) -> Vec<String> {
        told_of(lang, &campaign(severity))
    }

    /// Goal: no word of compromise below S5 but the fixed denial, and at S5 never the denial.
    /// Method: every sentence of every step in both languages.
    #[test]
    fn below_signs_of_success_the_denial_is_the_only_use_of_the_word() {
        for lang in Lang::ALL {
            for severity in Severity::ALL {
                let told = told(lang, severity);
                let denial = texts::reconnaissance_note(lang);
                let uses: Vec<_> =
                    told.iter().filter(|text| text.to_lowercase().contains("comprom")).collect();
                assert_eq!(uses.len(), 1, "{severity:?}: {told:#?}");
                assert_eq!(uses[0] == denial, severity < Severity::SignsOfSuccess, "{uses:?}");
            }
        }
    }

    #[test]
    fn an_attempt_on_a_vulnerable_site_in_english() {
        expect_test::expect![[r#"
            For 60 days, 2 addresses that behave alike have tried 84 doors (pages where intruders look for a way in) of 12 organisations. About 2 tries a day.
            They have in common: the way in which their program opens encrypted connections (ja4:t13d1516h2_8daaf6152771_02713d6af862).
            No sector is aimed at more than another.
            3 requests with a trap arrived. Software that has the flaw CVE-2021-44228 would have fetched a program from c.example and run it.
            1 site was vulnerable at that hour: site0.example (2021-12-10 9:00 UTC). Check for signs: connections outwards, new files, new accounts.
            Of 1 site nobody knows whether it was vulnerable, for want of an inventory of that hour: site1.example (2021-12-10 9:00 UTC).
            1 site was certainly not vulnerable at that hour.
            Reconnaissance is not an indication of compromise.
            To do: patch the known flaws, turn on multi-factor authentication, log more."#]]
            .assert_eq(&told(Lang::En, Severity::AttemptOnVulnerable).join("\n"));
    }

    #[test]
    fn a_targeted_reconnaissance_in_french() {
        expect_test::expect![[r#"
            Depuis 60 jours, 2 adresses qui se comportent de la même façon ont essayé 84 portes (des pages où des intrus cherchent une entrée) de 12 organismes. Environ 2 essais par jour.
            Elles ont en commun : la façon dont leur programme ouvre des connexions chiffrées (ja4:t13d1516h2_8daaf6152771_02713d6af862).
            Secteurs visés : Réseau de santé.
            Une reconnaissance n’est pas un signe de compromission.
            À faire : corriger les failles connues, activer l’authentification multifacteur, augmenter la journalisation."#]]
            .assert_eq(&told(Lang::Fr, Severity::TargetedReconnaissance).join("\n"));
    }

    /// Every kind of thing that ties addresses to each other is said in words, in both languages.
    #[test]
    fn what_ties_addresses_to_each_other_is_said_in_words() {
        let mut found = campaign(Severity::TargetedReconnaissance);
        let ties = ["agent:1389", "agent:probe/1.0", "client:0000002a", "ja3:769,47"];
        found.shared = ties.map(str::to_owned).to_vec();
        // A host may be called so.
        found.detections[0].callbacks = vec!["agent:1389".to_owned()];
        let said = |lang| told_of(lang, &found)[1].replace("), ", ")\n");
        expect_test::expect![[r#"
            They have in common: the host that their payloads would have had a product ask (agent:1389)
            the name of program that they give (probe/1.0)
            the program that they use (client:0000002a)
            the way in which their program opens encrypted connections (ja3:769,47)."#]]
        .assert_eq(&said(Lang::En));
        expect_test::expect![[r#"
            Elles ont en commun : l’hôte que leurs charges auraient fait interroger par un produit (agent:1389)
            le nom de programme qu’elles donnent (probe/1.0)
            le programme qu’elles emploient (client:0000002a)
            la façon dont leur programme ouvre des connexions chiffrées (ja3:769,47)."#]]
        .assert_eq(&said(Lang::Fr));
    }

    #[test]
    fn unknown_is_listed_and_never_rounded() {
        for lang in Lang::ALL {
            let told = told(lang, Severity::ExploitAttempt).join("\n");
            let hour = if lang == Lang::Fr { "9\u{a0}h\u{a0}00" } else { "9:00" };
            assert!(told.contains(&format!("site1.example (2021-12-10 {hour} UTC)")), "{told}");
            assert!(!told.contains("site2.example"), "clear ones are counted: {told}");
        }
    }

    /// Every figure of the join is told, and a site without logs is never rounded to one that was
    /// not met.
    #[test]
    fn what_ran_where_it_was_looked_for_and_who_is_silent_is_told() {
        let mut found = campaign(Severity::TargetedReconnaissance);
        found.silent = 17;
        let product = "Apache Solr".to_owned();
        found.matched = vec![Matched { product, running: 23, tried: 19, unknown: 4, aimed: true }];
        let english = told_of(Lang::En, &found).join("\n");
        expect_test::expect![[r#"
            For 60 days, 2 addresses that behave alike have tried 84 doors (pages where intruders look for a way in) of 12 organisations. About 2 tries a day.
            They have in common: the way in which their program opens encrypted connections (ja4:t13d1516h2_8daaf6152771_02713d6af862).
            19 of your 23 sites that run Apache Solr were tried. Of 4 sites that were tried as well nobody knows whether they run it. That is more than chance explains: this looks for those who run it.
            Aimed at: Health network.
            Reconnaissance is not an indication of compromise.
            To do: patch the known flaws, turn on multi-factor authentication, log more.
            17 sites of the register sent no logs at that time: nobody knows whether they were tried."#]]
        .assert_eq(&english);
        let french = told_of(Lang::Fr, &found).join("\n");
        for part in ["19 de vos 23 sites", "Apache Solr", "4 autres sites", "17 sites"] {
            assert!(french.contains(part), "{part}: {french}");
        }
    }

    #[test]
    fn requests_that_use_a_flaw_are_told_beside_payloads() {
        let mut found = campaign(Severity::ExploitAttempt);
        let before = found.attempts.len();
        for flaw in ["CVE-2023-46805", "CVE-2024-21887"] {
            let (site, exposure) = (Some(SiteId(9)), Exposure::Unknown);
            found.attempts.push(Attempt { at: AT, site, flaw, exposure });
        }
        for lang in Lang::ALL {
            let told = told_of(lang, &found);
            let flaws = "CVE-2023-46805, CVE-2024-21887";
            assert!(told.contains(&texts::campaign_flaws(lang, 1_usize, flaws)), "{told:#?}");
            let lookups = texts::campaign_attempts(lang, before, "CVE-2021-44228", "c.example");
            assert!(told.contains(&lookups), "{told:#?}");
        }
        found.attempts.drain(..before);
        let told = told_of(Lang::En, &found).join("\n");
        assert!(!told.contains("fetched"), "no payload: {told}");
    }

    #[test]
    fn who_is_known_is_named_in_the_language() {
        let mut census = campaign(Severity::Noise);
        census.known = vec!["research: Census Example".to_owned()];
        for lang in Lang::ALL {
            let text = told_of(lang, &census).join(" ");
            assert!(text.contains("Census Example") && !text.contains("research:"), "{text}");
        }
    }

    /// Every kind of decision has a sentence of its own in both languages, and none of them says
    /// that its addresses belong together when they do not.
    #[test]
    fn each_kind_of_decision_is_told() {
        for (detector, shared, word) in [
            ("emerging", "door:/new/api", "/new/api"),
            ("spike", "door:owa", "Outlook"),
            ("sector", "door:owa", "Outlook"),
            ("spike", "class:exploit", ""),
            ("traversal", "", ""),
        ] {
            let mut found = campaign(Severity::Reconnaissance);
            (found.detections[0].detector, found.detections[0].shared) = (detector, shared.into());
            found.shared = vec![shared.to_owned()];
            for lang in Lang::ALL {
                let plain = told(lang, Severity::Reconnaissance).len();
                let told = told_of(lang, &found);
                assert!(told.join("\n").contains(word), "{told:#?}");
                let is_about_a_door = !shared.is_empty();
                assert_eq!(told.len(), if is_about_a_door { plain } else { plain + 1 }, "{told:?}");
            }
        }
    }

    #[test]
    fn many_single_addresses_and_what_they_looked_for() {
        let mut many = campaign(Severity::Reconnaissance);
        many.gathered = 15_038;
        many.detections[0].evidence = vec![
            "1, 2, 2021-12-10, 404, probe:owa, /owa/".to_owned(),
            "1, 2, 2021-12-10, 404, not-found-cold, /probe:x".to_owned(),
            "1, 2, 2021-12-10, 404, probe:nobody-knows, /x".to_owned(),
        ];
        for lang in Lang::ALL {
            let told = told_of(lang, &many);
            assert_eq!(told[1], texts::campaign_gathered(lang));
            assert!(told.contains(&texts::campaign_looked_for(lang, "Outlook")), "{told:#?}");
        }
    }

    #[test]
    fn long_lists_say_how_much_they_leave_out() {
        let all = (0..NAMED_MAX + 3).map(|number| format!("n{number}"));
        let text = list(Lang::En, all);
        assert!(text.contains("n7") && !text.contains("n8") && text.contains('3'), "{text}");
    }

    #[test]
    fn less_than_one_try_a_day_is_said_so() {
        let mut slow = campaign(Severity::Reconnaissance);
        slow.detections[0].contacts = 20;
        let text = who(Lang::En, &slow);
        assert!(text.contains(texts::campaign_rate_low(Lang::En)), "{text}");
    }

    #[test]
    fn who_was_not_judged_is_told_and_nobody_else() {
        assert_eq!(not_judged(Lang::En, 1.0), None);
        let text = |kept| not_judged(Lang::En, kept).unwrap_or_default();
        assert!(text(0.75).starts_with("about 25%"), "{}", text(0.75));
        assert!(text(0.999_999).starts_with("about 1%"), "{}", text(0.999_999));
        assert!(text(0.0).starts_with("about 100%"), "{}", text(0.0));
    }
}
