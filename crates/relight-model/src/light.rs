//! What visitors must see, what they were seen to get, and what a wall of lights shows.

/// What visitors must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Light {
    /// The site itself.
    Lit,
    /// The holding page.
    Dark,
}

/// What a probe or a read-back saw. After an error nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// The site itself.
    Lit,
    /// The holding page of that very site.
    Dark,
    /// Neither for certain.
    #[default]
    Unknown,
}

impl From<Light> for Seen {
    fn from(light: Light) -> Self {
        match light {
            Light::Lit => Self::Lit,
            Light::Dark => Self::Dark,
        }
    }
}

/// Fencing token of a controller: an older one never overwrites a newer one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch {
    /// Grows each time a controller takes the lease.
    pub term: u64,
    /// Journal number of the newest entry in the wanted set.
    pub seq: u64,
}

/// The one state in which a site is drawn (EXPERIENCE: first match wins, counts sum to the total).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisplayState {
    /// Dark is wanted and not proven.
    DarkRequested,
    /// Seen lit while the verdict is affected.
    Exposed,
    /// Seen lit after a verified fix.
    RelitFixed,
    /// Seen lit, else.
    Online,
    /// Proven dark, the fix is being verified.
    Verifying,
    /// Proven dark, a fix has begun.
    Fixing,
    /// Proven dark, the verdict is affected.
    Affected,
    /// Proven dark, analysis is running.
    Analysing,
    /// Proven dark, else.
    Dark,
}

impl DisplayState {
    /// Every state, in order of precedence.
    pub const ALL: [Self; 9] = [
        Self::DarkRequested,
        Self::Exposed,
        Self::RelitFixed,
        Self::Online,
        Self::Verifying,
        Self::Fixing,
        Self::Affected,
        Self::Analysing,
        Self::Dark,
    ];

    /// The stable name in documents, queries and keys of the catalogue (`dark-requested`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DarkRequested => "dark-requested",
            Self::Exposed => "exposed",
            Self::RelitFixed => "relit-fixed",
            Self::Online => "online",
            Self::Verifying => "verifying",
            Self::Fixing => "fixing",
            Self::Affected => "affected",
            Self::Analysing => "analysing",
            Self::Dark => "dark",
        }
    }

    /// The letter under which pages and event streams carry it.
    pub const fn letter(self) -> char {
        match self {
            Self::DarkRequested => 'q',
            Self::Exposed => 'e',
            Self::RelitFixed => 'f',
            Self::Online => 'o',
            Self::Verifying => 'v',
            Self::Fixing => 'x',
            Self::Affected => 'a',
            Self::Analysing => 'n',
            Self::Dark => 'd',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = DisplayState::ALL.map(DisplayState::as_str).into();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DisplayState::ALL.len());
    }

    #[test]
    fn letters_are_unique() {
        let mut letters: Vec<char> = DisplayState::ALL.map(DisplayState::letter).into();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), DisplayState::ALL.len());
    }

    #[test]
    fn a_newer_term_beats_any_sequence() {
        assert!(Epoch { term: 2, seq: 0 } > Epoch { term: 1, seq: u64::MAX });
    }
}
