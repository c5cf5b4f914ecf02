//! Images of the local store of Docker or Podman, as the folders of its overlay file system.
//! Nothing is ever pulled.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use relight_model::Digest;
use serde_json::Value;

use crate::digest;

/// Bytes of one document of a store.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// Layers of one image; the overlay file system takes 500.
const LAYERS_MAX: usize = 1_024;

/// Where engines keep their images, when root runs them.
pub(crate) const STORES: [&str; 2] = ["/var/lib/docker", "/var/lib/containers/storage"];

/// One layer: its folder, and the digest of its bytes unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) digest: Option<Digest>,
}

/// An image of a store that a reference may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fit {
    name: String,
    id: String,
    /// It is called so, and not only behind the name of a registry.
    is_exact: bool,
    engine: Engine,
    store: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Docker,
    /// Buildah and CRI-O keep theirs in the same way.
    Podman,
}

/// The layers of an image, from the bottom.
///
/// # Errors
/// No store has the image, one that has it cannot be understood, or several are meant.
pub(crate) fn find(stores: &[PathBuf], reference: &str) -> io::Result<Vec<Folder>> {
    let names = [reference.to_owned(), with_tag(reference)];
    let mut fits: Vec<Fit> = Vec::new();
    for store in stores {
        fits.extend(of_docker(store, &names).unwrap_or_default());
        fits.extend(of_podman(store, &names).unwrap_or_default());
    }
    // Without a registry it is a whole name for Docker alone, which says nothing about Podman's.
    let exact: Vec<Engine> = fits.iter().filter(|fit| fit.is_exact).map(|fit| fit.engine).collect();
    let has_exact = |fit: &Fit| match has_registry(reference) {
        true => !exact.is_empty(),
        false => exact.contains(&fit.engine),
    };
    fits.retain(|fit| fit.is_exact || !has_exact(fit));
    if fits.iter().any(|fit| fit.id != fits[0].id) {
        let mut several: Vec<String> =
            fits.iter().map(|fit| format!("{} ({})", fit.name, fit.id)).collect();
        several.sort_unstable();
        several.dedup();
        let several = several.join(", ");
        let message = format!("several images are meant; name one of them in full: {several}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let found = fits.iter().find_map(|fit| match fit.engine {
        Engine::Docker => docker(&fit.store, &fit.id),
        Engine::Podman => podman(&fit.store, &fit.id),
    });
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no local store has this image"))
}

/// The images of Docker that are called so, or have this digest.
fn of_docker(store: &Path, names: &[String; 2]) -> Option<Vec<Fit>> {
    let repositories = document(&store.join("image/overlay2/repositories.json"))?;
    let fit = |name: &str, id: &str| {
        let id = Digest::parse(id.trim_start_matches("sha256:"))?.to_string();
        let (engine, store) = (Engine::Docker, store.to_owned());
        Some(Fit { name: name.to_owned(), id, is_exact: true, engine, store })
    };
    let known = repositories["Repositories"].as_object()?.values();
    let known = known.filter_map(Value::as_object).flatten();
    let by_name = known.filter_map(|(own, id)| {
        let full = in_full(own);
        (names.contains(own) || names.contains(&full)).then(|| fit(&full, id.as_str()?))?
    });
    let mut fits: Vec<Fit> = by_name.collect();
    if fits.is_empty() {
        fits.extend(fit(&names[0], &names[0]));
    }
    Some(fits)
}

/// `image/overlay2` of Docker: configurations and the chain of each layer.
fn docker(store: &Path, id: &str) -> Option<Vec<Folder>> {
    let images = store.join("image/overlay2");
    let config = document(&images.join(format!("imagedb/content/sha256/{id}")))?;
    let mut chain: Option<Digest> = None;
    let mut folders = Vec::new();
    for text in config["rootfs"]["diff_ids"].as_array()?.iter().take(LAYERS_MAX) {
        let diff = Digest::parse(text.as_str()?.strip_prefix("sha256:")?)?;
        // The chain of the image specification: each layer with all below it.
        let next = match chain {
            None => diff,
            Some(below) => digest::of_bytes(format!("sha256:{below} sha256:{diff}").as_bytes()),
        };
        let cache_id = text_of(&images.join(format!("layerdb/sha256/{next}/cache-id")))?;
        let path = store.join("overlay2").join(one_name(cache_id.trim())?).join("diff");
        folders.push(Folder { path, digest: Some(diff) });
        chain = Some(next);
    }
    Some(folders)
}

