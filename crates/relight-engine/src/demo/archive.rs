//! Small real archives for the demo: jars, wars and ears, as build tools write them.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Files of one archive: name and bytes.
pub(super) type Members = Vec<(String, Vec<u8>)>;

/// How the members of an archive are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// As they are, the way Spring Boot stores nested jars.
    Stored,
    /// Deflated.
    Deflated,
}

/// Writes an archive; every member has the same time, so that equal members give equal bytes.
pub(super) fn zip(members: &Members, method: Method) -> std::io::Result<Vec<u8>> {
    let method = match method {
        Method::Stored => CompressionMethod::Stored,
        Method::Deflated => CompressionMethod::Deflated,
    };
    let options = SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(zip::DateTime::default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(name.as_str(), options)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// A library: its Maven metadata, a manifest and a few class files.
pub(super) fn library(group: &str, artifact: &str, version: &str, classes: &[&str]) -> Members {
    let mut members = vec![
        (
            "META-INF/MANIFEST.MF".to_owned(),
            format!(
                "Manifest-Version: 1.0\r\nImplementation-Title: {artifact}\r\n\
                 Implementation-Version: {version}\r\nImplementation-Vendor-Id: {group}\r\n\r\n"
            )
            .into_bytes(),
        ),
        (
            format!("META-INF/maven/{group}/{artifact}/pom.properties"),
            format!("version={version}\ngroupId={group}\nartifactId={artifact}\n").into_bytes(),
        ),
    ];
    members.extend(classes.iter().map(|class| (format!("{class}.class"), class_file(class))));
    members
}

/// The classes of log4j-core that matter here.
pub(super) const LOG4J_CORE: [&str; 4] = [
    "org/apache/logging/log4j/core/Logger",
    "org/apache/logging/log4j/core/lookup/JndiLookup",
    "org/apache/logging/log4j/core/lookup/Interpolator",
    "org/apache/logging/log4j/core/net/JndiManager",
];

/// log4j-core of a version, whole.
pub(super) fn log4j_core(version: &str) -> Members {
    library("org.apache.logging.log4j", "log4j-core", version, &LOG4J_CORE)
}

/// A library whose metadata was stripped and whose classes were renamed, as obfuscators do: only
/// its file name is left.
pub(super) fn nameless() -> Members {
    ["a/a", "a/b", "a/c"].map(|class| (format!("{class}.class"), class_file(class))).into()
}

/// A class file (JVMS 4.1) of that name without members; the demo never loads one.
fn class_file(name: &str) -> Vec<u8> {
    let mut bytes = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, 5];
    for (number, text) in [(1, name), (3, "java/lang/Object")] {
        bytes.push(1);
        bytes.extend((text.len() as u16).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend([7, 0, number]);
    }
    bytes.extend([0, 0x21, 0, 2, 0, 4]);
    bytes.extend([0; 8]);
    bytes
}

/// Sets the bit that says "encrypted" on every member (APPNOTE 4.4.4, bit 0), in the local headers
/// and in the directory: names stay readable, contents do not.
pub(super) fn encrypt(archive: &mut [u8]) {
    for (signature, offset) in [([0x50, 0x4b, 3, 4], 6), ([0x50, 0x4b, 1, 2], 8)] {
        let mut at = 0;
        while let Some(found) = find(&archive[at..], signature) {
            if let Some(flags) = archive.get_mut(at + found + offset) {
                *flags |= 1;
            }
            at += found + 4;
        }
    }
}

fn find(bytes: &[u8], needle: [u8; 4]) -> Option<usize> {
    bytes.windows(4).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_members_give_equal_bytes() {
        for method in [Method::Stored, Method::Deflated] {
            let archive = zip(&log4j_core("2.14.1"), method).unwrap();
            assert_eq!(archive, zip(&log4j_core("2.14.1"), method).unwrap());
            assert_eq!(&archive[..4], b"PK\x03\x04");
        }
    }

    #[test]
    fn encryption_marks_every_member_twice() {
        let plain = zip(&log4j_core("2.14.1"), Method::Stored).unwrap();
        let mut marked = plain.clone();
        encrypt(&mut marked);
        let changed = plain.iter().zip(&marked).filter(|(a, b)| a != b).count();
        assert_eq!(changed, 2 * log4j_core("2.14.1").len());
    }
}
