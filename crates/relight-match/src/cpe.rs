//! Names of the Common Platform Enumeration 2.3 (NISTIR 7695) and how they match (NISTIR 7696).
//!
//! Used only where somebody stated a name: none is ever made from the name of a file or a package.

use std::fmt;

/// Longest name, in bytes.
pub const CPE_BYTES_MAX: usize = 1024;

/// The attributes of a name, in the order of the formatted string.
const ATTRIBUTES: usize = 11;

/// Where the version stands.
const VERSION: usize = 3;

/// A name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cpe([Attribute; ATTRIBUTES]);

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Attribute {
    /// `*`: every value.
    Any,
    /// `-`: the attribute makes no sense here.
    NotApplicable,
    /// A value in small letters.
    Value(Vec<Sign>),
}

/// One character of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sign {
    Plain(char),
    /// `?`: one character, or none.
    One,
    /// `*`: any characters.
    Many,
}

/// How the versions, or whatever else two attributes name, lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Disjoint,
    Equal,
    Subset,
    Superset,
    Undefined,
}

/// What a name of an advisory says of the name of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CpeFit {
    /// The product is not meant.
    Disjoint,
    /// The product's name says less than it would have to: it may be meant.
    Possible,
    /// The product is meant.
    Covered,
}

impl Cpe {
    /// Reads a formatted string (`cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*`) or a URI of version
    /// 2.2 (`cpe:/a:apache:log4j:2.14.1`).
    ///
    /// # Errors
    /// Says in a few words what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > CPE_BYTES_MAX {
            return Err("cpe name is longer than 1024 bytes");
        }
        let text = text.trim().to_lowercase();
        if let Some(rest) = text.strip_prefix("cpe:2.3:") {
            return Self::formatted(rest);
        }
        let rest = text.strip_prefix("cpe:/").ok_or("cpe name does not start with `cpe:`")?;
        Self::uri(rest)
    }

    fn formatted(rest: &str) -> Result<Self, &'static str> {
        let parts = split_unquoted(rest);
        if parts.len() != ATTRIBUTES {
            return Err("cpe name does not have eleven attributes");
        }
        let mut attributes = [const { Attribute::Any }; ATTRIBUTES];
        for (attribute, part) in attributes.iter_mut().zip(&parts) {
            *attribute = Attribute::parse(part)?;
        }
        Self::checked(attributes)
    }

    /// The seven components of version 2.2; an empty one means any value.
    fn uri(rest: &str) -> Result<Self, &'static str> {
        let parts: Vec<_> = rest.split(':').collect();
        if parts.len() > 7 {
            return Err("cpe name has more than seven components");
        }
        let mut attributes = [const { Attribute::Any }; ATTRIBUTES];
        for (place, part) in parts.iter().enumerate() {
            // `~edition~sw_edition~target_sw~target_hw~other` packs five attributes into one.
            match part.strip_prefix('~') {
                Some(packed) if place == 5 => {
                    let unpacked: Vec<_> = packed.split('~').collect();
                    for (part, place) in unpacked.iter().zip([5, 7, 8, 9, 10]) {
                        attributes[place] = Attribute::parse_uri(part)?;
                    }
                }
                _ => attributes[place] = Attribute::parse_uri(part)?,
            }
        }
        Self::checked(attributes)
    }

    fn checked(attributes: [Attribute; ATTRIBUTES]) -> Result<Self, &'static str> {
        let kinds = ["a", "o", "h"];
        let is_kind = match &attributes[0] {
            Attribute::Value(_) => kinds.contains(&attributes[0].to_string().as_str()),
            Attribute::Any | Attribute::NotApplicable => true,
        };
        if is_kind { Ok(Self(attributes)) } else { Err("cpe name has a part other than a, o, h") }
    }

    /// The vendor, without quoting; empty when it is not said.
    pub fn vendor(&self) -> String {
        self.0[1].plain()
    }

    /// The product, without quoting; empty when it is not said.
    pub fn product(&self) -> String {
        self.0[2].plain()
    }

    /// The version, without quoting; empty when it is not said (`*`) or none (`-`).
    pub fn version(&self) -> String {
        self.0[VERSION].plain()
    }

    /// Whether every version is meant, or none is said: a name like that bounds nothing.
    pub fn is_unversioned(&self) -> bool {
        !matches!(self.0[VERSION], Attribute::Value(_))
    }

    /// What this name, of an advisory, says of the name of a product. An attribute that the product
    /// leaves open (`*`) may be the one that is meant.
    pub fn fit(&self, product: &Self) -> CpeFit {
        self.fit_but_version(product).min(self.version_fit(product))
    }

    /// As [`Cpe::fit`], whatever the versions.
    pub(crate) fn fit_but_version(&self, product: &Self) -> CpeFit {
        let pairs = self.0.iter().zip(&product.0).enumerate();
        let relations = pairs.filter(|(at, _)| *at != VERSION).map(|(_, (a, b))| a.relation(b));
        relations.map(Relation::fit).min().unwrap_or(CpeFit::Disjoint)
    }

    /// As [`Cpe::fit`], of the versions alone.
    pub(crate) fn version_fit(&self, product: &Self) -> CpeFit {
        self.0[VERSION].relation(&product.0[VERSION]).fit()
    }
}

