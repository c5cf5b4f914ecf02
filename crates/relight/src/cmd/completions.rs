//! `relight completions SHELL`: the script by which a shell completes commands and options.

use clap::Args;
use clap_complete::{Shell, generate};

use crate::context::Context;
use crate::failure::Failure;
use crate::localise::{self, one_of};
use crate::report::Report;

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    #[arg(value_name = "SHELL",
        value_parser = one_of(&["bash", "zsh", "fish", "elvish", "powershell"]))]
    shell: String,
}

impl Completions {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let shell = match self.shell.as_str() {
            "zsh" => Shell::Zsh,
            "fish" => Shell::Fish,
            "elvish" => Shell::Elvish,
            "powershell" => Shell::PowerShell,
            _ => Shell::Bash,
        };
        let mut script = Vec::new();
        generate(shell, &mut localise::command(context.lang), "relight", &mut script);
        report.raw(&String::from_utf8_lossy(&script));
        Ok(())
    }
}
