//! By which directive a path of a virtual host of Apache reaches an origin: `ProxyPass`,
//! `ProxyPassMatch`, `RewriteRule … [P]` and `SetHandler proxy:`, in whatever sections they stand.
//!
//! A pattern that is not understood hands a path on, and takes none back.

use super::super::pattern;
use super::super::read::{is_glob, matches};
use super::{Directive, is};

/// Whether a directive is about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fits {
    No,
    Maybe,
    Yes,
}

impl Fits {
    const fn when(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }

    const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

/// A directive that is about a path, or may be.
struct About<'a> {
    it: &'a Directive,
    fits: Fits,
    /// How late its section is merged; none outside of all.
    section: Option<u8>,
}

/// The directive by which a path reaches an origin, if one does: in the order in which Apache asks.
pub(super) fn handed_on<'a>(
    main: &'a [Directive],
    host: &'a Directive,
    path: &str,
) -> Option<&'a Directive> {
    let outside = main.iter().filter(|it| !is(it, "VirtualHost"));
    let file = file_of(outside.clone().chain(host.inner()), path);
    let asked = Asked { path, file };
    let (mut own, mut all) = (Vec::new(), Vec::new());
    asked.collect(host.inner(), (Fits::Yes, None), &mut own);
    outside.for_each(|it| asked.collect(std::slice::from_ref(it), (Fits::Yes, None), &mut all));
    let aliases: Vec<&Directive> = own.iter().chain(&all).filter_map(About::outside).collect();
    let rules: Vec<&Directive> = own.iter().filter_map(About::outside).collect();
    all.extend(own);
    rewritten(&rules, path)
        .or_else(|| {
            all.iter().find(|it| it.section.is_some() && is_proxy_rule(it.it)).map(|it| it.it)
        })
        .or_else(|| match in_sections(&all) {
            Some(decided) => decided,
            None => aliased(&aliases, path),
        })
        .or_else(|| handler(all))
}

impl<'a> About<'a> {
    fn outside(&self) -> Option<&'a Directive> {
        self.section.is_none().then_some(self.it)
    }
}

/// The file that an `Alias` makes of a path.
fn file_of<'a>(mut all: impl Iterator<Item = &'a Directive>, path: &str) -> Option<String> {
    all.find_map(|it| {
        let rest = path.strip_prefix(it.first()).filter(|_| is(it, "Alias"))?;
        Some(format!("{}{rest}", it.args.get(1)?))
    })
}

struct Asked<'a> {
    path: &'a str,
    file: Option<String>,
}

impl Asked<'_> {
    fn collect<'a>(
        &self,
        directives: &'a [Directive],
        (fits, section): (Fits, Option<u8>),
        found: &mut Vec<About<'a>>,
    ) {
        for it in directives {
            let Some(inner) = &it.block else {
                found.push(About { it, fits, section });
                continue;
            };
            let (own, rank) = self.section(it);
            let fits = fits.min(own);
            if fits > Fits::No {
                self.collect(inner, (fits, section.max(rank)), found);
            }
        }
    }

    /// Whether a section is about the path, and how late it is merged.
    fn section(&self, it: &Directive) -> (Fits, Option<u8>) {
        let name = it.name.to_lowercase();
        let is_pattern = name.ends_with("match") || it.first() == "~";
        let what = it.args.last().map_or("", String::as_str);
        let file_name = self.path.rsplit('/').next().unwrap_or_default();
        match name.as_str() {
            "proxy" | "proxymatch" => (Fits::No, None),
            "directory" | "directorymatch" => match &self.file {
                Some(file) if !is_pattern => (below(what, file), Some(0)),
                _ => (Fits::Maybe, Some(0)),
            },
            "files" | "filesmatch" if is_pattern => (fits(what, file_name), Some(1)),
            "files" => (glob(what, file_name), Some(1)),
            "location" | "locationmatch" if is_pattern => (fits(what, self.path), Some(2)),
            "location" => (below(what, self.path), Some(2)),
            _ => (Fits::Maybe, Some(3)),
        }
    }
}

/// Whether a path is this one, or below it.
fn below(what: &str, path: &str) -> Fits {
    if is_glob(what) {
        return Fits::Maybe;
    }
    let rest = path.strip_prefix(what);
    Fits::when(
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || what.ends_with('/')),
    )
}

fn glob(what: &str, name: &str) -> Fits {
    // Of sets and backslashes nothing is understood.
    match what.contains(['[', '\\']) {
        true => Fits::Maybe,
        false => Fits::when(matches(what.as_bytes(), name.as_bytes())),
    }
}

