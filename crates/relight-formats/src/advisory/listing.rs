//! Lists of what changed, as publishers of advisories keep them: OSV's `modified_id.csv`, the delta
//! log of CVE, `changes.csv` and ROLIE feeds of CSAF.
//!
//! A list names documents; where they are is told by the address of the list, wherever its form
//! says so, and not by the list: whoever can write a line must not choose whom we ask.

use std::collections::BTreeMap;

use relight_model::Timestamp;
use serde_json::Value;

use crate::time;

/// Largest list, in bytes.
pub const LISTING_BYTES_MAX: u64 = 256 << 20;

/// Most documents that one list may name.
pub const LISTED_MAX: usize = 4_000_000;

/// Longest id or address in a list, in bytes.
pub const LISTED_TEXT_BYTES_MAX: usize = 2_048;

/// Most lists that one provider of CSAF may name.
pub const LISTINGS_MAX: usize = 100;

/// Longest example of an entry that cannot be used, in characters.
const EXAMPLE_CHARS_MAX: usize = 120;

/// The form of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingForm {
    /// `2024-08-15T00:05:00Z,GHSA-…`, a line a record; the record is beside the list.
    OsvModified,
    /// `deltaLog.json` of the CVE list; records are in folders by year and thousand beside it.
    CveDeltaLog,
    /// `"2024/a.json","2024-08-15T00:05:00Z"`, a line a document, with its path beside the list.
    CsafChanges,
    /// A ROLIE feed (RFC 8322) in JSON, whose entries hold addresses.
    Rolie,
}

/// One document that a list names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// When it changed, by the list.
    pub at: Timestamp,
    /// What the list calls it.
    pub id: String,
    /// Where it is.
    pub url: String,
}

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The documents, each once, oldest change first.
    pub entries: Vec<Listed>,
    /// Entries that cannot be used.
    pub refused: usize,
    /// The first of them, cut to a line.
    pub example: String,
}

/// Reads a list that lies at `url`.
///
/// # Errors
/// It is not of this form at all, names more than [`LISTED_MAX`] documents or holds more entries
/// than that that cannot be used, or none that can be used among some that cannot.
pub fn read_listing(form: ListingForm, url: &str, bytes: &[u8]) -> Result<Listing, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (newest, refused, example) = (BTreeMap::new(), 0, String::new());
    let mut reading = Reading { folder: folder(url), newest, refused, example };
    match form {
        ListingForm::OsvModified => reading.lines(bytes, osv_line)?,
        ListingForm::CsafChanges => reading.lines(bytes, changes_line)?,
        ListingForm::CveDeltaLog => reading.delta_log(&json(bytes)?)?,
        ListingForm::Rolie => reading.rolie(&json(bytes)?)?,
    }
    reading.end()
}

/// The lists that the metadata of a provider of CSAF names (`provider-metadata.json`): its ROLIE
/// feeds of what anybody may read, or its folders where it has no such feed.
///
/// # Errors
/// It is no such document, or names no list or more than [`LISTINGS_MAX`].
pub fn provider_listings(bytes: &[u8]) -> Result<Vec<(ListingForm, String)>, String> {
    let document = json(bytes)?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let (mut feeds, mut folders) = (Vec::new(), Vec::new());
    for distribution in list(&document, "distributions") {
        for feed in list(&distribution["rolie"], "feeds") {
            let is_open = matches!(feed["tlp_label"].as_str(), None | Some("WHITE" | "CLEAR"));
            let url = feed["url"].as_str().filter(|url| is_open && is_short(url));
            feeds.extend(url.map(|url| (ListingForm::Rolie, url.to_owned())));
        }
        if let Some(folder) = distribution["directory_url"].as_str().filter(|url| is_short(url)) {
            let url = format!("{}/changes.csv", folder.trim_end_matches('/'));
            folders.push((ListingForm::CsafChanges, url));
        }
    }
    let found = if feeds.is_empty() { folders } else { feeds };
    match found.len() {
        0 => Err("names neither a feed nor a folder".to_owned()),
        1..=LISTINGS_MAX => Ok(found),
        count => Err(format!("names {count} lists, more than {LISTINGS_MAX}")),
    }
}

struct Reading<'a> {
    /// The address of the folder of the list, without a slash at its end.
    folder: &'a str,
    /// By id: several lines may name one document, and the newest one counts.
    newest: BTreeMap<String, (Timestamp, String)>,
    /// How many cannot be used: a hostile list is made of nothing else.
    refused: usize,
    /// The first of them, cut to a line.
    example: String,
}

