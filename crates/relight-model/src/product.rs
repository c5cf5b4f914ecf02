//! Products that are no packages, and CPE names, as CVE and NVD records speak of them.

use crate::{
    Affected, AffectedRange, Bound, Interval, NativeRange, PackageName, RangeStatus, Stance,
};

/// What a record says about a product that it does not name as a package: shown as text, and an
/// opinion only through a binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// Who makes it, as published.
    pub vendor: String,
    /// Its name, as published.
    pub product: String,
    /// A package name that comes with no known registry.
    pub package_name: String,
    /// CPE names that the record gives for it.
    pub cpes: Vec<String>,
    /// Platforms it is limited to, as published.
    pub platforms: Vec<String>,
    /// As [`Affected::stance`].
    pub stance: Stance,
    /// As [`Affected::ranges`].
    pub ranges: Vec<AffectedRange>,
    /// As [`Affected::intervals`].
    pub intervals: Vec<Interval>,
    /// As [`Affected::native`].
    pub native: Vec<NativeRange>,
    /// As [`Affected::versions`].
    pub versions: Vec<String>,
    /// As [`Affected::rest`].
    pub rest: RangeStatus,
}

impl Product {
    /// The same said of a package: what a binding does.
    pub fn as_affected(&self, package: PackageName) -> Affected {
        Affected {
            stance: self.stance.clone(),
            ranges: self.ranges.clone(),
            intervals: self.intervals.clone(),
            native: self.native.clone(),
            versions: self.versions.clone(),
            rest: self.rest,
            ..Affected::of(package)
        }
    }
}

/// One configuration of NVD: nodes joined by `operator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpeConfiguration {
    /// How the nodes are joined.
    pub operator: CpeOperator,
    /// The whole is turned round.
    pub negate: bool,
    /// The nodes.
    pub nodes: Vec<CpeNode>,
}

/// One node of a configuration: CPE names joined by `operator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpeNode {
    /// How the matches are joined.
    pub operator: CpeOperator,
    /// The node is turned round.
    pub negate: bool,
    /// The matches.
    pub matches: Vec<CpeMatch>,
}

/// Any, or all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CpeOperator {
    /// One is enough.
    #[default]
    Or,
    /// Every one is needed.
    And,
}

/// A CPE name with bounds of its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpeMatch {
    /// CPE 2.3 formatted string.
    pub cpe: String,
    /// It is what is vulnerable; else it is the platform that must be there.
    pub vulnerable: bool,
    /// The lower bound of the version.
    pub lo: Bound,
    /// The upper bound of the version.
    pub hi: Bound,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ecosystem, Why};

    #[test]
    fn a_binding_changes_the_name_and_nothing_else() {
        let product = Product {
            stance: Stance::Unresolved(Why::FreeText),
            intervals: vec![Interval::single("1", RangeStatus::Affected)],
            versions: vec!["2".into()],
            rest: RangeStatus::Unknown,
            ..Product::default()
        };
        let name = "org.example:lib".to_owned();
        let package = PackageName { ecosystem: Ecosystem::Maven, release: None, name };
        let affected = product.as_affected(package.clone());
        assert_eq!((affected.package, affected.stance), (package, product.stance));
        assert_eq!((affected.intervals, affected.versions), (product.intervals, product.versions));
        assert_eq!(affected.rest, product.rest);
    }
}
