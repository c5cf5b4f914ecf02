//! Everything that is no zip: streams, tar, packages of distributions, disk and boot images.
use std::fs;
use std::path::Path;

use super::builder::{Builder, Done, Truth, make_folder, read, write};
use super::zip::{self, Member};
use crate::process;

/// A container: sample, file, shell script that makes the file `out` of the folder `in`, which
/// holds `opt/app/lib/log4j.jar`.
const SCRIPTS: [(&str, &str, &str); 41] = [
    ("tar", "a.tar", "tar -cf out -C in ."),
    ("tar-gz", "a.tgz", "tar -czf out -C in ."),
    ("tar-bz2", "a.tar.bz2", "tar -cjf out -C in ."),
    ("tar-xz", "a.tar.xz", "tar -cJf out -C in ."),
    ("tar-zst", "a.tar.zst", "tar --zstd -cf out -C in ."),
    ("tar-lz4", "a.tar.lz4", "tar -cf - -C in . | lz4 -q - out"),
    (
        "tar-gnu-long",
        "a.tar",
        "n=$(printf 'd%.0s' $(seq 150)); mkdir -p in/$n/$n; \
        mv in/opt in/$n/$n; tar --format=gnu -cf out -C in .",
    ),
    (
        "tar-pax",
        "a.tar",
        "n=$(printf 'é%.0s' $(seq 60)); mkdir -p in/$n/$n; \
        mv in/opt in/$n/$n; tar --format=posix -cf out -C in .",
    ),
    ("jar-gz", "log4j.jar.gz", "gzip -nc in/opt/app/lib/log4j.jar > out"),
    ("jar-bz2", "log4j.jar.bz2", "bzip2 -c in/opt/app/lib/log4j.jar > out"),
    ("jar-xz", "log4j.jar.xz", "xz -c in/opt/app/lib/log4j.jar > out"),
    ("jar-zst", "log4j.jar.zst", "zstd -qc in/opt/app/lib/log4j.jar > out"),
    ("7z", "a.7z", "cd in && 7z a -bd -bso0 ../out.7z . && mv ../out.7z ../out"),
    ("squashfs", "a.squashfs", "mksquashfs in out -no-progress -quiet -no-xattrs"),
    ("snap", "a.snap", "mksquashfs in out -no-progress -quiet -no-xattrs -comp xz"),
    ("squashfs-zstd", "a.img", "mksquashfs in out -no-progress -quiet -no-xattrs -comp zstd"),
    ("iso", "a.iso", "genisoimage -quiet -R -J -o out in"),
    ("iso-plain", "plain.bin", "genisoimage -quiet -o out in"),
    ("cpio", "a.cpio", "cd in && find . | cpio -oH newc --quiet > ../out"),
    ("initramfs", "initrd.img", "cd in && find . | cpio -oH newc --quiet | gzip -n > ../out"),
    ("deb-xz", "a.deb", DEB_XZ),
    (
        "deb-zst",
        "b.deb",
        "mkdir in/DEBIAN && printf \"$control\" > in/DEBIAN/control && \
        dpkg-deb -Zzstd --root-owner-group -b in out >/dev/null",
    ),
    (
        "deb-gz",
        "c.udeb",
        "mkdir in/DEBIAN && printf \"$control\" > in/DEBIAN/control && \
        dpkg-deb -Zgzip --root-owner-group -b in out >/dev/null",
    ),
    ("gem", "a.gem", "tar -czf data.tar.gz -C in . && tar -cf out data.tar.gz"),
    (
        "tar-in-zip-in-7z",
        "a.7z",
        "tar -cJf t.tar.xz -C in . && 7z a -bd -bso0 -tzip z.zip t.tar.xz && \
        7z a -bd -bso0 out.7z z.zip && mv out.7z out",
    ),
    ("iso-in-tar", "a.tar.gz", "genisoimage -quiet -R -o i.iso in && tar -czf out i.iso"),
    (
        "deb-in-iso",
        "a.iso",
        "mkdir in/DEBIAN && printf \"$control\" > in/DEBIAN/control && mkdir i && \
        dpkg-deb -Zxz --root-owner-group -b in i/app.deb >/dev/null && \
        genisoimage -quiet -J -o out i",
    ),
    (
        "snap-in-deb",
        "a.deb",
        "mkdir -p d/DEBIAN d/snap && printf \"$control\" > d/DEBIAN/control && \
        mksquashfs in d/snap/a.snap -no-progress -quiet -no-xattrs && \
        dpkg-deb -Zxz --root-owner-group -b d out >/dev/null",
    ),
    ("cpio-in-zst", "a.zst", "(cd in && find . | cpio -oH newc --quiet) | zstd -qo out"),
    ("cpio-odc", "a.cpio", "cd in && find . | cpio -oH odc --quiet > ../out"),
    (
        "appimage",
        "a.AppImage",
        "mksquashfs in s -no-progress -quiet -no-xattrs && \
        (head -c 65536 /bin/true; cat s) > out",
    ),
    ("squashfs-lz4", "a.sqfs", "mksquashfs in out -no-progress -quiet -no-xattrs -comp lz4"),
    ("squashfs-plain", "b.sqfs", "mksquashfs in out -no-progress -quiet -no-xattrs -noI -noD -noF"),
    ("7z-bzip2", "a.7z", "cd in && 7z a -bd -bso0 -m0=BZip2 ../out.7z . && mv ../out.7z ../out"),
    ("7z-ppmd", "b.7z", "cd in && 7z a -bd -bso0 -m0=PPMd ../out.7z . && mv ../out.7z ../out"),
    ("7z-copy", "c.7z", "cd in && 7z a -bd -bso0 -m0=Copy ../out.7z . && mv ../out.7z ../out"),
    ("7z-lzma", "d.7z", "cd in && 7z a -bd -bso0 -m0=LZMA ../out.7z . && mv ../out.7z ../out"),
    ("tar-v7", "a.tar", "tar --format=v7 -cf out -C in ."),
    (
        "gz-members",
        "log4j.jar.gz",
        "split -b 300000 in/opt/app/lib/log4j.jar p. && \
        for part in p.*; do gzip -nc $part; done > out",
    ),
    (
        "deb-plain",
        "d.deb",
        "mkdir in/DEBIAN && printf \"$control\" > in/DEBIAN/control && \
        dpkg-deb -Znone --root-owner-group -b in out >/dev/null",
    ),
    ("iso-joliet", "j.iso", "genisoimage -quiet -J -o out in"),
];

