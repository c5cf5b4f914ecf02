//! Names that are known in part, or without the rules of whoever wrote them.

use relight_model::{Ecosystem, PackageName, bare_name, fold_name, fold_name_into, folds_to};

/// A name that somebody wrote without saying by whose rules, ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LooseName {
    /// Folded, without its group: see [`bare_key`].
    pub(crate) bare: String,
    /// Folded, with its group.
    full: String,
    form: Form,
}

/// What the form of a group tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Nothing: there is none, or it may be a vendor, a folder, anything.
    Any,
    /// `@scope`: a name of npm, and whole.
    Scope,
    /// `org.example`: Java's, if any.
    Domain,
}

impl LooseName {
    /// Of a name and its group, if it has one.
    pub(crate) fn of(group: &str, name: &str) -> Self {
        let full = if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") };
        let group = full.rsplit_once(['/', ':']).map_or("", |(group, _)| group);
        let form = match group {
            _ if group.starts_with('@') => Form::Scope,
            _ if group.contains('.') && !group.contains('/') => Form::Domain,
            _ => Form::Any,
        };
        Self { bare: bare_key(&full), full: fold_name(&full), form }
    }

    /// The groups are compared only where their forms tell that one cannot be the other: copies of
    /// Java packages keep the name and change the group.
    pub(crate) fn has_group_of(&self, package: &PackageName) -> bool {
        let has_none = || bare_name(&package.name).len() == package.name.len();
        match self.form {
            Form::Any => true,
            Form::Domain if package.ecosystem == Ecosystem::Maven || has_none() => true,
            Form::Domain | Form::Scope => folds_to(&package.name, &self.full),
        }
    }

    /// Whether the last part of a name is that of this one.
    pub(crate) fn has_bare_name_of(&self, name: &str) -> bool {
        folds_to(bare_name(name), &self.bare)
    }
}

/// Under which key a name is found by whoever knows no more than a part of it.
pub(crate) fn bare_key(name: &str) -> String {
    fold_name(bare_name(name))
}

/// As [`bare_key`], in the place of whatever is in `key`.
pub(crate) fn bare_key_into(name: &str, key: &mut String) {
    fold_name_into(bare_name(name), key);
}
