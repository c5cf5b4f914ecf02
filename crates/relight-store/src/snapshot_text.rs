//! The canonical text of an inventory, `relight.snapshot/1`: equal inventories, equal bytes.
//!
//! ```text
//! relight.snapshot/1
//! tool       NAME
//! artifact   DIGEST                                                    (only when known)
//! image      KIND NAMESPACE NAME VERSION N (KEY VALUE){N}                     (if it is of one)
//! component  KIND NAMESPACE NAME VERSION EVIDENCE BASIS SCOPE N (KEY VALUE){N} REMOVED…
//! owned-by   KIND NAMESPACE NAME VERSION N (KEY VALUE){N}         (of the component before it)
//! hash       DIGEST                                                                 (likewise)
//! in-use     UNIT AND USER                                                          (likewise)
//! also       BASIS…                                       (of the component above; unless none)
//! candidates VERSION…                                     (of the component above; unless none)
//! conflict                                                (of the component above)
//! flaw       CODE BYTES EVIDENCE
//! ```
//! Components and flaws are sorted and without doubles; fields are written by `fields`.

use std::collections::BTreeSet;

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
    let Sbom { components, flaws, artifact, images, tool } = sbom;
    let mut out = String::new();
    fields::write_line(&mut out, [HEADER]);
    fields::write_line(&mut out, ["tool", tool]);
    if let Some(digest) = artifact {
        fields::write_line(&mut out, ["artifact", &digest.to_string()]);
    }
    for image in images.iter().collect::<BTreeSet<_>>() {
        write_purl(&mut out, "image", image);
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
    let Component { purl, evidence, basis, scope, removed, .. } = component;
    let Purl { kind, namespace, name, version, qualifiers } = purl;
    let count = qualifiers.len().to_string();
    let fixed = ["component", kind, namespace, name, version, evidence];
    let fields = fixed
        .into_iter()
        .chain([basis.as_str(), scope.as_str(), &count])
        .chain(pairs_of(qualifiers))
        .chain(removed.iter().map(String::as_str));
    fields::write_line(out, fields);
    write_claims(out, component);
    write_ownership(out, component);
}

/// What else says the same, and what is open; most components lack all of it.
fn write_claims(out: &mut String, component: &Component) {
    let Component { also, candidates, conflict, .. } = component;
    if !also.is_empty() {
        let names = also.iter().map(|basis| basis.as_str());
        fields::write_line(out, ["also"].into_iter().chain(names));
    }
    if !candidates.is_empty() {
        let versions = candidates.iter().map(String::as_str);
        fields::write_line(out, ["candidates"].into_iter().chain(versions));
    }
    if *conflict {
        fields::write_line(out, ["conflict"]);
    }
}

fn write_ownership(out: &mut String, component: &Component) {
    let Component { owned_by, hashes, in_use, .. } = component;
    if let Some(owner) = owned_by {
        write_purl(out, "owned-by", owner);
    }
    for digest in hashes {
        fields::write_line(out, ["hash", &digest.to_string()]);
    }
    for user in in_use {
        fields::write_line(out, ["in-use", user]);
    }
}

fn write_purl(out: &mut String, word: &str, purl: &Purl) {
    let Purl { kind, namespace, name, version, qualifiers } = purl;
    let count = qualifiers.len().to_string();
    let fixed = [word, kind, namespace, name, version, &count];
    fields::write_line(out, fixed.into_iter().chain(pairs_of(qualifiers)));
}

fn pairs_of(qualifiers: &[(String, String)]) -> impl Iterator<Item = &str> {
    qualifiers.iter().flat_map(|(key, value)| [key.as_str(), value])
}

/// Reads a canonical text back.
///
/// # Errors
/// Says which line is not one that [`write`] writes.
pub(crate) fn read(text: &str) -> Result<Sbom, String> {
    let mut components = Vec::new();
    let rest = read_pieces(text, &mut |piece| {
        components.push(read_piece(piece)?);
        Some(())
    })?;
    Ok(Sbom { components, ..rest })
}

