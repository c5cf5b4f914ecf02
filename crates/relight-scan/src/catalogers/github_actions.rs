//! Steps of GitHub workflows that come from elsewhere: `uses: OWNER/REPOSITORY/PATH@REF`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Workflows, and the actions of a repository, which have steps of their own.
pub(super) const PLUGIN: Reader = Reader {
    name: "github_actions",
    selects: &[
        Select::Folder(".github/workflows"),
        Select::Name("action.yml"),
        Select::Name("action.yaml"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    if !file.path.ends_with(".yml") && !file.path.ends_with(".yaml") {
        return;
    }
    if file.bytes.contains(&0) {
        return reader::bad(file, reader::METADATA, "no text", out);
    }
    for line in reader::text(file).lines() {
        let line = line.trim_start().trim_start_matches("- ").trim_start();
        let Some(used) = line.strip_prefix("uses:") else { continue };
        let used = used.split(" #").next().unwrap_or_default().trim();
        if let Some(purl) = action(used.trim_matches(['"', '\''])) {
            reader::declared(file, purl, out);
        }
    }
}

/// What is named by its repository. Steps of the same repository (`./x`) and images
/// (`docker://x`) are not, and a name made up when the workflow runs (`${{ x }}@v1`) is none.
fn action(used: &str) -> Option<Purl> {
    let (path, reference) = used.split_once('@')?;
    let mut parts = path.split('/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    let plain = |text: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !text.is_empty() && text.chars().all(is_plain)
    };
    let is_named = plain(owner) && plain(repository) && !owner.starts_with('.');
    // Which one runs is decided when the workflow does: that it is used is known all the same.
    let reference = if reference.contains(['$', '{']) { "" } else { reference };
    (is_named && !reference.contains(' '))
        .then(|| Purl::new("github", owner, repository, reference))
}
