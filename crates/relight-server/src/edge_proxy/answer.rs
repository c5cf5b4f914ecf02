//! The bodies that the edge sends, and the short answers that it gives itself.

use bytes::Bytes;
use http_body_util::{Either, Empty, Full};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use super::drain::Streamed;

/// A response body: of the edge, or streamed from the origin.
pub(super) type ResponseBody = Either<Full<Bytes>, Streamed>;
/// A request body: none, or streamed from the client.
pub(super) type RequestBody = Either<Empty<Bytes>, Streamed>;

/// A response with this status and body, not to be stored.
pub(super) fn own(status: StatusCode, body: impl Into<Bytes>) -> Response<ResponseBody> {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The status and its standard phrase (RFC 9110 15) as plain text.
pub(super) fn plain(status: StatusCode) -> Response<ResponseBody> {
    let mut response = own(status, format!("{status}\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
