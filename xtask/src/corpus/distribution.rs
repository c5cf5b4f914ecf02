//! Releases that a package of a distribution owns, and trees with secrets in them.
use std::fs;

use super::builder::{Builder, Done, Truth, read, write};
use super::class;
use super::containers::run;
use super::zip::{self, Member};
use crate::process;

/// The Debian package with the library; its version in the current release is a safe one.
const DEBIAN: &str = "liblog4j2-java";

const STATUS: &str = "Package: liblog4j2-java\nStatus: install ok installed\nPriority: optional\n\
    Section: java\nArchitecture: all\nSource: apache-log4j2\nVersion: 2.11.1-2\n\
    Description: the library\n\n";
const APK: &str = "P:java-log4j\nV:2.13.3-r0\nA:noarch\nT:the library\nF:usr/share/java\n\
    R:log4j-core.jar\n\n";

pub(super) fn distribution(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let note = "dpkg owns the file";
    let folder = b.sample(Truth::Vulnerable, "dpkg-owned", &version, note)?;
    write(&folder.join("var/lib/dpkg/status"), STATUS.as_bytes())?;
    let list = b"/.\n/usr\n/usr/share\n/usr/share/java\n/usr/share/java/log4j-core.jar\n";
    write(&folder.join("var/lib/dpkg/info/liblog4j2-java.list"), list)?;
    write(&folder.join("etc/os-release"), b"ID=debian\nVERSION_ID=\"10\"\n")?;
    write(&folder.join("usr/share/java/log4j-core.jar"), &b.jar(&version)?)?;

    let version = b.vulnerable_version();
    let folder = b.sample(Truth::Vulnerable, "apk-owned", &version, "apk owns the file")?;
    write(&folder.join("lib/apk/db/installed"), APK.as_bytes())?;
    write(&folder.join("etc/os-release"), b"ID=alpine\nVERSION_ID=3.12.0\n")?;
    write(&folder.join("usr/share/java/log4j-core.jar"), &b.jar(&version)?)?;
    b.attempt("debian", debian);
    Ok(())
}

/// The package as Debian publishes it, closed and unpacked.
fn debian(b: &mut Builder) -> Done {
    let scratch = b.scratch("debian")?;
    process::output(&scratch, "apt-get", &["download", "-qq", DEBIAN])?;
    run(&scratch, "mv *.deb package.deb")?;
    let version =
        process::output(&scratch, "dpkg-deb", &["-f", "package.deb", "Version"])?.trim().to_owned();
    let bytes = read(&scratch.join("package.deb"))?;
    let note = "Debian's own, patched";
    b.one(Truth::Safe, ["debian-package", "liblog4j2-java.deb", &version, note], &bytes)?;
    let folder = b.sample(Truth::Safe, "debian-unpacked", &version, note)?;
    run(&scratch, &format!("dpkg-deb -x package.deb {}", folder.display()))?;
    let installed = STATUS.replace("2.11.1-2", &version);
    write(&folder.join("var/lib/dpkg/status"), installed.as_bytes())?;
    let list = process::output(&folder, "find", &["usr", "-printf", "/%p\\n"])?;
    write(&folder.join("var/lib/dpkg/info/liblog4j2-java.list"), list.as_bytes())
}

/// No report may hold this word.
pub(crate) const MARK: &str = "corpus-secret-7f3a";

/// Files with a secret: path, content around the mark.
const SECRETS: [(&str, &str); 14] = [
    (".env", "PASSWORD=@\n"),
    (".env.production", "TOKEN=@\n"),
    ("id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n@\n"),
    ("server.key", "@\n"),
    (".npmrc", "//registry/:_authToken=@\n"),
    (".pypirc", "password = @\n"),
    (".netrc", "machine h login l password @\n"),
    (".m2/settings.xml", "<settings><servers><password>@</password></servers></settings>\n"),
    (".git/config", "[remote \"o\"]\n\turl = https://u:@@example.org/r.git\n"),
    (".aws/credentials", "aws_secret_access_key = @\n"),
    (
        "package-lock.json",
        "{\"name\":\"a\",\"version\":\"1.0.0\",\"lockfileVersion\":2,\"packages\":\
        {\"\":{\"name\":\"a\"},\"node_modules/b\":{\"version\":\"1.0.0\",\
        \"resolved\":\"https://u:@@example.org/b.tgz\"}}}\n",
    ),
    ("requirements.txt", "b @ https://u:@@example.org/b-1.0.tar.gz\nc==1.0\n"),
    (
        "composer.lock",
        "{\"packages\":[{\"name\":\"a/b\",\"version\":\"1.0.0\",\
        \"source\":{\"url\":\"https://u:@@example.org/b\"}}]}\n",
    ),
    ("vendor/installed.json", "{\"token\":\"@\"}\n"),
];

pub(super) fn secrets(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let note = "secrets beside a release; none may be reported";
    let folder = b.sample(Truth::Vulnerable, "tree", &version, note)?;
    for (path, content) in SECRETS {
        // A URL has the mark between a colon and the sign in front of the host.
        let content = content.replace(":@@", &format!(":{MARK}\u{1}")).replace('@', MARK);
        write(&folder.join(path), content.replace('\u{1}', "@").as_bytes())?;
    }
    let manifest = format!("Manifest-Version: 1.0\nX-Token: {MARK}\nBuilt-By: {MARK}\n");
    let jar = zip::archive(&[
        Member::stored("META-INF/MANIFEST.MF", manifest.as_bytes()),
        Member::stored("a/Secret.class", &class::file("a/Secret", MARK)),
        Member::stored("application.properties", format!("password={MARK}\n").as_bytes()),
    ]);
    write(&folder.join("lib/app.jar"), &jar)?;
    write(&folder.join("lib/log4j-core.jar"), &b.jar(&version)?)?;
    let hidden = folder.join("keys.pem");
    fs::copy(b.material.path(&version)?, hidden).map(drop).map_err(|e| format!("copy: {e}"))
}
