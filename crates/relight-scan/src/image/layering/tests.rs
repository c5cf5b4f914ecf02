//! Layers of a few names, and what is visible in the end.

use relight_model::{Basis, Purl, Scope};

use super::*;
use crate::archive::Body;

/// Finds one component in each file, called like the file, unless its name starts with `x`.
struct Names;

impl ReadFile for Names {
    fn read_file(&self, entry: Entry, path: &str) -> Found {
        let mut found = Found::default();
        if !entry.name.starts_with(b"x") {
            let purl = Purl::new("generic", "", "it", &entry.size.unwrap_or(0).to_string());
            let component = Component::new(purl, path, Basis::FileName, Scope::Installed);
            found.components.push(component);
        }
        found
    }

    fn says(&self, name: &str) -> bool {
        name.ends_with("known")
    }

    fn says_more(&self, name: &str, _: &str) -> bool {
        name.ends_with("known")
    }
}

fn entry(text: &str, layer: u64) -> Entry {
    let name = |text: &str| text.as_bytes().to_vec();
    match text.split_once(' ') {
        Some((path, "dir")) => Entry::bare(name(path), Node::Folder),
        Some((path, "link")) => Entry::bare(name(path), Node::Link(name("anything"))),
        Some((path, target)) => Entry::bare(name(path), Node::HardLink(name(target))),
        None => Entry::file(name(text), Some(layer), Body::Nothing),
    }
}

/// Layers from the bottom; what is visible, with the number of its layer, and what is hidden.
fn check(layers: &[&[&str]], visible: &[&str], hidden: &[&str]) {
    let mut layering = Layering::new("");
    for (number, layer) in layers.iter().enumerate() {
        for text in *layer {
            layering.take(entry(text, number as u64), &Names);
        }
        layering.end_layer(None);
    }
    let merged = layering.finish();
    let show = |components: &[Component]| {
        let mut lines: Vec<_> =
            components.iter().map(|c| format!("{} {}", c.evidence, c.purl.version)).collect();
        lines.sort();
        lines
    };
    assert_eq!(show(&merged.found.components), visible, "{layers:?}");
    assert_eq!(show(&merged.hidden), hidden, "{layers:?}");
}

#[test]
fn whiteouts_hide_what_is_below_and_nothing_of_their_own_layer() {
    check(&[&["a/b"], &["a/.wh.b"]], &[], &["a/b 0"]);
    check(&[&["a/b"], &["a/.wh.b", "a/b"]], &["a/b 1"], &["a/b 0"]);
    check(&[&["a/b"], &["a/b", "a/.wh.b"]], &["a/b 1"], &["a/b 0"]);
    check(&[&["a/b/c", "a/bc"], &["a/.wh.b"]], &["a/bc 0"], &["a/b/c 0"]);
    check(&[&["a"], &[".wh.a"], &["a"]], &["a 2"], &["a 0"]);
    check(&[&["a"], &[".wh.b"]], &["a 0"], &[]);
}

#[test]
fn opaque_folders_hide_what_is_below() {
    check(
        &[&["a/b", "a/c/d", "ab", "a.x"], &["a/.wh..wh..opq", "a/e"]],
        &["a.x 0", "a/e 1", "ab 0"],
        &["a/b 0", "a/c/d 0"],
    );
    check(&[&["a/b", "c"], &[".wh..wh..opq"]], &[], &["a/b 0", "c 0"]);
    check(&[&["a/b"], &["a/.wh..wh.plnk"]], &["a/b 0"], &[]);
}

#[test]
fn what_is_replaced_is_hidden() {
    check(&[&["a"], &["a"]], &["a 1"], &["a 0"]);
    check(&[&["a"], &["a link"]], &[], &["a 0"]);
    check(&[&["a/b"], &["a"]], &["a 1"], &["a/b 0"]);
    check(&[&["a"], &["a dir", "a/b"]], &["a/b 1"], &["a 0"]);
    check(&[&["a/b"], &["a dir"]], &["a/b 0"], &[]);
    check(&[&["a"], &["xa", "./a"]], &["a 1"], &["a 0"]);
    // A file without findings replaces as well.
    check(&[&["d/xa", "d/b"], &["d link"]], &[], &["d/b 0"]);
    // Twice in one layer: the second one is what an unpacked layer holds.
    check(&[&["a", "a link"]], &[], &[]);
}

