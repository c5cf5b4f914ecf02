//! The pages for people: a sentence, a bar, sectors, the alphabet, services, history.

use std::collections::BTreeMap;

use relight_engine::live::Words;
use relight_model::Timestamp;
use relight_web::public_views::{
    PublicEntry, PublicEpisode, PublicFrame, PublicHistoryPage, PublicHome, PublicIndexPage,
    PublicListPage, PublicService,
};
use relight_web::views::{Stage, Theme};
use relight_web::{Lang, number, texts, words};

use super::episodes::{Episode, Status};
use super::{Files, Identity, Seen, Service, alphabetical, certificate};
use crate::console::name;

/// Rows of one page of services: a page stays small on a bad connection.
const ROWS_MAX: usize = 200;

/// Episodes on the first page; all of them, of which 90 days hold fewer than a hundred, have their
/// own.
const EPISODES_MAX: usize = 10;

/// Adds every page in each language, and the first one of the first language as `/`.
pub(super) fn add(
    files: &mut Files,
    seen: &Seen<'_>,
    episodes: &[Episode],
    identity: &Identity,
    now: Timestamp,
) -> Result<(), relight_web::RenderError> {
    for &lang in &identity.langs {
        let Identity { stage, theme, .. } = *identity;
        let other = identity.other(lang);
        let writer = Writer { seen, lang, other, stage, theme, now };
        let home = relight_web::render(&writer.home(episodes))?;
        if lang == identity.lang() {
            files.insert("index.html".to_owned(), home.clone().into());
        }
        files.insert(format!("{}/index.html", lang.tag()), home.into());
        for code in seen.sectors(lang) {
            let inside = seen.sector(code);
            let title = words::sector(lang, code).to_owned();
            let of = |lang| sector_href(lang, code);
            writer.list(files, &title, &inside.services, of)?;
        }
        writer.history(files, episodes)?;
        writer.alphabet(files)?;
    }
    Ok(())
}

/// The address of a sector's page; code is a word of the catalogue or of the register.
fn sector_href(lang: Lang, code: &str) -> String {
    let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    match lang {
        Lang::Fr => format!("/fr/secteur/{code}/"),
        Lang::En => format!("/en/sector/{code}/"),
    }
}

fn history_href(lang: Lang) -> String {
    match lang {
        Lang::Fr => "/fr/historique/".to_owned(),
        Lang::En => "/en/history/".to_owned(),
    }
}

fn letter_href(lang: Lang, letter: char) -> String {
    format!("/{}/a-z/{letter}/", lang.tag())
}

struct Writer<'a> {
    seen: &'a Seen<'a>,
    lang: Lang,
    /// The other language of the page, if it has one.
    other: Option<Lang>,
    stage: Stage,
    theme: Theme,
    now: Timestamp,
}

