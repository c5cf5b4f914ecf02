//! Compiles the message catalogue: a text that one language lacks does not build.

#[path = "build/compiler.rs"]
mod compiler;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=texts");
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Vec<String>> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let texts = root.join("texts");
    let read = |lang: &str| files(&texts, lang).map_err(|e| vec![format!("texts/{lang}: {e}")]);
    let rust = compiler::compile(&read("fr")?, &read("en")?)?;
    let path = target.join("texts.rs");
    fs::write(&path, rust).map_err(|e| vec![format!("cannot write {}: {e}", path.display())])
}

/// The `.ftl` files of one language, sorted by name.
fn files(texts: &Path, lang: &str) -> io::Result<Vec<compiler::File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(texts.join(lang))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ftl") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.push((format!("texts/{lang}/{name}"), fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
