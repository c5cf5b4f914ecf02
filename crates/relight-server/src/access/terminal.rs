//! Terminals that ask for a token (`relight login`), in the shape of RFC 8628: the terminal shows a
//! code, a person types it here, sees who asks for what, and lets it in with a passkey that signs
//! exactly that. The terminal then takes its token, once.
//!
//! Whoever asks is a stranger, and may have sent the code to somebody else. So no address holds a
//! code, a code says nothing to whoever is not signed in, and what is granted is never more than
//! the person has. What waits is kept in memory only: after a restart the terminal asks again.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use relight_engine::access::{Account, Role, Scope};
use relight_model::{Digest, Timestamp};

use super::ceremony::{Refusal, Shown, used};
use super::form::Sender;
use super::limit::{Limits, Trial};
use super::links::label_of;
use super::signed_in::{Factor, SignedIn};
use super::ticket::Purpose;
use super::token::Wish;
use super::{Door, Noted, digest_of, secret};
use crate::ServerError;

/// How long a terminal waits for its person, in seconds.
pub(crate) const WAIT_S_MAX: i64 = 10 * 60;

/// A terminal asks whether it was let in at most this often, in seconds; one that asks sooner waits
/// this much longer from then on (RFC 8628, 3.5).
pub(crate) const POLL_S_MIN: i64 = 5;

/// Terminals that wait at one time. Beyond it the oldest is forgotten and asks again.
const WAITING_MAX: usize = 1_000;

/// The same, of one address.
const WAITING_OF_ADDRESS_MAX: usize = 10;

/// Signs of a code: no vowels, so that it spells nothing, and none that look alike (RFC 8628, 6.1).
const SIGNS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Signs in a code: 34 bits, of which five may be tried in a minute, for ten minutes.
const CODE_SIGNS: usize = 8;

/// Random bytes with which the terminal itself is known: 160 bits.
const DEVICE_BYTES: usize = 20;

/// No terminal waits with a code.
const NO_TERMINAL: Refusal = Refusal::Rule("no-terminal");

/// What a terminal asks for.
#[derive(Clone, Debug)]
pub(crate) struct TerminalWish {
    /// What it calls itself, which nobody proved.
    pub(crate) name: String,
    /// What it wants to be, and where; else the person chooses.
    pub(crate) role: Option<(Role, Scope)>,
    /// How long its token lives.
    pub(crate) days: i64,
}

/// What a terminal is told: its own secret, and the code for its person.
pub(crate) struct Codes {
    pub(crate) device: String,
    pub(crate) user: String,
}

/// A terminal that waits for an answer.
#[derive(Clone, Debug)]
pub(crate) struct Terminal {
    /// Digest of its own secret.
    id: Digest,
    code: String,
    pub(crate) wish: TerminalWish,
    pub(crate) from: Sender,
    pub(crate) since: Timestamp,
    asked: Timestamp,
    interval: i64,
    answer: Option<Answer>,
}

/// What a person decided.
#[derive(Clone, Debug)]
enum Answer {
    Refused,
    LetIn { account: u32, role: Role, scope: Scope },
}

/// What a terminal hears that asks whether it was let in.
pub(crate) enum Heard {
    /// Nobody answered yet.
    Waiting,
    /// It asks too often, and now waits this many seconds in between.
    TooSoon(i64),
    /// Somebody refused.
    Refused,
    /// It waited too long, took its token already, or never asked.
    Over,
    /// Its token.
    Token(Granted),
}

/// A token, and what it is worth.
pub(crate) struct Granted {
    pub(crate) text: String,
    pub(crate) account: String,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
    pub(crate) expires: Timestamp,
}

/// What a person lets a terminal be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letting<'a> {
    pub(crate) code: &'a str,
    pub(crate) role: Role,
    pub(crate) scope: &'a Scope,
}

