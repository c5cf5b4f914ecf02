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

/// The packages of a known registry that a name may mean, by the address of the registry; none
/// for a name that no package has there.
pub(super) fn packages_of_registry(address: &str, name: &str) -> Vec<PackageName> {
    let name = name.trim();
    let Some(ecosystem) = ecosystem_of_registry(address) else { return Vec::new() };
    let names = match ecosystem {
        _ if name.is_empty() || name.contains(char::is_whitespace) => Vec::new(),
        "Go" => modules_of(name),
        // `org.example/lib`; without its group it is a title, not a package.
        "Maven" if !name.contains(':') => match name.split_once('/') {
            Some((group, artifact)) if !group.is_empty() && !artifact.contains('/') => {
                vec![format!("{group}:{artifact}")]
            }
            _ => Vec::new(),
        },
        _ => vec![name.to_owned()],
    };
    names.iter().map(|name| package_name(ecosystem, name)).collect()
}

/// The modules that a path may be in: the assigner of Go names packages (`golang.org/x/net/http2`),
/// and only the proxy knows where a module ends. A path without a host is of the standard library,
/// or a command of the toolchain.
fn modules_of(path: &str) -> Vec<String> {
    let host = path.split('/').next().unwrap_or_default();
    if !host.contains('.') {
        let is_command = matches!(host, "cmd" | "toolchain");
        return vec![if is_command { "toolchain".to_owned() } else { "stdlib".to_owned() }];
    }
    // There a module begins with an owner, or with `x`.
    let is_hosted = matches!(host, "bitbucket.org" | "github.com" | "gitlab.com" | "golang.org");
    let least = if is_hosted { 3 } else { 2 };
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let prefixes = ends.map(|end| &path[..end]).filter(|it| it.split('/').count() >= least);
    let modules: Vec<_> = prefixes.map(str::to_owned).collect();
    if modules.is_empty() { vec![path.to_owned()] } else { modules }
}

fn ecosystem_of_registry(address: &str) -> Option<&'static str> {
    let address = address.trim().trim_start_matches("https://").trim_start_matches("http://");
    let address = address.trim_start_matches("www.");
    let (_, ecosystem) = REGISTRIES.iter().find(|(registry, _)| {
        let rest = address.strip_prefix(registry);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    })?;
    Some(ecosystem)
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
            ("https://pkg.go.dev", "net/http", "Go stdlib"),
            ("https://pkg.go.dev", "cmd/go", "Go toolchain"),
            ("https://pkg.go.dev", "toolchain", "Go toolchain"),
            (
                "https://pkg.go.dev",
                "golang.org/x/net/http2",
                "Go golang.org/x/net, Go golang.org/x/net/http2",
            ),
            ("https://pkg.go.dev", "github.com/a/b", "Go github.com/a/b"),
            ("https://pkg.go.dev", "k8s.io/api/v1", "Go k8s.io/api, Go k8s.io/api/v1"),
            ("https://pkg.go.dev", "gopkg.in", "Go gopkg.in"),
            (
                "https://repo1.maven.org/maven2",
                "org.apache.struts/struts2-core",
                "Maven org.apache.struts:struts2-core",
            ),
            ("https://mvnrepository.com", "struts2-core", ""),
            ("https://mvnrepository.com", "/struts2-core", ""),
            ("https://pypi.org", "The Great Product", ""),
        ] {
            let found = packages_of_registry(address, name).into_iter();
            let found: Vec<_> = found.map(|it| shown(Some(it))).collect();
            assert_eq!(found.join(", "), wanted, "{address} {name}");
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
