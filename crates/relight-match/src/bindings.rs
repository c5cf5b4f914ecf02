//! Which packages a product is: reviewed by a person, one line each. Nothing is guessed.
//!
//! The record of an assigner names a product ("Apache Log4j2") and no package; a binding says which
//! packages that is, and which ones that look like it are not. The second part is an opinion at
//! the assigner's rank: `log4j-api` does not hold the flaw of `log4j-core`, whoever says so.

use relight_model::{Advisory, Ecosystem, PackageName};

use crate::authority::Policy;

/// One reviewed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Who assigned the number, as the record names them, in lower case.
    pub assigner: &'static str,
    /// The vendors, as published, in lower case; any where none is named. Who assigns for many asks
    /// for one: GitHub's records call many things `tokio`.
    pub vendors: &'static [&'static str],
    /// The products, as published, in lower case.
    pub products: &'static [&'static str],
    /// The packages that the product is: OSV ecosystem and name.
    pub affects: &'static [(&'static str, &'static str)],
    /// Packages that look like it and are not.
    pub not_affects: &'static [(&'static str, &'static str)],
    /// Where the publisher says so.
    pub reference: &'static str,
}

/// Every binding that relight ships.
pub const BINDINGS: &[Binding] = &[
    Binding {
        assigner: "apache",
        vendors: &[],
        products: &["apache log4j2", "apache log4j", "log4j", "log4j2", "log4j-core"],
        affects: &[("Maven", LOG4J_CORE)],
        not_affects: &[
            ("Maven", "org.apache.logging.log4j:log4j-api"),
            ("Maven", "org.apache.logging.log4j:log4j-to-slf4j"),
            ("Maven", "org.apache.logging.log4j:log4j-slf4j-impl"),
            ("Maven", "org.apache.logging.log4j:log4j-1.2-api"),
        ],
        reference: "https://logging.apache.org/security.html",
    },
    // CVE-2026-20912 and BIT-gitea-2026-20912.
    Binding {
        assigner: "gitea",
        vendors: &["gitea"],
        products: &["gitea open source git server"],
        affects: &[("Bitnami", "gitea")],
        not_affects: &[],
        reference: "https://github.com/go-gitea/gitea/security/advisories",
    },
    // CVE-2023-22466 and RUSTSEC-2023-0001.
    Binding {
        assigner: "github_m",
        vendors: &["tokio-rs"],
        products: &["tokio"],
        affects: &[("crates.io", "tokio")],
        not_affects: &[],
        reference: "https://github.com/tokio-rs/tokio/security/advisories",
    },
    // CVE-2023-45803 and PYSEC-2023-212.
    Binding {
        assigner: "github_m",
        vendors: &["urllib3"],
        products: &["urllib3"],
        affects: &[("PyPI", "urllib3")],
        not_affects: &[],
        reference: "https://github.com/urllib3/urllib3/security/advisories",
    },
];

/// Copies of a Maven package under another name, with the record that names them. Their versions
/// are numbers of their own (`6.3.2.1`, `1.2.1.2-jre17`): ranges of the original say nothing of
/// them, so that a record which names the original alone leaves them unknown, and never clear.
pub const CLONES: &[(&str, &str, &str)] = &[
    (LOG4J_CORE, "com.guicedee.services:log4j-core", "GHSA-jfh8-c2jp-5v3q"),
    (LOG4J_CORE, "org.xbib.elasticsearch:log4j", "GHSA-jfh8-c2jp-5v3q"),
    (LOG4J_CORE, "uk.co.nichesolutions.logging.log4j:log4j-core", "GHSA-jfh8-c2jp-5v3q"),
];

const LOG4J_CORE: &str = "org.apache.logging.log4j:log4j-core";

