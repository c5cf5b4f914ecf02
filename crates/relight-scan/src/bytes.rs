//! Scans bytes that stand in memory: an example to compare with, or the input of a fuzzer.

use crate::archive::code_of;
use crate::evidence::escape;
use crate::fingerprint::class;
use crate::limits::{Mode, Options};
use crate::output::Output;
use crate::scan::Report;
use crate::unpack::{Shared, read_file};
use crate::window::Window;

/// Scans one file that is called `name` and has these bytes. A panic is not caught.
pub fn scan_bytes(name: &str, bytes: Vec<u8>, options: &Options) -> Report {
    let class = (options.mode == Mode::Deep).then_some(class::read as _);
    let shared = Shared::new(options, class);
    let mut output = Output { files: 1, ..Output::default() };
    let (window, path) = (Window::of_memory(bytes), escape(name.as_bytes()));
    if let Err(error) = read_file(&shared, &window, &path, &mut output.found) {
        output.found.flaw(code_of(&error), &path, window.len());
    }
    output.report(options)
}
