//! What a person asks: an advisory, a package, or a package within a range of versions.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use relight_model::{
    Component, Digest, Ecosystem, Exhibit, Finding, FindingState, PackageName, Purl, UnknownReason,
    bare_name,
};

use crate::advisories::Advisories;
use crate::bracket::{self, Reading};
use crate::group::Group;
use crate::package::{Reach, Subject, normalise, package_of};
use crate::standing::Standing;
use crate::version::{Version, VersionScheme, scheme_of};
use crate::vex::Enclosure;

/// Longest text of a question, in bytes.
pub const QUESTION_BYTES_MAX: usize = 4096;

/// A question, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who has what this advisory means; an id of any kind.
    Advisory(String),
    /// Who has this package.
    Package(PackageQuestion),
}

/// A package, and the versions that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageQuestion {
    /// The purl without version, when the question was one.
    pub purl: Option<Purl>,
    /// The name as asked: full (`group:artifact`, `@scope/name`) or bare; a bare name means every
    /// ecosystem.
    pub name: String,
    /// All must hold; empty means any version.
    pub constraints: Vec<Constraint>,
}

/// One condition on a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// How to compare.
    pub operator: Operator,
    /// With what.
    pub version: String,
}

/// How a version is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=` or `==`
    Equal,
}

/// Where and why a text is no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuestionError {
    /// Byte offset into the text.
    pub offset: usize,
    /// A stable code: `question-empty`, `question-too-long`, `question-name`, `question-purl`,
    /// `question-operator`, `question-version`.
    pub code: &'static str,
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the question cannot be read at byte {} [{}]", self.offset, self.code)
    }
}

impl Error for QuestionError {}

impl Question {
    /// Reads `CVE-2021-44228`, `pkg:maven/g/a@1`, `name`, `name@1.2`, `name<2.17.1` or
    /// `name>=2.0-beta9,<2.15.0`. Spaces around the parts mean nothing.
    ///
    /// # Errors
    /// Says at which byte the text stops being a question, with a code.
    pub fn parse(text: &str) -> Result<Self, QuestionError> {
        let fault = |offset, code| Err(QuestionError { offset, code });
        let start = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return fault(0, "question-empty");
        }
        if text.len() > QUESTION_BYTES_MAX {
            return fault(QUESTION_BYTES_MAX, "question-too-long");
        }
        if trimmed.starts_with("pkg:") {
            return match Purl::parse(trimmed) {
                Ok(purl) => Ok(Self::Package(PackageQuestion::of_purl(purl))),
                Err(_) => fault(start, "question-purl"),
            };
        }
        if is_advisory_id(trimmed) {
            return Ok(Self::Advisory(trimmed.to_owned()));
        }
        PackageQuestion::parse(text, start).map(Self::Package)
    }

    /// Files that the question is about besides packages, sorted, without doubles.
    pub fn exhibits<'a>(&self, advisories: &'a Advisories) -> Vec<&'a Exhibit> {
        let Self::Advisory(id) = self else { return Vec::new() };
        let mut all: Vec<_> = advisories.groups_of(id).flat_map(|group| group.exhibits()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The images of containers of which suppliers speak, see [`crate::Group::images`].
    pub fn images(&self, advisories: &Advisories) -> BTreeSet<Digest> {
        let Self::Advisory(id) = self else { return BTreeSet::new() };
        advisories.groups_of(id).flat_map(Group::images).collect()
    }

    /// Why no inventory can answer the question: nobody knows the advisory, no record of it in
    /// force names a package or a file, or one of them cannot be read. Then a site where nothing is
    /// found is unknown; calling it clear would be a guess.
    pub fn gap(&self, advisories: &Advisories) -> Option<UnknownReason> {
        let Self::Advisory(id) = self else { return None };
        let is_about = |group: &Group| !group.packages().is_empty() || !group.exhibits().is_empty();
        let is_unread = advisories.groups_of(id).any(Group::is_unread);
        let is_answerable = advisories.groups_of(id).any(is_about) && !is_unread;
        (!is_answerable).then_some(UnknownReason::RangeUnresolved)
    }

    /// Whether it may be about a package of this type of package URL, as far as is known.
    pub fn may_mean(&self, advisories: &Advisories, kind: &str) -> bool {
        match self {
            Self::Advisory(id) => {
                let packages = advisories.groups_of(id).flat_map(|group| group.bare_packages());
                let kinds: Vec<_> = packages.map(|package| package.ecosystem.purl_kind()).collect();
                kinds.is_empty() || kinds.into_iter().any(|it| it.is_none_or(|it| it == kind))
            }
            Self::Package(question) => {
                let asked = question.purl.as_ref().map(|purl| purl.kind.as_str());
                asked.is_none_or(|it| it == kind || it == "generic")
            }
        }
    }

    /// What a component means for the question; `None` when it is not what was asked for, which
    /// is an answer only where [`Question::gap`] is `None`.
    pub fn judge_component(
        &self,
        advisories: &Advisories,
        component: &Component,
    ) -> Option<Finding> {
        self.judge_in(advisories, component, &Enclosure::default())
    }

    /// As [`Question::judge_component`], of a component in what encloses it.
    pub fn judge_in(
        &self,
        advisories: &Advisories,
        component: &Component,
        enclosure: &Enclosure,
    ) -> Option<Finding> {
        match self {
            Self::Advisory(id) => {
                let groups = advisories.groups_of(id);
                let findings = groups.filter_map(|group| group.judge_in(component, enclosure));
                // The enum of states is in the order of certainty.
                let found = findings.min_by_key(|finding| finding.state);
                found.or_else(|| unheard(advisories, id, component))
            }
            Self::Package(question) => question.judge(component),
        }
    }

    /// Whether a component without finding is cleared on grounds that an incident does not accept,
    /// see [`crate::Group::is_weakly_clear`].
    pub fn is_weakly_clear(
        &self,
        advisories: &Advisories,
        component: &Component,
        enclosure: &Enclosure,
    ) -> bool {
        match self {
            Self::Advisory(id) => {
                let mut groups = advisories.groups_of(id);
                groups.any(|group| group.is_weakly_clear(component, enclosure))
            }
            Self::Package(_) => false,
        }
    }
}

