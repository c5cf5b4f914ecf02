//! A stretch of log: read at once and in two parts it is the same, and so is its window read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_watch::{Daybook, Feed, Memory, Reader, Together, Window};

/// The lines of the parts, one after the other.
fn read(parts: &[&[u8]]) -> Window {
    let mut reader = Reader::new(Feed { received: 1_640_998_800, ..Feed::default() });
    let (mut memory, mut window) = (Memory::default(), Window::new(1));
    let mut daybook = Daybook::new();
    let mut reading = reader.reading(&mut memory, &mut window, &mut daybook, Together::default());
    parts.iter().for_each(|part| reading.lines(part));
    reading.finish();
    window
}

fuzz_target!(|bytes: &[u8]| {
    let middle = bytes[..bytes.len() / 2].iter().rposition(|byte| *byte == b'\n');
    let (first, rest) = bytes.split_at(middle.map_or(0, |at| at + 1));
    let whole = read(&[bytes]).to_bytes();
    assert_eq!(whole, read(&[first, rest]).to_bytes());
    assert_eq!(Window::from_bytes(&whole).map(|window| window.to_bytes()).ok(), Some(whole));
});
