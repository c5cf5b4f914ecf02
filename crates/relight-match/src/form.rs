//! The matching form: a canonical text of what matching uses of a record, and of nothing else.
//!
//! Evidence is bound to its digest. Prose, scores, EPSS and references change daily; if they were
//! in it, every site of a large incident would be examined again every morning.

use relight_model::{Advisory, Affected, AffectedRange, NativeRange, PackageName};

use crate::authority::Rank;
use crate::build::Build;

/// The form of what one record says about one package.
pub(crate) fn form(
    record: &Advisory,
    package: &PackageName,
    rank: Rank,
    affected: &[&Affected],
) -> Vec<u8> {
    let PackageName { ecosystem, release, name } = package;
    let mut parts = vec![record.source.clone(), record.id.clone(), rank.as_str().to_owned()];
    parts.extend([ecosystem.as_str().to_owned(), format!("{release:?}"), name.clone()]);
    let mut entries: Vec<_> = affected.iter().map(|it| entry(it)).collect();
    entries.sort();
    parts.extend(entries.into_iter().flatten());
    joined(&parts)
}

/// Every part with its length in front.
fn joined(parts: &[String]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|it| size_of::<u64>() + it.len()).sum());
    for part in parts {
        out.extend((part.len() as u64).to_le_bytes());
        out.extend(part.as_bytes());
    }
    out
}

/// One `affected` entry; every field is named, so that a new one is not forgotten.
fn entry(affected: &Affected) -> Vec<String> {
    let Affected { package, stance, ranges, intervals, native, versions, .. } = affected;
    let Affected { rest, arch, module, classes, .. } = affected;
    let mut parts = vec![format!("{stance:?} {rest:?} {module:?}")];
    parts.extend(Build::of_record(package).map(|build| format!("{build:?}")));
    let mut all: Vec<Vec<String>> = ranges.iter().map(range).collect();
    all.sort();
    parts.push(format!("ranges {}", all.len()));
    parts.extend(all.into_iter().flatten());
    parts.extend(list("intervals", intervals.iter().map(|it| format!("{it:?}"))));
    parts.extend(list("native", native.iter().map(native_text)));
    parts.extend(list("versions", versions.iter().cloned()));
    parts.extend(list("arch", arch.iter().cloned()));
    parts.extend(list("classes", classes.iter().cloned()));
    parts
}

fn range(range: &AffectedRange) -> Vec<String> {
    let AffectedRange { kind, events } = range;
    list(&format!("{kind:?}"), events.iter().map(|event| format!("{event:?}")))
}

fn native_text(native: &NativeRange) -> String {
    let NativeRange { text, grammar, status } = native;
    format!("{grammar:?} {status:?} {text}")
}

/// A list is a set: sorted, without doubles, its name and length in front.
fn list(tag: &str, items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.collect();
    items.sort();
    items.dedup();
    items.insert(0, format!("{tag} {}", items.len()));
    items
}
