//! Which parts of a site a request belongs to: each has a gate of its own.

use std::borrow::Cow;
use std::net::IpAddr;

use hyper::Method;
use relight_model::{GateKey, READING_METHODS, SitePart};

use super::headers::Peer;
use super::table::Site;
use crate::ServerError;

/// A part and its key.
#[derive(Debug)]
pub(super) struct PartGate {
    key: GateKey,
    part: SitePart,
}

impl PartGate {
    pub(super) fn new(site: &GateKey, part: SitePart) -> Result<Self, ServerError> {
        let key = part.key(site).map_err(ServerError::new)?;
        Ok(Self { key, part })
    }

    /// The key of its gate.
    pub(super) const fn key(&self) -> &GateKey {
        &self.key
    }

    fn holds(&self, client: IpAddr, method: &Method, path: &str) -> bool {
        match &self.part {
            SitePart::Section { path: section, .. } => is_within(path, section),
            SitePart::Internet => !is_internal(client),
            SitePart::Write => !READING_METHODS.contains(&method.as_str()),
        }
    }
}

/// The keys that have to be open for a request: that of the site first, which wins.
pub(super) fn keys_of<'a>(
    site: &'a Site,
    peer: Peer,
    method: &Method,
    path: &str,
) -> Cow<'a, [GateKey]> {
    let own = std::slice::from_ref(&site.key);
    let (Peer::Public(client), false) = (peer, site.parts.is_empty()) else {
        return Cow::Borrowed(own);
    };
    let parts = site.parts.iter().filter(|part| part.holds(client, method, path));
    Cow::Owned(own.iter().chain(parts.map(PartGate::key)).cloned().collect())
}

/// Whether an origin may read a path as one below a section, however it is spelled: slashes
/// doubled, other case, parameters of segments. What cannot be told apart counts as within.
fn is_within(path: &str, section: &str) -> bool {
    let Some(decoded) = decoded(path) else { return true };
    let segments = decoded.split(['/', '\\']);
    let plain = segments.map(|segment| segment.split(';').next().unwrap_or(segment));
    let segments: Vec<&str> = plain.filter(|segment| !segment.is_empty()).collect();
    if segments.iter().any(|segment| matches!(*segment, "." | "..")) {
        return true;
    }
    let wanted: Vec<&str> = section.split('/').skip(1).collect();
    let pairs = segments.iter().zip(&wanted);
    segments.len() >= wanted.len() && pairs.into_iter().all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Without percent signs; none where a second decoding would give something else again, or where
/// it is no text.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).ok()?);
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(['%', '\0'])).then_some(text)
}

/// Whether an address is in one of [`relight_model::INTERNAL_RANGES`].
fn is_internal(client: IpAddr) -> bool {
    match client.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use relight_model::INTERNAL_RANGES;

    use super::*;

    #[test]
    fn every_spelling_of_a_section_is_within_it_and_nothing_else() {
        for inside in [
            "/fr/booking",
            "/fr/booking/",
            "/fr/booking/a/b",
            "//fr///booking",
            "/FR/Booking",
            "/fr/%62ooking",
            "/fr%2fbooking",
            "/fr\\booking",
            "/fr%5Cbooking",
            "/fr;a=b/booking;session=1",
            "/x/../fr/booking",
            "/./fr/booking",
            "/x/%2e%2E/y",
            "/x/..;/fr/booking",
            "/;x/fr/booking",
            "/fr/;/;x=y//booking/a",
            "/%2562ooking",
            "/%",
            "/%zz",
            "/%ff",
            "/a%00b",
        ] {
            assert!(is_within(inside, "/fr/booking"), "{inside}");
        }
        for outside in
            ["/", "/fr", "/fr/bookings", "/fr/book", "/booking", "/x/fr/booking", "/fr/b/booking"]
        {
            assert!(!is_within(outside, "/fr/booking"), "{outside}");
        }
    }

    /// An address by its number, of as many bits; one of IPv4 as IPv6 sees it.
    fn address(bits: u32, number: u128) -> IpAddr {
        match bits {
            32 => {
                let v4 = Ipv4Addr::from_bits(u32::try_from(number).unwrap());
                IpAddr::V6(v4.to_ipv6_mapped())
            }
            _ => IpAddr::V6(Ipv6Addr::from_bits(number)),
        }
    }

    /// The first and the last address of a range, and their neighbours outside of it.
    fn ends(range: &str) -> ([IpAddr; 2], [IpAddr; 2]) {
        let (start, length) = range.split_once('/').unwrap();
        let length: u32 = length.parse().unwrap();
        let (bits, first) = match start.parse::<IpAddr>().unwrap() {
            IpAddr::V4(v4) => (32, u128::from(v4.to_bits())),
            IpAddr::V6(v6) => (128, v6.to_bits()),
        };
        let last = first + ((1 << (bits - length)) - 1);
        let at = |number| address(bits, number);
        ([at(first), at(last)], [at(first - 1), at(last + 1)])
    }

    #[test]
    fn only_addresses_of_the_internet_are_visitors_from_it() {
        for range in INTERNAL_RANGES {
            let ([first, last], [before, after]) = ends(range);
            for internal in [first, last] {
                assert!(is_internal(internal), "{range}: {internal}");
                assert!(is_internal(internal.to_canonical()), "{range}: {internal}");
            }
            for outside in [before, after] {
                assert!(!is_internal(outside), "{range}: {outside}");
            }
        }
        for outside in ["8.8.8.8", "172.32.0.1", "192.169.0.1", "100.64.0.1", "2001:db8::1"] {
            assert!(!is_internal(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn what_changes_nothing_is_no_writing() {
        let part = PartGate::new(&GateKey::new("a").unwrap(), SitePart::Write).unwrap();
        let client = IpAddr::from([8, 8, 8, 8]);
        for (method, is_writing) in [
            ("GET", false),
            ("HEAD", false),
            ("OPTIONS", false),
            ("POST", true),
            ("PROPFIND", true),
            ("get", true),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(part.holds(client, &method, "/"), is_writing, "{method}");
        }
    }
}
