//! Archives that are well formed, however unusual, are read; damaged ones never look whole.

use relight_scan::{Mode, Options};

use crate::container_writer::{gz, tar};
use crate::zip_writer::{Member, end, write, write_with};
use crate::{CLASS, one, one_with, pom, pom_path, run, text, tree};

fn jar(artifact: &str, version: &str) -> Vec<u8> {
    write(&[
        Member::deflated(&pom_path(artifact), &pom(artifact, version)),
        Member::deflated("A.class", super::CLASS),
    ])
}

#[test]
fn content_decides_whatever_the_name() {
    for name in ["a.jar", "a.txt", "a", "a.png", ".hidden"] {
        assert_eq!(one(name, &jar("a", "1")), format!("pkg:maven/g/a@1 in {name}\n"));
    }
    assert_eq!(one("text.jar", b"just words\n"), "");
    assert_eq!(one("empty.jar", b""), "");
    assert_eq!(one("noise.jar", b"\x00\x01\x02"), "flaw corrupt-entry noise.jar\n");
    assert_eq!(one("noise.bin", b"\x00\x01\x02"), "");
}

#[test]
fn archives_in_archives_stored_and_deflated() {
    let inner = jar("a", "1");
    let war = write(&[
        Member::stored("WEB-INF/lib/x.jar", &inner),
        Member::deflated("WEB-INF/lib/y.dat", &inner),
        Member::deflated("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n"),
    ]);
    let ear = write(&[Member::deflated("inner.war", &war)]);
    let report = run(tree(&[("outer.ear", &ear)]).path(), &Options::default());
    assert_eq!(
        text(&report),
        "pkg:maven/g/a@1 in outer.ear!/inner.war!/WEB-INF/lib/x.jar\n\
         pkg:maven/g/a@1 in outer.ear!/inner.war!/WEB-INF/lib/y.dat\n"
    );
    assert_eq!((report.archives, report.deepest, report.files), (4, 3, 1));
}

/// Readers differ on which of several end records counts; the others may lead to something else.
#[test]
fn a_second_end_record_is_told() {
    let members = [Member::stored(&pom_path("a"), &pom("a", "1"))];
    let found = "pkg:maven/g/a@1 in o.jar\n";
    let told = format!("{found}flaw zip-boundary-ambiguous o.jar\n");
    let strange = end(3, 999, 12_345, b"");
    let at = |comment: &[u8]| one("o.jar", &write_with(&members, b"", comment));
    assert_eq!(at(&strange), told, "in the comment");
    assert_eq!(at(&[&b"x"[..], &strange, b"y"].concat()), told, "within the comment");
    assert_eq!(at(&strange[4..]), found, "a comment of such bytes without their mark");
    let zip = write(&members);
    assert_eq!(one("o.jar", &[&zip[..], &strange].concat()), told, "behind it");
    let (front, own) = zip.split_at(zip.len() - 22);
    let between = [front, &end(3, 999, 12_345, &[0; 22]), own].concat();
    assert!(one("o.jar", &between).contains("flaw zip-boundary-ambiguous o.jar\n"));
    // An archive that is the last member of another has an end of its own.
    let outer = write(&[Member::stored("in.jar", &zip)]);
    assert_eq!(one("o.jar", &outer), "pkg:maven/g/a@1 in o.jar!/in.jar\n");
}

#[test]
fn a_prefix_a_comment_and_trailing_garbage_change_nothing() {
    let members = [Member::deflated(&pom_path("a"), &pom("a", "1"))];
    let found = "pkg:maven/g/a@1 in app\n";
    let script = b"#!/bin/sh\nexec java -jar \"$0\"\nexit\n";
    assert_eq!(one("app", &write_with(&members, script, b"")), found);
    assert_eq!(one("app", &write_with(&members, b"\x01binary\x00", b"a comment")), found);
    assert_eq!(one("app", &write_with(&members, &[0; 70_000], &[b'c'; 65_535])), found);
    assert_eq!(one("app", &[write(&members), vec![0; 500]].concat()), found);
    assert_eq!(one("app", &write_with(&members, b"@echo off\r\n", b"a comment")), found);
    let long = b"words\n".repeat(200);
    assert_eq!(one("app", &write_with(&members, &long, b"")), found);
    // A script whose archive was cut off, and one that unpacks something else.
    let whole = write_with(&members, script, b"");
    let cut = one("app", &whole[..whole.len() - 9]);
    assert_eq!(cut, "pkg:maven/g/a@1 in app\nflaw truncated app\n");
    assert_eq!(one("app", script), "");
    // The script inside an archive, deflated: its head does not say that it is an archive.
    let inner = write_with(&members, script, b"");
    let outer = write(&[Member::deflated("run", &inner), Member::stored("run2", &inner)]);
    assert_eq!(
        one("o.zip", &outer),
        "pkg:maven/g/a@1 in o.zip!/run\npkg:maven/g/a@1 in o.zip!/run2\n"
    );
}

