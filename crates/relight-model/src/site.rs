//! Organisations, sites and the key under which a gate knows a site.

use std::fmt;
use std::sync::Arc;

use crate::part::SitePart;

/// Dense number of a site: sets of sites are bitmaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u32);

/// Dense number of an organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgId(pub u32);

/// Dense number of an asset: the thing that has an inventory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u32);

/// A public body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its number.
    pub id: OrgId,
    /// Its name, as imported; unique.
    pub name: String,
    /// The sector it works in (`health`).
    pub sector: String,
}

/// The smallest thing that can be darkened and relit alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its number.
    pub id: SiteId,
    /// Its short name, unique, and a valid gate key.
    pub slug: GateKey,
    /// Name in French.
    pub name_fr: String,
    /// Name in English.
    pub name_en: String,
    /// Canonical origin: scheme and host (`https://www.example.qc`).
    pub origin: String,
    /// Other names under which visitors reach it, in lower case; dark is dark under each of them.
    pub aliases: Vec<String>,
    /// Parts that can be closed while the rest stays open; none of them makes it dark.
    pub parts: Vec<SitePart>,
    /// The body that answers for it.
    pub org: OrgId,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Who can reach it.
    pub exposure: SiteExposure,
    /// Name of the edge that serves it; empty when it is not known.
    pub edge: String,
    /// Shown on the public page.
    pub public: bool,
    /// How else the service is reached while it is dark.
    pub channel: Channel,
}

/// How else a service is reached: a telephone number, a counter. Empty where nobody says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
}

impl Site {
    /// The host name of the canonical origin, without scheme, port and path.
    pub fn host(&self) -> &str {
        let rest = self.origin.split_once("://").map_or(self.origin.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or(rest)
    }

    /// Every name of it, the canonical one first.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.host()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// How much depends on a site, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criticality {
    /// 1: lives or rights depend on it.
    Vital,
    /// 2: many people depend on it every day.
    Essential,
    /// 3: it matters.
    Important,
    /// 4: everything else.
    Normal,
}

impl Criticality {
    /// From the register's number, 1 to 4.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Vital),
            2 => Some(Self::Essential),
            3 => Some(Self::Important),
            4 => Some(Self::Normal),
            _ => None,
        }
    }

    /// The register's number, 1 to 4.
    pub const fn number(self) -> u8 {
        match self {
            Self::Vital => 1,
            Self::Essential => 2,
            Self::Important => 3,
            Self::Normal => 4,
        }
    }
}

/// Who can reach a site, in the words of SSVC where it has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SiteExposure {
    /// Anybody on the internet.
    Internet,
    /// Only through a control: a VPN, a list of addresses, the network of a partner.
    Controlled,
    /// Only from inside of the organisation.
    Internal,
    /// Nobody said; it counts as the internet.
    #[default]
    Unknown,
}

impl SiteExposure {
    /// Every value, the most exposed first.
    pub const ALL: [Self; 4] = [Self::Internet, Self::Controlled, Self::Internal, Self::Unknown];

    /// The name in documents and in the register.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Controlled => "controlled",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }

    /// The value of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Whether the internet reaches it; what nobody said is taken for it.
    pub const fn faces_internet(self) -> bool {
        matches!(self, Self::Internet | Self::Unknown)
    }

    /// How exposed it is, 0 to 2; what is not known counts as the most.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Internet | Self::Unknown => 2,
            Self::Controlled => 1,
            Self::Internal => 0,
        }
    }
}

/// The key of a site in a gate: `[a-z0-9][a-z0-9._@-]{0,127}`, so that it is a file name, a map
/// key and a header value without escaping. An order copies thousands of them dozens of times: a
/// copy shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateKey(Arc<str>);

/// Longest gate key, in bytes.
pub const GATE_KEY_BYTES_MAX: usize = 128;

impl GateKey {
    /// Checks the form of a key.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        match text.as_bytes() {
            [] => Err("a gate key is not empty"),
            bytes if bytes.len() > GATE_KEY_BYTES_MAX => Err("a gate key has at most 128 bytes"),
            [first, ..] if !plain(*first) => Err("a gate key starts with a-z or 0-9"),
            [_, rest @ ..] if !rest.iter().all(|&byte| plain(byte) || b"._@-".contains(&byte)) => {
                Err("a gate key holds only a-z, 0-9 and . _ @ -")
            }
            _ => Ok(Self(text.into())),
        }
    }

    /// The text of the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_keys() {
        for good in ["a", "san-005", "site.booking", "site@internet", &"a".repeat(128)] {
            assert!(GateKey::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".", "../x", "a/b", "A", "é", "a b", &"a".repeat(129)] {
            assert!(GateKey::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn host_of_an_origin() {
        let mut site = Site {
            id: SiteId(0),
            slug: GateKey::new("a").unwrap(),
            name_fr: String::new(),
            name_en: String::new(),
            origin: "https://www.example.qc:8443/path".into(),
            aliases: vec!["example.qc".into()],
            parts: Vec::new(),
            org: OrgId(0),
            criticality: Criticality::Normal,
            exposure: SiteExposure::Unknown,
            edge: String::new(),
            public: true,
            channel: Channel::default(),
        };
        assert_eq!(site.host(), "www.example.qc");
        site.origin = "bare.example".into();
        assert_eq!(site.host(), "bare.example");
        assert_eq!(site.hosts().collect::<Vec<_>>(), ["bare.example", "example.qc"]);
    }

    #[test]
    fn what_is_not_known_of_an_exposure_counts_as_the_most() {
        for exposure in SiteExposure::ALL {
            assert_eq!(SiteExposure::parse(exposure.as_str()), Some(exposure));
            assert!(exposure.rank() <= SiteExposure::default().rank(), "{exposure:?}");
        }
        assert_eq!(SiteExposure::parse("Internet"), None);
        assert!(SiteExposure::Controlled.rank() > SiteExposure::Internal.rank());
    }

    #[test]
    fn criticality_numbers() {
        for number in 1..=4 {
            assert_eq!(Criticality::from_number(number).map(Criticality::number), Some(number));
        }
        assert_eq!(Criticality::from_number(0), None);
        assert_eq!(Criticality::from_number(5), None);
    }
}
