//! What a document says of packages: the bounds and versions of its product tree as the entries
//! that any other source would have written.
//!
//! A product counts where a package URL names its package. What cannot be evaluated leaves the
//! package unresolved, never unnamed: a package that nobody names would be clear.

use std::collections::BTreeMap;

use relight_model::{
    Affected, AffectedRange, BASE_OF_RED_HAT, Bound, BoundBasis, Ecosystem,
    FIRST_BY_MINOR_OF_RED_HAT, Grammar, Interval, NativeRange, PackageName, Purl, RangeEvent,
    RangeKind, RangeStatus, Stance, VexProduct, Why,
};
use serde_json::Value;

use super::tree::Tree;
use crate::advisory::cve::{is_version, operators};
use crate::advisory::json::{Fault, Object, VERSIONS_MAX, list};
use crate::advisory::names::package_of_purl;

/// What each list of `product_status` says of the versions of its products.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    First,
    Last,
    FirstFixed,
    Affected,
    Unknown,
}

const LISTS: [(&str, Said); 6] = [
    ("first_affected", Said::First),
    ("last_affected", Said::Last),
    ("first_fixed", Said::FirstFixed),
    ("known_affected", Said::Affected),
    ("under_investigation", Said::Unknown),
    ("unknown", Said::Unknown),
];

/// The version of a product, as far as it is told.
enum Told {
    All,
    Single(String),
    Range(NativeRange),
    Interval(Interval),
    Prose,
}

/// What was told about one package.
#[derive(Default)]
struct Gathered {
    first: Vec<String>,
    last: Vec<String>,
    fixed: Vec<String>,
    members: Vec<String>,
    intervals: Vec<Interval>,
    native: Vec<NativeRange>,
    unresolved: Option<Why>,
}

/// The entries of one flaw. A document of somebody else than the vendor adds versions, and leaves
/// all others to whoever knows them.
pub(super) fn entries(
    status: &Object,
    tree: &Tree<'_>,
    is_vendor: bool,
) -> Result<Vec<Affected>, Fault> {
    let mut packages: BTreeMap<(PackageName, Option<String>), Gathered> = BTreeMap::new();
    for (key, said) in LISTS {
        for id in list(status, key, VERSIONS_MAX)?.iter().filter_map(Value::as_str) {
            let product = tree.resolve(id)?;
            let is_range = tree.is_range(id);
            for purl in &product.purls {
                if let Some(package) = package(purl, &product.within) {
                    packages.entry(package).or_default().add(said, told(purl, &product, is_range));
                }
            }
        }
    }
    let entry = |((package, module), it): (_, Gathered)| Affected {
        module,
        ..it.entry(package, is_vendor)
    };
    Ok(packages.into_iter().map(entry).collect())
}

/// The package that is meant, and the stream of its module (`nodejs:18`); `None` for a component of
/// a product, which says nothing about the component elsewhere, and for a package of a distribution
/// without its release.
fn package(purl: &Purl, within: &[VexProduct]) -> Option<(PackageName, Option<String>)> {
    if within.is_empty() {
        return package_of_purl(purl).map(|package| (package, None));
    }
    if purl.kind != "rpm" {
        return None;
    }
    let ecosystem = Ecosystem::from_purl(&purl.kind, &purl.namespace);
    let mut module = purl.qualifier("rpmmod").and_then(stream_of);
    let mut release = None;
    // Of a module in a release, or of both side by side.
    let mut around: Vec<&VexProduct> = within.iter().collect();
    while let Some(product) = around.pop() {
        around.extend(&product.within);
        if let Some(own) = product.purls.iter().find(|it| it.kind == "rpmmod") {
            module = module.or_else(|| stream_of(&format!("{}:{}", own.name, own.version)));
            continue;
        }
        let of = product.cpes.iter().find_map(|cpe| release_of(cpe, &ecosystem))?;
        if release.replace(of).is_some() {
            return None;
        }
    }
    let name = purl.name.clone();
    Some((PackageName { ecosystem, release: Some(release?), name }, module))
}

/// `nodejs:18` of `nodejs:18:8060020220523160029:ad008a3a`.
fn stream_of(module: &str) -> Option<String> {
    let mut parts = module.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

/// `10` of `10.1`: from 10 on Red Hat names the distribution itself with the minor release that was
/// the newest; below, that is a stream of its own.
fn major_of_red_hat<'a>(product: &str, version: &'a str) -> Option<&'a str> {
    let (major, minor) = version.split_once('.')?;
    let is_number = !minor.is_empty() && minor.bytes().all(|it| it.is_ascii_digit());
    let is_main = product == "enterprise_linux" && is_number;
    let counts = is_main && major.parse().is_ok_and(|it: u32| it >= FIRST_BY_MINOR_OF_RED_HAT);
    counts.then_some(major)
}

