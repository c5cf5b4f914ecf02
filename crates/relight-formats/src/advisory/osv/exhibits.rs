//! Files and classes that an advisory of our own means: by digest, by example, by path and by name.

use relight_model::{Digest, Example, Exhibit, Glob, ProfileGap, Values};
use serde_json::Value;

use crate::advisory::json::{EVENTS_MAX, Fault, Object, VERSIONS_MAX, needed, objects, texts};

/// `hashes`, `examples`, `paths` and `class_names` of `database_specific`. One that cannot be read
/// refuses the record: the rest of it would clear whom it was to find.
pub(super) fn exhibits(specific: &Object) -> Result<Vec<Exhibit>, Fault> {
    let mut all = Vec::new();
    for hash in texts(specific, "hashes", VERSIONS_MAX)? {
        let digest = Digest::parse(hash.strip_prefix("sha256:").unwrap_or(&hash));
        let digest = digest.ok_or_else(|| format!("`{hash}` in field `hashes` is no SHA-256"))?;
        all.push(Exhibit::File(digest));
    }
    for item in objects(specific, "examples", EVENTS_MAX)? {
        all.push(Exhibit::Like(example(item)?));
    }
    type Read = fn(&str) -> Option<Exhibit>;
    let patterns: [(_, Read); 2] = [
        ("paths", |it| Glob::of_end(it).map(Exhibit::Path)),
        ("class_names", |it| Glob::of_class(it).map(Exhibit::Class)),
    ];
    for (key, read) in patterns {
        for pattern in texts(specific, key, EVENTS_MAX)? {
            let exhibit = read(&pattern);
            let fault = || format!("`{pattern}` in field `{key}` says nothing");
            all.push(exhibit.ok_or_else(fault)?);
        }
    }
    all.sort();
    all.dedup();
    Ok(all)
}

fn example(item: &Object) -> Result<Example, Fault> {
    let (classes, members) = (numbers(item, "classes")?, numbers(item, "members")?);
    let mut values = Values { classes, members, gap: ProfileGap::None };
    values.normalise();
    if values.is_empty() {
        return Err("an example in field `examples` holds nothing to compare".to_owned());
    }
    let least = item.get("least").and_then(Value::as_u64).filter(|it| (1..=1000).contains(it));
    let least = least.and_then(|it| u16::try_from(it).ok());
    let least = least.ok_or("field `least` of an example is no number from 1 to 1000")?;
    Ok(Example { name: needed(item, "name")?.to_owned(), values, least })
}

/// Numbers of 16 hexadecimal digits.
fn numbers(item: &Object, key: &str) -> Result<Vec<u64>, Fault> {
    let words = texts(item, key, VERSIONS_MAX)?.into_iter();
    let number = |word: String| {
        let is_whole = word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(&word, 16).ok().filter(|_| is_whole);
        number.ok_or_else(|| format!("`{word}` in field `{key}` is no number of 16 digits"))
    };
    words.map(number).collect()
}
