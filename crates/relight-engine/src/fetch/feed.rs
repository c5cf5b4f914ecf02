//! What is fetched, from where and how often: a list that the operator makes, kept in the register.
//! Nothing is on it by itself.

use relight_model::Timestamp;
use relight_store::{Settings, Store, StoreError};
use serde::{Deserialize, Serialize};
use ureq::http::Uri;

use super::state::{self, FeedState, held_until};

/// The setting that holds the list.
const KEY: &str = "feeds";

/// Most feeds of one register.
pub const FEEDS_MAX: usize = 500;

/// Longest name or address of a feed, in bytes.
pub(super) const FEED_TEXT_BYTES_MAX: usize = 500;

/// Shortest time between two looks at one feed, in seconds: publishers shut out who asks more.
pub const PERIOD_S_MIN: i64 = 300;

/// Longest time between two looks at one feed, in seconds.
pub const PERIOD_S_MAX: i64 = 7 * 86_400;

const QUARTER_S: i64 = 900;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;

/// The whole CVE list, of which the delta log tells the changes.
const CVE_WHOLE: &str = "https://github.com/CVEProject/cvelistV5/archive/refs/heads/main.zip";

/// Feeds that are known by a name alone: name, kind, address, and seconds between two looks.
const READY: [(&str, FeedKind, &str, i64); 5] = [
    (
        "cve",
        FeedKind::Cve,
        "https://raw.githubusercontent.com/CVEProject/cvelistV5/main/cves/deltaLog.json",
        QUARTER_S,
    ),
    ("debian", FeedKind::File, "https://security-tracker.debian.org/tracker/data/json", HOUR_S),
    (
        "epss",
        FeedKind::File,
        "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
        DAY_S,
    ),
    (
        "kev",
        FeedKind::File,
        "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
        QUARTER_S,
    ),
    ("nvd", FeedKind::Nvd, "https://nvd.nist.gov/feeds/json/cve/2.0", 2 * HOUR_S),
];

/// Where the exports of OSV are, one folder an ecosystem.
const OSV: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Where the lists of Alpine are, one folder a branch.
const ALPINE: &str = "https://secdb.alpinelinux.org";

/// The names of feeds for people: those that are known by a name, and how the others begin.
pub const READY_NAMES: [&str; 8] =
    ["alpine/vN.NN", "csaf/DOMAIN", "cve", "debian", "epss", "kev", "nvd", "osv/ECOSYSTEM"];

/// How a feed is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    /// One document or archive, in any form that an import reads.
    File,
    /// An export of OSV: the address is that of the folder with `all.zip` and `modified_id.csv`.
    Osv,
    /// The CVE list: the address is that of `deltaLog.json`.
    Cve,
    /// The files of NVD: the address is that of the folder with one file a year and one of what
    /// was modified last.
    Nvd,
    /// A provider of CSAF: the address is that of `provider-metadata.json`, `changes.csv` or a
    /// ROLIE feed.
    Csaf,
    /// A branch of Alpine: the address is that of the folder with `main.json`.
    Alpine,
}

impl FeedKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::File, Self::Osv, Self::Cve, Self::Nvd, Self::Csaf, Self::Alpine];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Osv => "osv",
            Self::Cve => "cve",
            Self::Nvd => "nvd",
            Self::Csaf => "csaf",
            Self::Alpine => "alpine",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// By which people know it.
    pub name: String,
    /// How it is published.
    pub kind: FeedKind,
    /// Where.
    pub url: String,
    /// Where the whole list of the CVE programme is, as an archive, if it is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Seconds between two looks.
    pub period_s: i64,
}

/// Why a feed cannot be on the list: a stable code, and the text that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedFault {
    /// `feed-unknown`, `feed-name`, `feed-address`, `feed-period`, `feed-twice`, `feed-too-many`.
    pub code: &'static str,
    /// What is wrong.
    pub word: String,
}

