//! A register that came back from an older copy says how many sites wait because of it.

use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::incident::{POLICY, Town};

/// How long a second scan may take to be a later one.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Goal: who wonders why a clear site stays dark is told, until it was scanned again. Method: a
/// site is scanned, and then its gate says that it was told more than the journal holds.
#[test]
fn a_restored_register_tells_what_waits_for_a_scan() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    town.off(&["--yes"]);
    place.expect(0, &["scan", "good", "--site", "mun-001"]);
    let epoch = place.path("gate/epoch");
    let told = |line: &str| match line.strip_prefix('=').and_then(|it| it.split_once('-')) {
        Some((term, _)) => format!("={term}-9000\n"),
        None => format!("{line}\n"),
    };
    let before = fs::read_to_string(&epoch).unwrap();
    fs::write(&epoch, before.lines().map(told).collect::<String>()).unwrap();
    assert_ne!(fs::read_to_string(&epoch).unwrap(), before);
    let on = ["incident", "on", "--sites", "site:mun-001", "--yes"];
    let refused = place.expect(0, &on);
    assert!(refused.stdout.contains("from an older copy: scan it again"), "{}", refused.text());
    assert_eq!(town.status("mun1.example"), 503);
    let status = || place.expect(0, &["incident", "status", "--json"]).json();
    assert_eq!(status()["incidents"][0]["held_by_restore"], 1);
    let told = place.run(&["incident", "status"]).text();
    assert!(told.contains("1 site stays dark: what calls it clear is known from before"), "{told}");
    let of_doctor = || {
        let doctor = place.run(&["doctor", "--json"]).json();
        let checks = doctor["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|it| it["name"] == "restored")
    };
    assert_eq!(of_doctor().unwrap()["health"], "warning");

    // Seconds are what a journal counts in: the scan of the same one is none of after it.
    let until = Instant::now() + WAIT_MAX;
    loop {
        place.expect(0, &["scan", "good", "--site", "mun-001"]);
        let on = place.expect(0, &on);
        if on.stdout.contains("1 of 1 site proven lit again") {
            break;
        }
        assert!(Instant::now() < until, "{}", on.text());
        thread::yield_now();
    }
    assert_eq!(status()["incidents"][0]["held_by_restore"], 0);
    assert!(of_doctor().is_none());
}
