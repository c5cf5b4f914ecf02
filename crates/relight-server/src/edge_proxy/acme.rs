//! Answers ACME challenges (RFC 8555 8.3) from a directory, whatever the gate says.
//!
//! Nothing below the challenge path is ever proxied: a proxied challenge would hand headers of an
//! attacker's choice to the very origin that the gate protects.

use std::fs;
use std::path::Path;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::answer::{ResponseBody, own, plain};

/// Every path that starts with this belongs to the edge.
pub(super) const PREFIX: &str = "/.well-known/acme-challenge/";
/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 255;
/// Longest key authorization, in bytes.
const ANSWER_BYTES_MAX: u64 = 4 * 1024;

/// The answer to a request for `path`, which starts with [`PREFIX`].
pub(super) fn answer(folder: &Path, method: &Method, path: &str) -> Response<ResponseBody> {
    if method != Method::GET && method != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED);
    }
    let token = path.strip_prefix(PREFIX).filter(|token| is_token(token));
    match token.and_then(|token| read(folder, token)) {
        None => plain(StatusCode::NOT_FOUND),
        Some(bytes) => {
            let mut response = own(StatusCode::OK, bytes);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            response
        }
    }
}

fn is_token(token: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !token.is_empty() && token.len() <= TOKEN_BYTES_MAX && token.bytes().all(allowed)
}

fn read(folder: &Path, token: &str) -> Option<Vec<u8>> {
    let path = folder.join(token);
    let found = fs::symlink_metadata(&path).ok()?;
    if !found.is_file() || found.len() > ANSWER_BYTES_MAX {
        return None;
    }
    fs::read(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_plain_files_named_by_a_token() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token_-1"), "token.key").unwrap();
        fs::write(folder.path().join("large"), vec![b'x'; 4 * 1024 + 1]).unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        fs::write(folder.path().join("x.txt"), "").unwrap();
        let long = "a".repeat(TOKEN_BYTES_MAX + 1);
        for (method, token, status) in [
            (Method::GET, "token_-1", 200),
            (Method::HEAD, "token_-1", 200),
            (Method::POST, "token_-1", 405),
            (Method::GET, "none", 404),
            (Method::GET, "large", 404),
            (Method::GET, "folder", 404),
            (Method::GET, "x.txt", 404),
            (Method::GET, "", 404),
            (Method::GET, "../token_-1", 404),
            (Method::GET, &long, 404),
        ] {
            let got = answer(folder.path(), &method, &format!("{PREFIX}{token}"));
            assert_eq!(got.status(), status, "{method} {token}");
        }
    }
}