/// `rhel_eus:8.4::appstream` of `cpe:/a:redhat:rhel_eus:8.4::appstream`, as OSV writes it: a minor
/// release that is kept for longer is a stream of its own. No package tells that it is in it, so
/// the name stays whole: what is affected there is perhaps affected in the release.
fn stream_of_red_hat(cpe: &str) -> Option<String> {
    let mut parts = cpe.split(':').skip_while(|it| *it != "redhat").skip(1);
    let (product, version) = (parts.next()?, parts.next()?);
    let is_digit = |it: u8| it.is_ascii_digit();
    let is_main = major_of_red_hat(product, version).is_some();
    let is_minor = (version.contains('.') && !is_main) || product != "enterprise_linux";
    let is_number = version.split('.').all(|it| !it.is_empty() && it.bytes().all(is_digit));
    let rest: Vec<&str> = parts.map(|it| if it == "*" { "" } else { it }).collect();
    let whole = format!("{product}:{version}:{}", rest.join(":"));
    let is_stream = BASE_OF_RED_HAT.contains(&product) && is_minor && is_number;
    is_stream.then(|| whole.trim_end_matches(':').to_owned())
}

/// `8` of `cpe:/o:redhat:enterprise_linux:8::baseos`, `15.4` of `cpe:/o:suse:sles:15:sp4` and of
/// `cpe:/o:opensuse:leap:15.4`, for the packages of that vendor; minor releases of Red Hat with
/// their whole name.
fn release_of(cpe: &str, ecosystem: &Ecosystem) -> Option<String> {
    if *ecosystem == Ecosystem::RedHat
        && let Some(stream) = stream_of_red_hat(cpe)
    {
        return Some(stream);
    }
    let rest = cpe.strip_prefix("cpe:2.3:").or_else(|| cpe.strip_prefix("cpe:/"))?;
    let mut parts = rest.split(':').skip(1);
    let (vendor, product, version) = (parts.next()?, parts.next()?, parts.next()?);
    let main = major_of_red_hat(product, version).filter(|_| *ecosystem == Ecosystem::RedHat);
    let version = main.unwrap_or(version);
    let is_system = matches!(product, "enterprise_linux" | "almalinux" | "rocky_linux" | "linux");
    let is_own = Ecosystem::from_purl("rpm", vendor) == *ecosystem;
    let is_number = |text: &str| {
        !text.is_empty() && text.split('.').all(|it| it.bytes().all(|it| it.is_ascii_digit()))
    };
    // The modules of SUSE's distribution (`sle-module-basesystem`) have its numbers.
    if is_own && *ecosystem == Ecosystem::Suse && product.starts_with("sle") {
        let pack = parts.next().and_then(|it| it.strip_prefix("sp")).filter(|it| is_number(it));
        let release = pack.map_or_else(|| version.to_owned(), |pack| format!("{version}.{pack}"));
        return is_number(&release).then_some(release);
    }
    if is_own && *ecosystem == Ecosystem::OpenSuse && product == "leap" {
        return is_number(version).then(|| version.to_owned());
    }
    let is_major = !version.is_empty() && version.bytes().all(|it| it.is_ascii_digit());
    (is_system && is_own && is_major).then(|| version.to_owned())
}

/// What the version of the purl says, or else the branch.
fn told(purl: &Purl, product: &VexProduct, is_range: bool) -> Told {
    let text = product.versions.first().filter(|_| is_range || purl.version.is_empty());
    let Some(text) = text else {
        let epoch = purl.qualifier("epoch").filter(|_| purl.kind == "rpm");
        return match (purl.version.as_str(), epoch) {
            ("", _) => Told::All,
            (version, Some(epoch)) => Told::Single(format!("{epoch}:{version}")),
            (version, None) => Told::Single(version.to_owned()),
        };
    };
    let text = text.trim();
    if text.starts_with("vers:") {
        let (text, status) = (text.to_owned(), RangeStatus::Affected);
        return Told::Range(NativeRange { text, grammar: Grammar::Vers, status });
    }
    if text.starts_with(['<', '>', '=']) {
        return operators(text, RangeStatus::Affected).map_or(Told::Prose, Told::Interval);
    }
    // A range that is none of these is words, also where it looks like a version.
    if !is_range && is_single(text, purl) { Told::Single(text.to_owned()) } else { Told::Prose }
}

/// Whether a word is one version, and not several (`4.x`, `3.0|3.1`, `1.0-1.5`).
fn is_single(word: &str, purl: &Purl) -> bool {
    let bare = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let is_number = |text: &str| text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    // In distributions that is a version and its release.
    let is_release = matches!(purl.kind.as_str(), "rpm" | "deb" | "apk" | "alpm");
    let is_span = bare.split_once('-').is_some_and(|(from, to)| is_number(from) && is_number(to));
    bare.starts_with(|first: char| first.is_ascii_digit())
        && is_version(word)
        && !word.contains('|')
        && (is_release || !is_span)
}