const DEB_XZ: &str = "mkdir in/DEBIAN && printf \"$control\" > in/DEBIAN/control && \
    dpkg-deb -Zxz --root-owner-group -b in out >/dev/null";

/// A package's control file, as a shell variable.
const CONTROL: &str = "control='Package: app\\nVersion: 1.0\\nArchitecture: all\\n\
    Maintainer: A <a@example.org>\\nDescription: an application\\n'; ";

/// Containers that are made of a safe release as well.
const SAFE_TOO: [&str; 8] =
    ["tar-gz", "tar-xz", "jar-gz", "7z", "squashfs", "iso", "cpio", "deb-xz"];

pub(super) fn containers(b: &mut Builder) -> Done {
    for (name, file, script) in SCRIPTS {
        b.attempt(name, |b| packed(b, (name, file), script, Truth::Vulnerable));
        if SAFE_TOO.contains(&name) {
            b.attempt(name, |b| packed(b, (name, file), script, Truth::Safe));
        }
    }
    for (name, payload) in [("rpm", "w9.gzdio"), ("rpm-zst", "w3.zstdio"), ("rpm-xz", "w2.xzdio")] {
        b.attempt(name, |b| rpm(b, name, payload));
    }
    zips(b)
}

/// Containers that are zip archives with a layout of their own.
fn zips(b: &mut Builder) -> Done {
    for (name, file, inner) in [
        ("whl", "app-1.0-py3-none-any.whl", "app/jars/log4j.jar"),
        ("nupkg", "app.1.0.nupkg", "tools/log4j.jar"),
    ] {
        let version = b.vulnerable_version();
        let members = [
            Member::stored("app-1.0.dist-info/METADATA", b"Name: app\nVersion: 1.0\n"),
            Member::stored(inner, &b.jar(&version)?),
        ];
        let bytes = zip::archive(&members);
        b.one(Truth::Vulnerable, [name, file, &version, "a package with a jar"], &bytes)?;
    }
    Ok(())
}

/// A container made by a script.
fn packed(b: &mut Builder, (name, file): (&str, &str), script: &str, truth: Truth) -> Done {
    let (prefix, version) = match truth {
        Truth::Safe => ("safe-", b.safe_version()),
        _ => ("", b.vulnerable_version()),
    };
    let name = format!("{prefix}{name}");
    let scratch = b.scratch(&name)?;
    write(&scratch.join("in/opt/app/lib/log4j.jar"), &b.jar(&version)?)?;
    write(&scratch.join("in/opt/app/README"), b"an application\n")?;
    run(&scratch, &format!("{CONTROL}{script}"))?;
    let bytes = read(&scratch.join("out"))?;
    b.one(truth, [&name, file, &version, "the release below opt/app/lib"], &bytes)
}

/// Runs a script of `sh` that ends at its first error.
pub(super) fn run(folder: &Path, script: &str) -> Done {
    let script = format!("set -eu; {script}");
    process::output(folder, "bash", &["-c", &script]).map(drop)
}

/// A package of the other kind of distributions.
fn rpm(b: &mut Builder, name: &str, payload: &str) -> Done {
    let version = b.vulnerable_version();
    let scratch = b.scratch(name)?;
    write(&scratch.join("log4j.jar"), &b.jar(&version)?)?;
    let spec = format!(
        "Name: app\nVersion: 1.0\nRelease: 1\nSummary: an application\nLicense: none\n\
        BuildArch: noarch\n%define _binary_payload {payload}\n%description\nAn application.\n\
        %install\nmkdir -p %{{buildroot}}/opt/app/lib\n\
        cp {}/log4j.jar %{{buildroot}}/opt/app/lib/\n%files\n/opt/app/lib/log4j.jar\n",
        scratch.display()
    );
    write(&scratch.join("app.spec"), spec.as_bytes())?;
    let top = format!("_topdir {}", scratch.join("top").display());
    make_folder(&scratch.join("top"))?;
    let arguments = ["-bb", "--quiet", "--nodeps", "--define", &top, "app.spec"];
    process::output(&scratch, "rpmbuild", &arguments)?;
    let bytes = read(&scratch.join("top/RPMS/noarch/app-1.0-1.noarch.rpm"))?;
    fs::remove_dir_all(&scratch).map_err(|e| format!("empty {}: {e}", scratch.display()))?;
    b.one(Truth::Vulnerable, [name, "app.rpm", &version, payload], &bytes)
}
