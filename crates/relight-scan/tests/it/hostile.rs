//! Bombs, loops and special files: bounded, never silent, never stuck.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use relight_scan::Options;
use rustix::fs::{CWD, FileType, Mode, mkfifoat, mknodat};

use crate::zip_writer::{Member, write};
use crate::{one, pom, pom_path, run, text, tree};

fn jar() -> Vec<u8> {
    write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))])
}

#[test]
fn a_flat_bomb_stops_at_the_ratio() {
    let zeros = vec![0; 40 << 20];
    let bomb = write(&[
        Member::deflated("a", &zeros),
        Member::deflated("b", &zeros),
        Member::deflated("c", &zeros),
    ]);
    let got = one("bomb.zip", &bomb);
    assert!((64 << 20) + 200 * (bomb.len() as u64) < 120 << 20, "the bomb is too tame");
    assert_eq!(got, "flaw limit-expanded bomb.zip!/c\n");
}

#[test]
fn a_nested_bomb_stops_as_well() {
    let mut bomb = write(&[Member::deflated("zeros", &vec![0; 4 << 20])]);
    for _ in 0..6 {
        let copies: Vec<_> =
            (0..16).map(|copy| Member::deflated(&format!("{copy}.zip"), &bomb)).collect();
        bomb = write(&copies);
    }
    let options = Options { expanded_free_bytes: 8 << 20, ..Options::default() };
    let folder = tree(&[("bomb.zip", &bomb)]);
    let report = run(folder.path(), &options);
    assert_eq!(report.sbom.flaws.len(), 1, "{}", text(&report));
    assert!(text(&report).starts_with("flaw limit-expanded bomb.zip!/0.zip!/0.zip"));
}

#[test]
fn members_that_share_their_bytes_are_read_once() {
    let body = Member::deflated("a.jar", &jar());
    let mut shared = vec![body.clone()];
    shared.extend((0..50).map(|copy| {
        let name = format!("b{copy}.jar").into();
        Member { name, offset: Some(0), ..body.clone() }
    }));
    let got = one("o.zip", &write(&shared));
    assert!(got.starts_with("pkg:maven/g/a@1 in o.zip!/a.jar\nflaw zip-overlap o.zip!/b0"));
    assert_eq!(got.lines().count(), 51, "{got}");
}

#[test]
fn an_archive_that_contains_itself_by_reference_ends() {
    // A stored member whose data is the archive itself, as far as an archive can say so.
    let inner = write(&[Member::stored("x", b"")]);
    let mut member = Member::stored("self.zip", &inner);
    member.unpacked = u32::MAX;
    let got = one("o.zip", &write(&[member]));
    assert!(got.contains("flaw corrupt-entry o.zip"), "{got}");
}