/// Of a release of which no advisory speaks nobody says that a package is affected, or is not.
fn unheard(advisories: &Advisories, id: &str, component: &Component) -> Option<Finding> {
    let mut groups = advisories.groups_of(id);
    let group = groups.find(|group| advisories.is_unheard(group, component))?;
    Some(Finding {
        id: group.id.clone(),
        aliases: group.aliases.clone(),
        state: FindingState::PossibleMatch,
        rule: "no advisory speaks of this release".to_owned(),
        score: group.score(),
        known_exploited: group.known_exploited(),
    })
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advisory(id) => f.write_str(id),
            Self::Package(question) => question.fmt(f),
        }
    }
}

impl fmt::Display for PackageQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.purl, &self.constraints[..]) {
            (Some(purl), [only]) => {
                return Purl { version: only.version.clone(), ..purl.clone() }.fmt(f);
            }
            (Some(purl), _) => return purl.fmt(f),
            (None, _) => f.write_str(&self.name)?,
        }
        for (index, constraint) in self.constraints.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}{}", constraint.operator.as_str(), constraint.version)?;
        }
        Ok(())
    }
}

impl Operator {
    /// The operator as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
        }
    }

    /// The operator at the start of a text, and its length; the longer ones first.
    fn at_start(text: &str) -> Option<(Self, usize)> {
        let known = [
            ("<=", Self::LessOrEqual),
            (">=", Self::GreaterOrEqual),
            ("==", Self::Equal),
            ("<", Self::Less),
            (">", Self::Greater),
            ("=", Self::Equal),
        ];
        known
            .into_iter()
            .find(|(sign, _)| text.starts_with(sign))
            .map(|(sign, it)| (it, sign.len()))
    }

    const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Equal => order.is_eq(),
        }
    }
}

impl PackageQuestion {
    fn of_purl(purl: Purl) -> Self {
        let version = purl.version.clone();
        let purl = Purl { version: String::new(), ..purl };
        let constraints = match version.as_str() {
            "" => Vec::new(),
            _ => vec![Constraint { operator: Operator::Equal, version }],
        };
        Self { name: package_of(&purl).name, purl: Some(purl), constraints }
    }

