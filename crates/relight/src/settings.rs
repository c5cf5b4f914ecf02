//! What configuration files and variables of the environment say about options, and where each
//! value comes from: defaults < `/etc/relight/relight.toml` < the user's own < `./relight.toml` <
//! `RELIGHT_A__B` < options.
//!
//! A value is handed to clap as the default of its option, so that options win and every value is
//! read by the one parser that reads the option.

mod file;
mod keys;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use relight_server::web::{Lang, texts};

use self::keys::{ACTING, READING};
pub(crate) use self::keys::{Key, Kind, all_keys, variable_of};
use crate::context::Context;
use crate::failure::Failure;

/// The configuration of the machine.
const SYSTEM_FILE: &str = "/etc/relight/relight.toml";

/// The name of a configuration file, in the user's folder and where a command runs.
const FILE_NAME: &str = "relight.toml";

/// Where something else says which file is read instead of all others.
const FILE_VARIABLE: &str = "RELIGHT_CONFIG";

/// What a file in the folder where a command runs may set: that folder may be a stranger's, who
/// must not choose a server, a token, a data folder or an edge.
const OPEN_TO_ALL: [&str; 2] = ["scan.", "output."];

/// Of these it sets only what neither the machine nor the user did: it must not turn off the
/// threshold that somebody set, nor look into less.
const FILLED_IN: &str = "scan.";

/// What it may not set of those either: limits of a scan, what the scan leaves out or knows things
/// by, and where it goes.
const CLOSED: [&str; 7] = [
    "scan.exclude",
    "scan.fingerprints",
    "scan.follow",
    "scan.max_read",
    "scan.memory",
    "scan.redact_paths",
    "scan.threads",
];

/// Names of keys and variables that would hold a secret itself.
const SECRETS: [&str; 6] = ["token", "password", "passphrase", "secret", "client_secret", "key"];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A file, and the line in it.
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(String),
    /// The command line.
    Option,
}

impl Origin {
    /// In words.
    pub(crate) fn text(&self, lang: Lang) -> String {
        match self {
            Self::File(path, line) => format!("{}:{line}", path.display()),
            Self::Variable(name) => name.clone(),
            Self::Option => texts::settings_option(lang).to_owned(),
        }
    }
}

/// A value as it was set: one word, or those of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) words: Vec<String>,
    pub(crate) origin: Origin,
}

/// What is set, by the names of keys.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) values: BTreeMap<String, Setting>,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
}

/// What is wrong, where; told once the language is known.
#[derive(Debug)]
pub(crate) struct Wrong {
    place: String,
    what: What,
    /// It stands in the file of the folder where the command runs, which may be a stranger's.
    pub(crate) is_of_folder: bool,
}

#[derive(Debug)]
pub(crate) enum What {
    Unreadable(String),
    Syntax(String),
    /// The key, and the nearest one there is.
    Unknown(String, Option<String>),
    Secret(String),
    NotHere(String),
    /// The key, its value, and what it may be.
    Value(String, String, String),
}

/// A file to read, and whether everybody may have written it.
struct Source {
    path: PathBuf,
    is_own: bool,
    is_named: bool,
}

/// Variables of the environment, so that tests need no process of their own.
pub(crate) type Variables = BTreeMap<String, OsString>;

/// The variables of this process.
pub(crate) fn variables() -> Variables {
    let all = std::env::vars_os();
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
}

impl Settings {
    /// Reads what there is to read. What is wrong is returned beside what could be read, so that
    /// it is told in the language that was chosen.
    pub(crate) fn read(arguments: &[OsString], variables: &Variables) -> (Self, Option<Wrong>) {
        let keys = all_keys();
        let mut settings = Self::default();
        let mut wrong = None;
        for source in sources(arguments, variables) {
            if let Err(mut found) = settings.take_file(&source, keys) {
                found.is_of_folder = !source.is_own;
                wrong = wrong.or(Some(found));
            }
        }
        for (name, value) in variables {
            if let Err(found) = settings.take_variable(name, value, keys) {
                wrong = wrong.filter(|it| !it.is_of_folder).or(Some(found));
            }
        }
        (settings, wrong)
    }