/// One line in its parts: when, and id or path.
type Line = Option<(Timestamp, String, String)>;

impl Reading<'_> {
    fn lines(&mut self, bytes: &[u8], read: fn(&str, &str) -> Line) -> Result<(), String> {
        for line in bytes.split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            match read(line, self.folder) {
                Some(entry) => self.add(entry)?,
                None => self.refuse(line)?,
            }
        }
        Ok(())
    }

    fn delta_log(&mut self, document: &Value) -> Result<(), String> {
        let steps = document.as_array().ok_or("is no list of changes")?;
        for step in steps {
            for kind in ["new", "updated"] {
                for change in step[kind].as_array().into_iter().flatten() {
                    match cve_change(change, self.folder) {
                        Some(entry) => self.add(entry)?,
                        None => self.refuse(&change.to_string())?,
                    }
                }
            }
        }
        Ok(())
    }

    fn rolie(&mut self, document: &Value) -> Result<(), String> {
        let entries = document["feed"]["entry"].as_array();
        for entry in entries.ok_or("is no ROLIE feed")? {
            match rolie_entry(entry) {
                Some(entry) => self.add(entry)?,
                None => self.refuse(&entry["id"].to_string())?,
            }
        }
        Ok(())
    }

    fn add(&mut self, (at, id, url): (Timestamp, String, String)) -> Result<(), String> {
        let known = self.newest.get(&id).is_some_and(|(before, _)| *before >= at);
        if !known {
            self.newest.insert(id, (at, url));
        }
        if self.newest.len() > LISTED_MAX {
            return Err(format!("names more than {LISTED_MAX} documents"));
        }
        Ok(())
    }

    fn refuse(&mut self, entry: &str) -> Result<(), String> {
        if self.refused == 0 {
            self.example = entry.chars().take(EXAMPLE_CHARS_MAX).collect();
        }
        self.refused += 1;
        if self.refused > LISTED_MAX {
            return Err(format!("holds more than {LISTED_MAX} entries that cannot be used"));
        }
        Ok(())
    }

    fn end(self) -> Result<Listing, String> {
        let Self { refused, example, .. } = self;
        if self.newest.is_empty() && refused > 0 {
            return Err(format!("holds no entry that can be used: {example}"));
        }
        let entries = self.newest.into_iter().map(|(id, (at, url))| Listed { at, id, url });
        let mut entries: Vec<_> = entries.collect();
        entries.sort();
        Ok(Listing { entries, refused, example })
    }
}

fn osv_line(line: &str, folder: &str) -> Line {
    let (at, id) = line.split_once(',')?;
    let is_id = is_short(id) && !id.starts_with('.') && id.bytes().all(is_plain);
    let url = format!("{folder}/{id}.json");
    Some((time::parse(at)?, id.to_owned(), url)).filter(|_| is_id)
}

fn changes_line(line: &str, folder: &str) -> Line {
    let (path, at) = line.rsplit_once(',')?;
    let path = path.trim().trim_matches('"');
    let is_inside = is_short(path)
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && path.bytes().all(|byte| is_plain(byte) || byte == b'/');
    let at = time::parse_lenient(at.trim().trim_matches('"'))?;
    Some((at, path.to_owned(), format!("{folder}/{path}"))).filter(|_| is_inside)
}

/// `{"cveId": "CVE-2024-12345", "dateUpdated": …}` lies in `2024/12xxx/`.
fn cve_change(change: &Value, folder: &str) -> Line {
    let id = change["cveId"].as_str()?;
    let at = time::parse_lenient(change["dateUpdated"].as_str()?)?;
    let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
    let is_number = |text: &str, least: usize| {
        (least..=19).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit())
    };
    let is_id = is_number(year, 4) && year.len() == 4 && is_number(number, 4);
    let thousand = number.get(..number.len().checked_sub(3)?)?;
    Some((at, id.to_owned(), format!("{folder}/{year}/{thousand}xxx/{id}.json"))).filter(|_| is_id)
}

fn rolie_entry(entry: &Value) -> Line {
    let id = entry["id"].as_str().filter(|id| is_short(id))?;
    let at = time::parse_lenient(entry["updated"].as_str()?)?;
    let mut links = entry["link"].as_array().into_iter().flatten();
    let own = links.find(|link| link["rel"] == "self").and_then(|link| link["href"].as_str());
    let url = entry["content"]["src"].as_str().or(own).filter(|url| is_short(url))?;
    Some((at, id.to_owned(), url.to_owned()))
}

