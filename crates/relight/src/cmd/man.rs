//! `relight man DIR`: the manual pages of every command, in both languages, from the tree that
//! parses. For packages; hidden, because `relight help` shows people the same.
//!
//! Pages are written here and not by `clap_mangen`, whose headings are English in every language.

use std::fs;
use std::path::PathBuf;

use clap::{Arg, Args, Command};
use relight_server::web::book::{Sheet, SheetGroup, SheetOption};
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
        let mut count = 0_usize;
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
            fs::create_dir_all(&folder).map_err(failed)?;
            for sheet in sheets(lang) {
                let path = folder.join(format!("{}.1", sheet.name));
                fs::write(path, page(&sheet, lang)).map_err(failed)?;
                count += 1;
            }
        }
        let place = self.folder.display().to_string();
        report.line(&texts::man_written(context.lang, count, &place));
        Ok(())
    }
}

/// What every command says of itself, each before those below it.
pub(crate) fn sheets(lang: Lang) -> Vec<Sheet> {
    let mut root = localise::command(lang);
    root.build();
    let mut sheets = Vec::new();
    walk(&root, None, &mut sheets);
    sheets
}

fn walk(command: &Command, above: Option<&Command>, sheets: &mut Vec<Sheet>) {
    sheets.push(sheet(command, above));
    for below in shown(command) {
        walk(below, Some(command), sheets);
    }
}

/// `relight-incident-off`.
fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|below| !below.is_hide_set())
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn sheet(command: &Command, above: Option<&Command>) -> Sheet {
    let mut arguments: Vec<&Arg> = command.get_arguments().filter(|it| !it.is_hide_set()).collect();
    // What all commands share stands with the program alone.
    arguments.retain(|argument| above.is_none() || !argument.is_global_set());
    arguments.sort_by_key(|it| (!it.is_positional(), it.is_global_set()));
    let mut groups: Vec<SheetGroup> = Vec::new();
    for argument in arguments {
        let heading = argument.get_help_heading().unwrap_or_default();
        let heading = heading.trim_end_matches(|sign: char| sign == ':' || sign.is_whitespace());
        if groups.last().is_none_or(|group| group.heading != heading) {
            groups.push(SheetGroup { heading: heading.to_owned(), options: Vec::new() });
        }
        groups.last_mut().into_iter().for_each(|group| group.options.push(option(argument)));
    }
    Sheet {
        name: name_of(command).to_owned(),
        words: command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned(),
        about: about(command),
        usage: usage(command),
        groups,
        above: above.map(|above| name_of(above).to_owned()),
        below: shown(command).map(|it| (name_of(it).to_owned(), about(it))).collect(),
    }
}

/// What is typed.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    // What stands before it is clap's, in English.
    let usage = usage.find("relight").map_or(usage.as_str(), |at| &usage[at..]);
    usage.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An option or argument as it is typed, and what it does.
fn option(argument: &Arg) -> SheetOption {
    let short = argument.get_short().map(|sign| format!("-{sign}"));
    let long = argument.get_long().map(|name| format!("--{name}"));
    let takes = argument.get_action().takes_values();
    let values = argument.get_value_names().filter(|_| takes).unwrap_or_default();
    SheetOption {
        names: short.into_iter().chain(long).collect(),
        values: values.iter().map(ToString::to_string).collect(),
        repeats: argument.get_num_args().is_some_and(|count| count.max_values() > 1),
        help: argument.get_help().map(ToString::to_string).unwrap_or_default(),
    }
}

/// The page of one command.
fn page(sheet: &Sheet, lang: Lang) -> String {
    let version = env!("CARGO_PKG_VERSION");
    // Names of options and commands are typed as they stand: no line ends inside of one.
    let name_there = sheet.name.to_uppercase();
    let mut page = format!(".TH \"{name_there}\" 1 \"\" \"relight {version}\"\n.nh\n.ad l\n");
    section(&mut page, texts::man_name(lang));
    line(&mut page, &format!("{} \\- {}", plain(&sheet.name), plain(&sheet.about)));
    section(&mut page, texts::man_synopsis(lang));
    line(&mut page, &format!("\\fB{}\\fR", plain(&sheet.usage)));
    for group in &sheet.groups {
        if !group.heading.is_empty() {
            section(&mut page, &group.heading);
        }
        for option in &group.options {
            entry(&mut page, &words(option), &option.help);
        }
    }
    let reference = |name: &str| format!("\\fB{}\\fR(1)", plain(name));
    if !sheet.below.is_empty() {
        section(&mut page, texts::heading_commands(lang));
        for (name, about) in &sheet.below {
            entry(&mut page, &reference(name), about);
        }
    }
    section(&mut page, texts::man_exit(lang));
    for status in STATUSES {
        let text = texts::by_code(lang, &format!("man-exit-{status}")).unwrap_or_default();
        entry(&mut page, &format!("\\fB{status}\\fR"), text);
    }
    let others = sheet.above.iter().chain(sheet.below.iter().map(|(name, _)| name));
    let others: Vec<String> = others.map(|name| reference(name)).collect();
    if !others.is_empty() {
        section(&mut page, texts::man_see_also(lang));
        line(&mut page, &others.join(", "));
    }
    page
}

/// An option or argument: names in bold, values in italics.
fn words(option: &SheetOption) -> String {
    let names = option.names.iter().map(|name| format!("\\fB{}\\fR", plain(name)));
    let values = option.values.iter().map(|value| format!("\\fI{}\\fR", plain(value)));
    let names: Vec<String> = names.collect();
    let values: Vec<String> = values.collect();
    let values = values.join(" ") + if option.repeats { "..." } else { "" };
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
            look(&root, None, lang, &mut pages);
        }
        assert!(pages > 200, "{pages}");
    }

    fn look(command: &Command, above: Option<&Command>, lang: Lang, pages: &mut usize) {
        let page = page(&sheet(command, above), lang);
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
            look(below, Some(command), lang, pages);
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
