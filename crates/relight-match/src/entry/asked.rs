//! The version of a component, as records are asked about it.

use relight_model::Ecosystem;

use crate::key::Start;
use crate::opinion::Why;
use crate::version::{Version, scheme_of};

/// A version, read once to be asked about many times.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(super) version: Option<Version>,
    pub(super) canonical: Option<String>,
    pub(super) release: Option<String>,
}

impl Asked {
    pub(crate) fn new(ecosystem: &Ecosystem, text: &str) -> Self {
        let text = if *ecosystem == Ecosystem::RubyGems { without_platform(text) } else { text };
        let moves = *ecosystem == Ecosystem::GitHubActions && is_moving(text);
        let version = (!moves).then(|| Version::stated(scheme_of(ecosystem), text)).flatten();
        Self {
            text: text.to_owned(),
            canonical: version.as_ref().map(Version::canonical),
            release: version.as_ref().and_then(Version::canonical_release),
            version,
        }
    }

    /// See [`Version::start`].
    pub(crate) fn start(&self) -> Option<Start> {
        self.version.as_ref().and_then(Version::start)
    }

    /// Why it has no place in the order of its ecosystem.
    pub(super) fn unordered(&self) -> Why {
        if self.text.is_empty() { Why::VersionMissing } else { Why::VersionUnordered }
    }
}

/// Whether a tag of an action names no release: `v3` stands for whichever was the newest when the
/// workflow ran, so it is neither 3.0.0 nor outside of a range that begins later.
fn is_moving(tag: &str) -> bool {
    tag.split(['-', '+']).next().unwrap_or_default().split('.').count() < 3
}

/// A gem without the platform that it was built for: `1.13.8` of `1.13.8-x86_64-linux`. Ruby itself
/// keeps the two apart, and would read a platform in a version as the name of a pre-release.
fn without_platform(text: &str) -> &str {
    const SYSTEMS: [&str; 11] = [
        "aix",
        "cygwin",
        "darwin",
        "dragonfly",
        "freebsd",
        "linux",
        "mingw",
        "mswin",
        "netbsd",
        "openbsd",
        "solaris",
    ];
    let Some((version, rest)) = text.split_once('-') else { return text };
    let platform = rest.to_ascii_lowercase();
    let of_system = |word: &str| SYSTEMS.iter().any(|system| word.starts_with(system));
    let is_platform = matches!(&*platform, "java" | "jruby" | "x86" | "x64")
        || platform.starts_with("universal-")
        || platform.split('-').any(of_system);
    if is_platform { version } else { text }
}
