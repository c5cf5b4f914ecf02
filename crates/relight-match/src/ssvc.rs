//! Stakeholder-specific vulnerability categorisation: CISA's published tree, as data.

use relight_model::Criticality;

/// What CISA's tree says to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Within the usual time.
    Track,
    /// Within the usual time, watched closely.
    TrackStar,
    /// Sooner than usual, with the knowledge of those in charge.
    Attend,
    /// As soon as possible, led by those in charge.
    Act,
}

impl Decision {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::TrackStar => "track-star",
            Self::Attend => "attend",
            Self::Act => "act",
        }
    }
}

/// The points of a flaw, as far as they are known, in the words of the publisher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Points<'a> {
    /// `none`, `poc`, `active`.
    pub exploitation: Option<&'a str>,
    /// `no`, `yes`.
    pub automatable: Option<&'a str>,
    /// `partial`, `total`.
    pub impact: Option<&'a str>,
}

/// One row for each exploitation, automatable and technical impact, in rising order; one column
/// for each mission: `t` track, `s` track*, `a` attend, `!` act. (CISA SSVC Guide, November 2022,
/// table 9; CERT/CC data `cisa_coordinator`.)
const TREE: [&[u8; 3]; 12] = [
    b"ttt", b"tts", b"tta", b"tta", b"tts", b"tsa", b"tta", b"tsa", b"tta", b"ta!", b"aa!", b"a!!",
];

const EXPLOITATION: [&str; 3] = ["none", "poc", "active"];
const AUTOMATABLE: [&str; 2] = ["no", "yes"];
const IMPACT: [&str; 2] = ["partial", "total"];

/// The decision, and whether a point was missing: then the worse value is taken.
pub fn decide(points: &Points<'_>, criticality: Criticality) -> (Decision, bool) {
    let mut is_assumed = false;
    let mut place = |names: &[&str], value: Option<&str>| {
        let found = names.iter().position(|name| Some(*name) == value.map(known));
        is_assumed |= found.is_none();
        found.unwrap_or(names.len() - 1)
    };
    let exploitation = place(&EXPLOITATION, points.exploitation);
    let automatable = place(&AUTOMATABLE, points.automatable);
    let impact = place(&IMPACT, points.impact);
    let mission = match criticality {
        Criticality::Vital | Criticality::Essential => 2,
        Criticality::Important => 1,
        Criticality::Normal => 0,
    };
    let decision = match TREE[exploitation * 4 + automatable * 2 + impact][mission] {
        b't' => Decision::Track,
        b's' => Decision::TrackStar,
        b'a' => Decision::Attend,
        _ => Decision::Act,
    };
    (decision, is_assumed)
}

/// The same value in the words of newer versions of the scheme.
fn known(value: &str) -> &str {
    match value {
        "public poc" | "public_poc" => "poc",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row as published: exploitation, automatable, technical impact, mission, decision.
    const PUBLISHED: &str = "\
        none no partial low track|none no partial medium track|none no partial high track
        none no total low track|none no total medium track|none no total high track-star
        none yes partial low track|none yes partial medium track|none yes partial high attend
        none yes total low track|none yes total medium track|none yes total high attend
        poc no partial low track|poc no partial medium track|poc no partial high track-star
        poc no total low track|poc no total medium track-star|poc no total high attend
        poc yes partial low track|poc yes partial medium track|poc yes partial high attend
        poc yes total low track|poc yes total medium track-star|poc yes total high attend
        active no partial low track|active no partial medium track|active no partial high attend
        active no total low track|active no total medium attend|active no total high act
        active yes partial low attend|active yes partial medium attend|active yes partial high act
        active yes total low attend|active yes total medium act|active yes total high act";

    #[test]
    fn each_row_of_the_tree() {
        let mut rows = 0;
        for row in PUBLISHED.split(['|', '\n']) {
            let words: Vec<_> = row.split_whitespace().collect();
            let [exploitation, automatable, impact, mission, wanted] = words[..] else {
                panic!("{row}")
            };
            let points = Points {
                exploitation: Some(exploitation),
                automatable: Some(automatable),
                impact: Some(impact),
            };
            let criticality = match mission {
                "low" => Criticality::Normal,
                "medium" => Criticality::Important,
                _ => Criticality::Vital,
            };
            let (decision, is_assumed) = decide(&points, criticality);
            assert_eq!((decision.as_str(), is_assumed), (wanted, false), "{row}");
            rows += 1;
        }
        assert_eq!(rows, 36);
    }

    #[test]
    fn a_missing_point_is_the_worse_one_and_said() {
        let poc = Points { exploitation: Some("public poc"), ..Points::default() };
        assert_eq!(decide(&poc, Criticality::Vital), (Decision::Attend, true));
        let nothing = decide(&Points::default(), Criticality::Normal);
        assert_eq!(nothing, (Decision::Attend, true));
        let odd = Points { exploitation: Some("maybe"), ..Points::default() };
        assert_eq!(decide(&odd, Criticality::Vital), (Decision::Act, true));
        assert_eq!(decide(&odd, Criticality::Essential), (Decision::Act, true));
    }
}
