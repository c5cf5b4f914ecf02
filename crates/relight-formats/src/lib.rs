//! Documents to model and back: advisories, statements, inventories; the only decompressor.
//!
//! Bytes in, model values out. Nothing here opens a file or a connection. Bad input is a
//! [`Warning`](relight_model::Warning) that names the record; it never costs the other records.

pub mod advisory;
mod cyclonedx_xml;
pub mod export;
mod facts;
pub mod limited;
mod lint;
pub mod sbom;
mod time;

pub use advisory::{builtin_advisories, read_advisories};
pub use lint::{COMPLAINTS_MAX, Complaint, Rule, lint};
pub use sbom::{FormatError, read_sbom, sbom_made_at, write_sbom};
pub use time::http_date;

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    /// Every fixture with bytes changed, dropped and doubled: whatever is read, nothing panics,
    /// and what is refused is said.
    #[test]
    fn damage_never_panics() {
        let fixtures: [&[u8]; 18] = [
            include_bytes!("../fixtures/osv/single/example.json"),
            include_bytes!("../fixtures/osv/array/feed.json"),
            include_bytes!("../fixtures/osv/lines/feed.jsonl"),
            include_bytes!("../fixtures/alpine_secdb/main/main.json"),
            include_bytes!("../fixtures/csaf/vex/vex.json"),
            include_bytes!("../fixtures/cve/packages/feed.jsonl"),
            include_bytes!("../fixtures/cyclonedx_vex/json/vex.json"),
            include_bytes!("../fixtures/cyclonedx_vex/xml/vex.xml"),
            include_bytes!("../fixtures/debian_tracker/tracker/tracker.json"),
            include_bytes!("../fixtures/epss/day/scores.csv"),
            include_bytes!("../fixtures/kev/cisa/kev.json"),
            include_bytes!("../fixtures/kev/enisa/kev.csv"),
            include_bytes!("../fixtures/nvd/page/page.json"),
            include_bytes!("../fixtures/openvex/version_0_2/a.vex.json"),
            include_bytes!("../fixtures/cyclonedx/foreign/bom.json"),
            include_bytes!("../fixtures/cyclonedx/own/site.cdx.json"),
            include_bytes!("../fixtures/spdx2/foreign/bom.spdx.json"),
            include_bytes!("../fixtures/spdx3/foreign/bom.json"),
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
            let read = advisory::read(&advisory::Input::whole("", "feed", &bytes));
            let is_empty_list = bytes.trim_ascii() == b"[]";
            // A list of nothing is a whole document of these.
            let may_be_empty = ["alpine_secdb", "debian_tracker", "epss", "kev", "nvd"];
            let is_said = !read.records.is_empty() || !read.refused.is_empty();
            assert!(is_said || is_empty_list || may_be_empty.contains(&read.format), "{seed}");
            if let Err(error) = read_sbom(&bytes) {
                assert!(!error.to_string().is_empty(), "{seed}");
            }
        }
    }
}
