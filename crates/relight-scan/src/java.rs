//! What the classes of a container, or of folders, say: libraries by their code, joined with what
//! the metadata in the same place claims.

mod place;

use std::cell::{LazyCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use memchr::memmem;
use relight_model::{Basis, Component, FlawCode, Purl};

use self::place::{Place, settle};
use crate::cataloger::{ClassPrint, Listed, Listing};
use crate::evidence::folder_of;
use crate::fingerprint::{Around, FeatureKind, Known, Match, Recognised, Seen, Versions};
use crate::fingerprint::{member_value, recognise, simple_hash};
use crate::limits::Options;
use crate::unpack::Found;

/// Endings under which loaders keep classes; agents hide theirs behind the last two.
const CLASS_ENDINGS: [&str; 3] = ["class", "classdata", "esclazz"];

/// Share of the classes of a library, in percent, below which unexplained code cannot be all that
/// was made of it.
const REWRITTEN_PERCENT: u64 = 5;

/// Joins what the classes of a container say with the claims about it, which start at `from`.
pub(crate) fn container(
    options: &Options,
    path: &str,
    listing: Listing,
    from: usize,
    found: &mut Found,
) {
    options.profiles.container(path, &listing, found);
    let known = options.fingerprints.known();
    if !known.is_empty() {
        compare(known, path, &listing, from, found);
    }
    if options.keep_listings && listing.entries.iter().any(|entry| entry.class.is_some()) {
        found.listings.push((path.to_owned(), listing));
    }
}

fn compare(known: &Known, path: &str, listing: &Listing, from: usize, found: &mut Found) {
    let (mut traces, mut named) = (BTreeSet::new(), BTreeSet::new());
    // Classes that no known library explains.
    let mut strange = 0;
    let all = || listing.entries.iter().filter_map(file_of);
    let mut count = 0;
    let files: Vec<File<'_>> = if all().inspect(|_| count += 1).all(|file| is_strange(known, &file))
    {
        // No database knows a check sum of any of them: nothing need be compared.
        strange += count;
        Vec::new()
    } else {
        all().collect()
    };
    for (root, classes) in roots_of(files) {
        let around = Around { is_whole: listing.complete, archive: listing.archive };
        let recognised = look(known, &classes, around);
        strange += (classes.len() as u64).saturating_sub(recognised.explained);
        found.damage(&recognised, path);
        for it in &recognised.matches {
            // A second copy, below another folder of the class path, has a place of its own.
            let is_first = named.insert(it.artifact.clone());
            let place = Place { container: path, root, is_folder: false, is_first };
            settle(known, &place, it, basis_of(&classes, it), from, found);
        }
        traces.extend(recognised.traces);
    }
    if listing.complete {
        drop_ghosts(known, path, listing, &traces, strange, from, found);
    }
}

/// Whether a file was not read, and no database knows its check sum.
fn is_strange(known: &Known, file: &File<'_>) -> bool {
    file.print.is_none() && known.is_stranger(FeatureKind::Crc, file.value)
}

/// What the classes that lie in folders say, when the walk is over: each folder of a class path is
/// a place of its own.
pub(crate) fn folders(options: &Options, found: &mut Found) {
    let known = options.fingerprints.known();
    let classes = std::mem::take(&mut found.folder_classes);
    let files =
        classes.iter().map(|(path, print)| File { path, value: print.text, print: Some(*print) });
    let mut folders = BTreeMap::new();
    for (root, classes) in roots_of(files.collect()) {
        folders.insert(root.to_owned(), classes);
    }
    let flawed: BTreeSet<String> = found.flaws.iter().map(|it| it.evidence.clone()).collect();
    for (root, classes) in &folders {
        let prints = classes.iter().filter_map(|class| class.print);
        options.profiles.folder(root, prints, found);
        let is_whole = !flawed.range(root.clone()..).next().is_some_and(|it| it.starts_with(root));
        let recognised = look(known, classes, Around { is_whole, archive: None });
        let container = if root.is_empty() { "./" } else { root.as_str() };
        found.damage(&recognised, container);
        for it in &recognised.matches {
            let place = Place { container, root: "", is_folder: true, is_first: true };
            settle(known, &place, it, basis_of(classes, it), 0, found);
        }
    }
}

fn look(known: &Known, classes: &[Seen<'_>], around: Around) -> Recognised {
    // Classes that could not be read are known by their check sums alone.
    let read = classes.iter().any(|class| class.print.is_some());
    let kind = if read { FeatureKind::Text } else { FeatureKind::Crc };
    recognise(known, kind, classes, around)
}

/// How a library is known, once its version is.
fn basis_of(classes: &[Seen<'_>], it: &Match) -> Basis {
    match &it.versions {
        Versions::OneOf(_) if it.is_class_alone => Basis::NamedClass,
        Versions::OneOf(_) => Basis::FingerprintPartial,
        _ if classes.iter().all(|class| class.print.is_none()) => Basis::CrcSet,
        _ => Basis::FingerprintExact,
    }
}

impl Found {
    fn damage(&mut self, recognised: &Recognised, path: &str) {
        if recognised.is_damaged {
            self.flaw(FlawCode::DatabaseDamaged, path, 0);
        }
    }
}

/// A file that may be a class.
struct File<'a> {
    path: &'a str,
    value: u64,
    print: Option<ClassPrint>,
}

fn file_of(entry: &Listed) -> Option<File<'_>> {
    let path = entry.name.as_str();
    if let Some(print) = entry.class {
        return Some(File { path, value: print.text, print: Some(print) });
    }
    let (_, ending) = split_ending(path);
    let value = entry.crc.zip(entry.size).and_then(|(crc, size)| member_value(crc, size))?;
    CLASS_ENDINGS.contains(&ending).then_some(File { path, value, print: None })
}

/// A path without the ending of its last segment; no name of a class has a dot.
fn split_ending(path: &str) -> (&str, &str) {
    let name = folder_of(path).len();
    match memchr::memchr(b'.', &path.as_bytes()[name..]) {
        Some(dot) => (&path[..name + dot], &path[name + dot + 1..]),
        None => (path, ""),
    }
}

/// Classes by the folder of the class path that they are in: what stands in front of the name that
/// a class gives itself. Check sums alone stand in the folder of the container.
fn roots_of<'a>(files: Vec<File<'a>>) -> BTreeMap<&'a str, Vec<Seen<'a>>> {
    if files.iter().all(|file| file.print.is_none()) {
        let unread = |file: &File<'a>| {
            let (path, value) = (split_ending(file.path).0, file.value);
            Seen { path, value, print: None, is_loadable: true }
        };
        let all: Vec<_> = files.iter().map(unread).collect();
        return Some(("", all)).into_iter().filter(|(_, all)| !all.is_empty()).collect();
    }
    let usual = usual_ending(&files);
    let mut of_folder: HashMap<&str, &str> = HashMap::new();
    let mut last = None;
    let mut classes = Vec::with_capacity(files.len());
    for file in &files {
        let (stem, ending) = split_ending(file.path);
        let folder = folder_of(stem);
        // Beside classes that were read, one that could not be has its flaw.
        let Some(print) = file.print else { continue };
        let is_named = simple_hash(stem.as_bytes()) == print.simple_name;
        let root = stem.len().checked_sub(print.name_bytes.into());
        let root = root.filter(|len| *len == 0 || stem.as_bytes()[len - 1] == b'/');
        let root = root.filter(|_| is_named).map(|len| &stem[..len]);
        if let Some(root) = root
            && last != Some((folder, root))
        {
            of_folder.insert(folder, root);
            last = Some((folder, root));
        }
        let is_usual = ending == usual || CLASS_ENDINGS.contains(&ending);
        classes.push((folder, root, stem, file, is_named && is_usual));
    }
    let mut roots: BTreeMap<&str, Vec<Seen<'_>>> = BTreeMap::new();
    let seen =
        |(folder, root, stem, file, is_loadable): (_, Option<&'a str>, &'a str, &File<'a>, _)| {
            let root = root.or_else(|| of_folder.get(folder).copied()).unwrap_or(folder);
            let path = &stem[root.len()..];
            (root, Seen { path, value: file.value, print: file.print, is_loadable })
        };
    let seen: Vec<(&str, Seen<'_>)> = classes.into_iter().map(seen).collect();
    for same in seen.chunk_by(|one, other| one.0 == other.0) {
        roots.entry(inside(same[0].0)).or_default().extend(same.iter().map(|(_, seen)| *seen));
    }
    roots
}

