//! CPU seconds and memory of scans beside other programs that do the same work.
use std::path::{Path, PathBuf};

use super::cost::{Line, Turns, line};
use super::json::Json;
use super::names;
use super::peers::{self, Component};
use super::scan::Goal;
use super::stage::{self, Stage};
use crate::corpus::builder::{make_folder, write};
use crate::process;

/// Repeats of what is over in a moment, so that its CPU time can be read.
const REPEATS: u32 = 10;

/// Seconds for learning a tree of jars.
const LEARN_TIME_MAX_S: u32 = 600;

/// Official archives that the seed was learnt from, beside the repository.
const OFFICIAL: &str = "../shared/data/jars";

/// Goals about the tree of jars, of which the seed knows few, and about archives that it knows.
pub(super) fn jars(stage: &Stage<'_>) -> Vec<Goal> {
    let tree = match stage.jars() {
        Ok(tree) => tree,
        Err(reason) => return vec![Goal::unmeasured("a tree of jars", &reason)],
    };
    println!("tree of jars: {}", stage::size(&tree));
    let mut goals = both(stage, "", &tree, &[]);
    let database = stage.corpus.join("bench/tree.fp");
    match learn(stage, &tree, &database) {
        Ok(()) => {
            let options = ["--fingerprints", &text(&database)];
            goals.extend(both(stage, " of learnt archives", &tree, &options));
        }
        Err(reason) => goals.push(Goal::unmeasured("modes of learnt archives", &reason)),
    }
    let official = crate::tree::root().join(OFFICIAL);
    if official.is_dir() {
        goals.extend(both(stage, " of official log4j-core", &official, &[]));
    }
    goals
}

/// Learns every archive of a tree, as somebody does who has a mirror.
fn learn(stage: &Stage<'_>, tree: &Path, database: &Path) -> Result<(), String> {
    let (program, out) = (text(&stage.program), text(database));
    let command = line(&[&program, "fingerprints", "learn", &text(tree), "--to", &out]);
    let (cost, run) = super::cost::measure(&stage.corpus, &command, LEARN_TIME_MAX_S)?;
    println!("learning the tree of jars: {:.1} CPU s, {:.0} MiB", cost.cpu, cost.peak_mib);
    if run.is_read() { Ok(()) } else { Err(format!("learn: {} {}", run.status(), run.stderr)) }
}

/// Goals about both modes on one tree.
fn both(stage: &Stage<'_>, of: &str, tree: &Path, options: &[&str]) -> Vec<Goal> {
    let fast = fast(stage, of, tree, options);
    let deep = deep(stage, of, tree, options);
    let unmeasured = |reason: String| vec![Goal::unmeasured(&format!("both modes{of}"), &reason)];
    [fast, deep].into_iter().flat_map(|goals| goals.unwrap_or_else(unmeasured)).collect()
}

fn fast(stage: &Stage<'_>, of: &str, tree: &Path, options: &[&str]) -> Result<Vec<Goal>, String> {
    stage.has("--mode")?;
    let cat = line(&["sh", "-c", "find \"$1\" -type f -exec cat {} +", "sh", &text(tree)]);
    let options = [&["--mode", "fast"], options].concat();
    let fast = stage.relight(&uncached(stage, &options), tree);
    let commands = [(fast, REPEATS), (cat, REPEATS), (syft(stage, tree)?, 1)];
    let turns = Turns::run(&stage.corpus, &commands, stage.rounds())?;
    let peak = turns.peak_mib(0);
    let (ours, of_cat, of_syft) = (turns.cpu(0), turns.cpu(1), turns.cpu(2));
    Ok(vec![
        Goal::ratio(&format!("fast mode{of}, CPU of cat"), (ours, of_cat), 1.0),
        Goal::ratio(&format!("fast mode{of}, CPU of syft"), (ours, of_syft), 0.01),
        Goal::new(format!("fast mode{of} <= 64 MiB"), format!("{peak:.0} MiB"), peak <= 64.0),
    ])
}