impl Feed {
    /// A feed that is known by its name: one of [`READY_NAMES`].
    pub fn ready(name: &str) -> Option<Self> {
        let feed = |kind: FeedKind, url: String, period_s| {
            let whole = (kind == FeedKind::Cve).then(|| CVE_WHOLE.to_owned());
            Some(Self { name: name.into(), kind, url, whole, period_s })
        };
        if let Some((_, kind, url, period_s)) = READY.iter().find(|it| it.0 == name) {
            return feed(*kind, (*url).to_owned(), *period_s);
        }
        let (family, rest) = name.split_once('/').filter(|(_, rest)| !rest.is_empty())?;
        let is_host =
            |text: &str| text.bytes().all(|it| it.is_ascii_alphanumeric() || b".-".contains(&it));
        match family {
            "osv" => feed(FeedKind::Osv, format!("{OSV}/{}", encoded(rest)), HOUR_S),
            "alpine" if is_host(rest) => feed(FeedKind::Alpine, format!("{ALPINE}/{rest}"), HOUR_S),
            "csaf" if is_host(rest) => {
                let url = format!("https://{rest}/.well-known/csaf/provider-metadata.json");
                feed(FeedKind::Csaf, url, HOUR_S)
            }
            _ => None,
        }
    }

    /// The machine that is asked, with its port: one feed at a time asks it.
    pub fn host(&self) -> String {
        host_of(&self.url)
    }

    /// Whether an address is on the machine of the feed.
    pub(super) fn is_same_host(&self, url: &str) -> bool {
        !self.host().is_empty() && host_of(url) == self.host()
    }

    /// The formats in which it speaks. A provider of CSAF must not withdraw what others publish;
    /// only a file without a known name may be of any form, as one that somebody carries here.
    pub(super) fn formats(&self) -> &'static [&'static str] {
        match (self.kind, self.name.as_str()) {
            (FeedKind::Osv, _) => &["osv"],
            (FeedKind::Cve, _) => &["cve"],
            (FeedKind::Nvd, _) => &["nvd"],
            (FeedKind::Csaf, _) => &["csaf"],
            (FeedKind::Alpine, _) => &["alpine_secdb"],
            (FeedKind::File, "debian") => &["debian_tracker"],
            (FeedKind::File, "epss") => &["epss"],
            (FeedKind::File, "kev") => &["kev"],
            (FeedKind::File, _) => &[],
        }
    }

    /// Where the whole list is, beside the list of changes.
    pub(super) fn whole_url(&self) -> Option<String> {
        match self.kind {
            FeedKind::Osv => Some(format!("{}/all.zip", self.url.trim_end_matches('/'))),
            _ => self.whole.clone(),
        }
    }

    /// Checks every word of it.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), FeedFault> {
        let fault = |code, word: String| Err(FeedFault { code, word });
        let is_name = !self.name.is_empty()
            && self.name.len() <= FEED_TEXT_BYTES_MAX
            && !self.name.starts_with('-')
            && !self.name.chars().any(char::is_control);
        if !is_name {
            return fault("feed-name", self.name.clone());
        }
        if let Some(url) = [&self.url].into_iter().chain(&self.whole).find(|url| !is_asked(url)) {
            return fault("feed-address", url.clone());
        }
        if !(PERIOD_S_MIN..=PERIOD_S_MAX).contains(&self.period_s) {
            return fault("feed-period", self.period_s.to_string());
        }
        Ok(())
    }
}

/// Whether an address may be asked: over TLS, or in plain text on this machine, where a mirror may
/// stand. Whoever sits on the way of plain text could write advisories.
pub(super) fn is_asked(url: &str) -> bool {
    let Some(uri) = url.parse::<Uri>().ok().filter(|_| url.len() <= FEED_TEXT_BYTES_MAX) else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let is_clean = !authority.as_str().contains('@') && !url.contains('#');
    is_clean && (scheme == "https" || scheme == "http" && is_loopback(authority.host()))
}

