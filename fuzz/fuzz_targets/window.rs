//! A window as it is stored: whatever is read is written as the same bytes, and is judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_watch::Window;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(window) = Window::from_bytes(bytes) {
        let _ = window.stats();
        let again = Window::from_bytes(&window.to_bytes()).map(|it| it.to_bytes());
        assert_eq!(again.ok(), Some(window.to_bytes()));
        let mut merged = window.clone();
        merged.merge(&window);
        assert_eq!(merged.to_bytes(), window.to_bytes());
    }
});
