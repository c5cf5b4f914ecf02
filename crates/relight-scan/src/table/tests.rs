//! Damage of each format: whatever the bytes, a walk ends, and says why.

use testkit::Rng;

use super::*;
use crate::window::Window;

const FILES: [(&str, &[u8]); 3] = [
    ("sqlite", include_bytes!("../../fixtures/rpm/sqlite/var/lib/rpm/rpmdb.sqlite")),
    ("ndb", include_bytes!("../../fixtures/rpm/ndb/usr/lib/sysimage/rpm/Packages.db")),
    ("berkeley", include_bytes!("../../fixtures/rpm/berkeley/var/lib/rpm/Packages")),
];

/// How many values a file gives, and whether it ends well.
fn walk(name: &str, bytes: Vec<u8>) -> (usize, Result<(), Damage>) {
    let window = Window::of_memory(bytes);
    let mut count = 0;
    let ended = match name {
        "sqlite" => sqlite::rows(&window, "Packages", &mut |_| count += 1).map(drop),
        "ndb" => ndb::values(&window, &mut |_| count += 1),
        _ => berkeley::values(&window, &mut |_| count += 1),
    };
    (count, ended)
}

#[test]
fn damage_ends_a_walk_and_never_a_scan() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let (name, bytes) = *rng.pick(&FILES);
        let mut bytes = bytes.to_vec();
        for _ in 0..=rng.below(20) {
            let at = rng.below(bytes.len());
            bytes[at] = *rng.pick(&[0, 1, 5, 13, 0x7f, 0xff]);
        }
        if rng.chance(30) {
            bytes.truncate(rng.below(bytes.len()));
        }
        let (count, _) = walk(name, bytes);
        assert!(count < 100_000, "seed {seed}");
    }
}

#[test]
fn a_cut_file_is_told() {
    for (name, bytes) in FILES {
        let (all, ended) = walk(name, bytes.to_vec());
        assert_eq!(ended, Ok(()), "{name}");
        assert!(all >= 2, "{name} {all}");
        let (_, ended) = walk(name, bytes[..bytes.len() - 100].to_vec());
        assert!(ended.is_err(), "{name}");
    }
}

#[test]
fn a_tree_that_bites_its_tail_ends() {
    let mut bytes = FILES[0].1.to_vec();
    // Page 1 becomes an inner page whose only child is itself.
    bytes[100] = 5;
    bytes[103..105].fill(0);
    bytes[108..112].copy_from_slice(&[0, 0, 0, 1]);
    assert_eq!(walk("sqlite", bytes).1, Err("pages that point in a circle"));
}
