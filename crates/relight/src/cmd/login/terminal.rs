//! A terminal is let in by a person, in the shape of RFC 8628: it shows a code, the person types it
//! on a page of the server and signs with a passkey what is granted, and the terminal, which asks
//! every few seconds, is given a token.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use relight_engine::fetch::{Asker, Fault};
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
    let asker = Asker::without_token(ca.as_deref(), server);
    let asker = asker.map_err(|fault| remote::faulty(&fault, server, context))?;
    let query = format!("?lang={}", lang.tag());
    let name = wish.name.clone().unwrap_or_else(own_name);
    let asked = json!({"name": name, "role": wish.role, "scope": wish.scope, "days": wish.days});
    let codes = asker.post(&format!("{ASK}{query}"), &asked);
    let codes = codes.map_err(|fault| silence(&fault, server, context))?;
    let codes = remote::document(Ok(codes), server, context)?;
    let codes = codes_of(&codes);
    let Codes { device, user, page, life, mut wait } =
        codes.ok_or_else(|| torn("the answer holds no code", server, context))?;
    report.tell(&texts::login_open(lang, &page));
    report.tell(&format!("\n    {user}\n"));
    report.tell(&texts::login_waits(lang, life.as_secs().div_ceil(60)));
    let (begun, asked) = (Instant::now(), json!({"device_code": device}));
    // Without an answer it is asked again, later each time: a server may be starting.
    let mut silent = None;
    loop {
        let left = life.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(silent.unwrap_or_else(|| expired(context)));
        }
        // A person is looking for the browser: the server says how often it may be asked.
        thread::sleep(Duration::from_secs(wait).min(left));
        let answer = match asker.post(&format!("{TAKE}{query}"), &asked) {
            Err(fault) => {
                silent = Some(silence(&fault, server, context));
                wait = (wait * 2).min(WAIT_S_MAX);
                continue;
            }
            answered => remote::document(answered, server, context)?,
        };
        silent = None;
        match answer["error"].as_str() {
            Some("authorization_pending") => {}
            Some("slow_down") => {
                wait = answer["interval"].as_u64().unwrap_or(wait + WAIT_S).clamp(1, WAIT_S_MAX);
            }
            Some("access_denied") => {
                let failure = Failure::approval(texts::login_refused(lang, server));
                return Err(failure.hint(texts::login_refused_remedy(lang)));
            }
            Some("expired_token") => return Err(expired(context)),
            _ => return taken(&answer, server, context, report),
        }
    }
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

/// No answer came. Nothing was asked for that could have happened all the same.
fn silence(fault: &Fault, server: &str, context: &Context) -> Failure {
    let failure = remote::faulty(fault, server, context);
    failure.hint(texts::login_unreached_remedy(context.lang))
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
