//! The command line of relight: turns the result of a command into an exit status.

mod cli;
mod cmd;
mod context;
mod failure;
mod inventory;
mod localise;
mod operator;
mod priority;
mod query;
mod redact;
mod register;
mod report;
mod stage;
mod stop;
mod table;
mod threshold;
mod usage;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    cli::run(&arguments).code()
}
