//! Roles by groups of the provider: `[[oidc.group]]` of the signed policy. They hold for one
//! sign-in through the provider, beside those that were granted here, and for nothing that
//! outlives it.
//!
//! What agrees to a plan of another, or administers, is granted here only: whoever runs the
//! provider would be the second person of a plan otherwise. A site owner signs alone for the few
//! sites of a body of their own, and with a passkey of here.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use relight_engine::access::{Grant, Role, Scope};
use relight_model::Digest;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::{Map, Value};

use super::OidcSettings;
use crate::access::known::Known;

/// Most groups of a person that are looked at. Of one with more, none is: which roles hold must not
/// depend on the order of a list. (Entra ID names as many in a token.)
pub(crate) const GROUPS_MAX: usize = 200;

/// Most roles that a policy gives by groups.
pub(crate) const GROUP_ROLES_MAX: usize = 100;

/// A role that a group of the provider gives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    /// The group, exactly as the claim names it.
    pub value: String,
    /// The role; none that agrees to a plan of another, or administers.
    #[serde(deserialize_with = "role")]
    pub role: Role,
    /// Where.
    #[serde(deserialize_with = "scope")]
    pub scope: Scope,
}

/// Whether a group of the provider may give a role.
pub(crate) const fn is_for_groups(role: Role) -> bool {
    match role {
        Role::Viewer | Role::Analyst | Role::SiteOwner | Role::Publisher | Role::Auditor => true,
        Role::Commander | Role::Approver | Role::Admin => false,
    }
}

fn role<'de, D: Deserializer<'de>>(written: D) -> Result<Role, D::Error> {
    let text = String::deserialize(written)?;
    let why = || {
        let roles = Role::ALL.into_iter().filter(|role| is_for_groups(*role)).map(Role::as_str);
        let roles = roles.collect::<Vec<_>>().join(", ");
        format!("no group of a provider gives the role `{text}`, only one of {roles}")
    };
    let role = Role::parse(&text).filter(|role| is_for_groups(*role));
    role.ok_or_else(|| D::Error::custom(why()))
}

fn scope<'de, D: Deserializer<'de>>(written: D) -> Result<Scope, D::Error> {
    let text = String::deserialize(written)?;
    Scope::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no scope")))
}

/// What the groups of a person give for one sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfGroups {
    /// The roles.
    pub(crate) roles: Vec<Grant>,
    /// Why the groups are not known, by the key of the sentence for people.
    pub(crate) unknown: Option<&'static str>,
}

impl OfGroups {
    /// What the settings give for the claims of a token.
    pub(super) fn read(settings: &OidcSettings, claims: &Map<String, Value>) -> Self {
        if settings.group.is_empty() {
            return Self::default();
        }
        let unknown = |why| Self { roles: Vec::new(), unknown: Some(why) };
        let name = settings.groups_claim.as_str();
        // Entra ID names the place where the groups of somebody with many could be asked for.
        let elsewhere = claims.get("_claim_names").and_then(|names| names.get(name));
        // It says so of its claim of groups, and of no other one.
        let has_more = name == "groups" && claims.get("hasgroups").is_some_and(|it| *it == true);
        if elsewhere.is_some() || has_more {
            return unknown("groups-elsewhere");
        }
        let values: Vec<&str> = match claims.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) if all.len() > GROUPS_MAX => {
                return unknown("groups-too-many");
            }
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(_) => return unknown("groups-unreadable"),
        };
        let mut roles: Vec<Grant> = Vec::new();
        for given in settings.group.iter().filter(|it| values.contains(&it.value.as_str())) {
            let grant = Grant { role: given.role, scope: given.scope.clone() };
            if is_for_groups(grant.role) && !roles.contains(&grant) {
                roles.push(grant);
            }
        }
        Self { roles, unknown: None }
    }

    /// What the journal says of it; empty for nothing.
    pub(crate) fn told(&self) -> String {
        let roles = self.roles.iter().map(|it| format!("{} {}", it.role.as_str(), it.scope));
        roles.chain(self.unknown.map(str::to_owned)).collect::<Vec<_>>().join(", ")
    }
}

/// What groups give, by sign-in. It is in memory only: it ends with the server at the latest, and a
/// policy that changed counts from the next sign-in on.
#[derive(Debug, Default)]
pub(crate) struct BySignIn(RwLock<BTreeMap<Digest, OfGroups>>);

impl BySignIn {
    /// For a new sign-in.
    pub(super) fn put(&self, sign_in: Digest, given: OfGroups) {
        if given != OfGroups::default() {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(sign_in, given);
        }
    }

    /// For a sign-in.
    pub(crate) fn of(&self, sign_in: &Digest) -> OfGroups {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(sign_in).cloned().unwrap_or_default()
    }

