//! The two languages, and how one is chosen.

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// French (Québec).
    Fr,
    /// English (Canada).
    En,
}

impl Lang {
    /// Both, French first.
    pub const ALL: [Self; 2] = [Self::Fr, Self::En];

    /// Reads a language tag or a locale name: `fr`, `fr-CA`, `fr_CA.UTF-8`, `EN`.
    /// `C`, `POSIX` and other languages are `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let primary = text.split(['-', '_', '.', '@']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("fr") {
            Some(Self::Fr)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The language of the command line, from the environment: `RELIGHT_LANG`, then the first of
    /// `LC_ALL`, `LC_MESSAGES` and `LANG` that is not empty (POSIX.1-2024, 8.2).
    /// `C`, `POSIX`, another language or nothing: English.
    ///
    /// `variable` looks a variable up, so that tests need no process environment.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let own = variable("RELIGHT_LANG").and_then(|text| Self::parse(&text));
        own.unwrap_or_else(|| {
            ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .find_map(|name| variable(name).filter(|value| !value.is_empty()))
                .and_then(|locale| Self::parse(&locale))
                .unwrap_or(Self::En)
        })
    }

    /// The tag of BCP 47, as in HTML's `lang` and in addresses.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Fr => Self::En,
            Self::En => Self::Fr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(environment: &[(&str, &str)]) -> Lang {
        Lang::from_environment(|name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn tags_and_locales() {
        for text in ["fr", "FR", "fr-CA", "fr_CA.UTF-8", "fr@euro"] {
            assert_eq!(Lang::parse(text), Some(Lang::Fr), "{text}");
        }
        assert_eq!(Lang::parse("en_CA"), Some(Lang::En));
        for text in ["", "C", "C.UTF-8", "POSIX", "de_DE", "french"] {
            assert_eq!(Lang::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_variable_that_speaks_decides() {
        assert_eq!(chosen(&[]), Lang::En);
        assert_eq!(chosen(&[("LANG", "fr_CA.UTF-8")]), Lang::Fr);
        assert_eq!(chosen(&[("LANG", "fr_CA.UTF-8"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(chosen(&[("LANG", "fr_CA.UTF-8"), ("LC_ALL", "")]), Lang::Fr);
        assert_eq!(chosen(&[("LC_MESSAGES", "fr"), ("LANG", "en")]), Lang::Fr);
        assert_eq!(chosen(&[("RELIGHT_LANG", "fr"), ("LC_ALL", "en_CA")]), Lang::Fr);
        assert_eq!(chosen(&[("RELIGHT_LANG", "xx"), ("LC_ALL", "fr_CA")]), Lang::Fr);
    }

    #[test]
    fn tags_read_back() {
        for lang in Lang::ALL {
            assert_eq!(Lang::parse(lang.tag()), Some(lang));
            assert_eq!(lang.other().other(), lang);
        }
    }
}
