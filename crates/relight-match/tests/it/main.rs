//! What the matcher says of whole records: the Log4j table, disagreement, uncertainty, aliases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod failures;
mod findings;
mod log4j;
mod names;
mod own;
mod questions;
mod shapes;
mod silence;
mod simulator;
mod slips;
mod switched;
mod verdicts;
mod vex;

use relight_match::Advisories;
use relight_model::{
    Advisory, Affected, AffectedRange, Basis, Component, Ecosystem, FindingState, PackageName,
    Purl, RangeEvent, RangeKind, Scope,
};

/// A component as the scanner gives it.
fn component(purl: &str) -> Component {
    let purl = Purl::parse(purl).unwrap();
    Component::new(purl, "app.war!/lib/x.jar", Basis::InstalledMetadata, Scope::Installed)
}

/// A range from events in a short form: `i1 f2 l3` for introduced, fixed, last affected.
fn range(kind: RangeKind, events: &str) -> AffectedRange {
    let event = |word: &str| match (&word[..1], word[1..].to_owned()) {
        ("i", version) => RangeEvent::Introduced(version),
        ("f", version) => RangeEvent::Fixed(version),
        ("l", version) => RangeEvent::LastAffected(version),
        (other, _) => panic!("no event {other}"),
    };
    AffectedRange { kind, events: events.split_whitespace().map(event).collect() }
}

/// What a record says about a package of `Ecosystem` or `Ecosystem:release`.
fn affected(ecosystem: &str, name: &str, ranges: &[&str]) -> Affected {
    let (base, release) = match ecosystem.split_once(':') {
        Some((base, release)) => (base, Some(release.to_owned())),
        None => (ecosystem, None),
    };
    let ecosystem = Ecosystem::from_osv(base);
    Affected {
        ranges: ranges.iter().map(|events| range(RangeKind::Ecosystem, events)).collect(),
        ..Affected::of(PackageName { ecosystem, release, name: name.to_owned() })
    }
}

/// A record of the source `test`, or of the distribution that its packages are of.
fn advisory(id: &str, affected: Vec<Affected>) -> Advisory {
    let source = affected.first().map_or("test", |it| source_of(&it.package.ecosystem));
    let (source, id) = (source.to_owned(), id.to_owned());
    Advisory { source, id, affected, ..Advisory::default() }
}

/// Under which name records of a distribution about its packages are kept.
fn source_of(ecosystem: &Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Debian => "debian",
        Ecosystem::Ubuntu => "ubuntu",
        Ecosystem::Echo => "echo",
        Ecosystem::Alpine => "alpine",
        Ecosystem::Alpaquita | Ecosystem::BellSoft => "bellsoft",
        Ecosystem::Chainguard | Ecosystem::Wolfi => "chainguard",
        Ecosystem::MinimOs => "minimos",
        Ecosystem::AlmaLinux => "almalinux",
        Ecosystem::RockyLinux => "rocky",
        Ecosystem::RedHat => "redhat",
        Ecosystem::Suse | Ecosystem::OpenSuse => "suse",
        Ecosystem::OpenEuler => "openeuler",
        Ecosystem::Mageia => "mageia",
        _ => "test",
    }
}

/// `id state` for each finding, by `match_component`; each group alone must say the same.
fn matches(advisories: &Advisories, component: &Component) -> Vec<String> {
    let found = advisories.match_component(component);
    let alone: Vec<_> = advisories.groups().filter_map(|it| it.judge(component)).collect();
    assert_eq!(found, alone, "lookup by package and by group differ");
    found.iter().map(|finding| format!("{} {}", finding.id, finding.state.as_str())).collect()
}

/// The state that a single record gives a component.
fn state(record: &Advisory, component: &Component) -> Option<FindingState> {
    let advisories = Advisories::new(vec![record.clone()]);
    advisories.match_component(component).first().map(|finding| finding.state)
}
