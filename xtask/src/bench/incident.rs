//! `cargo xtask bench incident`: the goals M1 to M10 of an incident against nginx and HAProxy with
//! 4,000 virtual hosts each, beside what people did before; M1 on 40 edges of five kinds too, M3
//! and M6 on Apache and Caddy as well, M9 on the public page of nginx.
//! A part that fails is a missed goal with its reason and costs no other part.
mod goals;

use std::path::Path;
use std::time::Instant;

use self::goals::{
    chain, edges, gate_cost, leaks, memory, most, order, plan, public, relight, reload, restart,
    untouched,
};
use super::json::Json;
use super::scan::Goal;
use crate::corpus::builder::{empty, make_folder};
use crate::{process, tree};

const ENTRIES: &str = "1000000";
const ENTRIES_QUICK: &str = "100000";
const EDGES: [&str; 4] = ["nginx", "haproxy", "apache", "caddy"];
/// Edges for which goals of thousands of sites are set.
const LARGE: [&str; 2] = ["nginx", "haproxy"];
/// Judges the figures of a part: of which edge, and whether the run was quick.
type Judge = fn(&Json, &str, bool) -> Vec<Goal>;
/// Parts that are measured on edges, and how they are judged.
const PARTS: [(&str, &[&str], Judge); 6] = [
    ("restart", &LARGE, restart),
    ("order", &LARGE, order),
    ("relight", &LARGE, relight),
    ("untouched", &LARGE, untouched),
    ("leaks", &EDGES, leaks),
    ("reload", &EDGES, reload),
];
/// Judges the figures of a part that has no edge.
type JudgeAlone = fn(&Json) -> Vec<Goal>;
/// Parts that are measured once.
const WHOLE: [(&str, JudgeAlone); 6] = [
    ("gate_cost", gate_cost),
    ("memory", memory),
    ("plan", plan),
    ("edges", edges),
    ("journal", chain),
    ("public", public),
];
/// Those of them that programs of their own measure: the crate of the program, which has the name
/// of its part, and that of the document in the raw results.
const ALONE: [(&str, &str, &str); 3] = [
    ("edges", "relight-server", "many_edges"),
    ("journal", "relight-store", "journal"),
    ("public", "relight-server", "public"),
];
/// The documents that are kept: what is measured on single edges, and those of [`ALONE`].
const DOCUMENTS: usize = 1 + ALONE.len();
/// Longest run of all parts, in seconds: what is left then is missed.
const TIME_MAX_S: u32 = 3_600;
const TIME_QUICK_MAX_S: u32 = 900;
/// Longest quick run that is called quick, in seconds.
const QUICK_GOAL_S: f64 = 60.0;

/// What to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    quick: bool,
    parts: Vec<&'a str>,
}

impl<'a> Options<'a> {
    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    fn wants_edges(&self) -> bool {
        PARTS.iter().any(|part| self.wants(part.0))
            || WHOLE.iter().any(|part| !is_alone(part.0) && self.wants(part.0))
    }

    /// How much is measured, and the longest run of one program in seconds.
    const fn size(&self) -> (&'static str, u32) {
        if self.quick { ("quick", TIME_QUICK_MAX_S) } else { ("full", TIME_MAX_S) }
    }

    /// The results of chosen parts stand beside those of whole runs.
    fn file(&self) -> String {
        let mut name = "incident".to_owned();
        for part in &self.parts {
            name += &format!("-{part}");
        }
        name + if self.quick { "-quick.json" } else { ".json" }
    }

    /// Reads `--quick` and names of parts.
    ///
    /// # Errors
    /// On any other option, and on a part that does not exist.
    pub(crate) fn parse(words: &[&'a str]) -> Result<Self, String> {
        let mut options = Self::default();
        for word in words {
            match *word {
                "--quick" => options.quick = true,
                option if option.starts_with("--") => return Err(format!("{option}: no option")),
                part if names().any(|name| name == part) => options.parts.push(part),
                part => {
                    let known = names().collect::<Vec<_>>().join(", ");
                    return Err(format!("{part}: no part; there are {known}"));
                }
            }
        }
        Ok(options)
    }
}

fn is_alone(part: &str) -> bool {
    ALONE.iter().any(|(name, ..)| *name == part)
}

fn names() -> impl Iterator<Item = &'static str> {
    PARTS.iter().map(|part| part.0).chain(WHOLE.iter().map(|part| part.0))
}

