//! Releases of distributions, as components and as records write them.
//!
//! A record about a release that cannot be compared with a component's is heard all the same: what
//! it calls affected is perhaps affected. Silence would be clear.

use relight_model::{BASE_OF_RED_HAT, Ecosystem, FIRST_BY_MINOR_OF_RED_HAT};

/// The suite from which Debian's backports are built.
pub(crate) const BACKPORT_SUITE: &str = "sid";

/// Products of SUSE that are no distribution, by how their names begin and their versions, with the
/// release on which they stand.
const PRODUCTS_OF_SUSE: [(&str, &str, &str); 16] = [
    ("CaaS Platform", "4.0", "15.1"),
    ("Enterprise Storage", "5", "12.3"),
    ("Enterprise Storage", "6", "15.1"),
    ("Enterprise Storage", "7", "15.2"),
    ("Enterprise Storage", "7.1", "15.3"),
    ("Manager", "3.1", "12.3"),
    ("Manager", "3.2", "12.3"),
    ("Manager", "4.0", "15.1"),
    ("Manager", "4.1", "15.2"),
    ("Manager", "4.2", "15.3"),
    ("Manager", "4.3", "15.4"),
    ("Manager", "5.0", "5.5"),
    ("OpenStack Cloud", "6", "12.1"),
    ("OpenStack Cloud", "7", "12.2"),
    ("OpenStack Cloud", "8", "12.3"),
    ("OpenStack Cloud", "9", "12.4"),
];

/// Which components a record about a release is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// All of that release.
    Whole,
    /// Some of this release: a minor stream, a product on top of it.
    PartOf(String),
    /// All of that release, and perhaps those of its service packs too: modules of SUSE 12 name
    /// none.
    Family,
    /// Nobody can tell of which release.
    Open,
}

/// Whether a record about a release is about a component of another, or of the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinship {
    /// Of the same.
    Same,
    /// Of another.
    Other,
    /// Perhaps.
    Perhaps,
}

impl Breadth {
    /// Of the release of a record, in the form that [`record_release`] gives.
    pub(crate) fn of(ecosystem: &Ecosystem, release: &str) -> Self {
        let known = match ecosystem {
            Ecosystem::RedHat => part_of_red_hat(release),
            Ecosystem::Suse => product_of_suse(release),
            Ecosystem::OpenEuler => numbers(release).filter(|number| *number != release),
            _ => None,
        };
        match known {
            None if *ecosystem == Ecosystem::Suse && release.chars().all(is_digit) => Self::Family,
            Some(whole) => Self::PartOf(whole.to_owned()),
            None if is_comparable(ecosystem, release) => Self::Whole,
            None => Self::Open,
        }
    }

    /// How a record about `release` stands to a component of release `own`.
    pub(crate) fn kinship(&self, release: &str, own: &str) -> Kinship {
        match self {
            _ if release == own => Kinship::Same,
            Self::Family if own.split('.').next() == Some(release) => Kinship::Perhaps,
            Self::Whole | Self::Family => Kinship::Other,
            Self::PartOf(whole) if whole == own => Kinship::Perhaps,
            Self::PartOf(_) => Kinship::Other,
            Self::Open => Kinship::Perhaps,
        }
    }
}

/// Whether a release is written as components write it.
fn is_comparable(ecosystem: &Ecosystem, release: &str) -> bool {
    // Of what is not known, both write what they like: equal texts are equal.
    matches!(ecosystem, Ecosystem::Other(_))
        || release_of(ecosystem, release).is_some_and(|own| own == release)
}

/// The release of a component, from the qualifier `distro` of its purl (`ID-VERSION_ID`): the major
/// number for Debian and most RPM distributions, `NN.NN` for Ubuntu, `vN.NN` for Alpine, `NN.N`
/// with the service pack for SUSE; the names of suites that have no number as they are.
pub(crate) fn release_of(ecosystem: &Ecosystem, distro: &str) -> Option<String> {
    let number = numbers(distro);
    let first = |count: usize| {
        let parts: Vec<_> = number?.split('.').take(count).collect();
        (parts.len() == count).then(|| parts.join("."))
    };
    match ecosystem {
        Ecosystem::Debian => debian_suite(distro).map(Into::into).or_else(|| first(1)),
        Ecosystem::Ubuntu => first(2),
        // Edge calls itself by the release that it is to become.
        Ecosystem::Alpine if distro.ends_with("edge") || distro.contains("_alpha") => {
            Some("edge".to_owned())
        }
        Ecosystem::Alpine => first(2).map(|number| format!("v{number}")),
        Ecosystem::Wolfi | Ecosystem::Chainguard => None,
        Ecosystem::Alpaquita | Ecosystem::BellSoft if distro.ends_with("stream") => {
            Some("stream".to_owned())
        }
        Ecosystem::OpenSuse if distro.to_ascii_lowercase().contains("tumbleweed") => {
            Some("Tumbleweed".to_owned())
        }
        Ecosystem::Suse | Ecosystem::OpenSuse => first(2).or_else(|| first(1)),
        Ecosystem::PhotonOs => first(2).or_else(|| first(1).map(|number| format!("{number}.0"))),
        Ecosystem::OpenEuler => Some(format!("{}{}", number?, long_term(distro))),
        _ => first(1),
    }
}

