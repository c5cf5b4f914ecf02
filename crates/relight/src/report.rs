//! What a command says: data to stdout, everything else to stderr, and the exit status.

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::process::ExitCode;

use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::cli::Global;
use crate::failure::Failure;
use crate::rows::{self, Form};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; also a closed pipe.
    Done,
    /// Something could not be read, reached or written.
    Failed,
    /// The arguments or the configuration cannot be used.
    Usage,
    /// The answer holds something unknown.
    Incomplete,
    /// Approval is needed or was denied.
    Approval,
    /// A threshold that was asked for is met.
    Threshold,
}

impl Exit {
    /// The exit status of the process.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Approval => 4,
            Self::Threshold => 10,
        }
    }

    /// The one of two that is told: 2, 1, 4, 10, 3, 0.
    pub(crate) fn worse(self, other: Self) -> Self {
        const ORDER: [Exit; 6] = [
            Exit::Usage,
            Exit::Failed,
            Exit::Approval,
            Exit::Threshold,
            Exit::Incomplete,
            Exit::Done,
        ];
        ORDER.into_iter().find(|exit| [self, other].contains(exit)).unwrap_or(Self::Usage)
    }
}

/// A way to set text off, on streams that show colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Strong,
    Bad,
    Warn,
    Good,
    Quiet,
}

impl Style {
    const ALL: [Self; 5] = [Self::Strong, Self::Bad, Self::Warn, Self::Good, Self::Quiet];
    const END: &'static str = "\u{1b}[0m";

    const fn start(self) -> &'static str {
        match self {
            Self::Strong => "\u{1b}[1m",
            Self::Bad => "\u{1b}[31m",
            Self::Warn => "\u{1b}[33m",
            Self::Good => "\u{1b}[32m",
            Self::Quiet => "\u{1b}[2m",
        }
    }
}

/// Which streams show colours: `--color`, then `NO_COLOR`, then `CLICOLOR_FORCE`, then terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

impl Palette {
    /// For help and parse errors: `--color` is looked for among the raw arguments.
    pub(crate) fn before_parsing(arguments: &[OsString]) -> Self {
        Self::new(crate::localise::option_value(arguments, "--color").as_deref().unwrap_or("auto"))
    }

    fn new(when: &str) -> Self {
        let set = |name: &str| {
            std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
        };
        let shows = |terminal: bool| match when {
            "always" => true,
            "never" => false,
            _ if set("NO_COLOR") => false,
            _ => set("CLICOLOR_FORCE") || terminal,
        };
        Self {
            stdout: shows(io::stdout().is_terminal()),
            stderr: shows(io::stderr().is_terminal()),
        }
    }
}

/// The two streams and the exit status of one run.
pub(crate) struct Report {
    lang: Lang,
    palette: Palette,
    quiet: bool,
    /// Warnings are left out too.
    silent: bool,
    form: Form,
    /// The names of columns that were written last.
    headed: Option<Vec<String>>,
    stdout: BufWriter<Stdout>,
    /// The reader of stdout is gone, or its disk is full: nothing more is written.
    closed: bool,
    exit: Exit,
    /// The command as it was typed: `relight incident off`.
    command: String,
}

/// A JSON document: its schema comes first.
#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'a str,
    #[serde(flatten)]
    body: &'a T,
}

impl Report {
    pub(crate) fn new(lang: Lang, palette: Palette) -> Self {
        let stdout = BufWriter::new(io::stdout());
        let (quiet, silent, form, headed) = (false, false, Form::Text, None);
        let (closed, exit, command) = (false, Exit::Done, "relight".to_owned());
        Self { lang, palette, quiet, silent, form, headed, stdout, closed, exit, command }
    }

    /// Takes over the options that were parsed.
    pub(crate) fn configure(&mut self, global: &Global) {
        self.palette = Palette::new(&global.color);
        self.quiet = global.is_quiet();
        self.silent = global.is_silent();
        self.form = global.form();
    }

    /// Takes over which command was typed, below `relight`.
    pub(crate) fn of_command(&mut self, name: &str) {
        self.command = format!("{} {name}", self.command);
    }

    pub(crate) fn lang(&self) -> Lang {
        self.lang
    }

    pub(crate) fn shows_colour(&self) -> bool {
        self.palette.stdout
    }

