//! The components of a CycloneDX document, by their references.

use std::collections::HashMap;

use relight_model::{Purl, VexProduct};

use crate::advisory::json::{EVENTS_MAX, Fault, Object, VERSIONS_MAX, inner, objects, prose, text};

/// Deepest nesting of components.
const DEPTH_MAX: usize = 32;

/// What is known of each component.
#[derive(Default)]
pub(super) struct Components(HashMap<String, VexProduct>);

impl Components {
    /// Reads the components and the subject of a document.
    pub(super) fn of(document: &Object) -> Result<Self, Fault> {
        let mut all = Self::default();
        let subject = inner(document, "metadata").and_then(|it| inner(it, "component"));
        if let Some(subject) = subject {
            all.add(subject, 0)?;
        }
        for component in objects(document, "components", VERSIONS_MAX)? {
            all.add(component, 0)?;
        }
        Ok(all)
    }

    fn add(&mut self, component: &Object, depth: usize) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(format!("components are nested deeper than {DEPTH_MAX}"));
        }
        let name = prose(component, "name");
        let mut product = VexProduct { id: name.clone(), ..VexProduct::default() };
        product.purls.extend(text(component, "purl")?.and_then(|it| Purl::parse_exact(it).ok()));
        product.cpes.extend(text(component, "cpe")?.map(str::to_owned));
        for hash in objects(component, "hashes", EVENTS_MAX)? {
            let algorithm = prose(hash, "alg").to_ascii_lowercase();
            product.hashes.push((algorithm, prose(hash, "content").to_ascii_lowercase()));
        }
        let reference = prose(component, "bom-ref");
        let reference = if reference.is_empty() { name } else { reference };
        self.0.insert(reference, product);
        for inner in objects(component, "components", VERSIONS_MAX)? {
            self.add(inner, depth + 1)?;
        }
        Ok(())
    }

    /// The component with this reference: of this document, or by the purl that the reference is
    /// or that a link to another document (`urn:cdx:…#purl`) ends with.
    pub(super) fn find(&self, reference: &str) -> VexProduct {
        if let Some(product) = self.0.get(reference) {
            return product.clone();
        }
        let end = reference.rsplit_once('#').map_or(reference, |(_, end)| end);
        let purls = [reference, end].iter().find_map(|it| Purl::parse_exact(it).ok());
        let id = reference.to_owned();
        VexProduct { id, purls: purls.into_iter().collect(), ..VexProduct::default() }
    }
}
