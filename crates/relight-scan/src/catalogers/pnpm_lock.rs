//! Lock files of pnpm, versions 5 to 9: `pnpm-lock.yaml`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What a project resolved with pnpm: the keys of its map `packages`.
pub(super) const PLUGIN: Reader =
    Reader { name: "pnpm_lock", selects: &[Select::Name("pnpm-lock.yaml")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if !text.lines().any(|line| line.starts_with("lockfileVersion")) {
        return reader::bad(file, reader::LOCK, "no lockfileVersion", out);
    }
    let mut in_packages = false;
    for line in reader::yaml(&text) {
        if line.indent == 0 {
            in_packages = line.key == "packages";
        } else if in_packages && line.indent == 2 {
            match package(line.key) {
                Some((name, version)) => {
                    let (namespace, name) = reader::split_scope(name);
                    let version = reader::plain_version(version);
                    reader::declared(file, Purl::new("npm", namespace, name, version), out);
                }
                // Tarballs and repositories are addressed by place, folders belong to the project.
                None if line.key.contains(':') || line.key.contains('/') => {}
                None => reader::bad(file, reader::LOCK, "a package without version", out),
            }
        }
    }
}

/// `/@s/a@1.0.0(peer@2)`, `@s/a@1.0.0` and, up to version 5, `/@s/a/1.0.0_peer@2`.
fn package(key: &str) -> Option<(&str, &str)> {
    let key = key.split('(').next().unwrap_or(key);
    if key.contains("://") || key.starts_with("file:") || key.starts_with("link:") {
        return None;
    }
    let is_old = key.starts_with('/');
    let key = key.trim_start_matches('/');
    let at = key.get(1..)?.find('@').map(|at| at + 1);
    let (name, version) = match at {
        Some(at) if !key[..at].contains('_') || !is_old => (&key[..at], &key[at + 1..]),
        _ => key.rsplit_once('/')?,
    };
    let segments = name.matches('/').count();
    // `/a/1.0.0_b@2`: the `@` belongs to a peer, so the version is a segment of its own.
    if is_old && segments == usize::from(!name.starts_with('@')) {
        let (name, version) = key.split('_').next().unwrap_or(key).rsplit_once('/')?;
        return Some((name, version));
    }
    let version = if is_old { version.split('_').next().unwrap_or(version) } else { version };
    (!name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit()))
        .then_some((name, version))
}
