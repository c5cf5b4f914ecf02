//! WebAssembly: of what languages the code in it is, by what their compilers leave there.

use std::io;

use memchr::memmem;
use relight_model::FlawCode;

use crate::window::Window;

/// How a module and a component start.
const MARK: &[u8] = b"\0asm";

/// Bytes that are looked through at a time.
const PIECE_BYTES: usize = 1 << 20;

/// What a mark that stands in two pieces takes.
const OVERLAP_BYTES: usize = 128;

/// Paths of the standard library that panics name, and the compiler in the list of producers
/// (custom section `producers` of the tool conventions), behind its length.
const RUST: [&[u8]; 4] =
    [b"library/core/src", b"library/alloc/src", b"library/std/src", b"\x05rustc"];

/// The list of modules, the section of the build, the compiler, what links to the page around, and
/// the other compiler.
const GO: [&[u8]; 5] =
    [b"Go buildinf:", b"go:buildid", b"Go cmd/compile", b"runtime.scheduleTimeoutEvent", b"tinygo"];

pub(super) fn is_it(bytes: &[u8]) -> bool {
    // Behind the mark: the version, and whether it is a module or a component.
    bytes.starts_with(MARK)
        && bytes.get(5..8).is_some_and(|it| it[0] == 0 && it[1] < 2 && it[2] == 0)
}

/// What such code can hide: nothing says which packages it was built from.
///
/// # Errors
/// Those of the file.
pub(crate) fn hides(window: &Window) -> io::Result<Vec<FlawCode>> {
    let (mut at, mut found) = (0, Vec::new());
    while at < window.len() {
        let piece = window.read(at, PIECE_BYTES + OVERLAP_BYTES)?;
        let holds = |marks: &[&[u8]]| marks.iter().any(|mark| memmem::find(&piece, mark).is_some());
        for (code, is_there) in
            [(FlawCode::RustUnlisted, holds(&RUST)), (FlawCode::GoUnlisted, holds(&GO))]
        {
            if is_there && !found.contains(&code) {
                found.push(code);
            }
        }
        at += PIECE_BYTES as u64;
    }
    Ok(found)
}
