//! `relight completions SHELL`: the script by which a shell completes commands and options.

use clap::Args;
use clap_complete::{Shell, generate};
use clap_complete_nushell::Nushell;

use crate::context::Context;
use crate::failure::Failure;
use crate::localise::{self, one_of};
use crate::report::Report;

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    #[arg(value_name = "SHELL",
        value_parser = one_of(&["bash", "zsh", "fish", "nushell", "elvish", "powershell"]))]
    shell: String,
}

impl Completions {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (mut tree, mut script) = (localise::command(context.lang), Vec::new());
        let mut write = |shell| generate(shell, &mut tree, "relight", &mut script);
        match self.shell.as_str() {
            "zsh" => write(Shell::Zsh),
            "fish" => write(Shell::Fish),
            "elvish" => write(Shell::Elvish),
            "powershell" => write(Shell::PowerShell),
            "nushell" => generate(Nushell, &mut tree, "relight", &mut script),
            _ => write(Shell::Bash),
        }
        report.raw(&String::from_utf8_lossy(&script));
        Ok(())
    }
}