/// A folder without what leads out of its container: who unpacks `/a`, `./a`, `../a` and `C:/a`
/// with care gets one folder.
fn inside(root: &str) -> &str {
    let mut rest = root;
    while let Some((first, behind)) = rest.split_once('/') {
        let is_drive = first.len() == 2 && first.ends_with(':');
        if !is_drive && !["", ".", ".."].contains(&first) {
            break;
        }
        rest = behind;
    }
    rest
}

/// The ending that most classes have: what a loader of their own looks for.
fn usual_ending<'a>(files: &[File<'a>]) -> &'a str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for same in files.chunk_by(|one, other| split_ending(one.path).1 == split_ending(other.path).1)
    {
        *counts.entry(split_ending(same[0].path).1).or_default() += same.len();
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or("", |(ending, _)| ending)
}

/// Drops what `pom.properties` names and nothing in the container is: metadata that was left
/// behind when the classes were taken out or replaced. Only for libraries that are known, and only
/// when nothing stands where their classes belong. While there is enough code that no known library
/// explains, it may be the library after all, rewritten until nothing of it is recognised: then
/// the name stays, without its version, which makes the answer unknown. The size of the container
/// says nothing: of 60,000 classes 3,000 are few, and more than most libraries have.
fn drop_ghosts(
    known: &Known,
    path: &str,
    listing: &Listing,
    traces: &BTreeSet<String>,
    strange: u64,
    from: usize,
    found: &mut Found,
) {
    let artifact_of = |purl: &Purl| format!("{}:{}", purl.namespace, purl.name);
    let folders: LazyCell<String, _> = LazyCell::new(|| folders_of_code(listing));
    let has_code: RefCell<HashMap<String, bool>> = RefCell::default();
    let is_ghost = |claim: &Component| {
        let Purl { kind, namespace, .. } = &claim.purl;
        if claim.evidence != path || kind != "maven" || claim.basis != Basis::PomProperties {
            return false;
        }
        // Code that was recognised agrees with it, even if others have that code as well.
        if !claim.also.is_empty() {
            return false;
        }
        let artifact = artifact_of(&claim.purl);
        if known.classes_min(&artifact) == 0 || traces.contains(&artifact) {
            return false;
        }
        let natural = format!("{}/", namespace.replace('.', "/"));
        // Claims and folders may both be many: each name is looked for once, in all folders.
        let mut known_code = has_code.borrow_mut();
        let find = || memmem::find(folders.as_bytes(), natural.as_bytes()).is_some();
        !*known_code.entry(natural.clone()).or_insert_with(find)
    };
    let ghosts: Vec<bool> = found.components[from..].iter().map(is_ghost).collect();
    let mut ghosts = ghosts.into_iter();
    let claims = found.components.split_off(from);
    for mut claim in claims {
        if ghosts.next() == Some(true) {
            let classes = known.classes_min(&artifact_of(&claim.purl));
            if strange * 100 < classes * REWRITTEN_PERCENT {
                continue;
            }
            claim.purl.version.clear();
        }
        found.components.push(claim);
    }
}

