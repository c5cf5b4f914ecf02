//! The contacts behind a campaign in words: a line names a day, who was asked, and for what.

use std::collections::BTreeMap;

use relight_engine::store::Store;
use relight_model::SiteId;
use relight_server::web::Lang;

use super::{class_words, door_title, site_name};
use crate::context::Context;
use crate::failure::Failure;

/// What contacts are told with.
pub(super) struct Contacts<'a> {
    sites: &'a BTreeMap<SiteId, String>,
    organisations: BTreeMap<u32, String>,
    lang: Lang,
}

impl<'a> Contacts<'a> {
    pub(super) fn new(
        store: &Store,
        sites: &'a BTreeMap<SiteId, String>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let organisations = store.organisations().map_err(|error| context.store_failure(&error))?;
        let organisations = organisations.into_iter().map(|org| (org.id.0, org.name)).collect();
        Ok(Self { sites, organisations, lang: context.lang })
    }

    /// A line of evidence: `organisation, site, day, status, class, path` in numbers and codes.
    pub(super) fn told(&self, line: &str) -> String {
        let parts: Vec<&str> = line.splitn(6, ", ").collect();
        let [org, site, day, status, class, path] = parts[..] else { return line.to_owned() };
        let named = |org: u32| self.organisations.get(&org).map(String::as_str);
        let org = org.parse().ok().and_then(named).unwrap_or(org);
        let site = site
            .parse()
            .map_or_else(|_| site.to_owned(), |number| site_name(self.sites, SiteId(number)));
        let class = match class.strip_prefix("probe:") {
            Some(id) => door_title(id, self.lang).unwrap_or_else(|| id.to_owned()),
            None => class_words(self.lang, class).to_owned(),
        };
        format!("{day}  {org}  {site}  {status}  {path}  ({class})")
    }
}
