//! Contacts: the unit of evidence. One source, one site, one door; how often does not count.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;

use relight_model::{Event, OrgId, SiteId, Timestamp};

use crate::decode::attempt;
use crate::lookup::Verdict;
use crate::pool::Print;
use crate::{catalogue, path_class, traversal};

pub(crate) mod wire;

/// Longest text of a contact that is kept, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 256;

/// What one event alone tells about a contact, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A lookup of a remote name that would have been made.
    Exploit,
    /// One that could not have worked.
    Attempt,
    /// A door of the probe catalogue.
    Probe,
    /// 400, 401, 403, 405 or 429.
    Refused,
    /// 404 or 410.
    NotFound,
    /// A host that is an address, or a name of no site that answers.
    Stray,
    /// A port at which nothing answers, or a firewall in its place.
    Dropped,
}

impl Kind {
    /// Every kind, strongest first.
    pub(crate) const ALL: [Self; 7] = [
        Self::Exploit,
        Self::Attempt,
        Self::Probe,
        Self::Refused,
        Self::NotFound,
        Self::Stray,
        Self::Dropped,
    ];
}

/// The class of a contact, final once all that is known was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// As [`Kind::Exploit`].
    Exploit,
    /// As [`Kind::Attempt`].
    Attempt,
    /// A door of the catalogue that only somebody opens who uses a known flaw.
    Flaw,
    /// As [`Kind::Probe`].
    Probe,
    /// Refused, from a source that is a stranger to the site.
    RefusedCold,
    /// Not found, from a source that is a stranger to the site.
    NotFoundCold,
    /// Refused, but the source uses the site, came from a page of it, or others are served there.
    RefusedWarm,
    /// Not found, but the source uses the site, came from a page of it, or the path was served.
    NotFoundWarm,
    /// A door of the catalogue that opens, day after day: its owner's.
    InUse,
    /// As [`Kind::Stray`].
    Stray,
    /// Dropped at a port at which others are not, from a source that is a stranger to the site.
    DroppedCold,
    /// As [`Kind::Stray`], but the host answers others, or it was asked again on another day.
    StrayKnown,
    /// Dropped, but the source uses the site, or the port answers others.
    DroppedWarm,
}

/// A contact that is made again after this long is no exploration, in seconds: a feed reader with
/// a dead feed, a monitor that is refused, staff at their own door.
pub(crate) const AGAIN_S: Timestamp = 20 * 3_600;

impl Class {
    /// Every class, strongest first.
    pub(crate) const ALL: [Self; 13] = [
        Self::Exploit,
        Self::Attempt,
        Self::Flaw,
        Self::Probe,
        Self::RefusedCold,
        Self::NotFoundCold,
        Self::RefusedWarm,
        Self::NotFoundWarm,
        Self::InUse,
        Self::Stray,
        Self::DroppedCold,
        Self::StrayKnown,
        Self::DroppedWarm,
    ];

    /// What is left of it when it was made again on another day, `served` at some time or never.
    pub(crate) const fn again(self, served: bool) -> Self {
        match self {
            Self::Flaw | Self::Probe if served => Self::InUse,
            Self::RefusedCold => Self::RefusedWarm,
            Self::NotFoundCold => Self::NotFoundWarm,
            Self::Stray => Self::StrayKnown,
            Self::DroppedCold => Self::DroppedWarm,
            class => class,
        }
    }

    /// What is left of it from an address that is at home at very many sites.
    pub(crate) const fn of_many(self) -> Self {
        match self {
            Self::RefusedCold => Self::RefusedWarm,
            Self::NotFoundCold => Self::NotFoundWarm,
            Self::DroppedCold => Self::DroppedWarm,
            class => class,
        }
    }

    /// Nobody makes such a contact by following a link.
    pub(crate) const fn is_strong(self) -> bool {
        matches!(self, Self::Exploit | Self::Attempt | Self::Flaw | Self::Probe)
    }

    /// A door of the catalogue.
    pub(crate) const fn is_door(self) -> bool {
        matches!(self, Self::Flaw | Self::Probe)
    }

