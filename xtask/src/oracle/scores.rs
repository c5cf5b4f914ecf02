//! `cargo xtask oracle cvss`: random vectors of every version with optional metrics, put to the
//! package `cvss` of Python and to `relight advisories cvss`.

use std::path::Path;

use super::versions::Chance;
use super::{SHOWN_MAX, program};
use crate::process;

/// Vectors of one run.
const VECTORS: usize = 20_000;

/// A version: how its vectors start, the metrics that must be there, and those that may be.
struct Scale {
    prefix: &'static str,
    needed: &'static [&'static str],
    optional: &'static [&'static str],
}

/// Each metric with its values, between blanks.
const SCALES: [Scale; 4] = [
    Scale {
        prefix: "",
        needed: &["AV L A N", "AC H M L", "Au M S N", "C N P C", "I N P C", "A N P C"],
        optional: &[
            "E U POC F H ND",
            "RL OF TF W U ND",
            "RC UC UR C ND",
            "CDP N L LM MH H ND",
            "TD N L M H ND",
            "CR L M H ND",
            "IR L M H ND",
            "AR L M H ND",
        ],
    },
    Scale { prefix: "CVSS:3.0/", needed: NEEDED_3, optional: OPTIONAL_3 },
    Scale { prefix: "CVSS:3.1/", needed: NEEDED_3, optional: OPTIONAL_3 },
    Scale {
        prefix: "CVSS:4.0/",
        needed: &[
            "AV N A L P",
            "AC L H",
            "AT N P",
            "PR N L H",
            "UI N P A",
            "VC H L N",
            "VI H L N",
            "VA H L N",
            "SC H L N",
            "SI H L N",
            "SA H L N",
        ],
        optional: &[
            "E X A P U",
            "CR X H M L",
            "IR X H M L",
            "AR X H M L",
            "MAV X N A L P",
            "MAC X L H",
            "MAT X N P",
            "MPR X N L H",
            "MUI X N P A",
            "MVC X H L N",
            "MVI X H L N",
            "MVA X H L N",
            "MSC X H L N",
            "MSI X S H L N",
            "MSA X S H L N",
            "S X N P",
            "AU X N Y",
            "R X A U I",
            "V X D C",
            "RE X L M H",
            "U X Clear Green Amber Red",
        ],
    },
];

const NEEDED_3: &[&str] =
    &["AV N A L P", "AC L H", "PR N L H", "UI N R", "S C U", "C H L N", "I H L N", "A H L N"];

const OPTIONAL_3: &[&str] = &[
    "E X H F P U",
    "RL X U W T O",
    "RC X C R U",
    "CR X H M L",
    "IR X H M L",
    "AR X H M L",
    "MAV X N A L P",
    "MAC X L H",
    "MPR X N L H",
    "MUI X N R",
    "MS X C U",
    "MC X H L N",
    "MI X H L N",
    "MA X H L N",
];

/// Base, temporal and environmental score of each line; of version 4 only that of the whole. `-`
/// is none.
const SCRIPT: &str = "
import sys
from cvss import CVSS2, CVSS3, CVSS4
for line in sys.stdin.read().split('\\n')[:-1]:
    if line.startswith('CVSS:4'):
        scores = ['-', '-', CVSS4(line).base_score]
    else:
        scores = (CVSS3 if line.startswith('CVSS:3') else CVSS2)(line).scores()
    print(*['-' if it in (None, '-') else '%.1f' % it for it in scores])
";

