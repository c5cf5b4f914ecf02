//! `relight man DIR`: the manual pages of every command, in both languages, from the tree that
//! parses. For packages; hidden, because `relight help` shows people the same.
//!
//! Pages are written here and not by `clap_mangen`, whose headings are English in every language.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Args, Command};
use relight_server::web::{Lang, texts};

use crate::context::Context;
use crate::failure::Failure;
use crate::localise;
use crate::report::Report;

/// Exit statuses, in their order; each has a text (`man-exit-N`).
const STATUSES: [u8; 6] = [0, 1, 2, 3, 4, 10];

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct Man {
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let mut count = 0;
        for lang in Lang::ALL {
            // As `man` looks for them: English ones at the top, others below their language.
            let folder = match lang {
                Lang::En => self.folder.join("man1"),
                Lang::Fr => self.folder.join("fr").join("man1"),
            };
            let failed = |error| {
                let place = folder.display().to_string();
                let failure = Failure::new(texts::cannot_write(context.lang, &place));
                failure.because(context.lang, &error).hint(texts::cannot_write_remedy(context.lang))
            };
            let mut root = localise::command(lang);
            root.build();
            fs::create_dir_all(&folder).map_err(failed)?;
            write_all(&root, None, lang, &folder, &mut count).map_err(failed)?;
        }
        let place = self.folder.display().to_string();
        report.line(&texts::man_written(context.lang, count, &place));
        Ok(())
    }
}

/// The page of a command, and those below it.
fn write_all(
    command: &Command,
    above: Option<&Command>,
    lang: Lang,
    folder: &Path,
    count: &mut usize,
) -> std::io::Result<()> {
    let path = folder.join(format!("{}.1", name_of(command)));
    fs::write(path, page(command, above, lang))?;
    *count += 1;
    shown(command).try_for_each(|below| write_all(below, Some(command), lang, folder, count))
}

/// `relight-incident-off`.
fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|below| !below.is_hide_set())
}

/// The page of one command.
fn page(command: &Command, above: Option<&Command>, lang: Lang) -> String {
    let name = name_of(command);
    let version = env!("CARGO_PKG_VERSION");
    // Names of options and commands are typed as they stand: no line ends inside of one.
    let name_there = name.to_uppercase();
    let mut page = format!(".TH \"{name_there}\" 1 \"\" \"relight {version}\"\n.nh\n.ad l\n");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    section(&mut page, texts::man_name(lang));
    line(&mut page, &format!("{} \\- {}", plain(name), plain(&about)));
    section(&mut page, texts::man_synopsis(lang));
    line(&mut page, &synopsis(command));
    let mut heading = String::new();
    let mut arguments: Vec<&Arg> = command.get_arguments().filter(|it| !it.is_hide_set()).collect();
    // What all commands share stands on the page of the program alone.
    arguments.retain(|argument| above.is_none() || !argument.is_global_set());
    arguments.sort_by_key(|it| (!it.is_positional(), it.is_global_set()));
    for argument in arguments {
        let under = argument.get_help_heading().unwrap_or_default();
        if under != heading {
            section(&mut page, under);
            under.clone_into(&mut heading);
        }
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        entry(&mut page, &words(argument), &help);
    }
    if shown(command).next().is_some() {
        section(&mut page, texts::heading_commands(lang));
        for below in shown(command) {
            let about = below.get_about().map(ToString::to_string).unwrap_or_default();
            entry(&mut page, &format!("\\fB{}\\fR(1)", plain(name_of(below))), &about);
        }
    }
    section(&mut page, texts::man_exit(lang));
    for status in STATUSES {
        let text = texts::by_code(lang, &format!("man-exit-{status}")).unwrap_or_default();
        entry(&mut page, &format!("\\fB{status}\\fR"), text);
    }
    let others = above.into_iter().chain(shown(command)).map(name_of);
    let others: Vec<String> = others.map(|it| format!("\\fB{}\\fR(1)", plain(it))).collect();
    if !others.is_empty() {
        section(&mut page, texts::man_see_also(lang));
        line(&mut page, &others.join(", "));
    }
    page
}

/// What is typed.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    // What stands before it is clap's, in English.
    let usage = usage.find("relight").map_or(usage.as_str(), |at| &usage[at..]);
    let usage: Vec<&str> = usage.split_whitespace().collect();
    format!("\\fB{}\\fR", plain(&usage.join(" ")))
}

