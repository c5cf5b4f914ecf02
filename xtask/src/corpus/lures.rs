//! What looks like Log4j and is not.
use super::builder::{Builder, Done, Truth, deflated, write};
use super::class;
use super::zip::{self, Member};

/// Text files: sample, file, content.
const TEXTS: [(&str, &str, &str); 12] = [
    ("text-as-jar", "log4j-core-2.14.1.jar", "this is no archive\n"),
    ("empty-as-jar", "log4j-core-2.14.1.jar", ""),
    ("text-as-class", "org/apache/logging/log4j/core/lookup/JndiLookup.class", "no class\n"),
    (
        "pom",
        "pom.xml",
        "<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId>\
        <artifactId>app</artifactId><version>1</version><dependencies><dependency>\
        <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId>\
        <version>2.14.1</version></dependency></dependencies></project>\n",
    ),
    (
        "gradle",
        "build.gradle",
        "dependencies { implementation 'org.apache.logging.log4j:log4j-core:2.14.1' }\n",
    ),
    ("configuration", "log4j2.xml", "<Configuration><Appenders/></Configuration>\n"),
    (
        "signatures",
        "rules/signatures.txt",
        "JndiLookup.class 84057480ba7da6fb6d9ea50c53a00848315833c1f34bf8f4a47f11a14499ae3f\n\
        org/apache/logging/log4j/core/lookup/JndiLookup.class log4j-core-2.14.1.jar\n",
    ),
    ("access-log", "access.log", "GET /?x=${jndi:ldap://127.0.0.1/a} HTTP/1.1 200\n"),
    ("readme", "README.md", "Replace log4j-core-2.14.1.jar by log4j-core-2.17.1.jar.\n"),
    ("listing", "files.lst", "lib/log4j-core-2.14.1.jar\nlib/log4j-api-2.14.1.jar\n"),
    (
        "npm-namesake",
        "node_modules/log4js/package.json",
        "{\"name\":\"log4js\",\"version\":\"2.0.0\"}\n",
    ),
    (
        "source",
        "src/JndiLookup.java",
        "package org.apache.logging.log4j.core.lookup;\npublic class JndiLookup {}\n",
    ),
];

pub(super) fn lures(b: &mut Builder) -> Done {
    for (name, file, content) in TEXTS {
        b.one(Truth::Safe, [name, file, "", "a text file"], content.as_bytes())?;
    }
    for (name, file, note, members) in likenesses(b)?.into_iter().chain(neighbours()?) {
        b.one(Truth::Safe, [name, file, "", note], &zip::archive(&members))?;
    }
    let version = b.material.newest_vulnerable();
    let folder = b.sample(Truth::Safe, "folder-as-jar", "", "a folder of this name")?;
    write(&folder.join(format!("log4j-core-{version}.jar/readme.txt")), b"a folder\n")
}

/// Archives: sample, file, what is special, members.
type Lure = (&'static str, &'static str, &'static str, Vec<Member>);

/// A class of one's own.
fn own(name: &str) -> Member {
    Member::stored(&format!("{name}.class"), &class::file(name, "mine"))
}

const LOOKUP: &str = "org/apache/logging/log4j/core/lookup/JndiLookup";

/// Archives that have something of the library, but not its code.
fn likenesses(b: &Builder) -> Result<Vec<Lure>, String> {
    let version = b.material.newest_vulnerable();
    let mut metadata = b.members(&version)?;
    metadata.retain(|m| m.text().starts_with("META-INF/") && !m.text().ends_with(".class"));
    let sources =
        b.members(&version)?.into_iter().filter(|m| m.text().ends_with(".class")).map(|m| {
            let text = format!("// {}\n", m.text());
            Member::stored(&m.text().replace(".class", ".java"), text.as_bytes())
        });
    Ok(vec![
        ("sources", "log4j-core-2.14.1-sources.jar", "sources", sources.collect()),
        (
            "javadoc",
            "log4j-core-2.14.1-javadoc.jar",
            "documentation",
            vec![
                Member::stored("index.html", b"<h1>log4j-core 2.14.1</h1>"),
                Member::stored(&format!("{LOOKUP}.html"), b"<h1>JndiLookup</h1>"),
            ],
        ),
        ("metadata-only", "app.jar", "metadata of the library without a class of it", {
            let mut members = metadata;
            members.push(own("com/example/App"));
            members
        }),
        (
            "own-simple-name",
            "app.jar",
            "a class of its own with the simple name",
            vec![own("com/example/lookup/JndiLookup"), own("com/example/net/JndiManager")],
        ),
        ("own-full-name", "app.jar", "an empty stand-in under the full name", vec![own(LOOKUP)]),
    ])
}

/// Archives that stand near the library or speak of it.
fn neighbours() -> Result<Vec<Lure>, String> {
    Ok(vec![
        (
            "bridge",
            "log4j-to-slf4j-2.14.1.jar",
            "the bridge away from the library",
            vec![pom("log4j-to-slf4j", "2.14.1"), own("org/apache/logging/slf4j/SLF4JLogger")],
        ),
        (
            "api",
            "log4j-api-2.14.1.jar",
            "the interface without the library",
            vec![pom("log4j-api", "2.14.1"), own("org/apache/logging/log4j/Logger")],
        ),
        (
            "old-log4j",
            "log4j-1.2.17.jar",
            "the library before version 2",
            vec![
                Member::stored(
                    "META-INF/maven/log4j/log4j/pom.properties",
                    b"version=1.2.17\ngroupId=log4j\nartifactId=log4j\n",
                ),
                own("org/apache/log4j/Logger"),
            ],
        ),
        (
            "class-path",
            "app.jar",
            "a manifest that names the library",
            vec![
                Member::stored(
                    "META-INF/MANIFEST.MF",
                    b"Manifest-Version: 1.0\nClass-Path: lib/log4j-core-2.14.1.jar\n",
                ),
                own("com/example/App"),
            ],
        ),
        (
            "list-in-jar",
            "scanner.jar",
            "another scanner's rules",
            vec![
                Member::stored("rules/log4j.txt", format!("{LOOKUP}.class\n").as_bytes()),
                own("com/example/Scanner"),
            ],
        ),
        (
            "text-in-jar",
            "app.jar",
            "a text under the name of the jar",
            vec![
                deflated("BOOT-INF/lib/log4j-core-2.14.1.jar", b"not an archive")?,
                own("com/example/App"),
            ],
        ),
        ("empty-jar", "log4j-core-2.14.1.jar", "an archive of this name without members", vec![]),
    ])
}

fn pom(artifact: &str, version: &str) -> Member {
    let group = "org.apache.logging.log4j";
    let name = format!("META-INF/maven/{group}/{artifact}/pom.properties");
    let text = format!("version={version}\ngroupId={group}\nartifactId={artifact}\n");
    Member::stored(&name, text.as_bytes())
}
