//! How long what was going on behind a gate may go on after it closed (INCIDENT 8.6).

use relight_edge::Target;

use super::TUNNEL_GRACE_MS;

/// Name of the setting of an edge that says how many seconds ordinary requests may take to end once
/// a gate closed; [`HARD`] is none at all.
pub const GRACE: &str = "grace";

/// The value of [`GRACE`] with which downloads are cut as well, at once.
pub const HARD: &str = "hard";

/// Longest grace, in seconds: until it is over nothing is proven dark where somebody is connected.
pub const GRACE_S_MAX: i64 = 300;

/// The grace of an edge, in milliseconds; none where its setting says nothing that can be meant.
pub fn grace_ms(target: &Target) -> Option<i64> {
    match target.settings.get(GRACE).map(String::as_str) {
        None => Some(TUNNEL_GRACE_MS),
        Some(HARD) => Some(0),
        Some(seconds) => {
            let seconds = seconds.parse().ok().filter(|it| (0..=GRACE_S_MAX).contains(it));
            seconds.map(|seconds: i64| seconds * 1_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_a_number_of_seconds_or_hard() {
        let mut target = Target {
            name: "north".into(),
            kind: "haproxy".into(),
            gate: "/gate".into(),
            listeners: Vec::new(),
            verify: None,
            settings: [].into(),
            members: Vec::new(),
        };
        assert_eq!(grace_ms(&target), Some(TUNNEL_GRACE_MS));
        for (text, ms) in [
            ("0", Some(0)),
            ("hard", Some(0)),
            ("2", Some(2_000)),
            ("300", Some(300_000)),
            ("301", None),
            ("-1", None),
            ("", None),
            ("soft", None),
            ("Hard", None),
            ("2.5", None),
            ("99999999999999999999", None),
        ] {
            target.settings.insert(GRACE.into(), text.into());
            assert_eq!(grace_ms(&target), ms, "{text}");
        }
    }
}
