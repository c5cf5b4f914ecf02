//! Atom (RFC 4287) and JSON Feed 1.1, one of each a language.

use relight_engine::live::Words;
use relight_model::Timestamp;
use relight_web::markup::escaped;
use relight_web::{Lang, number, texts};
use serde_json::json;

use super::episodes::{Episode, Status};
use super::pages::said;
use super::{Files, Identity, Seen};
use crate::access::digest_of;

/// Entries of one feed; older ones are in the history of the page.
const ENTRIES_MAX: usize = 50;

/// One entry.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    /// Sorts the entries, the newest first.
    when: Timestamp,
    id: String,
    title: &'static str,
    text: String,
    /// Language of the text.
    lang: &'static str,
    at: String,
}

/// Adds both feeds of each language, and those of the first language under the short names.
pub(super) fn add(
    files: &mut Files,
    seen: &Seen<'_>,
    episodes: &[Episode],
    identity: &Identity,
    now: Timestamp,
) {
    for &lang in &identity.langs {
        let mut items: Vec<Item> = episodes.iter().flat_map(|it| steps(it, lang)).collect();
        items.extend(seen.words.iter().map(|words| written(words, lang)));
        // What people wrote stands before what the page says by itself of the same second.
        items.sort_by(|a, b| (b.when, &a.id).cmp(&(a.when, &b.id)));
        items.truncate(ENTRIES_MAX);
        let home = format!("{}{}/", identity.url, lang.tag());
        for (name, text) in [
            ("history.atom", atom(&items, lang, &home, now)),
            ("feed.json", feed(&items, lang, &home, now)),
        ] {
            if lang == identity.lang() {
                files.insert(name.to_owned(), text.clone().into());
            }
            files.insert(format!("{}/{name}", lang.tag()), text.into());
        }
    }
}

/// What the page says by itself of an episode.
fn steps(episode: &Episode, lang: Lang) -> Vec<Item> {
    let item = |(status, at): (Status, Timestamp)| Item {
        when: at,
        id: format!("urn:relight:outage:{}:{}", episode.id(), status.as_str()),
        title: title(status, lang),
        text: body(status, lang).to_owned(),
        lang: lang.tag(),
        at: number::rfc3339(at),
    };
    episode.steps().into_iter().map(item).collect()
}

/// What people wrote. Its name in data is its moment and its text, so that two updates of one
/// second are two entries, and one entry stays itself in every generation: see [`name_of`].
fn written(words: &Words, lang: Lang) -> Item {
    let (at, _, lang_of, text) = said(lang, words);
    Item {
        when: words.at,
        id: format!("urn:relight:update:{}", name_of(words)),
        title: texts::public_update(lang),
        text,
        lang: lang_of,
        at,
    }
}

/// The name of an update in data.
pub(super) fn name_of(words: &Words) -> String {
    let digest = digest_of(words.fr.as_bytes()).to_string();
    let mark = digest.get(..12).unwrap_or(&digest);
    format!("{}:{mark}", number::rfc3339(words.at).replace(['-', ':'], ""))
}

/// What a step of an episode is called.
fn title(status: Status, lang: Lang) -> &'static str {
    match status {
        Status::Investigating => texts::public_episode(lang),
        Status::Monitoring | Status::Resolved | Status::Postmortem => {
            texts::public_episode_over(lang)
        }
    }
}

/// What a step of an episode says.
pub(super) fn body(status: Status, lang: Lang) -> &'static str {
    match status {
        Status::Investigating => texts::public_precaution(lang),
        Status::Monitoring => texts::public_monitoring(lang),
        Status::Resolved | Status::Postmortem => texts::public_all_lit(lang),
    }
}

fn atom(items: &[Item], lang: Lang, home: &str, now: Timestamp) -> String {
    let home = escaped(home);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{home}history.atom</id>\n<title>{title}</title>\n<updated>{}</updated>\n\
         <author><name>{title}</name></author>\n<link href=\"{home}\"/>\n\
         <link rel=\"self\" href=\"{home}history.atom\"/>\n",
        lang.tag(),
        number::rfc3339(now),
        title = escaped(texts::public_title(lang)),
    );
    for Item { id, title, text, at, lang: lang_of, .. } in items {
        out.push_str(&format!(
            "<entry><id>{id}</id><title>{}</title><updated>{at}</updated>\
             <link href=\"{home}\"/><content type=\"text\" xml:lang=\"{lang_of}\">{}</content>\
             </entry>\n",
            escaped(title),
            escaped(text)
        ));
    }
    out.push_str("</feed>\n");
    out
}

