//! What the scope of a component makes of a finding.

use relight_model::{Component, Scope};

use crate::opinion::{Stand, Why};

/// What it means for a site that a component has a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The site has it.
    Counts,
    /// Only a lock file or a build document names it: the site may have it.
    Declared,
    /// It built a program and is no part of it: nothing, except where it is malicious itself.
    Built,
    /// Nothing: what is installed by the same name decides.
    Nothing,
}

impl Standing {
    pub(crate) fn of(component: &Component) -> Self {
        match component.scope {
            Scope::Build => Self::Built,
            Scope::Superseded => Self::Nothing,
            _ if component.is_only_declared() => Self::Declared,
            Scope::Installed | Scope::Declared => Self::Counts,
        }
    }

    /// Whether it means anything, for all that is known of it alone.
    pub(crate) fn is_meant(self) -> bool {
        matches!(self, Self::Counts | Self::Declared)
    }

    /// The same for a package that is malicious, or has a flaw. A malicious one that ran where a
    /// program was built may have put anything into it.
    pub(crate) fn against(self, is_malicious: impl FnOnce() -> bool) -> Self {
        match self {
            Self::Built if is_malicious() => Self::Declared,
            Self::Built => Self::Nothing,
            standing => standing,
        }
    }

    /// "Affected", as far as it holds for the site.
    pub(crate) fn affected(self, stand: Stand) -> Stand {
        match (self, stand) {
            (Self::Declared, Stand::Affected) => Stand::Unknown(Why::DeclaredOnly),
            (_, stand) => stand,
        }
    }
}