#[test]
fn sizes_behind_the_data_are_fine() {
    let mut member = Member::deflated(&pom_path("a"), &pom("a", "1"));
    member.descriptor = true;
    let members = [member, Member::stored("b", b"b")];
    assert_eq!(one("a.jar", &write(&members)), "pkg:maven/g/a@1 in a.jar\n");
}

#[test]
fn names_of_any_bytes_and_backslashes() {
    let mut odd = Member::stored("x", &jar("a", "1"));
    odd.name = b"new\nline\xff!/50%".to_vec();
    odd.local_name = odd.name.clone();
    let windows = Member::stored("META-INF\\maven\\g\\b\\pom.properties", &pom("b", "2"));
    assert_eq!(
        one("o.jar", &write(&[odd, windows])),
        "pkg:maven/g/a@1 in o.jar!/new%0Aline%FF%21/50%25\npkg:maven/g/b@2 in o.jar\n"
    );
}

#[test]
fn folders_behind_the_other_slash_are_folders() {
    let installed = br#"{"packages":[{"name":"a/b","version":"1.2.3"}]}"#;
    let zip = write(&[
        Member::deflated("node_modules\\x\\package.json", br#"{"name":"x","version":"1.0.0"}"#),
        Member::deflated("vendor\\composer\\installed.json", installed),
        Member::stored("six-1.16.0.dist-info\\METADATA", b"Name: six\nVersion: 1.16.0\n"),
    ]);
    assert_eq!(
        one("a.zip", &zip),
        "pkg:composer/a/b@1.2.3 in a.zip!/vendor/composer/installed.json\n\
         pkg:npm/x@1.0.0 in a.zip!/node_modules/x/package.json\n\
         pkg:pypi/six@1.16.0 in a.zip!/six-1.16.0.dist-info/METADATA\n"
    );
}

#[test]
fn metadata_of_every_kind_inside_an_archive() {
    let zip = write(&[
        Member::stored("six-1.16.0.dist-info/METADATA", b"Name: six\nVersion: 1.16.0\n"),
        Member::deflated("web/package-lock.json", b"{\"lockfileVersion\":3,\"packages\":{}}"),
        Member::deflated("m/node_modules/x/package.json", br#"{"name":"x","version":"1.0.0"}"#),
    ]);
    assert_eq!(
        one("a.zip", &zip),
        "pkg:npm/x@1.0.0 in a.zip!/m/node_modules/x/package.json\n\
         pkg:pypi/six@1.16.0 in a.zip!/six-1.16.0.dist-info/METADATA\n"
    );
}

#[test]
fn broken_metadata_is_a_warning_and_a_flaw() {
    let zip = write(&[Member::stored("node_modules/x/package.json", b"{")]);
    let report = run(tree(&[("a.zip", &zip)]).path(), &Options::default());
    assert_eq!(text(&report), "flaw corrupt-entry a.zip!/node_modules/x/package.json\n");
    assert_eq!(report.warnings.len(), 1);
}

#[test]
fn a_damaged_member_does_not_hide_the_others() {
    let mut broken = Member::deflated("broken.bin", &[7; 300]);
    broken.data[2] ^= 0x55;
    let mut lies = Member::stored("lies.bin", b"abc");
    lies.crc ^= 1;
    let mut short = Member::deflated("short.bin", b"abcdef");
    short.unpacked = 3;
    let last = Member::deflated("last.jar", &jar("a", "1"));
    assert_eq!(
        one("o.zip", &write(&[broken, lies, short, last])),
        "pkg:maven/g/a@1 in o.zip!/last.jar\n\
         flaw corrupt-entry o.zip!/broken.bin\n\
         flaw corrupt-entry o.zip!/short.bin\n\
         flaw crc-mismatch o.zip!/lies.bin\n"
    );
}

#[test]
fn encrypted_and_unknown_methods_are_flaws() {
    let mut secret = Member::stored("secret.jar", &jar("a", "1"));
    secret.flags = 1;
    let mut method = Member::stored("method.jar", &jar("b", "1"));
    method.method = 97;
    assert_eq!(
        one("o.zip", &write(&[secret, method])),
        "flaw encrypted o.zip!/secret.jar\nflaw method-unsupported o.zip!/method.jar\n"
    );
}

#[test]
fn copies_of_a_name_are_all_read() {
    let zip = write(&[
        Member::stored("x.jar", &jar("a", "1")),
        Member::stored("x.jar", &jar("a", "2")),
        Member::stored("y#2", &jar("a", "3")),
    ]);
    assert_eq!(
        one("o.zip", &zip),
        "pkg:maven/g/a@1 in o.zip!/x.jar\n\
         pkg:maven/g/a@2 in o.zip!/x.jar#2\n\
         pkg:maven/g/a@3 in o.zip!/y%232\n"
    );
}

#[test]
fn a_name_that_differs_between_headers_counts_twice() {
    let mut hidden = Member::stored("harmless.txt", &pom("a", "1"));
    hidden.local_name = pom_path("a").into();
    let got = one("o.jar", &write(&[hidden, Member::stored("A.class", super::CLASS)]));
    assert!(got.ends_with("flaw zip-header-mismatch o.jar!/harmless.txt\n"), "{got}");
}

#[test]
fn without_its_directory_an_archive_is_read_front_to_back() {
    let mut streamed = Member::deflated(&pom_path("a"), &pom("a", "1"));
    streamed.descriptor = true;
    let members = [
        streamed,
        Member::stored("x.jar", &jar("b", "1")),
        Member::deflated("y.jar", &jar("c", "1")),
    ];
    let zip = write(&members);
    let directory = zip.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    let expected = "pkg:maven/g/a@1 in o.jar\n\
                    pkg:maven/g/b@1 in o.jar!/x.jar\n\
                    pkg:maven/g/c@1 in o.jar!/y.jar\n";
    let cut = one("o.jar", &zip[..directory]);
    assert!(cut.starts_with(expected), "{cut}");
    assert!(cut.contains("flaw corrupt-entry o.jar\n"), "{cut}");
    let plain = write(&[Member::deflated("y.jar", &jar("c", "1"))]);
    let cut = one("o.jar", &plain[..plain.len() - 1]);
    assert_eq!(cut, "pkg:maven/g/c@1 in o.jar!/y.jar\nflaw truncated o.jar\n");
    let mut damaged = zip.clone();
    damaged[directory + 1] = b'?';
    let got = one("o.jar", &damaged);
    assert!(got.starts_with(expected), "{got}");
    assert!(got.contains("flaw corrupt-entry o.jar\n"), "{got}");
}

#[test]
fn what_the_directory_does_not_list_is_noticed() {
    // Another archive in front: a loader that reads front to back sees that one.
    let two = [jar("hidden", "1"), jar("a", "1")].concat();
    let both = "pkg:maven/g/a@1 in o.jar\npkg:maven/g/hidden@1 in o.jar\n";
    assert_eq!(one("o.jar", &two), format!("{both}flaw corrupt-entry o.jar\n"));
    // An empty end record behind a whole archive.
    let emptied = [jar("a", "1"), end(0, 0, 0, b"")].concat();
    let found = "pkg:maven/g/a@1 in o.jar\nflaw corrupt-entry o.jar\n";
    assert_eq!(one("o.jar", &emptied), found);
    // A count that is too small.
    let mut fewer = jar("a", "1");
    let at = fewer.len() - 14;
    fewer[at..at + 4].copy_from_slice(&[1, 0, 1, 0]);
    let miscounted = "pkg:maven/g/a@1 in o.jar\nflaw zip-header-mismatch o.jar\n";
    assert_eq!(one("o.jar", &fewer), miscounted);
    assert_eq!(one("empty.zip", &end(0, 0, 0, b"")), "");
}

#[test]
fn containers_that_are_not_opened_are_flaws_everywhere() {
    let rar = b"Rar!\x1a\x07\x01\x00 and more";
    let zip =
        write(&[Member::deflated("inner.rar", rar), Member::stored("x.pack", b"\xca\xfe\xd0\x0d")]);
    let files: &[(&str, &[u8])] =
        &[("a.7z", b"7z\xbc\xaf\x27\x1c and more"), ("b.zip", &zip), ("c.txt", rar)];
    assert_eq!(
        text(&run(tree(files).path(), &Options::default())),
        "flaw truncated a.7z\n\
         flaw container-unsupported b.zip!/inner.rar\n\
         flaw container-unsupported b.zip!/x.pack\n\
         flaw container-unsupported c.txt\n"
    );
}

#[test]
fn an_archive_behind_a_stream_that_cannot_be_read_is_found() {
    let both = [&b"\xfd7zXZ\0"[..], &jar("a", "1")].concat();
    let got = one("x", &both);
    assert!(got.starts_with("pkg:maven/g/a@1 in x\nflaw corrupt-entry x!/x\n"), "{got}");
    let got = one("o", &write(&[Member::deflated("x", &both)]));
    assert!(got.starts_with("pkg:maven/g/a@1 in o!/x\nflaw corrupt-entry o!/x!/x\n"), "{got}");
}

/// Nobody's business ends at the archive that lies there: what is in it is read.
#[test]
fn an_archive_in_a_private_folder_is_opened() {
    let package = br#"{"name":"x","version":"1.0.0"}"#;
    let zip = write(&[
        Member::deflated("node_modules/x/package.json", package),
        Member::deflated(".aws/node_modules/y/package.json", br#"{"name":"y","version":"1.0.0"}"#),
    ]);
    let files = tree(&[(".aws/lambda.zip", &zip), (".aws/node_modules/z/package.json", package)]);
    let report = run(files.path(), &Options::default());
    let expected = "pkg:npm/x@1.0.0 in .aws/lambda.zip!/node_modules/x/package.json\n";
    assert_eq!(text(&report), expected);
}

/// Code of Java in folders, also of an archive that is none of Java: nobody else reads what says
/// what it is. Inside of a jar, the jar is the place.
#[test]
fn exploded_archives_of_java_in_other_archives() {
    let manifest = b"Implementation-Title: b\nImplementation-Version: 2\n";
    let (pom_at, pom) = (format!("app/{}", pom_path("a")), pom("a", "1"));
    let manifest_at = "lib/b/META-INF/MANIFEST.MF";
    let packed = gz(&tar(&[(&pom_at, &pom), (manifest_at, manifest)]));
    let found = "pkg:maven/b@2 in o.tgz!/lib/b/\npkg:maven/g/a@1 in o.tgz!/app/\n";
    assert_eq!(one("o.tgz", &packed), found);
    let root = tar(&[(&pom_path("a"), &pom)]);
    assert_eq!(one("o.tar", &root), "pkg:maven/g/a@1 in o.tar\n");
    let jar = [
        Member::deflated(&pom_path("a"), &pom),
        Member::deflated("META-INF/MANIFEST.MF", b"Bundle-SymbolicName: g.a\nBundle-Version: 1\n"),
    ];
    assert_eq!(one("o.jar", &write(&jar)), "pkg:maven/g/a@1 in o.jar\n");
    // The JVM takes the manifest in any letters.
    let jar =
        [Member::deflated("meta-inf/Manifest.mf", manifest), Member::stored("A.class", CLASS)];
    for mode in [Mode::Deep, Mode::Fast] {
        let got = one_with(&Options { mode, ..Options::default() }, "o.jar", &write(&jar));
        assert!(got.contains("pkg:maven/b@2 in o.jar\n"), "{mode:?}: {got}");
    }
    // A writer of Windows puts its own slash between folders.
    let at = pom_path("a").replace('/', "\\");
    let jar = [Member::deflated(&at, &pom), Member::stored("A.class", CLASS)];
    for mode in [Mode::Deep, Mode::Fast] {
        let got = one_with(&Options { mode, ..Options::default() }, "o.jar", &write(&jar));
        assert!(got.contains("pkg:maven/g/a@1 in o.jar\n"), "{mode:?}: {got}");
    }
}
