//! The class of the flaw taken out or renamed, and archives that were unpacked.
use std::fs;

use super::builder::{Builder, Done, Truth, deflated, make_folder, write};
use super::containers::run;
use super::shading;
use super::zip::{self, Member};

const LOOKUP: &str = "org/apache/logging/log4j/core/lookup/JndiLookup.class";

/// The members of a release without the class of the flaw.
fn without_lookup(b: &Builder, version: &str) -> Result<Vec<Member>, String> {
    let mut members = b.members(version)?;
    members.retain(|member| member.text() != LOOKUP);
    Ok(members)
}

/// The members of a release with the class of the flaw under another name.
fn renamed_lookup(b: &Builder, version: &str, name: &str) -> Result<Vec<Member>, String> {
    let rename = |member: Member| {
        if member.text() == LOOKUP {
            member.renamed(&LOOKUP.replace("JndiLookup.class", name))
        } else {
            member
        }
    };
    Ok(b.members(version)?.into_iter().map(rename).collect())
}

pub(super) fn mitigation(b: &mut Builder) -> Done {
    let note = "the class is taken out";
    for _ in 0..4 {
        let version = b.vulnerable_version();
        let jar = zip::archive(&without_lookup(b, &version)?);
        let name = format!("removed-{version}");
        b.one(Truth::Mitigated, [&name, "log4j-core.jar", &version, note], &jar)?;
    }
    for (name, other) in
        [("renamed", "JndiLookup.vulnerable"), ("renamed-twin", "XndiLookup.class")]
    {
        let version = b.vulnerable_version();
        let jar = zip::archive(&renamed_lookup(b, &version, other)?);
        let note = "the class is renamed in place";
        b.one(Truth::Mitigated, [name, "log4j-core.jar", &version, note], &jar)?;
    }
    nested(b)?;
    let version = b.vulnerable_version();
    let folder = b.sample(Truth::Mitigated, "removed-exploded", &version, note)?;
    b.unpack(&version, &folder.join("classes"))?;
    fs::remove_file(folder.join("classes").join(LOOKUP)).map_err(|e| format!("remove it: {e}"))?;
    b.attempt("removed-relocated", |b| shading::relocated_without(b, LOOKUP));
    one_of_two(b)
}

/// Mitigated releases within something else.
fn nested(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let jar = zip::archive(&without_lookup(b, &version)?);
    let note = "the class is taken out, in a war";
    let war = zip::archive(&[deflated("WEB-INF/lib/log4j-core.jar", &jar)?]);
    b.one(Truth::Mitigated, ["removed-in-war", "app.war", &version, note], &war)?;
    let version = b.vulnerable_version();
    let scratch = b.scratch("tar")?;
    let jar = zip::archive(&without_lookup(b, &version)?);
    write(&scratch.join("in/log4j-core.jar"), &jar)?;
    run(&scratch, "tar -czf out -C in .")?;
    let bytes = super::builder::read(&scratch.join("out"))?;
    let note = "the class is taken out, in a tar";
    b.one(Truth::Mitigated, ["removed-in-tar", "app.tgz", &version, note], &bytes)
}

/// One copy is mitigated and the other is not: vulnerable.
fn one_of_two(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let folder = b.sample(Truth::Vulnerable, "one-of-two", &version, "the other copy is whole")?;
    write(&folder.join("a/log4j-core.jar"), &zip::archive(&without_lookup(b, &version)?))?;
    write(&folder.join("b/log4j-core.jar"), &b.jar(&version)?)?;
    let version = b.vulnerable_version();
    let mitigated = zip::archive(&without_lookup(b, &version)?);
    let war = zip::archive(&[
        Member::stored("WEB-INF/lib/a.jar", &mitigated),
        Member::stored("WEB-INF/lib/b.jar", &b.jar(&version)?),
    ]);
    let note = "the other copy in the war is whole";
    b.one(Truth::Vulnerable, ["one-of-two-in-war", "app.war", &version, note], &war)
}

/// Releases that were unpacked into folders.
pub(super) fn exploded(b: &mut Builder) -> Done {
    for (name, place, with_metadata) in [
        ("with-metadata", "app", true),
        ("classes-only", "app", false),
        ("web-application", "webapps/app/WEB-INF/classes", true),
        ("web-classes-only", "webapps/app/WEB-INF/classes", false),
        ("deep", "a/b/c/d/e/f/g/h/classes", false),
        ("target", "project/target/classes", false),
    ] {
        for truth in [Truth::Vulnerable, Truth::Safe] {
            let safe = truth == Truth::Safe;
            if safe && name.starts_with("web") {
                continue;
            }
            let version = if safe { b.safe_version() } else { b.vulnerable_version() };
            let prefix = if safe { "safe-" } else { "" };
            let note = "unpacked into folders";
            let folder = b.sample(truth, &format!("{prefix}{name}"), &version, note)?;
            let place = folder.join(place);
            b.unpack(&version, &place)?;
            if !with_metadata {
                run(&place, "rm -rf META-INF")?;
            }
        }
    }
    scattered(b)
}

/// Only the two classes of the flaw, among an application's own.
fn scattered(b: &mut Builder) -> Done {
    let version = b.material.newest_vulnerable();
    let folder = b.sample(Truth::Vulnerable, "scattered", &version, "two classes in a folder")?;
    let scratch = b.scratch("scattered")?;
    b.unpack(&version, &scratch)?;
    make_folder(&folder.join("classes"))?;
    let script = format!(
        "cp --parents org/apache/logging/log4j/core/lookup/JndiLookup.class \
        org/apache/logging/log4j/core/net/JndiManager*.class {}",
        folder.join("classes").display()
    );
    run(&scratch, &script)
}
