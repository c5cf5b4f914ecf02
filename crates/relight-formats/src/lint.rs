//! What is wrong with an inventory of somebody else: its form, and the NTIA minimum elements.
//!
//! The form is checked by the rules that break readers (names, kinds, digests, references), not by
//! a schema: an engine for schemas would weigh more than the rest of this crate.

use std::collections::HashSet;

use serde_json::Value;

use crate::sbom::{FormatError, SBOM_FORMATS, document};

mod cyclonedx;
mod spdx;

/// Complaints that are kept; more say nothing new.
pub const COMPLAINTS_MAX: usize = 1_000;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// Whether the form is broken or an element is missing.
    pub rule: Rule,
    /// A stable code in kebab case; texts for people hang on it.
    pub code: &'static str,
    /// Where in the document: `components[3].hashes[0]`.
    pub place: String,
}

/// What a complaint rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The format's own specification: other tools may refuse the document.
    Form,
    /// "The Minimum Elements for a Software Bill of Materials" (NTIA, July 2021).
    Minimum,
}

impl Rule {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Minimum => "minimum",
        }
    }
}

/// Every complaint about a document, sorted.
///
/// # Errors
/// When no format recognises the document, or it is no JSON.
pub fn lint(bytes: &[u8]) -> Result<Vec<Complaint>, FormatError> {
    let format = SBOM_FORMATS.iter().find(|format| format.recognises(bytes));
    let format = format.ok_or(FormatError::Unknown)?;
    let document = document(bytes)?;
    let mut lint = Lint::default();
    match format.name() {
        "cyclonedx" => cyclonedx::check(&document, &mut lint),
        "spdx2" => spdx::check_2(&document, &mut lint),
        _ => spdx::check_3(&document, &mut lint),
    }
    lint.found.sort();
    lint.found.dedup();
    Ok(lint.found)
}

/// The complaints so far.
#[derive(Default)]
struct Lint {
    found: Vec<Complaint>,
}

impl Lint {
    fn form(&mut self, code: &'static str, place: &str) {
        self.push(Rule::Form, code, place);
    }

    fn minimum(&mut self, code: &'static str, place: &str) {
        self.push(Rule::Minimum, code, place);
    }

    fn push(&mut self, rule: Rule, code: &'static str, place: &str) {
        if self.found.len() < COMPLAINTS_MAX {
            self.found.push(Complaint { rule, code, place: place.to_owned() });
        }
    }

    /// A name that must be the only one of its kind.
    fn unique(&mut self, seen: &mut HashSet<String>, name: &str, place: &str) {
        if !name.is_empty() && !seen.insert(name.to_owned()) {
            self.form("doubled-reference", place);
        }
    }

    /// A digest of an algorithm of the format must have its length, in hexadecimal digits.
    fn digest(&mut self, length: Option<usize>, content: &str, place: &str) {
        let hexadecimal = content.bytes().all(|byte| byte.is_ascii_hexdigit());
        match length {
            None => self.form("unknown-algorithm", place),
            Some(length) if content.len() != length || !hexadecimal => {
                self.form("bad-digest", place);
            }
            Some(_) => {}
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
}

/// Digits of a digest by the name of its algorithm, without the signs in which formats differ.
fn digits_of(algorithm: &str) -> Option<usize> {
    let plain: String = algorithm.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match plain.to_ascii_uppercase().as_str() {
        "MD5" | "MD2" | "MD4" => 32,
        "SHA1" => 40,
        "SHA224" => 56,
        "SHA256" | "SHA3256" | "BLAKE2B256" | "BLAKE3" | "STREEBOG256" => 64,
        "SHA384" | "SHA3384" | "BLAKE2B384" => 96,
        "SHA512" | "SHA3512" | "BLAKE2B512" | "STREEBOG512" => 128,
        "MD6" | "ADLER32" => 8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
