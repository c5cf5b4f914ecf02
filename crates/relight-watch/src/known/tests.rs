//! What a list of known scanners puts apart, and what it never does.

use relight_model::{Attempt, Detection, Exposure};

use super::*;

const LIST: &str = "# ours\nresearch, Census Example, 198.51.100.0/24\n\
                    crawler, Search, 2001:db8::/32\n\
                    test, Pentest Nord, 203.0.113.9, 2021-12-01, 2021-12-10, Ville; biblio, \
                    A. Roy, B. Cyr\n\
                    own-scanner, Inside, 203.0.113.20,,, Ville, A. Roy, B. Cyr\n\
                    own-scanner, Alone, 203.0.113.30\n";

/// The city is organisation 1 with the sites 1 and 2; the library is site 9 of another.
fn meaning(name: &str) -> Option<Scope> {
    let of = |orgs: &[u32], sites: &[u32]| Scope {
        organisations: orgs.iter().copied().map(OrgId).collect(),
        sites: sites.iter().copied().map(SiteId).collect(),
    };
    match name {
        "Ville" => Some(of(&[1], &[1, 2])),
        "biblio" => Some(of(&[], &[9])),
        _ => None,
    }
}

fn parse(text: &str) -> (KnownScanners, Vec<(usize, &'static str)>) {
    KnownScanners::parse(text, &meaning)
}

/// 2021-12-05.
const AT: Timestamp = 1_638_662_400;

fn campaign(sources: &[&str], days: i64, attacks: bool) -> Campaign {
    let attempt = Attempt {
        at: AT,
        site: Some(SiteId(1)),
        flaw: "CVE-2021-44228",
        exposure: Exposure::Unknown,
    };
    Campaign {
        id: "C-0001".to_owned(),
        severity: if attacks { Severity::ExploitAttempt } else { Severity::Reconnaissance },
        confidence: 0.9,
        first: AT,
        last: AT + days * civil::DAY,
        sources: sources.iter().map(|source| source.parse().unwrap()).collect(),
        organisations: vec![OrgId(1)],
        sites: vec![SiteId(1)],
        attempts: if attacks { vec![attempt] } else { Vec::new() },
        marks_until: u64::MAX,
        ..Campaign::default()
    }
}

fn put(sources: &[&str], days: i64, attacks: bool) -> Vec<String> {
    let (list, faults) = parse(LIST);
    assert_eq!(faults, []);
    let mut campaign = campaign(sources, days, attacks);
    let before = campaign.severity;
    list.put_apart(&mut campaign);
    let apart = campaign.severity == Severity::Noise;
    assert_eq!(apart, !campaign.known.is_empty());
    assert!(apart || campaign.severity == before);
    campaign.known
}

#[test]
fn only_campaigns_of_known_sources_alone_are_put_apart() {
    assert_eq!(put(&["198.51.100.7", "198.51.100.250"], 40, false), ["research: Census Example"]);
    assert_eq!(
        put(&["198.51.100.7", "2001:db8:5::1"], 40, false),
        ["crawler: Search", "research: Census Example"]
    );
    assert_eq!(put(&["198.51.100.7", "198.51.101.7"], 40, false), [] as [&str; 0]);
    assert_eq!(put(&["2001:db9::1"], 1, false), [] as [&str; 0]);
}

fn detection(sources: Vec<IpAddr>, agent: &str, shared: &str) -> Detection {
    Detection {
        detector: "slow_sweep",
        sources,
        shared: shared.to_owned(),
        severity: Severity::Reconnaissance,
        first: AT,
        last: AT,
        decided: AT,
        contacts: 1,
        likelihood: 1.0,
        threshold: 1.0,
        agents: vec![agent.to_owned()],
        ..Detection::default()
    }
}

/// Trap: a claimed crawler.
#[test]
fn a_name_that_is_claimed_from_a_strange_address_is_told() {
    let list = "crawler,Examplebot,66.249.64.0/19\ncrawler,Examplebot,2001:db8:7::/48\n\
                monitor,Up,192.0.2.0/24\nown-scanner,Nessus,192.0.2.0/24\n";
    let (list, faults) = parse(list);
    assert_eq!(faults, []);
    let spoofed = |sources: &[&str], agent: &str, shared: &str| {
        let mut campaign = campaign(sources, 1, false);
        let sources = campaign.sources.clone();
        campaign.detections.push(detection(sources, agent, shared));
        list.put_apart(&mut campaign);
        (campaign.spoofed, campaign.known.is_empty())
    };
    let bot = "agent:Mozilla/5.0 (compatible; examplebot/2.1; +http://www.example.com/bot)";
    let claimed = (vec!["Examplebot".to_owned()], true);
    assert_eq!(spoofed(&["198.51.100.7"], bot, ""), claimed);
    assert_eq!(spoofed(&["198.51.100.7"], "", bot), claimed, "a group of them");
    for own in ["66.249.70.1", "2001:db8:7:1::"] {
        assert_eq!(spoofed(&[own], bot, ""), (vec![], false), "{own}");
    }
    for agent in [
        "agent:Examplebots/1",
        "agent:NotExamplebot",
        "agent:up and away",
        "agent:Nessus",
        "ja4:Examplebot",
        "",
    ] {
        assert_eq!(spoofed(&["198.51.100.7"], agent, "").0, [""; 0], "{agent}");
    }
}

/// Sources of version 6 are kept as their /64, however exactly the list names them.
#[test]
fn a_network_is_known_as_sources_are_kept() {
    for (network, source, is_known) in [
        ("2001:db8:5:6::7", "2001:db8:5:6::", true),
        ("2001:db8:5:6::7/128", "2001:db8:5:6::", true),
        ("2001:db8:5:6:7::/80", "2001:db8:5:6::", true),
        ("2001:db8:5:6::7", "2001:db8:5:7::", false),
        ("::ffff:192.0.2.9", "192.0.2.9", true),
        ("::ffff:192.0.2.0/120", "192.0.2.9", true),
        ("::ffff:192.0.2.8", "192.0.2.9", false),
    ] {
        let (list, faults) = parse(&format!("monitor,y,{network}\n"));
        assert_eq!(faults, [], "{network}");
        let mut campaign = campaign(&[source], 1, false);
        list.put_apart(&mut campaign);
        assert_eq!(campaign.severity == Severity::Noise, is_known, "{network} {source}");
    }
    assert_eq!(network_of("::ffff:0.0.0.0/96"), None, "everybody");
}

/// A test holds in its days, also for block lists.
#[test]
fn the_networks_of_a_list_are_those_that_hold() {
    let (list, _) = parse(LIST);
    assert_eq!(list.networks(AT).count(), 5);
    assert_eq!(list.networks(AT + 9 * 86_400).count(), 4);
}

/// Traps: an own scanner outside its window, and a list that silences an attack.
#[test]
fn a_test_holds_in_its_days_and_no_crawler_may_attack() {
    assert_eq!(put(&["203.0.113.9"], 5, true), ["test: Pentest Nord"]);
    assert_eq!(put(&["203.0.113.9"], 6, true), [] as [&str; 0], "a day too long");
    assert_eq!(put(&["198.51.100.7"], 1, true), [] as [&str; 0]);
    assert_eq!(put(&["203.0.113.9", "198.51.100.7"], 1, true), [] as [&str; 0]);
}

/// Payloads are silenced only where two people agreed, and an own scanner that looks around
/// elsewhere is no longer one.
#[test]
fn payloads_are_silenced_only_at_the_places_that_were_agreed() {
    let (list, _) = parse(LIST);
    let put = |source: &str, orgs: &[u32], sites: &[u32], attacks: bool| {
        let mut campaign = campaign(&[source], 1, attacks);
        campaign.organisations = orgs.iter().copied().map(OrgId).collect();
        campaign.sites = sites.iter().copied().map(SiteId).collect();
        let site = sites.first().copied().map(SiteId);
        campaign.attempts.iter_mut().for_each(|it| it.site = site);
        list.put_apart(&mut campaign);
        !campaign.known.is_empty()
    };
    let (test, inside, alone) = ("203.0.113.9", "203.0.113.20", "203.0.113.30");
    for attacks in [true, false] {
        assert!(put(test, &[1, 7], &[2, 9], attacks), "both places");
        assert!(put(inside, &[1], &[1, 2], attacks));
        assert!(!put(inside, &[1, 7], &[1, 9], attacks), "another organisation");
        assert!(!put(test, &[1, 7], &[1, 8], attacks), "another site");
        assert!(put(inside, &[1], &[], attacks), "the log tells no site");
        assert!(!put(test, &[7], &[], attacks), "the log tells no site, and one was agreed");
    }
    assert!(put(alone, &[1], &[1], false) && !put(alone, &[1], &[1], true));
}

#[test]
fn lines_that_are_none_are_told() {
    for (line, code) in [
        ("research,x", "known-fields"),
        ("friend,x,192.0.2.1", "known-reason"),
        ("research,,192.0.2.1", "known-name"),
        ("research,x,192.0.2.1/33", "known-network"),
        ("research,x,0.0.0.0/0", "known-network"),
        ("research,x,example.org", "known-network"),
        ("test,x,192.0.2.1", "known-test-days"),
        ("test,x,192.0.2.1,,,Ville,A,B", "known-test-days"),
        ("test,x,192.0.2.1,2021-13-01,2021-12-02", "known-day"),
        ("test,x,192.0.2.1,2021-12-01,2021-12-02", "known-test-scope"),
        ("test,x,192.0.2.1,2021-12-01,2021-12-02,Ville,A", "known-fields"),
        ("test,x,192.0.2.1,2021-12-01,2021-12-02,Ville,A,a", "known-two-names"),
        ("test,x,192.0.2.1,2021-12-01,2021-12-02,Ville,A,", "known-two-names"),
        ("test,x,192.0.2.1,2021-12-01,2021-12-02,Ville;,A,B", "known-place"),
        ("own-scanner,x,192.0.2.1,,,*,A,B", "known-place"),
    ] {
        let text = format!("monitor,y,192.0.2.9\n{line}\n");
        let (list, faults) = parse(&text);
        assert_eq!((list.entries.len(), faults), (1, vec![(2, code)]), "{line}");
    }
    let many = "monitor,y,192.0.2.9\n".repeat(KNOWN_MAX + 1);
    let (list, faults) = parse(&many);
    assert_eq!((list.entries.len(), faults), (KNOWN_MAX, vec![(KNOWN_MAX + 1, "known-limit")]));
}
