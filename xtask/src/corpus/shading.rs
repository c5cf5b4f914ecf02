//! Log4j inside other people's archives: merged, relocated, renamed, minimised, obfuscated.
use std::path::Path;

use super::builder::{Builder, Done, Truth, deflated, read, write};
use super::class;
use super::zip::{self, Member};
use crate::process;

const JARJAR: &str = "/usr/share/java/jarjar.jar";
/// jarjar stands on ASM, whose jar Debian's does not always name.
const ASM: [&str; 4] = ["asm", "asm-commons", "asm-tree", "asm-util"];

/// Rewrites of a release by jarjar: sample, rules.
const RELOCATED: [(&str, &str); 5] = [
    ("relocated", "rule org.apache.logging.log4j.** com.example.shaded.log4j.@1"),
    ("relocated-deep", "rule org.apache.logging.log4j.core.** a.very.deep.place.of.its.own.@1"),
    (
        "short-packages",
        "rule org.apache.logging.log4j.core.*.* aa.@1.@2\n\
        rule org.apache.logging.log4j.** bb.@1",
    ),
    ("one-letter", "rule org.apache.logging.log4j.core.** a.@1"),
    ("repacked", "rule no.such.package.** other.@1"),
];

pub(super) fn shading(b: &mut Builder) -> Done {
    merged(b)?;
    for (name, rules) in RELOCATED {
        for vulnerable in [true, true, false] {
            b.attempt(name, |b| relocated(b, name, rules, vulnerable));
        }
    }
    b.attempt("relocated-with-pom", relocated_with_pom);
    b.attempt("relocated-in-war", relocated_in_war);
    for vulnerable in [true, false] {
        b.attempt("obfuscated", |b| obfuscated(b, vulnerable));
    }
    foreign_suffixes(b)?;
    minimised(b)
}

/// Whether a member is metadata that names the library.
fn names_the_library(member: &Member) -> bool {
    member.text().starts_with("META-INF/")
}

/// The classes of an application.
fn application() -> Vec<Member> {
    let names = (0..20).map(|number| format!("com/example/app/Part{number}"));
    names.map(|name| Member::stored(&format!("{name}.class"), &class::file(&name, &name))).collect()
}

/// Merged without a change of names, with and without the metadata.
fn merged(b: &mut Builder) -> Done {
    for (name, with_pom, truth) in [
        ("merged-with-pom", true, Truth::Vulnerable),
        ("merged", false, Truth::Vulnerable),
        ("safe-merged", false, Truth::Safe),
        ("safe-merged-with-pom", true, Truth::Safe),
    ] {
        let safe = truth == Truth::Safe;
        let version = if safe { b.safe_version() } else { b.vulnerable_version() };
        let mut members = b.members(&version)?;
        members.retain(|member| with_pom || !names_the_library(member));
        members.extend(application());
        let jar = zip::archive(&members);
        b.one(truth, [name, "app-all.jar", &version, "merged into an application"], &jar)?;
    }
    Ok(())
}

/// Runs jarjar over a jar.
fn rewrite(b: &Builder, name: &str, rules: &str, jar: &[u8]) -> Result<Vec<u8>, String> {
    let scratch = b.scratch(name)?;
    let mut members = zip::read(jar)?;
    // jarjar is older than modules and than releases for several versions of Java.
    members.retain(|member| {
        let name = member.text();
        !name.starts_with("META-INF/versions/") && !name.ends_with("module-info.class")
    });
    write(&scratch.join("rules"), rules.as_bytes())?;
    write(&scratch.join("in.jar"), &zip::archive(&members))?;
    jarjar(&scratch, "rules", "in.jar", "out.jar")?;
    read(&scratch.join("out.jar"))
}

/// Runs jarjar in a folder.
///
/// # Errors
/// When it is not installed or fails.
pub(crate) fn jarjar(folder: &Path, rules: &str, from: &str, to: &str) -> Done {
    if !Path::new(JARJAR).is_file() {
        return Err("jarjar is missing: apt-get install libjarjar-java".into());
    }
    let asm = ASM.map(|name| format!("/usr/share/java/{name}.jar"));
    let class_path = format!("{JARJAR}:{}", asm.join(":"));
    let main = "com.tonicsystems.jarjar.Main";
    let arguments = ["-cp", &class_path, main, "process", rules, from, to];
    process::output(folder, "java", &arguments).map(drop)
}

/// Relocated without metadata, merged into an application.
fn relocated(b: &mut Builder, name: &str, rules: &str, vulnerable: bool) -> Done {
    let version = if vulnerable { b.vulnerable_version() } else { b.safe_version() };
    let (truth, prefix) = if vulnerable { (Truth::Vulnerable, "") } else { (Truth::Safe, "safe-") };
    let name = format!("{prefix}{name}-{version}");
    let mut members = b.members(&version)?;
    members.retain(|member| !names_the_library(member));
    let jar = rewrite(b, &name, rules, &zip::archive(&members))?;
    let mut members = zip::read(&jar)?;
    members.extend(application());
    let jar = zip::archive(&members);
    b.one(truth, [&name, "app-all.jar", &version, "rewritten by jarjar, no metadata"], &jar)
}

