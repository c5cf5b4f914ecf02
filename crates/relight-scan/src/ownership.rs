//! Which package of the operating system installed a file, attached to components after the walk.
//!
//! A file that a package owns stays in the inventory under its own name: scanners that drop it
//! lose every jar, gem and wheel of a distribution. The owner is a field, because its advisories
//! apply as well and its updates replace the file.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use relight_model::{Basis, Component, Owned, Purl};

use crate::distribution::root_of;
use crate::evidence::escape;
use crate::sniff::Gap;

/// What all package databases of a scan say about files. Paths are kept as 64-bit hashes: a host
/// owns hundreds of thousands, and two that collide by chance cost one wrong owner.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    /// Root file system of the database, and the package as the list names it.
    owners: Vec<(String, Purl)>,
    /// Hash of root and path, and the place of the owner in `owners`.
    files: HashMap<u64, u32>,
}

impl Ownership {
    /// No database was met.
    pub(crate) fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Takes the files of one package, named by the database file at `path`.
    pub(crate) fn add(&mut self, path: &str, owned: Owned) {
        let Some(root) = root_of(path).filter(|_| !owned.paths.is_empty()) else { return };
        let number = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        self.owners.push((root.to_owned(), owned.owner));
        for path in &owned.paths {
            let path = escaped(path.trim_start_matches('/'));
            // Since /usr was merged, `/lib/x` of a list is `/usr/lib/x` on the disk.
            let merged = ["bin/", "sbin/", "lib/", "lib64/"].iter().any(|it| path.starts_with(it));
            self.claim(hash(root, &path), number);
            if merged {
                self.claim(hash(root, &format!("usr/{path}")), number);
            }
        }
    }

    /// Two packages may name one file (diversions): the later name wins, in any order of reading.
    fn claim(&mut self, file: u64, number: u32) {
        let kept = self.files.entry(file).or_insert(number);
        if self.owners.get(number as usize) > self.owners.get(*kept as usize) {
            *kept = number;
        }
    }

    /// Adds what another worker met.
    pub(crate) fn merge(&mut self, other: Self) {
        let before = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        self.owners.extend(other.owners);
        for (file, number) in other.files {
            self.claim(file, number.saturating_add(before));
        }
    }

    /// The package that owns the file at an evidence path.
    fn owner(&self, evidence: &str, roots: &BTreeSet<&str>) -> Option<&(String, Purl)> {
        roots.iter().rev().find_map(|root| {
            // The root may be an image in an archive; what is in a file of it belongs to the file.
            let path = evidence.strip_prefix(root)?.split("!/").next()?;
            self.owners.get(*self.files.get(&hash(root, path))? as usize)
        })
    }

    /// Leaves those programs that no package installed: of the others the package says what they
    /// are, and its supplier what is wrong with them.
    pub(crate) fn leave_unowned(&self, gaps: &mut Vec<(Gap, String)>) {
        let roots = self.roots();
        gaps.retain(|(gap, path)| {
            !matches!(gap, Gap::Unlisted(_)) || self.owner(path, &roots).is_none()
        });
    }

    fn roots(&self) -> BTreeSet<&str> {
        self.owners.iter().map(|(root, _)| root.as_str()).collect()
    }

    /// Names the owner of each component, with the version that its database states.
    pub(crate) fn apply(&self, components: &mut [Component]) {
        let roots = self.roots();
        let stated = stated(components);
        for component in components {
            if component.basis == Basis::PackageDatabase {
                continue;
            }
            let Some((root, owner)) = self.owner(&component.evidence, &roots) else { continue };
            component.owned_by = stated.get(&key(root, owner)).cloned();
        }
    }
}

/// Root and kind, name, machine.
type Key = (String, String, String);

/// The packages of all databases, by root and name.
fn stated(components: &[Component]) -> HashMap<Key, Purl> {
    let databases = components.iter().filter(|it| it.basis == Basis::PackageDatabase);
    let mut all = HashMap::new();
    let mut named = HashSet::new();
    for component in databases {
        let Some(root) = root_of(&component.evidence) else { continue };
        let (kind, name, arch) = key(root, &component.purl);
        // The list of a package for one machine only does not name the machine.
        if named.insert((kind.clone(), name.clone())) {
            all.insert((kind.clone(), name.clone(), String::new()), component.purl.clone());
        }
        all.insert((kind, name, arch), component.purl.clone());
    }
    all
}

/// The machine is told apart for dpkg only, whose lists may name it; they have no version.
fn key(root: &str, purl: &Purl) -> Key {
    let arch = purl.qualifier("arch").filter(|_| purl.kind == "deb").unwrap_or_default();
    (format!("{root}\0{}", purl.kind), purl.name.clone(), arch.to_owned())
}