/// The letters that ids and paths are made of, and that mean nothing else in an address.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':' | b'+')
}

const fn is_short(text: &str) -> bool {
    !text.is_empty() && text.len() <= LISTED_TEXT_BYTES_MAX
}

fn folder(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(folder, _)| folder)
}

fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("is no JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://feeds.example/osv/Maven/list";

    /// The entries as text, or why there are none.
    fn read(form: ListingForm, text: &str) -> String {
        match read_listing(form, URL, text.as_bytes()) {
            Err(why) => format!("error: {why}\n"),
            Ok(Listing { entries, refused, example }) => {
                let line = |it: &Listed| format!("{} {} {}\n", time::format(it.at), it.id, it.url);
                let lines: String = entries.iter().map(line).collect();
                let rest = format!("refused {refused}: {example}\n");
                if refused > 0 { lines + &rest } else { lines }
            }
        }
    }

    #[test]
    fn the_list_of_osv_gives_each_record_once_oldest_first() {
        let text = "2024-08-15T00:05:00.123456Z,GHSA-b\r\n2024-08-14T00:00:00Z,RHSA-2024:1\n\
                    2024-08-13T00:00:00Z,GHSA-b\n";
        assert_eq!(
            read(ListingForm::OsvModified, text),
            "2024-08-14T00:00:00Z RHSA-2024:1 https://feeds.example/osv/Maven/RHSA-2024:1.json\n\
             2024-08-15T00:05:00Z GHSA-b https://feeds.example/osv/Maven/GHSA-b.json\n"
        );
        assert_eq!(read(ListingForm::OsvModified, ""), "");
    }

    #[test]
    fn a_line_cannot_choose_whom_we_ask() {
        for bad in [
            "2024-08-15T00:05:00Z,../../secret",
            "2024-08-15T00:05:00Z,https://elsewhere.example/x",
            "2024-08-15T00:05:00Z,a?b",
            "2024-08-15T00:05:00Z,..",
            "2024-08-15T00:05:00Z,",
            "yesterday,GHSA-a",
            "<html>",
        ] {
            let answer = read(ListingForm::OsvModified, bad);
            assert!(answer.starts_with("error: holds no entry"), "{bad}: {answer}");
        }
        for bad in [
            r#""../a.json","2024-08-15T00:05:00Z""#,
            r#""/a.json","2024-08-15T00:05:00Z""#,
            r#""a//b.json","2024-08-15T00:05:00Z""#,
            r#""https://elsewhere.example/a.json","2024-08-15T00:05:00Z""#,
            r#""a.json","soon""#,
        ] {
            let answer = read(ListingForm::CsafChanges, bad);
            assert!(answer.starts_with("error: holds no entry"), "{bad}: {answer}");
        }
        let one = "2024-08-15T00:05:00Z,../x\n2024-08-15T00:05:00Z,GHSA-a\n";
        assert_eq!(
            read(ListingForm::OsvModified, one),
            "2024-08-15T00:05:00Z GHSA-a https://feeds.example/osv/Maven/GHSA-a.json\n\
             refused 1: 2024-08-15T00:05:00Z,../x\n"
        );
    }

    #[test]
    fn the_changes_of_csaf_are_paths_beside_the_list() {
        let text = "\"2024/b.json\",\"2024-08-15T00:05:00+00:00\"\n2023/a.json,2023-01-02\n";
        assert_eq!(
            read(ListingForm::CsafChanges, text),
            "2023-01-02T00:00:00Z 2023/a.json https://feeds.example/osv/Maven/2023/a.json\n\
             2024-08-15T00:05:00Z 2024/b.json https://feeds.example/osv/Maven/2024/b.json\n"
        );
    }

    #[test]
    fn the_delta_log_of_cve_gives_the_newest_change_of_each() {
        let text = r#"[{"fetchTime":"2024-08-15T00:05:00.000Z","numberOfChanges":3,
            "new":[{"cveId":"CVE-2024-0001","githubLink":"https://elsewhere.example/x",
                    "dateUpdated":"2024-08-15T00:01:00.000Z"}],
            "updated":[{"cveId":"CVE-2023-123456","dateUpdated":"2024-08-15T00:02:00.000Z"},
                       {"cveId":"CVE-2023-1/../2","dateUpdated":"2024-08-15T00:02:00.000Z"}],
            "error":[]},
            {"new":[],"updated":[{"cveId":"CVE-2024-0001","dateUpdated":"2024-08-14T00:00:00"}]}]"#;
        assert_eq!(
            read(ListingForm::CveDeltaLog, text),
            "2024-08-15T00:01:00Z CVE-2024-0001 \
             https://feeds.example/osv/Maven/2024/0xxx/CVE-2024-0001.json\n\
             2024-08-15T00:02:00Z CVE-2023-123456 \
             https://feeds.example/osv/Maven/2023/123xxx/CVE-2023-123456.json\n\
             refused 1: {\"cveId\":\"CVE-2023-1/../2\",\
             \"dateUpdated\":\"2024-08-15T00:02:00.000Z\"}\n"
        );
        assert_eq!(read(ListingForm::CveDeltaLog, "{}"), "error: is no list of changes\n");
        assert!(read(ListingForm::CveDeltaLog, "[").starts_with("error: is no JSON"));
    }

    #[test]
    fn a_rolie_feed_gives_addresses() {
        let text = r#"{"feed":{"id":"f","entry":[
            {"id":"A-1","updated":"2024-08-15T00:05:00Z",
             "content":{"type":"application/json","src":"https://a.example/a-1.json"}},
            {"id":"A-2","updated":"2024-08-14T00:05:00Z",
             "link":[{"rel":"hash","href":"https://a.example/a-2.json.sha256"},
                     {"rel":"self","href":"https://a.example/a-2.json"}]},
            {"id":"A-3","updated":"2024-08-14T00:05:00Z"}]}}"#;
        assert_eq!(
            read(ListingForm::Rolie, text),
            "2024-08-14T00:05:00Z A-2 https://a.example/a-2.json\n\
             2024-08-15T00:05:00Z A-1 https://a.example/a-1.json\n\
             refused 1: \"A-3\"\n"
        );
        assert_eq!(read(ListingForm::Rolie, "[]"), "error: is no ROLIE feed\n");
    }

    #[test]
    fn a_provider_names_open_feeds_or_folders() {
        let read = |text: &str| provider_listings(text.as_bytes());
        let both = r#"{"distributions":[{"directory_url":"https://a.example/csaf/"},
            {"rolie":{"feeds":[{"tlp_label":"AMBER","url":"https://a.example/amber.json"},
                               {"tlp_label":"WHITE","url":"https://a.example/white.json"}]}}]}"#;
        let white = (ListingForm::Rolie, "https://a.example/white.json".to_owned());
        assert_eq!(read(both), Ok(vec![white]));
        let folder = r#"{"distributions":[{"directory_url":"https://a.example/csaf/"}]}"#;
        let changes = (ListingForm::CsafChanges, "https://a.example/csaf/changes.csv".to_owned());
        assert_eq!(read(folder), Ok(vec![changes]));
        assert!(read(r#"{"distributions":[]}"#).is_err() && read("<html>").is_err());
    }

    #[test]
    fn a_provider_names_so_many_lists_at_most() {
        let lists = |count: usize| {
            let list = |at| format!(r#"{{"directory_url":"https://a.example/{at}"}}"#);
            let all: Vec<_> = (0..count).map(list).collect();
            let text = format!(r#"{{"distributions":[{}]}}"#, all.join(","));
            provider_listings(text.as_bytes()).map(|found| found.len())
        };
        assert_eq!(lists(LISTINGS_MAX), Ok(LISTINGS_MAX));
        assert_eq!(lists(LISTINGS_MAX + 1), Err("names 101 lists, more than 100".to_owned()));
    }

    /// Of a list of rubbish a count and an example are kept, and it is not read to its end.
    #[test]
    fn a_list_of_rubbish_is_given_up() {
        let read = |count: usize| {
            let text = format!("2024-08-15T00:05:00Z,GHSA-a\n{}", "x\n".repeat(count));
            read_listing(ListingForm::OsvModified, URL, text.as_bytes())
        };
        let at_most = read(LISTED_MAX).map(|it| (it.entries.len(), it.refused, it.example));
        assert_eq!(at_most, Ok((1, LISTED_MAX, "x".to_owned())));
        let why = read(LISTED_MAX + 1).unwrap_err();
        assert_eq!(why, "holds more than 4000000 entries that cannot be used");
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        let id = |length: usize| format!("2024-08-15T00:05:00Z,{}", "a".repeat(length));
        let at_most = read(ListingForm::OsvModified, &id(LISTED_TEXT_BYTES_MAX));
        assert!(!at_most.starts_with("error"));
        let more = read(ListingForm::OsvModified, &id(LISTED_TEXT_BYTES_MAX + 1));
        assert!(more.starts_with("error"));
    }
}