/// The formatted string.
impl fmt::Display for Cpe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cpe:2.3")?;
        self.0.iter().try_for_each(|attribute| write!(f, ":{attribute}"))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signs = match self {
            Self::Any => return f.write_str("*"),
            Self::NotApplicable => return f.write_str("-"),
            Self::Value(signs) => signs,
        };
        for sign in signs {
            match sign {
                Sign::One => f.write_str("?")?,
                Sign::Many => f.write_str("*")?,
                Sign::Plain(c) if c.is_alphanumeric() || *c == '_' => write!(f, "{c}")?,
                // `-` alone means "not applicable", so it is quoted only there.
                Sign::Plain(c @ ('.' | '-')) if signs.len() > 1 => write!(f, "{c}")?,
                Sign::Plain(c) => write!(f, "\\{c}")?,
            }
        }
        Ok(())
    }
}

impl Attribute {
    /// A part of a formatted string: `\` quotes, `*` and `?` are wildcards at either end.
    fn parse(part: &str) -> Result<Self, &'static str> {
        match part {
            "" => return Err("cpe name has an empty attribute"),
            "*" => return Ok(Self::Any),
            "-" => return Ok(Self::NotApplicable),
            _ => {}
        }
        let mut signs = Vec::new();
        let mut chars = part.chars();
        while let Some(c) = chars.next() {
            signs.push(match c {
                '\\' => Sign::Plain(chars.next().ok_or("cpe name ends inside a quote")?),
                '*' => Sign::Many,
                '?' => Sign::One,
                c if c.is_whitespace() || c.is_control() => return Err("cpe name has a space"),
                c => Sign::Plain(c),
            });
        }
        Self::checked(signs)
    }

    /// A component of a URI: percent-encoded, `%01` and `%02` for the wildcards.
    fn parse_uri(part: &str) -> Result<Self, &'static str> {
        match part {
            "" => return Ok(Self::Any),
            "-" => return Ok(Self::NotApplicable),
            _ => {}
        }
        let mut signs = Vec::new();
        let mut rest = part;
        while let Some(c) = rest.chars().next() {
            let Some(escape) = rest.strip_prefix('%') else {
                signs.push(Sign::Plain(c));
                rest = &rest[c.len_utf8()..];
                continue;
            };
            let digits = escape.get(..2).ok_or("cpe name ends inside an escape")?;
            let code = u8::from_str_radix(digits, 16).map_err(|_| "cpe name has a bad escape")?;
            signs.push(match code {
                1 => Sign::One,
                2 => Sign::Many,
                0x21..=0x7e => Sign::Plain(char::from(code).to_ascii_lowercase()),
                _ => return Err("cpe name has a bad escape"),
            });
            rest = &escape[2..];
        }
        Self::checked(signs)
    }

    /// Wildcards stand at the ends only.
    fn checked(signs: Vec<Sign>) -> Result<Self, &'static str> {
        let is_plain = |sign: &Sign| matches!(sign, Sign::Plain(_));
        let first = signs.iter().position(is_plain).ok_or("cpe name has only wildcards")?;
        let last = signs.iter().rposition(is_plain).unwrap_or(first);
        let is_fine = signs[first..=last].iter().all(is_plain);
        if is_fine { Ok(Self::Value(signs)) } else { Err("cpe name has a wildcard inside") }
    }

    fn plain(&self) -> String {
        let Self::Value(signs) = self else { return String::new() };
        let plain = |sign: &Sign| match sign {
            Sign::Plain(c) => *c,
            Sign::One => '?',
            Sign::Many => '*',
        };
        signs.iter().map(plain).collect()
    }

    fn has_wildcard(&self) -> bool {
        let Self::Value(signs) = self else { return false };
        signs.iter().any(|sign| !matches!(sign, Sign::Plain(_)))
    }

    /// Table 6-2 of NISTIR 7696, this one being the source.
    fn relation(&self, target: &Self) -> Relation {
        match (self, target) {
            (_, target) if target.has_wildcard() => Relation::Undefined,
            (Self::Any, Self::Any) | (Self::NotApplicable, Self::NotApplicable) => Relation::Equal,
            (Self::Any, _) => Relation::Superset,
            (_, Self::Any) => Relation::Subset,
            (Self::NotApplicable, _) | (_, Self::NotApplicable) => Relation::Disjoint,
            (Self::Value(a), Self::Value(b)) if a == b => Relation::Equal,
            (Self::Value(a), Self::Value(b)) if matches(a, b) => Relation::Superset,
            (Self::Value(_), Self::Value(_)) => Relation::Disjoint,
        }
    }
}

