//! Container images: OCI layouts and docker archives, with white-outs and replaced layers.
use std::path::{Path, PathBuf};

use super::builder::{Builder, Done, Truth, make_folder, read, write};
use super::containers::run;
use crate::process;

/// The layers of an image from bottom to top: path and content; no content is an empty file.
type Layer<'a> = &'a [(&'a str, Option<&'a str>)];

const JAR: &str = "opt/app/lib/log4j.jar";

/// Images that differ in their layers: name, what is special, truth, layers with the versions
/// `V` (vulnerable) and `S` (safe).
const LAYERS: [(&str, &str, Truth, &[Layer<'static>]); 7] = [
    ("plain", "one layer", Truth::Vulnerable, &[&[(JAR, Some("V"))]]),
    (
        "below",
        "an upper layer that touches nothing",
        Truth::Vulnerable,
        &[&[(JAR, Some("V"))], &[("etc/motd", None)]],
    ),
    (
        "whiteout",
        "the file is deleted",
        Truth::Safe,
        &[&[(JAR, Some("V"))], &[("opt/app/lib/.wh.log4j.jar", None)]],
    ),
    (
        "whiteout-folder",
        "its folder is deleted",
        Truth::Safe,
        &[&[(JAR, Some("V"))], &[("opt/.wh.app", None)]],
    ),
    (
        "opaque",
        "its folder is made opaque",
        Truth::Safe,
        &[
            &[(JAR, Some("V"))],
            &[("opt/app/lib/.wh..wh..opq", None), ("opt/app/lib/other.txt", None)],
        ],
    ),
    (
        "replaced",
        "replaced by a safe release",
        Truth::Safe,
        &[&[(JAR, Some("V"))], &[(JAR, Some("S"))]],
    ),
    (
        "returned",
        "deleted, and put back",
        Truth::Vulnerable,
        &[&[(JAR, Some("V"))], &[("opt/app/lib/.wh.log4j.jar", None)], &[(JAR, Some("V"))]],
    ),
];

pub(super) fn images(b: &mut Builder) -> Done {
    for (name, note, truth, layers) in LAYERS {
        for format in ["oci-dir", "oci-tar", "docker-archive"] {
            let name = format!("{name}-{format}");
            b.attempt(&name, |b| {
                let (bad, good) = (b.vulnerable_version(), b.safe_version());
                let scratch = b.scratch(&name)?;
                let files = stack(b, &scratch, layers, [&bad, &good])?;
                let version = if truth == Truth::Safe { &good } else { &bad };
                let folder = b.sample(truth, &name, version, note)?;
                image(&scratch, &folder, format, &files)
            });
        }
    }
    for name in ["zstd-layer-oci-dir", "legacy-docker-archive"] {
        b.attempt(name, |b| variant(b, name));
    }
    Ok(())
}

/// A layer packed otherwise, and the layout of old docker archives.
fn variant(b: &mut Builder, name: &str) -> Done {
    let version = b.vulnerable_version();
    let scratch = b.scratch(name)?;
    let layers: &[Layer<'_>] = &[&[(JAR, Some("V"))]];
    let files = stack(b, &scratch, layers, [&version, &version])?;
    let folder = b.sample(Truth::Vulnerable, name, &version, "one layer")?;
    if name.starts_with("zstd") {
        run(&scratch, "gzip -dc layer-0.tar.gz | zstd -q -o layer-0.tar.zst")?;
        return image(&scratch, &folder, "oci-dir", &[scratch.join("layer-0.tar.zst")]);
    }
    legacy(&scratch, &files)?;
    run(&scratch.join("old"), &format!("tar -cf {} *", folder.join("image.tar").display()))
}

/// Two layers, the upper one a link to the lower, as old programs wrote equal layers.
fn legacy(scratch: &Path, files: &[PathBuf]) -> Done {
    let old = scratch.join("old");
    let bottom = process::filter("gzip", &["-dc"], &read(&files[0])?)?;
    write(&old.join("aa/layer.tar"), &bottom)?;
    write(&old.join("aa/json"), b"{\"id\":\"aa\"}")?;
    make_folder(&old.join("bb"))?;
    run(&old, "ln -s ../aa/layer.tar bb/layer.tar")?;
    let manifest = "[{\"Config\":\"c.json\",\"RepoTags\":[\"app:1\"],\
        \"Layers\":[\"aa/layer.tar\",\"bb/layer.tar\"]}]";
    write(&old.join("manifest.json"), manifest.as_bytes())?;
    write(&old.join("c.json"), config(&[]).as_bytes())
}

/// Packs the layers of an image and says where they are.
fn stack(
    b: &Builder,
    scratch: &Path,
    layers: &[Layer<'_>],
    [bad, good]: [&str; 2],
) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let folder = scratch.join(format!("layer-{number}"));
        for (path, content) in *layer {
            let bytes = match content {
                Some("V") => b.jar(bad)?,
                Some(_) => b.jar(good)?,
                None => Vec::new(),
            };
            write(&folder.join(path), &bytes)?;
        }
        let script = "GZIP=-n tar --sort=name --mtime=@0 --owner=0 --group=0 -czf";
        run(scratch, &format!("{script} layer-{number}.tar.gz -C layer-{number} ."))?;
        files.push(scratch.join(format!("layer-{number}.tar.gz")));
    }
    Ok(files)
}

/// Writes the image of these layers into `folder`, in one of three formats.
fn image(scratch: &Path, folder: &Path, format: &str, layers: &[PathBuf]) -> Done {
    match format {
        "oci-dir" => layout(folder, layers),
        "oci-tar" => {
            let layout_folder = scratch.join("layout");
            layout(&layout_folder, layers)?;
            let out = folder.join("image.tar");
            run(&layout_folder, &format!("tar -cf {} *", out.display()))
        }
        _ => {
            let inside = scratch.join("docker");
            archive(&inside, layers)?;
            run(&inside, &format!("tar -cf {} *", folder.join("image.tar").display()))
        }
    }
}

/// An OCI layout.
fn layout(folder: &Path, layers: &[PathBuf]) -> Done {
    let mut descriptors = Vec::new();
    let mut unpacked = Vec::new();
    for layer in layers {
        let bytes = read(layer)?;
        let zstd = layer.extension().is_some_and(|extension| extension == "zst");
        let program = if zstd { "zstd" } else { "gzip" };
        unpacked.push(sha256(&process::filter(program, &["-dc"], &bytes)?)?);
        let kind = format!("layer.v1.tar+{program}");
        descriptors.push(blob(folder, &kind, &bytes)?);
    }
    let config = blob(folder, "config.v1+json", config(&unpacked).as_bytes())?;
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
        \"config\":{config},\"layers\":[{}]}}",
        descriptors.join(",")
    );
    let manifest = blob(folder, "manifest.v1+json", manifest.as_bytes())?;
    let index = format!("{{\"schemaVersion\":2,\"manifests\":[{manifest}]}}");
    write(&folder.join("index.json"), index.as_bytes())?;
    write(&folder.join("oci-layout"), b"{\"imageLayoutVersion\":\"1.0.0\"}")
}

/// The files of a docker archive.
fn archive(folder: &Path, layers: &[PathBuf]) -> Done {
    let mut names = Vec::new();
    let mut unpacked = Vec::new();
    for layer in layers {
        let bytes = process::filter("gzip", &["-dc"], &read(layer)?)?;
        let digest = sha256(&bytes)?;
        write(&folder.join(format!("{digest}.tar")), &bytes)?;
        names.push(format!("\"{digest}.tar\""));
        unpacked.push(digest);
    }
    write(&folder.join("config.json"), config(&unpacked).as_bytes())?;
    let manifest = format!(
        "[{{\"Config\":\"config.json\",\"RepoTags\":[\"app:1\"],\"Layers\":[{}]}}]",
        names.join(",")
    );
    write(&folder.join("manifest.json"), manifest.as_bytes())
}

/// The configuration of an image, with the digests of its unpacked layers.
fn config(layers: &[String]) -> String {
    let layers: Vec<_> = layers.iter().map(|digest| format!("\"sha256:{digest}\"")).collect();
    format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{}},\
        \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[{}]}}}}",
        layers.join(",")
    )
}

/// Writes a blob and gives its descriptor.
fn blob(folder: &Path, kind: &str, bytes: &[u8]) -> Result<String, String> {
    let digest = sha256(bytes)?;
    write(&folder.join("blobs/sha256").join(&digest), bytes)?;
    Ok(format!(
        "{{\"mediaType\":\"application/vnd.oci.image.{kind}\",\"digest\":\"sha256:{digest}\",\
        \"size\":{}}}",
        bytes.len()
    ))
}

/// SHA-256 in hexadecimal digits.
fn sha256(bytes: &[u8]) -> Result<String, String> {
    let line = process::filter("sha256sum", &[], bytes)?;
    Ok(String::from_utf8_lossy(&line).chars().take(64).collect())
}