fn deep(stage: &Stage<'_>, of: &str, tree: &Path, options: &[&str]) -> Result<Vec<Goal>, String> {
    let unzip = "find \"$1\" -name '*.jar' -exec unzip -tqq {} \\;";
    let unzip = line(&["sh", "-c", unzip, "sh", &text(tree)]);
    let deep = stage.relight(&uncached(stage, options), tree);
    let inflate = text(&super::example(&crate::tree::root(), "relight-formats", "inflate")?);
    let all = line(&[&inflate, &text(tree)]);
    let classes = line(&[&inflate, &text(tree), ".class"]);
    let commands = [(deep, 1), (unzip, 1), (syft(stage, tree)?, 1), (all, 1), (classes, 1)];
    let turns = Turns::run(&stage.corpus, &commands, stage.rounds())?;
    let peak = turns.peak_mib(0);
    let (ours, of_unzip, of_syft) = (turns.cpu(0), turns.cpu(1), turns.cpu(2));
    Ok(vec![
        Goal::ratio(&format!("deep mode{of}, CPU of unzip -t"), (ours, of_unzip), 0.15),
        Goal::ratio(&format!("deep mode{of}, CPU of syft"), (ours, of_syft), 0.08),
        Goal::new(format!("deep mode{of} <= 64 MiB"), format!("{peak:.0} MiB"), peak <= 64.0),
        floor(of, ours, of_unzip, [turns.cpu(3), turns.cpu(4)]),
    ])
}

/// What the members that deep mode reads cost to unpack with its decoder and nothing else: it is
/// met or missed by nobody, and says how much of the rest is ours.
fn floor(of: &str, ours: f64, of_unzip: f64, [all, classes]: [f64; 2]) -> Goal {
    let got = format!(
        "{:.3} ({all:.3} s; classes alone {:.3}); deep mode takes {:.2} times that",
        all / of_unzip,
        classes / of_unzip,
        ours / all
    );
    Goal::new(format!("decoding alone{of}, CPU of unzip -t"), got, true)
}

