//! Terminals that wait to be let in. They are kept in memory only: after a restart a terminal hears
//! that nobody knows it, and is started again.
//!
//! Whoever reaches the console may ask, so that the places are shared out: where all are taken, the
//! network that has the most gives one up. Who was let in, or is being looked at by a person, keeps
//! its place. So nobody is held up by whoever floods from elsewhere; and whoever floods from the
//! same address must ask faster than a person reads a code.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use relight_engine::access::{Role, Scope};
use relight_model::{Digest, Timestamp};

use super::digest_of;
use super::form::{Sender, network};
use super::limit::Limits;
use super::terminal::{Granted, Heard, POLL_S_MIN, TerminalWish, WAIT_S_MAX, shown};

/// Terminals that wait at one time, in a few megabytes.
const WAITING_MAX: usize = 10_000;

/// Codes that one account may try in a minute from all its addresses together.
const GUESSES_MAX: u32 = 30;

/// For how long a token is given out again that nobody has used, in seconds.
const TAKEN_S_MAX: i64 = 60;

/// A terminal that waits for an answer.
#[derive(Clone, Debug)]
pub(crate) struct Terminal {
    /// Digest of its own secret.
    id: Digest,
    pub(super) code: String,
    pub(crate) wish: TerminalWish,
    pub(crate) from: Sender,
    pub(crate) since: Timestamp,
    network: String,
    asked: Timestamp,
    interval: i64,
    /// The account that typed its code last.
    seen_by: Option<u32>,
    answer: Option<Answer>,
}

/// What a person decided.
#[derive(Clone)]
pub(super) enum Answer {
    Refused,
    LetIn(LetIn),
    /// It was given its token, then.
    Taken(Granted, Timestamp),
}

/// What a person lets a terminal be.
#[derive(Clone, Debug)]
pub(super) struct LetIn {
    pub(super) account: u32,
    /// The key that signed for it.
    pub(super) credential: Vec<u8>,
    pub(super) role: Role,
    pub(super) scope: Scope,
}

impl fmt::Debug for Answer {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("Refused"),
            Self::LetIn(grant) => f.debug_tuple("LetIn").field(grant).finish(),
            Self::Taken(_, at) => f.debug_tuple("Taken").field(at).finish(),
        }
    }
}

impl Terminal {
    pub(super) fn new(
        (id, code): (Digest, String),
        wish: TerminalWish,
        from: &Sender,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            code,
            wish,
            from: from.clone(),
            since: now,
            network: network(&from.address),
            asked: now,
            interval: POLL_S_MIN,
            seen_by: None,
            answer: None,
        }
    }

    /// What a passkey signs: this terminal, as this role, there, for so long.
    pub(crate) fn terms(&self, role: Role, scope: &Scope) -> Digest {
        let text = format!("{} {} {scope} {}", self.id, role.as_str(), self.wish.days);
        digest_of(text.as_bytes())
    }

    /// Its code, as it shows it.
    pub(crate) fn code(&self) -> String {
        shown(&self.code)
    }

    const fn is_open(&self) -> bool {
        self.answer.is_none()
    }

    /// Whether nobody pushes it out: persons are limited, strangers are not.
    const fn keeps_place(&self) -> bool {
        let is_let_in = matches!(self.answer, Some(Answer::LetIn(..) | Answer::Taken(..)));
        is_let_in || self.seen_by.is_some()
    }

    /// Whether it is over; a clock that is set back ends nobody's wait.
    fn is_over(&self, now: Timestamp) -> bool {
        match &self.answer {
            Some(Answer::Taken(_, at)) => now >= at + TAKEN_S_MAX,
            _ => now >= self.since + WAIT_S_MAX,
        }
    }
}