/// Those that wait, and how often somebody asked or typed a code.
#[derive(Debug, Default)]
pub(crate) struct Terminals {
    waiting: Mutex<Vec<Terminal>>,
    asking: Limits,
    typing: Limits,
}

impl Terminal {
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
}

impl Terminals {
    /// Those that wait now, without those that waited too long.
    fn now(&self, now: Timestamp) -> MutexGuard<'_, Vec<Terminal>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|it| (it.since..it.since + WAIT_S_MAX).contains(&now));
        waiting
    }
}

/// A code as it is kept, however it was typed.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphabetic).map(|it| it.to_ascii_uppercase()).collect()
}

/// A code as it is shown: in two halves.
fn shown(code: &str) -> String {
    let (first, second) = code.split_at(code.len() / 2);
    format!("{first}-{second}")
}

/// A new code. Bytes that would make some signs more likely than others are left out.
fn new_code() -> Result<String, ServerError> {
    let mut code = String::new();
    while code.len() < CODE_SIGNS {
        let fair = |byte: &u8| usize::from(*byte) < 256 / SIGNS.len() * SIGNS.len();
        let bytes: [u8; 16] = secret::random()?;
        let signs = bytes.iter().filter(|byte| fair(byte)).map(|it| usize::from(*it) % SIGNS.len());
        let room = CODE_SIGNS - code.len();
        code.extend(signs.take(room).map(|at| char::from(SIGNS[at])));
    }
    Ok(code)
}

impl Door {
    /// Writes down that a terminal waits, and gives it its codes.
    ///
    /// # Errors
    /// Its address asked too often, or the system gives no random numbers.
    pub(crate) fn ask_for_terminal(
        &self,
        wish: TerminalWish,
        from: &Sender,
    ) -> Result<Codes, Refusal> {
        let now = self.now();
        if self.terminals.asking.count(0, &from.address, now) != Trial::Allowed {
            return Err(Refusal::TooMany);
        }
        let device = secret::encode(&secret::random::<DEVICE_BYTES>()?);
        let mut waiting = self.terminals.now(now);
        let mut code = new_code()?;
        while waiting.iter().any(|it| it.code == code) {
            code = new_code()?;
        }
        let own = |it: &Terminal| it.from.address == from.address;
        if waiting.iter().filter(|it| own(it)).count() >= WAITING_OF_ADDRESS_MAX
            && let Some(oldest) = waiting.iter().position(own)
        {
            waiting.remove(oldest);
        } else if waiting.len() >= WAITING_MAX {
            waiting.remove(0);
        }
        let codes = Codes { device, user: shown(&code) };
        let name = label_of(&wish.name, "relight login");
        waiting.push(Terminal {
            id: digest_of(codes.device.as_bytes()),
            code,
            wish: TerminalWish { name, ..wish },
            from: from.clone(),
            since: now,
            asked: now,
            interval: POLL_S_MIN,
            answer: None,
        });
        Ok(codes)
    }

    /// The terminal whose code somebody typed. Trials are counted for account and address.
    ///
    /// # Errors
    /// None waits with this code, or too many were tried.
    pub(crate) fn terminal(
        &self,
        signed: &SignedIn,
        code: &str,
        from: &Sender,
    ) -> Result<Terminal, Refusal> {
        let (now, account, typing) = (self.now(), signed.account.id, &self.terminals.typing);
        if signed.factor == Factor::Token {
            return Err(NO_TERMINAL);
        }
        if typing.count(account, &from.address, now) != Trial::Allowed {
            return Err(Refusal::TooMany);
        }
        let code = plain(code);
        let waiting = self.terminals.now(now);
        let found = waiting.iter().find(|it| it.code == code && it.is_open()).cloned();
        drop(waiting);
        let found = found.ok_or(NO_TERMINAL)?;
        typing.forgive(account, &from.address);
        Ok(found)
    }