    /// Forgets those of sign-ins that are over.
    pub(crate) fn keep(&self, known: &Known) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|sign_in, _| known.tables.sign_ins.iter().any(|row| row.digest == *sign_in));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(groups: &str) -> Result<OidcSettings, toml::de::Error> {
        let provider = "name = \"x\"\nissuer = \"https://id.example\"\nclient_id = \"x\"\n";
        toml::from_str(&format!("{provider}{groups}"))
    }

    fn group(value: &str, role: &str, scope: &str) -> String {
        format!("[[group]]\nvalue = \"{value}\"\nrole = \"{role}\"\nscope = \"{scope}\"\n")
    }

    fn told(settings: &OidcSettings, claims: Value) -> String {
        OfGroups::read(settings, claims.as_object().unwrap()).told()
    }

    #[test]
    fn no_group_gives_a_role_that_agrees_for_another_or_administers() {
        for role in Role::ALL {
            let read = settings(&group("g", role.as_str(), "/"));
            let is_granted_here = role.needs_two_to_grant() || role == Role::Admin;
            assert_eq!(read.is_err(), is_granted_here, "{role:?}");
            let Err(error) = read else { continue };
            let text = error.to_string();
            assert!(text.contains("line 6") && text.contains("no group of a provider"), "{text}");
            assert!(text.contains(role.as_str()), "{text}");
        }
        for wrong in
            [group("g", "root", "/"), group("g", "viewer", "a//b"), group("", "viewer", "/")]
        {
            let read = settings(&wrong);
            assert!(read.is_err() || read.unwrap().fault().is_some(), "{wrong}");
        }
        let many = group("g", "viewer", "/").repeat(GROUP_ROLES_MAX + 1);
        assert!(settings(&many).unwrap().fault().is_some());
        for claim in ["sub", "amr", "nonce", "_claim_names", ""] {
            let wrong = settings(&format!("groups_claim = \"{claim}\"\n")).unwrap();
            assert!(wrong.fault().is_some(), "{claim}");
        }
        let unsigned = settings(&group("g", "viewer", "/")).unwrap().unsigned();
        assert!(unsigned.group.is_empty(), "nobody signed it");
    }

    #[test]
    fn roles_are_those_of_the_groups_that_the_policy_names() {
        let rows = [("a", "viewer", "/"), ("b", "auditor", "health"), ("a", "viewer", "/")];
        let rows: String = rows.iter().map(|(v, r, s)| group(v, r, s)).collect();
        let by = |claim: &str| settings(&format!("{claim}{rows}")).unwrap();
        let usual = by("");
        for (claims, wanted) in [
            (json!({}), ""),
            (json!({"groups": null}), ""),
            (json!({"groups": []}), ""),
            (json!({"groups": ["A", "c", "a ", 7]}), ""),
            (json!({"groups": ["c", "b"]}), "auditor health"),
            (json!({"groups": ["b", "a", "a"]}), "viewer /, auditor health"),
            (json!({"groups": "a"}), "viewer /"),
            (json!({"groups": {"a": 1}}), "groups-unreadable"),
            (json!({"roles": ["a"]}), ""),
            (json!({"groups": ["a"], "_claim_names": {"groups": "src1"}}), "groups-elsewhere"),
            (json!({"_claim_names": {"other": "src1"}}), ""),
            (json!({"hasgroups": true}), "groups-elsewhere"),
        ] {
            assert_eq!(told(&usual, claims.clone()), wanted, "{claims}");
        }
        let named = by("groups_claim = \"roles\"\n");
        assert_eq!(told(&named, json!({"roles": ["a"], "groups": ["b"]})), "viewer /");
        assert_eq!(told(&named, json!({"roles": ["a"], "hasgroups": true})), "viewer /");
        let mut made = usual.clone();
        made.group.iter_mut().for_each(|it| it.role = Role::Approver);
        assert_eq!(told(&made, json!({"groups": ["a", "b"]})), "", "wherever it comes from");
        let none = settings("").unwrap();
        assert_eq!(told(&none, json!({"_claim_names": {"groups": "src1"}})), "", "nobody asked");
    }

    #[test]
    fn of_somebody_with_too_many_groups_none_is_looked_at() {
        let settings = settings(&group("g-0", "viewer", "/")).unwrap();
        let groups = |count: usize| {
            let all: Vec<String> = (0..count).map(|number| format!("g-{number}")).collect();
            json!({ "groups": all })
        };
        assert_eq!(told(&settings, groups(GROUPS_MAX)), "viewer /");
        assert_eq!(told(&settings, groups(GROUPS_MAX + 1)), "groups-too-many");
    }
}
