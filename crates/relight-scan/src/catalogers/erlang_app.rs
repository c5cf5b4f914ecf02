//! Erlang and Elixir applications: `ebin/NAME.app`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The resource file of an application: `{application, name, [{vsn, "1.0"}, …]}.`
pub(super) const PLUGIN: Reader =
    Reader { name: "erlang_app", selects: &[Select::Inside("ebin/", ".app")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let name = text.split_once("{application,").and_then(|(_, rest)| rest.split(',').next());
    let name = name.map_or("", |name| name.trim().trim_matches(['\'', '"']));
    let version = text.split_once("{vsn,").and_then(|(_, rest)| reader::quoted(rest));
    let (Some(version), false) = (version, name.is_empty()) else {
        return reader::bad(file, reader::METADATA, "an application without name or version", out);
    };
    // Applications of Erlang itself lie in `lib/NAME-VERSION/ebin` too; both go by the same name.
    reader::installed(file, Purl::new("hex", "", name, version), Basis::InstalledMetadata, out);
}