fn feed(items: &[Item], lang: Lang, home: &str, now: Timestamp) -> String {
    let item = |Item { id, title, text, at, lang: lang_of, .. }: &Item| {
        let (kind, when) = ("content_text", "date_published");
        json!({
            "id": id, "url": home, "title": title, kind: text, when: at, "language": lang_of,
        })
    };
    let document = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": texts::public_title(lang),
        "language": lang.tag(),
        "home_page_url": home,
        "feed_url": format!("{home}feed.json"),
        "_relight": {"schema": "relight.feed/1", "updated_at": number::rfc3339(now)},
        "items": items.iter().map(item).collect::<Vec<_>>(),
    });
    format!("{document}\n")
}

#[cfg(test)]
mod tests {
    use relight_engine::live::Proofs;
    use relight_web::views::{Stage, Theme};

    use super::*;

    fn feeds(count: usize, words: Vec<Words>) -> Files {
        let episode = |at: usize| Episode {
            from: i64::try_from(at).unwrap() * 86_400,
            to: Some(i64::try_from(at).unwrap() * 86_400 + 60),
            services: 2,
            status: Status::Resolved,
        };
        let episodes: Vec<Episode> = (0..count).rev().map(episode).collect();
        let (url, stage) = ("https://status.example/?a&b/".into(), Stage::Real);
        let theme = Theme::Neutral;
        let identity = Identity { langs: Lang::ALL.to_vec(), url, stage, theme };
        let proofs = Proofs { words, ..Proofs::default() };
        let mut files = Files::new();
        add(&mut files, &Seen::of(&[], &proofs, 7), &episodes, &identity, 7);
        files
    }

    fn text<'a>(files: &'a Files, path: &str) -> &'a str {
        std::str::from_utf8(&files[path]).unwrap()
    }

    fn items(files: &Files, path: &str) -> Vec<serde_json::Value> {
        let feed: serde_json::Value = serde_json::from_slice(&files[path]).unwrap();
        feed["items"].as_array().unwrap().clone()
    }

    #[test]
    fn each_language_has_its_feeds_and_the_first_one_the_short_names() {
        let files = feeds(1, Vec::new());
        assert_eq!(text(&files, "history.atom"), text(&files, "fr/history.atom"));
        assert_ne!(text(&files, "feed.json"), text(&files, "en/feed.json"));
        let atom = text(&files, "en/history.atom");
        assert!(atom.contains("xml:lang=\"en\"") && atom.contains("?a&amp;b/en/\""), "{atom}");
        assert_eq!(atom.matches("<entry>").count(), 2);
        assert!(atom.contains("<id>urn:relight:outage:19700101T000000Z:resolved</id>"));
    }

    #[test]
    fn a_feed_is_bounded() {
        let files = feeds(ENTRIES_MAX, Vec::new());
        let items = items(&files, "feed.json");
        assert_eq!(items.len(), ENTRIES_MAX);
        assert_eq!(items[0]["date_published"], "1970-02-19T00:01:00Z");
    }

    #[test]
    fn what_people_wrote_is_in_both_feeds_in_its_place_and_in_its_language() {
        let said = |at: Timestamp, fr: &str, en: &str| Words {
            at,
            fr: fr.into(),
            en: en.into(),
            ..Words::default()
        };
        let words = vec![
            said(90, "Retour <vers 16 h>", ""),
            said(30, "Nous vérifions", "We check & test"),
            said(30, "Encore", ""),
        ];
        let files = feeds(1, words);
        let english = items(&files, "en/feed.json");
        let texts: Vec<_> = english.iter().map(|it| it["content_text"].as_str().unwrap()).collect();
        assert_eq!(texts[0], "Retour <vers 16 h>");
        assert!(texts[2..4].contains(&"We check & test") && texts[2..4].contains(&"Encore"));
        let langs: Vec<_> = english.iter().map(|it| it["language"].as_str().unwrap()).collect();
        assert_eq!((langs[0], langs[1], langs[4]), ("fr", "en", "en"));
        let mut ids: Vec<_> = english.iter().map(|it| it["id"].as_str().unwrap()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 5, "two updates of one second are two entries: {ids:?}");
        let again = items(&feeds(1, vec![said(90, "Retour <vers 16 h>", "")]), "fr/feed.json");
        assert_eq!(again[0]["id"], english[0]["id"], "an entry stays itself");
        let atom = text(&files, "en/history.atom");
        assert!(atom.contains("xml:lang=\"fr\">Retour &lt;vers 16 h&gt;</content>"), "{atom}");
        assert!(atom.contains("We check &amp; test"));
    }
}
