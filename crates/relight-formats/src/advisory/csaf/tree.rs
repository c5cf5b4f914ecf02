//! The product tree of a CSAF document.

use std::collections::HashMap;

use relight_model::{Purl, VexProduct};
use serde_json::Value;

use crate::advisory::json::{
    EVENTS_MAX, Fault, Object, VERSIONS_MAX, inner, members, needed, needed_object, objects, prose,
    text, texts,
};

/// Deepest nesting of branches, and longest chain of relationships.
pub(in crate::advisory) const DEPTH_MAX: usize = 32;

/// The products of a document, by their ids.
#[derive(Default)]
pub(super) struct Tree<'a> {
    products: HashMap<&'a str, Definition<'a>>,
    groups: HashMap<&'a str, Vec<String>>,
}

/// Where a product is defined.
#[derive(PartialEq)]
struct Definition<'a> {
    product: &'a Object,
    /// The version or range that a branch above gives.
    version: Option<Stated<'a>>,
    /// The product it is, and the one it is in.
    relation: Option<(&'a str, &'a str)>,
}

/// What a branch says of versions.
#[derive(Clone, Copy, PartialEq)]
enum Stated<'a> {
    /// One version; a purl that has one says it better.
    Single(&'a str),
    /// A range: `vers:…`, or words.
    Range(&'a str),
}

impl<'a> Tree<'a> {
    /// Reads a tree. A purl that cannot be read is noted and not used.
    pub(super) fn of(tree: &'a Object, notes: &mut Vec<String>) -> Result<Self, Fault> {
        let mut all = Self::default();
        all.branches(tree, None, 0)?;
        for product in objects(tree, "full_product_names", VERSIONS_MAX)? {
            all.define(product, None, None)?;
        }
        for relation in objects(tree, "relationships", VERSIONS_MAX)? {
            let product = needed_object(relation, "full_product_name")?;
            let parts = (
                needed(relation, "product_reference")?,
                needed(relation, "relates_to_product_reference")?,
            );
            all.define(product, None, Some(parts))?;
        }
        for group in objects(tree, "product_groups", VERSIONS_MAX)? {
            let id = needed(group, "group_id")?;
            let products = texts(group, "product_ids", VERSIONS_MAX)?;
            if all.groups.insert(id, products).is_some() {
                return Err(format!("group `{id}` is defined twice (6.1.5)"));
            }
        }
        all.check_all()?;
        let mut bad: Vec<_> = all.products.values().filter_map(|it| bad_purl(it.product)).collect();
        bad.sort();
        notes.extend(bad);
        Ok(all)
    }

    fn branches(
        &mut self,
        node: &'a Object,
        version: Option<Stated<'a>>,
        depth: usize,
    ) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(format!("branches are nested deeper than {DEPTH_MAX}"));
        }
        for branch in objects(node, "branches", VERSIONS_MAX)? {
            let name = text(branch, "name")?;
            let version = match branch.get("category").and_then(Value::as_str) {
                Some("product_version_range") => name.map(Stated::Range),
                Some("product_version") => name.map(Stated::Single),
                _ => version,
            };
            if let Some(product) = inner(branch, "product") {
                self.define(product, version, None)?;
            }
            self.branches(branch, version, depth + 1)?;
        }
        Ok(())
    }

    fn define(
        &mut self,
        product: &'a Object,
        version: Option<Stated<'a>>,
        relation: Option<(&'a str, &'a str)>,
    ) -> Result<(), Fault> {
        let id = needed(product, "product_id")?;
        let definition = Definition { product, version, relation };
        // Red Hat repeats products word for word, which leaves nothing in doubt.
        let is_same = |before: &Definition<'_>| *before == definition;
        match self.products.get(id) {
            Some(before) if !is_same(before) => {
                Err(format!("product `{id}` is defined twice (6.1.2)"))
            }
            _ => {
                self.products.insert(id, definition);
                Ok(())
            }
        }
    }

    /// What relationships and groups name must be defined, and no product may contain itself.
    fn check_all(&self) -> Result<(), Fault> {
        for id in self.products.keys() {
            self.check_chain(id, 0)?;
        }
        for product in self.groups.values().flatten() {
            self.check(product)?;
        }
        Ok(())
    }

    fn check_chain(&self, id: &str, depth: usize) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(format!("product `{id}` is defined by itself (6.1.3)"));
        }
        self.check(id)?;
        let relation = self.products.get(id).and_then(|it| it.relation);
        let Some((product, within)) = relation else { return Ok(()) };
        // One that names itself on both sides would be walked twice as often at each step.
        if product == id || within == id {
            return Err(format!("product `{id}` is defined by itself (6.1.3)"));
        }
        self.check_chain(product, depth + 1)?;
        if product == within { Ok(()) } else { self.check_chain(within, depth + 1) }
    }

    /// A product must be defined (6.1.1).
    pub(super) fn check(&self, id: &str) -> Result<(), Fault> {
        match self.products.contains_key(id) {
            true => Ok(()),
            false => Err(format!("product `{id}` is not defined (6.1.1)")),
        }
    }

    /// The products of a group (6.1.4).
    pub(super) fn group(&self, id: &str) -> Result<&[String], Fault> {
        let group = self.groups.get(id);
        group.map(Vec::as_slice).ok_or_else(|| format!("group `{id}` is not defined (6.1.4)"))
    }

    /// A product with everything by which it can be known.
    pub(super) fn resolve(&self, id: &str) -> Result<VexProduct, Fault> {
        let found = self.products.get(id);
        let definition = found.ok_or_else(|| format!("product `{id}` is not defined (6.1.1)"))?;
        let mut product = match definition.relation {
            Some((component, within)) => {
                let mut product = self.resolve(component)?;
                product.within.push(self.resolve(within)?);
                product
            }
            None => VexProduct::default(),
        };
        id.clone_into(&mut product.id);
        if let Some(helper) = inner(definition.product, "product_identification_helper") {
            identify(helper, &mut product)?;
        }
        let purls = &product.purls;
        let is_told = !purls.is_empty() && purls.iter().all(|purl| !purl.version.is_empty());
        let is_name = |text: &str| purls.iter().any(|purl| is_name_of(text, purl));
        product.versions.extend(match definition.version {
            Some(Stated::Range(text)) => Some(text.to_owned()),
            Some(Stated::Single(text)) if !is_told && !is_name(text) => Some(text.to_owned()),
            _ => None,
        });
        Ok(product)
    }

    /// Whether what a product says of versions is a range.
    pub(super) fn is_range(&self, id: &str) -> bool {
        let mut id = id;
        for _ in 0..=DEPTH_MAX {
            match self.products.get(id) {
                Some(Definition { relation: Some((component, _)), .. }) => id = component,
                found => return matches!(found.and_then(|it| it.version), Some(Stated::Range(_))),
            }
        }
        false
    }
}

