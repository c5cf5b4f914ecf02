//! The tree of commands and the options that all of them share.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, FromArgMatches, Parser, Subcommand};

use crate::cmd;
use crate::context::Context;
use crate::failure::Failure;
use crate::localise;
use crate::report::{Exit, Palette, Report};
use crate::rows::Form;
use crate::settings::{self, Settings};
use crate::usage;

// Descriptions of commands and options come from the catalogue (`help.ftl`, see `localise`):
// a doc comment here would be a second English text.
#[derive(Debug, Parser)]
#[command(
    name = "relight",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// In the order of the work, not of the alphabet.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Scan(cmd::scan::Scan),
    Sbom(cmd::sbom::SbomCommand),
    Sites(cmd::sites::Sites),
    Affected(cmd::affected::Affected),
    Advisories(cmd::advisories::Advisories),
    Fingerprints(cmd::fingerprints::Fingerprints),
    Incident(cmd::incident::Incident),
    Edge(cmd::edge::Edge),
    Watch(cmd::watch::Watch),
    Serve(Box<cmd::serve::Serve>),
    Public(cmd::public::Public),
    Drill(cmd::edge::trial::Drill),
    Demo(cmd::demo::Demo),
    Policy(cmd::policy::Policy),
    Token(cmd::token::Token),
    Agent(cmd::agent::Agent),
    Account(cmd::account::Accounts),
    Audit(cmd::audit::Audit),
    Status(cmd::status::Status),
    Doctor(cmd::doctor::Doctor),
    Config(cmd::config::Config),
    Login(cmd::login::Login),
    Logout(cmd::login::Logout),
    Completions(cmd::completions::Completions),
    #[command(hide = true)]
    Man(cmd::man::Man),
    Help(cmd::help::Help),
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[arg(short, long, global = true, value_name = "FORM", default_value = "auto",
        value_parser = Form::NAMES)]
    output: String,
    #[arg(long, global = true)]
    json: bool,
    // Read before parsing, by `Settings::read`; here only so that it is known. `edge add` has one
    // of its own, so it stands before the command.
    #[arg(long, value_name = "FILE", env = "RELIGHT_CONFIG")]
    config: Option<PathBuf>,
    // Read before parsing, by `localise::language`; here only so that it is known and checked.
    #[arg(long, global = true, value_name = "LANG", value_parser = ["fr", "en"])]
    lang: Option<String>,
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto",
        value_parser = ["auto", "always", "never"])]
    pub(crate) color: String,
    #[arg(long, global = true)]
    no_progress: bool,
    #[arg(short, long, global = true, action = ArgAction::Count)]
    quiet: u8,
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    #[arg(short, long, alias = "aide", global = true, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

impl Global {
    /// How data are written; `--json` is the form that most programs read.
    pub(crate) fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::parse(&self.output) }
    }

    /// Progress may be drawn, where stderr is a terminal.
    pub(crate) const fn shows_progress(&self) -> bool {
        !self.no_progress && self.quiet == 0
    }

    /// Only data, errors and what could not be used.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet > 0
    }

    /// Only data and errors.
    pub(crate) const fn is_silent(&self) -> bool {
        self.quiet > 1
    }

    /// How much is told about the run itself.
    pub(crate) const fn verbosity(&self) -> u8 {
        self.verbose
    }
}

/// Parses, runs, reports: everything between the arguments and the exit status.
pub(crate) fn run(arguments: &[OsString]) -> Exit {
    let (mut settings, wrong) = Settings::read(arguments, &settings::variables());
    let lang = localise::language(arguments, &settings);
    let mut report = Report::new(lang, Palette::before_parsing(arguments));
    let tree = settings.applied(localise::command(lang));
    let parsed = tree.try_get_matches_from(arguments).and_then(|matches| {
        settings.take_options(&matches);
        let mut below = matches.subcommand();
        while let Some((name, matches)) = below {
            report.of_command(name);
            below = matches.subcommand();
        }
        Cli::from_arg_matches(&matches)
    });
    // Help is shown whatever the configuration is; nothing is done by one that says something else
    // than it was meant to. But what a stranger left in the folder is about scans: it keeps nobody
    // from anything else.
    let mut ignored = None;
    let cli = match (parsed, wrong) {
        (Err(error), _) if usage::is_help(&error) => return usage::tell(&error, &mut report),
        (Ok(cli), Some(wrong))
            if wrong.is_of_folder && !matches!(cli.command, Command::Scan(_)) =>
        {
            ignored = Some(wrong);
            cli
        }
        (Err(error), Some(wrong)) if wrong.is_of_folder => return usage::tell(&error, &mut report),
        (_, Some(wrong)) => {
            report.fail(&wrong.failure(lang));
            return report.finish();
        }
        (Err(error), None) => return usage::tell(&error, &mut report),
        (Ok(cli), None) => cli,
    };
    report.configure(&cli.global);
    if let Some(wrong) = ignored {
        report.warn_of(&wrong.failure(lang));
    }
    let context = Context::new(lang, &cli.global, settings);
    context.tell_run(cli.global.verbosity(), &mut report);
    if let Err(failure) = dispatch(cli.command, &context, &mut report) {
        report.fail(&failure);
    }
    report.finish()
}

fn dispatch(command: Command, context: &Context, report: &mut Report) -> Result<(), Failure> {
    match command {
        Command::Scan(command) => command.run(context, report),
        Command::Sbom(command) => command.run(context, report),
        Command::Sites(command) => command.run(context, report),
        Command::Affected(command) => command.run(context, report),
        Command::Advisories(command) => command.run(context, report),
        Command::Fingerprints(command) => command.run(context, report),
        Command::Incident(command) => command.run(context, report),
        Command::Edge(command) => command.run(context, report),
        Command::Watch(command) => command.run(context, report),
        Command::Serve(command) => command.run(context, report),
        Command::Public(command) => command.run(context, report),
        Command::Drill(command) => command.run(context, report),
        Command::Demo(command) => command.run(context, report),
        Command::Policy(command) => command.run(context, report),
        Command::Token(command) => command.run(context, report),
        Command::Agent(command) => command.run(context, report),
        Command::Account(command) => command.run(context, report),
        Command::Audit(command) => command.run(context, report),
        Command::Status(command) => command.run(context, report),
        Command::Doctor(command) => command.run(context, report),
        Command::Config(command) => command.run(context, report),
        Command::Login(command) => command.run(context, report),
        Command::Logout(command) => command.run(context, report),
        Command::Completions(command) => command.run(context, report),
        Command::Man(command) => command.run(context, report),
        Command::Help(command) => command.run(context, report),
    }
}
