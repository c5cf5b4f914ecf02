//! Steps of GitHub workflows that come from elsewhere: `uses: OWNER/REPOSITORY/PATH@REF`, in
//! block style and in flow style.

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

/// Bytes of the name of one action; what comes behind it on its line may be much longer.
const VALUE_BYTES_MAX: usize = 512;

fn read(file: &File<'_>, out: &mut Catalog) {
    if !file.path.ends_with(".yml") && !file.path.ends_with(".yaml") {
        return;
    }
    if file.bytes.contains(&0) {
        return reader::bad(file, reader::METADATA, "no text", out);
    }
    let text = reader::text(file);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let values = values(line);
        if values.is_empty() {
            continue;
        }
        // A value may stand alone on the next line.
        let below = lines.peek().map_or("", |next| start(next.trim()));
        for value in values {
            let used = if matches!(value, "" | ">" | ">-" | "|" | "|-") { below } else { value };
            if let Some(purl) = action(used) {
                reader::declared(file, purl, out);
            }
        }
    }
}

/// The values of every key `uses` of a line, in block style (`- uses: a/b@v1`) and in flow style
/// (`[{name: x, "uses": a/b@v1}]`).
fn values(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let lead = line.len() - line.trim_start_matches(['-', ' ', '\t', '?']).len();
    for (at, _) in line.match_indices("uses") {
        let (before, behind) = (line[..at].trim_end(), &line[at + "uses".len()..]);
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''));
        let before = before.strip_suffix(['"', '\'']).unwrap_or(before).trim_end();
        let behind = quote.map_or(Some(behind), |quote| behind.strip_prefix(quote));
        let value = behind.and_then(|behind| behind.trim_start().strip_prefix(':'));
        let in_flow = before.ends_with(['{', '[', ',']);
        let is_key = in_flow || before.len() <= lead;
        // Behind a plain key stands a space; `uses:x` is a text.
        let is_apart = |value: &&str| quote.is_some() || value.is_empty() || value.starts_with(' ');
        if let Some(value) = value.filter(is_apart).filter(|_| is_key) {
            found.push(scalar(start(value.trim_start()), in_flow));
        }
    }
    found
}

/// As much of a text as a value may have.
fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(VALUE_BYTES_MAX)]
}

/// A value without quotes, comment, and what YAML may put in front of it (`&anchor`, `!!str`).
fn scalar(value: &str, in_flow: bool) -> &str {
    let mut value = value.trim_start();
    while let Some((mark, rest)) = value.split_once(' ')
        && mark.starts_with(['&', '!'])
    {
        value = rest.trim_start();
    }
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return value[1..].split(quote).next().unwrap_or_default();
    }
    let plain = value.split(" #").next().unwrap_or_default();
    let ends: &[char] = if in_flow { &[',', '}', ']'] } else { &[] };
    // A flow over several lines ends its lines with a comma, and the last one with its own end.
    let plain = before_end(plain.split(ends).next().unwrap_or_default());
    plain.trim().trim_end_matches(',').trim_end()
}

/// What stands before a brace or bracket that closes one of a line above; `${{ x }}` closes its
/// own.
fn before_end(plain: &str) -> &str {
    let mut depth = 0_i32;
    let end = plain.find(|c| {
        depth += i32::from(matches!(c, '{' | '[')) - i32::from(matches!(c, '}' | ']'));
        depth < 0
    });
    end.map_or(plain, |end| &plain[..end])
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
