//! Installed Lua rocks: `rocks-5.x/NAME/VERSION/NAME-VERSION.rockspec`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The specification that LuaRocks keeps of each installed rock: assignments in Lua.
pub(super) const PLUGIN: Reader =
    Reader { name: "lua_rockspec", selects: &[Select::Named("", ".rockspec")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(key));
        let value = line?.trim_start().strip_prefix('=')?.trim_start();
        reader::quoted(value).filter(|_| value.starts_with(['"', '\'']))
    };
    match (value("package"), value("version")) {
        (Some(name), Some(version)) => {
            let purl = Purl::new("luarocks", "", name, version);
            reader::installed(file, purl, Basis::InstalledMetadata, out);
        }
        // A template computes its version.
        _ if text.contains("..") => {}
        _ => reader::bad(file, reader::METADATA, "a rock without name or version", out),
    }
}
