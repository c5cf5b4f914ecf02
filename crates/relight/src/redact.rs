//! What a person does not want to leave the process: parts of paths, replaced.

use std::borrow::Cow;

use regex_lite::{NoExpand, Regex};
use relight_model::{ClassNames, Profile};
use relight_scan::Report;

/// Replacements in paths, in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redaction(Vec<(Regex, String)>);

impl Redaction {
    /// Reads `REGEX=TEXT` values; what stands behind the last `=` is the text.
    ///
    /// # Errors
    /// The value that cannot be used.
    pub(crate) fn parse(values: &[String]) -> Result<Self, &String> {
        let mut rules = Vec::new();
        for value in values {
            let rule = value.rsplit_once('=').and_then(|(regex, text)| {
                let regex = Regex::new(regex).ok().filter(|_| !regex.is_empty())?;
                Some((regex, text.to_owned()))
            });
            rules.push(rule.ok_or(value)?);
        }
        Ok(Self(rules))
    }

    /// One path.
    pub(crate) fn path<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let mut path = Cow::Borrowed(path);
        for (regex, text) in &self.0 {
            if let Cow::Owned(changed) = regex.replace_all(&path, NoExpand(text)) {
                path = Cow::Owned(changed);
            }
        }
        path
    }

    /// Names of classes. Where one was replaced, nobody can say any more what is not there.
    fn names(&self, names: ClassNames) -> ClassNames {
        let list = names.list();
        let replaced = list.iter().map(|name| self.path(name));
        let is_same = replaced.clone().all(|name| matches!(name, Cow::Borrowed(_)));
        if is_same {
            return names;
        }
        ClassNames::of(replaced.map(Cow::into_owned), false)
    }

    /// Every path of a report.
    pub(crate) fn apply(&self, report: &mut Report) {
        if self.0.is_empty() {
            return;
        }
        let replace = |path: &mut String| {
            if let Cow::Owned(changed) = self.path(path) {
                *path = changed;
            }
        };
        let components = report.sbom.components.iter_mut().chain(&mut report.hidden);
        components.for_each(|component| replace(&mut component.evidence));
        report.sbom.flaws.iter_mut().for_each(|flaw| replace(&mut flaw.evidence));
        report.gaps.iter_mut().for_each(|(_, path)| replace(path));
        report.layers.iter_mut().for_each(|(path, _)| replace(path));
        for profile in &mut report.profiles {
            replace(&mut profile.place);
            profile.names = profile.names.take().map(|names| self.names(names));
        }
        for warning in &mut report.warnings {
            replace(&mut warning.evidence);
            replace(&mut warning.message);
        }
        // What stands back was decided by the places as they are called.
        report.sbom.sort();
        Profile::unite(&mut report.profiles);
        report.layers.sort();
        report.hidden.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction(values: &[&str]) -> Redaction {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        Redaction::parse(&values).unwrap()
    }

    #[test]
    fn parts_of_paths_are_replaced_in_order() {
        let names = redaction(&["home/[a-z]+/=home/someone/", "=x=x"]);
        assert_eq!(names.path("home/alice/a.jar"), "home/someone/a.jar");
        assert_eq!(names.path("srv/a=x.jar"), "srv/ax.jar");
        assert!(matches!(names.path("srv/a.jar"), Cow::Borrowed(_)));
        assert_eq!(redaction(&["a=$0"]).path("a"), "$0", "the text is a text");
        assert_eq!(redaction(&["secret="]).path("my-secret.jar"), "my-.jar");
    }

    #[test]
    fn a_replaced_name_of_a_class_is_a_missing_one() {
        let names = |list: &[&str]| ClassNames::of(list.iter().map(|it| (*it).to_owned()), true);
        let rules = redaction(&["secret/=x/"]);
        let replaced = rules.names(names(&["org/secret/A", "org/B"]));
        let list = ["org/B", "org/x/A"].map(str::to_owned).to_vec();
        assert_eq!((replaced.list(), replaced.is_whole()), (list, false));
        assert_eq!(rules.names(names(&["org/B"])), names(&["org/B"]));
    }

    #[test]
    fn what_is_no_rule_is_named() {
        for bad in ["", "=x", "no-equals", "(=x", "[a-=x"] {
            let values = ["a=b".to_owned(), bad.to_owned()];
            assert_eq!(Redaction::parse(&values).unwrap_err(), bad);
        }
    }
}