/// The numbers with points between them at the first digit of a text (`15.4` of `sles-15.4`).
fn numbers(text: &str) -> Option<&str> {
    let rest = &text[text.find(|c: char| c.is_ascii_digit())?..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let number = rest[..end].trim_end_matches('.');
    (!number.split('.').any(str::is_empty)).then_some(number)
}

/// What openEuler says behind its number: `-LTS-SP1` of `openEuler-22.03 (LTS-SP1)`.
fn long_term(distro: &str) -> String {
    let words = distro.split(|c: char| !c.is_ascii_alphanumeric());
    let is_service_pack =
        |it: &str| it.strip_prefix("SP").is_some_and(|rest| rest.parse::<u8>().is_ok());
    words.filter(|it| *it == "LTS" || is_service_pack(it)).map(|it| format!("-{it}")).collect()
}

/// The number of a suite of Debian, or its name where it has none.
fn debian_suite(distro: &str) -> Option<&'static str> {
    Some(match distro.strip_prefix("debian-").unwrap_or(distro) {
        "buster" => "10",
        "bullseye" => "11",
        "bookworm" => "12",
        "trixie" => "13",
        "forky" => "14",
        "sid" | "unstable" => BACKPORT_SUITE,
        _ => return None,
    })
}

/// The release of a record in the form that components have, where it is one: `22.04:LTS` is
/// `22.04`, `unstable` is `sid`, `enterprise_linux:9::baseos` is `9`. What is none stays as it is,
/// see [`Breadth`].
pub(crate) fn record_release(ecosystem: &Ecosystem, release: &str) -> String {
    let known = match ecosystem {
        Ecosystem::Debian => debian_suite(release),
        // `22.04:LTS`, `Pro:18.04:LTS`: the number is the release.
        Ecosystem::Ubuntu => release.split(':').find(|it| it.starts_with(is_digit)),
        Ecosystem::AlmaLinux | Ecosystem::RockyLinux | Ecosystem::OracleLinux => {
            release.split('.').next()
        }
        Ecosystem::RedHat => major_of_red_hat(release),
        Ecosystem::OpenSuse => {
            release.strip_prefix("Leap Micro ").or(release.strip_prefix("Leap "))
        }
        Ecosystem::Suse => return release_of_suse(release).unwrap_or_else(|| release.to_owned()),
        _ => None,
    };
    known.unwrap_or(release).to_owned()
}

const fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// `9` of `enterprise_linux:9::baseos`. What is only for some of a release (`rhel_eus:8.4`), or for
/// a product on top of it, has none. From 10 on the distribution itself is named with the minor
/// release that was the newest (`enterprise_linux:10.1`).
fn major_of_red_hat(release: &str) -> Option<&str> {
    let version = base_of_red_hat(release)?;
    let Some((major, minor)) = version.split_once('.') else {
        return version.chars().all(is_digit).then_some(version);
    };
    let is_number = |text: &str| !text.is_empty() && text.chars().all(is_digit);
    let is_main = release.starts_with("enterprise_linux:") && is_number(major) && is_number(minor);
    let counts = is_main && major.parse::<u32>().is_ok_and(|it| it >= FIRST_BY_MINOR_OF_RED_HAT);
    counts.then_some(major)
}

/// The major release of which a product of Red Hat is a part: `8` of `rhel_eus:8.4::appstream` and
/// of `openshift:4.12::el8`.
fn part_of_red_hat(release: &str) -> Option<&str> {
    let is_number = |text: &&str| !text.is_empty() && text.chars().all(is_digit);
    let edition = release.split(':').find_map(|part| part.strip_prefix("el").filter(is_number));
    let major = || base_of_red_hat(release)?.split('.').next();
    edition.or_else(major).filter(is_number)
}

