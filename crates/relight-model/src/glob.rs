//! Patterns of paths and of names, as people write them.

/// Longest pattern of what an advisory means, in bytes.
const PATTERN_BYTES_MAX: usize = 512;

/// A pattern over evidence paths: `*` is any run of characters within one segment, `?` is one of
/// them, `**` goes over segments. A pattern without `/` fits a name at any depth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    pattern: String,
}

impl Glob {
    /// A pattern; a leading `/` is the root of the scan, a trailing one is ignored.
    pub fn new(pattern: &str) -> Self {
        let trimmed = pattern.trim_end_matches('/');
        let pattern = match trimmed.strip_prefix('/') {
            Some(anchored) => anchored.to_owned(),
            None if trimmed.contains('/') => trimmed.to_owned(),
            None => format!("**/{trimmed}"),
        };
        Self { pattern }
    }

    /// A pattern of what ends like this: `None` for one that says nothing (`**`) or is longer than
    /// [`PATTERN_BYTES_MAX`]. For [`Glob::fits_end`].
    pub fn of_end(pattern: &str) -> Option<Self> {
        let pattern = pattern.trim();
        let tells = pattern.contains(char::is_alphanumeric) && !pattern.contains(char::is_control);
        let is_one = tells && pattern.len() <= PATTERN_BYTES_MAX && !pattern.ends_with('/');
        is_one.then(|| Self::as_written(pattern))
    }

    /// The pattern as it stands, for [`Glob::fits_end`].
    pub(crate) fn as_written(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned() }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the pattern fits the path, or what of it stands behind one of its `/`.
    pub fn fits_end(&self, path: &str) -> bool {
        let pattern = self.pattern.as_bytes();
        // `*/x` is also `x` itself, and `/x` stands at the root alone.
        let rooted = [b"/", path.as_bytes()].concat();
        let ends = (0..rooted.len()).filter(|at| rooted[*at] == b'/');
        fits(pattern, &rooted) || ends.into_iter().any(|at| fits(pattern, &rooted[at + 1..]))
    }

    /// Whether the pattern fits this path, whole.
    pub fn fits(&self, path: &str) -> bool {
        let pattern = self.pattern.as_bytes();
        let path = path.as_bytes();
        // `**/x` is also `x` itself.
        let rest = pattern.strip_prefix(b"**/");
        fits(pattern, path) || rest.is_some_and(|rest| fits(rest, path))
    }
}

/// Matches with two places to go back to: behind the last `*`, and behind the last `**`. Each
/// step moves one of them forward, so the time is bounded by the product of the two lengths.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut done) = (0, 0);
    let mut segment: Option<(usize, usize)> = None;
    let mut anywhere: Option<(usize, usize)> = None;
    while done < path.len() {
        match pattern.get(at) {
            Some(b'*') if pattern.get(at + 1) == Some(&b'*') => {
                anywhere = Some((at + 2, done));
                segment = None;
                at += 2;
                continue;
            }
            Some(b'*') => {
                segment = Some((at + 1, done));
                at += 1;
                continue;
            }
            Some(b'?') if path[done] != b'/' => {
                at += 1;
                done += 1;
                // One character is one to four bytes of UTF-8.
                while path.get(done).is_some_and(|byte| byte & 0xC0 == 0x80) {
                    done += 1;
                }
                continue;
            }
            Some(byte) if *byte == path[done] => {
                at += 1;
                done += 1;
                continue;
            }
            _ => {}
        }
        match (segment, anywhere) {
            (Some((back, from)), _) if path[from] != b'/' => {
                segment = Some((back, from + 1));
                (at, done) = (back, from + 1);
            }
            (_, Some((back, from))) => {
                anywhere = Some((back, from + 1));
                segment = None;
                (at, done) = (back, from + 1);
            }
            _ => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("*.log", "a.log", true),
            ("*.log", "var/x/a.log", true),
            ("*.log", "a.log/b", false),
            ("/*.log", "var/a.log", false),
            ("/var", "var", true),
            ("/var/", "var", true),
            ("var/*/x", "var/a/x", true),
            ("var/*/x", "var/a/b/x", false),
            ("var/**/x", "var/a/b/x", true),
            ("**/x", "x", true),
            ("**", "a/b", true),
            ("a?c", "abc", true),
            ("a?c", "aéc", true),
            ("a?c", "a/c", false),
            ("/a**z/*.jar", "ab/c/dz/q.jar", true),
            ("/a**z/*.jar", "ab/c/dz/q.jar/x", false),
            ("", "a", false),
        ] {
            assert_eq!(Glob::new(pattern).fits(path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn ends() {
        for (pattern, path, expected) in [
            ("*/log4j*.jar", "log4j.jar", true),
            ("*/log4j*.jar", "srv/app/lib/log4j-core-2.jar", true),
            ("*/log4j*.jar", "a.war!/WEB-INF/lib/log4j.jar", true),
            ("*/log4j*.jar", "a.war!/log4j.jar", true),
            ("*/log4j*.jar", "lib/log4j/x.jar", false),
            ("log4j*.jar", "lib/log4j-1.jar", true),
            ("lib/log4j*.jar", "a/lib/log4j-1.jar", true),
            ("lib/log4j*.jar", "a/mylib/log4j-1.jar", false),
            ("/lib/a.jar", "lib/a.jar", true),
            ("/lib/a.jar", "x/lib/a.jar", false),
            ("a/**/x.jar", "srv/a/b/c/x.jar", true),
            ("*JndiLookup", "org/apache/JndiLookup", true),
            ("*JndiLookup", "JndiLookup", true),
            ("*JndiLookup", "org/apache/JndiLookup$1", false),
            ("*JndiLookup", "org/JndiLookup/Other", false),
            ("org/*/A", "shade/org/x/A", true),
        ] {
            let glob = Glob::of_end(pattern).unwrap();
            assert_eq!(glob.fits_end(path), expected, "{pattern} on {path}");
        }
        let long = "a".repeat(PATTERN_BYTES_MAX + 1);
        for pattern in ["", "*", "**", " / ", "?", "a/", "a\nb", &long] {
            assert_eq!(Glob::of_end(pattern), None, "{pattern}");
        }
        assert!(Glob::of_end(&long[1..]).is_some());
    }

    /// A pattern of a person must not cost more than the length of the path allows.
    #[test]
    fn stars_do_not_explode() {
        let pattern = Glob::new(&"*a".repeat(40));
        assert!(!pattern.fits(&"a".repeat(4_000).replace("aaaa", "aaab")));
        let path = "a/".repeat(20_000);
        assert!(!Glob::new("**/**/**/**/b").fits(&path));
    }
}