fn host_of(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    uri.and_then(|uri| Some(uri.authority()?.as_str().to_ascii_lowercase())).unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The letters of a name that mean something else in an address, encoded.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The feeds of a register, by name.
///
/// # Errors
/// The store cannot be read, or the list is not understood.
pub fn feeds(store: &Store) -> Result<Vec<Feed>, StoreError> {
    parse(store.meta_get(KEY)?)
}

/// As [`feeds`], while nobody else can change the list.
pub(super) fn listed(settings: &Settings<'_>) -> Result<Vec<Feed>, StoreError> {
    parse(settings.get(KEY)?)
}

fn parse(text: Option<String>) -> Result<Vec<Feed>, StoreError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(&text)
        .map_err(|error| StoreError::not_understood(format!("reading the list of feeds: {error}")))
}

/// The feeds at which it is time to look, those that wait longest first.
///
/// # Errors
/// The store cannot be read, or the list is not understood.
pub fn due_feeds(store: &Store, now: Timestamp) -> Result<Vec<Feed>, StoreError> {
    let mut due = Vec::new();
    for feed in feeds(store)? {
        let state = FeedState::read(store, &feed.name)?;
        if state.is_due(now) && held_until(store, &feed, now)?.is_none() {
            due.push((state.due_at, feed));
        }
    }
    due.sort_by_key(|(at, _)| *at);
    Ok(due.into_iter().map(|(_, feed)| feed).collect())
}

/// Puts a feed on the list. It is read from its beginning, whatever was noted under its name: a
/// look at a feed that was taken away meanwhile, or put on the list again, notes nothing any more.
///
/// # Errors
/// It has a fault, which is returned inside; or the store cannot be read or written.
pub fn add_feed(store: &Store, feed: Feed) -> Result<Result<(), FeedFault>, StoreError> {
    store.settings(|settings| {
        let mut all = listed(settings)?;
        let checked = feed.check().and_then(|()| match all.len() {
            _ if all.iter().any(|it| it.name == feed.name) => {
                Err(FeedFault { code: "feed-twice", word: feed.name.clone() })
            }
            FEEDS_MAX.. => Err(FeedFault { code: "feed-too-many", word: FEEDS_MAX.to_string() }),
            _ => Ok(()),
        });
        if checked.is_ok() {
            state::begin(settings, &feed.name)?;
            all.push(feed);
            all.sort_by(|a, b| a.name.cmp(&b.name));
            put(settings, &all)?;
        }
        Ok(checked)
    })
}

/// Takes a feed off the list, and forgets how far it was read; what it brought stays. `false` when
/// it is not on it.
///
/// # Errors
/// The store cannot be read or written.
pub fn remove_feed(store: &Store, name: &str) -> Result<bool, StoreError> {
    store.settings(|settings| {
        let mut all = listed(settings)?;
        let before = all.len();
        all.retain(|feed| feed.name != name);
        let is_there = all.len() < before;
        if is_there {
            put(settings, &all)?;
            state::forget(settings, name)?;
        }
        Ok(is_there)
    })
}

