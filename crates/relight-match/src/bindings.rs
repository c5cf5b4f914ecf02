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
pub(crate) fn of_product(record: &Advisory, product: &str, policy: &Policy) -> Option<Bound> {
    let product = product.trim().to_lowercase();
    let is_own = |it: &&OwnBinding| {
        it.is_assigner_of(record)
            && it.products.iter().any(|it| it.trim().to_lowercase() == product)
    };
    if let Some(own) = policy.bindings.iter().find(is_own) {
        return Some(own.bound());
    }
    let mut of_assigner = BINDINGS.iter().filter(|it| it.is_assigner_of(record));
    of_assigner.find(|it| it.products.contains(&product.as_str())).map(Binding::bound)
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
            let found = of_product(&record(assigner), product, &Policy::default());
            assert_eq!(found.is_some(), bound, "{assigner} {product}");
        }
        let own = OwnBinding {
            assigner: "Other".into(),
            products: vec!["Apache Log4j2".into()],
            affects: vec![package("npm", "fork")],
            not_affects: Vec::new(),
        };
        let policy = Policy { bindings: vec![own], ..Policy::default() };
        let found = of_product(&record("other"), "apache log4j2 ", &policy).unwrap();
        assert_eq!(found.affects, [package("npm", "fork")]);
        let apache = of_product(&record("apache"), "Apache Log4j2", &policy).unwrap();
        assert_eq!(apache.affects[0].ecosystem, Ecosystem::Maven);
        assert_eq!(of_product(&record(""), "Apache Log4j2", &policy), None);
    }
}
