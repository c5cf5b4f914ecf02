//! Questions that no range of versions can say: `has(path:*/log4j*.jar) or has(class:*JndiLookup)`.

use relight_model::{Digest, Glob};
use serde_json::{Value, json};

/// What makes whoever holds it affected, as it was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) hashes: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) classes: Vec<String>,
}

impl Asked {
    /// Whether a value of `--query` is a question, and not the name of a file.
    pub(super) fn is_one(text: &str) -> bool {
        text.trim_start().starts_with("has(")
    }

    /// Adds what a question asks for; `None` if it cannot be read, and then nothing is added.
    pub(super) fn query(&mut self, text: &str) -> Option<()> {
        let (mut rest, mut more) = (text.trim(), Self::default());
        loop {
            let (inner, behind) = rest.strip_prefix("has(")?.split_once(')')?;
            let (kind, value) = inner.split_once(':')?;
            match kind.trim() {
                "hash" => more.hashes.push(hash(value)?),
                "path" => more.paths.push(written(&Glob::of_end(value)?)),
                "class" => more.class(value)?,
                _ => return None,
            }
            let behind = behind.trim_start();
            if behind.is_empty() {
                break;
            }
            let next = behind.strip_prefix("or")?;
            rest = next.trim_start();
            if rest.len() == next.len() {
                return None;
            }
        }
        self.hashes.append(&mut more.hashes);
        self.paths.append(&mut more.paths);
        self.classes.append(&mut more.classes);
        Some(())
    }

    /// Adds the name of a class, with `.` or `/` between segments; `None` if it says nothing.
    pub(super) fn class(&mut self, text: &str) -> Option<()> {
        self.classes.push(written(&Glob::of_class(text)?));
        Some(())
    }

    /// Writes it into a record; of what is not asked for, that of before stays.
    pub(super) fn write(&self, record: &mut Value) {
        for (key, asked) in
            [("hashes", &self.hashes), ("paths", &self.paths), ("class_names", &self.classes)]
        {
            if !asked.is_empty() {
                record["database_specific"][key] = json!(asked);
            }
        }
    }
}

/// A SHA-256 in small digits.
pub(super) fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    Digest::parse(digits).map(|it| it.to_string())
}

fn written(glob: &Glob) -> String {
    glob.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_or_refused() {
        let read = |text: &str| {
            let mut asked = Asked::default();
            asked.query(text).map(|()| (asked.hashes, asked.paths, asked.classes))
        };
        let list = |all: &[&str]| -> Vec<String> { all.iter().map(|&it| it.to_owned()).collect() };
        let digest = "ab".repeat(32);
        let all = format!(
            " has(path:*/log4j*.jar)  or has( class : *.JndiLookup.class) or \
                           has(hash:sha256:{}) ",
            digest.to_uppercase()
        );
        let wanted = (list(&[&digest]), list(&["*/log4j*.jar"]), list(&["*/JndiLookup"]));
        assert_eq!(read(&all), Some(wanted));
        let one = read("has(class:org.example.A)").unwrap();
        assert_eq!(one.2, ["org/example/A"]);
        for bad in [
            "",
            "has()",
            "has(path:)",
            "has(path:**)",
            "has(path:a",
            "path:a",
            "has(hash:abc)",
            "has(name:a)",
            "has(path:a) has(path:b)",
            "has(path:a) and has(path:b)",
            "has(path:a) orhas(path:b)",
            "has(path:a) or",
            "has(class:*)",
            "has(class:org.example.A, org.example.B)",
            "has(path:a))",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
