//! The gate of a virtual host of Apache: the condition that asks the map, and whatever leaves the
//! 503 behind it to some requests only.

use super::super::pattern::{self, CHALLENGES};
use super::passes::{Fits, fits, has_flag, jumped};
use super::{Directive, is};

/// The condition that asks the map, when a rule behind it answers 503: the one of the whole site,
/// where there are some of parts too.
pub(super) fn gate(host: &Directive) -> Option<&Directive> {
    let all = gates(host);
    let whole = all.iter().find(|at| narrows(host, **at).is_none());
    whole.or_else(|| all.first()).map(|at| &host.inner()[*at])
}

/// What lets some requests past the gate of a virtual host.
pub(super) fn narrowed(host: &Directive) -> Option<&Directive> {
    let all = gates(host);
    let is_free = all.iter().any(|at| narrows(host, *at).is_none());
    all.first().filter(|_| !is_free).and_then(|at| narrows(host, *at))
}

fn gates(host: &Directive) -> Vec<usize> {
    let asks = |it: &Directive| is(it, "RewriteCond") && it.words().contains("relight_dark:");
    let all = host.inner().iter().enumerate();
    let closes = |at: usize| rule(host, at).is_some_and(|it| it.words().contains("R=503"));
    all.filter(|(at, it)| asks(it) && closes(*at)).map(|(at, _)| at).collect()
}

/// The rule to which a condition belongs.
fn rule(host: &Directive, at: usize) -> Option<&Directive> {
    host.inner()[at..].iter().find(|it| is(it, "RewriteRule"))
}

fn narrows(host: &Directive, at: usize) -> Option<&Directive> {
    let inner = host.inner();
    let rule = rule(host, at)?;
    if !everything(rule.first()) {
        return Some(rule);
    }
    let is_rule = |it: &Directive| is(it, "RewriteRule");
    let begin = inner[..at].iter().rposition(is_rule).map_or(0, |before| before + 1);
    let conditions = inner[begin..].iter().take_while(|it| !is_rule(it));
    let mut conditions = conditions.filter(|it| is(it, "RewriteCond"));
    if let Some(more) =
        conditions.find(|it| !std::ptr::eq(*it, &raw const inner[at]) && !is_own(it))
    {
        return Some(more);
    }
    // What ends the rules before the gate, or hands on there, leaves it unasked.
    let ends = |it: &Directive| {
        let flags = ["L", "last", "END", "PT", "passthrough", "P", "proxy"];
        let answers = ["R", "redirect", "F", "forbidden", "G", "gone"];
        has_flag(it, &flags) && !has_flag(it, &answers)
    };
    let mut between = inner[..begin].iter().filter(|it| is_rule(it)).count();
    let (mut before, mut is_ours) = (inner[..begin].iter(), false);
    before.find(|it| {
        is_ours |= is(it, "RewriteCond") && it.first() == OWN_ERROR;
        if !is_rule(it) {
            return false;
        }
        between -= 1;
        let leaves = (ends(it) || jumped(it) > between) && !is_ours && !is_local(it.first());
        is_ours = false;
        // A rule that is chained to one is asked only where that one fits.
        leaves || (between == 0 && has_flag(it, &["C", "chain"]))
    })
}

/// Whether a regular expression surely fits every path.
fn everything(what: &str) -> bool {
    let rest = what.strip_prefix('^').unwrap_or(what);
    let rest = rest.strip_prefix("/?").or_else(|| rest.strip_prefix('/')).unwrap_or(rest);
    ["", ".*", ".*$", "(.*)", "(.*)$"].contains(&rest)
}

/// Set where Apache answers the 503 of a gate.
const OWN_ERROR: &str = "%{ENV:REDIRECT_RELIGHT_GATE}";

/// The conditions that we print: nothing of them lets a visitor reach an origin.
fn is_own(it: &Directive) -> bool {
    let what = it.args.get(1).map_or("", String::as_str);
    let leaves_out = what.strip_prefix('!').is_some_and(is_local);
    let is_plain = it.args.get(2).is_none();
    is_plain && (it.first() == OWN_ERROR || (it.first() == "%{REQUEST_URI}" && leaves_out))
}

/// Whether what the gate leaves out may fit a path.
pub(super) fn leaves_out(host: &Directive, path: &str) -> bool {
    let inner = host.inner().iter();
    let mut patterns = inner.filter_map(|it| match it.first() {
        "%{REQUEST_URI}" if is(it, "RewriteCond") => it.args.get(1)?.strip_prefix('!'),
        rule if is(it, "RewriteRule") => Some(rule),
        _ => None,
    });
    patterns.any(|it| is_local(it) && fits(it, path) > Fits::No)
}

/// Whether a pattern fits nothing but challenges and our own pages; whether an origin answers those
/// is looked at elsewhere.
fn is_local(pattern: &str) -> bool {
    [CHALLENGES, "/.relight/"].into_iter().any(|folder| pattern::is_below(pattern, folder))
}
