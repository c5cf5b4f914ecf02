//! Inventories in other tools' documents: one plug-in a format.

use std::error::Error;
use std::fmt;

use relight_model::{Sbom, Timestamp, Warning, registry};

registry! {
    /// Every inventory format, in alphabetical order.
    pub static SBOM_FORMATS: dyn SbomFormat, check = crate::sbom::check;
    cyclonedx
}

/// How much of a document a format may look at to recognise it, in bytes.
pub const HEAD_BYTES: usize = 4096;

/// One form in which inventories are published.
pub trait SbomFormat: Sync {
    /// The name of the format, which is the name of its file.
    fn name(&self) -> &'static str;

    /// Whether a document that starts with `head` (at most [`HEAD_BYTES`]) is of this form.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Reads the inventory.
    ///
    /// A part that cannot be used is a warning, and makes the inventory incomplete.
    ///
    /// # Errors
    /// When the document as a whole cannot be read: nothing in it is an inventory.
    fn read(&self, bytes: &[u8]) -> Result<(Sbom, Vec<Warning>), FormatError>;
}

/// Why a document is no inventory.
#[derive(Debug)]
pub enum FormatError {
    /// No known format recognises it.
    Unknown,
    /// It is over the size limit, in bytes.
    TooLarge(usize),
    /// It is not well-formed JSON.
    Json(serde_json::Error),
    /// It is JSON, and a part without which there is no inventory is missing or wrong.
    Shape(&'static str),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the document is no inventory in a known format"),
            Self::TooLarge(max) => write!(f, "the inventory is larger than {max} bytes"),
            Self::Json(_) => f.write_str("the inventory is not well-formed JSON"),
            Self::Shape(what) => write!(f, "the inventory cannot be read: {what}"),
        }
    }
}

impl Error for FormatError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Unknown | Self::TooLarge(_) | Self::Shape(_) => None,
        }
    }
}

/// Reads an inventory in any known format.
///
/// A document that does not say with relight's own properties that nothing was left unread gets
/// one flaw [`Undeclared`](relight_model::FlawCode::Undeclared): its silence is no proof.
///
/// # Errors
/// When no format recognises the document, or it cannot be read as a whole.
pub fn read_sbom(bytes: &[u8]) -> Result<(Sbom, Vec<Warning>), FormatError> {
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    let format = SBOM_FORMATS.iter().find(|format| format.recognises(head));
    format.ok_or(FormatError::Unknown)?.read(bytes)
}

/// Writes CycloneDX 1.6 JSON: the same inventory, name and moment give the same bytes.
///
/// `name` becomes the name of the subject; `at` becomes `metadata.timestamp`.
pub fn write_cyclonedx(sbom: &Sbom, name: &str, at: Option<Timestamp>) -> String {
    cyclonedx::write(sbom, name, at)
}

/// Runs one format over its fixtures.
#[cfg(test)]
pub(crate) fn check(name: &str, format: &dyn SbomFormat) {
    assert_eq!(format.name(), name);
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let mut lines = Vec::new();
        for (file, bytes) in &case.files {
            let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
            lines.push(format!("{file}: recognised {}", format.recognises(head)));
            match format.read(bytes) {
                Ok((sbom, warnings)) => {
                    lines.extend(show(&sbom));
                    lines.extend(warnings.iter().map(ToString::to_string));
                }
                Err(error) => lines.push(format!("error: {error}")),
            }
        }
        lines.join("\n") + "\n"
    });
}

/// An inventory as lines of text.
#[cfg(test)]
fn show(sbom: &Sbom) -> Vec<String> {
    let Sbom { components, flaws, artifact, tool } = sbom;
    let artifact = artifact.map(|digest| digest.to_string());
    let mut lines = vec![format!("tool {tool:?} artifact {artifact:?}")];
    for it in components {
        let (basis, scope, removed) = (it.basis.as_str(), it.scope, &it.removed);
        let mut line = format!("{} at {:?} {basis} {scope:?} {removed:?}", it.purl, it.evidence);
        if !it.also.is_empty() || !it.candidates.is_empty() || it.conflict {
            line += &format!(" also {:?} {:?} {}", it.also, it.candidates, it.conflict);
        }
        lines.push(line);
    }
    for relight_model::Flaw { code, evidence, bytes } in flaws {
        lines.push(format!("flaw {} at {evidence:?}, {bytes} bytes", code.as_str()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_inventory_is_an_error() {
        for bytes in [&b""[..], b"PK", b"SPDXVersion: SPDX-2.3"] {
            assert!(matches!(read_sbom(bytes), Err(FormatError::Unknown)));
        }
        let error = read_sbom(b"{\"bomFormat\":").unwrap_err();
        assert!(error.source().is_some(), "{error}");
    }
}
