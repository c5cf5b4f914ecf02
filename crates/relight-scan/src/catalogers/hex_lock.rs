//! Lock files of Erlang and Elixir: `rebar.lock` and `mix.lock`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Terms of Erlang and maps of Elixir, one package a line.
pub(super) const PLUGIN: Reader = Reader {
    name: "hex_lock",
    selects: &[Select::Name("rebar.lock"), Select::Name("mix.lock")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let is_mix = file.path.ends_with("mix.lock");
    if !text.trim_start().starts_with(if is_mix { "%{" } else { "{\"" }) && !text.starts_with('[') {
        return reader::bad(file, reader::LOCK, "no lock file of this kind", out);
    }
    for line in text.lines() {
        let found = if is_mix { mix(line) } else { rebar(line) };
        if let Some((name, version)) = found {
            reader::declared(file, Purl::new("hex", "", name, reader::plain_version(version)), out);
        }
    }
}

/// `"jason": {:hex, :jason, "1.4.0", …},`
fn mix(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once("{:hex, :")?;
    let (name, rest) = rest.split_once(',')?;
    Some((name.trim_matches('"'), reader::quoted(rest)?))
}

/// `{<<"cowboy">>,{pkg,<<"cowboy">>,<<"2.9.0">>},0},`
fn rebar(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once("{pkg,<<")?;
    let (name, rest) = rest.split_once(">>")?;
    Some((name.trim_matches('"'), reader::quoted(rest)?))
}
