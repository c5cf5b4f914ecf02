//! What clap says when the arguments cannot be used, as sentences of the catalogue.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use relight_server::web::{Lang, texts};

use crate::failure::Failure;
use crate::report::{Exit, Report};

/// Somebody asked for help or the version.
pub(crate) fn is_help(error: &Error) -> bool {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    let kinds = [DisplayHelp, DisplayVersion, DisplayHelpOnMissingArgumentOrSubcommand];
    kinds.contains(&error.kind())
}

/// Prints help or version, or the error with its hint; the exit status.
pub(crate) fn tell(error: &Error, report: &mut Report) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = error.render();
            let text =
                if report.shows_colour() { text.ansi().to_string() } else { text.to_string() };
            report.raw(&text);
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let text = error.render().to_string();
            report.tell(text.trim_end());
            report.raise(Exit::Usage);
        }
        _ => {
            let lang = report.lang();
            let failure = failure(error, lang);
            let help = if lang == Lang::Fr { "relight --aide" } else { "relight --help" };
            report.fail_to_parse(&failure, help);
        }
    }
    report.finish()
}

/// The error in words, with the nearest thing that exists as the hint.
fn failure(error: &Error, lang: Lang) -> Failure {
    let message = sentence(error, lang);
    let near =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let failure = Failure::usage(message);
    if let Some(near) = near.into_iter().find_map(|kind| text(error, kind)) {
        return failure.hint(texts::usage_near(lang, &near));
    }
    match text(error, ContextKind::ValidValue).filter(|_| error.kind() == ErrorKind::InvalidValue) {
        Some(values) => failure.hint(texts::usage_values(lang, &values)),
        None => failure,
    }
}

fn sentence(error: &Error, lang: Lang) -> String {
    let of = |kind| text(error, kind).unwrap_or_default();
    let argument = of(ContextKind::InvalidArg);
    let value = of(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            texts::usage_unknown_command(lang, &of(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            texts::usage_unknown_option(lang, &argument)
        }
        ErrorKind::UnknownArgument => texts::usage_surplus_word(lang, &argument),
        ErrorKind::InvalidValue if value.is_empty() => texts::usage_no_value(lang, &argument),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            texts::usage_bad_value(lang, &argument, &value)
        }
        ErrorKind::NoEquals => texts::usage_no_equals(lang, &argument),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            texts::usage_number_of_values(lang, &argument)
        }
        ErrorKind::ArgumentConflict => {
            texts::usage_conflict(lang, &argument, &of(ContextKind::PriorArg))
        }
        ErrorKind::MissingRequiredArgument => texts::usage_missing(lang, &argument),
        ErrorKind::MissingSubcommand => texts::usage_no_command(lang).to_owned(),
        ErrorKind::InvalidUtf8 => texts::usage_not_utf8(lang).to_owned(),
        _ => texts::usage_other(lang).to_owned(),
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) if !texts.is_empty() => Some(texts.join(", ")),
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::localise;

    /// Every kind that people can meet.
    const KINDS: [ErrorKind; 14] = [
        ErrorKind::InvalidValue,
        ErrorKind::UnknownArgument,
        ErrorKind::InvalidSubcommand,
        ErrorKind::NoEquals,
        ErrorKind::ValueValidation,
        ErrorKind::TooManyValues,
        ErrorKind::TooFewValues,
        ErrorKind::WrongNumberOfValues,
        ErrorKind::ArgumentConflict,
        ErrorKind::MissingRequiredArgument,
        ErrorKind::MissingSubcommand,
        ErrorKind::InvalidUtf8,
        ErrorKind::Io,
        ErrorKind::Format,
    ];

    #[test]
    fn every_kind_of_error_is_a_sentence_in_both_languages() {
        for kind in KINDS {
            let error = Error::new(kind);
            let [french, english] = Lang::ALL.map(|lang| failure(&error, lang).message);
            assert!(!french.is_empty() && !english.is_empty());
            assert_ne!(french, english, "{kind:?}");
            assert!(!french.contains(&format!("{kind:?}")), "a name of Rust: {french}");
        }
    }

    #[test]
    fn the_nearest_command_is_the_hint() {
        let error = localise::command(Lang::Fr).try_get_matches_from(["relight", "scna"]);
        let failure = failure(&error.unwrap_err(), Lang::Fr);
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.message, "commande inconnue «\u{a0}scna\u{a0}»");
        assert_eq!(failure.hint.as_deref(), Some("ce qui existe de plus proche\u{a0}: scan"));
    }
}