    /// A page that a stranger did not get.
    pub(crate) const fn is_page(self) -> bool {
        matches!(self, Self::RefusedCold | Self::NotFoundCold)
    }

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exploit => "exploit",
            Self::Attempt => "attempt",
            Self::Flaw => "flaw",
            Self::Probe => "probe",
            Self::RefusedCold => "refused-cold",
            Self::NotFoundCold => "not-found-cold",
            Self::RefusedWarm => "refused-warm",
            Self::NotFoundWarm => "not-found-warm",
            Self::InUse => "in-use",
            Self::Stray => "stray-host",
            Self::DroppedCold => "dropped-cold",
            Self::StrayKnown => "stray-host-known",
            Self::DroppedWarm => "dropped-warm",
        }
    }

    /// Evidence for reconnaissance at all.
    pub(crate) const fn counts(self) -> bool {
        !matches!(
            self,
            Self::RefusedWarm
                | Self::NotFoundWarm
                | Self::InUse
                | Self::StrayKnown
                | Self::DroppedWarm
        )
    }

    /// From what an event told and whether the source is at home there.
    pub(crate) const fn of(kind: Kind, warm: bool) -> Self {
        match (kind, warm) {
            (Kind::Exploit, _) => Self::Exploit,
            (Kind::Attempt, _) => Self::Attempt,
            (Kind::Probe, _) => Self::Probe,
            (Kind::Refused, false) => Self::RefusedCold,
            (Kind::Refused, true) => Self::RefusedWarm,
            (Kind::NotFound, false) => Self::NotFoundCold,
            (Kind::NotFound, true) => Self::NotFoundWarm,
            (Kind::Stray, false) => Self::Stray,
            (Kind::Stray, true) => Self::StrayKnown,
            (Kind::Dropped, false) => Self::DroppedCold,
            (Kind::Dropped, true) => Self::DroppedWarm,
        }
    }
}

/// A source at a site. The hash comes first, so that the order (which decides what stays at a
/// limit) favours nobody's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Visit {
    pub(crate) hash: u64,
    pub(crate) source: IpAddr,
    pub(crate) org: OrgId,
    pub(crate) site: Option<SiteId>,
}

impl Visit {
    /// Who and where, from an event.
    pub(crate) fn of(event: &Event<'_>) -> Self {
        Self::new(subject(event.source), event.org, event.site)
    }

    /// With its hash.
    pub(crate) fn new(source: IpAddr, org: OrgId, site: Option<SiteId>) -> Self {
        Self { hash: Ground::new(org, site).visit(source), source, org, site }
    }

    /// From the first to the last contact that a window could hold of it.
    pub(crate) const fn contacts(self) -> RangeInclusive<ContactKey> {
        let first = ContactKey { visit: self, kind: Kind::Exploit, door: 0 };
        RangeInclusive::new(first, ContactKey { visit: self, kind: Kind::Dropped, door: u64::MAX })
    }

    /// The mark of "this path is served here".
    pub(crate) fn served(&self, path: u64) -> u64 {
        Ground::new(self.org, self.site).served(path)
    }
}

/// A place, to mark what happens there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground(path_class::Hasher);

impl Ground {
    pub(crate) fn new(org: OrgId, site: Option<SiteId>) -> Self {
        let site = site.map_or(u64::from(u32::MAX), |site| u64::from(site.0));
        let mut hasher = path_class::Hasher::new();
        hasher.number(u64::from(org.0) << 32 | site);
        Self(hasher)
    }

    /// The hash of a visit of a subject.
    pub(crate) fn visit(self, source: IpAddr) -> u64 {
        let Self(mut hasher) = self;
        match source {
            IpAddr::V4(address) => hasher.number(u64::from(u32::from(address))),
            IpAddr::V6(address) => {
                address.octets().into_iter().for_each(|byte| hasher.byte(byte));
            }
        }
        hasher.finish()
    }

    /// The mark of "this path is served here".
    pub(crate) fn served(self, path: u64) -> u64 {
        let Self(mut hasher) = self;
        hasher.number(path);
        hasher.finish()
    }
}

/// Who is judged: an IPv4 address, or the /64 of an IPv6 address, because whoever has one
/// address of it has all of them.
pub(crate) fn subject(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

/// One contact in the order of a window: by visit, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContactKey {
    pub(crate) visit: Visit,
    pub(crate) kind: Kind,
    /// Hash of the path class, of the catalogue entry, or of the callback.
    pub(crate) door: u64,
}