    /// `text` from byte `start` on: a name, then constraints.
    fn parse(text: &str, start: usize) -> Result<Self, QuestionError> {
        let is_operator = |c: char| matches!(c, '<' | '>' | '=');
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(is_operator).unwrap_or(rest.len());
        let (name, mut rest) = rest.split_at(end);
        let offset_of = |rest: &str| text.len() - rest.len();
        let mut constraints = Vec::new();
        let mut name = name.trim_end();
        // An npm scope starts with `@`; any other `@` starts a version.
        if let Some(at) = name.rfind('@').filter(|&at| at > 0) {
            let version = &name[at + 1..];
            if version.is_empty() || !rest.is_empty() {
                return Err(QuestionError { offset: start + at, code: "question-version" });
            }
            let version = version.to_owned();
            constraints.push(Constraint { operator: Operator::Equal, version });
            name = &name[..at];
        }
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '"' | '\'');
        if let Some(at) = name.find(bad) {
            return Err(QuestionError { offset: start + at, code: "question-name" });
        }
        if name.is_empty() {
            return Err(QuestionError { offset: start, code: "question-name" });
        }
        while !rest.trim().is_empty() {
            let at = rest.trim_start();
            let Some((operator, length)) = Operator::at_start(at) else {
                return Err(QuestionError { offset: offset_of(at), code: "question-operator" });
            };
            let after = at[length..].trim_start();
            let end = after.find(',').unwrap_or(after.len());
            let version = after[..end].trim_end();
            let is_bad = version.is_empty() || version.contains(|c| bad(c) || is_operator(c));
            let is_open = after[end..].trim_end() == ",";
            if is_bad || is_open {
                let offset = offset_of(if is_bad { after } else { &after[end..] });
                return Err(QuestionError { offset, code: "question-version" });
            }
            constraints.push(Constraint { operator, version: version.to_owned() });
            rest = after[end..].strip_prefix(',').unwrap_or_default();
        }
        Ok(Self { purl: None, name: name.to_owned(), constraints })
    }

    /// Affected when package and version fit for certain, possible when one of them may.
    fn judge(&self, component: &Component) -> Option<Finding> {
        if bracket::is_open(component) {
            return bracket::judge(component, Reading::of(component, false), |it| self.judge(it));
        }
        let subject = Subject::of(component);
        if !subject.standing.is_meant() {
            return None;
        }
        let found = &component.purl;
        let (is_certain, version) = match self.names(&subject, found) {
            Some(is_certain) => (is_certain, &subject.version),
            // Built from what was asked for, which has versions of its own.
            None => {
                let source = &subject.source.as_ref()?.subject;
                let found = Purl { name: source.package.name.clone(), ..found.clone() };
                (self.names(source, &found)?, &source.version)
            }
        };
        let scheme = scheme_of(&subject.package.ecosystem);
        let holds = self.constraints.iter().map(|it| it.holds(scheme, version));
        let mut state =
            if is_certain { FindingState::Affected } else { FindingState::PossibleMatch };
        for holds in holds {
            match holds {
                Some(true) => {}
                Some(false) => return None,
                None => state = FindingState::PossibleMatch,
            }
        }
        if state == FindingState::Affected && subject.standing == Standing::Declared {
            state = FindingState::DeclaredOnly;
        }
        let text = self.to_string();
        Some(Finding {
            rule: format!("question {text}"),
            id: text,
            aliases: Vec::new(),
            state,
            score: None,
            known_exploited: false,
        })
    }

    /// `None` when a package, found under this purl, is another one; `Some(false)` when it may be
    /// this one.
    fn names(&self, subject: &Subject, found: &Purl) -> Option<bool> {
        let Some(asked) = &self.purl else {
            let package = &subject.package;
            let asked = PackageName { name: self.name.clone(), ..package.clone() };
            let asked = normalise(&asked).name;
            let bare = match package.ecosystem {
                Ecosystem::Maven => bare_name(&package.name),
                _ => &package.name,
            };
            // The last part of a path, in the letters in which names are compared.
            let found = PackageName { name: found.name.clone(), ..package.clone() };
            let found = normalise(&found).name;
            if [bare, &package.name, &found].contains(&asked.as_str()) {
                return Some(true);
            }
            // Asked with its group, or in another form, and found by a name: it may be the same.
            let loose = subject.loose.as_ref();
            return loose.is_some_and(|it| it.has_bare_name_of(&asked)).then_some(false);
        };
        let wanted = package_of(asked);
        let qualifiers = asked.qualifiers.iter();
        let mut others = qualifiers.filter(|(key, _)| key != "distro" && key != "upstream");
        let same_release = match (&wanted.release, &subject.package.release) {
            (Some(wanted), Some(found)) => wanted == found,
            (None, _) | (_, None) => true,
        };
        let fits = others.all(|(key, value)| found.qualifier(key) == Some(value));
        if !fits || !same_release {
            return None;
        }
        let same_kind = wanted.ecosystem == subject.package.ecosystem;
        let is_known = wanted.release.is_none() || subject.package.release.is_some();
        let is_whole = subject.reach == Reach::Package;
        if is_whole && same_kind && wanted.name == subject.package.name {
            return Some(is_known);
        }
        // A binary package of Debian is asked by its own name, too.
        if is_whole && same_kind && asked.name == found.name && asked.namespace == found.namespace {
            return Some(is_known);
        }
        subject.may_be(&wanted).then_some(false)
    }
}

impl Constraint {
    /// `None` when nobody knows.
    fn holds(&self, scheme: VersionScheme, version: &str) -> Option<bool> {
        if self.operator == Operator::Equal && self.version == version {
            return Some(true);
        }
        let bound = Version::stated(scheme, &self.version)?;
        let version = Version::stated(scheme, version)?;
        let holds = self.operator.holds(version.compare(&bound)?);
        // Where the order is a guess, a version outside may be inside.
        (holds || version.is_exact() && bound.is_exact()).then_some(holds)
    }
}

/// A prefix in capitals, a hyphen and something with a digit, as every advisory database writes
/// its ids; those of CVE and GHSA in small letters, too.
fn is_advisory_id(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('-') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-:_.".contains(&byte);
    if rest.is_empty() || !rest.bytes().all(plain) {
        return false;
    }
    if prefix.eq_ignore_ascii_case("ghsa") {
        return rest.split('-').count() == 3;
    }
    let has_digit = rest.bytes().any(|byte| byte.is_ascii_digit());
    let in_capitals = !prefix.is_empty()
        && prefix.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && prefix.bytes().any(|byte| byte.is_ascii_uppercase());
    has_digit && (in_capitals || prefix.eq_ignore_ascii_case("cve"))
}
