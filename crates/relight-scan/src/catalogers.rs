//! The catalogers: one file, one name here and one folder of fixtures each.

use relight_model::{Basis, Component, Purl, Scope};

use crate::cataloger::{Cataloger, File};

relight_model::registry! {
    /// Every cataloger, in alphabetical order.
    pub static CATALOGERS: dyn Cataloger, check = crate::cataloger::check;
    dpkg,
    java_archive,
    java_classes,
    node_modules,
    npm_lock,
    python_dist,
}

/// A component that was seen installed in the place of `file`.
fn installed(purl: Purl, file: &File<'_>, basis: Basis) -> Component {
    Component::new(purl, file.path, basis, Scope::Installed)
}
