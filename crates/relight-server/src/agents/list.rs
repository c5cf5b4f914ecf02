//! Agents and organisations of a register, as people see them. Who only looks makes no key.

use std::collections::BTreeMap;

use relight_engine::access::Scope;
use relight_engine::store::{AgentRow, Store};
use relight_model::{Organisation, Timestamp};
use relight_web::{Lang, texts};

use crate::ServerError;

/// Longest name of a version, in bytes.
const VERSION_BYTES_MAX: usize = 64;

/// An agent as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// Its number.
    pub id: u32,
    /// The machine.
    pub host: String,
    /// Its organisation.
    pub organisation: Organisation,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
    /// When it was last heard of; 0 for never.
    pub seen: Timestamp,
    /// When its certificate ends; 0 when it has none any more.
    pub expires: Timestamp,
    /// Of which version it said that it is; empty where it was not heard of,
    /// or what it said is none.
    pub version: String,
    /// It is let in.
    pub is_live: bool,
}

/// Every agent of a register, revoked ones too, by number. Who only looks makes no key.
///
/// # Errors
/// The register cannot be read.
pub fn agents_of(store: &Store, now: Timestamp) -> Result<Vec<AgentView>, ServerError> {
    let rows = store.agents();
    let rows = rows.map_err(|error| ServerError::caused("read the agents", error))?;
    let organisations = organisations_of(store)?;
    let by_id: BTreeMap<u32, &Organisation> =
        organisations.iter().map(|it| (it.id.0, it)).collect();
    let view = |row: AgentRow| {
        let organisation = (*by_id.get(&row.org.0)?).clone();
        let is_live = row.is_live(now);
        let AgentRow { id, host, enrolled, revoked, seen, expires, version, org: _ } = row;
        Some(AgentView {
            id,
            host,
            organisation,
            enrolled,
            revoked,
            seen,
            expires,
            version,
            is_live,
        })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}

/// Every organisation of a register.
///
/// # Errors
/// The register cannot be read.
pub(crate) fn organisations_of(store: &Store) -> Result<Vec<Organisation>, ServerError> {
    let all = store.organisations();
    all.map_err(|error| ServerError::caused("read the organisations", error))
}

/// Where an organisation stands in the tree: who is admin there decides about its agents.
pub(crate) fn scope_of(organisation: &Organisation) -> Scope {
    Scope::of_body(&organisation.sector, &organisation.name)
}

/// What an agent says is its version, if it can be one: it stands in lists.
pub(super) fn version_of(text: &str) -> &str {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || ".+-".contains(sign);
    let is_version = text.len() <= VERSION_BYTES_MAX && text.chars().all(is_plain);
    if is_version { text } else { "" }
}

/// The version of an agent in words: one that is not this program's is told.
pub fn version_words(lang: Lang, version: &str) -> String {
    let own = env!("CARGO_PKG_VERSION");
    match version {
        "" => "—".to_owned(),
        version if version == own => own.to_owned(),
        version => texts::agents_version_other(lang, own, version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_short_and_plain_and_another_one_is_told() {
        let own = env!("CARGO_PKG_VERSION");
        assert_eq!([own, "1.2.3-rc.1+b", ""].map(version_of), [own, "1.2.3-rc.1+b", ""]);
        let long = "1".repeat(VERSION_BYTES_MAX + 1);
        assert_eq!(["1 2", "<b>", "1\u{202e}", &long].map(version_of), [""; 4]);
        assert_eq!(version_words(Lang::En, own), own);
        assert_eq!(version_words(Lang::En, ""), "—");
        let told = Lang::ALL.map(|lang| version_words(lang, "0.0.0"));
        assert!(told.iter().all(|told| told.contains("0.0.0") && told.contains(own)), "{told:?}");
        assert_ne!(told[0], told[1]);
    }
}