impl Relation {
    const fn fit(self) -> CpeFit {
        match self {
            Self::Equal | Self::Superset => CpeFit::Covered,
            Self::Subset | Self::Undefined => CpeFit::Possible,
            Self::Disjoint => CpeFit::Disjoint,
        }
    }
}

/// Whether a value with wildcards at its ends covers one without.
fn matches(pattern: &[Sign], value: &[Sign]) -> bool {
    // For each length of the value: whether the pattern read so far covers its start.
    let mut reached = vec![false; value.len() + 1];
    reached[0] = true;
    for sign in pattern {
        let mut next = vec![false; value.len() + 1];
        for at in 0..=value.len() {
            if !reached[at] {
                continue;
            }
            match sign {
                Sign::Many => next[at..].fill(true),
                Sign::One => {
                    next[at] = true;
                    next[(at + 1).min(value.len())] = true;
                }
                plain if value.get(at) == Some(plain) => next[at + 1] = true,
                Sign::Plain(_) => {}
            }
        }
        reached = next;
    }
    reached[value.len()]
}

/// The parts between colons that are not quoted.
fn split_unquoted(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    for (at, c) in text.char_indices() {
        if c == ':' && !is_quoted {
            parts.push(&text[start..at]);
            start = at + 1;
        }
        is_quoted = c == '\\' && !is_quoted;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cpe(text: &str) -> Cpe {
        // `a:vendor:product:version` and stars.
        let missing = ATTRIBUTES - split_unquoted(text).len();
        Cpe::parse(&format!("cpe:2.3:{text}{}", ":*".repeat(missing))).unwrap()
    }

    #[test]
    fn both_forms_are_read() {
        for (text, formatted) in [
            (
                "cpe:2.3:a:Apache:log4j:2.14.1:*:*:*:*:*:*:*",
                "cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*",
            ),
            ("cpe:/a:apache:log4j:2.14.1", "cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*"),
            ("cpe:/a:apache:log4j:2.0:beta9", "cpe:2.3:a:apache:log4j:2.0:beta9:*:*:*:*:*:*"),
            (
                "cpe:/o:redhat:enterprise_linux:8::baseos",
                "cpe:2.3:o:redhat:enterprise_linux:8:*:baseos:*:*:*:*:*",
            ),
            (
                "cpe:/a:hp:insight:7.4.0.1570:-:~~online~win2003~x64~",
                "cpe:2.3:a:hp:insight:7.4.0.1570:-:*:*:online:win2003:x64:*",
            ),
            (
                "cpe:/a:foo%5cbar:big%24money:2010",
                "cpe:2.3:a:foo\\\\bar:big\\$money:2010:*:*:*:*:*:*:*",
            ),
            ("cpe:/a:v:p:8.%02", "cpe:2.3:a:v:p:8.*:*:*:*:*:*:*:*"),
        ] {
            let read = Cpe::parse(text).unwrap();
            assert_eq!(read.to_string(), formatted, "{text}");
            assert_eq!(Cpe::parse(formatted), Ok(read));
        }
        let colon = cpe("a:x\\:y:p:1");
        assert_eq!((colon.vendor().as_str(), colon.product().as_str()), ("x:y", "p"));
        assert!(cpe("a:v:p:*").is_unversioned() && cpe("a:v:p:-").is_unversioned());
        assert!(!colon.is_unversioned());
    }

    #[test]
    fn what_is_no_name() {
        let long = format!("cpe:/a:{}", "a".repeat(CPE_BYTES_MAX));
        for text in [
            "",
            "apache log4j",
            "cpe:2.3:a:apache:log4j",
            "cpe:2.3:a:apache:log4j:1:*:*:*:*:*:*:*:*",
            "cpe:2.3:x:apache:log4j:1:*:*:*:*:*:*:*",
            "cpe:2.3:a::log4j:1:*:*:*:*:*:*:*",
            "cpe:2.3:a:ap*che:log4j:1:*:*:*:*:*:*:*",
            "cpe:2.3:a:a b:log4j:1:*:*:*:*:*:*:*",
            "cpe:2.3:a:**:log4j:1:*:*:*:*:*:*:*",
            "cpe:/a:b:c:d:e:f:g:h",
            "cpe:/a:b%zz",
            &long,
        ] {
            assert!(Cpe::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_match_by_attribute() {
        for (advisory, product, fit) in [
            ("a:apache:log4j:2.14.1", "a:apache:log4j:2.14.1", CpeFit::Covered),
            ("a:apache:log4j:*", "a:apache:log4j:2.14.1", CpeFit::Covered),
            ("a:apache:log4j:2.14.1", "a:apache:log4j:*", CpeFit::Possible),
            ("a:apache:log4j:2.14.1", "a:apache:log4j:2.15.0", CpeFit::Disjoint),
            ("a:apache:log4j:-", "a:apache:log4j:1", CpeFit::Disjoint),
            ("a:apache:log4j:1", "a:apache:log4j:-", CpeFit::Disjoint),
            ("a:apache:log4j:*", "a:apache:log4j:-", CpeFit::Covered),
            // The vendor may be open on either side.
            ("a:*:log4j:1", "a:apache:log4j:1", CpeFit::Covered),
            ("a:apache:log4j:1", "a:*:log4j:1", CpeFit::Possible),
            ("o:apache:log4j:1", "a:apache:log4j:1", CpeFit::Disjoint),
            ("a:v:p:8.*", "a:v:p:8.1.2", CpeFit::Covered),
            ("a:v:p:8.*", "a:v:p:9.1", CpeFit::Disjoint),
            ("a:v:p:8.?", "a:v:p:8.1", CpeFit::Covered),
            ("a:v:p:8.?", "a:v:p:8.12", CpeFit::Disjoint),
            ("a:v:p:*sr1", "a:v:p:8_sr1", CpeFit::Covered),
            ("a:v:p:8", "a:v:p:8.*", CpeFit::Possible),
            ("a:v:p:1\\*", "a:v:p:1\\*", CpeFit::Covered),
            ("a:v:p:1\\*", "a:v:p:12", CpeFit::Disjoint),
        ] {
            assert_eq!(cpe(advisory).fit(&cpe(product)), fit, "{advisory} {product}");
        }
    }

    proptest! {
        #[test]
        fn printed_and_read_again_it_is_the_same(
            parts in prop::collection::vec("\\*|-|[*?]?[a-c.:+ ]{1,4}[?*]?", 3),
        ) {
            let quote = |part: &String| {
                let inner = part.replace(':', "\\:").replace('+', "\\+").replace(' ', "_");
                if part == "." { "\\.".to_owned() } else { inner }
            };
            let parts: Vec<_> = parts.iter().map(quote).collect();
            let text = format!("cpe:2.3:a:{}:*:*:*:*:*:*:*", parts.join(":"));
            let read = Cpe::parse(&text).unwrap();
            prop_assert_eq!(Cpe::parse(&read.to_string()), Ok(read.clone()));
            let is_open = |part: &String| part.contains(['*', '?']);
            let has_wildcard = parts.iter().any(|part| part != "*" && is_open(part));
            let fit = if has_wildcard { CpeFit::Possible } else { CpeFit::Covered };
            prop_assert_eq!(read.fit(&read), fit);
        }

        #[test]
        fn no_text_breaks_it(text in "(cpe:2.3:a|cpe:/)?[:*?\\\\%~a-z0-9é]{0,40}") {
            if let Ok(read) = Cpe::parse(&text) {
                prop_assert_eq!(Cpe::parse(&read.to_string()), Ok(read));
            }
        }
    }
}
