//! Which host a request names, by RFC 9112 3.2 and 3.2.2, in one spelling.

use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Uri, Version};

/// Longest host name with its port, in bytes: 253 of a name (RFC 1035 2.3.4) and a port.
pub(crate) const HOST_BYTES_MAX: usize = 260;

/// The host of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Lower case, without port and trailing dot: the key of the host table.
    pub(crate) host: String,
    /// As the client wrote it: the value of `Host` towards the origin.
    pub(crate) as_sent: HeaderValue,
}

/// Why a request names no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostError {
    /// The request breaks the protocol: 400.
    Invalid,
    /// HTTP/1.0 without `Host`: allowed, and belongs to no site.
    Absent,
}

/// The host that a request names: an absolute URI wins over `Host`.
pub(crate) fn named(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Named, HostError> {
    let mut values = headers.get_all(HOST).iter();
    let header = values.next();
    if values.next().is_some() {
        return Err(HostError::Invalid);
    }
    let sent = match (uri.authority().map(Authority::as_str), header) {
        (_, None) if version >= Version::HTTP_11 => return Err(HostError::Invalid),
        (None, None) => return Err(HostError::Absent),
        (Some(authority), _) => authority,
        (None, Some(header)) => header.to_str().map_err(|_| HostError::Invalid)?,
    };
    let host = normal(sent).ok_or(HostError::Invalid)?;
    let as_sent = HeaderValue::from_str(sent).map_err(|_| HostError::Invalid)?;
    Ok(Named { host, as_sent })
}

/// The one spelling of `host[:port]`, under which a route is found; `None` when it is not a host.
pub fn normal(sent: &str) -> Option<String> {
    if sent.len() > HOST_BYTES_MAX {
        return None;
    }
    let (name, port) = match sent.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (&sent[..address.len() + 2], port.strip_prefix(':').or(port.is_empty().then_some(""))?)
        }
        None => sent.split_once(':').unwrap_or((sent, "")),
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.len() > 5 {
        return None;
    }
    let name = if name.starts_with('[') { name } else { label_text(name)? };
    Some(name.to_ascii_lowercase())
}

/// A registered name without its trailing dot; `None` when a byte or a label is not allowed.
fn label_text(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let labels = |label: &str| !label.is_empty() && label.bytes().all(allowed);
    name.split('.').all(labels).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_by(version: Version, uri: &str, hosts: &[&str]) -> Result<String, HostError> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        named(version, &uri.parse().unwrap(), &headers).map(|named| named.host)
    }

    #[test]
    fn every_spelling_of_a_host_is_one_host() {
        for sent in ["a.qc", "A.QC", "a.qc:80", "a.qc.", "A.qc.:8080", "a.qc:"] {
            assert_eq!(normal(sent).as_deref(), Some("a.qc"), "{sent}");
        }
        assert_eq!(normal("[::1]:80").as_deref(), Some("[::1]"));
        assert_eq!(normal("127.0.0.1:80").as_deref(), Some("127.0.0.1"));
    }

    #[test]
    fn what_is_no_host() {
        let long = "a".repeat(HOST_BYTES_MAX + 1);
        for sent in [
            "",
            ".",
            "a..b",
            ".a",
            "a b",
            "a/b",
            "u@a.qc",
            "a.qc:x",
            "a.qc:80:80",
            "a.qc..",
            "a.qc:123456",
            "[::1",
            "[x]",
            "[::1]x",
            "a%2eqc",
            "é.qc",
            "a\\b",
            &long,
        ] {
            assert_eq!(normal(sent), None, "{sent}");
        }
        assert!(normal(&"a".repeat(HOST_BYTES_MAX)).is_some());
    }

    #[test]
    fn the_uri_wins_and_doubles_are_refused() {
        let (one, zero) = (Version::HTTP_11, Version::HTTP_10);
        let host = |text: &str| Ok(text.to_owned());
        assert_eq!(named_by(one, "/", &["a.qc"]), host("a.qc"));
        assert_eq!(named_by(one, "http://b.qc/x", &["a.qc"]), host("b.qc"));
        assert_eq!(named_by(one, "http://b.qc/x", &[]), Err(HostError::Invalid));
        assert_eq!(named_by(one, "/", &[]), Err(HostError::Invalid));
        assert_eq!(named_by(zero, "/", &[]), Err(HostError::Absent));
        assert_eq!(named_by(zero, "/", &["a.qc"]), host("a.qc"));
        assert_eq!(named_by(one, "/", &["a.qc", "a.qc"]), Err(HostError::Invalid));
        assert_eq!(named_by(one, "/", &["\u{e9}.qc"]), Err(HostError::Invalid));
    }
}
