//! The answers of a closed gate: the holding page, and the bare refusal.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use hyper::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, VARY,
};
use hyper::{Method, Response, StatusCode};
use relight_engine::edge::DRAINING;
use relight_engine::edge::holding_page::OF_SITES;
use relight_model::GateKey;

use super::answer::{ResponseBody, own};
use super::headers::GATE;
use crate::mix::mix;

/// Centre of `Retry-After`, in seconds.
const RETRY_AFTER_BASE: u64 = 3_600;
/// Spread of `Retry-After` to either side, in seconds: one fixed value would bring every client
/// back together.
const RETRY_AFTER_SPREAD: u64 = RETRY_AFTER_BASE / 10;

/// The answer of a gate that is closed, with the marker; `draw` is another number each time. While
/// visitors of before are still with the site, the marker does not prove that it is dark.
pub(super) fn dark(
    (folder, site): (&Path, &GateKey),
    (key, is_busy): (&GateKey, bool),
    method: &Method,
    headers: &HeaderMap,
    draw: u64,
) -> Response<ResponseBody> {
    let mut response = page((folder, site), method, headers);
    let dark = if is_busy { DRAINING } else { "1" };
    if let Ok(marker) = HeaderValue::try_from(format!("dark={dark}; site={key}")) {
        response.headers_mut().insert(GATE, marker);
    }
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after(draw)));
    response
}

/// The answer when the gate cannot be read: the page without the marker, so that it is never
/// taken for proven dark. It may be over in a moment, so it names no time to come back.
pub(super) fn unreadable(
    of: (&Path, &GateKey),
    method: &Method,
    headers: &HeaderMap,
) -> Response<ResponseBody> {
    page(of, method, headers)
}

/// The page of a site that has one of its own, else that of all.
fn page(
    (folder, site): (&Path, &GateKey),
    method: &Method,
    headers: &HeaderMap,
) -> Response<ResponseBody> {
    let (end, kind) = match wants_json(headers) {
        true => ("json", "application/problem+json"),
        false => ("html", "text/html; charset=utf-8"),
    };
    let readable = method == Method::GET || method == Method::HEAD;
    let its = || fs::read(folder.join(OF_SITES).join(format!("{site}.{end}")));
    let all = |_| fs::read(folder.join(format!("hold.{end}")));
    // A page that is missing must not light the site: the refusal is then empty.
    let body = if readable { its().or_else(all).unwrap_or_default() } else { Vec::new() };
    let length = body.len();
    let sent = if method == Method::HEAD { Bytes::new() } else { Bytes::from(body) };
    let mut response = own(StatusCode::SERVICE_UNAVAILABLE, sent);
    let fields = response.headers_mut();
    fields.insert(VARY, HeaderValue::from_static("Accept"));
    fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if length > 0 {
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

/// Seconds within 10 % of an hour, from any number.
const fn retry_after(draw: u64) -> u64 {
    RETRY_AFTER_BASE - RETRY_AFTER_SPREAD + mix(draw) % (2 * RETRY_AFTER_SPREAD + 1)
}

/// Whether the client would rather have JSON than HTML (RFC 9110 12.5.1); HTML when it is equal.
fn wants_json(headers: &HeaderMap) -> bool {
    let (mut json, mut html) = (0.0_f32, 0.0_f32);
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |text| text.parse().unwrap_or(0.0));
        match kind.as_str() {
            "application/json" | "application/problem+json" => json = json.max(quality),
            "text/html" | "application/xhtml+xml" => html = html.max(quality),
            _ => {}
        }
    }
    json > html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn html_unless_json_is_wanted_more() {
        for (accept, json) in [
            ("*/*", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("application/json", true),
            ("Application/Problem+JSON", true),
            ("application/json;q=0.5, text/html;q=0.9", false),
            ("application/json, text/html;q=0.9", true),
            ("application/json;q=0", false),
            ("application/json;q=x", false),
            ("text/html, application/json", false),
        ] {
            assert_eq!(wants_json(&accepting(accept)), json, "{accept}");
        }
        assert!(!wants_json(&HeaderMap::new()));
    }

    #[test]
    fn clients_come_back_spread_over_twelve_minutes() {
        let drawn: Vec<u64> = (0..1_000).map(retry_after).collect();
        assert!(drawn.iter().all(|seconds| (3_240..=3_960).contains(seconds)));
        assert!(drawn.iter().any(|&seconds| seconds < 3_280));
        assert!(drawn.iter().any(|&seconds| seconds > 3_920));
    }

    #[test]
    fn a_missing_page_is_still_a_refusal_with_its_marker() {
        let folder = tempfile::tempdir().unwrap();
        let key = GateKey::new("a").unwrap();
        let of = (folder.path(), &key);
        let got = dark(of, (&key, false), &Method::GET, &HeaderMap::new(), 0);
        assert_eq!(got.status(), 503);
        assert_eq!(got.headers()[GATE], "dark=1; site=a");
        assert_eq!(got.headers()[CONTENT_LENGTH], "0");
        let got = dark(of, (&key, true), &Method::GET, &HeaderMap::new(), 0);
        assert_eq!(got.status(), 503);
        assert_eq!(got.headers()[GATE], "dark=draining; site=a");
        let got = unreadable(of, &Method::GET, &HeaderMap::new());
        assert_eq!(got.status(), 503);
        assert!(!got.headers().contains_key(GATE));
    }
}
