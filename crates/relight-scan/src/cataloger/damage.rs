//! Every fixture of every cataloger with bytes changed, dropped and doubled: nothing panics, and
//! no secret comes out.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::Rng;

use super::*;
use crate::window::Window;

/// Files below a folder, with their paths relative to `root`.
fn files(root: &Path, folder: &Path, out: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(root, &path, out);
        } else if path.file_name().is_some_and(|name| name != "expected.txt") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            out.push((name, fs::read(&path).unwrap()));
        }
    }
}

fn damage(rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.below(6) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = rng.below(bytes.len());
        match rng.below(5) {
            0 => bytes[at] = *rng.pick(b"{}[]()<>\"',:;=@/\\-\n\0\xff\xc3#% "),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..(at + 1 + rng.below(9)).min(bytes.len()))),
            3 => bytes.splice(at..at, "é\u{2028}💡".bytes()).for_each(drop),
            _ => bytes.extend_from_within(at..),
        }
    }
    bytes
}

#[test]
fn damaged_fixtures_never_panic_and_keep_secrets() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for cataloger in CATALOGERS {
        let folder = fixtures.join(cataloger.name());
        let mut inputs = Vec::new();
        files(&folder, &folder, &mut inputs);
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let (path, bytes) = rng.pick(&inputs).clone();
            let bytes = damage(&mut rng, bytes);
            let mut catalog = Catalog::default();
            if cataloger.selects().iter().any(|select| select.wants(&path)) {
                cataloger.catalog(&File::of_bytes(&path, &bytes), &mut catalog);
            } else {
                let window = Window::of_memory(bytes);
                cataloger.catalog(&File::of_source(&path, &window), &mut catalog);
            }
            for component in catalog.components() {
                assert!(!component.purl.name.is_empty(), "{} {seed} {path}", cataloger.name());
            }
        }
    }
}
