//! Images of containers that come out of a packed stream, or stand in another archive. Their layers
//! cannot be read one above the other there, and what an upper one hides would be found: nothing is
//! said of them but that they are there.

use std::collections::BTreeSet;

use relight_model::FlawCode;
use serde_json::Value;

use super::fetch::View;
use super::level::{Member, with_slashes};
use super::outer::Outer;
use crate::archive::Names;
use crate::cataloger::{Listing, last_segment};
use crate::evidence::{escape, file_name, folder_of, in_archive, names_of};
use crate::window::Window;

/// The documents that images begin with: that of `docker save`, and those of a layout of OCI.
const MANIFEST: &str = "manifest.json";
const LAYOUT: &str = "oci-layout";
const INDEX: &str = "index.json";

/// Bytes of a document.
const MANIFEST_BYTES_MAX: u64 = 4 << 20;

/// Characters of a SHA-256.
const HASH_CHARS: usize = 64;

impl Outer<'_, '_> {
    /// Keeps the document of `docker save` for the listing of its container. Web applications and
    /// extensions of browsers have one of this name as well.
    pub(super) fn keep_manifest(&mut self, view: &mut Option<View>, member: &Member) {
        let is_it = member.listed.is_some() && last_segment(&member.name) == MANIFEST.as_bytes();
        let window = if is_it { self.whole(view, MANIFEST_BYTES_MAX) } else { None };
        if let Some(bytes) = window.as_ref().and_then(Window::all)
            && memchr::memmem::find(&bytes, b"\"Layers\"").is_some()
        {
            self.keep_for_listing(member, &bytes);
        }
    }

    /// Lets go of what was found in images that a container holds, and says that they are there.
    pub(super) fn leave_images(&mut self, path: &str, listing: &Listing, telling: &mut Names) {
        for folder in folders(listing) {
            let place = in_archive(path, &escape(folder.as_bytes()));
            self.found.forget(&place);
            let is_other = |name: &Vec<u8>| !with_slashes(name).starts_with(&folder);
            telling.values_mut().for_each(|names| names.retain(is_other));
            let shown = place.strip_suffix("!/").unwrap_or(place.trim_end_matches('/'));
            self.found.flaw(FlawCode::ImagePacked, shown, 0);
        }
        telling.retain(|_, names| !names.is_empty());
    }
}

/// The folders of a container that are images, each with its `/`: as an image is told by its
/// documents, or by the names of its layers where not all is there.
fn folders(listing: &Listing) -> BTreeSet<String> {
    let is_mark = |name: &&str| [MANIFEST, LAYOUT].iter().any(|mark| name.ends_with(mark));
    let marks: Vec<&str> = listing.names().filter(is_mark).collect();
    if marks.is_empty() && listing.complete {
        return BTreeSet::new();
    }
    // Only documents name files of any name; else few are looked at, of a million perhaps.
    let is_told = listing.members.iter().any(|(name, _)| name.ends_with(MANIFEST));
    let may_count = |name: &&str| is_told || may_be_part(file_name(name));
    let names: BTreeSet<String> = listing.names().filter(may_count).map(plain).collect();
    let layers: BTreeSet<&str> = names.iter().filter_map(|name| around_layer(name)).collect();
    let is_image = |mark: &String| {
        let folder = folder_of(mark);
        match file_name(mark) {
            LAYOUT => names.contains(&format!("{folder}{INDEX}")),
            MANIFEST => layers.contains(folder) || lists_layers(listing, mark, &names),
            _ => false,
        }
    };
    let marks = marks.into_iter().map(plain).filter(is_image);
    let mut folders: BTreeSet<String> = marks.map(|mark| folder_of(&mark).to_owned()).collect();
    if !listing.complete {
        folders.extend(layers.into_iter().map(str::to_owned));
    }
    folders
}

