//! What an image consists of, by its documents: the image layout of OCI and that of `docker save`.

use std::collections::BTreeMap;

use relight_model::{Digest, FlawCode, Purl};
use serde_json::Value;

use super::store::Store;
use crate::digest;
use crate::evidence::escape;

/// Bytes of one document.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// Documents that are read for one layout, and indexes in one another.
const DOCUMENTS_MAX: usize = 1_024;
const INDEX_DEPTH_MAX: u32 = 8;

/// One layer, from the bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// The name of its part.
    pub(crate) part: String,
    /// What its bytes must be, as they stand there.
    pub(crate) digest: Option<Digest>,
    /// What they must be unpacked.
    pub(crate) unpacked: Option<Digest>,
    /// Its media type says that it is encrypted.
    pub(crate) is_encrypted: bool,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// What people call it; empty when nothing says it.
    pub(crate) name: String,
    /// `linux/amd64`.
    platform: String,
    pub(crate) layers: Vec<Layer>,
    /// What it is known by: the digests of its manifest and of the indexes that lead to it, or that
    /// of its configuration. Empty where the bytes of one of them are others.
    digests: Vec<Digest>,
}

impl Image {
    /// The image as package URLs, one for each of its digests.
    pub(crate) fn purls(&self) -> Vec<Purl> {
        // `registry.example/team/App:1@sha256:…` is called `app`; an id has no better name.
        let path = self.name.split('@').next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        let name = last.split(':').next().filter(|name| !name.is_empty()).unwrap_or("image");
        let architecture = self.platform.split('/').nth(1).unwrap_or_default();
        let purl = |digest: &Digest| {
            let version = format!("sha256:{digest}");
            let purl = Purl::new("oci", "", &name.to_lowercase(), &version);
            purl.with_qualifier("arch", architecture)
        };
        self.digests.iter().map(purl).collect()
    }
}

/// The images of a layout that were chosen, and what is wrong with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Images {
    pub(crate) images: Vec<Image>,
    pub(crate) flaws: Vec<(FlawCode, String)>,
}

/// Reads `index.json` and everything below it; `wanted` is a platform like `linux/arm64`.
pub(crate) fn read_oci(store: &dyn Store, wanted: Option<&str>) -> Images {
    let mut reader = Reader::of_oci(store);
    if reader.groups.is_empty() && reader.flaws.is_empty() {
        // Nobody keeps an empty layout; what it held is not to be seen.
        reader.flaw(FlawCode::CorruptEntry, "index.json");
    }
    reader.choose(wanted)
}

/// The images of a layout for every platform.
pub(crate) fn all_of_oci(store: &dyn Store) -> Vec<Image> {
    Reader::of_oci(store).groups.into_values().flatten().collect()
}

/// Reads `manifest.json` of `docker save`.
pub(crate) fn read_docker(store: &dyn Store) -> Images {
    let mut reader = Reader { store, documents: 0, groups: BTreeMap::new(), flaws: Vec::new() };
    let images = match reader.document("manifest.json", None) {
        Some(Value::Array(images)) => images,
        _ => {
            reader.flaw(FlawCode::CorruptEntry, "manifest.json");
            Vec::new()
        }
    };
    let images: Vec<_> = images.iter().filter_map(|image| reader.docker_image(image)).collect();
    if images.is_empty() && reader.flaws.is_empty() {
        reader.flaw(FlawCode::CorruptEntry, "manifest.json");
    }
    Images { images, flaws: reader.flaws }
}

struct Reader<'a> {
    store: &'a dyn Store,
    documents: usize,
    /// Images of one name, for several platforms.
    groups: BTreeMap<String, Vec<Image>>,
    flaws: Vec<(FlawCode, String)>,
}

impl<'a> Reader<'a> {
    fn of_oci(store: &'a dyn Store) -> Self {
        let mut reader = Self { store, documents: 0, groups: BTreeMap::new(), flaws: Vec::new() };
        match reader.document("index.json", None) {
            Some(index) => reader.index(&index, "", &[], 0),
            None => reader.flaw(FlawCode::CorruptEntry, "index.json"),
        }
        reader
    }

