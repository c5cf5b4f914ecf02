//! Every limit is reached once: a flaw with its path, and the rest of the tree goes on.

use relight_model::ProfileGap;
use relight_scan::{DEPTH_MAX, Options, Profiles};

use crate::zip_writer::{Member, write};
use crate::{CLASS, one, one_with, pom, pom_path, run, text, tree};

fn nested(levels: u32) -> Vec<u8> {
    let mut zip = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    for level in 1..levels {
        let member = if level % 2 == 0 { Member::stored } else { Member::deflated };
        zip = write(&[member("n", &zip)]);
    }
    zip
}

#[test]
fn depth() {
    let path = |levels: u32| format!("z{}", "!/n".repeat(levels as usize - 1));
    assert_eq!(one("z", &nested(DEPTH_MAX)), format!("pkg:maven/g/a@1 in {}\n", path(DEPTH_MAX)));
    assert_eq!(one("z", &nested(70)), format!("flaw limit-depth {}\n", path(DEPTH_MAX + 1)));
}

#[test]
fn a_larger_limit_is_honoured() {
    let options = Options { depth_max: 400, ..Options::default() };
    let got = one_with(&options, "z", &nested(300));
    assert!(got.starts_with("pkg:maven/g/a@1 in z!/n!/n"), "{}", &got[..80]);
}

#[test]
fn size_of_one_member() {
    let options = Options { file_size_max: 1_000, ..Options::default() };
    let zip = write(&[
        Member::deflated("big", &[0; 1_001]),
        Member::stored("big2", &[0; 1_001]),
        Member::stored("fits", &[0; 1_000]),
        Member::deflated(&pom_path("a"), &pom("a", "1")),
    ]);
    assert_eq!(
        one_with(&options, "z", &zip),
        "pkg:maven/g/a@1 in z\nflaw limit-entry-size z!/big\nflaw limit-entry-size z!/big2\n"
    );
}

#[test]
fn expanded_bytes_of_one_outer_file() {
    let options =
        Options { expanded_free_bytes: 5_000, expanded_ratio_max: 0, ..Options::default() };
    let zip = write(&[Member::deflated("a", &[0; 4_000]), Member::deflated("b", &[0; 4_000])]);
    let files: &[(&str, &[u8])] = &[("bomb", &zip), ("good", &nested(1))];
    assert_eq!(
        text(&run(tree(files).path(), &options)),
        "pkg:maven/g/a@1 in good\nflaw limit-expanded bomb!/b\n"
    );
}

#[test]
fn the_same_bytes_count_on_every_level() {
    let options =
        Options { expanded_free_bytes: 5_000, expanded_ratio_max: 0, ..Options::default() };
    let inner = write(&[Member::stored("a", &[0; 3_000])]);
    let got = one_with(&options, "z", &write(&[Member::stored("i", &inner)]));
    assert_eq!(got, "flaw limit-expanded z!/i!/a\n");
}

#[test]
fn entries_of_one_outer_file() {
    let options = Options { entries_max: 3, ..Options::default() };
    let names = ["a", "b", "c", "d"].map(|name| Member::stored(name, b""));
    assert_eq!(one_with(&options, "z", &write(&names)), "flaw limit-entries z\n");
    assert_eq!(one_with(&options, "z", &write(&names[..3])), "");
    let zip = write(&names);
    let without_directory = &zip[..zip.len() - 30];
    assert!(one_with(&options, "z", without_directory).contains("flaw limit-entries z\n"));
    let inner = write(&names[..2]);
    let two = write(&[Member::stored("i", &inner), Member::stored("j", &inner)]);
    assert_eq!(one_with(&options, "z", &two), "flaw limit-entries z\n");
}

#[test]
fn bytes_of_one_directory() {
    let options = Options { directory_bytes_max: 99, ..Options::default() };
    let zip = write(&[Member::stored("a", b""), Member::stored("b", b"")]);
    assert_eq!(one_with(&options, "z", &zip), "");
    let zip = write(&[Member::stored("a", b""), Member::stored(&"b".repeat(60), b"")]);
    assert_eq!(one_with(&options, "z", &zip), "flaw limit-entries z\n");
}

