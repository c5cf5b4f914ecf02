//! Compiles the message catalogue, so that a text that one language lacks does not build, and the
//! guide, so that a link that leads nowhere does not.

#[path = "build/book.rs"]
mod book;
#[path = "build/compiler.rs"]
mod compiler;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

/// The guide of each language, seen from here.
const DOCS: &str = "../../docs";
const LANGUAGES: [&str; 2] = ["fr", "en"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=texts");
    for lang in LANGUAGES {
        println!("cargo::rerun-if-changed={DOCS}/{lang}");
    }
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
    write(&target.join("texts.rs"), &rust)?;
    let mut rust = String::new();
    for lang in LANGUAGES {
        let folder = root.join(DOCS).join(lang);
        let pages = pages(&folder).map_err(|e| vec![format!("{}: {e}", folder.display())])?;
        rust += &book::compile(lang, &pages)?;
    }
    write(&target.join("book.rs"), &rust)
}

fn write(path: &Path, rust: &str) -> Result<(), Vec<String>> {
    fs::write(path, rust).map_err(|e| vec![format!("cannot write {}: {e}", path.display())])
}

/// The pages of the guide in one language, by their names.
fn pages(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            pages.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(pages)
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
