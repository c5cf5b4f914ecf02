//! The keys that may be set: what every command shares, and the options of the two commands that
//! are run the same way again and again.

use std::sync::OnceLock;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::What;
use super::file::{self, Value};
use crate::cli::Cli;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    Word,
    List,
}

/// An option in the tree of commands.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: Vec<String>,
    pub(crate) option: String,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The options that it sets.
    pub(crate) places: Vec<Place>,
    /// What holds when nothing sets it.
    pub(crate) default: Vec<String>,
    parser: ValueParser,
}

/// Keys that are not named by a command: the key, the option, and where it stands. What only reads
/// has no server from here: it reads the data folder, unless the command itself names one.
const SHARED: [(&str, &str, &[&[&str]]); 8] = [
    ("lang", "lang", &[&[""]]),
    ("data", "data", &[&[""]]),
    ("server", "server", &[&ACTING, &["incident approve"], &SIGNING_IN]),
    ("token_file", "token_file", &[&ACTING, &READING]),
    ("ca_file", "ca", &[&ACTING, &READING, &SIGNING_IN]),
    ("output.format", "output", &[&[""]]),
    ("output.color", "color", &[&[""]]),
    ("output.no_progress", "no_progress", &[&[""]]),
];

/// Commands that act at a server with a token; a file may name it for all.
pub(super) const ACTING: [&str; 2] = ["incident off", "incident on"];

/// Commands that read at one.
pub(super) const READING: [&str; 4] =
    ["affected", "sites list", "incident list", "incident status"];

/// Commands that get or end a token.
const SIGNING_IN: [&str; 2] = ["login", "logout"];

/// Commands whose options are keys, and the options that are about one run only.
const COMMANDS: [(&str, &[&str]); 2] =
    [("scan", &["targets", "site", "sbom", "flaws"]), ("serve", &["drill"])];

/// Every key, in the order of their names.
pub(crate) fn all_keys() -> &'static [Key] {
    // The whole tree of commands is built for it, which is most of what a start costs.
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    KEYS.get_or_init(found)
}

fn found() -> Vec<Key> {
    let tree = Cli::command();
    let mut keys = Vec::new();
    for (name, option, paths) in SHARED {
        let places: Vec<Place> = paths.concat().iter().map(|path| place(path, option)).collect();
        let found = places.first().and_then(|place| argument(&tree, &place.path, option));
        keys.extend(found.map(|found| key(name.to_owned(), found, places)));
    }
    for (command, without) in COMMANDS {
        let found = tree.find_subcommand(command).into_iter().flat_map(Command::get_arguments);
        for argument in found {
            let id = argument.get_id().as_str();
            if !without.contains(&id) && !argument.is_global_set() {
                keys.push(key(format!("{command}.{id}"), argument, vec![place(command, id)]));
            }
        }
    }
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    keys
}

/// The variable that sets an option which several commands share.
pub(crate) fn variable_of(path: &str, id: &str) -> Option<String> {
    let is = |paths: &[&[&str]]| paths.concat().iter().any(|it| it.replace(' ', "-") == path);
    let found = SHARED.iter().find(|(_, option, paths)| *option == id && is(paths));
    found.map(|(name, _, _)| variable(name))
}

/// The variable that sets a key.
pub(crate) fn variable(key: &str) -> String {
    format!("RELIGHT_{}", key.replace('.', "__").to_uppercase())
}

fn place(path: &str, option: &str) -> Place {
    let path = path.split_whitespace().map(ToOwned::to_owned).collect();
    Place { path, option: option.to_owned() }
}

fn argument<'a>(tree: &'a Command, path: &[String], option: &str) -> Option<&'a Arg> {
    let mut command = tree;
    for name in path {
        command = command.find_subcommand(name)?;
    }
    command.get_arguments().find(|it| it.get_id() == option)
}

fn key(name: String, argument: &Arg, places: Vec<Place>) -> Key {
    let kind = match argument.get_action() {
        ArgAction::SetTrue => Kind::Flag,
        ArgAction::Append => Kind::List,
        _ if argument.get_value_delimiter().is_some() => Kind::List,
        _ => Kind::Word,
    };
    let default = argument.get_default_values().iter();
    let default = default.map(|word| word.to_string_lossy().into_owned()).collect();
    Key { name, kind, places, default, parser: argument.get_value_parser().clone() }
}

impl Key {
    /// The words of a value, each of which its option takes.
    pub(super) fn words(&self, value: &Value) -> Result<Vec<String>, What> {
        let words = match (self.kind, value) {
            (Kind::Flag, Value::Flag(flag)) => return Ok(vec![flag.to_string()]),
            (Kind::Word, Value::Word(word)) => vec![word.clone()],
            (Kind::List, Value::List(words)) => words.clone(),
            (_, Value::Flag(flag)) => return Err(self.wrong(&flag.to_string())),
            (_, Value::Word(word)) => return Err(self.wrong(word)),
            (_, Value::List(words)) => return Err(self.wrong(&words.join(", "))),
            (_, Value::Other(kind)) => return Err(self.wrong(kind)),
        };
        match words.iter().find(|word| !self.takes(word)) {
            Some(word) => Err(self.wrong(word)),
            None => Ok(words),
        }
    }

    /// The same of a variable: a list is written as in a file, or is one word.
    pub(super) fn words_of_variable(&self, text: &str) -> Result<Vec<String>, What> {
        let value = match (self.kind, text) {
            (Kind::Flag, "true") => Value::Flag(true),
            (Kind::Flag, "false") => Value::Flag(false),
            (Kind::List, list) if list.starts_with('[') => {
                let parsed = file::parse(&format!("list = {list}"), "");
                let entry = parsed.ok().and_then(|entries| entries.into_iter().next());
                entry.map_or(Value::Other("array"), |entry| entry.value)
            }
            (Kind::List, word) => Value::List(vec![word.to_owned()]),
            (_, word) => Value::Word(word.to_owned()),
        };
        self.words(&value)
    }

    /// Whether the option takes this word.
    fn takes(&self, word: &str) -> bool {
        let option = Arg::new("value").long("value").value_parser(self.parser.clone());
        let option = option.action(ArgAction::Set).num_args(1).allow_hyphen_values(true);
        let command = Command::new("value").arg(option);
        command.try_get_matches_from(["value", "--value", word]).is_ok()
    }

    fn wrong(&self, value: &str) -> What {
        What::Value(self.name.clone(), value.to_owned(), self.values())
    }

    /// What it may be, as far as that can be listed.
    pub(crate) fn values(&self) -> String {
        let listed = self.parser.possible_values();
        let listed: Vec<String> =
            listed.into_iter().flatten().map(|value| value.get_name().to_owned()).collect();
        match (self.kind, listed.is_empty()) {
            (Kind::Flag, _) => "true, false".to_owned(),
            (_, false) => listed.join(", "),
            (Kind::List, true) => "[\"…\", \"…\"]".to_owned(),
            (Kind::Word, true) => {
                let place = self.places.first().map(|it| it.path.join(" ")).unwrap_or_default();
                format!("relight {place} --help").replace("  ", " ")
            }
        }
    }
}
