//! Writes images: tar archives, the layout of OCI, and what `docker save` writes.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// A member of a tar archive.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    File(Vec<u8>),
    Folder,
    Link(&'static str),
    HardLink(&'static str),
}

/// A tar archive (ustar) with these members, in order.
pub(crate) fn tar(members: &[(&str, Node)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, node) in members {
        let (kind, target, body): (u8, &str, &[u8]) = match node {
            Node::File(body) => (b'0', "", body),
            Node::Folder => (b'5', "", &[]),
            Node::Link(target) => (b'2', target, &[]),
            Node::HardLink(target) => (b'1', target, &[]),
        };
        let mut header = vec![0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        header[156] = kind;
        header[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend(header);
        out.extend(body);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1_024, 0);
    out
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The parts of an image, by name.
pub(crate) type Parts = Vec<(String, Vec<u8>)>;

/// An image for one platform, as part of a layout.
pub(crate) struct Image<'a> {
    pub(crate) architecture: &'a str,
    /// Packed or not, from the bottom.
    pub(crate) layers: &'a [Vec<u8>],
    /// What its layers call themselves.
    pub(crate) media: &'a str,
}

pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layout of OCI with these images under one name.
pub(crate) fn oci(images: &[Image<'_>]) -> Parts {
    let mut parts: Parts =
        vec![("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())];
    let mut blob = |bytes: &[u8]| {
        let digest = sha256(bytes);
        parts.push((format!("blobs/sha256/{digest}"), bytes.to_vec()));
        format!("\"digest\":\"sha256:{digest}\",\"size\":{}", bytes.len())
    };
    let mut descriptors = Vec::new();
    for Image { architecture, layers, media } in images {
        let config = format!("{{\"os\":\"linux\",\"architecture\":\"{architecture}\"}}");
        let config = blob(config.as_bytes());
        let layers: Vec<String> = layers
            .iter()
            .map(|layer| format!("{{\"mediaType\":\"{media}\",{}}}", blob(layer)))
            .collect();
        let manifest = format!("{{\"config\":{{{config}}},\"layers\":[{}]}}", layers.join(","));
        let platform = format!("{{\"os\":\"linux\",\"architecture\":\"{architecture}\"}}");
        descriptors.push(format!("{{{},\"platform\":{platform}}}", blob(manifest.as_bytes())));
    }
    let index = format!("{{\"manifests\":[{}]}}", descriptors.join(","));
    parts.push(("index.json".into(), index.into_bytes()));
    parts
}

/// What `docker save` writes of one image; `diff_ids` are digests of the layers.
pub(crate) fn docker(layers: &[(&str, Vec<u8>)], diff_ids: &[String]) -> Parts {
    let ids: Vec<String> = diff_ids.iter().map(|id| format!("\"sha256:{id}\"")).collect();
    let config = format!(
        "{{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{{\"diff_ids\":[{}]}}}}",
        ids.join(",")
    );
    let name = format!("{}.json", sha256(config.as_bytes()));
    let names: Vec<String> = layers.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let manifest = format!(
        "[{{\"Config\":\"{name}\",\"RepoTags\":[\"app:1\"],\"Layers\":[{}]}}]",
        names.join(",")
    );
    let mut parts: Parts = vec![(name, config.into_bytes())];
    parts.extend(layers.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())));
    parts.push(("manifest.json".into(), manifest.into_bytes()));
    parts
}

/// The parts in a folder.
pub(crate) fn unpacked(folder: &Path, parts: &Parts) {
    for (name, bytes) in parts {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The parts in a tar archive.
pub(crate) fn packed(parts: &Parts) -> Vec<u8> {
    let members: Vec<(&str, Node)> =
        parts.iter().map(|(name, bytes)| (name.as_str(), Node::File(bytes.clone()))).collect();
    tar(&members)
}