    /// Text for stdout, set off where stdout shows colours.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        paint(self.palette.stdout, style, text)
    }

    /// One line of data.
    pub(crate) fn line(&mut self, text: &str) {
        let text = harmless(text, self.palette.stdout);
        self.raw(&format!("{text}\n"));
    }

    /// Text as it is: documents, configurations, help.
    pub(crate) fn raw(&mut self, text: &str) {
        if self.closed {
            return;
        }
        let written = self.stdout.write_all(text.as_bytes());
        self.settle(written);
    }

    /// A JSON document with its schema in front.
    pub(crate) fn document<T: Serialize>(&mut self, schema: &str, body: &T) {
        if !matches!(self.form, Form::Text | Form::Json) {
            return self.document_line(schema, body);
        }
        let text = serde_json::to_string_pretty(&Document { schema, body });
        self.written(text.map(|text| format!("{text}\n")));
    }

    /// A JSON document on one line, for streams that go on.
    pub(crate) fn document_line<T: Serialize>(&mut self, schema: &str, body: &T) {
        let text = serde_json::to_string(&Document { schema, body });
        let text = match self.form {
            Form::Csv | Form::Markdown => {
                let before = self.headed.as_deref();
                let rows = text.and_then(|text| rows::rows(&text, self.form, before));
                let left_out = rows.as_ref().map(|it| it.left_out.join(", ")).unwrap_or_default();
                if !left_out.is_empty() && self.headed.is_none() && !self.silent {
                    self.tell(&texts::rows_left_out(self.lang, &left_out));
                }
                rows.map(|rows| {
                    self.headed = Some(rows.columns);
                    rows.text
                })
            }
            Form::Text | Form::Json | Form::Jsonl => text.map(|text| format!("{text}\n")),
        };
        self.written(text);
    }

    fn written(&mut self, text: serde_json::Result<String>) {
        match text {
            Ok(text) => self.raw(&text),
            Err(error) => {
                self.raise(Exit::Failed);
                self.tell(&format!("{error}"));
            }
        }
    }

    /// Writes what is waiting, for commands that do not end soon.
    pub(crate) fn flush(&mut self) {
        if !self.closed {
            let flushed = self.stdout.flush();
            self.settle(flushed);
        }
    }

    /// A line on stderr, whatever the options say.
    pub(crate) fn tell(&mut self, text: &str) {
        // Without stderr there is nobody left to tell.
        let _ = self.stdout.flush();
        let _ = writeln!(io::stderr(), "{}", harmless(text, self.palette.stderr));
    }

    /// A line on stderr that `--quiet` leaves out.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.quiet {
            self.tell(text);
        }
    }

    /// Something that could not be used: where, what, and what to do about it.
    pub(crate) fn warn(&mut self, place: &str, what: &str, remedy: &str) {
        self.warn_in_detail(place, what, "", remedy);
    }

    /// The same with a technical detail, which is in English as in every log.
    pub(crate) fn warn_in_detail(&mut self, place: &str, what: &str, detail: &str, remedy: &str) {
        if self.silent {
            return;
        }
        let label = paint(self.palette.stderr, Style::Warn, texts::label_warning(self.lang));
        let line = texts::labelled_place(self.lang, &label, place, what);
        self.tell(&line);
        if !detail.is_empty() {
            let line = texts::labelled(self.lang, texts::detail_label(self.lang), detail);
            self.tell(&format!("  {line}"));
        }
        if !remedy.is_empty() {
            self.hint(remedy);
        }
    }

    /// Something that failed and is tried again: told like an error, and no reason for the status.
    pub(crate) fn warn_of(&mut self, failure: &Failure) {
        if self.silent {
            return;
        }
        let label = paint(self.palette.stderr, Style::Warn, texts::label_warning(self.lang));
        self.tell_failure(&label, failure);
    }

    fn tell_failure(&mut self, label: &str, failure: &Failure) {
        let line = texts::labelled(self.lang, label, &failure.message);
        self.tell(&line);
        for line in &failure.below {
            self.tell(line);
        }
        if let Some(hint) = failure.hint.as_ref().filter(|hint| !hint.is_empty()) {
            self.hint(hint);
        }
    }

    /// Something that refuses, as an error with its place, without ending the command.
    pub(crate) fn fault(&mut self, place: &str, what: &str, remedy: &str) {
        let label = paint(self.palette.stderr, Style::Bad, texts::label_error(self.lang));
        let line = texts::labelled_place(self.lang, &label, place, what);
        self.tell(&line);
        if !remedy.is_empty() {
            self.hint(remedy);
        }
    }

    /// What to do next, on stderr.
    pub(crate) fn hint(&mut self, text: &str) {
        let label = paint(self.palette.stderr, Style::Strong, texts::label_hint(self.lang));
        let line = texts::labelled(self.lang, &label, text);
        self.tell(&line);
    }

    /// The next command, as the last line of an answer.
    pub(crate) fn next(&mut self, command: &str) {
        let line = texts::labelled(self.lang, texts::label_next(self.lang), command);
        self.line(&line);
    }

    /// A command that ended with an error: what happened, where exactly, and what to do. Where
    /// nobody knows what to do, it names the command that says more.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        let label = paint(self.palette.stderr, Style::Bad, texts::label_error(self.lang));
        self.tell_failure(&label, failure);
        if failure.hint.as_ref().is_none_or(String::is_empty) {
            let remedy = match failure.exit {
                Exit::Usage => texts::fail_usage_remedy(self.lang, &self.command),
                _ => texts::fail_remedy(self.lang).to_owned(),
            };
            self.hint(&remedy);
        }
        self.raise(failure.exit);
    }

    /// The same of arguments that cannot be used, behind which the help is named.
    pub(crate) fn fail_to_parse(&mut self, failure: &Failure, help: &str) {
        let label = paint(self.palette.stderr, Style::Bad, texts::label_error(self.lang));
        self.tell_failure(&label, failure);
        self.tell(&texts::usage_more(self.lang, help));
        self.raise(failure.exit);
    }

    /// Notes a reason for the exit status; the worst one is told.
    pub(crate) fn raise(&mut self, exit: Exit) {
        self.exit = self.exit.worse(exit);
    }

    /// Writes what is left, and the status.
    pub(crate) fn finish(&mut self) -> Exit {
        self.flush();
        self.exit
    }

    /// A reader that left early has seen enough; anything else is a failure.
    fn settle(&mut self, written: io::Result<()>) {
        let Err(error) = written else { return };
        self.closed = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            let failure = Failure::new(texts::stdout_failed(self.lang)).because(self.lang, &error);
            self.fail(&failure.hint(texts::stdout_failed_remedy(self.lang)));
        }
    }
}

