//! Forms that change something: only from our own pages, only from who got them, only small, and
//! only from somebody who does not keep us waiting.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use relight_web::{Lang, texts};
use serde::de::DeserializeOwned;

use super::guard::refuse;
use super::refusals::because;
use super::signed_in::{Factor, SignedIn};
use super::{Address, Door};
use crate::console::Console;

/// Longest form, in bytes.
pub const FORM_BYTES_MAX: usize = 64 << 10;

/// Longest name of a browser that is kept, in bytes.
const AGENT_BYTES_MAX: usize = 200;

/// Longest time in which a form must have come, in seconds.
pub const FORM_S_MAX: u64 = 10;

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The address, as a text.
    pub(crate) address: String,
    /// What the browser calls itself.
    pub(crate) agent: String,
}

impl Sender {
    /// Reads it from a request. Behind a proxy that speaks TLS for us, the last address of
    /// `X-Forwarded-For` is the one that the proxy saw; what stands before it anybody can write.
    pub(crate) fn of(headers: &HeaderMap, peer: Option<IpAddr>, console: &Address) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let agent: String = text(header::USER_AGENT).unwrap_or_default().to_owned();
        let agent = agent.chars().filter(|sign| !sign.is_control()).collect::<String>();
        let forwarded = || {
            let values = headers.get_all("x-forwarded-for").iter().next_back()?;
            values.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
        };
        let address = if console.is_https() { forwarded().or(peer) } else { peer };
        Self {
            address: address.map(|address| address.to_string()).unwrap_or_default(),
            agent: cut(agent),
        }
    }
}

/// What one host can have many addresses of: of IPv6 the first 64 bits, which are one network.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// The same of an address as it is written down.
pub(crate) fn network(address: &str) -> String {
    match address.parse().map(network_of) {
        Ok(network @ IpAddr::V6(_)) => format!("{network}/64"),
        Ok(network @ IpAddr::V4(_)) => network.to_string(),
        Err(_) => address.to_owned(),
    }
}

fn cut(mut text: String) -> String {
    let end = text.floor_char_boundary(AGENT_BYTES_MAX);
    text.truncate(end);
    text
}

impl FromRequestParts<Arc<Console>> for Sender {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        Ok(Self::of(&parts.headers, peer, &console.door.address))
    }
}

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
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let signed = request.extensions().get::<SignedIn>().cloned();
        let signed = signed.ok_or_else(|| refused(StatusCode::UNAUTHORIZED))?;
        let bytes = body(request.into_body()).await.map_err(refused)?;
        let signed = console.door.as_now(&signed);
        let signed = signed.ok_or_else(|| refused(StatusCode::UNAUTHORIZED))?;
        let form = read(&console.door, &signed, &bytes).map_err(refused)?;
        Ok(Self { signed, form })
    }
}

/// A form of somebody who is not signed in: it has no token, and its handler looks at what it says.
pub(crate) struct OpenForm<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Console>> for OpenForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &Arc<Console>) -> Result<Self, Response> {
        let bytes = body(request.into_body()).await.map_err(refused)?;
        parse(&bytes).map(Self).map_err(refused)
    }
}

/// What a form was refused for, in words.
fn refused(status: StatusCode) -> Response {
    let (text, code): (fn(Lang) -> &'static str, _) = match status {
        StatusCode::UNAUTHORIZED => (texts::door_not_signed_in, "not-signed-in"),
        StatusCode::FORBIDDEN => (texts::door_foreign_form, "foreign-form"),
        StatusCode::PAYLOAD_TOO_LARGE => (texts::door_form_too_large, "form-too-large"),
        StatusCode::REQUEST_TIMEOUT => (texts::door_form_too_slow, "form-too-slow"),
        _ => (texts::door_form_incomplete, "form-incomplete"),
    };
    because(refuse(status, text), code)
}

/// The body of a form, within its limits.
async fn body(body: Body) -> Result<Vec<u8>, StatusCode> {
    body_within(body, FORM_BYTES_MAX, Duration::from_secs(FORM_S_MAX)).await
}

/// A body of at most so many bytes that came in time; else 413 or 408.
pub(crate) async fn body_within(
    body: Body,
    bytes_max: usize,
    most: Duration,
) -> Result<Vec<u8>, StatusCode> {
    match tokio::time::timeout(most, to_bytes(body, bytes_max)).await {
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
    // No browser adds a token of the programming interface by itself.
    if signed.factor == Factor::Token {
        return parse(bytes);
    }
    let fields: Vec<(String, String)> = parse(bytes)?;
    let mut tokens = fields.iter().filter(|(name, _)| name == "token");
    let is_ours = tokens.next().is_some_and(|(_, token)| door.is_form_token(signed, token));
    if !is_ours || tokens.next().is_some() {
        return Err(StatusCode::FORBIDDEN);
    }
    parse(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
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

    #[test]
    fn addresses_behind_a_proxy_are_believed_only_where_there_is_one() {
        let peer = "127.0.0.1".parse().ok();
        let sent = headers(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7"), ("user-agent", "A\tB")]);
        let of = |url: &str, sent: &HeaderMap| {
            Sender::of(sent, peer, &Address::parse(url).unwrap()).address
        };
        assert_eq!(of("http://localhost:8420", &sent), "127.0.0.1");
        assert_eq!(of("https://relight.example", &sent), "192.0.2.7");
        let odd = headers(&[("x-forwarded-for", "192.0.2.7, <script>")]);
        assert_eq!(of("https://relight.example", &odd), "127.0.0.1");
        let sender = Sender::of(&sent, None, &Address::parse("https://a.example").unwrap());
        assert_eq!(sender.agent, "AB");
        let long = headers(&[("user-agent", &"x".repeat(AGENT_BYTES_MAX + 1))]);
        let sender = Sender::of(&long, None, &Address::parse("https://a.example").unwrap());
        assert_eq!(sender.agent.len(), AGENT_BYTES_MAX);
    }

    /// A client that sends a little and then nothing more.
    pub(crate) struct Slow(pub(crate) Option<bytes::Bytes>);

    impl hyper::body::Body for Slow {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<bytes::Bytes>, Self::Error>>>
        {
            match self.0.take() {
                Some(bytes) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes)))),
                None => std::task::Poll::Pending,
            }
        }
    }

    #[test]
    fn a_form_that_is_slow_or_long_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let read = |body: Body, most| runtime.block_on(body_within(body, FORM_BYTES_MAX, most));
        let (soon, long) = (Duration::from_millis(10), Duration::from_secs(FORM_S_MAX));
        let slow = Slow(Some(bytes::Bytes::from_static(b"token=")));
        assert_eq!(read(Body::new(slow), soon), Err(StatusCode::REQUEST_TIMEOUT));
        let of = |length: usize| Body::from("x".repeat(length));
        assert_eq!(read(of(FORM_BYTES_MAX), long).map(|bytes| bytes.len()), Ok(FORM_BYTES_MAX));
        assert_eq!(read(of(FORM_BYTES_MAX + 1), long), Err(StatusCode::PAYLOAD_TOO_LARGE));
    }
}