impl Writer<'_> {
    fn frame(&self, title: &str, switch: impl FnOnce(Lang) -> String, back: bool) -> PublicFrame {
        PublicFrame {
            lang: self.lang,
            stage: self.stage,
            theme: self.theme,
            title: title.to_owned(),
            back,
            switch_href: self.other.map(switch).unwrap_or_default(),
            sentence: sentence(self.seen, self.lang),
            updated_at: number::rfc3339(self.now),
            updated: utc(self.lang, self.now),
        }
    }

    fn home(&self, episodes: &[Episode]) -> PublicHome {
        let lang = self.lang;
        let sector = |code: &&str| {
            let inside = self.seen.sector(code);
            PublicEntry {
                name: words::sector(lang, code).to_owned(),
                href: sector_href(lang, code),
                text: texts::public_sector_count(lang, inside.lit(), inside.total()),
            }
        };
        let all = self.seen.lit() == self.seen.total();
        let title = texts::public_title(lang);
        let shown = episodes.iter().take(EPISODES_MAX);
        PublicHome {
            words: self.seen.words.iter().map(|words| said(lang, words)).collect(),
            next: next_update(self.seen, self.now)
                .map(|at| texts::public_next(lang, &utc(lang, at)))
                .unwrap_or_default(),
            frame: self.frame(title, |other| format!("/{}/", other.tag()), false),
            progress: progress(self.seen, lang),
            lit_permille: self.seen.lit() * 1000 / self.seen.total().max(1),
            precaution: if all {
                texts::public_all_lit(lang)
            } else {
                texts::public_precaution(lang)
            },
            sectors: self.seen.sectors(lang).iter().map(sector).collect(),
            episodes: shown.map(|episode| told(lang, episode)).collect(),
            more: if episodes.len() > EPISODES_MAX {
                texts::public_history_all(lang, episodes.len())
            } else {
                String::new()
            },
            more_href: history_href(lang),
        }
    }

    /// The page is there whether the first one leads to it or not: an address that somebody kept
    /// goes on to answer.
    fn history(
        &self,
        files: &mut Files,
        episodes: &[Episode],
    ) -> Result<(), relight_web::RenderError> {
        let page = PublicHistoryPage {
            frame: self.frame(texts::public_history(self.lang), history_href, true),
            episodes: episodes.iter().map(|episode| told(self.lang, episode)).collect(),
        };
        let html = relight_web::render(&page)?;
        files.insert(format!("{}index.html", &history_href(self.lang)[1..]), html.into());
        Ok(())
    }

    /// Services by the first letter of their names, and the list of the letters: the search that
    /// needs no script.
    fn alphabet(&self, files: &mut Files) -> Result<(), relight_web::RenderError> {
        let mut letters: BTreeMap<char, Vec<Service<'_>>> = BTreeMap::new();
        for service in &self.seen.services {
            let (key, _) = alphabetical(name(service.site, self.lang));
            let first = key.chars().find(char::is_ascii_alphanumeric).unwrap_or('0');
            let letter = if first.is_ascii_digit() { '0' } else { first };
            letters.entry(letter).or_default().push(*service);
        }
        let title = texts::public_alphabet(self.lang);
        let word = |letter: char| match letter {
            '0' => "0–9".to_owned(),
            letter => letter.to_ascii_uppercase().to_string(),
        };
        let entry = |(letter, services): (&char, &Vec<Service<'_>>)| PublicEntry {
            name: word(*letter),
            href: letter_href(self.lang, *letter),
            text: texts::public_services(self.lang, services.len()),
        };
        let switch = |other: Lang| format!("/{}/a-z/", other.tag());
        let page = PublicIndexPage {
            frame: self.frame(title, switch, true),
            entries: letters.iter().map(entry).collect(),
        };
        let html = relight_web::render(&page)?;
        files.insert(format!("{}/a-z/index.html", self.lang.tag()), html.into());
        for (letter, services) in &letters {
            // Names differ by language, so the other language's page of a letter may not exist.
            let of = |lang| match lang == self.lang {
                true => letter_href(lang, *letter),
                false => format!("/{}/a-z/", lang.tag()),
            };
            self.list(files, &format!("{title}, {}", word(*letter)), services, of)?;
        }
        Ok(())
    }

    /// Pages of services under one address, [`ROWS_MAX`] rows each.
    fn list(
        &self,
        files: &mut Files,
        title: &str,
        services: &[Service<'_>],
        href: impl Fn(Lang) -> String,
    ) -> Result<(), relight_web::RenderError> {
        let lang = self.lang;
        let mut services = services.to_vec();
        services.sort_by_cached_key(|service| alphabetical(name(service.site, lang)));
        let pages = services.chunks(ROWS_MAX).len();
        let base = href(lang);
        let place = |page: usize| match page {
            1 => base.clone(),
            page => format!("{base}{page}/"),
        };
        for (rows, page) in services.chunks(ROWS_MAX).zip(1..) {
            let view = PublicListPage {
                frame: self.frame(title, &href, true),
                services: rows.iter().map(|service| row(lang, self.stage, service)).collect(),
                page: if pages > 1 { texts::sites_page(lang, page, pages) } else { String::new() },
                previous: if page > 1 { place(page - 1) } else { String::new() },
                next: if page < pages { place(page + 1) } else { String::new() },
            };
            let html = relight_web::render(&view)?;
            files.insert(format!("{}index.html", &place(page)[1..]), html.into());
        }
        Ok(())
    }
}

fn row(lang: Lang, stage: Stage, service: &Service<'_>) -> PublicService {
    // A drill issues none.
    let past = service.past.filter(|_| stage != Stage::Drill && service.is_certified);
    let certificate = past.map(|past| certificate::id(service.site, &past));
    PublicService {
        name: name(service.site, lang).to_owned(),
        lit: service.is_lit(),
        since: service.dark_since.map(|at| utc(lang, at)).unwrap_or_default(),
        channel: words::channel(&service.site.channel, lang)
            .filter(|_| !service.is_lit())
            .map(|(of, text)| ((of != lang).then(|| of.tag()), text.to_owned())),
        certificate: certificate.map(|id| format!("/certificates/{id}.html")).unwrap_or_default(),
    }
}

