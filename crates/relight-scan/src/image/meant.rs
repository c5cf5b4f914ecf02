//! What symbolic links of lower layers mean: a file that an upper layer replaces or hides is not
//! what was read under the name of its link.

use std::collections::{BTreeMap, BTreeSet};

/// Links whose files were read under their names, and those files.
#[derive(Debug, Default)]
pub(super) struct Meant {
    files: BTreeMap<String, String>,
    links: BTreeMap<String, BTreeSet<String>>,
}

impl Meant {
    /// A link means a file.
    pub(super) fn insert(&mut self, link: String, file: String) {
        self.remove(&link);
        self.links.entry(file.clone()).or_default().insert(link.clone());
        self.files.insert(link, file);
    }

    /// A link is hidden.
    pub(super) fn remove(&mut self, link: &str) {
        let Some(file) = self.files.remove(link) else { return };
        if let Some(links) = self.links.get_mut(&file) {
            links.remove(link);
            if links.is_empty() {
                self.links.remove(&file);
            }
        }
    }

    /// A file is hidden: its links.
    pub(super) fn take(&mut self, file: &str) -> BTreeSet<String> {
        let links = self.links.remove(file).unwrap_or_default();
        links.iter().for_each(|link| drop(self.files.remove(link)));
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_go_with_their_files_and_alone() {
        let mut meant = Meant::default();
        for (link, file) in [("a", "x"), ("b", "x"), ("c", "y"), ("b", "y")] {
            meant.insert(link.to_owned(), file.to_owned());
        }
        meant.remove("c");
        meant.remove("nothing");
        assert_eq!(meant.take("x"), BTreeSet::from(["a".to_owned()]));
        assert_eq!(meant.take("y"), BTreeSet::from(["b".to_owned()]));
        assert!(meant.take("y").is_empty() && meant.files.is_empty() && meant.links.is_empty());
    }
}
