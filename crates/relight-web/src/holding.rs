//! The page and the document that a dark site answers with, in the languages of its operator.
//!
//! Precaution is all they state: nothing about data, compromise, components or verdicts, and
//! nothing that changes with an incident, because edges read the files when they start.

use askama::Template;

use crate::{Lang, texts};

/// What a holding page tells a visitor besides its fixed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldingPage {
    /// Its languages, the first one first; none at all are all of them, French first.
    pub langs: Vec<Lang>,
    /// Address of the public page, where the next update stands; empty when there is none.
    pub status_url: String,
    /// Other ways to reach the body, in French (`Téléphone : 1 800 555-0100`); may be empty.
    pub channel_fr: String,
    /// The same in English.
    pub channel_en: String,
    /// Public id of the incident, never the CVE; empty when there is none.
    pub incident: String,
    /// What `Retry-After` says, in seconds.
    pub retry_after: u32,
}

impl Default for HoldingPage {
    fn default() -> Self {
        Self {
            langs: Lang::ALL.to_vec(),
            status_url: String::new(),
            channel_fr: String::new(),
            channel_en: String::new(),
            incident: String::new(),
            retry_after: 0,
        }
    }
}

impl HoldingPage {
    /// What is written where nobody said in which languages is French and English: who cannot read
    /// one of them is told in the other.
    fn langs(&self) -> &[Lang] {
        if self.langs.is_empty() { &Lang::ALL } else { &self.langs }
    }
}

struct Block<'a> {
    lang: &'static str,
    title: &'static str,
    text: &'static str,
    retry: &'static str,
    updates: &'static str,
    channel_label: &'static str,
    channel: &'a str,
}

#[derive(Template)]
#[template(path = "holding.html", whitespace = "minimize")]
struct Page<'a> {
    lang: &'static str,
    title: &'static str,
    status_url: &'a str,
    blocks: Vec<Block<'a>>,
}

/// The page for people: self-contained, under 10 kB, its languages in their order.
pub fn holding_html(page: &HoldingPage) -> String {
    let block = |&lang: &Lang| Block {
        lang: lang.tag(),
        title: texts::holding_title(lang),
        text: texts::holding_text(lang),
        retry: texts::holding_retry(lang),
        updates: texts::holding_updates(lang),
        channel_label: texts::holding_channel(lang),
        channel: match lang {
            Lang::Fr => &page.channel_fr,
            Lang::En => &page.channel_en,
        },
    };
    let blocks: Vec<Block<'_>> = page.langs().iter().map(block).collect();
    let (lang, title) = blocks.first().map_or_else(Default::default, |it| (it.lang, it.title));
    let html = Page { lang, title, status_url: &page.status_url, blocks };
    // Writing into a string cannot fail; a shorter page would still be a valid answer.
    html.render().unwrap_or_default()
}

/// The languages of a page that was written by [`holding_html`], in their order; none of a page
/// that somebody wrote by hand.
pub fn holding_languages(html: &str) -> Vec<Lang> {
    let place = |lang: Lang| Some((html.find(&opening(lang))?, lang));
    let mut found: Vec<_> = Lang::ALL.into_iter().filter_map(place).collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, lang)| lang).collect()
}

/// Whether the page of a site says how else it is reached, in the languages of the page for all: in
/// each these words, and those of the page for all where there are none.
pub fn tells_channel(html: &str, all: &str, channel: [&str; 2]) -> bool {
    let (langs, of_all) = (holding_languages(html), holding_languages(all));
    if !of_all.is_empty() && langs != of_all {
        return false;
    }
    let tells = |(lang, own): (Lang, &str)| {
        let told = section(html, lang).map(|section| words(section, lang));
        match section(all, lang) {
            // Of a page in other languages it is known that it is not told in this one.
            _ if !langs.is_empty() && !langs.contains(&lang) => true,
            _ if !own.is_empty() => {
                let Ok(escaped) = askama::filters::escape(own, askama::filters::Html);
                told == Some(&escaped.to_string())
            }
            Some(section) => told == Some(words(section, lang)),
            // Somebody wrote that page by hand: what it says for all is not known.
            None => true,
        }
    };
    Lang::ALL.into_iter().zip(channel).all(tells)
}

/// What begins the part of a page in one language.
fn opening(lang: Lang) -> String {
    format!("<section lang=\"{}\">", lang.tag())
}

