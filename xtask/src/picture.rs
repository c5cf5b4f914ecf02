//! `cargo xtask picture`: the wall of the README, from the demo in its full size.
use std::time::Duration;

use crate::e2e::{Demo, Place};
use crate::{e2e, process, tree};

/// Where the picture stands.
const PICTURE: &str = "docs/wall.png";

/// Sites of the fictional province.
const SITES: &str = "3992";

/// How long the demo may take until its pages answer: inventories and logs come first.
const PAGES_MAX: Duration = Duration::from_secs(900);

/// Plays the demo, and takes the picture while sites come back.
///
/// # Errors
/// With one line that says what is missing or failed.
pub(crate) fn run() -> Result<(), String> {
    let root = tree::root();
    e2e::packages(&root)?;
    let program = e2e::build(&root)?;
    let place = Place::new()?;
    let mut demo = Demo::start(&root, &program, &place.path, SITES)?;
    let (console, _) = demo.wait_for_pages(PAGES_MAX)?;
    let file = root.join(PICTURE).to_string_lossy().into_owned();
    let environment = [("CONSOLE", console.as_str()), ("PICTURE", &file)];
    let run = process::show(&root.join("e2e"), "node", &["picture.mjs"], &environment)?;
    if run.success { Ok(()) } else { Err(format!("picture.mjs: {}", run.status())) }
}