fn told(lang: Lang, episode: &Episode) -> PublicEpisode {
    let from = utc(lang, episode.from);
    let services = episode.services;
    let sentence = match (episode.status, episode.to) {
        (Status::Investigating, _) | (_, None) => texts::public_episode_open(lang, &from, services),
        (_, Some(to)) => texts::public_episode_closed(lang, &from, services, &utc(lang, to)),
    };
    PublicEpisode { at: number::rfc3339(episode.from), sentence }
}

fn sentence(seen: &Seen<'_>, lang: Lang) -> String {
    let (lit, total) = (seen.lit(), seen.total());
    let online = texts::public_sentence(lang, lit, total);
    if lit == total {
        return online;
    }
    format!("{online} {}", texts::public_sentence_dark(lang, total - lit))
}

fn progress(seen: &Seen<'_>, lang: Lang) -> String {
    let share = number::percent(lang, seen.lit() as u64, seen.total() as u64);
    texts::public_progress(lang, &share)
}

/// When the next words are promised, by the last ones: a promise that is over is none.
pub(super) fn next_update(seen: &Seen<'_>, now: Timestamp) -> Option<Timestamp> {
    let last = seen.words.first()?;
    last.particulars.next.filter(|at| *at > now)
}

/// Words of a person in a language; in French where nobody wrote them in English.
pub(super) fn said(lang: Lang, words: &Words) -> (String, String, &'static str, String) {
    let (lang_of, text) = match lang {
        Lang::En if !words.en.is_empty() => (Lang::En, &words.en),
        _ => (Lang::Fr, &words.fr),
    };
    (number::rfc3339(words.at), utc(lang, words.at), lang_of.tag(), text.clone())
}

/// A date and a time of day in UTC, in words.
pub(super) fn utc(lang: Lang, at: Timestamp) -> String {
    let date = number::rfc3339(at);
    texts::public_utc(lang, date.get(..10).unwrap_or_default(), &number::clock(lang, at))
}

/// A length of time in hours and minutes.
pub(super) fn duration(lang: Lang, seconds: i64) -> String {
    let minutes = u64::try_from(seconds.max(0) / 60).unwrap_or(0);
    texts::public_duration(lang, minutes / 60, &format!("{:02}", minutes % 60))
}

#[cfg(test)]
mod tests {
    use relight_engine::live::{BoardSite, Outage, Proofs};

    use super::super::episodes;
    use super::*;

    fn site(slug: &str, name: &str) -> BoardSite {
        BoardSite {
            sector: "health".into(),
            organisation: "o".into(),
            slug: slug.into(),
            name_fr: String::new(),
            name_en: name.into(),
            public: true,
            channel: Default::default(),
        }
    }

    fn pages(sites: &[BoardSite], proofs: &Proofs) -> BTreeMap<String, String> {
        let seen = Seen::of(sites, proofs, 7_200);
        let mut files = Files::new();
        let (url, stage) = ("https://etat.example/".into(), Stage::Real);
        let theme = Theme::Neutral;
        let identity = Identity { langs: Lang::ALL.to_vec(), url, stage, theme };
        add(&mut files, &seen, &episodes::of(&seen), &identity, 7_200).unwrap();
        let text = |(path, bytes): (String, bytes::Bytes)| {
            (path, String::from_utf8(bytes.to_vec()).unwrap())
        };
        files.into_iter().map(text).collect()
    }

    fn proofs(dark: &[bool], past: &[Outage]) -> Proofs {
        let dark_since = dark.iter().map(|dark| dark.then_some(60)).collect();
        let (past, words) = (past.to_vec(), Vec::new());
        Proofs { version: 1, dark_since, past, words, ..Proofs::default() }
    }

    #[test]
    fn sentences_sum_to_the_total() {
        let sites = [site("a", "a"), site("b", "b"), site("c", "c")];
        let seen = |dark: &[bool]| Seen::of(&sites, &proofs(dark, &[]), 0);
        assert_eq!(
            sentence(&seen(&[true, false, true]), Lang::Fr),
            "1 service sur 3 est en ligne. 2 sont hors ligne par précaution."
        );
        assert_eq!(
            sentence(&seen(&[true, false, true]), Lang::En),
            "1 of 3 services is online. 2 are offline as a precaution."
        );
        assert_eq!(progress(&seen(&[true, false, true]), Lang::En), "33.3% of services are online");
        assert_eq!(sentence(&seen(&[false; 3]), Lang::Fr), "3 services sur 3 sont en ligne.");
    }

