//! Who is signed in: what handlers ask for, and get from the guard.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use relight_engine::access::{Account, Grant, Role, Scope};
use relight_model::{Digest, Timestamp};

use super::FRESH_S_MAX;

/// How somebody proved to be somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// A passkey, with the user verified by the authenticator.
    Passkey,
    /// A provider of identities, which says that a second factor was shown, in words that the
    /// signed policy names. Without that nobody comes in through one.
    Oidc,
    /// An API token: it acts for a person and never counts as one.
    Token,
}

impl Factor {
    /// The stable name used in documents and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            // One factor alone was `oidc`; a sign-in of that name is over.
            Self::Oidc => "oidc-strong",
            Self::Token => "token",
        }
    }

    /// The factor of a stable name.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Passkey, Self::Oidc, Self::Token];
        all.into_iter().find(|factor| factor.as_str() == text)
    }
}

/// Somebody who is signed in. As an extractor it refuses everybody else with status 401.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who, with the roles that count for this request: those of a token are its own.
    pub account: Account,
    /// With what.
    pub factor: Factor,
    /// When a passkey was last shown in this sign-in, or a second factor to a provider; 0 for
    /// never.
    pub shown: Timestamp,
    /// The sign-in or token itself.
    pub sign_in: Digest,
}

impl SignedIn {
    /// Whether it holds a role for a scope.
    pub fn may(&self, role: Role, scope: &Scope) -> bool {
        self.account.may(role, scope)
    }

    /// Whether it counts as a person who decides (approves, switches, grants): somebody with a
    /// passkey, never a token.
    pub fn is_person(&self) -> bool {
        self.factor == Factor::Passkey
    }

    /// Whether the passkey was shown so lately that dangerous acts need not ask for it again.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_person() && self.shown > 0 && now < self.shown + FRESH_S_MAX
    }

    /// Whether a provider says that a second factor was shown just now. It counts for plans where
    /// there is no passkey, and never for keys, tokens, accounts and grants.
    pub fn is_vouched(&self, now: Timestamp) -> bool {
        self.factor == Factor::Oidc && self.shown > 0 && now < self.shown + FRESH_S_MAX
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// Who reads: everybody while the door stands open, else somebody who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The console needs no sign-in: fictional data, or no account yet.
    #[default]
    Anyone,
    /// Somebody with the roles of an account.
    Signed(SignedIn),
}

impl Reader {
    /// Whether it may read about a scope.
    pub(crate) fn reads(&self, scope: &Scope) -> bool {
        match self {
            Self::Anyone => true,
            Self::Signed(signed) => signed.account.reads(scope),
        }
    }

    /// The roles of an account; none where nobody signs in.
    pub(crate) fn grants(&self) -> &[Grant] {
        match self {
            Self::Anyone => &[],
            Self::Signed(signed) => &signed.account.grants,
        }
    }

    /// Whether nothing was granted yet. A role for a body without sites is one: they may come.
    pub(crate) fn reads_nothing(&self) -> bool {
        matches!(self, Self::Signed(_)) && self.grants().is_empty()
    }

    /// Whether an account may read, and do nothing else: that of a wall.
    pub(crate) fn only_reads(&self) -> bool {
        match self {
            Self::Anyone => false,
            Self::Signed(signed) => {
                signed.account.grants.iter().all(|grant| grant.role == Role::Viewer)
            }
        }
    }

    /// Name of the account; empty for anyone.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Anyone => "",
            Self::Signed(signed) => &signed.account.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(factor: Factor, shown: Timestamp) -> SignedIn {
        let account = Account { id: 1, name: "anna".into(), grants: Vec::new() };
        SignedIn { account, factor, shown, sign_in: Digest::default() }
    }

    #[test]
    fn only_a_passkey_shown_lately_is_fresh() {
        assert!(signed(Factor::Passkey, 100).is_fresh(100 + FRESH_S_MAX - 1));
        assert!(!signed(Factor::Passkey, 100).is_fresh(100 + FRESH_S_MAX));
        assert!(!signed(Factor::Passkey, 0).is_fresh(1), "never shown");
        for factor in [Factor::Oidc, Factor::Token] {
            assert!(!signed(factor, 100).is_fresh(101), "{factor:?}");
            assert!(!signed(factor, 100).is_person());
            assert_eq!(signed(factor, 100).is_vouched(101), factor == Factor::Oidc);
            assert_eq!(Factor::parse(factor.as_str()), Some(factor));
        }
        assert!(!signed(Factor::Oidc, 100).is_vouched(100 + FRESH_S_MAX));
        assert!(!signed(Factor::Oidc, 0).is_vouched(1), "the provider did not say when");
        for nothing in ["password", "recovery", "oidc", ""] {
            assert_eq!(Factor::parse(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn without_a_role_nothing_is_read() {
        assert!(Reader::Anyone.reads(&Scope::root()));
        assert!(!Reader::Signed(signed(Factor::Passkey, 0)).reads(&Scope::root()));
    }
}
