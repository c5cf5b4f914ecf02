//! The canonical text of an inventory, `relight.snapshot/1`: equal inventories, equal bytes.
//!
//! ```text
//! relight.snapshot/1
//! tool       NAME
//! artifact   DIGEST                                                    (only when known)
//! component  KIND NAMESPACE NAME VERSION EVIDENCE BASIS SCOPE N (KEY VALUE){N} REMOVED…
//! flaw       CODE BYTES EVIDENCE
//! ```
//! Components and flaws are sorted and without doubles; fields are written by `fields`.

use relight_model::{Basis, Component, Digest, Flaw, FlawCode, Purl, Sbom, Scope};

use crate::{StoreError, StoreErrorKind, fields};

/// Largest inventory in its canonical form, in bytes.
pub const SNAPSHOT_BYTES_MAX: usize = 128 << 20;

const HEADER: &str = "relight.snapshot/1";

/// The canonical text.
///
/// # Errors
/// The inventory is larger than [`SNAPSHOT_BYTES_MAX`] (`Limit`).
pub(crate) fn write(sbom: &Sbom) -> Result<String, StoreError> {
    let Sbom { components, flaws, artifact, tool } = sbom;
    let mut out = String::new();
    fields::write_line(&mut out, [HEADER]);
    fields::write_line(&mut out, ["tool", tool]);
    if let Some(digest) = artifact {
        fields::write_line(&mut out, ["artifact", &digest.to_string()]);
    }
    let mut components: Vec<&Component> = components.iter().collect();
    components.sort();
    components.dedup();
    for component in components {
        room_for(&out, &component.evidence)?;
        write_component(&mut out, component);
    }
    let mut flaws: Vec<&Flaw> = flaws.iter().collect();
    flaws.sort();
    flaws.dedup();
    for Flaw { code, evidence, bytes } in flaws {
        room_for(&out, evidence)?;
        fields::write_line(&mut out, ["flaw", code.as_str(), &bytes.to_string(), evidence]);
    }
    room_for(&out, "")?;
    Ok(out)
}

fn room_for(out: &str, next: &str) -> Result<(), StoreError> {
    if out.len() + next.len() <= SNAPSHOT_BYTES_MAX {
        return Ok(());
    }
    let context = format!("storing an inventory: it is larger than {SNAPSHOT_BYTES_MAX} bytes");
    Err(StoreError::new(StoreErrorKind::Limit, context))
}

fn write_component(out: &mut String, component: &Component) {
    let Component { purl, evidence, basis, scope, removed } = component;
    let Purl { kind, namespace, name, version, qualifiers } = purl;
    let count = qualifiers.len().to_string();
    let fixed = ["component", kind, namespace, name, version, evidence];
    let pairs = qualifiers.iter().flat_map(|(key, value)| [key.as_str(), value]);
    let fields = fixed
        .into_iter()
        .chain([basis.as_str(), scope_name(*scope), &count])
        .chain(pairs)
        .chain(removed.iter().map(String::as_str));
    fields::write_line(out, fields);
}

/// Reads a canonical text back.
///
/// # Errors
/// Says which line is not one that [`write`] writes.
pub(crate) fn read(text: &str) -> Result<Sbom, String> {
    let mut sbom = Sbom::default();
    let mut lines = text.split_terminator('\n').enumerate();
    if lines.next().is_none_or(|(_, header)| header != HEADER) {
        return Err("line 1 of a snapshot has another form than relight.snapshot/1".to_owned());
    }
    for (index, line) in lines {
        fields::read_line(line)
            .and_then(|fields| read_line(&mut sbom, fields))
            .ok_or_else(|| format!("line {} of a snapshot cannot be read", index + 1))?;
    }
    Ok(sbom)
}

fn read_line(sbom: &mut Sbom, line: Vec<String>) -> Option<()> {
    let mut fields = line.into_iter();
    match fields.next()?.as_str() {
        "tool" => sbom.tool = fields.next()?,
        "artifact" => sbom.artifact = Some(Digest::parse(&fields.next()?)?),
        "component" => sbom.components.push(read_component(&mut fields)?),
        "flaw" => {
            let code = FlawCode::parse(&fields.next()?)?;
            let bytes = fields.next()?.parse().ok()?;
            sbom.flaws.push(Flaw { code, bytes, evidence: fields.next()? });
        }
        _ => return None,
    }
    fields.next().is_none().then_some(())
}

fn read_component(fields: &mut impl Iterator<Item = String>) -> Option<Component> {
    let (kind, namespace) = (fields.next()?, fields.next()?);
    let (name, version) = (fields.next()?, fields.next()?);
    let evidence = fields.next()?;
    let basis = Basis::parse(&fields.next()?)?;
    let scope = scope_of(&fields.next()?)?;
    let count: usize = fields.next()?.parse().ok()?;
    let mut qualifiers = Vec::new();
    for _ in 0..count {
        qualifiers.push((fields.next()?, fields.next()?));
    }
    let purl = Purl { kind, namespace, name, version, qualifiers };
    Some(Component { purl, evidence, basis, scope, removed: fields.collect() })
}

const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Installed => "installed",
        Scope::Declared => "declared",
    }
}

fn scope_of(name: &str) -> Option<Scope> {
    [Scope::Installed, Scope::Declared].into_iter().find(|&scope| scope_name(scope) == name)
}