/// An option or argument as it is typed: names in bold, values in italics.
fn words(argument: &Arg) -> String {
    let bold = |name: String| format!("\\fB{}\\fR", plain(&name));
    let short = argument.get_short().map(|sign| bold(format!("-{sign}")));
    let long = argument.get_long().map(|name| bold(format!("--{name}")));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let takes = argument.get_action().takes_values();
    let values = argument.get_value_names().filter(|_| takes).unwrap_or_default();
    let values = values.iter().map(|value| format!("\\fI{}\\fR", plain(value)));
    let several = argument.get_num_args().is_some_and(|count| count.max_values() > 1);
    let values: Vec<String> = values.collect();
    let values = values.join(" ") + if several { "..." } else { "" };
    [names.join(", "), values].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

fn section(page: &mut String, heading: &str) {
    let heading = heading.trim_end_matches(|sign: char| sign == ':' || sign.is_whitespace());
    page.push_str(&format!(".SH \"{}\"\n", plain(&heading.to_uppercase())));
}

fn entry(page: &mut String, term: &str, text: &str) {
    page.push_str(".TP\n");
    line(page, term);
    line(page, &plain(text));
}

/// One line of text: none begins a request.
fn line(page: &mut String, text: &str) {
    if text.starts_with(['.', '\'']) {
        page.push_str("\\&");
    }
    page.push_str(text);
    page.push('\n');
}

/// Text of which nothing is a request or an escape, on one line.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\\' => plain.push_str("\\e"),
            '-' => plain.push_str("\\-"),
            // In the argument of a macro it would end it.
            '"' => plain.push_str("\\(dq"),
            '\u{a0}' => plain.push_str("\\~"),
            sign if sign.is_whitespace() || sign.is_control() => plain.push(' '),
            sign => plain.push(sign),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a page for each command in each language, with each of its options, in that language.
    /// Method: walk the tree that parses.
    #[test]
    fn every_command_has_its_page_with_all_of_its_options() {
        let mut pages = 0;
        for lang in Lang::ALL {
            let mut root = localise::command(lang);
            root.build();
            walk(&root, None, lang, &mut pages);
        }
        assert!(pages > 200, "{pages}");
    }

    fn walk(command: &Command, above: Option<&Command>, lang: Lang, pages: &mut usize) {
        let page = page(command, above, lang);
        let name = name_of(command);
        *pages += 1;
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long().filter(|_| !argument.is_hide_set()) else {
                continue;
            };
            let is_there = page.contains(&format!("\\fB{}\\fR", plain(&format!("--{long}"))));
            assert_eq!(is_there, above.is_none() || !argument.is_global_set(), "{name} {long}");
        }
        for request in page.lines().filter(|it| it.starts_with(['.', '\''])) {
            let known = [".TH ", ".SH ", ".TP", ".nh", ".ad l"];
            let is_known = known.iter().any(|known| request.starts_with(known));
            assert!(is_known, "{name}: {request}");
        }
        let headings: Vec<&str> = page.lines().filter_map(|it| it.strip_prefix(".SH ")).collect();
        let of = |en: &'static str, fr: &'static str| if lang == Lang::En { en } else { fr };
        assert_eq!(headings[..2], [of("\"NAME\"", "\"NOM\""), "\"SYNOPSIS\""], "{name}");
        let exit = headings[headings.len() - 2];
        assert_eq!(exit, of("\"EXIT STATUS\"", "\"CODE DE RETOUR\""), "{name}");
        assert!(page.contains("\\fB10\\fR\n"), "{name}");
        let is_empty = page.lines().any(|line| line.trim().is_empty());
        let is_english = lang == Lang::Fr && page.contains("[default");
        assert!(!is_empty && !is_english, "{name}: {page}");
        for below in shown(command) {
            walk(below, Some(command), lang, pages);
        }
    }

    #[test]
    fn no_text_is_a_request() {
        let mut page = String::new();
        entry(&mut page, ".so /etc/passwd", "'a \\fB\"b\" c-d\u{a0}: e\nf");
        let wanted = ".TP\n\\&.so /etc/passwd\n\\&'a \\efB\\(dqb\\(dq c\\-d\\~: e f\n";
        assert_eq!(page, wanted);
    }
}
