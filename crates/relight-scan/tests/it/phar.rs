//! Archives of PHP: what Composer and others are installed as.

use crate::container_writer::{gz, phar, phar_of, tar};
use crate::hidden::{LONG, filler};
use crate::zip_writer::{Member, write};
use crate::{one, pom, pom_path};

/// What Composer writes of what it installed.
const INSTALLED: &[u8] = br#"{"packages":[{"name":"monolog/monolog","version":"2.9.1"}]}"#;

/// Where it writes that, packed as `ending` says.
fn installed(ending: &str) -> String {
    format!("vendor/composer/installed.json{ending}")
}

fn found_in(place: &str) -> String {
    format!("pkg:composer/monolog/monolog@2.9.1 in {place}!/vendor/composer/installed.json\n")
}

/// Goal: the files of an archive are read, however they are packed and wherever it stands. Method:
/// each packing, alone, in another archive, and too long to be held.
#[test]
fn what_composer_installed_is_found() {
    for ending in ["", ".z", ".b"] {
        let (name, code) = (installed(ending), b"<?php echo 1;\n".as_slice());
        let small = phar(&[("index.php", code), (&name, INSTALLED)]);
        assert_eq!(one("composer", &small), found_in("composer"));
        let packed = gz(&tar(&[("bin/composer", &small)]));
        assert_eq!(one("o", &packed), found_in("o!/bin/composer"));
        let long = phar(&[("noise", &filler(LONG)), (&name, INSTALLED)]);
        assert_eq!(one("composer", &long), found_in("composer"));
        let inside = write(&[Member::deflated("composer.phar", &long)]);
        assert_eq!(one("o", &inside), found_in("o!/composer.phar"));
        // Behind a line of text, and with text at its end.
        let text = b"Nothing but words.\n".repeat(100);
        let long = phar_of(&[("noise", &filler(LONG)), (&name, INSTALLED), ("a", &text)], None);
        let html = [b"<html>\n", &long[19..]].concat();
        let inside = write(&[Member::deflated("composer.phar", &html)]);
        assert_eq!(one("o", &inside), found_in("o!/composer.phar"));
    }
}

/// Goal: an archive that was written without a signature hides nothing behind text. Method: its
/// last file is a long text.
#[test]
fn an_archive_that_ends_in_text_is_read() {
    let text = b"Nothing but words.\n".repeat(100);
    let bytes = phar_of(&[(&installed(""), INSTALLED), ("read.me", &text)], None);
    assert_eq!(one("a.phar", &bytes), found_in("a.phar"));
    let plain = bytes.strip_prefix(b"#!/usr/bin/env php\n").unwrap();
    assert_eq!(one("a", plain), found_in("a"));
    let other = [b"\xef\xbb\xbf<?PHP", &plain[5..]].concat();
    assert_eq!(one("a", &other), found_in("a"));
}

/// Goal: nothing that is cut, changed or unknown is passed over in silence. Method: every length
/// from the list on; a changed byte, an unknown packing, and bytes behind the last file.
#[test]
fn damage_is_told() {
    let bytes = phar(&[(&installed(".z"), INSTALLED)]);
    let list = bytes.windows(4).position(|it| it == b"?>\r\n").unwrap() + 4;
    for len in list + 8..bytes.len() {
        let told = one("a.phar", &bytes[..len]);
        assert!(told.contains("flaw"), "{len} of {}: {told}", bytes.len());
    }
    let with = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|it| it == from).unwrap();
        one("a.phar", &[&bytes[..at], to, &bytes[at + from.len()..]].concat())
    };
    let place = "a.phar!/vendor/composer/installed.json";
    assert_eq!(
        with(b"\xa4\x11\0\0", b"\xa4\x41\0\0"),
        format!("flaw method-unsupported {place}\n")
    );
    assert_eq!(
        with(b"GBMB", b"GBMX"),
        format!("{}flaw corrupt-entry a.phar\n", found_in("a.phar"))
    );
    let plain = phar(&[(&installed(""), INSTALLED)]);
    let at = plain.windows(5).position(|it| it == b"2.9.1").unwrap();
    let mut changed = plain.clone();
    changed[at] = b'3';
    assert!(one("a.phar", &changed).contains(&format!("flaw crc-mismatch {place}\n")));
    let hidden = [&plain[..plain.len() - 40], &tar(&[("x", b"x")]), b"GBMB"].concat();
    assert!(one("a.phar", &hidden).ends_with("flaw corrupt-entry a.phar\n"));
    let signed_by_key = |len: usize| {
        let end = [&(len as u32).to_le_bytes()[..], &[0x10, 0, 0, 0], b"GBMB"].concat();
        [&plain[..plain.len() - 40], &vec![7; len], &end].concat()
    };
    assert_eq!(one("a.phar", &signed_by_key(8 << 10)), found_in("a.phar"));
    let told = one("a.phar", &signed_by_key((8 << 10) + 1));
    assert!(told.ends_with("flaw corrupt-entry a.phar\n"), "{told}");
    let mut long = plain;
    let list = long.windows(4).position(|it| it == b"?>\r\n").unwrap() + 4;
    long[list..list + 4].copy_from_slice(&(3_u32 << 20).to_le_bytes());
    assert_eq!(one("a.phar", &long), "flaw limit-memory a.phar\n");
}

/// Goal: nothing hides from those who load code from the end of a file. Method: a jar that starts
/// in the list and ends in the signature, and an image of a disk whose mark stands in a file.
#[test]
fn what_is_an_archive_for_others_as_well_is_opened_or_told() {
    let jar = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    // Its comment covers what ends the signature.
    let mut ended = jar.clone();
    let at = ended.len() - 2;
    ended[at..].copy_from_slice(&12_u16.to_le_bytes());
    let signature = [&(ended.len() as u32).to_le_bytes()[..], &[0x10, 0, 0, 0]].concat();
    let plain = phar_of(&[("index.php", b"<?php")], Some(b"\x10\0\0\0"));
    let start = plain.len() - 40;
    let both = [&plain[..start], &ended, &signature, b"GBMB"].concat();
    assert!(one("o", &both).starts_with("pkg:maven/g/a@1 in o\n"), "{}", one("o", &both));
    // Some take one with anything behind it.
    let both = [&plain[..start], &jar, &signature, b"GBMB"].concat();
    assert!(one("o", &both).starts_with("pkg:maven/g/a@1 in o\n"), "{}", one("o", &both));
    let mut image = vec![b' '; 40 << 10];
    image[32_769..32_774].copy_from_slice(b"CD001");
    let mut both = phar(&[("noise", &image)]);
    let at = both.windows(5).position(|it| it == b"CD001").unwrap();
    let shift = at - 32_769;
    both = phar(&[("noise", &image[shift..])]);
    assert_eq!(&both[32_769..32_774], b"CD001");
    assert!(one("o", &both).contains("flaw container-unsupported o\n"), "{}", one("o", &both));
}