/// Builds and runs the benchmarks, judges them, and keeps the raw results.
///
/// # Errors
/// When something cannot be built or run, or when a goal is missed; what was measured is kept.
pub(crate) fn run(options: &Options<'_>) -> Result<(), String> {
    let root = tree::root();
    let work = super::target(&root).join("bench-incident");
    empty(&work)?;
    let programs = Programs::build(options)?;
    // What the builds wrote is on its way to the disk: each journal would wait for it.
    process::quiet(&root, "sync", &[])?;
    let began = Instant::now();
    let texts = programs.run(&work, options);
    let seconds = began.elapsed().as_secs_f64();
    let mut trouble = Vec::new();
    let texts = texts.map(|text| {
        text.unwrap_or_else(|reason| {
            trouble.push(reason);
            "null".to_owned()
        })
    });
    let read = |text: &String| Json::parse(text.trim()).unwrap_or(Json::Null);
    let documents = texts.each_ref().map(read);
    let mut goals = judge(&documents, options);
    if options.quick {
        goals.push(most("whole run".into(), seconds, QUICK_GOAL_S, "s"));
    }
    let text = document(&texts, seconds, &goals);
    let results = super::results(&root)?.join(options.file());
    super::write(&results, &text)?;
    println!("raw results: {}", results.display());
    let _ = std::fs::remove_dir_all(&work);
    tell(&goals, trouble)
}

fn document(texts: &[String; DOCUMENTS], seconds: f64, goals: &[Goal]) -> String {
    let rows: Vec<String> = goals.iter().map(Goal::json).collect();
    let rows = rows.join(",\n");
    let names = std::iter::once("edges").chain(ALONE.iter().map(|(.., name)| *name));
    let documents = names.zip(texts).map(|(name, text)| format!("\"{name}\":{},\n", text.trim()));
    let documents: String = documents.collect();
    format!("{{{documents}\"seconds\":{seconds:.1},\n\"goals\":[{rows}]}}\n")
}

/// The programs that measure: single edges, and the parts that stand alone. What no wanted part
/// needs is not built.
struct Programs([Option<Bench>; DOCUMENTS]);

impl Programs {
    fn build(options: &Options<'_>) -> Result<Self, String> {
        let build = |is_wanted: bool, package: &str, name: &'static str| {
            is_wanted.then(|| Bench::build(package, name)).transpose()
        };
        let mut programs =
            [build(options.wants_edges(), "relight-engine", "incident")?, None, None, None];
        for (place, (name, package, _)) in programs.iter_mut().skip(1).zip(ALONE) {
            *place = build(options.wants(name), package, name)?;
        }
        Ok(Self(programs))
    }

    /// What each of them says, one after the other.
    fn run(&self, work: &Path, options: &Options<'_>) -> [Result<String, String>; DOCUMENTS] {
        self.0.each_ref().map(|program| match program {
            None => Ok("null".to_owned()),
            Some(program) => program.measure(work, options),
        })
    }
}

/// Says each goal, then all of them in one line.
fn tell(goals: &[Goal], mut trouble: Vec<String>) -> Result<(), String> {
    for Goal { name, got, met } in goals {
        println!("{} {name}: {got}", if *met { "met   " } else { "MISSED" });
    }
    println!("{}", line(goals));
    let missed: Vec<&str> =
        goals.iter().filter(|goal| !goal.met).map(|goal| goal.name.as_str()).collect();
    if !missed.is_empty() {
        trouble.push(format!("missed: {}", missed.join("; ")));
    }
    if trouble.is_empty() { Ok(()) } else { Err(trouble.join("\n")) }
}

/// A benchmark that is built.
struct Bench {
    name: &'static str,
    program: String,
}

