//! Answers to browsers: security headers, assets, addresses.

use std::error::Error;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use relight_web::assets;

/// The console's policy: nothing inline, nothing from elsewhere, text never becomes markup. Who
/// tries is told of to [`crate::console::reports`].
pub(crate) const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'; report-uri /policy-reports";

/// The public page's policy: a style sheet, and one module that looks for names in one file.
pub(crate) const PUBLIC_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; \
    frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// What the console tells of where somebody comes from: nothing to anybody else. With
/// `no-referrer`, browsers would hide from us as well that a form comes from our own page
/// (`Origin: null`).
pub(crate) const CONSOLE_REFERRER: &str = "same-origin";

/// The public page has no forms.
pub(crate) const PUBLIC_REFERRER: &str = "no-referrer";

/// Adds the headers that every answer carries, unless its handler has set them; pages are never
/// stored.
pub(crate) fn secure(
    mut response: Response,
    policy: &'static str,
    referrer: &'static str,
) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, referrer),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A rendered page. A template that fails to render is a bug, and says so with status 500.
pub(crate) fn html(status: StatusCode, page: Result<String, impl Error>) -> Response {
    match page {
        Ok(text) => {
            (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `/assets/{name}`: the name holds a digest, so the content never changes.
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = assets::find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", asset.name);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let status =
        if known == Some(etag.as_str()) { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let body = if status == StatusCode::OK { Body::from(asset.text) } else { Body::empty() };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type.to_owned()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, etag),
    ];
    (status, headers, body).into_response()
}

/// Percent-encodes text for one value of a query or one segment of a path (RFC 3986, 2.3).
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encoded() {
        assert_eq!(encode("public-safety"), "public-safety");
        assert_eq!(encode("a&b=é #"), "a%26b%3D%C3%A9%20%23");
    }

    #[test]
    fn policies_allow_nothing_unsafe() {
        for policy in [CONSOLE_POLICY, PUBLIC_POLICY] {
            assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"));
            assert!(!policy.contains('\n') && !policy.contains("  "), "{policy}");
            // The public page is files, and asks for nothing that could not be one.
            let reports = format!("report-uri {}", crate::console::reports::PATH);
            assert_eq!(policy.contains(&reports), policy == CONSOLE_POLICY);
        }
    }
}
