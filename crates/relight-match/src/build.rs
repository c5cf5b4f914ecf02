//! Builds of a distribution's packages that are numbered for themselves: an erratum of the one kind
//! says nothing about the other.

use relight_model::{Ecosystem, PackageName};

/// Which builds, where they are not those that everybody gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Ubuntu's validated ones: `1.1.1-1ubuntu2.fips.2.1~18.04.15`.
    Fips,
    /// Oracle's, which are patched while they run: `2:2.28-200.ksplice1.el8`.
    Ksplice,
}

impl Build {
    /// That of a component.
    pub(crate) fn of_component(package: &PackageName, version: &str) -> Option<Self> {
        match package.ecosystem {
            Ecosystem::Ubuntu if !is_fips(package) && version.contains("fips") => Some(Self::Fips),
            Ecosystem::OracleLinux if version.contains("ksplice") => Some(Self::Ksplice),
            _ => None,
        }
    }

    /// That of a record, as far as the release tells that it names: `Pro:FIPS-updates:18.04:LTS`.
    pub(crate) fn of_record(package: &PackageName) -> Option<Self> {
        let release = package.release.as_deref().unwrap_or_default();
        let is_fips = package.ecosystem == Ecosystem::Ubuntu
            && !is_fips(package)
            && release.split(':').any(|part| part.starts_with("FIPS"));
        is_fips.then_some(Self::Fips)
    }

    /// That of a record whose bounds are versions of Ksplice.
    pub(crate) fn of_bounds(ecosystem: &Ecosystem, holds: impl Fn(&str) -> bool) -> Option<Self> {
        let is_one = *ecosystem == Ecosystem::OracleLinux && holds("ksplice");
        is_one.then_some(Self::Ksplice)
    }
}

/// `linux-fips` has no other builds, and its versions do not tell.
fn is_fips(package: &PackageName) -> bool {
    package.name.contains("fips")
}
