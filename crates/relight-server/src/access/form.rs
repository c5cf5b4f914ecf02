//! Forms that change something: only from our own pages, only from who got them, only small, and
//! only from somebody who does not keep us waiting.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, StatusCode};
use serde::de::DeserializeOwned;

use super::signed_in::SignedIn;
use super::{Address, Door};
use crate::console::Console;

/// Longest form, in bytes.
pub const FORM_BYTES_MAX: usize = 64 << 10;

/// Longest time in which a form must have come, in seconds.
pub const FORM_S_MAX: u64 = 10;

/// Whether a request that may change something comes from one of our own pages. Browsers say so in
/// two ways; a request that says neither is no form of ours. Programs with a token say nothing
/// and cannot be led by a page, because no browser adds a token by itself.
pub(crate) fn is_own(method: &Method, headers: &HeaderMap, console: &Address) -> bool {
    if matches!(*method, Method::GET | Method::HEAD) {
        return true;
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let origin = text("origin").is_some_and(|origin| origin == console.origin);
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    origin && site
}

/// A form of somebody who is signed in, with the token that only its own pages hold. It refuses
/// with 401, 403, 408, 413 or 422.
pub(crate) struct SignedForm<T> {
    /// Who sent it.
    pub(crate) signed: SignedIn,
    /// What it says.
    pub(crate) form: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<Console>> for SignedForm<T> {
    type Rejection = StatusCode;

    async fn from_request(
        request: Request,
        console: &Arc<Console>,
    ) -> Result<Self, Self::Rejection> {
        let signed = request.extensions().get::<SignedIn>().cloned();
        let signed = signed.ok_or(StatusCode::UNAUTHORIZED)?;
        let bytes = body(request.into_body()).await?;
        let form = read(&console.door, &signed, &bytes)?;
        Ok(Self { signed, form })
    }
}

/// The body of a form, within its limits.
async fn body(body: Body) -> Result<Vec<u8>, StatusCode> {
    let read = to_bytes(body, FORM_BYTES_MAX);
    match tokio::time::timeout(Duration::from_secs(FORM_S_MAX), read).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StatusCode> {
    serde_urlencoded::from_bytes(bytes).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)
}

fn read<T: DeserializeOwned>(
    door: &Door,
    signed: &SignedIn,
    bytes: &[u8],
) -> Result<T, StatusCode> {
    let fields: Vec<(String, String)> = parse(bytes)?;
    let mut tokens = fields.iter().filter(|(name, _)| name == "token");
    let is_ours = tokens.next().is_some_and(|(_, token)| door.is_form_token(signed, token));
    if !is_ours || tokens.next().is_some() {
        return Err(StatusCode::FORBIDDEN);
    }
    parse(bytes)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_our_own_pages_change_something() {
        let console = Address::parse("http://localhost:8420").unwrap();
        let own = ("origin", "http://localhost:8420");
        for (pairs, wanted) in [
            (vec![own], true),
            (vec![own, ("sec-fetch-site", "same-origin")], true),
            (vec![], false),
            (vec![("sec-fetch-site", "same-origin")], false),
            (vec![own, ("sec-fetch-site", "cross-site")], false),
            (vec![own, ("sec-fetch-site", "same-site")], false),
            (vec![own, ("sec-fetch-site", "none")], false),
            (vec![("origin", "null")], false),
            (vec![("origin", "http://localhost:8421")], false),
            (vec![("origin", "https://localhost:8420")], false),
            (vec![("origin", "http://localhost:8420.evil.example")], false),
        ] {
            let headers = headers(&pairs);
            assert_eq!(is_own(&Method::POST, &headers, &console), wanted, "{pairs:?}");
            assert_eq!(is_own(&Method::DELETE, &headers, &console), wanted, "{pairs:?}");
            assert!(is_own(&Method::GET, &headers, &console));
        }
    }
}
