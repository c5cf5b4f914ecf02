//! The command line of relight: turns the result of a command into an exit status.

mod attribution;
mod cli;
mod cmd;
mod context;
mod failure;
mod inventory;
mod localise;
mod operator;
mod plain;
mod priority;
mod redact;
mod register;
mod report;
mod rows;
mod settings;
mod stage;
mod stop;
mod table;
mod threshold;
mod unseen;
mod usage;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Advisories and inventories are millions of small texts: that of the system spends a third of the
/// time of a start and of an import on them, and keeps more of what was given back. Version 3 keeps
/// it for a second: twice as much was held at the end of a scan.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    cli::run(&arguments).code()
}
