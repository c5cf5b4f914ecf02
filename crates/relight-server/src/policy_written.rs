//! What `policy.toml` may say, and what of that is refused.

use relight_engine::policy::{Policy, SITES_ALONE_MAX, SITES_WITHOUT_COMMAND_MAX};
use relight_model::{Digest, GateKey};
use serde::Deserialize;

use crate::access::sign_ins::ShorterSignIns;
use crate::access::{OidcSettings, RSA_BITS_LEAST};
use crate::policy_standing;

/// The most bits of RSA that are checked here.
const RSA_BITS_MOST: u32 = 8_192;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    pub(crate) operators: Option<Operators>,
    pub(crate) switching: Option<Switching>,
    pub(crate) oidc: Option<OidcSettings>,
    pub(crate) keys: Option<Keys>,
    pub(crate) sign_in: Option<ShorterSignIns>,
    pub(crate) recovery: Option<Recovery>,
    #[serde(default)]
    pub(crate) standing: Vec<policy_standing::Written>,
    pub(crate) drill: Option<Drill>,
}

/// Sites that a drill may close, however many.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drill {
    pub(crate) sites: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) rsa_bits_min: u32,
}

/// What brings back who lost every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recovery {
    /// Codes of an authenticator app count for commanders and approvers, too.
    pub(crate) totp: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operators {
    pub(crate) single: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switching {
    pub(crate) one_person_sites: Option<usize>,
    pub(crate) two_people_sites: Option<usize>,
}

impl Written {
    /// What it sets that the table does not allow.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.operators.as_ref().is_some_and(|it| it.single.trim().is_empty()) {
            return Some("operators.single is empty");
        }
        if let Some(fault) = self.oidc.as_ref().and_then(OidcSettings::fault) {
            return Some(fault);
        }
        if self.keys.is_some_and(|it| !(RSA_BITS_LEAST..=RSA_BITS_MOST).contains(&it.rsa_bits_min))
        {
            return Some("keys.rsa_bits_min is 2048 to 8192");
        }
        if let Some(fault) = self.sign_in.and_then(ShorterSignIns::fault) {
            return Some(fault);
        }
        if let Err(fault) = policy_standing::authorities(&self.standing) {
            return Some(fault);
        }
        let drilled = self.drill.iter().flat_map(|it| &it.sites);
        if drilled.into_iter().any(|site| GateKey::new(site).is_err()) {
            return Some("drill.sites are short names of sites");
        }
        let switching = self.switching.as_ref();
        if switching.and_then(|it| it.one_person_sites).is_some_and(|it| it > SITES_ALONE_MAX) {
            return Some("switching.one_person_sites is at most 5");
        }
        let two = switching.and_then(|it| it.two_people_sites);
        if two.is_some_and(|it| it > SITES_WITHOUT_COMMAND_MAX) {
            return Some("switching.two_people_sites is at most 200");
        }
        None
    }

    /// The rules that it means; `digest` is that of the file.
    pub(crate) fn rules(&self, digest: Digest) -> Policy {
        let switching = self.switching.as_ref();
        let alone = switching.and_then(|it| it.one_person_sites).unwrap_or(SITES_ALONE_MAX);
        let two = switching.and_then(|it| it.two_people_sites).unwrap_or(SITES_WITHOUT_COMMAND_MAX);
        // What is wrong with one of them was told when the file was read.
        let standing = policy_standing::authorities(&self.standing).unwrap_or_default();
        let drilled = self.drill.iter().flat_map(|it| &it.sites);
        let drilled = drilled.filter_map(|site| GateKey::new(site).ok()).collect();
        Policy { standing, drilled, ..Policy::signed(digest, alone, two) }
    }
}
