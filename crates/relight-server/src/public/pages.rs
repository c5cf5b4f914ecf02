//! The pages for people: a sentence, a bar, sectors, services.

use relight_model::Timestamp;
use relight_web::public_views::{PublicHome, PublicSector, PublicSectorPage, PublicService};
use relight_web::{Lang, number, texts, words};

use super::{Seen, alphabetical};
use crate::console::name;
use crate::page::encode;

/// The first page.
pub(super) fn home(seen: &Seen<'_>, lang: Lang, now: Timestamp) -> PublicHome {
    let sector = |code: &&str| {
        let inside = seen.sector(code);
        PublicSector {
            name: words::sector(lang, code).to_owned(),
            href: sector_href(lang, code),
            text: texts::public_sector_count(lang, inside.lit(), inside.total()),
        }
    };
    PublicHome {
        lang,
        title: texts::public_title(lang).to_owned(),
        back: false,
        switch_href: format!("/{}/", lang.other().tag()),
        sentence: sentence(seen, lang),
        progress: progress(seen, lang),
        lit_permille: permille(seen),
        precaution: if seen.lit() == seen.total() {
            texts::public_all_lit(lang)
        } else {
            texts::public_precaution(lang)
        },
        sectors: seen.sectors(lang).iter().map(sector).collect(),
        updated_at: number::rfc3339(now),
        updated: updated(lang, now),
    }
}

/// The services of one sector; `seen` holds that sector only.
pub(super) fn sector(seen: &Seen<'_>, code: &str, lang: Lang, now: Timestamp) -> PublicSectorPage {
    let service =
        |(site, lit): &(&_, bool)| PublicService { name: name(site, lang).to_owned(), lit: *lit };
    let mut services: Vec<PublicService> = seen.sites.iter().map(service).collect();
    services.sort_by_cached_key(|service| alphabetical(&service.name));
    PublicSectorPage {
        lang,
        title: words::sector(lang, code).to_owned(),
        back: true,
        switch_href: sector_href(lang.other(), code),
        sentence: sentence(seen, lang),
        progress: progress(seen, lang),
        lit_permille: permille(seen),
        services,
        updated_at: number::rfc3339(now),
        updated: updated(lang, now),
    }
}

fn sector_href(lang: Lang, code: &str) -> String {
    match lang {
        Lang::Fr => format!("/fr/secteur/{}", encode(code)),
        Lang::En => format!("/en/sector/{}", encode(code)),
    }
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

fn permille(seen: &Seen<'_>) -> usize {
    seen.lit() * 1000 / seen.total().max(1)
}

fn updated(lang: Lang, now: Timestamp) -> String {
    let date = number::rfc3339(now);
    texts::public_utc(lang, date.get(..10).unwrap_or_default(), &number::clock(lang, now))
}

#[cfg(test)]
mod tests {
    use relight_engine::live::BoardSite;

    use super::*;

    fn site(slug: &str) -> BoardSite {
        BoardSite {
            sector: "health".into(),
            organisation: "o".into(),
            slug: slug.into(),
            name_fr: String::new(),
            name_en: format!("{slug} <b>"),
            public: true,
        }
    }

    #[test]
    fn sentences_sum_to_the_total() {
        let sites = [site("a"), site("b"), site("c")];
        let seen = Seen::of(&sites, &[true, false, true]);
        assert_eq!(
            sentence(&seen, Lang::Fr),
            "1 service sur 3 est en ligne. 2 sont hors ligne par précaution."
        );
        assert_eq!(
            sentence(&seen, Lang::En),
            "1 of 3 services is online. 2 are offline as a precaution."
        );
        assert_eq!(progress(&seen, Lang::En), "33.3% of services are online");
        let lit = Seen::of(&sites, &[false; 3]);
        assert_eq!(sentence(&lit, Lang::Fr), "3 services sur 3 sont en ligne.");
    }

    #[test]
    fn names_are_text() {
        let sites = [site("a")];
        let page = sector(&Seen::of(&sites, &[true]), "health", Lang::En, 0);
        let html = relight_web::render(&page).unwrap();
        assert!(html.contains("a &#60;b&#62;") && !html.contains("<b>"), "{html}");
        assert!(html.contains(r#"<time datetime="1970-01-01T00:00:00Z">1970-01-01, 0:00 UTC"#));
    }
}