/// Calls `each` with the lines of each component, and reads the rest.
///
/// # Errors
/// Says which line is not one that [`write`] writes; `None` from `each` says so of its lines.
pub(crate) fn read_pieces(
    text: &str,
    each: &mut dyn FnMut(&str) -> Option<()>,
) -> Result<Sbom, String> {
    let mut sbom = Sbom::default();
    let whole = text.strip_suffix('\n').ok_or("the last line of a snapshot has no end")?;
    let Some(mut left) = whole.strip_prefix(HEADER) else {
        return Err("line 1 of a snapshot has another form than relight.snapshot/1".to_owned());
    };
    while let Some(lines) = left.strip_prefix('\n') {
        let len = if is_component(lines) { piece_len(lines) } else { line_len(lines) };
        let (piece, rest) = lines.split_at(len);
        let is_read = match is_component(piece) {
            true => each(piece),
            false => fields::read_line(piece).and_then(|fields| read_line(&mut sbom, fields)),
        };
        is_read.ok_or_else(|| {
            let line = whole[..whole.len() - left.len()].matches('\n').count() + 2;
            format!("line {line} of a snapshot cannot be read")
        })?;
        left = rest;
    }
    if left.is_empty() { Ok(sbom) } else { Err("line 1 of a snapshot goes on".to_owned()) }
}

/// Reads the lines of one component.
pub(crate) fn read_piece(piece: &str) -> Option<Component> {
    let mut sbom = Sbom::default();
    for line in piece.split('\n') {
        fields::read_line(line).and_then(|fields| read_line(&mut sbom, fields))?;
    }
    sbom.components.pop()
}

/// Appends the lines of one component without what is true of one place only: those of equal
/// identities are equal, whatever they are.
pub(crate) fn identity_of(piece: &str, out: &mut Vec<u8>) {
    let (first, claims) = piece.split_at(line_len(piece));
    let mut tabs = memchr::memchr_iter(b'\t', first.as_bytes());
    // KIND NAMESPACE NAME VERSION, and then EVIDENCE.
    let (from, to) = (tabs.nth(4), tabs.next());
    let (from, to) = (from.unwrap_or(first.len()), to.unwrap_or(first.len()));
    out.extend_from_slice(&first.as_bytes()[..from]);
    out.extend_from_slice(&first.as_bytes()[to..]);
    for line in claims.split('\n').skip(1) {
        if !line.starts_with("hash\t") && !line.starts_with("in-use\t") {
            out.push(b'\n');
            out.extend_from_slice(line.as_bytes());
        }
    }
}

fn is_component(lines: &str) -> bool {
    lines.starts_with("component\t")
}

/// The length of the first line, without its end.
fn line_len(lines: &str) -> usize {
    memchr::memchr(b'\n', lines.as_bytes()).unwrap_or(lines.len())
}

/// The length of the line of a component and of those about it, without the last end.
fn piece_len(lines: &str) -> usize {
    let mut len = line_len(lines);
    loop {
        let Some(next) = lines[len..].strip_prefix('\n') else { return len };
        // Each other line is of no component; one that is unknown is reported by itself.
        if !CLAIMS.iter().any(|claim| next.starts_with(claim)) {
            return len;
        }
        len += 1 + line_len(next);
    }
}

/// How the lines about the component above begin.
const CLAIMS: [&str; 6] =
    ["owned-by\t", "hash\t", "in-use\t", "also\t", "candidates\t", "conflict"];

