//! One line of a log, in each format; what is in it is looked through for attempts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_watch::line::{LINE_BYTES_MAX, text};
use relight_watch::{Feed, PARSERS, attempt, decode_line};

fuzz_target!(|bytes: &[u8]| {
    let (line, is_cut) = text(bytes);
    assert!(line.len() <= 4 * LINE_BYTES_MAX && is_cut == (bytes.len() > LINE_BYTES_MAX));
    let mut feed = Feed { received: 1_640_998_800, ..Feed::default() };
    for parser in PARSERS {
        if parser.is_header(&line) {
            feed.take_header(&line);
        }
        if let Ok(event) = parser.parse(&feed, &line) {
            let _ = attempt(&event);
        }
    }
    let _ = decode_line(&line);
});
