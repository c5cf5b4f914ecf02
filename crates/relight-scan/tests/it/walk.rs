//! Walks: levels by the thousand, links, exclusions, and everything that is no file at once.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use relight_model::Glob;
use relight_scan::{Options, Progress, Services, Target, scan_target};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::fs::{mkdirat, mkfifoat, mknodat, openat, unlinkat};

use crate::zip_writer::{Member, write};
use crate::{pom, pom_path, run, text, tree};

fn jar() -> Vec<u8> {
    write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))])
}

fn follow() -> Options {
    Options { follow: true, ..Options::default() }
}

/// A chain of folders called `d`, each with an empty folder `e` beside the next.
fn deep(root: &Path, levels: usize) -> OwnedFd {
    let mut at = openat(CWD, root, OFlags::RDONLY, Mode::empty()).unwrap();
    for _ in 0..levels {
        mkdirat(&at, "d", Mode::RWXU).unwrap();
        mkdirat(&at, "e", Mode::RWXU).unwrap();
        at = openat(&at, "d", OFlags::RDONLY, Mode::empty()).unwrap();
    }
    at
}

/// Takes [`deep`] down from the inside, holding one descriptor.
fn remove_deep(mut at: OwnedFd, levels: usize) {
    for _ in 0..levels {
        at = openat(&at, "..", OFlags::RDONLY, Mode::empty()).unwrap();
        unlinkat(&at, "d", AtFlags::REMOVEDIR).unwrap();
        unlinkat(&at, "e", AtFlags::REMOVEDIR).unwrap();
    }
}

/// Goal: the walk holds neither a descriptor nor a path for each level. Method: more levels than
/// any process may open files, a folder left to visit at each of them, and a jar at the bottom.
#[test]
fn three_thousand_levels_with_something_left_to_visit_at_each() {
    const LEVELS: usize = 3_000;
    let folder = tree(&[]);
    let bottom = deep(folder.path(), LEVELS);
    let flags = OFlags::WRONLY | OFlags::CREATE;
    let file = openat(&bottom, "deep.jar", flags, Mode::RWXU).unwrap();
    File::from(file).write_all(&jar()).unwrap();
    let expected = format!("pkg:maven/g/a@1 in {}deep.jar\n", "d/".repeat(LEVELS));
    for options in [Options::default(), follow()] {
        assert_eq!(text(&run(folder.path(), &options)), expected);
    }
    let short = Options { path_bytes_max: 100, ..Options::default() };
    let flaw = format!("flaw limit-depth {}d\n", "d/".repeat(49));
    assert_eq!(text(&run(folder.path(), &short)), flaw);
    unlinkat(&bottom, "deep.jar", AtFlags::empty()).unwrap();
    remove_deep(bottom, LEVELS);
}

#[test]
fn what_is_left_out_is_listed() {
    let folder = tree(&[
        ("keep/a.jar", &jar()),
        ("cache/a.jar", &jar()),
        ("x/cache/b.jar", &jar()),
        ("x/b.jar", &jar()),
    ]);
    let exclude = ["cache", "/x/*.jar"].map(Glob::new).to_vec();
    let report = run(folder.path(), &Options { exclude, ..Options::default() });
    assert_eq!(
        text(&report),
        "pkg:maven/g/a@1 in keep/a.jar\n\
         flaw excluded-by-option cache\n\
         flaw excluded-by-option x/b.jar\n\
         flaw excluded-by-option x/cache\n"
    );
}

/// Links that are followed: into a folder outside, to a file outside, twice to the same, back to
/// the root, and from outside to outside.
#[test]
fn what_links_lead_to_outside_is_visited_once_when_asked_for() {
    let outside = tree(&[("lib/x.jar", &jar()), ("more/y.jar", &jar())]);
    let folder = tree(&[("a.jar", &jar())]);
    let link = |target: &Path, name: &str| symlink(target, folder.path().join(name)).unwrap();
    link(&outside.path().join("lib"), "lib");
    link(&outside.path().join("lib"), "same");
    link(&outside.path().join("more/y.jar"), "y.jar");
    link(folder.path(), "self");
    link(Path::new("/dev/null"), "device");
    symlink(outside.path().join("more"), outside.path().join("lib/more")).unwrap();
    symlink(folder.path(), outside.path().join("lib/back")).unwrap();
    symlink("loop", outside.path().join("lib/loop")).unwrap();
    let report = run(folder.path(), &follow());
    assert_eq!(
        text(&report),
        "pkg:maven/g/a@1 in a.jar\n\
         pkg:maven/g/a@1 in lib/more/y.jar\n\
         pkg:maven/g/a@1 in lib/x.jar\n\
         pkg:maven/g/a@1 in y.jar\n"
    );
    assert!(report.sbom.is_complete());
    let refused = text(&run(folder.path(), &Options::default()));
    assert_eq!(
        refused,
        "pkg:maven/g/a@1 in a.jar\n\
         flaw link-outside lib\nflaw link-outside same\nflaw link-outside y.jar\n"
    );
}