/// What is known about a contact. Every part is a minimum, a maximum or an or.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Time, status, text and client of the first event.
    pub(crate) first: (Timestamp, u16, String, Print),
    /// Time of the last event.
    pub(crate) last: Timestamp,
    /// Some event came from a page of the same site.
    pub(crate) in_site: bool,
    /// Some event was answered.
    pub(crate) served: bool,
}

impl Facts {
    /// Adds what another window knows.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.first < self.first {
            self.first = other.first.clone();
        }
        self.last = self.last.max(other.last);
        self.in_site |= other.in_site;
        self.served |= other.served;
    }
}

/// What an event is: ordinary use of a path, contacts, or neither.
#[derive(Debug)]
pub(crate) enum Observed {
    /// Served to an ordinary visitor; the hash of the path class.
    Ordinary(u64),
    /// A host or a port that answers; its hash.
    Open(u64),
    /// A contact, and one more when a payload came through a door of the catalogue.
    Contact(Knock, Option<Knock>),
    /// Nothing that counts.
    Neither,
}

/// One contact: its kind, its door and the text to keep.
#[derive(Debug)]
pub(crate) struct Knock {
    pub(crate) kind: Kind,
    pub(crate) door: u64,
    pub(crate) text: String,
}

impl Knock {
    /// With the text cut.
    pub(crate) fn new(kind: Kind, door: u64, text: &str) -> Self {
        Self { kind, door, text: cut(text) }
    }
}

/// Classifies one event; ordinary ones cost no allocation.
pub(crate) fn observe(event: &Event<'_>) -> Observed {
    let payload = payload(event);
    let path = path_class::normalised(event.path);
    let entry = catalogue::matched(event, &path);
    let probe = entry.map(|it| Knock::new(Kind::Probe, path_class::hash(&it.id), &path));
    let knock = match (payload, probe) {
        (Some(payload), probe) => return Observed::Contact(payload, probe),
        (None, Some(probe)) => Some(probe),
        (None, None) => {
            let undone = matches!(path, Cow::Owned(_)).then_some(&*path);
            traversal::climbed(event, undone).map(|text| {
                let text = cut(traversal::kept(&text));
                Knock { kind: Kind::Attempt, door: traversal::door(&text), text }
            })
        }
    };
    if let Some(knock) = knock {
        return Observed::Contact(knock, None);
    }
    if wire::is_connection(event) {
        return wire::connection(event);
    }
    if let Some(knock) = wire::stray(event) {
        return Observed::Contact(knock, None);
    }
    let kind = match answer(event.status) {
        Answer::Served => return Observed::Ordinary(path_class::hash(&path)),
        Answer::Denied(kind) => kind,
        Answer::Other => return Observed::Neither,
    };
    if catalogue::is_conventional(&path) {
        return Observed::Neither;
    }
    Observed::Contact(Knock::new(kind, path_class::hash(&path), &path), None)
}

/// What became of a request that holds nothing odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An ordinary use of the path.
    Served,
    /// A contact, where the path is none that software asks for unasked.
    Denied(Kind),
    /// Nothing that counts.
    Other,
}

/// By its status.
pub(crate) const fn answer(status: u16) -> Answer {
    match status {
        200..=399 => Answer::Served,
        400 | 401 | 403 | 405 | 429 => Answer::Denied(Kind::Refused),
        404 | 410 => Answer::Denied(Kind::NotFound),
        _ => Answer::Other,
    }
}

/// A lookup in the event.
fn payload(event: &Event<'_>) -> Option<Knock> {
    let found = attempt(event)?;
    let kind = match found.verdict {
        Verdict::EffectiveRemote => Kind::Exploit,
        Verdict::Attempt(_) => Kind::Attempt,
        // Applications log such names themselves.
        Verdict::EffectiveLocal | Verdict::Benign => return None,
    };
    let last_step = found.steps.last().cloned().unwrap_or_default();
    let text = if found.key.is_empty() { last_step } else { found.key };
    Some(Knock::new(kind, path_class::exact_hash(&text), &text))
}

/// The referer names the host that was asked.
pub(crate) fn is_in_site(host: &str, referer: &str) -> bool {
    let referer = referer.split_once("://").map_or("", |(_, rest)| rest);
    let named = referer.split(['/', ':', '?']).next().unwrap_or_default();
    !named.is_empty() && named.eq_ignore_ascii_case(host)
}

/// As much of a text as a contact keeps.
pub(crate) fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests;