    fn flaw(&mut self, code: FlawCode, part: &str) {
        self.flaws.push((code, escape(part.as_bytes())));
    }

    /// A part as JSON. One whose digest is wrong is said, and read all the same.
    fn document(&mut self, part: &str, expected: Option<Digest>) -> Option<Value> {
        Some(self.checked(part, expected)?.0)
    }

    /// As [`Reader::document`], and whether its digest is the expected one.
    fn checked(&mut self, part: &str, expected: Option<Digest>) -> Option<(Value, bool)> {
        self.documents += 1;
        if self.documents > DOCUMENTS_MAX {
            return None;
        }
        let window = self.store.open(part).filter(|window| window.len() <= DOCUMENT_BYTES_MAX)?;
        let bytes = window.read(0, usize::try_from(window.len()).ok()?).ok()?;
        let is_it = expected.map(|expected| digest::of_bytes(&bytes) == expected);
        if is_it == Some(false) {
            self.flaw(FlawCode::DigestMismatch, part);
        }
        Some((serde_json::from_slice(&bytes).ok()?, is_it == Some(true)))
    }

    /// `above` are the digests of this index and of those that lead to it.
    fn index(&mut self, index: &Value, group: &str, above: &[Digest], depth: u32) {
        let Some(descriptors) = index["manifests"].as_array().filter(|_| depth < INDEX_DEPTH_MAX)
        else {
            return self.flaw(FlawCode::CorruptEntry, "index.json");
        };
        for descriptor in descriptors {
            self.descriptor(descriptor, group, above, depth);
        }
    }

    fn descriptor(&mut self, descriptor: &Value, group: &str, above: &[Digest], depth: u32) {
        let text = descriptor["digest"].as_str().unwrap_or_default();
        let Some((part, expected)) = part_of(text) else {
            return self.flaw(FlawCode::MethodUnsupported, text);
        };
        let platform = platform_of(&descriptor["platform"]);
        let is_statement = platform.as_deref() == Some("unknown/unknown")
            && descriptor["annotations"]["vnd.docker.reference.type"].is_string();
        let name = descriptor["annotations"]["org.opencontainers.image.ref.name"].as_str();
        let group = match (name, platform.is_some() || !group.is_empty()) {
            (Some(name), _) => name.to_owned(),
            (None, true) => group.to_owned(),
            (None, false) => short(text).to_owned(),
        };
        let checked = self.checked(&part, Some(expected));
        let is_it = checked.as_ref().is_some_and(|(_, is_it)| *is_it);
        let document = checked.map(|(document, _)| document);
        // Statements about how an image was built are no image, and may be left out of a copy.
        if is_statement && document.as_ref().is_none_or(has_statements_only) {
            return;
        }
        let Some(document) = document else {
            return self.flaw(FlawCode::CorruptEntry, &part);
        };
        // Below an index that is not what it is called, nothing is known by its digest.
        let is_known = is_it && (depth == 0 || !above.is_empty());
        let own = is_known.then_some(expected);
        let digests: Vec<_> =
            own.iter().flat_map(|own| above.iter().chain([own])).copied().collect();
        if document["manifests"].is_array() {
            return self.index(&document, &group, &digests, depth + 1);
        }
        match self.manifest(&document, &group, platform) {
            Some(image) => {
                let image = Image { digests, ..image };
                self.groups.entry(group).or_default().push(image);
            }
            None => self.flaw(FlawCode::CorruptEntry, &part),
        }
    }

    fn manifest(
        &mut self,
        manifest: &Value,
        name: &str,
        platform: Option<String>,
    ) -> Option<Image> {
        let descriptors = manifest["layers"].as_array()?;
        let mut layers = Vec::new();
        for descriptor in descriptors {
            let text = descriptor["digest"].as_str()?;
            let media = descriptor["mediaType"].as_str().unwrap_or_default();
            let is_encrypted = media.ends_with("+encrypted");
            let Some((part, expected)) = part_of(text) else {
                self.flaw(FlawCode::MethodUnsupported, text);
                continue;
            };
            layers.push(Layer { part, digest: Some(expected), unpacked: None, is_encrypted });
        }
        let platform = platform.or_else(|| {
            let (part, expected) = part_of(manifest["config"]["digest"].as_str()?)?;
            platform_of(&self.document(&part, Some(expected))?)
        });
        let (name, platform) = (name.to_owned(), platform.unwrap_or_default());
        Some(Image { name, platform, layers, digests: Vec::new() })
    }

