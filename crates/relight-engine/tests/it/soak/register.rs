//! The register of the soak: its sites, what runs on them, and what is known of that.

use std::fs;
use std::path::Path;

use relight_engine::store::{RawAdvisory, SiteRow, Store};
use relight_formats::advisory::{self, Input};
use relight_model::{Basis, Component, Criticality, Digest, GateKey, Purl, Sbom, Scope};

use super::{FRONT, ID, VERSIONS};

/// The gate key of a site of a stand.
pub(crate) fn key(number: usize) -> GateKey {
    GateKey::new(&format!("site-{number}")).unwrap()
}

/// The name under which visitors ask for it.
pub(crate) fn host(number: usize) -> String {
    format!("site-{number}.example.qc")
}

pub(crate) fn row(site: usize) -> SiteRow {
    SiteRow {
        line: site + 2,
        slug: key(site),
        name_fr: String::new(),
        name_en: String::new(),
        origin: format!("http://{}", host(site)),
        organisation: "Ville de Clairbourg".into(),
        sector: "municipal".into(),
        criticality: Criticality::Normal,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: FRONT.into(),
        public: true,
    }
}

/// A complete inventory of one artifact.
pub(crate) fn sbom(version: usize) -> Sbom {
    let purl = Purl::new("maven", "org.example", "library", VERSIONS[version]);
    let found = Component::new(purl, "app.war", Basis::PomProperties, Scope::Installed);
    let artifact = Some(Digest([version as u8 + 1; 32]));
    let (flaws, images) = (Vec::new(), Vec::new());
    Sbom { components: vec![found], flaws, artifact, images, tool: "soak".into() }
}

/// The advisory as it is first published, or after it was found that the fix is none.
pub(crate) fn publish(store: &Store, is_revised: bool) {
    let (day, fixed) = if is_revised { (14, "2.17.0") } else { (10, "2.15.0") };
    let text = format!(
        r#"{{"schema_version":"1.6.0","id":"{ID}","modified":"2099-12-{day}T00:00:00Z",
        "summary":"A flaw","affected":[{{"package":{{"ecosystem":"Maven",
        "name":"org.example:library"}},"ranges":[{{"type":"ECOSYSTEM",
        "events":[{{"introduced":"2.0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    );
    let reading = advisory::read(&Input::whole("", "soak", text.as_bytes()));
    assert_eq!(reading.records.len(), 1, "the advisory of the soak");
    for record in &reading.records {
        let advisory = &record.advisory;
        let (id, revision) = (&advisory.id, advisory.revision);
        let bytes = record.kept(text.as_bytes());
        let row = RawAdvisory { id, revision, bytes, recorded_at: i64::from(is_revised) + 1 };
        store.put_advisories(&advisory.source, &[row]).unwrap();
    }
}

/// What a file of the register needs, but for what its readers share.
pub(super) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&path, &copy),
            false if path.to_string_lossy().ends_with("-shm") => {}
            false => drop(fs::copy(&path, &copy).unwrap()),
        }
    }
}
