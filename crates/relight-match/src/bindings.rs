//! Which packages a product is: reviewed by a person, one line each. Nothing is guessed.
//!
//! The record of an assigner names a product ("Apache Log4j2") and no package; a binding says which
//! packages that is, and which ones that look like it are not. The second part is an opinion at
//! the assigner's rank: `log4j-api` does not hold the flaw of `log4j-core`, whoever says so.

use relight_model::{Advisory, Ecosystem, PackageName};

/// One reviewed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Who assigned the number, as the record names them, in lower case.
    pub assigner: &'static str,
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
pub const BINDINGS: &[Binding] = &[Binding {
    assigner: "apache",
    products: &["apache log4j2", "apache log4j", "log4j", "log4j2", "log4j-core"],
    affects: &[("Maven", "org.apache.logging.log4j:log4j-core")],
    not_affects: &[
        ("Maven", "org.apache.logging.log4j:log4j-api"),
        ("Maven", "org.apache.logging.log4j:log4j-to-slf4j"),
        ("Maven", "org.apache.logging.log4j:log4j-slf4j-impl"),
        ("Maven", "org.apache.logging.log4j:log4j-1.2-api"),
    ],
    reference: "https://logging.apache.org/security.html",
}];

impl Binding {
    /// The binding of a product of a record.
    pub(crate) fn of_product(record: &Advisory, product: &str) -> Option<&'static Self> {
        let product = product.trim().to_lowercase();
        let mut of_assigner = BINDINGS.iter().filter(|it| it.is_assigner_of(record));
        of_assigner.find(|it| it.products.contains(&product.as_str()))
    }

    /// The bindings one of whose packages a record of the assigner names itself.
    pub(crate) fn of_packages<'a>(
        record: &'a Advisory,
    ) -> impl Iterator<Item = &'static Self> + 'a {
        let names = |it: &&Self| {
            let mut packages = record.affected.iter().map(|affected| &affected.package);
            packages.any(|package| it.affects().any(|bound| bound == *package))
        };
        BINDINGS.iter().filter(|it| it.is_assigner_of(record)).filter(names)
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
            for product in binding.products {
                assert_eq!(*product, product.to_lowercase());
            }
            let both = binding.affects().find(|it| binding.not_affects().any(|no| no == *it));
            assert_eq!(both, None, "a package is the product or it is not");
        }
    }

    #[test]
    fn only_the_assigners_product_is_bound() {
        let record = |assigner: &str| Advisory {
            source: "cve/x".into(),
            assigner: assigner.into(),
            ..Advisory::default()
        };
        for (assigner, product, bound) in [
            ("apache", "Apache Log4j2", true),
            ("Apache", " Apache Log4j2 ", true),
            ("apache", "Apache Log4j2 Viewer", false),
            ("other", "Apache Log4j2", false),
            ("", "Apache Log4j2", false),
        ] {
            let found = Binding::of_product(&record(assigner), product);
            assert_eq!(found.is_some(), bound, "{assigner} {product}");
        }
    }
}
