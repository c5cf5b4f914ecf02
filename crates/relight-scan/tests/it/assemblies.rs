//! Assemblies of .NET, and what says which packages they are of.

use relight_scan::Options;

use crate::zip_writer::{Member, write};
use crate::{run, text, tree};

/// An assembly that calls itself `Newtonsoft.Json.dll`, version 13.0.1.
const ASSEMBLY: &[u8] =
    include_bytes!("../../fixtures/dotnet_program/assembly/Newtonsoft.Json.dll");

const GAP: &str = "flaw dotnet-unlisted site/bin\n";

/// The text of a scan of an assembly in a folder, beside these files.
fn beside(files: &[(&str, &[u8])]) -> String {
    let files: Vec<_> =
        [("site/bin/Core.dll", ASSEMBLY)].into_iter().chain(files.iter().copied()).collect();
    text(&run(tree(&files).path(), &Options::default()))
}

/// A site of the .NET Framework was clear of every package whose assembly has another name.
#[test]
fn assemblies_without_a_list_of_packages_are_one_gap_a_folder() {
    let known = "pkg:nuget/Newtonsoft.Json@13.0.1 in site/bin/Core.dll\n";
    assert_eq!(beside(&[]), format!("{known}{GAP}"));
    let second = beside(&[("site/bin/Other.dll", ASSEMBLY)]);
    assert_eq!(second.matches("flaw").count(), 1, "{second}");
    let texts = beside(&[("site/bin/fr/Core.resources.dll", ASSEMBLY)]);
    assert_eq!(texts.matches("flaw").count(), 1, "{texts}");
    let gaps = run(tree(&[("Core.dll", ASSEMBLY)]).path(), &Options::default()).gaps;
    let told: Vec<_> = gaps.iter().map(|(gap, path)| (gap.as_str(), path.as_str())).collect();
    assert_eq!(told, [("binary-without-metadata", ".")]);
}

#[test]
fn what_lists_the_packages_fills_the_gap() {
    let config = br#"<packages><package id="UmbracoCms" version="7.4"/></packages>"#;
    let found = beside(&[("site/packages.config", config)]);
    let package = "pkg:nuget/UmbracoCms@7.4 in site/packages.config\n";
    assert!(found.contains(package) && !found.contains("flaw"), "{found}");
    let nuspec = b"<package><metadata><id>A</id><version>1</version></metadata></package>";
    let package = write(&[Member::deflated("A.nuspec", nuspec)]);
    let sbom = br#"{"bomFormat":"CycloneDX","specVersion":"1.5",
        "components":[{"type":"library","name":"A","purl":"pkg:nuget/A@1"}]}"#;
    for (name, bytes) in [
        ("site/bin/App.deps.json", &br#"{"libraries":{}}"#[..]),
        ("App.deps.json", br#"{"libraries":{"App/1.0":{"type":"project"}}}"#),
        ("site/packages.lock.json", br#"{"dependencies":{}}"#),
        ("site/packages.config", b"<packages></packages>"),
        ("site/bin/bin.nupkg", &package),
        ("site/app.cdx.json", sbom),
    ] {
        let found = beside(&[(name, bytes)]);
        assert!(!found.contains("flaw"), "{name}: {found}");
    }
    let other = br#"{"bomFormat":"CycloneDX","specVersion":"1.5",
        "components":[{"type":"library","name":"A","purl":"pkg:npm/a@1"}]}"#;
    for (name, bytes) in [
        ("site/bin/A.nupkg", &package[..]),
        ("other/packages.config", b"<packages></packages>"),
        ("site/obj/App.deps.json", br#"{"libraries":{}}"#),
        ("site/app.cdx.json", other),
        ("site/bin/App.deps.json", b"{}"),
    ] {
        let found = beside(&[(name, bytes)]);
        assert!(found.contains(GAP), "{name}: {found}");
    }
}

/// A package of the system answers for what it installed, and for nothing else.
#[test]
fn assemblies_of_a_package_of_the_system_are_none() {
    let status = b"Package: mono\nStatus: install ok installed\nVersion: 6\n";
    let list = b"/usr/lib/mono/Core.dll\n";
    let system = [
        ("var/lib/dpkg/status", &status[..]),
        ("var/lib/dpkg/info/mono.list", list),
        ("usr/lib/mono/Core.dll", ASSEMBLY),
    ];
    let found = text(&run(tree(&system).path(), &Options::default()));
    assert!(found.contains("pkg:nuget/Newtonsoft.Json") && !found.contains("flaw"), "{found}");
    let found = beside(&system);
    assert!(found.contains(GAP) && found.matches("flaw").count() == 1, "{found}");
}