    fn take_file(&mut self, source: &Source, keys: &[Key]) -> Result<(), Wrong> {
        let Some(entries) = file::read(&source.path, source.is_named)? else { return Ok(()) };
        self.files.push(source.path.clone());
        for entry in entries {
            let place = format!("{}:{}", source.path.display(), entry.line);
            let wrong = |what| Wrong { place: place.clone(), what, is_of_folder: false };
            let key = known(&entry.key, keys).map_err(&wrong)?;
            let is_open = is_open_to_all(&key.name);
            if !source.is_own && !is_open {
                return Err(wrong(What::NotHere(entry.key)));
            }
            let words = key.words(&entry.value).map_err(&wrong)?;
            let origin = Origin::File(source.path.clone(), entry.line);
            if !source.is_own
                && key.name.starts_with(FILLED_IN)
                && self.values.contains_key(&key.name)
            {
                continue;
            }
            self.values.insert(key.name.clone(), Setting { words, origin });
        }
        Ok(())
    }

    fn take_variable(&mut self, name: &str, value: &OsString, keys: &[Key]) -> Result<(), Wrong> {
        let Some(rest) = name.strip_prefix("RELIGHT_") else { return Ok(()) };
        if value.is_empty() || name == FILE_VARIABLE || is_foreign(rest) {
            return Ok(());
        }
        let wrong = |what| Wrong { place: name.to_owned(), what, is_of_folder: false };
        let key = known(&rest.to_lowercase().replace("__", "."), keys).map_err(&wrong)?;
        let mut value = value.to_string_lossy().into_owned();
        if key.name == "lang" {
            // Locales are languages here; where it is none of ours, the next place decides.
            let Some(lang) = Lang::parse(&value) else { return Ok(()) };
            value = lang.tag().to_owned();
        }
        let words = key.words_of_variable(&value).map_err(&wrong)?;
        let origin = Origin::Variable(name.to_owned());
        self.values.insert(key.name.clone(), Setting { words, origin });
        Ok(())
    }

    /// The language that is asked for here.
    pub(crate) fn lang(&self) -> Option<String> {
        self.values.get("lang").and_then(|it| it.words.first().cloned())
    }

    /// The tree with what is set as the defaults of its options.
    pub(crate) fn applied(&self, mut command: Command) -> Command {
        for key in all_keys() {
            let Some(setting) = self.values.get(&key.name) else { continue };
            for place in &key.places {
                let words = setting.words.clone();
                // What must be given is given by it.
                let set = |it: Arg| it.default_values(words.clone()).required(false);
                command = within(command, &place.path, &place.option, &set);
            }
        }
        // What is a default here is nothing that was said, for clap: it would be asked for again.
        let is_set = |key: &str| self.values.contains_key(key);
        for (path, option, needed, _) in needs().filter(|it| !is_set(it.3)) {
            let path: Vec<String> = path.split_whitespace().map(ToOwned::to_owned).collect();
            command = within(command, &path, option, &|it: Arg| it.requires(needed));
        }
        command
    }

    /// Takes in what stands on the command line itself.
    pub(crate) fn take_options(&mut self, matches: &ArgMatches) {
        for key in all_keys() {
            for place in key.places.iter().filter(|place| place.path.is_empty()) {
                let id = place.option.as_str();
                if matches.value_source(id) != Some(ValueSource::CommandLine) {
                    continue;
                }
                let raw = matches.get_raw(id).into_iter().flatten();
                let words = raw.map(|word| word.to_string_lossy().into_owned()).collect();
                self.values.insert(key.name.clone(), Setting { words, origin: Origin::Option });
            }
        }
    }
}

/// Options that mean nothing without another one: the command, the option, the other, and the key
/// that sets the other as well, if one does: who only reads names the server.
fn needs() -> impl Iterator<Item = Need> {
    let asked = ACTING.map(|it| (it, "server")).into_iter().chain(READING.map(|it| (it, "")));
    let asked = asked.flat_map(|(command, key)| {
        ["token_file", "ca"].map(|option| (command, option, "server", key))
    });
    asked.chain([
        ("serve", "ca", "fetch", "serve.fetch"),
        ("serve", "journal_ca", "journal_to", "serve.journal_to"),
    ])
}

/// A command, an option, another one, and a key.
type Need = (&'static str, &'static str, &'static str, &'static str);

/// One option deep in the tree, changed.
fn within(command: Command, path: &[String], option: &str, change: &dyn Fn(Arg) -> Arg) -> Command {
    match path.split_first() {
        Some((first, rest)) => command.mut_subcommand(first, |it| within(it, rest, option, change)),
        None => command.mut_arg(option, change),
    }
}