fn put(settings: &Settings<'_>, feeds: &[Feed]) -> Result<(), StoreError> {
    settings.put(KEY, &serde_json::json!(feeds).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(name: &str, url: &str) -> Feed {
        let (kind, whole) = (FeedKind::File, None);
        Feed { name: name.into(), kind, url: url.into(), whole, period_s: HOUR_S }
    }

    #[test]
    fn ready_feeds_are_whole_and_each_kind_is_read_back() {
        let names =
            ["cve", "debian", "epss", "kev", "nvd", "osv/Maven", "alpine/v3.20", "csaf/a.example"];
        for name in names {
            let feed = Feed::ready(name).unwrap();
            assert_eq!((feed.check(), &feed.name[..]), (Ok(()), name));
            assert!(feed.url.starts_with("https://"), "{}", feed.url);
        }
        let of = |name: &str| Feed::ready(name).map(|it| it.url);
        assert_eq!(of("osv/Red Hat"), Some(format!("{OSV}/Red%20Hat")));
        assert_eq!(of("osv/../x"), Some(format!("{OSV}/..%2Fx")));
        for unknown in ["", "osv", "osv/", "csaf/a.example/x", "alpine/a@b", "nothing"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
        for kind in FeedKind::ALL {
            assert_eq!(FeedKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
    }

    #[test]
    fn feeds_of_a_kind_speak_in_formats_that_there_are() {
        let all: Vec<_> = relight_formats::advisory::ADVISORY_FORMATS.iter().collect();
        for name in
            ["cve", "debian", "epss", "kev", "nvd", "osv/Maven", "alpine/v3.20", "csaf/a.example"]
        {
            let formats = Feed::ready(name).unwrap().formats();
            assert_eq!(formats.len(), 1, "{name}");
            assert!(formats.iter().all(|format| all.iter().any(|it| it.name() == *format)));
        }
        assert!(feed("mine", "https://feeds.example/a").formats().is_empty());
    }

    #[test]
    fn plain_text_is_asked_on_this_machine_only() {
        for (url, is_asked) in [
            ("https://feeds.example/a.json", true),
            ("https://feeds.example:8443/a", true),
            ("http://127.0.0.1:8000/a.json", true),
            ("http://[::1]:8000/a.json", true),
            ("http://localhost/a.json", true),
            ("http://feeds.example/a.json", false),
            ("http://localhost.example/a.json", false),
            ("http://10.0.0.1/a.json", false),
            ("https://somebody:secret@feeds.example/", false),
            ("https://feeds.example/a#b", false),
            ("file:///etc/passwd", false),
            ("ftp://feeds.example/a", false),
            ("feeds.example/a.json", false),
            ("", false),
        ] {
            let fault = feed("a", url).check().map_err(|it| it.code);
            assert_eq!(fault, if is_asked { Ok(()) } else { Err("feed-address") }, "{url}");
        }
        assert_eq!(feed("a", "https://Feeds.example:8443/x").host(), "feeds.example:8443");
    }

    #[test]
    fn the_list_is_kept_in_order_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let add = |feed: Feed| add_feed(&store, feed).unwrap().map_err(|fault| fault.code);
        let url = "https://feeds.example/a";
        assert_eq!(add(feed("b", url)), Ok(()));
        assert_eq!(add(feed("a", url)), Ok(()));
        assert_eq!(add(feed("a", url)), Err("feed-twice"));
        assert_eq!(add(feed("", url)), Err("feed-name"));
        assert_eq!(add(feed("--accept", url)), Err("feed-name"));
        let long = "x".repeat(FEED_TEXT_BYTES_MAX + 1);
        assert_eq!(add(feed(&long, url)), Err("feed-name"));
        assert_eq!(add(feed("c", &format!("https://feeds.example/{long}"))), Err("feed-address"));
        for (period_s, is_good) in [
            (PERIOD_S_MIN - 1, false),
            (PERIOD_S_MIN, true),
            (PERIOD_S_MAX, true),
            (PERIOD_S_MAX + 1, false),
        ] {
            assert_eq!(Feed { period_s, ..feed("c", url) }.check().is_ok(), is_good);
        }
        let names: Vec<_> = feeds(&store).unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(remove_feed(&store, "a").unwrap() && !remove_feed(&store, "a").unwrap());
        let many: Vec<_> = (0..FEEDS_MAX).map(|at| feed(&at.to_string(), url)).collect();
        store.settings(|settings| put(settings, &many)).unwrap();
        assert_eq!(add(feed("z", url)), Err("feed-too-many"));
        store.meta_put(KEY, "{").unwrap();
        assert!(feeds(&store).is_err());
    }
}
