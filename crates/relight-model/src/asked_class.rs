//! Classes as people ask for them: what fits no name for how it is written would be an answer that
//! nobody has it.

use crate::glob::Glob;

/// What names of classes hold besides letters and digits, as patterns of people do.
const SIGNS_OF_CLASSES: &str = "_$-*?/";

impl Glob {
    /// A pattern of how names of classes end, in the spelling of inventories: `/` between segments,
    /// for `.` too, none in front, no `.class` behind. `None` as for [`Glob::of_end`], and for what
    /// is no name of a class (`La/B;`, `a.B#c`, `a.B.c`, `a.B.CC`, `a..B`, `B.java`,
    /// `a.jar!/B`, `a.b`): it would fit nobody, and clear everybody.
    pub fn of_class(pattern: &str) -> Option<Self> {
        let pattern = pattern.trim();
        let pattern = pattern.strip_suffix(".class").unwrap_or(pattern).replace('.', "/");
        let pattern = pattern.strip_prefix('/').unwrap_or(&pattern);
        let is_foreign = |it: char| !it.is_alphanumeric() && !SIGNS_OF_CLASSES.contains(it);
        let is_one = !pattern.contains(is_foreign) && is_name_of_class(pattern);
        Self::of_end(pattern).filter(|_| is_one)
    }
}

/// A pattern of a class in every spelling that people may mean by it, small letters or capitals.
#[derive(Clone, Debug)]
pub struct AskedClass {
    /// As it was written, and without the `$` at its end, which a regular expression has and an
    /// object of Scala.
    written: Vec<Glob>,
    /// With `$` for the last of its `/`: people write `Outer.Inner` for the file `Outer$Inner`, or
    /// the name of the inner one alone. Only nested classes are meant by these.
    nested: Vec<Glob>,
}

impl AskedClass {
    /// What is meant by a pattern of [`Glob::of_class`].
    pub fn of(pattern: &Glob) -> Self {
        let mut pattern = pattern.as_str().to_lowercase();
        let mut written = vec![Glob::as_written(&pattern)];
        if let Some(without) = pattern.strip_suffix('$') {
            written.push(Glob::as_written(without));
        }
        let mut nested = Vec::new();
        while let Some(at) = pattern.rfind('/') {
            pattern.replace_range(at..=at, "$");
            nested.push(Glob::as_written(&pattern));
        }
        nested.push(Glob::as_written(&format!("*${pattern}")));
        Self { written, nested }
    }

    /// Whether it is meant by a class of this name, which stands in an archive or in a folder of a
    /// class path. A pattern that holds where that folder is fits as well.
    pub fn fits(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let ends = |all: &[Glob]| all.iter().any(|glob| glob.fits_end(&name));
        let is_behind = |glob: &Glob| {
            let before = glob.as_str().strip_suffix(name.as_str());
            name.contains('/') && before.is_some_and(|before| before.ends_with('/'))
        };
        ends(&self.written)
            || self.written.iter().any(is_behind)
            || (name.contains('$') && ends(&self.nested))
    }
}

/// Whether the segments may be packages and a class, and are no place of a source, no file, no
/// package alone, and no class with a member behind it.
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
    let is_other = |pair: &[&str]| is_source(pair) || is_member(pair);
    // Packages, artifacts and files are in small letters, and classes are not.
    let is_small = |it: &str| it.contains(char::is_lowercase) && !it.contains(char::is_uppercase);
    segments.last().is_some_and(|it| !is_small(it))
        && segments.iter().all(|it| !it.is_empty())
        && !segments.windows(2).any(is_other)
}

const fn is_of_constants(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
}

/// Whether the first letter of a segment, behind what stands for others, is of this kind.
fn starts(segment: &str, kind: fn(char) -> bool) -> bool {
    segment.trim_start_matches(['*', '?']).starts_with(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: however people write a class, it fits the name that inventories have, or is refused.
    #[test]
    fn a_class_fits_however_it_is_written() {
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
            ("x.outer.INner", "x/Outer$Inner", true),
            ("*JNDILookup", "org/x/JndiLookup", true),
            ("*JndiLookup$", "org/x/JndiLookup", true),
            ("Foo$", "org/x/Foo$", true),
            ("srv/app/WEB-INF/classes/org/x/A", "org/x/A", true),
            ("opt/classes/org/x/A", "org/x/A", true),
            ("org/x/A", "A", false),
            ("org/x/BA", "x/A", false),
        ] {
            let asked = AskedClass::of(&Glob::of_class(pattern).unwrap());
            assert_eq!(asked.fits(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn what_would_fit_no_name_is_refused() {
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
            "org.apache.logging.log4j",
            "log4j-core",
            "*jndilookup",
            "*.lookup",
            "*JndiLookup\u{200b}",
            "org.x.\u{ad}A",
            "\u{201c}*JndiLookup\u{201d}",
            "\u{ab}*JndiLookup\u{bb}",
            "^JndiLookup",
            "{JndiLookup}",
            "JndiLookup~",
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
}
