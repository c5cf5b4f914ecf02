//! Thousands of damaged archives from one seed: never a panic, never silent.

use std::collections::BTreeSet;

use relight_scan::{FILE_SIZE_MAX, Options};
use testkit::Rng;

use crate::zip_writer::{Member, write};
use crate::{pom, pom_path, run, text, tree};

fn archive() -> Vec<u8> {
    let inner = write(&[
        Member::deflated(&pom_path("b"), &pom("b", "1")),
        Member::stored("META-INF/MANIFEST.MF", b"Implementation-Title: b\n"),
    ]);
    let mut streamed = Member::deflated(&pom_path("a"), &pom("a", "1"));
    streamed.descriptor = true;
    write(&[
        Member::stored("inner.jar", &inner),
        streamed,
        Member::deflated("deflated.jar", &inner),
        Member::stored("x-1.dist-info/METADATA", b"Name: x\nVersion: 1\n"),
    ])
}

/// Goal: no truncated archive is ever complete, at any length.
/// Method: every length from 4 bytes (below, nothing says that it was an archive) to one short.
#[test]
fn a_truncated_archive_is_never_complete() {
    let zip = archive();
    let names: Vec<_> = (4..zip.len()).map(|len| format!("{len:06}.jar")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), &zip[..at + 4])).collect();
    let report = run(tree(&files).path(), &Options::default());
    for name in &names {
        let own = |evidence: &str| evidence == name || evidence.starts_with(&format!("{name}!/"));
        assert!(report.sbom.flaws.iter().any(|flaw| own(&flaw.evidence)), "{name}");
    }
}

/// Goal: the same of every family of containers. Method: each sample, cut at every length from
/// the first at which its head is one up to its padding.
#[test]
fn a_container_of_any_family_that_was_cut_is_never_complete() {
    for (kind, bytes) in crate::containers::samples() {
        let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let lens: Vec<usize> = (HEAD_BYTES..bytes.len() - padding).collect();
        let names: Vec<_> = lens.iter().map(|len| format!("{len:06}")).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().zip(&lens).map(|(name, len)| (name.as_str(), &bytes[..*len])).collect();
        let report = run(tree(&files).path(), &Options::default());
        let flaws = report.sbom.flaws.iter();
        let flawed: BTreeSet<&str> =
            flaws.map(|flaw| flaw.evidence.split('!').next().unwrap_or_default()).collect();
        let silent: Vec<_> = names.iter().filter(|name| !flawed.contains(name.as_str())).collect();
        assert!(silent.is_empty(), "{kind} of {}: {silent:?}", bytes.len());
    }
}

/// Bytes by which the head of every family is known.
const HEAD_BYTES: usize = 512;

/// Archives that the suite damages; `cargo xtask soak` asks for more in `RELIGHT_ARCHIVES`.
const MUTATED: usize = 1_500;

/// Archives that are scanned as one tree.
const IN_TREE: usize = 250;

/// Goal: whatever the bytes, a scan ends without a panic and within its limits, every byte is
/// accounted for, and the neighbour of damage is found.
/// Method: every family of containers with one to six changes each (bits, bytes, moved and
/// repeated pieces) from one seed, scanned in trees of 250 with limits small enough to be met. A
/// panic is caught file by file and counted by a hook; the balance is checked by `run`.
#[test]
fn mutated_archives_never_stop_a_scan() {
    let seed = 20_211_210;
    let asked = std::env::var("RELIGHT_ARCHIVES").ok().and_then(|text| text.parse().ok());
    let count: usize = asked.unwrap_or(MUTATED);
    println!("seed {seed}, {count} archives");
    let mut rng = Rng::new(seed);
    let mut good = crate::containers::samples();
    good.push(("jar", archive()));
    let panics = Panics::count();
    let mut left = count;
    while left > 0 {
        let number = left.min(IN_TREE);
        left -= number;
        scan_mutated(&good, number, &mut rng);
        assert_eq!(panics.seen(), 0, "seed {seed}, with {left} left");
    }
}

fn scan_mutated(good: &[(&str, Vec<u8>)], count: usize, rng: &mut Rng) {
    let mut files = vec![("good.jar".to_owned(), archive())];
    for number in 0..count {
        let (kind, bytes) = rng.pick(good);
        let mut bytes = bytes.clone();
        for _ in 0..=rng.below(5) {
            mutate(&mut bytes, rng);
        }
        files.push((format!("{number}.{kind}"), bytes));
    }
    let borrowed: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let options = Options {
        expanded_free_bytes: 1 << 20,
        file_size_max: FILE_SIZE_MAX.min(1 << 20),
        entries_max: 100,
        file_time_max_s: 5,
        ..Options::default()
    };
    let report = run(tree(&borrowed).path(), &options);
    assert_eq!(report.files, count as u64 + 1);
    let own = text(&report);
    let found: Vec<_> = own.lines().filter(|line| line.contains(" in good.jar")).collect();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(!own.lines().any(|line| line.starts_with("flaw ") && line.contains(" good.jar")));
    assert!(!own.contains("flaw limit-time"), "{own}");
}

/// Counts panics of all threads, whoever catches them.
struct Panics(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Panics {
    fn count() -> Self {
        let seen = Self(std::sync::Arc::default());
        let counter = std::sync::Arc::clone(&seen.0);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            before(info);
        }));
        seen
    }

    fn seen(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

pub(crate) fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = rng.below(bytes.len());
    let end = at + rng.below(bytes.len() - at);
    match rng.below(7) {
        0 => bytes[at] ^= 1 << rng.below(8),
        1 => bytes[at] = *rng.pick(&[0, 1, 0x7f, 0x80, 0xff]),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let piece = bytes[at..end].to_vec();
            let to = rng.below(bytes.len());
            bytes.splice(to..to, piece);
        }
        5 => bytes[at..end].fill(0xff),
        _ => {
            let to = rng.below(bytes.len());
            bytes.swap(at, to);
        }
    }
}