impl Bench {
    /// Builds it; that time counts nowhere.
    fn build(package: &str, name: &'static str) -> Result<Self, String> {
        let root = tree::root();
        let words = ["bench", "-q", "--profile", "profiling", "-p", package, "--bench", name];
        let words = [&words[..], &["--no-run", "--message-format", "json"]].concat();
        let built = process::quiet(&root, "cargo", &words)?;
        if !built.success {
            return Err(format!("building {name}: {}\n{}", built.status(), built.stderr));
        }
        let lines = built.stdout.lines().filter_map(Json::parse);
        let programs = lines.filter(|line| line.get("target").get("name").text() == name);
        let program = programs.map(|line| line.get("executable").text().to_owned()).next_back();
        let program = program.filter(|path| !path.is_empty());
        program.map(|program| Self { name, program }).ok_or_else(|| format!("{name} was not built"))
    }

    /// Its document; that of the single edges as far as it came.
    fn measure(&self, work: &Path, options: &Options<'_>) -> Result<String, String> {
        let (size, most_s) = options.size();
        let folder = work.join(self.name);
        make_folder(&folder)?;
        match self.name {
            "journal" => {
                let entries = if options.quick { ENTRIES_QUICK } else { ENTRIES };
                self.run(&folder, &[entries], TIME_MAX_S)
            }
            "incident" => {
                let parts = options.parts.iter().filter(|part| !is_alone(part));
                let words: Vec<&str> = std::iter::once(size).chain(parts.copied()).collect();
                let ran = self.run(&folder, &words, most_s);
                let file = folder.join("incident.json");
                std::fs::read_to_string(&file).map_err(|error| match ran {
                    Ok(_) => format!("read {}: {error}", file.display()),
                    Err(reason) => reason,
                })
            }
            _ => self.run(&folder, &[size], most_s),
        }
    }

    /// What it prints; progress and panics come through.
    fn run(&self, folder: &Path, words: &[&str], most_s: u32) -> Result<String, String> {
        let (most_s, place) = (most_s.to_string(), folder.to_string_lossy());
        let mut all = vec!["-k", "5", &most_s, &self.program, &*place];
        all.extend(words);
        let run = process::quiet(folder, "timeout", &all)?;
        print!("{}", run.stderr);
        let failed = || format!("{}: {}\n{}", self.name, run.status(), run.stderr);
        if run.success { Ok(run.stdout) } else { Err(failed()) }
    }
}

/// Every figure in one line.
fn line(goals: &[Goal]) -> String {
    let figures: Vec<String> =
        goals.iter().map(|Goal { name, got, .. }| format!("{} {got}", key(name))).collect();
    let met = goals.iter().filter(|goal| goal.met).count();
    format!("incident: {met} of {} met; {}", goals.len(), figures.join("; "))
}

