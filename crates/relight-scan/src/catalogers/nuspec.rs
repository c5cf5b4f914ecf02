//! NuGet packages: the `.nuspec` at the root of each.

use relight_model::{Basis, Catalog, Dotnet, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The manifest of a package, in a `.nupkg` or in the cache of packages. A template that a build
/// fills in (`$version$`) describes none.
pub(super) const PLUGIN: Reader =
    Reader { name: "nuspec", selects: &[Select::Named("", ".nuspec")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let (id, version) = (reader::element(&text, "id"), reader::element(&text, "version"));
    if id.is_empty() || version.is_empty() {
        return reader::bad(file, reader::METADATA, "a package without id or version", out);
    }
    if !id.contains('$') && !version.contains('$') {
        out.dotnet = Some(Dotnet::Packages);
        reader::installed(file, Purl::new("nuget", "", id, version), Basis::InstalledMetadata, out);
    }
}
