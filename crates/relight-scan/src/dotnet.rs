//! Assemblies of .NET of which nothing says which packages they are of.
//!
//! The name of an assembly is not that of its package (`BouncyCastle.Crypto.dll` is of
//! `Portable.BouncyCastle`), so that a question about a package is answered by what lists packages,
//! and by nothing else.

use std::collections::{BTreeSet, HashSet};

use relight_model::{Dotnet, FlawCode};

use crate::evidence::file_name;
use crate::sniff::Gap;

/// Puts one gap for each folder of such assemblies in the place of what catalogers said of single
/// files.
pub(crate) fn leave_unlisted(gaps: &mut Vec<(Gap, String)>) {
    let of = |wanted: Dotnet| {
        let all = gaps.iter().filter(move |(gap, _)| *gap == Gap::Dotnet(wanted));
        all.map(|(_, path)| path.as_str())
    };
    let listed: HashSet<&str> = of(Dotnet::Packages).flat_map(listed_by).collect();
    let unlisted = of(Dotnet::Assembly).filter(|path| !is_listed(path, &listed));
    let folders: BTreeSet<String> = unlisted.map(|path| named(folder(path))).collect();
    gaps.retain(|(gap, _)| !matches!(gap, Gap::Dotnet(_)));
    let gap = Gap::Unlisted(FlawCode::DotnetUnlisted);
    gaps.extend(folders.into_iter().map(|folder| (gap, folder)));
}

/// The folder of a file, with what stands behind it: `/`, or `!/` for an archive.
fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

/// The folders that a list speaks of: its own, and for that of a package in its archive the one of
/// the same name, where the archive lies and is unpacked. A package names itself and nothing that
/// it needs: it speaks of no folder but that of a package.
fn listed_by(list: &str) -> impl Iterator<Item = &str> {
    let own = folder(list);
    let package = file_name(list).strip_suffix(".nuspec");
    let own_of_it = Some(own).filter(|_| package.is_none_or(|name| is_of_package(own, name)));
    let archive = own.strip_suffix("!/").filter(|_| package.is_some());
    let unpacked = archive.and_then(|archive| {
        let name = file_name(archive).strip_suffix(".nupkg")?;
        let beside = folder(archive);
        (file_name(beside.strip_suffix('/')?) == name).then_some(beside)
    });
    own_of_it.into_iter().chain(unpacked)
}

/// Whether a folder is a package: its archive, or what was unpacked as `NAME.VERSION` or
/// `NAME/VERSION`.
fn is_of_package(folder: &str, name: &str) -> bool {
    if folder.ends_with(".nupkg!/") {
        return true;
    }
    let folder = folder.strip_suffix('/').unwrap_or_default();
    let begins =
        |text: &str| text.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    let is_version = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let last = file_name(folder);
    let above = folder.strip_suffix(last).and_then(|above| above.strip_suffix('/'));
    begins(last) && last[name.len()..].strip_prefix('.').is_some_and(is_version)
        || is_version(last)
            && above.is_some_and(|above| file_name(above).eq_ignore_ascii_case(name))
}

/// Whether a list stands beside a file or above it, in the same archive.
fn is_listed(path: &str, listed: &HashSet<&str>) -> bool {
    let archive = path.rfind("!/").map_or(0, |at| at + "!/".len());
    let inside = &path[archive..];
    let ends = inside.match_indices('/').map(|(at, _)| archive + at + 1).chain([archive]);
    ends.into_iter().any(|end| listed.contains(&path[..end]))
}

/// A folder as places are told.
fn named(folder: &str) -> String {
    let plain = folder.strip_suffix("!/").or_else(|| folder.strip_suffix('/')).unwrap_or(folder);
    if plain.is_empty() { ".".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_speaks_of_what_is_beside_and_below_it_in_the_same_archive() {
        let told = |lists: &[&str], assemblies: &[&str]| -> Vec<String> {
            let of = |what, paths: &[&str]| -> Vec<_> {
                paths.iter().map(|path| (Gap::Dotnet(what), (*path).to_owned())).collect()
            };
            let mut gaps = of(Dotnet::Packages, lists);
            gaps.extend(of(Dotnet::Assembly, assemblies));
            leave_unlisted(&mut gaps);
            gaps.into_iter().map(|(_, path)| path).collect()
        };
        assert_eq!(
            told(&[], &["bin/b.dll", "bin/a.dll", "c.dll", "o.zip!/d.dll"]),
            [".", "bin", "o.zip"]
        );
        let site = ["site/bin/a.dll", "site/bin/x/b.dll"];
        for list in ["site/packages.config", "site/bin/a.deps.json", "a.deps.json"] {
            assert_eq!(told(&[list], &site), [""; 0], "{list}");
        }
        for list in ["site/obj/a.deps.json", "sit/packages.config", "site/bin/o.zip!/a.deps.json"] {
            assert_eq!(told(&[list], &site), ["site/bin", "site/bin/x"], "{list}");
        }
        // What lies in an archive is of it.
        assert_eq!(
            told(&["site/packages.config"], &["site/o.zip!/bin/a.dll"]),
            ["site/o.zip!/bin"]
        );
        let package = "packages/A.1/A.1.nupkg!/A.nuspec";
        let of_it = ["packages/A.1/A.1.nupkg!/lib/net45/A.dll", "packages/A.1/lib/net45/A.dll"];
        assert_eq!(told(&[package], &of_it), [""; 0]);
        assert_eq!(told(&[package], &["packages/B.1/lib/B.dll"]), ["packages/B.1/lib"]);
        assert_eq!(told(&["a/o.zip!/x.deps.json"], &["a/b.dll"]), ["a"]);
        // A package that is made here, or by another tool, says nothing of what it ships.
        for list in ["a/My.nuspec", "My.nuspec", "a/My/My.nuspec", "a/o.zip!/My.nuspec"] {
            assert_eq!(told(&[list], &["a/bin/x.dll"]), ["a/bin"], "{list}");
        }
        for folder in ["p/my.1.2", "p/my/1.2", "p/My.1.0-beta"] {
            let (list, of_it) = (format!("{folder}/My.nuspec"), format!("{folder}/lib/My.dll"));
            assert_eq!(told(&[&list], &[&of_it]), [""; 0], "{folder}");
        }
        for folder in ["p/My.Other.1.2", "p/1.2", "My/bin"] {
            let (list, of_it) = (format!("{folder}/My.nuspec"), format!("{folder}/My.dll"));
            assert_eq!(told(&[&list], &[&of_it]), [folder], "{folder}");
        }
    }
}
