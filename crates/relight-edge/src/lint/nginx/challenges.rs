//! Whether the challenges of certificates, which the gate of a server of nginx lets through, are
//! answered by nginx itself.

use super::super::pattern::{self, OTHER, TOKEN};
use super::Directive;

/// Deepest way from one location to the next.
const HOPS_MAX: usize = 8;

const CHALLENGES: &str = "acme-challenge";

/// The directive by which a challenge reaches the origin, if one does.
pub(super) fn proxied<'a>(server: &'a Directive, above: &[&'a Directive]) -> Option<&'a Directive> {
    let is_of_challenges = |it: &&Directive| it.words().contains(CHALLENGES);
    let locations: Vec<&Directive> = server.named("location").filter(is_of_challenges).collect();
    let site = Site { server, above };
    if let Some(way) = locations.iter().find_map(|it| site.way_out(it, &[])) {
        return Some(way);
    }
    // The gate lets these paths through.
    let exception = server.named("if").find(is_of_challenges)?;
    let words = exception.words();
    let pattern = words.strip_suffix(')').and_then(|it| it.split_once('~'));
    let is_wide = pattern.is_none_or(|(_, it)| pattern::fits(it.trim(), OTHER) != Some(false));
    let other = [OTHER].into_iter().filter(|_| is_wide);
    [TOKEN].into_iter().chain(other).find_map(|path| match site.location(path) {
        Some(location) => site.way_out(location, &[]).map(|_| location),
        None => Some(exception),
    })
}

/// How a location is chosen, and by what.
fn choice(location: &Directive) -> (&'static str, String) {
    let words = location.words();
    let mark = ["^~", "~*", "~", "="].into_iter().find(|mark| words.starts_with(mark));
    let mark = mark.unwrap_or_default();
    (mark, words[mark.len()..].trim().to_owned())
}

struct Site<'a, 'b> {
    server: &'a Directive,
    /// What stands at the `http` level.
    above: &'b [&'a Directive],
}

impl<'a> Site<'a, '_> {
    /// The location that answers a path: nginx takes a pattern before the longest beginning, unless
    /// `^~` or `=` is said.
    fn location(&self, path: &str) -> Option<&'a Directive> {
        let all = self.server.named("location").map(|it| (it, choice(it)));
        let all: Vec<(&Directive, (&str, String))> = all.collect();
        let begins = all.iter().filter(|(_, (mark, what))| match *mark {
            "=" => path == what,
            "" | "^~" => path.starts_with(what.as_str()),
            _ => false,
        });
        let longest = begins.max_by_key(|(_, (mark, what))| (*mark == "=", what.len()));
        let is_strong = longest.is_some_and(|(_, (mark, _))| !mark.is_empty());
        let mut patterns = all.iter().filter(|(_, (mark, _))| matches!(*mark, "~" | "~*"));
        let pattern = patterns.find(|(it, (mark, what))| {
            let case = if *mark == "~*" { "(?i)" } else { "" };
            let fits = pattern::fits(&format!("{case}{what}"), path);
            !is_strong && fits.unwrap_or_else(|| self.way_out(it, &[]).is_some())
        });
        pattern.or(longest).map(|(it, _)| *it)
    }

    /// What a location hands on, or where it sends what it does not find. To another path nginx
    /// goes through the gate again; to a named location, or by `rewrite`, it does not.
    fn way_out(&self, location: &'a Directive, seen: &[&str]) -> Option<&'a Directive> {
        if let Some(pass) = passes(location) {
            return Some(pass);
        }
        let leads = |it: &&Directive| {
            let last = it.args.last().map_or("", String::as_str);
            match it.name.as_str() {
                "try_files" => self.leads_out(last, seen),
                "rewrite" => !matches!(last, "break" | "redirect" | "permanent"),
                _ => false,
            }
        };
        if let Some(it) = location.all().into_iter().find(leads) {
            return Some(it);
        }
        self.errors(location).into_iter().find(|it| {
            let is_refusal = |code: &String| code.len() == 3 && code.starts_with('4');
            let last = it.args.last().map_or("", String::as_str);
            it.args.iter().any(is_refusal) && self.leads_out(last, seen)
        })
    }

    /// The pages of errors of the nearest level that has any.
    fn errors(&self, location: &'a Directive) -> Vec<&'a Directive> {
        let of = |level: &'a Directive| level.named("error_page").collect::<Vec<_>>();
        let above = self.above.iter().copied().filter(|it| it.name == "error_page");
        let levels = [of(location), of(self.server), above.collect()];
        levels.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// Whether this is a named location from which the origin is reached, by others than those that
    /// were seen on the way.
    fn leads_out(&self, to: &str, seen: &[&str]) -> bool {
        if !to.starts_with('@') || seen.contains(&to) {
            return false;
        }
        let way = [seen, &[to]].concat();
        let mut named = self.server.named("location").filter(|it| it.words() == to);
        way.len() > HOPS_MAX || named.any(|it| self.way_out(it, &way).is_some())
    }
}

/// What hands a request on.
fn passes(location: &Directive) -> Option<&Directive> {
    location.all().into_iter().find(|it| it.name.ends_with("_pass"))
}
