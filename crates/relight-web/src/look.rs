//! How somebody wants pages to look: light or dark, and with how much contrast.

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Light {
    /// As the system of the reader says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Light {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name, in forms and cookies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The choice of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|light| light.as_str() == name)
    }
}

/// The choice of one reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Light or dark.
    pub light: Light,
    /// More contrast, whatever the system says; else as the system says.
    pub more_contrast: bool,
}

impl Look {
    /// As a cookie holds it.
    pub fn as_text(self) -> String {
        format!("{}{}", self.light.as_str(), if self.more_contrast { "-more" } else { "" })
    }

    /// What a cookie holds; anything else is no choice.
    pub fn parse(text: &str) -> Option<Self> {
        let (light, more_contrast) = match text.strip_suffix("-more") {
            Some(light) => (light, true),
            None => (text, false),
        };
        Some(Self { light: Light::parse(light)?, more_contrast })
    }

    /// For which media the dark sheet counts; `None` for none. Paper is always light.
    pub(crate) const fn dark_media(self) -> Option<&'static str> {
        match self.light {
            Light::System => Some("screen and (prefers-color-scheme: dark)"),
            Light::Light => None,
            Light::Dark => Some("screen"),
        }
    }

    /// For which media the sheet of more contrast counts.
    pub(crate) const fn contrast_media(self) -> &'static str {
        if self.more_contrast { "all" } else { "(prefers-contrast: more)" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_comes_back_and_nothing_else_is_one() {
        for light in Light::ALL {
            for more_contrast in [false, true] {
                let look = Look { light, more_contrast };
                assert_eq!(Look::parse(&look.as_text()), Some(look));
            }
        }
        for text in ["", "-more", "dark-", "dark-more-more", "DARK", "sepia", "dark; Path=/"] {
            assert_eq!(Look::parse(text), None, "{text}");
        }
    }

    #[test]
    fn who_chose_nothing_follows_the_system() {
        let system = Look::default();
        assert!(system.dark_media().is_some_and(|it| it.contains("prefers-color-scheme: dark")));
        assert!(system.contrast_media().contains("prefers-contrast: more"));
        let dark = Look { light: Light::Dark, more_contrast: true };
        assert_eq!((dark.dark_media(), dark.contrast_media()), (Some("screen"), "all"));
        assert_eq!(Look { light: Light::Light, ..system }.dark_media(), None);
    }
}
