//! Names of packages as records write them: OSV ecosystems, purls, registries.

use relight_model::{Ecosystem, PackageName, Purl};

/// A package of an ecosystem as OSV writes it, with its release where it has one.
pub(super) fn package_name(ecosystem: &str, name: &str) -> PackageName {
    let (ecosystem, release) = Ecosystem::with_release(ecosystem);
    PackageName { ecosystem, release, name: name.to_owned() }
}

/// Registries by how their addresses start, without scheme and `www.`, with their OSV ecosystem.
const REGISTRIES: [(&str, &str); 16] = [
    ("central.sonatype.com", "Maven"),
    ("crates.io", "crates.io"),
    ("github.com/rust-lang/crates.io-index", "crates.io"),
    ("hex.pm", "Hex"),
    ("mvnrepository.com", "Maven"),
    ("npmjs.com", "npm"),
    ("nuget.org", "NuGet"),
    ("packagist.org", "Packagist"),
    ("pkg.go.dev", "Go"),
    ("pub.dev", "Pub"),
    ("pypi.org", "PyPI"),
    ("pypi.python.org", "PyPI"),
    ("registry.npmjs.org", "npm"),
    ("repo.maven.apache.org", "Maven"),
    ("repo1.maven.org", "Maven"),
    ("rubygems.org", "RubyGems"),
];

/// A package of a known registry, by the address of the registry.
pub(super) fn package_of_registry(address: &str, name: &str) -> Option<PackageName> {
    let address = address.trim().trim_start_matches("https://").trim_start_matches("http://");
    let address = address.trim_start_matches("www.");
    let (_, ecosystem) = REGISTRIES.iter().find(|(registry, _)| {
        let rest = address.strip_prefix(registry);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    })?;
    (!name.trim().is_empty()).then(|| package_name(ecosystem, name.trim()))
}

/// The OSV ecosystem of a type of purl that has one registry.
const TYPES: [(&str, &str); 13] = [
    ("bitnami", "Bitnami"),
    ("cargo", "crates.io"),
    ("composer", "Packagist"),
    ("cran", "CRAN"),
    ("gem", "RubyGems"),
    ("githubactions", "GitHub Actions"),
    ("golang", "Go"),
    ("hackage", "Hackage"),
    ("hex", "Hex"),
    ("maven", "Maven"),
    ("npm", "npm"),
    ("nuget", "NuGet"),
    ("pypi", "PyPI"),
];

/// The package of a purl, for the types that have one registry; packages of distributions need a
/// release and are left to their own databases.
pub(super) fn package_of_purl(purl: &Purl) -> Option<PackageName> {
    let (_, ecosystem) = TYPES.iter().find(|(kind, _)| *kind == purl.kind)?;
    let separator = if purl.kind == "maven" { ":" } else { "/" };
    let name = match purl.namespace.as_str() {
        "" => purl.name.clone(),
        namespace => format!("{namespace}{separator}{}", purl.name),
    };
    Some(package_name(ecosystem, &name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(package: Option<PackageName>) -> String {
        package.map_or_else(String::new, |it| {
            let release = it.release.map(|it| format!(":{it}")).unwrap_or_default();
            format!("{}{release} {}", it.ecosystem.as_str(), it.name)
        })
    }

    #[test]
    fn releases_belong_to_distributions() {
        assert_eq!(shown(Some(package_name("Debian:12", "vim"))), "Debian:12 vim");
        assert_eq!(shown(Some(package_name("Maven:https://x", "a:b"))), "Maven a:b");
    }

    #[test]
    fn registries_are_known_by_their_address_only() {
        for (address, name, wanted) in [
            ("https://repo.maven.apache.org/maven2", "a:b", "Maven a:b"),
            ("https://www.npmjs.com/package/x", "x", "npm x"),
            ("http://pypi.org", "x", "PyPI x"),
            ("https://pypi.org.evil.example", "x", ""),
            ("https://github.com/tukaani-project/xz", "xz", ""),
            ("https://crates.io", " ", ""),
        ] {
            assert_eq!(shown(package_of_registry(address, name)), wanted, "{address}");
        }
    }

    #[test]
    fn purls_of_registries() {
        for (purl, wanted) in [
            ("pkg:maven/org.example/lib@1", "Maven org.example:lib"),
            ("pkg:npm/%40scope/lib", "npm @scope/lib"),
            ("pkg:golang/github.com/a/b", "Go github.com/a/b"),
            ("pkg:deb/debian/vim", ""),
            ("pkg:generic/x", ""),
        ] {
            assert_eq!(shown(package_of_purl(&Purl::parse(purl).unwrap())), wanted, "{purl}");
        }
    }
}