fn hash(root: &str, path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (root, path).hash(&mut hasher);
    hasher.finish()
}

/// A path of a list in the form of evidence paths.
fn escaped(path: &str) -> String {
    if path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte)) {
        return path.to_owned();
    }
    let segments = path.split('/').map(|segment| escape(segment.as_bytes()));
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use relight_model::Scope;

    use super::*;

    fn component(purl: &str, evidence: &str, basis: Basis) -> Component {
        Component::new(Purl::parse(purl).unwrap(), evidence, basis, Scope::Installed)
    }

    fn owners(lists: &[(&str, &str, &str)], evidence: &[&str]) -> Vec<String> {
        let mut ownership = Ownership::default();
        for (database, owner, path) in lists {
            let mut one = Ownership::default();
            let owner = Purl::parse(owner).unwrap();
            one.add(database, Owned { owner, paths: vec![(*path).to_owned()] });
            ownership.merge(one);
        }
        let status = "var/lib/dpkg/status";
        let deb = |purl, evidence: &str| component(purl, evidence, Basis::PackageDatabase);
        let mut all = vec![
            deb("pkg:deb/debian/libc6@2.36?arch=amd64", status),
            deb("pkg:deb/debian/libc6@2.35?arch=i386", status),
            deb("pkg:deb/debian/liblog4j2-java@2.17.1-1?arch=all", status),
            deb("pkg:deb/ubuntu/liblog4j2-java@2.13?arch=all", "img/var/lib/dpkg/status"),
        ];
        let packages = all.len();
        let jar = |path: &&str| component("pkg:maven/g/a@1", path, Basis::PomProperties);
        all.extend(evidence.iter().map(jar));
        ownership.apply(&mut all);
        let owner = |it: &Component| it.owned_by.as_ref().map(Purl::to_string).unwrap_or_default();
        all[packages..].iter().map(owner).collect()
    }

    /// A program of a distribution is no gap, nor is one in an image in an archive; one that stands
    /// beside is.
    #[test]
    fn programs_of_packages_are_no_gaps() {
        let mut ownership = Ownership::default();
        for (database, path) in
            [("var/lib/dpkg/info/a.list", "/bin/rg"), ("i.tar!/var/lib/dpkg/info/b.list", "/bin/x")]
        {
            let owner = Purl::parse("pkg:deb/a").unwrap();
            ownership.add(database, Owned { owner, paths: vec![path.to_owned()] });
        }
        let unlisted = Gap::Unlisted(relight_model::FlawCode::RustUnlisted);
        let at = |path: &str| (unlisted, path.to_owned());
        let paths = ["usr/bin/rg", "bin/rg", "i.tar!/usr/bin/x", "i.tar!/bin/rg", "opt/rg"];
        let mut gaps: Vec<_> = paths.map(at).into();
        gaps.push((Gap::NativeImage, "bin/rg".to_owned()));
        ownership.leave_unowned(&mut gaps);
        let left = [at("i.tar!/bin/rg"), at("opt/rg"), (Gap::NativeImage, "bin/rg".to_owned())];
        assert_eq!(gaps, left);
    }

    #[test]
    fn files_find_their_package() {
        let lists = [
            ("var/lib/dpkg/info/libc6:amd64.list", "pkg:deb/libc6?arch=amd64", "/lib/x/libc.so.6"),
            ("var/lib/dpkg/info/a.list", "pkg:deb/liblog4j2-java", "/usr/share/java/a b%.jar"),
            ("img/var/lib/dpkg/info/a.list", "pkg:deb/liblog4j2-java", "/usr/share/java/a.jar"),
            ("var/lib/dpkg/info/gone.list", "pkg:deb/gone", "/usr/share/java/gone.jar"),
        ];
        let got = owners(
            &lists,
            &[
                "usr/lib/x/libc.so.6",
                "lib/x/libc.so.6!/inner",
                "usr/share/java/a b%25.jar!/x",
                "img/usr/share/java/a.jar",
                "usr/share/java/a.jar",
                "usr/share/java/gone.jar",
            ],
        );
        let libc = "pkg:deb/debian/libc6@2.36?arch=amd64";
        let log4j = "pkg:deb/debian/liblog4j2-java@2.17.1-1?arch=all";
        let other = "pkg:deb/ubuntu/liblog4j2-java@2.13?arch=all";
        assert_eq!(got, [libc, libc, log4j, other, "", ""]);
    }

    #[test]
    fn the_order_of_workers_does_not_matter() {
        let one = ("var/lib/dpkg/info/a.list", "pkg:deb/libc6?arch=amd64", "/x");
        let two = ("var/lib/dpkg/info/b.list", "pkg:deb/liblog4j2-java", "/x");
        assert_eq!(owners(&[one, two], &["x"]), owners(&[two, one], &["x"]));
    }
}