/// Relocated, with one class taken out.
pub(super) fn relocated_without(b: &mut Builder, class: &str) -> Done {
    let version = b.vulnerable_version();
    let mut members = b.members(&version)?;
    members.retain(|member| !names_the_library(member) && member.text() != class);
    let jar = rewrite(b, "without", RELOCATED[0].1, &zip::archive(&members))?;
    let note = "the class is taken out of a relocated copy";
    b.one(Truth::Mitigated, ["removed-relocated", "app-all.jar", &version, note], &jar)
}

fn relocated_with_pom(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let jar = rewrite(b, "with-pom", RELOCATED[0].1, &b.jar(&version)?)?;
    let name = "relocated-with-pom";
    b.one(Truth::Vulnerable, [name, "app-all.jar", &version, "metadata kept"], &jar)
}

fn relocated_in_war(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let mut members = b.members(&version)?;
    members.retain(|member| !names_the_library(member));
    let jar = rewrite(b, "in-war", RELOCATED[0].1, &zip::archive(&members))?;
    let war = zip::archive(&[deflated("WEB-INF/lib/agent.jar", &jar)?]);
    let name = "relocated-in-war";
    b.one(Truth::Vulnerable, [name, "app.war", &version, "a shaded jar in a war"], &war)
}

/// Names of classes, members and packages taken away by ProGuard; code left as it is.
fn obfuscated(b: &mut Builder, vulnerable: bool) -> Done {
    let version = if vulnerable { b.vulnerable_version() } else { b.safe_version() };
    let (truth, name) = if vulnerable {
        (Truth::Vulnerable, "obfuscated")
    } else {
        (Truth::Safe, "safe-obfuscated")
    };
    let scratch = b.scratch(name)?;
    let mut members = b.members(&version)?;
    members.retain(|member| member.text().ends_with(".class"));
    write(&scratch.join("in.jar"), &zip::archive(&members))?;
    let options = "-injars in.jar\n-outjars out.jar\n-dontshrink\n-dontoptimize\n-dontwarn\n\
        -dontnote\n-ignorewarnings\n-dontpreverify\n-repackageclasses x\n\
        -keep class no.such.Class\n";
    write(&scratch.join("options.pro"), options.as_bytes())?;
    process::output(&scratch, "proguard", &["@options.pro"])?;
    let jar = read(&scratch.join("out.jar"))?;
    b.one(truth, [name, "app.jar", &version, "names taken away by ProGuard"], &jar)
}

/// Classes under the suffixes that agents use to hide them from class loaders.
fn foreign_suffixes(b: &mut Builder) -> Done {
    for (suffix, truth) in [
        (".esclazz", Truth::Vulnerable),
        (".classdata", Truth::Vulnerable),
        ("", Truth::Vulnerable),
        (".esclazz", Truth::Safe),
        (".classdata", Truth::Safe),
    ] {
        let safe = truth == Truth::Safe;
        let version = if safe { b.safe_version() } else { b.vulnerable_version() };
        let mut members = Vec::new();
        for member in b.members(&version)? {
            if let Some(stem) = member.text().strip_suffix(".class") {
                members.push(member.renamed(&format!("inst/{stem}{suffix}")));
            }
        }
        let prefix = if safe { "safe-" } else { "" };
        let shown = if suffix.is_empty() { "no-suffix" } else { &suffix[1..] };
        let note = "classes under another suffix";
        let name = format!("{prefix}{shown}");
        b.one(truth, [&name, "agent.jar", &version, note], &zip::archive(&members))?;
    }
    let version = b.vulnerable_version();
    let mut members = Vec::new();
    for member in b.members(&version)?.into_iter().filter(|member| !names_the_library(member)) {
        members.push(member.renamed(&format!("inst/{}data", member.text())));
    }
    let outer = zip::archive(&[Member::stored("lib/agent.jar", &zip::archive(&members))]);
    let note = "an agent in an application";
    b.one(Truth::Vulnerable, ["nested-classdata", "app.jar", &version, note], &outer)
}

/// Only some classes of the library.
fn minimised(b: &mut Builder) -> Done {
    let parts: [(&str, &[&str]); 3] = [
        ("minimised", &["core/lookup/", "core/net/", "core/appender/", "core/util/"]),
        ("two-classes", &["core/lookup/JndiLookup.class", "core/net/JndiManager.class"]),
        ("lookups", &["core/lookup/"]),
    ];
    for (name, kept) in parts {
        for truth in [Truth::Vulnerable, Truth::Safe] {
            let safe = truth == Truth::Safe;
            // Releases before 2.1 have no manager to keep.
            let version =
                if safe { b.material.newest_safe() } else { b.material.newest_vulnerable() };
            let mut members = b.members(&version)?;
            members.retain(|member| kept.iter().any(|part| member.text().contains(part)));
            members.extend(application());
            let prefix = if safe { "safe-" } else { "" };
            let jar = zip::archive(&members);
            let note = "only some classes are left";
            b.one(truth, [&format!("{prefix}{name}"), "app.jar", &version, note], &jar)?;
        }
    }
    Ok(())
}
