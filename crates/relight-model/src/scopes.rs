//! What is only declared, and whether what is installed decides in its place.

use std::collections::BTreeSet;

use crate::{Basis, Certainty, Component, Purl, Scope};

/// Whether a lock file or a build document names it, so that an installed one may decide.
pub(crate) fn may_stand_back(component: &Component) -> bool {
    let is_declared = matches!(component.scope, Scope::Declared | Scope::Superseded);
    is_declared && component.basis != Basis::Document
}

/// What is installed, by name and place.
pub(crate) struct Installed<'a> {
    places: BTreeSet<(Name<'a>, Place<'a>)>,
    /// Kinds of which an archive (or the tree itself) has something outside of the folder of its
    /// system, or from a package of its system.
    elsewhere: BTreeSet<(&'a str, &'a str)>,
}

/// Type, namespace and name.
type Name<'a> = (&'a str, &'a str, &'a str);

/// The innermost archive, empty for the tree itself, and the path in it.
type Place<'a> = (&'a str, &'a str);

impl<'a> Installed<'a> {
    pub(crate) fn of(components: &'a [Component]) -> Self {
        let installed = components.iter().filter(|it| it.scope == Scope::Installed);
        let (mut places, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
        for component in installed {
            let (archive, path) = place(&component.evidence);
            if !path.starts_with(SYSTEM) || component.owned_by.is_some() {
                elsewhere.insert((component.purl.kind.as_str(), archive));
            }
            let is_of_system = is_once_for_all(&component.purl) && component.owned_by.is_some();
            if decides(component) && !is_of_system {
                places.insert((name(&component.purl), (archive, path)));
            }
        }
        Self { places, elsewhere }
    }

    /// Whether what a lock file names is installed where that lock file speaks of: below its folder
    /// in the same archive. Packages of Python and Ruby are installed once for a whole system: they
    /// are where that is the only place in the archive that has any, and those that a package of
    /// the system brings are not what the lock file speaks of.
    pub(crate) fn has(&self, declared: &Component) -> bool {
        let purl = &declared.purl;
        let (archive, path) = place(&declared.evidence);
        let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
        if purl.kind == "npm" {
            return self.is_below(purl, archive, &format!("{folder}node_modules/"));
        }
        let is_of_system =
            is_once_for_all(purl) && !self.elsewhere.contains(&(purl.kind.as_str(), archive));
        self.is_below(purl, archive, folder) || is_of_system && self.is_below(purl, archive, SYSTEM)
    }

    fn is_below(&self, purl: &Purl, archive: &str, folder: &str) -> bool {
        let first = (name(purl), (archive, folder));
        self.places.range(first..).next().is_some_and(|(of, (inside, path))| {
            *of == first.0 && *inside == archive && path.starts_with(folder)
        })
    }
}

/// Where a system installs for all of it.
const SYSTEM: &str = "usr/";

/// Whether packages of this kind are installed once for a whole system.
fn is_once_for_all(purl: &Purl) -> bool {
    matches!(purl.kind.as_str(), "pypi" | "gem")
}

/// Whether it tells which version of the package is there: a part of its code or the name of a file
/// does not, nor does an assembly of .NET, whose name and version are its own.
fn decides(component: &Component) -> bool {
    let is_assembly = component.purl.kind == "nuget" && component.basis == Basis::Manifest;
    matches!(component.basis.certainty(), Certainty::Proven | Certainty::Recorded) && !is_assembly
}

fn name(purl: &Purl) -> Name<'_> {
    (&purl.kind, &purl.namespace, &purl.name)
}

fn place(evidence: &str) -> Place<'_> {
    evidence.rsplit_once("!/").unwrap_or(("", evidence))
}

#[cfg(test)]
mod tests {
    use crate::{Basis, Component, Purl, Sbom, Scope};

    fn of(purl: &str, evidence: &str, basis: Basis, scope: Scope) -> Component {
        Component::new(Purl::parse(purl).unwrap(), evidence, basis, scope)
    }

    fn lock(purl: &str, evidence: &str) -> Component {
        of(purl, evidence, Basis::LockFile, Scope::Declared)
    }

    fn seen(purl: &str, evidence: &str) -> Component {
        of(purl, evidence, Basis::InstalledMetadata, Scope::Installed)
    }

    /// The scope of what the lock file names, beside all others.
    fn ranked(components: Vec<Component>) -> Scope {
        let mut sbom = Sbom { components, ..Sbom::default() };
        sbom.rank_scopes();
        sbom.rank_scopes();
        let mut declared = sbom.components.iter().filter(|it| it.basis == Basis::LockFile);
        declared.next().unwrap().scope
    }