/// Whether a regular expression fits a path.
pub(super) fn fits(what: &str, path: &str) -> Fits {
    pattern::fits(what, path).map_or(Fits::Maybe, Fits::when)
}

fn is_pass(it: &Directive) -> bool {
    is(it, "ProxyPass") || is(it, "ProxyPassMatch")
}

/// What the last section that has such a directive says. It counts before those outside of all.
fn in_sections<'a>(all: &[About<'a>]) -> Option<Option<&'a Directive>> {
    let mut decided = None;
    for about in all.iter().filter(|it| it.section.is_some() && is_pass(it.it)) {
        match about.it.args.iter().any(|arg| arg == "!") {
            true if about.fits == Fits::Yes => decided = Some(None),
            true => {}
            false => decided = Some(Some(about.it)),
        }
    }
    decided
}

/// Outside of sections the first one that fits counts.
fn aliased<'a>(all: &[&'a Directive], path: &str) -> Option<&'a Directive> {
    for it in all.iter().copied().filter(|it| is_pass(it)) {
        let own = match is(it, "ProxyPassMatch") {
            true => fits(it.first(), path),
            false => below(it.first(), path),
        };
        let stays = it.args.get(1).is_some_and(|to| to == "!");
        match own {
            Fits::Yes if stays => return None,
            Fits::Yes | Fits::Maybe if !stays => return Some(it),
            _ => {}
        }
    }
    None
}

/// The flags of a `RewriteRule` or a `RewriteCond`.
fn flags(it: &Directive) -> Vec<&str> {
    let text = it.args.get(2).map_or("", String::as_str);
    text.trim_matches(['[', ']']).split(',').map(str::trim).collect()
}

pub(super) fn has_flag(it: &Directive, names: &[&str]) -> bool {
    // `R=503` is the flag `R`.
    let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
    flags(it).into_iter().map(name).any(|flag| names.iter().any(|it| flag.eq_ignore_ascii_case(it)))
}

/// How many rules behind it a rule jumps over where it fits.
pub(super) fn jumped(it: &Directive) -> usize {
    let count = |flag: &str| {
        let (name, count) = flag.split_once('=')?;
        let is_jump = ["S", "skip"].iter().any(|it| name.eq_ignore_ascii_case(it));
        is_jump.then(|| count.parse().unwrap_or(usize::MAX))
    };
    flags(it).into_iter().find_map(count).unwrap_or(0)
}

fn is_proxy_rule(it: &Directive) -> bool {
    is(it, "RewriteRule") && has_flag(it, &["P", "proxy"])
}

/// The first rule that hands the path on, before one that ends them.
fn rewritten<'a>(all: &[&'a Directive], path: &str) -> Option<&'a Directive> {
    let mut conditions: Vec<&Directive> = Vec::new();
    for it in all {
        if is(it, "RewriteCond") {
            conditions.push(it);
        }
        if !is(it, "RewriteRule") {
            continue;
        }
        let under = under(&std::mem::take(&mut conditions), path);
        let own = match it.first().strip_prefix('!') {
            Some(what) => fits(what, path).not(),
            None => fits(it.first(), path),
        };
        match own.min(under) {
            Fits::No => {}
            _ if is_proxy_rule(it) => return Some(it),
            Fits::Yes if has_flag(it, &["L", "last", "END"]) => return None,
            _ => {}
        }
    }
    None
}

/// What the conditions of a rule say of a path.
fn under(conditions: &[&Directive], path: &str) -> Fits {
    let is_either = conditions.iter().any(|it| has_flag(it, &["OR", "ornext"]));
    let of_path = |it: &&Directive| {
        let what = it.args.get(1).map_or("", String::as_str);
        match (it.first(), what.strip_prefix('!')) {
            ("%{REQUEST_URI}", Some(what)) => fits(what, path).not(),
            ("%{REQUEST_URI}", None) => fits(what, path),
            _ => Fits::Maybe,
        }
    };
    match conditions.iter().map(of_path).min() {
        Some(_) if is_either => Fits::Maybe,
        Some(fits) => fits,
        None => Fits::Yes,
    }
}

/// The handler that counts in the end: later sections win.
fn handler(mut all: Vec<About<'_>>) -> Option<&Directive> {
    all.sort_by_key(|about| about.section);
    let mut found = None;
    for about in all.into_iter().filter(|about| is(about.it, "SetHandler")) {
        match about.it.first().to_lowercase().starts_with("proxy:") {
            true => found = Some(about.it),
            false if about.fits == Fits::Yes => found = None,
            false => {}
        }
    }
    found
}
