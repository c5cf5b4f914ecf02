//! Applications of Node.js: a package that runs where it lies, with its dependencies beside it.

use std::collections::HashSet;

use relight_model::Component;

use crate::catalogers::may_be_application;

/// Leaves those whose `package.json` has `node_modules` beside it: any other is a project that
/// nobody installed there.
pub(crate) fn leave_installed(components: &mut Vec<Component>) {
    let is_candidate = |it: &Component| it.purl.kind == "npm" && may_be_application(&it.evidence);
    if !components.iter().any(is_candidate) {
        return;
    }
    let places = components.iter().flat_map(|it| above_modules(&it.evidence));
    let installed: HashSet<String> = places.map(str::to_owned).collect();
    let folder = |path: &str| path.rfind('/').map_or(0, |at| at + 1);
    components
        .retain(|it| !is_candidate(it) || installed.contains(&it.evidence[..folder(&it.evidence)]));
}

/// Every folder of a path that holds `node_modules`.
fn above_modules(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices("node_modules/").map(|(at, _)| &path[..at]);
    ends.filter(|folder| folder.is_empty() || folder.ends_with('/'))
}