/// Asks both sides about random vectors.
///
/// # Errors
/// When the package is not there, or the two sides differ.
pub(super) fn run(options: &[&str]) -> Result<(), String> {
    let usage = || "oracle cvss [--seed N] [--count N]".to_owned();
    let (mut seed, mut count) = (1, VECTORS);
    for option in options.chunks(2) {
        match option {
            ["--seed", value] => seed = value.parse().map_err(|_| usage())?,
            ["--count", value] => count = value.parse().map_err(|_| usage())?,
            _ => return Err(usage()),
        }
    }
    let mut chance = Chance::new(seed);
    let vectors: Vec<String> = (0..count).map(|at| vector(&SCALES[at % 4], &mut chance)).collect();
    let lines: String = vectors.iter().map(|it| format!("{it}\n")).collect();
    let theirs = process::filter("python3", &["-c", SCRIPT], lines.as_bytes())
        .map_err(|error| format!("{error} (python3 with the package cvss)"))?;
    let theirs = String::from_utf8_lossy(&theirs).into_owned();
    let ours = ours(&program()?, &lines)?;
    let theirs: Vec<&str> = theirs.lines().collect();
    if (theirs.len(), ours.len()) != (count, count) {
        return Err(format!("{} and {} answers to {count} vectors", theirs.len(), ours.len()));
    }
    let rows = vectors.iter().zip(theirs.into_iter().zip(&ours));
    let different: Vec<_> = rows.filter(|(_, (theirs, ours))| !agree(theirs, ours)).collect();
    println!("cvss, seed {seed}: {count} vectors, {} different", different.len());
    for (vector, (theirs, ours)) in different.iter().take(SHOWN_MAX) {
        println!("    {vector}: the package says {theirs}, relight {}", ours.join(" "));
    }
    if different.is_empty() { Ok(()) } else { Err("cvss: the two sides differ".to_owned()) }
}

/// A vector with each metric that must be there, and each other one by even chance.
fn vector(scale: &Scale, chance: &mut Chance) -> String {
    let mut parts = Vec::new();
    let is_bare = chance.below(4) == 0;
    let optional = scale.optional.iter().filter(|_| !is_bare && chance.below(2) == 0);
    let optional: Vec<&&str> = optional.collect();
    for metric in scale.needed.iter().chain(optional) {
        let words: Vec<&str> = metric.split(' ').collect();
        parts.push(format!("{}:{}", words[0], chance.pick(&words[1..])));
    }
    format!("{}{}", scale.prefix, parts.join("/"))
}

/// Three scores of each vector; of version 4 the third is that of the whole.
fn ours(program: &Path, lines: &str) -> Result<Vec<[String; 3]>, String> {
    let arguments = ["advisories", "cvss", "--lang", "en", "--color", "never"];
    let run = process::feed(program, &arguments, lines.as_bytes())?;
    let row = |line: &str| {
        // `base 10.0  temporal 9.1  environmental -  VECTOR`
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, base, _, second, _, third, ..] = words[..] else { return None };
        let last = [third, second, base].into_iter().find(|it| *it != "-").unwrap_or("-");
        let is_4 = line.contains("CVSS:4");
        Some([base, second, if is_4 { last } else { third }].map(str::to_owned))
    };
    Ok(run.stdout.lines().filter_map(row).collect())
}

/// Where the package gives no score there is nothing to compare.
fn agree(theirs: &str, ours: &[String; 3]) -> bool {
    let mut pairs = theirs.split(' ').zip(ours);
    pairs.all(|(theirs, ours)| theirs == "-" || theirs == ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_of_every_version_and_from_their_seed() {
        let of = |seed| {
            let mut chance = Chance::new(seed);
            (0..8).map(|at| vector(&SCALES[at % 4], &mut chance)).collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        let prefixes = of(7).iter().map(|it| it[..8].to_owned()).collect::<Vec<_>>();
        assert_eq!(prefixes[1..4], ["CVSS:3.0", "CVSS:3.1", "CVSS:4.0"]);
        assert!(prefixes[0].starts_with("AV:"), "{prefixes:?}");
    }

    #[test]
    fn only_what_the_package_says_is_compared() {
        let ours = ["9.8", "-", "9.1"].map(str::to_owned);
        for (theirs, wanted) in
            [("9.8 - -", true), ("9.8 - 9.1", true), ("9.8 - 9.0", false), ("9.8 9.8 -", false)]
        {
            assert_eq!(agree(theirs, &ours), wanted, "{theirs}");
        }
    }
}
