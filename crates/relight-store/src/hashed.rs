//! Files by their digest and by their path, in inventories as they are kept: nobody keeps an index
//! of them, because few ask, and a text that does not hold a digest costs one search.

use std::collections::{BTreeSet, HashSet};

use memchr::memmem;
use relight_model::{Digest, Glob};

use crate::inventory::read_snapshot;
use crate::snapshot_text::{read_piece, read_pieces};
use crate::store::Failure;
use crate::{Store, StoreError, StoreErrorKind};

/// How the line of a digest begins.
const LINE: &str = "\nhash\t";

/// Digits of a digest.
const DIGITS: usize = 64;

impl Store {
    /// Where each of these inventories holds a file or container with one of the digests, or whose
    /// path ends like one of the patterns, sorted, without doubles. Of files without anything
    /// recognised in them inventories know nothing.
    ///
    /// # Errors
    /// There is no such inventory (`NotFound`), it does not read back as it was written
    /// (`Corrupt`), or the database cannot be read.
    pub fn places_of_files(
        &self,
        snapshots: &[Digest],
        (hashes, paths): (&[Digest], &[Glob]),
    ) -> Result<Vec<Vec<String>>, StoreError> {
        let wanted: HashSet<String> = hashes.iter().map(ToString::to_string).collect();
        self.read("looking for files in inventories", |database| {
            let mut query =
                database.prepare_cached("SELECT digest, bytes FROM blob WHERE digest = ?1")?;
            let mut all = Vec::with_capacity(snapshots.len());
            for digest in snapshots {
                let mut rows = query.query([digest.0])?;
                let Some(row) = rows.next()? else {
                    let context = format!("there is no snapshot {digest}");
                    return Err(Failure::rule(StoreErrorKind::NotFound, context));
                };
                all.push(read_snapshot(row, 0, |text| places(text, &wanted, paths))?);
            }
            Ok(all)
        })
    }
}

/// The containers on the way to a place, the outermost first, and the place itself.
fn steps_of(place: &str) -> impl Iterator<Item = &str> {
    let inner = place.match_indices("!/").map(|(at, _)| &place[..at]);
    inner.chain([place])
}

/// The part of a place that ends like one of the patterns.
pub fn step_like<'a>(place: &'a str, paths: &[Glob]) -> Option<&'a str> {
    steps_of(place).find(|step| paths.iter().any(|glob| glob.fits_end(step)))
}

