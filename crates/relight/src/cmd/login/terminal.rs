//! A terminal is let in by a person, in the shape of RFC 8628: it shows a code, the person types it
//! on a page of the server and signs with a passkey what is granted, and the terminal, which asks
//! every few seconds, is given a token.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use relight_engine::access::{Role, Scope};
use relight_engine::fetch::{Answered, Asker, Fault};
use relight_server::tokens::{TOKEN_DAYS_MAX, is_for_tokens, roles_of_tokens};
use relight_server::web::texts;
use serde_json::{Value, json};

use crate::cmd::incident::remote;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Where terminals ask, and where they take their tokens.
const ASK: &str = "/api/v1/terminals";
const TAKE: &str = "/api/v1/terminals/token";

/// Between two questions, where the server says nothing else (RFC 8628, 3.5).
const WAIT_S: u64 = 5;

/// The longest that is waited between two questions.
const WAIT_S_MAX: u64 = 60;

/// A server that has no time is asked for a code at most this long.
const BUSY_MAX: Duration = Duration::from_secs(600);

/// A token is waited for at most this long, whatever the server says.
const LIFE_S_MAX: u64 = 3_600;

/// Longest code that is shown, in bytes.
const CODE_BYTES_MAX: usize = 40;

/// What the token shall be worth.
#[derive(Debug, Args)]
pub(super) struct Wish {
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    #[arg(long, value_name = "PLACE", requires = "role")]
    scope: Option<String>,
    #[arg(long, value_name = "DAYS")]
    days: Option<u64>,
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// What a terminal was told when it asked.
struct Codes {
    device: String,
    user: String,
    page: String,
    life: Duration,
    wait: u64,
}

/// Asks a server to be let in, tells the person where, and waits for the token.
///
/// # Errors
/// The server cannot be asked, nobody let it in, or somebody refused.
pub(super) fn let_in(
    (server, ca): (&str, Option<PathBuf>),
    wish: &Wish,
    context: &Context,
    report: &mut Report,
) -> Result<String, Failure> {
    let lang = context.lang;
    wish.check(context)?;
    let asker = Asker::without_token(ca.as_deref(), server);
    let asker = asker.map_err(|fault| remote::faulty(&fault, server, context))?;
    let asker = Asking { asker, server, context };
    let codes = codes_of(&asker.codes(wish, report)?);
    let Codes { device, user, page, life, wait: mut interval } =
        codes.ok_or_else(|| torn("the answer holds no code", server, context))?;
    report.tell(&texts::login_open(lang, &page));
    report.tell(&format!("\n    {user}\n"));
    report.tell(&texts::login_waits(lang, life.as_secs().div_ceil(60)));
    let (begun, asked) = (Instant::now(), json!({"device_code": device}));
    // Without an answer it is asked again, later each time: a server may be starting.
    let (mut wait, mut silent) = (interval, None);
    loop {
        let left = life.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(silent.unwrap_or_else(|| expired(context)));
        }
        // A person is looking for the browser: the server says how often it may be asked.
        thread::sleep(Duration::from_secs(wait).min(left));
        let answered = asker.post(TAKE, &asked);
        wait = pause(&answered, wait, interval);
        if is_silent(&answered) {
            silent = document(answered, server, context).err();
            continue;
        }
        let answer = document(answered, server, context)?;
        silent = None;
        match answer["error"].as_str() {
            Some("authorization_pending") => {}
            Some("slow_down") => {
                let longer = answer["interval"].as_u64().unwrap_or(interval + WAIT_S);
                interval = longer.clamp(1, WAIT_S_MAX);
                wait = interval;
            }
            Some("access_denied") => {
                let failure = Failure::approval(texts::login_refused(lang, server));
                return Err(failure.hint(texts::login_refused_remedy(lang)));
            }
            // Before its time: it was forgotten, perhaps with a token that never came.
            Some("expired_token") if begun.elapsed() + Duration::from_secs(interval) < life => {
                let remedy = texts::login_forgotten_remedy(lang, &wish.label());
                return Err(Failure::approval(texts::login_forgotten(lang)).hint(remedy));
            }
            Some("expired_token") => return Err(expired(context)),
            _ => return taken(&answer, server, context, report),
        }
    }
}

