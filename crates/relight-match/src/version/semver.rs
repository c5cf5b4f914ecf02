//! The precedence of Semantic Versioning 2.0.0 (section 11), read as loosely as the tools read:
//! npm, crates.io, Hex, Swift, Go, and with four numbers NuGet, with ordered builds Pub and Julia,
//! with revisions Bitnami.

use super::split_digits;
use crate::key::Writer;

/// A pre-release stands before its release.
const PRE_RELEASE: u8 = 1;
const RELEASE: u8 = 2;

/// Labels: the end before numbers, numbers before text.
const END: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 2;

/// npm and every other ecosystem of plain SemVer: a leading `v` or `=`, fewer than three numbers
/// (the others are 0), a fourth part (which counts as build metadata), no hyphen before the
/// pre-release.
pub(super) fn write(text: &str, out: &mut Writer) -> Option<()> {
    let (rest, _) = split_build(text.trim_start_matches(['v', 'V', '=', ' ', '\t']));
    let rest = numbers(rest, 3, out)?;
    if rest.starts_with('.') {
        out.tag(RELEASE);
        return Some(());
    }
    match rest.strip_prefix('-') {
        // npm reads a hyphen without label as a label of its own: `1.0.0-` is a pre-release.
        Some(bare) if bare.is_empty() || bare.starts_with('.') => labels(rest, out),
        Some(pre_release) => labels(pre_release, out),
        None => labels(rest, out),
    }
}

/// Go modules and the toolchain: `v1.2.3+incompatible`, `go1.21rc2` for `1.21.0-rc.2`. A
/// pseudo-version is a pre-release by its form.
pub(super) fn write_go(text: &str, out: &mut Writer) -> Option<()> {
    let text = text.strip_prefix("go").unwrap_or(text).trim_start_matches(['v', 'V']);
    let (rest, _) = split_build(text);
    let rest = numbers(rest, 3, out)?;
    match rest.strip_prefix('-') {
        _ if rest.starts_with('.') => {
            out.tag(RELEASE);
            Some(())
        }
        Some(pre_release) => labels(pre_release, out),
        None => {
            let at = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let (word, number) = rest.split_at(at);
            labels(&format!("{word}.{number}"), out)
        }
    }
}

/// NuGet: four numbers, labels without regard to case, builds mean nothing.
pub(super) fn write_nuget(text: &str, out: &mut Writer) -> Option<()> {
    let (rest, _) = split_build(text.trim_start_matches(['v', 'V']));
    let rest = numbers(rest, 4, out)?;
    let pre_release = if rest.is_empty() { "" } else { rest.strip_prefix('-')? };
    labels(&pre_release.to_ascii_lowercase(), out)
}

/// Pub: SemVer, but `1.0.0 < 1.0.0+build`.
pub(super) fn write_pub(text: &str, out: &mut Writer) -> Option<()> {
    let (rest, build) = split_build(text.trim_start_matches(['v', 'V']));
    let rest = numbers(rest, 3, out)?;
    // As in SemVer, a fourth number is part of the build.
    let (rest, build) = match rest.strip_prefix('.') {
        Some(more) => ("", Some(more)),
        None => (rest, build),
    };
    labels(rest.strip_prefix('-').unwrap_or(rest), out)?;
    out.release_ends();
    let Some(build) = build.filter(|build| !build.is_empty()) else {
        out.open_as_bound();
        out.tag(END);
        return Some(());
    };
    label_list(build, out)
}

/// Bitnami: `6.2.1-3` is the third package of 6.2.1, and above it; other labels are pre-releases.
pub(super) fn write_bitnami(text: &str, out: &mut Writer) -> Option<()> {
    let (base, _) = split_build(text.trim_start_matches(['v', 'V']));
    let Some((release, revision)) = base.split_once('-').and_then(with_revision) else {
        write(text, out)?;
        out.release_ends();
        out.open_as_bound();
        out.tag(END);
        return Some(());
    };
    write(release, out)?;
    out.release_ends();
    out.tag(NUMBER);
    out.number(revision);
    Some(())
}

/// The release and the digits of a revision: `3`, `r3`, and with the system in front as in the
/// tags of images, `debian-12-r3`.
fn with_revision<'a>((release, label): (&'a str, &'a str)) -> Option<(&'a str, &'a str)> {
    let is_tag = ["debian-", "photon-", "ol-"].iter().any(|system| label.starts_with(system));
    let last = if is_tag { label.rsplit('-').next().unwrap_or_default() } else { label };
    let digits = last.strip_prefix('r').unwrap_or(last);
    let is_revision = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_revision.then_some((release, digits))
}

fn split_build(text: &str) -> (&str, Option<&str>) {
    text.split_once('+').map_or((text, None), |(before, build)| (before, Some(build)))
}

/// Up to `count` numbers, at least one; those that are missing are 0. What follows is returned.
fn numbers<'a>(text: &'a str, count: usize, out: &mut Writer) -> Option<&'a str> {
    let (first, mut rest) = split_digits(text);
    if first.is_empty() {
        return None;
    }
    out.number(first);
    for _ in 1..count {
        let Some(after) = rest.strip_prefix('.') else {
            out.number("0");
            continue;
        };
        let (digits, after) = split_digits(after);
        if digits.is_empty() {
            return None;
        }
        out.number(digits);
        rest = after;
    }
    Some(rest)
}

/// The pre-release, or none.
fn labels(text: &str, out: &mut Writer) -> Option<()> {
    if text.split('.').all(str::is_empty) {
        out.tag(RELEASE);
        return Some(());
    }
    out.tag(PRE_RELEASE);
    label_list(text, out)
}

fn label_list(text: &str, out: &mut Writer) -> Option<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if !text.bytes().all(allowed) {
        return None;
    }
    for label in text.split('.').filter(|label| !label.is_empty()) {
        match split_digits(label) {
            (digits, "") => {
                out.tag(NUMBER);
                out.number(digits);
            }
            _ => {
                out.tag(TEXT);
                out.text(label);
            }
        }
    }
    out.tag(END);
    Some(())
}
