//! Inventories in other tools' documents: one plug-in a format.

use std::error::Error;
use std::fmt;

use relight_model::{Sbom, Timestamp, Warning, registry};
use serde_json::Value;

use crate::{cyclonedx_xml, time};

registry! {
    /// Every inventory format, in alphabetical order.
    pub static SBOM_FORMATS: dyn SbomFormat, check = crate::sbom::check;
    cyclonedx,
    spdx2,
    spdx3,
}

/// Largest document that is read, in bytes.
pub const SBOM_BYTES_MAX: usize = 128 << 20;

/// One form in which inventories are published.
pub trait SbomFormat: Sync {
    /// The name of the format, which is the name of its file.
    fn name(&self) -> &'static str;

    /// Whether a document is of this form, by a mark that may stand anywhere in it: writers sort
    /// keys.
    fn recognises(&self, bytes: &[u8]) -> bool;

    /// Reads the inventory.
    ///
    /// A part that cannot be used is a warning, and makes the inventory incomplete.
    ///
    /// # Errors
    /// When the document as a whole cannot be read: nothing in it is an inventory.
    fn read(&self, bytes: &[u8]) -> Result<(Sbom, Vec<Warning>), FormatError>;

    /// Writes the inventory: the same inventory, name and moment give the same bytes. `name`
    /// becomes the name of the subject.
    fn write(&self, sbom: &Sbom, name: &str, at: Option<Timestamp>) -> String;
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
    /// It is not well-formed XML, and why.
    Xml(String),
    /// It is JSON, and a part without which there is no inventory is missing or wrong.
    Shape(&'static str),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the document is no inventory in a known format"),
            Self::TooLarge(max) => write!(f, "the inventory is larger than {max} bytes"),
            Self::Json(_) => f.write_str("the inventory is not well-formed JSON"),
            Self::Xml(why) => write!(f, "the inventory cannot be read as XML: {why}"),
            Self::Shape(what) => write!(f, "the inventory cannot be read: {what}"),
        }
    }
}

impl Error for FormatError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Unknown | Self::TooLarge(_) | Self::Xml(_) | Self::Shape(_) => None,
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
    let format = SBOM_FORMATS.iter().find(|format| format.recognises(bytes));
    format.ok_or(FormatError::Unknown)?.read(bytes)
}

/// When a document says that it was made: `metadata.timestamp` of CycloneDX, `creationInfo.created`
/// of SPDX 2, `created` of the first `CreationInfo` of SPDX 3. `None` where it says nothing, or
/// 1970, which writers without a clock fill in.
pub fn sbom_made_at(bytes: &[u8]) -> Option<Timestamp> {
    let document = if cyclonedx_xml::recognises(bytes) {
        Value::Object(cyclonedx_xml::object(bytes, SBOM_BYTES_MAX).ok()?)
    } else {
        document(bytes).ok()?
    };
    let graph = document.get("@graph").and_then(Value::as_array).into_iter().flatten();
    let in_graph = || {
        let mut all = graph.filter(|it| it.get("type").is_some_and(|it| it == "CreationInfo"));
        all.find_map(|it| it.get("created"))
    };
    let told = document.pointer("/metadata/timestamp");
    let told = told.or_else(|| document.pointer("/creationInfo/created")).or_else(in_graph)?;
    time::parse(told.as_str()?).filter(|at| *at > 0)
}

/// Writes an inventory in the format of this name; `None` when there is none.
///
/// `name` becomes the name of the subject; `at` the moment of the document.
pub fn write_sbom(format: &str, sbom: &Sbom, name: &str, at: Option<Timestamp>) -> Option<String> {
    let format = SBOM_FORMATS.iter().find(|it| it.name() == format)?;
    Some(format.write(sbom, name, at))
}

/// Whether a document in JSON holds a mark.
fn holds(bytes: &[u8], mark: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    start.first() == Some(&b'{') && memchr::memmem::find(bytes, mark).is_some()
}

/// A document as JSON.
pub(crate) fn document(bytes: &[u8]) -> Result<Value, FormatError> {
    if bytes.len() > SBOM_BYTES_MAX {
        return Err(FormatError::TooLarge(SBOM_BYTES_MAX));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(FormatError::Json)
}

/// Runs one format over its fixtures.
#[cfg(test)]
pub(crate) fn check(name: &str, format: &dyn SbomFormat) {
    assert_eq!(format.name(), name);
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let mut lines = Vec::new();
        for (file, bytes) in &case.files {
            lines.push(format!("{file}: recognised {}", format.recognises(bytes)));
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
    let Sbom { components, flaws, artifact, images, tool } = sbom;
    let artifact = artifact.map(|digest| digest.to_string());
    let mut lines = vec![format!("tool {tool:?} artifact {artifact:?}")];
    lines.extend(images.iter().map(|purl| format!("image {purl}")));
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
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::testing::any_sbom;
    use super::*;

    #[test]
    fn every_format_gives_back_what_it_was_given() {
        for seed in 0..200 {
            let sbom = any_sbom(seed);
            for format in SBOM_FORMATS {
                let text = format.write(&sbom, "a site", Some(1_639_096_841));
                let again = format.write(&sbom, "a site", Some(1_639_096_841));
                assert_eq!(text, again, "{} seed {seed}", format.name());
                let (back, warnings) = read_sbom(text.as_bytes()).unwrap();
                assert_eq!((back, warnings), (sbom.clone(), vec![]), "{} {seed}", format.name());
            }
        }
    }

    #[test]
    fn a_document_over_the_limit_is_refused() {
        let mut bytes = vec![b' '; SBOM_BYTES_MAX + 1];
        for (format, mark) in [("bomFormat", "CycloneDX"), ("spdxVersion", "SPDX-2.3")] {
            let head = format!("{{\"{format}\":\"{mark}\"");
            bytes[..head.len()].copy_from_slice(head.as_bytes());
            let result = read_sbom(&bytes);
            assert!(matches!(result, Err(FormatError::TooLarge(SBOM_BYTES_MAX))));
            assert!(matches!(read_sbom(&bytes[..bytes.len() - 1]), Err(FormatError::Json(_))));
        }
    }

    #[test]
    fn what_is_no_inventory_is_an_error() {
        for bytes in [&b""[..], b"PK", b"SPDXVersion: SPDX-2.3"] {
            assert!(matches!(read_sbom(bytes), Err(FormatError::Unknown)));
        }
        let error = read_sbom(b"{\"bomFormat\":").unwrap_err();
        assert!(error.source().is_some(), "{error}");
    }

    #[test]
    fn documents_say_when_they_were_made() {
        let sbom = Sbom::default();
        for format in SBOM_FORMATS {
            let text = |at| format.write(&sbom, "app", at);
            let at = 1_639_094_441;
            assert_eq!(sbom_made_at(text(Some(at)).as_bytes()), Some(at), "{}", format.name());
            assert_eq!(sbom_made_at(text(None).as_bytes()), None, "{}", format.name());
        }
        let xml = br#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><metadata>
            <timestamp>2021-12-10T00:00:41Z</timestamp></metadata></bom>"#;
        assert_eq!(sbom_made_at(xml), Some(1_639_094_441));
        for none in [&b"{}"[..], br#"{"metadata":{"timestamp":"yesterday"}}"#, b"no json"] {
            assert_eq!(sbom_made_at(none), None);
        }
    }
}