fn read_line(sbom: &mut Sbom, line: Vec<String>) -> Option<()> {
    let mut fields = line.into_iter();
    match fields.next()?.as_str() {
        "tool" => sbom.tool = fields.next()?,
        "artifact" => sbom.artifact = Some(Digest::parse(&fields.next()?)?),
        "image" => sbom.images.push(read_purl(&mut fields)?),
        "component" => sbom.components.push(read_component(&mut fields)?),
        "owned-by" => sbom.components.last_mut()?.owned_by = Some(read_purl(&mut fields)?),
        "hash" => sbom.components.last_mut()?.hashes.push(Digest::parse(&fields.next()?)?),
        "in-use" => sbom.components.last_mut()?.in_use.push(fields.next()?),
        "also" => {
            let names: Option<_> = fields.by_ref().map(|name| Basis::parse(&name)).collect();
            sbom.components.last_mut()?.also = names?;
        }
        "candidates" => sbom.components.last_mut()?.candidates = fields.by_ref().collect(),
        "conflict" => sbom.components.last_mut()?.conflict = true,
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
    let scope = Scope::parse(&fields.next()?)?;
    let qualifiers = read_pairs(fields)?;
    let purl = Purl { kind, namespace, name, version, qualifiers };
    let removed = fields.collect();
    Some(Component { removed, ..Component::new(purl, evidence, basis, scope) })
}

fn read_purl(fields: &mut impl Iterator<Item = String>) -> Option<Purl> {
    let (kind, namespace) = (fields.next()?, fields.next()?);
    let (name, version) = (fields.next()?, fields.next()?);
    Some(Purl { kind, namespace, name, version, qualifiers: read_pairs(fields)? })
}

fn read_pairs(fields: &mut impl Iterator<Item = String>) -> Option<Vec<(String, String)>> {
    let count: usize = fields.next()?.parse().ok()?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        pairs.push((fields.next()?, fields.next()?));
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;
    use crate::testing::{any_sbom, component, sbom};

    #[test]
    fn the_form_is_this_one() {
        let mut log4j = component("pkg:maven/org.apache/log4j-core@2.14.1?b=2&a=1", "a.war!/l.jar");
        log4j.removed = vec!["org/apache/JndiLookup".into()];
        log4j.owned_by = Some(Purl::new("deb", "debian", "liblog4j2-java", "2.17.1-1"));
        log4j.hashes = vec![Digest([0xcd; 32])];
        log4j.in_use = vec!["tomcat9.service tomcat".into()];
        log4j.also = vec![Basis::Manifest, Basis::FileName];
        log4j.candidates = vec!["2.14.0".into(), "2.14.1".into()];
        log4j.conflict = true;
        let flaw = Flaw { code: FlawCode::Truncated, evidence: "b\tc".into(), bytes: 7 };
        let sbom = Sbom {
            components: vec![log4j],
            flaws: vec![flaw],
            artifact: Some(Digest([0xab; 32])),
            images: vec![Purl::new("oci", "", "app", "sha256:12")],
            tool: "relight 1".into(),
        };
        let expected = [
            "relight.snapshot/1\ntool\trelight 1\nartifact\t",
            &"ab".repeat(32),
            "\nimage\toci\t\tapp\tsha256:12\t0",
            "\ncomponent\tmaven\torg.apache\tlog4j-core\t2.14.1\ta.war!/l.jar\tpom-properties",
            "\tinstalled\t2\ta\t1\tb\t2\torg/apache/JndiLookup\nalso\tmanifest\t",
            "file-name\ncandidates\t2.14.0\t2.14.1\nconflict\nowned-by\tdeb\tdebian\t",
            "liblog4j2-java\t2.17.1-1\t0\nhash\t",
            &"cd".repeat(32),
            "\nin-use\ttomcat9.service tomcat\nflaw\ttruncated\t7\tb\\tc\n",
        ];
        assert_eq!(write(&sbom).unwrap(), expected.concat());
    }

    #[test]
    fn any_inventory_comes_back_exactly_and_no_two_share_a_text() {
        let mut texts = std::collections::HashMap::new();
        for seed in 0..2_000 {
            let sbom = any_sbom(&mut Rng::new(seed));
            let text = write(&sbom).unwrap();
            assert_eq!(read(&text).as_ref(), Ok(&sbom), "seed {seed}");
            let first = texts.entry(text).or_insert_with(|| sbom.clone());
            assert_eq!(*first, sbom, "seed {seed}");
        }
    }

    #[test]
    fn order_and_doubles_do_not_change_the_text() {
        let sbom = sbom(&[("pkg:npm/a@1", "x"), ("pkg:npm/a@1", "y"), ("pkg:npm/b@1", "x")]);
        let mut other = sbom.clone();
        other.components.reverse();
        other.components.push(sbom.components[1].clone());
        assert_eq!(write(&other).unwrap(), write(&sbom).unwrap());
    }

    #[test]
    fn refuses_what_is_never_written() {
        let good = write(&any_sbom(&mut Rng::new(3))).unwrap();
        for (text, line) in [
            ("\n", 1),
            ("relight.snapshot/2\n", 1),
            ("relight.snapshot/1\nwho\tme\n", 2),
            ("relight.snapshot/1\ntool\n", 2),
            ("relight.snapshot/1\ntool\ta\tb\n", 2),
            ("relight.snapshot/1\nartifact\t00\n", 2),
            ("relight.snapshot/1\ntool\ta\nflaw\ttruncated\t-1\ta\n", 3),
            ("relight.snapshot/1\nflaw\tfine\t1\ta\n", 2),
            ("relight.snapshot/1\nconflict\n", 2),
            ("relight.snapshot/1\ncandidates\t1\n", 2),
            ("relight.snapshot/1\nalso\tmanifest\n", 2),
            ("relight.snapshot/1\ncomponent\tnpm\t\ta\t1\tx\tguess\tinstalled\t0\n", 2),
            ("relight.snapshot/1\nowned-by\tdeb\t\ta\t1\t0\n", 2),
            ("relight.snapshot/1\ncomponent\tnpm\t\ta\t1\tx\tmanifest\tinstalled\t1\tk\n", 2),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(&format!("line {line} ")), "{text:?}: {why}");
        }
        assert!(read(&format!("{good}x")).is_err());
        assert!(read(&good[..good.len() - 1]).is_err());
    }

    #[test]
    fn a_damaged_text_is_an_error_or_an_inventory_and_never_a_panic() {
        for seed in 0..500 {
            let mut rng = Rng::new(seed);
            let sbom = any_sbom(&mut rng);
            let mut bytes = write(&sbom).unwrap().into_bytes();
            let at = rng.below(bytes.len());
            match rng.below(3) {
                0 => bytes[at] ^= 1 << rng.below(8),
                1 => bytes.truncate(at),
                _ => bytes.insert(at, *rng.pick(b"\t\n\\0x")),
            }
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if let Ok(mut other) = read(&text) {
                other.normalise();
                assert_eq!(read(&write(&other).unwrap()), Ok(other), "seed {seed}: {text:?}");
            }
        }
    }

    #[test]
    fn an_inventory_over_the_limit_is_refused() {
        let mut sbom = sbom(&[("pkg:npm/a@1", "")]);
        sbom.components[0].evidence = "x".repeat(SNAPSHOT_BYTES_MAX);
        assert_eq!(write(&sbom).unwrap_err().kind(), StoreErrorKind::Limit);
    }

    /// Goal: two components have one identity if and only if they have one text of it. Method:
    /// seeded inventories, each component beside all others.
    #[test]
    fn the_text_of_an_identity_tells_identities_apart() {
        let (mut rng, mut known) = (Rng::new(21), std::collections::BTreeMap::new());
        for _ in 0..200 {
            let text = write(&any_sbom(&mut rng)).unwrap();
            read_pieces(&text, &mut |piece| {
                let mut identity = Vec::new();
                identity_of(piece, &mut identity);
                let component = read_piece(piece)?.identity();
                let before = known.insert(identity, component.clone());
                assert!(before.is_none_or(|before| before == component), "{piece}");
                Some(())
            })
            .unwrap();
        }
        let different: std::collections::BTreeSet<_> = known.values().collect();
        assert!(different.len() == known.len() && known.len() > 50, "{}", known.len());
    }

    #[test]
    fn what_is_true_of_one_place_only_is_no_part_of_an_identity() {
        let mut here = component("pkg:npm/a@1", "here");
        here.hashes = vec![Digest([1; 32])];
        here.in_use = vec!["a.service".into()];
        here.also = vec![Basis::Manifest];
        let there = Component { evidence: "th\tere".into(), ..here.clone().identity() };
        let other = Component { conflict: true, ..there.clone() };
        let identity = |component: &Component| {
            let (mut text, mut identity) = (String::new(), Vec::new());
            write_component(&mut text, component);
            identity_of(text.trim_end(), &mut identity);
            identity
        };
        assert_eq!(identity(&here), identity(&there));
        assert_ne!(identity(&here), identity(&other));
    }
}
