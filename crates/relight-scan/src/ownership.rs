//! Which package of the operating system installed a file, attached to components after the walk.
//!
//! A file that a package owns stays in the inventory under its own name: scanners that drop it
//! lose every jar, gem and wheel of a distribution. The owner is a field, because its advisories
//! apply as well and its updates replace the file.

use std::collections::{BTreeSet, HashMap};

use relight_model::{Basis, Component, Dotnet, Owned, Purl};
use xxhash_rust::xxh3::xxh3_64;

use crate::distribution::{UNLISTED, root_of};
use crate::evidence::escape;
use crate::sniff::Gap;

/// What all package databases of a scan say about files. Paths are kept as 64-bit hashes: a host
/// owns hundreds of thousands, and two that collide by chance cost one wrong owner.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    /// Root file system of the database, and the package as the list names it.
    owners: Vec<(String, Purl)>,
    /// By the hash of root and path.
    files: HashMap<u64, Claim>,
}

/// Who owns a file.
#[derive(Clone, Copy, Debug)]
struct Claim {
    /// The place of the owner in `owners`.
    number: u32,
    /// Other builds of this package name the file as well.
    is_shared: bool,
}

impl Ownership {
    /// No database was met.
    pub(crate) fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// All of it: owners with their roots; hashes of paths below the root, the number of the owner,
    /// and whether other builds of it own the file.
    #[expect(clippy::type_complexity, reason = "rows of two tables")]
    pub(crate) fn parts(&self) -> (&[(String, Purl)], Vec<(u64, u32, bool)>) {
        let below_root = |(file, claim): (&u64, &Claim)| {
            let (root, _) = self.owners.get(claim.number as usize)?;
            Some((file ^ xxh3_64(root.as_bytes()), claim.number, claim.is_shared))
        };
        let mut files: Vec<_> = self.files.iter().filter_map(below_root).collect();
        files.sort_unstable();
        (&self.owners, files)
    }

    /// The same back; `None` where a file is owned by nobody.
    pub(crate) fn of_parts(
        owners: Vec<(String, Purl)>,
        files: Vec<(u64, u32, bool)>,
    ) -> Option<Self> {
        let of_root = |(path, number, is_shared): (u64, u32, bool)| {
            let (root, _) = owners.get(number as usize)?;
            Some((path ^ xxh3_64(root.as_bytes()), Claim { number, is_shared }))
        };
        let files = files.into_iter().map(of_root).collect::<Option<_>>()?;
        Some(Self { owners, files })
    }

    /// Takes the files of one package, named by the database file at `path`.
    pub(crate) fn add(&mut self, path: &str, owned: Owned) {
        let Some(root) = root_of(path).filter(|_| !owned.paths.is_empty()) else { return };
        let number = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        let claim = Claim { number, is_shared: false };
        self.owners.push((root.to_owned(), owned.owner));
        for path in &owned.paths {
            let path = escaped(path.trim_start_matches('/'));
            // Since /usr was merged, `/lib/x` of a list is `/usr/lib/x` on the disk.
            let merged = ["bin/", "sbin/", "lib/", "lib64/"].iter().any(|it| path.starts_with(it));
            self.claim(hash(root, &path), claim);
            if merged {
                self.claim(hash(root, &format!("usr/{path}")), claim);
            }
        }
    }

    /// Two packages may name one file (diversions): the later name wins, in any order of reading.
    fn claim(&mut self, file: u64, claim: Claim) {
        let kept = self.files.entry(file).or_insert(claim);
        let (old, new) = (kept.number as usize, claim.number as usize);
        let (Some(old), Some(new)) = (self.owners.get(old), self.owners.get(new)) else { return };
        if name(old) == name(new) {
            kept.is_shared |= claim.is_shared || old.1 != new.1;
        } else if new > old {
            kept.is_shared = claim.is_shared;
        }
        if new > old {
            kept.number = claim.number;
        }
    }

    /// Adds what another worker met.
    pub(crate) fn merge(&mut self, other: Self) {
        let before = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        self.owners.extend(other.owners);
        for (file, claim) in other.files {
            let number = claim.number.saturating_add(before);
            self.claim(file, Claim { number, ..claim });
        }
    }

