//! The tree of commands and the options that all of them share.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, FromArgMatches, Parser, Subcommand};

use crate::cmd;
use crate::context::Context;
use crate::failure::Failure;
use crate::localise;
use crate::report::{Exit, Palette, Report};
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
    Account(cmd::account::Accounts),
    Audit(cmd::audit::Audit),
    Doctor(cmd::doctor::Doctor),
    Completions(cmd::completions::Completions),
    Help(cmd::help::Help),
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    #[arg(long, global = true, env = "RELIGHT_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[arg(long, global = true)]
    json: bool,
    // Read before parsing, by `localise::language`; here only so that it is known and checked.
    #[arg(long, global = true, value_name = "LANG", value_parser = ["fr", "en"])]
    lang: Option<String>,
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto",
        value_parser = ["auto", "always", "never"])]
    pub(crate) color: String,
    #[arg(long, global = true)]
    no_progress: bool,
    #[arg(short, long, global = true)]
    quiet: bool,
    #[arg(short, long, alias = "aide", global = true, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

impl Global {
    /// JSON instead of text.
    pub(crate) const fn json(&self) -> bool {
        self.json
    }

    /// Progress may be drawn, where stderr is a terminal.
    pub(crate) const fn shows_progress(&self) -> bool {
        !self.no_progress && !self.quiet
    }

    /// Only data, errors and what could not be used.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }
}

/// Parses, runs, reports: everything between the arguments and the exit status.
pub(crate) fn run(arguments: &[OsString]) -> Exit {
    let lang = localise::language(arguments);
    let mut report = Report::new(lang, Palette::before_parsing(arguments));
    let parsed = localise::command(lang)
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage::tell(&error, &mut report),
    };
    report.configure(&cli.global);
    let context = Context::new(lang, &cli.global);
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
        Command::Account(command) => command.run(context, report),
        Command::Audit(command) => command.run(context, report),
        Command::Doctor(command) => command.run(context, report),
        Command::Completions(command) => command.run(context, report),
        Command::Help(command) => command.run(context, report),
    }
}