/// In the root of a system absolute links mean that root, whether their target is there or not;
/// links that climb out of it still hide something. Without a mark of a system both do.
#[test]
fn absolute_links_of_a_system_mean_its_own_root() {
    let outside = tree(&[("lib/x.jar", &jar())]);
    for (mark, expected) in [
        ("etc/os-release", "flaw link-outside climbs\n"),
        ("usr/lib/os-release", "flaw link-outside climbs\n"),
        ("var/lib/dpkg/arch", "flaw link-outside climbs\n"),
        ("etc/other", "flaw link-outside absolute\nflaw link-outside climbs\n"),
    ] {
        let folder = tree(&[(mark, b"NAME=x\n"), ("a.jar", &jar())]);
        let link = |target: &Path, name: &str| symlink(target, folder.path().join(name)).unwrap();
        link(&outside.path().join("lib"), "absolute");
        link(Path::new("/usr/bin/nobody-has-this"), "dangling");
        let out = outside.path().file_name().unwrap();
        link(&Path::new("..").join(out), "climbs");
        let found = text(&run(folder.path(), &Options::default()));
        assert_eq!(found, format!("pkg:maven/g/a@1 in a.jar\n{expected}"), "{mark}");
    }
}

/// A relative link to an absolute one, as `/etc/ssl/certs` is full of: what is at the end of the
/// chain stands in the same system. Nothing there, or no system, and it hides something.
#[test]
fn chains_of_links_stay_in_their_system() {
    let outside = tree(&[("lib/x.jar", &jar())]);
    let target = outside.path().join("lib/x.jar");
    let inner = target.strip_prefix("/").unwrap().to_str().unwrap();
    let chain = |files: &[(&str, &[u8])]| {
        let folder = tree(files);
        fs::create_dir_all(folder.path().join("certs")).unwrap();
        symlink(&target, folder.path().join("certs/absolute")).unwrap();
        symlink("absolute", folder.path().join("certs/relative")).unwrap();
        text(&run(folder.path(), &Options::default()))
    };
    let mark: (&str, &[u8]) = ("etc/os-release", b"NAME=x\n");
    assert_eq!(chain(&[mark, (inner, b"inside")]), "");
    assert_eq!(chain(&[mark]), "flaw link-outside certs/relative\n");
    let both = "flaw link-outside certs/absolute\nflaw link-outside certs/relative\n";
    assert_eq!(chain(&[(inner, b"inside")]), both);
}

/// A file of two names is read once when links are followed, and told under the first of them.
#[test]
fn a_file_of_two_names_is_told_under_the_first() {
    let folder = tree(&[("b/z.jar", &jar())]);
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::hard_link(folder.path().join("b/z.jar"), folder.path().join("a/z.jar")).unwrap();
    let report = run(folder.path(), &follow());
    assert_eq!((text(&report).as_str(), report.files), ("pkg:maven/g/a@1 in a/z.jar\n", 1));
    assert_eq!(run(folder.path(), &Options::default()).files, 2);
}

/// Goal (trap T6, T7): one tree with everything that froze or ended another scanner; the jars
/// beside are all found, and nothing that is no file is opened. Method: a FIFO and a socket that
/// would block, devices, loops, names of any bytes, a path over the limit of the system.
#[test]
fn everything_that_is_no_file_at_once() {
    let folder = tree(&[("real/a.jar", &jar())]);
    let at = |name: &str| folder.path().join(name);
    mkfifoat(CWD, at("fifo.jar"), Mode::RWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.jar")).unwrap();
    for (name, minor) in [("null", 3), ("zero.jar", 5), ("full", 7)] {
        // Only root may make a device; for others this part is void.
        let device = rustix::fs::makedev(1, minor);
        let _ = mknodat(CWD, at(name), FileType::CharacterDevice, Mode::RWXU, device);
    }
    symlink("/dev/zero", at("endless.jar")).unwrap();
    symlink("fifo.jar", at("to-fifo")).unwrap();
    symlink("loop-b", at("loop-a")).unwrap();
    symlink("loop-a", at("loop-b")).unwrap();
    symlink(".", at("real/self")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    for name in [&b"\n\x1b[2J\xff.jar"[..], b"\xc3\x28.jar"] {
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), jar()).unwrap();
    }
    let bottom = deep(&at("real"), 2_100);
    let file = openat(&bottom, "z.jar", OFlags::WRONLY | OFlags::CREATE, Mode::RWXU).unwrap();
    File::from(file).write_all(&jar()).unwrap();
    let expected = format!(
        "pkg:maven/g/a@1 in %0A%1B[2J%FF.jar\n\
         pkg:maven/g/a@1 in %C3(.jar\n\
         pkg:maven/g/a@1 in real/a.jar\n\
         pkg:maven/g/a@1 in real/{}z.jar\n",
        "d/".repeat(2_100)
    );
    let plain = run(folder.path(), &Options::default());
    assert_eq!((text(&plain), plain.files), (expected.clone(), 4));
    assert_eq!(text(&run(folder.path(), &follow())), expected);
    unlinkat(&bottom, "z.jar", AtFlags::empty()).unwrap();
    remove_deep(bottom, 2_100);
}

#[test]
fn a_target_must_be_of_the_kind_that_was_named() {
    let folder = tree(&[("a.jar", &jar())]);
    let scan = |target: &Target| {
        let services = Services { progress: &Progress::default(), pace: None, cache: None };
        scan_target(target, &Options::default(), &services).map(|report| report.files)
    };
    let (path, file) = (folder.path().to_owned(), folder.path().join("a.jar"));
    assert_eq!(scan(&Target::Folder(path.clone())).unwrap(), 1);
    assert_eq!(scan(&Target::File(file.clone())).unwrap(), 1);
    let error = scan(&Target::Folder(file)).unwrap_err();
    assert!(error.to_string().starts_with("open dir:/"), "{error}");
    assert!(scan(&Target::File(path)).is_err());
}