    /// The package that owns the file at an evidence path, and the path below its root.
    fn owner<'a>(&self, evidence: &'a str, roots: &BTreeSet<&str>) -> Option<(Claim, &'a str)> {
        roots.iter().rev().find_map(|root| {
            // The root may be an image in an archive; what is in a file of it belongs to the file.
            let path = evidence.strip_prefix(root)?.split("!/").next()?;
            self.files.get(&hash(root, path)).map(|claim| (*claim, path))
        })
    }

    /// Leaves those programs that no package of the distribution installed: of the others the
    /// package says what they are, and its supplier what is wrong with them.
    pub(crate) fn leave_unowned(&self, gaps: &mut Vec<(Gap, String)>) {
        let roots = self.roots();
        gaps.retain(|(gap, path)| {
            let owner = || self.owner(path, &roots).filter(|(_, path)| !is_add_on(path));
            let is_of_program = matches!(gap, Gap::Unlisted(_) | Gap::Dotnet(Dotnet::Assembly));
            *gap == UNLISTED || !is_of_program || owner().is_none()
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
            let Some((claim, _)) = self.owner(&component.evidence, &roots) else { continue };
            let Some((root, owner)) = self.owners.get(claim.number as usize) else { continue };
            let [whole, name] = keys(root, owner);
            let key = if claim.is_shared { name } else { whole };
            component.owned_by = stated.get(&key).cloned().flatten();
        }
    }
}

/// Whether a path of a system is that of add-on software (FHS 3.0, `/opt`), about whose packages no
/// distribution publishes anything.
pub(crate) fn is_add_on(path: &str) -> bool {
    path.trim_start_matches(['.', '/']).starts_with("opt/")
}

/// Root and kind, name, and what tells builds apart.
type Key = (String, String, String);

/// The packages of all databases, by all of their key and by name alone; `None` where several
/// versions go by it.
fn stated(components: &[Component]) -> HashMap<Key, Option<Purl>> {
    let databases = components.iter().filter(|it| it.basis == Basis::PackageDatabase);
    let mut all = HashMap::new();
    for Component { purl, evidence, .. } in databases {
        let Some(root) = root_of(evidence) else { continue };
        for key in keys(root, purl) {
            let kept = all.entry(key).or_insert_with(|| Some(purl.clone()));
            kept.take_if(|kept| version(kept) != version(purl));
            if let Some(kept) = kept.as_mut().filter(|kept| purl < *kept) {
                *kept = purl.clone();
            }
        }
    }
    all
}

/// All that a list says, and the name alone. Lists of dpkg have no version, and name the machine
/// only where there may be several.
fn keys(root: &str, purl: &Purl) -> [Key; 2] {
    let build = match purl.kind.as_str() {
        "deb" => purl.qualifier("arch").unwrap_or_default().to_owned(),
        _ => format!("{}:{}", version(purl).0, version(purl).1),
    };
    let key = |build| (format!("{root}\0{}", purl.kind), purl.name.clone(), build);
    [key(build), key(String::new())]
}

/// A package of a list, whatever its build.
fn name((root, purl): &(String, Purl)) -> [&str; 4] {
    [root, &purl.kind, &purl.namespace, &purl.name]
}

/// Epoch and version.
fn version(purl: &Purl) -> (&str, &str) {
    (purl.qualifier("epoch").unwrap_or_default(), &purl.version)
}