    fn docker_image(&mut self, image: &Value) -> Option<Image> {
        let part = image["Config"].as_str().unwrap_or_default();
        let hex = part.rsplit('/').next().unwrap_or(part);
        let expected = Digest::parse(hex.strip_suffix(".json").unwrap_or(hex));
        let (config, is_it) = self.checked(part, expected).unwrap_or_default();
        let unpacked = |at: usize| {
            let text = config["rootfs"]["diff_ids"][at].as_str()?;
            Digest::parse(text.strip_prefix("sha256:")?)
        };
        let Some(parts) = image["Layers"].as_array() else {
            self.flaw(FlawCode::CorruptEntry, "manifest.json");
            return None;
        };
        let layers = parts.iter().enumerate().filter_map(|(at, part)| {
            let part = part.as_str()?.to_owned();
            let digest = part.strip_prefix("blobs/sha256/").and_then(Digest::parse);
            Some(Layer { part, digest, unpacked: unpacked(at), is_encrypted: false })
        });
        let layers: Vec<_> = layers.collect();
        let promised = config["rootfs"]["diff_ids"].as_array().map_or(0, Vec::len);
        if layers.len() < parts.len().max(promised) {
            self.flaw(FlawCode::CorruptEntry, "manifest.json");
        }
        let name = image["RepoTags"][0].as_str().unwrap_or(short(hex)).to_owned();
        let platform = platform_of(&config).unwrap_or_default();
        let is_whole = promised == layers.len() && layers.iter().all(|it| it.unpacked.is_some());
        let digests = expected.filter(|_| is_it && is_whole).into_iter().collect();
        Some(Image { name, platform, layers, digests })
    }

    /// One image of each name: the one for the platform, or the only one.
    fn choose(self, wanted: Option<&str>) -> Images {
        let Self { groups, mut flaws, .. } = self;
        let wanted = wanted.map_or_else(host_platform, ToOwned::to_owned);
        let mut chosen = Vec::new();
        for images in groups.into_values() {
            let only = images.len() == 1;
            let first = images.iter().position(|image| only || fits(&image.platform, &wanted));
            for (at, image) in images.into_iter().enumerate() {
                if Some(at) == first {
                    chosen.push(image);
                } else {
                    flaws.push((FlawCode::PlatformNotChosen, escape(image.platform.as_bytes())));
                }
            }
        }
        Images { images: chosen, flaws }
    }
}

/// Whether no layer of a manifest is one of files.
fn has_statements_only(manifest: &Value) -> bool {
    let is_statement = |layer: &Value| {
        layer["mediaType"].as_str().is_some_and(|media| media == "application/vnd.in-toto+json")
    };
    manifest["layers"].as_array().is_some_and(|layers| layers.iter().all(is_statement))
}

/// The part of a digest (`sha256:…`), and the digest. Other algorithms are not used in practice.
fn part_of(text: &str) -> Option<(String, Digest)> {
    let hex = text.strip_prefix("sha256:")?;
    // Hexadecimal digits only, so that a hostile document cannot name another file.
    let digest = Digest::parse(hex)?;
    Some((format!("blobs/sha256/{hex}"), digest))
}

/// The first digits of a digest: enough to tell images apart.
fn short(text: &str) -> &str {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.get(..12).unwrap_or(hex)
}

/// `os/architecture` or `os/architecture/variant`.
fn platform_of(value: &Value) -> Option<String> {
    let (os, architecture) = (value["os"].as_str()?, value["architecture"].as_str()?);
    Some(match value["variant"].as_str() {
        Some(variant) if !variant.is_empty() => format!("{os}/{architecture}/{variant}"),
        _ => format!("{os}/{architecture}"),
    })
}

/// The platform of this machine, in the words of images.
fn host_platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    };
    format!("linux/{architecture}")
}

/// Whether a platform is the wanted one; a wish without a variant takes any.
fn fits(platform: &str, wanted: &str) -> bool {
    platform == wanted || platform.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'))
}
