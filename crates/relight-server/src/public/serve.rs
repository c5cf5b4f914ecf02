//! Serves the files of the page: reading only, no cookie, no query, no endpoint.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use super::Generation;
use crate::{gzip, page};

/// Largest file that is served from a folder, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Where the files are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The newest generation of a publisher in this process.
    Memory(Arc<RwLock<Arc<Generation>>>),
    /// A folder that another process writes, or wrote while it lived.
    Folder(PathBuf),
}

impl Source {
    fn read(&self, path: &str) -> Option<Bytes> {
        match self {
            Self::Memory(files) => {
                files.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
            }
            Self::Folder(root) => read_file(&root.join(path)).ok(),
        }
    }
}

fn read_file(path: &Path) -> io::Result<Bytes> {
    let meta = fs::metadata(path)?;
    if !meta.is_file() || meta.len() > FILE_BYTES_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    fs::read(path).map(Bytes::from)
}

/// Every address of the public page.
pub(crate) fn router(source: Source) -> Router {
    Router::new()
        .fallback(file)
        .with_state(source)
        .layer(axum::middleware::from_fn(gzip::compress))
        .layer(axum::middleware::map_response(async |response: Response| {
            page::secure(response, page::PUBLIC_POLICY, page::PUBLIC_REFERRER)
        }))
}

async fn file(State(source): State<Source>, method: Method, uri: Uri) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let Some(path) = file_path(uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    match source.read(&path) {
        Some(bytes) => answer(&path, bytes),
        // As every web server does for the folder behind an address without its slash.
        None if source.read(&format!("{path}/index.html")).is_some() => {
            let to = [(header::LOCATION, format!("/{path}/"))];
            (StatusCode::MOVED_PERMANENTLY, to).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The file behind an address; `None` for what no file of ours is called, above all for ways
/// out of the folder.
fn file_path(address: &str) -> Option<String> {
    let path = address.strip_prefix('/')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segment = |text: &str| !text.starts_with('.') && text.bytes().all(plain);
    if !path.split('/').all(segment) || path.starts_with('/') || path.contains("//") {
        return None;
    }
    let folder = path.is_empty() || path.ends_with('/');
    Some(if folder { format!("{path}index.html") } else { path.to_owned() })
}

fn answer(path: &str, bytes: Bytes) -> Response {
    let (media_type, keep) = match path.rsplit('.').next().unwrap_or_default() {
        "html" => ("text/html; charset=utf-8", "public, max-age=10"),
        "css" => ("text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        "js" => ("text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        "csv" => ("text/csv; charset=utf-8; header=present", "public, max-age=10"),
        "atom" => ("application/atom+xml; charset=utf-8", "public, max-age=10"),
        "jsonld" => ("application/ld+json", "public, max-age=10"),
        _ if path.ends_with("feed.json") => ("application/feed+json", "public, max-age=10"),
        _ => ("application/json", "public, max-age=10"),
    };
    let mut response = Body::from(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if path.starts_with("api/") || path.ends_with(".json") || path.ends_with(".csv") {
        // Open data may be read by the pages of others.
        let anyone = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
        let cross = HeaderValue::from_static("cross-origin");
        headers.insert("cross-origin-resource-policy", cross);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_files_and_nothing_above_them() {
        for (address, path) in [
            ("/", Some("index.html")),
            ("/fr/", Some("fr/index.html")),
            ("/fr", Some("fr")),
            ("/sites.csv", Some("sites.csv")),
            ("/api/v2/summary.json", Some("api/v2/summary.json")),
            ("/../key", None),
            ("/fr/../../key", None),
            ("/.hidden", None),
            ("//etc/passwd", None),
            ("/fr//x", None),
            ("/%2e%2e/key", None),
            ("/a\\b", None),
            ("", None),
        ] {
            assert_eq!(file_path(address).as_deref(), path, "{address}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_or_a_folder_is_not_there() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("a")).unwrap();
        let big = fs::File::create(place.path().join("big")).unwrap();
        big.set_len(FILE_BYTES_MAX + 1).unwrap();
        fs::write(place.path().join("small"), "x").unwrap();
        let source = Source::Folder(place.path().to_owned());
        assert!(source.read("a").is_none() && source.read("big").is_none());
        assert_eq!(source.read("small").as_deref(), Some(&b"x"[..]));
    }
}
