//! Documents to model and back: OSV advisories, CycloneDX inventories; the only decompressor.
//!
//! Bytes in, model values out. Nothing here opens a file or a connection. Bad input is a
//! [`Warning`](relight_model::Warning) that names the record; it never costs the other records.

pub mod advisory;
pub mod limited;
pub mod sbom;
mod time;

pub use advisory::{builtin_advisories, read_advisories};
pub use sbom::{FormatError, read_sbom, write_cyclonedx};

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    /// Every fixture with bytes changed, dropped and doubled: whatever is read, nothing panics,
    /// and what is refused is said.
    #[test]
    fn damage_never_panics() {
        let fixtures: [&[u8]; 5] = [
            include_bytes!("../fixtures/osv/single/example.json"),
            include_bytes!("../fixtures/osv/array/feed.json"),
            include_bytes!("../fixtures/osv/lines/feed.jsonl"),
            include_bytes!("../fixtures/cyclonedx/foreign/bom.json"),
            include_bytes!("../fixtures/cyclonedx/own/site.cdx.json"),
        ];
        for seed in 0..2_000 {
            let mut rng = Rng::new(seed);
            let mut bytes = rng.pick(&fixtures).to_vec();
            for _ in 0..=rng.below(4) {
                let at = rng.below(bytes.len());
                match rng.below(4) {
                    0 => bytes[at] = *rng.pick(b"{}[]\",:\\\n0\xff"),
                    1 => bytes.truncate(at + 1),
                    2 => drop(bytes.drain(at..(at + rng.below(9)).min(bytes.len()))),
                    _ => bytes.extend_from_within(at..),
                }
                if bytes.is_empty() {
                    bytes.push(b'{');
                }
            }
            let (advisories, warnings) = read_advisories("test", "feed", &bytes);
            let is_empty_list = bytes.trim_ascii() == b"[]";
            assert!(!advisories.is_empty() || !warnings.is_empty() || is_empty_list, "{seed}");
            if let Err(error) = read_sbom(&bytes) {
                assert!(!error.to_string().is_empty(), "{seed}");
            }
        }
    }
}
