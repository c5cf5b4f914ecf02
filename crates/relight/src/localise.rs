//! The command tree in the reader's language. clap has no translation of its own, so every
//! description, heading and annotation is set here from the catalogue.

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, StyledStr};
use clap::{Arg, Command, CommandFactory};
use relight_server::web::{Lang, texts};
use rustix::termios::tcgetwinsize;

use crate::cli::Cli;
use crate::settings::{self, Settings};

/// Narrowest help, in columns: a pseudo-terminal without a size says 0.
const WIDTH_MIN: usize = 60;
/// Widest help, in columns.
const WIDTH_MAX: usize = 100;

/// The language of this run. `--lang` counts before anything is parsed, or help and parse errors
/// would come in the wrong one; then the environment and the configuration.
pub(crate) fn language(arguments: &[OsString], settings: &Settings) -> Lang {
    let asked = option_value(arguments, "--lang").or_else(|| settings.lang());
    language_of(asked.as_deref())
}

/// The language that the value of `--lang` asks for, or the one of the environment.
pub(crate) fn language_of(value: Option<&str>) -> Lang {
    value
        .and_then(Lang::parse)
        .unwrap_or_else(|| Lang::from_environment(|name| std::env::var(name).ok()))
}

/// The value of `--option VALUE` or `--option=VALUE` among raw arguments, the last one given.
pub(crate) fn option_value(arguments: &[OsString], option: &str) -> Option<String> {
    let mut value = None;
    let mut arguments = arguments.iter().skip(1).map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            break;
        }
        if argument == option {
            value = arguments.next().map(|next| next.into_owned());
        } else if let Some(rest) = argument.strip_prefix(option)
            && let Some(rest) = rest.strip_prefix('=')
        {
            value = Some(rest.to_owned());
        }
    }
    value
}

/// The whole tree with its texts in one language.
pub(crate) fn command(lang: Lang) -> Command {
    let width = tcgetwinsize(rustix::stdio::stdout())
        .or_else(|_| tcgetwinsize(rustix::stdio::stderr()))
        .map_or(WIDTH_MAX, |size| usize::from(size.ws_col));
    let command = Cli::command().term_width(width.clamp(WIDTH_MIN, WIDTH_MAX));
    localise(command, "", lang)
}

/// One command and everything below it; `path` is its name with those above, joined by `-`.
fn localise(command: Command, path: &str, lang: Lang) -> Command {
    let about = texts::by_code(lang, &join("help", path)).unwrap_or_default();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().into()).collect();
    let heading = texts::heading_commands(lang);
    let mut command = command
        .about(about)
        .help_template(template(lang))
        .subcommand_help_heading(heading)
        .subcommand_value_name(texts::value_command(lang))
        .mut_args(|argument| describe(argument, path, lang));
    for name in names {
        let below = join(path, &name);
        command = command.mut_subcommand(&name, |sub| localise(sub, &below, lang));
    }
    command
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() || name.is_empty() {
        format!("{path}{name}")
    } else {
        format!("{path}-{name}")
    }
}

fn template(lang: Lang) -> StyledStr {
    let usage = texts::heading_usage(lang);
    StyledStr::from(format!("{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}"))
}

/// The description of one option with the annotations that clap would write in English.
fn describe(argument: Arg, path: &str, lang: Lang) -> Arg {
    let id = argument.get_id().as_str().replace('_', "-");
    let own = texts::by_code(lang, &format!("option-{path}-{id}"));
    let text = own.or_else(|| texts::by_code(lang, &format!("option-{id}"))).unwrap_or_default();
    let mut help = text.to_owned();
    let values = argument.get_possible_values();
    if !values.is_empty() && argument.get_action().takes_values() {
        let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
        help.push_str(&note(lang, "note-values", &names.join(", ")));
    }
    let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy());
    let defaults: Vec<_> = defaults.collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        help.push_str(&note(lang, "note-default", &defaults.join(", ")));
    }
    let own = argument.get_env().map(|name| name.to_string_lossy().into_owned());
    if let Some(name) = own.or_else(|| settings::variable_of(path, argument.get_id().as_str())) {
        help.push_str(&note(lang, "note-environment", &name));
    }
    let heading = match (argument.is_positional(), argument.is_global_set() || id == "version") {
        (true, _) => texts::heading_arguments(lang),
        (false, true) => texts::heading_global_options(lang),
        (false, false) => texts::heading_options(lang),
    };
    let names: Vec<String> = argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(|name| value_name(name, lang))
        .collect();
    let argument = argument.help(help).help_heading(heading);
    if !argument.get_action().takes_values() {
        return argument;
    }
    let argument = argument.hide_possible_values(true).hide_default_value(true).hide_env(true);
    if names.is_empty() { argument } else { argument.value_names(names) }
}

