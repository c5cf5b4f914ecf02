//! What waits for a reader: plans that somebody has to agree to, and glass that was broken.

use relight_engine::Engine;
use relight_engine::access::Role;
use relight_engine::incident::Action;
use relight_engine::policy::{Desk, Means, Person};
use relight_web::{Lang, texts};

use super::{Asked, Console, act};
use crate::access::SignedIn;
use crate::access::signed_in::{Factor, Reader};

/// Roles that the head names; the others are counted.
const ROLES_MAX: usize = 2;

/// What waits, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// How many people agreed to the only plan that waits, or how many plans do; empty when none
    /// does.
    pub(crate) plans: String,
    /// That some of them wait for this reader; empty when none does.
    pub(crate) asked: String,
    /// Glass was broken, and nobody looked at it yet.
    pub(crate) glass: bool,
}

impl Waits {
    /// What waits for whoever is signed in; nothing for others.
    pub(crate) fn of(engine: &Engine, reader: &Reader, lang: Lang) -> Self {
        let Reader::Signed(signed) = reader else { return Self::default() };
        let now = engine.now();
        let is_told =
            |action: &&Action| action.is_open(now) && act::reads_plan(signed, &action.plan);
        let (waits, glass) = engine.with_ledger(|ledger| {
            let actions = ledger.actions();
            (actions.newest().any(|action| is_told(&action)), actions.unreviewed().next().is_some())
        });
        if !waits {
            return Self { glass, ..Self::default() };
        }
        // It is read from a file and checked; most of the time nothing waits.
        let policy = act::policy_of(engine);
        // As this reader is once a passkey signed, or a provider vouched for him once more.
        let means = if signed.factor == Factor::Token { Means::Token } else { Means::Passkey };
        let account = &signed.account;
        let person = Person { name: account.name.clone(), grants: account.grants.clone(), means };
        let protected = std::collections::BTreeSet::new();
        engine.with_ledger(|ledger| {
            let actions = ledger.actions();
            let open: Vec<&Action> = actions.newest().filter(is_told).collect();
            let desk = Desk { policy: &policy, actions, protected: &protected, now };
            let is_asked = |action: &&&Action| {
                let typed = Some(action.plan.sites.len());
                desk.approve(&person, action.number, action.hash, typed).is_ok()
            };
            let asked: Vec<&&Action> = open.iter().filter(is_asked).collect();
            Self {
                plans: plans(lang, &open),
                asked: match asked.as_slice() {
                    [] => String::new(),
                    [one] => texts::live_asked(lang, &one.id()),
                    more => texts::live_asked_many(lang, more.len()),
                },
                glass,
            }
        })
    }
}

/// The plans that wait: how many people agreed to the only one, or how many plans there are.
fn plans(lang: Lang, open: &[&Action]) -> String {
    match open {
        [] => String::new(),
        [one] => {
            let (signed, seats) = (one.signatures.len(), one.seats.len());
            texts::act_seats_wait(lang, &one.id(), seats, signed)
        }
        more => texts::act_one_waits(lang, more.len()),
    }
}

impl Console {
    /// Whether glass was broken and nobody looked at it yet: whoever is signed in is told on every
    /// page.
    pub(super) fn glass(&self, asked: &Asked) -> bool {
        let Some(engine) = &self.engine else { return false };
        matches!(asked.reader, Reader::Signed(_))
            && engine.with_ledger(|ledger| ledger.actions().unreviewed().next().is_some())
    }
}

/// The roles of whoever is signed in, for the head of every page: the first ones by name, how many
/// more there are.
pub(super) fn roles(lang: Lang, reader: &Reader) -> String {
    let Reader::Signed(SignedIn { account, .. }) = reader else { return String::new() };
    let held: Vec<Role> = Role::ALL.into_iter().filter(|role| account.is(*role)).collect();
    let word = |role: &Role| texts::by_code(lang, &format!("role-{}", role.as_str()));
    let mut words: Vec<String> =
        held.iter().take(ROLES_MAX).filter_map(word).map(str::to_owned).collect();
    if held.len() > ROLES_MAX {
        words.push(format!("+{}", held.len() - ROLES_MAX));
    }
    words.join(", ")
}
