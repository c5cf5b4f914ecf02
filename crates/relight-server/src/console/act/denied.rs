//! Why an act was not done, told the same to a page and to a program.

use relight_engine::EngineError;
use relight_engine::grants::{Replay, Unsendable};
use relight_engine::incident::Tried;
use relight_web::{Lang, texts, words};

use crate::signs::Unsaid;
use crate::told_words::Wrong;

/// Why an act was not done: there is none of its name, a role is missing, nobody looked for signs
/// of compromise, a fix did not pass, a payload cannot be sent, or the engine says no.
#[derive(Debug)]
pub(crate) enum Denied {
    /// No site can be looked after like this.
    NoSuchAct,
    /// Words are missing in a language of the public page.
    Untranslated,
    /// Words say what is not said in public, or not without Command.
    Words(Wrong),
    /// Nobody granted it.
    Role,
    /// Whoever has a passkey signs this with it, and only this page asks for it.
    OnPage(String),
    /// That this site showed no signs of compromise cannot be said.
    Signs(Unsaid),
    /// The fix of this site was tried and did not pass.
    NotVerified(String, Option<Tried>),
    /// A control let so many of so many payloads through.
    LetThrough(Replay),
    /// What a control must stop cannot be sent.
    Payloads(Unsendable),
    /// The engine's reason.
    Engine(EngineError),
}

/// What stands in the way of an act as things are: the same for a page and for a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// Stable name of what stands in the way.
    pub(crate) code: &'static str,
    /// What it is.
    pub(crate) what: String,
    /// What to do next.
    pub(crate) remedy: &'static str,
}

impl Denied {
    /// What stands in the way as things are; nothing where the request itself, a role or the engine
    /// does.
    pub(crate) fn conflict(&self, lang: Lang) -> Option<Conflict> {
        let (code, what, remedy) = match self {
            Self::Signs(unsaid) => {
                ("signs-refused", unsaid.text(lang), texts::act_signs_refused_remedy(lang))
            }
            Self::NotVerified(site, tried) => {
                let what = not_verified(lang, site, tried.as_ref());
                ("not-verified", what, texts::act_not_verified_remedy(lang))
            }
            Self::LetThrough(replay) => {
                let what = texts::payloads_blocked(lang, replay.blocked, replay.sent);
                ("let-through", what, texts::payloads_blocked_remedy(lang))
            }
            Self::NoSuchAct
            | Self::Untranslated
            | Self::Words(_)
            | Self::Role
            | Self::OnPage(_)
            | Self::Payloads(_)
            | Self::Engine(_) => return None,
        };
        Some(Conflict { code, what, remedy })
    }
}

impl From<EngineError> for Denied {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// That a fix is not verified, and why.
pub(super) fn not_verified(lang: Lang, site: &str, tried: Option<&Tried>) -> String {
    let what = texts::not_verified(lang, site);
    match tried {
        Some(tried) => texts::labelled(lang, &what, &words::tried(lang, &tried.why, &tried.detail)),
        None => what,
    }
}