/// `--no-cache` in front, where there is a cache.
fn uncached<'a>(stage: &Stage<'_>, options: &[&'a str]) -> Vec<&'a str> {
    let mut all = options.to_vec();
    if stage.has("--no-cache").is_ok() {
        all.push("--no-cache");
    }
    all
}

fn syft(stage: &Stage<'_>, tree: &Path) -> Result<Line, String> {
    let out = peers::answers(&stage.corpus.join("bench"))?.join("syft-tree.json");
    Ok(stage.peer("syft")?.command(tree, &out))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A scan of what was scanned before, and sites that share their jars.
pub(super) fn repetition(stage: &Stage<'_>) -> Vec<Goal> {
    let mut goals = Vec::new();
    match second(stage) {
        Ok(goal) => goals.push(goal),
        Err(reason) => goals.push(Goal::unmeasured("second scan <= 0.02", &reason)),
    }
    match sites(stage) {
        Ok(goal) => goals.push(goal),
        Err(reason) => goals.push(Goal::unmeasured("sites that share their jars", &reason)),
    }
    goals
}

fn second(stage: &Stage<'_>) -> Result<Goal, String> {
    let tree = stage.jars()?;
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..stage.rounds() {
        stage.forget()?;
        let (cost, one) = stage.scan(&[], &tree)?;
        let (later, other) = stage.scan(&[], &tree)?;
        if inventory(&one) != inventory(&other) {
            return Err("the second scan says something else".into());
        }
        first.push(cost.cpu);
        again.push(later.cpu);
    }
    let costs = (super::cost::median(again), super::cost::median(first));
    Ok(Goal::ratio("second scan of an unchanged tree, CPU of the first", costs, 0.02))
}

/// What a scan found, without what the run itself did.
fn inventory(document: &Json) -> [&Json; 4] {
    ["components", "findings", "unread", "complete"].map(|key| document.get(key))
}

/// Of a hundred sites of the portfolio (`REGISTER` 15), so many run Java.
const JAVA_PERCENT: usize = 18;

/// On so many sites stands a jar: the portfolio has 1,572,201 components, 141,390 of them distinct.
const SITES_OF_A_JAR: usize = 11;

/// Bytes of the jars that sites share: copied as often, they take 6 GB of the disk. The three
/// larger ones of the tree would take 4 GB more.
const SHARED_BYTES_MAX: u64 = 48_000_000;

/// Sites that share their jars as those of the portfolio do, against the jars alone.
fn sites(stage: &Stage<'_>) -> Result<Goal, String> {
    let count = if stage.quick { 400 } else { 4000 };
    let mut jars = stage::files(&stage.jars()?, ".jar");
    jars.retain(|jar| jar.metadata().is_ok_and(|it| it.len() <= SHARED_BYTES_MAX));
    if stage.quick {
        jars.truncate(jars.len() / 10);
    }
    let java_sites = count * JAVA_PERCENT / 100;
    let spread = |number: usize| (0..SITES_OF_A_JAR).map(move |copy| number + copy * 65);
    let places = (0..jars.len())
        .flat_map(|jar| spread(jar * SITES_OF_A_JAR).map(move |site| (site % java_sites, jar)));
    let costs = shared_and_alone(stage, count, &jars, &places.collect::<Vec<_>>())?;
    let name = format!(
        "{count} sites, {java_sites} with {} jars, each on {SITES_OF_A_JAR}, CPU of the jars",
        jars.len()
    );
    // The hardest form of it: every site has one jar, in folders of its own.
    let middle: Vec<_> = jars.iter().filter(|it| is_middle(it)).cloned().collect();
    let places: Vec<_> = (0..count).map(|site| (site, site % middle.len().max(1))).collect();
    let (together, alone) = shared_and_alone(stage, count, &middle, &places)?;
    let ratio = together / alone;
    println!("one of {} jars a site: {ratio:.3} ({together:.3} s, {alone:.3} s)", middle.len());
    Ok(Goal::ratio(&name, costs, 1.1))
}

fn is_middle(jar: &Path) -> bool {
    jar.metadata().is_ok_and(|it| (200_000..3_000_000).contains(&it.len()))
}

/// The CPU of a scan of sites with copies of jars in these places, and of the jars alone.
fn shared_and_alone(
    stage: &Stage<'_>,
    sites: usize,
    jars: &[PathBuf],
    places: &[(usize, usize)],
) -> Result<(f64, f64), String> {
    let (distinct, shared) = (stage.folder("distinct")?, stage.folder("sites")?);
    let name = |jar: usize| jars[jar].file_name().unwrap_or_default().to_owned();
    for (number, jar) in jars.iter().enumerate() {
        copy(jar, &distinct.join(number.to_string()).join(name(number)))?;
    }
    for number in 0..sites {
        let page = format!("<p>{number}</p>\n");
        write(&shared.join(format!("site-{number:04}/index.html")), page.as_bytes())?;
    }
    for (site, jar) in places {
        let library = shared.join(format!("site-{site:04}/WEB-INF/lib")).join(name(*jar));
        copy(&jars[*jar], &library)?;
    }
    println!("sites that share their jars: {}", stage::size(&shared));
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..stage.rounds() {
        stage.forget()?;
        alone.push(stage.scan(&[], &distinct)?.0.cpu);
        stage.forget()?;
        together.push(stage.scan(&[], &shared)?.0.cpu);
    }
    process::output(&stage.corpus, "rm", &["-rf", &text(&shared), &text(&distinct)])?;
    Ok((super::cost::median(together), super::cost::median(alone)))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    make_folder(to.parent().unwrap_or(to))?;
    std::fs::copy(from, to).map(drop).map_err(|error| format!("copy {}: {error}", to.display()))
}

/// The inventory of a Debian root.
pub(super) fn debian(stage: &Stage<'_>) -> Vec<Goal> {
    let measured = || -> Result<Vec<Goal>, String> {
        let root = debian_root(stage)?;
        println!("Debian root: {}", stage::size(&root));
        let answers = peers::answers(&stage.corpus.join("bench"))?;
        let (syft_out, trivy_out) = (answers.join("syft.json"), answers.join("trivy.json"));
        let commands = [
            (stage.relight(&uncached(stage, &[]), &root), 1),
            (stage.peer("syft")?.command(&root, &syft_out), 1),
            (stage.peer("trivy")?.command(&root, &trivy_out), 1),
        ];
        let turns = Turns::run(&stage.corpus, &commands, stage.rounds())?;
        let (_, document) = stage.scan(&uncached(stage, &[]), &root)?;
        let ours = relight_components(&document);
        let mut goals = vec![
            Goal::ratio("Debian root, CPU of syft", (turns.cpu(0), turns.cpu(1)), 0.05),
            Goal::ratio("Debian root, CPU of trivy", (turns.cpu(0), turns.cpu(2)), 1.0),
        ];
        let peak = turns.peak_mib(0);
        goals.push(Goal::new("Debian root <= 64 MiB", format!("{peak:.0} MiB"), peak <= 64.0));
        for (name, out) in [("syft", &syft_out), ("trivy", &trivy_out)] {
            let theirs = stage.peer(name)?.components(&peers::answer(out));
            goals.push(names::superset(name, (&ours, &theirs), &root, &answers)?);
        }
        Ok(goals)
    };
    measured().unwrap_or_else(|reason| vec![Goal::unmeasured("Debian root", &reason)])
}

/// What is installed in the Debian root: Java, Ruby, PHP, Python, npm and Go, as the corpus wants.
const DEBIAN_PACKAGES: &str = "openjdk-17-jre-headless maven ant tomcat10 liblog4j2-java \
    libspring-web-java rails php-cli composer phpunit python3-django python3-requests \
    python3-cryptography python3-pandas npm docker.io hugo caddy git build-essential nginx";

/// Debian and packages of Debian only: whatever else is on this machine, the figures are of the
/// same tree anywhere. It is kept for the next run.
fn debian_root(stage: &Stage<'_>) -> Result<PathBuf, String> {
    let root = stage.corpus.join("debian-root");
    if root.join("complete").is_file() {
        return Ok(root);
    }
    // Scripts of packages ask for `proc`; in a name space of its own, it is gone with them.
    let script = "set -e; root=$1; shift; rm -rf \"$root\"; \
        debootstrap --variant=minbase bookworm \"$root\"; \
        printf '#!/bin/sh\\nexit 101\\n' > \"$root/usr/sbin/policy-rc.d\"; \
        chmod +x \"$root/usr/sbin/policy-rc.d\"; chroot \"$root\" apt-get -q update; \
        unshare --mount --pid --fork --mount-proc=\"$root/proc\" chroot \"$root\" \
        env DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install \"$@\"; \
        chroot \"$root\" apt-get clean; rm \"$root/usr/sbin/policy-rc.d\"; \
        touch \"$root/complete\"";
    let place = text(&root);
    let mut arguments = vec!["-c", script, "sh", &place];
    arguments.extend(DEBIAN_PACKAGES.split_whitespace());
    let run = process::quiet(&stage.corpus, "sh", &arguments)?;
    let reason = run.stderr.trim_end().lines().last().unwrap_or_default();
    if run.success { Ok(root) } else { Err(format!("make a Debian root: {reason}")) }
}

/// The components of our own document.
pub(super) fn relight_components(document: &Json) -> Vec<Component> {
    let rows = document.get("components").items().iter();
    rows.map(|row| {
        let purl = row.get("purl").text().to_owned();
        let plain = purl.split(['?', '#']).next().unwrap_or_default();
        let (path, _) = plain.rsplit_once('@').unwrap_or((plain, ""));
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let (version, place) =
            (row.get("version").text().into(), row.get("evidence").text().into());
        Component { name, version, purl, place }
    })
    .collect()
}

/// What a scan costs that has next to nothing to do.
pub(super) fn start(stage: &Stage<'_>) -> Vec<Goal> {
    let measured = || -> Result<Vec<Goal>, String> {
        let folder = stage.folder("start")?;
        write(&folder.join("a.txt"), b"nothing\n")?;
        let commands = [(stage.relight(&[], &folder), 100)];
        let turns = Turns::run(&stage.corpus, &commands, stage.rounds())?;
        let got = format!("{:.4} s, {:.0} MiB", turns.cpu(0), turns.peak_mib(0));
        Ok(vec![Goal::new("start <= 0.005 CPU s", got, turns.cpu(0) <= 0.005)])
    };
    measured().unwrap_or_else(|reason| vec![Goal::unmeasured("start", &reason)])
}

/// Whether two scans of one tree, on one and on several threads, are equal to the byte.
pub(super) fn determinism(stage: &Stage<'_>) -> Vec<Goal> {
    let measured = || -> Result<Vec<Goal>, String> {
        let tree = stage.corpus.join("samples");
        let run = |threads: &str| {
            let mut options = uncached(stage, &["--threads"]);
            options.insert(1, threads);
            let command = stage.relight(&options, &tree);
            super::cost::measure(&stage.corpus, &command, 600).map(|(_, run)| run.stdout)
        };
        let (one, two, more) = (run("1")?, run("2")?, run("8")?);
        let equal = one == two && two == more && !one.is_empty();
        let got = format!("{} bytes on 1, 2 and 8 threads", one.len());
        Ok(vec![Goal::new("equal output on any number of threads", got, equal)])
    };
    measured().unwrap_or_else(|reason| vec![Goal::unmeasured("equal output", &reason)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_told_beside_what_deep_mode_takes() {
        let row = floor(" of these", 6.0, 20.0, [4.0, 3.0]);
        assert_eq!(row.name, "decoding alone of these, CPU of unzip -t");
        assert_eq!(
            row.got,
            "0.200 (4.000 s; classes alone 0.150); deep mode takes 1.50 times that"
        );
        assert!(row.met);
    }

    #[test]
    fn our_own_components_are_read() {
        let text = "{\"components\":[{\"purl\":\"pkg:maven/g.h/a@1.0?x=y\",\"version\":\"1.0\"}]}";
        let read = relight_components(&Json::parse(text).unwrap());
        assert_eq!((read[0].name.as_str(), read[0].version.as_str()), ("a", "1.0"));
    }
}