/// A server that is asked to let somebody in.
struct Asking<'a> {
    asker: Asker,
    server: &'a str,
    context: &'a Context,
}

impl Asking<'_> {
    fn post(&self, path: &str, asked: &Value) -> Result<Answered, Fault> {
        self.asker.post(&format!("{path}?lang={}", self.context.lang.tag()), asked)
    }

    /// Asks for codes; a server that has no time is asked again when it says so.
    fn codes(&self, wish: &Wish, report: &mut Report) -> Result<Value, Failure> {
        let (lang, begun) = (self.context.lang, Instant::now());
        let Wish { role, scope, days, .. } = wish;
        let name = wish.name();
        let asked = json!({"name": name, "role": role, "scope": scope, "days": days});
        loop {
            let answered = self.post(ASK, &asked);
            let busy_s = busy_s(&answered).map(|wait| wait.clamp(1, WAIT_S_MAX));
            let Some(wait) = busy_s.filter(|_| begun.elapsed() < BUSY_MAX) else {
                return document(answered, self.server, self.context);
            };
            report.tell(&texts::login_busy(lang, wait, self.server));
            // A server that says when it has time again is not asked before.
            thread::sleep(Duration::from_secs(wait));
        }
    }
}

impl Wish {
    /// What the terminal calls itself.
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(own_name)
    }

    /// What its token is called on the page of its person.
    pub(super) fn label(&self) -> String {
        format!("relight login, {}", self.name())
    }

    /// What no token ever is needs no server to be refused.
    fn check(&self, context: &Context) -> Result<(), Failure> {
        let lang = context.lang;
        let is_role = |role: &String| Role::parse(role).is_some_and(is_for_tokens);
        let is_place = |place: &String| Scope::parse(place).is_some();
        if !self.role.iter().all(is_role) || !self.scope.iter().all(is_place) {
            let remedy = texts::token_bad_role_remedy(lang, &roles_of_tokens());
            return Err(Failure::usage(texts::token_bad_role(lang)).hint(remedy));
        }
        let is_time = |days: u64| (1..=TOKEN_DAYS_MAX.unsigned_abs()).contains(&days);
        if !self.days.is_none_or(is_time) {
            let failure = Failure::usage(texts::door_refused_token_days(lang));
            return Err(failure.hint(texts::login_bad_days_remedy(lang)));
        }
        Ok(())
    }
}

/// Whether no answer came that says anything: none at all, or a fault of whoever gave it.
fn is_silent(answered: &Result<Answered, Fault>) -> bool {
    match answered {
        Ok((status, _)) => *status >= 500 || *status == 429,
        Err(_) => true,
    }
}

/// How long to wait after an answer: longer each time that none came, and as before once one does.
fn pause(answered: &Result<Answered, Fault>, wait: u64, interval: u64) -> u64 {
    if !is_silent(answered) {
        return interval;
    }
    busy_s(answered).unwrap_or(wait * 2).clamp(1, WAIT_S_MAX)
}

/// In how many seconds a server that has no time wants to be asked again.
fn busy_s(answered: &Result<Answered, Fault>) -> Option<u64> {
    match answered {
        Ok((429 | 503, document)) => Some(document["retry_after"].as_u64().unwrap_or(WAIT_S)),
        Err(fault) if fault.code == "busy" => {
            let wait = fault.retry_after_s.and_then(|wait| u64::try_from(wait).ok());
            Some(wait.unwrap_or(WAIT_S))
        }
        _ => None,
    }
}

/// The document that came, or what to do to be let in all the same.
pub(super) fn document(
    answered: Result<Answered, Fault>,
    server: &str,
    context: &Context,
) -> Result<Value, Failure> {
    let is_told = match &answered {
        Ok((status, document)) => *status == 401 || document["remedy"].is_string(),
        Err(fault) => fault.code == "insecure",
    };
    let remedy = texts::login_unreached_remedy(context.lang);
    let document = remote::document(answered, server, context);
    document.map_err(|failure| if is_told { failure } else { failure.hint(remedy) })
}

