//! What Caddy asks before the gate of a site.

use super::{Directive, Gate, PROXIES, answers_503, is_acme};

/// How early Caddy asks a directive, in whatever order they are written; of one kind those without
/// a matcher come last.
fn order(it: &Directive) -> Option<(usize, bool)> {
    const ORDER: [&str; 7] =
        ["handle", "handle_path", "route", "abort", "error", "respond", "reverse_proxy"];
    let rank = ORDER.iter().position(|name| *name == it.name)?;
    Some((rank, !it.first().starts_with(['@', '/'])))
}

/// What hands requests on before the gate is asked: whether challenges are is looked at elsewhere.
pub(super) fn before_gate<'a>(site: &'a Directive, gate: &Gate<'_>) -> Option<&'a Directive> {
    let all = site.all();
    let matchers: Vec<&str> = all
        .iter()
        .filter(|it| it.name.starts_with('@') && is_acme(it))
        .map(|it| it.name.as_str())
        .collect();
    let closes = |it: &Directive| it.first() == gate.matcher.name && answers_503(it);
    let hands_on = |it: &Directive| {
        let is_proxy = |it: &&Directive| PROXIES.contains(&it.name.as_str());
        let of_acme = is_acme(it) || matchers.contains(&it.first());
        !of_acme && it.all().iter().any(is_proxy)
    };
    let (mut level, mut is_written) = (site.inner(), false);
    loop {
        let at = level.iter().position(|it| it.all().into_iter().any(closes))?;
        let gate = &level[at];
        let is_before = |(index, it): &(usize, &Directive)| {
            let (own, its) = (order(gate), order(it));
            let is_first = if is_written { *index < at } else { (its, *index) < (own, at) };
            (is_written || its.is_some()) && is_first && hands_on(it)
        };
        if let Some((_, first)) = level.iter().enumerate().find(is_before) {
            return Some(first);
        }
        if closes(gate) {
            return None;
        }
        // In a route everything is asked as it is written.
        is_written = gate.name == "route";
        level = gate.inner();
    }
}
