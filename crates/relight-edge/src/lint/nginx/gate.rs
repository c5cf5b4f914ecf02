//! The gate of a server of nginx: which condition looks for the file, which one answers 503, and
//! what between them would let somebody past.

use super::super::pattern::{self, CHALLENGES};
use super::Directive;

/// The variable that holds the key of a site.
pub(super) const KEY: &str = "$relight_site";

/// The condition that looks for the file of the site, by its place in the server. Programs that are
/// rolled out have folders `current` too: what looks for a key comes before what looks deeper.
fn gate_at(server: &Directive) -> Option<usize> {
    let all = server.inner().iter().enumerate();
    let gates = all.filter(|(_, it)| it.name == "if" && is_gate(it));
    let rank = |(_, it): &(usize, &Directive)| {
        let path = file_of(it).unwrap_or_default();
        let name = path.rsplit_once("/current/").map_or("", |(_, name)| name);
        (name != KEY, name.is_empty() || name.contains('/'))
    };
    gates.min_by_key(rank).map(|(at, _)| at)
}

fn is_gate(it: &Directive) -> bool {
    it.words().contains("-f ") && it.words().contains("/current/")
}

/// Whether a 503 hangs on that condition: in it, or behind the variable that it sets.
pub(super) fn is_gated(server: &Directive) -> bool {
    closer(server).is_some()
}

/// What the gate looks for: the path behind `-f`.
pub(super) fn gate_path(server: &Directive) -> Option<String> {
    file_of(&server.inner()[gate_at(server)?])
}

fn file_of(gate: &Directive) -> Option<String> {
    let words = gate.words();
    let path = words.split("-f ").nth(1)?;
    Some(path.trim().trim_end_matches(')').trim().trim_matches(['"', '\'']).to_owned())
}

/// The variables that the gate sets, with their values.
fn sets(gate: &Directive) -> impl Iterator<Item = (&str, &str)> {
    gate.named("set").map(|it| (it.first(), it.args.get(1).map_or("", String::as_str)))
}

/// The directive that answers 503, by its place in the server.
fn closer(server: &Directive) -> Option<usize> {
    let closes = |it: &Directive| it.named("return").any(|it| it.first() == "503");
    let inner = server.inner();
    let at = gate_at(server)?;
    if closes(&inner[at]) {
        return Some(at);
    }
    let is_closer = |it: &Directive| {
        let asks = |(name, value): (&str, &str)| {
            let condition = condition(it);
            let forms = [format!("{name}={value}"), format!("{name}!=")];
            condition == name || (!value.is_empty() && forms.contains(&condition))
        };
        it.name == "if" && closes(it) && sets(&inner[at]).any(asks)
    };
    inner[at..].iter().position(is_closer).map(|index| at + index)
}

/// A condition without brackets, quotation marks and blanks.
fn condition(it: &Directive) -> String {
    it.words().replace(['(', ')', ' ', '"', '\''], "")
}

/// The first directive on the way to the 503 that opens the gate for some requests. nginx goes
/// through what sets, asks and rewrites in the order in which it is written, before any location.
pub(super) fn bypass(server: &Directive) -> Option<&Directive> {
    let (inner, closer, path) = (server.inner(), closer(server)?, gate_path(server)?);
    let gate = gate_at(server)?;
    let ends = |it: &&&Directive| {
        let last = it.args.last().map_or("", String::as_str);
        it.name == "break" || (it.name == "rewrite" && matches!(last, "last" | "break"))
    };
    let mut keys: Vec<&str> = Vec::new();
    for (index, it) in inner.iter().enumerate().take(closer + 1) {
        if index == gate && path.contains(KEY) && !keys.contains(&KEY) {
            // The gate looks for no name, unless the key is said before.
            let is_key = |it: &&Directive| it.name == "set" && it.first() == KEY;
            if let Some(late) = inner[gate..].iter().find(is_key) {
                return Some(late);
            }
        }
        // Locations come later.
        let all = if it.name == "if" { it.all() } else { vec![it] };
        if let Some(end) = all.iter().find(ends) {
            return Some(end);
        }
        for set in all.into_iter().filter(|it| it.name == "set") {
            let (name, value) = (set.first(), set.args.get(1).map_or("", String::as_str));
            // A key is said once, and not only for some.
            let again = index < gate && (it.name == "if" || keys.contains(&name));
            if again && path.contains(name) {
                return Some(set);
            }
            keys.push(name);
            let of_gate = |(own, _): (&str, &str)| own == name;
            let closes = is_gate(it) && sets(&inner[gate]).any(|own| own == (name, value));
            if index > gate && sets(&inner[gate]).any(of_gate) && !closes && !is_exception(it) {
                return Some(set);
            }
        }
    }
    None
}

/// The two exceptions that we print: challenges, by the path that nginx resolved, and whoever comes
/// through the socket of testers.
fn is_exception(it: &Directive) -> bool {
    let words = it.words();
    let pattern = words.trim_start_matches(['(', ' ']).strip_prefix("$uri");
    let pattern = pattern.and_then(|rest| rest.trim_start().strip_prefix('~'));
    let is_token = pattern.is_some_and(|it| {
        pattern::is_below(it.trim_start().trim_start_matches(['"', '\'']), CHALLENGES)
    });
    it.name == "if" && (is_token || condition(it) == "$remote_addr=unix:")
}
