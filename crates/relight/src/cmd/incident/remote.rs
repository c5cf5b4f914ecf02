//! A server that is asked with a token: `relight incident off` and `on` with `--server` ask for a
//! plan where identities and policy are, where a token never counts as a person: people agree in
//! their browsers. Other commands read there what the account of the token may read.

use std::path::{Path, PathBuf};

use clap::Args;
use relight_engine::fetch::{Asker, Fault};
use relight_server::web::texts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cmd::advisories::fetch::authorities;
use crate::cmd::login;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

/// Longest token file, in bytes.
const TOKEN_BYTES_MAX: u64 = 1_024;

/// Which server is asked, and with what.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) action: &'a str,
    pub(super) sites: &'a str,
    pub(super) incident: Option<&'a str>,
    pub(super) part: Option<&'a str>,
    pub(super) reason: &'a str,
    pub(super) dry_run: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    /// None for what nobody asked for yet.
    action: Option<&'a str>,
    incident: &'a str,
    standing: &'a str,
    hash: Option<&'a str>,
    sites: usize,
    seats: usize,
    signed: usize,
    expires: Option<&'a str>,
    page: Option<String>,
}

impl Remote {
    /// Asks for a plan, and says how it is called and who has to agree.
    pub(super) fn ask(
        &self,
        server: &str,
        asked: &Asked<'_>,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let asker = self.asker(server, context)?;
        let plan = json!({
            "action": asked.action,
            "part": asked.part,
            "incident": asked.incident,
            "query": asked.sites,
            "reason": asked.reason,
        });
        let path = if asked.dry_run { "/api/v1/plans/preview" } else { "/api/v1/plans" };
        let answered = asker.post(&format!("{path}?lang={}", context.lang.tag()), &plan);
        let plan = document(answered, server, context)?;
        tell(&plan, server, asked, context, report)
    }

    /// Reads a document, which this query is about.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        server: &str,
        (path, query): (&str, &[(&str, &str)]),
        context: &Context,
    ) -> Result<T, Failure> {
        let part =
            |(name, value): &(&str, &str)| format!("&{name}={}", relight_server::encode(value));
        let query: String = query.iter().map(part).collect();
        let path = format!("{path}?lang={}{query}", context.lang.tag());
        let read = document(self.asker(server, context)?.get(&path), server, context)?;
        let unread = |error: serde_json::Error| unreached(&error.to_string(), server, context);
        serde_json::from_value(read).map_err(unread)
    }

    fn asker(&self, server: &str, context: &Context) -> Result<Asker, Failure> {
        let kept = || login::kept(server, context);
        let file = self.token_file.clone().or_else(kept).ok_or_else(|| no_token(context))?;
        let token = token_in(&file, context)?;
        let asker = Asker::new(authorities(self.ca.clone()).as_deref(), server, &token);
        asker.map_err(|fault| faulty(&fault, server, context))
    }
}

/// The token in a file.
pub(crate) fn token_in(path: &Path, context: &Context) -> Result<String, Failure> {
    let bytes = context.read_file(path, TOKEN_BYTES_MAX)?;
    checked_token(&bytes, &path.display().to_string(), context)
}

/// The token in what was read from somewhere.
pub(crate) fn checked_token(
    bytes: &[u8],
    place: &str,
    context: &Context,
) -> Result<String, Failure> {
    let lang = context.lang;
    let token = String::from_utf8_lossy(bytes).trim().to_owned();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(texts::remote_bad_token(lang, place))
            .hint(texts::remote_no_token_remedy(lang)));
    }
    Ok(token)
}

/// Nobody said with what the server is asked.
pub(crate) fn no_token(context: &Context) -> Failure {
    let lang = context.lang;
    Failure::usage(texts::remote_no_token(lang)).hint(texts::remote_no_token_remedy(lang))
}

/// The document that came; what the server refuses is told in its words, which are in the
/// language that is asked for.
pub(crate) fn document(
    answered: Result<(u16, Value), Fault>,
    server: &str,
    context: &Context,
) -> Result<Value, Failure> {
    let (status, document) = answered.map_err(|fault| faulty(&fault, server, context))?;
    if status < 300 {
        return Ok(document);
    }
    let text = |name: &str| document[name].as_str().filter(|it| !it.is_empty());
    let lang = context.lang;
    let (what, remedy) = match status {
        401 => (texts::remote_unknown(lang), texts::remote_no_token_remedy(lang)),
        403 => (texts::act_no_role(lang), texts::act_no_role_remedy(lang)),
        _ => (text("title").unwrap_or_default(), texts::remote_refused_remedy(lang)),
    };
    let (what, remedy) = (text("detail").unwrap_or(what), text("remedy").unwrap_or(remedy));
    let what = texts::remote_refused(lang, server, what);
    let failure = match status {
        401 | 403 => Failure::approval(what),
        400 | 422 => Failure::usage(what),
        _ => Failure::new(what),
    };
    Err(failure.hint(remedy))
}

/// What stands between us and the server, in words.
pub(crate) fn faulty(fault: &Fault, server: &str, context: &Context) -> Failure {
    let lang = context.lang;
    if fault.code == "insecure" {
        return Failure::usage(texts::remote_insecure(lang))
            .hint(texts::remote_insecure_remedy(lang));
    }
    unreached(&fault.detail, server, context)
}

/// No answer of a server that can be used.
pub(crate) fn unreached(detail: &str, server: &str, context: &Context) -> Failure {
    let lang = context.lang;
    let mut failure = Failure::new(texts::remote_unreached(lang, server));
    let line = texts::labelled(lang, texts::detail_label(lang), detail);
    failure.below.push(format!("  {line}"));
    failure.hint(texts::remote_unreached_remedy(lang))
}

/// Tells what came. What cannot be made out is no plan that waits.
fn tell(
    plan: &Value,
    server: &str,
    asked: &Asked<'_>,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let text = |name: &str| plan[name].as_str();
    let id = text("id").filter(|_| !asked.dry_run);
    let standing = if asked.dry_run { Some("shown") } else { text("standing") };
    let (Some(standing @ ("shown" | "waiting" | "started")), Some(seats), Some(sites), Some(_)) = (
        standing,
        plan["seats"].as_array(),
        plan["sites"].as_array(),
        id.or(asked.dry_run.then_some("")),
    ) else {
        return Err(unreached(texts::remote_no_plan(lang), server, context));
    };
    let (seats, sites) = (seats.as_slice(), sites.len());
    let signed = seats.iter().filter(|seat| seat["by"].is_string()).count();
    let page = text("page").map(|page| format!("{}{page}", server.trim_end_matches('/')));
    if standing == "waiting" {
        report.raise(Exit::Approval);
    }
    if context.json {
        let document = Document {
            action: id,
            incident: text("incident").unwrap_or_default(),
            standing,
            hash: text("hash"),
            sites,
            seats: seats.len(),
            signed,
            expires: text("expires"),
            page,
        };
        report.document("relight.asked/1", &document);
        return Ok(());
    }
    let Some(id) = id else {
        report.line(&texts::remote_shown(lang, seats.len(), sites));
        report.line(texts::plan_nothing_changed(lang));
        return Ok(());
    };
    if standing == "waiting" {
        let expires = text("expires").unwrap_or_default();
        report.line(&texts::remote_waits(lang, expires, id, seats.len(), signed));
        report.line(&page.unwrap_or_default());
    } else {
        report.line(&texts::approve_done(lang, id));
    }
    Ok(())
}