/// What a page says in one language.
fn section(html: &str, lang: Lang) -> Option<&str> {
    let (_, after) = html.split_once(&opening(lang))?;
    after.split_once("</section>").map(|(section, _)| section)
}

/// How else somebody is reached, as it stands in the markup; empty where nothing is said.
fn words(section: &str, lang: Lang) -> &str {
    let label = format!("<p>{} ", texts::holding_channel(lang));
    let after = section.split_once(&label).map(|(_, after)| after);
    after.and_then(|after| after.split_once("</p>")).map_or("", |(words, _)| words)
}

/// The document for programs: `application/problem+json` of RFC 9457, in the languages of the page.
/// `title` and `detail` are English where that is one of them, else French; French has `title_fr`
/// and `detail_fr` as extension members.
pub fn holding_json(page: &HoldingPage) -> String {
    let lang = if page.langs().contains(&Lang::En) { Lang::En } else { Lang::Fr };
    let mut members = vec![
        ("type", quoted("about:blank")),
        ("status", "503".to_owned()),
        ("title", quoted(texts::holding_title(lang))),
        ("detail", quoted(texts::holding_text(lang))),
    ];
    if page.langs().contains(&Lang::Fr) {
        members.push(("title_fr", quoted(texts::holding_title(Lang::Fr))));
        members.push(("detail_fr", quoted(texts::holding_text(Lang::Fr))));
    }
    members.push(("retry_after", page.retry_after.to_string()));
    if !page.incident.is_empty() {
        members.push(("incident", quoted(&page.incident)));
    }
    if !page.status_url.is_empty() {
        members.push(("status_url", quoted(&page.status_url)));
    }
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", members.join(","))
}

