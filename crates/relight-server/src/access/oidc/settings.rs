//! `[oidc]` of `policy.toml`: a provider of identities that may say who somebody is.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::fetch::Place;
use super::groups::{GROUP_ROLES_MAX, GroupRole};

/// Longest text of a setting, in bytes.
const TEXT_BYTES_MAX: usize = 1_000;

/// Most values of a list.
const VALUES_MAX: usize = 20;

/// A provider of identities (OpenID Connect): Entra ID, Keycloak and others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// What people call it: stands on the button.
    pub name: String,
    /// Its address, exactly as it calls itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// A file with the secret that it gave us; none for a public client.
    pub client_secret_file: Option<PathBuf>,
    /// Certificates of authorities (PEM) in place of those of the system.
    pub ca_file: Option<PathBuf>,
    /// Values of `acr` that say that a second factor was shown.
    #[serde(default)]
    pub second_factor_acr: Vec<String>,
    /// Values of `amr` that say so.
    #[serde(default)]
    pub second_factor_amr: Vec<String>,
    /// The claim that names the groups of a person.
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    /// Roles that groups give for a sign-in.
    #[serde(default)]
    pub group: Vec<GroupRole>,
}

fn groups_claim() -> String {
    "groups".to_owned()
}

/// Claims that say something else than groups.
const OTHER_CLAIMS: [&str; 13] = [
    "_claim_names",
    "_claim_sources",
    "acr",
    "amr",
    "aud",
    "auth_time",
    "azp",
    "exp",
    "iat",
    "iss",
    "nbf",
    "nonce",
    "sub",
];

impl OidcSettings {
    /// What is wrong with them, by the name of the setting.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let is_text = |text: &str| {
            let is_long = text.len() > TEXT_BYTES_MAX;
            !text.trim().is_empty() && !is_long && !text.chars().any(char::is_control)
        };
        let is_list = |values: &[String]| {
            values.len() <= VALUES_MAX
                && values.iter().all(|it| is_text(it) && !it.contains(char::is_whitespace))
        };
        if !is_text(&self.name) {
            return Some("oidc.name is empty or too long");
        }
        if !is_text(&self.client_id) {
            return Some("oidc.client_id is empty or too long");
        }
        let is_issuer = is_text(&self.issuer) && !self.issuer.contains(['?', '#', ' ']);
        if !is_issuer || Place::parse(&self.issuer, true).is_none() {
            return Some("oidc.issuer is no https address (http on this machine only)");
        }
        if !is_list(&self.second_factor_acr) || !is_list(&self.second_factor_amr) {
            return Some("oidc.second_factor_acr and second_factor_amr are lists of words");
        }
        let claim = &self.groups_claim;
        if !is_text(claim) || OTHER_CLAIMS.contains(&claim.as_str()) {
            return Some("oidc.groups_claim is no claim that can name groups");
        }
        if self.group.len() > GROUP_ROLES_MAX || !self.group.iter().all(|it| is_text(&it.value)) {
            return Some("oidc.group has more than 100 roles, or a value is empty or too long");
        }
        None
    }

    /// The same with its files seen from the folder of the policy.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        for file in [&mut self.client_secret_file, &mut self.ca_file].into_iter().flatten() {
            *file = folder.join(&*file);
        }
        self
    }

    /// The same, where nobody signed what it says of second factors and of groups: then it vouches
    /// for none, and gives no role.
    pub(crate) fn unsigned(self) -> Self {
        let (second_factor_acr, second_factor_amr) = (Vec::new(), Vec::new());
        Self { second_factor_acr, second_factor_amr, group: Vec::new(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> OidcSettings {
        OidcSettings {
            name: "Entra ID".into(),
            issuer: "https://login.example/tenant/v2.0".into(),
            client_id: "relight".into(),
            client_secret_file: Some("secret".into()),
            ca_file: None,
            second_factor_acr: Vec::new(),
            second_factor_amr: vec!["mfa".into()],
            groups_claim: groups_claim(),
            group: Vec::new(),
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(settings().fault(), None);
        let good = ["http://localhost:3000", "http://127.0.0.1:1/realm", "http://[::1]:8080"];
        for issuer in good {
            assert_eq!(OidcSettings { issuer: issuer.into(), ..settings() }.fault(), None);
        }
        for issuer in [
            "",
            "login.example",
            "http://login.example",
            "ftp://login.example",
            "https://login.example/?a=b",
            "https://login.example/#a",
            "https://user@login.example",
            "https://",
            "https://login.example/a b",
        ] {
            let wrong = OidcSettings { issuer: issuer.into(), ..settings() }.fault();
            assert!(wrong.is_some_and(|it| it.starts_with("oidc.issuer")), "{issuer}: {wrong:?}");
        }
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        for name in ["", " ", "a\nb", &long] {
            assert!(OidcSettings { name: name.into(), ..settings() }.fault().is_some(), "{name:?}");
            let client_id = name.into();
            assert!(OidcSettings { client_id, ..settings() }.fault().is_some(), "{name:?}");
        }
        let many = vec!["mfa".to_owned(); VALUES_MAX + 1];
        for list in [vec![String::new()], vec!["a b".to_owned()], many] {
            let wrong = OidcSettings { second_factor_amr: list.clone(), ..settings() };
            assert!(wrong.fault().is_some(), "{list:?}");
            let wrong = OidcSettings { second_factor_acr: list, ..settings() };
            assert!(wrong.fault().is_some());
        }
    }

    #[test]
    fn files_are_seen_from_the_folder_of_the_policy() {
        let placed = settings().within(Path::new("/data"));
        assert_eq!(placed.client_secret_file.as_deref(), Some(Path::new("/data/secret")));
        let absolute = OidcSettings { ca_file: Some("/etc/ca.pem".into()), ..settings() };
        let ca_file = absolute.within(Path::new("/data")).ca_file;
        assert_eq!(ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
    }
}
