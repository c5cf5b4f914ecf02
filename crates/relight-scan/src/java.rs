//! What the classes of a container, or of folders, say: libraries by their code, joined with what
//! the metadata in the same place claims.

mod place;

use std::cell::{LazyCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use memchr::memmem;
use relight_model::{Basis, Component, FlawCode, Purl};

use self::place::{Place, add, settle};
use crate::cataloger::{ClassPrint, Listed, Listing};
use crate::evidence::folder_of;
use crate::fingerprint::{Around, FeatureKind, Known, Match, Recognised, Seen, Versions};
use crate::fingerprint::{member_value, recognise, simple_hash};
use crate::limits::Options;
use crate::unpack::Found;

/// Endings under which loaders keep classes; agents hide theirs behind the last two.
pub(crate) const CLASS_ENDINGS: [&str; 3] = ["class", "classdata", "esclazz"];

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
    // A loader takes what a link leads to; here it is nothing.
    let is_whole = listing.complete && !listing.has_links;
    let around = Around { is_whole, archive: listing.archive };
    let (roots, mut named_here) = (roots_of(files), Vec::new());
    for (root, classes) in &roots {
        let recognised = look(known, classes, around);
        strange += (classes.len() as u64).saturating_sub(recognised.explained);
        found.damage(&recognised, path);
        for it in &recognised.matches {
            // A second copy, below another folder of the class path, has a place of its own.
            let is_first = named.insert(it.artifact.clone());
            let place = Place { container: path, root, is_folder: false, is_first };
            settle(known, &place, it, basis_of(classes, it), from, found);
        }
        traces.extend(recognised.traces);
        named_here.push(recognised.matches);
    }
    // Behind all that the first database names: what it says of one root must not hang on what
    // others say of another.
    for ((root, classes), matches) in roots.iter().zip(&named_here) {
        for it in named_by_others(known, classes, around, matches, path, found) {
            let is_first = named.insert(it.artifact.clone());
            let place = Place { container: path, root, is_folder: false, is_first };
            add(&place, &it, basis_of(classes, &it), from, found);
        }
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
        let is_read = !flawed.range(root.clone()..).next().is_some_and(|it| it.starts_with(root));
        let is_whole = is_read && !found.has_links_in(root);
        options.profiles.folder(root, classes, found);
        let around = Around { is_whole, archive: None };
        let recognised = look(known, classes, around);
        let container = if root.is_empty() { "./" } else { root.as_str() };
        found.damage(&recognised, container);
        let place = Place { container, root: "", is_folder: true, is_first: true };
        for it in &recognised.matches {
            settle(known, &place, it, basis_of(classes, it), 0, found);
        }
        for it in named_by_others(known, classes, around, &recognised.matches, container, found) {
            add(&place, &it, basis_of(classes, &it), 0, found);
        }
    }
    options.profiles.links(found);
}

/// Whether a link of this name may lead to a class, or to a folder of some: packages have no dot in
/// their names.
pub(crate) fn may_lead_to_classes(name: &[u8]) -> bool {
    let ending = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    ending == name || CLASS_ENDINGS.iter().any(|it| it.as_bytes() == ending)
}

fn look(known: &Known, classes: &[Seen<'_>], around: Around) -> Recognised {
    // Classes that could not be read are known by their check sums alone.
    let read = classes.iter().any(|class| class.print.is_some());
    let kind = if read { FeatureKind::Text } else { FeatureKind::Crc };
    recognise(known, kind, classes, around)
}

/// What the databases beside the first one recognise and that one does not.
fn named_by_others(
    known: &Known,
    classes: &[Seen<'_>],
    around: Around,
    named: &[Match],
    path: &str,
    found: &mut Found,
) -> Vec<Match> {
    let mut more: Vec<Match> = Vec::new();
    for database in known.more() {
        let recognised = look(database, classes, around);
        found.damage(&recognised, path);
        for it in recognised.matches {
            if !named.iter().chain(&more).any(|one| one.says(&it)) {
                more.push(it);
            }
        }
    }
    more
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

/// The name of a class whose file is called like this; `None` for what no loader looks for.
pub(crate) fn stem_of_class(path: &str) -> Option<&str> {
    let (stem, ending) = split_ending(path);
    CLASS_ENDINGS.contains(&ending).then_some(stem)
}

/// What a member is called as a class: its name, and whether it is the one that the class gives
/// itself as far as that is known; `None` for what is no class.
pub(crate) fn class_name(entry: &Listed) -> Option<(&str, bool)> {
    let (stem, ending) = split_ending(&entry.name);
    let is_class = entry.class.is_some() || CLASS_ENDINGS.contains(&ending);
    let is_own = |print: ClassPrint| simple_hash(stem.as_bytes()) == print.simple_name;
    is_class.then(|| (stem, entry.class.is_none_or(is_own)))
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
mod tests;