/// Whether a branch for versions says the name of the package (`vim`, `g/lib`), as Red Hat writes
/// there for products without one. Any other text is kept: without it, a word about one version
/// would be about all.
fn is_name_of(text: &str, purl: &Purl) -> bool {
    let last = text.rsplit('/').next().unwrap_or(text);
    !purl.name.is_empty() && last.eq_ignore_ascii_case(&purl.name)
}

fn bad_purl(product: &Object) -> Option<String> {
    let purl = inner(product, "product_identification_helper")?.get("purl")?.as_str()?;
    let why = Purl::parse_exact(purl).err()?;
    Some(format!("purl `{purl}` was not used: {why}"))
}

/// Purls (`purls` since 2.1), CPE names and digests.
fn identify(helper: &Object, product: &mut VexProduct) -> Result<(), Fault> {
    let one = text(helper, "purl")?.map(str::to_owned);
    for purl in one.into_iter().chain(texts(helper, "purls", EVENTS_MAX)?) {
        product.purls.extend(Purl::parse_exact(&purl));
    }
    product.cpes.extend(text(helper, "cpe")?.map(str::to_owned));
    for hash in objects(helper, "hashes", EVENTS_MAX)? {
        for file in objects(hash, "file_hashes", EVENTS_MAX)? {
            let algorithm = prose(file, "algorithm").to_ascii_lowercase();
            product.hashes.push((algorithm, prose(file, "value").to_ascii_lowercase()));
        }
    }
    product.cpes.extend(members(helper, "x_generic_uris", "cpe"));
    Ok(())
}