/// Whether the documents that were kept name a layer that is there.
fn lists_layers(listing: &Listing, mark: &str, names: &BTreeSet<String>) -> bool {
    let kept = listing.members.iter().filter(|(name, _)| plain(name) == mark);
    let documents = kept.filter_map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).ok());
    documents.flat_map(|it| it.as_array().cloned().unwrap_or_default()).any(|image| {
        let layers = image.get("Layers").and_then(Value::as_array);
        let mut layers = layers.into_iter().flatten().filter_map(Value::as_str);
        layers.any(|layer| names.contains(&plain(&format!("{}{layer}", folder_of(mark)))))
    })
}

/// Whether something with this last name may be a layer by its name, or the index of an image.
fn may_be_part(last: &str) -> bool {
    // Behind a name that leads nowhere or up stands another one.
    let leads = ["", ".", ".."].contains(&last);
    leads || last == INDEX || last == "layer.tar" || last.len() >= HASH_CHARS
}

/// The folder of an image of which something is a layer by its name: `blobs/sha256/HASH`,
/// `HASH/layer.tar`, `HASH.tar`.
fn around_layer(name: &str) -> Option<&str> {
    let is_hash =
        |text: &str| text.len() == HASH_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let last = file_name(name);
    let folder = folder_of(name);
    if let Some(around) = folder.strip_suffix("blobs/sha256/") {
        return Some(around).filter(|_| is_hash(last));
    }
    if last == "layer.tar" {
        let around = folder.strip_suffix('/')?;
        return Some(folder_of(around)).filter(|_| is_hash(file_name(around)));
    }
    let hash = last.strip_suffix(".tar").or(last.strip_suffix(".tar.gz"))?;
    Some(folder).filter(|_| is_hash(hash))
}

/// A name without what leads nowhere.
fn plain(name: &str) -> String {
    let names = names_of(name.as_bytes());
    names.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cataloger::Listed;

    /// Goal: images are told apart from what has files of the same names. Method: listings of
    /// images in each form, whole and cut, and of web applications.
    #[test]
    fn images_are_told_by_their_documents() {
        let hash = "5f".repeat(32);
        let with = |names: &[&str], complete: bool, manifest: &str| {
            let listed = |name: &&str| {
                let name = name.replace("HASH", &hash);
                Listed { name, ..Listed::default() }
            };
            let entries = names.iter().map(listed).collect();
            let members = vec![("./a/manifest.json".to_owned(), manifest.as_bytes().to_vec())];
            let members = if manifest.is_empty() { Vec::new() } else { members };
            let listing = Listing { entries, members, complete, ..Listing::default() };
            Vec::from_iter(folders(&listing))
        };
        let whole = |names: &[&str]| with(names, true, "");
        assert_eq!(whole(&["./blobs/x", "./index.json", "./oci-layout"]), [""]);
        assert_eq!(whole(&["a/b/oci-layout", "a/b/index.json", "index.json"]), ["a/b/"]);
        assert_eq!(whole(&["a/oci-layout", "index.json"]), [""; 0]);
        assert_eq!(whole(&["manifest.json", "HASH/layer.tar"]), [""]);
        assert_eq!(whole(&["x/HASH.tar.gz", "x/manifest.json", "manifest.json"]), ["x/"]);
        assert_eq!(whole(&["manifest.json", "icons/HASH.png", "layer.tar"]), [""; 0]);
        assert_eq!(whole(&["HASH/layer.tar", "blobs/sha256/HASH"]), [""; 0]);
        assert_eq!(with(&["HASH/layer.tar", "a/blobs/sha256/HASH"], false, ""), ["", "a/"]);
        assert_eq!(with(&["manifest.json", "index.html"], false, ""), [""; 0]);
        let names = ["a/manifest.json", "a/base.tar"];
        assert_eq!(with(&names, true, r#"[{"Layers":["./base.tar"]}]"#), ["a/"]);
        assert_eq!(with(&names, true, r#"[{"Layers":["other.tar"]}]"#), [""; 0]);
        assert_eq!(with(&names, true, r#"{"Layers":7}"#), [""; 0]);
    }
}
