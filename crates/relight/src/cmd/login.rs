//! `relight login` and `logout`: the token with which a server is asked, kept for its address in a
//! file of the user alone. A person lets this terminal in with a passkey, or gives it a token that
//! was made before. A token proposes and reads; people agree in their browsers.

mod terminal;

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use relight_engine::fetch::Asker;
use relight_server::web::texts;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::Serialize;

use crate::cmd::advisories::fetch::authorities;
use crate::cmd::incident::remote;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// The folder of tokens, in the user's folder for configuration.
const FOLDER: &str = "tokens";

/// How a file ends that is being written. No address is written so.
const NEW: &str = "%new";

/// Where a token ends itself.
const END: &str = "/api/v1/token/end";

/// Room that a token takes, in bytes, and more.
const TOKEN_ROOM: usize = 100;

/// What stands for standard input instead of a file.
const STDIN: &str = "-";

#[derive(Debug, Args)]
pub(crate) struct Login {
    #[arg(long, value_name = "URL")]
    server: String,
    #[command(flatten)]
    wish: terminal::Wish,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "scope", "days", "name"])]
    token_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[arg(long, value_name = "URL")]
    server: String,
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document<'a> {
    server: &'a str,
    done: &'static str,
    file: String,
    /// What became of a token that is forgotten here.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_server: Option<AtServer>,
}

impl Login {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let path = place(&self.server, context)?;
        let cannot_write = |error: io::Error| {
            let failure = Failure::new(texts::cannot_write(lang, &path.display().to_string()));
            failure.because(lang, &error).hint(texts::cannot_write_remedy(lang))
        };
        let is_let_in = self.token_file.is_none();
        if is_let_in {
            // Nobody is asked for a token that cannot be kept.
            let tried = draft(&path, &" ".repeat(TOKEN_ROOM));
            tried.and_then(fs::remove_file).map_err(cannot_write)?;
        }
        let token = match &self.token_file {
            Some(file) if file.as_os_str() == STDIN => typed(context, report)?,
            Some(file) => remote::token_in(file, context)?,
            None => {
                let door = (self.server.as_str(), authorities(self.ca.clone()));
                terminal::let_in(door, &self.wish, context, report)?
            }
        };
        let asker = Asker::new(authorities(self.ca.clone()).as_deref(), &self.server, &token);
        let asker = asker.map_err(|fault| remote::faulty(&fault, &self.server, context))?;
        // What the server does not know is kept nowhere; what it gave just now it knows.
        let answered = asker.get(&format!("/api/v1/policy?lang={}", lang.tag()));
        if !is_let_in || matches!(answered, Ok((401, _))) {
            terminal::document(answered, &self.server, context)?;
        }
        let before = fs::read_to_string(&path);
        if let Err(error) = draft(&path, &token).and_then(|new| fs::rename(new, &path)) {
            if is_let_in {
                let name = self.wish.label();
                report.note(&match ended(&asker) {
                    AtServer::Unknown => texts::login_lost_alive(lang, &name, &self.server),
                    AtServer::Ended | AtServer::Over => texts::login_lost(lang).to_owned(),
                });
            }
            return Err(cannot_write(error));
        }
        let at_server = self.end_before(before, &token);
        if at_server == Some(AtServer::Unknown) {
            report.note(&texts::login_before_alive(lang, &self.server));
        }
        let file = path.display().to_string();
        if context.json {
            let document = Document { server: &self.server, done: "login", file, at_server };
            report.document("relight.login/1", &document);
            return Ok(());
        }
        report.line(&texts::login_done(lang, &file, &self.server));
        report.next(&format!("relight incident off --server {} --sites …", self.server));
        Ok(())
    }

    /// Ends the token in whose place another one is kept: nobody holds it any more.
    fn end_before(&self, before: io::Result<String>, token: &str) -> Option<AtServer> {
        match before {
            Ok(before) if before.trim() == token.trim() => None,
            Ok(before) => Some(end(&self.server, self.ca.clone(), &before)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => Some(AtServer::Unknown),
        }
    }
}