fn paint(colour: bool, style: Style, text: &str) -> String {
    if colour { format!("{}{text}{}", style.start(), Style::END) } else { text.to_owned() }
}

/// Text of a stranger for a terminal, without any code.
pub(crate) fn plain(text: &str) -> String {
    const COLOUR: bool = false;
    harmless(text, COLOUR)
}

/// Text that cannot move the cursor or turn around: file names and log lines come from strangers.
/// Our own colour codes stay where colours are shown.
fn harmless(text: &str, colour: bool) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let codes = || Style::ALL.iter().map(|style| style.start()).chain([Style::END]);
        if colour && let Some(code) = codes().find(|code| rest.starts_with(code)) {
            clean.push_str(code);
            rest = &rest[code.len()..];
            continue;
        }
        let turns = matches!(first, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let bad = turns || (first.is_control() && first != '\n');
        clean.push(if bad { char::REPLACEMENT_CHARACTER } else { first });
        rest = &rest[first.len_utf8()..];
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_reason_decides() {
        let order = [
            Exit::Usage,
            Exit::Failed,
            Exit::Approval,
            Exit::Threshold,
            Exit::Incomplete,
            Exit::Done,
        ];
        for (at, worse) in order.into_iter().enumerate() {
            for better in &order[at..] {
                assert_eq!(worse.worse(*better), worse);
                assert_eq!(better.worse(worse), worse);
            }
        }
        assert_eq!(order.map(Exit::number), [2, 1, 4, 10, 3, 0]);
    }

    #[test]
    fn what_strangers_wrote_cannot_steer_a_terminal() {
        let evil = "a\u{1b}[2Jb\u{7}c\rd\u{202e}e\nf";
        assert_eq!(harmless(evil, true), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e\nf");
        let ours = paint(true, Style::Bad, "x");
        assert_eq!(harmless(&ours, true), ours);
        assert!(!harmless(&ours, false).contains('\u{1b}'));
        assert_eq!(paint(false, Style::Bad, "x"), "x");
    }
}