/// The first two words of a goal: its number and its edge.
fn key(name: &str) -> String {
    name.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Every part that was wanted is judged: one without figures is missed, with its reason.
fn judge(documents: &[Json; DOCUMENTS], options: &Options<'_>) -> Vec<Goal> {
    let (mut goals, figures) = (Vec::new(), documents[0].get("figures"));
    for edge in EDGES {
        for (name, edges, part) in PARTS.iter().filter(|part| options.wants(part.0)) {
            if edges.contains(&edge) {
                let of = figures.get(edge).get(name);
                goals.extend(reason(of, &format!("{edge} {name}")));
                goals.extend(part(of, edge, options.quick));
            }
        }
    }
    for (name, part) in WHOLE.into_iter().filter(|part| options.wants(part.0)) {
        let alone = ALONE.iter().zip(&documents[1..]).find(|(alone, _)| alone.0 == name);
        let of = alone.map_or_else(|| figures.get(name), |(_, document)| document);
        goals.extend(reason(of, name));
        goals.extend(part(of));
    }
    goals
}

/// Why a part has no figures.
fn reason(of: &Json, name: &str) -> Option<Goal> {
    match (of, of.get("error").text()) {
        (Json::Null, _) => Some(Goal::new(name, "it never ran".to_owned(), false)),
        (_, "") => None,
        (_, error) => Some(Goal::new(name, error.to_owned(), false)),
    }
}

#[cfg(test)]
mod tests {
    use super::goals::zero;
    use super::*;

    fn goals(figures: &str, journal: &str, parts: &[&str]) -> Vec<Goal> {
        let options = Options { quick: true, parts: parts.to_vec() };
        let edges = format!("{{\"figures\":{figures}}}");
        let documents = [&edges, MANY, journal, PUBLIC].map(|text| Json::parse(text).unwrap());
        judge(&documents, &options)
    }

    const MANY: &str = r#"{"edges":40,"sites":4000,"proven":{"p95_ms":2900},"ratio_p95":1.6,
        "spellings":{"listeners":[4,6],"reached":0,"controls_missed":0}}"#;

    const PUBLIC: &str = r#"{"published":{"max_ms":400},"looks":900,"counts_wrong":0,
        "files":[{"rps":20000,"ratio":1.1},{"rps":9000,"ratio":0.9}]}"#;

    #[test]
    fn figures_are_judged_one_by_one() {
        let edges = r#"{"nginx":{"order":{"proven":{"p95_ms":900},"ratio_p95":1.6,
            "effective":{"p95_ms":100},"map_reload_effective":{"p95_ms":2000}},
            "reload":{"requests":9,"exposed_requests":1,"lit_after_crash":0}},
            "haproxy":{"order":{"proven":{"p95_ms":1200},"ratio_p95":1.5,
            "effective":{"p95_ms":101}},
            "reload":{"requests":9,"exposed_requests":0,"lit_after_crash":0,
            "gate_lost":{"seen_s":1.1,"dark_again_s":1.2,"not_dark":1}}},
            "apache":{"reload":{"requests":0,"exposed_requests":0,"lit_after_crash":2}},
            "caddy":{"reload":{"requests":9,"exposed_requests":0,"lit_after_crash":0,
            "gate_lost":{"seen_s":0.4,"dark_again_s":1.3,"not_dark":0}}},
            "plan":{"dry_run":{"p95_ms":12},"ratio":0.9,"identical":true}}"#;
        let journal = r#"{"verify_s_of_a_million":1.5,
            "damage":[{"right":true},{"right":false},{"right":true}]}"#;
        let judged =
            goals(edges, journal, &["order", "reload", "plan", "edges", "journal", "public"]);
        let met: Vec<bool> = judged.iter().map(|goal| goal.met).collect();
        let nginx = [true, true, false, true, false, true];
        let haproxy = [false, false, true, true, true, false, true, false];
        let others = [false, false, true, true, true, false, true];
        let plan = [true, true, true];
        let many = [true, true, false, true, true];
        let page = [true, false, true, true, false, true];
        assert_eq!(met, [&nginx[..], &haproxy, &others, &plan, &many, &page].concat());
    }

    /// Goal: nothing is met because nobody came, nothing was closed or all was over. Method: parts
    /// in which all that is counted is good, and once each what it was counted of is not there.
    #[test]
    fn what_nothing_was_counted_of_is_missed() {
        let missed = |edges: &str, parts: &[&str]| -> Vec<String> {
            let is_of = |name: &str| name.contains(" nginx ") || name.starts_with("M8 ");
            let judged = goals(edges, "null", parts).into_iter();
            judged.filter(|goal| is_of(&goal.name) && !goal.met).map(|goal| goal.name).collect()
        };
        let leaks = |requests: u32, listeners: &str, unserved: u32| {
            format!(
                r#"{{"nginx":{{"leaks":{{"requests":{requests},"leaked":0,"tunnels_alive":0,
                "tunnels_cut_s":1.1,"spellings":{{"listeners":[{listeners}],"reached":0,
                "controls_missed":{unserved}}}}}}}}}"#
            )
        };
        let served = "M3 nginx spellings of a lit site that did not reach, listeners missing = 0";
        assert_eq!(missed(&leaks(9, "4,6", 0), &["leaks"]), [] as [&str; 0]);
        assert_eq!(missed(&leaks(0, "4,6", 0), &["leaks"]), ["M3 nginx requests of visitors >= 1"]);
        assert_eq!(missed(&leaks(9, "4", 0), &["leaks"]), [served]);
        assert_eq!(missed(&leaks(9, "4,6", 1), &["leaks"]), [served]);
        let restart = |not_dark: u32, proven_before: bool| {
            format!(
                r#"{{"nginx":{{"restart":{{"converged_max_s":1,"ratio":1,"runs":[{{"orders":1,
                "entries_kept":true,"verified":true,"not_dark":{not_dark},
                "proven_before":{proven_before}}}]}}}}}}"#
            )
        };
        let [lit, late] =
            ["M7 nginx sites not dark after it = 0", "M7 nginx kills in the middle of a wave >= 1"];
        assert_eq!(missed(&restart(0, false), &["restart"]), [] as [&str; 0]);
        assert_eq!(missed(&restart(1, false), &["restart"]), [lit]);
        assert_eq!(missed(&restart(0, true), &["restart"]), [late]);
        let memory = |dark: u32| format!(r#"{{"memory":{{"peak_mb":50,"dark":{dark}}}}}"#);
        assert_eq!(missed(&memory(10_000), &["memory"]), [] as [&str; 0]);
        assert_eq!(missed(&memory(9_999), &["memory"]), ["M8 sites that it closed >= 10000"]);
        let relight = |slowest: u32| {
            format!(
                r#"{{"nginx":{{"relight":{{"clearance_to_lit":{{"p99_ms":40,"max_ms":{slowest}}},
                "singles_s_of_4000":1}}}}}}"#
            )
        };
        assert_eq!(missed(&relight(1_000), &["relight"]), [] as [&str; 0]);
        let slow = "M4 nginx clearance to lit, slowest <= 1 s";
        assert_eq!(missed(&relight(1_001), &["relight"]), [slow]);
    }

    #[test]
    fn a_figure_that_is_missing_is_missed() {
        let documents = r#"{"haproxy":{"order":{},"relight":{"error":"it stood still"}},
            "gate_cost":{},"memory":{}}"#;
        let others = |name: &&str| !["edges", "public"].contains(name);
        let all: Vec<&str> = names().filter(others).collect();
        let judged = goals(documents, "null", &all);
        assert!(judged.iter().all(|goal| !goal.met), "{}", line(&judged));
        assert!(line(&judged).starts_with("incident: 0 of "));
        let got = |name: &str| judged.iter().find(|it| it.name == name).map(|it| it.got.as_str());
        assert_eq!(got("haproxy relight"), Some("it stood still"));
        assert_eq!(got("caddy leaks"), Some("it never ran"));
        assert_eq!(got("journal"), Some("it never ran"));
        assert_eq!(got("haproxy order"), None);
        let alone = edges(&Json::Null).into_iter().chain(public(&Json::Null));
        assert!(alone.into_iter().all(|goal| !goal.met));
    }

    #[test]
    fn parts_and_size_are_chosen_and_other_options_refused() {
        let options = Options::parse(&["--quick", "order"]).unwrap();
        assert_eq!(options, Options { quick: true, parts: vec!["order"] });
        assert_eq!(options.file(), "incident-order-quick.json");
        assert_eq!(Options::default().file(), "incident.json");
        assert!(Options::parse(&["--fast"]).is_err());
        assert!(Options::parse(&["disorder"]).unwrap_err().contains("gate_cost"));
    }

    #[test]
    fn all_is_told_before_a_missed_goal_is_an_error() {
        let goals = [zero("M2 lost".into(), &[0.0]), zero("M3 leaked".into(), &[1.0])];
        assert_eq!(tell(&goals[..1], Vec::new()), Ok(()));
        assert_eq!(tell(&goals, Vec::new()), Err("missed: M3 leaked = 0".to_owned()));
        assert!(tell(&goals[..1], vec!["killed".to_owned()]).is_err());
        let texts = ["{}", "null", "null", "null"].map(str::to_owned);
        let text = document(&texts, 1.0, &goals);
        assert_eq!(Json::parse(text.trim()).unwrap().get("goals").items().len(), 2);
    }
}