impl Logout {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let path = place(&self.server, context)?;
        let token = fs::read_to_string(&path);
        let ended = |token: String| end(&self.server, self.ca.clone(), &token);
        let at_server = token.map_or(AtServer::Unknown, ended);
        let done = match fs::remove_file(&path) {
            Ok(()) => "logout",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "nothing",
            Err(error) => {
                let failure = Failure::new(texts::cannot_write(lang, &path.display().to_string()));
                return Err(failure.because(lang, &error).hint(texts::cannot_write_remedy(lang)));
            }
        };
        if context.json {
            let file = path.display().to_string();
            let at_server = (done == "logout").then_some(at_server);
            let document = Document { server: &self.server, done, file, at_server };
            report.document("relight.login/1", &document);
            return Ok(());
        }
        let server = &self.server;
        report.line(&match at_server {
            _ if done != "logout" => texts::logout_nothing(lang, server),
            AtServer::Ended => texts::logout_done(lang, server),
            AtServer::Over => texts::logout_over(lang, server),
            AtServer::Unknown => texts::logout_only_here(lang, server),
        });
        Ok(())
    }
}

/// What became of a token at its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum AtServer {
    Ended,
    /// It was worth nothing there any more.
    Over,
    /// Nobody could be asked: it may live on.
    Unknown,
}

/// Ends a token, where its server can be asked.
fn end(server: &str, ca: Option<PathBuf>, token: &str) -> AtServer {
    let asker = Asker::new(authorities(ca).as_deref(), server, token);
    asker.map_or(AtServer::Unknown, |asker| ended(&asker))
}

/// Ends the token that a server is asked with.
fn ended(asker: &Asker) -> AtServer {
    match asker.post(END, &serde_json::json!({})) {
        Ok((200, _)) => AtServer::Ended,
        Ok((401, _)) => AtServer::Over,
        _ => AtServer::Unknown,
    }
}

/// The token that was kept for a server, if any.
pub(crate) fn kept(server: &str, context: &Context) -> Option<PathBuf> {
    place(server, context).ok().filter(|path| path.is_file())
}

/// The file of a server's token: its address, with what no file name should hold written in hex.
fn place(server: &str, context: &Context) -> Result<PathBuf, Failure> {
    let lang = context.lang;
    let folder = folder().ok_or_else(|| {
        Failure::new(texts::login_no_folder(lang)).hint(texts::login_no_folder_remedy(lang))
    })?;
    let mut name = String::new();
    for byte in server.trim().trim_end_matches('/').bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => name.push(byte.into()),
            b'.' if !name.is_empty() => name.push('.'),
            other => {
                let _ = write!(name, "%{other:02X}");
            }
        }
    }
    Ok(folder.join(name))
}

/// Where tokens are kept.
pub(crate) fn folder() -> Option<PathBuf> {
    Context::config_folder().map(|folder| folder.join(FOLDER))
}

/// Whether a run that died left a file among them.
pub(crate) fn is_leftover(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(NEW.as_bytes())
}

/// Writes a token beside its place, so that nobody else can read it, not even for a moment.
fn draft(path: &Path, token: &str) -> io::Result<PathBuf> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut new = path.as_os_str().to_owned();
    new.push(NEW);
    let new = PathBuf::from(new);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    Ok(new)
}

/// The token from standard input; a terminal does not show it.
fn typed(context: &Context, report: &mut Report) -> Result<String, Failure> {
    let stdin = io::stdin();
    let before = stdin.is_terminal().then(|| tcgetattr(&stdin).ok()).flatten();
    if let Some(before) = &before {
        report.tell(texts::login_ask(context.lang));
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(&stdin, OptionalActions::Now, &hidden);
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if let Some(before) = &before {
        let _ = tcsetattr(&stdin, OptionalActions::Now, before);
    }
    read.map_err(|error| remote::no_token(context).because(context.lang, &error))?;
    remote::checked_token(line.as_bytes(), "stdin", context)
}