fn places(text: &str, wanted: &HashSet<String>, paths: &[Glob]) -> Result<Vec<String>, String> {
    let is_one = |at: usize| {
        let digits = text.get(at + LINE.len()..at + LINE.len() + DIGITS);
        digits.is_some_and(|digits| wanted.contains(digits))
    };
    if paths.is_empty() && !memmem::find_iter(text.as_bytes(), LINE).any(is_one) {
        return Ok(Vec::new());
    }
    let mut places = BTreeSet::new();
    let rest = read_pieces(text, &mut |piece| {
        let component = read_piece(piece)?;
        places.extend(step_like(&component.evidence, paths).map(str::to_owned));
        if component.hashes.iter().any(|hash| wanted.contains(&hash.to_string())) {
            places.insert(component.evidence);
        }
        Some(())
    })?;
    // What could not be read is there as well.
    let unread = rest.flaws.iter().filter_map(|flaw| step_like(&flaw.evidence, paths));
    places.extend(unread.map(str::to_owned));
    Ok(places.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use relight_model::{AssetId, Component, Flaw, FlawCode, Sbom};
    use testkit::Rng;

    use super::*;
    use crate::SnapshotDraft;
    use crate::testing::{any_sbom, component, open_with_sites};

    const DIGESTS: [Digest; 3] = [Digest([1; 32]), Digest([2; 32]), Digest([0xfe; 32])];

    /// Stores an inventory; its id.
    fn put(store: &Store, asset: u32, sbom: &Sbom) -> Digest {
        let (asset, profiles) = (AssetId(asset), None);
        let draft = SnapshotDraft { asset, sbom, observed_at: 1, recorded_at: 1, profiles };
        store.put_snapshots(&[draft]).unwrap()[0].digest
    }

    fn holding(evidence: &str, hashes: &[Digest]) -> Component {
        Component { hashes: hashes.to_vec(), ..component("pkg:maven/g/a@1", evidence) }
    }

    #[test]
    fn a_file_is_found_wherever_its_digest_stands() {
        let (_folder, store) = open_with_sites(2);
        let [one, two, three] = DIGESTS;
        let components = vec![
            holding("b.jar", &[one, two]),
            holding("a.jar!/b.jar", &[one]),
            // Text that only looks like a digest.
            holding(&format!("hash\t{three}"), &[]),
        ];
        let first = put(&store, 1, &Sbom { components, ..Sbom::default() });
        let second = put(&store, 2, &Sbom::default());
        let places = |hashes: &[Digest]| {
            let found = store.places_of_files(&[first, second], (hashes, &[])).unwrap();
            format!("{found:?}")
        };
        assert_eq!(places(&[one]), r#"[["a.jar!/b.jar", "b.jar"], []]"#);
        assert_eq!(places(&[two, three]), r#"[["b.jar"], []]"#);
        assert_eq!(places(&[three]), "[[], []]");
        assert_eq!(places(&[]), "[[], []]");
        let missing = store.places_of_files(&[three], (&[one], &[])).unwrap_err();
        assert_eq!(missing.kind(), StoreErrorKind::NotFound);
    }

    /// Goal: a path is found wherever an inventory names it, and as the file that was meant.
    /// Method: a file, something inside of it, something that could not be read, and the like.
    #[test]
    fn a_file_is_found_by_the_end_of_its_path() {
        let (_folder, store) = open_with_sites(1);
        let components = vec![
            holding("a.war!/lib/log4j-2.jar!/META-INF/pom.xml", &[]),
            holding("lib/log4j-1.jar", &[DIGESTS[0]]),
            holding("lib/log4j/other.jar", &[]),
        ];
        let evidence = "opt/log4j-3.jar".to_owned();
        let flaws = vec![Flaw { code: FlawCode::PermissionDenied, evidence, bytes: 1 }];
        let id = put(&store, 1, &Sbom { components, flaws, ..Sbom::default() });
        let places = |pattern: &str| {
            let paths = [Glob::of_end(pattern).unwrap()];
            store.places_of_files(&[id], (&[], &paths)).unwrap().remove(0)
        };
        let all = ["a.war!/lib/log4j-2.jar", "lib/log4j-1.jar", "opt/log4j-3.jar"];
        assert_eq!(places("*/log4j*.jar"), all);
        assert_eq!(places("lib/log4j-?.jar"), all[..2]);
        assert_eq!(places("/lib/*.jar"), all[1..2]);
        assert_eq!(places("*.war"), ["a.war"]);
        assert_eq!(places("*.ear"), Vec::<String>::new());
    }

    /// Goal: the search in the text finds what reading all of it finds. Method: seeded inventories.
    #[test]
    fn it_finds_what_reading_everything_finds() {
        for seed in 0..40 {
            let mut rng = Rng::new(seed);
            let (_folder, store) = open_with_sites(1);
            let sbom = any_sbom(&mut rng);
            let hashes: Vec<Digest> =
                sbom.components.iter().flat_map(|it| it.hashes.clone()).take(2).collect();
            let snapshot = put(&store, 1, &sbom);
            let holds = |it: &&Component| it.hashes.iter().any(|hash| hashes.contains(hash));
            let mut expected: Vec<String> =
                sbom.components.iter().filter(holds).map(|it| it.evidence.clone()).collect();
            expected.sort();
            expected.dedup();
            let found = store.places_of_files(&[snapshot], (&hashes, &[])).unwrap();
            assert_eq!(found, [expected], "seed {seed}");
        }
    }
}
