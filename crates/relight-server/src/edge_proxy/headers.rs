//! Header rules of an intermediary: RFC 9110 7.6, and the names that belong to the gate.

use std::net::IpAddr;

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, Entry, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};

/// Set by the edge on the holding page only; removed from what origins send.
pub(super) const GATE: HeaderName = HeaderName::from_static("x-relight-gate");
/// Set by the verification path only; removed from what clients send.
pub(super) const VERIFY: HeaderName = HeaderName::from_static("x-relight-verify");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// A client of a public listener.
    Public(IpAddr),
    /// A tester on the verification path.
    Verify,
}

/// Makes the headers of a client's request those of a request to the origin.
pub(super) fn to_origin(headers: &mut HeaderMap, peer: Peer, host: HeaderValue) {
    remove_hop_by_hop(headers);
    remove_underscored(headers);
    headers.remove(GATE);
    headers.remove(VERIFY);
    match peer {
        Peer::Public(address) => append_to_list(headers, FORWARDED_FOR, &address.to_string()),
        Peer::Verify => {
            headers.insert(VERIFY, HeaderValue::from_static("1"));
        }
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(FORWARDED_HOST, host.clone());
    headers.insert(HOST, host);
    append_to_list(headers, VIA, "1.1 relight");
}

/// Makes the headers of an origin's response those of a response to the client.
pub(super) fn to_client(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    headers.remove(GATE);
    append_to_list(headers, VIA, "1.1 relight");
}

/// Removes what is meant for one connection only, the fields that `Connection` lists included.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .collect();
    for name in listed {
        headers.remove(name);
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        // RFC 9112 6.3: with both, the length is not the length.
        headers.remove(CONTENT_LENGTH);
    }
    for name in [
        CONNECTION,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ] {
        headers.remove(name);
    }
}

/// Removes names with `_`: CGI and its heirs read `X_Forwarded_For` as `X-Forwarded-For`, so a
/// client could speak in the edge's name.
fn remove_underscored(headers: &mut HeaderMap) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().contains('_')).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Whether a request asks for a WebSocket, or a 101 response grants one.
///
/// No other protocol is let through, as if the edge did not know it (RFC 9110 7.8): in an `h2c`
/// tunnel of a lit site a client could ask the same origin for a dark one.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    let mut connection = tokens(headers, &CONNECTION);
    connection.any(|token| token.eq_ignore_ascii_case("upgrade"))
        && headers.get_all(UPGRADE).iter().count() == 1
        && headers[UPGRADE].as_bytes().eq_ignore_ascii_case(b"websocket")
}

/// Asks for, or grants, a WebSocket on this connection.
pub(super) fn set_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// Appends to a list field, keeping what was there as one field (RFC 9110 5.3).
fn append_to_list(headers: &mut HeaderMap, name: HeaderName, item: &str) {
    let before: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
    let mut list = before.join(&b", "[..]);
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(item.as_bytes());
    let Ok(value) = HeaderValue::from_bytes(&list) else { return };
    match headers.entry(name) {
        Entry::Occupied(mut entry) => drop(entry.insert_mult(value)),
        Entry::Vacant(entry) => drop(entry.insert(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn text(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_request_loses_what_was_for_the_edge_alone() {
        let mut headers = map(&[
            ("Host", "evil.qc"),
            ("Connection", "keep-alive, X-Secret"),
            ("Connection", "host, x-forwarded-for"),
            ("X-Secret", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "close"),
            ("Proxy-Authorization", "Basic x"),
            ("TE", "trailers"),
            ("Trailer", "X-Sum"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "5"),
            ("Upgrade", "h2c"),
            ("X-Relight-Verify", "1"),
            ("X-Relight-Gate", "dark=1"),
            ("X-Forwarded-Proto", "https"),
            ("X_Forwarded_For", "192.0.2.1"),
            ("Accept", "text/html"),
        ]);
        let host = HeaderValue::from_static("a.qc");
        to_origin(&mut headers, Peer::Public([10, 0, 0, 1].into()), host);
        assert_eq!(
            text(&headers),
            [
                "accept: text/html",
                "host: a.qc",
                "via: 1.1 relight",
                "x-forwarded-for: 10.0.0.1",
                "x-forwarded-host: a.qc",
                "x-forwarded-proto: http",
            ]
        );
    }

    #[test]
    fn the_verification_path_marks_and_lists_grow() {
        let fields = [("Via", "1.0 a"), ("Via", "1.1 b"), ("X-Relight-Verify", "forged")];
        let mut headers = map(&fields);
        to_origin(&mut headers, Peer::Verify, HeaderValue::from_static("a.qc"));
        assert_eq!(headers["x-relight-verify"], "1");
        assert_eq!(headers["via"], "1.0 a, 1.1 b, 1.1 relight");
        assert!(!headers.contains_key("x-forwarded-for"));
        let mut headers = map(&[("X-Forwarded-For", "1.2.3.4")]);
        let peer = Peer::Public([10, 0, 0, 1].into());
        to_origin(&mut headers, peer, HeaderValue::from_static("a.qc"));
        assert_eq!(headers["x-forwarded-for"], "1.2.3.4, 10.0.0.1");
    }

    #[test]
    fn a_response_cannot_claim_to_be_a_holding_page() {
        let mut headers = map(&[
            ("X-Relight-Gate", "dark=1; site=a"),
            ("Connection", "X-Trace, close"),
            ("X-Trace", "1"),
            ("Content-Type", "text/html"),
        ]);
        to_client(&mut headers);
        assert_eq!(text(&headers), ["content-type: text/html", "via: 1.1 relight"]);
    }

    #[test]
    fn only_a_websocket_is_an_upgrade() {
        for (connection, protocol, granted) in [
            ("keep-alive, Upgrade", "websocket", true),
            ("upgrade", "WebSocket", true),
            ("upgrade", "h2c", false),
            ("upgrade", "h2c, websocket", false),
            ("keep-alive", "websocket", false),
        ] {
            let headers = map(&[("Connection", connection), ("Upgrade", protocol)]);
            assert_eq!(is_websocket(&headers), granted, "{connection} {protocol}");
        }
        assert!(!is_websocket(&map(&[("Connection", "upgrade")])));
        let two = [("Connection", "upgrade"), ("Upgrade", "websocket"), ("Upgrade", "h2c")];
        assert!(!is_websocket(&map(&two)));
    }
}
