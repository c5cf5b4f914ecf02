//! Atom (RFC 4287) and JSON Feed 1.1, one of each a language.

use relight_model::Timestamp;
use relight_web::{Lang, number, texts};
use serde_json::json;

use super::episodes::{Episode, Status};
use super::{Files, Identity};

/// Entries of one feed; older ones are in the history of the page.
const ENTRIES_MAX: usize = 50;

/// One entry.
struct Item {
    id: String,
    title: &'static str,
    text: &'static str,
    at: String,
}

/// Adds both feeds of each language, and those of the first language under the short names.
pub(super) fn add(files: &mut Files, episodes: &[Episode], identity: &Identity, now: Timestamp) {
    for lang in Lang::ALL {
        let items: Vec<Item> = episodes
            .iter()
            .flat_map(|episode| episode.steps().into_iter().rev().map(move |step| (episode, step)))
            .take(ENTRIES_MAX)
            .map(|(episode, (status, at))| Item {
                id: format!("urn:relight:outage:{}:{}", episode.id(), status.as_str()),
                title: title(status, lang),
                text: body(status, lang),
                at: number::rfc3339(at),
            })
            .collect();
        let home = format!("{}{}/", identity.url, lang.tag());
        for (name, text) in [
            ("history.atom", atom(&items, lang, &home, now)),
            ("feed.json", feed(&items, lang, &home, now)),
        ] {
            if lang == identity.lang {
                files.insert(name.to_owned(), text.clone().into());
            }
            files.insert(format!("{}/{name}", lang.tag()), text.into());
        }
    }
}

/// What a step of an episode is called.
fn title(status: Status, lang: Lang) -> &'static str {
    match status {
        Status::Investigating => texts::public_episode(lang),
        Status::Monitoring | Status::Resolved => texts::public_episode_over(lang),
    }
}

/// What a step of an episode says.
pub(super) fn body(status: Status, lang: Lang) -> &'static str {
    match status {
        Status::Investigating => texts::public_precaution(lang),
        Status::Monitoring => texts::public_monitoring(lang),
        Status::Resolved => texts::public_all_lit(lang),
    }
}

fn atom(items: &[Item], lang: Lang, home: &str, now: Timestamp) -> String {
    let home = escape(home);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{home}history.atom</id>\n<title>{title}</title>\n<updated>{}</updated>\n\
         <author><name>{title}</name></author>\n<link href=\"{home}\"/>\n\
         <link rel=\"self\" href=\"{home}history.atom\"/>\n",
        lang.tag(),
        number::rfc3339(now),
        title = escape(texts::public_title(lang)),
    );
    for Item { id, title, text, at } in items {
        out.push_str(&format!(
            "<entry><id>{id}</id><title>{}</title><updated>{at}</updated>\
             <link href=\"{home}\"/><content type=\"text\">{}</content></entry>\n",
            escape(title),
            escape(text)
        ));
    }
    out.push_str("</feed>\n");
    out
}

/// Text inside of XML.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

fn feed(items: &[Item], lang: Lang, home: &str, now: Timestamp) -> String {
    let item = |Item { id, title, text, at }: &Item| {
        let (kind, when) = ("content_text", "date_published");
        json!({"id": id, "url": home, "title": title, kind: text, when: at})
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
    use super::*;

    fn feeds(count: usize) -> Files {
        let episode = |at: usize| Episode {
            from: i64::try_from(at).unwrap() * 86_400,
            to: Some(i64::try_from(at).unwrap() * 86_400 + 60),
            services: 2,
            status: Status::Resolved,
        };
        let episodes: Vec<Episode> = (0..count).rev().map(episode).collect();
        let identity = Identity { lang: Lang::Fr, url: "https://status.example/?a&b/".into() };
        let mut files = Files::new();
        add(&mut files, &episodes, &identity, 7);
        files
    }

    #[test]
    fn each_language_has_its_feeds_and_the_first_one_the_short_names() {
        let files = feeds(1);
        let text = |path: &str| std::str::from_utf8(&files[path]).unwrap();
        assert_eq!(text("history.atom"), text("fr/history.atom"));
        assert_ne!(text("feed.json"), text("en/feed.json"));
        let atom = text("en/history.atom");
        assert!(atom.contains("xml:lang=\"en\"") && atom.contains("?a&amp;b/en/\""), "{atom}");
        assert_eq!(atom.matches("<entry>").count(), 2);
        assert!(atom.contains("<id>urn:relight:outage:19700101T000000Z:resolved</id>"));
    }

    #[test]
    fn a_feed_is_bounded() {
        let files = feeds(ENTRIES_MAX);
        let feed: serde_json::Value = serde_json::from_slice(&files["feed.json"]).unwrap();
        assert_eq!(feed["items"].as_array().unwrap().len(), ENTRIES_MAX);
        assert_eq!(feed["items"][0]["date_published"], "1970-02-19T00:01:00Z");
    }
}
