//! Whether the fuzz targets compile. Only people run them, with tools that CI does not have, so
//! nothing else would tell.
use std::fs;
use std::path::Path;

use crate::process;
use crate::tree::Tree;

/// Where the targets are.
const FOLDER: &str = "fuzz/fuzz_targets/";

/// The library that drives a target, as far as compilers see it: the real one is C++, and would be
/// built for nothing.
const DRIVER: &str = "//! Checks the types of a fuzz target.
#[macro_export]
macro_rules! fuzz_target {
    (|$bytes:ident: $kind:ty| $body:block) => {
        fn target($bytes: $kind) $body

        // There is no `main`: what runs a target looks for it.
        #[used]
        static TARGET: fn($kind) = target;
    };
}
";

const DRIVER_MANIFEST: &str = "[package]
name = \"libfuzzer-sys\"
version = \"0.4.0\"
edition = \"2024\"
";

/// Compiles every target, with the dependencies that everything else is built with.
///
/// # Errors
/// When one does not compile, or is in no manifest.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root).map_err(|error| format!("read the tree: {error}"))?;
    let manifest = tree.text("fuzz/Cargo.toml").ok_or("fuzz/Cargo.toml is not there")?;
    let left_out = left_out(&tree, manifest);
    if !left_out.is_empty() {
        return Err(format!("no [[bin]] of fuzz/Cargo.toml: {}", left_out.join(", ")));
    }
    let folder = root.join("target/fuzz-check");
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder))
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("write {}: {error}", path.display()))
    };
    write("Cargo.toml", &here(manifest, &root.display().to_string()))?;
    write("Cargo.lock", tree.text("Cargo.lock").unwrap_or_default())?;
    write("driver/Cargo.toml", DRIVER_MANIFEST)?;
    write("driver/src/lib.rs", DRIVER)?;
    let target = std::env::var("CARGO_TARGET_DIR");
    let target = target.unwrap_or_else(|_| root.join("target").display().to_string());
    let arguments = ["check", "--target-dir", &target];
    let run = process::show(&folder, "cargo", &arguments, &[])?;
    if run.success { Ok(()) } else { Err(format!("a fuzz target: {}", run.status())) }
}

/// The manifest of the targets as it must be elsewhere, without the driver.
fn here(manifest: &str, root: &str) -> String {
    manifest
        .replace("\"../crates/", &format!("\"{root}/crates/"))
        .replace("\"fuzz_targets/", &format!("\"{root}/{FOLDER}"))
        .replace("libfuzzer-sys = \"0.4\"", "libfuzzer-sys = { path = \"driver\" }")
}

/// The targets that no manifest names.
fn left_out<'a>(tree: &'a Tree, manifest: &str) -> Vec<&'a str> {
    let paths = tree.under(FOLDER, ".rs").map(|(path, _)| path);
    let is_named = |path: &&str| {
        let name = path.strip_prefix("fuzz/").unwrap_or(path);
        manifest.contains(&format!("path = \"{name}\""))
    };
    paths.filter(|path| !is_named(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[dependencies]\nlibfuzzer-sys = \"0.4\"\n\
        a = { path = \"../crates/a\" }\n[[bin]]\npath = \"fuzz_targets/one.rs\"\n";

    #[test]
    fn a_target_without_a_manifest_is_named() {
        let tree = Tree::of(&[("fuzz/fuzz_targets/one.rs", ""), ("fuzz/fuzz_targets/two.rs", "")]);
        assert_eq!(left_out(&tree, MANIFEST), ["fuzz/fuzz_targets/two.rs"]);
    }

    #[test]
    fn the_manifest_leads_to_the_same_files_from_elsewhere() {
        assert_eq!(
            here(MANIFEST, "/r"),
            "[dependencies]\nlibfuzzer-sys = { path = \"driver\" }\n\
             a = { path = \"/r/crates/a\" }\n[[bin]]\npath = \"/r/fuzz/fuzz_targets/one.rs\"\n"
        );
    }
}
