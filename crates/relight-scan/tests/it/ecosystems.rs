//! Packages of every kind side by side: who owns what, what is only declared, and no secret kept.

use relight_model::Scope;
use relight_scan::{Cache, Options, Progress, Services, Target, scan_target};

use crate::cache::Memory;
use crate::container_writer::{bz2, gz, tar, zst};
use crate::programs::elf;
use crate::zip_writer::{Member, write};
use crate::{one, run, text, tree};

const STATUS: &[u8] = b"Package: python3-six\nStatus: install ok installed\nVersion: 1.16.0-4\n\
    Architecture: all\nSource: six\n\n";

const LIST: &[u8] = b"/usr\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO\n";

const SIX: &[u8] = b"Metadata-Version: 1.2\nName: six\nVersion: 1.16.0\n";

#[test]
fn a_file_of_an_os_package_is_listed_and_names_its_owner() {
    let root = tree(&[
        ("etc/os-release", b"ID=debian\nVERSION_ID=\"12\"\n"),
        ("var/lib/dpkg/status", STATUS),
        ("var/lib/dpkg/info/python3-six.list", LIST),
        ("usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO", SIX),
        ("opt/venv/six-1.16.0.egg-info/PKG-INFO", SIX),
    ]);
    for threads in [1, 4] {
        let options = Options { threads: Some(threads), ..Options::default() };
        let report = run(root.path(), &options);
        let owners: Vec<String> = report
            .sbom
            .components
            .iter()
            .map(|c| {
                let owner = c.owned_by.as_ref().map_or("nobody".to_owned(), ToString::to_string);
                format!("{} in {} of {owner}", c.purl, c.evidence)
            })
            .collect();
        let six = "pkg:deb/debian/python3-six@1.16.0-4?arch=all&distro=debian-12&upstream=six";
        let dist = "usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO";
        assert_eq!(
            owners,
            [
                format!("{six} in var/lib/dpkg/status of nobody"),
                "pkg:pypi/six@1.16.0 in opt/venv/six-1.16.0.egg-info/PKG-INFO of nobody".to_owned(),
                format!("pkg:pypi/six@1.16.0 in {dist} of {six}"),
            ]
        );
        assert!(report.sbom.is_complete());
    }
}

#[test]
fn what_a_lock_file_names_is_declared_and_what_lies_there_is_installed() {
    let lock = br#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"},
        "node_modules/gone":{"version":"9.0.0"}}}"#;
    let report = run(
        tree(&[
            ("app/package-lock.json", lock),
            ("app/node_modules/a/package.json", br#"{"name":"a","version":"1.0.0"}"#),
            ("app/node_modules/a/test/fixture/package.json", br#"{"name":"ghost","version":"6"}"#),
        ])
        .path(),
        &Options::default(),
    );
    let lines: Vec<String> =
        report.sbom.components.iter().map(|c| format!("{} {}", c.purl, c.scope.as_str())).collect();
    assert_eq!(
        lines,
        ["pkg:npm/a@1.0.0 installed", "pkg:npm/a@1.0.0 superseded", "pkg:npm/gone@9.0.0 declared"]
    );
    let installed = report.sbom.components.iter().filter(|c| c.scope == Scope::Installed);
    assert_eq!(installed.count(), 1, "scopes are never added up");
}

/// A document of relight that lies beside the software was less than that of anybody else: what it
/// calls installed was only declared, and what it calls built was there.
#[test]
fn a_found_document_of_relight_is_taken_at_its_word() {
    let entry = |name: &str, basis: &str, scope: &str| {
        format!(
            r#"{{"type":"library","name":"{name}","version":"1","purl":"pkg:npm/{name}@1",
            "properties":[{{"name":"relight:basis","value":"{basis}"}},
            {{"name":"relight:scope","value":"{scope}"}}]}}"#
        )
    };
    let entries = [
        entry("built", "path-string", "build"),
        entry("locked", "lock-file", "declared"),
        entry("seen", "installed-metadata", "installed"),
    ];
    let document = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}]}}"#,
        entries.join(",")
    );
    let found = |place: &str| {
        let report = run(tree(&[(place, document.as_bytes())]).path(), &Options::default());
        let all = report.sbom.components.iter();
        all.map(|it| (it.scope, it.is_only_declared())).collect::<Vec<_>>()
    };
    let wanted = [(Scope::Build, false), (Scope::Declared, true), (Scope::Declared, false)];
    assert_eq!(found("app/sbom.json"), wanted);
    let wanted = [(Scope::Build, false), (Scope::Installed, false), (Scope::Installed, false)];
    assert_eq!(found("x-1.dist-info/sboms/a.cdx.json"), wanted);
}

