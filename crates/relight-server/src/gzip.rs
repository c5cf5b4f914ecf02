//! Compresses answers for browsers that say they can read it (RFC 9110, 8.4 and 12.5.3).

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Body as _;

/// Shorter answers gain nothing, in bytes.
const BYTES_MIN: u64 = 600;

/// Longer answers are sent as they are, so that one of them never holds a thread, in bytes.
const BYTES_MAX: u64 = 8 << 20;

/// Fast: a page is made for one reader, and level 6 saves another 4 % only.
const LEVEL: u32 = 4;

/// Compresses the answer when the request allows it and its type gains by it.
pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let accepted = accepts(request.headers());
    let mut response = next.run(request).await;
    if !is_text(response.headers()) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let size = response.body().size_hint().exact();
    let fits = size.is_some_and(|size| (BYTES_MIN..=BYTES_MAX).contains(&size));
    if accepted && fits && response.status() == StatusCode::OK {
        return compressed(response).await;
    }
    response
}

async fn compressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let limit = usize::try_from(BYTES_MAX).unwrap_or(usize::MAX);
    let Ok(plain) = to_bytes(body, limit).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::new(LEVEL));
    match encoder.write_all(&plain).and_then(|()| encoder.finish()) {
        Ok(packed) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Body::from(packed))
        }
        // Writing to memory does not fail; if it did, the plain answer is right as well.
        Err(_) => Response::from_parts(parts, Body::from(plain)),
    }
}

/// Whether `Accept-Encoding` names gzip with a weight above 0.
fn accepts(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|item| {
        let (name, rest) = item.split_once(';').unwrap_or((item, ""));
        let weight = rest.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Texts gain; an event stream is never held back.
fn is_text(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media.is_some_and(|media| {
        let texts = ["text/", "application/json", "application/feed", "application/atom"];
        let texts = texts.iter().any(|start| media.starts_with(start));
        (texts || media.starts_with("application/ld")) && !media.starts_with("text/event-stream")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_accepts() {
        for (value, wanted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip, deflate, br, zstd", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("gzip;q=x", false),
            ("br", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts(&headers), wanted, "{value}");
        }
        assert!(!accepts(&HeaderMap::new()));
    }

    #[test]
    fn streams_and_pictures_stay_as_they_are() {
        for (media, wanted) in [
            ("text/html; charset=utf-8", true),
            ("application/json", true),
            ("application/atom+xml; charset=utf-8", true),
            ("text/event-stream", false),
            ("image/png", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
            assert_eq!(is_text(&headers), wanted, "{media}");
        }
    }
}