/// The version of the distribution itself, which a CPE name writes behind a colon.
fn base_of_red_hat(release: &str) -> Option<&str> {
    let (product, rest) = release.split_once(':')?;
    let is_base = BASE_OF_RED_HAT.contains(&product) || product.starts_with("rhel_extras");
    let version = rest.split(':').next().unwrap_or_default();
    (is_base && !version.is_empty()).then_some(version)
}

/// `15.4` of `Linux Enterprise Module for Basesystem 15 SP4`, `5.3` of `Linux Enterprise Micro
/// 5.3`.
fn release_of_suse(release: &str) -> Option<String> {
    if !release.starts_with("Linux ") {
        return None;
    }
    // From the end: `Module for Python 3 15 SP4`. `SP4-LTSS` gets the same packages for longer.
    let pack_of = |word: &'_ str| word.strip_prefix("SP").and_then(numbers).map(str::to_owned);
    let mut words = release.rsplit(' ');
    let last = words.find(|word| word.starts_with(is_digit) || pack_of(word).is_some())?;
    match pack_of(last) {
        Some(pack) => Some(format!("{}.{pack}", numbers(words.next()?)?)),
        None => numbers(last).map(str::to_owned),
    }
}

/// The release on which a product of SUSE stands.
fn product_of_suse(release: &str) -> Option<&'static str> {
    let (name, version) = release.rsplit_once(' ')?;
    let fits = |(begins, of, _): &&(&str, &str, &str)| name.starts_with(begins) && version == *of;
    PRODUCTS_OF_SUSE.iter().find(fits).map(|(.., whole)| *whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_components() {
        for (name, distro, wanted) in [
            ("Debian", "debian-12", Some("12")),
            ("Debian", "debian-12.5", Some("12")),
            ("Debian", "bookworm", Some("12")),
            ("Debian", "sid", Some("sid")),
            ("Debian", "debian", None),
            ("Ubuntu", "ubuntu-22.04", Some("22.04")),
            ("Ubuntu", "ubuntu-22", None),
            ("Alpine", "alpine-3.20.1", Some("v3.20")),
            ("Alpine", "alpine-3.20_alpha20240329", Some("edge")),
            ("Alpine", "alpine-3.22.0_alpha20250108", Some("edge")),
            ("Alpine", "alpine-3.20.0_rc1", Some("v3.20")),
            ("Alpine", "3.20", Some("v3.20")),
            ("Alpine", "alpine-edge", Some("edge")),
            ("AlmaLinux", "almalinux-8.6", Some("8")),
            ("AlmaLinux", "almalinux-9", Some("9")),
            ("Red Hat", "rhel-8.4", Some("8")),
            ("Oracle Linux", "ol-8.7", Some("8")),
            ("SUSE", "sles-15.4", Some("15.4")),
            ("SUSE", "sles-15", Some("15")),
            ("SUSE", "sle-micro-5.3", Some("5.3")),
            ("SUSE", "sles", None),
            ("openSUSE", "opensuse-leap-15.5", Some("15.5")),
            ("openSUSE", "opensuse-tumbleweed-20240101", Some("Tumbleweed")),
            ("openEuler", "openEuler-22.03", Some("22.03")),
            ("openEuler", "openeuler-22.03-LTS-SP1", Some("22.03-LTS-SP1")),
            ("openEuler", "openEuler-22.03 (LTS-SP1)", Some("22.03-LTS-SP1")),
            ("Photon OS", "photon-4.0", Some("4.0")),
            ("Photon OS", "photon-4", Some("4.0")),
            ("Azure Linux", "azurelinux-3.0", Some("3")),
            ("Mageia", "mageia-9", Some("9")),
            ("Alpaquita", "alpaquita-23", Some("23")),
            ("Alpaquita", "alpaquita-stream", Some("stream")),
            ("Wolfi", "wolfi-20230201", None),
            ("SUSE", "sles-15..4", None),
        ] {
            let ecosystem = Ecosystem::from_osv(name);
            assert_eq!(release_of(&ecosystem, distro).as_deref(), wanted, "{name} {distro}");
        }
    }

    /// Each suffix that OSV writes, the release whose components it is about, and that of which it
    /// perhaps is about some (`*` for any).
    const RECORDS: &[(&str, &str, &str)] = &[
        ("Debian:12", "12", ""),
        ("Debian:bookworm", "12", ""),
        ("Debian:unstable", "sid", ""),
        ("Debian:experimental", "", "*"),
        ("Ubuntu:22.04:LTS", "22.04", ""),
        ("Ubuntu:Pro:18.04:LTS", "18.04", ""),
        ("Ubuntu:24.10", "24.10", ""),
        ("Alpine:v3.20", "v3.20", ""),
        ("Alpine:edge", "edge", ""),
        ("Alpaquita:stream", "stream", ""),
        ("Alpaquita:23", "23", ""),
        ("AlmaLinux:8", "8", ""),
        ("Rocky Linux:9", "9", ""),
        ("Oracle Linux:8", "8", ""),
        ("Azure Linux:3", "3", ""),
        ("Mageia:9", "9", ""),
        ("Photon OS:4.0", "4.0", ""),
        ("Red Hat:8", "8", ""),
        ("Red Hat:enterprise_linux:9::baseos", "9", ""),
        ("Red Hat:enterprise_linux:7::server", "7", ""),
        ("Red Hat:rhel_els:7", "7", ""),
        ("Red Hat:enterprise_linux:10", "10", ""),
        ("Red Hat:enterprise_linux:10.0", "10", ""),
        ("Red Hat:enterprise_linux:10.1::appstream", "10", ""),
        ("Red Hat:rhel_eus:10.0", "", "10"),
        ("Red Hat:rhel_eus:8.4::appstream", "", "8"),
        ("Red Hat:enterprise_linux:8.4::baseos", "", "8"),
        ("Red Hat:rhel_software_collections:3::el7", "", "7"),
        ("Red Hat:openshift:4.12::el8", "", "8"),
        ("Red Hat:enterprise_mrg:2:server:el6", "", "6"),
        ("Red Hat:hummingbird:1", "", "*"),
        ("Red Hat:rhel_extras_rt:7", "7", ""),
        ("Red Hat:enterprise_linux", "", "*"),
        ("SUSE:Linux Enterprise Server 15 SP4", "15.4", ""),
        ("SUSE:Linux Enterprise Server 15 SP2-LTSS", "15.2", ""),
        ("SUSE:Linux Enterprise Server 12", "12", "12.5"),
        ("SUSE:Linux Enterprise Module for Public Cloud 12", "12", "12.3"),
        ("SUSE:Linux Enterprise Server for SAP Applications 15 SP4", "15.4", ""),
        ("SUSE:Linux Enterprise Module for Basesystem 15 SP4", "15.4", ""),
        ("SUSE:Linux Enterprise Module for Python 3 15 SP4", "15.4", ""),
        ("SUSE:Linux Enterprise Server 11 SP4 LTSS EXTREME CORE", "11.4", ""),
        ("SUSE:Linux Enterprise Server 12-LTSS", "12", "12.1"),
        ("SUSE:Linux Enterprise Micro 5.3", "5.3", ""),
        ("SUSE:Linux Micro 6.0", "6.0", ""),
        ("SUSE:Manager Server 4.3", "", "15.4"),
        ("SUSE:Manager Retail Branch Server 4.2", "", "15.3"),
        ("SUSE:Enterprise Storage 7.1", "", "15.3"),
        ("SUSE:OpenStack Cloud Crowbar 9", "", "12.4"),
        ("SUSE:Manager Server 9.9", "", "*"),
        ("openSUSE:Leap 15.5", "15.5", ""),
        ("openSUSE:Leap Micro 5.3", "5.3", ""),
        ("openSUSE:Tumbleweed", "Tumbleweed", ""),
        ("openSUSE:Backports SLE-15 SP4", "", "*"),
        ("openEuler:22.03-LTS-SP1", "22.03-LTS-SP1", "22.03"),
        ("openEuler:20.09", "20.09", ""),
        ("Unheard:Of It", "Of It", ""),
    ];

    #[test]
    fn releases_of_records() {
        for &(text, same, perhaps) in RECORDS {
            let (ecosystem, release) = Ecosystem::with_release(text);
            let release = record_release(&ecosystem, &release.unwrap());
            let breadth = Breadth::of(&ecosystem, &release);
            let heard = |own: &str| breadth.kinship(&release, own);
            if !same.is_empty() {
                assert_eq!(heard(same), Kinship::Same, "{text}");
            }
            if !perhaps.is_empty() {
                assert_eq!(heard(perhaps), Kinship::Perhaps, "{text}");
            }
            let other = if perhaps == "*" { Kinship::Perhaps } else { Kinship::Other };
            assert_eq!(heard("77"), other, "{text}");
            // Whatever a component has is its own form.
            assert_eq!(record_release(&ecosystem, &release), release, "{text}");
        }
    }
}