/// The images of Podman, Buildah and CRI-O that are called so, in any registry, or have this id.
fn of_podman(store: &Path, names: &[String; 2]) -> Option<Vec<Fit>> {
    let images = document(&store.join("overlay-images/images.json"))?;
    let mut fits = Vec::new();
    for image in images.as_array()? {
        let Some(id) = image["id"].as_str() else { continue };
        let own = image["names"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for own in own.chain([id]) {
            let ends =
                |it: &String| own.strip_suffix(it.as_str()).is_some_and(|rest| rest.ends_with('/'));
            let is_exact = names.iter().any(|it| own == it);
            if is_exact || names.iter().any(ends) {
                let (name, id, engine) = (own.to_owned(), id.to_owned(), Engine::Podman);
                fits.push(Fit { name, id, is_exact, engine, store: store.to_owned() });
            }
        }
    }
    Some(fits)
}

/// `overlay-images` and `overlay-layers` of Podman, Buildah and CRI-O.
fn podman(store: &Path, id: &str) -> Option<Vec<Folder>> {
    let images = document(&store.join("overlay-images/images.json"))?;
    let image = images.as_array()?.iter().find(|image| image["id"] == id)?;
    let mut layer = image["layer"].as_str()?.to_owned();
    let layers = document(&store.join("overlay-layers/layers.json"))?;
    let layers = layers.as_array()?;
    let mut folders = Vec::new();
    while folders.len() < LAYERS_MAX {
        let row = layers.iter().find(|row| row["id"] == layer.as_str())?;
        let diff = row["diff-digest"].as_str().and_then(|text| text.strip_prefix("sha256:"));
        let path = store.join("overlay").join(one_name(&layer)?).join("diff");
        folders.push(Folder { path, digest: diff.and_then(Digest::parse) });
        match row["parent"].as_str().filter(|parent| !parent.is_empty()) {
            Some(parent) => parent.clone_into(&mut layer),
            None => break,
        }
    }
    folders.reverse();
    Some(folders)
}

/// A name without a tag means `latest`.
fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") }
}

/// Whether a name starts with that of a registry.
fn has_registry(name: &str) -> bool {
    let first = name.split_once('/').map(|(first, _)| first);
    first.is_some_and(|first| first == "localhost" || first.contains(['.', ':']))
}

/// A name of Docker with its registry, which Docker leaves away where it is its own.
fn in_full(name: &str) -> String {
    match name.contains('/') {
        _ if has_registry(name) => name.to_owned(),
        true => format!("docker.io/{name}"),
        false => format!("docker.io/library/{name}"),
    }
}

/// A name that does not lead elsewhere.
fn one_name(name: &str) -> Option<&str> {
    let is_one = !name.is_empty() && !name.contains('/') && !matches!(name, "." | "..");
    is_one.then_some(name)
}

