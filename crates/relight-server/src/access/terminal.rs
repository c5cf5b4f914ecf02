//! Terminals that ask for a token (`relight login`), in the shape of RFC 8628: the terminal shows a
//! code, a person types it here, sees who asks for what, and lets it in with a passkey that signs
//! exactly that. The terminal then takes its token, once.
//!
//! Whoever asks is a stranger, and may have sent the code to somebody else. So no address holds a
//! code, a code says nothing to whoever is not signed in, and what is granted is never more than
//! the person has. What waits is kept in memory only (see [`super::waiting`]).

use std::fmt;

use relight_engine::access::{Role, Scope};
use relight_model::Timestamp;

use super::ceremony::{Refusal, Shown, used};
use super::form::Sender;
use super::limit::Trial;
use super::links::label_of;
use super::signed_in::{Factor, SignedIn};
use super::ticket::Purpose;
use super::token::Wish;
pub(crate) use super::waiting::Terminal;
use super::waiting::{Answer, LetIn, Terminals, make_room};
use super::{Door, Noted, digest_of, secret};
use crate::ServerError;

/// How long a terminal waits for its person, in seconds.
pub(crate) const WAIT_S_MAX: i64 = 10 * 60;

/// A terminal asks whether it was let in at most this often, in seconds; one that asks sooner waits
/// this much longer from then on (RFC 8628, 3.5).
pub(crate) const POLL_S_MIN: i64 = 5;

/// Signs of a code: no vowels, so that it spells nothing, and none that look alike (RFC 8628, 6.1).
const SIGNS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Signs in a code: 34 bits, of which an account may try thirty in a minute, five of them from one
/// address, for ten minutes.
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

/// What a terminal hears that asks whether it was let in.
pub(crate) enum Heard {
    /// Nobody answered yet.
    Waiting,
    /// It asks too often, and now waits this many seconds in between.
    TooSoon(i64),
    /// Somebody refused.
    Refused,
    /// None is known by this secret: it waited too long, used its token already, never asked, or
    /// asked before this server was started.
    Over,
    /// Its token.
    Token(Granted),
}

/// A token, and what it is worth.
#[derive(Clone)]
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

/// A code as it is kept, however it was typed.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphabetic).map(|it| it.to_ascii_uppercase()).collect()
}

/// A code as it is shown: in two halves.
pub(super) fn shown(code: &str) -> String {
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
    /// Writes down that a terminal waits, and gives it its codes. Anybody may ask, and as often:
    /// behind one address there are many, of whom one who floods must hold up no other.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn ask_for_terminal(
        &self,
        wish: TerminalWish,
        from: &Sender,
    ) -> Result<Codes, ServerError> {
        let device = secret::encode(&secret::random::<DEVICE_BYTES>()?);
        let name = label_of(&wish.name, "relight login");
        let (now, id) = (self.now(), digest_of(device.as_bytes()));
        let mut waiting = self.terminals.now(now);
        let mut code = new_code()?;
        while waiting.iter().any(|it| it.code == code) {
            code = new_code()?;
        }
        let codes = Codes { device, user: shown(&code) };
        let wish = TerminalWish { name, ..wish };
        make_room(&mut waiting);
        waiting.push(Terminal::new((id, code), wish, from, now));
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
        let (now, account) = (self.now(), signed.account.id);
        let Terminals { typing, guessing, .. } = &self.terminals;
        if signed.factor == Factor::Token {
            return Err(NO_TERMINAL);
        }
        // Who has many addresses is one account all the same.
        let here = typing.count(account, &from.address, now);
        let anywhere = guessing.count(account, "", now);
        if [here, anywhere] != [Trial::Allowed; 2] {
            return Err(Refusal::TooMany);
        }
        let found = self.terminals.seen(&plain(code), account, now).ok_or(NO_TERMINAL)?;
        typing.forgive(account, &from.address);
        guessing.forgive(account, "");
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
        let (account, scope, credential) = (signed.account.id, scope.clone(), key.credential);
        let grant = LetIn { account, credential, role, scope };
        self.answer_terminal(&terminal, Answer::LetIn(grant))
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
        let is_there = self.terminals.decide(terminal, answer, self.now());
        is_there.then_some(()).ok_or(NO_TERMINAL)
    }

    /// What a terminal hears; its token once, and only while its person may still have it. Until
    /// it is used it may be asked for again, for a minute: an answer can be lost on its way.
    ///
    /// # Errors
    /// The person may not have it any more, or it cannot be written down.
    pub(crate) fn hear(&self, device: &str) -> Result<Heard, Refusal> {
        let (now, id) = (self.now(), digest_of(device.as_bytes()));
        if let Some(heard) = self.terminals.asked(&id, now) {
            return Ok(heard);
        }
        // From here on nobody else hears it, and nobody takes away what lets it in.
        let _changing = self.changing();
        let answer = self.terminals.answer(&id, now);
        let heard = match answer {
            None => Ok(Heard::Over),
            Some((Answer::Refused, _)) => Ok(Heard::Refused),
            Some((Answer::LetIn(grant), wish)) => self.hand_out(&grant, &wish).map(Heard::Token),
            Some((Answer::Taken(granted, _), _)) if self.is_unused(&granted) => {
                Ok(Heard::Token(granted))
            }
            Some((Answer::Taken(..), _)) => Ok(Heard::Over),
        };
        match &heard {
            Ok(Heard::Token(granted)) => self.terminals.took(&id, granted, now),
            // What could not be written down now may be written down later.
            Err(Refusal::Failed(_)) => {}
            _ => self.terminals.forget(&id, now),
        }
        heard
    }

    /// Whether a token is there that nobody has used.
    fn is_unused(&self, granted: &Granted) -> bool {
        let token = self.acting(digest_of(granted.text.as_bytes()));
        token.is_some_and(|(row, _)| row.used == 0)
    }

    /// Makes the token, while the key is there that signed for it: one that was taken away, or
    /// whose account was renewed, lets nobody in any more. `changing` is held.
    fn hand_out(&self, grant: &LetIn, wish: &TerminalWish) -> Result<Granted, Refusal> {
        let LetIn { account, credential, role, scope } = grant;
        let account = {
            let known = self.known();
            let is_there = known.keys(*account).any(|key| key.credential == *credential);
            known.account(*account).filter(|_| is_there).ok_or(NO_TERMINAL)?
        };
        let label = format!("relight login, {}", wish.name);
        let asked = Wish { label: &label, role: *role, scope, days: wish.days };
        let text = self.issue_to(&account.name, &account, asked)?;
        let expires = self.now() + wish.days * 86_400;
        Ok(Granted { text, account: account.name, role: *role, scope: scope.clone(), expires })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