/// The token in an answer; whose it is, and for how long, is told.
fn taken(
    answer: &Value,
    server: &str,
    context: &Context,
    report: &mut Report,
) -> Result<String, Failure> {
    let text = |name: &str| answer[name].as_str();
    let all = text("access_token").zip(text("account")).zip(text("role").zip(text("scope")));
    let torn = || torn("the answer holds no token", server, context);
    let (((token, account), (role, scope)), until) = all.zip(text("expires")).ok_or_else(torn)?;
    let token = remote::checked_token(token.as_bytes(), server, context).map_err(|_| torn())?;
    let lang = context.lang;
    let word = texts::by_code(lang, &format!("role-{role}")).unwrap_or(role);
    let role = texts::door_role_in(lang, word, scope);
    report.note(&texts::login_granted(lang, account, &role, until));
    Ok(token)
}

/// The answer is none that a server of ours gives.
fn torn(detail: &str, server: &str, context: &Context) -> Failure {
    let failure = remote::unreached(detail, server, context);
    failure.hint(texts::login_unreached_remedy(context.lang))
}

/// Nobody let it in.
fn expired(context: &Context) -> Failure {
    let failure = Failure::approval(texts::login_expired(context.lang));
    failure.hint(texts::login_expired_remedy(context.lang))
}

/// What an answer says, where a person can be shown it.
fn codes_of(answer: &Value) -> Option<Codes> {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let is_shown = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
    let user = text("user_code").filter(is_shown);
    let page = text("verification_uri").filter(is_shown);
    let page = page.filter(|page| page.starts_with("https://") || page.starts_with("http://"));
    let life = answer["expires_in"].as_u64()?.min(LIFE_S_MAX);
    Some(Codes {
        device: text("device_code")?,
        user: user.filter(|user| (1..=CODE_BYTES_MAX).contains(&user.len()))?,
        page: page?,
        life: Duration::from_secs(life),
        wait: answer["interval"].as_u64().unwrap_or(WAIT_S).clamp(1, WAIT_S_MAX),
    })
}

/// What this terminal calls itself: its person sees it on the page.
fn own_name() -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    let user = user.unwrap_or_else(|| format!("uid {}", rustix::process::geteuid().as_raw()));
    format!("{user}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_again_is_asked_as_before() {
        let none = Err(Fault { code: "cut", detail: String::new(), retry_after_s: None });
        let busy = Ok((503, json!({"retry_after": 9})));
        let said = Ok((200, json!({"error": "authorization_pending"})));
        let mut wait = 5;
        for (answered, wanted) in
            [(&none, 10), (&none, 20), (&busy, 9), (&none, 18), (&said, 5), (&none, 10)]
        {
            wait = pause(answered, wait, 5);
            assert_eq!(wait, wanted, "{answered:?}");
        }
        assert_eq!(pause(&none, 50, 5), WAIT_S_MAX);
    }

    #[test]
    fn what_a_terminal_cannot_show_is_no_code() {
        let good = json!({
            "device_code": "d",
            "user_code": "BCDF-GHJK",
            "verification_uri": "https://relight.example/terminal",
            "expires_in": 600,
            "interval": 0,
        });
        let codes = codes_of(&good).unwrap();
        assert_eq!((codes.wait, codes.life.as_secs()), (1, 600));
        for (name, bad) in [
            ("device_code", json!(null)),
            ("user_code", json!("")),
            ("user_code", json!("BCDF\u{1b}[2J")),
            ("user_code", json!("B".repeat(41))),
            ("verification_uri", json!("javascript:alert(1)")),
            ("verification_uri", json!("https://relight.example/\nhttps://evil.example")),
            ("expires_in", json!("600")),
        ] {
            let mut answer = good.clone();
            answer[name] = bad;
            assert!(codes_of(&answer).is_none(), "{answer}");
        }
    }
}