impl Gathered {
    fn add(&mut self, said: Said, told: Told) {
        match (said, told) {
            (Said::First, Told::Single(version)) => self.first.push(version),
            (Said::Last, Told::Single(version)) => self.last.push(version),
            (Said::FirstFixed, Told::Single(version)) => self.fixed.push(version),
            (Said::Affected, Told::Single(version)) => self.members.push(version),
            (Said::Affected, Told::Range(range)) => self.native.push(range),
            (Said::Affected, Told::Interval(interval)) => self.intervals.push(interval),
            (Said::Affected, Told::All) => self.intervals.push(ALL),
            (Said::Affected, Told::Prose) => self.doubt(Why::FreeText),
            (Said::Unknown, Told::Single(version)) => {
                self.intervals.push(Interval::single(&version, RangeStatus::Unknown));
            }
            (Said::Unknown, _) => self.doubt(Why::Undetermined),
            // A bound that is no version.
            (_, Told::Prose) => self.doubt(Why::FreeText),
            _ => self.doubt(Why::NoRange),
        }
    }

    fn doubt(&mut self, why: Why) {
        self.unresolved.get_or_insert(why);
    }

    fn entry(mut self, package: PackageName, is_vendor: bool) -> Affected {
        let events = self.events();
        let is_range = |it: &Interval| it.status == RangeStatus::Affected;
        let has_range =
            !(events.is_empty() && self.native.is_empty()) || self.intervals.iter().any(is_range);
        // Single versions say nothing of those between them.
        let why = match self.unresolved {
            None if !has_range => Some(Why::NoRange),
            None if !is_vendor => Some(Why::Untrusted),
            why => why,
        };
        let kind = RangeKind::Ecosystem;
        Affected {
            stance: why.map_or(Stance::Lists, Stance::Unresolved),
            ranges: if events.is_empty() { vec![] } else { vec![AffectedRange { kind, events }] },
            intervals: self.intervals,
            native: self.native,
            versions: self.members,
            ..Affected::of(package)
        }
    }

    /// The bounds as a set of events. An end before which nothing stands begins at the very first
    /// version; one that follows another end has lost its start, and nobody knows what it ends.
    fn events(&mut self) -> Vec<RangeEvent> {
        let of = |all: &[String], event: fn(String) -> RangeEvent| -> Vec<RangeEvent> {
            all.iter().cloned().map(event).collect()
        };
        let mut events = of(&self.first, RangeEvent::Introduced);
        events.extend(of(&self.last, RangeEvent::LastAffected));
        events.extend(of(&self.fixed, RangeEvent::Fixed));
        events.sort();
        events.dedup();
        let (mut is_open, mut is_lost) = (false, false);
        let mut line: Vec<RangeEvent> = Vec::new();
        match in_order(&events) {
            None => is_lost = events.len() > 1,
            Some(ordered) => events = ordered,
        }
        for event in events {
            let is_start = matches!(event, RangeEvent::Introduced(_));
            let is_fix = matches!(event, RangeEvent::Fixed(_));
            match line.last() {
                None if !is_start => line.push(RangeEvent::Introduced("0".to_owned())),
                // The last affected version and the fix of one line: affected up to the fix.
                Some(RangeEvent::LastAffected(_)) if is_fix => drop(line.pop()),
                Some(_) => is_lost |= !is_start && !is_open,
                None => {}
            }
            is_open = is_start;
            line.push(event);
        }
        if is_lost {
            self.doubt(Why::NoRange);
        }
        line.sort();
        line
    }
}

/// Events by the numbers that their versions begin with; `None` where that is no order.
fn in_order(events: &[RangeEvent]) -> Option<Vec<RangeEvent>> {
    let placed = |event: &RangeEvent| {
        let (RangeEvent::Introduced(text)
        | RangeEvent::Fixed(text)
        | RangeEvent::LastAffected(text)
        | RangeEvent::Limit(text)) = event;
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (epoch, text) = text.split_once(':').unwrap_or(("0", text));
        let end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
        let parts = text[..end].trim_end_matches('.').split('.');
        let mut numbers: Vec<u64> = parts.map(|it| it.parse().ok()).collect::<Option<_>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some((epoch.parse::<u64>().ok()?, numbers, event.clone()))
    };
    let mut placed = events.iter().map(placed).collect::<Option<Vec<_>>>()?;
    placed.sort();
    Some(placed.into_iter().map(|(_, _, event)| event).collect())
}

/// Every version.
const ALL: Interval = Interval {
    lo: Bound::Unbounded,
    hi: Bound::Unbounded,
    basis: BoundBasis::Limit,
    status: RangeStatus::Affected,
};
