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
}

#[derive(Serialize)]
struct Document<'a> {
    server: &'a str,
    done: &'static str,
    file: String,
}

impl Login {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let path = place(&self.server, context)?;
        let token = match &self.token_file {
            Some(file) if file.as_os_str() == STDIN => typed(context, report)?,
            Some(file) => remote::token_in(file, context)?,
            None => {
                let door = (self.server.as_str(), authorities(self.ca.clone()));
                terminal::let_in(door, &self.wish, context, report)?
            }
        };
        let asker = Asker::new(authorities(self.ca).as_deref(), &self.server, &token);
        let asker = asker.map_err(|fault| remote::faulty(&fault, &self.server, context))?;
        // What the server does not know is kept nowhere.
        let answered = asker.get(&format!("/api/v1/policy?lang={}", lang.tag()));
        remote::document(answered, &self.server, context)?;
        write(&path, &token).map_err(|error| {
            let place = path.display().to_string();
            let failure = Failure::new(texts::cannot_write(lang, &place));
            failure.because(lang, &error).hint(texts::cannot_write_remedy(lang))
        })?;
        let file = path.display().to_string();
        if context.json {
            let document = Document { server: &self.server, done: "login", file };
            report.document("relight.login/1", &document);
            return Ok(());
        }
        report.line(&texts::login_done(lang, &file, &self.server));
        report.next(&format!("relight incident off --server {} --sites …", self.server));
        Ok(())
    }
}

impl Logout {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let path = place(&self.server, context)?;
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
            report.document("relight.login/1", &Document { server: &self.server, done, file });
            return Ok(());
        }
        let is_done = done == "logout";
        let (server, none) = (&self.server, texts::logout_nothing(lang, &self.server));
        report.line(&if is_done { texts::logout_done(lang, server) } else { none });
        Ok(())
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

/// Writes a token so that nobody else can read it, not even for a moment.
fn write(path: &Path, token: &str) -> io::Result<()> {
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
    fs::rename(new, path)
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