/// The folders of code, and of what else is no metadata: folders themselves, and what a library
/// keeps beside its metadata, are no code. Each on a line, once where its members stand together.
fn folders_of_code(listing: &Listing) -> String {
    let (mut folders, mut last) = (String::new(), None);
    for name in listing.names() {
        let folder = folder_of(name);
        if last == Some(folder) || name.ends_with('/') {
            continue;
        }
        if !name.starts_with("META-INF/") || CLASS_ENDINGS.contains(&split_ending(name).1) {
            folders.push_str(folder);
            folders.push('\n');
            last = Some(folder);
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use relight_model::Scope;

    use super::*;
    use crate::fingerprint::class_writer::numbered;
    use crate::fingerprint::{Database, Fingerprints, LearntClass, Release, class, write_database};

    /// One class of 24 may be missing from a library that is still there.
    const NAMES: [&str; 24] = [
        "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R",
        "S", "T", "U", "V", "W", "Lookup",
    ];

    fn print(at: usize) -> ClassPrint {
        class::read(&numbered(&format!("g/lib/{}", NAMES[at]), at as i32).write()).unwrap()
    }

    fn learnt(at: usize) -> LearntClass {
        LearntClass {
            name: format!("g/lib/{}", NAMES[at]),
            print: print(at),
            member: Some((at as u32 + 7, 9)),
            ..LearntClass::default()
        }
    }

    fn numbered_class(name: String, number: usize) -> LearntClass {
        let print = class::read(&numbered(&name, number as i32).write()).unwrap();
        LearntClass { name, print, ..LearntClass::default() }
    }

    fn options(others: usize, of: &str) -> Options {
        let small = |number: usize| numbered_class(format!("h/Small{number}"), 9_000 + number);
        let classes = (0..8).map(small).collect();
        let small = Release {
            artifact: "h:small".into(),
            version: "1".into(),
            classes,
            ..Release::default()
        };
        options_with("g.lib:lib", small, others, of)
    }

    /// The library under this name, with so many other versions of it, and another library.
    fn options_with(name: &str, another: Release, others: usize, of: &str) -> Options {
        let release = |version: String, classes: Vec<LearntClass>| Release {
            artifact: name.into(),
            version,
            classes,
            ..Release::default()
        };
        // Other versions, of which none has its code: else no version is exact.
        let other = |at: usize| {
            let class = |number: usize| {
                numbered_class(format!("g/lib/Old{number}"), 1_000 + at * 100 + number)
            };
            release(format!("{of}.{at}"), (0..NAMES.len()).map(class).collect())
        };
        let mut releases: Vec<Release> = (0..others).map(other).collect();
        releases.push(release("1".into(), (0..NAMES.len()).map(learnt).collect()));
        releases.push(another);
        let named = [("g.lib:lib".to_owned(), "g/lib/Lookup".to_owned())];
        let order = |_: &str, _: &str| Ordering::Equal;
        let database = Database::from_bytes(write_database(releases, &named, order, 0));
        let fingerprints = Fingerprints::only(vec![database.unwrap()]);
        Options { fingerprints, keep_listings: true, ..Options::default() }
    }

    /// The members of a library below a folder, without the classes of these numbers.
    fn members(folder: &str, without: &[usize], ending: &str) -> Vec<Listed> {
        let wanted = (0..NAMES.len()).filter(|at| !without.contains(at));
        let member = |at: usize| Listed {
            name: format!("{folder}g/lib/{}.{ending}", NAMES[at]),
            size: Some(9),
            crc: Some(at as u32 + 7),
            class: Some(print(at)),
            opaque: false,
        };
        wanted.map(member).collect()
    }

    fn check(entries: Vec<Listed>, claims: &[(Basis, &str)], expected: &str) {
        check_among(18, entries, claims, expected);
    }

    fn check_among(others: usize, entries: Vec<Listed>, claims: &[(Basis, &str)], expected: &str) {
        check_by(&options(others, "0"), entries, claims, expected);
    }

    fn check_by(options: &Options, entries: Vec<Listed>, claims: &[(Basis, &str)], expected: &str) {
        let listing = Listing { entries, complete: true, ..Listing::default() };
        let claim = |(basis, purl): &(Basis, &str)| {
            Component::new(Purl::parse(purl).unwrap(), "x.jar", *basis, Scope::Installed)
        };
        let mut found =
            Found { components: claims.iter().map(claim).collect(), ..Found::default() };
        container(options, "x.jar", listing, 0, &mut found);
        let mut text = String::new();
        for it in crate::identity::merge(found.components) {
            let removed: String = it.removed.iter().map(|it| format!(" without {it}")).collect();
            let mut conflict = if it.conflict { " in conflict" } else { "" }.to_owned();
            if !it.candidates.is_empty() {
                conflict += &format!(" of {}", it.candidates.join(" "));
            }
            let (purl, place, basis) = (&it.purl, &it.evidence, it.basis.as_str());
            text += &format!("{purl} in {place} by {basis}{conflict}{removed}\n");
        }
        assert_eq!(text, expected);
        assert_eq!(found.flaws, []);
    }

    #[test]
    fn classes_are_found_where_they_are() {
        let exact = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n";
        check(members("", &[], "class"), &[], exact);
        check(members("BOOT-INF/classes/", &[], "class"), &[], exact);
        check(members("inst/", &[], "esclazz"), &[], exact);
        check(members("", &[], "class"), &[(Basis::FileName, "pkg:maven/app@3")], exact);
        check(members("", &[], "class"), &[(Basis::PomProperties, "pkg:maven/g.lib/lib@1")], exact);
        // Found with an API of Tomcat: of two versions with equal classes only one was learnt.
        let told = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact in conflict\n";
        check(members("", &[], "class"), &[(Basis::Manifest, "pkg:maven/org.g.lib@1.0.1")], told);
        check(members("", &[], "class"), &[(Basis::Manifest, "pkg:maven/org.g.lib@1")], exact);
    }

    /// Of a library of which one version is known, that is told as the code which it is, until
    /// metadata says the version. What names another version adds that one.
    #[test]
    fn the_code_of_the_only_known_version_leaves_the_version_open() {
        let check = |claims: &[(Basis, &str)], expected: &str| {
            check_among(0, members("", &[], "class"), claims, expected);
        };
        let exact = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n";
        let open =
            |of: &str| format!("pkg:maven/g.lib/lib in x.jar by fingerprint-partial of {of}\n");
        check(&[], &open("1"));
        for same in ["pkg:maven/lib@1", "pkg:maven/lib@1.0", "pkg:maven/org.g.lib@1.0.0"] {
            check(&[(Basis::Manifest, same)], exact);
            check(&[(Basis::FileName, same)], exact);
        }
        check(&[(Basis::PomProperties, "pkg:maven/g.lib/lib@1")], exact);
        check(&[(Basis::FileName, "pkg:maven/lib@1.1")], &open("1 1.1"));
        check(&[(Basis::Manifest, "pkg:maven/org.g.lib@1.1.0")], &open("1 1.1.0"));
        let two = [(Basis::Manifest, "pkg:maven/lib@1"), (Basis::FileName, "pkg:maven/lib@1.1")];
        check(&two, &open("1 1.1"));
        // The name of something else says nothing of it.
        check(&[(Basis::FileName, "pkg:maven/app@3")], &open("1"));
        for version in ["1.1", "2.99"] {
            let claim = format!("pkg:maven/g.lib/lib@{version}");
            let told = format!("pkg:maven/g.lib/lib in x.jar by pom-properties of 1 {version}\n");
            check(&[(Basis::PomProperties, &claim)], &told);
        }
        // Beside other code, the name of the file is that of the whole.
        let mut merged = members("", &[], "class");
        merged.extend((0..40).map(|at| {
            let name = format!("o/O{at}");
            let class = class::read(&numbered(&name, 5_000 + at).write());
            Listed { name: name + ".class", class, ..Listed::default() }
        }));
        let named = [(Basis::FileName, "pkg:maven/lib@1")];
        let expected = open("1") + "pkg:maven/lib@1 in x.jar by file-name\n";
        check_among(0, merged.clone(), &named, &expected);
        let other = [(Basis::FileName, "pkg:maven/lib@2")];
        let expected = "pkg:maven/g.lib/lib in x.jar by fingerprint-partial in conflict of 1\n\
                        pkg:maven/lib@2 in x.jar by file-name in conflict\n";
        check_among(0, merged, &other, expected);
    }

    /// Found by reading: metadata with a version that nobody learnt took the bytes below it with
    /// it, whatever they were.
    #[test]
    fn metadata_of_an_unknown_version_does_not_overrule_the_classes() {
        let lookup = NAMES.len() - 1;
        let part = || members("", &(12..lookup).collect::<Vec<_>>(), "class");
        let forged = [(Basis::PomProperties, "pkg:maven/g.lib/lib@1-fixed")];
        let both = "pkg:maven/g.lib/lib@1-fixed in x.jar by pom-properties in conflict\n\
                    pkg:maven/g.lib/lib in x.jar by fingerprint-partial in conflict of 1\n";
        check(part(), &forged, both);
        let alone = || members("", &(0..lookup).collect::<Vec<_>>(), "class");
        let class = "pkg:maven/g.lib/lib@9 in x.jar by pom-properties in conflict\n\
                     pkg:maven/g.lib/lib in x.jar by named-class in conflict of 1\n";
        check(alone(), &[(Basis::PomProperties, "pkg:maven/g.lib/lib@9")], class);
        // After all that were learnt: the nearest of these says only that it is not known.
        let newer = [(Basis::PomProperties, "pkg:maven/g.lib/lib@2")];
        check(part(), &newer, "pkg:maven/g.lib/lib@2 in x.jar by pom-properties in conflict\n");
        // A class that an advisory names, with code that the newest version has not any more.
        let both = "pkg:maven/g.lib/lib@9 in x.jar by pom-properties in conflict\n\
                    pkg:maven/g.lib/lib in x.jar by fingerprint-partial in conflict of 1\n";
        let forged = [(Basis::PomProperties, "pkg:maven/g.lib/lib@9")];
        check_by(&options(18, "2"), part(), &forged, both);
    }

    /// Found with members called `/a`, `./a` and `C:/a`: a third of a library in each of three.
    #[test]
    fn names_that_leave_the_archive_are_one_place() {
        let fronts = ["", "/", "./", "../../", "C:/", "//"];
        let mut odd = members("", &[], "class");
        for (entry, front) in odd.iter_mut().zip(fronts.iter().cycle()) {
            entry.name.insert_str(0, front);
        }
        check(odd, &[], "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n");
        assert_eq!(
            ["./BOOT-INF/classes/", "a/./", "C:a/"].map(inside),
            ["BOOT-INF/classes/", "a/./", "C:a/"]
        );
    }

    #[test]
    fn each_copy_is_told_for_itself() {
        let lookup = NAMES.len() - 1;
        let mut two = members("", &[lookup], "class");
        two.extend(members("shadow/", &[], "class"));
        let expected = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact without g/lib/Lookup\n\
                        pkg:maven/g.lib/lib@1 in x.jar!/shadow/g/lib/ by fingerprint-exact\n";
        check(two, &[], expected);
        let mut renamed = members("", &[], "class");
        renamed[lookup].name = "g/lib/Lookup.class.off".into();
        let mitigated =
            "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact without g/lib/Lookup\n";
        check(renamed, &[], mitigated);
    }

    #[test]
    fn members_that_were_not_read_are_known_by_their_check_sums() {
        let mut unread = members("", &[], "class");
        unread.iter_mut().for_each(|entry| entry.class = None);
        check(unread, &[], "pkg:maven/g.lib/lib@1 in x.jar by crc-set\n");
    }

    #[test]
    fn metadata_of_a_known_library_that_is_not_there_is_dropped() {
        let pom = [(Basis::PomProperties, "pkg:maven/g.lib/lib@1")];
        let own = Listed { name: "o/Own.class".into(), class: Some(print(0)), ..Listed::default() };
        let mut other = own.clone();
        other.class = Some(class::read(&numbered("o/Own", 999).write()).unwrap());
        // Code that no known library explains may be this one, rewritten: nobody can say.
        let unsure = "pkg:maven/g.lib/lib in x.jar by pom-properties\n";
        let mut another = other.clone();
        another.name = "o/Another.class".into();
        check(vec![other.clone(), another], &pom, unsure);
        // One class is not a library of 24 under any disguise.
        check(vec![other.clone()], &pom, "");
        // Empty folders and resources are not its classes.
        let beside = |name: &str| Listed { name: name.into(), ..Listed::default() };
        let left = ["g/lib/", "META-INF/g/lib/plugins.dat", "META-INF/versions/9/g/lib/"];
        check(left.map(beside).to_vec(), &pom, "");
        let kept = "pkg:maven/g.lib/lib@1 in x.jar by pom-properties\n";
        check(vec![beside("META-INF/versions/9/g/lib/A.class")], &pom, kept);
        // Where its classes belong something stands that nobody knows: that is not for us to say.
        let mut natural = other;
        // However much of the rest is explained: of a small library one class is enough.
        let mut beside = members("", &[], "class");
        beside.push(natural.clone());
        let small = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n\
                     pkg:maven/h/small in x.jar by pom-properties\n";
        check(beside, &[(Basis::PomProperties, "pkg:maven/h/small@1")], small);
        natural.name = "g/lib/A.class".into();
        check(vec![natural], &pom, "pkg:maven/g.lib/lib@1 in x.jar by pom-properties\n");
    }

    /// Found by reading: a release whose code a larger library holds as well has nothing of its
    /// own, and where its group is no folder either, metadata with a version that nobody learnt
    /// made a ghost of it.
    #[test]
    fn a_library_whose_code_another_has_as_well_is_no_ghost() {
        let options = |others, of| {
            let more = (0..NAMES.len()).map(|at| numbered_class(format!("z/Z{at}"), 7_000 + at));
            let classes = (0..NAMES.len()).map(learnt).chain(more).collect();
            let (artifact, version) = ("z:whole".into(), "1".into());
            let whole = Release { artifact, version, classes, ..Release::default() };
            options_with("other:lib", whole, others, of)
        };
        let pom = [(Basis::PomProperties, "pkg:maven/other/lib@2")];
        let told = "pkg:maven/other/lib in x.jar by pom-properties of 1 2\n";
        check_by(&options(1, "0"), members("", &[], "class"), &pom, told);
        // Half of it, with a version after all that were learnt.
        let half = members("", &(12..NAMES.len()).collect::<Vec<_>>(), "class");
        let told = "pkg:maven/other/lib@2 in x.jar by pom-properties in conflict\n";
        check_by(&options(18, "0"), half, &pom, told);
    }
}