/// The files, the weakest first. One that is named is read alone.
fn sources(arguments: &[OsString], variables: &Variables) -> Vec<Source> {
    let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let named = named(arguments).or_else(|| set(FILE_VARIABLE).cloned());
    if let Some(path) = named {
        return vec![Source { path: path.into(), is_own: true, is_named: true }];
    }
    let own = Context::config_folder_by(|name| set(name).cloned());
    let own = own.map(|folder| folder.join(FILE_NAME));
    let own = [Some(PathBuf::from(SYSTEM_FILE)), own].into_iter().flatten();
    let mut sources: Vec<Source> =
        own.map(|path| Source { path, is_own: true, is_named: false }).collect();
    let here = PathBuf::from(FILE_NAME);
    let same = |source: &Source| match (source.path.canonicalize(), here.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    // Whoever stands in his own folder reads his own file, once.
    if !sources.iter().any(same) {
        sources.push(Source { path: here, is_own: false, is_named: false });
    }
    sources
}

/// The value of `--config`, which stands before the command: `edge add` has one of its own.
fn named(arguments: &[OsString]) -> Option<OsString> {
    const WITH_VALUE: [&str; 4] = ["--data", "--lang", "--color", "--output"];
    let mut named = None;
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == "--config" {
            named = arguments.next().cloned();
        } else if let Some(path) = text.strip_prefix("--config=") {
            named = Some(path.into());
        } else if WITH_VALUE.contains(&&*text) || is_cluster_with_value(&text) {
            arguments.next();
        } else if !text.starts_with('-') {
            break;
        }
    }
    named
}

/// Whether this is several short options in one word, of which the last one takes a value (`-qo`).
fn is_cluster_with_value(text: &str) -> bool {
    text.starts_with('-') && !text.starts_with("--") && text.ends_with('o')
}

fn is_open_to_all(key: &str) -> bool {
    let is_listed = key == "lang" || OPEN_TO_ALL.iter().any(|it| key.starts_with(it));
    is_listed && !CLOSED.contains(&key)
}

/// What an orchestrator sets for a service called `relight`, and what is not ours.
fn is_foreign(rest: &str) -> bool {
    !rest.contains("__") && ["SERVICE_", "PORT"].iter().any(|it| rest.contains(it))
}

/// The key of this name.
fn known<'a>(name: &str, keys: &'a [Key]) -> Result<&'a Key, What> {
    if let Some(key) = keys.iter().find(|key| key.name == name) {
        return Ok(key);
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if SECRETS.contains(&last) {
        return Err(What::Secret(name.to_owned()));
    }
    let near = keys.iter().map(|key| (relight_engine::query::distance(name, &key.name), key));
    let near = near.filter(|(far, _)| *far <= 3).min_by_key(|(far, _)| *far);
    Err(What::Unknown(name.to_owned(), near.map(|(_, key)| key.name.clone())))
}

impl Wrong {
    /// In words.
    pub(crate) fn failure(&self, lang: Lang) -> Failure {
        let place = &self.place;
        let (what, remedy) = match &self.what {
            What::Unreadable(cause) => (
                texts::labelled(lang, texts::settings_unreadable(lang), cause),
                texts::settings_unreadable_remedy(lang).to_owned(),
            ),
            What::Syntax(cause) => (
                texts::labelled(lang, texts::settings_syntax(lang), cause),
                texts::settings_syntax_remedy(lang).to_owned(),
            ),
            What::Unknown(key, near) => {
                let all = texts::settings_all(lang).to_owned();
                let remedy = near.as_ref().map_or(all, |near| texts::usage_near(lang, near));
                (texts::settings_unknown(lang, key), remedy)
            }
            What::Secret(key) => {
                (texts::settings_secret(lang, key), texts::settings_secret_remedy(lang).to_owned())
            }
            What::NotHere(key) => (
                texts::settings_not_here(lang, key),
                texts::settings_not_here_remedy(lang).to_owned(),
            ),
            What::Value(key, value, values) => {
                (texts::usage_bad_value(lang, key, value), texts::usage_values(lang, values))
            }
        };
        Failure::usage(texts::labelled(lang, place, &what)).hint(remedy)
    }
}

#[cfg(test)]
mod tests;
