//! Who defines the names and the order of versions: every ecosystem of the OSV schema.

/// Declares the ecosystems once: variant, OSV name, purl type, and the purl namespaces that mean
/// it (none: every namespace does; the first is the one that is written).
macro_rules! ecosystems {
    ($($(#[$doc:meta])* $variant:ident $osv:literal $kind:literal [$($namespace:literal)*];)*) => {
        /// Who defines names and the order of versions.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Ecosystem {
            $($(#[$doc])* $variant,)*
            /// Any other, by its OSV name or as `type:namespace` of a purl: the order of its
            /// versions is guessed, so it never clears anything.
            Other(String),
        }

        const ALL: &[(Ecosystem, &str, &str, &[&str])] =
            &[$((Ecosystem::$variant, $osv, $kind, &[$($namespace),*])),*];

        impl Ecosystem {
            /// The OSV name.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $osv,)*
                    Self::Other(name) => name,
                }
            }

            /// The type of the purls of this ecosystem; `None` when it has none or is not known.
            pub fn purl_kind(&self) -> Option<&str> {
                match self {
                    $(Self::$variant => Some($kind),)*
                    Self::Other(name) => name.split_once(':').map(|(kind, _)| kind),
                }
                .filter(|kind| !kind.is_empty())
            }
        }
    };
}

/// What CPE names of Red Hat call its distribution itself, and longer support for some of it.
pub const BASE_OF_RED_HAT: [&str; 8] = [
    "enterprise_linux",
    "rhel_aus",
    "rhel_e4s",
    "rhel_els",
    "rhel_eus",
    "rhel_eus_long_life",
    "rhel_mission_critical",
    "rhel_tus",
];

/// The first release that Red Hat names with its minor number although all of it is meant.
pub const FIRST_BY_MINOR_OF_RED_HAT: u32 = 10;

ecosystems! {
    /// Java archives, `group:artifact`.
    Maven "Maven" "maven" [];
    /// npm.
    Npm "npm" "npm" [];
    /// PyPI (PEP 440, PEP 503).
    PyPi "PyPI" "pypi" [];
    /// Rust crates.
    CratesIo "crates.io" "cargo" [];
    /// Go modules, and the names `stdlib` and `toolchain`.
    Go "Go" "golang" [];
    /// .NET packages.
    NuGet "NuGet" "nuget" [];
    /// Ruby gems.
    RubyGems "RubyGems" "gem" [];
    /// PHP packages of Composer.
    Packagist "Packagist" "composer" [];
    /// Erlang and Elixir packages.
    Hex "Hex" "hex" [];
    /// Dart packages.
    Pub "Pub" "pub" [];
    /// Swift packages, by the address of their repository.
    SwiftUrl "SwiftURL" "swift" [];
    /// Steps of GitHub workflows.
    GitHubActions "GitHub Actions" "githubactions" [];
    /// Packaged server applications of Bitnami.
    Bitnami "Bitnami" "bitnami" [];
    /// R packages.
    Cran "CRAN" "cran" [];
    /// R packages for biology.
    Bioconductor "Bioconductor" "bioconductor" [];
    /// Haskell packages.
    Hackage "Hackage" "hackage" [];
    /// The Haskell compiler and what it brings; without a purl type.
    Ghc "GHC" "" [];
    /// C and C++ recipes of Conan.
    ConanCenter "ConanCenter" "conan" [];
    /// OCaml packages.
    Opam "opam" "opam" [];
    /// Julia packages.
    Julia "Julia" "julia" [];
    /// Extensions of Visual Studio Code.
    VsCode "VSCode" "vscode-extension" [];
    /// Debian; records carry a release.
    Debian "Debian" "deb" ["debian"];
    /// Ubuntu; records carry a release.
    Ubuntu "Ubuntu" "deb" ["ubuntu"];
    /// Echo, rebuilt packages of Debian.
    Echo "Echo" "deb" ["echo"];
    /// Alpine; records carry a branch.
    Alpine "Alpine" "apk" ["alpine"];
    /// Alpaquita of BellSoft.
    Alpaquita "Alpaquita" "apk" ["alpaquita"];
    /// Hardened containers of BellSoft.
    BellSoft "BellSoft Hardened Containers" "apk" ["bellsoft-hardened-containers"];
    /// Chainguard.
    Chainguard "Chainguard" "apk" ["chainguard"];
    /// Wolfi.
    Wolfi "Wolfi" "apk" ["wolfi"];
    /// `MinimOS`.
    MinimOs "MinimOS" "apk" ["minimos"];
    /// `AlmaLinux`; records carry a release.
    AlmaLinux "AlmaLinux" "rpm" ["almalinux" "alma"];
    /// Rocky Linux.
    RockyLinux "Rocky Linux" "rpm" ["rocky-linux" "rocky"];
    /// Red Hat; the release is a product.
    RedHat "Red Hat" "rpm" ["redhat" "rhel"];
    /// Oracle Linux; not in the OSV schema, named as its own errata name it.
    OracleLinux "Oracle Linux" "rpm" ["oracle" "ol" "oraclelinux" "oracle-linux"];
    /// Fedora.
    Fedora "Fedora" "rpm" ["fedora"];
    /// Amazon Linux.
    AmazonLinux "Amazon Linux" "rpm" ["amzn" "amazon" "amazonlinux" "amazon-linux"];
    /// SUSE; the release is a product.
    Suse "SUSE" "rpm" ["suse" "sles" "sled"];
    /// openSUSE.
    OpenSuse "openSUSE" "rpm" ["opensuse" "opensuse-leap" "opensuse-tumbleweed"];
    /// openEuler.
    OpenEuler "openEuler" "rpm" ["openeuler"];
    /// Azure Linux.
    AzureLinux "Azure Linux" "rpm" ["azure-linux" "azurelinux"];
    /// Mageia.
    Mageia "Mageia" "rpm" ["mageia"];
    /// Photon OS.
    PhotonOs "Photon OS" "rpm" ["photon" "photon-os"];
}

impl Ecosystem {
    /// Every ecosystem that is known by name, in the order of declaration.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(ecosystem, ..)| ecosystem.clone())
    }

    /// From the name that OSV uses, without release. Case means nothing: a record that writes
    /// `pypi` must not be lost.
    pub fn from_osv(name: &str) -> Self {
        let known = ALL.iter().find(|(_, osv, ..)| osv.eq_ignore_ascii_case(name));
        known.map_or_else(|| Self::Other(name.to_owned()), |(known, ..)| known.clone())
    }

    /// From a name of OSV with or without a suffix: `AlmaLinux:8`, `Alpine:v3.20`,
    /// `Ubuntu:22.04:LTS`. The suffix is a release where the ecosystem has releases; elsewhere it
    /// names a registry, which does not change what a version means.
    pub fn with_release(name: &str) -> (Self, Option<String>) {
        let (base, release) = match name.split_once(':') {
            Some((base, release)) => (base, Some(release.to_owned())),
            None => (name, None),
        };
        let ecosystem = Self::from_osv(base);
        let release = release.filter(|it| ecosystem.has_releases() && !it.is_empty());
        (ecosystem, release)
    }

    /// From the type of a purl; for the packages of distributions the namespace names the
    /// distribution.
    pub fn from_purl(kind: &str, namespace: &str) -> Self {
        // Steps of workflows are named by their repositories; advisories know them under a type of
        // their own, and name no other repository.
        let kind = if kind.eq_ignore_ascii_case("github") { "githubactions" } else { kind };
        let fits = |known: &&(Self, &str, &str, &[&str])| {
            let (_, _, known_kind, namespaces) = known;
            let is_named = namespaces.iter().any(|it| it.eq_ignore_ascii_case(namespace));
            known_kind.eq_ignore_ascii_case(kind)
                && !kind.is_empty()
                && (namespaces.is_empty() || is_named)
        };
        match (ALL.iter().find(fits), namespace) {
            (Some((ecosystem, ..)), _) => ecosystem.clone(),
            (None, "") => Self::Other(kind.to_owned()),
            (None, _) => Self::Other(format!("{kind}:{namespace}")),
        }
    }

    /// The namespace that a purl of this distribution has; `None` where the namespace is part of
    /// the name, or the ecosystem is not known.
    pub fn purl_namespace(&self) -> Option<&'static str> {
        let (_, _, _, namespaces) = ALL.iter().find(|(known, ..)| known == self)?;
        namespaces.first().copied()
    }

    /// Whether records name a release of it: the distributions, and whatever is not known.
    pub fn has_releases(&self) -> bool {
        matches!(self, Self::Other(_)) || self.purl_namespace().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_each_lead_back_to_it() {
        for ecosystem in Ecosystem::all() {
            assert_eq!(Ecosystem::from_osv(ecosystem.as_str()), ecosystem);
            assert_eq!(Ecosystem::from_osv(&ecosystem.as_str().to_uppercase()), ecosystem);
            let Some(kind) = ecosystem.purl_kind() else { continue };
            let namespace = ecosystem.purl_namespace().unwrap_or("anything");
            assert_eq!(Ecosystem::from_purl(kind, namespace), ecosystem, "{kind}/{namespace}");
        }
        assert_eq!(Ecosystem::all().count(), 42);
    }

    #[test]
    fn a_namespace_tells_distributions_apart() {
        for (kind, namespace, name) in [
            ("deb", "debian", "Debian"),
            ("deb", "ubuntu", "Ubuntu"),
            ("apk", "wolfi", "Wolfi"),
            ("rpm", "rocky", "Rocky Linux"),
            ("rpm", "rhel", "Red Hat"),
            ("rpm", "opensuse-leap", "openSUSE"),
            ("rpm", "openEuler", "openEuler"),
            ("rpm", "centos", "rpm:centos"),
            ("deb", "", "deb"),
            ("golang", "github.com/a", "Go"),
            ("", "", ""),
        ] {
            let ecosystem = Ecosystem::from_purl(kind, namespace);
            assert_eq!(ecosystem.as_str(), name, "{kind}/{namespace}");
        }
    }

    #[test]
    fn a_suffix_is_a_release_only_where_there_are_releases() {
        for (text, name, release) in [
            ("AlmaLinux:8", "AlmaLinux", Some("8")),
            ("Alpine:v3.20", "Alpine", Some("v3.20")),
            ("Ubuntu:22.04:LTS", "Ubuntu", Some("22.04:LTS")),
            ("Red Hat:enterprise_linux:9::baseos", "Red Hat", Some("enterprise_linux:9::baseos")),
            ("SUSE:Linux Enterprise Server 15 SP4", "SUSE", Some("Linux Enterprise Server 15 SP4")),
            ("Debian", "Debian", None),
            ("Debian:", "Debian", None),
            ("Maven:https://repo.example", "Maven", None),
            ("Unheard:3", "Unheard", Some("3")),
        ] {
            let (ecosystem, found) = Ecosystem::with_release(text);
            assert_eq!((ecosystem.as_str(), found.as_deref()), (name, release), "{text}");
        }
    }
}