/// Maven packages that got another name, under which their versions go on: the name of before and
/// the one of now. A record about one of them means the same code under the other.
const RELOCATIONS: &[(&str, &str)] = &[
    ("axis:axis", "org.apache.axis:axis"),
    ("c3p0:c3p0", "com.mchange:c3p0"),
    ("dom4j:dom4j", "org.dom4j:dom4j"),
    ("freemarker:freemarker", "org.freemarker:freemarker"),
    ("hsqldb:hsqldb", "org.hsqldb:hsqldb"),
    ("jdom:jdom", "org.jdom:jdom"),
    ("lucene:lucene-core", "org.apache.lucene:lucene-core"),
    ("mysql:mysql-connector-java", "com.mysql:mysql-connector-j"),
    ("nekohtml:nekohtml", "net.sourceforge.nekohtml:nekohtml"),
    ("opensymphony:quartz", "org.quartz-scheduler:quartz"),
    ("org.apache.commons:commons-io", "commons-io:commons-io"),
    ("org.hibernate:hibernate-core", "org.hibernate.orm:hibernate-core"),
    ("org.hibernate:hibernate-validator", "org.hibernate.validator:hibernate-validator"),
    ("org.jboss.netty:netty", "io.netty:netty"),
    ("org.owasp:antisamy", "org.owasp.antisamy:antisamy"),
    ("poi:poi", "org.apache.poi:poi"),
    ("postgresql:postgresql", "org.postgresql:postgresql"),
    ("xstream:xstream", "com.thoughtworks.xstream:xstream"),
];

/// The other name of a package, if it got one or had one.
pub(crate) fn relocated(package: &PackageName) -> Option<PackageName> {
    if package.ecosystem != Ecosystem::Maven {
        return None;
    }
    let other = RELOCATIONS.iter().find_map(|&(before, now)| match &package.name {
        name if name == before => Some(now),
        name if name == now => Some(before),
        _ => None,
    });
    other.map(|name| self::package("Maven", name))
}

/// The copies of a package.
pub(crate) fn clones_of(package: &PackageName) -> impl Iterator<Item = PackageName> {
    let of_maven = package.ecosystem == Ecosystem::Maven;
    let clones = CLONES.iter().filter(move |(original, ..)| of_maven && package.name == *original);
    clones.map(|(_, clone, _)| self::package("Maven", clone))
}

/// A line of the operator's own, from the register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnBinding {
    /// Who assigned the number, as the record names them; case means nothing.
    pub assigner: String,
    /// The products, as published; case means nothing.
    pub products: Vec<String>,
    /// The packages that the product is.
    pub affects: Vec<PackageName>,
    /// Packages that look like it and are not.
    pub not_affects: Vec<PackageName>,
}

/// The packages that one line binds a product to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) affects: Vec<PackageName>,
    pub(crate) not_affects: Vec<PackageName>,
}

/// What a product of a record is: by the operator's own line, else by one that relight ships.
pub(crate) fn of_product(
    record: &Advisory,
    (vendor, product): (&str, &str),
    policy: &Policy,
) -> Option<Bound> {
    let [vendor, product] = [vendor, product].map(|it| it.trim().to_lowercase());
    let is_own = |it: &&OwnBinding| {
        it.is_assigner_of(record)
            && it.products.iter().any(|it| it.trim().to_lowercase() == product)
    };
    if let Some(own) = policy.bindings.iter().find(is_own) {
        return Some(own.bound());
    }
    let mut of_assigner = BINDINGS.iter().filter(|it| it.is_assigner_of(record));
    let is_of = |it: &&Binding| {
        let is_vendor = it.vendors.is_empty() || it.vendors.contains(&vendor.as_str());
        is_vendor && it.products.contains(&product.as_str())
    };
    of_assigner.find(is_of).map(Binding::bound)
}

/// The lines one of whose packages a record of the assigner names itself.
pub(crate) fn of_packages(record: &Advisory, policy: &Policy) -> Vec<Bound> {
    let own = policy.bindings.iter().filter(|it| it.is_assigner_of(record)).map(OwnBinding::bound);
    let shipped = BINDINGS.iter().filter(|it| it.is_assigner_of(record)).map(Binding::bound);
    let names = |it: &Bound| {
        let mut packages = record.affected.iter().map(|affected| &affected.package);
        packages.any(|package| it.affects.contains(package))
    };
    own.chain(shipped).filter(names).collect()
}

impl OwnBinding {
    fn bound(&self) -> Bound {
        Bound { affects: self.affects.clone(), not_affects: self.not_affects.clone() }
    }

