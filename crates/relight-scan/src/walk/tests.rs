//! A walk while the tree changes, and what it hands over.

use std::fs;

use super::*;

/// Goal: a folder that is taken away between the listing of its parent and its own turn is
/// named, and its neighbours are visited. Method: the files of the parent are handed over
/// before any folder in it is entered; the receiver removes one then, and replaces another.
#[test]
fn a_folder_that_goes_during_the_walk_is_named() {
    let root = tempfile::tempdir().unwrap();
    for name in ["gone", "link", "stays"] {
        fs::create_dir(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join("a"), "a").unwrap();
    }
    fs::write(root.path().join("first"), "").unwrap();
    let mut found = Found::default();
    let options = Options::default();
    let (rules, shared) = (Rules::default(), Shared::new(&options, None));
    let mut walker = Walker::new(root.path().to_owned(), rules, &shared, &mut found);
    let mut files = Vec::new();
    walker.walk(open_root(root.path()).unwrap(), &mut |batch| {
        files.extend(batch.files.iter().map(|(name, _)| format!("{}/{name:?}", batch.path)));
        if files.len() == 1 {
            fs::remove_dir_all(root.path().join("gone")).unwrap();
            fs::remove_dir_all(root.path().join("link")).unwrap();
            std::os::unix::fs::symlink("stays", root.path().join("link")).unwrap();
        }
        true
    });
    assert_eq!(files, ["/\"first\"", "stays/\"a\""]);
    let mut flaws: Vec<_> =
        found.flaws.iter().map(|flaw| (flaw.code.as_str(), flaw.evidence.as_str())).collect();
    flaws.sort_unstable();
    assert_eq!(flaws, [("changed-during-scan", "gone"), ("changed-during-scan", "link")]);
}

/// A class that is a link to a file of the same tree is loaded; its file is called otherwise.
#[test]
fn links_that_may_be_classes_are_noted() {
    let root = tempfile::tempdir().unwrap();
    let real = root.path().canonicalize().unwrap();
    fs::create_dir(real.join("a")).unwrap();
    for name in ["A.class", "A.esclazz", "lib", "x.txt", "gone.class"] {
        let target = if name.starts_with("gone") { "nowhere" } else { "../first" };
        std::os::unix::fs::symlink(target, real.join("a").join(name)).unwrap();
    }
    fs::write(real.join("first"), "").unwrap();
    let (mut found, options) = (Found::default(), Options::default());
    let (rules, shared) = (Rules::default(), Shared::new(&options, None));
    let mut walker = Walker::new(real.clone(), rules, &shared, &mut found);
    walker.walk(open_root(&real).unwrap(), &mut |_| true);
    let noted: Vec<&str> = found.linked.iter().map(String::as_str).collect();
    assert_eq!(noted, ["a/A.class", "a/A.esclazz", "a/gone.class", "a/lib"]);
}

#[test]
fn a_receiver_that_has_gone_ends_the_walk() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..200 {
        fs::write(root.path().join(number.to_string()), "").unwrap();
    }
    let (mut found, options) = (Found::default(), Options::default());
    let mut calls = 0;
    let (rules, shared) = (Rules::default(), Shared::new(&options, None));
    let mut walker = Walker::new(root.path().to_owned(), rules, &shared, &mut found);
    walker.walk(open_root(root.path()).unwrap(), &mut |batch| {
        assert_eq!(batch.files.len(), BATCH_FILES_MAX);
        calls += 1;
        false
    });
    assert_eq!(calls, 1);
}
