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
    /// Nothing: it built a program and is no part of it, or what is installed by the same name
    /// decides.
    Nothing,
}

impl Standing {
    pub(crate) fn of(component: &Component) -> Self {
        match component.scope {
            Scope::Build | Scope::Superseded => Self::Nothing,
            _ if component.is_only_declared() => Self::Declared,
            Scope::Installed | Scope::Declared => Self::Counts,
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