fn text_of(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(DOCUMENT_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

fn document(path: &Path) -> Option<Value> {
    serde_json::from_str(&text_of(path)?).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(store: &Path, name: &str, text: &str) {
        let path = store.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn hex(digit: &str) -> String {
        digit.repeat(64)
    }

    #[test]
    fn an_image_of_docker_by_name_and_by_id() {
        let place = tempfile::tempdir().unwrap();
        let store = place.path();
        let id = hex("a");
        write(
            store,
            "image/overlay2/repositories.json",
            &format!("{{\"Repositories\":{{\"app\":{{\"app:latest\":\"sha256:{id}\"}}}}}}"),
        );
        let config = format!(
            "{{\"rootfs\":{{\"diff_ids\":[\"sha256:{}\",\"sha256:{}\"]}}}}",
            hex("1"),
            hex("2")
        );
        write(store, &format!("image/overlay2/imagedb/content/sha256/{id}"), &config);
        let chain = digest::of_bytes(format!("sha256:{} sha256:{}", hex("1"), hex("2")).as_bytes());
        let layers = "image/overlay2/layerdb/sha256";
        write(store, &format!("{layers}/{}/cache-id", hex("1")), "below");
        write(store, &format!("{layers}/{chain}/cache-id"), "above\n");
        let expected =
            ["below", "above"].map(|name| store.join("overlay2").join(name).join("diff"));
        for reference in ["app", "app:latest", id.as_str(), &format!("sha256:{id}")] {
            let found = find(&[store.to_owned()], reference).unwrap();
            let paths: Vec<_> = found.iter().map(|folder| folder.path.clone()).collect();
            assert_eq!(paths, expected, "{reference}");
            assert_eq!(found[1].digest, Digest::parse(&hex("2")));
        }
        assert!(find(&[store.to_owned()], "other").is_err());
        write(store, &format!("{layers}/{chain}/cache-id"), "../../etc");
        assert!(find(&[store.to_owned()], "app").is_err(), "a name that leads out of the store");
    }

    #[test]
    fn an_image_of_podman() {
        let place = tempfile::tempdir().unwrap();
        let store = place.path();
        write(
            store,
            "overlay-images/images.json",
            r#"[{"id":"i","names":["localhost/team/app:1"],"layer":"top"}]"#,
        );
        write(
            store,
            "overlay-layers/layers.json",
            &format!(
                "[{{\"id\":\"top\",\"parent\":\"base\"}},\
                 {{\"id\":\"base\",\"diff-digest\":\"sha256:{}\"}}]",
                hex("3")
            ),
        );
        for reference in ["localhost/team/app:1", "team/app:1", "app:1", "i"] {
            let found = find(&[store.to_owned()], reference).unwrap();
            let names: Vec<_> = found.iter().map(|folder| folder.path.clone()).collect();
            let at = |name: &str| store.join("overlay").join(name).join("diff");
            assert_eq!(names, [at("base"), at("top")], "{reference}");
            assert_eq!(found[0].digest, Digest::parse(&hex("3")));
        }
        assert!(find(&[store.to_owned()], "pp:1").is_err(), "whole names only");
    }

    /// The first one that fitted was scanned, without a word.
    #[test]
    fn a_name_of_several_images_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let store = place.path();
        let image = |id: &str, names: &str| {
            format!("{{\"id\":\"{id}\",\"names\":[{names}],\"layer\":\"{id}\"}}")
        };
        let images = [
            image("i", r#""a.example/app:1","a.example/app:latest","localhost/own:1""#),
            image("j", r#""b.example/app:1","m.example/docker.io/library/own:1""#),
        ];
        write(store, "overlay-images/images.json", &format!("[{}]", images.join(",")));
        write(store, "overlay-layers/layers.json", r#"[{"id":"i"},{"id":"j"}]"#);
        let look = |reference: &str| match find(&[store.to_owned()], reference) {
            Ok(folders) => folders[0].path.to_string_lossy().into_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            look("app:1"),
            "several images are meant; name one of them in full: a.example/app:1 (i), \
             b.example/app:1 (j)"
        );
        let layer = |id: &str| store.join("overlay").join(id).join("diff");
        for (reference, id) in [("b.example/app:1", "j"), ("app", "i"), ("j", "j")] {
            assert_eq!(Path::new(&look(reference)), layer(id), "{reference}");
        }
        // Podman gives each name a registry, and Docker leaves its own away.
        let other = hex("c");
        let own = format!("\"own:1\":\"sha256:{other}\",\"own:2\":\"sha256:{other}\"");
        let far = format!("\"a.example/app:1\":\"sha256:{other}\"");
        write(
            store,
            "image/overlay2/repositories.json",
            &format!("{{\"Repositories\":{{\"own\":{{{own}}},\"far\":{{{far}}}}}}}"),
        );
        let several = "several images are meant; name one of them in full: ";
        assert_eq!(
            look("own:1"),
            format!(
                "{several}docker.io/library/own:1 ({other}), localhost/own:1 (i), \
                 m.example/docker.io/library/own:1 (j)"
            )
        );
        assert_eq!(Path::new(&look("localhost/own:1")), layer("i"));
        assert_eq!(
            look("a.example/app:1"),
            format!("{several}a.example/app:1 ({other}), a.example/app:1 (i)")
        );
        assert_eq!(Path::new(&look("j")), layer("j"));
        // What is named in full is that one, whatever ends so elsewhere.
        let config = format!("{{\"rootfs\":{{\"diff_ids\":[\"sha256:{}\"]}}}}", hex("1"));
        write(store, &format!("image/overlay2/imagedb/content/sha256/{other}"), &config);
        write(store, &format!("image/overlay2/layerdb/sha256/{}/cache-id", hex("1")), "layer");
        let layer = store.join("overlay2/layer/diff");
        for reference in ["docker.io/library/own:1", "own:2", "docker.io/library/own:2", &other] {
            assert_eq!(Path::new(&look(reference)), layer, "{reference}");
        }
    }
}