/// Takes the place of one that waits, where all are taken: the oldest of the network that has the
/// most.
pub(super) fn make_room(waiting: &mut Vec<Terminal>) {
    if waiting.len() < WAITING_MAX {
        return;
    }
    let mut shares: BTreeMap<&str, usize> = BTreeMap::new();
    for it in waiting.iter().filter(|it| !it.keeps_place()) {
        *shares.entry(&it.network).or_default() += 1;
    }
    let most = shares.values().max().copied();
    let is_most = |it: &Terminal| shares.get(it.network.as_str()).copied() == most;
    let oldest = waiting.iter().position(|it| !it.keeps_place() && is_most(it));
    if let Some(oldest) = oldest {
        waiting.remove(oldest);
    }
}

/// Those that wait, and how often somebody typed a code.
#[derive(Debug)]
pub(crate) struct Terminals {
    waiting: Mutex<Vec<Terminal>>,
    /// Of an account from one address.
    pub(super) typing: Limits,
    /// Of an account from everywhere.
    pub(super) guessing: Limits,
}

impl Default for Terminals {
    fn default() -> Self {
        let (typing, guessing) = (Limits::default(), Limits::of(GUESSES_MAX));
        Self { waiting: Mutex::default(), typing, guessing }
    }
}

impl Terminals {
    /// Those that wait now, without those that waited too long.
    pub(super) fn now(&self, now: Timestamp) -> MutexGuard<'_, Vec<Terminal>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|it| !it.is_over(now));
        waiting
    }

    /// The one with a code, which from now on keeps its place; an account keeps one for one
    /// terminal at a time.
    pub(super) fn seen(&self, code: &str, account: u32, now: Timestamp) -> Option<Terminal> {
        let mut waiting = self.now(now);
        let at = waiting.iter().position(|it| it.code == code && it.is_open())?;
        let own = waiting.iter_mut().filter(|it| it.seen_by == Some(account));
        own.for_each(|it| it.seen_by = None);
        waiting[at].seen_by = Some(account);
        Some(waiting[at].clone())
    }

    /// Keeps an answer, where it still waits for one.
    pub(super) fn decide(&self, terminal: &Terminal, answer: Answer, now: Timestamp) -> bool {
        let mut waiting = self.now(now);
        let mut open = waiting.iter_mut().filter(|it| it.is_open());
        let Some(found) = open.find(|it| it.id == terminal.id) else { return false };
        found.answer = Some(answer);
        true
    }

    /// What one hears that asks, unless a person answered.
    pub(super) fn asked(&self, id: &Digest, now: Timestamp) -> Option<Heard> {
        let mut waiting = self.now(now);
        let Some(terminal) = waiting.iter_mut().find(|it| it.id == *id) else {
            return Some(Heard::Over);
        };
        let is_soon = (terminal.asked..terminal.asked + terminal.interval).contains(&now);
        terminal.asked = now;
        if is_soon {
            terminal.interval += POLL_S_MIN;
            return Some(Heard::TooSoon(terminal.interval));
        }
        terminal.is_open().then_some(Heard::Waiting)
    }

    /// What a person answered one, and what it had asked for.
    pub(super) fn answer(&self, id: &Digest, now: Timestamp) -> Option<(Answer, TerminalWish)> {
        let waiting = self.now(now);
        let found = waiting.iter().find(|it| it.id == *id)?;
        Some((found.answer.clone()?, found.wish.clone()))
    }

    /// That one was given its token; the first time counts.
    pub(super) fn took(&self, id: &Digest, granted: &Granted, now: Timestamp) {
        let mut waiting = self.now(now);
        if let Some(found) = waiting.iter_mut().find(|it| it.id == *id)
            && !matches!(found.answer, Some(Answer::Taken(..)))
        {
            found.answer = Some(Answer::Taken(granted.clone(), now));
        }
    }

    pub(super) fn forget(&self, id: &Digest, now: Timestamp) {
        self.now(now).retain(|it| it.id != *id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::access::terminal::Codes;
    use crate::access::{Address, Door};

    static NOW_S: AtomicI64 = AtomicI64::new(0);

    fn door(clock_ms: fn() -> i64) -> Door {
        let address = Address::parse("http://localhost:1").unwrap();
        Door::open(None, address, clock_ms).unwrap()
    }

    fn ask(door: &Door, address: &str) -> Codes {
        let wish = TerminalWish { name: "zoe@laptop\u{1b}[31m".into(), role: None, days: 30 };
        let from = Sender { address: address.into(), agent: String::new() };
        door.ask_for_terminal(wish, &from).unwrap()
    }

    /// One test, because its clock is one: who asks, how often, and until when. No other test may
    /// read that clock, as both may run in one process at the same time.
    #[test]
    fn strangers_fill_nothing_and_wait_for_a_while() {
        let door = door(|| NOW_S.load(Ordering::SeqCst) * 1_000);
        let codes = ask(&door, "198.51.100.1");
        assert_eq!((codes.user.len(), codes.device.len()), (9, 27));
        assert_eq!(door.terminals.now(0)[0].wish.name, "zoe@laptop[31m");
        let hear = |second| {
            NOW_S.store(second, Ordering::SeqCst);
            door.hear(&codes.device).unwrap()
        };
        assert!(matches!(hear(4), Heard::TooSoon(10)));
        assert!(matches!(hear(13), Heard::TooSoon(15)), "it did not wait for ten seconds");
        assert!(matches!(hear(-60), Heard::Waiting), "a clock was set back");
        assert!(matches!(door.hear("another").unwrap(), Heard::Over));
        assert!(matches!(hear(WAIT_S_MAX - 1), Heard::Waiting));
        assert!(matches!(hear(WAIT_S_MAX), Heard::Over), "ten minutes");
        assert!(door.terminals.now(WAIT_S_MAX).is_empty());
    }

    /// Goal: a flood from one network takes places of that network only. Method: all places are
    /// taken, under a clock that stands still, and five more ask.
    #[test]
    fn whoever_floods_pushes_out_nobody_else() {
        let door = door(|| 0);
        let honest = ask(&door, "192.0.2.1");
        let [looked_at, let_in] = [(); 2].map(|()| ask(&door, "2001:db8::7"));
        let find = |codes: &Codes| {
            let id = digest_of(codes.device.as_bytes());
            door.terminals.now(0).iter().find(|it| it.id == id).cloned()
        };
        let plain = find(&looked_at).unwrap().code;
        assert!(door.terminals.seen(&plain, 7, 0).is_some());
        let grant =
            LetIn { account: 7, credential: Vec::new(), role: Role::Viewer, scope: Scope::root() };
        let terminal = find(&let_in).unwrap();
        let answer = Answer::LetIn(grant);
        assert!(door.terminals.decide(&terminal, answer, 0));
        let first = ask(&door, "2001:db8::1");
        // One network, however many addresses it has.
        let mut waiting = door.terminals.now(0);
        for number in waiting.len()..WAITING_MAX {
            let address = format!("2001:db8::{number:x}:1");
            let from = Sender { address, agent: String::new() };
            let known = (digest_of(&number.to_be_bytes()), number.to_string());
            waiting.push(Terminal::new(known, terminal.wish.clone(), &from, 0));
        }
        drop(waiting);
        for number in 0..5 {
            ask(&door, &format!("2001:db8::9:{number}"));
        }
        assert_eq!(door.terminals.now(0).len(), WAITING_MAX);
        assert!([&honest, &looked_at, &let_in].map(|it| find(it).is_some()) == [true; 3]);
        assert!(find(&first).is_none(), "its own network was too fast");
        assert!(find(&ask(&door, "192.0.2.1")).is_some(), "the same office again");
        // Of one account, one at a time: who looks at many keeps out nobody.
        let other = find(&honest).unwrap().code;
        assert!(door.terminals.seen(&other, 7, 0).is_some());
        assert_eq!(door.terminals.now(0).iter().filter(|it| it.seen_by.is_some()).count(), 1);
    }
}
