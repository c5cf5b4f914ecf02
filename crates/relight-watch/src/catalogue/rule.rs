//! What a request must be like to be the one of an entry.

use crate::decode::decoded;
use crate::path_class::normalised;

/// Shortest needle, in bytes: a shorter one is found in every other path.
const NEEDLE_BYTES_MIN: usize = 4;

/// Shortest query of an entry without a path, in bytes.
const QUERY_BYTES_MIN: usize = 8;

/// Where in the path the needle must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The whole path, with or without a slash at the end.
    Exact,
    /// At the start, up to the end of a segment.
    Prefix,
    /// At the start, whatever follows.
    Start,
    /// At the end.
    Suffix,
    /// A whole segment, anywhere.
    Segment,
}

impl Place {
    /// The needle found from `start` to `end` stands there.
    pub(crate) fn stands(self, path: &str, start: usize, end: usize) -> bool {
        let bytes = path.as_bytes();
        let whole =
            || bytes[end - 1] == b'/' || bytes.get(end).is_none_or(|next| b"/.;".contains(next));
        match self {
            Self::Exact => start == 0 && matches!(&bytes[end..], [] | [b'/']),
            Self::Prefix => start == 0 && whole(),
            Self::Start => start == 0,
            Self::Suffix => end == bytes.len(),
            Self::Segment => {
                let after = bytes.get(end).is_none_or(|next| *next == b'/');
                start > 0 && bytes[start - 1] == b'/' && after
            }
        }
    }
}

/// See the head of the file. Texts are in lower case, but for the method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) path: Option<(Place, String)>,
    /// Something more that the path holds.
    pub(crate) holds: Option<String>,
    /// Something that the query holds, unescaped.
    pub(crate) query: Option<String>,
    pub(crate) method: Option<String>,
    /// Something that the captured headers hold.
    pub(crate) header: Option<String>,
}

/// The parts of a request that entries look at, as logs carry them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a str,
}

impl<'a> Request<'a> {
    /// `[METHOD ]/path[?query]`, as entries give their examples.
    pub(crate) fn parse(text: &'a str) -> Self {
        let (method, target) = match text.split_once(' ') {
            Some((method, target)) if !method.starts_with('/') => (method, target),
            _ => ("", text),
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method, path, query, headers: "" }
    }
}

impl Rule {
    /// Whether it can be an entry.
    ///
    /// # Errors
    /// What is wrong, as a stable code, and the text that is meant.
    pub(crate) fn check(&self) -> Result<(), (&'static str, &str)> {
        let path = self.path.as_ref().map(|(_, needle)| needle.as_str());
        let texts = [path, self.holds.as_deref(), self.query.as_deref(), self.header.as_deref()];
        for text in texts.into_iter().flatten() {
            if text.chars().any(char::is_uppercase) {
                return Err(("catalogue-case", text));
            }
            if text.len() < NEEDLE_BYTES_MIN {
                return Err(("catalogue-short", text));
            }
        }
        match (path, self.query.as_deref()) {
            (None, None) => Err(("catalogue-no-match", "")),
            (None, Some(query)) if query.len() < QUERY_BYTES_MIN => Err(("catalogue-short", query)),
            _ => Ok(()),
        }
    }

    /// How much is asked beyond the path.
    pub(crate) fn conditions(&self) -> usize {
        let more = [&self.holds, &self.query, &self.method, &self.header];
        more.into_iter().filter(|condition| condition.is_some()).count()
    }

    /// A path alone decides.
    pub(crate) fn is_path_only(&self) -> bool {
        self.path.is_some()
            && self.query.is_none()
            && self.method.is_none()
            && self.header.is_none()
    }

    /// Everything beyond the place of the needle. `path` is normalised.
    pub(crate) fn holds_for(&self, path: &str, request: &Request<'_>) -> bool {
        let within = |text: &str, needle: &String| text.to_lowercase().contains(needle.as_str());
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(request.method))
            && self.holds.as_ref().is_none_or(|needle| within(path, needle))
            && self.query.as_ref().is_none_or(|needle| within(&decoded(request.query), needle))
            && self.header.as_ref().is_none_or(|needle| within(&decoded(request.headers), needle))
    }

    /// The whole rule, for one request as its example is written.
    pub(crate) fn matches_request(&self, request: &Request<'_>) -> bool {
        let path = normalised(request.path);
        let lower = path.to_lowercase();
        let stands = self.path.as_ref().is_none_or(|(place, needle)| {
            let mut found = lower.match_indices(needle.as_str());
            found.any(|(start, text)| place.stands(&lower, start, start + text.len()))
        });
        stands && self.holds_for(&path, request)
    }
}