/// A JSON string (RFC 8259, section 7).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> HoldingPage {
        HoldingPage {
            status_url: "https://etat.example/fr/?a=1&b=2".into(),
            channel_fr: "1 800 555-0100".into(),
            channel_en: "1-800-555-0100".into(),
            incident: "2021-001".into(),
            retry_after: 3600,
            ..HoldingPage::default()
        }
    }

    fn in_languages(langs: &[Lang]) -> HoldingPage {
        HoldingPage { langs: langs.to_vec(), ..page() }
    }

    #[test]
    fn the_page_is_small_self_contained_and_bilingual() {
        let html = holding_html(&page());
        assert!(html.len() < 10_000, "{} bytes", html.len());
        assert!(html.contains(r#"<section lang="fr">"#) && html.contains(r#"<section lang="en">"#));
        for foreign in ["<script", "<img", "<link", "url(", "@import", "src="] {
            assert!(!html.contains(foreign), "{foreign}");
        }
        assert!(html.contains("https://etat.example/fr/?a=1&#38;b=2"), "{html}");
        assert!(html.contains("par mesure de précaution") || html.contains("Par mesure"));
        assert!(html.contains("1 800 555-0100") && html.contains("Retry"));
    }

    /// Every text of the page in one language, and what the operator says in it.
    fn said_in(lang: Lang) -> [&'static str; 5] {
        let channel = if lang == Lang::Fr { "1 800 555-0100" } else { "1-800-555-0100" };
        [
            texts::holding_title(lang),
            texts::holding_text(lang),
            texts::holding_retry(lang),
            texts::holding_updates(lang),
            channel,
        ]
    }

    /// Goal: a page speaks the languages of its operator, in that order, and no other.
    #[test]
    fn the_page_and_the_document_are_in_the_languages_that_were_asked_for() {
        use Lang::{En, Fr};
        for langs in [&[Fr][..], &[En], &[Fr, En], &[En, Fr]] {
            let page = in_languages(langs);
            let (html, json) = (holding_html(&page), holding_json(&page));
            assert_eq!(holding_languages(&html), langs, "{html}");
            let first = langs[0].tag();
            assert!(html.contains(&format!("<html lang=\"{first}\">")), "{html}");
            assert!(html.contains(&format!("<title>{}</title>", texts::holding_title(langs[0]))));
            for lang in Lang::ALL {
                for text in said_in(lang) {
                    let text = askama::filters::escape(text, askama::filters::Html);
                    let text = text.unwrap().to_string();
                    assert_eq!(html.contains(&text), langs.contains(&lang), "{langs:?} {text}");
                }
                let text = texts::holding_text(lang);
                assert_eq!(json.contains(text), langs.contains(&lang), "{langs:?} {json}");
            }
            assert_eq!(json.contains("_fr\""), langs.contains(&Fr), "{json}");
            assert!(json.contains("\"title\":") && json.contains("\"detail\":"), "{json}");
        }
        assert_eq!(holding_html(&in_languages(&[])), holding_html(&page()), "nobody said which");
        assert!(holding_languages("<p>by hand</p>").is_empty());
    }

    /// A page in French alone would have been called old for ever by the English words of its site.
    #[test]
    fn words_of_a_language_that_the_page_is_not_in_are_not_missed() {
        let french = |words: &str| {
            holding_html(&HoldingPage { channel_fr: words.into(), ..in_languages(&[Lang::Fr]) })
        };
        let all = french("Guichet");
        assert!(tells_channel(&french("1"), &all, ["1", "Desk"]));
        assert!(!tells_channel(&french("1"), &all, ["2", "Desk"]));
        assert!(!tells_channel(&holding_html(&page()), &all, ["1 800 555-0100", ""]), "bilingual");
        let english_first = holding_html(&in_languages(&[Lang::En, Lang::Fr]));
        assert!(!tells_channel(&english_first, &holding_html(&page()), ["", ""]), "other order");
        let by_hand = "<p>by hand</p>";
        assert!(tells_channel(&french("1"), by_hand, ["1", "Desk"]));
        assert!(!tells_channel(by_hand, by_hand, ["1", "Desk"]));
    }

    #[test]
    fn optional_parts_leave_no_trace() {
        let html = holding_html(&HoldingPage::default());
        assert!(!html.contains(texts::holding_channel(Lang::En)));
        assert!(!html.contains(texts::holding_updates(Lang::Fr)));
        let json = holding_json(&HoldingPage::default());
        assert!(!json.contains("incident") && !json.contains("status_url"));
    }

    #[test]
    fn nothing_is_claimed_about_data_or_compromise() {
        let text = (holding_html(&page()) + &holding_json(&page())).to_lowercase();
        for word in ["compromi", "donnée", " data", "cve-", "log4j", "piraté", "attack", "attaque"]
        {
            assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn what_an_operator_types_cannot_become_markup() {
        let nasty = HoldingPage { channel_fr: "<script>\"\n".into(), ..HoldingPage::default() };
        assert!(!holding_html(&nasty).contains("<script"));
        let (html, all) = (holding_html(&nasty), holding_html(&HoldingPage::default()));
        assert!(tells_channel(&html, &all, [&nasty.channel_fr, ""]));
        assert!(!tells_channel(&html, &all, [&nasty.channel_fr, "<i>"]));
        let json = holding_json(&HoldingPage { incident: "a\"b\\c\n".into(), ..nasty });
        assert!(json.contains(r#""incident":"a\"b\\c\u000a""#), "{json}");
    }

    /// Words that were taken back stood in the page for ever, and so did those that hold the new
    /// ones: empty words are in every page.
    #[test]
    fn a_page_says_the_words_of_its_site_and_no_others() {
        let of = |fr: &str, en: &str| {
            let (channel_fr, channel_en) = (fr.to_owned(), en.to_owned());
            holding_html(&HoldingPage { channel_fr, channel_en, ..page() })
        };
        let all = of("Guichet", "Desk");
        for (html, channel, is_told) in [
            (of("1, poste 12", "1, ext. 12"), ["1, poste 12", "1, ext. 12"], true),
            (of("1, poste 12", "1"), ["1", "1"], false),
            (of("1", "1, ext. 12"), ["1", "1"], false),
            (of("1", "1, ext. 12"), ["1", ""], false),
            (of("1, poste 12", "1"), ["", "1"], false),
            (of("1", "Desk"), ["1", ""], true),
            (of("Guichet", "1"), ["", "1"], true),
            (of("1", ""), ["1", ""], false),
            ("<p>by hand</p>".to_owned(), ["1", ""], false),
        ] {
            assert_eq!(tells_channel(&html, &all, channel), is_told, "{channel:?}: {html}");
        }
        let by_hand = "<p>by hand</p>";
        assert!(tells_channel(&of("1", "Desk"), by_hand, ["1", ""]));
        assert!(!tells_channel(&of("1", "Desk"), by_hand, ["2", ""]));
    }

    #[test]
    fn the_document_is_a_problem() {
        let json = holding_json(&page());
        assert!(json.starts_with(r#"{"type":"about:blank","status":503,"#), "{json}");
        assert!(json.contains(r#""retry_after":3600,"incident":"2021-001","status_url":"#));
    }
}
