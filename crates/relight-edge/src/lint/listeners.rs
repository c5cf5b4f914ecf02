//! Addresses at which a configuration serves sites, against those that the edge is registered with:
//! nobody looks at the others, and dark is proven without them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::{Found, Served, WARNING};

/// Addresses that a configuration listens at and that are not registered, each once. What is only
/// reached from the machine itself, and what cannot be read, is not among them.
pub fn unregistered(sites: &[Served], registered: &[SocketAddr]) -> Vec<Found> {
    let (mut found, mut told) = (Vec::new(), BTreeSet::new());
    if registered.is_empty() {
        return found;
    }
    for site in sites {
        for text in site.listen.iter().flat_map(|it| it.split(',')) {
            let Some(written) = Written::parse(text) else { continue };
            if !written.is_among(registered) && told.insert(text) {
                found.push(Found {
                    file: site.file.clone(),
                    line: site.line,
                    code: "listener-unregistered",
                    severity: WARNING,
                    what: text.to_owned(),
                });
            }
        }
    }
    found
}

/// An address as a configuration has it: of one interface, or of every one of a family.
#[derive(Debug, PartialEq, Eq)]
enum Written {
    One(SocketAddr),
    Every { is_v6: bool, port: u16 },
}

impl Written {
    fn parse(text: &str) -> Option<Self> {
        let text = ["http://", "https://", "ipv4@", "ipv6@"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .unwrap_or(text);
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let port: u16 = port.parse().ok()?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let every = |is_v6| Some(Self::Every { is_v6, port });
        match bare.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() => None,
            Ok(ip) if ip.is_unspecified() => every(ip.is_ipv6()),
            Ok(ip) => Some(Self::One(SocketAddr::new(ip, port))),
            Err(_) if bare.contains(['/', '@', '$']) || bare == "localhost" => None,
            // A name, or nothing: whatever the machine has of the older family.
            Err(_) => every(false),
        }
    }

    fn is_among(&self, registered: &[SocketAddr]) -> bool {
        registered.iter().any(|it| match self {
            Self::One(address) => it == address,
            Self::Every { is_v6, port } => {
                let is_mapped = |ip: Ipv6Addr| ip.to_ipv4_mapped().is_some();
                let is_six = matches!(it.ip(), IpAddr::V6(ip) if !is_mapped(ip));
                it.port() == *port && is_six == *is_v6
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(listen: &[&str], registered: &[&str]) -> Vec<String> {
        let listen = listen.iter().map(|it| (*it).to_owned()).collect();
        let site = Served { listen, ..Served::default() };
        let registered: Vec<SocketAddr> = registered.iter().map(|it| it.parse().unwrap()).collect();
        unregistered(&[site.clone(), site], &registered).into_iter().map(|it| it.what).collect()
    }

    #[test]
    fn what_nobody_looks_at_is_named_once() {
        let one = ["192.0.2.1:80"];
        assert_eq!(told(&["80", "[::]:443"], &one), ["[::]:443"]);
        assert_eq!(told(&["*:80", ":443", "192.0.2.2:80"], &one), [":443", "192.0.2.2:80"]);
        assert_eq!(told(&["80", "[::]:80"], &one), ["[::]:80"], "the other family");
        let both = ["192.0.2.1:80", "[2001:db8::1]:443"];
        assert_eq!(told(&["80", "[::]:443", ":::443"], &both), Vec::<String>::new());
        assert_eq!(told(&[":80,:443"], &one), [":443"]);
        assert_eq!(
            told(&["http://a.example:8080", "https://a.example"], &one),
            ["http://a.example:8080"]
        );
    }

    #[test]
    fn what_only_the_machine_reaches_or_nobody_can_read_is_not() {
        let inside = ["unix:/run/verify.sock", "127.0.0.1:8081", "[::1]:81", "localhost:82"];
        assert_eq!(told(&inside, &["192.0.2.1:80"]), Vec::<String>::new());
        let unread = ["unix@/run/x", "/run/x.sock", "$port", "80-90", "", "a.example"];
        assert_eq!(told(&unread, &["192.0.2.1:80"]), Vec::<String>::new());
        assert_eq!(told(&["80"], &[]), Vec::<String>::new(), "an edge without listeners");
    }
}