/// Goal: names of files multiply what is found in them up to a number, and no further.
/// Method: a file with 20,000 findings and 20 other names.
#[test]
fn findings_are_copied_up_to_a_number() {
    let mut layering = Layering::new("");
    let mut found = Found::default();
    let purl = Purl::new("generic", "", "it", "1");
    let component = Component::new(purl, "a", Basis::FileName, Scope::Installed);
    found.components = vec![component; 20_000];
    layering.keep("a".to_owned(), found);
    for name in 0..20 {
        layering.take(entry(&format!("b{name:02} a"), 0), &Names);
    }
    layering.end_layer(None);
    let merged = layering.finish().found;
    let fitting = COPIES_MAX / 20_000;
    assert_eq!(merged.components.len(), 20_000 * (1 + fitting));
    assert_eq!(merged.flaws.len(), 20 - fitting);
    assert!(merged.flaws.iter().all(|flaw| flaw.code == FlawCode::LimitEntries));
    assert_eq!(merged.flaws[0].evidence, format!("b{fitting:02}"));
}

/// Files of an upper layer that hide nothing do not cost what was found below. Moved about for
/// each of them, 20,000 findings took hours.
#[test]
fn many_files_above_many_findings() {
    let mut layering = Layering::new("");
    for number in 0..20_000 {
        layering.take(entry(&format!("below/{number:05}"), 0), &Names);
    }
    layering.end_layer(None);
    for number in 0..50_000 {
        layering.take(entry(&format!("above/x{number:05}"), 1), &Names);
    }
    layering.take(entry("below/00007", 1), &Names);
    layering.end_layer(None);
    let merged = layering.finish();
    assert_eq!((merged.found.components.len(), merged.hidden.len()), (20_000, 1));
}

#[test]
fn another_name_of_a_file_lives_on_its_own() {
    check(&[&["a", "b a"]], &["a 0", "b 0"], &[]);
    check(&[&["a", "b a"], &[".wh.a"]], &["b 0"], &["a 0"]);
    check(&[&["b a", "a"]], &["a 0", "b 0"], &[]);
    check(&[&["a"], &["b a"]], &["a 0", "b 0"], &[]);
    check(&[&["a", "b ./a", "c b"]], &["a 0", "b 0", "c 0"], &[]);
    check(&[&["a", "b nowhere"]], &["a 0"], &[]);
}

#[test]
fn links_whose_names_say_more_are_told_by_their_files() {
    let mut layering = Layering::new("");
    for text in ["xa", "b ./xa", "c/known b", "d/known xa", "known e", "known xa"] {
        layering.take(entry(text, 3), &Names);
    }
    let telling = layering.telling_links(&Names);
    let names = [b"c/known".to_vec(), b"d/known".to_vec(), b"known".to_vec()];
    assert_eq!(telling, BTreeMap::from([("xa".to_owned(), names.to_vec())]));
    layering.add_link(entry("c/known", 3), &Names);
    layering.end_layer(None);
    let merged = layering.finish();
    let places: Vec<_> = merged.found.components.iter().map(|it| it.evidence.as_str()).collect();
    assert_eq!((places, merged.files), (vec!["c/known"], 1));
}

/// Goal: what links of an image mean takes no more memory than a limit, over all its layers, and
/// what is not kept is told. Method: in each of two layers, thousands of links over 38 others.
#[test]
fn what_links_mean_is_kept_up_to_a_number_of_bytes() {
    let link = |name: String, target: String| {
        Entry::bare(name.into_bytes(), Node::Link(target.into_bytes()))
    };
    let mut layering = Layering::new("");
    let mut names = Vec::new();
    for layer in 0..2 {
        for number in 10..48 {
            let entry = link(format!("{layer}{number}"), format!("{layer}{}", number + 1));
            layering.take(entry, &Names);
        }
        for number in 1_000..3_500 {
            names.push(format!("{layer}{number}known"));
            layering.take(link(format!("{layer}{number}known"), format!("{layer}10")), &Names);
        }
        layering.telling_links(&Names);
        layering.end_layer(None);
    }
    let merged = layering.finish().found;
    let one = meant::bytes_of("01000known", &["010"; 39]);
    let told = merged.flaws.iter().filter(|it| it.code == FlawCode::LimitMemory);
    let told: Vec<_> = told.map(|it| it.evidence.as_str()).collect();
    assert_eq!(told, names[MEANT_BYTES_MAX / one..]);
}

#[test]
fn names_of_strangers_stay_inside() {
    check(&[&["/../../a", "./b/../c"]], &["a 0", "c 0"], &[]);
    check(&[&["a"], &["x/../.wh.a"]], &[], &["a 0"]);
    let mut layering = Layering::new("i.tar!/");
    layering.take(entry("", 0), &Names);
    layering.take(entry("a!/b", 0), &Names);
    layering.end_layer(Some(Digest([1; 32])));
    let merged = layering.finish();
    let layers = [("i.tar!/a%21/b".to_owned(), Digest([1; 32]))];
    assert_eq!((merged.layers.as_slice(), merged.files), (&layers[..], 1));
}