    /// An assigner without name would be everybody.
    fn is_assigner_of(&self, record: &Advisory) -> bool {
        !self.assigner.is_empty() && record.assigner.eq_ignore_ascii_case(&self.assigner)
    }
}

impl Binding {
    fn bound(&self) -> Bound {
        Bound { affects: self.affects().collect(), not_affects: self.not_affects().collect() }
    }

    /// The packages that the product is.
    pub fn affects(&self) -> impl Iterator<Item = PackageName> {
        self.affects.iter().map(|(ecosystem, name)| package(ecosystem, name))
    }

    /// The packages that look like it and are not.
    pub fn not_affects(&self) -> impl Iterator<Item = PackageName> {
        self.not_affects.iter().map(|(ecosystem, name)| package(ecosystem, name))
    }

    /// The records that relight ships are the assigner's own intervals.
    fn is_assigner_of(&self, record: &Advisory) -> bool {
        record.source == "relight" || record.assigner.eq_ignore_ascii_case(self.assigner)
    }
}

fn package(ecosystem: &str, name: &str) -> PackageName {
    let ecosystem = Ecosystem::from_osv(ecosystem);
    PackageName { ecosystem, release: None, name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_in_lower_case() {
        for binding in BINDINGS {
            assert!(!binding.products.is_empty() && !binding.affects.is_empty());
            assert!(binding.reference.starts_with("https://"));
            assert_eq!(binding.assigner, binding.assigner.to_lowercase());
            for name in binding.products.iter().chain(binding.vendors) {
                assert_eq!(*name, name.to_lowercase());
            }
            let both = binding.affects().find(|it| binding.not_affects().any(|no| no == *it));
            assert_eq!(both, None, "a package is the product or it is not");
        }
    }

    #[test]
    fn a_relocation_is_one_name_and_another() {
        let names: Vec<_> = RELOCATIONS.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.iter().all(|name| name.split(':').count() == 2));
        for (before, now) in RELOCATIONS {
            assert_eq!(relocated(&package("Maven", before)), Some(package("Maven", now)));
            assert_eq!(relocated(&package("Maven", now)), Some(package("Maven", before)));
        }
        assert_eq!(relocated(&package("npm", "poi:poi")), None);
    }

    #[test]
    fn only_the_assigners_product_is_bound() {
        let record = |assigner: &str| Advisory {
            source: "cve/x".into(),
            assigner: assigner.into(),
            ..Advisory::default()
        };
        const ASF: &str = "Apache Software Foundation";
        for (assigner, vendor, product, bound) in [
            ("apache", ASF, "Apache Log4j2", true),
            ("Apache", "", " Apache Log4j2 ", true),
            ("apache", ASF, "Apache Log4j2 Viewer", false),
            ("other", ASF, "Apache Log4j2", false),
            ("", ASF, "Apache Log4j2", false),
            ("GitHub_M", "tokio-rs", "tokio", true),
            ("GitHub_M", "somebody", "tokio", false),
            ("GitHub_M", "", "tokio", false),
            ("GitHub_M", "urllib3", "urllib3", true),
            ("VulDB", "urllib3", "urllib3", false),
            ("Gitea", "Gitea", "Gitea Open Source Git Server", true),
        ] {
            let found = of_product(&record(assigner), (vendor, product), &Policy::default());
            assert_eq!(found.is_some(), bound, "{assigner} {vendor} {product}");
        }
        let own = OwnBinding {
            assigner: "Other".into(),
            products: vec!["Apache Log4j2".into()],
            affects: vec![package("npm", "fork")],
            not_affects: Vec::new(),
        };
        let policy = Policy { bindings: vec![own], ..Policy::default() };
        let found = of_product(&record("other"), ("", "apache log4j2 "), &policy).unwrap();
        assert_eq!(found.affects, [package("npm", "fork")]);
        let apache = of_product(&record("apache"), ("", "Apache Log4j2"), &policy).unwrap();
        assert_eq!(apache.affects[0].ecosystem, Ecosystem::Maven);
        assert_eq!(of_product(&record(""), ("", "Apache Log4j2"), &policy), None);
    }
}