/// The name of a value, word by word: `KEY=VALUE` is `CLÉ=VALEUR`. What is not in capitals is
/// typed as it stands (`yes|no`, `26w`).
fn value_name(name: &str, lang: Lang) -> String {
    let word = |word: &str| value_word(word, lang).unwrap_or(word).to_owned();
    words(name).into_iter().map(word).collect()
}

/// One word of the name of a value, in the catalogue; none where it is no word.
fn value_word(word: &str, lang: Lang) -> Option<&'static str> {
    let is_word = word.starts_with(|first: char| first.is_ascii_uppercase());
    let key = || format!("value-{}", word.to_lowercase().replace('_', "-"));
    is_word.then(key).and_then(|key| texts::by_code(lang, &key))
}

/// A name, cut where words and signs meet.
fn words(name: &str) -> Vec<&str> {
    let is_in_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    name.split_inclusive(|character| !is_in_word(character))
        .flat_map(|piece| {
            let (word, sign) = piece.split_at(piece.trim_end_matches(|it| !is_in_word(it)).len());
            [word, sign]
        })
        .filter(|piece| !piece.is_empty())
        .collect()
}

fn note(lang: Lang, key: &str, value: &str) -> String {
    let label = texts::by_code(lang, key).unwrap_or_default();
    format!(" [{}]", texts::labelled(lang, label, value))
}

/// A parser of values that are listed in the help; kept here so that commands name values once.
pub(crate) fn one_of(values: &'static [&'static str]) -> PossibleValuesParser {
    PossibleValuesParser::new(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_language_is_known_before_parsing() {
        for text in ["relight --lang fr scan", "relight scan --lang=fr", "relight x --lang fr-CA"] {
            assert_eq!(language(&arguments(text), &Settings::default()), Lang::Fr, "{text}");
        }
        let last = language(&arguments("relight --lang=en --lang=fr"), &Settings::default());
        assert_eq!(last, Lang::Fr, "the last");
        assert_eq!(option_value(&arguments("relight -- --lang fr"), "--lang"), None);
        assert_eq!(option_value(&arguments("relight --lang"), "--lang"), None);
        assert_eq!(option_value(&arguments("relight --language fr"), "--lang"), None);
    }

    /// Goal: no command, option or annotation without a text in both languages, and no English
    /// annotation of clap's. Method: walk the whole tree.
    #[test]
    fn every_command_and_option_has_its_text() {
        for lang in Lang::ALL {
            let mut root = command(lang);
            root.build();
            walk(&root, lang);
        }
    }

    fn walk(command: &Command, lang: Lang) {
        let name = command.get_name();
        assert!(command.get_about().is_some_and(|a| !a.to_string().is_empty()), "{lang:?} {name}");
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let text = help.split(" [").next().unwrap_or_default();
            assert!(!text.is_empty(), "{lang:?} {name} {}", argument.get_id());
        }
        let help = command.clone().render_long_help().to_string();
        for english in ["[default:", "[env:", "[possible values:", "Usage:", "Print help"] {
            assert!(lang == Lang::En || !help.contains(english), "{name}: {english} in {help}");
        }
        for sub in command.get_subcommands() {
            walk(sub, lang);
        }
    }

    /// Goal: no name of a value is shown in the other language. Method: walk the whole tree as it
    /// is written in the program, before it is localised.
    #[test]
    fn every_word_of_the_name_of_a_value_is_in_the_catalogue() {
        let mut root = Cli::command();
        root.build();
        let mut missing = Vec::new();
        names(&root, &mut missing);
        assert!(missing.is_empty(), "no value-… in help.ftl: {missing:?}");
        for (name, french) in [
            ("KEY=VALUE", "CLÉ=VALEUR"),
            ("MARK=yes|no", "MARQUE=yes|no"),
            ("HOST[:PORT]", "HÔTE[:PORT]"),
            ("YYYY-MM-DD", "AAAA-MM-JJ"),
            ("26w", "26w"),
            ("<RATE>", "<RATE>"),
        ] {
            assert_eq!(value_name(name, Lang::Fr), french);
        }
    }

    fn names(command: &Command, missing: &mut Vec<String>) {
        let of_values = |argument: &&Arg| argument.get_action().takes_values();
        for argument in command.get_arguments().filter(of_values) {
            let names = argument.get_value_names().unwrap_or_default();
            assert!(!names.is_empty(), "{} {}", command.get_name(), argument.get_id());
            for word in names.iter().flat_map(|name| words(name)) {
                let is_word = word.starts_with(|first: char| first.is_ascii_uppercase());
                let is_known = Lang::ALL.iter().all(|lang| value_word(word, *lang).is_some());
                if is_word && !is_known && !missing.iter().any(|known| known == word) {
                    missing.push(word.to_owned());
                }
            }
        }
        for sub in command.get_subcommands() {
            names(sub, missing);
        }
    }

    #[test]
    fn clap_finds_no_fault_with_the_tree() {
        command(Lang::Fr).debug_assert();
    }
}
