//! Under which name and version an archive is learnt.

use relight_model::Digest;
use sha2::{Digest as _, Sha256};

use super::learn::{LearntClass, Release};
use crate::archive::directory_hash;
use crate::cataloger::{Listed, Listing};
use crate::catalogers::{only_version, read_pom, split_version};
use crate::evidence::file_name;
use crate::unpack::count_selected;

/// The release that an archive is, by the layout of a Maven repository, its `pom.properties`, or
/// the name of its file, in this order; the first that says all. `bytes` are those of the file,
/// when it has one of its own. `None` when the archive has no classes, or nothing names it:
/// several libraries are merged in it, and it is none of them, or the name of its file alone may
/// mean two (`a-1.2-bridge-3.4.jar`): a copy would be known as one, and never as the other.
pub fn release_of(path: &str, listing: &Listing, bytes: Option<&[u8]>) -> Option<Release> {
    let classes: Vec<LearntClass> = (0..).zip(&listing.entries).filter_map(class_of).collect();
    let stem = file_name(path).strip_suffix(".jar").unwrap_or_else(|| file_name(path));
    let named = of_repository(path, stem)
        .or_else(|| of_metadata(listing, stem))
        .or_else(|| only_version(stem).map(|(name, version)| (name.into(), version.into())));
    let (artifact, version) = named.filter(|_| !classes.is_empty())?;
    let digest = bytes.map_or_else(Digest::default, |it| Digest(Sha256::digest(it).into()));
    let directory = bytes.filter(|_| listing.complete).and_then(directory_hash);
    let origin = file_name(path).to_owned();
    let opaque = (0..).zip(&listing.entries).filter(|(_, entry)| entry.opaque);
    let opaque = opaque.map(|(at, _)| at).collect();
    let selected = count_selected(listing.names().map(str::as_bytes));
    let answer = None;
    Some(Release {
        artifact,
        version,
        digest,
        origin,
        directory,
        selected,
        answer,
        opaque,
        classes,
    })
}

fn class_of((at, entry): (u32, &Listed)) -> Option<LearntClass> {
    let print = entry.class?;
    let name = entry.name.rsplit_once('.').map_or(entry.name.as_str(), |(stem, _)| stem);
    let member = entry.crc.zip(entry.size);
    Some(LearntClass { name: name.to_owned(), print, member, at: Some(at) })
}

/// `org/example/lib/1.0/lib-1.0.jar`.
fn of_repository(path: &str, stem: &str) -> Option<(String, String)> {
    let mut folders = path.rsplit('/').skip(1);
    let (version, artifact) = (folders.next()?, folders.next()?);
    let mut group: Vec<&str> = folders.collect();
    group.reverse();
    let is_layout = stem.strip_prefix(artifact)?.strip_prefix('-')? == version;
    (is_layout && !group.is_empty())
        .then(|| (format!("{}:{artifact}", group.join(".")), version.to_owned()))
}

/// The only `pom.properties`, or the one that has the file's name.
fn of_metadata(listing: &Listing, stem: &str) -> Option<(String, String)> {
    let poms = listing.members.iter().filter(|(name, _)| file_name(name) == "pom.properties");
    let mut poms: Vec<_> = poms.filter_map(|(name, bytes)| read_pom(name, bytes).ok()).collect();
    // What is merged into an archive with a name of its own has its metadata there as well.
    if poms.len() > 1 || split_version(stem).is_some() {
        let is_named = |name: &str| {
            stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        poms.retain(|purl| is_named(&purl.name));
    }
    // The longest name: `log4j-core-2.0.jar` starts with `log4j` as well.
    let purl = poms.into_iter().max_by_key(|purl| purl.name.len())?;
    Some((format!("{}:{}", purl.namespace, purl.name), purl.version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cataloger::ClassPrint;

    /// Goal: nothing is learnt under one of two names that a file may have. Method: names with one
    /// meaning and with two, and folders and metadata that decide between the two.
    #[test]
    fn a_name_of_two_libraries_teaches_neither() {
        let class = Some(ClassPrint::default());
        let entries = vec![Listed { name: "x/A.class".to_owned(), class, ..Listed::default() }];
        let listing = Listing { entries, ..Listing::default() };
        let pom = b"groupId=g\nartifactId=a-1.2-bridge\nversion=3.4\n".to_vec();
        let members = vec![("META-INF/maven/g/a-1.2-bridge/pom.properties".to_owned(), pom)];
        let told = Listing { members, ..listing.clone() };
        let bridge = Some(("g:a-1.2-bridge", "3.4"));
        for (path, listing, expected) in [
            ("a-1.2-bridge-3.4.jar", &listing, None),
            ("lib/log4j-core-2.14.1-acme-1.0.jar", &listing, None),
            ("lib/log4j-1.2-api-2.17.1.jar", &listing, Some(("log4j-1.2-api", "2.17.1"))),
            ("a-1.2.jar", &listing, Some(("a", "1.2"))),
            ("a-1.2-beta-3.4.jar", &listing, Some(("a", "1.2-beta-3.4"))),
            ("g/a-1.2-bridge/3.4/a-1.2-bridge-3.4.jar", &listing, bridge),
            ("a-1.2-bridge-3.4.jar", &told, bridge),
        ] {
            let release = release_of(path, listing, None);
            let named = release.as_ref().map(|it| (it.artifact.as_str(), it.version.as_str()));
            assert_eq!(named, expected, "{path}");
        }
    }
}
