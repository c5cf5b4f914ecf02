//! `relight help [COMMAND]`: the same as `relight COMMAND --help`.

use clap::Args;
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::Failure;
use crate::localise;
use crate::report::Report;

/// Which command.
#[derive(Debug, Args)]
pub(crate) struct Help {
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

impl Help {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let mut root = localise::command(context.lang);
        root.build();
        let mut command = &mut root;
        for name in &self.command {
            command = command
                .find_subcommand_mut(name)
                .ok_or_else(|| Failure::usage(texts::usage_unknown_command(context.lang, name)))?;
        }
        let help = command.render_long_help();
        let text = if report.shows_colour() { help.ansi().to_string() } else { help.to_string() };
        report.raw(&text);
        Ok(())
    }
}