    /// The lock file of one application was answered by what another one has installed: the site
    /// was clear.
    #[test]
    fn only_what_lies_below_a_lock_file_decides_in_its_place() {
        let tar = "pkg:npm/tar@6.1.0";
        for (place, wanted) in [
            ("a/node_modules/tar/package.json", Scope::Superseded),
            ("a/node_modules/x/node_modules/tar/package.json", Scope::Superseded),
            ("b/node_modules/tar/package.json", Scope::Declared),
            ("ab/node_modules/tar/package.json", Scope::Declared),
            ("node_modules/tar/package.json", Scope::Declared),
            ("usr/local/lib/node_modules/npm/node_modules/tar/package.json", Scope::Declared),
            ("a/old.tar!/a/node_modules/tar/package.json", Scope::Declared),
            ("o.tar!/a/node_modules/tar/package.json", Scope::Declared),
            // Beside its modules are copies of somebody.
            ("a/public/tar.min.js", Scope::Declared),
        ] {
            let beside = [seen("pkg:npm/a@1", "z"), seen("pkg:npm/tar@7.4.3", place)];
            let all = [vec![lock(tar, "a/package-lock.json")], beside.to_vec()].concat();
            assert_eq!(ranked(all), wanted, "{place}");
        }
        let inside = |lock_at: &str, place: &str| {
            ranked(vec![lock(tar, lock_at), seen("pkg:npm/tar@7.4.3", place)])
        };
        let packed = "o.tar!/a/node_modules/tar/package.json";
        assert_eq!(inside("o.tar!/a/package-lock.json", packed), Scope::Superseded);
        assert_eq!(inside("p.tar!/a/package-lock.json", packed), Scope::Declared);
        assert_eq!(inside("package-lock.json", "usr/node_modules/tar/x"), Scope::Declared);
        let jar = |place| {
            let seen = seen("pkg:maven/g/x@2", place);
            ranked(vec![lock("pkg:maven/g/x@1", "a/gradle.lockfile"), seen])
        };
        assert_eq!(jar("a/lib/x.jar"), Scope::Superseded);
        assert_eq!(jar("b/lib/x.jar"), Scope::Declared);
        assert_eq!(jar("a/app.jar!/BOOT-INF/lib/x.jar"), Scope::Declared);
    }

    #[test]
    fn one_place_of_a_system_decides_for_python_and_ruby_where_nothing_is_elsewhere() {
        let place = "usr/local/lib/python3.12/site-packages/x-2.dist-info/METADATA";
        let ranked_with = |place: &str, others: &[Component]| {
            let pair = [lock("pkg:pypi/x@1", "app/requirements.txt"), seen("pkg:pypi/x@2", place)];
            ranked([&pair[..], others].concat())
        };
        assert_eq!(ranked_with(place, &[]), Scope::Superseded);
        assert_eq!(ranked_with("app/venv/lib/x/METADATA", &[]), Scope::Superseded);
        assert_eq!(ranked_with("srv/b/venv/lib/x/METADATA", &[]), Scope::Declared);
        assert_eq!(ranked_with(&format!("o.tar!/{place}"), &[]), Scope::Declared);
        let venv = seen("pkg:pypi/y@1", "opt/venv/lib/y/METADATA");
        assert_eq!(ranked_with(place, &[venv]), Scope::Declared);
        let gem = seen("pkg:gem/y@1", "opt/y.gemspec");
        assert_eq!(ranked_with(place, &[gem]), Scope::Superseded);
        // What the packages of a system bring is not what a list for pip speaks of.
        let owned_by = Some(Purl::parse("pkg:deb/debian/python3-x@2").unwrap());
        let owned = Component { owned_by, ..seen("pkg:pypi/x@2", place) };
        for list in ["a/r.txt", "requirements.txt"] {
            let all = vec![lock("pkg:pypi/x@1", list), owned.clone()];
            assert_eq!(ranked(all), Scope::Declared, "{list}");
        }
        let lock = lock("pkg:maven/g/x@1", "app/gradle.lockfile");
        assert_eq!(ranked(vec![lock, seen("pkg:maven/g/x@2", "usr/share/x.jar")]), Scope::Declared);
    }

    #[test]
    fn what_does_not_tell_its_version_decides_nothing() {
        for (basis, wanted) in [
            (Basis::PackageDatabase, Scope::Superseded),
            (Basis::PomProperties, Scope::Superseded),
            (Basis::PathString, Scope::Declared),
            (Basis::ClassName, Scope::Declared),
            (Basis::FileName, Scope::Declared),
        ] {
            let seen = of("pkg:maven/g/x@2", "a/lib/x.jar", basis, Scope::Installed);
            let all = vec![lock("pkg:maven/g/x@1", "a/gradle.lockfile"), seen];
            assert_eq!(ranked(all), wanted, "{basis:?}");
        }
    }

    /// The list took the gap of an assembly away, and the assembly the finding of the list.
    #[test]
    fn an_assembly_does_not_answer_for_a_list_of_packages() {
        for (basis, wanted) in
            [(Basis::Manifest, Scope::Declared), (Basis::InstalledMetadata, Scope::Superseded)]
        {
            let seen = of("pkg:nuget/X@2.0.0.0", "site/bin/X.dll", basis, Scope::Installed);
            let all = vec![lock("pkg:nuget/X@1.2.0", "site/packages.lock.json"), seen];
            assert_eq!(ranked(all), wanted, "{basis:?}");
        }
    }

    /// Whoever reads an inventory knows its places only as it tells them: renamed, or of several
    /// assets together.
    #[test]
    fn what_a_document_calls_declared_is_never_raised() {
        let pair = || {
            let seen = seen("pkg:npm/a@2", "node_modules/a/package.json");
            vec![lock("pkg:npm/a@1", "package-lock.json"), seen]
        };
        let mut sbom = Sbom { components: pair(), ..Sbom::default() };
        sbom.normalise();
        assert_eq!(sbom.components[0].scope, Scope::Declared);
        sbom.rank_scopes();
        sbom.normalise();
        assert_eq!(sbom.components[0].scope, Scope::Superseded);
        sbom.components[1].evidence = "b/node_modules/a/package.json".to_owned();
        sbom.sort();
        assert_eq!(sbom.components[0].scope, Scope::Superseded, "only sorted");
        sbom.normalise();
        assert_eq!(sbom.components[0].scope, Scope::Declared, "it is not believed");
    }
}
