//! What the words of a filter are looked for in: the names of each site, in lower case.

use std::sync::{Arc, Mutex, PoisonError};

use relight_engine::live::BoardSite;

/// What stands between two names of a site; nobody types it.
const BETWEEN: char = '\u{0}';

/// The sites that were last asked about, and their names. Whoever types asks for all of them at
/// every key, and sites seldom change: making ten thousand texts small took longer than finding
/// words in them.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    sites: Arc<[BoardSite]>,
    names: Arc<[String]>,
}

impl Names {
    /// The names of these sites, in their order.
    pub(crate) fn of(&self, sites: &Arc<[BoardSite]>) -> Arc<[String]> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&last.sites, sites) {
            let names = sites.iter().map(names).collect();
            *last = Last { sites: Arc::clone(sites), names };
        }
        Arc::clone(&last.names)
    }
}

fn names(site: &BoardSite) -> String {
    let BoardSite { slug, name_fr, name_en, organisation, .. } = site;
    let mut text = String::with_capacity(slug.len() + name_fr.len() + name_en.len() + 64);
    for name in [slug, name_fr, name_en, organisation] {
        text.push_str(&name.to_lowercase());
        text.push(BETWEEN);
    }
    text
}

/// What somebody typed, as it is looked for.
pub(crate) fn words(typed: &str) -> String {
    typed.trim().to_lowercase().replace(BETWEEN, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(name: &str) -> Arc<[BoardSite]> {
        let site = BoardSite {
            sector: "health".into(),
            organisation: "Santé Nord".into(),
            slug: "san-001".into(),
            name_fr: name.into(),
            name_en: "Booking".into(),
            public: true,
            channel: Default::default(),
        };
        [site].into()
    }

    #[test]
    fn words_are_found_in_each_name_whatever_their_letters_and_never_across_two() {
        let known = Names::default();
        let names = known.of(&sites("ÉTÉ à Québec"));
        for (typed, is_found) in [
            ("", true),
            (" San-001 ", true),
            ("été À", true),
            ("BOOK", true),
            ("santé n", true),
            ("booking santé", false),
            ("san-001\u{0}été", false),
            ("health", false),
        ] {
            assert_eq!(names[0].contains(&words(typed)), is_found, "{typed:?}");
        }
    }

    #[test]
    fn names_follow_the_sites() {
        let known = Names::default();
        let (old, new) = (sites("avant"), sites("après"));
        assert!(known.of(&old)[0].contains("avant"));
        assert!(Arc::ptr_eq(&known.of(&old), &known.of(&old)), "made once");
        assert!(known.of(&new)[0].contains("après"));
        assert!(known.of(&old)[0].contains("avant"));
    }
}