/// The application itself was nothing: what it depends on alone was found.
#[test]
fn an_application_is_what_has_its_modules_beside_it() {
    let ghost = br#"{"name":"ghost","version":"5.40.0"}"#;
    let module = br#"{"name":"a","version":"1.0.0"}"#;
    let zip = write(&[
        Member::deflated("n8n/package.json", br#"{"name":"n8n","version":"1.0.0"}"#),
        Member::deflated("n8n/node_modules/@x/a/package.json", br#"{"name":"@x/a","version":"2"}"#),
    ]);
    let files: [(&str, &[u8]); 7] = [
        ("ghost/package.json", ghost),
        ("ghost/node_modules/a/package.json", module),
        ("ghost/node_modules/a/test/package.json", ghost),
        ("other/package.json", br#"{"name":"other","version":"1.0.0"}"#),
        ("src/package.json", br#"{"name":"src","version":"1.0.0"}"#),
        ("src/node_modules.bak/a/package.json", module),
        ("download.zip", &zip),
    ];
    let report = run(tree(&files).path(), &Options::default());
    let found: Vec<_> =
        report.sbom.components.iter().map(|it| format!("{} in {}", it.purl, it.evidence)).collect();
    let wanted = [
        "pkg:npm/a@1.0.0 in ghost/node_modules/a/package.json",
        "pkg:npm/ghost@5.40.0 in ghost/package.json",
        "pkg:npm/n8n@1.0.0 in download.zip!/n8n/package.json",
        "pkg:npm/%40x/a@2 in download.zip!/n8n/node_modules/@x/a/package.json",
    ];
    assert_eq!(found, wanted);
    assert!(report.sbom.is_complete());
}

#[test]
fn names_of_secrets_are_never_read() {
    const SECRET: &[u8] = b"password = marked-secret\nName: marked-secret\nVersion: 1\n";
    let places = [
        ".env",
        ".env.local",
        "server.pem",
        "server.key",
        "home/.ssh/id_ed25519",
        ".npmrc",
        ".pypirc",
        ".netrc",
        ".m2/settings.xml",
        "keystore.jks",
        "src/.git/config",
        ".aws/credentials",
        ".kube/config",
        "home/.mozilla/firefox/x.default/logins.json",
        "var/mail/root",
        // A folder that a cataloger wants does not make a key a record.
        "env/conda-meta/server.key",
        "env/conda-meta/.env",
        "x-1.dist-info/sboms/.npmrc",
    ];
    let files: Vec<(&str, &[u8])> = places.iter().map(|place| (*place, SECRET)).collect();
    let root = tree(&files);
    let report = run(root.path(), &Options::default());
    assert_eq!(text(&report), "");
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert!(!format!("{report:?}").contains("marked-secret"));
}

/// Both forms of packages of conda, and a source distribution of Python, as they are published.
#[test]
fn packages_of_conda_and_source_distributions_as_files() {
    let index = br#"{"name":"a","version":"1.2","build":"0","depends":[],"subdir":"noarch"}"#;
    let purl = "pkg:conda/a@1.2?build=0&subdir=noarch";
    let inner = tar(&[("info/index.json", index)]);
    assert_eq!(one("a-1.2-0.tar.bz2", &bz2(&inner)), format!("{purl} in a-1.2-0.tar.bz2\n"));
    let information = Member::stored("info-a-1.2-0.tar.zst", &zst(&inner));
    let conda = write(&[information, Member::stored("metadata.json", b"{}")]);
    assert_eq!(one("a-1.2-0.conda", &conda), format!("{purl} in a-1.2-0.conda\n"));
    let source = gz(&tar(&[("six-1.16.0/PKG-INFO", SIX), ("six-1.16.0/six.py", b"x = 1\n")]));
    let expected = "pkg:pypi/six@1.16.0 in six.tar.gz!/six-1.16.0/PKG-INFO\n";
    assert_eq!(one("six.tar.gz", &source), expected);
}

/// It is called a script by its first line, with something binary behind.
#[test]
fn a_binary_lock_file_of_bun_is_told_as_what_it_is() {
    let lock = b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n\x02\0\0\0\x8a\x13\xff\xfe";
    assert_eq!(one("bun.lockb", lock), "flaw node-unlisted bun.lockb\n");
}

/// Goal: a store without its database is known by its paths, each package once, and one with it is
/// not told twice. Method: two libraries of one package, in a folder and in an archive, and the
/// same beside the database of a store.
#[test]
fn a_store_of_nix_is_known_without_its_database() {
    const HASH: &str = "0123456789abcdfghijklmnpqrsvwxyz";
    let library = elf(&[(".rodata", b"nothing")], b"");
    let store = format!("nix/store/{HASH}-openssl-3.0.12");
    let other = format!("gnu/store/{HASH}-zlib-1.2.13/lib/libz.so");
    let names = [&format!("{store}/lib/libssl.so"), &format!("{store}/lib/libcrypto.so"), &other];
    let files: Vec<(&str, &[u8])> = names.map(|name| (name.as_str(), &library[..])).to_vec();
    let told = |place: &str| {
        format!(
            "pkg:guix/zlib@1.2.13?outputhash={HASH} in {place}gnu/store/{HASH}-zlib-1.2.13\n\
             pkg:nix/openssl@3.0.12?outputhash={HASH} in {place}{store}\n"
        )
    };
    assert_eq!(text(&run(tree(&files).path(), &Options::default())), told(""));
    assert_eq!(one("o.tar", &tar(&files)), told("o.tar!/"));
    let database = include_bytes!("../../fixtures/nix_store/store/nix/var/nix/db/db.sqlite");
    let with = [&files[..2], &[("nix/var/nix/db/db.sqlite", &database[..])]].concat();
    let report = run(tree(&with).path(), &Options::default());
    let openssl = report.sbom.components.iter().filter(|it| it.purl.name == "openssl");
    let places: Vec<_> = openssl.map(|it| it.evidence.as_str()).collect();
    assert_eq!(places, ["nix/var/nix/db/db.sqlite"; 2], "the library and its programs");
}

/// Stores keep equal files of several packages once: what is known of one says nothing of another.
#[test]
fn a_file_of_two_packages_of_a_store_is_of_both() {
    const HASH: &str = "0123456789abcdfghijklmnpqrsvwxyz";
    let library = elf(&[(".rodata", b"nothing")], b"");
    let place = |name: &str| format!("nix/store/{HASH}-{name}/lib/x.so");
    let folder = tree(&[(&place("a-1.0"), &library), ("nix/keep", b"")]);
    let second = folder.path().join(place("b-2.0"));
    std::fs::create_dir_all(second.parent().unwrap()).unwrap();
    std::fs::hard_link(folder.path().join(place("a-1.0")), second).unwrap();
    let cache = Memory::new();
    for known in [0, 3] {
        let (progress, cache) = (&Progress::default(), Some(&cache as &dyn Cache));
        let services = Services { progress, pace: None, cache };
        let target = Target::Folder(folder.path().to_owned());
        let report = scan_target(&target, &Options::default(), &services).unwrap();
        let names: Vec<_> = report.sbom.components.iter().map(|it| it.purl.name.as_str()).collect();
        assert_eq!((names, report.known), (vec!["a", "b"], known));
    }
}