/// The root counts apart, so that a file can be moved below another one.
fn hash(root: &str, path: &str) -> u64 {
    xxh3_64(root.as_bytes()) ^ xxh3_64(path.as_bytes())
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

    /// What owns the files at `evidence` by these lists and the packages of one dpkg.
    fn owners(lists: &[(&str, &str, &str)], evidence: &[&str]) -> Vec<String> {
        let status = "var/lib/dpkg/status";
        let packages = [
            ("pkg:deb/debian/libc6@2.36?arch=amd64", status),
            ("pkg:deb/debian/libc6@2.35?arch=i386", status),
            ("pkg:deb/debian/liblog4j2-java@2.17.1-1?arch=all", status),
            ("pkg:deb/ubuntu/liblog4j2-java@2.13?arch=all", "img/var/lib/dpkg/status"),
        ];
        owners_among(&packages, lists, evidence)
    }

    fn owners_among(
        packages: &[(&str, &str)],
        lists: &[(&str, &str, &str)],
        evidence: &[&str],
    ) -> Vec<String> {
        let mut ownership = Ownership::default();
        for (database, owner, path) in lists {
            let mut one = Ownership::default();
            let owner = Purl::parse(owner).unwrap();
            one.add(database, Owned { owner, paths: vec![(*path).to_owned()] });
            ownership.merge(one);
        }
        let stated = |(purl, place): &(&str, &str)| component(purl, place, Basis::PackageDatabase);
        let mut all: Vec<_> = packages.iter().map(stated).collect();
        let jar = |path: &&str| component("pkg:maven/g/a@1", path, Basis::PomProperties);
        all.extend(evidence.iter().map(jar));
        ownership.apply(&mut all);
        let owner = |it: &Component| it.owned_by.as_ref().map(Purl::to_string).unwrap_or_default();
        all[packages.len()..].iter().map(owner).collect()
    }

    /// A program of a distribution is no gap, nor is one in an image in an archive; one that stands
    /// beside is, and one of a vendor.
    #[test]
    fn programs_of_packages_are_no_gaps() {
        let mut ownership = Ownership::default();
        for (database, path) in
            [("var/lib/dpkg/info/a.list", "/bin/rg"), ("i.tar!/var/lib/dpkg/info/b.list", "/bin/x")]
        {
            let owner = Purl::parse("pkg:deb/a").unwrap();
            ownership.add(database, Owned { owner, paths: vec![path.to_owned()] });
        }
        let vendor = Purl::parse("pkg:deb/vendor").unwrap();
        let paths = vec!["/opt/v/rg".to_owned(), "/usr/opt/rg".to_owned()];
        ownership.add("var/lib/dpkg/info/v.list", Owned { owner: vendor, paths });
        let unlisted = Gap::Unlisted(relight_model::FlawCode::RustUnlisted);
        let at = |path: &str| (unlisted, path.to_owned());
        let paths = ["usr/bin/rg", "bin/rg", "i.tar!/usr/bin/x", "i.tar!/bin/rg", "opt/rg"];
        let mut gaps: Vec<_> = paths.map(at).into();
        gaps.extend(["opt/v/rg", "usr/opt/rg"].map(at));
        gaps.push((Gap::NativeImage, "bin/rg".to_owned()));
        ownership.leave_unowned(&mut gaps);
        let left = ["i.tar!/bin/rg", "opt/rg", "opt/v/rg"].map(at).into_iter();
        let left: Vec<_> = left.chain([(Gap::NativeImage, "bin/rg".to_owned())]).collect();
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

    /// Goal: an update that was broken off, and packages of which several builds may be installed,
    /// give a file the build that put it there, or none. Method: every order of rows and lists.
    #[test]
    fn a_file_has_the_build_that_names_it() {
        let place = "var/lib/rpm/rpmdb.sqlite";
        let (old, new) = ("pkg:rpm/a@1-1?arch=x86_64", "pkg:rpm/a@2-1?arch=x86_64");
        let epoch = "pkg:rpm/a@1-1?arch=x86_64&epoch=1";
        let other = "pkg:rpm/0@2-1?arch=x86_64";
        for (lists, wanted) in [
            (&[old][..], old),
            (&[new], new),
            (&[epoch], epoch),
            (&[old, new], ""),
            (&[old, epoch], ""),
            (&[old, other], old),
            (&[old, other, new], ""),
            (&["pkg:rpm/a@3-1"], ""),
        ] {
            let mut lists: Vec<_> = lists.iter().map(|it| (place, *it, "/x.jar")).collect();
            let mut rows = [old, new, epoch, other].map(|purl| (purl, place));
            for turn in 0..12 {
                let got = owners_among(&rows, &lists, &["x.jar"]);
                assert_eq!(got, [wanted], "{lists:?} {turn}");
                lists.rotate_left(1);
                rows.rotate_left(1);
                if turn == 5 {
                    lists.reverse();
                    rows.reverse();
                }
            }
        }
    }

    /// Lists of dpkg have no version: a name that goes by two is none, also where both name it.
    #[test]
    fn a_name_with_two_versions_is_no_owner() {
        let list = |owner| ("var/lib/dpkg/info/a.list", owner, "/x.jar");
        let (one, two) = (list("pkg:deb/libc6?arch=amd64"), list("pkg:deb/libc6?arch=i386"));
        assert_eq!(owners(&[list("pkg:deb/libc6")], &["x.jar"]), [""]);
        assert_eq!(owners(&[one, two], &["x.jar"]), [""]);
        assert_eq!(owners(&[two, one], &["x.jar"]), [""]);
        assert_eq!(owners(&[one], &["x.jar"]), ["pkg:deb/debian/libc6@2.36?arch=amd64"]);
    }
}