#[test]
fn special_files_are_skipped_and_links_are_not_followed() {
    let folder = tree(&[("real/a.jar", &jar()), ("b.txt", b"b")]);
    let at = |name: &str| folder.path().join(name);
    mkfifoat(CWD, at("fifo"), Mode::RWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    // Only root may make a device; for others the case is void.
    let _ =
        mknodat(CWD, at("null"), FileType::CharacterDevice, Mode::RWXU, rustix::fs::makedev(1, 3));
    symlink("loop-b", at("loop-a")).unwrap();
    symlink("loop-a", at("loop-b")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("real/a.jar", at("inside")).unwrap();
    symlink(".", at("self")).unwrap();
    symlink("/dev/null", at("device")).unwrap();
    let report = run(folder.path(), &Options::default());
    assert_eq!(text(&report), "pkg:maven/g/a@1 in real/a.jar\n");
    assert_eq!(report.files, 2);
}

#[test]
fn a_link_to_the_outside_is_a_flaw() {
    let outside = tree(&[("lib/x.jar", &jar())]);
    let folder = tree(&[("a", b"a")]);
    symlink(outside.path().join("lib"), folder.path().join("lib")).unwrap();
    symlink(outside.path().join("lib/x.jar"), folder.path().join("x.jar")).unwrap();
    // A name that starts like the root is not inside the root.
    let twin = folder.path().with_extension("twin");
    fs::create_dir(&twin).unwrap();
    symlink(&twin, folder.path().join("twin")).unwrap();
    let got = text(&run(folder.path(), &Options::default()));
    fs::remove_dir(&twin).unwrap();
    assert_eq!(got, "flaw link-outside lib\nflaw link-outside twin\nflaw link-outside x.jar\n");
}

#[test]
fn what_may_not_be_read_is_a_flaw() {
    let folder = tree(&[("locked/a.jar", &jar()), ("secret.jar", &jar()), ("open.jar", &jar())]);
    let lock = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    lock("locked", 0);
    lock("secret.jar", 0);
    // Modes do not bind root: what it can read is read, and then nothing is missing.
    let readable = File::open(folder.path().join("secret.jar")).is_ok();
    let got = text(&run(folder.path(), &Options::default()));
    lock("locked", 0o700);
    let expected = if readable {
        "pkg:maven/g/a@1 in locked/a.jar\npkg:maven/g/a@1 in open.jar\n\
         pkg:maven/g/a@1 in secret.jar\n"
    } else {
        "pkg:maven/g/a@1 in open.jar\nflaw permission-denied locked\n\
         flaw permission-denied secret.jar\n"
    };
    assert_eq!(got, expected);
}

#[test]
fn names_with_a_newline_and_names_that_are_no_text() {
    let folder = tree(&[("ok.jar", &jar())]);
    for name in [&b"new\nline.jar"[..], b"latin-\xe9.jar", b"bang!", b"100%.jar"] {
        let mut path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        if name == b"bang!" {
            fs::create_dir(&path).unwrap();
            path.push("x.jar");
        }
        fs::write(path, jar()).unwrap();
    }
    assert_eq!(
        text(&run(folder.path(), &Options::default())),
        "pkg:maven/g/a@1 in 100%25.jar\n\
         pkg:maven/g/a@1 in bang%21/x.jar\n\
         pkg:maven/g/a@1 in latin-%E9.jar\n\
         pkg:maven/g/a@1 in new%0Aline.jar\n\
         pkg:maven/g/a@1 in ok.jar\n"
    );
}

/// Goal: a tree deeper than any path the system accepts is walked to its end, links included.
/// Method: folders are made one by one, relative to a descriptor, to 6,000 bytes of path.
#[test]
fn a_path_longer_than_the_system_allows() {
    let folder = tree(&[]);
    let name = "d".repeat(200);
    let mut at =
        rustix::fs::openat(CWD, folder.path(), rustix::fs::OFlags::RDONLY, Mode::empty()).unwrap();
    let root = at.try_clone().unwrap();
    for _ in 0..30 {
        rustix::fs::mkdirat(&at, &name, Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, &name, rustix::fs::OFlags::RDONLY, Mode::empty()).unwrap();
    }
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CREATE;
    let file = rustix::fs::openat(&at, "deep.jar", flags, Mode::RWXU).unwrap();
    std::io::Write::write_all(&mut File::from(file), &jar()).unwrap();
    let got = text(&run(folder.path(), &Options::default()));
    assert_eq!(got, format!("pkg:maven/g/a@1 in {}deep.jar\n", format!("{name}/").repeat(30)));
    remove_deep(root, &name, 30);
}

/// Removes what [`fs::remove_dir_all`] might not reach, from the inside out.
fn remove_deep(root: std::os::fd::OwnedFd, name: &str, levels: usize) {
    use rustix::fs::{AtFlags, OFlags, openat, unlinkat};

    let mut open = vec![root];
    for _ in 0..levels {
        let inner = openat(open.last().unwrap(), name, OFlags::RDONLY, Mode::empty()).unwrap();
        open.push(inner);
    }
    unlinkat(open.last().unwrap(), "deep.jar", AtFlags::empty()).unwrap();
    for folder in open.iter().rev().skip(1) {
        unlinkat(folder, name, AtFlags::REMOVEDIR).unwrap();
    }
}

#[test]
fn a_root_that_cannot_be_opened_is_an_error() {
    let folder = tree(&[]);
    let scan = |path: &Path| {
        let progress = relight_scan::Progress::default();
        relight_scan::scan(path, &Options::default(), &progress)
    };
    let error = scan(&folder.path().join("missing")).unwrap_err();
    assert!(error.to_string().starts_with("open "), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    let fifo = folder.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::RWXU).unwrap();
    assert!(scan(&fifo).is_err());
}