    /// Lets a terminal in, once its person signed with a passkey what it is let in for.
    ///
    /// # Errors
    /// None waits with this code, the person may not hand that out, or the passkey does not count.
    pub(crate) fn let_in(
        &self,
        signed: &SignedIn,
        Letting { code, role, scope }: Letting<'_>,
        shown: Shown<'_>,
    ) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.as_now(signed).ok_or(Refusal::Rule("not-signed-in"))?;
        let terminal = self.terminal(signed, code, shown.from)?;
        let TerminalWish { name, days, .. } = &terminal.wish;
        let wish = Wish { label: name, role, scope, days: *days };
        self.may_have(&signed.account, wish)?;
        let terms = terminal.terms(role, scope);
        let purpose = Purpose::LetIn { sign_in: &signed.sign_in, terms: &terms };
        let (key, count) = self.trial(shown, purpose, Some(signed))?;
        let account = &signed.account.name;
        let (asked_from, role_name) = (&terminal.from.address, role.as_str());
        let facts: [(&str, &dyn fmt::Display); 7] = [
            ("address", &shown.from.address),
            ("asked-from", asked_from),
            ("days", days),
            ("key", &key.id),
            ("name", name),
            ("role", &role_name),
            ("scope", scope),
        ];
        let noted = Noted { act: "terminal-let-in", account, facts: &facts };
        self.record(account, noted, &[used(&key, count, self.now())])?;
        let scope = scope.clone();
        self.answer_terminal(&terminal, Answer::LetIn { account: signed.account.id, role, scope })
    }

    /// Turns a terminal away; that needs no passkey.
    ///
    /// # Errors
    /// None waits with this code, or the journal cannot be written.
    pub(crate) fn turn_away(
        &self,
        signed: &SignedIn,
        code: &str,
        from: &Sender,
    ) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.as_now(signed).ok_or(Refusal::Rule("not-signed-in"))?;
        let terminal = self.terminal(signed, code, from)?;
        // First of all: it gets nothing even where that cannot be written down.
        self.answer_terminal(&terminal, Answer::Refused)?;
        let account = &signed.account.name;
        let facts: [(&str, &dyn fmt::Display); 3] = [
            ("address", &from.address),
            ("asked-from", &terminal.from.address),
            ("name", &terminal.wish.name),
        ];
        let noted = Noted { act: "terminal-refused", account, facts: &facts };
        Ok(self.note(account, noted)?)
    }

    /// Answers a terminal that still waits.
    fn answer_terminal(&self, terminal: &Terminal, answer: Answer) -> Result<(), Refusal> {
        let mut waiting = self.terminals.now(self.now());
        let mut open = waiting.iter_mut().filter(|it| it.is_open());
        let found = open.find(|it| it.id == terminal.id).ok_or(NO_TERMINAL)?;
        found.answer = Some(answer);
        Ok(())
    }

    /// What a terminal hears; its token once, and only while its person may still have it.
    ///
    /// # Errors
    /// The person may not have it any more, or it cannot be written down.
    pub(crate) fn hear(&self, device: &str) -> Result<Heard, Refusal> {
        let (now, id) = (self.now(), digest_of(device.as_bytes()));
        let mut waiting = self.terminals.now(now);
        let Some(at) = waiting.iter().position(|it| it.id == id) else { return Ok(Heard::Over) };
        let terminal = &mut waiting[at];
        let is_soon = (terminal.asked..terminal.asked + terminal.interval).contains(&now);
        terminal.asked = now;
        if is_soon {
            terminal.interval += POLL_S_MIN;
            return Ok(Heard::TooSoon(terminal.interval));
        }
        if terminal.is_open() {
            return Ok(Heard::Waiting);
        }
        // From here on nobody else hears it.
        let Terminal { wish, answer, .. } = waiting.remove(at);
        drop(waiting);
        let Some(Answer::LetIn { account, role, scope }) = answer else {
            return Ok(Heard::Refused);
        };
        let account = self.known().account(account).ok_or(NO_TERMINAL)?;
        self.hand_out(&account, &wish, (role, scope)).map(Heard::Token)
    }

    fn hand_out(
        &self,
        account: &Account,
        wish: &TerminalWish,
        (role, scope): (Role, Scope),
    ) -> Result<Granted, Refusal> {
        let label = format!("relight login, {}", wish.name);
        let asked = Wish { label: &label, role, scope: &scope, days: wish.days };
        let text = self.issue(&account.name, account, asked)?;
        let expires = self.now() + wish.days * 86_400;
        Ok(Granted { text, account: account.name.clone(), role, scope, expires })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::access::Address;

    static NOW_S: AtomicI64 = AtomicI64::new(0);

    fn door() -> Door {
        let address = Address::parse("http://localhost:1").unwrap();
        Door::open(None, address, || NOW_S.load(Ordering::SeqCst) * 1_000).unwrap()
    }

    fn wish() -> TerminalWish {
        TerminalWish { name: "zoe@laptop\u{1b}[31m".into(), role: None, days: 30 }
    }

    fn from(address: &str) -> Sender {
        Sender { address: address.into(), agent: String::new() }
    }

    #[test]
    fn a_code_is_fair_and_read_however_it_is_typed() {
        let codes: Vec<String> = (0..2_000).map(|_| new_code().unwrap()).collect();
        for sign in SIGNS {
            let count = codes.iter().flat_map(|it| it.bytes()).filter(|it| it == sign).count();
            assert!((600..1_000).contains(&count), "{} {count}", char::from(*sign));
        }
        assert!(codes.iter().all(|it| it.len() == CODE_SIGNS));
        assert_eq!(shown("BCDFGHJK"), "BCDF-GHJK");
        for typed in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "B-C.D,F\u{2013}GHJK"] {
            assert_eq!(plain(typed), "BCDFGHJK", "{typed}");
        }
    }

    /// One test, because its clock is one: who asks, how often, and until when.
    #[test]
    fn strangers_fill_nothing_and_wait_for_a_while() {
        let door = door();
        for number in 0..5 {
            let codes = door.ask_for_terminal(wish(), &from("192.0.2.1")).unwrap();
            assert_eq!((codes.user.len(), codes.device.len()), (9, 27), "{number}");
        }
        let refused = door.ask_for_terminal(wish(), &from("192.0.2.1"));
        assert!(matches!(refused, Err(Refusal::TooMany)));
        for minute in 1..=3 {
            NOW_S.store(minute * 60, Ordering::SeqCst);
            for _ in 0..5 {
                door.ask_for_terminal(wish(), &from("192.0.2.1")).unwrap();
            }
        }
        assert_eq!(door.terminals.now(200).len(), WAITING_OF_ADDRESS_MAX);
        for number in 0..WAITING_MAX + 5 {
            door.ask_for_terminal(wish(), &from(&number.to_string())).unwrap();
        }
        let waiting = door.terminals.now(200);
        assert_eq!((waiting.len(), &*waiting[0].wish.name), (WAITING_MAX, "zoe@laptop[31m"));
        drop(waiting);

        let codes = door.ask_for_terminal(wish(), &from("198.51.100.1")).unwrap();
        let hear = |second| {
            NOW_S.store(180 + second, Ordering::SeqCst);
            door.hear(&codes.device).unwrap()
        };
        assert!(matches!(hear(4), Heard::TooSoon(10)));
        assert!(matches!(hear(13), Heard::TooSoon(15)), "it did not wait for ten seconds");
        assert!(matches!(hear(28), Heard::Waiting));
        assert!(matches!(door.hear("another").unwrap(), Heard::Over));
        assert!(matches!(hear(WAIT_S_MAX - 1), Heard::Waiting));
        assert!(matches!(hear(WAIT_S_MAX), Heard::Over), "ten minutes");
        assert!(door.terminals.now(180 + WAIT_S_MAX).is_empty());
    }
}