#[test]
fn size_of_a_catalogued_file() {
    let options = Options { catalog_size_max: 100, ..Options::default() };
    let large = [br#"{"name":"x","version":"1""#.to_vec(), vec![b' '; 100], b"}".to_vec()].concat();
    let path = "node_modules/x/package.json";
    assert_eq!(one_with(&options, path, &large), format!("flaw limit-entry-size {path}\n"));
    let zip = write(&[Member::deflated(path, &large)]);
    let got = one_with(&options, "z", &zip);
    assert_eq!(got, format!("flaw limit-entry-size z!/{path}\n"));
    let poms = ["a", "b", "c", "d"].map(|name| Member::stored(&pom_path(name), &pom(name, "1")));
    let got = one_with(&options, "z", &write(&poms));
    assert!(got.ends_with(&format!("flaw limit-entry-size z!/{}\n", pom_path("d"))), "{got}");
}

/// Anybody may call a file `files` or `metadata`: what no cataloger looks at may be of any size.
#[test]
fn a_name_that_is_anybodys_is_of_any_size() {
    let options = Options { catalog_size_max: 100, ..Options::default() };
    for path in ["data/files", "data/desc", "a/metadata", "CONTENTS", "control", "install.json"] {
        assert_eq!(one_with(&options, path, &[b'x'; 101]), "", "{path}");
    }
    let path = "var/lib/pacman/local/a-1-1/files";
    let flaw = format!("flaw limit-entry-size {path}\n");
    assert_eq!(one_with(&options, path, &[b'x'; 101]), flaw);
}

#[test]
fn memory_of_inner_archives() {
    let options = Options { buffered_bytes_max: 2_000, ..Options::default() };
    let inner = write(&[Member::stored("filler", &[7; 1_500])]);
    let middle = write(&[Member::stored("filler", &[7; 100]), Member::deflated("i", &inner)]);
    let options_ok = Options { buffered_bytes_max: 9_000, ..Options::default() };
    let outer = write(&[Member::deflated("m", &[&middle[..], &[0; 900]].concat())]);
    assert_eq!(one_with(&options_ok, "z", &outer), "");
    let got = one_with(&options, "z", &outer);
    assert!(got.contains("flaw limit-memory z!/m!/i\n"), "{got}");
}

/// Goal: outer files that need much memory wait for each other and never for ever.
/// Method: six files that each unpack 9 MiB of inner archive, more than a thread may hold alone,
/// on eight threads.
#[test]
fn large_inner_archives_take_turns() {
    let filler = vec![0; 9 << 20];
    let inner =
        write(&[Member::stored("x", &filler), Member::stored(&pom_path("a"), &pom("a", "1"))]);
    let zip = write(&[Member::deflated("i", &inner)]);
    let names: Vec<_> = (0..6).map(|number| format!("{number}.zip")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &zip[..])).collect();
    let options = Options { threads: Some(8), ..Options::default() };
    let report = run(tree(&files).path(), &options);
    assert_eq!((report.sbom.components.len(), report.sbom.flaws.len()), (6, 0));
}

#[test]
fn length_of_a_path() {
    let options = Options { path_bytes_max: 24, ..Options::default() };
    let long = "x".repeat(30);
    let metadata = Member::stored("s.dist-info/METADATA", b"Name: s\nVersion: 1\n");
    let zip = write(&[Member::stored(&long, b""), metadata]);
    assert_eq!(
        one_with(&options, "z", &zip),
        format!(
            "pkg:pypi/s@1 in z!/s.dist-info/METADATA\nflaw limit-depth z!/{}\n",
            "x".repeat(21)
        )
    );
    assert_eq!(one_with(&options, &format!("d/{long}"), b"x"), "flaw limit-depth d\n");
}

/// What all profiles of a scan hold together is bounded. Which of too many had come first would
/// depend on the threads: then none is given, and the gap is.
#[test]
fn values_of_all_profiles_are_bounded_in_number() {
    let jar = |number: u8| write(&[Member::stored("a.bin", &[number; 64])]);
    let files: Vec<_> = (0..9).map(|at| (format!("{at}.jar"), jar(at))).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, it)| (&**path, &**it)).collect();
    let place = tree(&files);
    for (profile_values_max, kept) in [(9, 9), (8, 0), (0, 0)] {
        for threads in [1, 4] {
            let (profiles, threads) = (Profiles::All, Some(threads));
            let options = Options { profile_values_max, profiles, threads, ..Options::default() };
            let found = run(place.path(), &options).profiles;
            let whole = found.iter().filter(|it| it.values.gap == ProfileGap::None).count();
            assert_eq!((whole, found.len()), (kept, kept.max(1)), "{profile_values_max}");
        }
    }
}

/// Classes in folders are understood together at the end, so what is held of them is bounded. Which
/// of too many were kept would depend on the threads: then none is compared.
#[test]
fn classes_in_folders_are_bounded_in_number() {
    let files: Vec<String> = (0..9).map(|at| format!("classes/a{at}/A.class")).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|path| (path.as_str(), CLASS)).collect();
    let place = tree(&files);
    for (folder_classes_max, expected) in [(9, ""), (8, "flaw limit-memory \n")] {
        for threads in [1, 4] {
            let profiles = Profiles::All;
            let threads = Some(threads);
            let options = Options { folder_classes_max, profiles, threads, ..Options::default() };
            let report = run(place.path(), &options);
            assert_eq!(text(&report), expected, "{folder_classes_max} {threads:?}");
            let gap = report.profiles.iter().any(|it| it.values.gap == ProfileGap::Values);
            assert_eq!(gap, folder_classes_max == 8);
        }
    }
}
