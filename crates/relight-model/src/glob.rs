//! Patterns of paths and of names, as people write them.

/// Longest pattern of what an advisory means, in bytes.
pub const PATTERN_BYTES_MAX: usize = 512;

/// What stands in no name of a class, and in other ways to write one: descriptors, members, lists,
/// paths of Windows, places inside of an archive (`a.jar!/x/A`), addresses.
const FOREIGN_TO_CLASSES: &str = r#";[]\,()#:<>"'`@!=%|+&"#;

/// Ends of files that hold a class or are made into one; of names of classes in small letters none.
const FILES_OF_CLASSES: [&str; 8] = ["java", "kt", "scala", "groovy", "class", "jar", "war", "ear"];

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
        is_one.then(|| Self { pattern: pattern.to_owned() })
    }

    /// A pattern of how names of classes end, in the spelling of inventories: `/` between segments,
    /// for `.` too, none in front, no `.class` behind. `None` as for [`Glob::of_end`], and for what
    /// is no name of a class (`La/B;`, `a.B#c`, `a.B.c`, `a.B.CC`, `a..B`, `B.java`,
    /// `a.jar!/B`): it would fit nobody, and clear everybody.
    pub fn of_class(pattern: &str) -> Option<Self> {
        let pattern = pattern.trim();
        let pattern = pattern.strip_suffix(".class").unwrap_or(pattern).replace('.', "/");
        let pattern = pattern.strip_prefix('/').unwrap_or(&pattern);
        let is_foreign = |it: char| it.is_whitespace() || FOREIGN_TO_CLASSES.contains(it);
        let is_one = !pattern.contains(is_foreign) && is_name_of_class(pattern);
        Self::of_end(pattern).filter(|_| is_one)
    }

    /// This pattern of a class, and those with `$` for the last of its `/`: people write
    /// `Outer.Inner` for the file `Outer$Inner`, or the name of the inner one alone.
    pub fn spellings(&self) -> Vec<Self> {
        let mut all = vec![self.clone()];
        let mut pattern = self.pattern.clone();
        while let Some(at) = pattern.rfind('/') {
            pattern.replace_range(at..=at, "$");
            all.push(Self { pattern: pattern.clone() });
        }
        all.push(Self { pattern: format!("*${pattern}") });
        all
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

/// Whether the segments may be packages and a class, and are no place of a source, no file, and no
/// class with a member behind it.
fn is_name_of_class(pattern: &str) -> bool {
    let segments: Vec<&str> = pattern.split('/').collect();
    let is_source = |pair: &[&str]| matches!(pair, ["src", "main" | "test"]);
    // `WEB-INF/classes` and its like are folders of archives.
    let is_class = |it: &str| starts(it, char::is_uppercase) && !it.ends_with("-INF");
    // A field is in small letters, or in capitals alone; so is no class inside of another.
    let is_constant = |it: &str| it.len() > 1 && !it.contains(|c| !is_of_constants(c));
    let is_member = |pair: &[&str]| {
        is_class(pair[0]) && (starts(pair[1], char::is_lowercase) || is_constant(pair[1]))
    };
    let is_file = segments.last().is_some_and(|it| FILES_OF_CLASSES.contains(it));
    let is_other = |pair: &[&str]| is_source(pair) || is_member(pair);
    !is_file && segments.iter().all(|it| !it.is_empty()) && !segments.windows(2).any(is_other)
}

const fn is_of_constants(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
}

/// Whether the first letter of a segment, behind what stands for others, is of this kind.
fn starts(segment: &str, kind: fn(char) -> bool) -> bool {
    segment.trim_start_matches(['*', '?']).starts_with(kind)
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

    /// Goal: however people write a class, it fits the name that inventories have, or is refused.
    #[test]
    fn classes() {
        for (pattern, name, expected) in [
            ("x.Outer.Inner", "x/Outer$Inner", true),
            ("x.Outer.Inner", "WEB-INF/classes/x/Outer$Inner", true),
            ("x/Outer/Inner", "x/Outer$Inner", true),
            ("x.Outer$Inner", "x/Outer$Inner", true),
            ("x.A.B.C", "x/A$B$C", true),
            ("org.*Foo.Bar", "org/A$BFoo$Bar", true),
            ("Outer.Inner", "x/Top$Outer$Inner", true),
            ("Inner", "x/Outer$Inner", true),
            ("**.Inner", "x/y/Outer$Inner", true),
            ("/org/x/A", "WEB-INF/classes/org/x/A", true),
            (".org.x.A", "shade/org/x/A", true),
            ("org.x.A.class", "org/x/A", true),
            ("WEB-INF/classes/org/x/A", "WEB-INF/classes/org/x/A", true),
            ("META-INF.versions.9.org.x.A", "META-INF/versions/9/org/x/A", true),
            ("org.groovy.*", "org/groovy/Groovy", true),
            ("org.groovy.Groovy", "org/groovy/Groovy", true),
            ("src.x.A", "src/x/A", true),
            ("org.x.A$lookup$1", "org/x/A$lookup$1", true),
            ("org.x.A", "org/x/A$1", false),
            ("x.Outer.Inner", "x/Outer$Inner$1", false),
            ("Inner", "x/OuterInner", false),
            ("x.Outer.I", "x/Outer$I", true),
        ] {
            let all = Glob::of_class(pattern).unwrap().spellings();
            let fits = all.iter().any(|glob| glob.fits_end(name));
            assert_eq!(fits, expected, "{pattern} on {name}");
        }
        for pattern in [
            "",
            "*",
            "a..B",
            "//a/B",
            "a.",
            ".",
            "La/B;",
            "[B",
            "a\\B",
            "a.B, a.C",
            "a.B#c",
            "a.B::c",
            "a.B.c()",
            "java.util.List<a.B>",
            "\"a.B\"",
            "@a.B",
            "class B",
            "a.jar!/x/A",
            "!/x/A",
            "x=A",
            "x%2fA",
            "A|B",
            "A+B",
            "A&B",
            "x.A.lookup",
            "*Lookup.lookup",
            "x.A.LOGGER",
            "x.A.MAX_2",
            "x.A.b.C",
            "A.java",
            "**/*.java",
            "x/a.kt",
            "lib/a-1.jar",
            "A.class.class",
            "src/main/java/org/x/A",
            "app/src/test/org/x/A",
        ] {
            assert_eq!(Glob::of_class(pattern), None, "{pattern}");
        }
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