    /// Only while it is offline, in the language of the page where that was given, and as text.
    #[test]
    fn a_dark_service_says_how_else_it_is_reached() {
        let mut told = site("a", "a");
        told.channel.fr = "Comptoir <b>".into();
        let all = [told, site("b", "b")];
        let dark = pages(&all, &proofs(&[true, true], &[]));
        let french = &dark["fr/secteur/health/index.html"];
        let said = "Autres moyens de le joindre\u{a0}: <span>Comptoir &#60;b&#62;</span>";
        assert!(french.contains(said) && french.matches("Autres moyens").count() == 1, "{french}");
        let english = &dark["en/sector/health/index.html"];
        let said = "Other ways to reach it: <span lang=\"fr\">Comptoir";
        assert!(english.contains(said), "{english}");
        let lit = pages(&all, &proofs(&[false, false], &[]));
        assert!(!lit["fr/secteur/health/index.html"].contains("Comptoir"));
    }

    #[test]
    fn names_are_text_and_a_dark_service_says_since_when() {
        let pages = pages(&[site("a", "a <b>")], &proofs(&[true], &[]));
        let html = &pages["en/sector/health/index.html"];
        assert!(html.contains("a &#60;b&#62;") && !html.contains("<b>"), "{html}");
        assert!(html.contains("since 1970-01-01, 0:01 UTC"), "{html}");
        assert!(html.contains(r#"<time datetime="1970-01-01T02:00:00Z">1970-01-01, 2:00 UTC"#));
    }

    #[test]
    fn what_is_over_is_told_and_has_its_certificate() {
        let past = [Outage { from: 60, to: 3_660, site: 0 }];
        let pages = pages(&[site("a", "Alpha")], &proofs(&[false], &past));
        let certificate = "/certificates/a-19700101T000100Z.html";
        assert!(pages["en/sector/health/index.html"].contains(certificate));
        let home = &pages["en/index.html"];
        assert!(home.contains("From 1970-01-01, 0:01 UTC to 1970-01-01, 1:01 UTC"), "{home}");
        assert_eq!(duration(Lang::Fr, 3_660), "1\u{a0}h 01\u{a0}min");
    }

    /// Whoever needs to show an outage of two months ago found no way to it.
    #[test]
    fn all_episodes_of_ninety_days_are_on_a_page_of_their_own() {
        let day = 24 * 3_600;
        let past = |count: i64| -> Vec<Outage> {
            let from = |at: i64| -2 * day * (count - at);
            (0..count).map(|at| Outage { from: from(at), to: from(at) + 60, site: 0 }).collect()
        };
        for (count, is_more) in [(10, false), (11, true), (44, true)] {
            let pages = pages(&[site("a", "Alpha")], &proofs(&[false], &past(count)));
            for (home, href) in [("fr", "/fr/historique/"), ("en", "/en/history/")] {
                let home = &pages[&format!("{home}/index.html")];
                let all = &pages[&format!("{}index.html", &href[1..])];
                assert_eq!(home.contains(&format!("href=\"{href}\"")), is_more, "{count}: {home}");
                let rows = |html: &str| html.matches("<li><time").count() as i64;
                assert_eq!((rows(home), rows(all)), (count.min(10), count), "{all}");
            }
        }
    }

    #[test]
    fn every_service_is_found_by_its_letter_and_pages_are_short() {
        let count = ROWS_MAX + 1;
        let mut sites: Vec<_> =
            (0..count).map(|at| site(&format!("s{at}"), &format!("Élan {at}"))).collect();
        sites.push(site("n", "911"));
        let pages = pages(&sites, &proofs(&vec![false; sites.len()], &[]));
        let index = &pages["en/a-z/index.html"];
        assert!(index.contains("/en/a-z/e/") && index.contains("/en/a-z/0/"), "{index}");
        let rows = |path: &str| pages[path].matches("<tr><th scope=\"row\">").count();
        assert_eq!((rows("en/a-z/e/index.html"), rows("en/a-z/e/2/index.html")), (ROWS_MAX, 1));
        assert_eq!(rows("en/a-z/0/index.html"), 1);
        assert!(pages["en/a-z/e/index.html"].contains("href=\"/en/a-z/e/2/\" rel=\"next\""));
    }

    #[test]
    fn a_code_of_a_sector_cannot_leave_its_folder() {
        assert_eq!(sector_href(Lang::Fr, "../../x y"), "/fr/secteur/xy/");
    }
}
